"""A process that trains one run of a study after the other, and ends when its study does."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from glassnet.errors import GlassnetError
from glassnet.study.fairness import DataAtHand, prepared
from glassnet.study.job import Job, perform
from glassnet.training.callbacks import Callback
from glassnet.training.results import Interrupted, Run
from glassnet.training.trainer import Trainer

#: Seconds between two looks whether the study's runner lives, where the system does not tell.
WATCH = 0.5

#: Of Linux: what to be sent when the parent dies.
PR_SET_PDEATHSIG = 1

#: Seconds over which steps are counted, after so many that do not count.
MEASURED, WARM_UP = 0.4, 0.15


class Reporter(Callback):
    """Tells the study's runner of each epoch."""

    def __init__(self, connection: Connection, measure: str) -> None:
        self.connection, self.measure = connection, measure

    def on_epoch_end(self, run: Run) -> None:
        """Send the epoch and the measure."""
        last = run.history.last
        self.connection.send(("epoch", None if last is None else (last.epoch, last.row().get(self.measure))))


def serve(connection: Connection, parent: int, log: Path, data_dir: Path | None) -> None:
    """Do what the study's runner sends, until it sends None or dies.

    Parameters
    ----------
    connection : Connection
        Jobs come in; a message goes out for each epoch and each end.
    parent : int
        The runner's process.
    log : Path
        What is printed here, tracebacks above all, goes there.
    data_dir : Path or None
        Where the data are.
    """
    die_with(parent)
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group: the runner sends SIGTERM instead
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _print_to(log)
    at_hand = DataAtHand(data_dir)
    connection.send(("ready", None))
    with contextlib.suppress(EOFError, BrokenPipeError):  # the runner is gone
        while (task := connection.recv()) is not None:
            kind, job, afresh = task
            try:
                answer = _answer(kind, job, afresh, connection, at_hand)
            except Interrupted:
                answer = ("interrupted", None)
            except GlassnetError as error:
                answer = ("error", str(error))
            except (BrokenPipeError, EOFError):
                raise
            except Exception as error:
                traceback.print_exc()
                answer = ("error", f"{type(error).__name__}: {error}")
            connection.send(answer)
            if answer[0] == "interrupted":
                return


def _answer(kind: str, job: Job, afresh: bool, connection: Connection, at_hand: DataAtHand) -> tuple[str, object]:
    """Do a run, or measure how fast it would be, and return what to say."""
    data = at_hand.load(job.config)
    if kind == "measure":
        with prepared(job.config, data) as trainer:
            steps = _steps(trainer)
            _per_second(steps, WARM_UP)
            connection.send(("warm", None))
            connection.recv()  # the others are warm as well
            return "rate", _per_second(steps, MEASURED)
    return "row", perform(job, data, [Reporter(connection, job.measure)], afresh=afresh)


def _steps(trainer: Trainer) -> Iterator[int]:
    """Take the steps of a run, epoch after epoch, and yield how many were taken."""
    while True:
        yield from trainer.train_epoch()
        trainer.end_epoch()


def _per_second(steps: Iterator[int], seconds: float) -> float:
    """Return how many steps a second there are, over so many seconds."""
    began, taken = time.perf_counter(), 0
    for some in steps:
        taken += some
        if time.perf_counter() - began >= seconds:
            break
    return taken / (time.perf_counter() - began)


def _print_to(log: Path) -> None:
    """Send what is printed here, by C libraries as well, to the end of a file."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for number in (1, 2):
        os.dup2(handle, number)
    os.close(handle)


def die_with(parent: int) -> None:
    """See to it that this process does not outlive its parent, however that ends.

    Linux sends a signal; elsewhere a thread looks twice a second.
    """
    told = False
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            told = ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0
    if os.getppid() != parent:  # it died before
        os._exit(1)
    if not told:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH)
    os._exit(1)
