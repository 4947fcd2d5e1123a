"""The IDX format of the MNIST family, read with distrust.

A header (two zero bytes, a type, the number of axes, then the length of each as a big-endian 32-bit number) and
the numbers after it, the whole gzipped or not. What the header says is held against the size of the file before
the numbers are read, and every error names the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from glassnet.data.kept_reading import kept
from glassnet.data.sources import md5
from glassnet.data.unpacked import find_unpacked, keep_unpacked
from glassnet.data.untrusted_files import (
    ContentError,
    check_promise,
    decompress,
    describe_shape,
    open_regular_file,
    read_numbers,
    refuse_start,
)
from glassnet.nn.activations import Array

#: The type codes of the format (yann.lecun.com/exdb/mnist, "the IDX file format").
TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


@kept
def read_idx(path: str | Path, member: str | None = None, checksum: str | None = None) -> Array:
    """Read an IDX file, or that `member` of a zip archive; whether it is gzipped is told by its first bytes.

    With the md5 `checksum` of the file, what is packed and large is kept for later processes.

    Bytes are returned as uint8, other types in the machine's byte order. `FileError` is raised if the file is
    missing, not regular, not IDX, damaged, or shorter or longer than its header says.
    """
    path, key = Path(path), hashlib.sha256(f"{checksum} {member}".encode()).hexdigest()[:32]
    found = None if checksum is None else find_unpacked(key)
    if found is not None:
        return found
    with open_regular_file(path) as (file, size), _open_member(file, member) as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        array = _read_array(decompress(raw) if packed else raw, size, packed=packed or member is not None)
    if checksum is not None and (packed or member is not None) and md5(path) == checksum:
        keep_unpacked(key, array)
    return array


@contextlib.contextmanager
def _open_member(file: IO[bytes], member: str | None) -> Iterator[IO[bytes]]:
    """Open a member of an archive; without one, it is the file itself."""
    if member is None:
        yield file
        return
    try:
        with zipfile.ZipFile(file) as archive, archive.open(member) as raw:
            yield raw
    except KeyError:
        raise ContentError(f"holds no {member}") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ContentError(f"is damaged or no zip archive ({error}): copy or download it again") from None


def _read_array(file: IO[bytes], size: int, *, packed: bool) -> Array:
    """Read header and numbers of a file of `size` bytes."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES or not 1 <= start[3] <= 8:
        refuse_start(start + file.read(60), "IDX file", "00 00 TYPE AXES, such as 00 00 08 03")
    axes = start[3]
    lengths = file.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise ContentError(f"is cut short: it ends within its header of {4 + 4 * axes} bytes")
    dtype, shape = np.dtype(TYPES[start[2]]), struct.unpack(f">{axes}I", lengths)
    promise = f"its header promises {describe_shape(shape)} values of type {dtype}"
    check_promise(math.prod(shape) * dtype.itemsize, size, promise, packed=packed)
    return read_numbers(file, shape, dtype)
