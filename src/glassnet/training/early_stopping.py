"""Early stopping: training ends when the network no longer gets better on rows it does not learn from."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from glassnet.errors import UsageError, unknown_name
from glassnet.nn.registry import Registry
from glassnet.training.metrics import METRICS

#: What can be watched: a loss that every run records, or a metric on the validation rows.
MONITORS = ("validation_loss", "train_loss", *(name for name in METRICS if name != "loss"))


@dataclass(frozen=True)
class EarlyStopping:
    """Stop after a number of epochs without improvement.

    With E_t the watched value after epoch t, and the best so far E_best, epoch t is an improvement if ::

        E_t < E_best - min_delta        where smaller is better, a loss
        E_t > E_best + min_delta        where larger is better, an accuracy

    and E_best is then E_t. Steps that are each below `min_delta` add up, as E_best stays where it is meanwhile.

    Parameters
    ----------
    patience : int, default 10
        Epochs in a row without improvement that end training, >= 1.
    monitor : str, default "validation_loss"
        One of `MONITORS`: ``"validation_loss"``, ``"train_loss"``, or a metric on the validation rows,
        ``"auc"``.
    min_delta : float, default 0
        What an improvement must exceed, >= 0, in the units of the watched value.
    restore_best : bool, default True
        Whether the network ends with the parameters of the best epoch; else with those of the last one.

    Raises
    ------
    UsageError
        If an argument is not in its range.

    References
    ----------
    Prechelt (1998), Early stopping - but when?, in Neural Networks: Tricks of the Trade, LNCS 1524, 55-69: why
    one stops, and the parameters of the best epoch are the result. Goodfellow, Bengio and Courville (2016), Deep
    Learning, Algorithm 7.1: the counting of patience.

    Examples
    --------
    >>> EARLY_STOPPING.resolve("patience(5, monitor=auc)")
    EarlyStopping(patience=5, monitor='auc', min_delta=0.0, restore_best=True)
    >>> EarlyStopping(patience=3).spec
    'patience(3, monitor=validation_loss, min_delta=0.0, restore_best=True)'
    """

    patience: int = 10
    monitor: str = "validation_loss"
    min_delta: float = 0.0
    restore_best: bool = True

    def __post_init__(self) -> None:
        if not _is_whole(self.patience) or self.patience < 1:
            raise UsageError("early_stopping", f"patience must be a whole number >= 1, got {self.patience!r}")
        if self.monitor not in MONITORS:
            problem = unknown_name("monitor", str(self.monitor), MONITORS)
            raise UsageError("early_stopping", str(problem))
        if not _is_number(self.min_delta) or self.min_delta < 0:
            raise UsageError("early_stopping", f"min_delta must be a number >= 0, got {self.min_delta!r}")
        if not isinstance(self.restore_best, bool):
            raise UsageError("early_stopping", f"restore_best must be True or False, got {self.restore_best!r}")

    @property
    def metric(self) -> str | None:
        """The name from `METRICS` to measure after each epoch; None where a recorded loss is watched."""
        return self.monitor if self.monitor in METRICS else None

    @property
    def column(self) -> str:
        """The column of the history that is watched."""
        return self.monitor if self.metric is None else f"validation_{self.metric}"

    @property
    def larger_is_better(self) -> bool:
        """Whether an improvement is a rise of the watched value."""
        return self.metric is not None and METRICS[self.metric].larger_is_better

    @property
    def spec(self) -> str:
        """The specification that `EARLY_STOPPING` resolves to this object again."""
        return (
            f"patience({self.patience}, monitor={self.monitor}, min_delta={float(self.min_delta)!r}, "
            f"restore_best={self.restore_best})"
        )

    def check(self, validation_rows: int) -> None:
        """Raise `UsageError` where validation rows are watched and there are none."""
        if validation_rows == 0 and self.monitor != "train_loss":
            raise UsageError(
                "early_stopping",
                f"{self.monitor} is watched on validation rows, and there are none; set some aside with "
                "validation, or take monitor=train_loss",
            )


#: How ``"patience(10)"`` becomes an object.
EARLY_STOPPING: Registry[EarlyStopping] = Registry("early_stopping", EarlyStopping)
EARLY_STOPPING.add("patience", EarlyStopping)


@dataclass
class Watch:
    """The memory of early stopping from epoch to epoch."""

    rule: EarlyStopping
    best: float | None = None  # None before the first finite value
    best_epoch: int = 0  # counted from 1
    waited: int = 0  # epochs since the best one, or since the start

    def observe(self, epoch: int, value: float) -> bool:
        """Take note of an epoch's value and return whether it is an improvement; NaN and infinities are none."""
        value = float(value)
        sign = 1 if self.rule.larger_is_better else -1
        improved = math.isfinite(value) and (self.best is None or sign * (value - self.best) > self.rule.min_delta)
        if improved:
            self.best, self.best_epoch, self.waited = value, epoch, 0
        else:
            self.waited += 1
        return improved

    @property
    def stop(self) -> bool:
        """Whether patience is at its end."""
        return self.waited >= self.rule.patience

    def state_dict(self) -> dict[str, Any]:
        """Return the memory as plain values for a checkpoint; JSON keeps every bit of them."""
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the memory that `state_dict` returned; `ValueError` if it is something else."""
        if not isinstance(state, dict) or set(state) != set(self.state_dict()):
            raise ValueError(f"expected {', '.join(sorted(self.state_dict()))}, got {state!r}")
        counts = all(_is_whole(state[name]) and state[name] >= 0 for name in ("best_epoch", "waited"))
        begun = counts and state["best_epoch"] > 0
        if not counts or not (_is_number(state["best"]) if begun else state["best"] is None):
            raise ValueError(f"expected a number and two counts, got {state!r}")
        self.best, self.best_epoch, self.waited = state["best"], state["best_epoch"], state["waited"]


def kept_epoch(rule: EarlyStopping, values: Sequence[float | None], planned: int) -> int | None:
    """Return the epoch whose parameters a run ended with, by the values that it watched; None where it has none.

    None, too, where a run was cut short: it has neither used up its patience nor the epochs that were planned.

    >>> kept_epoch(EarlyStopping(patience=2), [0.5, 0.3, 0.4, 0.35], 10)
    2
    >>> kept_epoch(EarlyStopping(patience=3), [0.5, 0.3, 0.4, 0.35], 10)
    """
    watch = Watch(rule)
    for epoch, value in enumerate(values, start=1):
        watch.observe(epoch, math.nan if value is None else value)
    ended = watch.stop or len(values) >= planned
    return watch.best_epoch if rule.restore_best and ended and watch.best_epoch else None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
