"""What stands in the columns of some rows, for tables of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from glassnet.charts.axes import format_number
from glassnet.charts.tables import NONE, Cell
from glassnet.data.dataset import Dataset

#: Columns that are shown, and letters of a value.
MOST_COLUMNS, LETTERS = 8, 24


def read_values(
    data: Dataset, rows: Sequence[int], first: Sequence[str] = ()
) -> tuple[list[str], list[list[Cell]]]:
    """Return names of columns, and their values in these test rows; the columns named `first` before the others.

    Nothing of pictures, and of rows of numbers without names where they are many.
    """
    X = data.test.X
    if isinstance(X, np.ndarray):
        if data.image_shape is not None or X.ndim != 2 or X.shape[1] > MOST_COLUMNS:
            return [], [[] for _ in rows]
        return [f"x{place + 1}" for place in range(X.shape[1])], [[_write(one) for one in X[row]] for row in rows]
    used = [column.name for column in data.schema.input.columns if column.name in X.columns]  # type: ignore[union-attr]
    names = [*(name for name in first if name in used), *(name for name in used if name not in first)][
        :MOST_COLUMNS
    ]
    return names, [[_write(X[name][row]) for name in names] for row in rows]


def _write(value: Any) -> Cell:
    """Return a value as a page has it; a dash where it is missing."""
    if value is None:
        return Cell(NONE)
    text = format_number(float(value)) if isinstance(value, float | np.floating) else str(value).strip()
    return Cell(text) if len(text) <= LETTERS else Cell(f"{text[: LETTERS - 1]}…", full=text)
