"""A table of named columns made into a data set: rows first in splits, then a schema of the training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from glassnet.data.columns import NONE_LEFT, TableSchema
from glassnet.data.dataset import Dataset
from glassnet.data.dense import remark_on_few
from glassnet.data.large import LARGE, make_large_table
from glassnet.data.parquet import scan_parquet
from glassnet.data.read_options import ReadOptions
from glassnet.data.scaling import ScalingName
from glassnet.data.schema import Schema, keep_reading
from glassnet.data.sources import md5
from glassnet.data.splits import (
    TEST,
    Draw,
    Split,
    Splits,
    compute_checksum,
    count_validation_rows,
    describe_split,
    draw_stratified,
)
from glassnet.data.table import TableRead, is_parquet, read_table
from glassnet.data.table_schema import Faults, check_table, join_faults, note_faults
from glassnet.data.table_target import check_target, learn_target
from glassnet.data.target_schema import TargetSchema
from glassnet.data.untrusted_files import check_room
from glassnet.errors import DataError, FileError, UsageError
from glassnet.nn.activations import Array
from glassnet.runtime.seeds import stream


def read_table_dataset(
    path: Path,
    options: ReadOptions,
    draw: Draw,
    scaling: ScalingName | None = None,
    pieces: int | None = None,
) -> Dataset:
    """Read a table's file and make a data set of it; one larger than memory is gone through in blocks."""
    faults: Faults = {}
    try:
        if is_parquet(path):
            said: list[str] = []
            with scan_parquet(path, said, options.drop, faults) as (lazy, rows, columns):
                if rows * len(columns) > LARGE:
                    note_faults(faults, None)
                    target = check_target(options.target, columns)
                    encoding = scaling or "standard", pieces or 0
                    data = make_large_table(lazy, rows, target, options, draw, *encoding)
                    return replace(data, checksums={path.name: md5(path)}, remarks=(*said, *data.remarks))
                read = TableRead(check_table(lazy.collect(), faults=faults), {}, tuple(said))
        else:
            read = read_table(path, options, faults=faults)
        data = make_table_dataset(read, options, draw, faults)
    except UsageError as error:
        problem = f"{path.name}: {error.problem}" if error.name == "target" else error.problem
        raise UsageError(error.name, problem) from None
    except DataError as error:
        raise FileError(path, str(error).removeprefix("table: ")) from None
    return replace(data, checksums={path.name: md5(path)})


def make_table_dataset(read: TableRead, options: ReadOptions, draw: Draw, faults: Faults | None = None) -> Dataset:
    """Make a data set of a table: split first, then learn scaling and categories on the training rows alone.

    `UsageError` is raised if no target is named or the table does not hold it, `DataError` if it has columns that
    no network can take: with all that is wrong, the `faults` that reading found too.
    """
    target, faults = check_target(options.target, read.frame.columns), faults or {}
    try:
        if target in faults:
            raise DataError("")  # of which nothing can be learned
        labels, y, said = learn_target(read.frame[target], options, read.written)
    except DataError as error:
        raise DataError(_gather_problems(read, options, faults, str(error))) from None
    if faults:
        raise DataError(_gather_problems(read, options, faults))
    parts = draw_table_parts(labels.encode(y) if labels.n_classes else y, draw)
    features = TableRead(read.frame.drop(target), read.formats, (*read.remarks, *said))
    data = join_table_splits(features, y, parts, labels, options, draw.name)
    reading = keep_reading(options)
    if target in read.formats:
        reading["target"] = asdict(read.formats[target])
    schema = replace(data.schema, reading=reading)
    size = len(parts["validation"])
    return replace(data, schema=schema, validation_size=size, split_seed=draw.split_seed)


def _gather_problems(read: TableRead, options: ReadOptions, faults: Faults, of_target: str = "") -> str:
    """Say in one line what is wrong with a table: with values, with the target, and with the other columns."""
    others = read.frame.drop(str(options.target)).with_columns(pl.lit(None).alias(name) for name in faults)
    problems = [join_faults(faults), of_target]
    try:
        TableSchema.learn(others, options, read.formats)
    except DataError as error:
        problems.append("" if str(error).startswith(NONE_LEFT) else str(error))
    return "; ".join(filter(None, problems))


def draw_table_parts(order: Array, draw: Draw) -> dict[str, Array]:
    """Draw the rows of each split of a table, by labels or numbers of all its rows."""
    rest, test = draw_stratified(order, round(TEST * len(order)), np.random.default_rng(0))
    if not len(test):
        raise DataError(f"table: {len(order)} rows are too few to set a fifth apart for the test; give more")
    size = count_validation_rows(draw.validation, len(rest))
    train, held_out = draw_stratified(order[rest], size, stream(draw.split_seed, "split"))
    return {"train": rest[train], "validation": rest[held_out], "test": test}


def make_frame_dataset(
    table: object, y: Array, validation: float | None, *, target_names: Sequence[str] | None = None, **asked: Any
) -> Dataset:
    """Make a data set without test rows of a table in memory and the labels or numbers beside it."""
    read = read_table(table)
    if len(y) != read.frame.height:
        raise DataError(f"table: {read.frame.height} rows but {len(y)} labels; they must be as many")
    labels, said = TargetSchema.learn(y, names=target_names, **asked)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    size = count_validation_rows(validation, len(y))
    order = labels.encode(y) if labels.n_classes else y
    train, held_out = draw_stratified(order, size, stream(0, "split"))
    parts = {"train": train, "validation": held_out, "test": np.arange(0)}
    features = TableRead(read.frame, read.formats, (*read.remarks, *said))
    data = join_table_splits(features, y, parts, labels, ReadOptions(), "table")
    checksums = {"X, y": compute_checksum(*data.encoded.train, *data.encoded.validation)}
    return replace(data, validation_size=size, checksums=checksums)


def join_table_splits(
    features: TableRead,
    y: Array,
    parts: Mapping[str, Array],
    labels: TargetSchema,
    options: ReadOptions,
    name: str,
) -> Dataset:
    """Make a data set of the rows of a table, `parts` by split; its schema is learned from the training rows."""
    frame, rows = features.frame, parts["train"]
    columns, said = TableSchema.learn(frame[rows], options, features.formats, frame)
    what = f"{frame.height:,} rows of {columns.width:,} numbers"
    check_room(4 * columns.width * frame.height, what, "drop columns")
    if labels.task == "regression":
        labels, _ = TargetSchema.learn(y, task=labels.task, names=labels.names, scale_by=y[rows])
    few = remark_on_few(len(rows), len(parts["validation"]))
    schema, remarks = Schema(columns, labels), dict.fromkeys((*features.remarks, *said, *few))
    splits, encoded = [], []
    for part in parts.values():
        X, _ = columns.encode(frame[part])  # what it says of these rows is said already
        splits.append(Split(frame[part], y[part]))
        encoded.append(describe_split(X, labels.encode(y[part]), schema, is_encoded=True))
    train, held_out, test = splits
    data = Dataset(name, train, held_out, test, schema, remarks=tuple(remarks))
    vars(data)["encoded"] = Splits(*encoded)  # it would be made again when it is first needed
    return data


def from_frame(table: object, options: ReadOptions, draw: Draw) -> Dataset:
    """Make a data set of a table of pandas, Polars or pyarrow; see `make_table_dataset`."""
    faults: Faults = {}
    data = make_table_dataset(read_table(table, options, faults=faults), options, draw, faults)
    checksum = compute_checksum(*(array for split in data.encoded for array in split))
    return replace(data, checksums={"X, y": checksum})
