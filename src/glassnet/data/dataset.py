"""A data set: rows and labels in three splits, and how the splits are made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassnet.data.standardisation import Standardisation, refuse_standardised
from glassnet.errors import DataError, UsageError, unknown_name
from glassnet.nn.activations import Array
from glassnet.runtime.seeds import stream

if TYPE_CHECKING:
    from glassnet.data.columns import TableEncoder

#: What is asked of a network. Ordinal: classes in an order; multi-label: any number of labels for a row.
TASKS = ("multi-class", "binary", "multi-label", "ordinal", "regression")

#: Share of the training rows that is set aside for validation: 5,000 of Fashion-MNIST's 60,000.
VALIDATION = 1 / 12

#: Share of the rows that is the test set, where a data set comes without one.
TEST = 0.2

#: Rows that are moved at a time.
BLOCK = 1024

#: What `Dataset.validated_by` takes.
NAMED_VALIDATION = r"test|last\((\d+)\)"

#: What is said of other names.
OTHER_VALIDATION = "takes a number of rows, a share, 'test' or 'last(500)'"


class Split(NamedTuple):
    """Rows X of shape (n, d) or (n, height, width), and their labels or numbers y."""

    X: Array
    y: Array


def is_mapped(X: Array) -> bool:
    """Whether rows lie in a file that is mapped, because they are larger than memory."""
    return isinstance(X, np.memmap)


@dataclass(frozen=True)
class Dataset:
    """Rows in three splits: to learn from (train), to choose by (validation), and to be judged on (test).

    Images stay bytes (uint8) in memory; a network scales them to [0, 1] batch by batch. Standardised rows are
    float32.

    Attributes
    ----------
    name : str
        The data set's name.
    train, validation, test : Split
        ``split.X`` holds rows of shape (n, d), (n, height, width) or the like, ``split.y`` labels or numbers.
        No row is in two splits; validation may be empty.
    class_names : tuple of str or None
        Names of the classes in label order; None where y holds numbers instead of classes.
    image_shape : tuple of int or None
        Shape of the image that a row is: (height, width), (height, width, 3) in colour, or (depth, height, width).
    task : str
        "multi-class", "binary", "multi-label", "ordinal" (classes in an order) or "regression".
    target_names : tuple of str or None
        Names of the columns of y, where it has several.
    checksums : dict of str to str
        md5 by file name: they identify the data that a run learned from.
    encoder : TableEncoder or None
        For a table: what turns its rows into numbers.
    origin : dict of str to str
        For the user's own data: the arguments of `load_dataset` that read them again.
    remarks : tuple of str
        What the reader decided or noticed, in words.
    validation_size : int, str or None
        Number of rows set aside for validation; None for rows that came with the data set; ``"test"`` or
        ``"last(500)"`` as in `validated_by`.
    split_seed : int
        Seed of the draw of the validation rows.
    standardisation : Standardisation or None
        What brought the columns of X to mean 0 and standard deviation 1; None: they are as they were read.

    See Also
    --------
    load_dataset : Read a data set by name, or one's own from a file or folder.
    Dataset.from_arrays : Make one of arrays.

    Examples
    --------
    >>> data = Dataset.from_arrays(np.zeros((100, 4)), np.arange(100) % 2)
    >>> data
    Dataset('arrays', binary, rows: 73 train + 7 validation + 20 test, X: 4 float64, classes: 2 ('0', '1'))
    >>> data.test.X.shape, data.test.y.shape
    ((20, 4), (20,))
    """

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...] | None = None
    image_shape: tuple[int, ...] | None = None
    checksums: dict[str, str] = field(default_factory=dict)
    validation_size: int | str | None = 0
    split_seed: int = 0
    task: str = "multi-class"
    target_names: tuple[str, ...] | None = None
    encoder: TableEncoder | None = None
    origin: dict[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    standardisation: Standardisation | None = None

    def __repr__(self) -> str:
        rows = " + ".join(f"{len(split.y):,} {name}" for name, split in self.splits.items())
        X, y = self.train
        shape = " x ".join(map(str, self.image_shape or X.shape[1:]))
        names = self.class_names or self.target_names or ()
        shown = ", ".join([*map(repr, names[:3]), *["..."][: len(names) > 3]])
        kind, count = ("classes", self.n_classes) if self.class_names else ("targets", int(np.prod(y.shape[1:])))
        outputs = f"{kind}: {count} ({shown})" if names else f"{kind}: {count}"
        return f"Dataset({self.name!r}, {self.task}, rows: {rows}, X: {shape} {X.dtype}, {outputs})"

    @property
    def splits(self) -> dict[str, Split]:
        """Training, validation and test rows by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @property
    def n_classes(self) -> int | None:
        """Number of classes, None for regression."""
        return None if self.class_names is None else len(self.class_names)

    def with_validation(self, validation: Split) -> Dataset:
        """Return the data set with validation rows of its own, that were not drawn from the training rows.

        Where the data set is standardised, so are they, by the training rows' figures.
        """
        X, y = _check_arrays(self.name, "validation", *validation)
        if self.standardisation is not None:
            X = self.standardisation.apply(X)
            validation = Split(X, y)
        _check_fit(self.name, "validation", X, y, *self.train)
        if self.class_names is not None and y.ndim == 1:
            _check_labels(self.name, "validation", y, len(self.class_names))
        return replace(self, validation=validation, validation_size=None)

    def validated_by(self, rows: str) -> Dataset:
        """Return the data set with other rows for validation; none may have been set aside before.

        Parameters
        ----------
        rows : str
            ``"last(500)"``: the last 500 training rows, as they stand, for rows in the order of time.
            ``"test"``: the test rows, as many published tables have it; what is chosen by them is not tested by
            them any more.

        Raises
        ------
        UsageError
            If it is neither, or leaves no rows to learn from.

        Examples
        --------
        >>> data = Dataset.from_arrays(np.zeros((100, 4)), np.arange(100) % 2, validation=0)
        >>> last = data.validated_by("last(10)")
        >>> [len(split.y) for split in (last.train, last.validation, last.test)]
        [70, 10, 20]
        """
        named = re.fullmatch(NAMED_VALIDATION, rows)
        if named is None:
            raise UsageError("validation", f"{OTHER_VALIDATION}, got {rows!r}")
        if named[1] is None:
            return replace(self, validation=self.test, validation_size=rows)
        X, y = self.train
        first = len(y) - count_validation_rows(int(named[1]), len(y))
        train, last = Split(X[:first], y[:first]), Split(X[first:], y[first:])
        return replace(self, train=train, validation=last, validation_size=rows)

    def standardise(self) -> Dataset:
        """Return the data set with each column of X at mean 0 and standard deviation 1 over the training rows.

        Means and standard deviations are those of ``train``, after the validation rows were set aside: nothing of
        the validation and test rows goes into what a network learns from, and they are scaled by the same figures.
        All rows become float32 of shape (n, d), four bytes a number. Checksums stay those of the files.

        Raises
        ------
        UsageError
            If the data are a table or standardised already, or are larger than memory.
        DataError
            If a training column holds NaN, infinity, or numbers whose squares are too large.

        Examples
        --------
        >>> X = np.array([[1], [3], [9]], np.float32)
        >>> data = Dataset.from_arrays(X[:2], np.array([0, 1]), X[2:], np.array([0]), validation=0).standardise()
        >>> data.train.X.tolist(), data.test.X.tolist()
        ([[-1.0], [1.0]], [[7.0]])
        """
        if self.encoder is not None or self.standardisation is not None:
            refuse_standardised(self.name)
        if is_mapped(self.train.X):
            raise UsageError("standardize", f"{self.name} is larger than memory; scale the file, or leave it out")
        found = Standardisation.of(self.train.X)
        train, validation, test = (Split(found.apply(X), y) for X, y in self.splits.values())
        return replace(self, train=train, validation=validation, test=test, standardisation=found)

    def as_read(self, X: Array) -> Array:
        """Return rows of this data set as they were before they were standardised."""
        return X if self.standardisation is None else self.standardisation.undo(X)

    @classmethod
    def from_arrays(
        cls,
        X: Array,
        y: Array,
        X_test: Array | None = None,
        y_test: Array | None = None,
        *,
        name: str = "arrays",
        class_names: Sequence[str] | None = None,
        image_shape: tuple[int, ...] | None = None,
        checksums: dict[str, str] | None = None,
        validation: float | None = None,
        split_seed: int = 0,
        task: str | None = None,
        target_names: Sequence[str] | None = None,
        overwrite_X: bool = False,
    ) -> Dataset:
        """Make a data set of arrays.

        Validation rows are drawn from X by `draw_stratified`, with `split_seed`. Without X_test, a fifth of the
        rows becomes the test set first; that draw does not depend on `split_seed`, so the test rows stay the same.

        Parameters
        ----------
        X, y : ndarray
            Rows, with labels (whole numbers 0, 1, ...) or numbers to regress (floats, or several a row). Rows of
            bytes (uint8) count as pixels: a network divides them by 255.
        X_test, y_test : ndarray, optional
            The test set, where there is one apart.
        name, class_names, image_shape, checksums, target_names
            See the attributes. By default the classes are called 0, 1, ...; the checksum is that of X and y.
        task : str, optional
            By default "binary" for two classes and "multi-class" for more; "multi-label" for several columns of
            whole numbers 0 and 1; "regression" for other numbers.
        overwrite_X : bool, default False
            Whether X may be overwritten, which saves the memory of a second copy.
        validation : float or int, optional
            Share of the training rows below 1, or their number; 0 leaves all rows for training, as they are. By
            default a twelfth.
        split_seed : int, default 0
            Draws the validation rows; apart from a run's seed, so that runs with other seeds are judged alike.

        Raises
        ------
        DataError
            If lengths differ or labels are outside the classes.
        UsageError
            If `validation` leaves no rows, or one of X_test and y_test is missing.

        Examples
        --------
        >>> data = Dataset.from_arrays(np.zeros((100, 4)), np.arange(100) % 2, validation=10)
        >>> [len(split.y) for split in (data.train, data.validation, data.test)]
        [70, 10, 20]
        """
        X, y = _check_arrays(name, "training", X, y)
        if checksums is None:
            checksums = {"X, y": compute_checksum(X, y)}
        if (X_test is None) != (y_test is None):
            raise UsageError("y_test", "goes with X_test: give both, or neither")
        if X_test is not None and y_test is not None:
            X_test, y_test = _check_arrays(name, "test", X_test, y_test)
            _check_fit(name, "test", X_test, y_test, X, y)
        names = _name_classes(name, y, y_test, class_names)  # before any row is moved, so that errors can name it
        if X_test is None or y_test is None:
            rest, chosen = draw_stratified(y, round(TEST * len(y)), np.random.default_rng(0))
            X, y, X_test, y_test = X[rest], y[rest], X[chosen], y[chosen]
        if len(y_test) == 0:
            raise DataError(f"{name}: {len(y)} rows are too few to set a fifth apart for the test")
        size = count_validation_rows(validation, len(y))
        rest, chosen = draw_stratified(y, size, stream(split_seed, "split"))
        held_out = X[chosen]  # before X is overwritten
        return cls(
            name,
            Split(_move_to_front(X, rest) if overwrite_X and X.flags.writeable else X[rest], y[rest]),
            Split(held_out, y[chosen]),
            Split(X_test, y_test),
            names,
            image_shape,
            checksums,
            size,
            split_seed,
            _choose_task(task, y, names),
            None if target_names is None else tuple(target_names),
        )


def join_splits(
    train: tuple[Array, Array],
    held_out: tuple[Array, Array] | None,
    test: tuple[Array, Array],
    *,
    validation: float | None,
    **options: Any,
) -> Dataset:
    """Make a data set whose test rows, and perhaps its validation rows, come apart from the training rows.

    `held_out` are the validation rows that come with the data. Where others are asked for by `validation`, they
    are training rows.
    """
    if held_out is None:
        return Dataset.from_arrays(*train, *test, validation=validation, **options)
    if validation is None:
        return Dataset.from_arrays(*train, *test, validation=0, **options).with_validation(Split(*held_out))
    X, y = (np.concatenate(both) for both in zip(train, held_out, strict=True))
    return Dataset.from_arrays(X, y, *test, validation=validation, **options)


def compute_checksum(*arrays: Array) -> str:
    """Return the md5 of arrays, one after the other."""
    digest = hashlib.md5(usedforsecurity=False)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def take_test_rows(data: Dataset) -> Split:
    """Return the test rows of a data set, or raise `DataError` where it has none."""
    if not len(data.test.y):
        raise DataError(
            f"{data.name}: there are no test rows; give rows and labels as X, y, or make the data set by "
            "Dataset.from_arrays, which sets test rows apart"
        )
    return data.test


def count_validation_rows(validation: float | None, n: int) -> int:
    """Return the number of validation rows for a share below 1 or a whole number; by default a twelfth of n."""
    validation = VALIDATION if validation is None else validation
    share = 0 < validation < 1
    size = max(1, round(validation * n)) if share else validation
    if not 0 <= size < n or not (share or isinstance(validation, int | np.integer) or validation == 0):
        raise UsageError("validation", f"takes a share below 1, or a number of the {n} rows, got {validation}")
    return int(size)


def draw_stratified(y: Array, size: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw `size` rows with every class in proportion, to within one row; return (the rest, the drawn).

    The rows are shuffled, sorted by label, and every (n / size)-th is drawn; of numbers (floats), one of every
    n / size neighbours. Both results are sorted.
    """
    order = rng.permutation(len(y))
    if y.ndim == 1:  # several numbers a row have no order
        if y.dtype.kind == "f":  # numbers to regress: one of every n / size neighbours, not always the same
            y = y.argsort(kind="stable").argsort(kind="stable") * size // len(y)
        order = order[np.argsort(y[order], kind="stable")]
    drawn = order[((np.arange(size) + 0.5) * len(y) / max(size, 1)).astype(np.intp)]
    return np.setdiff1d(np.arange(len(y)), drawn), np.sort(drawn)


def _check_arrays(name: str, split: str, X: Array, y: Array) -> tuple[Array, Array]:
    try:
        X, y = np.asarray(X), np.asarray(y)
    except ValueError:
        raise DataError(f"{name}: expected {split} rows of equal length") from None
    if y.dtype.kind not in "fiub":
        raise DataError(
            f"{name}: expected whole numbers or floats for y, got {y.dtype}; number your classes with "
            "np.unique(y, return_inverse=True)"
        )
    if X.ndim < 2:
        raise DataError(f"{name}: expected {split} rows of numbers, got the shape {X.shape}")
    if y.ndim == 0:
        raise DataError(f"{name}: expected {split} labels, one for each of the {len(X)} rows, got a single one")
    if len(X) != len(y) or len(X) == 0:
        raise DataError(f"{name}: {len(X)} {split} rows but {len(y)} labels; they must be as many, and not none")
    return X, y


def _check_fit(name: str, split: str, X: Array, y: Array, X_train: Array, y_train: Array) -> None:
    """Refuse rows or labels of another form than those of the training rows."""
    if X.shape[1:] != X_train.shape[1:]:
        raise DataError(f"{name}: rows of shape {X_train.shape[1:]}, but {split} rows of shape {X.shape[1:]}")
    if y.shape[1:] != y_train.shape[1:] or (y.dtype.kind == "f") != (y_train.dtype.kind == "f"):
        raise DataError(
            f"{name}: {y_train.dtype} of shape {y_train.shape[1:]} for a row's labels, "
            f"but {y.dtype} of shape {y.shape[1:]} for a {split} row's"
        )


def _move_to_front(X: Array, rows: Array) -> Array:
    """Return some rows, in rising order, moved to the front of X."""
    for first in range(0, len(rows), BLOCK):
        part = rows[first : first + BLOCK]
        X[first : first + len(part)] = X[part]
    return X[: len(rows)]


def _choose_task(task: str | None, y: Array, class_names: tuple[str, ...] | None) -> str:
    """Return the task that is named, or that labels and numbers imply."""
    if task is not None:
        if task not in TASKS:
            raise unknown_name("task", task, TASKS)
        return task
    if class_names is not None:
        return "binary" if len(class_names) == 2 else "multi-class"
    bits = y.ndim == 2 and y.dtype.kind in "uib" and y.size > 0 and y.min() >= 0 and y.max() <= 1
    return "multi-label" if bits else "regression"


def _name_classes(
    name: str, y: Array, y_test: Array | None, given: Sequence[str] | None
) -> tuple[str, ...] | None:
    """Return a name for every class, None where y holds numbers; refuse labels outside the classes."""
    names = None if given is None else tuple(str(label) for label in given)
    if y.ndim != 1 or y.dtype.kind not in "iub":
        return names
    labels = {"training": y} if y_test is None else {"training": y, "test": y_test}
    if names is None:
        largest = max(int(numbers.max(initial=0)) for numbers in labels.values())
        if largest >= len(y):
            raise DataError(f"{name}: labels up to {largest} for {len(y)} rows; give numbers as floats")
        names = tuple(str(label) for label in range(largest + 1))
    for split, numbers in labels.items():
        _check_labels(name, split, numbers, len(names))
    return names


def _check_labels(name: str, split: str, labels: Array, n_classes: int) -> None:
    outside = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if len(outside):
        row = outside[0]
        raise DataError(
            f"{name}: {split} label {labels[row]} in row {row} is outside the classes 0..{n_classes - 1}"
        )
