"""The objects that the words of a configuration stand for: optimizer, schedule, augmentation, early stopping."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from glassnet.data.augmentation import Augmentation
from glassnet.errors import UsageError
from glassnet.nn.optimizers import LBFGS, OPTIMIZERS, Optimizer
from glassnet.nn.schedules import SCHEDULES, Constant, Schedule
from glassnet.training.config import TrainingConfig, validated
from glassnet.training.early_stopping import EARLY_STOPPING, EarlyStopping


@dataclass(frozen=True)
class Components:
    """The objects that a run learns by.

    Attributes
    ----------
    optimizer : Optimizer
    schedule : Schedule
    augmentation : Augmentation
    early_stopping : EarlyStopping or None
        None: training goes on to the last epoch.
    """

    optimizer: Optimizer
    schedule: Schedule
    augmentation: Augmentation
    early_stopping: EarlyStopping | None

    @classmethod
    def build(cls, training: TrainingConfig, given: Mapping[str, Any] | None = None) -> Components:
        """Build the objects that a configuration names.

        Parameters
        ----------
        training : TrainingConfig
            The configuration.
        given : mapping, optional
            Objects by the name of their option, to be taken as they are: those of a user's own class need not be
            registered.

        Raises
        ------
        UsageError
            If a name is unknown, or its arguments do not fit.
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


def resolve_options(options: Mapping[str, Any]) -> tuple[TrainingConfig, Components]:
    """Return the options of `glassnet.fit` as a configuration, and the objects that they are or name.

    Parameters
    ----------
    options : mapping
        The options by name; see `glassnet.fit`. ``learning_rate`` is the optimizer's, and a whole number for
        ``early_stopping`` is its patience.

    Raises
    ------
    UsageError
        If a value does not fit, or the learning rate is given twice.

    Examples
    --------
    >>> training, components = resolve_options({"optimizer": "sgd", "learning_rate": 0.5, "early_stopping": 3})
    >>> training.optimizer, components.early_stopping.patience
    ('sgd(learning_rate=0.5, update_scale=1.0)', 3)
    """
    given = dict(options)
    given["optimizer"] = _resolve_optimizer(given.get("optimizer", "adam"), given.pop("learning_rate", None))
    if isinstance(given.get("early_stopping"), int):
        given["early_stopping"] = EarlyStopping(given["early_stopping"])
    plain = {name: getattr(value, "spec", value) for name, value in given.items()}
    if isinstance(weights := plain.get("class_weight"), Mapping):
        plain["class_weight"] = {str(name): weight for name, weight in weights.items()}
    training = validated(TrainingConfig, plain)
    return training, Components.build(training, given)


def _resolve_optimizer(optimizer: str | Optimizer, learning_rate: float | None) -> Optimizer:
    """Return the optimizer with its learning rate, which is given once: there, or as an option of its own."""
    resolved = OPTIMIZERS.resolve(optimizer)
    if learning_rate is None:
        return resolved
    if not isinstance(optimizer, str) or re.search(r"learning_rate|\(\s*[-+.\d]", optimizer):
        raise UsageError(
            "learning_rate", f"the optimizer has one already, {resolved.learning_rate:g}; give it once"
        )
    return replace(resolved, learning_rate=learning_rate)
