import math

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

from glassnet.data.columns import TableEncoder
from glassnet.data.dataset import Dataset, Split
from glassnet.errors import DataError
from glassnet.nn.network import Network
from glassnet.training.assessment import Assessment, assess, spreads, write_scores
from glassnet.training.fit import fit
from glassnet.training.metrics import evaluate
from glassnet.training.scores import auc_interval, interval

ROWS = 90


def trained(layers, y, task=None, **options):
    """Return a network after a little training on rows that say something of y, and other such rows."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(len(y), layers[0])) + y.reshape(len(y), -1).mean(axis=1, keepdims=True)
    data = Dataset.from_arrays(X, y, X, y, validation=0, task=task)
    network = Network(layers, "tanh", dtype="float64", **options)
    fit(network, data, epochs=2, batch_size=10, progress=False)
    return network, data.test


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
    assert found.intervals["accuracy"] == interval(int((labels == y).sum()), ROWS)
    assert found.intervals["sensitivity"] == interval(int(labels[y == 1].sum()), ROWS // 3)
    assert found.intervals["specificity"] == interval(int((1 - labels[y == 0]).sum()), 2 * ROWS // 3)
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
    assert found.intervals == {"accuracy": interval(int((labels == y).sum()), ROWS)}


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


def test_the_mean_absolute_error_of_a_table_is_in_the_targets_own_units():
    price = np.random.default_rng(0).normal(300_000.0, 40_000.0, ROWS)
    encoder = TableEncoder.fit(pl.DataFrame({"area": price / 1000, "price": price}), "price")
    y = encoder.encode_target(pl.Series("price", price))
    network, split = trained([4, 3, 1], y, loss="half_squared_error")
    found, scaled = (assess(network, split, "regression", given) for given in (encoder, None))
    predicted = encoder.decode_target(network.outputs(split.X)[:, 0])
    assert found.measures["mae"] == pytest.approx(metrics.mean_absolute_error(price, predicted))
    assert found.measures["mae"] == pytest.approx(scaled.measures["mae"] * price.std())
    assert found.measures["r2"] == scaled.measures["r2"] == pytest.approx(metrics.r2_score(price, predicted))


def test_without_rows_of_a_class_there_is_no_auc_and_the_rest_stays():
    y = np.arange(ROWS) % 3
    network, split = trained([4, 3, 3], y)
    some = Split(split.X[y < 2], y[y < 2])
    found = assess(network, some, "multi-class")
    assert found.measures == {"accuracy": pytest.approx(network.score(*some))}
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
    assert found == Assessment(ROWS, evaluate(network, split).loss, {"accuracy": network.score(*split)})


def test_the_network_is_left_as_it_is():
    y = np.arange(ROWS) % 2
    network, split = trained([4, 3, 2], y)
    before = network.fingerprint()
    assert assess(network, (split.X, y), "binary") == assess(network, split, "binary")
    assert network.fingerprint() == before


def runs(*shares, **more):
    return [Assessment(10, 0.1, {"accuracy": share, **more}) for share in shares]


def test_the_spread_of_runs_by_hand():
    spread = spreads(runs(0.7, 0.8, 0.9))["accuracy"]
    assert (spread.mean, spread.deviation) == pytest.approx((0.8, 0.1))
    reach = 4.302652729911275 * 0.1 / math.sqrt(3)  # Student's t of 2 degrees of freedom, 97.5 %
    assert (spread.low, spread.high) == pytest.approx((0.8 - reach, 0.8 + reach))
    pair = spreads(runs(0.5, 0.6))["accuracy"]
    assert pair.high - pair.mean == pytest.approx(12.706204736432095 * math.sqrt(0.005) / math.sqrt(2))
    alike = spreads(runs(0.5, 0.5, 0.5))["accuracy"]
    assert (alike.mean, alike.deviation, alike.low, alike.high) == (0.5, 0.0, 0.5, 0.5)


def test_a_measure_that_a_run_lacks_has_no_spread():
    assert set(spreads([*runs(0.7, auc=0.9), *runs(0.8)])) == {"accuracy"}
    assert set(spreads([*runs(0.7), *runs(0.8, auc=0.9)])) == {"accuracy"}


def test_a_single_run_has_a_mean_and_no_deviation():
    spread = spreads(runs(0.7))["accuracy"]
    assert spread.mean == 0.7
    assert all(math.isnan(value) for value in (spread.deviation, spread.low, spread.high))


MEASURES = {"auc": 0.9008, "accuracy": 0.8629}


@pytest.mark.parametrize(
    ("name", "split", "file"),
    [
        ("breastmnist", "test", "breastmnist_test_[AUC]0.901_[ACC]0.863@seed-0.csv"),
        ("breastmnist", "train", "breastmnist_train_[AUC]0.901_[ACC]0.863@seed-0.csv"),
        ("breastmnist", "validation", "breastmnist_val_[AUC]0.901_[ACC]0.863@seed-0.csv"),
        ("breastmnist_64", "test", "breastmnist_64_test_[AUC]0.901_[ACC]0.863@seed-0.csv"),
        ("nodulemnist3d_64", "test", "nodulemnist3d_64_test_[AUC]0.901_[ACC]0.863@seed-0.csv"),
        ("my_own_cells", "test", "my_own_cells_test_[AUC]0.901_[ACC]0.863@seed-0.csv"),
    ],
)
def test_a_file_of_scores_is_named_as_medmnists_evaluator_does(tmp_path, name, split, file):
    written = write_scores(tmp_path, name, split, "seed-0", np.array([[0.5]]), MEASURES)
    assert written == tmp_path / file
    assert [path.name for path in tmp_path.iterdir()] == [file]


def test_scores_read_back_exactly(tmp_path):
    scores = np.random.default_rng(0).random((7, 3)).astype(np.float32)
    path = write_scores(tmp_path / "new", "digits", "test", "run", scores, MEASURES)
    table = np.loadtxt(path, delimiter=",")
    np.testing.assert_array_equal(table[:, 0], np.arange(7))
    np.testing.assert_array_equal(table[:, 1:].astype(np.float32), scores)


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
