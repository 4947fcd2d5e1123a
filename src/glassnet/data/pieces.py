"""Piecewise-linear encoding: a number as its places in the pieces that the range of its column is cut into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from glassnet.data.scaling import unit_of
from glassnet.data.untrusted_files import check_room
from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array

#: Numbers beyond this size count as that size where edges are learned, and edges closer than the other are one.
#: Between these bounds, float32 holds what becomes of them; an exported program may know no other numbers.
LARGEST, SMALLEST = 1e30, 1e-30

#: Edges that so many of float64's steps or fewer lie between are one: the numbers differ by rounding alone.
ROUNDING = 4

#: Rows that are encoded at a time: few enough for their float64 numbers to stay in the processor's cache.
BLOCK = 1024

#: Encoded rows of so many bytes fit into memory; of more, the system is asked.
SMALL = 1 << 26


def find_edges(numbers: Array, most: int) -> Array:
    """Return the edges of the pieces that a column is cut into, by its training rows.

    Where the numbers are no more than the edges may be, each is an edge. Else a number that holds more than its
    share of the rows, the m-th part with m pieces, is an edge of its own; its rows are put aside, and the others
    share the pieces that are left, until no number is too heavy. The edges of these are quantiles of their rows:
    of n rows and m pieces those in the places round(j (n - 1) / m) of the sorted rows, for j from 0 to m.

    Parameters
    ----------
    numbers : ndarray of shape (n,)
        Finite numbers of the training rows.
    most : int
        The most pieces; 0: none.

    Returns
    -------
    ndarray of float64
        At most ``most + 1`` rising edges. Empty where the column has two distinct numbers or fewer: the scaled
        number says all of these.

    Examples
    --------
    >>> find_edges(np.arange(101), 4).tolist()
    [0.0, 25.0, 50.0, 75.0, 100.0]
    >>> find_edges(np.array([0] * 60 + [1, 2, 3, 4, 5]), 3).tolist()  # the 60 rows of 0 are more than their share
    [0.0, 1.0, 3.0, 5.0]
    """
    values, counts = np.unique(np.clip(np.asarray(numbers, np.float64), -LARGEST, LARGEST), return_counts=True)
    if most == 0 or len(values) <= 2:
        return np.empty(0)
    if len(values) <= most + 1:
        return _join_close(values)
    heavy = np.zeros(len(values), bool)
    while True:
        left, rows = most - int(heavy.sum()), int(counts[~heavy].sum())
        more = ~heavy & (counts * left > rows)
        if not more.any():
            break
        heavy |= more
    places = (2 * np.arange(left + 1) * (rows - 1) + left) // (2 * left)  # of j (rows - 1) / left, rounded
    quantiles = values[~heavy][np.searchsorted(counts[~heavy].cumsum(), places, side="right")]
    return _join_close(np.union1d(values[heavy], quantiles))


def _join_close(edges: Array) -> Array:
    """Leave out each edge that only rounding tells from the one before; return none if a single one is left."""
    kept = [edges[0]]
    for edge in edges[1:]:
        if edge - kept[-1] > max(SMALLEST, ROUNDING * np.spacing(max(abs(edge), abs(kept[-1])))):
            kept.append(edge)
    return np.array(kept if len(kept) > 1 else [])


def write_pieces(numbers: Array, edges: Sequence[float] | Array, out: Array) -> None:
    """Write where numbers lie in each piece: -1/2 below it, 1/2 above it, and a straight line between.

    Gorishniy, Rubachev and Babenko 2022, "On embeddings for numerical features in tabular deep learning", section
    3.2.1. Of a number x, component t of T, with the edges e_0 < ... < e_T::

        clip((x - e_{t-1}) / (e_t - e_{t-1}), 0, 1) - 1/2

    Theirs goes on beyond the first and the last edge, and is not centred; here a number far from those of training
    stays bounded. The components sum up to the place of x among the edges, in pieces, less T / 2. A layer on them
    is a broken line in x, with a slope of its own in each piece.

    Parameters
    ----------
    numbers : ndarray of shape (n,)
        In their own units.
    edges : array_like of shape (T + 1,), or empty
        From `find_edges`.
    out : float32 array of shape (n, T)
        Overwritten.

    Examples
    --------
    >>> out = np.empty((3, 2), np.float32)
    >>> write_pieces(np.array([-5.0, 2.5, 4.5]), [0, 2, 4], out)
    >>> out.tolist()
    [[-0.5, -0.5], [0.5, -0.25], [0.5, 0.5]]
    """
    if not len(edges):
        return
    lower, widths = np.asarray(edges[:-1], np.float64), np.diff(np.asarray(edges, np.float64))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for first in range(0, len(numbers), BLOCK):
            part = slice(first, first + BLOCK)
            places = np.asarray(numbers[part], np.float64)[:, None] - lower
            places /= widths
            out[part] = np.clip(places, 0, 1, out=places) - 0.5


def count_pieces(edges: Sequence[float]) -> int:
    """Return how many pieces lie between edges."""
    return max(0, len(edges) - 1)


def check_edges(edges: Sequence[float]) -> None:
    """Raise `ValueError` if these cannot be edges that `find_edges` returned."""
    rising = all(high - low > 0 for low, high in pairwise(edges))
    if len(edges) == 1 or not rising or not all(abs(edge) <= LARGEST for edge in edges):
        raise ValueError("edges of pieces that do not rise, or are too large")


def check_most(pieces: Any) -> int:
    """Return the most pieces of a column as the user asks for them; `UsageError` if it is no number of them."""
    if isinstance(pieces, bool | np.bool_) or not isinstance(pieces, int | np.integer) or pieces < 0:
        raise UsageError("pieces", f"takes a whole number, 0 for none, got {pieces!r}")
    return int(pieces)


def make_room(rows: int, width: int) -> Array:
    """Return float32 zeros for encoded rows of so many numbers; `DataError` if memory does not hold them."""
    if (needed := 4 * rows * width) > SMALL:
        check_room(
            needed, f"{rows:,} rows of {width:,} numbers", "give fewer rows at a time, or take fewer pieces"
        )
    return np.zeros((rows, width), np.float32)


def spell_edges(edges: Sequence[float]) -> list[str]:
    """Return edges as short texts, no two of them alike.

    Examples
    --------
    >>> spell_edges([0.0, 1 / 3, 2.5]), spell_edges([1000000.0, 1000001.0])
    (['0', '0.333333', '2.5'], ['1000000', '1000001'])
    """
    for digits in (6, 9, 12, 17):
        texts = [f"{edge:.{digits}g}" for edge in edges]
        if len(set(texts)) == len(texts):
            break
    return texts


@dataclass(frozen=True)
class Pieces:
    """The pieces that each column of an array is cut into.

    Attributes
    ----------
    most : int
        The most pieces of a column.
    edges : tuple of tuple of float
        Of each column, in the units that its scaling takes: bytes as shares of 255. Empty: it has no pieces.
    """

    most: int
    edges: tuple[tuple[float, ...], ...]

    @property
    def sizes(self) -> list[int]:
        """How many numbers each column becomes: its own, and its pieces behind it."""
        return [1 + count_pieces(edges) for edges in self.edges]

    @classmethod
    def measure(cls, X: Array, most: int) -> Pieces:
        """Find the edges of training rows X of shape (n, d); `DataError` names a column with no finite numbers."""
        edges = []
        for number, column in enumerate(X.T):
            numbers = np.divide(column, unit_of(X), dtype=np.float64)
            if not np.isfinite(numbers).all():
                raise DataError(f"X: column {number} holds NaN or infinity, and has no pieces; replace them")
            edges.append(tuple(find_edges(numbers, most).tolist()))
        return cls(most, tuple(edges))

    def apply(self, X: Array, scaled: Array) -> Array:
        """Return rows of shape (n, width) as float32: each number as it was `scaled`, and its pieces behind it."""
        out, unit = make_room(len(X), sum(self.sizes)), unit_of(X)
        parts = np.split(out, np.cumsum(self.sizes)[:-1], axis=1)
        for column, (edges, part) in enumerate(zip(self.edges, parts, strict=True)):
            part[:, 0] = scaled[:, column]
            write_pieces(np.divide(X[:, column], unit, dtype=np.float64), edges, part[:, 1:])
        return out

    def describe(self) -> str:
        """Say in a few words what the columns are cut into."""
        return f"each column cut into {self.most} pieces at most, {sum(map(count_pieces, self.edges))} in all"

    def to_dict(self) -> dict[str, Any]:
        """Return the edges as plain values, for `Pieces.from_dict`."""
        return {"most": self.most, "edges": [list(edges) for edges in self.edges]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Pieces:
        """Return what `to_dict` wrote; `ValueError` is raised if these are no pieces."""
        try:
            most, edges = values["most"], tuple(tuple(map(float, one)) for one in values["edges"])
        except (LookupError, TypeError) as error:
            raise ValueError(f"{type(error).__name__} {error}") from None
        if type(most) is not int or most < 1:
            raise ValueError("expected a number of pieces")
        for one in edges:
            check_edges(one)
        return cls(most, edges)
