"""Arrays that remember how they were computed, so that a page can compute them again from other numbers.

A `Traced` array has its numbers and its place on a `Tape`. Whatever is computed of it is one operation more on the
tape: the operations of `glassnet.graph.nodes` run on such arrays as they stand, and leave behind the program that
the page runs. No formula is written twice. What is asked of the numbers themselves, a branch or a conversion, is
refused, since the page could not follow it; `plain` is for choices that the page keeps.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import numpy as np

from glassnet.compiled.tracing import OPERATIONS
from glassnet.nn.activations import Array


class NotFollowedError(Exception):
    """A formula asks for something that a tape cannot hold."""


class Tape:
    """Operations, each on results of earlier ones; equal ones stand once.

    Attributes
    ----------
    sources : dict of str to ndarray
        The numbers that a page may change, by name.
    operations : list of tuple
        A name, the places of the inputs, and what else it needs. All arrays have two axes: one of a single axis is
        a row, as NumPy's broadcasting has it.
    """

    def __init__(self, sources: dict[str, Array]) -> None:
        self.sources = sources
        self.operations: list[tuple[Any, ...]] = []
        self._known: dict[Hashable, int] = {}
        self.shown: set[int] = set()

    def leaf(self, source: str, positions: Array) -> Any:
        """Return numbers of a source, at positions counted through its rows."""
        rows, columns = positions.shape
        operation = ("leaf", source, rows, columns, *_list_runs(positions))
        return self.record(np.ravel(self.sources[source])[positions].astype(float), operation)

    def record(self, value: Any, operation: tuple[Any, ...]) -> Traced:
        """Return the value of an operation, which is written down unless it is there already."""
        if operation not in self._known:
            self._known[operation] = len(self.operations)
            self.operations.append(operation)
        return Traced(np.asarray(value), self, self._known[operation])

    def place(self, value: Any) -> int:
        """Return where a value stands on the tape; a plain one is written down as a constant."""
        if isinstance(value, Traced):
            return value.place
        array = np.atleast_2d(np.asarray(value, float))
        numbers = array.ravel().tolist()
        same = len(set(numbers)) == 1
        return self.record(array, ("constant", *array.shape, *(numbers[:1] if same else numbers))).place

    def write(self) -> tuple[dict[str, tuple[str, str]], list[Any]]:
        """Return what a page computes with: its sources by `pack`, and the operations; unneeded ones are 0."""
        needed, waiting = set(), [*self.shown]
        while waiting:
            place = waiting.pop()
            if place not in needed:
                needed.add(place)
                waiting += _list_inputs(self.operations[place])
        kept = [operation if place in needed else 0 for place, operation in enumerate(self.operations)]
        return {name: pack(values) for name, values in self.sources.items()}, kept


def pack(values: Array) -> tuple[str, str]:
    """Return how many bytes hold each number exactly, ``"f4"`` or ``"f8"``, and the numbers in base64.

    Examples
    --------
    >>> pack(np.array([0.5, 1.0])), pack(np.array([0.1]))
    (('f4', 'AAAAPwAAgD8='), ('f8', 'mpmZmZmZuT8='))
    """
    with np.errstate(over="ignore"):
        short = values.astype("<f4")
    kind = "f4" if np.array_equal(short, values) else "f8"
    return kind, base64.b64encode(np.ravel(values).astype(f"<{kind}").tobytes()).decode()


def _list_runs(positions: Array) -> Iterator[int]:
    """Yield, for each run of consecutive positions, its first one and its length."""
    flat = positions.ravel()
    cuts = np.flatnonzero(np.diff(flat) != 1) + 1
    for run in np.split(flat, cuts):
        yield from (int(run[0]), len(run))


def _list_inputs(operation: tuple[Any, ...]) -> Sequence[int]:
    """Return the places of what an operation takes in."""
    name, *inputs = operation
    if name in ("leaf", "constant"):
        return ()
    return inputs[:1] if name in ("take", "sum", "max", "min", "item") else inputs


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """An array, and its place on a tape."""

    def __init__(self, value: Array, tape: Tape, place: int) -> None:
        self.value, self.tape, self.place = value, tape, place

    @property
    def source(self) -> str:
        """How a page finds the number: its place, or the place of the array that it is in, and where in there."""
        name, *inputs = self.tape.operations[self.place]
        place, *entry = inputs if name == "item" else [self.place]
        self.tape.shown.add(place)
        return ".".join(map(str, (place, *entry)))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array."""
        return self.value.shape

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return self.value.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers."""
        return self.value.dtype

    @property
    def real(self) -> Traced:
        """Itself: there are real numbers only."""
        return self

    @property
    def T(self) -> Traced:  # NumPy's name
        """Transposed."""
        return self.tape.record(self.value.T, ("transpose", self.place))

    def __len__(self) -> int:
        return len(self.value)

    def __float__(self) -> float:
        raise NotFollowedError("a number taken out of an array")

    def __bool__(self) -> bool:
        raise NotFollowedError("a branch that depends on the data")

    def __array__(self, *arguments: Any, **options: Any) -> Any:
        raise NotFollowedError("an array made within a formula")

    def copy(self) -> Traced:
        """Itself: it is never written to."""
        return self

    def astype(self, dtype: Any, copy: bool = True) -> Traced:
        """Itself, where its numbers stay what they are; truths are 0 and 1."""
        if np.dtype(dtype) not in (np.dtype(float), self.dtype):
            raise NotFollowedError(f"astype({dtype})")
        return self if self.dtype == dtype else self * 1.0

    def sum(self, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Traced:
        """Return the sum over axes."""
        return self._reduce("sum", axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Traced:
        """Return the mean over axes."""
        total = self.sum(axis, keepdims=keepdims)
        return total / (self.size // total.size)

    def max(self, axis: Any = None, keepdims: bool = False) -> Traced:
        """Return the largest number along axes."""
        return self._reduce("max", axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Traced:
        """Return the smallest number along axes."""
        return self._reduce("min", axis, keepdims)

    def _reduce(self, name: str, axis: Any, keepdims: bool) -> Traced:
        axes = (0, 1) if axis is None else axis if isinstance(axis, tuple) else (axis % max(self.value.ndim, 1),)
        if not axes:
            return self
        value = getattr(self.value, name)(axis=None if axis is None else axes, keepdims=keepdims)
        if self.value.ndim < 2:  # a row
            axes = (0, 1)
        at = -1 if len(axes) == 2 else axes[0]
        result = self.tape.record(value, (name, self.place, at))
        return result if keepdims or at != 1 else self.tape.record(value, ("transpose", result.place))

    def __getitem__(self, key: Any) -> Traced:
        """Return entries, which the page takes by their numbers, counted through the rows."""
        value, numbers = self.value[key], np.arange(self.size).reshape(self.shape)[key]
        if np.ndim(value) == 0:
            return self.tape.record(value, ("item", self.place, int(numbers)))
        rows, columns = np.atleast_2d(value).shape
        if np.atleast_2d(self.value).shape == (rows, columns) and np.all(np.diff(numbers.ravel()) == 1):
            return Traced(value, self.tape, self.place)
        return self.tape.record(value, ("take", self.place, rows, columns, *_list_runs(numbers)))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        name = ufunc.__name__
        if name == "isfinite":  # a check, not a formula
            return ufunc(*map(plain, inputs))
        if method == "reduce" and name in ("maximum", "minimum", "add"):
            reduction = {"maximum": "max", "minimum": "min", "add": "sum"}[name]
            return self._reduce(reduction, options.get("axis", 0), options.get("keepdims", False))
        if method != "__call__" or set(options) - {"out"} or (name not in OPERATIONS and name != "matmul"):
            raise NotFollowedError(f"np.{name}{'' if method == '__call__' else f'.{method}'}")
        return self._apply(name, ufunc, inputs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        name = function.__name__.removeprefix("a")
        if name == "where" and len(args) == 3 and not kwargs:
            return self._apply("where", np.where, args)
        if name in ("zeros_like", "ones_like", "shape", "ndim", "size") and not kwargs:
            return function(*map(plain, args))
        if name == "clip" and len(args) == 3 and not kwargs:
            return np.minimum(np.maximum(args[0], args[1]), args[2])
        if name in ("sum", "max", "min", "mean") and args[0] is self:
            return getattr(self, name)(*args[1:], **kwargs)
        if name == "concatenate" and kwargs == {"axis": 1}:
            value = function([plain(part) for part in args[0]], axis=1)
            return self.tape.record(value, ("concatenate", *map(self.tape.place, args[0])))
        raise NotFollowedError(f"np.{function.__name__}")

    def _apply(self, name: str, function: Callable[..., Any], inputs: Sequence[Any]) -> Traced:
        value = function(*map(plain, inputs))
        if name == "add":  # nothing added is no operation
            for part, other in (inputs, inputs[::-1]):
                if not isinstance(part, Traced) and not np.any(part) and np.shape(value) == other.shape:
                    return other
        return self.tape.record(value, (name, *map(self.tape.place, inputs)))


def find_source(values: Any) -> str:
    """Return how a page finds a number or an array; nothing for one that it does not compute."""
    return values.source if isinstance(values, Traced) else ""


def plain(values: Any) -> Any:
    """Return the numbers themselves, for what the page does not follow: a choice, a size."""
    return values.value if isinstance(values, Traced) else values
