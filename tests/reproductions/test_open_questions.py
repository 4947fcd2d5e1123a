"""What the runs of the report say to its open questions, on made-up runs and on the report's own labels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.loops import for_each
from tests.reproductions.publications import NAMES, diagnosed, made_up, outcome

from glassnet.data.registry import load_dataset
from glassnet.reproductions.open_questions import RANKED, RATES, constant_answer, gather_facts
from glassnet.study.results import DIVERGED, FAILED

Y = np.array([2, 4, 4, 2])  # their mean is 3, their variance 1


@for_each(
    "loss, answer",
    [
        (2.0, 3.0),  # the mean, which costs n v / 2
        (20.0, 0.0),  # (4 + 16 + 16 + 4) / 2
        (10.0, 1.0),  # (1 + 9 + 9 + 1) / 2
        (4.0, 2.0),  # (0 + 4 + 4 + 0) / 2; 4 costs as much, and 2 is the smaller
        (1.999, None),
        (0.0, None),
    ],
)
def test_constant_answers_by_hand(loss, answer):
    assert constant_answer(loss, Y) == (None if answer is None else pytest.approx(answer))


@given(
    y=st.lists(st.integers(0, 9), min_size=1, max_size=600).map(np.array),
    below=st.floats(0.0, 100.0),
)
def test_a_constant_answer_costs_its_loss(y, below):
    """It is the inverse of the loss, for every answer that is not above the mean."""
    answer = y.mean() - below
    loss = ((y - answer) ** 2).sum() / 2
    found = constant_answer(loss, y)
    # at the mean the loss is flat: the last digits of a loss are half of those of an answer
    if found is None:
        assert below < 1e-4
    else:
        assert found == pytest.approx(answer, abs=1e-5)
        assert ((y - found) ** 2).sum() / 2 == pytest.approx(loss, rel=1e-9, abs=1e-6)


@pytest.mark.real_data
def test_the_printed_loss_is_what_the_answer_1_costs(fashion_mnist_home):
    y = load_dataset("fashion-mnist", fashion_mnist_home, validation=0).train.y[:600]
    assert ((y.astype(int) - 1) ** 2).sum() / 2 == 6009.0
    assert (y.astype(int) ** 2).sum() / 2 == 8371.0
    assert constant_answer(6009.0, y) == pytest.approx(1.0, abs=1e-9)
    assert constant_answer(8371.0, y) == pytest.approx(0.0, abs=1e-9)
    found = gather_facts(made_up(), y)
    assert found.printed_answer == pytest.approx(1.0, abs=1e-9)
    assert found.constant_loss == pytest.approx(((y - y.mean()) ** 2).sum() / 2)
    assert round(found.constant_loss, 1) == 2465.8


def test_the_printed_test_losses_are_the_next_training_losses():
    found = gather_facts(made_up(), Y)
    rounded = {name: round(value, 1) for name, value in found.continued.items()}
    assert rounded == {"784-256-1": 749.6, "base": 208.8, "784-392-196-49-1": 271.6}


def test_figures_are_means_over_the_seeds():
    found = gather_facts(made_up(), Y)
    assert list(found.typical) == NAMES
    assert found.constant_loss == 2.0
    assert found.printed_answer == pytest.approx(3 - math.sqrt(2 * 6009 / 4 - 1))
    for place, one in enumerate(found.typical.values()):
        assert one.lost == 0
        assert one.train_loss == 1.0 + place
        assert one.test_accuracy == pytest.approx(0.51 + place / 1000)
        assert (one.seconds, one.kinds, one.cause) == (10.5, (), None)
    assert found.test_loss == {"784-256-1": 37.5, "base": 37.5, "784-392-196-49-1": 37.5}
    assert set(RATES.values()) <= set(NAMES)


def test_what_is_ranked_is_compared_in_one_family():
    accuracies = {
        "base": (0.50, 0.52, 0.51),
        "784-256-1": (0.401, 0.419, 0.411),
        "784-392-196-49-1": (0.52, 0.51, 0.505),
        "SGD": (0.60, 0.622, 0.61),
        "Adam": (0.1, 0.1, 0.1),
    }
    changes = {
        name: [
            outcome(name, seed, train_loss=[1.0], test={"test_accuracy": value, "test_loss": 0.1})
            for seed, value in enumerate(values)
        ]
        for name, values in accuracies.items()
    }
    found = gather_facts(made_up(**changes), Y).ranked
    assert [one.variant for one in found] == list(RANKED[1:])
    for one in found:
        ours, base = accuracies[one.variant], accuracies["base"]
        assert one.difference == pytest.approx(np.mean(np.subtract(ours, base)))
    assert [one.verdict for one in found] == ["worse", "unproven", "better", "worse"]
    smallest = min(found, key=lambda one: one.p)
    assert smallest.corrected == pytest.approx(4 * smallest.p)  # Holm over all four


def test_runs_that_were_lost_are_counted_and_left_out():
    runs = [
        outcome("ReLU", 0, train_loss=[5.0], test={"test_accuracy": 0.3, "test_loss": 0.1}, seconds=4.0),
        outcome("ReLU", 1, DIVERGED, train_loss=[1e9], kinds=["divergence"], cause="the step", seconds=1.0),
        outcome("ReLU", 2, FAILED, seconds=0.0),
    ]
    one = gather_facts(made_up(ReLU=runs), Y).typical["ReLU"]
    assert (one.lost, one.train_loss, one.test_accuracy, one.seconds) == (2, 5.0, 0.3, 4.0)
    assert (one.kinds, str(one.cause)) == (("divergence",), "the step")
    one = gather_facts(made_up(ReLU3=[outcome("ReLU3", 0, DIVERGED)]), Y).typical["ReLU3"]
    assert (one.lost, one.train_loss, one.test_accuracy, one.seconds) == (1, None, None, None)
    nothing = gather_facts(made_up(base=[outcome("base", 0, FAILED), outcome("base", 1, FAILED)]), Y)
    assert nothing.constant_loss == 2.0  # of the labels, whatever became of the runs
    assert nothing.test_loss["base"] is None
    assert all(one.difference is None for one in nothing.ranked)


@for_each(
    "runs, answer",
    [
        ([(20.0, "constant-output"), (20.0, "constant-output")], 0.0),
        ([(10.0, "constant-output"), (10.01, "constant-output")], 1.0),
        ([(20.0, "constant-output"), (10.0, "constant-output")], None),  # their mean is nobody's answer
        ([(20.0, "constant-output"), (20.0, "dead-units")], None),
        ([(5.0, "dead-units"), (5.0, "dead-units")], None),
    ],
)
def test_our_answer_is_that_of_all_runs(runs, answer):
    made = [outcome("ReLU", seed, train_loss=[loss], kinds=[kind]) for seed, (loss, kind) in enumerate(runs)]
    found = gather_facts(made_up(ReLU=made), Y)
    assert found.our_answer == (None if answer is None else pytest.approx(answer, abs=1e-12))
    made.append(outcome("ReLU", 2, DIVERGED, kinds=["constant-output"], train_loss=[20.0]))
    assert gather_facts(made_up(ReLU=made), Y).our_answer is None


def test_a_diagnosis_is_of_what_is_sick():
    run = outcome("ReLU", 0, train_loss=[5.0], kinds=["dead-units", "dead-units"], cause="the start")
    run.row.health.insert(0, diagnosed("over-fitting", "too long", sick=False))
    one = gather_facts(made_up(ReLU=[run]), Y).typical["ReLU"]
    assert (one.kinds, str(one.cause)) == (("dead-units",), "the start")
