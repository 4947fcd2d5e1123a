"""One run of a study: begun, or resumed from its checkpoint, and recorded as a row."""

from __future__ import annotations

import contextlib
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, FileError, HealthWarning
from glassnet.locales.catalogue import Message
from glassnet.nn.network import Network
from glassnet.runtime.files import lock_file
from glassnet.study.fairness import DataCache, build_sampler, flops_per_row, split_fingerprint
from glassnet.study.likeness import Beginning
from glassnet.study.results import DIVERGED, FINISHED, Row, finite, write_row
from glassnet.training.callbacks import Callback
from glassnet.training.config import RunConfig
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.health.evidence import Baseline, outputs_of
from glassnet.training.metrics import measure as measure_metrics
from glassnet.training.metrics import predict_rows, pseudo_values
from glassnet.training.model_file import load_model
from glassnet.training.results import DivergenceError, Run
from glassnet.training.run import build_network, resume, run
from glassnet.training.run_folder import CONFIG_FILE, LOCK_FILE

#: Seconds to wait for a run folder that a process holds which is about to end.
LOCK_SECONDS = 10.0


@dataclass(frozen=True)
class Job:
    """A run to do, in the study's folder; its configuration has the seed, and the threads of the study.

    `name` is that of the run's folder and of its row's file. The progress shows `measure`, which the study decides
    by. Training ends with the epoch in which `seconds` are over, or with None after all epochs. With `until`, the
    run pauses after so many epochs: it has a row of its own for that, and a job with a later `until`, or with
    None, goes on with it, bit for bit as if it had not paused.
    """

    variant: str
    levels: dict[str, str]
    seed: int
    config: RunConfig
    folder: Path
    name: str
    measure: str
    seconds: float | None = None
    until: int | None = None

    @property
    def run_dir(self) -> Path:
        """The folder of the run."""
        return self.folder / "runs" / self.name

    @property
    def row_path(self) -> Path:
        """The file of the row."""
        paused = "" if self.until is None else f"_epochs-{self.until}"
        return self.folder / "rows" / f"{self.name}{paused}.json"

    def row(self, status: str, problem: str = "") -> Row:
        """Return a row without measures."""
        folder = self.run_dir.relative_to(self.folder).as_posix()
        return Row(self.variant, self.levels, self.seed, status, {}, folder=folder, problem=problem)


class TimeLimit(Callback):
    """Ends training with the epoch in which the seconds are over; a resumed run counts those before, too."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_epoch_end(self, run: Run) -> str | None:
        """Return why training ends, or None."""
        return f"{self.seconds:g} seconds" if run.history.seconds >= self.seconds else None


class Paused(Exception):  # noqa: N818 - a pause is no error
    """A run has had the epochs that it was to have for now, and was saved.

    Attributes
    ----------
    run : Run
        The run; its folder holds the network as it is evaluated.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(f"paused after {len(run.history)} epochs")
        self.run = run


class PausedBefore(Exception):  # noqa: N818 - it is done again
    """A run is at its pause or beyond, and has no row for it: what is saved may be half of it."""


class PauseAfter(Callback):
    """Pauses a run after so many epochs, if it is to have more: what a callback raises ends and saves it.

    A reason to end, as callbacks return one, would end the run for good.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_train_begin(self, run: Run) -> None:
        """Raise `PausedBefore` where the run has had these epochs, and its process was killed before their row."""
        if len(run.history) >= self.epochs:
            raise PausedBefore

    def on_epoch_end(self, run: Run) -> None:
        """Raise `Paused` when it is time."""
        if self.epochs <= len(run.history) < run.config.training.epochs:
            raise Paused(run)


class EpochReporter(Callback):
    """Reports number and measure of each epoch."""

    def __init__(self, report: Callable[[object], None], measure: str) -> None:
        self.report, self.measure = report, measure

    def on_epoch_end(self, run: Run) -> None:
        """Report the last epoch."""
        if (last := run.history.last) is not None:
            self.report((last.epoch, last.row().get(self.measure)))


def perform_in_worker(job: Job, restart: bool, data: DataCache, report: Callable[[object], None]) -> Row:
    """Do a run as a task of a `ProcessPool`; see `perform`."""
    return perform(job, data.load(job.config), [EpochReporter(report, job.measure)], restart=restart)


def perform(job: Job, data: Dataset, callbacks: Sequence[Callback] = (), *, restart: bool = False) -> Row:
    """Do a run, or resume it from its checkpoint, and write its row: finished or diverged.

    A run that pauses (`Job.until`) counts as finished so far: its row tells of the network as it is then. The test
    rows are not touched. `restart` removes what there is of the run, and begins anew. After SIGTERM the
    run is saved and has no row (`Interrupted`). If its end or its row cannot be written, that is a `FileError`.
    """
    network = build_network(job.config, data)
    status, problem = FINISHED, ""
    if job.seconds is not None:
        callbacks = [*callbacks, TimeLimit(job.seconds)]
    if job.until is not None:
        callbacks = [*callbacks, PauseAfter(job.until)]
    trained: Network | None = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            finished = _train(job, data, callbacks, restart)
        except DivergenceError as error:
            finished, status, problem = error.run, DIVERGED, str(error)
        except Paused as pause:
            finished, trained = pause.run, load_model(job.run_dir).network
    if finished.unsaved is not None:
        raise finished.unsaved
    columns = {} if finished.chosen is None else finished.chosen.row()
    samples = build_sampler(job.config, data).samples
    begin = Beginning.of_run(job.config, data, network)
    diagnoses = [*(finished.health.diagnoses if finished.health else ()), *_collect_other_warnings(caught)]
    row = replace(
        job.row(status, problem),
        split=split_fingerprint(data),
        training_rows=len(data.train.y),
        validation_rows=len(data.validation.y),
        parameters=len(network.theta),
        weights=begin.weight_hash,
        order=begin.order_hash,
        masks=begin.mask_hash,
        measures=finite({name: x for name, x in columns.items() if name.startswith(("train_", "validation_"))}),
        seconds=finished.history.seconds,
        flops=float(flops_per_row(network) * samples * len(finished.history)),
        health=[diagnosis.to_dict() for diagnosis in diagnoses],
    )
    if status == FINISHED and job.measure in row.measures and job.measure.startswith("validation_"):
        row = replace(row, **_look_at_rows(trained or finished.network, data, job.measure))
    write_row(job.row_path, row)
    return row


def _look_at_rows(network: Network, data: Dataset, measure: str) -> dict[str, Any]:
    """Return what groups of the validation rows say of a measure, and what the best constant answer has.

    Where the measure is not defined without some group, as it leaves a class without rows, the groups say nothing.
    Then the intervals of the study say that they cover no other rows, if all seeds have the same ones.
    """
    predictions, name = predict_rows(network, data.validation), measure.removeprefix("validation_")
    answer = Baseline.of(network.loss, network.encode(data.encoded.train.y)).answer
    outputs = np.tile(outputs_of(network.loss, np.array(answer)), (len(predictions.y), 1))
    constant = measure_metrics(predictions.replace(predictions.y, outputs), [name])[name]
    try:
        groups = {measure: pseudo_values(predictions, name)}
    except DataError:
        groups = {}
    return {"groups": groups, "constant": {measure: constant}}


def _train(job: Job, data: Dataset, callbacks: Sequence[Callback], restart: bool) -> Run:
    """Begin a run or resume it; a folder that holds no run yet, or one beyond its pause, is removed."""
    folder = job.run_dir
    if folder.exists():
        _wait_until_free(folder)
        if not restart and (folder / CONFIG_FILE).is_file():
            with contextlib.suppress(PausedBefore):
                return resume(folder, data, callbacks=callbacks, progress=False)
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise FileError(folder, f"cannot be removed: {error.strerror}") from None
    return run(job.config, data, callbacks=callbacks, run_dir=folder, progress=False)


def _wait_until_free(folder: Path) -> None:
    """Wait until a process that was killed has let go of a run folder."""
    end = time.monotonic() + LOCK_SECONDS
    while (folder / LOCK_FILE).is_file():
        try:
            with lock_file(folder / LOCK_FILE):
                return
        except FileError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _collect_other_warnings(caught: Sequence[warnings.WarningMessage]) -> list[Diagnosis]:
    """Return the warnings as remarks, each once, without those of health: the diagnoses say these anyway."""
    texts = [" ".join(str(one.message).split()) for one in caught if not issubclass(one.category, HealthWarning)]
    return [Diagnosis("warning", False, Message("verbatim", text=text)) for text in dict.fromkeys(texts)]
