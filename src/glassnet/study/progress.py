"""What a person sees while a study runs: a table of the runs at work, and a line for each that is done."""

from __future__ import annotations

from rich.live import Live
from rich.table import Table

from glassnet.runtime.terminal import stderr_console
from glassnet.study.job import Job
from glassnet.study.results import FINISHED, Row


class StudyProgress:
    """Shows a study's progress on stderr: a table that changes on a terminal, lines elsewhere.

    `total` and `done` are the numbers of all runs, and of those that were done before; `measure` is shown of each.
    """

    def __init__(self, total: int, done: int, measure: str, *, enabled: bool) -> None:
        self.total, self.done, self.measure, self.enabled = total, done, measure, enabled
        self.running: dict[str, tuple[Job, int, float | None]] = {}
        self.console = stderr_console()
        self.live = Live(console=self.console, transient=True, get_renderable=self.table)
        self.shown = enabled and self.console.is_terminal

    def __enter__(self) -> StudyProgress:
        if self.shown:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.shown:
            self.live.stop()

    @property
    def caption(self) -> str:
        """What stands below the table."""
        return f"{self.done} of {self.total} runs done"

    def table(self) -> Table:
        """Return the table of the runs that are at work."""
        table = Table(box=None, caption=self.caption, caption_justify="left")
        for column in ("variant", "seed", "epoch", self.measure.replace("_", " ")):
            table.add_column(column, justify="left" if column == "variant" else "right")
        for job, epoch, value in list(self.running.values()):
            last = f"{job.seconds:g} s" if job.seconds is not None else job.until or job.config.training.epochs
            shown = "" if value is None else f"{value:.4f}"
            table.add_row(job.variant, str(job.seed), f"{epoch}/{last}", shown)
        return table

    def say(self, text: str) -> None:
        """Print a line."""
        if self.enabled:
            self.console.print(text, soft_wrap=True)

    def epoch(self, job: Job, epoch: int = 0, value: float | None = None) -> None:
        """Show how far a run is: epochs done, and the measure after the last of them."""
        self.running[job.name] = job, epoch, value

    def drop(self, job: Job) -> None:
        """Show a run no longer."""
        self.running.pop(job.name, None)

    def finish(self, job: Job, row: Row) -> None:
        """Count a run that is at its end, and print its line."""
        self.drop(job)
        self.done += 1
        self.say(f"{self.done:{len(str(self.total))}}/{self.total}  {self.line(job, row)}")

    def line(self, job: Job, row: Row) -> str:
        """Return what is printed of a run that is at its end."""
        return row_line(row, self.measure)


def row_line(row: Row, measure: str, name: str = "") -> str:
    """Return a run's outcome as one line: ``base, seed 3: train loss 0.4123, 2.0 s``."""
    name = name or f"{row.variant}, seed {row.seed}"
    if row.status != FINISHED:
        return f"{name}: {row.status}: {row.problem}"
    value = row.measures.get(measure)
    parts = [] if value is None else [f"{measure.replace('_', ' ')} {value:.4f}"]
    return f"{name}: {', '.join([*parts, f'{row.seconds:.1f} s'])}"
