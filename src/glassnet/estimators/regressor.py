"""`MLPRegressor`: numbers, one a row or several."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from glassnet.data.target_schema import TargetSchema
from glassnet.estimators.base import MLPBase
from glassnet.estimators.documentation import document
from glassnet.estimators.parameters import take_activation
from glassnet.nn.activations import Activation, Array
from glassnet.nn.losses import Loss
from glassnet.nn.network import Network
from glassnet.nn.poisson import EXPONENTIAL, POISSON


@document(
    parameters="""
    loss : str or Loss, default "squared_error"
        scikit-learn's "squared_error", half the squared residuals summed over the outputs, or "poisson", half the
        deviance of counts, after an exponential. Or any of glassnet's, such as "absolute_error" or "huber(2)", or
        one of your own from `glassnet.register_loss`.
    PARAMETERS
    output_activation : str or Activation, optional
        What the last layer does, such as "logistic" for numbers from 0 to 1. By default nothing.
    """,
    attributes="ATTRIBUTES",
)
class MLPRegressor(RegressorMixin, MLPBase):
    """A multilayer perceptron that regresses numbers, with the parameters and attributes of scikit-learn's.

    Beside these it has what glassnet adds: any loss, dropout, batch normalisation, own activations, every
    optimizer and schedule, validation rows, callbacks, and a network whose health is examined.

    Raises
    ------
    ValueError
        From `fit`, if a parameter cannot be used.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> X, y = make_regression(200, 5, random_state=0)
    >>> regressor = MLPRegressor("huber(10)", (32,), solver="lbfgs", tol=0.1, max_iter=1000, random_state=0)
    >>> regressor.fit(X, y).score(X, y) > 0.99
    True
    """

    _numeric = True

    def __init__(
        self,
        loss: str | Loss = "squared_error",
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
        output_activation: Any = None,
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

    def _take_targets(self, y: Any, incremental: bool) -> tuple[Array, TargetSchema]:
        y = self._encode_targets(y, None)
        if isinstance(self.loss, str) and self.loss == "poisson" and not (y >= 0).all():
            raise ValueError("loss: poisson needs targets >= 0")
        return y, TargetSchema("regression", width=1 if y.ndim == 1 else y.shape[1])

    def _encode_targets(self, y: Any, target: TargetSchema | None) -> Array:
        """Return numbers; where they are scaled, as the network has them."""
        y = np.asarray(y, np.float64)
        return target.encode(y) if target is not None and target.scaled else y

    def _count_outputs(self, y: Array) -> int:
        return 1 if y.ndim == 1 else y.shape[1]

    def _choose_loss(self, target: TargetSchema) -> tuple[str | Loss, str | Activation | None]:
        """Return the loss, and the output activation where it is not the identity."""
        if isinstance(self.loss, str) and self.loss == "poisson":
            return POISSON, EXPONENTIAL
        output = None if self.output_activation is None else take_activation(self.output_activation)
        return ("half_squared_error" if self.loss == "squared_error" else self.loss), output

    def _choose_strata(self, y: Array) -> None:
        return None

    def _score_outputs(self, network: Network, X: Array, y: Array, weight: Array | None) -> float:
        return r2_score(y, network.outputs(X), sample_weight=weight)

    def predict(self, X: Any) -> Array:
        """Return the numbers of each row.

        Parameters
        ----------
        X : array_like, sparse matrix or table
            Rows as in `fit`.

        Returns
        -------
        ndarray of shape (n,) or (n, k)
            Numbers in the units of `fit`.
        """
        outputs = self._outputs(X)
        outputs = outputs[:, 0] if outputs.shape[1] == 1 else outputs
        target = self.model_.schema.target
        return target.decode(outputs) if target.scaled else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
