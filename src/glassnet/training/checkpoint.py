"""Checkpoints: all that a run needs to go on as if it had never stopped, in one file.

Arrays and plain values with a checksum over both. The file is replaced whole or not at
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
from glassnet.training.archive import opened_archive, write_archive

#: Says which reader a file needs.
FORMAT = 1


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
        entry = {"format": FORMAT, "values": self.values, "sha256": _checksum(self.values, self.arrays)}
        write_archive(path, self.arrays, entry)

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read what `save` wrote; nothing in it is executed.

        Raises
        ------
        FileError
            If it is missing, damaged, or no checkpoint.
        """
        with opened_archive(path, "checkpoint", "only a run that was begun can be resumed") as (entry, file):
            if entry["format"] != FORMAT or "values" not in entry:
                raise FileError(path, f"is no checkpoint of format {FORMAT}")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
            if entry["sha256"] != _checksum(entry["values"], arrays):
                raise FileError(path, "is damaged: its checksum is wrong; copy it again")
        return cls(arrays, entry["values"])


def _checksum(values: dict[str, Any], arrays: dict[str, Array]) -> str:
    digest = hashlib.sha256(json.dumps(values).encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()
