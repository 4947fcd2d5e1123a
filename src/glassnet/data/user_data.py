"""The user's own data: a table, an NPZ file, or a folder of images, told apart by what it is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from glassnet.data.dataset import (
    TEST,
    Dataset,
    Split,
    compute_checksum,
    count_validation_rows,
    draw_stratified,
    join_splits,
)
from glassnet.data.image_folder import holds_splits, read_image_folder, read_split_image_folder
from glassnet.data.large import LARGE, join_table_splits, make_large_arrays, make_large_table
from glassnet.data.numpy_files import read_npz, read_rows
from glassnet.data.sources import md5
from glassnet.data.table import read_table, require_polars
from glassnet.errors import DataError, FileError, UsageError
from glassnet.nn.activations import Array
from glassnet.runtime.seeds import stream

if TYPE_CHECKING:
    import polars as pl

#: Names of the arrays that an NPZ file may hold, rows before labels: the whole, or training, validation and test.
WHOLE = (("X", "y"), ("x", "y"), ("data", "target"), ("images", "labels"))
SPLIT = (
    ("X_train", "y_train", "X_validation", "y_validation", "X_test", "y_test"),
    ("X_train", "y_train", "X_val", "y_val", "X_test", "y_test"),
    ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test"),
    ("train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels"),
)

TABLES = (".csv", ".tsv", ".txt", ".parquet", ".csv.gz")


def read_user_data(
    path: str | Path,
    target: str | None = None,
    impute: str | None = None,
    *,
    validation: float | None,
    split_seed: int,
) -> Dataset:
    """Read a table, an NPZ file, an NPY file or a folder of images, and split it; see `load_dataset`.

    `FileError` or `DataError` is raised if the data cannot be read or contradict themselves; `UsageError` if a
    table's target is not named, or an option does not go with the data.
    """
    path = Path(path)
    is_rows = path.suffix == ".npy" and not path.is_dir()
    draw: dict[str, Any] = {"validation": validation, "split_seed": split_seed}
    draw["name"] = path.resolve().name if path.is_dir() else path.name.partition(".")[0] or path.name
    for option, value in (("target", None if is_rows else target), ("impute", impute)):
        if value is not None and (path.is_dir() or path.suffix in (".npy", ".npz")):
            raise UsageError(option, "goes with a table (CSV, TSV, Parquet)")
    if path.is_dir():
        data = _read_images(path, **draw)
    elif is_rows:
        data = _read_rows(path, target, **draw)
    elif path.suffix == ".npz":
        data = _read_arrays(path, **draw)
    elif path.name.endswith(TABLES):
        data = _read_table(path, target, impute, **draw)
    elif not path.exists():
        raise FileError(path, "cannot be read: No such file or directory")
    else:
        raise FileError(path, f"is none of {', '.join(TABLES)}, .npz, .npy, and no folder of images")
    origin = {"target": str(Path(target).resolve()) if is_rows and target else target, "impute": impute}
    given = {name: value for name, value in origin.items() if value is not None}
    return replace(data, origin={"dataset": str(path.resolve()), **given})


def _read_images(folder: Path, **draw: Any) -> Dataset:
    if not holds_splits(folder):
        X, y, names = read_image_folder(folder)
        return Dataset.from_arrays(X, y, class_names=names, image_shape=X.shape[1:], **draw)
    splits, names = read_split_image_folder(folder)
    train, held_out, test = splits["train"], splits.get("validation"), splits["test"]
    return join_splits(train, held_out, test, class_names=names, image_shape=train[0].shape[1:], **draw)


def _read_arrays(path: Path, **draw: Any) -> Dataset:
    arrays = read_npz(path)
    draw["checksums"] = {path.name: md5(path)}

    def find(rows: str, labels: str) -> Split | None:
        return Split(arrays[rows], _flatten(arrays[labels])) if {rows, labels} <= set(arrays) else None

    for names in sorted(SPLIT, key=lambda names: len(set(names) - set(arrays))):
        train, held_out, test = find(*names[:2]), find(*names[2:4]), find(*names[4:])
        if train is not None and test is not None:
            return join_splits(train, held_out, test, image_shape=_find_image_shape(train.X), **draw)
    for rows, labels in WHOLE:
        if (whole := find(rows, labels)) is not None:
            return Dataset.from_arrays(*whole, image_shape=_find_image_shape(whole.X), **draw)
    raise FileError(path, f"holds {', '.join(arrays)}; expected X and y, or X_train, y_train, X_test and y_test")


def _read_rows(path: Path, target: str | None, **draw: Any) -> Dataset:
    """Take the rows of an NPY file, and their labels or numbers from the one that `target` names."""
    if target is None:
        raise UsageError("target", "name the NPY file with the labels or numbers of the rows")
    X, labels = read_rows(path), Path(target)
    y = _flatten(np.array(read_rows(labels)))
    rows = len(y) if y.ndim else 0
    if X.ndim < 2 or len(X) != rows or rows == 0:
        raise FileError(labels, f"holds {rows} rows for the {X.shape} of {path.name}; they must be as many")
    checksums = {file.name: md5(file) for file in (path, labels)}
    data = make_large_arrays(X, y, **draw) if X.size > LARGE else Dataset.from_arrays(np.array(X), y, **draw)
    return replace(data, checksums=checksums, image_shape=_find_image_shape(X))


def _read_table(path: Path, target: str | None, impute: str | None, **draw: Any) -> Dataset:
    require_polars()
    from glassnet.data.parquet import scan_parquet
    from glassnet.data.table_schema import check_table

    try:
        if path.suffix != ".parquet":
            data = make_table_dataset(read_table(path), target, impute, **draw)
        else:
            with scan_parquet(path) as (lazy, rows, columns):
                if rows * len(columns) > LARGE:
                    data = make_large_table(lazy, rows, _check_target(target, columns), impute, **draw)
                else:
                    data = make_table_dataset(check_table(lazy.collect()), target, impute, **draw)
    except DataError as error:
        raise FileError(path, str(error).removeprefix("table: ")) from None
    return replace(data, checksums={path.name: md5(path)})


def make_table_dataset(
    frame: pl.DataFrame,
    target: str | None,
    impute: str | None,
    validation: float | None,
    split_seed: int,
    *,
    name: str = "table",
) -> Dataset:
    """Make a data set of a table: split first, then learn scaling and categories on the training rows alone.

    `UsageError` is raised if no target is named or the table does not hold it, `DataError` if it has columns that
    no network can take.
    """
    from glassnet.data.columns import TableEncoder, refuse_missing
    from glassnet.data.target_column import infer_target_kind

    target = _check_target(target, frame.columns)
    kind = infer_target_kind(frame[target])
    refuse_missing(frame, target, impute)
    order = frame[target].rank("dense").to_numpy().astype(float if kind == "regression" else int)
    rest, test = draw_stratified(order, round(TEST * len(order)), np.random.default_rng(0))
    if not len(test):
        raise DataError(f"table: {len(order)} rows are too few to set a fifth apart for the test")
    size = count_validation_rows(validation, len(rest))
    train, chosen = draw_stratified(order[rest], size, stream(split_seed, "split"))
    way = cast(Literal["error", "median"], impute or "error")
    learned = TableEncoder.fit(frame[rest[train]], target, way, labels=frame[target])
    remarks = list(learned.remarks)

    def split(rows: Array) -> Split:
        part = frame[rows]
        if not len(rows):
            return Split(np.zeros((0, len(learned.feature_names)), np.float32), np.zeros(0, np.float32))
        X, said = learned.transform(part)
        remarks.extend(remark for remark in said if remark not in remarks)
        return Split(X, learned.encode_target(part[target]))

    splits = [split(rows) for rows in (rest[train], rest[chosen], test)]
    return join_table_splits(name, splits, learned, remarks, size, split_seed)


def from_frame(
    table: object, target: str | None, impute: str | None, validation: float | None, split_seed: int
) -> Dataset:
    """Make a data set of a table of pandas, Polars or pyarrow; see `make_table_dataset`."""
    data = make_table_dataset(read_table(table), target, impute, validation, split_seed)
    return replace(data, checksums={"X, y": compute_checksum(*data.train, *data.validation, *data.test)})


def _check_target(target: str | None, columns: list[str]) -> str:
    if target is None:
        raise UsageError("target", f"name the column to predict, for example --target {columns[-1]}")
    if target not in columns:
        raise UsageError("target", f"no column {target!r}; the table has {', '.join(columns[:12])}")
    return target


def looks_like_a_path(name: str) -> bool:
    """Whether a data set's name is meant for a file or folder."""
    return os.sep in name or name.endswith((*TABLES, ".npz", ".npy")) or Path(name).exists()


def _flatten(y: Array) -> Array:
    """Return labels of shape (n, 1) as (n,)."""
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def _find_image_shape(X: Array) -> tuple[int, ...] | None:
    return X.shape[1:] if X.ndim in (3, 4) else None
