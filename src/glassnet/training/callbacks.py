"""Callbacks: what a run calls while it goes on, and what may end it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from glassnet.errors import FileError, UsageError
from glassnet.runtime.callers import warn_caller
from glassnet.training.early_stopping import EarlyStopping
from glassnet.training.results import Run

#: What every callback has; see `Callback`.
METHODS = ("on_train_begin", "on_epoch_end", "on_train_end")


class Callback:
    """Something that is called while a run goes on. Its three methods do nothing; override those that you need.

    Each method is given the `Run`, to be read: its network, history, configuration and folder. What a callback
    changes of it is not part of the promise that a configuration gives the same result again.

    A `FileError` that a method raises is a warning, and training goes on. Any other error ends training; what was
    learned is saved before.

    Examples
    --------
    One that ends training when the network is good enough:

    >>> class GoodEnough(Callback):
    ...     def on_epoch_end(self, run):
    ...         accuracy = run.history.last.validation_accuracy
    ...         return f"{accuracy:.0%} right" if accuracy >= 0.9 else None

    Asked after an epoch, as `fit` does:

    >>> from types import SimpleNamespace
    >>> from glassnet.training.history import EpochRecord, History
    >>> run = SimpleNamespace(history=History())
    >>> run.history.append(EpochRecord(1, 0.4, 0.88, 0.3, 0.92, 0.001, 2.0, 1))
    >>> GoodEnough().on_epoch_end(run)
    '92% right'
    """

    def on_train_begin(self, run: Run) -> None:
        """Be called when training begins: all is checked, and no step is taken.

        Where a run is resumed, its history holds the epochs already done.
        """

    def on_epoch_end(self, run: Run) -> str | None:
        """Be called after each epoch; ``run.history.last`` is its record.

        Returns
        -------
        str or None
            A text ends training, and becomes the reason, ``run.stopped``. None goes on.
        """
        return None

    def on_train_end(self, run: Run) -> None:
        """Be called when training has ended: always, also after Ctrl-C, divergence or another callback's error."""


def check_callbacks(callbacks: Any) -> None:
    """Raise `UsageError` for what is no sequence of objects with the three methods of a `Callback`."""
    if not isinstance(callbacks, list | tuple):
        raise UsageError("callbacks", f"expected a list of callbacks, got {callbacks!r}")
    for callback in callbacks:
        if isinstance(callback, type) or not all(hasattr(callback, name) for name in METHODS):
            kind = isinstance(callback, type)
            what = f"the class {callback.__name__}; give an object" if kind else repr(callback)
            instead = "; give it as early_stopping" if isinstance(callback, EarlyStopping) else ""
            raise UsageError("callbacks", f"expected objects of glassnet.Callback, got {what}{instead}")


@contextlib.contextmanager
def calling(callbacks: Sequence[Callback], run: Run) -> Iterator[None]:
    """Call callbacks at the beginning, and at the end whatever happens; a `FileError` at the end is a warning."""
    with contextlib.ExitStack() as ends:
        for callback in callbacks:
            ends.callback(_end, callback, run)
        for callback in callbacks:
            callback.on_train_begin(run)
        yield


def ask(callbacks: Sequence[Callback], run: Run) -> list[str | None]:
    """Call callbacks after an epoch, and return their answers; a `FileError` is a warning, and goes on."""
    answers = []
    for callback in callbacks:
        try:
            answer = callback.on_epoch_end(run)
        except FileError as error:
            warn_caller(f"{error}; training goes on")
            continue
        if answer is not None and not isinstance(answer, str):
            raise UsageError(
                "callbacks",
                f"on_epoch_end of {type(callback).__name__} returned {answer!r}; it returns None to go on, or "
                "text that says why training ends",
            )
        answers.append(answer)
    return answers


def _end(callback: Callback, run: Run) -> None:
    try:
        callback.on_train_end(run)
    except FileError as error:
        warn_caller(str(error))
