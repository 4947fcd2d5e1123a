"""Labels as text, one a line, for the rows of another file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from glassnet.data.blanks import shows_nothing
from glassnet.data.target_values import take_integers
from glassnet.data.untrusted_files import ContentError, open_regular_file, refuse_answer
from glassnet.errors import FileError
from glassnet.nn.activations import Array

#: The largest file of labels that is read.
MOST_BYTES = 1 << 28

#: Whole numbers and numbers as they are written plainly; 007 is text.
WHOLE = re.compile(r"-?(0|[1-9]\d{0,99})", re.ASCII)
PLAIN = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)


def read_label_text(path: Path, rows: int) -> tuple[Array, tuple[str, ...]]:
    """Read one label a line for so many rows: as whole numbers, floats or text, whichever they all are.

    Where there is one line more than rows, the first is a heading, and a remark says so. Blanks around a label are
    left out, and so are empty lines at the end. `FileError` is raised if the file is not of such lines.
    """
    with open_regular_file(path) as (file, size):
        if size > MOST_BYTES:
            raise ContentError(f"is a text of {size:,} bytes, expected labels, one a line")
        try:
            content = file.read()
            refuse_answer(content[:64])
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ContentError(f"is no UTF-8 text at byte {error.start}; expected labels, one a line") from None
        lines = [line.strip() for line in text.rstrip().splitlines()]
        if not lines:
            raise ContentError("is empty; expected labels, one a line")
        for number, line in enumerate(lines, 1):
            if "\0" in line:
                raise ContentError(f"line {number} holds NUL, which no text holds; expected labels, one a line")
            if shows_nothing(line):
                raise ContentError(f"line {number} is empty; expected labels, one a line")
            if path.suffix.lower() != ".txt" and {",", ";", "\t"} & set(line):
                raise ContentError(f"line {number} holds several values; expected one label a line")
    remarks: tuple[str, ...] = ()
    if len(lines) == rows + 1:
        remarks = (
            f"{path.name} has one line more than there are rows: the first, {lines[0][:30]!r}, is a heading",
        )
        lines = lines[1:]
    if all(map(WHOLE.fullmatch, lines)):
        return take_integers([int(line) for line in lines]), remarks
    if all(map(PLAIN.fullmatch, lines)):
        return np.array([float(line) for line in lines]), remarks
    numbers = [PLAIN.fullmatch(line) is not None for line in lines]
    if 2 * sum(numbers) > len(lines) == rows:
        first = numbers.index(False)
        raise FileError(
            path,
            f"line {first + 1 + len(remarks)}: {lines[first][:30]!r} is no finite number, but {sum(numbers):,} of "
            f"{len(lines):,} labels are; correct it, or write all as text",
        )
    return np.array(lines, object), remarks
