"""The inputs of an ONNX graph, and the nodes that make a network's numbers of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, ValueInfoProto, helper

from glassnet.data.array_schema import ArraySchema
from glassnet.data.column_kinds import (
    BooleanColumn,
    CategoryColumn,
    Column,
    DateColumn,
    NumericColumn,
    ScaledColumn,
)
from glassnet.data.column_values import find_numbers
from glassnet.data.columns import TableSchema
from glassnet.data.pieces import count_pieces
from glassnet.data.scaling import CLIP, FARTHEST
from glassnet.export.onnx_graph import GraphWriter
from glassnet.export.portable import PortableModel
from glassnet.nn.activations import Array

#: Where ONNX has its operators for text.
ML_DOMAIN = "ai.onnx.ml"


def describe_inputs(model: PortableModel, taken: Sequence[str]) -> list[ValueInfoProto]:
    """Return what goes into the graph: ``X``, or each column of a table by its name, none of those `taken`."""
    rows = model.input
    if isinstance(rows, ArraySchema):
        wide = is_wide(rows) or model.dtype == "float64"
        kind = TensorProto.UINT8 if rows.values == "bytes" else TensorProto.DOUBLE if wide else TensorProto.FLOAT
        said = "; ".join(f"{name}: {value}" for name, value in rows.describe().items())
        return [helper.make_tensor_value_info("X", kind, ["rows", *rows.shape], said)]
    described, others = [], {column.name for column in rows.columns}
    for column in rows.columns:
        name = column.name
        while name in taken or not name or (name != column.name and name in others):
            name += " (column)"
        kind = TensorProto.STRING if isinstance(column, CategoryColumn) else TensorProto.DOUBLE
        said = _say(column, rows)
        described.append(helper.make_tensor_value_info(name, kind, ["rows", 1], said))
    return described


def _say(column: Column, rows: TableSchema) -> str:
    """Say what a column takes, and what becomes of a missing value."""
    if isinstance(column, CategoryColumn):
        what, missing = "text: " + ", ".join(map(repr, column.categories[:20])), "'' stands for a missing value"
        what += ", ..." if len(column.categories) > 20 else ""
    else:
        kinds = {DateColumn: "days since 1970-01-01", NumericColumn: "numbers"}
        what, missing = kinds.get(type(column), "1 for true, 0 for false"), "NaN for a missing value"
    becomes = "which makes the answer NaN" if column.fill is None else f"which becomes {column.fill!r}"
    return f"{what}; {column.describe(rows.scaling)}; {missing}, {becomes}"


def is_wide(rows: ArraySchema) -> bool:
    """Whether numbers are encoded in float64."""
    return rows.scaling is not None or rows.pieces is not None


def encode_array(graph: GraphWriter, rows: ArraySchema) -> tuple[str, Array]:
    """Add what makes a network's numbers of rows of an array.

    Return the name of the result, and which of the schema's numbers stands at each of its places: the pieces of
    all columns come last.
    """
    wide = np.dtype(np.float64) if is_wide(rows) else graph.dtype
    h = "X" if len(rows.shape) == 1 else graph.node("Flatten", ["X"], "X.flat")
    if rows.values == "bytes":
        h = graph.node("Div", [graph.cast(h, wide, "X.number"), graph.number(255, wide)], "X.share")
    if rows.white != 1:
        h = graph.node("Div", [h, graph.number(np.float32(rows.white), wide)], "X.share")
        h = graph.cast(graph.cast(h, np.float32, "X.rounded"), wide, "X.share")
    scaled, starts = h, np.cumsum([0, *rows.sizes[:-1]])
    if rows.scaling is not None:
        scaled = _scale(graph, h, "X", rows.scaling.center, rows.scaling.spread, rows.scaling.name == "robust")
    elif rows.pieces is not None:
        scaled = graph.cast(h, np.float32, "X.float32")
    cut = [] if rows.pieces is None else _cut(graph, h, "X", rows.pieces.edges)
    pieces = _list_pieces(starts, [size - 1 for size in rows.sizes])
    return _join(graph, [scaled, *cut]), np.array([*starts, *pieces])


def _join(graph: GraphWriter, parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else graph.node("Concat", parts, "features", axis=1)


def _list_pieces(starts: Iterable[int], pieces: Iterable[int]) -> list[int]:
    """Return the places of pieces in an encoded row, of columns that begin at these places."""
    return [start + 1 + place for start, count in zip(starts, pieces, strict=True) for place in range(count)]


def _cut(graph: GraphWriter, x: str, name: str, edges: Sequence[Sequence[float]]) -> list[str]:
    """Add where each column of x lies in its pieces, in float64; return the name of that, or none."""
    columns = [column for column, ends in enumerate(edges) for _ in range(count_pieces(ends))]
    if not columns:
        return []
    lower = np.concatenate([ends[:-1] for ends in edges])
    widths = np.concatenate([np.diff(ends) for ends in edges])
    wide = np.float64
    each = graph.node("Gather", [x, graph.constant(f"{name}.cut", columns)], f"{name}.repeated", axis=1)
    beyond = graph.node("Sub", [each, graph.constant(f"{name}.edges", lower)], f"{name}.beyond")
    share = graph.node("Div", [beyond, graph.constant(f"{name}.widths", widths)], f"{name}.share")
    place = graph.node("Clip", [share, graph.number(0, wide), graph.number(1, wide)], f"{name}.place")
    centred = graph.node("Sub", [place, graph.number(0.5, wide)], f"{name}.pieces")
    return [graph.cast(centred, np.float32, f"{name}.pieces.float32")]


def _scale(graph: GraphWriter, x: str, name: str, center: Array, spread: Array, robust: bool) -> str:
    """Add (x - center) / spread in float64, 0 where the spread is 0, smoothly clipped where robust."""
    wide = np.float64
    centred = graph.node("Sub", [x, graph.constant(f"{name}.center", center)], f"{name}.centred")
    spreads = graph.constant(f"{name}.spread", np.where(spread > 0, spread, np.inf))
    scaled = graph.node("Div", [centred, spreads], f"{name}.scaled")
    if robust:
        bounds = [graph.number(sign * FARTHEST, wide) for sign in (-1, 1)]
        t = graph.node("Clip", [scaled, *bounds], f"{name}.bounded")
        third = graph.node("Div", [t, graph.number(CLIP, wide)], f"{name}.third")
        square = graph.node("Mul", [third, third], f"{name}.square")
        length = graph.node(
            "Sqrt", [graph.node("Add", [square, graph.number(1, wide)], f"{name}.sum")], f"{name}.length"
        )
        scaled = graph.node("Div", [t, length], f"{name}.clipped")
    return graph.cast(scaled, np.float32, f"{name}.float32")


def encode_table(graph: GraphWriter, rows: TableSchema, names: Sequence[str]) -> tuple[str, Array]:
    """Add what makes a network's numbers of the columns of a table, which the graph takes by these names.

    Return the name of the result, and which of the schema's features stands at each of its places: numbers come
    first, and their pieces, then truths, then categories, and behind each group where its values are missing.
    """
    starts = np.cumsum([0, *rows.sizes])
    placed = [(column, name, int(start)) for column, name, start in zip(rows.columns, names, starts, strict=False)]
    parts: list[str] = []
    order: list[int] = []
    for kind, group in (("numbers", ScaledColumn), ("truths", BooleanColumn)):
        chosen = [place for place in placed if isinstance(place[0], group)]
        if chosen:
            parts += _encode_numbers(graph, kind, chosen, rows)
            order += [start for _, _, start in chosen]
            if group is ScaledColumn:
                edges = [column.edges for column, _, _ in chosen if isinstance(column, ScaledColumn)]
                order += _list_pieces([start for _, _, start in chosen], map(count_pieces, edges))
            order += [start + column.width - 1 for column, _, start in chosen if column.indicator]
    for column, name, start in placed:
        if isinstance(column, CategoryColumn):
            parts += _encode_categories(graph, column, name, rows.missing)
            order += range(start, start + column.width)
    return _join(graph, parts), np.array(order)


def _encode_numbers(
    graph: GraphWriter, kind: str, chosen: Sequence[tuple[Any, str, int]], rows: TableSchema
) -> list[str]:
    """Add all columns of numbers, or of truths, at once; return the names of them and of their gaps."""
    columns = [column for column, _, _ in chosen]
    x = chosen[0][1]
    if len(chosen) > 1:
        x = graph.node("Concat", [name for _, name, _ in chosen], kind, axis=1)
    gap = graph.node("IsNaN", [x], f"{kind}.missing")
    numeric = [isinstance(column, NumericColumn) for column in columns]
    for word in find_numbers(rows.missing) if any(numeric) else ():
        stand_in = graph.constant(f"{kind}.stand_in", np.where(numeric, word, np.nan))
        same = graph.node("Equal", [x, stand_in], f"{kind}.is_stand_in")
        gap = graph.node("Or", [gap, same], f"{kind}.missing")
    fill = np.array([np.nan if column.fill is None else float(column.fill) for column in columns])
    filled = graph.node("Where", [gap, graph.constant(f"{kind}.fill", fill), x], f"{kind}.filled")
    if kind == "truths":
        parts = [graph.cast(filled, np.float32, f"{kind}.float32")]
    else:
        center, spread = np.array([column.place(rows.scaling) for column in columns]).T
        parts = [_scale(graph, filled, kind, center, spread, rows.scaling == "robust")]
        parts += _cut(graph, filled, kind, [column.edges for column in columns])
    if marked := [place for place, column in enumerate(columns) if column.indicator]:
        part = graph.node("Gather", [gap, graph.constant(f"{kind}.marked", marked)], f"{kind}.marks", axis=1)
        parts.append(graph.cast(part, np.float32, f"{kind}.indicators"))
    return parts


def _encode_categories(graph: GraphWriter, column: CategoryColumn, name: str, missing: Sequence[str]) -> list[str]:
    """Add a one for a category among zeros, zeros for an unseen one; return the names of that and of its gaps."""
    words = list(dict.fromkeys(["", *missing]))
    keys, labels, size = list(column.categories), list(range(len(column.categories))), len(column.categories)
    if column.fill is not None:
        keys, labels = keys + words, labels + [labels[column.categories.index(column.fill)]] * len(words)
    find: dict[str, Any] = {"domain": ML_DOMAIN, "keys_strings": keys, "values_int64s": labels}
    label = graph.node("LabelEncoder", [name], f"{name}.label", default_int64=size, **find)  # unseen: no place
    sizes = [graph.number(size, np.int64), graph.constant(f"{name}.values", np.array([0, 1], np.float32))]
    one_hot = graph.node("Flatten", [graph.node("OneHot", [label, *sizes], f"{name}.places")], f"{name}.one_hot")
    if column.fill is not None and not column.indicator:
        return [one_hot]
    mark = 1.0 if column.indicator else np.nan
    find = {"domain": ML_DOMAIN, "keys_strings": words, "values_floats": [mark] * len(words)}
    gap = graph.node("LabelEncoder", [name], f"{name}.missing", default_float=0.0, **find)
    return [one_hot, gap] if column.indicator else [graph.node("Add", [one_hot, gap], f"{name}.known")]
