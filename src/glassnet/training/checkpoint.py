"""Checkpoints: all that a run needs to go on as if it had never stopped, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from glassnet.errors import FileError
from glassnet.nn.activations import Array
from glassnet.training.archive import read_archive, write_archive

#: In a file, stands where an array was: a dict with this key and the array's name.
MARK = "ndarray"


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Write a state to a file, whole or not at all.

    Parameters
    ----------
    state : dict
        Plain values, arrays, and lists and dicts of them, as `TrainState.state_dict` returns them.
    path : Path
        The file.

    Raises
    ------
    FileError
        If it cannot be written; what stood there before still does.
    """
    arrays: dict[str, Array] = {}
    values = _take_arrays(state, "", arrays)
    write_archive(path, "checkpoint", values, arrays)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read the state that `save_checkpoint` wrote; nothing in the file is executed.

    Raises
    ------
    FileError
        If it is missing, damaged, or no checkpoint.
    """
    values, arrays = read_archive(path, "checkpoint", "only a run that was begun can be resumed")
    try:
        return dict(_put_arrays(values, arrays).items())
    except (AttributeError, KeyError, TypeError) as error:
        raise FileError(path, f"is damaged or no checkpoint: {error}") from None


def _take_arrays(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """Move the arrays of a value into `arrays`, by dotted names, and return what is left."""
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {MARK: name}
    if isinstance(value, dict):
        return {key: _take_arrays(part, f"{name}.{key}".lstrip("."), arrays) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_take_arrays(part, f"{name}.{place}", arrays) for place, part in enumerate(value)]
    return value


def _put_arrays(value: Any, arrays: dict[str, Array]) -> Any:
    """Return a value with its arrays in their places again."""
    if isinstance(value, dict):
        if value.keys() == {MARK}:
            return arrays[value[MARK]]
        return {key: _put_arrays(part, arrays) for key, part in value.items()}
    return [_put_arrays(part, arrays) for part in value] if isinstance(value, list) else value
