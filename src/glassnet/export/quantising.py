"""Weights and activations as bytes: what a network computes in whole numbers, as microcontrollers like it.

A layer's input is x = s (q - zero) for a byte q, its weights W = w S with a scale S for each unit, and so::

    Z = x W + b = s S (sum of q w) + (b - s S zero (sum of w))

of which only the sum of q w runs through all weights, in int32 (Jacob et al. 2018, arXiv 1712.05877, section 2).
Here s and zero of a hidden layer follow from the range of its outputs on some rows. A column of the input has an s
of its own, which goes into the weights: so columns of any sizes stand beside each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.compiled.tracing import evaluate
from glassnet.export.portable import Layer
from glassnet.nn.activations import Array

#: The largest byte, and the number of steps from the smallest.
LARGEST, STEPS = 127, 255

#: What outputs are multiplied by at least and at most, so that float32 has room for both factor and product.
FACTORS = (1e-30, 1e30)

#: A unit with more weights might have a sum beyond int32.
MOST_INPUTS = (2**31 - 1) // (128 * LARGEST)


@dataclass(frozen=True, eq=False)
class QuantisedLayer:
    """A layer in bytes: Z = scale (sum of q w) + b.

    ``weights`` are int8 of shape (d_in, d_out); ``scale`` and ``b`` float64 of shape (d_out,). An output h becomes
    the byte nearest to h * factor + zero, 1 and 0 for the last layer, whose outputs stay numbers.
    """

    weights: Array
    scale: Array
    b: Array
    factor: float = 1.0
    zero: int = 0


def measure_columns(features: Array) -> Array:
    """Return what each column of a network's input is multiplied by to become bytes of -127 to 127."""
    reach = np.abs(features).max(axis=0)
    return LARGEST / np.where(reach > 0, reach, reach.max() or 1.0)


def quantise(layers: Sequence[Layer], features: Array, factors: Array, zero: int = 0) -> list[QuantisedLayer]:
    """Return layers in bytes, with the ranges that their outputs have on rows of a network's input.

    The input becomes bytes as features * factors + zero, with a factor for each column.
    """
    h = np.asarray(features, np.float64)
    quantised = []
    unit: Any = 1 / np.asarray(factors, np.float64)[:, None]
    for number, layer in enumerate(layers, start=1):
        W = layer.W * unit
        scale = np.abs(W).max(axis=0) / LARGEST
        weights = np.rint(W / np.where(scale > 0, scale, 1.0))
        b = layer.b - scale * zero * weights.sum(axis=0)
        with np.errstate(all="ignore"):  # a formula may compute what it does not choose then
            h = np.broadcast_to(evaluate(layer.activation.symbol, {"z": h @ layer.W + layer.b}), (len(h), len(b)))
        factor, zero = _measure_range(h) if number < len(layers) else (1.0, 0)
        quantised.append(QuantisedLayer(weights.astype(np.int8), scale, b, factor, zero))
        unit = 1 / factor
    return quantised


def _measure_range(h: Array) -> tuple[float, int]:
    """Return factor and zero for outputs of a layer, so that their range, with 0 in it, becomes -128 to 127."""
    finite = h[np.isfinite(h)]
    low, high = float(finite.min(initial=0.0)), float(finite.max(initial=0.0))
    factor = float(np.clip(STEPS / (high - low), *FACTORS)) if high > low else 1.0
    return factor, round(-LARGEST - 1 - low * factor)
