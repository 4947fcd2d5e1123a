"""Random rows on which an export is compared with its network."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.column_kinds import BooleanColumn, CategoryColumn, Column, DateColumn
from glassnet.data.schema import Schema
from glassnet.export.portable import PortableModel, describe_model
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.targets import decode
from glassnet.runtime.seeds import stream

#: Rows of a trial, and the multiplications that they may take altogether, as plain Python needs its time.
ROWS, FEWEST, PRODUCTS = 200, 10, 20_000_000

#: The most rows that are taken of those given.
GIVEN = 1000

#: How often a value is missing, and a category one that training did not have.
RARE = 0.1


@dataclass(frozen=True)
class Trial:
    """Rows as a user has them, random or given, what the network takes for them, and its outputs in float64.

    Rows for which the network's outputs are not finite are left out. ``decode`` makes answers of outputs.
    ``rounding`` is how far outputs in float32 are from those; of numbers in the user's units, the answers.
    """

    model: PortableModel
    rows: list[Any]
    X: Array
    outputs: Array
    decode: Callable[[Array], Array]
    rounding: float


def make_trial(network: Network, schema: Schema | None, seed: int = 0, given: Any = None) -> Trial:
    """Draw rows for a network and the schema of its rows and answers, or take some of those given.

    Examples
    --------
    >>> trial = make_trial(Network([2, 3]), None)
    >>> len(trial.rows), trial.outputs.shape
    (200, (200, 3))
    """
    rng = stream(seed, "export")
    products = sum(W.size for W in network.W)
    count = min(ROWS, max(FEWEST, PRODUCTS // products))
    if given is not None:
        rows = _take_rows(schema, given)
    elif schema is None:
        rows = rng.normal(size=(count, network.layers[0])).tolist()
    else:
        rows = _draw_rows(schema, count, rng)
    encoded = np.array(rows) if schema is None else schema.input.encode(schema.take_rows(rows))[0]
    X = network.input_batch(encoded)
    with np.errstate(all="ignore"):  # what comes of it is left out
        wide, narrow = (network.astype(dtype).forward(X.astype(dtype)).outputs for dtype in ("float64", "float32"))
    finite: Array = np.isfinite(np.hstack([wide, narrow])).all(axis=1)
    outputs, rounded = (network.loss.predict(found[finite]) for found in (wide, narrow))
    kept = [row for row, is_kept in zip(rows, finite, strict=True) if is_kept]
    answer = partial(decode, n_classes=network.n_classes) if schema is None else schema.target.answer
    model = describe_model(network, schema)
    of = answer if model.answer.kind == "numbers" else np.asarray
    return Trial(model, kept, X[finite], outputs, answer, find_difference(of(rounded), of(outputs)))


def find_difference(found: Any, expected: Any) -> float:
    """Return the largest difference of outputs, as a share of expected ones that are larger than 1.

    Examples
    --------
    >>> find_difference([[1.0, 202.0]], [[0.5, 200.0]])
    0.5
    """
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if found.shape != expected.shape:
        return np.inf
    return float((np.abs(found - expected) / np.maximum(1, np.abs(expected))).max(initial=0))


def _take_rows(schema: Schema | None, given: Any) -> list[Any]:
    """Return rows that stand evenly among those given, records of a table or lists of numbers."""
    if schema is not None:
        rows = schema.input
        if not isinstance(rows, ArraySchema):
            frame = schema.take_rows(given)
            return frame[:: max(1, -(-len(frame) // GIVEN))].to_dicts()
        given = rows.take(given)[0]
    return np.asarray(given)[:: max(1, -(-len(given) // GIVEN))].tolist()


def _draw_rows(schema: Schema, count: int, rng: np.random.Generator) -> list[Any]:
    rows = schema.input
    if not isinstance(rows, ArraySchema):
        columns = {column.name: _draw_column(column, count, rng) for column in rows.columns}
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    shape = (count, rows.row_size)
    if rows.values == "bytes":
        return rng.integers(0, max(int(rows.high), 1), shape, endpoint=True).tolist()
    if rows.scaling is None:
        X = rng.uniform(rows.low, rows.high, shape)
    else:
        unit = rows.white
        X = unit * rng.normal(rows.scaling.center, rows.scaling.spread, shape)
    return _narrow(X, rows.low, rows.high).tolist()


def _narrow(X: Array, low: float = -np.inf, high: float = np.inf) -> Array:
    """Return numbers that float32 holds, so that targets take the same, within a range if it has such."""
    with np.errstate(over="ignore"):
        narrow, least, most = (np.asarray(one, np.float32) for one in (X, low, high))
    least = np.where(least < low, np.nextafter(least, np.float32(np.inf)), least)
    most = np.where(most > high, np.nextafter(most, np.float32(-np.inf)), most)
    narrow = np.clip(narrow, least, most)
    return narrow if least <= most and np.isfinite(narrow).all() else np.clip(X, low, high)


def _draw_column(column: Column, count: int, rng: np.random.Generator) -> list[Any]:
    """Draw values of a column, missing ones among them where training had them filled."""
    values: list[Any]
    if isinstance(column, CategoryColumn):
        chosen = rng.choice(column.categories, count)
        values = [str(one) if rng.random() > RARE else "(unseen)" for one in chosen]
    elif isinstance(column, BooleanColumn):
        values = (rng.random(count) < 0.5).tolist()
    elif isinstance(column, DateColumn):
        values = [_write_date(days) for days in rng.normal(column.mean, column.std, count)]
    else:
        values = _narrow(rng.normal(column.mean, column.std, count)).tolist()
        values = [float(value > column.mean) for value in values] if column.zero_one else values
    if column.fill is None:
        return values
    return [None if rng.random() < RARE else value for value in values]


def _write_date(days: float) -> str:
    first = datetime.date(1970, 1, 1).toordinal()
    day = min(max(first + round(days), 1), datetime.date.max.toordinal())
    return datetime.date.fromordinal(day).isoformat()
