"""What takes the steps of training: the formulas as NumPy evaluates them, or a compiled program of them."""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from glassnet.compiled.program import Program
from glassnet.compiled.tracing import UntraceableError
from glassnet.errors import NonFiniteError, UsageError
from glassnet.nn.activations import Array
from glassnet.nn.dropout import mask_keys
from glassnet.nn.optimizers import LBFGS
from glassnet.runtime.blas import Gemm, find_gemm, usual_threads
from glassnet.runtime.compilation import numba_version
from glassnet.runtime.threads import ThreadChoice, available_cores
from glassnet.training.quasi_newton import QuasiNewtonEngine
from glassnet.training.work import Work

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

    def take(self, rows: Array, moves: Array | None = None) -> tuple[list[float], Array, NonFiniteError | None]:
        """Train on rows, a batch a step: the losses, the outputs of all rows, and what ended it early.

        Each row's image is moved as its row of `moves` says, from `glassnet.data.augmentation`.
        """

    def load(self) -> None:
        """Take up theta, the statistics and the optimizer's memory as they have been set."""

    def store_theta(self) -> None:
        """Bring theta and the statistics up to date, which is all that looking at the network takes."""

    def store(self) -> None:
        """Bring theta, the statistics and the optimizer's memory up to date."""

    def close(self) -> None:
        """Give threads back."""


class PlainEngine:
    """`Network.forward`, `Network.backward` and `Update.step`, as they stand."""

    kernels = "numpy"
    steady = True

    def __init__(self, work: Work, threads: ThreadChoice, use_threads: Callable[[int], None]) -> None:
        self.work, self.threads, self.use_threads = work, threads, use_threads

    def take(self, rows: Array, moves: Array | None = None) -> tuple[list[float], Array, NonFiniteError | None]:
        """Train on rows, a batch a step."""
        self.use_threads(self.threads.count)
        work, network = self.work, self.work.network
        numbers = work.state.t + 1 + np.arange(-(-len(rows) // work.batch_size))
        keys, factors = mask_keys(work.seed, numbers, len(network.W)), work.factors(numbers)
        losses, outputs = [], []
        for step, first in enumerate(range(0, len(rows), work.batch_size)):
            batch = slice(first, first + work.batch_size)
            X = work.batch(rows[batch], None if moves is None else moves[batch])
            trace = network.forward(X, keys[step])
            weights = None if work.weights is None else work.weights[rows[batch]]
            try:
                losses.append(float(network.backward(trace, work.targets[rows[batch]], weights)))
            except NonFiniteError as error:
                return losses, trace.outputs, error
            network.track(trace)
            work.update.optimizer.observe(trace, work.state)
            work.update.step(network.parameters, work.state, float(factors[step]))
            outputs.append(trace.outputs)
        return losses, outputs[0] if len(outputs) == 1 else np.concatenate(outputs), None

    def load(self) -> None:
        """Do nothing: theta itself is worked on."""

    def store_theta(self) -> None:
        """Do nothing: theta is always up to date."""

    def store(self) -> None:
        """Do nothing: all is always up to date."""

    def close(self) -> None:
        """Do nothing: there are no threads."""


class CompiledEngine:
    """A `Program`, whose result does not depend on how many threads run it."""

    kernels = "numba"
    steady = False

    def __init__(self, work: Work, program: Program, threads: ThreadChoice) -> None:
        self.work, self.program, self.threads = work, program, threads

    def take(self, rows: Array, moves: Array | None = None) -> tuple[list[float], Array, NonFiniteError | None]:
        """Train on rows, a batch a step."""
        work, t = self.work, self.work.state.t
        factors = work.factors(t + 1 + np.arange(-(-len(rows) // work.batch_size)))
        losses, outputs = self.program.take(rows, self.threads.count, work.seed, factors, moves)
        first = len(losses) * work.batch_size
        batch = slice(first, first + work.batch_size)
        problem = None
        if first < len(rows):
            problem = self._problem(rows[batch], None if moves is None else moves[batch], t + len(losses) + 1)
        return losses.tolist(), outputs, problem

    def _problem(self, rows: Array, moves: Array | None, t: int) -> NonFiniteError:
        """Say what became of a batch whose loss is not finite, as `Network.backward` does."""
        self.store()
        work, network = self.work, self.work.network
        try:
            keys = mask_keys(work.seed, np.array([t]), len(network.W))[0]
            weights = None if work.weights is None else work.weights[rows]
            network.backward(network.forward(work.batch(rows, moves), keys), work.targets[rows], weights)
        except NonFiniteError as error:
            return error
        return NonFiniteError("the loss overflowed, at the very edge of the range of numbers")

    def load(self) -> None:
        """Take up theta, the statistics and the optimizer's memory as they have been set."""
        self.program.load()

    def store_theta(self) -> None:
        """Bring theta and the statistics up to date, which is all that looking at the network takes."""
        self.program.store_theta()

    def store(self) -> None:
        """Bring theta, the statistics and the optimizer's memory up to date."""
        self.program.store()

    def close(self) -> None:
        """Give threads back."""
        self.program.close()


def make_engine(
    work: Work,
    *,
    samples: int,
    kernels: str,
    threads: int | None,
    most: int | None = None,
    use_threads: Callable[[int], None],
) -> Engine:
    """Return the engine for a run.

    Parameters
    ----------
    work : Work
        What there is to do.
    samples : int
        Rows of an epoch.
    kernels : {"auto", "numba", "numpy"}
        "auto" compiles where Numba is installed and an epoch is large enough.
    threads : int or None
        None: as many as measuring finds best, up to the cores there are.
    most : int or None
        Instead of the cores there are, those that a run that goes on began with: the bits depend on them.
    use_threads : callable
        From `glassnet.runtime.blas.blas_threads`.

    Raises
    ------
    UsageError
        If kernels "numba" are asked for and cannot be had.
    """
    most = threads or most or min(available_cores(), MOST_THREADS, usual_threads())
    fixed = threads is not None
    network = work.network
    large = samples * len(network.theta) >= WORTH_COMPILING
    if kernels == "numba" or (kernels == "auto" and large and work.update.elementwise):
        try:
            program = Program(
                network, work.update, work.state, work.X, work.targets,
                batch_size=work.batch_size, shares=most, gemm=_gemm(network.theta.dtype),
                weights=work.weights, image=work.image,
            )  # fmt: skip
            use_threads(1)  # the program's own threads multiply, each by itself
            kind = (threading.get_ident(), network.layers, work.batch_size, network.theta.dtype)
            choice = _choice(most, fixed, kind)
            return CompiledEngine(work, program, choice)
        except UntraceableError as error:
            if kernels == "numba":
                raise UsageError("kernels", f"numba: {error}; take numpy") from None
            if numba_version() is not None:
                warnings.warn(f"kernels: numpy, because of this: {error}", stacklevel=5)
    choice = ThreadChoice(most, fixed=fixed) if fixed or large else ThreadChoice(1)
    optimizer = work.update.optimizer
    if isinstance(optimizer, LBFGS):
        return QuasiNewtonEngine(work, optimizer, choice, use_threads)
    return PlainEngine(work, choice, use_threads)


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
