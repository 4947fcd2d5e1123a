"""Rows through layers in one compiled call: products of our own, biases, and relu while a tile of rows is cached.

It does what NumPy does with each number, in the same order, and nothing else: its bits are NumPy's.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np

from glassnet.runtime.compilation import compile_function
from glassnet.runtime.products import LINE, product_address

#: Rows that go through the layers together: what they are between two layers stays in the second cache.
ROWS = 128

SOURCE = """# Written by glassnet ({version}); safe to delete.
from numpy import empty, intp, zeros, {real}

SIZE, LINE = {size}, {line}


def run_layers(product, X, theta, plan, outputs, first, last):
    width = 0
    for layer in range(len(plan)):
        width = max(width, (plan[layer, 1] + LINE - 1) // LINE * LINE)
    tiles = empty((2, min({rows}, last - first), width), theta.dtype)
    total = 0.0
    for start in range(first, last, {rows}):
        rows = min({rows}, last - start)
        a, a_row = X.ctypes.data + start * X.shape[1] * SIZE, X.shape[1] * SIZE
        for layer in range(len(plan)):
            Z = tiles[layer % 2]
            multiply(product, rows, a, a_row, theta, plan[layer], Z)
            bias = theta[plan[layer, 3] : plan[layer, 3] + plan[layer, 1]]
            for i in range(rows):
                if layer == 0:
                    total += Z[i, 0] + bias[0]
                if plan[layer, 4]:
                    add_bias_and_rectify(Z[i], bias)
                else:
                    add_bias(Z[i], bias)
            a, a_row = Z.ctypes.data, width * SIZE
        for i in range(rows):
            for j in range(outputs.shape[1]):
                outputs[start + i, j] = Z[i, j]
                total += Z[i, j]
    return total


def multiply(product, rows, a, a_row, theta, layer, Z):
    steps, columns, w = layer[0], layer[1], layer[2]
    W, apart = theta[w : w + steps * columns], columns
    if w + (steps - 1) * columns + (columns + LINE - 1) // LINE * LINE > len(theta):  # so columns < LINE
        W, apart = zeros(steps * LINE, theta.dtype), LINE  # the product reads whole vectors
        for k in range(steps):
            for j in range(columns):
                W[k * LINE + j] = theta[w + k * columns + j]
    call_address(product, (
        rows, columns, steps, intp(a), a_row, SIZE, intp(W.ctypes.data), apart * SIZE,
        intp(Z.ctypes.data), Z.shape[1] * SIZE, 0, 0, {real}(1),
    ))


def add_bias(z, bias):
    for j in range(len(bias)):
        z[j] += bias[j]


def add_bias_and_rectify(z, bias):
    for j in range(len(bias)):
        sum = z[j] + bias[j]
        z[j] = {real}(0) if sum <= 0 else sum  # NaN stays
"""


@functools.cache
def compile_layers(real: np.dtype[Any]) -> Callable[..., float]:
    """Return a function ``run_layers(X, theta, plan, outputs, first, last)`` for a dtype.

    It takes the rows from first to last of X through layers, and writes what comes of them to the same rows of
    outputs. Both are stored row by row. The plan, of int64, says of each layer: inputs, units, where in theta W
    and b begin, and whether relu follows. A sum is returned that is finite only where the first unit of the first
    layer, and all outputs, are.
    """
    text = SOURCE.format(
        version=hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16],
        real=real, size=real.itemsize, line=LINE // real.itemsize, rows=ROWS,
    )  # fmt: skip
    run: Any = compile_function(text, "run_layers", allocates=True)
    X, theta = np.zeros((1, 1), real), np.zeros(2, real)
    X.flags.writeable = theta.flags.writeable = False  # so compiled, it takes arrays of either kind
    run(product_address(real), X, theta, np.array([[1, 1, 0, 1, 0]]), np.zeros((1, 1), real), 0, 1)
    run.disable_compile()
    return functools.partial(cast(Callable[..., float], run), product_address(real))
