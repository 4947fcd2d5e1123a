"""How much memory this process may still take; arrays that begin at a line of the processor's cache."""

from __future__ import annotations

import contextlib
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

#: A line of the cache in bytes, as long as the longest vector of a processor.
CACHE_LINE = 64

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def available_memory() -> int | None:
    """Return the bytes that this process may still take: of the machine, of its container, of ``ulimit -v``.

    None where the system does not tell.
    """
    return min(_find_bounds(), default=None)


def address_limit() -> int | None:
    """Return how many bytes this process may address (``ulimit -v``), None where nothing says."""
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def aligned_zeros(shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
    """Return zeros that begin at a cache line, so that fewer vectors of the processor lie in two."""
    import numpy as np  # commands that compute nothing start without it

    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.zeros(size + CACHE_LINE, np.uint8)
    first = -room.ctypes.data % CACHE_LINE
    return room[first : first + size].view(dtype).reshape(shape)


def describe_bytes(count: float) -> str:
    """Return a number of bytes in words: "2.1 GB"."""
    unit, size = next((one for one in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)) if count >= one[1]), ("bytes", 1.0))
    return f"{count / size:,.{0 if unit == 'bytes' or count >= 100 * size else 1}f} {unit}"


def _find_bounds() -> Iterator[int]:
    """Yield what is left below each bound that is known."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = (PROC / "meminfo").read_text().splitlines()
        yield next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    if sys.platform != "linux":
        with contextlib.suppress(OSError, ValueError):
            yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return
    yield from _find_container_bounds()
    if (limit := address_limit()) is not None:
        with contextlib.suppress(OSError, ValueError, IndexError):
            taken = int((PROC / "self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            yield max(0, limit - taken)


def _find_container_bounds() -> Iterator[int]:
    """Yield what is left in this process's control group and those above it, of either version."""
    with contextlib.suppress(OSError):
        for line in (PROC / "self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            root, names = CGROUPS, ("memory.max", "memory.current")
            if controllers:
                root, names = CGROUPS / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes")
            group = root / path.lstrip("/")
            for folder in (group, *(one for one in group.parents if one.is_relative_to(root))):
                with contextlib.suppress(OSError, ValueError, StopIteration):
                    most, taken = (int((folder / name).read_text()) for name in names)
                    cached = (line.split() for line in (folder / "memory.stat").read_text().splitlines())
                    given_back = next(int(size) for name, size in cached if name.endswith("inactive_file"))
                    yield max(0, most - taken + given_back)
