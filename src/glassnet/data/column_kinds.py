"""The kinds of columns that a table can have: what is learned of each, and how its values become numbers."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from glassnet.data.column_values import (
    first_row,
    is_plain,
    quote,
    spell_numbers,
    take_booleans,
    take_categories,
    take_numbers,
)
from glassnet.data.dates import Order, read_days, spell_day
from glassnet.data.number_format import NumberFormat
from glassnet.data.pieces import check_edges, count_pieces, spell_edges, write_pieces
from glassnet.data.remarks import Remark
from glassnet.data.scaling import CLIP, ScalingName, scale_numbers
from glassnet.errors import DataError
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    import polars as pl

#: Standard deviations beyond which a value can hardly be meant as those of training were.
FAR = 100

_STRICT = {"extra": "forbid", "strict": True, "allow_inf_nan": False}


@dataclass(frozen=True, kw_only=True)
class BaseColumn(ABC):
    """What all kinds of columns have in common.

    With `indicator`, a further feature is 1 where the value is missing. Each kind has a `fill`, which a missing
    value becomes; None where one is an error.
    """

    name: str
    indicator: bool = False

    __pydantic_config__ = _STRICT
    #: What a missing value becomes, in words.
    typical: ClassVar[str] = "most frequent value"

    @property
    def what(self) -> str:
        """The column as messages name it."""
        return f"column {self.name!r}"

    @property
    def features(self) -> tuple[str, ...]:
        """A name for each number that a value becomes."""
        return (*self._value_features, *([f"{self.name} missing"] if self.indicator else []))

    @property
    def width(self) -> int:
        """How many numbers a value becomes."""
        return self._value_width + self.indicator

    @property
    def _value_features(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def _value_width(self) -> int:
        return 1

    @abstractmethod
    def read(self, series: pl.Series) -> pl.Series:
        """Return the values as they were in training, null where there is none; refuse what is none of these."""

    @abstractmethod
    def write(self, values: pl.Series, out: Array, scaling: ScalingName) -> str | None:
        """Write values, of which none is missing, as numbers into the first columns of `out`; return a remark."""

    @abstractmethod
    def describe(self, scaling: ScalingName) -> str:
        """Say in a few words what was learned."""

    def _refuse(self, wrong: str) -> None:
        raise ValueError(f"{self.what}: {wrong}")


@dataclass(frozen=True, kw_only=True)
class ScaledColumn(BaseColumn):
    """A column of numbers, scaled by `mean` and `std`, or robustly by `median` and `spread`.

    `std` is 1 where all numbers are one value, and `spread` 0; see `glassnet.data.scaling.Scaling`. Behind the
    scaled number stand its places in the pieces between the `edges`, if there are any; see `glassnet.data.pieces`.
    """

    mean: float
    std: float
    median: float
    spread: float
    fill: float | None = None
    edges: tuple[float, ...] = ()

    typical: ClassVar[str] = "median"

    def __post_init__(self) -> None:
        if not 0 < self.std < math.inf:
            self._refuse(f"a standard deviation of {self.std}")
        if not 0 <= self.spread < math.inf:
            self._refuse(f"a spread of {self.spread}")
        try:
            check_edges(self.edges)
        except ValueError as error:
            self._refuse(str(error))

    @property
    def _value_features(self) -> tuple[str, ...]:
        names = self._spell_edges()
        return (self.name, *(f"{self.name} from {low} to {high}" for low, high in pairwise(names)))

    @property
    def _value_width(self) -> int:
        return 1 + count_pieces(self.edges)

    def _spell_edges(self) -> list[str]:
        return spell_edges(self.edges)

    def place(self, scaling: ScalingName) -> tuple[float, float]:
        """Return what is taken off the numbers by a scaling, and what they are divided by then."""
        return {"none": (0.0, 1.0), "standard": (self.mean, self.std), "robust": (self.median, self.spread)}[
            scaling
        ]

    def write(self, values: pl.Series, out: Array, scaling: ScalingName) -> str | None:
        """Write scaled numbers and pieces; refuse those beyond float32, say which are very far from training's."""
        numbers = values.to_numpy()
        write_pieces(numbers, self.edges, out[:, 1 : 1 + count_pieces(self.edges)])
        with np.errstate(over="ignore"):
            out[:, 0] = scale_numbers(numbers, *self.place(scaling), scaling)
            far = np.abs(numbers - self.mean) / self.std > FAR
        if not np.isfinite(out[:, 0]).all():
            row = int(np.flatnonzero(~np.isfinite(out[:, 0]))[0])
            raise DataError(f"{self.what}: row {row + 1} is {numbers[row]:g}, too large beside the training rows")
        if not far.any():
            return None
        row, count = int(far.argmax()), int(far.sum())
        return (
            f"{self.what}: {count} value{'s' * (count > 1)} more than {FAR} standard deviations from the mean of "
            f"training, {self.mean:g} (first {numbers[row]:g} in row {row + 1}); are they in the same units?"
        )

    def describe_scale(self, scaling: ScalingName) -> str:
        """Say what scales the column."""
        center, spread = self.place(scaling)
        said = "as they are" if scaling == "none" else f"mean {center:.6g}, standard deviation {spread:.6g}"
        if scaling == "robust":
            said = f"median {center:.6g}, spread {spread:.6g} by the quartiles, smoothly clipped at {CLIP:g}"
        pieces = count_pieces(self.edges)
        return f"{said}, and {pieces} piece{'s' * (pieces > 1)}" if pieces else said


@dataclass(frozen=True, kw_only=True)
class NumericColumn(ScaledColumn):
    """Numbers, in text as `format` has them, or plain.

    `zero_one` says that they were only 0 and 1 in training, so that true and false can stand for them.
    """

    format: NumberFormat | None = None
    zero_one: bool = False
    kind: Literal["numeric"] = "numeric"

    def read(self, series: pl.Series) -> pl.Series:
        """Return Float64."""
        return take_numbers(series, self.what, self.format, self.zero_one)

    def describe(self, scaling: ScalingName) -> str:
        """Say what scales the numbers."""
        return f"numbers, {self.describe_scale(scaling)}"


@dataclass(frozen=True, kw_only=True)
class DateColumn(ScaledColumn):
    """Dates as days since 1970-01-01; `order` is that of day and month in text, None if training did not tell."""

    order: Order | None = None
    kind: Literal["date"] = "date"

    def read(self, series: pl.Series) -> pl.Series:
        """Return days as Float64."""
        return read_days(series, self.order, self.what)

    def _spell_edges(self) -> list[str]:
        """Return edges as dates, or as days where the calendar does not reach or two are of one day."""
        dates = [spell_day(edge) for edge in self.edges]
        return dates if len(set(dates)) == len(dates) else spell_edges(self.edges)

    def describe(self, scaling: ScalingName) -> str:
        """Say what scales the days."""
        return f"dates as days since 1970-01-01, {self.describe_scale(scaling)}"


@dataclass(frozen=True, kw_only=True)
class BooleanColumn(BaseColumn):
    """True and false, as 1 and 0."""

    fill: bool | None = None
    kind: Literal["boolean"] = "boolean"

    def read(self, series: pl.Series) -> pl.Series:
        """Return Boolean."""
        return take_booleans(series, self.what)

    def write(self, values: pl.Series, out: Array, scaling: ScalingName) -> str | None:
        """Write 1 for true."""
        out[:, 0] = values.to_numpy()
        return None

    def describe(self, scaling: ScalingName) -> str:
        """Say that there are two values."""
        return "true and false"


@dataclass(frozen=True, kw_only=True)
class CategoryColumn(BaseColumn):
    """One of the `categories`, which are sorted: a one for this one among zeros.

    With `numbers` the categories are numbers, and read as such, in text by `format`.
    """

    categories: tuple[str, ...]
    fill: str | None = None
    numbers: bool = False
    format: NumberFormat | None = None
    kind: Literal["category"] = "category"

    def __post_init__(self) -> None:
        if not self.categories or list(self.categories) != sorted(set(self.categories)):
            self._refuse("categories are not distinct and sorted, or none")
        if self.fill is not None and self.fill not in self.categories:
            self._refuse(f"{self.fill[:30]!r} fills it, but is none of its categories")

    @property
    def _value_features(self) -> tuple[str, ...]:
        return tuple(f"{self.name}={category}" for category in self.categories)

    @property
    def _value_width(self) -> int:
        return len(self.categories)

    def read(self, series: pl.Series) -> pl.Series:
        """Return each value as its category, and as it is written where it is unseen."""
        if not is_plain(series):
            raise DataError(f"{self.what}: expected text, as in training, got {series.dtype}")
        if self.numbers:
            series = spell_numbers(series, self.format)
        return take_categories(series, self.categories)

    def write(self, values: pl.Series, out: Array, scaling: ScalingName) -> str | None:
        """Write a one for the category of each value; say which are unseen."""
        labels = self._find_labels(values)
        known = labels >= 0
        out[np.flatnonzero(known), labels[known]] = 1
        return self.describe_unseen(values)

    def describe_unseen(self, values: pl.Series) -> str | None:
        """Say how many of the values are none of the categories, missing ones aside."""
        unseen = (~values.is_in(list(self.categories))).fill_null(False)
        count = int(unseen.sum())
        if not count:
            return None
        row = first_row(unseen)
        said = {"name": repr(self.name), "first": quote(values[row - 1]), "row": str(row)}
        return Remark("noticed.unseen_values", n=count, **said)

    def _find_labels(self, values: pl.Series) -> Array:
        """Return the number of each value's category, -1 where it is none."""
        import polars as pl

        numbers = list(range(len(self.categories)))
        return values.replace_strict(list(self.categories), numbers, default=-1, return_dtype=pl.Int64).to_numpy()

    def describe(self, scaling: ScalingName) -> str:
        """Say how many categories there are."""
        return f"{len(self.categories)} categories"


Column = NumericColumn | DateColumn | BooleanColumn | CategoryColumn


def read_columns(values: Any) -> tuple[Column, ...]:
    """Return columns from plain values, as JSON has them; a `ValueError` says what is wrong."""
    from typing import Annotated

    from pydantic import Field, TypeAdapter

    kinds = TypeAdapter(tuple[Annotated[Column, Field(discriminator="kind")], ...])
    return kinds.validate_json(json.dumps(values, allow_nan=False))


def read_names(values: Any) -> tuple[str, ...]:
    """Return names from plain values; a `ValueError` says what is wrong."""
    from pydantic import TypeAdapter

    return TypeAdapter(tuple[str, ...]).validate_json(json.dumps(values, allow_nan=False), strict=True)
