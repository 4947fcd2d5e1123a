"""A model's answers to the rows of a file as records: a row's names first, then what the model says of it."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from glassnet.data.user_rows import UserRows
from glassnet.errors import UsageError
from glassnet.nn.activations import Array
from glassnet.training.metrics.predictions import probability_of
from glassnet.training.model import Model

#: Digits after the point of a probability.
DIGITS = 6

#: What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def tabulate_answers(
    model: Model, rows: UserRows, outputs: Array, *, keep: Sequence[str] = (), proba: bool = False
) -> list[dict[str, Any]]:
    """Return a record for each row: its number or file, the columns to keep, and the answer.

    `outputs` are those of ``model.network.outputs`` for the rows. A class comes with its probability where the
    network gives one, and with `proba` with those of all classes, in their order; several labels or numbers a row
    have a column each, numbers of the precision that those of training have. `UsageError` is raised for columns to
    keep that the file has not.
    """
    records: list[dict[str, Any]] = [{"row": row} for row in range(len(outputs))]
    if rows.names is not None:
        records = [{"file": name} for name in rows.names]
    for name in keep:
        if rows.table is None or name not in rows.table.columns:
            there = "it is no table" if rows.table is None else f"there are: {', '.join(rows.table.columns[:12])}"
            raise UsageError("keep", f"{rows.path.name} has no column {name!r}; {there}")
        for record, value in zip(records, rows.table[name].to_list(), strict=True):
            record[name] = value
    for name, values in _answer(model, outputs, proba).items():
        for record, value in zip(records, values, strict=True):
            record[name] = value
    return records


def _answer(model: Model, outputs: Array, proba: bool) -> dict[str, list[Any]]:
    """Return the columns of the answer by name."""
    answers, target = model.decode(outputs), None if model.schema is None else model.schema.target
    gives = model.network.loss.output is not None
    classes = model.network.n_classes if target is None else target.n_classes
    if classes:
        labels = answers if target is None else target.encode(answers)
        labels = labels.argmax(axis=1) if labels.ndim == 2 else labels
        names = model.network.class_names or [str(label) for label in range(classes)]
        columns: dict[str, list[Any]] = {"class": [names[label] for label in labels]}
        if gives:
            columns["probability"] = _round(probability_of(outputs, labels), DIGITS)
        if gives and proba:
            every = outputs if outputs.shape[1] > 1 else np.hstack([1 - outputs, outputs])
            columns |= {f"probability {name}": _round(p, DIGITS) for name, p in zip(names, every.T, strict=True)}
        return columns
    answers = answers.reshape(len(outputs), -1)
    names = list(target.names) if target is not None and target.names else []
    names = names or [f"output_{unit}" for unit in range(answers.shape[1])]
    if target is not None and target.task == "multi-label":
        columns = {name: column.astype(int).tolist() for name, column in zip(names, answers.T, strict=True)}
        if proba:
            columns |= {f"probability {one}": _round(p, DIGITS) for one, p in zip(names, outputs.T, strict=True)}
        return columns
    decimals = None if target is None else target.decimals
    return {name: _round(column, decimals) for name, column in zip(names, answers.T, strict=True)}


def _round(numbers: Array, decimals: int | None) -> list[float]:
    """Return numbers of so many decimals; None: of the seven digits that a float32 holds."""
    if decimals is None:
        return [float(f"{number:.7g}") for number in numbers]
    return [round(float(number), decimals) for number in numbers]


def to_csv(records: list[dict[str, Any]], *, formulas: bool = False) -> str:
    """Return records as CSV with a header.

    Text that a spreadsheet would take for a formula gets an apostrophe before it, unless `formulas` may stand.
    """
    lines: list[str] = []
    writer = csv.writer(SimpleNamespace(write=lines.append))  # with the ending "\r\n" it quotes a "\r" as well
    rows = [list(records[0]), *(list(record.values()) for record in records)]
    writer.writerows(rows if formulas else [[_disarm(value) for value in row] for row in rows])
    return "".join(line.removesuffix("\r\n") + "\n" for line in lines)


def _disarm(value: Any) -> Any:
    """Return text that begins as a formula does with an apostrophe before it; a plain number stays."""
    if not isinstance(value, str) or not value.startswith(FORMULA) or re.fullmatch(r"[+-]?[\d.,]+%?", value):
        return value
    return f"'{value}"
