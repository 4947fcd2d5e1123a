"""The objects that a run learns by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glassnet.data.augmentation import Augmentation
from glassnet.errors import UsageError
from glassnet.nn.optimizers import LBFGS, OPTIMIZERS, Optimizer
from glassnet.nn.schedules import SCHEDULES, Constant, Schedule
from glassnet.training.data_parallel import Group
from glassnet.training.early_stopping import EARLY_STOPPING, EarlyStopping
from glassnet.training.options import TrainingConfig
from glassnet.training.sampling import Sampler


@dataclass(frozen=True)
class Components:
    """The objects that a run learns by."""

    optimizer: Optimizer
    schedule: Schedule
    augmentation: Augmentation
    early_stopping: EarlyStopping | None
    sampler: Sampler | None = None  # draws the rows of an epoch; None: as the options say
    quiet: bool = False  # nobody is warned; the network is examined when its health is asked for, without trials
    group: Group | None = None  # the processes that train the network together; None: this one alone

    @classmethod
    def build(cls, training: TrainingConfig, given: Mapping[str, Any] | None = None) -> Components:
        """Build the objects that a configuration names; `given` holds objects to be taken as they are, by option.

        Those of a user's own class need not be registered. Raises `UsageError` if a name is unknown, or its
        arguments do not fit.
        """
        chosen = training.model_dump(include={"optimizer", "schedule", "augmentation", "early_stopping"})
        chosen |= {name: value for name, value in (given or {}).items() if name in chosen}
        optimizer = OPTIMIZERS.resolve(chosen["optimizer"])
        schedule = SCHEDULES.resolve(chosen["schedule"])
        if isinstance(optimizer, LBFGS) and schedule != Constant():
            raise UsageError("schedule", "the line search of lbfgs decides how far a step goes; leave it out")
        stopping = chosen["early_stopping"]
        return cls(
            optimizer,
            schedule,
            Augmentation.parse(chosen["augmentation"]),
            None if stopping is None else EARLY_STOPPING.resolve(stopping),
        )
