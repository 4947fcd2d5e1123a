"""What a network gets right and wrong on the test rows, for a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from glassnet.charts.confusion import Confusion
from glassnet.data.dataset import Dataset
from glassnet.errors import DataError
from glassnet.nn.activations import Array
from glassnet.nn.network import spread_probabilities
from glassnet.training.metrics import (
    ClassScore,
    Evaluation,
    Predictions,
    auc,
    binary_scores,
    class_scores,
    evaluate_predictions,
    probability_of,
)

#: Mistakes that are shown, right answers beside them, and classes of each; rows whose numbers are furthest off.
MOST_MISTAKES, RIGHT, LIKELIEST, FURTHEST = 18, 6, 3, 10


class Answer(NamedTuple):
    """What the network says of a test row: the row's index among the test rows, and the names of two classes.

    `probability` is what the network gave the predicted class, None where it gives none; `loss` is of this row
    alone; `likeliest` are the classes with the largest probabilities, and these.
    """

    row: int
    true: str
    predicted: str
    probability: float | None
    loss: float
    likeliest: tuple[tuple[str, float], ...] = ()


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

    @property
    def sizes(self) -> Array:
        """How far each prediction is off."""
        return np.abs(self.predicted - self.true)

    def furthest(self, most: int = FURTHEST) -> list[int]:
        """Return the places of the rows that are furthest off, the worst first."""
        return [int(row) for row in np.argsort(-self.sizes, kind="stable")[:most]]


@dataclass(frozen=True)
class ErrorAnalysis:
    """What `analyse_errors` found; `evaluation` is None where the network's loss is not finite.

    Where a row has one class there are `classes`, their `confusion`, the number of `wrong` rows, the `mistakes`
    with the largest loss, the worst first, and some `right` answers, drawn at random. Where a row has several
    labels there are `labels`, and where the targets are numbers `fits`.
    """

    evaluation: Evaluation | None
    classes: list[ClassScore] = field(default_factory=list)
    confusion: Confusion | None = None
    wrong: int = 0
    mistakes: list[Answer] = field(default_factory=list)
    right: list[Answer] = field(default_factory=list)
    labels: list[LabelScore] = field(default_factory=list)
    fits: list[Fit] = field(default_factory=list)


def analyse_errors(
    predictions: Predictions | None, data: Dataset, most_mistakes: int = MOST_MISTAKES
) -> ErrorAnalysis:
    """Find what a network gets right and wrong on the test rows, without another pass over them.

    `predictions` are from `predict_test_rows`, which gives None where the network's loss is not finite. `data`
    names the columns of the targets.
    """
    if predictions is None:
        return ErrorAnalysis(None)
    evaluation = evaluate_predictions(predictions)
    if evaluation.confusion is not None:
        classes, confusion = class_scores(predictions), evaluation.confusion
        names = [score.name for score in classes]
        y, predicted = predictions.labels()
        wrong, right = np.flatnonzero(predicted != y), np.flatnonzero(predicted == y)
        worst = wrong[np.argsort(-predictions.row_losses()[wrong], kind="stable")][:most_mistakes]
        drawn = np.sort(np.random.default_rng(0).choice(right, min(RIGHT, len(right)), replace=False))
        mistakes, answers = (_read_answers(predictions, names, rows) for rows in (worst, drawn))
        return ErrorAnalysis(evaluation, classes, confusion, len(wrong), mistakes, answers)
    if data.task == "multi-label":
        return ErrorAnalysis(evaluation, labels=_score_labels(predictions, data))
    return ErrorAnalysis(evaluation, fits=_compare_numbers(predictions, data))


def _read_answers(predictions: Predictions, names: list[str], rows: Array) -> list[Answer]:
    """Return what the network says of these rows."""
    y, predicted = predictions.labels()
    losses, answers = predictions.row_losses(), predictions.answers
    found = []
    for row in rows.tolist():
        probability: float | None = None
        likeliest: tuple[tuple[str, float], ...] = ()
        if predictions.network.loss.output is not None:
            shares = spread_probabilities(answers[row : row + 1])[0]
            order = np.argsort(-shares, kind="stable")[:LIKELIEST]
            probability = float(probability_of(answers[row : row + 1], predicted[row : row + 1])[0])
            likeliest = tuple((names[place], float(shares[place])) for place in order)
        true, said = names[y[row]], names[predicted[row]]
        found.append(Answer(row, true, said, probability, float(losses[row]), likeliest))
    return found


def _score_labels(predictions: Predictions, data: Dataset) -> list[LabelScore]:
    y = predictions.y
    names = data.target_names or data.class_names or tuple(str(label) for label in range(y.shape[1]))
    found = []
    for label, name in enumerate(names):
        both, scores = y[:, label], predictions.answers[:, label : label + 1]
        counts = binary_scores(both, scores)
        try:
            area = auc(both, scores, "binary")
        except DataError:  # a label on no row, or on every row
            area = None
        shares = (counts.precision.value, counts.sensitivity.value, counts.specificity.value)
        found.append(LabelScore(name, *shares, area, int(both.sum())))
    return found


def _compare_numbers(predictions: Predictions, data: Dataset) -> list[Fit]:
    truth, predicted = predictions.numbers(own_units=True)
    several = truth.shape[1] > 1
    names = data.target_names or tuple(f"output_{unit}" if several else "" for unit in range(truth.shape[1]))
    return [Fit(*fit) for fit in zip(names, truth.T, predicted.T, strict=True)]
