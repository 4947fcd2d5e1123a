"""A model's answers to the rows of a file as records: a row's names first, then what the model says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from glassnet.data.read_options import clean_name
from glassnet.data.user_rows import UserRows
from glassnet.errors import UsageError
from glassnet.nn.activations import Array
from glassnet.nn.network import spread_probabilities
from glassnet.nn.targets import decode
from glassnet.runtime.csv_text import csv_text, is_formula
from glassnet.training.metrics.predictions import probability_of
from glassnet.training.model import Model

#: Digits after the point of a probability.
DIGITS = 6


def words_for(model: Model) -> list[Any]:
    """Return what the classes are called in answers, in label order; empty without classes.

    They are the classes as the user wrote them, or names where a class has another one.
    """
    if not model.network.n_classes:
        return []
    if model.schema is None or not model.schema.target.n_classes:
        return list(model.network.class_names or range(model.network.n_classes))
    target = model.schema.target
    pairs = zip(target.classes, target.class_names, strict=True)
    return [written if str(written) == name else name for written, name in pairs]


def tabulate_answers(
    model: Model, rows: UserRows, outputs: Array, *, keep: Sequence[str] = (), proba: bool = False
) -> list[dict[str, Any]]:
    """Return a record for each row: its number, from 1, or its file, the columns to keep, and the answer.

    `outputs` are those of ``model.network.outputs`` for the rows. A class comes with its probability where the
    network gives one, and with `proba` with those of all classes, in their order; several labels or numbers a row
    have a column each, numbers of the precision that those of training have. Where a column to keep has the name
    of an answer, the answer is called "predicted NAME". `UsageError` is raised for columns to keep that the file
    has not.
    """
    if proba and model.network.loss.output is None:
        raise UsageError("proba", f"the network gives no probabilities, as its loss is {model.network.loss.name}")
    kept: dict[str, list[Any]] = {}
    for name in map(clean_name, keep):
        if rows.table is None or name not in rows.table.columns:
            there = "it is no table" if rows.table is None else f"there are: {', '.join(rows.table.columns[:12])}"
            raise UsageError("keep", f"{rows.path.name} has no column {name!r}; {there}")
        kept[name] = rows.table[name].to_list()
    first = ("row", list(range(1, len(outputs) + 1))) if rows.names is None else ("file", list(rows.names))
    columns = {first[0] if first[0] not in kept else f"{first[0]} number": first[1], **kept}
    for name, values in _answer(model, outputs, proba).items():
        columns[name if name not in columns else f"predicted {name}"] = values
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _answer(model: Model, outputs: Array, proba: bool) -> dict[str, list[Any]]:
    """Return the columns of the answer by name."""
    target, gives = None if model.schema is None else model.schema.target, model.network.loss.output is not None
    if words := words_for(model):
        labels = decode(outputs, len(words))
        columns: dict[str, list[Any]] = {"class": [words[label] for label in labels]}
        if gives:
            columns["probability"] = _round(probability_of(outputs, labels), DIGITS)
        if gives and proba:
            every = spread_probabilities(outputs)
            columns |= {f"probability {word}": _round(p, DIGITS) for word, p in zip(words, every.T, strict=True)}
        return columns
    answers = model.decode(outputs).reshape(len(outputs), -1)
    names = list(target.names) if target is not None and target.names else []
    names = names or [f"output_{unit}" for unit in range(answers.shape[1])]
    if target is not None and target.task == "multi-label":
        columns = {name: column.tolist() for name, column in zip(names, answers.T, strict=True)}
        if proba:
            columns |= {f"probability {one}": _round(p, DIGITS) for one, p in zip(names, outputs.T, strict=True)}
        return columns
    decimals = None if target is None else target.decimals
    return {name: _round(column, decimals) for name, column in zip(names, answers.T, strict=True)}


def _round(numbers: Array, decimals: int | None) -> list[Any]:
    """Return numbers of so many decimals, whole ones of none; None: of the seven digits that a float32 holds."""
    if decimals is None:
        return [float(f"{number:.7g}") for number in numbers]
    return [round(float(number), decimals or None) for number in numbers]


def to_csv(records: list[dict[str, Any]], *, formulas: bool = False) -> str:
    """Return records as CSV with a header, see `csv_text`."""
    return csv_text([list(records[0]), *(list(record.values()) for record in records)], formulas=formulas)


def list_formulas(records: list[dict[str, Any]]) -> list[str]:
    """Return the names and cells of records that a spreadsheet would take for formulas."""
    cells = [*records[0], *(value for record in records for value in record.values())]
    return [cell for cell in cells if is_formula(cell)]
