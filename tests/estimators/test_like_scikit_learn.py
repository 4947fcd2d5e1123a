"""With scikit-learn's parameters, the estimators are scikit-learn's: the same weights, epoch by epoch."""

import itertools

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning

import glassnet as gn
from glassnet.errors import DataError, UsageError
from glassnet.nn.losses import LOSSES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
RANDOM = np.random.default_rng(0)
LABELS = make_multilabel_classification(80, 5, n_classes=4, random_state=0)
ROWS = {
    "binary": ("MLPClassifier", X[:100, :2], np.where(y[:100] > 0, "virginica", "other")),
    "multi-class": ("MLPClassifier", X, y),
    "multi-label": ("MLPClassifier", *LABELS),
    "regression": ("MLPRegressor", X[:, :3], X[:, 3]),
    "several numbers": ("MLPRegressor", X[:, :2], X[:, 2:]),
}
PARAMETERS = {
    "default": {},
    "layers": {"hidden_layer_sizes": (7, 5), "activation": "tanh"},
    "logistic": {"activation": "logistic", "alpha": 1.0},
    "identity": {"activation": "identity", "hidden_layer_sizes": 3},
    "batches": {"batch_size": 10},
    "in order": {"batch_size": 10, "shuffle": False},
    "betas": {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.05},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.7},
    "no momentum": {"solver": "sgd", "momentum": 0.0, "batch_size": 10},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.3, "learning_rate_init": 0.1},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 2},
    "tolerance": {"tol": 0.1, "n_iter_no_change": 3, "max_iter": 50},
    "early stopping": {"early_stopping": True, "tol": 0.01, "n_iter_no_change": 3, "max_iter": 60},
    "lbfgs": {"solver": "lbfgs", "alpha": 0.1},
}


def fitted(name, rows, target, weight=None, **parameters):
    """Return glassnet's estimator and scikit-learn's, fitted alike."""
    parameters = {"hidden_layer_sizes": (8,), "max_iter": 12, "random_state": 5} | parameters
    both = getattr(gn, name)(**parameters), getattr(neural_network, name)(**parameters)
    return [one.fit(rows, target, sample_weight=weight) for one in both]


def assert_alike(ours, theirs, rtol=1e-7):
    for name in ("coefs_", "intercepts_"):
        for mine, other in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            np.testing.assert_allclose(mine, other, rtol=rtol, atol=rtol)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name), name


#: All but one: scikit-learn's loss of several numbers is the mean over outputs, its gradient that of the sum.
PAIRS = [pair for pair in itertools.product(ROWS, PARAMETERS) if pair != ("several numbers", "lbfgs")]


@pytest.mark.parametrize(("kind", "parameters"), PAIRS)
def test_the_same_weights_come_of_the_same_random_state(kind, parameters):
    name, rows, target = ROWS[kind]
    ours, theirs = fitted(name, rows, target, **PARAMETERS[parameters])
    assert_alike(ours, theirs, 1e-4 if parameters == "lbfgs" else 1e-7)
    outputs = 1 if np.ndim(target) == 1 else target.shape[1]
    scale = outputs if name == "MLPRegressor" else 1  # scikit-learn's number is the mean over the outputs
    np.testing.assert_allclose(ours.loss_, theirs.loss_ * scale, rtol=5e-2 if "batch" in parameters else 1e-2)
    np.testing.assert_array_equal(ours.predict(rows).shape, theirs.predict(rows).shape)
    np.testing.assert_allclose(ours.score(rows, target), theirs.score(rows, target), atol=1e-3)
    if parameters == "early stopping":
        np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, atol=1e-9)
        assert ours.best_loss_ is None
    if name == "MLPClassifier":
        np.testing.assert_array_equal(ours.predict(rows), theirs.predict(rows))
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
        np.testing.assert_allclose(ours.predict_proba(rows), theirs.predict_proba(rows), atol=1e-4)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("kind", ["multi-class", "regression"])
def test_weights_of_rows_weigh_the_same(kind, solver):
    name, rows, target = ROWS[kind]
    weight = RANDOM.uniform(0, 3, len(rows))
    ours, theirs = fitted(name, rows, target, weight, solver=solver, alpha=0.5)  # all rows in one batch
    assert_alike(ours, theirs, 1e-4 if solver == "lbfgs" else 1e-6)


@pytest.mark.parametrize("rates", ["constant", "invscaling", "adaptive"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fits_go_on_as_scikit_learns_do(solver, rates):
    parameters = {"hidden_layer_sizes": (6,), "solver": solver, "learning_rate": rates, "random_state": 1}
    parameters |= {"tol": 0.1, "n_iter_no_change": 2, "batch_size": 50}
    ours, theirs = gn.MLPClassifier(**parameters), neural_network.MLPClassifier(**parameters)
    for _ in range(15):
        for one in (ours, theirs):
            one.partial_fit(X, y, classes=[0, 1, 2])
    assert_alike(ours, theirs)
    assert len(ours.loss_curve_) == 15
    assert ours._optimizer.learning_rate == pytest.approx(
        theirs._optimizer.learning_rate if solver == "sgd" else 0.001
    )


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_warm_start_goes_on_as_scikit_learns_does(early_stopping):
    parameters = {"max_iter": 5, "warm_start": True, "random_state": 2, "early_stopping": early_stopping}
    ours, theirs = gn.MLPRegressor(**parameters), neural_network.MLPRegressor(**parameters)
    for _ in range(3):
        for one in (ours, theirs):
            one.fit(X[:, :3], X[:, 3])
    assert_alike(ours, theirs)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-3)
    assert len(ours.loss_curve_) == 15


def test_counts_are_regressed_as_by_scikit_learn(tmp_path):
    counts = np.random.default_rng(1).poisson(np.exp(X[:, 0] / 3))
    ours, theirs = fitted("MLPRegressor", X, counts, loss="poisson", max_iter=40)
    assert_alike(ours, theirs)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-3)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-6)
    gn.save_model(ours.model_, tmp_path / "counts.safetensors")
    np.testing.assert_array_equal(
        gn.load_model(tmp_path / "counts.safetensors").outputs(X), ours.model_.outputs(X)
    )
    with pytest.raises(UsageError, match="poisson goes with exp, not identity"):
        gn.Network([2, 3, 1], loss="poisson")
    with pytest.raises(DataError, match="y: poisson takes numbers >= 0, got -1"):
        gn.fit(gn.Network([2, 3, 1], loss="poisson", output_activation="exp"), X[:3, :2], [3.0, -1.0, 0.0])
    assert "poisson" not in LOSSES
    with pytest.raises(ValueError, match="poisson needs targets >= 0"):
        gn.MLPRegressor("poisson").fit(X, -X[:, 0])


def test_a_fit_that_does_not_converge_is_told_of():
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\) reached"):
        gn.MLPClassifier(max_iter=2).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge after 2 iteration"):
        gn.MLPClassifier(max_iter=2, solver="lbfgs").fit(X, y)
