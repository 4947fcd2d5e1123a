"""The engine that takes the steps of training as NumPy evaluates the formulas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glassnet.errors import NonFiniteError
from glassnet.nn.activations import Array
from glassnet.nn.dropout import mask_keys
from glassnet.runtime.threads import ThreadChoice
from glassnet.training.step_context import Engine, StepContext


class PlainEngine(Engine):
    """`Network.forward`, `Network.backward` and `Update.step`, as they stand."""

    def __init__(self, context: StepContext, threads: ThreadChoice, use_threads: Callable[[int], None]) -> None:
        self.context, self.threads, self.use_threads = context, threads, use_threads
        self.stopping = False  # whether to take no step more

    def take(self, rows: Array, moves: Array | None = None) -> tuple[list[float], Array, NonFiniteError | None]:
        """Train on rows, a batch a step; see `Engine`."""
        self.use_threads(self.threads.count)
        context, network = self.context, self.context.network
        numbers = context.state.t + 1 + np.arange(-(-len(rows) // context.batch_size))
        keys, factors = mask_keys(context.seed, numbers, len(network.W)), context.factors(numbers)
        losses: list[float] = []
        outputs: list[Array] = []
        for step, first in enumerate(range(0, len(rows), context.batch_size)):
            batch = slice(first, first + context.batch_size)
            try:
                loss, of_batch = self.learn(rows[batch], None if moves is None else moves[batch], keys[step])
            except NonFiniteError as error:
                return losses, np.empty(0), error
            context.update.step(network.parameters, context.state, float(factors[step]))
            losses.append(loss)
            outputs.append(of_batch)
            if self.stopping:
                break
        return losses, outputs[0] if len(outputs) == 1 else np.concatenate(outputs), None

    def learn(self, rows: Array, moves: Array | None, keys: Array) -> tuple[float, Array]:
        """Write the gradient of a batch into the network; return the loss and the outputs of all its rows.

        Raises `NonFiniteError` if the loss is not finite.
        """
        context, network = self.context, self.context.network
        cache = network.forward(context.batch(rows, moves), keys)
        loss = float(network.backward(cache, *context.labels(rows)))
        network.track(cache)
        context.update.optimizer.observe(cache, context.state)
        return loss, cache.outputs
