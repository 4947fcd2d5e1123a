r"""Backpropagation by hand: the forward pass and the delta recursion.

Rows are samples. For the layers l = 1..L, with H_0 = X of shape (n, d_0):

    Z_l = H_{l-1} W_l + b_l                          (n, d_l)      pre-activations
    H_l = f_l(Z_l)                                   (n, d_l)      outputs of the layer

The network's output is k H_L, with the output scale k (1 unless one asks for more). Backwards, with
delta_l = dL/dZ_l and (.) the elementwise product (Rumelhart, Hinton and Williams 1986; Nielsen 2015, chapter 2):

    delta_L = k dL/d(output) (.) f_L'(Z_L)           (n, d_L)
    dL/dW_l = H_{l-1}^T delta_l                      (d_{l-1}, d_l)
    dL/db_l = column sums of delta_l                 (d_l,)
    delta_{l-1} = (delta_l W_l^T) (.) f_{l-1}'(Z_{l-1})

A loss that is fused with softmax or sigmoid takes logits: then f_L is the identity here.

Two things may stand between, in training (each in a module of its own): dropout multiplies H_{l-1} by a mask
before W_l, and then the delta that comes back by the same mask (`glassnet.nn.dropout`); batch normalisation
takes A_l = H_{l-1} W_l to Z_l, and delta_l back to dL/dA_l, which then stands for delta_l in the last two lines
but one (`glassnet.nn.batch_norm`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glassnet.errors import NonFiniteError
from glassnet.nn import batch_norm
from glassnet.nn.activations import Activation, Array
from glassnet.nn.batch_norm import Normalised
from glassnet.nn.dropout import keep_mask
from glassnet.nn.losses import Loss
from glassnet.nn.parameters import Parameters


@dataclass
class ForwardCache:
    """What one forward pass computed, layer by layer; the backward pass adds the deltas.

    H[0] is the input and H[l] the output of layer l. The other lists hold layer l at l - 1: its ``Z`` and
    ``delta`` = dL/dZ; ``inputs``, what its W multiplies, H[l - 1] or what dropout left of it; ``masks``, what
    dropout multiplied it by, None where it did not; ``normalised``, what batch normalisation found, None where
    there is none. ``outputs`` of shape (n, d_L) is what the loss takes: k H[L], or logits where the loss is fused
    with its output function.
    """

    H: list[Array]
    inputs: list[Array] = field(default_factory=list)
    masks: list[Array | None] = field(default_factory=list)
    normalised: list[Normalised | None] = field(default_factory=list)
    Z: list[Array] = field(default_factory=list)
    delta: list[Array] = field(default_factory=list)
    outputs: Array = field(default_factory=lambda: np.empty(0))

    def non_finite(self, problem: str) -> NonFiniteError:
        """Build the error that says in which layer the first NaN or infinity stands."""
        for layer, (Z, H) in enumerate(zip(self.Z, self.H[1:], strict=True), start=1):
            for name, values in (("Z", Z), ("H", H)):
                bad = np.argwhere(~np.isfinite(values))
                if len(bad):
                    row, unit = (int(i) for i in bad[0])
                    where = f"it began in layer {layer}, {name}[{row}, {unit}] = {values[row, unit]}"
                    error = NonFiniteError(f"{problem}: {where}")
                    error.layer = layer
                    return error
        return NonFiniteError(f"{problem}: every layer is finite, only the loss itself is not")


def forward(
    X: Array,
    parameters: Parameters,
    activations: Sequence[Activation],
    output_scale: float,
    dropout: Sequence[float],
    dropout_keys: Array | None = None,
    places: Array | None = None,
) -> ForwardCache:
    """Run a batch X of shape (n, d_0) through the layers and return every Z and H.

    With the mask keys of a step as `dropout_keys`, dropout is at work with a rate for the input of each layer, and
    batch normalisation takes the batch's own statistics. Rows that are a part of a batch have `places` in it.
    """
    cache = ForwardCache(H=[X])
    for layer, activation in enumerate(activations):
        _drop(cache, dropout[layer], None if dropout_keys is None else dropout_keys[layer], places)
        A = np.matmul(cache.inputs[layer], parameters.W[layer])
        Z, normalised = pre_activate(A, parameters, layer, by_batch=dropout_keys is not None)
        cache.normalised.append(normalised)
        cache.Z.append(Z)
        cache.H.append(activation.f(Z))
    cache.outputs = output_scale * cache.H[-1]
    return cache


def pre_activate(
    A: Array, parameters: Parameters, layer: int, *, by_batch: bool = False
) -> tuple[Array, Normalised | None]:
    """Return Z = A + b for A = H W, which may be overwritten; where the layer normalises, gamma X^ + b, and X^."""
    mean, variance, normalised = parameters.mean[layer], parameters.variance[layer], None
    if mean is not None and variance is not None:
        normalised = batch_norm.normalise(A) if by_batch else batch_norm.normalise_by(A, mean, variance)
        A = parameters.gamma[layer] * normalised.X_hat
    A += parameters.b[layer]
    return A, normalised


def _drop(cache: ForwardCache, rate: float, key: Any, places: Array | None) -> None:
    """Add what the next layer multiplies: the last H, or what dropout leaves of it."""
    H = cache.H[-1]
    mask = None if key is None or not rate else keep_mask(key, len(H), H.shape[1], rate, H.real.dtype, places)
    cache.masks.append(mask)
    cache.inputs.append(H if mask is None else H * mask)


def value_and_slope(
    cache: ForwardCache, targets: Array, loss: Loss, weights: Array | None = None
) -> tuple[Any, Array]:
    """Return the loss of a batch and dL/d(output), or raise `NonFiniteError` saying where that began."""
    try:
        value, slope = loss.value_and_delta(cache.outputs, targets, weights)
    except NonFiniteError:  # softmax refuses what the check below would find
        value, slope = np.nan, cache.outputs
    if not np.isfinite(value):
        raise cache.non_finite(f"the loss became {value}")
    return value, slope


def backward(
    cache: ForwardCache,
    targets: Array,
    loss: Loss,
    parameters: Parameters,
    activations: Sequence[Activation],
    output_scale: float,
    weights: Array | None = None,
) -> Any:
    """Return the loss of a batch; fill the cache's deltas and the parameters' gradient."""
    value, slope = value_and_slope(cache, targets, loss, weights)
    delta = output_scale * slope * activations[-1].f_prime(cache.Z[-1], cache.H[-1])
    cache.delta = [delta]
    for layer in reversed(range(len(parameters.W))):
        delta.sum(axis=0, out=parameters.db[layer])
        normalised, gamma, dgamma = cache.normalised[layer], parameters.gamma[layer], parameters.dgamma[layer]
        if normalised is not None and gamma is not None and dgamma is not None:
            delta, dgamma[:] = batch_norm.backward(delta, gamma, normalised)
        np.matmul(cache.inputs[layer].T, delta, out=parameters.dW[layer])
        if layer > 0:
            f_prime = activations[layer - 1].f_prime(cache.Z[layer - 1], cache.H[layer])
            # @ is slow with a single output
            delta = np.dot(delta, parameters.W[layer].T) * f_prime
            mask = cache.masks[layer]
            if mask is not None:
                delta *= mask
            cache.delta.insert(0, delta)
    return value
