"""The nodes of an ONNX graph, and formulas written as such."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from glassnet.compiled.tracing import Symbol, in_order
from glassnet.export.portable import Formula, trace_activation
from glassnet.nn.activations import ACTIVATIONS

#: Activations that ONNX has an operator for, with its attributes.
NATIVE: dict[str, tuple[str, dict[str, float]]] = {
    "identity": ("Identity", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.01}),
    "elu": ("Elu", {"alpha": 1.0}),
    "softplus": ("Softplus", {}),
}

#: Operators that ONNX Runtime has for float32 alone, and those with a float32 among their attributes.
FLOAT32_ONLY = {"LeakyRelu", "Elu", "Softplus", "Atan", "Sinh", "Cosh"}

#: What an operation of formulas is called in ONNX.
OPERATORS: dict[str, str] = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "negative": "Neg",
    "positive": "Identity",
    "absolute": "Abs",
    "reciprocal": "Reciprocal",
    "power": "Pow",
    "sqrt": "Sqrt",
    "exp": "Exp",
    "log": "Log",
    "tanh": "Tanh",
    "sin": "Sin",
    "cos": "Cos",
    "arctan": "Atan",
    "sinh": "Sinh",
    "cosh": "Cosh",
    "maximum": "Max",
    "minimum": "Min",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "equal": "Equal",
    "logical_and": "And",
    "logical_or": "Or",
    "logical_not": "Not",
    "where": "Where",
}


def _expm1(x: Any) -> Any:
    """exp(x) - 1, where x is near 0 as 2 t / (1 - t) with t = tanh(x / 2), which loses no digits."""
    near = np.maximum(np.minimum(x, 1.0), -1.0)
    t = np.tanh(0.5 * near)
    return np.where(np.absolute(x) < 1.0, 2.0 * t / (1.0 - t), np.exp(x) - 1.0)


def _log1p(x: Any) -> Any:
    """log(1 + x), as x log(u) / (u - 1) with u = 1 + x rounded, which loses no digits (Kahan)."""
    u = 1.0 + x
    exact = u == 1.0
    return np.where(exact, x, np.log(u) * (x / np.where(exact, 1.0, u - 1.0)))


#: Operations that ONNX lacks, or has without a rule for NaN, by those that it has.
REWRITTEN: dict[str, Callable[..., Any]] = {
    "square": lambda x: x * x,
    "expm1": _expm1,
    "log1p": _log1p,
    "sign": lambda x: np.where(x > 0.0, 1.0, np.where(x < 0.0, -1.0, x)),
    "heaviside": lambda x, at_0: np.where(x > 0.0, 1.0, np.where(x < 0.0, 0.0, np.where(x == 0.0, at_0, x))),
    "not_equal": lambda x, y: np.logical_not(np.equal(x, y)),
}


class GraphWriter:
    """Collects the nodes and constants of a graph that computes in `dtype`; every name is given once."""

    def __init__(self, taken: Sequence[str], dtype: str) -> None:
        self.dtype = np.dtype(dtype)
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._names = set(taken)
        self._numbers: dict[Any, str] = {}

    def node(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Add a node, and return the name of its result."""
        name = self._take(name)
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def result(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        """Add a node whose result is an output of the graph."""
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))

    def constant(self, name: str, values: Any) -> str:
        """Add an array, and return its name."""
        name = self._take(name)
        array = np.asarray(values)
        if array.dtype.kind in "UO":
            words: Any = [str(word).encode() for word in array.ravel()]
            self.constants.append(helper.make_tensor(name, TensorProto.STRING, array.shape, words))
        else:
            self.constants.append(numpy_helper.from_array(array, name))
        return name

    def number(self, value: Any, dtype: Any = None) -> str:
        """Add a number, once for all nodes that take it, and return its name."""
        with np.errstate(over="ignore"):  # infinity is as good as a number beyond the range
            array = np.asarray(value, dtype or self.dtype)
        key = (array.dtype, array.tobytes())
        if key not in self._numbers:
            self._numbers[key] = self.constant(str(value), array)
        return self._numbers[key]

    def cast(self, values: str, dtype: Any, name: str) -> str:
        """Add a change of dtype, and return the name of its result."""
        return self.node("Cast", [values], name, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def _take(self, name: str) -> str:
        count, free = 1, name
        while free in self._names:
            count, free = count + 1, f"{name}_{count + 1}"
        self._names.add(free)
        return free

    def formula(self, formula: Formula, z: str, name: str) -> str:
        """Add a formula of z, by ONNX's own operator where there is one, and return the name of its result."""
        ours = _structure(formula.symbol)
        for known, (operator, attributes) in NATIVE.items():
            if self.dtype == np.float64 and operator in FLOAT32_ONLY:
                continue
            if ours == _structure(trace_activation(ACTIVATIONS.resolve(known), self.dtype)):
                return z if operator == "Identity" else self.node(operator, [z], name, **attributes)
        return _FormulaWriter(self, z, name).write(formula.symbol)


class _FormulaWriter:
    """Writes the operations that a formula was traced as."""

    def __init__(self, graph: GraphWriter, z: str, name: str) -> None:
        self.graph, self.z, self.name = graph, z, name
        self.known: dict[int, str] = {}
        self.rewritten: list[Symbol] = []  # kept, as symbols are known by their place in memory

    def write(self, root: Symbol) -> str:
        """Write a symbol with all that it is made of, and return the name of its result as a number."""
        self._name(root)
        return self._number(root)

    def _name(self, root: Symbol) -> str:
        for symbol in in_order([root]):
            if id(symbol) not in self.known:
                self.known[id(symbol)] = self._write(symbol)
        return self.known[id(root)]

    def _write(self, symbol: Symbol) -> str:
        operation, inputs = symbol.operation, symbol.inputs
        if operation == "input":
            return self.z
        if operation == "constant":
            return self.graph.number(symbol.label, "bool" if symbol.kind == "truth" else None)
        if operation == "where" and symbol.kind == "truth":
            yes, one, other = inputs
            chosen: Any = np.logical_and(yes, one), np.logical_and(np.logical_not(yes), other)
            return self._rewrite(np.logical_or(*chosen))
        if operation in REWRITTEN:
            return self._rewrite(REWRITTEN[operation](*inputs))
        names = [self.known[id(part)] if truth else self._number(part) for part, truth in _take_inputs(symbol)]
        name, narrow = f"{self.name}.{operation}", OPERATORS[operation] in FLOAT32_ONLY
        if self.graph.dtype == np.float32 or not narrow:
            return self.graph.node(OPERATORS[operation], names, name)
        narrowed = [self.graph.cast(one, np.float32, f"{name}.float32") for one in names]
        return self.graph.cast(
            self.graph.node(OPERATORS[operation], narrowed, name), np.float64, f"{name}.float64"
        )

    def _rewrite(self, symbol: Symbol) -> str:
        self.rewritten.append(symbol)
        return self._name(symbol)

    def _number(self, symbol: Symbol) -> str:
        """Return the name of a value where a number is meant: true counts as 1."""
        name = self.known[id(symbol)]
        if symbol.kind != "truth":
            return name
        return self.graph.cast(name, self.graph.dtype, f"{self.name}.number")


def _take_inputs(symbol: Symbol) -> list[tuple[Symbol, bool]]:
    """Return the inputs of an operation, and of each whether the operation takes it as a truth."""
    logical = symbol.operation.startswith("logical")
    return [
        (part, logical or (symbol.operation == "where" and place == 0)) for place, part in enumerate(symbol.inputs)
    ]


def _structure(root: Symbol) -> list[tuple[Any, ...]]:
    """Return what a formula does, equal for two formulas that do the same."""
    places: dict[int, int] = {}
    steps: list[tuple[Any, ...]] = []
    for symbol in in_order([root]):
        places[id(symbol)] = len(steps)
        steps.append((symbol.operation, symbol.label, *(places[id(part)] for part in symbol.inputs)))
    return steps
