"""The values of a column as numbers, text, or true and false; what is none of these is refused by its row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassnet.errors import DataError
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    import polars as pl

#: A date or a time as text: 2024-05-31, 31.5.2024, 5/31/24, with or without a time of day behind it.
_DATE = r"^(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{2,4})([T ]\d{1,2}:.*)?$"


def take_numbers(series: pl.Series) -> pl.Series:
    """Return numbers as float64 with null for NaN; refuse others, and infinity."""
    import polars as pl

    if series.null_count() == len(series):
        return pl.Series(series.name, [None] * len(series), dtype=pl.Float64)
    if not series.dtype.is_numeric():
        seen = str(series.drop_nulls()[0])[:30]
        raise DataError(f"column {series.name!r}: expected numbers, as in training, got {seen!r}")
    numbers = series.cast(pl.Float64).fill_nan(None)
    if (infinite := numbers.is_infinite().fill_null(False)).any():
        raise DataError(f"column {series.name!r}: row {first_row(infinite)} is infinite; expected a finite number")
    return numbers


def take_text(series: pl.Series, what: str) -> pl.Series:
    """Return text without the blanks around it, null where nothing is left; whole numbers become their digits."""
    import polars as pl

    if series.null_count() == len(series):
        return pl.Series(series.name, [None] * len(series), dtype=pl.String)
    if not (series.dtype in (pl.String, pl.Categorical, pl.Enum) or series.dtype.is_integer()):
        raise DataError(f"{what}: expected text, as in training, got {series.dtype}")
    text = series.cast(pl.String).str.strip_chars()
    return text.set(text == "", None)


def take_booleans(series: pl.Series, what: str) -> pl.Series:
    """Return true and false as they are, and refuse all else."""
    import polars as pl

    if series.null_count() == len(series):
        return pl.Series(series.name, [None] * len(series), dtype=pl.Boolean)
    if series.dtype != pl.Boolean:
        raise DataError(f"{what}: expected true and false, as in training, got {series.dtype}")
    return series


def refuse_dates(series: pl.Series, what: str) -> None:
    """Refuse a column that holds dates or times, which no network takes as they are."""
    import polars as pl

    dates = series.dtype.is_temporal()
    if series.dtype == pl.String:
        text = take_text(series, what).drop_nulls()
        dates = len(text) > 0 and bool(text.str.contains(_DATE).all())
    if dates:
        raise DataError(f"{what}: dates or times; make numbers of them, such as the year or days since a day")


def find_missing(series: pl.Series) -> pl.Series:
    """Return for each row whether its value is null or NaN."""
    return series.is_null() | (series.is_nan() if series.dtype.is_float() else False)


def describe_missing(series: pl.Series, what: str) -> str:
    """Say which row of a column lacks a value, and what to do."""
    return (
        f"{what}: row {first_row(series.is_null())} has no value ({series.null_count()} missing in all); "
        "fill them, or use --impute median"
    )


def measure_numbers(numbers: Array) -> tuple[float, float, float]:
    """Return mean, standard deviation (0 for one value only) and median, for numbers of any size."""
    if (numbers == numbers[0]).all():
        return float(numbers[0]), 0.0, float(numbers[0])
    exponent = int(np.frexp(np.abs(numbers).max())[1])  # to at most 1, exactly, so that no square overflows
    small = np.ldexp(numbers, -exponent)
    mean, std, median = (
        float(np.ldexp(value, exponent)) for value in (small.mean(), small.std(), np.median(small))
    )
    return mean, std, median


def first_row(wrong: pl.Series) -> int:
    """Return the number of the first row that is true, counted from 1."""
    return int(wrong.arg_true()[0]) + 1


def list_more(number: int) -> str:
    """Say how many names of a list are left out, nothing where none are."""
    return f" and {number} more" if number > 0 else ""
