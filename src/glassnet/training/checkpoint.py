"""Checkpoints: all that a run needs to go on as if it had never stopped, in one file.

Arrays and plain values, in the safetensors format, with a checksum over both. The file is replaced whole or not at
all, so whenever a process dies there is one that can be read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.errors import FileError
from glassnet.nn.activations import Array
from glassnet.runtime.files import write_bytes

#: The entry of the file's metadata, and which reader the file needs.
ENTRY, FORMAT = "glassnet", 1


@dataclass
class Checkpoint:
    """What a run was doing.

    Attributes
    ----------
    arrays : dict of str to ndarray
        Parameters, the optimizer's memory, what is kept of earlier epochs.
    values : dict
        Counts, states of random generators, the history: what JSON can say.
    """

    arrays: dict[str, Array]
    values: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises
        ------
        FileError
            If it cannot be written; what stood there before still does.
        """
        from safetensors.numpy import save

        arrays = {name: np.ascontiguousarray(array) for name, array in self.arrays.items()}
        entry = {"format": FORMAT, "values": self.values, "sha256": _checksum(self.values, arrays)}
        write_bytes(path, save(arrays, {ENTRY: json.dumps(entry)}))

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read what `save` wrote; nothing in it is executed.

        Raises
        ------
        FileError
            If it is missing, damaged, or no checkpoint.
        """
        from safetensors import SafetensorError, safe_open

        if not path.exists():
            raise FileError(path, "does not exist; only a run that was begun can be resumed")
        if not path.is_file():
            raise FileError(path, "is not a regular file")
        try:
            with safe_open(path, framework="numpy") as file:
                entry = json.loads((file.metadata() or {}).get(ENTRY, '{"format": "none"}'))
                if entry["format"] != FORMAT or "values" not in entry:
                    raise FileError(path, f"is no checkpoint of format {FORMAT}")
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
            if entry["sha256"] != _checksum(entry["values"], arrays):
                raise FileError(path, "is damaged: its checksum is wrong; copy it again")
            return cls(arrays, entry["values"])
        except FileError:
            raise
        except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise FileError(path, f"is damaged or no checkpoint: {error}") from None
        except OSError as error:
            raise FileError(path, f"cannot be read: {error.strerror or error}") from None


def _checksum(values: dict[str, Any], arrays: dict[str, Array]) -> str:
    digest = hashlib.sha256(json.dumps(values).encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(arrays[name].data)
    return digest.hexdigest()
