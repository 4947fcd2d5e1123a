"""What L-BFGS is asked for; `glassnet.training.quasi_newton` has SciPy do it."""

from __future__ import annotations

from dataclasses import dataclass

from glassnet.errors import UsageError
from glassnet.nn.activations import Array
from glassnet.nn.optimizers.base import Optimizer, OptimizerState


@dataclass(frozen=True)
class LBFGS(Optimizer):
    """L-BFGS on all samples of the epoch at once (Liu and Nocedal 1989; Nocedal and Wright 2006, algorithm 7.5).

    The direction is minus the gradient times an estimate of the inverse Hessian, which is made of the last steps
    and of how the gradient changed over them. A line search decides how far to go, so there is no learning rate.
    It is for small data, where a pass over all rows costs little and an exact minimum is wanted.

    Parameters
    ----------
    learning_rate, update_scale : float, default 1
        1, the length that the line search tries first; nothing else can be asked for.
    memory : int, default 10
        How many of the last steps are remembered, >= 1.
    iterations : int, default 20
        Steps of an epoch, >= 1; each takes one pass over the rows, or a few.
    evaluations : int, default 15000
        Passes over the rows in an epoch at most, >= 1.
    tolerance : float, default 0
        Where no slope is larger, >= 0, or the loss falls by less than 2.2e-9 of itself, the epoch ends. 0: only
        where nothing moves any more.

    Raises
    ------
    UsageError
        If memory, iterations or evaluations is not a whole number >= 1, or a learning rate is given.

    Examples
    --------
    >>> LBFGS(iterations=5).spec
    'lbfgs(learning_rate=1.0, update_scale=1.0, memory=10, iterations=5, evaluations=15000, tolerance=0.0)'
    """

    learning_rate: float = 1.0
    memory: int = 10
    iterations: int = 20
    evaluations: int = 15000
    tolerance: float = 0.0
    name = "lbfgs"
    memory_vectors = 0
    full_batch = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for option in ("memory", "iterations", "evaluations"):
            value = getattr(self, option)
            if not isinstance(value, int) or value < 1:
                raise UsageError(option, f"must be a whole number >= 1, got {value}")
        for option in ("learning_rate", "update_scale"):
            if getattr(self, option) != 1:
                raise UsageError(option, "leave it out: the line search of lbfgs decides how far a step goes")

    def step(self, theta: Array, gradient: Array, state: OptimizerState) -> None:
        """Refuse: one gradient is not enough for a step, the line search asks for more."""
        raise UsageError("optimizer", "lbfgs takes no single steps; train with fit, or take adam")
