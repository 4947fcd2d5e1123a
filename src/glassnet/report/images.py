"""Pictures inside a page: images of the data, and the weights of a network that looks at images."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from dataclasses import dataclass

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.schema import Schema
from glassnet.nn.activations import Array
from glassnet.nn.network import Network

#: More units are too small to see anything.
MOST_UNITS = 64

#: Pixels between two units.
GAP = 2

#: Pictures whose longer side is above this are made smaller by leaving out pixels.
LARGEST = 96


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


def png_address(pixels: Array) -> str:
    """Return a picture as the address of a PNG that a page holds in itself.

    `pixels` are bytes of shape (height, width, 3 or 4): red, green, blue, and opacity. The file has the three
    parts that the format (W3C, PNG, third edition) cannot do without.
    """
    height, width, channels = pixels.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # a zero before each row: its bytes are as they are
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part))
        for name, part in parts
    )
    return "data:image/png;base64," + base64.b64encode(content).decode()


def flat_shape(image_shape: tuple[int, ...]) -> tuple[int, int]:
    """Return height and width of the picture that a row of this shape is shown as."""
    solid = len(image_shape) == 3 and image_shape[2] != 3
    height, width = image_shape[1:] if solid else image_shape[:2]
    return height, width


def flat_image(row: Array, image_shape: tuple[int, ...]) -> Array:
    """Return a row as (height, width), or (height, width, 3) in colour; of a solid its middle slice."""
    image = np.asarray(row).reshape(image_shape)
    return image[image_shape[0] // 2] if image.ndim == 3 and image_shape[2] != 3 else image


def full_of(images: Array, schema: Schema) -> float:
    """Return what is black, in colour full: 255 of bytes, the white of 16 bits, else the largest number."""
    if images.dtype == np.uint8:
        return 255.0
    white = schema.input.white if isinstance(schema.input, ArraySchema) else 1.0
    return white if white > 1 else float(images.max(initial=0)) or 1.0


def picture_of(row: Array, image_shape: tuple[int, ...], largest: float | None = None) -> str:
    """Return a row of the data as a picture: dark ink on white, or in its colours.

    `largest` is the number that is black (in colour: full). Bytes go up to 255, others by default to the row's
    largest.
    """
    image = flat_image(row, image_shape).astype(float)
    top = 255.0 if np.asarray(row).dtype == np.uint8 else largest or float(image.max()) or 1.0
    step = math.ceil(max(image.shape[:2]) / LARGEST)
    shares = np.clip(image[::step, ::step] / top, 0, 1)
    if image.ndim == 2:
        shares = np.repeat(1 - shares[:, :, None], 3, axis=2)
    return png_address(np.rint(255 * shares).astype(np.uint8))


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
