"""Model files: a network's numbers and description.

The numbers are theta, and where a layer normalises, the statistics it predicts with.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from glassnet.errors import FileError, UsageError
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.training.archive import opened_archive, write_archive

#: The model's name in a run folder.
MODEL_FILE = "model.safetensors"

#: Says which reader a file needs; raised when an older glassnet could not read a newer file.
FORMAT = 1


def save_model(network: Network, path: str | Path) -> None:
    """Write a network to a file, whole or not at all.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    arrays, description = {"theta": network.theta}, network.get_config()
    if any(network.batch_norm):
        arrays["statistics"] = network.parameters.statistics
    entry = {"format": FORMAT, "network": description, "sha256": _checksum(description, arrays)}
    write_archive(Path(path), arrays, entry)


def _checksum(description: dict[str, Any], arrays: dict[str, Array]) -> str:
    digest = hashlib.sha256(json.dumps(description).encode())
    for name in sorted(arrays, reverse=True):
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def load_model(path: str | Path) -> Network:
    """Read a network from a file that `save_model` wrote; nothing in it is executed.

    Parameters
    ----------
    path : str or Path
        The file, or a run folder that holds a ``model.safetensors``.

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
    with opened_archive(path, "model file", "give a run folder or a model file") as (entry, file):
        if entry["format"] != FORMAT:
            raise FileError(path, f"is no glassnet model of format {FORMAT}, but of {entry['format']}")
        arrays = {name: file.get_tensor(name) for name in {*file.keys(), "theta"}}
        if entry["sha256"] != _checksum(entry["network"], arrays):
            raise FileError(path, "is damaged: its checksum is wrong; copy it again")
    return network_from(path, entry["network"], arrays)


def network_from(path: Path, description: dict[str, Any], arrays: dict[str, Array]) -> Network:
    """Return the network that a file describes, with the file's theta, and statistics where a layer normalises.

    Raises
    ------
    FileError
        If they do not make a network; the message names the path.
    """
    try:
        theta = arrays["theta"]
        network = Network(**{**description, "initializer": theta})
        if any(network.batch_norm):
            network.parameters.statistics[:] = arrays["statistics"]
        network.initializer = str(description.get("initializer"))
    except (UsageError, TypeError, KeyError, ValueError) as error:
        raise FileError(path, f"describes no network: {error}") from None
    if network.theta.dtype != theta.dtype:
        raise FileError(path, f"theta is {theta.dtype}, but the description says {network.theta.dtype}")
    return network
