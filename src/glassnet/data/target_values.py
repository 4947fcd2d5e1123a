"""What a user gives as targets, brought to one of four kinds: true and false, whole numbers, floats, text.

Whole numbers are never taken through floats, which would merge those beyond 2^53. Missing values, mixtures of
kinds and all else are refused by their row.
"""

from __future__ import annotations

import contextlib
import math
import re
from decimal import Decimal
from typing import Any, Literal, NoReturn

import numpy as np

from glassnet.data.blanks import shows_nothing
from glassnet.data.remarks import Remark, name_some
from glassnet.data.untrusted_files import shorten
from glassnet.errors import DataError
from glassnet.nn.activations import Array

Kind = Literal["bool", "int", "float", "str"]

#: What Python's and NumPy's types of values count as; the first that fits.
KINDS: dict[Kind, tuple[type, ...]] = {
    "bool": (bool, np.bool_),
    "int": (int, np.integer),
    "float": (float, np.floating, Decimal),
    "str": (str,),
}

#: What the kinds are called in messages.
CALLED = {"bool": "true and false", "int": "whole numbers", "float": "floats", "str": "text"}

#: How far the shares of a row of soft labels may sum to something else than 1.
SOFT_TOLERANCE = 1e-4

#: The most decimals that regressed numbers are printed with.
MOST_DECIMALS = 6

#: A date as text: 2024-05-31, 31.5.2024, 5/31/24, with or without a time of day behind it.
DATE = re.compile(r"(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{2,4})([T ]\d{1,2}:.*)?")


def name_target(names: tuple[str, ...]) -> str:
    """Return what messages call the target: by its column's name, where it has one."""
    return Remark("noticed.target_named", name=repr(names[0])) if len(names) == 1 else Remark("noticed.target")


def name_row(row: int, what: str) -> str:
    """Return what messages call a row: tables count from 1; for an array its index stands beside it."""
    if what == "target":
        return Remark("noticed.row_of_y", row=str(row + 1), at=f"y[{row}]")
    return Remark("noticed.row", row=str(row + 1))


def list_values(values: tuple[Any, ...]) -> str:
    """Return the first values as text of one line, and how many more there are."""
    return name_some([*(shorten(value, 40) for value in values[:5]), *values[5:]], 5)


def find_kind(values: Array) -> Kind:
    """Return the kind of what `take_values` returned; an object array holds text, or integers of any size."""
    kinds: dict[str, Kind] = {"b": "bool", "i": "int", "u": "int", "f": "float"}
    if values.dtype.kind != "O":
        return kinds[values.dtype.kind]
    return "int" if values.size and not isinstance(values.flat[0], str) else "str"


def take_values(y: Any, what: str) -> Array:
    """Return targets of shape (n,) or (n, k) as an array of bools, whole numbers, finite floats, or text.

    Text is an array of Python's strings, exactly as written; so are integers that are too large for NumPy.
    `DataError` is raised if values are missing, infinite, of several kinds or of others, or the shape is another.
    """
    if isinstance(y, np.ma.MaskedArray) and np.ma.getmaskarray(y).any():
        _refuse_missing(np.ma.getmaskarray(y), what)
    try:  # a list would become text as a whole if it held a single one
        values = np.asarray(y) if hasattr(y, "dtype") or hasattr(y, "__array__") else np.array(y, object)
    except ValueError:
        raise DataError(f"{what}: the rows are not equally long") from None
    if values.ndim not in (1, 2):
        got = "a single one" if values.ndim == 0 else f"an array of shape {values.shape}"
        raise DataError(f"{what}: expected one value (or one row of them) for each row of X, got {got}")
    if values.dtype.kind in "Mm":
        _refuse_dates(what)
    if values.dtype.kind == "S":
        values = _decode_bytes(values, what)
    if values.dtype.kind in "UTO":
        values = _take_objects(values.astype(object), what)
    elif values.dtype.kind not in "biuf":
        raise DataError(f"{what}: expected classes or numbers, got the type {values.dtype}")
    if values.dtype.kind == "f":
        if values.dtype.itemsize > 8:  # such floats go no further than float64's
            with np.errstate(over="ignore"):
                values = values.astype(np.float64)
        _refuse_missing(np.isnan(values), what)
        if (infinite := np.isinf(values)).any():
            row = int(np.argwhere(infinite)[0, 0])
            raise DataError(f"{what}: {name_row(row, what)} is infinite; expected finite numbers")
    return values


def refuse_dates_as_text(words: set[str], what: str) -> None:
    """Refuse text that is nothing but dates: they are rarely meant as classes."""
    if all(DATE.fullmatch(word) for word in words):
        _refuse_dates(what, "; or task=multi-class takes each date as a class")


def _refuse_dates(what: str, otherwise: str = "") -> NoReturn:
    remedy = "make numbers of them, such as the year or days since a day"
    raise DataError(f"{what}: dates or times; {remedy}{otherwise}")


def _refuse_missing(missing: Array, what: str) -> None:
    rows = np.flatnonzero(missing if missing.ndim == 1 else missing.any(axis=1))
    if len(rows):
        raise DataError(
            f"{what}: {name_row(int(rows[0]), what)} has no value ({len(rows)} missing in all); "
            "rows to learn from need one"
        )


def _decode_bytes(values: Array, what: str) -> Array:
    try:
        return np.char.decode(values, "utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{what}: holds bytes that are no UTF-8 text; save them as str") from None


def _take_objects(values: Array, what: str) -> Array:
    """Return an array of Python's objects as one of the four kinds."""
    flat = values.ravel().tolist()
    types = set(map(type, flat))
    if not types or types == {str}:
        return _refuse_blanks(values, flat, what)
    missing = [_is_missing(value) for value in flat]
    _refuse_missing(np.array(missing).reshape(values.shape), what)
    kinds = {_kind_of_type(one, flat, values.shape, what) for one in types}
    if kinds == {"str"}:
        return _refuse_blanks(_fill(values.shape, map(str, flat)), flat, what)
    if kinds == {"bool"}:
        return values.astype(bool)
    if kinds == {"int"}:
        return take_integers([int(value) for value in flat]).reshape(values.shape)
    if kinds <= {"int", "float"}:
        numbers = list(map(_as_float, flat))
        if all(isinstance(value, Decimal) or number == value for number, value in zip(numbers, flat, strict=True)):
            return np.array(numbers).reshape(values.shape)
    mixture = " and ".join(CALLED[kind] for kind in KINDS if kind in kinds)
    raise DataError(f"{what}: {mixture} mixed; give all values as one kind, for example y.astype(str)")


def take_integers(values: list[int]) -> Array:
    """Return integers as int64, or uint64, or as Python's own where neither holds them all."""
    for dtype in (np.int64, np.uint64):
        with contextlib.suppress(OverflowError):
            return np.array(values, dtype)
    return _fill((len(values),), values)


def _fill(shape: tuple[int, ...], values: Any) -> Array:
    filled = np.empty(shape, object)
    filled.ravel()[:] = list(values)
    return filled


def _refuse_blanks(values: Array, flat: list[str], what: str) -> Array:
    """Return text as it is; a blank counts as missing."""
    blank = {text for text in set(flat) if shows_nothing(text)}
    if blank:
        _refuse_missing(np.array([text in blank for text in flat]).reshape(values.shape), what)
    return values


def _is_missing(value: object) -> bool:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def _kind_of_type(one: type, flat: list[Any], shape: tuple[int, ...], what: str) -> Kind:
    for kind, types in KINDS.items():
        if issubclass(one, types):
            return kind
    if one.__name__ in ("date", "datetime", "time", "timedelta", "Timestamp", "Timedelta", "datetime64"):
        _refuse_dates(what)
    row = next(i for i, value in enumerate(flat) if type(value) is one) // max(int(np.prod(shape[1:])), 1)
    if issubclass(one, list | tuple | np.ndarray):
        raise DataError(f"{what}: the rows are not equally long")
    raise DataError(f"{what}: {name_row(row, what)} is a {one.__name__}; expected classes or numbers")


def take_numbers(values: Array, what: str) -> Array:
    """Return values as float64; text must read as a number, and each must be one that a float can be."""
    if values.dtype.kind != "O":
        return values.astype(np.float64)
    numbers = np.empty(values.shape)
    for place, text in enumerate(values.ravel()):
        number = math.nan if "_" in str(text) else _as_float(text)
        if not math.isfinite(number):
            row = place // (values.size // len(values))
            raise DataError(f"{what}: {name_row(row, what)} is {str(text)[:30]!r}; expected finite numbers")
        numbers.flat[place] = number
    return numbers


def _as_float(value: Any) -> float:
    """Return a number as a float; infinity for one that is too large, NaN for what is none."""
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


def find_order(y: Any) -> list[Any]:
    """Return the values of an ordered category, of pandas or Polars, in its order; nothing of all else."""
    dtype: Any = getattr(y, "dtype", None)
    if not (getattr(dtype, "ordered", False) or type(dtype).__name__ == "Enum"):
        return []
    held = set(np.asarray(y, object).ravel().tolist())
    return [one for one in dtype.categories if one in held]


def find_distinct(values: Array) -> tuple[Any, ...]:
    """Return the distinct values, sorted, as Python's own; -0.0 is 0.0."""
    if values.dtype.kind == "O":
        return tuple(sorted(set(values.tolist())))
    distinct = np.unique(values)
    return tuple((distinct + 0.0 if distinct.dtype.kind == "f" else distinct).tolist())


def find_other(values: Array) -> int | None:
    """Return the first row that holds anything but 0 and 1, None where there is none."""
    other = (values != 0) & (values != 1)
    return _first_row(other if other.ndim == 1 else other.any(axis=1))


def find_not_one_hot(numbers: Array) -> int | None:
    """Return the first row that is not a single 1 among zeros."""
    is_single = np.count_nonzero(numbers == 1, axis=1) == 1
    return _first_row(((numbers != 0) & (numbers != 1)).any(axis=1) | ~is_single)


def find_unsummed(numbers: Array) -> int | None:
    """Return the first row that is no row of shares: negative, or with another sum than 1."""
    with np.errstate(over="ignore"):
        return _first_row((numbers < 0).any(axis=1) | (np.abs(numbers.sum(axis=1) - 1) > SOFT_TOLERANCE))


def _first_row(wrong: Array) -> int | None:
    return int(wrong.argmax()) if wrong.any() else None


def count_decimals(values: Array) -> int | None:
    """Return how many decimals numbers have at most, None for more than are worth printing."""
    if values.dtype.kind != "f":
        return 0
    room = 1 / float(np.finfo(values.dtype).eps) / max(float(np.abs(values).max()), 1.0)
    counts = (count for count in range(MOST_DECIMALS + 1) if count == 0 or 10.0**count <= room)
    return next((count for count in counts if (np.round(values, count) == values).all()), None)


def refuse_rows(numbers: Array, task: str | None, one_hot: bool, soft: bool, what: str) -> None:
    """Refuse rows that cannot be the classes that `task` asks for."""
    if not (one_hot or soft):
        row = find_unsummed(numbers)
        row = find_not_one_hot(numbers) if row is None else row
        raise DataError(
            f"{what}: task={task} takes one class a row, or rows that sum to 1; {name_row(row or 0, what)} is "
            f"{numbers[row or 0]}"
        )
    if soft and task not in (None, "multi-class"):
        raise DataError(f"{what}: rows of shares (soft labels) go with task=multi-class, not {task}")
    if task == "binary" and numbers.shape[1] != 2:
        raise DataError(f"{what}: task=binary takes two classes, the rows have {numbers.shape[1]}")
