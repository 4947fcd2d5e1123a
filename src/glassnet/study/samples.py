"""The numbers that a statistic is made of: a measure by seed, by group of validation rows, and by variant."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from glassnet.errors import UsageError, unknown_name
from glassnet.nn.activations import Array
from glassnet.study.hypothesis_tests import (
    ROUNDINGS,
    Error,
    compute_p,
    half_interval,
    mean_errors,
    rows_without_error,
    scale_of,
)
from glassnet.study.results import FINISHED, Row
from glassnet.training.metrics import METRICS

#: What an interval covers: other seeds and other rows, other seeds on the same rows, other rows for this one seed,
#: or nothing, as there is no interval. The catalogues have words for each.
SEEDS_AND_ROWS, SEEDS, ROWS, NOTHING = "seeds-and-rows", "seeds", "rows", "nothing"

#: The smallest difference that matters, where none is stated: of measures up to 1, and as a share of all others.
MARGIN, MARGIN_SHARE = 0.005, 0.01


def larger_is_better(measure: str) -> bool:
    """Return whether more of a measure is better, by its name.

    A measure is ``"seconds"``, or a metric from `glassnet.training.metrics.METRICS` with the rows it is of before
    it, ``"validation_accuracy"``. Every name that ends in ``loss`` is a loss. An unknown name is a `UsageError`:
    to guess would turn every verdict around.
    """
    if measure == "seconds" or measure.endswith("loss"):
        return False
    name = _metric_of(measure)
    if name not in METRICS:
        raise unknown_name("measure", measure, ["seconds", *(f"validation_{name}" for name in METRICS)])
    return METRICS[name].larger_is_better


def _metric_of(measure: str) -> str:
    return re.sub("^(train|validation|test)_", "", measure)


def bounds_of(measure: str, values: Iterable[float] = ()) -> tuple[float, float]:
    """Return the smallest and the largest number that a measure can be.

    Losses begin at 0; those of a user may be lower, and begin at the lowest of the given values.
    """
    name = _metric_of(measure)
    low, high = METRICS[name].bounds if name in METRICS else (0.0, math.inf)
    return min([low, *values]), high


def can_be(measure: str, value: float) -> bool:
    """Whether a measure can have a value."""
    low, high = bounds_of(measure)
    return low <= value <= high


def choose_margin(measure: str, means: Iterable[float], stated: float | None = None) -> float:
    """Return the smallest difference that matters, in units of the measure: the stated one, or a default.

    The default is `MARGIN` for measures that end at 1, and else `MARGIN_SHARE` of the best mean.
    """
    if stated is not None:
        if not (math.isfinite(stated) and stated > 0):
            raise UsageError("margin", f"the smallest difference that matters is a number above 0, got {stated}")
        return stated
    if bounds_of(measure)[1] == 1:
        return MARGIN
    best = max if larger_is_better(measure) else min
    return MARGIN_SHARE * abs(best(means, default=0.0))


def value_of(row: Row, measure: str) -> float | None:
    """Return a run's number, or None where it does not count: not finished, not measured, NaN or infinite."""
    if row.status != FINISHED:
        return None
    value = row.seconds if measure == "seconds" else row.measures.get(measure)
    return float(value) if value is not None and math.isfinite(value) else None


@dataclass(frozen=True)
class Sample:
    """Numbers whose mean is asked for, and what its error can be told from.

    Attributes
    ----------
    values : Array of shape (S, G, q)
        By seed, by group of validation rows (one where groups say nothing), and by contrast. They are divided by
        `scale`.
    scale : float
    overlap : float
        See `glassnet.study.hypothesis_tests.mean_errors`.
    covers : str
        `SEEDS_AND_ROWS`, `SEEDS`, `ROWS` or `NOTHING`.
    rows : float
        How many rows the mean says as much as, where every seed would give the same; 0 if it is not known.
    """

    values: Array
    scale: float
    overlap: float
    covers: str
    rows: float

    def contrast(self, weights: Array) -> Sample:
        """Return the sample of contrasts: weighted sums over the variants, a column of weights each."""
        return Sample(self.values @ weights, self.scale, self.overlap, self.covers, self.rows)

    @property
    def mean(self) -> Array:
        """Means over seeds and groups, of shape (q,), divided by `scale`."""
        return self.values.mean(axis=(0, 1))

    @property
    def by_seed(self) -> Array:
        """Means over the groups, of shape (S, q)."""
        return self.values.mean(axis=1) * self.scale

    @property
    def errors(self) -> tuple[Error, ...]:
        """The variances of the mean, for numbers that are divided by `scale`."""
        return mean_errors(self.values, self.overlap)

    @property
    def has_spread(self) -> bool:
        """Whether the numbers differ by more than rounding."""
        return bool(np.ptp(self.values, axis=(0, 1)).max() > ROUNDINGS * np.finfo(float).eps)

    def half(self, level: float, measure: str) -> float | None:
        """Return half the width of the mean's interval; None where nothing tells it."""
        if self.has_spread and self.covers != NOTHING:
            return float(half_interval(self.errors, level)) * self.scale
        if self.rows and math.isfinite(sum(bounds_of(measure))):
            return rows_without_error(level) / self.rows
        return None


def take_sample(runs: Sequence[Sequence[Row]], measure: str) -> Sample:
    """Return the numbers of runs, by seed and then by variant; each must have one, see `value_of`.

    If all were judged on the same rows, and the groups of these are known, they tell the error that comes from the
    rows. If every seed has other rows, the spread over the seeds tells it. Otherwise the sample covers seeds only.
    """
    rows = [row for line in runs for row in line]
    splits = [{row.split for row in line} for line in runs]
    numbers = [[value_of(row, measure) or 0.0 for row in line] for line in runs]
    scale = scale_of(number for line in numbers for number in line)
    values = np.array(numbers)[:, None, :] / scale
    covers, overlap, says = SEEDS if len(runs) > 1 else NOTHING, 0.0, 0.0
    if measure.startswith("validation_") and all(row.split and row.validation_rows for row in rows):
        shares = [row.validation_rows / max(row.training_rows, 1) for row in rows]
        many = float(min(row.validation_rows for row in rows))
        if len(set().union(*splits)) == 1:
            groups = [[row.groups.get(measure, []) for row in line] for line in runs]
            sizes = {len(group) for line in groups for group in line}
            if len(sizes) == 1 and min(sizes) > 1:
                values = np.array(groups).swapaxes(1, 2) / scale
                covers, says = SEEDS_AND_ROWS if len(runs) > 1 else ROWS, many
        elif sum(map(len, splits)) == len(set().union(*splits)):
            covers, overlap = SEEDS_AND_ROWS, max(shares)
            says = many / (1 / len(runs) + overlap)
    return Sample(values, scale, overlap, covers, says)


def interval_of(
    sample: Sample, measure: str, level: float, bounds: tuple[float, float]
) -> tuple[float, float] | tuple[None, None]:
    """Return the interval of a sample's mean, within bounds; None where nothing tells it."""
    half, mean = sample.half(level, measure), float(sample.mean[0]) * sample.scale
    return (None, None) if half is None else (max(bounds[0], mean - half), min(bounds[1], mean + half))


def std_of(sample: Sample) -> float:
    """Return the standard deviation over the seeds."""
    by_seed = sample.by_seed[:, 0] / sample.scale
    return float(by_seed.std(ddof=1)) * sample.scale if np.ptp(by_seed) > 0 else 0.0  # no rounding in it


def rows_std_of(sample: Sample) -> float:
    """Return the part of the standard error of the mean that no number of seeds takes away."""
    seeds, *others = sample.errors
    if others:  # of rows, and of both together
        return math.sqrt(max(0.0, float(others[1].variance - seeds.variance))) * sample.scale
    return std_of(sample) * math.sqrt(sample.overlap)


def p_of(sample: Sample) -> float:
    """Return the p value of a sample's mean being 0.

    Differences that are all the same leave t without a divisor. Then p is that of the sign test, the chance of n
    equal signs: 2 (1/2)^n; and 1 where they are all 0. To call it 0 would be wrong: accuracies on few rows are
    coarse, and differ by the same amount in all of a few seeds by chance.
    """
    if sample.has_spread:
        return float(compute_p(float(sample.mean[0]) ** 2, sample.errors))
    return 2.0 ** (1 - len(sample.values)) if sample.mean[0] else 1.0
