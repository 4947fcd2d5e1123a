"""What a person sees while a network learns: a bar and a line for every epoch, on stderr."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from glassnet.runtime.streams import progress_stream
from glassnet.training.history import EpochRecord

#: Lines that a long run prints at most, and seconds between two looks of the bar.
LINES = 20
REFRESH = 0.1


class TrainingProgress:
    """A rich progress bar over the steps of an epoch; it costs next to nothing between two refreshes."""

    def __init__(self, epochs: int, steps: int, *, enabled: bool) -> None:
        self.epochs = epochs
        self.enabled = enabled
        self.console = Console(file=progress_stream(), highlight=False)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not (enabled and self.console.is_terminal),
        )
        self.task = self.bar.add_task("", total=epochs * steps)
        self.steps_done = 0
        self.shown = 0.0

    def __enter__(self) -> TrainingProgress:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def skip(self, steps: int) -> None:
        """Count batches that a run took before it was resumed."""
        self.steps_done = steps

    def step(self, epoch: int, steps: int) -> None:
        """Count batches."""
        self.steps_done += steps
        now = time.monotonic()
        if now - self.shown > REFRESH:
            self.shown = now
            self.bar.update(self.task, completed=self.steps_done, description=f"epoch {epoch}/{self.epochs}")

    def epoch(self, record: EpochRecord) -> None:
        """Print an epoch's figures; of a long run, about twenty epochs' and the last one's."""
        every = -(-self.epochs // LINES)
        if self.enabled and (record.epoch % every == 0 or record.epoch in (1, self.epochs)):
            self.console.print(epoch_line(record, self.epochs), markup=False, soft_wrap=True)


def epoch_line(record: EpochRecord, epochs: int) -> str:
    """Return an epoch's figures as one line."""
    number = f"epoch {record.epoch}"
    padded = f"epoch {record.epoch:{len(str(epochs))}}/{epochs}"
    return f"{padded}{record.summary.removeprefix(number)}  {record.seconds:.1f} s"
