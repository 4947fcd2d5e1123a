"""Learns the columns of a table on its training rows, and gathers what there is to say of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.data.column_kinds import BooleanColumn, CategoryColumn, Column, DateColumn, NumericColumn
from glassnet.data.column_values import (
    find_sentinel,
    first_row,
    is_plain,
    is_text,
    list_more,
    list_names,
    map_distinct,
    measure_numbers,
    spell,
    spell_numbers,
    take_text,
    take_values,
)
from glassnet.data.dates import FIRST_YEAR, has_short_years, list_texts, looks_like_dates, settle_order
from glassnet.data.number_format import NumberFormat
from glassnet.data.read_options import ReadOptions
from glassnet.data.remarks import Remark, join_remarks
from glassnet.data.scaling import measure_robustly
from glassnet.errors import DataError, UsageError, nearest_name

if TYPE_CHECKING:
    import polars as pl

#: Text with more distinct values than this, or more than half of all values distinct, is no category.
MAX_CATEGORIES = 100

#: A column that the user names as categories may have more of them, up to this number.
MAX_NAMED_CATEGORIES = 1000

#: Of a column that lacks values in at least one of so many training rows, a further feature tells where.
INDICATOR_SHARE = 20

#: Figures of a column that is only read.
UNSCALED: dict[str, Any] = {"mean": 0.0, "std": 1.0, "median": 0.0, "spread": 1.0}

TEXT = Remark("noticed.because_text", most=MAX_CATEGORIES)
DATES = Remark("noticed.because_dates")
NOTHING = Remark("noticed.because_empty")
SUSPECT = "a number far outside the rest of its column, several times"
FOREIGN = Remark("noticed.because_foreign")


@dataclass
class Findings:
    """What was found while learning, so that each thing is said once for all columns."""

    left_out: dict[str, list[str]] = field(default_factory=dict)  # names by reason
    constant: list[str] = field(default_factory=list)
    distinct: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    short_years: list[str] = field(default_factory=list)
    sentinels: list[str] = field(default_factory=list)

    def leave_out(self, name: str, reason: str) -> None:
        """Note a column that cannot be used."""
        self.left_out.setdefault(reason, []).append(name)

    def describe_left_out(self) -> str:
        """Return the columns that cannot be used, with the reason."""
        parts = [
            Remark("noticed.because", names=list_names(names), reason=reason)
            for reason, names in self.left_out.items()
        ]
        return join_remarks(parts)

    def say(self) -> list[str]:
        """Return a remark for each kind of finding."""
        said: list[tuple[list[str], str, dict[str, Any]]] = [
            (self.dates, "noticed.dates", {}),
            (self.short_years, "noticed.short_years", {"first": str(FIRST_YEAR), "last": str(FIRST_YEAR + 99)}),
            (self.constant, "noticed.constant", {}),
            (self.sentinels, "noticed.sentinels", {}),
            (self.distinct, "noticed.distinct", {}),
        ]
        remarks: list[str] = []
        if self.left_out:
            remarks.append(Remark("noticed.left_out", parts=self.describe_left_out()))
        return remarks + [Remark(key, names=list_names(names), **more) for names, key, more in said if names]


def choose_columns(names: Sequence[str], options: ReadOptions) -> list[str]:
    """Return the columns that the options leave; refuse names that the table does not have."""
    for option in ("columns", "drop", "categorical", "dates"):
        known = [*names, options.target] if option == "columns" and options.target else names
        if unknown := _without(getattr(options, option), known):
            if options.target in unknown:
                raise UsageError(option, f"{options.target!r} is the target, which is no column to learn from")
            raise UsageError(option, f"no column {unknown[0]!r}{suggest(unknown[0], known)}{_more(unknown[1:])}")
    for one, other in (("columns", "drop"), ("categorical", "dates")):
        if both := set(getattr(options, one)).intersection(getattr(options, other)):
            raise UsageError(other, f"{min(both)!r} is in {one} too; name it once")
    return _without(names, _without(names, options.columns or names) + list(options.drop))


def _without(names: Iterable[str], others: Iterable[str]) -> list[str]:
    taken = set(others)
    return [name for name in names if name not in taken]


def suggest(name: str, known: Sequence[str]) -> str:
    """Return what a name may have been meant for, to stand behind a message."""
    nearest = nearest_name(name, known)
    return f"; did you mean {nearest!r}?" if nearest is not None else f"; there are: {list_names(list(known))}"


def _more(unknown: list[str]) -> str:
    return f" No column either: {list_names(unknown)}" if unknown else ""


@dataclass(frozen=True)
class ColumnLearner:
    """Learns one column after the other; `impute` says whether a missing value may be filled."""

    options: ReadOptions
    formats: Mapping[str, NumberFormat]
    findings: Findings

    @property
    def impute(self) -> bool:
        """Whether missing values are filled."""
        return self.options.impute != "error"

    def learn(self, series: pl.Series, all_rows: pl.Series) -> Column | None:
        """Return a column as the training rows in `series` show it, None if it cannot be used.

        `all_rows` is the same column of the whole table: it tells how dates are written, and nothing else.
        """
        import polars as pl

        name = series.name
        if not is_plain(series):
            self.findings.leave_out(name, FOREIGN)
            return None
        given = take_values(series).drop_nulls()
        if given.is_empty():
            self.findings.leave_out(name, NOTHING)
            return None
        if name in self.options.dates:
            return self._learn_dates(series, all_rows)
        if series.dtype == pl.Boolean:
            return self._learn_booleans(series)
        if name in self.options.categorical:
            return self._learn_named_categories(series)
        if series.dtype.is_numeric():
            return self._learn_numbers(series, all_rows)
        return self._learn_text(series, given)

    def _learn_numbers(self, series: pl.Series, all_rows: pl.Series) -> NumericColumn:
        number_format = self.formats.get(series.name)
        column = NumericColumn(name=series.name, **UNSCALED, format=number_format)
        every = column.read(all_rows).drop_nulls().to_numpy()  # first, so that the whole table counts rows
        values = column.read(series)
        numbers = values.drop_nulls().to_numpy()
        scale = self._measure(series.name, numbers, values)
        if found := find_sentinel(every):
            self.findings.sentinels.append(f"{series.name} ({found[0]:g}, {found[1]} times)")
        if len(numbers) > 1 and (numbers == np.floor(numbers)).all() and len(np.unique(numbers)) == len(numbers):
            self.findings.distinct.append(series.name)
        return NumericColumn(
            name=series.name, format=number_format, zero_one=bool(np.isin(numbers, (0, 1)).all()), **scale
        )

    def _learn_dates(self, series: pl.Series, all_rows: pl.Series) -> DateColumn:
        what = f"column {series.name!r}"
        order = None
        self.findings.dates.append(series.name)
        if is_text(series):
            texts = list_texts(all_rows)
            order = settle_order(texts, what)
            if has_short_years(texts):
                self.findings.short_years.append(series.name)
        column = DateColumn(name=series.name, **UNSCALED, order=order)
        column.read(all_rows)
        values = column.read(series)
        if values.null_count() == len(values):
            raise DataError(f"{what}: no dates in the training rows; leave it out with --drop")
        return DateColumn(
            name=series.name, order=order, **self._measure(series.name, values.drop_nulls().to_numpy(), values)
        )

    def _measure(self, name: str, numbers: Any, values: pl.Series) -> dict[str, Any]:
        """Return what scales and fills numbers."""
        mean, std, median = measure_numbers(numbers)
        indicator = self._needs_indicator(values)
        if std == 0 and not indicator:
            self.findings.constant.append(name)
        middle, spread = map(float, measure_robustly(numbers))
        figures = {"mean": mean, "std": std or 1.0, "median": middle, "spread": spread}
        return {**figures, "fill": median if self.impute else None, "indicator": indicator}

    def _learn_booleans(self, series: pl.Series) -> BooleanColumn:
        given = series.drop_nulls()
        trues, indicator = int(given.sum()), self._needs_indicator(series)
        if trues in (0, len(given)) and not indicator:
            self.findings.constant.append(series.name)
        fill = 2 * trues > len(given) if self.impute else None
        return BooleanColumn(name=series.name, fill=fill, indicator=indicator)

    def _learn_text(self, series: pl.Series, given: pl.Series) -> CategoryColumn | None:
        """Learn a column of text, or leave it out if it holds dates or free text."""
        if series.dtype.is_temporal() or looks_like_dates(list_texts(series)):
            self.findings.leave_out(series.name, DATES)
            return None
        distinct = given.n_unique()
        if distinct > MAX_CATEGORIES or 2 * distinct > len(given):
            self.findings.leave_out(series.name, TEXT)
            return None
        return self._make_categories(series.name, take_text(series), {})

    def _learn_named_categories(self, series: pl.Series) -> CategoryColumn:
        """Learn categories that the user asked for, whatever the column holds."""
        import polars as pl

        number_format = self.formats.get(series.name)
        if series.dtype.is_numeric():
            values = spell_numbers(series)
            more: dict[str, Any] = {"numbers": True, "format": number_format}
        else:
            values = take_text(series) if is_text(series) else map_distinct(series, spell, pl.String)
            more = {}
        if (distinct := values.drop_nulls().n_unique()) > MAX_NAMED_CATEGORIES:
            raise UsageError(
                "categorical",
                f"column {series.name!r} has {distinct:,} distinct values, of at most {MAX_NAMED_CATEGORIES:,}",
            )
        return self._make_categories(series.name, values, more)

    def _make_categories(self, name: str, values: pl.Series, more: dict[str, Any]) -> CategoryColumn:
        counts = dict(values.drop_nulls().value_counts().iter_rows())
        categories, indicator = tuple(sorted(counts)), self._needs_indicator(values)
        if len(categories) == 1 and not indicator:
            self.findings.constant.append(name)
        fill = max(categories, key=counts.__getitem__) if self.impute else None  # of equals, the first in order
        return CategoryColumn(name=name, categories=categories, fill=fill, indicator=indicator, **more)

    def _needs_indicator(self, values: pl.Series) -> bool:
        missing = values.null_count()
        return self.impute and missing > 0 and INDICATOR_SHARE * missing >= len(values)


def describe_filled(filled: Sequence[tuple[Column, int]]) -> list[Remark]:
    """Say of all columns how many values were filled, and with what."""

    def name(typical: str) -> list[str]:
        return [f"{column.name} ({count})" for column, count in filled if column.typical == typical]

    medians, others = name("median"), name("most frequent value")
    said = [Remark("noticed.filled_median", names=list_names(medians))] if medians else []
    if others:
        key = "noticed.also_filled_frequent" if medians else "noticed.filled_frequent"
        said.append(Remark(key, names=list_names(others)))
    return said


def describe_indicators(columns: Sequence[Column]) -> list[Remark]:
    """Say which columns have a further feature that tells where values are missing."""
    names = [column.features[-1] for column in columns if column.indicator]
    return [Remark("noticed.indicators", names=list_names(names))] if names else []


def describe_refused(missing: Sequence[tuple[str, pl.Series]], remedy: str) -> str:
    """Name all columns that lack values, by the number of these and the first row."""
    said = [f"{name!r} ({int(rows.sum())}, first in row {first_row(rows)})" for name, rows in missing[:10]]
    column = "column" if len(missing) == 1 else "columns"
    return f"missing values in {column} {', '.join(said)}{list_more(len(missing) - 10)}; {remedy}"
