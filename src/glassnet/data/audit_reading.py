"""Reads tables that training would refuse, as far as they can be read, and says what is wrong with them."""

from __future__ import annotations

import array
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from glassnet.data.column_values import blank_values, first_row
from glassnet.data.number_format import MISSING, NumberFormat
from glassnet.data.parquet import scan_parquet
from glassnet.data.read_options import ReadOptions
from glassnet.data.table import TableRead, is_parquet, read_table
from glassnet.data.table_schema import Faults, find_type_faults
from glassnet.data.text_columns import ColumnTyper
from glassnet.data.untrusted_files import ContentError
from glassnet.errors import DataError, FileError

#: What remarks begin with that say why training would refuse a table.
REFUSED = "training would refuse this table"


def read_as_it_is(source: Any, options: ReadOptions) -> TableRead:
    """Read a table; where its values are at fault, remarks say so, and what is no number counts as missing.

    Errors are those of `read_table`, for what cannot be looked at in any way.
    """
    read = _read_or_explain(source, options)
    return read._replace(frame=read.frame.with_columns(blank_values(one, options.missing) for one in read.frame))


def _read_or_explain(source: Any, options: ReadOptions) -> TableRead:
    """Read a table as training does, or else as far as it can be read."""
    try:
        return read_table(source, options)
    except (DataError, FileError) as error:
        try:
            read = _read_text(source, options) if _is_text(source) else _read_typed(source, options)
        except (DataError, FileError, TypeError, ValueError):
            raise error from None
        if not read.remarks:
            raise
        return read


def _is_text(source: Any) -> bool:
    return isinstance(source, str | Path) and not is_parquet(source)


def _read_typed(source: Any, options: ReadOptions) -> TableRead:
    """Read a table whose columns have types, without those of no plain values; infinite numbers are missing."""
    faults: Faults = {}
    if isinstance(source, str | Path):
        said: list[str] = []
        with scan_parquet(Path(source), said, options.drop, faults) as (lazy, _, _):
            frame = lazy.collect()
    else:
        frame, said = pl.DataFrame(source), []
        faults = find_type_faults(frame.drop(options.drop, strict=False).schema)
    frame = frame.drop(faults)
    remarks = [f"{REFUSED}: {problem}; it is left out here" for problem, _ in faults.values()]
    for series in frame.select(cs.float()):
        infinite = series.is_infinite().fill_null(False)
        if infinite.any():
            rows = f"{count} rows are" if (count := int(infinite.sum())) > 1 else "1 row is"
            remarks.append(f"{REFUSED}: column {series.name!r}: {rows} infinite (first row {first_row(infinite)})")
    frame = frame.with_columns(pl.when(cs.float().is_finite()).then(cs.float()))
    read = read_table(frame, options)
    return TableRead(read.frame, {}, (*remarks, *said, *read.remarks) if remarks else ())


def _read_text(path: Any, options: ReadOptions) -> TableRead:
    """Read text, and type each column by itself, so that one at fault does not keep the others from being read."""
    text = read_table(path, options, as_text=True)
    formats: dict[str, NumberFormat] = {}
    columns, problems, said = [], [], list(text.remarks)
    written = None
    starts = array.array("q", range(1, text.frame.height + 1))
    for name, dtype in text.frame.schema.items():
        series = text.frame[name]
        if dtype != pl.String:
            columns.append(series)
            continue
        typer = ColumnTyper(options, starts, "", place="row {}")
        try:
            typer.add(text.frame.select(name))
            said += typer.finish()
            columns += typer.columns
            formats |= typer.formats
            written = typer.written if written is None else written
        except ContentError as error:
            problems.append(f"{REFUSED}: {error}")
            columns.append(_take_most(series))
    return TableRead(pl.DataFrame(columns), formats, (*problems, *said) if problems else (), written)


def _take_most(series: pl.Series) -> pl.Series:
    """Return the numbers in a column where they are the most part, or else its text."""
    numbers = series.cast(pl.Float64, strict=False)
    numbers = numbers.set(~numbers.is_finite().fill_null(False), None)
    missing = series.is_null() | series.str.to_lowercase().is_in(MISSING).fill_null(False)
    return numbers if 2 * numbers.null_count() <= len(series) + int(missing.sum()) else series
