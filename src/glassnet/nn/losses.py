"""Losses: a loss's value and its delta are the two results of one function.

Each formula takes the network's outputs and the targets, both of shape (n, d), and returns the n losses of the
rows and the slope d(row loss)/d(output). Within a row the outputs are summed; whether rows are averaged or
summed is the loss's ``reduction`` and is decided in one place, `Loss.value_and_delta`.

Cross-entropies work on logits, the pre-activations of the last layer, with the output function fused in:
that is the numerically stable way, and there the delta is simply "prediction minus target" (softmax: where the
targets of a row sum to 1).

``"mse"``, ``"mae"`` and ``"bce"`` are short names of half_squared_error, absolute_error and binary_cross_entropy.
Keras and PyTorch average over the d outputs of a row, where these sum. So their mean squared error is 2/d times
half_squared_error, and their mean absolute error and binary cross-entropy are 1/d times the losses here. The
minimum is the same. The gradient differs by the same factor: with one output, ``loss="mse"`` and ``sgd(0.2)`` take
the steps of their MSE with a learning rate of 0.1. Optimizers that divide by the gradient's size, such as Adam,
hardly notice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from glassnet.errors import UsageError
from glassnet.nn.activations import (
    ACTIVATIONS,
    Array,
    check_logits,
    shift_logits,
    sigmoid,
    softmax,
    softmax_of_finite,
    softplus,
)
from glassnet.nn.registry import Registry

Formula = Callable[[Array, Array], tuple[Array, Array]]

REDUCTIONS = ("mean", "sum")


@dataclass(frozen=True)
class Loss:
    """A loss over the rows of a batch.

    Parameters
    ----------
    name : str
        The name it is registered under.
    formula : callable
        ``formula(outputs, targets) -> (row_losses of shape (n,), slopes of shape (n, d))``.
    output : str, optional
        The output function fused into the formula (``"softmax"`` or ``"sigmoid"``): the formula then takes
        logits. None: the formula takes the output of any elementwise activation.
    kinks : tuple of float
        Values of output - target at which the slope, or the slope's slope, jumps.
    reduction : {"mean", "sum"}
        Whether the rows of a batch are averaged or summed.

    Raises
    ------
    UsageError
        If the reduction is neither.

    Examples
    --------
    >>> loss = Loss("half_squared_error", half_squared_error)
    >>> loss.value_and_delta(np.array([[3.0], [1.0]]), np.array([[1.0], [1.0]]))  # (2^2 / 2 + 0) / 2 rows
    (np.float64(1.0), array([[1.],
           [0.]]))
    """

    name: str
    formula: Formula
    output: str | None = None
    kinks: tuple[float, ...] = ()
    reduction: str = "mean"

    def __post_init__(self) -> None:
        if self.reduction not in REDUCTIONS:
            raise UsageError("loss", f"{self.name}: reduction must be mean or sum, got {self.reduction!r}")

    def value_and_delta(self, outputs: Array, targets: Array, weights: Array | None = None) -> tuple[Any, Array]:
        """Return the loss of a batch, accumulated in float64, and its derivative by every output, of shape (n, d).

        Parameters
        ----------
        outputs, targets : ndarray of shape (n, d)
            Network outputs (logits where the loss is fused with its output function) and targets.
        weights : ndarray of shape (n,), optional
            What the loss of each row is multiplied by. Default: 1.

        Raises
        ------
        NonFiniteError
            If softmax meets a row with NaN or infinity; the message names the row.
        """
        rows, slope = self.formula(outputs, targets)
        if weights is not None:
            rows, slope = weights * rows, weights[:, None] * slope
        value = rows.sum(dtype=np.result_type(rows.dtype, np.float64))
        if self.output == "softmax" and not np.isfinite(value):
            check_logits(outputs)
        n = len(rows) if self.reduction == "mean" else 1
        return value / n, slope / n

    def predict(self, outputs: Array, *, finite: bool = False) -> Array:
        """Turn outputs into predictions: softmax or sigmoid of logits, other outputs as they are.

        Where they are known to be ``finite``, they are not looked through once more.
        """
        if self.output is None:
            return outputs
        if self.output == "sigmoid":
            return sigmoid(outputs)
        return softmax_of_finite(outputs) if finite else softmax(outputs)

    @property
    def spec(self) -> str:
        """The specification that `LOSSES` resolves to this loss again."""
        name, _, options = self.name.rstrip(")").partition("(")
        options = ", ".join([*filter(None, [options]), f"reduction={self.reduction}"])
        return f"{name}({options})"


def half_squared_error(outputs: Array, targets: Array) -> tuple[Array, Array]:
    """1/2 sum over the outputs of (a - y)^2; slope a - y."""
    residual = outputs - targets
    return 0.5 * (residual * residual).sum(axis=1), residual


def absolute_error(outputs: Array, targets: Array) -> tuple[Array, Array]:
    """sum over the outputs of |a - y|; slope sign(a - y)."""
    residual = outputs - targets
    sign = np.sign(residual.real).astype(residual.dtype)
    return (sign * residual).sum(axis=1), sign


def huber_loss(outputs: Array, targets: Array, delta: float = 1.0) -> tuple[Array, Array]:
    """Quadratic up to |r| = delta, linear beyond (Huber 1964); slope r, cut at -delta and +delta.

    With c = r cut to [-delta, delta], both pieces are c r - c^2 / 2.
    """
    residual = outputs - targets
    cut = np.where(np.abs(residual.real) <= delta, residual, delta * np.sign(residual.real))
    cut = cut.astype(residual.dtype, copy=False)
    return (cut * residual - 0.5 * cut * cut).sum(axis=1), cut


def softmax_cross_entropy(logits: Array, targets: Array) -> tuple[Array, Array]:
    """-sum over the classes of y log softmax(z); slope softmax(z) - y (Bishop 2006, eq. 4.109).

    Targets are one-hot rows or probabilities. Should a row not sum to 1, the slope is p sum(y) - y.
    """
    shifted = shift_logits(logits)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=1, keepdims=True)
    rows = -(targets * (shifted - np.log(total))).sum(axis=1)
    return rows, exponentials / total * targets.sum(axis=1, keepdims=True) - targets


def sigmoid_cross_entropy(logits: Array, targets: Array) -> tuple[Array, Array]:
    """sum over the outputs of -y log s - (1 - y) log(1 - s), s = sigmoid(z); slope s - y.

    From logits it is softplus(z) - y z: log-loss at z = 1000, y = 0 is 1000, not infinity and not 36.
    """
    return (softplus(logits) - targets * logits).sum(axis=1), sigmoid(logits) - targets


LOSSES: Registry[Loss] = Registry("loss", Loss)


def _add(
    name: str, formula: Formula, *, output: str | None = None, kinks: tuple[float, ...] = ()
) -> Callable[..., Loss]:
    """Register a formula; what a specification may choose is the reduction."""

    def build(reduction: str = "mean") -> Loss:
        return Loss(name, formula, output, kinks, reduction)

    LOSSES.add(name, build)
    return build


def huber(delta: float = 1.0, reduction: str = "mean") -> Loss:
    """Build the Huber loss with its corner at |a - y| = `delta` > 0."""
    if not isinstance(delta, int | float) or not 0 < delta < np.inf:
        raise UsageError("loss", f"huber: delta must be > 0, got {delta}")
    return Loss(f"huber({delta})", partial(huber_loss, delta=delta), kinks=(-delta, delta), reduction=reduction)


_add("half_squared_error", half_squared_error)
_add("absolute_error", absolute_error, kinks=(0.0,))
LOSSES.add("huber", huber)
_add("cross_entropy", softmax_cross_entropy, output="softmax")
_add("binary_cross_entropy", sigmoid_cross_entropy, output="sigmoid")
LOSSES.aliases = {"mse": "half_squared_error", "mae": "absolute_error", "bce": "binary_cross_entropy"}


def register_loss(name: str, formula: Formula, *, kinks: tuple[float, ...] = ()) -> Loss:
    """Register a loss of your own; its slope is checked numerically first.

    Parameters
    ----------
    name : str
        The name to use it by.
    formula : callable
        ``formula(outputs, targets) -> (row_losses, slopes)``: arrays of shape (n, d) in, the n losses of the
        rows and d(row loss)/d(output) of shape (n, d) out, in NumPy.
    kinks : tuple of float, optional
        Values of output - target where the slope, or its slope, jumps.

    Returns
    -------
    Loss
        The loss with reduction "mean"; ``"name(sum)"`` gives the other.

    Raises
    ------
    UsageError
        If shapes or dtype are wrong, if the slope is not the derivative, or if the name is taken.

    Examples
    --------
    >>> def quartic(a, y):
    ...     r = a - y
    ...     return 0.25 * (r**4).sum(axis=1), r**3
    >>> register_loss("quartic", quartic).value_and_delta(np.array([[3.0]]), np.array([[1.0]]))
    (np.float64(4.0), array([[8.]]))
    """
    _check_slope(Loss(name, formula, kinks=kinks))
    return _add(name, formula, kinks=kinks)()


def _check_slope(loss: Loss, step: float = 1e-3, tolerance: float = 1e-6) -> None:
    """Compare the slope with a fourth-order central difference at outputs away from the kinks."""
    rng = np.random.default_rng(0)
    outputs, targets = rng.normal(size=(2, 40, 3))
    for kink in loss.kinks:
        keep = (np.abs(outputs - targets - kink) > 3 * step).all(axis=1)
        outputs, targets = outputs[keep], targets[keep]
    rows, slope = loss.formula(outputs.astype(np.float32), targets.astype(np.float32))
    if rows.shape != outputs.shape[:1] or slope.shape != outputs.shape:
        raise UsageError("loss", f"{loss.name}: must return shapes (n,) and (n, d)")
    if rows.dtype != np.float32 or slope.dtype != np.float32:
        raise UsageError("loss", f"{loss.name}: float32 in must give float32 out, got {slope.dtype}")
    slope = loss.formula(outputs, targets)[1]
    for column in range(outputs.shape[1]):
        move = step * (np.arange(outputs.shape[1]) == column)
        near = loss.formula(outputs + move, targets)[0] - loss.formula(outputs - move, targets)[0]
        far = loss.formula(outputs + 2 * move, targets)[0] - loss.formula(outputs - 2 * move, targets)[0]
        numeric = (8 * near - far) / (12 * step)
        error = np.abs(slope[:, column] - numeric) / np.maximum(1, np.abs(numeric))
        worst = int(np.argmax(np.where(np.isfinite(error), error, np.inf)))
        if not error[worst] <= tolerance:
            raise UsageError(
                "loss",
                f"{loss.name}: at output {outputs[worst, column]:.3g}, target {targets[worst, column]:.3g} "
                f"the slope is given as {slope[worst, column]:.6g}, but numerically it is "
                f"{numeric[worst]:.6g}",
            )


def check_output(loss: Loss, output_activation: str) -> None:
    """Refuse, with `UsageError`, pairs of output function and loss that do not belong together."""
    if loss.output is not None and output_activation != loss.output:
        raise UsageError("output_activation", f"{loss.name} goes with {loss.output}, not {output_activation}")
    if loss.output is None and output_activation == "softmax":
        raise UsageError(
            "output_activation", f"softmax goes with cross_entropy; {loss.name} takes {', '.join(ACTIVATIONS)}"
        )
