"""Which inputs a network goes by, as a part of a page."""

from __future__ import annotations

from types import SimpleNamespace

from glassnet.charts.axes import format_number, percent_form
from glassnet.charts.heat_map import HeatMap
from glassnet.charts.tables import Rows, Table
from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, NonFiniteError
from glassnet.locales.catalogue import Words
from glassnet.nn.network import Network
from glassnet.report.run_curves import show
from glassnet.training.inspection.importance import MOST_SHOWN, Importance, group_inputs, permutation_importance

#: How often a column and a patch of a picture are shuffled.
REPEATS, REPEATS_OF_PATCHES = 5, 3

#: What a page has time for: passes of a row, each of as many steps as there are parameters, and so many an input.
MOST_WORK, WORK_OF_INPUT = 2e10, 150

#: Fewer rows say little, and more hardly more.
FEWEST_ROWS, MOST_ROWS = 100, 2000


def show_importance(network: Network, data: Dataset, words: Words) -> SimpleNamespace:
    """Measure which inputs matter, on validation rows, and where there are none on test rows."""
    section = SimpleNamespace(notes=[], drawing=None, map=None, table=None, found=None)
    split = "validation" if len(data.validation.y) else "test"
    if not len(getattr(data, split).y):
        section.notes = [words.say("importance_none", why=words.say("why_no_rows"))]
        return section
    _, groups, grid = group_inputs(network, data.schema)
    inputs, repeats = len(groups), REPEATS if grid is None else REPEATS_OF_PATCHES
    work = inputs * repeats * (len(network.theta) + WORK_OF_INPUT * network.layers[0])
    rows = min(max(round(MOST_WORK / work), FEWEST_ROWS), MOST_ROWS)
    try:
        found = permutation_importance(network, getattr(data.encoded, split), repeats=repeats, max_rows=rows)
    except (DataError, NonFiniteError):
        section.notes = [words.say("importance_none", why=words.say("why_undefined"))]
        return section
    form = percent_form(words) if found.metric == "accuracy" else "number"
    score, about = (
        format_number(found.score, form),
        "importance_about" if found.grid is None else "importance_about_map",
    )
    rows_said = {"rows": found.rows, "split": words.say(f"{split}_rows"), "n": repeats}
    section.notes = [words.say(about, **rows_said, measure=found.metric, score=score)]
    chart = found.chart(words)
    if isinstance(chart, HeatMap):
        section.map = SimpleNamespace(
            chart=chart, alt=_describe_map(found, words), limit=format_number(chart.limit)
        )
    else:
        section.drawing = show(chart, words)
        if inputs > MOST_SHOWN:
            section.notes.append(words.say("importance_few", shown=MOST_SHOWN, n=inputs))
    section.table = _tabulate(found, words)
    section.found = found
    return section


def _describe_map(found: Importance, words: Words) -> str:
    """Say what a map shows to those who cannot see it."""
    down, across = found.grid or (1, 1)
    first = found.ranking()[0]
    row, column = divmod(first, across)
    most = format_number(float(found.mean[first]))
    return words.say("importance_alt", down=down, across=across, row=row + 1, column=column + 1, most=most)


def _tabulate(found: Importance, words: Words) -> Table:
    """Return the most important inputs with their intervals."""
    head = words.say("falls_by", measure=words.measure(found.metric))
    rows: Rows = []
    for place in found.ranking()[:MOST_SHOWN]:
        low, high = (f"{end:.4f}" for end in found.interval(place))
        rows.append([found.names[place], f"{found.mean[place]:.4f}", words.say("low_to_high", low=low, high=high)])
    header = [words.say("input"), head, words.say("shuffling_interval")]
    return Table(words.say("importance"), header, rows, key="importance")
