"""A network and an optimizer as one compiled program: the formulas' loops inside the step of training.

`glassnet.nn.backpropagation` and the optimizers are what a program computes; it is faster because each formula is
one loop without temporaries, because many steps run without Python, and because threads share the whole step, not
one product at a time (see `glassnet.nn.compiled_step`). A test holds both together.
"""

from __future__ import annotations

import importlib.resources
import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from glassnet.nn.activations import Activation, Array
from glassnet.nn.batch_norm import EPSILON, MOMENTUM
from glassnet.nn.compiled_step import cut
from glassnet.nn.dropout import mask_keys, threshold
from glassnet.nn.loops import Loop, sources
from glassnet.nn.losses import Loss
from glassnet.nn.network import Network
from glassnet.nn.optimizer import OptimizerState
from glassnet.nn.parameters import Parameters
from glassnet.nn.tracing import REDUCTIONS, ROW, UntraceableError, array, evaluate, in_order, row, scalar, trace
from glassnet.nn.update import Update
from glassnet.runtime.blas import Gemm
from glassnet.runtime.compilation import MACHINE_FUNCTIONS, compile_function, foreign_function

#: Rows that go through the layers at a time; the gradient of a larger batch is added up over such blocks.
BLOCK_ROWS = 1024

#: Bytes that all workers' copies of a batch may take.
MOST_BATCH = 2**30

#: A cache line in bytes: what different threads write stands at least so far apart.
LINE = 64

#: Where images are taken as they are.
NO_MOVES = np.zeros((0, 7), np.int32)

HEADER = """# Written by glassnet from the formulas of {formulas!r}; safe to delete.
from math import floor

from numpy import arctan, cos, cosh, float32, float64, inf, int32, int64, intp, isfinite, sin, sinh, sqrt
from numpy import uint32, uint64

real, whole, integer = {real}, {whole}, {integer}
ZERO, HALF, ONE, TWO, infinity, nan = real(0), real(0.5), real(1), real(2), real(inf), real(inf - inf)
TERMS, LOG_TERMS, SHIFT, BIAS, MANTISSA = {terms}, {log_terms}, whole({shift}), whole({bias}), whole({mantissa})
LOG2_E, ROOT_2 = real(1.4426950408889634), real(1.4142135623730951)
LOG_2_HIGH, LOG_2_LOW = real({high}), real({low})
SMALLEST, LARGEST, TINY = real({smallest}), real({largest}), real({tiny})
AHEAD, LINE, TURNS = 4, {line}, 20000
EPSILON, MOMENTUM = real({epsilon}), real({momentum})
ROW_MAJOR, AS_IT_IS, TURNED = int32(101), int32(111), int32(112)


def address(numbers):
    return intp(numbers.ctypes.data)


"""

#: What the header says of each dtype: the numbers of IEEE 754, and log 2 in two parts (Cody and Waite 1980).
CONSTANTS: dict[str, dict[str, Any]] = {
    "float32": {
        "whole": "int32", "terms": 7, "log_terms": 8, "shift": 23, "bias": 127, "mantissa": 2**23 - 1,
        "high": 0.693359375, "low": -2.12194440e-4, "smallest": -86.6, "largest": 88.72283, "tiny": 2.0**-126,
    },
    "float64": {
        "whole": "int64", "terms": 13, "log_terms": 17, "shift": 52, "bias": 1023, "mantissa": 2**52 - 1,
        "high": 6.93147180369123816490e-01, "low": 1.90821492927058770002e-10,
        "smallest": -707.7, "largest": 709.782712893384, "tiny": 2.0**-1022,
    },
}  # fmt: skip


class Step(NamedTuple):
    """The shape of a step and the memory that it works in; see `glassnet.nn.compiled_step`."""

    layers: Array
    kinds: Array
    normalises: Array
    thresholds: Array
    factors: Array
    shares: int
    workers: int
    rows: int
    input_scale: Any
    image: Array
    theta: Array
    gradient: Array
    memory: Array
    batch: Array
    H: Array
    Z: Array
    delta: Array
    X_hat: Array
    mean: Array
    variance: Array
    inverse: Array
    weights: Array
    clip_norm: float
    max_norm: Any
    share_bias: Array
    share_loss: Array
    share_norm: Array
    scratch: Array
    no_scalars: Array
    flags: Array


class Formulas:
    """The loops of a network's and an optimizer's formulas.

    Raises
    ------
    UntraceableError
        If a formula does what loops cannot be written for.

    Examples
    --------
    >>> from glassnet.nn.optimizers import SGD
    >>> formulas = Formulas(Network([2, 3, 2]), Update(SGD()))
    >>> print(formulas.loops[0].source())
    def activate_0(z, b, h, scalars, scratch):
        for j in range(len(z)):
            v0 = z[j]
            v1 = b[j]
            v2 = v0 + v1
            v4 = (v2 if (v2 >= real(0.0)) | (v2 != v2) else real(0.0))
            z[j] = v2
            h[j] = v4
    <BLANKLINE>
    """

    def __init__(self, network: Network, update: Update) -> None:
        for thing, base in ((network, Network), (network.loss, Loss)):
            if type(thing) is not base:
                raise UntraceableError(f"{type(thing).__name__} may do other than {base.__name__}")
        if not update.elementwise:
            raise UntraceableError(f"{type(update.optimizer).__name__} has a step of its own")
        self.dtype = network.theta.dtype
        hidden = network.activations[:-1]
        self.activations: list[Activation] = []
        for activation in hidden:
            if activation not in self.activations:
                self.activations.append(activation)
        self.kinds = np.array([self.activations.index(activation) for activation in hidden], np.int64)
        self.loops: list[Loop] = []
        for kind, activation in enumerate(self.activations):
            self.loops += [self._activate(kind, activation), self._slope(kind, activation)]
        self.loops.append(self._output(network.activations[-1], network.loss, network.output_scale))
        self.update = self._update(update)
        self.loops.append(self.update)
        names = [activation.name for activation in self.activations]
        self.names = ", ".join([*names, network.loss.name, update.optimizer.name])
        self.text = sources(self.loops)

    def _array(self, name: str) -> Any:
        return array(name, self.dtype)

    def _activate(self, kind: int, activation: Activation) -> Loop:
        Z = self._array("z") + self._array("b")
        return _elementwise(Loop(f"activate_{kind}", ["z", "b", "h"], {"z": Z, "h": trace(activation.f, Z)}))

    def _slope(self, kind: int, activation: Activation) -> Loop:
        delta = self._array("delta") * trace(activation.f_prime, self._array("z"), self._array("h"))
        return _elementwise(Loop(f"slope_{kind}", ["delta", "z", "h", "db"], {"delta": delta}, {"db": delta}))

    def _output(self, activation: Activation, loss: Loss, output_scale: float) -> Loop:
        Z = self._array("z") + self._array("b")
        H = trace(activation.f, Z)
        outputs = output_scale * H
        value, slope = _several(trace(loss.formula, outputs, self._array("targets")), 2)
        if value.level != ROW:
            raise UntraceableError(f"{loss.name} gives no single number a row")
        delta = row("scale", self.dtype) * slope * trace(activation.f_prime, Z, H)
        return Loop(
            "output_row",
            ["z", "b", "targets", "outputs", "delta", "db"],
            {"outputs": outputs, "delta": delta},
            {"db": delta},
            value,
            ["scale"],
        )

    def _update(self, update: Update) -> Loop:
        memory = [f"memory_{number}" for number in range(update.memory_vectors)]
        numbers = {name: scalar(name, self.dtype) for name in update.numbers(1, 1.0, weights=True)}
        vectors = [self._array(name) for name in ("theta", "g", *memory)]
        new = _several(trace(update.rule, *vectors, **numbers), 1 + len(memory))
        stores = dict(zip(["theta", *memory], new, strict=True))
        return _elementwise(Loop("update_row", ["theta", "g", *memory], stores))

    def source(self, integer: np.dtype[Any]) -> str:
        """Return the text of the whole program, for a BLAS with such integers."""
        texts = [
            HEADER.format(
                formulas=self.names,
                real=self.dtype,
                integer=integer,
                line=LINE,
                epsilon=EPSILON,
                momentum=MOMENTUM,
                **CONSTANTS[str(self.dtype)],
            ),
            _text("elementary"),
            _text("hashing"),
            self.text,
            self._choice("activate", ["z", "b", "h"]),
            self._choice("slope", ["delta", "z", "h", "db"]),
            self._update_text(),
            _text("compiled_step"),
        ]
        return "\n\n".join(texts)

    def _choice(self, name: str, arrays: Sequence[str]) -> str:
        """Write the function that calls the loop of a layer's activation."""
        arguments = ", ".join([*arrays, "scalars", "scratch"])
        cases = [
            f"    if kind == {kind}:\n        {name}_{kind}({arguments})" for kind in range(len(self.activations))
        ]
        return "\n".join([f"def {name}(kind, {arguments}):", *(cases or ["    pass"])]) + "\n"

    def _update_text(self) -> str:
        parts = ["theta[first:last]", "gradient[first:last]"]
        parts += [f"memory[{number}, first:last]" for number in range(len(self.update.arrays) - 2)]
        return (
            "def update(theta, gradient, memory, first, last, scalars):\n"
            f"    update_row({', '.join(parts)}, scalars, memory)\n"
        )


def _several(values: Any, count: int) -> tuple[Any, ...]:
    """Return the values of a formula, or refuse it where it does not give so many."""
    if not isinstance(values, tuple) or len(values) != count:
        raise UntraceableError(f"a formula that does not return {count} values")
    return values


def _elementwise(loop: Loop) -> Loop:
    """Return the loop, or refuse it where it adds up a row: only a loss is given whole rows."""
    if any(symbol.operation in REDUCTIONS for symbol in in_order(loop.stores.values())):
        raise UntraceableError("a sum, or the like, over the units of a layer or over parameters")
    return loop


def _text(name: str) -> str:
    """Return the functions of a module of this package that is compiled instead of imported."""
    text = importlib.resources.files("glassnet.nn").joinpath(f"{name}.py").read_text(encoding="utf-8")
    return text[text.index("\ndef ") + 1 :]


def arrangement(parameters: Parameters, shares: int) -> Array:
    """Return which parameter stands where in a program: for every hidden layer one piece a share.

    Examples
    --------
    >>> arrangement(Parameters([1, 8, 1], np.float32), 2)[:16]
    array([ 0,  1,  2,  3,  8,  9, 10, 11,  4,  5,  6,  7, 12, 13, 14, 15])
    """
    order = Parameters(parameters.layers, np.int64, parameters.batch_norm)
    order.theta[:] = np.arange(len(order.theta))
    pieces = []
    for W, b, gamma in zip(order.W[:-1], order.b[:-1], order.gamma[:-1], strict=True):
        width = W.shape[1]
        for first, last in itertools.pairwise(cut(width, share, shares) for share in range(shares + 1)):
            pieces += [W[:, first:last].ravel(), b[first:last]]
            if gamma is not None:
                pieces.append(gamma[first:last])
    return np.concatenate([*pieces, order.W[-1].ravel(), order.b[-1]])


def _aligned(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return zeros that begin at a cache line."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = np.zeros(size + LINE, np.uint8)
    first = -room.ctypes.data % LINE
    return room[first : first + size].view(dtype).reshape(shape)


def _started_pool(size: int) -> ThreadPoolExecutor:
    """Return a pool whose threads have all been started: workers wait for each other, so none may be missing."""
    pool = ThreadPoolExecutor(max(1, size), thread_name_prefix="glassnet")
    all_there = threading.Barrier(size + 1)
    try:
        for _ in range(size):
            pool.submit(all_there.wait)
    except RuntimeError as error:
        all_there.abort()
        raise UntraceableError(f"{size} more threads cannot be started: {error}") from None
    all_there.wait()
    return pool


class Program:
    """A network in training: `glassnet.nn.compiled_step` with its memory and its threads.

    Parameters
    ----------
    network : Network
        Its theta is where training starts; `store` writes theta, the statistics and the gradient back.
    update, state : Update, OptimizerState
        The rule and its memory; `store` writes the memory back.
    X, targets : ndarray of shape (n, d_0), (n, d_L)
        All rows, from `Network.check_data`.
    batch_size : int
        Of a step.
    shares : int
        Into how many shares the work is cut: the most threads that can be of use. The bits of the result depend
        on it.
    gemm : Gemm
        From `glassnet.runtime.blas.find_gemm`.
    weights : ndarray of shape (n,), optional
        What the loss of each row is multiplied by. Default: 1.
    image : (height, width, channels)
        Of the images that the rows are, where `take` is to move them.
    compiled : bool, default True
        False: the same text is run by Python, which is slow and needs no Numba.

    Raises
    ------
    UntraceableError
        If a formula does what loops cannot be written for, or Numba cannot compile it.
    """

    def __init__(
        self,
        network: Network,
        update: Update,
        state: OptimizerState,
        X: Array,
        targets: Array,
        *,
        batch_size: int,
        shares: int,
        gemm: Gemm,
        weights: Array | None = None,
        image: tuple[int, int, int] = (0, 0, 0),
        compiled: bool = True,
    ) -> None:
        self.network, self.update, self.state = network, update, state
        self.X, self.targets = np.ascontiguousarray(X).reshape(len(X), -1), targets
        self.image = image
        self.batch_size, self.shares = batch_size, shares
        self.formulas = Formulas(network, update)
        self.order = arrangement(network.parameters, shares)
        dtype = network.theta.dtype
        self.step = self._make_step(np.ones(len(X), dtype) if weights is None else weights.astype(dtype))
        self.load()
        self._pool = _started_pool(shares - 1)
        self._compile(gemm, compiled)

    def _compile(self, gemm: Gemm, compiled: bool) -> None:
        """Compile the steps, or load what was compiled before."""
        self._take_steps, self._blas = _build(self.formulas, gemm, compiled)
        try:
            self.take(np.empty(0, np.intp), 1)
        except Exception as error:  # Numba has many
            reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
            raise UntraceableError(f"Numba cannot compile it: {reason}") from error

    def _make_step(self, weights: Array) -> Step:
        layers, dtype, shares = np.array(self.network.layers), self.network.theta.dtype, self.shares
        normalises, rates = np.array(self.network.parameters.batch_norm, np.int64), self.network.dropout
        # the statistics of a batch are those of all its rows
        rows = self.batch_size if normalises.any() else min(self.batch_size, BLOCK_ROWS)
        if normalises.any() and shares * rows * layers[0] * dtype.itemsize > MOST_BATCH:
            raise UntraceableError(f"batch normalisation over {rows} rows at once takes too much memory")
        size, units = len(self.order), int(sum(layers[1:]))
        line = LINE // dtype.itemsize
        scratch_rows = max(2, *(loop.scratch_rows for loop in self.formulas.loops))
        return Step(
            layers=layers,
            kinds=self.formulas.kinds,
            normalises=normalises,
            thresholds=np.array([threshold(rate) for rate in rates], np.uint32),
            factors=np.array([1 / (1 - rate) for rate in rates], dtype),
            shares=shares,
            workers=1,
            rows=rows,
            input_scale=dtype.type(1 / 255 if self.X.dtype == np.uint8 else 1),
            image=np.array(self.image, np.int64),
            theta=_aligned((size,), dtype),
            gradient=_aligned((size,), dtype),
            memory=_aligned((max(1, len(self.state.memory)), size), dtype),
            batch=_aligned((shares, -(-rows * layers[0] // line) * line), dtype),
            H=_aligned((rows * units,), dtype),
            Z=_aligned((rows * units,), dtype),
            delta=_aligned((rows * units,), dtype),
            X_hat=_aligned((rows * units if normalises.any() else 0,), dtype),
            mean=_aligned((units,), dtype),
            variance=_aligned((units,), dtype),
            inverse=_aligned((units,), dtype),
            weights=weights,
            clip_norm=float(self.update.clip_norm or 0),
            max_norm=dtype.type(self.update.max_norm or 0),
            share_bias=_aligned((shares, -(-layers[-1] // line) * line), dtype),
            share_loss=np.zeros(shares),
            share_norm=np.zeros(shares),
            scratch=_aligned((shares, scratch_rows, -(-layers.max() // line) * line), dtype),
            no_scalars=np.zeros(1, dtype),
            flags=np.zeros(8 * shares, np.int64),
        )

    def take(
        self,
        rows: Array,
        workers: int,
        seed: int = 0,
        factors: Array | None = None,
        moves: Array | None = None,
    ) -> tuple[Array, Array]:
        """Train on rows of X, a batch a step.

        Parameters
        ----------
        rows : ndarray of int
            Numbers of rows, of as many whole batches as there is time for; the last may be short.
        workers : int
            Threads, from 1 to `shares`.
        seed : int
            Of the masks of dropout.
        factors : ndarray, optional
            What a schedule multiplies the step size of each step by. Default: 1.
        moves : ndarray of int32 of shape (len(rows), 7), optional
            How the image of each row is moved, see `glassnet.data.augmentation`. Default: it is not.

        Returns
        -------
        losses : ndarray of float
            Of each step, before it; shorter than the steps asked for where a loss was not finite.
        outputs : ndarray of shape (len(rows), d_L)
            What the network said to the rows, each before its own step.
        """
        steps = -(-len(rows) // self.batch_size)
        losses = np.zeros(steps)
        outputs = np.empty((len(rows), self.targets.shape[1]), self.targets.dtype)
        step = self.step._replace(workers=workers)
        step.flags[:] = 0
        loss = self.network.loss
        numbers = np.arange(self.state.t + 1, self.state.t + steps + 1)
        scalars = self._scalars(numbers, np.ones(steps) if factors is None else factors)
        keys = mask_keys(seed, numbers, len(self.network.W))
        arguments = (
            self._blas, step, self.X, self.targets, rows, NO_MOVES if moves is None else moves, self.batch_size,
            loss.reduction == "mean", self.network.output_scale, scalars, keys, losses, outputs,
        )  # fmt: skip
        others = [self._pool.submit(self._take_steps, *arguments, worker) for worker in range(1, workers)]
        taken = int(self._take_steps(*arguments, 0))
        for other in others:
            other.result()
        self.state.t += taken
        if loss.reduction == "mean":
            losses /= np.diff([*range(0, len(rows), self.batch_size), len(rows)])
        return losses[:taken], outputs

    def _scalars(self, numbers: Array, factors: Array) -> Array:
        """Return what the rule's loop needs to know of each of the next steps: for weights, and for the rest."""
        wanted = self.formulas.update.scalars
        scalars = np.empty((len(numbers), 2, max(1, len(wanted))), self.network.theta.dtype)
        for place, weights in enumerate((True, False)):
            values = self.update.numbers(numbers.astype(np.float64), factors, weights=weights)
            for column, symbol in enumerate(wanted):
                scalars[:, place, column] = evaluate(symbol, values)
        return scalars

    def _share_statistics(self, *, read: bool) -> None:
        """Copy the running statistics of batch normalisation from the network, or back into it."""
        parameters, first = self.network.parameters, 0
        for units, mean, variance in zip(parameters.layers[1:], parameters.mean, parameters.variance, strict=True):
            for mine, natural in ((self.step.mean, mean), (self.step.variance, variance)):
                if natural is not None:
                    here = mine[first : first + units]
                    here[:], natural[:] = (natural, natural) if read else (here, here)
            first += units

    def load(self) -> None:
        """Read theta, the statistics and the optimizer's memory from where they belong."""
        self._share_statistics(read=True)
        np.take(self.network.theta, self.order, out=self.step.theta)
        for mine, natural in zip(self.step.memory, self.state.memory, strict=False):
            np.take(natural, self.order, out=mine)

    def store_theta(self) -> None:
        """Write theta and the statistics back to where they belong, and nothing else."""
        self._share_statistics(read=False)
        self.network.theta[self.order] = self.step.theta

    def store(self) -> None:
        """Write theta, the statistics, the gradient and the optimizer's memory back to where they belong."""
        self.store_theta()
        self.network.gradient[self.order] = self.step.gradient
        for natural, mine in zip(self.state.memory, self.step.memory, strict=False):
            natural[self.order] = mine

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown()


def _build(formulas: Formulas, gemm: Gemm, compiled: bool) -> tuple[Callable[..., int], Any]:
    """Return the function ``take_steps`` and the gemm to hand it."""
    source = formulas.source(gemm.integer)
    if not compiled:
        namespace: dict[str, Any] = {name: lambda *state: 0 for name in MACHINE_FUNCTIONS}
        exec(compile(source, "<glassnet>", "exec"), namespace)
        return namespace["take_steps"], lambda *numbers: gemm.function(*(np.asarray(n).item() for n in numbers))
    take_steps = compile_function(source, "take_steps")
    size, real = str(gemm.integer), str(formulas.dtype)
    arguments = f"int32 int32 int32 {size} {size} {size} {real} intp {size} intp {size} {real} intp {size}"
    return take_steps, foreign_function(gemm.address, arguments)
