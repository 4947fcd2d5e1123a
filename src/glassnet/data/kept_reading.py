"""Files that are read once although their rows are drawn many times, as a study draws them for every seed."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

import numpy as np

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

    Arrays that are kept cannot be written to, so that whoever moves rows in place copies them.
    """

    @functools.wraps(read)
    def read_once(*args: P.args, **options: P.kwargs) -> T:
        store = _kept.get()
        if store is None:
            return read(*args, **options)
        key = repr((read.__module__, read.__qualname__, args, options))
        if key not in store:
            store[key] = read(*args, **options)
            _protect(store[key])
        found: T = store[key]
        return found

    return read_once


def _protect(value: Any) -> None:
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    elif isinstance(value, dict | tuple | list):
        for part in value.values() if isinstance(value, dict) else value:
            _protect(part)
