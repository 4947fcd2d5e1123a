"""What runs with several seeds say about variants: means with intervals, and paired differences to one of them."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from glassnet.errors import DataError, UsageError, unknown_name
from glassnet.study.hypothesis_tests import check_level, half_interval, holm, paired_test, scale_of
from glassnet.study.results import Row
from glassnet.training.metrics import METRICS

#: What a comparison can say; the catalogues have words for each.
BETTER = "better"
WORSE = "worse"
NOT_DISTINGUISHABLE = "not-distinguishable"
ONE_SEED = "one-seed"
NO_SEED = "no-shared-seed"


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
        Mean of the measure; None if n is 0.
    std : float or None
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
    std: float | None
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
    std : float or None
        Standard deviation of the differences, divisor n - 1; None with fewer than two pairs.
    low, high : float or None
        t-interval of the difference, of this comparison by itself; None with fewer than two pairs, or without
        spread.
    p : float or None
        See `glassnet.study.hypothesis_tests.paired_test`; None with fewer than two pairs.
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
    std: float | None
    low: float | None
    high: float | None
    p: float | None
    corrected: float | None
    verdict: str


def larger_is_better(measure: str) -> bool:
    """Return whether more of a measure is better, by its name.

    A measure is ``"seconds"``, or a metric from `glassnet.training.metrics.METRICS` with the rows it is of before
    it, ``"validation_accuracy"``. Every name that ends in ``loss`` is a loss. An unknown name is a `UsageError`:
    to guess would turn every verdict around.
    """
    if measure == "seconds" or measure.endswith("loss"):
        return False
    name = re.sub("^(train|validation|test)_", "", measure)
    if name not in METRICS:
        raise unknown_name("measure", measure, ["seconds", *(f"validation_{name}" for name in METRICS)])
    return METRICS[name].larger_is_better


def value_of(row: Row, measure: str) -> float | None:
    """Return a run's number, or None where it does not count: not finished, not measured, NaN or infinite."""
    if row.status != "finished":
        return None
    value = row.seconds if measure == "seconds" else row.measures.get(measure)
    return float(value) if value is not None and math.isfinite(value) else None


def by_variant(rows: Iterable[Row]) -> dict[str, dict[int, Row]]:
    """Return the rows by variant, in the order they are first met, and by seed, in rising order.

    If a variant has two rows of one seed, that is a `DataError`.
    """
    found: dict[str, dict[int, Row]] = {}
    for row in rows:
        seeds = found.setdefault(row.variant, {})
        if row.seed in seeds:
            raise DataError(f"rows: {row.variant!r} has two runs with seed {row.seed}; keep one of them")
        seeds[row.seed] = row
    return {variant: dict(sorted(seeds.items())) for variant, seeds in found.items()}


def summarise(rows: Iterable[Row], measure: str, level: float = 0.05) -> list[Summary]:
    """Compute each variant's mean over its seeds, its standard deviation and interval, and its cost.

    Of the n runs of a variant that count, with the values x_i and their mean m::

        std = sqrt(sum of (x_i - m)² / (n - 1)),   interval = m -+ t_(1 - level/2) std / sqrt(n)

    t has Student's distribution with n - 1 degrees of freedom. A run counts if it finished with a finite number.

    Parameters
    ----------
    rows : iterable of Row
        From `glassnet.run_study`.
    measure : str
        ``"validation_accuracy"``, ``"train_loss"``, ``"seconds"``, ...; see `larger_is_better`.
    level : float, default 0.05
        The intervals hold the true mean in a share of 1 - level of all studies.

    Returns
    -------
    list of Summary
        A summary for each variant, in the order in which the variants are first met.

    Raises
    ------
    UsageError
        If the level is outside (0, 1), or the measure is unknown or in no finished run.
    DataError
        If a variant has two rows of one seed.

    References
    ----------
    Student (1908), The probable error of a mean, Biometrika 6, 1-25.

    Examples
    --------
    >>> losses = [1.0, 2.0, 3.0]
    >>> rows = [Row("base", {}, seed, "finished", {"train_loss": loss}) for seed, loss in enumerate(losses)]
    >>> [base] = summarise(rows, "train_loss")
    >>> base.n, base.mean, base.std, round(base.high, 2)
    (3, 2.0, 1.0, 4.48)
    """
    check_level(level)
    rows = list(rows)
    variants = by_variant(rows)
    check_measure(rows, measure)
    return [_summarise_variant(variant, runs, measure, level) for variant, runs in variants.items()]


def compare(rows: Iterable[Row], base: str, measure: str, level: float = 0.05) -> list[Comparison]:
    """Compare every other variant with one of them, seed by seed.

    The pairs are the seeds at which both variants have a run that counts. Student's paired t test gives each
    variant a p value (`glassnet.study.hypothesis_tests.paired_test`). Holm's method corrects these values for
    their number (`glassnet.study.hypothesis_tests.holm`). A variant is better or worse if its corrected p is at
    most the level.

    Parameters
    ----------
    rows : iterable of Row
        From `glassnet.run_study`.
    base : str
        The variant to compare with, usually ``"base"``.
    measure : str
        ``"validation_accuracy"``, ``"train_loss"``, ``"seconds"``, ...; see `larger_is_better`.
    level : float, default 0.05
        If no variant differs from the base, at most this share of studies says that one does.

    Returns
    -------
    list of Comparison
        A comparison for each other variant, in the order in which the variants are first met.

    Raises
    ------
    UsageError
        As `summarise`; and if there is no variant of that name.
    DataError
        If a variant has two rows of one seed.

    Notes
    -----
    The intervals belong to single comparisons, the verdicts to all of them together. So an interval can exclude 0
    although the verdict is `NOT_DISTINGUISHABLE`.

    References
    ----------
    Student (1908), The probable error of a mean, Biometrika 6, 1-25. S. Holm (1979), A simple sequentially
    rejective multiple test procedure, Scandinavian Journal of Statistics 6, 65-70.

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
    rows = list(rows)
    variants = by_variant(rows)
    if base not in variants:
        raise unknown_name("base", base, variants)
    check_measure(rows, measure)
    figures = {variant: _values_by_seed(runs, measure) for variant, runs in variants.items()}
    seeds = sorted({row.seed for row in rows})
    pairs = {
        variant: tuple(seed for seed in ours if seed in figures[base])
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
            verdict = _decide(test.difference, p <= level, larger_is_better(measure))
            found.append(Comparison(variant, base, both, missing, *test, p, verdict))
        else:
            difference = figures[variant][both[0]] - figures[base][both[0]] if both else None
            verdict = ONE_SEED if both else NO_SEED
            found.append(
                Comparison(variant, base, both, missing, difference, None, None, None, None, None, verdict)
            )
    return found


def check_measure(rows: Iterable[Row], measure: str) -> None:
    """Refuse a measure that is unknown, or that no finished run has."""
    larger_is_better(measure)
    finished = [row for row in rows if row.status == "finished"]
    if measure == "seconds" or not finished or any(measure in row.measures for row in finished):
        return
    there = sorted({name for row in finished for name in row.measures})
    raise UsageError("measure", f"no run has {measure}; there is {', '.join(there) or 'none'}")


def _values_by_seed(runs: Mapping[int, Row], measure: str) -> dict[int, float]:
    """Return the numbers that count."""
    return {seed: value for seed, row in runs.items() if (value := value_of(row, measure)) is not None}


def _summarise_variant(variant: str, runs: Mapping[int, Row], measure: str, level: float) -> Summary:
    counted = _values_by_seed(runs, measure)
    values, n = list(counted.values()), len(counted)
    mean = std = low = high = None
    if n:
        scale = scale_of(values)
        scaled = np.array(values) / scale
        mean = float(scaled.mean()) * scale
        if n > 1:
            scaled_std = float(scaled.std(ddof=1)) if min(values) < max(values) else 0.0  # no rounding in it
            half = half_interval(scaled_std, n, level) * scale
            std, low, high = scaled_std * scale, mean - half, mean + half
    costs = [
        float(statistics.median(getattr(runs[seed], cost) for seed in counted)) if counted else None
        for cost in ("seconds", "parameters", "flops")
    ]
    levels = next(iter(runs.values())).levels
    return Summary(variant, levels, n, len(runs) - n, mean, std, low, high, *costs)


def _decide(difference: float, distinguishable: bool, larger_is_better: bool) -> str:
    if not distinguishable:
        return NOT_DISTINGUISHABLE
    return BETTER if (difference > 0) == larger_is_better else WORSE
