"""Where in a program everything stands: layers cut into shares for threads, and into panels for the products.

Of a hidden layer a share has some of the units, that is columns of W. It is cut into *panels* of columns that a
product takes at once (see `glassnet.runtime.products`). A panel's piece of theta is its columns of W, row by row,
then its part of b and of gamma. Each row has room for whole lines of the cache. What stands there after the last
column means nothing. The output layer's W and b are one piece, at the end.

Neither shares nor panels change the bits of a result.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from glassnet.compiled.records import Panel
from glassnet.nn.activations import Array
from glassnet.nn.parameters import Parameters


class Arrangement(NamedTuple):
    """Where the parameters of a network stand.

    ``places`` has the place of each parameter, in the order of the network's theta, among ``size`` numbers.
    ``panels`` are a `Panel` a row, those of a hidden layer from its ``first_panel`` to that of the next one.
    ``output`` is where the output layer's W begins, in rows of ``room`` numbers, and ``units`` how many units the
    hidden layers have room for.
    """

    places: Array
    size: int
    panels: Array
    first_panel: Array
    output: int
    room: int
    units: int


def arrange(parameters: Parameters, shares: int, line: int, widest: int) -> Arrangement:
    """Return where parameters stand in a program, in panels of at most so many columns, and lines of so many."""
    order = Parameters(parameters.layers, np.int64, parameters.batch_norm)
    order.theta[:] = np.arange(len(order.theta))
    places, panels, first_panel = np.empty_like(order.theta), [], [0]
    w = unit = 0
    for W, b, gamma in zip(order.W[:-1], order.b[:-1], order.gamma[:-1], strict=True):
        vectors = [W, b[None]] if gamma is None else [W, b[None], gamma[None]]
        whole = np.concatenate(vectors)
        for share, (left, right) in enumerate(cut(0, W.shape[1], shares, line)):
            for first, last in cut(left, right, -(-(right - left) // widest), line):
                room = round_up(last - first, line)
                panels.append(Panel(first, last - first, room, w, unit, share))
                places[whole[:, first:last]] = w + np.arange(len(whole))[:, None] * room + np.arange(last - first)
                w += len(whole) * room
                unit += room
        first_panel.append(len(panels))
    whole = np.concatenate([order.W[-1], order.b[-1][None]])
    room = round_up(whole.shape[1], line)
    places[whole] = w + np.arange(len(whole))[:, None] * room + np.arange(whole.shape[1])
    table = np.array(panels, np.int64).reshape(len(panels), len(Panel._fields))
    return Arrangement(places, w + whole.shape[0] * room, table, np.array(first_panel), w, room, unit)


def cut(first: int, last: int, parts: int, line: int) -> list[tuple[int, int]]:
    """Return the non-empty parts of a range, nearly equal, that begin at multiples of a line from its start."""
    lines = -(-(last - first) // line)
    ends = [min(last, first + line * (lines * part // parts)) for part in range(parts + 1)]
    return [(left, right) for left, right in itertools.pairwise(ends) if left < right]


def round_up(size: int, line: int) -> int:
    """Return the next multiple of a line."""
    return -(-size // line) * line
