from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.errors import DataError, UsageError
from glassnet.study.hypothesis_tests import seeds_needed
from glassnet.study.recommendation import recommend
from glassnet.study.results import Row
from glassnet.study.statistics import compare, summarise

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


def suggested(found, kind):
    return next(suggestion for suggestion in found.next if suggestion.kind == kind)


# The choice


def test_the_best_stands_apart(make_rows):
    rows = make_rows({"far": FAR, "first": FIRST, "none": [0.1, 0.11, 0.12, 0.1]})
    found = recommend(rows, ACCURACY, {"variant": ["far", "first", "none"]})
    assert (found.variant, found.best, found.ties, found.close, found.given_up) == ("first", "first", (), (), 0.0)
    assert found.levels == {"variant": "first"}
    assert found.margin == pytest.approx(np.mean(FIRST) - np.mean(FAR))
    assert found.seeds == (0, 1, 2, 3)
    assert [summary.variant for summary in found.summaries] == ["first", "far", "none"]
    assert found.summaries[0] == summarise(rows, ACCURACY)[1]
    assert found.comparisons == compare(rows, "first", ACCURACY)
    assert found.reason.startswith(
        "Of 3 variants, “first” has the highest validation accuracy: 0.9075 on average over 4 seeds (95 % "
        "interval 0.8972 to 0.9178). All others are worse by more than chance explains: the next, “far”, is 0.099 "
        "behind (p = "
    )
    assert found.excluded == {}
    assert kinds(found) == []


def test_less_is_better_for_a_loss(make_rows):
    rows = make_rows({"far": FAR, "first": FIRST}, "validation_loss")
    found = recommend(rows, "validation_loss", {"variant": ["far", "first"]})
    assert (found.variant, found.ties) == ("far", ())
    assert "“far” has the lowest validation loss" in found.reason
    assert "That is more than chance explains: the next, “first”, is" in found.reason


def test_the_cheapest_of_what_is_close_is_taken(make_rows):
    costs = {"seconds": {"first": 8.0, "nearly": 3.0, "far": 1.0}}
    rows = make_rows({"first": FIRST, "nearly": NEARLY, "far": FAR}, **costs)
    found = recommend(rows, ACCURACY, {"variant": ["first", "nearly", "far"]})
    assert (found.variant, found.best, found.ties, found.close) == ("nearly", "first", ("nearly",), ("nearly",))
    assert found.given_up == found.margin == pytest.approx(0.00025)
    assert "“nearly” cannot be told from it with these seeds." in found.reason
    assert found.reason.endswith(
        "“nearly” is recommended: it is 0.00025 behind, within one standard error, and takes 3 s of training "
        "instead of 8 s."
    )


def test_of_equal_times_the_fewest_parameters_are_taken(make_rows):
    costs = {"seconds": {"first": 3.0, "nearly": 3.2}, "parameters": {"first": 5000, "nearly": 1000}}
    rows = make_rows({"first": FIRST, "nearly": NEARLY}, **costs)
    found = recommend(rows, ACCURACY, {"variant": ["first", "nearly"]})
    assert found.variant == "nearly"
    assert "has 1,000 parameters instead of 5,000" in found.reason
    rows = [replace(row, seconds=3.4 if row.variant == "nearly" else 3.0) for row in rows]
    found = recommend(rows, ACCURACY, {"variant": ["first", "nearly"]})
    assert found.variant == "first"
    assert "none of those close to it is clearly cheaper" in found.reason


def test_what_is_cheaper_is_said_of_what_is_cheaper(make_rows):
    """What is taken has fewer parameters than another fast one, but not than the best, which is slower."""
    figures = {"best": FIRST, "fast": NEARLY, "small": [value - 0.0001 for value in NEARLY]}
    seconds = {"best": 1.15, "fast": 1.0, "small": 1.09}
    parameters = {"best": 30, "fast": 200, "small": 50}
    found = recommend(make_rows(figures, seconds=seconds, parameters=parameters), ACCURACY, {})
    assert (found.variant, found.close) == ("small", ("fast", "small"))
    assert "takes 1.09 s of training instead of 1.15 s" in found.reason


def test_a_tie_for_want_of_seeds_is_not_taken_for_its_cheapness(make_rows):
    # first - poor is 0.12 and 0.02: mean 0.07, deviation 0.0707, standard error 0.05
    rows = make_rows(
        {"first": [0.90, 0.95], "poor": [0.78, 0.93], "far": [0.1, 0.2]},
        seconds={"first": 8.0, "poor": 1.0, "far": 1.0},
    )
    found = recommend(rows, ACCURACY, {"variant": ["first", "poor", "far"]})
    assert (found.variant, found.ties, found.close) == ("first", ("poor",), ())
    assert "“first” is recommended: they are all behind by more than one standard error." in found.reason


def test_with_one_seed_nothing_is_judged(make_rows):
    rows = make_rows({"a": [0.5], "b": [0.6]}, seconds={"a": 1.0, "b": 9.0})
    found = recommend(rows, ACCURACY, {"variant": ["a", "b"]})
    assert (found.variant, found.ties, found.margin) == ("b", (), pytest.approx(0.1))
    assert found.reason == (
        "Of 2 variants, “b” has the highest validation accuracy: 0.6. The next, “a”, is 0.1 behind; with one seed "
        "nobody can tell whether that is more than chance."
    )
    assert suggested(found, "seeds").details == {"seeds": 5, "variants": {}}


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
    assert (found.variant, found.margin, found.comparisons) == ("a", None, [])
    assert found.excluded == {
        "star": "diverged with 1 of 3 seeds",
        "dead": "diverged with 2 of 3 seeds, failed with 1 of 3 seeds",
        "slow": "not run with 1 of 3 seeds",
    }
    assert found.reason == (
        "“a” is the only variant that finished with every seed: its validation accuracy is 0.51 on average over "
        "3 seeds (95 % interval 0.4852 to 0.5348). There is nothing to compare it with. Left out: “star” "
        "(diverged with 1 of 3 seeds); “dead” (diverged with 2 of 3 seeds, failed with 1 of 3 seeds); “slow” (not "
        "run with 1 of 3 seeds)."
    )
    assert suggested(found, "mend").details == {"variant": "star"}
    assert kinds(found) == ["mend"]


def test_a_number_that_is_none_is_a_failure(make_rows):
    found = recommend(make_rows({"a": [0.5, 0.5], "b": [0.9, float("nan")]}), ACCURACY, {})
    assert found.excluded == {"b": f"without a finite {ACCURACY} with 1 of 2 seeds"}


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


def test_seeds_to_tell_ties_apart(make_rows):
    noise = np.random.default_rng(0).normal(scale=0.01, size=(3, 4))
    a, b, c = np.array([[0.9], [0.892], [0.8999]]) + noise - noise.mean(axis=1, keepdims=True)
    rows = make_rows({"a": a.tolist(), "b": b.tolist(), "c": c.tolist()})
    found = recommend(rows, ACCURACY, {"variant": ["a", "b", "c"]})
    assert found.ties == ("c", "b")
    advice = suggested(found, "seeds")
    needed = seeds_needed(0.008, float((a - b).std(ddof=1)), 0.05 / 2)
    assert advice.details == {"seeds": needed, "variants": {"c": None, "b": needed}}
    assert 4 < seeds_needed(0.008, float((a - b).std(ddof=1)), 0.05) < needed < 100
    assert advice.text.startswith(f"Run {needed} seeds in all to tell “a” from “b”: ")
    assert advice.text.endswith("To tell “a” from “c” would take more than 100 seeds: take the cheaper.")


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
    assert "run optimizer=nag, activation=tanh, rate=0.01." in suggested(found, "combine").text
    tried = one_at_a_time(figures | {"optimizer=nag, activation=tanh": [0.6, 0.62]}, FACTORS, BASE)
    assert "combine" not in kinds(recommend(tried, ACCURACY, FACTORS))
    failed = one_at_a_time(figures | {"optimizer=nag, activation=tanh": [0.6, None]}, FACTORS, BASE)
    assert "combine" not in kinds(recommend(failed, ACCURACY, FACTORS))


def test_factors_that_interact_are_to_be_chosen_together(make_factorial):
    factors = {"optimizer": ["sgd", "adam"], "activation": ["relu", "tanh"]}
    noise = np.random.default_rng(0).normal(scale=0.01, size=(4, 2, 2))
    crossed = recommend(make_factorial(np.array([[0.5, 0.9], [0.8, 0.5]]) + noise, factors), ACCURACY, factors)
    assert crossed.levels == {"optimizer": "sgd", "activation": "tanh"}
    assert suggested(crossed, "interaction").details["factors"] == ["optimizer", "activation"]
    assert suggested(crossed, "interaction").details["p"] < 0.001
    added = recommend(make_factorial(np.array([[0.5, 0.9], [0.8, 1.2]]) + noise, factors), ACCURACY, factors)
    assert "interaction" not in kinds(added)


def test_two_factors_are_looked_at_where_the_whole_factorial_is_not_there():
    noise = iter(np.random.default_rng(0).normal(scale=0.005, size=(5, 4)))
    means = {"base": 0.6, "optimizer=adam": 0.5, "activation=tanh": 0.5, "optimizer=adam, activation=tanh": 0.9}
    means["rate=0.1"] = 0.4
    rows = one_at_a_time({name: (mean + next(noise)).tolist() for name, mean in means.items()}, FACTORS, BASE)
    found = recommend(rows, ACCURACY, FACTORS)
    assert found.variant == "optimizer=adam, activation=tanh"
    assert suggested(found, "interaction").details["factors"] == ["optimizer", "activation"]


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
    assert "beyond" not in kinds(recommend(make_rows(figures), ACCURACY, {"variant": list(figures)}))


def test_variants_that_differ_in_something_else_have_no_grid(make_factorial):
    factors = {"optimizer": ["sgd", "adam"], "activation": ["relu", "tanh"]}
    rows = make_factorial(np.random.default_rng(0).normal(size=(3, 2, 2)), factors)
    twice = [replace(row, variant=f"{row.variant} again") for row in rows]
    assert "interaction" not in kinds(recommend(rows + twice, ACCURACY, factors))


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
    assert found.variant in (found.best, *found.close)
    assert set(found.close) <= set(found.ties) <= set(means) - {found.best}
    assert found.margin >= 0
    assert found.given_up >= 0
    assert 2 <= found.reason.count(". ") + 1 <= 4
