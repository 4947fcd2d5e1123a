"""What is unpacked once is mapped by later loads; whatever happens to it, the data are those of the files."""

import gzip
import os
import zipfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from glassnet.data import idx, unpacked
from glassnet.data.idx import read_idx
from glassnet.data.registry import load_dataset
from glassnet.data.sources import md5
from glassnet.data.unpacked import count_unpacked, find_unpacked, keep_unpacked, unpacked_folder
from glassnet.errors import FileError
from glassnet.runtime.compilation import measure_cache

IMAGES = np.arange(600, dtype=np.uint8).reshape(6, 10, 10)


@pytest.fixture(autouse=True)
def keep_small_ones(monkeypatch):
    monkeypatch.setattr(unpacked, "LEAST_BYTES", 100)


@pytest.fixture
def packed(tmp_path, idx_bytes):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx_bytes(IMAGES)))
    return path


@pytest.fixture
def no_unpacking(monkeypatch):
    """From where it is called on, a file that is unpacked fails the test."""
    return lambda: monkeypatch.setattr(idx, "_read_array", lambda *_, **__: pytest.fail("it was unpacked again"))


def kept():
    return sorted(path.name for path in unpacked_folder().glob("*"))


def test_a_second_load_unpacks_nothing_and_gives_the_same_rows(small_files, no_unpacking):
    first = load_dataset("fashion-mnist", small_files.parent, validation=3)
    assert len(kept()) == 2  # the images; what is smaller than LEAST_BYTES is not kept
    assert count_unpacked() == sum((unpacked_folder() / name).stat().st_size for name in kept()) > 8 * 784
    bytes_kept = [(unpacked_folder() / name).read_bytes() for name in kept()]
    for file in small_files.glob("*labels*"):
        file.write_bytes(gzip.decompress(file.read_bytes()))
    for _ in range(2):  # rows are moved in place, and the file must not notice
        again = load_dataset("fashion-mnist", small_files.parent, validation=3)
        for one, other in zip(again.encoded, first.encoded, strict=True):
            np.testing.assert_array_equal(one.X, other.X)
        assert again.checksums.keys() == first.checksums.keys()
        assert [(unpacked_folder() / name).read_bytes() for name in kept()] == bytes_kept


def test_what_is_kept_is_mapped_and_not_unpacked(packed, no_unpacking):
    np.testing.assert_array_equal(read_idx(packed, checksum=md5(packed)), IMAGES)
    no_unpacking()
    found = read_idx(packed, checksum=md5(packed))
    np.testing.assert_array_equal(found, IMAGES)
    assert (type(found), found.dtype, found.flags.writeable) == (np.ndarray, np.uint8, True)


def test_other_files_and_members_have_a_place_of_their_own(tmp_path, packed, idx_bytes):
    read_idx(packed, checksum=md5(packed))
    packed.write_bytes(gzip.compress(idx_bytes(IMAGES + 1)))  # in the same place
    np.testing.assert_array_equal(read_idx(packed, checksum=md5(packed)), IMAGES + 1)
    archive = tmp_path / "both.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a/one", idx_bytes(IMAGES))
        file.writestr("a/two", idx_bytes(IMAGES + 2))
    for _ in range(2):
        np.testing.assert_array_equal(read_idx(archive, "a/one", md5(archive)), IMAGES)
        np.testing.assert_array_equal(read_idx(archive, "a/two", md5(archive)), IMAGES + 2)
    assert len(kept()) == 4


@pytest.mark.parametrize("damage", ["a bit", "the shape", "cut", "empty", "an archive", "the header"])
def test_what_is_damaged_is_unpacked_and_kept_anew(packed, damage):
    read_idx(packed, checksum=md5(packed))
    (path,) = unpacked_folder().iterdir()
    whole = path.read_bytes()
    damaged = {
        "a bit": whole[:-1] + bytes([whole[-1] ^ 1]),
        "the shape": whole.replace(b"(6, 10, 10)", b"(10, 6, 10)"),
        "cut": whole[:-1],
        "empty": b"",
        "an archive": b"PK\x03\x04" + whole,
        "the header": whole.replace(b"(6, 10, 10)", b"((6,10,10 '"),
    }[damage]
    assert damaged != whole
    path.write_bytes(damaged)
    np.testing.assert_array_equal(read_idx(packed, checksum=md5(packed)), IMAGES)
    assert [path.read_bytes() for path in unpacked_folder().iterdir()] == [whole]


def test_a_damaged_source_is_refused_although_its_numbers_are_kept(packed):
    read_idx(packed, checksum=md5(packed))
    packed.write_bytes(packed.read_bytes()[:-9])
    with pytest.raises(FileError, match=r"images\.gz"):
        read_idx(packed, checksum=md5(packed))


def test_nothing_is_kept_of_a_file_that_changes_while_it_is_read(packed):
    np.testing.assert_array_equal(read_idx(packed, checksum="0" * 32), IMAGES)
    assert kept() == []


def test_what_is_not_packed_or_has_no_checksum_is_not_kept(tmp_path, packed, idx_bytes):
    plain = tmp_path / "plain"
    plain.write_bytes(idx_bytes(IMAGES))
    np.testing.assert_array_equal(read_idx(plain, checksum=md5(plain)), IMAGES)
    np.testing.assert_array_equal(read_idx(packed), IMAGES)
    assert kept() == []


def test_the_folder_is_bounded_and_what_was_used_last_stays(monkeypatch):
    for number in range(3):
        keep_unpacked(f"{number}", IMAGES)
        (path,) = unpacked_folder().glob(f"{number}-*")
        os.utime(path, (number, number))
    size = path.stat().st_size
    monkeypatch.setattr(unpacked, "MOST_BYTES", 3 * size)
    assert find_unpacked("0") is not None  # which makes it the latest
    keep_unpacked("3", IMAGES)
    assert {name[0] for name in kept()} == {"0", "2", "3"}
    monkeypatch.setattr(unpacked, "MOST_BYTES", IMAGES.nbytes - 1)
    keep_unpacked("4", IMAGES)
    assert find_unpacked("4") is None


def test_a_disk_without_room_or_rights_is_done_without(packed, monkeypatch, no_unpacking):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(unpacked.shutil, "disk_usage", lambda folder: usage(4 * IMAGES.nbytes))
    np.testing.assert_array_equal(read_idx(packed, checksum=md5(packed)), IMAGES)
    assert kept() == []
    unpacked_folder().rmdir()
    unpacked_folder().write_bytes(b"")  # a file in place of the folder stands for missing rights
    np.testing.assert_array_equal(read_idx(packed, checksum=md5(packed)), IMAGES)
    assert count_unpacked() == 0


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs users")
def test_a_cache_that_may_not_be_read_holds_nothing():
    keep_unpacked("0", IMAGES)
    cache, user = Path(os.environ["XDG_CACHE_HOME"]), os.geteuid()
    cache.chmod(0)
    try:
        if user == 0:  # whom no rights stop
            os.seteuid(65534)
        found = find_unpacked("0"), count_unpacked(), measure_cache()
    finally:
        os.seteuid(user)
        cache.chmod(0o700)
    assert found == (None, 0, (0, 0))
    assert find_unpacked("0") is not None
