"""What the estimators have beside scikit-learn's parameters."""

import copy
import gc
import pickle
import weakref

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.preprocessing import StandardScaler

import glassnet as gn
from glassnet.nn.activations import Activation
from glassnet.training.health import monitor
from glassnet.training.health.vitals import Probe

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
TRAIN, HELD = np.arange(150) % 3 > 0, np.arange(150) % 3 == 0
WORDS = np.array(["setosa", "versicolor", "virginica"])[y]


def classifier(**parameters):
    return gn.MLPClassifier(
        **{"hidden_layer_sizes": (8,), "max_iter": 25, "learning_rate_init": 0.02, "random_state": 0} | parameters
    )


def regressor(**parameters):
    return gn.MLPRegressor(**{"hidden_layer_sizes": (8,), "max_iter": 25, "random_state": 0} | parameters)


def test_a_class_that_weighs_more_is_predicted_more_often():
    usual = classifier(max_iter=3).fit(X, WORDS)
    weighted = classifier(max_iter=3, class_weight={"versicolor": 30}).fit(X, WORDS)
    assert (weighted.predict(X) == "versicolor").sum() > (usual.predict(X) == "versicolor").sum()
    rows = np.r_[0:50, 50:55, 100:150]
    balanced = classifier(max_iter=3, class_weight="balanced").fit(X[rows], y[rows])
    by_row = classifier(max_iter=3).fit(X[rows], y[rows], sample_weight=np.where(y[rows] == 1, 10.0, 1.0))
    np.testing.assert_allclose(
        balanced.predict_proba(X), by_row.predict_proba(X), atol=1e-4
    )  # but for the penalty


def test_dropout_changes_training_and_not_prediction():
    plain, dropped = classifier().fit(X, y), classifier(dropout=0.5).fit(X, y)
    assert not np.allclose(plain.coefs_[0], dropped.coefs_[0])
    np.testing.assert_array_equal(dropped.predict_proba(X), dropped.predict_proba(X))
    again = classifier(dropout=0.5).fit(X, y)
    np.testing.assert_array_equal(dropped.coefs_[0], again.coefs_[0])


def test_each_layer_has_its_activation_and_batch_normalisation():
    def cube(z):
        return z**3

    own = Activation("cube", cube, lambda z, h: 3 * z**2)
    fitted = classifier(hidden_layer_sizes=(6, 5), activation=["logistic", own], batch_norm=[True, False]).fit(
        X, y
    )
    network = fitted.model_.network
    assert [one.name for one in network.activations] == ["sigmoid", "cube", "identity"]
    assert network.batch_norm == (True, False)
    by_hand = network.forward(network.input_batch(X))
    np.testing.assert_allclose(by_hand.H[2], by_hand.Z[1] ** 3)


@pytest.mark.parametrize("optimizer", ["adamw(0.01)", "rmsprop", "kfac(0.01)", "gd(0.5)", "lbfgs", gn.Muon(0.01)])
def test_every_optimizer_learns(optimizer):
    fitted = classifier(optimizer=optimizer).fit(X, y)
    assert fitted.loss_curve_[-1] < fitted.loss_curve_[0]


def test_a_schedule_goes_with_any_solver():
    fitted = classifier(schedule="cosine", max_iter=10).fit(X, y)
    rates = fitted.history_["learning_rate"]
    np.testing.assert_allclose(rates, 0.02 * (1 + np.cos(np.pi * np.arange(10) / 10)) / 2)
    with pytest.raises(ValueError, match="schedule: partial_fit knows no last epoch"):
        classifier(schedule="cosine").partial_fit(X, y, classes=[0, 1, 2])


def test_the_learning_rate_is_lowered_for_sgd_alone():
    fitted = classifier(learning_rate="adaptive", tol=10.0, n_iter_no_change=1, max_iter=50).fit(X, y)
    assert fitted.n_iter_ == 3  # Adam stops where SGD would go on, more slowly
    lowered = classifier(learning_rate="adaptive", tol=10.0, n_iter_no_change=1, solver="sgd").fit(X, y)
    assert sorted(set(lowered.history_["learning_rate"]))[-2:] == pytest.approx([0.004, 0.02])


@pytest.mark.parametrize("loss", ["mse", "binary_cross_entropy", "huber(0.5)"])
def test_classes_are_learned_by_other_losses(loss):
    fitted = classifier(loss=loss, max_iter=60).fit(X, WORDS)
    assert fitted.score(X, WORDS) > 0.8
    assert hasattr(fitted, "predict_proba") == (loss == "binary_cross_entropy")
    two = classifier(loss=loss, max_iter=60).fit(X[:100], y[:100])
    assert two.score(X[:100], y[:100]) == 1
    assert set(two.predict(X[:100])) == {0, 1}


def test_numbers_are_learned_by_other_losses_and_outputs():
    median = regressor(
        loss="absolute_error", activation="identity", max_iter=400, learning_rate_init=0.01, alpha=0
    )
    target = np.r_[np.zeros(100), np.full(50, 30.0)]
    assert abs(np.median(median.fit(X * 0, target).predict(X))) < 1
    bounded = regressor(output_activation="logistic").fit(X, y / 2)
    assert bounded.out_activation_ == "sigmoid"
    assert 0 <= bounded.predict(100 * X).min() <= bounded.predict(100 * X).max() <= 1


def test_rows_for_validation_are_watched():
    fitted = classifier(options={"metrics": ["auc"]}).fit(X[TRAIN], y[TRAIN], X_val=X[HELD], y_val=y[HELD])
    assert len(fitted.history_["validation_loss"]) == fitted.n_iter_
    assert fitted.history_["validation_accuracy"][-1] == fitted.score(X[HELD], y[HELD])
    assert 0.5 < fitted.history_["validation_auc"][-1] <= 1
    assert fitted.validation_scores_ is None
    stopped = classifier(early_stopping=True, max_iter=300).fit(X[TRAIN], y[TRAIN], X_val=X[HELD], y_val=y[HELD])
    assert stopped.n_iter_ < 300
    assert stopped.t_ == stopped.n_iter_ * TRAIN.sum()  # no row of X was set aside
    assert stopped.score(X[HELD], y[HELD]) == stopped.best_validation_score_ == max(stopped.validation_scores_)
    with pytest.raises(ValueError, match="y_val: goes with X_val"):
        classifier().fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="y has the class 7, which is none of"):
        classifier().fit(X, y, X_val=X, y_val=y + 7)


def test_weights_of_rows_go_with_the_rows_that_are_set_aside():
    weight = np.where(y == 2, 1e-9, 1.0)
    fitted = classifier(early_stopping=True, validation_fraction=0.3).fit(X, y, sample_weight=weight)
    assert fitted.best_validation_score_ > 0.95  # rows of class 2 hardly count
    assert fitted.score(X, y) < 0.95


def test_callbacks_end_training():
    class Enough(gn.Callback):
        def on_epoch_end(self, run):
            return "enough" if len(run.history) == 4 else None

    fitted = classifier(callbacks=[Enough()]).fit(X, y)
    assert (fitted.n_iter_, fitted.run_.stopped) == (4, "enough")


def test_training_begins_at_given_weights():
    first = classifier().fit(X, y)
    for weights in (first, (first.coefs_, first.intercepts_), first.model_, first.model_.network.theta.copy()):
        again = classifier(initial_weights=weights, max_iter=1).fit(X, y)
        assert again.loss_ == pytest.approx(first.loss_, rel=0.1)
        assert again.loss_ < 0.5 * classifier(max_iter=1).fit(X, y).loss_
    with pytest.raises(ValueError, match="coefs must have the shapes"):
        classifier(initial_weights=(first.coefs_[::-1], first.intercepts_)).fit(X, y)
    with pytest.raises(ValueError, match="expected 67 numbers"):
        classifier(initial_weights=np.zeros(66)).fit(X, y)
    with pytest.raises(ValueError, match="initial_weights: the estimator is not fitted"):
        classifier(initial_weights=classifier()).fit(X, y)
    with pytest.raises(ValueError, match="initial_weights: expected 67 numbers, or a pair"):
        classifier(initial_weights="random").fit(X, y)
    assert not classifier(initializer="he_normal", max_iter=1).fit(X, y).intercepts_[0].std() > 0.03


def test_weights_that_are_set_by_hand_are_predicted_with():
    fitted = classifier().fit(X, y)
    fitted.coefs_[0][:] = 0  # a view of theta
    assert len(np.unique(fitted.predict_proba(X), axis=0)) == 1
    fitted.coefs_[1] = np.zeros((8, 3))  # another array
    fitted.intercepts_[1] = np.log([0.2, 0.3, 0.5])
    np.testing.assert_allclose(fitted.predict_proba(X[:1]), [[0.2, 0.3, 0.5]])
    np.testing.assert_allclose(fitted.model_.predict_proba(X[:1]), [[0.2, 0.3, 0.5]])
    fitted.coefs_[0] = np.zeros((3, 3))
    with pytest.raises(ValueError, match="coefs_: coefs must have the shapes"):
        fitted.predict(X)


def test_types_of_numbers_decide_the_precision():
    for dtype, learned in (
        ("float32", "float32"),
        ("float64", "float64"),
        ("int32", "float64"),
        ("uint8", "float32"),
    ):
        rows = (100 * np.abs(X)).astype(dtype)
        fitted = classifier().fit(rows, y)
        assert fitted.coefs_[0].dtype == fitted.predict_proba(rows).dtype == learned
        np.testing.assert_array_equal(fitted.predict(rows), fitted.predict(rows.astype(float)))
    assert classifier(dtype="float32").fit(X, y).coefs_[0].dtype == "float32"


def test_bytes_are_pixels_and_move_with_preprocess_auto():
    digits = load_digits()
    pictures, labels = (16 * digits.images[:300]).clip(0, 255).astype(np.uint8), digits.target[:300]
    fitted = classifier(preprocess="auto").fit(pictures, labels)
    plain = classifier().fit(pictures.reshape(300, -1) / np.float32(255), labels)
    np.testing.assert_array_equal(fitted.predict(pictures), plain.predict(pictures.reshape(300, -1) / 255))
    moved = classifier(preprocess="auto", augmentation="shift(1)").fit(pictures, labels)
    assert not np.allclose(moved.coefs_[0], fitted.coefs_[0])
    assert moved.n_features_in_ == 64


def test_columns_are_cut_into_pieces_with_preprocess_auto():
    frame = pl.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 0, "yes", "no")})
    for rows in (frame, X):
        plain, cut = (classifier(preprocess="auto", pieces=pieces).fit(rows, y) for pieces in (None, 6))
        columns = 1 if rows is frame else X.shape[1]
        assert len(cut.coefs_[0]) == cut.model_.schema.input.width
        assert 4 * columns <= len(cut.coefs_[0]) - len(plain.coefs_[0]) <= 6 * columns
        assert cut.n_features_in_ == plain.n_features_in_ == rows.shape[1]
        assert cut.model_.schema.pieces == 6
        np.testing.assert_array_equal(cut.predict(rows), cut.model_.predict(rows))


def test_the_model_goes_on_alone(tmp_path):
    fitted = classifier().fit(X, WORDS)
    gn.save_model(fitted.model_, tmp_path / "model.safetensors")
    model = gn.load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(model.predict(X), fitted.predict(X))
    np.testing.assert_array_equal(model.predict_proba(X), fitted.predict_proba(X))
    assert fitted.run_.history is fitted.history_
    assert fitted.health_.vitals


def test_a_network_is_examined_when_its_health_is_asked_for(monkeypatch):
    """And judged as it was at the end of its fit, whatever becomes of it."""
    monkeypatch.setattr(monitor, "KEPT_BYTES", 0)
    at_once = classifier(max_iter=40).fit(X, y)
    monkeypatch.undo()
    taken, measure = [], Probe.measure
    monkeypatch.setattr(Probe, "measure", lambda self, *moment: taken.append(moment[1]) or measure(self, *moment))
    later = classifier(max_iter=40).fit(X, y)
    assert taken == []
    later.coefs_[0][:] = later.run_.network.b[0][:] = 0
    assert later.health_ == at_once.health_ == pickle.loads(pickle.dumps(later)).health_
    assert later.health_ is later.run_.health
    assert taken == [0, 16, 40]
    assert [one.step for one in later.health_.vitals] == taken
    for one in (later, at_once):  # whatever the size of the network
        assert one.history_["gradient_norm"][15] is None


def test_what_is_kept_for_an_examination_holds_no_training_rows():
    rows = np.concatenate([X, X])
    fitted, there = classifier().fit(rows, np.concatenate([y, y])), weakref.ref(rows)
    del rows
    gc.collect()
    assert there() is None
    assert fitted.health_.state == "healthy"


def test_a_fit_that_did_not_converge_says_what_is_wrong_where_nothing_was_learned():
    dead = (
        [-np.abs(np.random.default_rng(0).normal(size=(4, 8))), np.ones((8, 3))],
        [np.full(8, -9.0), np.zeros(3)],
    )
    with pytest.warns(ConvergenceWarning, match=r"converged yet\. dead-units \(layer 1, from the start\)"):
        classifier(initial_weights=dead, max_iter=60, n_iter_no_change=100).fit(X, y)
    with pytest.warns(ConvergenceWarning, match=r"converged yet\. The attribute health_ says how well the"):
        classifier().fit(X, y)


def test_pickles_hold_the_weights_once_and_tell_their_version():
    fitted = regressor(batch_norm=True).fit(X, y)
    for other in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        np.testing.assert_array_equal(other.predict(X), fitted.predict(X))
        assert np.shares_memory(other.coefs_[0], other.model_.network.theta)
        assert not np.shares_memory(other.coefs_[0], fitted.coefs_[0])
        other.partial_fit(X, y)
    state = fitted.__getstate__()
    assert "coefs_" not in state
    with pytest.warns(UserWarning, match=r"pickled with glassnet 0\.0\.1 and is loaded with"):
        gn.MLPRegressor().__setstate__({**state, "_glassnet_version": "0.0.1"})
    assert "coefs_" not in vars(clone(fitted))


def test_a_single_class_is_predicted():
    fitted = classifier().fit(X, np.full(150, "one"))
    assert set(fitted.predict(X)) == {"one"}
    assert fitted.predict_proba(X).shape == (150, 2)


def test_numbers_that_overflow_are_an_error_or_end_training():
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        regressor(solver="sgd", learning_rate_init=1e6).fit(X, 1e6 * y)
    with pytest.warns(UserWarning, match="The best parameters so far are kept"):
        kept = regressor(solver="sgd", learning_rate_init=1e6, early_stopping=True).fit(X, 1e6 * y)
    assert np.isnan(kept.validation_scores_[-1])
    assert np.isfinite(kept.predict(X)).all()


def test_ctrl_c_keeps_what_was_learned():
    import os
    import signal

    class Interrupt(gn.Callback):
        def on_epoch_end(self, run):
            if len(run.history) == 2:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.warns(UserWarning, match="Training interrupted by user"):
        fitted = classifier(callbacks=[Interrupt()]).fit(X, y)
    assert fitted.n_iter_ == 2
    assert fitted.predict(X).shape == (150,)


def test_partial_fit_goes_on_with_the_same_optimizer():
    model = classifier().partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="solver: partial_fit goes on with the optimizer that it began with"):
        model.set_params(solver="sgd").partial_fit(X, y)


def test_a_fit_that_failed_leaves_no_model():
    class Broken(gn.Callback):
        def on_epoch_end(self, run):
            raise RuntimeError("broken")

    model = classifier(callbacks=[Broken()])
    with pytest.raises(RuntimeError, match="broken"):
        model.fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)
