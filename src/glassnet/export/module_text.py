"""What stands in an exported module, in any language: its functions line by line, and its constants.

Lines call the functions of `python_parts.py` and `parts.js`. Names are in Python's style; JavaScript changes them
to its own.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.column_kinds import CategoryColumn, Column, DateColumn, NumericColumn, ScaledColumn
from glassnet.data.number_format import NumberFormat
from glassnet.export.portable import Formula, PortableModel, trace_activation
from glassnet.nn.activations import ACTIVATIONS, Array

#: Letters of base64 on a line.
LINE = 100


class Function(NamedTuple):
    """A function: what it is called, what it takes, what it does in a sentence, and its lines."""

    name: str
    arguments: str
    said: str
    lines: list[str]


class Code(str):
    """The name of a function or of a constant, among values."""


class Numbers(NamedTuple):
    """Floats as base64: of float32 ("f") or float64 ("d"), little-endian, in lines."""

    kind: str
    lines: list[str]


class Call(NamedTuple):
    """A call among values."""

    function: str
    arguments: tuple[Any, ...]


def list_functions(model: PortableModel) -> list[Function]:
    """Return the functions that are called from outside, and those that they call, but for activations."""
    answer = {
        "class": ("Return the class of each row.", "find_classes(outputs(rows), CLASSES)"),
        "labels": ("Return a list of labels for each row.", "find_labels(outputs(rows), CLASSES)"),
        "numbers": ("Return a list of numbers for each row.", "find_numbers(outputs(rows), MEAN, STD)"),
    }
    said, found = answer[model.answer.kind]
    if model.answer.kind == "numbers" and model.answer.flat:
        said, found = "Return a number for each row.", f"take_only({found})"
    functions = [Function("predict", "rows", said, [f"return {found}"])]
    if model.has_probabilities:
        said = "Return a list of probabilities for each row."
        functions.append(Function("predict_proba", "rows", said, ["return spread_probabilities(outputs(rows))"]))
    said = "Return a list of what the network says of each row."
    functions.append(Function("outputs", "rows", said, ["return run_rows(rows, run)"]))
    return [*functions, _list_run(model), _list_encode(model)]


def _list_run(model: PortableModel) -> Function:
    lines = ["values = apply_layers(encode(row, number), LAYERS)"]
    if model.output_scale != 1:
        lines.append(f"values = multiply_all(values, {model.output_scale!r})")
    lines.append("values = check_outputs(values, number)")
    last = {"softmax": "softmax(values)", "sigmoid": "apply_all(sigmoid, values)", "identity": "values"}
    said = "Return the outputs of the network for a row; messages call it by its number."
    return Function("run", "row, number", said, [*lines, f"return {last[model.output]}"])


def _list_encode(model: PortableModel) -> Function:
    rows, lines = model.input, ["values = encode_columns(row, number, COLUMNS, LEFT_OUT)"]
    if isinstance(rows, ArraySchema):
        is_bytes = rows.values == "bytes"
        lines = [f"values = take_numbers(row, number, {rows.row_size})"]
        lines.append(f"values = check_{'bytes' if is_bytes else 'floats'}(values, number)")
        if not is_bytes and rows.is_bounded and np.isfinite(rows.limit):
            lines.append(f"values = check_limit(values, number, {rows.limit!r})")
        if (unit := 255.0 if is_bytes and rows.white == 1 else rows.white) != 1:
            lines.append(f"values = divide_all(values, {unit!r})")
        if (rows.scaling or rows.pieces) and rows.white != 1:
            lines.append("values = round_to_float32(values, number)")
        scaled = "values"
        if rows.scaling is not None:
            function = "scale_all_robustly" if rows.scaling.name == "robust" else "scale_all"
            scaled = f"{function}(values, CENTER, SPREAD)"
        if rows.pieces is not None:
            scaled = f"join_pieces({scaled}, values, EDGES)"
        if scaled != "values":
            lines.append(f"values = {scaled}")
    last = "round_to_float32(values, number)" if model.rounds_input else "values"
    return Function("encode", "row, number", "Return the network's inputs for a row.", [*lines, f"return {last}"])


def list_formulas(model: PortableModel) -> list[tuple[str, Formula]]:
    """Return the activations, and the sigmoid of the outputs where there is one, with what to call them."""
    named = [(f"f_{formula.name}", formula) for formula in model.formulas]
    if model.output == "sigmoid":
        symbol = trace_activation(ACTIVATIONS.resolve("sigmoid"), model.dtype)
        named.append(("sigmoid", Formula("sigmoid", symbol)))
    return named


def list_constants(model: PortableModel) -> dict[str, Any]:
    """Return the constants that the functions name."""
    return {**_list_rows(model), **_list_answer(model), "LAYERS": _list_layers(model)}


def _list_rows(model: PortableModel) -> dict[str, Any]:
    rows = model.input
    if isinstance(rows, ArraySchema):
        scaling, pieces = rows.scaling, rows.pieces
        figures = {} if scaling is None else {"CENTER": scaling.center, "SPREAD": scaling.spread}
        found = {name: Call("decode_numbers", ("d", write_numbers(one, "d"))) for name, one in figures.items()}
        return found if pieces is None else found | {"EDGES": [list(edges) for edges in pieces.edges]}
    columns = [_describe_column(column, rows.scaling) for column in rows.columns]
    left_out = [*rows.left_out, *model.answer.names]
    return {"BLANKS": list(rows.missing), "LEFT_OUT": left_out, "COLUMNS": columns}


def _list_answer(model: PortableModel) -> dict[str, Any]:
    answer = model.answer
    if answer.kind == "numbers":
        return {"MEAN": list(answer.mean), "STD": list(answer.std)}
    named = answer.class_names and answer.class_names != tuple(map(str, answer.classes))
    return {"CLASSES": list(answer.classes)} | ({"CLASS_NAMES": list(answer.class_names)} if named else {})


def _list_layers(model: PortableModel) -> list[Call]:
    layers = []
    for layer in model.layers:
        kind = choose_kind(layer.W, layer.b)
        numbers = write_numbers(layer.W.T, kind), write_numbers(layer.b, kind)
        layers.append(Call("make_layer", (kind, *numbers, Code(f"f_{layer.activation.name}"))))
    return layers


def choose_kind(*arrays: Array) -> str:
    """Return "f" where float32 holds all numbers exactly, else "d" for float64."""
    with np.errstate(over="ignore"):
        return "f" if all(np.array_equal(one.astype(np.float32), one) for one in arrays) else "d"


def write_numbers(numbers: Array, kind: str) -> Numbers:
    """Return numbers as base64."""
    plain = np.ascontiguousarray(numbers, f"<{'f4' if kind == 'f' else 'f8'}")
    text = base64.b64encode(plain.tobytes()).decode()
    return Numbers(kind, [text[first : first + LINE] for first in range(0, len(text), LINE)])


def _describe_column(column: Column, scaling: Any) -> Mapping[str, Any]:
    """Return what the functions that read and write a column take of it."""
    said: dict[str, Any] = {"name": column.name, "missing": Code("BLANKS")}
    said |= {"fill": column.fill, "indicator": column.indicator}
    if isinstance(column, ScaledColumn):
        center, spread = column.place(scaling)
        write = "write_scaled_robustly" if scaling == "robust" else "write_scaled"
        said |= {"write": Code(write), "center": center, "spread": spread}
        if column.edges:
            said |= {"write": Code("write_with_pieces"), "scaled": Code(write), "edges": list(column.edges)}
    if isinstance(column, NumericColumn):
        said |= {"zero_one": column.zero_one, "format": _describe_format(column.format)}
        return said | {"read": Code("read_number")}
    if isinstance(column, DateColumn):
        return said | {"read": Code("read_days"), "order": column.order}
    if isinstance(column, CategoryColumn):
        said |= {"categories": list(column.categories), "numbers": column.numbers}
        said |= {"format": _describe_format(column.format)}
        return said | {"read": Code("read_category"), "write": Code("write_category")}
    return said | {"read": Code("read_boolean"), "write": Code("write_boolean")}


def _describe_format(form: NumberFormat | None) -> dict[str, str] | None:
    if form is None:
        return None
    plain = (form.decimal, form.thousands) == (".", "")
    pattern = "" if plain else form.pattern
    return {"unit": form.unit, "pattern": pattern, "thousands": form.thousands, "decimal": form.decimal}
