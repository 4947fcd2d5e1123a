import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from glassnet.errors import DataError, UsageError
from glassnet.study.results import Row
from glassnet.study.samples import NOTHING, SEEDS, SEEDS_AND_ROWS
from glassnet.study.statistics import (
    BETTER,
    EQUIVALENT,
    INCOMPLETE,
    NO_SEED,
    NONE,
    ONE_SEED,
    STRONG,
    UNPROVEN,
    WEAK,
    WORSE,
    by_variant,
    compare,
    summarise,
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
    rows = make_rows({"base": [2.0, None, 4.0, 9.0]}, "train_loss", **costs)
    [base] = summarise(rows, "train_loss")
    reach = 4.302653 * math.sqrt(13 / 3)
    assert (base.variant, base.n, base.failures, base.mean) == ("base", 3, 1, 5.0)
    assert base.std == pytest.approx(math.sqrt(13), rel=1e-15)
    assert (base.low, base.high, base.covers) == (0.0, pytest.approx(5 + reach, rel=1e-6), SEEDS)  # no loss below
    assert base.values == {0: 2.0, 2: 4.0, 3: 9.0}
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


def test_no_interval_is_without_width_or_outside_the_measure():
    for value in (0.5, 0.1):  # three times 0.1, divided by 3, is not 0.1
        [summary] = summarise(study({"base": [value, value, value]}), ACCURACY)
        assert summary.mean == pytest.approx(value, rel=1e-15)
        assert (summary.std, summary.low, summary.high, summary.covers) == (0.0, None, None, NOTHING)
    rows = [
        replace(row, split="a", validation_rows=100, training_rows=900) for row in study({"base": [1.0, 1.0, 1.0]})
    ]
    [summary] = summarise([replace(row, groups={ACCURACY: [1.0] * 20}) for row in rows], ACCURACY)
    assert (summary.low, summary.high) == pytest.approx((1 - 0.03689, 1.0), abs=1e-5)  # ln 40 of the 100 rows
    [summary] = summarise(study({"base": [0.99, 0.5, 1.0]}), ACCURACY)
    assert summary.high == 1.0


def test_enormous_losses_do_not_overflow():
    [summary] = summarise(study({"base": [1e300, 3e300]}, "train_loss"), "train_loss")
    assert summary.mean == pytest.approx(2e300)
    assert summary.std == pytest.approx(math.sqrt(2) * 1e300)
    [test] = compare(
        study({"base": [1e300, 3e300, 2e300], "v": [1.0, 2.0, 4.0]}, "train_loss"), "base", "train_loss"
    )
    assert test.difference == pytest.approx(-2e300)
    assert test.p == pytest.approx(stats.ttest_1samp([1.0, 3.0, 2.0], 0).pvalue)


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
    assert v.values == pytest.approx((0.1, 0.2, 0.3))
    assert (v.verdict, v.evidence, v.covers, v.margin) == (UNPROVEN, NONE, SEEDS, 0.005)
    weak, strong = (compare(rows, "base", ACCURACY, level=level)[0] for level in (0.08, 0.375))
    assert (weak.verdict, weak.evidence) == (UNPROVEN, WEAK)
    assert (strong.verdict, strong.evidence) == (BETTER, STRONG)  # 0.0742 <= 0.375 / 5


@pytest.mark.parametrize(("measure", "verdict"), [(ACCURACY, BETTER), ("validation_loss", WORSE)])
def test_more_is_better_or_worse(measure, verdict):
    rows = study({"base": [0.1, 0.2, 0.3], "v": [0.5, 0.61, 0.7]}, measure)  # p = 0.0001
    assert compare(rows, "base", measure)[0].verdict == verdict
    opposite = WORSE if verdict == BETTER else BETTER
    assert compare(rows, "v", measure)[0].verdict == opposite


def test_pairs_take_out_what_the_seeds_do():
    rows = study({"base": [0.1, 0.5, 0.9], "v": [0.15, 0.551, 0.949]})
    assert compare(rows, "base", ACCURACY)[0].verdict == BETTER
    apart = stats.ttest_ind([0.1, 0.5, 0.9], [0.15, 0.551, 0.949])
    assert apart.pvalue > 0.8


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
    turned = {BETTER: WORSE, WORSE: BETTER}  # what is equivalent or unproven is so both ways
    assert other.verdict == turned.get(one.verdict, one.verdict)


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(rows=studies())
def test_names_do_not_matter(rows):
    names = {"v0": "zero", "v1": "a", "v2": "m", "v3": "b"}
    renamed = [replace(row, variant=names[row.variant]) for row in rows]
    for one, other in zip(compare(rows, "v0", ACCURACY), compare(renamed, "zero", ACCURACY), strict=True):
        assert replace(one, variant=names[one.variant], base="zero") == other


# Verdicts


def test_what_is_within_the_margin_both_ways_is_equivalent():
    rows = study({"base": [0.5, 0.6, 0.7, 0.65], "v": [0.5001, 0.6, 0.7002, 0.6501]})
    [v] = compare(rows, "base", ACCURACY)
    assert (v.verdict, v.evidence) == (EQUIVALENT, NONE)
    assert compare(rows, "base", ACCURACY, margin=0.0002)[0].verdict == UNPROVEN
    # half the interval at 2 x level / 5 is t(0.98; 3) = 3.482 of the standard error 0.0000408
    mean, error = 0.0001, np.std([1, 0, 2, 1], ddof=1) * 1e-4 / 2
    edge = mean + stats.t.ppf(0.98, 3) * error
    assert compare(rows, "base", ACCURACY, level=0.1, margin=edge * 1.001)[0].verdict == EQUIVALENT
    assert compare(rows, "base", ACCURACY, level=0.1, margin=edge * 0.999)[0].verdict == UNPROVEN


def test_two_seeds_are_no_evidence():
    rows = study({"base": [0.5, 0.6], "v": [0.700001, 0.8]})
    [v] = compare(rows, "base", ACCURACY)
    assert v.p < 1e-4
    assert (v.verdict, v.evidence) == (UNPROVEN, NONE)
    same = study({"base": [0.5, 0.6], "v": [0.500001, 0.6]})
    assert compare(same, "base", ACCURACY)[0].verdict == UNPROVEN


def test_what_lacks_runs_is_never_better(make_rows):
    figures = {"base": [0.85, 0.80, 0.90, 0.84], "hot": [0.95, 0.90, 1.0, None]}
    rows = make_rows(figures)
    [hot] = compare(
        [
            replace(row, measures={k: v + row.seed / 1e4 for k, v in row.measures.items()})
            for row in rows
            if row.variant == "hot"
        ]
        + [row for row in rows if row.variant == "base"],
        "base",
        ACCURACY,
    )
    assert (hot.verdict, hot.evidence) == (INCOMPLETE, STRONG)
    cold = make_rows({"base": [0.85, 0.80, 0.90, 0.84], "cold": [0.75, 0.701, 0.8, None]})
    assert compare(cold, "base", ACCURACY)[0].verdict == WORSE  # of what it did well at, it is worse still


def test_on_the_same_rows_more_seeds_do_not_make_up_for_few_rows():
    """All seeds agree that one is better by 0.04, on 100 rows of which that is four."""
    rng = np.random.default_rng(0)
    rows = []
    for seed in range(12):
        wobble = 0.001 * rng.normal()
        for variant, extra in (("base", np.zeros(20)), ("v", np.repeat([0.8, 0.0, -0.2], [2, 14, 4]))):
            groups = 0.8 + wobble * (variant == "v") + extra
            measures = {ACCURACY: float(groups.mean())}
            known = {"groups": {ACCURACY: groups.tolist()}, "validation_rows": 100, "training_rows": 900}
            rows.append(Row(variant, {}, seed, "finished", measures, split="same", **known))
    [v] = compare(rows, "base", ACCURACY)
    error = np.std(np.repeat([0.8, 0.0, -0.2], [2, 14, 4]), ddof=1) / math.sqrt(20)
    assert (v.covers, v.verdict, v.evidence) == (SEEDS_AND_ROWS, UNPROVEN, NONE)
    assert v.p > 0.4
    assert v.rows_std == pytest.approx(error, rel=1e-3)
    [blind] = compare([replace(row, split="") for row in rows], "base", ACCURACY)
    assert (blind.covers, blind.verdict, blind.rows_std) == (SEEDS, BETTER, 0.0)


def test_other_rows_at_every_seed_count_as_they_overlap():
    figures = {"base": [0.1, 0.2, 0.3], "v": [0.2, 0.4, 0.6]}
    rows = [replace(row, split=f"{row.seed}", validation_rows=100, training_rows=500) for row in study(figures)]
    [v] = compare(rows, "base", ACCURACY)
    reach = 4.302653 * 0.1 * math.sqrt(1 / 3 + 1 / 5)
    assert (v.low, v.high, v.covers) == (
        pytest.approx(0.2 - reach, rel=1e-6),
        pytest.approx(0.2 + reach, rel=1e-6),
        SEEDS_AND_ROWS,
    )
    assert v.rows_std == pytest.approx(0.1 * math.sqrt(1 / 5))
    assert compare(rows, "base", ACCURACY)[0].p > compare(study(figures), "base", ACCURACY)[0].p
