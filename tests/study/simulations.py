"""Simulated studies by the thousand: the numbers of their runs, with what is true of them."""

from itertools import combinations

import numpy as np

from glassnet.study.analysis_of_variance import correct_degrees, make_contrasts
from glassnet.study.hypothesis_tests import (
    LOOKS,
    Error,
    compute_p,
    half_interval,
    mean_errors,
    widen_for_choice,
)
from glassnet.study.recommendation import recommend
from glassnet.study.results import Row
from glassnet.study.statistics import WORSE

ACCURACY = "validation_accuracy"

#: What chance does to a run: by name, a draw of numbers with mean 0, of a standard deviation of about 1.
NOISES = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "heavy-tailed": lambda rng, shape: rng.standard_t(2, shape),
    "collapsing": lambda rng, shape: rng.normal(size=shape) - 100 * (rng.random(shape) < 0.1),
}


def above(rate, studies, deviations=3.3):
    """Return a rate and some standard deviations of what a simulation of so many studies finds of it."""
    return rate + deviations * np.sqrt(rate * (1 - rate) / studies)


def draw_runs(rng, studies, seeds, spreads, kind="normal", shared=1.0):
    """Draw numbers of shape (studies, seeds, variants): of these spreads, and with a shift that a seed's share."""
    spreads = np.asarray(spreads, float)
    return NOISES[kind](rng, (studies, seeds, len(spreads))) * spreads + shared * rng.normal(
        size=(studies, seeds, 1)
    )


def draw_rows(rng, studies, seeds, groups, by_seed, by_row, rest):
    """Draw values of shape (studies, seeds, groups, 1) from seeds and groups of the same rows.

    The standard deviations are those of their mean over the groups.
    """
    shape = (studies, seeds, groups, 1)
    return (
        by_seed * rng.normal(size=(studies, seeds, 1, 1))
        + by_row * np.sqrt(groups) * rng.normal(size=(studies, 1, groups, 1))
        + rest * np.sqrt(groups) * rng.normal(size=shape)
    )


def draw_splits(rng, studies, seeds, rows, validation, gain, by_seed):
    """Draw the differences of two networks, of shape (studies, seeds, 1, 1), each seed on other validation rows.

    Each study has its own rows, of which a share is set aside anew for every seed. On a row the difference is
    -1, 0 or 1, with the mean `gain` over all rows that there are; a seed shifts it.
    """
    found = np.empty((studies, seeds, 1, 1))
    for study in range(studies):
        pool = rng.choice([-1.0, 0.0, 1.0], rows, p=[0.1 - gain / 2, 0.8, 0.1 + gain / 2])
        for seed in range(seeds):
            chosen = rng.choice(rows, validation, replace=False)
            found[study, seed] = pool[chosen].mean() + by_seed * rng.normal()
    return found


def draw_cells(rng, studies, seeds, shape, kind):
    """Draw factorials of shape (studies, seeds, 1, *shape) in which nothing differs but the spread."""
    cells = np.full(shape, 0.005)
    if kind == "one cell":
        cells.flat[-1] = 0.1
    if kind in ("one level", "half constant"):
        cells[:] = {"one level": 0.003, "half constant": 0.01}[kind]
        cells[-1] = {"one level": 0.05, "half constant": 0.0}[kind]
    noise = cells * NOISES.get(kind, NOISES["normal"])(rng, (studies, seeds, *shape))
    if kind.endswith("meets the seed"):
        first = 0.02 * rng.normal(size=(studies, seeds, shape[0], *[1] * (len(shape) - 1)))
        noise += (
            first
            if kind.startswith("a factor")
            else first * (np.arange(shape[0]) == 1).reshape(-1, *[1] * (len(shape) - 1))
        )
    shift = 0.01 * rng.normal(size=(studies, seeds, *[1] * len(shape)))
    return (0.8 + shift + noise)[:, :, None]


def rows_of(table, seconds=None, groups=None, constant=None, **more):
    """Return the rows of one study, of numbers by seed and variant; NaN is a run that diverged."""
    return [
        Row(
            f"v{variant}",
            {"variant": str(variant)},
            seed,
            "finished" if np.isfinite(value) else "diverged",
            {ACCURACY: float(value)} if np.isfinite(value) else {},
            seconds=1.0 if seconds is None else seconds[variant],
            groups={} if groups is None else {ACCURACY: groups[seed, variant].tolist()},
            constant={} if constant is None else {ACCURACY: constant},
            **more,
        )
        for seed, line in enumerate(table)
        for variant, value in enumerate(line)
    ]


def false_alarms(values, level, overlap=0.0):
    """Return the share of studies, values of shape (studies, S, G, q), whose mean is called different from 0."""
    means = values.mean(axis=(1, 2))
    return float(np.mean(compute_p((means**2).mean(axis=1), mean_errors(values, overlap)) <= level))


def coverage(values, truth, level=0.05, overlap=0.0):
    """Return the share of studies whose interval holds the true mean."""
    half = half_interval(mean_errors(values, overlap), level)
    return float(np.mean(np.abs(values.mean(axis=(1, 2, 3)) - truth) <= half))


def family_alarms(runs, level):
    """Return the share of studies, of shape (studies, S, k), where Holm calls any variant other than the first."""
    differences = runs[:, :, None, 1:] - runs[:, :, None, :1]
    p = np.array(
        [
            compute_p(differences[..., k].mean(axis=(1, 2)) ** 2, mean_errors(differences[..., k : k + 1]))
            for k in range(differences.shape[-1])
        ]
    )
    return float(np.mean(p.min(axis=0) * len(p) <= level))


def effect_alarms(y, shape, level):
    """Return the shares of studies with a main effect, and an interaction; y is as `draw_cells` draws it."""
    studies, seeds = y.shape[:2]
    flat, p = y.reshape(studies, seeds, -1), {1: [], 2: []}
    for chosen in (c for size in range(1, len(shape) + 1) for c in combinations(range(len(shape)), size)):
        values = (flat @ make_contrasts(shape, chosen))[:, :, None]
        means, q = values.mean(axis=(1, 2)), values.shape[-1]
        epsilon = np.array([correct_degrees(one[:, 0]) for one in values])
        p[min(len(chosen), 2)].append(compute_p((means**2).mean(axis=1), mean_errors(values), epsilon * q))
    return tuple(float(np.mean(np.min(p[size], axis=0) * len(p[size]) <= level)) for size in (1, 2))


def reach_of_best(runs, best, level=0.05):
    """Return how far the intervals of the best variants reach down and up; runs of shape (studies, S, k)."""
    studies, seeds, variants = runs.shape
    variance = runs.var(axis=1, ddof=1) / seeds
    errors = (Error(variance[np.arange(studies), best], seeds - 1),)
    own = half_interval(errors, level)
    pooled = Error(variance.mean(axis=1), variants * (seeds - 1))
    return tuple(widen_for_choice(own, errors, pooled, choices, level) for choices in (variants, 1))


def follow_advice(rng, kind, variants, seeds):
    """Follow the advice of a study of equals four times; return whether one is called worse."""
    everything = 0.8 + 0.006 * draw_runs(rng, 1, 100, [1] * variants, kind, shared=2)[0]
    for _ in range(LOOKS):
        found = recommend(rows_of(everything[:seeds]), ACCURACY, {})
        if any(one.verdict == WORSE for one in found.comparisons):
            return True
        advised = [one.details["seeds"] for one in found.next if one.kind == "seeds"]
        if not advised or advised[0] is None:
            return False
        seeds = advised[0]
    return False


def lose(rng, kind, variants, seeds, constant):
    """Return what the recommended variant of one study loses to the truly best, and what the best mean loses."""
    means, rate = 0.9 + 0.01 * rng.normal(size=variants), np.zeros(variants)
    spreads = 0.006 * (rng.uniform(0.1, 5, variants) if kind == "unequal" else np.ones(variants))
    draw = NOISES["heavy-tailed" if kind == "heavy-tailed" else "normal"]
    runs, fall = means + spreads * draw(rng, (seeds, variants)), 0.1 if kind == "stuck" else 0.8
    if kind in ("collapsing", "some collapse", "stuck"):
        rate = np.full(variants, 0.1) if kind == "collapsing" else 0.15 * (rng.random(variants) < 0.5)
        runs = runs - fall * (rng.random((seeds, variants)) < rate)
    truth = means - fall * rate
    chosen = int(recommend(rows_of(runs, constant=constant), ACCURACY, {}).variant[1:])
    return truth.max() - truth[chosen], truth.max() - truth[runs.mean(axis=0).argmax()]
