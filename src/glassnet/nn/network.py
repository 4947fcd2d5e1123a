"""The network: layers, activations and a loss around one parameter vector."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from glassnet.errors import DataError, UsageError
from glassnet.nn import arguments, backpropagation
from glassnet.nn.activations import IDENTITY, Activation, Array
from glassnet.nn.backpropagation import ForwardCache
from glassnet.nn.batch_norm import MOMENTUM, track
from glassnet.nn.initializers import INITIALIZERS, Initializer
from glassnet.nn.input_rows import BLOCK_ROWS, as_batch, refuse_non_finite, take_rows
from glassnet.nn.losses import LOSSES, Loss
from glassnet.nn.parameters import Parameters
from glassnet.nn.poisson import check_no_negative
from glassnet.nn.prediction import predict_outputs
from glassnet.nn.targets import decode, encode
from glassnet.runtime.callers import warn_caller
from glassnet.runtime.seeds import stream

#: Where columns scaled to standard deviation 1 lie further from 0 on average, they are rarely scaled.
RAW = 3.0

#: How many times further the mean of a single row's column may lie; that of n rows, by 1 / sqrt(n) of it.
FEW = 3.0


class NetworkWarning(UserWarning):
    """A network was given rows that are hardly meant for it."""


class Network:
    """A multilayer perceptron: layers, activations and a loss around one parameter vector theta.

    Parameters
    ----------
    layers : sequence of int
        Units per layer, the inputs first: ``[784, 256, 128, 10]``.
    activation : str, Activation, or one of them per hidden layer
        Activation of the hidden layers; a name from `ACTIVATIONS`, such as ``"relu"``, ``"tanh"``, ``"gelu"``.
    output_activation : str or Activation, optional
        Activation of the last layer. By default the one the loss is fused with (softmax for cross_entropy, sigmoid
        for binary_cross_entropy), identity for every other loss.
    loss : str or Loss, optional
        Loss to minimise; by default cross_entropy, which takes an output for each class, and for a single output
        half_squared_error, which regresses a number. A name from `LOSSES`, with options if need be:
        ``"half_squared_error(sum)"``. ``"mse"``, ``"mae"`` and ``"bce"`` are short names; `glassnet.nn.losses` has
        the factor to those of Keras.
    output_scale : float, default 1
        Factor k on the output; 1 where the loss makes probabilities.
    initializer : str, Initializer, or ndarray of shape (p,)
        How the weights are drawn, a name from `INITIALIZERS`; or the whole of theta as an array.
    bias_initializer : str or Initializer, default "zeros"
        How the biases are drawn.
    seed : int, default 0
        Seed of the first theta: the same seed and layers give the same theta whatever activation follows.
    dtype : {"float32", "float64"}, default "float32"
        Type of theta and of all that is computed from it.
    batch_norm : bool or sequence of bool, default False
        Whether the hidden layers normalise their pre-activations over the batch; see `glassnet.nn.batch_norm`.
    dropout : float or sequence of float, default 0
        Share of units that are left out in a step of training: of every hidden layer; or one number for the input
        and each hidden layer. See `glassnet.nn.dropout`.
    class_names : sequence of str, optional
        Names of the class labels 0, 1, ...; `fit` sets it from the data. Without it, `predict` answers with
        labels only after a softmax, which has a class for each output.

    Raises
    ------
    UsageError
        If an argument cannot be used; the message names it.

    Examples
    --------
    >>> network = Network([2, 3, 2], activation="tanh", seed=0)
    >>> network.outputs(np.array([[0.5, -0.5]])).sum(axis=1)
    array([1.], dtype=float32)
    """

    def __init__(
        self,
        layers: Sequence[int],
        activation: str | Activation | Sequence[str | Activation] = "relu",
        *,
        output_activation: str | Activation | None = None,
        loss: str | Loss | None = None,
        output_scale: float = 1.0,
        initializer: str | Initializer | Array = "glorot_uniform",
        bias_initializer: str | Initializer = "zeros",
        seed: int = 0,
        dtype: str = "float32",
        batch_norm: bool | Sequence[bool] = False,
        dropout: float | Sequence[float] = 0.0,
        class_names: Sequence[str] | None = None,
    ) -> None:
        self.layers = arguments.check_layers(layers)
        self.has_own_loss = loss is not None
        if loss is None:
            loss = "half_squared_error" if self.layers[-1] == 1 else "cross_entropy"
        self.loss = LOSSES.resolve(loss)
        self.activations = arguments.resolve_hidden_activations(activation, len(self.layers) - 2)
        self.activations.append(arguments.resolve_output_activation(output_activation, self.loss))
        self.output_scale = arguments.check_scale(output_scale, self.loss)
        self.seed = seed
        if self.loss.output == "softmax" and self.layers[-1] == 1:
            raise UsageError(
                "loss",
                f"{self.loss.name} over a single output is always 0; take one output a class, "
                "binary_cross_entropy for two classes, or half_squared_error to regress a number",
            )
        self.class_names = arguments.check_class_names(class_names, self.layers[-1])
        self.dropout = arguments.check_dropout(dropout, len(self.layers) - 2)
        normalised = (*arguments.check_batch_norm(batch_norm, len(self.layers) - 2), False)
        self.parameters = Parameters(self.layers, arguments.check_dtype(dtype), normalised)
        biases = INITIALIZERS.resolve(bias_initializer, "bias_initializer")
        self.bias_initializer = biases.spec
        self.initializer = self._initialise(initializer, biases)
        self.scaled_inputs = False

    @property
    def theta(self) -> Array:
        """All parameters, a vector of shape (p,); what is assigned to it is copied into it."""
        return self.parameters.theta

    @theta.setter
    def theta(self, values: Any) -> None:
        self.parameters.theta[:] = values

    @property
    def gradient(self) -> Array:
        """dL/dtheta of shape (p,), as the last `backward` left it."""
        return self.parameters.gradient

    @property
    def W(self) -> list[Array]:
        """Weights of every layer, views of shape (d_in, d_out) into theta."""
        return self.parameters.W

    @property
    def b(self) -> list[Array]:
        """Biases of every layer, views of shape (d_out,) into theta."""
        return self.parameters.b

    @property
    def batch_norm(self) -> tuple[bool, ...]:
        """Whether each hidden layer normalises its pre-activations."""
        return self.parameters.batch_norm[:-1]

    @property
    def gamma(self) -> list[Array | None]:
        """Scales of the layers that normalise, views of shape (d_out,) into theta; None of the others."""
        return self.parameters.gamma

    @property
    def dW(self) -> list[Array]:
        """dL/dW of every layer, views into the gradient."""
        return self.parameters.dW

    @property
    def db(self) -> list[Array]:
        """dL/db of every layer, views into the gradient."""
        return self.parameters.db

    def _initialise(self, initializer: str | Initializer | Array, bias_initializer: Initializer) -> str:
        """Fill theta in float64, layer by layer, and return how.

        Biases have a stream of their own: the weights are the same, however the biases are drawn.
        """
        weight_rng, bias_rng = stream(self.seed, "initialisation"), stream(self.seed, "biases")
        with np.errstate(over="ignore"):  # a number beyond the dtype is refused below
            if isinstance(initializer, np.ndarray):
                if initializer.shape != self.theta.shape or not np.isfinite(initializer).all():
                    raise UsageError(
                        "initializer",
                        f"an array must hold {len(self.theta)} finite numbers in the shape {self.theta.shape}, "
                        f"got the shape {initializer.shape}",
                    )
                self.theta[:], spec = initializer, "array"
            else:
                weight_initializer = INITIALIZERS.resolve(initializer)
                spec = weight_initializer.spec
                for W, b, gamma in zip(self.W, self.b, self.gamma, strict=True):
                    W[:] = weight_initializer.draw(W.shape, weight_rng)
                    b[:] = bias_initializer.draw(b.shape, bias_rng)
                    if gamma is not None:
                        gamma[:] = 1
        if not np.isfinite(self.theta).all():
            raise UsageError("initializer", f"{spec} gives numbers that are not finite in {self.theta.dtype}")
        return spec

    @property
    def n_classes(self) -> int | None:
        """Number of classes; None where the outputs are numbers."""
        if self.class_names is not None:
            return len(self.class_names)
        return self.layers[-1] if self.loss.output == "softmax" else None

    def forward(self, X: Array, dropout_keys: Array | None = None, places: Array | None = None) -> ForwardCache:
        """Run a batch through the network and return every layer's Z and H, and the outputs.

        Parameters
        ----------
        X : ndarray of shape (n, d_0)
            Rows of this network's dtype; `input_batch` makes them from whatever the data are.
        dropout_keys : ndarray, optional
            A step's keys from `glassnet.nn.dropout.mask_keys`: the pass is then one of training, with dropout and
            with the batch's own statistics. None: as in prediction.
        places : ndarray of shape (n,), optional
            Where the rows stand in their batch, if they are a part of it: dropout goes by that.
        """
        return backpropagation.forward(
            X, self.parameters, self.activations, self.output_scale, self.dropout, dropout_keys, places
        )

    def forward_as_batch(self, X: Array) -> ForwardCache:
        """Run a batch through as in training, with its own statistics, but without dropout."""
        no_dropout = [0.0] * len(self.W)
        keys = np.zeros(len(self.W), np.uint32)
        return backpropagation.forward(X, self.parameters, self.activations, self.output_scale, no_dropout, keys)

    def track(self, cache: ForwardCache, momentum: float = MOMENTUM) -> None:
        """Move the running statistics of batch normalisation towards those of a training pass."""
        statistics = self.parameters.mean, self.parameters.variance
        for mean, variance, normalised in zip(*statistics, cache.normalised, strict=True):
            if mean is not None and variance is not None and normalised is not None:
                track(mean, variance, normalised, momentum)

    def measure_statistics(self, X: Array) -> None:
        """Set the running statistics to those of these rows: for parameters that no step of training has had.

        Averaged parameters are such (Izmailov et al. 2018, section 3.2). The rows go through in one batch.
        """
        self.track(self.forward_as_batch(self.input_batch(X)), momentum=0)

    def backward(self, cache: ForwardCache, targets: Array, weights: Array | None = None) -> Any:
        """Return the loss of the batch and write its gradient by theta into ``gradient``.

        Parameters
        ----------
        cache : ForwardCache
            From `forward`; its ``delta`` is filled.
        targets : ndarray of shape (n, d_L)
            From `encode`.
        weights : ndarray of shape (n,), optional
            What the loss of each row is multiplied by. Default: 1.

        Raises
        ------
        NonFiniteError
            If the loss is NaN or infinite; the message says in which layer that began.
        """
        return backpropagation.backward(
            cache, targets, self.loss, self.parameters, self.activations, self.output_scale, weights
        )

    def loss_value(self, cache: ForwardCache, targets: Array) -> Any:
        """Return the loss of the batch without its gradient; raises as `backward` does."""
        return backpropagation.value_and_slope(cache, targets, self.loss)[0]

    def input_batch(self, X: Array) -> Array:
        """Return rows as the network takes them: flat, of its dtype, bytes scaled to [0, 1].

        uint8 is taken as pixels and divided by 255, everywhere alike: in `fit`, `predict` and `evaluate`.
        """
        return as_batch(X, self.theta.dtype)

    def check_input(self, X: Any) -> Array:
        """Return X as an array, or raise `DataError` where it does not fit the network or is not finite."""
        X = take_rows(X, self.layers[0])
        refuse_non_finite(X, self.theta.dtype)
        return X

    def encode(self, y: Any) -> Array:
        """Return targets of shape (n, d_L) for labels or numbers y; see `glassnet.nn.targets`."""
        targets = encode(np.asarray(y), self.layers[-1], self.n_classes, self.theta.dtype)
        if self.loss.output is not None and not ((targets >= 0) & (targets <= 1)).all():
            bad = targets[((targets < 0) | (targets > 1)).any(axis=1)][0]
            raise DataError(
                f"y: {self.loss.name} takes probabilities or {max(2, self.layers[-1])} classes, got {bad}"
            )
        check_no_negative(self.loss, targets)
        return targets

    def check_data(self, X: Any, y: Any) -> tuple[Array, Array]:
        """Return X as an array and the targets for y, or raise `DataError` where they do not fit."""
        X, targets = self.check_input(X), self.encode(y)
        if len(X) != len(targets):
            raise DataError(f"y: {len(targets)} targets for {len(X)} rows of X")
        return X, targets

    def blocks(self, X: Array) -> Iterator[tuple[slice, ForwardCache]]:
        """Yield the rows of checked X in blocks, with the forward pass of each."""
        for first in range(0, len(X), BLOCK_ROWS):
            rows = slice(first, min(first + BLOCK_ROWS, len(X)))
            yield rows, self.forward(self.input_batch(X[rows]))

    def outputs(self, X: Any) -> Array:
        """Return the outputs of shape (n, d_L): probabilities after softmax or sigmoid, else k f(Z).

        Those of a row are the same, bit for bit, alone as among others. Many rows are shared among threads.

        Raises
        ------
        DataError
            If X does not fit the network or is not finite.
        NonFiniteError
            If the numbers overflow on their way.
        """
        X = take_rows(X, self.layers[0])
        return predict_outputs(X, self.parameters, self.activations, self.output_scale, self.loss)

    def predict(self, X: Any) -> Array:
        """Return class labels of shape (n,), or the outputs where the network has no classes."""
        outputs = self.outputs(X)
        self._doubt_rows(X)
        return decode(outputs, self.n_classes)

    def _doubt_rows(self, X: Any) -> None:
        """Warn of rows that cannot be meant, where the network learned from columns scaled to a usual size."""
        if not self.scaled_inputs:
            return
        X = np.asarray(X)
        means = np.abs(X.reshape(len(X), -1).mean(axis=0, dtype=np.float64))
        if np.mean(means > RAW * (1 + FEW / np.sqrt(len(X)))) > 1 / 4:
            warn_caller(
                "X: these look like rows before scaling, and the network learned from scaled columns; "
                "a Model (run.model, or from load_model) takes rows as they are",
                NetworkWarning,
            )

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of every class, of shape (n, classes), for rows X of shape (n, d_0).

        After softmax they are the outputs. After a single sigmoid they are two columns: 1 - output and output.
        After several sigmoids they are the outputs, each by itself; such rows need not sum to 1.

        Raises
        ------
        UsageError
            If the loss is not one of probabilities.
        DataError, NonFiniteError
            As from `outputs`.

        Examples
        --------
        >>> Network([2, 3, 1], loss="binary_cross_entropy").predict_proba([[0.5, 1.0]]).sum(axis=1)
        array([1.], dtype=float32)
        """
        refuse_without_probabilities(self)
        outputs = self.outputs(X)
        self._doubt_rows(X)
        return spread_probabilities(outputs)

    def astype(self, dtype: Any) -> Network:
        """Return a copy of the network with theta in another dtype."""
        other = copy.copy(self)
        other.activations = list(self.activations)
        other.parameters = self.parameters.like(dtype)
        return other

    def copy(self) -> Network:
        """Return an independent copy."""
        return self.astype(self.theta.dtype)

    def fingerprint(self) -> str:
        """Return the SHA-256 of theta's bytes: equal exactly where every parameter is equal bit for bit."""
        return hashlib.sha256(self.theta.data).hexdigest()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that build this network again, as plain values; what is the default is None."""
        hidden, last = [activation.name for activation in self.activations[:-1]], self.activations[-1]
        return {
            "layers": list(self.layers),
            "activation": hidden[0] if len(set(hidden)) == 1 else hidden,
            "output_activation": None if last == IDENTITY else last.name,
            "loss": self.loss.spec,
            "output_scale": self.output_scale,
            "initializer": self.initializer,
            "bias_initializer": self.bias_initializer,
            "seed": int(self.seed),
            "dtype": str(self.theta.dtype),
            "batch_norm": self.batch_norm[0] if len(set(self.batch_norm)) == 1 else list(self.batch_norm),
            "dropout": self.dropout[-1]
            if self.dropout[0] == 0 and len(set(self.dropout[1:])) == 1
            else list(self.dropout),
            "class_names": None if self.class_names is None else list(self.class_names),
        }

    def __repr__(self) -> str:
        names = [activation.name for activation in self.activations[:-1]]
        hidden = names[0] if len(set(names)) == 1 else names
        return f"Network({list(self.layers)}, activation={hidden!r}, loss={self.loss.spec!r}, seed={self.seed})"


def refuse_without_probabilities(network: Network) -> None:
    """Raise `UsageError` where a network's outputs are no probabilities."""
    if network.loss.output is None:
        raise UsageError(
            "loss",
            f"{network.loss.name} gives no probabilities; train with cross_entropy or binary_cross_entropy, "
            "or take predict or outputs",
        )


def spread_probabilities(outputs: Array) -> Array:
    """Return a column of probabilities for each class: a single output is that of class 1, 1 - it that of 0."""
    return outputs if outputs.shape[1] > 1 else np.hstack([1 - outputs, outputs])
