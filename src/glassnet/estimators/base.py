"""What classifier and regressor have in common: scikit-learn's calls, and what is learned from them."""

from __future__ import annotations

import contextlib
from importlib.metadata import version
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _check_feature_names,
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from glassnet.data.array_schema import ArraySchema
from glassnet.data.dense import is_sparse
from glassnet.data.schema import DataWarning, Schema
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import DataError, UsageError
from glassnet.estimators.fitting import Fit, Rows
from glassnet.estimators.leaving import make_sklearn_model
from glassnet.estimators.parameters import check_parameters, take_activation, take_hidden_sizes
from glassnet.estimators.rows import learn_numbers, learn_rows
from glassnet.estimators.sklearn_callbacks import CallbackSupportMixin, EpochTasks, with_callbacks
from glassnet.estimators.solvers import draw_weights, seed_of, set_weights
from glassnet.nn.activations import Array
from glassnet.nn.input_rows import BLOCK_ROWS
from glassnet.nn.network import Network
from glassnet.runtime.callers import warn_caller
from glassnet.training.health.monitor import Health
from glassnet.training.model import Model
from glassnet.training.results import Run

#: scikit-learn's names of what the last layer does, by how the loss makes probabilities.
OUTPUT_NAMES = {"softmax": "softmax", "sigmoid": "logistic", None: "identity"}


def has_partial_fit(estimator: Any) -> bool:
    """Say whether there is a ``partial_fit``: a solver that minimises at once does no part of it."""
    if estimator.optimizer is None and estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers; lbfgs is not stochastic")
    return True


def _flatten(y: Any) -> Any:
    """Return a column as one-dimensional, with scikit-learn's warning."""
    return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 and not is_sparse(y) else y


class MLPBase(CallbackSupportMixin, BaseEstimator):
    """What `MLPClassifier` and `MLPRegressor` share. A subclass knows its targets and its loss."""

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Any:
        """Train the network.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n, d); with ``preprocess="auto"`` a table or pictures, too
            Rows.
        y : array_like of shape (n,) or (n, k)
            Classes, or numbers.
        sample_weight : array_like of shape (n,), optional
            How much each row counts.
        X_val, y_val : optional
            Rows for validation: ``history_`` has their loss after each epoch. With ``early_stopping`` it is they
            that end training, and no rows of X are set aside.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            If parameters or data cannot be used, or the numbers overflow.
        """
        self._fit(X, y, sample_weight, validation=(X_val, y_val))
        return self

    @available_if(has_partial_fit)
    @with_callbacks
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train for one epoch more, with the memory of the optimizer.

        Parameters
        ----------
        X, y, sample_weight
            See `fit`.

        Returns
        -------
        self
            The estimator.

        Raises
        ------
        ValueError
            As `fit` raises it.
        """
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def to_sklearn(self) -> Any:
        """Return an MLP of scikit-learn with the same weights.

        Returns
        -------
        sklearn.neural_network.MLPClassifier or MLPRegressor
            It predicts the same, up to rounding. Parameters that scikit-learn does not have are left out.

        Raises
        ------
        UsageError
            If scikit-learn's cannot be the same network; the message names the parameter.
        """
        check_is_fitted(self)
        return make_sklearn_model(self, self._find_network())

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        validation: tuple[Any, Any] = (None, None),
        incremental: bool = False,
    ) -> None:
        """Check all, learn what rows mean, train, and set what was learned."""
        check_parameters(vars(self))
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        given = {"X": X, "y": y, "metadata": {} if sample_weight is None else {"sample_weight": sample_weight}}
        rows = self._take_rows(X, y, sample_weight, first, incremental)
        random_state = check_random_state(self.random_state)
        network = self._make_network(rows, random_state) if first else self._go_on(rows, random_state)
        self._set_validation(rows, *validation, random_state, incremental)
        fit = Fit(
            self, network, rows, random_state, incremental,
            earlier=None if first else getattr(self, "_convergence", None),
            memory=getattr(self, "_optimizer", None) if incremental and not first else None,
        )  # fmt: skip
        heard = hasattr(self, "_skl_callbacks")
        tasks = [EpochTasks(fit.epochs, self, given, self._describe_so_far)] if heard else []
        run = fit.run(tasks)
        self._set_layers(network)
        for task in tasks:
            task.finish(run)

    def _take_rows(self, X: Any, y: Any, sample_weight: Any, first: bool, incremental: bool) -> Rows:
        """Return rows and targets as a network takes them, and what they mean."""
        known = None if first or not hasattr(self, "model_") else self.model_.schema
        if self.preprocess is None:
            X, y = self._check_rows(X, y, reset=first)
            X = X.toarray() if is_sparse(X) else X
            y, target = self._take_targets(y, incremental)
            schema = known or learn_numbers(X, target)
        else:
            y, target = self._take_targets(self._check_targets(y), incremental)
            schema = known or self._learn_schema(X, y, target)
            # What is to be said of rows was said when their schema was learned from them.
            X = schema.encode_rows(X) if known else schema.input.encode(schema.take_rows(X))[0]
            y = schema.target.encode(y) if schema.target.scaled else y
            if len(X) != len(y):
                raise ValueError(f"X has {len(X)} rows, and y {len(y)}; they must be as many")
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        return Rows(X, y, weight, schema)

    def _check_rows(self, X: Any, *y: Any, reset: bool) -> Any:
        """Return rows, and targets where they are given, as scikit-learn checks them."""
        options = {"accept_sparse": ("csr", "csc"), "dtype": self._choose_types(X), "reset": reset}
        if not y:
            return validate_data(self, X, **options)
        X, targets = validate_data(self, X, *y, multi_output=True, y_numeric=self._numeric, **options)
        return X, _flatten(targets)

    def _choose_types(self, X: Any) -> Any:
        """Return the types of number that rows may have: they decide that of the network. Bytes become float32."""
        if self.dtype is not None:
            return np.dtype(self.dtype)
        return np.float32 if getattr(X, "dtype", None) == np.uint8 else (np.float64, np.float32)

    def _check_targets(self, y: Any) -> Array:
        """Return targets that come beside a table."""
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y is None"
            )
        kind = "numeric" if self._numeric else None
        return _flatten(check_array(y, ensure_2d=False, dtype=kind, input_name="y", estimator=self))

    def _learn_schema(self, X: Any, y: Array, target: TargetSchema) -> Schema:
        """Learn what the rows of a table or array mean; what was guessed or left out is a `DataWarning`."""
        rows, remarks = learn_rows(X)
        for remark in remarks:
            warn_caller(remark, DataWarning)
        _check_feature_names(self, X, reset=True)
        self.n_features_in_ = rows.row_size if isinstance(rows, ArraySchema) else len(X.columns)
        schema = Schema(rows, target)
        return Schema(rows, target.scale(y, schema.scaling)) if target.task == "regression" else schema

    def _make_network(self, rows: Rows, random_state: Any) -> Network:
        """Return a network with its first weights."""
        loss, output = self._choose_loss(rows.schema.target)
        dtype = self.dtype or (rows.X.dtype if rows.X.dtype.kind == "f" else np.float32)
        network = Network(
            self._choose_layers(rows),
            take_activation(self.activation),
            output_activation=output,
            loss=loss,
            initializer=self.initializer or "zeros",
            seed=seed_of(self.random_state),
            dtype=str(np.dtype(dtype)),
            batch_norm=self.batch_norm,
            dropout=self.dropout,
        )
        if self.initializer is None:
            draw_weights(network, random_state, narrow=self.activation == "logistic")
        if self.initial_weights is not None:
            set_weights(network, self.initial_weights)
        return network

    def _choose_layers(self, rows: Rows) -> list[int]:
        """Return the units of each layer, the inputs first."""
        hidden = take_hidden_sizes(self.hidden_layer_sizes)
        return [rows.schema.input.width, *hidden, self._count_outputs(rows.y)]

    def _go_on(self, rows: Rows, random_state: Any) -> Network:
        """Return the network that was learned before; refuse layers that ask for another one."""
        if not hasattr(self, "model_"):  # coefs_ were set by hand
            network = self._make_network(rows, random_state)
            set_weights(network, (self.coefs_, self.intercepts_), "coefs_")
            return network
        network, layers = self._find_network(), self._choose_layers(rows)
        if list(network.layers) != layers:
            raise UsageError(
                "hidden_layer_sizes",
                f"the layers were {list(network.layers)} and would be {layers}; fit anew without warm_start, or "
                "keep them",
            )
        return network

    def _find_network(self) -> Network:
        """Return the network; coefs_ and intercepts_ that were replaced by hand are copied into it."""
        network = self.model_.network
        mine = (*self.coefs_, *self.intercepts_)
        if any(one is not own for one, own in zip(mine, (*network.W, *network.b), strict=True)):
            set_weights(network, (self.coefs_, self.intercepts_), "coefs_")
            self._set_layers(network)
        return network

    def _set_layers(self, network: Network) -> None:
        """Set what scikit-learn says of the layers; coefs_ and intercepts_ are views of the network's theta."""
        self.coefs_, self.intercepts_ = list(network.W), list(network.b)
        self.n_layers_, self.n_outputs_ = len(network.layers), network.layers[-1]
        last = network.activations[-1].name
        self.out_activation_ = OUTPUT_NAMES[network.loss.output] if last == "identity" else last

    def _set_validation(self, rows: Rows, X_val: Any, y_val: Any, random_state: Any, incremental: bool) -> None:
        """Take the rows for validation that were given, or set some of the rows aside."""
        if (X_val is None) != (y_val is None):
            raise UsageError("y_val", "goes with X_val: give both, or neither")
        if X_val is not None:
            if self.preprocess is None:
                X = self._check_rows(X_val, reset=False)
                X = X.toarray() if is_sparse(X) else X
            else:
                X = rows.schema.encode_rows(X_val)
            rows.validation = X, self._encode_targets(self._check_targets(y_val), rows.schema.target)
        elif self.early_stopping and not incremental and (self.optimizer is not None or self.solver != "lbfgs"):
            parts = [rows.X, rows.y] if rows.weight is None else [rows.X, rows.y, rows.weight]
            X, X_held, y, y_held, *weights = train_test_split(
                *parts,
                random_state=random_state,
                test_size=self.validation_fraction,
                stratify=self._choose_strata(rows.y),
            )
            if len(X_held) < 2:
                raise ValueError(
                    "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
                )
            rows.X, rows.y, rows.validation = X, y, (X_held, y_held)
            rows.weight, rows.validation_weight = weights if weights else (None, None)

    @property
    def health_(self) -> Health | None:
        """What is wrong with the network, if anything; it is examined when this is first asked for."""
        return self.run_.health

    def _outputs(self, X: Any) -> Array:
        """Return what the network says of rows."""
        if self._are_plain(X):
            with contextlib.suppress(DataError):  # scikit-learn's checks say it in their own words
                return self._find_network().outputs(X)
        check_is_fitted(self)
        network = self._find_network()
        if self.preprocess is not None:
            return self.model_.outputs(X)
        X = self._check_rows(X, reset=False)
        if not is_sparse(X):
            return network.outputs(X)
        rows = X.tocsr()
        blocks = (rows[first : first + BLOCK_ROWS].toarray() for first in range(0, rows.shape[0], BLOCK_ROWS))
        return np.concatenate([network.outputs(block) for block in blocks])

    def _are_plain(self, X: Any) -> bool:
        """Whether a network takes rows as they are, and checks them itself: scikit-learn's checks take longer."""
        known = vars(self)
        return (
            type(X) is np.ndarray
            and X.ndim == 2
            and X.dtype.char in "fd"
            and "model_" in known
            and "feature_names_in_" not in known
            and self.preprocess is None
        )

    def _describe_so_far(self, run: Run) -> dict[str, Any]:
        """Return what a copy of the estimator predicts with in the middle of training."""
        network = run.network.copy()
        return {
            "model_": Model(network, run.schema),
            "coefs_": list(network.W),
            "intercepts_": list(network.b),
            "n_iter_": len(run.history),
            "n_outputs_": network.layers[-1],
        }

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __getstate__(self) -> dict[str, Any]:
        """Pickle weights once: coefs_ and intercepts_ are views of theta. The version of glassnet goes along."""
        state = dict(super().__getstate__())
        if "model_" in state:
            self._find_network()
            state = {name: value for name, value in state.items() if name not in ("coefs_", "intercepts_")}
        return {**state, "_glassnet_version": version("glassnet")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        written, now = state.pop("_glassnet_version", "an unknown version"), version("glassnet")
        if written != now:
            warn_caller(
                f"{type(self).__name__} was pickled with glassnet {written} and is loaded with {now}, which may "
                "not suit it; fit it again, or keep models in files of glassnet.save_model"
            )
        super().__setstate__(state)
        if "model_" in state:
            self._set_layers(self.model_.network)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        if self.preprocess is not None:
            tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags
