"""Whether the order of two levels of a factor depends on the other factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from glassnet.study.hypothesis_tests import compute_one_sided_p
from glassnet.study.samples import Sample, larger_is_better


@dataclass(frozen=True)
class Crossing:
    """Two levels of a factor of which each is better than the other somewhere, and the p value of that."""

    factor: str
    levels: tuple[str, str]
    p: float


def find_crossing(factors: Mapping[str, Sequence[str]], sample: Sample, measure: str) -> Crossing:
    """Return the two levels whose order depends most surely on the other factors.

    The sample has the cells of the full factorial, the last factor changing fastest.

    p is the larger one of both orders, by one-sided tests, the least over all places in the other factors. It is
    multiplied by the number of these places, and by that of all pairs of levels.
    """
    shape, sign = [len(levels) for levels in factors.values()], 1.0 if larger_is_better(measure) else -1.0
    cells = np.arange(int(np.prod(shape))).reshape(shape)
    pairs = [(axis, a, b) for axis, n in enumerate(shape) for a, b in combinations(range(n), 2)]
    found = []
    for axis, a, b in pairs:
        first, second = (np.take(cells, level, axis).ravel() for level in (a, b))
        ahead = [compute_lag_p(sample, i, j, sign) for i, j in zip(first, second, strict=True)]
        behind = [compute_lag_p(sample, j, i, sign) for i, j in zip(first, second, strict=True)]
        p = min(1.0, max(min(ahead), min(behind)) * len(first) * len(pairs))
        name, levels = list(factors.items())[axis]
        found.append(Crossing(name, (levels[a], levels[b]), p))
    return min(found, key=lambda one: one.p)


def compute_lag_p(sample: Sample, one: int, other: int, sign: float, margin: float = 0.0) -> float:
    """Return the p value of a cell being behind another one by the margin or more; 1 where nothing tells it."""
    weights = np.zeros((sample.values.shape[2], 1))
    weights[one], weights[other] = sign, -sign
    difference = sample.contrast(weights)
    if not difference.has_spread:
        return 1.0
    return float(compute_one_sided_p(float(difference.mean[0]), difference.errors, -margin / sample.scale))
