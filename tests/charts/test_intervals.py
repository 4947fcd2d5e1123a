from glassnet.charts.intervals import Interval, IntervalChart
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
    seeds, line, mean, *_, mark = axes.get_lines()
    assert list(seeds.get_xdata()) == [0.85, 0.95]
    assert list(line.get_xdata()) == [0.8, 1.0]
    assert list(mean.get_xdata()) == [0.9]
    assert list(mark.get_xdata()) == [0.5, 0.5]
    assert (axes.get_title(loc="left"), axes.get_xlabel()) == ("Accuracy", "accuracy")
