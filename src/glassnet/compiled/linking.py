"""The step and the functions that it calls by address: compiled, or as Python runs the same texts."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from glassnet.compiled.sources import Source, step_source
from glassnet.nn.activations import Array
from glassnet.runtime.compilation import compile_function, compile_pointer
from glassnet.runtime.intrinsics import MACHINE_FUNCTIONS
from glassnet.runtime.products import product_address


def link(sources: Mapping[str, Source | list[Source]], real: np.dtype[Any], *, compiled: bool) -> dict[str, Any]:
    """Return ``take_steps`` and, by the names of a step's fields, the addresses of the functions that it calls.

    Not ``compiled``, Python runs the texts, slowly, and addresses are places in a list of its functions.
    """
    text = step_source(real)
    if compiled:
        addresses = _load(sources, lambda source: compile_pointer(*source))
        return {"take_steps": compile_function(text, "take_steps"), "multiply": product_address(real), **addresses}
    functions: list[Callable[..., Any]] = [partial(_multiply, real)]
    addresses = _load(sources, partial(_interpret, functions))
    names: dict[str, Any] = {name: lambda *state: 0 for name in MACHINE_FUNCTIONS}
    names["refer"] = lambda record: record
    names["address"] = lambda numbers: numbers.ctypes.data
    names["at"] = lambda numbers, place: numbers.ctypes.data + place * numbers.itemsize
    names["call_address"] = lambda place, arguments: functions[place](*arguments)
    exec(compile(text, "<glassnet>", "exec"), names)
    return {"take_steps": names["take_steps"], "multiply": 0, **addresses}


def _load(sources: Mapping[str, Source | list[Source]], load: Callable[[Source], int]) -> dict[str, Any]:
    """Return the address of each function; an array of them where there is one for each layer."""
    return {
        name: np.array([load(one) for one in source], np.intp) if isinstance(source, list) else load(source)
        for name, source in sources.items()
    }


def _multiply(real: np.dtype[Any], *arguments: Any) -> None:
    """Do what the product of `glassnet.runtime.products` does, with NumPy."""
    rows, columns, steps, a, a_row, a_step, b, b_row, c, c_row, go_on, turned, factor = arguments
    A = _matrix(real, a, (rows, steps), (a_row, a_step))
    B = _matrix(real, b, (steps, columns), (real.itemsize, b_row) if turned else (b_row, real.itemsize))
    C = _matrix(real, c, (rows, columns), (c_row, real.itemsize))
    C[:] = factor * (C + A @ B if go_on else A @ B)


def _matrix(real: np.dtype[Any], address: int, shape: tuple[int, int], strides: tuple[int, int]) -> Array:
    """Return a matrix that stands at an address."""
    size = sum((count - 1) * stride for count, stride in zip(shape, strides, strict=True)) + real.itemsize
    room = (ctypes.c_char * int(size)).from_address(int(address))
    return np.ndarray(shape, real, memoryview(room), strides=strides)


def _interpret(functions: list[Callable[..., Any]], source: Source) -> int:
    """Add the function of a text to those of Python, and return its place."""
    namespace: dict[str, Any] = {"carray": _view, "fma": lambda x, y, z: x * y + z}
    exec(compile(source.text, "<glassnet>", "exec"), namespace)

    def call(*arguments: Any) -> None:
        pairs = zip(source.arguments, arguments, strict=True)
        namespace[source.name](*((x, kind[:-1]) if kind.endswith("*") else x for kind, x in pairs))

    functions.append(call)
    return len(functions) - 1


def _view(place: tuple[int, str], shape: Any) -> Array:
    """Return the numbers of a kind at an address, as ``carray`` does."""
    address, kind = place
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    return np.frombuffer(memoryview((ctypes.c_char * size).from_address(int(address))), kind).reshape(shape)
