"""What a person sees while a network learns: a bar and a line for every epoch, on stderr."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from glassnet.runtime.compilation import announcing
from glassnet.runtime.terminal import stderr_console, tell
from glassnet.training.history import EpochRecord

if TYPE_CHECKING:
    from rich.progress import Progress

    from glassnet.training.results import Run

#: Lines that a long run prints at most, and seconds between two looks of the bar.
LINES = 20
REFRESH = 0.1


@contextlib.contextmanager
def telling_of_compiler(enabled: bool) -> Iterator[None]:
    """Say it, once, where training has to wait for a compiler."""
    message = "compiling the formulas of this training, once; the machine code is kept"
    with announcing(partial(tell, message) if enabled else None):
        yield


class Shown:
    """What is shown on stderr while something goes on: lines, and on a terminal a bar over so many steps."""

    def __init__(self, steps: int, *, enabled: bool) -> None:
        self.console = stderr_console() if enabled else None
        self.bar = _make_bar(self.console, steps) if self.console and self.console.is_terminal else None

    def __enter__(self) -> Self:
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def print_one_of(self, number: int, of: int, line: Callable[[], str]) -> None:
        """Print a line; of a long row of them about `LINES`, and the first and the last one."""
        every = -(-of // LINES)
        if self.console is not None and (number % every == 0 or number in (1, of)):
            self.console.print(line(), soft_wrap=True)


class TrainingProgress(Shown):
    """Lines, and on a terminal a bar over the steps; it costs next to nothing between two refreshes."""

    def __init__(self, epochs: int, steps: int, *, enabled: bool) -> None:
        super().__init__(epochs * steps, enabled=enabled)
        self.epochs = epochs
        self.steps_done = 0
        self.shown = 0.0

    def skip(self, steps: int) -> None:
        """Count batches that a run took before it was resumed."""
        self.steps_done = steps

    def step(self, epoch: int, steps: int) -> None:
        """Count batches."""
        self.steps_done += steps
        if self.bar is not None and (now := time.monotonic()) - self.shown > REFRESH:
            self.shown = now
            task = self.bar.task_ids[0]
            self.bar.update(task, completed=self.steps_done, description=f"epoch {epoch}/{self.epochs}")

    def epoch(self, record: EpochRecord) -> None:
        """Print an epoch's figures; of a long run, about twenty epochs' and the last one's."""
        self.print_one_of(record.epoch, self.epochs, lambda: epoch_line(record, self.epochs))


class NetworksProgress(Shown):
    """A line for every network that has been trained, of many about twenty; on a terminal a bar over them."""

    def __init__(self, networks: int, *, enabled: bool) -> None:
        super().__init__(networks, enabled=enabled)
        self.networks, self.ended, self.lock = networks, 0, threading.Lock()

    def done(self, run: Run) -> None:
        """Count a network that has been trained; threads may say so at the same time."""
        with self.lock:
            self.ended += 1
            if self.bar is not None:
                self.bar.update(self.bar.task_ids[0], completed=self.ended, description="networks")
            self.print_one_of(self.ended, self.networks, lambda: self._line(run))

    def _line(self, run: Run) -> str:
        number = f"network {self.ended:{len(str(self.networks))}}/{self.networks}"
        figures = "no epoch" if run.chosen is None else run.chosen.summary
        return f"{number}  {figures}  {run.history.seconds:.1f} s"


def _make_bar(console: Any, steps: int) -> Progress:
    """Return a bar of rich over so many steps."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True)
    bar.add_task("", total=steps)
    return bar


def epoch_line(record: EpochRecord, epochs: int) -> str:
    """Return an epoch's figures as one line."""
    number = f"epoch {record.epoch}"
    padded = f"epoch {record.epoch:{len(str(epochs))}}/{epochs}"
    return f"{padded}{record.summary.removeprefix(number)}  {record.seconds:.1f} s"
