"""A run of a study: done, or gone on with, and what is said of it in its row."""

from __future__ import annotations

import shutil
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from glassnet.data.dataset import Dataset
from glassnet.errors import FileError, HealthWarning
from glassnet.locales.catalogue import Message
from glassnet.runtime.files import held_alone
from glassnet.study.fairness import flops_per_row, order_fingerprint, sampler_of
from glassnet.study.results import DIVERGED, FINISHED, Row, finite, write_row
from glassnet.training.callbacks import Callback, Running
from glassnet.training.config import RunConfig
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.loop import DivergenceError, Run
from glassnet.training.run import network_for, resume, run
from glassnet.training.run_folder import CONFIG_FILE, LOCK_FILE

#: Seconds that a run folder may still be held by a process that is about to end.
PATIENCE = 10.0


@dataclass(frozen=True)
class Job:
    """A run that is to be done.

    Attributes
    ----------
    variant : str
    levels : dict of str to str
    seed : int
    config : RunConfig
        With the seed, and the threads of the study.
    folder : Path
        The study's.
    name : str
        Of its files.
    measure : str
        What decides, for the progress.
    seconds : float or None
        Of training, after which the epoch is the last one.
    """

    variant: str
    levels: dict[str, str]
    seed: int
    config: RunConfig
    folder: Path
    name: str
    measure: str
    seconds: float | None = None

    @property
    def run_dir(self) -> Path:
        """Its run folder."""
        return self.folder / "runs" / self.name

    @property
    def row_path(self) -> Path:
        """The file with its row."""
        return self.folder / "rows" / f"{self.name}.json"

    def row(self, status: str, problem: str = "") -> Row:
        """Return a row without figures."""
        folder = self.run_dir.relative_to(self.folder).as_posix()
        return Row(self.variant, self.levels, self.seed, status, {}, folder=folder, problem=problem)


class TimeLimit(Callback):
    """Ends a run with the epoch in which its seconds of training are over, also where it was resumed."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def epoch(self, run: Running) -> str | None:
        """End training, or go on."""
        return f"{self.seconds:g} seconds" if run.history.seconds >= self.seconds else None


def perform(job: Job, data: Dataset, callbacks: Sequence[Callback] = (), *, afresh: bool = False) -> Row:
    """Do a run, or go on with it from its checkpoint, and write its row.

    Parameters
    ----------
    job : Job
        What to do.
    data : Dataset
        What it learns from; the test rows are not touched.
    callbacks : sequence of Callback, optional
        Told of the run.
    afresh : bool, default False
        Throw away what there is of the run.

    Returns
    -------
    Row
        Finished or diverged.

    Raises
    ------
    Interrupted
        After SIGTERM; the run is saved, and has no row.
    FileError
        If the end of the run, or its row, cannot be written.
    """
    network = network_for(job.config, data)
    row = replace(
        job.row(FINISHED),
        parameters=len(network.theta),
        start=network.fingerprint(),
        order=order_fingerprint(job.config, data),
    )
    if job.seconds is not None:
        callbacks = [*callbacks, TimeLimit(job.seconds)]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            finished = _trained(job, data, callbacks, afresh)
        except DivergenceError as error:
            finished = error.run
            row = replace(row, status=DIVERGED, problem=str(error))
    if finished.unsaved is not None:
        raise finished.unsaved
    last = finished.chosen
    samples = sampler_of(job.config, data).samples
    row = replace(
        row,
        measures={} if last is None else finite(_measures(last.row())),
        seconds=finished.history.seconds,
        flops=float(flops_per_row(network) * samples * len(finished.history)),
        health=[
            one.to_dict() for one in [*(finished.health.diagnoses if finished.health else ()), *_others(said)]
        ],
    )
    write_row(job.row_path, row)
    return row


def _trained(job: Job, data: Dataset, callbacks: Sequence[Callback], afresh: bool) -> Run:
    """Begin a run, or take it up where it was left; what is no run yet is thrown away."""
    folder = job.run_dir
    if folder.exists():
        _wait_for(folder)
        if not afresh and (folder / CONFIG_FILE).is_file():
            return resume(folder, data, callbacks=callbacks, progress=False)
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise FileError(folder, f"cannot be removed: {error.strerror}") from None
    return run(job.config, data, callbacks=callbacks, run_dir=folder, progress=False)


def _wait_for(folder: Path) -> None:
    """Wait until a process that was killed has let go of a run folder."""
    end = time.monotonic() + PATIENCE
    while (folder / LOCK_FILE).is_file():
        try:
            with held_alone(folder / LOCK_FILE):
                return
        except FileError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _measures(columns: dict[str, float | None]) -> dict[str, float | None]:
    """Return the columns of an epoch that say how good the network is."""
    return {name: value for name, value in columns.items() if name.startswith(("train_", "validation_"))}


def _others(said: Sequence[warnings.WarningMessage]) -> list[Diagnosis]:
    """Return the warnings that are not of health, which the diagnoses say anyway, each once."""
    texts = [" ".join(str(one.message).split()) for one in said if not issubclass(one.category, HealthWarning)]
    return [Diagnosis("warning", False, Message("verbatim", text=text)) for text in dict.fromkeys(texts)]
