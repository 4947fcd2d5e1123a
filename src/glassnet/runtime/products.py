"""A matrix product of our own, compiled: each number of it is one chain of fused multiply-adds.

So its bits depend neither on how many rows there are, nor on the processor. A tile of the result stays in the
processor's vectors while the chains grow. What is left over at an edge is computed together with numbers of the
tile before, which come out the same again.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np

from glassnet.runtime.compilation import compile_function

#: Rows of a tile, and vectors beside each other: 24 sums, of the 32 registers that there are.
ROWS, VECTORS = 6, 4

#: How many of W's rows ahead the processor is told what will be needed.
AHEAD = 8

#: Bytes of the vectors that tiles are made of: the longest that there are, and half of it for few columns.
LONG, SHORT = 64, 32

#: Rows from which a copy of W's columns pays, and bytes between W's rows from which it does: so far apart, too
#: many of them share a place in the cache.
COPIED_ROWS, FAR_APART = 48, 2048

SOURCE = """# Written by glassnet ({version}); safe to delete.
from glassnet.runtime.products import make_tile
from numpy import empty

LONG, SHORT = {long}, {short}
WIDE = {vectors} * LONG


def multiply(H, W, Z):
    n, d_in = H.shape
    d_out = W.shape[1]
    h, h_row, z, z_row = H.ctypes.data, {size} * d_in, Z.ctypes.data, {size} * d_out
    panel = empty((d_in, WIDE), W.dtype)
    column = 0
    while column < d_out:
        width = WIDE
        if d_out - column < WIDE:
            width = LONG if d_out >= LONG else SHORT
            column = min(column, d_out - width)
        w, w_row, c = W.ctypes.data + {size} * column, z_row, z + {size} * column
        if n >= {copied_rows} and w_row >= {far_apart}:
            for k in range(d_in):
                for j in range(width):
                    panel[k, j] = W[k, column + j]
            w, w_row = panel.ctypes.data, {size} * WIDE
        if width == WIDE:
            multiply_wide(n, h, h_row, w, w_row, c, z_row, d_in)
        elif width == LONG:
            multiply_long(n, h, h_row, w, w_row, c, z_row, d_in)
        else:
            multiply_short(n, h, h_row, w, w_row, c, z_row, d_in)
        column += width
"""

#: Rows times one panel of W's columns.
PANEL_SOURCE = """
tile_{name}, row_{name} = make_tile({size}, {rows}, {count}, {length}), make_tile({size}, 1, {count}, {length})


def multiply_{name}(n, h, h_row, w, w_row, c, c_row, d_in):
    if n < {rows}:
        for i in range(n):
            row_{name}(h + i * h_row, h_row, w, w_row, c + i * c_row, c_row, d_in)
    else:
        for first in range(0, n, {rows}):
            i = min(first, n - {rows})
            tile_{name}(h + i * h_row, h_row, w, w_row, c + i * c_row, c_row, d_in)
"""


@functools.cache
def compile_product(dtype: np.dtype[Any]) -> Callable[[Any, Any, Any], None]:
    """Return a function ``multiply(H, W, Z)`` that writes H W to Z; all are stored row by row.

    Z has at least `SHORT` bytes a row.
    """
    size, long, short = dtype.itemsize, LONG // dtype.itemsize, SHORT // dtype.itemsize
    panels = {"wide": (VECTORS, long), "long": (1, long), "short": (1, short)}
    source = SOURCE.format(
        version=hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16],
        size=size, vectors=VECTORS, long=long, short=short, copied_rows=COPIED_ROWS, far_apart=FAR_APART,
    )  # fmt: skip
    for name, (count, length) in panels.items():
        source += PANEL_SOURCE.format(name=name, size=size, rows=ROWS, count=count, length=length)
    multiply: Any = compile_function(source, "multiply")
    H, W = np.zeros((1, 1), dtype), np.zeros((1, short), dtype)
    H.flags.writeable = W.flags.writeable = False  # so compiled, it takes arrays of either kind
    multiply(H, W, np.zeros((1, short), dtype))
    multiply.disable_compile()
    return cast(Callable[[Any, Any, Any], None], multiply)


def make_tile(size: int, rows: int, vectors: int, length: int) -> Any:
    """Return a function for compiled code: C = A B for so many rows of A, and so many vectors of B's columns.

    It takes the address of A and the bytes between its rows, the same of B and of C, and how many numbers of A
    stand in a row. Numbers have ``size`` bytes, vectors ``length`` numbers.
    """
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    number, pointer, lane = ir.FloatType() if size == 4 else ir.DoubleType(), ir.PointerType(), ir.IntType(32)
    vector, lanes = ir.VectorType(number, length), ir.VectorType(lane, length)
    places = [(i, j) for i in range(rows) for j in range(vectors)]

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, a_row, b, b_row, c, c_row, steps = arguments
        word = a.type

        def at(*addends: Any) -> Any:
            return builder.inttoptr(functools.reduce(builder.add, addends), pointer)

        def function(name: str, result: Any, kinds: list[Any]) -> Any:
            insert: Any = cgutils.get_or_insert_function
            return insert(builder.module, ir.FunctionType(result, kinds), name)

        fuse = function(f"llvm.fma.v{length}f{8 * size}", vector, [vector] * 3)
        prefetch = function("llvm.prefetch.p0", ir.VoidType(), [pointer, lane, lane, lane])
        before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
        a_rows = [builder.add(a, builder.mul(a_row, word(i))) for i in range(rows)]
        ahead = builder.mul(b_row, word(AHEAD))
        builder.branch(loop)
        builder.position_at_end(loop)
        k, *sums = (builder.phi(kind) for kind in [word, *[vector] * len(places)])
        b_here, left, right = builder.add(b, builder.mul(k, b_row)), [], []
        for j in range(vectors):
            right.append(builder.load(at(b_here, word(j * length * size)), typ=vector, align=size))
            soon = at(b_here, ahead, word(j * length * size))
            builder.call(prefetch, [soon, lane(0), lane(3), lane(1)])  # to read, to keep, data
        for row in a_rows:
            one = builder.load(at(row, builder.mul(k, word(size))), typ=number, align=size)
            spread = builder.insert_element(vector(ir.Undefined), one, lane(0))
            left.append(builder.shuffle_vector(spread, vector(ir.Undefined), lanes([0] * length)))
        grown = [builder.call(fuse, [left[i], right[j], old]) for (i, j), old in zip(places, sums, strict=True)]
        following = builder.add(k, word(1))
        for phi, first, new in zip(
            [k, *sums], [word(0), *[vector([0.0] * length)] * len(places)], [following, *grown], strict=True
        ):
            phi.add_incoming(first, before)
            phi.add_incoming(new, loop)
        builder.cbranch(builder.icmp_signed("<", following, steps), loop, after)
        builder.position_at_end(after)
        for (i, j), new in zip(places, grown, strict=True):
            builder.store(new, at(c, builder.mul(c_row, word(i)), word(j * length * size)), align=size)
        return context.get_dummy_value()

    @intrinsic
    def tile(typing: Any, a: Any, a_row: Any, b: Any, b_row: Any, c: Any, c_row: Any, steps: Any) -> Any:
        return types.void(*[types.intp] * 7), code

    return tile
