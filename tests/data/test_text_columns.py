import polars as pl
import pytest

from glassnet.data.number_format import NumberFormat
from glassnet.data.read_options import ReadOptions
from glassnet.data.table import read_table
from glassnet.errors import FileError, UsageError


@pytest.fixture
def read(tmp_path):
    """``read(columns, sep=",", **options)``: the table of a file with such columns of text."""

    def read(columns, sep=",", /, **options):
        pl.DataFrame(columns).write_csv(tmp_path / "t.csv", separator=sep, quote_style="necessary")
        return read_table(tmp_path / "t.csv", ReadOptions(**options))

    return read


@pytest.fixture
def refused(read):
    def refused(columns, **options):
        with pytest.raises(FileError) as caught:
            read(columns, **options)
        return str(caught.value).partition("t.csv: ")[2]

    return refused


def test_numbers_that_are_not_plain_are_converted_with_one_remark_for_each_way(read):
    columns = {
        "price": ["1.299,50", "850,25"],
        "width": ["0,5", "n/a"],
        "height": ["12,5", "3"],
        "rate": ["37%", "4%"],
        "count": ["1", "2"],
    }
    frame, formats, remarks, _ = read(columns, ";")
    assert frame.rows() == [(1299.5, 0.5, 12.5, 37, 1), (850.25, None, 3.0, 4, 2)]
    assert frame.dtypes == [pl.Float64, pl.Float64, pl.Float64, pl.Int64, pl.Int64]
    assert formats == {
        "price": NumberFormat(",", "."),
        "width": NumberFormat(","),
        "height": NumberFormat(","),
        "rate": NumberFormat(unit="%"),
    }
    assert remarks == (
        "numbers written with a decimal comma and points between thousands are read as such: 'price' "
        "('1.299,50' as 1299.5)",
        "'n/a' among numbers counts as missing: 'width'",
        "numbers written with a decimal comma are read as such: 'width', 'height' ('0,5' as 0.5)",
        "numbers written with '%' are read as such, the number as it is written: 'rate' ('37%' as 37)",
    )


def test_formats_read_the_text_as_the_table_was_read(read, tmp_path):
    columns = {"a": ["$1,299", "$5"], "b": ["\u22125", "2.5"], "c": ["1 000", "x"[:0]], "d": ["x", "y"]}
    frame, formats, _, _ = read(columns)
    text = read_table(tmp_path / "t.csv", as_text=True).frame
    assert set(formats) == {"a", "b", "c"}
    for name, way in formats.items():
        assert way.parse(text[name]).to_list() == frame[name].to_list()


def test_missing_words_count_in_columns_of_numbers_and_are_text_in_others(read):
    frame, _, remarks, _ = read(
        {"a": ["1", "-", "nil"], "b": ["None", "-", "Gravel"], "c": ["true", "?", "false"]}
    )
    assert frame.rows() == [(1, "None", True), (None, "-", None), (None, "Gravel", False)]
    assert remarks == ("'-' among numbers counts as missing: 'a'",)


def test_numbers_that_begin_with_zeros_are_text(read):
    frame, formats, remarks, _ = read({"zip": ["01234", "12345"], "code": ["007", "n/a"], "x": ["0.5", "0"]})
    assert frame.rows() == [("01234", "007", 0.5), ("12345", "n/a", 0.0)]
    assert formats == {}
    assert remarks == ("numbers that begin with a zero are codes, read as text: 'zip', 'code' ('01234')",)


def test_whole_numbers_keep_their_digits_up_to_64_bits_and_are_text_beyond(read):
    columns = {
        "signed": ["9007199254740993", "-9223372036854775808"],
        "unsigned": ["18446744073709551615", "1"],
        "long": ["18446744073709551616", "1"],
        "mixed": ["18446744073709551615", "-1"],
        "fraction": ["18446744073709551616", "0.5"],
    }
    frame, _, remarks, _ = read(columns)
    assert frame.dtypes == [pl.Int64, pl.UInt64, pl.String, pl.String, pl.Float64]
    assert frame.row(0)[:4] == (2**53 + 1, 2**64 - 1, str(2**64), str(2**64 - 1))
    assert remarks == (
        "whole numbers of more than 64 bits are read as text: 'long', 'mixed' ('18446744073709551616')",
    )


AMBIGUOUS = {
    "a comma parts columns": ({"a": ["1,299", "850"], "b": ["x", "y"]}, ",", 1299, True),
    "other columns have commas": ({"a": ["1,299", "850"], "b": ["0,5", "1,2"]}, ";", 1.299, True),
    "other columns have points": ({"a": ["1,299", "850"], "b": ["0.5", "1.2"]}, ";", 1299, True),
    "a semicolon parts columns": ({"a": ["1,299", "850"], "b": ["x", "y"]}, ";", 1.299, False),
    "points, other commas": ({"a": ["1.299", "2.850"], "b": ["0,5", "1,2"]}, ";", 1299, True),
    "points, other points": ({"a": ["1.299", "850"], "b": ["0.5", "1.2"]}, ";", 1.299, True),
    "points, comma parts columns": ({"a": ["1.299", "2.850"], "b": ["x", "y"]}, ",", 1.299, True),
    "points, semicolon": ({"a": ["1.299", "2.850"], "b": ["x", "y"]}, ";", 1.299, False),
    "points, some without": ({"a": ["1.299", "850"], "b": ["x", "y"]}, ",", 1.299, False),
    "points, semicolon, some without": (
        {"a": ["1.299", "850", "2.450", "3.100"], "b": ["x", "y", "x", "y"]},
        ";",
        1299,
        False,
    ),
    "dollars": ({"a": ["$1.299", "$850"], "b": ["x", "y"]}, ",", 1.299, False),
    "euros": ({"a": ["1.299 €", "850 €"], "b": ["x", "y"]}, ",", 1299, True),
}


@pytest.mark.parametrize(("columns", "sep", "value", "is_certain"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_three_digits_behind_a_mark_are_read_as_the_rest_of_the_file_tells(read, columns, sep, value, is_certain):
    frame, _, remarks, _ = read(columns, sep)
    assert frame["a"][0] == value
    doubts = [remark for remark in remarks if "one mark before three digits" in remark]
    assert len(doubts) == (not is_certain)
    other = 1299 if value == 1.299 else 1.299
    for option in ("thousands", "decimal") if doubts else ():
        mark = "," if "," in columns["a"][0] else "."
        assert f"--{option} {mark}" in doubts[0]
        assert other in [read(columns, sep, **{one: mark}).frame["a"][0] for one in ("thousands", "decimal")]
        assert not any("three digits" in remark for remark in read(columns, sep, **{option: mark}).remarks)


def test_where_nothing_tells_both_readings_are_named(read, refused, tmp_path):
    (tmp_path / "t.csv").write_text("a\tb\n1,299\tx\n850\ty\n")
    with pytest.raises(FileError, match=r"line 2, column 'a': '1,299' may be 1299 or 1\.299"):
        read_table(tmp_path / "t.csv")
    assert read_table(tmp_path / "t.csv", ReadOptions(decimal=",")).frame["a"][0] == 1.299


def test_options_name_the_marks_for_all_columns(read):
    frame, formats, remarks, _ = read({"a": ["1.299", "2"], "b": ["3", "4"], "c": ["x", "y"]}, ",", thousands=".")
    assert frame.rows() == [(1299, 3, "x"), (2, 4, "y")]
    assert formats == {"a": NumberFormat(",", "."), "b": NumberFormat(",", ".")}
    assert remarks == ()
    with pytest.raises(UsageError, match="decimal: takes"):
        read({"a": ["1"], "b": ["2"]}, decimal="x")


def test_all_problems_of_a_file_are_told_at_once(refused):
    columns = {f"c{number}": ["1", "2", f"word {number}"] for number in range(7)} | {"m": ["1_000", "2", "3"]}
    said = refused(columns)
    assert said.startswith("line 4, column 'c0': 'word 0' is no finite number, but 2 of 3 values are; line 4, ")
    assert "column 'c4'" in said
    assert "column 'c5'" not in said
    assert "3 more columns such as these" in said
    assert said.count("correct the values") == 1
    assert "--categorical" in said
    assert said.isprintable()


def test_the_remedies_work_when_followed(read):
    columns = {"size": ["1.5", "2", "XL"], "x": ["1", "2", "oh"], "y": ["3", "4", "four"], "z": ["1", "2", "3"]}
    frame, _, remarks, _ = read(columns, categorical=("size",), drop=("x",), target="y", task="multi-class")
    assert frame["size"].to_list() == ["1.5", "2", "XL"]
    assert frame["y"].to_list() == ["3", "4", "four"]
    assert frame["z"].dtype == pl.Int64
    assert remarks == ()
    assert read(columns, columns=("z",), target="z").frame["z"].to_list() == [1, 2, 3]


def test_a_target_to_regress_must_be_numbers(refused):
    assert "column 'y': 'four'" in refused({"y": ["3", "4", "four"], "z": "abc"}, target="y", task="regression")


def test_marks_that_are_not_known_are_named_with_the_option(read, refused):
    columns = {"a": ["5", "7", "1_000"], "b": ["x", "y", "z"]}
    said = refused(columns)
    assert said.startswith("line 4, column 'a': '1_000' is no number as 1234.5 is")
    assert "--thousands" in said
    assert read(columns, thousands="_").frame["a"].to_list() == [5, 7, 1000]
