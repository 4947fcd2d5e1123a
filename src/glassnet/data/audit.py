"""What is odd about a data set: duplicates, shifted classes, constant columns, missing and strange numbers."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.data.splits import Split
from glassnet.nn.activations import Array

#: A class whose share differs by more between two splits is called shifted.
SHIFT = 0.05

#: A class with more rows than this times those of the rarest makes the classes unbalanced.
UNBALANCED = 10

#: Rows that are looked at a time.
BLOCK = 8192


class Place(NamedTuple):
    """A row of a split."""

    split: str
    row: int


@dataclass(frozen=True)
class Audit:
    """What `audit` found.

    `rows`, `missing` (numbers that are NaN or infinite) and `scale` (smallest, largest, mean and standard
    deviation of the numbers) are by split; `class_rows` by class or label, then by split, and empty for a
    regression. `duplicates` are groups of rows that are equal number for number, within a split or across splits;
    `contradictions` those of them whose labels differ, none for a regression. `constant_columns` are the same in
    every training row. `remarks` say what deserves a look.
    """

    name: str
    rows: dict[str, int]
    columns: int
    checksums: dict[str, str]
    class_rows: dict[str, dict[str, int]]
    duplicates: list[tuple[Place, ...]]
    contradictions: list[tuple[Place, ...]]
    constant_columns: list[int]
    missing: dict[str, int]
    scale: dict[str, tuple[float, float, float, float]]
    remarks: list[str]

    def across(self, one: str, other: str) -> list[tuple[Place, ...]]:
        """Return the groups of equal rows that stand in both of two splits."""
        return [group for group in self.duplicates if {one, other} <= {place.split for place in group}]


def audit(data: Dataset) -> Audit:
    """Look a data set over; it is left as it is."""
    splits = {name: _take_numbers(split) for name, split in data.splits.items() if len(split.y)}
    duplicates = find_equal_rows({name: split.X for name, split in splits.items()})
    contradictions = [
        group
        for group in (duplicates if data.task != "regression" else [])
        if any((splits[p.split].y[p.row] != splits[group[0].split].y[group[0].row]).any() for p in group)
    ]
    measured = {name: _measure_numbers(split.X) for name, split in splits.items()}
    found = Audit(
        data.name,
        {name: len(split.y) for name, split in splits.items()},
        data.n_inputs,
        data.checksums,
        dict(_count_class_rows(data, splits)),
        duplicates,
        contradictions,
        _find_constant_columns(splits["train"].X),
        {name: missing for name, (missing, _) in measured.items()},
        {name: scale for name, (_, scale) in measured.items() if scale is not None},
        [],
    )
    found.remarks.extend(_write_remarks(found))
    return found


def _take_numbers(split: Split) -> Split:
    """Return the labels of rows as 0, 1, ..., and their numbers: as they are, or as a table's schema has them."""
    encoded = split.encode()
    return Split(split.X, encoded.y) if isinstance(split.X, np.ndarray) else Split(encoded.X, encoded.y)


def find_equal_rows(splits: dict[str, Array]) -> list[tuple[Place, ...]]:
    """Return the groups of rows that are equal number for number, in the order of their first rows."""
    groups: dict[bytes, list[Place]] = defaultdict(list)
    dtype = np.result_type(*(X.dtype for X in splits.values()))  # 1 and 1.0 are one number
    for name, X in splits.items():
        for row, values in enumerate(X):
            numbers = np.ascontiguousarray(values, dtype)
            if dtype.kind == "f":
                numbers = numbers + 0  # and so are -0.0 and 0.0
            digest = hashlib.blake2b(numbers.data, digest_size=16).digest()
            groups[digest].append(Place(name, row))
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _count_class_rows(data: Dataset, splits: dict[str, Split]) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield each class, or label of a multi-label set, with its rows in every split."""
    if data.class_names is not None:
        for label, name in enumerate(data.class_names):
            yield name, {split: int(np.count_nonzero(rows.y == label)) for split, rows in splits.items()}
    elif data.task == "multi-label":
        names = data.target_names or tuple(map(str, range(data.train.y.shape[1])))
        for column, name in enumerate(names):
            yield name, {split: int(np.count_nonzero(rows.y[:, column])) for split, rows in splits.items()}


def _measure_numbers(X: Array) -> tuple[int, tuple[float, float, float, float] | None]:
    """Return how many numbers are not finite, and smallest, largest, mean and standard deviation of the others."""
    missing, smallest, largest = 0, np.inf, -np.inf
    for values in _take_blocks(X):
        finite = values[np.isfinite(values)]
        missing += len(values) - len(finite)
        smallest, largest = finite.min(initial=smallest), finite.max(initial=largest)
    if smallest > largest:
        return missing, None
    exponent = int(np.frexp(max(abs(smallest), abs(largest)))[1])  # to at most 1, so that no square overflows
    count, mean, squares = 0, 0.0, 0.0
    for values in _take_blocks(X):
        small = np.ldexp(values[np.isfinite(values)], -exponent)
        if len(small):  # mean and squares around it, merged block by block (Chan, Golub and LeVeque 1979)
            change = small.mean() - mean
            squares += ((small - small.mean()) ** 2).sum() + change**2 * count * len(small) / (count + len(small))
            mean += change * len(small) / (count + len(small))
            count += len(small)
    std = np.ldexp(np.sqrt(squares / count), exponent)
    return missing, (float(smallest), float(largest), float(np.ldexp(mean, exponent)), float(std))


def _take_blocks(X: Array) -> Iterator[Array]:
    for first in range(0, len(X), BLOCK):
        yield np.asarray(X[first : first + BLOCK], np.float64).ravel()


def _find_constant_columns(X: Array) -> list[int]:
    first = X[0].ravel()
    same = np.ones(first.size, bool)
    for start in range(0, len(X), BLOCK):
        block = X[start : start + BLOCK].reshape(-1, first.size)
        same &= (block == first).all(axis=0)
    return [int(column) for column in np.flatnonzero(same)]


def _write_remarks(found: Audit) -> Iterator[str]:
    for one, other in combinations(found.rows, 2):
        if groups := found.across(one, other):
            a, b = (next(p for p in groups[0] if p.split == split) for split in (one, other))
            yield (
                f"{_count_rows(groups, 'stands', 'stand')} in {one} and in {other}, number for number: "
                f"for example {one} {a.row} and {other} {b.row}"
            )
    for split in found.rows:
        inside = [group for group in found.duplicates if sum(place.split == split for place in group) > 1]
        if inside:
            yield f"{_count_rows(inside, 'stands', 'stand')} in {split} more than once"
    if found.contradictions:
        first = " and ".join(f"{place.split} {place.row}" for place in found.contradictions[0])
        yield f"{_count_rows(found.contradictions, 'has', 'have')} different labels in different places: {first}"
    yield from _write_class_remarks(found)
    if found.constant_columns:
        yield f"{len(found.constant_columns)} of {found.columns} columns are the same in all training rows"
    for split, count in found.missing.items():
        if count:
            yield f"{count} numbers of {split} are NaN or infinite"


def _count_rows(groups: list[tuple[Place, ...]], one: str, several: str) -> str:
    return f"1 row {one}" if len(groups) == 1 else f"{len(groups)} rows {several}"


def _write_class_remarks(found: Audit) -> Iterator[str]:
    if not found.class_rows:
        return
    for name, counts in found.class_rows.items():
        for split, count in counts.items():
            if count == 0:
                yield f"class {name} has no rows in {split}"
    training = [counts["train"] for counts in found.class_rows.values()]
    if min(training) and max(training) > UNBALANCED * min(training):
        yield f"the classes are unbalanced: {min(training)} to {max(training)} training rows"
    for name, counts in found.class_rows.items():
        shares = {split: counts[split] / found.rows[split] for split in counts}
        low, high = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
        if shares[high] - shares[low] > SHIFT + 1e-9:  # 0.55 - 0.5 is a little more than 0.05
            yield f"the share of class {name} shifts: {shares[high]:.1%} of {high}, {shares[low]:.1%} of {low}"
