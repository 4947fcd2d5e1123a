import pytest

from glassnet.charts.intervals import Interval, IntervalChart, Printed
from glassnet.charts.painting import figure_of

ROWS = [Interval("best", 0.9, 0.8, 1.0, (0.85, 0.95)), Interval("base", 0.5, None, None, (0.5,))]
CHART = IntervalChart("results", "Accuracy", "accuracy", ROWS, mark=(0.5, "base"))


def test_intervals_stand_one_below_the_other_at_their_values():
    drawing, axis = CHART.draw(), CHART.lay_out()
    assert (axis.low, axis.high) == (0.48, 1.02)  # 4 % more at both ends
    assert [(tick.place, tick.text) for tick in drawing.y_ticks] == [(250, "best"), (750, "base")]
    seeds, lines, dots = (stroke.path for stroke in drawing.strokes)
    assert seeds == "M685.2 250h0M870.4 250h0M37 750h0"
    assert lines == "M592.6 250H963"
    assert dots == "M777.8 250h0M37 750h0"
    assert drawing.points["curves"][0]["points"] == [
        [777.8, 250.0, "best", "0.9 (0.8 … 1)"],
        [37.0, 750.0, "base", "0.5"],
    ]
    assert drawing.mark.place == 37.0


def test_they_are_painted_as_they_are_drawn():
    axes = figure_of(CHART).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["best", "base"]
    assert axes.get_ylim() == (1.5, -0.5)  # the first at the top
    assert axes.get_xlim() == (0.48, 1.02)
    seeds, line, means, mark = axes.get_lines()
    assert (list(seeds.get_xdata()), list(seeds.get_ydata())) == ([0.85, 0.95, 0.5], [0, 0, 1])
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([0.8, 1.0], [0, 0])
    assert (list(means.get_xdata()), list(means.get_ydata())) == ([0.9, 0.5], [0, 1])
    assert list(mark.get_xdata()) == [0.5, 0.5]
    assert (axes.get_title(loc="left"), axes.get_xlabel()) == ("Accuracy", "accuracy")


BESIDE = IntervalChart(
    "printed",
    "Loss",
    "loss",
    [
        Interval("GD", 200.0, 180.0, 220.0, (180.0, 220.0), Printed(209.0, 150.0, 300.0)),
        Interval("ReLU", None, printed=Printed(8000.0, 7000.0, 1e9)),
    ],
    names=("ours", "printed"),
)


def test_what_is_printed_stands_above_ours_on_a_logarithmic_axis_where_values_are_far_apart():
    drawing, axis = BESIDE.draw(), BESIDE.lay_out()
    assert drawing.logarithmic
    assert (axis.low, axis.high) == pytest.approx((180 / 1.2, 8000 * 1.2))
    same, theirs, _, lines, ours = drawing.strokes
    assert [(one.label, one.colour) for one in drawing.strokes] == [
        ("same", 1),
        ("dots", 1),
        ("seeds", 0),
        ("lines", 0),
        ("dots", 0),
    ]
    # GD: theirs 0.33 of a row from its top, ours 0.67; what counts as the same ends with the plot
    assert theirs.path == f"M{axis.place(209):g} 165h0M{axis.place(8000):g} 665h0"
    assert ours.path == f"M{axis.place(200):g} 335h0"
    assert lines.path == f"M{axis.place(180):g} 335H{axis.place(220):g}"
    assert same.path.endswith(f"M{axis.place(7000):g} 665H1000")
    assert [point[2:] for point in drawing.points["curves"][0]["points"]] == [
        ["GD", "printed 209, ours 200 (180 … 220)"],
        ["ReLU", "printed 8000, ours –"],
    ]
    axes = figure_of(BESIDE).axes[0]
    assert axes.get_xscale() == "log"
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["ours", "printed"]
    assert [handle.get_color() for handle in legend.legend_handles] == ["#1d4ed8", "#b45309"]


def test_the_mark_is_in_sight_also_where_the_values_would_have_a_logarithmic_axis():
    rows = [Interval("large", 90.0, 80.0, 100.0), Interval("small", 0.1, 0.05, 0.2)]
    drawing = IntervalChart("importance", "Loss", "loss", rows, mark=(0.0, "none")).draw()
    assert not drawing.logarithmic
    assert 0 <= drawing.mark.place <= 1000


def test_the_legend_names_only_what_is_there():
    only = IntervalChart(
        "study", "T", "loss", [Interval("GD", None, printed=Printed(3.0, 2.0, 4.0))], names=("ours", "printed")
    )
    legend = figure_of(only).axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["printed"]
    assert legend.legend_handles[0].get_color() == "#b45309"
