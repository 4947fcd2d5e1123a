"""The formulas that several measures share: how many answers are right, and how much of a spread is explained."""

from __future__ import annotations

import numpy as np

from glassnet.nn.activations import Array


def count_correct(truth: Array, predicted: Array) -> int:
    """Return how many predictions are the truth; both have the same shape.

    Examples
    --------
    >>> count_correct(np.array([0, 1, 2]), np.array([0, 2, 2]))
    2
    """
    return int(np.count_nonzero(truth == predicted))


def share_correct(truth: Array, predicted: Array) -> float:
    """Return the share of the predictions that are the truth: the accuracy. Both have the same shape.

    Examples
    --------
    >>> share_correct(np.array([0, 1, 2, 3]), np.array([0, 2, 2, 3]))
    0.75
    """
    return count_correct(truth, predicted) / truth.size


def r_squared(truth: Array, predicted: Array) -> float:
    """Return the coefficient of determination R^2: how much of the spread of the numbers is predicted.

    For each output, summed over the rows, and then the mean over the outputs::

        R^2 = 1 - sum (y - a)^2 / sum (y - mean of y)^2

    Where the numbers of an output are all the same, it is 1 if they are met and 0 if not, as scikit-learn's
    ``r2_score`` has it.

    Truth y, in float64, and predicted a have the shape (n, d). It is at most 1; 0 for the mean of y; negative
    where that would be better.

    Examples
    --------
    >>> r_squared(np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.0], [4.0]]))
    0.5
    """
    residual = ((truth - predicted) ** 2).sum(axis=0)
    spread = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    unexplained = np.where(spread > 0, residual / np.where(spread > 0, spread, 1), residual > 0)
    return float(np.mean(1 - unexplained))
