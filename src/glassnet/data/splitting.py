"""Which rows are set aside for validation and for the test: how many, and how they are drawn."""

from __future__ import annotations

import numpy as np

from glassnet.errors import UsageError
from glassnet.nn.activations import Array

#: Share of the training rows that is set aside for validation: 5,000 of Fashion-MNIST's 60,000.
VALIDATION = 1 / 12

#: Share of the rows that is the test set, where a data set comes without one.
TEST = 0.2


def count_validation_rows(validation: float, n: int) -> int:
    """Return the number of validation rows for a share below 1 or a whole number.

    Examples
    --------
    >>> count_validation_rows(1 / 12, 60_000), count_validation_rows(300, 60_000), count_validation_rows(0, 60_000)
    (5000, 300, 0)
    """
    share = 0 < validation < 1
    size = max(1, round(validation * n)) if share else validation
    if not 0 <= size < n or not (share or isinstance(validation, int | np.integer) or validation == 0):
        raise UsageError("validation", f"takes a share below 1, or a number of the {n} rows, got {validation}")
    return int(size)


def draw_stratified(y: Array, size: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw `size` rows with every class in proportion, to within one row; return (the rest, the drawn).

    The rows are shuffled, sorted by label, and every (n / size)-th is drawn; of numbers (floats), one of every
    n / size neighbours. Both results are sorted.

    Examples
    --------
    >>> rest, drawn = draw_stratified(np.repeat([0, 1], [6, 3]), 3, np.random.default_rng(0))
    >>> (drawn < 6).sum(), (drawn >= 6).sum()
    (np.int64(2), np.int64(1))
    """
    order = rng.permutation(len(y))
    if y.ndim == 1:  # several numbers a row have no order
        if y.dtype.kind == "f":  # numbers to regress: one of every n / size neighbours, not always the same
            y = y.argsort(kind="stable").argsort(kind="stable") * size // len(y)
        order = order[np.argsort(y[order], kind="stable")]
    drawn = order[((np.arange(size) + 0.5) * len(y) / max(size, 1)).astype(np.intp)]
    return np.setdiff1d(np.arange(len(y)), drawn), np.sort(drawn)
