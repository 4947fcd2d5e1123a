"""Who saves a run while it goes on: its checkpoint, its model, its history."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from glassnet.errors import FileError
from glassnet.training.callbacks import Running
from glassnet.training.learner import Learner
from glassnet.training.run_folder import RunFolder

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset

#: Seconds between two saves of a run that does not say after how many epochs.
SAVE_EVERY = 30.0


class Keeper:
    """Saves a run in its folder, if it has one. A full disk does not end training: it is said, and tried again.

    Parameters
    ----------
    run : Running
        ``run.unsaved`` says why the last save failed.
    learner : Learner
        What is saved.
    """

    def __init__(self, run: Running, learner: Learner) -> None:
        self.run, self.learner = run, learner
        self.folder = None if run.folder is None else RunFolder(run.folder)
        self.saved = time.monotonic()

    @classmethod
    @contextlib.contextmanager
    def open(cls, run: Running, learner: Learner, data: Dataset, *, new: bool) -> Iterator[Keeper]:
        """Make the folder of a new run, and hold it against other processes; one that goes on is held already.

        Raises
        ------
        FileError
            If it cannot be written, or another process trains in it.
        """
        keeper = cls(run, learner)
        if keeper.folder is None:
            yield keeper
            return
        folder, config = keeper.folder, run.config
        if new:
            start, learned = learner.checkpoint(run.history), (data.encoder, data.standardisation)
            with folder.create(config, learner.judged, start, *learned):
                yield keeper
        else:
            folder.record(config)
            yield keeper

    def after_epoch(self, epoch: int) -> None:
        """Save where it is time to."""
        every = self.run.config.training.checkpoint_every
        due = time.monotonic() - self.saved > SAVE_EVERY if every is None else epoch % every == 0
        if due:
            self.save()
            self.saved = time.monotonic()

    def save(self) -> None:
        """Save the checkpoint, then the model and the history; the engine has stored what it holds."""
        self.settle([self.save_checkpoint(), self.save_model()])

    def save_checkpoint(self, ended: str = "") -> FileError | None:
        """Save the checkpoint, and return why that failed; see `Learner.checkpoint`."""
        return self._attempt(
            lambda folder: self.learner.checkpoint(self.run.history, ended).save(folder.checkpoint_path)
        )

    def save_model(self) -> FileError | None:
        """Save the network as it is judged, and the history, and return why that failed."""
        return self._attempt(lambda folder: folder.save(self.learner.judged, self.run.history))

    def save_health(self) -> FileError | None:
        """Save what is wrong with the network, and return why that failed."""
        health = self.run.health
        return None if health is None else self._attempt(lambda folder: folder.save_health(health))

    def _attempt(self, save: Callable[[RunFolder], None]) -> FileError | None:
        try:
            if self.folder is not None:
                save(self.folder)
        except FileError as error:
            return error
        return None

    def settle(self, outcomes: Sequence[FileError | None]) -> None:
        """Note whether everything was saved, and say so where it is the first time that it was not."""
        failed = next(filter(None, outcomes), None)
        if failed is not None and self.run.unsaved is None:
            meanwhile = "" if self.run.stopped else "training goes on, and "
            warnings.warn(f"{failed}; {meanwhile}what was saved before stays", stacklevel=2)
        self.run.unsaved = failed
