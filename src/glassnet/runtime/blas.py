"""The BLAS that NumPy multiplies matrices with: which library, which kernel, its threads."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from threadpoolctl import ThreadpoolController


def _find_controller() -> ThreadpoolController:
    """Return what controls the BLAS libraries in this process. They come in with the modules that are imported."""
    return _scan(len(sys.modules))


@functools.lru_cache(maxsize=1)
def _scan(modules: int) -> ThreadpoolController:
    """Look through all libraries of this process, which takes milliseconds."""
    return ThreadpoolController().select(user_api="blas")


def libraries() -> list[dict[str, Any]]:
    """Return the BLAS libraries in this process, NumPy's own first: name, version, kernel, threads and path."""
    found = [
        {
            "name": info["internal_api"],
            "version": info.get("version"),
            "kernel": info.get("architecture"),
            "threads": info["num_threads"],
            "path": info["filepath"],
        }
        for info in _find_controller().info()
    ]
    return sorted(found, key=lambda library: "numpy" not in library["path"])  # SciPy brings one of its own


class _ThreadsBefore:
    """How many are setting BLAS's threads at the moment, and what they were before."""

    lock = threading.Lock()
    count = 0
    before: ClassVar[list[int]] = []


def usual_threads() -> int:
    """Return how many threads BLAS takes where nobody in this process has changed that."""
    with _ThreadsBefore.lock:
        if _ThreadsBefore.count:
            return max(_ThreadsBefore.before, default=1)
    return max((library.num_threads for library in _find_controller().lib_controllers), default=1)


@contextlib.contextmanager
def blas_threads() -> Iterator[Callable[[int], None]]:
    """Give a function that sets the threads of every BLAS library here; at the end they are as before.

    Where several do so side by side, the last one to end brings back what was before the first.
    """
    controllers = _find_controller().lib_controllers
    with _ThreadsBefore.lock:
        if _ThreadsBefore.count == 0:
            _ThreadsBefore.before = [controller.num_threads for controller in controllers]
        _ThreadsBefore.count += 1

    def use(count: int) -> None:
        for controller in controllers:
            controller.set_num_threads(count)

    try:
        yield use
    finally:
        with _ThreadsBefore.lock:
            _ThreadsBefore.count -= 1
            if _ThreadsBefore.count == 0:
                for controller, count in zip(controllers, _ThreadsBefore.before, strict=False):
                    controller.set_num_threads(count)
