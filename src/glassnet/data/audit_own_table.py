"""The audit of a table, with its rows counted as its file has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from glassnet.data import audit_table
from glassnet.data.audit_findings import Audit, Key, Leak, Place, count_row
from glassnet.data.audit_labels import (
    count_class_rows,
    find_contradictions,
    name_targets,
    place_groups,
)
from glassnet.data.audit_leaks import find_leaks
from glassnet.data.audit_reading import REFUSED, read_as_it_is
from glassnet.data.audit_remarks import Words, write_remarks
from glassnet.data.audit_table import TableRows
from glassnet.data.column_kinds import CategoryColumn
from glassnet.data.column_learning import SUSPECT, choose_columns
from glassnet.data.column_values import first_row, take_values
from glassnet.data.columns import TableSchema
from glassnet.data.dataset import Dataset
from glassnet.data.large import LARGE
from glassnet.data.parquet import scan_parquet
from glassnet.data.read_options import ReadOptions
from glassnet.data.sources import md5
from glassnet.data.splits import Draw
from glassnet.data.table import TableRead, is_parquet
from glassnet.data.table_dataset import draw_table_parts
from glassnet.data.table_target import check_target, learn_target
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import DataError
from glassnet.nn.activations import Array

#: What training says that an audit says better: the beginnings of such remarks.
SAID_BETTER = ("one value only in the training rows", "whole numbers, all distinct", "missing values filled")


@dataclass
class Subject:
    """A table to look over: its rows, and what is known of their target; and what was said on the way."""

    name: str
    rows: TableRows
    labels: Array  # of every row of the table; of no meaning where it is in no split, or the target is None
    target: TargetSchema | None
    used: Sequence[str]
    checksums: dict[str, str] = field(default_factory=dict)
    left_out: Sequence[str] = ()
    reading: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def is_large(path: Path) -> bool:
    """Whether a table is larger than what is read at once."""
    if not is_parquet(path):
        return False
    with scan_parquet(path, spared=None) as (_, rows, columns):
        return rows * len(columns) > LARGE


def audit_own_table(source: Any, name: str, options: ReadOptions) -> Audit:
    """Look a table over, from a file or in memory, that training may refuse."""
    read = read_as_it_is(source, options)
    check_target(options.target, read.frame.columns)
    subject = _prepare(read, name, options)
    if isinstance(source, str | Path):
        subject.checksums = {Path(source).name: md5(Path(source))}
    return _look_over(subject)


def audit_frames(data: Dataset) -> Audit:
    """Look a data set over whose rows are frames of columns; rows are counted in their splits."""
    splits = {name: split for name, split in data.splits.items() if len(split.y)}
    ends = np.cumsum([len(split.y) for split in splits.values()]).tolist()
    starts = dict(zip(splits, [0, *ends], strict=False))
    parts = {name: np.arange(start, start + len(splits[name].y)) for name, start in starts.items()}
    frame = pl.concat([split.X for split in splits.values()])
    table = data.schema.input
    assert isinstance(table, TableSchema)
    rows = TableRows(
        frame, parts, _list_categories(table), lambda split, row: count_row(split, row - starts[split])
    )
    labels = np.concatenate([data.schema.target.encode(split.y) for split in splits.values()])
    used = [column.name for column in table.columns]
    return _look_over(
        Subject(
            data.name, rows, labels, data.schema.target, used, data.checksums, table.left_out, list(data.remarks)
        )
    )


def _prepare(read: TableRead, name: str, options: ReadOptions) -> Subject:
    """Draw the rows as training does, as far as the target allows, and learn the columns as it would."""
    frame, series = read.frame.drop(str(options.target)), read.frame[str(options.target)]
    kept = choose_columns(frame.columns, options)
    reading = [remark for remark in read.remarks if not remark.startswith(REFUSED)]
    remarks = [remark for remark in read.remarks if remark.startswith(REFUSED)]
    known, lacking = _find_known(series)
    remarks += lacking
    parts, labels, target = {"train": known}, np.zeros(frame.height), None
    try:
        written = None if read.written is None else read.written[known]
        learned, y, said = learn_target(series[known], options, written)
        encoded = learned.encode(y)
        drawn = draw_table_parts(encoded if learned.n_classes else y, Draw(name, None, 0))
    except DataError as error:
        refusal = str(error).removeprefix("table: ")
        remarks.append(f"{REFUSED}: {refusal}; all rows are looked at as training rows")
    else:
        parts, target = {split: known[part] for split, part in drawn.items() if len(part)}, learned
        labels = np.zeros(frame.height, encoded.dtype)
        labels[known] = encoded
        reading += said
    table, left_out = None, [column for column in frame.columns if column not in kept]
    if kept:
        try:
            training = frame[parts["train"]]
            table, more = TableSchema.learn(training, replace(options, impute=None), read.formats, frame)
        except DataError as error:
            remarks.append(f"{REFUSED}: {str(error).removeprefix('table: ')}")
        else:
            left_out = list(table.left_out)
            reading += [remark for remark in more if not remark.startswith((*SAID_BETTER, SUSPECT))]
            remarks += [remark for remark in more if remark.startswith(SUSPECT)]
    used = [column.name for column in table.columns] if table else kept
    categories = _list_categories(table) if table else options.categorical
    rows_ = TableRows(
        frame.select(kept), parts, categories, lambda split, row: Place(split, row + 1, f"row {row + 1}")
    )
    return Subject(name, rows_, labels, target, used, {}, left_out, reading, remarks)


def _find_known(series: pl.Series) -> tuple[Array, list[str]]:
    """Return the rows that have a target, all where none has; and what there is to say of the others."""
    absent = take_values(series).is_null()
    if not absent.any() or absent.all():
        return np.arange(len(series)), []
    count = int(absent.sum())
    rows = "1 row has" if count == 1 else f"{count:,} rows have"
    return np.flatnonzero(~absent), [
        f"{rows} no value of the target {series.name!r} (first in row {first_row(absent)}): training refuses such "
        "rows, and here they are left aside"
    ]


def _list_categories(table: TableSchema) -> list[str]:
    return [column.name for column in table.columns if isinstance(column, CategoryColumn)]


def _look_over(subject: Subject) -> Audit:
    """Look the rows and columns over."""
    rows, target = subject.rows, subject.target
    columns = audit_table.look_at_columns(rows)
    compared, but_for = _choose_compared(subject, columns.keys)
    groups = audit_table.find_equal_rows(rows, compared)
    duplicates, label_at = place_groups(groups, rows.locate, lambda place: subject.labels[place.row])
    by_split = {split: subject.labels[part] for split, part in rows.parts.items()}
    found = Audit(
        subject.name,
        {split: len(part) for split, part in rows.parts.items()},
        rows.frame.width,
        subject.checksums,
        count_class_rows(target, by_split),
        duplicates,
        find_contradictions(duplicates, target, label_at),
        columns.constant,
        {split: sum(counts[split] for counts in columns.missing.values()) for split in rows.parts},
        {},
        columns.missing,
        [one for one in columns.far if one.column in subject.used],
        _find_leaks(subject, by_split),
        columns.keys,
        list(subject.left_out),
        subject.reading,
        subject.remarks,
    )
    words = Words(label_at, target, columns.constant, True, but_for)
    found.remarks.extend(write_remarks(found, words))
    found.remarks.extend(
        f"{name}: {count:,} values are {text!r}, which may mean that there is none, but count as a category"
        for name, text, count in audit_table.find_placeholders(rows, subject.used)[:10]
    )
    return found


def _choose_compared(subject: Subject, keys: list[Key]) -> tuple[list[str], list[str]]:
    """Return the columns that rows are compared in: those that are used, but for what counts the rows."""
    count_rows = {key.column for key in keys if key.in_order}
    compared = [name for name in subject.used if name not in count_rows]
    if not compared:
        return list(subject.used), []
    return compared, [name for name in subject.used if name in count_rows]


def _find_leaks(subject: Subject, by_split: dict[str, Array]) -> list[Leak]:
    rows, others = subject.rows, [split for split in subject.rows.parts if split != "train"]
    if subject.target is None or not others:
        return []
    n_classes = subject.target.n_classes or 1
    train, tried = (
        audit_table.sample_rows(part, rows.frame.width, n_classes)
        for part in (rows.parts["train"], np.concatenate([rows.parts[split] for split in others]))
    )
    labels, names = name_targets(subject.target, {"train": subject.labels[train], "tried": subject.labels[tried]})
    columns = audit_table.take_columns(rows, subject.used, train, tried)
    return find_leaks(columns, labels["train"], labels["tried"], names)
