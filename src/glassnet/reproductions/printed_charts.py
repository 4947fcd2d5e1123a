"""What a published table prints as charts: each quantity, theirs beside ours."""

from __future__ import annotations

from collections.abc import Sequence

from glassnet.charts.intervals import Interval, IntervalChart, Printed
from glassnet.locales.catalogue import Words
from glassnet.reproductions.publication import Figure
from glassnet.reproductions.verdicts import RowVerdict


def printed_charts(rows: Sequence[RowVerdict], words: Words) -> list[IntervalChart]:
    """Return a chart for each quantity that is printed: ours from the lowest to the highest seed, and theirs."""
    by_quantity: dict[str, list[Interval]] = {}
    for row in rows:
        for one in row.comparisons:
            figure = one.figure
            seeds = sorted(one.seeds.values())
            printed = Printed(figure.printed, figure.low, figure.high)
            low, high = (seeds[0], seeds[-1]) if len(seeds) > 1 else (None, None)
            shown = Interval(name_printed(row.row.label, words), one.ours, low, high, seeds, printed)
            by_quantity.setdefault(quantity_text(figure, words), []).append(shown)
    names = (words.say("ours"), words.say("printed"))
    return [
        IntervalChart(f"printed-{number}", name[:1].upper() + name[1:], name, intervals, names=names)
        for number, (name, intervals) in enumerate(by_quantity.items(), start=1)
    ]


def quantity_text(figure: Figure, words: Words) -> str:
    """Return what a figure measures, in words."""
    rows, _, measure = figure.quantity.partition("_")
    test = rows == "test"
    name = words.say("test_of", measure=words.measure(measure)) if test else words.measure(figure.quantity)
    return words.say("best_epoch_of", measure=name) if figure.epoch == "best" else name


def name_printed(name: str, words: Words) -> str:
    """Return the name of a table or row: as it is printed, where the language has no other for it."""
    return str(words.texts.get(f"printed_names.{name}", name))
