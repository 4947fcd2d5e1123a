"""Values that stand for missing ones: named by an option, and suspected by a remark."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from glassnet.data.audit import audit_source
from glassnet.data.column_values import blank_values, find_sentinel
from glassnet.data.columns import TableSchema
from glassnet.data.registry import load_dataset
from glassnet.errors import DataError

ROWS = 60


def table(sentinel=-999):
    ages = [sentinel if k % 10 == 3 else 20 + k % 7 for k in range(ROWS)]
    towns = ["unknown" if k % 10 == 4 else ("A", "B")[k % 2] for k in range(ROWS)]
    return pl.DataFrame(
        {"age": ages, "town": towns, "size": [k % 9 for k in range(ROWS)], "y": ["no", "yes"] * 30}
    )


def sources(tmp_path, frame):
    frame.write_csv(tmp_path / "t.csv")
    frame.write_parquet(tmp_path / "t.parquet")
    return tmp_path / "t.csv", tmp_path / "t.parquet", frame, frame.to_pandas()


def test_named_values_are_missing_in_every_kind_of_table(tmp_path, decode_here):
    clean = table().with_columns(pl.col("age").replace(-999, None), pl.col("town").replace("unknown", None))
    expected = load_dataset(clean, target="y")
    for source in sources(tmp_path, table()):
        data = load_dataset(source, target="y", missing=["-999", "unknown"])
        assert data.schema.input.columns == expected.schema.input.columns
        assert np.array_equal(data.encoded.test.X, expected.encoded.test.X)
        assert any("missing values filled with the median" in remark for remark in data.remarks)
        for rows in (
            table(),
            table().to_pandas(),
            table().with_columns(pl.col("age").cast(pl.Float64).cast(pl.String)),
        ):
            with pytest.warns(UserWarning, match="missing values filled"):
                assert np.array_equal(data.schema.encode_rows(rows), expected.schema.input.encode(clean)[0])
        again = TableSchema.from_dict(data.schema.input.to_dict())
        assert again == data.schema.input
        assert again.missing == ("-999", "unknown")


def test_a_named_word_among_numbers_leaves_them_numbers(tmp_path):
    lines = [f"{'keine' if k % 8 == 3 else k % 5 + 0.5},{k % 3},{'ja' if k % 2 else 'nein'}" for k in range(ROWS)]
    (tmp_path / "t.csv").write_text("a,b,y\n" + "\n".join(lines) + "\n")
    data = load_dataset(tmp_path / "t.csv", target="y", missing="keine")
    assert data.train.X["a"].dtype == pl.Float64
    assert data.origin["missing"] == ["keine"]
    rows = pl.DataFrame({"a": ["1.5", "keine"], "b": ["1", "2"]})
    assert data.schema.input.encode(rows)[1] == (
        "missing values filled with the median of the training rows: a (1)",
    )


def test_a_missing_target_is_refused_and_dates_stay(tmp_path):
    with pytest.raises(DataError, match="target 'age': row 4 has no value"):
        load_dataset(table(), target="age", missing=-999)
    days = pl.datetime_range(pl.datetime(1967, 4, 6), pl.datetime(1967, 6, 4), "1d", eager=True).dt.date()
    frame = pl.DataFrame({"day": days, "size": table()["size"], "y": table()["y"]})
    dated, plain = (load_dataset(frame, target="y", dates="day", missing=one) for one in (-999, None))
    X, remarks = dated.schema.input.encode(frame)  # 1967-04-08 is 999 days before 1970-01-01
    assert np.array_equal(X, plain.schema.input.encode(frame)[0])
    assert remarks == ("left out, as training did not have them: y",)


def test_blanks_are_by_number_and_by_text():
    assert blank_values(pl.Series([1.0, -999.0, None]), ["-999"]).to_list() == [1.0, None, None]
    assert blank_values(pl.Series(["a", " b ", None]), ["b", "-999"]).to_list() == ["a", None, None]
    assert blank_values(pl.Series([True, None]), ["1"]).to_list() == [True, None]
    assert blank_values(pl.Series([2**60, 5]), ["5"]).to_list() == [2**60, None]


SUSPECT = "a number far outside the rest of its column, several times"


@pytest.mark.parametrize("sentinel", [-999, -9999, 9999, 999])
def test_a_suspect_number_is_said_with_the_remedy(tmp_path, sentinel):
    said = f"{SUSPECT}; if it stands for a missing value, name it with --missing: age ({sentinel}, 6 times)"
    assert said in load_dataset(table(sentinel), target="y").remarks
    assert said in audit_source(table(sentinel), target="y").remarks
    assert not any(SUSPECT in one for one in load_dataset(table(sentinel), target="y", missing=sentinel).remarks)
    found = audit_source(table(sentinel), target="y", missing=sentinel)
    assert sum(found.missing_columns["age"].values()) == 6
    assert not any(SUSPECT in one for one in found.remarks)


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        ([1, 2, 3, 999, 999], (999, 2)),
        ([1, 2, 3, 999], None),  # once only
        ([1, 2, 3, -999, -999, 9999, 9999, 9999], (9999, 3)),
        ([100, 500, 900, 999, 999], None),  # not far
        ([0, 1, 999, 999], None),  # too few others to tell
        ([1, 2, 3, 50, 50], None),
        ([-999, -999, -999], None),
        ([], None),
    ],
)
def test_what_is_suspect(numbers, found):
    assert find_sentinel(np.array(numbers, float)) == found


def test_the_remedy_works_on_the_command_line_too():
    frame = pd.DataFrame({"a": [1.0, -999.0] * 20, "b": range(40), "y": ["no", "yes"] * 20})
    data = load_dataset(frame, target="y", missing=[-999.0])
    assert data.train.X["a"].dtype == pl.Float64
    assert data.schema.input.columns[0].mean == 1
