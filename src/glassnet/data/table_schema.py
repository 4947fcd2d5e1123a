"""What every table must be, wherever it comes from: distinct, printable names and plain columns."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import polars as pl
import polars.selectors as cs

from glassnet.data.read_options import clean_name
from glassnet.data.untrusted_files import ContentError

#: The most columns; a row's bytes bound them too.
MAX_COLUMNS = 100_000

#: The most characters of a column's name.
MAX_NAME = 200

#: The remark on the column that pandas writes first into text and workbooks.
INDEX_LEFT_OUT = "the first column, {}, only counts the rows (pandas' index); it is left out"

#: What is wrong with columns, by name: the problem, and the remedy where it is not told with it.
Faults = dict[str, tuple[str, str]]

#: The most columns whose faults one message tells.
MOST_FAULTS = 5

#: What is said of a table that is too narrow.
ONE_COLUMN = "{}; a table needs two or more, of which one may be the target"

#: A number, as no name of a column should be.
NUMBER = r"[+-]?\d*\.?\d+([eE][+-]?\d+)?"

#: What pandas calls the columns of an index without a name.
_INDEX = re.compile(r"__index_level_\d+__")


def check_table(frame: pl.DataFrame, *, learned: bool = False, faults: Faults | None = None) -> pl.DataFrame:
    """Refuse what is no table of plain columns, two or more; NaN becomes null, names lose outer blanks.

    Where a schema was `learned`, one column is enough, and it is the schema that judges what columns hold: those
    that it does not use may hold anything. What is wrong with columns goes to the `faults`, where they are given.
    """
    if frame.width < (1 if learned else 2):
        raise ContentError(ONE_COLUMN.format(count_of(frame.width, "column")))
    names = [clean_name(name) for name in frame.columns]
    if problem := find_name_problem(names):
        raise ContentError(problem)
    if frame.height == 0:
        raise ContentError("has columns but no rows")
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    frame = frame.with_columns(cs.decimal().cast(pl.Float64)).with_columns(cs.float().fill_nan(None))
    if not learned:
        note_faults({**find_type_faults(frame.schema), **_find_infinite(frame)}, faults)
    return frame


def note_faults(found: Faults, faults: Faults | None) -> None:
    """Add what is wrong with columns to the faults that are gathered, or refuse the table where none are."""
    if faults is not None:
        faults.update(found)
    elif found:
        raise ContentError(join_faults(found))


def join_faults(faults: Faults) -> str:
    """Say in one line what is wrong with columns, and what to do; of many, the first are told."""
    problems = [problem for problem, _ in faults.values()]
    more = len(problems) - MOST_FAULTS
    also = [f"{more} more columns such as these"] if more > 0 else []
    remedies = dict.fromkeys(remedy for _, remedy in faults.values() if remedy)
    return "; ".join([*problems[:MOST_FAULTS], *also, *remedies])


def _find_infinite(frame: pl.DataFrame) -> Faults:
    """Return the columns that hold infinite numbers."""
    wrong = [one for one in frame.select(cs.float().is_infinite().fill_null(False)) if one.any()]
    places = {one.name: f"row {one.arg_true()[0] + 1}, column {one.name!r}" for one in wrong}
    return {name: (f"{place}: infinite, expected a finite number", "") for name, place in places.items()}


def blank_unusable(frame: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """Empty those of some columns that hold no plain values: nothing is learned from them."""
    unusable = set(names) & find_type_faults(frame.schema).keys()
    return frame.with_columns(pl.lit(None).alias(name) for name in unusable)


def find_name_problem(names: Sequence[str], may_lack: Collection[int] = ()) -> str | None:
    """Say what is wrong with the names of the columns, None where nothing is.

    The columns that `may_lack` counts from 1 can be without a name.
    """
    if len(names) > MAX_COLUMNS:
        return f"{len(names):,} columns; at most {MAX_COLUMNS:,} are read"
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if not name.strip() and number in may_lack:
            continue
        if not name.strip():
            return f"column {number} has no name; give it one, or remove it"
        if len(name) > MAX_NAME:
            return f"the name of column {number} has {len(name):,} characters; at most {MAX_NAME} are read"
        if not name.isprintable():
            return f"the name of column {number} holds a character that cannot be printed: {quote_value(name)}"
        if name in seen:
            return f"columns {seen[name]} and {number} are both called {name!r}; give one another name"
        seen[name] = number
    return None


def find_row_as_names(names: Sequence[str]) -> str | None:
    """Say that a row seems to stand in place of the names: all are numbers, or some have decimals and no order."""
    numbers = [name for name in names if re.fullmatch(NUMBER, name)]
    values = [float(name) for name in numbers]
    decimals = [name for name in numbers if "." in name]
    if len(numbers) == len(names):
        return "all names are numbers: a row in place of the header? Add a line with names"
    is_scale = len(values) > 7 and values in (sorted(set(values)), sorted(set(values), reverse=True))
    if decimals and not is_scale:
        return (
            f"the name {quote_value(decimals[0])} is a number: a row in place of the header? Add a line with "
            "names, or put a letter before such names"
        )
    return None


def find_type_faults(schema: Mapping[str, pl.DataType]) -> Faults:
    """Return the columns that hold no plain values."""
    faults: Faults = {}
    for name, dtype in schema.items():
        plain = dtype in (pl.Boolean, pl.String, pl.Null) or isinstance(dtype, pl.Categorical | pl.Enum)
        if dtype.is_nested():
            problem = f"column {name!r} is nested ({quote_value(dtype, 60)})"
            faults[name] = problem, "make plain columns of it, or --drop it"
        elif not (plain or dtype.is_numeric() or dtype.is_temporal()):
            problem = f"column {name!r} holds {dtype}, expected numbers, text, true or false"
            faults[name] = problem, "--drop leaves it out"
    return faults


def quote_value(value: object, length: int = 30) -> str:
    """Return a value as a message shows it: in quotes, cut to a length, without what cannot be printed."""
    text = str(value)
    return repr(text if len(text) <= length else text[:length] + "...")


def count_of(number: int, thing: str) -> str:
    """Return a number of things in words: "1 column", "2 columns"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def list_names(names: Iterable[str], most: int = 5) -> str:
    """Return the first names of columns in quotes, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(quote_value(name, 60) for name in names[:most]) + more


def counts_rows(series: pl.Series) -> bool:
    """Whether a column, text or not, holds distinct whole numbers of 0 or more, as an index does."""
    if series.dtype == pl.String:
        is_whole = series.str.contains(r"^[0-9]{1,18}$")
    elif series.dtype.is_numeric():
        is_whole = (series >= 0) & (series == series.floor())
    else:
        return False
    return series.null_count() == 0 and bool(is_whole.all()) and series.n_unique() == len(series)


def find_index(table: pl.LazyFrame, metadata: str | None = None) -> list[str]:
    """Return the columns that only hold the index of a table of pandas, which is no feature.

    An index without a name has a known one; of those that pandas' `metadata` (JSON) names, the ones that count the
    rows from 0. All columns are never an index.
    """
    names = table.collect_schema().names()
    index = [name for name in names if _INDEX.fullmatch(name)]
    try:
        said = json.loads(metadata or "{}")["index_columns"]
        named = [name for name in said if isinstance(name, str) and name in names and name not in index]
    except (ValueError, KeyError, TypeError, RecursionError):
        named = []
    for name in named:
        if table.collect_schema()[name].is_integer():
            counts = pl.col(name).cast(pl.Int64, strict=False) == pl.int_range(pl.len())
            index += [name] if table.select(counts.all()).collect().item() else []
    return index if len(index) < len(names) else []


def say_index(index: Sequence[str]) -> list[str]:
    """Return the remark on the columns that `find_index` found, none where there are none."""
    return [f"left out, as it only holds pandas' index: {list_names(index)}"] if index else []
