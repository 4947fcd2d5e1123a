"""Pictures to predict: one file, or all in a folder, made into the rows that a network was trained on."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glassnet.data.image_folder import list_entries
from glassnet.data.picture_files import (
    USUAL_SUFFIXES,
    PictureHeader,
    check_bytes,
    decode_picture,
    describe_headers,
    describe_strays,
    map_files,
    read_header,
    require_pillow,
)
from glassnet.errors import FileError
from glassnet.nn.activations import Array


class PictureRows(NamedTuple):
    """Rows of pictures, their file names, the names of their folders, and what is to be said.

    `names` are relative to what was read, with a slash between folders. `labels` are the names of the folders in
    which the pictures lie, and None if a picture lies in no folder within what was read.
    """

    rows: Array
    names: tuple[str, ...]
    labels: tuple[str, ...] | None
    remarks: tuple[str, ...]


def read_pictures(
    path: str | Path, shape: tuple[int, ...], white: int, size: tuple[int, int] | None, grey: bool
) -> PictureRows:
    """Read one picture, or all in a folder and its folders sorted by name, as training did.

    `shape` is that of a training row: (height, width), (height, width, 1), or (height, width, 3) for colours. If
    `white` is above 255, training had 16 bits. `size` and `grey` are the options that training was given.

    The rows are uint8 or uint16, and each depends on its own file alone. Grey pictures become colours of three
    equal channels where training had colours. `FileError` is raised if there is no picture, one is damaged, or one
    is of another size, depth or colour than training had and no option of training changes that.
    """
    require_pillow()
    path = Path(path)
    root, files, remarks = _find_files(path)
    coloured = len(shape) == 3 and shape[2] == 3
    if coloured and white > 255:
        raise FileError(path, "holds pictures; the network was trained on colours of 16 bits: give an NPY file")

    def check(file: Path) -> PictureHeader:
        header = read_header(file)
        _check_header(header, (shape[0], shape[1]), white, size)
        return header

    def decode(header: PictureHeader) -> Array:
        pixels = decode_picture(header, size, grey)
        if pixels.ndim == 3 and not coloured:
            raise FileError(
                header.path,
                "holds colours, but the network was trained on grey pictures: save it in grey, or train with "
                "--grey",
            )
        return np.broadcast_to(pixels[..., None], shape) if pixels.ndim < len(shape) else pixels

    headers = list(map_files(check, files, root))
    check_bytes(len(headers), shape, 2 if white > 255 else 1, path)
    rows = np.empty((len(headers), *shape), np.uint16 if white > 255 else np.uint8)
    for row, pixels in enumerate(map_files(decode, headers, root)):
        rows[row] = pixels
    names = [file.relative_to(root) for file in files]
    labels = tuple(name.parent.name for name in names)
    remarks += describe_headers(headers, size)
    return PictureRows(rows, tuple(name.as_posix() for name in names), labels if all(labels) else None, remarks)


def _find_files(path: Path) -> tuple[Path, list[Path], tuple[str, ...]]:
    """Return the folder that names are relative to, the pictures to read, and what is to be said of the others."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror}") from None
    if stat.S_ISREG(mode):
        return path.parent, [path], ()
    if not stat.S_ISDIR(mode):
        raise FileError(path, "is neither a regular file nor a folder")
    strays: set[Path] = set()
    files = _list_pictures(path, path, strays)
    if not files:
        raise FileError(path, f"holds no pictures: expected files such as {', '.join(USUAL_SUFFIXES)}")
    return path, files, describe_strays(strays, path)


def _list_pictures(root: Path, folder: Path, strays: set[Path]) -> list[Path]:
    """Return the pictures in a folder and then those of its folders; a link to a folder may lead in circles."""
    folders, pictures = list_entries(root, folder, strays)
    for path in folders:
        if path.is_symlink():
            raise FileError(path, "is a link to a folder: expected the folder itself")
        pictures += _list_pictures(root, path, strays)
    return pictures


def _check_header(header: PictureHeader, shape: tuple[int, int], white: int, size: tuple[int, int] | None) -> None:
    """Refuse a picture of another size or depth than training had."""
    if size is None and (header.height, header.width) != shape:
        raise FileError(
            header.path,
            f"is {header.height} x {header.width} pixels (height x width), but the network was trained on "
            f"{shape[0]} x {shape[1]}: resize it, or train with --size {shape[0]}x{shape[1]}",
        )
    if (header.kind == "deep") != (white > 255):
        depths = ("16 bits", "8 bits") if header.kind == "deep" else ("8 bits", "16 bits")
        raise FileError(
            header.path,
            f"has {depths[0]}, but the network was trained on pictures of {depths[1]}: save it with those",
        )
