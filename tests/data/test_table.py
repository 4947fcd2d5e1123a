import gzip
import io
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pandas
import polars as pl
import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris, load_wine

from glassnet.data import decoding, delimited_text, untrusted_files
from glassnet.data import parquet as parquet_file
from glassnet.data.read_options import ReadOptions
from glassnet.data.table import read_table
from glassnet.data.table_schema import find_index
from glassnet.errors import DataError, FileError

FRAME = pl.DataFrame({"age": [31, None, 28], "dose": [0.5, 1.25, -3.0], "colour": ["red", "blue", "red"]})


def read(source, **options):
    return read_table(source, **options).frame


def refused(path):
    """Return the message with which `path` is refused, after checking that it is one line and names the file."""
    with pytest.raises(FileError) as caught:
        read_table(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    assert len(message) < len(str(path)) + 800
    return message.removeprefix(f"{path}: ")


def written(folder, content, name="table.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def parquet(frame, **options):
    buffer = io.BytesIO()
    frame.write_parquet(buffer, **options)
    return buffer.getvalue()


def test_types_of_columns_are_told_by_all_their_values(tmp_path):
    text = "whole,number,truth,word,nothing\n1,1.5,true,x,\n-2, 2 ,FALSE,1,\n+3,NA,?,,\n,1e-3,,3+,\n"
    frame = read(written(tmp_path, text))
    assert frame.schema == {
        "whole": pl.Int64,
        "number": pl.Float64,
        "truth": pl.Boolean,
        "word": pl.String,
        "nothing": pl.Null,
    }
    assert frame.rows() == [
        (1, 1.5, True, "x", None),
        (-2, 2.0, False, "1", None),
        (3, None, None, None, None),
        (None, 0.001, None, "3+", None),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
@pytest.mark.parametrize(("delimiter", "name"), [(",", "t.csv"), (";", "t.csv"), ("\t", "t.txt"), ("\t", "T.TSV")])
def test_delimiters_line_ends_and_marks(tmp_path, delimiter, name, end, mark):
    lines = ["a,b", '"x, ""y"";\tz",1', '"",2', "u,3", ""]
    text = end.join(lines).replace("a,b", f"a{delimiter}b")
    for number in "123":
        text = text.replace(f",{number}", delimiter + number)
    path = written(tmp_path, mark + text.encode(), name)
    assert read(path).rows() == [('x, "y";\tz', 1), (None, 2), ("u", 3)]
    packed = written(tmp_path, gzip.compress(mark + text.encode()), name + ".gz")
    assert read(str(packed)).equals(read(path))


def test_a_tsv_may_hold_commas_in_its_header(tmp_path):
    assert read(written(tmp_path, "length, cm\tb\n1\t2\n", "t.tsv")).columns == ["length, cm", "b"]
    assert "holds commas and tabs" in refused(written(tmp_path, "length, cm\tb\n1\t2\n", "t.txt"))
    assert read(written(tmp_path, '"length, cm";b\n1;2\n')).columns == ["length, cm", "b"]


def test_quoted_line_ends_stay_and_later_lines_are_counted_right(tmp_path):
    assert read(written(tmp_path, 'a,b\n"x\ny",1\nz,2\nz,3\n'))["a"].to_list() == ["x\ny", "z", "z"]
    assert refused(written(tmp_path, 'a,b\n"x\n\ny",1\nz,2\nz\n')).startswith("line 6: 1 value,")
    assert refused(written(tmp_path, 'a,b\n"x\n\ny",1\nz,2\nz,inf\n')).startswith("line 6, column 'b': 'inf'")


def test_parts_are_put_together_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited_text, "CHUNK", 10)
    frame = read(written(tmp_path, "a,b\n" + "".join(f"{i},w{i}\n" for i in range(1000))))
    assert frame["a"].to_list() == list(range(1000))
    assert frame["b"].to_list() == [f"w{i}" for i in range(1000)]


BAD_TEXT = {
    "empty": (b"", "is empty"),
    "only a mark": (b"\xef\xbb\xbf", "line 1: blank"),
    "blank header": ("\na,b\n1,2\n", "line 1: blank, where the names of the columns should be"),
    "header only": ("a,b\n", "has a header but no rows"),
    "header without its end": ("a,b", "has a header but no rows"),
    "only blanks below": ("a,b\n\n\n", "has a header but no rows"),
    "short row": ("a,b,c\n1,2,3\n4,5\n", "line 3: 2 values, but the header has 3 columns"),
    "long row": ("a,b\n1,2\n4,5,6\n", "line 3: 3 values, but the header has 2 columns"),
    "blank line": ("a,b\n1,2\n\n3,4\n", "line 3: blank, but rows follow"),
    "line of spaces": ("a,b\n1,2\n  \n", "line 3: 1 value, but"),
    "many blank lines": ("a,b\n1,2\n" + "\n" * 200, "line 103: more than 100 blank lines"),
    "open quote": ('a,b\n1,"2\n3,4\n', "line 2: a quote opens here and never closes"),
    "open quote, long": (
        'a,b\n1,"' + "2\n" * 10**5,
        "line 2: a value of more than 131,072 characters, or a quote",
    ),
    "open quote in header": ('a,"b\n1,2\n', "line 1: a quote that does not close"),
    "quote within": ('a,b\nx"y,1\n', "line 2: a quote within a value that is not quoted"),
    "quote after a blank": ('a,b\n1, "x"\n', "line 2: a quote within"),
    "text after quote": ('a,b\n"x"y,1\n', "line 2: text after a closing quote"),
    "NUL": (b"a,b\n1,\x002\n", "line 2: byte 3 is NUL"),
    "NUL in header": (b"a,b\0\n1,2\n", "line 1: byte 4 is NUL"),
    "Latin 1": ("a,b\n1,2\ncafé,4\n".encode("latin-1"), "line 3: byte 4 is 0xe9, which is not UTF-8"),
    "Latin 1 header": ("é,b\n1,2\n".encode("latin-1"), "line 1: byte 1 is 0xe9"),
    "surrogate": (b"a,b\n1,\xed\xa0\x80\n", "line 2: byte 3 is 0xed"),
    "UTF-8 cut": ("a,b\n1,é".encode()[:-1], "line 2: byte 3 is 0xc3"),
    "UTF-16 without mark": ("a,b\n1,2\n".encode("utf-16-le"), "line 1: byte 2 is NUL"),
    "same name twice": ("a,b,a\n1,2,3\n", "line 1: columns 1 and 3 are both called 'a'"),
    "same name but blanks": ("a, a\n1,2\n", "columns 1 and 2 are both called 'a'"),
    "no name": ("a,,c\n1,2,3\n", "line 1: column 2 has no name"),
    "blank name": ("a,b, \n1,2,3\n", "line 1: column 3 has no name"),
    "quoted empty name": ('a,""\n1,2\n', "column 2 has no name"),
    "unprintable name": ("a,b\x1b[2J\n1,2\n", "the name of column 2 holds a character that cannot be printed"),
    "huge name": ("a," + "b" * 5000 + "\n1,2\n", "the name of column 2 has 5,000 characters"),
    "huge name over the csv limit": ("a," + "b" * 200_000 + "\n1,2\n", "line 1: a value of more than 131,072"),
    "no header": ("1.5,2e3\n3,4\n", "line 1: all names are numbers"),
    "one column": ("a\n1\n2\n", "line 1: a single column"),
    "two delimiters": ("a,b;c\n1,2\n", "the header holds commas and semicolons"),
    "too many columns": (",".join(f"c{i}" for i in range(100_001)) + "\n", "100,001 columns; at most 100,000"),
    "huge value": ("a,b\n1," + "x" * 200_000 + "\n", "line 2: a value of more than 131,072 characters"),
    "huge line": (b"a,b\n" + b"1," * (1 << 23) + b"1\n", "line 2: longer than the 16,777,216 bytes"),
    "huge row of many lines": ('a,b\n1,"' + ("x" * 1000 + '\n","') * 17_000, "line 2: longer than the 16,777,216"),
    "return in a row": (b"a,b\n1,2\r3,4\n", "line 2: a carriage return within the line"),
    "underscore": ("a,b\n5,x\n7,x\n1_000,y\n", "line 4, column 'a': '1_000' is no number"),
    "infinite": ("a,b\n1,x\n2,y\n-inf,z\n", "line 4, column 'a': '-inf' is no finite number, but 2 of 3"),
    "overflow": ("a,b\n1,x\n2,y\n1e999,z\n", "line 4, column 'a': '1e999' is no finite number"),
    "word among numbers": ("a,b\n1,x\n2,y\nthree,z\n", "line 4, column 'a': 'three' is no finite number"),
    "unit": ("a,b\n1,x\n2,y\n3 kg,z\n", "line 4, column 'a': '3 kg'"),
    "hexadecimal": ("a,b\n1,x\n2,y\n0x10,z\n", "line 4, column 'a': '0x10'"),
    "escape sequence": ("a,b\n1,x\n2,y\n\x1b[2J,z\n", r"line 4, column 'a': '\x1b[2J'"),
    "long word": ("a,b\n1,x\n2,y\n" + "w" * 9999 + ",z\n", "'wwwwwwwwwwwwwwwwwwwwwwwwwwwwww...'"),
    "Parquet called CSV": (parquet(FRAME), "is no text as its name says"),
    "old Excel": (b"\xd0\xcf\x11\xe0" + bytes(50), "save it as CSV"),
    "PDF": (b"%PDF-1.7\n", "it is PDF"),
}


@pytest.mark.parametrize(("content", "said"), BAD_TEXT.values(), ids=BAD_TEXT)
def test_bad_text_is_refused_with_its_line(tmp_path, content, said):
    assert said in refused(written(tmp_path, content))
    if content and "its name" not in said and not {"sheet", "PDF", "UTF-16:", "gzip"} & set(said.split()):
        packed = gzip.compress(content if isinstance(content, bytes) else content.encode(), 1)
        if "save it as CSV" not in said:
            assert said in refused(written(tmp_path, packed, "table.csv.gz"))


GOOD_PARQUET = parquet(FRAME)
FOOTER = int.from_bytes(GOOD_PARQUET[-8:-4], "little")
BODY = GOOD_PARQUET[: -8 - FOOTER]
NO_FOOTER = BODY + b"\xff" * FOOTER + GOOD_PARQUET[-8:]

BAD_PARQUET = {
    "empty": (b"", "is empty"),
    "text": (b"a,b\n1,2\n", "is no Parquet file"),
    "magic only": (b"PAR1", "is cut short"),
    "magic twice": (b"PAR1PAR1", "is cut short"),
    "cut": (GOOD_PARQUET[:-1], "is cut short"),
    "cut in half": (GOOD_PARQUET[: len(GOOD_PARQUET) // 2], "is cut short"),
    "more behind": (GOOD_PARQUET + b"x", "is cut short"),
    "footer too long": (GOOD_PARQUET[:-8] + b"\xff\xff\xff\x7fPAR1", "promise a footer of 2,147,483,647 bytes"),
    "footer of nothing": (GOOD_PARQUET[:-8] + bytes(4) + b"PAR1", "is damaged"),
    "footer of noise": (NO_FOOTER, "is damaged"),
    "body of noise": (b"PAR1" + b"\xff" * (len(BODY) - 4) + GOOD_PARQUET[-8 - FOOTER :], "is damaged"),
    "body gone": (b"PAR1" + GOOD_PARQUET[-8 - FOOTER :], "is damaged"),
}

BAD_CONTENT = {
    "list": (parquet(FRAME.with_columns(x=pl.lit([1, 2]))), "column 'x' is nested ('List"),
    "struct": (parquet(FRAME.with_columns(x=pl.struct("age", "dose"))), "column 'x' is nested ("),
    "binary": (parquet(FRAME.with_columns(x=pl.lit(b"ab"))), "column 'x' holds Binary"),
    "no rows": (parquet(FRAME.clear()), "has columns but no rows"),
    "one column": (parquet(FRAME.select("age")), "1 column; a table needs two"),
    "infinite": (
        parquet(FRAME.with_columns(x=pl.Series([1.0, 2.0, float("inf")]))),
        "row 3, column 'x': infinite",
    ),
    "no name": (parquet(FRAME.rename({"dose": ""})), "column 2 has no name"),
    "unprintable name": (parquet(FRAME.rename({"dose": "a\nb"})), "column 2 holds a character"),
    "same name but blanks": (parquet(FRAME.rename({"dose": " age"})), "are both called 'age'"),
}


@pytest.mark.parametrize(("content", "said"), BAD_PARQUET.values(), ids=BAD_PARQUET)
def test_bad_parquet_is_refused(tmp_path, content, said, capfd):
    assert said in refused(written(tmp_path, content, "table.parquet"))
    assert capfd.readouterr() == ("", "")  # a panic of Polars would be written there


@pytest.mark.parametrize(("content", "said"), BAD_CONTENT.values(), ids=BAD_CONTENT)
def test_parquet_that_holds_no_plain_table_is_refused(decode_here, tmp_path, content, said):
    assert said in refused(written(tmp_path, content, "table.parquet"))


@pytest.mark.parametrize("compression", ["uncompressed", "snappy", "gzip", "lz4", "zstd", "brotli"])
def test_parquet_comes_back(decode_here, tmp_path, compression):
    got = read(written(tmp_path, parquet(FRAME, compression=compression), "table.parquet"))
    assert got.equals(FRAME)
    assert got.schema == FRAME.schema


def test_a_process_of_its_own_decodes_and_a_name_that_looks_like_a_pattern_is_a_name(tmp_path):
    path = written(tmp_path, GOOD_PARQUET, "t[1]*.parquet")
    assert read(path).equals(FRAME)
    assert "column 'x' is nested ('List" in refused(written(tmp_path, BAD_CONTENT["list"][0], "t.parquet"))


def test_damaged_gzip_is_refused(tmp_path):
    good = gzip.compress(b"a,b\n1,2\n" * 1)
    for content, said in [
        (good[:-4], "ends in the middle"),
        (good[:5], "ends in the middle"),
        (good[:-8] + bytes([good[-8] ^ 1]) + good[-7:], "CRC check failed"),
        (good + b"trailing", "is damaged"),
        (good[:2] + b"\xff" + good[3:], "is damaged"),
    ]:
        assert said in refused(written(tmp_path, content, "t.csv.gz"))


def test_missing_files_folders_and_other_names_are_refused(tmp_path):
    assert "No such file" in refused(tmp_path / "missing.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "is not a regular file" in refused(tmp_path / "folder.csv")
    for name in ("table", "table.parquet.gz", "table.json", "table.pkl", "table.xls"):
        said = refused(written(tmp_path, "a,b\n1,2\n", name))
        assert "has a name of no known format" in said
        assert f"if so, call it {name.removesuffix('.gz').split('.')[0]}" in said
    assert "by its first bytes it is Parquet" in refused(written(tmp_path, GOOD_PARQUET, "table"))
    assert "save it as one of them" in refused(written(tmp_path, b"\0\1\2", "table.bin"))


@pytest.mark.parametrize("name", ["pipe.csv", "pipe.parquet"])
def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path, name):
    os.mkfifo(tmp_path / name)
    messages = []
    reader = threading.Thread(target=lambda: messages.append(refused(tmp_path / name)), daemon=True)
    reader.start()
    reader.join(timeout=5)
    assert messages == ["is not a regular file"]


def test_a_decoder_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "DECODER_SECONDS", 0)
    assert "is damaged: not decoded after 0 s" in refused(written(tmp_path, GOOD_PARQUET, "t.parquet"))


def test_more_cells_than_bytes_can_hold_are_not_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(untrusted_files, "FREE_EXPANSION", 1)
    monkeypatch.setattr(untrusted_files, "EXPANSION", 0.001)
    path = written(tmp_path, GOOD_PARQUET, "t.parquet")
    code, said = decoding.answer(parquet_file.write_arrow, [str(path), str(tmp_path / "out")])
    assert (code, b"more than is believed" in said) == (2, True)


def test_tables_in_memory():
    data = {"age": [31.0, float("nan")], "word": ["x", None], "truth": [True, False]}
    expected = [(31.0, "x", True), (None, None, False)]
    for source in (pl.DataFrame(data, strict=False), pandas.DataFrame(data), pyarrow.table(data)):
        assert read(source).rows() == expected
    assert read(pandas.DataFrame({"columns": [1], "column_names": [2]}, index=["i"])).rows() == [(1, 2)]
    assert read(pandas.DataFrame([[1, 2]])).columns == ["0", "1"]


def indexed():
    """A table of pandas with an index drawn without a name, and one that counts the rows and has one."""
    frame = pandas.DataFrame({"a": [0.5, 1.5, 2.5], "b": ["x", "y", "x"]})
    yield "__index_level_0__", frame.set_axis([7, 3, 12])
    yield "id", frame.rename_axis("id")


def test_the_index_of_pandas_is_left_out_of_parquet_and_arrow(decode_here, tmp_path):
    for name, frame in indexed():
        frame.to_parquet(tmp_path / "t.parquet", index=True)
        arrow = pyarrow.Table.from_pandas(frame, preserve_index=True)
        for source in (tmp_path / "t.parquet", arrow):
            got = read_table(source)
            assert got.frame.rows() == [(0.5, "x"), (1.5, "y"), (2.5, "x")]
            assert got.remarks == (f"left out, as it only holds pandas' index: '{name}'",)
        said = []
        with parquet_file.scan_parquet(tmp_path / "t.parquet", said) as (lazy, rows, names):
            assert (lazy.collect().columns, rows, names) == (["a", "b"], 3, ["a", "b"])
        assert len(said) == 1
        assert read_table(frame).frame.columns == ["a", "b"]


def test_an_index_with_a_name_that_does_not_count_the_rows_is_a_column(decode_here, tmp_path):
    frame = pandas.DataFrame({"a": [0.5, 1.5], "b": ["x", "y"]}, index=pandas.Index([1, 2], name="age"))
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").frame.columns == ["a", "b", "age"]
    frame.reset_index().to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").frame.columns == ["age", "a", "b"]


@pytest.mark.parametrize(
    "metadata", ["[" * 10**5, "{", "[]", '{"index_columns": 3}', '{"index_columns": [{}, "no", 1]}']
)
def test_what_metadata_claim_of_an_index_is_not_believed(metadata):
    assert find_index(FRAME.lazy(), metadata) == []


@pytest.mark.parametrize(
    ("values", "index"), [([0, 1, 2], ["id"]), ([0, 2, 1], []), ([0, 1, 3], []), ([1, 2, 3], [])]
)
def test_a_named_index_is_one_only_if_it_counts_all_rows(values, index):
    table = pl.DataFrame({"id": values, "a": [0.5, 0.25, 0.125]})
    assert find_index(table.lazy(), '{"index_columns": ["id"]}') == index


def test_the_named_index_of_a_table_of_pandas_is_left_out_and_that_is_said():
    table = pandas.DataFrame({"a": [1, 2], "b": [3, 4], "age": [5, 6], "size": [7, 8]})
    assert read_table(table).remarks == ()
    assert read_table(table.sample(frac=1, random_state=0)).remarks == ()
    got = read_table(table.set_index(["age", "size"]))
    assert got.frame.columns == ["a", "b"]
    assert got.remarks == (
        "left out, as pandas' index is no column: 'age', 'size'; table.reset_index() makes columns of it",
    )


def bad_tables():
    column = pyarrow.array([1, 2])
    yield pandas.DataFrame([[1, 2]], columns=["a", "a"]), "columns 1 and 2 are both called 'a'"
    yield pandas.DataFrame({"a": [1, "x", {}], "b": 1}), "Polars cannot take over this table of pandas"
    yield pandas.DataFrame({"a": [], "b": []}), "has columns but no rows"
    yield pandas.DataFrame({"a": [1]}), "1 column"
    yield pyarrow.table([column, column], names=["a", "a"]), "both called 'a'"
    yield pyarrow.table({"a": [[1], [2]], "b": [1, 2]}), "column 'a' is nested"
    yield FRAME.lazy(), "got polars.lazyframe.frame.LazyFrame; give table.collect()"
    yield FRAME["age"], "got polars.series.series.Series"
    yield pl.DataFrame(), "0 columns"
    yield pl.DataFrame({"a": [1.0, float("-inf")], "b": 1}), "row 2, column 'a': infinite"
    yield pl.DataFrame({"a": [object()], "b": [1]}), "column 'a' holds Object"
    yield {"a": [1]}, "got dict; pandas.DataFrame(...) makes a table of it"
    yield [{"a": 1}], "got list; pandas.DataFrame(...) makes a table of it"
    yield np.zeros((2, 2)), "got numpy.ndarray; of arrays, Dataset.from_arrays(X, y) makes a data set"
    yield None, "got NoneType"


def test_bad_tables_in_memory_are_refused():
    for source, said in bad_tables():
        with pytest.raises(DataError) as caught:
            read(source)
        assert str(caught.value).startswith("table: ")
        assert said in str(caught.value)
        assert str(caught.value).isprintable()


def test_without_polars_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(DataError, match=r"pip install 'glassnet\[tables\]'"):
        read("t.csv")


def test_importing_the_module_imports_no_polars():
    code = "import sys, glassnet.data.table, glassnet.data.columns; print('polars' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"


@pytest.mark.parametrize("load", [load_iris, load_wine])
def test_real_tables_written_and_read_back(decode_here, tmp_path, load):
    bunch = load()
    names = [name.replace(",", "") for name in bunch.feature_names]
    frame = pl.DataFrame(bunch.data, schema=names).with_columns(kind=bunch.target_names[bunch.target])
    frame.write_csv(tmp_path / "t.csv")
    frame.write_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        got = read(tmp_path / name)
        assert got.columns == [*names, "kind"]
        assert (got.select(names).to_numpy() == bunch.data).all()
        assert got["kind"].to_list() == bunch.target_names[bunch.target].tolist()


MEASURE = """
import re, resource, sys, polars, glassnet.data.table
# Not ru_maxrss for this process: it begins with the peak of the process that started it, here pytest.
own = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
peak = lambda: max(own(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
before = peak()
try:
    honest = glassnet.data.table.read_table(sys.argv[1]).frame.estimated_size()
except glassnet.errors.FileError as error:
    honest = 0
print(peak() * 1024 - before * 1024, honest)
"""


def measured(path):
    """Return the bytes that reading takes, of this process or of the decoder, those of the table, and seconds."""
    began = time.perf_counter()
    answer = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    used, honest = map(int, answer.stdout.split())
    return used, honest, time.perf_counter() - began


def large(folder, kind):
    if kind == "long":
        return written(folder, "a,b\n" + "1,2.5\n" * 1_500_000)
    if kind == "text":
        return written(folder, "a,b\n" + f"{'word' * 30},{'x' * 90}\n" * 200_000)
    if kind == "wide":
        header = ",".join(f"column{i}" for i in range(20_000))
        return written(folder, header + "\n" + ("0.125," * 19_999 + "1\n") * 150)
    if kind == "packed":
        return written(folder, gzip.compress(b"a,b\n" + b"1,2.5\n" * 1_500_000), "t.csv.gz")
    if kind == "bomb of one line":
        return written(folder, gzip.compress(b"a,b\n" + b"1" * 10**9, 1), "t.csv.gz")
    if kind == "bomb in quotes":
        return written(folder, gzip.compress(b'a,b\n1,"' + b"1\n" * 10**8, 1), "t.csv.gz")
    frame = pl.DataFrame({f"c{i}": pl.int_range(10**6, eager=True) * 0.37 for i in range(8)})
    return written(folder, parquet(frame), "t.parquet")


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["long", "text", "wide", "packed", "bomb of one line", "bomb in quotes", "long Parquet"]
)
def test_memory_is_bounded_by_what_the_table_holds(tmp_path, kind):
    path = large(tmp_path, kind)
    used, honest, seconds = measured(path)
    honest = max(honest, path.stat().st_size)
    print(f"{kind}: {used / 1e6:.0f} MB for {honest / 1e6:.0f} MB, {seconds:.1f} s")  # noqa: T201
    assert used < 2 * honest + 220e6


def damaged(content, rng_bytes):
    """Return content after a few cuts, flips and insertions that the drawn list describes."""
    content = bytearray(content)
    for kind, place, byte in rng_bytes:
        at = int(place * len(content))
        if kind == "cut":
            del content[at:]
        elif kind == "insert":
            content[at:at] = bytes([byte]) * (1 + byte % 4)
        elif kind == "remove":
            del content[at : at + 1 + byte % 4]
        elif at < len(content):
            content[at] = byte
    return bytes(content)


CSV = (
    b'name,age,"dose, mg",ok\r\n"Smith, ""J""",31,0.5,true\n"a\nb",,1e-3,FALSE\nx,28,-3,\n'
    + "é,1,2,true\n".encode()
)
DAMAGES = st.lists(
    st.tuples(
        st.sampled_from(["flip", "flip", "flip", "insert", "remove", "cut"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 255) | st.sampled_from(list(b'",;\t\r\n\0.\xff\xef1e')),
    ),
    min_size=1,
    max_size=5,
)


def read_or_refused(path):
    try:
        got = read(path)
    except FileError:
        refused(path)
    else:
        assert got.height > 0
        assert got.width > 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.sampled_from([("t.csv", CSV), ("t.csv.gz", gzip.compress(CSV, mtime=0))]), damages=DAMAGES)
def test_damaged_text_is_refused_or_a_table(tmp_path, content, damages):
    name, good = content
    read_or_refused(written(tmp_path, damaged(good, damages), name))


PARQUETS = [parquet(FRAME, compression=kind) for kind in ("uncompressed", "zstd", "snappy", "gzip", "lz4")]
PARQUETS += [parquet(pl.concat([FRAME] * 30), statistics=False, row_group_size=50)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=15)
@given(good=st.sampled_from(PARQUETS), damages=DAMAGES)
def test_damaged_parquet_is_refused_or_a_table(tmp_path, good, damages):
    read_or_refused(written(tmp_path, damaged(good, damages), "t.parquet"))


def test_columns_that_nothing_can_be_learned_from_may_be_dropped(tmp_path):
    """Where rows are read for a model, which uses none of them, they may stand, too."""
    frame = pl.DataFrame({"x": [1.0, 2.0], "raw": [b"a", b"b"], "list": [[1], [2]], "y": ["a", "b"]})
    frame.write_parquet(tmp_path / "t.parquet")
    for source in (tmp_path / "t.parquet", frame):
        with pytest.raises((FileError, DataError), match="column 'list' is nested"):
            read_table(source, ReadOptions(drop=("raw",)))
        read = read_table(source, ReadOptions(drop=("raw", "list")))
        assert read.frame.select("x", "y").equals(frame.select("x", "y"))
        assert read.frame["raw"].null_count() == read.frame["list"].null_count() == 2
        assert read.remarks == ()
    assert read_table(tmp_path / "t.parquet", as_text=True).frame.columns == ["x", "y"]
    assert read_table(frame, as_text=True).frame.equals(frame)
