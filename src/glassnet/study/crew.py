"""The worker processes of a study: started, heard, and ended with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType

from glassnet.errors import GlassnetError
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.study.job import Job
from glassnet.study.worker import serve

#: Workers in a row that die before they have said a word, until no more are started.
STILLBORN = 3

#: Seconds between two looks for Ctrl-C, and that a worker without work has to end.
LOOK, FAREWELL = 0.1, 5.0


class StopRequested(Exception):  # noqa: N818 - a wish is no error
    """Ctrl-C or SIGTERM arrived."""


@dataclass(eq=False)
class Worker:
    """A worker process.

    Attributes
    ----------
    process : SpawnProcess
    connection : Connection
        To it and back.
    ready : bool
        It has said that it is there.
    job : Job or None
        What it does.
    """

    process: SpawnProcess
    connection: Connection
    ready: bool = False
    job: Job | None = None

    def send(self, task: object) -> None:
        """Send something; where the worker is dead, that is found out when it is listened to."""
        with contextlib.suppress(OSError):
            self.connection.send(task)

    @property
    def last_words(self) -> str:
        """How it died."""
        self.process.join(FAREWELL)
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"its process was killed (signal {-code})"
        return f"its process ended by itself (exit code {code})"


class Crew:
    """Worker processes, all of which end with this context, whatever ends it.

    Parameters
    ----------
    log : Path
        Where they print.
    data_dir : str or Path, optional
        Where the data are.
    interrupts : GracefulInterrupts
        Says whether Ctrl-C arrived.
    """

    def __init__(self, log: Path, data_dir: str | Path | None, interrupts: GracefulInterrupts) -> None:
        self.log, self.data_dir, self.interrupts = log, data_dir, interrupts
        self.workers: list[Worker] = []
        self.stillborn = 0

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for worker in self.workers:  # all at once, so that they end side by side
                worker.send(None)
            for worker in list(self.workers):
                self.dismiss(worker)
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            worker.process.join()
        with contextlib.suppress(OSError):
            if self.log.stat().st_size == 0:
                self.log.unlink()

    def hire(self, count: int = 1) -> None:
        """Start workers."""
        context = multiprocessing.get_context("spawn")
        for _ in range(count):
            ours, theirs = context.Pipe()
            arguments = (theirs, os.getpid(), self.log.absolute(), self.data_dir)
            process = context.Process(target=serve, args=arguments, name="glassnet study", daemon=False)
            with _without_ctrl_c():
                process.start()
            theirs.close()  # so that the end of the process ends what is read here
            self.workers.append(Worker(process, ours))

    def listen(self) -> list[tuple[Worker, str, object]]:
        """Return what workers have said: worker, kind and value; of one that died, kind ``"dead"`` and why.

        Raises
        ------
        StopRequested
            If Ctrl-C or SIGTERM arrived.
        GlassnetError
            If workers die as soon as they are started.
        """
        if self.interrupts.signal is not None:
            raise StopRequested
        heard: list[tuple[Worker, str, object]] = []
        talking = wait([worker.connection for worker in self.workers], LOOK)
        for worker in [worker for worker in self.workers if worker.connection in talking]:
            try:
                kind, value = worker.connection.recv()
            except (EOFError, OSError):
                kind, value = "dead", worker.last_words
                self._bury(worker)
            if kind == "ready":
                worker.ready, self.stillborn = True, 0
            else:
                heard.append((worker, kind, value))
        return heard

    def _bury(self, worker: Worker) -> None:
        worker.process.kill()
        worker.process.join()
        worker.connection.close()
        self.workers.remove(worker)
        self.stillborn += not worker.ready
        if self.stillborn >= STILLBORN:
            raise GlassnetError(
                f"the worker processes of a study cannot start, see above and {self.log}; a program that runs a "
                'study has to do so under if __name__ == "__main__":'
            )

    def dismiss(self, worker: Worker) -> None:
        """End a worker that has nothing to do."""
        worker.send(None)
        worker.process.join(FAREWELL)
        worker.process.kill()
        worker.process.join()
        worker.connection.close()
        self.workers.remove(worker)

    def stop(self) -> list[tuple[Worker, str, object]]:
        """Have all finish their batch, save and end; return what they still said."""
        for worker in self.workers:
            worker.process.terminate()
            # One that is just done with its run has noted the signal too late to obey it, and asks for more work.
            worker.send(None)
        heard = []
        while self.workers:
            for worker in list(self.workers):
                with contextlib.suppress(EOFError, OSError):
                    while worker.connection.poll():
                        heard.append((worker, *worker.connection.recv()))
                if not worker.process.is_alive():
                    worker.connection.close()
                    self.workers.remove(worker)
            time.sleep(LOOK / 5)
        return heard


@contextlib.contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Keep Ctrl-C, which a terminal sends to all processes, from one that is being started."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
