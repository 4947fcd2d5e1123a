import io
import os
import struct
import subprocess
import sys
import threading
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from glassnet.data import image_folder
from glassnet.data.image_folder import holds_splits, read_image_folder, read_split_image_folder
from glassnet.errors import FileError, UsageError

GREY = np.arange(0, 240, 20, np.uint8).reshape(3, 4)
COLOURS = np.arange(36, dtype=np.uint8).reshape(3, 4, 3) * 7

#: More for a night: GLASSNET_FUZZ=500 pytest -k damaged_images.
FUZZ = int(os.environ.get("GLASSNET_FUZZ", "1"))


def encoded(array, kind="PNG", mode=None, **options):
    """Return an image file; an array of palette indices with mode "P"."""
    image = Image.fromarray(np.asarray(array))
    if mode == "P":
        image = image.convert("P")
        image.putpalette([value for grey in range(256) for value in (255 - grey, grey, 7)])
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def put(folder, files):
    """Write files, by their paths in the folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def pets(tmp_path):
    """A good folder with two classes of two and one images."""
    files = {"cat/1.png": GREY, "cat/2.png": GREY + 1, "dog/1.png": GREY + 2}
    return put(tmp_path / "pets", {name: encoded(array) for name, array in files.items()})


def refused(folder, culprit=None, read=read_image_folder, **options):
    """Return the message that refuses a folder, after checking that it is one line and names the culprit."""
    with pytest.raises(FileError) as caught:
        read(folder, **options)
    message = str(caught.value)
    assert message.startswith(f"{folder if culprit is None else folder / culprit}: ")
    assert len(message.splitlines()) == 1
    return message


def test_images_come_back_by_class_and_name(pets):
    put(
        pets, {".hidden/1.png": b"", "cat/.DS_Store": b"", "cat/10.png": encoded(GREY + 3), "README.txt": b"hello"}
    )
    images, labels, names = read_image_folder(str(pets))
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(images, [GREY, GREY + 3, GREY + 1, GREY + 2])
    assert labels.tolist() == [0, 0, 0, 1]
    assert names == ("cat", "dog")


LOSSLESS = {"PNG": {}, "BMP": {}, "TIFF": {}, "GIF": {}}


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_formats_keep_every_pixel(pets, kind):
    put(pets, {f"cat/3.{kind.lower()}": encoded(GREY, kind)})
    np.testing.assert_array_equal(read_image_folder(pets)[0][2], GREY)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_colours_are_kept_or_turned_grey(pets, kind):
    put(pets, {"cat/1.png": encoded(COLOURS, kind)})  # the content decides, not the name
    images, _, _ = read_image_folder(pets, colour=True)
    assert images.shape == (3, 3, 4, 3)
    np.testing.assert_array_equal(images[0], COLOURS)
    np.testing.assert_array_equal(images[2], np.repeat((GREY + 2)[..., None], 3, axis=2))
    luma = COLOURS @ [0.299, 0.587, 0.114]  # ITU-R 601
    np.testing.assert_allclose(read_image_folder(pets)[0][0], luma, atol=1)


def test_jpeg_is_read_nearly_as_it_was(pets):
    flat = np.full((3, 4), 100, np.uint8)
    put(pets, {"cat/1.jpg": encoded(flat, "JPEG", quality=95)})
    np.testing.assert_allclose(read_image_folder(pets)[0][0], flat, atol=2)


def test_cmyk_jpeg_is_read(pets):
    buffer = io.BytesIO()
    Image.new("CMYK", (4, 3), (0, 0, 0, 0)).save(buffer, "JPEG")
    put(pets, {"cat/1.png": buffer.getvalue()})
    assert read_image_folder(pets)[0][0].min() >= 250
    assert read_image_folder(pets, colour=True)[0][0].min() >= 250


def test_of_an_animation_the_first_frame_is_read(pets):
    frames = [Image.fromarray(GREY + shift) for shift in (0, 5, 10)]
    for kind in ("GIF", "PNG", "TIFF"):
        buffer = io.BytesIO()
        frames[0].save(buffer, kind, save_all=True, append_images=frames[1:])
        put(pets, {"cat/1.png": buffer.getvalue()})
        np.testing.assert_array_equal(read_image_folder(pets)[0][0], GREY)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_of_16_bits_the_upper_8_are_kept(pets, kind):
    deep = GREY.astype(np.uint16) * 256 + 255
    put(pets, {"cat/1.png": encoded(deep, kind)})
    np.testing.assert_array_equal(read_image_folder(pets)[0][0], GREY)
    np.testing.assert_array_equal(read_image_folder(pets, colour=True)[0][0, :, :, 1], GREY)


def test_black_and_white_become_0_and_255(pets):
    put(pets, {"cat/1.png": encoded(GREY > 100)})
    np.testing.assert_array_equal(read_image_folder(pets)[0][0], np.where(GREY > 100, 255, 0))


def test_a_palette_gives_its_colours_not_its_indices(pets):
    content = encoded(GREY, mode="P")
    put(pets, {"cat/1.png": content})
    expected = np.stack([255 - GREY, GREY, np.full_like(GREY, 7)], axis=2)
    assert Image.open(io.BytesIO(content)).mode == "P"
    np.testing.assert_array_equal(read_image_folder(pets, colour=True)[0][0], expected)


def test_transparent_pixels_lie_on_white(pets):
    alpha = np.where(GREY > 100, 255, 0).astype(np.uint8)
    seen = np.where(GREY > 100, GREY, 255)
    put(pets, {"cat/1.png": encoded(np.stack([GREY, GREY, GREY, alpha], axis=2))})
    np.testing.assert_array_equal(read_image_folder(pets)[0][0], seen)
    put(pets, {"cat/1.png": encoded(np.stack([GREY, alpha], axis=2))})
    np.testing.assert_array_equal(read_image_folder(pets)[0][0], seen)
    put(pets, {"cat/1.png": encoded(GREY, transparency=20)})
    np.testing.assert_array_equal(read_image_folder(pets)[0][0], np.where(GREY == 20, 255, GREY))
    put(pets, {"cat/1.png": encoded(GREY, mode="P", transparency=20)})
    assert read_image_folder(pets, colour=True)[0][0, 0, 1].tolist() == [255, 255, 255]
    opaque = np.stack([GREY, GREY, GREY, np.full_like(GREY, 255)], axis=2)
    put(pets, {"cat/1.png": encoded(opaque)})
    np.testing.assert_array_equal(read_image_folder(pets)[0][0], GREY)


def test_a_rotation_in_exif_is_left_alone(pets):
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    for kind in ("PNG", "JPEG"):
        put(pets, {"cat/1.png": encoded(np.full((3, 4), 90, np.uint8), kind, exif=exif.tobytes())})
        assert read_image_folder(pets)[0].shape == (3, 3, 4)


def test_sizes_are_made_equal_only_on_demand(pets):
    put(pets, {"dog/2.png": encoded(np.full((30, 20), 9, np.uint8))})
    message = refused(pets, "dog/2.png")
    assert "is 30 x 20 pixels (height x width), but 1.png is 3 x 4: give a size" in message
    images, _, _ = read_image_folder(pets, size=(6, 5))
    assert images.shape == (4, 6, 5)
    np.testing.assert_array_equal(images[3], 9)
    expected = Image.fromarray(GREY).resize((5, 6), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(images[0], np.asarray(expected))
    assert read_image_folder(pets, size=(6, 5), colour=True)[0].shape == (4, 6, 5, 3)


@pytest.mark.parametrize("size", [(0, 5), (5, -1), (5,), (5, 5, 5), (2.5, 3), 5, "ab", (10**6, 10**6)])
def test_what_is_no_size_is_refused(pets, size):
    with pytest.raises(UsageError, match="size: expected"):
        read_image_folder(pets, size=size)


def test_without_pillow_the_error_says_what_to_install(pets, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    for read in (read_image_folder, read_split_image_folder):
        with pytest.raises(UsageError, match=r"dataset: .* pip install 'glassnet\[images\]'"):
            read(pets)


def test_pillow_is_imported_only_when_a_folder_is_read():
    code = "import sys, glassnet.data.image_folder; print('PIL' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


PNG = encoded(np.arange(256, dtype=np.uint8).reshape(16, 16))
JPEG = encoded(np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8), "JPEG")
BMP = encoded(GREY, "BMP")
GIF = encoded(GREY, "GIF")
TIFF = encoded(GREY, "TIFF", compression="tiff_lzw")


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, pixels=b"", depth=8, colour=0):
    """Return a PNG that declares any size."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    )


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def saved(mode, kind):
    buffer = io.BytesIO()
    Image.new(mode, (4, 3)).save(buffer, kind)
    return buffer.getvalue()


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
    print(read_image_folder(sys.argv[1])[0].nbytes)
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
    monkeypatch.setattr(image_folder, "MOST_BYTES", 36)
    assert len(read_image_folder(pets)[0]) == 3
    monkeypatch.setattr(image_folder, "MOST_BYTES", 35)
    assert "holds images of 36 bytes together, more than 35" in refused(pets)
    assert "holds images of 108 bytes" in refused(pets, colour=True)


def test_an_image_cut_anywhere_is_refused_or_whole(tmp_path):
    for whole, step in [(PNG, 1), (BMP, 7), (GIF, 7)]:  # two of them are mostly palette
        folder = put(tmp_path / "pets", {"cat/1.png": whole, "dog/1.png": whole})
        expected = read_image_folder(folder)[0][0]
        for length in range(0, len(whole), step):
            (folder / "cat" / "1.png").write_bytes(whole[:length])
            try:
                np.testing.assert_array_equal(read_image_folder(folder)[0][0], expected)
            except FileError:
                refused(folder, "cat/1.png")


BAD_FOLDERS = {
    "empty": ({}, "", "holds no folders: expected one folder of images a class"),
    "hidden only": ({".git/1.png": PNG}, "", "holds no folders"),
    "loose images only": ({"1.png": PNG}, "1.png", "is an image outside of the class folders"),
    "loose images beside": (
        {"a/1.png": PNG, "b/1.png": PNG, "c.JPG": PNG},
        "c.JPG",
        "outside of the class folders",
    ),
    "one class": ({"a/1.png": PNG}, "", "holds only one class, 'a'"),
    "one class and a hidden one": ({"a/1.png": PNG, ".b/1.png": PNG}, "", "holds only one class, 'a'"),
    "class of hidden files": ({"a/1.png": PNG, "b/.1.png": PNG}, "b", "is a class without images"),
    "folder within a class": ({"a/1.png": PNG, "b/c/1.png": PNG}, "b/c", "is a folder within a class"),
    "notes within a class": ({"a/1.png": PNG, "b/notes.txt": b"x"}, "b/notes.txt", "is no PNG"),
    "line feed in a name": ({"a/1\n2.png": PNG, "b/1.png": PNG}, "a", r"holds '1\n2.png', a name that cannot"),
    "splits": (
        {f"{s}/{c}/1.png": PNG for s in ("train", "test") for c in "ab"},
        "",
        "read it as a folder of splits",
    ),
}


@pytest.mark.parametrize(("files", "culprit", "said"), BAD_FOLDERS.values(), ids=BAD_FOLDERS)
def test_folders_that_are_no_classes_of_images_are_refused(tmp_path, files, culprit, said):
    folder = tmp_path / "pets"
    folder.mkdir()
    assert said in refused(put(folder, files), culprit)


def test_a_class_without_images_is_refused(pets):
    (pets / "empty").mkdir()
    assert "is a class without images" in refused(pets, "empty")


def test_missing_folders_and_files_are_refused(tmp_path, pets):
    assert "cannot be read as a folder: No such file" in refused(tmp_path / "missing")
    assert "cannot be read as a folder: Not a directory" in refused(pets / "cat" / "1.png")


def test_links_are_followed_only_inside_the_folder(tmp_path, pets):
    (pets / "dog" / "2.png").symlink_to("../cat/1.png")
    np.testing.assert_array_equal(read_image_folder(pets)[0][3], GREY)
    (tmp_path / "other").symlink_to(pets)  # the folder itself may be a link
    assert len(read_image_folder(tmp_path / "other")[0]) == 4
    put(tmp_path, {"outside/1.png": PNG, "pets2/1.png": PNG})
    for target in (tmp_path / "outside" / "1.png", "../../outside/1.png", "../../pets2/1.png", "/dev/zero"):
        (pets / "dog" / "3.png").symlink_to(target)
        assert "is a link that leads out of the folder" in refused(pets, "dog/3.png")
        (pets / "dog" / "3.png").unlink()
    for target in ("nowhere.png", "3.png", "../../nowhere/1.png"):
        (pets / "dog" / "3.png").symlink_to(target)
        assert "is a link that leads nowhere" in refused(pets, "dog/3.png")
        (pets / "dog" / "3.png").unlink()
    (pets / "emu").symlink_to(tmp_path / "outside")
    assert "is a link that leads out of the folder" in refused(pets, "emu")


def test_a_link_to_the_folder_itself_is_no_endless_walk(pets):
    (pets / "emu").symlink_to(pets)
    assert "is a folder within a class" in refused(pets, "emu/cat")


@pytest.mark.parametrize("place", ["cat", "."])
def test_a_pipe_is_refused_without_waiting_for_a_writer(pets, place):
    os.mkfifo(pets / place / "0.png")
    messages = []
    reader = threading.Thread(target=lambda: messages.append(refused(pets, f"{place}/0.png")), daemon=True)
    reader.start()
    reader.join(timeout=5)
    assert messages == [f"{pets / place / '0.png'}: is neither a regular file nor a folder"]


def test_unreadable_files_and_folders_are_refused(pets, monkeypatch):
    def denied(*_):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.open", denied)  # root may read everything, so chmod would not do
        assert "is a damaged or unreadable image (Permission denied)" in refused(pets, "cat/1.png")
    with monkeypatch.context() as patch:
        patch.setattr(image_folder.os, "stat", denied)
        assert "cannot be read: Permission denied" in refused(pets, "cat")
    monkeypatch.setattr(image_folder.os, "scandir", denied)
    assert "cannot be read as a folder: Permission denied" in refused(pets)


def test_an_image_that_grows_while_it_is_read_is_refused(pets, monkeypatch):
    real = image_folder._read_declared_size

    def declared(path):
        size = real(path)
        path.write_bytes(PNG)
        return size

    monkeypatch.setattr(image_folder, "_read_declared_size", declared)
    assert "is of another size than its header says" in refused(pets, "cat/1.png")


def split_files(**classes):
    """Return files such as split_files(train="ab", test="ab") names them: splits and their classes."""
    return {f"{split}/{name}/1.png": encoded(GREY + ord(name)) for split in classes for name in classes[split]}


@pytest.mark.parametrize("validation", [None, "val", "validation"])
def test_splits_are_read_with_the_same_classes(tmp_path, validation):
    names = {"train": "ab", "test": "ab"} | ({validation: "ba"} if validation else {})
    folder = put(tmp_path / "pets", split_files(**names))
    put(folder, {"test/b/2.png": encoded(GREY)})
    splits, class_names = read_split_image_folder(folder)
    assert list(splits) == (["train", "validation", "test"] if validation else ["train", "test"])
    assert class_names == ("a", "b")
    for images, labels in splits.values():
        np.testing.assert_array_equal(images[:2], [GREY + ord("a"), GREY + ord("b")])
        assert labels.tolist() == [0, 1, 1][: len(labels)]
    assert read_split_image_folder(folder, size=(2, 2), colour=True)[0]["test"][0].shape == (3, 2, 2, 3)


BAD_SPLITS = {
    "no test": (split_files(train="ab"), "", "holds no folder test"),
    "no train": (split_files(test="ab"), "", "holds no folder train"),
    "another": (
        split_files(train="ab", test="ab", extra="ab"),
        "extra",
        "is neither train, validation, val nor test",
    ),
    "twice": (split_files(train="ab", test="ab", val="ab", validation="ab"), "", "both validation and val"),
    "only in train": (split_files(train="abc", test="ab"), "", "holds the class 'c' in train but not in test"),
    "only in test": (split_files(train="ab", test="abc"), "", "holds the class 'c' in test but not in train"),
    "not in val": (split_files(train="abc", test="abc", val="ab"), "", "'c' in train but not in validation"),
    "one class": (split_files(train="ab", test="a"), "test", "holds only one class, 'a'"),
    "empty split": (split_files(train="ab", test="ab") | {"val/.keep": b""}, "val", "holds no folders"),
    "loose": (split_files(train="ab", test="ab") | {"1.png": PNG}, "1.png", "outside of the class folders"),
    "loose in a split": (split_files(train="ab", test="ab") | {"test/1.png": PNG}, "test/1.png", "outside of the"),
    "another size": (
        split_files(train="ab", test="ab") | {"test/b/2.png": PNG},
        "test/b/2.png",
        "but 1.png is 3 x 4",
    ),
    "damaged": (split_files(train="ab", test="ab") | {"test/b/2.png": PNG[:60]}, "test/b/2.png", "is "),
}


@pytest.mark.parametrize(("files", "culprit", "said"), BAD_SPLITS.values(), ids=BAD_SPLITS)
def test_splits_that_do_not_match_are_refused(tmp_path, files, culprit, said):
    assert said in refused(put(tmp_path / "pets", files), culprit, read_split_image_folder)


def test_folders_with_splits_are_told_apart(tmp_path, pets):
    assert not holds_splits(pets)
    assert not holds_splits(tmp_path / "missing")
    assert holds_splits(put(tmp_path / "a", split_files(train="ab", test="ab")))
    vehicles = put(tmp_path / "b", {"train/1.png": PNG, "test/1.png": PNG, "test/.hidden/x": b""})  # two classes
    assert not holds_splits(vehicles)
    assert read_image_folder(vehicles)[2] == ("test", "train")


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
            images, _, _ = read_image_folder(folder, size=(4, 4))
        except FileError:
            refused(folder, "a/1.png", size=(4, 4))
        else:
            assert images.shape == (2, 4, 4)

    check()
