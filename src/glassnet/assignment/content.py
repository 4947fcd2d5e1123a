"""The figures and tables of the document, in the order in which they stand there."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

from glassnet.assignment.markup import Captioned
from glassnet.assignment.speed import SpeedRow
from glassnet.assignment.walk import Explanation, explain_backpropagation, gradient_table
from glassnet.assignment.work import FOUND, REGISTERED, Assignment, TrainedPlan
from glassnet.charts.axes import format_known
from glassnet.charts.painting import Painted, figure_of, render
from glassnet.charts.tables import Cell, Rows, Table
from glassnet.graph.computation_graph import ComputationGraph
from glassnet.locales.catalogue import Words
from glassnet.report.on_test_rows import show_test_rows
from glassnet.report.run_curves import learning_curves
from glassnet.report.sample_grid import sample_grid
from glassnet.report.setting_tables import show_settings
from glassnet.report.study_curves import study_curves
from glassnet.report.study_tables import difference_table, factor_table, source_table
from glassnet.study.findings import StudyFindings
from glassnet.study.result_table import result_chart, result_table
from glassnet.study.samples import value_of
from glassnet.study.statistics import Comparison, Summary

Named = TypeVar("Named", Summary, Comparison)

#: What the origin of a plan is called.
ORIGINS = {FOUND: "assignment.found", REGISTERED: "assignment.registered"}

#: Pictures of each class.
PICTURES = 12


@dataclass(frozen=True)
class DocumentFigure(Captioned):
    """A figure, and what draws it as a file of a kind."""

    draw: Callable[[str], bytes]


@dataclass(frozen=True)
class Content:
    """Figures and tables by the names of their files, the explanation, and what is to be said of the results.

    `of_study` and `of_plan` are the figures with the curves of the study, and of the best plan.
    """

    figures: dict[str, DocumentFigure]
    tables: dict[str, Table]
    explained: Explanation
    chart_note: str
    of_study: list[str]
    of_plan: list[str]


def gather_content(done: Assignment, words: Words) -> Content:
    """Lay out all figures and tables; the figures are drawn when they are written."""
    chart = result_chart(_name_in_full(done.found, done.found.summaries), done.found.study.measure, words)
    explained = explain_backpropagation(words)
    on_test = show_test_rows(done.best.errors, done.best.run.network, done.best.data, words)
    curves, _ = learning_curves(done.best.run.history, words)
    of_plan = {f"plan-{drawing.chart.key}": figure_from(drawing.chart) for drawing, _ in curves}
    of_study = _study_figures(done.found, words)
    figures = {
        "data": _draw_data(done, words),
        "graph-operations": _of_graph(explained.operations),
        "graph-matrices": _of_graph(explained.matrices.graph),
        "results": figure_from(chart),
        **of_study,
        **of_plan,
        "confusion-matrix": figure_from(on_test.matrix),
        "first-layer-weights": figure_from(on_test.weights),
    }
    if on_test.sheet is not None:
        figures["worst-mistakes"] = figure_from(on_test.sheet)
    tables = [gradient_table(explained.agreement, words), *_study_tables(done.found, words)]
    tables += [plan_table(done.plans, done.best, words), _settings(done.best, words)]
    tables += [on_test.confusion, on_test.classes]
    tables += [speed_table(done.speeds, words)] if done.speeds else []
    return Content(figures, {table.key: table for table in tables}, explained, chart.note, [*of_study], [*of_plan])


def name_levels(found: StudyFindings, variant: str) -> str:
    """Return a variant's level of every factor; its name has only what differs from the base."""
    return ", ".join(next(one.levels for one in found.study.variants() if one.name == variant).values())


def _name_in_full(found: StudyFindings, parts: Sequence[Named]) -> list[Named]:
    """Return summaries or comparisons with all levels in place of their variants' names."""
    return [replace(one, variant=name_levels(found, one.variant)) for one in parts]


def figure_from(chart: Painted, caption: str = "") -> DocumentFigure:
    """Return a chart as a figure of the document; its caption is the chart's title where none is given."""
    width, height = chart.size
    painted = cache(lambda: figure_of(chart))  # once for all kinds of files
    return DocumentFigure(caption or chart.title, width / height, lambda kind: render(painted(), kind))


def _of_graph(graph: ComputationGraph) -> DocumentFigure:
    figure = graph.figure
    return DocumentFigure(figure.title, figure.width / figure.height, figure.write)


def _draw_data(done: Assignment, words: Words) -> DocumentFigure:
    figure = sample_grid(done.data, PICTURES, words)
    width, height = figure.get_size_inches()
    caption = words.say("assignment.pictures", n=PICTURES, data=done.data.name)
    return DocumentFigure(caption, width / height, lambda kind: render(figure, kind))


def _study_figures(found: StudyFindings, words: Words) -> dict[str, DocumentFigure]:
    """Return the curves of the measure: the base and the best, then every factor by itself."""
    best = found.recommendation.best if found.recommendation else None
    groups, _ = study_curves(found.study, found.rows, found.folder, best, words)
    column = found.study.measure.replace("_", "-")
    return {
        drawing.chart.key: figure_from(drawing.chart, f"{group.heading}: {drawing.chart.title}")
        for group in groups
        for drawing, _ in group.drawings
        if drawing.chart.key.endswith(column)
    }


def _study_tables(found: StudyFindings, words: Words) -> list[Table]:
    chosen = name_levels(found, found.recommendation.variant) if found.recommendation else None
    tables = [factor_table(found.study, words), level_table(found, words)]
    tables.append(result_table(_name_in_full(found, found.summaries), found.study.measure, chosen, words))
    if found.comparisons:
        tables.append(
            difference_table(_name_in_full(found, found.comparisons), found.study.measure, chosen, words)
        )
    tested = found.interaction_test
    return [*tables, *([source_table(tested.sources, tested.covers, words)] if tested and tested.sources else [])]


def level_table(found: StudyFindings, words: Words) -> Table:
    """Return the mean of the measure at every level, over all levels of the other factors and all seeds."""
    measure = found.study.measure
    rows: Rows = []
    for factor, levels in found.study.levels().items():
        means = {level: _mean_at(found, factor, level) for level in levels}
        best = max((mean for mean, _ in means.values() if mean is not None), default=None)
        for level, (mean, n) in means.items():
            name = factor if level == levels[0] else ""
            rows.append([name, level, Cell(format_known(mean, ".4f"), bold=mean == best), str(n)])
    heads = [words.say("factor"), words.say("level"), words.measure(measure), words.say("runs")]
    caption, note = words.say("assignment.level_means"), words.say("assignment.level_note")
    return Table(caption, heads, rows, text=(0, 1), note=note, key="level-means")


def _mean_at(found: StudyFindings, factor: str, level: str) -> tuple[float | None, int]:
    """Return the mean of the measure over the runs with a level, and how many there are."""
    values = [value_of(row, found.study.measure) for row in found.rows if row.levels[factor] == level]
    known = [value for value in values if value is not None]
    return (statistics.fmean(known) if known else None), len(known)


def name_plan(plan: TrainedPlan, words: Words) -> str:
    """Return where a plan comes from, of a registered one with its name."""
    return words.say(ORIGINS[plan.origin], name=plan.name)


def plan_table(plans: Sequence[TrainedPlan], best: TrainedPlan, words: Words) -> Table:
    """Return the plans that were trained, with their accuracy on validation and on test rows."""
    rows: Rows = []
    for one in plans:
        test = one.errors.evaluation
        low, high = (None, None) if test is None else test.intervals["accuracy"]
        rows.append(
            [
                Cell(name_plan(one, words), bold=one is best),
                "-".join(map(str, one.run.network.layers)),
                one.optimizer,
                str(len(one.run.history)),
                f"{one.run.history.seconds:.1f}",
                format_known(one.validation, ".4f"),
                format_known(None if test is None else test.measures["accuracy"], ".4f"),
                "–" if low is None else words.say("low_to_high", low=f"{low:.4f}", high=f"{high:.4f}"),
            ]
        )
    heads = [words.say("assignment.plan"), words.say("network"), words.say("terminal.optimizer")]
    heads += [words.say("epochs"), words.say("epoch_seconds"), words.measure("validation_accuracy")]
    heads += [words.say("test_of", measure=words.measure("accuracy")), words.say("assignment.interval")]
    return Table(words.say("assignment.plans"), heads, rows, text=(0, 1, 2), key="plans")


def _settings(plan: TrainedPlan, words: Words) -> Table:
    """Return what the best plan sets otherwise than the defaults."""
    changed = show_settings(plan.run.config, words).changed
    return replace(changed, caption=words.say("assignment.settings"), key="plan-settings")


def speed_table(speeds: Sequence[SpeedRow], words: Words) -> Table:
    """Return the seconds of an epoch here and with scikit-learn."""
    rows: Rows = [
        ["-".join(map(str, one.layers)), f"{one.ours:.3f}", f"{one.theirs:.3f}", f"{one.theirs / one.ours:.1f}"]
        for one in speeds
    ]
    heads = [words.say("network"), "glassnet", "scikit-learn", words.say("assignment.times")]
    note = words.say("assignment.speed_note", rows=speeds[0].rows)
    return Table(words.say("assignment.speed"), heads, rows, note=note, key="speed")
