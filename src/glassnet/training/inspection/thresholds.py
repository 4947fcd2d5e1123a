"""From which probability on a row is called positive: what each threshold finds, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from glassnet.charts.curves import Chart, Curve
from glassnet.charts.painting import Plots
from glassnet.errors import DataError, UsageError
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array
from glassnet.training.inspection.ranking import class_probabilities
from glassnet.training.metrics.evaluation import take_rows
from glassnet.training.metrics.predictions import Predictions, predict_rows


class ThresholdScore(NamedTuple):
    """What comes of calling rows positive whose probability is above a threshold.

    `precision` is None where no row is called positive, and `recall` and `specificity` where no row could be.
    """

    threshold: float
    precision: float | None
    recall: float | None
    specificity: float | None
    f1: float
    called: int


@dataclass(frozen=True, repr=False)
class Thresholds(Plots):
    """What each threshold of a binary task comes to on some rows.

    `plot` draws precision, recall, specificity and F1 over the threshold.

    Attributes
    ----------
    positive : str
        The class that is looked for.
    truth : ndarray of bool, shape (n,)
        Which rows are of it.
    scores : ndarray of shape (n,)
        The probability that each row got.
    """

    positive: str
    truth: Array
    scores: Array

    def at(self, threshold: float) -> ThresholdScore:
        """Return what a threshold comes to."""
        called = self.scores > threshold
        right = int((called & self.truth).sum())
        n, positives = len(self.truth), int(self.truth.sum())
        negatives_right = n - positives - (int(called.sum()) - right)
        return ThresholdScore(
            threshold,
            _share(right, int(called.sum())),
            _share(right, positives),
            _share(negatives_right, n - positives),
            2 * right / max(positives + int(called.sum()), 1),
            int(called.sum()),
        )

    @property
    def candidates(self) -> Array:
        """The thresholds that differ: half-way between neighbouring scores, and what calls all rows or none."""
        scores = np.unique(self.scores)
        return np.concatenate([[0.0], (scores[1:] + scores[:-1]) / 2, [1.0]])

    def best(self, rule: str = "f1") -> ThresholdScore:
        """Return the threshold of the largest F1, or by ``"youden"`` of the largest recall + specificity - 1.

        Where several are as good, it is the one closest to one half.
        """
        if rule not in ("f1", "youden"):
            raise UsageError("rule", f"must be f1 or youden, got {rule!r}")
        candidates = self.candidates
        order = np.argsort(self.scores)
        ends = np.searchsorted(self.scores[order], candidates, side="right")
        below = np.concatenate([[0], np.cumsum(self.truth[order])])[ends]
        positives, n = self.truth.sum(), len(self.truth)
        found, called = positives - below, n - ends
        if rule == "f1":
            values = 2 * found / np.maximum(positives + called, 1)
        else:
            values = found / positives - (called - found) / (n - positives)
        winners = candidates[values >= values.max() - 1e-12]
        return self.at(float(winners[np.abs(winners - 0.5).argmin()]))

    def chart(self, words: Words) -> Chart:
        """Return precision, recall and specificity over the threshold."""
        grid = np.linspace(0, 1, 101)
        found = [self.at(float(one)) for one in grid]
        names = ("precision", "recall", "measures.specificity", "measures.f1")
        curves = [
            Curve(words.say(name), grid.tolist(), [getattr(one, name.removeprefix("measures.")) for one in found])
            for name in names
        ]
        title = words.say("thresholds_title", name=self.positive)
        return Chart("thresholds", title, words.say("threshold"), curves)

    def __repr__(self) -> str:
        rows = [("one half", self.at(0.5)), ("best F1", self.best()), ("best Youden", self.best("youden"))]
        lines = [f"positive: {self.positive}, {int(self.truth.sum()):,} of {len(self.truth):,} rows"]
        for name, one in rows:
            shares = [f"{value:.3f}" if value is not None else "-" for value in one[1:4]]
            said = f"precision {shares[0]}, recall {shares[1]}, specificity {shares[2]}, F1 {one.f1:.3f}"
            lines.append(f"{name:11}  above {one.threshold:.3f}: {said}")
        return "\n".join(lines)


def choose_threshold(model: Any, X: Any, y: Any = None) -> Thresholds:
    """Measure what each threshold of the probability comes to, where there are two classes.

    A threshold is a choice: make it on validation rows, and judge it on others.

    Parameters
    ----------
    model : Model or Network
        Left as it is.
    X, y
        The rows: as ``X, y``, a pair such as ``data.validation``, or a `Dataset`, whose test rows are taken; see
        `glassnet.evaluate`.

    Returns
    -------
    Thresholds
        ``.best("f1")`` and ``.best("youden")`` are the best thresholds, ``.at(0.3)`` says what another comes to,
        and ``.plot()`` draws them all.

    Raises
    ------
    UsageError
        If the network gives no probabilities of two classes.
    DataError
        If the rows are all of one class.

    References
    ----------
    W. J. Youden (1950), Index for rating diagnostic tests, Cancer 3, 32-35.

    Examples
    --------
    >>> from glassnet.nn.network import Network
    >>> network = Network([1, 1], loss="binary_cross_entropy", initializer=np.array([1.0, 0.0]))
    >>> choose_threshold(network, np.array([[-3.0], [-2.0], [-1.0], [1.0]]), np.array([0, 0, 1, 1]))
    positive: 1, 2 of 4 rows
    one half     above 0.500: precision 1.000, recall 0.500, specificity 1.000, F1 0.667
    best F1      above 0.194: precision 1.000, recall 1.000, specificity 1.000, F1 1.000
    best Youden  above 0.194: precision 1.000, recall 1.000, specificity 1.000, F1 1.000
    """
    return weigh_thresholds(predict_rows(*take_rows(model, X, y)))


def weigh_thresholds(predictions: Predictions) -> Thresholds:
    """Measure the thresholds of answers, as `choose_threshold` does, without another pass over the rows."""
    truth, scores, names = class_probabilities(predictions)
    if len(names) != 2:
        raise UsageError("model", f"a threshold is for two classes, and there are {len(names)}")
    if len(np.unique(truth)) < 2:
        raise DataError("y: the rows are all of one class; a threshold needs rows of both")
    return Thresholds(names[1], truth == 1, scores[:, 1])


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
