"""What takes the steps of training: the formulas as NumPy evaluates them, or a compiled program of them."""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from glassnet.errors import NonFiniteError, UsageError
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.optimizers import Optimizer, OptimizerState
from glassnet.nn.program import Program
from glassnet.nn.tracing import UntraceableError
from glassnet.runtime.blas import Gemm, find_gemm, usual_threads
from glassnet.runtime.compilation import numba_version
from glassnet.runtime.threads import ThreadChoice, available_cores

#: Parameters times rows of an epoch from which on, by "auto", compiling and several threads are worth their while.
WORTH_COMPILING = 2e8

#: Threads that "auto" takes at most: shares of a layer that are smaller multiply slowly.
MOST_THREADS = 8


class Engine(Protocol):
    """Takes steps, and knows how many threads it does so with.

    Attributes
    ----------
    kernels : str
        ``"numba"`` or ``"numpy"``.
    threads : ThreadChoice
        How many threads take the steps.
    steady : bool
        The threads change between epochs only, once they have been tried: the bits of the result depend on them.
    """

    kernels: str
    threads: ThreadChoice
    steady: bool

    def take(self, rows: Array) -> tuple[list[float], Array, NonFiniteError | None]:
        """Train on rows, a batch a step: the losses, the outputs of all rows, and what ended it early."""

    def store(self) -> None:
        """Bring theta and the optimizer's memory up to date."""

    def close(self) -> None:
        """Give threads back."""


class PlainEngine:
    """`Network.forward`, `Network.backward` and `Optimizer.step`, as they stand."""

    kernels = "numpy"
    steady = True

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        state: OptimizerState,
        X: Array,
        targets: Array,
        batch_size: int,
        threads: ThreadChoice,
        use_threads: Callable[[int], None],
    ) -> None:
        self.network, self.optimizer, self.state = network, optimizer, state
        self.X, self.targets, self.batch_size = X, targets, batch_size
        self.threads, self.use_threads = threads, use_threads

    def take(self, rows: Array) -> tuple[list[float], Array, NonFiniteError | None]:
        """Train on rows, a batch a step."""
        self.use_threads(self.threads.count)
        losses, outputs = [], []
        for first in range(0, len(rows), self.batch_size):
            batch = rows[first : first + self.batch_size]
            trace = self.network.forward(self.network.input_batch(self.X[batch]))
            try:
                losses.append(float(self.network.backward(trace, self.targets[batch])))
            except NonFiniteError as error:
                return losses, trace.outputs, error
            self.optimizer.step(self.network.theta, self.network.gradient, self.state)
            outputs.append(trace.outputs)
        return losses, outputs[0] if len(outputs) == 1 else np.concatenate(outputs), None

    def store(self) -> None:
        """Do nothing: theta is always up to date."""

    def close(self) -> None:
        """Do nothing: there are no threads."""


class CompiledEngine:
    """A `Program`, whose result does not depend on how many threads run it."""

    kernels = "numba"
    steady = False

    def __init__(self, program: Program, threads: ThreadChoice) -> None:
        self.program, self.threads = program, threads

    def take(self, rows: Array) -> tuple[list[float], Array, NonFiniteError | None]:
        """Train on rows, a batch a step."""
        program = self.program
        losses, outputs = program.take(rows, self.threads.count)
        first = len(losses) * program.batch_size
        problem = self._problem(rows[first : first + program.batch_size]) if first < len(rows) else None
        return losses.tolist(), outputs, problem

    def _problem(self, batch: Array) -> NonFiniteError:
        """Say what became of a batch whose loss is not finite, as `Network.backward` does."""
        self.store()
        network = self.program.network
        try:
            trace = network.forward(network.input_batch(self.program.X[batch]))
            network.backward(trace, self.program.targets[batch])
        except NonFiniteError as error:
            return error
        return NonFiniteError("the loss overflowed, at the very edge of the range of numbers")

    def store(self) -> None:
        """Bring theta and the optimizer's memory up to date."""
        self.program.store()

    def close(self) -> None:
        """Give threads back."""
        self.program.close()


def make_engine(
    network: Network,
    optimizer: Optimizer,
    state: OptimizerState,
    X: Array,
    targets: Array,
    *,
    batch_size: int,
    samples: int,
    kernels: str,
    threads: int | None,
    use_threads: Callable[[int], None],
) -> Engine:
    """Return the engine for a run.

    Parameters
    ----------
    network, optimizer, state, X, targets, batch_size
        See `Program`.
    samples : int
        Rows of an epoch.
    kernels : {"auto", "numba", "numpy"}
        "auto" compiles where Numba is installed and an epoch is large enough.
    threads : int or None
        None: as many as measuring finds best, up to the cores there are.
    use_threads : callable
        From `glassnet.runtime.blas.blas_threads`.

    Raises
    ------
    UsageError
        If kernels "numba" are asked for and cannot be had.
    """
    most = threads or min(available_cores(), MOST_THREADS, usual_threads())
    fixed = threads is not None
    large = samples * len(network.theta) >= WORTH_COMPILING
    if kernels == "numba" or (kernels == "auto" and large):
        try:
            gemm = _gemm(network.theta.dtype)
            program = Program(network, optimizer, state, X, targets, batch_size=batch_size, shares=most, gemm=gemm)
            use_threads(1)  # the program's own threads multiply, each by itself
            kind = (threading.get_ident(), network.layers, batch_size, network.theta.dtype)
            choice = _choice(most, fixed, kind)
            return CompiledEngine(program, choice)
        except UntraceableError as error:
            if kernels == "numba":
                raise UsageError("kernels", f"numba: {error}; take numpy") from None
            if numba_version() is not None:
                warnings.warn(f"kernels: numpy, because of this: {error}", stacklevel=4)
    choice = ThreadChoice(most, fixed=fixed) if fixed or large else ThreadChoice(1)
    return PlainEngine(network, optimizer, state, X, targets, batch_size, choice, use_threads)


@functools.lru_cache(maxsize=64)
def _choice(most: int, fixed: bool, kind: Any) -> ThreadChoice:
    """Return the choice for a kind of step, with what this thread has measured for it before."""
    return ThreadChoice(most, fixed=fixed)


def _gemm(dtype: Any) -> Gemm:
    """Return what a program multiplies with, or raise `UntraceableError` saying why there can be no program."""
    if numba_version() is None:
        raise UntraceableError("Numba is not installed (pip install 'glassnet[fast]')")
    gemm = find_gemm(dtype)
    if gemm is None:
        raise UntraceableError("NumPy's BLAS has no cblas_gemm to call")
    return gemm
