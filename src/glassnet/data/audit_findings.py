"""What an audit of a data set finds, as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from itertools import islice
from typing import Any, NamedTuple

#: The most entries of a list that `Audit.to_dict` returns; counts beside the lists tell how many there are.
MOST_LISTED = 1000

#: The most rows of a group of equal rows that it returns.
MOST_OF_GROUP = 10

#: The splits, in the order in which they are looked at.
SPLITS = ("train", "validation", "test")


class Place(NamedTuple):
    """A row of a split, counted from 1; that of a user's own file is counted there, as `where` says in words."""

    split: str
    row: int
    where: str = ""

    @property
    def words(self) -> str:
        """The place as a message names it."""
        return self.where or f"row {self.row} of {self.split}"


def count_row(split: str, row: int) -> Place:
    """Return the place of a row that is counted from 0 in its split."""
    return Place(split, row + 1)


class Far(NamedTuple):
    """How many values of a column are far from the training rows' mean, and the farthest of them."""

    column: str
    number: int
    place: Place
    value: float
    deviations: float


class Leak(NamedTuple):
    """A column that alone tells the target: by which measure, on rows that are not for training."""

    column: str
    measure: str
    value: float
    target: str = ""


class Key(NamedTuple):
    """A column that may only name the rows: its distinct values, and whether they rise or fall with the rows."""

    column: str
    distinct: int
    values: int
    in_order: bool


@dataclass(frozen=True)
class Audit:
    """What `audit` found.

    `rows`, `missing` (values that are missing; of arrays, numbers that are NaN or infinite) and, of arrays,
    `scale` (smallest, largest, mean and standard deviation of the numbers) are by split; `missing_columns` by
    column, then by split. `class_rows` is by class or label, then by split, and empty for a regression.
    `duplicates` are groups of equal rows, within a split or across splits; `contradictions` those of them whose
    labels differ, none for a regression. `constant_columns` have one value in the training rows: their names, or
    of arrays their numbers. `far` are columns with values beyond 10 standard deviations, `leaks` those that alone
    tell the target, `keys` those that may only name the rows, `left_out` those of a table that training leaves
    out. `reading` is what was decided while the data were read, and `remarks` say what deserves a look.
    """

    name: str
    rows: dict[str, int]
    columns: int
    checksums: dict[str, str]
    class_rows: dict[str, dict[str, int]]
    duplicates: list[tuple[Place, ...]]
    contradictions: list[tuple[Place, ...]]
    constant_columns: list[int] | list[str]
    missing: dict[str, int]
    scale: dict[str, tuple[float, float, float, float]]
    missing_columns: dict[str, dict[str, int]] = field(default_factory=dict)
    far: list[Far] = field(default_factory=list)
    leaks: list[Leak] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    reading: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def across(self, one: str, other: str) -> list[tuple[Place, ...]]:
        """Return the groups of equal rows that stand in both of two splits."""
        return [group for group in self.duplicates if {one, other} <= {place.split for place in group}]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values: how much there is of each, and at most `MOST_LISTED` of a list."""
        found = {one.name: _cut(getattr(self, one.name)) for one in fields(self)}
        listed = ("duplicates", "contradictions", "constant_columns", "missing_columns", "far", "leaks", "keys")
        return {**found, "counts": {name: len(getattr(self, name)) for name in listed}}


def _cut(value: Any) -> Any:
    """Return a value with what is too much of a list or a group of rows left out."""
    if isinstance(value, dict):
        return dict(islice(value.items(), MOST_LISTED))
    if isinstance(value, list):
        return [_cut_group(one) for one in value[:MOST_LISTED]]
    return value


def _cut_group(one: Any) -> Any:
    """Return an entry of a list as plain values: a group of rows by its first ones, a finding by its fields."""
    if isinstance(one, Place):
        return [one.split, one.row]
    if hasattr(one, "_asdict"):
        return {name: _cut_group(value) for name, value in one._asdict().items()}
    return [_cut_group(place) for place in one[:MOST_OF_GROUP]] if isinstance(one, tuple) else one


@dataclass
class ColumnFindings:
    """What was found of the columns of arrays or of a table; see `Audit`."""

    constant: list[Any] = field(default_factory=list)
    missing: dict[str, dict[str, int]] = field(default_factory=dict)
    far: list[Far] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)


def sort_far(found: Iterable[Far]) -> list[Far]:
    """Return columns with far values, the farthest first."""
    return sorted(found, key=lambda one: -one.deviations)
