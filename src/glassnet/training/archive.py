"""Arrays and plain values, with a checksum over both, in one file of the safetensors format.

Such a file holds data and no code. It is replaced whole or not at all, so that a reader always finds a whole one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import InstanceOf

from glassnet.errors import FileError
from glassnet.nn.activations import Array
from glassnet.runtime.files import write_bytes
from glassnet.runtime.records import check_plain, check_regular

#: The entry of a file's metadata that is ours. One only: safetensors writes several in any order, and equal
#: contents shall make equal files.
ENTRY = "glassnet"

#: Says which reader a file needs; raised when an older glassnet could not read a newer file.
FORMAT = 5


#: Bits of a whole number in a file at most, be it a class or a generator's state: there the floats end.
WIDEST = 1000

#: In a file, stands where an array was: a dict with this key and the array's name.
MARK = "ndarray"


#: An array, as a part of the values in a file.
Numbers = Annotated[Array, InstanceOf()]


def write_archive(path: Path, kind: str, values: Any) -> None:
    """Write a dict of what JSON can say, and of arrays, at any depth, to a file, whole or not at all.

    `kind` says what the file is: ``"checkpoint"`` or ``"model file"``. Raises `FileError` if the file cannot be
    written; what stood there before still does.
    """
    from safetensors.numpy import save

    arrays: dict[str, Array] = {}
    plain = _take_arrays(values, "", arrays)
    entry = {"kind": kind, "format": FORMAT, "values": plain, "sha256": _checksum(plain, arrays)}
    write_bytes(path, save(arrays, {ENTRY: json.dumps(entry)}))


def read_archive(path: Path, kind: str, instead: str) -> dict[str, Any]:
    """Read the values of a file that `write_archive` wrote; nothing in it is executed.

    `kind` is what the file has to be, `instead` what to do where there is no file. Raises `FileError` if the file
    is missing, damaged, or of another kind or format.
    """
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        raise FileError(path, f"does not exist; {instead}")
    try:
        check_regular(path)
        path.open("rb").close()  # safetensors calls every file that may not be read a missing one
        with safe_open(path, framework="numpy") as file:
            entry = json.loads((file.metadata() or {}).get(ENTRY, '{"format": "none"}'))
            found = entry.get("kind", "file"), entry["format"]
            if found != (kind, FORMAT):
                is_what = f"is no {kind} of format {FORMAT}, but a {found[0]} of format {found[1]}"
                other = found[1] not in (FORMAT, "none")
                raise FileError(path, is_what + ("; another version made it: train again" if other else ""))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
        check_plain(entry["values"], bits=WIDEST)
        if entry["sha256"] != _checksum(entry["values"], arrays):
            raise FileError(path, "is damaged: its checksum is wrong; copy it again")
        return dict(_put_arrays(entry["values"], arrays).items())
    except FileError:
        raise
    except (SafetensorError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise FileError(path, f"is damaged or no {kind}: {error}") from None
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or error}") from None


def check_like(values: Any, like: Array, name: str, *, finite: bool = False) -> None:
    """Raise ValueError for what is no array of another one's dtype and shape, or not finite where it has to be."""
    found = (values.dtype, values.shape) if isinstance(values, np.ndarray) else type(values).__name__
    if found != (like.dtype, like.shape):
        got = found if isinstance(found, str) else f"{found[0]} of the shape {found[1]}"
        raise ValueError(f"{name}: expected {like.dtype} of the shape {like.shape}, got {got}")
    if finite and not np.isfinite(values).all():
        raise ValueError(f"{name}: expected finite numbers")


def _take_arrays(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """Move the arrays of a value into `arrays`, by dotted names, and return what is left."""
    if isinstance(value, np.ndarray):
        arrays[name] = np.ascontiguousarray(value)  # safetensors corrupts others
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


def _checksum(values: Any, arrays: Mapping[str, Array]) -> str:
    """Return the SHA-256 of values and arrays: of names, dtypes, shapes and every byte."""
    digest = hashlib.sha256(json.dumps(values).encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(arrays[name].data)
    return digest.hexdigest()
