"""Pseudo-values of groups of rows: the means of a mean, and the spread that resampling shows of any measure."""

import numpy as np
import pytest

from glassnet.errors import DataError
from glassnet.nn.network import Network
from glassnet.training.metrics import measure, predict_rows, pseudo_values


def predictions(n, seed=0, loss="cross_entropy", outputs=3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    y = (X[:, 0] + 0.5 * rng.normal(size=n) > 0).astype(int) + (X[:, 1] > 0.5) if outputs > 1 else X[:, 0] * 2 + 1
    names = ("a", "b", "c") if outputs > 1 else None
    network = Network([4, 5, outputs], loss=loss, class_names=names, seed=1)
    return predict_rows(network, (X, y))


def test_of_a_mean_they_are_the_means_of_the_groups():
    found = predictions(200)
    values = pseudo_values(found, "accuracy")
    group = np.random.default_rng(0).permutation(200) % 20
    truth, predicted = found.labels()
    means = [float(np.mean((truth == predicted)[group == g])) for g in range(20)]
    assert values == pytest.approx(means)
    assert np.mean(values) == pytest.approx(measure(found, ["accuracy"])["accuracy"])


@pytest.mark.parametrize("name", ["loss", "f1"])
def test_their_standard_error_is_that_of_other_rows(name):
    """Against the deviation over many draws of rows."""
    errors, figures = [], []
    for seed in range(30):
        found = predictions(300, seed)
        values = pseudo_values(found, name)
        assert np.mean(values) == pytest.approx(measure(found, [name])[name])
        errors.append(np.std(values, ddof=1) / np.sqrt(20))
        figures.append(np.mean(values))
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(figures, ddof=1), rel=0.35)


def test_a_summed_loss_counts_as_its_mean_times_the_rows():
    mean = predictions(90, loss="half_squared_error", outputs=1)
    total = predictions(90, loss="half_squared_error(sum)", outputs=1)
    assert pseudo_values(total, "loss") == pytest.approx([90 * value for value in pseudo_values(mean, "loss")])


def test_few_rows_are_a_group_each_and_what_is_undefined_is_said():
    assert len(pseudo_values(predictions(7), "accuracy")) == 7
    with pytest.raises(DataError, match="one row says nothing"):
        pseudo_values(predictions(1), "loss")
    rare = predictions(40)
    alone = rare.replace(np.array([2] + [0] * 20 + [1] * 19), rare.outputs)
    with pytest.raises(DataError, match="class 2 occurs on no row"):
        pseudo_values(alone, "auc")
