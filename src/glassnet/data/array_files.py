"""Rows without labels, for prediction: IDX and NPY files."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from glassnet.data.idx import read_idx
from glassnet.errors import FileError
from glassnet.nn.activations import Array

NPY_MAGIC = b"\x93NUMPY"


def read_rows(path: str | Path) -> Array:
    """Read an array of rows, in the format that the file's first bytes tell.

    Parameters
    ----------
    path : str or Path
        NPY, or IDX gzipped or raw.

    Returns
    -------
    ndarray
        Of the file's shape and type; an NPY file is mapped, not copied.

    Raises
    ------
    FileError
        If the file is missing, damaged or of another format. Nothing is ever unpickled.
    """
    path = Path(path)
    if path.is_file():
        try:
            with path.open("rb") as file:
                is_npy = file.read(len(NPY_MAGIC)) == NPY_MAGIC
        except OSError as error:
            raise FileError(path, f"cannot be read: {error.strerror}") from None
        if is_npy:
            return _read_npy(path)
    return read_idx(path)


def _read_npy(path: Path) -> Array:
    """Map an NPY file: a header that promises more than the file holds is refused before memory is taken."""
    try:
        with np.errstate(over="ignore"), warnings.catch_warnings(action="ignore"):
            rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy's reader of headers lets nearly any exception through
        problem = " ".join(str(error).split())
        raise FileError(path, f"is damaged or holds no plain numbers: {problem}") from None
    return np.asarray(rows)
