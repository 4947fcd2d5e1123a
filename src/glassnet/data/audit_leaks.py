"""Columns that alone tell the target: a rule of one column is made on training rows and tried on the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from glassnet.data.audit_findings import Leak
from glassnet.nn.activations import Array

#: A column tells the target if its rule is right in this share of the rows, or has this R2.
TELLING = 0.99

#: And errs at most in this share of the rows in which always answering the most frequent class errs.
LEFT = 0.1

#: Fewer rows to try a rule on prove nothing.
FEWEST = 10

#: The most columns that are looked at, classes that may be told, and numbers that this may take.
MOST_COLUMNS, MOST_CLASSES, MOST_NUMBERS = 5000, 1000, 1_500_000

#: Rows in a sample of the training rows, at least and at most.
SAMPLE = (1000, 20_000)

#: Training values on each side of a value that are asked what its label is.
NEIGHBOURS = 5


class Column(NamedTuple):
    """A column's values in the training rows and in the rows to try a rule on; NaN where there is none.

    The values of a category are codes, which have no order.
    """

    name: str
    train: Array
    tried: Array
    is_category: bool


def choose_sample(rows: int, columns: int, n_classes: int) -> Array:
    """Return evenly spaced rows, few enough for so many columns and classes."""
    least, most = SAMPLE
    size = MOST_NUMBERS // max(1, columns, n_classes)
    size = min(rows, max(least, min(most, size)))
    return np.arange(size) * rows // max(size, 1)


def find_leaks(columns: Iterable[Column], train: Array, tried: Array, names: list[str]) -> list[Leak]:
    """Return the columns that alone tell the target.

    `train` and `tried` are labels 0, 1, ... (whole numbers), or numbers of a regression (floats), of shape (n, q)
    for q targets with these `names`.
    """
    if len(tried) < FEWEST or not len(train) or (train.dtype.kind != "f" and train.max() >= MOST_CLASSES):
        return []
    return [leak for column in columns for leak in _judge(column, train, tried, names)]


def _judge(column: Column, train: Array, tried: Array, names: list[str]) -> Iterator[Leak]:
    known = ~np.isnan(column.train)
    order = np.argsort(column.train[known], kind="stable")
    rule = _Rule(column.train[known][order], known, order, column.is_category)
    for target, name in enumerate(names):
        y, y_tried = train[:, target], tried[:, target]
        if y.dtype.kind == "f":
            value, measure = _measure_r2(rule, column, y, y_tried), "R2"
        else:
            value, measure = _measure_accuracy(rule, column.tried, y, y_tried), "accuracy"
        if value >= TELLING:
            yield Leak(column.name, measure, value, name)


class _Rule(NamedTuple):
    """Training rows in the order of a column's values, without those that have none."""

    values: Array
    known: Array
    order: Array
    is_category: bool

    def find(self, tried: Array, neighbours: int) -> tuple[Array, Array]:
        """Return for each value the training rows in order that tell of it: first, and behind the last.

        They are those with the same value, of numbers those with the nearest; and so many neighbours on each side
        where they are few.
        """
        if not self.is_category and len(self.values):
            right = np.searchsorted(self.values, tried).clip(0, len(self.values) - 1)
            left = (right - 1).clip(0)
            is_left = np.abs(tried - self.values[left]) < np.abs(self.values[right] - tried)
            tried = self.values[np.where(is_left, left, right)]
        first, last = (np.searchsorted(self.values, tried, side) for side in ("left", "right"))
        if not self.is_category:
            few = last - first < neighbours
            first = np.where(few, np.maximum(first - neighbours, 0), first)
            last = np.where(few, np.minimum(last + neighbours, len(self.values)), last)
        return first, last


def _measure_accuracy(rule: _Rule, values: Array, y: Array, y_tried: Array) -> float:
    """Return the share of right answers; 0 where always giving one answer is nearly as good."""
    most = int(max(y.max(), y_tried.max())) + 1
    common = np.bincount(y, minlength=most).argmax()
    answers = np.full(len(values), common)
    without = y[~rule.known]
    missing = np.isnan(values)
    if len(without):  # that a value is missing can tell, too
        answers[missing] = np.bincount(without, minlength=most).argmax()
    counts = np.zeros((len(rule.values) + 1, most), np.int32)
    np.cumsum(y[rule.known][rule.order, None] == np.arange(most), axis=0, dtype=np.int32, out=counts[1:])
    wrong = len(y_tried)
    for neighbours in (0, NEIGHBOURS):  # the nearest finds rare classes, several pass over a wrong label
        first, last = rule.find(values[~missing], neighbours)
        votes = counts[last] - counts[first]
        answers[~missing] = np.where(votes.any(axis=1), votes.argmax(axis=1), common)
        wrong = min(wrong, int(np.count_nonzero(answers != y_tried)))
    wrong_without = int(np.count_nonzero(y_tried != common))
    return 1 - wrong / len(y_tried) if wrong_without > 2 and wrong <= LEFT * wrong_without else 0.0


def _measure_r2(rule: _Rule, column: Column, y: Array, y_tried: Array) -> float:
    """Return the R2 of the better of two rules: the mean of the rows near by, and a straight line."""
    spread = float(((y_tried - y_tried.mean()) ** 2).sum())
    given = ~np.isnan(column.tried)
    sorted_y, values = y[rule.known][rule.order], column.tried[given]
    if not spread > 0 or not len(sorted_y):
        return 0.0
    without = y[~rule.known]
    answers = np.full(len(column.tried), without.mean() if len(without) else y.mean())
    found = [_take_means(rule, sorted_y, values)]
    if not rule.is_category and rule.values[0] < rule.values[-1]:
        x = rule.values - rule.values.mean()
        size = np.abs(x).max()  # so that no square overflows
        slope = (x / size @ (sorted_y - sorted_y.mean())) / ((x / size) ** 2).sum() / size
        found.append(sorted_y.mean() + slope * (values - rule.values.mean()))
        distinct, start = np.unique(rule.values, return_index=True)
        means = np.add.reduceat(sorted_y, start) / np.diff([*start, len(sorted_y)])
        found.append(np.interp(values, distinct, means))
    best = 0.0
    for answer in found:
        answers[given] = answer
        best = max(best, 1 - float(((answers - y_tried) ** 2).sum()) / spread)
    return best


def _take_means(rule: _Rule, y: Array, values: Array) -> Array:
    first, last = rule.find(values, NEIGHBOURS)
    sums = np.concatenate([[0.0], np.cumsum(y - y.mean())])
    return y.mean() + (sums[last] - sums[first]) / np.maximum(last - first, 1)
