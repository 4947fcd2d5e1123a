"""One step of training: what is done to the gradient, the optimizer's rule, and what is done to theta after it.

In this order, with theta_W for the weights alone (biases and the scales of batch normalisation are not penalised):

1. the gradient is clipped: its norm to at most ``clip_norm`` (Pascanu et al. 2013, algorithm 1), then each of its
   entries to at most ``clip_value``;
2. penalties on the weights add their slopes: ``l2`` theta_W, that of l2/2 |theta_W|^2, and ``l1`` sign(theta_W),
   that of l1 |theta_W|_1 (Goodfellow et al. 2016, section 7.1);
3. the weights shrink by eta ``weight_decay`` theta_W, apart from the gradient (Loshchilov, Hutter 2019);
4. the optimizer's rule;
5. the average of theta moves on: average = d average + (1 - d) theta, d = min(``ema``, (1 + t) / (10 + t)), so
   that what theta was before the first steps is soon forgotten (Polyak and Juditsky 1992);
6. the weights into a hidden unit that are longer than ``max_norm`` are shortened to it (Srivastava et al.
   2014, section 5.1).

All but norms are elementwise: with the optimizer's rule they are one formula, and where steps are compiled, one
loop.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from glassnet.nn.activations import Array
from glassnet.nn.optimizers.base import Optimizer, OptimizerState, apply_rule
from glassnet.nn.parameters import Parameters
from glassnet.nn.registry import Ranges, check_options

#: What holds of the options, and how it is said.
RANGES: Ranges = {
    **dict.fromkeys(("l1", "l2", "weight_decay"), (lambda value: value >= 0, ">= 0")),
    **dict.fromkeys(("clip_norm", "clip_value", "max_norm"), (lambda value: value > 0, "> 0")),
    "ema": (lambda value: 0 < value < 1, "between 0 and 1"),
}


@dataclass(frozen=True)
class Update:
    """What takes a step; see this module.

    Parameters
    ----------
    optimizer : Optimizer
        Its rule takes the step.
    l1, l2, weight_decay : float, default 0
        What is done to the weights, >= 0.
    clip_norm, clip_value, max_norm : float, optional
        The longest or largest that is left as it is, > 0. None: everything is.
    ema : float, optional
        Share of the average of theta that is kept at each step, between 0 and 1. None: there is no average.

    Raises
    ------
    UsageError
        If an option is not a finite number in its range.

    Examples
    --------
    >>> from glassnet.nn.optimizers import SGD
    >>> parameters = Parameters([1, 1], np.float64)
    >>> parameters.theta[:], parameters.gradient[:] = [2.0, 3.0], [1.0, 1.0]
    >>> update = Update(SGD(0.1), l2=0.5)
    >>> update.step(parameters, update.start(parameters))
    >>> parameters.theta  # w = 2 - 0.1 (1 + 0.5 * 2), b = 3 - 0.1 * 1
    array([1.8, 2.9])
    """

    optimizer: Optimizer
    l1: float = 0.0
    l2: float = 0.0
    weight_decay: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    max_norm: float | None = None
    ema: float | None = None

    def __post_init__(self) -> None:
        options = fields(self)[1:]
        given = [o.name for o in options if o.default is not None or getattr(self, o.name) is not None]
        check_options(self, given, RANGES)

    @property
    def elementwise(self) -> bool:
        """Whether the optimizer is a rule for each parameter by itself; else it has a step of its own."""
        return type(self.optimizer).step is Optimizer.step

    @property
    def memory_vectors(self) -> int:
        """Vectors of theta's shape that are remembered between steps: the optimizer's, then the average."""
        return self.optimizer.memory_vectors + (self.ema is not None)

    def start(self, parameters: Parameters) -> OptimizerState:
        """Return the memory before the first step."""
        state = self.optimizer.start(parameters.theta, parameters)
        if self.ema is not None:
            state.memory.append(parameters.theta.copy())
        return state

    def average(self, state: OptimizerState) -> Array | None:
        """Return the average of theta so far, of shape (p,); None without ``ema``."""
        return None if self.ema is None else state.memory[-1]

    def numbers(self, t: Any, factor: Any, *, weights: bool) -> dict[str, Any]:
        """Return what `rule` is called with beside arrays, for weights or for parameters that are not penalised.

        t is the number of a step or of several, and a schedule multiplies their sizes by factor.
        """
        numbers: dict[str, Any] = self.optimizer.hyper_parameters()
        numbers["eta"] = numbers["eta"] * factor
        on = 1.0 if weights else 0.0
        numbers |= {"penalty_1": on * self.l1, "penalty_2": on * self.l2}
        numbers["shrink"] = on * self.weight_decay * numbers["eta"]
        if self.ema is not None:
            decay = np.minimum(self.ema, (1 + t) / (10 + t))
            numbers["decay"] = decay if np.ndim(decay) else float(decay)  # a float leaves float32 what it is
        return {"t": t, **numbers}

    def rule(self, theta: Array, g: Array, *memory: Array, t: Any, **numbers: Any) -> tuple[Array, ...]:
        """Return the new theta and memory: all of a step that is elementwise, as one formula."""
        penalty_1, penalty_2, shrink = (numbers.pop(name) for name in ("penalty_1", "penalty_2", "shrink"))
        g = self._penalise(theta, g, penalty_1, penalty_2)
        theta = self._shrink(theta, shrink)
        if self.ema is None:
            return self.optimizer.rule(theta, g, *memory, t=t, **numbers)
        decay = numbers.pop("decay")
        theta, *others = self.optimizer.rule(theta, g, *memory[:-1], t=t, **numbers)
        return theta, *others, move_average(memory[-1], theta, decay)

    def _penalise(self, theta: Array, g: Array, penalty_1: Any, penalty_2: Any) -> Array:
        if self.clip_value is not None:
            g = np.minimum(np.maximum(g, -self.clip_value), self.clip_value)
        if self.l2:
            g = g + penalty_2 * theta
        if self.l1:
            g = g + penalty_1 * np.sign(theta)
        return g

    def _shrink(self, theta: Array, shrink: Any) -> Array:
        return theta - shrink * theta if self.weight_decay else theta

    def step(self, parameters: Parameters, state: OptimizerState, factor: float = 1.0) -> None:
        """Take one step by ``parameters.gradient``: parameters and state, from `start`, are updated in place.

        The gradient is changed by `clip_norm` alone. A schedule multiplies the step size by factor.
        """
        theta, gradient = parameters.theta, parameters.gradient
        if self.clip_norm is not None:
            norm = float(np.sqrt(np.square(gradient, dtype=np.float64).sum()))
            gradient *= shorten(norm, self.clip_norm).astype(gradient.dtype)
        numbers = self.numbers(state.t + 1, factor, weights=True)
        penalties = [numbers.pop(name) for name in ("penalty_1", "penalty_2", "shrink")]
        decay = numbers.pop("decay", None)
        if self.l1 or self.l2 or self.weight_decay or self.clip_value is not None:
            gradient = gradient.copy()  # that of the loss stays what it is
            for name, part in parameters.blocks.items():
                penalty_1, penalty_2, shrink = penalties if name[0] == "W" else (0.0, 0.0, 0.0)
                gradient[part] = self._penalise(theta[part], gradient[part], penalty_1, penalty_2)
                theta[part] = self._shrink(theta[part], shrink)
        if self.elementwise:
            state.t += 1
            memory = state.memory[: self.optimizer.memory_vectors]
            apply_rule(self.optimizer.rule, theta, gradient, memory, numbers)
        elif factor > 0:
            learning_rate = factor * self.optimizer.learning_rate
            replace(self.optimizer, learning_rate=learning_rate).step(theta, gradient, state)
        else:
            state.t += 1
        if self.ema is not None:
            state.memory[-1][:] = move_average(state.memory[-1], theta, decay)
        if self.max_norm is not None:
            for W in parameters.W[:-1]:
                W *= shorten(np.sqrt((W * W).sum(axis=0)), self.max_norm)


#: The options of an update beside the optimizer; a training run has them by the same names.
UPDATE_OPTIONS = tuple(one.name for one in fields(Update)[1:])


def move_average(average: Array, theta: Array, decay: Any) -> Array:
    """Return decay average + (1 - decay) theta."""
    return decay * average + (1 - decay) * theta


def shorten(length: Any, limit: float) -> Any:
    """Return the factor that makes a length at most `limit`; 1 where it is."""
    longer = length > limit
    return np.where(longer, limit / np.where(longer, length, 1), 1).astype(np.asarray(length).dtype)
