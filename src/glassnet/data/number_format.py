"""How the numbers of a column of text are written: the decimal mark, the marks between thousands, and a unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from glassnet.data.blanks import strip
from glassnet.data.read_options import ReadOptions
from glassnet.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

#: Beside an empty cell, what says in a column of numbers, or of true and false, that a value is missing.
MISSING = ("na", "n/a", "#n/a", "nan", "null", "nil", "none", "?", "-")

#: What may stand between thousands, and how a message calls it; other blanks and apostrophes are read as these.
THOUSANDS = {",": "commas", ".": "points", "'": "apostrophes", " ": "blanks", "_": "underscores"}

#: Marks that are read as plain ones: a minus sign, apostrophes, and blanks that do not break.
VARIANTS = {"\u2212": "-", "\u2019": "'", "\u02bc": "'", "\u00a0": " ", "\u202f": " ", "\u2009": " "}

#: A unit that may stand before or behind each number of a column: percent, a sign of money, or its code.
_UNIT = r"(?:%|\p{Sc}|[A-Z]{1,2}\$|USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|SEK|NOK|DKK|PLN|CZK|BRL|MXN)"

#: Decimal mark and mark of thousands, in the order in which they are tried. A mark of thousands must occur, and so
#: must a decimal comma, except beside points between thousands.
_WAYS = ((".", ""), (".", ","), (".", "'"), (".", " "), (",", ""), (",", "."), (",", "'"), (",", " "))


@dataclass(frozen=True)
class NumberFormat:
    """How each number of a column is written; the default is the plain way, such as ``-1234.5`` and ``1e-3``.

    `decimal` is the point or the comma, `thousands` what may stand between groups of three digits, and `unit` what
    must stand before or behind each number: ``%``, ``$``, ``EUR``. A percentage stays the number that is written.

    Examples
    --------
    >>> import polars as pl
    >>> prices = pl.Series("price", ["1.299,50", "850,25", "n/a"])
    >>> german = NumberFormat(decimal=",", thousands=".")
    >>> german.parse(prices).to_list()
    [1299.5, 850.25, None]
    """

    decimal: str = "."
    thousands: str = ""
    unit: str = ""

    __pydantic_config__ = {"extra": "forbid", "strict": True}  # noqa: RUF012

    def __post_init__(self) -> None:
        if self.decimal not in (".", ","):
            raise ValueError(f"decimal: a point or a comma, got {self.decimal[:9]!r}")
        if self.thousands not in ("", *THOUSANDS) or self.thousands == self.decimal:
            raise ValueError(f"thousands: no mark beside {self.decimal!r}: {self.thousands[:9]!r}")
        if len(self.unit) > 3 or re.search(r"[\d\s+.,'-]", self.unit):
            raise ValueError(f"unit: {self.unit[:9]!r} can be none")

    @classmethod
    def find(cls, series: pl.Series, options: ReadOptions | None = None) -> NumberFormat | None:
        """Return the only format in which all values of a column are numbers, None where there is none or two.

        The values are text; missing ones are passed over. Marks that `options` names come first.
        """
        found = find_formats(series, options)
        return found[0] if len(found) == 1 else None

    def parse(self, series: pl.Series) -> pl.Series:
        """Return the numbers that a column of text holds as Float64, null where a text is no finite number."""
        import polars as pl

        numbers = self.to_plain(series).cast(pl.Float64, strict=False)
        return mask(numbers, ~numbers.is_finite().fill_null(False))

    def to_plain(self, series: pl.Series) -> pl.Series:
        """Return numbers as the plain format writes them, still text, null where a text is not of this format."""
        text = _simplify(series)
        if self.unit:
            text = _take_unit(text, self.unit)
        if (self.decimal, self.thousands) == (".", ""):
            return text
        text = mask(text, ~text.str.contains(self.pattern).fill_null(False))
        if self.thousands:
            text = text.str.replace_all(self.thousands, "", literal=True)
        return text.str.replace(self.decimal, ".", literal=True)

    def describe(self) -> str:
        """Say how the numbers are written: "with a decimal comma and points between thousands"."""
        said = ["a decimal comma"] if self.decimal == "," else []
        said += [f"{THOUSANDS[self.thousands]} between thousands"] if self.thousands else []
        said += [repr(self.unit)] if self.unit else []
        return "with " + " and ".join(said) if said else "with another minus sign or blanks"

    @property
    def pattern(self) -> str:
        """A regular expression of its numbers, without a unit."""
        decimal, thousands = re.escape(self.decimal), re.escape(self.thousands)
        grouped = rf"|[1-9]\d{{0,2}}(?:{thousands}\d{{3}})+" if self.thousands else ""
        return rf"^[+-]?(?:(?:0|[1-9]\d*{grouped})(?:{decimal}\d+)?|{decimal}\d+)(?:[eE][+-]?\d+)?$"


def find_formats(series: pl.Series, options: ReadOptions | None = None) -> tuple[NumberFormat, ...]:
    """Return the formats in which all values of a column of text are numbers; two where the text does not tell.

    With two, the first has the decimal point: ``1.299`` and ``1,299`` may be about 1.3 or about 1300. Money is
    never written with three decimals but behind a point and a sign in front, as ``$3.499``: thousands it is.
    """
    given = series.filter(~find_missing(series))
    if given.is_empty():
        return ()
    text = _simplify(given)
    unit = text.str.extract(rf"^[+-]?\s*({_UNIT})", 1)[0] or text.str.extract(rf"({_UNIT})$", 1)[0] or ""
    asked = make_format(options)
    for one in [NumberFormat(asked.decimal, asked.thousands, unit)] if asked else []:
        if one.parse(text).null_count() == 0:
            return (one,)
    if unit:
        text = _take_unit(text, unit)
        if text.null_count():
            return ()
    has = {mark: bool(text.str.contains(mark, literal=True).any()) for mark in (*THOUSANDS, ",")}
    found = []
    for decimal, thousands in _WAYS:
        occurs = not thousands or has[thousands]
        if occurs and (decimal == "." or has[","] or thousands == "."):
            one = NumberFormat(decimal, thousands, unit)
            if NumberFormat(decimal, thousands).parse(text).null_count() == 0:
                found.append(one)
    if len(found) > 1 and unit not in ("", "%") and (has[","] or not _begins(given, unit)):
        found = [one for one in found if one.thousands]
    return tuple(found)


def make_format(options: ReadOptions | None) -> NumberFormat | None:
    """Return the format that the options name, None where they name none; `UsageError` if it can be none."""
    if options is None or (options.decimal is None and options.thousands is None):
        return None
    decimal, thousands = options.decimal, _plain_mark(options.thousands)
    if decimal is None:
        decimal = "," if thousands == "." else "."
    if thousands is None:
        thousands = "." if decimal == "," else ","
    if decimal not in (".", ","):
        raise UsageError("decimal", f"takes the mark before decimals, a point or a comma, got {decimal[:9]!r}")
    if thousands not in ("", *THOUSANDS):
        known = " ".join(repr(one) for one in THOUSANDS)
        raise UsageError("thousands", f"takes the mark between thousands, one of {known}, got {thousands[:9]!r}")
    if thousands == decimal:
        raise UsageError("thousands", f"{thousands!r} is the decimal mark too; name another for one of them")
    return NumberFormat(decimal, thousands)


def find_missing(series: pl.Series) -> pl.Series:
    """Return for each text whether it says in a column of numbers that the value is missing; null does."""
    text = strip(series).str.to_lowercase()
    return ((text == "") | text.is_in(MISSING)).fill_null(True)


def mask(column: pl.Series, missing: pl.Series) -> pl.Series:
    """Return a column with null where `missing` is true."""
    import polars as pl

    return pl.select(pl.when(~missing).then(column).alias(column.name)).to_series()


def _begins(given: pl.Series, unit: str) -> bool:
    """Whether the unit stands before the number in the first text."""
    return _simplify(given.head(1))[0].lstrip("+-").startswith(unit)


def _plain_mark(mark: str | None) -> str | None:
    return None if mark is None else VARIANTS.get(mark, mark)


def _simplify(series: pl.Series) -> pl.Series:
    """Return text without the blanks around it, with plain marks for their variants."""
    text = series.str.strip_chars()
    return text.str.replace_many(list(VARIANTS), list(VARIANTS.values()))


def _take_unit(text: pl.Series, unit: str) -> pl.Series:
    """Return text without the unit before or behind it, null where it has none."""
    import polars as pl

    sign = re.escape(unit)
    before = text.str.replace(rf"^([+-]?)\s*{sign}\s*", "${1}")
    behind = text.str.replace(rf"\s*{sign}$", "")
    chosen = pl.when(before != text).then(before).when(behind != text).then(behind).otherwise(None)
    return pl.select(chosen.alias(text.name)).to_series()
