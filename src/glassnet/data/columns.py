"""From named columns to numbers: scaling, one-hot and missing values, learned on the training rows only."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    import polars as pl

#: Text with more distinct values than this, or more than half of all values distinct, counts as free text.
MAX_CATEGORIES = 100

#: Whole numbers with more distinct values than this are a target to regress, not classes.
MAX_CLASSES = 20

#: A date or a time as text: 2024-05-31, 31.5.2024, 5/31/24, with or without a time of day behind it.
_DATE = r"^(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{2,4})([T ]\d{1,2}:.*)?$"

TargetKind = Literal["regression", "binary", "multi-class"]


@dataclass(frozen=True)
class Column:
    """One column of the table, and what was learned of it.

    Parameters
    ----------
    name : str
        As in the header.
    kind : {"numeric", "category", "boolean"}
        A number scaled; a one for the category among zeros; or 0 and 1.
    mean, std : float
        Of a numeric column's training rows; 0 and 1 where it is not scaled.
    categories : tuple of str
        In sorted order.
    fill : float, str, bool or None
        What a missing value becomes, None where one is an error.
    """

    name: str
    kind: Literal["numeric", "category", "boolean"]
    mean: float = 0.0
    std: float = 1.0
    categories: tuple[str, ...] = ()
    fill: float | str | bool | None = None

    __pydantic_config__ = {"extra": "forbid", "strict": True, "allow_inf_nan": False}  # noqa: RUF012

    def __post_init__(self) -> None:
        kinds = {"numeric": float, "category": str, "boolean": bool}
        if self.fill is not None and not isinstance(self.fill, kinds[self.kind]):
            raise ValueError(f"column {self.name!r}: {self.fill!r} does not fill a {self.kind} column")
        if not self.std > 0:
            raise ValueError(f"column {self.name!r}: a standard deviation of {self.std}")
        if list(self.categories) != sorted(set(self.categories)):
            raise ValueError(f"column {self.name!r}: categories are not distinct and sorted")
        is_category = self.kind == "category"
        if bool(self.categories) != is_category or (is_category and self.fill not in (None, *self.categories)):
            raise ValueError(f"column {self.name!r}: categories that do not fit its kind, {self.kind}")

    @property
    def features(self) -> tuple[str, ...]:
        """A name for each column of X that comes of this one."""
        if self.kind == "category":
            return tuple(f"{self.name}={category}" for category in self.categories)
        return (self.name,)


@dataclass(frozen=True)
class Target:
    """The column to predict: its classes in label order, or the mean and std that its numbers are scaled by."""

    name: str
    kind: TargetKind
    classes: tuple[bool | int | str, ...] = ()
    mean: float = 0.0
    std: float = 1.0

    __pydantic_config__ = {"extra": "forbid", "strict": True, "allow_inf_nan": False}  # noqa: RUF012

    def __post_init__(self) -> None:
        fits = {"regression": not self.classes, "binary": len(self.classes) == 2}.get(
            self.kind, len(self.classes) > 2
        )
        alike = len({type(label) for label in self.classes}) < 2
        if not fits or not alike or self.classes != _in_order(self.classes) or not self.std > 0:
            raise ValueError(f"target {self.name!r}: {self.kind} with classes or a scale that do not fit it")


@dataclass(frozen=True)
class TableEncoder:
    """Rows of a table to rows of numbers, by what `fit` learned on the training rows.

    Attributes
    ----------
    columns : tuple of Column
        In the order of the training table, without the target.
    target : Target or None
        None where the table has no target.
    remarks : tuple of str
        What `fit` decided, and what looked odd to it.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"age": [30, 40, 30, 40], "colour": ["red", "blue", "red", "blue"]})
    >>> encoder = TableEncoder.fit(frame)
    >>> encoder.feature_names
    ('age', 'colour=blue', 'colour=red')
    >>> X, remarks = encoder.transform(pl.DataFrame({"age": [35, 45], "colour": ["red", "green"]}))
    >>> X.tolist()
    [[0.0, 0.0, 1.0], [2.0, 0.0, 0.0]]
    >>> remarks
    ("column 'colour': 1 value unseen in training (first 'green' in row 2), all zeros",)
    """

    columns: tuple[Column, ...]
    target: Target | None = None
    remarks: tuple[str, ...] = ()
    version: Literal[1] = 1

    __pydantic_config__ = {"extra": "forbid", "strict": True, "allow_inf_nan": False}  # noqa: RUF012

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns] + ([self.target.name] if self.target else [])
        if not self.columns or len(set(names)) < len(names):
            raise ValueError("columns: none, or two of one name")

    @classmethod
    def fit(
        cls,
        frame: pl.DataFrame,
        target: str | None = None,
        impute: Literal["error", "median"] = "error",
        scale: bool = True,
        labels: pl.Series | None = None,
    ) -> TableEncoder:
        """Learn the columns of a table of training rows.

        Parameters
        ----------
        frame : polars.DataFrame
            From `read_table`; training rows only.
        target : str, optional
            The column to predict.
        impute : {"error", "median"}, default "error"
            What becomes of missing values: an error, or the median (the most frequent category) of these rows.
        scale : bool, default True
            Bring numeric columns, and a target to regress, to mean 0 and standard deviation 1.

        Raises
        ------
        DataError
            If a column is missing, holds dates or free text or nothing, or lacks values with ``impute="error"``;
            if the target lacks values or has one class only.
        """
        if impute not in ("error", "median"):
            raise UsageError("impute", f"takes error or median, got {impute!r}")
        if frame.height == 0:
            raise DataError("table: no rows to learn the columns from")
        remarks: list[str] = []
        learned = None
        if target is not None:
            if target not in frame.columns:
                raise DataError(f"table: no column {target!r} for the target{_near(target, frame.columns)}")
            learned = _learn_target(frame[target], frame[target] if labels is None else labels, scale, remarks)
        features = [series for series in frame if series.name != target]
        if not features:
            raise DataError("table: no columns beside the target")
        columns = tuple(_learn_column(series, impute == "median", scale, remarks) for series in features)
        return cls(columns, learned, tuple(remarks))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each column of X: ``age``, ``colour=red``."""
        return tuple(name for column in self.columns for name in column.features)

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The classes of the target as text, in label order; None where there are none."""
        return tuple(str(label) for label in self.target.classes) if self.target and self.target.classes else None

    def transform(self, frame: pl.DataFrame) -> tuple[Array, tuple[str, ...]]:
        """Encode rows.

        Columns are taken by name, in any order; those that training did not have are left out, with a remark.

        Returns
        -------
        X : ndarray of float32, shape (n, d)
            With a column for each of `feature_names`.
        remarks : tuple of str
            Columns left out, categories unseen in training, missing values filled.

        Raises
        ------
        DataError
            If a column is missing or of another kind, or a value is missing (without ``impute="median"``) or
            beyond float32; rows are counted from 1.
        """
        remarks: list[str] = []
        for column in self.columns:
            if column.name not in frame.columns:
                raise DataError(
                    f"table: no column {column.name!r}, which training had{_near(column.name, frame.columns)}"
                )
        known = {column.name for column in self.columns} | ({self.target.name} if self.target else set())
        if extra := [name for name in frame.columns if name not in known]:
            remarks.append(
                f"left out, as training did not have them: {', '.join(extra[:5])}{_more(len(extra) - 5)}"
            )
        X = np.zeros((frame.height, len(self.feature_names)), np.float32)
        start = 0
        for column in self.columns:
            stop = start + len(column.features)
            _encode(column, frame[column.name], X[:, start:stop], remarks)
            start = stop
        return X, tuple(remarks)

    def encode_target(self, series: pl.Series) -> Array:
        """Return labels (int64, in sorted class order), or numbers (float64, scaled as those of training)."""
        target = self._target()
        if series.null_count() or (series.dtype.is_float() and series.is_nan().any()):
            row = _first(series.is_null() if series.null_count() else series.is_nan())
            raise DataError(f"target {series.name!r}: row {row} has no value; rows to learn from need one")
        if target.kind == "regression":
            return (_numeric(series, series.name).to_numpy() - target.mean) / target.std
        values = _class_values(series, isinstance(target.classes[0], str))
        labels = {value: label for label, value in enumerate(target.classes)}
        for row, value in enumerate(values, 1):
            if value not in labels or type(value) is not type(target.classes[0]):
                raise DataError(f"target {series.name!r}: row {row} is {value!r}, which training did not have")
        return np.array([labels[value] for value in values], np.int64)

    def decode_target(self, y: Array) -> Array:
        """Return labels as the classes they stand for, numbers in the units of the table."""
        target = self._target()
        y = np.asarray(y)
        if target.kind == "regression":
            return y.astype(np.float64) * target.std + target.mean
        if y.dtype.kind not in "iu" or (len(y) and not 0 <= y.min() <= y.max() < len(target.classes)):
            raise DataError(f"target {target.name!r}: expected labels 0..{len(target.classes) - 1}")
        return np.array(target.classes)[y]

    def _target(self) -> Target:
        if self.target is None:
            raise DataError("table: these columns were learned without a target")
        return self.target

    def to_json(self) -> str:
        """Return the encoder as JSON, floats by their shortest exact digits."""
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> TableEncoder:
        """Return the encoder that `to_json` wrote.

        Raises
        ------
        DataError
            (a ValueError) if the text is not JSON, or not of an encoder of this version.
        """
        from pydantic import TypeAdapter, ValidationError

        try:
            return TypeAdapter(cls).validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise DataError(f"no table encoder of version 1: {place}: {' '.join(first['msg'].split())}") from None


def target_kind(series: pl.Series) -> TargetKind:
    """Tell what there is to learn: classes, or numbers.

    Text, booleans, and whole numbers with at most `MAX_CLASSES` distinct values are classes; numbers with any
    fraction, and whole numbers with more distinct values, are regressed.

    Examples
    --------
    >>> import polars as pl
    >>> [target_kind(pl.Series("y", values)) for values in (["a", "b", "a", "b"], [0, 1, 2], [0.5, 1.0])]
    ['binary', 'multi-class', 'regression']
    """
    name = f"target {series.name!r}"
    series = series.drop_nulls()
    if series.is_empty():
        raise DataError(f"{name}: no values")
    if series.dtype.is_numeric():
        numbers = _numeric(series, series.name)
        if (numbers != numbers.floor()).any() or numbers.n_unique() > MAX_CLASSES:
            return "regression"
    _refuse_dates(series, name)
    text = not series.dtype.is_numeric() and str(series.dtype) != "Boolean"
    distinct = len(set(_class_values(series, text)))
    if text and 2 * distinct > len(series):
        raise DataError(f"{name}: {distinct} distinct texts in {len(series)} rows; classes must come back")
    if distinct == 1:
        raise DataError(f"{name}: one class only, {series[0]!r}; there is nothing to learn")
    return "binary" if distinct == 2 else "multi-class"


def refuse_missing(frame: pl.DataFrame, target: str, impute: str | None) -> None:
    """Refuse missing values, by their rows in the whole table, before its rows go apart."""
    for series in frame:
        if series.name == target:
            _refuse_missing_target(series)
        elif impute in (None, "error"):
            missing = _is_missing(series)
            if missing.any() and not missing.all():
                numbers = _numeric(series, series.name) if series.dtype.is_numeric() else series
                raise DataError(_missing(numbers, f"column {series.name!r}"))


def _refuse_missing_target(labels: pl.Series) -> None:
    missing = _is_missing(labels)
    if missing.any():
        raise DataError(
            f"target {labels.name!r}: row {_first(missing)} has no value ({missing.sum()} missing in all); "
            "rows to learn from need one"
        )


def _is_missing(series: pl.Series) -> pl.Series:
    return series.is_null() | (series.is_nan() if series.dtype.is_float() else False)


def _learn_target(series: pl.Series, labels: pl.Series, scale: bool, remarks: list[str]) -> Target:
    """Learn the classes of the target, or its scale; say which."""
    name = series.name
    _refuse_missing_target(labels)
    kind = target_kind(labels)
    if kind == "regression":
        mean, std, _ = _moments(_numeric(series, name).to_numpy())
        if std == 0:
            raise DataError(f"target {name!r}: one value only, {mean}; there is nothing to learn")
        remarks.append(f"target {name!r}: numbers, so regression")
        return Target(name, kind, mean=mean, std=std) if scale else Target(name, kind)
    text = not series.dtype.is_numeric() and str(series.dtype) != "Boolean"
    classes = _in_order(_class_values(labels, text))
    shown = ", ".join(str(label) for label in classes[:5]) + _more(len(classes) - 5)
    remarks.append(f"target {name!r}: {len(classes)} classes ({shown}), so {kind}")
    return Target(name, kind, classes)


def _in_order(labels: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(set(labels)))


def _class_values(series: pl.Series, text: bool) -> list[bool] | list[int] | list[str]:
    """Return the classes in a target without missing values: as text, or as they are."""
    import polars as pl

    if series.dtype == pl.Boolean and not text:
        return series.to_list()
    if text:
        return _text(series, f"target {series.name!r}").to_list()
    numbers = _numeric(series, series.name)
    if (broken := numbers != numbers.floor()).any():
        raise DataError(f"target {series.name!r}: row {_first(broken)} is no whole number, as the classes are")
    return [int(number) for number in numbers]


def _learn_column(series: pl.Series, impute: bool, scale: bool, remarks: list[str]) -> Column:
    """Learn one column of the training rows."""
    import polars as pl

    name, what = series.name, f"column {series.name!r}"
    _refuse_dates(series, what)
    if series.dtype == pl.Boolean:
        given = _given(series, what, impute)
        trues = int(given.sum())
        column = Column(name, "boolean", fill=2 * trues > len(given) if impute else None)
        constant = trues in (0, len(given))
    elif series.dtype.is_numeric():
        numbers = _given(_numeric(series, name), what, impute).to_numpy()
        mean, std, median = _moments(numbers)
        constant = std == 0
        if len(numbers) > 1 and (numbers == np.floor(numbers)).all() and len(np.unique(numbers)) == len(numbers):
            remarks.append(f"{what}: whole numbers, all distinct; leave it out if it only names the rows")
        column = Column(name, "numeric", fill=median if impute else None)
        column = replace(column, mean=mean, std=std or 1.0) if scale else column
    else:
        given = _given(_text(series, what), what, impute)
        counts = dict(given.value_counts().iter_rows())
        _refuse_free_text(counts, len(given), what)
        categories = tuple(sorted(counts))
        fill = max(categories, key=counts.__getitem__) if impute else None  # of equals, the first in order
        column = Column(name, "category", categories=categories, fill=fill)
        constant = len(categories) == 1
    if constant:
        remarks.append(f"{what}: one value only in the training rows; it tells nothing")
    return column


def _given(series: pl.Series, what: str, impute: bool) -> pl.Series:
    """Return the values that are there; refuse a column without any, and missing ones unless imputing."""
    if series.null_count() == len(series):
        raise DataError(f"{what}: no values at all; leave it out")
    if series.null_count() and not impute:
        raise DataError(_missing(series, what))
    return series.drop_nulls()


def _missing(series: pl.Series, what: str) -> str:
    return (
        f"{what}: row {_first(series.is_null())} has no value ({series.null_count()} missing in all); "
        "fill them, or use --impute median"
    )


def _refuse_dates(series: pl.Series, what: str) -> None:
    import polars as pl

    dates = series.dtype.is_temporal()
    if series.dtype == pl.String:
        text = _text(series, what).drop_nulls()
        dates = len(text) > 0 and bool(text.str.contains(_DATE).all())
    if dates:
        raise DataError(f"{what}: dates or times; make numbers of them, such as the year or days since a day")


def _refuse_free_text(counts: dict[str, int], n: int, what: str) -> None:
    if len(counts) > MAX_CATEGORIES or 2 * len(counts) > n:
        raise DataError(
            f"{what}: {len(counts)} distinct texts in {n} values, such as {min(counts)[:30]!r}; "
            f"expected categories, at most {MAX_CATEGORIES} and half of the values; leave it out"
        )


def _moments(numbers: Array) -> tuple[float, float, float]:
    """Return mean, standard deviation (0 for one value only) and median, for numbers of any size.

    Examples
    --------
    >>> _moments(np.array([1.0, 2.0, 6.0]))
    (3.0, 2.160246899469287, 2.0)
    """
    if (numbers == numbers[0]).all():
        return float(numbers[0]), 0.0, float(numbers[0])
    exponent = int(np.frexp(np.abs(numbers).max())[1])  # to at most 1, exactly, so that no square overflows
    small = np.ldexp(numbers, -exponent)
    mean, std, median = (
        float(np.ldexp(value, exponent)) for value in (small.mean(), small.std(), np.median(small))
    )
    return mean, std, median


def _numeric(series: pl.Series, name: str) -> pl.Series:
    """Return numbers as float64 with null for NaN; refuse others, and infinity."""
    import polars as pl

    if series.null_count() == len(series):
        return pl.Series(series.name, [None] * len(series), dtype=pl.Float64)
    if not series.dtype.is_numeric():
        seen = series.drop_nulls()[0]
        raise DataError(f"column {name!r}: expected numbers, as in training, got {str(seen)[:30]!r}")
    numbers = series.cast(pl.Float64).fill_nan(None)
    if (infinite := numbers.is_infinite().fill_null(False)).any():
        raise DataError(f"column {name!r}: row {_first(infinite)} is infinite; expected a finite number")
    return numbers


def _text(series: pl.Series, what: str) -> pl.Series:
    """Return text without the blanks around it, null where nothing is left; whole numbers become their digits."""
    import polars as pl

    if series.null_count() == len(series):
        return pl.Series(series.name, [None] * len(series), dtype=pl.String)
    if not (series.dtype in (pl.String, pl.Categorical, pl.Enum) or series.dtype.is_integer()):
        raise DataError(f"{what}: expected text, as in training, got {series.dtype}")
    text = series.cast(pl.String).str.strip_chars()
    return text.set(text == "", None)


def _encode(column: Column, series: pl.Series, out: Array, remarks: list[str]) -> None:
    """Write the encoded column into its columns of X."""
    what = f"column {column.name!r}"
    if column.kind == "numeric":
        numbers = _filled(column, _numeric(series, column.name), remarks).to_numpy()
        with np.errstate(over="ignore"):
            out[:, 0] = (numbers - column.mean) / column.std
        if not np.isfinite(out).all():
            row = int(np.flatnonzero(~np.isfinite(out[:, 0]))[0])
            raise DataError(f"{what}: row {row + 1} is {numbers[row]:g}, too large beside the training rows")
    elif column.kind == "boolean":
        out[:, 0] = _filled(column, _boolean(series, what), remarks).to_numpy()
    else:
        if series.dtype.is_integer():
            remarks.append(f"{what}: whole numbers taken as categories, as in training")
        values = _filled(column, _text(series, what), remarks)
        for number, category in enumerate(column.categories):
            out[:, number] = (values == category).to_numpy()
        unseen = ~values.is_in(list(column.categories))
        if count := int(unseen.sum()):
            row = _first(unseen)
            remarks.append(
                f"{what}: {count} value{'s' * (count > 1)} unseen in training "
                f"(first {values[row - 1][:30]!r} in row {row}), all zeros"
            )


def _boolean(series: pl.Series, what: str) -> pl.Series:
    import polars as pl

    if series.null_count() == len(series):
        return pl.Series(series.name, [None] * len(series), dtype=pl.Boolean)
    if series.dtype != pl.Boolean:
        raise DataError(f"{what}: expected true and false, as in training, got {series.dtype}")
    return series


def _filled(column: Column, series: pl.Series, remarks: list[str]) -> pl.Series:
    """Return the values with the missing ones filled as training says, or refuse them."""
    count = series.null_count()
    if not count:
        return series
    if column.fill is None:
        raise DataError(_missing(series, f"column {column.name!r}"))
    typical = "median" if column.kind == "numeric" else "most frequent value"
    remarks.append(f"column {column.name!r}: {count} missing, set to the {typical} of training, {column.fill!r}")
    return series.fill_null(column.fill)


def _first(wrong: pl.Series) -> int:
    """Return the number of the first row that is true, counted from 1."""
    return int(wrong.arg_true()[0]) + 1


def _near(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return (
        f"; did you mean {close[0]!r}?"
        if close
        else f"; there are: {', '.join(known[:10])}{_more(len(known) - 10)}"
    )


def _more(number: int) -> str:
    return f" and {number} more" if number > 0 else ""
