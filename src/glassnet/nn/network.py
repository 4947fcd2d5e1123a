"""The network: layers, activations and a loss around one parameter vector."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from glassnet.errors import DataError, NonFiniteError, UsageError
from glassnet.nn import backpropagation
from glassnet.nn.activations import ACTIVATIONS, IDENTITY, Activation, Array
from glassnet.nn.backpropagation import Trace
from glassnet.nn.batch_norm import MOMENTUM, track
from glassnet.nn.initializers import INITIALIZERS, Initializer
from glassnet.nn.losses import LOSSES, Loss, check_output
from glassnet.nn.parameters import Parameters
from glassnet.nn.targets import decode, encode, r_squared
from glassnet.runtime.seeds import stream

#: Rows that predict, score and evaluate take at a time, so that a large data set needs no float copy.
BLOCK_ROWS = 1024

DTYPES = (np.dtype("float32"), np.dtype("float64"))


class Network:
    """A multilayer perceptron.

    Parameters
    ----------
    layers : sequence of int
        Units per layer, the inputs first: ``[784, 256, 128, 10]``.
    activation : str, Activation, or one of them per hidden layer
        Of the hidden layers; a name from `ACTIVATIONS`.
    output_activation : str or Activation, optional
        Of the last layer. By default the one the loss is fused with (softmax for cross_entropy, sigmoid for
        binary_cross_entropy), identity for every other loss.
    loss : str or Loss, default "cross_entropy"
        A name from `LOSSES`, with options if need be: ``"half_squared_error(sum)"``.
    output_scale : float, default 1
        The factor k on the output.
    initializer : str, Initializer, or ndarray of shape (p,)
        Of the weights, from `INITIALIZERS`; or the whole of theta.
    bias_initializer : str or Initializer, default "zeros"
        Of the biases.
    seed : int, default 0
        Decides the first theta: the same seed and layers give the same theta whatever activation follows.
    dtype : {"float32", "float64"}
        Of theta and all that is computed from it.
    batch_norm : bool or sequence of bool, default False
        Whether the hidden layers normalise their pre-activations over the batch; see `glassnet.nn.batch_norm`.
    dropout : float or sequence of float, default 0
        Share of units that are left out in a step of training: of every hidden layer; or one number for the input
        and each hidden layer. See `glassnet.nn.dropout`.
    class_names : sequence of str, optional
        What the class labels 0, 1, ... mean; `fit` sets it from the data. Without it, `predict` answers with
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
        loss: str | Loss = "cross_entropy",
        output_scale: float = 1.0,
        initializer: str | Initializer | Array = "glorot_uniform",
        bias_initializer: str | Initializer = "zeros",
        seed: int = 0,
        dtype: str = "float32",
        batch_norm: bool | Sequence[bool] = False,
        dropout: float | Sequence[float] = 0.0,
        class_names: Sequence[str] | None = None,
    ) -> None:
        self.layers = _check_layers(layers)
        self.loss = LOSSES.resolve(loss)
        self.activations = _hidden_activations(activation, len(self.layers) - 2)
        self.activations.append(_output_activation(output_activation, self.loss))
        self.output_scale = _check_scale(output_scale, self.loss)
        self.seed = seed
        if self.loss.output == "softmax" and self.layers[-1] == 1:
            raise UsageError(
                "loss",
                f"{self.loss.name} over a single output is always 0; take one output a class, "
                "binary_cross_entropy for two classes, or half_squared_error to regress a number",
            )
        self.class_names = _check_class_names(class_names, self.layers[-1])
        self.dropout = _check_dropout(dropout, len(self.layers) - 2)
        normalised = (*_check_batch_norm(batch_norm, len(self.layers) - 2), False)
        self.parameters = Parameters(self.layers, _check_dtype(dtype), normalised)
        biases = INITIALIZERS.resolve(bias_initializer, "bias_initializer")
        self.bias_initializer = biases.spec
        self.initializer = self._initialise(initializer, biases)

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
        """Fill theta in float64, layer by layer, W before b, and return how."""
        rng = stream(self.seed, "initialisation")
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
                    W[:] = weight_initializer.draw(W.shape, rng)
                    b[:] = bias_initializer.draw(b.shape, rng)
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

    def forward(self, X: Array, training: Array | None = None) -> Trace:
        """Run a batch through the network.

        Parameters
        ----------
        X : ndarray of shape (n, d_0)
            Rows of this network's dtype; `input_batch` makes them from whatever the data are.
        training : ndarray, optional
            A step's keys from `glassnet.nn.dropout.mask_keys`: the pass is then one of training, with dropout and
            with the batch's own statistics. None: as in prediction.

        Returns
        -------
        Trace
            Every layer's Z and H, and the outputs.
        """
        return backpropagation.forward(
            X, self.parameters, self.activations, self.output_scale, self.dropout, training
        )

    def forward_as_batch(self, X: Array) -> Trace:
        """Run a batch through as in training, with its own statistics, but without dropout."""
        no_keys = np.zeros(len(self.W), np.uint32)
        no_dropout = [0.0] * len(self.W)
        return backpropagation.forward(
            X, self.parameters, self.activations, self.output_scale, no_dropout, no_keys
        )

    def track(self, trace: Trace, momentum: float = MOMENTUM) -> None:
        """Move the running statistics of batch normalisation towards those of a training pass."""
        for mean, variance, normalised in zip(
            self.parameters.mean, self.parameters.variance, trace.normalised, strict=True
        ):
            if mean is not None and variance is not None and normalised is not None:
                track(mean, variance, normalised, momentum)

    def measure_statistics(self, X: Array) -> None:
        """Set the running statistics to those of these rows: for parameters that no step of training has had.

        Averaged parameters are such (Izmailov et al. 2018, section 3.2). The rows go through in one batch.
        """
        self.track(self.forward_as_batch(self.input_batch(X)), momentum=0)

    def backward(self, trace: Trace, targets: Array, weights: Array | None = None) -> Any:
        """Return the loss of the batch and write its gradient by theta into ``gradient``.

        Parameters
        ----------
        trace : Trace
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
            trace, targets, self.loss, self.parameters, self.activations, self.output_scale, weights
        )

    def loss_value(self, trace: Trace, targets: Array) -> Any:
        """Return the loss of the batch without its gradient; raises as `backward` does."""
        return backpropagation.value_and_slope(trace, targets, self.loss)[0]

    def input_batch(self, X: Array) -> Array:
        """Return rows as the network takes them: flat, of its dtype, bytes scaled to [0, 1].

        uint8 is taken as pixels and divided by 255, everywhere alike: in `fit`, `predict` and `score`.
        """
        X = X.reshape(len(X), -1)
        if X.dtype == np.uint8:
            return np.divide(X, 255, dtype=self.theta.dtype)
        return X.astype(self.theta.dtype, copy=False)

    def check_input(self, X: Any) -> Array:
        """Return X as an array, or raise `DataError` where it does not fit the network or is not finite."""
        try:
            X = np.asarray(X)
        except ValueError:
            raise DataError("X: expected rows of equal length") from None
        width = int(np.prod(X.shape[1:])) if X.ndim > 1 else 0
        if X.dtype.kind not in "fiub" or X.ndim < 2 or len(X) == 0:
            raise DataError(f"X: expected rows of numbers, got the shape {X.shape} of type {X.dtype}")
        if width != self.layers[0]:
            raise DataError(f"layers: the data have {width} columns, the first layer has {self.layers[0]} units")
        limit = np.finfo(self.theta.dtype).max
        for first in range(0, len(X) if X.dtype.kind == "f" else 0, BLOCK_ROWS):
            block = X[first : first + BLOCK_ROWS].reshape(-1, width)
            if not (block.max() <= limit and block.min() >= -limit):  # NaN is neither
                row, column = (int(i) for i in np.argwhere(~(np.abs(block) <= limit))[0])
                raise DataError(
                    f"X: row {first + row}, column {column} holds {block[row, column]}, which is no finite "
                    f"{self.theta.dtype}; replace or remove it"
                )
        return X

    def encode(self, y: Any) -> Array:
        """Return targets of shape (n, d_L) for labels or numbers y; see `glassnet.nn.targets`."""
        targets = encode(np.asarray(y), self.layers[-1], self.n_classes, self.theta.dtype)
        if self.loss.output is not None and not ((targets >= 0) & (targets <= 1)).all():
            bad = targets[((targets < 0) | (targets > 1)).any(axis=1)][0]
            raise DataError(
                f"y: {self.loss.name} takes probabilities or {max(2, self.layers[-1])} classes, got {bad}"
            )
        return targets

    def check_data(self, X: Any, y: Any) -> tuple[Array, Array]:
        """Return X as an array and the targets for y, or raise `DataError` where they do not fit."""
        X, targets = self.check_input(X), self.encode(y)
        if len(X) != len(targets):
            raise DataError(f"y: {len(targets)} targets for {len(X)} rows of X")
        return X, targets

    def blocks(self, X: Array) -> Iterator[tuple[slice, Trace]]:
        """Yield the rows of checked X in blocks, with the forward pass of each."""
        for first in range(0, len(X), BLOCK_ROWS):
            rows = slice(first, min(first + BLOCK_ROWS, len(X)))
            yield rows, self.forward(self.input_batch(X[rows]))

    def outputs(self, X: Any) -> Array:
        """Return the outputs of shape (n, d_L): probabilities after softmax or sigmoid, else k f(Z).

        Raises
        ------
        DataError
            If X does not fit the network or is not finite.
        NonFiniteError
            If the numbers overflow on their way.
        """
        return self._outputs(self.check_input(X))

    def _outputs(self, X: Array) -> Array:
        """Return the outputs for checked rows."""
        outputs = []
        with np.errstate(all="ignore"):  # what comes of it is checked
            for rows, trace in self.blocks(X):
                bad = np.flatnonzero(~np.isfinite(trace.outputs).all(axis=1))
                if len(bad):
                    raise NonFiniteError(
                        f"X: row {rows.start + bad[0]} is too much for the network: its output is "
                        f"{trace.outputs[bad[0]]}"
                    )
                outputs.append(self.loss.predict(trace.outputs))
        return np.concatenate(outputs)

    def predict(self, X: Any) -> Array:
        """Return class labels of shape (n,), or the outputs where the network has no classes."""
        return decode(self.outputs(X), self.n_classes)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the accuracy on (X, y), or the coefficient of determination R^2 without classes.

        Parameters
        ----------
        X : array_like of shape (n, d_0), or a pair (X, y)
            Rows; a split of a data set may be given whole: ``network.score(data.test)``.
        y : array_like of shape (n,)
            Labels or numbers. R^2 is averaged over the outputs, see `glassnet.nn.targets.r_squared`.
        """
        if y is None:
            X, y = X
        X, targets = self.check_data(X, y)
        predictions = decode(self._outputs(X), self.n_classes)
        if self.n_classes is not None:
            if np.shape(y) != predictions.shape:
                raise DataError(f"y: expected one label a row, got the shape {np.shape(y)}")
            return float(np.mean(predictions == np.asarray(y)))
        return r_squared(targets.astype(np.float64), predictions)

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

    def description(self) -> dict[str, Any]:
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


def _check_layers(layers: Sequence[int]) -> tuple[int, ...]:
    try:
        sizes = tuple(layers)
    except TypeError:
        sizes = ()
    whole = all(isinstance(d, int | np.integer) and not isinstance(d, bool) and d > 0 for d in sizes)
    if len(sizes) < 2 or not whole:
        raise UsageError("layers", f"needs two or more whole numbers > 0, inputs first, got {layers!r}")
    return tuple(int(d) for d in sizes)


def _check_class_names(class_names: Sequence[str] | None, d_out: int) -> tuple[str, ...] | None:
    if class_names is None:
        return None
    if isinstance(class_names, str) or not isinstance(class_names, Iterable):
        raise UsageError("class_names", f"must be a sequence of names, got {class_names!r}")
    names = tuple(str(name) for name in class_names)
    if d_out not in (1, len(names)):
        raise UsageError("class_names", f"{len(names)} names for {d_out} outputs; give one for each")
    return names


def _check_batch_norm(batch_norm: Any, depth: int) -> tuple[bool, ...]:
    if isinstance(batch_norm, bool):
        return (batch_norm,) * depth
    values = tuple(batch_norm) if isinstance(batch_norm, Iterable) else (batch_norm,)
    if len(values) != depth or not all(isinstance(value, bool) for value in values):
        raise UsageError(
            "batch_norm", f"give true or false, or one for each of the {depth} hidden layers, got {batch_norm!r}"
        )
    return values


def _check_dropout(dropout: Any, depth: int) -> tuple[float, ...]:
    """Return the rates at the input of each layer with weights."""
    one = isinstance(dropout, int | float | np.number)
    if one and depth == 0 and dropout:
        raise UsageError("dropout", "there are no hidden layers; give the share of the inputs as a list of one")
    rates = (0.0, *[dropout] * depth) if one else tuple(dropout) if isinstance(dropout, Iterable) else ()
    numbers = all(isinstance(rate, int | float | np.number) and not isinstance(rate, bool) for rate in rates)
    if len(rates) != depth + 1 or not numbers or not all(0 <= rate < 1 for rate in rates):
        raise UsageError(
            "dropout",
            f"give a share in [0, 1), or one for the input and each of the {depth} hidden layers, got {dropout!r}",
        )
    return tuple(float(rate) for rate in rates)


def _check_dtype(dtype: Any) -> np.dtype[Any]:
    try:
        checked = np.dtype(dtype)
    except TypeError:
        checked = None
    if dtype is None or checked is None or checked not in DTYPES:  # NumPy holds None equal to float64
        raise UsageError("dtype", f"must be float32 or float64, got {dtype!r}")
    return checked


def _hidden_activations(activation: Any, depth: int) -> list[Activation]:
    if isinstance(activation, str | Activation):
        return [ACTIVATIONS.resolve(activation)] * depth
    names = list(activation) if isinstance(activation, Iterable) else [activation]
    if len(names) != depth:
        raise UsageError("activation", f"give one name, or one for each of the {depth} hidden layers, got {names}")
    return [ACTIVATIONS.resolve(name) for name in names]


def _output_activation(activation: str | Activation | None, loss: Loss) -> Activation:
    """Return the last layer's f: the identity where softmax or sigmoid is part of the loss."""
    name = activation.name if isinstance(activation, Activation) else activation
    if name is not None:
        check_output(loss, name)
    if loss.output is not None or activation is None:
        return IDENTITY
    return ACTIVATIONS.resolve(activation, "output_activation")


def _check_scale(output_scale: float, loss: Loss) -> float:
    number = isinstance(output_scale, int | float | np.number) and not isinstance(output_scale, bool)
    if not number or not 0 < output_scale < np.inf:
        raise UsageError("output_scale", f"must be a number > 0, got {output_scale!r}")
    if loss.output is not None and output_scale != 1:
        raise UsageError("output_scale", f"must be 1 with {loss.name}: softmax and sigmoid need no amplification")
    return float(output_scale)
