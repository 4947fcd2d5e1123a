"""Data that are larger than memory: gone through in blocks, and kept as numbers in files that are mapped.

The rows of each split lie in a file of their own in the system's folder for temporary files, and are gone with the
data set. What a network reads of them is a few blocks at a time (`glassnet.training.sampling`).
"""

from __future__ import annotations

import math
import mmap
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.dataset import Dataset
from glassnet.data.dense import find_unusable
from glassnet.data.read_options import ReadOptions
from glassnet.data.scaling import ScalingName
from glassnet.data.schema import Schema
from glassnet.data.splits import TEST, Draw, count_validation_rows, describe_split
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import FileError
from glassnet.nn.activations import Array
from glassnet.runtime.memory import describe_bytes
from glassnet.runtime.seeds import stream

if TYPE_CHECKING:
    import polars as pl

#: A table with more cells is large.
LARGE = 40_000_000

#: Rows that are read at a time, and numbers that a table's rows become at a time; of wide rows, fewer are read.
BLOCK, NUMBERS = 1 << 18, 1 << 25

#: Training rows, drawn at random, that scaling, pieces and categories are learned from.
SAMPLE = 500_000

TRAINING, HELD_OUT, TESTING = range(3)


def make_large_table(
    lazy: pl.LazyFrame,
    rows: int,
    target: str,
    options: ReadOptions,
    draw: Draw,
    scaling: ScalingName = "standard",
    pieces: int = 0,
) -> Dataset:
    """Make a data set of a table of so many rows without ever holding all of it.

    The splits hold the rows as a network takes them. They are drawn at random, and not class by class: of so many
    rows every class has its share. `FileError` is raised if there is no room for the numbers.
    """
    import polars as pl

    from glassnet.data.columns import TableSchema
    from glassnet.data.table_target import learn_target

    labels, wanted, said = learn_target(lazy.select(target).collect()[target], options)
    membership, size = _assign_splits(rows, draw.validation, draw.split_seed)
    # Scaling, pieces and categories are learned from a sample of the training rows.
    training = membership == TRAINING
    share = min(1.0, SAMPLE / int(np.count_nonzero(training)))
    rng = np.random.default_rng(0)
    features = lazy.drop(target)
    drawn = [
        frame.filter(pl.Series(training[part] & (rng.random(frame.height) < share)))
        for part, frame in _read_blocks(features, rows)
    ]
    learned, more = TableSchema.learn(pl.concat(drawn), options)
    learned = replace(learned.cut(pl.concat(drawn), pieces) if pieces else learned, scaling=scaling)
    del drawn
    if labels.task == "regression" and scaling != "none":
        labels, _ = TargetSchema.learn(wanted, task=labels.task, names=[target], scale_by=wanted[training])
    y = labels.encode(wanted)
    y = y.astype(np.float32) if y.dtype.kind == "f" else y
    del wanted
    remarks: dict[str, None] = dict.fromkeys((*said, *more))

    def numbers() -> Iterator[tuple[slice, Array]]:
        for part, frame in _read_blocks(features, rows, learned.width):
            X, said = learned.encode(frame)
            remarks.update(dict.fromkeys(said))
            yield part, X

    arrays = _write_splits(numbers(), membership, (learned.width,), np.dtype(np.float32))
    schema = Schema(learned, labels)
    train, held_out, test = (
        describe_split(X, y[membership == part], schema, is_encoded=True) for part, X in enumerate(arrays)
    )
    data = Dataset(draw.name, train, held_out, test, schema, remarks=tuple(remarks))
    return replace(data, validation_size=size, split_seed=draw.split_seed)


def make_large_arrays(X: Array, y: Array, schema: Schema, draw: Draw) -> Dataset:
    """Make a data set of mapped rows X of shape (n, ...) and their labels or numbers y, without ever holding X.

    The splits are drawn as by `make_large_table`. They hold the rows as a network takes them, if these are others.
    """
    membership, size = _assign_splits(len(X), draw.validation, draw.split_seed)
    parts = [slice(first, min(first + BLOCK, len(X))) for first in range(0, len(X), BLOCK)]
    divided = isinstance(schema.input, ArraySchema) and schema.input.white != 1
    y = schema.target.encode(y) if divided else y
    unusable: list[str] = []

    def read_blocks() -> Iterator[tuple[slice, Array]]:
        for part in parts:
            block = np.asarray(X[part])
            unusable.append(find_unusable(block, first_row=part.start))
            yield part, schema.encode_rows(block) if divided else block

    blocks = read_blocks()
    arrays = _write_splits(blocks, membership, X.shape[1:], np.dtype(np.float32) if divided else X.dtype)
    train, held_out, test = (
        describe_split(rows, y[membership == part], schema, is_encoded=divided) for part, rows in enumerate(arrays)
    )
    said = next(filter(None, unusable), "")
    return Dataset(draw.name, train, held_out, test, schema, {}, size, draw.split_seed, unusable=said)


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


def _read_blocks(lazy: pl.LazyFrame, rows: int, width: int = 1) -> Iterator[tuple[slice, pl.DataFrame]]:
    """Give a table's rows in blocks, of fewer rows where they become very many numbers each."""
    block = max(1, min(BLOCK, NUMBERS // width))
    for first in range(0, rows, block):
        part = slice(first, min(first + block, rows))
        yield part, lazy.slice(first, part.stop - first).collect()


def _refuse_full(folder: Path, needed: int) -> None:
    """Raise `OSError` for what the disk has no room for: writing to a mapped file would end the process then."""
    if needed > (free := shutil.disk_usage(folder).free):
        sizes = f"{describe_bytes(needed)} are needed, and {describe_bytes(free)} are free"
        raise OSError(f"{sizes}; set TMPDIR to a folder with more")


def _write_splits(
    blocks: Iterator[tuple[slice, Array]], membership: Array, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> list[Array]:
    """Write the rows of each split into a file of its own, and map the files."""
    folder = Path(tempfile.mkdtemp(prefix="glassnet-rows-"))
    try:
        _refuse_full(folder, len(membership) * math.prod(shape) * dtype.itemsize)
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
