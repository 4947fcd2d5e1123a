import gzip
import os
import struct
import threading
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.data import untrusted_files
from glassnet.data.idx import TYPES, read_idx
from glassnet.errors import FileError

NUMBERS = np.array([[1, 2, 3], [4, 5, 6]])


def refused(path):
    """Return the message with which `path` is refused, after checking that it is one line and names the file."""
    with pytest.raises(FileError) as caught:
        read_idx(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
@pytest.mark.parametrize("code", TYPES)
def test_numbers_come_back_in_the_machines_byte_order(tmp_path, idx_bytes, code, pack):
    path = tmp_path / "file"
    path.write_bytes(pack(idx_bytes(NUMBERS.astype(TYPES[code]), code)))
    read = read_idx(str(path))
    assert read.dtype == np.dtype(TYPES[code]).newbyteorder("=")
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, NUMBERS)


def test_type_codes_are_those_of_the_format():
    # Written out once more, from yann.lecun.com/exdb/mnist: a table that is its own oracle proves nothing.
    sizes = {0x08: ("u", 1), 0x09: ("i", 1), 0x0B: ("i", 2), 0x0C: ("i", 4), 0x0D: ("f", 4), 0x0E: ("f", 8)}
    assert {code: (np.dtype(t).kind, np.dtype(t).itemsize) for code, t in TYPES.items()} == sizes


def test_negative_and_broken_numbers_survive(tmp_path, idx_bytes):
    path = tmp_path / "file"
    path.write_bytes(idx_bytes(np.array([-1, 300, -32768], ">i2"), 0x0B))
    assert read_idx(path).tolist() == [-1, 300, -32768]


def test_one_and_eight_axes_are_read(tmp_path, idx_bytes):
    for shape in ((4,), (1, 2, 1, 2, 1, 1, 1, 1)):
        (tmp_path / "file").write_bytes(idx_bytes(np.arange(4, dtype=np.uint8), shape=shape))
        assert read_idx(tmp_path / "file").shape == shape


@pytest.mark.parametrize("shape", [(0,), (0, 28, 28)])
def test_a_file_of_no_rows_is_an_empty_array(tmp_path, idx_bytes, shape):
    (tmp_path / "file").write_bytes(idx_bytes(np.zeros(shape, np.uint8)))
    assert read_idx(tmp_path / "file").shape == shape


def test_content_longer_than_a_chunk_is_read_whole(tmp_path, idx_bytes, monkeypatch):
    monkeypatch.setattr(untrusted_files, "CHUNK", 7)
    numbers = np.arange(100, dtype=np.uint8)
    for pack in (bytes, gzip.compress):
        (tmp_path / "file").write_bytes(pack(idx_bytes(numbers)))
        np.testing.assert_array_equal(read_idx(tmp_path / "file"), numbers)


BAD = {
    "empty": (b"", "is empty"),
    "garbage": (
        b"hello, world, this is text",
        "begins with 68 65 6c 6c, expected the magic number",
    ),
    "three bytes": (b"\0\0\x08", "is no IDX file"),
    "unknown type": (b"\0\0\x07\x01" + struct.pack(">I", 1) + b"1", "is no IDX file"),
    "first byte": (b"\1\0\x08\x01" + struct.pack(">I", 1) + b"1", "is no IDX file"),
    "second byte": (b"\0\1\x08\x01" + struct.pack(">I", 1) + b"1", "is no IDX file"),
    "no axes": (b"\0\0\x08\x00" + b"1", "is no IDX file"),
    "nine axes": (b"\0\0\x08\x09" + struct.pack(">9I", *[1] * 9) + b"1", "is no IDX file"),
    "header cut": (b"\0\0\x08\x03" + struct.pack(">I", 1), "ends within its header of 16 bytes"),
    "cut short": (b"\0\0\x08\x01" + struct.pack(">I", 5) + b"1234", "holds 4 of the 5 bytes"),
    "too long": (b"\0\0\x08\x01" + struct.pack(">I", 5) + b"123456", "more than the 5 bytes"),
    "wide and short": (b"\0\0\x0e\x01" + struct.pack(">I", 2) + b"12345678", "8 of the 16 bytes"),
    "0 x huge": (b"\0\0\x08\x04" + struct.pack(">4I", 0, *[2**32 - 1] * 3), "no array can hold"),
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
@pytest.mark.parametrize(("content", "said"), BAD.values(), ids=BAD)
def test_what_is_no_whole_idx_file_is_refused(tmp_path, content, said, pack):
    path = tmp_path / "file"
    path.write_bytes(pack(content))
    assert said in refused(path)


def test_damaged_gzip_is_refused(tmp_path, idx_bytes):
    path = tmp_path / "file.gz"
    good = gzip.compress(idx_bytes(np.arange(256, dtype=np.uint8)))
    wrong_crc = good[:-8] + bytes([good[-8] ^ 1]) + good[-7:]
    wrong_length = good[:-1] + bytes([good[-1] ^ 1])
    wrong_deflate = good[:10] + b"\xff" + good[11:]
    for content, said in [
        (good[:-9], "ends in the middle"),  # the numbers are whole, only the trailer is gone
        (good[:-4], "ends in the middle"),
        (good[:5], "ends in the middle"),
        (good[:2], "ends in the middle"),
        (wrong_crc, "CRC check failed"),
        (wrong_length, "Incorrect length"),
        (wrong_deflate, "is damaged"),
        (good + b"trailing", "is damaged"),
    ]:
        path.write_bytes(content)
        assert said in refused(path)
        assert "download it again" in refused(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
@pytest.mark.parametrize("shape", [(2**31, 2**31), (2**32 - 1,) * 8, (2**20,)])
def test_a_header_larger_than_the_file_costs_neither_time_nor_memory(tmp_path, idx_bytes, shape, pack):
    path = tmp_path / "file"
    path.write_bytes(pack(idx_bytes(np.zeros(10, np.uint8), shape=shape)))
    tracemalloc.start()
    began = time.perf_counter()
    message = refused(path)
    seconds, (_, peak) = time.perf_counter() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "x".join(f" {length} " for length in shape).strip() in message
    assert seconds < 1
    assert peak < 2**20


def test_the_most_that_gzip_can_hold_is_read(tmp_path, idx_bytes):
    # Zeros reach deflate's limit of nearly 1032 : 1, so that a tighter bound would refuse a good file.
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(idx_bytes(np.zeros(10**7, np.uint8))))
    assert 10**7 / path.stat().st_size > 1000
    assert len(read_idx(path)) == 10**7


def test_numbers_beyond_the_memory_that_is_free_are_refused(tmp_path, idx_bytes, monkeypatch):
    (tmp_path / "file").write_bytes(idx_bytes(np.zeros(100, np.uint8)))
    monkeypatch.setattr(untrusted_files, "available_memory", lambda: 99)
    assert "needs 100 bytes of memory, and 99 bytes are free" in refused(tmp_path / "file")
    monkeypatch.setattr(untrusted_files, "available_memory", lambda: 100)
    assert len(read_idx(tmp_path / "file")) == 100


def test_packed_numbers_that_grow_too_far_are_refused_and_unpacked_ones_are_not(tmp_path, idx_bytes, monkeypatch):
    monkeypatch.setattr(untrusted_files, "FREE_EXPANSION", 99_999)
    content = idx_bytes(np.zeros(100_000, np.uint8))
    for name, pack in (("raw", bytes), ("packed", gzip.compress)):
        (tmp_path / name).write_bytes(pack(content))
    assert "to 100,000 bytes, more than is believed of packed data; if they are right" in refused(
        tmp_path / "packed"
    )
    assert len(read_idx(tmp_path / "raw")) == 100_000


def test_a_header_that_promises_exactly_the_files_size_is_decided_by_its_content(tmp_path):
    # 13 bytes promised, 13 bytes of file, header included: not more than it can hold, but cut short.
    (tmp_path / "file").write_bytes(b"\0\0\x08\x01" + struct.pack(">I", 13) + b"12345")
    assert "holds 5 of the 13 bytes" in refused(tmp_path / "file")


def test_missing_files_and_folders_are_refused(tmp_path):
    assert "No such file" in refused(tmp_path / "missing")
    assert "is not a regular file" in refused(tmp_path)


def test_an_unreadable_file_is_refused(tmp_path, idx_bytes, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(idx_bytes(NUMBERS.astype(np.uint8)))

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)  # root may read everything, so chmod would not do
    assert "cannot be read: Permission denied" in refused(path)


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    messages = []
    reader = threading.Thread(target=lambda: messages.append(refused(path)), daemon=True)
    reader.start()
    reader.join(timeout=5)
    assert messages == [f"{path}: is not a regular file"]


def test_damaged_copies_are_refused_or_keep_the_declared_form(tmp_path_factory, idx_bytes):
    folder = tmp_path_factory.mktemp("damaged")
    path = folder / "file"
    raw = idx_bytes(np.arange(12, dtype=np.uint8).reshape(3, 4))

    @given(
        content=st.sampled_from([raw, gzip.compress(raw, mtime=0)]),
        flips=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 255)), max_size=3),
        length=st.integers(0, 60),
    )
    def check(content, flips, length):
        damaged = bytearray(content[:length])
        for place, mask in flips:
            if place < len(damaged):
                damaged[place] ^= mask
        path.write_bytes(damaged)
        try:
            read = read_idx(path)
        except FileError:
            refused(path)
            return
        plain = bytes(damaged) if damaged[:2] != b"\x1f\x8b" else gzip.decompress(damaged)
        axes = plain[3]
        assert read.shape == struct.unpack_from(f">{axes}I", plain, 4)
        assert read.astype(TYPES[plain[2]]).tobytes() == plain[4 + 4 * axes :]

    check()
