"""What is odd about columns of the rows: their scale, one that tells the target, rows beyond those of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.column_values import measure_numbers
from glassnet.data.dataset import Dataset
from glassnet.data.scaling import SCALINGS, ScalingName
from glassnet.data.splits import is_mapped
from glassnet.locales.catalogue import Message
from glassnet.nn.activations import Array
from glassnet.training.sampling import evenly_spread

#: Columns with a root mean square above this are not scaled; nor are those whose mean is so many times their
#: standard deviation away from 0.
LARGE, OFF_CENTRE = 5.0, 20.0

#: The share of a target's variance that a single column may tell, and the fewest rows to say so by.
TELLING, ENOUGH_ROWS = 0.99, 30

#: New rows are beyond those of training where this share of them, and so many, lie outside of a column's range.
BEYOND, SEVERAL = 0.1, 5

#: Rows that the scale of targets and outlying numbers are measured on.
MEASURED = 2048

#: A number is outlying where it is so many robust standard deviations away from its column's median, and no share;
#: in a standardised column, where it is so many of its standard deviations away from 0.
OUTLYING, NO_SHARE, STANDARD_FAR = 100.0, 20.0, 5.0

#: How many standard deviations the quartiles of a normal distribution are apart.
QUARTILES = 1.349


@dataclass(frozen=True)
class DataFacts:
    """What data say of themselves.

    `names` are those of the columns, where they have any. `scalings` are those that could be asked for in place of
    theirs, the usual one first.
    `scales` are mean and standard deviation of regressed numbers, as they are before any rounding. `outlying` are
    columns with a number far from all others, and how many robust standard deviations; the farthest first.
    `beyond` are columns in which validation rows lie outside of the training rows' range, and which share of them.
    """

    names: tuple[str, ...] = ()
    scalings: tuple[ScalingName, ...] = ()
    scales: tuple[tuple[float, float], ...] = ()
    outlying: tuple[tuple[int, float], ...] = ()
    beyond: tuple[tuple[int, float], ...] = ()

    @classmethod
    def of(cls, data: Dataset) -> DataFacts:
        """Take them from a data set."""
        rows, (whole, y) = data.schema.input, data.encoded.train
        X = whole[evenly_spread(len(whole), MEASURED)].reshape(-1, data.n_inputs)
        scales: list[tuple[float, float]] = []
        if data.task == "regression":
            y = np.asarray(y[evenly_spread(len(y), MEASURED)], np.float64).reshape(-1, data.schema.target.width)
            scales = [measure_numbers(np.ascontiguousarray(column))[:2] for column in y.T]
        others = SCALINGS[SCALINGS.index(data.scaling) + 1 :]
        known: dict[str, Any] = {
            "names": rows.feature_names,
            "scalings": () if isinstance(rows, ArraySchema) and is_mapped(data.train.X) else others,
            "scales": tuple(scales),
        }
        if X.dtype == np.uint8:  # pixels, which have one range
            return cls(**known)
        new = data.encoded.validation.X
        new = new[evenly_spread(len(new), MEASURED)].reshape(-1, data.n_inputs)
        beyond = find_beyond(X, new) if len(new) and len(X) > 1 else ()
        whole = X if is_mapped(whole) else whole.reshape(-1, data.n_inputs)
        least = NO_SHARE if data.scaling == "none" else STANDARD_FAR
        return cls(**known, outlying=find_outlying(X, whole, least), beyond=beyond)

    def name(self, column: int) -> Message:
        """Return what a column is called: by its name, or by its number from 0."""
        if self.names:
            return Message("causes.column-name", name=self.names[column])
        return Message("causes.column-number", number=int(column))


def measure_columns(X: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation of each column, in float64."""
    return X.mean(axis=0, dtype=np.float64), X.std(axis=0, dtype=np.float64)


def measure_quartiles(X: Array) -> tuple[Array, Array]:
    """Return each column's median, and the standard deviation that its quartiles stand for; 0 if they are one."""
    X = np.sort(X, axis=0).astype(np.float64)
    places = np.array([0.25, 0.5, 0.75]) * (len(X) - 1)
    below = places.astype(np.intp)
    share = (places - below)[:, None]
    low, middle, high = (1 - share) * X[below] + share * X[np.ceil(places).astype(np.intp)]
    return middle, (high - low) / QUARTILES


def find_unscaled(X: Array) -> list[int]:
    """Return columns that are far too large or off centre, the farthest first; those of one value are left out."""
    large = np.flatnonzero(np.abs(X).max(axis=0) > 1)
    middle, spread = measure_quartiles(X[:, large])
    spread = np.where(spread > 0, spread, X[:, large].std(axis=0, dtype=np.float64))
    root = np.hypot(middle, spread)
    off = (np.abs(middle) > OFF_CENTRE * spread) & (np.abs(middle) > 1)
    bad = np.flatnonzero((spread > 1e-6 * np.abs(middle)) & ((root > LARGE) | off))
    return [int(large[place]) for place in sorted(bad, key=lambda place: -root[place])]


def find_outlying(X: Array, whole: Array, least: float = NO_SHARE) -> tuple[tuple[int, float], ...]:
    """Return the columns with a number far from all others, and how far; none that are mostly one value.

    A few are found in the `whole` rows only, of which X are enough to tell what is usual.
    """
    low, high = whole.min(axis=0), whole.max(axis=0)
    far = np.flatnonzero(np.maximum(high, -low) > least)
    if not len(far):
        return ()
    middle, spread = measure_quartiles(X[:, far])
    times = np.maximum(high[far] - middle, middle - low[far]) / np.where(spread > 0, spread, np.inf)
    found = [(int(far[place]), float(times[place])) for place in np.flatnonzero(times > OUTLYING)]
    return tuple(sorted(found, key=lambda one: -one[1]))


def find_telling(X: Array, targets: Array) -> int | None:
    """Return a column that tells the target by itself, as a straight line does: all classes, or their number."""
    if len(X) < ENOUGH_ROWS or X.shape[1] < 2:
        return None
    centred = X - X.mean(axis=0, dtype=np.float64)
    lengths = np.square(centred).sum(axis=0)
    told = np.zeros(X.shape[1])
    for T in (targets, targets.argmax(axis=1)[:, None]):
        T = T - T.mean(axis=0, dtype=np.float64)
        explained = np.square(centred.T @ T).sum(axis=1)
        whole = lengths * np.square(T).sum()
        told = np.maximum(told, np.divide(explained, whole, out=np.zeros_like(whole), where=whole > 0))
    best = int(told.argmax())
    return best if told[best] >= TELLING else None


def find_beyond(X: Array, new: Array) -> tuple[tuple[int, float], ...]:
    """Return the columns in which many new rows lie beyond the range of X, and their share; the most first.

    Of rows like those of X, about 2 in n do.
    """
    outside = ((new < X.min(axis=0)) | (new > X.max(axis=0))).sum(axis=0)
    places = np.flatnonzero((outside > BEYOND * len(new)) & (outside >= SEVERAL))
    found = [(int(column), float(outside[column]) / len(new)) for column in places]
    return tuple(sorted(found, key=lambda one: -one[1]))
