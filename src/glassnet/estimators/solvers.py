"""From scikit-learn's parameters to the objects that the Trainer takes: optimizer, rows of an epoch, options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glassnet.errors import UsageError
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.optimizers import LBFGS, OPTIMIZERS, SGD, Adam, Momentum, Nesterov, Optimizer
from glassnet.training.sampling import Sampler


@dataclass(frozen=True)
class ShuffledRows(Sampler):
    """The rows as scikit-learn orders them: each epoch shuffles the order of the one before; or as they stand."""

    random_state: Any = None  # None: they are not shuffled
    rows: Array = field(default_factory=lambda: np.empty(0, np.intp), compare=False)

    @classmethod
    def of(cls, n: int, batch_size: int, random_state: Any) -> ShuffledRows:
        """Return the order of n rows."""
        return cls(n, n, batch_size, random_state=random_state, rows=np.arange(n))

    def order(self, rng: np.random.Generator) -> Array:
        """Return the row numbers of one epoch."""
        if self.random_state is not None:
            move = np.arange(self.n)
            self.random_state.shuffle(move)
            self.rows[:] = self.rows[move]
        return self.rows


@dataclass(frozen=True)
class ScaledAdam(Adam):
    """Adam as scikit-learn has it: epsilon is added before v is corrected (Kingma and Ba 2015, section 2, end).

    Weights whose gradient is as small as epsilon move otherwise than by `Adam`.
    """

    name = "scaled_adam"

    @staticmethod
    def rule(
        theta: Array, g: Array, *memory: Array, t: Any, eta: Any, beta1: Any, beta2: Any, epsilon: Any
    ) -> tuple[Array, Array, Array]:
        """Return the new theta, m and v."""
        m, v = memory
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        step = eta * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        return theta - step * m / (np.sqrt(v) + epsilon), m, v


def choose_optimizer(parameters: Any) -> Optimizer:
    """Return what takes the steps: glassnet's `optimizer` where one is given, else scikit-learn's `solver`."""
    if parameters.optimizer is not None:
        return OPTIMIZERS.resolve(parameters.optimizer)
    rate, momentum = float(parameters.learning_rate_init), float(parameters.momentum)
    if parameters.solver == "adam":
        return ScaledAdam(rate, float(parameters.beta_1), float(parameters.beta_2), float(parameters.epsilon))
    if parameters.solver == "sgd":
        if not momentum:
            return SGD(rate)
        return Nesterov(rate, momentum) if parameters.nesterovs_momentum else Momentum(rate, momentum)
    return LBFGS(
        iterations=int(parameters.max_iter), evaluations=int(parameters.max_fun), tolerance=float(parameters.tol)
    )


def draw_weights(network: Network, random_state: Any, *, narrow: bool) -> None:
    """Draw weights and biases as scikit-learn does, the same from the same state: after Glorot and Bengio (2010).

    Both are uniform on +-sqrt(6 / (d_in + d_out)), or sqrt(2 / ...) where the activation is the logistic one.
    """
    for W, b in zip(network.W, network.b, strict=True):
        bound = np.sqrt((2.0 if narrow else 6.0) / sum(W.shape))
        W[:] = random_state.uniform(-bound, bound, W.shape)
        b[:] = random_state.uniform(-bound, bound, len(b))
    network.initializer = "array"


def set_weights(network: Network, weights: Any, name: str = "initial_weights") -> None:
    """Give a network weights: theta, a pair (coefs, intercepts), or those of a fitted estimator or network."""
    if hasattr(weights, "coefs_"):
        weights = weights.coefs_, weights.intercepts_
    if isinstance(weights, Network):
        weights = weights.theta
    if isinstance(weights, tuple | list) and len(weights) == 2 and isinstance(weights[0], Sequence):
        for letter, mine, given in (("coefs", network.W, weights[0]), ("intercepts", network.b, weights[1])):
            shapes = [np.shape(one) for one in given]
            if shapes != [one.shape for one in mine]:
                expected = [one.shape for one in mine]
                raise UsageError(name, f"{letter} must have the shapes {expected}, got {shapes}")
            for own, other in zip(mine, given, strict=True):
                own[:] = other
    else:
        theta = np.asarray(weights, network.theta.dtype)
        if theta.shape != network.theta.shape:
            raise UsageError(
                name, f"expected {len(network.theta)} numbers, or a pair (coefs, intercepts), got {theta.shape}"
            )
        network.theta[:] = theta
    if not np.isfinite(network.theta).all():
        raise UsageError(name, "must be finite numbers")
    network.initializer = "array"


def seed_of(random_state: Any) -> int:
    """Return a seed for what scikit-learn draws nothing for, such as dropout; the state is left as it is."""
    if isinstance(random_state, int | np.integer) and not isinstance(random_state, bool):
        return int(random_state)
    state = np.random.RandomState()
    if isinstance(random_state, np.random.RandomState):
        state.set_state(random_state.get_state())
    return int(state.randint(2**31 - 1))
