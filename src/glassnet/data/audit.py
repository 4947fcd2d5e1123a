"""What is odd about a data set: equal rows, classes, missing and far values, columns that tell too much.

Nothing is filled in or converted first: a table is looked at as it was read, even if training would refuse it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

import numpy as np

from glassnet.data.array_files import ArraysRead, holds_idx_pairs, is_array_name, read_array_file, require_labels
from glassnet.data.array_schema import ArraySchema
from glassnet.data.audit_arrays import Locate, find_equal_rows, look_at_columns, measure_numbers
from glassnet.data.audit_arrays import sample_rows as sample_array_rows
from glassnet.data.audit_arrays import take_columns as take_array_columns
from glassnet.data.audit_findings import Audit, Far, Key, Leak, Place, count_row
from glassnet.data.audit_labels import (
    count_class_rows,
    find_contradictions,
    name_targets,
    place_groups,
)
from glassnet.data.audit_leaks import find_leaks
from glassnet.data.audit_remarks import Words, write_remarks
from glassnet.data.dataset import Dataset
from glassnet.data.image_folder import list_picture_files
from glassnet.data.large import LARGE
from glassnet.data.read_options import ReadingOptions, ReadOptions, read_options
from glassnet.data.registry import DATASETS, load_dataset
from glassnet.data.splits import Draw
from glassnet.data.table import is_table, require_polars
from glassnet.data.user_data import join_arrays, looks_like_a_path, name_data, refuse_options
from glassnet.nn.activations import Array

__all__ = ["Audit", "Far", "Key", "Leak", "Place", "audit", "audit_source", "find_equal_rows"]


def audit_source(name: Any, data_dir: str | Path | None = None, **reading: Unpack[ReadingOptions]) -> Audit:
    """Look data over that `load_dataset` takes, with the same options of reading.

    Rows of a user's own file are counted from 1 in that file; a picture is called by its file. A table is looked
    at even if it cannot be trained on as it is: then a remark says why. Errors are those of reading.
    """
    options = read_options(reading)
    if not isinstance(name, str | Path):
        refuse_options(options, "a table")
        require_polars()
        from glassnet.data.audit_own_table import audit_own_table

        return audit_own_table(name, "table", options)
    path = Path(name)
    if str(name) in DATASETS or not looks_like_a_path(str(name)):
        return audit(load_dataset(name, data_dir, **reading))
    draw = Draw(name_data(path), None, 0)
    if holds_idx_pairs(path) or (is_array_name(path.name) and not path.is_dir()):
        refuse_options(options, "arrays")
        read = read_array_file(path, options)
        require_labels(path, read)
        return audit(join_arrays(read, options, draw, path), locate=_number_arrays(read, draw, options))
    if path.is_dir():
        data = load_dataset(name, data_dir, **reading)
        return audit(data, locate=_name_pictures(path, draw, options))
    if is_table(path):
        refuse_options(options, "a table")
        require_polars()
        from glassnet.data.audit_own_table import audit_own_table, is_large

        if not is_large(path):
            return audit_own_table(path, draw.name, options)
    return audit(load_dataset(name, data_dir, **reading))


def audit(data: Dataset, *, locate: Locate = count_row) -> Audit:
    """Look a data set over; it is left as it is.

    `locate` makes a place of a split and a row of it, counted from 0; by default the row is counted from 1.
    """
    if not isinstance(data.train.X, np.ndarray):
        from glassnet.data.audit_own_table import audit_frames

        return audit_frames(data)
    rows = {name: split.X for name, split in data.splits.items() if len(split.y)}
    labels = {name: _encode(data, name) for name in rows}
    measured = {name: measure_numbers(X) for name, X in rows.items()}
    pixels = data.image_shape is not None or rows["train"].dtype == np.uint8
    columns = look_at_columns(rows, _name_columns(data), locate, pixels=pixels)
    groups = find_equal_rows(rows)
    duplicates, label_at = place_groups(groups, locate, lambda place: labels[place.split][place.row])
    target = data.schema.target
    found = Audit(
        data.name,
        {name: len(X) for name, X in rows.items()},
        int(np.prod(rows["train"].shape[1:])),
        data.checksums,
        count_class_rows(target, labels),
        duplicates,
        find_contradictions(duplicates, target, label_at),
        columns.constant,
        {name: missing for name, (missing, _) in measured.items()},
        {name: scale for name, (_, scale) in measured.items() if scale is not None},
        columns.missing,
        columns.far,
        _find_array_leaks(data, rows, labels),
        columns.keys,
        reading=list(data.remarks),
    )
    words = Words(label_at, target, list(map(_name_columns(data), columns.constant)))
    found.remarks.extend(write_remarks(found, words))
    return found


def _encode(data: Dataset, name: str) -> Array:
    split = data.splits[name]
    return split.y if split.is_encoded else data.schema.target.encode(split.y)


def _name_columns(data: Dataset) -> Any:
    """Return a function that names a column of the rows by its number; those of pictures by their axes too."""
    rows, shape = data.schema.input, data.train.X.shape[1:]

    def name(column: int) -> str:
        if not isinstance(rows, ArraySchema):
            return rows.feature_names[column]
        return f"X[:, {', '.join(map(str, np.unravel_index(column, shape)))}]"

    return name


def _find_array_leaks(data: Dataset, rows: dict[str, Array], labels: dict[str, Array]) -> list[Leak]:
    wide, names = name_targets(data.schema.target, labels)
    others = [split for split in rows if split != "train"]
    if not others:
        return []
    n_classes = data.n_classes or 1
    train = sample_array_rows(rows["train"], n_classes)
    tried = {split: sample_array_rows(rows[split], n_classes) for split in others}
    X = np.concatenate([rows[split][tried[split]] for split in others])
    y = np.concatenate([wide[split][tried[split]] for split in others])
    columns = take_array_columns(rows["train"][train], X, _name_columns(data))
    return find_leaks(columns, wide["train"][train], y, names)


def _number_arrays(read: ArraysRead, draw: Draw, options: ReadOptions) -> Locate:
    """Return what counts rows as the arrays of a file have them, from 1."""
    if any(isinstance(X, np.memmap) and X.size > LARGE for X, _ in read.splits.values()):
        return count_row  # such rows are drawn otherwise

    def words(part: str, row: int) -> str:
        return f"row {row + 1}" + (f" of {part}" if part else "")

    splits = {part: (X.ndim > 2, y) for part, (X, y) in read.splits.items() if y is not None}
    return _follow_rows(splits, read.class_names, draw, options, words)


def _name_pictures(folder: Path, draw: Draw, options: ReadOptions) -> Locate:
    """Return what calls the rows by the files of a folder of pictures."""
    files = list_picture_files(folder)
    splits = {part: (True, np.array([name for _, name in found], object)) for part, found in files.items()}
    names = tuple(sorted({name for found in files.values() for _, name in found}))
    return _follow_rows(
        splits, names, draw, options, lambda part, row: str(files[part][row][0].relative_to(folder))
    )


def _follow_rows(
    splits: dict[str, tuple[bool, Array]],
    class_names: tuple[str, ...] | None,
    draw: Draw,
    options: ReadOptions,
    words: Any,
) -> Locate:
    """Return what tells where the rows of the splits came from: their numbers are drawn as the rows were."""
    numbers, origin, start = {}, [], 0
    for part, (pictures, y) in splits.items():
        shape = (-1, 1, 1) if pictures else (-1, 1)  # whether rows are pictures decides what their labels may be
        numbers[part] = np.arange(start, start + len(y)).reshape(shape), y
        origin += [(part, row) for row in range(len(y))]
        start += len(y)
    said = ReadOptions(task=options.task, classes=options.classes)
    drawn = join_arrays(ArraysRead(dict(numbers), class_names, (), {}), said, draw, Path(draw.name))
    rows = {split: rows.X.ravel() for split, rows in drawn.splits.items()}

    def locate(split: str, row: int) -> Place:
        part, own = origin[rows[split][row]]
        return Place(split, own + 1, words(part, own))

    return locate
