"""Rows in splits: what a split is, and how its rows are drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from glassnet.data.schema import Schema
from glassnet.errors import UsageError
from glassnet.nn.activations import Array

#: Share of the training rows that is set aside for validation: 5,000 of Fashion-MNIST's 60,000.
VALIDATION = 1 / 12

#: Share of the rows that is the test set, where a data set comes without one.
TEST = 0.2

#: Rows that are moved at a time.
BLOCK = 1024


class Draw(NamedTuple):
    """How the rows of a data set of this name are drawn: validation rows, and the seed of that draw."""

    name: str
    validation: float | None
    split_seed: int


class _Pair(NamedTuple):
    X: Any
    y: Array


class Split(_Pair):
    """Rows X, an array or a table, and their labels or numbers y: as a user has them.

    `schema` says what they mean to a network, where that is known. `is_encoded` tells that they are a network's
    numbers already.
    """

    schema: Schema | None = None
    is_encoded = False

    def encode(self) -> Split:
        """Return the rows and targets that a network takes; without a schema, these are they."""
        if self.schema is None or self.is_encoded:
            return self
        X, y = self
        return describe_split(
            self.schema.input.encode(X)[0], self.schema.target.encode(y), self.schema, is_encoded=True
        )

    def take(self, rows: Any) -> Split:
        """Return some rows."""
        return describe_split(self.X[rows], self.y[rows], self.schema, is_encoded=self.is_encoded)


def describe_split(X: Any, y: Array, schema: Schema | None, *, is_encoded: bool = False) -> Split:
    """Return rows and labels that know what they mean."""
    split = Split(X, y)
    split.schema, split.is_encoded = schema, is_encoded
    return split


def is_mapped(X: Array) -> bool:
    """Whether rows lie in a file that is mapped, because they are larger than memory."""
    return isinstance(X, np.memmap)


class Splits:
    """The three splits of a data set as a network takes them; each is encoded when it is first asked for.

    So whoever trains never touches the test rows.
    """

    def __init__(self, train: Split, validation: Split, test: Split) -> None:
        self._given = train, validation, test

    def __iter__(self) -> Iterator[Split]:
        return iter((self.train, self.validation, self.test))

    @cached_property
    def train(self) -> Split:
        """Rows to learn from."""
        return self._given[0].encode()

    @cached_property
    def validation(self) -> Split:
        """Rows to choose by."""
        return self._given[1].encode()

    @cached_property
    def test(self) -> Split:
        """Rows to be judged on."""
        return self._given[2].encode()


def count_validation_rows(validation: float | None, n: int) -> int:
    """Return the number of validation rows for a share below 1 or a whole number; by default a twelfth of n."""
    validation = VALIDATION if validation is None else validation
    share = 0 < validation < 1
    size = max(1, round(validation * n)) if share else validation
    if not 0 <= size < n or not (share or isinstance(validation, int | np.integer) or validation == 0):
        raise UsageError("validation", f"takes a share below 1, or a number of the {n} rows, got {validation}")
    return int(size)


def draw_stratified(y: Array, size: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw `size` rows with every class in proportion, to within one row; return (the rest, the drawn).

    The rows are shuffled, sorted by label, and every (n / size)-th is drawn; of numbers (floats), one of every
    n / size neighbours. Both results are sorted.
    """
    order = rng.permutation(len(y))
    if y.ndim == 1:  # several numbers a row have no order
        if y.dtype.kind == "f":  # numbers to regress: one of every n / size neighbours, not always the same
            y = y.argsort(kind="stable").argsort(kind="stable") * size // len(y)
        order = order[np.argsort(y[order], kind="stable")]
    drawn = order[((np.arange(size) + 0.5) * len(y) / max(size, 1)).astype(np.intp)]
    rest = np.ones(len(y), bool)
    rest[drawn] = False
    return np.flatnonzero(rest), np.sort(drawn)


def compute_checksum(*arrays: Array) -> str:
    """Return the md5 of arrays, one after the other."""
    digest = hashlib.md5(usedforsecurity=False)
    for array in arrays:
        plain = array.astype(str) if array.dtype.kind == "O" else array
        digest.update(np.ascontiguousarray(plain).data)
    return digest.hexdigest()


def flatten_column(y: Array) -> Array:
    """Return labels or numbers of shape (n, 1) as (n,), others as they are."""
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def move_to_front(X: Array, rows: Array) -> Array:
    """Return some rows, in rising order, moved to the front of X."""
    for first in range(0, len(rows), BLOCK):
        part = rows[first : first + BLOCK]
        X[first : first + len(part)] = X[part]
    return X[: len(rows)]


def order_of(schema: Schema, y: Array) -> Array:
    """Return what rows are drawn by: labels 0, 1, ... in class order, or the numbers themselves."""
    return schema.target.encode(y) if schema.target.n_classes else y
