"""Rows and labels as a user has them at hand: arrays, lists or data frames, made into a split or a data set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from glassnet.data.dataset import Dataset, Split, compute_checksum
from glassnet.errors import DataError, UsageError

#: What a call may look like, for the errors.
FORMS = "give rows and their labels, as X, y or as a pair (X, y), or a Dataset"


def as_split(X: Any, y: Any = None, name: str = "data") -> Split:
    """Return rows and their labels as two arrays.

    X is an array, a list of rows or a data frame; or, without y, a tuple (X, y) such as a `Split`. Errors call it
    `name`: `UsageError` if labels are missing or given twice, `DataError` if the rows have different lengths.
    """
    if y is None:
        if isinstance(X, str):
            raise UsageError(name, f'load the data first: glassnet.load_dataset("{X}")')
        if not isinstance(X, tuple) or len(X) != 2:
            raise UsageError(name, f"the labels are missing; {FORMS}")
        X, y = X
    elif isinstance(X, tuple) and len(X) == 2 and np.ndim(X[0]) > 1:
        raise UsageError(name, f"the labels are given twice, in the pair and as y; {FORMS}")
    try:
        return Split(np.asarray(X), np.asarray(y))
    except ValueError:
        raise DataError(f"{name}: the rows must all be equally long, and every row has one label") from None


def as_dataset(data: Any, y: Any = None, validation_data: Any = None) -> Dataset:
    """Return what a user learns from as a data set.

    Of arrays, all rows are training rows, but for the validation rows. `validation_data` names those; without it,
    a twelfth of the rows is drawn, as `Dataset.from_arrays` does. The test split stays empty: no row is set apart
    that the user did not set apart. ``Dataset.from_arrays`` offers more: a test set, names of the classes, another
    share for validation or none.

    A `Dataset` is returned as it is, but for `validation_data`. `UsageError` is raised if the labels are missing
    or given twice, `DataError` if rows and labels do not fit each other, or labels are text.
    """
    if isinstance(data, Dataset):
        if y is not None:
            raise UsageError("y", "a Dataset has its labels already; leave y out")
    else:
        X, y = as_split(data, y)
        # The first row stands in for a test row, and is taken out again: `from_arrays` would set a fifth apart.
        share = None if validation_data is None else 0
        made = Dataset.from_arrays(X, y, X[:1], y[:1], validation=share)
        data = replace(made, test=Split(X[:0], made.train.y[:0]))
    if validation_data is None:
        return data
    validation = as_split(validation_data, name="validation_data")
    checksums = data.checksums | {"validation X, y": compute_checksum(*validation)}
    return replace(data.with_validation(validation), checksums=checksums)
