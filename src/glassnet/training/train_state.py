"""The state of training: all that changes from step to step and epoch to epoch, and is saved in a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.optimizers import OptimizerState
from glassnet.nn.schedules import ScheduleState
from glassnet.training.early_stopping import Watch
from glassnet.training.health.monitor import Monitor
from glassnet.training.history import History
from glassnet.training.metrics import RunningMetrics


@dataclass
class TrainState:
    """All that changes while a network is trained. A new piece of state is a new field: it is saved and loaded.

    Attributes
    ----------
    network : Network
        The network that learns.
    average : Network or None
        A copy with the average of its parameters, where parameters are averaged.
    optimizer : OptimizerState
        The number of steps taken, and the optimizer's memory.
    schedule : ScheduleState
        What the schedule remembers.
    generators : dict of str to Generator
        The random generators by purpose, as they were at the beginning of the present epoch.
    metrics : RunningMetrics
        Loss and accuracy of the present epoch so far.
    monitor : Monitor
        What was measured of the network's health.
    watch : Watch or None
        What early stopping remembers, where it is used.
    history : History
        A record for each finished epoch.
    rows_done : int
        Training rows that the present epoch has taken; 0 between two epochs.
    seconds : float
        Wall time that the present epoch has taken.
    averaged_epochs : int
        Epochs whose parameters the average is the mean of, with ``average_epochs``.
    best : list of ndarray or None
        Theta and statistics of the best epoch, where early stopping watches.
    last_finite : list of ndarray or None
        Theta and statistics that were evaluated after the latest epoch; None between two epochs.
    sample_weight : ndarray or None
        The user's weights of the training rows, so that a resumed run needs not be given them.
    ended : str
        Why training is at its end, if it is; see `Run`.
    """

    network: Network
    average: Network | None
    optimizer: OptimizerState
    schedule: ScheduleState
    generators: dict[str, np.random.Generator]
    metrics: RunningMetrics
    monitor: Monitor
    watch: Watch | None
    history: History = field(default_factory=History)
    rows_done: int = 0
    seconds: float = 0.0
    averaged_epochs: int = 0
    best: list[Array] | None = None
    last_finite: list[Array] | None = None
    sample_weight: Array | None = None
    ended: str = ""

    @property
    def eval_network(self) -> Network:
        """The network that is evaluated and saved: the average where there is one, else the network itself."""
        return self.network if self.average is None else self.average

    def set_parameters(self, parameters: list[Array]) -> None:
        """Give both networks these theta and statistics."""
        for network in (self.network, self.eval_network):
            network.theta[:], network.parameters.statistics[:] = parameters

    def state_dict(self) -> dict[str, Any]:
        """Return the state as plain values and arrays by the names of the fields, for `save_checkpoint`."""
        return {each.name: _dump(getattr(self, each.name)) for each in fields(self)}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Restore the state that `state_dict` returned.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is that of another kind of run.
        """
        for each in fields(self):
            setattr(self, each.name, _load(getattr(self, each.name), saved[each.name]))


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


def _load(value: Any, saved: Any) -> Any:
    """Return a piece of the state as it was when `_dump` returned `saved`; large pieces are changed in place."""
    match value:
        case Network():
            value.theta[:], value.parameters.statistics[:] = saved["theta"], saved["statistics"]
        case OptimizerState():
            value.t = saved["t"]
            for vector, numbers in zip(value.memory, saved["memory"], strict=True):
                vector[:] = numbers
        case ScheduleState():
            return ScheduleState.from_dict(saved)
        case np.random.Generator():
            value.bit_generator.state = saved
        case History():
            return History.from_csv(saved)
        case dict():
            return {name: _load(part, saved[name]) for name, part in value.items()}
        case _ if hasattr(value, "load_state_dict"):
            value.load_state_dict(saved)
        case _:
            if isinstance(saved, dict):
                raise ValueError("it holds the state of a part that this run does not have")
            return saved
    return value
