"""Reading files that others made: nothing is believed before it is checked, and every error names the file."""

from __future__ import annotations

import contextlib
import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn, cast

import numpy as np

from glassnet.errors import DataError, FileError
from glassnet.nn.activations import Array
from glassnet.runtime.memory import available_memory, describe_bytes
from glassnet.runtime.records import check_regular

#: Deflate cannot expand a byte to more than this (zlib.net/zlib_tech.html): a bound on what a header may claim.
DEFLATE_LIMIT = 1032

#: What packed data may grow to: so many times their size, and so many bytes whatever their size. Data of people
#: grow 3 to 20 times, rows of mostly zeros 100 times, and 2 GB of a single value 1,000 times.
EXPANSION, FREE_EXPANSION = 200, 128 << 20

#: What to do with data that grow further.
UNPACK = "more than is believed of packed data; if they are right, save them unpacked"

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
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"\x89HDF": "HDF5",
    b"\x00\x00\x08\x01": "IDX",
    b"\x00\x00\x08\x03": "IDX",
}

#: What pages and messages of servers begin with, in small letters, and what a message calls them.
ANSWERS = {
    b"<!doctype html": "an HTML page",
    b"<html": "an HTML page",
    b"<head": "an HTML page",
    b"<?xml": "XML",
    b"<svg": "XML",
    b"{": "JSON",
    b"[{": "JSON",
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


def name_format(start: bytes) -> str | None:
    """Return what a message calls data that begin so, None where that tells nothing."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    known = [kind for magic, kind in MAGIC.items() if start.startswith(magic)]
    return next(iter(known + [kind for words, kind in ANSWERS.items() if text.startswith(words)]), None)


def refuse_answer(start: bytes) -> None:
    """Refuse what a server sends in place of a file that it does not have."""
    found = name_format(start)
    if found in ANSWERS.values():
        raise ContentError(f"is {found} by its first bytes, and no data: the download failed; get the file again")


def refuse_start(start: bytes, what: str, expected: str) -> NoReturn:
    """Refuse data that begin otherwise than `what`, which begins with the bytes `expected`."""
    if not start:
        raise ContentError("is empty")
    refuse_answer(start)
    found = name_format(start)
    is_it = "" if found is None else f"; by them it is {found}"
    raise ContentError(
        f"is no {what}: it begins with {start[:4].hex(' ')}, expected the magic number {expected}{is_it}"
    )


def check_promise(expected: int, size: int, promise: str, *, packed: bool) -> None:
    """Refuse a header that promises more bytes than a file of `size`, or memory, can hold, or than is believed.

    What deflate cannot do is a lie. What no data of people do is a bomb: a few bytes that fill the memory.
    """
    if expected > size * (DEFLATE_LIMIT if packed else 1):
        raise ContentError(f"{promise}, which is larger than the file can hold ({expected:,} of {size:,} bytes)")
    if packed:
        check_expansion(expected, size)
    check_memory(expected)


def bound_expansion(size: int) -> int:
    """Return the most bytes that so many packed ones may become."""
    return int(max(EXPANSION * size, FREE_EXPANSION))


def check_expansion(unpacked: int, size: int) -> None:
    """Refuse packed data that are too many times their size."""
    if unpacked > bound_expansion(size):
        raise ContentError(f"unpacks from {size:,} to {unpacked:,} bytes, {UNPACK}")


def check_memory(needed: int) -> None:
    """Refuse numbers that do not fit into memory."""
    free = available_memory()
    if free is not None and needed > free:
        raise ContentError(f"needs {describe_bytes(needed)} of memory, and {describe_bytes(free)} are free")


def check_room(needed: int, what: str, remedy: str) -> None:
    """Refuse numbers that do not fit into memory, as a `DataError` that says what they are and what to do."""
    try:
        check_memory(needed)
    except ContentError as error:
        raise DataError(f"{what}: {error}; {remedy}") from None


def check_format(file: IO[bytes], expected: str, magic: str) -> None:
    """Refuse a file whose first bytes are not of the format that its name says, one of `MAGIC`."""
    start = file.read(64)
    file.seek(0)
    if name_format(start) != expected:
        refuse_start(start, f"{expected} file", magic)


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
