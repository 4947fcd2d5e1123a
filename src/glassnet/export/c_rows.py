"""How a header of C takes a row, and makes a network's numbers of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

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
from glassnet.data.pieces import count_pieces, write_pieces
from glassnet.data.scaling import scale_numbers
from glassnet.export.c_language import Names, fill_lines, write_comment, write_number, write_table, write_texts
from glassnet.nn.activations import Array

#: Writes the statement that keeps a value at a place of the network's input.
Put = Callable[[str, str], str]


@dataclass(frozen=True)
class RowCode:
    """The part of a header that takes a row.

    Attributes
    ----------
    kind : str
        The type of a row's numbers.
    size : int
        How many they are.
    said : str
        What they are, for people.
    tables : tuple of str
        What stands before the functions, and of ``bytes`` bytes in all.
    body : tuple of str
        The lines that write the network's numbers.
    refuses : bool
        Whether a row can be one without an answer.
    """

    kind: str
    size: int
    said: str
    tables: tuple[str, ...]
    bytes: int
    body: tuple[str, ...]
    refuses: bool


def write_rows(rows: ArraySchema | TableSchema, names: Names, put: Put) -> RowCode:
    """Write how a row is taken."""
    return _write_array(rows, names, put) if isinstance(rows, ArraySchema) else _write_columns(rows, names, put)


def _write_array(rows: ArraySchema, names: Names, put: Put) -> RowCode:
    """Write a row of bytes or numbers, divided by what is white, and scaled."""
    pixels, prefix = rows.values == "bytes", names.prefix
    white = 255.0 if pixels else rows.white
    value = "row[i]" if white == 1 else f"row[i] / {write_number(white)}"
    tables: list[str] = []
    if (scaling := rows.scaling) is not None:
        center, rest = _split(scaling.center * white)
        spread = np.where(scaling.spread > 0, scaling.spread, np.inf) * white
        for name, values in (("center", center), ("center_rest", rest), ("spread", spread)):
            tables.append(write_table("float", f"{prefix}_{name}", values))
        value = _scale("row[i]", *(f"{prefix}_{name}[i]" for name in ("center", "center_rest", "spread")))
        value = _clip(value, prefix) if scaling.name == "robust" else value
    refusal = [] if pixels else _refuse("row[i]", prefix)
    size, begin, written = 4 * rows.row_size * len(tables), [], [put("i", value)]
    if rows.pieces is not None and rows.width > rows.row_size:
        pieces = _list_pieces([(np.multiply(edges, white), None) for edges in rows.pieces.edges])[:, :3]
        ends = np.cumsum([count_pieces(edges) for edges in rows.pieces.edges])
        tables += [write_table("float", f"{prefix}_pieces", pieces), write_table("int", f"{prefix}_last", ends)]
        size += 4 * (pieces.size + ends.size)
        begin, cut = ["int n = 0, p = 0;"], _cut(f"{prefix}_last[i]", _place("row[i]", prefix), put)
        written = [put("n", value), "n++;", *cut]
    body = [
        *begin,
        f"for (int i = 0; i < {rows.row_size}; i++) {{",
        *(f"    {one}" for one in [*refusal, *written]),
        "}",
    ]
    shape = " x ".join(map(str, rows.shape))
    what = "bytes from 0 to 255" if pixels else "numbers"
    kind, said = ("unsigned char" if pixels else "float"), f"A row is {shape} {what}."
    return RowCode(kind, rows.row_size, said, tuple(tables), size, tuple(body), not pixels)


def _write_columns(rows: TableSchema, names: Names, put: Put) -> RowCode:
    """Write a row with a number for each column of a table: a category by its place among all."""
    prefix, columns = names.prefix, rows.columns
    places = [names.take(one.name, f"column_{number}", upper=True) for number, one in enumerate(columns, start=1)]
    said = [f"    {place}, /* {_say(column)} */" for place, column in zip(places, columns, strict=True)]
    tables = ["\n".join(["/* The places of the columns in a row. */", "enum {", *said, "};"])]
    for place, column in zip(places, columns, strict=True):
        if isinstance(column, CategoryColumn):
            tables += _write_categories(column, place.lower(), names)
    figures = [f"    {_list_figures(column, rows)}, /* {write_comment(column.name)} */" for column in columns]
    kind = "struct { float fill, center, center_rest, spread; int first, last, marked; }"
    tables.append("\n".join([f"static const {kind} {prefix}_columns[{len(columns)}] = {{", *figures, "};"]))
    size = 4 * len(_FIGURES) * len(columns)
    figure = {name: f"{prefix}_columns[c].{name}" for name in _FIGURES}
    number = _scale("v", figure["center"], figure["center_rest"], figure["spread"])
    if rows.scaling == "robust":
        number = _clip(number, prefix)
    refuses = any(column.fill is None for column in columns)
    begin, cut = "int n = 0;", []
    if any(edges := [getattr(column, "edges", ()) for column in columns]):
        pieces = _list_pieces([(ends, column.fill) for ends, column in zip(edges, columns, strict=True) if ends])
        ends = np.cumsum([count_pieces(one) for one in edges])
        tables += [write_table("float", f"{prefix}_pieces", pieces), write_table("int", f"{prefix}_last", ends)]
        size += 4 * (pieces.size + ends.size)
        place = f"(missing ? {prefix}_pieces[p][3] : {_place('v', prefix)})"
        begin, cut = "int n = 0, p = 0;", _cut(f"{prefix}_last[c]", place, put)
    inner = [
        f"const int missing = {_find_missing(rows, places)};",
        f"const float v = missing ? {figure['fill']} : row[c];",
        *(_refuse("v", prefix) if refuses else []),
        f"for (int i = {figure['first']}; i < {figure['last']}; i++, n++)",
        f"    {put('n', '(float)(v == (float)i)')}",
        f"if ({figure['last']} == 0) {{",
        f"    {put('n', f'(missing ? v : {number})')}",
        "    n++;",
        "}",
        *cut,
        f"if ({figure['marked']}) {{",
        f"    {put('n', '(float)missing')}",
        "    n++;",
        "}",
    ]
    body = [begin, f"for (int c = 0; c < {len(columns)}; c++) {{", *(f"    {line}" for line in inner), "}"]
    what = "A row is a number for each column, NAN where it is missing; their places and categories stand below."
    return RowCode("float", len(columns), what, tuple(tables), size, tuple(body), refuses)


_FIGURES = ("fill", "center", "center_rest", "spread", "first", "last", "marked")


def _list_figures(column: Column, rows: TableSchema) -> str:
    """Return what a row's loop knows of a column: a truth counts as the category 1, a number as none.

    What fills a number is scaled already.
    """
    fill, center, spread, first, last = np.nan, 0.0, 1.0, 0, 0
    if isinstance(column, ScaledColumn):
        center, spread = column.place(rows.scaling)
        fill = (
            np.nan
            if column.fill is None
            else float(scale_numbers(np.array(column.fill), center, spread, rows.scaling))
        )
    elif isinstance(column, BooleanColumn):
        fill, first, last = np.nan if column.fill is None else float(column.fill), 1, 2
    else:
        fill = np.nan if column.fill is None else float(column.categories.index(column.fill))
        last = len(column.categories)
    numbers = [fill, *_split(center), spread or np.inf]
    return f"{{{', '.join(map(write_number, numbers))}, {first}, {last}, {int(column.indicator)}}}"


def _list_pieces(columns: Sequence[tuple[Any, Any]]) -> Array:
    """Return the pieces of columns, given by edges and fill: the lower edge as two floats, and the width.

    Behind these stands where in the piece the value lies that fills a gap; NaN where nothing does.
    """
    found = []
    for edges, fill in columns:
        places = np.empty((1, count_pieces(edges)), np.float32)
        write_pieces(np.array([np.nan if fill is None else fill]), edges, places)
        found.append(np.column_stack([*_split(np.array(edges[:-1])), np.diff(edges), places[0]]))
    return np.concatenate(found)


def _place(value: str, prefix: str) -> str:
    """Write where a value lies in the piece p."""
    edge, rest, width = (f"{prefix}_pieces[p][{place}]" for place in range(3))
    return f"{prefix}_piece({_scale(value, edge, rest, width)})"


def _cut(last: str, place: str, put: Put) -> list[str]:
    """Write the loop over the pieces of a column, up to its last."""
    return [f"for (; p < {last}; p++, n++)", f"    {put('n', place)}"]


def _write_categories(column: CategoryColumn, place: str, names: Names) -> list[str]:
    """Write the numbers of a column's categories, and their names."""
    inner = place.removeprefix(f"{names.prefix}_")
    known = [
        names.take(f"{inner}_{category}", f"{inner}_{number}", upper=True)
        for number, category in enumerate(column.categories)
    ]
    return [f"enum {{\n{fill_lines(known)}\n}};", write_texts(names.take(f"{inner}_names", ""), column.categories)]


def _say(column: Column) -> str:
    """Say what a column is, and what becomes of a missing value."""
    if isinstance(column, CategoryColumn):
        what = "the number of its category; another number is an unseen one"
    elif isinstance(column, BooleanColumn):
        what = "1 for true, 0 for false"
    else:
        what = "days since 1970-01-01" if isinstance(column, DateColumn) else "a number"
    fill = int(column.fill) if isinstance(column.fill, bool) else column.fill
    becomes = "without it there is no answer" if fill is None else f"missing: {fill}"
    return write_comment(f"{column.name}: {what}; {becomes}")


def _find_missing(rows: TableSchema, places: list[str]) -> str:
    """Write the condition that a value is missing: NAN, or in a column of numbers one that stands for it."""
    if not (stand_ins := find_numbers(rows.missing)):
        return "row[c] != row[c]"
    same = " || ".join(f"row[c] == {write_number(number)}" for number in stand_ins)
    others = [
        place for place, column in zip(places, rows.columns, strict=True) if not isinstance(column, NumericColumn)
    ]
    numeric = " && ".join(["", *(f"c != {place}" for place in others)])
    return f"row[c] != row[c] || (({same}){numeric})"


def _split(center: Any) -> tuple[Any, Any]:
    """Return numbers as two floats each, the nearest and what it lacks: of x near them no digit is lost."""
    near = np.float64(np.float32(center))
    return near, center - near


def _scale(value: str, center: str, rest: str, spread: str) -> str:
    return f"(({value} - {center}) - {rest}) / {spread}"


def _clip(value: str, prefix: str) -> str:
    return f"{prefix}_clip({value})"


def _refuse(value: str, prefix: str) -> list[str]:
    """Write what becomes of a row that lacks a number."""
    return [f"if ({value} != {value})", f"    return {prefix}_refuse(outputs);"]
