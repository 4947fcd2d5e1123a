"""The engines of training: the formulas as NumPy evaluates them, or a compiled program of them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from glassnet.compiled.program import Program
from glassnet.compiled.tracing import UntraceableError
from glassnet.errors import NonFiniteError, UsageError
from glassnet.nn.activations import Array
from glassnet.nn.dropout import mask_keys
from glassnet.nn.optimizers import LBFGS
from glassnet.runtime.blas import usual_threads
from glassnet.runtime.callers import warn_caller
from glassnet.runtime.compilation import compiling_alone, numba_version, vector_bytes
from glassnet.runtime.threads import ThreadChoice, available_cores
from glassnet.training.data_parallel import DataParallelEngine, Group
from glassnet.training.plain_engine import PlainEngine
from glassnet.training.quasi_newton import QuasiNewtonEngine
from glassnet.training.step_context import Engine, StepContext

#: Parameters times rows of an epoch from which on, by "auto", compiling and several threads are worth their while.
WORTH_COMPILING = 1e8

#: Threads that "auto" takes at most: shares of a layer that are smaller multiply slowly.
MOST_THREADS = 8

#: Shares that a step is cut into at most, whatever is asked for: each one has a batch of its own in memory.
MOST_SHARES = 64


class CompiledEngine(Engine):
    """A `Program`, whose result does not depend on how many threads run it."""

    kernels = "numba"
    steady = False

    def __init__(self, context: StepContext, program: Program, threads: ThreadChoice) -> None:
        self.context, self.program, self.threads = context, program, threads

    @property
    def shares(self) -> int:
        """See `Engine`."""
        return self.program.shares

    def take(self, rows: Array, moves: Array | None = None) -> tuple[list[float], Array, NonFiniteError | None]:
        """Train on rows, a batch a step; see `Engine`."""
        context, t = self.context, self.context.state.t
        factors = context.factors(t + 1 + np.arange(-(-len(rows) // context.batch_size)))
        losses, outputs = self.program.take(rows, self.threads.count, context.seed, factors, moves)
        first = len(losses) * context.batch_size
        batch = slice(first, first + context.batch_size)
        problem = None
        if first < len(rows):
            problem = self._find_problem(rows[batch], None if moves is None else moves[batch], t + len(losses) + 1)
        return losses.tolist(), outputs, problem

    def _find_problem(self, rows: Array, moves: Array | None, t: int) -> NonFiniteError:
        """Say what became of a batch whose loss is not finite, as `Network.backward` does."""
        self.store()
        context, network = self.context, self.context.network
        try:
            keys = mask_keys(context.seed, np.array([t]), len(network.W))[0]
            network.backward(network.forward(context.batch(rows, moves), keys), *context.labels(rows))
        except NonFiniteError as error:
            return error
        return NonFiniteError("the loss overflowed, at the very edge of the range of numbers")

    def load(self) -> None:
        """See `Engine`."""
        self.program.load()

    def store_theta(self) -> None:
        """See `Engine`."""
        self.program.store_theta()

    def store(self) -> None:
        """See `Engine`."""
        self.program.store()

    def close(self) -> None:
        """See `Engine`."""
        self.program.close()


def make_engine(
    context: StepContext,
    *,
    samples: int,
    kernels: str,
    threads: int | None,
    begun: Mapping[str, str] | None = None,
    use_threads: Callable[[int], None],
    group: Group | None = None,
) -> Engine:
    """Return the engine for a run; `samples` are the rows of an epoch, `use_threads` is that of `blas_threads`.

    Kernels "auto" compile where Numba is installed and an epoch is large enough. Without `threads`, measuring
    finds how many are best, up to those that this process may use. Where NumPy takes the steps, the bits depend on
    the threads. So a resumed run keeps to the kernels and shares that it began with, which `begun` says: the
    environment of its configuration. A `group` of processes takes the steps together, with NumPy. Raises
    `UsageError` if kernels "numba" are asked for and cannot be had.
    """
    begun = begun or {}
    kernels, shares = begun.get("kernels", kernels), begun.get("threads", "")
    if group is not None:
        own = threads or max(1, min(available_cores(), MOST_THREADS) // group.on_this_machine)
        use_threads(own)
        return DataParallelEngine(context, ThreadChoice(own, fixed=True), use_threads, group)
    allowed, fixed = min(available_cores(), MOST_THREADS, usual_threads()), threads is not None
    network = context.network
    large = samples * len(network.theta) >= WORTH_COMPILING
    if kernels == "numba" or (kernels == "auto" and large and context.update.elementwise):
        try:
            _require_compiler()
            with compiling_alone():
                program = Program(
                    network, context.update, context.state, context.X, context.targets,
                    batch_size=context.batch_size, shares=min(threads or allowed, MOST_SHARES),
                    weights=context.weights, image=context.image,
                )  # fmt: skip
            if threads is not None and threads > MOST_SHARES:
                warn_caller(f"threads: a compiled step takes {MOST_SHARES} at most, not {threads}")
            use_threads(1)  # the program's own threads multiply, each by itself
            kind = (threading.get_ident(), network.layers, context.batch_size, network.theta.dtype)
            choice = _choose_threads(program.shares, fixed, kind)
            return CompiledEngine(context, program, choice)
        except UntraceableError as error:
            if kernels == "numba":
                resumed = "the run began with compiled steps; resume it where they can be had"
                instead = resumed if "kernels" in begun else "take numpy"
                raise UsageError("kernels", f"numba: {error}; {instead}") from None
            if numba_version() is not None:
                warn_caller(f"kernels: numpy, because of this: {error}")
    before = int(shares) if shares.isdecimal() and len(shares) < 5 else 0
    choice = ThreadChoice(threads or before or allowed, fixed=fixed) if fixed or large else ThreadChoice(1)
    use_threads(choice.count)  # the network is examined before the first step, too
    optimizer = context.update.optimizer
    if isinstance(optimizer, LBFGS):
        return QuasiNewtonEngine(context, optimizer, choice, use_threads)
    return PlainEngine(context, choice, use_threads)


@functools.lru_cache(maxsize=64)
def _choose_threads(most: int, fixed: bool, kind: Any) -> ThreadChoice:
    """Return the choice for a kind of step, with what this thread has measured for it before."""
    return ThreadChoice(most, fixed=fixed)


def _require_compiler() -> None:
    """Raise `UntraceableError` saying why there can be no program, where that is so."""
    if numba_version() is None:
        raise UntraceableError("Numba is not installed (pip install 'glassnet[fast]')")
    if vector_bytes() == 0:
        raise UntraceableError("the processor has no fused multiply-adds")
