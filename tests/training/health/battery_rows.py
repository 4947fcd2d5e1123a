"""Rows for the battery: real pictures and tables, and made ones whose best possible figure is known."""

import functools
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

import glassnet as gn
from glassnet.data.array_schema import ArraySchema
from glassnet.data.dataset import Dataset
from glassnet.data.splits import Split

#: Rows to judge by of made data: so many that their own noise is small.
JUDGED = 4000

#: How each data set is made, by the name that its cases have.
MAKERS = {}


@dataclass(frozen=True)
class Rows:
    """A data set, and how a network on it is judged.

    `measure` is accuracy, auc or r2, all on the test rows, which no diagnosis sees. `best` is what the rule
    behind made rows reaches there; None: it is to be measured. `clean` are the rows as a repair leaves them, where
    more is needed than to standardise them.
    """

    data: Dataset
    group: str
    measure: str
    best: float | None = None
    clean: Dataset | None = None


def rows(make, **options):
    """Return the name of rows that a function makes with these options."""
    given = ", ".join(f"{name}={value}" for name, value in options.items())
    name = f"{make.__name__}({given})"
    MAKERS[name] = functools.partial(make, **options)
    return name


@functools.cache
def rows_of(name):
    """Make, or read, rows once."""
    return MAKERS[name]()


def measure(name, outputs, y):
    """Return how good outputs are: the share of right ones, the area under the ROC curve, or R²."""
    if name == "r2":
        y = y.reshape(outputs.shape).astype(np.float64)
        return float(1 - np.mean(((outputs - y) ** 2).sum(axis=0) / ((y - y.mean(axis=0)) ** 2).sum(axis=0)))
    chance = outputs[:, -1]
    if name == "auc":
        order = np.argsort(np.argsort(chance, kind="stable"), kind="stable") + 1.0
        positive = int((y == 1).sum())
        return float((order[y == 1].sum() - positive * (positive + 1) / 2) / (positive * (len(y) - positive)))
    if y.ndim == 2 or outputs.shape[1] == 1:
        return float(np.mean((outputs >= 0.5) == y.reshape(outputs.shape)))
    return float(np.mean(outputs.argmax(axis=1) == y))


def _split(X, y, n, **options):
    """Make a data set of rows of which the first n are there to learn from, a twelfth of them for validation."""
    return Dataset.from_arrays(X[:n].astype(np.float32), y[:n], X[n:].astype(np.float32), y[n:], **options)


def coin(c=0.7, rule="line", classes=2, columns=8, n=6600):
    """Classes that a simple rule tells, and that a coin leaves as they are with probability c."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n + JUDGED, columns))
    told = {
        "line": lambda: X[:, :classes].argmax(axis=1) if classes > 2 else (X[:, 0] > 0) * 1,
        "corners": lambda: (X[:, 0] * X[:, 1] > 0) * 1,
        "ring": lambda: ((X[:, :3] ** 2).sum(axis=1) > 2.366) * 1,
    }[rule]()
    other = (told + rng.integers(1, classes, len(X))) % classes
    y = np.where(rng.random(len(X)) < c, told, other)
    return Rows(_split(X, y, n), "noisy", "accuracy", float(np.mean(told[n:] == y[n:])))


def rare(share=0.05, columns=8, n=4000):
    """Two classes, one of them rare; the rows say how likely it is."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(n + JUDGED, columns))
    z = 1.2 * X[:, 0] + 0.8 * X[:, 1]
    chance = 1 / (1 + np.exp(-z - np.quantile(-z - rng.logistic(size=len(z)), share)))
    y = (rng.random(len(X)) < chance) * 1
    best = measure("auc", chance[n:, None], y[n:])
    return Rows(_split(X, y, n), "noisy", "auc", best)


def clouds(classes=20, spread=0.6, columns=10, n=4000):
    """Clouds of points, a class each, that overlap."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(classes, columns))
    y = rng.integers(0, classes, n + JUDGED)
    X = centres[y] + spread * rng.normal(size=(len(y), columns))
    nearest = ((X[n:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    return Rows(_split(X, y, n, task="multi-class"), "noisy", "accuracy", float(np.mean(nearest == y[n:])))


def labels(c=0.75, n=2200):
    """Three labels a row, each right with probability c."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(n + JUDGED, 8))
    told = (X[:, :3] + X[:, 3:6] > 0) * 1
    y = np.where(rng.random(told.shape) < c, told, 1 - told)
    data = _split(X, y, n, task="multi-label")
    return Rows(data, "noisy", "accuracy", float(np.mean(told[n:] == y[n:])))


def signal(r2=0.35, rule="line", noise="normal", outputs=1, n=4400):
    """Numbers of variance 1, of which the rows tell a share r2."""
    rng = np.random.default_rng(5)
    X = rng.uniform(-1.7, 1.7, (n + JUDGED, 8))
    told = {
        "line": X[:, :outputs] + 0.5 * X[:, 1 : outputs + 1],
        "wave": np.sin(2 * X[:, :outputs]) + X[:, 1 : outputs + 1] ** 2,
    }[rule]
    told = (told - told.mean(axis=0)) / told.std(axis=0)
    drawn = {
        "normal": lambda: rng.normal(size=told.shape),
        "heavy": lambda: rng.standard_t(3, told.shape) / 3**0.5,
        "uneven": lambda: rng.normal(size=told.shape) * np.exp(0.6 * X[:, 2:3]) / 1.34,
    }[noise]()
    y = np.sqrt(r2) * told + np.sqrt(1 - r2) * drawn
    best = measure("r2", np.sqrt(r2) * told[n:], y[n:])
    y = y[:, 0] if outputs == 1 else y
    return Rows(_split(X, y, n, task="regression"), "noisy", "r2", best)


#: What may be done to the columns of `scaled`, all of them normal, with mean 0 and standard deviation 1.
COLUMNS = {
    "plain": lambda X, rng: X,
    "year": lambda X, rng: np.c_[np.round(2005 + 9 * X[:, 0]), X[:, 1:]],
    "timestamp": lambda X, rng: np.c_[1.7e9 + 1e4 * X[:, 0], X[:, 1:]],
    "pressure": lambda X, rng: np.c_[101325 + 800 * X[:, 0], X[:, 1:]],
    "huge": lambda X, rng: X * [1e6, 1, 1, 1],
    "off-centre": lambda X, rng: X + 100,
    "tiny": lambda X, rng: X * 1e-4,
    "mixed": lambda X, rng: X * [1e-3, 1, 1e3, 1],
    "outliers": lambda X, rng: X * (1 + 300 * (rng.random(X.shape) < 0.004)),
    "lone": lambda X, rng: np.where((np.arange(len(X)) == 5)[:, None] & [1, 1, 0, 0], 1e5, X),
}


def scaled(columns="plain", shift=0.0, factor=1.0, classes=0, standardised=False, n=880):
    """A rule that is easy to learn, but for the size and the place of its columns and of its numbers."""
    rng = np.random.default_rng(6)
    plain = rng.normal(size=(n + JUDGED, 4))
    told = plain @ [1.0, -1.0, 0.5, 0.0] + np.abs(plain[:, 1])
    told = (told - told.mean()) / told.std()
    if classes:
        y = np.digitize(
            told + 0.1 * rng.normal(size=len(told)), np.quantile(told, np.arange(1, classes) / classes)
        )
    else:
        y = (told + 0.1 * rng.normal(size=len(told))) * factor + shift
    X = np.r_[COLUMNS[columns](plain[:n], rng), COLUMNS[columns](plain[n:], rng)].astype(np.float64)
    task = {} if classes else {"task": "regression"}
    clean = Dataset.from_arrays(plain[:n], y[:n], plain[n:], y[n:], **task)
    data = Dataset.from_arrays(X[:n], y[:n], X[n:], y[n:], **task)
    data = data.scale("standard") if standardised else data
    return Rows(data, "numbers", "accuracy" if classes else "r2", clean=clean)


def one_class(count=2, n=2200):
    """Rows to learn from that are all of one class, though there are more."""
    rng = np.random.default_rng(8)
    X = rng.normal(size=(n + JUDGED, 8))
    y = np.where(np.arange(len(X)) < n, 0, rng.integers(0, count, len(X)))
    return Rows(_split(X, y, n, class_names=list("abc")[:count]), "numbers", "accuracy")


def leak(count=2, n=2200):
    """Rows of which one column is the target under another name, and the others tell something of it."""
    rng = np.random.default_rng(9)
    X = rng.normal(size=(n + JUDGED, 8))
    y = X[:, 0] + 2 * rng.normal(size=len(X))
    if count:
        y = np.digitize(y, np.quantile(y, np.arange(1, count) / count))
    X[:, 3] = (y - y.mean()) / y.std()
    task = {} if count else {"task": "regression"}
    return Rows(_split(X, y, n, **task), "numbers", "accuracy" if count else "r2")


def drift(columns=4, n=1600):
    """Rows in the order of time, whose first column grows with it; the last ones are held out."""
    rng = np.random.default_rng(10)
    X = rng.normal(size=(n + 400, columns))
    X[:, 0] = np.arange(len(X)) / 200
    y = 0.3 * np.sin(X[:, 0]) + 0.2 * X[:, 0] ** 2 + X[:, 1]
    data = _split(X, y, n, task="regression", validation=0).validated_by("last(300)")
    return Rows(data.scale("standard"), "numbers", "r2")


def fashion(factor=None, noise=0.0):
    """Fashion-MNIST; its pixels as floats, 0 to 255 times a factor, or a share of its labels drawn at random."""
    data = gn.load_dataset("fashion-mnist", validation=1000)
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(data.train.y))[: 6000 if factor else None]
    X, y = data.train.X[chosen], data.train.y[chosen]
    test, held_out = data.test.take(slice(0, 2000)), data.validation
    if factor:
        X, test, held_out = (
            X.astype(np.float32) * np.float32(factor),
            *(Split(split.X.astype(np.float32) * np.float32(factor), split.y) for split in (test, held_out)),
        )
        data = replace(data, schema=replace(data.schema, input=ArraySchema.learn(X)[0]))
    drawn = rng.random(len(y)) < noise
    y = np.where(drawn, rng.integers(0, 10, len(y)), y).astype(y.dtype)
    drawn = rng.random(len(held_out.y)) < noise
    held_out = Split(held_out.X, np.where(drawn, rng.integers(0, 10, len(drawn)), held_out.y).astype(y.dtype))
    made = replace(data, train=Split(X, y), validation=held_out, test=test)
    clean = rows_of(rows(fashion)).data if factor else None
    return Rows(made, "noisy" if noise else "images", "accuracy", clean=clean)


def built_in(name):
    """Return a set that comes with scikit-learn, its columns scaled."""
    data = gn.load_dataset(name)
    group = "images" if name == "digits" else "tables"
    return Rows(data, group, "r2" if data.task == "regression" else "accuracy")


def as_it_is(name, n=None):
    """Return a set of scikit-learn's, or California's houses in dollars, in the units of its columns."""
    if name == "houses":
        frame = _read("california-housing", n)
        X, y = frame.drop("MedHouseVal").to_numpy(), frame["MedHouseVal"].to_numpy() * 1e5
        data = Dataset.from_arrays(X, y, task="regression")
    else:
        from sklearn import datasets

        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        data = Dataset.from_arrays(X, y)
    return Rows(data, "tables", "r2" if data.task == "regression" else "accuracy")


def _read(file, n):
    frame = pl.read_parquet(Path(os.environ["GLASSNET_DATA"]) / "tables" / f"{file}.parquet")
    return frame if n is None else frame.sample(n, seed=0, shuffle=True)


def table(file, target, n=3000, missing=0.0, judged_by=None, drop=()):
    """Return some rows of a table with its categories, and with cells that are missing."""
    frame = _read(file, n).drop(drop)
    if missing:
        rng = np.random.default_rng(7)
        holes = {name: pl.Series(rng.random(n) < missing) for name in frame.columns if name != target}
        frame = frame.with_columns(
            pl.when(hole).then(None).otherwise(pl.col(name)).alias(name) for name, hole in holes.items()
        )
    data = gn.load_dataset(frame, target=target)
    return Rows(data, "tables", judged_by or ("r2" if data.task == "regression" else "accuracy"))
