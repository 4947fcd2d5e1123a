"""Model files: a network's numbers and description, and the schema of its rows and answers.

The numbers are theta, and where a layer normalises, the statistics it predicts with.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.schema import Schema
from glassnet.errors import DataError, FileError, UsageError
from glassnet.nn.network import Network
from glassnet.training.archive import check_like, read_archive, write_archive
from glassnet.training.model import Model

#: The model's name in a run folder.
MODEL_FILE = "model.safetensors"


def save_model(model: Model | Network, path: str | Path) -> None:
    """Write a model to a file, whole or not at all.

    Parameters
    ----------
    model : Model or Network
        The network's parameters and description are saved, and the model's schema with them. A bare network has
        none.
    path : str or Path
        The file. A file that is there is replaced.

    Raises
    ------
    FileError
        If the file cannot be written.
    UsageError
        If it is neither a model nor a network.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(Network([4, 3, 2]), f"{folder}/small.safetensors")
    ...     load_model(f"{folder}/small.safetensors").network.layers
    (4, 3, 2)
    """
    if isinstance(model, Network):
        model = Model(model)
    elif not isinstance(model, Model):
        raise _name_kind("model", "a Model or a Network", model)
    if not isinstance(path, str | Path):
        raise _name_kind("path", "the path of a file", path)
    network, arrays = model.network, {"theta": model.network.theta}
    if any(network.batch_norm):
        arrays["statistics"] = network.parameters.statistics
    schema = None if model.schema is None else model.schema.to_dict()
    write_archive(Path(path), "model file", {"config": network.get_config(), **arrays, "schema": schema})


def load_model(path: str | Path) -> Model:
    """Read a model from a file that `save_model` wrote; nothing in it is executed.

    Parameters
    ----------
    path : str or Path
        The file, or a run folder that holds a ``model.safetensors``.

    Returns
    -------
    Model
        With the parameters that were saved, bit for bit, and the schema of rows and answers.

    Raises
    ------
    FileError
        If it is missing, damaged, or no glassnet model.
    UsageError
        If it is no path.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(Network([4, 3, 2], seed=7), f"{folder}/model.safetensors")
    ...     load_model(folder)
    Model([4, 3, 2])
    """
    if not isinstance(path, str | Path):
        raise _name_kind("path", "the path of a run folder or model file", path)
    path = Path(path)
    if path.is_dir():
        path = path / MODEL_FILE
    saved = read_archive(path, "model file", "give a run folder or a model file")
    try:
        schema = None if saved.get("schema") is None else Schema.from_dict(saved["schema"])
    except DataError as error:
        raise FileError(path, f"describes no rows or answers: {error}") from None
    network = restore_network(path, saved)
    network.scaled_inputs = schema is not None and schema.input.is_scaled
    return Model(network, schema)


def restore_network(path: Path, saved: Mapping[str, Any]) -> Network:
    """Return a saved network: its ``config``, ``theta``, and ``statistics`` where a layer normalises.

    Raises `FileError`, which names the path, if they do not make a network.
    """
    try:
        theta, config = saved["theta"], saved["config"]
        if not isinstance(theta, np.ndarray):
            raise TypeError("theta is no array")
        network = Network(**{**config, "initializer": theta, "bias_initializer": "zeros"})
        check_like(theta, network.theta, "theta")
        if any(network.batch_norm):
            check_like(saved["statistics"], network.parameters.statistics, "statistics", finite=True)
            network.parameters.statistics[:] = saved["statistics"]
        # drawn they are no more, so that it does not matter whether this process knows them
        network.initializer, network.bias_initializer = str(config["initializer"]), str(config["bias_initializer"])
    except (UsageError, TypeError, KeyError, ValueError, OverflowError, MemoryError) as error:
        raise FileError(path, f"describes no network: {error}") from None
    return network


def _name_kind(argument: str, expected: str, given: Any) -> UsageError:
    """Build the error for an argument of another kind, with the call that may be meant."""
    hint = "; a run has its model as run.model" if hasattr(given, "model") else ""
    if argument == "model" and isinstance(given, str | Path):
        hint = "; the model comes first: save_model(model, path)"
    return UsageError(argument, f"expected {expected}, got {type(given).__name__}{hint}")
