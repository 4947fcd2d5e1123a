"""Simulated studies by the thousand: the numbers of their runs, with what is true of them."""

from itertools import product

import numpy as np

from glassnet.study.hypothesis_tests import compute_p, half_interval, mean_errors
from glassnet.study.results import Row

ACCURACY = "validation_accuracy"

#: What chance does to a run: by name, a draw of numbers with mean 0, of a standard deviation of about 1.
NOISES = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "heavy-tailed": lambda rng, shape: rng.standard_t(2, shape),
    "collapsing": lambda rng, shape: rng.normal(size=shape) - 100 * (rng.random(shape) < 0.1),
}


def above(rate, studies):
    """Return a rate and twice the standard deviation of what a simulation of so many studies finds of it."""
    return rate + 2 * np.sqrt(rate * (1 - rate) / studies)


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


def rows_of(table, seconds=None, **more):
    """Return the rows of one study, of numbers by seed and variant; NaN is a run that diverged."""
    return [
        Row(
            f"v{variant}",
            {"variant": str(variant)},
            seed,
            "finished" if np.isfinite(value) else "diverged",
            {ACCURACY: float(value)} if np.isfinite(value) else {},
            seconds=1.0 if seconds is None else seconds[variant],
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


def cells_of(shape):
    """Return the indices of all cells of a factorial."""
    return list(product(*map(range, shape)))
