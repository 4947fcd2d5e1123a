"""However much is said of the test rows, each goes through a network once."""

from collections import Counter

import numpy as np
import pytest

import glassnet as gn
from glassnet.nn import backpropagation


@pytest.fixture
def passes(monkeypatch):
    """How often each row was sent through a network, by the row's bytes."""
    seen = Counter()
    forward = backpropagation.forward

    def counting(X, *rest, **options):
        seen.update(row.tobytes() for row in X)
        return forward(X, *rest, **options)

    monkeypatch.setattr(backpropagation, "forward", counting)
    return seen


@pytest.fixture
def points(here):
    """A file with rows that are all different, and the rows that are its test rows."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    np.savez(here / "points.npz", X=rng.normal(size=(120, 4)).astype(np.float32) + y[:, None], y=y)
    return gn.load_dataset("points.npz").test.X.astype(np.float32)  # as they enter the network


OPTIONS = ["train", "points.npz", "--layers", "4,5,3", "--batch-size", 10, "--epochs", 2, "-q", "--run-dir", "run"]


def times(passes, rows):
    return {passes[row.tobytes()] for row in rows}


@pytest.mark.parametrize("options", [[], ["--json"], ["--lang", "zh"], ["--metrics", "f1"], ["--no-report"]])
def test_training_with_a_report_sends_each_test_row_through_once(glassnet, points, passes, options):
    answer = glassnet(*OPTIONS, *options)
    assert answer.code == 0, answer.err
    assert times(passes, points) == {1}


@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")
def test_a_run_that_diverges_sends_no_test_row_through_without_a_report(glassnet, points, passes):
    lost = ["--activation", "identity", "--optimizer", "sgd(1e6)", "--epochs", 20]
    answer = glassnet(*OPTIONS, *lost, "--no-report")
    assert (answer.code, answer.out) == (1, "")
    assert "the loss became nan" in answer.err
    assert times(passes, points) == {0}


def test_training_several_seeds_sends_each_test_row_through_once_a_network(glassnet, points, passes):
    answer = glassnet(*OPTIONS, "--seeds", 3)
    assert answer.code == 0, answer.err
    assert times(passes, points) == {3}


@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")
def test_a_remedy_sends_each_test_row_through_once_a_network(glassnet, points, passes):
    answer = glassnet(*OPTIONS, "--initializer", "zeros", "--epochs", 20, "--remedy")
    assert answer.code == 0, answer.err
    assert "once more with" in answer.err
    assert times(passes, points) == {2}


def test_evaluation_and_a_report_of_a_run_send_each_test_row_through_once(glassnet, points, passes):
    glassnet(*OPTIONS, "--no-report")
    for command in (["evaluate", "run"], ["evaluate", "run", "--scores", "scores"], ["report", "run"]):
        passes.clear()
        assert glassnet(*command).code == 0
        assert times(passes, points) == {1}
