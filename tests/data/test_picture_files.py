"""Single pictures: every kind of file, depth, colour and orientation; and what is damaged or lies."""

import io
import os
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.data.pictures import (
    BMP,
    COLOURS,
    GIF,
    GREY,
    JPEG,
    PNG,
    TIFF,
    chunk,
    encoded,
    make_pets,
    png,
    put,
    read,
    refused,
)

from glassnet.data import image_folder, picture_files
from glassnet.data.image_folder import read_image_folder
from glassnet.data.picture_files import decode_picture, describe_headers, read_header
from glassnet.errors import FileError, UsageError

#: More for a night: GLASSNET_FUZZ=500 pytest -k damaged_images.
FUZZ = int(os.environ.get("GLASSNET_FUZZ", "1"))


@pytest.fixture
def pets(tmp_path):
    return make_pets(tmp_path / "pets")


@pytest.fixture
def decode(tmp_path):
    """``decode(content, size, grey)``: the pixels of a file, whose name says nothing of its kind."""

    def decode(content, size=None, grey=False):
        (tmp_path / "picture").write_bytes(content)
        header = read_header(tmp_path / "picture")
        pixels = decode_picture(header, size, grey)
        assert pixels.shape[:2] == (size or (header.height, header.width))
        return pixels

    return decode


@pytest.fixture
def remarks(tmp_path):
    """``remarks(content)``: what is to be said of a file."""

    def remarks(content):
        (tmp_path / "picture").write_bytes(content)
        return describe_headers([read_header(tmp_path / "picture")], None)

    return remarks


def saved_all(frames, kind):
    buffer = io.BytesIO()
    images = [Image.fromarray(frame) for frame in frames]
    images[0].save(buffer, kind, save_all=True, append_images=images[1:])
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_lossless_formats_keep_every_pixel(decode, remarks, kind):
    np.testing.assert_array_equal(decode(encoded(GREY, kind)), GREY)
    assert decode(encoded(GREY, kind)).dtype == np.uint8
    assert remarks(encoded(GREY, kind)) == ()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_colours_are_kept_or_turned_grey(decode, kind):
    np.testing.assert_array_equal(decode(encoded(COLOURS, kind)), COLOURS)
    luma = COLOURS @ [0.299, 0.587, 0.114]  # ITU-R 601
    np.testing.assert_allclose(decode(encoded(COLOURS, kind), grey=True), luma, atol=1)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "JPEG"])
@pytest.mark.parametrize("grey", [False, True])
def test_every_grey_is_exact_however_it_is_saved(decode, kind, grey):
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    stored = encoded(np.repeat(ramp[..., None], 3, axis=2), kind, **({"quality": 100} if kind == "JPEG" else {}))
    np.testing.assert_allclose(decode(stored, grey=grey), ramp, atol=2 if kind == "JPEG" else 0)
    assert decode(stored, grey=grey).shape == (16, 16)


def test_jpeg_is_read_nearly_as_it_was(decode):
    flat = np.full((3, 4), 100, np.uint8)
    np.testing.assert_allclose(decode(encoded(flat, "JPEG", quality=95)), flat, atol=2)


def test_cmyk_jpeg_is_read(decode):
    for ink, seen in (((0, 0, 0, 0), 255), ((0, 255, 255, 0), [255, 0, 0])):
        buffer = io.BytesIO()
        Image.new("CMYK", (4, 3), ink).save(buffer, "JPEG", quality=95)
        pixels = decode(buffer.getvalue())
        np.testing.assert_allclose(pixels, np.broadcast_to(seen, pixels.shape), atol=6)
        assert pixels.shape == ((3, 4) if seen == 255 else (3, 4, 3))
        assert decode(buffer.getvalue(), grey=True).shape == (3, 4)


def test_transparent_pixels_lie_on_white_which_is_said(decode, remarks):
    content = encoded(np.dstack([COLOURS, np.full(COLOURS.shape[:2], 0, np.uint8)]), "PNG")
    assert (decode(content) == 255).all()
    assert remarks(content) == ("laid 1 of 1 pictures on white, where they are transparent",)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "GIF"])
def test_of_an_animation_the_first_frame_is_read(decode, remarks, kind):
    content = saved_all([GREY, GREY + 5, GREY + 10], kind)
    np.testing.assert_array_equal(decode(content), GREY)
    assert remarks(content) == ("of 1 of 1 pictures with several frames or pages, only the first is read",)


def test_what_phones_put_behind_a_photograph_is_not_spoken_of(decode, remarks):
    content = saved_all([np.full((3, 4), 100, np.uint8), np.full((3, 4), 9, np.uint8)], "MPO")
    np.testing.assert_allclose(decode(content), 100, atol=2)
    assert remarks(content) == ()


DEEP = np.array([[0, 1, 255, 256], [4095, 4096, 32767, 32768], [65279, 65280, 65534, 65535]], np.uint16)


@pytest.mark.parametrize(
    "content",
    [encoded(DEEP), encoded(DEEP, "TIFF"), encoded(DEEP, "TIFF", compression="tiff_lzw")],
    ids=["PNG", "TIFF", "TIFF, packed"],
)
def test_16_bits_are_kept_in_full(decode, remarks, content):
    for grey in (False, True):
        assert decode(content, grey=grey).dtype == np.uint16
        np.testing.assert_array_equal(decode(content, grey=grey), DEEP)
    assert decode(content, size=(2, 2)).dtype == np.uint16
    assert remarks(content) == ()


def test_12_bits_in_a_file_of_16_are_read_as_they_are(decode):
    np.testing.assert_array_equal(decode(encoded(DEEP % 4096)), DEEP % 4096)


def test_16_bits_are_resized_without_a_loss(decode):
    rows = np.array([[1000, 1001], [1150, 1151]], np.uint16).repeat(8, 0).repeat(8, 1)
    np.testing.assert_array_equal(decode(encoded(rows), size=(2, 2)), decode(encoded(rows.T), size=(2, 2)).T)
    np.testing.assert_allclose(decode(encoded(rows), size=(2, 2)).astype(int), rows[::8, ::8], atol=30)
    full = np.full((40, 40), 65535, np.uint16)
    np.testing.assert_array_equal(decode(encoded(full), size=(7, 9)), np.full((7, 9), 65535))
    np.testing.assert_array_equal(decode(encoded(full - 15), size=(60, 41)), np.full((60, 41), 65520))


def deep_png(colour, channels):
    """Return a PNG of 3 x 4 pixels with 16 bits for each of its channels, whose upper 8 are those of GREY."""
    values = np.repeat((GREY.astype(np.uint16) * 256 + 77)[..., None], channels, axis=2).astype(">u2")
    if colour >= 4:
        values[..., -1] = 65535
    return png(4, 3, b"".join(b"\0" + row.tobytes() for row in values), depth=16, colour=colour)


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)], ids=["RGB", "LA", "RGBA"])
def test_of_16_bits_a_colour_the_upper_8_are_kept_and_that_is_said(decode, remarks, colour, channels):
    content = deep_png(colour, channels)
    np.testing.assert_array_equal(decode(content), GREY)
    assert decode(content).dtype == np.uint8
    assert remarks(content)[-1] == "of 1 of 1 pictures with 16 bits a colour, only the upper 8 bits are kept"
    assert len(remarks(content)) == (1 if channels == 3 else 2)  # the others may be transparent


def test_black_and_white_become_0_and_255(decode):
    for kind in ("PNG", "TIFF", "BMP"):
        np.testing.assert_array_equal(decode(encoded(GREY > 100, kind)), np.where(GREY > 100, 255, 0))


def test_few_bits_are_spread_from_0_to_255(decode):
    packed = b"".join(b"\0" + bytes(row) for row in ([0x1B], [0xE4], [0x00]))  # 0 1 2 3, 3 2 1 0, 0 0 0 0
    expected = [[0, 85, 170, 255], [255, 170, 85, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(decode(png(4, 3, packed, depth=2)), expected)


def test_a_palette_gives_its_colours_not_its_indices(decode):
    for kind in ("PNG", "GIF", "BMP", "TIFF"):
        content = encoded(GREY, kind, mode="P")
        assert Image.open(io.BytesIO(content)).mode == "P"
        expected = np.stack([255 - GREY, GREY, np.full_like(GREY, 7)], axis=2)
        np.testing.assert_array_equal(decode(content), expected)
        assert decode(content, grey=True).shape == (3, 4)


def test_transparent_pixels_lie_on_white(decode):
    alpha = np.where(GREY > 100, 255, 0).astype(np.uint8)
    seen = np.where(GREY > 100, GREY, 255)
    np.testing.assert_array_equal(decode(encoded(np.stack([GREY, GREY, GREY, alpha], axis=2))), seen)
    np.testing.assert_array_equal(decode(encoded(np.stack([GREY, alpha], axis=2))), seen)
    np.testing.assert_array_equal(decode(encoded(GREY, transparency=20)), np.where(GREY == 20, 255, GREY))
    assert decode(encoded(GREY, mode="P", transparency=20))[0, 1].tolist() == [255, 255, 255]
    opaque = np.stack([GREY, GREY, GREY, np.full_like(GREY, 255)], axis=2)
    np.testing.assert_array_equal(decode(encoded(opaque)), GREY)
    hidden = np.dstack([COLOURS, np.zeros_like(GREY)])  # colours that nobody sees
    np.testing.assert_array_equal(decode(encoded(hidden)), np.full((3, 4), 255))
    coloured = np.dstack([COLOURS, alpha])
    np.testing.assert_array_equal(decode(encoded(coloured)), np.where(alpha[..., None], COLOURS, 255))


#: How a picture lies in its file, by its orientation: EXIF 2.32, section 4.6.4 (row 0, column 0 are named there).
LYING = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: np.swapaxes(upright, 0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.swapaxes(np.rot90(upright, 2), 0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


def turned(array, orientation, kind="PNG", **options):
    """Return a file in which a picture lies as an orientation says."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    lying = np.ascontiguousarray(LYING.get(orientation, LYING[1])(array))
    return encoded(lying, kind, exif=exif.tobytes() if kind != "TIFF" else exif, **options)


@pytest.mark.parametrize("orientation", LYING)
@pytest.mark.parametrize("picture", [GREY, COLOURS, DEEP], ids=["grey", "colours", "16 bits"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_pictures_are_turned_upright(decode, remarks, orientation, picture, kind):
    content = turned(picture, orientation, kind)
    np.testing.assert_array_equal(decode(content), picture)
    # Resizing comes after turning, or the bits would hang on how the camera was held.
    np.testing.assert_array_equal(decode(content, size=(5, 3)), decode(encoded(picture), size=(5, 3)))
    said = ("turned upright 1 of 1 pictures, as their EXIF data say",)
    assert remarks(content) == (said if orientation > 1 else ())


@pytest.mark.parametrize("orientation", LYING)
def test_photographs_are_turned_upright(decode, orientation):
    scene = np.kron([[10, 60, 110], [160, 200, 250]], np.ones((8, 8))).astype(np.uint8)
    content = turned(scene, orientation, "JPEG", quality=95)
    np.testing.assert_allclose(decode(content).astype(int), scene, atol=4)
    raw = np.asarray(Image.open(io.BytesIO(content)))
    assert orientation == 1 or raw.shape != scene.shape or np.abs(raw - scene.astype(int)).max() > 20


def test_exif_data_behind_the_pixels_are_heeded(decode, remarks):
    content = turned(GREY, 6)
    place = content.index(b"eXIf") - 4
    length = int.from_bytes(content[place : place + 4], "big") + 12
    exif = content[place : place + length]
    end = chunk(b"IEND", b"")
    late = content[:place] + content[place + length :].removesuffix(end) + exif + end
    assert late.index(b"eXIf") > late.index(b"IDAT")
    np.testing.assert_array_equal(decode(late), GREY)
    assert remarks(late) == ("turned upright 1 of 1 pictures, as their EXIF data say",)


@pytest.mark.parametrize("exif", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"MM\0*", bytes(50)])
def test_damaged_exif_data_say_nothing(decode, remarks, exif):
    for kind in ("PNG", "JPEG"):
        content = encoded(np.full((3, 4), 90, np.uint8), kind, exif=exif)
        np.testing.assert_allclose(decode(content), np.full((3, 4), 90), atol=2)
        assert remarks(content) == ()


@pytest.mark.parametrize("orientation", [0, 9, 600])
def test_unknown_orientations_say_nothing(decode, remarks, orientation):
    np.testing.assert_array_equal(decode(turned(GREY, orientation)), GREY)
    assert remarks(turned(GREY, orientation)) == ()


def test_without_pillow_the_error_says_what_to_install(pets, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(UsageError, match=r"dataset: .* pip install 'glassnet\[images\]'"):
        read_image_folder(pets)


def test_pillow_is_imported_only_when_a_folder_is_read():
    code = "import sys, glassnet.data.image_folder, glassnet.data.picture_rows; print('PIL' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def saved(mode, kind):
    buffer = io.BytesIO()
    Image.new(mode, (4, 3)).save(buffer, kind)
    return buffer.getvalue()


def white_is_zero():
    content = encoded(DEEP, "TIFF")
    entry = b"\x06\x01\x03\0\x01\0\0\0"  # PhotometricInterpretation, one short number
    place = content.index(entry) + len(entry)
    return content[:place] + b"\0" + content[place + 1 :]


BAD_IMAGES = {
    "no bytes": (b"", "is empty (0 bytes)"),
    "text": (b"hello, world, this is text", "is no PNG, JPEG, BMP, GIF or TIFF image"),
    "zeros": (bytes(1000), "is no PNG"),
    "magic of PNG": (PNG[:8], "is no PNG"),
    "magic of JPEG": (b"\xff\xd8\xff", "is "),
    "magic of GIF": (b"GIF89a", "is no PNG"),
    "magic of BMP": (b"BM", "is "),
    "magic of TIFF": (b"II*\0", "is "),
    "another format": (saved("RGB", "WEBP"), "is no PNG"),
    "Postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 3\n", "is no PNG"),
    "PPM": (b"P5 4 3 255 " + bytes(12), "is no PNG"),
    "PNG, wrong checksum of the header": (flipped(PNG, 30), "is "),
    "PNG, wrong checksum of the pixels": (flipped(PNG, PNG.index(b"IEND") - 6), "is a damaged"),
    "PNG, flipped pixels": (flipped(PNG, PNG.index(b"IDAT") + 20), "is a damaged"),
    "PNG cut in its header": (PNG[:25], "is "),
    "PNG cut in its pixels": (PNG[: PNG.index(b"IDAT") + 30], "is a damaged"),
    "PNG without pixels": (png(4, 3), "is a damaged"),
    "PNG of 60000 x 60000": (png(60000, 60000), "declares more than 33,554,432 pixels"),
    "PNG of 9000 x 9000": (png(9000, 9000), "declares 9000 x 9000 pixels, expected 1 to 33,554,432"),
    "PNG of 2^31 x 2^31": (png(2**31 - 1, 2**31 - 1), "declares more than"),
    "PNG of 0 x 4": (png(4, 0), "is "),
    "PNG of unknown depth": (png(4, 3, depth=9), "is "),
    "PNG of unknown colour": (png(4, 3, colour=9), "is "),
    "PNG whose header is long": (PNG[:8] + struct.pack(">I", 2**31 - 1) + PNG[12:], "is "),
    "PNG with a text bomb": (
        PNG[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**8), 9)) + PNG[33:],
        "is a damaged",
    ),
    "JPEG cut in half": (JPEG[: len(JPEG) // 2], "is a damaged"),
    "JPEG without its end": (JPEG[: int(len(JPEG) * 0.9)], "is a damaged"),
    "JPEG of 65500 x 65500": (JPEG.replace(b"\0\x40\0\x40", b"\xff\xdc\xff\xdc", 1), "declares more than"),
    "BMP cut": (BMP[:-5], "is a damaged"),
    "BMP of 10^9 x 10^9": (BMP[:18] + struct.pack("<ii", 10**9, 10**9) + BMP[26:], "declares more than"),
    "BMP of 20000 x 20000": (BMP[:18] + struct.pack("<ii", 20000, 20000) + BMP[26:], "declares more than"),
    "GIF cut": (GIF[: len(GIF) - 12], "is "),
    "GIF of 65535 x 65535": (GIF[:6] + b"\xff\xff\xff\xff" + GIF[10:], "declares more than"),
    "TIFF cut": (TIFF[: len(TIFF) - 12], "is "),
    "TIFF of floats": (encoded(GREY.astype(np.float32), "TIFF"), "holds pixels of the kind F"),
    "TIFF of 32 bits": (encoded(GREY.astype(np.int32), "TIFF"), "holds pixels of the kind I,"),
    "TIFF of 16 bits, white first": (white_is_zero(), "is a TIFF file of 16 bits in which 0 is white: save it as"),
    "16 bits with a transparent grey": (encoded(GREY.astype(np.uint16), transparency=20), "of the kind I;16"),
}


@pytest.mark.parametrize("size", [None, (3, 4)], ids=["as it is", "resized"])
@pytest.mark.parametrize(("content", "said"), BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_what_is_no_whole_image_is_refused(tmp_path, content, said, size):
    folder = put(tmp_path / "pets", {"cat/bad.png": content, "dog/bad.png": content})
    began = time.perf_counter()
    assert said in refused(folder, "cat/bad.png", size=size)
    assert time.perf_counter() - began < 5


MEASURE = """
import resource, sys
from PIL import Image, PngImagePlugin, JpegImagePlugin, GifImagePlugin, BmpImagePlugin, TiffImagePlugin
from glassnet.data.image_folder import read_image_folder
from glassnet.errors import FileError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print(read_image_folder(sys.argv[1]).splits[""][0].nbytes)
except FileError:
    print(0)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.parametrize(
    ("content", "honest"),
    [
        (png(60000, 60000, bytes(10**6)), 0),
        (png(9000, 9000, bytes(9001 * 9000)), 0),
        (BAD_IMAGES["PNG with a text bomb"][0], 0),
        (png(5792, 5792, bytes(5793 * 5792)), 5792**2),
        (png(5000, 5000, bytes(4 * 5000**2 + 5000), colour=6), 5000**2),
    ],
    ids=["60000 x 60000", "9000 x 9000", "text bomb", "the largest", "large and transparent"],
)
def test_memory_stays_bounded(tmp_path, content, honest):
    folder = put(tmp_path / "pets", {"cat/1.png": content, "dog/1.png": content})
    command = [sys.executable, "-c", MEASURE, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    size, grown = map(int, done.stdout.split())
    assert size == 2 * honest
    assert grown < 2 * size + (300 if honest else 100) * 10**6


def test_more_images_than_memory_are_refused_before_they_are_decoded(pets, monkeypatch):
    monkeypatch.setattr(picture_files, "MOST_BYTES", 36)
    assert len(read(pets)[0]) == 3
    monkeypatch.setattr(picture_files, "MOST_BYTES", 35)
    monkeypatch.setattr(image_folder, "decode_picture", None)
    assert "holds images of 36 bytes together, more than 35: give a smaller --size" in refused(pets)
    put(pets, {"cat/1.png": encoded(COLOURS)})
    assert "holds images of 108 bytes" in refused(pets)
    assert "holds images of 36 bytes" in refused(pets, grey=True)
    for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
        put(pets, {name: encoded(DEEP)})
    assert "holds images of 72 bytes" in refused(pets)


def test_an_image_cut_anywhere_is_refused_or_whole(tmp_path):
    for whole, step in [(PNG, 1), (BMP, 7), (GIF, 7)]:  # two of them are mostly palette
        folder = put(tmp_path / "pets", {"cat/1.png": whole, "dog/1.png": whole})
        expected = read(folder)[0][0]
        for length in range(0, len(whole), step):
            (folder / "cat" / "1.png").write_bytes(whole[:length])
            try:
                np.testing.assert_array_equal(read(folder)[0][0], expected)
            except FileError:
                refused(folder, "cat/1.png")


def test_an_image_that_changes_while_it_is_read_is_refused(pets, monkeypatch):
    for other in (PNG, encoded(COLOURS), encoded(DEEP)):

        def read_then_changed(path, other=other):
            header = read_header(path)
            path.write_bytes(other)
            return header

        put(pets, {name: encoded(GREY) for name in ("cat/1.png", "cat/2.png", "dog/1.png")})
        monkeypatch.setattr(image_folder, "read_header", read_then_changed)
        assert "is of another size or kind than its header says" in refused(pets, "cat/1.png")


def test_damaged_images_are_refused_or_keep_their_form(tmp_path_factory):
    folder = put(tmp_path_factory.mktemp("damaged"), {"a/1.png": PNG, "b/1.png": PNG})

    @settings(max_examples=100 * FUZZ, deadline=None)
    @given(
        content=st.sampled_from([PNG, JPEG, BMP, GIF, TIFF]),
        flips=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=4),
        cut=st.just(1.0) | st.floats(0, 1),
    )
    def check(content, flips, cut):
        damaged = bytearray(content[: int(cut * len(content))])
        for where, mask in flips:
            if damaged:
                damaged[int(where * (len(damaged) - 1))] ^= mask
        (folder / "a" / "1.png").write_bytes(damaged)
        try:
            images, _, _ = read(folder, size=(4, 4))
        except FileError:
            refused(folder, "a/1.png", size=(4, 4))
        else:
            assert images.shape in ((2, 4, 4), (2, 4, 4, 3))  # a palette can come to hold a colour

    check()
