"""How good a network is at its task: the measures that suit the task, of each class, and over several runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from glassnet.charts.confusion import Confusion
from glassnet.data.dataset import Dataset, take_test_rows
from glassnet.data.splits import Split
from glassnet.errors import DataError, UsageError
from glassnet.nn.network import Network
from glassnet.training.metrics.catalogue import measure
from glassnet.training.metrics.formulas import r_squared
from glassnet.training.metrics.intervals import CONFIDENCE, auc_interval, binary_scores, wilson_interval
from glassnet.training.metrics.medmnist import accuracy, auc
from glassnet.training.metrics.predictions import Predictions, predict_rows


@dataclass(frozen=True, repr=False)
class Evaluation(Mapping[str, float]):
    """What `evaluate` measured: named numbers that print as a table.

    Each number is read as an attribute or an item: ``found.accuracy``, ``found["accuracy"]``; ``dict(found)`` has
    all of them.

    Attributes
    ----------
    rows : int
        Rows that were evaluated.
    loss : float
        The network's own loss on them.
    measures : dict of str to float
        The other numbers by name; see `evaluate`.
    intervals : dict of str to (float, float)
        95 % intervals that say how far chance in the choice of these rows could have moved a measure: Wilson's of
        a share (`wilson_interval`), DeLong's of a binary AUC (`auc_interval`).
    confusion : Confusion or None
        How often each class was taken for each other, with ``confusion.plot()``; None where a row has no single
        class.

    Examples
    --------
    >>> Evaluation(10, 0.25, {"accuracy": 0.9}, {"accuracy": (0.596, 0.982)})
    rows      10
    loss      0.2500
    accuracy  0.9000  (95 %: 0.596 to 0.982)
    """

    rows: int
    loss: float
    measures: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    confusion: Confusion | None = field(default=None, compare=False)

    def __getitem__(self, name: str) -> float:
        return self.loss if name == "loss" else self.measures[name]

    def __iter__(self) -> Iterator[str]:
        return iter(["loss", *self.measures])

    def __len__(self) -> int:
        return 1 + len(self.measures)

    def __getattr__(self, name: str) -> float:
        measures: dict[str, float] = self.__dict__.get("measures", {})
        if name not in measures:
            raise AttributeError(f"{name!r} was not measured; these were: {', '.join(['loss', *measures])}")
        return measures[name]

    def __repr__(self) -> str:
        width = max(map(len, self))
        lines = [f"{'rows':{width}}  {self.rows:,}"]
        for name, value in self.items():
            within = "  (95 %: {:.3f} to {:.3f})".format(*self.intervals[name]) if name in self.intervals else ""
            lines.append(f"{name:{width}}  {value:.4f}{within}")
        return "\n".join(lines)


@runtime_checkable
class Answering(Protocol):
    """What answers in the user's words: a `glassnet.Model`."""

    network: Network

    def encode(self, rows: tuple[Any, Any]) -> Split:
        """Return a user's rows and labels as the network takes them."""


def evaluate(model: Any, X: Any, y: Any = None, *, metrics: Sequence[str] | None = None) -> Evaluation:
    """Measure how good a model or a network is on rows, which go through it once.

    Call it as ``evaluate(model, X, y)``, as ``evaluate(model, (X, y))`` with any pair such as
    ``data.validation``, or as ``evaluate(model, data)`` with a `Dataset`, whose test rows are taken.

    Parameters
    ----------
    model : Model or Network
        Left as it is. A model takes rows and labels as its user has them; a network numbers and labels 0, 1, ...,
        or rows of a `Dataset`, which knows how to encode them.
    X : array_like of shape (n, ...), or a table; or a pair (X, y); or a Dataset
        The rows.
    y : array_like of shape (n,) or (n, d_L), optional
        Labels or numbers of the rows; a column for each label where a row has several.
    metrics : sequence of str, optional
        Names of what to measure beside the loss. By default what suits the task: auc and accuracy for classes,
        with sensitivity and specificity for two; r2 and mae for numbers. What the rows do not define, such as the
        AUC where a class has no rows, is then left out. All there are:

        ================= ================================================================ ===================
        loss              the network's own                                                all tasks
        accuracy          share of rows, or of the labels of a row, that are right         all but regression
        balanced_accuracy mean over the classes of the share of their rows that are right  one label a row
        f1                2 TP / (2 TP + FP + FN); binary: of label 1, otherwise the mean  all but regression
                          over the classes or labels
        auc               area under the ROC curve, as MedMNIST's evaluator has it         all but regression
        log_loss          mean of -log p, p the probability given to the row's class       one label a row
        r2                share of the spread of y that is explained, mean over outputs    regression
        mae               mean absolute error; ordinal: in classes                         regression, ordinal
        ================= ================================================================ ===================

        Means over classes are unweighted. Those of balanced_accuracy and f1 leave out classes without rows. All
        but the loss are measured on what `Network.outputs` returns: on probabilities, not on logits.

    Returns
    -------
    Evaluation
        Named numbers: ``found.accuracy``, ``found["accuracy"]``. It prints as a table.

    Raises
    ------
    UsageError
        If the call is none of the three above, or a metric is unknown or does not go with the task or the loss.
    DataError
        If the rows do not fit the network, or a metric that was asked for is not defined on them.
    NonFiniteError
        If the loss is NaN or infinite; the message says in which layer that began.

    Examples
    --------
    >>> network = Network([2, 1], loss="binary_cross_entropy", initializer=np.array([1.0, -1.0, 0.0]))
    >>> found = evaluate(network, np.eye(2), np.array([1, 0]))
    >>> found.auc, found["sensitivity"]
    (1.0, 1.0)
    >>> evaluate(network, (np.eye(2), np.array([1, 0])), metrics=["log_loss"])
    rows      2
    loss      0.3133
    log_loss  0.3133
    """
    predictions = predict_rows(*take_rows(model, X, y))
    return evaluate_predictions(predictions, [metrics] if isinstance(metrics, str) else metrics)


def take_rows(model: Any, X: Any, y: Any) -> tuple[Network, tuple[Any, Any]]:
    """Return the network and the rows of one of the calls that `evaluate` takes."""
    if not isinstance(model, Network | Answering):
        kind = type(model).__name__
        raise UsageError("model", f"must be a Model or a Network, got a {kind}; a run has its model as run.model")
    if isinstance(X, Dataset) and y is None:
        split = take_test_rows(X)
    elif y is None and isinstance(X, tuple) and len(X) == 2:
        split = X if isinstance(X, Split) else Split(*X)
    elif y is not None and not isinstance(X, Dataset | tuple):
        split = Split(X, y)
    else:
        kinds = f"{type(X).__name__} and {'no y' if y is None else type(y).__name__}"
        raise UsageError(
            "evaluate",
            f"got {kinds}; call evaluate(model, X, y), evaluate(model, (X, y)) or "
            "evaluate(model, data) with a Dataset",
        )
    return (model, split) if isinstance(model, Network) else (model.network, model.encode(split))


def evaluate_predictions(predictions: Predictions, metrics: Sequence[str] | None = None) -> Evaluation:
    """Measure predictions, as `evaluate` does, without another pass over the rows."""
    running, network = predictions.running, predictions.network
    found = Evaluation(running.rows, running.loss, confusion=predictions.confusion())
    if metrics is not None:
        found.measures.update(measure(predictions, [name for name in metrics if name != "loss"]))
    elif predictions.task == "regression":
        found.measures.update(r2=r_squared(*predictions.numbers()), **measure(predictions, ["mae"]))
    elif network.loss.output is not None:
        _measure_scores(predictions, found)
    elif running.accuracy is not None:  # it regresses the class number, and gives no scores
        found.measures["accuracy"] = running.accuracy
    return found


def _measure_scores(predictions: Predictions, found: Evaluation) -> None:
    """Add what MedMNIST's evaluator measures, and the shares of a binary task."""
    y, scores, task = predictions.truth, predictions.answers, predictions.task
    binary = task == "binary"
    try:
        found.measures["auc"] = auc(y, scores, task)
        low, high = auc_interval(y, scores) if binary else (0.0, 0.0)
        if low < high:  # perfect scores hold no measure of their own error
            found.intervals["auc"] = low, high
    except DataError:  # a class without rows, or with all of them
        pass
    share = accuracy(y, scores, task)
    found.measures["accuracy"] = share
    if task != "multi-label":
        found.intervals["accuracy"] = wilson_interval(round(share * found.rows), found.rows)
    if binary:
        both = binary_scores(y, scores)
        for name, one in (("sensitivity", both.sensitivity), ("specificity", both.specificity)):
            if one.value is not None:
                found.measures[name], found.intervals[name] = one.value, (one.low, one.high)


class ClassScore(NamedTuple):
    """How well one class, which so many rows are truly of, is recognised.

    precision, recall and f1 are scikit-learn's; 0 where a share of nothing would be asked for. `taken_for` is the
    other class that most of its rows were predicted as; None where none were.
    """

    name: str
    precision: float
    recall: float
    f1: float
    rows: int
    taken_for: str | None
    taken_for_rows: int


def class_scores(predictions: Predictions) -> list[ClassScore]:
    """Return the scores of every class; `DataError` is raised where the network has none."""
    found = predictions.confusion()
    if found is None:
        raise DataError("the network has no classes, so there is nothing to score class by class")
    names, labels = found.names, range(len(found.names))
    right, rows, called = np.diag(found.counts), found.counts.sum(axis=1), found.counts.sum(axis=0)
    precision, recall = right / np.maximum(called, 1), right / np.maximum(rows, 1)
    f1 = 2 * right / np.maximum(called + rows, 1)
    mistakes = found.counts.copy()
    np.fill_diagonal(mistakes, 0)
    return [
        ClassScore(
            name=names[label],
            precision=float(precision[label]),
            recall=float(recall[label]),
            f1=float(f1[label]),
            rows=int(rows[label]),
            taken_for=names[int(mistakes[label].argmax())] if mistakes[label].any() else None,
            taken_for_rows=int(mistakes[label].max()),
        )
        for label in labels
    ]


@dataclass(frozen=True)
class Spread:
    """A measure over several runs that differ in their seed: its mean, and the standard deviation of a sample.

    `low` and `high` are the 95 % interval of the mean by Student's t: how far chance in the seeds could have moved
    it. They and `std` are NaN for a single run.
    """

    mean: float
    std: float
    low: float
    high: float


def spread_over_runs(evaluations: Sequence[Evaluation]) -> dict[str, Spread]:
    """Return mean and spread of every measure that all runs have."""
    from scipy.stats import t

    found = {}
    n = len(evaluations)
    for name in evaluations[0].measures:
        if not all(name in evaluation.measures for evaluation in evaluations):
            continue
        values = [evaluation.measures[name] for evaluation in evaluations]
        mean = statistics.fmean(values)
        std = statistics.stdev(values) if n > 1 else math.nan
        reach = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * std / math.sqrt(n) if n > 1 else math.nan
        found[name] = Spread(mean, std, mean - reach, mean + reach)
    return found
