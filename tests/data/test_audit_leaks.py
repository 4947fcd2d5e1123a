"""Columns that alone tell the target."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.data.audit_leaks import Column, choose_sample, find_leaks

RNG = np.random.default_rng(5)
N = 400


def leaks(values, y, *, is_category=False, rows=300, names=("",)):
    """Return the leaks of one column, with its rule made on the first rows and tried on the others."""
    values = np.asarray(values, float)
    y = np.asarray(y).reshape(len(values), -1)
    column = Column("x", values[:rows], values[rows:], is_category)
    return find_leaks([column], y[:rows], y[rows:], list(names))


def test_a_threshold_that_splits_the_classes_tells_the_target():
    x = RNG.normal(size=N)
    (leak,) = leaks(x, (x > 0.3).astype(int))
    assert leak.column == "x"
    assert (leak.measure, leak.target) == ("accuracy", "")
    assert 0.99 <= leak.value <= 1


def test_falling_numbers_and_a_class_in_the_middle_tell_it_too():
    x = RNG.normal(size=N)
    assert leaks(x, (x < -0.5).astype(int))
    assert leaks(x, (np.abs(x) < 1).astype(int))


def test_numbers_of_noise_tell_nothing():
    assert leaks(RNG.normal(size=N), RNG.integers(0, 2, N)) == []
    assert leaks(RNG.integers(0, 3, N), RNG.integers(0, 3, N)) == []


@pytest.mark.parametrize(("wrong", "found"), [(1, True), (2, False)])
def test_right_in_99_of_100_rows_is_enough(wrong, found):
    x = np.tile([0.0, 1.0], N // 2)
    y = x.astype(int)
    y[300 : 300 + wrong] = 1 - y[300 : 300 + wrong]
    assert bool(leaks(x, y)) == found


def test_a_few_wrong_labels_in_training_do_not_hide_a_threshold():
    x = RNG.normal(size=2000)
    y = (x > 0).astype(int)
    wrong = RNG.choice(1500, 12, replace=False)
    y[wrong] = 1 - y[wrong]
    assert leaks(x, y, rows=1500)


def test_codes_of_categories_tell_by_their_most_frequent_class():
    codes = RNG.integers(0, 6, N)
    assert leaks(codes, np.array([2, 0, 1, 1, 2, 0])[codes], is_category=True)
    assert leaks(codes, np.array([0, 1, 0, 1, 0, 1])[codes], is_category=True)


def test_names_that_are_all_distinct_tell_nothing():
    y = np.tile([0, 1], N // 2)
    assert leaks(np.arange(N), y, is_category=True) == []


def test_a_value_that_is_missing_for_one_class_only_tells_it():
    y = RNG.integers(0, 2, N)
    x = np.where(y == 1, RNG.normal(size=N), np.nan)
    assert leaks(x, y)
    rare = np.where(np.arange(N) % 5 == 0, 1, 0)
    assert leaks(np.where(rare == 1, np.nan, RNG.normal(size=N)), rare)
    assert leaks(np.full(N, np.nan), y) == []


def test_rare_classes_do_not_make_a_column_telling():
    y = np.zeros(2000, int)
    y[::200] = 1
    assert leaks(RNG.normal(size=2000), y, rows=1000) == []  # right in 99.5 % without the column
    assert leaks(y + RNG.normal(size=2000) * 0.01, y, rows=1000)


def test_a_few_rows_prove_nothing():
    x = np.tile([0.0, 1.0], 10)
    assert leaks(x, x.astype(int), rows=10)
    assert leaks(x, x.astype(int), rows=11) == []


@pytest.mark.parametrize(
    "tells",
    [lambda y: 3 * y - 7, lambda y: -y, lambda y: np.log(y), lambda y: np.sqrt(y) * 1e200],
)
def test_a_function_of_the_number_tells_it(tells):
    y = RNG.uniform(1, 100, N)
    (leak,) = leaks(tells(y), y)
    assert leak.measure == "R2"
    assert 0.99 <= leak.value <= 1


def test_a_number_with_noise_is_not_told():
    y = RNG.normal(size=N)
    assert leaks(y + 0.3 * RNG.normal(size=N), y) == []
    assert leaks(RNG.normal(size=N), y) == []


def test_the_mean_of_a_category_can_tell_a_number():
    codes = RNG.integers(0, 4, N)
    y = np.array([5.0, -3.0, 9.0, 0.0])[codes] + 0.01 * RNG.normal(size=N)
    assert leaks(codes, y, is_category=True)
    assert leaks(RNG.permutation(codes), y, is_category=True) == []


def test_of_several_targets_the_one_that_is_told_is_named():
    x = RNG.normal(size=N)
    y = np.stack([RNG.integers(0, 2, N), (x > 0).astype(int)], axis=1)
    assert [leak.target for leak in leaks(x, y, names=("rain", "snow"))] == ["snow"]
    numbers = np.stack([2 * x, RNG.normal(size=N)], axis=1)
    assert [leak.target for leak in leaks(x, numbers, names=("a", "b"))] == ["a"]


@given(st.integers(2, 6), st.integers(0, 100), st.booleans())
def test_the_scale_of_a_column_and_the_order_of_its_rows_change_nothing(k, seed, tells):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=200)
    y = np.searchsorted(np.linspace(-1, 1, k - 1), x) if tells else rng.integers(0, k, 200)
    order = np.concatenate([rng.permutation(150), 150 + rng.permutation(50)])
    found = leaks(x, y, rows=150)
    assert leaks(4 * x[order], y[order], rows=150) == found
    assert len(found) <= 1
    assert tells or not found


def test_a_sample_is_bounded_and_evenly_spaced():
    assert choose_sample(7, 3, 2).tolist() == list(range(7))
    assert len(choose_sample(10**6, 10, 10)) == 20_000
    assert len(choose_sample(10**6, 10**5, 2)) == 1000
    assert len(choose_sample(10**6, 784, 10)) < 3000
    assert np.ptp(np.diff(choose_sample(10**6, 784, 10))) <= 1
    assert choose_sample(0, 3, 2).tolist() == []


def test_of_more_than_a_thousand_classes_nothing_is_looked_for():
    y = np.concatenate([np.arange(1000), np.arange(1000)])
    assert leaks(y, y, rows=1500, is_category=True)
    assert leaks(y, y + 1, rows=1500, is_category=True) == []
