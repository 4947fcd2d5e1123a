"""What a formula computes, found by running it on symbols instead of numbers.

A formula is plain NumPy: an activation, a loss, an update rule. Called with a `Symbol` in place of each array it
leaves behind a graph of the operations it asked for, from which `glassnet.compiled.loops` writes one fused loop.
The formula itself stays the only place where the mathematics is written.

A symbol stands for one of three kinds of value. Inside a row there are the *elements* (a pre-activation z, a
weight) and the values of the *row* (a sum over its elements); a *scalar* is the same everywhere (a learning rate,
the step count). What is made of scalars alone is worked out by Python in float64 before the loop, and enters it
rounded to the arrays' dtype: that is NumPy's own rule for Python numbers among arrays.

A formula is run once for each program, so it must do the same whenever it is called: a random number, a counter or
``isinstance(z, np.ndarray)`` would be what they are for symbols.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

SCALAR, ROW, ELEMENT = range(3)

#: Powers of a number that are kept at most: half a megabyte.
MOST_POWERS = 2**16

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
    "sign": "({0} if {0} != {0} else (real(1) if {0} > real(0) else (real(-1) if {0} < real(0) else real(0))))",
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
    "sum": ("{0} + {1}", "real(-0.0)"),
    "max": (OPERATIONS["maximum"], "-infinity"),
    "min": (OPERATIONS["minimum"], "infinity"),
}

#: Operations that NumPy carries out on whole numbers, and masks counted as such, with a whole result.
WHOLE = {"add", "subtract", "multiply", "negative", "positive", "absolute", "maximum", "minimum"}

#: Operations that mean something else for whole numbers.
NOT_WHOLE = {"reciprocal", "power", "sign", "heaviside", "square"}


class UntraceableError(Exception):
    """A formula asks for something that no loop can be written for; NumPy evaluates it as it stands."""


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """A value in a formula: an input, a constant, or an operation on other symbols.

    ``operation`` is ``"input"``, ``"constant"``, a name in `OPERATIONS` or one in `REDUCTIONS`; ``inputs`` is what
    it is computed from; ``level`` SCALAR, ROW or ELEMENT; ``label`` an input's name or a constant's value.

    ``kind`` is what NumPy would hold: ``"real"`` numbers of the formula's dtype ``number``, ``"whole"`` ones, or
    ``"truth"``. In the loop all but truths are real numbers, so what depends on being integers is refused. A value
    of the row is ``kept`` where it has its axis, as ``keepdims=True`` says, and so meets each element.
    """

    def __init__(
        self,
        operation: str,
        inputs: tuple[Symbol, ...] = (),
        *,
        number: Any,
        level: int = SCALAR,
        label: Any = None,
        kind: str = "real",
        kept: bool = False,
    ) -> None:
        self.operation, self.inputs, self.level, self.label = operation, inputs, level, label
        self.kind, self.number, self.kept = kind, np.dtype(number), kept

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the array that it stands for."""
        return {"real": self.number, "whole": np.dtype(np.int64), "truth": np.dtype(bool)}[self.kind]

    @property
    def real(self) -> Symbol:
        """Itself: loops know real numbers only."""
        return self

    def copy(self) -> Symbol:
        """Itself: a symbol is never written to."""
        return self

    def astype(self, dtype: Any, copy: bool = True) -> Symbol:
        """Return whole numbers and truths as numbers; another change of dtype cannot be traced."""
        wanted = np.dtype(dtype)
        if wanted == self.dtype:
            return self
        if wanted == self.number:
            return self._apply("multiply", (self, 1.0))
        if self.kind == "truth" and wanted == np.int64:
            return self._apply("multiply", (self, 1))
        raise UntraceableError(f"astype({wanted}) in a formula of {self.number}")

    def sum(self, axis: int | None = None, dtype: Any = None, keepdims: bool = False) -> Symbol:
        """Return the sum over a row's elements."""
        return self._reduce("sum", axis, keepdims, dtype)

    def max(self, axis: int | None = None, keepdims: bool = False) -> Symbol:
        """Return the largest of a row's elements."""
        return self._reduce("max", axis, keepdims)

    def min(self, axis: int | None = None, keepdims: bool = False) -> Symbol:
        """Return the smallest of a row's elements."""
        return self._reduce("min", axis, keepdims)

    def _reduce(self, operation: str, axis: int | None, keepdims: bool, dtype: Any = None) -> Symbol:
        other_dtype = dtype is not None and np.dtype(dtype) != self.dtype
        if not isinstance(axis, int) or axis not in (1, -1) or self.level != ELEMENT or other_dtype:
            raise UntraceableError(f"{operation} over axis {axis}" + (f" in {dtype}" if other_dtype else ""))
        if self.kind == "truth" and operation != "sum":
            raise UntraceableError(f"{operation} of truths")
        kind = "whole" if self.kind == "truth" else self.kind
        return Symbol(operation, (self,), level=ROW, number=self.number, kind=kind, kept=keepdims)

    def __bool__(self) -> bool:
        raise UntraceableError("a branch that depends on the data")

    def __array__(self, *arguments: Any, **options: Any) -> Any:
        raise UntraceableError("an array made within a formula")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Symbol:
        if method != "__call__" or options or ufunc.__name__ not in OPERATIONS:
            call = "" if method == "__call__" else f".{method}"
            raise UntraceableError(f"np.{ufunc.__name__}{call} in a formula is not among what is compiled")
        return self._apply(ufunc.__name__, inputs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Symbol:
        name = function.__name__.removeprefix("a")
        if name == "where" and len(args) == 3 and not kwargs:
            return self._apply(name, args)
        if name in ("zeros_like", "ones_like") and len(args) == 1 and not kwargs:
            one = name == "ones_like"
            return self._constant({"real": float(one), "whole": int(one), "truth": one}[self.kind])
        if name == "clip" and len(args) == 3 and not kwargs:
            return np.minimum(np.maximum(args[0], args[1]), args[2])
        if name in REDUCTIONS and len(args) <= 2 and args[0] is self and set(kwargs) <= {"axis", "keepdims"}:
            return self._reduce(name, kwargs.get("axis", args[-1]), kwargs.get("keepdims", False))
        raise UntraceableError(f"np.{function.__name__} in a formula is not among what is compiled")

    def _apply(self, operation: str, inputs: Iterable[Any]) -> Symbol:
        symbols = tuple(value if isinstance(value, Symbol) else self._constant(value) for value in inputs)
        level = max(symbol.level for symbol in symbols)
        rows = {symbol.kept for symbol in symbols if symbol.level == ROW}
        if (level == ELEMENT and False in rows) or len(rows) > 1:
            raise UntraceableError("a value of the row without keepdims=True among others")
        kind = _kind(operation, [symbol.kind for symbol in symbols])
        if kind == "truth" and operation == "multiply":
            operation = "logical_and"
        if all(symbol.operation == "constant" for symbol in symbols):
            value = getattr(np, operation)(*(symbol.label for symbol in symbols))
            return Symbol("constant", label=value.item(), number=self.number, kind=kind)
        return Symbol(operation, symbols, level=level, number=self.number, kind=kind, kept=rows == {True})

    def _constant(self, value: Any) -> Symbol:
        if not isinstance(value, int | float | np.generic) or np.iscomplexobj(value):
            raise UntraceableError(f"an operand of the type {type(value).__name__}")
        if isinstance(value, bool | np.bool_):
            return Symbol("constant", label=bool(value), number=self.number, kind="truth")
        kind = "whole" if isinstance(value, int | np.integer) else "real"
        return Symbol("constant", label=float(value), number=self.number, kind=kind)


def _kind(operation: str, kinds: list[str]) -> str:
    """Return the kind of an operation's result; refuse what means something else for whole numbers or truths."""
    truths = [kind == "truth" for kind in kinds]
    if operation.startswith("logical") and not all(truths):
        raise UntraceableError(f"{operation} of numbers")
    if operation in COMPARISONS:
        return "truth"
    if operation == "where":
        if not truths[0]:
            raise UntraceableError("where with numbers for a condition")
        kinds, truths = kinds[1:], truths[1:]
        return "real" if "real" in kinds else "whole" if "whole" in kinds else "truth"
    if all(truths):
        if operation == "multiply":
            return "truth"
        raise UntraceableError(f"{operation} of truths")
    if "real" not in kinds and operation in NOT_WHOLE:
        raise UntraceableError(f"{operation} of whole numbers")
    return "whole" if "real" not in kinds and operation in WHOLE else "real"


def array(name: str, dtype: Any) -> Symbol:
    """Return the symbol of an array's element."""
    return Symbol("input", level=ELEMENT, label=name, number=dtype)


def row(name: str, dtype: Any) -> Symbol:
    """Return the symbol of a number that is given for each row."""
    return Symbol("input", level=ROW, label=name, number=dtype, kept=True)


def scalar(name: str, dtype: Any) -> Symbol:
    """Return the symbol of a number that is the same for all elements."""
    return Symbol("input", level=SCALAR, label=name, number=dtype)


def trace(formula: Callable[..., Any], *arguments: Symbol, **options: Symbol) -> Any:
    """Call a formula with symbols and return the symbols it returns.

    Raises `UntraceableError` if it does something that symbols cannot follow.
    """
    try:
        result = formula(*arguments, **options)
    except UntraceableError:
        raise
    except Exception as error:  # whatever an own formula does that symbols cannot
        raise UntraceableError(f"{type(error).__name__}: {error}") from None
    known = next(iter((*arguments, *options.values())))
    values = result if isinstance(result, tuple) else (result,)
    symbols = tuple(value if isinstance(value, Symbol) else known._constant(value) for value in values)
    return symbols if isinstance(result, tuple) else symbols[0]


def evaluate(symbol: Symbol, values: dict[str, Any]) -> Any:
    """Return the number, or array of numbers, that a symbol has for the values of its inputs, in float64.

    A sum over a row's elements runs over the second axis. Values of a type of their own stay what they are.
    """
    return compute(in_order([symbol]), values)[id(symbol)]


def compute(parts: Iterable[Symbol], values: dict[str, Any]) -> dict[int, Any]:
    """Return what `evaluate` finds for each of some parts, by its ``id``; they stand after their own inputs."""
    known: dict[int, Any] = {}
    for part in parts:
        if part.operation == "constant":
            known[id(part)] = part.label
        elif part.operation == "input":
            value = values[part.label]
            own = isinstance(value, np.lib.mixins.NDArrayOperatorsMixin)
            known[id(part)] = value if own else np.asarray(value, np.float64)[()]
        elif part.operation in REDUCTIONS:
            known[id(part)] = getattr(np, part.operation)(known[id(part.inputs[0])], axis=1, keepdims=part.kept)
        else:
            operation = power if part.operation == "power" else getattr(np, part.operation)
            known[id(part)] = operation(*(known[id(inner)] for inner in part.inputs))
    return known


def power(base: Any, exponent: Any) -> Any:
    """Return a power; a whole one of numbers by products: the last bit of NumPy's depends on the processor."""
    rest = np.asarray(exponent)
    own = isinstance(base, np.lib.mixins.NDArrayOperatorsMixin)
    if own or not np.all((rest >= 0) & (rest < 2**53) & (rest == np.floor(rest))):
        return np.power(base, exponent)
    rest = rest.astype(np.int64)
    most = int(rest.max(initial=0))
    if np.ndim(base) == 0 and rest.ndim > 0 and most < MOST_POWERS:
        return _list_powers(float(base), 1 << most.bit_length())[rest]
    return _multiply_up(base, rest)


@functools.lru_cache(maxsize=16)
def _list_powers(base: float, count: int) -> Any:
    """Return the first powers of a number: the steps of a training ask for them again and again."""
    return np.asarray(_multiply_up(base, np.arange(count)))


def _multiply_up(base: Any, rest: Any) -> Any:
    """Return a power whose exponents are whole numbers >= 0."""
    square = np.asarray(base, np.float64)
    result = np.ones(np.broadcast_shapes(rest.shape, square.shape))
    while True:
        result = np.where(rest & 1, result * square, result)
        rest = rest >> 1
        if not rest.any():
            return result[()]
        square = square * square


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
