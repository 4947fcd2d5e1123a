"""The curves of a run over its epochs, in a reader's words."""

from __future__ import annotations

import math

from glassnet.charts.axes import format_number
from glassnet.charts.bars import BarChart
from glassnet.charts.curves import Chart, Drawing
from glassnet.charts.intervals import IntervalChart
from glassnet.locales.catalogue import Words
from glassnet.training.history import History
from glassnet.training.learning_curves import learning_charts

#: A chart on a page, and what is said of it to those who cannot see it.
Shown = tuple[Drawing, str]


def learning_curves(history: History, words: Words) -> tuple[list[Shown], list[str]]:
    """Lay out a run's curves: loss, accuracy, the measures that were asked for, and a learning rate that changes.

    Returns the drawings, each with a sentence for those who cannot see it, and what is to be known about them.
    """
    if not len(history):
        return [], [words.say("no_epoch")]
    notes, rates = [words.say("running")], history["learning_rate"]
    if len(set(rates)) == 1:
        notes.append(words.say("constant_rate", rate=f"{rates[0]:g}"))
    if all(value is None for value in history["validation_loss"]):
        notes.append(words.say("no_validation"))
    return [show(chart, words) for chart in learning_charts(history, words)], notes


def show(chart: Chart | IntervalChart | BarChart, words: Words) -> Shown:
    """Return a chart as a page shows it, with a sentence for those who cannot see it."""
    about = describe_chart(chart, words) if isinstance(chart, Chart) else describe_intervals(chart, words)
    return chart.draw(), about


def describe_intervals(chart: IntervalChart | BarChart, words: Words) -> str:
    """Say what a chart shows to those who cannot see it: of every row its name and its numbers."""
    said = [" ".join(point[2:]) for point in chart.draw().points["curves"][0]["points"]]
    return words.say("intervals_about", title=chart.title, list=said)


def describe_chart(chart: Chart, words: Words) -> str:
    """Say what a chart shows to those who cannot see it: of every curve its first and its last value."""
    parts = []
    for curve in chart.curves:
        known = [value for value in curve.mean if value is not None and math.isfinite(value)]
        if not known:
            continue
        first, last = (format_number(known[place], chart.form) for place in (0, -1))
        parts.append(words.say("curve_about", label=curve.label, first=first, last=last))
    return words.say("chart_about", title=chart.title, x=chart.x_label, curves=parts)
