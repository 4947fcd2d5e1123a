"""The functions of which an exported Python module is put together: bare Python, without NumPy.

`glassnet.export.python` copies the text of those that a model needs, with what they call, from here and from the
rooms below. A *column* is a dict with what `glassnet.export.python` writes of a column of the schema.
"""

from __future__ import annotations

import array
import base64
import datetime
import math
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from operator import index, mul
from typing import Any

from glassnet.data.blanks import shows_nothing
from glassnet.data.column_values import PLAIN_NUMBER, CategoryFinder, spell, spell_text
from glassnet.data.dates import DAY, NO_DATE, parse_date
from glassnet.data.number_format import MISSING, VARIANTS
from glassnet.data.read_options import clean_name

Column = dict[str, Any]


def run_rows(rows: Any, run: Callable[[Any, int], list[float]]) -> list[list[float]]:
    """Return the outputs of each row; refuse a single one."""
    if isinstance(rows, (str, dict)) or not hasattr(rows, "__iter__"):
        raise ValueError("expected a list of rows; for a single row give [row]")
    return [run(row, number) for number, row in enumerate(rows, 1)]


# Rows of numbers


def flatten(row: Any) -> Iterator[Any]:
    """Yield the numbers of a row, those of nested lists too."""
    for value in row:
        if hasattr(value, "__iter__") and not isinstance(value, str):
            yield from flatten(value)
        else:
            yield value


def take_numbers(row: Any, number: int, width: int) -> list[Any]:
    """Return the numbers of a row as a flat list; refuse another count."""
    if not hasattr(row, "__iter__") or isinstance(row, (str, dict)):
        raise ValueError(f"row {number}: expected a list of {width} numbers, got {row!r:.50}")
    values = list(flatten(row))
    if len(values) != width:
        raise ValueError(f"row {number}: expected {width} numbers, got {len(values)}")
    return values


def check_floats(values: list[Any], number: int) -> list[float]:
    """Return numbers as floats; refuse what is none, NaN and infinity."""
    numbers = [None if isinstance(value, str) else to_float(value) for value in values]
    for value, given in zip(numbers, values, strict=True):
        if value is None or not math.isfinite(value):
            raise ValueError(f"row {number}: {given!r:.50} is no finite number")
    return [float(value) for value in values]


def check_bytes(values: list[Any], number: int) -> list[float]:
    """Return bytes as floats; refuse all but whole numbers from 0 to 255."""
    try:
        whole = [index(value) for value in values]
    except TypeError:
        raise ValueError(f"row {number}: expected bytes, whole numbers from 0 to 255") from None
    if not 0 <= min(whole) <= max(whole) <= 255:
        raise ValueError(f"row {number}: expected bytes from 0 to 255, got {min(whole)} to {max(whole)}")
    return [float(value) for value in whole]


def check_limit(values: list[float], number: int, limit: float) -> list[float]:
    """Return numbers; refuse those that are much larger than in training."""
    far = max(map(abs, values))
    if far > limit:
        raise ValueError(f"row {number}: numbers up to {far:g}, where training had at most about {limit:g}")
    return values


def round_to_float32(values: list[float], number: int) -> list[float]:
    """Return numbers as the network takes them; refuse those that are too large."""
    rounded = array.array("f", values).tolist()
    if not all(map(math.isfinite, rounded)):
        raise ValueError(f"row {number}: holds a number that is too large")
    return rounded


def divide_all(values: list[float], unit: float) -> list[float]:
    """Return numbers as shares of a unit."""
    return [value / unit for value in values]


def scale_all(values: list[float], center: Sequence[float], spread: Sequence[float]) -> list[float]:
    """Return each number scaled by the figures of its column."""
    return list(map(scale, values, center, spread))


def scale_all_robustly(values: list[float], center: Sequence[float], spread: Sequence[float]) -> list[float]:
    """Return each number scaled robustly by the figures of its column."""
    return list(map(scale_robustly, values, center, spread))


def scale(value: float, center: float, spread: float) -> float:
    """Return (value - center) / spread."""
    return (value - center) / spread


def scale_robustly(value: float, center: float, spread: float) -> float:
    """Return t = (value - center) / spread as t / sqrt(1 + (t / 3)**2); 0 where the spread is 0."""
    t = (value - center) / spread if spread > 0 else 0.0
    t = max(-1e100, min(t, 1e100))
    return t / math.sqrt(1 + (t / 3) ** 2)


# Rows of tables


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
    if value is None or value != value or type(value).__name__ in ("NAType", "NaTType"):
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
    except (TypeError, ValueError):
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


def write_boolean(value: bool, column: Column) -> list[float]:
    """Return 1 for true, 0 for false."""
    return [float(value)]


def write_category(value: str, column: Column) -> list[float]:
    """Return a one for the category among zeros."""
    return [float(category == value) for category in column["categories"]]


# The network


def decode_numbers(kind: str, text: str) -> array.array[float]:
    """Return the floats that base64 holds as little-endian float32 (f) or float64 (d)."""
    numbers: array.array[float] = array.array(kind)
    numbers.frombytes(base64.b64decode(text))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def make_layer(
    kind: str, weights: str, biases: str, activation: Callable[[float], float]
) -> tuple[list[tuple[array.array[float], float]], Callable[[float], float]]:
    """Return a layer as the weights and the bias of each unit, and its activation."""
    units, found = decode_numbers(kind, biases), decode_numbers(kind, weights)
    inputs = len(found) // len(units)
    rows = [found[first : first + inputs] for first in range(0, len(found), inputs)]
    return list(zip(rows, units, strict=True)), activation


def apply_layers(values: list[float], layers: Sequence[Any]) -> list[float]:
    """Return f(weights * values + bias) of each unit, layer by layer."""
    for units, activation in layers:
        values = [activation(sum(map(mul, weights, values), bias)) for weights, bias in units]
    return values


def apply_all(function: Callable[[float], float], values: list[float]) -> list[float]:
    """Return a function of each number."""
    return list(map(function, values))


def multiply_all(values: list[float], factor: float) -> list[float]:
    """Return numbers multiplied by a factor."""
    return [factor * value for value in values]


def check_outputs(values: list[float], number: int) -> list[float]:
    """Return outputs; refuse a row for which they are not finite."""
    if not all(map(math.isfinite, values)):
        raise ValueError(f"row {number}: is too much for the network, its outputs are {values}")
    return values


def softmax(values: list[float]) -> list[float]:
    """Return exp(value) / sum of exp(values), which cannot overflow."""
    largest = max(values)
    powers = [math.exp(value - largest) for value in values]
    total = sum(powers)
    return [power / total for power in powers]


def find_classes(outputs: list[list[float]], classes: Sequence[Any]) -> list[Any]:
    """Return the class of the largest output; of a single one, that of the nearest whole number."""
    last = len(classes) - 1
    if any(len(row) == 1 for row in outputs):
        return [classes[max(0, min(round(row[0]), last))] for row in outputs]
    return [classes[row.index(max(row))] for row in outputs]


def find_labels(outputs: list[list[float]], classes: Sequence[Any]) -> list[list[Any]]:
    """Return for each output whether it is at least 0.5, in the words of training."""
    return [[classes[output >= 0.5] for output in row] for row in outputs]


def find_numbers(outputs: list[list[float]], mean: Sequence[float], std: Sequence[float]) -> list[list[float]]:
    """Return outputs in the units of training."""
    return [[output * s + m for output, m, s in zip(row, mean, std, strict=True)] for row in outputs]


def take_only(rows: list[list[float]]) -> list[float]:
    """Return the only number of each row."""
    return [row[0] for row in rows]


def spread_probabilities(outputs: list[list[float]]) -> list[list[float]]:
    """Return a probability for each class: a single output is that of the second."""
    return [row if len(row) > 1 else [1 - row[0], row[0]] for row in outputs]


# NumPy's functions on single numbers: infinite or NaN where Python would stop


def divide(x: float, y: float) -> float:
    """Return x / y."""
    if y:
        return x / y
    return math.nan if x == 0 or x != x else math.copysign(math.inf, x) * math.copysign(1, y)


def power(x: float, y: float) -> float:
    """Return x to the power of y."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    except ValueError:
        return math.inf if x == 0 else math.nan


def sqrt(x: float) -> float:
    """Return the square root."""
    return math.sqrt(x) if x >= 0 else math.nan


def exp(x: float) -> float:
    """Return e to the power of x."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def expm1(x: float) -> float:
    """Return exp(x) - 1."""
    try:
        return math.expm1(x)
    except OverflowError:
        return math.inf


def log(x: float) -> float:
    """Return the natural logarithm."""
    return math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)


def log1p(x: float) -> float:
    """Return log(1 + x)."""
    return math.log1p(x) if x > -1 else (-math.inf if x == -1 else math.nan)


def sin(x: float) -> float:
    """Return the sine."""
    return math.sin(x) if math.isfinite(x) else math.nan


def cos(x: float) -> float:
    """Return the cosine."""
    return math.cos(x) if math.isfinite(x) else math.nan


def sinh(x: float) -> float:
    """Return the hyperbolic sine."""
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(math.inf, x)


def cosh(x: float) -> float:
    """Return the hyperbolic cosine."""
    try:
        return math.cosh(x)
    except OverflowError:
        return math.inf


def maximum(x: float, y: float) -> float:
    """Return the larger number, NaN where one is NaN."""
    return x if x >= y or x != x else y


def minimum(x: float, y: float) -> float:
    """Return the smaller number, NaN where one is NaN."""
    return x if x <= y or x != x else y


def sign(x: float) -> float:
    """Return -1, 0 or 1."""
    return x if x != x else float((x > 0) - (x < 0))


def heaviside(x: float, y: float) -> float:
    """Return 0 below 0, 1 above, and y at 0."""
    return x if x != x else (0.0 if x < 0 else (y if x == 0 else 1.0))
