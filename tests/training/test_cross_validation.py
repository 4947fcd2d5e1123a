"""Cross-validation: the folds, the scores, and networks that have not seen their fold."""

import numpy as np
import polars
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris

import glassnet as gn
from glassnet.errors import DataError, HealthWarning, UsageError
from glassnet.training import cross_validation
from glassnet.training.cross_validation import draw_folds

pytestmark = pytest.mark.usefixtures("compiled_code")

X, Y = load_iris(return_X_y=True)


def validate(network=None, rows=(X, Y), **options):
    options = {"folds": 3, "epochs": 2, "progress": False, **options}
    return gn.cross_validate(network or gn.Network([4, 6, 3]), *rows, **options)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(y=st.lists(st.integers(0, 3), min_size=6, max_size=60), folds=st.integers(2, 6), seed=st.integers(0, 9))
def test_every_row_is_in_one_fold_and_folds_have_all_classes_in_proportion(y, folds, seed):
    y, drawn = np.array(y), draw_folds(np.array(y), folds, 2, seed)
    for first in (0, folds):
        parts = drawn[first : first + folds]
        assert sorted(np.concatenate(parts)) == list(range(len(y)))
        for label in np.unique(y):
            counts = [int((y[part] == label).sum()) for part in parts]
            assert max(counts) - min(counts) <= 1


def test_folds_of_numbers_have_large_and_small_ones():
    drawn = draw_folds(np.arange(20.0), 2, 1, seed=0)
    assert abs(drawn[0].mean() - drawn[1].mean()) == 1  # neighbours are dealt in turn


def test_each_network_equals_that_of_a_fit_on_its_rows_and_is_measured_on_the_others():
    network = gn.Network([4, 6, 3], seed=2)
    before = network.fingerprint()
    found = validate(network, repeats=2, seed=5)
    assert network.fingerprint() == before
    assert found.scores.shape == (2, 3)
    for number, out in enumerate(draw_folds(Y, 3, 2, seed=5)):
        rest = np.setdiff1d(np.arange(150), out)
        data = gn.Dataset.from_arrays(X[rest], Y[rest], X[out], Y[out], validation=0)
        alone = gn.fit(network.copy(), data, epochs=2, seed=5 + number, kernels="numba", progress=False)
        assert alone.network.fingerprint() == found.runs[number].network.fingerprint()
        assert alone.model.score(X[out], Y[out]) == found.scores[number // 3, number % 3]


def test_tables_numbers_and_metrics():
    table = polars.DataFrame(X, schema=["a", "b", "c", "d"])
    assert validate(gn.Network([4, 6, 3]), (table, Y), metric="f1").measure == "f1"
    assert validate(gn.Network([4, 6, 3]), (table.to_pandas(), Y)).scores.shape == (1, 3)
    found = validate(gn.Network([3, 6, 1]), (X[:, :3], X[:, 3]), epochs=60, learning_rate=0.01)
    assert found.measure == "r2"
    assert found.mean > 0.5
    assert repr(found).startswith("CrossValidation(r2 0.")
    assert repr(found).endswith("1 x 3 folds)")


def test_a_fold_whose_loss_overflows_has_no_score():
    with pytest.warns(HealthWarning, match="network 1"):
        found = validate(gn.Network([4, 3]), optimizer="sgd", learning_rate=[1e38, 0.01, 0.01], batch_size=10)
    assert np.isnan(found.scores[0]).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"rows": (X[:9, :3], np.arange(9.0)), "network": gn.Network([3, 1]), "folds": 9}, "fold 1: .* r2 cannot"),
        ({"rows": (X[40:52], Y[40:52]), "network": gn.Network([4, 2]), "metric": "auc"}, "fold 1: .* auc cannot"),
    ],
)
def test_a_fold_that_cannot_be_measured_is_refused_before_training(options, problem, monkeypatch):
    monkeypatch.setattr(cross_validation, "fit_many", None)
    with pytest.raises(DataError, match=problem):
        validate(**options)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"network": 3}, "network: expected a Network, got int; scikit-learn's cross_val_score takes"),
        ({"metric": "f2"}, "metric: unknown name 'f2'"),
        ({"metric": "mae"}, "metric: mae is no measure of a multi-class task"),
        ({"folds": 1}, "folds: takes a whole number, 2 or more, got 1"),
        ({"repeats": 0}, "repeats: takes a whole number, 1 or more, got 0"),
        ({"folds": 151}, "folds: 151 are more than the 150 rows"),
        ({"sample_weight": np.ones(150)}, "sample_weight: cross_validate takes all rows alike"),
    ],
)
def test_what_does_not_fit_is_refused(options, problem):
    with pytest.raises(UsageError, match=problem):
        validate(**options)
