"""Parameters that cannot be used are refused by name."""

import numpy as np
import pytest

import glassnet as gn
from glassnet.errors import UsageError
from glassnet.estimators.parameters import RULES

X, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2

WRONG = {
    "solver": "rmsprop",
    "alpha": -1,
    "batch_size": 0,
    "learning_rate": "cosine",
    "learning_rate_init": 0,
    "power_t": -0.5,
    "max_iter": 1.5,
    "shuffle": 1,
    "tol": -1e-4,
    "verbose": -1,
    "warm_start": "yes",
    "momentum": 1.5,
    "nesterovs_momentum": None,
    "early_stopping": 5,
    "validation_fraction": 1.0,
    "beta_1": 1.0,
    "beta_2": -0.1,
    "epsilon": 0.0,
    "n_iter_no_change": 0,
    "max_fun": 0,
    "n_threads": 0,
    "kernels": "cuda",
    "preprocess": "standard",
    "pieces": 8,
    "hidden_layer_sizes": (5, 0),
    "activation": "rely",
    "loss": "hinge",
    "optimizer": "adamm",
    "schedule": "cosinus",
    "callbacks": [1],
    "options": {"epochs": 3},
    "dtype": "float16",
    "initial_weights": [1.0],
    "initializer": "glorrot",
    "dropout": 1.0,
    "augmentation": "flip",
}


def test_every_rule_is_tried():
    assert set(RULES) <= set(WRONG)


def test_pieces_are_a_whole_number_and_need_a_schema():
    for pieces in (-1, 2.5, True):
        with pytest.raises(UsageError, match=r"^pieces: must be None or a whole number"):
            gn.MLPClassifier(preprocess="auto", pieces=pieces).fit(X, y)
    with pytest.raises(UsageError, match=r'^pieces: goes with preprocess="auto"'):
        gn.MLPClassifier(pieces=4).fit(X, y)


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("estimator", [gn.MLPClassifier, gn.MLPRegressor])
def test_a_wrong_value_is_refused_by_its_name(estimator, name):
    with pytest.raises(UsageError, match=f"^{name}: ") as found:
        estimator(**{name: WRONG[name]}).fit(X, y)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("value", [True, None, "a", np.nan])
def test_numbers_are_numbers(value):
    with pytest.raises(UsageError, match=r"^alpha: must be a number >= 0, got"):
        gn.MLPClassifier(alpha=value).fit(X, y)


def test_a_fit_that_goes_on_keeps_its_layers():
    fitted = gn.MLPClassifier((4,), warm_start=True, max_iter=500, tol=1.0).fit(X, y)
    with pytest.raises(UsageError, match="hidden_layer_sizes: the layers were"):
        fitted.set_params(hidden_layer_sizes=(5,)).fit(X, y)
