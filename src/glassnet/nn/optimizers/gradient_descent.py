"""Gradient descent, and gradient descent with a velocity."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from typing import Any

from glassnet.errors import UsageError
from glassnet.nn.activations import Array
from glassnet.nn.optimizers.base import Optimizer


@dataclass(frozen=True)
class GD(Optimizer):
    """Gradient descent on all rows of an epoch at once: one step an epoch (Cauchy 1847).

        theta = theta - eta g,    eta = update_scale * learning_rate

    with g the gradient of the loss over all rows. `batch_size` cannot be chosen.

    It keeps no memory between steps.

    Parameters
    ----------
    learning_rate, update_scale : float, default 0.1 and 1
        Step size and a factor on it, > 0.

    Examples
    --------
    >>> import numpy as np
    >>> gd, theta = GD(0.5), np.array([1.0])
    >>> gd.step(theta, np.array([0.4]), gd.start(theta))
    >>> theta  # 1 - 0.5 * 0.4
    array([0.8])
    """

    learning_rate: float = 0.1
    name = "gd"
    memory_vectors = 0
    full_batch = True

    @staticmethod
    def rule(theta: Array, g: Array, t: Any, eta: Any) -> tuple[Array]:
        """Return theta - eta g."""
        return (theta - eta * g,)


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent: a step for each mini-batch (Robbins and Monro 1951).

        theta = theta - eta g,    eta = update_scale * learning_rate

    With a momentum it is another optimizer, and what is returned is that one: ``SGD(0.1, momentum=0.9)`` is
    ``Momentum(0.1, 0.9)`` and ``SGD(0.1, momentum=0.9, nesterov=True)`` is ``Nesterov(0.1, 0.9)``. So users of
    PyTorch and Keras can write what they are used to. `Momentum` says where the velocity differs from PyTorch's.

    It keeps no memory between steps; with a momentum one vector as long as theta.

    Parameters
    ----------
    learning_rate, update_scale : float, default 0.1 and 1
        Step size and a factor on it, > 0. The default is 0.1 with a momentum, too, where `Momentum` and `Nesterov`
        themselves have 0.01.
    momentum : float, default 0
        Share of the velocity that is kept at each step, in [0, 1).
    nesterov : bool, default False
        Whether the gradient is taken at the point that the momentum leads to; needs a momentum.

    Raises
    ------
    UsageError
        If a number is not in its range, or nesterov is asked for without a momentum.

    Examples
    --------
    >>> SGD(0.5, momentum=0.9, nesterov=True)
    Nesterov(learning_rate=0.5, update_scale=1.0, momentum=0.9)
    """

    learning_rate: float = 0.1
    momentum: InitVar[float] = 0.0
    nesterov: InitVar[bool] = False
    name = "sgd"
    rule = staticmethod(GD.rule)
    memory_vectors = 0

    def __new__(
        cls,
        learning_rate: float = 0.1,
        momentum: float = 0.0,
        nesterov: bool = False,
        *,
        update_scale: float = 1.0,
    ) -> Any:
        """Return an `SGD`, or the `Momentum` or `Nesterov` that is asked for."""
        if not isinstance(nesterov, bool):
            raise UsageError("nesterov", f"must be true or false, got {nesterov!r}")
        if momentum != 0:
            with_velocity = Nesterov if nesterov else Momentum
            return with_velocity(learning_rate, momentum, update_scale=update_scale)
        if nesterov:
            raise UsageError("nesterov", "needs a momentum > 0, as in sgd(0.1, momentum=0.9, nesterov=True)")
        return super().__new__(cls)

    def __post_init__(self, momentum: float, nesterov: bool) -> None:
        super().__post_init__()


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Gradient descent with momentum (Polyak 1964; Goodfellow et al. 2016, algorithm 8.2).

        v = momentum v - eta g,    eta = update_scale * learning_rate
        theta = theta + v

    The velocity v contains the learning rate, as in Keras. PyTorch's does not (v = momentum v + g and
    theta - eta v): the path is the same as long as the learning rate is. Where a schedule changes it, the velocity
    here keeps the old one for some steps.

    Its memory is v, one vector as long as theta, zeros at the start.

    Parameters
    ----------
    learning_rate, update_scale : float, default 0.01 and 1
        Step size and a factor on it, > 0.
    momentum : float, default 0.9
        Share of the velocity that is kept at each step, in [0, 1). In a direction in which the gradient stays the
        same, steps grow to 1 / (1 - momentum) times those of `SGD`.

    Examples
    --------
    >>> import numpy as np
    >>> optimizer, theta = Momentum(0.5, momentum=0.9), np.array([1.0])
    >>> state = optimizer.start(theta)
    >>> for _ in range(2):
    ...     optimizer.step(theta, np.array([0.4]), state)
    >>> theta.round(3)  # v = -0.2, then 0.9 * -0.2 - 0.2 = -0.38
    array([0.42])
    """

    learning_rate: float = 0.01
    momentum: float = 0.9
    name = "momentum"
    memory_vectors = 1

    @staticmethod
    def rule(theta: Array, g: Array, v: Array, t: Any, eta: Any, momentum: Any) -> tuple[Array, Array]:
        """Return theta + v and the new velocity v."""
        v = momentum * v - eta * g
        return theta + v, v


@dataclass(frozen=True)
class Nesterov(Optimizer):
    """Nesterov's accelerated gradient (Nesterov 1983; Sutskever et al. 2013; Bengio et al. 2013, eq. 7).

        v = momentum v - eta g,    eta = update_scale * learning_rate
        theta = theta + momentum v - eta g

    Nesterov takes the gradient at the point that the momentum alone would lead to. Theta here is that point, so
    one gradient a step is enough and the path is the same. Keras and PyTorch (``nesterov=True``) have this form,
    too; `Momentum` says where PyTorch's velocity differs.

    Its memory is v, one vector as long as theta, zeros at the start.

    Parameters
    ----------
    learning_rate, update_scale : float, default 0.01 and 1
        Step size and a factor on it, > 0.
    momentum : float, default 0.9
        Share of the velocity that is kept at each step, in [0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> optimizer, theta = Nesterov(0.5, momentum=0.9), np.array([1.0])
    >>> optimizer.step(theta, np.array([0.4]), optimizer.start(theta))
    >>> theta.round(3)  # v = -0.2: 1 - 0.18 - 0.2
    array([0.62])
    """

    learning_rate: float = 0.01
    momentum: float = 0.9
    name = "nesterov"
    memory_vectors = 1

    @staticmethod
    def rule(theta: Array, g: Array, v: Array, t: Any, eta: Any, momentum: Any) -> tuple[Array, Array]:
        """Return theta + momentum v - eta g and the new velocity v."""
        v = momentum * v - eta * g
        return theta + momentum * v - eta * g, v
