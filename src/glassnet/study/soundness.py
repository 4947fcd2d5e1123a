"""Which variants must not be recommended, as one of their runs is sick, or collapsed, far off from the others."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from glassnet.locales.catalogue import Message
from glassnet.study.results import Row
from glassnet.study.samples import larger_is_better
from glassnet.study.statistics import Summary

#: A run is far off if it lost so much of the way from the constant answer to the best run of its variant, and is
#: so many robust standard deviations behind that one.
LOST, FAR = 0.25, 10.0

#: The median of a normal distribution's distances from its median, in standard deviations, has this inverse.
ROBUST = 1.4826


def find_unsound(
    runs: Mapping[str, Mapping[int, Row]], summaries: Sequence[Summary], measure: str, margin: float
) -> dict[str, Message]:
    """Return the variants with a sick or far-off run, and why each."""
    sign = 1.0 if larger_is_better(measure) else -1.0
    deviation = _pool_deviation(summaries)
    found = {}
    for one in summaries:
        off = _find_far_off(one, runs[one.variant], measure, sign, deviation, margin)
        sick = [seed for seed in one.values if runs[one.variant][seed].sick and seed not in off]
        items = [Message("unsound_sick", n=len(sick), seeds=sick)] if sick else []
        median = statistics.median(one.values.values())
        items += [Message("unsound_far", seed=seed, value=value, median=median) for seed, value in off.items()]
        if items:
            found[one.variant] = Message("listing", items=items)
    return found


def _pool_deviation(summaries: Sequence[Summary]) -> float:
    """Return the robust standard deviation of runs around the medians of their variants.

    Of an odd number of runs one is the median itself, and says nothing of the spread.
    """
    distances: list[float] = []
    for one in summaries:
        middle = statistics.median(one.values.values())
        distances += sorted(abs(value - middle) for value in one.values.values())[len(one.values) % 2 :]
    return ROBUST * statistics.median(distances) if distances else 0.0


def _find_far_off(
    summary: Summary, runs: Mapping[int, Row], measure: str, sign: float, deviation: float, margin: float
) -> dict[int, float]:
    """Return the runs that are much worse than the best one of their variant, by seed.

    Where the constant answer is not known, the way begins at 0.
    """
    best, found = sign * max(sign * value for value in summary.values.values()), {}
    for seed, value in summary.values.items():
        way = abs(best - runs[seed].constant.get(measure, 0.0))
        if sign * (best - value) > max(FAR * deviation, LOST * way, margin):
            found[seed] = value
    return found
