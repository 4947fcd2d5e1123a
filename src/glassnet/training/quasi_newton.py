"""Training by L-BFGS: SciPy minimises the loss of an epoch's rows as a function of theta."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from glassnet.errors import NonFiniteError, UsageError
from glassnet.nn.activations import Array
from glassnet.nn.input_rows import BLOCK_ROWS
from glassnet.nn.optimizers import LBFGS
from glassnet.nn.parameters import Parameters
from glassnet.nn.update import Update
from glassnet.runtime.threads import ThreadChoice
from glassnet.training.step_context import Engine, StepContext

#: Where the loss is not finite, SciPy is told this many times what it was at the start: go back.
TOO_FAR = 10.0

#: An epoch that has a tolerance ends, too, where the loss falls by less than this share of itself.
STANDSTILL = 2.220446049250313e-9

#: ``penalty(theta) -> (value, gradient of shape (p,))``.
Penalty = Callable[[Array], tuple[float, Array]]


def make_penalty(update: Update, parameters: Parameters) -> Penalty | None:
    """Return what an update's ``l2`` adds to the loss, l2 / 2 times the sum of the squared weights; None without.

    Raises `UsageError` if the update does more to gradient or weights: L-BFGS minimises one smooth function.
    """
    for option in ("l1", "weight_decay", "clip_norm", "clip_value", "max_norm", "ema"):
        if getattr(update, option):
            raise UsageError(option, "lbfgs minimises one smooth function; leave it out, take l2, or take adam")
    if not update.l2:
        return None
    weights = Parameters(parameters.layers, np.float64)
    for W in weights.W:
        W[:] = update.l2

    def penalty(theta: Array) -> tuple[float, Array]:
        slope = weights.theta * theta
        return float(slope @ theta) / 2, slope

    return penalty


class QuasiNewtonEngine(Engine):
    """SciPy's L-BFGS-B without bounds (Byrd, Lu, Nocedal and Zhu 1995), a call an epoch.

    What it has learned of the curvature ends with the epoch, so that nothing but theta has to be kept between two.

    SciPy works in float64. Where the network is float32, each theta that SciPy proposes is rounded to float32, and
    there loss and gradient are computed, in float32 within a block of rows and summed over the blocks in float64.

    `result` is what SciPy said of the latest epoch, an ``OptimizeResult``.

    What the update's ``l2`` adds to the loss is minimised with it, and is no part of what is reported. Raises
    `UsageError` if the network has dropout or batch normalisation, as theta alone has to decide the loss.
    """

    def __init__(
        self, context: StepContext, optimizer: LBFGS, threads: ThreadChoice, use_threads: Callable[[int], None]
    ) -> None:
        network = context.network
        for option, used in (("dropout", any(network.dropout)), ("batch_norm", any(network.batch_norm))):
            if used:
                raise UsageError(option, "lbfgs needs a loss that theta alone decides; leave it out, or take adam")
        self.context, self.optimizer = context, optimizer
        self.penalty = make_penalty(context.update, network.parameters)
        self.threads, self.use_threads = threads, use_threads
        self.result: Any = None

    def take(self, rows: Array, moves: Array | None = None) -> tuple[list[float], Array, NonFiniteError | None]:
        """Run L-BFGS on these rows; the one loss, and the outputs, are those at the theta before it.

        Each row's image is moved as its row of `moves` says, the same way in every iteration.
        """
        from scipy.optimize import minimize

        self.use_threads(self.threads.count)
        theta, start = self.context.network.theta, self.context.network.theta.copy()
        before: list[tuple[float, Array]] = []

        def objective(proposed: Array) -> tuple[float, Array]:
            theta[:] = proposed
            try:
                loss, gradient, outputs = self.loss_and_gradient(rows, moves)
            except NonFiniteError:
                if not before:
                    raise
                return TOO_FAR * (1 + abs(before[0][0])), np.zeros_like(proposed)
            if not before:
                before.append((loss, outputs))
            value, slope = self.penalty(theta) if self.penalty else (0.0, 0.0)
            return loss + value, gradient + slope

        try:
            self.result = minimize(
                objective,
                start,
                method="L-BFGS-B",
                jac=True,
                options={
                    "maxcor": self.optimizer.memory,
                    "maxiter": self.optimizer.iterations,
                    "maxfun": self.optimizer.evaluations,
                    "ftol": STANDSTILL if self.optimizer.tolerance else 0.0,
                    "gtol": self.optimizer.tolerance,
                },
            )
        except NonFiniteError as error:
            return [], np.empty((0, self.context.targets.shape[1])), error
        theta[:] = self.result.x
        self.context.state.t += int(self.result.nit)
        loss, outputs = before[0]
        return [loss], outputs, None

    def loss_and_gradient(self, rows: Array, moves: Array | None = None) -> tuple[float, Array, Array]:
        """Return the loss of these rows at the network's theta, its gradient in float64, and the outputs.

        The rows go through in blocks: 60,000 of them need no more memory than a block and the outputs. Raises
        `NonFiniteError` if the loss or its gradient is not finite.
        """
        network = self.context.network
        loss, gradient, outputs = 0.0, np.zeros(len(network.theta)), []
        for first in range(0, len(rows), BLOCK_ROWS):
            part = slice(first, first + BLOCK_ROWS)
            block = rows[part]
            share = len(block) / len(rows) if network.loss.reduction == "mean" else 1.0
            cache = network.forward(self.context.batch(block, None if moves is None else moves[part]))
            loss += share * float(network.backward(cache, *self.context.labels(block)))
            gradient += share * network.gradient
            outputs.append(cache.outputs)
        bad = np.flatnonzero(~np.isfinite(gradient))
        if len(bad):
            raise NonFiniteError(f"the slope by {network.parameters.name(bad[0])} became {gradient[bad[0]]}")
        return loss, gradient, np.concatenate(outputs)
