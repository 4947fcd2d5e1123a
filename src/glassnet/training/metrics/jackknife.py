"""What groups of rows say of a measure: the jackknife, for any measure."""

from __future__ import annotations

import numpy as np

from glassnet.errors import DataError
from glassnet.training.metrics.catalogue import measure
from glassnet.training.metrics.predictions import Predictions

#: Groups that the rows are dealt into.
GROUPS = 20


def pseudo_values(predictions: Predictions, name: str) -> list[float]:
    """Return what each of `GROUPS` groups of rows says of a measure by itself.

    The rows are dealt at random into G groups, in the same way for as many rows. With M of all rows, and M_g of
    the rows without group g, the pseudo-values are::

        G M - (G - 1) M_g

    moved so that their mean is M. Of a mean over the rows they are the means of the groups. Their standard
    deviation divided by sqrt(G) is the standard error of M, as far as it comes from the choice of the rows; those
    of two networks on the same rows are paired. A loss that is summed over the rows counts as its mean times their
    number. `DataError` is raised for a single row, and where the measure is not defined without some group.

    Source: B. Efron and R. Tibshirani (1993), An Introduction to the Bootstrap, chapter 11; the delete-a-group
    jackknife.
    """
    n = len(predictions.y)
    if n < 2:
        raise DataError("y: one row says nothing of what other rows would")
    groups = min(GROUPS, n)
    group = np.random.default_rng(0).permutation(n) % groups
    whole = measure(predictions, [name])[name]
    summed = name == "loss" and predictions.network.loss.reduction == "sum"
    found = []
    for one in range(groups):
        rest = np.flatnonzero(group != one)
        without = measure(predictions.take(rest), [name])[name] * (n / len(rest) if summed else 1)
        found.append(groups * whole - (groups - 1) * without)
    return (np.array(found) + (whole - np.mean(found))).tolist()
