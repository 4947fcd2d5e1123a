"""Studies with a planted answer, by the hundred: the verdicts are right, and wrong as often as they say."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from scipy import stats

from glassnet.study.interactions import INTERACT, NO_INTERACTION, interaction_test
from glassnet.study.recommendation import recommend
from glassnet.study.statistics import BETTER, NOT_DISTINGUISHABLE, WORSE, compare

pytestmark = pytest.mark.slow

ACCURACY = "validation_accuracy"
STUDIES = 400
SEEDS = 5

#: What a seed does to all variants, and to each by itself.
SEED_SPREAD, NOISE = 0.02, 0.006

TWO = {"optimizer": ["sgd", "adam"], "activation": ["relu", "tanh", "sigmoid"]}
THREE = {"optimizer": ["sgd", "adam"], "activation": ["relu", "tanh"], "network": ["small", "large"]}

#: By name: the factors, and what their cells gain. The first cell is the base.
PLANTED = {
    "nothing": (TWO, np.zeros((2, 3))),
    "main effects": (TWO, np.add.outer([0, 0.02], [0, 0.01, 0.025])),
    "interaction": (TWO, np.array([[0, 0.02, 0.03], [0.02, 0.01, -0.03]])),
    "nothing, three factors": (THREE, np.zeros((2, 2, 2))),
    "main effects, three factors": (THREE, np.add.outer(np.add.outer([0, 0.02], [0, 0.015]), [0, 0.012])),
}


def within(count, rate, studies=STUDIES):
    """Whether a count is one that 999 of 1000 such simulations stay within."""
    low, high = stats.binom.ppf([0.0005, 0.9995], studies, rate)
    return low <= count <= high


def numbers(means, rng):
    shape = (SEEDS, *means.shape)
    seeds = rng.normal(scale=SEED_SPREAD, size=(SEEDS, *[1] * means.ndim))
    return 0.8 + means + seeds + rng.normal(scale=NOISE, size=shape)


@pytest.fixture(scope="module")
def simulated():
    """Return a counter of what was said about the studies of a kind."""
    return cache(count)


def count(name, make):
    factors, means = PLANTED[name]
    rng = np.random.default_rng([7, list(PLANTED).index(name)])
    said = Counter()
    for _ in range(STUDIES):
        rows = make(numbers(means, rng), factors)
        truth = dict(zip(dict.fromkeys(row.variant for row in rows), means.ravel(), strict=True))
        true_best = max(truth, key=truth.get)
        base = next(iter(truth))
        comparisons = compare(rows, base, ACCURACY)
        said["any difference to the base"] += any(c.verdict != NOT_DISTINGUISHABLE for c in comparisons)
        said["best is better than base"] += any(
            c.variant == true_best and c.verdict == BETTER for c in comparisons
        )
        said["wrong way"] += any(
            c.verdict != NOT_DISTINGUISHABLE and (truth[c.variant] > truth[base]) != (c.verdict == BETTER)
            for c in comparisons
            if truth[c.variant] != truth[base]
        )
        found = interaction_test(rows, factors, ACCURACY)
        said[found.verdict] += 1
        mains = [source.corrected <= 0.05 for source in found.sources if source.kind == "main"]
        said["any main effect"] += any(mains)
        said["all main effects"] += all(mains)
        said["the additive pick is the best"] += not found.additive.differs
        chosen = recommend(rows, ACCURACY, factors)
        said["right"] += truth[chosen.variant] == truth[true_best]
        said["true best kept"] += true_best in (chosen.best, *chosen.ties)
        said["any worse than the best"] += any(c.verdict == WORSE for c in chosen.comparisons)
        said["interaction suggested"] += any(suggestion.kind == "interaction" for suggestion in chosen.next)
    return said


@pytest.mark.parametrize("name", ["nothing", "nothing, three factors"])
def test_where_nothing_differs_the_alarms_are_as_rare_as_the_level_says(simulated, make_factorial, name):
    said = simulated(name, make_factorial)
    for alarm in ("any difference to the base", INTERACT, "any main effect"):
        assert within(said[alarm], 0.05), alarm
    assert said["true best kept"] >= 0.95 * STUDIES
    assert said[INTERACT] + said[NO_INTERACTION] == STUDIES


@pytest.mark.parametrize("name", ["main effects", "main effects, three factors"])
def test_main_effects_are_found_and_no_interaction_is_seen_in_them(simulated, make_factorial, name):
    said = simulated(name, make_factorial)
    assert within(said[INTERACT], 0.05)
    assert said["interaction suggested"] == said[INTERACT]
    assert said["all main effects"] >= 0.98 * STUDIES
    assert said["best is better than base"] >= 0.98 * STUDIES
    assert said["the additive pick is the best"] >= 0.95 * STUDIES
    assert said["right"] >= 0.95 * STUDIES
    assert said["true best kept"] >= 0.99 * STUDIES
    assert said["wrong way"] == 0


def test_an_interaction_is_found_and_misleads_one_factor_at_a_time(simulated, make_factorial):
    said = simulated("interaction", make_factorial)
    assert said[INTERACT] >= 0.99 * STUDIES
    assert said["interaction suggested"] == said[INTERACT]
    # By their means over the other factor tanh is the best activation; with sgd, which is better, it is sigmoid.
    assert said["the additive pick is the best"] <= 0.05 * STUDIES
    assert said["right"] >= 0.95 * STUDIES
    assert said["true best kept"] >= 0.99 * STUDIES
    assert said["wrong way"] <= 0.05 * STUDIES


def test_from_a_base_the_interaction_misleads_as_well(make_factorial):
    """The best changes of one factor, tried alone, make the worst combination."""
    factors, means = PLANTED["interaction"]
    rng = np.random.default_rng(8)
    base = {name: levels[0] for name, levels in factors.items()}
    misled = losses = 0
    for _ in range(STUDIES // 2):
        rows = make_factorial(numbers(means, rng), factors)
        guess = interaction_test(rows, factors, ACCURACY, base=base).additive
        misled += guess.levels == {"optimizer": "adam", "activation": "sigmoid"}
        losses += guess.lost > 0.04 and guess.p <= 0.05 and guess.predicted - guess.found > 0.06
    assert misled >= 0.95 * STUDIES // 2
    assert losses >= 0.95 * STUDIES // 2


def test_of_equals_the_cheaper_is_taken_and_never_what_is_cheap_and_poor(make_rows):
    seconds = {"best": 8.0, "twin": 4.0, "poor": 1.0}
    rng = np.random.default_rng(9)
    taken = Counter()
    for _ in range(STUDIES):
        best, twin, poor = numbers(np.array([0, 0, -0.02]), rng).T.tolist()
        rows = make_rows({"best": best, "twin": twin, "poor": poor}, seconds=seconds)
        taken[recommend(rows, ACCURACY, {}).variant] += 1
    assert taken["poor"] <= 0.01 * STUDIES
    assert taken["twin"] >= 0.7 * STUDIES


@pytest.mark.parametrize("rows", [180, 1000])
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_accuracies_on_few_rows_raise_no_more_alarms(make_rows, rows, seeds):
    """They are coarse, so that differences are often all the same by chance."""
    rng = np.random.default_rng([10, rows, seeds])
    alarms = 0
    for _ in range(STUDIES):
        line = 0.9 + rng.normal(scale=0.01, size=seeds) + rng.normal(scale=NOISE, size=(4, seeds))
        coarse = np.round(line * rows) / rows
        comparisons = compare(make_rows(dict(zip("abcd", coarse.tolist(), strict=True))), "a", ACCURACY)
        alarms += any(c.verdict != NOT_DISTINGUISHABLE for c in comparisons)
    assert alarms <= stats.binom.ppf(0.9995, STUDIES, 0.05)
