"""What a formula computes, found by running it on symbols instead of numbers.

A formula is plain NumPy: an activation, a loss, an update rule. Called with a `Symbol` in place of each array it
leaves behind a graph of the operations it asked for, from which `glassnet.nn.loops` writes one fused loop. The
formula itself stays the only place where the mathematics is written.

A symbol stands for one of three kinds of value. Inside a row there are the *elements* (a pre-activation z, a
weight) and the values of the *row* (a sum over its elements); a *scalar* is the same everywhere (a learning rate,
the step count). What is made of scalars alone is worked out by Python in float64 before the loop, and enters it
rounded to the arrays' dtype: that is NumPy's own rule for Python numbers among arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

SCALAR, ROW, ELEMENT = range(3)

#: How a NumPy function is written in a loop; {0}, {1} are names or constants. NaN goes through all of them.
OPERATIONS: dict[str, str] = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "negative": "-{0}",
    "positive": "{0}",
    "absolute": "abs({0})",
    "square": "{0} * {0}",
    "reciprocal": "real(1) / {0}",
    "power": "{0} ** {1}",
    "sqrt": "sqrt({0})",
    "exp": "exp({0})",
    "expm1": "expm1({0})",
    "log": "log({0})",
    "log1p": "log1p({0})",
    "tanh": "tanh({0})",
    "sin": "sin({0})",
    "cos": "cos({0})",
    "arctan": "arctan({0})",
    "sinh": "sinh({0})",
    "cosh": "cosh({0})",
    "maximum": "({0} if ({0} >= {1}) | ({0} != {0}) else {1})",
    "minimum": "({0} if ({0} <= {1}) | ({0} != {0}) else {1})",
    "sign": "({0} if ({0} != {0}) | ({0} == real(0)) else (real(1) if {0} > real(0) else real(-1)))",
    "heaviside": "({0} if {0} != {0} else (real(0) if {0} < real(0) else ({1} if {0} == real(0) else real(1))))",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "equal": "{0} == {1}",
    "not_equal": "{0} != {1}",
    "logical_and": "{0} & {1}",
    "logical_or": "{0} | {1}",
    "logical_not": "not {0}",
    "where": "({1} if {0} else {2})",
}

#: Operations whose result is true or false.
COMPARISONS = {
    *("greater", "greater_equal", "less", "less_equal", "equal", "not_equal"),
    *("logical_and", "logical_or", "logical_not"),
}

#: Sums and extremes over the elements of a row: how a running value takes the next one, and where it starts.
REDUCTIONS: dict[str, tuple[str, str]] = {
    "sum": ("{0} + {1}", "real(0)"),
    "max": (OPERATIONS["maximum"], "-infinity"),
    "min": (OPERATIONS["minimum"], "infinity"),
}


class UntraceableError(Exception):
    """A formula asks for something that no loop can be written for; NumPy evaluates it as it stands."""


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """A value in a formula: an input, a constant, or an operation on other symbols.

    Attributes
    ----------
    operation : str
        ``"input"``, ``"constant"``, a name in `OPERATIONS` or one in `REDUCTIONS`.
    inputs : tuple of Symbol
        What it is computed from.
    level : int
        SCALAR, ROW or ELEMENT.
    label : str or float or bool
        Name of an input, value of a constant.
    dtype : dtype
        Of the arrays the formula is traced for; bool where the value is true or false.
    """

    def __init__(
        self,
        operation: str,
        inputs: tuple[Symbol, ...] = (),
        *,
        level: int = SCALAR,
        label: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        self.operation = operation
        self.inputs = inputs
        self.level = level
        self.label = label
        self.dtype = np.dtype(dtype)

    @property
    def real(self) -> Symbol:
        """Itself: loops know real numbers only."""
        return self

    def copy(self) -> Symbol:
        """Itself: a symbol is never written to."""
        return self

    def astype(self, dtype: Any, copy: bool = True) -> Symbol:
        """Return true and false as numbers; another change of dtype cannot be traced."""
        if self.dtype == bool and np.dtype(dtype) != bool:
            return Symbol("multiply", (self, _constant(1.0, dtype)), level=self.level, dtype=dtype)
        if self.dtype != np.dtype(dtype):
            raise UntraceableError(f"astype({dtype}) in a formula of {self.dtype}")
        return self

    def sum(self, axis: int | None = None, dtype: Any = None, keepdims: bool = False) -> Symbol:
        """Return the sum over a row's elements."""
        return self._reduce("sum", axis)

    def max(self, axis: int | None = None, keepdims: bool = False) -> Symbol:
        """Return the largest of a row's elements."""
        return self._reduce("max", axis)

    def min(self, axis: int | None = None, keepdims: bool = False) -> Symbol:
        """Return the smallest of a row's elements."""
        return self._reduce("min", axis)

    def _reduce(self, operation: str, axis: int | None) -> Symbol:
        if axis not in (1, -1) or self.level != ELEMENT:
            raise UntraceableError(f"{operation} over axis {axis}")
        return Symbol(operation, (self,), level=ROW, dtype=self.dtype)

    def __bool__(self) -> bool:
        raise UntraceableError("a branch that depends on the data")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Symbol:
        if method != "__call__" or options or ufunc.__name__ not in OPERATIONS:
            call = "" if method == "__call__" else f".{method}"
            raise UntraceableError(f"np.{ufunc.__name__}{call} in a formula is not among what is compiled")
        return self._apply(ufunc.__name__, inputs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Symbol:
        name = function.__name__
        if name == "where" and len(args) == 3 and not kwargs:
            return self._apply(name, args)
        if name in ("zeros_like", "ones_like") and not kwargs:
            return _constant(float(name == "ones_like"), self.dtype)
        if name == "clip" and len(args) == 3 and not kwargs:
            return np.minimum(np.maximum(args[0], args[1]), args[2])
        if name in REDUCTIONS or name in ("amax", "amin"):
            return self._reduce(name.removeprefix("a"), kwargs.get("axis", args[1] if len(args) > 1 else None))
        raise UntraceableError(f"np.{name} in a formula is not among what is compiled")

    def _apply(self, operation: str, inputs: Iterable[Any]) -> Symbol:
        symbols = tuple(value if isinstance(value, Symbol) else _constant(value, self.dtype) for value in inputs)
        numeric = [symbol.dtype for symbol in symbols if symbol.dtype != bool]
        dtype = np.dtype(bool) if operation in COMPARISONS or not numeric else numeric[0]
        level = max(symbol.level for symbol in symbols)
        return Symbol(operation, symbols, level=level, dtype=dtype)


def _constant(value: Any, dtype: Any) -> Symbol:
    if not isinstance(value, int | float | np.generic) or np.iscomplexobj(value):
        raise UntraceableError(f"an operand of the type {type(value).__name__}")
    if isinstance(value, bool | np.bool_):
        return Symbol("constant", label=bool(value), dtype=bool)
    return Symbol("constant", label=float(value), dtype=dtype)


def array(name: str, dtype: Any) -> Symbol:
    """Return the symbol of an array's element."""
    return Symbol("input", level=ELEMENT, label=name, dtype=dtype)


def scalar(name: str, dtype: Any) -> Symbol:
    """Return the symbol of a number that is the same for all elements."""
    return Symbol("input", level=SCALAR, label=name, dtype=dtype)


def trace(formula: Callable[..., Any], *arguments: Symbol, **options: Symbol) -> Any:
    """Call a formula with symbols and return the symbols it returns.

    Raises
    ------
    UntraceableError
        If it does something that symbols cannot follow.

    Examples
    --------
    >>> graph = trace(lambda z: np.maximum(z, 0) ** 2, array("z", "float32"))
    >>> graph.operation, graph.inputs[0].operation, graph.inputs[1].label
    ('power', 'maximum', 2.0)
    >>> trace(np.fft.fft, array("z", "float32"))
    Traceback (most recent call last):
        ...
    glassnet.nn.tracing.UntraceableError: np.fft in a formula is not among what is compiled
    """
    try:
        result = formula(*arguments, **options)
    except UntraceableError:
        raise
    except Exception as error:  # whatever an own formula does that symbols cannot
        raise UntraceableError(f"{type(error).__name__}: {error}") from None
    dtype = next(value.dtype for value in (*arguments, *options.values()))
    if isinstance(result, tuple):
        return tuple(value if isinstance(value, Symbol) else _constant(value, dtype) for value in result)
    return result if isinstance(result, Symbol) else _constant(result, dtype)


def evaluate(symbol: Symbol, values: dict[str, Any], known: dict[int, Any] | None = None) -> Any:
    """Return the number, or array of numbers, that a symbol of level SCALAR has for the values of its inputs.

    Examples
    --------
    >>> beta, t = scalar("beta", "float32"), scalar("t", "float32")
    >>> evaluate(1 - beta**t, {"beta": 0.5, "t": np.array([1.0, 2.0])})
    array([0.5 , 0.75])
    """
    known = {} if known is None else known
    if id(symbol) not in known:
        if symbol.operation == "constant":
            result = symbol.label
        elif symbol.operation == "input":
            result = values[symbol.label]
        else:
            result = getattr(np, symbol.operation)(*(evaluate(part, values, known) for part in symbol.inputs))
        known[id(symbol)] = result
    return known[id(symbol)]


def in_order(symbols: Iterable[Symbol]) -> Iterator[Symbol]:
    """Yield the symbols and all that they are made of, each once, after its inputs."""
    seen: set[int] = set()
    stack = [(symbol, False) for symbol in reversed(list(symbols))]
    while stack:
        symbol, ready = stack.pop()
        if id(symbol) in seen:
            continue
        if ready:
            seen.add(id(symbol))
            yield symbol
        else:
            stack.append((symbol, True))
            stack.extend((part, False) for part in reversed(symbol.inputs))
