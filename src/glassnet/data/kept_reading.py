"""Files that are read once although their rows are drawn many times, as a study draws them for every seed."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

import numpy as np

#: What is larger in all is read again each time: a data set and what was read of it are two copies in memory.
MOST_BYTES = 1 << 29

P = ParamSpec("P")
T = TypeVar("T")

_kept: ContextVar[dict[str, Any] | None] = ContextVar("kept", default=None)


@contextlib.contextmanager
def keep_in(store: dict[str, Any]) -> Iterator[None]:
    """Take from the store what was read before, and put into it what is read, until the block ends."""
    token = _kept.set(store)
    try:
        yield
    finally:
        _kept.reset(token)


def kept(read: Callable[P, T]) -> Callable[P, T]:
    """Have a function that reads a file look into the store of `keep_in` first.

    What would make the store larger than `MOST_BYTES` is not kept. Arrays that are kept cannot be written to, so
    that whoever moves rows in place copies them.
    """

    @functools.wraps(read)
    def read_once(*args: P.args, **options: P.kwargs) -> T:
        store = _kept.get()
        if store is None:
            return read(*args, **options)
        key = repr((read.__module__, read.__qualname__, args, options))
        if key in store:
            found: T = store[key]
            return found
        result = read(*args, **options)
        if sum(map(_count_bytes, [result, *store.values()])) <= MOST_BYTES:
            store[key] = result
            _protect(result)
        return result

    return read_once


def _list_parts(value: Any) -> list[Any]:
    """Return the arrays and tables that something consists of."""
    if isinstance(value, dict | tuple | list):
        parts = value.values() if isinstance(value, dict) else value
        return [inner for part in parts for inner in _list_parts(part)]
    return [value]


def _count_bytes(value: Any) -> int:
    return sum(
        part.nbytes if isinstance(part, np.ndarray) else part.estimated_size()
        for part in _list_parts(value)
        if isinstance(part, np.ndarray) or hasattr(part, "estimated_size")
    )


def _protect(value: Any) -> None:
    for part in _list_parts(value):
        if isinstance(part, np.ndarray):
            part.setflags(write=False)
