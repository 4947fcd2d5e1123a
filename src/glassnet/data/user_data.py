"""The user's own data: a table, arrays or a folder of pictures, told apart by what it is."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from glassnet.data.array_files import ArraysRead, holds_idx_pairs, is_array_name, read_array_file, require_labels
from glassnet.data.array_schema import ArraySchema, lies_in_file
from glassnet.data.arrays import join_splits
from glassnet.data.dataset import Dataset
from glassnet.data.image_folder import read_image_folder
from glassnet.data.large import LARGE, make_large_arrays
from glassnet.data.read_options import ReadOptions
from glassnet.data.scaling import ScalingName
from glassnet.data.schema import Schema, keep_reading
from glassnet.data.splits import Draw, flatten_column
from glassnet.data.table import is_table, require_polars
from glassnet.data.target_schema import TargetSchema
from glassnet.data.target_values import take_values
from glassnet.data.untrusted_files import name_format, open_regular_file
from glassnet.errors import DataError, FileError, UsageError
from glassnet.nn.activations import Array

#: What goes with which kind of data.
OPTIONS = {
    "a table": [
        "target",
        "task",
        "classes",
        "impute",
        "drop",
        "columns",
        "categorical",
        "dates",
        "missing",
        "sep",
        "decimal",
        "thousands",
        "encoding",
        "sheet",
    ],
    "a folder of pictures": ["task", "classes", "size", "grey"],
    "arrays": ["target", "task", "classes", "x_key", "y_key"],
}

#: Endings of archives, which may hold anything.
ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".7z", ".rar")


def read_user_data(
    path: str | Path,
    options: ReadOptions,
    *,
    validation: float | None,
    split_seed: int,
    scaling: ScalingName | None = None,
    pieces: int | None = None,
) -> Dataset:
    """Read a table, arrays (NPZ, NPY, IDX) or a folder of images, and split the rows; see `load_dataset`.

    `FileError` or `DataError` is raised if the data cannot be read or contradict themselves; `UsageError` if a
    table's target is not named, or an option does not go with the data. A table takes scaling and
    pieces here, as one larger than memory cannot be scaled afterwards.
    """
    path = Path(path)
    draw = Draw(name_data(path), validation, split_seed)
    try:
        data = _read(path, options, draw, scaling, pieces)
    except FileError:
        raise
    except DataError as error:
        raise FileError(path, str(error).removeprefix(f"{draw.name}: ")) from None
    unusable = data.unusable and f"{path}: {data.unusable}"
    return replace(data, origin={"dataset": str(path.resolve()), **given_options(options)}, unusable=unusable)


def _read(
    path: Path, options: ReadOptions, draw: Draw, scaling: ScalingName | None, pieces: int | None
) -> Dataset:
    """Read data of the kind that the path's name tells."""
    if holds_idx_pairs(path) or (is_array_name(path.name) and not path.is_dir()):
        refuse_options(options, "arrays")
        read = read_array_file(path, options)
        require_labels(path, read)
        return join_arrays(read, options, draw, path)
    if path.is_dir():
        if is_table(path) or is_array_name(path.name):
            raise FileError(path, "is a folder, and its name is that of a file; name the file itself")
        refuse_options(options, "a folder of pictures")
        return _read_images(path, options, draw)
    if is_table(path):
        refuse_options(options, "a table")
        require_polars()
        from glassnet.data.table_dataset import read_table_dataset

        return read_table_dataset(path, options, draw, scaling, pieces)
    if not path.exists():
        raise FileError(path, "cannot be read: No such file or directory")
    if path.suffix.lower() in ARCHIVES:
        raise FileError(path, "is an archive by name: unpack it, and name the file or the folder that was in it")
    with open_regular_file(path) as (raw, _):
        found = name_format(raw.read(64))
    raise FileError(
        path,
        "is no table (CSV, TSV, Parquet, xlsx), NPZ, NPY or IDX by name, and no folder of images; "
        + (f"by its first bytes it is {found}" if found else f"if it is one, name it so, as {path.stem}.csv"),
    )


def name_data(path: Path) -> str:
    """Return the name of the data set that a file or folder holds."""
    return path.resolve().name if path.is_dir() else path.name.partition(".")[0] or path.name


def given_options(options: ReadOptions) -> dict[str, object]:
    """Return the options that say something, as `load_dataset` takes them; files by their full path."""
    given = {one.name: getattr(options, one.name) for one in fields(options)}
    target = options.target
    if target and Path(target).suffix and Path(target).exists():
        given["target"] = str(Path(target).resolve())
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value not in (None, (), False)
    }


def refuse_options(options: ReadOptions, kind: str) -> None:
    """Refuse options of reading that do not go with a kind of data."""
    for name in given_options(options):
        if name not in OPTIONS[kind]:
            others = [other for other, names in OPTIONS.items() if name in names]
            raise UsageError(name, f"goes with {' or '.join(others)}, and this is {kind}; leave it out")


def looks_like_a_path(name: str) -> bool:
    """Whether a data set's name is meant for a file or folder."""
    return os.sep in name or is_table(name) or is_array_name(name) or Path(name).exists()


def _read_images(folder: Path, options: ReadOptions, draw: Draw) -> Dataset:
    found = read_image_folder(folder, options)
    read = ArraysRead(dict(found.splits), found.class_names, found.remarks, {})
    data = join_arrays(read, options, draw, folder)
    rows = data.schema.input
    assert isinstance(rows, ArraySchema)
    rows = replace(rows, size=options.size, grey=options.grey)
    return replace(data, schema=replace(data.schema, input=rows))


def join_arrays(read: ArraysRead, options: ReadOptions, draw: Draw, path: Path) -> Dataset:
    """Make a data set of the arrays of a file or folder; errors name the file that holds the labels at fault."""
    splits = {name: (X, y) for name, (X, y) in read.splits.items() if y is not None}
    X, y = splits.get("train", splits.get("", (None, None)))
    if X is None or y is None:
        raise DataError(f"{draw.name}: no labels for the training rows")
    rows, said = ArraySchema.learn(X, white=find_white(X))
    labels = [labels for _, labels in splits.values()]
    try:
        for split, (_, other) in splits.items():
            _check_labels(other, read.label_files.get(split, path), split)
            if other.shape[1:] != y.shape[1:] or (other.dtype.kind == "f") != (y.dtype.kind == "f"):
                raise DataError(
                    f"{y.dtype} of shape {y.shape[1:]} for a row's labels, but {other.dtype} of shape "
                    f"{other.shape[1:]} for those of a {split} row"
                )
        target, more = TargetSchema.learn(
            np.concatenate(labels) if len(labels) > 1 else y,
            task=options.task,
            class_names=read.class_names,
            classes=options.classes,
            pictures=len(rows.shape) > 1,
        )
    except FileError:
        raise
    except DataError as error:
        raise FileError(next(iter(read.label_files.values()), path), str(error)) from None
    y = flatten_column(y)
    splits = {split: (rows, flatten_column(labels)) for split, (rows, labels) in splits.items()}
    schema = Schema(rows, target, keep_reading(options))
    if X.size > LARGE and lies_in_file(X):
        data = make_large_arrays(X, y, schema, draw)
    else:
        rest = splits.get("validation"), splits.get("test")
        data = join_splits(
            (np.asarray(X), y), *rest, schema=schema, checksums=read.checksums or None, **draw._asdict()
        )
    return replace(
        data, checksums=read.checksums or data.checksums, remarks=(*read.remarks, *said, *more, *data.remarks)
    )


def _check_labels(y: Array, path: Path, split: str) -> None:
    """Refuse labels of a split that are missing or no labels, by their rows in the file."""
    try:
        take_values(y, "target")
    except DataError as error:
        raise FileError(path, f"{error}" if split in ("", "train") else f"{split} rows: {error}") from None


def find_white(X: Array) -> float:
    """Return the number that becomes 1: of pictures of 16 bits the largest of as many bits as they use."""
    if X.dtype != np.uint16 or X.ndim < 3:
        return 1.0
    return float((1 << max(8, int(X.max(initial=1)).bit_length())) - 1)
