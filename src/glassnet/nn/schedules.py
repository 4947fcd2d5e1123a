"""Learning-rate schedules: a factor on the optimizer's learning rate for every step of a run.

A schedule is a value, like an optimizer: what it says of a step depends on nothing but the step's number and a
small `ScheduleState`, which a checkpoint holds. Steps t are counted from 1. Each factor is computed by itself, in
Python's floats, so that its bits do not depend on how many are asked for at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array
from glassnet.nn.registry import Ranges, Registry, check_options, is_number, specification


@dataclass
class ScheduleState:
    """What a schedule remembers between epochs; only `Plateau` ever changes it.

    ``scale`` multiplies every factor. ``best`` is the smallest value observed, None before the first; ``waited``
    is the number of epochs since then without a smaller one.
    """

    scale: float = 1.0
    best: float | None = None
    waited: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, which JSON keeps exactly."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ScheduleState:
        """Return the state that `to_dict` described; raise `DataError` if the values are not those of one."""
        holds: dict[str, Callable[[Any], bool]] = {
            "scale": lambda value: is_number(value) and value >= 0,
            "best": lambda value: value is None or is_number(value),
            "waited": lambda value: _is_whole(value) and value >= 0,
        }
        if set(values) != set(holds) or not all(holds[name](value) for name, value in values.items()):
            raise DataError(f"schedule state: expected scale, best and waited, got {dict(values)!r}")
        return cls(**values)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_length(value: Any) -> bool:
    """Say whether a value is a number of steps, or a share of the run."""
    return (value >= 0 and _is_whole(value)) or (0 <= value <= 1 and isinstance(value, float))


#: Ranges of the options: (what holds, how it is said).
RANGES: Ranges = {
    "warmup": (_is_length, "a whole number of steps, or a share of the run from 0.0 to 1.0"),
    **dict.fromkeys(("factor", "initial"), (lambda value: 0 < value <= 1, "in (0, 1]")),
    "final": (lambda value: 0 <= value <= 1, "in [0, 1]"),
    "threshold": (lambda value: 0 <= value < 1, "in [0, 1)"),
    "flat": (lambda value: 0 <= value < 1, "in [0, 1)"),
    "cycles": (lambda value: _is_whole(value) and 1 <= value <= 50, "a whole number from 1 to 50"),
    "every": (lambda value: _is_whole(value) and value >= 1, "a whole number of epochs, 1 or more"),
    "patience": (lambda value: _is_whole(value) and value >= 0, "a whole number of epochs, 0 or more"),
}


@dataclass(frozen=True)
class Schedule:
    """A factor for every step of a run: a decay, and on top of it a linear warm-up of w steps.

    Step t has min(t / w, 1) times the decay (Goyal et al. 2017, section 2.2, but from near 0). One of your own is
    a frozen dataclass with a ``name`` and a `decay`, or a `shape` that is both; ``SCHEDULES.add(name, its_class)``
    makes it known by name.

    Parameters
    ----------
    warmup : int or float, default 0
        Steps at the beginning in which the factor rises: their number; or as a float, up to 1.0, their share of
        the run. A warm-up over 5 of 100 epochs is ``warmup=0.05``.

    Raises
    ------
    UsageError
        If an option is not a finite number in its range.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class InverseRoot(Schedule):
    ...     name = "inverse_root"
    ...
    ...     def decay(self, epochs, progress):
    ...         return (1 + epochs) ** -0.5
    >>> schedule = InverseRoot()
    >>> schedule.factors(np.arange(1, 5), total=4, per_epoch=1, state=schedule.start()).round(3)
    array([1.   , 0.707, 0.577, 0.5  ])
    """

    warmup: float = field(default=0, kw_only=True)

    name: ClassVar[str]

    def __post_init__(self) -> None:
        check_options(self, [option.name for option in fields(self)], RANGES)

    @property
    def spec(self) -> str:
        """The specification that `SCHEDULES` resolves to this schedule again."""
        return specification(self)

    def warmup_steps(self, total: int) -> int:
        """Return how many of `total` steps are the warm-up; raise `UsageError` if the run is shorter than that."""
        steps = round(self.warmup * total) if isinstance(self.warmup, float) else int(self.warmup)
        if steps > total:
            raise UsageError("warmup", f"of {steps} steps is longer than the run, which has {total}")
        return steps

    def shape(self, t: int, total: int, per_epoch: int) -> float:
        """Return the factor of step t of `total`, counted from 1, as far as it is known before the run."""
        warmup = self.warmup_steps(total)
        progress = max(0, t - 1 - warmup) / max(1, total - warmup)
        decay = self.decay((t - 1) / per_epoch, progress)
        return decay * t / warmup if t < warmup else decay

    def decay(self, epochs: float, progress: float) -> float:
        """Return the factor without warm-up, 1 where a schedule says nothing else.

        `epochs` were done before the step: 1.5 in the middle of the second one; `progress`, in [0, 1), is the
        share of the steps after the warm-up that were done before this one.
        """
        return 1.0

    def start(self) -> ScheduleState:
        """Return the state of a schedule that has not observed anything."""
        return ScheduleState()

    def observe(self, state: ScheduleState, value: float) -> None:
        """Take note of an epoch's result, the smaller the better, in the state; most schedules need not."""

    def factors(self, steps: Array, total: int, per_epoch: int, state: ScheduleState) -> Array:
        """Return what the learning rate is multiplied by in each of some steps, float64 of shape (n,).

        Parameters
        ----------
        steps : ndarray of int, shape (n,)
            Numbers of steps, from 1 to `total`.
        total, per_epoch : int
            Steps of the run, and of an epoch.
        state : ScheduleState
            From `start`, or as `observe` left it after the epoch before.

        Raises
        ------
        UsageError
            If the warm-up is longer than the run.
        """
        values = [state.scale * self.shape(t, total, per_epoch) for t in np.asarray(steps).tolist()]
        return np.array(values, np.float64)


@dataclass(frozen=True)
class Constant(Schedule):
    """1: the learning rate as it is, after the warm-up if there is one."""

    name = "constant"

    def factors(self, steps: Array, total: int, per_epoch: int, state: ScheduleState) -> Array:
        """Return 1 for each step after the warm-up; see `Schedule.factors`."""
        steps = np.asarray(steps)
        if not (warmup := self.warmup_steps(total)):
            return np.full(len(steps), state.scale, np.float64)
        return np.where(steps < warmup, steps / warmup, 1.0) * state.scale


@dataclass(frozen=True)
class Step(Schedule):
    """factor^floor(epochs / every): the learning rate falls at once, every so many epochs.

    Examples
    --------
    >>> drop = Step(every=2, factor=0.5)
    >>> drop.factors(np.arange(1, 6), total=5, per_epoch=1, state=drop.start())
    array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    """

    every: int = 10
    factor: float = 0.1
    name = "step"

    def decay(self, epochs: float, progress: float) -> float:
        """Return factor^floor(epochs / every)."""
        return self.factor ** (epochs // self.every)


@dataclass(frozen=True)
class Exponential(Schedule):
    """factor^epochs, step by step: after each epoch the learning rate is `factor` times what it was before it."""

    factor: float = 0.95
    name = "exponential"

    def decay(self, epochs: float, progress: float) -> float:
        """Return factor^epochs."""
        return self.factor**epochs


@dataclass(frozen=True)
class Cosine(Schedule):
    """final + (1 - final) (1 + cos(pi progress)) / 2 (Loshchilov and Hutter 2017, eq. 5, without restarts).

    It runs over the steps that follow the warm-up. `final` is a share of the learning rate, and would be reached
    by the step after the last one.

    Examples
    --------
    >>> cosine = Cosine()
    >>> cosine.factors(np.arange(1, 5), total=4, per_epoch=2, state=cosine.start()).round(3)
    array([1.   , 0.854, 0.5  , 0.146])
    """

    final: float = 0.0
    name = "cosine"

    def decay(self, epochs: float, progress: float) -> float:
        """Return the half cosine."""
        return _half_cosine(1.0, self.final, progress)


@dataclass(frozen=True)
class FlatCosine(Schedule):
    """1 at first, then the half cosine of `Cosine` down to `final` (Gugger's fastai, ``fit_flat_cos``).

    `flat` is the share of the steps after the warm-up that have the factor 1.

    Examples
    --------
    >>> flat = FlatCosine()
    >>> flat.factors(np.arange(1, 9), total=8, per_epoch=2, state=flat.start()).round(3)
    array([1.   , 1.   , 1.   , 1.   , 1.   , 0.854, 0.5  , 0.146])
    """

    flat: float = 0.5
    final: float = 0.0
    name = "flat_cosine"

    def decay(self, epochs: float, progress: float) -> float:
        """Return 1, or the half cosine."""
        return _half_cosine(1.0, self.final, max(0.0, progress - self.flat) / (1 - self.flat))


@dataclass(frozen=True)
class CosLog(Schedule):
    """(1 - cos(2 pi log2(1 + (2^cycles - 1) progress))) / 2: waves from 0 to 1 and back, each twice as long.

    The learning rate falls to 0 several times, so several epochs end where a short run would have ended, and the
    best of them can be taken. With four waves it is RealMLP's (Holzmueller, Grinsztajn and Steinwart 2024,
    section 3: coslog4). The wave is taken in the middle of each step, so that the first one is not 0.

    Examples
    --------
    >>> waves = CosLog(cycles=2)
    >>> waves.factors(np.arange(1, 7), total=6, per_epoch=2, state=waves.start()).round(3)
    array([0.718, 0.324, 0.259, 0.984, 0.653, 0.083])
    """

    cycles: int = 4
    name = "coslog"

    def shape(self, t: int, total: int, per_epoch: int) -> float:
        """Return the height of the wave in the middle of the step, times the warm-up."""
        warmup = self.warmup_steps(total)
        decay = self.decay((t - 0.5) / per_epoch, (max(1, t - warmup) - 0.5) / max(1, total - warmup))
        return decay * t / warmup if t < warmup else decay

    def decay(self, epochs: float, progress: float) -> float:
        """Return the height of the wave."""
        place = math.log2(1 + (2**self.cycles - 1) * progress)
        return (1 - math.cos(2 * math.pi * place)) / 2


@dataclass(frozen=True)
class OneCycle(Schedule):
    """One half cosine up, one down (Smith and Topin 2018; both as cosines: Gugger's fastai and PyTorch).

    The optimizer's learning rate is the peak, and the last step of the warm-up has it. `initial` and `final`
    are shares of that peak, those of the first and of the last step. (PyTorch's ``final_div_factor`` divides the
    initial learning rate instead: its default of 1e4 is the 4e-6 here.) The momentum stays as it is.

    Examples
    --------
    >>> cycle = OneCycle(warmup=0.4)
    >>> cycle.factors(np.arange(1, 6), total=5, per_epoch=5, state=cycle.start()).round(3)
    array([0.04, 1.  , 0.75, 0.25, 0.  ])
    """

    warmup: float = field(default=0.3, kw_only=True)
    initial: float = 1 / 25
    final: float = 4e-6
    name = "one_cycle"

    def shape(self, t: int, total: int, per_epoch: int) -> float:
        """Return the factor on the way up, to the peak at the end of the warm-up, or down."""
        peak = max(1, self.warmup_steps(total))
        if t <= peak:
            return _half_cosine(1.0, self.initial, (peak - t) / max(1, peak - 1))
        return _half_cosine(1.0, self.final, (t - peak) / (total - peak))


@dataclass(frozen=True)
class Plateau(Schedule):
    """The learning rate falls by `factor` when the observed values have stopped falling.

    A value is an improvement where it is less than best - threshold |best|. After more than `patience` epochs in a
    row without one, scale becomes factor scale, and the count begins anew; `best` stays. (As PyTorch's
    ReduceLROnPlateau; Goodfellow et al. 2016, section 8.3.1, for the practice.)

    Examples
    --------
    >>> plateau = Plateau(factor=0.5, patience=1)
    >>> state = plateau.start()
    >>> for loss in (0.9, 0.7, 0.8, 0.7):
    ...     plateau.observe(state, loss)
    >>> state
    ScheduleState(scale=0.5, best=0.7, waited=0)
    """

    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    name = "plateau"

    def observe(self, state: ScheduleState, value: float) -> None:
        """Note whether the value is an improvement; at the end of the patience, lower the scale."""
        if math.isfinite(value) and (state.best is None or value < state.best - self.threshold * abs(state.best)):
            state.best, state.waited = float(value), 0
            return
        state.waited += 1
        if state.waited > self.patience:
            state.scale, state.waited = state.scale * self.factor, 0


def _half_cosine(first: float, last: float, progress: float) -> float:
    """Go from `first` at progress 0 to `last` at 1, level at both ends."""
    share = (1 + math.cos(math.pi * progress)) / 2
    return share * first + (1 - share) * last


SCHEDULES: Registry[Schedule] = Registry("schedule", Schedule)
for _schedule in (Constant, Step, Exponential, Cosine, FlatCosine, CosLog, OneCycle, Plateau):
    SCHEDULES.add(_schedule.name, _schedule)
