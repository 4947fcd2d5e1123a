"""The objects that the words of a configuration stand for: optimizer, schedule, augmentation, early stopping."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from glassnet.data.augmentation import Augmentation
from glassnet.errors import UsageError
from glassnet.nn.optimizers import LBFGS, OPTIMIZERS, Optimizer
from glassnet.nn.schedules import SCHEDULES, Constant, Schedule
from glassnet.training.early_stopping import EARLY_STOPPING, EarlyStopping
from glassnet.training.option_errors import unknown_option, validated
from glassnet.training.options import OptimizerShorthand, TrainingConfig, fields_of, optimizer_of


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


def resolve_options(options: Mapping[str, Any], known: Iterable[str] = ()) -> tuple[TrainingConfig, Components]:
    """Return the options of `glassnet.fit` as a configuration, and the objects that they are or name.

    Parameters
    ----------
    options : mapping
        The options by name: specifications or objects, and the shorthands, by which ``learning_rate=0.1`` changes
        the optimizer's and ``early_stopping=5`` is ``"patience(5)"``.
    known : iterable of str, optional
        Other names that may be meant by one that is no option.

    Raises
    ------
    UsageError
        If a name is no option, a value does not fit, or the learning rate is given twice.

    Examples
    --------
    >>> training, components = resolve_options({"optimizer": "sgd", "learning_rate": 0.5, "early_stopping": 3})
    >>> training.optimizer, components.early_stopping.patience
    ('sgd(learning_rate=0.5, update_scale=1.0)', 3)
    """
    fields = fields_of("training")
    for name in options:
        if name not in fields:
            raise unknown_option(name, fields, known)
    optimizer, named = optimizer_of(options), options.get("optimizer", "")
    own = not isinstance(named, str) or re.search(r"learning_rate|\(\s*[-+.\d]", named)
    if own and options.get("learning_rate") is not None:
        rate = OPTIMIZERS.resolve(named).learning_rate
        raise UsageError("learning_rate", f"the optimizer has one already, {rate:g}; give it once")
    rest = {name: value for name, value in options.items() if name not in OptimizerShorthand.model_fields}
    training = validated(TrainingConfig, rest | {"optimizer": optimizer.spec})
    objects = {name: value for name, value in rest.items() if hasattr(value, "spec")}
    return training, Components.build(training, objects | {"optimizer": optimizer})
