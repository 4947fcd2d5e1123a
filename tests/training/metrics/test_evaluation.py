import copy
import math
import pickle

import numpy as np
import pytest
from sklearn import metrics
from tests.training.metrics.encoded_rows import of_task

from glassnet.data.array_schema import ArraySchema
from glassnet.data.dataset import Dataset
from glassnet.data.schema import Schema
from glassnet.data.splits import Split
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import DataError, UsageError
from glassnet.nn.network import Network
from glassnet.training.fit import fit
from glassnet.training.metrics import (
    ClassScore,
    Evaluation,
    auc_interval,
    class_scores,
    evaluate,
    evaluate_predictions,
    predict_rows,
    spread_over_runs,
    wilson_interval,
    write_scores,
)
from glassnet.training.model import Model

ROWS = 90


def assess(network, split, task, target=None):
    return evaluate_predictions(predict_rows(network, of_task(split, task, target)))


def trained(layers, y, task=None, **options):
    """Return a network after a little training on rows that say something of y, and other such rows."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(len(y), layers[0])) + y.reshape(len(y), -1).mean(axis=1, keepdims=True)
    data = Dataset.from_arrays(X, y, X, y, validation=0, task=task)
    network = Network(layers, "tanh", dtype="float64", **options)
    fit(network, data, epochs=2, batch_size=10, progress=False)
    return network, data.encoded.test


@pytest.mark.parametrize(("units", "loss"), [(1, "binary_cross_entropy"), (2, "cross_entropy")])
def test_a_binary_network_has_the_measures_of_scikit_learn(units, loss):
    y = np.arange(ROWS) % 3 // 2
    network, split = trained([4, 3, units], y, loss=loss)
    found = assess(network, split, "binary")
    scores, labels = network.outputs(split.X), network.predict(split.X)
    assert found.measures == pytest.approx(
        {
            "auc": metrics.roc_auc_score(y, scores[:, -1]),
            "accuracy": metrics.accuracy_score(y, labels),
            "sensitivity": metrics.recall_score(y, labels),
            "specificity": metrics.recall_score(y, labels, pos_label=0),
        }
    )
    assert found.intervals["auc"] == auc_interval(y, scores)
    assert found.intervals["accuracy"] == wilson_interval(int((labels == y).sum()), ROWS)
    assert found.intervals["sensitivity"] == wilson_interval(int(labels[y == 1].sum()), ROWS // 3)
    assert found.intervals["specificity"] == wilson_interval(int((1 - labels[y == 0]).sum()), 2 * ROWS // 3)
    assert (found.rows, found.loss) == (ROWS, evaluate(network, split).loss)


@pytest.mark.parametrize("task", ["multi-class", "ordinal"])
def test_several_classes_have_the_mean_auc_of_each_against_the_rest(task):
    y = np.arange(ROWS) % 4
    network, split = trained([4, 3, 4], y, task)
    found = assess(network, split, task)
    labels = network.predict(split.X)
    assert found.measures == pytest.approx(
        {
            "auc": metrics.roc_auc_score(y, network.outputs(split.X), multi_class="ovr"),
            "accuracy": metrics.accuracy_score(y, labels),
        }
    )
    assert found.intervals == {"accuracy": wilson_interval(int((labels == y).sum()), ROWS)}


def test_labels_of_a_row_are_measured_each_for_itself():
    y = np.random.default_rng(0).integers(0, 2, (ROWS, 3))
    network, split = trained([4, 3, 3], y, loss="binary_cross_entropy")
    found = assess(network, split, "multi-label")
    scores = network.outputs(split.X)
    assert found.measures == pytest.approx(
        {
            "auc": metrics.roc_auc_score(y, scores, average="macro"),
            "accuracy": 1 - metrics.hamming_loss(y, scores >= 0.5),
        }
    )
    assert found.intervals == {}  # labels of a row are not independent
    assert evaluate(network, split).accuracy == pytest.approx(found.measures["accuracy"])


@pytest.mark.parametrize("columns", [None, 1, 3])
def test_numbers_have_r2_and_the_mean_absolute_error(columns):
    rng = np.random.default_rng(0)
    y = rng.normal(size=ROWS if columns is None else (ROWS, columns))
    network, split = trained([4, 3, columns or 1], y, loss="half_squared_error")
    found = assess(network, split, "regression")
    predicted, truth = network.outputs(split.X), y.reshape(ROWS, -1)
    assert found.measures == pytest.approx(
        {"r2": metrics.r2_score(truth, predicted), "mae": metrics.mean_absolute_error(truth, predicted)}
    )
    assert found.intervals == {}


def test_the_mean_absolute_error_of_scaled_numbers_is_in_their_own_units():
    price = np.random.default_rng(0).normal(300_000.0, 40_000.0, ROWS)
    target, _ = TargetSchema.learn(price, scale_by=price)
    network, split = trained([4, 3, 1], target.encode(price), loss="half_squared_error")
    found, scaled = (assess(network, split, "regression", given) for given in (target, None))
    predicted = target.decode(network.outputs(split.X)[:, 0])
    assert found.measures["mae"] == pytest.approx(metrics.mean_absolute_error(price, predicted))
    assert found.measures["mae"] == pytest.approx(scaled.measures["mae"] * price.std())
    assert found.measures["r2"] == scaled.measures["r2"] == pytest.approx(metrics.r2_score(price, predicted))


def test_without_rows_of_a_class_there_is_no_auc_and_the_rest_stays():
    y = np.arange(ROWS) % 3
    network, split = trained([4, 3, 3], y)
    some = Split(split.X[y < 2], y[y < 2])
    found = assess(network, some, "multi-class")
    assert found.measures == {"accuracy": pytest.approx(np.mean(network.predict(some.X) == some.y))}
    assert set(found.intervals) == {"accuracy"}


def test_rows_of_one_class_have_a_sensitivity_or_a_specificity():
    y = np.arange(ROWS) % 2
    network, split = trained([4, 3, 1], y, loss="binary_cross_entropy")
    for label, name in ((1, "sensitivity"), (0, "specificity")):
        found = assess(network, Split(split.X[y == label], y[y == label]), "binary")
        assert set(found.measures) == set(found.intervals) == {"accuracy", name}
        assert found.measures["accuracy"] == found.measures[name]


def test_an_auc_of_one_row_of_a_class_has_no_interval():
    y = np.arange(ROWS) % 2
    network, split = trained([4, 3, 1], y, loss="binary_cross_entropy")
    rows = [0, 1, 3, 5]
    found = assess(network, Split(split.X[rows], y[rows]), "binary")
    assert "auc" in found.measures
    assert set(found.intervals) == {"accuracy", "sensitivity", "specificity"}


def test_a_network_that_regresses_the_class_number_has_its_accuracy_only():
    y = np.arange(ROWS) % 3
    network, split = trained([4, 3, 1], y, loss="half_squared_error")
    found = assess(network, split, "multi-class")
    right = np.mean(network.predict(split.X) == split.y)
    assert found == Evaluation(ROWS, evaluate(network, split).loss, {"accuracy": right})


def test_the_network_is_left_as_it_is():
    y = np.arange(ROWS) % 2
    network, split = trained([4, 3, 2], y)
    before = network.fingerprint()
    assert assess(network, (split.X, y), "binary") == assess(network, split, "binary")
    assert network.fingerprint() == before


def runs(*shares, **more):
    return [Evaluation(10, 0.1, {"accuracy": share, **more}) for share in shares]


def test_the_spread_of_runs_by_hand():
    spread = spread_over_runs(runs(0.7, 0.8, 0.9))["accuracy"]
    assert (spread.mean, spread.std) == pytest.approx((0.8, 0.1))
    reach = 4.302652729911275 * 0.1 / math.sqrt(3)  # Student's t of 2 degrees of freedom, 97.5 %
    assert (spread.low, spread.high) == pytest.approx((0.8 - reach, 0.8 + reach))
    pair = spread_over_runs(runs(0.5, 0.6))["accuracy"]
    assert pair.high - pair.mean == pytest.approx(12.706204736432095 * math.sqrt(0.005) / math.sqrt(2))
    alike = spread_over_runs(runs(0.5, 0.5, 0.5))["accuracy"]
    assert (alike.mean, alike.std, alike.low, alike.high) == (0.5, 0.0, 0.5, 0.5)


def test_a_measure_that_a_run_lacks_has_no_spread():
    assert set(spread_over_runs([*runs(0.7, auc=0.9), *runs(0.8)])) == {"accuracy"}
    assert set(spread_over_runs([*runs(0.7), *runs(0.8, auc=0.9)])) == {"accuracy"}


def test_a_single_run_has_a_mean_and_no_std():
    spread = spread_over_runs(runs(0.7))["accuracy"]
    assert spread.mean == 0.7
    assert all(math.isnan(value) for value in (spread.std, spread.low, spread.high))


@pytest.mark.parametrize("measures", [{}, {"accuracy": 0.5}, {"r2": 0.5, "mae": 1.0}])
def test_scores_without_an_auc_have_no_name(tmp_path, measures):
    with pytest.raises(DataError, match=r"^scores: these rows have no AUC"):
        write_scores(tmp_path, "digits", "test", "run", np.array([[0.5]]), measures)
    assert not list(tmp_path.iterdir())


def test_perfect_scores_have_no_interval_of_their_auc():
    network = Network([2, 1], loss="binary_cross_entropy", initializer=np.array([1.0, -1.0, 0.0]))
    found = assess(network, Split(np.eye(2), np.array([1, 0])), "binary")
    assert found.measures["auc"] == 1
    assert "auc" not in found.intervals
    assert found.intervals["accuracy"][0] < 1


# Class by class


def echo(d, **options):
    """Return a network whose output is its input."""
    network = Network([d, d], initializer="zeros", dtype="float64", **options)
    network.W[0][:] = np.eye(d)
    return network


def test_class_scores_by_hand():
    #            predicted a  b  c
    #   true a            2  1  0
    #        b            0  1  3
    #        c            0  0  0    (no rows)
    predicted = np.array([0, 0, 1, 1, 2, 2, 2])
    split = Split(np.eye(3)[predicted], np.array([0, 0, 0, 1, 1, 1, 1]))
    scores = class_scores(predict_rows(echo(3, class_names=list("abc")), split))
    assert scores == [
        ClassScore("a", 1.0, 2 / 3, pytest.approx(0.8), 3, "b", 1),
        ClassScore("b", 0.5, 0.25, pytest.approx(1 / 3), 4, "c", 3),
        ClassScore("c", 0.0, 0.0, 0.0, 0, None, 0),
    ]
    assert all(type(score.precision) is type(score.recall) is type(score.f1) is float for score in scores)


def test_class_scores_number_classes_without_names_and_refuse_numbers():
    split = Split(np.eye(2), np.array([0, 1]))
    assert [score.name for score in class_scores(predict_rows(echo(2), split))] == ["0", "1"]
    with pytest.raises(DataError, match="has no classes"):
        class_scores(predict_rows(echo(2, loss="half_squared_error"), split))


# Three forms of one call, and named numbers


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    return rng.normal(size=(60, 4)) + y[:, None], y


def test_rows_a_pair_and_a_data_set_are_evaluated_alike(arrays):
    X, y = arrays
    network = Network([4, 2])
    data = Dataset.from_arrays(X + 1, y, X, y, validation=0)
    found = evaluate(network, X, y)
    assert found == evaluate(network, (X, y)) == evaluate(network, data.test) == evaluate(network, data)
    assert found == evaluate(network, X.tolist(), y.tolist())
    assert found == assess(network, data.encoded.test, "binary")


def test_the_task_is_what_network_and_labels_say():
    X, y = np.random.default_rng(0).normal(size=(12, 4)), np.arange(12) % 3
    several, numbers = np.eye(3, dtype=int)[y], X[:, :3]
    classes, two = {"auc", "accuracy"}, {"auc", "accuracy", "sensitivity", "specificity"}
    for network, y_, names in (
        (Network([4, 3]), y, classes),
        (Network([4, 2]), y // 2, two),
        (Network([4, 1], loss="binary_cross_entropy"), y // 2, two),
        (Network([4, 3], loss="binary_cross_entropy"), several, classes),
        (Network([4, 3], loss="binary_cross_entropy"), y, classes),
        (Network([4, 3], loss="half_squared_error"), numbers, {"r2", "mae"}),
        (Network([4, 3]), several.astype(float), {"r2", "mae"}),
        (Network([4, 3], loss="half_squared_error"), y, {"r2", "mae"}),
    ):
        found = evaluate(network, X, y_)
        assert set(found) == {"loss", *names}
    # Class numbers where the outputs are numbers: the targets are one-hot.
    assert found.r2 == pytest.approx(metrics.r2_score(np.eye(3)[y], network.predict(X)), rel=1e-6)


def test_a_data_set_says_its_task_and_the_units_of_its_target():
    price = np.random.default_rng(0).normal(300_000.0, 40_000.0, ROWS)
    X = np.random.default_rng(1).normal(size=(ROWS, 4))
    network = Network([4, 1], loss="half_squared_error")
    schema = Schema(ArraySchema.learn(X)[0], TargetSchema.learn(price, names=["price"], scale_by=price)[0])
    data = Dataset.from_arrays(X, price, X, price, validation=0, schema=schema)
    scaled = (price - price.mean()) / price.std()
    assert evaluate(network, data) == assess(network, (X, scaled), "regression", schema.target)
    assert evaluate(network, data) == evaluate(Model(network, schema), X, price)
    assert evaluate(network, data).mae == pytest.approx(evaluate(network, X, scaled).mae * price.std())
    assert evaluate(network, data).mae == pytest.approx(
        metrics.mean_absolute_error(price, network.outputs(X)[:, 0] * price.std() + price.mean())
    )


def test_numbers_are_read_by_name_and_by_attribute(arrays):
    network = Network([4, 2])
    found = evaluate(network, *arrays)
    assert list(found) == ["loss", "auc", "accuracy", "sensitivity", "specificity"]
    assert dict(found) == {"loss": found.loss, **found.measures}
    assert found["accuracy"] == found.accuracy == np.mean(network.predict(arrays[0]) == arrays[1])
    assert "f1" not in found
    with pytest.raises(AttributeError, match="'f1' was not measured; these were: loss, auc, accuracy, sens"):
        _ = found.f1
    with pytest.raises(KeyError):
        _ = found["f1"]
    assert copy.deepcopy(found) == pickle.loads(pickle.dumps(found)) == found


def test_it_prints_as_a_table(arrays):
    lines = repr(evaluate(Network([4, 2]), *arrays)).splitlines()
    assert lines[0].split() == ["rows", "60"]
    assert [line.split()[0] for line in lines] == ["rows", "loss", "auc", "accuracy", "sensitivity", "specificity"]
    assert len({line.index(line.split(maxsplit=1)[1]) for line in lines}) == 1
    found = Evaluation(12_345, 0.5, {"auc": 0.75}, {"auc": (0.7, 0.8)})
    assert repr(found) == "rows  12,345\nloss  0.5000\nauc   0.7500  (95 %: 0.700 to 0.800)"


def test_metrics_are_chosen_by_name(arrays):
    network = Network([4, 2])
    found = evaluate(network, *arrays, metrics=["f1", "loss", "log_loss"])
    assert list(found) == ["loss", "f1", "log_loss"]
    assert found.log_loss == pytest.approx(found.loss)
    assert list(evaluate(network, *arrays, metrics="f1")) == ["loss", "f1"]
    assert list(evaluate(network, *arrays, metrics=[])) == ["loss"]
    with pytest.raises(UsageError, match="metrics: unknown name 'f1_'; did you mean 'f1'"):
        evaluate(network, *arrays, metrics=["f1_"])
    with pytest.raises(DataError, match="metrics: auc cannot be measured"):
        evaluate(network, arrays[0][:1], arrays[1][:1], metrics=["auc"])


def test_a_wrong_call_says_what_is_right(arrays):
    X, y = arrays
    network, data = Network([4, 2]), Dataset.from_arrays(X, y)
    right = r"call evaluate\(model, X, y\), evaluate\(model, \(X, y\)\) or evaluate\(model, data\)"
    for wrong in ((X,), (data, y), ((X, y), y), ((X, y, y),), ([X, y],)):
        with pytest.raises(UsageError, match=right) as caught:
            evaluate(network, *wrong)
        assert "\n" not in str(caught.value)
    with pytest.raises(
        UsageError, match=r"model: must be a Model or a Network, got a ndarray; a run has its model as run\.model"
    ):
        evaluate(X, y)


def regressor(outputs, theta=None):
    """Return a linear network of three inputs with these parameters, or with some that chance draws."""
    theta = np.random.default_rng(2).normal(size=4 * outputs) if theta is None else np.array(theta, float)
    return Network([3, outputs], loss="half_squared_error", initializer=theta, dtype="float64")


@pytest.mark.parametrize("outputs", [1, 2])
def test_r2_is_that_of_scikit_learn_and_the_mean_over_the_outputs(outputs):
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(6, 3)), rng.normal(size=(6, outputs)) * [1, 10][:outputs] + [5, -3][:outputs]
    network = regressor(outputs)
    assert evaluate(network, X, y).r2 == pytest.approx(metrics.r2_score(y, network.predict(X)), rel=1e-12)
    assert evaluate(network, X, network.predict(X)).r2 == 1
    if outputs == 1:
        assert evaluate(network, X, y[:, 0]) == evaluate(network, X, y)


def test_r2_of_numbers_that_are_all_the_same_is_1_where_they_are_met():
    X, network = np.random.default_rng(3).normal(size=(6, 3)), regressor(1, [0, 0, 0, 2])
    for number, r2 in ((2.0, 1), (3.0, 0)):
        y = np.full(6, number)
        assert evaluate(network, X, y).r2 == metrics.r2_score(y, np.full(6, 2.0)) == r2


def test_one_output_rounds_to_a_class_that_is_right_or_wrong():
    theta, options = np.array([1.0, 0.0]), {"output_scale": 10, "class_names": list("abcdefghij")}
    network = Network([1, 1], loss="half_squared_error", initializer=theta, **options)
    X, y = np.array([[0.0], [0.34], [0.36], [0.9], [1.7], [-0.4]]), np.array([0, 3, 4, 9, 9, 1])
    assert evaluate(network, X, y).accuracy == 5 / 6


@pytest.mark.parametrize("loss", ["cross_entropy", "huber"])
def test_there_is_a_target_for_each_row(loss):
    network = Network([3, 2], loss=loss)
    with pytest.raises(DataError, match=r"^y: 5 targets for 6 rows of X"):
        evaluate(network, np.zeros((6, 3)), np.zeros(5, int) if loss == "cross_entropy" else np.zeros((5, 2)))


def test_labels_come_in_one_dimension():
    with pytest.raises(DataError, match=r"^y: the network has 2 outputs a row; .* the shape \(6, 1\)"):
        evaluate(Network([3, 2]), np.zeros((6, 3)), np.zeros((6, 1), int))


# Soft labels: a row has a share of each class


def soft_rows(n=40):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(n, 3))
    shares = np.exp(2 * X + rng.normal(size=X.shape))
    return X, shares / shares.sum(axis=1, keepdims=True)


def test_soft_labels_are_scored_by_the_class_with_the_largest_share_and_their_loss_by_all():
    X, shares = soft_rows()
    schema, y = Schema.learn(X, shares), shares.argmax(axis=1)
    assert schema.target.soft
    model = Model(echo(3), schema)
    found = model.evaluate(X, shares)
    p, labels = model.predict_proba(X), model.predict(X)
    assert found == evaluate(model, Dataset.from_arrays(X, shares, X, shares, validation=0, schema=schema))
    assert dict(found) == pytest.approx(
        {
            "loss": -(shares * np.log(p)).sum(axis=1).mean(),
            "auc": metrics.roc_auc_score(y, p, multi_class="ovr"),
            "accuracy": np.mean(labels == y),
        }
    )
    assert 0.5 < found.accuracy < 1
    assert found.intervals == {"accuracy": wilson_interval(int((labels == y).sum()), 40)}
    chosen = model.evaluate(X, shares, metrics=["log_loss", "f1", "balanced_accuracy"])
    assert chosen.log_loss == pytest.approx(found.loss)
    assert chosen.f1 == pytest.approx(metrics.f1_score(y, labels, average="macro"))
    predictions = predict_rows(model.network, model.encode((X, shares)))
    np.testing.assert_array_equal(predictions.confusion().counts, metrics.confusion_matrix(y, labels))
    np.testing.assert_allclose(predictions.row_losses(), -(shares * np.log(p)).sum(axis=1))


def test_training_on_soft_labels_counts_what_is_right_in_its_history():
    X, shares = soft_rows(200)
    data = Dataset.from_arrays(X, shares, validation=50)
    options = {
        "epochs": 12,
        "optimizer": "adam(0.05)",
        "progress": False,
        "early_stopping": "patience(9, monitor=accuracy)",
    }
    run = fit(Network([3, 8, 3], seed=1), data, metrics=["f1"], **options)
    best = list(run.history)[run.best_epoch - 1]
    y = data.validation.y.argmax(axis=1)
    assert best.validation_accuracy == np.mean(run.model.predict(data.validation.X) == y) > 0.6
    assert 0.6 < run.history.last.train_accuracy <= 1
    assert "validation_f1" in best.measures
