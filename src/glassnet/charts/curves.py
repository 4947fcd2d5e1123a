"""Curves over epochs, of one run or of several that differ in their seed, and scattered points: charts as values.

A chart lays itself out once: which axes, which marks. From that it is drawn for a page, and painted on axes of
Matplotlib.

For a page everything is placed in thousandths of the plot, so that it can be drawn at any width, with letters
that keep their size; what a reader sees when pointing at a curve is written here, so that no script has to reckon
or round.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeGuard

import numpy as np

from glassnet.charts.axes import (
    FORMS,
    PERCENT,
    SIDE,
    Axis,
    Tick,
    format_number,
    log_ticks,
    step_ticks,
    tick_texts,
    ticks,
)
from glassnet.charts.painting import (
    FAINT,
    FEW_NAMES,
    SERIES,
    Painted,
    dress,
    paint_mark,
    paint_place,
    series_style,
    write_legend,
)
from glassnet.errors import UsageError
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

#: Longer curves are thinned out to about so many points a chart; every peak stays.
MOST_POINTS = 1200

#: A scatter with more points shows every second, third, ... of them.
MOST_DOTS = 1500

#: Whether the axis of the values may be logarithmic, is not, or is wherever there is a positive one.
SCALES = ("auto", "linear", "logarithmic")

#: Positive values that differ by more than this factor are drawn on a logarithmic axis.
LOGARITHMIC = 30.0


@dataclass(frozen=True)
class Curve:
    """A line, and the band around it where it stands for several runs.

    A value that is None or not finite leaves a gap. `low` and `high` are the band's ends at every x: both or
    neither. `names` are what its points are called, where they are. Of `dots` no line joins the points. Raises
    UsageError if the lengths differ.
    """

    label: str
    x: Sequence[float]
    mean: Sequence[float | None]
    low: Sequence[float | None] | None = None
    high: Sequence[float | None] | None = None
    names: Sequence[str] | None = None
    dots: bool = False

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise UsageError("high", "a band has two ends; give low and high, or neither")
        for name in ("x", "mean", "low", "high"):
            values = getattr(self, name)
            if values is None:
                continue
            if len(values) != len(self.x):
                raise UsageError(name, f"{len(values)} values for {len(self.x)} places; give as many")
            object.__setattr__(self, name, tuple(math.nan if value is None else float(value) for value in values))

    @property
    def values(self) -> Array:
        """Every number that has to fit on the plot, the finite ones of line and band."""
        numbers = np.array([*self.mean, *(self.low or ()), *(self.high or ())], dtype=float)
        return numbers[np.isfinite(numbers)]

    @property
    def lone(self) -> list[int]:
        """The places of points between two gaps, which no line shows."""
        there = np.isfinite(np.array([math.nan, *self.mean, math.nan], dtype=float))
        return [int(place) for place in np.flatnonzero(there[1:-1] & ~there[:-2] & ~there[2:])]


@dataclass(frozen=True)
class Stroke:
    """A curve as it is drawn: the commands of its path and of its band's outline, and the number of its colour."""

    label: str
    path: str
    band: str
    colour: int
    dashed: bool
    dots: bool = False


class Drawable(Painted, Protocol):
    """What a page can draw, too."""

    @property
    def x_label(self) -> str:
        """What stands below it."""

    @property
    def note(self) -> str:
        """What is to be known about it."""


@dataclass(frozen=True)
class Drawing:
    """A chart laid out for a page: ticks and paths, and what a page's script shows to whom points at it.

    `kind` is ``"curves"``, ``"scatter"`` or ``"intervals"``. `points` holds of every curve its label and
    ``[x, y, text at x, text of the value]``, places in thousandths.
    """

    kind: str
    chart: Drawable
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    strokes: list[Stroke]
    points: dict[str, Any]
    y_label: str = ""
    logarithmic: bool = False
    mark: Tick | None = None
    place: Tick | None = None
    place_low: bool = False  # there is more room below the curves than above them


class _Layout(NamedTuple):
    """The curves that are drawn, and the axes that they are drawn on."""

    curves: list[Curve]
    x: Axis
    y: Axis


@dataclass(frozen=True)
class Chart:
    """Curves on one pair of axes.

    Its height is that of the values with a small margin, on a logarithmic axis where positive values differ by
    more than a factor of `LOGARITHMIC`. On the scale ``"logarithmic"``, values that are not positive leave gaps.
    `mark` is a value that the others are to be held against, and what is written at it; `place` is such a place on
    the other axis. `key` names the chart in the page and its file, in letters, digits and hyphens. Colours follow
    the order of the curves; after eight they come again, dashed.
    """

    key: str
    title: str
    x_label: str
    curves: Sequence[Curve]
    form: str = "number"
    scale: str = "auto"
    note: str = ""
    spread: str = "even"
    mark: tuple[float, str] | None = None
    place: tuple[float, str] | None = None
    y_label: str = ""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of its figure in inches."""
        return (5.8 if len(self.curves) <= FEW_NAMES else 7.8), 3.4

    def __post_init__(self) -> None:
        for name, known in (("form", FORMS), ("scale", SCALES), ("spread", ("even", "steps", "logarithmic"))):
            if getattr(self, name) not in known:
                raise UsageError(name, f"must be {' or '.join(known)}, got {getattr(self, name)!r}")

    def lay_out(self) -> _Layout:
        """Choose the axes."""
        curves = thin_out(self.curves)
        values = np.concatenate([[self.mark[0]] if self.mark else [], *(curve.values for curve in curves)])
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
        logarithmic = self.scale == "auto" and self.form == "number" and low > 0 and high / low > LOGARITHMIC
        if self.scale == "logarithmic" and (values > 0).any():
            logarithmic, low = True, float(values[values > 0].min())
            curves = [_positive(curve) for curve in curves]
        if logarithmic:
            low, high = low / 1.1, high * 1.1
        else:
            low, high = add_margin(low, high, self.form in PERCENT)
        marks = log_ticks(low, high) if logarithmic else ticks(low, high, 6)
        y = Axis(low, high, "logarithmic" if logarithmic else "even", marks, tick_texts(marks, self.form))
        return _Layout(curves, self._x_axis(curves), y)

    def _x_axis(self, curves: Sequence[Curve]) -> Axis:
        xs = [x for curve in curves for x in curve.x]
        left, right = (min(xs), max(xs)) if xs else (0.0, 1.0)
        if left == right:
            left, right = left - 0.5, right + 0.5
        whole = all(x == int(x) for x in xs)
        marks = {"even": ticks, "logarithmic": log_ticks}.get(self.spread, lambda _, last: step_ticks(last))(
            left, right
        )
        marks = [x for x in marks if left <= x and (not whole or x == int(x))]
        return Axis(left, right, self.spread, marks, [format_number(x) for x in marks])

    def draw(self) -> Drawing:
        """Return the chart as a page shows it."""
        curves, x, y = self.lay_out()
        return Drawing(
            kind="curves",
            chart=self,
            x_ticks=[Tick(x.place(at), text) for at, text in zip(x.marks, x.texts, strict=True)],
            y_ticks=[Tick(y.turned(at), text) for at, text in zip(y.marks, y.texts, strict=True)],
            strokes=[_stroke(curve, number, x, y) for number, curve in enumerate(curves)],
            points={"x": self.x_label, "curves": [_points(curve, self.form, x, y) for curve in curves]},
            y_label=self.y_label,
            logarithmic=y.spread == "logarithmic",
            mark=None if self.mark is None else Tick(y.turned(self.mark[0]), self.mark[1]),
            place=None if self.place is None else Tick(x.place(self.place[0]), self.place[1]),
            place_low=self._ends_high(curves, y),
        )

    def _ends_high(self, curves: Sequence[Curve], y: Axis) -> bool:
        """Whether the curves are in the upper half of the plot at the place that is marked."""
        if self.place is None:
            return False
        points = [point for curve in curves for point in zip(curve.x, curve.mean, strict=True)]
        known = [y.place(value) for x, value in points if x == self.place[0] and _is_number(value)]
        return bool(known) and sum(known) / len(known) > SIDE / 2

    def paint(self, axes: Axes) -> None:
        """Paint the chart on axes of Matplotlib; curves that are there already stay, and in sight."""
        earlier = len(axes.get_lines())
        seen = [Curve("", axes.get_xlim(), axes.get_ylim())] if earlier else []
        curves, x, y = replace(self, curves=[*self.curves, *seen]).lay_out()
        lines: list[Line2D] = []
        for number, curve in enumerate(curves[: len(self.curves)], start=earlier):
            colour, style = series_style(number)
            mean = np.array(curve.mean, dtype=float)
            drawn: Any = {"linestyle": style, "linewidth": 1.7}
            if curve.dots:
                drawn = {"linestyle": "none", "marker": "o", "markersize": 4, "alpha": 0.6}
            lines += axes.plot(curve.x, mean, color=colour, **drawn)
            for place in curve.lone:
                axes.plot(curve.x[place], mean[place], "o", color=colour, markersize=3.5)
            if curve.low is not None and curve.high is not None:
                low, high = (np.array(end, dtype=float) for end in (curve.low, curve.high))
                axes.fill_between(curve.x, low, high, color=colour, alpha=0.16, linewidth=0)
        if self.mark is not None:
            paint_mark(axes, *self.mark)
        if self.place is not None:
            left = x.place(self.place[0]) > SIDE / 2
            paint_place(axes, *self.place, low=self._ends_high(curves, y), left=left)
        dress(axes, x, y, self.title, self.x_label, self.y_label)
        write_legend(axes, lines, [curve.label for curve in self.curves])


@dataclass(frozen=True, eq=False)
class Scatter:
    """Points (x, y) with the line y = x through them; both axes have one scale.

    `x` and `y` have shape (n,). Of more than `MOST_DOTS` points, every second, third, ... is drawn. `name_of` says
    what a point is called, by its place.
    """

    key: str
    title: str
    x_label: str
    y_label: str
    x: Array
    y: Array
    name_of: Callable[[int], str] = lambda place: ""
    note: str = ""
    size: ClassVar[tuple[float, float]] = (4.2, 4.2)

    @property
    def shown(self) -> range:
        """The places of the points that are drawn."""
        return range(0, len(self.x), math.ceil(len(self.x) / MOST_DOTS) or 1)

    def lay_out(self) -> Axis:
        """Choose the axis, which is that of both."""
        lowest, highest = min(self.x.min(), self.y.min()), max(self.x.max(), self.y.max())
        low, high = add_margin(float(lowest), float(highest), False, floor=False)
        marks = ticks(low, high, 5)
        return Axis(low, high, "even", marks, tick_texts(marks))

    def draw(self) -> Drawing:
        """Return the chart as a page shows it."""
        axis, x, y = self.lay_out(), self.x, self.y
        points = [
            [
                axis.place(x[i]),
                axis.turned(y[i]),
                self.name_of(i),
                f"{format_number(x[i])} → {format_number(y[i])}",
            ]
            for i in self.shown
        ]
        dots = "".join(f"M{a:g} {b:g}h0" for a, b, *_ in points)
        marks = list(zip(axis.marks, axis.texts, strict=True))
        return Drawing(
            kind="scatter",
            chart=self,
            x_ticks=[Tick(axis.place(at), text) for at, text in marks],
            y_ticks=[Tick(axis.turned(at), text) for at, text in marks],
            strokes=[Stroke("", dots, "", 0, False)],
            points={
                "x": self.x_label,
                "curves": [{"label": f"{self.x_label} → {self.y_label}", "points": points}],
            },
            y_label=self.y_label,
        )

    def paint(self, axes: Axes) -> None:
        """Paint the chart on axes of Matplotlib."""
        axis = self.lay_out()
        shown = list(self.shown)
        axes.plot([axis.low, axis.high], [axis.low, axis.high], color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
        axes.plot(self.x[shown], self.y[shown], "o", color=SERIES["light"][0], markersize=3.5, alpha=0.5, mew=0)
        axes.set_aspect("equal")
        dress(axes, axis, axis, self.title, self.x_label, self.y_label)


def thin_out(curves: Sequence[Curve], most: int = MOST_POINTS) -> list[Curve]:
    """Return curves with fewer points where they have many: of each stretch of x the lowest and the highest stay.

    So a loss that jumps up and down still does. What one curve keeps, all keep that have a point there.
    """
    longest = max((len(curve.x) for curve in curves), default=0)
    if longest <= most:
        return list(curves)
    stretches = max(10, most // (2 * len(curves)))
    kept: set[float] = set()
    for curve in curves:
        values = np.nan_to_num(np.array(curve.mean, dtype=float))
        for part in np.array_split(np.arange(len(values)), min(stretches, len(values))):
            kept |= {curve.x[part[values[part].argmin()]], curve.x[part[values[part].argmax()]]}
        kept |= {curve.x[0], curve.x[-1]} if len(curve.x) else set()
    return [_only(curve, kept) for curve in curves]


def _only(curve: Curve, kept: set[float]) -> Curve:
    """Return the points of a curve whose x is kept."""
    places = [place for place, x in enumerate(curve.x) if x in kept]
    return _map(curve, lambda values: [values[place] for place in places], ("x", "mean", "low", "high", "names"))


def add_margin(low: float, high: float, share: bool, floor: bool = True) -> tuple[float, float]:
    """Return a range with a twentieth more at both ends; values that are not negative stay so, shares below 1."""
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
    if not floor:
        return low - 0.8 * margin, high + 0.8 * margin
    bottom = max(0.0, low - margin) if low >= 0 else low - margin
    return bottom, min(1.0, high + margin) if share and high < 1 else high + margin


def _positive(curve: Curve) -> Curve:
    """Return a curve with gaps where it is not positive."""
    return _map(curve, lambda values: [value if value is not None and value > 0 else None for value in values])


def _map(curve: Curve, change: Callable[[Any], Any], names: Sequence[str] = ("mean", "low", "high")) -> Curve:
    """Return a curve with other values, of its band too where it has one."""
    values = {name: getattr(curve, name) for name in names}
    return replace(curve, **{name: change(one) for name, one in values.items() if one is not None})


def _stroke(curve: Curve, number: int, x_axis: Axis, y_axis: Axis) -> Stroke:
    """Return a curve as it is drawn: its line stops at every gap, and a point between two gaps is a dot."""
    pieces: list[list[str]] = [[]]
    for x, y in zip(curve.x, curve.mean, strict=True):
        if _is_number(y):
            pieces[-1].append(f"{x_axis.place(x):g} {y_axis.turned(y):g}")
        elif pieces[-1]:
            pieces.append([])
    if curve.dots:
        pieces = [[point] for piece in pieces for point in piece]
    path = "".join("M" + "L".join(piece) + ("h0" if len(piece) == 1 else "") for piece in pieces if piece)
    band = [(x_axis.place(x), y_axis.turned(low), y_axis.turned(high)) for x, low, high in _band(curve)]
    outline = [f"{x:g} {high:g}" for x, _, high in band] + [f"{x:g} {low:g}" for x, low, _ in reversed(band)]
    colours = len(SERIES["light"])
    shape = "M" + "L".join(outline) + "Z" if outline else ""
    dashed = number // colours % 2 == 1
    return Stroke(curve.label, path, shape, number % colours, dashed, curve.dots)


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _band(curve: Curve) -> list[tuple[float, float, float]]:
    """Return x and both ends of a curve's band, where it has them."""
    ends = zip(curve.x, curve.low or (), curve.high or (), strict=False)
    return [(x, low, high) for x, low, high in ends if _is_number(low) and _is_number(high)]


def _points(curve: Curve, form: str, x_axis: Axis, y_axis: Axis) -> dict[str, Any]:
    """Return what is shown when somebody points at a curve."""
    band = {x: f" ({format_number(low, form)} … {format_number(high, form)})" for x, low, high in _band(curve)}
    names = curve.names or [""] * len(curve.x)
    points = [
        [
            x_axis.place(x),
            y_axis.turned(y),
            format_number(x),
            (f"{name}: " if name else "") + format_number(y, form) + band.get(x, ""),
        ]
        for x, y, name in zip(curve.x, curve.mean, names, strict=True)
        if _is_number(y)
    ]
    return {"label": curve.label, "points": points}
