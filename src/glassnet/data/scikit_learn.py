"""The small sets that come with scikit-learn and need no network: digits, and the classic tables.

Their names, tasks and licences stand in ``scikit_learn.toml`` beside this module.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.dataset import Dataset
from glassnet.data.scaling import Scaling
from glassnet.data.schema import Schema, describe_targets
from glassnet.data.sources import Source
from glassnet.data.target_values import count_decimals
from glassnet.nn.activations import Array

#: The largest pixel of the digits.
WHITE = 16


@dataclass(frozen=True)
class SklearnSet:
    """A data set of scikit-learn, read by a function of `sklearn.datasets`.

    `targets` is the number of classes, or of numbers to regress; `target_name` is what a single number is called
    that scikit-learn gives no name.
    """

    name: str
    title: str
    loader: str
    task: str
    targets: int
    licence: str = "as in scikit-learn"
    image_shape: tuple[int, ...] | None = None
    target_name: str | None = None
    source: ClassVar[Source | None] = None
    published: ClassVar[dict[str, dict[str, float]]] = {}

    def load(self, data_dir: str | Path | None, validation: float | None, split_seed: int) -> Dataset:
        """Take the rows out of scikit-learn, as it has them; there is no file to look for.

        A network divides pixels by 16, and scales the columns of a table, and the numbers of a regression, to mean
        0 and standard deviation 1 over the training rows.
        """
        from sklearn import datasets

        bunch = getattr(datasets, self.loader)()
        X = np.asarray(bunch.data, np.float64)
        labelled = self.task != "regression"
        rows, _ = ArraySchema.learn(X, self.image_shape, WHITE if self.image_shape else 1.0)
        names = [self.target_name] if self.target_name else bunch.target_names
        data = Dataset.from_arrays(
            X,
            bunch.target.astype(np.uint8) if labelled else np.asarray(bunch.target, np.float64),
            name=self.name,
            schema=Schema(rows, describe_targets(self.task, list(map(str, names)))),
            validation=validation,
            split_seed=split_seed,
        )
        return data if self.image_shape else _scale_table(data)


def _scale_table(data: Dataset) -> Dataset:
    """Return a data set whose schema brings the columns, and the y of a regression, to mean 0 and std 1."""
    schema, (X, y) = data.schema, data.train
    assert isinstance(schema.input, ArraySchema)
    rows, target = replace(schema.input, scaling=_measure(X)), schema.target
    if target.task == "regression":
        found = _measure(y)
        scale: dict[str, Any] = {"mean": tuple(found.center.tolist()), "std": tuple(found.spread.tolist())}
        target = replace(target, **scale, decimals=count_decimals(y))
    return replace(data, schema=Schema(rows, target))


def _measure(values: Array) -> Scaling:
    """Measure the columns of a table that fits in memory: NumPy adds up all its rows at once."""
    std = np.atleast_1d(values.std(axis=0))
    return Scaling("standard", np.atleast_1d(values.mean(axis=0)), np.where(std > 0, std, 1))


def _read_sets() -> Iterator[SklearnSet]:
    text = (resources.files("glassnet.data") / "scikit_learn.toml").read_text(encoding="utf-8")
    for entry in tomllib.loads(text)["sets"]:
        shape = entry.pop("image_shape", None)
        yield SklearnSet(**entry, image_shape=shape and tuple(shape))


DIGITS, *TABLES = _read_sets()
