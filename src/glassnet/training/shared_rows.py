"""The training rows that a process keeps in memory, where several train one network together."""

from __future__ import annotations

import contextlib
import mmap
from dataclasses import replace
from typing import Any

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.data.splits import describe_split, is_mapped
from glassnet.nn.activations import Array
from glassnet.training.components import Components
from glassnet.training.config import RunConfig
from glassnet.training.data_parallel import Group
from glassnet.training.health.columns import MEASURED
from glassnet.training.health.monitor import MEASURED_ROWS
from glassnet.training.sampling import Sampler, evenly_spread


def keep_share(data: Dataset, group: Group, config: RunConfig) -> Dataset:
    """Return a data set whose training rows take the memory of this process's share alone.

    The few rows that the network is examined with are kept by all. The array keeps its shape, so that rows keep
    their numbers, and holds zeros elsewhere: memory that nobody writes to is not taken. Rows in a file that is
    larger than memory stay there.
    """
    X, y = data.encoded.train
    if is_mapped(X):
        return data
    drawn = Sampler.of_run(config.training, Components.build(config.training).optimizer, data).n
    kept = _reserve(X.shape, X.dtype)
    own = group.share(len(X))
    kept[own] = X[own]
    for n, most in ((drawn, MEASURED_ROWS), (len(X), MEASURED)):
        rows = evenly_spread(n, most)
        kept[rows] = X[rows]
    return replace(data, train=describe_split(kept, y, data.schema, is_encoded=True))


def _reserve(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return zeros of which each page of 4 KiB takes memory only once it is written to.

    The arrays of NumPy ask the system for pages of 2 MiB, a row in each of which would take all of the memory.
    """
    size = int(np.prod(shape)) * dtype.itemsize
    private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_ANONYMOUS") else {}
    room = mmap.mmap(-1, max(1, size), **private)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        with contextlib.suppress(OSError):  # a system without such pages
            room.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(room, dtype, int(np.prod(shape))).reshape(shape)
