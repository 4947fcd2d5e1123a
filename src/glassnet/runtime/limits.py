"""Limits of the system on a process (``ulimit``): what libraries make of one that is too low, in plain words."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator

from glassnet.runtime.memory import address_limit
from glassnet.runtime.threads import available_cores

#: Bytes of addresses that a command takes with one thread of BLAS, and with each further one.
ADDRESSES, A_THREAD = 600 << 20, 80 << 20

NO_THREAD = "no further thread or process can be started: raise the limit, ulimit -u, or that on memory, ulimit -v"

#: What loaders and allocators say where there is no memory.
NO_MEMORY = ("failed to map", "cannot allocate memory", "error return without exception set")


def find_low_limit() -> str | None:
    """Return what is wrong with the limit on memory, None where it is enough to begin with.

    Below, libraries do not fail: they hang, or die.
    """
    given = os.environ.get("OPENBLAS_NUM_THREADS", "")
    threads = max(1, int(given) if given.isdecimal() else available_cores())
    needed, limit = ADDRESSES + A_THREAD * (threads - 1), address_limit()
    if limit is None or limit >= needed:
        return None
    fewer = ", or set OPENBLAS_NUM_THREADS=1" if threads > 1 else ""
    return f"{_say_memory(limit)}, and {needed / 1e6:,.0f} MB are needed to begin; raise it{fewer}"


def explain_limit(error: BaseException) -> str | None:
    """Return which limit an error comes from and what to do, None where it comes from none."""
    chain = list(_chain(error))
    numbers, texts = {getattr(one, "errno", None) for one in chain}, [str(one).lower() for one in chain]
    if {errno.EMFILE, errno.ENFILE} & numbers:
        return "too many open files: raise the limit, ulimit -n"
    if any("can't start new thread" in text for text in texts) or errno.EAGAIN in numbers:
        return NO_THREAD
    if any(isinstance(one, MemoryError) for one in chain) or errno.ENOMEM in numbers or _mentions(texts):
        limit = address_limit()
        return f"not enough memory: {error}" if limit is None else f"{_say_memory(limit)}; raise it"
    if isinstance(error, KeyboardInterrupt) and not _starts_threads():  # OpenBLAS interrupts itself then
        return NO_THREAD
    return None


def _say_memory(limit: int) -> str:
    return f"not enough memory: ulimit -v allows {limit / 1e6:,.0f} MB"


def _mentions(texts: list[str]) -> bool:
    return any(words in text for words in NO_MEMORY for text in texts)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _starts_threads() -> bool:
    try:
        threading.Thread(target=int).start()
    except RuntimeError:
        return False
    return True
