"""The types of `fit`'s options, for type checkers and editors.

Do not edit: `docs/make_options.py` makes this module from the definitions in `glassnet/training/options.py`.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from glassnet.data.augmentation import Augmentation
from glassnet.nn.optimizers.base import Optimizer
from glassnet.nn.schedules import Schedule
from glassnet.training.early_stopping import EarlyStopping


class FitOptions(TypedDict, total=False):
    """The options of training that `glassnet.fit` takes by name; its help says what each one does."""

    optimizer: str | Optimizer
    learning_rate: float | None
    update_scale: float | None
    schedule: str | Schedule
    epochs: int
    batch_size: int | None
    samples_per_epoch: int | float | None
    sampling: Literal["fresh", "first"]
    augmentation: str | Augmentation
    class_weight: str | Mapping[Any, float] | dict[str, float] | None
    label_smoothing: float
    l1: float
    l2: float
    weight_decay: float
    clip_norm: float | None
    clip_value: float | None
    max_norm: float | None
    ema: float | None
    average_epochs: int | None
    metrics: list[str]
    early_stopping: str | int | EarlyStopping | None
    checkpoint_every: int | None
    kernels: Literal["auto", "numba", "numpy"]
    threads: int | None
