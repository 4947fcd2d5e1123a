"""Arrays of a user, masked and sparse ones too, as plain arrays; what cannot be rows and labels is refused."""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.data.remarks import Remark
from glassnet.errors import DataError
from glassnet.nn.activations import Array
from glassnet.runtime.memory import available_memory, describe_bytes

#: Share of the free memory that sparse rows may take when they are dense: training needs some beside them.
MOST = 0.5

#: Fewer rows than these to learn from are remarked on.
FEW = 5

#: Rows that are looked at together.
BLOCK = 1024


def is_sparse(values: Any) -> bool:
    """Whether an array is a sparse one of SciPy."""
    return hasattr(values, "tocsr") and hasattr(values, "nnz")


def as_dense(values: Any) -> Array:
    """Return a plain array: masked values are missing ones (NaN), sparse ones dense.

    `DataError` is raised if they take too much memory so, `ValueError` if the rows are not equally long.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
        return np.asarray(np.ma.filled(values.astype(np.float64), np.nan))
    if is_sparse(values):
        size, free = _dense_size(values), available_memory()
        if free is not None and size > MOST * free:
            raise DataError(
                f"X: {_shape_of(values)} sparse numbers are {describe_bytes(size)} when dense, as training needs "
                f"them, and {describe_bytes(free)} are free; take fewer columns or rows"
            )
        values = values.toarray()
    return np.asarray(values)


def remark_on_dense(values: Any) -> tuple[str, ...]:
    """Say what `as_dense` makes of an array."""
    if isinstance(values, np.ma.MaskedArray) and (masked := int(np.ma.getmaskarray(values).sum())):
        return (Remark("noticed.masked", n=masked),)
    if is_sparse(values):
        return (Remark("noticed.sparse", shape=_shape_of(values), size=describe_bytes(_dense_size(values))),)
    return ()


def take_labels(y: Any) -> Array:
    """Return labels or numbers as an array; `DataError` names a masked one, or a type such as that of dates."""
    if isinstance(y, np.ma.MaskedArray) and (masked := np.ma.getmaskarray(y)).any():
        row = int(np.argwhere(masked)[0, 0])
        raise DataError(f"y: row {row + 1} (y[{row}]) is masked, a missing value; rows to learn from need one")
    labels = as_dense(y)
    if labels.dtype.kind not in "fiubUSO":
        raise DataError(
            f"y: values of the type {labels.dtype}; y.astype(str) makes text of them, which are classes"
        )
    return labels


def _describe_non_numbers(X: Array) -> str:
    """Say what rows are that are no numbers, and what makes numbers of them."""
    if X.ndim == 1 and len(X) and isinstance(X[0], dict):
        return "records; give a table of pandas or Polars, or an array of their numbers"
    hint = "; where all are numbers, give X.astype(float)" if X.ndim > 1 and X.dtype.kind in "OUS" else ""
    return f"the type {X.dtype}{hint}"


def find_unusable(X: Any, what: str = "X", first_row: int = 0) -> str:
    """Say which row of an array is the first to hold NaN or infinity; nothing where none does."""
    if not isinstance(X, np.ndarray) or X.dtype.kind != "f":
        return ""
    for first in range(0, len(X), BLOCK):
        block = np.asarray(X[first : first + BLOCK]).reshape(len(X[first : first + BLOCK]), -1)
        finite = np.isfinite(block)
        if not finite.all():
            row, column = (int(place) for place in np.argwhere(~finite)[0])
            number = first_row + first + row
            index = f" ({what}[{number}])" if what.isidentifier() else ""
            return (
                f"{what}: row {number + 1}{index}, column {column + 1} holds {block[row, column]}, which is no "
                "finite number; replace or remove it"
            )
    return ""


def remark_on_few(train: int, validation: int) -> tuple[str, ...]:
    """Say where the rows are too few to tell what was learned."""
    if train >= FEW:
        return ()
    return (Remark("noticed.few", train=train, validation=validation),)


def refuse_few(name: str, given: int, left: int) -> None:
    """Raise `DataError` where a single row is left to learn from, because others were set aside."""
    if left < 2 < given + 1:
        raise DataError(
            f"{name}: {given} rows are too few: of them, {left} is left to learn from, and the others are set "
            "aside; give more, or set none aside by validation=0 and a test set of their own"
        )


def _dense_size(values: Any) -> int:
    return int(np.prod(values.shape, dtype=np.float64)) * int(values.dtype.itemsize)


def _shape_of(values: Any) -> str:
    return " x ".join(f"{edge:,}" for edge in values.shape)


def check_arrays(name: str, split: str, X: Array, y: Array) -> tuple[Array, Array]:
    """Return rows and labels of a split as plain arrays; refuse what cannot be these."""
    try:
        X, y = as_dense(X), take_labels(y)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    except ValueError:
        raise DataError(f"{name}: expected {split} rows of equal length") from None
    if X.dtype.kind not in "fiub":
        raise DataError(f"{name}: expected {split} rows of numbers, got {_describe_non_numbers(X)}")
    if X.ndim < 2:
        hint = "; where a row is one number, give X[:, None]" if X.ndim else ""
        raise DataError(f"{name}: expected {split} rows of numbers, got the shape {X.shape}{hint}")
    if y.ndim == 0:
        raise DataError(f"{name}: expected {split} labels, one for each of the {len(X)} rows, got a single one")
    if len(X) != len(y) or (len(X) == 0 and split != "test"):
        raise DataError(f"{name}: {len(X)} {split} rows but {len(y)} labels; they must be as many, and not none")
    return X, y


def check_test_arrays(name: str, X: Array, y: Array, X_train: Array, y_train: Array) -> None:
    """Refuse test rows or labels of another form than those of the training rows."""
    if X.shape[1:] != X_train.shape[1:]:
        raise DataError(f"{name}: rows of shape {X_train.shape[1:]}, but test rows of shape {X.shape[1:]}")
    if y.shape[1:] != y_train.shape[1:] or (y.dtype.kind == "f") != (y_train.dtype.kind == "f"):
        raise DataError(
            f"{name}: {y_train.dtype} of shape {y_train.shape[1:]} for a row's labels, "
            f"but {y.dtype} of shape {y.shape[1:]} for a test row's"
        )
