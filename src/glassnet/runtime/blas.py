"""The BLAS that NumPy multiplies matrices with: which library, which kernel, its gemm, its threads."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from threadpoolctl import ThreadpoolController

#: What libraries call the C function sgemm: some put a word before it; 64_ after it says that integers are int64.
NAMES = [(f"{before}cblas_{{}}gemm{after}", after) for before in ("scipy_", "") for after in ("64_", "")]


@dataclass(frozen=True)
class Gemm:
    """A BLAS library's function C = alpha A B + beta C, as a C function through ctypes.

    `path` is the library's file, `integer` the type of the function's sizes: int32 or int64.
    """

    path: str
    integer: np.dtype[Any]
    function: Any

    @property
    def address(self) -> int:
        """Where the function stands in this process."""
        return int(ctypes.cast(self.function, ctypes.c_void_p).value or 0)


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


def find_gemm(dtype: Any) -> Gemm | None:
    """Return sgemm or dgemm of the BLAS in this process, or None where it keeps them to itself."""
    real = ctypes.c_float if np.dtype(dtype) == np.float32 else ctypes.c_double
    for library in libraries():
        loaded = ctypes.CDLL(library["path"])
        for name, after in NAMES:
            function = getattr(loaded, name.format("s" if real is ctypes.c_float else "d"), None)
            if function is not None:
                size, word = (ctypes.c_int64 if after else ctypes.c_int32), ctypes.c_void_p
                order = [ctypes.c_int32] * 3
                function.argtypes = [*order, size, size, size, real, word, size, word, size, real, word, size]
                function.restype = None
                return Gemm(library["path"], np.dtype(np.int64 if after else np.int32), function)
    return None


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
