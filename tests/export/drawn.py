"""Models of all kinds, drawn by hypothesis: random theta and statistics, schemas learned from random rows."""

import datetime

import numpy as np
import polars as pl
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from glassnet.data.array_schema import ArraySchema
from glassnet.data.columns import TableSchema
from glassnet.data.read_options import ReadOptions
from glassnet.data.schema import Schema
from glassnet.data.target_schema import TargetSchema
from glassnet.nn.activations import ACTIVATIONS, Activation
from glassnet.nn.network import Network
from glassnet.training.model import Model

#: Activations of a user's own: with NumPy's functions, a condition, truths that count, and constants.
OWN = [
    Activation("dull", lambda z: z * np.tanh(np.log1p(np.exp(-abs(z)))), lambda z, h: z),
    Activation("bent", lambda z: (np.sqrt(z**2 + 1) - 1) / 2 + z, lambda z, h: 1 + z / (2 * np.sqrt(z**2 + 1))),
    Activation("gate", lambda z: z * np.logical_and(z > 0, np.logical_not(z >= 2)), lambda z, h: z),
    Activation("wave", lambda z: np.where(abs(z) <= 1, np.sin(z), np.cos(z) / 2), lambda z, h: z),
    Activation("far", lambda z: np.clip(z**3 - 0.5, -2, 1.5) + np.arctan(z), lambda z, h: z),
    Activation("odd", lambda z: np.sign(z) * np.expm1(np.minimum(abs(z), 2.0)) ** 0.5, lambda z, h: z),
    Activation("half", lambda z: np.heaviside(z, 0.5) - np.reciprocal(1 + np.square(z)), lambda z, h: z),
    Activation("log", lambda z: np.where(z > -0.5, np.log1p(z), np.log(0.5) + z), lambda z, h: z),
    Activation("broad", lambda z: np.sinh(np.clip(z, -2, 2)) / np.cosh(z) + 2.0 ** -abs(z), lambda z, h: z),
]

WORDS = ["red", "green", "blue", "7", "10", "007", "Ærø", "50 %", 'a "b"', "back\\slash", "tab\there"]


def make_target(task, rng, n=40):
    """A target schema and how many outputs and which loss go with it."""
    if task == "regression":
        width = int(rng.integers(1, 4))
        y = rng.normal(50, 9, (n, width)) if width > 1 else rng.normal(50, 9, n)
        names = [f"out {column}" for column in range(width)] if rng.random() < 0.5 else None
        schema = TargetSchema.learn(y, task=task, names=names, scale_by=y if rng.random() < 0.5 else None)[0]
        return schema, width, rng.choice(["half_squared_error", "absolute_error"])
    if task == "multi-label":
        width = int(rng.integers(2, 5))
        y = rng.random((n, width)) < 0.5
        return TargetSchema.learn(y if rng.random() < 0.5 else y * 1, task=task)[0], width, "binary_cross_entropy"
    count = 2 if task == "binary" else int(rng.integers(3, 6))
    classes = [
        np.array(WORDS)[:count],
        np.arange(count) * 3 - 2,
        np.arange(count) + 0.5,
        np.array([2**60 + one for one in range(count)]),
        *([np.array([False, True])] if task == "binary" else []),
    ]
    y = np.resize(classes[rng.integers(len(classes))], n)
    schema = TargetSchema.learn(y, task=task)[0]
    if task == "ordinal":
        return schema, 1, "half_squared_error"
    return schema, *(
        (1, "binary_cross_entropy") if rng.random() < 0.5 and count == 2 else (count, "cross_entropy")
    )


def make_frame(rng, n=40):
    """A training table with a column of each kind, and some values missing."""
    day = datetime.date(2024, 1, 1)
    columns = {
        "age": rng.normal(40, 12, n).round(1),
        "price": [f"{number:.2f}".replace(".", ",") for number in rng.normal(500, 90, n)],
        "colour": rng.choice(WORDS, n),
        "grade": rng.choice(["1", "2", "3.0"], n),
        "member": rng.random(n) < 0.5,
        "since": [day + datetime.timedelta(days=int(days)) for days in rng.integers(0, 900, n)],
        "seen": [f"{days % 28 + 1}/{days % 12 + 1}/{2000 + days % 20}" for days in rng.integers(0, 900, n)],
        "flag": rng.integers(0, 2, n),
    }
    chosen = ["age", *(name for name in columns if name != "age" and rng.random() < 0.6)]
    frame = pl.DataFrame({name: pl.Series(name, columns[name]) for name in chosen})
    holes = rng.random(frame.shape) < rng.choice([0.0, 0.03, 0.2])
    holes[:30] = False
    return pl.DataFrame(
        [
            pl.Series(name, [None if hole else value for value, hole in zip(frame[name], gaps, strict=True)])
            for name, gaps in zip(frame.columns, holes.T, strict=True)
        ]
    )


def make_input(kind, rng):
    """An input schema of a kind."""
    scaling = str(rng.choice(["none", "standard", "robust"]))
    pieces = int(rng.choice([0, 1, 5]))
    if kind == "table":
        frame = make_frame(rng)
        dates = tuple(name for name in ("since", "seen") if name in frame.columns)
        options = ReadOptions(dates=dates, categorical=tuple({"colour", "grade"} & set(frame.columns)))
        schema, _ = TableSchema.learn(frame, options)
        return schema.scale(None, scaling).cut(frame, pieces)
    shape = (int(rng.integers(1, 7)),) if rng.random() < 0.5 else (3, 2) if rng.random() < 0.5 else (2, 2, 3)
    pieces = pieces if len(shape) == 1 else 0
    if kind == "bytes":
        X = rng.integers(0, 256, (30, *shape), np.uint8)
        return ArraySchema.learn(X)[0].scale(X, scaling).cut(X, pieces)
    X = rng.normal(0, rng.choice([1, 30]), (30, *shape)).astype(rng.choice(["float32", "float64"]))
    white = float(rng.choice([1.0, 1.0, 65535.0]))
    return ArraySchema.learn(X, white=white)[0].scale(X, scaling).cut(X, pieces)


def make_network(width, outputs, loss, rng, activations=(*ACTIVATIONS, *OWN)):
    """A network with random theta and statistics."""
    depth = int(rng.integers(0, 4))
    layers = [width, *(int(units) for units in rng.integers(1, 9, depth)), outputs]
    pick = [activations[place] for place in rng.integers(len(activations), size=depth + 1)]
    plain = loss in ("cross_entropy", "binary_cross_entropy")
    network = Network(
        layers,
        activation=pick[:-1],
        output_activation=None if plain or rng.random() < 0.5 else pick[-1],
        output_scale=1.0 if plain else float(rng.choice([1.0, 2.5])),
        loss=str(loss),
        batch_norm=[bool(one) for one in rng.random(depth) < 0.5],
        dropout=[0.3] * (depth + 1),
        dtype=str(rng.choice(["float32", "float64"])),
        seed=int(rng.integers(1000)),
    )
    network.theta += rng.normal(0, 0.2, len(network.theta)).astype(network.theta.dtype)
    for mean, variance in zip(network.parameters.mean, network.parameters.variance, strict=True):
        if mean is not None:
            mean[:], variance[:] = rng.normal(0, 1, len(mean)), rng.uniform(0.2, 3, len(mean))
    return network


def make_model(seed):
    """A model of any kind."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(["bare", "numbers", "bytes", "table"])
    if kind == "bare":
        loss = str(rng.choice(["cross_entropy", "binary_cross_entropy", "half_squared_error"]))
        return Model(make_network(int(rng.integers(1, 7)), int(rng.integers(2, 4)), loss, rng))
    target, outputs, loss = make_target(
        str(rng.choice(["multi-class", "binary", "multi-label", "ordinal", "regression"])), rng
    )
    rows = make_input(kind, rng)
    return Model(make_network(rows.width, outputs, loss, rng), Schema(rows, target))


models = st.integers(0, 2**32 - 1).map(make_model)


def draws(count):
    """How many models are drawn; a smaller seed makes no simpler model, so that none is looked for."""
    phases = [Phase.explicit, Phase.reuse, Phase.generate]
    return settings(max_examples=count, phases=phases, suppress_health_check=[HealthCheck.function_scoped_fixture])
