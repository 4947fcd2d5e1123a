"""The pre-flight: in seconds, whether a network is fit to be trained as it is to be."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from glassnet.data.arrays import as_dataset
from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, HealthWarning
from glassnet.locales.catalogue import Message
from glassnet.nn.network import Network
from glassnet.nn.optimizers import LBFGS, OPTIMIZERS, Optimizer
from glassnet.nn.update import Update
from glassnet.training.config import validate
from glassnet.training.fit import fit
from glassnet.training.health.columns import DataFacts
from glassnet.training.health.diagnosis import Diagnosis, in_json
from glassnet.training.health.evidence import Baseline, Evidence
from glassnet.training.health.learnable import Sample
from glassnet.training.health.monitor import ROWS, TARGETS
from glassnet.training.health.prescriptions import prescribe
from glassnet.training.health.remedies import WIDE
from glassnet.training.health.rules import diagnose
from glassnet.training.health.trials import Trials, find_given, for_fewer_rows
from glassnet.training.health.vitals import Probe
from glassnet.training.options import TrainingConfig
from glassnet.training.range_test import find_learning_rate
from glassnet.training.results import DivergenceError
from glassnet.training.sampling import Sampler, evenly_spread
from glassnet.training.step_context import StepContext

#: Rows to be over-fitted, passes over them, and how much of what there is to learn may be left.
FEW, PASSES, LEFT = 32, 300, 0.1

#: A learning rate may be this many times smaller than the pick of the range test.
SMALL = 100.0


@dataclass(frozen=True)
class Check:
    """One thing that was tried.

    Attributes
    ----------
    title : Message
        What: ``"first loss"``, ``"over-fit 32 rows"`` or ``"learning rate"``; `name` is this text.
    passed : bool
        Whether it is as it should be.
    finding : Message
        What was found.
    """

    title: Message
    passed: bool
    finding: Message

    @property
    def name(self) -> str:
        """What was tried, in English."""
        return str(self.title)


@dataclass(frozen=True)
class Preflight:
    """What a pre-flight found.

    Attributes
    ----------
    checks : tuple of Check
        In the order in which they were made.
    diagnoses : tuple of Diagnosis
        What is wrong before the first step.
    learning_rate : float or None
        The pick of the range test, where there was one.
    """

    checks: tuple[Check, ...]
    diagnoses: tuple[Diagnosis, ...]
    learning_rate: float | None

    @property
    def sound(self) -> bool:
        """Whether all is as it should be."""
        return all(check.passed for check in self.checks) and not self.diagnoses

    @property
    def conclusion(self) -> Message:
        """What to do."""
        if self.diagnoses:
            first = self.diagnoses[0]
            found = Message("checks.found", kind=first.kind)
            if first.layer:
                found = Message("checks.found-in-layer", kind=first.kind, layer=first.layer)
            return replace(first, cause=found).explanation
        failed = [check.title for check in self.checks if not check.passed]
        if failed == [Message("checks.learning-rate")] and self.learning_rate is not None:
            return Message("checks.train-with", rate=self.learning_rate)
        return Message("checks.not-fit", failed=failed) if failed else Message("checks.fit")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; messages in English."""
        plain: dict[str, Any] = in_json(self)
        checks = [{"name": one.name, "passed": one.passed, "finding": str(one.finding)} for one in self.checks]
        return plain | {"checks": checks, "sound": self.sound, "conclusion": str(self.conclusion)}


def preflight(
    network: Network,
    data: Any,
    *,
    optimizer: str | Optimizer = "adam",
    batch_size: int | None = None,
    seed: int | None = None,
) -> Preflight:
    """Try a network out before it is trained.

    Is the first loss about that of the best constant answer (softmax: ln of the number of classes)? Can 32 rows be
    learned by heart, so that data, network, loss and optimizer fit together? Is the learning rate where a range
    test says? And is anything wrong with the first weights, in any layer? (The first two are from Karpathy 2019,
    "A recipe for training neural networks".)

    Parameters
    ----------
    network : Network
        The network to be trained. Its parameters are left as they are.
    data : Dataset, or pair (X, y)
        The data it is to learn from; only the training rows are used, see `glassnet.fit`.
    optimizer : str or Optimizer, default "adam"
        The optimizer that is to train it.
    batch_size : int, optional
        Rows of a step. By default that of `glassnet.fit`.
    seed : int, optional
        Seed of the order of the rows in the test of the learning rate.

    Returns
    -------
    Preflight
        What was tried, what is wrong before the first step, and a conclusion.

    Raises
    ------
    UsageError, DataError
        If options, network and data do not fit.

    Examples
    --------
    >>> from glassnet.data.registry import load_dataset
    >>> found = preflight(Network([64, 32, 10]), load_dataset("digits"))
    >>> found.sound, str(found.conclusion)
    (True, 'fit to be trained as it is')
    """
    data, rule = as_dataset(data), OPTIMIZERS.resolve(optimizer)
    evidence = _evidence(network, data, rule, batch_size)
    checks = [_first_loss(evidence), _over_fit(network, data, rule, evidence.step_rows)]
    pick, rate = _rate(network, data, rule, batch_size, seed)
    checks += [] if rate is None else [rate]
    found = tuple(one for one in prescribe(evidence, diagnose(evidence)) if one.sick)
    return Preflight(tuple(checks), found, pick)


def _evidence(network: Network, data: Dataset, optimizer: Optimizer, batch_size: int | None) -> Evidence:
    X, targets = network.check_data(*data.encoded.train)
    training = validate(TrainingConfig, {"optimizer": optimizer.spec, "batch_size": batch_size})
    sampler = Sampler.of_run(training, optimizer, data)
    rows, more = (evenly_spread(len(targets), n) for n in (ROWS, TARGETS))
    probe = Probe(network, network.input_batch(X[rows]), targets[rows])
    given = find_given(network)
    update = Update(optimizer)
    context = StepContext(
        network, update, update.start(network.parameters), X, targets, None, (0, 0, 0), sampler.batch_size, 0,
        lambda numbers: np.ones(len(numbers)),
    )  # fmt: skip

    def open_trials() -> Trials:
        sample = Sample.draw(context, len(targets), data.encoded.validation)
        step_rows, fixed = sampler.batch_size, data.schema.input.fixed_features
        return Trials(
            network, given, training, optimizer, sample, step_rows=step_rows, taken=0, ended=None, fixed=fixed
        )

    return Evidence(
        network,
        training,
        optimizer,
        [probe.measure(network.theta, 0)],
        (),
        Baseline.of(network.loss, targets[more]),
        probe,
        sampler.batch_size,
        len(targets),
        len(targets),
        given=given,
        facts=DataFacts.of(data),
        open_trials=open_trials,
    )


def _first_loss(evidence: Evidence) -> Check:
    loss, base, limit = evidence.start.loss, evidence.baseline, WIDE
    if evidence.network.loss.output is None:  # outputs begin near 0, where the targets need not be
        limit = max(WIDE, 2 * max(base.low**2, base.high**2) / max(base.loss, 1e-12))
    finding = Message("checks.first-loss", loss=loss, constant=base.loss)
    return Check(Message("checks.the-first-loss"), bool(evidence.unlearned(evidence.start.loss) <= limit), finding)


def _over_fit(network: Network, data: Dataset, optimizer: Optimizer, step_rows: int) -> Check:
    """Learn a few rows by heart, without dropout."""
    rows = evenly_spread(len(data.train.y), FEW)
    few = data.train.take(rows)
    small = replace(data, train=few, validation=few.take(slice(0)))
    copy = network.copy()
    copy.dropout = (0.0,) * len(copy.dropout)
    optimizer = for_fewer_rows(optimizer, network, step_rows, len(rows))
    title = Message("checks.few-rows", n=len(rows))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HealthWarning)
            run = fit(copy, small, optimizer=optimizer, epochs=PASSES, kernels="numpy", threads=1, progress=False)
    except DivergenceError as error:
        return Check(title, False, Message("checks.diverges", error=str(error)))
    base = Baseline.of(network.loss, network.encode(few.encode().y))
    first, last = (run.history["train_loss"][place] or 0.0 for place in (0, -1))
    each = len(rows) if network.loss.reduction == "sum" else 1
    left = (last / each - base.floor) / max(base.loss - base.floor, 1e-12)
    learned = bool(left <= LEFT)
    key = "checks.over-fit" if learned else "checks.not-learned"
    return Check(title, learned, Message(key, first=first / each, last=last / each, steps=PASSES))


def _rate(
    network: Network, data: Dataset, optimizer: Optimizer, batch_size: int | None, seed: int | None
) -> tuple[float | None, Check | None]:
    """Compare the learning rate with what a range test finds; none where steps are not taken by batches."""
    if isinstance(optimizer, LBFGS) or optimizer.full_batch:
        return None, None
    title = Message("checks.learning-rate")
    try:
        found = find_learning_rate(network, data, optimizer=optimizer, batch_size=batch_size, seed=seed)
    except DataError as error:
        return None, Check(title, False, Message("verbatim", text=str(error)))
    rate = optimizer.learning_rate * optimizer.update_scale
    finding = Message("checks.rate", rate=rate, pick=found.pick, limit=found.highest_stable)
    return found.pick, Check(title, found.pick / SMALL <= rate <= found.highest_stable, finding)
