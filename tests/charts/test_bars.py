"""Bars: as long as their numbers; a histogram counts every value once."""

import numpy as np
import pytest
from tests.loops import for_each

from glassnet.charts.bars import Bar, BarChart, histogram
from glassnet.charts.painting import figure_of
from glassnet.locales.catalogue import Words

EN = Words("en")


def test_a_bar_is_as_long_as_its_number_on_a_page_and_on_axes():
    chart = BarChart("target", "Rows", "rows", [Bar("cat", 100.0), Bar("$dog", 25.0)])
    drawing = chart.draw()
    axis = chart.lay_out()
    assert drawing.strokes[0].path == f"M0 250H{axis.place(100):g}M0 750H{axis.place(25):g}"
    assert axis.place(100) == pytest.approx(4 * axis.place(25), abs=0.5)
    assert drawing.points["curves"][0]["points"][1][2:] == ["$dog", "25"]
    axes = figure_of(chart).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [100, 25]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", r"\$dog"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first at the top


def test_a_histogram_counts_every_value_once():
    values = np.array([0.0, 0.5, 1.0, 1.0, 1.9, 2.0, 11.9, 12.0])
    chart = histogram("target", "Target", values, EN)
    assert sum(bar.value for bar in chart.bars) == len(values)
    assert chart.bars[0] == Bar("0 … 1", 2.0)
    assert chart.bars[1] == Bar("1 … 2", 3.0)
    assert chart.bars[-1] == Bar("12 … 13", 1.0)
    for rest in (np.full(5, 3.25), np.array([-1e9, 1e9]), np.random.default_rng(0).normal(size=500)):
        found = histogram("target", "Target", rest, EN)
        assert sum(bar.value for bar in found.bars) == len(rest)
        assert len(found.bars) <= 26


def test_what_lies_beyond_the_ends_is_in_the_first_and_the_last_bar():
    values = np.array([-50.0, *np.linspace(0, 10, 101), 70.0, 80.0])
    chart = histogram("errors", "Errors", values, EN, (0.0, 10.0))
    assert chart.bars[0].label == "< 1"
    assert chart.bars[-1].label == "≥ 9"
    assert chart.bars[0].value == 11
    assert sum(bar.value for bar in chart.bars) == len(values)


@for_each("values, labels", [([1, 2, 2, 3], ["1 … 2", "2 … 3", "3 … 4"]), ([7, 7], ["7 … 8"])])
def test_whole_numbers_have_whole_steps(values, labels):
    assert [bar.label for bar in histogram("target", "", np.array(values, float), EN).bars] == labels


def test_a_chart_without_bars_is_drawn():
    assert BarChart("target", "", "", []).draw().strokes[0].path == ""
