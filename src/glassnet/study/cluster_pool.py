"""The workers of a Dask cluster, used as a `ProcessPool` is: runs go out, and rows and files come back."""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from glassnet.data.registry import DATASETS
from glassnet.errors import GlassnetError, UsageError
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.study.cluster_task import ClusterData, ClusterTask, perform_task
from glassnet.study.job import Job
from glassnet.study.job_files import pack_run, unpack_run
from glassnet.study.process_pool import POLL_SECONDS, StopRequested, WorkerMessage
from glassnet.study.results import Row, write_row
from glassnet.training.config import RunConfig

#: Seconds that a scheduler has to answer, and between two looks at which workers there are.
ANSWER_SECONDS, LOOK_SECONDS = 25.0, 1.0

#: Packages whose versions decide bits, or what a worker understands.
COMPARED = ("glassnet", "numpy", "numba", "scipy", "distributed")


@dataclass(eq=False)
class ClusterWorker:
    """A worker of the cluster, as the pool sees it; busy while it has a run of ours."""

    address: str
    job: Job | None = None
    future: Any = None

    @property
    def busy(self) -> bool:
        """Whether it has a run."""
        return self.future is not None


class ClusterPool:
    """The workers that a scheduler of Dask has, as they come and go; each does one run at a time.

    A run's folder travels to the worker, if there is one, and back with the row. Both are on this machine's disk
    before `receive` tells of them. Workers need no disk in common with this machine.

    `address` is that of the scheduler, as ``tcp://10.0.0.1:8786``; `say` is called with a line for people;
    `interrupts` says whether Ctrl-C or SIGTERM arrived here. Raises `UsageError` if this is no
    address, and `GlassnetError` if there is no Dask here, or no scheduler answers.
    """

    def __init__(
        self, address: str, data: ClusterData, interrupts: GracefulInterrupts, say: Callable[[str], None]
    ) -> None:
        self.address, self.data, self.interrupts, self.say = address, data, interrupts, say
        self.name = f"glassnet-{uuid.uuid4().hex}"
        self.workers: list[ClusterWorker] = []
        self.most, self.looked, self.waiting = 0, 0.0, False
        self.arrived: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self.refused: set[str] = set()
        self.client = connect(address)
        self.client.subscribe_topic(self.name, lambda event: self.arrived.put(("progress", event[1])))

    def __enter__(self) -> ClusterPool:
        return self

    def __exit__(self, *_: object) -> None:
        self._cancel()
        self.client.close(timeout=2)

    @property
    def idle(self) -> list[ClusterWorker]:
        """The workers without a run, of as many as are to be used."""
        free = [worker for worker in self.workers if not worker.busy]
        return free[: max(0, self.most - (len(self.workers) - len(free)))]

    def resize(self, count: int) -> None:
        """Use so many workers at most; the cluster decides how many there are."""
        self.most = count

    def submit(self, function: Callable[..., Any], job: Job, *arguments: object) -> ClusterWorker:
        """Have an idle worker call ``function(job, *arguments, data, report)``, and return the worker.

        The function is one that a worker can import; ``report`` takes the progress. The job's folder is one of the
        worker's own there.
        """
        worker = self.idle[0]
        worker.job = job
        sent = replace(job, config=with_full_paths(job.config))
        task = ClusterTask(self.name, self.data, function, sent, arguments, pack_run(job))
        worker.future = self.client.submit(
            perform_task,
            task,
            pure=False,
            workers=[worker.address],
            key=f"glassnet-run-{uuid.uuid4().hex}",
            retries=0,
        )
        worker.future.add_done_callback(lambda future: self.arrived.put(("done", future)))
        return worker

    def receive(self) -> list[WorkerMessage]:
        """Return the next messages of the workers; nothing if there are none for a tenth of a second.

        A result is on the disk by then. It raises `StopRequested` if Ctrl-C or SIGTERM arrived, and
        `GlassnetError` if the scheduler is gone, or a worker cannot be used.
        """
        if self.interrupts.signal is not None:
            raise StopRequested
        died = self._look()
        return [*died, *self._receive(0.0 if died else POLL_SECONDS)]

    def stop(self) -> list[WorkerMessage]:
        """Cancel all runs, which end with their epoch and leave nothing; return the last messages."""
        messages = self._receive(0.0)
        self._cancel()
        return messages

    def _receive(self, seconds: float) -> list[WorkerMessage]:
        messages: list[WorkerMessage] = []
        while True:
            try:
                kind, value = self.arrived.get(timeout=seconds) if seconds else self.arrived.get_nowait()
            except Empty:
                return messages
            seconds = 0.0
            key = value.key if kind == "done" else value[0]
            worker = next((one for one in self.workers if one.busy and one.future.key == key), None)
            if worker is None:  # it was lost, or cancelled
                continue
            if kind == "progress":
                messages.append(WorkerMessage(worker, "progress", value[1]))
            else:
                messages.append(self._end(worker))

    def _end(self, worker: ClusterWorker) -> WorkerMessage:
        """Take what a run came to, and write it."""
        future, job = worker.future, worker.job
        assert job is not None
        self._check_scheduler()
        try:
            outcome = future.result(timeout=ANSWER_SECONDS)
        except Exception as error:  # whatever Dask makes of a worker that is gone, or lacks a module
            return self._free(worker, "died", f"{worker.address} is lost: {type(error).__name__}: {error}")
        if outcome.kind == "unusable":
            raise GlassnetError(f"cluster: the worker {worker.address} {outcome.value}")
        if outcome.kind == "result":
            unpack_run(job, outcome.files)
            if isinstance(outcome.value, Row):
                write_row(job.row_path, outcome.value)
        return self._free(worker, outcome.kind, outcome.value)

    def _free(self, worker: ClusterWorker, kind: Any, value: Any) -> WorkerMessage:
        worker.future.release()
        worker.future = worker.job = None
        return WorkerMessage(worker, kind, value)

    def _cancel(self) -> None:
        """Have the scheduler forget our runs; a worker notices at the end of an epoch."""
        futures = [worker.future for worker in self.workers if worker.busy]
        for worker in self.workers:
            worker.future = worker.job = None
        if futures and self.client.status == "running":
            with contextlib.suppress(Exception):  # nobody is there to be told
                self.client.sync(self.client.cancel, futures, force=True, callback_timeout=2)

    def _look(self) -> list[WorkerMessage]:
        """See, about once a second, which workers there are; tell of those that were lost with a run."""
        self._check_scheduler()
        if time.monotonic() - self.looked < LOOK_SECONDS:
            return []
        there = self._ask(self.client.scheduler.identity, n_workers=-1)["workers"]
        known = {worker.address for worker in self.workers} | self.refused
        if new := [address for address in there if address not in known]:
            self._take_in(new)
            if any(there[address]["nthreads"] > 1 for address in new):
                self.say("workers with several threads do one run at a time: start them with --nthreads 1")
        lost = [worker for worker in self.workers if worker.address not in there]
        self.workers = [worker for worker in self.workers if worker.address in there]
        if not self.workers and not self.waiting:
            self.say(f"the cluster has no workers yet; waiting for them (dask worker {self.address})")
        self.waiting, self.looked = not self.workers, time.monotonic()
        return [
            self._free(worker, "died", f"its worker {worker.address} was lost") for worker in lost if worker.busy
        ]

    def _take_in(self, new: list[str]) -> None:
        """Use workers that are new; those with other versions than this machine's are refused, aloud."""
        from distributed.versions import get_versions

        asked = self._ask(
            self.client.scheduler.broadcast,
            msg={"op": "versions", "packages": COMPARED},
            workers=new,
            on_error="return",
        )
        ours = read_versions(get_versions(COMPARED))
        for address in new:
            problem = compare_versions(ours, read_versions(asked[address]))
            if problem:
                self.refused.add(address)
                self.say(f"the worker {address} is not used: {problem}")
            else:
                self.workers.append(ClusterWorker(address))
        if problem and not self.workers:
            raise GlassnetError(f"cluster: no worker can be used; {address}: {problem}")

    def _ask(self, operation: Callable[..., Any], **options: Any) -> Any:
        """Have the scheduler answer, or say that it does not."""
        try:
            return self.client.sync(operation, callback_timeout=ANSWER_SECONDS, **options)
        except (OSError, TimeoutError):
            raise self._gone() from None

    def _check_scheduler(self) -> None:
        if self.client.status != "running":
            raise self._gone()

    def _gone(self) -> GlassnetError:
        return GlassnetError(
            f"cluster: the scheduler {self.address} is gone or cannot be reached; what was finished is saved. "
            "Start a cluster, and give the same command again to go on"
        )


def import_dask() -> Any:
    """Return the package ``distributed``, which is to be silent; `GlassnetError` if it is not installed."""
    try:
        import distributed
    except ImportError:
        raise GlassnetError(
            "cluster: needs Dask, which is not installed: pip install 'glassnet[cluster]'"
        ) from None
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what it would say is said here
    return distributed


def connect(address: str) -> Any:
    """Return a client of the scheduler at an address; see `ClusterPool` for the errors."""
    dask = import_dask()
    if "://" not in address:
        raise UsageError("cluster", f"takes the address of a scheduler, as tcp://10.0.0.1:8786, got {address!r}")
    try:
        with warnings.catch_warnings(action="ignore"):  # versions are compared here
            return dask.Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except (ImportError, OSError, TimeoutError, ValueError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise GlassnetError(
            f"cluster: no scheduler can be used at {address}: {said}; start one: glassnet cluster local"
        ) from None


def with_full_paths(config: RunConfig) -> RunConfig:
    """Return a configuration that names the user's own files by their full paths: a worker has another folder."""
    data = config.data
    changes = {}
    if data.dataset not in DATASETS:
        changes["dataset"] = str(Path(data.dataset).resolve())
        if data.target and Path(data.target).suffix and Path(data.target).exists():
            changes["target"] = str(Path(data.target).resolve())
    return config.model_copy(update={"data": data.model_copy(update=changes)})


def read_versions(answer: Any) -> dict[str, str]:
    """Return the versions that a process of Dask answers with; those that a worker did not answer are missing."""
    packages = answer["packages"] if isinstance(answer, dict) else {}
    python = ".".join(packages.get("python", "").split(".")[:2])
    return {"python": python} | {name: packages.get(name) or "missing" for name in COMPARED}


def compare_versions(ours: dict[str, str], its: dict[str, str]) -> str:
    """Return what differs, in words; empty where nothing does.

    >>> compare_versions({"python": "3.12", "numpy": "2.4.0"}, {"python": "3.12", "numpy": "2.3.1"})
    'it has numpy 2.3.1, and this machine 2.4.0; install the same versions'
    """
    differ = [name for name in ours if ours[name] != its[name]]
    if not differ:
        return ""
    said = ", ".join(f"{name} {its[name]}" for name in differ)
    return f"it has {said}, and this machine {', '.join(ours[name] for name in differ)}; install the same versions"
