"""The parameters of a network are one vector theta; layers hold views into it.

Batch normalisation adds a scale gamma to a layer, and two statistics that are measured, not learned: they are a
vector of their own, beside theta.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from glassnet.errors import UsageError
from glassnet.nn.activations import Array
from glassnet.runtime.memory import aligned_zeros, available_memory

#: Networks of fewer parameters fit into any memory.
SMALL = 1 << 20


def count_parameters(layers: Sequence[int], batch_norm: Sequence[bool] = ()) -> int:
    """Return the length of theta.

    Parameters
    ----------
    layers : sequence of int
        Units per layer, the inputs first.
    batch_norm : sequence of bool, optional
        Whether each hidden layer normalises.

    Returns
    -------
    int
        The number of weights, biases and scales.

    Examples
    --------
    >>> count_parameters([3, 2, 1]), count_parameters([3, 2, 1], [True])
    (11, 13)
    """
    scales = sum(d for d, normalised in zip(layers[1:], batch_norm, strict=False) if normalised)
    return scales + sum((d_in + 1) * d_out for d_in, d_out in pairwise(layers))


def find_most_units(layers: Sequence[int], fits: Callable[[list[int]], bool]) -> int:
    """Return the most units of a layer with which a network fits, where wider layers are cut to so many.

    Parameters
    ----------
    layers : sequence of int
        Units per layer of a network that is too large.
    fits : callable
        Whether a network with some layers fits.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> find_most_units([784, 5000, 10], lambda layers: count_parameters(layers) <= 100_000)
    310
    """
    low, high = 1, max(layers)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits([min(d, middle) for d in layers]) else (low, middle)
    return low


class Parameters:
    """Theta and its gradient, two vectors, with views for every layer's weights and biases.

    The order is W1, b1, W2, b2, ...; each W of shape (d_in, d_out) is stored row by row. A layer with batch
    normalisation has a gamma after its b.

    Parameters
    ----------
    layers : sequence of int
        Units per layer, the inputs first.
    dtype : dtype
        Type of all vectors.
    batch_norm : sequence of bool, optional
        Whether the layer normalises, for each layer with weights. Default: none does.

    Attributes
    ----------
    theta, gradient : ndarray of shape (p,)
        All parameters, and dL/dtheta.
    W, b, dW, db : list of ndarray
        One view a layer: W and dW of shape (d_in, d_out), b and db of shape (d_out,).
    gamma, dgamma : list of ndarray or None
        Scales and their gradients, of shape (d_out,), of the layers that normalise.
    statistics, mean, variance : ndarray, and lists of ndarray or None
        Running statistics of the layers that normalise, with views of shape (d_out,) for each.
    blocks : dict of str to slice
        Where W1, b1, ... stand in theta.

    Examples
    --------
    >>> parameters = Parameters([2, 3, 1], np.float64)
    >>> parameters.theta[0] = 7
    >>> parameters.W[0]
    array([[7., 0., 0.],
           [0., 0., 0.]])
    >>> parameters.name(5), parameters.name(6), parameters.name(11)
    ('W1[1, 2]', 'b1[0]', 'W2[2, 0]')
    """

    def __init__(
        self, layers: Sequence[int], dtype: np.dtype | type, batch_norm: Sequence[bool] | None = None
    ) -> None:
        self.layers = tuple(layers)
        self.batch_norm = tuple(batch_norm or [False] * (len(self.layers) - 1))
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, normalised in enumerate(self.batch_norm, start=1):
            shapes[f"W{layer}"] = self.layers[layer - 1 : layer + 1]
            shapes[f"b{layer}"] = (self.layers[layer],)
            if normalised:
                shapes[f"g{layer}"] = (self.layers[layer],)
        size = count_parameters(self.layers, self.batch_norm)
        most = (available_memory() if size > SMALL else None) or math.inf
        bytes_each = 2 * np.dtype(dtype).itemsize + 8  # theta and gradient, and first weights in float64
        try:
            if bytes_each * size > most:
                raise MemoryError
            self.theta, self.gradient = aligned_zeros((size,), dtype), aligned_zeros((size,), dtype)
        except (MemoryError, ValueError, OverflowError):
            units = find_most_units(layers, lambda fewer: bytes_each * count_parameters(fewer) <= most)
            raise UsageError(
                "layers",
                f"{size:,} parameters do not fit into memory; layers of at most {units:,} units would fit",
            ) from None
        self.blocks: dict[str, slice] = {}
        self._shapes = shapes
        first = 0
        for name, shape in shapes.items():
            self.blocks[name] = slice(first, first + math.prod(shape))
            first = self.blocks[name].stop
        self.W, self.b, self.gamma = (self._views(self.theta, letter) for letter in "Wbg")
        self.dW, self.db, self.dgamma = (self._views(self.gradient, letter) for letter in "Wbg")
        self._add_statistics(dtype)

    def _views(self, vector: Array, letter: str) -> list[Any]:
        """Return each layer's part of a vector, in its shape; None where the layer has none of that letter."""
        names = [f"{letter}{layer}" for layer in range(1, len(self.layers))]
        shapes = self._shapes
        return [vector[self.blocks[name]].reshape(shapes[name]) if name in shapes else None for name in names]

    def _add_statistics(self, dtype: np.dtype | type) -> None:
        """Make room for the running statistics: mean 0 and variance 1 until there are others."""
        units = [d for d, normalised in zip(self.layers[1:], self.batch_norm, strict=True) if normalised]
        self.statistics = np.zeros(2 * sum(units), dtype)
        self.mean: list[Array | None] = []
        self.variance: list[Array | None] = []
        first = 0
        for d, normalised in zip(self.layers[1:], self.batch_norm, strict=True):
            views = self.statistics[first : first + 2 * d].reshape(2, d) if normalised else (None, None)
            self.mean.append(views[0])
            self.variance.append(views[1])
            if views[1] is not None:
                views[1][:] = 1
                first += 2 * d

    def like(self, dtype: np.dtype | type) -> Parameters:
        """Return parameters of the same shapes in a dtype, with copies of theta and the statistics."""
        other = Parameters(self.layers, dtype, self.batch_norm)
        other.theta[:] = self.theta
        other.statistics[:] = self.statistics
        return other

    def __getstate__(self) -> tuple[tuple[int, ...], tuple[bool, ...], Array, Array, Array]:
        """Pickle and deep-copy the vectors only: the views are made again, into the new ones."""
        return self.layers, self.batch_norm, self.theta, self.gradient, self.statistics

    def __setstate__(self, state: tuple[tuple[int, ...], tuple[bool, ...], Array, Array, Array]) -> None:
        layers, batch_norm, theta, gradient, statistics = state
        self.__init__(layers, theta.dtype, batch_norm)  # type: ignore[misc]
        self.theta[:], self.gradient[:], self.statistics[:] = theta, gradient, statistics

    def name(self, index: int) -> str:
        """Return the layer, row and column of theta[index], as in ``"W2[3, 1]"``."""
        for name, block in self.blocks.items():
            if block.start <= index < block.stop:
                place = np.unravel_index(index - block.start, self._shapes[name])
                return f"{name}[{', '.join(str(int(i)) for i in place)}]"
        raise IndexError(index)
