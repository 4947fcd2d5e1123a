"""What in a target can only be a mistake, or looks like one: it is refused by its row, or remarked on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from glassnet.data.blanks import simplify
from glassnet.data.number_format import MISSING
from glassnet.data.remarks import Remark
from glassnet.data.target_values import list_values, name_row
from glassnet.errors import DataError
from glassnet.nn.activations import Array

#: A fraction or a negative number among labels is taken for a mistake in at most this share of the rows.
RARE = 0.05

#: A class of a single row is remarked on where half of the classes have so many.
MANY = 5


def refuse_fraction(values: Array, most_classes: int, what: str) -> None:
    """Refuse a few fractions among whole numbers that would be classes without them."""
    is_whole = values == np.floor(values)
    classes = np.unique(values[is_whole])
    if 1 < len(classes) <= most_classes and _are_few(~is_whole, len(classes)):
        row = int(is_whole.argmin())
        raise DataError(
            f"{what}: {name_row(row, what)} is {values[row]:g} among {int(is_whole.sum())} whole numbers "
            f"({list_values(tuple(f'{one:g}' for one in classes))}); correct it, or task=regression takes them as "
            "numbers"
        )


def refuse_negative(values: Array, distinct: tuple[Any, ...], what: str) -> None:
    """Refuse a few negative labels among the labels 0, 1, ..., k."""
    labels = [one for one in distinct if one >= 0]
    is_negative = np.array(values < 0, bool)
    if 1 < len(labels) == labels[-1] + 1 and _are_few(is_negative, len(labels)):
        row = int(is_negative.argmax())
        raise DataError(
            f"{what}: {name_row(row, what)} is {values[row]:g}, a negative label among 0 to {labels[-1]:g}; if it "
            "stands for no label, leave such rows out; if it is a class, list all of them with the option classes"
        )


def _are_few(odd: Array, classes: int) -> bool:
    """Whether some rows are few, and the others more than the classes that they have."""
    count = int(odd.sum())
    return 0 < count <= max(1, RARE * len(odd)) and len(odd) - count >= 2 * classes


def remark_on_classes(values: Array, distinct: tuple[Any, ...], what: str) -> list[str]:
    """Say which classes look like one that is misspelt, like a missing value, or come up once only."""
    remarks: list[str] = []
    if isinstance(distinct[0], str):
        alike: dict[str, list[str]] = {}
        for one in distinct:
            alike.setdefault(simplify(one), []).append(one)
        for words in alike.values():
            if len(words) > 1:
                said: str = repr(words[0][:40])
                for word in words[1:3]:
                    said = Remark("noticed.both", one=said, other=repr(word[:40]))
                remarks.append(Remark("noticed.alike", what=what, said=said, count=len(words)))
        missing = [one for one in distinct if simplify(one) in MISSING]
        if missing:
            remarks.append(Remark("noticed.as_class", what=what, name=repr(missing[0]), bare=missing[0]))
    counts = Counter(values.tolist())
    single = [one for one in distinct if counts[one] == 1]
    if single and sorted(counts.values())[len(counts) // 2] >= MANY:
        row = name_row(values.tolist().index(single[0]), what)
        more = "" if len(single) == 1 else Remark("noticed.more_such", count=len(single) - 1)
        remarks.append(Remark("noticed.single", what=what, name=repr(str(single[0])[:40]), row=row, more=more))
    return remarks


def remark_on_unseen(names: Sequence[str], train: Array, test: Array) -> tuple[str, ...]:
    """Say which classes test rows have and no training row has; rows are given by the places of their classes."""
    unseen = tuple(names[one] for one in np.setdiff1d(test, train))
    return (Remark("noticed.unseen_classes", names=list_values(unseen)),) if unseen else ()
