"""The column of a table that is predicted: its classes as the file writes them, and their order."""

import gzip

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xlsxwriter
from PIL import Image

from glassnet.data.arrays import as_dataset
from glassnet.data.audit import audit_source
from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset
from glassnet.errors import UsageError

ROWS = 40
LEVELS = ["low", "mid", "high"]


def frame(values):
    return pl.DataFrame({"size": np.arange(ROWS) % 7 + 0.5, "y": [values[k % len(values)] for k in range(ROWS)]})


def load(tmp_path, values, name="a.csv", **options):
    """Read a file whose target repeats some values, as text or with the types that they have."""
    path, table = tmp_path / name, frame(values)
    if name.endswith(".parquet"):
        table.write_parquet(path)
    elif name.endswith(".xlsx"):
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate([table.columns, *table.rows()]):
                for column, value in enumerate(row):
                    (sheet.write_string if isinstance(value, str) else sheet.write)(number, column, value)
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(table.write_csv().encode()))
    else:
        table.write_csv(path)
    return load_dataset(path, target="y", **options)


# What the file writes, and the classes: text, unless Python writes the value just so.
WRITTEN = {
    "capitals": (["TRUE", "FALSE"], ("FALSE", "TRUE")),
    "small letters": (["true", "false"], ("false", "true")),
    "Python's": (["True", "False"], (False, True)),
    "signs": (["+1", "-1"], ("-1", "+1")),
    "codes": (["01", "02", "10"], ("01", "02", "10")),
    "whole numbers": (["10", "9", "-1"], (-1, 9, 10)),
    "floats": (["1.0", "2.0", "10.0"], (1.0, 2.0, 10.0)),
    "hundredths": (["1.00", "2.00"], ("1.00", "2.00")),
    "percent": (["5%", "10%"], ("5%", "10%")),
}


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.xlsx"])
@pytest.mark.parametrize(("values", "classes"), WRITTEN.values(), ids=WRITTEN)
def test_classes_are_called_as_the_file_writes_them(tmp_path, decode_here, values, classes, name):
    data = load(tmp_path, values, name)
    target = data.schema.target
    assert target.classes == classes
    assert list(map(type, target.classes)) == list(map(type, classes))
    for split in data.splits.values():
        assert target.decode(target.encode(split.y)).tolist() == split.y.tolist()
        assert set(split.y.tolist()) <= set(classes)
    rows = frame(values)
    assert target.encode(rows["y"].to_numpy()).tolist() == [
        list(map(str, classes)).index(text) for text in rows["y"]
    ]


@pytest.mark.parametrize(("values", "classes"), [([True, False], (False, True)), ([3, 1, 2], (1, 2, 3))])
@pytest.mark.parametrize("name", ["a.parquet", "a.xlsx"])
def test_values_that_have_a_type_in_the_file_keep_it(tmp_path, decode_here, values, classes, name):
    data = load(tmp_path, values, name)
    assert data.schema.target.classes == classes
    assert data.train.y.dtype.kind == np.array(values).dtype.kind


def test_text_of_a_parquet_file_stays_as_it_is(tmp_path, decode_here):
    assert load(tmp_path, ["TRUE", "FALSE"], "a.parquet").schema.target.classes == ("FALSE", "TRUE")
    assert load(tmp_path, ["+1", "-1"], "a.parquet").schema.target.classes == ("+1", "-1")


@pytest.mark.parametrize(
    ("values", "classes", "ways"),
    [
        (["TRUE", "True", "TRUE", "False"], ("False", "TRUE"), "TRUE (True)"),
        (["1", "1", "1.0", "2"], (1, 2), "1 (1.0)"),
        (["+1", "1", "1", "+2", "2", "2"], (1, 2), "1 (+1), 2 (+2)"),
    ],
)
def test_a_class_that_is_written_in_two_ways_has_the_most_frequent_one(tmp_path, values, classes, ways):
    data = load(tmp_path, values)
    assert data.schema.target.classes == classes
    assert set(data.train.y.tolist()) == set(classes)
    assert f"target 'y': one class, though written in several ways: {ways}" in data.remarks


def test_numbers_to_regress_are_numbers_however_they_are_written(tmp_path):
    values = [f"+{k}" for k in range(30)]
    data = load(tmp_path, values)
    assert (data.task, data.train.y.dtype.kind) == ("regression", "i")
    assert load(tmp_path, ["+1", "-1"], task="regression").train.y.dtype.kind == "i"
    assert not any("several ways" in remark for remark in load(tmp_path, [*values, "1"]).remarks)


# The order of the classes


def test_listed_classes_have_the_order_of_the_list(tmp_path):
    for task in ("ordinal", None):
        data = load(tmp_path, ["high", "low", "mid"], classes=LEVELS, task=task)
        assert data.schema.target.classes == tuple(LEVELS)
        assert data.encoded.train.y.tolist() == [LEVELS.index(one) for one in data.train.y]
        assert data.origin["classes"] == LEVELS
    assert not any("gives another" in remark for remark in data.remarks)
    assert load(tmp_path, ["TRUE", "FALSE"], classes=["TRUE", "FALSE"]).class_names == ("TRUE", "FALSE")
    assert load(tmp_path, ["+1", "-1"], classes=["+1", "-1"]).schema.target.classes == ("+1", "-1")
    assert load(tmp_path, [3, 1, 2], classes=[3, 2, 1]).schema.target.classes == (3, 2, 1)
    assert load(tmp_path, [3, 1, 2], "a.parquet", classes=[3, 2, 1]).schema.target.classes == (3, 2, 1)


def test_a_class_that_no_row_has_may_be_listed_and_is_said(tmp_path):
    data = load(tmp_path, ["1", "2", "4"], classes=["1", "2", "3", "4"], task="ordinal")
    assert data.schema.target.classes == (1, 2, 3, 4)
    assert "target 'y': no row has the listed class 3" in data.remarks


@pytest.mark.parametrize(
    ("values", "classes", "said"),
    [
        (LEVELS, ["low", "high"], "classes: lacks 'mid', which the target 'y' holds; list every class"),
        (LEVELS, ["low", "mid", "high", "mid"], "classes: 'mid' is listed twice"),
        ([1, 2], ["1", "2", "many"], "classes: 'many' is no class such as those of the target 'y': 1, 2"),
        (["true", "false"], ["false", "true", "so"], "classes: lacks"),
        ([0.5, 1.5, 1.25], ["0.5"], "classes: lacks '1.25'"),
    ],
)
def test_a_list_that_does_not_hold_the_classes_is_refused_by_name(tmp_path, values, classes, said):
    if said == "classes: lacks":
        assert load(tmp_path, values, classes=classes).schema.target.classes == ("false", "true", "so")
        return
    with pytest.raises(UsageError) as caught:
        load(tmp_path, values, classes=classes)
    assert said in str(caught.value)


def test_a_list_of_classes_goes_with_classes_alone(tmp_path):
    with pytest.raises(UsageError, match="classes: is the order of classes, and task=regression"):
        load(tmp_path, [1, 2], classes=[1, 2], task="regression")
    with pytest.raises(UsageError, match="classes: is the order of the classes of one column"):
        Dataset.from_arrays(np.eye(4), np.eye(4), classes=[0, 1, 2, 3])


def test_ordinal_text_without_a_list_is_told_its_order(tmp_path):
    said = "target 'y': 3 classes in the order of the alphabet: high, low, mid; the option classes gives another"
    assert said in load(tmp_path, LEVELS, task="ordinal").remarks


def ordered(values=LEVELS):
    categories = pd.Categorical(frame(values)["y"].to_list(), categories=[*LEVELS, "never"], ordered=True)
    return frame(values).to_pandas().assign(y=categories)


TABLES = {
    "pandas": lambda table: table,
    "pyarrow": lambda table: pytest.importorskip("pyarrow").Table.from_pandas(table),
    "polars": lambda table: frame(LEVELS).with_columns(pl.col("y").cast(pl.Enum([*LEVELS, "never"]))),
}


@pytest.mark.parametrize("kind", TABLES)
def test_an_ordered_category_keeps_its_order(kind):
    data = load_dataset(TABLES[kind](ordered()), target="y", task="ordinal")
    assert data.schema.target.classes == tuple(LEVELS)
    assert not any("gives another" in remark for remark in data.remarks)
    listed = load_dataset(TABLES[kind](ordered()), target="y", classes=["high", "mid", "low"])
    assert listed.class_names == ("high", "mid", "low")


def test_an_ordered_category_keeps_its_order_beside_rows():
    table = ordered()
    X = table[["size"]].assign(more=np.arange(ROWS))
    for rows in (X, X.to_numpy()):
        assert as_dataset(rows, table["y"]).schema.target.classes == tuple(LEVELS)
    assert as_dataset((X.to_numpy(), table["y"].array)).class_names == tuple(LEVELS)
    series = TABLES["polars"](None)["y"]
    assert Dataset.from_arrays(X.to_numpy(), series, task="ordinal").class_names == tuple(LEVELS)
    numbers = pd.Series(pd.Categorical([3, 1, 2] * 8, categories=[2, 3, 1], ordered=True))
    assert Dataset.from_arrays(np.ones((24, 2)), numbers).schema.target.classes == (2, 3, 1)
    unordered = table["y"].cat.as_unordered()
    assert as_dataset(X, unordered).schema.target.classes == ("high", "low", "mid")


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_an_ordered_category_keeps_its_order_in_a_parquet_file(tmp_path, kind):
    pytest.importorskip("pyarrow")
    table = TABLES[kind](ordered(["high", "mid", "low"]))
    (table.to_parquet if kind == "pandas" else table.write_parquet)(tmp_path / "a.parquet")
    assert load_dataset(tmp_path / "a.parquet", target="y", task="ordinal").class_names == tuple(LEVELS)


def test_the_classes_of_arrays_and_folders_have_the_listed_order(tmp_path):
    X = np.arange(60.0).reshape(30, 2)
    np.savez(tmp_path / "words.npz", X=X, y=np.array(LEVELS * 10))
    np.savez(tmp_path / "places.npz", X=X, y=np.arange(30) % 3, class_names=np.array(["high", "low", "mid"]))
    for name in ("words.npz", "places.npz"):
        data = load_dataset(tmp_path / name, classes=LEVELS)
        assert data.class_names == tuple(LEVELS)
        words = data.train.y if name == "words.npz" else np.array(["high", "low", "mid"])[data.train.y]
        assert [LEVELS[label] for label in data.encoded.train.y] == words.tolist()
    for level in LEVELS:
        (tmp_path / "pictures" / level).mkdir(parents=True)
        for number in range(5):
            Image.fromarray(np.full((4, 4), 40 * number, np.uint8)).save(
                tmp_path / "pictures" / level / f"{number}.png"
            )
    data = load_dataset(tmp_path / "pictures", classes=LEVELS, task="ordinal")
    assert data.class_names == tuple(LEVELS)
    audited = audit_source(tmp_path / "pictures", classes=LEVELS, task="ordinal")
    assert list(audited.class_rows) == LEVELS
