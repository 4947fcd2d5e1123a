"""How well probabilities put rows in order: ROC and precision-recall curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from glassnet.charts.curves import Chart, Curve
from glassnet.charts.painting import plot
from glassnet.errors import DataError, UsageError
from glassnet.locales.catalogue import Language, Words
from glassnet.nn.activations import Array
from glassnet.nn.network import refuse_without_probabilities, spread_probabilities
from glassnet.training.metrics.evaluation import take_rows
from glassnet.training.metrics.medmnist import area_under_curve, check_labels
from glassnet.training.metrics.predictions import Predictions, predict_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Classes that a chart has curves for: those that are told apart worst.
MOST_CURVES = 6

#: Points of a curve on a chart.
MOST_POINTS = 150


class RankingCurve(NamedTuple):
    """The curves of one class against all others, from the highest threshold to the lowest.

    `recall` is the true positive rate. By the first threshold, above all scores, no row is called positive, and
    the precision is 1 by agreement. `auc` is the area under the ROC curve, `average_precision` the mean of the
    precision over the steps of the recall.
    """

    name: str
    thresholds: Array
    false_positive_rate: Array
    recall: Array
    precision: Array
    auc: float
    average_precision: float
    positives: int


@dataclass(frozen=True, repr=False)
class RankingCurves:
    """ROC and precision-recall curves: of the positive class of two, or of each class against the rest.

    Attributes
    ----------
    curves : tuple of RankingCurve
        Classes on no row or on all rows have none.
    rows : int
        Rows that they are of.
    """

    curves: tuple[RankingCurve, ...]
    rows: int

    def __iter__(self) -> Iterator[RankingCurve]:
        return iter(self.curves)

    def __repr__(self) -> str:
        width = max(len(curve.name) for curve in self.curves)
        lines = [
            f"{one.name:{width}}  AUC {one.auc:.4f}, average precision {one.average_precision:.4f}, "
            f"{one.positives:,} of {self.rows:,} rows"
            for one in self.curves
        ]
        return "\n".join(lines)

    @property
    def shown(self) -> list[RankingCurve]:
        """The curves that a chart draws: those of the smallest areas."""
        return sorted(self.curves, key=lambda curve: curve.auc)[:MOST_CURVES]

    def chart(self, words: Words, kind: Literal["roc", "precision-recall"] = "roc") -> Chart:
        """Return the curves as a chart; the class that is found stands beside each."""
        if kind not in ("roc", "precision-recall"):
            raise UsageError("kind", f"must be roc or precision-recall, got {kind!r}")
        roc = kind == "roc"
        curves = []
        for one in self.shown:
            x, y = (one.false_positive_rate, one.recall) if roc else (one.recall, one.precision)
            x, y = _thin(x, y)
            area = one.auc if roc else one.average_precision
            label = words.say("roc_of" if roc else "precision_of", name=one.name, area=f"{area:.3f}")
            curves.append(Curve(label, x.tolist(), y.tolist()))
        if roc:
            curves.append(Curve(words.say("by_chance"), [0.0, 1.0], [0.0, 1.0]))
            labels = words.say("false_positive_rate"), words.say("true_positive_rate")
            return Chart("roc", words.say("roc"), labels[0], curves, y_label=labels[1])
        labels = words.say("recall"), words.say("precision")
        title = words.say("precision_recall")
        return Chart("precision-recall", title, labels[0], curves, scale="linear", y_label=labels[1])

    def plot(
        self,
        kind: Literal["roc", "precision-recall"] = "roc",
        ax: Axes | None = None,
        *,
        language: Language = "en",
    ) -> Axes:
        """Draw the curves; of many classes those that are told apart worst.

        Parameters
        ----------
        kind : {"roc", "precision-recall"}
            Which curves.
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default on a new figure.
        language : {"en", "zh"}
            In which the chart is written.

        Returns
        -------
        matplotlib.axes.Axes
        """
        return plot(self.chart(Words(language), kind), ax)


def _thin(x: Array, y: Array) -> tuple[Array, Array]:
    """Return points of a curve that are about as far apart from each other, with the first and the last."""
    if len(x) <= MOST_POINTS:
        return x, y
    along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    places = np.searchsorted(along, np.linspace(0, along[-1], MOST_POINTS))
    kept = np.unique(np.concatenate([places, [0, len(x) - 1]]))
    return x[kept], y[kept]


def roc_curve(model: Any, X: Any, y: Any = None) -> RankingCurves:
    """Return ROC and precision-recall curves: what each threshold of the probability finds, and what it costs.

    Of two classes the curve is of the second, the positive one; of several classes each has one, against the rest.

    Parameters
    ----------
    model : Model or Network
        Left as it is.
    X, y
        The rows: as ``X, y``, a pair, or a `Dataset`, whose test rows are taken; see `glassnet.evaluate`.

    Returns
    -------
    RankingCurves
        Its ``.plot()`` draws the ROC curves, and ``.plot("precision-recall")`` the others.

    Raises
    ------
    UsageError
        If the network gives no probabilities of classes.
    DataError
        If no class has rows with and without it.

    Examples
    --------
    >>> from glassnet.nn.network import Network
    >>> network = Network([1, 1], loss="binary_cross_entropy", initializer=np.array([1.0, 0.0]))
    >>> roc_curve(network, np.array([[-1.0], [0.0], [1.0], [2.0]]), np.array([0, 1, 0, 1]))
    1  AUC 0.7500, average precision 0.8333, 2 of 4 rows
    """
    return ranking_curves(predict_rows(*take_rows(model, X, y)))


def ranking_curves(predictions: Predictions) -> RankingCurves:
    """Return the curves of answers, as `roc_curve` does, without another pass over the rows."""
    truth, scores, names = class_probabilities(predictions)
    chosen = [1] if len(names) == 2 else range(len(names))
    found = [_curve(names[label], truth == label, scores[:, label]) for label in chosen]
    curves = tuple(curve for curve in found if curve is not None)
    if not curves:
        raise DataError("y: a ROC curve needs rows with and without a class, and there are rows of one class only")
    return RankingCurves(curves, len(truth))


def class_probabilities(predictions: Predictions) -> tuple[Array, Array, tuple[str, ...]]:
    """Return the labels, the probability of each class, and the names of the classes; refuse all other answers."""
    network = predictions.network
    if predictions.task in ("multi-label", "regression"):
        raise UsageError("model", f"it needs probabilities of classes, and the task is {predictions.task}")
    refuse_without_probabilities(network)
    y, scores = check_labels(predictions.truth, predictions.answers, predictions.task)
    scores = spread_probabilities(scores)
    names = network.class_names or tuple(map(str, range(scores.shape[1])))
    return y, scores, tuple(map(str, names))


def _curve(name: str, positive: Array, scores: Array) -> RankingCurve | None:
    """Return the curve of one class; None where it is on no row or on all."""
    from sklearn.metrics import average_precision_score
    from sklearn.metrics import roc_curve as rates_of

    positives = int(positive.sum())
    if positives in (0, len(positive)):
        return None
    false_rate, recall, thresholds = rates_of(positive, scores, drop_intermediate=False)
    found, called = recall * positives, recall * positives + false_rate * (len(positive) - positives)
    precision = np.divide(found, called, out=np.ones_like(found), where=called > 0)
    area, average = area_under_curve(positive, scores), float(average_precision_score(positive, scores))
    return RankingCurve(name, thresholds, false_rate, recall, precision, area, average, positives)
