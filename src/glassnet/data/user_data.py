"""The user's own data: a table, an NPZ file, or a folder of images, told apart by what it is."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from glassnet.data.array_files import read_rows
from glassnet.data.dataset import TEST, VALIDATION, Dataset, Split, count_validation_rows, draw_stratified
from glassnet.data.image_folder import holds_splits, read_image_folder, read_split_image_folder
from glassnet.data.large import LARGE, make_large_arrays, make_large_table
from glassnet.data.npz import read_npz
from glassnet.data.sources import md5
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


@dataclass(frozen=True)
class UserData:
    """Where the user's data are, and how they are to be read.

    Parameters
    ----------
    path : str
        A table (CSV, TSV, Parquet), an NPZ file, an NPY file, or a folder with a folder of images for each class.
    target : str, optional
        The column of a table that is to be predicted; the NPY file with the labels of an NPY file's rows.
    impute : {"error", "median"}, optional
        What becomes of missing values in a table; see `TableEncoder.fit`.
    """

    path: str
    target: str | None = None
    impute: str | None = None

    def load(self, validation: float | None, split_seed: int) -> Dataset:
        """Read the data and split them.

        Raises
        ------
        FileError, DataError
            If they cannot be read, or contradict themselves.
        UsageError
            If a table's target is not named, or an option does not go with the data.
        """
        path = Path(self.path)
        if path.is_dir():
            data = self._images(path, validation, split_seed)
        elif path.suffix == ".npy":
            data = self._rows(path, validation, split_seed)
        elif path.suffix == ".npz":
            data = self._arrays(path, validation, split_seed)
        elif path.name.endswith(TABLES):
            data = self._table(path, validation, split_seed)
        elif not path.exists():
            raise FileError(path, "cannot be read: No such file or directory")
        else:
            raise FileError(path, f"is none of {', '.join(TABLES)}, .npz, .npy, and no folder of images")
        labels = str(Path(self.target).resolve()) if path.suffix == ".npy" and self.target else self.target
        options = {"target": labels, "impute": self.impute}
        given = {name: value for name, value in options.items() if value is not None}
        return replace(data, origin={"dataset": str(path.resolve()), **given})

    def _refuse_table_options(self) -> None:
        for name, value in (("target", self.target), ("impute", self.impute)):
            if value is not None:
                raise UsageError(name, "goes with a table (CSV, TSV, Parquet)")

    def _images(self, folder: Path, validation: float | None, split_seed: int) -> Dataset:
        self._refuse_table_options()
        if not holds_splits(folder):
            images, labels, names = read_image_folder(folder)
            return _from_arrays(folder, images, labels, validation, split_seed, class_names=names)
        splits, names = read_split_image_folder(folder)
        train, official = _official(splits["train"], splits.get("validation"), validation)
        test, apart = splits["test"], official is not None
        data = _from_arrays(folder, *train, validation, split_seed, test, apart, names)
        return data if official is None else data.with_validation(official)

    def _arrays(self, path: Path, validation: float | None, split_seed: int) -> Dataset:
        self._refuse_table_options()
        arrays = read_npz(path)
        for names in sorted(SPLIT, key=lambda names: len(set(names) - set(arrays))):
            pairs = [
                (arrays[x], _flat(arrays[y]))
                for x, y in zip(names[::2], names[1::2], strict=True)
                if {x, y} <= set(arrays)
            ]
            if len(pairs) > 1 and names[0] in arrays and names[4] in arrays:
                train, official = _official(pairs[0], pairs[1] if len(pairs) == 3 else None, validation)
                data = _from_arrays(path, *train, validation, split_seed, pairs[-1], official is not None)
                return data if official is None else data.with_validation(official)
        for rows, labels in WHOLE:
            if {rows, labels} <= set(arrays):
                return _from_arrays(path, arrays[rows], _flat(arrays[labels]), validation, split_seed)
        raise FileError(
            path, f"holds {', '.join(arrays)}; expected X and y, or X_train, y_train, X_test and y_test"
        )

    def _rows(self, path: Path, validation: float | None, split_seed: int) -> Dataset:
        """Take the rows of an NPY file, and their labels or numbers from the one that `target` names."""
        if self.target is None:
            raise UsageError("target", "name the NPY file with the labels or numbers of the rows")
        if self.impute is not None:
            raise UsageError("impute", "goes with a table (CSV, TSV, Parquet)")
        X, labels = read_rows(path), Path(self.target)
        y = _flat(np.array(read_rows(labels)))
        rows = len(y) if y.ndim else 0
        if X.ndim < 2 or len(X) != rows or rows == 0:
            raise FileError(labels, f"holds {rows} rows for the {X.shape} of {path.name}; they must be as many")
        checksums = {file.name: md5(file) for file in (path, labels)}
        if X.size > LARGE:
            data = make_large_arrays(X, y, validation, split_seed, _stem(path))
        else:
            data = Dataset.from_arrays(
                np.array(X), y, name=_stem(path), validation=validation, split_seed=split_seed
            )
        return replace(data, checksums=checksums, image_shape=X.shape[1:] if X.ndim in (3, 4) else None)

    def _table(self, path: Path, validation: float | None, split_seed: int) -> Dataset:
        from glassnet.data.parquet import scan_parquet
        from glassnet.data.table import read_table
        from glassnet.data.table_schema import check_table

        name = _stem(path)
        try:
            if path.suffix != ".parquet":
                frame = read_table(path)
                data = table_dataset(frame, self.target, self.impute, validation, split_seed, name=name)
            else:
                with scan_parquet(path) as (lazy, rows, columns):
                    if rows * len(columns) > LARGE:
                        target = _check_target(self.target, columns)
                        data = make_large_table(lazy, rows, target, self.impute, validation, split_seed, name)
                    else:
                        frame = check_table(lazy.collect())
                        data = table_dataset(frame, self.target, self.impute, validation, split_seed, name=name)
        except DataError as error:
            raise FileError(path, str(error).removeprefix("table: ")) from None
        return replace(data, checksums={path.name: md5(path)})


def table_dataset(
    frame: pl.DataFrame,
    target: str | None,
    impute: str | None,
    validation: float | None,
    split_seed: int,
    *,
    name: str = "table",
) -> Dataset:
    """Make a data set of a table: split first, then learn scaling and categories on the training rows alone.

    Parameters
    ----------
    frame : polars.DataFrame
        From `read_table`.
    target : str
        The column to predict.
    impute, validation, split_seed
        See `UserData` and `Dataset.from_arrays`.

    Raises
    ------
    UsageError
        If no target is named.
    DataError
        If the table does not hold it, or columns that no network can take.
    """
    from glassnet.data.columns import TableEncoder, refuse_missing, target_kind

    target = _check_target(target, frame.columns)
    kind = target_kind(frame[target])
    refuse_missing(frame, target, impute)
    order = frame[target].rank("dense").to_numpy().astype(float if kind == "regression" else int)
    rest, test = draw_stratified(order, round(TEST * len(order)), np.random.default_rng(0))
    if not len(test):
        raise DataError(f"table: {len(order)} rows are too few to set a fifth apart for the test")
    size = count_validation_rows(VALIDATION if validation is None else validation, len(rest))
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

    return Dataset(
        name,
        split(rest[train]),
        split(rest[chosen]),
        split(test),
        learned.class_names,
        validation_size=size,
        split_seed=split_seed,
        task=kind,
        encoder=learned,
        remarks=tuple(remarks),
    )


def from_frame(
    table: object, target: str | None, impute: str | None, validation: float | None, split_seed: int
) -> Dataset:
    """Make a data set of a table of pandas, Polars or pyarrow; see `table_dataset`."""
    from glassnet.data.table import read_table

    data = table_dataset(read_table(table), target, impute, validation, split_seed)
    digest = hashlib.md5(usedforsecurity=False)
    for split in (data.train, data.validation, data.test):
        for values in split:
            digest.update(np.ascontiguousarray(values).data)
    return replace(data, checksums={"X, y": digest.hexdigest()})


def _check_target(target: str | None, columns: list[str]) -> str:
    if target is None:
        raise UsageError("target", f"name the column to predict, for example --target {columns[-1]}")
    if target not in columns:
        raise UsageError("target", f"no column {target!r}; the table has {', '.join(columns[:12])}")
    return target


def looks_like_a_path(name: str) -> bool:
    """Whether a data set's name is meant for a file or folder."""
    return os.sep in name or name.endswith((*TABLES, ".npz", ".npy")) or Path(name).exists()


def _stem(path: Path) -> str:
    return path.name.partition(".")[0] or path.name


def _flat(y: Array) -> Array:
    """Return labels of shape (n, 1) as (n,)."""
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def _official(
    train: tuple[Array, Array], official: tuple[Array, Array] | None, validation: float | None
) -> tuple[tuple[Array, Array], Split | None]:
    """Return the training rows and the validation rows that came with them; as one, where others are asked for."""
    if official is None:
        return train, None
    if validation is None:
        return train, Split(*official)
    (X, y), (X_more, y_more) = train, official
    return (np.concatenate([X, X_more]), np.concatenate([y, y_more])), None


def _from_arrays(
    path: Path,
    X: Array,
    y: Array,
    validation: float | None,
    split_seed: int,
    test: tuple[Array, Array] | None = None,
    has_validation: bool = False,
    class_names: tuple[str, ...] | None = None,
) -> Dataset:
    folder = path.is_dir()
    return Dataset.from_arrays(
        X,
        y,
        *(test or (None, None)),
        name=path.resolve().name if folder else _stem(path),
        class_names=class_names,
        image_shape=X.shape[1:] if X.ndim in (3, 4) else None,
        checksums=None if folder else {path.name: md5(path)},
        validation=0 if has_validation and validation is None else validation,
        split_seed=split_seed,
    )
