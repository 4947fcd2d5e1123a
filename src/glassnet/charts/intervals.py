"""Means with their intervals, one below the other, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from glassnet.charts.axes import SIDE, Axis, Tick, format_number, tick_texts, ticks
from glassnet.charts.curves import Drawing, Stroke, add_margin
from glassnet.charts.painting import FAINT, INK, LONG_NAME, SERIES, name_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Interval(NamedTuple):
    """A mean, the ends of its interval where it has one, and the single values that it is of."""

    label: str
    mean: float
    low: float | None = None
    high: float | None = None
    values: Sequence[float] = ()


@dataclass(frozen=True)
class IntervalChart:
    """Intervals from the top downwards, in the order that they are given in.

    `mark` is a value that the others are to be held against, and what is written at it.
    """

    key: str
    title: str
    x_label: str
    intervals: Sequence[Interval]
    note: str = ""
    mark: tuple[float, str] | None = None

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of its figure in inches."""
        return 6.4, 1.2 + 0.3 * len(self.intervals)

    def lay_out(self) -> Axis:
        """Choose the axis of the values."""
        every = [one for row in self.intervals for one in (row.mean, row.low, row.high, *row.values)]
        known = [one for one in every if one is not None]
        low, high = add_margin(min(known, default=0.0), max(known, default=1.0), False, floor=False)
        marks = ticks(low, high, 6)
        return Axis(low, high, "even", marks, tick_texts(marks))

    def draw(self) -> Drawing:
        """Return the chart as a page shows it."""
        x, rows = self.lay_out(), self.intervals
        places = [round(SIDE * (row + 0.5) / len(rows), 1) for row in range(len(rows))]
        seeds = "".join(
            f"M{x.place(one):g} {y:g}h0" for y, row in zip(places, rows, strict=True) for one in row.values
        )
        lines = "".join(
            f"M{x.place(row.low):g} {y:g}H{x.place(row.high):g}"
            for y, row in zip(places, rows, strict=True)
            if row.low is not None and row.high is not None
        )
        dots = "".join(f"M{x.place(row.mean):g} {y:g}h0" for y, row in zip(places, rows, strict=True))
        points = [[x.place(row.mean), y, row.label, _describe(row)] for y, row in zip(places, rows, strict=True)]
        return Drawing(
            kind="intervals",
            chart=self,
            x_ticks=[Tick(x.place(at), text) for at, text in zip(x.marks, x.texts, strict=True)],
            y_ticks=[Tick(y, row.label) for y, row in zip(places, rows, strict=True)],
            strokes=[
                Stroke(kind, path, "", 0, False)
                for kind, path in (("seeds", seeds), ("lines", lines), ("dots", dots))
            ],
            points={"x": self.x_label, "curves": [{"label": self.x_label, "points": points}]},
            mark=None if self.mark is None else Tick(x.place(self.mark[0]), self.mark[1]),
        )

    def paint(self, axes: Axes) -> None:
        """Paint the chart on axes of Matplotlib."""
        x, colour = self.lay_out(), SERIES["light"][0]
        for place, row in enumerate(self.intervals):
            axes.plot(row.values, [place] * len(row.values), "o", color=colour, alpha=0.3, markersize=4, mew=0)
            if row.low is not None and row.high is not None:
                axes.plot([row.low, row.high], [place, place], color=colour, linewidth=1.6)
            axes.plot([row.mean], [place], "o", color=colour, markersize=6)
        if self.mark is not None:
            axes.axvline(self.mark[0], color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
        name_axes(axes, self.title, self.x_label)
        axes.set_xticks(x.marks, x.texts)
        axes.set_xlim(x.low, x.high)
        axes.set_yticks(range(len(self.intervals)), [plain(row.label, LONG_NAME) for row in self.intervals])
        axes.set_ylim(len(self.intervals) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0, colors=INK)
        axes.grid(axis="x", color=FAINT, alpha=0.18)


def _describe(row: Interval) -> str:
    """Return what is shown when somebody points at a mean."""
    if row.low is None or row.high is None:
        return format_number(row.mean)
    return f"{format_number(row.mean)} ({format_number(row.low)} … {format_number(row.high)})"
