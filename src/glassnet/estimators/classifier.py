"""`MLPClassifier`: classes of any kind, one a row or several labels a row."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target

from glassnet.data.dense import is_sparse
from glassnet.data.target_schema import TargetSchema
from glassnet.estimators.base import MLPBase, has_partial_fit
from glassnet.estimators.documentation import document
from glassnet.estimators.rows import describe_classes, describe_labels
from glassnet.estimators.sklearn_callbacks import with_callbacks
from glassnet.nn.activations import Array
from glassnet.nn.losses import LOSSES, Loss
from glassnet.nn.network import Network, spread_probabilities

#: What classes may be, by the names of scikit-learn's `type_of_target`.
KINDS = ("binary", "multiclass", "multilabel-indicator")


def gives_probabilities(estimator: Any) -> bool:
    """Say whether the loss is one of probabilities."""
    return estimator.loss == "log_loss" or LOSSES.resolve(estimator.loss).output is not None


@document(
    parameters="""
    PARAMETERS
    class_weight : dict or "balanced", optional
        Weight of the rows of each class; see `glassnet.training.row_weights`.
    loss : str or Loss, default "log_loss"
        scikit-learn's loss: cross-entropy after softmax, and of two classes or several labels after sigmoids. Or
        any of glassnet's, or one of your own from `glassnet.register_loss`.
    """,
    attributes="""
    classes_ : ndarray of shape (k,)
        The classes, sorted.
    ATTRIBUTES
    """,
)
class MLPClassifier(ClassifierMixin, MLPBase):
    """A multilayer perceptron that classifies, with the parameters and attributes of scikit-learn's.

    Beside these it has what glassnet adds: weights of classes, any loss, dropout, batch normalisation, own
    activations, every optimizer and schedule, augmentation, validation rows, callbacks, and a network whose health
    is examined.

    Raises
    ------
    ValueError
        From `fit`, if a parameter cannot be used.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = MLPClassifier((16,), learning_rate_init=0.02, class_weight="balanced", random_state=0)
    >>> classifier.fit(X, y).score(X, y) > 0.95
    True
    >>> classifier.model_
    Model([4, 16, 3], multi-class, classes: 0, 1, 2)
    """

    _numeric = False

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        class_weight: Any = None,
        loss: str | Loss = "log_loss",
        dropout: Any = 0.0,
        batch_norm: Any = False,
        optimizer: Any = None,
        schedule: Any = None,
        augmentation: Any = None,
        callbacks: Any = None,
        initial_weights: Any = None,
        initializer: Any = None,
        n_threads: int | None = None,
        dtype: Any = None,
        kernels: str = "auto",
        preprocess: str | None = None,
        pieces: int | None = None,
        options: Any = None,
    ) -> None:
        given = dict(locals())
        del given["self"]
        self.__dict__.update(given)

    @available_if(has_partial_fit)
    @with_callbacks
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Any:
        """Train for one epoch more, with the memory of the optimizer.

        Parameters
        ----------
        X, y, sample_weight
            See `fit`.
        classes : array_like of shape (k,), optional
            All classes; the first call needs them.

        Returns
        -------
        self
            The estimator.

        Raises
        ------
        ValueError
            As `fit` raises it, and if y has other classes.
        """
        _check_partial_fit_first_call(self, classes)
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def _take_targets(self, y: Any, incremental: bool) -> tuple[Array, TargetSchema]:
        """Learn the classes, or check that they are those learned before; return labels 0, 1, ..."""
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if kind not in KINDS:
            raise ValueError(f"Unknown label type: {kind}; give classes, or columns of 0 and 1")
        self._multilabel, self._sparse_targets = kind == KINDS[-1], is_sparse(y)
        classes = np.arange(y.shape[1]) if self._multilabel else np.unique(y)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self.classes_ = classes
        else:
            self._compare_classes(classes)
        target = describe_labels(len(self.classes_)) if self._multilabel else describe_classes(self.classes_)
        return self._encode_targets(y, target), target

    def _compare_classes(self, classes: Array) -> None:
        """Refuse classes that a fit that goes on does not know."""
        if self.warm_start and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {classes}"
            )
        if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}."
            )

    def _encode_targets(self, y: Any, target: TargetSchema) -> Array:
        """Return labels 0, 1, ..., or rows of 0 and 1."""
        if self._multilabel:
            return (y.toarray() if is_sparse(y) else np.asarray(y)).astype(np.int64)
        y = np.asarray(y)
        labels = np.searchsorted(self.classes_, y)
        unknown = self.classes_[np.minimum(labels, len(self.classes_) - 1)] != y
        if unknown.any():
            raise ValueError(f"y has the class {y[unknown][0]}, which is none of {self.classes_}")
        return labels

    def _count_outputs(self, y: Array) -> int:
        if self._multilabel:
            return y.shape[1]
        return 1 if len(self.classes_) < 3 else len(self.classes_)

    def _choose_loss(self, target: TargetSchema) -> tuple[str | Loss, str | None]:
        """Return the loss, and the output activation where the loss does not choose it."""
        if not (isinstance(self.loss, str) and self.loss == "log_loss"):
            return self.loss, None
        return ("cross_entropy" if target.task == "multi-class" else "binary_cross_entropy"), None

    def _choose_strata(self, y: Array) -> Array | None:
        """Return what rows are drawn by for validation; scikit-learn does so where there is one output."""
        return y.reshape(len(y), 1).astype(bool) if self._count_outputs(y) == 1 else None

    def _decide(self, outputs: Array) -> Array:
        """Return the label of each row, or 0 and 1 for each of its labels."""
        if self._multilabel or outputs.shape[1] == 1:
            return (outputs if self._multilabel else outputs[:, 0]) > 0.5
        return outputs.argmax(axis=1)

    def _score_outputs(self, network: Network, X: Array, y: Array, weight: Array | None) -> float:
        return accuracy_score(y, self._decide(network.outputs(X)).astype(np.int64), sample_weight=weight)

    def predict(self, X: Any) -> Array:
        """Return the class of each row.

        Parameters
        ----------
        X : array_like, sparse matrix or table
            Rows as in `fit`.

        Returns
        -------
        ndarray of shape (n,) or (n, k)
            Classes as in `fit`, or rows of 0 and 1 where a row has several labels.
        """
        decided = self._decide(self._outputs(X)).astype(np.int64)
        if not self._multilabel:
            return self.classes_[np.minimum(decided, len(self.classes_) - 1)]
        if self._sparse_targets:
            from scipy.sparse import csr_array

            return csr_array(decided)
        return decided

    @available_if(gives_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, or of each label where a row has several.

        Parameters
        ----------
        X : array_like, sparse matrix or table
            Rows as in `fit`.

        Returns
        -------
        ndarray of shape (n, k)
            In the order of ``classes_``.
        """
        return spread_probabilities(self._outputs(X))

    @available_if(gives_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of the probabilities.

        Parameters
        ----------
        X : array_like, sparse matrix or table
            Rows as in `fit`.

        Returns
        -------
        ndarray of shape (n, k)
            ``log(predict_proba(X))``; -inf where a probability is 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
