"""Optimizers: each one is an elementwise update rule over theta.

A rule is a plain function ``rule(theta, g, *memory, t, eta, **hyper_parameters)`` of a parameter (or an array of
them), its gradient and its own memory, and returns the new values. It stands as in the paper. ``t`` counts the
steps from 1 and ``eta`` is the step size, update_scale * learning_rate. The classes below carry the
hyper-parameters, under the names that the rule knows them by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import ClassVar

import numpy as np

from glassnet.errors import UsageError
from glassnet.nn.activations import Array
from glassnet.nn.registry import Registry

#: Elements a rule is evaluated on at a time: its temporaries then stay in a core's cache.
BLOCK = 16384


def descend(theta: Array, g: Array, t: int, eta: float) -> tuple[Array]:
    """Theta - eta g (Robbins and Monro 1951)."""
    return (theta - eta * g,)


def heavy_ball(theta: Array, g: Array, v: Array, t: int, eta: float, momentum: float) -> tuple[Array, Array]:
    """V = momentum v - eta g; theta + v (Polyak 1964; Goodfellow et al. 2016, algorithm 8.2)."""
    v = momentum * v - eta * g
    return theta + v, v


def look_ahead(theta: Array, g: Array, v: Array, t: int, eta: float, momentum: float) -> tuple[Array, Array]:
    """V = momentum v - eta g; theta + momentum v - eta g (Nesterov 1983).

    Theta here is the point already moved ahead by momentum v, where the gradient is taken (Bengio et al. 2013,
    eq. 7): the same path as with an explicit look-ahead, and one gradient a step.
    """
    v = momentum * v - eta * g
    return theta + momentum * v - eta * g, v


def adaptive_sum(theta: Array, g: Array, s: Array, t: int, eta: float, epsilon: float) -> tuple[Array, Array]:
    """S = s + g^2; theta - eta g / (sqrt(s) + epsilon) (Duchi et al. 2011)."""
    s = s + g * g
    return theta - eta * g / (np.sqrt(s) + epsilon), s


def adaptive_mean(
    theta: Array, g: Array, s: Array, t: int, eta: float, rho: float, epsilon: float
) -> tuple[Array, Array]:
    """S = rho s + (1 - rho) g^2; theta - eta g / (sqrt(s) + epsilon) (Tieleman and Hinton 2012, lecture 6e)."""
    s = rho * s + (1 - rho) * g * g
    return theta - eta * g / (np.sqrt(s) + epsilon), s


def adaptive_moments(
    theta: Array, g: Array, m: Array, v: Array, t: int, eta: float, beta1: float, beta2: float, epsilon: float
) -> tuple[Array, Array, Array]:
    """Kingma and Ba 2015, algorithm 1, with their epsilon: outside the square root, after the correction.

    m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
    theta - eta (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon).
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return theta - eta * m_hat / (np.sqrt(v_hat) + epsilon), m, v


def adaptive_moments_decayed(
    theta: Array,
    g: Array,
    m: Array,
    v: Array,
    t: int,
    eta: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
) -> tuple[Array, Array, Array]:
    """Adam after theta has shrunk by eta weight_decay theta (Loshchilov and Hutter 2019, algorithm 2)."""
    theta = theta - eta * weight_decay * theta
    return adaptive_moments(theta, g, m, v, t, eta, beta1, beta2, epsilon)


@dataclass
class OptimizerState:
    """What an optimizer remembers between steps: the step count and its memory vectors."""

    t: int = 0
    memory: list[Array] = field(default_factory=list)


#: Ranges of the hyper-parameters: (what holds, how it is said).
RANGES: dict[str, tuple[Callable[[float], bool], str]] = {
    **dict.fromkeys(("learning_rate", "update_scale", "epsilon"), (lambda value: value > 0, "> 0")),
    **dict.fromkeys(("momentum", "rho", "beta1", "beta2"), (lambda value: 0 <= value < 1, "in [0, 1)")),
    "weight_decay": (lambda value: value >= 0, ">= 0"),
}


@dataclass(frozen=True)
class Optimizer:
    """An update rule with its hyper-parameters.

    One of your own is a frozen dataclass on top of it, like `Adam` below, and ``OPTIMIZERS.add(name, its_class)``
    to use it by name.

    Parameters
    ----------
    learning_rate : float
        Step size, > 0.
    update_scale : float, default 1
        A factor m on every step, > 0: the step is m * learning_rate.

    Raises
    ------
    UsageError
        If a hyper-parameter is not a finite number in its range.
    """

    learning_rate: float
    update_scale: float = field(default=1.0, kw_only=True)

    name: ClassVar[str]
    rule: ClassVar[Callable[..., tuple[Array, ...]]]
    memory_vectors: ClassVar[int]
    full_batch: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for option in fields(self):
            value = getattr(self, option.name)
            number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            if not number or not np.isfinite(value):
                raise UsageError(option.name, f"must be a finite number, got {value!r}")
            if isinstance(value, np.number):  # as a float it leaves float32 arithmetic float32
                object.__setattr__(self, option.name, value.item())
            holds, said = RANGES.get(option.name, (lambda value: True, ""))
            if not holds(value):
                raise UsageError(option.name, f"must be {said}, got {value}")

    @property
    def spec(self) -> str:
        """The specification that `OPTIMIZERS` resolves to this optimizer again."""
        options = ", ".join(f"{option.name}={getattr(self, option.name)!r}" for option in fields(self))
        return f"{self.name}({options})"

    def hyper_parameters(self) -> dict[str, float]:
        """Return what the rule is called with beside arrays and t: eta, and the fields it knows by name.

        Examples
        --------
        >>> Momentum(0.5, update_scale=2.0).hyper_parameters()
        {'momentum': 0.9, 'eta': 1.0}
        """
        values = {option.name: getattr(self, option.name) for option in fields(self)}
        values["eta"] = values.pop("update_scale") * values.pop("learning_rate")
        return values

    def start(self, theta: Array) -> OptimizerState:
        """Return the memory of an optimizer that has not taken a step: zeros."""
        return OptimizerState(memory=[np.zeros_like(theta) for _ in range(self.memory_vectors)])

    def step(self, theta: Array, gradient: Array, state: OptimizerState) -> None:
        """Take one step: theta and state are updated in place.

        Parameters
        ----------
        theta, gradient : ndarray of shape (p,)
            Parameters and dL/dtheta.
        state : OptimizerState
            From `start`, or from the steps before.
        """
        state.t += 1
        hyper_parameters = self.hyper_parameters()
        for first in range(0, len(theta), BLOCK):
            block = slice(first, first + BLOCK)
            old = [vector[block] for vector in (theta, *state.memory)]
            new = self.rule(old[0], gradient[block], *old[1:], t=state.t, **hyper_parameters)
            for vector, values in zip(old, new, strict=True):
                vector[:] = values


@dataclass(frozen=True)
class GD(Optimizer):
    """Gradient descent: `descend` on all samples of the epoch at once, one step an epoch."""

    learning_rate: float = 0.1
    name = "gd"
    rule = staticmethod(descend)
    memory_vectors = 0
    full_batch = True


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent: `descend` on mini-batches."""

    learning_rate: float = 0.1
    name = "sgd"
    rule = staticmethod(descend)
    memory_vectors = 0


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Gradient descent with momentum: `heavy_ball`."""

    learning_rate: float = 0.01
    momentum: float = 0.9
    name = "momentum"
    rule = staticmethod(heavy_ball)
    memory_vectors = 1


@dataclass(frozen=True)
class Nesterov(Optimizer):
    """Nesterov's accelerated gradient: `look_ahead`."""

    learning_rate: float = 0.01
    momentum: float = 0.9
    name = "nesterov"
    rule = staticmethod(look_ahead)
    memory_vectors = 1


@dataclass(frozen=True)
class AdaGrad(Optimizer):
    """AdaGrad: `adaptive_sum`."""

    learning_rate: float = 0.01
    epsilon: float = 1e-7
    name = "adagrad"
    rule = staticmethod(adaptive_sum)
    memory_vectors = 1


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop: `adaptive_mean`."""

    learning_rate: float = 0.001
    rho: float = 0.9
    epsilon: float = 1e-7
    name = "rmsprop"
    rule = staticmethod(adaptive_mean)
    memory_vectors = 1


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: `adaptive_moments`.

    Examples
    --------
    >>> adam, theta = Adam(0.1), np.array([1.0])
    >>> adam.step(theta, np.array([5.0]), adam.start(theta))
    >>> theta.round(6)  # whatever the gradient, the first step is learning_rate long
    array([0.9])
    """

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    name = "adam"
    rule = staticmethod(adaptive_moments)
    memory_vectors = 2


@dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam with decoupled weight decay: `adaptive_moments_decayed`."""

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    name = "adamw"
    rule = staticmethod(adaptive_moments_decayed)
    memory_vectors = 2


OPTIMIZERS: Registry[Optimizer] = Registry("optimizer", Optimizer)
for _optimizer in (GD, SGD, Momentum, Nesterov, AdaGrad, RMSprop, Adam, AdamW):
    OPTIMIZERS.add(_optimizer.name, _optimizer)
