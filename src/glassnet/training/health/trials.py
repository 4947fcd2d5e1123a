"""Short trials of other settings on a copy of the network: a remedy is printed only where it helps there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from glassnet.data.scaling import Scaling, ScalingName
from glassnet.errors import DataError
from glassnet.nn.activations import IDENTITY, Array
from glassnet.nn.initializers import INITIALIZERS
from glassnet.nn.network import Network
from glassnet.nn.optimizers import LBFGS, OPTIMIZERS, Optimizer
from glassnet.nn.update import UPDATE_OPTIONS, Update
from glassnet.training.engine import make_engine
from glassnet.training.health.learnable import Rows, Sample, costs_less
from glassnet.training.options import TrainingConfig
from glassnet.training.step_context import StepContext

#: Steps of a trial at most and at least, its rows of a step at most, and about how many parameters times rows it
#: may send through a network: a second or two.
STEPS, FEWEST, BATCH, WORK = 300, 50, 128, 1e10

#: Optimizers whose step is the learning rate times the gradient, or its average.
DESCENTS = ("gd", "sgd", "momentum", "nesterov")

#: A remedy helps where its answers make good this much of what the network lacks beside the best reference.
MADE_GOOD = 0.25

#: A row counts at most as so many rows of the best constant answer, where answers are compared: else a single one
#: that is far off leaves no difference clear.
WORST = 10.0


class Trials:
    """Trains copies of a network from its first parameters on the same few rows, with other settings.

    `ended` are the costs of the answers that the run ended with, after so many steps; None before training.
    `fixed` are columns that no scaling touches.
    """

    def __init__(
        self,
        network: Network,
        given: Array | None,
        training: TrainingConfig,
        optimizer: Optimizer,
        sample: Sample,
        *,
        step_rows: int,
        taken: int,
        ended: Array | None,
        fixed: Sequence[int] = (),
    ) -> None:
        self.network, self.given, self.training, self.optimizer = network, given, training, optimizer
        self.sample, self.step_rows, self.fixed = sample, step_rows, fixed
        self.rows = min(step_rows, BATCH, len(sample.learned.X))
        affordable = int(WORK / (len(network.theta) * self.rows))
        self.steps, self.taken = max(FEWEST, min(STEPS, affordable)), taken
        self.known: dict[str, Array] = {}
        self.ended = self.costs({}) if ended is None else ended

    def costs(self, changes: dict[str, dict[str, Any]]) -> Array:
        """Return what answers to held-out rows cost after a trial with changed settings; infinite where lost."""
        key = json.dumps(changes, sort_keys=True)
        if key not in self.known:
            self.known[key] = self._try(changes)
        return self.known[key]

    def helps(self, changes: dict[str, dict[str, Any]]) -> bool:
        """Whether answers become clearly better, than the run's and than those of a trial as it is."""
        if self.given is not None and "network" in changes:  # no configuration can draw what was given
            return False
        after, before = self.costs(changes), self.costs({})
        best = min(float(self.sample.reference.mean()), float(self.sample.constant.mean()))
        lost = max(float(self.ended.mean()) - best, 0.0)
        enough = not np.isfinite(lost) or float((self.ended - after).mean()) >= MADE_GOOD * lost
        if not (enough and self._is_sound(after)):
            return False
        most = WORST * float(self.sample.constant.mean())
        ended, after, before = (
            np.where(np.isfinite(costs), np.minimum(costs, most), costs) for costs in (self.ended, after, before)
        )
        if not costs_less(after, ended):
            return False
        if self.taken > self.steps and costs_less(before, ended):  # it fell ill later than a trial lasts
            return not costs_less(before, after)
        return costs_less(after, before)

    def gain(self, changes: dict[str, dict[str, Any]]) -> float:
        """Return how much less the answers of a trial cost than the best constant one; see `Sample.gain`."""
        return self.sample.gain(self.costs(changes))

    def _is_sound(self, costs: Array) -> bool:
        """Whether answers are better than the best constant one, where something can be learned."""
        return bool(np.isfinite(costs).all()) and (
            not self.sample.is_learnable or costs_less(costs, self.sample.constant)
        )

    def _try(self, changes: dict[str, dict[str, Any]]) -> Array:
        scaling = changes.get("data", {}).get("scaling")
        try:
            learned, new, mean, std = self._scale(scaling)
        except DataError:  # numbers too large for it
            return np.full(len(self.sample.constant), np.inf)
        network = rebuild(self.network, changes.get("network", {}), self.given)
        training = self.training.model_copy(update=changes.get("training", {}))
        optimizer = self.optimizer
        if "optimizer" in changes.get("training", {}):
            optimizer = OPTIMIZERS.resolve(training.optimizer)
        optimizer = for_fewer_rows(optimizer, network, self.step_rows, self.rows)
        update = Update(optimizer, **{name: getattr(training, name) for name in UPDATE_OPTIONS})
        if not self._train(network, update, learned):
            return np.full(len(self.sample.constant), np.inf)
        network.measure_statistics(learned.X)
        outputs = network.loss.predict(network.forward(new).outputs)
        return self.sample.costs(outputs * std + mean if scaling else outputs)

    def _scale(self, name: ScalingName | None) -> tuple[Rows, Array, Any, Any]:
        """Return rows to learn from, new rows, and the mean and deviation that answers are scaled back by."""
        learned, new = self.sample.learned, self.sample.held_out.X
        if name is None:
            return learned, new, 0.0, 1.0
        scaling, fixed = Scaling.measure(learned.X, name), list(self.fixed)
        X, scaled = (scaling.apply(part).astype(learned.X.dtype) for part in (learned.X, new))
        X[:, fixed], scaled[:, fixed] = learned.X[:, fixed], new[:, fixed]
        if self.sample.loss.output is not None:
            return learned._replace(X=X), scaled, 0.0, 1.0
        targets = learned.targets.astype(np.float64)
        mean, std = targets.mean(axis=0), targets.std(axis=0)
        std = np.where(std > 0, std, 1.0)
        small = ((targets - mean) / std).astype(learned.targets.dtype)
        return Rows(X, small, learned.weights), scaled, mean, std

    def _train(self, network: Network, update: Update, learned: Rows) -> bool:
        """Take the steps; return whether all numbers stay finite."""
        n = len(learned.X)
        rng = np.random.default_rng(0)
        passes = -(-self.steps * self.rows // n)
        order = np.concatenate([rng.permutation(n) for _ in range(passes)])[: self.steps * self.rows]
        if isinstance(update.optimizer, LBFGS):  # which takes many steps on the same rows
            order = np.arange(n)
        context = StepContext(
            network, update, update.start(network.parameters), learned.X, learned.targets,
            learned.weights.astype(network.theta.dtype), (0, 0, 0), self.rows, 0,
            lambda numbers: np.ones(len(numbers)),
        )  # fmt: skip
        with np.errstate(all="ignore"):
            engine = make_engine(context, samples=n, kernels="numpy", threads=1, use_threads=lambda count: None)
            _, _, problem = engine.take(order)
        return problem is None and bool(np.isfinite(network.theta).all())


def for_fewer_rows(optimizer: Optimizer, network: Network, usual: int, rows: int) -> Optimizer:
    """Return what takes as large steps with so many rows as with the usual number of them.

    Only a loss that is a sum over the rows has steps that grow with them, and only where its slope is the step.
    """
    if network.loss.reduction == "mean" or getattr(optimizer, "name", "") not in DESCENTS:
        return optimizer
    return replace(optimizer, update_scale=optimizer.update_scale * usual / rows)


def rebuild(network: Network, changes: dict[str, Any], given: Array | None) -> Network:
    """Build a network again as it was before training, with other settings; `given` replaces an initializer."""
    *hidden, last = network.activations
    own: dict[str, Any] = {
        "activation": hidden or "relu",
        "loss": network.loss,
        "class_names": None,
    }  # registered or not
    own |= {} if last == IDENTITY else {"output_activation": last}
    own |= {} if given is None else {"initializer": given, "bias_initializer": "zeros"}
    return Network(**(network.get_config() | own | changes))


def find_given(network: Network) -> Array | None:
    """Return the parameters of an untrained network that no registered initializer drew; None where one did."""
    names = [spec.partition("(")[0] for spec in (network.initializer, network.bias_initializer)]
    return None if all(name in INITIALIZERS for name in names) else network.theta.copy()
