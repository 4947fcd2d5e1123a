"""What every table must be, wherever it comes from: distinct, printable names and plain columns."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import polars.selectors as cs

from glassnet.data.untrusted_files import ContentError

#: The most columns; a row's bytes bound them too.
MAX_COLUMNS = 100_000

#: The most characters of a column's name.
MAX_NAME = 200


def check_table(frame: pl.DataFrame) -> pl.DataFrame:
    """Refuse what is no table of plain columns; NaN becomes null, names lose the blanks around them."""
    if frame.width < 2:
        raise ContentError(
            f"{count_of(frame.width, 'column')}; a table needs two or more, of which one may be the target"
        )
    names = [name.strip() for name in frame.columns]
    if problem := find_name_problem(names) or find_type_problem(frame.schema):
        raise ContentError(problem)
    if frame.height == 0:
        raise ContentError("has columns but no rows")
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    frame = frame.with_columns(cs.decimal().cast(pl.Float64)).with_columns(cs.float().fill_nan(None))
    for series in frame.select(cs.float().is_infinite().fill_null(False)):
        if series.any():
            row = int(series.arg_true()[0]) + 1
            raise ContentError(f"row {row}, column {series.name!r}: infinite, expected a finite number")
    return frame


def find_name_problem(names: Sequence[str]) -> str | None:
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
            return f"the name of column {number} holds a character that cannot be printed: {quote_value(name)}"
        if name in seen:
            return f"columns {seen[name]} and {number} are both called {name!r}"
        seen[name] = number
    return None


def find_type_problem(schema: pl.Schema) -> str | None:
    """Name the first column that holds no plain values, None where all do."""
    for name, dtype in schema.items():
        if dtype.is_nested():
            return f"column {name!r} is nested ({quote_value(dtype, 60)}); make plain columns of it"
        plain = dtype in (pl.Boolean, pl.String, pl.Null) or isinstance(dtype, pl.Categorical | pl.Enum)
        if not (plain or dtype.is_numeric() or dtype.is_temporal()):
            return f"column {name!r} holds {dtype}, expected numbers, text, or true and false"
    return None


def quote_value(value: object, length: int = 30) -> str:
    """Return a value as a message shows it: in quotes, cut to a length, without what cannot be printed."""
    text = str(value)
    return repr(text if len(text) <= length else text[:length] + "...")


def count_of(number: int, thing: str) -> str:
    """Return a number of things in words: "1 column", "2 columns"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"
