"""Axes of a chart: what they go over, where their marks are, and how numbers are written."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from glassnet.locales.catalogue import Words

#: What follows a share of a hundred: in Chinese the sign stands close to the number.
PERCENT = {"percent": " %", "close percent": "%"}

#: How numbers are written: as they are, or as shares of a hundred.
FORMS = ("number", *PERCENT)

#: The letters up to here are in the fonts of Matplotlib and LaTeX; Chinese ones are not.
LATIN = 0x2E7F

#: Side of the plot that all places on a page are parts of.
SIDE = 1000.0

#: How numbers are spread out: evenly, by their logarithm, or by log(1 + x), as suits steps of training, of which
#: the first tell the most.
SPREADS: dict[str, Callable[[float], float]] = {"even": float, "logarithmic": math.log, "steps": math.log1p}


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, in thousandths of the plot from the left or the top, and what is written there."""

    place: float
    text: str


@dataclass(frozen=True)
class Axis:
    """An axis from `low` to `high`: how it is spread, its marks, and what is written at them."""

    low: float
    high: float
    spread: str
    marks: Sequence[float]
    texts: Sequence[str]

    def place(self, value: float) -> float:
        """Return where a value is, in thousandths from the low end."""
        first, last, at = map(SPREADS[self.spread], (self.low, self.high, value))
        return round(SIDE * (at - first) / (last - first), 1) + 0.0  # no -0

    def turned(self, value: float) -> float:
        """Return where a value is, in thousandths from the high end: a page counts from its top."""
        first, last, at = map(SPREADS[self.spread], (self.high, self.low, value))
        return round(SIDE * (at - first) / (last - first), 1) + 0.0


def percent_form(words: Words) -> str:
    """Return how a share is written in a language: as one of `FORMS`."""
    return "close percent" if words.language == "zh" else "percent"


def format_number(value: float, form: str = "number") -> str:
    """Return a number as people read it: 0.1235, 88.43 %, 12,346; a dash where it is not finite."""
    if not math.isfinite(value):
        return "–"
    if form in PERCENT:
        return f"{100 * value:.2f}{PERCENT[form]}"
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e7 else f"{value:.4g}"


def format_known(value: float | None, form: str) -> str:
    """Return a number in a format of `format`, a dash for None."""
    return "–" if value is None else f"{value:{form}}"


def format_flops(value: float) -> str:
    """Return a number of floating point operations as people say it.

    >>> format_flops(1.64e10), format_flops(950.0), format_flops(2.5e18)
    ('16.4 GFLOP', '950 FLOP', '2500 PFLOP')
    """
    for unit in ("", "k", "M", "G", "T", "P"):
        if value < 999.5 or unit == "P":
            break
        value /= 1000
    return f"{value:.4g} {unit}FLOP" if value >= 1000 else f"{value:.3g} {unit}FLOP"


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers from low to high: steps of 1, 2 or 5 times a power of ten, at most so many."""
    rough = (high - low) / max(most, 1)
    if not rough > 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    for step in (power, 2 * power, 5 * power, 10 * power, 20 * power):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            break
    return [_round_off(number * step) for number in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return powers of ten from low to high; where these are few, twice and five times them too, or even steps."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, math.ceil((last - first) / most))
    found = [
        10.0**power for power in range(first, last + 1, every) if low <= 10.0**power * 1.000001 <= high * 1.00001
    ]
    if len(found) > 2:
        return found
    finer = [factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5)]
    found = [_round_off(value) for value in finer if low <= value <= high]
    return found if len(found) > 2 else ticks(low, high, most)


def step_ticks(last: float, most: int = 7) -> list[float]:
    """Return 0 and powers of ten up to the last of a run's steps; where they are many, every second or third."""
    powers = range(math.floor(math.log10(last)) + 1) if last >= 1 else range(0)
    return [0.0, *(10.0**power for power in powers[:: max(1, math.ceil(len(powers) / (most - 1)))])]


def _round_off(value: float) -> float:
    """Return a number without the dust of its reckoning: 0.1 x 3 is 0.3."""
    return float(f"{value:.12g}")


def tick_texts(values: Sequence[float], form: str = "number") -> list[str]:
    """Return how the marks of an axis are written: all with as many digits as the one that needs most.

    Different marks are written differently, with many digits where they are close to each other and far from 0.
    """
    scaled = [round(100 * value, 10) for value in values] if form in PERCENT else list(values)
    largest = max((abs(value) for value in scaled), default=0.0)
    smallest = min((abs(value) for value in scaled if value), default=1.0)
    end = PERCENT.get(form, "")
    if largest >= 10_000 or smallest < 0.001 or largest / smallest >= 1000:
        texts = [_shorten(value) for value in scaled]
    else:
        digits = next(d for d in range(9) if d == 8 or all(abs(round(v, d) - v) < 1e-9 for v in scaled))
        texts = [f"{value:.{digits}f}" for value in scaled]
    if len(set(texts)) < len(set(scaled)):
        texts = [f"{value:.15g}" for value in scaled]
    return [text + end for text in texts]


def _shorten(value: float) -> str:
    """Return a number no wider than an axis has room for: from 100,000 on, and below 0.0001, as 1e5 and 1e-5."""
    if value and not 1e-4 <= abs(value) < 1e5:
        number, _, power = f"{value:.3e}".partition("e")
        return f"{float(number):g}e{int(power)}"
    return format_number(value)
