import gzip
import io
import os
import pickle
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.data.numpy_files import read_rows
from glassnet.data.registry import load_dataset
from glassnet.errors import FileError

ROWS = np.linspace(-1, 1, 12).reshape(3, 4)


def refused(path):
    with pytest.raises(FileError) as caught:
        read_rows(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def npy(header, content=b"\0" * 96):
    """Return an NPY file of version 1 with any header."""
    text = header.encode().ljust(118)
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8", ">i4"])
def test_npy_rows_come_back_as_they_are(tmp_path, dtype):
    rows = (100 * ROWS).astype(dtype)
    np.save(tmp_path / "rows.npy", rows)
    read = read_rows(str(tmp_path / "rows.npy"))
    assert read.dtype == rows.dtype
    np.testing.assert_array_equal(read, rows)


def test_idx_rows_come_back_whatever_the_files_name(tmp_path, idx_bytes):
    images = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    (tmp_path / "rows.npy").write_bytes(idx_bytes(images))
    np.testing.assert_array_equal(read_rows(tmp_path / "rows.npy"), images)


class Exploding:
    """Pickled, it calls `os.mkdir` when someone unpickles it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_nothing_is_unpickled(tmp_path):
    trap = tmp_path / "sprung"
    objects = np.empty(2, object)
    objects[:] = Exploding(str(trap))
    np.save(tmp_path / "objects.npy", objects, allow_pickle=True)
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(Exploding(str(trap))))
    assert "holds pickled Python objects" in refused(tmp_path / "objects.npy")
    assert "is no IDX file" in refused(tmp_path / "plain.pkl")
    assert not trap.exists()


def test_an_npz_file_under_another_name_is_refused_with_the_right_name(tmp_path):
    np.savez(tmp_path / "rows.npz", X=ROWS)
    (tmp_path / "rows.npz").rename(tmp_path / "rows.npy")
    assert "rows.npy: is a zip archive, as NPZ files are; if it is one, name it rows.npz" in refused(
        tmp_path / "rows.npy"
    )


def test_a_truncated_npy_file_is_refused(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, ROWS)
    whole = path.read_bytes()
    for length in (len(whole) - 1, 128, 60, 8):
        path.write_bytes(whole[:length])
        assert "is cut short" in refused(path)


LYING = {
    "more rows": (
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000, 4), }",
        "is cut short: its header promises 1000 x 4",
    ),
    "huge": (
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976, 1152921504606846976), }",
        "is cut short",
    ),
    "negative": ("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 4), }", "whole numbers from 0"),
    "no whole number": ("{'descr': '<f8', 'fortran_order': False, 'shape': (True, 4), }", "whole numbers from 0"),
    "no end": ("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4, }", "describes no array"),
    "no type": ("{'descr': (), 'fortran_order': False, 'shape': (3, 4), }", "describes no array"),
    "no dictionary": ("(3, 4)", "describes no array"),
}


@pytest.mark.parametrize(("header", "said"), LYING.values(), ids=LYING)
def test_a_lying_npy_header_is_refused_without_taking_memory(tmp_path, header, said):
    path = tmp_path / "rows.npy"
    path.write_bytes(npy(header))
    tracemalloc.start()
    assert said in refused(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_missing_files_folders_and_pipes_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "No such file" in refused(tmp_path / "missing.npy")
    assert "is not a regular file" in refused(tmp_path)
    assert "is not a regular file" in refused(tmp_path / "pipe")


def test_an_unreadable_file_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "rows.npy"
    np.save(path, ROWS)

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)
    assert "cannot be read: Permission denied" in refused(path)


def test_damaged_npy_copies_are_refused_or_hold_plain_values(tmp_path_factory):
    path = tmp_path_factory.mktemp("damaged") / "rows.npy"
    np.save(path, ROWS)
    whole = path.read_bytes()

    @given(
        flips=st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(1, 255)), max_size=4),
        length=st.integers(0, len(whole)) | st.just(len(whole)),
    )
    def check(flips, length):
        damaged = bytearray(whole[:length])
        for place, mask in flips:
            if place < length:
                damaged[place] ^= mask
        path.write_bytes(damaged)
        try:
            assert read_rows(path).nbytes <= len(whole)
        except FileError:
            refused(path)

    check()


def test_an_npy_file_may_be_gzipped(tmp_path):
    X, y = np.arange(24.0).reshape(8, 3), np.array(["a", "b"] * 4)
    for name, array in (("X.npy.gz", X), ("y.npy.gz", y)):
        with gzip.open(tmp_path / name, "wb") as file:
            np.save(file, array)
    assert np.array_equal(read_rows(tmp_path / "X.npy.gz"), X)
    assert np.array_equal(read_rows(tmp_path / "y.npy.gz", text=True), y)
    data = load_dataset(tmp_path / "X.npy.gz", target=str(tmp_path / "y.npy.gz"), validation=0)
    assert (data.name, data.class_names) == ("X", ("a", "b"))
    assert sorted(data.train.X[:, 0].tolist() + data.test.X[:, 0].tolist()) == X[:, 0].tolist()


def test_a_gzipped_npy_file_is_read_with_distrust(tmp_path):
    whole = io.BytesIO()
    np.save(whole, np.zeros((50, 3)))
    huge = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (9999999, 999), }")
    for content, said in (
        (whole.getvalue()[:-8], "is cut short"),
        (whole.getvalue() + b"0", "holds more than"),
        (huge, "larger than the file can hold"),
    ):
        (tmp_path / "X.npy.gz").write_bytes(gzip.compress(content))
        with pytest.raises(FileError, match=said):
            read_rows(tmp_path / "X.npy.gz")
    (tmp_path / "X.npy.gz").write_bytes(gzip.compress(whole.getvalue())[:-9])
    with pytest.raises(FileError):
        read_rows(tmp_path / "X.npy.gz")
