"""Masks: how often they leave a unit out, and that no two of them know of each other.

The masks are functions of their keys, so each of these tests is decided once and for all. Bounds are at 5 standard
deviations of independent draws: a good mask misses one in 1.7 million of them.
"""

import numpy as np
import pytest
from scipy import stats
from tests.loops import for_each

from glassnet.nn.dropout import STEP, keep_mask, mask_keys, threshold
from glassnet.nn.hashing import hash_bits
from glassnet.nn.network import Network
from glassnet.runtime.seeds import seed_words

RATES = [0.05, 0.2, 0.5, 0.9]


def left_out(key, n=250, units=200, rate=0.5):
    return keep_mask(key, n, units, rate, np.float64) == 0


def keys(seed=0, steps=range(1, 3), layers=3):
    return mask_keys(seed, np.array(steps), layers)


def assert_independent(first, second, rate=0.5):
    """The four combinations of two masks are as frequent as chance has it, and they are not correlated."""
    size = first.size
    table = np.bincount(2 * first.ravel() + second.ravel(), minlength=4).reshape(2, 2)
    chance = np.outer([1 - rate, rate], [1 - rate, rate]) * size
    assert stats.chi2.sf(((table - chance) ** 2 / chance).sum(), 3) > 1e-6
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 5 / np.sqrt(size)


# How many


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_share_of_units_left_out_is_the_rate(rate, layer):
    mask = left_out(keys()[0, layer], rate=rate)
    deviation = np.sqrt(rate * (1 - rate))
    assert abs(mask.mean() - rate) < 5 * deviation / np.sqrt(mask.size)
    assert np.abs(mask.mean(axis=0) - rate).max() < 5 * deviation / np.sqrt(len(mask))  # of each unit
    assert np.abs(mask.mean(axis=1) - rate).max() < 5 * deviation / np.sqrt(mask.shape[1])  # and in each row


@for_each("rate", RATES)
def test_rows_leave_out_as_many_units_as_independent_draws_would(rate):
    """Were the draws of a row tied to each other, their number would spread more, or less, than the binomial."""
    counts = left_out(keys()[0, 0], n=4000, units=64, rate=rate).sum(axis=1)
    limits = np.unique(stats.binom.ppf([0.1, 0.3, 0.5, 0.7, 0.9], 64, rate))
    chance = np.diff([0, *stats.binom.cdf(limits, 64, rate), 1])
    found = np.bincount(np.searchsorted(limits, counts), minlength=len(limits) + 1)
    assert stats.chisquare(found, len(counts) * chance).pvalue > 1e-6


@for_each("rate", RATES)
def test_the_expectation_of_what_is_kept_is_what_there_was(rate):
    H = np.random.default_rng(0).normal(size=(20, 30))
    steps = 2000
    total = sum(H * keep_mask(key, *H.shape, rate, np.float64) for key in keys(steps=range(1, steps + 1))[:, 0])
    deviation = np.abs(H) * np.sqrt(rate / (1 - rate) / steps)
    assert (np.abs(total / steps - H) < 5 * deviation).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_mask_holds_nothing_but_zero_and_the_factor(dtype):
    mask = keep_mask(keys()[0, 0], 50, 40, 0.2, dtype)
    assert (mask.dtype, mask.shape) == (np.dtype(dtype), (50, 40))
    assert np.unique(mask).tolist() == [0, dtype(1.25)]


def test_a_rate_of_zero_leaves_all_as_it_is():
    assert (keep_mask(keys()[0, 0], 500, 400, 0.0, np.float32) == 1).all()


def test_the_threshold_is_a_share_of_two_to_the_32():
    assert [int(threshold(rate)) for rate in (0, 0.5, 0.25, 2**-32)] == [0, 2**31, 2**30, 1]
    assert threshold(0.3).dtype == np.uint32


# Which


def test_a_unit_is_left_out_where_the_hash_of_its_row_and_number_is_below_the_rate():
    """In whole numbers: the step's key, the row's, the unit's, each mixed by the hash."""

    def scrambled(x):
        return int(hash_bits(np.array([x % 2**32], np.uint32))[0])

    base = seed_words(9, "dropout", 2)[1]
    key = scrambled(base + 7 * STEP)
    assert key == keys(9, [7], 2)[0, 1]
    mask = keep_mask(np.uint32(key), 3, 4, 0.5, np.float64)
    for row in range(3):
        for unit in range(4):
            hashed = scrambled(scrambled(key + row * 0x9E3779B9) + unit)
            assert mask[row, unit] == (2 if hashed >= 2**31 else 0)


def test_the_same_key_gives_the_same_mask():
    first, second = (left_out(mask_keys(4, np.array([17]), 2)[0, 1]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_step_has_its_keys_whatever_steps_are_asked_for_with_it():
    whole = keys(steps=range(1, 21))
    for steps in ([1], [20], [3, 4, 5], [5, 3]):
        np.testing.assert_array_equal(keys(steps=steps), whole[np.array(steps) - 1])
    np.testing.assert_array_equal(keys(steps=range(1, 21), layers=2), whole[:, :2])


def test_a_row_and_a_unit_have_their_mask_whatever_is_asked_for_with_them():
    whole = left_out(keys()[0, 0], 30, 20)
    np.testing.assert_array_equal(left_out(keys()[0, 0], 7, 20), whole[:7])
    np.testing.assert_array_equal(left_out(keys()[0, 0], 30, 5), whole[:, :5])


def test_a_higher_rate_leaves_out_more_of_the_same():
    low, high = (left_out(keys()[0, 0], rate=rate) for rate in (0.3, 0.6))
    assert not (low & ~high).any()
    assert low.sum() < high.sum()


@for_each("rate", RATES)
def test_masks_of_other_steps_layers_and_seeds_are_independent(rate):
    steps = range(1, 4)
    masks = [left_out(key, rate=rate) for key in [*keys(0, steps).ravel(), *keys(1, steps).ravel()]]
    for i, first in enumerate(masks):
        for second in masks[:i]:
            assert_independent(first, second, rate)


@pytest.mark.parametrize("distance", [1, 2, 3, 4, 8, 16, 64, 128])
@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_neighbouring_rows_and_units_are_independent(rate, distance):
    for key in keys().ravel():
        mask = left_out(key, rate=rate)
        assert_independent(mask[distance:], mask[:-distance], rate)
        assert_independent(mask[:, distance:], mask[:, :-distance], rate)


def test_keys_of_many_steps_are_all_different():
    assert len(np.unique(keys(0, range(1, 5001), 4))) > 20_000 - 3  # chance has 20,000^2 / 2^33 = 0.05 pairs alike
    assert not (keys(0, range(1, 101)) == keys(1, range(1, 101))).any()


# In a network


def test_masks_multiply_what_a_layer_takes_and_what_comes_back():
    network = Network([4, 6, 5, 3], "tanh", dropout=[0.2, 0, 0.5], dtype="float64")
    X, step = np.random.default_rng(0).normal(size=(7, 4)), keys(3, [1])[0]
    trace = network.forward(X, step)
    assert trace.masks[1] is None
    for layer, rate in ((0, 0.2), (2, 0.5)):
        mask = keep_mask(step[layer], 7, network.layers[layer], rate, np.float64)
        np.testing.assert_array_equal(trace.masks[layer], mask)
        np.testing.assert_array_equal(trace.inputs[layer], trace.H[layer] * mask)
        np.testing.assert_array_equal(trace.Z[layer], trace.inputs[layer] @ network.W[layer] + network.b[layer])
    assert trace.inputs[1] is trace.H[1]
    network.backward(trace, np.eye(3)[np.arange(7) % 3])
    assert not trace.delta[1][trace.masks[2] == 0].any()
    assert trace.delta[1][trace.masks[2] > 0].all()


def test_a_factor_that_is_left_out_has_no_gradient():
    """One row: the weights out of a unit that is left out, and its own, have a slope of 0; the others do not."""
    network = Network([3, 40, 2], "tanh", loss="half_squared_error", dropout=0.5, dtype="float64")
    trace = network.forward(np.ones((1, 3)), keys()[0])
    network.backward(trace, np.array([[1.0, -2.0]]))
    out = trace.masks[1][0] == 0
    assert 5 < out.sum() < 35
    for slopes in (network.dW[1], network.dW[0].T, network.db[0][:, None]):
        assert not slopes[out].any()
        assert slopes[~out].all()
