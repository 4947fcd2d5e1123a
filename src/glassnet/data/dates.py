"""Dates and times as numbers: days since 1970-01-01, with the time of day as a fraction.

A date is read as ISO 8601 writes it, with the month as an English word, or as day, month and year in an order
that a whole column of training settles: nothing tells whether 03/04/2024 is in March or in April, but 31/05/2024
beside it does.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from glassnet.data.column_values import first_row, is_text, map_distinct, quote, spell_numbers, take_text
from glassnet.data.number_format import MISSING
from glassnet.errors import DataError

if TYPE_CHECKING:
    import polars as pl

#: Which part stands first where a date is three numbers, the year not a full one in front.
Order = Literal["day", "month", "year"]

ORDERS: tuple[Order, ...] = ("day", "month", "year")

#: A year of two digits is of the hundred that begin with this year, as in C and in Python.
FIRST_YEAR = 1969

NO_DATE = [*MISSING, "nat"]

DAY = 86_400_000_000  # microseconds

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_WORD = (
    r"(?P<word>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_TIME = (  # blanks are counted, so that no value takes long to match
    r"(?:(?:T| {1,3})(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?"
    r" ?(?P<half>[ap]m)? ?(?P<zone>Z|[+-](?:0\d|1[0-4]):?[0-5]\d)?)?"
)


def _compile(day: str) -> re.Pattern[str]:
    return re.compile(day + _TIME, re.IGNORECASE | re.ASCII)


WRITTEN_OUT = (
    _compile(r"(?P<y>\d{4})(?P<mark>[-/.])(?P<m>\d{1,2})(?P=mark)(?P<d>\d{1,2})"),
    _compile(r"(?P<d>\d{1,2})[ -]?" + _WORD + r",?[ -]?(?P<y>\d{4}|\d{2})"),
    _compile(_WORD + r" {1,3}(?P<d>\d{1,2}),? {1,3}(?P<y>\d{4})"),
)
SHORT = re.compile(r"(?P<y>\d{4})(?:-(?P<m>\d{2})|(?P<month>\d{2})(?P<d>\d{2}))", re.ASCII)  # 2024-05, 20240531
THREE_NUMBERS = _compile(r"(?P<a>\d{1,2})(?P<mark>[-/.])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{4}|\d{2})")


def read_days(series: pl.Series, order: Order | None, what: str) -> pl.Series:
    """Return days since 1970-01-01 as Float64, null where there is no value; refuse what is no date, by its row.

    Dates, times, durations, text, and whole numbers such as 20240531 are read, each row by itself.
    """
    import polars as pl

    if series.dtype.is_temporal():
        return _count_days(series)
    if not (is_text(series) or series.dtype.is_numeric() or series.null_count() == len(series)):
        raise DataError(f"{what}: expected dates, such as 2024-05-31, got {series.dtype}")
    text = spell_numbers(series) if series.dtype.is_numeric() else take_text(series)
    missing = text.is_null() | text.str.to_lowercase().is_in(NO_DATE)
    moments = map_distinct(text, lambda given: parse_date(given, order), pl.Int64)
    wrong = moments.is_null() & ~missing
    if wrong.any():
        row = first_row(wrong)
        raise DataError(f"{what}: row {row} is {quote(text[row - 1])}, {_explain(text[row - 1], order)}")
    return _count_days(moments.cast(pl.Datetime("us")))


def spell_day(days: float) -> str:
    """Return days since 1970-01-01 as a date, to the nearest day; empty where the calendar does not reach.

    Examples
    --------
    >>> spell_day(19874.2), spell_day(1e9)
    ('2024-05-31', '')
    """
    try:
        return str(datetime.date(1970, 1, 1) + datetime.timedelta(days=round(days)))
    except OverflowError:
        return ""


def _count_days(series: pl.Series) -> pl.Series:
    """Return dates, times or durations in days; the whole days are exact for any year."""
    import polars as pl

    if series.dtype == pl.Date:
        return series.cast(pl.Int32).cast(pl.Float64)
    if series.dtype == pl.Time:  # nanoseconds since midnight
        moments = series.cast(pl.Int64) // 1000
    elif isinstance(series.dtype, pl.Duration):
        moments = series.cast(pl.Duration("us")).cast(pl.Int64)
    else:
        moments = series.cast(pl.Datetime("us", getattr(series.dtype, "time_zone", None))).cast(pl.Int64)
    return (moments // DAY).cast(pl.Float64) + (moments % DAY).cast(pl.Float64) / DAY


def parse_date(text: str, order: Order | None) -> int | None:
    """Return a date as microseconds since 1970-01-01, in UTC where it names a time zone; None for what is none.

    `order` is that of three numbers; with points between them the day is always first.

    Examples
    --------
    >>> parse_date("1970-01-02", None), parse_date("2/1/1970", "day"), parse_date("2/1/1970", None)
    (86400000000, 86400000000, None)
    """
    found = _match_written_out(text) or SHORT.fullmatch(text)
    if found:
        return _count(found, lambda parts: (_full_year(parts["y"]), _month(parts), int(parts.get("d") or 1)))
    if not (found := THREE_NUMBERS.fullmatch(text)):
        return None
    order = "day" if found["mark"] == "." else order
    if order is None:
        return None
    places = {"day": "cba", "month": "cab", "year": "abc"}[order]
    year, month, day = (found[place] for place in places)
    return _count(found, lambda _: (_full_year(year), int(month), int(day)))


def list_texts(series: pl.Series) -> list[str]:
    """Return the distinct values of a column of text, in the order of the rows, without what stands for none."""
    text = take_text(series).drop_nulls().unique(maintain_order=True)
    return text.filter(~text.str.to_lowercase().is_in(NO_DATE)).to_list()


def settle_order(texts: Iterable[str], what: str) -> Order | None:
    """Return the order of day, month and year that alone makes dates of all values; None where none is needed.

    `DataError` names a value that is no date, or says that the values leave the order open.
    """
    open_orders, example = set(ORDERS), None
    for text in texts:
        found = THREE_NUMBERS.fullmatch(text)
        if found and found["mark"] != ".":
            fitting = {order for order in open_orders if parse_date(text, order) is not None}
            if not fitting:
                so_far = f" after {quote(example)}" if example else ""
                raise DataError(f"{what}: {quote(text)}{so_far} is no date in any one order; write 2024-05-31")
            open_orders, example = fitting, text
        elif parse_date(text, None) is None:
            raise DataError(f"{what}: {quote(text)} is {_explain(text, None)}")
    if example is None:
        return None
    if len(open_orders) > 1:
        parts = " or ".join(order for order in ORDERS if order in open_orders)
        raise DataError(
            f"{what}: no value tells whether {parts} comes first, as in {quote(example)}; write 2024-05-31"
        )
    return open_orders.pop()


def looks_like_dates(texts: Sequence[str]) -> bool:
    """Whether there are values, and all are dates of day, month and year in some order."""
    return bool(texts) and all(_match_written_out(text) or THREE_NUMBERS.fullmatch(text) for text in texts)


def has_short_years(texts: Iterable[str]) -> bool:
    """Whether a date has a year of two digits."""
    for text in texts:
        found = THREE_NUMBERS.fullmatch(text) or _match_written_out(text)
        if found and len(found.groupdict().get("c") or found.groupdict().get("y") or "") == 2:
            return True
    return False


def _match_written_out(text: str) -> re.Match[str] | None:
    """Match a date that says by itself what is day, month and year."""
    for pattern in WRITTEN_OUT:
        if found := pattern.fullmatch(text):
            return found
    return None


def _month(parts: dict[str, str | None]) -> int:
    if word := parts.get("word"):
        return MONTHS.index(word[:3].lower()) + 1
    return int(parts.get("m") or parts["month"] or 0)


def _full_year(text: str | None) -> int:
    assert text is not None
    if len(text) > 2:
        return int(text)
    return FIRST_YEAR + (int(text) - FIRST_YEAR) % 100


def _count(found: re.Match[str], take_day: Callable[[dict[str, str | None]], tuple[int, int, int]]) -> int | None:
    """Return the microseconds of a matched date and time, None where there is no such day or time."""
    parts = found.groupdict()
    try:
        day = datetime.date(*take_day(parts)).toordinal() - datetime.date(1970, 1, 1).toordinal()
        return day * DAY + _count_time(parts)
    except ValueError:
        return None


def _count_time(parts: dict[str, str | None]) -> int:
    """Return the microseconds since midnight, in UTC where the time names a zone."""
    if parts.get("hour") is None:
        return 0
    hour, half = int(parts["hour"] or 0), (parts["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("an hour that no clock of twelve hours has")
        hour = hour % 12 + 12 * (half == "pm")
    time = datetime.time(hour, int(parts["minute"] or 0), int(parts["second"] or 0))
    seconds = 3600 * time.hour + 60 * time.minute + time.second
    zone = (parts["zone"] or "").replace(":", "")
    if len(zone) == 5:
        away = 60 * int(zone[1:3]) + int(zone[3:])
        seconds -= 60 * away * (-1 if zone[0] == "-" else 1)
    return seconds * 1_000_000 + int((parts["part"] or "").ljust(6, "0")[:6])


def _explain(text: str, order: Order | None) -> str:
    """Say why a value cannot be read as a date."""
    if THREE_NUMBERS.fullmatch(text):
        if order is None:
            return "a date of which training did not tell whether day or month comes first; write 2024-05-31"
        return f"no date with the {order} first, as in training; write 2024-05-31"
    return "no date such as 2024-05-31"
