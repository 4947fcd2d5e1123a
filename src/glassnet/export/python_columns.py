"""The functions of which an exported Python module is put together, for tables; see `python_parts.py`.

A *column* is a dict with what `glassnet.export.module_text` tells of a column of the schema.
"""

from __future__ import annotations

import datetime
import math
import re
import warnings
from collections.abc import Sequence
from typing import Any

from glassnet.data.blanks import shows_nothing
from glassnet.data.column_values import PLAIN_NUMBER, CategoryFinder, spell, spell_text
from glassnet.data.dates import DAY, NO_DATE, parse_date
from glassnet.data.number_format import MISSING, VARIANTS
from glassnet.data.read_options import clean_name
from glassnet.export.python_parts import place_in_pieces, scale, scale_robustly

Column = dict[str, Any]


def encode_columns(row: Any, number: int, columns: Sequence[Column], others: Sequence[str]) -> list[float]:
    """Return the numbers that the columns of a row become, one column after the other."""
    numbers: list[float] = []
    for column, given in zip(columns, take_values(row, number, columns, others), strict=True):
        where = f"row {number}, column {column['name']!r}"
        value = column["read"](blank(given, column), column, where)
        missing = value is None
        if missing:
            value = column["fill"]
            if value is None:
                raise ValueError(f"{where}: has no value, and training had none missing; fill it")
            warnings.warn(f"column {column['name']!r}: a missing value becomes {value!r}", stacklevel=2)
        numbers += column["write"](value, column)
        if column["indicator"]:
            numbers.append(float(missing))
    return numbers


def take_values(row: Any, number: int, columns: Sequence[Column], others: Sequence[str]) -> list[Any]:
    """Return the values of a row, a dict or a list, in the order of the columns."""
    names = [column["name"] for column in columns]
    if not isinstance(row, dict):
        if isinstance(row, str) or not hasattr(row, "__iter__") or len(values := list(row)) != len(names):
            raise ValueError(f"row {number}: expected a dict, or a list of the values of {', '.join(names)}")
        return values
    found = {clean_name(str(name)): value for name, value in row.items()}
    if missing := [name for name in names if name not in found]:
        raise ValueError(f"row {number}: no value for {', '.join(missing)}; None stands for a missing one")
    if unknown := [name for name in found if name not in names and name not in others]:
        warnings.warn(f"left out, as training did not have them: {', '.join(unknown)}", stacklevel=2)
    return [found[name] for name in names]


def blank(value: Any, column: Column) -> Any:
    """Return a value, None where it stands for a missing one."""
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:
        return None
    if isinstance(value, str):
        return None if shows_nothing(value) or value.strip() in column["missing"] else value.strip()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        numbers = [float(one) for one in column["missing"] if PLAIN_NUMBER.fullmatch(one)]
        return None if value in numbers else value
    return value


def read_number(value: Any, column: Column, where: str) -> float | None:
    """Return a number, None where there is none; text is read as training wrote its numbers."""
    if value is None:
        return None
    if isinstance(value, str):
        word = value.lower()
        if word in MISSING:
            return None
        if column["zero_one"] and word in ("true", "false"):
            return float(word == "true")
        found = parse_number(value, column["format"])
    elif isinstance(value, bool) and not column["zero_one"]:
        found = None
    else:
        found = to_float(value)
    if found is None or not math.isfinite(found):
        raise ValueError(f"{where}: expected a finite number, as in training, got {value!r:.50}")
    return blank(found, column)


def to_float(value: Any) -> float | None:
    """Return a number as a float, None for what is none."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def parse_number(text: str, form: dict[str, str] | None) -> float | None:
    """Return the number that a text holds, None where it holds none; a form says how training wrote numbers."""
    plain: str | None = text
    if form is not None:
        for variant, mark in VARIANTS.items():
            text = text.replace(variant, mark)
        plain = take_unit(text, form["unit"]) if form["unit"] else text
        if plain is None or (form["pattern"] and not re.search(form["pattern"], plain, re.ASCII)):
            return None
        plain = plain.replace(form["thousands"], "").replace(form["decimal"], ".")
    return float(plain) if plain is not None and PLAIN_NUMBER.fullmatch(plain) else None


def take_unit(text: str, unit: str) -> str | None:
    """Return text without the unit before or behind it, None where it has none."""
    before = re.sub(rf"^([+-]?)\s*{re.escape(unit)}\s*", r"\1", text)
    if before != text:
        return before
    behind = re.sub(rf"\s*{re.escape(unit)}$", "", text)
    return behind if behind != text else None


def read_days(value: Any, column: Column, where: str) -> float | None:
    """Return a date or time in days since 1970-01-01, None where there is none."""
    if value is None:
        return None
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
        microseconds = count_microseconds(value)
    else:
        text = value if isinstance(value, str) else spell(value)
        if text.lower() in NO_DATE:
            return None
        found = parse_date(text, column["order"])
        if found is None:
            raise ValueError(f"{where}: {value!r:.50} is no date such as 2024-05-31, as in training")
        microseconds = found
    return microseconds // DAY + microseconds % DAY / DAY


def count_microseconds(value: datetime.date | datetime.time | datetime.timedelta) -> int:
    """Return the microseconds since 1970-01-01, since midnight, or of a duration."""
    if isinstance(value, datetime.time):
        value = datetime.datetime.combine(datetime.date(1970, 1, 1), value.replace(tzinfo=None))
    if isinstance(value, datetime.datetime):
        value = value - datetime.datetime(1970, 1, 1, tzinfo=value.tzinfo and datetime.timezone.utc)  # noqa: UP017
    elif isinstance(value, datetime.date):
        value = value - datetime.date(1970, 1, 1)
    return value // datetime.timedelta(microseconds=1)


def read_boolean(value: Any, column: Column, where: str) -> bool | None:
    """Return true or false, None where there is neither."""
    word = value.lower() if isinstance(value, str) else value
    if word is None or word in MISSING:
        return None
    number = {"true": 1.0, "false": 0.0}.get(word) if isinstance(word, str) else to_float(word)
    if number is None and isinstance(word, str):
        number = parse_number(word, None)
    if number not in (0, 1):
        raise ValueError(f"{where}: expected true or false, 1 or 0, as in training, got {value!r:.50}")
    return number == 1


def read_category(value: Any, column: Column, where: str) -> str | None:
    """Return the category that a value is, None where there is none; as it is written where it is unseen."""
    if value is None or (column["numbers"] and isinstance(value, str) and value.lower() in MISSING):
        return None
    if hasattr(value, "__iter__") and not isinstance(value, str):
        raise ValueError(f"{where}: expected text, as in training, got {value!r:.50}")
    by_value = not (isinstance(value, str) or column["numbers"])
    if column["numbers"]:
        value = spell_number(value, column["format"])
    if value in column["categories"]:
        return blank(value, column)
    category = blank(CategoryFinder(column["categories"], by_value)(value), column)
    if category is not None and category not in column["categories"]:
        name = column["name"]
        warnings.warn(f"column {name!r}: {category!r} was not seen in training, all zeros", stacklevel=2)
    return category


def spell_number(value: Any, form: dict[str, str] | None) -> str:
    """Return a number, or text of one, as a category is written; text that is none stays."""
    if not isinstance(value, str):
        return spell(value)
    if form is None:
        return spell_text(value)
    number = parse_number(value, form)
    return value if number is None else spell(number)


def write_scaled(value: float, column: Column) -> list[float]:
    """Return a number as it is scaled."""
    return [scale(value, column["center"], column["spread"])]


def write_scaled_robustly(value: float, column: Column) -> list[float]:
    """Return a number as it is scaled, smoothly clipped."""
    return [scale_robustly(value, column["center"], column["spread"])]


def write_with_pieces(value: float, column: Column) -> list[float]:
    """Return a number as it is scaled, and where it lies in each piece of its column."""
    return [*column["scaled"](value, column), *place_in_pieces(value, column["edges"])]


def write_boolean(value: bool, column: Column) -> list[float]:
    """Return 1 for true, 0 for false."""
    return [float(value)]


def write_category(value: str, column: Column) -> list[float]:
    """Return a one for the category among zeros."""
    return [float(category == value) for category in column["categories"]]
