"""The checkpointer: when a run is saved while it goes on, and what happens where that fails."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from glassnet.errors import FileError
from glassnet.runtime.callers import warn_caller
from glassnet.training.model import Model
from glassnet.training.results import Run
from glassnet.training.run_folder import RunFolder
from glassnet.training.train_state import TrainState

#: Seconds between two saves of a run that does not say after how many epochs.
SAVE_EVERY = 30.0


class Checkpointer:
    """Saves a run in its folder, if it has one. A full disk is a warning, and saving is tried again.

    The engine has to have stored what it holds before anything is saved. The ``unsaved`` of the run says why the
    last save failed.
    """

    def __init__(self, run: Run, state: TrainState) -> None:
        self.run, self.state = run, state
        self.folder = None if run.folder is None else RunFolder(run.folder)
        self.saved = time.monotonic()
        self.failures: list[FileError] = []

    @property
    def source(self) -> str:
        """Where a resumed run's state comes from, as the beginning of a message."""
        return "the checkpoint" if self.folder is None else f"{self.folder.checkpoint_path}:"

    @contextlib.contextmanager
    def open(self, *, new: bool) -> Iterator[None]:
        """Make the folder of a new run, and hold it against other processes; a resumed run's is held already.

        Raises `FileError` if it cannot be written, or another process trains in it.
        """
        with contextlib.ExitStack() as held:
            if self.folder is not None and new:
                held.enter_context(self.folder.create(self.run.config, self._model(), self.state.state_dict()))
            elif self.folder is not None:
                self.folder.save_config(self.run.config)
            yield

    def save_if_due(self) -> None:
        """Save after an epoch, where it is time to."""
        every, epoch = self.run.config.training.checkpoint_every, len(self.run.history)
        due = time.monotonic() - self.saved > SAVE_EVERY if every is None else epoch % every == 0
        if due:
            self.save()
            self.saved = time.monotonic()

    def save(self) -> None:
        """Save the checkpoint, then the model and the history."""
        self._save_state()
        self.save_model()
        self._settle()

    def save_end(self) -> None:
        """Save the model, the history and the health of a run that has ended, after its checkpoint."""
        self.save_model()
        self._attempt(self._save_health)
        self._settle()

    def save_checkpoint(self) -> None:
        """Save the checkpoint of a run that ends here, and have the run remember it.

        Whether saving failed is said after the next save of the model.
        """
        self.run.remember(self.state)
        self._save_state()

    def _save_state(self) -> None:
        self._attempt(lambda folder: folder.save_checkpoint(self.state.state_dict()))

    def save_model(self) -> None:
        """Save the network as it is evaluated, and the history."""
        self._attempt(lambda folder: folder.save(self._model(), self.run.history))

    def _save_health(self, folder: RunFolder) -> None:
        if self.run.health is not None:
            folder.save_health(self.run.health)

    def _model(self) -> Model:
        return Model(self.state.eval_network, self.run.schema)

    def _attempt(self, save: Callable[[RunFolder], None]) -> None:
        """Save something, and remember why that failed."""
        try:
            if self.folder is not None:
                save(self.folder)
        except FileError as error:
            self.failures.append(error)

    def _settle(self) -> None:
        """Note whether everything was saved, and warn where it is the first time that it was not."""
        failed = self.failures[0] if self.failures else None
        self.failures = []
        if failed is not None and self.run.unsaved is None:
            meanwhile = "" if self.run.stopped else "training goes on, and "
            warn_caller(f"{failed}; {meanwhile}what was saved before stays")
        self.run.unsaved = failed
