"""How a user's own files are to be read: what no file says of itself, or says so that it can be misread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ReadOptions:
    """The options of reading; empty ones leave the choice to the reader, who says what it took.

    `target` is the column (or NPY file) to predict, and `task` what is asked of the network. Of a table, `drop` are
    columns left out, `columns` the only ones kept, `categorical` those that are categories whatever they hold,
    `dates` those to make numbers of; `impute` is what becomes of missing values. Of text, `sep` parts the columns,
    `decimal` and `thousands` are the marks in numbers, `encoding` that of the file; `sheet` is that of a workbook.
    Of pictures, `size` is the (height, width) that all are brought to, and `grey` leaves their colours out.
    `x_key` and `y_key` name the arrays of an NPZ file.
    """

    target: str | None = None
    task: str | None = None
    impute: Literal["error", "median"] | None = None
    drop: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    sep: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    size: tuple[int, int] | None = None
    grey: bool = False
    x_key: str | None = None
    y_key: str | None = None
