"""The small sets that come with scikit-learn and need no network: digits, and the classic tables.

Their names, tasks and licences stand in ``scikit_learn.toml`` beside this module.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import ClassVar

import numpy as np

from glassnet.data.dataset import Dataset, Split
from glassnet.data.sources import Source
from glassnet.data.standardisation import Standardisation
from glassnet.nn.activations import Array

#: The largest pixel of the digits.
WHITE = 16


@dataclass(frozen=True)
class SklearnSet:
    """A data set of scikit-learn, read by a function of `sklearn.datasets`.

    `targets` is the number of classes, or of numbers to regress.
    """

    name: str
    title: str
    loader: str
    task: str
    targets: int
    licence: str = "as in scikit-learn"
    image_shape: tuple[int, ...] | None = None
    source: ClassVar[Source | None] = None
    published: ClassVar[dict[str, dict[str, float]]] = {}

    def load(self, data_dir: str | Path | None, validation: float | None, split_seed: int) -> Dataset:
        """Take the rows out of scikit-learn; there is no file to look for.

        Pixels become float32 from 0 to 1. The columns of a table, and the numbers of a regression, are scaled to
        mean 0 and standard deviation 1 over the training rows.
        """
        from sklearn import datasets

        bunch = getattr(datasets, self.loader)()
        X = np.asarray(bunch.data, np.float64)
        labelled = self.task != "regression"
        data = Dataset.from_arrays(
            X if self.image_shape is None else (X / WHITE).astype(np.float32),
            bunch.target.astype(np.uint8) if labelled else np.asarray(bunch.target, np.float64),
            name=self.name,
            class_names=[str(name) for name in bunch.target_names] if labelled else None,
            image_shape=self.image_shape,
            validation=validation,
            split_seed=split_seed,
            task=self.task,
            target_names=getattr(bunch, "target_names", None) if bunch.target.ndim == 2 else None,
        )
        return data if self.image_shape else _standardise_table(data)


def _standardise_table(data: Dataset) -> Dataset:
    """Return a data set with the columns of X, and the y of a regression, at mean 0 and std 1 in training."""
    by_column, by_target = (_measure(values) for values in data.train)

    def scale(rows: Split) -> Split:
        y = by_target.apply(rows.y).reshape(rows.y.shape) if data.task == "regression" else rows.y
        return Split(by_column.apply(rows.X), y)

    train, validation, test = (scale(rows) for rows in data.splits.values())
    return replace(data, train=train, validation=validation, test=test)


def _measure(values: Array) -> Standardisation:
    """Measure the columns of a table that fits in memory: NumPy adds up all its rows at once."""
    std = np.atleast_1d(values.std(axis=0))
    return Standardisation(np.atleast_1d(values.mean(axis=0)), np.where(std > 0, std, 1))


def _read_sets() -> Iterator[SklearnSet]:
    text = (resources.files("glassnet.data") / "scikit_learn.toml").read_text(encoding="utf-8")
    for entry in tomllib.loads(text)["sets"]:
        shape = entry.pop("image_shape", None)
        yield SklearnSet(**entry, image_shape=shape and tuple(shape))


DIGITS, *TABLES = _read_sets()
