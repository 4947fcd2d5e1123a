"""Rows and labels as a user has them at hand: arrays, lists or data frames, made into a split or a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.data.dense import as_dense, remark_on_dense, take_labels
from glassnet.data.splits import Split, compute_checksum, draw_stratified, flatten_column, order_of
from glassnet.data.target_schema import name_columns
from glassnet.data.target_values import find_order
from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array
from glassnet.runtime.seeds import stream

#: What a call may look like, for the errors.
FORMS = "give rows and their labels, as X, y or as a pair (X, y), or a Dataset"


class Asked(NamedTuple):
    """What a network can be asked for: its number of outputs, how its loss makes probabilities, its classes."""

    outputs: int
    probabilities: str | None
    class_names: Sequence[str] | None = None


def as_split(X: Any, y: Any = None, name: str = "data") -> Split:
    """Return rows and their labels, arrays or a table and an array.

    X is an array, a list of rows or a data frame; or, without y, a tuple (X, y) such as a `Split`. Errors call it
    `name`: `UsageError` if labels are missing or given twice, `DataError` if the rows have different lengths.
    """
    if y is None:
        if isinstance(X, str):
            raise UsageError(name, f'load the data first: glassnet.load_dataset("{X}")')
        if isinstance(X, Split):
            return X
        if not isinstance(X, tuple) or len(X) != 2:
            raise UsageError(name, f"the labels are missing; {FORMS}")
        X, y = X
    elif isinstance(X, tuple) and len(X) == 2 and np.ndim(X[0]) > 1:
        raise UsageError(name, f"the labels are given twice, in the pair and as y; {FORMS}")
    try:
        rows = X if is_table(X) else as_dense(X)
        return Split(rows, take_labels(y))
    except DataError:
        raise
    except ValueError:
        raise DataError(f"{name}: the rows must all be equally long, and every row has one label") from None


def is_table(X: Any) -> bool:
    """Whether rows are a table with named columns, of pandas, Polars or pyarrow."""
    return hasattr(X, "__arrow_c_stream__") and (hasattr(X, "columns") or hasattr(X, "column_names"))


def as_dataset(
    data: Any,
    y: Any = None,
    validation_data: Any = None,
    asked: Asked | None = None,
    validation: float | None = None,
) -> Dataset:
    """Return what a user learns from as a data set.

    Of arrays, all rows are training rows, but for the validation rows. `validation_data` names those; without it,
    a twelfth of the rows is drawn, or the share or number `validation`, as `Dataset.from_arrays` does. The test
    split stays empty: no row is set apart that the user did not set apart. ``Dataset.from_arrays`` offers more: a
    test set and names of the classes. What is `asked` of a network tells whether whole numbers are classes.

    A `Dataset` is returned as it is, but for `validation_data`. `UsageError` is raised if the labels are missing
    or given twice, `DataError` if rows and labels do not fit each other.
    """
    if isinstance(data, Dataset):
        if y is not None:
            raise UsageError("y", "a Dataset has its labels already; leave y out")
    else:
        said = remark_on_dense(data[0] if y is None and isinstance(data, tuple) and data else data)
        given = data[1] if y is None and isinstance(data, tuple) and len(data) == 2 else y
        names, order = name_columns(given), find_order(given)
        X, y = as_split(data, y)
        share = validation if validation_data is None else 0
        known = {"target_names": names} | ({"classes": order} if order else {})
        data = _make_dataset(X, y, share, _choose_task(y, asked) | known)
        data = replace(data, remarks=(*said, *data.remarks))
    if validation_data is None:
        return data
    if not isinstance(validation_data, Split) and isinstance(validation_data, tuple) and len(validation_data) == 2:
        validation_data = validation_data[0], data.schema.target.order_columns(validation_data[1])
    held_out = as_split(validation_data, name="validation_data")
    checksums = data.checksums | {"validation X, y": compute_checksum(*held_out)}
    return replace(data.with_validation(held_out), checksums=checksums)


def weights_of_training(data: Dataset, y: Any, sample_weight: Any) -> Any:
    """Return the weights of the training rows, where weights were given for all rows of arrays.

    `data` is what `as_dataset` made of them, and y their labels; the rows that it drew are drawn again.
    """
    n = len(data.train.y) + len(data.validation.y)
    if sample_weight is None or not data.validation_size or np.shape(sample_weight) != (n,):
        return sample_weight
    y = flatten_column(take_labels(y))
    rest, _ = draw_stratified(
        order_of(data.schema, y), int(data.validation_size), stream(data.split_seed, "split")
    )
    return np.asarray(sample_weight)[rest]


def _make_dataset(X: Any, y: Array, validation: float | None, options: dict[str, Any]) -> Dataset:
    """Make a data set without test rows; the options are those of `Dataset.from_arrays` on targets."""
    if is_table(X):
        from glassnet.data.table import require_polars

        require_polars()
        from glassnet.data.table_dataset import make_frame_dataset

        return make_frame_dataset(X, y, validation, **options)
    none = (np.empty((0, *array.shape[1:]), array.dtype) for array in (X, y))
    return Dataset.from_arrays(X, y, *none, validation=validation, **options)


def _choose_task(y: Array, asked: Asked | None) -> dict[str, Any]:
    """Return options on targets where a network tells more of whole numbers than they do."""
    if asked is None or y.dtype.kind not in "iubf" or y.ndim > 2 or (y.ndim == 2 and y.shape[1] > 1):
        return {}
    flat = y.reshape(-1)
    if not np.isfinite(flat).all() or (flat != np.floor(flat)).any():
        return {}
    if asked.probabilities is None and asked.outputs == 1 and y.dtype.kind != "b":
        return {"task": "regression"}
    if asked.outputs == 1 or y.dtype.kind == "f":
        return {}
    if flat.min() >= 0 and flat.max() < asked.outputs:  # some class may lack rows
        return {"class_names": asked.class_names or [str(label) for label in range(asked.outputs)]}
    task = "binary" if asked.outputs == 2 else "multi-class"
    return {"task": task} if len(np.unique(flat)) == asked.outputs else {}


def join_splits(
    train: tuple[Array, Array],
    held_out: tuple[Array, Array] | None,
    test: tuple[Array, Array] | None,
    *,
    validation: float | None,
    **options: Any,
) -> Dataset:
    """Make a data set whose test rows, or validation rows, may come apart from the training rows.

    `held_out` are the validation rows that come with the data. Where others are asked for by `validation`, they
    are training rows. Without test rows, a fifth of the training rows becomes them.
    """
    apart = (None, None) if test is None else test
    if held_out is None:
        return Dataset.from_arrays(*train, *apart, validation=validation, **options)
    if validation is None:
        return Dataset.from_arrays(*train, *apart, validation=0, **options).with_validation(held_out)
    X, y = (np.concatenate(both) for both in zip(train, held_out, strict=True))
    return Dataset.from_arrays(X, y, *apart, validation=validation, **options)
