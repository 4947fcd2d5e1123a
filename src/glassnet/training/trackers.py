"""Experiment trackers: callbacks that write a run's figures where TensorBoard or MLflow shows them."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from numbers import Real
from pathlib import Path
from typing import Any

from glassnet.errors import FileError, UsageError
from glassnet.training.callbacks import Callback
from glassnet.training.config import RunConfig
from glassnet.training.history import EpochRecord
from glassnet.training.model_file import MODEL_FILE
from glassnet.training.results import Run

#: Where `MLflow` keeps its runs if nobody says otherwise: beside the run folders.
MLFLOW_URI = "sqlite:///runs/mlflow.db"

#: What mlflow reads from the environment, unless it says otherwise there: not to report its use to its makers, and
#: to give up a server that does not answer after seconds; mlflow itself takes minutes.
MLFLOW_ENVIRONMENT = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}

#: MLflow's word for how a run ended; for all other reasons it is "FINISHED".
STATUS = {"interrupted": "KILLED", "non-finite": "FAILED", "": "FAILED"}


def figures(record: EpochRecord) -> dict[str, float]:
    """Return an epoch's numbers under the names that trackers group them by.

    What is measured on training and validation rows becomes one group, ``train_loss`` the figure ``loss/train``. A
    dict counts as its entries; the epoch is where a figure stands and none itself; what is absent, or no number,
    is left out.
    """
    values: dict[str, Any] = {}
    for column in fields(record):
        value = getattr(record, column.name)
        values |= value if isinstance(value, dict) else {column.name: value}
    del values["epoch"]
    return {_group_name(name): float(value) for name, value in values.items() if isinstance(value, Real)}


def _group_name(name: str) -> str:
    part, _, rest = name.partition("_")
    return f"{rest}/{part}" if part in ("train", "validation") and rest else name


def settings(config: RunConfig) -> dict[str, bool | int | float | str]:
    """Return what decides a run, by dotted name; lists as text, what is None left out."""
    values = config.model_dump(exclude_none=True, exclude={"checksums", "environment"})
    return {
        name: value if isinstance(value, (bool, int, float)) else str(value) for name, value in _flatten(values)
    }


def _flatten(values: dict[str, Any], section: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{section}{name}.")
        else:
            yield section + name, value


@contextlib.contextmanager
def _require(name: str) -> Iterator[None]:
    """Say which extra of glassnet brings a library that is not there."""
    try:
        yield
    except ImportError as error:
        raise UsageError(name, f"{error.name or name} is not installed: pip install 'glassnet[{name}]'") from None


class TensorBoard(Callback):
    """Writes a run's figures as an event file, for ``tensorboard --logdir``.

    Every epoch has its `figures`; the configuration is there as text and as hyper-parameters. The folder shows
    one run: a resumed run goes on after the epochs done, another one takes the place of what was there.

    Parameters
    ----------
    folder : str or Path
        Made where it is missing. Its name is the run's in TensorBoard, which shows all folders under one.

    Raises
    ------
    UsageError
        If tensorboardX is not installed.
    FileError
        While training, if the folder cannot be written.

    Examples
    --------
    >>> tracker = TensorBoard("runs/first/tensorboard")
    >>> tracker.folder.name
    'tensorboard'
    """

    def __init__(self, folder: str | Path) -> None:
        with _require("tensorboard"):
            import_module("tensorboardX")
        self.folder = Path(folder)
        self._events: Any = None

    def on_train_begin(self, run: Run) -> None:
        """Open an event file that hides what the folder shows of the epochs to come."""
        # Not SummaryWriter: its thread dies of a full disk unheard, and the training then waits for it.
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import SessionLog
        from tensorboardX.summary import hparams, text

        first = len(run.history) + 1
        names = dict.fromkeys(("loss/train", "loss/validation", "accuracy/train", "accuracy/validation"), 0.0)
        experiment, session, _ = hparams(settings(run.config), names)
        with self._explain_errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            # The name holds whole seconds alone: resumed in the same one, a run would overwrite itself.
            self._events = EventsWriter(str(self.folder / "events"), f".{first:06d}")
            self._write(first, session_log=SessionLog(status=SessionLog.START))
            self._write(first, summary=experiment)
            self._write(first, summary=session)
            self._write(first, summary=text("configuration", f"```toml\n{run.config.to_toml()}```"))
            self._events.flush()

    def on_epoch_end(self, run: Run) -> None:
        """Write the epoch's figures."""
        from tensorboardX.summary import scalar

        record = run.history.last
        assert record is not None
        with self._explain_errors():
            for name, value in figures(record).items():
                self._write(record.epoch, summary=scalar(name, value))
            self._events.flush()

    def on_train_end(self, run: Run) -> None:
        """Close the event file."""
        events, self._events = self._events, None
        if events is not None:
            with self._explain_errors():
                events.close()

    def _write(self, step: int, **content: Any) -> None:
        """Add an event, which holds one content."""
        from tensorboardX.proto.event_pb2 import Event

        self._events.write_event(Event(wall_time=time.time(), step=step, **content))

    @contextlib.contextmanager
    def _explain_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise FileError(self.folder, f"cannot be written: {error.strerror or error}") from None


class MLflow(Callback):
    """Records a run in MLflow: settings, every epoch's figures, how it ended, and the model of its run folder.

    A resumed run is a run of its own in MLflow, which holds all epochs from the first.

    Parameters
    ----------
    experiment : str, default "glassnet"
        Made where it is missing.
    uri : str, optional
        A database or a server, ``"sqlite:///my.db"``, ``"https://..."``. By default what the environment
        variable MLFLOW_TRACKING_URI says, or `MLFLOW_URI`. A new experiment of a SQLite file keeps its model
        files in the folder ``mlflow-artifacts`` beside that.

    Attributes
    ----------
    run_id : str or None
        MLflow's name of the latest run.

    Raises
    ------
    UsageError
        If mlflow is not installed.
    FileError
        While training, if the database or server cannot be used.

    Notes
    -----
    Sets the variables of `MLFLOW_ENVIRONMENT` that are not set: mlflow would report its use to its makers.

    Examples
    --------
    >>> MLflow("digits", "sqlite:///runs/digits.db").uri
    'sqlite:///runs/digits.db'
    """

    def __init__(self, experiment: str = "glassnet", uri: str | None = None) -> None:
        for variable, value in MLFLOW_ENVIRONMENT.items():
            os.environ.setdefault(variable, value)
        with _require("mlflow"):
            import_module("mlflow")
        self.experiment = experiment
        self.uri = uri or os.environ.get("MLFLOW_TRACKING_URI") or MLFLOW_URI
        self.run_id: str | None = None
        self._client: Any = None

    def on_train_begin(self, run: Run) -> None:
        """Open a run, with the settings and the epochs already done."""
        from mlflow.entities import Param
        from mlflow.tracking import MlflowClient

        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)  # it tells of making its tables
        with self._explain_errors(), _require("mlflow"):
            artifacts = self._place_artifacts()
            client = MlflowClient(self.uri, self.uri)
            experiment = client.get_experiment_by_name(self.experiment)
            key = experiment.experiment_id if experiment else client.create_experiment(self.experiment, artifacts)
            self.run_id = client.create_run(key, run_name=run.folder.name if run.folder else None).info.run_id
            self._client = client
            params = [Param(name, str(value)) for name, value in settings(run.config).items()]
            client.log_batch(self.run_id, params=params)
            client.log_text(self.run_id, run.config.to_toml(), "config.toml")
            for record in run.history:
                self._record(record)

    def on_epoch_end(self, run: Run) -> None:
        """Record the epoch's figures."""
        assert run.history.last is not None
        with self._explain_errors():
            self._record(run.history.last)

    def on_train_end(self, run: Run) -> None:
        """Add the model, and say how the run ended."""
        client, self._client = self._client, None
        if client is None:
            return
        with self._explain_errors():
            try:
                if run.folder and (run.folder / MODEL_FILE).exists():
                    client.log_artifact(self.run_id, str(run.folder / MODEL_FILE))
            finally:
                client.set_terminated(self.run_id, STATUS.get(run.stopped, "FINISHED"))

    def _record(self, record: EpochRecord) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, record.epoch) for name, value in figures(record).items()]
        self._client.log_batch(self.run_id, metrics=metrics)

    def _place_artifacts(self) -> str | None:
        """Return where a new experiment keeps its files; mlflow's own choice is the working directory."""
        file = self.uri.removeprefix("sqlite:///")
        if file == self.uri:
            return None  # the server knows
        folder = Path(file).absolute().parent
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / "mlflow-artifacts").as_uri()

    @contextlib.contextmanager
    def _explain_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if not isinstance(error, _list_failures()):
                raise
            raise FileError(self.uri, f"MLflow cannot record the run: {str(error).splitlines()[0]}") from None


def _list_failures() -> tuple[type[Exception], ...]:
    """Return what mlflow raises when a store cannot be used; a server needs no SQLAlchemy here."""
    from mlflow.exceptions import MlflowException

    try:
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError:
        return MlflowException, OSError
    return MlflowException, OSError, SQLAlchemyError
