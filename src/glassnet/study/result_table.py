"""What the variants of a study reached, as a table and as a chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from glassnet.charts.axes import format_flops, format_known
from glassnet.charts.intervals import Interval, IntervalChart
from glassnet.charts.tables import NONE, Cell, Number, Rows, Table
from glassnet.locales.catalogue import Words
from glassnet.study.design import BASE
from glassnet.study.findings import LEVEL
from glassnet.study.samples import NOTHING, larger_is_better
from glassnet.study.statistics import Comparison, Summary

Found = TypeVar("Found", Summary, Comparison)

#: Of so many seeds or fewer the values themselves are shown.
FEW_SEEDS = 3

#: Variants that the chart shows: the base, and those with the best means.
MOST_SHOWN = 40


def result_table(summaries: Sequence[Summary], measure: str, recommended: str | None, words: Words) -> Table:
    """Return a row for each variant: the measure over the seeds, and its cost.

    Of few seeds the values themselves are shown, in place of a standard deviation that they tell badly.
    """
    few = all(one.n <= FEW_SEEDS for one in summaries)
    rows: Rows = [
        [
            Cell(one.variant, bold=one.variant == recommended),
            words.say("done_of", done=one.n, all=one.n + one.failures),
            write_number(one.mean),
            list_values(one.values.values()) if few else write_number(one.std),
            write_interval(one.low, one.high, words),
            format_known(one.seconds, ".3g"),
            format_known(one.parameters, ",.0f"),
            NONE if one.flops is None else format_flops(one.flops),
        ]
        for one in summaries
    ]
    heads = [words.say("variant"), words.say("runs"), words.measure(measure)]
    heads.append(words.say("values_by_seed" if few else "standard_deviation"))
    heads.append(words.say("interval_of_mean", confidence=100 * (1 - LEVEL)))
    heads += [words.say(key) for key in ("epoch_seconds", "parameters", "flops")]
    note = describe_covers([(one.variant, one.covers) for one in summaries], words)
    numbers = result_numbers(summaries, measure)
    return Table(words.say("results_table"), heads, rows, note=note, key="results", numbers=numbers)


def result_numbers(summaries: Sequence[Summary], measure: str) -> list[list[Number]]:
    """Return the same table for programs: a header, and numbers in full precision."""
    header = ["variant", "runs", "failed", measure, "std", "low", "high", "seconds", "parameters", "flops"]
    names = ("variant", "n", "failures", "mean", "std", "low", "high", "seconds", "parameters", "flops")
    return [list[Number](header), *([getattr(one, name) for name in names] for one in summaries)]


def result_chart(summaries: Sequence[Summary], measure: str, words: Words) -> IntervalChart:
    """Return the means of the variants with their intervals as a chart, the best at the top."""
    known = [(one, one.mean) for one in summaries if one.mean is not None]
    ranked = _rank(known, measure)
    shown = [pair for place, pair in enumerate(ranked) if place < MOST_SHOWN or pair[0].variant == BASE]
    intervals = [Interval(one.variant, mean, one.low, one.high, tuple(one.values.values())) for one, mean in shown]
    base = next((mean for one, mean in known if one.variant == BASE), None)
    note = words.say("results_chart", confidence=100 * (1 - LEVEL))
    if len(shown) < len(known):
        note = words.join(
            [note, words.say("curves_left_out", shown=len(shown), n=len(known))], "between_sentences"
        )
    title = words.measure(measure)
    mark = None if base is None else (base, BASE)
    return IntervalChart("results", title[:1].upper() + title[1:], title, intervals, note, mark)


def difference_chart(comparisons: Sequence[Comparison], measure: str, words: Words) -> IntervalChart:
    """Return the differences to the base with their intervals as a chart, the best at the top."""
    known = [(one, one.difference) for one in comparisons if one.difference is not None]
    ranked = _rank(known, measure)[:MOST_SHOWN]
    intervals = [Interval(one.variant, mean, one.low, one.high, tuple(one.values)) for one, mean in ranked]
    better = words.say("above_is_better" if larger_is_better(measure) else "below_is_better")
    x_label = words.say("difference_of", measure=words.measure(measure))
    return IntervalChart("differences", words.say("differences"), x_label, intervals, better, (0.0, BASE))


def _rank(valued: Sequence[tuple[Found, float]], measure: str) -> list[tuple[Found, float]]:
    """Return what has a value of a measure, the best first."""
    return sorted(valued, key=lambda pair: pair[1], reverse=larger_is_better(measure))


def list_values(values: Iterable[float], sign: str = "") -> str:
    """Return numbers one after the other, a dash for none."""
    return "; ".join(write_number(value, sign) for value in values) or NONE


def describe_covers(intervals: Sequence[tuple[str, str]], words: Words) -> str:
    """Say what the intervals of variants cover, once where it is the same of all."""
    by_cover: dict[str, list[str]] = {}
    for variant, covers in intervals:
        if covers != NOTHING:
            by_cover.setdefault(covers, []).append(variant)
    if len(by_cover) == 1:
        return words.say("covers_all", covers=next(iter(by_cover)))
    said = [words.say("covers_some", variants=names, covers=covers) for covers, names in by_cover.items()]
    return words.join(said, "between_sentences")


def write_number(value: float | None, sign: str = "") -> str:
    """Return a number with as many digits as its neighbours, a dash for none."""
    if value is None:
        return NONE
    return f"{value:{sign}.4f}" if value == 0 or 1e-4 <= abs(value) < 1000 else f"{value:{sign}.4g}"


def write_interval(low: float | None, high: float | None, words: Words, sign: str = "") -> str:
    """Return an interval, a dash where there is none."""
    if low is None or high is None:
        return NONE
    return words.say("low_to_high", low=write_number(low, sign), high=write_number(high, sign))
