"""Jobs in a pool of workers: each is done until it has a row."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glassnet.study.job import Job, perform_in_worker
from glassnet.study.pools import Pool
from glassnet.study.process_pool import StopRequested, WorkerMessage
from glassnet.study.progress import StudyProgress
from glassnet.study.results import FAILED, Row, read_row, write_row

#: Times that a run is tried: an error, or the death of its process, may be chance.
TRIES = 2


@dataclass
class JobQueue:
    """Has the workers of a pool do jobs; one whose worker dies, or that raises an error, is tried again.

    `ended` is called with each job and its row. A job that is lost too often has a row, too, which says why.
    Workers that find nothing more to do end, unless the queue keeps them for what comes next.
    """

    pool: Pool
    shown: StudyProgress
    ended: Callable[[Job, Row], None]
    keeps_workers: bool = False
    tries: Counter[Path] = field(default_factory=Counter)
    damaged: set[str] = field(default_factory=set)
    running: dict[Any, Job] = field(default_factory=dict)

    def run(
        self,
        jobs: Iterable[Job],
        workers: int,
        may_start: Callable[[], bool] = lambda: True,
        go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """Do jobs, on so many workers at the most.

        No job begins once `may_start` returns False. Where `go_on` returns False, or after Ctrl-C or SIGTERM, the
        running jobs finish their batch and are saved; then `StopRequested` is raised.
        """
        left = deque(jobs)
        try:
            while left or self.running:
                if left and not may_start():
                    left.clear()
                    continue
                least = len(self.pool.workers) if self.keeps_workers else 0
                self.pool.resize(max(least, min(workers, len(left) + len(self.running))))
                while left and self.pool.idle:
                    job = left.popleft()
                    self.running[self.pool.submit(perform_in_worker, job, job.name in self.damaged)] = job
                    self.shown.epoch(job)
                for message in self.pool.receive():
                    self._handle(message, left)
                if not go_on():
                    raise StopRequested
        except StopRequested:
            for message in self.pool.stop():
                if message.kind == "result" and message.worker in self.running:
                    self.ended(self.running.pop(message.worker), message.value)
            self.running.clear()
            raise

    def _handle(self, message: WorkerMessage, left: deque[Job]) -> None:
        """Take note of what a worker says of its run; one that was lost is tried again."""
        worker, kind, value = message
        if worker not in self.running:  # one without a run has died
            return
        if kind == "progress":
            self.shown.epoch(self.running[worker], *value)
            return
        job = self.running.pop(worker)
        self.shown.drop(job)
        row = value
        if kind != "result":
            self.tries[job.row_path] += 1
            if self.tries[job.row_path] < TRIES:
                if kind == "error":
                    self.damaged.add(job.name)  # what is saved of the run may be the cause
                left.appendleft(job)
                return
            row = job.row(FAILED, "its process was asked to end" if kind == "interrupted" else value)
            write_row(job.row_path, row)
        self.ended(job, row)
        self.shown.finish(job, row)


def read_ended(job: Job) -> Row | None:
    """Return the row of a job that has ended, None where there is none; a run that failed is tried again."""
    if not job.row_path.exists():
        return None
    row = read_row(job.row_path)
    is_its = (row.variant, row.levels, row.seed) == (job.variant, job.levels, job.seed)
    return row if is_its and row.status != FAILED else None
