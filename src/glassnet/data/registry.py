"""The data sets glassnet knows by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from glassnet.data.dataset import Dataset
from glassnet.data.medmnist import MedMNIST, list_sets
from glassnet.data.mnist_family import FAMILIES, Family
from glassnet.data.pieces import check_most
from glassnet.data.read_options import ReadingOptions, read_options
from glassnet.data.scaling import ScalingName
from glassnet.data.scikit_learn import DIGITS, TABLES, SklearnSet
from glassnet.data.splits import Draw
from glassnet.data.table import require_polars
from glassnet.data.user_data import given_options, looks_like_a_path, read_user_data, refuse_options
from glassnet.errors import UsageError, unknown_name

#: A data set that is known by name. Each has a name, a title, a licence, a task, its number of targets (classes,
#: labels, or numbers of a regression), a source (None where it comes with scikit-learn), published test figures by
#: method, and ``load(data_dir, validation, split_seed)``.
KnownDataset = Family | SklearnSet | MedMNIST

_KNOWN: tuple[KnownDataset, ...] = (*FAMILIES, DIGITS, *TABLES, *list_sets())
DATASETS = {known.name: known for known in _KNOWN}


def find(name: str) -> KnownDataset:
    """Return the data set of a name, or raise `UsageError` naming the nearest."""
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

    `FileError` is raised if the user's folder does not exist, or holds a part of a data set's files.
    """
    places: dict[str, str | None] = {}
    for name, known in DATASETS.items():
        folder = "in scikit-learn" if known.source is None else known.source.find_folder(data_dir)
        places[name] = None if folder is None else str(folder)
    return places


def load_dataset(
    name: Any,
    data_dir: str | Path | None = None,
    *,
    validation: float | str | None = None,
    split_seed: int = 0,
    scaling: ScalingName | None = None,
    pieces: int | None = None,
    **reading: Unpack[ReadingOptions],
) -> Dataset:
    """Load a data set by name, or your own from a file or folder.

    Parameters
    ----------
    name : str, Path or table
        One of `DATASETS`; or a table of pandas, Polars or pyarrow; or the path of a table (CSV, TSV, Parquet,
        xlsx), of arrays (NPZ, NPY, IDX), or of a folder that holds a folder of images for each class. Parquet and
        NPY may be larger than memory.
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
    scaling : {"none", "standard", "robust"}, optional
        What scales each column by figures of the training rows, see `Dataset.scale`. By default "standard" for
        tables, and "none" for pictures and arrays.
    pieces : int, optional
        The most pieces that the range of each column of numbers is cut into, each an input of the network beside
        the scaled number, see `Dataset.cut`. 0, the default: none.
    **reading
        How your own data are read. `target` is the column of a table to predict, or the file with the labels of an
        NPY file's rows. `task` is what is asked of the network: "multi-class", "binary", "multi-label", "ordinal"
        or "regression"; by default it is told by the targets. Of a table: `drop`, `columns`, `categorical` and
        `dates` are lists of columns, left out, only kept, taken as categories, or made numbers of; `impute` is
        "median" (the default) or "error" for missing values; `sep`, `decimal`, `thousands` and `encoding` say how
        its text is written, `sheet` which one of a workbook it is. Of pictures: `size` is the (height, width) that
        all are brought to, `grey` leaves their colours out. Of an NPZ file: `x_key` and `y_key` name its arrays.

    Returns
    -------
    Dataset
        With the splits ``train``, ``validation`` and ``test``, each of rows X and labels or numbers y, and the
        schema that says what they mean.

    Raises
    ------
    UsageError
        If the name is unknown, there is no such scaling or number of pieces, or not for an array larger than
        memory.
    FileError, DataError
        If files are damaged, contradict each other, or are nowhere to be found.

    Examples
    --------
    >>> data = load_dataset("digits")
    >>> data.train.X.shape, data.validation.X.shape, data.test.X.shape
    ((1318, 64), (120, 64), (359, 64))
    >>> load_dataset("linnerud", validation="last(3)").target_names
    ('Weight', 'Waist', 'Pulse')
    """
    options, pieces = read_options(reading), pieces if pieces is None else check_most(pieces)
    drawn = 0 if isinstance(validation, str) else validation  # rows with a name are chosen afterwards
    if not isinstance(name, str | Path):
        require_polars()
        from glassnet.data.table_dataset import from_frame

        refuse_options(options, "a table")
        data = from_frame(name, options, Draw("table", drawn, split_seed))
    elif (name := str(name)) not in DATASETS and looks_like_a_path(name):
        encoding: dict[str, Any] = {"scaling": scaling, "pieces": pieces}
        data = read_user_data(name, options, validation=drawn, split_seed=split_seed, **encoding)
    else:
        for option in given_options(options):
            raise UsageError(option, "goes with data of your own, a file or a folder; leave it out")
        data = find(name).load(data_dir, drawn, split_seed)
    if isinstance(validation, str):
        data = data.validated_by(validation)
    data = data if scaling is None else data.scale(scaling)
    return data if pieces is None else data.cut(pieces)
