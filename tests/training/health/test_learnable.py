"""References learn what can be learned, find nothing in noise, and judge networks on rows of their own."""

import numpy as np
import pytest

import glassnet as gn
from glassnet.data.schema import Schema
from glassnet.data.splits import Split
from glassnet.nn.losses import LOSSES
from glassnet.nn.update import Update
from glassnet.training.health import learnable
from glassnet.training.health.learnable import (
    HELD_OUT,
    Rows,
    Sample,
    average_neighbours,
    costs_less,
    regress,
)
from glassnet.training.step_context import StepContext

RNG = np.random.default_rng(0)


def sample_of(X, targets, *, loss="half_squared_error", weights=None, apart=300):
    ones = np.ones(len(X)) if weights is None else weights
    rows = Rows(X, targets, ones)
    held_out, learned = (rows.take(places) for places in (np.arange(apart), np.arange(apart, len(X))))
    return Sample(LOSSES.resolve(loss), learned, held_out, apart)


def test_ridge_regression_minimises_its_penalised_squares():
    X, T, weights = RNG.normal(size=(60, 4)), RNG.normal(size=(60, 2)), RNG.uniform(0.5, 2, 60)
    penalty, eye = 0.3, np.eye(4)
    beta = regress(X, T, weights, eye, penalty)
    slope = X.T @ (weights[:, None] * (X @ beta - T)) + penalty * len(X) * beta
    assert np.abs(slope).max() < 1e-10


def test_more_columns_than_rows_give_the_same_ridge_regression():
    X, T, new = RNG.normal(size=(20, 35)), RNG.normal(size=(20, 1)), RNG.normal(size=(5, 35))
    plain = new @ np.linalg.solve(X.T @ X + 0.1 * 20 * np.eye(35), X.T @ T)
    assert regress(X, T, np.ones(20), new, 0.1) == pytest.approx(plain)


def test_neighbours_are_the_nearest_ones_and_count_by_their_weights():
    X = np.arange(20.0)[:, None]
    weights = np.ones(20)
    weights[3] = 5
    five = average_neighbours(X, X, weights, np.array([[5.1]]))[0]
    assert five[0, 0] == pytest.approx((5 * 3 + 4 + 5 + 6 + 7) / 9)
    assert average_neighbours(X, X, weights / 9, np.array([[5.1]]))[0] == pytest.approx(five)


@pytest.mark.parametrize("loss", ["half_squared_error", "absolute_error"])
def test_a_straight_line_is_found_whatever_the_scale_and_offset_of_its_columns(loss):
    X = RNG.normal(size=(1000, 3)) * [1, 1e-4, 50] + [0, 3, 2000]
    y = (X[:, :1] - 1e4 * X[:, 1:2]) / 2 + 1000 + 0.1 * RNG.normal(size=(1000, 1))
    found = sample_of(X, y, loss=loss)
    assert found.is_learnable
    assert found.gain(found.reference) > 0.8
    assert found.gain(found.constant) == 0


def test_neighbours_find_what_no_straight_line_does():
    X = RNG.uniform(-1, 1, (1500, 2))
    labels = (X[:, 0] * X[:, 1] > 0).astype(float)
    found = sample_of(X, labels[:, None], loss="binary_cross_entropy")
    assert found.gain(found.reference) > 0.6


def test_noise_is_not_learnable():
    found = [sample_of(RNG.normal(size=(900, 6)), RNG.normal(size=(900, 1))).is_learnable for _ in range(40)]
    assert sum(found) <= 2


def test_a_faint_signal_is_learnable():
    X = RNG.normal(size=(3000, 6))
    y = 0.5 * X[:, :1] + RNG.normal(size=(3000, 1))  # a fifth of the variance
    assert sample_of(X, y, apart=1000).is_learnable


def test_the_best_constant_is_the_median_of_absolute_errors_and_counts_weights():
    X, y = np.zeros((600, 1)), np.r_[np.tile([0.0, 0.0, 9.0], 200)][:, None]
    assert sample_of(X, y, loss="absolute_error").constant.mean() == pytest.approx(3)
    weights = np.where(y[:, 0] == 9, 2.0, 0.5)
    constant = sample_of(X, y, weights=weights).constant
    assert constant.mean() == pytest.approx((0.5 * 2 / 3 * 6**2 + 2 / 3 * 3**2) / 2)


def test_a_difference_counts_beyond_chance_only():
    noise = RNG.normal(size=400)
    assert not costs_less(np.ones(400), np.ones(400))
    assert costs_less(noise, noise + 0.5)
    assert not costs_less(noise + 0.5, noise)
    other = RNG.normal(size=400)
    assert not costs_less(noise, other + 0.05)
    assert costs_less(noise, np.full(400, np.inf))
    assert not costs_less(np.full(400, np.inf), np.full(400, np.inf))


def context_of(data, weights=None):
    network = gn.Network([3, 1], loss="half_squared_error", dtype="float64")
    X, targets = network.check_data(*data.encoded.train)
    update = Update(gn.Adam())
    state = update.start(network.parameters)
    return StepContext(network, update, state, X, targets, weights, (0, 0, 0), 32, 0, lambda t: np.ones(len(t)))


def test_held_out_rows_are_those_of_validation_and_then_of_training():
    X = np.arange(3000.0).reshape(1000, 3)
    data = gn.Dataset.from_arrays(X, X[:, 0] / 100 + 0.5, validation=100)
    found = Sample.draw(context_of(data), len(data.train.y), data.encoded.validation)
    assert found.new == 100
    assert (found.held_out.X[:100] == data.validation.X).all()
    own = found.held_out.X[100:, 0]
    assert len(own) == pytest.approx(len(data.train.y) / 3, abs=1)
    assert not set(own) & set(found.learned.X[:, 0])
    assert set(own) | set(found.learned.X[:, 0]) == set(data.train.X[:, 0])
    many = gn.Dataset.from_arrays(np.tile(X, (6, 1)), np.tile(X[:, 0], 6) / 100 + 0.5, validation=0.5)
    found = Sample.draw(context_of(many), len(many.train.y), many.encoded.validation)
    assert (found.new, len(found.held_out.X)) == (HELD_OUT, HELD_OUT)


def test_rows_that_count_differently_are_held_out_of_training():
    X = np.arange(900.0).reshape(300, 3)
    data = gn.Dataset.from_arrays(X, X[:, 0] / 100 + 0.5, validation=50)
    weights = np.where(np.arange(len(data.train.y)) % 2, 3.0, 1.0)
    found = Sample.draw(context_of(data, weights), len(data.train.y), data.encoded.validation)
    assert found.new == 0
    of_row = dict(zip(data.train.X[:, 0], weights / weights.mean(), strict=True))
    assert found.held_out.weights == pytest.approx([of_row[x] for x in found.held_out.X[:, 0]])


def test_wide_rows_are_fewer(monkeypatch):
    monkeypatch.setattr(learnable, "CELLS", 600_000)
    data = gn.Dataset.from_arrays(RNG.random((1200, 1000), np.float32), RNG.normal(size=1200))
    network = gn.Network([1000, 1], loss="half_squared_error")
    X, targets = network.check_data(*data.encoded.train)
    update = Update(gn.Adam())
    state = update.start(network.parameters)
    wide = StepContext(network, update, state, X, targets, None, (0, 0, 0), 32, 0, lambda t: np.ones(len(t)))
    found = Sample.draw(wide, len(targets), data.encoded.validation)
    assert len(found.learned.X) + len(found.held_out.X) <= 600


# By hand.


def small(loss, answers, targets, weights=None):
    targets = np.array(targets, float)
    rows = Rows(np.zeros((len(targets), 1)), targets, np.ones(len(targets)) if weights is None else weights)
    return Sample(LOSSES.resolve(loss), rows, rows, len(targets)).costs(np.array(answers, float)).tolist()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_what_answers_cost_by_hand(reduction):
    weights = np.array([0.5, 1.5])
    assert small(f"half_squared_error({reduction})", [[1, 2], [3, 3]], [[0, 0], [3, 1]]) == [2.5, 2]
    assert small(f"half_squared_error({reduction})", [[1, 2], [3, 3]], [[0, 0], [3, 1]], weights) == [1.25, 3]
    shares = [[0.75, 0.25], [0.5, 0.5]], [[1, 0], [1, 0]]
    assert small(f"cross_entropy({reduction})", *shares) == [0.125, 0.5]
    assert small(f"cross_entropy({reduction})", *shares, weights) == [0.0625, 0.75]
    assert small(f"absolute_error({reduction})", [[np.nan, 0], [0, 0]], [[0, 0], [0, 2]])[0] == np.inf


def test_a_gain_by_hand():
    found = sample_of(np.zeros((40, 1)), np.tile([[-1.0], [1.0]], (20, 1)), apart=20)
    assert found.constant.tolist() == [0.5] * 20
    assert found.gain(np.full(20, 0.125)) == 0.75
    assert found.gain(np.full(20, 0.75)) == -0.5
    single = sample_of(np.zeros((40, 1)), np.ones((40, 1)), apart=20)
    assert single.gain(np.ones(20)) == 0


@pytest.mark.parametrize(
    ("gained", "deviations", "less"),
    [(0.201, 2.0, True), (0.199, 2.0, False), (0.301, 3.0, True), (0.299, 3.0, False)],
)
def test_a_difference_is_no_chance_beyond_so_many_deviations_of_its_mean(gained, deviations, less):
    """Of 100 rows whose gains are 1 above and below their mean, that mean has a deviation of a tenth."""
    others = np.full(100, 5.0)
    assert costs_less(others - gained + np.tile([1.0, -1.0], 50), others, deviations) == less
    assert costs_less(others - gained + np.tile([1.0, -1.0], 50), others) == (gained > 0.2)


def test_a_reference_finds_something_by_three_deviations_beside_the_constant():
    found = sample_of(np.zeros((200, 1)), np.zeros((200, 1)), apart=100)
    for gained, found_more in ((0.301, True), (0.299, False)):
        vars(found).update(constant=np.full(100, 5.0), reference=5.0 - gained + np.tile([1.0, -1.0], 50))
        assert found.is_learnable == found_more


def test_references_scale_columns_by_the_rows_that_they_learn_from_and_clip_them_on_either_side(monkeypatch):
    seen = []

    def keep(X, T, weights, new, *_):
        seen.append((X, new))
        return np.zeros((len(new), 1))

    monkeypatch.setattr(learnable, "regress", keep)
    monkeypatch.setattr(learnable, "average_neighbours", lambda *rest: [keep(*rest)])
    quarters = np.tile([-1.0, -1.0, 1.0, 1.0], 5)  # its quartiles are 2 apart
    rounding, more = (-100 * (1 + share / 2 * quarters) for share in (0.9e-7, 1.1e-7))
    X = np.column_stack([10 + 4 * quarters, np.full(20, 7.0), rounding, more])
    new = np.array([[18.0, 7, -100, -100], [1e6, 9, 99, 99], [-1e6, 7, -1e6, -1e6]])
    learned, held_out = (Rows(part, np.zeros((len(part), 1)), np.ones(len(part))) for part in (X, new))
    assert Sample(LOSSES.resolve("half_squared_error"), learned, held_out, 3).reference.tolist() == [0, 0, 0]
    assert len(seen) == 4  # three penalties, and neighbours
    half = 0.5 / np.sqrt(1 + (0.5 / 3) ** 2)
    for scaled, others in seen:
        assert scaled[:, 0] == pytest.approx(half * quarters)
        assert others[:, 0] == pytest.approx([1 / np.sqrt(1 + 1 / 9), 3, -3])
        for column in (1, 2):  # no difference, or no more than rounding
            assert not scaled[:, column].any()
            assert not others[:, column].any()
        assert scaled[:, 3] == pytest.approx(-half * quarters)
        assert others[:, 3] == pytest.approx([0, 3, -3])


def test_references_count_weights_and_stay_within_the_targets():
    """A constant column: the reference is the weighted mean, and no line goes beyond what was seen."""
    y = np.array([[0.0], [0.0], [0.0], [4.0]] * 50)
    weights = np.where(y[:, 0] == 4, 3.0, 1.0) * 2 / 3
    found = sample_of(np.zeros((200, 1)), y, weights=weights, apart=100)
    assert found.reference == pytest.approx(found.held_out.weights * (found.held_out.targets[:, 0] - 2) ** 2 / 2)
    X = np.r_[np.full(100, 50.0), np.linspace(-1, 1, 100)][:, None]
    found = sample_of(X, np.clip(X, -1, 1), apart=100)
    assert found.reference == pytest.approx(np.zeros(100), abs=1e-9)


@pytest.mark.parametrize(
    ("n", "validation", "parts"), [(300, 0, (200, 100)), (3, 0, (3, 0)), (5000, 400, (1950, 1050))]
)
def test_so_many_rows_are_learned_from_and_held_out(n, validation, parts):
    X = np.arange(3.0 * n).reshape(n, 3)
    y = X[:, 0] / 7 + 0.5
    splits = Split(X, y), Split(X[:validation], y[:validation]), Split(X[:0], y[:0])
    data = gn.Dataset("made", *splits, Schema.learn(X, y))
    found = Sample.draw(context_of(data), n, data.encoded.validation)
    assert found.new == validation
    assert (len(found.learned.X), len(found.held_out.X)) == parts
    drawn = Sample.draw(context_of(data), n // 2, data.encoded.validation)
    assert max(drawn.learned.X.max(), drawn.held_out.X[validation:].max(initial=0)) <= X[n // 2 - 1].max()
