"""Means with their intervals, one below the other, and what was printed elsewhere beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from glassnet.charts.axes import SIDE, Axis, Tick, format_number, log_ticks, tick_texts, ticks
from glassnet.charts.curves import LOGARITHMIC, Drawing, Stroke, add_margin
from glassnet.charts.painting import FAINT, INK, LONG_NAME, SERIES, name_axes, plain, write_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: How far the two of a row stand above and below its middle where it has something printed, as a share of a row.
APART = 0.17


class Printed(NamedTuple):
    """A figure that is printed elsewhere, and from where to where another one counts as the same."""

    value: float
    low: float
    high: float


class Interval(NamedTuple):
    """A mean, the ends of its interval where it has one, the single values that it is of, and what is printed.

    The mean is None where there is none.
    """

    label: str
    mean: float | None
    low: float | None = None
    high: float | None = None
    values: Sequence[float] = ()
    printed: Printed | None = None


class _Marks(NamedTuple):
    """What is drawn of an interval: dots and lines, each at a height in rows from the top."""

    kind: str
    colour: int
    dots: list[tuple[float, float]]
    lines: list[tuple[float, float, float]]


@dataclass(frozen=True)
class IntervalChart:
    """Intervals from the top downwards, in the order that they are given in.

    `mark` is a value that the others are to be held against, and what is written at it. The axis is logarithmic
    where positive values differ by more than a factor of `LOGARITHMIC`. `names` say what the means and what the
    printed figures are, where there are any.
    """

    key: str
    title: str
    x_label: str
    intervals: Sequence[Interval]
    note: str = ""
    mark: tuple[float, str] | None = None
    names: tuple[str, str] | None = None

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of its figure in inches."""
        return 6.4, 1.2 + 0.3 * len(self.intervals)

    def lay_out(self) -> Axis:
        """Choose the axis of values and mark; what counts as the same as a printed figure may reach beyond it."""
        every = [one for row in self.intervals for one in (row.mean, row.low, row.high, *row.values)]
        every += [row.printed.value for row in self.intervals if row.printed is not None]
        every += [] if self.mark is None else [self.mark[0]]
        known = [one for one in every if one is not None and math.isfinite(one)]
        low, high = min(known, default=0.0), max(known, default=1.0)
        logarithmic = low > 0 and high / low > LOGARITHMIC
        low, high = (low / 1.2, high * 1.2) if logarithmic else add_margin(low, high, False, floor=False)
        marks = log_ticks(low, high) if logarithmic else ticks(low, high, 6)
        return Axis(low, high, "logarithmic" if logarithmic else "even", marks, tick_texts(marks))

    def _marks(self, x: Axis) -> Iterator[_Marks]:
        """Yield what is drawn, the lowest first: what is printed, the single values, the intervals, the means."""
        rows = [(row, place + 0.5 + APART * (row.printed is not None)) for place, row in enumerate(self.intervals)]
        printed = [(row.printed, at - 2 * APART) for row, at in rows if row.printed is not None]
        if printed:
            same = [(at, max(one.low, x.low), min(one.high, x.high)) for one, at in printed]
            yield _Marks("same", 1, [], [line for line in same if line[1] < line[2]])
            yield _Marks("dots", 1, [(at, one.value) for one, at in printed], [])
        yield _Marks("seeds", 0, [(at, one) for row, at in rows for one in row.values], [])
        ends = [(at, row.low, row.high) for row, at in rows]
        yield _Marks("lines", 0, [], [(at, a, b) for at, a, b in ends if a is not None and b is not None])
        yield _Marks("dots", 0, [(at, row.mean) for row, at in rows if row.mean is not None], [])

    def draw(self) -> Drawing:
        """Return the chart as a page shows it."""
        x, rows = self.lay_out(), self.intervals

        def y(at: float) -> float:
            return round(SIDE * at / len(rows), 1)

        strokes = []
        for marks in self._marks(x):
            dots = [f"M{x.place(value):g} {y(at):g}h0" for at, value in marks.dots]
            lines = [f"M{x.place(low):g} {y(at):g}H{x.place(high):g}" for at, low, high in marks.lines]
            strokes.append(Stroke(marks.kind, "".join(dots + lines), "", marks.colour, False))
        middles = [(row, y(place + 0.5)) for place, row in enumerate(rows)]
        shown = [(row, at, _main(row)) for row, at in middles]
        points = [
            [x.place(value), at, row.label, self._describe(row)] for row, at, value in shown if value is not None
        ]
        return Drawing(
            kind="intervals",
            chart=self,
            x_ticks=[Tick(x.place(at), text) for at, text in zip(x.marks, x.texts, strict=True)],
            y_ticks=[Tick(at, row.label) for row, at in middles],
            strokes=strokes,
            points={"x": self.x_label, "curves": [{"label": self.x_label, "points": points}]},
            logarithmic=x.spread == "logarithmic",
            mark=None if self.mark is None else Tick(x.place(self.mark[0]), self.mark[1]),
        )

    def _describe(self, row: Interval) -> str:
        """Return what is shown when somebody points at a row: the mean with its interval, and what is printed."""
        said = "–" if row.mean is None else format_number(row.mean)
        if row.low is not None and row.high is not None:
            said += f" ({format_number(row.low)} … {format_number(row.high)})"
        if row.printed is None or self.names is None:
            return said
        return f"{self.names[1]} {format_number(row.printed.value)}, {self.names[0]} {said}"

    def paint(self, axes: Axes) -> None:
        """Paint the chart on axes of Matplotlib."""
        x = self.lay_out()
        named: dict[int, Any] = {}
        looks: dict[str, dict[str, Any]] = {
            "same": {"linewidth": 6, "alpha": 0.25, "solid_capstyle": "butt"},
            "seeds": {"alpha": 0.3, "markersize": 4, "markeredgewidth": 0},
            "lines": {"linewidth": 1.6},
            "dots": {"markersize": 6},
        }
        for marks in self._marks(x):
            colour, look = SERIES["light"][marks.colour], looks[marks.kind]
            if marks.dots:
                places = [at - 0.5 for at, _ in marks.dots]
                lines = axes.plot([value for _, value in marks.dots], places, "o", color=colour, **look)
                named |= {marks.colour: lines[0]} if marks.kind == "dots" else {}
            for at, low, high in marks.lines:
                axes.plot([low, high], [at - 0.5, at - 0.5], color=colour, **look)
        if self.mark is not None:
            axes.axvline(self.mark[0], color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
        if self.names is not None:
            there = sorted(named)  # ours may all be missing
            write_legend(axes, [named[one] for one in there], [self.names[one] for one in there])
        name_axes(axes, self.title, self.x_label)
        axes.set_xscale("log" if x.spread == "logarithmic" else "linear")
        axes.set_xticks(x.marks, x.texts)
        axes.minorticks_off()
        axes.set_xlim(x.low, x.high)
        axes.set_yticks(range(len(self.intervals)), [plain(row.label, LONG_NAME) for row in self.intervals])
        axes.set_ylim(len(self.intervals) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0, colors=INK)
        axes.grid(axis="x", color=FAINT, alpha=0.18)


def _main(row: Interval) -> float | None:
    """Return where a row is pointed at: at its mean, else at what is printed."""
    return row.printed.value if row.mean is None and row.printed is not None else row.mean
