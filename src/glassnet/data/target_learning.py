"""What a column or several of targets mean, found by their values and by what is said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from glassnet.data.remarks import Remark
from glassnet.data.target_classes import Class, name_classes, order_classes
from glassnet.data.target_doubts import refuse_fraction, refuse_negative, remark_on_classes
from glassnet.data.target_values import (
    count_decimals,
    find_distinct,
    find_kind,
    find_not_one_hot,
    find_other,
    find_unsummed,
    list_values,
    name_row,
    name_target,
    refuse_dates_as_text,
    refuse_rows,
    take_numbers,
)
from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array

#: Numbers with more distinct values than this are a target to regress, not classes.
MAX_CLASSES = 20


class Hints(NamedTuple):
    """What is said of targets beside their values; see `glassnet.data.target_schema.TargetSchema.learn`."""

    task: str | None = None
    names: tuple[str, ...] = ()
    class_names: tuple[str, ...] | None = None
    classes: Sequence[Any] = ()
    spelling: Mapping[Class, Class] = {}
    pictures: bool = False


def learn_column(values: Array, hints: Hints, remarks: list[str]) -> dict[str, Any]:
    """Return the fields of the schema of a target of one value a row; what is said of them goes to the remarks."""
    what, kind, task = name_target(hints.names), find_kind(values), hints.task
    if task == "multi-label":
        raise DataError(f"{what}: task=multi-label takes two or more columns of 0 and 1, got one column")
    distinct = find_distinct(values)
    reason = ""
    is_listed = bool(hints.class_names or hints.classes)
    if kind == "float" and task != "regression" and not is_listed:
        refuse_fraction(values, MAX_CLASSES, what)
    if task is None:
        as_classes, reason = _guess_classes(distinct, kind, hints)
        if not as_classes:
            remarks.append(Remark("noticed.numbers", what=what, reason=reason))
            task = "regression"
    if task == "regression":
        if hints.classes:
            raise UsageError("classes", "is the order of classes, and task=regression predicts numbers")
        if kind == "str":
            raise DataError(
                f"{what}: task=regression takes numbers, but {name_row(0, what)} is the text {values[0][:30]!r}"
            )
        return {"task": task, "names": hints.names, "decimals": count_decimals(values)}
    if kind in ("int", "float") and not is_listed:
        refuse_negative(values, distinct, what)
    if len(distinct) == 1:
        raise DataError(f"{what}: one class only, {distinct[0]!r}; there is nothing to learn")
    if kind == "str" and task is None and hints.class_names is None and not hints.classes:
        refuse_dates_as_text({*map(str, distinct)}, what)
        if 2 * len(distinct) > len(values):
            problem = f"{len(distinct)} distinct texts in {len(values)} rows; classes must come back"
            raise DataError(f"{what}: {problem} (or task=multi-class takes them as they are)")
    spelled = tuple(hints.spelling.get(one, one) for one in distinct)
    classes, shown = name_classes(spelled, hints.class_names, what)
    if hints.classes:
        classes, shown = order_classes(classes, shown, hints.classes, what)
        if absent := [one for one in classes if one not in spelled]:
            remarks.append(Remark("noticed.absent", what=what, names=list_values(tuple(absent))))
    if task == "binary" and len(classes) != 2:
        raise DataError(
            f"{what}: task=binary takes two classes, the target has {len(classes)} ({list_values(classes)})"
        )
    if task == "ordinal":
        said: dict[str, Any] = {"what": what, "count": len(classes), "names": list_values(shown)}
        if hints.class_names or hints.classes:
            remarks.append(Remark("noticed.in_order", **said))
        elif kind == "str":
            remarks.append(Remark("noticed.in_alphabet", **said))
        else:
            remarks.append(Remark("noticed.in_order_guessed", **said))
    elif task is None:
        task = "binary" if len(classes) == 2 else "multi-class"
        key = "noticed.two_classes" if task == "binary" else "noticed.classes"
        remarks.append(Remark(key, what=what, count=len(classes), names=list_values(shown), reason=reason))
    remarks += remark_on_classes(values, distinct, what)
    return {"task": task, "names": hints.names, "classes": classes, "class_names": shown}


def _guess_classes(distinct: tuple[Any, ...], kind: str, hints: Hints) -> tuple[bool, str]:
    """Return whether a target's values are classes, with what there is to say of the guess."""
    if kind in ("bool", "str") or hints.class_names or hints.classes:
        return True, ""
    if kind == "float" and any(value != np.floor(value) for value in distinct):
        return False, ""
    if kind == "int" and hints.pictures:
        return True, Remark("noticed.by_pictures")
    if len(distinct) <= MAX_CLASSES:
        return True, Remark("noticed.few_whole", most=MAX_CLASSES)
    return False, Remark("noticed.many_whole", count=len(distinct), most=MAX_CLASSES)


def learn_columns(values: Array, hints: Hints, remarks: list[str]) -> dict[str, Any]:
    """Return the fields of the schema of a target of several values a row, as `learn_column` does."""
    what, k, task, names = name_target(hints.names), values.shape[1], hints.task, hints.names
    if hints.classes:
        raise UsageError("classes", f"is the order of the classes of one column, and the target has {k}")
    if find_kind(values) == "str":
        raise DataError(f"{what}: {k} texts a row; expected one class a row, or numbers")
    numbers = take_numbers(values, what)
    only_bits, one_hot = find_other(values) is None, find_not_one_hot(numbers) is None
    soft = not one_hot and find_kind(values) == "float" and find_unsummed(numbers) is None
    if task is None:
        if one_hot:
            remarks.append(Remark("noticed.one_hot", what=what, count=k))
        elif only_bits:
            task = "multi-label"
            remarks.append(Remark("noticed.bits", what=what, count=k))
        elif soft:
            remarks.append(Remark("noticed.soft", what=what, count=k))
        else:
            task = "regression"
            remarks.append(Remark("noticed.several", what=what, count=k))
    if task == "regression":
        return {"task": task, "names": names, "width": k, "decimals": count_decimals(values)}
    if task == "multi-label":
        if not only_bits:
            row = find_other(values) or 0
            raise DataError(f"{what}: task=multi-label takes 0 and 1, but {name_row(row, what)} is {values[row]}")
        bits = {"bool": (False, True), "float": (0.0, 1.0)}.get(find_kind(values), (0, 1))
        return {"task": task, "names": names, "classes": bits, "width": k}
    refuse_rows(numbers, task, one_hot, soft, what)
    if one_hot and len(present := np.flatnonzero(numbers.any(axis=0))) == 1:
        raise DataError(f"{what}: one class only, {(names or range(k))[present[0]]!r}; there is nothing to learn")
    classes: tuple[Class, ...] = names or tuple(range(k))
    shown = hints.class_names or tuple(map(str, classes))
    if len(shown) != k:
        raise UsageError("class_names", f"{len(shown)} names for {k} classes, the columns of y")
    chosen = task or ("binary" if k == 2 and one_hot else "multi-class")
    form = "one-hot" if one_hot else "soft"
    return {"task": chosen, "classes": classes, "class_names": shown, "form": form}
