"""How good the best of several variants is, and what it gains: intervals that allow for its having been chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from glassnet.nn.activations import Array
from glassnet.study.hypothesis_tests import Error, widen_for_choice
from glassnet.study.results import Row
from glassnet.study.samples import NOTHING, Sample, bounds_of, larger_is_better, take_sample

Interval = tuple[float, float] | tuple[None, None]


@dataclass(frozen=True)
class Gain:
    """How much better the recommended variant is than another one, in units of the measure.

    Attributes
    ----------
    base : str
        The other one: the base of the study, or where that is recommended, the next best.
    difference : float
        Mean of the recommended one - base.
    low, high : float or None
        Its interval, which allows for the choice of the best of many; None where nothing tells it.
    covers : str
        What the interval covers, see `glassnet.study.samples`.
    """

    base: str
    difference: float
    low: float | None
    high: float | None
    covers: str


def interval_of_best(
    runs: Mapping[str, Mapping[int, Row]], best: str, measure: str, level: float
) -> tuple[Interval, str]:
    """Return the interval of the best variant's mean, within the measure's bounds, and what it covers.

    `runs` are those of all variants that it was chosen from, by seed.
    """
    sample, sign = _take_together(runs, measure)
    found = _reach(sample, sign * np.eye(len(runs)), list(runs).index(best), measure, level)
    if found is None:
        return (None, None), NOTHING
    ends = sorted(sign * end for end in found)
    bounds = bounds_of(measure, (sample.by_seed.ravel()).tolist())
    return (max(ends[0], bounds[0]), min(ends[1], bounds[1])), sample.covers


def measure_gain(runs: Mapping[str, Mapping[int, Row]], best: str, base: str, measure: str, level: float) -> Gain:
    """Return how much better the best variant is than another one; `runs` as for `interval_of_best`."""
    sample, sign = _take_together(runs, measure)
    names, others = list(runs), [variant for variant in runs if variant != base]
    weights = np.zeros((len(names), len(others)))
    weights[names.index(base)] = -sign
    weights[[names.index(variant) for variant in others], range(len(others))] = sign
    chosen = others.index(best)
    difference = float((sample.mean @ weights)[chosen]) * sample.scale
    found = _reach(sample, weights, chosen, measure, level)
    if found is None:
        return Gain(base, difference, None, None, NOTHING)
    low, high = bounds_of(measure)
    return Gain(base, difference, max(found[0], low - high), min(found[1], high - low), sample.covers)


def _take_together(runs: Mapping[str, Mapping[int, Row]], measure: str) -> tuple[Sample, float]:
    """Return the numbers of all variants, which have the same seeds, and 1 where more is better, else -1."""
    seeds = next(iter(runs.values()))
    sample = take_sample([[some[seed] for some in runs.values()] for seed in seeds], measure)
    return sample, 1.0 if larger_is_better(measure) else -1.0


def _reach(sample: Sample, weights: Array, chosen: int, measure: str, level: float) -> tuple[float, float] | None:
    """Return the interval of the largest of several contrasts; None where nothing tells it."""
    all_of_them = [sample.contrast(column[:, None]) for column in weights.T]
    one = all_of_them[chosen]
    own = one.half(level, measure)
    if own is None:
        return None
    mean, errors = float(one.mean[0]) * sample.scale, one.errors
    if errors:
        variances = [np.max([error.variance for error in each.errors], axis=0) for each in all_of_them]
        pooled = Error(float(np.mean(variances)), len(variances) * errors[0].degrees)
        below, above = (
            float(widen_for_choice(own / sample.scale, errors, pooled, choices, level)) * sample.scale
            for choices in (len(variances), 1)
        )
        return mean - below, mean + above
    return mean - own, mean + own
