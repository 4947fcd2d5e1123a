"""The rows of a batch, copied out of the data."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glassnet.compiled.calls import copy, move
    from glassnet.compiled.names import AHEAD, LINE, prefetch


def fetch_ahead(table, size, rows, i, last):
    """Have the row that comes a few after row i on its way from memory: rows are drawn from all over the table.

    The table is its address, and the size of a row in bytes.
    """
    if i + AHEAD < last:
        start = table + rows[i + AHEAD] * size
        for place in range(start, start + size, LINE):
            prefetch(place)


def gather(step, rows, batch):
    """Copy rows of X, scaled, into the batch."""
    width, room = step.layers[0], step.h_row[0]
    size = width * step.X_itemsize
    for i in range(len(rows)):
        fetch_ahead(step.X, size, rows, i, len(rows))
        copy(step, step.X + rows[i] * size, batch[i * room : i * room + width])


def gather_moved(step, rows, moves, batch):
    """Copy rows of X, scaled, into the batch, each moved by its moves (see `move_images`)."""
    width, room = step.layers[0], step.h_row[0]
    size = width * step.X_itemsize
    for i in range(len(rows)):
        fetch_ahead(step.X, size, rows, i, len(rows))
        move(step, step.X + rows[i] * size, batch[i * room : i * room + width], moves[i])
