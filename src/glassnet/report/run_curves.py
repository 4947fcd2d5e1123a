"""The curves of a run over its epochs, in a reader's words."""

from __future__ import annotations

import math

from glassnet.locales.catalogue import Words
from glassnet.report.axes import format_number
from glassnet.report.curves import Chart, Curve, Drawing, curve_of, draw
from glassnet.training.history import History


def learning_curves(history: History, words: Words) -> tuple[list[tuple[Drawing, str]], list[str]]:
    """Lay out a run's curves: loss, accuracy, the measures that were asked for, and a learning rate that changes.

    Returns the drawings, each with a sentence for those who cannot see it, and what is to be known about them.
    """
    if not len(history):
        return [], [words.say("no_epoch")]
    last = history.last
    measures = dict(last.measures) if last else {}
    charts, epoch = [], words.measure("epoch")
    for key, form in (("loss", "number"), ("accuracy", "percent")):
        curves = [
            curve_of(words.say(label), [history], f"{part}_{key}")
            for label, part in (("training", "train"), ("validation", "validation"))
        ]
        charts.append(Chart(key, words.say(f"{key}_title"), epoch, drop_missing(curves), form))
    for number, name in enumerate(measures):
        title = words.say("measure_title", measure=words.measure(name.removeprefix("validation_")))
        curve = curve_of(words.say("validation"), [history], name)
        charts.append(Chart(f"measure{number}", title, epoch, drop_missing([curve])))
    rates = history["learning_rate"]
    notes = [words.say("running")]
    if len(set(rates)) > 1:
        curve = curve_of(words.measure("learning_rate"), [history], "learning_rate")
        charts.append(Chart("rate", words.say("rate_title"), epoch, drop_missing([curve]), scale="linear"))
    else:
        notes.append(words.say("constant_rate", rate=f"{rates[0]:g}"))
    if all(value is None for value in history["validation_loss"]):
        notes.append(words.say("no_validation"))
    return [(draw(chart), describe_chart(chart, words)) for chart in charts if chart.curves], notes


def drop_missing(curves: list[Curve | None]) -> list[Curve]:
    """Return the curves without those that no run has, which are None."""
    return [curve for curve in curves if curve is not None]


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
