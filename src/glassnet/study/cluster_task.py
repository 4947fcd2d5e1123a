"""What a worker of a cluster does with a run: in a folder of its own, whose files travel back with the result."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from glassnet.data.dataset import Dataset
from glassnet.errors import GlassnetError
from glassnet.study.fairness import DataCache
from glassnet.study.job import Job
from glassnet.study.job_files import pack_run, unpack_run
from glassnet.study.process_pool import attempt
from glassnet.training.config import RunConfig

#: Seconds between two messages of a run: thousands of short epochs would keep the scheduler busy.
REPORT_SECONDS = 1.0


class UnusableWorkerError(Exception):
    """A worker cannot do what any run needs: it has no data, or others."""


class ClusterData(DataCache):
    """The data of a study's runs on a worker, which are refused where they are not those of the study.

    `checksums` are those of the files by the name of the data set.
    """

    def __init__(self, data_dir: str | Path | None, checksums: dict[str, dict[str, str]]) -> None:
        super().__init__(data_dir)
        self.checksums = checksums

    def load(self, config: RunConfig) -> Dataset:
        """Return the data of a configuration; `UnusableWorkerError` if this machine has none, or others."""
        try:
            data = super().load(config)
        except GlassnetError as error:
            raise UnusableWorkerError(f"cannot read the data: {error}") from None
        if data.checksums != self.checksums.get(data.name, data.checksums):
            files = [name for name, sum_ in self.checksums[data.name].items() if data.checksums.get(name) != sum_]
            raise UnusableWorkerError(f"has other data than this machine: {', '.join(files) or data.name}")
        return data


@dataclass(frozen=True)
class ClusterTask:
    """A run for a worker: ``function(job, *arguments, data, report)``, and the files of the run so far.

    `pool` names the study that the data belong to: a worker keeps them from one of its runs to the next.
    """

    pool: str
    data: ClusterData
    function: Callable[..., Any]
    job: Job
    arguments: tuple[object, ...]
    files: dict[str, bytes]


class Outcome(NamedTuple):
    """What came of a run: kind and value as in a `WorkerMessage`, and the files of its folder.

    The kind ``"unusable"`` says that the worker can do no run of the study.
    """

    kind: str
    value: Any
    files: dict[str, bytes]


class _Kept:
    """What this process keeps between runs. One run at a time: BLAS threads and warnings are the process's own."""

    lock: ClassVar[threading.Lock] = threading.Lock()
    pool: ClassVar[str] = ""
    data: ClassVar[ClusterData | None] = None


def perform_task(task: ClusterTask) -> Outcome:
    """Do a run on a worker of Dask, in a folder that is removed afterwards."""
    report = TaskReporter(task.pool)
    with _Kept.lock, tempfile.TemporaryDirectory(prefix="glassnet-") as folder:
        if _Kept.pool != task.pool or _Kept.data is None:
            _Kept.pool, _Kept.data = task.pool, task.data
        job = replace(task.job, folder=Path(folder))
        for path in (job.run_dir.parent, job.row_path.parent):
            path.mkdir(parents=True)
        if task.files:
            unpack_run(job, task.files)
        try:
            _Kept.data.load(job.config)
        except UnusableWorkerError as error:
            return Outcome("unusable", str(error), {})
        kind, value = attempt(task.function, (job, *task.arguments), _Kept.data, report)
        return Outcome(kind, value, pack_run(job) if kind == "result" else {})


class TaskReporter:
    """Sends the progress of a task to the client, about once a second, and ends a task that is not wanted.

    The client cancels tasks; where the client is gone, the scheduler does.
    """

    def __init__(self, topic: str) -> None:
        from distributed import get_worker

        self.worker, self.topic = get_worker(), topic
        self.key = self.worker.get_current_task()
        self.sent = 0.0

    def __call__(self, value: object) -> None:
        """Send a ``"progress"`` message of plain values; `KeyboardInterrupt` where the task is cancelled."""
        task = self.worker.state.tasks.get(self.key)
        if task is None or task.state != "executing":
            raise KeyboardInterrupt
        if (now := time.monotonic()) - self.sent >= REPORT_SECONDS:
            self.sent = now
            self.worker.log_event(self.topic, [self.key, value])
