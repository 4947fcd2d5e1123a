"""The curves of a study: a line a variant, with a band over its seeds, few enough on a chart to be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from glassnet.charts.curves import Chart, thin_out
from glassnet.errors import FileError
from glassnet.locales.catalogue import Words
from glassnet.report.run_curves import Shown, show
from glassnet.runtime.files import make_safe_name
from glassnet.study.design import BASE, Study, Variant
from glassnet.study.result_table import difference_chart, result_chart
from glassnet.study.results import FINISHED, Row
from glassnet.study.samples import larger_is_better
from glassnet.study.statistics import Comparison, Summary
from glassnet.training.history import History
from glassnet.training.learning_curves import curve_of
from glassnet.training.run_folder import RunFolder

#: Curves on one chart, as many as there are colours.
MOST_CURVES = 8

#: Variants that have curves: the base, the recommended one, and those with the best means.
MOST_DRAWN = 50

#: Epochs that a curve has points for; of longer runs the peaks stay.
MOST_EPOCHS = 300

#: What is drawn of every study, and how it is called in `Words`.
COLUMNS = ("train_loss", "validation_loss", "validation_accuracy")


@dataclass(frozen=True)
class Group:
    """Variants that are drawn together: a heading, empty where it is the only one, and the charts."""

    heading: str
    drawings: list[Shown]


def study_curves(
    study: Study, rows: Sequence[Row], folder: Path, best: str | None, words: Words
) -> tuple[list[Group], list[str]]:
    """Lay out the curves of a study: training and validation loss, validation accuracy, and the measure.

    All variants share a chart where they are few. Of more, each factor has its own: its levels, with the other
    factors as in the base; a factorial has one of the base and the best as well. No more than `MOST_DRAWN` have
    curves. Returns the groups of charts, and what is to be known about them. `folder` is the study's, with the run
    folders in it.
    """
    variants, n = _choose_variants(study, rows, best), len(study.variants())
    drawn = {variant.name for variant in variants}
    rows = [row for row in rows if row.variant in drawn]
    histories = _histories(rows, folder)
    none = [name for name in dict.fromkeys(row.variant for row in rows) if name not in histories]
    notes = [words.say("band_about")]
    notes += [words.say("no_curves_of", variants=words.listed(none, len(none)))] if none else []
    if len(variants) < n:
        notes.append(words.say("curves_left_out", shown=len(variants), n=n))
    columns = list(dict.fromkeys([*COLUMNS, *([] if study.measure == "seconds" else [study.measure])]))
    groups = []
    for key, heading, names in _group_variants(study, variants, best, words):
        there_are = {label: histories[name] for name, label in names.items() if name in histories}
        drawings = [
            show(chart, words)
            for column in columns
            if (chart := _chart(f"{key}{column.replace('_', '-')}", column, there_are, words)).curves
        ]
        if drawings:
            groups.append(Group(heading, drawings))
    return groups, notes if groups else notes[1:]


def show_results(
    summaries: Sequence[Summary], comparisons: Sequence[Comparison], measure: str, words: Words
) -> list[Shown]:
    """Lay out what the variants reached, and their differences to the base; only what some run counts for."""
    charts = [result_chart(summaries, measure, words), difference_chart(comparisons, measure, words)]
    return [show(chart, words) for chart in charts if chart.intervals]


def _choose_variants(study: Study, rows: Sequence[Row], best: str | None) -> list[Variant]:
    """Return the variants that have curves, in the order of the study."""
    variants = study.variants()
    if len(variants) <= MOST_DRAWN:
        return variants
    values: dict[str, list[float]] = {}
    for row in rows:
        if row.status == FINISHED and study.measure in row.measures:
            values.setdefault(row.variant, []).append(row.measures[study.measure])
    ranked = sorted(values, key=lambda name: fmean(values[name]), reverse=larger_is_better(study.measure))
    drawn = list(dict.fromkeys([BASE, best or BASE, *ranked]))[:MOST_DRAWN]
    return [one for one in variants if one.name in drawn]


def _histories(rows: Sequence[Row], folder: Path) -> dict[str, list[History]]:
    """Return the histories by variant, of runs that finished: one that diverged would dwarf all others."""
    found: dict[str, list[History]] = {}
    for row in rows:
        if row.status != FINISHED:
            continue
        try:
            history = RunFolder(folder / row.folder).history()
        except FileError:  # its row says what went wrong
            continue
        if len(history):
            found.setdefault(row.variant, []).append(history)
    return found


def _chart(key: str, column: str, histories: Mapping[str, Sequence[History]], words: Words) -> Chart:
    title = words.measure(column)
    found = [curve_of(name, runs, column) for name, runs in histories.items()]
    curves = [one for one in found if one is not None]
    return Chart(key, title[:1].upper() + title[1:], words.measure("epoch"), thin_out(curves, MOST_EPOCHS))


#: Variants that are drawn together, each with what it is called there.
Names = dict[str, str]


def _group_variants(
    study: Study, variants: Sequence[Variant], best: str | None, words: Words
) -> list[tuple[str, str, Names]]:
    """Return what is drawn together, with the beginning of its charts' keys and its heading."""
    names = {variant.name: variant.name for variant in variants}
    if len(names) <= MOST_CURVES:
        return [("", "", names)]
    if study.design == "list":
        return _split("", words.say("all_variants"), names, words)
    groups = []
    if study.design == "factorial" and best not in (None, BASE):
        groups.append(("base-and-best-", words.say("base_and_best"), {BASE: BASE, str(best): str(best)}))
    heading = "by_factor_rest" if len(study.factors) > 1 else "by_factor"
    for place, factor in enumerate(study.factors, start=1):
        key = f"by-{make_safe_name(factor.name) or f'factor-{place}'}-"
        levels = _vary_alone(variants, factor.name, words)
        groups += _split(key, words.say(heading, factor=factor.name), levels, words)
    return groups


def _vary_alone(variants: Sequence[Variant], factor: str, words: Words) -> Names:
    """Return the base and the variants that differ from it in this factor only, each by its level."""
    base = variants[0]
    levels = {
        one.name: one.levels[factor]
        for one in variants
        if all(base.levels[name] == at for name, at in one.levels.items() if name != factor)
    }
    return levels | {base.name: words.say("base_level", level=levels[base.name])}


def _split(key: str, heading: str, names: Names, words: Words) -> list[tuple[str, str, Names]]:
    """Return many variants in groups that a chart has room for, the base in each."""
    first, *others = names.items()
    parts = [others[at : at + MOST_CURVES - 1] for at in range(0, len(others), MOST_CURVES - 1)]
    if len(parts) == 1:
        return [(key, heading, names)]
    return [
        (f"{key}{number}-", words.say("part_of", title=heading, n=number, all=len(parts)), dict([first, *part]))
        for number, part in enumerate(parts, start=1)
    ]
