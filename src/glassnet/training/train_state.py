"""The state of training: all that changes from step to step and epoch to epoch, and is saved in a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from pydantic import ConfigDict, ValidationError, with_config
from typing_extensions import TypedDict

from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.optimizers import OptimizerState
from glassnet.nn.schedules import ScheduleState
from glassnet.runtime.records import Count, Number, Seconds, adapter_of, explain
from glassnet.training.archive import Numbers, check_like
from glassnet.training.early_stopping import Watch
from glassnet.training.health.monitor import Monitor, SavedMonitor
from glassnet.training.history import History
from glassnet.training.metrics import RunningMetrics
from glassnet.training.snapshots import SavedSnapshots, Snapshots


class SavedParameters(TypedDict):
    """What a checkpoint holds of a network; `restore_network` makes one of it."""

    config: dict[str, Any]
    theta: Numbers
    statistics: Numbers


class SavedOptimizer(TypedDict):
    """What a checkpoint holds of an optimizer's memory."""

    t: Count
    memory: list[Numbers]


class SavedMetrics(TypedDict):
    """What a checkpoint holds of `RunningMetrics`."""

    total: Number
    correct: Count
    labelled: Count
    rows: Count


@with_config(ConfigDict(extra="forbid"))
class SavedState(TypedDict):
    """What a checkpoint holds: the fields of a `TrainState`. A new field has its type here, too."""

    network: SavedParameters
    average: SavedParameters | None
    optimizer: SavedOptimizer
    schedule: dict[str, Any]
    generators: dict[str, dict[str, Any]]
    metrics: SavedMetrics
    monitor: SavedMonitor
    watch: dict[str, Any] | None
    snapshots: SavedSnapshots
    history: str
    rows_done: Count
    seconds: Seconds
    planned_epochs: Count
    average_after: Count
    averaged_epochs: Count
    best: list[Numbers] | None
    last_finite: list[Numbers] | None
    sample_weight: Numbers | None
    ended: str


@dataclass
class TrainState:
    """All that changes while a network is trained. A new piece of state is a new field: it is saved and loaded."""

    network: Network  # the one that learns
    average: Network | None  # a copy with the average of its parameters, where parameters are averaged
    optimizer: OptimizerState
    schedule: ScheduleState
    generators: dict[str, np.random.Generator]  # by purpose, as they were at the beginning of the present epoch
    metrics: RunningMetrics  # loss and accuracy of the present epoch so far
    monitor: Monitor  # what was measured of the network's health
    watch: Watch | None  # what early stopping remembers, where it is used
    snapshots: Snapshots  # of the network that is evaluated, for those who look at it later
    history: History = field(default_factory=History)
    rows_done: int = 0  # training rows that the present epoch has taken; 0 between two epochs
    seconds: float = 0.0  # wall time that the present epoch has taken
    planned_epochs: int = 0  # epochs of the run, for which `average_after` was chosen
    average_after: int = 0  # the epoch after which the average of average_epochs begins
    averaged_epochs: int = 0  # epochs whose parameters the average is the mean of, with average_epochs
    best: list[Array] | None = None  # theta and statistics of the best epoch, where early stopping watches
    last_finite: list[Array] | None = None  # theta and statistics evaluated last; None between two epochs
    sample_weight: Array | None = None  # the user's, so that a resumed run needs not be given them
    ended: str = ""  # why training is at its end, if it is; see `Run`

    @property
    def eval_network(self) -> Network:
        """The network that is evaluated and saved: the average where there is one, else the network itself."""
        return self.network if self.average is None else self.average

    def set_parameters(self, parameters: list[Array]) -> None:
        """Give both networks these theta and statistics."""
        for network in (self.network, self.eval_network):
            network.theta[:], network.parameters.statistics[:] = parameters

    def count_steps(self, samples: int, batch_size: int) -> int:
        """Return the number of steps so far, of a run whose epochs have so many samples."""
        return len(self.history) * -(-samples // batch_size) + -(-self.rows_done // batch_size)

    def check_progress(self, samples: int, batch_size: int) -> None:
        """Raise ValueError where counts out of a checkpoint contradict each other."""
        whole = self.rows_done % batch_size == 0 or self.rows_done == samples
        if self.rows_done > samples or not whole or self.metrics.rows != self.rows_done:
            raise ValueError(f"an epoch of {samples} rows is not left after {self.rows_done} of them")
        if self.metrics.correct > self.metrics.labelled:
            raise ValueError("metrics: more predictions are right than there are")
        if (examined := self.monitor.vitals[-1].step) > (steps := self.count_steps(samples, batch_size)):
            raise ValueError(f"monitor: it was examined after step {examined}, and has had {steps}")
        if self.watch is not None and self.watch.best_epoch > len(self.history):
            raise ValueError(f"watch: epoch {self.watch.best_epoch} is the best of {len(self.history)}")
        if (last := max(self.snapshots.epochs, default=0)) > len(self.history):
            raise ValueError(f"snapshots: the last one is of epoch {last}, of {len(self.history)}")

    def state_dict(self) -> dict[str, Any]:
        """Return the state as plain values and arrays by the names of the fields, for `save_checkpoint`."""
        return {each.name: _dump(getattr(self, each.name)) for each in fields(self)}

    def load_state_dict(self, saved: SavedState) -> None:
        """Restore the state that `state_dict` returned.

        Raises KeyError, TypeError, ValueError or OverflowError if it is that of another kind of run.
        """
        values: Mapping[str, Any] = saved
        for each in fields(self):
            setattr(self, each.name, _load(getattr(self, each.name), values[each.name], each.name))
        own = copy_parameters(self.network)
        for name, arrays in (("best", self.best), ("last_finite", self.last_finite)):
            if arrays is not None and len(arrays) != len(own):
                raise ValueError(f"{name}: expected theta and statistics")
            for array, like in zip(arrays or (), own, strict=False):
                check_like(array, like, name, finite=True)


def check_state(saved: Any) -> SavedState:
    """Return what `state_dict` returned; ValueError if a value is not of the type and range that it should be."""
    try:
        state: SavedState = adapter_of(SavedState).validate_python(saved)
    except ValidationError as error:
        raise ValueError(explain(error)) from None
    return state


def copy_parameters(network: Network) -> list[Array]:
    """Return copies of theta and the statistics."""
    return [network.theta.copy(), network.parameters.statistics.copy()]


def _dump(value: Any) -> Any:
    """Return a piece of the state as plain values and arrays."""
    match value:
        case Network():
            parameters = {"theta": value.theta, "statistics": value.parameters.statistics}
            return {"config": value.get_config(), **parameters}
        case OptimizerState():
            return {"t": value.t, "memory": value.memory}
        case ScheduleState():
            return value.to_dict()
        case np.random.Generator():
            return value.bit_generator.state
        case History():
            return value.to_csv()
        case dict():
            return {name: _dump(part) for name, part in value.items()}
    return value.state_dict() if hasattr(value, "state_dict") else value


def _load(value: Any, saved: Any, name: str) -> Any:
    """Return a piece of the state as it was when `_dump` returned `saved`; large pieces are changed in place."""
    match value:
        case Network():
            _fill(value.theta, saved["theta"], f"{name}.theta", finite=True)
            _fill(value.parameters.statistics, saved["statistics"], f"{name}.statistics", finite=True)
        case OptimizerState():
            if len(saved["memory"]) != len(value.memory):
                raise ValueError(
                    f"{name}: expected {len(value.memory)} vectors of memory, got {len(saved['memory'])}"
                )
            value.t = saved["t"]
            for vector, numbers in zip(value.memory, saved["memory"], strict=True):
                _fill(vector, numbers, f"{name}.memory")
        case ScheduleState():
            return ScheduleState.from_dict(saved)
        case np.random.Generator():
            value.bit_generator.state = saved
        case History():
            return History.from_csv(saved)
        case dict():
            return {key: _load(part, saved[key], f"{name}.{key}") for key, part in value.items()}
        case _ if hasattr(value, "load_state_dict"):
            value.load_state_dict(saved)
        case _:
            if isinstance(saved, dict):
                raise ValueError("it holds the state of a part that this run does not have")
            return saved
    return value


def _fill(vector: Array, numbers: Array, name: str, *, finite: bool = False) -> None:
    check_like(numbers, vector, name, finite=finite)
    vector[:] = numbers
