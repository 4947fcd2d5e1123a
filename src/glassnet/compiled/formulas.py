"""The text of a program: the loops of a network's and an optimizer's formulas, and the step that calls them."""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from typing import Any

import numpy as np

from glassnet.compiled.loops import Loop
from glassnet.compiled.tracing import REDUCTIONS, ROW, UntraceableError, array, in_order, row, scalar, trace
from glassnet.nn.activations import Activation
from glassnet.nn.batch_norm import EPSILON, MOMENTUM
from glassnet.nn.losses import Loss
from glassnet.nn.network import Network
from glassnet.nn.update import Update

#: A cache line in bytes: what different threads write stands at least so far apart.
LINE = 64

#: The modules whose functions are compiled into every program, besides elementary functions and hashing.
STEP_MODULES = ("shares", "gather", "forward", "update", "backward", "steps")

HEADER = """# Written by glassnet from the formulas of {formulas!r}; safe to delete.
from math import floor

from numpy import arctan, cos, cosh, float32, float64, inf, int32, int64, intp, isfinite, sin, sinh, sqrt
from numpy import uint32, uint64

from glassnet.compiled.records import Block, Matrix, Place

real, whole, integer = {real}, {whole}, {integer}
ZERO, HALF, ONE, TWO, infinity, nan = real(0), real(0.5), real(1), real(2), real(inf), real(inf - inf)
TERMS, LOG_TERMS, SHIFT, BIAS, MANTISSA = {terms}, {log_terms}, whole({shift}), whole({bias}), whole({mantissa})
LOG2_E, ROOT_2 = real(1.4426950408889634), real(1.4142135623730951)
LOG_2_HIGH, LOG_2_LOW = real({high}), real({low})
SMALLEST, LARGEST, TINY = real({smallest}), real({largest}), real({tiny})
AHEAD, LINE, SPINS = 4, {line}, 20000
EPSILON, MOMENTUM = real({epsilon}), real({momentum})
ROW_MAJOR, NO_TRANS, TRANS = int32(101), int32(111), int32(112)


def address(numbers):
    return intp(numbers.ctypes.data)


"""

COMMON = {"line": LINE, "epsilon": EPSILON, "momentum": MOMENTUM}

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


class Formulas:
    """The loops of a network's and an optimizer's formulas.

    Raises `UntraceableError` if a formula does what loops cannot be written for.
    """

    def __init__(self, network: Network, update: Update) -> None:
        for thing, base in ((network, Network), (network.loss, Loss)):
            if type(thing) is not base:
                raise UntraceableError(f"{type(thing).__name__} may do other than {base.__name__}")
        if not update.elementwise:
            raise UntraceableError(f"{type(update.optimizer).__name__} has a step of its own")
        self.dtype = network.theta.dtype
        hidden = network.activations[:-1]  # not all can be hashed
        self.activations = [activation for n, activation in enumerate(hidden) if activation not in hidden[:n]]
        self.kinds = np.array([self.activations.index(activation) for activation in hidden], np.int64)
        self.loops: list[Loop] = []
        for kind, activation in enumerate(self.activations):
            self.loops += [self._activate(kind, activation), self._slope(kind, activation)]
        self.loops.append(self._output(network.activations[-1], network.loss, network.output_scale))
        self.update = self._update(update)
        self.loops.append(self.update)
        names = [activation.name for activation in self.activations]
        self.names = ", ".join([*names, network.loss.name, update.optimizer.name])
        self.text = "\n\n".join(loop.source() for loop in self.loops)

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
        memory = [f"memory[{number}, first:last]" for number in range(len(self.update.arrays) - 2)]
        update = ", ".join(["theta[first:last]", "gradient[first:last]", *memory, "scalars", "memory"])
        texts = [
            HEADER.format(
                formulas=self.names, real=self.dtype, integer=integer, **COMMON, **CONSTANTS[str(self.dtype)]
            ),
            _text("glassnet.compiled", "elementary"),
            _text("glassnet.nn", "hashing"),
            self.text,
            self._choice("activate", ["z", "b", "h"]),
            self._choice("slope", ["delta", "z", "h", "db"]),
            f"def update(theta, gradient, memory, first, last, scalars):\n    update_row({update})\n",
            *(_text("glassnet.compiled", name) for name in STEP_MODULES),
        ]
        return "\n\n".join(texts)

    def _choice(self, name: str, arrays: Sequence[str]) -> str:
        """Write the function that calls the loop of a layer's activation."""
        arguments = ", ".join([*arrays, "scalars", "scratch"])
        cases = [
            f"    if kind == {kind}:\n        {name}_{kind}({arguments})" for kind in range(len(self.activations))
        ]
        return "\n".join([f"def {name}(kind, {arguments}):", *(cases or ["    pass"])]) + "\n"


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


def _text(package: str, name: str) -> str:
    """Return the functions of a module that is compiled instead of called in Python."""
    text = importlib.resources.files(package).joinpath(f"{name}.py").read_text(encoding="utf-8")
    return text[text.index("\ndef ") + 1 :]
