"""Pictures inside a page: images of the data, and the weights of a network that looks at images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.schema import Schema
from glassnet.graph.pictures import flat_image, png_address
from glassnet.nn.activations import Array
from glassnet.nn.network import Network

#: More units are too small to see anything.
MOST_UNITS = 64

#: Pixels between two units.
GAP = 2


#: From the most negative number to the most positive one, evenly spaced; the page's scale has the same.
DIVERGING = ((103, 0, 31), (214, 96, 77), (247, 247, 247), (67, 147, 195), (5, 48, 97))


@dataclass(frozen=True)
class WeightSheet:
    """Weights of the first layer as one picture, a square a unit, in `columns` and `rows`.

    `address` is the PNG as a data address. Of the layer's `units` the first are `shown`. The weight `limit` has
    the full colour, its negative the other.
    """

    address: str
    shown: int
    units: int
    columns: int
    rows: int
    limit: float


def full_of(images: Array, schema: Schema) -> float:
    """Return what is black, in colour full: 255 of bytes, the white of 16 bits, else the largest number."""
    if images.dtype == np.uint8:
        return 255.0
    white = schema.input.white if isinstance(schema.input, ArraySchema) else 1.0
    return white if white > 1 else float(images.max(initial=0)) or 1.0


def weight_sheet(network: Network, image_shape: tuple[int, ...]) -> WeightSheet:
    """Draw the weights that go into the first units of the first layer: blue above zero, red below, white at zero.

    The inputs of the network are images. All units have one scale, whose end is the weight that only 1 of 200
    exceeds in size: few large weights would make all others look like none. Of weights on three colours the mean
    is shown, of a solid the middle slice.
    """
    W = network.W[0][:, :MOST_UNITS].astype(float)
    shown = W.shape[1]
    tiles = [flat_image(column, image_shape) for column in W.T]
    tiles = [tile.mean(axis=2) if tile.ndim == 3 else tile for tile in tiles]
    limit = float(np.quantile(np.abs(tiles), 0.995)) or 1.0
    columns = min(shown, 5 if shown <= 10 else 8)
    rows = math.ceil(shown / columns)
    height, width = tiles[0].shape
    sheet = np.zeros((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 4), np.uint8)  # clear
    for number, tile in enumerate(tiles):
        top, left = number // columns * (height + GAP), number % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = diverging(tile / limit)
    return WeightSheet(png_address(sheet), shown, network.layers[1], columns, rows, limit)


def diverging(values: Array) -> Array:
    """Return colours (red, green, blue, opacity as bytes) for numbers: -1 red, 0 white, 1 blue."""
    places = np.linspace(-1, 1, len(DIVERGING))
    shares = [np.interp(values, places, [colour[part] for colour in DIVERGING]) for part in range(3)]
    return np.rint(np.stack([*shares, np.full(values.shape, 255.0)], axis=-1)).astype(np.uint8)
