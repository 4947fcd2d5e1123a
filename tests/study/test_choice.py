"""The interval of the best of several: by hand; that it holds is simulated."""

import numpy as np
import pytest
from scipy import stats

from glassnet.study.choice import interval_of_best, measure_gain
from glassnet.study.samples import NOTHING, SEEDS
from glassnet.study.statistics import by_variant

ACCURACY = "validation_accuracy"
FIGURES = {"base": [0.1, 0.2, 0.3], "a": [0.5, 0.52, 0.54], "b": [0.4, 0.42, 0.46]}


def test_the_lower_end_is_bonferronis_with_the_larger_error(make_rows):
    (low, high), covers = interval_of_best(by_variant(make_rows(FIGURES)), "a", ACCURACY, 0.05)
    variances = [np.var(values, ddof=1) / 3 for values in FIGURES.values()]
    own = stats.t.ppf(0.975, 2) * np.sqrt(variances[1])
    error = np.sqrt(max(variances[1], np.mean(variances)))
    assert low == pytest.approx(0.52 - max(own, stats.t.ppf(1 - 0.05 / 6, 6) * error))
    assert high == pytest.approx(0.52 + max(own, stats.t.ppf(0.975, 6) * error))
    assert covers == SEEDS


def test_of_losses_the_upper_end_is_the_far_one(make_rows):
    up, _ = interval_of_best(by_variant(make_rows(FIGURES)), "a", ACCURACY, 0.05)
    turned = {variant: [1 - value for value in values] for variant, values in FIGURES.items()}
    down, _ = interval_of_best(by_variant(make_rows(turned, "validation_loss")), "a", "validation_loss", 0.05)
    assert down == pytest.approx((1 - up[1], 1 - up[0]))


def test_a_gain_is_a_choice_among_differences(make_rows):
    gain = measure_gain(by_variant(make_rows(FIGURES)), "a", "base", ACCURACY, 0.05)
    a, b = (np.array(FIGURES[name]) - FIGURES["base"] for name in "ab")
    variances = [np.var(a, ddof=1) / 3, np.var(b, ddof=1) / 3]
    reach = stats.t.ppf(1 - 0.05 / 4, 4) * np.sqrt(max(variances[0], np.mean(variances)))
    own = stats.t.ppf(0.975, 2) * np.sqrt(variances[0])
    assert (gain.base, gain.difference, gain.covers) == ("base", pytest.approx(a.mean()), SEEDS)
    assert gain.low == pytest.approx(a.mean() - max(own, reach))
    loss = measure_gain(by_variant(make_rows(FIGURES, "train_loss")), "base", "a", "train_loss", 0.05)
    assert loss.difference == pytest.approx(a.mean())
    assert loss.low < loss.difference < loss.high


def test_one_seed_tells_no_interval_and_nothing_leaves_the_measure(make_rows):
    one = by_variant(make_rows({name: values[:1] for name, values in FIGURES.items()}))
    assert interval_of_best(one, "a", ACCURACY, 0.05) == ((None, None), NOTHING)
    assert measure_gain(one, "a", "base", ACCURACY, 0.05).low is None
    wild = by_variant(make_rows({"base": [0.1, 0.9], "a": [0.9, 0.3]}))
    assert interval_of_best(wild, "a", ACCURACY, 0.05)[0] == (0.0, 1.0)
    gain = measure_gain(wild, "a", "base", ACCURACY, 0.05)
    assert (gain.low, gain.high) == (-1.0, 1.0)
