"""Arrays and one entry of plain values in a file of the safetensors format, which holds data and no code."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.errors import FileError
from glassnet.nn.activations import Array
from glassnet.runtime.files import write_bytes

#: The entry of a file's metadata that is ours. One only: safetensors writes several in any order, and equal
#: contents shall make equal files.
ENTRY = "glassnet"


def write_archive(path: Path, arrays: Mapping[str, Array], entry: dict[str, Any]) -> None:
    """Write a file, whole or not at all.

    Raises
    ------
    FileError
        If it cannot be written; what stood there before still does.
    """
    from safetensors.numpy import save

    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}  # it corrupts others
    write_bytes(path, save(whole, {ENTRY: json.dumps(entry)}))


@contextlib.contextmanager
def opened_archive(path: Path, what: str, instead: str) -> Iterator[tuple[dict[str, Any], Any]]:
    """Open a file that `write_archive` wrote: its entry, and what gives its arrays by ``get_tensor``.

    Parameters
    ----------
    path : Path
        The file.
    what : str
        What it should be, for the errors: ``"checkpoint"``.
    instead : str
        What to do where there is none.

    Raises
    ------
    FileError
        If it is missing or damaged, also where the context finds that a key is missing or a value does not fit.
    """
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        raise FileError(path, f"does not exist; {instead}")
    if not path.is_file():
        raise FileError(path, "is not a regular file")
    try:
        with safe_open(path, framework="numpy") as file:
            yield json.loads((file.metadata() or {}).get(ENTRY, '{"format": "none"}')), file
    except FileError:
        raise
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise FileError(path, f"is damaged or no {what}: {error}") from None
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or error}") from None
