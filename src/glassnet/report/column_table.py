"""The columns of a user's table, and what the network gets of each, as a table of the report."""

from __future__ import annotations

import numpy as np

from glassnet.charts.axes import format_number, percent_form
from glassnet.charts.tables import Rows, Table
from glassnet.data.array_schema import ArraySchema
from glassnet.data.column_kinds import BooleanColumn, CategoryColumn, Column, DateColumn, ScaledColumn
from glassnet.data.dataset import Dataset
from glassnet.data.dates import spell_day
from glassnet.data.pieces import count_pieces
from glassnet.data.scaling import ScalingName
from glassnet.locales.catalogue import Words

#: More columns, and more categories of one, are not listed.
MOST_COLUMNS, MOST_CATEGORIES = 200, 6

NONE = "–"


def column_table(data: Dataset, words: Words) -> Table | None:
    """Return each column of a table with its kind, missing values and scale; None where the rows are no table."""
    schema = data.schema.input
    if isinstance(schema, ArraySchema):
        return None
    rows: Rows = [
        [
            column.name,
            words.say(f"{column.kind}_column"),
            *_describe_values(data, column, words),
            _describe_fill(column),
            _describe_inputs(column, schema.scaling, words),
            str(column.width),
        ]
        for column in schema.columns
    ]
    rows += [[name, words.say("column_unused"), NONE, NONE, NONE, NONE, "0"] for name in schema.left_out]
    listed = (
        words.say("columns_listed", shown=MOST_COLUMNS, n=f"{len(rows):,}") if len(rows) > MOST_COLUMNS else ""
    )
    names = ("column", "column_kind", "column_range", "column_missing", "column_fill", "column_becomes")
    header = [words.say(name) for name in (*names, "column_inputs")]
    return Table(
        words.say("columns"), header, rows[:MOST_COLUMNS], text=(0, 1, 2, 4, 5), note=listed, key="columns"
    )


def _describe_values(data: Dataset, column: Column, words: Words) -> tuple[str, str]:
    """Return the range of a column and how many rows lack a value; of a table larger than memory, nobody knows."""
    frames = [split.X for split in data.splits.values()]
    if any(isinstance(frame, np.ndarray) for frame in frames):
        return NONE, NONE
    parts = [column.read(frame[column.name]) for frame in frames]
    missing, n = sum(part.null_count() for part in parts), sum(map(len, parts))
    lacks = f"{missing:,} ({format_number(missing / n, percent_form(words))})" if missing else "0"
    if isinstance(column, CategoryColumn):
        return words.say("categories_of", n=len(column.categories)), lacks
    if isinstance(column, BooleanColumn):
        return NONE, lacks
    numbers = np.concatenate([part.drop_nulls().to_numpy() for part in parts])
    write = _write_day if isinstance(column, DateColumn) else _write
    ends = {"low": write(numbers.min()), "high": write(numbers.max())} if len(numbers) else {}
    return words.say("low_to_high", **ends) if ends else NONE, lacks


def _describe_fill(column: Column) -> str:
    """Return what stands in for a missing value; a dash where one is refused."""
    if column.fill is None:
        return NONE
    if isinstance(column, DateColumn):
        return _write_day(float(column.fill))
    return str(column.fill).lower() if isinstance(column.fill, bool) else _write(column.fill)


def _describe_inputs(column: Column, scaling: ScalingName, words: Words) -> str:
    """Say which numbers the network gets."""
    if isinstance(column, CategoryColumn):
        more = ["…"] * (len(column.categories) > MOST_CATEGORIES)
        said = words.say("column_one_hot", items=[*column.categories[:MOST_CATEGORIES], *more])
    elif isinstance(column, BooleanColumn):
        said = words.say("column_zero_one")
    else:
        said = _describe_scale(column, scaling, words)
        if column.edges:
            write = _write_day if isinstance(column, DateColumn) else _write
            ends = {"low": write(column.edges[0]), "high": write(column.edges[-1])}
            said = words.say("column_pieces", said=said, n=count_pieces(column.edges), **ends)
    return words.say("column_indicated", said=said) if column.indicator else said


def _describe_scale(column: ScaledColumn, scaling: ScalingName, words: Words) -> str:
    """Say how the numbers or dates of a column are scaled."""
    center, spread = column.place(scaling)
    if isinstance(column, DateColumn):
        said = words.say("column_days", center=_write_day(center), spread=_write(spread))
    elif scaling == "none":
        return "x"
    else:
        said = f"(x {'+' if center < 0 else '−'} {_write(abs(center))}) / {_write(spread)}"
    if spread == 0:
        return "0"
    return words.say("column_clipped", said=said) if scaling == "robust" else said


def _write(value: float | str) -> str:
    return value if isinstance(value, str) else format_number(value)


def _write_day(days: float) -> str:
    """Return days since 1970-01-01 as a date; as their number where the calendar does not reach."""
    return spell_day(days) or _write(days)
