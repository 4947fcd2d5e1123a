"""A pool of worker processes: each runs one task after another, and none outlives the process that started it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Literal, NamedTuple

from glassnet.errors import GlassnetError
from glassnet.runtime.files import open_to_append
from glassnet.runtime.interrupts import GracefulInterrupts, SignalReceived, raising_signals

#: Workers in a row that may die before they are ready; then no more are started.
MOST_FAILED_STARTS = 3

#: Seconds between two looks for Ctrl-C, and seconds that an idle worker has to end.
POLL_SECONDS, SHUTDOWN_SECONDS = 0.1, 5.0

#: The signals that a terminal sends to all processes that it runs.
FROM_TERMINAL = {getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)}

#: Seconds between two looks of a worker whether its parent still runs.
PARENT_SECONDS = 0.5


class StopRequested(Exception):  # noqa: N818 - a request is no error
    """Ctrl-C or SIGTERM arrived."""


@dataclass(eq=False)
class Worker:
    """A worker process, as the pool sees it.

    Tasks go out by the connection, and messages come in. The worker is ready once it waits for tasks, and busy
    while it has one.
    """

    process: SpawnProcess
    connection: Connection
    ready: bool = False
    busy: bool = False

    def send(self, task: object) -> None:
        """Send a task, or None to end the worker. If the worker is dead, `ProcessPool.receive` finds out."""
        with contextlib.suppress(OSError):
            self.connection.send(task)

    def go_on(self) -> None:
        """Have a task that waits (`Reporter.wait`) go on."""
        self.send("go on")

    def why_it_died(self) -> str:
        """Return how the process ended, in words."""
        self.process.join(SHUTDOWN_SECONDS)
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"its process was killed (signal {-code})"
        return f"its process ended by itself (exit code {code})"


class WorkerMessage(NamedTuple):
    """What the pool received from a worker.

    ``"progress"``: the task goes on. ``"waiting"``: it waits until `Worker.go_on` is called. The other kinds end
    it: ``"result"``, ``"error"`` (the task raised an exception), ``"interrupted"`` (SIGTERM reached the worker,
    and the task saved its state), ``"died"``. The value is the progress or the result, or why the task failed or
    the process died. It is None when the task waits or was interrupted. The worker is one of the pool's kind.
    """

    worker: Any
    kind: Literal["progress", "waiting", "result", "error", "interrupted", "died"]
    value: Any


class ProcessPool:
    """Worker processes that end with this context, however it ends.

    `concurrent.futures` and loky end all workers when one dies, and cannot say which task it had. Here the other
    tasks go on, and a task can be asked to save its state and end.

    `log` is the file for what workers print, tracebacks above all; an empty one is removed at the end.
    `interrupts` says whether Ctrl-C or SIGTERM arrived in this process; workers ignore Ctrl-C. `context` is sent
    to each worker at its start and passed to each of its tasks: a cache of data, for example.
    """

    def __init__(self, log: Path, interrupts: GracefulInterrupts, context: object = None) -> None:
        self.log, self.interrupts, self.context = log, interrupts, context
        open_to_append(log).close()  # what is no file is refused here, and not in each worker
        self.workers: list[Worker] = []
        self.failed_starts = 0

    def __enter__(self) -> ProcessPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._shut_down(self.workers)
        for worker in list(self.workers):
            self._remove(worker)
        with contextlib.suppress(OSError):
            if self.log.stat().st_size == 0:
                self.log.unlink()

    @property
    def idle(self) -> list[Worker]:
        """The workers without a task."""
        return [worker for worker in self.workers if not worker.busy]

    def resize(self, count: int) -> None:
        """Start workers, or end idle ones, until there are `count`."""
        self._shut_down(self.idle[: max(0, len(self.workers) - count)])
        spawn = multiprocessing.get_context("spawn")
        while len(self.workers) < count:
            ours, theirs = spawn.Pipe()
            arguments = (theirs, self.log.absolute(), self.context)
            process = spawn.Process(target=serve, args=arguments, name="glassnet study", daemon=False)
            with _terminal_blocked():
                process.start()
            theirs.close()  # so that the end of the process is the end of the connection
            self.workers.append(Worker(process, ours))

    def submit(self, function: Callable[..., Any], *arguments: object) -> Worker:
        """Have an idle worker call ``function(*arguments, context, report)``, and return the worker.

        The function is one that a worker can import; ``report`` is a `Reporter`.
        """
        worker = self.idle[0]
        worker.busy = True
        worker.send((function, arguments))
        return worker

    def receive(self) -> list[WorkerMessage]:
        """Return the next messages of the workers; nothing if there are none for a tenth of a second.

        It raises `StopRequested` if Ctrl-C or SIGTERM arrived, and `GlassnetError` if workers die as soon as they
        are started.
        """
        if self.interrupts.signal is not None:
            raise StopRequested
        messages = self._receive()
        if self.failed_starts >= MOST_FAILED_STARTS:
            raise GlassnetError(
                f"the worker processes of a study cannot start, see above and {self.log}; a program that runs a "
                'study has to do so under if __name__ == "__main__":'
            )
        return messages

    def stop(self) -> list[WorkerMessage]:
        """Have all tasks finish their batch and save, end the workers, and return their last messages."""
        for worker in self.workers:
            worker.process.terminate()
            worker.send(None)  # a task that is just done notes the signal too late; its worker waits for another
        messages = []
        while self.workers:
            messages += self._receive()
        return messages

    def _receive(self) -> list[WorkerMessage]:
        messages = []
        readable = wait([worker.connection for worker in self.workers], POLL_SECONDS)
        for worker in [worker for worker in self.workers if worker.connection in readable]:
            try:
                kind, value = worker.connection.recv()
            except (EOFError, OSError):
                kind, value = "died", worker.why_it_died()
                self.failed_starts += not worker.ready
                self._remove(worker)
            if kind == "ready":
                worker.ready, self.failed_starts = True, 0
                continue
            worker.busy = kind in ("progress", "waiting")
            messages.append(WorkerMessage(worker, kind, value))
            if kind == "interrupted":  # the worker ends as well
                self._shut_down([worker])
        return messages

    def _shut_down(self, workers: Sequence[Worker]) -> None:
        """End workers without a task, side by side."""
        for worker in workers:
            worker.send(None)
        for worker in list(workers):
            worker.process.join(SHUTDOWN_SECONDS)
            self._remove(worker)

    def _remove(self, worker: Worker) -> None:
        worker.process.kill()
        worker.process.join()
        worker.connection.close()
        self.workers.remove(worker)


@contextlib.contextmanager
def _terminal_blocked() -> Iterator[None]:
    """Keep what a terminal sends to all processes from a process that is being started."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, FROM_TERMINAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Reporter:
    """What a task tells the pool by: ``report(value)`` sends a ``"progress"`` message."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __call__(self, value: object) -> None:
        """Send a ``"progress"`` message."""
        self.connection.send(("progress", value))

    def wait(self) -> None:
        """Send a ``"waiting"`` message, and wait until the pool's process calls `Worker.go_on`."""
        self.connection.send(("waiting", None))
        self.connection.recv()


def serve(connection: Connection, log: Path, context: object) -> None:
    """Run tasks until None arrives, a task is interrupted, or the parent process ends: what a worker does.

    The connection brings tasks, pairs of a function and its arguments, and takes messages.
    """
    end_with_parent()
    for number in FROM_TERMINAL:
        signal.signal(number, signal.SIG_IGN)  # they reach the whole group; the pool sends SIGTERM instead
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FROM_TERMINAL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with open_to_append(log) as file:
        for stream in (1, 2):  # also what C libraries print
            os.dup2(file.fileno(), stream)
    connection.send(("ready", None))
    with (
        contextlib.suppress(EOFError, BrokenPipeError, SignalReceived),  # the parent is gone, or has no more tasks
        raising_signals(second_ends=False),
    ):
        while (task := connection.recv()) is not None:
            function, arguments = task
            outcome = attempt(function, arguments, context, Reporter(connection))
            connection.send(outcome)
            if outcome[0] == "interrupted":
                return


def attempt(
    function: Callable[..., Any], arguments: Sequence[object], context: object, report: Callable[[object], None]
) -> tuple[Literal["result", "error", "interrupted"], Any]:
    """Run a task as a worker does, and return what came of it: the kind and the value of a `WorkerMessage`."""
    try:
        return "result", function(*arguments, context, report)
    except KeyboardInterrupt:  # it has saved what there was to save
        return "interrupted", None
    except GlassnetError as error:
        return "error", str(error)
    except (BrokenPipeError, EOFError):
        raise
    except Exception as error:
        traceback.print_exc()
        return "error", f"{type(error).__name__}: {error}"


def end_with_parent() -> None:
    """Have this process end within half a second of its parent, however that ends; for one that was spawned.

    A thread waits until the system closes the parent's end of a pipe. Processes that the parent has forked hold
    that end open as well. So the thread also looks twice a second whether this process has another parent: the
    system gives it one when the first has ended.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait_for_parent() -> None:
        while parent.is_alive() and os.getppid() == parent.pid:
            parent.join(PARENT_SECONDS)
        os._exit(1)

    threading.Thread(target=wait_for_parent, daemon=True).start()
