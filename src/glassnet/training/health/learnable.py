"""What could be learned: how far simple models get on held-out rows, beside the best constant answer."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from glassnet.data.scaling import Scaling
from glassnet.data.splits import Split
from glassnet.nn.activations import Array
from glassnet.nn.losses import Loss
from glassnet.nn.network import Network
from glassnet.training.sampling import evenly_spread
from glassnet.training.step_context import StepContext

#: Rows that references learn from, and held-out rows that they and the network are compared on, at most.
LEARNED, HELD_OUT = 2000, 1000

#: Numbers in all these rows at most, where rows are wide; and rows that are too few to say that nothing was found.
CELLS, FEW = 24_000_000, 100

#: References: penalties of ridge regression for each row, and numbers of neighbours.
PENALTIES, NEIGHBOURS = (1e-4, 1e-2, 1.0), (5, 50)

#: A difference of mean costs is no chance beyond so many of its standard deviations: for two answers that are
#: compared, and for the best of several references beside the constant.
CLEAR, CLEAREST = 2.0, 3.0


class Rows(NamedTuple):
    """Rows as a network takes them, (n, d); targets, (n, k); and how much each row counts, (n,), 1 on average."""

    X: Array
    targets: Array
    weights: Array

    def take(self, places: Array) -> Rows:
        """Return some of the rows."""
        return Rows(self.X[places], self.targets[places], self.weights[places])


@dataclass(frozen=True)
class Sample:
    """Rows to learn from, and others to compare answers on, of which the first `new` were never learned from."""

    loss: Loss
    learned: Rows
    held_out: Rows
    new: int

    @classmethod
    def draw(cls, context: StepContext, drawn: int, validation: Split) -> Sample:
        """Draw them, evenly spread: held-out rows are validation rows, and then a third of the training rows.

        Where rows count differently, validation rows are no measure: they all count alike. An epoch is drawn of
        the `drawn` first training rows.
        """
        network, new = context.network, context.weights is None and len(validation.y)
        share = min(1.0, CELLS / ((LEARNED + HELD_OUT) * network.layers[0]))
        most, apart = max(1, int(share * (LEARNED + HELD_OUT))), max(1, int(share * HELD_OUT))
        parts = []
        if new:
            places = evenly_spread(new, apart)
            X, targets = network.check_data(validation.X[places], validation.y[places])
            parts.append(Rows(network.input_batch(X), targets, np.ones(len(X))))
        new = sum(len(part.X) for part in parts)
        training = evenly_spread(drawn, most - new)
        own = np.zeros(len(training), bool)
        own[:: max(3, len(training) // max(1, apart - new))] = new < apart and len(training) > 3
        targets, weights = context.labels(training)
        weights = np.ones(len(training)) if weights is None else weights / weights.mean()
        rows = Rows(context.batch(training), targets, weights)
        parts.append(rows.take(np.flatnonzero(own)))
        held_out = Rows(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
        return cls(network.loss, rows.take(np.flatnonzero(~own)), held_out, new)

    def costs(self, answers: Array) -> Array:
        """Return what answers to the held-out rows cost: squared errors of probabilities, or else the loss.

        Unlike a cross-entropy, a squared error is not ruled by a few answers that are too sure.
        """
        rows = self.held_out
        with np.errstate(all="ignore"):
            if self.loss.output is not None:
                cost = np.square(answers - rows.targets, dtype=np.float64).sum(axis=1)
            else:
                cost = self.loss.formula(answers.astype(np.float64), rows.targets.astype(np.float64))[0]
            return np.nan_to_num(rows.weights * cost, nan=np.inf)

    def costs_of(self, network: Network) -> Array:
        """Return what a network's answers cost, as it predicts."""
        with np.errstate(all="ignore"):
            return self.costs(network.loss.predict(network.forward(self.held_out.X).outputs))

    @functools.cached_property
    def constant(self) -> Array:
        """What the best constant answer costs: the mean, or the median where that costs less."""
        rows = self.learned
        answers = [np.average(rows.targets, axis=0, weights=rows.weights), find_median(rows.targets, rows.weights)]
        shape = self.held_out.targets.shape
        found = [self.costs(np.broadcast_to(answer, shape)) for answer in answers]
        return min(found[: 1 if self.loss.output else 2], key=np.mean)

    @functools.cached_property
    def reference(self) -> Array:
        """What the answers of the best reference cost."""
        rows = self.learned
        mean = np.average(rows.targets, axis=0, weights=rows.weights)
        T, low, high = rows.targets - mean, rows.targets.min(axis=0), rows.targets.max(axis=0)
        with np.errstate(all="ignore"):
            scaling = Scaling.measure(rows.X, "robust")
            told = scaling.spread > 1e-7 * np.abs(scaling.center)  # what is rounding is no difference
            X, new = (
                replace(scaling, spread=scaling.spread * told).apply(part) for part in (rows.X, self.held_out.X)
            )
            found = [regress(X, T, rows.weights, new, penalty) for penalty in PENALTIES]
            found += average_neighbours(X, T, rows.weights, new)
        return min((self.costs((mean + answers).clip(low, high)) for answers in found), key=np.mean)

    def gain(self, costs: Array) -> float:
        """Return how much less answers cost than the best constant one: 1 for perfect answers, 0 for that one."""
        constant = float(self.constant.mean())
        return 1 - float(costs.mean()) / constant if constant > 0 else 0.0

    @property
    def is_learnable(self) -> bool:
        """Whether a reference finds more than the best constant answer, beyond chance."""
        return costs_less(self.reference, self.constant, CLEAREST)


def find_median(values: Array, weights: Array | None) -> Array:
    """Return the median of each column: half of what the rows weigh lies on either side."""
    if weights is None or np.ptp(weights) == 0:
        return np.median(values, axis=0)
    order = values.argsort(axis=0)
    weight = weights[order].cumsum(axis=0)
    places = (weight >= weight[-1] / 2).argmax(axis=0)
    return values[order[places, np.arange(values.shape[1])], np.arange(values.shape[1])]


def costs_less(costs: Array, others: Array, deviations: float = CLEAR) -> bool:
    """Whether answers cost less than others on the same rows, by so many standard deviations of the mean."""
    if not np.isfinite(others).all():
        return bool(np.isfinite(costs).all())
    gained = others - costs
    return bool(gained.mean() > deviations * gained.std() / np.sqrt(len(gained)))


def regress(X: Array, T: Array, weights: Array, new: Array, penalty: float) -> Array:
    """Return the answers to new rows of a linear model: (X'X + p n I)^-1 X'T, or with X'(XX' + p n I)^-1 T."""
    root = np.sqrt(weights)[:, None]
    X, T = root * X, root * T
    wide = X.shape[1] > len(X)
    gram = X @ X.T if wide else X.T @ X
    gram[np.diag_indices_from(gram)] += penalty * len(X)
    beta = X.T @ np.linalg.solve(gram, T) if wide else np.linalg.solve(gram, X.T @ T)
    return new @ beta


def average_neighbours(X: Array, T: Array, weights: Array, new: Array) -> list[Array]:
    """Return the mean targets of each new row's nearest rows, for each number of them."""
    distances = np.square(X).sum(axis=1) - 2 * new @ X.T
    most = min(max(NEIGHBOURS), len(X))
    nearest = np.argpartition(distances, most - 1, axis=1)[:, :most]
    order = np.take_along_axis(distances, nearest, axis=1).argsort(axis=1)
    nearest = np.take_along_axis(nearest, order, axis=1)
    found = []
    for k in NEIGHBOURS:
        w = weights[nearest[:, :k], None]
        found.append((w * T[nearest[:, :k]]).sum(axis=1) / np.maximum(w.sum(axis=1), 1e-12))
    return found
