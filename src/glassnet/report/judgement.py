"""What a network gets right and wrong on the test rows, for a report: one pass over them beside the measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, NonFiniteError
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.targets import decode
from glassnet.training.assessment import Assessment, assess
from glassnet.training.metrics import ClassScore, class_scores
from glassnet.training.scores import auc, binary_scores

#: Mistakes that are shown.
MOST_MISTAKES = 18


class Mistake(NamedTuple):
    """A test row that was classified wrongly.

    Attributes
    ----------
    row : int
        Its number among the test rows.
    true, predicted : str
        Names of classes.
    probability : float or None
        That the network gave the predicted class; None where it gives none.
    loss : float
        Of this row alone.
    """

    row: int
    true: str
    predicted: str
    probability: float | None
    loss: float


class LabelScore(NamedTuple):
    """How well one label of several is recognised; None where the rows do not define it."""

    name: str
    precision: float | None
    sensitivity: float | None
    specificity: float | None
    auc: float | None
    rows: int


class Fit(NamedTuple):
    """True and predicted numbers of one output, in the target's own units, each of shape (n,); its name or ""."""

    name: str
    true: Array
    predicted: Array


@dataclass(frozen=True)
class Judgement:
    """What `judge` found.

    Attributes
    ----------
    assessment : Assessment or None
        The measures of the task; None where the network's outputs are not finite.
    classes : list of ClassScore
        Where a row has one class.
    confusion : ndarray of shape (k, k) or None
        Rows of each true class by predicted class.
    wrong : int
        Rows that were classified wrongly.
    mistakes : list of Mistake
        Those with the largest loss, the worst first.
    labels : list of LabelScore
        Where a row has several labels.
    fits : list of Fit
        Where the targets are numbers.
    """

    assessment: Assessment | None
    classes: list[ClassScore] = field(default_factory=list)
    confusion: Array | None = None
    wrong: int = 0
    mistakes: list[Mistake] = field(default_factory=list)
    labels: list[LabelScore] = field(default_factory=list)
    fits: list[Fit] = field(default_factory=list)


def judge(network: Network, data: Dataset, most_mistakes: int = MOST_MISTAKES) -> Judgement:
    """Judge a network on the test rows.

    Parameters
    ----------
    network : Network
        Trained; left as it is.
    data : Dataset
        What it learned from.
    most_mistakes : int, default 18
        Mistakes that are listed.

    Raises
    ------
    DataError
        If the data do not fit the network.

    Examples
    --------
    >>> network = Network([2, 2], initializer=np.array([1.0, 0, 0, 1, 0, 0]), class_names=["left", "right"])
    >>> data = Dataset.from_arrays(np.eye(2), np.array([0, 1]), np.eye(2), np.array([0, 0]), validation=0)
    >>> found = judge(network, data)
    >>> found.confusion.tolist(), found.mistakes[0].row, round(found.mistakes[0].loss, 3)
    ([[1, 1], [0, 0]], 1, 1.313)
    """
    try:
        assessment = assess(network, data.test, data.task, data.encoder)
        X, targets = network.check_data(*data.test)
        outputs, losses = _outputs_and_losses(network, X, targets)
    except NonFiniteError:
        return Judgement(None)
    if network.n_classes is not None and np.ndim(data.test.y) == 1:
        return _classified(network, data, assessment, outputs, losses, most_mistakes)
    if data.task == "multi-label":
        return Judgement(assessment, labels=_label_scores(data, outputs))
    return Judgement(assessment, fits=_fits(data, targets, outputs))


def _outputs_and_losses(network: Network, X: Array, targets: Array) -> tuple[Array, Array]:
    """Return predictions of shape (n, d_L) and the loss of every row."""
    outputs, losses = [], []
    with np.errstate(all="ignore"):  # `assess` has looked at all of them
        for rows, trace in network.blocks(X):
            losses.append(network.loss.formula(trace.outputs, targets[rows])[0])
            outputs.append(network.loss.predict(trace.outputs))
    return np.concatenate(outputs), np.concatenate(losses).astype(np.float64)


def _classified(
    network: Network, data: Dataset, assessment: Assessment, outputs: Array, losses: Array, most: int
) -> Judgement:
    from sklearn.metrics import confusion_matrix

    classes = class_scores(network, data.test)
    names = [score.name for score in classes]
    y, predicted = np.asarray(data.test.y), decode(outputs, network.n_classes)
    wrong = np.flatnonzero(predicted != y)
    worst = wrong[np.argsort(-losses[wrong], kind="stable")][:most]

    def probability(row: int) -> float | None:
        if network.loss.output is None:
            return None
        if outputs.shape[1] == 1:
            return float(outputs[row, 0] if predicted[row] else 1 - outputs[row, 0])
        return float(outputs[row, predicted[row]])

    mistakes = [
        Mistake(int(row), names[y[row]], names[predicted[row]], probability(row), float(losses[row]))
        for row in worst
    ]
    confusion = confusion_matrix(y, predicted, labels=np.arange(len(names)))
    return Judgement(assessment, classes, confusion, len(wrong), mistakes)


def _label_scores(data: Dataset, outputs: Array) -> list[LabelScore]:
    y = np.asarray(data.test.y)
    names = data.target_names or data.class_names or tuple(str(label) for label in range(y.shape[1]))
    found = []
    for label, name in enumerate(names):
        both, scores = y[:, label], outputs[:, label : label + 1]
        counts = binary_scores(both, scores)
        try:
            area = auc(both, scores, "binary")
        except DataError:  # a label on no row, or on every row
            area = None
        shares = (counts.precision.value, counts.sensitivity.value, counts.specificity.value)
        found.append(LabelScore(name, *shares, area, int(both.sum())))
    return found


def _fits(data: Dataset, targets: Array, outputs: Array) -> list[Fit]:
    several = targets.shape[1] > 1
    names = data.target_names or tuple(f"output_{unit}" if several else "" for unit in range(targets.shape[1]))
    if data.encoder is not None and data.encoder.target is not None:
        names = (data.encoder.target.name,)
    pairs = [(targets[:, unit].astype(float), outputs[:, unit].astype(float)) for unit in range(targets.shape[1])]
    if data.encoder is not None:
        pairs = [(data.encoder.decode_target(true), data.encoder.decode_target(said)) for true, said in pairs]
    return [Fit(name, *pair) for name, pair in zip(names, pairs, strict=True)]
