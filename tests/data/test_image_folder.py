import os
import threading

import numpy as np
import pytest
from PIL import Image
from tests.data.pictures import COLOURS, GREY, PNG, encoded, make_pets, put, read, refused, remarks_of

from glassnet.data import image_folder
from glassnet.data.image_folder import read_image_folder
from glassnet.data.read_options import ReadOptions
from glassnet.errors import UsageError


@pytest.fixture
def pets(tmp_path):
    return make_pets(tmp_path / "pets")


def test_images_come_back_by_class_and_name(pets):
    put(pets, {"cat/10.PNG": encoded(GREY + 3)})
    images, labels, names = read(str(pets))
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, [GREY, GREY + 3, GREY + 1, GREY + 2])
    assert labels.dtype == object
    assert labels.tolist() == ["cat", "cat", "cat", "dog"]
    assert names == ("cat", "dog")
    assert remarks_of(pets) == ()


STRAYS = {
    "one": ({"cat/Thumbs.db": b"\xd0\xcf"}, "left out 1 file that is no picture: cat/Thumbs.db"),
    "hidden": (
        {".DS_Store": b"", "cat/._1.png": b"", ".git/1.png": PNG},
        "left out 3 files that are no pictures: .DS_Store, .git, cat/._1.png",
    ),
    "many": (
        {"README.txt": b"x", "labels.csv": b"x", "dog/Desktop.ini": b"x", "dog/1.png.xml": b"x", "dog/1": PNG},
        "left out 5 files that are no pictures: README.txt, dog/1, dog/1.png.xml and 2 more",
    ),
    "folders": (
        {"__MACOSX/cat/._1.png": b"x", "cat/@eaDir/1.png": PNG},
        "left out 2 files that are no pictures: __MACOSX, cat/@eaDir",
    ),
    "a folder's own icon": ({"dog/Icon\r": b""}, r"left out 1 file that is no picture: dog/Icon\r"),
}


@pytest.mark.parametrize(("files", "said"), STRAYS.values(), ids=STRAYS)
def test_files_that_are_no_pictures_are_left_out_and_said(pets, files, said):
    put(pets, files)
    np.testing.assert_array_equal(read(pets)[0], [GREY, GREY + 1, GREY + 2])
    assert remarks_of(pets) == (said,)


def test_files_are_left_out_of_splits_too(tmp_path):
    folder = put(tmp_path / "pets", split_files(train="ab", test="ab"))
    put(folder, {"notes.txt": b"", "train/notes.txt": b"", "test/a/notes.txt": b""})
    said = "left out 3 files that are no pictures: notes.txt, test/a/notes.txt, train/notes.txt"
    assert remarks_of(folder) == (said,)


def test_one_size_is_demanded_and_the_option_named(pets):
    put(pets, {"dog/2.png": encoded(np.full((30, 20), 9, np.uint8))})
    message = refused(pets)
    assert "holds pictures of 2 sizes (height x width): 3 x 4 (3 such as cat/1.png), 30 x 20 (1 such as" in message
    assert "give --size to bring all to one, for example --size 3x4 (in Python: size=(3, 4))" in message
    for width, said in ((21, "30 x 21 (1 such as dog/21.png); give"), (22, "; give"), (23, " and 1 more; give")):
        put(pets, {f"dog/{width}.png": encoded(np.full((30, width), 9, np.uint8))})
        assert f"{said} --size" in refused(pets)
        assert ("more" in refused(pets)) is (width == 23)


def test_all_images_are_brought_to_a_size(pets):
    put(pets, {"dog/2.png": encoded(np.full((30, 20), 9, np.uint8)), "dog/3.png": encoded(GREY.repeat(2, 0))})
    images, _, _ = read(pets, size=(6, 5))
    assert images.shape == (5, 6, 5)
    np.testing.assert_array_equal(images[3], 9)
    expected = Image.fromarray(GREY).resize((5, 6), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(images[0], np.asarray(expected))
    said = (
        "resized 5 of 5 pictures to 6 x 5 (height x width); 5 of them are stretched, for their sides have another"
    )
    assert remarks_of(pets, size=(6, 5))[0].startswith(said)
    assert remarks_of(pets, size=(15, 10))[0].startswith(
        "resized 5 of 5 pictures to 15 x 10 (height x width); 3 of"
    )
    put(pets, {"dog/2.png": encoded(GREY), "dog/3.png": encoded(GREY.repeat(2, 0).repeat(2, 1))})
    assert remarks_of(pets, size=(3, 4)) == ("resized 1 of 5 pictures to 3 x 4 (height x width)",)
    np.testing.assert_array_equal(read(pets, size=(3, 4))[0][:2], [GREY, GREY + 1])


def test_large_images_are_averaged_when_they_shrink(pets):
    stripes = np.tile(np.array([0, 0, 0, 200], np.uint8), (64, 16))
    for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
        put(pets, {name: encoded(stripes)})
    np.testing.assert_allclose(read(pets, size=(4, 4))[0][:, :, 1:3], 50, atol=8)  # single pixels are 0 or 200


@pytest.mark.parametrize("size", [(0, 5), (5, -1), (5,), (5, 5, 5), (2.5, 3), 5, "ab", (10**6, 10**6)])
def test_what_is_no_size_is_refused(pets, size):
    with pytest.raises(UsageError, match="size: expected"):
        read(pets, size=size)


def test_colours_are_kept_if_any_picture_has_them(pets):
    put(pets, {"cat/2.png": encoded(COLOURS)})
    images = read(pets)[0]
    assert images.shape == (3, 3, 4, 3)
    np.testing.assert_array_equal(images[1], COLOURS)
    for row, grey in ((0, GREY), (2, GREY + 2)):
        np.testing.assert_array_equal(images[row], np.repeat(grey[..., None], 3, axis=2))
    assert remarks_of(pets) == ("2 of 3 pictures are grey: they are taken as colours, like the rest",)
    put(pets, {"cat/1.png": encoded(COLOURS + 1), "dog/1.png": encoded(COLOURS + 2)})
    np.testing.assert_array_equal(read(pets)[0], [COLOURS + 1, COLOURS, COLOURS + 2])
    assert remarks_of(pets) == ()


def test_colours_are_left_out_on_demand(pets):
    put(pets, {"cat/2.png": encoded(COLOURS)})
    images = read(pets, grey=True)[0]
    assert images.shape == (3, 3, 4)
    np.testing.assert_allclose(images[1], COLOURS @ [0.299, 0.587, 0.114], atol=1)  # ITU-R 601
    np.testing.assert_array_equal(images[::2], [GREY, GREY + 2])
    assert remarks_of(pets, grey=True) == ()


def test_grey_pictures_saved_in_colour_are_grey_and_that_is_said(pets):
    for name, grey in (("cat/1.png", GREY), ("cat/2.png", GREY + 1)):
        put(pets, {name: encoded(np.repeat(grey[..., None], 3, axis=2))})
    np.testing.assert_array_equal(read(pets)[0], [GREY, GREY + 1, GREY + 2])
    assert remarks_of(pets) == ("all pictures are taken as grey: none holds a pixel that is not grey",)
    assert remarks_of(pets, grey=True) == ()
    nearly = np.repeat(GREY[..., None], 3, axis=2)
    nearly[2, 3, 2] ^= 1
    put(pets, {"dog/1.png": encoded(nearly)})
    np.testing.assert_array_equal(read(pets)[0][2], nearly)


def test_a_coloured_picture_of_one_split_makes_all_splits_coloured(tmp_path):
    folder = put(tmp_path / "pets", split_files(train="ab", test="ab") | {"test/b/2.png": encoded(COLOURS)})
    splits = read_image_folder(folder).splits
    assert {split: images.shape for split, (images, _) in splits.items()} == {
        "train": (2, 3, 4, 3),
        "test": (3, 3, 4, 3),
    }
    np.testing.assert_array_equal(splits["test"][0][2], COLOURS)
    np.testing.assert_array_equal(splits["train"][0][0, :, :, 1], GREY + ord("a"))


def test_16_bits_are_kept_in_full_and_go_with_no_8_bits(pets):
    deep = GREY.astype(np.uint16) * 257 + 5
    put(pets, {"cat/1.png": encoded(deep), "cat/2.png": encoded(deep + 1)})
    said = "holds 2 pictures of 16 bits (such as cat/1.png) and 1 of 8 bits (such as dog/1.png): save all with one"
    assert said in refused(pets)
    assert "of 16 bits" in refused(pets, grey=True)
    put(pets, {"dog/1.png": encoded(deep + 2)})
    for options in ({}, {"grey": True}):
        images = read(pets, **options)[0]
        assert images.dtype == np.uint16
        np.testing.assert_array_equal(images, [deep, deep + 1, deep + 2])
    assert remarks_of(pets) == ()
    assert read(pets, size=(5, 6))[0].dtype == np.uint16


def test_all_damaged_pictures_are_named_at_once(pets, tmp_path):
    put(pets, {"cat/2.png": b"", "dog/1.png": PNG[:-30], "dog/2.png": b"x", "cat/3.gif": b"GIF89a"})
    message = refused(pets, "cat/2.png")  # damaged pixels are met only where all headers are good
    assert message.endswith("is empty (0 bytes), expected an image; nor can these be used: cat/3.gif, dog/2.png")
    for name in ("cat/2.png", "dog/2.png"):
        put(pets, {name: PNG[:-30]})
    (pets / "cat" / "3.gif").unlink()
    put(pets, {"cat/1.png": PNG})
    message = refused(pets, "cat/2.png")
    assert message.endswith("; nor can these be used: dog/1.png, dog/2.png")
    many = put(tmp_path / "many", {f"{name}/{row}.png": b"" for name in "ab" for row in range(9)})
    assert refused(many, "a/0.png").endswith(": a/1.png, a/2.png, a/3.png and 6 more (the rest was not looked at)")


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
    "the folder in itself": ({"pets/a/1.png": PNG, "pets/b/1.png": PNG}, "", "but the folder 'pets': give "),
    "class of hidden files": ({"a/1.png": PNG, "b/.1.png": PNG}, "b", "is a class without images"),
    "folder within a class": ({"a/1.png": PNG, "b/c/1.png": PNG}, "b/c", "is a folder within a class"),
    "class of notes": (
        {"a/1.png": PNG, "b/notes.txt": b"x"},
        "b",
        "is a class without images: expected files such",
    ),
    "a file that is no picture, by its content": ({"a/1.png": PNG, "b/1.jpg": b"x"}, "b/1.jpg", "is no PNG"),
    "another kind of picture": (
        {"a/1.png": PNG, "b/1.png": PNG, "b/2.WebP": b"x"},
        "b/2.WebP",
        "is a picture of a kind that is not read: save it as one of PNG, JPEG, BMP, GIF, TIFF",
    ),
    "line feed in a name": ({"a/1\n2.png": PNG, "b/1.png": PNG}, "a", r"holds '1\n2.png', a name that cannot"),
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
    np.testing.assert_array_equal(read(pets)[0][3], GREY)
    (tmp_path / "other").symlink_to(pets)  # the folder itself may be a link
    assert len(read(tmp_path / "other")[0]) == 4
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


def split_files(**classes):
    """Return files such as split_files(train="ab", test="ab") names them: splits and their classes."""
    return {f"{split}/{name}/1.png": encoded(GREY + ord(name)) for split in classes for name in classes[split]}


USUAL = ("train", "validation", "test")

SPELLINGS = {
    "two": (("train", None, "test"), USUAL),
    "val": (("train", "val", "test"), USUAL),
    "validation": (("train", "validation", "test"), USUAL),
    "valid": (("Train", "Valid", "Test"), USUAL),
    "dev": (("training", "dev", "testing"), USUAL),
    "capitals": (("TRAINING", "VAL", "TEST"), USUAL),
    "no test": (("train", "val", None), USUAL),
}


@pytest.mark.parametrize(("written", "meant"), SPELLINGS.values(), ids=SPELLINGS)
def test_splits_are_read_with_the_same_classes(tmp_path, written, meant):
    names = {name: split for name, split in zip(written, meant, strict=True) if name}
    folder = put(tmp_path / "pets", split_files(**dict.fromkeys(names, "ba")))
    last = list(names)[-1]
    put(folder, {f"{last}/b/2.png": encoded(GREY), f"{last}/a/.hidden": b""})
    splits, class_names, _ = read_image_folder(folder)
    assert list(splits) == list(names.values())
    assert class_names == ("a", "b")
    for split, (images, labels) in splits.items():
        expected = [GREY + ord("a"), GREY + ord("b"), GREY][: 3 if split == names[last] else 2]
        np.testing.assert_array_equal(images, expected)
        assert labels.tolist() == ["a", "b", "b"][: len(expected)]
    sized = read_image_folder(folder, ReadOptions(size=(2, 2))).splits
    assert sized[names[last]][0].shape == (3, 2, 2)


def test_train_alone_is_a_folder_without_splits(tmp_path):
    folder = put(tmp_path / "pets", split_files(Train="ab") | {"notes.txt": b"", "__MACOSX/x/y": b""})
    images, labels, _ = read(folder)
    np.testing.assert_array_equal(images, [GREY + ord("a"), GREY + ord("b")])
    assert labels.tolist() == ["a", "b"]
    assert remarks_of(folder) == (
        "the folder Train stands alone: its pictures are taken as a folder without splits",
        "left out 2 files that are no pictures: __MACOSX, notes.txt",
    )


BAD_SPLITS = {
    "no train": (split_files(test="ab", val="ab"), "", "holds no folder train"),
    "test alone": (split_files(test="ab"), "", "holds no folder train"),
    "another": (
        split_files(train="ab", test="ab", extra="ab"),
        "extra",
        "is no folder of a split: expected train, validation and test",
    ),
    "twice": (split_files(train="ab", test="ab", val="ab", valid="ab"), "", "holds both val and valid"),
    "twice, in capitals": (split_files(train="ab", test="ab", TEST="ab"), "", "holds both TEST and test"),
    "only in train": (split_files(train="abc", test="ab"), "", "holds the class 'c' in train but not in test"),
    "only in test": (split_files(train="ab", test="abc"), "", "holds the class 'c' in test but not in train"),
    "not in val": (split_files(train="abc", test="abc", val="ab"), "", "'c' in train but not in validation"),
    "one class": (split_files(train="ab", test="a"), "test", "holds only one class, 'a'"),
    "empty split": (split_files(train="ab", test="ab") | {"val/.keep": b""}, "val", "holds no folders"),
    "loose": (split_files(train="ab", test="ab") | {"1.png": PNG}, "1.png", "outside of the class folders"),
    "loose in a split": (split_files(train="ab", test="ab") | {"test/1.png": PNG}, "test/1.png", "outside of the"),
    "test without labels": (
        split_files(train="ab") | {"test/1.png": PNG},
        "test",
        "holds images but no class folders: make",
    ),
    "another size": (
        split_files(train="ab", test="ab") | {"test/b/2.png": PNG},
        "",
        "3 x 4 (4 such as train/a/1.png), 16 x 16 (1 such as test/b/2.png)",
    ),
    "damaged": (split_files(train="ab", test="ab") | {"test/b/2.png": encoded(GREY)[:60]}, "test/b/2.png", "is "),
}


@pytest.mark.parametrize(("files", "culprit", "said"), BAD_SPLITS.values(), ids=BAD_SPLITS)
def test_splits_that_do_not_match_are_refused(tmp_path, files, culprit, said):
    assert said in refused(put(tmp_path / "pets", files), culprit)


def test_classes_may_be_called_like_splits(tmp_path):
    vehicles = put(tmp_path / "b", {"train/1.png": PNG, "test/1.png": PNG, "test/.hidden/x": b""})
    assert read(vehicles)[2] == ("test", "train")
