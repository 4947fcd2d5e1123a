"""What is odd about the rows and columns of a table: looked at as they were read, before anything is filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from glassnet.data.audit_arrays import DISTINCT, FAR, FEWEST_KEYS, judge_key
from glassnet.data.audit_findings import ColumnFindings, Far, Key, Place, sort_far
from glassnet.data.audit_leaks import MOST_COLUMNS, Column, choose_sample
from glassnet.data.column_learning import INDICATOR_SHARE
from glassnet.data.column_values import is_text, measure_numbers, take_values
from glassnet.data.number_format import MISSING
from glassnet.nn.activations import Array


class TableRows(NamedTuple):
    """A table's columns without the target, the rows of each split, and the columns that are categories.

    `locate` makes a place of a split and a row of the table, counted from 0.
    """

    frame: pl.DataFrame
    parts: Mapping[str, Array]
    categories: Sequence[str]
    locate: Callable[[str, int], Place]

    def is_numeric(self, name: str) -> bool:
        """Whether a column counts as numbers."""
        return self.frame[name].dtype.is_numeric() and name not in self.categories


def find_equal_rows(rows: TableRows, columns: Sequence[str]) -> list[tuple[Place, ...]]:
    """Return the groups of rows that are equal in these columns, in the order of their first rows."""
    order = np.concatenate(list(rows.parts.values()))
    names = np.repeat(list(rows.parts), [len(part) for part in rows.parts.values()])
    keys = [f"column {number}" for number in range(len(columns))]  # so that none is called as the numbers are
    frame = rows.frame.select(columns)[order].rename(dict(zip(columns, keys, strict=True)))
    groups = (
        frame.with_row_index("row")
        .group_by(keys, maintain_order=True)
        .agg(pl.col("row"))
        .filter(pl.col("row").list.len() > 1)["row"]
    )
    return [tuple(Place(str(names[row]), int(order[row])) for row in group) for group in groups.to_list()]


def look_at_columns(rows: TableRows) -> ColumnFindings:
    """Look at every column of a table."""
    found = ColumnFindings()
    for series in rows.frame:
        name = series.name
        values = take_values(series)
        absent = values.is_null().to_numpy()
        if absent.any():
            found.missing[name] = {split: int(absent[part].sum()) for split, part in rows.parts.items()}
        if _is_constant(values[rows.parts["train"]]):
            found.constant.append(name)
            continue
        if rows.is_numeric(name) and (far := _find_far(values, rows)):
            found.far.append(far)
        if key := _find_key(values):
            found.keys.append(key)
    found.far = sort_far(found.far)
    return found


def find_placeholders(rows: TableRows, columns: Sequence[str]) -> list[tuple[str, str, int]]:
    """Return the columns of text with values that mostly stand for none, such as ``?``: which, and how many."""
    found = []
    for name in columns:
        series = rows.frame[name]
        if is_text(series):
            lower = take_values(series).str.to_lowercase()
            counts = lower.filter(lower.is_in(MISSING)).value_counts(sort=True)
            found += [(name, *row) for row in counts.head(1).iter_rows()]
    return found


def take_columns(rows: TableRows, columns: Sequence[str], train: Array, tried: Array) -> Iterator[Column]:
    """Yield the columns as numbers or codes of categories, for some rows, for the search for leaks."""
    for name in columns[:MOST_COLUMNS]:
        series, is_numeric = take_values(rows.frame[name]), rows.is_numeric(name)
        if series.dtype.is_temporal():
            series, is_numeric = series.to_physical(), True
        elif is_text(series):
            series = series.cast(pl.Categorical).to_physical()
        numbers = series.cast(pl.Float64, strict=False).to_numpy()
        yield Column(name, numbers[train], numbers[tried], not is_numeric)


def sample_rows(rows: Array, columns: int, n_classes: int) -> Array:
    """Return those of some rows that the search for leaks looks at."""
    chosen: Array = rows[choose_sample(len(rows), columns, n_classes)]
    return chosen


def _is_constant(values: pl.Series) -> bool:
    """Whether training rows have one value only; that many lack it would tell something."""
    given = values.drop_nulls()
    if given.n_unique() > 1:
        return False
    return given.is_empty() or INDICATOR_SHARE * values.null_count() < len(values)


def _find_far(values: pl.Series, rows: TableRows) -> Far | None:
    """Return how many values are far from the mean of the training rows, and the farthest."""
    numbers = values.cast(pl.Float64).to_numpy()
    training = numbers[rows.parts["train"]]
    training = training[np.isfinite(training)]
    if not len(training):
        return None
    mean, std, _ = measure_numbers(training)
    if not std > 1e-12 * abs(mean):  # less is rounding
        return None
    count, best = 0, (0.0, "", 0)
    for split, part in rows.parts.items():
        with np.errstate(over="ignore"):
            away = np.nan_to_num(np.abs(numbers[part] / std - mean / std))
        count += int(np.count_nonzero(away > FAR))
        if len(away) and away.max() > best[0]:
            best = (float(away.max()), split, int(part[away.argmax()]))
    deviations, split, row = best
    return Far(values.name, count, rows.locate(split, row), float(numbers[row]), deviations) if count else None


def _find_key(values: pl.Series) -> Key | None:
    """Return what a column of text or of whole numbers may name; None for other columns."""
    given = values.drop_nulls()
    if len(given) < FEWEST_KEYS:
        return None
    if values.dtype.is_numeric():
        return judge_key(values.name, [given.to_numpy()])
    if not is_text(values):
        return None
    distinct = given.n_unique()
    return Key(values.name, distinct, len(given), False) if distinct >= DISTINCT * len(given) else None
