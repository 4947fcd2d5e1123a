"""What the compiled functions hand each other: a step's memory, the batches, and where in memory a layer is."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from glassnet.nn.activations import Array

#: Where something begins: Python's number, or the compiled code's.
Number = int | np.int64


class Step(NamedTuple):
    """What stays the same from step to step: sizes, the data, the memory that the steps work in, and functions.

    ``X`` and ``targets`` are addresses, and so are the functions, of which hidden layers have their own.
    """

    layers: Array
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
    H: Array
    Z: Array
    delta: Array
    X_hat: Array
    statistics: Array
    clip_norm: float
    max_norm: Any
    share_bias: Array
    share_loss: Array
    share_norm: Array
    scratch: Array
    no_scalars: Array
    row_loss: Array
    flags: Array
    activate: Array
    slope: Array
    output_row: int
    update: int
    normalise: int
    normalise_back: int
    shorten_columns: int
    copy_row: int
    move_row: int
    gemm: int


class Batches(NamedTuple):
    """The rows of all batches, and for each step its scalars, mask keys and room for its loss and outputs."""

    order: Array
    moves: Array
    scalars: Array
    keys: Array
    losses: Array
    outputs: Array


class Block(NamedTuple):
    """Rows that go through the layers together: a batch, or a part of one, as one worker sees it."""

    rows: Array
    moves: Array
    first_row: Number
    scale: Any
    first: bool
    last: bool
    scalars: Array
    keys: Array
    losses: Array
    outputs: Array
    worker: int


class Place(NamedTuple):
    """A layer's number, and where it begins in theta, in Z and among the units."""

    layer: Number
    w: Number
    z: Number
    unit: Number


class Matrix(NamedTuple):
    """A matrix in a flat array: where it begins, its row length, and NO_TRANS or TRANS."""

    numbers: Array
    first: Number
    width: Number
    order: Number
