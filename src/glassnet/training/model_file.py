"""Model files: a network's numbers and description.

The numbers are theta, and where a layer normalises, the statistics it predicts with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from glassnet.errors import FileError, UsageError
from glassnet.nn.network import Network
from glassnet.training.archive import read_archive, write_archive

#: The model's name in a run folder.
MODEL_FILE = "model.safetensors"


def save_model(network: Network, path: str | Path) -> None:
    """Write a network to a file, whole or not at all.

    Parameters
    ----------
    network : Network
        Its parameters and its description are saved.
    path : str or Path
        The file. A file that is there is replaced.

    Raises
    ------
    FileError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(Network([4, 3, 2]), f"{folder}/small.safetensors")
    ...     load_model(f"{folder}/small.safetensors").layers
    (4, 3, 2)
    """
    arrays = {"theta": network.theta}
    if any(network.batch_norm):
        arrays["statistics"] = network.parameters.statistics
    write_archive(Path(path), "model file", {"config": network.get_config(), **arrays})


def load_model(path: str | Path) -> Network:
    """Read a network from a file that `save_model` wrote; nothing in it is executed.

    Parameters
    ----------
    path : str or Path
        The file, or a run folder that holds a ``model.safetensors``.

    Returns
    -------
    Network
        With the parameters that were saved, bit for bit.

    Raises
    ------
    FileError
        If it is missing, damaged, or no glassnet model.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(Network([4, 3, 2], seed=7), f"{folder}/model.safetensors")
    ...     load_model(folder)
    Network([4, 3, 2], activation='relu', loss='cross_entropy(reduction=mean)', seed=7)
    """
    path = Path(path)
    if path.is_dir():
        path = path / MODEL_FILE
    return restore_network(path, read_archive(path, "model file", "give a run folder or a model file"))


def restore_network(path: Path, saved: dict[str, Any]) -> Network:
    """Return a saved network: its ``config``, ``theta``, and ``statistics`` where a layer normalises.

    Raises `FileError`, which names the path, if they do not make a network.
    """
    try:
        theta, config = saved["theta"], saved["config"]
        if not isinstance(theta, np.ndarray):
            raise TypeError("theta is no array")
        network = Network(**{**config, "initializer": theta})
        if any(network.batch_norm):
            network.parameters.statistics[:] = saved["statistics"]
        network.initializer = str(config.get("initializer"))
    except (UsageError, TypeError, KeyError, ValueError) as error:
        raise FileError(path, f"describes no network: {error}") from None
    if network.theta.dtype != theta.dtype:
        raise FileError(path, f"theta is {theta.dtype}, but the description says {network.theta.dtype}")
    return network
