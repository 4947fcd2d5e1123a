"""What every optimizer is: hyper-parameters, a memory, and a step."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from glassnet.nn.activations import Array
from glassnet.nn.backpropagation import ForwardCache
from glassnet.nn.parameters import Parameters
from glassnet.nn.registry import Ranges, check_options, specification

#: Elements a rule is evaluated on at a time: its temporaries then stay in a core's cache.
BLOCK = 16384


@dataclass
class OptimizerState:
    """What an optimizer remembers between steps: the step count and its memory vectors."""

    t: int = 0
    memory: list[Array] = field(default_factory=list)


@dataclass
class MatrixState(OptimizerState):
    """What an optimizer of matrices remembers, and where in theta they are.

    ``parts`` are theta from its beginning to its end: the matrices with their shapes; None for what is no matrix.
    """

    parts: list[tuple[slice, tuple[int, ...] | None]] = field(default_factory=list)


#: Ranges of the hyper-parameters: (what holds, how it is said).
RANGES: Ranges = {
    **dict.fromkeys(
        ("learning_rate", "update_scale", "epsilon", "adam_scale", "damping"), (lambda value: value > 0, "> 0")
    ),
    **dict.fromkeys(("momentum", "rho", "beta1", "beta2"), (lambda value: 0 <= value < 1, "in [0, 1)")),
    **dict.fromkeys(("weight_decay", "tolerance"), (lambda value: value >= 0, ">= 0")),
}


@dataclass(frozen=True)
class Optimizer:
    """The base of all optimizers: an update rule with its hyper-parameters.

    One of your own is a frozen dataclass on top of it, as `glassnet.nn.optimizers.adaptive.Adam` is. It has a
    ``name``, the number of its ``memory_vectors`` and a ``rule``, a static method
    ``rule(theta, g, *memory, t, eta, **hyper_parameters)`` of a parameter (or an array of them), its gradient and
    its own memory, that returns the new theta and memory. ``t`` counts the steps from 1, ``eta`` is the step size
    update_scale * learning_rate, and every other field arrives under its own name. The rule is plain NumPy and
    elementwise; it is compiled as it stands. ``OPTIMIZERS.add(name, its_class)`` makes it known by name.

    Parameters
    ----------
    learning_rate, update_scale : float
        Step size and a factor on it, > 0; the factor is 1 by default.

    Raises
    ------
    UsageError
        If a hyper-parameter is not a finite number in its range.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class SignDescent(Optimizer):
    ...     learning_rate: float = 0.01
    ...     name = "sign_descent"
    ...     memory_vectors = 0
    ...
    ...     @staticmethod
    ...     def rule(theta, g, t, eta):
    ...         return (theta - eta * np.sign(g),)
    >>> optimizer, theta = SignDescent(0.25), np.array([1.0, 1.0])
    >>> optimizer.step(theta, np.array([3.0, -7.0]), optimizer.start(theta))
    >>> theta
    array([0.75, 1.25])
    """

    learning_rate: float
    update_scale: float = field(default=1.0, kw_only=True)

    name: ClassVar[str]
    rule: ClassVar[Callable[..., tuple[Array, ...]]]
    memory_vectors: ClassVar[int]
    full_batch: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_options(self, [option.name for option in fields(self)], RANGES)

    @property
    def spec(self) -> str:
        """The specification that `OPTIMIZERS` resolves to this optimizer again."""
        return specification(self)

    def hyper_parameters(self) -> dict[str, float]:
        """Return what the rule is called with beside arrays and t: eta, and the fields it knows by name."""
        values = {name: getattr(self, name) for name in _list_options(type(self))}  # type: ignore[arg-type]
        values["eta"] = values.pop("update_scale") * values.pop("learning_rate")
        return values

    def start(self, theta: Array, parameters: Parameters | None = None) -> OptimizerState:
        """Return the memory of an optimizer that has not taken a step: zeros, for a theta of shape (p,).

        An optimizer that tells matrices from the rest needs the parameters whose theta it is.
        """
        return OptimizerState(memory=[np.zeros_like(theta) for _ in range(self.memory_vectors)])

    def observe(self, cache: ForwardCache, state: OptimizerState) -> None:
        """Take note of a batch that has gone forwards and backwards, before its step; most optimizers need not."""

    def step(self, theta: Array, gradient: Array, state: OptimizerState) -> None:
        """Take one step by dL/dtheta of shape (p,): theta and the state, from `start`, are updated in place."""
        state.t += 1
        apply_rule(self.rule, theta, gradient, state.memory, {"t": state.t, **self.hyper_parameters()})


@functools.cache
def _list_options(kind: Any) -> list[str]:
    return [option.name for option in fields(kind)]


def apply_rule(
    rule: Callable[..., tuple[Array, ...]],
    theta: Array,
    gradient: Array,
    memory: Sequence[Array],
    numbers: dict[str, Any],
) -> None:
    """Evaluate a rule on vectors, block by block, and write what it returns into theta and the memory."""
    for first in range(0, len(theta), BLOCK):
        block = slice(first, first + BLOCK)
        old = [vector[block] for vector in (theta, *memory)]
        new = rule(old[0], gradient[block], *old[1:], **numbers)
        for vector, values in zip(old, new, strict=True):
            vector[:] = values
