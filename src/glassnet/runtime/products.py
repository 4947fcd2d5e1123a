"""Matrix products of our own, compiled: each number is one chain of fused multiply-adds, in the order of k.

    C[i, j] = factor (A[i, 0] B[0, j] + A[i, 1] B[1, j] + ...), or the chain begins with what stands in C

So the bits of a product depend neither on how many rows or columns there are, nor on how they are cut into tiles,
nor on the length of the processor's vectors, nor on threads. A tile of C stays in the processor's registers while
its chains grow: in each step of k one number of A for every row is multiplied with the vectors of a row of B. The
kernel for one kind of tile is a loop in LLVM's language, see `make_tile`.

B and C are read and written in whole vectors. So each of their rows has room for a multiple of `LINE` bytes, and
what stands there after the last column means nothing. B is read fastest in panels of `PANEL` bytes, whose rows
follow each other: up to `DEPTH` rows of one stay in the first cache while all rows of A pass by. Then the chains
go on from where they stand in C.
"""

from __future__ import annotations

import functools
import hashlib
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glassnet.runtime.compilation import compile_pointer, vector_bytes

#: Bytes that rows of B and C have room for a multiple of: the longest vector that there is.
LINE = 64

#: Bytes of the widest rows of B that are read at their best, and how many of them stay in the first cache.
PANEL, DEPTH = 256, 128


class Tile(NamedTuple):
    """How many rows of C stay in registers, and how many vectors of each, beside some of A and B."""

    rows: int
    vectors: int


#: The largest tile by the bytes of a vector: there are 32 registers, but 16 where vectors have 32 bytes.
TILES = {64: Tile(6, 4), 32: Tile(6, 2), 16: Tile(6, 4)}

#: Rows of the tiles for what is left over.
FEWER_ROWS = (2, 1)

#: Arguments of the product as a function of C: see `product_address`.
ARGUMENTS = ("intp",) * 12

#: One function: what it would call is compiled again wherever it is put in.
SOURCE = """# Written by glassnet ({version}); safe to delete.
from numpy import {real}

from glassnet.runtime.products import make_tile, make_turn

LENGTH, DEPTH, PANEL, WIDE = {length}, {depth}, {panel}, {vectors} * {length}
turn = make_turn({size}, {vector})
{tiles}


def multiply(rows, columns, steps, a, a_row, a_step, b, b_row, c, c_row, go_on, panel, factor):
    deep = (steps + DEPTH - 1) // DEPTH  # so many pieces, all as deep but for whole vectors
    deep = ((steps + deep - 1) // deep + LENGTH - 1) // LENGTH * LENGTH
    for first in range(0, steps, deep):
        depth, there, there_row = min(deep, steps - first), b + first * b_row, b_row
        scale = factor if first + depth == steps else {real}(1)
        for left in range(0, columns, PANEL // {size}):
            right = min(left + PANEL // {size}, columns)
            if panel != 0:
                for j in range(left, right, LENGTH):
                    for k in range(0, depth, LENGTH):
                        block = b + j * b_row + (first + k) * {size}
                        turn(block, b_row, columns - j, panel + k * PANEL + (j - left) * {size}, PANEL)
                there, there_row = panel - left * {size}, PANEL
            for column in range(left, right, WIDE):
                count = (min(right - column, WIDE) + LENGTH - 1) // LENGTH
                here, tile_b, tile_c = a + first * a_step, there + column * {size}, c + column * {size}
                i = 0
"""

#: Rows times so many vectors of columns; then how tiles of so many rows pass by.
STRIP = """
if count == {vectors}:
"""
LOOP = """
    while rows - i >= {rows}:
        place, target = (here + i * a_row, a_row, a_step), (tile_c + i * c_row, c_row)
        tile_{rows}_{vectors}(place, (tile_b, there_row), target, depth, go_on + first, scale)
        i += {rows}
"""


@functools.cache
def _version() -> str:
    """Return what changes with this file, so that code made from another text of it is not taken for its own."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]


def product_source(real: np.dtype[Any], vector: int) -> str:
    """Return the text of ``multiply``, for a dtype and vectors of so many bytes."""
    tile, size = TILES[vector], real.itemsize
    rows, counts = (tile.rows, *FEWER_ROWS), range(tile.vectors, 0, -1)
    tiles = [f"tile_{i}_{j} = make_tile({size}, {i}, {j}, {vector})" for i in rows for j in counts]
    head = SOURCE.format(
        version=_version(), real=real, length=vector // size, vector=vector, depth=DEPTH, panel=PANEL,
        tiles="\n".join(tiles), vectors=tile.vectors, size=size,
    )  # fmt: skip
    strips = [STRIP.format(vectors=j) + "".join(LOOP.format(rows=i, vectors=j) for i in rows) for j in counts]
    return head + textwrap.indent("".join(strips), " " * 16)


@functools.cache
def product_address(real: np.dtype[Any]) -> int:
    """Return the address of a function of C that multiplies matrices of a dtype.

    Its arguments are the rows of C, its columns, and the steps of k; for each matrix an address and the bytes from
    row to row, for A also the bytes from one step of k to the next, so that it may stand either way; whether the
    chains go on from what stands in C, 1 or 0; 0, or where B stands turned (row j has the numbers of C's column j)
    the address of room for `DEPTH` times `PANEL` bytes; and the factor. There is at least one step.

    It is compiled for the processor at hand; `NotImplementedError` says that this has no fused multiply-adds.
    """
    vector = vector_bytes()
    if vector == 0:
        raise NotImplementedError("the processor has no fused multiply-adds")
    return compile_pointer(product_source(real, vector), "multiply", (*ARGUMENTS, str(real)))


def make_tile(size: int, rows: int, vectors: int, width: int) -> Any:
    """Return a function for compiled code: C = factor A B, or C = factor (C + A B), for one tile of C.

    Numbers have ``size`` bytes, vectors ``width``. The arguments are a tuple each for A, B and C: the address, the
    bytes to the next row, and for A those to the next step of k; then the steps of k, whether the chains go on
    from what stands in C, and the factor.
    """
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    unpack: Any = cgutils.unpack_tuple
    insert: Any = cgutils.get_or_insert_function
    length, number, lane = width // size, ir.FloatType() if size == 4 else ir.DoubleType(), ir.IntType(32)
    vector, pointer = ir.VectorType(number, length), ir.PointerType()
    places = [(i, j) for i in range(rows) for j in range(vectors)]

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (a, a_row, a_step), (b, b_row), (c, c_row) = (unpack(builder, one) for one in arguments[:3])
        steps, go_on, factor = arguments[3:]
        word = a.type

        def at(*addends: Any) -> Any:
            return builder.inttoptr(functools.reduce(builder.add, addends), pointer)

        def spread(value: Any) -> Any:
            one = builder.insert_element(vector(ir.Undefined), value, lane(0))
            return builder.shuffle_vector(one, vector(ir.Undefined), ir.VectorType(lane, length)([0] * length))

        fuse = insert(builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{length}f{8 * size}")
        sum_places = [at(c, builder.mul(c_row, word(i)), word(j * width)) for i, j in places]
        start, resume, loop, after = builder.block, *(builder.append_basic_block() for _ in range(3))
        builder.cbranch(builder.icmp_signed("==", go_on, word(0)), loop, resume)
        builder.position_at_end(resume)
        before = [builder.load(place, typ=vector, align=size) for place in sum_places]
        builder.branch(loop)
        builder.position_at_end(loop)
        k, a_here, b_here, *sums = (builder.phi(kind) for kind in [*[word] * 3, *[vector] * len(places)])
        right = [builder.load(at(b_here, word(j * width)), typ=vector, align=size) for j in range(vectors)]
        left = [
            spread(builder.load(at(a_here, builder.mul(a_row, word(i))), typ=number, align=size))
            for i in range(rows)
        ]
        grown = [builder.call(fuse, [left[i], right[j], old]) for (i, j), old in zip(places, sums, strict=True)]
        following = [builder.add(k, word(1)), builder.add(a_here, a_step), builder.add(b_here, b_row)]
        zeros, ends = [vector([0.0] * length)] * len(places), [word(0), a, b]
        for block, values in ((start, ends + zeros), (resume, ends + before), (loop, following + grown)):
            for phi, value in zip([k, a_here, b_here, *sums], values, strict=True):
                phi.add_incoming(value, block)
        builder.cbranch(builder.icmp_signed("<", following[0], steps), loop, after)
        builder.position_at_end(after)
        scale = spread(factor)
        for place, value in zip(sum_places, grown, strict=True):
            builder.store(builder.fmul(value, scale), place, align=size)
        return context.get_dummy_value()

    real = types.float32 if size == 4 else types.float64

    @intrinsic
    def tile(typing: Any, a: Any, b: Any, c: Any, steps: Any, go_on: Any, factor: Any) -> Any:
        return types.void(a, b, c, types.intp, types.intp, real), code

    return tile


def make_turn(size: int, width: int) -> Any:
    """Return a function for compiled code that writes a block, a vector of rows of a vector, with rows as columns.

    The arguments are the block's address, the bytes to its next row, and how many of its rows there are: the last
    one stands for those that are missing; then the address and the bytes to the next row of what is written.
    """
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    length, lane = width // size, ir.IntType(32)
    vector, pointer = ir.VectorType(ir.FloatType() if size == 4 else ir.DoubleType(), length), ir.PointerType()

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block, block_row, there, target, target_row = arguments
        word, last = block.type, builder.sub(there, there.type(1))

        def load(i: int) -> Any:
            row = builder.select(builder.icmp_signed("<", word(i), last), word(i), last)
            place = builder.inttoptr(builder.add(block, builder.mul(block_row, row)), pointer)
            return builder.load(place, typ=vector, align=size)

        def pick(one: Any, other: Any, places: list[int]) -> Any:
            return builder.shuffle_vector(one, other, ir.VectorType(lane, length)(places))

        rows, apart = [load(i) for i in range(length)], 1
        while apart < length:  # the quarters of ever larger squares off the diagonal change places
            for i in range(length):
                if not i & apart:
                    one, other = rows[i], rows[i + apart]
                    low = [j if not j & apart else length + j - apart for j in range(length)]
                    high = [j + apart if not j & apart else length + j for j in range(length)]
                    rows[i], rows[i + apart] = pick(one, other, low), pick(one, other, high)
            apart *= 2
        for i, row in enumerate(rows):
            place = builder.inttoptr(builder.add(target, builder.mul(target_row, word(i))), pointer)
            builder.store(row, place, align=size)
        return context.get_dummy_value()

    @intrinsic
    def turn(typing: Any, block: Any, block_row: Any, there: Any, target: Any, target_row: Any) -> Any:
        return types.void(*[types.intp] * 5), code

    return turn
