"""The report of a published table that was repeated: its figures beside ours, verdicts, and what it left open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from shlex import join
from types import SimpleNamespace

from glassnet.charts.axes import format_number
from glassnet.charts.tables import Cell, Rows, Table
from glassnet.locales.catalogue import Words
from glassnet.report.figure_files import FigureFiles
from glassnet.report.rendering import REPORT_FILE, write_pages
from glassnet.report.run_curves import show
from glassnet.report.study_tables import sick_table
from glassnet.reproductions.open_questions import Answer, open_questions
from glassnet.reproductions.printed_charts import name_printed, quantity_text
from glassnet.reproductions.reproduce import Reproduction
from glassnet.reproductions.verdicts import NOT, REPRODUCED, SAME, FigureComparison, OrderVerdict, RowVerdict
from glassnet.runtime.environment import environment


def write_reproduction_report(found: Reproduction, words: Words, figures: FigureFiles | None = None) -> Path:
    """Write ``report.html`` and ``report.md`` into the folder of a reproduction, both whole or neither.

    Charts and tables become files, too, where `figures` says so. Returns the path of ``report.html``. Raises
    FileError if the folder cannot be written; an older report then stands.
    """
    publication = found.publication
    # of each variant the first run that is sick, and every run that was lost
    first = [next((one.row for one in runs.values() if one.row.sick), None) for runs in found.outcomes.values()]
    sick = [row for row in first if row is not None and row not in found.failed] + found.failed
    language = [] if words.language == "en" else ["--lang", words.language]
    report = SimpleNamespace(
        title=publication.title[words.language],
        verdict=verdict_of(found.rows, words),
        printed_in=words.say("printed_in", source=publication.source[words.language]),
        about=publication.about[words.language],
        charts=[show(chart, words) for chart in found.charts(words)],
        tables=[
            printed_table([one for one in found.rows if one.row.table == name], words, name)
            for name in dict.fromkeys(one.row.table for one in found.rows)
        ],
        reasons=reasons_of(found.rows, words),
        orders=[order_text(one, words) for one in found.orders],
        sick=sick_table(sick, words),
        answers=answers_of(found, words),
        command=join(["glassnet", "reproduce", publication.name, "--folder", f"{found.folder}-again", *language]),
        studies=[f"{folder}/{REPORT_FILE}" for folder in found.studies],
        version=environment()["glassnet"],
    )
    return write_pages(found.folder, "reproduction", report, words, figures)


def answers_of(found: Reproduction, words: Words) -> list[Answer]:
    """Return the answers to what a publication left open; none where nothing is known to be."""
    if found.facts is None or found.together is None:
        return []
    return open_questions(found.facts, found.together, words)


def verdict_of(rows: Sequence[RowVerdict], words: Words) -> str:
    """Return how many rows are reproduced."""
    counts = Counter(one.verdict for one in rows)
    return words.say(
        "reproduction_verdict",
        rows=len(rows),
        reproduced=counts[REPRODUCED],
        same=counts[SAME],
        failed=counts[NOT],
    )


def printed_table(rows: Sequence[RowVerdict], words: Words, name: str = "") -> Table:
    """Return a line for each printed figure: what is printed, ours, and the verdict on its row.

    `name` is that of the table in which they are printed.
    """
    lines: Rows = []
    seeds = max((one.of for row in rows for one in row.comparisons), default=0)
    for row in rows:
        label = name_printed(row.row.label, words)
        for place, one in enumerate(row.comparisons):
            first = place == 0
            by_best = one.figure.seeds == "best"
            lines.append(
                [
                    Cell(label if first else "", foreign=first and label == row.row.label),
                    words.name("verdicts", row.verdict) if first else "",
                    quantity_text(one.figure, words),
                    f"{one.figure.printed:,}",  # all of its digits
                    Cell(_mean(one, seeds, words), bold=not by_best),
                    Cell(_number(one.best), bold=by_best),
                    words.say("low_to_high", low=_limit(one.figure.low), high=_limit(one.figure.high)),
                    words.name("behaviours", row.behaviour) if first and row.behaviour else "",
                ]
            )
    named = [words.say(key) for key in ("printed_row", "verdict", "quantity", "printed")]
    named += [words.say("our_mean", seeds=words.say("n_seeds", n=seeds)), words.say("our_best")]
    named += [words.say(key) for key in ("counts_as_same", "behaviour")]
    return Table(
        words.say("printed_table", name=name_printed(name, words)), named, lines, text=(0, 1, 2, 7), key="printed"
    )


def reasons_of(rows: Sequence[RowVerdict], words: Words) -> list[str]:
    """Return why rows are not reproduced, a sentence for each of these."""
    return [_reason(row, words) for row in rows if row.verdict == NOT]


def _reason(row: RowVerdict, words: Words) -> str:
    why = []
    if row.behaviour and not row.same_behaviour:
        why.append(words.say("other_behaviour", ours=row.behaviour, printed=row.row.behaviour))
    why += [_outside(one, words) for one in row.comparisons if not one.inside]
    if row.unanswering:
        why.append(words.say("unanswering", n=row.unanswering, of=row.of))
    if row.health:
        why.append(words.say("also_health", kinds=row.health))
    return words.say("because", row=name_printed(row.row.label, words), verdict=NOT, why=why)


def _outside(one: FigureComparison, words: Words) -> str:
    quantity = quantity_text(one.figure, words)
    if one.ours is None:
        return words.say("no_figure", quantity=quantity)
    if one.within:
        return words.say("some_figures", quantity=quantity, n=len(one.seeds), of=one.of)
    low, high = _limit(one.figure.low), _limit(one.figure.high)
    return words.say("outside", quantity=quantity, ours=_number(one.ours), low=low, high=high)


def order_text(one: OrderVerdict, words: Words) -> str:
    """Return whether an order holds."""
    means = " < ".join(_number(mean) for mean in one.means) if one.holds else ", ".join(map(_number, one.means))
    key = "order_holds" if one.holds else "order_fails"
    return words.say(key, text=one.order.text[words.language], means=means, seeds=one.seeds, of=one.of)


def _mean(one: FigureComparison, seeds: int, words: Words) -> str:
    """Return our mean, and of how many seeds it is where that are not all."""
    few = one.mean is not None and len(one.seeds) < seeds
    return words.say("mean_of_fewer", mean=_number(one.mean), n=len(one.seeds)) if few else _number(one.mean)


def _limit(value: float) -> str:
    return f"{value:,.10g}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    if 1e-3 <= abs(value) < 1:
        return f"{value:.4f}"
    return f"{value:,.1f}" if abs(value) < 1e5 else format_number(value)
