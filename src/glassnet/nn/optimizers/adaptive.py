"""Optimizers that give each parameter a step size of its own, by how large its gradients have been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.nn.activations import Array
from glassnet.nn.optimizers.base import Optimizer


@dataclass(frozen=True)
class AdaGrad(Optimizer):
    """AdaGrad: steps shrink with the sum of a parameter's squared gradients (Duchi et al. 2011, section 1).

        s = s + g^2
        theta = theta - eta g / (sqrt(s) + epsilon),    eta = update_scale * learning_rate

    Its memory is s, one vector as long as theta, zeros at the start.

    Parameters
    ----------
    learning_rate, update_scale : float, default 0.01 and 1
        Step size and a factor on it, > 0: the length of the first step of each parameter.
    epsilon : float, default 1e-7
        Added to the root, > 0, so that nothing is divided by 0.

    Examples
    --------
    >>> optimizer, theta = AdaGrad(0.1), np.array([1.0])
    >>> state = optimizer.start(theta)
    >>> for _ in range(2):
    ...     optimizer.step(theta, np.array([5.0]), state)
    >>> theta.round(3)  # 1 - 0.1 - 0.1 / sqrt(2)
    array([0.829])
    """

    learning_rate: float = 0.01
    epsilon: float = 1e-7
    name = "adagrad"
    memory_vectors = 1

    @staticmethod
    def rule(theta: Array, g: Array, s: Array, t: Any, eta: Any, epsilon: Any) -> tuple[Array, Array]:
        """Return the new theta and the sum of squares s."""
        s = s + g * g
        return theta - eta * g / (np.sqrt(s) + epsilon), s


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop: the gradient over a running root mean square of itself (Tieleman and Hinton 2012, lecture 6e).

        s = rho s + (1 - rho) g^2
        theta = theta - eta g / (sqrt(s) + epsilon),    eta = update_scale * learning_rate

    Its memory is s, one vector as long as theta, zeros at the start.

    Parameters
    ----------
    learning_rate, update_scale : float, default 0.001 and 1
        Step size and a factor on it, > 0.
    rho : float, default 0.9
        Share of the mean square that is kept at each step, in [0, 1).
    epsilon : float, default 1e-7
        Added to the root, > 0, so that nothing is divided by 0.

    Examples
    --------
    >>> optimizer, theta = RMSprop(0.1, rho=0.75), np.array([1.0])
    >>> optimizer.step(theta, np.array([5.0]), optimizer.start(theta))
    >>> theta.round(3)  # s = 25 / 4: 1 - 0.1 * 5 / 2.5
    array([0.8])
    """

    learning_rate: float = 0.001
    rho: float = 0.9
    epsilon: float = 1e-7
    name = "rmsprop"
    memory_vectors = 1

    @staticmethod
    def rule(theta: Array, g: Array, s: Array, t: Any, eta: Any, rho: Any, epsilon: Any) -> tuple[Array, Array]:
        """Return the new theta and the mean square s."""
        s = rho * s + (1 - rho) * g * g
        return theta - eta * g / (np.sqrt(s) + epsilon), s


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: running means of the gradient and of its square, both corrected for their start at 0.

        m = beta1 m + (1 - beta1) g
        v = beta2 v + (1 - beta2) g^2
        theta = theta - eta (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)

    in step t = 1, 2, ... with eta = update_scale * learning_rate (Kingma and Ba 2015, algorithm 1). Epsilon is
    theirs: outside the root, after the correction, as in PyTorch.

    Its memory is m and v, two vectors as long as theta, zeros at the start.

    Parameters
    ----------
    learning_rate, update_scale : float, default 0.001 and 1
        Step size, about the longest step of a parameter whatever its gradient, and a factor on it, > 0.
    beta1 : float, default 0.9
        Share of the mean gradient m that is kept at each step, in [0, 1).
    beta2 : float, default 0.999
        Share of the mean square v that is kept at each step, in [0, 1).
    epsilon : float, default 1e-8
        Added to the root, > 0, so that nothing is divided by 0.

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
    memory_vectors = 2

    @staticmethod
    def rule(
        theta: Array, g: Array, *memory: Array, t: Any, eta: Any, beta1: Any, beta2: Any, epsilon: Any
    ) -> tuple[Array, Array, Array]:
        """Return the new theta, m and v."""
        m, v = memory
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        return theta - eta * m_hat / (np.sqrt(v_hat) + epsilon), m, v


@dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).

        theta = theta - eta weight_decay theta,    eta = update_scale * learning_rate

    and then the step of `Adam`. All of theta shrinks, biases too; the option ``weight_decay`` of `glassnet.fit`
    shrinks the weights alone.

    Its memory is m and v, two vectors as long as theta, zeros at the start.

    Parameters
    ----------
    learning_rate, update_scale : float, default 0.001 and 1
        Step size and a factor on it, > 0, of Adam and of the decay.
    beta1, beta2, epsilon : float, default 0.9, 0.999, 1e-8
        As those of `Adam`: shares of m and v that are kept at each step, and what is added to the root.
    weight_decay : float, default 0.01
        Share of theta, times eta, that is taken away at each step, >= 0.

    Examples
    --------
    >>> adamw, theta = AdamW(0.1, weight_decay=0.5), np.array([1.0])
    >>> adamw.step(theta, np.array([5.0]), adamw.start(theta))
    >>> theta.round(6)  # 1 - 0.1 * 0.5, then Adam's first step of 0.1
    array([0.85])
    """

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    name = "adamw"
    memory_vectors = 2

    @staticmethod
    def rule(
        theta: Array, g: Array, *memory: Array, eta: Any, weight_decay: Any, **adam: Any
    ) -> tuple[Array, Array, Array]:
        """Return the new theta, m and v."""
        theta = theta - eta * weight_decay * theta
        return Adam.rule(theta, g, *memory, eta=eta, **adam)
