"""One array in one file, such as rows to predict for: the formats NPY and IDX."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from glassnet.data.idx import read_idx
from glassnet.data.untrusted_files import open_regular_file, shorten
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
    with open_regular_file(path) as (file, _):
        is_npy = file.read(len(NPY_MAGIC)) == NPY_MAGIC
    if not is_npy:
        return read_idx(path)
    try:  # NumPy refuses a header that promises more than the file holds before memory is taken
        with np.errstate(over="ignore"), warnings.catch_warnings(action="ignore"):
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except Exception as error:  # NumPy's reader of headers lets nearly any exception through
        raise FileError(path, f"is damaged or holds no plain numbers: {shorten(error, 400)}") from None
