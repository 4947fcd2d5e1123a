"""A run folder: config.toml, history.csv and model.safetensors, each of them always whole."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from glassnet.nn.network import Network
from glassnet.runtime.files import make_folder, write_bytes
from glassnet.training.config import RunConfig
from glassnet.training.history import History
from glassnet.training.model_file import save_model


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run.

    Parameters
    ----------
    path : Path
        It must not hold anything yet; it is made by `create`.
    """

    path: Path

    @classmethod
    def create(cls, path: Path, config: RunConfig, network: Network) -> RunFolder:
        """Make the folder and save the untrained network, so that a full disk is met before the work."""
        make_folder(path, new=True)
        folder = cls(path)
        write_bytes(path / "config.toml", config.to_toml().encode())
        folder.save(network, History())
        return folder

    def save(self, network: Network, history: History) -> None:
        """Replace model and history by the present ones."""
        save_model(network, self.path / "model.safetensors")
        write_bytes(self.path / "history.csv", history.to_csv().encode())


def default_folder(dataset: str, layers: list[int], root: str | Path = "runs") -> Path:
    """Return a folder that does not exist yet: ``runs/DATE_TIME_DATASET_LAYERS``, numbered where that is taken."""
    name = f"{time.strftime('%Y-%m-%d_%H%M%S')}_{dataset}_{'-'.join(map(str, layers))}"
    path, number = Path(root) / name, 1
    while path.exists():
        number += 1
        path = Path(root) / f"{name}_{number}"
    return path
