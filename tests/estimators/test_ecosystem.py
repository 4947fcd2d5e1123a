"""The estimators work where scikit-learn's do."""

import subprocess
import sys
import threading

import joblib
import numpy as np
import optuna
import pandas as pd
import polars as pl
import pytest
import sklearn
from joblib.externals.loky import get_reusable_executor
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_iris
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, StackingClassifier, VotingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import glassnet as gn

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::glassnet.DataWarning"),
]

X, y = load_iris(return_X_y=True)
MIXED = pd.DataFrame(
    {
        "size": np.where(np.arange(90) % 7 == 0, np.nan, np.arange(90) % 3),
        "colour": pd.Categorical(np.array(["red", "green", None])[np.arange(90) % 3]),
    }
)
ANSWERS = np.array(["no", "yes", "perhaps"])[np.arange(90) % 3]


def classifier(**parameters):
    parameters = {"hidden_layer_sizes": (10,), "max_iter": 60, "learning_rate_init": 0.02} | parameters
    return gn.MLPClassifier(**{"random_state": 0, "n_threads": 1} | parameters)


def regressor(**parameters):
    parameters = {"hidden_layer_sizes": (10,), "max_iter": 100, "solver": "lbfgs"} | parameters
    return gn.MLPRegressor(**{"random_state": 0, "n_threads": 1} | parameters)


@pytest.mark.parametrize(
    "whole",
    [
        make_pipeline(StandardScaler(), classifier()),
        CalibratedClassifierCV(make_pipeline(StandardScaler(), classifier()), cv=2),
        StackingClassifier([("a", classifier()), ("b", LogisticRegression(max_iter=500))], classifier(), cv=2),
        BaggingClassifier(make_pipeline(StandardScaler(), classifier()), n_estimators=2, random_state=0),
        AdaBoostClassifier(classifier(), n_estimators=2, random_state=0),
        GridSearchCV(make_pipeline(StandardScaler(), classifier()), {"mlpclassifier__dropout": [0.0, 0.1]}, cv=2),
    ],
    ids=lambda whole: type(whole).__name__,
)
def test_classifiers_are_parts_of_others(whole):
    assert whole.fit(X, y).score(X, y) > 0.85


def test_estimators_are_searched_over_as_they_are():
    """By scikit-learn's searches and by Optuna's: parameters are set, scores come back, the best is refitted."""
    choices = {"mlpclassifier__dropout": [0.0, 0.2], "mlpclassifier__learning_rate_init": [0.003, 0.03]}
    pipeline = make_pipeline(StandardScaler(), classifier())
    found = RandomizedSearchCV(pipeline, choices, n_iter=2, cv=2, random_state=0).fit(X, y)
    assert found.best_score_ > 0.85
    assert found.predict(X).shape == y.shape

    def objective(trial):
        rate = trial.suggest_float("learning_rate_init", 1e-3, 1e-1, log=True)
        return cross_val_score(pipeline.set_params(mlpclassifier__learning_rate_init=rate), X, y, cv=2).mean()

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=2)
    assert study.best_value > 0.85


def test_regressors_are_parts_of_others():
    for whole in (
        VotingRegressor([("a", regressor()), ("b", regressor(activation="tanh"))]),
        TransformedTargetRegressor(regressor(), transformer=StandardScaler()),
    ):
        assert whole.fit(X[:, :3], X[:, 3]).score(X[:, :3], X[:, 3]) > 0.8
    assert MultiOutputRegressor(regressor()).fit(X[:, :2], X[:, 2:]).predict(X[:, :2]).shape == (150, 2)


def test_columns_of_a_table_are_transformed_or_learned():
    encode = ColumnTransformer([("words", OneHotEncoder(), ["colour"])])
    by_hand = make_pipeline(encode, classifier()).fit(MIXED, ANSWERS)
    assert by_hand.score(MIXED, ANSWERS) == 1
    for table in (MIXED, pl.from_pandas(MIXED)):
        fitted = classifier(preprocess="auto").fit(table, ANSWERS)
        assert fitted.score(table, ANSWERS) == 1
        assert fitted.feature_names_in_.tolist() == ["size", "colour"]
        assert fitted.n_features_in_ == 2
    assert cross_val_score(classifier(preprocess="auto"), MIXED, ANSWERS, cv=2).min() > 0.9
    numbers = regressor(preprocess="auto").fit(MIXED, 1000 + 50.0 * (np.arange(90) % 3))
    assert 990 < numbers.predict(MIXED).min() < 1030 < 1070 < numbers.predict(MIXED).max() < 1110


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_tables_of_numbers_are_taken_with_their_names(make):
    table = make(dict(zip("abcd", X.T, strict=True)))
    fitted = classifier().fit(table, y)
    assert fitted.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_array_equal(fitted.predict(table), classifier().fit(X, y).predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(make(dict(zip("abce", X.T, strict=True))))


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix, sparse.csr_matrix])
def test_sparse_rows_are_as_good_as_dense_ones(container):
    dense, rows = classifier().fit(X, y), container(X)
    fitted = classifier(early_stopping=False).fit(rows, y, X_val=rows, y_val=y)
    np.testing.assert_array_equal(fitted.predict_proba(rows), dense.predict_proba(X))
    labels = classifier().fit(X, container(np.eye(3, dtype=int)[y])).predict(X)
    assert sparse.issparse(labels)
    assert labels.shape == (150, 3)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_find_the_same_scores(backend):
    def scores(jobs):
        return cross_validate(classifier(max_iter=10), X, y, cv=3, n_jobs=jobs, return_estimator=True)

    alone = scores(1)
    with joblib.parallel_backend(backend):
        together = scores(2)
    if backend == "loky":  # whose processes would stay on
        get_reusable_executor().shutdown(wait=True)
    np.testing.assert_array_equal(alone["test_score"], together["test_score"])
    for one, other in zip(alone["estimator"], together["estimator"], strict=True):
        np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])


def test_importances_and_predictions_of_folds():
    fitted = classifier().fit(X, y)
    importances = permutation_importance(fitted, X, y, n_repeats=2, random_state=0).importances_mean
    assert importances[2:].max() > importances[:2].max()
    assert cross_val_predict(classifier(), X, y, cv=2, method="predict_log_proba").shape == (150, 3)


def test_metadata_are_routed():
    weight = np.where(y == 1, 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        model = classifier().set_fit_request(sample_weight=True, X_val=True, y_val=True)
        pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        pipe.fit(X, y, sample_weight=weight, X_val=X, y_val=y)
    assert 1 not in pipe.predict(X)
    assert len(model.history_["validation_loss"]) == model.n_iter_


def test_an_estimator_shows_itself():
    fitted = classifier(loss="mse", optimizer=gn.Adam(0.1)).fit(X, y)
    assert "MLPClassifier" in fitted._repr_html_()
    assert "loss='mse'" in repr(fitted)
    assert "preprocess" not in repr(fitted)


def test_warnings_point_at_the_users_line():
    model = classifier(max_iter=1, preprocess="auto")
    with pytest.warns(ConvergenceWarning) as found:
        model.fit(MIXED, ANSWERS)
    assert {one.filename for one in found} == {__file__}
    with pytest.warns(gn.DataWarning) as found:
        model.score(MIXED, ANSWERS)
    assert {one.filename for one in found} == {__file__}


def test_threads_fit_side_by_side():
    found = {}
    threads = [
        threading.Thread(target=lambda seed=seed: found.update({seed: classifier(random_state=seed).fit(X, y)}))
        for seed in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, fitted in found.items():
        np.testing.assert_array_equal(fitted.coefs_[0], classifier(random_state=seed).fit(X, y).coefs_[0])
    assert len(found) == 3


def test_scikit_learn_is_imported_with_the_estimators_alone():
    asked = "print([name in sys.modules for name in ('sklearn', 'matplotlib', 'polars')]);"
    code = f"import sys, glassnet, glassnet.training.fit; {asked} glassnet.MLPClassifier; {asked}"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split("\n")[:2] == ["[False, False, False]", "[True, False, False]"]
