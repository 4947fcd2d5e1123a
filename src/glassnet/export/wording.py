"""What an exported module says of itself at its beginning."""

from __future__ import annotations

from importlib import metadata

from glassnet.data.array_schema import ArraySchema
from glassnet.data.column_kinds import BooleanColumn, CategoryColumn, Column, DateColumn
from glassnet.data.column_values import list_more
from glassnet.export.portable import PortableModel

#: Classes, categories and columns that are listed.
MOST = 50


def describe_use(model: PortableModel, needs: str, *, missing: str, record: str) -> str:
    """Return what a module says of itself; `needs`, `missing` and `record` are in the language's words."""
    units = [model.input.width, *(len(layer.b) for layer in model.layers)]
    layers = "-".join(map(str, units))
    lines = [
        f"A neural network of {layers} units, written by glassnet {metadata.version('glassnet')}.",
        f"It needs {needs}.",
        "",
        f"predict(rows)        {_describe_answer(model)}",
    ]
    if model.has_probabilities:
        each = "each class" if model.answer.kind == "class" else "each output"
        lines.append(f"predict_proba(rows)  for each row a list with the probability of {each}")
    lines += [
        "outputs(rows)        for each row a list of what the network says",
        "",
        *_describe_rows(model, record),
    ]
    if any(getattr(column, "fill", None) is not None for column in _columns(model)):
        lines.append(f"{missing} stands for a missing value.")
    return "\n".join(lines)


def _columns(model: PortableModel) -> tuple[Column, ...]:
    return () if isinstance(model.input, ArraySchema) else model.input.columns


def _describe_answer(model: PortableModel) -> str:
    answer = model.answer
    names = f": {_list(answer.names)}" if answer.names else ""
    if answer.kind == "class":
        called = list(zip(answer.classes, answer.class_names, strict=True))[:MOST]
        words = [repr(one) if str(one) == name else f"{one!r} ({name!r})" for one, name in called]
        return f"the class of each row: {', '.join(words)}{list_more(len(answer.classes) - MOST)}"
    if answer.kind == "labels":
        return f"for each row a list of {_list(answer.classes)}{names}"
    return f"a number for each row{names}" if answer.flat else f"for each row a list of numbers{names}"


def _describe_rows(model: PortableModel, record: str) -> list[str]:
    rows = model.input
    if isinstance(rows, ArraySchema):
        what = "bytes, whole numbers from 0 to 255" if rows.values == "bytes" else "numbers"
        shape = f", or nested lists of the shape {' x '.join(map(str, rows.shape))}" if rows.image_shape else ""
        return [f"A row is a list of {rows.row_size} {what}{shape}."]
    lines = [f"A row is {record}, or a list of the values in this order:"]
    lines += [f"    {column.name!r}: {_describe_column(column)}" for column in rows.columns[:MOST]]
    return lines + ([f"   {list_more(len(rows.columns) - MOST)}"] if len(rows.columns) > MOST else [])


def _describe_column(column: Column) -> str:
    if isinstance(column, CategoryColumn):
        return f"one of {_list(column.categories)}"
    if isinstance(column, BooleanColumn):
        return "true or false"
    return "a date" if isinstance(column, DateColumn) else "a number"


def _list(values: tuple[object, ...]) -> str:
    return ", ".join(map(repr, values[:MOST])) + list_more(len(values) - MOST)
