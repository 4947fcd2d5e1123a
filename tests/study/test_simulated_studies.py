"""Simulated studies by the thousand: what is concluded is true, and wrong as seldom as it says.

Each of some hundred simulations may be 3.3 of its standard deviations off, as one in 2,000 is. The mean over the
numbers of seeds may be two.
"""

from collections import Counter

import numpy as np
import pytest
from tests.study.simulations import (
    ACCURACY,
    NOISES,
    above,
    coverage,
    draw_cells,
    draw_rows,
    draw_runs,
    draw_splits,
    effect_alarms,
    false_alarms,
    family_alarms,
    follow_advice,
    lose,
    reach_of_best,
    rows_of,
)

from glassnet.study.hypothesis_tests import FEWEST_SEEDS, LOOKS
from glassnet.study.interactions import DEPENDS, INDEPENDENT, NOT_ADDITIVE, interaction_test
from glassnet.study.recommendation import recommend

pytestmark = pytest.mark.slow

LEVEL = 0.05
STUDIES = 4000
MOST = above(LEVEL, STUDIES)


# False alarms


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("spreads", [[1] * 5, [0.1, 0.5, 1, 2, 4]], ids=["equal", "unequal"])
@pytest.mark.parametrize("shared", [0, 3], ids=["apart", "correlated"])
def test_a_family_of_equals_raises_alarms_as_seldom_as_the_level_says(kind, spreads, shared):
    found = []
    for seeds in range(FEWEST_SEEDS, 11):
        runs = draw_runs(np.random.default_rng([1, seeds, shared]), STUDIES, seeds, spreads, kind, shared)
        found.append(family_alarms(runs, LEVEL))
        assert found[-1] <= MOST
        assert family_alarms(runs, LEVEL / LOOKS) <= above(LEVEL / LOOKS, STUDIES)
    assert np.mean(found) <= above(LEVEL, STUDIES * len(found), 2)


@pytest.mark.parametrize("by_seed", [0, 0.1, 1])
@pytest.mark.parametrize("by_row", [0, 0.1, 1])
@pytest.mark.parametrize("rest", [0.1, 1])
def test_the_same_rows_at_every_seed_are_an_error_too(by_seed, by_row, rest):
    found = []
    for seeds in (2, 3, 5, 10):
        rng = np.random.default_rng([2, seeds, *(int(10 * part) for part in (by_seed, by_row, rest))])
        values = draw_rows(rng, STUDIES, seeds, 20, by_seed, by_row, rest)
        found.append(false_alarms(values, LEVEL))
        assert found[-1] <= MOST
        assert coverage(values, 0.0) == pytest.approx(1 - found[-1])
    assert np.mean(found) <= above(LEVEL, STUDIES * len(found), 2)


@pytest.mark.parametrize(("rows", "validation"), [(1440, 120), (600, 120), (120_000, 10_000)])
@pytest.mark.parametrize("by_seed", [0, 0.02])
def test_other_rows_at_every_seed_are_corrected_for_what_they_share(rows, validation, by_seed):
    studies = 800 if rows < 10_000 else 60
    overlap = validation / (rows - validation)
    for seeds in (2, 3, 5, 10):
        rng = np.random.default_rng([3, seeds])
        values = draw_splits(rng, studies, seeds, rows, validation, 0.04, by_seed)
        assert coverage(values, 0.04, overlap=overlap) >= 1 - above(0.07, studies)


@pytest.mark.parametrize(
    "kind",
    [
        "normal",
        "one cell",
        "one level",
        "half constant",
        "heavy-tailed",
        "collapsing",
        "a factor meets the seed",
        "a level meets the seed",
    ],
)
@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 4), (2, 8), (3, 4, 3)])
def test_effects_that_are_not_there_are_found_as_seldom_as_the_level_says(kind, shape):
    found = []
    for seeds in (3, 5, 10):
        y = draw_cells(np.random.default_rng([4, seeds, len(kind), *shape]), STUDIES, seeds, shape, kind)
        found.append(effect_alarms(y, shape, LEVEL))
        assert max(found[-1]) <= MOST
    assert np.mean(found, axis=0).max() <= above(LEVEL, STUDIES * len(found), 2)


# Looks


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("variants", [2, 5])
@pytest.mark.parametrize("seeds", [3, 5])
def test_who_follows_the_advice_four_times_is_told_worse_as_seldom_as_the_level_says(kind, variants, seeds):
    studies = 200
    rng = np.random.default_rng([5, variants, seeds])
    wrong = sum(follow_advice(rng, kind, variants, seeds) for _ in range(studies))
    assert wrong <= studies * above(LEVEL, studies)


# The best of several


@pytest.mark.parametrize("variants", [2, 5, 20])
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("shared", [0, 2], ids=["apart", "correlated"])
@pytest.mark.parametrize("spread", ["equal", "unequal", "one wild"])
@pytest.mark.parametrize("kind", ["normal", "heavy-tailed"])
def test_the_interval_of_the_best_covers_it(variants, seeds, shared, spread, kind):
    rng = np.random.default_rng([6, variants, seeds])
    spreads = {
        "equal": np.ones(variants),
        "unequal": np.linspace(0.2, 2, variants),
        "one wild": np.r_[np.full(variants - 1, 0.3), 3],
    }[spread]
    for means in (np.zeros(variants), np.linspace(0, 1, variants), np.r_[1, np.zeros(variants - 1)]):
        runs = means + draw_runs(rng, STUDIES, seeds, spreads, kind, shared)
        best = runs.mean(axis=1).argmax(axis=1)
        below, above_ = reach_of_best(runs, best)
        truth, found = means[best], runs.mean(axis=1)[np.arange(STUDIES), best]
        assert np.mean((found - below <= truth) & (truth <= found + above_)) >= 0.95 - 2 * np.sqrt(0.05 / STUDIES)


def test_the_interval_of_the_best_of_equals_on_the_same_rows_covers_it():
    """As it is printed, with the rows that all variants share."""
    rng, covered, studies = np.random.default_rng(7), 0, 200
    for _ in range(studies):
        rows = 0.02 * rng.normal(size=20) * np.sqrt(20) / 2
        groups = 0.8 + rows + 0.01 * rng.normal(size=(5, 5, 1)) + 0.02 * rng.normal(size=(5, 5, 20))
        known = {"split": "a", "validation_rows": 120, "training_rows": 1000}
        found = recommend(rows_of(groups.mean(axis=2), groups=groups, **known), ACCURACY, {})
        covered += found.low <= 0.8 <= found.high
    assert covered >= studies * (0.95 - 2 * np.sqrt(0.05 / studies))


@pytest.mark.parametrize("const", [None, 0.1])
@pytest.mark.parametrize("kind", ["normal", "unequal", "heavy-tailed", "collapsing", "some collapse", "stuck"])
def test_the_recommended_variant_loses_no_more_than_the_best_mean(kind, const):
    """The loss is that of its true mean to the truly best; the difference is held against its own deviation."""
    rng = np.random.default_rng(8)
    for seeds in (2, 3, 10):
        ours, theirs = np.array([lose(rng, kind, 5, seeds, const) for _ in range(100)]).T
        more = ours - theirs
        assert more.mean() <= 2 * more.std() / np.sqrt(len(more)) + 1e-12


# What is there is found

TWO = {"optimizer": ["sgd", "adam"], "activation": ["relu", "tanh", "sigmoid"]}

#: By name: what the cells of two factors gain.
PLANTED = {
    "nothing": np.zeros((2, 3)),
    "main effects": np.add.outer([0, 0.04], [0, 0.02, 0.05]),
    "not additive": np.array([[0, 0.02, 0.05], [0.03, 0.1, 0.2]]),
    "crossing": np.array([[0, 0.04, 0.06], [0.04, 0.02, -0.06]]),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_answer_is_found(name, make_factorial):
    rng, said, studies = np.random.default_rng(9), Counter(), 100
    for _ in range(studies):
        noise = 0.02 * rng.normal(size=(5, 1, 1)) + 0.006 * rng.normal(size=(5, 2, 3))
        rows = make_factorial(0.7 + PLANTED[name] + noise, TWO)
        tested, chosen = interaction_test(rows, TWO, ACCURACY), recommend(rows, ACCURACY, TWO)
        said[tested.verdict] += 1
        best = np.unravel_index(PLANTED[name].argmax(), (2, 3))
        said["right"] += list(chosen.levels.values()) == [
            levels[i] for levels, i in zip(TWO.values(), best, strict=True)
        ]
    most = studies * above(LEVEL, studies)
    if name in ("nothing", "main effects"):
        assert said[NOT_ADDITIVE] + said[DEPENDS] <= most
    if name == "main effects":
        assert said[INDEPENDENT] >= 0.9 * studies
    if name == "not additive":
        assert said[DEPENDS] == 0
        assert said[NOT_ADDITIVE] >= 0.95 * studies
    if name == "crossing":
        assert said[DEPENDS] >= 0.9 * studies
    if name != "nothing":
        assert said["right"] >= 0.95 * studies
