"""Columns brought to a usual size by the figures of the training rows: by mean and deviation, or robustly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from glassnet.errors import DataError
from glassnet.nn.activations import Array

#: Rows that are gone through at a time: few enough for their float64 numbers to stay in the processor's cache.
BLOCK = 128

#: Numbers of whole columns that are sorted at a time.
SORTED = 4_000_000

#: What a smooth clip never goes beyond.
CLIP = 3.0

#: So many spreads away, a clipped number is the bound itself, and its square is still finite.
FARTHEST = 1e100

ScalingName = Literal["none", "standard", "robust"]
SCALINGS: tuple[ScalingName, ...] = get_args(ScalingName)


def clip_smoothly(x: Array) -> Array:
    """Return x / sqrt(1 + (x / 3)²): about x near 0, between -3 and 3 everywhere, and rising all the way."""
    x = np.clip(x, -FARTHEST, FARTHEST)
    return x / np.sqrt(1 + np.square(x / CLIP))


def scale_numbers(numbers: Array, center: Any, spread: Any, name: ScalingName) -> Array:
    """Return (x - center) / spread, smoothly clipped where robust; 0 where the spread is 0.

    Numbers that are not finite, or too far from the center to say how far, come back as NaN or infinity.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        scaled = (numbers - center) / np.where(spread > 0, spread, np.inf)
        return np.where(np.isfinite(scaled), clip_smoothly(scaled), np.nan) if name == "robust" else scaled


def measure_robustly(X: Array) -> tuple[Array, Array]:
    """Return the median of each column of float64 numbers, and the distance of its quartiles.

    Where half of a column or more is one value, so that its quartiles are equal, the distance is half of the range
    instead; it is 0 for a column of one value only.
    """
    small = np.ldexp(X, -2)  # so that no difference overflows
    low, middle, high = np.percentile(small, (25, 50, 75), axis=0)
    spread = np.where(high > low, high - low, (small.max(axis=0) - small.min(axis=0)) / 2)
    return np.ldexp(middle, 2), np.ldexp(np.minimum(spread, np.finfo(np.float64).max / 4), 2)


@dataclass(frozen=True, eq=False)
class Scaling:
    """What brings each column to a usual size.

    Inputs of one size, each with a share of its own in the first layer's gradient, make learning faster (LeCun,
    Bottou, Orr and Mueller 1998, "Efficient BackProp", section 4.3). Of n training rows x_i, column by column::

        standard:  center   = mean = sum_i x_i / n
                   spread   = std = sqrt(sum_i (x_i - mean)² / n)      1 where a column never changes
                   apply(x) = (x - center) / spread

        robust:    center   = median
                   spread   = q75 - q25        (max - min) / 2 where that is 0; 0 where a column never changes
                   t        = (x - center) / spread                    0 where the spread is 0
                   apply(x) = t / sqrt(1 + (t / 3)²)

    The first is scikit-learn's ``StandardScaler``. The second is that of RealMLP (Holzmueller, Grinsztajn and
    Steinwart 2024, arXiv 2407.04491, section 3): a few numbers far from all others change neither center nor
    spread, and the clip leaves them below 3. Bytes count as pixels, divided by 255, as they do everywhere.
    `center` and `spread` are float64 of shape (d,).
    """

    name: ScalingName
    center: Array
    spread: Array

    def __eq__(self, other: object) -> bool:
        """Whether the figures are equal, bit for bit."""
        if not isinstance(other, Scaling):
            return NotImplemented
        same = np.array_equal(self.center, other.center) and np.array_equal(self.spread, other.spread)
        return self.name == other.name and same

    @classmethod
    def measure(cls, X: Array, name: ScalingName) -> Scaling:
        """Measure training rows for a scaling, "standard" or "robust", in float64, some numbers at a time.

        X has the shape (n, d), or (n, ...) with d numbers a row. `DataError` is raised if the rows hold no
        numbers, or a column NaN, infinity, or numbers whose squares are too large for its standard deviation.
        """
        if X.dtype.kind not in "fiub":
            raise DataError(f"X: expected rows of numbers to scale, got the type {X.dtype}")
        center, spread = (_measure_moments if name == "standard" else _measure_quartiles)(X)
        bad = np.flatnonzero(~np.isfinite(spread))
        if len(bad):
            raise DataError(f"X: column {bad[0]} holds NaN, infinity or numbers too large to scale; replace them")
        return cls(name, center, spread)

    def apply(self, X: Array) -> Array:
        """Return rows of d numbers scaled by these figures, as float32 of shape (n, d)."""
        columns = int(np.prod(X.shape[1:]))
        if columns != len(self.center):
            raise DataError(f"X: the rows have {columns} columns, those that were scaled {len(self.center)}")
        scaled = np.empty((len(X), columns), np.float32)
        with np.errstate(over="ignore", under="ignore"):  # what becomes infinite no network takes
            for part, block in _take_blocks(X):
                scaled[part] = scale_numbers(block, self.center, self.spread, self.name)
        return scaled

    def describe(self) -> str:
        """Say in a few words what becomes of each column."""
        if self.name == "standard":
            return "each column to mean 0 and standard deviation 1"
        return f"each column by its median and quartiles, smoothly clipped at {CLIP:g}"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values and arrays, for `Scaling.from_dict`."""
        return {"name": self.name, "center": self.center, "spread": self.spread}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Scaling:
        """Take the figures from a dict of them; `ValueError` is raised if they are those of no scaling."""
        try:
            name = values["name"]
            center, spread = (np.array(values[part], np.float64) for part in ("center", "spread"))
        except (LookupError, TypeError) as error:
            raise ValueError(f"{type(error).__name__} {error}") from None
        if name not in SCALINGS[1:]:
            raise ValueError(f"no scaling {name!r}")
        if center.ndim != 1 or center.shape != spread.shape:
            raise ValueError("expected as many centers as spreads")
        enough = (spread >= 0 if name == "robust" else spread > 0).all()
        if not (np.isfinite(center).all() and np.isfinite(spread).all() and enough):
            raise ValueError("expected finite numbers, and spreads above 0")
        return cls(name, center, spread)


def _measure_moments(X: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation of each column; 1 where it never changes."""
    first = next(iter(_take_blocks(X)))[1][0]
    total, squares, changes = (np.zeros(len(first), dtype) for dtype in (float, float, bool))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):  # no finite figure comes of it
        for _, block in _take_blocks(X):
            total += block.sum(axis=0)
            changes |= (block != first).any(axis=0)
        mean = total / len(X)
        for _, block in _take_blocks(X):
            squares += np.square(block - mean).sum(axis=0)
        std = np.sqrt(squares / len(X))
    return mean, np.where(np.isfinite(std) & ~(changes & (std > 0)), 1.0, std)


def _measure_quartiles(X: Array) -> tuple[Array, Array]:
    """Return what `measure_robustly` does; a spread of NaN where a column holds NaN or infinity."""
    rows, unit = X.reshape(len(X), -1), unit_of(X)
    center, spread = np.empty((2, rows.shape[1]))
    step = max(1, SORTED // len(rows))
    for first in range(0, rows.shape[1], step):
        part = slice(first, first + step)
        block = np.divide(rows[:, part].T, unit, order="C", dtype=np.float64)
        bad = ~np.isfinite(block).all(axis=1)
        block[bad] = 0.0
        center[part], spread[part] = measure_robustly(block.T)
        spread[part][bad] = np.nan
    return center, spread


def unit_of(X: Array) -> float:
    """Return what the numbers of rows are divided by before all else: bytes are shares of 255."""
    return 255.0 if X.dtype == np.uint8 else 1.0


def _take_blocks(X: Array) -> Iterator[tuple[slice, Array]]:
    """Give rows as float64 of shape (block, d), bytes as shares of 255."""
    columns, unit = int(np.prod(X.shape[1:])), unit_of(X)
    for first in range(0, len(X), BLOCK):
        part = slice(first, min(first + BLOCK, len(X)))
        yield part, np.divide(X[part].reshape(-1, columns), unit, dtype=np.float64)
