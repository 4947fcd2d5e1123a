"""Pictures made for the tests: small, of every kind, and files that lie."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from glassnet.data.image_folder import read_image_folder
from glassnet.data.read_options import ReadOptions
from glassnet.errors import FileError

GREY = np.arange(0, 240, 20, np.uint8).reshape(3, 4)
COLOURS = np.arange(36, dtype=np.uint8).reshape(3, 4, 3) * 7


def encoded(array, kind="PNG", mode=None, **options):
    """Return an image file; an array of palette indices with mode "P"."""
    image = Image.fromarray(np.asarray(array))
    if mode == "P":
        image = image.convert("P")
        image.putpalette([value for grey in range(256) for value in (255 - grey, grey, 7)])
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(address):
    """Return the pixels of a picture that a page holds in itself."""
    head, _, content = address.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content)))).astype(int)


def put(folder, files):
    """Write files, by their paths in the folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def make_pets(folder):
    """Make a good folder with two classes of two and one images."""
    files = {"cat/1.png": GREY, "cat/2.png": GREY + 1, "dog/1.png": GREY + 2}
    return put(folder, {name: encoded(array) for name, array in files.items()})


def read(folder, **options):
    """Return the images, labels and class names of a folder without splits."""
    splits, names, _ = read_image_folder(folder, ReadOptions(**options))
    assert list(splits) == [""]
    return *splits[""], names


def remarks_of(folder, **options):
    return read_image_folder(folder, ReadOptions(**options)).remarks


def refused(folder, culprit=None, **options):
    """Return the message that refuses a folder, after checking that it is one line and names the culprit."""
    with pytest.raises(FileError) as caught:
        read_image_folder(folder, ReadOptions(**options))
    message = str(caught.value)
    assert message.startswith(f"{folder if culprit is None else folder / culprit}: ")
    assert len(message.splitlines()) == 1
    return message


PNG = encoded(np.arange(256, dtype=np.uint8).reshape(16, 16))
JPEG = encoded(np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8), "JPEG")
BMP = encoded(GREY, "BMP")
GIF = encoded(GREY, "GIF")
TIFF = encoded(GREY, "TIFF", compression="tiff_lzw")


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, pixels=b"", depth=8, colour=0):
    """Return a PNG that declares any size."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    )
