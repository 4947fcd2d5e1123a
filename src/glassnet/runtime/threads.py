"""How many threads: measured at the start, watched, and corrected when other work wants the cores."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

#: A step that takes so many times the best one seen says that the machine has become busy.
BUSY = 1.5

#: Seconds after which other numbers of threads are tried again, at first and at most.
SOONEST, LATEST = 0.25, 4.0


def available_cores() -> int:
    """Return the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def _start_helpers() -> ThreadPoolExecutor:
    """Return threads that help the one that calls; they are idle until then."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(max(1, available_cores() - 1), thread_name_prefix="glassnet")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_helpers.cache_clear)  # a child process has none of them


def run_in_threads(work: Callable[[int], None], count: int, threads: int) -> None:
    """Call ``work(0)`` to ``work(count - 1)``, each once, in up to so many threads at a time.

    Helpers that are busy with something else, or cannot be started, are not waited for. If a call raises, no other
    begins, and the exception is raised here.
    """
    numbers = itertools.count()

    def take_over() -> None:
        nonlocal count
        try:
            while (number := next(numbers)) < count:
                work(number)
        except BaseException:
            count = 0
            raise

    helpers = []
    with contextlib.suppress(RuntimeError):  # no more threads can be started
        for _ in range(min(threads, count) - 1):
            helpers.append(_start_helpers().submit(take_over))
    try:
        take_over()
    finally:
        for helper in helpers:
            if not helper.cancel():
                helper.result()


class ThreadChoice:
    """Chooses among 1, 2, 4, .. and `most` threads by the time that a step takes with each.

    All are tried at the start, then the fastest is kept. When steps become slow, all are tried again; and where
    fewer than `most` are in use, from time to time, in case the machine has become quiet. `count` is the number of
    threads to use for the next piece of work, always `most` if `fixed`. `clock` gives seconds, for tests.
    """

    def __init__(self, most: int, *, fixed: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        powers = [1 << power for power in range(most.bit_length()) if 1 << power < most]
        self.options = [most] if fixed else [most, *reversed(powers)]
        self.most, self.count, self.clock = most, most, clock
        self._fastest, self._interval, self._next = most, SOONEST, 0.0
        self._try_all()

    @property
    def trying(self) -> bool:
        """Whether other numbers of threads are being tried."""
        return bool(self._untried)

    def _try_all(self) -> None:
        """Begin to try every number twice, so that one disturbed moment does not decide."""
        self._seconds = dict.fromkeys(self.options, math.inf)
        self._untried = 2 * self.options if len(self.options) > 1 else []
        self.count = self.most

    def observe(self, seconds: float) -> None:
        """Take note of the time of a step with `count` threads, and choose `count` for what follows."""
        best = self._seconds[self.count] = min(self._seconds[self.count], seconds)
        if self._untried:
            self._untried.pop(0)
            if self._untried:
                self.count = self._untried[0]
            else:
                self._settle()
        elif self.clock() >= self._next and (seconds > BUSY * best or self.count != self.most):
            self._try_all()

    def _settle(self) -> None:
        """Keep the fastest, the longer the more often it has been found to be so."""
        self.count = min(self.options, key=self._seconds.__getitem__)
        self._interval = min(2 * self._interval, LATEST) if self.count == self._fastest else SOONEST
        self._fastest = self.count
        self._next = self.clock() + self._interval
