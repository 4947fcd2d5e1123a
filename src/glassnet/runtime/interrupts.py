"""Ctrl-C, SIGTERM and SIGHUP: a command ends soon after one, and what it trains or writes is saved before."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, ClassVar, TypeVar

Result = TypeVar("Result")

#: The signals by which a user, a system or a terminal that closes asks a process to end.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

#: Seconds within which further signals belong to the first: some send them twice, to the process and to its group.
BURST = 0.5

#: Seconds after which the exception of a signal is raised again: where Python ignored it, and where a library did.
IGNORED, LOST = 0.02, 3.0


class SignalReceived(KeyboardInterrupt):
    """A signal asks the process to end.

    Attributes
    ----------
    signal : signal.Signals
        The signal that arrived.
    """

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(f"stopped by {'Ctrl-C' if number == signal.SIGINT else number.name}")
        self.signal = number


class _Process:
    """What this process knows of signals."""

    received: ClassVar[signal.Signals | None] = None
    at: ClassVar[float] = 0.0
    raised: ClassVar[bool] = False
    #: The contexts that are open; while `waits`, a signal only sets their ``signal``.
    contexts: ClassVar[list[GracefulInterrupts]] = []
    waits: ClassVar[bool] = False
    #: The handlers to go back to. Where they are those of a command, they end it, and exceptions are raised again.
    before: ClassVar[dict[signal.Signals, Any]] = {}
    command: ClassVar[bool] = False


class GracefulInterrupts:
    """A context in which SIGINT, SIGTERM and SIGHUP wait: they set ``signal``, and who works there looks at it.

    Contexts may stand in each other; a signal sets all of them. Where the outermost ends and nobody has acted on
    the signal, by an exception that is a KeyboardInterrupt, it acts then, as it would outside. A second signal
    acts at once, unless it comes within `BURST`.

    A signal that is ignored stays so: a shell has jobs in the background ignore SIGINT. Outside the main thread,
    where Python allows no signal handlers, nothing changes.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._outer_waits = False

    def __enter__(self) -> GracefulInterrupts:
        if threading.current_thread() is threading.main_thread():
            self._outer_waits, _Process.waits = _Process.waits, True
            if not _Process.contexts and not _Process.command:
                _Process.received, _Process.raised = None, False
                _take_over({})
            _Process.contexts.append(self)
            self.signal = _Process.received
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self not in _Process.contexts:
            return
        _Process.contexts.remove(self)
        _Process.waits = self._outer_waits
        _Process.raised |= kind is not None and issubclass(kind, KeyboardInterrupt)
        if _Process.command and not _Process.waits:
            _raise_late()
        elif not _Process.command and not _Process.contexts:
            _restore()
            if _Process.received is not None and not _Process.raised:
                signal.raise_signal(_Process.received)

    def attempt(self, work: Callable[[], Result], otherwise: Callable[[], Result]) -> Result:
        """Return what long work returns; it is left at once for a signal, and `otherwise` done in its place."""
        outer_waits, _Process.waits = _Process.waits, _Process.waits and self not in _Process.contexts
        try:
            if self.signal is None:
                return work()
        except SignalReceived:  # it waits on
            _Process.raised = False
            _raise_again(0)
        finally:
            _Process.waits = outer_waits
        return otherwise()


@contextlib.contextmanager
def raising_signals(*, second_ends: bool = True) -> Iterator[None]:
    """Have signals raise `SignalReceived` outside of `GracefulInterrupts`, for a process that is ours as a whole.

    The exception is raised again where it got lost in a place that ignores exceptions. A second signal ends the
    process at once, unless it is not to. After this context, which nothing but the end of the process may follow,
    signals end it silently.
    """
    _Process.command, hook = True, sys.unraisablehook

    def note(unraisable: Any) -> None:
        """Raise the exception of a signal again that Python ignored, as it does in the callback of a reference."""
        if isinstance(unraisable.exc_value, SignalReceived):
            _raise_again(IGNORED)
        else:
            hook(unraisable)

    sys.unraisablehook = note
    ends = signal.SIG_DFL if second_ends else signal.SIG_IGN
    _take_over(dict.fromkeys(SIGNALS, ends))
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _repeat)
    try:
        yield
    finally:
        _raise_again(0)
        _restore()
        _Process.command = False


def received_signal() -> signal.Signals | None:
    """Return the signal that asked this command to end, None where there was none."""
    return _Process.received if _Process.command else None


def exit_code(stop: KeyboardInterrupt) -> int:
    """Return what a command ends with after a signal: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP.

    It ends now: the exception is raised no more.
    """
    _raise_again(0)
    return 128 + int(getattr(stop, "signal", signal.SIGINT))


def _take_over(after: dict[Any, Any]) -> None:
    """Receive signals here; `after` says which handlers are to follow, by default the present ones."""
    for number in SIGNALS:
        handler = signal.getsignal(number)
        if handler not in (signal.SIG_IGN, None):
            _Process.before[number] = after.get(number, handler)
            signal.signal(number, _receive)


def _restore() -> None:
    for number, handler in _Process.before.items():
        signal.signal(number, handler)
    _Process.before.clear()


def _receive(number: int, frame: FrameType | None) -> None:
    """Note a signal, and raise its exception where it need not wait."""
    if _Process.received is None:
        _Process.received, _Process.at = signal.Signals(number), time.monotonic()
        for context in _Process.contexts:
            context.signal = _Process.received
        if not _Process.waits:
            _raise_late()
    elif time.monotonic() - _Process.at > BURST and number != getattr(signal, "SIGHUP", None):
        _restore()
        signal.raise_signal(number)


def _raise_late() -> None:
    """Raise the exception of a signal that has none yet."""
    if _Process.received is not None and not _Process.raised:
        _Process.raised = True
        _raise_again(LOST)
        raise SignalReceived(_Process.received)


def _raise_again(seconds: float) -> None:
    """Have the exception raised once more after so many seconds, never with 0."""
    if _Process.command and hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _repeat(number: int, frame: FrameType | None) -> None:
    _Process.raised = False
    if _Process.waits:
        _raise_again(LOST)
    else:
        _raise_late()
