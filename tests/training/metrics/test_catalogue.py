import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from tests.training.metrics.encoded_rows import of_task, target_of

from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset
from glassnet.data.splits import Split
from glassnet.data.target_schema import TASKS, TargetSchema
from glassnet.errors import DataError, UsageError
from glassnet.nn.network import BLOCK_ROWS, Network
from glassnet.training import metrics as gm
from glassnet.training.fit import fit
from glassnet.training.metrics import METRICS, check_metrics, evaluate_predictions, predict_rows

BINARY = ["loss", "accuracy", "balanced_accuracy", "f1", "auc", "log_loss"]


def echo(d, loss="cross_entropy", classes=None, **options):
    """Return a network whose outputs, the logits where there are any, are its inputs."""
    names = None if classes is None else [f"class {label}" for label in range(classes)]
    network = Network([d, d], initializer="zeros", dtype="float64", loss=loss, class_names=names, **options)
    network.W[0][:] = np.eye(d)
    return network


def measure(network, split, names, task, target=None):
    return gm.measure(predict_rows(network, of_task(split, task, target)), names)


def check(network, split, names, task):
    check_metrics(network, split, names, target_of(task, network.layers[-1]))


def one_hot(labels, classes):
    return 10.0 * np.eye(classes)[labels]


def trained(data, units, loss, **options):
    layers = [int(np.prod(data.train.X.shape[1:])), 8, units]
    network = Network(layers, "tanh", loss=loss, class_names=data.class_names)
    fit(network, data, epochs=2, progress=False, **options)
    return network


# By hand


def test_a_binary_task_by_hand():
    # logits  2  -1   1  -1   -3    said 1 0 1 0 0
    # truth   1   1   0   0    0    TP 1, FN 1, FP 1, TN 2
    logits, y = np.array([2.0, -1, 1, -1, -3])[:, None], np.array([1, 1, 0, 0, 0])
    found = measure(echo(1, "binary_cross_entropy", 2), Split(logits, y), BINARY, "binary")
    assert list(found) == BINARY
    assert found["accuracy"] == 3 / 5
    assert found["balanced_accuracy"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found["f1"] == 2 * 1 / (2 * 1 + 1 + 1)
    assert found["auc"] == pytest.approx((3 + 0 + 0.5 + 1) / 6)  # 2 beats 3; -1 loses, ties, wins
    rows = [math.log1p(math.exp(z)) for z in (-2, 1, 1, -1, -3)]
    assert found["loss"] == pytest.approx(sum(rows) / 5)
    assert found["log_loss"] == pytest.approx(sum(rows) / 5)
    assert all(type(value) is float for value in found.values())


def test_classes_by_hand_leave_out_those_without_rows():
    y, said = np.array([0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 1, 1, 2, 2, 2])
    found = measure(echo(3), Split(one_hot(said, 3), y), ["f1", "balanced_accuracy", "accuracy"], "multi-class")
    # class 0: TP 2 FN 1 FP 0    class 1: TP 1 FN 3 FP 1    class 2: no rows
    assert found["f1"] == pytest.approx((4 / 5 + 2 / 6) / 2)
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 4) / 2)
    assert found["accuracy"] == 3 / 7


def test_the_labels_of_a_row_by_hand():
    logits = np.array([[1.0, -1.0, 3.0], [0.0, 2.0, -1.0], [-2.0, 5.0, -1.0]])
    y = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0]])
    found = measure(echo(3, "binary_cross_entropy"), Split(logits, y), ["accuracy", "f1"], "multi-label")
    # said 1 0 1 | 1 1 0 | 0 1 0: a logit of 0 counts as 1
    # label 0: TP 1 FN 1 FP 1, label 1: TP 2, label 2: on no row
    assert found == pytest.approx({"accuracy": 6 / 9, "f1": (1 / 2 + 1) / 2})


def test_a_label_that_is_half_true_counts_as_true_like_everywhere():
    network, split = echo(2, "binary_cross_entropy"), Split(np.array([[1.0, -1.0]]), np.array([[0.5, 0.5]]))
    found = measure(network, split, ["accuracy", "f1"], "multi-label")
    assert found == {"accuracy": 0.5, "f1": 0.5}
    assert found["accuracy"] == predict_rows(network, split).running.accuracy


def test_numbers_by_hand():
    X, y = np.array([[1.0, 0.0], [3.0, 1.0]]), np.array([[2.0, 0.0], [4.0, 2.0]])
    found = measure(echo(2, "half_squared_error"), Split(X, y), ["mae", "r2", "loss"], "regression")
    assert found["mae"] == (1 + 0 + 1 + 1) / 4
    assert found["r2"] == pytest.approx(((1 - 2 / 2) + (1 - 1 / 2)) / 2)
    assert found["loss"] == pytest.approx((0.5 * 1 + 0.5 * 2) / 2)


def test_an_ordinal_error_counts_the_classes_between():
    split = Split(one_hot([0, 3, 1], 4), np.array([0, 1, 2]))
    assert measure(echo(4), split, ["mae"], "ordinal") == {"mae": (0 + 2 + 1) / 3}
    regresses = echo(1, "half_squared_error", classes=4)
    split = Split(np.array([[0.4], [7.0], [1.2]]), np.array([0, 1, 2]))
    assert measure(regresses, split, ["mae"], "ordinal") == {"mae": (0 + 2 + 1) / 3}


@pytest.mark.parametrize(("units", "loss"), [(1, "binary_cross_entropy"), (2, "cross_entropy")])
def test_log_loss_of_a_certain_error_is_its_logit_and_not_a_bound(units, loss):
    X = np.array([[300.0], [-300.0]]) if units == 1 else np.array([[0.0, 300.0], [300.0, 0.0]])
    split = Split(X, np.array([0, 1]))
    assert measure(echo(units, loss, 2), split, ["log_loss"], "binary") == {"log_loss": pytest.approx(300.0)}


def test_log_loss_is_a_mean_where_the_loss_is_a_sum():
    network = echo(2, "cross_entropy(sum)")
    found = measure(network, Split(np.zeros((3, 2)), np.array([0, 1, 1])), ["loss", "log_loss"], "binary")
    assert found == pytest.approx({"loss": 3 * math.log(2), "log_loss": math.log(2)})


# Against scikit-learn, and against what `evaluate` says of the same network


@pytest.mark.parametrize(("units", "loss"), [(1, "binary_cross_entropy"), (2, "cross_entropy")])
def test_a_binary_network_has_the_metrics_of_scikit_learn(units, loss):
    data = load_dataset("breast-cancer")
    network = trained(data, units, loss)
    X, y = data.encoded.validation
    outputs, labels = network.outputs(X).astype(np.float64), network.predict(X)
    p = outputs[:, -1]
    found = gm.measure(predict_rows(network, data.validation), BINARY)
    assert found == pytest.approx(
        {
            "loss": predict_rows(network, data.validation).running.loss,
            "accuracy": metrics.accuracy_score(y, labels),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, labels),
            "f1": metrics.f1_score(y, labels),
            "auc": metrics.roc_auc_score(y, p),
            "log_loss": metrics.log_loss(y, p),
        },
        rel=1e-6,
    )


def test_a_network_of_many_classes_has_the_metrics_of_scikit_learn(digits):
    network = trained(digits, 10, "cross_entropy", optimizer="adam(0.01)")
    X, y = digits.encoded.validation
    p, labels = network.outputs(X).astype(np.float64), network.predict(X)
    found = gm.measure(predict_rows(network, digits.validation), BINARY)
    assert 0.2 < found["accuracy"] < 1
    assert found == pytest.approx(
        {
            "loss": predict_rows(network, digits.validation).running.loss,
            "accuracy": metrics.accuracy_score(y, labels),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, labels),
            "f1": metrics.f1_score(y, labels, average="macro"),
            "auc": metrics.roc_auc_score(y, p / p.sum(axis=1, keepdims=True), multi_class="ovr"),
            "log_loss": metrics.log_loss(y, p / p.sum(axis=1, keepdims=True)),
        },
        rel=1e-6,
    )


@pytest.mark.parametrize("labels", [1, 3])
def test_labels_of_a_row_have_the_metrics_of_scikit_learn(labels):
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=(60, labels))
    logits = rng.normal(size=(60, labels)) + y
    found = measure(
        echo(labels, "binary_cross_entropy"), Split(logits, y), ["accuracy", "f1", "auc"], "multi-label"
    )
    columns = list(zip(y.T, logits.T, strict=True))
    assert found == pytest.approx(
        {
            "accuracy": np.mean([metrics.accuracy_score(truth, z >= 0) for truth, z in columns]),
            "f1": np.mean([metrics.f1_score(truth, z >= 0) for truth, z in columns]),
            "auc": np.mean([metrics.roc_auc_score(truth, z) for truth, z in columns]),
        }
    )


@pytest.mark.parametrize("columns", [None, 1, 3])
def test_numbers_have_the_metrics_of_scikit_learn(columns):
    rng = np.random.default_rng(0)
    y = rng.normal(size=40 if columns is None else (40, columns))
    X = y.reshape(40, -1) + rng.normal(size=(40, columns or 1))
    found = measure(echo(columns or 1, "half_squared_error"), Split(X, y), ["r2", "mae"], "regression")
    truth = y.reshape(40, -1)
    assert found == pytest.approx({"r2": metrics.r2_score(truth, X), "mae": metrics.mean_absolute_error(truth, X)})


@given(
    case=st.integers(2, 5).flatmap(
        lambda k: st.lists(st.tuples(*[st.integers(0, k - 1)] * 2), min_size=1, max_size=30).map(lambda r: (k, r))
    )
)
def test_scores_of_any_labels_are_those_of_scikit_learn(case):
    classes, pairs = case
    y, said = np.array(pairs).T
    found = measure(echo(classes), Split(one_hot(said, classes), y), ["f1", "balanced_accuracy"], "multi-class")
    _, recall, f1, _ = metrics.precision_recall_fscore_support(y, said, labels=np.unique(y), zero_division=0)
    assert found == pytest.approx({"f1": f1.mean(), "balanced_accuracy": recall.mean()})
    if classes == 2 and y.any():
        f1 = measure(echo(2), Split(one_hot(said, 2), y), ["f1"], "binary")["f1"]
        assert f1 == pytest.approx(metrics.f1_score(y, said, zero_division=0))


@pytest.mark.parametrize(
    ("task", "units", "loss", "names"),
    [
        ("binary", 1, "binary_cross_entropy", ["auc", "accuracy"]),
        ("binary", 2, "cross_entropy", ["auc", "accuracy"]),
        ("multi-class", 3, "cross_entropy", ["auc", "accuracy"]),
        ("ordinal", 3, "cross_entropy", ["auc", "accuracy"]),
        ("multi-class", 1, "half_squared_error", ["accuracy"]),
        ("multi-label", 3, "binary_cross_entropy", ["auc", "accuracy"]),
        ("regression", 3, "half_squared_error", ["mae", "r2"]),
    ],
)
def test_metrics_are_those_of_evaluate_and_of_the_pass(task, units, loss, names):
    rng = np.random.default_rng(3)
    n = BLOCK_ROWS + 70  # two blocks, the last one short
    y = {
        "multi-label": rng.integers(2, size=(n, 3)),
        "regression": rng.normal(size=(n, 3)).astype(np.float32),
        "binary": rng.integers(2, size=n),
    }.get(task, rng.integers(3, size=n))
    data = Dataset.from_arrays(rng.normal(size=(n, 4)), y, rng.normal(size=(n, 4)), y, validation=0, task=task)
    network = Network([4, 5, units], loss=loss, class_names=data.class_names)
    before = network.fingerprint()
    predictions = predict_rows(network, data.test)
    plain, found = gm.evaluate(network, data.test), evaluate_predictions(predictions)
    assert gm.measure(predictions, names) == pytest.approx({name: found[name] for name in names}, rel=1e-5)
    assert gm.measure(predict_rows(network, data.test), ["loss"]) == {"loss": plain.loss}
    assert predictions.running.loss == found.loss == plain.loss
    if "accuracy" in names:
        running = predictions.running.accuracy
        assert gm.measure(predictions, ["accuracy"])["accuracy"] == plain.accuracy == running
    assert network.fingerprint() == before


def test_the_mean_absolute_error_of_scaled_numbers_is_in_their_own_units():
    price, errors = np.array([100.5, 200.25, 600.75]), np.array([10.0, -20.0, 30.0])
    target, _ = TargetSchema.learn(price, names=["price"], scale_by=price)
    split = Split(target.encode(price + errors).reshape(-1, 1), target.encode(price))
    found = measure(echo(1, "half_squared_error"), split, ["mae", "r2"], "regression", target)
    assert found["mae"] == pytest.approx(20, rel=1e-5)
    assert found["r2"] == pytest.approx(metrics.r2_score(price, price + errors), rel=1e-5)


def test_one_forward_pass_serves_all_metrics(monkeypatch):
    network = echo(2)
    passes = []
    forward = network.forward
    monkeypatch.setattr(network, "forward", lambda X, **options: passes.append(len(X)) or forward(X, **options))
    split = Split(np.eye(2), np.array([0, 1]))
    check(network, split, BINARY, "binary")
    assert passes == []
    measure(network, split, BINARY, "binary")
    assert passes == [2]


def test_what_is_better_grows_where_larger_is_better():
    y = np.arange(30) % 3
    good, bad = (Split(one_hot(said, 3), y) for said in (np.where(np.arange(30) < 27, y, 2 - y), 2 - y))
    numbers = [Split((y + error)[:, None], y.astype(float)) for error in (0.1, 2.0)]
    for metric in METRICS.values():
        if "multi-class" in metric.tasks or "ordinal" in metric.tasks:
            task = "multi-class" if "multi-class" in metric.tasks else "ordinal"
            better, worse = (metric.value(predict_rows(echo(3), of_task(split, task))) for split in (good, bad))
        else:
            network = echo(1, "half_squared_error")
            better, worse = (metric.value(predict_rows(network, split)) for split in numbers)
        assert (better > worse) == metric.larger_is_better
        assert better != worse


# What cannot be measured


def test_every_task_has_metrics_under_their_names():
    assert all(name == metric.name and set(metric.tasks) <= set(TASKS) for name, metric in METRICS.items())
    assert {task: [m.name for m in METRICS.values() if task in m.tasks] for task in TASKS} == {
        "multi-class": BINARY,
        "binary": BINARY,
        "multi-label": ["loss", "accuracy", "f1", "auc"],
        "ordinal": [*BINARY, "mae"],
        "regression": ["loss", "r2", "mae"],
    }


@pytest.mark.parametrize("function", [check, measure])
@pytest.mark.parametrize(
    ("network", "y", "name", "task", "error", "message"),
    [
        (echo(2), [0, 1], "acuracy", "binary", UsageError, "metrics: unknown name 'acuracy'; did you mean 'accu"),
        (
            echo(2),
            [0, 1],
            "r2",
            "binary",
            UsageError,
            "metrics: r2 is no measure of a binary task; these are: loss,",
        ),
        (echo(2), [[0, 1], [1, 0]], "log_loss", "multi-label", UsageError, "these are: loss, accuracy, f1, auc"),
        (
            echo(1, "half_squared_error", 2),
            [0, 1],
            "auc",
            "binary",
            UsageError,
            "metrics: auc needs probabilities, and half_squared_error gives none",
        ),
        (echo(2), [0, 0], "auc", "binary", DataError, "auc cannot be measured .* label 1 occurs on no row"),
        (echo(2), [1, 1], "auc", "binary", DataError, "label 1 occurs on every row"),
        (echo(3), [0, 1], "auc", "multi-class", DataError, "class 2 occurs on no row"),
        (echo(2), [0, 0], "f1", "binary", DataError, "f1 cannot be measured .* label 1 occurs on no row"),
        (
            echo(2, "binary_cross_entropy"),
            [[0, 0], [0, 0]],
            "f1",
            "multi-label",
            DataError,
            "a label occurs on no row",
        ),
        (echo(2), [[0, 1], [1, 1]], "f1", "multi-label", DataError, "cross_entropy decides on no label by itself"),
        (echo(1, "half_squared_error"), [2.0, 2.0], "r2", "regression", DataError, "r2 .* the same on every row"),
        (
            echo(2, "binary_cross_entropy", 2),
            [0, 1],
            "log_loss",
            "binary",
            DataError,
            "2 sigmoids are no probabilities of classes",
        ),
        (echo(1, "binary_cross_entropy"), [0, 1], "f1", "binary", DataError, "give the network class_names"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_training_as_after(
    function, network, y, name, task, error, message
):
    y = np.array(y)
    split = Split(np.zeros((2, network.layers[0])), y)
    with pytest.raises(error, match=message) as caught:
        function(network, split, ["loss", name], task)
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)


def test_metrics_need_rows():
    empty = Split(np.zeros((0, 2)), np.zeros(0, int))
    with pytest.raises(UsageError, match=r"^metrics: there are no validation rows"):
        check(echo(2), empty, ["accuracy"], "binary")
    check(echo(2), empty, [], "binary")


# What the network answers, not its logits


@pytest.mark.parametrize(
    ("loss", "units"), [("binary_cross_entropy", 1), ("binary_cross_entropy", 3), ("cross_entropy", 2)]
)
def test_errors_of_proportions_are_those_of_the_probabilities(loss, units):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(40, units)) * 3
    network = echo(units, loss)
    answers = network.outputs(logits)
    y = np.clip(answers + rng.normal(size=answers.shape) * 0.05, 0, 1)
    y = y / y.sum(axis=1, keepdims=True) if loss == "cross_entropy" else y
    found = measure(network, Split(logits, y), ["r2", "mae"], "regression")
    assert found == pytest.approx(
        {"r2": metrics.r2_score(y, answers), "mae": metrics.mean_absolute_error(y, answers)}
    )
    assert found["r2"] > 0.9


def test_a_history_and_early_stopping_by_r2_see_the_probabilities():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4)).astype(np.float32)
    data = Dataset.from_arrays(X, 1 / (1 + np.exp(-(X @ np.array([1.0, -2.0, 0.5, 0.0])))))
    network = Network([4, 1], loss="binary_cross_entropy")
    run = fit(
        network, data, epochs=20, optimizer="adam(0.05)", progress=False, early_stopping="patience(5, monitor=r2)"
    )
    truth = metrics.r2_score(data.validation.y, network.outputs(data.validation.X)[:, 0])
    assert max(record.measures["validation_r2"] for record in run.history) == pytest.approx(truth, rel=1e-6)
    assert truth > 0.95
    assert run.stopped == "epochs"
