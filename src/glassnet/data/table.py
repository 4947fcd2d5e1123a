"""Tables of named columns, read with distrust: CSV and its kin, Parquet, and tables already in memory.

The text of a CSV file is taken apart by Python's csv module in its strict mode, a few megabytes at a time, and the
type of a column is decided on all of its values. Polars' own reader would pad short rows, and leaves open where a
file is at fault. Its Parquet reader ends the process on some damaged files, so that it runs in a process of its
own, with bounded memory and time.
"""

from __future__ import annotations

import array
import contextlib
import csv
import gzip
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn, cast

from glassnet.data.untrusted_files import open_regular_file
from glassnet.errors import DataError, FileError, GlassnetError

if TYPE_CHECKING:
    import polars as pl

#: Names that text may have, gzipped (`.gz` behind it) or not.
TEXT = (".csv", ".tsv", ".txt")

#: What may stand between two values, and what messages call it.
DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons"}

#: Beside an empty cell, what says in a column of numbers or of true and false that a value is missing.
MISSING = ("na", "n/a", "nan", "null", "none", "?")

#: The most bytes of one row, which also bounds what a quote that never closes can swallow.
MAX_ROW = 1 << 24

#: The most columns; a row's bytes bound them too.
MAX_COLUMNS = 100_000

#: The most characters of a column's name.
MAX_NAME = 200

#: The most blank lines at the end of a file.
MAX_BLANK = 100

#: Bytes of text that are held as Python strings at a time.
CHUNK = 1 << 22

#: Deflate's limit, as in idx.py, for the cells that a Parquet file may promise for each of its bytes ...
CELLS_PER_BYTE = 1032

#: ... and what any Parquet file may promise: runs of equal values take hardly any bytes.
FREE_CELLS = 1 << 26

#: Bytes of memory for decoding Parquet, above what its cells and bytes need, and seconds above one a megabyte.
DECODER_MEMORY, DECODER_SECONDS = 300 << 20, 60

#: Columns of text whose types are decided together.
GROUP = 256

#: A whole number, and one that begins with a zero and goes on.
_WHOLE, _ZEROS = r"^[+-]?[0-9]+$", r"^[+-]?0[0-9]"

#: A number with marks that other programs may take for a decimal point or for thousands.
_MARKED = r"^[+-]?\d+([,_']\d+)*(\.\d+)?$"


def read_table(source: object) -> pl.DataFrame:
    """Read a table with a header line.

    Parameters
    ----------
    source : str, Path or table
        A regular file: ``.csv``, ``.tsv`` or ``.txt`` (UTF-8; the header tells the delimiter), the same gzipped
        (``.csv.gz``), or ``.parquet``. Or a table of pandas, Polars or pyarrow; the index of pandas is left out.

    Returns
    -------
    polars.DataFrame
        In text, a column of whole numbers is Int64, of other numbers Float64, of true and false Boolean, of
        nothing Null, and all else String. Missing values and NaN are null. Names lose the blanks around them.

    Raises
    ------
    FileError
        If the file is missing, damaged, ambiguous, or no table of at least one row and two columns.
    DataError
        If a table in memory is at fault, or Polars is not installed.

    Examples
    --------
    >>> import polars as pl
    >>> read_table(pl.DataFrame({"age": [31.0, float("nan")], "colour": ["red", "blue"]})).rows()
    [(31.0, 'red'), (None, 'blue')]
    """
    _need_polars()
    if not isinstance(source, str | os.PathLike):
        return _checked(_from_memory(source), lambda problem: DataError(f"table: {problem}"))
    return _from_file(Path(source))


def _need_polars() -> None:
    try:
        import polars  # noqa: F401
    except ImportError:
        raise DataError("tables need Polars, which is not installed: pip install 'glassnet[tables]'") from None


def _from_file(path: Path) -> pl.DataFrame:
    """Read a file by the format that its name and its first bytes agree on."""
    name = path.name.lower()
    gzipped = name.endswith(tuple(f"{suffix}.gz" for suffix in TEXT))
    if name.endswith(".parquet"):
        with scan_parquet(path) as (lazy, _, _):
            return collected(lazy, path)
    if not gzipped and not name.endswith(TEXT):
        raise FileError(path, f"has a name of no known format: {', '.join(TEXT)}, .csv.gz and .parquet are read")
    with _opened(path, gzipped) as (raw, _):
        return _read_text(path, cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if gzipped else raw)


@contextlib.contextmanager
def _opened(path: Path, gzipped: bool) -> Iterator[tuple[IO[bytes], int]]:
    """Open a regular file whose first bytes are of the format that its name says, with its size."""
    with open_regular_file(path) as (raw, size):
        _check_magic(path, raw, gzipped)
        yield raw, size


def _check_magic(path: Path, raw: IO[bytes], gzipped: bool) -> None:
    """Refuse a file whose first bytes are not of the format that its name says."""
    start = raw.read(4)
    raw.seek(0)
    if not start:
        raise FileError(path, "is empty")
    known = {
        b"PAR1": "Parquet",
        b"\x1f\x8b": "gzip",
        b"PK": "ZIP or Excel: save the sheet as CSV",
        b"\xd0\xcf\x11\xe0": "an old Excel sheet: save it as CSV",
        b"\xff\xfe": "UTF-16: save it as UTF-8",
        b"\xfe\xff": "UTF-16: save it as UTF-8",
        b"%PDF": "PDF",
        b"ARRO": "Arrow: save it as Parquet",
        b"\x93NUM": "NPY",
    }
    found = next((kind for magic, kind in known.items() if start.startswith(magic)), "text")
    expected = "gzip" if gzipped else "Parquet" if path.name.lower().endswith(".parquet") else "text"
    if found != expected:
        raise FileError(
            path, f"is no {expected} as its name says; by its first bytes ({start.hex(' ')}) it is {found}"
        )


class _Lines:
    """The decoded lines of a file, counted; what cannot be text is refused by its line and byte."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.file = file
        self.number = 0
        self.consumed = 0
        self.begin_row()

    def begin_row(self) -> None:
        self.first = self.number + 1
        self.row: list[str] = []
        self.size = 0
        self.quoted = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        raw = self.file.readline(MAX_ROW + 1)
        if not raw:
            raise StopIteration
        self.number += 1
        self.consumed += len(raw)
        self.size += len(raw)
        if self.size > MAX_ROW:
            self.refuse(f"longer than the {MAX_ROW:,} bytes of a row, or a quote that never closes", self.first)
        if b"\0" in raw:
            self.refuse(f"byte {raw.index(0) + 1} is NUL, which no text holds; save the file as UTF-8")
        try:
            text = raw.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            self.refuse(f"byte {error.start + 1} is {byte:#04x}, which is not UTF-8; save the file as UTF-8")
        self.row.append(text)
        self.quoted = self.quoted or '"' in text
        return text

    def refuse(self, problem: str, line: int | None = None) -> NoReturn:
        raise FileError(self.path, f"line {line or self.number}: {problem}")


def _rows(lines: _Lines, delimiter: str) -> Iterator[list[str]]:
    """Yield the values of every row; `lines.first` is the line on which it begins."""
    quoted = r'"[^"]*+(?:""[^"]*+)*+"'
    value = rf'(?:{quoted}|[^"{delimiter}]*+)'
    well_quoted = re.compile(rf"{value}(?:{delimiter}{value})*+")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin_row()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.refuse(_csv_problem(str(error)), lines.first)
        if lines.quoted and not well_quoted.fullmatch("".join(lines.row).rstrip("\r\n")):
            lines.refuse(
                "a quote within a value that is not quoted; quote it whole and double the quote", lines.first
            )
        yield row


def _csv_problem(said: str) -> str:
    """Say in plain words what the csv module found."""
    if "unexpected end" in said:
        return "a quote opens here and never closes"
    if "field larger" in said:
        return f"a value of more than {csv.field_size_limit():,} characters, or a quote that never closes"
    if "expected after" in said:
        return "text after a closing quote; within quotes, a quote is doubled"
    if "new-line" in said:
        return "a carriage return within the line; end lines with a line feed, or quote the value"
    return said


def _read_text(path: Path, file: IO[bytes]) -> pl.DataFrame:
    """Read CSV and its kin: every row as long as the header, values as text first, then a type for each column."""
    import polars as pl

    lines = _Lines(path, file)
    names, delimiter = _header(lines)
    parts: list[list[pl.Series]] = [[] for _ in names]
    starts, rows, taken, blank = array.array("q"), cast("list[list[str]]", []), 0, 0
    for row in _rows(lines, delimiter):
        if not row:
            blank += 1
            if blank > MAX_BLANK:
                lines.refuse(f"more than {MAX_BLANK} blank lines")
            continue
        if blank:
            lines.refuse("blank, but rows follow; remove it", lines.first - blank)
        if len(row) != len(names):
            lines.refuse(f"{_count(len(row), 'value')}, but the header has {len(names)} columns", lines.first)
        rows.append(row)
        starts.append(lines.first)
        if lines.consumed - taken >= CHUNK:
            _move(rows, parts)
            taken = lines.consumed
    _move(rows, parts)
    if not starts:
        raise FileError(path, "has a header but no rows")
    columns: list[pl.Series] = []
    while len(columns) < len(names):
        group = [pl.concat(part) for part in parts[:GROUP]]
        del parts[:GROUP]
        text = pl.DataFrame(group, schema=names[len(columns) : len(columns) + GROUP])
        columns += _typed(path, text, starts)
    return pl.DataFrame(columns)


def _move(rows: list[list[str]], parts: list[list[pl.Series]]) -> None:
    """Move rows into a part of every column."""
    import polars as pl

    for part, values in zip(parts, zip(*rows, strict=True), strict=False):  # no rows: no values
        part.append(pl.Series(values, dtype=pl.String))
    rows.clear()


def _header(lines: _Lines) -> tuple[list[str], str]:
    """Return the names of the columns, and the delimiter between them."""
    line = next(lines).rstrip("\r\n")
    if not line.strip():
        lines.refuse("blank, where the names of the columns should be")
    unquoted = re.sub(r'"[^"]*"', "", line)
    if '"' in unquoted:
        lines.refuse("a quote that does not close on the line of the header")
    found = [delimiter for delimiter in DELIMITERS if delimiter in unquoted]
    if "\t" in found and lines.path.name.lower().removesuffix(".gz").endswith(".tsv"):
        found = ["\t"]
    if len(found) > 1:
        kinds = " and ".join(DELIMITERS[delimiter] for delimiter in found)
        lines.refuse(
            f"the header holds {kinds}, so that it does not tell which parts the columns; quote the names"
        )
    if not found:
        lines.refuse(f"a single column: the header holds no {', '.join(DELIMITERS.values())} between names")
    header = _Lines(lines.path, io.BytesIO(line.encode()))
    names = [name.strip() for name in next(_rows(header, found[0]))]
    if all(re.fullmatch(r"[+-]?\d*\.?\d+([eE][+-]?\d+)?", name) for name in names):
        lines.refuse("all names are numbers: a row in place of the header? Add a line with names")
    if problem := _name_problem(names):
        lines.refuse(problem)
    return names, found[0]


def _name_problem(names: Sequence[str]) -> str | None:
    """Say what is wrong with the names of the columns, None where nothing is."""
    if len(names) > MAX_COLUMNS:
        return f"{len(names):,} columns; at most {MAX_COLUMNS:,} are read"
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if not name.strip():
            return f"column {number} has no name"
        if len(name) > MAX_NAME:
            return f"the name of column {number} has {len(name):,} characters; at most {MAX_NAME} are read"
        if not name.isprintable():
            return f"the name of column {number} holds a character that cannot be printed: {_shown(name)}"
        if name in seen:
            return f"columns {seen[name]} and {number} are both called {name!r}"
        seen[name] = number
    return None


def _typed(path: Path, text: pl.DataFrame, starts: array.array[int]) -> list[pl.Series]:
    """Decide the types of columns of text: plain numbers all at once, as tables may be wide, others one by one."""
    import polars as pl

    every = pl.all()
    bare = text.select(every.str.strip_chars(" \t"))
    bare = bare.select(pl.when(every != "").then(every).name.keep())
    numbers = bare.select(every.cast(pl.Float64, strict=False))
    lost = numbers.null_count().row(0), bare.null_count().row(0)
    finite = numbers.select(every.is_finite().any(), every.is_finite().all().name.suffix(" all")).row(0)
    zeros = bare.select(every.str.contains(_ZEROS).any()).row(0)
    whole = bare.select(every.str.contains(_WHOLE).all()).row(0)
    columns = []
    for number, name in enumerate(text.columns):
        is_finite = finite[number] and finite[number + text.width]
        if lost[0][number] > lost[1][number] or not is_finite or zeros[number]:
            columns.append(_typed_one(path, text[name], starts))
        elif whole[number]:  # of digits alone; beyond 64 bits the slow path says so
            fits = bare[name].cast(pl.Int64, strict=False)
            columns.append(fits if fits.null_count() == lost[1][number] else _typed_one(path, text[name], starts))
        else:
            columns.append(numbers[name])
    return columns


def _typed_one(path: Path, text: pl.Series, starts: array.array[int]) -> pl.Series:
    """Decide the type of a column of text on all its values."""
    import polars as pl

    def refuse(wrong: pl.Series, problem: str) -> NoReturn:
        row = wrong.arg_true()[0]
        raise FileError(path, f"line {starts[row]}, column {text.name!r}: {_shown(bare[row])} {problem}")

    bare = text.str.strip_chars(" \t")
    numbers = _numbers(bare)
    if numbers.null_count() == 0:
        missing, given = pl.repeat(False, len(bare), eager=True), len(bare)
    else:
        lower = bare.str.to_lowercase()
        missing = (bare == "") | lower.is_in(MISSING)
        given = int((~missing).sum())
        if given == 0:
            return pl.Series(text.name, [None] * len(text), dtype=pl.Null)
        if (lower.is_in(["true", "false"]) | missing).all():
            return _masked(lower == "true", missing)
    is_number = numbers.is_not_null()
    if int(is_number.sum()) == given:
        if (zeros := bare.str.contains(_ZEROS)).any():
            refuse(
                zeros, "begins with a zero: a number or a code? Drop the zeros, or put a letter before the codes"
            )
        if not (bare.str.contains(_WHOLE) | missing).all():
            return numbers
        whole = bare.cast(pl.Int64, strict=False)
        if whole.null_count() > numbers.null_count():
            refuse(whole.is_null() & ~missing, "has more digits than a whole number of 64 bits")
        return whole
    wrong = ~is_number & ~missing
    if (bare.str.contains(_MARKED) | missing).all():
        refuse(wrong, "is no number as 1234.5 is, with a point and without marks between thousands")
    if 2 * int(is_number.sum()) > given:
        refuse(
            wrong,
            f"is no finite number, but {int(is_number.sum()):,} of {given:,} values are; correct it, or leave the "
            "cell empty where it is missing, or put a letter before every value where they are codes",
        )
    return _masked(text, bare == "")


def _numbers(text: pl.Series) -> pl.Series:
    """Return the finite numbers of a column of text, null for all else."""
    import polars as pl

    numbers = text.cast(pl.Float64, strict=False)
    finite = numbers.is_finite().fill_null(False)
    return numbers if finite.all() else _masked(numbers, ~finite)


def _masked(column: pl.Series, missing: pl.Series) -> pl.Series:
    """Return a column with null where `missing` is true."""
    import polars as pl

    return pl.select(pl.when(~missing).then(column).alias(column.name)).to_series()


@contextlib.contextmanager
def scan_parquet(path: Path) -> Iterator[tuple[pl.LazyFrame, int, list[str]]]:
    """Decode a Parquet file and give the table to be read in parts, with its rows and column names.

    Raises
    ------
    FileError
        As `read_table` does.
    """
    _need_polars()
    import polars as pl

    with _opened(path, gzipped=False) as (raw, size), _decoded(path, raw, size) as decoded:
        lazy = pl.scan_ipc(decoded)
        yield lazy, int(lazy.select(pl.len()).collect().item()), lazy.collect_schema().names()


def collected(lazy: pl.LazyFrame, path: Path) -> pl.DataFrame:
    """Return the whole of a table that was scanned, checked as `read_table` does."""
    return _checked(lazy.collect(), lambda problem: FileError(path, problem))


@contextlib.contextmanager
def _decoded(path: Path, raw: IO[bytes], size: int) -> Iterator[Path]:
    """Decode Parquet in a process of its own, into an Arrow file that is gone afterwards."""
    raw.seek(max(size - 8, 0))
    tail = raw.read()
    footer = int.from_bytes(tail[:4], "little")
    if size < 12 or tail[4:] != b"PAR1":
        raise FileError(path, "is cut short: it does not end in PAR1 as Parquet does; copy or download it again")
    if footer > size - 12:
        raise FileError(
            path, f"is damaged: its last bytes promise a footer of {footer:,} bytes in a file of {size:,}"
        )
    seconds = DECODER_SECONDS + size / 1e6
    with tempfile.TemporaryDirectory(prefix="glassnet-", ignore_cleanup_errors=True) as folder:
        decoded = Path(folder) / "decoded.arrow"
        command = [sys.executable, "-P", "-m", "glassnet.data.table", str(path.resolve()), str(decoded)]
        try:
            answer = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, cwd=folder, check=False
            )
        except subprocess.TimeoutExpired:
            raise FileError(path, f"is damaged: not decoded after {seconds:.0f} s; copy it again") from None
        if answer.returncode == 2:
            raise FileError(path, " ".join(answer.stdout.decode(errors="replace").split())[:500])
        if answer.returncode != 0 or not decoded.exists():
            raise FileError(path, "is damaged, or needs too much memory: it cannot be decoded; copy it again")
        yield decoded


def _decode_parquet(source: str, target: str) -> str | None:
    """Write the table in a Parquet file as Arrow; return what is wrong with it, None where nothing is.

    For a process of its own: it may abort, and its memory is bounded for good.
    """
    import polars as pl

    try:
        lazy = pl.scan_parquet(source, glob=False)
        schema = lazy.collect_schema()
        if problem := _name_problem(list(schema)) or _type_problem(schema):
            return problem
        cells = lazy.select(pl.len()).collect().item() * len(schema)
        size = os.stat(source).st_size
        if cells > max(CELLS_PER_BYTE * size, FREE_CELLS):
            return f"its footer promises {cells:,} values in {size:,} bytes, more than is believed"
        _limit_memory(DECODER_MEMORY + 48 * cells + 20 * size)
        lazy.sink_ipc(target)
    except BaseException as error:  # a panic of Polars is no Exception
        said = " ".join(str(error).split())[:160] or type(error).__name__
        return f"is damaged, or holds what Polars cannot read ({said}); copy it again"
    return None


def _limit_memory(more: int) -> None:
    """Let this process take `more` bytes and no further ones, where the system tells and bounds them."""
    if sys.platform != "linux":
        return
    import resource

    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = now + more if hard == resource.RLIM_INFINITY else min(now + more, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _from_memory(source: Any) -> pl.DataFrame:
    """Take over a table of another library, which is known by what it can do."""
    import polars as pl

    if isinstance(source, pl.DataFrame):
        return source
    library = type(source).__module__.split(".")[0]
    known = [name for name in ("column_names", "columns") if hasattr(type(source), name)]
    if isinstance(source, pl.LazyFrame) or not hasattr(source, "__arrow_c_stream__") or not known:
        raise DataError(
            f"table: expected a file, or a table of pandas, Polars or pyarrow, got {_type_name(source)}"
        )
    if problem := _name_problem([str(name) for name in getattr(source, known[0])]):
        raise DataError(f"table: {problem}")
    try:
        if library == "pandas":
            return pl.from_pandas(source)
        return pl.DataFrame(source)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of Polars is no Exception
        problem = " ".join(str(error).split())[:200]
        raise DataError(f"table: Polars cannot take over this table of {library}: {problem}") from None


def _checked(frame: pl.DataFrame, fail: Callable[[str], GlassnetError]) -> pl.DataFrame:
    """Refuse what is no table of plain columns; NaN becomes null, names lose the blanks around them."""
    import polars as pl
    import polars.selectors as cs

    if frame.width < 2:
        raise fail(f"{_count(frame.width, 'column')}; a table needs two or more, of which one may be the target")
    names = [name.strip() for name in frame.columns]
    if problem := _name_problem(names) or _type_problem(frame.schema):
        raise fail(problem)
    if frame.height == 0:
        raise fail("has columns but no rows")
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    frame = frame.with_columns(cs.decimal().cast(pl.Float64)).with_columns(cs.float().fill_nan(None))
    infinite = frame.select(cs.float().is_infinite())
    for name, any_infinite in infinite.select(pl.all().any()).to_dict(as_series=False).items():
        if any_infinite[0]:
            row = infinite[name].fill_null(False).arg_true()[0]
            raise fail(f"row {row + 1}, column {name!r}: infinite, expected a finite number")
    return frame


def _type_problem(schema: pl.Schema) -> str | None:
    """Name the first column that holds no plain values, None where all do."""
    import polars as pl

    for name, dtype in schema.items():
        if dtype.is_nested():
            return f"column {name!r} is nested ({_shown(dtype, 60)}); make plain columns of it"
        if not dtype.is_numeric() and not dtype.is_temporal() and dtype not in (pl.Boolean, pl.String, pl.Null):
            if isinstance(dtype, pl.Categorical | pl.Enum):
                continue
            return f"column {name!r} holds {dtype}, expected numbers, text, or true and false"
    return None


def _type_name(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}".removeprefix("builtins.")


def _shown(value: object, length: int = 30) -> str:
    """Return a value as one line of a message, cut to `length`."""
    text = str(value)
    return repr(text if len(text) <= length else text[:length] + "...")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


if __name__ == "__main__":
    found = _decode_parquet(*sys.argv[1:3])
    if found:
        sys.stdout.buffer.write(found.encode(errors="replace"))
        sys.exit(2)
