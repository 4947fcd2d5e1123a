"""The types of columns of text, decided on all of their values: numbers, true and false, or text."""

from __future__ import annotations

import array

import polars as pl

from glassnet.data.blanks import strip
from glassnet.data.number_format import MISSING, NumberFormat, find_formats, make_format, mask
from glassnet.data.read_options import ReadOptions
from glassnet.data.table_schema import Faults, list_names, note_faults, quote_value

#: A whole number, one that begins with a zero and goes on, and one that may count thousands behind its point.
_WHOLE, _ZEROS, _GROUPED = r"^[+-]?[0-9]+$", r"^[+-]?0[0-9]", r"^[+-]?[1-9]\d{0,2}(\.\d{3})?$"

#: A number with marks that other programs may take for a decimal point or for thousands.
_MARKED = r"^[+-]?\d+([,_']\d+)*(\.\d+)?$"

_REMEDY = (
    "correct the values, leave a cell empty where its value is missing, or name the column after --categorical "
    "where it holds codes, after --drop where it is not needed"
)


class ColumnTyper:
    """Gives each column of a text file its type, and collects what was converted and what is wrong.

    `starts` holds the line on which each row begins, which messages call as `place` does; `delimiter` helps to
    tell decimals from thousands.
    """

    def __init__(
        self, options: ReadOptions, starts: array.array[int], delimiter: str, place: str = "line {}"
    ) -> None:
        self.options, self.starts, self.delimiter, self.place = options, starts, delimiter, place
        self.asked = make_format(options)
        self.columns: list[pl.Series] = []
        self.formats: dict[str, NumberFormat] = {}
        self.written: pl.Series | None = None  # the target as the file writes it
        self._faults: Faults = {}
        self._said: dict[str, dict[str, str]] = {}
        self._undecided: list[tuple[int, pl.Series, tuple[NumberFormat, ...]]] = []
        self._has_commas = self._has_points = False

    def add(self, text: pl.DataFrame) -> None:
        """Type columns: plain numbers all at once, as tables may be wide, others one by one."""
        every = pl.all()
        bare = text.select(strip(every))
        bare = bare.select(pl.when(~every.is_in(["", *self.options.missing])).then(every).name.keep())
        numbers = bare.select(every.cast(pl.Float64, strict=False))
        lost = numbers.null_count().row(0), bare.null_count().row(0)
        finite = numbers.select(every.is_finite().any(), every.is_finite().all().name.suffix(" all")).row(0)
        zeros = bare.select(every.str.contains(_ZEROS).any()).row(0)
        whole = bare.select(every.str.contains(_WHOLE).all()).row(0)
        grouped = bare.head(100).select(every.str.contains(_GROUPED).all()).row(0)
        for number, name in enumerate(text.columns):
            is_finite = finite[number] and finite[number + text.width]
            is_plain = is_finite and lost[0][number] == lost[1][number] and not zeros[number]
            column = None
            if self._keeps_text(name):
                column = bare[name]
            elif is_plain and self.asked is None:
                column = self._type_plain(bare[name], numbers[name], bool(whole[number]), grouped[number])
            if name == self.options.target:
                self.written = bare[name]
            self.columns.append(self._type_column(bare[name]) if column is None else column)

    def finish(self, faults: Faults | None = None) -> tuple[str, ...]:
        """Decide what only the whole file tells, and return the remarks.

        `ContentError` names all faults, unless they are gathered.
        """
        evidence = self._has_commas, self._has_points and not self._has_commas
        for index, bare, found in self._undecided:
            self.columns[index] = self._decide(bare, found, *evidence)
        note_faults(self._faults, faults)
        return tuple(
            remark.format(columns=list_names(examples), example=next(iter(examples.values())))
            for remark, examples in self._said.items()
        )

    def _keeps_text(self, name: str) -> bool:
        """Whether the options say that a column is text, or is not needed."""
        options = self.options
        unused = bool(options.columns) and name not in options.columns and name != options.target
        return name in options.categorical or name in options.drop or unused

    def _say(self, remark: str, name: str, example: str) -> None:
        """Note that a remark holds for a column; each remark is made once, with all of its columns."""
        self._said.setdefault(remark, {})[name] = example

    def _type_plain(self, bare: pl.Series, numbers: pl.Series, whole: bool, grouped: bool) -> pl.Series | None:
        """Return a column of numbers written plainly, None where it needs a closer look.

        `whole` numbers have digits alone; `grouped` ones may have thousands, if the first hundred tell.
        """
        if whole:
            return _take_whole(bare)
        if grouped and bare.str.contains(_GROUPED).all():
            return None
        self._has_points = True
        return numbers

    def _type_column(self, bare: pl.Series) -> pl.Series:
        """Decide the type of a column on all its values."""
        lower = bare.str.to_lowercase()
        missing = (bare.is_null() | lower.is_in(MISSING)).fill_null(True)
        given = int((~missing).sum())
        if given == 0:
            return pl.Series(bare.name, [None] * len(bare), dtype=pl.Null)
        if (lower.is_in(["true", "false"]) | missing).all():
            return mask(lower == "true", missing)
        found = find_formats(bare, self.options)
        if bare.str.contains(_ZEROS).any() and NumberFormat() in found:
            remark = "numbers that begin with a zero are codes, read as text: {columns} ({example})"
            self._say(remark, bare.name, quote_value(bare.filter(bare.str.contains(_ZEROS))[0]))
            return bare
        if not found:
            return self._take_words(bare, missing, given)
        words = bare.filter(missing & bare.is_not_null())
        if len(words):
            self._say("{example} among numbers counts as missing: {columns}", bare.name, repr(words[0]))
        if len(found) > 1:
            self._undecided.append((len(self.columns), bare, found))
            return bare
        return self._take_numbers(bare, found[0])

    def _take_words(self, bare: pl.Series, missing: pl.Series, given: int) -> pl.Series:
        """Return a column as text, unless most of it is numbers: then it has a problem."""
        is_number = NumberFormat().parse(bare).is_not_null() & ~missing
        wrong, count = ~is_number & ~missing, int(is_number.sum())
        is_class = bare.name == self.options.target and self.options.task not in (None, "regression")
        if is_class:
            return bare
        if (bare.str.contains(_MARKED) | missing).all():
            remedy = "name the marks in numbers with --decimal and --thousands"
            self._add_problem(bare, wrong, "is no number as 1234.5 is", remedy)
        elif 2 * count > given:
            problem = f"is no finite number, but {count:,} of {given:,} values are"
            self._add_problem(bare, wrong, problem, _REMEDY)
        return bare

    def _add_problem(self, bare: pl.Series, wrong: pl.Series, problem: str, remedy: str) -> None:
        row = wrong.arg_true()[0]
        place = f"{self.place.format(self.starts[row])}, column {quote_value(bare.name, 60)}"
        self._faults[bare.name] = f"{place}: {quote_value(bare[row])} {problem}", remedy

    def _take_numbers(self, bare: pl.Series, way: NumberFormat) -> pl.Series:
        """Return the numbers of a column that is written in one way."""
        plain = way.to_plain(bare)
        numbers = way.parse(bare)
        plain = mask(plain, numbers.is_null())
        is_other = bare.cast(pl.Float64, strict=False).is_null() & numbers.is_not_null()
        self._has_commas |= way.decimal == ","
        self._has_points |= way.decimal == "." and way.thousands == ","
        if way != NumberFormat() or is_other.any():
            self.formats[bare.name] = way
            if self.asked is None:
                row = numbers.is_not_null().arg_true()[_find_marked(bare, way, numbers)]
                kept = ", the number as it is written" if way.unit == "%" else ""
                remark = f"numbers written {way.describe()} are read as such{kept}: {{columns}} ({{example}})"
                self._say(remark, bare.name, f"{bare[row]!r} as {numbers[row]:.15g}")
        if not plain.drop_nulls().str.contains(_WHOLE).all():
            self._has_points |= way.decimal == "."
            return numbers
        whole = _take_whole(plain)
        if whole is None:
            remark = "whole numbers of more than 64 bits are read as text: {columns} ({example})"
            self._say(remark, bare.name, quote_value(plain.drop_nulls()[0]))
            self.formats.pop(bare.name, None)
            return bare
        return whole

    def _decide(
        self, bare: pl.Series, found: tuple[NumberFormat, ...], has_commas: bool, has_points: bool
    ) -> pl.Series:
        """Return the numbers of a column that can be read in two ways, by the decimal marks of other columns."""
        point, comma = found
        example = bare.filter(bare.str.contains(r"[.,]\d{3}"))[0]
        readings = [one.parse(pl.Series([example]))[0] for one in (point, comma)]
        said = f"{example!r} may be {readings[0]:.15g} or {readings[1]:.15g}"
        if point.thousands:  # 1,299
            if not (self.delimiter in ",;" or has_commas or has_points):
                wrong = bare == example
                self._add_problem(bare, wrong, said.removeprefix(repr(example)).strip(), "say --decimal , or .")
                return bare
            way = point if has_points or (self.delimiter == "," and not has_commas) else comma
            is_certain = has_points or has_commas or self.delimiter == ","
        else:  # 1.299
            given = bare.drop_nulls()
            marked = int(given.str.contains(".", literal=True).sum())
            is_mixed = marked < len(given)  # what counts decimals writes them alike, or not all with three digits
            is_german = self.delimiter == ";" and not has_points
            way = comma if is_german and (has_commas or (is_mixed and marked > 2)) else point
            is_certain = has_points or (is_german and has_commas) or not (is_mixed or is_german or point.unit)
        if not is_certain:
            taken, mark = ("thousands" if way.thousands else "decimals"), "," if point.thousands else "."
            remark = f"taken for {taken}; say --thousands {mark} or --decimal {mark} to settle it"
            self._say(f"one mark before three digits, {remark}: {{columns}} ({{example}})", bare.name, said)
        return self._take_numbers(bare, way)


def _take_whole(plain: pl.Series) -> pl.Series | None:
    """Return whole numbers as Int64, or UInt64 where that is too short; None where both are."""
    for dtype in (pl.Int64, pl.UInt64):
        whole = plain.cast(dtype, strict=False)
        if whole.null_count() == plain.null_count():
            return whole
    return None


def _find_marked(bare: pl.Series, way: NumberFormat, numbers: pl.Series) -> int:
    """Return the first number that shows how a column is written, counted among its numbers."""
    marks = [mark for mark in (way.thousands, way.decimal.replace(".", ""), way.unit) if mark]
    given = bare.filter(numbers.is_not_null())
    for mark in marks:
        if (shown := given.str.contains(mark, literal=True)).any():
            return int(shown.arg_true()[0])
    return 0
