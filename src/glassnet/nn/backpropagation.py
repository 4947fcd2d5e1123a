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
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glassnet.errors import NonFiniteError
from glassnet.nn.activations import Activation, Array
from glassnet.nn.losses import Loss
from glassnet.nn.parameters import Parameters


@dataclass
class Trace:
    """What one forward pass computed, layer by layer; the backward pass adds the deltas.

    Attributes
    ----------
    H : list of ndarray
        H[0] is the input, H[l] the output of layer l.
    Z, delta : list of ndarray
        Z[l - 1] and delta[l - 1] are the pre-activation of layer l and dL/dZ.
    outputs : ndarray of shape (n, d_L)
        What the loss takes: k H[L], or logits where the loss is fused with its output function.
    """

    H: list[Array]
    Z: list[Array] = field(default_factory=list)
    delta: list[Array] = field(default_factory=list)
    outputs: Array = field(default_factory=lambda: np.empty(0))

    def first_non_finite(self) -> str:
        """Say in which layer the first NaN or infinity stands, for an error message."""
        for layer, (Z, H) in enumerate(zip(self.Z, self.H[1:], strict=True), start=1):
            for name, values in (("Z", Z), ("H", H)):
                bad = np.argwhere(~np.isfinite(values))
                if len(bad):
                    row, unit = (int(i) for i in bad[0])
                    return f"it began in layer {layer}, {name}[{row}, {unit}] = {values[row, unit]}"
        return "every layer is finite, only the loss itself is not"


def forward(X: Array, parameters: Parameters, activations: Sequence[Activation], output_scale: float) -> Trace:
    """Run a batch X of shape (n, d_0) through the layers and return every Z and H."""
    trace = Trace(H=[X])
    for W, b, activation in zip(parameters.W, parameters.b, activations, strict=True):
        Z = trace.H[-1] @ W
        Z += b
        trace.Z.append(Z)
        trace.H.append(activation.f(Z))
    trace.outputs = output_scale * trace.H[-1]
    return trace


def value_and_slope(trace: Trace, targets: Array, loss: Loss) -> tuple[Any, Array]:
    """Return the loss of a batch and dL/d(output), or raise `NonFiniteError` saying where that began."""
    try:
        value, slope = loss.value_and_delta(trace.outputs, targets)
    except NonFiniteError:  # softmax refuses what the check below would find
        value, slope = np.nan, trace.outputs
    if not np.isfinite(value):
        raise NonFiniteError(f"the loss became {value}: {trace.first_non_finite()}")
    return value, slope


def backward(
    trace: Trace,
    targets: Array,
    loss: Loss,
    parameters: Parameters,
    activations: Sequence[Activation],
    output_scale: float,
) -> Any:
    """Return the loss of a batch; fill the trace's deltas and the parameters' gradient."""
    value, slope = value_and_slope(trace, targets, loss)
    delta = output_scale * slope * activations[-1].f_prime(trace.Z[-1], trace.H[-1])
    trace.delta = [delta]
    for layer in reversed(range(len(parameters.W))):
        np.matmul(trace.H[layer].T, delta, out=parameters.dW[layer])
        np.sum(delta, axis=0, out=parameters.db[layer])
        if layer > 0:
            f_prime = activations[layer - 1].f_prime(trace.Z[layer - 1], trace.H[layer])
            delta = (delta @ parameters.W[layer].T) * f_prime
            trace.delta.insert(0, delta)
    return value
