"""Weights of the training rows: by class, by row, or both."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.errors import UsageError, unknown_name
from glassnet.nn.activations import Array

#: Weight by class: ``"balanced"``, or a weight for each class that is named.
ClassWeight = str | Mapping[Any, float]


def row_weights(
    y: Array,
    class_names: Sequence[str] | None,
    class_weight: ClassWeight | None = None,
    sample_weight: Any = None,
    dtype: Any = np.float32,
    classes: Sequence[Any] = (),
) -> Array | None:
    """Return the weight of every training row.

    A row's weight is the product of its own and its class's, scaled so that the n weights have the mean 1::

        w_i = n s_i c_{y_i} / sum over j of s_j c_{y_j}

        L = 1/n sum over i of w_i l_i = (sum of s c l) / (sum of s c)

    So only the ratios of the weights count. The loss over all rows is their weighted mean: with whole numbers,
    exactly that of a data set where row i stands s_i times. And a learning rate means the same with weights as
    without: weights of the mean 2 would double every gradient, which is no more than another learning rate.

    Parameters
    ----------
    y : ndarray
        Of the training rows: labels of shape (n,), numbers, or labels of shape (n, L).
    class_names : sequence of str or None
        In label order; None where y holds no classes.
    class_weight : {"balanced"} or mapping, optional
        "balanced": n / (k n_c) for a class with n_c rows, of k classes that have rows; every class then weighs
        the same in sum. A mapping: the weight of each class as y has it, or by its name. Where no class is named
        by a number, its label 0, 1, ... does as well, also as text, which is what keys are in TOML. A class that
        is not named has the weight 1; the weight 0 leaves a class out.
    sample_weight : array_like of shape (n,), optional
        A weight >= 0 for each row.
    dtype : dtype, default float32
        Of the result; it is computed in float64.
    classes : sequence, optional
        The classes in label order as the user wrote them, where that is more than their names.

    Returns
    -------
    ndarray of shape (n,) or None
        None where no weights are asked for.

    Raises
    ------
    UsageError
        Naming class_weight or sample_weight: if lengths differ, a class is unknown or named twice, a weight is
        negative or not finite, or no row has a weight above 0; and if y has no classes to be weighted.

    References
    ----------
    King and Zeng (2001), Logistic regression in rare events data, Political Analysis 9, 137-163: "balanced".

    Examples
    --------
    >>> y = np.array([0, 0, 0, 1])
    >>> row_weights(y, ["cat", "dog"], "balanced").tolist()
    [0.6666666865348816, 0.6666666865348816, 0.6666666865348816, 2.0]
    >>> row_weights(y, ["cat", "dog"], {"dog": 5}).tolist()
    [0.5, 0.5, 0.5, 2.5]
    >>> row_weights(y, ["cat", "dog"], sample_weight=[1, 1, 0, 2]).tolist()
    [1.0, 1.0, 0.0, 2.0]
    """
    if class_weight is None and sample_weight is None:
        return None
    weights = np.ones(len(y))
    if sample_weight is not None:
        weights *= _check_weights(sample_weight, len(y))
    if class_weight is not None:
        weights *= _weigh_classes(y, class_names, class_weight, classes)[y.astype(np.intp)]
    if not weights.any():
        name = "class_weight" if sample_weight is None else "sample_weight"
        raise UsageError(name, "every training row has the weight 0; give some row a weight above 0")
    return (weights / weights.mean()).astype(dtype)


def weigh_rows(data: Dataset, drawn: int, class_weight: Any, sample_weight: Any, dtype: Any) -> Array | None:
    """Return the `row_weights` of a data set, with the mean 1 over the first rows, from which epochs are drawn.

    All rows after those `drawn` get the weight 1.
    """
    y = data.encoded.train.y
    if sample_weight is not None and np.shape(sample_weight) == (len(y),):
        sample_weight = np.asarray(sample_weight)[:drawn]
    classes = data.schema.target.classes
    weights = row_weights(y[:drawn], data.class_names, class_weight, sample_weight, dtype, classes)
    if weights is None or drawn == len(y):
        return weights
    return np.concatenate([weights, np.ones(len(y) - drawn, weights.dtype)])


def fingerprint(sample_weight: Any) -> str | None:
    """Return the SHA-256 of weights, by which a run recognises its own; None without weights."""
    if sample_weight is None:
        return None
    try:
        weights = np.asarray(sample_weight, np.float64)
    except (TypeError, ValueError):
        raise UsageError("sample_weight", "expected one number for each training row") from None
    return hashlib.sha256(weights.tobytes()).hexdigest()


def _check_weights(sample_weight: Any, n: int) -> Array:
    """Return the rows' own weights, the largest being 1."""
    try:
        weights = np.asarray(sample_weight)
    except ValueError:
        raise UsageError("sample_weight", f"expected one number for each of the {n} training rows") from None
    if weights.shape != (n,) or weights.dtype.kind not in "fiub":
        raise UsageError(
            "sample_weight",
            f"expected one number for each of the {n} training rows, "
            f"got the shape {weights.shape} of type {weights.dtype}",
        )
    weights = weights.astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise UsageError(
            "sample_weight",
            f"row {bad[0] + 1} has the weight {weights[bad[0]]}; give finite numbers >= 0",
        )
    return _scale(weights)


def _weigh_classes(
    y: Array, class_names: Sequence[str] | None, class_weight: ClassWeight, classes: Sequence[Any]
) -> Array:
    """Return the weights of the k classes, the largest being 1."""
    if y.ndim != 1:
        raise UsageError(
            "class_weight",
            "a row has several labels here, so no class; leave it out, or weigh rows in Python by sample_weight",
        )
    if class_names is None or y.dtype.kind not in "iub":
        raise UsageError(
            "class_weight", "there are no classes to weigh; leave it out, or weigh rows in Python by sample_weight"
        )
    names = [str(name) for name in class_names]
    if isinstance(class_weight, Mapping):
        return _scale(_weigh_named(names, class_weight, classes))
    if class_weight != "balanced":
        raise UsageError("class_weight", f"takes balanced, or a weight by class, got {class_weight!r}")
    counts = np.bincount(y, minlength=len(names))
    present = counts > 0
    return _scale(np.divide(len(y), present.sum() * counts, out=np.zeros(len(names)), where=present))


def _weigh_named(names: list[str], class_weight: Mapping[Any, float], classes: Sequence[Any]) -> Array:
    """Return a weight for each class, 1 for those that the mapping does not name."""
    labels: dict[Any, int] = {name: label for label, name in enumerate(names)}
    if not any(map(_reads_as_number, names)):  # else 1 could be the class called 1, or the second one
        labels |= {str(label): label for label in range(len(names))}
    written = {one: label for label, one in enumerate(classes)}  # of numbers, 1 and 1.0 are one key
    weights, given = np.ones(len(names)), set()
    for key, weight in class_weight.items():
        label = labels.get(str(key), written.get(_as_number(key)))
        if label is None:
            raise unknown_name("class_weight", str(key), names)
        if label in given:
            raise UsageError("class_weight", f"the class {names[label]} is given twice, by name and by label")
        weights[label] = _read_number(weight)
        if not weights[label] >= 0:
            raise UsageError(
                "class_weight", f"the class {key} has the weight {weight!r}; give a finite number >= 0"
            )
        given.add(label)
    return weights


def _read_number(value: Any) -> float:
    """Return a number as a float; NaN where it is none, or is too large or infinite."""
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    except OverflowError:  # a whole number beyond all floats
        return math.nan
    return number if math.isfinite(number) else math.nan


def _reads_as_number(name: str) -> bool:
    return _as_number(name) is not None


def _as_number(key: Any) -> int | float | None:
    """Return the number that a class is given by, whole ones exactly; None where it is none."""
    for kind in (int, float):
        try:
            return kind(str(key))
        except ValueError:
            pass
    return None


def _scale(weights: Array) -> Array:
    """Return weights divided by the largest, so that no product or sum of them overflows."""
    largest = weights.max(initial=0)
    return weights / largest if largest > 0 else weights
