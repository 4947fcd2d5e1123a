"""A data set: rows and labels in three splits, and how the splits are made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from glassnet.data import dense
from glassnet.data.array_pictures import as_pictures, remark_on_rows
from glassnet.data.array_schema import ArraySchema
from glassnet.data.pieces import check_most
from glassnet.data.remarks import Remark
from glassnet.data.scaling import SCALINGS, ScalingName
from glassnet.data.schema import Schema
from glassnet.data.splits import (
    TEST,
    Split,
    Splits,
    compute_checksum,
    count_validation_rows,
    describe_split,
    draw_stratified,
    flatten_column,
    is_mapped,
    move_to_front,
    order_of,
)
from glassnet.data.target_doubts import remark_on_unseen
from glassnet.data.target_schema import TargetSchema
from glassnet.data.target_values import find_order
from glassnet.data.untrusted_files import check_room
from glassnet.errors import DataError, UsageError, unknown_name
from glassnet.nn.activations import Array
from glassnet.runtime.seeds import stream

#: What `Dataset.validated_by` takes.
NAMED_VALIDATION = r"test|last\((\d+)\)"

#: What is said of other names.
OTHER_VALIDATION = "takes a number of rows, a share, 'test' or 'last(500)'"


@dataclass(frozen=True)
class Dataset:
    """Rows in three splits: to learn from (train), to choose by (validation), and to be judged on (test).

    Rows and labels are as the user has them: pictures of bytes, numbers in their own units, the columns of a
    table, classes as they were written. What they mean to a network says `schema`, learned from the training rows;
    ``data.encoded`` has the same splits as a network takes them. A `Model` goes through the schema by itself.

    Attributes
    ----------
    name : str
        The data set's name.
    train, validation, test : Split
        ``split.X`` holds rows of shape (n, d), (n, height, width) or the like, or the columns of a table;
        ``split.y`` labels or numbers. No row is in two splits; validation may be empty.
    schema : Schema
        How rows become a network's numbers, and what its outputs mean.
    checksums : dict of str to str
        md5 by file name: they identify the data that a run learned from.
    validation_size : int, str or None
        Number of rows set aside for validation; None for rows that came with the data set; ``"test"`` or
        ``"last(500)"`` as in `validated_by`.
    split_seed : int
        Seed of the draw of the validation rows.
    origin : dict of str to object
        For the user's own data: the arguments of `load_dataset` that read them again. For all: the scaling, where
        one was asked for.
    remarks : tuple of str
        What the reader decided or noticed, in words.
    unusable : str
        Why no network can take the rows, where one holds NaN or infinity: which row, as the user counts them.

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
    schema: Schema
    checksums: dict[str, str] = field(default_factory=dict)
    validation_size: int | str | None = 0
    split_seed: int = 0
    origin: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    unusable: str = ""

    def __post_init__(self) -> None:
        for name, split in self.splits.items():
            encoded = getattr(split, "is_encoded", False)
            object.__setattr__(self, name, describe_split(*split, self.schema, is_encoded=encoded))

    def __repr__(self) -> str:
        rows = " + ".join(f"{len(split.y):,} {name}" for name, split in self.splits.items())
        X, y = self.train
        names = self.class_names or self.target_names or ()
        shown = ", ".join([*map(repr, names[:3]), *["..."][: len(names) > 3]])
        kind, count = ("classes", self.n_classes) if self.class_names else ("targets", int(np.prod(y.shape[1:])))
        outputs = f"{kind}: {count} ({shown})" if names else f"{kind}: {count}"
        shape = " x ".join(map(str, self.image_shape or X.shape[1:]))
        inputs = f"{shape} {X.dtype}" if isinstance(X, np.ndarray) else f"{X.shape[1]} columns"
        return f"Dataset({self.name!r}, {self.task}, rows: {rows}, X: {inputs}, {outputs})"

    @property
    def splits(self) -> dict[str, Split]:
        """Training, validation and test rows by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @cached_property
    def encoded(self) -> Splits:
        """The splits as a network takes them: rows of bytes or floats, targets as labels 0, 1, ... or numbers.

        `DataError` is raised where the rows are `unusable`.
        """
        if self.unusable:
            raise DataError(self.unusable)
        return Splits(self.train, self.validation, self.test)

    @property
    def task(self) -> str:
        """What is asked of a network: one of `glassnet.data.target_schema.TASKS`."""
        return self.schema.target.task

    @property
    def scaling(self) -> ScalingName:
        """What scales the columns of X for a network: "none", "standard" or "robust"; see `scale`."""
        return self.schema.scaling

    @property
    def pieces(self) -> int:
        """The most pieces that a column of numbers is cut into for a network, 0 for none; see `cut`."""
        return self.schema.pieces

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classes in label order; None where y holds numbers instead of classes."""
        return self.schema.target.class_names or None

    @property
    def target_names(self) -> tuple[str, ...] | None:
        """Names of the columns of y, where it has several, or a table names its one."""
        return self.schema.target.names or None

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """Shape of the image that a row is: (height, width), (height, width, 3), or (depth, height, width)."""
        return self.schema.input.image_shape if isinstance(self.schema.input, ArraySchema) else None

    @property
    def n_inputs(self) -> int:
        """How many numbers a row is to a network."""
        return self.schema.input.width

    @property
    def n_classes(self) -> int | None:
        """Number of classes, None for regression."""
        return None if self.class_names is None else len(self.class_names)

    def with_validation(self, validation: tuple[Any, Any]) -> Dataset:
        """Return the data set with validation rows (X, y) of its own, that were not drawn from the training rows.

        What is converted in them is a remark. `DataError` is raised if they are not such as the training rows.
        """
        X, y = validation
        is_encoded = getattr(validation, "is_encoded", False)
        try:
            if not is_encoded and not isinstance(self.schema.input, ArraySchema):
                X, y = self.schema.take_rows(X), np.asarray(y)
                if len(X) != len(y):
                    raise DataError(f"{len(X)} rows but {len(y)} labels; they must be as many")
            else:
                X, y = dense.check_arrays(self.name, "validation", X, y)
            split = describe_split(X, flatten_column(y), self.schema, is_encoded=is_encoded)
            said = () if is_encoded else self.schema.check_rows(*split)
        except DataError as error:
            problem = str(error).removeprefix(f"{self.name}: ")
            where = "" if "validation" in problem else "validation rows: "
            raise DataError(f"{self.name}: {where}{problem}") from None
        remarks = (*self.remarks, *(Remark("noticed.validation", remark=remark) for remark in said))
        unusable = self.unusable or dense.find_unusable(X, "validation rows")
        return replace(self, validation=split, validation_size=None, remarks=remarks, unusable=unusable)

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
        n = len(self.train.y)
        first = n - count_validation_rows(int(named[1]), n)
        train, last = self.train.take(slice(None, first)), self.train.take(slice(first, None))
        return replace(self, train=train, validation=last, validation_size=rows)

    def scale(self, scaling: ScalingName) -> Dataset:
        """Return the data set with a schema that scales its columns otherwise for a network.

        The figures are those of ``train``, after the validation rows were set aside: nothing of the validation and
        test rows goes into what a network learns from, and they are scaled by the same figures. The rows of the
        data set stay as they are; those of ``encoded`` are float32 of shape (n, d).

        Parameters
        ----------
        scaling : str
            ``"standard"`` brings each column to mean 0 and standard deviation 1. ``"robust"`` scales it by its
            median and quartiles and clips it smoothly at 3, for columns with numbers far from all others.
            ``"none"`` leaves it as it is. `glassnet.data.scaling.Scaling` has the formulas. Of a table, these are
            the columns of numbers and dates. With the first two, numbers to regress are brought to mean 0 and
            standard deviation 1; a `Model` answers and is measured in their own units.

        Raises
        ------
        UsageError
            If there is no such scaling, or the data are larger than memory.
        DataError
            If a training column holds NaN, infinity, or numbers too large to scale.

        Examples
        --------
        >>> X = np.array([[1], [3], [9]], np.float32)
        >>> data = Dataset.from_arrays(X[:2], np.array([0, 1]), X[2:], np.array([0]), validation=0)
        >>> scaled = data.scale("standard")
        >>> scaled.encoded.train.X.tolist(), scaled.encoded.test.X.tolist()
        ([[-1.0], [1.0]], [[7.0]])
        >>> print(data.scale("robust").encoded.test.X.round(3))
        [[2.757]]
        """
        if scaling not in SCALINGS:
            raise unknown_name("scaling", scaling, SCALINGS)
        schema = self.schema
        if scaling != self.scaling:
            if is_mapped(self.train.X):
                raise UsageError("scaling", f"{self.name} is larger than memory; scale the file, or leave it out")
            schema = schema.scale(*self.train, scaling)
        return replace(self, schema=schema, origin={**self.origin, "scaling": scaling})

    def cut(self, pieces: int) -> Dataset:
        """Return the data set with a schema that cuts its columns of numbers into pieces for a network.

        Beside each scaled number, the network then takes where the number lies in each piece of the column's
        range: -1/2 below the piece, 1/2 above it, and a straight line between. So the first layer can bend
        wherever two pieces meet. `glassnet.data.pieces.write_pieces` has the formula and its source; `find_edges`
        there says where the edges lie, by the rows of ``train`` alone. Of a table, numbers and dates are cut;
        columns with two distinct numbers or fewer, categories, and true and false stay as they are.

        Parameters
        ----------
        pieces : int
            The most pieces of a column; 0 for none.

        Raises
        ------
        UsageError
            If it is no such number, the rows are pictures, or the data are larger than memory.
        DataError
            If a training column holds NaN or infinity, or the numbers do not fit into memory.

        Examples
        --------
        >>> X = np.array([[0.0], [2.0], [4.0], [3.0]])
        >>> data = Dataset.from_arrays(X[:3], np.array([0, 1, 0]), X[3:], np.array([0]), validation=0).cut(2)
        >>> data.encoded.test.X.tolist(), data.schema.input.feature_names
        ([[3.0, 0.5, 0.0]], ('X[:, 0]', 'X[:, 0] from 0 to 2', 'X[:, 0] from 2 to 4'))
        """
        schema, pieces = self.schema, check_most(pieces)
        if pieces != self.pieces:
            if is_mapped(self.train.X):
                raise UsageError("pieces", f"{self.name} is larger than memory; leave it out")
            schema = schema.cut(self.train.X, pieces)
            rows = sum(len(split.y) for split in self.splits.values())
            check_room(4 * rows * schema.input.width, f"{self.name}: {rows:,} rows in pieces", "take fewer pieces")
        return replace(self, schema=schema, origin={**self.origin, "pieces": pieces})

    @classmethod
    def from_arrays(
        cls,
        X: Array,
        y: Array,
        X_test: Array | None = None,
        y_test: Array | None = None,
        *,
        name: str = "arrays",
        schema: Schema | None = None,
        class_names: Sequence[str] | None = None,
        classes: Sequence[Any] = (),
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
        X, y : array_like
            Rows, with labels (whole numbers, text, true and false) or numbers to regress (floats, or several a
            row). Rows of bytes (uint8) count as pixels: a network divides them by 255.
        X_test, y_test : array_like, optional
            The test set, where there is one apart; of no rows, where there is to be none.
        name, checksums
            See the attributes; the checksum is by default that of X and y.
        schema : Schema, optional
            What rows and labels mean; by default it is learned from them with the options that follow.
        class_names : sequence of str, optional
            What the classes are called, in sorted order; labels 0, 1, ... may then lack some class. By default
            they are called as y writes them.
        classes : sequence, optional
            All classes in their order; by default sorted, or as an ordered category of pandas or Polars has them.
        image_shape : tuple of int, optional
            Shape of the picture that a row is; by default that of the rows, where they have more than one axis.
        task : str, optional
            One of "multi-class", "binary", "multi-label", "ordinal" and "regression". By default it is told by y,
            see `glassnet.data.target_schema.TargetSchema.learn`.
        target_names : sequence of str, optional
            Names of the columns of y.
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
        remarks, classes = dense.remark_on_dense(X), classes or find_order(y)
        X, y = dense.check_arrays(name, "training", X, y)
        given_rows, unusable = len(X), dense.find_unusable(X)
        checksums = {"X, y": compute_checksum(X, y)} if checksums is None else checksums
        if (X_test is None) != (y_test is None):
            raise UsageError("y_test", "goes with X_test: give both, or neither")
        if X_test is not None and y_test is not None:
            X_test, y_test = dense.check_arrays(name, "test", X_test, y_test)
            dense.check_test_arrays(name, X_test, y_test, X, y)
            unusable = unusable or dense.find_unusable(X_test, "X_test")
        if schema is None:
            remarks += remark_on_rows(X)
            X, X_test = as_pictures(X), X_test if X_test is None else as_pictures(X_test)
            rows, said = ArraySchema.learn(X, image_shape)
            both = y if y_test is None else np.concatenate([y, y_test])
            hints = {"task": task, "class_names": class_names, "classes": classes, "names": target_names}
            target, more = _learn_target(name, both, pictures=len(rows.shape) > 1, **hints)
            schema = Schema(rows, target)
            remarks += (*said, *more)
        y, y_test = flatten_column(y), None if y_test is None else flatten_column(y_test)
        order = order_of(schema, y)  # before any row is moved, so that errors can name it
        if y_test is not None and len(y_test) and schema.target.n_classes:
            remarks += remark_on_unseen(schema.target.class_names, order, schema.target.encode(y_test))
        if X_test is None or y_test is None:
            rest, chosen = draw_stratified(order, round(TEST * len(y)), np.random.default_rng(0))
            X, y, X_test, y_test = X[rest], y[rest], X[chosen], y[chosen]
            order = order[rest]
            if len(y_test) == 0:
                raise DataError(
                    f"{name}: {len(y)} rows are too few to set a fifth apart for the test; "
                    "give more, or X_test and y_test"
                )
        size = count_validation_rows(validation, len(y))
        rest, chosen = draw_stratified(order, size, stream(split_seed, "split"))
        held_out = X[chosen]  # before X is overwritten
        dense.refuse_few(name, given_rows, len(rest))
        return cls(
            name,
            Split(move_to_front(X, rest) if overwrite_X and X.flags.writeable else X[rest], y[rest]),
            Split(held_out, y[chosen]),
            Split(X_test, y_test),
            schema,
            checksums,
            size,
            split_seed,
            remarks=(*remarks, *dense.remark_on_few(len(rest), size)),
            unusable=unusable,
        )


def take_test_rows(data: Dataset) -> Split:
    """Return the test rows of a data set, encoded, or raise `DataError` where it has none."""
    if not len(data.test.y):
        raise DataError(
            f"{data.name}: there are no test rows; give rows and labels as X, y, or make the data set by "
            "Dataset.from_arrays, which sets test rows apart"
        )
    return data.encoded.test


def _learn_target(name: str, y: Array, **hints: Any) -> tuple[TargetSchema, tuple[str, ...]]:
    """Learn what labels or numbers mean, as `TargetSchema.learn` does; errors name the data set."""
    try:
        return TargetSchema.learn(y, **hints)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
