"""Loss and accuracy, added up batch by batch so that every sample counts once."""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.data.dataset import Split
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.targets import decode


class RunningMetrics:
    """Loss and accuracy over batches of any sizes, the last short one included.

    Parameters
    ----------
    network : Network
        Says whether its loss averages or sums the rows, and how outputs become labels.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.total = 0.0
        self.correct = 0
        self.rows = 0

    def add(self, value: Any, outputs: Array, y: Array) -> None:
        """Count a batch: its loss, outputs, and labels or numbers y."""
        n = len(outputs)
        self.total += float(value) * (n if self.network.loss.reduction == "mean" else 1)
        self.rows += n
        if self.network.n_classes is not None and y.ndim == 1:
            outputs = outputs if outputs.shape[1] > 1 else self.network.loss.predict(outputs)
            self.correct += int(np.count_nonzero(decode(outputs, self.network.n_classes) == y))

    @property
    def loss(self) -> float:
        """The loss over all rows so far, averaged or summed as the network's loss says."""
        return self.total / (self.rows if self.network.loss.reduction == "mean" else 1)

    @property
    def accuracy(self) -> float | None:
        """Share of the rows whose label was predicted; None where there are no classes."""
        return None if self.network.n_classes is None else self.correct / self.rows


def evaluate(network: Network, split: Split) -> RunningMetrics:
    """Return loss and accuracy of a network on rows X and their labels or numbers y.

    Parameters
    ----------
    network : Network
        Left as it is.
    split : Split
        For example ``data.test``.

    Examples
    --------
    >>> network = Network([2, 2], initializer="zeros")
    >>> metrics = evaluate(network, Split(np.eye(2), np.array([0, 1])))
    >>> round(metrics.loss, 6), metrics.accuracy  # log 2, and both rows called class 0
    (0.693147, 0.5)
    """
    X, targets = network.check_input(split.X), network.encode(split.y)
    metrics = RunningMetrics(network)
    for rows, trace in network.blocks(X):
        value, _ = network.loss.value_and_delta(trace.outputs, targets[rows])
        metrics.add(value, trace.outputs, split.y[rows])
    return metrics
