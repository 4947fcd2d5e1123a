"""The small sets that come with scikit-learn and need no network: digits, and the classic tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from glassnet.data.dataset import Dataset, Split
from glassnet.nn.activations import Array


@dataclass(frozen=True)
class Table:
    """A table of scikit-learn.

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
    """

    name: str
    title: str
    loader: str
    task: str
    targets: int
    licence: str = "as in scikit-learn"

    def load(self, data_dir: str | Path | None, validation: float | None, split_seed: int) -> Dataset:
        """Take the rows out of scikit-learn; there is no file to look for.

        Columns, and the numbers of a regression, are scaled to mean 0 and deviation 1 over the training rows.
        """
        from sklearn import datasets

        bunch = getattr(datasets, self.loader)()
        labelled = self.task != "regression"
        data = Dataset.from_arrays(
            np.asarray(bunch.data, np.float64),
            bunch.target.astype(np.uint8) if labelled else np.asarray(bunch.target, np.float64),
            name=self.name,
            class_names=[str(name) for name in bunch.target_names] if labelled else None,
            validation=validation,
            split_seed=split_seed,
            task=self.task,
            target_names=getattr(bunch, "target_names", None) if bunch.target.ndim == 2 else None,
        )
        return scale(data)


def scale(data: Dataset) -> Dataset:
    """Return a data set with the columns of X, and a regression's y, at mean 0 and deviation 1 in training."""

    def standard(values: Array, training: Array) -> Array:
        spread = training.std(axis=0)
        return ((values - training.mean(axis=0)) / np.where(spread > 0, spread, 1)).astype(np.float32)

    X, y = data.train

    def split(rows: Split) -> Split:
        numbers = standard(rows.y, y) if data.task == "regression" else rows.y
        return Split(standard(rows.X, X), numbers)

    return replace(data, train=split(data.train), validation=split(data.validation), test=split(data.test))


def load_digits(data_dir: str | Path | None, validation: float | None, split_seed: int) -> Dataset:
    """Take the 1,797 handwritten digits of 8 x 8 pixels out of scikit-learn, scaled from 0..16 to [0, 1].

    A copy of the test set of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998, UCI).
    """
    from sklearn import datasets

    X, y = datasets.load_digits(return_X_y=True)
    return Dataset.from_arrays(
        (X / 16).astype(np.float32),
        y.astype(np.uint8),
        name="digits",
        class_names=[str(digit) for digit in range(10)],
        image_shape=(8, 8),
        validation=validation,
        split_seed=split_seed,
    )


TABLES = (
    Table("iris", "Iris: species by four lengths (Fisher 1936)", "load_iris", "multi-class", 3),
    Table("wine", "Wine: cultivars by their chemistry (Forina et al. 1991)", "load_wine", "multi-class", 3),
    Table("breast-cancer", "Breast cancer: cell nuclei (Street et al. 1993)", "load_breast_cancer", "binary", 2),
    Table("diabetes", "Diabetes: progress in a year (Efron et al. 2004)", "load_diabetes", "regression", 1),
    Table("linnerud", "Linnerud: 20 men's exercise and body (Tenenhaus 1998)", "load_linnerud", "regression", 3),
)
