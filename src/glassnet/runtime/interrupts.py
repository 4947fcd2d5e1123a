"""Ctrl-C and SIGTERM as a wish to stop soon, so that a batch can be finished and the work saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class GracefulInterrupts:
    """A context in which the first SIGINT or SIGTERM only sets ``signal``; the second acts at once.

    A signal that is ignored stays so: a shell has jobs in the background ignore SIGINT. Outside the main thread,
    where Python allows no signal handlers, nothing changes.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> GracefulInterrupts:
        if threading.current_thread() is threading.main_thread():
            self._previous = {
                number: signal.signal(number, self._record_signal)
                for number in self.SIGNALS
                if signal.getsignal(number) != signal.SIG_IGN
            }
        return self

    def _record_signal(self, number: int, frame: FrameType | None) -> None:
        self.signal = signal.Signals(number)
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()
