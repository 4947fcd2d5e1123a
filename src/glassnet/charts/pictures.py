"""Rows that are pictures, as pictures inside a page."""

from __future__ import annotations

import base64
import math
import struct
import zlib

import numpy as np

from glassnet.nn.activations import Array

#: Pictures whose longer side is above this are made smaller by leaving out pixels.
LARGEST = 96


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
