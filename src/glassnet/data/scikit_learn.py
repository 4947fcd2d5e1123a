"""The small sets that come with scikit-learn and need no network: digits, and the classic tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    """A data set of scikit-learn.

    Parameters
    ----------
    name : str
        What glassnet calls it.
    title : str
        What it is about, and where it comes from.
    loader : str
        The function of `sklearn.datasets`.
    task : str
        One of `glassnet.data.dataset.TASKS`.
    targets : int
        Number of classes, or of numbers to regress.
    licence : str
        The terms of its use.
    image_shape : tuple of int, optional
        Height and width, where the rows are images.
    """

    name: str
    title: str
    loader: str
    task: str
    targets: int
    licence: str = "as in scikit-learn"
    image_shape: tuple[int, int] | None = None
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
        return data if self.image_shape else standardise_table(data)


def standardise_table(data: Dataset) -> Dataset:
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


#: A copy of the test set of "Optical Recognition of Handwritten Digits" (UCI), 1,797 images.
DIGITS = SklearnSet(
    "digits",
    "Digits: 8 x 8 pixels (Alpaydin and Kaynak 1998)",
    "load_digits",
    "multi-class",
    10,
    "CC BY 4.0",
    (8, 8),
)

TABLES = (
    SklearnSet("iris", "Iris: species by four lengths (Fisher 1936)", "load_iris", "multi-class", 3),
    SklearnSet("wine", "Wine: cultivars by their chemistry (Forina et al. 1991)", "load_wine", "multi-class", 3),
    SklearnSet(
        "breast-cancer", "Breast cancer: cell nuclei (Street et al. 1993)", "load_breast_cancer", "binary", 2
    ),
    SklearnSet("diabetes", "Diabetes: progress in a year (Efron et al. 2004)", "load_diabetes", "regression", 1),
    SklearnSet(
        "linnerud", "Linnerud: 20 men's exercise and body (Tenenhaus 1998)", "load_linnerud", "regression", 3
    ),
)
