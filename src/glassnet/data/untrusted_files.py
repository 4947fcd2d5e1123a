"""Reading files that others made: nothing is believed before it is checked, and every error names the file."""

from __future__ import annotations

import contextlib
import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from glassnet.errors import FileError
from glassnet.nn.activations import Array
from glassnet.runtime.records import check_regular

#: Deflate cannot expand a byte to more than this (zlib.net/zlib_tech.html): a bound on what a header may claim.
DEFLATE_LIMIT = 1032

#: What files begin with, and what a message calls them.
MAGIC = {
    b"PAR1": "Parquet",
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "ZIP or Excel: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel sheet: save it as CSV",
    b"\xff\xfe": "UTF-16: save it as UTF-8",
    b"\xfe\xff": "UTF-16: save it as UTF-8",
    b"%PDF": "PDF",
    b"ARRO": "Arrow: save it as Parquet",
    b"\x93NUM": "NPY",
}

#: Bytes read at a time, so that a lying size costs no memory.
CHUNK = 1 << 22


class ContentError(Exception):
    """What is wrong with the content of a file; `open_regular_file` turns it into an error that names the file."""


@contextlib.contextmanager
def open_regular_file(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """Open a regular file, and give it with its size; what goes wrong while it is read, gzip included, names it.

    `FileError` is raised if the file is missing, not regular, or cannot be read, if its gzip data are damaged, if
    memory does not suffice, or if the reader raises `ContentError`.
    """
    try:
        size = check_regular(path)
        with path.open("rb") as raw:
            yield raw, size
    except FileError:
        raise
    except ContentError as error:
        raise FileError(path, str(error)) from None
    except EOFError:
        raise FileError(path, "ends in the middle of the gzip data: copy or download it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise FileError(path, f"is damaged ({error}): copy or download it again") from None
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or shorten(error)}") from None
    except MemoryError:
        raise FileError(path, "needs more memory than there is") from None


def check_format(file: IO[bytes], expected: str) -> None:
    """Refuse a file whose first bytes are not of the format that its name says: text, or one of `MAGIC`."""
    start = file.read(4)
    file.seek(0)
    if not start:
        raise ContentError("is empty")
    found = next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), "text")
    if found != expected:
        raise ContentError(
            f"is no {expected} as its name says; by its first bytes ({start.hex(' ')}) it is {found}"
        )


def decompress(raw: IO[bytes]) -> IO[bytes]:
    """Return what gzip has packed, as a file; nothing is read yet."""
    return cast(IO[bytes], gzip.GzipFile(fileobj=raw))


def read_numbers(
    file: IO[bytes], shape: Sequence[int], dtype: np.dtype[Any], fortran_order: bool = False
) -> Array:
    """Read the numbers that a header promises, which end the file; memory is taken only as they arrive.

    The file stands at the first number. The array is in C order and in the machine's byte order. `ContentError` is
    raised if there are fewer or more bytes, or no array has such a shape.
    """
    expected = math.prod(shape) * dtype.itemsize
    promise = f"its header promises {describe_shape(shape)} values of type {dtype}"
    content = bytearray()
    while len(content) < expected and (chunk := file.read(min(CHUNK, expected - len(content)))):
        content += chunk
    if len(content) < expected:
        raise ContentError(
            f"is cut short: it holds {len(content):,} of the {expected:,} bytes, for {promise}: copy or "
            "download it again"
        )
    if file.read(1):  # also what makes `zipfile` and `gzip` compare their checksums
        raise ContentError(f"holds more than the {expected:,} bytes that it should: {promise}")
    try:
        numbers: Array = np.frombuffer(content, dtype).reshape(shape, order="F" if fortran_order else "C")
    except ValueError:  # a length of 0 beside lengths that NumPy cannot count
        raise ContentError(f"{promise}, which no array can hold") from None
    return numbers.astype(dtype.newbyteorder("="), order="C", copy=False)


def describe_shape(shape: Sequence[int]) -> str:
    """Return a shape in words, such as "3 x 28 x 28", or "single"."""
    return " x ".join(str(length) for length in shape) or "single"


def shorten(text: object, most: int = 160) -> str:
    """Return a text that others wrote as one line of bounded length."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[:most]}..."
