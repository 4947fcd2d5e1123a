"""Tables as data sets: the rows as they are, and a schema that the training rows alone decide."""

import gzip

import numpy as np
import pandas as pd
import polars as pl
import pytest

from glassnet.data.arrays import as_dataset
from glassnet.data.read_options import ReadOptions, read_options
from glassnet.data.registry import load_dataset
from glassnet.data.splits import Draw, draw_stratified
from glassnet.data.table import TableRead
from glassnet.data.table_dataset import from_frame, make_frame_dataset, make_table_dataset, read_table_dataset
from glassnet.data.table_target import check_target, take_target
from glassnet.errors import DataError, FileError, UsageError

DRAW = Draw("houses", 8, 0)


def table(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "row": np.arange(rows, dtype=float),
            "size": rng.normal(50, 9, rows).round(6),
            "colour": rng.choice(["red", "green", "blue"], rows),
            "kind": [("a", "a", "a", "b", "c")[k % 5] for k in range(rows)],
            "code": np.arange(rows) % 3 * 10 + 2**60,
            "glad": np.arange(rows) % 2 == 0,
            "price": rng.normal(700, 300, rows).round(2),
        }
    )


def read(frame, **options):
    return make_table_dataset(TableRead(frame, {}, ("said by the reader",)), read_options(options), DRAW)


@pytest.mark.parametrize("target", ["kind", "code", "glad", "price"])
def test_rows_and_targets_are_kept_as_they_are_in_the_table(target):
    data, frame = read(table(), target=target), table()
    assert [len(split.y) for split in data.splits.values()] == [40, 8, 12]
    for split in data.splits.values():
        rows = split.X["row"].cast(int).to_list()
        assert split.X.equals(frame.drop(target)[rows])
        assert split.y.tolist() == frame[target].gather(rows).to_list()
    assert data.target_names == (target,)
    assert data.remarks[0] == "said by the reader"


@pytest.mark.parametrize(
    ("target", "task", "classes"),
    [
        ("kind", "multi-class", ("a", "b", "c")),
        ("code", "multi-class", (2**60, 2**60 + 10, 2**60 + 20)),
        ("glad", "binary", (False, True)),
        ("price", "regression", ()),
    ],
)
def test_a_target_is_learned_as_it_is_written(target, task, classes):
    data = read(table(), target=target)
    assert (data.task, data.schema.target.classes) == (task, classes)
    assert any(f"target '{target}'" in remark and task in remark for remark in data.remarks)


def test_the_task_that_is_asked_for_is_obeyed():
    data = read(table().with_columns(pl.col("code") - 2**60), target="code", task="regression")
    assert (data.task, data.n_classes) == ("regression", None)
    assert data.encoded.train.y.mean() == pytest.approx(0, abs=1e-12)
    assert read(table(), target="code", task="ordinal").task == "ordinal"
    with pytest.raises(DataError, match="task=binary takes two classes, the target has 3"):
        read(table(), target="code", task="binary")


@pytest.mark.parametrize("target", ["kind", "price"])
def test_the_rows_are_drawn_by_their_classes_or_numbers(target):
    data, frame = read(table(), target=target), table()
    y = data.schema.target.encode(frame[target].to_numpy()) if target == "kind" else frame[target].to_numpy()
    rest, test = draw_stratified(y, 12, np.random.default_rng(0))
    assert data.test.X["row"].to_list() == test.tolist()
    assert sorted(data.train.X["row"].to_list() + data.validation.X["row"].to_list()) == rest.tolist()


def test_encoded_rows_are_those_of_the_schema_and_learned_from_the_training_rows():
    data = read(table(), target="price")
    for raw, encoded in zip(data.splits.values(), data.encoded, strict=True):
        np.testing.assert_array_equal(data.schema.input.encode(raw.X)[0], encoded.X)
        np.testing.assert_array_equal(data.schema.target.encode(raw.y), encoded.y)
        np.testing.assert_allclose(data.schema.target.decode(encoded.y), raw.y)
        assert encoded.is_encoded
    size = next(column for column in data.schema.input.columns if column.name == "size")
    assert size.mean == pytest.approx(data.train.X["size"].mean(), rel=1e-12)
    assert size.std == pytest.approx(data.train.X["size"].std(ddof=0), rel=1e-12)
    assert data.schema.target.mean[0] == pytest.approx(data.train.y.mean(), rel=1e-12)
    assert data.schema.target.std[0] == pytest.approx(data.train.y.std(), rel=1e-12)


@pytest.mark.parametrize("kind", [pl.DataFrame, pl.DataFrame.to_pandas, pl.DataFrame.to_arrow])
def test_a_table_in_memory_is_the_same_in_every_library(kind):
    one, other = (from_frame(given, ReadOptions("kind"), DRAW) for given in (table(), kind(table())))
    assert one.schema == other.schema
    assert one.checksums == other.checksums
    for mine, theirs in zip(one.encoded, other.encoded, strict=True):
        np.testing.assert_array_equal(mine.X, theirs.X)
        np.testing.assert_array_equal(mine.y, theirs.y)


def test_options_reach_the_columns():
    data = read(table(), target="kind", drop=["row", "price"], categorical="code")
    assert [column.name for column in data.schema.input.columns] == ["size", "colour", "code", "glad"]
    assert "code=1152921504606846976" in data.schema.input.feature_names
    with pytest.raises(UsageError, match="drop: no column 'rom'"):
        read(table(), target="kind", drop="rom")
    with pytest.raises(UsageError, match=r"^drop: .*kind"):
        read(table(), target="kind", drop="kind")


@pytest.mark.parametrize("target", ["kind", "price"])
@pytest.mark.parametrize("rows", [1, 2])
def test_too_few_rows_are_refused(target, rows):
    with pytest.raises(DataError):
        read(table(rows), target=target, task="regression" if target == "price" else None)


def test_a_table_without_other_columns_is_refused():
    with pytest.raises(DataError, match="no columns beside the target"):
        read(table().select("kind"), target="kind")


# The target


def test_the_target_has_to_be_named_and_there():
    assert check_target("kind", ["size", "kind"]) == "kind"
    with pytest.raises(UsageError, match=r"^target: name the column to predict, for example --target kind"):
        check_target(None, ["size", "kind"])
    with pytest.raises(UsageError, match=r"^target: no column 'kin'; the table has size, kind"):
        check_target("kin", ["size", "kind"])


@pytest.mark.parametrize(
    "values",
    [[1, None, 3, None], [1.5, float("nan"), 2.5, None], ["a", None, "b", None], [True, None, False, None]],
)
def test_a_missing_target_is_named_by_its_first_row(values):
    with pytest.raises(DataError, match=r"^target 'y': row 2 has no value \(2 missing in all\)"):
        take_target(pl.Series("y", values))


@pytest.mark.parametrize(
    ("series", "kind"),
    [
        (pl.Series("y", [1, 2**62 + 1]), "i"),
        (pl.Series("y", ["a", "b"]), "O"),
        (pl.Series("y", [True, False]), "b"),
    ],
)
def test_a_target_keeps_its_values(series, kind):
    y = take_target(series)
    assert y.dtype.kind == kind
    assert y.tolist() == series.to_list()


# Files


def test_how_a_file_is_written_is_kept_for_the_rows_to_predict(tmp_path, decode_here):
    german = table().with_columns(
        pl.format("{} €", pl.col("price").cast(pl.String).str.replace(".", ",", literal=True))
    )
    text = german.write_csv(separator=";").encode("cp1252")
    (tmp_path / "houses.CSV.gz").write_bytes(gzip.compress(text))
    options = ReadOptions("price", sep=";", encoding="cp1252")
    data = read_table_dataset(tmp_path / "houses.CSV.gz", options, DRAW)
    assert data.schema.reading == {
        "sep": ";",
        "encoding": "cp1252",
        "target": {"decimal": ",", "thousands": "", "unit": "€"},
    }
    np.testing.assert_array_equal(data.encoded.train.X, read(table(), target="price").encoded.train.X)
    np.testing.assert_array_equal(data.train.y, read(table(), target="price").train.y)
    assert list(data.checksums) == ["houses.CSV.gz"]


def test_problems_of_a_file_name_it(tmp_path):
    table().with_columns(kind=pl.lit("a")).write_csv(tmp_path / "a.csv")
    with pytest.raises(FileError) as caught:
        read_table_dataset(tmp_path / "a.csv", ReadOptions("kind"), DRAW)
    assert str(caught.value).startswith(f"{tmp_path / 'a.csv'}: target 'kind': one class only")


# A table and labels apart


def test_a_table_with_its_labels_beside_it_trains_on_all_rows():
    frame, y = table().drop("kind"), table()["kind"].to_numpy()
    data = make_frame_dataset(frame.to_pandas(), y, 0.25)
    assert [len(split.y) for split in data.splits.values()] == [45, 15, 0]
    assert data.validation_size == 15
    for split in data.splits.values():
        rows = split.X["row"].cast(int).to_list()
        assert split.y.tolist() == y[rows].tolist()
    assert as_dataset(frame, pd.Series(y)).schema.target.classes == ("a", "b", "c")
    with pytest.raises(DataError, match="table: 60 rows but 59 labels"):
        make_frame_dataset(frame, y[:-1], None)


def test_other_labels_or_rows_have_another_checksum():
    frame, y = table().drop("kind"), table()["kind"].to_numpy()
    checksums = make_frame_dataset(frame, y, None).checksums
    assert make_frame_dataset(frame, y, None).checksums == checksums
    assert make_frame_dataset(frame, y[::-1], None).checksums != checksums
    assert (
        make_frame_dataset(frame.with_columns(pl.col("size") * 2 ** (pl.col("row") % 2)), y, None).checksums
        != checksums
    )


def test_validation_rows_of_a_table_may_come_in_any_library():
    data = load_dataset(table(), target="kind", validation=8)
    own = table(seed=1).drop("kind")
    expected, _ = data.schema.input.encode(own)
    labels = ["a", "b", "c"] * 20
    for rows in (own, own.to_pandas(), own.to_dicts(), own.select(sorted(own.columns))):
        found = data.with_validation((rows, labels))
        np.testing.assert_array_equal(found.encoded.validation.X, expected)
        assert found.encoded.validation.y.tolist() == [0, 1, 2] * 20
        assert found.validation_size is None
    with pytest.raises(
        DataError, match=r"^table: validation rows: X: the model takes tables with the columns row"
    ):
        data.with_validation((np.zeros((60, 6)), labels))
    with pytest.raises(DataError, match=r"^table: validation rows: 60 rows but 3 labels"):
        data.with_validation((own, ["a", "b", "c"]))
    with pytest.raises(DataError, match=r"^table: validation rows: target 'kind': row 1 .*'z'"):
        data.with_validation((own, ["z"] * 60))


def test_an_index_of_pandas_is_no_column():
    frame = table().to_pandas().set_index(np.arange(60)[::-1] * 7)
    assert load_dataset(frame, target="kind").schema == load_dataset(table(), target="kind").schema


# All that is wrong, at once


def faulty():
    """A table of text with five things wrong: two columns, two missing values that are refused, and a date."""
    rows = {
        "age": [str(k) for k in range(20)],
        "dose": [f"{k}.5" for k in range(20)],
        "day": ["2024-05-31"] * 20,
        "town": ["A", "B"] * 10,
        "y": ["no", "yes"] * 10,
    }
    for name, row, value in (("age", 2, "x"), ("dose", 4, "y"), ("day", 7, "?!"), ("town", 8, ""), ("y", 9, "")):
        rows[name][row] = value
    return pl.DataFrame(rows)


def test_what_is_wrong_with_values_target_and_columns_is_told_in_one_line(tmp_path):
    faulty().write_csv(tmp_path / "t.csv")
    with pytest.raises(FileError) as caught:
        load_dataset(tmp_path / "t.csv", target="y", dates="day", impute="error")
    said = str(caught.value)
    for part in (
        "line 4, column 'age': 'x' is no finite number",
        "line 6, column 'dose': 'y' is no finite number",
        "target 'y': row 10 has no value",
        "column 'day': '?!' is no date",
        "missing values in column 'town' (1, first in row 9)",
    ):
        assert part in said
    assert said.count("name the column after --categorical") == 1
    assert "\n" not in said


def test_a_target_at_fault_is_told_with_the_columns(tmp_path):
    frame = faulty().with_columns(y=pl.Series(["1.5"] * 19 + ["many"]), age=pl.Series(["1"] * 20))
    frame.write_csv(tmp_path / "t.csv")
    with pytest.raises(FileError) as caught:
        load_dataset(tmp_path / "t.csv", target="y", dates="day")
    assert "line 21, column 'y': 'many' is no finite number" in str(caught.value)
    assert "column 'day': '?!' is no date" in str(caught.value)
    assert "no value" not in str(caught.value)


@pytest.mark.parametrize("kind", ["parquet", "polars", "pandas"])
def test_columns_of_other_values_are_told_with_all_else(tmp_path, decode_here, kind):
    bad = table().with_columns(
        parts=pl.lit([1, 2]), raw=pl.lit(b"ab"), size=pl.Series([1.0, float("inf")] * 30), kind=pl.lit("a")
    )
    bad.write_parquet(tmp_path / "t.parquet")
    source = {"parquet": tmp_path / "t.parquet", "polars": bad, "pandas": bad.to_pandas()}[kind]
    with pytest.raises((FileError, DataError)) as caught:
        load_dataset(source, target="kind")
    for part in (
        "column 'parts' is nested",
        "column 'raw' holds Binary",
        "row 2, column 'size': infinite",
        "target 'kind': one class only, 'a'",
    ):
        assert part in str(caught.value)


def test_a_single_fault_is_not_said_twice(tmp_path):
    (tmp_path / "t.csv").write_text("a,y\n" + "1,no\n2,yes\nx,no\n" * 5)
    with pytest.raises(FileError) as caught:
        load_dataset(tmp_path / "t.csv", target="y")
    assert "no column is left" not in str(caught.value)
    assert str(caught.value).count("column 'a'") == 1
