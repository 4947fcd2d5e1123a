"""The parameters of a network are one vector theta; layers hold views into it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glassnet.errors import UsageError
from glassnet.nn.activations import Array


class Parameters:
    """Theta and its gradient, two vectors, with views for every layer's weights and biases.

    The order is W1, b1, W2, b2, ...; each W of shape (d_in, d_out) is stored row by row.

    Parameters
    ----------
    layers : sequence of int
        Units per layer, the inputs first.
    dtype : dtype
        Of both vectors.

    Attributes
    ----------
    theta, gradient : ndarray of shape (p,)
        All parameters, and dL/dtheta.
    W, b, dW, db : list of ndarray
        One view a layer: W and dW of shape (d_in, d_out), b and db of shape (d_out,).

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

    def __init__(self, layers: Sequence[int], dtype: np.dtype | type) -> None:
        self.layers = tuple(layers)
        shapes = [
            shape
            for d_in, d_out in zip(self.layers, self.layers[1:], strict=False)
            for shape in ((d_in, d_out), (d_out,))
        ]
        size = sum(int(np.prod(shape, dtype=object)) for shape in shapes)
        try:
            self.theta = np.zeros(size, dtype)
            self.gradient = np.zeros(size, dtype)
        except (MemoryError, ValueError, OverflowError):
            raise UsageError("layers", f"{size:,} parameters do not fit into memory; take fewer units") from None
        self.blocks: dict[str, slice] = {}
        views: list[tuple[Array, Array]] = []
        first = 0
        for index, shape in enumerate(shapes):
            block = slice(first, first + int(np.prod(shape)))
            self.blocks[f"{'Wb'[index % 2]}{index // 2 + 1}"] = block
            views.append((self.theta[block].reshape(shape), self.gradient[block].reshape(shape)))
            first = block.stop
        self.W = [values for values, _ in views[0::2]]
        self.b = [values for values, _ in views[1::2]]
        self.dW = [slopes for _, slopes in views[0::2]]
        self.db = [slopes for _, slopes in views[1::2]]

    def __getstate__(self) -> tuple[tuple[int, ...], Array, Array]:
        """Pickle and deep-copy the two vectors only: the views are made again, into the new ones."""
        return self.layers, self.theta, self.gradient

    def __setstate__(self, state: tuple[tuple[int, ...], Array, Array]) -> None:
        layers, theta, gradient = state
        self.__init__(layers, theta.dtype)  # type: ignore[misc]
        self.theta[:], self.gradient[:] = theta, gradient

    def name(self, index: int) -> str:
        """Return the layer, row and column of theta[index], as in ``"W2[3, 1]"``."""
        for number, (name, block) in enumerate(self.blocks.items()):
            if block.start <= index < block.stop:
                shape = (self.W if number % 2 == 0 else self.b)[number // 2].shape
                place = np.unravel_index(index - block.start, shape)
                return f"{name}[{', '.join(str(int(i)) for i in place)}]"
        raise IndexError(index)
