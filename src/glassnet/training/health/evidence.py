"""What a diagnosis is drawn from: settings, vitals, losses, and what a constant answer would cost."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from glassnet.nn.activations import Activation, Array
from glassnet.nn.losses import Loss
from glassnet.nn.network import Network
from glassnet.nn.optimizers import Optimizer
from glassnet.training.health.columns import DataFacts, find_unscaled
from glassnet.training.health.learnable import find_median
from glassnet.training.health.sharpness import largest_rate
from glassnet.training.health.trials import DESCENTS, Trials, rebuild
from glassnet.training.health.vitals import LayerVitals, Probe, Vitals, wrong_share
from glassnet.training.history import EpochRecord
from glassnet.training.options import TrainingConfig


@dataclass(frozen=True)
class Baseline:
    """What can be reached without looking at the rows, and at best: mean losses of a row.

    `loss` is that of `answer`, the best constant number or probability of each output. `wrong` is the share of
    rows or labels that the most frequent answer gets wrong, whatever they weigh. `floor` is the loss where every
    target is met: 0, but for cross-entropies with uncertain targets. `low` and `high` are the smallest and the
    largest target.
    """

    answer: tuple[float, ...]
    loss: float
    floor: float
    low: float
    high: float
    wrong: float | None = None

    @classmethod
    def of(cls, loss: Loss, targets: Array, weights: Array | None = None) -> Baseline:
        """Compute it for targets of shape (n, d_L), and how much each row counts.

        The best constant is the mean for squared errors and, by its logits, for cross-entropies; the median for
        absolute errors. Of both the one with the smaller loss is taken, for any other loss too.
        """
        targets = targets.astype(np.float64)
        answers = [np.average(targets, axis=0, weights=weights)]
        if loss.output is None:
            answers.append(find_median(targets, weights))
        outputs = [np.broadcast_to(outputs_of(loss, answer), targets.shape) for answer in answers]
        costs = [_cost(loss, one, targets, weights) for one in outputs]
        place = int(np.argmin(costs))
        answer = tuple(float(value) for value in answers[place])
        floor = _cost(loss, outputs_of(loss, targets), targets, weights)
        wrong = wrong_share(loss, targets.mean(axis=0, keepdims=True), targets)
        return cls(answer, costs[place], floor, float(targets.min()), float(targets.max()), wrong)


def _cost(loss: Loss, outputs: Array, targets: Array, weights: Array | None) -> float:
    """Return the mean loss of a row with these outputs."""
    with np.errstate(all="ignore"):
        rows = loss.formula(outputs, targets)[0]
    return float(np.average(rows, weights=weights))


def outputs_of(loss: Loss, answers: Array) -> Array:
    """Return the outputs of a network that gives these answers: logits where its loss takes them."""
    if loss.output is None:
        return answers
    likely, not_likely = (np.log(np.clip(share, 1e-12, 1)) for share in (answers, 1 - answers))
    return likely if loss.output == "softmax" else likely - not_likely


class Lag(NamedTuple):
    """Running statistics that lagged: the probe's loss in training, by them, and by those measured anew."""

    in_training: float
    before: float
    after: float


class Divergence(NamedTuple):
    """The step whose loss was not finite, and the first layer with NaN or infinity; None: only the loss had."""

    step: int
    layer: int | None


@dataclass(frozen=True)
class Evidence:
    """What there is to judge by.

    Of the network only the settings matter, not what its parameters have become. The first of the vitals are those
    of the untrained network. `probe` measures what a change of settings would do. `step_rows` are the rows of a
    step, `drawn` those that epochs are drawn from, `rows` all training rows, `new_rows` those of validation. An
    epoch has so many `epoch_steps`. `given` are first parameters that no initializer drew. `open_trials` makes
    what compares the network with references and with itself by other settings; that takes its time, and is asked
    for in doubt only.
    """

    network: Network
    training: TrainingConfig
    optimizer: Optimizer
    vitals: Sequence[Vitals]
    history: Sequence[EpochRecord]
    baseline: Baseline
    probe: Probe
    step_rows: int
    drawn: int
    rows: int
    new_rows: int = 0
    epoch_steps: int = 1
    divergence: Divergence | None = None
    lag: Lag | None = None
    given: Array | None = None
    facts: DataFacts = field(default_factory=DataFacts)
    open_trials: Callable[[], Trials] | None = None

    @functools.cached_property
    def trials(self) -> Trials | None:
        """What the network is compared by; None while it trains."""
        return None if self.open_trials is None else self.open_trials()

    @functools.cached_property
    def unscaled_columns(self) -> list[int]:
        """Columns of the probe's rows that are far too large or off centre, the farthest first."""
        return find_unscaled(self.probe.X)

    @property
    def start(self) -> Vitals:
        """The untrained network."""
        return self.vitals[0]

    @property
    def end(self) -> Vitals:
        """The network as it was examined last."""
        return self.vitals[-1]

    @property
    def rate(self) -> float:
        """The learning rate with its update scale."""
        return self.optimizer.learning_rate * self.optimizer.update_scale

    @property
    def optimizer_name(self) -> str:
        """What the optimizer is called; an own one may be registered under no name."""
        return getattr(self.optimizer, "name", type(self.optimizer).__name__)

    @property
    def first_step(self) -> int:
        """The step of the first examination after training began."""
        return self.vitals[min(1, len(self.vitals) - 1)].step

    @functools.cached_property
    def stable_rate(self) -> float:
        """The largest rate at which gradient descent stays where it starts, for the mean of a step's rows."""
        return self.stable_rate_of(self.rebuild({}))

    def rebuild(self, changes: dict[str, Any]) -> Network:
        """Return the network as it was before training, with other settings."""
        return rebuild(self.network, changes, self.given)

    def stable_rate_of(self, network: Network) -> float:
        """Return the same for another network; NaN for other optimizers than those of `DESCENTS`."""
        if self.optimizer_name not in DESCENTS:
            return np.nan
        return largest_rate(network, self.probe, getattr(self.optimizer, "momentum", 0.0))

    def unlearned(self, loss: float) -> float:
        """Return what a loss leaves to learn: 1 for that of the best constant answer, 0 for perfect ones."""
        span = self.baseline.loss - self.baseline.floor
        rest = loss - self.baseline.floor
        if not np.isfinite(rest):
            return np.inf
        return rest / span if span > 0 else float(rest > 1e-9)

    def falls(self, share: float) -> bool:
        """Whether the loss at the end is below this share of that after three fifths of the steps."""
        before = [one for one in self.vitals if one.step <= 0.6 * self.end.step][-1]
        return self.end.loss < share * before.loss

    @property
    def left(self) -> float:
        """What the network leaves unlearned of the training rows at its end."""
        return self.unlearned(self.end.loss)

    @property
    def left_of_new(self) -> float:
        """The same of the validation rows after the last epoch; 0 where that is not known."""
        last = self.history[-1].validation_loss if self.history else None
        if last is None:
            return 0.0
        return self.unlearned(last / self.new_rows if self.network.loss.reduction == "sum" else last)

    @property
    def mistaken(self) -> float:
        """The share of wrong answers beside that of the best constant answer; 1 for numbers.

        On the validation rows after the last epoch, or else on the probe.
        """
        wrong, last = self.end.wrong, self.history[-1] if self.history else None
        if last is not None and last.validation_accuracy is not None:
            wrong = 1 - last.validation_accuracy
        return 1.0 if wrong is None or not self.baseline.wrong else wrong / self.baseline.wrong

    @property
    def largest_update(self) -> float:
        """The largest |step of W| / |W| of any layer in the latest half of the examinations."""
        seen = [one for one in self.vitals[1:] if any(layer.update_ratio is not None for layer in one.layers)]
        latest = seen[len(seen) // 2 :]
        return max((layer.update_ratio or 0.0 for one in latest for layer in one.layers), default=0.0)

    def since(self, sick: Sequence[bool]) -> int:
        """Return the first step from which on all examinations, one flag each, were sick."""
        well = np.flatnonzero(~np.asarray(sick, bool))
        first = 0 if len(well) == 0 else int(well[-1]) + 1
        return self.vitals[min(first, len(self.vitals) - 1)].step

    def layer_over_time(self, layer: int) -> list[LayerVitals]:
        """Return a layer, counted from 1, at each examination."""
        return [one.layers[layer - 1] for one in self.vitals]


def grows(activation: Activation) -> bool:
    """Whether an activation grows faster than its input, as relu3 does."""
    z = np.array([-1e3, 1e3])
    return bool((np.abs(activation.f(z)) > 1e2 * np.abs(z)).any())
