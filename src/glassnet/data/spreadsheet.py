"""Workbooks (.xlsx), read with distrust: by calamine, in a process of its own with bounded memory and time."""

from __future__ import annotations

import importlib.util
import os
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from glassnet.data import decoding
from glassnet.data.blanks import strip
from glassnet.data.number_format import mask
from glassnet.data.read_options import clean_name
from glassnet.data.table_schema import (
    INDEX_LEFT_OUT,
    counts_rows,
    find_name_problem,
    find_row_as_names,
    find_type_faults,
    list_names,
    note_faults,
)
from glassnet.data.untrusted_files import ContentError, check_expansion, open_regular_file, refuse_start, shorten
from glassnet.errors import UsageError

if TYPE_CHECKING:
    import fastexcel

#: What a zip begins with.
_ZIP = b"PK\x03\x04"

#: Whole numbers up to this size are exact in Excel, which has no others than floats.
_EXACT = 2**53


def read_spreadsheet(path: Path, sheet: str | None = None) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Read a sheet of a workbook, by default the first, as a table with the names in the first row that holds any.

    The cells' own types stay; numbers that are whole in all of a column become whole numbers. `FileError` is
    raised if the workbook is missing or damaged, or holds no such sheet; `UsageError` without fastexcel.
    """
    if importlib.util.find_spec("fastexcel") is None:
        raise UsageError("data", "workbooks need fastexcel, which is not installed: pip install 'glassnet[xlsx]'")
    with open_regular_file(path) as (raw, _):
        start = raw.read(64)
        if not start.startswith(_ZIP):
            refuse_start(start, "workbook (.xlsx)", _ZIP.hex(" "))
        with decoding.decode_apart("glassnet.data.spreadsheet", path, sheet or "") as (decoded, remarks):
            return pl.scan_ipc(decoded).collect(), remarks


def write_arrow(source: str, target: str, sheet: str) -> list[str]:
    """Write a sheet of a workbook as Arrow, and return remarks; `ContentError` if something is wrong with it.

    For a process of its own: its memory is bounded for good.
    """
    import fastexcel

    unpacked = _check_zip(source)
    pl.select(pl.lit(1)).lazy().select(pl.all().sum()).collect()  # starts the threads, which take memory
    decoding.limit_memory(decoding.DECODER_MEMORY + 40 * unpacked)
    book = fastexcel.read_excel(source)
    sheets = list(book.sheet_names)
    if sheet and sheet not in sheets:
        raise ContentError(f"has no sheet {sheet[:60]!r}; its sheets are {list_names(sheets, 10)}")
    chosen = sheet or sheets[0]
    top = book.load_sheet(chosen, header_row=None, n_rows=1, dtypes="string").to_polars()
    if top.height == 0:
        raise ContentError(f"has nothing on its sheet {chosen[:60]!r}; say with --sheet which to read")
    names = [clean_name(name or "") for name in top.row(0)]
    frame = _read_cells(book, chosen)
    if frame.width != len(names):
        raise ContentError("has another number of names than of columns; save the sheet as CSV")
    remarks = [] if sheet or len(sheets) == 1 else [f"of its sheets {list_names(sheets)} the first is read"]
    frame = _leave_out_unnamed(_cut(frame), names, remarks)
    note_faults(find_type_faults(frame.schema), None)
    _take_whole(frame).write_ipc(target)
    return remarks


def _read_cells(book: fastexcel.ExcelReader, sheet: str) -> pl.DataFrame:
    """Return the cells below the names; a column is text where any of its cells is, numbers with all their digits.

    Of its own, fastexcel takes words such as NA for missing numbers, and cuts the numbers in a column of text.
    """
    typed, text, floats = (
        book.load_sheet(sheet, header_row=0, schema_sample_rows=None, dtypes=dtypes).to_polars()
        for dtypes in (None, "string", "float")
    )
    columns = []
    for one, words, numbers in zip(typed, text, floats, strict=True):
        if one.dtype == pl.String or one.null_count() > words.null_count():
            is_cut = (words.cast(pl.Float64, strict=False) != numbers).fill_null(False)
            whole = strip(mask(words, is_cut).fill_null(mask(numbers.cast(pl.String), ~is_cut)))
            columns.append(mask(whole, whole == ""))
    return typed.with_columns(columns)


def _check_zip(source: str) -> int:
    """Return the bytes that the workbook unpacks to; refuse one that is damaged or a zip bomb."""
    size = os.stat(source).st_size
    try:
        with zipfile.ZipFile(source) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            check_expansion(unpacked, size)
            if "[Content_Types].xml" not in archive.namelist():
                raise ContentError("is a zip, but no workbook: it holds no [Content_Types].xml")
            damaged = archive.testzip()  # calamine compares no checksums
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise ContentError(f"is damaged ({shorten(error)}): copy or download it again") from None
    if damaged:
        raise ContentError("is damaged (a checksum is wrong): copy or download it again")
    return unpacked


def _cut(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows down to the last that holds anything; refuse an empty one among them."""
    empty = frame.select(pl.all_horizontal(pl.all().is_null()).alias("empty"))["empty"]
    height = int((~empty).arg_true()[-1]) + 1 if not empty.all() else 0
    if empty.head(height).any():
        raise ContentError(f"row {int(empty.arg_true()[0]) + 2} of the sheet is empty, but rows follow; remove it")
    return frame.head(height)


def _leave_out_unnamed(frame: pl.DataFrame, names: list[str], remarks: list[str]) -> pl.DataFrame:
    """Give the columns their names; leave out empty ones without a name, and an index in the first."""
    if problem := find_row_as_names(names) or find_name_problem(names, may_lack=range(1, len(names) + 1)):
        raise ContentError(f"row 1 of the sheet: {problem}")
    kept = []
    for number, (series, name) in enumerate(zip(frame, names, strict=True), 1):
        if name or (series.null_count() < len(series) and not (number == 1 and counts_rows(series))):
            if not name:
                raise ContentError(f"row 1 of the sheet: column {number} has no name; give it one, or remove it")
            kept.append(series.alias(name))
        elif series.null_count() < len(series):
            remarks.append(INDEX_LEFT_OUT.format("without a name"))
    return pl.DataFrame(kept)


def _take_whole(frame: pl.DataFrame) -> pl.DataFrame:
    """Return numbers that are whole in all of a column as Int64."""
    floats = frame.select(cs.float())
    is_whole = floats.select(((pl.all() == pl.all().floor()) & (pl.all().abs() < _EXACT)).all())
    whole = [name for name in floats.columns if is_whole[name][0] and floats[name].null_count() < frame.height]
    return frame.with_columns(pl.col(whole).cast(pl.Int64)) if whole else frame


if __name__ == "__main__":
    decoding.run_as_process(write_arrow)
