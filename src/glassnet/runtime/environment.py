"""What a result depends on beside its configuration: versions, BLAS, machine."""

from __future__ import annotations

import functools
import os
import platform
from importlib import metadata

import numpy as np


def environment() -> dict[str, str]:
    """Return versions of glassnet, Python and NumPy, the BLAS in use, and the machine, as plain strings."""
    return dict(_read_environment())


@functools.cache
def _read_environment() -> dict[str, str]:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "glassnet": metadata.version("glassnet"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas['name']} {blas['version']}",
        "platform": platform.platform(),
        "cpus": str(os.cpu_count()),
    }
