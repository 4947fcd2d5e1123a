"""Rows as people have them, of other types, names, encodings and ranges than in training."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

import glassnet as gn
from glassnet.data.array_schema import ArraySchema
from glassnet.data.arrays import Asked, as_dataset
from glassnet.data.read_options import ReadOptions
from glassnet.data.schema import DataWarning, Schema
from glassnet.data.table import read_table
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import DataError

ROWS = {"weight": [0.0, 1.0, 2.0, 5.0], "age": [3.0, 1.0, 4.0, 1.0]}


@pytest.fixture(scope="module")
def model():
    """A model of a table whose one class has much larger weights than the other."""
    weights = np.linspace(0, 10, 60)
    table = pd.DataFrame({"weight": weights, "age": np.arange(60) % 7})
    network = gn.Network([2, 8, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gn.fit(network, table, np.where(weights > 4, "heavy", "light"), epochs=3, progress=False).model


def same_answers(model, rows, said=()):
    """Whether rows get the answers of `ROWS` to the bit, and nothing but what is `said` is warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        found = model.predict_proba(rows)
    assert [str(one.message) for one in caught] == list(said)
    return np.array_equal(found, model.predict_proba(pl.DataFrame(ROWS)))


LEFT_OUT = ("left out, as training did not have them: other",)

OTHERS = {
    "lists": ([[1], [2, 3], [], [4]], LEFT_OUT),
    "infinity": ([np.inf, 1, 2, 3], LEFT_OUT),
    "bytes": ([b"a", b"b", None, b"c"], LEFT_OUT),
    "several types": ([1, "x", 2.5, None], ()),
    "objects": ([object(), 1, "x", None], ()),
    "complex": ([1j, 2, 3, 4], ()),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_column_that_is_not_used_holds_anything(model, other):
    values, said = OTHERS[other]
    assert same_answers(model, pd.DataFrame({**ROWS, "other": pd.Series(values)}), said)


def test_a_column_that_is_used_is_judged_by_the_schema(model):
    with pytest.raises(DataError, match="column 'age': row 1 is infinite"):
        model.predict(pd.DataFrame({**ROWS, "age": [np.inf, 1, 2, 3]}))
    with pytest.raises(DataError, match=r"column 'age': expected a number, as in training, got List"):
        model.predict(pd.DataFrame({**ROWS, "age": [[1], [2], [3], [4]]}))
    with pytest.raises(DataError, match="column 'age' holds values of several types"):
        model.predict(pd.DataFrame({**ROWS, "age": [1, "x", 2.5, 3]}))


def test_columns_as_lists_and_lazy_frames_are_tables(model):
    assert same_answers(model, ROWS)
    assert same_answers(model, {name: np.array(values, np.float32) for name, values in ROWS.items()})
    assert same_answers(model, pl.LazyFrame(ROWS))
    with pytest.raises(DataError, match="not equally long"):
        model.predict({"weight": [1.0, 2.0], "age": [1.0]})


def test_blanks_around_names_do_not_matter_to_any_kind_of_table(model):
    padded = {" weight": ROWS["weight"], "age ": ROWS["age"]}
    records = [dict(zip(padded, row, strict=True)) for row in zip(*padded.values(), strict=True)]
    for rows in (padded, records, pl.DataFrame(padded), pl.LazyFrame(padded), pd.DataFrame(padded)):
        assert same_answers(model, rows)


@pytest.mark.parametrize("missing", [np.nan, np.float32("nan"), pd.NA, pd.NaT], ids=str)
def test_a_missing_value_in_records_is_that_of_an_empty_cell(missing):
    table = pl.DataFrame(
        {"kind": ["u", "v", "v", ""] * 9, "size": [1.0, 2.0, None, 4.0] * 9, "y": ["a", "b", "b", "c"] * 9}
    )
    data = gn.load_dataset(table, target="y")
    records = [{"kind": "u", "size": 1.0}, {"kind": missing, "size": missing}]
    rows, remarks = data.schema.input.encode(data.schema.take_rows(records))
    empty, said = data.schema.input.encode(data.schema.take_rows([records[0], {"kind": None, "size": None}]))
    assert rows.tolist() == empty.tolist()
    assert remarks == said


def test_a_single_row_of_pandas_is_refused_with_the_remedy(model):
    row = pd.DataFrame(ROWS).iloc[0]
    with pytest.raises(DataError, match=r"give \[row.to_dict\(\)\]"):
        model.predict(row)
    assert model.predict([row.to_dict()]).shape == (1,)


def test_a_table_with_a_column_of_several_types_says_which():
    with pytest.raises(DataError, match="column 'other' holds values of several types"):
        read_table(pd.DataFrame({"a": [1, 2], "other": [1, "x"]}))


WORDS = "Straße;Größe\nÄcker;1,5\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encoding_of_training_gives_way_to_what_a_file_is(tmp_path, encoding):
    path = tmp_path / "rows.csv"
    path.write_bytes(WORDS.encode(encoding))
    read = read_table(path, ReadOptions(encoding="cp1252"), as_text=True)
    assert read.frame.rows() == [("Äcker", "1,5")]
    assert read.frame.columns == ["Straße", "Größe"]
    kind = "UTF-16" if encoding == "utf-16" else "UTF-8"
    assert read.remarks == (f"read as {kind}, which it is by its first bytes, and not as cp1252",)


def test_the_encoding_of_training_holds_where_nothing_says_otherwise(tmp_path):
    path = tmp_path / "rows.csv"
    for encoding, text in (("cp1252", WORDS), ("cp1252", "a;b\nx;1\n"), ("gbk", "联通;b\nx;1\n")):
        path.write_bytes(text.encode(encoding))
        read = read_table(path, ReadOptions(encoding=encoding), as_text=True)
        assert read.remarks == ()
        assert [*read.frame.columns] == text.split("\n")[0].split(";")


def test_a_named_encoding_is_obeyed_in_training_unless_a_mark_says_otherwise(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes("é;b\nx;1\ny;2\n".encode())
    assert read_table(path, ReadOptions(encoding="latin-1")).frame.columns == ["Ã©", "b"]
    path.write_bytes("é;b\nx;1\ny;2\n".encode("utf-8-sig"))
    assert read_table(path, ReadOptions(encoding="latin-1")).frame.columns == ["é", "b"]


def learn_bytes(largest):
    return ArraySchema.learn(np.array([[[0, largest], [1, 2]]] * 3, np.uint8))[0]


@pytest.mark.parametrize(
    ("largest", "rows", "said"),
    [
        (209, np.array([[[0, 1], [1, 0]]], np.uint8), "bytes up to 1 only, where training had 0 to 209"),
        (209, np.array([[[0, 16], [1, 0]]]), "multiply them by 15.9375"),
        (13, np.array([[[0, 209], [1, 0]]], np.uint8), "bytes up to 209, where training had 0 to 13"),
        (13, np.array([[[0, 1.0], [0.5, 0]]]), "bytes up to 255, where training had 0 to 13"),
    ],
)
def test_bytes_of_another_range_are_remarked_on_and_left_alone(largest, rows, said):
    encoded, remarks = learn_bytes(largest).encode(rows)
    assert said in remarks[-1]
    assert np.array_equal(encoded, rows)


@pytest.mark.parametrize("rows", [[[0, 209], [1, 0]], [[0, 17], [1, 0]], [[0, 0], [0, 0]]])
def test_bytes_of_the_range_of_training_are_not_remarked_on(rows):
    assert learn_bytes(209).encode(np.array([rows], np.uint8))[1] == ()


def test_bytes_for_pictures_of_16_bits_are_remarked_on():
    deep, _ = ArraySchema.learn(np.array([[[0, 3344], [1, 2]]], np.uint16))
    assert "numbers up to 209 only" in deep.encode(np.array([[[0, 209], [1, 2]]], np.uint8))[1][0]
    assert deep.encode(np.array([[[0, 209], [1, 2]]], np.uint16))[1] == ()


def test_an_array_of_objects_is_refused_with_the_remedy():
    schema = Schema.learn(np.array([[1.0, 2.0], [3.0, 4.0]] * 2), np.array(["a", "b"] * 2))
    with pytest.raises(DataError, match=r"X.astype\(float\)"):
        schema.encode_rows(np.array([[1, 2.5]], object))


def test_two_whole_numbers_are_a_binary_task_whatever_they_are():
    X = np.arange(40.0).reshape(20, 2)
    for low, high in ((0, 1), (-1, 1), (7, 9)):
        y = np.where(np.arange(20) % 2, high, low)
        data = as_dataset(X, y, asked=Asked(2, "softmax"))
        assert (data.task, data.schema.target.classes) == ("binary", (low, high))


def test_targets_too_large_for_the_network_are_named_as_they_are():
    X = np.arange(40.0).reshape(20, 2)
    network = gn.Network([2, 1], loss="half_squared_error")
    with pytest.raises(DataError, match=r"holds 1e\+300; float32 goes to 3e\+38"):
        gn.fit(
            network,
            X,
            np.where(np.arange(20) == 0, 1e300, 1e299),
            epochs=1,
            progress=False,
            validation_data=(X, X[:, 0]),
        )


LABELS = pd.DataFrame({"red": [True, False, True, False], "blue": [True, True, False, False]})


@pytest.mark.parametrize(
    "table", [LABELS, LABELS.astype(int), pl.from_pandas(LABELS)], ids=["bool", "int", "polars"]
)
def test_columns_of_targets_are_known_by_name(table):
    X = np.arange(8.0).reshape(4, 2)
    network = gn.Network([2, 2], loss="binary_cross_entropy")
    run = gn.fit(network, X, table, epochs=1, progress=False, validation_data=(X, table[["blue", "red"]]))
    target = run.model.schema.target
    assert (target.task, target.names) == ("multi-label", ("red", "blue"))
    for same in (table, table[["blue", "red"]], table.to_numpy()):
        assert np.array_equal(target.encode(same), LABELS.to_numpy(int))
    assert run.model.evaluate(X, table).loss == run.model.evaluate(X, table[["blue", "red"]]).loss
    assert run.history["validation_loss"][-1] == pytest.approx(run.model.evaluate(X, table).loss)
    with pytest.raises(DataError, match="the columns red, green, where training had red, blue"):
        target.encode(LABELS.rename(columns={"blue": "green"}))


def test_columns_of_one_hot_targets_are_the_classes():
    names = ["no", "yes", "perhaps"]
    one_hot = pd.DataFrame(np.eye(3, dtype=int)[[2, 0, 1, 0]], columns=names)
    data = as_dataset(np.arange(8.0).reshape(4, 2), one_hot, validation_data=None)
    target = data.schema.target
    assert target.classes == tuple(names)
    assert target.encode(one_hot[["perhaps", "no", "yes"]]).tolist() == [2, 0, 1, 0]
    assert target.encode(["perhaps", "yes"]).tolist() == [2, 1]


def test_columns_without_names_are_taken_as_they_stand():
    target, _ = TargetSchema.learn(np.eye(3)[[0, 1, 2, 0]])
    assert target.encode(pd.DataFrame(np.eye(3)[[2, 1]])).tolist() == [2, 1]


@pytest.mark.parametrize("kind", ["csv", "parquet", "pandas"])
def test_letters_composed_or_decomposed_are_the_same_name(tmp_path, kind):
    composed, decomposed = "gr\u00f6\u00dfe", "gro\u0308\u00dfe"
    table = pl.DataFrame(
        {decomposed: [k % 5 for k in range(40)], "b": [k % 3 for k in range(40)], "y": ["no", "yes"] * 20}
    )
    other = table.rename({decomposed: composed})
    source = {"csv": tmp_path / "t.csv", "parquet": tmp_path / "t.parquet", "pandas": table.to_pandas()}[kind]
    if kind != "pandas":
        (table.write_csv if kind == "csv" else table.write_parquet)(source)
    data = gn.load_dataset(source, target="y", categorical=[decomposed])
    assert [column.name for column in data.schema.input.columns] == [composed, "b"]
    for rows in (table, other, other.to_pandas(), table.to_pandas(), table.rows(named=True)):
        encoded = data.schema.encode_rows(rows)
        assert np.array_equal(encoded, data.schema.encode_rows(other))
    both = pd.DataFrame({composed: [1, 2], decomposed: [1, 2]})
    with pytest.raises(DataError, match="are both called"):
        read_table(both)
