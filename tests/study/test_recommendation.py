from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from glassnet.errors import DataError, UsageError
from glassnet.locales.catalogue import Message
from glassnet.study.hypothesis_tests import seeds_needed
from glassnet.study.recommendation import recommend
from glassnet.study.results import Row
from glassnet.study.statistics import NONE, STRONG, compare, summarise
from glassnet.training.health.diagnosis import Diagnosis

ACCURACY = "validation_accuracy"

#: Two that are far apart, and one that is within a standard error of the first: the differences are 3 -1 -1 0 in
#: 0.001, mean 0.25, deviation 1.89, standard error 0.95.
FIRST = [0.900, 0.910, 0.905, 0.915]
NEARLY = [0.897, 0.911, 0.906, 0.915]
FAR = [0.800, 0.812, 0.803, 0.817]


def one_at_a_time(figures, factors, base, measure=ACCURACY, **costs):
    """Return rows of variants that are named by what they change."""
    rows = []
    for variant, line in figures.items():
        changes = {} if variant == "base" else dict(part.split("=") for part in variant.split(", "))
        for seed, value in enumerate(line):
            status = "diverged" if value is None else "finished"
            measures = {} if value is None else {measure: value}
            rows.append(Row(variant, base | changes, seed, status, measures, **costs.get(variant, {})))
    assert set(base) == set(factors)
    return rows


def kinds(found):
    return [suggestion.kind for suggestion in found.next]


def keys(found):
    return [sentence.key for sentence in found.reason.values["sentences"]]


def suggested(found, kind):
    return next(suggestion for suggestion in found.next if suggestion.kind == kind)


# The choice


def test_the_best_stands_apart(make_rows):
    rows = make_rows({"base": FAR, "first": FIRST, "none": [0.1, 0.11, 0.12, 0.1]})
    found = recommend(rows, ACCURACY, {"variant": ["base", "first", "none"]})
    assert (found.variant, found.best, found.ties, found.equivalent) == ("first", "first", (), ())
    assert (found.evidence, found.given_up, found.is_sound, found.margin) == (STRONG, 0.0, True, 0.005)
    assert found.levels == {"variant": "first"}
    assert found.lead == found.gain.difference == pytest.approx(np.mean(FIRST) - np.mean(FAR))
    assert found.gain.base == "base"
    assert found.gain.low < found.gain.difference < found.gain.high
    assert found.seeds == (0, 1, 2, 3)
    assert [summary.variant for summary in found.summaries] == ["first", "base", "none"]
    assert found.summaries[0] == summarise(rows, ACCURACY)[1]
    assert found.comparisons == compare(rows, "first", ACCURACY)
    assert (found.excluded, found.unsound, found.cheaper) == ({}, {}, None)
    assert kinds(found) == []
    assert keys(found) == ["take", "take_best", "evidence_base", "gain"]


def test_less_is_better_for_a_loss(make_rows):
    rows = make_rows({"base": FIRST, "far": FAR}, "validation_loss")
    found = recommend(rows, "validation_loss", {"variant": ["base", "far"]})
    assert (found.variant, found.ties, found.evidence) == ("far", (), STRONG)
    assert found.margin == pytest.approx(0.01 * np.mean(FAR))
    assert found.gain.difference == pytest.approx(np.mean(FIRST) - np.mean(FAR))
    assert found.gain.low > 0
    assert found.low < np.mean(FAR) < found.high
    assert found.high - np.mean(FAR) >= np.mean(FAR) - found.low  # it looks better than it is


def test_the_base_is_held_against_all_others(make_rows):
    rows = make_rows({"base": FIRST, "far": FAR, "nearly": NEARLY})
    found = recommend(rows, ACCURACY, {})
    assert (found.variant, found.evidence, found.gain.base) == ("base", NONE, "nearly")
    assert "evidence_all" in keys(found)
    assert recommend(make_rows({"base": FIRST, "far": FAR}), ACCURACY, {}).evidence == STRONG


def test_a_cheaper_one_is_offered_within_the_margin_and_not_taken(make_rows):
    costs = {
        "seconds": {"first": 8.0, "nearly": 2.0, "far": 1.0},
        "parameters": {"first": 10, "nearly": 5, "far": 1},
    }
    rows = make_rows({"first": FIRST, "nearly": NEARLY, "far": FAR}, **costs)
    found = recommend(rows, ACCURACY, {}, margin=0.01)
    assert (found.variant, found.cheaper.variant) == ("first", "nearly")
    assert (found.cheaper.seconds, found.cheaper.parameters) == (0.25, 0.5)
    assert found.cheaper.behind == pytest.approx(0.00025)
    # of two cheaper ones: the interval at 0.05 / 2
    differences = np.array(NEARLY) - FIRST
    low, _ = stats.t.interval(0.975, 3, differences.mean(), stats.sem(differences))
    assert found.cheaper.at_most == pytest.approx(-low)
    assert "take_cheaper" in keys(found)
    assert recommend(rows, ACCURACY, {}, margin=-low * 0.99).cheaper is None
    assert recommend(rows, ACCURACY, {}, margin=-low * 1.01).cheaper.variant == "nearly"


def test_a_smaller_one_is_offered_where_times_are_equal(make_rows):
    costs = {"seconds": {"first": 3.0, "nearly": 3.2}, "parameters": {"first": 5000, "nearly": 1000}}
    rows = make_rows({"first": FIRST, "nearly": NEARLY}, **costs)
    assert "take_smaller" in keys(recommend(rows, ACCURACY, {}, margin=0.02))
    rows = [replace(row, seconds=3.4 if row.variant == "nearly" else 3.0) for row in rows]
    assert recommend(rows, ACCURACY, {}, margin=0.02).cheaper is None


def test_a_cheaper_one_that_is_better_within_its_interval_is_offered_for_a_loss(make_rows):
    rows = make_rows(
        {"first": NEARLY, "slow": FIRST, "far": FAR},
        "validation_loss",
        seconds={"first": 1.0, "slow": 2.0, "far": 3.0},
    )
    found = recommend(rows, "validation_loss", {}, margin=0.2)
    differences = np.array(NEARLY) - FAR
    assert (found.variant, found.cheaper.variant) == ("far", "first")
    assert found.cheaper.at_most == pytest.approx(
        stats.t.interval(0.975, 3, differences.mean(), stats.sem(differences))[1]
    )


def test_few_or_wild_seeds_offer_nothing(make_rows):
    """One run that collapsed makes |t| about 1, whatever the number of runs."""
    for n in (5, 10, 20):
        best = (0.9 + np.random.default_rng(n).normal(0, 0.002, n)).tolist()
        cheap = [*(value + 0.003 for value in best[:-1]), 0.1]
        found = recommend(
            make_rows({"best": best, "cheap": cheap}, seconds={"best": 2.0, "cheap": 1.0}), ACCURACY, {}
        )
        assert (found.variant, found.cheaper, list(found.unsound)) == ("best", None, ["cheap"])
        assert found.unsound["cheap"].values["items"][0].values["value"] == 0.1
        assert suggested(found, "mend").details == {"variant": "cheap"}


def test_a_collapse_elsewhere_does_not_blur_the_best(make_rows):
    figures = {"base": FIRST, "far": FAR}
    alone = recommend(make_rows(figures), ACCURACY, {})
    beside = recommend(make_rows(figures | {"wild": [0.1, 0.912, 0.1, 0.91]}), ACCURACY, {})
    assert (beside.variant, list(beside.unsound)) == ("base", ["wild"])
    assert (beside.low, beside.high) == (alone.low, alone.high)


def test_what_is_sick_is_not_taken_although_it_is_best(make_rows):
    rows = make_rows({"base": FAR, "ill": FIRST})
    sick = Diagnosis("stuck-loss", True, Message("verbatim", text="it stays")).to_dict()
    ill = [replace(row, health=[sick]) if (row.variant, row.seed) == ("ill", 2) else row for row in rows]
    found = recommend(ill, ACCURACY, {})
    assert (found.variant, found.best, found.is_sound, list(found.unsound)) == ("base", "ill", True, ["ill"])
    assert found.given_up == pytest.approx(np.mean(FIRST) - np.mean(FAR))
    assert (found.evidence, found.gain.difference, found.lead) == (NONE, pytest.approx(-found.given_up), None)
    assert "left_unsound" in keys(found)
    every = recommend([replace(row, health=[sick]) for row in rows], ACCURACY, {})
    assert (every.variant, every.is_sound) == ("ill", False)
    assert "none_sound" in keys(every)


def test_with_one_seed_nothing_is_judged(make_rows):
    rows = make_rows({"a": [0.5], "b": [0.6]}, seconds={"a": 1.0, "b": 9.0})
    found = recommend(rows, ACCURACY, {"variant": ["a", "b"]})
    assert (found.variant, found.ties, found.lead, found.evidence) == ("b", ("a",), pytest.approx(0.1), NONE)
    assert (found.low, found.gain.low, found.cheaper) == (None, None, None)
    assert keys(found) == ["take", "take_best", "evidence_all", "gain_only", "take_ties"]
    assert suggested(found, "seeds").details == {"seeds": 5, "range": None, "variants": {}}


def test_equal_means_are_put_in_order_by_cost_and_not_by_place(make_rows):
    rows = make_rows({"a": [0.5, 0.6], "b": [0.5, 0.6]}, seconds={"a": 2.0, "b": 1.0})
    for order in (rows, rows[::-1]):
        found = recommend(order, ACCURACY, {"variant": ["a", "b"]})
        assert (found.variant, found.best, found.ties) == ("b", "b", ("a",))
    rows = [replace(row, seconds=1.0) for row in rows]
    assert recommend(rows, ACCURACY, {}).variant == recommend(rows[::-1], ACCURACY, {}).variant == "a"


# What failed


def test_what_failed_is_named_and_never_recommended(make_rows):
    rows = make_rows(
        {"a": [0.5, 0.52, 0.51], "star": [0.99, 0.98, None], "dead": [None] * 3, "slow": [0.4, 0.41, 0.4]}
    )
    rows = [replace(row, status="failed") if (row.variant, row.seed) == ("dead", 1) else row for row in rows]
    rows = [row for row in rows if (row.variant, row.seed) != ("slow", 2)]
    found = recommend(rows, ACCURACY, {"variant": ["a", "star", "dead", "slow"]})
    assert (found.variant, found.lead, found.gain, found.comparisons) == ("a", None, None, [])
    assert {name: str(why) for name, why in found.excluded.items()} == {
        "star": "diverged with 1 of 3 seeds",
        "dead": "diverged with 2 of 3 seeds, failed with 1 of 3 seeds",
        "slow": "not run with 1 of 3 seeds",
    }
    assert keys(found) == ["take", "take_only", "left_out"]
    assert suggested(found, "mend").details == {"variant": "star"}
    assert kinds(found) == ["mend"]


def test_every_number_of_a_recommendation_is_printed(make_rows):
    """By hand, in 0.001. Big: 904 906 905 907, mean 905.5, standard error 0.645, t of 3 degrees 3.182: +- 2.054.

    Big less base: 104 102 106 102, mean 103.5, standard error 0.957: +- 3.046. As the best of several it looks
    better than it is, so below there is more room. Small less big: -0.9 -0.9 -1.1 -1.1, mean -1, error 0.0577.
    """
    figures = {
        "base": [0.800, 0.804, 0.799, 0.805],
        "big": [0.904, 0.906, 0.905, 0.907],
        "small": [0.9031, 0.9051, 0.9039, 0.9059],
        "lost": [0.7, None, 0.7, None],
        "short": [0.7, 0.7, 0.7, 0.7],
    }
    seconds = {"base": 6.0, "big": 4.0, "small": 1.0, "lost": 1.0, "short": 1.0}
    rows = make_rows(figures, seconds=seconds)
    rows = [replace(row, status="failed") if (row.variant, row.seed) == ("lost", 3) else row for row in rows]
    rows = [row for row in rows if (row.variant, row.seed) != ("short", 2)]
    found = recommend(rows, ACCURACY, {"variant": list(figures)})
    said = [str(sentence) for sentence in found.reason.values["sentences"]]
    assert said[0] == "Take “big”."
    assert (found.low < 0.905500 - 0.002054, found.high) == (True, pytest.approx(0.907554, abs=3e-4))
    assert said[1] == (
        f"Of 3 variants it has the highest validation accuracy: 0.9055, the mean of 4 seeds (95 % interval "
        f"{found.low:.4f} to {found.high:.4f}; it covers other seeds, on the same validation rows)."
    )
    low, high = found.gain.low, found.gain.high
    assert (low < 0.103500 - 0.003046, high) == (True, pytest.approx(0.106546, abs=1e-3))
    assert said[2] == "Evidence that it is better than “base”: strong (4 seeds)."
    assert said[3].startswith(f"Likely gain over “base”: +0.1 (+{low:.2g} to +{high:.2g}; this covers other seeds")
    assert said[4] == "Cheaper: “small” takes 25% of the time, and is at most 0.0012 behind."
    assert said[-1] == (
        "Left out: “lost” (diverged with 1 of 4 seeds, failed with 1 of 4 seeds); "
        "“short” (not run with 1 of 4 seeds)."
    )


def test_a_number_that_is_none_is_a_failure(make_rows):
    found = recommend(make_rows({"a": [0.5, 0.5], "b": [0.9, float("nan")]}), ACCURACY, {})
    assert str(found.excluded["b"]) == "without a finite validation accuracy with 1 of 2 seeds"


def test_a_variant_that_was_not_measured_is_left_out(make_rows):
    rows = make_rows({"a": [0.5, 0.5]}) + make_rows({"b": [0.5, 0.5]}, "train_loss")
    found = recommend(rows, ACCURACY, {})
    assert (found.variant, list(found.excluded)) == ("a", ["b"])


def test_without_a_finished_variant_there_is_nothing_to_recommend(make_rows):
    with pytest.raises(
        DataError, match=r"^rows: no variant finished with every seed.*b: diverged with 2 of 2 seeds"
    ):
        recommend(make_rows({"a": [0.5, None], "b": [None, None]}), ACCURACY, {})
    with pytest.raises(DataError, match="there are no runs"):
        recommend([], ACCURACY, {})


def test_options_are_checked(make_rows):
    rows = make_rows({"a": [0.5, 0.6], "b": [0.5, 0.6]})
    with pytest.raises(UsageError, match=r"^factors: unknown name 'varian'; did you mean 'variant'"):
        recommend(rows, ACCURACY, {"varian": ["a", "b"]})
    with pytest.raises(UsageError, match=r"^level: "):
        recommend(rows, ACCURACY, {}, level=-1)
    with pytest.raises(UsageError, match=r"^measure: no run has validation_auc"):
        recommend(rows, "validation_auc", {})


# What to try next


def test_seeds_are_those_that_show_the_margin(make_rows):
    """Not the difference that was seen: the best was picked for it."""
    noise = np.random.default_rng(0).normal(scale=0.01, size=(3, 4))
    a, b, c = np.array([[0.9], [0.892], [0.8999]]) + noise - noise.mean(axis=1, keepdims=True)
    rows = make_rows({"a": a.tolist(), "b": b.tolist(), "c": c.tolist()})
    found = recommend(rows, ACCURACY, {}, margin=0.012)
    assert found.ties == ("c", "b")
    advice = suggested(found, "seeds")
    stds = {name: float((a - other).std(ddof=1)) for name, other in (("b", b), ("c", c))}
    needed = {name: seeds_needed(0.012, std, 0.05 / 5 / 2) for name, std in stds.items()}
    assert advice.details["variants"] == needed
    assert advice.details["seeds"] == max(8, *needed.values())  # twice the four, at least
    low, high = advice.details["range"]
    widest = max(stds.values())
    ends = [widest * np.sqrt(3 / stats.chi2.ppf(q, 3)) for q in (0.9, 0.1)]
    assert low == max(8, seeds_needed(0.012, ends[0], 0.05 / 5 / 2))
    assert high == (seeds_needed(0.012, ends[1], 0.05 / 5 / 2) or 100)
    hopeless = suggested(recommend(rows, ACCURACY, {}, margin=0.001), "seeds")
    assert (hopeless.message.key, hopeless.details["seeds"]) == ("next_hopeless", None)


def test_seeds_are_doubled_at_least(make_rows):
    rows = make_rows({"a": [0.9, 0.91, 0.92, 0.93], "b": [0.8901, 0.9115, 0.911, 0.9301]})
    found = recommend(rows, ACCURACY, {}, margin=0.014)
    assert (found.ties, suggested(found, "seeds").details["variants"]["b"] < 8) == (("b",), True)
    assert suggested(found, "seeds").details["seeds"] == 8


def test_where_the_rows_are_too_few_no_seeds_help(make_rows):
    rows = make_rows({"a": FIRST, "b": NEARLY})
    few = [replace(row, split=f"{row.seed}", validation_rows=50, training_rows=100) for row in rows]
    assert suggested(recommend(few, ACCURACY, {}, margin=0.001), "seeds").message.key == "next_rows"
    many = [replace(row, split=f"{row.seed}", validation_rows=1, training_rows=10**6) for row in rows]
    assert suggested(recommend(many, ACCURACY, {}, margin=0.0001), "seeds").message.key == "next_hopeless"


FACTORS = {"optimizer": ["sgd", "adam", "nag"], "activation": ["relu", "tanh"], "rate": ["0.01", "0.1"]}
BASE = {"optimizer": "sgd", "activation": "relu", "rate": "0.01"}


def test_the_best_of_each_factor_is_to_be_tried_together():
    figures = {
        "base": [0.5, 0.52],
        "optimizer=adam": [0.6, 0.61],
        "optimizer=nag": [0.7, 0.71],
        "activation=tanh": [0.55, 0.56],
        "rate=0.1": [0.4, 0.41],
    }
    rows = one_at_a_time(figures, FACTORS, BASE)
    found = recommend(rows, ACCURACY, FACTORS)
    assert found.variant == "optimizer=nag"
    best = {"optimizer": "nag", "activation": "tanh", "rate": "0.01"}
    assert suggested(found, "combine").details == {"levels": best}
    assert "together: optimizer=nag, activation=tanh, rate=0.01." in str(suggested(found, "combine").message)
    tried = one_at_a_time(figures | {"optimizer=nag, activation=tanh": [0.6, 0.62]}, FACTORS, BASE)
    assert "combine" not in kinds(recommend(tried, ACCURACY, FACTORS))
    failed = one_at_a_time(figures | {"optimizer=nag, activation=tanh": [0.6, None]}, FACTORS, BASE)
    assert "combine" not in kinds(recommend(failed, ACCURACY, FACTORS))


@pytest.mark.parametrize(
    ("levels", "best", "beyond"),
    [
        (["0.001", "0.01", "0.1"], "0.1", "1"),
        (["0.001", "0.01", "0.1"], "0.001", "0.0001"),
        (["0.1", "0.001", "0.01"], "0.1", "1"),
        (["0.001", "0.01", "0.1"], "0.01", None),
        (["10", "20", "30"], "30", "40"),
        (["10", "20", "30"], "10", "5"),
        (["16", "64", "256"], "256", "1024"),
        (["16", "64", "256"], "16", "4"),
        (["1", "2", "3"], "1", None),
        (["0", "0.25", "0.5"], "0", None),
        (["0", "0.25", "0.5"], "0.5", "0.75"),
        (["0.1", "0.2"], "0.1", "0.05"),
        (["sgd", "adam"], "adam", None),
        (["1", "1.0"], "1", None),
        (["nan", "1"], "1", None),
    ],
)
def test_the_end_of_a_range_is_not_the_end(make_rows, levels, best, beyond):
    figures = {level: FIRST if level == best else FAR for level in levels}
    found = recommend(make_rows(figures), ACCURACY, {"variant": levels})
    assert found.variant == best
    tries = [suggestion.details for suggestion in found.next if suggestion.kind == "beyond"]
    assert tries == ([] if beyond is None else [{"factor": "variant", "level": best, "try": beyond}])


def test_where_the_last_step_made_no_difference_the_next_is_not_suggested(make_rows):
    figures = {"0.001": FAR, "0.01": NEARLY, "0.1": FIRST}
    rows, factors = make_rows(figures), {"variant": list(figures)}
    assert "beyond" not in kinds(recommend(rows, ACCURACY, factors, margin=0.02))
    assert "beyond" in kinds(recommend(rows, ACCURACY, factors, margin=0.0001))


def test_no_level_is_advised_that_does_not_fit(make_rows):
    figures = {"0.4": FAR, "0.8": FIRST}
    asked = []

    def fits(factor, level):
        asked.append((factor, level))
        return False

    assert "beyond" not in kinds(recommend(make_rows(figures), ACCURACY, {"variant": list(figures)}, fits=fits))
    assert asked == [("variant", "1.2")]


@given(
    values=st.lists(
        st.lists(st.integers(0, 64).map(lambda k: k / 64), min_size=3, max_size=3), min_size=2, max_size=5
    ),
    data=st.data(),
)
def test_the_order_of_rows_does_not_matter_and_the_rest_holds_together(values, data):
    rows = [
        Row(f"v{i}", {"v": str(i)}, seed, "finished", {ACCURACY: value}, seconds=float(i % 2 + 1))
        for i, line in enumerate(values)
        for seed, value in enumerate(line)
    ]
    factors = {"v": [str(i) for i in range(len(values))]}
    found = recommend(rows, ACCURACY, factors)
    assert recommend(data.draw(st.permutations(rows)), ACCURACY, factors) == found
    means = {summary.variant: summary.mean for summary in found.summaries}
    assert means[found.best] == max(means.values())
    assert found.variant == found.best or found.best in found.unsound
    assert set(found.ties) | set(found.equivalent) <= set(means) - {found.variant, *found.unsound}
    assert not set(found.ties) & set(found.equivalent)
    assert found.lead is None or found.lead >= 0
    assert found.given_up >= 0
    assert found.low is None or 0 <= found.low <= means[found.variant] <= found.high <= 1
