"""What is odd about columns of the rows: their scale, one that tells the target, rows beyond those of training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.column_values import measure_numbers
from glassnet.data.dataset import Dataset
from glassnet.data.splits import is_mapped
from glassnet.locales.catalogue import Message
from glassnet.nn.activations import Array
from glassnet.training.sampling import evenly_spread

#: Columns with a root mean square above this are not scaled; nor are those whose mean is so many times their
#: standard deviation away from 0.
LARGE, OFF_CENTRE = 5.0, 20.0

#: The share of a target's variance that a single column may tell, and the fewest rows to say so by.
TELLING, ENOUGH_ROWS = 0.99, 30

#: A row is beyond those of training where it is so many times their range away from it.
BEYOND = 0.25

#: Rows that the scale of targets and outlying numbers are measured on.
MEASURED = 2048

#: A number is outlying where it is so many mean absolute deviations away from its column's mean, and no share.
OUTLYING, NO_SHARE = 100.0, 20.0


@dataclass(frozen=True)
class DataFacts:
    """What data say of themselves.

    `names` are those of the columns, where they have any. `scalable`: they can be standardised, and are not.
    `scales` are mean and standard deviation of regressed numbers, as they are before any rounding. `outlying` are
    columns with a number far from all others, and how many mean absolute deviations; the farthest first.
    """

    names: tuple[str, ...] = ()
    scalable: bool = False
    scales: tuple[tuple[float, float], ...] = ()
    outlying: tuple[tuple[int, float], ...] = ()

    @classmethod
    def of(cls, data: Dataset) -> DataFacts:
        """Take them from a data set."""
        rows, (X, y) = data.schema.input, data.encoded.train
        X = X[evenly_spread(len(X), MEASURED)].reshape(-1, data.n_inputs)
        arrays = isinstance(rows, ArraySchema)
        scalable = arrays and not data.standardized and not is_mapped(data.train.X)
        scales: list[tuple[float, float]] = []
        if data.task == "regression":
            y = np.asarray(y[evenly_spread(len(y), MEASURED)], np.float64).reshape(-1, data.schema.target.width)
            scales = [measure_numbers(np.ascontiguousarray(column))[:2] for column in y.T]
        names = () if isinstance(rows, ArraySchema) else rows.feature_names
        return cls(names, scalable, tuple(scales), () if X.dtype == np.uint8 else find_outlying(X))

    def name(self, column: int) -> Message:
        """Return what a column is called: by its name, or by its number from 0."""
        if self.names:
            return Message("causes.column-name", name=self.names[column])
        return Message("causes.column-number", number=int(column))


def measure_columns(X: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation of each column, in float64."""
    return X.mean(axis=0, dtype=np.float64), X.std(axis=0, dtype=np.float64)


def find_unscaled(X: Array) -> list[int]:
    """Return columns that are far too large or off centre, the farthest first; those of one value are left out."""
    mean, std = measure_columns(X)
    root = np.hypot(mean, std)
    off = (np.abs(mean) > OFF_CENTRE * std) & (np.abs(mean) > 1)
    bad = (std > 1e-6 * np.abs(mean)) & ((root > LARGE) | off)
    return sorted(map(int, np.flatnonzero(bad)), key=lambda column: -root[column])


def find_outlying(X: Array) -> tuple[tuple[int, float], ...]:
    """Return the columns with a number far from all others, and how far; columns of small numbers are none."""
    away = np.abs(X - X.mean(axis=0, dtype=np.float64))
    most, usual = away.max(axis=0), away.mean(axis=0)
    bad = np.flatnonzero((most > OUTLYING * usual) & (most > NO_SHARE))
    return tuple(sorted(((int(c), float(most[c] / usual[c])) for c in bad), key=lambda found: -found[1]))


def find_telling(X: Array, targets: Array) -> int | None:
    """Return a column that tells the target by itself, as a straight line does; None where there is none."""
    if len(X) < ENOUGH_ROWS or X.shape[1] < 2:
        return None
    number = targets.argmax(axis=1)[:, None] if targets.shape[1] > 1 else targets[:, :0]
    T = np.hstack([targets, number]).astype(np.float64)
    X, T = (part - part.mean(axis=0, dtype=np.float64) for part in (X, T))
    lengths = np.linalg.norm(X, axis=0)[:, None] * np.linalg.norm(T, axis=0)
    told = np.square(np.divide(X.T @ T, lengths, out=np.zeros_like(lengths), where=lengths > 0))
    first, last = divmod(int(told.argmax()), T.shape[1])
    return first if told[first, last] >= TELLING else None


def find_beyond(X: Array, new: Array) -> list[int]:
    """Return the columns in which new rows lie beyond the range of X, the farthest first."""
    low, high = X.min(axis=0), X.max(axis=0)
    far = np.maximum(low - new.min(axis=0), new.max(axis=0) - high).astype(np.float64)
    bad = np.flatnonzero(far > np.maximum(BEYOND * (high - low), 1e-6 * np.abs(high) + 1e-12))
    return sorted(map(int, bad), key=lambda column: -far[column] / max(float(high[column] - low[column]), 1e-12))
