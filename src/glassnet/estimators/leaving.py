"""A fitted estimator as one of scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import neural_network
from sklearn.base import is_classifier
from sklearn.preprocessing import LabelBinarizer

from glassnet.errors import UsageError
from glassnet.nn.network import Network

#: What a fit leaves behind beside the weights, under the same names on both sides.
LEARNED = (
    *("n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "validation_scores_", "best_validation_score_"),
    *("n_features_in_", "feature_names_in_", "classes_", "n_layers_", "n_outputs_", "out_activation_"),
)


def make_sklearn_model(estimator: Any, network: Network) -> Any:
    """Return an MLP of scikit-learn with the weights of an estimator's network; `UsageError` if it cannot be."""
    _refuse_other_networks(estimator, network)
    kind = getattr(neural_network, type(estimator).__name__)
    known = kind().get_params()
    theirs = kind(**{name: value for name, value in estimator.get_params().items() if name in known})
    for name in LEARNED:
        if hasattr(estimator, name):
            setattr(theirs, name, getattr(estimator, name))
    theirs.coefs_, theirs.intercepts_ = [W.copy() for W in network.W], [b.copy() for b in network.b]
    theirs._no_improvement_count, theirs._random_state = 0, np.random.RandomState(0)
    if is_classifier(estimator):
        y = np.eye(estimator.n_outputs_, dtype=int) if estimator._multilabel else estimator.classes_
        theirs._label_binarizer = LabelBinarizer().fit(y)
    return theirs


def _refuse_other_networks(estimator: Any, network: Network) -> None:
    """Raise `UsageError` for what scikit-learn's MLP cannot be."""
    losses = ("log_loss",) if is_classifier(estimator) else ("squared_error", "poisson")
    wrong = {
        "loss": estimator.loss not in losses,
        "activation": estimator.activation not in ("identity", "logistic", "tanh", "relu"),
        "batch_norm": any(network.batch_norm),
        "preprocess": estimator.preprocess is not None,
        "output_activation": getattr(estimator, "output_activation", None) is not None,
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            raise UsageError(name, f"scikit-learn's MLP has no {getattr(estimator, name)!r}; keep glassnet's")
