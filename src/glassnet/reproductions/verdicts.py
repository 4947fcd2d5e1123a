"""Verdicts on what a published table prints: on its figures, its rows, and the orders that it states."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from glassnet.reproductions.outcomes import best
from glassnet.reproductions.publication import Figure, Order, PrintedRow

REPRODUCED, SAME, NOT = "reproduced", "same-behaviour", "not-reproduced"


@dataclass(frozen=True)
class FigureComparison:
    """A printed figure beside ours.

    Attributes
    ----------
    figure : Figure
    seeds : dict of int to float
        Ours by seed; a seed without is left out.
    of : int
        Runs that there are, with such a figure and without.
    """

    figure: Figure
    seeds: dict[int, float]
    of: int

    @property
    def mean(self) -> float | None:
        """Mean of the seeds that have the figure."""
        return statistics.fmean(self.seeds.values()) if self.seeds else None

    @property
    def best(self) -> float | None:
        """The figure of the best seed."""
        return best(list(self.seeds.values()), self.figure.quantity) if self.seeds else None

    @property
    def ours(self) -> float | None:
        """The one of the two that the printed figure is."""
        return self.best if self.figure.seeds == "best" else self.mean

    @property
    def complete(self) -> bool:
        """Whether no run is missing that the printed figure is of: a mean over what is left would flatter."""
        return self.figure.seeds == "best" or len(self.seeds) == self.of

    @property
    def within(self) -> bool:
        """Whether ours lies where it counts as the same."""
        return self.ours is not None and self.figure.low <= self.ours <= self.figure.high

    @property
    def inside(self) -> bool:
        """Whether it counts as the same, and no run is missing."""
        return self.complete and self.within


@dataclass(frozen=True)
class RowVerdict:
    """A row of the published table, and the verdict on it.

    Attributes
    ----------
    row : PrintedRow
    comparisons : list of FigureComparison
        One for each of its figures.
    behaviour : str
        How most of our runs behave, of a tie that of the first; empty where no run says.
    health : list of str
        Kinds of what our runs suffer from, the most frequent first.
    unanswering, of : int
        Runs that leave a class without any test row, of all.
    """

    row: PrintedRow
    comparisons: list[FigureComparison]
    behaviour: str
    health: list[str]
    unanswering: int = 0
    of: int = 0

    @property
    def same_behaviour(self) -> bool:
        """Whether ours behave as the source says, or it says nothing."""
        return self.row.behaviour in ("", self.behaviour)

    @property
    def verdict(self) -> str:
        """`REPRODUCED`, `SAME` (only where the source says how training behaves) or `NOT`."""
        if self.same_behaviour and all(one.inside for one in self.comparisons):
            return REPRODUCED
        return SAME if self.same_behaviour and self.row.behaviour else NOT


@dataclass(frozen=True)
class OrderVerdict:
    """An order of figures that a publication states, and whether it holds.

    Attributes
    ----------
    order : Order
    means : list of float or None
        Ours, as the order names them.
    holds : bool
        Whether our means are in that order.
    seeds : int
        Seeds whose own figures are.
    of : int
        Seeds at which each of the variants has one.
    """

    order: Order
    means: list[float | None]
    holds: bool
    seeds: int
    of: int
