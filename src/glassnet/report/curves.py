"""Curves over epochs, of one run or of several that differ in their seed, laid out for a page.

Everything is placed in thousandths of the plot, so that a page can draw it at any width, with letters that keep
their size; what a reader sees when pointing at a curve is written here, so that no script has to reckon or round.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import numpy as np

from glassnet.errors import UsageError
from glassnet.nn.activations import Array
from glassnet.report.axes import FORMS, Tick, format_number, log_ticks, step_ticks, tick_texts, ticks
from glassnet.training.history import History

#: Longer curves are thinned out to about so many points a chart; every peak stays.
MOST_POINTS = 1200

#: A scatter with more points shows every second, third, ... of them.
MOST_DOTS = 1500

#: Whether the axis of the values may be logarithmic, is not, or is wherever there is a positive one.
SCALES = ("auto", "linear", "logarithmic")

#: How x is spread out: evenly, or by log(1 + x), as suits steps of training, of which the first tell the most.
SPREADS = ("even", "steps")

#: Positive values that differ by more than this factor are drawn on a logarithmic axis.
LOGARITHMIC = 30.0

#: Side of the plot that all positions are parts of.
SIDE = 1000.0

#: Distinct for the colour-blind, on white and on black; a curve takes the next one.
SERIES = {
    "light": ("#1d4ed8", "#b45309", "#0a6640", "#9d174d", "#5b21b6", "#0e7490", "#66707e", "#854d0e"),
    "dark": ("#8ab4ff", "#f0a860", "#5fd39a", "#f472b6", "#c4b5fd", "#67e8f9", "#9aa4b2", "#fde047"),
}


@dataclass(frozen=True)
class Curve:
    """A line, and the band around it where it stands for several runs.

    A value that is None or not finite leaves a gap. `low` and `high` are the band's ends at every x: both or
    neither. Raises UsageError if the lengths differ.
    """

    label: str
    x: Sequence[float]
    mean: Sequence[float | None]
    low: Sequence[float | None] | None = None
    high: Sequence[float | None] | None = None

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


def curve_of(label: str, histories: Sequence[History], column: str) -> Curve | None:
    """Return a column of the histories, ``"validation_loss"`` for example, as a curve; None where no run has it.

    Several histories are of runs that differ in their seed. The line is their mean, the band goes from the lowest
    to the highest of them, over the epochs that all of them have.
    """
    epochs = min((len(history) for history in histories), default=0)
    table = [[record.row().get(column) for record in history][:epochs] for history in histories]
    rows = np.array([[math.nan if value is None else value for value in row] for row in table], dtype=float)
    if not np.isfinite(rows).any():
        return None
    mean = rows.mean(axis=0)
    x = [float(record.epoch) for record in list(histories[0])[:epochs]]
    band = (rows.min(axis=0).tolist(), rows.max(axis=0).tolist()) if len(histories) > 1 else (None, None)
    return Curve(label, x, mean.tolist(), *band)


@dataclass(frozen=True)
class Chart:
    """Curves on one pair of axes.

    On the scale ``"logarithmic"``, values that are not positive leave gaps. `mark` is a value that the others are
    to be held against, and what is written at it. `key` names the chart in the page and is of letters and digits
    only.
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

    def __post_init__(self) -> None:
        for name, known in (("form", FORMS), ("scale", SCALES), ("spread", SPREADS)):
            if getattr(self, name) not in known:
                raise UsageError(name, f"must be {' or '.join(known)}, got {getattr(self, name)!r}")


@dataclass(frozen=True)
class Stroke:
    """A curve as it is drawn: the commands of its path and of its band's outline, and the number of its colour."""

    label: str
    path: str
    band: str
    colour: int
    dashed: bool


@dataclass(frozen=True)
class Drawing:
    """A chart laid out: ticks and paths, and what a page's script shows to whom points at it.

    `kind` is ``"curves"`` or ``"scatter"``. `points` holds of every curve its label and
    ``[x, y, text at x, text of the value]``, places in thousandths.
    """

    kind: str
    key: str
    title: str
    x_label: str
    y_label: str
    note: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    strokes: list[Stroke]
    logarithmic: bool
    points: dict[str, Any]
    mark: Tick | None = None


def draw(chart: Chart) -> Drawing:
    """Lay a chart out.

    Its height is that of the values with a small margin, on a logarithmic axis where positive values differ by
    more than a factor of `LOGARITHMIC`. Colours follow the order of the curves; after eight they come again,
    dashed.
    """
    curves = thin_out(chart.curves)
    values = np.concatenate([[chart.mark[0]] if chart.mark else [], *(curve.values for curve in curves)])
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    logarithmic = chart.scale == "auto" and chart.form == "number" and low > 0 and high / low > LOGARITHMIC
    if chart.scale == "logarithmic" and high > 0:
        logarithmic, low = True, float(values[values > 0].min())
        curves = [_positive(curve) for curve in curves]
    if logarithmic:
        low, high = low / 1.1, high * 1.1
    else:
        low, high = _add_margin(low, high, chart.form == "percent")
    xs = [x for curve in curves for x in curve.x]
    left, right = (min(xs), max(xs)) if xs else (0.0, 1.0)
    if left == right:
        left, right = left - 0.5, right + 0.5
    steps = chart.spread == "steps"
    x_of = _steps_place(left, right) if steps else _place(left, right, False)
    y_of = _place(high, low, logarithmic)
    strokes = [_stroke(curve, number, x_of, y_of) for number, curve in enumerate(curves)]
    whole = all(x == int(x) for x in xs)
    x_values = step_ticks(right) if steps else ticks(left, right)
    y_values = log_ticks(low, high) if logarithmic else ticks(low, high, 6)
    return Drawing(
        kind="curves",
        key=chart.key,
        title=chart.title,
        x_label=chart.x_label,
        y_label="",
        note=chart.note,
        x_ticks=[Tick(x_of(x), format_number(x)) for x in x_values if left <= x and (not whole or x == int(x))],
        y_ticks=[Tick(y_of(y), text) for y, text in zip(y_values, tick_texts(y_values, chart.form), strict=True)],
        strokes=strokes,
        logarithmic=logarithmic,
        points={"x": chart.x_label, "curves": [_points(curve, chart.form, x_of, y_of) for curve in curves]},
        mark=None if chart.mark is None else Tick(y_of(chart.mark[0]), chart.mark[1]),
    )


def scatter(
    key: str,
    title: str,
    x_label: str,
    y_label: str,
    x: Array,
    y: Array,
    name_of: Callable[[int], str] = lambda place: "",
    note: str = "",
) -> Drawing:
    """Lay out points (x, y) with the line y = x through them; both axes have one scale.

    `x` and `y` have shape (n,). Of more than `MOST_DOTS` points, every second, third, ... is drawn. `name_of`
    says what a point is called, by its place.
    """
    every = math.ceil(len(x) / MOST_DOTS) or 1
    low, high = _add_margin(float(min(x.min(), y.min())), float(max(x.max(), y.max())), False, floor=False)
    x_of, y_of = _place(low, high, False), _place(high, low, False)
    shown = range(0, len(x), every)
    points = [
        [x_of(x[i]), y_of(y[i]), name_of(i), f"{format_number(x[i])} → {format_number(y[i])}"] for i in shown
    ]
    dots = "".join(f"M{a:g} {b:g}h0" for a, b, *_ in points)
    marks = ticks(low, high, 5)
    texts = tick_texts(marks)
    return Drawing(
        kind="scatter",
        key=key,
        title=title,
        x_label=x_label,
        y_label=y_label,
        note=note,
        x_ticks=[Tick(x_of(mark), text) for mark, text in zip(marks, texts, strict=True)],
        y_ticks=[Tick(y_of(mark), text) for mark, text in zip(marks, texts, strict=True)],
        strokes=[Stroke("", dots, "", 0, False)],
        logarithmic=False,
        points={"x": x_label, "curves": [{"label": f"{x_label} → {y_label}", "points": points}]},
    )


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
    return _map(curve, lambda values: [values[place] for place in places], ("x", "mean", "low", "high"))


def _add_margin(low: float, high: float, share: bool, floor: bool = True) -> tuple[float, float]:
    """Return a range with a twentieth more at both ends; values that are not negative stay so, shares below 1."""
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
    if not floor:
        return low - 0.8 * margin, high + 0.8 * margin
    bottom = max(0.0, low - margin) if low >= 0 else low - margin
    return bottom, min(1.0, high + margin) if share and high < 1 else high + margin


def _place(first: float, last: float, logarithmic: bool) -> Any:
    """Return the function that maps first to 0 and last to `SIDE`."""
    if logarithmic:
        first, last = math.log(first), math.log(last)

    def place(value: float) -> float:
        value = math.log(value) if logarithmic else value
        return round(SIDE * (value - first) / (last - first), 1) + 0.0  # no -0

    return place


def _steps_place(first: float, last: float) -> Any:
    """Return the function that maps first to 0 and last to `SIDE`, by log(1 + x)."""
    spread = _place(1 + first, 1 + last, True)
    return lambda value: spread(1 + value)


def _positive(curve: Curve) -> Curve:
    """Return a curve with gaps where it is not positive."""
    return _map(curve, lambda values: [value if value is not None and value > 0 else None for value in values])


def _map(curve: Curve, change: Callable[[Any], Any], names: Sequence[str] = ("mean", "low", "high")) -> Curve:
    """Return a curve with other values, of its band too where it has one."""
    values = {name: getattr(curve, name) for name in names}
    return replace(curve, **{name: change(one) for name, one in values.items() if one is not None})


def _stroke(curve: Curve, number: int, x_of: Any, y_of: Any) -> Stroke:
    """Return a curve as it is drawn: its line stops at every gap, and a point between two gaps is a dot."""
    pieces: list[list[str]] = [[]]
    for x, y in zip(curve.x, curve.mean, strict=True):
        if _is_number(y):
            pieces[-1].append(f"{x_of(x):g} {y_of(y):g}")
        elif pieces[-1]:
            pieces.append([])
    path = "".join("M" + "L".join(piece) + ("h0" if len(piece) == 1 else "") for piece in pieces if piece)
    band = [(x_of(x), y_of(low), y_of(high)) for x, low, high in _band(curve)]
    outline = [f"{x:g} {high:g}" for x, _, high in band] + [f"{x:g} {low:g}" for x, low, _ in reversed(band)]
    colours = len(SERIES["light"])
    shape = "M" + "L".join(outline) + "Z" if outline else ""
    return Stroke(curve.label, path, shape, number % colours, number // colours % 2 == 1)


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _band(curve: Curve) -> list[tuple[float, float, float]]:
    """Return x and both ends of a curve's band, where it has them."""
    ends = zip(curve.x, curve.low or (), curve.high or (), strict=False)
    return [(x, low, high) for x, low, high in ends if _is_number(low) and _is_number(high)]


def _points(curve: Curve, form: str, x_of: Any, y_of: Any) -> dict[str, Any]:
    """Return what is shown when somebody points at a curve."""
    band = {x: f" ({format_number(low, form)} … {format_number(high, form)})" for x, low, high in _band(curve)}
    points = [
        [x_of(x), y_of(y), format_number(x), format_number(y, form) + band.get(x, "")]
        for x, y in zip(curve.x, curve.mean, strict=True)
        if _is_number(y)
    ]
    return {"label": curve.label, "points": points}
