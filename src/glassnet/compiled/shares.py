"""How the work of a step is cut into shares, and what all of them need: a barrier between layers, and sums.

The work is cut into a fixed number of shares, and each worker thread takes every so many of them. Of a hidden
layer a share has some of the units, that is columns of W, in panels (`glassnet.compiled.arrangement`): a worker
multiplies the whole batch with its columns, later computes their gradient, and updates them, so the largest arrays
(W and the optimizer's memory of it) never move from one core to another. Of the output layer, whose loss needs
whole rows, a share has some of the rows of the batch, and some of the rows of W. Workers wait for each other after
each layer. Nothing of this changes the bits of the result: each number of a product is one chain, and sums are
added up in the order of rows and units.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import uint32

    from glassnet.compiled.names import SPINS, ZERO, fence, sleep_microseconds
    from glassnet.compiled.records import Panel


def share_range(size, share, shares):
    """Return where a share of `size` rows begins and ends: nearly equal shares."""
    return size * share // shares, size * (share + 1) // shares


def read_panel(step, number):
    """Return a panel by its number."""
    panel = step.panels[number]
    return Panel(panel[0], panel[1], panel[2], panel[3], panel[4], panel[5])


def is_mine(step, block, panel):
    """Whether a panel is this worker's."""
    return panel.share % step.workers == block.worker


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


def set_zero(numbers):
    """Set all numbers to 0."""
    for j in range(len(numbers)):
        numbers[j] = ZERO


def multiply_by(numbers, factor):
    """Multiply all numbers by a factor, in place."""
    for j in range(len(numbers)):
        numbers[j] *= factor


def add_to(numbers, others):
    """Add others to numbers, in place."""
    for j in range(len(numbers)):
        numbers[j] += others[j]


def add_up(numbers):
    """Return the sum of numbers, in their order."""
    total = 0.0
    for j in range(len(numbers)):
        total += numbers[j]
    return total
