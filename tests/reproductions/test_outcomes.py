"""What came of the runs of a study: how they behave, their columns, and their test figures."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.loops import for_each
from tests.reproductions.publications import TANH, outcome
from tests.study.studies import done, listed, points

from glassnet.reproductions.outcomes import (
    DIVERGED,
    FAILED,
    FINISHED,
    LAST,
    SWING,
    Outcome,
    behaviour_of,
    best,
    outcomes_of,
)
from glassnet.reproductions.publication import Figure
from glassnet.study.results import Row
from glassnet.training.model_file import load_model
from glassnet.training.run import load_data
from glassnet.training.run_folder import RunFolder

ZIGZAG = [5.0, 4.0] * 30


@for_each(
    "losses, constant, behaviour",
    [
        ([9.0], 5.0, "fails"),
        ([4.0], 5.0, "learns"),
        ([4.0, 3.0], 5.0, "learns"),
        ([], 5.0, "fails"),
        ([5.0, 5.0, 5.0], 5.0, "fails"),  # no better than a constant answer is a failure
        ([4.0, math.nan], 5.0, "fails"),
        ([math.inf, math.inf], 5.0, "fails"),
        ([math.inf, 4.0, 3.0, 2.0], 5.0, "learns"),  # it was saved
        ([90.0, 4.0, 1.0], 5.0, "learns"),  # by its end, however it began
        ([1000.0] * 100 + [4.0] * 40, 5.0, "learns"),
        ([1.0] * 100 + [9.0] * 40, 5.0, "fails"),
        (ZIGZAG, 6.0, "oscillates"),
        (ZIGZAG, 4.5, "fails"),
        ([loss / 1e4 + 4 for loss in ZIGZAG], 6.0, "learns"),  # by less than a thousandth
        (ZIGZAG + list(np.linspace(4, 3, LAST)), 6.0, "learns"),  # it was long ago
        (list(np.linspace(4, 3, 60)) + ZIGZAG[:40], 6.0, "oscillates"),
        # as printed by the report
        ([210.02, 209.82, 209.62, 209.42, 209.22, 209.02], 2465.8, "learns"),
        ([272.5, 272.2, 271.9], 2465.8, "learns"),
        ([829.0, 751.0, 828.3, 750.3, 827.6], 2465.8, "oscillates"),
        ([919.8, 787.1, 803.1, 884.1, 910.0, 787.1, 803.1], 2475.0, "oscillates"),
        ([7957.3, 7523.7, 11524.0, 11340.6, 10704.5], 2465.8, "fails"),
        ([6009.0] * 5, 2465.8, "fails"),
    ],
)  # fmt: skip
def test_behaviour_by_hand(losses, constant, behaviour):
    assert behaviour_of(losses, constant) == behaviour


@given(
    n=st.integers(1, 200),
    start=st.floats(1.0, 1e6),
    fall=st.floats(0.0, 0.9),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_falling_loss_learns_and_small_noise_makes_it_no_oscillation(n, start, fall, seed):
    losses = start * np.linspace(1, 1 - fall, n)
    assert behaviour_of(list(losses), 1.01 * start) == "learns"
    noise = np.random.default_rng(seed).uniform(-1, 1, n) * SWING / 5 * losses[-1]
    assert behaviour_of(list(losses + noise), 1.01 * start) == "learns"
    assert behaviour_of(list(losses), 0.9 * losses[-1]) == "fails"
    broken = [*losses[:-1], math.nan]
    assert behaviour_of(broken, 2 * start) == "fails"


@given(level=st.floats(1.0, 1e6), swing=st.floats(2 * SWING, 0.9), n=st.integers(5, 200))
def test_what_goes_up_and_down_oscillates(level, swing, n):
    losses = [level * (1 + (swing / 2 if epoch % 2 else -swing / 2)) for epoch in range(n)]
    assert behaviour_of(losses, 2 * level) == "oscillates"
    assert behaviour_of(losses, level * (1 - swing)) == "fails"


def test_the_better_of_a_loss_is_the_smaller():
    assert best([3.0, 1.0, 2.0], "train_loss") == 1.0
    assert best([0.3, 0.1, 0.2], "validation_accuracy") == 0.3


def test_what_was_lost_is_told_apart_from_what_fails():
    assert outcome(train_loss=[5.0]).behaviour == "learns"
    assert outcome(status=DIVERGED, train_loss=[5.0]).behaviour == "fails"
    assert outcome(status=FAILED, train_loss=[5.0]).behaviour == ""  # a full disk says nothing of a network
    assert Outcome(Row("base", {}, 0, FINISHED, {}), {}).behaviour == "fails"


@for_each(
    "quantity, epoch, value",
    [
        ("train_loss", "last", 3.0),
        ("train_loss", "best", 2.0),
        ("validation_accuracy", "last", 0.5),
        ("validation_accuracy", "best", 0.7),
        ("test_accuracy", "last", 0.6),
        ("validation_auc", "last", None),
    ],
)
def test_the_number_for_a_figure(quantity, epoch, value):
    columns = {"train_loss": [4.0, 2.0, 3.0], "validation_accuracy": [0.6, 0.7, 0.5]}
    figure = Figure(quantity=quantity, printed=1, low=0, high=2, epoch=epoch)
    assert outcome(test={"test_accuracy": 0.6}, **columns).value(figure) == value
    for status in (DIVERGED, FAILED):
        assert outcome(status=status, **columns).value(figure) is None


MAD = {
    "training.optimizer": "sgd(1e38)",
    "network.activation": "identity",
    "network.loss": "half_squared_error",
}
SUMMED = {
    "network.layers": [64, 12, 1],
    "network.output_activation": "identity",
    "network.loss": "half_squared_error(reduction=sum)",
    "network.dropout": 0.0,
    "training.samples_per_epoch": 100,
    "training.batch_size": 50,
    "training.sampling": "first",
    "training.optimizer": "sgd(1e-5)",
}


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    """A study's folder, its rows and what came of them."""
    folder = tmp_path_factory.mktemp("outcomes")
    study = listed({"tanh": TANH, "summed": SUMMED, "mad": MAD}, points(folder), seeds=[0])
    rows = done(study, folder / "study")
    return study, folder / "study", rows, outcomes_of(folder / "study", rows)


def test_columns_are_those_of_the_history(studied):
    study, folder, rows, found = studied
    assert list(found) == [variant.name for variant in study.variants()]
    for row in rows:
        one = found[row.variant][row.seed]
        assert one.row == row
        records = RunFolder(folder / row.folder).history()
        for name in ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy"):
            assert one.columns.get(name, []) == [getattr(record, name) for record in records]


def test_test_figures_are_those_of_the_network_as_it_ended(studied):
    _, folder, rows, found = studied
    for row in rows:
        one = found[row.variant][row.seed]
        if row.status == DIVERGED:
            assert one.test == {}
            continue
        model, data = load_model(folder / row.folder), load_data(RunFolder(folder / row.folder).config())
        assert one.test["test_accuracy"] == np.mean(model.predict(data.test.X) == data.test.y)
        outputs = model.network.outputs(model.encode_rows(data.test.X)).astype(float)
        if row.variant == "summed":
            truth = ((data.test.y - outputs[:, 0]) ** 2).mean() / 2
        else:
            truth = -np.log(outputs[np.arange(len(outputs)), data.test.y]).mean()
        assert one.test["test_loss"] == pytest.approx(truth, rel=1e-5)  # of one row, summed or not


def test_the_constant_loss_is_in_the_units_of_training(studied):
    study, _, _, found = studied
    y = load_data(study.base).train.y
    shares = np.bincount(y) / len(y)
    assert found["tanh"][0].constant_loss == pytest.approx(-(shares * np.log(shares)).sum(), rel=1e-6)
    first = y[:100].astype(float)  # a step sums the losses of 50 rows
    assert found["summed"][0].constant_loss == pytest.approx(50 * first.var() / 2, rel=1e-6)


def test_classes_that_are_never_given_are_counted(studied):
    _, folder, rows, found = studied
    for row in rows:
        if row.status == DIVERGED:
            assert found[row.variant][0].unanswered == 0
            continue
        model, data = load_model(folder / row.folder), load_data(RunFolder(folder / row.folder).config())
        given = set(model.predict(data.test.X).tolist())
        assert found[row.variant][0].unanswered == len(set(data.test.y.tolist()) - given)
    assert found["summed"][0].unanswered > 0  # so few steps leave its outputs near one number


def test_diverged_and_failed_runs_have_no_figures(studied):
    _, folder, _, found = studied
    mad = found["mad"][0]
    assert (mad.row.status, mad.behaviour, mad.test) == (DIVERGED, "fails", {})
    assert found["tanh"][0].behaviour in ("learns", "fails")
    lost = Row("base", {}, 7, FAILED, {}, folder="runs/nowhere", problem="its process died")
    [outcome] = outcomes_of(folder, [lost])["base"].values()
    assert (outcome.columns, outcome.test, outcome.behaviour) == ({}, {}, "")
    assert math.isinf(outcome.constant_loss)
