"""Loss and accuracy, added up batch by batch so that every sample counts once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from glassnet.data.dataset import Split
from glassnet.errors import DataError
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
        self.labelled = 0
        self.rows = 0

    def add(self, losses: Sequence[float], outputs: Array, y: Array, batch_size: int | None = None) -> None:
        """Count batches: the loss of each, and the outputs and labels or numbers y of all their rows.

        Every batch has `batch_size` rows, the last what is left; None: there is one.
        """
        n = len(outputs)
        for first, loss in zip(range(0, n, batch_size or n), losses, strict=True):
            rows = min(batch_size or n, n - first)
            self.total += float(loss) * (rows if self.network.loss.reduction == "mean" else 1)
        self.rows += n
        if self.network.n_classes is not None and y.ndim == 1:
            self.labelled += n
            outputs = outputs if outputs.shape[1] > 1 else self.network.loss.predict(outputs)
            self.correct += int(np.count_nonzero(decode(outputs, self.network.n_classes) == y))
        elif self.network.loss.output == "sigmoid" and y.ndim == 2:  # each label for itself, as logits
            self.labelled += y.size
            self.correct += int(np.count_nonzero((outputs >= 0) == (y >= 0.5)))

    def state_dict(self) -> dict[str, float]:
        """Return the sums so far as plain values, which JSON keeps exactly."""
        return {name: getattr(self, name) for name in ("total", "correct", "labelled", "rows")}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Take up the sums that `state_dict` returned."""
        for name, value in state.items():
            setattr(self, name, value)

    @property
    def loss(self) -> float:
        """The loss over all rows so far, averaged or summed as the network's loss says."""
        return self.total / (self.rows if self.network.loss.reduction == "mean" else 1)

    @property
    def accuracy(self) -> float | None:
        """Share of the rows, or of the labels where a row has several, that were predicted right; None without."""
        return self.correct / self.labelled if self.labelled else None


def evaluate(network: Network, split: Split, outputs: list[Array] | None = None) -> RunningMetrics:
    """Return loss and accuracy of a network on rows X and their labels or numbers y.

    Parameters
    ----------
    network : Network
        Left as it is.
    split : Split, or any pair (X, y)
        For example ``data.test``.
    outputs : list of ndarray, optional
        Gets the outputs of all rows, block by block.

    Raises
    ------
    DataError
        If the rows do not fit the network.
    NonFiniteError
        If the loss of a block of rows is NaN or infinite; the message says in which layer that began.

    Examples
    --------
    >>> network = Network([2, 2], initializer="zeros")
    >>> metrics = evaluate(network, Split(np.eye(2), np.array([0, 1])))
    >>> round(metrics.loss, 6), metrics.accuracy  # log 2, and both rows called class 0
    (0.693147, 0.5)
    """
    X, y = split
    X, targets = network.check_data(X, y)
    y = np.asarray(y)
    metrics = RunningMetrics(network)
    with np.errstate(all="ignore"):  # every loss is checked instead
        for rows, trace in network.blocks(X):
            value = network.loss_value(trace, targets[rows])
            metrics.add([value], trace.outputs, y[rows])
            if outputs is not None:
                outputs.append(trace.outputs)
    return metrics


class ClassScore(NamedTuple):
    """How well one class is recognised.

    Attributes
    ----------
    name : str
        The class.
    precision, recall, f1 : float
        As scikit-learn defines them; 0 where a share of nothing would be asked for.
    rows : int
        Rows that truly are of the class.
    taken_for : str or None
        The other class that most of its rows were predicted as, and how many; None where none were.
    """

    name: str
    precision: float
    recall: float
    f1: float
    rows: int
    taken_for: str | None
    taken_for_rows: int


def class_scores(network: Network, split: Split) -> list[ClassScore]:
    """Return the scores of every class on rows X with labels y.

    Raises
    ------
    DataError
        If the network has no classes.

    Examples
    --------
    >>> network = Network([2, 2], initializer="zeros", class_names=["left", "right"])
    >>> scores = class_scores(network, Split(np.eye(2), np.array([0, 1])))
    >>> scores[0].recall, scores[1].taken_for
    (1.0, 'left')
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    if network.n_classes is None:
        raise DataError("the network has no classes, so there is nothing to score class by class")
    names = network.class_names or tuple(str(label) for label in range(network.n_classes))
    labels = np.arange(len(names))
    predicted = network.predict(split.X)
    precision, recall, f1, rows = precision_recall_fscore_support(
        split.y, predicted, labels=labels, zero_division=0
    )
    mistakes = confusion_matrix(split.y, predicted, labels=labels)
    np.fill_diagonal(mistakes, 0)
    return [
        ClassScore(
            name=names[label],
            precision=float(precision[label]),
            recall=float(recall[label]),
            f1=float(f1[label]),
            rows=int(rows[label]),
            taken_for=names[mistakes[label].argmax()] if mistakes[label].any() else None,
            taken_for_rows=int(mistakes[label].max()),
        )
        for label in labels
    ]
