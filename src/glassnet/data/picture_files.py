"""Files of pictures, read with distrust: what their headers say, and their pixels.

How large a picture is, how deep and how it is to be turned is settled from its header before it is decoded. Every
error names the file. Pillow is imported only where it is needed.
"""

from __future__ import annotations

import math
import os
import struct
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, cast

import numpy as np

from glassnet.data.untrusted_files import ContentError, refuse_answer, shorten
from glassnet.errors import FileError, UsageError
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.TiffImagePlugin import TiffImageFile

#: The formats that Pillow is allowed to try.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF")

#: Endings by which a file is told to be a picture, in small letters.
SUFFIXES = frozenset({".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".tif", ".tiff"})

#: Those that a message gives as examples.
USUAL_SUFFIXES = (".png", ".jpg", ".bmp", ".gif", ".tif")

#: Endings of pictures that are not read: to leave such files out would lose rows.
OTHER_SUFFIXES = frozenset(
    {".webp", ".avif", ".heic", ".heif", ".jp2", ".j2k", ".jxl", ".dcm", ".pgm", ".ppm", ".pbm", ".pnm", ".tga"}
)

#: The most pixels of one picture, 33 million: Pillow takes up to 8 bytes for each while it decodes.
MOST_PIXELS = 1 << 25

#: Lines of pixels that are laid on white at a time.
STRIP = 64

#: The most that all pictures that are read at once may take together: 4 GiB.
MOST_BYTES = 1 << 32

#: So many damaged files are looked for before the error is raised that names them all.
MOST_ERRORS = 10

#: A picture is called stretched if the ratio of its sides changes by more than this: less comes from rounding.
STRETCH = 0.05

#: Pillow's modes of grey with 16 bits.
GREY_16 = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})

#: Modes of grey with 8 bits and less, and of colours, which Pillow converts.
GREY_8 = frozenset({"1", "L", "LA", "La"})
COLOURS = frozenset({"P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"})
ALPHA = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})

#: What Pillow calls pixels of 16 bits a colour as they lie in the file; it reads the upper 8 of them.
CUT = (";16B", ";16L", ";16N")

#: The tags of TIFF and EXIF that are looked at.
WIDTH, HEIGHT, PHOTOMETRIC, ORIENTATION = 256, 257, 262, 274

#: The names of Pillow's movements that turn a picture upright, by its orientation; 1 is upright.
MOVEMENTS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}

T = TypeVar("T")
R = TypeVar("R")


class PictureHeader(NamedTuple):
    """What is known of a picture before it is decoded.

    `height` and `width` are those of the upright picture, and `orientation` says how it lies in the file, as EXIF
    counts: 1 is upright. Pictures of the kind "colour" can hold colours, those of "deep" are grey with 16 bits.
    `has_alpha` tells that pixels may be transparent; `is_cut` that the file has 16 bits a colour, of which Pillow
    reads 8; `has_frames` that it has more frames or pages than the one that is read.
    """

    path: Path
    height: int
    width: int
    kind: Literal["grey", "deep", "colour"]
    orientation: int
    has_alpha: bool
    is_cut: bool
    has_frames: bool


def require_pillow() -> None:
    """Refuse to read pictures where Pillow is not installed."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        raise UsageError("dataset", "pictures need Pillow: pip install 'glassnet[images]'") from None


def check_size(size: tuple[int, int] | None) -> None:
    """Refuse what is no (height, width)."""
    if size is not None:
        plain = isinstance(size, (tuple, list)) and all(isinstance(n, int) and n >= 1 for n in size)
        if not plain or len(size) != 2 or size[0] * size[1] > MOST_PIXELS:
            raise UsageError(
                "size", f"expected (height, width) of at least 1 and at most {MOST_PIXELS:,} pixels, got {size!r}"
            )


def map_files(function: Callable[[T], R], items: Iterable[T], root: Path) -> Iterator[R]:
    """Yield the results of a function; the files in `root` that it refuses are named in one error at the end."""
    errors: list[FileError] = []
    for item in items:
        try:
            result = function(item)
        except FileError as error:
            errors.append(error)
            if len(errors) == MOST_ERRORS:
                break
        else:
            if not errors:
                yield result
    if len(errors) == 1:
        raise errors[0]
    if errors:
        others = list_examples([Path(error.path) for error in errors[1:]], root)
        more = " (the rest was not looked at)" if len(errors) == MOST_ERRORS else ""
        raise FileError(errors[0].path, f"{errors[0].problem}; nor can these be used: {others}{more}")


def list_examples(files: Sequence[Path], root: Path, most: int = 3) -> str:
    """Return the first names of some files as they are printed, and how many there are beside them."""
    names = [str(file.relative_to(root)) if file.is_relative_to(root) else str(file) for file in files[:most]]
    shown = ", ".join(shorten(name) if name.isprintable() else ascii(name)[1:-1] for name in names)
    return shown + (f" and {len(files) - most} more" if len(files) > most else "")


def read_header(path: Path) -> PictureHeader:
    """Return what the header of a picture says; `FileError` if it is no picture that can be read."""
    with open_picture(path) as (image, file):
        deep = _is_deep(image)
        if image.mode not in COLOURS | GREY_8 and not (deep and "transparency" not in image.info):
            raise FileError(
                path, f"holds pixels of the kind {image.mode}, expected opaque grey of 8 or 16 bits, or colours"
            )
        if deep and image.format == "TIFF" and _read_tag(image, PHOTOMETRIC) == 0:
            raise FileError(path, "is a TIFF file of 16 bits in which 0 is white: save it as PNG")
        kind: Literal["grey", "deep", "colour"] = "deep" if deep else "grey" if image.mode in GREY_8 else "colour"
        width, height = image.size
        if image.format == "TIFF":  # some versions of Pillow give the size of the upright picture here
            width, height = _read_tag(image, WIDTH), _read_tag(image, HEIGHT)
        is_cut = not deep and any(mark in str(part[-1]) for part in _read_tiles(image) for mark in CUT)
        has_alpha = image.mode in ALPHA or "transparency" in image.info
        has_frames = _has_frames(image)
        orientation = _find_orientation(image, file)
        if orientation >= 5:
            height, width = width, height
        return PictureHeader(path, height, width, kind, orientation, has_alpha, is_cut, has_frames)


def _is_deep(image: Image) -> bool:
    """Whether a picture is grey with 16 bits; older versions of Pillow call those of PNG "I"."""
    return image.mode in GREY_16 or (image.mode == "I" and image.format == "PNG")


def _read_tiles(image: Image) -> list[Any]:
    """Return what Pillow notes of how the pixels lie in the file."""
    return list(getattr(image, "tile", []))


def _read_tag(image: Image, tag: int) -> int:
    return int(cast("TiffImageFile", image).tag_v2[tag])


def _has_frames(image: Image) -> bool:
    """Whether a file has more than one frame or page; what phones put behind a photograph does not count."""
    try:
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    except Exception:  # a damaged second frame is not read
        return False


def _find_orientation(image: Image, file: IO[bytes]) -> int:
    """Return how a picture lies, from 1 to 8; EXIF data that are damaged say nothing, as to any viewer."""
    import PIL.Image

    if image.format == "PNG" and "exif" not in image.info and _has_late_exif(file):
        image.load()
    try:
        orientation = PIL.Image.Image.getexif(image).get(ORIENTATION)  # PNG's own `getexif` decodes the picture
    except Exception:  # Pillow lets nearly any exception through
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _has_late_exif(file: IO[bytes]) -> bool:
    """Whether a PNG file has its EXIF data behind its pixels, where Pillow finds them only after decoding."""
    place = file.tell()
    file.seek(8)
    try:
        while len(head := file.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            if name in (b"eXIf", b"IEND"):
                return bool(name == b"eXIf")
            file.seek(length + 4, os.SEEK_CUR)
        return False
    finally:
        file.seek(place)


def check_depth(headers: Sequence[PictureHeader], root: Path) -> None:
    """Refuse pictures of 16 bits beside those of 8 bits: what a value means would hang on its file."""
    deep = [header.path for header in headers if header.kind == "deep"]
    plain = [header.path for header in headers if header.kind != "deep"]
    if deep and plain:
        raise FileError(
            root,
            f"holds {len(deep)} pictures of 16 bits (such as {list_examples(deep[:1], root)}) and {len(plain)} "
            f"of 8 bits (such as {list_examples(plain[:1], root)}): save all with one depth",
        )


def check_bytes(rows: int, shape: Sequence[int], itemsize: int, root: Path) -> None:
    """Refuse more rows of a shape than memory holds."""
    total = rows * math.prod(shape) * itemsize
    if total > MOST_BYTES:
        raise FileError(
            root, f"holds images of {total:,} bytes together, more than {MOST_BYTES:,}: give a smaller --size"
        )


def describe_strays(strays: set[Path], root: Path) -> tuple[str, ...]:
    """Say which files were left out."""
    if not strays:
        return ()
    what = "1 file that is no picture" if len(strays) == 1 else f"{len(strays)} files that are no pictures"
    return (f"left out {what}: {list_examples(sorted(strays), root)}",)


def describe_headers(headers: Sequence[PictureHeader], size: tuple[int, int] | None) -> tuple[str, ...]:
    """Say what was turned, resized and not read of some pictures."""
    total = len(headers)
    turned = sum(header.orientation > 1 for header in headers)
    alpha = sum(header.has_alpha for header in headers)
    cut = sum(header.is_cut for header in headers)
    frames = sum(header.has_frames for header in headers)
    remarks = []
    if turned:
        remarks.append(f"turned upright {turned} of {total} pictures, as their EXIF data say")
    if alpha:
        remarks.append(f"laid {alpha} of {total} pictures on white, where they are transparent")
    if cut:
        remarks.append(f"of {cut} of {total} pictures with 16 bits a colour, only the upper 8 bits are kept")
    if frames:
        remarks.append(f"of {frames} of {total} pictures with several frames or pages, only the first is read")
    others = [header for header in headers if size is not None and (header.height, header.width) != size]
    if size is not None and others:
        ratio = size[0] / size[1]
        stretched = sum(abs(header.height / header.width / ratio - 1) > STRETCH for header in others)
        shape = f"{size[0]} x {size[1]} (height x width)"
        more = f"; {stretched} of them are stretched, for their sides have another ratio" if stretched else ""
        remarks.append(f"resized {len(others)} of {total} pictures to {shape}{more}")
    return tuple(remarks)


@contextmanager
def open_picture(path: Path) -> Iterator[tuple[Image, IO[bytes]]]:
    """Open a picture and bound the size it declares; what Pillow raises becomes an error that names the file."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings(action="ignore"), path.open("rb") as file:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if not os.fstat(file.fileno()).st_size:
                raise FileError(path, "is empty (0 bytes), expected an image")
            refuse_answer(file.read(64))
            file.seek(0)
            with Image.open(file, formats=FORMATS) as image:
                if not 1 <= image.width * image.height <= MOST_PIXELS:
                    raise FileError(
                        path,
                        f"declares {image.height} x {image.width} pixels, expected 1 to {MOST_PIXELS:,} together",
                    )
                yield image, file
    except FileError:
        raise
    except ContentError as error:
        raise FileError(path, str(error)) from None
    except UnidentifiedImageError:
        raise FileError(path, f"is no {', '.join(FORMATS[:-1])} or {FORMATS[-1]} image, or damaged") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise FileError(path, f"declares more than {MOST_PIXELS:,} pixels") from None
    except Exception as error:  # Pillow lets nearly any exception through
        problem = getattr(error, "strerror", None) or shorten(error) or type(error).__name__
        raise FileError(path, f"is a damaged or unreadable image ({problem})") from None


def decode_picture(header: PictureHeader, size: tuple[int, int] | None, grey: bool) -> Array:
    """Return the pixels of a picture, upright, on white and brought to `size` (height, width).

    They are uint8 of shape (height, width, 3) if the picture holds colours and `grey` does not leave them out.
    Else their shape is (height, width), and they are uint16 if the file has 16 bits. A picture whose three colours
    are equal in each pixel holds none.
    """
    from PIL.Image import Resampling, Transpose

    path = header.path
    with open_picture(path) as (image, _):
        image.verify()
    with open_picture(path) as (image, _):  # `verify` leaves an image that cannot be loaded
        image.load()
        converted = _convert(image, grey)
        # Pillow turns TIFF while it loads. Turning comes before resizing: the same picture gives the same bits,
        # however it lies in its file.
        if header.orientation in MOVEMENTS and image.format != "TIFF":
            converted = converted.transpose(Transpose[MOVEMENTS[header.orientation]])
        kind = "deep" if converted.mode == "F" else "colour" if converted.mode == "RGB" else "grey"
        same_kind = (kind == "deep") == (header.kind == "deep") and (kind != "colour" or header.kind == "colour")
        if (converted.height, converted.width) != (header.height, header.width) or not same_kind:
            raise FileError(path, "is damaged: it is of another size or kind than its header says")
        if size is not None:
            converted = converted.resize((size[1], size[0]), Resampling.BILINEAR)
        pixels: Array = np.asarray(converted)
        return np.rint(pixels).astype(np.uint16) if kind == "deep" else pixels


def _convert(image: Image, grey: bool) -> Image:
    """Return an opaque picture: of floats if it has 16 bits, else of bytes, grey or with its colours."""
    import PIL.Image

    if _is_deep(image):
        values: np.ndarray[Any, Any] = np.asarray(image)
        return PIL.Image.fromarray(values.astype(np.float32))
    if image.has_transparency_data:
        image = _lay_on_white(image)
    if grey or image.mode in GREY_8 or _has_equal_colours(image):
        return image.convert("L")
    return image if image.mode == "RGB" else image.convert("RGB")


def _lay_on_white(image: Image) -> Image:
    """Return a picture without transparency, made in strips: a whole one takes four times its pixels."""
    import PIL.Image

    whole = PIL.Image.new("RGB", image.size)
    for top in range(0, image.height, STRIP):
        strip = image.crop((0, top, image.width, min(top + STRIP, image.height))).convert("RGBA")
        white = PIL.Image.new("RGBA", strip.size, "white")
        whole.paste(PIL.Image.alpha_composite(white, strip).convert("RGB"), (0, top))
    return whole


def _has_equal_colours(image: Image) -> bool:
    """Whether red, green and blue are equal in each pixel."""
    if image.mode not in ("RGB", "RGBA"):
        image = image.convert("RGB")
    red = image.getchannel(0).tobytes()
    return all(image.getchannel(channel).tobytes() == red for channel in (1, 2))
