"""What is converted in text, and said: rows and names here, numbers in `test_text_columns.py`."""

import io

import pandas
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassnet.data.read_options import ReadOptions
from glassnet.data.table import read_table
from glassnet.errors import FileError, UsageError


@pytest.fixture
def read(tmp_path):
    """``read(text, name="t.csv", as_text=False, **options)``: the table of such a file, formats and remarks."""

    def read(text, name="t.csv", as_text=False, **options):
        (tmp_path / name).write_bytes(text.encode())
        return read_table(tmp_path / name, ReadOptions(**options), as_text=as_text)

    return read


@pytest.fixture
def refused(read):
    def refused(text, **options):
        with pytest.raises(FileError) as caught:
            read(text, **options)
        return str(caught.value).partition("t.csv: ")[2]

    return refused


@pytest.mark.parametrize("sep", [",", ";", "\t", "|"])
def test_the_header_tells_what_parts_the_columns(read, sep):
    inner = "b c" if sep == "\t" else f"b{sep}c"
    frame, _, remarks, _ = read(f'a{sep}"{inner}"\n1{sep}x\n')
    assert frame.columns == ["a", inner]
    assert frame.rows() == [(1, "x")]
    assert remarks == ()


def test_an_option_or_the_first_line_tells_what_the_header_does_not(read, refused):
    text = "length, cm;b\n1;2\n"
    said = refused(text)
    assert "the header holds commas and semicolons" in said
    assert "--sep" in said
    for options in ({"sep": ";"}, {"sep": "semicolon"}):
        assert read(text, **options).frame.columns == ["length, cm", "b"]
    for first in ("sep=;\n", "SEP=;\r\n", '"sep=;"\n'):
        assert read(first + text).frame.rows() == [(1, 2)]
        assert refused(first + "a;b\n1;2;3\n").startswith("line 3: 3 values")
    assert read("sep=,\na;b\n1;2\n", sep=";").frame.rows() == [(1, 2)]
    assert "line 1: 'x' cannot part columns" in refused("sep=x\naxb\n")


@pytest.mark.parametrize(
    ("sep", "said"), [("tab", "\t"), ("\\t", "\t"), ("space", " "), ("!", "!"), ("^", "^"), ("]", "]")]
)
def test_any_mark_can_part_columns(read, sep, said):
    assert read(f'a{said}b\n"x{said}y"{said}2\n', sep=sep).frame.rows() == [(f"x{said}y", 2)]


@pytest.mark.parametrize("sep", ["", "ab", "x", "1", '"', "\n", ".", "-"])
def test_some_marks_cannot(read, sep):
    with pytest.raises(UsageError, match="sep: takes the character between two columns"):
        read("a,b\n1,2\n", sep=sep)


def test_a_pipe_in_a_name_is_no_separator_where_another_is(read, refused):
    assert read("P(a|b),c\n1,2\n").frame.columns == ["P(a|b)", "c"]
    assert "the header holds no ';' between names" in refused("a,b\n1,2\n", sep=";")


def test_comments_above_the_names_are_left_out(read, refused):
    frame, _, remarks, _ = read("# exported 2024, by me\n#\n\n# end\na,b\n1,2\n")
    assert (frame.columns, frame.rows()) == (["a", "b"], [(1, 2)])
    assert remarks == ("4 lines of comments above the names left out",)
    assert refused("# one\na,b\n1\n").startswith("line 3: 1 value,")
    assert refused("# one\n1,2\n3,4\n").startswith("line 2: all names are numbers")


def test_names_may_begin_with_the_mark_of_comments(read, refused):
    assert read("#id,b\n1,2\n").frame.columns == ["#id", "b"]
    frame, _, remarks, _ = read("# made by hand\n#id,b\n1,2\n3,4\n")
    assert (frame.columns, frame.rows()) == (["#id", "b"], [(1, 2), (3, 4)])
    assert remarks == ("1 line of comments above the names left out",)
    assert read("#id;b\n1;2\n", as_text=True).frame.rows() == [("1", "2")]
    said = refused("#name,colour\nann,red\nbob,blue\n")
    assert said == "line 1: begins with #: a comment, or names? Remove the line, or the #"
    assert "has a header but no rows" in refused("#id,b\n")


@pytest.mark.parametrize("header", ["a,b", "a,b,", "a,b, "])
def test_an_empty_value_behind_each_row_is_left_out(read, header):
    frame, _, remarks, _ = read(header + "\n1,2,\n3,, \n")
    assert (frame.columns, frame.rows()) == (["a", "b"], [(1, 2), (3, None)])
    assert len(remarks) == 1
    assert "is left out" in remarks[0]
    assert read(header + "\n1,2,\n", as_text=True).frame.rows() == [("1", "2")]


def test_but_only_where_every_row_has_one(refused):
    assert refused("a,b\n1,2,\n3,4\n").startswith(
        "line 3: 2 values, but the header has 2 columns, and the first row an empty value more"
    )
    assert refused("a,b\n1,2\n3,4,\n").startswith("line 3: 3 values, but the header has 2 columns")
    assert refused("a,b\n1,2,\n3,4,5\n").startswith("line 3: 3 values")
    assert refused("a,b,\n1,2,\n3,4,5\n").startswith("line 1: column 3 has no name")


@pytest.mark.parametrize("index", [None, [7, 3, 12]], ids=["counted", "drawn"])
def test_the_index_of_pandas_is_left_out(tmp_path, read, index):
    frame = pandas.DataFrame({"a": [0.5, 1.5, 2.5], "b": ["x", "y", "x"]}, index=index)
    once = frame.to_csv()
    twice = pandas.read_csv(io.StringIO(once)).to_csv(index=False)
    for text, called in ((once, "without a name"), (twice, "'Unnamed: 0'")):
        got, _, remarks, _ = read(text)
        assert got.rows() == [(0.5, "x"), (1.5, "y"), (2.5, "x")]
        assert remarks == (f"the first column, {called}, only counts the rows (pandas' index); it is left out",)


def test_other_first_columns_without_a_name_are_refused_but_where_rows_are_read_for_a_model(read, refused):
    for values in ("xy", "11", ("1.5", "2"), ("", "1")):
        text = f",a,b\n{values[0]},1,2\n{values[1]},3,4\n"
        assert refused(text).startswith("line 1: column 1 has no name; give it one, or remove it")
        assert read(text, as_text=True).frame.rows() == [("1", "2"), ("3", "4")]
    assert refused("a,,b\n1,2,3\n").startswith("line 1: column 2 has no name")


def test_a_column_that_is_called_unnamed_stays_where_it_is_wanted_or_is_no_index(read):
    text = "Unnamed: 0,a\n5,1\n7,2\n"
    assert read(text.replace("7", "5") + "5,3\n").frame.width == 2
    assert read(text, target="Unnamed: 0").frame.width == 2
    assert read(text, as_text=True).frame.columns == ["Unnamed: 0", "a"]


@pytest.mark.parametrize(
    "text",
    [
        "10.38,-0.66,bad\n11.2,0.5,good\n",
        "5,3,good\n4,2,bad\n1,2,good\n",
        "5.1,3.5,1.4,0.2,setosa\n4.9,3.0,1.4,0.2,setosa\n",
        "red,small\nblue,large\nred,small\n",
    ],
)
def test_a_row_in_place_of_the_names_is_refused(refused, text):
    assert "a row in place of the header? Add a line with names" in refused(text)


def test_names_that_are_numbers_in_order_are_names(read):
    spectra = ",".join(["kind", *(f"{400 + 0.5 * step}" for step in range(10))])
    assert read(spectra + "\nx" + ",1" * 10 + "\n").frame.width == 11
    assert read("country,2020,2021\nnl,1,2\n").frame.columns == ["country", "2020", "2021"]
    assert read("red,small\nblue,large\nred,tiny\n").frame.columns == ["red", "small"]


def test_as_text_nothing_is_missing_but_empty_cells(read):
    text = 'a,b,c,d\n 007 ,None,"x\n y",\nNA,1.50,,TRUE\n'
    frame, formats, remarks, _ = read(text, as_text=True)
    assert frame.rows() == [("007", "None", "x\n y", None), ("NA", "1.50", None, "TRUE")]
    assert set(frame.dtypes) == {pl.String}
    assert (formats, remarks) == ({}, ())


def test_as_text_one_column_is_enough(read, refused):
    assert read("a\n1\n2\n", as_text=True).frame.rows() == [("1",), ("2",)]
    assert "a single column" in refused("a\n1\n2\n")
    assert "1 column; a table needs two or more" in refused(",a\n0,1\n1,2\n")
    assert read_table(pl.DataFrame({"a": [1]}), as_text=True).frame.rows() == [(1,)]


CELLS = st.text(st.sampled_from(" abAN/?.,;\"'\n01é-"), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELLS, CELLS, st.just("end")), min_size=1, max_size=5), part=st.data())
def test_as_text_a_cell_does_not_depend_on_other_rows(tmp_path, rows, part):
    def read(rows):
        pl.DataFrame(rows, schema=["a", "b", "c"], orient="row").write_csv(
            tmp_path / "t.csv", quote_style="always"
        )
        return read_table(tmp_path / "t.csv", as_text=True).frame.rows()

    whole = read(rows)
    assert whole == [tuple(cell.strip() or None for cell in row) for row in rows]
    row = part.draw(st.integers(0, len(rows) - 1))
    assert read([rows[row]]) == [whole[row]]
