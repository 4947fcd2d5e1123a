"""How the work of a step is cut into shares, and what all of them need: products, and a barrier between layers.

The work is cut into a fixed number of shares, and each worker thread takes every so many of them. Of a hidden
layer a share has some of the units, that is columns of W: a worker multiplies the whole batch with its columns,
later computes their gradient, and updates them, so the largest arrays (W, its gradient and the optimizer's memory
of it) never move from one core to another. Of the output layer, whose loss needs whole rows, a share has some of
the rows of the batch, and some of the rows of W. Workers wait for each other after each layer. Nothing of this
depends on how many workers there are, so neither do the bits of the result.

Arrays are flat, with offsets: theta, gradient and memory hold for every hidden layer one piece a share, its
columns of W, then of b and gamma (see `glassnet.compiled.program.arrange`); Z and delta likewise hold each
share's columns together; H holds whole rows.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import int32, uint32

    from glassnet.compiled.names import (
        ROW_MAJOR,
        SPINS,
        ZERO,
        address,
        call_address,
        fence,
        integer,
        sleep_microseconds,
    )


def share_start(size, share, shares):
    """Return where a share of `size` units begins: nearly equal shares, in multiples of 4."""
    return min(size, (size * share // shares + 3) // 4 * 4) if share < shares else size


def share_range(size, share, shares):
    """Return where a share of `size` units begins and ends."""
    return share_start(size, share, shares), share_start(size, share + 1, shares)


def unit_size(step, layer):
    """Return how many parameters a unit of a layer has: its column of W, its bias, its gamma."""
    return step.layers[layer] + 1 + step.normalises[layer]


def layer_piece(step, w_first, layer, share):
    """Return where a share's piece of a hidden layer begins and ends in theta."""
    d_out = step.layers[layer + 1]
    first, last = share_range(d_out, share, step.shares)
    return w_first + first * unit_size(step, layer), w_first + last * unit_size(step, layer)


def output_piece(step, w_first, share):
    """Return where a share's piece of the output layer begins and ends in theta; the last one has the bias."""
    d_in, d_out = step.layers[-2], step.layers[-1]
    last = w_first + share_start(d_in, share + 1, step.shares) * d_out
    return w_first + share_start(d_in, share, step.shares) * d_out, last + (
        d_out if share == step.shares - 1 else 0
    )


def barrier(step, worker, phase):
    """Wait until every worker has come to the next phase, and return its number.

    On a core that others want, let them have it.
    """
    phase += 1
    fence()
    step.flags[8 * worker] = phase
    for other in range(step.workers):
        spins = 0
        while step.flags[8 * other] < phase:
            fence()
            spins += 1
            if spins > SPINS:
                sleep_microseconds(uint32(20))
    fence()
    return phase


def multiply(step, alpha, beta, a, b, c, size):
    """C = alpha A B + beta C for the size (m, k, n): A is m x k, B is k x n; stored transposed where TRANS."""
    m, k, n = size
    arguments = (
        ROW_MAJOR, int32(a.order), int32(b.order), integer(m), integer(n), integer(k),
        alpha, address(a.numbers) + a.first * a.numbers.itemsize, integer(a.width),
        address(b.numbers) + b.first * b.numbers.itemsize, integer(b.width),
        beta, address(c.numbers) + c.first * c.numbers.itemsize, integer(c.width),
    )  # fmt: skip
    call_address(step.gemm, arguments)


def set_zero(numbers):
    """Set all numbers to 0."""
    for j in range(len(numbers)):
        numbers[j] = ZERO


def multiply_by(numbers, factor):
    """Multiply all numbers by a factor, in place."""
    for j in range(len(numbers)):
        numbers[j] *= factor


def add_to(numbers, others):
    """Add others, of which there may be more, to numbers, in place."""
    for j in range(len(numbers)):
        numbers[j] += others[j]


def add_up(numbers):
    """Return the sum of numbers, in their order."""
    total = 0.0
    for j in range(len(numbers)):
        total += numbers[j]
    return total
