"""What a chart of rows one below the other shows, for those who cannot see it."""

from __future__ import annotations

from glassnet.charts.axes import format_number
from glassnet.charts.bars import BarChart
from glassnet.charts.intervals import IntervalChart
from glassnet.charts.tables import NONE
from glassnet.locales.catalogue import Words

#: Rows that are read out.
MOST_READ = 12


def describe_intervals(chart: IntervalChart | BarChart, words: Words) -> str:
    """Return the names and numbers of a chart's rows, the first of them."""
    rows = [(row.label, row.mean) for row in chart.intervals] if isinstance(chart, IntervalChart) else chart.bars
    listed = [f"{name} {NONE if value is None else format_number(value)}" for name, value in rows[:MOST_READ]]
    return words.say("rows_about", title=chart.title, list=listed)
