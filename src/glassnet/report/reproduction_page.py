"""The report of a published table that was repeated: its figures beside ours, verdicts, and what it left open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import join

from glassnet.report.axes import written
from glassnet.report.open_questions import Answer, open_questions
from glassnet.report.rendering import REPORT_FILE, write_pages
from glassnet.report.study_tables import sick_table
from glassnet.report.tables import Cell, Table
from glassnet.report.words import Words
from glassnet.runtime.environment import environment
from glassnet.study.publication import Figure
from glassnet.study.reproduction import NOT, REPRODUCED, SAME, Compared, Judged, JudgedOrder, Reproduction


@dataclass(frozen=True)
class ReproductionReport:
    """Everything that the page says, in the order in which it says it.

    Attributes
    ----------
    title, verdict : str
    about : list of str
        Where it is printed, and how the settings follow from its own.
    table : Table
        Printed figures beside ours.
    orders : list of str
    sick : Table or None
        The runs that are sick, with cause and remedy.
    answers : list of Answer
    command : str
        What repeats it.
    studies : list of str
        The reports of its studies, relative to the page.
    version : str
        Of glassnet.
    """

    title: str
    verdict: str
    about: list[str]
    table: Table
    orders: list[str]
    sick: Table | None
    answers: list[Answer]
    command: str
    studies: list[str]
    version: str


def write_reproduction_report(found: Reproduction, words: Words) -> Path:
    """Write ``report.html`` and ``report.md`` into the folder of a reproduction, both whole or neither.

    Returns
    -------
    Path
        Of ``report.html``.

    Raises
    ------
    FileError
        If the folder cannot be written; an older report then stands.
    """
    publication = found.publication
    rows = [one.row for runs in found.outcomes.values() for one in runs.values()]
    report = ReproductionReport(
        title=publication.title,
        verdict=verdict_of(found.rows, words),
        about=[words.say("printed_in", source=publication.source), publication.about],
        table=printed_table(found.rows, words),
        orders=[order_text(one, words) for one in found.orders],
        sick=sick_table(rows, words),
        answers=answers_of(found, words),
        command=join(["glassnet", "reproduce", publication.name, "--folder", f"{found.folder}-again"]),
        studies=[f"{folder}/{REPORT_FILE}" for folder in found.studies],
        version=environment()["glassnet"],
    )
    return write_pages(found.folder, "reproduction", report, words)


def answers_of(found: Reproduction, words: Words) -> list[Answer]:
    """Return the answers to what a publication left open; none where nothing is known to be."""
    if found.facts is None or found.together is None:
        return []
    return open_questions(found.facts, found.together, words)


def verdict_of(judged: Sequence[Judged], words: Words) -> str:
    """Return how many rows are reproduced."""
    counts = Counter(one.verdict for one in judged)
    return words.say(
        "reproduction_verdict",
        rows=len(judged),
        reproduced=counts[REPRODUCED],
        same=counts[SAME],
        failed=counts[NOT],
    )


def printed_table(judged: Sequence[Judged], words: Words) -> Table:
    """Return a line for each printed figure: what is printed, ours, and the verdict on its row."""
    lines: list[list[str | Cell]] = []
    seeds = max((len(one.seeds) for row in judged for one in row.comparisons), default=0)
    for row in judged:
        for place, one in enumerate(row.comparisons):
            first = place == 0
            by_best = one.figure.seeds == "best"
            lines.append(
                [
                    row.row.table if first else "",
                    row.row.label if first else "",
                    quantity_text(one.figure, words),
                    _number(one.figure.printed),
                    Cell(_number(one.mean), bold=not by_best),
                    Cell(_number(one.best), bold=by_best),
                    words.say("low_to_high", low=_number(one.figure.low), high=_number(one.figure.high)),
                    words.say(row.behaviour) if first and row.behaviour else "",
                    verdict_text(row, words) if first else "",
                ]
            )
    heads = ["table", "printed_row", "quantity", "printed"]
    named = [words.say(key) for key in heads]
    named += [words.say("our_mean", n=seeds), words.say("our_best")]
    named += [words.say(key) for key in ("counts_as_same", "behaviour", "verdict")]
    return Table(words.say("printed_rows"), named, lines, text=(0, 1, 2, 7, 8), note=words.say("printed_about"))


def quantity_text(figure: Figure, words: Words) -> str:
    """Return what a figure measures, in words."""
    name = words.measure(figure.quantity)
    return words.say("best_epoch_of", measure=name) if figure.epoch == "best" else name


def verdict_text(row: Judged, words: Words) -> str:
    """Return the verdict on a row, with the reasons where it is not reproduced."""
    verdict = words.say(row.verdict)
    why = [] if row.same_behaviour else [_other_behaviour(row, words)]
    why += [_outside(one, words) for one in row.comparisons if not one.inside]
    if row.health:
        kinds = words.say("and").join(words.kind(kind) for kind in row.health)
        why.append(words.say("also_health", kinds=kinds))
    return (
        words.say("because", verdict=verdict, why=words.say("and_so").join(why)) if row.verdict == NOT else verdict
    )


def _other_behaviour(row: Judged, words: Words) -> str:
    return words.say("other_behaviour", ours=words.say(row.behaviour), printed=words.say(row.row.behaviour))


def _outside(one: Compared, words: Words) -> str:
    quantity = quantity_text(one.figure, words)
    if one.ours is None:
        return words.say("no_figure", quantity=quantity)
    low, high = _number(one.figure.low), _number(one.figure.high)
    return words.say("outside", quantity=quantity, ours=_number(one.ours), low=low, high=high)


def order_text(one: JudgedOrder, words: Words) -> str:
    """Return whether an order holds."""
    means = " < ".join(_number(mean) for mean in one.means) if one.holds else ", ".join(map(_number, one.means))
    key = "order_holds" if one.holds else "order_fails"
    return words.say(key, text=one.order.text, means=means, seeds=one.seeds, of=one.of)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1 else f"{value:,.1f}" if abs(value) < 1e5 else written(value)
