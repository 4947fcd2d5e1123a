"""From named columns to numbers: scaling, one-hot and missing values, learned on the training rows only."""

from __future__ import annotations

import difflib
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from glassnet.data.column_values import (
    describe_missing,
    find_missing,
    first_row,
    list_more,
    measure_numbers,
    refuse_dates,
    take_booleans,
    take_numbers,
    take_text,
)
from glassnet.data.target_column import Target, learn_target, refuse_missing_target
from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    import polars as pl

#: Text with more distinct values than this, or more than half of all values distinct, counts as free text.
MAX_CATEGORIES = 100


@dataclass(frozen=True)
class Column:
    """One column of the table, and what was learned of it.

    It becomes a number scaled by `mean` and `std`, which are 0 and 1 where it is not scaled; a one for the
    category among zeros, the `categories` sorted; or 0 and 1. `fill` is what a missing value becomes, None where
    one is an error.
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
class TableEncoder:
    """Rows of a table to rows of numbers, by what `fit` learned on the training rows.

    `columns` are in the order of the training table, without the target; `remarks` say what `fit` decided, and
    what looked odd to it.

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
        """Learn the columns of a table of training rows, one of which may be the target to predict.

        A missing value is an error, or becomes the median (the most frequent category) of these rows. With
        `scale`, numeric columns and a target to regress are brought to mean 0 and standard deviation 1. `labels`
        are the target of all rows, where `frame` holds but some. `DataError` is raised if a column is missing,
        holds dates or free text or nothing; if the target lacks values or has one class only.
        """
        if impute not in ("error", "median"):
            raise UsageError("impute", f"takes error or median, got {impute!r}")
        if frame.height == 0:
            raise DataError("table: no rows to learn the columns from")
        remarks: list[str] = []
        learned = None
        if target is not None:
            if target not in frame.columns:
                raise DataError(f"table: no column {target!r} for the target{_suggest(target, frame.columns)}")
            learned = learn_target(frame[target], frame[target] if labels is None else labels, scale, remarks)
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
        """Return rows as float32 of shape (n, d), with a column for each of `feature_names`, and remarks.

        Columns are taken by name, in any order. The remarks tell of columns left out because training did not have
        them, of categories unseen in training, and of missing values filled. `DataError` is raised if a column is
        missing or of another kind, or a value is missing (without ``impute="median"``) or beyond float32.
        """
        remarks: list[str] = []
        names, given = [column.name for column in self.columns], set(frame.columns)
        if missing := [name for name in names if name not in given]:
            raise DataError(
                f"table: no column {missing[0]!r}, which training had{_suggest(missing[0], frame.columns)}"
            )
        known = {*names, self.target.name} if self.target else set(names)
        if extra := [name for name in frame.columns if name not in known]:
            remarks.append(
                f"left out, as training did not have them: {', '.join(extra[:5])}{list_more(len(extra) - 5)}"
            )
        X = np.zeros((frame.height, len(self.feature_names)), np.float32)
        starts = np.cumsum([len(column.features) for column in self.columns])[:-1]
        for column, part in zip(self.columns, np.split(X, starts, axis=1), strict=True):
            _encode(column, frame[column.name], part, remarks)
        return X, tuple(remarks)

    def encode_target(self, series: pl.Series) -> Array:
        """Return labels (int64, in sorted class order), or numbers (float64, scaled as those of training)."""
        return self._require_target().encode(series)

    def decode_target(self, y: Array) -> Array:
        """Return labels as the classes they stand for, numbers in the units of the table."""
        return self._require_target().decode(y)

    def _require_target(self) -> Target:
        if self.target is None:
            raise DataError("table: these columns were learned without a target")
        return self.target

    def to_json(self) -> str:
        """Return the encoder as JSON, floats by their shortest exact digits."""
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> TableEncoder:
        """Return the encoder that `to_json` wrote; `DataError` is raised if the text is of no such encoder."""
        from pydantic import TypeAdapter, ValidationError

        try:
            return TypeAdapter(cls).validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise DataError(f"no table encoder of version 1: {place}: {' '.join(first['msg'].split())}") from None


def refuse_missing(frame: pl.DataFrame, target: str, impute: str | None) -> None:
    """Refuse missing values, by their rows in the whole table, before its rows go apart."""
    for series in frame:
        if series.name == target:
            refuse_missing_target(series)
        elif impute in (None, "error"):
            missing = find_missing(series)
            if missing.any() and not missing.all():
                numbers = take_numbers(series) if series.dtype.is_numeric() else series
                raise DataError(describe_missing(numbers, f"column {series.name!r}"))


def _learn_column(series: pl.Series, impute: bool, scale: bool, remarks: list[str]) -> Column:
    """Learn one column of the training rows."""
    import polars as pl

    name, what = series.name, f"column {series.name!r}"
    refuse_dates(series, what)
    if series.dtype == pl.Boolean:
        given = _take_given(series, what, impute)
        trues = int(given.sum())
        column = Column(name, "boolean", fill=2 * trues > len(given) if impute else None)
        constant = trues in (0, len(given))
    elif series.dtype.is_numeric():
        numbers = _take_given(take_numbers(series), what, impute).to_numpy()
        mean, std, median = measure_numbers(numbers)
        constant = std == 0
        if len(numbers) > 1 and (numbers == np.floor(numbers)).all() and len(np.unique(numbers)) == len(numbers):
            remarks.append(f"{what}: whole numbers, all distinct; leave it out if it only names the rows")
        column = Column(name, "numeric", fill=median if impute else None)
        column = replace(column, mean=mean, std=std or 1.0) if scale else column
    else:
        given = _take_given(take_text(series, what), what, impute)
        counts = dict(given.value_counts().iter_rows())
        _refuse_free_text(counts, len(given), what)
        categories = tuple(sorted(counts))
        fill = max(categories, key=counts.__getitem__) if impute else None  # of equals, the first in order
        column = Column(name, "category", categories=categories, fill=fill)
        constant = len(categories) == 1
    if constant:
        remarks.append(f"{what}: one value only in the training rows; it tells nothing")
    return column


def _take_given(series: pl.Series, what: str, impute: bool) -> pl.Series:
    """Return the values that are there; refuse a column without any, and missing ones unless imputing."""
    if series.null_count() == len(series):
        raise DataError(f"{what}: no values at all; leave it out")
    if series.null_count() and not impute:
        raise DataError(describe_missing(series, what))
    return series.drop_nulls()


def _refuse_free_text(counts: dict[str, int], n: int, what: str) -> None:
    if len(counts) > MAX_CATEGORIES or 2 * len(counts) > n:
        raise DataError(
            f"{what}: {len(counts)} distinct texts in {n} values, such as {min(counts)[:30]!r}; "
            f"expected categories, at most {MAX_CATEGORIES} and half of the values; leave it out"
        )


def _encode(column: Column, series: pl.Series, out: Array, remarks: list[str]) -> None:
    """Write the encoded column into its columns of X."""
    what = f"column {column.name!r}"
    if column.kind == "numeric":
        numbers = _fill_missing(column, take_numbers(series), remarks).to_numpy()
        with np.errstate(over="ignore"):
            out[:, 0] = (numbers - column.mean) / column.std
        if not np.isfinite(out).all():
            row = int(np.flatnonzero(~np.isfinite(out[:, 0]))[0])
            raise DataError(f"{what}: row {row + 1} is {numbers[row]:g}, too large beside the training rows")
    elif column.kind == "boolean":
        out[:, 0] = _fill_missing(column, take_booleans(series, what), remarks).to_numpy()
    else:
        if series.dtype.is_integer():
            remarks.append(f"{what}: whole numbers taken as categories, as in training")
        values = _fill_missing(column, take_text(series, what), remarks)
        for number, category in enumerate(column.categories):
            out[:, number] = (values == category).to_numpy()
        unseen = ~values.is_in(list(column.categories))
        if count := int(unseen.sum()):
            row = first_row(unseen)
            remarks.append(
                f"{what}: {count} value{'s' * (count > 1)} unseen in training "
                f"(first {values[row - 1][:30]!r} in row {row}), all zeros"
            )


def _fill_missing(column: Column, series: pl.Series, remarks: list[str]) -> pl.Series:
    """Return the values with the missing ones filled as training says, or refuse them."""
    count = series.null_count()
    if not count:
        return series
    if column.fill is None:
        raise DataError(describe_missing(series, f"column {column.name!r}"))
    typical = "median" if column.kind == "numeric" else "most frequent value"
    remarks.append(f"column {column.name!r}: {count} missing, set to the {typical} of training, {column.fill!r}")
    return series.fill_null(column.fill)


def _suggest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return (
        f"; did you mean {close[0]!r}?"
        if close
        else f"; there are: {', '.join(known[:10])}{list_more(len(known) - 10)}"
    )
