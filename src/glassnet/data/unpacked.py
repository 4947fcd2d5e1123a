"""Large arrays of packed files, unpacked once: later processes map them from the user's cache."""

from __future__ import annotations

import contextlib
import os
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from glassnet.data.sources import cache_folder
from glassnet.errors import FileError
from glassnet.nn.activations import Array
from glassnet.runtime.files import replacing

#: What is smaller is unpacked as fast as it is looked for.
LEAST_BYTES = 1 << 20

#: What all files may take together: the one that was not used for the longest time goes first.
MOST_BYTES = 1 << 30


def unpacked_folder() -> Path:
    """Return the folder of what is kept; it may be removed at any time."""
    return cache_folder() / "unpacked"


def count_unpacked() -> int:
    """Return the bytes that are kept."""
    return sum(size for _, size, _ in _list_files())


def find_unpacked(key: str) -> Array | None:
    """Return the array that is kept under a key, None where there is none, or its bytes are not those written.

    It is mapped, and may be written to: nobody else sees that, and the file stays as it is.
    """
    for _, _, path in _list_files():
        if not path.name.startswith(f"{key}-"):
            continue
        with contextlib.suppress(Exception):  # whatever a damaged file brings
            array = np.asarray(np.lib.format.open_memmap(path, mode="c"))
            if path.name == _name(key, array):
                with contextlib.suppress(OSError):
                    os.utime(path)
                return array
        with contextlib.suppress(OSError):
            path.unlink()
    return None


def keep_unpacked(key: str, array: Array) -> None:
    """Keep a large array where the disk has room for it; what cannot be written is done without."""
    folder = unpacked_folder()
    if not LEAST_BYTES <= array.nbytes <= MOST_BYTES:
        return
    with contextlib.suppress(OSError, FileError):
        folder.mkdir(parents=True, exist_ok=True)
        _make_room(array.nbytes)
        if shutil.disk_usage(folder).free > 4 * array.nbytes:
            with replacing(folder / _name(key, array)) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def _name(key: str, array: Array) -> str:
    """Return the name of an array's file, which holds what the file is checked by."""
    kind = f"{array.dtype.str} {array.shape}".encode()
    return f"{key}-{zlib.crc32(np.ascontiguousarray(array).data, zlib.crc32(kind)):08x}.npy"


def _list_files() -> Iterator[tuple[float, int, Path]]:
    """Return when each file was last used, its bytes and its path."""
    with contextlib.suppress(OSError):
        for path in unpacked_folder().iterdir():
            with contextlib.suppress(OSError):
                found = path.stat()
                yield found.st_mtime, found.st_size, path


def _make_room(size: int) -> None:
    """Remove what was not used for the longest time, until so many bytes more are within bounds."""
    files = sorted(_list_files())
    total = size + sum(taken for _, taken, _ in files)
    for _, taken, path in files:
        if total <= MOST_BYTES:
            return
        path.unlink()
        total -= taken
