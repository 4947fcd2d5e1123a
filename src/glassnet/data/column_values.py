"""The values of a column as numbers, text, or true and false; what is none of these is refused by its row."""

from __future__ import annotations

import datetime
import decimal
import re
import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.data.blanks import strip
from glassnet.data.number_format import MISSING, NumberFormat, find_formats, mask
from glassnet.data.remarks import name_some
from glassnet.errors import DataError
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    import polars as pl

#: A whole number in digits, with or without an empty fraction.
WHOLE = re.compile(r"([+-]?)0*([0-9]+)(?:\.0*)?")

#: A whole number as text that is no code: no sign in front, and no zeros.
PLAIN_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]{0,400}))(?:\.0+)?")

#: A number written plainly.
PLAIN_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

#: Numbers that often stand for a missing value, and the fewest distinct other values that tell.
SENTINELS, FEWEST_OTHERS = (999.0, 9999.0, 99999.0, 999999.0), 3


def is_text(series: pl.Series) -> bool:
    """Whether a column holds text, however it is stored."""
    import polars as pl

    return isinstance(series.dtype, pl.String | pl.Categorical | pl.Enum)


def is_plain(series: pl.Series) -> bool:
    """Whether a column holds numbers, text, dates, true and false, or nothing; and no lists or bytes."""
    import polars as pl

    dtype = series.dtype
    return is_text(series) or dtype.is_numeric() or dtype.is_temporal() or dtype in (pl.Boolean, pl.Null)


def take_text(series: pl.Series) -> pl.Series:
    """Return text without the blanks around it, null where nothing is left."""
    import polars as pl

    text = strip(series.cast(pl.String))
    return text.set(text == "", None)


def take_values(series: pl.Series) -> pl.Series:
    """Return a column with null wherever it has no value: NaN, and text of blanks."""
    if is_text(series):
        return take_text(series)
    return series.fill_nan(None) if series.dtype.is_float() else series


def blank_values(series: pl.Series, missing: Sequence[str]) -> pl.Series:
    """Return a column with null for values that stand for missing ones, given as text: the same text or number."""
    import polars as pl

    if not missing:
        return series
    if is_text(series):
        return mask(series, take_text(series).is_in(list(missing)).fill_null(False))
    if series.dtype.is_numeric():
        return mask(series, series.cast(pl.Float64).is_in(find_numbers(missing)).fill_null(False))
    return series


def find_numbers(words: Sequence[str]) -> list[float]:
    """Return those of the words that are numbers, written plainly."""
    return [float(word) for word in words if PLAIN_NUMBER.fullmatch(word)]


def find_sentinel(numbers: Array) -> tuple[float, int] | None:
    """Return a number of nines that stands far outside all others and repeats, and how often; None without one."""
    suspects = np.isin(np.abs(numbers), SENTINELS)
    others = numbers[~suspects]
    if not suspects.any() or len(np.unique(others)) < FEWEST_OTHERS:
        return None
    low, high = float(others.min()), float(others.max())
    far = numbers[suspects & ((numbers < low - (high - low)) | (numbers > high + (high - low)))]
    values, counts = np.unique(far, return_counts=True)
    if not len(values) or counts.max() < 2:
        return None
    return float(values[counts.argmax()]), int(counts.max())


def take_numbers(
    series: pl.Series, what: str, number_format: NumberFormat | None = None, booleans: bool = False
) -> pl.Series:
    """Return numbers as Float64, null where there is no value; refuse all else, and infinity, by its row.

    Text is read by the format, or as ``12.5`` and ``1e3``. With `booleans`, true and false are 1 and 0.
    """
    import polars as pl

    if series.null_count() == len(series):
        return pl.Series(series.name, [None] * len(series), dtype=pl.Float64)
    if series.dtype.is_numeric() or (booleans and series.dtype == pl.Boolean):
        numbers = series.cast(pl.Float64)
    elif is_text(series):
        numbers = _parse_text(series, what, number_format, booleans)
    else:
        _refuse(series.is_not_null(), series, what, "a number")
    if np.isfinite(numbers.to_numpy()).all():  # most often, and far cheaper to find out than what follows
        return numbers
    numbers = numbers.fill_nan(None)
    if (infinite := numbers.is_infinite().fill_null(False)).any():
        raise DataError(f"{what}: row {first_row(infinite)} is infinite; expected a finite number")
    return numbers


def _parse_text(series: pl.Series, what: str, number_format: NumberFormat | None, booleans: bool) -> pl.Series:
    """Return the numbers that text holds, null where it says that there is none; refuse other text."""
    import polars as pl

    if number_format is None and series.dtype == pl.String:
        numbers = series.cast(pl.Float64, strict=False)
        if not numbers.null_count() and np.isfinite(numbers.to_numpy()).all():
            return numbers
    text = take_text(series)
    numbers = number_format.parse(text) if number_format else text.cast(pl.Float64, strict=False)
    lower = text.str.to_lowercase()
    if booleans:
        truths = lower.replace_strict(["true", "false"], [1.0, 0.0], default=None, return_dtype=pl.Float64)
        numbers = numbers.fill_null(truths)
    missing = text.is_null() | lower.is_in(MISSING)
    wrong = numbers.is_null() & ~missing
    if wrong.any():
        expected = f"a number{_explain_format(text.filter(wrong)[0], number_format or NumberFormat())}"
        _refuse(wrong, text, what, expected)
    return mask(numbers.alias(series.name), missing)


def _explain_format(text: str, learned: NumberFormat) -> str:
    """Say how training wrote numbers, where a text is a number written otherwise, and what to do."""
    import polars as pl

    found = find_formats(pl.Series([text]))
    if not found:
        return ""
    way = learned.describe() if learned != NumberFormat() else "written plainly, such as 1234.5"
    remedy = "write it so"
    if found[0].thousands and (found[0].decimal, found[0].unit) == (learned.decimal, learned.unit):
        remedy += f", or train with --thousands {shlex.quote(found[0].thousands)}"
    return f" {way} ({remedy})"


def take_booleans(series: pl.Series, what: str) -> pl.Series:
    """Return true and false, null for no value; 1 and 0 and text stand for them, all else is refused."""
    import polars as pl

    if series.dtype == pl.Boolean:
        return series
    expected = "true or false, 1 or 0"
    if is_text(series):
        text = take_text(series)
        lower = text.str.to_lowercase()
        numbers = text.cast(pl.Float64, strict=False)
        missing = text.is_null() | lower.is_in(MISSING)
        truths = (lower == "true") | (numbers == 1).fill_null(False)
        wrong = ~(truths | (lower == "false") | (numbers == 0).fill_null(False) | missing)
        _refuse(wrong, text, what, expected)
    elif series.dtype.is_numeric() or series.null_count() == len(series):
        numbers = series.cast(pl.Float64).fill_nan(None)
        missing = numbers.is_null()
        truths = numbers == 1
        _refuse(~(truths | (numbers == 0) | missing), series, what, expected)
    else:
        _refuse(series.is_not_null(), series, what, expected)
    return mask(truths.alias(series.name), missing)


def take_categories(series: pl.Series, categories: tuple[str, ...]) -> pl.Series:
    """Return a column of text with each value as the category that it is, and as it is written where it is none.

    Text is the category that is written like it, or, for a whole number, the only one equal to it. A number, date
    or boolean is the category written as it is written here (`spell`), or the only one equal to it.
    """
    import polars as pl

    values = take_values(series)
    if not is_text(series):
        find = CategoryFinder(categories, by_value=True)
        return map_distinct(values, find, pl.String)
    known = values.is_null() | values.is_in(list(categories))
    if known.all():
        return values
    find = CategoryFinder(categories, by_value=False)
    unknown = values.filter(~known).unique()
    return values.replace(unknown, pl.Series([find(value) for value in unknown], dtype=pl.String))


class CategoryFinder:
    """Finds the category that a value is; where there is none, returns the value as text."""

    def __init__(self, categories: tuple[str, ...], by_value: bool) -> None:
        self.written, self.by_value = set(categories), by_value
        self.equal: dict[object, list[str]] = {}
        for category in categories:
            self.equal.setdefault(self._key(category), []).append(category)

    def __call__(self, value: Any) -> str:
        """Return the category, or the text."""
        text = spell(value)
        if text in self.written:
            return text
        equal = self.equal.get(self._key(text), [])
        return equal[0] if len(equal) == 1 else text

    def _key(self, text: str) -> object:
        """What two spellings of one value have in common; a text that is no number has only itself."""
        if whole := PLAIN_WHOLE.fullmatch(text):
            return int(whole[1])
        if self.by_value:
            if PLAIN_NUMBER.fullmatch(text):  # 007 too, which a program may have made the number 7 of
                return float(text)
            if text.lower() in ("true", "false"):
                return text.lower()
        return text


def spell_numbers(series: pl.Series, number_format: NumberFormat | None = None) -> pl.Series:
    """Return numbers, or text of numbers, as categories: 1, 1.0, "1" and "1.0" as "1"; text that is none stays.

    Null is where there is no value.
    """
    import polars as pl

    values = take_values(series)
    if not is_text(series):
        return map_distinct(values, spell, pl.String)
    values = values.set(values.str.to_lowercase().is_in(MISSING), None)
    if number_format is None:
        return map_distinct(values, spell_text, pl.String)
    distinct = values.drop_nulls().unique()
    numbers = number_format.parse(distinct).fill_nan(None).to_list()
    spelled = [text if number is None else spell(number) for text, number in zip(distinct, numbers, strict=True)]
    return values.replace(distinct, pl.Series(spelled, dtype=pl.String))


def spell(value: Any) -> str:
    """Return a value as the text of a category: whole numbers as their digits, dates as ISO 8601 has them."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | decimal.Decimal):
        whole = value == value and abs(value) != float("inf") and value == int(value)
        return str(int(value)) if whole else repr(float(value))
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time() and value.tzinfo is None
        return value.date().isoformat() if midnight else value.isoformat(" ")
    return str(value)


def spell_text(text: str) -> str:
    """Return text of a number as `spell` has that number; other text as it is."""
    if whole := WHOLE.fullmatch(text):
        return ("-" if whole[1] == "-" and whole[2] != "0" else "") + whole[2]
    return spell(float(text)) if PLAIN_NUMBER.fullmatch(text) else text


def map_distinct(series: pl.Series, function: Callable[[Any], Any], dtype: Any) -> pl.Series:
    """Return a column with a function of every value; null stays null."""
    import polars as pl

    distinct = series.drop_nulls().unique()
    results = pl.Series([function(value) for value in distinct], dtype=dtype)
    return series.replace_strict(distinct, results, default=None, return_dtype=dtype)


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


def list_names(names: list[str], most: int = 10) -> str:
    """Return names in a row, the first of them where they are many."""
    return name_some(names, most)


def list_more(number: int) -> str:
    """Say how many names of a list are left out, nothing where none are."""
    return f" and {number} more" if number > 0 else ""


def quote(value: object, length: int = 30) -> str:
    """Return a value as a message shows it: in quotes, cut to a length, without what cannot be printed."""
    return repr(str(value)[:length])


def _refuse(wrong: pl.Series, values: pl.Series, what: str, expected: str) -> None:
    """Refuse a column if a row is wrong, by the first such row."""
    if wrong.any():
        if not is_plain(values):
            raise DataError(f"{what}: expected {expected}, as in training, got {values.dtype}")
        row = first_row(wrong)
        raise DataError(
            f"{what}: row {row} is {quote(spell(values[row - 1]))}; expected {expected}, as in training"
        )
