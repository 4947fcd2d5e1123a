"""How class labels become target rows, and outputs become predictions again.

One rule for every network and loss. With as many outputs as classes a label is a one-hot row, and the prediction
is the largest output. With a single output a label is its class number, and the prediction is the output
rounded to the nearest class. Floats are regression targets and stay as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array


def encode(y: Array, d_out: int, n_classes: int | None, dtype: np.dtype[Any]) -> Array:
    """Return targets of shape (n, d_out) and the given dtype.

    y are class labels, whole numbers of shape (n,), or regression targets, floats of shape (n,) or (n, d_out).
    Without n_classes there are as many as outputs, and no classes at all with a single output. Raise `DataError`
    if a label is outside the classes, a target is not finite, or the shape does not fit the network.

    Examples
    --------
    >>> encode(np.array([2, 0]), 3, 3, np.dtype("float32"))
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    y = np.asarray(y)
    labels = y.ndim == 1 and y.dtype.kind in "iub"
    if n_classes is None and d_out > 1:
        n_classes = d_out
    if not labels or n_classes is None:
        return _numbers(y, d_out, dtype)
    outside = np.flatnonzero((y < 0) | (y >= n_classes))
    if len(outside):
        raise DataError(
            f"y: row {outside[0] + 1} (y[{outside[0]}]) has the label {y[outside[0]]}, outside the classes "
            f"0..{n_classes - 1}"
        )
    if d_out == 1:
        return y.astype(dtype)[:, None]
    if d_out != n_classes:
        raise DataError(
            f"layers: the data have {n_classes} classes, the last layer has {d_out} units; "
            f"give it {n_classes}, or 1 that regresses the class number"
        )
    targets = np.zeros((len(y), n_classes), dtype)
    targets[np.arange(len(y)), y.astype(np.intp)] = 1
    return targets


def _numbers(y: Array, d_out: int, dtype: np.dtype[Any]) -> Array:
    """Return regression targets as (n, d_out), checked."""
    if y.dtype.kind not in "fiub":
        raise DataError(f"y: expected labels (whole numbers) or numbers, got the type {y.dtype}")
    with np.errstate(over="ignore"):  # a number beyond the dtype is refused below
        targets = y.astype(dtype)
    if targets.ndim == 1:
        targets = targets[:, None]
    if targets.ndim != 2 or targets.shape[1] != d_out:
        raise DataError(f"y: the network has {d_out} outputs a row; the targets have the shape {y.shape}")
    if not np.isfinite(targets).all():
        row = int(np.argwhere(~np.isfinite(targets))[0, 0])
        remedy = "remove or replace such rows"
        if np.isfinite(y[row]).all():
            remedy = f"{dtype} goes to {np.finfo(dtype).max:.0e}; give smaller numbers, in another unit"
        raise DataError(f"y: row {row + 1} (y[{row}]) holds {y[row]}; {remedy}")
    return targets


def smooth(targets: Array, smoothing: float, output: str | None) -> Array:
    """Return targets that are less certain: (1 - s) y + s / k for k classes (Szegedy et al. 2016, section 7).

    The targets, of shape (n, k), are probabilities; the smoothing s is in [0, 1). `output` says how the loss makes
    probabilities of outputs: by softmax, or by sigmoids, each of which decides between two classes. A loss without
    any is refused with `UsageError`.

    Examples
    --------
    >>> smooth(np.array([[1.0, 0.0, 0.0, 0.0]]), 0.2, "softmax")
    array([[0.85, 0.05, 0.05, 0.05]])
    """
    if not smoothing:
        return targets
    if output is None:
        raise UsageError("label_smoothing", "is for cross_entropy and binary_cross_entropy; leave it out")
    classes = targets.shape[1] if output == "softmax" else 2
    return (1 - smoothing) * targets + smoothing / classes


def decode(outputs: Array, n_classes: int | None) -> Array:
    """Return class labels of shape (n,), or the outputs themselves where there are no classes.

    Examples
    --------
    >>> decode(np.array([[0.1, 0.7, 0.2]]), 3), decode(np.array([[6.6], [11.0], [-3.0]]), 10)
    (array([1]), array([7, 9, 0]))
    """
    if n_classes is None:
        return outputs
    if outputs.shape[1] > 1:
        return outputs.argmax(axis=1)
    return np.clip(np.rint(outputs[:, 0]), 0, n_classes - 1).astype(np.intp)
