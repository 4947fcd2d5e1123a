"""Whether probabilities are what they say: of the rows with 80 %, four of five should be right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.charts.bars import Bar, BarChart
from glassnet.charts.curves import Chart, Curve
from glassnet.charts.painting import Plots
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array
from glassnet.training.inspection.ranking import class_probabilities
from glassnet.training.metrics.evaluation import take_rows
from glassnet.training.metrics.intervals import wilson_interval
from glassnet.training.metrics.predictions import Predictions, predict_rows

#: Parts that the probabilities from 0 to 1 are divided into.
BINS = 10


@dataclass(frozen=True, repr=False)
class Calibration(Plots):
    """How often what a network gives a probability to is so.

    `plot` draws the reliability diagram: observed shares over predicted probabilities.

    Attributes
    ----------
    positive : str
        The class whose probability it is; of several classes empty: then it is that of the predicted class.
    edges : ndarray of shape (bins + 1,)
        The probabilities from 0 to 1 in parts of equal width.
    counts : ndarray of int, shape (bins,)
        Rows in each part.
    predicted, observed : ndarray of shape (bins,)
        The mean probability of these rows, and the share of them that are so; NaN where there are none.
    error : float
        The expected calibration error, ``sum of counts / rows * |predicted - observed|``.
    brier : float
        The mean of ``(p - y)²`` over the rows; of several classes summed over them. 0 is perfect.
    """

    positive: str
    edges: Array
    counts: Array
    predicted: Array
    observed: Array
    error: float
    brier: float

    def __repr__(self) -> str:
        lines = [f"expected calibration error {self.error:.4f}, Brier score {self.brier:.4f}"]
        for low, high, count, predicted, observed in zip(
            self.edges[:-1], self.edges[1:], self.counts, self.predicted, self.observed, strict=True
        ):
            if count:
                lines.append(
                    f"{low:.1f} to {high:.1f}  predicted {predicted:.3f}  observed {observed:.3f}  {count:,} rows"
                )
        return "\n".join(lines)

    def interval(self, place: int) -> tuple[float, float]:
        """Return Wilson's 95 % interval of the observed share of a part."""
        n = int(self.counts[place])
        return wilson_interval(round(float(self.observed[place]) * n), n)

    def chart(self, words: Words) -> Chart:
        """Return the reliability diagram: observed shares over predicted probabilities, with 95 % intervals."""
        there = np.flatnonzero(self.counts)
        low, high = zip(*(self.interval(place) for place in there.tolist()), strict=True)
        network = Curve(
            words.say("network"), self.predicted[there].tolist(), self.observed[there].tolist(), low, high
        )
        perfect = Curve(words.say("calibrated"), [0.0, 1.0], [0.0, 1.0])
        x_label = words.say("probability_of", name=self.positive) if self.positive else words.say("confidence")
        y_label = words.say("share_that_is", name=self.positive) if self.positive else words.say("share_right")
        return Chart("calibration", words.say("calibration"), x_label, [network, perfect], y_label=y_label)

    def counts_chart(self, words: Words) -> BarChart:
        """Return how many rows have which probability."""
        bars = [
            Bar(f"{low:.1f} – {high:.1f}", float(count))
            for low, high, count in zip(self.edges[:-1], self.edges[1:], self.counts, strict=True)
        ]
        return BarChart("probabilities", words.say("probabilities"), words.say("rows"), bars)


def calibration_curve(model: Any, X: Any, y: Any = None) -> Calibration:
    """Measure whether probabilities are what they say.

    Of two classes it is the probability of the second, the positive one, and how often rows are of that class. Of
    several it is the probability of the predicted class, and how often that is right.

    Parameters
    ----------
    model : Model or Network
        Left as it is.
    X, y
        The rows: as ``X, y``, a pair, or a `Dataset`, whose test rows are taken; see `glassnet.evaluate`.

    Returns
    -------
    Calibration
        Its ``.plot()`` draws the reliability diagram.

    Raises
    ------
    UsageError
        If the network gives no probabilities of classes.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger (2017), On calibration of modern neural networks, ICML.

    Examples
    --------
    >>> from glassnet.nn.network import Network
    >>> network = Network([1, 1], loss="binary_cross_entropy", initializer=np.array([1.0, 0.0]))
    >>> calibration_curve(network, np.array([[-2.0], [-2.0], [2.0], [2.0]]), np.array([0, 1, 1, 1]))
    expected calibration error 0.2500, Brier score 0.2046
    0.1 to 0.2  predicted 0.119  observed 0.500  2 rows
    0.8 to 0.9  predicted 0.881  observed 1.000  2 rows
    """
    return calibrate(predict_rows(*take_rows(model, X, y)))


def calibrate(predictions: Predictions) -> Calibration:
    """Measure the calibration of answers, as `calibration_curve` does, without another pass over the rows."""
    truth, scores, names = class_probabilities(predictions)
    two = len(names) == 2
    if two:
        probability, so, brier = scores[:, 1], truth == 1, np.mean((scores[:, 1] - truth) ** 2)
    else:
        probability, so = scores.max(axis=1), scores.argmax(axis=1) == truth
        brier = np.mean(((scores - np.eye(len(names))[truth]) ** 2).sum(axis=1))
    places = np.minimum((probability * BINS).astype(np.intp), BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    sums = (np.bincount(places, weights=values.astype(float), minlength=BINS) for values in (probability, so))
    predicted, observed = (np.divide(one, counts, out=np.full(BINS, np.nan), where=counts > 0) for one in sums)
    error = np.nansum(counts * np.abs(predicted - observed)) / len(truth)
    return Calibration(
        names[1] if two else "",
        np.linspace(0, 1, BINS + 1),
        counts,
        predicted,
        observed,
        float(error),
        float(brier),
    )
