"""The functions of which an exported Python module is put together: bare Python, without NumPy.

`glassnet.export.python` copies the text of those that a model needs, with what they call, from here and from the
rooms below; those for tables stand in `python_columns.py`.
"""

from __future__ import annotations

import array
import base64
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from operator import index, mul
from typing import Any


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
    try:
        if all(map(math.isfinite, values)):  # of text it raises TypeError
            return list(map(float, values))
    except TypeError:
        pass
    raise ValueError(f"row {number}: expected finite numbers, got {values!r:.100}")


def check_bytes(values: list[Any], number: int) -> list[float]:
    """Return bytes as floats; refuse all but whole numbers from 0 to 255."""
    try:
        if all(0 <= index(value) <= 255 for value in values):
            return list(map(float, values))
    except TypeError:  # of what is no whole number
        pass
    raise ValueError(f"row {number}: expected bytes, whole numbers from 0 to 255, got {values!r:.100}")


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


def place_in_pieces(value: float, edges: Sequence[float]) -> list[float]:
    """Return where a number lies in each piece between edges: -1/2 below it, 1/2 above it, a line between."""
    return [max(0.0, min((value - low) / (high - low), 1.0)) - 0.5 for low, high in pairwise(edges)]


def join_pieces(scaled: Sequence[float], values: Sequence[float], edges: Sequence[Sequence[float]]) -> list[float]:
    """Return each scaled number, and behind it where the number lies in each piece of its column."""
    columns = zip(scaled, values, edges, strict=True)
    return [one for number, value, ends in columns for one in (number, *place_in_pieces(value, ends))]


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
    infinite = math.copysign(math.inf, x) if y % 2 == 1 else math.inf
    try:
        return math.pow(x, y)
    except OverflowError:
        return infinite
    except ValueError:
        return infinite if x == 0 else math.nan


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
