"""The data sets glassnet knows by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glassnet.data import medmnist, mnist_family, scikit_learn
from glassnet.data.dataset import Dataset
from glassnet.data.sources import Source
from glassnet.data.standardisation import already_standardised
from glassnet.data.user_data import UserData, from_frame, looks_like_a_path
from glassnet.errors import UsageError, unknown_name


@dataclass(frozen=True)
class Entry:
    """A data set that is known by name.

    Attributes
    ----------
    name, title, licence : str
        What it is called, what it is, and the terms of its use.
    task : str
        One of `glassnet.data.dataset.TASKS`.
    targets : int
        Classes, labels, or numbers of a regression.
    load : callable
        ``load(data_dir, validation, split_seed)``.
    source : Source or None
        Where its files come from; None: it comes with scikit-learn.
    published : dict
        Test figures by method, ``"auc"`` and ``"acc"``; empty where none are known.
    """

    name: str
    title: str
    licence: str
    task: str
    targets: int
    load: Callable[[str | Path | None, float | None, int], Dataset]
    source: Source | None = None
    published: dict[str, dict[str, float]] = field(default_factory=dict)


def _entries() -> list[Entry]:
    digits = Entry(
        "digits", "Digits: 8 x 8 pixels (Alpaydin and Kaynak 1998)", "CC BY 4.0", "multi-class", 10,
        scikit_learn.load_digits,
    )  # fmt: skip
    tables = [
        Entry(table.name, table.title, table.licence, table.task, table.targets, table.load)
        for table in scikit_learn.TABLES
    ]
    families = [
        Entry(s.name, s.title, s.licence, "multi-class", len(s.class_names), s.load, s.source)
        for s in mnist_family.FAMILIES
    ]
    medical = [
        Entry(s.name, s.title, s.licence, s.task, len(s.labels), s.load, s.source, s.published())
        for s in medmnist.list_sets()
    ]
    return [*families, digits, *tables, *medical]


DATASETS: dict[str, Entry] = {entry.name: entry for entry in _entries()}


def find(name: str) -> Entry:
    """Return the entry of a name, or raise `UsageError` naming the nearest."""
    if name not in DATASETS:
        raise unknown_name("dataset", name, DATASETS)
    return DATASETS[name]


def published(name: str) -> dict[str, dict[str, float]]:
    """Return the published test figures of a data set by method, or raise `UsageError` where none are known."""
    own = name not in DATASETS and looks_like_a_path(name)
    figures = {} if own else find(name).published
    if not figures:
        raise UsageError("compare", f"no published figures are known for {name}, only for MedMNIST's flat sets")
    return figures


def find_folders(data_dir: str | Path | None = None) -> dict[str, str | None]:
    """Return where each data set's files are without a download: a folder, or None.

    Raises
    ------
    FileError
        If the user's folder does not exist, or holds a part of a data set's files.
    """
    places: dict[str, str | None] = {}
    for name, entry in DATASETS.items():
        if entry.source is None:
            places[name] = "in scikit-learn"
        else:
            folder = entry.source.find_folder(data_dir)
            places[name] = None if folder is None else str(folder)
    return places


def load_dataset(
    name: Any,
    data_dir: str | Path | None = None,
    *,
    validation: float | str | None = None,
    split_seed: int = 0,
    target: str | None = None,
    impute: str | None = None,
    standardize: bool = False,
) -> Dataset:
    """Load a data set by name, or your own from a file or folder.

    Parameters
    ----------
    name : str, Path or table
        One of `DATASETS`; or a table of pandas, Polars or pyarrow; or the path of a table (CSV, TSV, Parquet), of
        an NPZ file with X and y, of an NPY file of rows, or of a folder that holds a folder of images for each
        class. Parquet and NPY may be larger than memory.
    data_dir : str or Path, optional
        Folder with data sets, in place of the one that the environment variable GLASSNET_DATA names. Where
        neither has the data, they come from the user cache, or are downloaded to it, with their checksum.
    validation : float, int or str, optional
        Share (below 1) or number of the training rows set aside for validation, every class in proportion;
        0: none. By default the validation rows that the data set comes with, or else a twelfth. ``"last(500)"``:
        the last 500 training rows; ``"test"``: the test rows are watched, only to repeat a published table that
        did so.
    split_seed : int, default 0
        Draws the validation rows; the test rows never change.
    target : str, optional
        The column of a table that is to be predicted; the NPY file with the labels of an NPY file's rows.
    impute : {"error", "median"}, optional
        What becomes of missing values in a table.
    standardize : bool, default False
        Bring each column to mean 0 and standard deviation 1 over the training rows, see
        `Dataset.standardise`. Tables are so without it.

    Raises
    ------
    UsageError
        If the name is unknown, or `standardize` asked for a table or for data larger than memory.
    FileError, DataError
        If files are damaged, contradict each other, or are nowhere to be found.

    Examples
    --------
    >>> data = load_dataset("digits")
    >>> data.train.X.shape, data.validation.X.shape, data.test.X.shape
    ((1318, 64), (120, 64), (359, 64))
    """
    if standardize and isinstance(name, str) and name in {table.name for table in scikit_learn.TABLES}:
        raise already_standardised(name)
    if isinstance(validation, str):
        data = _as_read(name, data_dir, 0, split_seed, target, impute).validated_by(validation)
    else:
        data = _as_read(name, data_dir, validation, split_seed, target, impute)
    return data.standardise() if standardize else data


def _as_read(
    name: Any,
    data_dir: str | Path | None,
    validation: float | None,
    split_seed: int,
    target: str | None,
    impute: str | None,
) -> Dataset:
    """Load a data set as it is; see `load_dataset`."""
    if not isinstance(name, str | Path):
        return from_frame(name, target, impute, validation, split_seed)
    name = str(name)
    if name in DATASETS or not looks_like_a_path(name):
        for option, value in (("target", target), ("impute", impute)):
            if value is not None:
                raise UsageError(option, "goes with a table of your own (CSV, TSV, Parquet)")
        return find(name).load(data_dir, validation, split_seed)
    return UserData(name, target, impute).load(validation, split_seed)
