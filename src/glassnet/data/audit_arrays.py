"""What is odd about rows of numbers: equal rows, and columns; gone through in blocks of rows."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from glassnet.data.audit_findings import ColumnFindings, Far, Key, Place, sort_far
from glassnet.data.audit_leaks import MOST_COLUMNS, Column, choose_sample
from glassnet.nn.activations import Array

#: Rows that are looked at a time.
BLOCK = 8192

#: Values farther from the mean of the training rows than so many of their standard deviations are far.
FAR = 10

#: Of fewer rows nothing is said about what may only name them.
FEWEST_KEYS = 20

#: Whole numbers of which this share is distinct, or all that rise or fall with the rows, may only name the rows.
DISTINCT = 0.95

#: What makes a place of a row of a split.
Locate = Callable[[str, int], Place]


def find_equal_rows(splits: Mapping[str, Array]) -> list[tuple[Place, ...]]:
    """Return the groups of rows that are equal number for number, in the order of their first rows.

    Rows are counted from 0 here; `locate` of the audit counts them for people.
    """
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


def measure_numbers(X: Array) -> tuple[int, tuple[float, float, float, float] | None]:
    """Return how many numbers are not finite, and smallest, largest, mean and standard deviation of the others."""
    missing, smallest, largest = 0, np.inf, -np.inf
    for values in map(np.ravel, _take_blocks(X)):
        finite = values[np.isfinite(values)]
        missing += len(values) - len(finite)
        smallest, largest = finite.min(initial=smallest), finite.max(initial=largest)
    if smallest > largest:
        return missing, None
    exponent = int(np.frexp(max(abs(smallest), abs(largest)))[1])  # to at most 1, so that no square overflows
    count, mean, squares = 0, 0.0, 0.0
    for values in map(np.ravel, _take_blocks(X)):
        small = np.ldexp(values[np.isfinite(values)], -exponent)
        if len(small):  # mean and squares around it, merged block by block (Chan, Golub and LeVeque 1979)
            change = small.mean() - mean
            squares += ((small - small.mean()) ** 2).sum() + change**2 * count * len(small) / (count + len(small))
            mean += change * len(small) / (count + len(small))
            count += len(small)
    std = np.ldexp(np.sqrt(squares / count), exponent)
    return missing, (float(smallest), float(largest), float(np.ldexp(mean, exponent)), float(std))


def look_at_columns(
    splits: Mapping[str, Array], name: Callable[[int], str], locate: Locate, *, pixels: bool
) -> ColumnFindings:
    """Look at the columns of rows by split; a column of several axes has its place in the flattened row.

    Of pixels, which share one scale, nothing is said of far values, and none are names of rows.
    """
    found = ColumnFindings(constant=_find_constant_columns(splits["train"]))
    for split, X in splits.items():
        missing = np.zeros(int(np.prod(X.shape[1:])), np.int64)
        for block in _take_blocks(X) if X.dtype.kind == "f" else ():
            missing += np.count_nonzero(~np.isfinite(block), axis=0)
        for column in np.flatnonzero(missing).tolist():
            found.missing.setdefault(name(column), dict.fromkeys(splits, 0))[split] = int(missing[column])
    if not pixels:
        found.far = _find_far(splits, name, locate)
        found.keys = _find_keys(splits, name)
    return found


def take_columns(train: Array, tried: Array, name: Callable[[int], str]) -> Iterator[Column]:
    """Yield the columns of a sample of rows, for the search for leaks."""
    train, tried = (_take_numbers(X) for X in (train, tried))
    for column in range(min(train.shape[1], MOST_COLUMNS)):
        yield Column(name(column), train[:, column], tried[:, column], False)


def sample_rows(X: Array, n_classes: int) -> Array:
    """Return the places of the rows that the search for leaks looks at."""
    return choose_sample(len(X), int(np.prod(X.shape[1:])), n_classes)


def _take_blocks(X: Array) -> Iterator[Array]:
    """Yield blocks of rows as float64 of shape (n, d)."""
    for first in range(0, len(X), BLOCK):
        block = np.asarray(X[first : first + BLOCK], np.float64)
        yield block.reshape(len(block), -1)


def _take_numbers(X: Array) -> Array:
    """Return rows as float64 of shape (n, d), with NaN for what is not finite."""
    numbers = np.array(X, np.float64, order="F").reshape(len(X), -1)
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def _find_constant_columns(X: Array) -> list[int]:
    first = X[0].ravel()
    same = np.ones(first.size, bool)
    for start in range(0, len(X), BLOCK):
        block = X[start : start + BLOCK].reshape(-1, first.size)
        same &= (block == first).all(axis=0)
    return [int(column) for column in np.flatnonzero(same)]


def _measure_columns(X: Array) -> tuple[Array, Array, Array]:
    """Return each column's mean and standard deviation, divided by 2^exponent, and the exponents.

    What is not finite is left aside. The largest of a column becomes at most 1, so that no square overflows.
    """
    largest = np.zeros(int(np.prod(X.shape[1:])))
    for block in _take_blocks(X):
        np.maximum(largest, np.where(np.isfinite(block), np.abs(block), 0).max(axis=0), out=largest)
    exponents = np.frexp(largest)[1]
    count, mean, squares = (np.zeros(len(largest)) for _ in range(3))
    for block in _take_blocks(X):
        finite = np.isfinite(block)
        small, n = np.ldexp(np.where(finite, block, 0), -exponents), finite.sum(axis=0)
        own = small.sum(axis=0) / np.maximum(n, 1)
        change, both = own - mean, np.maximum(count + n, 1)
        squares += (np.where(finite, small - own, 0) ** 2).sum(axis=0) + change**2 * count * n / both
        mean += change * n / both
        count += n
    return mean, np.sqrt(squares / np.maximum(count, 1)), exponents


def _find_far(splits: Mapping[str, Array], name: Callable[[int], str], locate: Locate) -> list[Far]:
    """Return the columns with far values, each with the farthest."""
    mean, std, exponents = _measure_columns(splits["train"])
    usable = np.flatnonzero(std > 1e-12 * np.abs(mean))  # less is rounding
    counts = np.zeros(len(mean), np.int64)
    best: dict[int, tuple[float, str, int, float]] = {}
    for split, X in splits.items():
        for number, block in enumerate(_take_blocks(X)):
            with np.errstate(over="ignore", invalid="ignore"):
                small = np.ldexp(block[:, usable], -exponents[usable])
                away = np.abs(small - mean[usable]) / std[usable]
            away[~np.isfinite(block[:, usable])] = 0
            np.nan_to_num(away, copy=False)
            counts[usable] += np.count_nonzero(away > FAR, axis=0)
            for place in np.flatnonzero(away.max(axis=0, initial=0) > FAR):
                row, column = int(away[:, place].argmax()), int(usable[place])
                if away[row, place] > best.get(column, (0.0,))[0]:
                    value = float(block[row, column])
                    best[column] = (float(away[row, place]), split, number * BLOCK + row, value)
    return sort_far(
        Far(name(column), int(counts[column]), locate(split, row), value, deviations)
        for column, (deviations, split, row, value) in best.items()
    )


def _find_keys(splits: Mapping[str, Array], name: Callable[[int], str]) -> list[Key]:
    """Return the columns of whole numbers that may only name the rows."""
    X = splits["train"]
    block = np.asarray(X[:BLOCK], np.float64).reshape(min(len(X), BLOCK), -1)
    with np.errstate(invalid="ignore"):
        whole = (np.floor(block) == block).all(axis=0)  # most columns are none, and are not looked at further
    found = []
    for column in np.flatnonzero(whole):
        parts = [X.reshape(len(X), -1)[:, column] for X in splits.values()]
        if key := judge_key(name(int(column)), parts):
            found.append(key)
    return found


def judge_key(name: str, parts: list[Array]) -> Key | None:
    """Return what whole numbers, in parts that each have the rows in order, may name; None for other numbers."""
    values = np.concatenate(parts)
    with np.errstate(invalid="ignore"):
        if len(values) < FEWEST_KEYS or not (np.floor(values) == values).all():
            return None
    distinct = len(np.unique(values))
    rises, falls = (
        all((sign * (part[1:] - part[:-1].astype(np.float64)) >= 0).all() for part in parts) for sign in (1, -1)
    )
    in_order = (rises or falls) and distinct >= FEWEST_KEYS
    if distinct >= DISTINCT * len(values) or in_order:
        return Key(name, distinct, len(values), in_order)
    return None
