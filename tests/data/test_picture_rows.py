"""Pictures to predict come out as training had them, each by its own file alone, or are refused."""

import os
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.data.pictures import COLOURS, GREY, PNG, encoded, make_pets, put

from glassnet.data import picture_files
from glassnet.data.image_folder import read_image_folder
from glassnet.data.picture_rows import read_pictures
from glassnet.data.read_options import ReadOptions
from glassnet.errors import FileError

DEEP = GREY.astype(np.uint16) * 17


@pytest.fixture
def pets(tmp_path):
    return make_pets(tmp_path / "pets")


def read(path, shape=(3, 4), white=255, size=None, grey=False):
    return read_pictures(path, shape, white, size, grey)


def refused(path, culprit="", **options):
    with pytest.raises(FileError) as caught:
        read(path, **options)
    message = str(caught.value)
    assert message.startswith(f"{path / culprit}: ")
    assert len(message.splitlines()) == 1
    return message


def test_one_picture_is_one_row(pets):
    for path in (pets / "dog" / "1.png", str(pets / "dog" / "1.png")):
        rows, names, labels, remarks = read(path)
        assert rows.dtype == np.uint8
        np.testing.assert_array_equal(rows, [GREY + 2])
        assert (names, labels, remarks) == (("1.png",), None, ())


def test_a_flat_folder_has_no_labels(tmp_path):
    folder = put(
        tmp_path / "new", {f"{name}.png": encoded(GREY + row) for row, name in enumerate(["b", "a", "c"])}
    )
    rows, names, labels, remarks = read(folder)
    np.testing.assert_array_equal(rows, [GREY + 1, GREY, GREY + 2])
    assert (names, labels, remarks) == (("a.png", "b.png", "c.png"), None, ())


def test_class_folders_give_labels(pets):
    rows, names, labels, _ = read(put(pets, {"dog/deeper/1.JPEG": encoded(GREY + 3)}))
    np.testing.assert_array_equal(rows, [GREY, GREY + 1, GREY + 2, GREY + 3])
    assert names == ("cat/1.png", "cat/2.png", "dog/1.png", "dog/deeper/1.JPEG")
    assert labels == ("cat", "cat", "dog", "deeper")
    put(pets, {"0.png": encoded(GREY)})
    assert read(pets).labels is None
    assert read(pets).names[:2] == ("0.png", "cat/1.png")


def test_splits_are_read_as_one_with_their_labels(tmp_path):
    folder = put(tmp_path / "all", {f"{split}/{name}/1.png": PNG for split in ("test", "train") for name in "ab"})
    assert read(folder, (16, 16)).labels == ("a", "b", "a", "b")


def test_files_that_are_no_pictures_are_left_out_and_said(pets):
    put(pets, {"cat/Thumbs.db": b"", ".git/1.png": PNG, "__MACOSX/cat/1.png": PNG})
    assert len(read(pets).rows) == 3
    assert read(pets).remarks == ("left out 3 files that are no pictures: .git, __MACOSX, cat/Thumbs.db",)


@pytest.mark.parametrize("shape", [(3, 4, 3), (3, 4, 1), (3, 4)])
def test_grey_pictures_take_the_shape_of_training(pets, shape):
    rows = read(pets, shape).rows
    assert rows.shape == (3, *shape)
    for channel in range(shape[2] if len(shape) == 3 else 1):
        values = rows[..., channel] if len(shape) == 3 else rows
        np.testing.assert_array_equal(values, [GREY, GREY + 1, GREY + 2])


def test_colours_go_to_a_network_that_knows_them(pets):
    put(pets, {"cat/1.png": encoded(COLOURS)})
    np.testing.assert_array_equal(read(pets, (3, 4, 3)).rows[0], COLOURS)
    for shape in ((3, 4), (3, 4, 1)):
        said = "holds colours, but the network was trained on grey pictures: save it in grey, or train with --grey"
        assert said in refused(pets, "cat/1.png", shape=shape)
        luma = np.asarray(Image.fromarray(COLOURS).convert("L"))
        np.testing.assert_array_equal(read(pets, shape, grey=True).rows[0], luma.reshape(shape))
    put(pets, {"cat/2.png": encoded(COLOURS + 1)})
    assert "; nor can these be used: cat/2.png" in refused(pets, "cat/1.png")
    put(pets, {name: encoded(np.repeat(GREY[..., None], 3, 2)) for name in ("cat/1.png", "cat/2.png")})
    np.testing.assert_array_equal(read(pets).rows, [GREY, GREY, GREY + 2])


def test_another_size_is_brought_to_that_of_training_only_if_training_did_so(pets):
    put(pets, {"cat/2.png": encoded(GREY.repeat(2, 0)), "dog/1.png": encoded(GREY.repeat(2, 1))})
    message = refused(pets, "cat/2.png")
    said = (
        "is 6 x 4 pixels (height x width), but the network was trained on 3 x 4: resize it, or train with --size"
    )
    assert said in message
    assert message.endswith("--size 3x4; nor can these be used: dog/1.png")
    rows, _, _, remarks = read(pets, size=(3, 4))
    assert rows.shape == (3, 3, 4)
    np.testing.assert_array_equal(rows[0], GREY)
    expected = Image.fromarray(GREY.repeat(2, 0)).resize((4, 3), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(rows[1], np.asarray(expected))
    assert remarks[0].startswith("resized 2 of 3 pictures to 3 x 4 (height x width); 2 of them are stretched")


def test_depth_must_be_that_of_training(pets):
    assert "has 8 bits, but the network was trained on pictures of 16 bits: save it" in refused(
        pets, "cat/1.png", white=4095
    )
    for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
        put(pets, {name: encoded(DEEP)})
    rows = read(pets, white=4095).rows
    assert rows.dtype == np.uint16
    np.testing.assert_array_equal(rows, [DEEP, DEEP, DEEP])
    np.testing.assert_array_equal(read(pets, (3, 4, 1), white=65535).rows[..., 0], [DEEP, DEEP, DEEP])
    for shape in ((3, 4), (3, 4, 3)):
        said = "has 16 bits, but the network was trained on pictures of 8 bits"
        assert said in refused(pets, "cat/1.png", shape=shape)
    assert "colours of 16 bits: give an NPY file" in refused(pets, shape=(3, 4, 3), white=4095)


def test_pictures_lie_upright(pets):
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(np.rot90(GREY).copy(), exif=exif.tobytes())
    put(pets, {"cat/1.png": content})
    np.testing.assert_array_equal(read(pets).rows[0], GREY)
    assert read(pets).remarks == ("turned upright 1 of 3 pictures, as their EXIF data say",)
    assert read(pets / "dog").remarks == ()


BAD_PLACES = {
    "missing": ({}, "missing", "", "cannot be read: No such file or directory"),
    "empty": ({"empty/.keep": b""}, "empty", "", "holds no pictures: expected files such as .png"),
    "notes": ({"notes/1.txt": b"x"}, "notes", "", "holds no pictures"),
    "a damaged picture": ({"a.png": PNG[:-30]}, "a.png", "", "is a damaged"),
    "a text": ({"a.txt": b"hello"}, "a.txt", "", "is no PNG, JPEG, BMP, GIF or TIFF image, or damaged"),
    "an empty picture in a folder": ({"a/b/1.png": b""}, "a", "b/1.png", "is empty (0 bytes)"),
    "another kind": ({"a/1.heic": b"x"}, "a", "1.heic", "is a picture of a kind that is not read"),
}


@pytest.mark.parametrize(("files", "path", "culprit", "said"), BAD_PLACES.values(), ids=BAD_PLACES)
def test_what_holds_no_pictures_is_refused(tmp_path, files, path, culprit, said):
    assert said in refused(put(tmp_path, files) / path, culprit, shape=(16, 16))


def test_links_leave_no_folder_and_lead_in_no_circle(tmp_path, pets):
    (pets / "cat" / "3.png").symlink_to("../dog/1.png")
    np.testing.assert_array_equal(read(pets).rows[2], GREY + 2)
    (tmp_path / "link").symlink_to(pets)
    (tmp_path / "link.png").symlink_to(pets / "dog" / "1.png")
    assert len(read(tmp_path / "link").rows) == 4  # what a user names may be a link
    np.testing.assert_array_equal(read(tmp_path / "link.png").rows, [GREY + 2])
    (pets / "dog" / "all").symlink_to(pets)
    assert "is a link to a folder: expected the folder itself" in refused(pets, "dog/all")
    (pets / "dog" / "all").unlink()
    put(tmp_path, {"outside/1.png": PNG})
    (pets / "dog" / "2.png").symlink_to(tmp_path / "outside" / "1.png")
    assert "is a link that leads out of the folder" in refused(pets, "dog/2.png")


@pytest.mark.parametrize("place", ["0.png", "cat/0.png"])
def test_a_pipe_is_refused_without_waiting_for_a_writer(pets, place):
    os.mkfifo(pets / place)
    messages = []

    def try_both():
        messages.extend([refused(pets, place), refused(pets / place)])

    reader = threading.Thread(target=try_both, daemon=True)
    reader.start()
    reader.join(timeout=5)
    assert messages == 2 * [f"{pets / place}: is neither a regular file nor a folder"]


def test_more_pictures_than_memory_are_refused_before_they_are_decoded(pets, monkeypatch):
    monkeypatch.setattr(picture_files, "MOST_BYTES", 36)
    assert len(read(pets).rows) == 3
    monkeypatch.setattr(picture_files, "MOST_BYTES", 35)
    assert "holds images of 36 bytes together, more than 35" in refused(pets)
    monkeypatch.setattr(picture_files, "MOST_BYTES", 107)
    assert "holds images of 108 bytes" in refused(pets, shape=(3, 4, 3))


kinds = st.sampled_from(["grey", "colours", "palette", "transparent"])


@settings(max_examples=30, deadline=None)
@given(
    drawn=st.lists(st.tuples(kinds, st.integers(1, 8), st.integers(0, 200)), min_size=2, max_size=6),
    size=st.sampled_from([None, (2, 3), (7, 5)]),
    grey=st.booleans(),
    seed=st.integers(0, 99),
)
def test_training_and_prediction_read_alike_one_picture_or_all(tmp_path_factory, drawn, size, grey, seed):
    folder = tmp_path_factory.mktemp("drawn")
    random = np.random.default_rng(seed)
    for row, (kind, orientation, level) in enumerate(drawn):
        exif = Image.Exif()
        exif[0x0112] = orientation
        channels = {"grey": (), "palette": (), "colours": (3,), "transparent": (4,)}[kind]
        pixels = random.integers(level, 256, (4, 4, *channels)).astype(np.uint8)
        content = encoded(pixels, mode="P" if kind == "palette" else None, exif=exif.tobytes())
        put(folder, {f"{'ab'[row % 2]}/{row}.png": content})
    trained = read_image_folder(folder, ReadOptions(size=size, grey=grey))
    images, labels = trained.splits[""]
    rows, names, found, _ = read_pictures(folder, images.shape[1:], 255, size, grey)
    np.testing.assert_array_equal(rows, images)
    assert list(found) == labels.tolist()
    for row, name in enumerate(names):
        alone = read_pictures(folder / name, images.shape[1:], 255, size, grey).rows
        np.testing.assert_array_equal(alone, images[row : row + 1])
