"""A model answers in its user's words, whatever its rows come in, and wherever it is loaded."""

import gzip
import struct
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset
from glassnet.errors import DataError, FileError, UsageError
from glassnet.nn.activations import ACTIVATIONS
from glassnet.nn.network import Network
from glassnet.training.fit import fit
from glassnet.training.metrics import evaluate
from glassnet.training.model import Model
from glassnet.training.model_file import load_model, save_model

pytestmark = [
    pytest.mark.filterwarnings("ignore::glassnet.data.schema.DataWarning"),
    pytest.mark.usefixtures("decode_here"),
]

N = 96
RNG = np.random.default_rng(5)
NUMBERS = RNG.normal(size=(N, 5)).astype(np.float32).astype(np.float64)  # the same in both types
SIGN = NUMBERS[:, 0] + NUMBERS[:, 1] > 0
WORDS = np.where(SIGN, "yes", "no")
TABLE = pl.DataFrame(
    {
        "age": RNG.integers(18, 80, N),
        "city": RNG.choice(["Rome", "Bonn", "Oslo"], N),
        "income": NUMBERS[:, 2],
        "left": [None if row % 11 == 0 else float(row) for row in range(N)],
        "member": RNG.random(N) > 0.5,
        "since": [f"20{10 + row % 9}-0{1 + row % 8}-11" for row in range(N)],
    }
)
BETTER = (TABLE["age"].to_numpy() > 45) ^ SIGN
ANSWER = np.where(BETTER, "good", "bad")
BYTES = RNG.integers(0, 255, (N, 6), np.uint8)


def learn(data, units=None, **options):
    """Return the model of a few epochs."""
    loss = "half_squared_error" if data.task == "regression" else "cross_entropy"
    outputs = units or data.n_classes or data.schema.target.width
    network = Network([data.n_inputs, 7, outputs], activation="tanh", loss=loss)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the health of three epochs
        return fit(network, data, epochs=3, batch_size=16, progress=False, **options).model


def write_pictures(folder, names=("dark", "light"), suffix="png"):
    rng = np.random.default_rng(1)
    for row in range(24):
        name = names[row % 2 == 0]
        (folder / name).mkdir(exist_ok=True, parents=True)
        pixels = rng.integers(0, 120, (6, 6)) + (0 if row % 2 else 120)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{row}.{suffix}")
    return folder


def write_table(table, file):
    """Write a table in the format that the file's name tells."""
    match file.suffix:
        case ".gz":
            file.write_bytes(gzip.compress(table.write_csv().encode()))
        case ".csv":
            table.write_csv(file)
        case ".parquet":
            table.write_parquet(file)
        case ".xlsx":
            table.write_excel(file)
    return file


def write_idx(array, file):
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    file.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes())
    return file


TABLE_FILES = {"csv": "table.csv", "gz": "table.csv.gz", "parquet": "table.parquet", "xlsx": "table.xlsx"}


def make_source(name, folder, names=("no", "yes")):
    """Return the data set of a source, whose two classes have these names, and rows to ask of it."""
    words, numbers = np.where(SIGN, names[1], names[0]), NUMBERS
    written = TABLE.with_columns(answer=np.where(BETTER, names[1], names[0]))
    match name:
        case "bytes":
            return Dataset.from_arrays(BYTES, words), BYTES
        case "whole numbers":
            X = BYTES.astype(int) - 90
            return Dataset.from_arrays(X, words), X
        case "floats":
            return Dataset.from_arrays(numbers, words), numbers
        case "list":
            return Dataset.from_arrays(numbers.tolist(), words.tolist()), numbers.tolist()
        case "sparse":
            rows = scipy.sparse.csr_matrix(np.where(np.abs(numbers) > 0.5, numbers, 0.0))
            return Dataset.from_arrays(rows, words), rows
        case "standardised":
            return Dataset.from_arrays(100 * numbers + 7, words).scale("standard"), 100 * numbers + 7
        case "numbers to regress":
            return Dataset.from_arrays(numbers, 5 + numbers[:, 0] * 0.37), numbers
        case "pandas":
            return load_dataset(written.to_pandas(), target="answer"), TABLE.to_pandas()
        case "polars":
            return load_dataset(written, target="answer"), TABLE
        case "csv" | "gz" | "parquet" | "xlsx":
            file = write_table(written, folder / TABLE_FILES[name])
            return load_dataset(file, target="answer"), file
        case "npz":
            np.savez(folder / "rows.npz", X=numbers, y=words)
            np.save(folder / "alone.npy", numbers)
            return load_dataset(folder / "rows.npz"), folder / "alone.npy"
        case "npy":
            np.save(folder / "rows.npy", numbers)
            np.save(folder / "answers.npy", words)
            return load_dataset(folder / "rows.npy", target=str(folder / "answers.npy")), folder / "rows.npy"
        case "idx":
            file = write_idx(BYTES.reshape(N, 2, 3), folder / "my-images-idx3-ubyte")
            write_idx(SIGN * (len(names[0]) + 1) + len(names[1]), folder / "my-labels-idx1-ubyte")
            return load_dataset(file), file
        case "pictures":
            return load_dataset(write_pictures(folder / "all", names)), folder / "all"
    data = load_dataset(name)
    return data, data.test.X


#: Sources of two classes, which can have any names.
TWO_CLASSES = (
    *("bytes", "whole numbers", "floats", "list", "sparse", "standardised", "pandas", "polars"),
    *("csv", "gz", "parquet", "xlsx", "npz", "npy", "idx", "pictures"),
)
SOURCES = (*TWO_CLASSES, "numbers to regress", "digits", "iris", "diabetes", "breast-cancer")


@pytest.fixture(params=SOURCES, scope="module")
def trained(request, tmp_path_factory):
    """A model in the process that trained it, the same from its file, its data, and rows to ask."""
    folder = tmp_path_factory.mktemp("source")
    data, rows = make_source(request.param, folder)
    model = learn(data)
    save_model(model, folder / "model")
    return model, load_model(folder / "model"), data, rows


def test_a_saved_model_gives_the_same_answers_bit_for_bit(trained):
    model, loaded, data, rows = trained
    assert loaded.schema == model.schema == data.schema
    np.testing.assert_array_equal(loaded.predict(rows), model.predict(rows))
    assert loaded.predict(rows).dtype == model.predict(rows).dtype
    for split in data.splits.values():
        np.testing.assert_array_equal(loaded.predict(split), model.predict(split))
        np.testing.assert_array_equal(loaded.outputs(split), model.network.outputs(split.encode().X))
    assert loaded.evaluate(data).measures == model.evaluate(data).measures == evaluate(model, data).measures
    if data.class_names:
        np.testing.assert_array_equal(loaded.predict_proba(data), model.predict_proba(data.test))
        assert {*model.predict(rows).tolist()} <= {*model.classes}


def test_a_row_alone_gives_the_same_answer_as_among_others(trained):
    model, _, data, _ = trained
    rows = data.test.X
    together = model.outputs(data.test)
    alone = np.concatenate([model.outputs(rows[row : row + 1]) for row in range(min(len(rows), 60))])
    np.testing.assert_array_equal(alone, together[: len(alone)])
    order = RNG.permutation(len(rows))
    np.testing.assert_array_equal(model.outputs(rows[order]), together[order])


def test_any_split_of_the_rows_gives_the_same_bits():
    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(st.integers(1, 40), min_size=1, max_size=4),
        st.integers(1, 60),
        st.sampled_from(sorted(ACTIVATIONS)),
        st.sampled_from(["float32", "float64"]),
        st.lists(st.integers(1, 1100), max_size=6),
        st.booleans(),
    )
    def check(hidden, width, activation, dtype, cuts, normalise):
        network = Network([width, *hidden, 3], activation=activation, dtype=dtype, batch_norm=normalise)
        rows = np.random.default_rng(width).normal(size=(1100, width)).astype(np.float32)
        places = sorted({0, *cuts, len(rows)})
        with np.errstate(all="ignore"):  # a power in each of many layers has no end
            parts = [network.outputs(rows[a:b]) for a, b in pairwise(places)]
            np.testing.assert_array_equal(np.concatenate(parts), network.outputs(rows))

    check()


@pytest.fixture(scope="module")
def of_table():
    return learn(load_dataset(TABLE.with_columns(good=ANSWER), target="good"))


def test_tables_of_every_kind_in_any_order_with_anything_else_in_them(of_table, tmp_path):
    expected = of_table.predict_proba(TABLE)
    names = TABLE.columns

    @settings(max_examples=25, deadline=None)
    @given(st.permutations(names), st.booleans())
    def check(order, more):
        table = TABLE.select(order)
        if more:
            table = table.with_columns(unused=pl.Series([{"any": row} for row in range(N)]), also=pl.lit(None))
        np.testing.assert_array_equal(of_table.predict_proba(table), expected)

    check()
    np.testing.assert_array_equal(of_table.predict_proba(TABLE.to_pandas()), expected)
    np.testing.assert_array_equal(of_table.predict_proba(TABLE.to_arrow()), expected)
    TABLE.write_csv(tmp_path / "rows.csv")
    np.testing.assert_array_equal(of_table.predict_proba(tmp_path / "rows.csv"), expected)
    np.testing.assert_array_equal(of_table.predict_proba(str(tmp_path / "rows.csv")), expected)
    as_float = TABLE.with_columns(pl.col("age").cast(pl.Float64), pl.col("left").cast(pl.Float32))
    np.testing.assert_array_equal(of_table.predict_proba(as_float), expected)
    text = TABLE.with_columns(pl.all().cast(pl.String))
    np.testing.assert_array_equal(of_table.predict_proba(text), expected)


@pytest.mark.parametrize("name", TABLE_FILES.values())
def test_a_table_in_a_file_in_another_order_with_more_in_it_and_in_parts(of_table, name, tmp_path):
    table = TABLE.select(reversed(TABLE.columns)).with_columns(more=pl.Series([f"x{row}" for row in range(N)]))
    parts = [table[:1], table[1:40], table[40:]]
    found = [
        of_table.predict_proba(write_table(part, tmp_path / f"{number}{name}"))
        for number, part in enumerate(parts)
    ]
    np.testing.assert_array_equal(np.concatenate(found), of_table.predict_proba(TABLE))


def test_pixels_get_the_same_answer_from_files_of_every_kind(tmp_path):
    model = learn(load_dataset(write_pictures(tmp_path / "all")))
    expected = model.outputs(tmp_path / "all")
    for suffix in ("bmp", "gif", "tiff"):
        np.testing.assert_array_equal(model.outputs(write_pictures(tmp_path / suffix, suffix=suffix)), expected)
    alone = [model.outputs(file) for file in sorted((tmp_path / "all").rglob("*.png"))]
    np.testing.assert_array_equal(np.concatenate(alone), expected)
    rows = np.concatenate(
        [np.asarray(Image.open(file))[None] for file in sorted((tmp_path / "all").rglob("*.png"))]
    )
    np.save(tmp_path / "rows.npy", rows[..., None].astype(np.int32))
    np.savez(tmp_path / "rows.npz", X=rows, y=np.arange(24), more=rows)
    for file in (tmp_path / "rows.npy", tmp_path / "rows.npz", write_idx(rows, tmp_path / "rows.idx3-ubyte")):
        np.testing.assert_array_equal(model.outputs(file), expected)


@pytest.mark.parametrize("name", TWO_CLASSES)
def test_classes_of_another_name_are_answers_of_that_name(name, tmp_path):
    places = []
    for names in (("no", "yes"), ("maybe", "never again")):
        (tmp_path / names[0]).mkdir()
        data, rows = make_source(name, tmp_path / names[0], names)
        model = learn(data)
        assert name == "idx" or model.classes == names
        places.append([model.classes.index(answer) for answer in model.predict(rows).tolist()])
    assert places[0] == places[1]
    assert {*places[0]} == {0, 1}


def test_an_array_where_a_table_is_needed_is_refused(of_table):
    with pytest.raises(DataError, match="age, city, income"):
        of_table.predict(NUMBERS)


@pytest.mark.parametrize("kind", [np.int16, np.int64, np.float32, np.float64, ">f8", list, np.asfortranarray])
def test_the_type_at_hand_changes_no_answer(kind):
    X = RNG.integers(0, 200, (N, 5))
    for given_as in (np.float64, np.int64):
        model = learn(Dataset.from_arrays(X.astype(given_as), WORDS))
        expected = model.outputs(X.astype(given_as))
        same = (
            X.tolist()
            if kind is list
            else kind(X)
            if callable(kind) and kind is np.asfortranarray
            else X.astype(kind)
        )
        np.testing.assert_array_equal(model.outputs(same), expected)
        np.testing.assert_array_equal(model.outputs(X.astype(np.uint8)), expected)
    pixels = learn(Dataset.from_arrays(X.astype(np.uint8), WORDS))
    np.testing.assert_array_equal(pixels.outputs(X), pixels.outputs(X.astype(np.uint8)))
    np.testing.assert_array_equal(pixels.outputs(X.tolist()), pixels.outputs(X.astype(np.uint8)))


def test_answers_follow_labels_that_are_permuted_or_renamed():
    labels = RNG.integers(0, 3, N)
    answers = learn(Dataset.from_arrays(NUMBERS, labels)).predict(NUMBERS)
    assert len({*answers.tolist()}) > 1
    for names in (["a", "b", "c"], [10, 20, 2**60], [-1.0, 0.0, 7.0], [5, 17, 400]):
        named = np.array(names, object) if isinstance(names[0], str) else np.array(names)
        model = learn(Dataset.from_arrays(NUMBERS, named[labels]))
        assert model.classes == tuple(names)
        np.testing.assert_array_equal(model.predict(NUMBERS), named[answers])
        assert model.predict(NUMBERS).tolist() == [names[answer] for answer in answers]
    told = (NUMBERS[:, 0] > 0) * 1 + (NUMBERS[:, 1] > 0)
    words = np.array(["c", "a", "b"], object)[told]  # in another order than the labels
    run = fit(Network([5, 16, 3]), NUMBERS, words, epochs=80, learning_rate=0.02, progress=False)
    assert run.model.classes == ("a", "b", "c")
    assert np.mean(run.model.predict(NUMBERS) == words) == run.model.score(NUMBERS, words) > 0.85


@pytest.mark.parametrize(
    "y",
    [WORDS, SIGN, SIGN * 1.0, SIGN[:, None] * 1, np.eye(2)[SIGN * 1], [2**60 + one for one in SIGN.tolist()]],
    ids=["words", "bools", "floats", "column", "one-hot", "large"],
)
def test_scores_take_the_users_own_labels(y):
    run = fit(Network([5, 16, 2]), NUMBERS, y, epochs=80, learning_rate=0.02, progress=False)
    assert run.model.score(NUMBERS, y) > 0.9
    assert run.model.score((NUMBERS, y)) == run.model.score(NUMBERS, y)
    right = np.asarray(run.model.predict(NUMBERS)).tolist()
    truth = np.asarray(y)
    truth = truth.argmax(axis=1) if truth.ndim == 2 and truth.shape[1] == 2 else truth.reshape(-1)
    assert np.mean([a == b for a, b in zip(right, truth.tolist(), strict=True)]) == run.model.score(NUMBERS, y)


def test_sparse_rows_are_asked_in_blocks_and_learned_from(monkeypatch):
    rows = np.where(np.abs(NUMBERS) > 0.7, NUMBERS, 0)
    rows = np.tile(rows, (25, 1))  # more than two blocks
    model = learn(Dataset.from_arrays(rows, np.tile(WORDS, 25)))
    expected = model.outputs(rows)
    sizes = []
    original = scipy.sparse.csr_matrix.toarray
    monkeypatch.setattr(
        scipy.sparse.csr_matrix,
        "toarray",
        lambda self, *rest: sizes.append(self.shape[0]) or original(self, *rest),
    )
    np.testing.assert_array_equal(model.outputs(scipy.sparse.csr_matrix(rows)), expected)
    assert max(sizes) <= 1024
    assert sum(sizes) == len(rows)
    np.testing.assert_array_equal(model.predict(scipy.sparse.coo_matrix(rows)), model.predict(rows))
    np.testing.assert_array_equal(model.predict_proba(scipy.sparse.csc_array(rows)), model.predict_proba(rows))
    dense, sparse = (
        fit(Network([5, 7, 2]), X, np.tile(WORDS, 25), epochs=1, progress=False)
        for X in (rows, scipy.sparse.csr_matrix(rows))
    )
    assert sparse.network.fingerprint() == dense.network.fingerprint()
    assert any("2,400 x 5 sparse numbers are made dense" in remark for remark in sparse.memory.data.remarks)
    huge = scipy.sparse.csr_matrix((2_000_000, 1_000_000))
    with pytest.raises(DataError, match="16,000 GB when dense"):
        fit(Network([1_000_000, 1, 2]), huge, np.arange(2_000_000) % 2, progress=False)


def test_numbers_are_scored_by_the_share_of_their_spread_that_is_explained():
    y = 3 * NUMBERS[:, 0]
    model = learn(Dataset.from_arrays(NUMBERS, y, task="regression"))
    left = ((model.predict(NUMBERS) - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert model.score(NUMBERS, y) == pytest.approx(1 - left, rel=1e-6)


def test_a_file_with_its_answers_is_scored(of_table, tmp_path):
    labelled = TABLE.with_columns(good=ANSWER)
    labelled.write_csv(tmp_path / "rows.csv")
    TABLE.write_csv(tmp_path / "bare.csv")
    expected = of_table.score(TABLE, ANSWER)
    assert of_table.score(tmp_path / "rows.csv") == of_table.score(str(tmp_path / "bare.csv"), ANSWER) == expected
    assert (
        of_table.evaluate(TABLE, ANSWER, metrics=["f1"])["f1"]
        == evaluate(of_table, TABLE, ANSWER, metrics=["f1"])["f1"]
    )
    with pytest.raises(FileError, match="holds no targets"):
        of_table.score(tmp_path / "bare.csv")
    with pytest.raises(DataError, match="3 labels for 96 rows"):
        of_table.score(TABLE, ANSWER[:3])


def test_numbers_come_in_the_users_units():
    y = 1000 + 50 * NUMBERS[:, 0]
    table = pd.DataFrame(NUMBERS, columns=[*"abcde"]).assign(price=y)
    data = load_dataset(table, target="price")
    run = fit(Network([5, 16, 1], loss="mse"), data, epochs=200, learning_rate=0.02, progress=False)
    assert run.model.score(data) > 0.9
    assert np.abs(run.model.predict(table) - y).mean() < 15
    assert np.abs(run.network.predict(data.encoded.test.X)).max() < 5  # in standard deviations
    with pytest.raises(UsageError, match="gives no probabilities"):
        run.model.predict_proba(table)


def test_a_model_of_a_bare_network_takes_its_numbers(tmp_path):
    network = Network([5, 3, 2])
    save_model(network, tmp_path / "bare")
    model = load_model(tmp_path / "bare")
    assert model.schema is None
    assert model.classes == ()
    np.testing.assert_array_equal(model.predict(NUMBERS), network.predict(NUMBERS))
    np.save(tmp_path / "rows.npy", NUMBERS)
    np.testing.assert_array_equal(model.predict(tmp_path / "rows.npy"), network.predict(NUMBERS))
    assert repr(model) == "Model([5, 3, 2])"


def test_rows_that_were_encoded_for_another_model_are_refused():
    data = Dataset.from_arrays(NUMBERS, WORDS).scale("standard")
    other = Dataset.from_arrays(2 * NUMBERS, WORDS).scale("standard")
    model = learn(data)
    np.testing.assert_array_equal(model.predict(data.encoded.test), model.predict(data.test))
    with pytest.raises(DataError, match="encoded for another model"):
        model.predict(other.encoded.test)


def test_a_model_says_what_it_is():
    model = learn(Dataset.from_arrays(NUMBERS, np.arange(N) % 7), units=7)
    assert repr(model) == "Model([5, 7, 7], multi-class, classes: 0, 1, 2, 3, 4, ...)"
    assert isinstance(model, Model)
