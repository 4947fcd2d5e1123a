"""Errors of means, tests, Holm's correction, and the seeds that are needed: against SciPy, tables, and by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from glassnet.study.hypothesis_tests import (
    Error,
    compute_one_sided_p,
    compute_p,
    half_interval,
    holm,
    mean_errors,
    rows_without_error,
    scale_of,
    seeds_needed,
    std_range,
    widen_for_choice,
)

# Holm


def test_holm_by_hand():
    # in order .01 .02 .03 .04: times 4 3 2 1 = .04 .06 .06 .04, and never falling: .04 .06 .06 .06
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []
    assert holm([0.3]) == [0.3]


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_lies_between_no_correction_and_bonferronis_and_keeps_the_order(p):
    corrected = holm(p)
    assert all(a <= b <= min(1, len(p) * a) * (1 + 1e-12) for a, b in zip(p, corrected, strict=True))
    order = sorted(range(len(p)), key=lambda i: p[i])
    assert all(corrected[i] <= corrected[j] for i, j in itertools.pairwise(order))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.floats(0.01, 0.5))
def test_holm_rejects_step_by_step(p, level):
    """The procedure as Holm wrote it: go up from the smallest, stop at the first that fails."""
    order, rejected = sorted(range(len(p)), key=lambda i: p[i]), set()
    for step, i in enumerate(order):
        if (len(p) - step) * p[i] > level:
            break
        rejected.add(i)
    assert {i for i, corrected in enumerate(holm(p)) if corrected <= level} == rejected


# Errors of a mean


@given(
    st.lists(st.floats(-100, 100), min_size=2, max_size=8).filter(lambda x: np.std(x) > 1e-6),
    st.sampled_from([0.01, 0.05, 0.3]),
)
def test_seeds_alone_give_students_t(values, level):
    y = np.array(values)[:, None, None]
    errors, expected = mean_errors(y), stats.ttest_1samp(values, 0)
    half = float(half_interval(errors, level))
    assert float(compute_p(y.mean() ** 2, errors)) == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    interval = expected.confidence_interval(1 - level)
    assert (y.mean() - half, y.mean() + half) == pytest.approx(interval, rel=1e-6, abs=1e-6)
    above = stats.ttest_1samp(values, -1.0, alternative="greater").pvalue
    assert float(compute_one_sided_p(y.mean(), errors, -1.0)) == pytest.approx(above, rel=1e-6, abs=1e-12)


def test_other_rows_at_every_seed_widen_by_what_the_runs_share():
    # Nadeau and Bengio: (1/n + validation rows / training rows) s²
    y = np.array([1.0, 2.0, 6.0])[:, None, None]
    [error] = mean_errors(y, overlap=1 / 11)
    assert error.variance == pytest.approx((1 / 3 + 1 / 11) * 7)
    assert error.degrees == 2


def test_seeds_and_rows_by_hand():
    # seeds x groups: 1 3 / 5 11, mean 5; seeds 2, 8; groups 3, 7; left over: +1 -1 / -1 +1
    # V_seeds = (9 + 9) / (2 x 1) = 9, V_rows = (4 + 4) / (2 x 1) = 4, V_rest = 4 / (2 x 2) = 1
    # together 12, degrees 12² / (81 + 16 + 1)
    seeds, rows, both = mean_errors(np.array([[1.0, 3], [5, 11]])[:, :, None])
    assert (seeds, rows) == (Error(9.0, 1), Error(4.0, 1))
    assert both == pytest.approx((12.0, 144 / 98))
    halves = [stats.t.ppf(0.975, f) * math.sqrt(v) for v, f in ((9, 1), (4, 1), (12, 144 / 98))]
    assert float(half_interval((seeds, rows, both), 0.05)) == pytest.approx(max(halves))


def test_one_seed_leaves_the_rows_and_one_of_both_nothing():
    [rows] = mean_errors(np.array([[1.0, 2, 6]])[:, :, None])
    assert rows == pytest.approx((7 / 3, 2))
    assert mean_errors(np.ones((1, 1, 1))) == ()


def test_contrasts_are_tested_together():
    y = np.random.default_rng(0).normal(size=(9, 1, 2))
    errors = mean_errors(y)
    F = (y.mean(axis=0) ** 2).mean() / (y[:, 0].var(axis=0, ddof=1).mean() / 9)
    assert float(compute_p((y.mean(axis=0) ** 2).mean(), errors, 2)) == pytest.approx(stats.f.sf(F, 2, 16))
    assert float(compute_p((y.mean(axis=0) ** 2).mean(), errors, 1)) == pytest.approx(stats.f.sf(F, 1, 8))


def test_many_studies_at_once_are_as_one_by_one():
    y = np.random.default_rng(1).normal(size=(5, 3, 4, 1))
    together = compute_p(y.mean(axis=(1, 2, 3)) ** 2, mean_errors(y))
    assert together == pytest.approx([float(compute_p(one.mean() ** 2, mean_errors(one))) for one in y])


def test_rows_that_are_all_right_may_still_be_wrong():
    # all of n right by chance: (1 - 3.69 / n)^n = 0.025
    assert rows_without_error(0.05) == pytest.approx(3.689, abs=1e-3)
    assert (1 - rows_without_error(0.05) / 10_000) ** 10_000 == pytest.approx(0.025, rel=1e-3)


# The best of several


def test_the_best_of_several_reaches_further_down():
    errors, pooled = (Error(4.0, 4),), Error(9.0, 20)
    own = float(half_interval(errors, 0.05))
    assert widen_for_choice(own, errors, pooled, 5, 0.05) == pytest.approx(3 * stats.t.ppf(1 - 0.005, 20))
    assert widen_for_choice(own, errors, pooled, 1, 0.05) == pytest.approx(3 * stats.t.ppf(0.975, 20))
    wild = (Error(16.0, 2),)  # its own few seeds say more than that
    assert widen_for_choice(own := half_interval(wild, 0.05), wild, pooled, 2, 0.05) == own
    assert widen_for_choice(own, wild, pooled, 500, 0.05) == pytest.approx(4 * stats.t.ppf(1 - 5e-5, 20))


@given(st.lists(st.floats(-1e300, 1e300), min_size=1))
def test_a_scale_is_a_power_of_two_just_below(values):
    scale = scale_of(values)
    assert math.frexp(scale)[0] == 0.5
    largest = max(map(abs, values))
    assert largest == 0 or 1 <= largest / scale < 2
    assert all(value / scale * scale == value for value in values if abs(value) > 1e-300 * max(scale, 1))


# Seeds to tell a difference


def test_seeds_needed_are_those_of_the_tables():
    # Cohen's d of 0.2, 0.5, 0.8 at 5 % and a power of 80 %: the usual 199, 34 and 15
    assert [seeds_needed(d, 1.0, most=300) for d in (0.2, 0.5, 0.8)] == [199, 34, 15]
    assert seeds_needed(-0.5, 1.0) == 34
    assert seeds_needed(0.2, 1.0) is None
    assert seeds_needed(0.0, 1.0) is None
    assert seeds_needed(1.0, 1e-9) in (2, 3)
    assert seeds_needed(1e300, 1e-300) in (2, 3)


def test_no_seeds_take_away_what_comes_from_the_rows():
    # difference 1, deviation 2, and 0.2 of the rows: the power at n is that of the noncentral t
    n = seeds_needed(1.0, 2.0, rows_variance=0.04)

    def power(n):
        return 1 - stats.nct.cdf(stats.t.ppf(0.975, n - 1), n - 1, 1 / math.sqrt(4 / n + 0.04))

    assert power(n) >= 0.8 > power(n - 1)
    assert n > seeds_needed(1.0, 2.0)
    assert seeds_needed(1.0, 2.0, rows_variance=0.15) is None  # 1 / sqrt(0.15) = 2.6 deviations at most


def test_the_range_of_a_deviation_is_that_of_chi_square():
    low, high = std_range(2.0, 4, 0.2)
    assert (low, high) == pytest.approx([2 * math.sqrt(4 / stats.chi2.ppf(q, 4)) for q in (0.9, 0.1)])
