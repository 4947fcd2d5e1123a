"""What a person sees while a search runs."""

from __future__ import annotations

import time

from glassnet.study.job import Job
from glassnet.study.progress import StudyProgress, row_line
from glassnet.study.results import Row
from glassnet.study.samples import larger_is_better, value_of


class SearchProgress(StudyProgress):
    """Shows a search's progress on stderr: the runs at work, the best so far, and about how long it will take.

    `epochs` are those that are left to train when it begins. The time left is told from those that were trained
    since, as fast as they were.
    """

    def __init__(self, total: int, done: int, measure: str, epochs: int, *, enabled: bool) -> None:
        self.left, self.ended, self.began = epochs, 0, time.monotonic()
        self.reached: dict[str, int] = {}
        self.best: tuple[float, str] | None = None
        super().__init__(total, done, measure, enabled=enabled)

    @property
    def caption(self) -> str:
        """What stands below the table."""
        parts = [super().caption]
        if self.best is not None:
            parts.append(f"best {self.best[1]}: {abs(self.best[0]):.4f}")
        if (seconds := self.seconds_left()) is not None:
            parts.append(
                f"about {round(seconds)} s left" if seconds < 100 else f"about {seconds / 60:.0f} min left"
            )
        return ", ".join(parts)

    def seconds_left(self) -> float | None:
        """Return about how many seconds are left; None before an epoch has ended."""
        if not self.ended:
            return None
        return (time.monotonic() - self.began) / self.ended * max(0, self.left - self.ended)

    def epoch(self, job: Job, epoch: int = 0, value: float | None = None) -> None:
        """Show how far a run is, and count its epochs; not each of them is reported from a cluster."""
        self._count(job, epoch)
        super().epoch(job, epoch, value)

    def _count(self, job: Job, epoch: int) -> None:
        """Count the epochs of a trial that were not yet counted, in this run of it or a shorter one."""
        before = self.reached.get(job.name, 0)
        self.reached[job.name] = max(before, epoch)
        self.ended += self.reached[job.name] - before

    def note(self, row: Row) -> None:
        """Remember the best so far."""
        value = value_of(row, self.measure)
        if value is not None:
            signed = value if larger_is_better(self.measure) else -value
            if self.best is None or signed > self.best[0]:
                self.best = signed, row.variant

    def finish(self, job: Job, row: Row) -> None:
        """Count a run that is at its end, and print its line."""
        self.note(row)
        self._count(job, job.until or job.config.training.epochs)
        super().finish(job, row)

    def line(self, job: Job, row: Row) -> str:
        """Return what is printed of a run that has ended: its epochs stand beside its trial."""
        epochs = job.until or job.config.training.epochs
        return row_line(row, self.measure, f"{row.variant}, {epochs} epoch{'s' if epochs > 1 else ''}")
