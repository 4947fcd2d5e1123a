"""One pass of rows through a network, and what it answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from glassnet.charts.confusion import Confusion
from glassnet.data.dataset import Dataset, take_test_rows
from glassnet.data.splits import Split
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import DataError, NonFiniteError
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.targets import decode
from glassnet.training.metrics.formulas import count_correct
from glassnet.training.metrics.medmnist import THRESHOLD


class RunningMetrics:
    """Loss and accuracy over batches of any sizes, added up so that every row counts once.

    The network says whether its loss averages or sums the rows, and how outputs become labels.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.total = 0.0
        self.correct = 0
        self.labelled = 0
        self.rows = 0

    def add(self, losses: Sequence[float], outputs: Array, y: Array, batch_size: int | None = None) -> None:
        """Count batches: the loss of each, and the outputs and the labels or numbers y of all their rows.

        Every batch has `batch_size` rows, the last one what is left. None: there is one batch.
        """
        n = len(outputs)
        for first, loss in zip(range(0, n, batch_size or n), losses, strict=True):
            rows = min(batch_size or n, n - first)
            self.total += float(loss) * (rows if self.network.loss.reduction == "mean" else 1)
        self.rows += n
        if self.network.n_classes is not None and y.ndim == 1:
            self.labelled += n
            outputs = outputs if outputs.shape[1] > 1 else self.network.loss.predict(outputs)
            self.correct += count_correct(y, decode(outputs, self.network.n_classes))
        elif self.network.loss.output == "sigmoid" and y.ndim == 2:  # each label for itself, as logits
            self.labelled += y.size
            self.correct += count_correct(y >= THRESHOLD, outputs >= 0)

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


@dataclass(frozen=True)
class Predictions:
    """What a network answered on rows, from one pass, beside the truth; `predict_rows` makes it.

    y are labels or numbers of shape (n,) or (n, d_L), or rows of shares (soft labels). The outputs have shape
    (n, d_L): logits where the loss is fused with softmax or sigmoid, otherwise the answers. The target's schema
    gives the user's units.
    """

    network: Network
    task: str
    y: Array
    outputs: Array
    running: RunningMetrics
    target: TargetSchema | None = None

    @cached_property
    def truth(self) -> Array:
        """y, or of soft labels the class of each row that has the largest share."""
        return take_labels(self.y, self.target)

    @cached_property
    def answers(self) -> Array:
        """What `Network.outputs` returns for the rows, of shape (n, d_L): probabilities where there are any."""
        return self.network.loss.predict(self.outputs)

    def labels(self) -> tuple[Array, Array]:
        """Return the true and the predicted labels, of shape (n,); multi-label: (n, d_L), true or false.

        `DataError` is raised where the network or y has none.
        """
        if self.task == "multi-label":
            if self.y.ndim != 2:
                raise DataError(f"y: expected a column for each label, got the shape {self.y.shape}")
            if self.network.loss.output != "sigmoid":
                raise DataError(
                    f"{self.network.loss.name} decides on no label by itself, binary_cross_entropy does"
                )
            return self.y >= THRESHOLD, self.outputs >= 0  # a logit of 0 is a probability of one half
        if self.network.n_classes is None or self.truth.ndim != 1:
            raise DataError("it compares classes: give the network class_names, and y one label a row")
        return self.truth, decode(self.answers, self.network.n_classes)

    def numbers(self, *, own_units: bool = False) -> tuple[Array, Array]:
        """Return the true and the predicted numbers in float64, of shape (n, d_L).

        `own_units`: in the units that the user has them in, not standardised.
        """
        predicted = self.answers.astype(np.float64)
        truth = self.y if self.y.size == predicted.size else self.network.encode(self.y)
        truth = truth.reshape(predicted.shape).astype(np.float64)
        if own_units and self.target is not None:
            return self.target.decode(truth), self.target.decode(predicted)
        return truth, predicted

    def take(self, rows: Array) -> Predictions:
        """Return the predictions of some of the rows."""
        return self.replace(self.y[rows], self.outputs[rows])

    def replace(self, y: Array, outputs: Array) -> Predictions:
        """Return other outputs beside other truth, of the same network and task."""
        found = replace(self, y=y, outputs=outputs, running=RunningMetrics(self.network))
        losses = found.row_losses()
        loss = float(losses.mean() if self.network.loss.reduction == "mean" else losses.sum())
        found.running.add([loss], outputs, take_labels(y, self.target))
        return found

    def row_losses(self) -> Array:
        """Return the loss of each row alone in float64, of shape (n,)."""
        with np.errstate(all="ignore"):  # the pass has checked their sums
            rows = self.network.loss.formula(self.outputs, self.network.encode(self.y))[0]
        return rows.astype(np.float64)

    def confusion(self) -> Confusion | None:
        """Return how often each class was taken for each other; None where a row has no single class."""
        k = self.network.n_classes
        if k is None or self.truth.ndim != 1:
            return None
        true, predicted = self.labels()
        counts = np.zeros((k, k), np.int64)
        np.add.at(counts, (true.astype(np.intp), predicted), 1)
        return Confusion(counts, self.network.class_names or tuple(map(str, range(k))))


def predict_rows(network: Network, split: tuple[Any, Any]) -> Predictions:
    """Send rows, a pair (X, y), through a network once, block by block, and return what it answered.

    Rows of a data set are encoded by its schema, which also says the task. That of other rows is what network and
    y imply: "binary" or "multi-class" for labels, "multi-label" for several labels a row, otherwise "regression".
    Rows that do not fit the network raise `DataError`, a loss that is NaN or infinite `NonFiniteError`, which says
    in which layer that began.
    """
    schema = split.schema if isinstance(split, Split) else None
    target = None if schema is None else schema.target
    X, y = split.encode() if isinstance(split, Split) else split
    X, targets = network.check_data(X, y)
    y = np.asarray(y)
    running, outputs, truth = RunningMetrics(network), [], take_labels(y, target)
    with np.errstate(all="ignore"):  # every loss is checked instead
        for rows, cache in network.blocks(X):
            running.add([network.loss_value(cache, targets[rows])], cache.outputs, truth[rows])
            outputs.append(cache.outputs)
    task = _infer_task(network, y) if target is None else target.task
    return Predictions(network, task, y, np.concatenate(outputs), running, target)


def take_labels(y: Array, target: TargetSchema | None) -> Array:
    """Return encoded targets, of soft labels the class of each row that has the largest share."""
    return y.argmax(axis=1) if target is not None and target.soft else y


def _infer_task(network: Network, y: Array) -> str:
    classes = network.n_classes
    if network.loss.output == "sigmoid" and y.dtype.kind in "iub":
        if y.ndim == 2:
            return "multi-label"
        classes = classes or max(2, network.layers[-1])
    if classes is None or y.ndim != 1:
        return "regression"
    return "binary" if classes == 2 else "multi-class"


def predict_test_rows(network: Network, data: Dataset) -> Predictions | None:
    """Send the test rows of a data set through a network once; None where its loss on them is not finite."""
    try:
        return predict_rows(network, take_test_rows(data))
    except NonFiniteError:
        return None


def probability_of(answers: Array, labels: Array) -> Array:
    """Return the probability that each row's answer gives to a class of its own, of shape (n,).

    An answer has a probability for each class, or that of class 1 alone.
    """
    if answers.shape[1] == 1:
        return np.where(labels > 0, answers[:, 0], 1 - answers[:, 0])
    return answers[np.arange(len(labels)), labels]
