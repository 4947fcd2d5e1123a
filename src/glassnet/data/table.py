"""Tables of named columns, read with distrust: text, Parquet, workbooks, and tables already in memory."""

from __future__ import annotations

import array
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from glassnet.data.kept_reading import kept
from glassnet.data.number_format import NumberFormat
from glassnet.data.read_options import ReadOptions
from glassnet.data.untrusted_files import ContentError, name_format, open_regular_file, shorten
from glassnet.errors import DataError, FileError, UsageError

if TYPE_CHECKING:
    import polars as pl

    from glassnet.data.table_schema import Faults

#: Endings of text, which may be packed (`PACKED` behind it), of Parquet, and of workbooks; in small letters.
TEXT, PACKED = (".csv", ".tsv", ".txt", ".data"), (".gz", ".zip")
PARQUET, WORKBOOK = (".parquet", ".pq"), (".xlsx",)

#: What makes a table, or a data set, of what is none, by its type.
REMEDIES = {
    "polars.lazyframe.frame.LazyFrame": "; give table.collect()",
    **dict.fromkeys(("dict", "list"), "; pandas.DataFrame(...) makes a table of it"),
    **dict.fromkeys(("numpy.ndarray", "tuple"), "; of arrays, Dataset.from_arrays(X, y) makes a data set"),
}


class TableRead(NamedTuple):
    """A table, how numbers in text are written where not plainly, and what was converted or left out.

    `written` is the column to predict as text has it, where it is text.
    """

    frame: pl.DataFrame
    formats: dict[str, NumberFormat]
    remarks: tuple[str, ...]
    written: pl.Series | None = None


def is_table(name: str | Path) -> bool:
    """Whether a file has the name of a table."""
    lower = Path(name).name.lower()
    return lower.endswith((*PARQUET, *WORKBOOK, *TEXT, *(one + packed for one in TEXT for packed in PACKED)))


def is_parquet(name: str | Path) -> bool:
    """Whether a file has the name of a Parquet file."""
    return Path(name).name.lower().endswith(PARQUET)


def read_table(
    source: object,
    options: ReadOptions | None = None,
    *,
    as_text: bool = False,
    encoding: str | None = None,
    faults: Faults | None = None,
) -> TableRead:
    """Read a table with a header line from a regular file, or take over one of pandas, Polars or pyarrow.

    The ending of the file's name, in small letters or capitals, tells what it is: one of `TEXT`, packed or not,
    Parquet, or a workbook. In text, a column of whole numbers becomes Int64 or UInt64, of other numbers Float64,
    of true and false Boolean, of nothing Null, and all else String without the blanks around it. What is missing
    becomes null, and NaN does. With `as_text` all columns of text stay String, and a cell is missing only if it is
    empty; a table may then have but one column, and columns of any type. The options are then those of another
    file, and `encoding` is that of this one, where it is known. An index of pandas is left out.

    `FileError` is raised if the file is missing, damaged, ambiguous, or no table of at least one row and two
    columns; `DataError` if a table in memory is at fault, or Polars is not installed; `UsageError` if an option
    has a value that cannot be, or does not go with the file. With `faults` given, what is wrong with the values of
    columns is added to them instead; such columns are not to be used.
    """
    require_polars()
    from glassnet.data.table_schema import blank_unusable, check_table

    options = options or ReadOptions()
    if isinstance(source, str | os.PathLike):
        return _read_file(Path(source), options, as_text, encoding, faults)
    try:
        frame, remarks = _convert(source)
        frame = frame if as_text else blank_unusable(frame, options.drop)
        return TableRead(check_table(frame, learned=as_text, faults=faults), {}, tuple(remarks))
    except ContentError as error:
        raise DataError(f"table: {error}") from None


def require_polars() -> None:
    """Refuse to read tables where Polars is not installed; the modules that read files import it."""
    try:
        import polars  # noqa: F401
    except ImportError:
        raise DataError("tables need Polars, which is not installed: pip install 'glassnet[tables]'") from None


@kept
def _read_file(
    path: Path, options: ReadOptions, as_text: bool, encoding: str | None, faults: Faults | None
) -> TableRead:
    """Read a file by the format that its name and its first bytes agree on."""
    from glassnet.data.delimited_text import read_delimited_text
    from glassnet.data.parquet import scan_parquet
    from glassnet.data.table_schema import check_table
    from glassnet.data.text_files import open_text

    name = path.name.lower()
    if not is_table(name):
        _refuse_name(path)
    # where rows are read for a model, the options are those of the file it was trained on
    own = ReadOptions(encoding=encoding) if as_text else options
    _refuse_options(own, is_text=not name.endswith((*PARQUET, *WORKBOOK)), is_book=name.endswith(WORKBOOK))
    if name.endswith(PARQUET):
        said: list[str] = []
        with scan_parquet(path, said, None if as_text else options.drop, faults) as (lazy, _, _):
            return TableRead(check_table(lazy.collect(), learned=as_text, faults=faults), {}, tuple(said))
    if name.endswith(WORKBOOK):
        return _read_workbook(path, options, as_text, faults)
    bare = name.removesuffix(".gz").removesuffix(".zip")
    with open_text(path, encoding or options.encoding, learned=as_text and encoding is None) as text:
        tabs_part = bare.endswith(".tsv")
        return TableRead(*read_delimited_text(text, options, tabs_part=tabs_part, as_text=as_text, faults=faults))


def _read_workbook(path: Path, options: ReadOptions, as_text: bool, faults: Faults | None) -> TableRead:
    """Read a sheet; text in its cells is numbers where a file of text would hold numbers."""
    import polars as pl

    from glassnet.data.spreadsheet import read_spreadsheet
    from glassnet.data.table_schema import check_table
    from glassnet.data.text_columns import ColumnTyper

    frame, remarks = read_spreadsheet(path, options.sheet)
    try:
        frame = check_table(frame, learned=as_text, faults=faults)
        text = frame.select(name for name, dtype in frame.schema.items() if dtype == pl.String)
        if as_text or not text.width:
            return TableRead(frame, {}, remarks)
        typer = ColumnTyper(options, array.array("q", range(2, frame.height + 2)), "", place="row {} of the sheet")
        typer.add(text)
        remarks += typer.finish(faults)
        return TableRead(frame.with_columns(typer.columns), typer.formats, remarks, typer.written)
    except ContentError as error:
        raise FileError(path, str(error)) from None


def _refuse_name(path: Path) -> None:
    """Refuse a file that no ending tells what it is, with what its first bytes say."""
    with open_regular_file(path) as (raw, _):
        start = raw.read(64)
    endings = f"{', '.join(TEXT)} (each also with .gz or .zip), {', '.join((*PARQUET, *WORKBOOK))}"
    found = name_format(start)
    if found is None and start and b"\0" not in start:
        advice = f"it may be text: if so, call it {path.stem}.csv"
    else:
        advice = f"by its first bytes it is {found}" if found else "save it as one of them"
    raise FileError(path, f"has a name of no known format, which are {endings}; {advice}")


def _refuse_options(options: ReadOptions, *, is_text: bool, is_book: bool) -> None:
    """Refuse options that say nothing of such a file."""
    for option, goes, what in (
        ("sep", is_text, "text, such as CSV"),
        ("encoding", is_text, "text, such as CSV"),
        ("decimal", is_text or is_book, "text, such as CSV"),
        ("thousands", is_text or is_book, "text, such as CSV"),
        ("sheet", is_book, "a workbook (.xlsx)"),
    ):
        if getattr(options, option) is not None and not goes:
            raise UsageError(option, f"goes with {what}")


def _convert(source: Any) -> tuple[pl.DataFrame, list[str]]:
    """Take over a table of another library, which is known by what it can do; leave out the index of pandas."""
    import polars as pl

    from glassnet.data.table_schema import find_index, find_name_problem, say_index

    kind = type(source)
    if isinstance(source, pl.DataFrame):
        index = find_index(source.lazy())
        return source.drop(index), say_index(index)
    known = [name for name in ("column_names", "columns") if hasattr(kind, name)]
    if isinstance(source, pl.LazyFrame) or not hasattr(source, "__arrow_c_stream__") or not known:
        name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
        remedy = REMEDIES.get(name, "")
        raise ContentError(f"expected a file, or a table of pandas, Polars or pyarrow, got {name}{remedy}")
    if problem := find_name_problem([str(name) for name in getattr(source, known[0])]):
        raise ContentError(problem)
    library = kind.__module__.split(".")[0]
    try:
        frame = pl.from_pandas(source) if library == "pandas" else pl.DataFrame(source)
        frame = frame.with_columns(pl.col(name).cast(pl.Enum(order)) for name, order in _find_orders(source))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of Polars is no Exception
        column = _find_foreign(source) if library == "pandas" else ""
        raise ContentError(f"Polars cannot take over this table of {library}: {column}{shorten(error)}") from None
    metadata = getattr(getattr(source, "schema", None), "metadata", None) or {}
    pandas = metadata.get(b"pandas")
    index = find_index(frame.lazy(), pandas.decode(errors="replace") if pandas else None)
    return frame.drop(index), [*say_index(index), *_say_named_index(source)]


def _say_named_index(source: Any) -> list[str]:
    """Say that the index of a table of pandas is left out where it has names, and so may mean something."""
    names = [str(name) for name in getattr(getattr(source, "index", None), "names", ()) if name is not None]
    if not names:
        return []
    listed = ", ".join(map(repr, names))
    return [f"left out, as pandas' index is no column: {listed}; table.reset_index() makes columns of it"]


def _find_orders(source: Any) -> list[tuple[str, list[str]]]:
    """Return the columns of a table of pandas or pyarrow that are ordered categories of text, with the order."""
    if hasattr(source, "dtypes"):
        found = [
            (str(name), list(dtype.categories)) for name, dtype in source.dtypes.items() if _is_ordered(dtype)
        ]
    else:
        names = [field.name for field in source.schema if _is_ordered(field.type)]
        whole = source.unify_dictionaries() if names else source
        found = [(name, whole.column(name).chunk(0).dictionary.to_pylist()) for name in names if len(whole)]
    return [(name, order) for name, order in found if all(isinstance(one, str) for one in order)]


def _is_ordered(dtype: Any) -> bool:
    return bool(getattr(dtype, "ordered", False))


def _find_foreign(source: Any) -> str:
    """Name the first column of a table of pandas that Polars cannot take over, and say what to do."""
    import polars as pl

    for name in source.columns:
        try:
            pl.from_pandas(source[[name]])
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:
            return f"column {name!r} holds values of several types, or of another; give it one, or drop it: "
    return ""
