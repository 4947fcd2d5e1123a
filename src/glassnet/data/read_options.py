"""How a user's own files are to be read: what no file says of itself, or says so that it can be misread."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, TypedDict

from glassnet.errors import UsageError, unknown_name

#: Options that are lists, those of them that list values and no columns, and those that are a single character.
LISTS = ("classes", "missing", "drop", "columns", "categorical", "dates")
VALUES, MARKS = ("classes", "missing"), ("sep", "decimal", "thousands")


@dataclass(frozen=True)
class ReadOptions:
    """The options of reading; empty ones leave the choice to the reader, who says what it took.

    `target` is the column (or NPY file) to predict, `task` what is asked of the network, `classes` are all classes
    in their order. Of a table, `drop` are columns left out, `columns` the only ones kept, `categorical` those that
    are categories, whatever they hold, `dates` those to make numbers of; `missing`
    are values that stand for none, `impute` is what becomes of those.
    Of text, `sep` parts the columns, `decimal` and `thousands` are the marks in numbers, `encoding` that of the
    file; `sheet` is that of a workbook.
    Of pictures, `size` is the (height, width) that all are brought to, and `grey` leaves their colours out.
    `x_key` and `y_key` name the arrays of an NPZ file.
    """

    target: str | None = None
    task: str | None = None
    classes: tuple[str, ...] = ()
    impute: Literal["error", "median"] | None = None
    drop: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    sep: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    size: tuple[int, int] | None = None
    grey: bool = False
    x_key: str | None = None
    y_key: str | None = None


def clean_name(name: str) -> str:
    """Return the name of a column as all tables have it: no blanks around it, accents and letters composed."""
    return unicodedata.normalize("NFC", name.strip())


#: What else `glassnet.load_dataset` takes by name.
OTHERS = {"data_dir", "validation", "split_seed", "scaling", "pieces"}


class ReadingOptions(TypedDict, total=False):
    """The fields of `ReadOptions` as `glassnet.load_dataset` takes them; a list may stand for several names."""

    target: str | None
    task: str | None
    classes: Sequence[Any] | None
    impute: Literal["error", "median"] | None
    drop: Sequence[str] | None
    columns: Sequence[str] | None
    categorical: Sequence[str] | None
    dates: Sequence[str] | None
    missing: Sequence[Any] | Any
    sep: str | None
    decimal: str | None
    thousands: str | None
    encoding: str | None
    sheet: str | None
    size: Sequence[int] | int | None
    grey: bool
    x_key: str | None
    y_key: str | None


def read_options(given: Mapping[str, Any]) -> ReadOptions:
    """Return options of reading as they were given by name; `UsageError` says what is none, or no value of one.

    One name may stand for a list of it, and a number for the size of a square; None leaves an option out.
    """
    known = {one.name for one in fields(ReadOptions)}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise unknown_name("option", name, known | OTHERS)
        if value is None:
            continue
        if name in LISTS:
            value = (value,) if isinstance(value, str | int | float) else tuple(value)
            value = tuple(map(str if name in VALUES else clean_name, map(str, value)))
        elif name == "target" and not os.path.exists(value):
            value = clean_name(value)
        elif name == "size":
            value = (value,) if isinstance(value, int) else tuple(value)
            value = value * 2 if len(value) == 1 else value
            if len(value) != 2 or not all(isinstance(edge, int) and 1 <= edge <= 10_000 for edge in value):
                raise UsageError("size", f"takes a number of pixels, or height and width, got {value}")
        elif name in MARKS and len(value) != 1:
            raise UsageError(name, f"takes a single character, got {value!r}")
        elif name == "impute" and value not in ("error", "median"):
            raise UsageError("impute", f"takes error or median, got {value!r}")
        values[name] = value
    return ReadOptions(**values)
