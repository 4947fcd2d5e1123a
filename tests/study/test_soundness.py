"""Runs that collapsed are told from runs that are merely unlucky."""

from dataclasses import replace

import numpy as np
import pytest

from glassnet.locales.catalogue import Message
from glassnet.study.soundness import find_unsound
from glassnet.study.statistics import by_variant, summarise
from glassnet.training.health.diagnosis import Diagnosis

ACCURACY = "validation_accuracy"


def unsound(rows, measure=ACCURACY, margin=0.005):
    return find_unsound(by_variant(rows), summarise(rows, measure), measure, margin)


def with_constant(rows, constant, measure=ACCURACY):
    return [replace(row, constant={measure: constant}) for row in rows]


GOOD = [0.90, 0.91, 0.905, 0.908]


def test_a_run_at_chance_is_far_off(make_rows):
    rows = with_constant(make_rows({"good": GOOD, "bad": [0.91, 0.92, 0.1, 0.915]}), 0.1)
    found = unsound(rows)
    assert list(found) == ["bad"]
    [said] = found["bad"].values["items"]
    assert said == Message("unsound_far", seed=2, value=0.1, median=pytest.approx(0.9125))


def test_it_takes_a_quarter_of_the_way_to_the_constant_answer(make_rows):
    # the way from the best run, 0.92, to the constant 0.1 is 0.82: a quarter of it is 0.205
    for value, off in ((0.72, False), (0.71, True)):
        rows = with_constant(make_rows({"good": GOOD, "bad": [0.91, 0.92, value, 0.915]}), 0.1)
        assert ("bad" in unsound(rows)) is off
    # without a known constant the way begins at 0: a quarter is 0.23
    for value, off in ((0.70, False), (0.68, True)):
        assert ("bad" in unsound(make_rows({"good": GOOD, "bad": [0.91, 0.92, value, 0.915]}))) is off


def test_where_most_runs_collapsed_the_others_do_not_hide_it(make_rows):
    rows = with_constant(make_rows({"good": GOOD, "fine": GOOD, "bad": [0.1, 0.92, 0.1, 0.12]}), 0.1)
    assert [item.values["seed"] for item in unsound(rows)["bad"].values["items"]] == [0, 2, 3]


def test_noise_as_large_as_the_way_is_no_collapse(make_rows):
    rng = np.random.default_rng(0)
    rows = make_rows({f"v{i}": (0.55 + 0.03 * rng.normal(size=10)).tolist() for i in range(5)})
    assert unsound(with_constant(rows, 0.5)) == {}


def test_a_loss_that_is_too_large_is_far_off(make_rows):
    rows = make_rows({"good": [0.10, 0.11, 0.12], "bad": [0.11, 0.10, 2.3]}, "validation_loss")
    assert list(unsound(with_constant(rows, 2.3, "validation_loss"), "validation_loss")) == ["bad"]
    low = make_rows({"good": [0.10, 0.11, 0.12], "bad": [0.11, 0.10, 0.0001]}, "validation_loss")
    assert unsound(low, "validation_loss") == {}  # better than the others is no fault


def test_sick_runs_are_named_once(make_rows):
    sick = Diagnosis("stuck-loss", True, Message("verbatim", text="it stays")).to_dict()
    well = Diagnosis("warning", False, Message("verbatim", text="fine")).to_dict()
    rows = make_rows({"bad": [0.9, 0.91, 0.1], "good": [0.9, 0.9, 0.91]})
    rows = [replace(row, health=[sick] if row.variant == "bad" and row.seed else [well]) for row in rows]
    found = unsound(with_constant(rows, 0.1))
    assert list(found) == ["bad"]
    keys = [(item.key, item.values.get("seeds", item.values.get("seed"))) for item in found["bad"].values["items"]]
    assert keys == [("unsound_sick", [1]), ("unsound_far", 2)]
