"""What comes of training: a run, or an error that carries the run so far."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from glassnet.data.schema import Schema
from glassnet.errors import FileError, NonFiniteError
from glassnet.nn.network import Network
from glassnet.training.config import RunConfig
from glassnet.training.health.monitor import Health
from glassnet.training.history import EpochRecord, History
from glassnet.training.model import Model


@dataclass(repr=False)
class Run:
    """A training run: what `glassnet.fit` returns, and what callbacks read while it grows.

    Attributes
    ----------
    network : Network
        The network, trained in place. While training goes on, it is as the latest step left it.
    history : History
        One record for each epoch that was finished.
    config : RunConfig
        The configuration that would make the run again.
    folder : Path or None
        The folder that the run is saved in.
    schema : Schema or None
        What the rows and targets of the data mean.
    stopped : str
        Why training ended: ``"epochs"``, ``"early stopping"``, ``"interrupted"``, ``"non-finite"``, or what a
        callback said. Empty while it goes on, and after an error of a callback.
    best_epoch : int or None
        The epoch whose parameters the network has at the end, where early stopping chose it.
    unsaved : FileError or None
        Why the last save failed, where it did: the folder then lacks the end of the run.
    health : Health or None
        What is wrong with the network, if anything; None while training goes on.

    Examples
    --------
    >>> from glassnet.training.options import DataConfig
    >>> Run(Network([64, 10]), History(), RunConfig(data=DataConfig(dataset="digits")), None)
    Run([64, 10] on digits, no epochs yet)
    """

    network: Network
    history: History
    config: RunConfig
    folder: Path | None
    schema: Schema | None = None
    stopped: str = ""
    best_epoch: int | None = None
    unsaved: FileError | None = None
    health: Health | None = None

    @property
    def model(self) -> Model:
        """The network with what its rows and answers mean: it predicts in the user's own words."""
        return Model(self.network, self.schema)

    @property
    def chosen(self) -> EpochRecord | None:
        """The record of the epoch whose parameters the network has, so far as one is known."""
        if self.best_epoch is not None:
            return list(self.history)[self.best_epoch - 1]
        return self.history.last

    def __repr__(self) -> str:
        parts = [f"{list(self.network.layers)} on {self.config.data.dataset}"]
        parts.append(self.chosen.summary if self.chosen else "no epochs yet")
        if self.stopped:
            epochs = "1 epoch" if len(self.history) == 1 else f"{len(self.history)} epochs"
            why = "" if self.stopped == "epochs" else f": {self.stopped}"
            parts.append(f"ended after {epochs}{why}")
        if self.health is not None:
            parts.append("sick: see run.health" if self.health.sick else "healthy")
        if self.folder is not None:
            parts.append(f"not saved: {self.unsaved}" if self.unsaved else f"saved in {self.folder}")
        return f"Run({', '.join(parts)})"


class DivergenceError(NonFiniteError):
    """The loss became NaN or infinite.

    Attributes
    ----------
    run : Run
        What was learned before; its network has the parameters after the last whole epoch.
    """

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run

    def __reduce__(self) -> tuple[type[DivergenceError], tuple[str, Run]]:
        """Pickle by the two arguments, so that a worker process can raise it."""
        return type(self), (str(self), self.run)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM arrived; the batch was finished and the work saved.

    Attributes
    ----------
    run : Run
        What was learned so far; `glassnet.resume` goes on from its folder.
    signal : signal.Signals
        The signal that arrived.
    """

    def __init__(self, run: Run, signal: Signals) -> None:
        where = f"; saved in {run.folder}" if run.folder and run.unsaved is None else ""
        epochs = "1 whole epoch" if len(run.history) == 1 else f"{len(run.history)} whole epochs"
        super().__init__(f"stopped after {epochs}{where}")
        self.run = run
        self.signal = signal

    def __reduce__(self) -> tuple[type[Interrupted], tuple[Run, Signals]]:
        """Pickle by the two arguments, so that a worker process can raise it."""
        return type(self), (self.run, self.signal)
