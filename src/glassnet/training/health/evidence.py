"""What a diagnosis is drawn from: settings, vitals, losses, and what a constant answer would cost."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.nn.activations import Activation, Array
from glassnet.nn.losses import Loss
from glassnet.nn.network import Network
from glassnet.nn.optimizers import Optimizer
from glassnet.training.health.sharpness import largest_rate
from glassnet.training.health.vitals import LayerVitals, Probe, Vitals, wrong_share
from glassnet.training.history import EpochRecord
from glassnet.training.options import TrainingConfig


@dataclass(frozen=True)
class Baseline:
    """What can be reached without looking at the rows, and at best.

    Attributes
    ----------
    answer : tuple of float
        The best constant prediction, a number or probability for each output.
    loss : float
        Mean loss of a row with it.
    floor : float
        Mean loss of a row where every target is met: 0, but for cross-entropies with uncertain targets.
    low, high : float
        Smallest and largest target.
    wrong : float or None
        Share of rows, or labels, that the best constant prediction gets wrong.
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

        Examples
        --------
        >>> from glassnet.nn.losses import LOSSES
        >>> found = Baseline.of(LOSSES.resolve("cross_entropy"), np.eye(10))
        >>> round(found.loss, 4), round(found.floor, 4)  # ln 10
        (2.3026, 0.0)
        """
        targets = targets.astype(np.float64)
        answers = [np.average(targets, axis=0, weights=weights)]
        if loss.output is None:
            answers.append(np.median(targets, axis=0))
        costs = [_cost(loss, np.broadcast_to(answer, targets.shape), targets, weights) for answer in answers]
        place = int(np.argmin(costs))
        answer = tuple(float(value) for value in answers[place])
        floor = _cost(loss, targets, targets, weights)
        wrong = wrong_share(loss, np.broadcast_to(answers[place], targets.shape), targets)
        return cls(answer, costs[place], floor, float(targets.min()), float(targets.max()), wrong)


def _cost(loss: Loss, answers: Array, targets: Array, weights: Array | None) -> float:
    """Return the mean loss of a row with these answers: numbers, or the outputs' probabilities."""
    with np.errstate(all="ignore"):
        rows = loss.formula(_outputs_for(loss, answers), targets)[0]
    return float(np.average(rows, weights=weights))


def _outputs_for(loss: Loss, answer: Array) -> Array:
    """Return what the loss takes for probabilities: their logits."""
    if loss.output is None:
        return answer
    likely, not_likely = (np.log(np.clip(share, 1e-12, 1)) for share in (answer, 1 - answer))
    return likely if loss.output == "softmax" else likely - not_likely


#: Optimizers whose step is the learning rate times the gradient, or its average.
DESCENTS = ("gd", "sgd", "momentum", "nesterov")


@dataclass(frozen=True)
class Divergence:
    """Where numbers were lost.

    Attributes
    ----------
    step : int
        The step whose loss was not finite.
    layer : int or None
        The first layer with NaN or infinity; None where only the loss had.
    """

    step: int
    layer: int | None


@dataclass(frozen=True)
class Evidence:
    """What there is to judge by; see this module.

    Attributes
    ----------
    network : Network
        Its settings; what its parameters have become does not matter.
    training : TrainingConfig
        How it learned.
    optimizer : Optimizer
        By which rule.
    vitals : sequence of Vitals
        One or more, the first of the untrained network.
    history : sequence of EpochRecord
        Its epochs, so far.
    baseline : Baseline
        Of the targets.
    input_spread : float
        Root mean square of the inputs.
    step_rows, drawn, rows : int
        Rows of a step, rows that epochs are drawn from, and training rows there are.
    divergence : Divergence or None
        Where training ended by one.
    probe : Probe or None
        To measure what a change of settings would do.
    """

    network: Network
    training: TrainingConfig
    optimizer: Optimizer
    vitals: Sequence[Vitals]
    history: Sequence[EpochRecord]
    baseline: Baseline
    input_spread: float
    step_rows: int
    drawn: int
    rows: int
    divergence: Divergence | None = None
    probe: Probe | None = None

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
        """The largest rate at which gradient descent stays where it starts, for the mean of a step's rows.

        NaN for other optimizers.
        """
        return self.stable_rate_of(rebuild(self.network, {}))

    def stable_rate_of(self, network: Network) -> float:
        """Return the same for another network."""
        if self.probe is None or self.optimizer_name not in DESCENTS:
            return np.nan
        return largest_rate(network, self.probe, getattr(self.optimizer, "momentum", 0.0))

    def unlearned(self, vitals: Vitals) -> float:
        """Return how much of what there is to learn is not: 1 for the best constant answer, 0 for perfect ones."""
        span = self.baseline.loss - self.baseline.floor
        rest = vitals.loss - self.baseline.floor
        if not np.isfinite(rest):
            return np.inf
        return rest / span if span > 0 else float(rest > 1e-9)

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

    def since(self, sick: Array) -> int:
        """Return the first step from which on all examinations, one flag each, were sick."""
        well = np.flatnonzero(~np.asarray(sick, bool))
        first = 0 if len(well) == 0 else int(well[-1]) + 1
        return self.vitals[min(first, len(self.vitals) - 1)].step

    def layer_over_time(self, layer: int) -> list[LayerVitals]:
        """Return a layer, counted from 1, at each examination."""
        return [one.layers[layer - 1] for one in self.vitals]


def rebuild(network: Network, changes: dict[str, Any]) -> Network:
    """Build a network again as it was before training, with other settings."""
    description = network.get_config()
    del description["class_names"]
    if description["initializer"] == "array" and "initializer" not in changes:
        description["initializer"] = network.theta
    return Network(**(description | changes))


def grows(activation: Activation) -> bool:
    """Whether an activation grows faster than its input, as relu3 does.

    Examples
    --------
    >>> from glassnet.nn.activations import ACTIVATIONS
    >>> [name for name in ("relu", "tanh", "relu3") if grows(ACTIVATIONS.resolve(name))]
    ['relu3']
    """
    z = np.array([-1e3, 1e3])
    return bool((np.abs(activation.f(z)) > 1e2 * np.abs(z)).any())
