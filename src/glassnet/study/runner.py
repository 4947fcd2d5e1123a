"""Runs a study: every variant with every seed, side by side in worker processes, each run once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from signal import Signals
from typing import cast

from glassnet.errors import UsageError
from glassnet.runtime.environment import environment
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.study.design import Study
from glassnet.study.fairness import DataCache, check
from glassnet.study.job import Job
from glassnet.study.job_queue import JobQueue, read_ended
from glassnet.study.layout import Layout, choose_layout, with_threads
from glassnet.study.pools import Pool, open_pool
from glassnet.study.process_pool import StopRequested
from glassnet.study.progress import StudyProgress
from glassnet.study.results import Row
from glassnet.study.study_folder import LOG_FILE, RecordedLayout, StudyFolder, StudyRecord
from glassnet.study.study_rows import StudyRows


class StudyInterrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM stopped a study; the running runs finished their batch and were saved.

    Attributes
    ----------
    done, total : int
        Number of runs that have ended, and of all.
    folder : Path
        The study's folder.
    signal : signal.Signals
        The signal that arrived.
    """

    def __init__(self, done: int, total: int, folder: Path, signal: Signals) -> None:
        super().__init__(f"stopped with {done} of {total} runs done; all is saved in {folder}")
        self.done, self.total, self.folder, self.signal = done, total, folder, signal

    def __reduce__(self) -> tuple[type[StudyInterrupted], tuple[int, int, Path, Signals]]:
        """Pickle by the arguments."""
        return type(self), (self.done, self.total, self.folder, self.signal)


def run_study(
    study: Study,
    folder: str | Path,
    *,
    data_dir: str | Path | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    progress: bool = True,
) -> StudyRows:
    """Train every variant of a study with every seed, in parallel processes, and return a row for each run.

    All variants of a seed draw their first weights, batches and dropout masks from the same streams; what a factor
    changes of them is told by `glassnet.study.likeness.compare_levels`. No test row is read.

    A study that was stopped or killed goes on: call this again with the same folder.

    Parameters
    ----------
    study : Study
        From `glassnet.study.specification.load_study`.
    folder : str or Path
        A new folder, or the folder of the same study. In the latter case, finished runs are not repeated, and
        started runs go on from their checkpoints. A study to which seeds were added counts as the same.
    data_dir : str or Path, optional
        Folder of the data sets, in place of the one that GLASSNET_DATA names.
    workers : int, optional
        Number of processes; each trains with one thread. The default is measured at the start: one process per
        core, or a single process with a thread per core if that is clearly faster. With `cluster`: how many of
        its workers are used at most, by default all.
    cluster : str, optional
        Address of a scheduler of Dask, as ``"tcp://10.0.0.1:8786"``: the runs are done by its workers, each of
        which does one at a time, and all files come back to `folder`. Files of your own have to be there on the
        workers, too, by the same path.
    progress : bool, default True
        Whether to show the progress on stderr.

    Returns
    -------
    StudyRows
        A list with a row for each run, by variant and by seed, with ``plot()`` and ``to_pandas()``. A row's
        status is ``"finished"``, ``"diverged"``, or ``"failed"`` with the cause: a run fails if it raises an
        error, or its process dies, twice. Failed runs are tried again when the study is run again.

    Raises
    ------
    UsageError, DataError
        If a variant does not fit the data, or `workers` is below 1; nothing is run then.
    FileError
        If the folder belongs to another study or to other data files, is in use, or cannot be written.
    GlassnetError
        If a cluster cannot be reached, is gone, or has other data or versions; finished runs are saved.
    StudyInterrupted
        After Ctrl-C or SIGTERM: the running runs finish their batch and are saved; those on a cluster are
        cancelled, and begin anew.

    Notes
    -----
    Worker processes import the calling program (spawn). The program has to call this under
    ``if __name__ == "__main__":``, and to register its own activations, losses and optimizers outside of that.

    All runs have the same number of threads, which ``study.json`` records. With this number, the rows are the same
    bit for bit, whatever the number of workers. Only their seconds differ, and what a budget in seconds cuts off.

    Examples
    --------
    >>> import tempfile
    >>> from glassnet.study.specification import study_of
    >>> study = study_of({
    ...     "name": "small", "seeds": 1,
    ...     "base": {"data": {"dataset": "digits"}, "training": {"epochs": 1, "kernels": "numpy"}},
    ...     "factors": {"optimizer": {"levels": ["adam", "sgd(0.1)"]}},
    ... })
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = run_study(study, folder, workers=1, progress=False)
    >>> [(row.variant, row.seed, row.status) for row in rows]
    [('base', 0, 'finished'), ('optimizer=sgd(0.1)', 0, 'finished')]
    """
    if workers is not None and (isinstance(workers, bool) or workers < 1):
        raise UsageError("workers", f"takes a number of processes, 1 or more, got {workers}")
    place = StudyFolder(Path(folder))
    checksums = _check_study(study, DataCache(data_dir))
    with place.hold(study, checksums) as record:
        record["environment"] = environment()
        place.write(record)
        runner = _Runner(study, place, record, data_dir, progress, cluster)
        return StudyRows(runner.run(workers), study.measure)


def _check_study(study: Study, data_cache: DataCache) -> dict[str, dict[str, str]]:
    """Refuse a study with a variant that cannot be run; return the checksums of its data by name."""
    checksums = {}
    for variant in study.variants():
        data = data_cache.load(variant.config)
        check(variant.name, variant.with_seed(study.seeds[0]), data, study.measure)
        checksums[data.name] = data.checksums
    return checksums


@dataclass
class _Runner:
    """A study that is being run, and the rows so far."""

    study: Study
    place: StudyFolder
    record: StudyRecord
    data_dir: str | Path | None
    progress: bool
    cluster: str | None = None
    rows: dict[str, Row] = field(default_factory=dict)

    def run(self, workers: int | None) -> list[Row]:
        """Do what is left to do, and return all rows by variant and seed."""
        jobs = self._jobs()
        self.rows = {job.name: row for job in jobs if (row := read_ended(job)) is not None}
        if len(self.rows) < len(jobs):
            with GracefulInterrupts() as interrupts:
                try:
                    self._run_in_pool(workers, jobs, interrupts)
                except StopRequested:
                    assert interrupts.signal is not None
                    raise StudyInterrupted(len(self.rows), len(jobs), self.place.path, interrupts.signal) from None
        variants = len(self.study.variants())
        return [self.rows[job.name] for first in range(variants) for job in jobs[first::variants]]

    def _jobs(self) -> list[Job]:
        """Return all runs; each seed with all variants before the next, so that what is done compares fairly."""
        names = self.study.file_names()
        return [
            Job(
                variant=variant.name,
                levels=variant.levels,
                seed=seed,
                config=variant.with_seed(seed),
                folder=self.place.path,
                name=f"{names[variant.name]}_seed-{seed}",
                measure=self.study.measure,
                seconds=self.study.budget.seconds,
            )
            for seed, variant in itertools.product(self.study.seeds, self.study.variants())
        ]

    def _run_in_pool(self, workers: int | None, jobs: list[Job], interrupts: GracefulInterrupts) -> None:
        with (
            StudyProgress(len(jobs), len(self.rows), self.study.measure, enabled=self.progress) as shown,
            self._open_pool(interrupts, shown.say) as pool,
        ):
            layout = self._layout(workers, pool, jobs, shown)
            left = [
                replace(job, config=with_threads(job.config, layout.threads))
                for job in jobs
                if job.name not in self.rows
            ]
            JobQueue(pool, shown, self._keep).run(left, layout.workers)

    def _keep(self, job: Job, row: Row) -> None:
        self.rows[job.name] = row

    def _open_pool(self, interrupts: GracefulInterrupts, say: Callable[[str], None]) -> Pool:
        log, checksums = self.place.path / LOG_FILE, self.record.get("checksums", {})
        return open_pool(log, interrupts, self.data_dir, self.cluster, checksums, say)

    def _layout(self, workers: int | None, pool: Pool, jobs: list[Job], shown: StudyProgress) -> Layout:
        """Return how the cores are used: the threads as recorded, or else as they are found best now."""
        recorded = self.record.get("layout", {}).get("threads")
        threads = recorded or self.study.base.training.threads
        layout = choose_layout(pool, workers, threads, jobs[0].config, len(jobs), shown.say)
        if recorded is None:
            self.record["layout"] = cast(RecordedLayout, asdict(layout))
            self.place.write(self.record)
        return layout
