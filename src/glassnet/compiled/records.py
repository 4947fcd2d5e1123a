"""What the compiled functions hand each other: a step's memory, the batches, and where in memory a layer is."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from glassnet.nn.activations import Array

#: Where something begins: Python's number, or the compiled code's.
Number = int | np.int64


class Step(NamedTuple):
    """What stays the same from step to step: sizes, the data, the memory that the steps work in, and functions.

    ``X`` and ``targets`` are addresses, and so are the functions at the end, of which hidden layers have their
    own. Those that a network does not need stay 0.

    ``panels`` are rows of `Panel`, those of a hidden layer from its ``first_panel`` to that of the next one. The
    output layer's W begins at ``output``, in rows of ``room`` numbers. Z, delta and X^ have a panel's columns
    together, row by row, and from ``z_output`` on those of the output layer. H has whole rows: a layer's inputs
    begin at its ``h_first``, in rows of ``h_row`` numbers; those of the first layer stand in each worker's batch.
    A worker has ``turned`` parts of W in one place, and a gradient that only the optimizer looks at in its strip.
    """

    layers: Array
    panels: Array
    first_panel: Array
    output: int
    room: int
    z_output: int
    h_first: Array
    h_row: Array
    normalises: Array
    thresholds: Array
    factors: Array
    shares: int
    workers: int
    rows: int
    batch_size: int
    averaged: bool
    output_scale: float
    X: int
    X_itemsize: int
    targets: int
    weights: Array
    input_scale: Any
    image: Array
    theta: Array
    gradient: Array
    memory: Array
    batch: Array
    turned: Array
    H: Array
    Z: Array
    delta: Array
    X_hat: Array
    statistics: Array
    clip_norm: float
    max_norm: Any
    strips: Array
    losses: Array
    norms: Array
    scratch: Array
    no_scalars: Array
    flags: Array
    activate: Array
    slope: Array
    output_row: int = 0
    update: int = 0
    drop_rows: int = 0
    normalise: int = 0
    normalise_back: int = 0
    shorten_columns: int = 0
    square_columns: int = 0
    copy_row: int = 0
    move_row: int = 0
    multiply: int = 0


class Batches(NamedTuple):
    """The rows of all batches, and for each step its scalars, mask keys and room for its loss and outputs."""

    order: Array
    moves: Array
    scalars: Array
    keys: Array
    losses: Array
    outputs: Array


class Block(NamedTuple):
    """Rows that go through the layers together: a batch, or a part of one, as one worker sees it.

    They are the ``first`` of their batch, the ``last``, or both. The gradient is ``kept`` if it may be asked for.
    """

    rows: Array
    moves: Array
    first_row: Number
    scale: Any
    first: bool
    last: bool
    kept: bool
    scalars: Array
    keys: Array
    losses: Array
    outputs: Array
    worker: int


class Panel(NamedTuple):
    """Columns of a hidden layer's W that a product takes at once; see `glassnet.compiled.arrangement`.

    They are ``width`` of the layer's units, from ``first`` on, with room for more in each row. The panel's piece
    of theta begins at ``w``. ``unit`` is its first unit's number among those of all layers and the room for more.
    """

    first: Number
    width: Number
    room: Number
    w: Number
    unit: Number
    share: Number
