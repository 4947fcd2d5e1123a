"""A run folder: configuration, history, model and checkpoint, each of them always whole."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from glassnet.errors import FileError
from glassnet.nn.network import Network
from glassnet.runtime.files import lock_file, make_folder, write_bytes
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.runtime.records import adapter_of, explain, read_json, read_record
from glassnet.training.archive import read_archive, write_archive
from glassnet.training.config import RunConfig, load_config
from glassnet.training.health.monitor import Health
from glassnet.training.history import History
from glassnet.training.inspection.baselines import Baselines
from glassnet.training.model import Model
from glassnet.training.model_file import MODEL_FILE, save_model
from glassnet.training.snapshots import SavedSnapshots, Snapshots

CONFIG_FILE = "config.toml"
HISTORY_FILE = "history.csv"
HEALTH_FILE = "health.json"
BASELINES_FILE = "baselines.json"
CHECKPOINT_FILE = "checkpoint.safetensors"
LOCK_FILE = ".lock"

#: Bytes of a history at most: those of half a million epochs.
MOST_HISTORY = 1 << 27

#: What a folder may hold before the first epoch; the configuration is the first to go where it cannot be made.
FILES = (CONFIG_FILE, MODEL_FILE, HISTORY_FILE, CHECKPOINT_FILE, LOCK_FILE)


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run. What is missing, damaged or cannot be written there raises `FileError`."""

    path: Path

    @contextlib.contextmanager
    def create(self, config: RunConfig, model: Model, start: dict[str, Any]) -> Iterator[None]:
        """Make the folder, save the untrained model in it, and hold it as long as the context lasts.

        So a full disk is met before the work. The configuration is written last: where it is, all is. Raises
        `FileError` if the folder cannot be made or written, or holds files already; nothing is left in it then.
        """
        with contextlib.ExitStack() as held:
            with GracefulInterrupts():  # a signal finds no folder, or a whole one
                new = not self.path.exists()
                make_folder(self.path)
                held.enter_context(lock_file(self.path / LOCK_FILE))
                try:
                    self.save(model, History())
                    self.save_checkpoint(start)
                    self.save_config(config)
                except FileError:
                    with contextlib.suppress(OSError):  # the disk may let nothing go
                        for name in FILES:
                            (self.path / name).unlink(missing_ok=True)
                        if new:
                            self.path.rmdir()
                    raise
            yield

    @contextlib.contextmanager
    def hold(self) -> Iterator[RunConfig]:
        """Hold the folder of a run that is resumed, and give its configuration.

        Raises `FileError` if it is that of no run, cannot be written, or another process trains in it.
        """
        self._check_there()  # a folder of no run gets no lock file
        with lock_file(self.path / LOCK_FILE):
            for left in self.path.glob(".*.part"):  # of a save that was cut off
                left.unlink(missing_ok=True)
            yield self.config()

    def save_config(self, config: RunConfig) -> None:
        """Replace the configuration."""
        write_bytes(self.config_path, config.to_toml().encode())

    @property
    def checkpoint_path(self) -> Path:
        """The file that a run is resumed from."""
        return self.path / CHECKPOINT_FILE

    def checkpoint(self) -> dict[str, Any]:
        """Read the state of training in the checkpoint."""
        return read_archive(self.checkpoint_path, "checkpoint", "only a run that was begun can be resumed")

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint by a state of training."""
        write_archive(self.checkpoint_path, "checkpoint", state)

    @property
    def config_path(self) -> Path:
        """The file with the configuration."""
        return self.path / CONFIG_FILE

    def config(self) -> RunConfig:
        """Read the configuration."""
        self._check_there()
        return load_config(self.config_path)

    def _check_there(self) -> None:
        if not self.config_path.exists():
            raise FileError(self.path, f"is no run folder: it holds no {CONFIG_FILE}")

    def history(self) -> History:
        """Read the history."""
        path = self.path / HISTORY_FILE
        try:
            return History.from_csv(read_record(path, MOST_HISTORY))
        except ValueError as error:
            raise FileError(path, f"is no history of a run: {error}") from None

    def health(self) -> Health | None:
        """Read what is known of the network's health; None where nothing is."""
        path = self.path / HEALTH_FILE
        remedy = "remove it, and the report does without"
        return read_json(path, Health, "record of a run's health", remedy) if path.exists() else None

    def snapshots(self, network: Network) -> Snapshots:
        """Read the parameters of the run's network after its epochs; none where there is no checkpoint."""
        path = self.checkpoint_path
        saved = self.checkpoint().get("snapshots") if path.exists() else None
        found = Snapshots(network, wanted=saved is not None)
        try:
            if saved is not None:
                found.load_state_dict(adapter_of(SavedSnapshots).validate_python(saved))
        except ValueError as error:
            raise FileError(path, f"is no checkpoint of a run: {explain(error)}") from None
        return found

    def baselines(self) -> Baselines | None:
        """Read how simple models did on the run's rows; None where none were trained."""
        path = self.path / BASELINES_FILE
        remedy = "remove it, and they are trained again"
        return read_json(path, Baselines, "record of simple models", remedy) if path.exists() else None

    def save_baselines(self, found: Baselines) -> None:
        """Keep how simple models did on the run's rows."""
        write_bytes(self.path / BASELINES_FILE, json.dumps(asdict(found)).encode())

    def save(self, model: Model, history: History) -> None:
        """Replace model and history by the present ones."""
        save_model(model, self.path / MODEL_FILE)
        write_bytes(self.path / HISTORY_FILE, history.to_csv().encode())

    def save_health(self, health: Health) -> None:
        """Replace what is known of the network's health."""
        write_bytes(self.path / HEALTH_FILE, json.dumps(health.to_dict()).encode())


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Make a folder, or take an empty one that is there; take a new one away if it stays empty.

    Raises `FileError` if it cannot be made, or holds files already.
    """
    new = not path.exists()
    make_folder(path)
    try:
        yield path
    finally:
        if new:
            with contextlib.suppress(OSError):  # it holds a run
                path.rmdir()


@contextlib.contextmanager
def default_folder(dataset: str, layers: list[int], root: str | Path = "runs") -> Iterator[Path]:
    """Make ``ROOT/DATE_TIME_DATASET_LAYERS``, numbered where that is taken; take it away if it stays empty.

    Making it at once keeps two runs that start in the same second apart. Raises `FileError` if it cannot be made.
    """
    root = Path(root)
    root_is_new = not root.exists()
    name = f"{time.strftime('%Y-%m-%d_%H%M%S')}_{dataset}_{'-'.join(map(str, layers))}"
    for number in itertools.count(1):
        path = root / (name if number == 1 else f"{name}_{number}")
        try:
            path.mkdir(parents=True)
            break
        except FileExistsError:
            if not path.exists():  # a file stands where a folder above should be
                raise FileError(path, "cannot be made: something else has that name; choose another") from None
        except OSError as error:
            raise FileError(path, f"cannot be made: {error.strerror}; choose another folder") from None
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):  # it holds a run
            path.rmdir()
            if root_is_new:
                root.rmdir()
