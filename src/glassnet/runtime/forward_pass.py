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

#: Rows that go through the layers together, whole tiles of them: what they are stays in the second cache.
ROWS = 48

SOURCE = """# Written by glassnet ({version}); safe to delete.
from numpy import empty, intp, zeros, {real}

SIZE, LINE = {size}, {line}


def run_layers(product, X, theta, plan, outputs, first, last):
    width = 0
    for layer in range(len(plan)):
        width = max(width, (plan[layer, 1] + LINE - 1) // LINE * LINE)
    tiles = empty((4, min({rows}, last - first), width), theta.dtype)
    total = 0.0
    for start in range(first, last, {rows}):
        rows = min({rows}, last - start)
        a, a_row = intp(X.ctypes.data) + start * X.shape[1] * SIZE, X.shape[1] * SIZE
        for layer in range(len(plan)):
            Z = tiles[layer % 2]
            multiply(product, rows, (a, a_row), theta, plan[layer], Z, tiles[2:])
            bias = theta[plan[layer, 3] : plan[layer, 3] + plan[layer, 1]]
            for i in range(rows):
                if layer == 0:
                    total += Z[i, 0] + bias[0]
                if plan[layer, 4]:
                    add_and_rectify(Z[i], bias)
                else:
                    add(Z[i], bias)
            a, a_row = intp(Z.ctypes.data), width * SIZE
        for i in range(rows):
            for j in range(outputs.shape[1]):
                outputs[start + i, j] = Z[i, j]
                total += Z[i, j]
    return total


def multiply(product, rows, A, theta, layer, Z, parts):
    steps, columns, w, most, unit, group = layer[0], layer[1], layer[2], layer[5], layer[6], layer[7]
    W, apart = theta[w : w + steps * columns], columns
    if w + (steps - 1) * columns + (columns + LINE - 1) // LINE * LINE > len(theta):  # so columns < LINE
        W, apart = zeros(steps * LINE, theta.dtype), LINE  # the product reads whole vectors
        for k in range(steps):
            for j in range(columns):
                W[k * LINE + j] = theta[w + k * columns + j]
    size, B, first = (rows, columns), (intp(W.ctypes.data), apart * SIZE), 0
    while first < steps:
        left = steps - first
        block = left if left <= most else most if left >= 2 * most else (left // 2 + unit - 1) // unit * unit
        pairs = block // group * (group // 2)
        C = Z if first == 0 else parts[0]
        if pairs > 0:
            chain(product, size, A, B, C, first, pairs, 2, 0)
            chain(product, size, A, B, parts[1], first + 1, pairs, 2, 0)
        if block > 2 * pairs:
            chain(product, size, A, B, C, first + 2 * pairs, block - 2 * pairs, 1, pairs)
        for i in range(rows):
            if pairs > 0:
                add(C[i], parts[1, i, :columns])
            if first > 0:
                add(Z[i], parts[0, i, :columns])
        first += block


def chain(product, size, A, B, C, first, count, apart, go_on):
    call_address(product, (
        size[0], size[1], count, A[0] + first * SIZE, A[1], apart * SIZE, B[0] + first * B[1], apart * B[1],
        intp(C.ctypes.data), C.strides[0], go_on, 0, {real}(1),
    ))


def add(z, others):
    for j in range(len(others)):
        z[j] += others[j]


def add_and_rectify(z, bias):
    for j in range(len(bias)):
        sum = z[j] + bias[j]
        z[j] = {real}(0) if sum <= 0 else sum  # NaN stays
"""


@functools.cache
def compile_layers(real: np.dtype[Any]) -> Callable[..., float]:
    """Return a function ``run_layers(X, theta, plan, outputs, first, last)`` for a dtype.

    It takes the rows from first to last of X through layers, and writes what comes of them to the same rows of
    outputs. Both are stored row by row. The plan, of int64, says of each layer: inputs, units, where in theta W
    and b begin, whether relu follows, and in which order terms are added up, as `glassnet.nn.row_products.Order`
    has it. A sum is returned that is finite only where the first unit of the first layer, and all outputs, are.
    """
    text = SOURCE.format(
        version=hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16],
        real=real, size=real.itemsize, line=LINE // real.itemsize, rows=ROWS,
    )  # fmt: skip
    run: Any = compile_function(text, "run_layers", allocates=True)
    X, theta = np.zeros((1, 1), real), np.zeros(2, real)
    X.flags.writeable = theta.flags.writeable = False  # so compiled, it takes arrays of either kind
    run(product_address(real), X, theta, np.array([[1, 1, 0, 1, 0, 1, 1, 1]]), np.zeros((1, 1), real), 0, 1)
    run.disable_compile()
    return functools.partial(cast(Callable[..., float], run), product_address(real))
