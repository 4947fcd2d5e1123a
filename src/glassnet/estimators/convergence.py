"""When scikit-learn ends training: its rule of tolerance, as a callback of the Trainer, and its learning rates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.schedules import Schedule, ScheduleState
from glassnet.runtime.terminal import print_lines
from glassnet.training.callbacks import Callback
from glassnet.training.results import Run
from glassnet.training.train_state import copy_parameters

#: What "adaptive" divides the learning rate by, and the rate at which training then ends.
DIVISOR, SMALLEST_RATE = 5.0, 1e-6

#: Why training ended, in ``run.stopped``.
CONVERGED = "converged"


@dataclass
class Convergence(Callback):
    """Counts the epochs without an improvement of `tol`, and ends training after more than `patience` of them.

    What is watched is the training loss, or the score of the validation rows where there is a `score`. The best
    parameters are kept by that score. With "adaptive" rates the learning rate is divided by 5 instead of ending,
    down to `SMALLEST_RATE`. `factor` is what the learning rate is multiplied by in the next epoch.
    """

    tol: float
    patience: float
    penalty: float  # l2, of which half times the squared weights is part of scikit-learn's loss
    rate: float
    rates: str = "constant"
    power: float = 0.5
    score: Callable[[Run], float] | None = None
    verbose: bool = False
    factor: float = 1.0
    seen: int = 0  # training rows so far
    rows: int = 0  # of an epoch
    epochs: int = 0
    losses: list[float] = field(default_factory=list)
    best_loss: float = np.inf
    scores: list[float] = field(default_factory=list)
    best_score: float = -np.inf
    waited: int = 0
    best: list[Array] | None = None  # theta and statistics

    def on_epoch_end(self, run: Run) -> str | None:
        """Note the epoch's loss or score, and say whether training has converged."""
        assert run.history.last is not None
        self.epochs += 1
        self.seen += self.rows
        self._note_loss(run.history.last.train_loss + self.penalise(run.network))
        if self.score is not None:
            self._note_score(self.score(run), run.network)
        if self.rates == "invscaling":
            self.factor = (self.seen + 1) ** -self.power
        return self._end() if self.waited > self.patience else None

    def penalise(self, network: Network) -> float:
        """Return the penalty on the weights."""
        return self.penalty / 2 * sum(float(np.vdot(W, W)) for W in network.W) if self.penalty else 0.0

    def _note_loss(self, loss: float) -> None:
        self.losses.append(loss)
        if self.verbose:
            print_lines(f"Iteration {self.epochs}, loss = {loss:.8f}")
        if self.score is None:
            self.waited = self.waited + 1 if loss > self.best_loss - self.tol else 0
            self.best_loss = min(self.best_loss, loss)

    def _note_score(self, score: float, network: Network) -> None:
        self.scores.append(score)
        if self.verbose:
            print_lines(f"Validation score: {score:f}")
        self.waited = self.waited + 1 if score < self.best_score + self.tol else 0
        if score > self.best_score:
            self.best_score, self.best = score, copy_parameters(network)

    def _end(self) -> str | None:
        """End training; or lower the learning rate and begin to count anew."""
        lower = self.rates == "adaptive" and self.rate * self.factor > SMALLEST_RATE
        if lower:
            self.factor, self.waited = self.factor / DIVISOR, 0
        if self.verbose:
            watched = "Training loss" if self.score is None else "Validation score"
            then = f"Setting learning rate to {self.rate * self.factor:f}" if lower else "Stopping."
            stood = f"did not improve more than tol={self.tol:f} for {self.patience} consecutive epochs"
            print_lines(f"{watched} {stood}. {then}")
        return None if lower else CONVERGED


@dataclass(frozen=True)
class Pace(Schedule):
    """The factor that a `Convergence` says, the same in all steps of an epoch."""

    convergence: Any = field(default=None, compare=False)
    name = "pace"

    def __post_init__(self) -> None:
        """Check nothing: there are no options."""

    @property
    def spec(self) -> str:
        """The name of scikit-learn's rates."""
        return str(self.convergence.rates)

    def factors(self, steps: Array, total: int, per_epoch: int, state: ScheduleState) -> Array:
        """Return the present factor for every step."""
        return np.full(len(steps), self.convergence.factor)
