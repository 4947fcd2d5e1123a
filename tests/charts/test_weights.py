from importlib import resources

import numpy as np
import pytest
from tests.data.pictures import pixels

import glassnet as gn
from glassnet.charts.painting import figure_of
from glassnet.charts.weights import DIVERGING, GAP, diverging, first_layer, weight_sheet


def test_weights_have_one_scale_red_below_and_blue_above():
    network = gn.Network([4, 3, 2], initializer=np.zeros(23))
    network.W[0][:] = np.array([[1.0, 0.1, 0.0], [-1.0, -0.1, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    sheet = weight_sheet(network, (2, 2))
    image = pixels(sheet.address)
    assert (sheet.shown, sheet.units, sheet.columns, sheet.rows) == (3, 3, 3, 1)
    assert image.shape == (2, 3 * 2 + 2 * GAP, 4)
    assert (image[:, 2 : 2 + GAP, 3] == 0).all()  # clear between units
    strong, weak = image[0, :2], image[0, 2 + GAP : 4 + GAP]
    assert strong[0, 2] > strong[0, 0] + 50  # blue
    assert strong[1, 0] > strong[1, 2] + 50  # red
    assert (weak[:, :3] > 200).all()  # a tenth of the scale is almost white: the scale is not the unit's own
    assert sheet.limit == pytest.approx(1.0, rel=0.05)


def test_of_a_wide_layer_the_first_units_are_shown():
    sheet = weight_sheet(gn.Network([16, 100, 2]), (4, 4))
    assert (sheet.shown, sheet.units, sheet.columns, sheet.rows) == (64, 100, 8, 8)
    assert weight_sheet(gn.Network([12, 5, 2]), (2, 2, 3)).shown == 5
    few = weight_sheet(gn.Network([16, 10, 2]), (4, 4))
    assert (few.shown, few.columns, few.rows) == (10, 5, 2)


def test_of_three_colours_the_mean_is_shown():
    network = gn.Network([12, 2], initializer=np.zeros(26))
    network.W[0][:] = np.tile([[0.1], [0.2], [0.6]], (4, 1))
    assert weight_sheet(network, (2, 2, 3)).limit == pytest.approx(0.3)


def test_zero_is_white_and_the_ends_are_dark():
    below, zero, above = diverging(np.array([-1.0, 0.0, 1.0]))[:, :3].astype(int)
    assert zero.min() > 240
    assert below[0] > below[2]
    assert above[2] > above[0]
    assert (diverging(np.array([-5.0])) == diverging(np.array([-1.0]))).all()


def test_the_colours_of_the_page_are_those_of_the_weights():
    css = (resources.files("glassnet.report") / "templates" / "report.css").read_text(encoding="utf-8")
    colours = ", ".join("#" + "".join(f"{part:02x}" for part in colour) for colour in DIVERGING)
    assert f"linear-gradient(90deg, {colours})" in css


def test_weights_of_a_table_are_a_matrix_a_row_a_unit_with_the_names_of_the_inputs():
    network = gn.Network([2, 3, 2], initializer=np.zeros(17))
    network.W[0][:] = [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]
    found = first_layer(network, "Weights", None, ["age", "income"])
    axes = figure_of(found).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["age", "income"]
    image = axes.images[0].get_array()
    assert image.shape == (3, 2, 4)
    assert image[0, 0, 2] > image[0, 0, 0]  # unit 0 of age: blue
    assert image[1, 1, 0] > image[1, 1, 2]  # unit 1 of income: red
    assert found.limit == pytest.approx(1.0)
    assert len(first_layer(network, "Weights", None, ["one"]).names) == 2  # names that do not fit are not taken


def test_the_sheet_is_painted_with_its_scale():
    figure = figure_of(first_layer(gn.Network([16, 10, 2]), "Weights", (4, 4)))
    axes, bar = figure.axes
    assert axes.get_title(loc="left") == "Weights"
    assert axes.images[0].get_array().shape == (2 * 4 + GAP, 5 * 4 + 4 * GAP, 4)
    limit = weight_sheet(gn.Network([16, 10, 2]), (4, 4)).limit
    assert bar.get_ylim() == pytest.approx((-limit, limit))
