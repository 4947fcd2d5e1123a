"""NPZ files (a zip of NPY files) and files of one array (NPY or IDX), read with distrust.

Of an NPZ file, `numpy.load` bounds neither what a zip expands to nor the shape that a header declares. Here
everything is held against the size of the file before memory is taken, nothing is ever unpickled, and every error
names the file and the member.
"""

from __future__ import annotations

import copy
import io
import math
import struct
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Container, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn, cast

import numpy as np
from numpy.lib import format as npy_format

from glassnet.data.idx import read_idx
from glassnet.data.kept_reading import kept
from glassnet.data.untrusted_files import (
    DEFLATE_LIMIT,
    ContentError,
    check_expansion,
    check_memory,
    check_promise,
    decompress,
    describe_shape,
    open_regular_file,
    read_numbers,
    refuse_start,
    shorten,
)
from glassnet.nn.activations import Array

#: The most that all arrays of one NPZ file may take together, unless the caller says otherwise: 4 GiB.
MOST_BYTES = 1 << 32

NPY_MAGIC, GZIP_MAGIC, ZIP_MAGIC, IDX_MAGIC = b"\x93NUMPY", b"\x1f\x8b", b"PK\x03\x04", b"\0\0"

#: The longest table of contents, about 50,000 members: Python keeps ten times as much for it in memory.
DIRECTORY_LIMIT = 1 << 22

#: The longest NPY header, NumPy's own limit; that of an array of numbers has about 120 bytes.
HEADER_LIMIT = 10_000

#: The most characters of a text; NumPy gives each row the room of the longest.
LONGEST_TEXT = 4096

#: How long the length of the header is written, by version of the format.
LENGTH_FORMATS = {(1, 0): "<H", (2, 0): "<I", (3, 0): "<I"}

#: The most axes that NumPy gives an array.
MOST_AXES = 64

#: What `zipfile` lets through where an archive is damaged.
DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError)

ENCRYPTED = 0x1 | 0x40
LOCAL_HEADER = 30


def read_rows(path: str | Path, *, text: bool = False) -> Array:
    """Read an array of rows, in the format that the file's first bytes tell: NPY or IDX, gzipped or raw.

    A raw NPY file is mapped, not copied. It holds numbers; with `text`, as labels do, it may hold text.
    `FileError` is raised if the file is missing, damaged or of another format. Nothing is ever unpickled.
    """
    path = Path(path)
    with open_regular_file(path) as (file, size):
        start = file.read(len(NPY_MAGIC))
        file.seek(0)
        packed = decompress(file)
        is_packed = start.startswith(GZIP_MAGIC)
        inner = packed.read(len(NPY_MAGIC)) if is_packed else start
        is_npy = inner == NPY_MAGIC or (".npy" in path.suffixes[-2:] and not inner.startswith(IDX_MAGIC))
        if is_packed and is_npy:
            packed.seek(0)
            return _read_npy(packed, size, text, packed=True)
        if start.startswith(ZIP_MAGIC):
            raise ContentError(f"is a zip archive, as NPZ files are; if it is one, name it {path.stem}.npz")
        if is_npy:
            return _map_npy(path, file, size, text)
    return read_idx(path)


def _map_npy(path: Path, file: IO[bytes], size: int, text: bool) -> Array:
    """Map the numbers of an NPY file of so many bytes."""
    shape, fortran, dtype, start = _read_header(file, size)
    _check_kind(dtype, text)
    _check_length(shape, dtype, size - start)
    if not math.prod(shape) * dtype.itemsize:  # nothing can be mapped
        return np.zeros(shape, dtype)
    rows = np.asarray(np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C"))
    _check_text(rows)
    return rows


class _BoundedFile:
    """A file of which nobody reads more than `limit` bytes at once: a table of contents can be too long."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file, self._limit = file, limit
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > self._limit:
            raise zipfile.BadZipFile(f"table of contents of {size:,} bytes, more than {self._limit:,}")
        return self._file.read(size)


def list_npz(path: str | Path) -> tuple[str, ...]:
    """Return the names of an NPZ file's arrays, without ``.npy``; `FileError` is raised as by `read_npz`."""
    with open_regular_file(Path(path)) as (raw, _), _open_archive(raw) as archive:
        return tuple(_choose_members(_check_members(archive), None))


@kept
def read_npz(
    path: str | Path,
    names: Sequence[str] | None = None,
    *,
    text: Container[str] = (),
    most_bytes: int = MOST_BYTES,
) -> dict[str, Array]:
    """Read the arrays of an NPZ file, all or those of the given names (without ``.npy``), in that order.

    They are whole numbers, floats or truth values, in C order and in the machine's byte order; those that `text`
    names may hold text of a fixed width. `FileError` is raised if the file is missing, not regular, no NPZ file,
    damaged, larger than `most_bytes` in all, or holds anything else. Nothing is ever unpickled.
    """
    with open_regular_file(Path(path)) as (raw, _), _open_archive(raw) as archive:
        chosen = _choose_members(_check_members(archive), names)
        total = sum(member.file_size for member in chosen.values())
        if total > most_bytes:
            raise ContentError(
                f"declares arrays of {total:,} bytes, more than the {most_bytes:,} that may be read (most_bytes)"
            )
        check_expansion(total, sum(member.compress_size for member in chosen.values()))
        check_memory(total)
        return {name: _read_member(archive, member, name in text) for name, member in chosen.items()}


def _open_archive(raw: IO[bytes]) -> zipfile.ZipFile:
    """Open the zip and read its table of contents."""
    start = raw.read(64)
    if not start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        refuse_start(start, "NPZ file", "50 4b 03 04")
    try:
        return zipfile.ZipFile(cast(IO[bytes], _BoundedFile(raw, DIRECTORY_LIMIT)))
    except DAMAGE as error:
        raise ContentError(f"is a damaged or truncated NPZ file ({shorten(error)}): copy it again") from None


def _check_members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name, after checking all that the table of contents tells of them."""
    members = archive.infolist()
    if not members:
        raise ContentError("holds no arrays: the zip is empty")
    counts = Counter(member.filename for member in members)
    for member in members:
        try:
            name, parts = member.orig_filename, member.orig_filename.split("/")
            if name != member.filename or "\\" in name or ":/" in name or {"", ".", "..", ".npy"} & set(parts):
                raise ContentError("has a name that is no plain name of an array, such as 'X.npy'")
            if counts[member.filename] > 1:
                raise ContentError(f"occurs {counts[member.filename]} times, expected once")
            _check_size(member)
        except ContentError as error:
            _refuse(member, error)
    ordered = sorted(members, key=lambda member: member.header_offset)
    ends = [*(member.header_offset for member in ordered[1:]), archive.start_dir]
    for member, end in zip(ordered, ends, strict=True):
        if member.header_offset < 0 or member.header_offset + LOCAL_HEADER + member.compress_size > end:
            _refuse(member, "overlaps what follows it in the file, which is damaged or a zip bomb")
    return {member.filename: member for member in members}


def _check_size(member: zipfile.ZipInfo) -> None:
    """Refuse a size that the compressed bytes cannot yield."""
    if member.flag_bits & ENCRYPTED:
        raise ContentError("is encrypted: save the arrays without a password")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ContentError(
            f"is compressed by method {member.compress_type}, expected 0 (stored) or 8 (deflated), as NumPy writes"
        )
    stored = member.compress_type == zipfile.ZIP_STORED
    most = member.compress_size * (1 if stored else DEFLATE_LIMIT)
    if member.file_size > most or (stored and member.file_size < most):
        raise ContentError(
            f"declares {member.file_size:,} bytes, which its {member.compress_size:,} "
            f"{'stored' if stored else 'compressed'} bytes cannot hold"
        )


def _choose_members(
    members: dict[str, zipfile.ZipInfo], names: Sequence[str] | None
) -> dict[str, zipfile.ZipInfo]:
    """Return the members to read, by the names of their arrays."""
    if names is None:
        for member in members.values():
            if not member.filename.endswith(".npy"):
                _refuse(member, "is no array: expected only members whose names end in .npy")
        return {name.removesuffix(".npy"): member for name, member in members.items()}
    for name in names:
        if f"{name}.npy" not in members:
            known = ", ".join(member.removesuffix(".npy") for member in members)
            raise ContentError(f"holds no array {name!r}, only {shorten(ascii(known)[1:-1])}")
    return {name: members[f"{name}.npy"] for name in names}


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, text: bool) -> Array:
    """Read one array; whatever is wrong with it becomes an error that names it."""
    longer = copy.copy(member)
    longer.file_size += 1  # `zipfile` cuts what is longer than declared; one byte more shows it
    try:
        with archive.open(longer) as file:
            return _read_npy(file, member.file_size, text)
    except ContentError as error:
        _refuse(member, error)
    except DAMAGE as error:
        _refuse(member, f"is damaged ({shorten(error) or 'it ends early'}): copy the file again")


def _read_npy(file: IO[bytes], size: int, text: bool, *, packed: bool = False) -> Array:
    """Read an NPY file of `size` bytes, or `packed` into so many: its header, then the rest if it fits."""
    shape, fortran, dtype, start = _read_header(file, size * (DEFLATE_LIMIT if packed else 1))
    _check_kind(dtype, text)
    if packed:
        promise = f"its header promises {describe_shape(shape)} values of type {dtype}"
        check_promise(math.prod(shape) * dtype.itemsize, size, promise, packed=True)
    else:
        _check_length(shape, dtype, size - start)
    numbers = read_numbers(file, shape, dtype, fortran)
    if dtype.kind == "b" and (numbers.view(np.uint8) > 1).any():
        raise ContentError("holds other bytes than 0 and 1, though its type is bool")
    _check_text(numbers)
    return numbers


def _check_length(shape: Sequence[int], dtype: np.dtype[Any], size: int) -> None:
    """Refuse a header that promises others than the `size` bytes after it."""
    expected = math.prod(shape) * dtype.itemsize
    if expected != size:
        kind = "is cut short" if expected > size else "holds more than it should"
        raise ContentError(
            f"{kind}: its header promises {describe_shape(shape)} values of type {dtype}, {expected:,} bytes, and "
            f"{size:,} bytes follow it; copy or download it again"
        )


def _check_kind(dtype: np.dtype[Any], text: bool) -> None:
    """Refuse values that are neither numbers nor, where it may stand, text."""
    if dtype.hasobject:
        raise ContentError(
            "holds pickled Python objects, which are never read; expected numbers, or text saved as y.astype(str)"
        )
    if dtype.kind not in ("biufUS" if text else "biuf"):
        expected = "whole numbers, floats, bools or text" if text else "whole numbers, floats or bools"
        raise ContentError(f"holds values of type {shorten(dtype)}, expected {expected}")
    if dtype.kind in "US" and dtype.itemsize > 4 * LONGEST_TEXT:
        raise ContentError(f"holds text of type {shorten(dtype)}, longer than the {LONGEST_TEXT:,} of a label")


def _check_text(values: Array) -> None:
    """Refuse text with codes that stand for no character."""
    if values.dtype.kind == "U" and values.size:
        codes = np.ascontiguousarray(values).view(np.dtype(np.uint32).newbyteorder(values.dtype.byteorder))
        if ((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000))).any():
            raise ContentError("holds text with codes that stand for no character")


def _read_header(file: IO[bytes], size: int) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, Fortran order, type, and where the numbers begin."""
    magic = file.read(npy_format.MAGIC_LEN)
    try:
        version = npy_format.read_magic(io.BytesIO(magic))
    except ValueError:
        refuse_start(magic + file.read(64), "NPY file", NPY_MAGIC.hex(" "))
    if version not in LENGTH_FORMATS:
        raise ContentError(f"is an NPY file of version {version[0]}.{version[1]}, expected 1.0, 2.0 or 3.0")
    prefix_length = struct.calcsize(LENGTH_FORMATS[version])
    prefix = file.read(prefix_length)
    if len(prefix) < prefix_length:
        raise ContentError("is cut short: it ends within its header")
    (length,) = struct.unpack(LENGTH_FORMATS[version], prefix)
    if length > HEADER_LIMIT:
        raise ContentError(f"has a header of {length:,} bytes, expected at most {HEADER_LIMIT:,}")
    start = len(magic) + len(prefix) + length
    text = file.read(length)
    if len(text) < length or start > size:
        raise ContentError(f"is cut short: it ends within its header of {length:,} bytes")
    shape, fortran, dtype = _parse_header(text)
    return shape, fortran, dtype, start


def _parse_header(text: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, Fortran order and type that the text of a header declares."""
    try:
        # All versions of the format write plain numbers alike; they differ in how long a text may be.
        with warnings.catch_warnings(action="ignore"):
            shape, fortran, dtype = npy_format.read_array_header_2_0(
                io.BytesIO(struct.pack("<I", len(text)) + text), max_header_size=HEADER_LIMIT
            )
    except Exception:  # NumPy's reader of headers lets nearly any exception through
        start = ascii(text[:60].decode("latin-1"))
        raise ContentError(f"has a header that describes no array, beginning with {start}") from None
    if len(shape) > MOST_AXES:
        raise ContentError(f"has a header that promises {len(shape)} axes, expected at most {MOST_AXES}")
    if any(isinstance(length, bool) or not 0 <= length < 2**63 for length in shape):
        raise ContentError("has a header whose lengths are not whole numbers from 0 to 2**63 - 1")
    return shape, fortran, dtype


def _refuse(member: zipfile.ZipInfo, problem: object) -> NoReturn:
    raise ContentError(f"the member {shorten(ascii(member.orig_filename))} {problem}") from None
