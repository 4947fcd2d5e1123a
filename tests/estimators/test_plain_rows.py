import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

import glassnet as gn
from glassnet.data.schema import DataWarning
from glassnet.estimators import base

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(60, 4))
Y = np.arange(60) % 3


def no_checks(*rows, **options):
    raise AssertionError("scikit-learn's checks")


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_rows_that_a_network_takes_are_not_checked_twice(kind, monkeypatch):
    classifier = gn.MLPClassifier(max_iter=2).fit(X, Y)
    regressor = gn.MLPRegressor(max_iter=2).fit(X, X[:, 0])
    rows = X.astype(kind)
    expected = [classifier.predict_proba(rows.tolist()), regressor.predict(rows.tolist())]
    monkeypatch.setattr(base, "validate_data", no_checks)
    np.testing.assert_array_equal(classifier.predict_proba(rows), expected[0])
    np.testing.assert_array_equal(regressor.predict(rows), expected[1])
    np.testing.assert_array_equal(classifier.predict(rows), expected[0].argmax(axis=1))
    for others in (X.tolist(), X.astype(np.float16), X.astype(int), np.ma.array(X), X[:, :3], X * np.nan, X[:0]):
        with pytest.raises(AssertionError, match="scikit-learn's checks"):
            classifier.predict_proba(others)
    monkeypatch.undo()
    learned = gn.MLPClassifier(max_iter=2, preprocess="auto").fit(X, Y)
    with pytest.warns(DataWarning, match="X: numbers up to"):
        learned.predict_proba(1000 * rows)


def test_what_is_wrong_is_said_in_scikit_learns_words():
    pd = pytest.importorskip("pandas")
    classifier = gn.MLPClassifier(max_iter=2)
    with pytest.raises(NotFittedError):
        classifier.predict_proba(X)
    classifier.fit(X, Y)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        classifier.predict_proba(X * np.nan)
    with pytest.raises(ValueError, match="X has 3 features, but MLPClassifier is expecting 4 features"):
        classifier.predict_proba(X[:, :3])
    with pytest.raises(ValueError, match="0 sample"):
        classifier.predict_proba(X[:0])
    classifier.fit(pd.DataFrame(X, columns=list("abcd")), Y)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        classifier.predict_proba(X)


def test_weights_set_by_hand_are_those_that_predict():
    classifier = gn.MLPClassifier(hidden_layer_sizes=(5,), max_iter=2).fit(X, Y)
    classifier.coefs_ = [np.zeros_like(W) for W in classifier.coefs_]
    classifier.intercepts_ = [np.zeros_like(b) for b in classifier.intercepts_]
    np.testing.assert_allclose(classifier.predict_proba(X), 1 / 3)
