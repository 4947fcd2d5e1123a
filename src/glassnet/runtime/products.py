"""A matrix product of our own, compiled: each number of it is one chain of fused multiply-adds.

So its bits depend neither on how many rows there are, nor on the processor. A tile of the result stays in the vector
registers while the chains grow; what is left over at an edge is computed with the tile before it once more.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.runtime.compilation import compile_function

#: Rows of a tile, and vectors beside each other: 24 sums, of the 32 registers that there are.
ROWS, VECTORS = 6, 4

#: How many of W's rows ahead the processor is told what will be needed.
AHEAD = 8

#: Bytes of the vectors that tiles are made of: the longest that there are, and half of it for few columns.
LONG, SHORT = 64, 32

#: Rows from which a copy of W's columns pays, and bytes between W's rows from which it does: so far apart, too many
#: of them share a place in the cache.
COPIED_ROWS, FAR_APART = 48, 2048

SOURCE = """# Written by glassnet ({version}); safe to delete.
from glassnet.runtime.products import make_tile
from numpy import empty

tile_wide, row_wide = make_tile({size}, {rows}, {vectors}, {long}), make_tile({size}, 1, {vectors}, {long})
tile_long, row_long = make_tile({size}, {rows}, 1, {long}), make_tile({size}, 1, 1, {long})
tile_short, row_short = make_tile({size}, {rows}, 1, {short}), make_tile({size}, 1, 1, {short})
WIDE, LONG, SHORT = {vectors} * {long}, {long}, {short}


def multiply(H, W, Z):
    n, d_in = H.shape
    d_out = W.shape[1]
    h, z, h_row, z_row = H.ctypes.data, Z.ctypes.data, {size} * d_in, {size} * d_out
    panel = empty((d_in, WIDE), W.dtype)
    copied = n >= {copied_rows} and z_row >= {far_apart}
    column = 0
    while column < d_out:
        width = WIDE
        if d_out - column < WIDE:
            width = LONG if d_out >= LONG else SHORT
            column = min(column, d_out - width)
        w, w_row = W.ctypes.data + {size} * column, z_row
        if copied:
            for k in range(d_in):
                for j in range(width):
                    panel[k, j] = W[k, column + j]
            w, w_row = panel.ctypes.data, {size} * WIDE
        i = 0
        while i < n:
            i = min(i, n - {rows}) if n >= {rows} else i
            a, c = h + i * h_row, z + i * z_row + {size} * column
            if width == WIDE:
                if n >= {rows}:
                    tile_wide(a, h_row, w, w_row, c, z_row, d_in)
                else:
                    row_wide(a, h_row, w, w_row, c, z_row, d_in)
            elif width == LONG:
                if n >= {rows}:
                    tile_long(a, h_row, w, w_row, c, z_row, d_in)
                else:
                    row_long(a, h_row, w, w_row, c, z_row, d_in)
            elif n >= {rows}:
                tile_short(a, h_row, w, w_row, c, z_row, d_in)
            else:
                row_short(a, h_row, w, w_row, c, z_row, d_in)
            i += {rows} if n >= {rows} else 1
        column += width
"""


@functools.cache
def compile_product(dtype: np.dtype[Any]) -> Callable[[Any, Any, Any], None]:
    """Return a function ``multiply(H, W, Z)`` that writes H W to Z; all are stored row by row.

    Z has at least `SHORT` bytes a row.
    """
    long, short = LONG // dtype.itemsize, SHORT // dtype.itemsize
    version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    sizes = {"size": dtype.itemsize, "rows": ROWS, "vectors": VECTORS, "long": long, "short": short}
    sizes |= {"copied_rows": COPIED_ROWS, "far_apart": FAR_APART}
    multiply: Any = compile_function(SOURCE.format(version=version, **sizes), "multiply")
    H, W = np.zeros((1, 1), dtype), np.zeros((1, short), dtype)
    H.flags.writeable = W.flags.writeable = False  # so compiled, it takes arrays of either kind
    multiply(H, W, np.zeros((1, short), dtype))
    multiply.disable_compile()
    return multiply  # type: ignore[no-any-return]


def make_tile(size: int, rows: int, vectors: int, length: int) -> Any:
    """Return a function for compiled code: C = A B for so many rows of A, and so many vectors of B's columns.

    It takes the address of A and the bytes between its rows, the same of B and of C, and the length of the chains.
    """
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    number = ir.FloatType() if size == 4 else ir.DoubleType()
    vector, pointer, lane = ir.VectorType(number, length), ir.PointerType(), ir.IntType(32)
    places = [(i, j) for i in range(rows) for j in range(vectors)]

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, a_row, b, b_row, c, c_row, steps = arguments
        word = a.type
        kind = ir.FunctionType(vector, [vector] * 3)
        fused = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{length}f{8 * size}")
        kind = ir.FunctionType(ir.VoidType(), [pointer, lane, lane, lane])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
        rows_of_a = [builder.add(a, builder.mul(a_row, word(i))) for i in range(rows)]
        builder.branch(loop)
        builder.position_at_end(loop)
        step, *sums = (builder.phi(one) for one in [word, *[vector] * len(places)])
        step.add_incoming(word(0), before)
        b_here = builder.add(b, builder.mul(step, b_row))
        right = []
        for j in range(vectors):
            place = builder.add(b_here, word(j * length * size))
            right.append(builder.load(builder.inttoptr(place, pointer), typ=vector, align=size))
            soon = builder.add(place, builder.mul(b_row, word(AHEAD)))
            builder.call(
                prefetch, [builder.inttoptr(soon, pointer), lane(0), lane(3), lane(1)]
            )  # to read, to keep
        left = []
        for row in rows_of_a:
            place = builder.inttoptr(builder.add(row, builder.mul(step, word(size))), pointer)
            one = builder.insert_element(
                vector(ir.Undefined), builder.load(place, typ=number, align=size), lane(0)
            )
            left.append(
                builder.shuffle_vector(one, vector(ir.Undefined), ir.VectorType(lane, length)([0] * length))
            )
        grown = [builder.call(fused, [left[i], right[j], old]) for (i, j), old in zip(places, sums, strict=True)]
        following = builder.add(step, word(1))
        for phi, new in zip([step, *sums], [following, *grown], strict=True):
            phi.add_incoming(new, loop)
        for phi in sums:
            phi.add_incoming(vector([0.0] * length), before)
        builder.cbranch(builder.icmp_signed("<", following, steps), loop, after)
        builder.position_at_end(after)
        for (i, j), new in zip(places, grown, strict=True):
            place = builder.add(builder.add(c, builder.mul(c_row, word(i))), word(j * length * size))
            builder.store(new, builder.inttoptr(place, pointer), align=size)
        return context.get_dummy_value()

    @intrinsic
    def tile(typing: Any, a: Any, a_row: Any, b: Any, b_row: Any, c: Any, c_row: Any, steps: Any) -> Any:
        return types.void(*[types.intp] * 7), code

    return tile
