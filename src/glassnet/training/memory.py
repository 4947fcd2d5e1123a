"""What training takes of memory, counted before it begins."""

from __future__ import annotations

from collections.abc import Sequence

from glassnet.errors import UsageError
from glassnet.nn.input_rows import BLOCK_ROWS
from glassnet.nn.network import Network
from glassnet.nn.parameters import count_parameters, find_most_units
from glassnet.nn.update import Update
from glassnet.runtime.memory import available_memory, describe_bytes

#: Vectors as long as theta beside theta, its gradient and the optimizer's memory: the best one, and what is copied
#: for a checkpoint.
COPIES = 2

#: Bytes of a training for which nobody asks how much memory is free.
FEW = 1 << 24

#: Matrices of a row for each sample and a column for each unit: Z, H and their slopes, and one on its way.
MATRICES = 4


def refuse_too_large(network: Network, update: Update, batch_size: int, rows: int) -> None:
    """Refuse a network or a batch that memory does not hold while it is trained.

    `UsageError` names the most units of a layer, or the most rows of a batch, that would fit.
    """
    size, at_once = network.theta.itemsize, max(batch_size, min(rows, BLOCK_ROWS))
    vectors = update.memory_vectors + COPIES  # theta and gradient are there

    def needed(layers: Sequence[int], batch: int) -> int:
        return size * (vectors * count_parameters(layers, network.batch_norm) + MATRICES * batch * sum(layers))

    free = available_memory() if needed(network.layers, at_once) > FEW else None
    if free is None or needed(network.layers, at_once) <= free:
        return
    problem = f"training needs {describe_bytes(needed(network.layers, at_once))} more of memory, and"
    problem += f" {describe_bytes(free)} are free"
    left = free - needed(network.layers, 0)
    most = left // (size * MATRICES * sum(network.layers))
    if batch_size > BLOCK_ROWS and most >= BLOCK_ROWS:
        raise UsageError("batch_size", f"{problem}; take at most {most:,} rows")
    inputs, *hidden, outputs = network.layers  # the data say how many inputs and outputs there are
    if not hidden:
        raise UsageError("layers", f"{problem}; the data have too many columns or classes")
    units = find_most_units(hidden, lambda cut: needed([inputs, *cut, outputs], at_once) <= free)
    raise UsageError("layers", f"{problem}; layers of at most {units:,} units would fit")
