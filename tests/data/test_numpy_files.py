import gzip
import io
import os
import pickle
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glassnet.data import numpy_files, untrusted_files
from glassnet.data.numpy_files import list_npz, read_npz
from glassnet.errors import FileError

ROWS = np.linspace(-1, 1, 12).reshape(3, 4)
ARRAYS = {"X": ROWS, "y": np.array([0, 1, 1]), "mask": np.array([[True], [False]])}

#: More for a night, e.g. 500 times: GLASSNET_FUZZ=500 pytest -k damaged_npz.
FUZZ = int(os.environ.get("GLASSNET_FUZZ", "1"))


def refused(path, *arguments, **options):
    """Return the message with which `path` is refused, after checking that it is one line and names the file."""
    with pytest.raises(FileError) as caught:
        read_npz(path, *arguments, **options)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert len(message.splitlines()) == 1
    assert len(message) < len(str(path)) + 1500
    return message


def npy(
    header="{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", content=b"\0" * 16, version=1, length=None
):
    """Return an NPY file with any header."""
    text = header.encode("latin-1" if version < 3 else "utf-8")
    length = struct.pack("<H" if version == 1 else "<I", len(text) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + content


def header(descr="'<f8'", shape="(2,)", order="False"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


def saved(array, **options):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


def zipped(members, method=zipfile.ZIP_DEFLATED):
    """Return a zip of (name, content) pairs; `zipfile` warns of a name that occurs twice."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return buffer.getvalue()


def by_hand(name=b"X.npy", content=None, packed=None, method=8, local=None, offset=None, **fields):
    """Return the local record and the central entry of a member, any field of which may lie."""
    content = npy() if content is None else content
    if packed is None:
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = deflate.compress(content) + deflate.flush() if method == 8 else content
    f = {"flags": 0, "crc": zlib.crc32(content), "packed_size": len(packed), "size": len(content)} | fields
    sizes = f["crc"], f["packed_size"], f["size"]
    shared = struct.pack("<HHHHHIII", 20, f["flags"], method, 0, 33, *sizes)
    local = name if local is None else local
    record = b"PK\3\4" + shared + struct.pack("<HH", len(local), 0) + local + packed
    entry = struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, offset or 0) + name
    return record, b"PK\1\2" + struct.pack("<H", 20) + shared + entry


def archive(*members):
    """Return the zip of members made `by_hand`; each has the place it gives itself."""
    records, entries = b"".join(m[0] for m in members), b"".join(m[1] for m in members)
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(entries), len(records), 0)
    return records + entries + b"PK\5\6" + end


def small_npz(path, save=np.savez_compressed, **arrays):
    save(path, **(arrays or ARRAYS))
    return path


def same(read, arrays):
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype.newbyteorder("=")
        assert read[name].dtype.isnative
        assert read[name].flags.c_contiguous
        assert read[name].flags.writeable
        np.testing.assert_array_equal(read[name], array, strict=False)
        assert read[name].shape == array.shape


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back_as_they_are(tmp_path, save):
    same(read_npz(str(small_npz(tmp_path / "a.npz", save))), ARRAYS)


def test_only_the_named_arrays_are_read_in_the_order_of_the_names(tmp_path):
    path = small_npz(tmp_path / "a.npz")
    same(read_npz(path, ["y", "X"]), {"y": ARRAYS["y"], "X": ROWS})
    assert read_npz(path, []) == {}
    assert "holds no array 'Z', only X, y, mask" in refused(path, ["X", "Z"])


def test_what_is_not_named_may_be_anything(tmp_path):
    objects = saved(np.array([{}], object))
    path = tmp_path / "a.npz"
    path.write_bytes(zipped([("X.npy", saved(ROWS)), ("notes.txt", b"hello"), ("o.npy", objects)]))
    same(read_npz(path, ["X"]), {"X": ROWS})
    assert "'notes.txt' is no array" in refused(path)


def test_order_and_bytes_become_those_of_the_machine(tmp_path):
    arrays = {
        "f": np.asfortranarray(ROWS),
        "big": ROWS.astype(">f4"),
        "both": np.asfortranarray(np.arange(6).reshape(2, 3).astype(">i2")),
        "scalar": np.array(5),
        "none": np.zeros((0, 28, 28), np.uint8),
        "a/kernel:0": np.float16([1, np.nan]),
    }
    same(read_npz(small_npz(tmp_path / "a.npz", **arrays)), arrays)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_all_versions_of_the_header_are_read(tmp_path, version):
    path = tmp_path / "a.npz"
    path.write_bytes(zipped([("X.npy", saved(ROWS, version=version))]))
    same(read_npz(path), {"X": ROWS})


def test_headers_of_python_2_are_read(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(zipped([("X.npy", npy(header(shape="(2L,)")))]))
    same(read_npz(path), {"X": np.zeros(2)})


def test_content_longer_than_a_chunk_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(untrusted_files, "CHUNK", 7)
    for save in (np.savez, np.savez_compressed):
        same(read_npz(small_npz(tmp_path / "a.npz", save)), ARRAYS)


def test_the_most_that_deflate_can_hold_is_read(tmp_path):
    zeros = np.zeros(10**7, np.uint8)
    path = small_npz(tmp_path / "a.npz", zeros=zeros)
    assert 10**7 / path.stat().st_size > 900
    same(read_npz(path), {"zeros": zeros})


@pytest.mark.real_data
def test_medmnist_is_read_as_numpy_reads_it(fashion_mnist_home):
    path = Path(fashion_mnist_home) / "medmnist" / "breastmnist.npz"
    with np.load(path) as loaded:
        same(read_npz(path), dict(loaded))


DTYPES = st.one_of(hnp.boolean_dtypes(), hnp.integer_dtypes(endianness="?"), hnp.floating_dtypes(endianness="?"))
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)


def test_round_trips(tmp_path_factory):
    path = tmp_path_factory.mktemp("trips") / "a.npz"

    @given(
        arrays=st.lists(hnp.arrays(DTYPES, SHAPES), min_size=1, max_size=3),
        save=st.sampled_from([np.savez, np.savez_compressed]),
        fortran=st.booleans(),
    )
    def check(arrays, save, fortran):
        named = {f"a{i}": np.asarray(a, order="F" if fortran else "C") for i, a in enumerate(arrays)}
        same(read_npz(small_npz(path, save, **named)), named)

    check()


WORDS = st.one_of(hnp.unicode_string_dtypes(endianness="?", max_len=4), hnp.byte_string_dtypes(max_len=4))


def test_text_comes_back_where_it_may_stand(tmp_path_factory):
    path = tmp_path_factory.mktemp("trips") / "a.npz"

    @given(array=hnp.arrays(WORDS, SHAPES), save=st.sampled_from([np.savez, np.savez_compressed]))
    def check(array, save):
        save(path, X=ROWS, y=array)
        same(read_npz(path, text=("y",)), {"X": ROWS, "y": array})
        assert "'y.npy' holds values of type " in refused(path)
        assert "'y.npy' holds values of type " in refused(path, text=("X",))

    check()


TEXTS = {
    "wide": (npy(header(descr="'<U4097'")), "type <U4097, longer than the 4,096 of a label"),
    "too few": (npy(header(descr="'<U4096'")), "32,768 bytes, and 16 bytes follow it"),
    "of no width": (npy(header(descr="'<U0'", shape=f"({2**62},)"), b""), "no array can hold"),
    "beyond Unicode": (npy(header(descr="'<U2'"), b"\0\0\x11\0" * 4), "codes that stand for no character"),
    "half a character": (npy(header(descr="'>U2'"), b"\0\0\xd8\0" * 4), "codes that stand for no character"),
    "objects": (npy(header(descr="'|O'")), "never read; expected numbers, or text saved as y.astype(str)"),
    "dates": (saved(np.zeros(2, "M8[D]")), "expected whole numbers, floats, bools or text"),
}


@pytest.mark.parametrize(("content", "said"), TEXTS.values(), ids=TEXTS)
def test_text_is_bounded_and_checked(tmp_path, content, said):
    path = tmp_path / "a.npz"
    path.write_bytes(zipped([("y.npy", content)]))
    tracemalloc.start()
    message = refused(path, text=("y",))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert said in message
    assert peak < 2**24


def test_members_are_listed_without_being_read(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(zipped([("X.npy", npy()), ("y.npy", b"broken")]))
    assert list_npz(path) == ("X", "y")
    path.write_bytes(zipped([("X.npy", npy()), ("notes.txt", b"hello")]))
    with pytest.raises(FileError, match=r"'notes\.txt' is no array"):
        list_npz(path)


HUGE = 2**62
BAD_HEADERS = {
    "more rows": (
        npy(header(shape="(1000, 4)")),
        "promises 1000 x 4 values of type float64, 32,000 bytes, and 16 bytes follow it",
    ),
    "fewer rows": (
        npy(header(shape="(1,)")),
        "promises 1 values of type float64, 8 bytes, and 16 bytes follow it",
    ),
    "huge": (npy(header(shape=f"({HUGE}, {HUGE})")), f"promises {HUGE} x {HUGE} values"),
    "wraps to 16 bytes": (npy(header(shape=f"({2**61 + 2},)")), "follow it"),
    "0 x huge": (npy(header(shape=f"(0, {HUGE}, {HUGE})"), b""), "no array can hold"),
    "negative": (npy(header(shape="(-2,)")), "not whole numbers from 0"),
    "two negatives": (npy(header(shape="(-1, -2)")), "not whole numbers from 0"),
    "true": (npy(header(shape="(True, 2)")), "not whole numbers from 0"),
    "a number of 9000 digits": (npy(header(shape=f"(0x{'f' * 9000},)")), "not whole numbers from 0"),
    "float": (npy(header(shape="(2.0,)")), "describes no array"),
    "list": (npy(header(shape="[2]")), "describes no array"),
    "65 axes": (npy(header(shape=f"({'1, ' * 64} 2)")), "65 axes, expected at most 64"),
    "no end": (npy(header()[:-3]), "describes no array"),
    "an expression": (npy("__import__('os').mkdir('sprung')"), "describes no array"),
    "a call": (npy(header(shape="(exec('1'),)")), "describes no array"),
    "no dictionary": (npy("(3, 4)"), "describes no array"),
    "a key too many": (npy(header()[:-1] + "'x': 1}"), "describes no array"),
    "a key too few": (npy("{'descr': '<f8', 'shape': (2,)}"), "describes no array"),
    "order": (npy(header(order="1")), "describes no array"),
    "nothing": (npy(""), "describes no array"),
    "nested": (npy("[" * 4000 + "]" * 4000), "describes no array"),
    "powers": (npy("1" + "**9" * 3000), "describes no array"),
    "signs": (npy("-" * 9000 + "1"), "describes no array"),
    "no type": (npy(header(descr="()")), "describes no array"),
    "unknown type": (npy(header(descr="'<q9'")), "describes no array"),
    "f3": (npy(header(descr="'<f3'")), "describes no array"),
    "objects": (npy(header(descr="'|O'")), "pickled Python objects"),
    "objects within": (npy(header(descr="[('a', '|O')]")), "pickled Python objects"),
    "text": (saved(np.array(["ab"])), "type <U2, expected whole numbers, floats or bools"),
    "bytes": (saved(np.array([b"ab"])), "type |S2, expected"),
    "structured": (saved(np.zeros(2, [("a", "f8")])), "type [('a', '<f8')], expected"),
    "subarrays": (npy(header(descr="('<f8', (2,))", shape="(1,)")), "expected whole numbers"),
    "void": (saved(np.zeros(2, "V8")), "expected whole numbers"),
    "void of nothing": (npy(header(descr="'|V0'", shape=f"({HUGE},)"), b""), "expected whole numbers"),
    "dates": (saved(np.zeros(2, "M8[D]")), "expected whole numbers"),
    "complex": (saved(np.zeros(2, complex)), "expected whole numbers"),
    "bool of 2": (npy(header(descr="'|b1'"), b"\1\2"), "other bytes than 0 and 1"),
    "1 MB of header": (
        npy(header().ljust(10**6), version=2),
        "a header of 1,000,000 bytes, expected at most 10,000",
    ),
    "4 GB of header": (npy(version=2, length=2**32 - 1), "a header of 4,294,967,295 bytes"),
    "header beyond the end": (npy(length=5000), "ends within its header of 5,000 bytes"),
    "not Unicode": (npy(header(descr="'é'"), version=2), "describes no array"),
    "version 0": (npy(version=1).replace(b"Y\1\0", b"Y\0\0"), "version 0.0, expected 1.0, 2.0 or 3.0"),
    "version 4": (npy(version=4), "version 4.0"),
    "version 1.1": (npy().replace(b"Y\1\0", b"Y\1\1"), "version 1.1"),
    "magic": (b"\x93NUMPx" + npy()[6:], "is no NPY file: it begins with 93 4e 55"),
    "text file": (b"1,2,3\n", "is no NPY file"),
    "pickle": (pickle.dumps([1]), "is no NPY file"),
    "no bytes": (b"", "is empty"),
    "magic only": (b"\x93NUMPY", "is no NPY file"),
    "version only": (b"\x93NUMPY\1\0", "ends within its header"),
    "nested zip": (zipped([("X.npy", npy())]), "is no NPY file: it begins with 50 4b 03 04"),
}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
@pytest.mark.parametrize(("content", "said"), BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_member_that_is_no_array_of_numbers_is_refused(tmp_path, content, said, method, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.npz"
    path.write_bytes(zipped([("good.npy", saved(ROWS)), ("X.npy", content)], method))
    tracemalloc.start()
    message = refused(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "the member 'X.npy' " in message
    assert said in message
    assert peak < 2**24
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.npz"]


GOOD = zipped([("X.npy", npy()), ("y.npy", npy())])
MANY_ZEROS = by_hand(content=npy() + bytes(10**7))[0][35:]
BEYOND = 4 * 10**9


BAD_ARCHIVES = {
    "empty": (b"", "is empty"),
    "text": (b"hello, world", "is no NPZ file: it begins with 68 65 6c 6c"),
    "an NPY file": (npy(), "is no NPZ file: it begins with 93 4e 55 4d"),
    "a pickle": (pickle.dumps({"X": 1}), "is no NPZ file"),
    "gzip": (gzip.compress(GOOD), "is no NPZ file: it begins with 1f 8b"),
    "something before it": (b"#!sh" + GOOD, "is no NPZ file"),
    "magic only": (b"PK\3\4", "damaged or truncated"),
    "zeros after the magic": (b"PK\3\4" + bytes(1000), "damaged or truncated"),
    "no table of contents": (by_hand()[0], "damaged or truncated"),
    "table cut": (GOOD[: GOOD.index(b"PK\1\2") + 20], "damaged or truncated"),
    "table of contents moved": (GOOD[:-6] + struct.pack("<I", 10**6) + GOOD[-2:], "overlaps what follows"),
    "table of contents too large": (GOOD[:-10] + struct.pack("<I", 10**6) + GOOD[-6:], "damaged or truncated"),
    "no members": (zipped([]), "holds no arrays: the zip is empty"),
    "encrypted": (archive(by_hand(flags=1)), "is encrypted"),
    "strongly encrypted": (archive(by_hand(flags=0x41)), "is encrypted"),
    "patched": (archive(by_hand(flags=0x20)), "is damaged (compressed patched data"),
    "bzip2": (zipped([("X.npy", npy())], zipfile.ZIP_BZIP2), "compressed by method 12, expected 0"),
    "lzma": (zipped([("X.npy", npy())], zipfile.ZIP_LZMA), "compressed by method 14, expected 0"),
    "unknown method": (archive(by_hand(method=99, packed=npy())), "compressed by method 99"),
    "twice the same name": (zipped([("X.npy", npy()), ("X.npy", npy())]), "occurs 2 times, expected once"),
    "upwards": (zipped([("../X.npy", npy())]), "no plain name"),
    "upwards within": (zipped([("a/../../X.npy", npy())]), "no plain name"),
    "absolute": (zipped([("/etc/X.npy", npy())]), "no plain name"),
    "drive": (zipped([("C:/X.npy", npy())]), "no plain name"),
    "backslash": (zipped([("..\\X.npy", npy())]), "no plain name"),
    "no name": (zipped([(".npy", npy())]), "no plain name"),
    "end of text in the name": (archive(by_hand(name=b"X.npy\0.txt")), r"'X.npy\x00.txt' has a name"),
    "empty name": (archive(by_hand(name=b"")), "no plain name"),
    "folder": (zipped([("a/", b"")]), "no plain name"),
    "line feed in the name": (zipped([("X\n.txt", npy())]), r"'X\n.txt' is no array"),
    "long name": (zipped([("x" * 60000, npy())]), "is no array"),
    "name not in UTF-8": (archive(by_hand(name=b"\xff\xfe.npy", flags=0x800)), "damaged or truncated"),
    "another name before the content": (archive(by_hand(local=b"Y.npy")), "is damaged (File name in directory"),
    "no array": (zipped([("X.npy", npy()), ("inner.npz", GOOD)]), "'inner.npz' is no array"),
    "wrong checksum": (archive(by_hand(crc=1)), "'X.npy' is damaged (Bad CRC-32"),
    "wrong checksum, stored": (archive(by_hand(crc=1, method=0)), "'X.npy' is damaged (Bad CRC-32"),
    "wrong checksum of no numbers": (
        archive(by_hand(content=npy(header(shape="(0,)"), b""), crc=1)),
        "Bad CRC-32",
    ),
    "declares more": (archive(by_hand(size=10**4)), "promises 2 values"),
    "declares more than deflate can": (archive(by_hand(size=BEYOND)), "declares 4,000,000,000 bytes, which its"),
    "yields fewer": (archive(by_hand(content=npy()[:-5], size=len(npy()))), "holds 11 of the 16 bytes"),
    "declares fewer": (archive(by_hand(size=80)), "Bad CRC-32"),
    "declares fewer and yields more": (
        archive(by_hand(packed=MANY_ZEROS, size=len(npy()), crc=zlib.crc32(npy()))),
        "the member 'X.npy' ",
    ),
    "declares a byte fewer": (archive(by_hand(content=npy() + b"1", size=len(npy()))), "more than the 16 bytes"),
    "declares a byte fewer, wrong checksum": (
        archive(by_hand(content=npy() + b"1", size=83, crc=1)),
        "Bad CRC-32",
    ),
    "stored declares more": (archive(by_hand(method=0, size=500)), "stored bytes cannot hold"),
    "stored declares fewer": (archive(by_hand(method=0, size=50)), "stored bytes cannot hold"),
    "no deflate": (archive(by_hand(packed=b"\xff" * 90)), "is damaged (Error -3"),
    "deflate cut": (archive(by_hand(packed=by_hand()[0][35:-9])), "the member 'X.npy' "),
    "beyond the end": (archive(by_hand(packed=b"1" * 50, offset=10**8)), "overlaps what follows"),
    "larger than the file": (archive(by_hand(method=0, size=10**9, packed_size=10**9)), "overlaps"),
    "overlapping": (archive(by_hand(), (b"", by_hand(name=b"Y.npy")[1])), "overlaps"),
    "overlapping in part": (archive(by_hand(), by_hand(name=b"Y.npy", offset=20)), "overlaps"),
    "no local header": (archive((b"PK\3\4" + bytes(300), by_hand(offset=50)[1])), "is damaged (Bad magic number"),
}


@pytest.mark.parametrize(("content", "said"), BAD_ARCHIVES.values(), ids=BAD_ARCHIVES)
def test_what_is_no_whole_npz_file_is_refused(tmp_path, content, said):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    tracemalloc.start()
    began = time.perf_counter()
    message = refused(path)
    seconds, (_, peak) = time.perf_counter() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert said in message
    assert seconds < 5
    assert peak < 2**24


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_file_cut_anywhere_is_refused(tmp_path, save):
    whole = small_npz(tmp_path / "whole.npz", save).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "a.npz").write_bytes(whole[:length])
        refused(tmp_path / "a.npz")


def test_a_member_cut_anywhere_is_refused(tmp_path):
    path, whole = tmp_path / "a.npz", npy()
    for length in range(len(whole)):
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            path.write_bytes(zipped([("X.npy", whole[:length])], method))
            assert "the member 'X.npy' " in refused(path)


def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = small_npz(tmp_path / "a.npz", np.savez, X=np.zeros(10**5))
    real = numpy_files._check_members

    def shrinking(*arguments):
        members = real(*arguments)
        os.truncate(path, 5 * 10**5)
        return members

    monkeypatch.setattr(numpy_files, "_check_members", shrinking)
    assert "the member 'X.npy' is damaged (it ends early)" in refused(path)


class Exploding:
    """Pickled, it calls `os.mkdir` when someone unpickles it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_nothing_is_unpickled(tmp_path):
    trap, path = tmp_path / "sprung", tmp_path / "a.npz"
    objects = np.empty(2, object)
    objects[:] = Exploding(str(trap))
    payload = pickle.dumps(Exploding(str(trap)))
    np.savez(path, X=objects)
    assert "holds pickled Python objects, which are never read" in refused(path)
    for content, said in [
        (payload, "is no NPY file"),
        (npy(header(descr="'|O'", shape="()"), payload), "pickled Python objects"),
        (npy(header(descr=f"'|V{len(payload)}'", shape="()"), payload), "expected whole numbers"),
    ]:
        path.write_bytes(zipped([("X.npy", content)]))
        assert said in refused(path)
    assert not trap.exists()
    pickle.loads(payload)  # the trap works
    assert trap.exists()


def test_more_than_may_be_read_is_refused_before_it_is_unpacked(tmp_path):
    path = small_npz(tmp_path / "a.npz", X=np.zeros(10**7), y=np.zeros(3))
    tracemalloc.start()
    assert "declares arrays of 80,000,280 bytes, more than the 80,000,279 that" in refused(
        path, most_bytes=80_000_279
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20
    assert len(read_npz(path, ["y"], most_bytes=152)["y"]) == 3
    assert len(read_npz(path, most_bytes=80_000_280)) == 2


def test_a_table_of_contents_of_millions_of_members_is_refused_at_once(tmp_path):
    path = tmp_path / "a.npz"
    record, entry = by_hand()
    entries = entry * (2**23 // len(entry))
    end = struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entries), len(record), 0)
    path.write_bytes(record + entries + b"PK\5\6" + end)
    tracemalloc.start()
    assert "table of contents of 8,388,5" in refused(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def bomb(kind):
    """Return a zip that would expand to gigabytes."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    kernel = b"".join(deflate.compress(bytes(10**6)) for _ in range(42)) + deflate.flush()  # 42 MB in 41 kB
    crc = zlib.crc32(bytes(42 * 10**6))
    sizes = {"packed_size": len(kernel), "size": 42 * 10**6, "crc": crc}
    if kind == "overlapping":  # two hundred entries for one content: 8 GB
        members = [by_hand(name=f"X{i}.npy".encode(), packed=kernel, **sizes) for i in range(200)]
        return archive(members[0], *((b"", entry) for _, entry in members[1:]))
    if kind == "lying":  # declares the least that deflate could not exceed, but yields 42 MB of no array
        return archive(by_hand(packed=kernel, size=len(kernel) * 1000, crc=crc))
    return archive(by_hand(packed=kernel, size=BEYOND, crc=crc))


MEASURE = """
import resource, sys
from glassnet.data.numpy_files import list_npz, read_npz
from glassnet.errors import FileError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    size = sum(array.nbytes for array in read_npz(sys.argv[1]).values())
except FileError as error:
    size = 0
    print(error, file=sys.stderr)
print(size, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def measured(path):
    """Return the bytes read, the growth of the process and the message, from a process of its own."""
    command = [sys.executable, "-c", MEASURE, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return *map(int, done.stdout.split()), done.stderr


@pytest.mark.parametrize(
    ("kind", "said"),
    [("overlapping", "overlaps"), ("lying", "is no NPY file"), ("huge", "cannot hold")],
)
def test_zip_bombs_cost_neither_time_nor_memory(tmp_path, kind, said):
    path = tmp_path / "a.npz"
    path.write_bytes(bomb(kind))
    assert path.stat().st_size < 60_000
    began = time.perf_counter()
    size, grown, message = measured(path)
    assert time.perf_counter() - began < 5
    assert size == 0
    assert grown < 50 * 10**6
    assert said in message
    assert len(message.splitlines()) == 1


def test_memory_stays_below_twice_the_honest_size(tmp_path):
    array = np.ones((3000, 5000), ">f8", order="F")  # 120 MB, to be turned twice
    size, grown, _ = measured(small_npz(tmp_path / "a.npz", np.savez, X=array))
    assert size == array.nbytes
    assert grown < 2 * size + 200 * 10**6


def test_a_promise_that_the_content_breaks_costs_what_the_content_holds(tmp_path):
    text = npy(header(descr="'|u1'", shape=f"({3 * 10**8},)"), b"")
    deflate = zlib.compressobj(0, zlib.DEFLATED, -15)
    packed = deflate.compress(text + bytes(2 * 10**6)) + deflate.flush()
    (tmp_path / "a.npz").write_bytes(archive(by_hand(packed=packed, size=3 * 10**8 + len(text), crc=1)))
    size, grown, message = measured(tmp_path / "a.npz")
    assert size == 0
    assert grown < 50 * 10**6
    assert "'X.npy' is " in message


def test_packed_arrays_that_grow_too_far_are_refused_and_unpacked_ones_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(untrusted_files, "FREE_EXPANSION", 1000)
    np.savez_compressed(tmp_path / "packed.npz", X=np.zeros(100_000))
    np.savez(tmp_path / "raw.npz", X=np.zeros(100_000))
    assert "bytes, more than is believed of packed data" in refused(tmp_path / "packed.npz")
    assert len(read_npz(tmp_path / "raw.npz")["X"]) == 100_000


def test_missing_files_folders_and_devices_are_refused(tmp_path):
    assert "No such file" in refused(tmp_path / "missing.npz")
    assert "is not a regular file" in refused(tmp_path)
    assert "is not a regular file" in refused("/dev/zero")
    (tmp_path / "link.npz").symlink_to(tmp_path / "nowhere")
    assert "No such file" in refused(tmp_path / "link.npz")


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    messages = []
    reader = threading.Thread(target=lambda: messages.append(refused(tmp_path / "pipe")), daemon=True)
    reader.start()
    reader.join(timeout=5)
    assert messages == [f"{tmp_path / 'pipe'}: is not a regular file"]


def test_an_unreadable_file_is_refused(tmp_path, monkeypatch):
    path = small_npz(tmp_path / "a.npz")

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)  # root may read everything, so chmod would not do
    assert "cannot be read: Permission denied" in refused(path)


def test_too_little_memory_is_an_error_that_names_the_file(tmp_path, monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(numpy_files, "_read_npy", full)
    assert "needs more memory than there is" in refused(small_npz(tmp_path / "a.npz"))


DAMAGES = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), st.floats(0, 1), st.integers(1, 255)),
        st.tuples(st.just("cut"), st.floats(0, 1), st.integers(1, 200)),
        st.tuples(st.just("insert"), st.floats(0, 1), st.binary(min_size=1, max_size=20)),
        st.tuples(st.just("end"), st.floats(0, 1), st.none()),
        st.tuples(st.just("copy"), st.floats(0, 1), st.floats(0, 1)),
    ),
    min_size=1,
    max_size=4,
)


def damage(content, damages):
    """Return a copy with bytes flipped, cut out, put in, or a stretch copied to another place."""
    copy = bytearray(content)
    for kind, where, what in damages:
        place = int(where * len(copy))
        if kind == "flip" and place < len(copy):
            copy[place] ^= what
        elif kind == "cut":
            del copy[place : place + what]
        elif kind == "insert":
            copy[place:place] = what
        elif kind == "copy":
            source = int(what * len(copy))
            copy[place : place + 16] = copy[source : source + 16]
        elif kind == "end":
            del copy[place:]
    return bytes(copy)


def test_damaged_npz_copies_are_refused_or_hold_plain_numbers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    path, originals = folder / "a.npz", []
    for save in (np.savez, np.savez_compressed):
        originals.append(small_npz(path, save).read_bytes())
    originals.append(zipped([("X.npy", saved(np.asfortranarray(ROWS), version=(3, 0))), ("y.npy", npy())]))

    @settings(max_examples=200 * FUZZ, deadline=None)
    @given(content=st.sampled_from(originals), damages=DAMAGES)
    def check(content, damages):
        damaged = damage(content, damages)
        path.write_bytes(damaged)
        began = time.perf_counter()
        try:
            for array in read_npz(path).values():
                assert array.dtype.kind in "biuf"
                assert array.dtype.isnative
                assert array.flags.c_contiguous
                assert array.nbytes <= untrusted_files.DEFLATE_LIMIT * len(damaged)
        except FileError:
            refused(path)
        assert time.perf_counter() - began < 5

    check()


def test_content_damaged_within_a_member_is_noticed(tmp_path_factory):
    """Flips in what the checksum covers, the header and the numbers: nothing but the original may come back."""
    path = tmp_path_factory.mktemp("damaged") / "a.npz"

    @settings(max_examples=200 * FUZZ, deadline=None)
    @given(
        save=st.sampled_from([np.savez, np.savez_compressed]),
        flips=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=3),
    )
    def check(save, flips):
        content = bytearray(small_npz(path, save, X=ROWS).read_bytes())
        start, end = 30 + len("X.npy") + struct.unpack_from("<H", content, 28)[0], content.index(b"PK\1\2")
        for where, mask in flips:
            content[start + int(where * (end - start - 1))] ^= mask
        path.write_bytes(content)
        try:
            same(read_npz(path), {"X": ROWS})
        except FileError:
            refused(path)

    check()
