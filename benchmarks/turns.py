"""Measure contestants in turn: A B C, A B C, ..., so that a slow minute of the machine meets them all."""

import signal
import statistics
import time
from contextlib import contextmanager

#: Seconds between two measurements, in which the threads of the one before go to sleep.
PAUSE = 0.1


class TooLong(Exception):  # noqa: N818 - a time limit is no error
    """A measurement passed its time limit."""


def prepare(builders):
    """Build each contestant and run it once, to compile and warm up; return those that work, and what failed."""
    ready, failed = {}, {}
    for name, build in builders.items():
        try:
            ready[name] = build()
            ready[name]()
        except ImportError:
            failed[name] = "not installed"
        except Exception as error:
            failed[name] = f"failed: {error!r}"
        if name in failed:
            ready.pop(name, None)
            print(f"{name} {failed[name]}")
    return ready, failed


def in_turn(ready, rounds, clock=time.perf_counter):
    """Return the seconds of every round of each contestant, by a clock: usually the one on the wall."""
    times = {name: [] for name in ready}
    for _ in range(rounds):
        for name, run in ready.items():
            times[name].append(seconds(run, clock))
    return times


def seconds(run, clock=time.perf_counter):
    """Return the seconds that one call takes, after a pause."""
    time.sleep(PAUSE)
    began = clock()
    run()
    return clock() - began


def medians(times):
    """Return the median of each contestant."""
    return {name: statistics.median(values) for name, values in times.items()}


def ratios(middle, name="glassnet"):
    """Return the medians' ratios, `name` over each of the others."""
    return {other: middle[name] / value for other, value in middle.items() if other != name}


@contextmanager
def time_limit(limit):
    """Raise `TooLong` in the block after so many seconds."""

    def stop(*_):
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
