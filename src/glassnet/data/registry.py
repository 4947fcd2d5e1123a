"""The data sets glassnet knows by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from glassnet.data import digits, fashion_mnist
from glassnet.data.dataset import VALIDATION, Dataset
from glassnet.errors import unknown_name

#: Loader by name: ``load(data_dir, validation, split_seed)``.
DATASETS: dict[str, Callable[[str | Path | None, float, int], Dataset]] = {
    "digits": digits.load,
    "fashion-mnist": fashion_mnist.load,
}


def whereabouts(data_dir: str | Path | None = None) -> dict[str, str | None]:
    """Return where each data set's files are without a download: a folder, or None.

    Raises
    ------
    FileError
        If the user's folder does not exist, or holds a part of a data set's files.
    """
    folder = fashion_mnist.SOURCE.whereabouts(data_dir)
    return {"digits": "in scikit-learn", "fashion-mnist": None if folder is None else str(folder)}


def load_dataset(
    name: str, data_dir: str | Path | None = None, *, validation: float = VALIDATION, split_seed: int = 0
) -> Dataset:
    """Load a data set by name.

    Parameters
    ----------
    name : str
        One of `DATASETS`.
    data_dir : str or Path, optional
        Folder with data sets, in place of the one that the environment variable GLASSNET_DATA names. Where
        neither has the data, they come from the user cache, or are downloaded to it, with their checksum.
    validation : float or int, default 1/12
        Share (below 1) or number of the training rows set aside for validation, every class in proportion;
        0: none.
    split_seed : int, default 0
        Draws the validation rows; the test rows never change.

    Raises
    ------
    UsageError
        If the name is unknown.
    FileError, DataError
        If files are damaged, contradict each other, or are nowhere to be found.

    Examples
    --------
    >>> data = load_dataset("digits")
    >>> data.train.X.shape, data.validation.X.shape, data.test.X.shape
    ((1318, 64), (120, 64), (359, 64))
    """
    if name not in DATASETS:
        raise unknown_name("dataset", name, DATASETS)
    return DATASETS[name](data_dir, validation, split_seed)
