"""The metrics by name: what each measures, on which tasks, and whether larger is better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.data.target_schema import TASKS, TargetSchema
from glassnet.errors import DataError, UsageError, unknown_name
from glassnet.nn.losses import sigmoid_cross_entropy, softmax_cross_entropy
from glassnet.nn.network import Network
from glassnet.nn.targets import encode
from glassnet.training.metrics.formulas import r_squared, share_correct
from glassnet.training.metrics.medmnist import SCORED_TASKS, auc
from glassnet.training.metrics.predictions import Predictions, RunningMetrics, take_labels

#: The tasks with one label a row.
CLASS_TASKS = ("binary", "multi-class", "ordinal")

#: Bounds of a cost.
FROM_ZERO = (0.0, np.inf)


@dataclass(frozen=True)
class Metric:
    """A measure of how good a network's answers are, for some tasks.

    `value` raises `DataError` where it is not defined, which must depend on y alone. `needs_probabilities`: the
    network's loss must make probabilities of outputs. `bounds` are the smallest and the largest value that there
    can be.
    """

    name: str
    value: Callable[[Predictions], float]
    larger_is_better: bool
    tasks: tuple[str, ...]
    bounds: tuple[float, float] = (0.0, 1.0)
    needs_probabilities: bool = False


def _loss(predictions: Predictions) -> float:
    """The network's own loss, averaged or summed over the rows as it says."""
    return predictions.running.loss


def _accuracy(predictions: Predictions) -> float:
    """Share of the rows, multi-label: of the labels, that were predicted right."""
    return share_correct(*predictions.labels())


def _balanced_accuracy(predictions: Predictions) -> float:
    """Mean over the classes that have rows of the class's recall: of its rows, those predicted right."""
    truth, predicted = predictions.labels()
    classes = np.unique(truth)[:, None]
    return float(
        np.mean(((truth == classes) & (predicted == classes)).sum(axis=1) / (truth == classes).sum(axis=1))
    )


def _f1(predictions: Predictions) -> float:
    """F1 = 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall.

    binary: of label 1. Otherwise the unweighted mean over the classes or labels that have rows: what has none
    has an F1 of 0 or 0/0 whatever the network learns.
    """
    truth, predicted = predictions.labels()
    if predictions.task != "multi-label":
        classes = [1] if predictions.task == "binary" else np.unique(truth)
        truth, predicted = (labels[:, None] == classes for labels in (truth, predicted))
    present, called = truth.sum(axis=0), predicted.sum(axis=0)
    counted = present > 0
    if not counted.any():
        label = "label 1" if predictions.task == "binary" else "a label"
        raise DataError(f"y: {label} occurs on no row; F1 needs rows with it")
    both = (truth & predicted).sum(axis=0)
    return float(np.mean(2 * both[counted] / (present + called)[counted]))


def _auc(predictions: Predictions) -> float:
    """Area under the ROC curve, see `glassnet.training.metrics.medmnist.auc`."""
    return auc(predictions.truth, predictions.answers, predictions.task)


def _log_loss(predictions: Predictions) -> float:
    """Mean over the rows of -log p, p the probability that was given to the row's class; of soft labels, by share.

    It comes from the logits in float64, so that a row that is wrong and certain costs what it should.
    """
    network, logits = predictions.network, predictions.outputs.astype(np.float64)
    if network.loss.output == "sigmoid" and logits.shape[1] > 1:
        raise DataError(f"{logits.shape[1]} sigmoids are no probabilities of classes, a softmax's outputs are")
    formula = softmax_cross_entropy if network.loss.output == "softmax" else sigmoid_cross_entropy
    targets = encode(predictions.y, logits.shape[1], network.n_classes, logits.dtype)
    return float(formula(logits, targets)[0].mean())


def _r2(predictions: Predictions) -> float:
    """Coefficient of determination, the mean over the outputs; see `glassnet.training.metrics.formulas`."""
    truth, predicted = predictions.numbers()
    if (np.ptp(truth, axis=0) == 0).any():
        raise DataError("y: the numbers of an output are the same on every row; R2 needs a spread to explain")
    return r_squared(truth, predicted)


def _mae(predictions: Predictions) -> float:
    """Mean over rows and outputs of |prediction - truth|; ordinal: of the steps between the classes.

    Of a table's target: in its own units.
    """
    ordinal = predictions.task == "ordinal"
    truth, predicted = predictions.labels() if ordinal else predictions.numbers(own_units=True)
    return float(np.abs(predicted - truth).mean())


#: The metrics by name; the docstring of each ``value`` has its formula.
METRICS = {
    metric.name: metric
    for metric in (
        Metric("loss", _loss, False, TASKS, FROM_ZERO),
        Metric("accuracy", _accuracy, True, SCORED_TASKS),
        Metric("balanced_accuracy", _balanced_accuracy, True, CLASS_TASKS),
        Metric("f1", _f1, True, SCORED_TASKS),
        Metric("auc", _auc, True, SCORED_TASKS, needs_probabilities=True),
        Metric("log_loss", _log_loss, False, CLASS_TASKS, FROM_ZERO, needs_probabilities=True),
        Metric("r2", _r2, True, ("regression",), (-np.inf, 1.0)),
        Metric("mae", _mae, False, ("regression", "ordinal"), FROM_ZERO),
    )
}


def _find(name: str, task: str, network: Network) -> Metric:
    """Return the metric of a name, or raise `UsageError` where the task or the network has none such."""
    if name not in METRICS:
        raise unknown_name("metrics", name, METRICS)
    metric = METRICS[name]
    if task not in metric.tasks:
        others = [other.name for other in METRICS.values() if task in other.tasks]
        raise UsageError("metrics", f"{name} is no measure of a {task} task; these are: {', '.join(others)}")
    if metric.needs_probabilities and network.loss.output is None:
        raise UsageError(
            "metrics",
            f"{name} needs probabilities, and {network.loss.name} gives none; leave it out, "
            "or take the loss cross_entropy or binary_cross_entropy",
        )
    return metric


def measure(predictions: Predictions, names: Sequence[str]) -> dict[str, float]:
    """Return metrics of a network's predictions by their names in `METRICS`, in the order of the names.

    A name that is unknown or does not go with the task or the network's loss raises `UsageError`, a metric that is
    not defined on these rows `DataError`.
    """
    found = {}
    for name in names:
        metric = _find(name, predictions.task, predictions.network)
        try:
            found[name] = float(metric.value(predictions))
        except DataError as error:
            raise DataError(
                f"metrics: {name} cannot be measured on these rows: {error}; or leave it out"
            ) from None
    return found


def check_metrics(network: Network, split: tuple[Any, Any], names: Sequence[str], target: TargetSchema) -> None:
    """Raise what `measure` would raise for these metrics, without sending a row through the network.

    The rows, encoded, must fit the network. There must be one: `UsageError` is raised otherwise.
    """
    y = np.asarray(split[1])
    if not names:
        return
    if len(y) == 0:
        raise UsageError("metrics", "there are no validation rows to measure on; set some aside with validation")
    outputs = np.zeros((len(y), network.layers[-1]), network.theta.dtype)  # y alone says whether it is defined
    running = RunningMetrics(network)
    running.add([0.0], outputs, take_labels(y, target))
    measure(Predictions(network, target.task, y, outputs, running, target), names)
