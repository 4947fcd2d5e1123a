"""Dropout on rows, as a function of C; compiled where a network has it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import uint32

    from glassnet.compiled.names import ZERO, carray
    from glassnet.nn.hashing import hash_bits, row_key


def drop_rows(n, width, A, apart, key, row, first, threshold):
    """Leave out, of n rows so many numbers apart, the units whose hash is below the threshold.

    The rows are numbered from `row`, the units from `first`.
    """
    rows = carray(A, (n, apart))
    for i in range(n):
        mixed = row_key(key, uint32(row + i))
        for j in range(width):
            rows[i, j] = rows[i, j] if hash_bits(uint32(mixed + uint32(first + j))) >= threshold else ZERO
