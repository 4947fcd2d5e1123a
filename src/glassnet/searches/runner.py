"""Runs a search: rung by rung, side by side in worker processes, each run once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from glassnet.runtime.environment import environment
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.searches.design import Search
from glassnet.searches.progress import SearchProgress
from glassnet.searches.sampling import GENERATION, JOURNAL_FILE, TrialRecord, draw
from glassnet.searches.search_folder import SearchFolder, SearchRecord
from glassnet.searches.strategies import Bracket
from glassnet.study.job import Job
from glassnet.study.job_queue import JobQueue, read_ended
from glassnet.study.layout import choose_layout, with_threads
from glassnet.study.pools import Pool, open_pool
from glassnet.study.process_pool import StopRequested
from glassnet.study.results import Row
from glassnet.study.runner import StudyInterrupted
from glassnet.study.samples import larger_is_better, value_of
from glassnet.study.study_folder import LOG_FILE, RecordedLayout


@dataclass
class Trial:
    """A configuration of a search: what was drawn for it, and the row of each length that it was trained to."""

    number: int
    drawn: dict[str, Any]
    rows: dict[int, Row] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """The epochs of its longest run; 0 before the first has ended."""
        return max(self.rows, default=0)

    @property
    def row(self) -> Row:
        """The row of its longest run."""
        return self.rows[self.epochs]


@dataclass
class SearchRunner:
    """A search that is being run, and its trials so far."""

    search: Search
    place: SearchFolder
    record: SearchRecord
    data_dir: str | Path | None
    progress: bool
    cluster: str | None = None
    trials: dict[int, Trial] = field(default_factory=dict)
    threads: int = 1
    workers: int = 1

    def run(self, workers: int | None, storage: str | None = None) -> dict[int, Trial]:
        """Do what is left to do, and return the trials by number.

        After Ctrl-C or SIGTERM it raises `StudyInterrupted`; where the time is over, it returns what there is, and
        the record says so.
        """
        measure = self.search.space.measure
        self.began, self.before = time.monotonic(), self.record.get("seconds", 0.0)
        journal, name = self.place.path / JOURNAL_FILE, self.search.study_name
        self.known = TrialRecord(journal, storage, name, larger_is_better(measure))
        self.drawn = self.known.trials()
        self.record["environment"], self.record["out_of_time"] = environment(), False
        self._note_seconds()
        with GracefulInterrupts() as interrupts:
            try:
                self._run_brackets(workers, interrupts)
            except StopRequested:
                if interrupts.signal is not None:
                    done = sum(len(trial.rows) for trial in self.trials.values())
                    raise StudyInterrupted(done, self._count_runs(), self.place.path, interrupts.signal) from None
                self.record["out_of_time"] = True
            finally:
                self._note_seconds()
        self._end_trials()
        return self.trials

    def _run_brackets(self, workers: int | None, interrupts: GracefulInterrupts) -> None:
        """Go through the brackets, each rung of which waits for the one before."""
        with (
            self._show() as self.shown,
            self._open_pool(interrupts) as pool,
        ):
            self.queue = JobQueue(pool, self.shown, self._keep, keeps_workers=self.cluster is None)
            self._lay_out(workers, pool)
            first = 0
            for bracket in self.search.brackets:
                ranked = self._draw_and_train(bracket, first)
                for place, rung in enumerate(bracket[1:], start=1):
                    best = ranked[: rung.trials]
                    self._train(best, rung.epochs)
                    ranked = self._rank(best, rung.epochs)
                    if place < len(bracket) - 1 and not ranked:
                        break
                if self.record["out_of_time"]:
                    break
                first += bracket[0].trials

    def _open_pool(self, interrupts: GracefulInterrupts) -> Pool:
        log, checksums = self.place.path / LOG_FILE, self.record.get("checksums", {})
        return open_pool(log, interrupts, self.data_dir, self.cluster, checksums, self.shown.say)

    def _show(self) -> SearchProgress:
        """Return the progress, with what is done already."""
        read = {number: dict(drawn) for number, drawn in self.drawn.items()}
        rungs = {rung.epochs for bracket in self.search.brackets for rung in bracket}
        done = [
            (job, row)
            for number, drawn in read.items()
            for epochs in rungs
            if (row := read_ended(job := self._job(number, drawn, epochs))) is not None
        ]
        planned = sum(self._count_epochs(bracket) for bracket in self.search.brackets)
        longest: dict[str, int] = {}
        for job, _ in done:
            longest[job.name] = max(longest.get(job.name, 0), job.until or self.search.epochs)
        left = max(0, planned - sum(longest.values()))
        measure = self.search.space.measure
        shown = SearchProgress(self._count_runs(), len(done), measure, left, enabled=self.progress)
        shown.reached = longest
        for _, row in done:
            shown.note(row)
        return shown

    def _count_runs(self) -> int:
        return sum(rung.trials for bracket in self.search.brackets for rung in bracket)

    @staticmethod
    def _count_epochs(bracket: Bracket) -> int:
        """Return the epochs of a bracket: each rung goes on where the one before ended."""
        before = [0, *(rung.epochs for rung in bracket)]
        return sum(rung.trials * (rung.epochs - done) for rung, done in zip(bracket, before, strict=False))

    def _lay_out(self, workers: int | None, pool: Pool) -> None:
        """Choose how the cores are used: the threads as recorded, or else as they are found best now."""
        base = self.search.space.base
        recorded = self.record.get("layout", {}).get("threads")
        threads = recorded or base.training.threads
        layout = choose_layout(pool, workers, threads, base, self.search.trials, self.shown.say)
        if recorded is None:
            self.record["layout"] = cast(RecordedLayout, asdict(layout))
            self.place.write(self.record)
        self.threads, self.workers = layout.threads, layout.workers

    def _draw_and_train(self, bracket: Bracket, first: int) -> list[Trial]:
        """Draw the trials of a bracket and train its first rung; return them, the best first.

        A sampler that learns draws a generation at a time, and learns from those before. No more are drawn once a
        trial was left out for lack of time.
        """
        numbers = range(first, first + bracket[0].trials)
        size = GENERATION if self.search.sampler != "random" else len(numbers)
        reserve = self._count_epochs(bracket) - bracket[0].trials * bracket[0].epochs
        for begin in range(0, len(numbers), size):
            drawn = self._draw(numbers[begin : begin + size])
            self._train(drawn, bracket[0].epochs, reserve)
            if self.record["out_of_time"]:
                break
        return self._rank([self.trials[number] for number in numbers if number in self.trials], bracket[0].epochs)

    def _draw(self, numbers: Sequence[int]) -> list[Trial]:
        """Return the trials of a generation, as drawn before, or drawn now and noted before they run."""
        space, measure = self.search.space, self.search.space.measure
        before = [self.trials[number] for number in sorted(self.trials) if number < numbers[0]]
        values = [(trial.drawn, value_of(trial.row, measure)) for trial in before if trial.rows]
        found = draw(
            self.search.sampler,
            space.base.seed,
            numbers,
            space.dimensions,
            [(drawn, value) for drawn, value in values if value is not None],
            larger_is_better(measure),
            self.drawn,
        )
        for number in numbers:
            if number not in self.drawn:
                self.known.add(number, found[number], space.dimensions)
                self.drawn[number] = found[number]
            self.trials[number] = Trial(number, found[number])
        return [self.trials[number] for number in numbers]

    def _job(self, number: int, drawn: dict[str, Any], epochs: int) -> Job:
        job = self.search.job(number, drawn, epochs, self.place.path)
        return replace(job, config=with_threads(job.config, self.threads))

    def _train(self, trials: Sequence[Trial], epochs: int, reserve: int = 0) -> None:
        """Train trials up to so many epochs in all; those of one data set stand together.

        With a limit of time none begins that would leave too little for `reserve` epochs.
        """
        left = []
        for trial in trials:
            job = self._job(trial.number, trial.drawn, epochs)
            if (row := read_ended(job)) is not None:
                trial.rows[epochs] = row
            else:
                left.append(job)
        left.sort(key=lambda job: job.config.data.model_dump_json())
        self.queue.run(left, self.workers, lambda: self._has_time_for(reserve), lambda: not self._is_over())
        if any(epochs not in trial.rows for trial in trials):
            self.record["out_of_time"] = True

    def _keep(self, job: Job, row: Row) -> None:
        """Take note of a row."""
        number, epochs = int(job.variant.removeprefix("#")), job.until or self.search.epochs
        self.trials[number].rows[epochs] = row
        value = value_of(row, self.search.space.measure)
        if value is not None:
            self.known.report(number, epochs, value)
        self._note_seconds()

    def _rank(self, trials: Sequence[Trial], epochs: int) -> list[Trial]:
        """Return those that have a value after so many epochs, the best first; of equals the first drawn."""
        measure = self.search.space.measure
        sign = -1.0 if larger_is_better(measure) else 1.0
        values = [(value_of(trial.rows[epochs], measure), trial) for trial in trials if epochs in trial.rows]
        known = [(sign * value, trial.number, trial) for value, trial in values if value is not None]
        return [trial for _, _, trial in sorted(known, key=lambda one: one[:2])]

    def _end_trials(self) -> None:
        """Have the record of trials say how each has ended."""
        for number, trial in self.trials.items():
            if trial.rows and not (self.record["out_of_time"] and trial.epochs < self.search.epochs):
                value = value_of(trial.row, self.search.space.measure)
                self.known.end(number, value, cut=trial.epochs < self.search.epochs)

    @property
    def seconds(self) -> float:
        """The seconds that the search has taken, with those before it was stopped."""
        return self.before + time.monotonic() - self.began

    def _note_seconds(self) -> None:
        self.record["seconds"] = self.seconds
        self.place.write(self.record)

    def _is_over(self) -> bool:
        return self.search.timeout is not None and self.seconds >= self.search.timeout

    def _has_time_for(self, epochs: int) -> bool:
        """Whether so many epochs can be trained before the time is over, as fast as those so far."""
        if self.search.timeout is None:
            return True
        rows = [(trial.row.seconds, trial.epochs) for trial in self.trials.values() if trial.rows]
        if not rows:
            return not self._is_over()
        at_once = min(self.workers, len(self.queue.pool.workers) or self.workers)
        a_epoch = sum(seconds for seconds, _ in rows) / sum(length for _, length in rows)
        return self.seconds + epochs * a_epoch / at_once < self.search.timeout
