"""Which class a value means: exactly the one as written, or else the only one that it equals in another type."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from glassnet.data.target_values import list_values, name_row, take_integers
from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array

#: A class as it is written.
Class = bool | int | float | str

#: Text that reads as a plain number, and nothing else that Python would take for one.
NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)

#: A number as programs write it anew; what begins with a zero is a code, and not the same without it.
WRITTEN = re.compile(r"[+-]?(0|[1-9]\d{0,400})(\.\d*)?", re.ASCII)


def find_labels(values: Array, classes: tuple[Class, ...], class_names: tuple[str, ...], what: str) -> Array:
    """Return the label (int64) of each value; `DataError` names the first row that is of no class, or of several.

    `values` come from `glassnet.data.target_values.take_values`.
    """
    if not values.size:
        return np.zeros(len(values), np.int64)
    exact = {(type(one), one): label for label, one in enumerate(classes)}
    if values.dtype.kind == "O":
        flat = values.tolist()
        seen = dict.fromkeys(flat)
    else:
        distinct, places = np.unique(values, return_inverse=True)
        seen = dict.fromkeys(distinct.tolist())
    found = {}
    for value in seen:
        label = exact.get((type(value), value))
        fitting = {label} if label is not None else _find_equal(value, classes, class_names)
        found[value] = fitting.pop() if len(fitting) == 1 else -1 - (len(fitting) > 1)
    if values.dtype.kind == "O":
        labels = np.array([found[value] for value in flat], np.int64)
    else:
        labels = np.array(list(found.values()), np.int64)[places]
    if (labels < 0).any():
        row = int((labels < 0).argmax())
        problem = "which training did not have" if labels[row] == -1 else "which may be one class or another"
        value = values.tolist()[row]
        shown = repr(value[:50]) if isinstance(value, str) else value
        raise DataError(
            f"{what}: {name_row(row, what)} is {shown}, {problem}; the classes are {list_values(classes)}"
        )
    return labels


def as_array(classes: tuple[Class, ...]) -> Array:
    """Return classes as an array of the kind that holds them as they are."""
    if isinstance(classes[0], str):
        words = np.array(classes)
        return words if tuple(words.tolist()) == classes else np.array(classes, object)
    if type(classes[0]) is int:
        return take_integers([int(one) for one in classes])
    return np.array(classes)


def _find_equal(value: Class, classes: tuple[Class, ...], class_names: tuple[str, ...]) -> set[int]:
    """Return the labels of the classes that a value equals, though it is of another type, or is called by it."""
    equal = {label for label, one in enumerate(classes) if _is_equal(value, one)}
    named = {label for label, name in enumerate(class_names) if isinstance(value, str) and value == name}
    return equal | named


def _is_equal(value: Class, one: Class) -> bool:
    if isinstance(value, str) and isinstance(one, str):
        return _simplify(value) == _simplify(one)
    if isinstance(value, str):
        return _says(value.strip(), one)
    if isinstance(one, str):
        return _says(one.strip(), value)
    return value == one


def _simplify(text: str) -> object:
    """Return what spellings of one class have in common: TRUE and true, +1 and 1.0; other text has only itself."""
    text = text.strip()
    if text.casefold() in ("true", "false"):
        return text.casefold()
    return Decimal(text) if WRITTEN.fullmatch(text) else text


def _says(text: str, value: Class) -> bool:
    """Whether text says a value: a plain number, or true or false."""
    if isinstance(value, bool):
        return text.casefold() == str(value).casefold()
    if text == str(value):
        return True
    if not NUMBER.fullmatch(text):
        return False
    return Decimal(text) == value if isinstance(value, int) else float(text) == value


def name_classes(
    distinct: tuple[Class, ...], class_names: tuple[str, ...] | None, what: str
) -> tuple[tuple[Class, ...], tuple[str, ...]]:
    """Return the classes in label order, and what they are called."""
    if class_names is None:
        return distinct, tuple(map(str, distinct))
    count, first = len(class_names), distinct[0]
    if len(set(class_names)) < count:
        raise UsageError("class_names", "two classes of one name")
    if isinstance(first, str):
        if not set(distinct) <= set(class_names):
            unknown = next(one for one in distinct if one not in class_names)
            raise UsageError(
                "class_names",
                f"no {unknown!r}, which the {what} holds; classes of text are named by their own words",
            )
        return class_names, class_names
    if all(one in range(count) for one in distinct):  # places in the names, some of which may not occur
        kind = type(first)
        return tuple(kind(place) for place in range(count)), class_names
    if count != len(distinct):
        raise UsageError(
            "class_names", f"{count} names for the {len(distinct)} classes of the {what}: {list_values(distinct)}"
        )
    return distinct, class_names


def order_classes(
    classes: tuple[Class, ...], shown: tuple[str, ...], listed: Sequence[Any], what: str
) -> tuple[tuple[Class, ...], tuple[str, ...]]:
    """Return classes and what they are called in the order in which they are listed, by value, text or name.

    A listed class that is none of these is one that has no rows. `UsageError` names a class that is not listed.
    """
    ordered: dict[Class, str] = {}
    for one in listed:
        exact = [label for label, known in enumerate(classes) if known == one and type(known) is type(one)]
        fitting = set(exact) or _find_equal(one, classes, shown)
        if len(fitting) > 1:
            raise UsageError("classes", f"{one!r} may be one class or another of {list_values(classes)}")
        label = fitting.pop() if fitting else None
        value = _read_class(one, type(classes[0])) if label is None else classes[label]
        if value is None:
            raise UsageError("classes", f"{one!r} is no class such as those of the {what}: {list_values(classes)}")
        if value in ordered:
            raise UsageError("classes", f"{one!r} is listed twice")
        ordered[value] = str(value) if label is None else shown[label]
    if unlisted := [one for one in classes if one not in ordered]:
        raise UsageError(
            "classes", f"lacks {str(unlisted[0])!r}, which the {what} holds; list every class, in their order"
        )
    return tuple(ordered), tuple(ordered.values())


def _read_class(value: Any, kind: type) -> Class | None:
    """Return a class without rows as the kind that the others are, None where it is none of it."""
    text = str(value)
    if kind is str:
        return text
    if kind is bool or not NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    if kind is float:
        return float(number)
    return int(number) if number == number.to_integral_value() else None
