"""Arrays that hold pictures: their shape, whatever the order of their axes."""

from __future__ import annotations

import numpy as np

from glassnet.data.remarks import Remark
from glassnet.nn.activations import Array

#: Colour pictures with the colours first have more rows and columns than this; smaller ones are volumes.
LEAST_SIDE = 4


def as_pictures(X: Array) -> Array:
    """Return rows of pictures with their axes in one order: (n, h, w), (n, h, w, 3) in colour, (n, d, h, w).

    A single channel is left out, first or last: (n, h, w, 1) and (n, 1, h, w) become (n, h, w), and volumes alike;
    colours that come first, (n, 3, h, w), go last. Other rows are returned as they are. Nothing is copied.
    """
    if X.ndim in (4, 5):
        if X.shape[-1] == 1:
            return X[..., 0]
        if X.shape[1] == 1:
            return X[:, 0]
    return np.moveaxis(X, 1, -1) if _has_colours_first(X) else X


def remark_on_rows(X: Array) -> tuple[str, ...]:
    """Say how the axes of pictures were taken."""
    remarks = []
    shape = " x ".join(map(str, X.shape[1:]))
    if X.ndim in (4, 5) and as_pictures(X).ndim == X.ndim - 1:
        key = "noticed.one_channel" if X.ndim == 4 else "noticed.volumes"
        remarks.append(Remark(key, shape=shape, taken=" x ".join(map(str, as_pictures(X).shape[1:]))))
    elif _has_colours_first(X):
        remarks.append(Remark("noticed.colours_first", shape=shape))
    return tuple(remarks)


def _has_colours_first(X: Array) -> bool:
    return X.ndim == 4 and X.shape[1] == 3 and min(X.shape[2:]) > LEAST_SIDE
