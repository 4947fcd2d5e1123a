import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from glassnet.errors import DataError, UsageError
from glassnet.study.results import Row
from glassnet.study.statistics import (
    BETTER,
    NO_SEED,
    NOT_DISTINGUISHABLE,
    ONE_SEED,
    WORSE,
    by_variant,
    compare,
    larger_is_better,
    summarise,
    value_of,
)

ACCURACY = "validation_accuracy"

#: Eighths: their sums and differences are exact.
EIGHTHS = st.integers(-80, 80).map(lambda k: k / 8)


def study(figures, measure=ACCURACY):
    return [
        Row(variant, {}, seed, "finished", {measure: value})
        for variant, line in figures.items()
        for seed, value in enumerate(line)
    ]


@st.composite
def studies(draw, most=4):
    seeds = draw(st.integers(2, 5))
    lines = draw(st.lists(st.lists(EIGHTHS, min_size=seeds, max_size=seeds), min_size=2, max_size=most))
    return study({f"v{i}": line for i, line in enumerate(lines)})


# Summaries


def test_a_summary_by_hand(make_rows):
    # 2, 4, 9: mean 5, squares 9 + 1 + 16 = 26, variance 13; t_(0.975, 2) = 4.302653
    costs = {"seconds": {"base": 3.0}, "parameters": {"base": 10}, "flops": {"base": 1e6}}
    rows = make_rows({"base": [2.0, None, 4.0, 9.0]}, **costs)
    [base] = summarise(rows, ACCURACY)
    reach = 4.302653 * math.sqrt(13 / 3)
    assert (base.variant, base.n, base.failures, base.mean) == ("base", 3, 1, 5.0)
    assert base.std == pytest.approx(math.sqrt(13), rel=1e-15)
    assert (base.low, base.high) == pytest.approx((5 - reach, 5 + reach), rel=1e-6)
    assert (base.seconds, base.parameters, base.flops) == (3.0, 10.0, 1e6)


def test_the_interval_of_a_mean_is_scipys():
    values = [0.25, 0.75, 0.125, 0.5]
    [summary] = summarise(study({"base": values}), ACCURACY, level=0.1)
    expected = stats.t.interval(0.9, 3, np.mean(values), stats.sem(values))
    assert (summary.low, summary.high) == pytest.approx(expected, rel=1e-12)


def test_costs_are_medians_of_the_runs_that_count():
    rows = [
        Row("base", {}, 0, "finished", {ACCURACY: 0.5}, seconds=1.0, parameters=7, flops=10.0),
        Row("base", {}, 1, "finished", {ACCURACY: 0.5}, seconds=9.0, parameters=7, flops=30.0),
        Row("base", {}, 2, "finished", {ACCURACY: 0.5}, seconds=2.0, parameters=7, flops=20.0),
        Row("base", {}, 3, "diverged", {ACCURACY: 0.5}, seconds=0.1, parameters=7, flops=0.0),
    ]
    [summary] = summarise(rows, ACCURACY)
    assert (summary.seconds, summary.parameters, summary.flops) == (2.0, 7.0, 20.0)


def test_without_a_run_that_counts_there_is_no_number():
    rows = [
        Row("base", {}, 0, "finished", {ACCURACY: 0.5}),
        Row("sick", {}, 0, "diverged", {ACCURACY: 0.9}, seconds=2.0),
        Row("odd", {}, 0, "finished", {ACCURACY: math.nan}),
        Row("silent", {}, 0, "finished", {"train_loss": 1.0}),
    ]
    base, *others = summarise(rows, ACCURACY)
    assert (base.n, base.mean, base.std, base.low, base.high) == (1, 0.5, None, None, None)
    for other in others:
        assert (other.n, other.failures, other.mean, other.std, other.seconds) == (0, 1, None, None, None)


def test_equal_runs_have_an_interval_without_width():
    for value in (0.5, 0.1):  # three times 0.1, divided by 3, is not 0.1
        [summary] = summarise(study({"base": [value, value, value]}), ACCURACY)
        assert summary.mean == pytest.approx(value, rel=1e-15)
        assert (summary.std, summary.low, summary.high) == (0.0, summary.mean, summary.mean)


def test_enormous_losses_do_not_overflow():
    [summary] = summarise(study({"base": [1e300, 3e300]}, "train_loss"), "train_loss")
    assert summary.mean == pytest.approx(2e300)
    assert summary.std == pytest.approx(math.sqrt(2) * 1e300)
    [test] = compare(
        study({"base": [1e300, 3e300, 2e300], "v": [1.0, 2.0, 4.0]}, "train_loss"), "base", "train_loss"
    )
    assert test.difference == pytest.approx(-2e300)
    assert test.p == pytest.approx(stats.ttest_1samp([1.0, 3.0, 2.0], 0).pvalue)


# What is better


@pytest.mark.parametrize(
    ("measure", "larger"),
    [
        ("train_loss", False),
        ("validation_log_loss", False),
        ("loss", False),
        ("seconds", False),
        ("validation_mae", False),
        ("validation_accuracy", True),
        ("test_auc", True),
        ("accuracy", True),
        ("validation_r2", True),
        ("train_balanced_accuracy", True),
    ],
)
def test_what_is_better_follows_from_the_name(measure, larger):
    assert larger_is_better(measure) is larger


def test_an_unknown_measure_is_not_guessed_at():
    with pytest.raises(
        UsageError, match=r"^measure: unknown name 'validation_acuracy'; did you mean 'validation_acc"
    ):
        larger_is_better("validation_acuracy")


def test_what_counts():
    row = Row("base", {}, 0, "finished", {ACCURACY: 0.5, "train_loss": math.inf}, seconds=3.0)
    assert value_of(row, ACCURACY) == 0.5
    assert value_of(row, "seconds") == 3.0
    assert value_of(row, "train_loss") is None
    assert value_of(row, "validation_auc") is None
    assert value_of(replace(row, status="failed"), ACCURACY) is None
    assert value_of(replace(row, status="failed"), "seconds") is None


def test_rows_by_variant_and_seed():
    rows = [Row(v, {}, s, "finished", {}) for v, s in [("b", 2), ("a", 0), ("b", 1)]]
    assert {variant: list(seeds) for variant, seeds in by_variant(rows).items()} == {"b": [1, 2], "a": [0]}
    assert list(by_variant(rows)) == ["b", "a"]
    with pytest.raises(DataError, match="'b' has two runs with seed 2"):
        by_variant([*rows, rows[0]])


# Comparisons


def test_a_comparison_by_hand(make_rows):
    # differences 1 2 3 in 0.1: mean 0.2, deviation 0.1, t = 0.2 / (0.1 / sqrt 3) = 3.4641, 2 degrees: p = 0.0742
    rows = make_rows({"base": [0.1, 0.2, 0.3], "v": [0.2, 0.4, 0.6]})
    [v] = compare(rows, "base", ACCURACY)
    reach = 4.302653 * 0.1 / math.sqrt(3)
    assert (v.variant, v.base, v.seeds, v.missing) == ("v", "base", (0, 1, 2), ())
    assert v.difference == pytest.approx(0.2)
    assert (v.low, v.high) == pytest.approx((0.2 - reach, 0.2 + reach), rel=1e-6)
    assert v.p == pytest.approx(0.0742, abs=5e-5)
    assert v.verdict == NOT_DISTINGUISHABLE
    assert compare(rows, "base", ACCURACY, level=0.08)[0].verdict == BETTER


@pytest.mark.parametrize(("measure", "verdict"), [(ACCURACY, BETTER), ("validation_loss", WORSE)])
def test_more_is_better_or_worse(measure, verdict):
    rows = study({"base": [0.1, 0.2, 0.3], "v": [0.5, 0.61, 0.7]}, measure)
    assert compare(rows, "base", measure)[0].verdict == verdict
    opposite = WORSE if verdict == BETTER else BETTER
    assert compare(rows, "v", measure)[0].verdict == opposite


def test_pairs_take_out_what_the_seeds_do():
    rows = study({"base": [0.1, 0.5, 0.9], "v": [0.12, 0.521, 0.919]})
    assert compare(rows, "base", ACCURACY)[0].verdict == BETTER
    apart = stats.ttest_ind([0.1, 0.5, 0.9], [0.12, 0.521, 0.919])
    assert apart.pvalue > 0.9


def test_the_correction_is_over_all_comparisons_that_can_be_judged(make_rows):
    figures = {
        "base": [0.1, 0.2, 0.3, 0.4],
        "a": [0.2, 0.31, 0.4, 0.52],
        "b": [0.1, 0.22, 0.29, 0.45],
        "one": [0.9, None, None, None],
        "none": [None, None, None, None],
    }
    a, b, one, none = compare(make_rows(figures), "base", ACCURACY)
    raw = [stats.ttest_rel(figures[name], figures["base"]).pvalue for name in "ab"]
    assert [a.p, b.p] == pytest.approx(raw, rel=1e-9)
    assert [a.corrected, b.corrected] == pytest.approx([2 * raw[0], raw[1]], rel=1e-9)
    assert (one.verdict, one.p, one.corrected, one.low) == (ONE_SEED, None, None, None)
    assert (one.seeds, one.missing, one.difference) == ((0,), (1, 2, 3), pytest.approx(0.8))
    assert (none.verdict, none.difference, none.seeds) == (NO_SEED, None, ())


def test_only_seeds_that_both_have_are_paired():
    rows = [Row("base", {}, seed, "finished", {ACCURACY: value}) for seed, value in [(0, 0.0), (1, 0.1), (3, 0.3)]]
    rows += [Row("v", {}, seed, "finished", {ACCURACY: value}) for seed, value in [(3, 0.5), (2, 9.0), (1, 0.2)]]
    [v] = compare(rows, "base", ACCURACY)
    assert (v.seeds, v.missing) == ((1, 3), (0, 2))
    assert v.difference == pytest.approx(0.15)


def test_a_base_that_failed_leaves_nothing_to_compare_with(make_rows):
    rows = make_rows({"base": [None, None], "v": [0.1, 0.2]})
    [v] = compare(rows, "base", ACCURACY)
    assert (v.verdict, v.missing) == (NO_SEED, (0, 1))


def test_a_number_that_is_none_is_no_pair():
    rows = study({"base": [0.1, math.nan, 0.3], "v": [0.2, 0.3, math.inf]})
    [v] = compare(rows, "base", ACCURACY)
    assert (v.seeds, v.verdict) == ((0,), ONE_SEED)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base": "bsae"}, "^base: unknown name 'bsae'; did you mean 'base'"),
        ({"level": 0.0}, "^level: .*got 0.0"),
        ({"level": 1.0}, "^level: "),
        ({"level": math.nan}, "^level: "),
        ({"measure": "validation_auc"}, "^measure: no run has validation_auc; there is validation_accuracy"),
        ({"measure": "validation_nonsense"}, "^measure: unknown name"),
    ],
)
def test_options_that_make_no_sense_are_refused(make_rows, options, message):
    rows = make_rows({"base": [0.1, 0.2], "v": [0.1, 0.2]})
    with pytest.raises(UsageError, match=message):
        compare(rows, **({"base": "base", "measure": ACCURACY} | options))


@given(rows=studies(), data=st.data())
def test_the_order_of_rows_does_not_matter(rows, data):
    mixed = data.draw(st.permutations(rows))

    def found(rows):
        return {s.variant: s for s in summarise(rows, ACCURACY)}, {
            c.variant: c for c in compare(rows, "v0", ACCURACY)
        }

    assert found(mixed) == found(rows)


@given(rows=studies(), shift=EIGHTHS)
def test_what_is_added_to_all_leaves_the_differences(rows, shift):
    moved = [replace(row, measures={ACCURACY: row.measures[ACCURACY] + shift}) for row in rows]
    for one, other in zip(compare(rows, "v0", ACCURACY), compare(moved, "v0", ACCURACY), strict=True):
        assert other.difference == one.difference
        assert other.p == pytest.approx(one.p, rel=1e-9)
        assert other.verdict == one.verdict


@given(rows=studies(most=2))
def test_exchanging_the_two_turns_the_difference_around(rows):
    [one], [other] = compare(rows, "v0", ACCURACY), compare(rows, "v1", ACCURACY)
    assert other.difference == -one.difference
    assert (other.p, other.std) == (one.p, one.std)
    turned = {BETTER: WORSE, WORSE: BETTER}
    assert other.verdict == turned.get(one.verdict, one.verdict)


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(rows=studies())
def test_names_do_not_matter(rows):
    names = {"v0": "zero", "v1": "a", "v2": "m", "v3": "b"}
    renamed = [replace(row, variant=names[row.variant]) for row in rows]
    for one, other in zip(compare(rows, "v0", ACCURACY), compare(renamed, "zero", ACCURACY), strict=True):
        assert replace(one, variant=names[one.variant], base="zero") == other
