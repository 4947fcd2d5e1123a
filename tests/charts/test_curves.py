import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.loops import for_each

from glassnet.charts.curves import MOST_DOTS, Chart, Curve, Scatter, thin_out
from glassnet.charts.painting import SERIES, figure_of
from glassnet.errors import UsageError


def chart(*curves, **options):
    return Chart("loss", "Loss", "epoch", curves, **options).draw()


@for_each(
    "options, name",
    [({"mean": (1.0,)}, "mean"), ({"low": (1.0, 1.0)}, "high"), ({"low": (1.0,), "high": (1.0,)}, "low")],
)
def test_a_curve_that_does_not_fit_itself_is_refused(options, name):
    with pytest.raises(UsageError, match=f"^{name}: "):
        Curve("a", **({"x": (1, 2), "mean": (1.0, 2.0)} | options))


@for_each("name, value", [("form", "share"), ("scale", "log"), ("spread", "odd")])
def test_an_unknown_form_or_scale_is_refused(name, value):
    with pytest.raises(UsageError, match=f"{name}: must be"):
        Chart("a", "A", "x", (), **{name: value})


def test_places_follow_the_values():
    drawing = chart(Curve("a", (0, 1, 4), (0.0, 10.0, 5.0)))
    points = drawing.points["curves"][0]["points"]
    assert [point[0] for point in points] == [0, 250, 1000]
    # The axis goes from 0 to 10.5: larger values stand higher, which is a smaller distance from the top.
    assert [point[1] for point in points] == [1000, pytest.approx(47.6), pytest.approx(523.8)]
    assert drawing.strokes[0].path == "M0 1000L250 47.6L1000 523.8"
    assert [point[2:] for point in points] == [["0", "0"], ["1", "10"], ["4", "5"]]


def test_a_logarithmic_axis_has_equal_steps_for_equal_factors():
    drawing = chart(Curve("a", (0, 1, 2), (1.0, 10.0, 100.0)))
    top, middle, bottom = (point[1] for point in reversed(drawing.points["curves"][0]["points"]))
    assert drawing.logarithmic
    assert middle - top == pytest.approx(bottom - middle, abs=0.2)
    assert not chart(Curve("a", (0, 1), (1.0, 100.0)), scale="linear").logarithmic
    assert not chart(Curve("a", (0, 1), (0.0, 100.0))).logarithmic
    assert not chart(Curve("a", (0, 1), (0.01, 1.0)), form="percent").logarithmic


def test_a_logarithmic_axis_that_is_asked_for_leaves_gaps_where_values_are_not_positive():
    drawing = chart(Curve("a", (0, 1, 2, 3), (0.5, 0.0, 1.0, 2.0)), scale="logarithmic")
    assert drawing.logarithmic
    assert [point[3] for point in drawing.points["curves"][0]["points"]] == ["0.5", "1", "2"]
    assert drawing.strokes[0].path.startswith("M0 ")
    assert drawing.strokes[0].path.count("M") == 2
    assert not chart(Curve("a", (0, 1), (0.0, 0.0)), scale="logarithmic").logarithmic


def test_steps_are_spread_out_by_the_logarithm_of_one_more():
    drawing = chart(Curve("a", (0, 1, 3, 15), (1.0, 2.0, 3.0, 4.0)), spread="steps")
    assert [point[0] for point in drawing.points["curves"][0]["points"]] == [0, 250, 500, 1000]  # log2 1, 2, 4, 16
    assert [point[2] for point in drawing.points["curves"][0]["points"]] == ["0", "1", "3", "15"]
    assert [(tick.place, tick.text) for tick in drawing.x_ticks] == [(0, "0"), (250, "1"), (864.9, "10")]


def test_a_mark_is_on_the_plot_at_its_value():
    values = Curve("a", (0, 1), (0.01, 1.0))
    drawing = chart(values, scale="logarithmic", mark=(0.001, "usual"))
    assert drawing.mark.text == "usual"
    low, high = (point[1] for point in drawing.points["curves"][0]["points"])
    assert drawing.mark.place - low == pytest.approx((low - high) / 2, abs=0.2)  # one decade below two
    assert drawing.mark.place < 1000
    assert chart(values).mark is None


def test_what_is_missing_leaves_a_gap():
    drawing = chart(Curve("a", range(5), (1.0, 2.0, None, math.inf, 3.0)))
    assert re.sub(r"[\d. ]", "", drawing.strokes[0].path) == "MLMh"  # a line of two points, then a dot
    assert [point[2] for point in drawing.points["curves"][0]["points"]] == ["0", "1", "4"]


def test_a_band_is_one_outline_and_is_said():
    drawing = chart(Curve("a", (0, 1), (2.0, 2.0), (1.0, 1.5), (3.0, 2.5)))
    xs = [float(x) for x in re.findall(r"[ML](\S+) ", drawing.strokes[0].band)]
    assert xs == [0, 1000, 1000, 0]
    assert drawing.strokes[0].band.endswith("Z")
    assert drawing.points["curves"][0]["points"][0][3] == "2 (1 … 3)"


def test_an_epoch_alone_is_a_dot_in_the_middle():
    drawing = chart(Curve("a", (1,), (0.5,)))
    assert drawing.strokes[0].path.startswith("M500 ")
    assert drawing.strokes[0].path.endswith("h0")
    assert [tick.text for tick in drawing.x_ticks] == ["1"]


def test_colours_differ_and_come_again_dashed():
    colours = len(SERIES["light"])
    drawing = chart(*(Curve(str(n), (0, 1), (n, n)) for n in range(colours + 2)))
    assert len({(stroke.colour, stroke.dashed) for stroke in drawing.strokes}) == colours + 2
    assert [stroke.dashed for stroke in drawing.strokes] == [False] * colours + [True] * 2
    assert len(SERIES["dark"]) == colours


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e30, 1e30)), min_size=1, max_size=40),
    st.sampled_from(["number", "percent"]),
)
def test_everything_is_drawn_within_the_plot(values, form):
    drawing = chart(Curve("a", range(1, len(values) + 1), values), form=form)
    places = [place for point in drawing.points["curves"][0]["points"] for place in point[:2]]
    places += [tick.place for tick in (*drawing.x_ticks, *drawing.y_ticks)]
    assert all(-1 <= place <= 1001 for place in places)
    assert json.loads(json.dumps(drawing.points, allow_nan=False)) == drawing.points


def test_a_long_curve_keeps_its_peaks_its_ends_and_what_others_have_there():
    n = 20_000
    values = np.sin(np.arange(n) * math.pi)  # near 0
    values[7777], values[12345] = 5.0, -5.0
    one, other = thin_out([Curve("a", range(n), values), Curve("b", range(n), np.zeros(n))])
    assert len(one.x) < 1500
    assert one.x == other.x
    assert {0.0, 7777.0, 12345.0, n - 1.0} <= set(one.x)
    assert (max(one.mean), min(one.mean)) == (5.0, -5.0)
    kept = dict(zip(one.x, one.mean, strict=True))
    assert all(values[int(x)] == value for x, value in kept.items())


def test_a_thinned_band_stays_at_its_points():
    n = 5000
    x = np.arange(n, dtype=float)
    curve = thin_out([Curve("a", x, x, x - 1, x + 1)])[0]
    assert all(low == at - 1 for low, at in zip(curve.low, curve.x, strict=True))
    assert all(high == at + 1 for high, at in zip(curve.high, curve.x, strict=True))


def test_scattered_points_share_one_scale_and_lie_on_the_line_where_they_agree():
    drawing = Scatter("f", "Fit", "true", "said", np.array([0.0, 5.0, 10.0]), np.array([0.0, 5.0, 0.0])).draw()
    points = drawing.points["curves"][0]["points"]
    assert points[1][:2] == [500, 500]
    assert points[0][0] == 1000 - points[0][1]
    assert points[2][1] > points[2][0] or points[2][0] > 900  # below the line: too low a prediction
    assert points[2][1] == points[0][1]
    assert points[2][3] == "10 → 0"


def test_of_many_points_some_are_drawn():
    x = np.arange(5.0 * MOST_DOTS)
    drawing = Scatter("f", "Fit", "true", "said", x, x, str).draw()
    points = drawing.points["curves"][0]["points"]
    assert len(points) == MOST_DOTS
    assert points[1][2:] == ["5", "5 → 5"]


def painted(*curves, **options):
    return figure_of(Chart("loss", "Loss", "epoch", curves, **options)).axes[0]


def test_a_chart_is_painted_as_it_is_drawn():
    values = Curve("a", (0, 1, 2), (1.0, 10.0, 100.0), (0.5, 5.0, 50.0), (2.0, 20.0, 200.0))
    axes, drawing = painted(values, mark=(30.0, "usual")), chart(values, mark=(30.0, "usual"))
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "log")
    low, high = np.log(axes.get_ylim())
    places = [1000 * (high - np.log(y)) / (high - low) for y in axes.get_lines()[0].get_ydata()]
    assert places == pytest.approx([point[1] for point in drawing.points["curves"][0]["points"]], abs=0.06)
    for seen, ticks in ((axes.get_yticklabels(), drawing.y_ticks), (axes.get_xticklabels(), drawing.x_ticks)):
        assert [label.get_text() for label in seen] == [tick.text for tick in ticks]
    [band] = axes.collections
    assert band.get_paths()[0].get_extents().ymax == 200
    assert axes.get_lines()[1].get_ydata() == [30.0, 30.0]
    assert [text.get_text() for text in axes.texts] == ["usual"]
    assert (axes.get_title(loc="left"), axes.get_xlabel()) == ("Loss", "epoch")


def test_steps_are_painted_by_the_logarithm_of_one_more():
    axes = painted(Curve("a", (0, 1, 3, 15), (1.0, 2.0, 3.0, 4.0)), spread="steps")
    moved = axes.transData.transform([(x, 2.0) for x in (0, 1, 3, 15)])[:, 0]
    shares = (moved - moved[0]) / (moved[-1] - moved[0])
    np.testing.assert_allclose(shares, [0, 0.25, 0.5, 1], atol=1e-6)


def test_a_point_between_gaps_is_painted_as_a_dot():
    values = Curve("a", range(5), (1.0, 2.0, None, 3.0, None))
    line, dot = painted(values).get_lines()
    np.testing.assert_array_equal(line.get_ydata(), [1, 2, np.nan, 3, np.nan])
    assert (dot.get_marker(), list(dot.get_xdata()), list(dot.get_ydata())) == ("o", [3], [3])
    assert values.lone == [3]


def test_curves_are_painted_in_the_colours_of_the_page():
    colours = SERIES["light"]
    lines = painted(*(Curve(str(n), (0, 1), (n, n)) for n in range(len(colours) + 1))).get_lines()
    assert [line.get_color() for line in lines] == [*colours, colours[0]]
    assert [line.is_dashed() for line in lines] == [False] * len(colours) + [True]


def test_scattered_points_are_painted_on_one_scale():
    x, y = np.array([0.0, 5.0, 10.0]), np.array([0.0, 5.0, 2.0])
    axes = figure_of(Scatter("f", "Fit", "true", "said", x, y)).axes[0]
    line, dots = axes.get_lines()
    assert dots.get_xydata().tolist() == [[0, 0], [5, 5], [10, 2]]
    assert axes.get_xlim() == axes.get_ylim() == tuple(line.get_xdata()) == tuple(line.get_ydata())
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("true", "said")


def test_a_second_chart_on_the_same_axes_leaves_the_first_in_sight():
    axes = painted(Curve("low", (1, 2), (1.0, 2.0)))
    Chart("loss", "Loss", "epoch", [Curve("high", (2, 9), (8.0, 20.0))]).paint(axes)
    low, high = axes.get_lines()
    assert [low.get_color(), high.get_color()] == list(SERIES["light"][:2])
    assert axes.get_xlim() == (1, 9)
    assert axes.get_ylim()[0] <= 1 < 20 <= axes.get_ylim()[1]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["low", "high"]
    assert {"5", "10", "15", "20"} <= {label.get_text() for label in axes.get_yticklabels()}


def test_a_place_on_the_lower_axis_is_marked_where_there_is_room():
    falls = Curve("training", (1, 2, 3, 4, 5), (9.0, 4.0, 2.0, 1.0, 0.5))
    for curves, low in (([falls], False), ([replace(falls, mean=tuple(10 - y for y in falls.mean))], True)):
        chart = Chart("loss", "Loss", "epoch", curves, place=(4.0, "kept: epoch 4"))
        drawing = chart.draw()
        assert (drawing.place.place, drawing.place.text, drawing.place_low) == (750, "kept: epoch 4", low)
        axes = figure_of(chart).axes[0]
        assert [line.get_xdata() for line in axes.get_lines()][-1] == [4.0, 4.0]
        [said] = axes.texts
        assert (said.get_text(), said.get_ha(), said.get_va()) == (
            "kept: epoch 4",
            "right",
            "bottom" if low else "top",
        )
    assert Chart("loss", "Loss", "epoch", [falls]).draw().place is None


def test_a_logarithmic_axis_that_is_asked_for_needs_a_positive_value():
    drawing = chart(Curve("diverged", (0, 1), (math.nan, math.inf)), scale="logarithmic")
    assert not drawing.logarithmic
    assert drawing.points["curves"][0]["points"] == []
