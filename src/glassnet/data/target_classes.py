"""Which class a value means: exactly the one as written, or else the only one that it equals in another type."""

from __future__ import annotations

import re
from decimal import Decimal

import numpy as np

from glassnet.data.target_values import list_values, name_row, take_integers
from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array

#: A class as it is written.
Class = bool | int | float | str

#: Text that reads as a plain number, and nothing else that Python would take for one.
NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


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
        return value.strip() == one.strip()
    if isinstance(value, str):
        return _says(value.strip(), one)
    if isinstance(one, str):
        return _says(one.strip(), value)
    return value == one


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
