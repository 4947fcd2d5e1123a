"""What deserves a look in a data set, in sentences; none holds more than ten examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, islice
from typing import Any, NamedTuple

import numpy as np

from glassnet.data.audit_arrays import FAR
from glassnet.data.audit_findings import Audit, Place
from glassnet.data.audit_labels import name_label
from glassnet.data.audit_leaks import MOST_COLUMNS
from glassnet.data.column_values import list_names
from glassnet.data.target_schema import TargetSchema

#: A class whose share differs by more between two splits is called shifted.
SHIFT = 0.05

#: A class with more rows than this times those of the rarest makes the classes unbalanced.
UNBALANCED = 10

#: The most examples of anything.
EXAMPLES = 10

#: The most examples in one sentence of several words each.
FEW = 4


class Words(NamedTuple):
    """What remarks call things by: the labels of equal rows and their target, and the constant columns.

    `is_table` tells a table's columns from those of arrays; its rows are equal `but_for` what counts them.
    """

    labels: Mapping[Place, Any]
    target: TargetSchema | None
    constant: list[str]
    is_table: bool = False
    but_for: Sequence[str] = ()

    @property
    def equal(self) -> str:
        """How rows are equal."""
        said = "value for value" if self.is_table else "number for number"
        return said + (f" but for {list_names(list(self.but_for))}" if self.but_for else "")

    @property
    def option(self) -> str:
        """The option that leaves a column out."""
        return " (--drop)" if self.is_table else ""


def write_remarks(found: Audit, words: Words) -> Iterator[str]:
    """Yield the remarks."""
    for one, other in combinations(found.rows, 2):
        if groups := found.across(one, other):
            a, b = (next(p for p in groups[0] if p.split == split) for split in (one, other))
            yield (
                f"{_count_rows(groups, 'stands', 'stand')} in {one} and in {other}, {words.equal}: "
                f"for example {a.words} and {b.words}"
            )
    for split in found.rows:
        inside = [group for group in found.duplicates if sum(place.split == split for place in group) > 1]
        if inside:
            a, b, *_ = (place for place in inside[0] if place.split == split)
            said = f"{_count_rows(inside, 'stands', 'stand')} in {split} more than once"
            yield f"{said}: for example {a.words} and {b.words}"
    if found.contradictions:
        yield _describe_contradictions(found.contradictions, words)
    yield from _write_class_remarks(found)
    if words.constant:
        yield _describe_constant(found, words.constant)
    yield from _write_missing_remarks(found, words.is_table)
    yield from _write_column_remarks(found, words.option)


def _describe_contradictions(groups: list[tuple[Place, ...]], words: Words) -> str:
    first, *rest = groups[0]
    other = next(place for place in rest if np.any(words.labels[place] != words.labels[first]))
    places = (place.words + name_label(words.target, words.labels[place]) for place in (first, other))
    return f"{_count_rows(groups, 'has', 'have')} different labels in different places: {' and '.join(places)}"


def _describe_constant(found: Audit, names: list[str]) -> str:
    are = "column is" if len(names) == 1 else "columns are"
    return f"{len(names)} of {found.columns} {are} the same in all training rows: {list_names(names)}"


def _write_column_remarks(found: Audit, option: str) -> Iterator[str]:
    if found.far:
        shown = [
            f"{one.column} ({one.number}; {one.place.words} is {one.value:.6g}, {one.deviations:.3g} deviations)"
            for one in found.far
        ]
        yield (
            f"values beyond {FAR} standard deviations of the training rows, which a network can hardly take, in "
            f"{list_names(shown, FEW)}; check them, or take their logarithm"
        )
    for leak in found.leaks[:EXAMPLES]:
        target = leak.target or "the target"
        yield (
            f"{leak.column} alone tells {target}: a rule of this column has {leak.measure} {leak.value:.4g} on "
            f"rows it was not made on; if it is not known when you predict, leave it out{option}"
        )
    if len(found.leaks) > EXAMPLES:
        yield f"{len(found.leaks) - EXAMPLES} more columns alone tell the target"
    if found.columns > MOST_COLUMNS:
        yield f"columns that alone tell the target were looked for among the first {MOST_COLUMNS:,} only"
    if found.keys:
        shown = [
            f"{one.column} ({one.distinct:,} distinct of {one.values:,}"
            f"{', in the order of the rows' if one.in_order else ''})"
            for one in found.keys
        ]
        yield f"may only name the rows, leave out{option} what does: {list_names(shown)}"


def _write_missing_remarks(found: Audit, is_table: bool) -> Iterator[str]:
    """Say how much is missing: of a table by column, of arrays by split."""
    if not is_table:
        for split, count in found.missing.items():
            if count:
                yield f"{count} numbers of {split} are NaN or infinite"
        return
    if not found.missing_columns:
        return
    rows = sum(found.rows.values())
    lacking = {name: sum(counts.values()) for name, counts in found.missing_columns.items()}
    shown = [f"{name} ({count:,}, {count / rows:.1%})" for name, count in sorted(lacking.items(), key=_by_count)]
    yield f"missing values in {len(shown)} of {found.columns} columns: {list_names(shown)}"


def _by_count(item: tuple[str, int]) -> int:
    return -item[1]


def _count_rows(groups: list[tuple[Place, ...]], one: str, several: str) -> str:
    return f"1 row {one}" if len(groups) == 1 else f"{len(groups)} rows {several}"


def _write_class_remarks(found: Audit) -> Iterator[str]:
    if not found.class_rows:
        return
    yield from _bound(_find_empty_classes(found), "classes have no rows in a split")
    training = [counts["train"] for counts in found.class_rows.values()]
    if min(training) and max(training) > UNBALANCED * min(training):
        yield f"the classes are unbalanced: {min(training)} to {max(training)} training rows"
    yield from _bound(_find_shifts(found), "classes have shares that shift")


def _bound(remarks: Iterator[str], what: str) -> Iterator[str]:
    """Yield the first remarks, and how many there are besides."""
    yield from islice(remarks, EXAMPLES)
    if more := sum(1 for _ in remarks):
        yield f"{more} more {what}"


def _find_empty_classes(found: Audit) -> Iterator[str]:
    for name, counts in found.class_rows.items():
        for split, count in counts.items():
            if count == 0:
                yield f"class {name} has no rows in {split}"


def _find_shifts(found: Audit) -> Iterator[str]:
    for name, counts in found.class_rows.items():
        shares = {split: counts[split] / found.rows[split] for split in counts}
        low, high = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
        change = shares[high] - shares[low]
        by_rows = change * min(found.rows[high], found.rows[low])  # no share is nearer than one row allows
        if change > SHIFT + 1e-9 and by_rows > 1 + 1e-9:  # 0.55 - 0.5 is a little more than 0.05
            yield f"the share of class {name} shifts: {shares[high]:.1%} of {high}, {shares[low]:.1%} of {low}"
