"""What runs with several seeds say about variants: means with intervals, and paired differences to one of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from glassnet.errors import DataError, UsageError, unknown_name
from glassnet.study.results import Row
from glassnet.training.metrics import METRICS

#: What a comparison can say.
BETTER = "better"
WORSE = "worse"
NOT_DISTINGUISHABLE = "not distinguishable"
ONE_SEED = "one seed only: cannot be judged"
NO_SEED = "no seed in common: cannot be judged"

#: Rows that a measure can be of; its name begins with them.
SPLITS = ("train_", "validation_", "test_")

#: A spread of so many roundings of the largest number is none.
ROUNDINGS = 8.0

#: Of the noncentral t.
LARGEST_SHIFT = 37.0


@dataclass(frozen=True)
class Summary:
    """A variant over its seeds.

    Attributes
    ----------
    variant : str
    levels : dict of str to str
        The level of every factor.
    n : int
        Runs that count: finished, with a finite number for the measure.
    failures : int
        The other runs: diverged, failed, or without such a number.
    mean : float or None
        Of the measure; None where n is 0.
    deviation : float or None
        Standard deviation with the divisor n - 1; None where n is below 2.
    low, high : float or None
        Interval of the mean, mean -+ t s / sqrt(n) with n - 1 degrees of freedom; None where n is below 2.
        Where all runs have the same number it has no width, which is no sign of certainty.
    seconds, parameters, flops : float or None
        Medians over the runs that count; None where n is 0.
    """

    variant: str
    levels: dict[str, str]
    n: int
    failures: int
    mean: float | None
    deviation: float | None
    low: float | None
    high: float | None
    seconds: float | None
    parameters: float | None
    flops: float | None


@dataclass(frozen=True)
class Comparison:
    """A variant's difference to the base, seed by seed.

    Attributes
    ----------
    variant, base : str
    seeds : tuple of int
        Those with a run of both that counts: the pairs.
    missing : tuple of int
        The study's other seeds, at which one of the two failed or is not there. A variant that fails at some
        seeds is judged by those at which it did well.
    difference : float or None
        Mean of variant - base over the pairs; None without a pair.
    deviation : float or None
        Standard deviation of the differences, divisor n - 1; None with fewer than two pairs.
    low, high : float or None
        t-interval of the difference, of this comparison by itself; None with fewer than two pairs, or without
        spread.
    p : float or None
        See `paired_test`; None with fewer than two pairs.
    corrected : float or None
        p by Holm over all comparisons with a p.
    verdict : str
        `BETTER` or `WORSE` where `corrected` is at most the level, else `NOT_DISTINGUISHABLE`; `ONE_SEED` or
        `NO_SEED` with fewer than two pairs.
    """

    variant: str
    base: str
    seeds: tuple[int, ...]
    missing: tuple[int, ...]
    difference: float | None
    deviation: float | None
    low: float | None
    high: float | None
    p: float | None
    corrected: float | None
    verdict: str


class PairedTest(NamedTuple):
    """What `paired_test` found; the fields are those of `Comparison`."""

    difference: float
    deviation: float
    low: float | None
    high: float | None
    p: float


def larger_is_better(measure: str) -> bool:
    """Return whether more of a measure is better, by its name.

    Parameters
    ----------
    measure : str
        ``"seconds"``, or a metric from `glassnet.training.metrics.METRICS` with the rows it is of before it,
        ``"validation_accuracy"``; every name that ends in ``loss`` is a loss.

    Raises
    ------
    UsageError
        If nothing is known by that name: to guess would turn every verdict around.

    Examples
    --------
    >>> [larger_is_better(name) for name in ("validation_accuracy", "train_loss", "validation_mae", "seconds")]
    [True, False, False, False]
    """
    if measure == "seconds" or measure.endswith("loss"):
        return False
    split = next((split for split in SPLITS if measure.startswith(split)), "")
    name = measure.removeprefix(split)
    if name not in METRICS:
        raise unknown_name("measure", measure, ["seconds", *(f"validation_{name}" for name in METRICS)])
    return METRICS[name].larger_is_better


def value_of(row: Row, measure: str) -> float | None:
    """Return a run's number, or None where it does not count: not finished, not measured, NaN or infinite.

    Examples
    --------
    >>> value_of(Row("base", {}, 0, "finished", {"train_loss": 0.25}), "train_loss")
    0.25
    >>> value_of(Row("base", {}, 0, "diverged", {"train_loss": 0.25}), "train_loss") is None
    True
    """
    if row.status != "finished":
        return None
    value = row.seconds if measure == "seconds" else row.measures.get(measure)
    return float(value) if value is not None and math.isfinite(value) else None


def by_variant(rows: Iterable[Row]) -> dict[str, dict[int, Row]]:
    """Return the rows by variant, in the order they are first met, and by seed, in rising order.

    Raises
    ------
    DataError
        If a variant has two rows of one seed.
    """
    found: dict[str, dict[int, Row]] = {}
    for row in rows:
        seeds = found.setdefault(row.variant, {})
        if row.seed in seeds:
            raise DataError(f"rows: {row.variant!r} has two runs with seed {row.seed}; keep one of them")
        seeds[row.seed] = row
    return {variant: dict(sorted(seeds.items())) for variant, seeds in found.items()}


def scale_of(values: Iterable[float]) -> float:
    """Return the power of two next to the largest number without its sign, not above it; 1 for zeros.

    To divide by it and multiply by it loses nothing, and squares of numbers up to 2 do not overflow.

    Examples
    --------
    >>> scale_of([3.0, -5.0]), scale_of([0.0])
    (4.0, 1.0)
    """
    largest = max((abs(value) for value in values), default=0.0)
    return math.ldexp(1.0, math.frexp(largest)[1] - 1) if largest else 1.0


def holm(p: Sequence[float]) -> list[float]:
    """Return p values corrected for their number by Holm's method.

    With the m values in rising order, p_(1) .. p_(m)::

        corrected_(i) = max over j <= i of min(1, (m - j + 1) p_(j))

    If one of m comparisons with nothing behind them is called a difference where its corrected p is at most the
    level, that happens in at most that share of studies, whatever ties the comparisons to each other.

    Parameters
    ----------
    p : sequence of float
        From 0 to 1.

    Returns
    -------
    list of float
        In the order of p.

    References
    ----------
    S. Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6,
    65-70.

    Examples
    --------
    >>> holm([0.03, 0.01, 0.5])
    [0.06, 0.03, 0.5]
    """
    corrected = [0.0] * len(p)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda place: p[place])):
        highest = max(highest, min(1.0, (len(p) - rank) * p[place]))
        corrected[place] = highest
    return corrected


def paired_test(ours: Sequence[float], theirs: Sequence[float], level: float = 0.05) -> PairedTest:
    """Test whether the differences of n pairs have the mean 0, by Student's t.

    With d_i = ours_i - theirs_i, their mean m, and s² = sum of (d_i - m)² / (n - 1)::

        t = m / (s / sqrt(n)),   p = P(|T| >= |t|),   interval = m -+ t_(1 - level/2) s / sqrt(n)

    T has Student's distribution with n - 1 degrees of freedom. What both of a pair share, such as the start of the
    weights, is in neither d nor s.

    Differences that are all the same leave t without a divisor. Then p is that of the sign test, the chance of n
    equal signs: 2 (1/2)^n; and 1 where they are all 0. To call it 0 would be wrong: accuracies on few rows are
    coarse, and in 43 % of 3,000 simulated studies with two seeds, 180 rows and five equal variants beside the
    base, one or more differed from it by the same amount in both seeds.

    Parameters
    ----------
    ours, theirs : sequence of float
        n >= 2 numbers each, in the same order of seeds.
    level : float, default 0.05
        The interval holds the mean in 1 - level of the cases.

    Returns
    -------
    PairedTest

    Raises
    ------
    UsageError
        If the level is outside (0, 1).
    DataError
        If there are fewer than two pairs, or not as many of both.

    References
    ----------
    Student (1908), The probable error of a mean, Biometrika 6, 1-25.

    Examples
    --------
    >>> test = paired_test([0.75, 0.5, 0.625], [0.5, 0.375, 0.5])  # differences 2, 1, 1 of 8: t = 4
    >>> round(test.difference, 4), round(test.p, 4)
    (0.1667, 0.0572)
    """
    check_level(level)
    if len(ours) != len(theirs) or len(ours) < 2:
        raise DataError(f"a paired test needs two pairs or more, got {len(ours)} and {len(theirs)} numbers")
    scale = scale_of([*ours, *theirs])
    differences = np.array(ours) / scale - np.array(theirs) / scale
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    if deviation <= ROUNDINGS * np.finfo(float).eps:
        equal = abs(mean) <= ROUNDINGS * np.finfo(float).eps
        return PairedTest(
            0.0 if equal else mean * scale, 0.0, None, None, 1.0 if equal else 2.0 ** (1 - len(ours))
        )
    reach = _reach(deviation, len(ours), level)
    p = _two_sided(mean / (deviation / math.sqrt(len(ours))), len(ours) - 1)
    return PairedTest(mean * scale, deviation * scale, (mean - reach) * scale, (mean + reach) * scale, p)


def seeds_needed(
    difference: float, deviation: float, level: float = 0.05, power: float = 0.8, most: int = 100
) -> int | None:
    """Return how many pairs show a difference, if it is the true one, in a given share of studies.

    The smallest n at which the paired t test at the level finds it with the probability `power`. Its t is then
    distributed as the noncentral t with n - 1 degrees of freedom and the shift sqrt(n) difference / deviation.
    An observed difference of the best to another is, on average, larger than the true one: take the answer as a
    lower bound.

    Parameters
    ----------
    difference, deviation : float
        Of the pairs' differences: mean and standard deviation, >= 0.
    level : float, default 0.05
        For the hardest of m comparisons by Holm: level / m.
    power : float, default 0.8
    most : int, default 100

    Returns
    -------
    int or None
        None where `most` pairs are too few.

    References
    ----------
    J. Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 2.

    Examples
    --------
    >>> seeds_needed(0.5, 1.0)
    34
    """
    from scipy import special

    check_level(level)
    n = np.arange(2, most + 1)
    if deviation <= 0:  # the sign test, see `paired_test`
        found = (2.0 ** (1 - n) <= level) & (difference != 0)
    else:
        limit = special.stdtrit(n - 1, 1 - level / 2)
        # A larger shift makes no difference to the answer, and SciPy's series ends a little beyond.
        shift = np.sqrt(n) * min(abs(difference) / deviation, LARGEST_SHIFT)
        shift = np.minimum(shift, LARGEST_SHIFT)
        found = 1 - special.nctdtr(n - 1, shift, limit) >= power
    return int(n[found.argmax()]) if found.any() else None


def summarise(rows: Iterable[Row], measure: str, level: float = 0.05) -> list[Summary]:
    """Return each variant's mean over its seeds, spread and interval, and what it costs.

    Parameters
    ----------
    rows : iterable of Row
    measure : str
        As for `larger_is_better`.
    level : float, default 0.05
        The intervals hold the mean in 1 - level of the cases.

    Returns
    -------
    list of Summary
        In the order in which the variants are first met.

    Raises
    ------
    UsageError
        If the level is outside (0, 1), or the measure is unknown or in no finished run.
    DataError
        If a variant has two rows of one seed.

    Examples
    --------
    >>> losses = [1.0, 2.0, 3.0]
    >>> rows = [Row("base", {}, seed, "finished", {"train_loss": loss}) for seed, loss in enumerate(losses)]
    >>> [base] = summarise(rows, "train_loss")
    >>> base.n, base.mean, base.deviation, round(base.high, 2)
    (3, 2.0, 1.0, 4.48)
    """
    check_level(level)
    variants = by_variant(rows)
    check_measure((row for runs in variants.values() for row in runs.values()), measure)
    return [_summary(variant, list(runs.values()), measure, level) for variant, runs in variants.items()]


def compare(rows: Iterable[Row], base: str, measure: str, level: float = 0.05) -> list[Comparison]:
    """Compare every other variant with one of them, over the seeds at which both have a run that counts.

    Parameters
    ----------
    rows : iterable of Row
    base : str
        The variant to compare with.
    measure : str
        As for `larger_is_better`.
    level : float, default 0.05
        At most this share of studies in which no variant differs from the base says that one does.

    Returns
    -------
    list of Comparison
        In the order in which the variants are first met.

    Raises
    ------
    UsageError
        As `summarise`; and if there is no variant of that name.
    DataError
        If a variant has two rows of one seed.

    Notes
    -----
    The intervals are those of single comparisons, the verdicts of all together: an interval can leave out 0 where
    the verdict is "not distinguishable".

    Examples
    --------
    >>> figures = {"base": [0.5, 0.6, 0.7, 0.8], "wider": [0.6, 0.71, 0.8, 0.91]}
    >>> rows = [
    ...     Row(name, {}, seed, "finished", {"validation_accuracy": figure})
    ...     for name, row in figures.items()
    ...     for seed, figure in enumerate(row)
    ... ]
    >>> [wider] = compare(rows, "base", "validation_accuracy")
    >>> round(wider.difference, 3), wider.p < 0.001, wider.verdict
    (0.105, True, 'better')
    """
    check_level(level)
    variants = by_variant(rows)
    if base not in variants:
        raise unknown_name("base", base, variants)
    check_measure((row for runs in variants.values() for row in runs.values()), measure)
    figures = {variant: _figures(runs.values(), measure) for variant, runs in variants.items()}
    seeds = sorted({seed for runs in variants.values() for seed in runs})
    pairs = {
        variant: tuple(seed for seed in seeds if seed in ours and seed in figures[base])
        for variant, ours in figures.items()
        if variant != base
    }
    tests = {
        variant: paired_test([figures[variant][s] for s in both], [figures[base][s] for s in both], level)
        for variant, both in pairs.items()
        if len(both) >= 2
    }
    corrected = dict(zip(tests, holm([test.p for test in tests.values()]), strict=True))
    found = []
    for variant, both in pairs.items():
        missing = tuple(seed for seed in seeds if seed not in both)
        if variant in tests:
            test, p = tests[variant], corrected[variant]
            verdict = _verdict(test.difference, p <= level, larger_is_better(measure))
            found.append(Comparison(variant, base, both, missing, *test, p, verdict))
        else:
            difference = figures[variant][both[0]] - figures[base][both[0]] if both else None
            verdict = ONE_SEED if both else NO_SEED
            found.append(
                Comparison(variant, base, both, missing, difference, None, None, None, None, None, verdict)
            )
    return found


def check_level(level: float) -> None:
    """Refuse a level that is no share of false alarms.

    Raises
    ------
    UsageError
        If it is outside (0, 1).
    """
    if not 0 < level < 1:
        raise UsageError("level", f"the share of false alarms must be above 0 and below 1, got {level}")


def check_measure(rows: Iterable[Row], measure: str) -> None:
    """Refuse a measure that is unknown, or that no finished run has.

    Raises
    ------
    UsageError
        Naming those that are there.
    """
    larger_is_better(measure)
    finished = [row for row in rows if row.status == "finished"]
    if measure == "seconds" or not finished or any(measure in row.measures for row in finished):
        return
    there = sorted({name for row in finished for name in row.measures})
    raise UsageError("measure", f"no run has {measure}; there is {', '.join(there) or 'none'}")


def _figures(rows: Iterable[Row], measure: str) -> dict[int, float]:
    """Return the numbers that count by seed."""
    return {row.seed: value for row in rows if (value := value_of(row, measure)) is not None}


def _summary(variant: str, rows: list[Row], measure: str, level: float) -> Summary:
    values = list(_figures(rows, measure).values())
    counted = [row for row in rows if value_of(row, measure) is not None]
    n = len(values)
    mean = deviation = low = high = None
    if n:
        scale = scale_of(values)
        scaled = np.array(values) / scale
        mean = float(scaled.mean()) * scale
        if n > 1:
            spread = float(scaled.std(ddof=1))
            reach = _reach(spread, n, level) * scale
            deviation, low, high = spread * scale, mean - reach, mean + reach
    costs = [
        float(statistics.median(getattr(row, cost) for row in counted)) if counted else None
        for cost in ("seconds", "parameters", "flops")
    ]
    return Summary(variant, rows[0].levels, n, len(rows) - n, mean, deviation, low, high, *costs)


def _reach(deviation: float, n: int, level: float) -> float:
    """Return half the width of the t-interval of a mean."""
    from scipy import special

    return float(special.stdtrit(n - 1, 1 - level / 2)) * deviation / math.sqrt(n)


def _two_sided(t: float, degrees: int) -> float:
    from scipy import special

    return float(2 * special.stdtr(degrees, -abs(t)))


def _verdict(difference: float, distinguishable: bool, larger_is_better: bool) -> str:
    if not distinguishable:
        return NOT_DISTINGUISHABLE
    return BETTER if (difference > 0) == larger_is_better else WORSE
