"""Folders of images, one folder a class, read with distrust.

Which files there are and how large their images are is settled from names and headers before an image is decoded;
links lead nowhere outside the folder, and every error names the file. Pillow is imported only where needed.
"""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.data.untrusted_files import shorten
from glassnet.errors import FileError, UsageError
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    from PIL.Image import Image

#: The formats that Pillow is allowed to try.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF")

#: Endings by which a file beside the class folders is told to be an image.
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff"}

#: The most pixels of one image, 33 million: Pillow takes some 8 bytes for each while it decodes.
MOST_PIXELS = 1 << 25

#: The most that all images of a folder may take together: 4 GiB.
MOST_BYTES = 1 << 32

#: The folders that hold a split, and its name.
SPLITS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}

#: Pillow's modes of 16-bit grey, of which the upper 8 bits are kept, as Pillow itself does with 16-bit colours.
GREY_16 = {"I;16", "I;16L", "I;16B", "I;16N"}

#: Modes of 8 bits and less a colour, which Pillow converts to grey and RGB.
CONVERTIBLE = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"}


def read_image_folder(
    folder: str | Path, *, size: tuple[int, int] | None = None, colour: bool = False
) -> tuple[Array, Array, tuple[str, ...]]:
    """Read a folder that holds one folder of images a class.

    Files and folders whose name begins with a dot are left out. Transparent pixels lie on white; of animations and
    files of several pages the first is read; a rotation noted in EXIF is left alone. All images are resized to
    `size` (height, width); by default they must be of one size already.

    Returned are the images, uint8 of shape (n, height, width), or (n, height, width, 3) with `colour`, class by
    class and each sorted by file name; their labels, of shape (n,); and the sorted names of the class folders.
    `FileError` is raised if the folder holds anything else, or an image is damaged, too large, or of another size
    than the first; `UsageError` if `size` is no size, or Pillow is not installed.
    """
    root = Path(folder)
    if holds_splits(root):
        raise FileError(root, "holds the folders train and test: read it as a folder of splits")
    _check_arguments(size)
    splits, class_names = _read_splits(root, {"": root}, size, colour)
    return *splits[""], class_names


def read_split_image_folder(
    folder: str | Path, *, size: tuple[int, int] | None = None, colour: bool = False
) -> tuple[dict[str, tuple[Array, Array]], tuple[str, ...]]:
    """Read a folder whose folders train and test, and validation or val if there is one, hold the class folders.

    Each split is read as by `read_image_folder`. Returned are (images, labels) by ``"train"``, ``"validation"``
    (if there is one) and ``"test"``; and the names of the classes, which must be the same in all splits.
    """
    root = Path(folder)
    _check_arguments(size)
    return _read_splits(root, _find_split_folders(root), size, colour)


def _read_splits(
    root: Path, folders: dict[str, Path], size: tuple[int, int] | None, colour: bool
) -> tuple[dict[str, tuple[Array, Array]], tuple[str, ...]]:
    """Read the images of each split, and the names of the classes, which must be those of all splits."""
    splits = {split: _list_classes(root, path) for split, path in folders.items()}
    names = tuple(sorted(set().union(*splits.values())))
    for split, classes in splits.items():
        for name in names:
            if name not in classes:
                other = next(other for other in splits if name in splits[other])
                raise FileError(
                    root, f"holds the class {name!r} in {other} but not in {split}: expected it in all"
                )
    files = {
        split: [(path, label) for label, name in enumerate(names) for path in classes[name]]
        for split, classes in splits.items()
    }
    every = [path for paths in files.values() for path, _ in paths]
    shape = _find_common_size(every, size, colour, root)
    return {split: _decode_images(paths, shape, size, colour) for split, paths in files.items()}, names


def holds_splits(folder: str | Path) -> bool:
    """Whether a folder has folders train and test that hold folders: read it with `read_split_image_folder`."""
    return all(_holds_folders(Path(folder) / split) for split in ("train", "test"))


def _holds_folders(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(entry.is_dir() for entry in entries if not entry.name.startswith("."))
    except OSError:
        return False


def _check_arguments(size: tuple[int, int] | None) -> None:
    if size is not None:
        plain = isinstance(size, (tuple, list)) and all(isinstance(n, int) and n >= 1 for n in size)
        if not plain or len(size) != 2 or size[0] * size[1] > MOST_PIXELS:
            raise UsageError(
                "size", f"expected (height, width) of at least 1 and at most {MOST_PIXELS:,} pixels, got {size!r}"
            )
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        raise UsageError("dataset", "a folder of images needs Pillow: pip install 'glassnet[images]'") from None


def _find_split_folders(root: Path) -> dict[str, Path]:
    """Return the folders of the splits, in the order train, validation, test."""
    folders, _ = _list_entries(root, root)
    found: dict[str, Path] = {}
    for path in folders:
        if path.name not in SPLITS:
            raise FileError(path, "is neither train, validation, val nor test: expected only those")
        if SPLITS[path.name] in found:
            raise FileError(root, "holds both validation and val: expected one of them")
        found[SPLITS[path.name]] = path
    for split in ("train", "test"):
        if split not in found:
            raise FileError(root, f"holds no folder {split}: expected the folders train and test")
    return {split: found[split] for split in dict.fromkeys(SPLITS.values()) if split in found}


def _list_classes(root: Path, folder: Path) -> dict[str, list[Path]]:
    """Return the image files of each class; `root` is what links may not leave."""
    folders, _ = _list_entries(root, folder)
    if not folders:
        raise FileError(folder, "holds no folders: expected one folder of images a class")
    if len(folders) == 1:
        raise FileError(folder, f"holds only one class, {folders[0].name!r}: expected two or more")
    classes = {}
    for path in folders:
        inner, files = _list_entries(root, path, loose=True)
        if inner:
            raise FileError(inner[0], "is a folder within a class: expected only images there")
        if not files:
            raise FileError(path, "is a class without images")
        classes[path.name] = files
    return classes


def _list_entries(root: Path, folder: Path, loose: bool = False) -> tuple[list[Path], list[Path]]:
    """Return the folders and the regular files in a folder, sorted; images only where they may lie `loose`."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.is_symlink()) for entry in entries if not entry.name.startswith("."))
    except OSError as error:
        raise FileError(folder, f"cannot be read as a folder: {error.strerror}") from None
    folders: list[Path] = []
    files: list[Path] = []
    for name, is_link in found:
        path = folder / name
        if not name.isprintable():
            raise FileError(folder, f"holds {name!a}, a name that cannot be printed: rename it")
        if is_link:
            _check_link(root, path)
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            raise FileError(path, f"cannot be read: {error.strerror}") from None
        if stat.S_ISDIR(mode):
            folders.append(path)
        elif not stat.S_ISREG(mode):
            raise FileError(path, "is neither a regular file nor a folder")
        elif loose:
            files.append(path)
        elif path.suffix.casefold() in SUFFIXES:
            raise FileError(path, "is an image outside of the class folders: move it into the folder of its class")
    return folders, files


def _check_link(root: Path, path: Path) -> None:
    """Refuse a link that is broken or leaves the folder."""
    try:
        target = Path(os.path.realpath(path, strict=True))
    except OSError as error:
        raise FileError(path, f"is a link that leads nowhere: {error.strerror}") from None
    if not target.is_relative_to(os.path.realpath(root)):
        raise FileError(path, "is a link that leads out of the folder: expected the file itself")


def _find_common_size(
    files: Sequence[Path], size: tuple[int, int] | None, colour: bool, root: Path
) -> tuple[int, int]:
    """Return the height and width of all images, from their headers."""
    first: tuple[int, int] | None = None
    for path in files:
        height, width = _read_declared_size(path)
        first = first or (height, width)
        if size is None and (height, width) != first:
            raise FileError(
                path,
                f"is {height} x {width} pixels (height x width), but {files[0].name} is {first[0]} x {first[1]}: "
                "give a size to resize all images to",
            )
    height, width = size or first or (0, 0)
    total = len(files) * height * width * (3 if colour else 1)
    if total > MOST_BYTES:
        raise FileError(
            root, f"holds images of {total:,} bytes together, more than {MOST_BYTES:,}: give a smaller size"
        )
    return height, width


def _read_declared_size(path: Path) -> tuple[int, int]:
    with _open_image(path) as image:
        return image.height, image.width


@contextmanager
def _open_image(path: Path) -> Iterator[Image]:
    """Open an image and bound the size it declares; what Pillow raises becomes an error that names the file."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings(action="ignore"), path.open("rb") as file:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if not os.fstat(file.fileno()).st_size:
                raise FileError(path, "is empty (0 bytes), expected an image")
            with Image.open(file, formats=FORMATS) as image:
                if not 1 <= image.width * image.height <= MOST_PIXELS:
                    raise FileError(
                        path,
                        f"declares {image.height} x {image.width} pixels, expected 1 to {MOST_PIXELS:,} together",
                    )
                yield image
    except FileError:
        raise
    except UnidentifiedImageError:
        raise FileError(path, f"is no {', '.join(FORMATS[:-1])} or {FORMATS[-1]} image, or damaged") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise FileError(path, f"declares more than {MOST_PIXELS:,} pixels") from None
    except Exception as error:  # Pillow lets nearly any exception through
        problem = getattr(error, "strerror", None) or shorten(error) or type(error).__name__
        raise FileError(path, f"is a damaged or unreadable image ({problem})") from None


def _decode_images(
    files: Sequence[tuple[Path, int]], shape: tuple[int, int], size: tuple[int, int] | None, colour: bool
) -> tuple[Array, Array]:
    """Return images and labels."""
    images = np.empty((len(files), *shape, *((3,) if colour else ())), np.uint8)
    for row, (path, _) in enumerate(files):
        images[row] = _decode_image(path, size, "RGB" if colour else "L", shape)
    return images, np.array([label for _, label in files], dtype=np.int64)


def _decode_image(path: Path, size: tuple[int, int] | None, mode: str, shape: tuple[int, int]) -> Array:
    """Return the pixels of one image as bytes."""
    from PIL.Image import Resampling

    with _open_image(path) as image:
        image.verify()
    with _open_image(path) as image:  # `verify` leaves an image that cannot be loaded
        image.load()
        converted = _reduce_to_eight_bits(path, image).convert(mode)
        if size is not None:
            converted = converted.resize((size[1], size[0]), Resampling.BILINEAR)
        if (converted.height, converted.width) != shape:
            raise FileError(path, "is damaged: it is of another size than its header says")
        return np.asarray(converted)


def _reduce_to_eight_bits(path: Path, image: Image) -> Image:
    """Return an opaque image of 8 bits a colour."""
    import PIL.Image

    deep = image.mode in GREY_16 or (image.mode == "I" and image.format == "PNG")  # "I": as older Pillows read it
    if deep and "transparency" not in image.info:
        values: np.ndarray[Any, Any] = np.asarray(image)
        return PIL.Image.fromarray((values >> 8).astype(np.uint8))
    if image.mode not in CONVERTIBLE:
        raise FileError(
            path, f"holds pixels of the kind {image.mode}, expected opaque grey of 8 or 16 bits, or colours"
        )
    if not image.has_transparency_data:
        return image
    transparent = image.convert("RGBA")
    return PIL.Image.alpha_composite(PIL.Image.new("RGBA", image.size, "white"), transparent)
