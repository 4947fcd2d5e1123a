"""Metrics that a user chooses to watch, measured after each epoch from one forward pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glassnet.data.dataset import TASKS, Split
from glassnet.errors import DataError, UsageError, unknown_name
from glassnet.nn.activations import Array
from glassnet.nn.losses import sigmoid_cross_entropy, softmax_cross_entropy
from glassnet.nn.network import Network
from glassnet.nn.targets import decode, encode
from glassnet.training.metrics import RunningMetrics, evaluate
from glassnet.training.scores import SCORED_TASKS, THRESHOLD, auc

if TYPE_CHECKING:
    from glassnet.data.columns import TableEncoder

#: The tasks with one label a row.
CLASS_TASKS = ("binary", "multi-class", "ordinal")


@dataclass(frozen=True)
class Answers:
    """What a network answered on rows, from one forward pass, beside the truth; `answer` makes it.

    Attributes
    ----------
    network : Network
        As it was asked.
    task : str
        One of `glassnet.data.dataset.TASKS`.
    y : ndarray of shape (n,) or (n, d)
        The truth: labels or numbers.
    outputs : ndarray of shape (n, d_L)
        Logits where the loss is fused with softmax or sigmoid, otherwise the outputs themselves.
    running : RunningMetrics
        The network's own loss, and the accuracy, as `glassnet.training.metrics.evaluate` returns them.
    encoder : TableEncoder or None
        Of a table: gives its target's own units.
    """

    network: Network
    task: str
    y: Array
    outputs: Array
    running: RunningMetrics
    encoder: TableEncoder | None = None

    @property
    def predictions(self) -> Array:
        """The outputs of shape (n, d_L) as `Network.outputs` gives them: probabilities where there are any."""
        return self.network.loss.predict(self.outputs)

    def labels(self) -> tuple[Array, Array]:
        """Return the true and the predicted labels, of shape (n,); multi-label: (n, L), true or false.

        Raises
        ------
        DataError
            If the network or y has none.
        """
        if self.task == "multi-label":
            if self.y.ndim != 2:
                raise DataError(f"y: expected a column for each label, got the shape {self.y.shape}")
            if self.network.loss.output != "sigmoid":
                raise DataError(
                    f"{self.network.loss.name} decides on no label by itself, binary_cross_entropy does"
                )
            return self.y >= THRESHOLD, self.outputs >= 0  # a logit of 0 is a probability of one half
        if self.network.n_classes is None or self.y.ndim != 1:
            raise DataError("it compares classes: give the network class_names, and y one label a row")
        return self.y, decode(self.predictions, self.network.n_classes)

    def measure(self, names: Sequence[str]) -> dict[str, float]:
        """Return the metrics of these names, in their order; errors as `measure` raises them."""
        found = {}
        for name in names:
            metric = _fitting(name, self.task, self.network)
            try:
                found[name] = float(metric.value(self))
            except DataError as error:
                raise DataError(
                    f"metrics: {name} cannot be measured on these rows: {error}; or leave it out"
                ) from None
        return found


@dataclass(frozen=True)
class Metric:
    """A measure of how good a network's answers are.

    Attributes
    ----------
    name : str
        The name it is chosen by.
    value : callable
        ``value(answers) -> float``; a `DataError` where it is not defined, which must depend on y alone.
    larger_is_better : bool
        False: smaller is.
    tasks : tuple of str
        Those it is a measure of.
    needs_probabilities : bool
        Whether the loss must be one that makes probabilities of outputs.
    """

    name: str
    value: Callable[[Answers], float]
    larger_is_better: bool
    tasks: tuple[str, ...]
    needs_probabilities: bool = False


def _loss(answers: Answers) -> float:
    """The network's own loss, averaged or summed over the rows as it says."""
    return answers.running.loss


def _accuracy(answers: Answers) -> float:
    """Share of the rows, multi-label: of the labels, that were predicted right."""
    truth, predicted = answers.labels()
    return float(np.mean(truth == predicted))


def _balanced_accuracy(answers: Answers) -> float:
    """Mean over the classes that have rows of the class's recall: of its rows, those predicted right."""
    truth, predicted = answers.labels()
    classes = np.unique(truth)[:, None]
    return float(
        np.mean(((truth == classes) & (predicted == classes)).sum(axis=1) / (truth == classes).sum(axis=1))
    )


def _f1(answers: Answers) -> float:
    """F1 = 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall.

    binary: of label 1. Otherwise the unweighted mean over the classes or labels that have rows: what has none
    has an F1 of 0 or 0/0 whatever the network learns.
    """
    truth, predicted = answers.labels()
    if answers.task != "multi-label":
        classes = [1] if answers.task == "binary" else np.unique(truth)
        truth, predicted = (labels[:, None] == classes for labels in (truth, predicted))
    present, called = truth.sum(axis=0), predicted.sum(axis=0)
    counted = present > 0
    if not counted.any():
        label = "label 1" if answers.task == "binary" else "a label"
        raise DataError(f"y: {label} occurs on no row; F1 needs rows with it")
    both = (truth & predicted).sum(axis=0)
    return float(np.mean(2 * both[counted] / (present + called)[counted]))


def _auc(answers: Answers) -> float:
    """Area under the ROC curve, see `glassnet.training.scores.auc`."""
    return auc(answers.y, answers.predictions, answers.task)


def _log_loss(answers: Answers) -> float:
    """Mean over the rows of -log p, p the probability that was given to the row's class.

    It comes from the logits in float64, so that a row that is wrong and certain costs what it should.
    """
    network, logits = answers.network, answers.outputs.astype(np.float64)
    if network.loss.output == "sigmoid" and logits.shape[1] > 1:
        raise DataError(f"{logits.shape[1]} sigmoids are no probabilities of classes, a softmax's outputs are")
    formula = softmax_cross_entropy if network.loss.output == "softmax" else sigmoid_cross_entropy
    targets = encode(answers.y, logits.shape[1], network.n_classes, logits.dtype)
    return float(formula(logits, targets)[0].mean())


def _r2(answers: Answers) -> float:
    """Coefficient of determination: 1 - (sum of squared errors) / (that of predicting the mean).

    The unweighted mean over the outputs where there are several.
    """
    from sklearn.metrics import r2_score

    predicted = answers.outputs.astype(np.float64)
    truth = answers.y.reshape(predicted.shape).astype(np.float64)
    if (np.ptp(truth, axis=0) == 0).any():
        raise DataError("y: the numbers of an output are the same on every row; R2 needs a spread to explain")
    return float(r2_score(truth, predicted))


def _mae(answers: Answers) -> float:
    """Mean over rows and outputs of |prediction - truth|; ordinal: of the steps between the classes.

    Of a table's target: in its own units.
    """
    if answers.task == "ordinal":
        truth, predicted = answers.labels()
    else:
        predicted = answers.outputs.astype(np.float64)
        truth = answers.y.reshape(predicted.shape)
        if answers.encoder is not None:
            predicted, truth = (answers.encoder.decode_target(values[:, 0]) for values in (predicted, truth))
    return float(np.abs(predicted - truth).mean())


#: The metrics by name; the docstring of each ``value`` has its formula.
METRICS = {
    metric.name: metric
    for metric in (
        Metric("loss", _loss, False, TASKS),
        Metric("accuracy", _accuracy, True, SCORED_TASKS),
        Metric("balanced_accuracy", _balanced_accuracy, True, CLASS_TASKS),
        Metric("f1", _f1, True, SCORED_TASKS),
        Metric("auc", _auc, True, SCORED_TASKS, needs_probabilities=True),
        Metric("log_loss", _log_loss, False, CLASS_TASKS, needs_probabilities=True),
        Metric("r2", _r2, True, ("regression",)),
        Metric("mae", _mae, False, ("regression", "ordinal")),
    )
}


def _fitting(name: str, task: str, network: Network) -> Metric:
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


def check_metrics(
    network: Network, split: Split, names: Sequence[str], task: str, encoder: TableEncoder | None = None
) -> None:
    """Raise what `measure` would raise for these metrics, without asking the network for anything.

    Parameters
    ----------
    network, split, names, task, encoder
        As for `measure`; rows that fit the network.

    Raises
    ------
    UsageError
        If a name is unknown or does not go with the task or the network's loss, or there are no rows.
    DataError
        If a metric is not defined on the rows, such as the AUC of a class that occurs on none of them.

    Examples
    --------
    >>> network = Network([2, 2], class_names=["healthy", "ill"])
    >>> check_metrics(network, Split(np.eye(2), np.array([0, 1])), ["auc"], "binary")
    >>> check_metrics(network, Split(np.eye(2), np.array([0, 0])), ["accuracy", "f1"], "binary")
    Traceback (most recent call last):
    glassnet.errors.DataError: metrics: f1 cannot be measured on these rows: y: label 1 occurs on no row; ...
    """
    y = np.asarray(split[1])
    if not names:
        return
    if len(y) == 0:
        raise UsageError("metrics", "there are no validation rows to measure on; set some aside with validation")
    outputs = np.zeros((len(y), network.layers[-1]), network.theta.dtype)  # whether it is defined, y alone says
    running = RunningMetrics(network)
    running.add([0.0], outputs, y)
    Answers(network, task, y, outputs, running, encoder).measure(names)


def answer(network: Network, split: Split, task: str, encoder: TableEncoder | None = None) -> Answers:
    """Ask a network for its answers on rows X, in one forward pass.

    Parameters
    ----------
    network : Network
        Left as it is.
    split : Split, or any pair (X, y)
        For example ``data.validation``.
    task : str
        One of `glassnet.data.dataset.TASKS`.
    encoder : TableEncoder, optional
        Of a table, so that errors have its target's own units.

    Returns
    -------
    Answers
        `Answers.measure` turns them into metrics; ``running`` holds the loss and the accuracy.

    Raises
    ------
    DataError, NonFiniteError
        As `glassnet.training.metrics.evaluate`.

    Examples
    --------
    >>> network = Network([2, 2], initializer="zeros")
    >>> answers = answer(network, Split(np.eye(2), np.array([0, 1])), "binary")
    >>> answers.running.accuracy, answers.measure(["f1", "auc"])  # both rows called 0, both with 1/2
    (0.5, {'f1': 0.0, 'auc': 0.5})
    """
    outputs: list[Array] = []
    running = evaluate(network, split, outputs)
    return Answers(network, task, np.asarray(split[1]), np.concatenate(outputs), running, encoder)


def measure(
    network: Network, split: Split, names: Sequence[str], task: str, encoder: TableEncoder | None = None
) -> dict[str, float]:
    """Return metrics of a network on rows X and their labels or numbers y, from one forward pass.

    Parameters
    ----------
    network, split, task, encoder
        As for `answer`.
    names : sequence of str
        From `METRICS`:

        ================= ================================================================ ===================
        loss              the network's own                                                all tasks
        accuracy          share of rows, or of the labels of a row, that are right         all but regression
        balanced_accuracy mean over the classes of the share of their rows that are right  one label a row
        f1                2 TP / (2 TP + FP + FN); binary: of label 1, otherwise the mean  all but regression
                          over the classes or labels
        auc               area under the ROC curve, see `glassnet.training.scores.auc`     all but regression
        log_loss          mean of -log p, p the probability given to the row's class       one label a row
        r2                share of the spread of y that is explained, mean over outputs    regression
        mae               mean absolute error, ordinal: in classes                         regression, ordinal
        ================= ================================================================ ===================

        Means over classes are unweighted. Those of balanced_accuracy and f1 leave out classes without rows.

    Returns
    -------
    dict of str to float
        By name, in the order of the names.

    Raises
    ------
    UsageError
        If a name is unknown or does not go with the task or the network's loss.
    DataError
        If a metric is not defined on these rows, or the rows do not fit the network.
    NonFiniteError
        See `glassnet.training.metrics.evaluate`.

    Examples
    --------
    >>> network = Network([2, 1], loss="binary_cross_entropy", class_names=["no", "yes"], initializer="zeros")
    >>> network.W[0][:] = [[2.0], [-2.0]]
    >>> measure(network, Split(np.eye(2), np.array([1, 0])), ["f1", "auc"], "binary")
    {'f1': 1.0, 'auc': 1.0}
    """
    return answer(network, split, task, encoder).measure(names)
