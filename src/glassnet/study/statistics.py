"""What runs with several seeds say about variants: means with intervals, and paired differences to one of them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from glassnet.errors import DataError, UsageError, unknown_name
from glassnet.study.hypothesis_tests import (
    FEWEST_SEEDS,
    LOOKS,
    check_level,
    holm,
)
from glassnet.study.results import FINISHED, Row
from glassnet.study.samples import (
    NOTHING,
    Sample,
    bounds_of,
    choose_margin,
    interval_of,
    larger_is_better,
    p_of,
    rows_std_of,
    std_of,
    take_sample,
    value_of,
)

#: What a comparison can say; the catalogues have words for each.
BETTER = "better"
WORSE = "worse"
EQUIVALENT = "equivalent"
UNPROVEN = "unproven"
INCOMPLETE = "incomplete"
ONE_SEED = "one-seed"
NO_SEED = "no-shared-seed"

#: How sure a difference is; the catalogues have words for each.
STRONG, WEAK, NONE = "strong", "weak", "none"

#: What a comparison weighs its two variants by.
DIFFERENCE = np.array([[1.0], [-1.0]])


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
    sick : int
        Runs that count, and left a network that is sick.
    values : dict of int to float
        The numbers by seed.
    mean : float or None
        Mean of the measure; None if n is 0.
    std : float or None
        Standard deviation over the seeds with the divisor n - 1; None where n is below 2.
    low, high : float or None
        Interval of the mean, within the bounds of the measure; None where nothing tells it.
    covers : str
        What the interval covers, see `glassnet.study.samples`.
    seconds, parameters, flops : float or None
        Medians over the runs that count; None where n is 0.
    """

    variant: str
    levels: dict[str, str]
    n: int
    failures: int
    sick: int
    values: dict[int, float]
    mean: float | None
    std: float | None
    low: float | None
    high: float | None
    covers: str
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
        The study's other seeds, at which one of the two failed or is not there.
    values : tuple of float
        The difference of each pair.
    difference : float or None
        Mean of variant - base over the pairs; None without a pair.
    std : float or None
        Standard deviation of the differences, divisor n - 1; None with fewer than two pairs.
    rows_std : float
        The part of the mean's standard error that comes from the validation rows, and stays however many seeds
        are run; 0 where it is not known.
    low, high : float or None
        Interval of the difference, of this comparison by itself; None where nothing tells it.
    covers : str
        What the interval and p cover, see `glassnet.study.samples`.
    p : float or None
        Of a difference of 0; None with fewer than two pairs.
    corrected : float or None
        p by Holm over all comparisons with a p.
    margin : float
        The smallest difference that matters, in units of the measure.
    verdict : str
        `BETTER` or `WORSE` with strong evidence of a difference; `EQUIVALENT` with strong evidence that it is
        within the margin; else `UNPROVEN`. `INCOMPLETE` in place of the first two if the better of the two has no
        run that counts at some seed. `ONE_SEED` or `NO_SEED` with fewer than two pairs.
    evidence : str
        That there is a difference. `STRONG`: `corrected` is at most level / `LOOKS`, so that it holds when more
        seeds are run and looked at again. `WEAK`: it is at most the level. Else, or with fewer than three pairs,
        `NONE`.
    """

    variant: str
    base: str
    seeds: tuple[int, ...]
    missing: tuple[int, ...]
    values: tuple[float, ...]
    difference: float | None
    std: float | None
    rows_std: float
    low: float | None
    high: float | None
    covers: str
    p: float | None
    corrected: float | None
    margin: float
    verdict: str
    evidence: str


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


def check_measure(rows: Iterable[Row], measure: str) -> None:
    """Refuse a measure that is unknown, or that no finished run has."""
    larger_is_better(measure)
    finished = [row for row in rows if row.status == FINISHED]
    if measure == "seconds" or not finished or any(measure in row.measures for row in finished):
        return
    there = sorted({name for row in finished for name in row.measures})
    raise UsageError("measure", f"no run has {measure}; there is {', '.join(there) or 'none'}")


def counted(runs: Mapping[int, Row], measure: str) -> dict[int, float]:
    """Return the numbers that count, by seed."""
    return {seed: value for seed, row in runs.items() if (value := value_of(row, measure)) is not None}


def summarise(rows: Iterable[Row], measure: str, level: float = 0.05) -> list[Summary]:
    """Compute each variant's mean over its seeds, its standard deviation and interval, and its cost.

    The interval is the mean -+ t sqrt(V), as wide as the largest of the errors V of
    `glassnet.study.hypothesis_tests.mean_errors`: where the rows of the runs tell it, it covers other seeds and
    other validation rows. Rows that know nothing of their validation rows, such as rows made by hand, give
    Student's interval, mean -+ t_(1 - level/2) std / sqrt(n), which covers other seeds only. A run counts if it
    finished with a finite number.

    Parameters
    ----------
    rows : iterable of Row
        From `glassnet.run_study`.
    measure : str
        ``"validation_accuracy"``, ``"train_loss"``, ``"seconds"``, ...; see
        `glassnet.study.samples.larger_is_better`.
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


def compare(
    rows: Iterable[Row], base: str, measure: str, level: float = 0.05, margin: float | None = None
) -> list[Comparison]:
    """Compare every other variant with one of them, seed by seed.

    The pairs are the seeds at which both variants have a run that counts. A paired t test gives each variant a p
    value, by the largest of the errors that `glassnet.study.hypothesis_tests.mean_errors` finds: of the seeds, and
    where they are known, of the validation rows. Holm's method corrects these values for their number
    (`glassnet.study.hypothesis_tests.holm`). A difference is proven if its corrected p is at most level / 5: so it
    stays proven in 1 - level of all studies when seeds are added and the rows are looked at again, four times.

    Parameters
    ----------
    rows : iterable of Row
        From `glassnet.run_study`.
    base : str
        The variant to compare with, usually ``"base"``.
    measure : str
        ``"validation_accuracy"``, ``"train_loss"``, ``"seconds"``, ...; see
        `glassnet.study.samples.larger_is_better`.
    level : float, default 0.05
        If no variant differs from the base, at most this share of studies says that one does.
    margin : float, optional
        The smallest difference that matters, in units of the measure. By default 0.005 of measures that end at 1,
        and 1 % of the best mean of the others.

    Returns
    -------
    list of Comparison
        A comparison for each other variant, in the order in which the variants are first met.

    Raises
    ------
    UsageError
        As `summarise`; and if there is no variant of that name, or the margin is not above 0.
    DataError
        If a variant has two rows of one seed.

    Notes
    -----
    The intervals belong to single comparisons, the verdicts to all of them together. So an interval can exclude 0
    although the verdict is `UNPROVEN`.

    References
    ----------
    Student (1908), The probable error of a mean, Biometrika 6, 1-25. S. Holm (1979), A simple sequentially
    rejective multiple test procedure, Scandinavian Journal of Statistics 6, 65-70. D. J. Schuirmann (1987), A
    comparison of the two one-sided tests procedure and the power approach for assessing the equivalence of average
    bioavailability, Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680.

    Examples
    --------
    >>> figures = {"base": [0.5, 0.6, 0.7, 0.8], "wider": [0.6, 0.71, 0.8, 0.91]}
    >>> rows = [
    ...     Row(name, {}, seed, "finished", {"validation_accuracy": figure})
    ...     for name, row in figures.items()
    ...     for seed, figure in enumerate(row)
    ... ]
    >>> [wider] = compare(rows, "base", "validation_accuracy")
    >>> round(wider.difference, 3), wider.p < 0.001, wider.verdict, wider.evidence
    (0.105, True, 'better', 'strong')
    """
    check_level(level)
    rows = list(rows)
    variants = by_variant(rows)
    if base not in variants:
        raise unknown_name("base", base, variants)
    check_measure(rows, measure)
    seeds = {row.seed for row in rows}
    numbers = {variant: counted(runs, measure) for variant, runs in variants.items()}
    margin = choose_margin(measure, (statistics.fmean(one.values()) for one in numbers.values() if one), margin)
    found = []
    for variant, runs in variants.items():
        both = [seed for seed in numbers[variant] if seed in numbers[base]]
        if variant != base:
            pairs = {seed: (runs[seed], variants[base][seed]) for seed in both}
            found.append(_compare_pairs(variant, base, pairs, seeds, measure, level, margin))
    corrected = iter(holm([one.p for one in found if one.p is not None]))
    found = [one if one.p is None else replace(one, corrected=next(corrected)) for one in found]
    return [
        _judge(one, numbers, seeds, larger_is_better(measure), level) if len(one.seeds) > 1 else one
        for one in found
    ]


def _compare_pairs(
    variant: str,
    base: str,
    pairs: Mapping[int, tuple[Row, Row]],
    seeds: set[int],
    measure: str,
    level: float,
    margin: float,
) -> Comparison:
    """Return the difference of pairs of runs by seed, without what all comparisons together say."""
    blank = Comparison(
        variant=variant,
        base=base,
        seeds=tuple(pairs),
        missing=tuple(sorted(seeds - set(pairs))),
        values=(),
        difference=None,
        std=None,
        rows_std=0.0,
        low=None,
        high=None,
        covers=NOTHING,
        p=None,
        corrected=None,
        margin=margin,
        verdict=ONE_SEED if pairs else NO_SEED,
        evidence=NONE,
    )
    if not pairs:
        return blank
    sample = take_sample(list(pairs.values()), measure).contrast(DIFFERENCE)
    low, high = bounds_of(measure)
    interval = interval_of(sample, measure, level, (low - high, high - low))
    found = replace(
        blank,
        values=tuple(sample.by_seed[:, 0].tolist()),
        difference=float(sample.mean[0]) * sample.scale,
        low=interval[0],
        high=interval[1],
        covers=NOTHING if interval[0] is None else sample.covers,
    )
    if len(pairs) < 2:
        return found
    verdict = EQUIVALENT if _is_within(sample, measure, level, margin) else UNPROVEN
    return replace(found, std=std_of(sample), rows_std=rows_std_of(sample), p=p_of(sample), verdict=verdict)


def _is_within(sample: Sample, measure: str, level: float, margin: float) -> bool:
    """Whether two one-sided tests show that a mean is above -margin and below margin."""
    half = sample.half(2 * level / LOOKS, measure)
    if half is None or len(sample.values) < FEWEST_SEEDS:
        return False
    return abs(float(sample.mean[0])) * sample.scale + half < margin


def _judge(
    one: Comparison, variants: Mapping[str, Mapping[int, float]], seeds: set[int], larger: bool, level: float
) -> Comparison:
    """Return a comparison with its evidence and verdict; `variants` have the numbers that count, by seed."""
    if one.corrected is None or one.difference is None:
        return one
    evidence, verdict = grade(one.corrected, len(one.seeds), level), one.verdict
    if evidence == STRONG and verdict != EQUIVALENT:
        verdict = BETTER if (one.difference > 0) == larger else WORSE
        if len(variants[one.variant if verdict == BETTER else one.base]) < len(seeds):
            verdict = INCOMPLETE
    return replace(one, evidence=evidence, verdict=verdict)


def grade(corrected: float, seeds: int, level: float) -> str:
    """Return how sure a difference is, by its corrected p: strong, weak or none."""
    if corrected > level or seeds < FEWEST_SEEDS:
        return NONE
    return STRONG if corrected <= level / LOOKS else WEAK


def _summarise_variant(variant: str, runs: Mapping[int, Row], measure: str, level: float) -> Summary:
    values = counted(runs, measure)
    mean = std = low = high = None
    covers = NOTHING
    if values:
        sample = take_sample([[runs[seed]] for seed in values], measure)
        mean = float(sample.mean[0]) * sample.scale
        std = std_of(sample) if len(values) > 1 else None
        low, high = interval_of(sample, measure, level, bounds_of(measure, values.values()))
        covers = NOTHING if low is None else sample.covers
    costs = [
        float(statistics.median(getattr(runs[seed], cost) for seed in values)) if values else None
        for cost in ("seconds", "parameters", "flops")
    ]
    return Summary(
        variant=variant,
        levels=next(iter(runs.values())).levels,
        n=len(values),
        failures=len(runs) - len(values),
        sick=sum(runs[seed].sick for seed in values),
        values=values,
        mean=mean,
        std=std,
        low=low,
        high=high,
        covers=covers,
        seconds=costs[0],
        parameters=costs[1],
        flops=costs[2],
    )
