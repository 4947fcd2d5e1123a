"""What comes of training: a run, or an error that carries the run so far."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING, Any, Protocol

from glassnet.charts.painting import html_picture, plot
from glassnet.charts.weights import first_layer
from glassnet.data.schema import Schema
from glassnet.errors import FileError, NonFiniteError, UsageError
from glassnet.locales.catalogue import Language, Words
from glassnet.nn.network import Network
from glassnet.training.config import RunConfig
from glassnet.training.health.monitor import Health
from glassnet.training.history import EpochRecord, History
from glassnet.training.learning_curves import learning_charts
from glassnet.training.model import Model
from glassnet.training.snapshots import Snapshots
from glassnet.training.train_state import TrainState

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Remembering(Protocol):
    """What a run can go on from."""

    state: dict[str, Any] | None

    def keep(self, state: TrainState) -> None:
        """Keep the state of training."""

    def go_on(self, run: Run, epochs: int | None, callbacks: Sequence[Any], progress: bool) -> Run:
        """Train on."""


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
    snapshots : Snapshots or None
        The parameters after its epochs, evenly spread; `glassnet.explain` plays over them.
    unsaved : FileError or None
        Why the last save failed, where it did: the folder then lacks the end of the run.
    judge : callable or None
        What examines the network when `health` is first read, of a run that has not done so.
    memory : object or None
        What `resume` goes on from: the data, and the state of training at the end. It stays in this process: a
        run that is pickled leaves it behind. Set it to None to give its memory back.

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
    snapshots: Snapshots | None = None
    unsaved: FileError | None = None
    judge: Callable[[], Health] | None = field(default=None, compare=False)
    memory: Remembering | None = field(default=None, compare=False)
    _health: Health | None = field(default=None, init=False)

    @property
    def health(self) -> Health | None:
        """What is wrong with the network, if anything; None while training goes on."""
        if self.judge is not None:
            self._health, self.judge = self.judge(), None
        return self._health

    @health.setter
    def health(self, found: Health | None) -> None:
        self._health, self.judge = found, None

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what only this process can go on from."""
        return {**vars(self), "_health": self.health, "judge": None, "memory": None}

    def resume(self, *, epochs: int | None = None, callbacks: Sequence[Any] = (), progress: bool = True) -> Run:
        """Go on with the run in memory: with fresh batches and the optimizer's memory, in the same network.

        The schedule and the memory of early stopping go on, too. The result is that of `glassnet.resume` from the
        run's folder, and of a run of so many epochs from the start where no schedule depends on their number: the
        same, bit for bit. A run that was saved is saved in its folder again.

        Parameters
        ----------
        epochs : int, optional
            Number of epochs in all, with those that are done. Default: that of the run, which an interrupted run
            has not reached.
        callbacks, progress
            See `glassnet.fit`.

        Returns
        -------
        Run
            The run as it ends now; one that a callback or early stopping ended is returned as it ended.

        Raises
        ------
        UsageError
            If the run has had more epochs, or remembers nothing: it diverged, or comes from another process.

        Examples
        --------
        >>> import numpy as np
        >>> from glassnet.training.fit import fit
        >>> X, y = np.random.default_rng(0).normal(size=(120, 4)), np.arange(120) % 3
        >>> run = fit(Network([4, 8, 3]), X, y, epochs=2, progress=False)
        >>> run.resume(epochs=5, progress=False).history["epoch"]
        [1, 2, 3, 4, 5]
        """
        if self.memory is None:
            where = f"; glassnet.resume({str(self.folder)!r}) goes on from its folder" if self.folder else ""
            whence = "it comes from another process or from fit_many"
            raise UsageError("run", f"{whence}, and remembers nothing to go on from{where}")
        return self.memory.go_on(self, epochs, callbacks, progress)

    def remember(self, state: TrainState) -> None:
        """Keep the state that training ended in, where the run is to remember it."""
        if self.memory is not None:
            self.memory.keep(state)

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

    def plot_weights(self, ax: Axes | None = None, *, language: Language = "en") -> Axes:
        """Draw the weights of the first layer: blue above zero, red below, white at zero.

        Where the inputs are pictures, there is a picture for each of the first units. Else a row is a unit, and a
        column an input.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default on a new figure.
        language : {"en", "zh"}
            In which the chart is written.

        Returns
        -------
        matplotlib.axes.Axes

        Examples
        --------
        >>> from glassnet.training.options import DataConfig
        >>> run = Run(Network([4, 3, 2]), History(), RunConfig(data=DataConfig(dataset="iris")), None)
        >>> run.plot_weights().get_title(loc="left")
        'First-layer weights'
        """
        rows = None if self.schema is None else self.schema.input
        image_shape, names = getattr(rows, "image_shape", None), getattr(rows, "feature_names", ())
        return plot(first_layer(self.network, Words(language).say("weights"), image_shape, names), ax)

    def _repr_html_(self) -> str:
        """Show the curves in a notebook: pictures and text, no script."""
        charts = learning_charts(self.history, Words("en")) if len(self.history) else []
        pictures = "".join(html_picture(chart) for chart in charts[:2])
        return f"<pre>{html.escape(repr(self))}</pre>{pictures}"

    def __repr__(self) -> str:
        parts = [f"{list(self.network.layers)} on {self.config.data.dataset}"]
        parts.append(self.chosen.summary if self.chosen else "no epochs yet")
        if self.stopped:
            epochs = "1 epoch" if len(self.history) == 1 else f"{len(self.history)} epochs"
            why = "" if self.stopped == "epochs" else f": {self.stopped}"
            parts.append(f"ended after {epochs}{why}")
        if self.health is not None:
            state = self.health.state
            parts.append(state if state == "healthy" else f"{state}: see run.health")
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
