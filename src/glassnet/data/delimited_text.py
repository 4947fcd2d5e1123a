"""The text of tables, CSV and its kin, read with distrust.

Python's csv module takes the text apart in its strict mode, a few megabytes at a time, and the type of a column is
decided on all of its values. Polars' own reader would pad short rows, and leaves open where a file is at fault.
"""

from __future__ import annotations

import array
import csv
import io
import re
from collections.abc import Iterator
from typing import IO, NoReturn

import polars as pl

from glassnet.data.table_schema import count_of, find_name_problem, quote_value
from glassnet.data.untrusted_files import CHUNK, ContentError

#: What may stand between two values, and what messages call it.
DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons"}

#: Beside an empty cell, what says in a column of numbers or of true and false that a value is missing.
MISSING = ("na", "n/a", "nan", "null", "none", "?")

#: The most bytes of one row, which also bounds what a quote that never closes can swallow.
MAX_ROW = 1 << 24

#: The most blank lines at the end of a file.
MAX_BLANK = 100

#: Columns of text whose types are decided together.
GROUP = 256

#: A whole number, and one that begins with a zero and goes on.
_WHOLE, _ZEROS = r"^[+-]?[0-9]+$", r"^[+-]?0[0-9]"

#: A number with marks that other programs may take for a decimal point or for thousands.
_MARKED = r"^[+-]?\d+([,_']\d+)*(\.\d+)?$"


def read_delimited_text(file: IO[bytes], tabs_part: bool = False) -> pl.DataFrame:
    """Read CSV and its kin: every row as long as the header, values as text first, then a type for each column.

    The text is UTF-8. Tabs part the columns if `tabs_part`, else the header tells which of `DELIMITERS` does.
    `ContentError` names the line, and the column where there is one.
    """
    lines = _Lines(file)
    names, delimiter = _read_header(lines, tabs_part)
    parts: list[list[pl.Series]] = [[] for _ in names]
    rows: list[list[str]] = []
    starts, taken, blank = array.array("q"), 0, 0
    for row in _split_rows(lines, delimiter):
        if not row:
            blank += 1
            if blank > MAX_BLANK:
                lines.refuse(f"more than {MAX_BLANK} blank lines")
            continue
        if blank:
            lines.refuse("blank, but rows follow; remove it", lines.first - blank)
        if len(row) != len(names):
            lines.refuse(f"{count_of(len(row), 'value')}, but the header has {len(names)} columns", lines.first)
        rows.append(row)
        starts.append(lines.first)
        if lines.consumed - taken >= CHUNK:
            _move_to_columns(rows, parts)
            taken = lines.consumed
    _move_to_columns(rows, parts)
    if not starts:
        raise ContentError("has a header but no rows")
    columns: list[pl.Series] = []
    while len(columns) < len(names):
        group = [pl.concat(part) for part in parts[:GROUP]]
        del parts[:GROUP]
        text = pl.DataFrame(group, schema=names[len(columns) : len(columns) + GROUP])
        columns += _type_columns(text, starts)
    return pl.DataFrame(columns)


def _move_to_columns(rows: list[list[str]], parts: list[list[pl.Series]]) -> None:
    """Move rows into a part of every column."""
    for part, values in zip(parts, zip(*rows, strict=True), strict=False):  # no rows: no values
        part.append(pl.Series(values, dtype=pl.String))
    rows.clear()


def _read_header(lines: _Lines, tabs_part: bool) -> tuple[list[str], str]:
    """Return the names of the columns, and the delimiter between them."""
    line = next(lines).rstrip("\r\n")
    if not line.strip():
        lines.refuse("blank, where the names of the columns should be")
    unquoted = re.sub(r'"[^"]*"', "", line)
    if '"' in unquoted:
        lines.refuse("a quote that does not close on the line of the header")
    found = [delimiter for delimiter in DELIMITERS if delimiter in unquoted]
    if "\t" in found and tabs_part:
        found = ["\t"]
    if len(found) > 1:
        kinds = " and ".join(DELIMITERS[delimiter] for delimiter in found)
        lines.refuse(
            f"the header holds {kinds}, so that it does not tell which parts the columns; quote the names"
        )
    if not found:
        lines.refuse(f"a single column: the header holds no {', '.join(DELIMITERS.values())} between names")
    header = _Lines(io.BytesIO(line.encode()))
    names = [name.strip() for name in next(_split_rows(header, found[0]))]
    if all(re.fullmatch(r"[+-]?\d*\.?\d+([eE][+-]?\d+)?", name) for name in names):
        lines.refuse("all names are numbers: a row in place of the header? Add a line with names")
    if problem := find_name_problem(names):
        lines.refuse(problem)
    return names, found[0]


class _Lines:
    """The decoded lines of a file, counted; what cannot be text is refused by its line and byte."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.number, self.consumed = file, 0, 0
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
        raise ContentError(f"line {line or self.number}: {problem}")


def _split_rows(lines: _Lines, delimiter: str) -> Iterator[list[str]]:
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
            lines.refuse(_explain(str(error)), lines.first)
        if lines.quoted and not well_quoted.fullmatch("".join(lines.row).rstrip("\r\n")):
            lines.refuse(
                "a quote within a value that is not quoted; quote it whole and double the quote", lines.first
            )
        yield row


def _explain(said: str) -> str:
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


def _type_columns(text: pl.DataFrame, starts: array.array[int]) -> list[pl.Series]:
    """Decide the types of columns of text: plain numbers all at once, as tables may be wide, others one by one."""
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
            columns.append(_type_column(text[name], starts))
        elif whole[number]:  # of digits alone; beyond 64 bits the slow path says so
            fits = bare[name].cast(pl.Int64, strict=False)
            columns.append(fits if fits.null_count() == lost[1][number] else _type_column(text[name], starts))
        else:
            columns.append(numbers[name])
    return columns


def _type_column(text: pl.Series, starts: array.array[int]) -> pl.Series:
    """Decide the type of a column of text on all its values."""

    def refuse(wrong: pl.Series, problem: str) -> NoReturn:
        row = wrong.arg_true()[0]
        raise ContentError(f"line {starts[row]}, column {text.name!r}: {quote_value(bare[row])} {problem}")

    bare = text.str.strip_chars(" \t")
    numbers = _parse_numbers(bare)
    if numbers.null_count() == 0:
        missing, given = pl.repeat(False, len(bare), eager=True), len(bare)
    else:
        lower = bare.str.to_lowercase()
        missing = (bare == "") | lower.is_in(MISSING)
        given = int((~missing).sum())
        if given == 0:
            return pl.Series(text.name, [None] * len(text), dtype=pl.Null)
        if (lower.is_in(["true", "false"]) | missing).all():
            return _mask(lower == "true", missing)
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
    return _mask(text, bare == "")


def _parse_numbers(text: pl.Series) -> pl.Series:
    """Return the finite numbers of a column of text, null for all else."""
    numbers = text.cast(pl.Float64, strict=False)
    finite = numbers.is_finite().fill_null(False)
    return numbers if finite.all() else _mask(numbers, ~finite)


def _mask(column: pl.Series, missing: pl.Series) -> pl.Series:
    """Return a column with null where `missing` is true."""
    return pl.select(pl.when(~missing).then(column).alias(column.name)).to_series()
