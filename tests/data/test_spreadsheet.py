import datetime
import sys
import zipfile

import polars as pl
import pytest
import xlsxwriter

from glassnet.data import untrusted_files
from glassnet.data.number_format import NumberFormat
from glassnet.data.read_options import ReadOptions
from glassnet.data.table import read_table
from glassnet.errors import FileError, UsageError

ROWS = [["age", "colour", "ok", "dose"], [31, "red", True, 0.1 + 0.2], [None, "blue", False, 1e-300]]


@pytest.fixture
def book(tmp_path):
    """``book(rows, other_sheet=rows, top=0, left=0)``: the path of a workbook with the sheets First and others."""

    def book(rows, top=0, left=0, **others):
        path = tmp_path / "t.xlsx"
        with xlsxwriter.Workbook(path) as workbook:
            dates = workbook.add_format({"num_format": "yyyy-mm-dd"})
            for name, cells in {"First": rows, **others}.items():
                sheet = workbook.add_worksheet(name)
                for row, values in enumerate(cells, top):
                    for column, value in enumerate(values, left):
                        if isinstance(value, str):
                            sheet.write_string(row, column, value)
                        elif isinstance(value, datetime.datetime):
                            sheet.write_datetime(row, column, value, dates)
                        elif value is not None:
                            sheet.write(row, column, value)
        return path

    return book


def refused(path, **options):
    with pytest.raises(FileError) as caught:
        read_table(path, ReadOptions(**options))
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize(("top", "left"), [(0, 0), (3, 2)])
def test_cells_keep_their_types(decode_here, book, top, left):
    read = read_table(book(ROWS, top, left))
    assert read.frame.schema == {"age": pl.Int64, "colour": pl.String, "ok": pl.Boolean, "dose": pl.Float64}
    assert read.frame.rows() == [(31, "red", True, 0.3), (None, "blue", False, 1e-300)]
    assert read.remarks == ()
    day = datetime.datetime(2024, 5, 31)
    assert read_table(book([["day", "x"], [day, 1]])).frame.row(0) == (day, 1)


def test_a_process_of_its_own_decodes(book):
    assert read_table(book(ROWS)).frame.height == 2
    assert "has no sheet 'Third'" in refused(book(ROWS), sheet="Third")


def test_one_sheet_is_read(decode_here, book):
    path = book(ROWS, Second=[["a", "b"], [1, 2]])
    read = read_table(path)
    assert read.frame.columns == ROWS[0]
    assert read.remarks == ("of its sheets 'First', 'Second' the first is read",)
    second = read_table(path, ReadOptions(sheet="Second"))
    assert (second.frame.rows(), second.remarks) == ([(1, 2)], ())
    assert "has no sheet 'x'; its sheets are 'First', 'Second'" in refused(path, sheet="x")


def test_text_in_cells_is_read_as_in_files_of_text(decode_here, book):
    path = book([["price", "code", "x"], ["1.299,50", "007", 1 / 3], ["2,5", "012", "n/a"], ["3,5", "1", 2**50]])
    read = read_table(path)
    assert read.frame.rows() == [(1299.5, "007", 0.3333333333333333), (2.5, "012", None), (3.5, "1", 2.0**50)]
    assert read.formats == {"price": NumberFormat(",", ".")}
    assert len(read.remarks) == 3
    text = read_table(path, as_text=True).frame
    assert text.rows()[0] == ("1.299,50", "007", "0.3333333333333333")
    assert text["x"][1] == "n/a"
    assert refused(book([["a", "b"], [1, 2], [2, 2], ["word", 2]])).startswith(
        "row 4 of the sheet, column 'a': 'word' is no finite"
    )


@pytest.mark.parametrize("word", ["NA", "n/a", "None", "null", "#N/A", "-"])
def test_words_are_text_alone_and_among_others(decode_here, book, word):
    alone, among = book([["a", "b"], [word, 1]]), None
    assert read_table(alone, as_text=True).frame["a"].to_list() == [word]
    among = book([["a", "b"], [word, 1], [0.1, 2], ["Gravel", 3]])
    assert read_table(among, as_text=True).frame["a"].to_list() == [word, "0.1", "Gravel"]


def test_the_index_of_pandas_and_empty_columns_are_left_out(decode_here, book):
    rows = [[None, "a", "b", None], [0, 1.5, "x", None], [1, 2.5, "y", " "]]
    read = read_table(book(rows))
    assert read.frame.rows() == [(1.5, "x"), (2.5, "y")]
    assert read.remarks == (
        "the first column, without a name, only counts the rows (pandas' index); it is left out",
    )
    assert "column 1 has no name" in refused(book([[None, "a", "b"], [3.5, 1, 2]]))
    assert "column 2 has no name" in refused(book([["a", None], [1, 2]]))


def test_bad_sheets_are_refused(decode_here, book):
    assert "has nothing on its sheet 'First'" in refused(book([]))
    assert "has columns but no rows" in refused(book([["a", "b"]]))
    assert "1 column; a table needs two" in refused(book([["a"], [1]]))
    assert "columns 1 and 3 are both called 'a'" in refused(book([["a", "b", "a"], [1, 2, 3]]))
    assert "all names are numbers" in refused(book([[1.5, 2.5], [1, 2]]))
    assert "row 3 of the sheet is empty, but rows follow" in refused(
        book([["a", "b"], [1, 2], [None, None], [3, 4]])
    )


def test_bad_files_are_refused(book, tmp_path):
    path = book(ROWS)
    good = path.read_bytes()
    for content, said in [
        (b"", "is empty"),
        (b"a,b\n1,2\n", "begins with 61 2c 62 0a, expected the magic number 50 4b 03 04"),
        (b"\xd0\xcf\x11\xe0" + bytes(99), "an old Excel sheet: save it as CSV"),
        (good[:-50], "is damaged"),
        (good[:100] + b"\xff" * 200 + good[300:], "is damaged"),
    ]:
        path.write_bytes(content)
        assert said in refused(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
    assert "is a zip, but no workbook" in refused(path)


def test_a_sheet_that_is_mostly_empty_space_takes_no_memory(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "far.xlsx") as workbook:
        sheet = workbook.add_worksheet()
        sheet.write(0, 0, "a")
        sheet.write(1_048_575, 16_383, 1)
    assert "needs too much memory" in refused(tmp_path / "far.xlsx")


def test_a_bomb_is_refused(decode_here, book, monkeypatch):
    monkeypatch.setattr(untrusted_files, "FREE_EXPANSION", 1000)
    monkeypatch.setattr(untrusted_files, "EXPANSION", 0.5)
    assert "more than is believed" in refused(book(ROWS))


def test_without_fastexcel_the_extra_is_named(book, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(UsageError, match=r"pip install 'glassnet\[xlsx\]'"):
        read_table(book(ROWS))


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("t.xlsx", {"sep": ","}, "sep: goes with text, such as CSV"),
        ("t.xlsx", {"encoding": "latin-1"}, "encoding: goes with text"),
        ("t.parquet", {"decimal": ","}, "decimal: goes with text"),
        ("t.csv", {"sheet": "First"}, "sheet: goes with a workbook"),
    ],
)
def test_options_that_say_nothing_of_a_file_are_refused(decode_here, book, tmp_path, name, options, said):
    book(ROWS)
    pl.DataFrame({"a": [1], "b": [2]}).write_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match=said):
        read_table(tmp_path / name, ReadOptions(**options))
    assert read_table(tmp_path / name, ReadOptions(**options), as_text=True).frame.height
