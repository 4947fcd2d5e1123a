"""Folders of pictures, one folder a class, read with distrust.

Which files there are and how large their pictures are is settled from names and headers before a picture is
decoded; links lead nowhere outside the folder, and every error names the file.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glassnet.data.kept_reading import kept
from glassnet.data.picture_files import (
    FORMATS,
    OTHER_SUFFIXES,
    SUFFIXES,
    USUAL_SUFFIXES,
    PictureHeader,
    check_bytes,
    check_depth,
    check_size,
    decode_picture,
    describe_headers,
    describe_strays,
    list_examples,
    map_files,
    read_header,
    require_pillow,
)
from glassnet.data.read_options import ReadOptions
from glassnet.errors import FileError
from glassnet.nn.activations import Array

#: The names of the folders that hold a split, in any case, and the split.
SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}

#: Folders that unpacking and network drives leave behind, in small letters.
STRAY_FOLDERS = frozenset({"__macosx", "@eadir"})


class PictureFolder(NamedTuple):
    """Images and labels by split, the sorted names of the classes, and what is to be said of the reading.

    The only split is ``""`` where the folder has none; else there are ``"train"`` and, if they are there,
    ``"validation"`` and ``"test"``. Images are uint8 of shape (n, height, width), or (n, height, width, 3) in
    colour, or uint16 of shape (n, height, width). Labels are the names of the class folders.
    """

    splits: dict[str, tuple[Array, Array]]
    class_names: tuple[str, ...]
    remarks: tuple[str, ...]


@kept
def read_image_folder(folder: str | Path, options: ReadOptions = ReadOptions()) -> PictureFolder:  # noqa: B008
    """Read a folder that holds one folder of pictures a class, or folders of splits that hold those.

    The splits are ``train`` or ``training``; ``validation``, ``valid``, ``val`` or ``dev``; and ``test`` or
    ``testing``, in any case. They have the same classes, and the last two may be missing. Within a split, pictures
    come class by class, and each sorted by file name.

    Colours are kept unless no picture holds any or `options.grey` leaves them out. Grey with 16 bits is kept in
    full. Pictures are turned upright as their EXIF data say. Transparent pixels lie on white; of animations and
    files of several pages the first is read. All pictures are brought to `options.size` (height, width); without
    it they must be of one size already. Files that are no pictures by their names are left out.

    `FileError` is raised if the folder holds anything else, or a picture is damaged, too large, or of another size
    or depth than the rest; `UsageError` if the size is no size, or Pillow is not installed.
    """
    root = Path(folder)
    check_size(options.size)
    require_pillow()
    strays: set[Path] = set()
    files, names, remarks = _list_files(root, strays)
    headers = list(map_files(read_header, [path for part in files.values() for path, _ in part], root))
    shape = _find_common_size(headers, options.size, root)
    check_depth(headers, root)
    kinds = {header.kind for header in headers}
    channels = 3 if "colour" in kinds and not options.grey else 1
    check_bytes(len(headers), (*shape, channels), 2 if "deep" in kinds else 1, root)
    images, said = _decode(headers, shape, options, root)
    labels = np.array([name for part in files.values() for _, name in part], dtype=object)
    found, start = {}, 0
    for split, part in files.items():
        found[split] = images[start : start + len(part)], labels[start : start + len(part)]
        start += len(part)
    remarks = (*remarks, *describe_strays(strays, root), *describe_headers(headers, options.size), *said)
    return PictureFolder(found, names, remarks)


def list_picture_files(folder: str | Path) -> dict[str, list[tuple[Path, str]]]:
    """Return the pictures by split, each with its class, in the order in which `read_image_folder` has them."""
    return _list_files(Path(folder), set())[0]


def _list_files(
    root: Path, strays: set[Path]
) -> tuple[dict[str, list[tuple[Path, str]]], tuple[str, ...], tuple[str, ...]]:
    """Return the pictures by split with their classes, the names of the classes, and remarks."""
    folders, remarks = _find_split_folders(root, strays)
    splits = {split: _list_classes(root, path, strays) for split, path in folders.items()}
    names = _find_class_names(root, splits)
    files = {
        split: [(path, name) for name in names for path in classes[name]] for split, classes in splits.items()
    }
    return files, names, remarks


def list_entries(root: Path, folder: Path, strays: set[Path]) -> tuple[list[Path], list[Path]]:
    """Return the folders and the pictures in a folder, sorted by name; what is neither is added to `strays`.

    `root` is what links may not leave.
    """
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.is_symlink()) for entry in entries)
    except OSError as error:
        raise FileError(folder, f"cannot be read as a folder: {error.strerror}") from None
    folders: list[Path] = []
    pictures: list[Path] = []
    for name, is_link in found:
        path = folder / name
        suffix = path.suffix.casefold()
        if name.startswith("."):
            strays.add(path)
            continue
        if is_link:
            _check_link(root, path)
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            raise FileError(path, f"cannot be read: {error.strerror}") from None
        if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
            raise FileError(path, "is neither a regular file nor a folder")
        is_folder = stat.S_ISDIR(mode)
        if name.casefold() in STRAY_FOLDERS if is_folder else suffix not in SUFFIXES | OTHER_SUFFIXES:
            strays.add(path)
        elif not name.isprintable():
            raise FileError(folder, f"holds {name!a}, a name that cannot be printed: rename it")
        elif not is_folder and suffix in OTHER_SUFFIXES:
            raise FileError(
                path, f"is a picture of a kind that is not read: save it as one of {', '.join(FORMATS)}"
            )
        else:
            (folders if is_folder else pictures).append(path)
    return folders, pictures


def _check_link(root: Path, path: Path) -> None:
    """Refuse a link that is broken or leaves the folder."""
    try:
        target = Path(os.path.realpath(path, strict=True))
    except OSError as error:
        raise FileError(path, f"is a link that leads nowhere: {error.strerror}") from None
    if not target.is_relative_to(os.path.realpath(root)):
        raise FileError(path, "is a link that leads out of the folder: expected the file itself")


def _find_split_folders(root: Path, strays: set[Path]) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Return the folders of the splits, in the order train, validation, test, and what is to be said of them.

    A folder is one of a split if it has such a name and holds folders: a class folder holds none.
    """
    folders, pictures = list_entries(root, root, strays)
    if not any(path.name.casefold() in SPLITS and _holds_folders(path) for path in folders):
        return {"": root}, ()
    if pictures:
        raise _refuse_loose(pictures[0])
    found: dict[str, Path] = {}
    for path in folders:
        split = SPLITS.get(path.name.casefold())
        if split is None:
            raise FileError(path, "is no folder of a split: expected train, validation and test, and no others")
        if split in found:
            raise FileError(root, f"holds both {found[split].name} and {path.name}: expected one of them")
        found[split] = path
    if "train" not in found:
        raise FileError(root, "holds no folder train: expected it beside validation and test")
    if len(found) == 1:
        name = found["train"].name
        remark = f"the folder {name} stands alone: its pictures are taken as a folder without splits"
        return {"": found["train"]}, (remark,)
    return {split: found[split] for split in dict.fromkeys(SPLITS.values()) if split in found}, ()


def _holds_folders(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(
                entry.is_dir() and not entry.name.startswith(".") and entry.name.casefold() not in STRAY_FOLDERS
                for entry in entries
            )
    except OSError:
        return False


def _refuse_loose(path: Path) -> FileError:
    return FileError(path, "is an image outside of the class folders: move it into the folder of its class")


def _list_classes(root: Path, folder: Path, strays: set[Path]) -> dict[str, list[Path]]:
    """Return the pictures of each class."""
    folders, loose = list_entries(root, folder, strays)
    if loose and not folders and folder != root:
        raise FileError(
            folder, "holds images but no class folders: make them, or move this folder away and predict it later"
        )
    if loose:
        raise _refuse_loose(loose[0])
    if not folders:
        raise FileError(folder, "holds no folders: expected one folder of images a class")
    if len(folders) == 1 and _holds_folders(folders[0]):
        raise FileError(folder, f"holds nothing but the folder {folders[0].name!r}: give {folders[0]}")
    if len(folders) == 1:
        raise FileError(folder, f"holds only one class, {folders[0].name!r}: expected two or more")
    classes = {}
    for path in folders:
        inner, pictures = list_entries(root, path, strays)
        if inner:
            raise FileError(inner[0], "is a folder within a class: expected only images there")
        if not pictures:
            raise FileError(path, f"is a class without images: expected files such as {', '.join(USUAL_SUFFIXES)}")
        classes[path.name] = pictures
    return classes


def _find_class_names(root: Path, splits: dict[str, dict[str, list[Path]]]) -> tuple[str, ...]:
    """Return the sorted names of the classes, which must be those of all splits."""
    names = tuple(sorted(set().union(*splits.values())))
    for split, classes in splits.items():
        for name in names:
            if name not in classes:
                other = next(other for other in splits if name in splits[other])
                raise FileError(
                    root, f"holds the class {name!r} in {other} but not in {split}: expected it in all"
                )
    return names


def _find_common_size(
    headers: Sequence[PictureHeader], size: tuple[int, int] | None, root: Path
) -> tuple[int, int]:
    """Return the height and width of all pictures."""
    sizes = Counter((header.height, header.width) for header in headers)
    if size is None and len(sizes) > 1:
        first = {(header.height, header.width): header.path for header in reversed(headers)}
        common = sizes.most_common()
        found = ", ".join(
            f"{height} x {width} ({count} such as {list_examples([first[height, width]], root)})"
            for (height, width), count in common[:4]
        )
        others = f" and {len(common) - 4} more" if len(common) > 4 else ""
        height, width = common[0][0]
        raise FileError(
            root,
            f"holds pictures of {len(sizes)} sizes (height x width): {found}{others}; give --size to bring all to "
            f"one, for example --size {height}x{width} (in Python: size=({height}, {width}))",
        )
    return size or next(iter(sizes))


def _decode(
    headers: Sequence[PictureHeader], shape: tuple[int, int], options: ReadOptions, root: Path
) -> tuple[Array, tuple[str, ...]]:
    """Return the images, grey if no picture holds colours, and what is to be said of that."""
    images: Array = np.empty((len(headers), *shape), np.uint16 if headers[0].kind == "deep" else np.uint8)
    grey = 0
    decoded = map_files(lambda header: decode_picture(header, options.size, options.grey), headers, root)
    for row, pixels in enumerate(decoded):
        if pixels.ndim > images.ndim - 1:
            coloured = np.empty((*images.shape, 3), np.uint8)
            coloured[:row] = images[:row, ..., None]
            images = coloured
        if pixels.ndim == 2:
            grey += 1
        images[row] = pixels if pixels.ndim == images.ndim - 1 else pixels[..., None]
    if images.ndim == 4 and grey:
        return images, (f"{grey} of {len(headers)} pictures are grey: they are taken as colours, like the rest",)
    if images.ndim == 3 and not options.grey and any(header.kind == "colour" for header in headers):
        return images, ("all pictures are taken as grey: none holds a pixel that is not grey",)
    return images, ()
