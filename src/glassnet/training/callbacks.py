"""What is told of a run while it goes on, and may end it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from glassnet.errors import FileError
from glassnet.nn.network import Network
from glassnet.training.config import RunConfig
from glassnet.training.health.monitor import Health
from glassnet.training.history import History


class Running(Protocol):
    """What a callback sees of a run: `glassnet.training.loop.Run` while it grows. It is there to be read.

    Attributes
    ----------
    network : Network
        As it is after the latest step.
    history : History
        One record for each epoch that was finished.
    config : RunConfig
        What would make the run again.
    folder : Path or None
        Where it is saved.
    stopped : str
        Why it ended: ``"epochs"``, ``"early stopping"``, ``"interrupted"``, ``"non-finite"``, or what a callback
        said; empty while it goes on, and after an error of a callback.
    best_epoch : int or None
        The epoch whose parameters the network has at the end, where early stopping chose it.
    unsaved : FileError or None
        Why the last save failed, where it did.
    health : Health or None
        What is wrong with the network, if anything, at the end.
    """

    network: Network
    history: History
    config: RunConfig
    folder: Path | None
    stopped: str
    best_epoch: int | None
    unsaved: FileError | None
    health: Health | None


class Callback:
    """What is told of a run while it goes on. All three methods do nothing here; override what you need.

    Examples
    --------
    One that ends training when the network is good enough:

    >>> class GoodEnough(Callback):
    ...     def epoch(self, run):
    ...         accuracy = run.history.last.validation_accuracy
    ...         return f"{accuracy:.0%} right" if accuracy >= 0.9 else None

    Asked after an epoch, as `fit` does:

    >>> from types import SimpleNamespace
    >>> from glassnet.training.history import EpochRecord
    >>> run = SimpleNamespace(history=History())
    >>> run.history.append(EpochRecord(1, 0.4, 0.88, 0.3, 0.92, 0.001, 2.0, 1))
    >>> GoodEnough().epoch(run)
    '92% right'
    """

    def begin(self, run: Running) -> None:
        """Be told that training begins: all is checked, no step is taken.

        Where a run is resumed, its history holds the epochs already done.
        """

    def epoch(self, run: Running) -> str | None:
        """Be told that an epoch has ended, ``run.history.last``.

        Returns
        -------
        str or None
            A text ends training, with the text as the reason, ``run.stopped``. None goes on.
        """
        return None

    def end(self, run: Running) -> None:
        """Be told that training has ended: always, after Ctrl-C, divergence or another callback's error too."""
