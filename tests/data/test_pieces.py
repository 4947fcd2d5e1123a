"""Piecewise-linear encoding: edges by hand, laws of the formula, and one code for tables and arrays."""

import dataclasses
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import glassnet as gn
from glassnet.data import dataset, large, pieces, table_dataset, untrusted_files, user_data
from glassnet.data.array_schema import ArraySchema
from glassnet.data.columns import TableSchema
from glassnet.data.dataset import Dataset
from glassnet.data.pieces import LARGEST, Pieces, find_edges, spell_edges, write_pieces
from glassnet.data.registry import load_dataset
from glassnet.data.schema import Schema
from glassnet.errors import DataError, UsageError
from glassnet.training.config import RunConfig, check_data
from glassnet.training.options import DataConfig

plain = st.one_of(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), st.sampled_from([0.0, 1.0, 2.5, -3.0]))
numbers = arrays.arrays(np.float64, st.integers(1, 60), elements=plain)
counts = st.integers(0, 9)


def encode(x, edges):
    out = np.full((len(x), max(0, len(edges) - 1)), np.nan, np.float32)
    write_pieces(np.asarray(x, float), edges, out)
    return out


def refusal(error, call, *arguments, **options):
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Edges


def test_edges_are_quantiles_of_the_rows():
    assert find_edges(np.arange(1.0, 10.0)[::-1] ** 2, 4).tolist() == [1, 9, 25, 49, 81]
    # of 10 rows in 3 pieces the places 0, 3, 6 and 9
    assert find_edges(np.arange(10.0), 3).tolist() == [0, 3, 6, 9]


def test_a_number_that_holds_more_than_its_share_of_the_rows_is_an_edge_of_its_own():
    # 0 holds 50 of 90 rows, which is more than a quarter; the others, 1 to 40, share three pieces.
    x = np.concatenate([np.zeros(50), np.arange(1.0, 41.0)])
    assert find_edges(x, 4).tolist() == [0, 1, 14, 27, 40]
    # 7 holds 20 of 70 rows: less than a third, but more than half of a fourth's share once 0 is put aside.
    x = np.concatenate([np.zeros(40), np.full(20, 7.0), np.arange(1.0, 7.0), np.arange(8.0, 12.0)])
    assert find_edges(x, 3).tolist() == [0, 1, 7, 11]


def test_few_numbers_are_all_edges_and_two_or_fewer_have_none():
    x = np.array([5.0, 1.0, 1.0, 1.0, 9.0])
    assert find_edges(x, 2).tolist() == find_edges(x, 50).tolist() == [1, 5, 9]
    assert find_edges(x, 1).tolist() == [1, 9]
    for none in (find_edges(x, 0), find_edges(np.ones(9), 5), find_edges(np.array([0.0, 1.0, 1.0]), 5)):
        assert none.tolist() == []


def test_numbers_that_rounding_tells_apart_are_one_edge():
    x = np.array([0.1 + 0.2, 0.3, 1.0, 2.0, 1e-40, 0.0])
    assert find_edges(x, 9).tolist() == [0, 0.3, 1, 2]
    assert find_edges(np.array([0.3, 0.1 + 0.2, np.nextafter(0.3, 0)]), 9).tolist() == []


@given(numbers, counts)
def test_edges_rise_are_numbers_of_the_rows_and_no_more_than_asked_for(x, most):
    edges = find_edges(x, most)
    assert len(edges) <= most + 1
    assert len(edges) != 1
    assert (np.diff(edges) > 0).all()
    assert np.isin(edges, x).all()
    assert bool(len(edges)) == (most > 0 and len(np.unique(x)) > 2)
    if len(edges):
        assert edges[0] == x.min()
        assert edges[-1] == x.max()


@given(numbers, st.integers(2, 9))
def test_edges_do_not_depend_on_the_order_of_the_rows(x, most):
    assert find_edges(x[::-1], most).tolist() == find_edges(x, most).tolist()


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=60), st.integers(2, 8))
def test_no_piece_holds_far_more_than_its_share_but_for_single_numbers(values, most):
    x = np.array(values, float)
    edges = find_edges(x, most)
    for low, high in pairwise(edges):
        inside = int(((x > low) & (x < high)).sum())
        assert inside <= len(x) / most + 1


# The formula


def test_the_formula_by_hand():
    found = encode([-9, 0, 1, 2, 5, 11, 99], [0, 2, 12])
    assert found.tolist() == [
        [-0.5, -0.5],
        [-0.5, -0.5],
        [0.0, -0.5],
        [0.5, -0.5],
        [0.5, np.float32(-0.2)],
        [0.5, np.float32(0.4)],
        [0.5, 0.5],
    ]
    assert encode([1.0], []).shape == (1, 0)


@given(numbers, numbers, st.integers(1, 8))
def test_the_components_rise_with_the_number_and_sum_up_to_its_place(x, train, most):
    edges = find_edges(train, most)
    found = encode(np.sort(x), edges).astype(float)
    assert (np.abs(found) <= 0.5).all()
    assert (np.diff(found, axis=0) >= 0).all()
    assert (np.diff(found, axis=1) <= 0).all()  # a piece is begun where the one before is full
    if len(edges):
        place = np.interp(np.sort(x), edges, np.arange(len(edges)))
        np.testing.assert_allclose(found.sum(axis=1) + (len(edges) - 1) / 2, place, atol=1e-6)


@given(numbers, st.integers(1, 8), st.sampled_from([0.25, 2.0, 1024.0]))
def test_units_do_not_matter(train, most, factor):
    edges = find_edges(train, most)
    scaled = find_edges(factor * train, most)
    assert scaled.tolist() == (factor * edges).tolist()
    np.testing.assert_array_equal(encode(factor * train, scaled), encode(train, edges))


@pytest.mark.parametrize("size", [1e-300, 1e300, np.finfo(float).max])
def test_numbers_of_any_size_become_finite_ones(size):
    x = np.array([-1, -0.5, 0, 0.25, 1]) * size
    edges = find_edges(x, 4)
    assert np.isfinite(encode(x, edges)).all()
    if size > 1:  # all beyond the largest that is told apart
        assert edges.tolist() == [-LARGEST, 0, LARGEST]
    found = encode([-np.inf, np.inf, np.nan, -size, size], [-1.0, 0.0, 1.0])
    assert found[:2].tolist() == [[-0.5, -0.5], [0.5, 0.5]]
    assert np.isnan(found[2]).all()


def test_rows_are_encoded_some_at_a_time(monkeypatch):
    x, edges = np.random.default_rng(0).normal(size=1000), [-1.0, 0.1, 2.0]
    whole = encode(x, edges)
    monkeypatch.setattr(pieces, "BLOCK", 7)
    np.testing.assert_array_equal(encode(x, edges), whole)


@given(st.lists(st.floats(-1e30, 1e30), min_size=2, max_size=9, unique=True))
def test_spelt_edges_are_told_apart(edges):
    assert len(set(spell_edges(sorted(edges)))) == len(edges)


# Data sets


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    n = 120
    return pl.DataFrame(
        {
            "age": [None if row % 9 == 4 else float(row % 37) for row in range(n)],
            "when": [f"2020-{1 + row % 12:02}-{1 + row % 28:02}" for row in range(n)],
            "kind": rng.choice(["a", "b"], n),
            "flag": rng.integers(0, 2, n),
            "rest": rng.normal(size=n).round(3),
            "price": rng.normal(size=n),
        }
    )


def test_a_table_gets_pieces_beside_its_scaled_numbers(frame):
    plain, cut = (load_dataset(frame, target="price", dates="when", pieces=number) for number in (None, 4))
    assert (plain.pieces, cut.pieces, cut.origin["pieces"]) == (0, 4, 4)
    names = cut.schema.input.feature_names
    age, when = cut.schema.input.columns[:2]
    low, high = age.edges[:2]
    assert names[:2] == ("age", f"age from {low:g} to {high:g}")
    low, high = (str(np.datetime64(int(edge), "D")) for edge in when.edges[:2])
    assert names[6:8] == ("when", f"when from {low} to {high}")
    own = [place for place, name in enumerate(names) if " from " not in name]
    assert [names[place] for place in own] == list(plain.schema.input.feature_names)
    for before, after in zip(plain.encoded, cut.encoded, strict=True):
        np.testing.assert_array_equal(after.X[:, own], before.X)
        assert after.X.dtype == np.float32
    given = cut.train.X["age"]
    assert age.edges == tuple(find_edges(given.drop_nulls().to_numpy(), 4))
    filled = given.fill_null(age.fill).to_numpy()  # what is missing lies where the median does
    np.testing.assert_array_equal(cut.encoded.train.X[:, 1:5], encode(filled, age.edges))
    fixed = set(cut.schema.input.fixed_features)
    assert {*range(cut.n_inputs)} - fixed == {names.index(name) for name in ("age", "when", "flag", "rest")}
    assert cut.schema.input.columns[3].edges == ()  # of two numbers
    assert "and 4 pieces" in cut.schema.input.describe()["age"]


def test_validation_and_test_rows_have_no_part_in_the_edges(frame):
    data = load_dataset(frame, target="price", dates="when", pieces=4)
    other = dataclasses.replace(data, test=data.test._replace(X=data.test.X.with_columns(age=pl.lit(60.0))))
    assert other.cut(0).cut(4).schema == data.schema
    far = data.schema.encode_rows(data.test.X.with_columns(age=pl.lit(60.0)))
    assert (far[:, 1:5] == 0.5).all()


def test_tables_and_arrays_are_cut_into_the_same_bits(tmp_path):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=80).round(2), rng.integers(0, 3, 80), rng.integers(0, 2, 80)]).astype(
        float
    )
    y = np.arange(80) % 2
    np.savez(tmp_path / "rows.npz", X=X, y=y)
    pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": y}).write_csv(tmp_path / "rows.csv")
    for scaling in ("none", "standard", "robust"):
        of_table = load_dataset(tmp_path / "rows.csv", target="y", scaling=scaling, pieces=6)
        of_array = load_dataset(tmp_path / "rows.npz", scaling=scaling, pieces=6)
        assert of_array.n_inputs == of_table.n_inputs == 3 + 6 + 2
        assert of_array.schema.input.fixed_features == of_table.schema.input.fixed_features
        for ours, theirs in zip(of_table.encoded, of_array.encoded, strict=True):
            if scaling == "standard":  # the mean of a table is summed up otherwise
                np.testing.assert_allclose(ours.X, theirs.X, rtol=1e-5, atol=1e-6)
            else:
                assert ours.X.tobytes() == theirs.X.tobytes()


def test_bytes_are_cut_as_the_bytes_they_are():
    X = np.random.default_rng(0).integers(0, 256, (50, 2)).astype(np.uint8)
    data = Dataset.from_arrays(X, np.arange(50) % 2, validation=0).cut(3)
    column, rows = data.train.X[:, 0], data.encoded.train.X
    edges = find_edges(column.astype(float), 3)
    np.testing.assert_allclose(rows[:, 1:4], encode(column, edges), atol=1e-6)
    np.testing.assert_allclose(rows[:, 0], column / 255, rtol=1e-6)
    first, last = int(edges[0]), int(edges[1])
    assert data.schema.input.feature_names[1] == f"X[:, 0] from {first} to {last}"
    assert data.schema.input.row_size == 2


def test_scaling_and_cutting_go_in_any_order_and_can_be_undone(frame):
    X = np.random.default_rng(0).normal(size=(40, 3))
    for data in (Dataset.from_arrays(X, np.arange(40) % 2), load_dataset(frame, target="price")):
        both = data.scale("robust").cut(5)
        assert both.schema == data.cut(5).scale("robust").schema
        assert both.cut(0).scale(data.scaling).schema == data.schema
        assert both.schema != data.scale("robust").schema
        assert both.cut(5).schema == both.schema
        assert Schema.from_dict(both.schema.to_dict()) == both.schema


def test_a_table_larger_than_memory_is_cut_as_it_is_read(tmp_path, monkeypatch):
    a = np.random.default_rng(0).normal(size=200)
    pl.DataFrame({"a": a, "y": a > 0}).write_parquet(tmp_path / "rows.parquet")
    whole = load_dataset(tmp_path / "rows.parquet", target="y", pieces=5)
    for module in (table_dataset, large):
        monkeypatch.setattr(module, "LARGE", 50)
    data = load_dataset(tmp_path / "rows.parquet", target="y", pieces=5)
    assert (data.pieces, type(data.train.X), data.n_inputs) == (5, np.memmap, whole.n_inputs)
    assert data.schema.input.columns[0].edges[0] < -2
    assert set(np.unique(data.train.X[:, 1:])) >= {-0.5, 0.5}
    message = refusal(UsageError, data.cut, 0)
    assert message == "pieces: rows is larger than memory; leave it out"


def test_arrays_larger_than_memory_and_pictures_are_refused(tmp_path, monkeypatch):
    pictures = Dataset.from_arrays(np.zeros((20, 3, 3), np.uint8), np.arange(20) % 2)
    assert "pictures" in refusal(UsageError, pictures.cut, 3)
    assert pictures.cut(0).schema == pictures.schema
    for module in (user_data, large):
        monkeypatch.setattr(module, "LARGE", 50)
    np.save(tmp_path / "rows.npy", np.arange(120.0).reshape(60, 2))
    np.save(tmp_path / "labels.npy", np.arange(60) % 2)
    labels = str(tmp_path / "labels.npy")
    assert "larger than memory" in refusal(
        UsageError, load_dataset, tmp_path / "rows.npy", target=labels, pieces=3
    )


@pytest.mark.parametrize("wrong", [-1, 2.5, "3", True])
def test_what_is_no_number_of_pieces_is_refused(frame, wrong):
    assert refusal(UsageError, load_dataset, frame, target="price", pieces=wrong).startswith(
        "pieces: takes a whole"
    )


def test_a_column_without_finite_numbers_is_named():
    X = np.ones((30, 3)) * np.arange(30)[:, None]
    X[3, 1] = np.inf
    assert refusal(DataError, Pieces.measure, X, 4).startswith("X: column 1 holds NaN or infinity")


def test_pieces_that_memory_does_not_hold_are_refused_before_they_are_made(monkeypatch):
    data = Dataset.from_arrays(np.arange(300.0).reshape(100, 3), np.arange(100) % 2)
    monkeypatch.setattr(untrusted_files, "available_memory", lambda: 20_000)
    assert data.cut(5).n_inputs == 18
    message = refusal(DataError, data.cut, 40)
    assert "100 rows in pieces: needs" in message
    assert message.endswith("take fewer pieces")


@pytest.mark.parametrize("scaling", ["none", "standard", "robust"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_no_number_is_named_by_the_users_column(scaling, wrong):
    X = np.arange(300.0).reshape(100, 3)
    schema = Dataset.from_arrays(X, np.arange(100) % 2).scale(scaling).cut(6).schema
    message = refusal(DataError, schema.encode_rows, [[1.0, 2.0, 3.0], [1.0, 2.0, wrong]])
    assert message.startswith("X: row 2 (X[1]), column 3 holds ")


def test_rows_to_predict_that_memory_does_not_hold_in_pieces_are_refused(monkeypatch):
    numbers = np.arange(300.0).reshape(100, 3)
    of_array = Dataset.from_arrays(numbers, np.arange(100) % 2).cut(5).schema.input
    frame = pl.DataFrame(numbers, ["a", "b", "c"])
    of_table = TableSchema.learn(frame)[0].cut(frame, 5)
    monkeypatch.setattr(untrusted_files, "available_memory", lambda: 5_000)
    monkeypatch.setattr(pieces, "SMALL", 4_000)
    for schema, rows in ((of_array, numbers), (of_table, frame)):
        assert len(schema.encode(rows[:50])[0]) == 50
        message = refusal(DataError, schema.encode, rows)
        assert message.startswith(
            "100 rows of 18 numbers: needs 7.2 kB of memory, and 5.0 kB are free; give fewer rows"
        )


@pytest.mark.parametrize(
    "changes",
    [
        *({"edges": [edges, []]} for edges in ([1.0, 0.0], [1.0], [0.0, float("nan")], [0.0, 1e31])),
        *({"edges": edges} for edges in (3, [[0.0, 1.0]], [None, []])),
        *({"edges": [[], []], "most": most} for most in (0, 2.5, None)),
    ],
)
def test_other_values_of_an_array_are_refused(changes):
    X = np.arange(20.0).reshape(10, 2)
    good = ArraySchema.learn(X)[0].cut(X, 3).to_dict()
    assert ArraySchema.from_dict(good).pieces.edges[0] == (0, 6, 12, 18)
    with pytest.raises(DataError):
        ArraySchema.from_dict(good | {"pieces": good["pieces"] | changes})


@pytest.mark.parametrize("edges", [[1.0], [2.0, 1.0], [0.0, 1e31], [0.0, 1.0, 2.0, 3.0, 4.0]])
def test_other_values_of_a_table_are_refused(edges):
    frame = pl.DataFrame({"a": np.arange(20.0)})
    good = TableSchema.learn(frame)[0].cut(frame, 3).to_dict()
    assert TableSchema.from_dict(good).columns[0].edges == (0, 6, 13, 19)
    good["columns"][0]["edges"] = edges
    with pytest.raises(DataError):
        TableSchema.from_dict(good)


def test_a_configuration_and_its_data_must_agree(frame):
    data = load_dataset(frame, target="price", pieces=4)
    config = RunConfig(data=DataConfig(dataset="table", pieces=8))
    assert "pieces = 8 and the data have 4" in refusal(DataError, check_data, config, data)
    check_data(RunConfig(data=DataConfig(dataset="table", pieces=4)), data)


# Through a whole model


def test_a_model_file_holds_the_pieces_and_importance_is_by_column(frame, tmp_path):
    data = load_dataset(frame, target="price", dates="when", pieces=4)
    run = gn.fit(gn.Network([data.n_inputs, 4, 1], loss="mse"), data, epochs=1, progress=False)
    assert run.config.data.pieces == 4
    gn.save_model(run.model, tmp_path / "model.safetensors")
    again = gn.load_model(tmp_path / "model.safetensors")
    assert again.schema == run.model.schema
    rows = data.test.X.drop_nulls()
    np.testing.assert_array_equal(again.predict(rows), run.model.predict(rows))
    found = gn.permutation_importance(again, rows, np.arange(len(rows)), repeats=1)
    assert found.names == ("age", "when", "kind", "flag", "rest")
    of_array = Dataset.from_arrays(np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2).cut(3)
    run = gn.fit(gn.Network([of_array.n_inputs, 2]), of_array, epochs=1, progress=False)
    found = gn.permutation_importance(run.model, of_array, repeats=1)
    assert (found.names, of_array.n_inputs) == (("x1", "x2"), 8)


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_a_row_is_encoded_alone_as_among_others(seed):
    rng = np.random.default_rng(seed)
    frame = pl.DataFrame({"a": rng.normal(size=30), "b": rng.integers(0, 5, 30)})
    schema = TableSchema.learn(frame)[0].cut(frame, 4)
    whole, _ = schema.encode(frame)
    for row in range(3):
        np.testing.assert_array_equal(schema.encode(frame[row])[0][0], whole[row])


def test_the_checks_of_memory_are_those_of_all_readers():
    assert dataset.check_room is untrusted_files.check_room
