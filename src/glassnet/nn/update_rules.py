"""Optimizers that are elementwise: an update rule for each parameter by itself.

A rule is a plain function ``rule(theta, g, *memory, t, eta, **hyper_parameters)`` of a parameter (or an array of
them), its gradient and its own memory, and returns the new values. It stands as in the paper. ``t`` counts the
steps from 1 and ``eta`` is the step size, update_scale * learning_rate. The classes below carry the
hyper-parameters, under the names that the rule knows them by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.nn.activations import Array
from glassnet.nn.optimizer import Optimizer


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
