"""Tables of a search's report."""

from __future__ import annotations

from glassnet.charts.axes import format_known
from glassnet.charts.tables import NONE, Cell, Number, Rows, Table
from glassnet.locales.catalogue import Words
from glassnet.report.setting_tables import setting_text
from glassnet.searches.results import RankedTrial, SearchResult, first_epochs
from glassnet.searches.space import Choice, Dimension
from glassnet.study.findings import LEVEL
from glassnet.study.result_table import write_interval, write_number
from glassnet.study.results import FINISHED


def ranking_table(found: SearchResult, words: Words, most: int) -> Table:
    """Return the best trials, a row each: value, interval, how far behind the winner, and what it cost."""
    shown = [one for one in found.trials if one.value is not None][:most]
    rows: Rows = [_row(one, found, words) for one in shown]
    return Table(words.say("search.ranking"), _heads(found, words), rows, (0,), words.say("search.table_about"))


def _heads(found: SearchResult, words: Words) -> list[str]:
    heads = [words.say("search.trial"), words.say("measures.epoch"), words.measure(found.measure)]
    heads += [words.say("interval_of_mean", confidence=100 * (1 - LEVEL)), words.say("search.ahead")]
    return [*heads, words.say("epoch_seconds"), words.say("search.size"), words.say("search.front")]


def _row(one: RankedTrial, found: SearchResult, words: Words) -> list[str | Cell]:
    gain = one.gain
    behind = NONE
    if gain is not None:
        behind = write_number(gain.difference, "+")
        if gain.low is not None:
            behind = f"{behind} ({write_interval(gain.low, gain.high, words, '+')})"
    return [
        Cell(one.name, bold=one is found.winner),
        str(one.epochs),
        write_number(one.value),
        write_interval(one.low, one.high, words),
        behind,
        format_known(one.seconds, ".3g"),
        f"{one.size:,}",
        words.say("search.on_front") if one.on_front else NONE,
    ]


def all_trials_table(found: SearchResult, words: Words) -> Table:
    """Return every trial with what was drawn for it, and how it ended."""
    names = list(found.search.space.dimensions)
    rows: Rows = []
    for one in found.trials:
        value = write_number(one.value) if one.value is not None else words.name("statuses", one.row.status)
        drawn: list[str | Cell] = [Cell(one.parameters[name], code=True) for name in names]
        rows.append([Cell(one.name, bold=one is found.winner), str(one.epochs), value, *drawn, one.row.problem])
    heads = [words.say("search.trial"), words.say("measures.epoch"), words.measure(found.measure), *names]
    heads.append(words.say("search.problem"))
    if all(one.row.status == FINISHED for one in found.trials):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    text = (0, *range(3, len(heads)))
    numbers: list[list[Number]] = []
    return Table(words.say("search.all_trials"), heads, rows, text, key="trials", numbers=numbers)


def importance_table(found: SearchResult, words: Words) -> Table | None:
    """Return how much each parameter mattered, what it could be, and what it is for the winner."""
    if not found.importance:
        return None
    rows: Rows = [
        [
            Cell(name, code=True),
            f"{share:.3f}",
            Cell("" if found.winner is None else found.winner.parameters[name], code=True),
        ]
        for name, share in found.importance.items()
    ]
    heads = [words.say("search.parameter"), words.say("search.importance_share"), words.say("search.best_value")]
    return Table(
        words.say("search.importance"), heads, rows, (0, 2), importance_note(found, words), key="importance"
    )


def importance_note(found: SearchResult, words: Words) -> str:
    """Say how the importance was measured, and on what."""
    trials = words.say("search.n_trials", n=found.compared)
    return words.say(
        "search.importance_note", trials=trials, epochs=words.say("n_epochs", n=first_epochs(found.search))
    )


def space_table(found: SearchResult, words: Words) -> Table:
    """Return the parameters and what they could be."""
    space = found.search.space
    rows: Rows = []
    for name, one in space.dimensions.items():
        multiple = words.say("search.times_default") if name in space.times_default else ""
        rows.append([Cell(name, code=True), Cell(space.keys[name], code=True), _describe(one, words), multiple])
    if not space.times_default:
        rows = [row[:-1] for row in rows]
    heads = [words.say("search.parameter"), words.say("option"), words.say("search.values")]
    heads += [""] if space.times_default else []
    return Table(words.say("search.parameters"), heads, rows, tuple(range(len(heads))), key="parameters")


def _describe(one: Dimension, words: Words) -> str:
    if isinstance(one, Choice):
        return ", ".join(map(setting_text, one.values.values()))
    ends = {"low": one.low, "high": one.high}
    if one.step is not None:
        return words.say("search.step_range", **ends, step=one.step)
    return words.say("search.log_range" if one.log else "search.range", **ends)
