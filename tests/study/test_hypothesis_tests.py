"""Holm's correction, the paired t test, and the number of pairs it needs: against SciPy, tables, and by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from glassnet.errors import DataError
from glassnet.study.hypothesis_tests import holm, paired_test, scale_of, seeds_needed

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


# The paired test


@given(
    st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=2, max_size=8),
    st.sampled_from([0.01, 0.05, 0.3]),
)
def test_the_paired_test_is_scipys(pairs, level):
    ours, theirs = np.array(pairs).T
    differences = ours - theirs
    if differences.std() <= 1e-9 * max(np.abs(pairs).max(), 1e-9):
        return  # SciPy warns of lost digits
    test, expected = paired_test(ours, theirs, level), stats.ttest_rel(ours, theirs)
    assert test.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert (test.low, test.high) == pytest.approx(expected.confidence_interval(1 - level), rel=1e-6, abs=1e-6)
    assert test.difference == pytest.approx(differences.mean(), rel=1e-9, abs=1e-12)
    assert test.std == pytest.approx(differences.std(ddof=1), rel=1e-6)


def test_differences_without_spread_are_judged_by_their_sign():
    assert paired_test([1.0, 2.0], [1.0, 2.0]) == (0.0, 0.0, None, None, 1.0)
    assert paired_test([1.5, 2.5, 3.5], [1.0, 2.0, 3.0]) == (0.5, 0.0, None, None, 0.25)
    six = paired_test([0.3 + k for k in range(6)], [0.1 + k for k in range(6)])  # equal but for rounding
    assert six.p == 2 / 2**6
    assert six.difference == pytest.approx(0.2)
    assert six.low is None


@pytest.mark.parametrize(("ours", "theirs"), [([1.0], [2.0]), ([], []), ([1.0, 2.0], [1.0])])
def test_without_pairs_there_is_no_test(ours, theirs):
    with pytest.raises(DataError, match="two pairs or more"):
        paired_test(ours, theirs)


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
    assert seeds_needed(0.5, 1.0, power=0.95) == 54
    assert seeds_needed(0.0, 1.0) is None


def test_seeds_needed_without_spread_are_those_of_the_sign_test():
    assert seeds_needed(0.1, 0.0) == 6  # 2 / 2^6 = 0.03 is the first below 0.05
    assert seeds_needed(0.0, 0.0) is None
    assert seeds_needed(1.0, 1e-9) in (2, 3)
    assert seeds_needed(1e300, 1e-300) in (2, 3)
