import math

import numpy as np
import pytest

import glassnet as gn
from glassnet.data.dataset import Dataset
from glassnet.report.error_analysis import analyse_errors
from glassnet.training.metrics import predict_test_rows


def analyse(network, data, **options):
    return analyse_errors(predict_test_rows(network, data), data, **options)


def plane(y_test, X_test, **options):
    X = np.array([[2.0, 0.0], [0.0, 2.0]] * 6)
    y = np.array([0, 1] * 6)
    return Dataset.from_arrays(X, y, np.array(X_test), np.array(y_test), validation=0, **options)


def identity(**options):
    """A network whose logits are its inputs."""
    return gn.Network([2, 2], initializer=np.array([1.0, 0, 0, 1, 0, 0]), dtype="float64", **options)


def test_counts_and_mistakes_are_those_worked_by_hand():
    data = plane([0, 1, 1, 0], [[3.0, 0.0], [1.0, 0.0], [2.0, 0.0], [0.0, 0.5]], class_names=["left", "right"])
    found = analyse(identity(class_names=["left", "right"]), data)
    assert found.confusion.counts.tolist() == [[1, 1], [2, 0]]
    assert found.wrong == 3
    assert [mistake.row for mistake in found.mistakes] == [2, 1, 3]  # -log softmax: 2.127, 1.313, 0.974
    worst = found.mistakes[0]
    assert (worst.true, worst.predicted) == ("right", "left")
    assert worst.loss == pytest.approx(math.log(1 + math.exp(2)))
    assert worst.probability == pytest.approx(1 / (1 + math.exp(-2)))
    assert found.evaluation.measures["accuracy"] == 0.25
    assert [score.recall for score in found.classes] == [0.5, 0.0]
    assert len(analyse(identity(), data, most_mistakes=1).mistakes) == 1


def test_a_single_output_gives_the_probability_of_what_it_says():
    network = gn.Network(
        [2, 1], loss="binary_cross_entropy", initializer=np.array([1.0, -1.0, 0.0]), dtype="float64"
    )
    network.class_names = ("no", "yes")
    found = analyse(network, plane([0, 1], [[1.0, 0.0], [0.0, 2.0]], class_names=["no", "yes"]))
    by_row = {mistake.row: mistake for mistake in found.mistakes}
    assert (by_row[0].predicted, by_row[1].predicted) == ("yes", "no")
    assert by_row[0].probability == pytest.approx(1 / (1 + math.exp(-1)))
    assert by_row[1].probability == pytest.approx(1 / (1 + math.exp(-2)))


def test_a_network_that_regresses_the_class_number_has_no_probabilities():
    network = gn.Network([2, 1], loss="half_squared_error", initializer=np.array([1.0, 0.0, 0.0]), dtype="float64")
    network.class_names = ("no", "yes")
    found = analyse(network, plane([0], [[1.0, 0.0]], class_names=["no", "yes"]))
    assert [(m.predicted, m.probability, m.loss) for m in found.mistakes] == [("yes", None, 0.5)]


def test_labels_are_scored_one_by_one():
    X = np.array([[1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0]])
    y = np.array([[1, 0], [1, 1], [0, 0], [1, 1]])
    data = Dataset.from_arrays(
        np.tile(X, (3, 1)), np.tile(y, (3, 1)), X, y, validation=0, target_names=["red", "big"]
    )
    network = gn.Network([2, 2], loss="binary_cross_entropy", initializer=np.array([1.0, 0, 0, 1, 0, 0]))
    found = analyse(network, data)
    red, big = found.labels
    assert (red.name, red.rows, red.precision, red.specificity) == ("red", 3, 1.0, 1.0)
    assert red.sensitivity == pytest.approx(2 / 3)
    assert big.precision == pytest.approx(2 / 3)
    assert big.sensitivity == 1.0
    assert found.confusion is None
    assert found.classes == found.fits == []


def test_a_label_on_every_row_has_no_auc():
    X, y = np.eye(2), np.array([[1, 0], [1, 1]])
    data = Dataset.from_arrays(np.tile(X, (5, 1)), np.tile(y, (5, 1)), X, y, validation=0, task="multi-label")
    network = gn.Network([2, 2], loss="binary_cross_entropy")
    always, sometimes = analyse(network, data).labels
    assert always.auc is None
    assert sometimes.auc is not None
    assert [always.name, sometimes.name] == ["0", "1"]


def test_numbers_are_true_against_predicted_by_output():
    X, y = np.eye(2), np.array([[1.0, 5.0], [2.0, 6.0]])
    data = Dataset.from_arrays(np.tile(X, (5, 1)), np.tile(y, (5, 1)), X, y, validation=0, target_names=["a", "b"])
    network = gn.Network([2, 2], loss="half_squared_error", initializer=np.array([1.0, 2, 3, 4, 0, 0]))
    one, other = analyse(network, data).fits
    assert (one.name, other.name) == ("a", "b")
    assert (one.true.tolist(), one.predicted.tolist()) == ([1.0, 2.0], [1.0, 3.0])
    assert (other.true.tolist(), other.predicted.tolist()) == ([5.0, 6.0], [2.0, 4.0])


def test_outputs_that_overflow_have_no_evaluation():
    network = identity(class_names=["left", "right"])
    network.W[0][:] = 1e308
    found = analyse(network, plane([0], [[9.0, 9.0]], class_names=["left", "right"]))
    assert found.evaluation is None
    assert found.confusion is None


def test_the_network_is_left_as_it_was():
    network = identity(class_names=["left", "right"])
    theta, gradient = network.theta.copy(), network.gradient.copy()
    analyse(network, plane([0, 1], [[1.0, 0.0], [2.0, 0.0]], class_names=["left", "right"]))
    assert (network.theta == theta).all()
    assert (network.gradient == gradient).all()
