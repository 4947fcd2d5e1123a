"""When a network in training is examined, what is kept of it, and what follows."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import AfterValidator, FailFast
from typing_extensions import TypedDict

from glassnet.charts.painting import plot
from glassnet.data.dataset import Dataset
from glassnet.errors import HealthWarning
from glassnet.locales.catalogue import Language, Words
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.runtime.callers import warn_caller
from glassnet.training.archive import Numbers, check_like
from glassnet.training.health.columns import DataFacts
from glassnet.training.health.diagnosis import Diagnosis, in_json
from glassnet.training.health.evidence import Baseline, Divergence, Evidence, Lag
from glassnet.training.health.learnable import Sample
from glassnet.training.health.prescriptions import prescribe
from glassnet.training.health.rules import certain, diagnose
from glassnet.training.health.trials import Trials, find_given
from glassnet.training.health.verdict import ENOUGH
from glassnet.training.health.vital_charts import vital_chart
from glassnet.training.health.vitals import Probe, Vitals
from glassnet.training.history import EpochRecord
from glassnet.training.options import TrainingConfig
from glassnet.training.sampling import evenly_spread
from glassnet.training.step_context import StepContext

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Rows of the probe, and those that the best constant answer is taken from at most.
ROWS, TARGETS = 128, 2048

#: Steps after which the network is examined early on, beyond the first epoch only where training has had as many
#: rows as this times the probe's; later, at the end of an epoch, but only once in so many times the probe's rows.
EARLY, FEW = (1, 4, 16, 64, 256, 1024), 8
SELDOM = 64

#: Where training stops to show theta: before an early examination, and the step before it.
STOPS = tuple(step for early in EARLY for step in (early - 1, early))

#: Training rows that batch normalisation's statistics are measured on, for parameters that no step has had.
MEASURED_ROWS = 4096

#: Bytes of parameters that are kept at most of a network that is examined later.
KEPT_BYTES = 2**22

#: Running statistics lag where prediction costs this share of what there is to learn more than training.
LAG = 0.1


def _check_order(vitals: tuple[Vitals, ...]) -> tuple[Vitals, ...]:
    """Refuse what was measured, out of a record, where it is not of one network that took more and more steps."""
    for before, after in itertools.pairwise(vitals):
        if after.step <= before.step:
            raise ValueError("expected steps that rise")
        if _sizes(after) != _sizes(before):
            raise ValueError("expected the same layers and outputs at each step")
    return vitals


def _sizes(vitals: Vitals) -> list[int]:
    """Return the units of each layer, and the number of outputs."""
    return [*(layer.units for layer in vitals.layers), len(vitals.outputs)]


@dataclass(frozen=True, repr=False)
class Health:
    """How well a run is.

    Attributes
    ----------
    diagnoses : tuple of Diagnosis
        What is wrong, the likeliest root cause first; remarks last.
    vitals : tuple of Vitals
        What was measured, in the order of steps.
    """

    diagnoses: Annotated[tuple[Diagnosis, ...], FailFast()]
    vitals: Annotated[tuple[Vitals, ...], FailFast(), AfterValidator(_check_order)]

    @property
    def sick(self) -> bool:
        """Whether the network does not learn, or learns what does not hold."""
        return any(diagnosis.sick for diagnosis in self.diagnoses)

    @property
    def state(self) -> str:
        """``"sick"``, ``"remarks"`` where something is to be said that is no illness, or ``"healthy"``."""
        return "sick" if self.sick else "remarks" if self.diagnoses else "healthy"

    def __str__(self) -> str:
        """A line for each diagnosis, or that there is none."""
        return "\n".join(map(str, self.diagnoses)) or "healthy"

    def __repr__(self) -> str:
        """What was found, and by how many examinations."""
        kinds = ", ".join(one.kind for one in self.diagnoses)
        return f"<Health: {self.state}{f' ({kinds})' if kinds else ''}, {len(self.vitals)} examinations>"

    def plot(self, measure: str = "gradient_norm", ax: Axes | None = None, *, language: Language = "en") -> Axes:
        """Draw what was measured of the layers over the steps of training, a curve a layer.

        Parameters
        ----------
        measure : str, default "gradient_norm"
            ``"gradient_norm"``, ``"update_ratio"``, ``"pre_activation_spread"``, ``"dead_units"`` or
            ``"saturated_units"``; the last two are shares of a layer's units.
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default on a new figure.
        language : {"en", "zh"}
            In which the chart is written.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        UsageError
            If there is no such measure.

        Examples
        --------
        >>> from glassnet.training.fit import fit
        >>> X, y = np.random.default_rng(0).normal(size=(120, 4)), np.arange(120) % 3
        >>> run = fit(Network([4, 8, 3]), X, y, epochs=2, progress=False)
        >>> [text.get_text() for text in run.health.plot().get_legend().get_texts()]
        ['layer 1', 'output (2)']
        """
        return plot(vital_chart(self.vitals, measure, Words(language)), ax)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a record in JSON; None stands for numbers that were not finite."""
        return {
            "sick": self.sick,
            "diagnoses": [diagnosis.to_dict() for diagnosis in self.diagnoses],
            "vitals": in_json(self.vitals),
        }


class SavedMonitor(TypedDict):
    """What a checkpoint holds of a `Monitor`."""

    vitals: Annotated[tuple[Vitals, ...], FailFast(), AfterValidator(_check_order)]
    warned: list[str]
    theta: Numbers | None
    given: Numbers | None


class Monitor:
    """Examines a network while it learns, and changes nothing of it.

    An epoch of so many `steps` is drawn of the `drawn` first rows; the probe's rows are spread evenly over them.
    The first of `vitals`, in the order of steps, are those of the network before training. A `quiet` one warns of
    nothing, so it keeps the parameters that are to be examined, and examines them when somebody asks; the history
    records nothing of it.
    """

    def __init__(
        self,
        context: StepContext,
        training: TrainingConfig,
        data: Dataset,
        drawn: int,
        steps: int,
        *,
        quiet: bool = False,
    ) -> None:
        self.context, self.training, self.data, self.quiet = context, training, data, quiet
        self.drawn, self.steps = drawn, steps
        rows = evenly_spread(drawn, ROWS)
        self.probe = Probe(context.network, context.batch(rows), *context.labels(rows))
        self.loss, self.targets = context.network.loss, context.labels(evenly_spread(drawn, TARGETS))
        self.theta: Array | None = None  # as it was one step before the network is examined
        self.divergence: Divergence | None = None
        self.lag: Lag | None = None
        self.given = find_given(context.network)
        self.vitals: list[Vitals] = []
        self.kept: list[tuple[Array, int, Array | None]] = []  # what is examined later: arguments of the probe
        self.warned: set[str] = set()
        self.known = functools.partial(  # what there is to judge by, from the start
            Evidence,
            context.network,
            training,
            context.update.optimizer,
            probe=self.probe,
            step_rows=context.batch_size,
            drawn=drawn,
            rows=len(context.targets),
            new_rows=len(data.validation.y),
            epoch_steps=steps,
        )
        self.examine(0)
        self.theta = context.network.theta.copy()

    @functools.cached_property
    def baseline(self) -> Baseline:
        """What can be reached without looking at the rows."""
        return Baseline.of(self.loss, *self.targets)

    @property
    def examined(self) -> int:
        """The step after which the network was examined last, or kept for it."""
        return self.kept[-1][1] if self.kept else self.vitals[-1].step

    def room(self, done: int, steps: int) -> int:
        """Return how many steps may be taken at once, after `done` of them, without passing by an examination."""
        end = (done // self.steps + 1) * self.steps
        steps = min(steps, end - done)
        stops = (step - done for step in (*STOPS, end - 1) if done < step < done + steps and self.wants(step))
        return min(stops, default=steps)

    def _due(self, done: int) -> bool:
        """Whether the network is to be examined after so many steps."""
        size, probed = self.context.batch_size, len(self.probe.X)
        if done in EARLY:
            return done < self.steps or done * size >= FEW * probed
        return done % self.steps == 0 and (done - self.examined) * size >= SELDOM * probed

    def wants(self, done: int) -> bool:
        """Whether theta, after so many steps, is to be shown to `look`."""
        return self._due(done) or self._due(done + 1)

    def look(self, done: int) -> None:
        """Examine the network where that is due; keep theta where it is due after the next step."""
        if self._due(done):
            self.examine(done)
        self.theta = self.context.network.theta.copy() if self._due(done + 1) else None

    def examine(self, done: int) -> None:
        """Examine the network as it is now, after so many steps, and warn of what will not heal by itself."""
        theta = self.context.network.theta
        if not self.quiet:
            self.vitals.append(self.probe.measure(theta, done, self.theta))
            self._warn(certain(self._evidence(())))
            return
        self.kept.append((theta.copy(), done, self.theta))
        if 2 * len(self.kept) * theta.nbytes > KEPT_BYTES:
            _examine_kept(self.kept, self.probe, self.vitals)

    def columns(self, done: int) -> dict[str, Any]:
        """Return what the history records of an epoch that ended after so many steps, if it was examined then."""
        last = None if self.quiet else self.vitals[-1]
        if last is None or last.step != done:
            return {}
        return {
            "dead_units": sum(len(layer.dead) for layer in last.hidden),
            "saturated_units": sum(len(layer.saturated) for layer in last.hidden),
            "gradient_norm": last.gradient_norm,
            "update_ratio": last.update_ratio,
        }

    def diverged(self, step: int, layer: int | None) -> None:
        """Note that the loss of a step was not finite."""
        self.divergence = Divergence(step, layer)

    def end(self, done: int) -> None:
        """Examine the network as the latest step left it, after so many."""
        if self.divergence is None and self.examined != done:
            self.theta = None
            self.examine(done)

    def mend_statistics(self, network: Network) -> None:
        """Measure the running statistics of batch normalisation anew, where they lag behind theta.

        They lag where the probe's loss in prediction is far above that in training. They stay where measuring is
        no better, and after few steps, as these have made them.
        """
        if not any(network.batch_norm) or self.examined < ENOUGH:
            return
        in_training, before = self.probe.losses(network)
        if not before - in_training > LAG * max(self.baseline.loss - self.baseline.floor, in_training):
            return
        kept = network.parameters.statistics.copy()
        network.measure_statistics(self.context.X[evenly_spread(self.drawn, MEASURED_ROWS)])
        after = self.probe.losses(network)[1]
        if after < before:
            self.lag = Lag(in_training, before, after)
        else:
            network.parameters.statistics[:] = kept

    def health(
        self, history: Sequence[EpochRecord], network: Network, *, warn: bool, trials: bool = True
    ) -> Health:
        """Judge the run after `end`, and the network that comes of it; warn where it is sick.

        Without `trials` there are no remedies, and no diagnoses that need the data or a trial.
        """
        found = _judge(self._evidence(history, (lambda: self._open_trials(network)) if trials else None))
        if warn:
            self._warn([diagnosis for diagnosis in found.diagnoses if diagnosis.sick][:1])
        return found

    def health_later(self, history: Sequence[EpochRecord]) -> Callable[[], Health]:
        """Return what judges the run, without trials, when it is asked; it holds no training data."""
        kept, probe, vitals, loss, targets = self.kept, self.probe, self.vitals, self.loss, self.targets
        known = functools.partial(
            self.known, vitals=vitals, history=history, divergence=self.divergence, lag=self.lag, given=self.given
        )

        def examine() -> Health:
            _examine_kept(kept, probe, vitals)
            return _judge(known(baseline=Baseline.of(loss, *targets)))

        return examine

    def _open_trials(self, network: Network) -> Trials:
        context = self.context
        sample = Sample.draw(context, self.drawn, self.data.encoded.validation)
        return Trials(
            network,
            self.given,
            self.training,
            context.update.optimizer,
            sample,
            step_rows=context.batch_size,
            taken=self.vitals[-1].step,
            ended=sample.costs_of(network) if self.divergence is None else np.full(len(sample.constant), np.inf),
            fixed=self.data.schema.input.fixed_features,
        )

    def _evidence(
        self, history: Sequence[EpochRecord], open_trials: Callable[[], Trials] | None = None
    ) -> Evidence:
        return self.known(
            vitals=self.vitals,
            history=history,
            baseline=self.baseline,
            divergence=self.divergence,
            lag=self.lag,
            given=self.given,
            facts=DataFacts() if open_trials is None else DataFacts.of(self.data),
            open_trials=open_trials,
        )

    def _warn(self, found: Sequence[Diagnosis]) -> None:
        for diagnosis in found:
            if diagnosis.sick and diagnosis.kind not in self.warned:
                self.warned.add(diagnosis.kind)
                warn_caller(str(diagnosis), HealthWarning)

    def state_dict(self) -> dict[str, Any]:
        """Return what was measured so far as plain values, and theta; they are those of a `SavedMonitor`."""
        _examine_kept(self.kept, self.probe, self.vitals)
        vitals = [vitals.to_dict() for vitals in self.vitals]
        return {"vitals": vitals, "warned": sorted(self.warned), "theta": self.theta, "given": self.given}

    def load_state_dict(self, state: SavedMonitor) -> None:
        """Take up what `state_dict` returned; ValueError if it is of another network."""
        _examine_kept(self.kept, self.probe, self.vitals)
        if not state["vitals"] or _sizes(state["vitals"][0]) != _sizes(self.vitals[0]):
            raise ValueError("vitals: they are of another network")
        for name, theta in (("theta", state["theta"]), ("given", state["given"])):
            if theta is not None:
                check_like(theta, self.context.network.theta, name)
        self.vitals, self.warned = list(state["vitals"]), set(state["warned"])
        self.theta, self.given = state["theta"], state["given"]


def _examine_kept(kept: list[tuple[Array, int, Array | None]], probe: Probe, vitals: list[Vitals]) -> None:
    """Examine what was kept of a network, and keep it no longer."""
    vitals += [probe.measure(*moment) for moment in kept]
    kept.clear()


def _judge(evidence: Evidence) -> Health:
    """Return what the evidence says."""
    return Health(tuple(prescribe(evidence, diagnose(evidence))), tuple(evidence.vitals))
