import numpy as np
import pytest

from glassnet.data import label_text
from glassnet.data.label_text import read_label_text
from glassnet.errors import FileError

GOOD = {
    "whole": ("3\n-1\n2\n", [3, -1, 2], "i"),
    "beyond 2^53": ("9007199254740993\n1\n2", [9007199254740993, 1, 2], "i"),
    "floats": ("3\n1.5\r\n2e3\n", [3.0, 1.5, 2000.0], "f"),
    "text": (" a \nb\n3\n\n\n", ["a", "b", "3"], "O"),
    "codes": ("007\n012\n1\n", ["007", "012", "1"], "O"),
    "marked UTF-8": ("\ufeff1\n2\n3", [1, 2, 3], "i"),
    "words": ("é, è\nb\nc", ["é, è", "b", "c"], "O"),
}


@pytest.mark.parametrize(("text", "labels", "kind"), GOOD.values(), ids=GOOD)
def test_labels_are_read_one_a_line(tmp_path, text, labels, kind):
    (tmp_path / "y.txt").write_text(text, encoding="utf-8", newline="")
    read, remarks = read_label_text(tmp_path / "y.txt", 3)
    assert (read.tolist(), read.dtype.kind, remarks) == (labels, kind, ())


def test_one_line_more_is_a_heading(tmp_path):
    (tmp_path / "y.csv").write_text("label\n1\n2\n")
    read, remarks = read_label_text(tmp_path / "y.csv", 2)
    assert read.tolist() == [1, 2]
    assert remarks == ("y.csv has one line more than there are rows: the first, 'label', is a heading",)
    (tmp_path / "z.csv").write_text("label\n1\nx\n3\n")
    with pytest.raises(FileError, match="line 3: 'x' is no finite number, but 2 of 3 labels are"):
        read_label_text(tmp_path / "z.csv", 3)
    for rows in (1, 5):  # whoever joins them to rows says that they are not as many
        assert read_label_text(tmp_path / "y.csv", rows)[0].tolist() == ["label", "1", "2"]
    with pytest.raises(FileError, match="line 1: 'label' is no finite number, but 2 of 3 labels are"):
        read_label_text(tmp_path / "y.csv", 3)


BAD = {
    "several columns": ("y.csv", b"1,2\n3,4\n", "line 1 holds several values"),
    "an empty line": ("y.txt", b"1\n\n2\n", "line 2 is empty"),
    "NUL": ("y.txt", b"1\n\0\n", "line 2 holds NUL"),
    "no UTF-8": ("y.txt", b"1\n\xff\n", "is no UTF-8 text at byte 2"),
}


@pytest.mark.parametrize(("name", "content", "said"), BAD.values(), ids=BAD)
def test_other_text_is_refused(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=f"{name}: {said}"):
        read_label_text(tmp_path / name, 2)


def test_a_large_file_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(label_text, "MOST_BYTES", 3)
    (tmp_path / "y.txt").write_bytes(b"1\n2\n")
    with pytest.raises(FileError, match="is a text of 4 bytes"):
        read_label_text(tmp_path / "y.txt", 2)


def test_whole_numbers_stay_exact(tmp_path):
    (tmp_path / "y.txt").write_text("18446744073709551615\n9223372036854775808\n")
    read, _ = read_label_text(tmp_path / "y.txt", 2)
    assert (read.dtype, read.tolist()) == (np.uint64, [2**64 - 1, 2**63])
