"""The audit of a user's own tables, arrays and pictures, as they lie in their files."""

import json

import numpy as np
import polars as pl
import pytest
from PIL import Image

from glassnet.data import audit_own_table
from glassnet.data.audit import audit, audit_source
from glassnet.data.registry import load_dataset
from glassnet.errors import FileError, UsageError

pytestmark = pytest.mark.usefixtures("decode_here")


def write(path, columns):
    """Write columns as CSV; None is an empty cell."""
    pl.DataFrame(columns, strict=False).write_csv(path)
    return path


def good(n=200, seed=0):
    """Return the columns of a table in which nothing is odd."""
    rng = np.random.default_rng(seed)
    return {
        "size": rng.normal(50, 9, n).round(6).tolist(),
        "town": rng.choice(["Bath", "Rome", "York"], n).tolist(),
        "sold": np.tile(["no", "yes"], n // 2).tolist(),
    }


def remark(found, *parts):
    """Return the one remark that holds all parts."""
    (said,) = (said for said in found.remarks if all(part in said for part in parts))
    assert "\n" not in said
    return said


def test_a_good_table_has_no_remarks_and_the_rows_that_training_has(tmp_path):
    path = write(tmp_path / "good.csv", good())
    found, data = audit_source(path, target="sold"), load_dataset(path, target="sold")
    assert found.remarks == []
    assert found.rows == {name: len(split.y) for name, split in data.splits.items()}
    assert found.checksums == data.checksums
    assert found.name == data.name == "good"
    assert found.columns == 2
    assert found.scale == {}
    assert found.reading == ["target 'sold': 2 classes (no, yes), so binary"]
    assert {name: sum(counts.values()) for name, counts in found.class_rows.items()} == {"no": 100, "yes": 100}


def test_rows_are_counted_in_the_file_from_1(tmp_path):
    columns = good()
    for name in ("size", "town"):
        columns[name][150] = columns[name][9]
        columns[name][77] = columns[name][30]
    columns["sold"][150], columns["sold"][9] = "no", "yes"
    columns["sold"][77] = columns["sold"][30]
    path = write(tmp_path / "equal.csv", columns)
    found, data = audit_source(path, target="sold"), load_dataset(path, target="sold")
    assert sorted(sorted(place.row for place in group) for group in found.duplicates) == [[10, 151], [31, 78]]
    for group in found.duplicates:
        for place in group:
            split = getattr(data, place.split)
            assert columns["size"][place.row - 1] in split.X["size"].to_list()
    ((one, other),) = found.contradictions
    assert {one.row, other.row} == {10, 151}
    said = remark(found, "different labels")
    assert said.startswith("1 row has different labels in different places: row ")
    assert "row 10 (yes)" in said
    assert "row 151 (no)" in said


def test_missing_values_are_reported_by_column_and_split_and_stop_nothing(tmp_path):
    columns = good()
    for row in range(30):
        columns["size"][row] = None
    columns["town"][5] = None
    path = write(tmp_path / "missing.csv", columns)
    with pytest.raises(FileError):
        load_dataset(path, target="sold", impute="error")
    found = audit_source(path, target="sold", impute="error")
    data = load_dataset(path, target="sold")
    assert found.missing_columns == {
        name: {split: part.X[name].null_count() for split, part in data.splits.items()}
        for name in ("size", "town")
    }
    assert sum(found.missing.values()) == 31
    assert remark(found, "missing") == "missing values in 2 of 2 columns: size (30, 15.0%), town (1, 0.5%)"
    assert not any("filled" in said for said in (*found.reading, *found.remarks))


def test_rows_without_a_target_are_said_and_left_aside(tmp_path):
    columns = good()
    columns["sold"][3] = columns["sold"][8] = None
    for values in columns.values():
        values[190] = values[191] = values[20]
    path = write(tmp_path / "unknown.csv", columns)
    with pytest.raises(FileError, match="row 4"):
        load_dataset(path, target="sold")
    found = audit_source(path, target="sold")
    assert sum(found.rows.values()) == 198
    assert sorted(place.row for place in found.duplicates[0]) == [21, 191, 192]
    assert {name: sum(counts.values()) for name, counts in found.class_rows.items()} == {
        name: columns["sold"].count(name) for name in ("no", "yes")
    }
    assert "2 rows have no value of the target 'sold' (first in row 4)" in remark(found, "left aside")


def test_a_target_that_cannot_be_learned_is_said_and_all_rows_looked_at(tmp_path):
    columns = good()
    columns["sold"] = ["yes"] * 200
    columns["size"][7] = None
    found = audit_source(write(tmp_path / "one.csv", columns), target="sold")
    assert found.rows == {"train": 200}
    assert "one class only" in remark(found, "training would refuse this table")
    assert found.missing_columns == {"size": {"train": 1}}
    columns["sold"] = [None] * 200
    found = audit_source(write(tmp_path / "none.csv", columns), target="sold")
    assert found.rows == {"train": 200}
    assert "training would refuse this table" in found.remarks[0]


def test_a_column_of_numbers_and_words_does_not_stop_the_audit(tmp_path):
    columns = good()
    columns["size"] = [str(size) for size in columns["size"]]
    columns["size"][42] = "large"
    columns["size"][50] = "huge"
    columns["weight"] = ["inf", *map(str, np.random.default_rng(1).normal(size=199))]
    columns["weight"][9] = ""
    path = write(tmp_path / "mixed.csv", columns)
    with pytest.raises(FileError, match="large"):
        load_dataset(path, target="sold")
    found = audit_source(path, target="sold")
    said = remark(found, "training would refuse this table", "'size'")
    assert "row 43, column 'size': 'large' is no finite number, but 198 of 200 values are" in said
    assert "row 1, column 'weight': 'inf' is no finite number" in remark(found, "would refuse", "'weight'")
    assert {name: sum(counts.values()) for name, counts in found.missing_columns.items()} == {
        "size": 2,
        "weight": 2,
    }


def test_infinite_numbers_of_a_table_in_memory_or_of_parquet_do_not_stop_the_audit(tmp_path):
    columns = good()
    columns["size"][11] = float("inf")
    frame = pl.DataFrame(columns)
    frame.write_parquet(tmp_path / "infinite.parquet")
    for source in (frame, tmp_path / "infinite.parquet"):
        found = audit_source(source, target="sold")
        assert "1 row is infinite (first row 12)" in remark(found, "training would refuse", "'size'")
        assert sum(found.missing_columns["size"].values()) == 1


def test_what_is_no_table_at_all_is_refused(tmp_path):
    path = tmp_path / "broken.csv"
    path.write_text("a,b\n1,2\n1,2,3\n")
    with pytest.raises(FileError, match="line 3"):
        audit_source(path, target="b")
    with pytest.raises(UsageError, match="--target sold"):
        audit_source(write(tmp_path / "good.csv", good()))
    with pytest.raises(UsageError, match="no column 'sole'"):
        audit_source(tmp_path / "good.csv", target="sold", drop="sole")


def test_values_far_from_the_training_rows_are_named_by_column_row_and_value(tmp_path):
    columns = good(400)
    columns["size"][123] = 5000.5
    columns["size"][17] = -900.0
    columns["flag"] = [1] * 400
    path = write(tmp_path / "far.csv", columns)
    found, data = audit_source(path, target="sold"), load_dataset(path, target="sold")
    (far,) = found.far
    assert (far.column, far.place.row, far.value) == ("size", 124, 5000.5)
    training = data.train.X["size"].to_numpy()
    away = np.abs(np.array(columns["size"]) - training.mean()) / training.std()
    assert far.number == np.count_nonzero(away > 10)
    assert far.deviations == pytest.approx(away.max())
    assert f"in size ({far.number}; row 124 is 5000.5, {far.deviations:.3g} deviations)" in remark(found, "beyond")


def test_constant_columns_are_named(tmp_path):
    columns = good() | {"country": ["NL"] * 200, "year": [2024] * 200, "note": [None] * 200}
    columns["rare"] = [None] * 100 + ["x"] * 100  # that it is missing may tell
    found = audit_source(write(tmp_path / "constant.csv", columns), target="sold")
    assert found.constant_columns == ["country", "year", "note"]
    said = remark(found, "the same")
    assert said == "3 of 6 columns are the same in all training rows: country, year, note"
    assert not any("one value only" in said for said in found.reading)


def test_columns_that_may_only_name_the_rows_are_named(tmp_path):
    rng = np.random.default_rng(3)
    columns = good() | {
        "index": list(range(100, 300)),
        "code": rng.permutation(10**6)[:200].tolist(),
        "key": [f"k{row:04d}x" for row in rng.permutation(200)],
        "week": [row // 5 for row in range(200)],
        "rooms": rng.integers(1, 6, 200).tolist(),
        "half": (rng.permutation(200) / 2 + 0.25).tolist(),
        "sorted": sorted(rng.integers(0, 2, 200).tolist()),
    }
    found = audit_source(write(tmp_path / "keys.csv", columns), target="sold")
    assert [(key.column, key.distinct, key.in_order) for key in found.keys] == [
        ("index", 200, True),
        ("code", 200, False),
        ("key", 200, False),
        ("week", 40, True),
    ]
    said = remark(found, "may only name the rows, leave out (--drop)")
    assert "index (200 distinct of 200, in the order of the rows)" in said
    assert "all distinct;" not in " ".join(found.reading)  # it is said once


@pytest.mark.parametrize(("distinct", "found"), [(190, True), (189, False)])
def test_95_of_100_distinct_are_enough(tmp_path, distinct, found):
    numbers = np.random.default_rng(0).permutation(1000)[:200]
    numbers[distinct:] = numbers[0]
    columns = good() | {"code": np.random.default_rng(1).permutation(numbers).tolist()}
    keys = audit_source(write(tmp_path / "some.csv", columns), target="sold").keys
    assert bool(keys) == found


def test_rows_that_differ_in_what_counts_them_only_are_equal(tmp_path):
    columns = {"id": list(range(200))} | good()
    for name in ("size", "town"):
        columns[name][150] = columns[name][9]
    found = audit_source(write(tmp_path / "id.csv", columns), target="sold")
    ((one, other),) = found.duplicates
    assert {one.row, other.row} == {10, 151}
    columns["code"] = np.random.default_rng(0).permutation(200).tolist()  # these do not count the rows
    assert audit_source(write(tmp_path / "id.csv", columns), target="sold").duplicates == []


def test_columns_that_training_leaves_out_are_named_with_the_reason(tmp_path):
    columns = good() | {"name": [f"Mr {row}" for row in range(200)], "day": ["2024-05-01", "2024-06-02"] * 100}
    found = audit_source(write(tmp_path / "out.csv", columns), target="sold", drop=["size"])
    assert sorted(found.left_out) == ["day", "name", "size"]
    (said,) = (said for said in found.reading if "left out" in said)
    assert "name (text with more than 100 distinct" in said
    assert "day (dates" in said


def test_a_column_that_alone_tells_the_target_is_a_remark(tmp_path):
    columns = good() | {"paid": [0.0 if sold == "no" else 80.5 for sold in good()["sold"]]}
    columns["state"] = [{"no": "open", "yes": "closed"}[sold] for sold in columns["sold"]]
    found = audit_source(write(tmp_path / "leak.csv", columns), target="sold")
    assert [(leak.column, leak.measure, leak.value) for leak in found.leaks] == [
        ("paid", "accuracy", 1.0),
        ("state", "accuracy", 1.0),
    ]
    assert "paid alone tells the target: a rule of this column has accuracy 1" in remark(found, "paid alone")
    assert audit_source(tmp_path / "leak.csv", target="sold", drop=["paid", "state"]).leaks == []
    columns["price"] = (np.array(columns["size"]) * 3 + 5).tolist()
    found = audit_source(write(tmp_path / "leak.csv", columns), target="price")
    assert [(leak.column, leak.measure) for leak in found.leaks] == [("size", "R2")]


def test_text_that_may_mean_that_there_is_no_value_is_named(tmp_path):
    columns = good()
    columns["town"][3] = columns["town"][4] = "?"
    pl.DataFrame(columns).write_parquet(tmp_path / "ask.parquet")
    found = audit_source(tmp_path / "ask.parquet", target="sold")
    assert remark(found, "'?'").startswith("town: 2 values are '?'")


def test_rows_of_arrays_are_counted_from_1_in_their_own_array(tmp_path):
    X = np.arange(40.0).reshape(20, 2)
    X[6] = X[3]
    y = np.arange(20) % 2
    np.savez(tmp_path / "twice.npz", X_train=X, y_train=y, X_test=X[10:] + 0.5, y_test=y[10:])
    found = audit_source(tmp_path / "twice.npz")
    said = remark(found, "different labels")
    assert "row 4 of train (1)" in said
    assert "row 7 of train (0)" in said


def test_of_ten_columns_that_tell_the_target_all_are_named(tmp_path):
    target = np.tile(["a", "b"], 100).tolist()
    columns = {"y": target} | {f"leak{number}": target for number in range(10)}
    found = audit_source(write(tmp_path / "ten.csv", columns), target="y")
    assert sum("alone tells the target" in said for said in found.remarks) == 10
    assert not any("more columns alone" in said for said in found.remarks)


def test_no_remark_holds_more_than_ten_examples(tmp_path):
    rng = np.random.default_rng(0)
    n = 400
    columns = {"y": np.tile([f"class {label}" for label in range(20)], n // 20).tolist()}
    for number in range(30):
        columns[f"far{number}"] = [*rng.normal(size=n - 1), 1e6]
        columns[f"same{number}"] = [1] * n
        columns[f"key{number}"] = rng.permutation(n).tolist()
        columns[f"gap{number}"] = [None, *rng.normal(size=n - 1)]
        columns[f"leak{number}"] = columns["y"]
    found = audit_source(write(tmp_path / "much.csv", columns), target="y")
    for word in ("far", "same", "key", "gap"):
        said = [said for said in found.remarks if f"{word}1" in said]
        assert all(said.count(word) <= 11 for said in said), said
    assert sum("alone tells" in said for said in found.remarks) == 10
    assert "20 more columns alone tell the target" in found.remarks
    record = found.to_dict()
    assert len(record["leaks"]) == record["counts"]["leaks"] == 30
    assert len(record["constant_columns"]) == 30
    json.dumps(record, allow_nan=False)


def test_the_record_is_bounded(tmp_path):
    columns = {"a": [1.5] * 3000 + [2.5] * 3000, "b": ["x", "y"] * 3000}
    columns["c"] = [row // 3 % 1500 for row in range(6000)]
    found = audit_source(write(tmp_path / "equal.csv", columns), target="b")
    record = found.to_dict()
    assert record["counts"]["duplicates"] == len(found.duplicates) > 1000
    assert len(record["duplicates"]) == 1000
    assert all(len(group) <= 10 for group in record["duplicates"])
    assert record["duplicates"][0][0] == list(found.duplicates[0][0][:2])
    json.dumps(record, allow_nan=False)


def test_a_data_set_of_frames_is_looked_over_with_the_rows_of_its_splits(tmp_path):
    columns = good()
    for name in ("size", "town"):
        columns[name][150] = columns[name][9]
    path = write(tmp_path / "equal.csv", columns)
    data = load_dataset(path, target="sold")
    found, own = audit(data), audit_source(path, target="sold")
    assert found.rows == own.rows
    assert found.class_rows == own.class_rows
    ((one, other),) = found.duplicates
    assert getattr(data, one.split).X[one.row - 1].equals(getattr(data, other.split).X[other.row - 1])


def test_a_table_that_is_too_large_for_memory_is_looked_over_by_its_numbers(tmp_path, monkeypatch):
    from glassnet.data import large, table_dataset

    pl.DataFrame(good()).write_parquet(tmp_path / "large.parquet")
    for module in (large, table_dataset, audit_own_table):
        monkeypatch.setattr(module, "LARGE", 10)
    found = audit_source(tmp_path / "large.parquet", target="sold")
    assert sum(found.rows.values()) == 200
    assert found.columns == 4


def test_rows_of_arrays_are_counted_in_their_file(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(240, 3)), np.tile([0, 1], 120)
    X[90], X[40, 1], X[7, 2] = X[13], np.nan, 1e6
    np.savez(tmp_path / "own.npz", X=X, y=y)
    found, data = audit_source(tmp_path / "own.npz"), load_dataset(tmp_path / "own.npz")
    ((one, other),) = found.duplicates
    assert {one.row, other.row} == {14, 91}
    assert X[one.row - 1, 0] in getattr(data, one.split).X[:, 0]
    assert "row 14 (1)" in remark(found, "different labels")
    assert "row 91 (0)" in remark(found, "different labels")
    assert found.missing_columns["X[:, 1]"] == {
        name: int(np.isnan(split.X[:, 1]).sum()) for name, split in data.splits.items()
    }
    (far,) = found.far
    assert (far.column, far.place.row, far.value) == ("X[:, 2]", 8, 1e6)
    assert "X[:, 2] (1; row 8 is 1e+06, " in remark(found, "beyond")


def test_rows_of_several_arrays_are_counted_in_theirs(tmp_path):
    rng = np.random.default_rng(0)
    X, more = rng.normal(size=(60, 2)), rng.normal(size=(20, 2))
    more[4] = X[22]
    y = np.tile([3, 5], 40)
    np.savez(tmp_path / "two.npz", x_train=X, y_train=y[:60], x_test=more, y_test=y[60:])
    found = audit_source(tmp_path / "two.npz")
    assert remark(found, "number for number").endswith("row 23 of train and row 5 of test")
    assert list(found.class_rows) == ["3", "5"]


def test_pictures_are_called_by_their_files(tmp_path):
    rng = np.random.default_rng(0)
    for kind in ("cats", "dogs"):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 256, (4, 4), np.uint8)
            if (kind, number) in (("cats", 3), ("dogs", 11)):
                pixels = np.full((4, 4), 9, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pets" / kind / f"{number:02d}.png")
    found = audit_source(tmp_path / "pets")
    assert len(found.duplicates) == 1
    said = remark(found, "different labels")
    assert "cats/03.png (cats)" in said
    assert "dogs/11.png (dogs)" in said
    assert (found.far, found.keys) == ([], [])  # pixels share one scale


def test_a_pixel_that_tells_the_class_is_named_by_its_axes(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (200, 5, 4), np.uint8), np.tile([0, 1], 100)
    X[:, 3, 2] = 200 * y
    X[:, 4, 0] = 77
    np.savez(tmp_path / "marked.npz", X=X, y=y)
    found = audit_source(tmp_path / "marked.npz")
    assert [(leak.column, leak.value) for leak in found.leaks] == [("X[:, 3, 2]", 1.0)]
    assert remark(found, "the same") == "1 of 20 column is the same in all training rows: X[:, 4, 0]"


@pytest.mark.real_data
def test_what_is_said_of_a_real_table_is_true(request):
    import os
    from pathlib import Path

    path = Path(os.environ.get("GLASSNET_DATA", ""), "tables", "california-housing.parquet")
    if not path.is_file():
        pytest.skip("needs tables/california-housing.parquet in the folder that GLASSNET_DATA names")
    frame = pl.read_parquet(path)
    found = audit_source(path, target="MedHouseVal")
    assert sum(found.rows.values()) == frame.height
    far = {one.column: one for one in found.far}
    assert set(far) >= {"AveOccup", "AveRooms", "AveBedrms", "Population"}
    for name, one in far.items():
        assert frame[name][one.place.row - 1] == one.value
    assert found.far[0].column == "AveOccup"
    assert 100 < found.far[0].deviations < 140
    assert (found.leaks, found.keys, found.constant_columns, found.duplicates) == ([], [], [], [])


@pytest.mark.parametrize("kind", ["parquet", "memory"])
def test_columns_of_lists_and_bytes_are_named_and_left_out(tmp_path, decode_here, kind):
    rows = np.arange(40)
    frame = pl.DataFrame({"a": rows % 7, "b": rows % 5 + 0.5, "y": ["no", "yes"] * 20}).with_columns(
        parts=pl.lit([1, 2]), raw=pl.lit(b"ab")
    )
    frame.write_parquet(tmp_path / "t.parquet")
    source = tmp_path / "t.parquet" if kind == "parquet" else frame
    found = audit_source(source, target="y")
    refused = [remark for remark in found.remarks if remark.startswith("training would refuse this table")]
    assert len(refused) == 2
    assert "column 'parts' is nested" in refused[0]
    assert "column 'raw' holds Binary" in refused[1]
    assert sum(found.rows.values()) == 40
    dropped = audit_source(source, target="y", drop=["parts", "raw"])
    assert not any("training would refuse" in remark for remark in dropped.remarks)
