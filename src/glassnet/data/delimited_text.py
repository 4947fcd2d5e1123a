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
from typing import NamedTuple, NoReturn

import polars as pl

from glassnet.data.blanks import strip
from glassnet.data.number_format import NumberFormat, mask
from glassnet.data.read_options import ReadOptions, clean_name
from glassnet.data.table_schema import (
    INDEX_LEFT_OUT,
    NUMBER,
    ONE_COLUMN,
    Faults,
    count_of,
    counts_rows,
    find_name_problem,
    find_row_as_names,
    list_names,
)
from glassnet.data.text_columns import ColumnTyper
from glassnet.data.text_files import TextFile
from glassnet.data.untrusted_files import CHUNK, ContentError
from glassnet.errors import UsageError

#: What may stand between two values, and what messages call it.
DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "pipes"}

#: Other words for what parts the columns.
_SEPARATORS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}

#: The most bytes of one row, which also bounds what a quote that never closes can swallow.
MAX_ROW = 1 << 24

#: The most blank lines at the end of a file, and the most lines of comments at its beginning.
MAX_BLANK, MAX_COMMENTS = 100, 10_000

#: Columns of text whose types are decided together.
GROUP = 256

#: The name that pandas gives to the index of a table that it reads back.
PANDAS_INDEX = "Unnamed: 0"


class Header(NamedTuple):
    """What stands above the rows: the names, what parts the columns, and how many lines of comments."""

    names: list[str]
    delimiter: str
    comments: int = 0


class DelimitedTable(NamedTuple):
    """A table read from text, as `glassnet.data.table.TableRead` has it."""

    frame: pl.DataFrame
    formats: dict[str, NumberFormat]
    remarks: tuple[str, ...]
    written: pl.Series | None


def read_delimited_text(
    text: TextFile,
    options: ReadOptions,
    *,
    tabs_part: bool = False,
    as_text: bool = False,
    faults: Faults | None = None,
) -> DelimitedTable:
    """Read CSV and its kin: every row as long as the header, values as text first, then a type for each column.

    The options tell what parts the columns, else a first line such as ``sep=;``, else tabs if `tabs_part`, else
    the only one of `DELIMITERS` in the header. With `as_text` all columns stay text; one is enough.
    `ContentError` names the line, and the column where there is one; what is wrong with the values of columns goes
    to the `faults`, where they are given.
    """
    lines = _Lines(text)
    header = _read_header(lines, options.sep, tabs_part, as_text)
    parts, starts, is_longer = _read_rows(lines, len(header.names), header.delimiter)
    remarks = list(text.remarks)
    if header.comments:
        remarks.append(f"{count_of(header.comments, 'line')} of comments above the names left out")
    if is_longer:
        remarks.append("the empty value behind the last column of each row is left out")
    names = _leave_out_columns(header.names, parts, remarks, options, as_text)
    if len(names) == 1 and not as_text:
        raise ContentError(ONE_COLUMN.format("1 column"))
    typer = ColumnTyper(options, starts, header.delimiter)
    for first in range(0, len(names), GROUP):
        group = [pl.concat(part) for part in parts[:GROUP]]
        del parts[:GROUP]
        frame = pl.DataFrame(group, schema=names[first : first + GROUP])
        if as_text:
            typer.columns += [_strip(series) for series in frame]
        else:
            typer.add(frame)
    remarks += typer.finish(faults)
    frame = pl.DataFrame(typer.columns)
    if not as_text:
        _refuse_row_as_names(frame)
    return DelimitedTable(frame, typer.formats, tuple(remarks), typer.written)


def check_separator(sep: str | None) -> str | None:
    """Return what an option says that columns are parted by; `UsageError` if it can part none."""
    if sep is None:
        return None
    delimiter = _SEPARATORS.get(sep.lower(), sep)
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in "\"'\r\n.+-":
        known = ", ".join(repr(one) for one in (",", ";", "tab", "|"))
        raise UsageError("sep", f"takes the character between two columns, such as {known}, got {sep[:30]!r}")
    return delimiter


def _strip(series: pl.Series) -> pl.Series:
    """Return text without the blanks around it, null where nothing is left."""
    text = strip(series)
    return mask(text, text == "")


def _read_rows(lines: _Lines, width: int, delimiter: str) -> tuple[list[list[pl.Series]], array.array[int], bool]:
    """Return the parts of every column, the lines on which rows begin, and if each has one more, empty value."""
    parts: list[list[pl.Series]] = [[] for _ in range(width)]
    rows: list[list[str]] = []
    starts, taken, blank, more = array.array("q"), 0, 0, 0
    for row in _split_rows(lines, delimiter):
        if not row:
            blank += 1
            if blank > MAX_BLANK:
                lines.refuse(f"more than {MAX_BLANK} blank lines")
            continue
        if blank:
            lines.refuse("blank, but rows follow; remove it", lines.first - blank)
        if not starts and len(row) == width + 1 and not row[-1].strip():
            more = 1
        if len(row) != width + more or (more and row[-1].strip()):
            besides = ", and the first row an empty value more" if more else ""
            lines.refuse(
                f"{count_of(len(row), 'value')}, but the header has {count_of(width, 'column')}{besides}",
                lines.first,
            )
        rows.append(row[:width] if more else row)
        starts.append(lines.first)
        if lines.consumed - taken >= CHUNK:
            _move_to_columns(rows, parts)
            taken = lines.consumed
    _move_to_columns(rows, parts)
    if not starts:
        raise ContentError("has a header but no rows")
    return parts, starts, more == 1


def _move_to_columns(rows: list[list[str]], parts: list[list[pl.Series]]) -> None:
    """Move rows into a part of every column."""
    for part, values in zip(parts, zip(*rows, strict=True), strict=False):  # no rows: no values
        part.append(pl.Series(values, dtype=pl.String))
    rows.clear()


def _leave_out_columns(
    names: list[str], parts: list[list[pl.Series]], remarks: list[str], options: ReadOptions, as_text: bool
) -> list[str]:
    """Leave out an empty last column without a name, and the index that pandas writes first; return the names.

    With `as_text` a first column without a name is left out whatever it holds, as no column can be known by it.
    """
    names = list(names)
    if not names[-1] and len(names) > 1:
        if not (_strip(pl.concat(parts[-1])).is_null()).all():
            raise ContentError(f"line 1: column {len(names)} has no name; give it one, or remove it")
        remarks.append("the empty last column without a name is left out")
        del names[-1], parts[-1]
    wanted = {*options.columns, *options.categorical, options.target}
    if not names[0] or (names[0] == PANDAS_INDEX and not as_text and PANDAS_INDEX not in wanted):
        counts = as_text or counts_rows(_strip(pl.concat(parts[0])))
        if counts and len(names) > 1:
            called = "without a name" if not names[0] else repr(names[0])
            remarks.append(INDEX_LEFT_OUT.format(called))
            del names[0], parts[0]
        elif not names[0]:
            raise ContentError("line 1: column 1 has no name; give it one, or remove it")
    return names


def _read_header(lines: _Lines, sep: str | None, tabs_part: bool, may_be_single: bool) -> Header:
    """Read the lines down to the names of the columns."""
    delimiter = check_separator(sep)
    line = lines.read()
    if said := re.fullmatch(r'"?sep=(.)"?', line, re.IGNORECASE):
        try:
            delimiter = delimiter or check_separator(said[1])
        except UsageError:
            lines.refuse(f"{said[1]!r} cannot part columns; say with --sep what does")
        line = lines.read()
    comments: list[str] = []
    while line.startswith("#") or (comments and not line.strip() and not lines.is_over):
        comments.append(line)
        if len(comments) > MAX_COMMENTS:
            lines.refuse(f"more than {MAX_COMMENTS:,} lines of comments")
        line = lines.read()
    if comments and _are_names(comments[-1], line, lines, delimiter):
        if not lines.is_over:
            lines.push_back(line)
        line = comments.pop()
    if not line.strip():
        lines.refuse("blank, where the names of the columns should be")
    unquoted = re.sub(r'"[^"]*"', "", line)
    if '"' in unquoted:
        lines.refuse("a quote that does not close on the line of the header; write each name on one line")
    delimiter = _find_delimiter(lines, unquoted, delimiter, tabs_part, may_be_single)
    reader = _Lines(TextFile(io.BytesIO(line.encode()), len(line) * 4, ()))
    names = [clean_name(name) for name in next(_split_rows(reader, delimiter))]
    if problem := find_row_as_names(names) or find_name_problem(names, may_lack=(1, len(names))):
        lines.refuse(problem)
    return Header(names, delimiter, len(comments))


def _are_names(comment: str, line: str, lines: _Lines, delimiter: str | None) -> bool:
    """Whether a line that begins with # holds the names of the columns, by the two lines below it."""
    if lines.is_over:
        return bool(comment.strip())
    below = lines.read()
    if not lines.is_over:
        lines.push_back(below)
    lines.is_over = False
    for mark in [delimiter] if delimiter else DELIMITERS:
        cells, values, more = (next(csv.reader([one], delimiter=mark), []) for one in (comment, line, below))
        if 1 < len(cells) == len(values):
            if any(re.fullmatch(NUMBER, value.strip()) for value in values):
                return True
            if not any(re.fullmatch(NUMBER, value.strip()) for value in more):
                lines.refuse("begins with #: a comment, or names? Remove the line, or the #", lines.number - 1)
    return False


def _find_delimiter(
    lines: _Lines, unquoted: str, delimiter: str | None, tabs_part: bool, may_be_single: bool
) -> str:
    """Return what parts the columns, as said or as the header tells."""
    found = [mark for mark in DELIMITERS if mark in unquoted]
    if delimiter is None:
        if "\t" in found and tabs_part:
            found = ["\t"]
        if len(found) > 1 and found[-1] == "|":
            found.pop()
        if len(found) > 1:
            kinds = " and ".join(DELIMITERS[mark] for mark in found)
            lines.refuse(
                f"the header holds {kinds}, so that it does not tell which parts the columns; say it with --sep, "
                "or quote the names"
            )
        delimiter = found[0] if found else None
    if delimiter is None or delimiter not in unquoted:
        if may_be_single:
            return delimiter or ","
        kinds = ", ".join(DELIMITERS.values()) if delimiter is None else repr(delimiter)
        lines.refuse(f"a single column: the header holds no {kinds} between names; say with --sep what parts them")
    return delimiter


def _refuse_row_as_names(frame: pl.DataFrame) -> None:
    """Refuse names that are but another row: numbers above numbers, and each text among the texts below it."""
    for series in frame:
        if series.dtype == pl.String:
            if not (series == series.name).any():
                return
        elif not (series.dtype.is_numeric() and re.fullmatch(NUMBER, series.name)):
            return
    raise ContentError(
        f"line 1: the names {list_names(frame.columns)} are also values of their columns: a row in place of the "
        "header? Add a line with names"
    )


class _Lines:
    """The decoded lines of a file, counted; what cannot be text is refused by its line and byte."""

    def __init__(self, text: TextFile) -> None:
        self.file, self.limit, self.remedy = text.file, text.limit, text.remedy
        self.number = self.consumed = 0
        self.waiting: list[str] = []
        self.is_over = False
        self.begin_row()

    def begin_row(self) -> None:
        self.first = self.number + 1
        self.row: list[str] = []
        self.size = 0
        self.quoted = False

    def __iter__(self) -> _Lines:
        return self

    def read(self) -> str:
        """Return the next line without its end; `is_over` says where there is none."""
        self.begin_row()
        line = next(self, None)
        self.is_over = line is None
        return (line or "").rstrip("\r\n")

    def push_back(self, line: str) -> None:
        """Let a line be read again, as the next one."""
        self.waiting.append(line + "\n")
        self.number -= 1

    def __next__(self) -> str:
        text = self.waiting.pop() if self.waiting else self._decode_next()
        self.number += 1
        self.row.append(text)
        self.quoted = self.quoted or '"' in text
        return text

    def _decode_next(self) -> str:
        raw = self.file.readline(MAX_ROW + 1)
        if not raw:
            raise StopIteration
        number, is_first = self.number + 1, self.consumed == 0
        self.consumed += len(raw)
        self.size += len(raw)
        if self.size > MAX_ROW:
            self.refuse(f"longer than the {MAX_ROW:,} bytes of a row, or a quote that never closes", self.first)
        if self.consumed > self.limit:
            self.refuse(f"unpacks to more than {self.limit:,} bytes, which is not believed; unpack it first")
        if b"\0" in raw:
            self.refuse(
                f"byte {raw.index(0) + 1} is NUL, which no text holds; {self.remedy.format('utf-16-le')}", number
            )
        try:
            return raw.decode("utf-8-sig" if is_first else "utf-8")
        except UnicodeDecodeError as error:
            self.refuse(
                f"byte {error.start + 1} is {error.object[error.start]:#04x}, which is not UTF-8; "
                f"{self.remedy.format('latin-1')}",
                number,
            )

    def refuse(self, problem: str, line: int | None = None) -> NoReturn:
        raise ContentError(f"line {line or self.number}: {problem}")


def _split_rows(lines: _Lines, delimiter: str) -> Iterator[list[str]]:
    """Yield the values of every row; `lines.first` is the line on which it begins."""
    delimiter, mark = re.escape(delimiter), delimiter
    quoted = r'"[^"]*+(?:""[^"]*+)*+"'
    value = rf'(?:{quoted}|[^"{delimiter}]*+)'
    well_quoted = re.compile(rf"{value}(?:{delimiter}{value})*+")
    reader = csv.reader(lines, delimiter=mark, strict=True)
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
