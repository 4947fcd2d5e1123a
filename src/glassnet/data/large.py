"""Data that are larger than memory: gone through in blocks, and kept as numbers in files that are mapped.

The rows of each split lie in a file of their own in the system's folder for temporary files, and are gone with the
data set. What a network reads of them is a few blocks at a time (`glassnet.training.sampling`).
"""

from __future__ import annotations

import mmap
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from glassnet.data.columns import TableEncoder
from glassnet.data.dataset import TEST, Dataset, Split, count_validation_rows
from glassnet.errors import FileError
from glassnet.nn.activations import Array
from glassnet.runtime.seeds import stream

if TYPE_CHECKING:
    import polars as pl

#: A table with more cells is large.
LARGE = 40_000_000

#: Rows that are read at a time.
BLOCK = 1 << 18

#: Training rows, drawn at random, that scaling and categories are learned from.
SAMPLE = 500_000

TRAINING, HELD_OUT, TESTING = range(3)


def join_table_splits(
    name: str, splits: Iterable[Split], encoder: TableEncoder, remarks: Iterable[str], size: int, split_seed: int
) -> Dataset:
    """Make a data set of a table's encoded splits, `size` rows of which were drawn for validation."""
    assert encoder.target is not None
    train, held_out, test = splits
    names = encoder.class_names
    data = Dataset(name, train, held_out, test, names, validation_size=size, split_seed=split_seed)
    return replace(data, task=encoder.target.kind, encoder=encoder, remarks=tuple(remarks))


def make_large_table(
    lazy: pl.LazyFrame,
    rows: int,
    target: str,
    impute: str | None,
    validation: float | None,
    split_seed: int,
    name: str,
) -> Dataset:
    """Make a data set of a table of so many rows without ever holding all of it.

    The splits are drawn at random, and not class by class: of so many rows every class has its share. `FileError`
    is raised if there is no room for the numbers. The other arguments are those of
    `glassnet.data.user_data.make_table_dataset`.
    """
    import polars as pl

    wanted = lazy.select(target).collect()[target]
    membership, size = _assign_splits(rows, validation, split_seed)
    # Scaling and categories are learned from a sample of the training rows.
    training = membership == TRAINING
    share = min(1.0, SAMPLE / int(np.count_nonzero(training)))
    rng = np.random.default_rng(0)
    drawn = [
        frame.filter(pl.Series(training[part] & (rng.random(frame.height) < share)))
        for part, frame in _read_blocks(lazy, rows)
    ]
    way = cast(Literal["error", "median"], impute or "error")
    learned = TableEncoder.fit(pl.concat(drawn), target, way, labels=wanted)
    y = learned.encode_target(wanted)
    y = y.astype(np.float32) if y.dtype.kind == "f" else y
    del wanted
    remarks: dict[str, None] = dict.fromkeys(learned.remarks)

    def numbers() -> Iterator[tuple[slice, Array]]:
        for part, frame in _read_blocks(lazy, rows):
            X, said = learned.transform(frame)
            remarks.update(dict.fromkeys(said))
            yield part, X

    arrays = _write_splits(numbers(), membership, (len(learned.feature_names),), np.dtype(np.float32))
    splits = [Split(X, y[membership == part]) for part, X in enumerate(arrays)]
    return join_table_splits(name, splits, learned, remarks, size, split_seed)


def make_large_arrays(X: Array, y: Array, validation: float | None, split_seed: int, name: str) -> Dataset:
    """Make a data set of mapped rows X of shape (n, ...) and their labels or numbers y, without ever holding X.

    The splits are drawn as by `make_large_table`.
    """
    described = Dataset.from_arrays(np.zeros((len(y), 1), bool), y, name=name, validation=0)
    membership, size = _assign_splits(len(X), validation, split_seed)
    parts = (slice(first, min(first + BLOCK, len(X))) for first in range(0, len(X), BLOCK))
    arrays = _write_splits(((part, np.asarray(X[part])) for part in parts), membership, X.shape[1:], X.dtype)
    train, held_out, test = (Split(rows, y[membership == part]) for part, rows in enumerate(arrays))
    return replace(
        described, train=train, validation=held_out, test=test, validation_size=size, split_seed=split_seed
    )


def release(X: Array) -> None:
    """Give back the memory that mapped rows have taken; they are read again when they are needed."""
    mapping = getattr(X, "_mmap", None)
    if mapping is not None and hasattr(mapping, "madvise"):
        mapping.madvise(mmap.MADV_DONTNEED)


def _assign_splits(rows: int, validation: float | None, split_seed: int) -> tuple[Array, int]:
    """Return for each row its split; the test rows do not depend on the seed."""
    membership = np.zeros(rows, np.uint8)
    membership[: round(TEST * rows)] = TESTING
    np.random.default_rng(0).shuffle(membership)
    training = np.flatnonzero(membership == TRAINING)
    size = count_validation_rows(validation, len(training))
    held_out = np.zeros(len(training), bool)
    held_out[:size] = True
    stream(split_seed, "split").shuffle(held_out)
    membership[training[held_out]] = HELD_OUT
    return membership, size


def _read_blocks(lazy: pl.LazyFrame, rows: int) -> Iterator[tuple[slice, pl.DataFrame]]:
    for first in range(0, rows, BLOCK):
        part = slice(first, min(first + BLOCK, rows))
        yield part, lazy.slice(first, part.stop - first).collect()


def _write_splits(
    blocks: Iterator[tuple[slice, Array]], membership: Array, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> list[Array]:
    """Write the rows of each split into a file of its own, and map the files."""
    folder = Path(tempfile.mkdtemp(prefix="glassnet-rows-"))
    try:
        files = [
            np.lib.format.open_memmap(
                folder / f"{part}.npy", "w+", dtype, (int(np.count_nonzero(membership == part)), *shape)
            )
            for part in range(3)
        ]
        done = [0, 0, 0]
        for part, X in blocks:
            for split, file in enumerate(files):
                own = X[membership[part] == split]
                file[done[split] : done[split] + len(own)] = own
                done[split] += len(own)
                file.flush()
                release(file)
        arrays = [np.load(folder / f"{part}.npy", mmap_mode="r") for part in range(3)]
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise FileError(folder, f"no room for the table's numbers: {error.strerror or error}") from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(arrays[0], shutil.rmtree, folder, ignore_errors=True)
    return arrays
