"""scikit-learn's own callbacks are told of each epoch."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import glassnet as gn

callback = pytest.importorskip("sklearn.callback")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)


class Listener:
    """A callback that notes what it is told, and may end training."""

    def __init__(self, epochs=None):
        self.epochs, self.said, self.scores = epochs, [], []

    def setup(self, estimator, context):
        self.said.append("setup")

    def teardown(self, estimator, context):
        self.said.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, metadata=None):
        self.said.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.said.append(f"end {context.task_name}")
        if context.task_name == "fit":
            return False
        self.scores.append(fitted_estimator.score(X, y))
        return len(self.scores) == self.epochs


def test_a_callback_is_told_of_each_epoch_in_order():
    listener = Listener()
    fitted = gn.MLPClassifier(max_iter=2, random_state=0).set_callbacks(listener).fit(X, y)
    epochs = ["begin epoch 0", "end epoch 0", "begin epoch 1", "end epoch 1"]
    assert listener.said == ["setup", "begin fit", *epochs, "end fit", "teardown"]
    assert listener.scores[-1] == fitted.score(X, y)


def test_a_callback_ends_training():
    listener = Listener(epochs=3)
    fitted = gn.MLPRegressor(max_iter=50).set_callbacks(listener).fit(X, y)
    assert (fitted.n_iter_, fitted.run_.stopped) == (3, "callback")


def test_a_callback_is_torn_down_after_an_error():
    listener = Listener()
    with pytest.raises(ValueError, match="alpha"):
        gn.MLPClassifier(alpha=-1).set_callbacks(listener).fit(X, y)
    broken = gn.MLPClassifier(solver="lbfgs", callbacks=[object()]).set_callbacks(listener)
    with pytest.raises(ValueError, match="callbacks"):
        broken.fit(X, y)
    assert listener.said[-1:] == ["teardown"]


def test_scikit_learns_scoring_monitor_follows_a_fit():
    monitor = callback.ScoringMonitor(scoring="accuracy")
    fitted = gn.MLPClassifier(max_iter=5, random_state=0).set_callbacks(monitor).fit(X, y)
    found = [one["accuracy"] for one in monitor.get_logs().data if one["task_name"].startswith("epoch")]
    assert len(found) == 5
    assert found[-1] == fitted.score(X, y)


def test_a_callback_is_told_of_a_minimisation_and_of_partial_fits():
    listener = Listener()
    gn.MLPClassifier(solver="lbfgs", max_iter=3).set_callbacks(listener).fit(X, y)
    assert listener.said[-2:] == ["end fit", "teardown"]
    model = gn.MLPClassifier().set_callbacks(Listener())
    model.partial_fit(X, y, classes=np.unique(y))
    assert model._skl_callbacks[0].said.count("begin fit") == 1
    make_pipeline(StandardScaler(), gn.MLPClassifier(max_iter=2)).fit(X, y)
