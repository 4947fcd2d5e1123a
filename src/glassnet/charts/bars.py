"""Numbers as bars that lie one below the other, each with its name."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glassnet.charts.axes import SIDE, Axis, Tick, format_number, tick_texts, ticks
from glassnet.charts.curves import Drawing, Stroke
from glassnet.charts.painting import FAINT, INK, LONG_NAME, SERIES, name_axes, plain
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: Parts that a histogram has at least, about.
PARTS = 12


class Bar(NamedTuple):
    """A number from 0 on, and its name."""

    label: str
    value: float


@dataclass(frozen=True)
class BarChart:
    """Bars from the top downwards, in the order that they are given in."""

    key: str
    title: str
    x_label: str
    bars: Sequence[Bar]
    note: str = ""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of its figure in inches."""
        return 5.8, 1.1 + 0.26 * len(self.bars)

    def lay_out(self) -> Axis:
        """Choose the axis of the numbers, which begins at 0."""
        high = 1.05 * max((bar.value for bar in self.bars), default=0.0) or 1.0
        marks = ticks(0.0, high, 5)
        return Axis(0.0, high, "even", marks, tick_texts(marks))

    def draw(self) -> Drawing:
        """Return the chart as a page shows it."""
        x, n = self.lay_out(), len(self.bars)
        places = [round(SIDE * (row + 0.5) / n, 1) for row in range(n)]
        path = "".join(f"M0 {y:g}H{x.place(bar.value):g}" for y, bar in zip(places, self.bars, strict=True))
        points = [
            [x.place(bar.value), y, bar.label, format_number(bar.value)]
            for y, bar in zip(places, self.bars, strict=True)
        ]
        return Drawing(
            kind="intervals",
            chart=self,
            x_ticks=[Tick(x.place(at), text) for at, text in zip(x.marks, x.texts, strict=True)],
            y_ticks=[Tick(y, bar.label) for y, bar in zip(places, self.bars, strict=True)],
            strokes=[Stroke("bars", path, "", 0, False)],
            points={"x": self.x_label, "curves": [{"label": self.x_label, "points": points}]},
        )

    def paint(self, axes: Axes) -> None:
        """Paint the chart on axes of Matplotlib."""
        x, rows = self.lay_out(), range(len(self.bars))
        axes.barh(rows, [bar.value for bar in self.bars], height=0.7, color=SERIES["light"][0], alpha=0.75)
        name_axes(axes, self.title, self.x_label)
        axes.set_xticks(x.marks, x.texts)
        axes.set_xlim(x.low, x.high)
        axes.set_yticks(rows, [plain(bar.label, LONG_NAME) for bar in self.bars])
        axes.set_ylim(len(self.bars) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0, colors=INK)
        axes.grid(axis="x", color=FAINT, alpha=0.18)
        axes.set_axisbelow(True)


def histogram(
    key: str, title: str, values: Array, words: Words, ends: tuple[float, float] | None = None
) -> BarChart:
    """Return how many values lie in each part of their range, or of that from one end to the other.

    What lies beyond an end is counted in the last part there, whose name says so.
    """
    low, high = ends or (float(values.min()), float(values.max()))
    whole = bool((values == np.round(values)).all())
    step = nice_step((high - low) / PARTS, whole)
    first, last = math.floor(low / step), math.ceil(high / step)
    last += int(last == first or (ends is None and last * step == high))
    counts = np.bincount(np.clip(np.floor(values / step).astype(np.intp) - first, 0, last - first - 1))
    texts = tick_texts([step * place for place in range(first, last + 1)])
    names = [f"{a} … {b}" for a, b in itertools.pairwise(texts)]
    if low > values.min():
        names[0] = f"< {texts[1]}"
    if high < values.max():
        names[-1] = f"≥ {texts[-2]}"
    bars = [Bar(name, float(count)) for name, count in zip(names, counts, strict=False)]
    return BarChart(key, title, words.say("rows"), bars)


def nice_step(rough: float, whole: bool) -> float:
    """Return the smallest of 1, 2 and 5 times a power of ten that is as large; of whole numbers at least 1.

    >>> nice_step(0.13, False), nice_step(0.13, True), nice_step(300.0, True)
    (0.2, 1.0, 500.0)
    """
    if not rough > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return max(float(f"{step:.12g}"), 1.0) if whole else float(f"{step:.12g}")
