import gzip
import io
import zipfile

import polars as pl
import pytest

from glassnet.data import text_files, untrusted_files
from glassnet.data.read_options import ReadOptions
from glassnet.data.table import is_parquet, is_table, read_table
from glassnet.errors import FileError, UsageError

TEXT = "Länge,b\n1.5,x\n2,é\n"
ROWS = [(1.5, "x"), (2.0, "é")]


def written(folder, content, name="table.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def zipped(members, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def refused(path, options=None):
    with pytest.raises(FileError) as caught:
        read_table(path, options)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    return message.removeprefix(f"{path}: ")


PACKINGS = {
    "plain": ("t.csv", TEXT.encode(), None),
    "capitals": ("T.CSV", TEXT.encode(), None),
    "data": ("t.data", TEXT.encode(), None),
    "gzip": ("t.csv.gz", gzip.compress(TEXT.encode()), None),
    "gzip in capitals": ("t.TXT.GZ", gzip.compress(TEXT.encode()), None),
    "zip": ("t.csv.zip", zipped({"folder/": "", "folder/t.csv": TEXT, "__MACOSX/._t.csv": "x"}), None),
    "stored zip": ("t.data.zip", zipped({"t.data": TEXT}, zipfile.ZIP_STORED), None),
    "gzip in truth": ("t.csv", gzip.compress(TEXT.encode()), "gzip"),
    "zip in truth": ("t.csv.gz", zipped({"t": TEXT}), "zip"),
    "plain in truth": ("t.csv.gz", TEXT.encode(), "plain text"),
    "zip by name": ("t.csv.zip", TEXT.encode(), "plain text"),
}


@pytest.mark.parametrize(("name", "content", "said"), PACKINGS.values(), ids=PACKINGS)
def test_packed_text_is_unpacked_by_its_first_bytes(tmp_path, name, content, said):
    assert is_table(name)
    read = read_table(written(tmp_path, content, name))
    assert read.frame.rows() == ROWS
    assert read.remarks == ((f"read as {said}, which it is by its first bytes",) if said else ())


def test_names_of_tables():
    assert all(is_table(name) for name in ("a.tsv.zip", "a.PQ", "a.parquet", "a.Xlsx", "b/c.data"))
    assert not any(is_table(name) for name in ("a.zip", "a.gz", "a.parquet.gz", "a.xls", "csv", "a.npz"))
    assert is_parquet("a.PQ")
    assert not is_parquet("a.csv")


BAD_ZIPS = {
    "empty": (zipped({}), "is a zip of 0 files; expected one"),
    "two": (zipped({"a.csv": TEXT, "b.csv": TEXT}), "is a zip of 2 files"),
    "workbook": (
        zipped({"[Content_Types].xml": "", "xl/a.xml": ""}),
        "is an Excel workbook by its content: name it .xlsx",
    ),
    "other packing": (zipped({"a.csv": TEXT}, zipfile.ZIP_BZIP2), "packed in another way"),
    "cut": (zipped({"a.csv": TEXT})[:-30], "is damaged (File is not a zip file)"),
    "gzip inside": (zipped({"a.csv": gzip.compress(TEXT.encode())}), "it is gzip"),
    "empty inside": (zipped({"a.csv": b""}), "is empty once unpacked"),
    "no packing at all": (b"PK\x03\x04" + bytes(50), "is damaged (File is not a zip file)"),
}


@pytest.mark.parametrize(("content", "said"), BAD_ZIPS.values(), ids=BAD_ZIPS)
def test_bad_zips_are_refused(tmp_path, content, said):
    assert said in refused(written(tmp_path, content, "t.csv.zip"))


def test_a_zip_whose_text_is_damaged_or_locked_is_refused(tmp_path):
    good = bytearray(zipped({"a.csv": TEXT}, zipfile.ZIP_STORED))
    at = good.index(b"1.5")
    damaged = bytes(good[:at]) + b"9" + bytes(good[at + 1 :])
    assert "is damaged (Bad CRC-32" in refused(written(tmp_path, damaged, "t.csv.zip"))
    locked = bytearray(good)
    locked[6] |= 1
    locked[good.index(b"PK\x01\x02") + 8] |= 1
    assert "with a password" in refused(written(tmp_path, bytes(locked), "t.csv.zip"))
    lying = bytearray(good)
    place = good.index(b"PK\x01\x02") + 24
    lying[place : place + 4] = b"\xff\xff\xff\x7f"
    assert "promises 2,147,483,647 bytes" in refused(written(tmp_path, bytes(lying), "t.csv.zip"))


@pytest.mark.parametrize("pack", [gzip.compress, lambda text: zipped({"a": text})], ids=["gzip", "zip"])
def test_what_unpacks_to_more_than_is_believed_is_refused(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(untrusted_files, "FREE_EXPANSION", 1000)
    monkeypatch.setattr(untrusted_files, "EXPANSION", 2)
    text = b"a,b\n" + b"1,2\n" * 10_000
    assert "unpacks from " in refused(written(tmp_path, pack(text), "t.csv.gz"))
    assert read_table(written(tmp_path, text)).frame.height == 10_000


ENCODED = {
    "UTF-8 with a mark": (TEXT.encode("utf-8-sig"), None),
    "UTF-16": (TEXT.encode("utf-16"), None),
    "UTF-16, big end first": (b"\xfe\xff" + TEXT.encode("utf-16-be"), None),
    "UTF-16 without a mark": (TEXT.encode("utf-16-le"), "utf-16-le"),
    "UTF-16 said": (TEXT.encode("utf-16"), "utf-16"),
    "UTF-8 said of UTF-16": (TEXT.encode("utf-16"), "utf-8"),
    "Latin 1": (TEXT.encode("latin-1"), "latin-1"),
    "Windows": (TEXT.encode("cp1252"), "Windows-1252"),
    "old Mac": (TEXT.replace("\n", "\r").encode(), None),
    "old Mac in UTF-16": (TEXT.replace("\n", "\r").encode("utf-16"), None),
    "old Mac's own": (TEXT.replace("\n", "\r").encode("mac-roman"), "mac-roman"),
    "DOS": (TEXT.replace("\n", "\r\n").encode("cp437"), "cp437"),
}


@pytest.mark.parametrize(("content", "encoding"), ENCODED.values(), ids=ENCODED)
def test_encodings_and_line_ends(tmp_path, monkeypatch, content, encoding):
    for head in (1 << 16, 7):
        monkeypatch.setattr(text_files, "HEAD", head)
        if head == 7 and b"\r" in content.replace(b"\0", b"") and not content.endswith((b"\n", b"\n\0")):
            continue  # seven bytes hold no line end, which would tell old Macs
        for name, pack in (("t.csv", bytes), ("t.csv.gz", gzip.compress)):
            read = read_table(written(tmp_path, pack(content), name), ReadOptions(encoding=encoding))
            assert read.frame.columns == ["Länge", "b"]
            assert read.frame.rows() == ROWS


def test_text_that_is_not_in_its_encoding_is_refused_by_its_byte(tmp_path):
    path = written(tmp_path, TEXT.encode("latin-1"))
    said = refused(path)
    assert said.startswith("line 1: byte 2 is 0xe4, which is not UTF-8")
    assert "--encoding latin-1" in said
    with pytest.raises(FileError, match=r"not UTF-8; save the file as UTF-8, or give predict or evaluate"):
        read_table(path, as_text=True)
    assert "byte 2 of the text is not ascii" in refused(path, ReadOptions(encoding="ascii"))
    half = b"\xff\xfea\0,\0b\0\n\0" + b"1\0,\0\x00\xd8x\0\n\0"
    assert "byte 15 of the text is not utf-16-le" in refused(written(tmp_path, half))
    assert "not utf-16-le" in refused(
        written(tmp_path, TEXT.encode("utf-16-le")[:-1]), ReadOptions(encoding="utf-16-le")
    )


@pytest.mark.parametrize("name", ["latin-x", "base64", "rot13", "hex", "undefined", "", "\0"])
def test_what_is_no_encoding_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="encoding: no encoding of text"):
        read_table(written(tmp_path, TEXT), ReadOptions(encoding=name))


def test_names_that_look_like_other_formats_are_names(tmp_path):
    for name in ("PKW", "PAR1", "ARROW", "BM"):
        assert read_table(written(tmp_path, f"{name},b\n1,2\n")).frame.columns == [name, "b"]


def test_a_parquet_file_is_no_text(tmp_path):
    pl.DataFrame({"a": [1], "b": [2]}).write_parquet(tmp_path / "t.csv")
    assert "is no text as its name says; by its first bytes (50 41 52 31) it is Parquet" in refused(
        tmp_path / "t.csv"
    )
