import numpy as np
import pytest
from tests.loops import for_each

from glassnet.charts.painting import figure_of, save_figure
from glassnet.errors import FileError
from glassnet.locales.catalogue import Words
from glassnet.training.range_test import RangeTest, smooth


@pytest.fixture(scope="module")
def result():
    learning_rates = np.geomspace(1e-4, 1, 9)
    losses = np.array([2.0, 2.1, 1.9, 1.5, 0.8, 0.5, 0.4, 9.0, 90.0])
    smoothed = smooth(losses.tolist())
    return RangeTest(
        "sgd(learning_rate=0.1)", learning_rates, losses, smoothed, 1e-2, learning_rates[6], "because"
    )


@pytest.fixture(scope="module")
def axes(result):
    return figure_of(result.chart(Words("en"))).axes[0]


def test_the_curves_and_marks_lie_where_the_result_has_them(result, axes):
    raw, smoothed, guide, pick, stable = (line.get_xydata() for line in axes.lines)
    np.testing.assert_array_equal(raw, np.column_stack([result.learning_rates, result.losses]))
    np.testing.assert_array_equal(smoothed, np.column_stack([result.learning_rates, result.smoothed]))
    assert guide[:, 0].tolist() == [1e-2, 1e-2]
    assert pick.tolist() == [[1e-2, result.smoothed[4]]]
    assert stable.tolist() == [[result.learning_rates[6], result.smoothed[6]]]


def test_the_smoothed_curve_is_stronger_than_the_raw_one(axes):
    raw, smoothed = axes.lines[:2]
    assert smoothed.get_linewidth() > 2 * raw.get_linewidth()
    assert raw.get_alpha() < 0.5


def test_the_axes_are_labelled_and_the_learning_rate_is_on_a_logarithmic_one(axes):
    assert axes.get_xscale() == "log"
    assert axes.get_xlim() == pytest.approx((1e-4, 1))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("learning rate", "training loss")
    assert axes.get_title(loc="left") == "Learning-rate range test: sgd"
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert words == ["each batch", "smoothed", "pick", "lowest, at 0.1"]


def test_the_blow_up_is_cut_off_and_all_before_it_is_seen(axes):
    # from 0.4, the lowest, to 2.1, with 0.08 and 0.16 of these 1.7 as margins
    assert axes.get_ylim() == pytest.approx((0.4 - 0.136, 2.1 + 0.272))


@for_each("place, side", [(1, "left"), (6, "right")])
def test_the_pick_is_labelled_on_the_side_with_more_room(result, place, side):
    result = RangeTest(**{**vars(result), "pick": float(result.learning_rates[place])})
    (label,) = figure_of(result.chart(Words("en"))).axes[0].texts
    assert label.get_text() == f"pick {result.pick:.2g}"
    assert label.get_horizontalalignment() == side
    assert label.xy[0] == result.pick


def test_the_file_is_what_its_name_says_alone_in_its_folder_and_the_same_again(result, tmp_path):
    for name, begin in (("found.png", b"\x89PNG"), ("found.SVG", b"<?xml"), ("found.pdf", b"%PDF")):
        save_figure(figure_of(result.chart(Words("en"))), tmp_path / name)
        content = (tmp_path / name).read_bytes()
        assert content.startswith(begin)
        save_figure(figure_of(result.chart(Words("en"))), tmp_path / name)
        assert (tmp_path / name).read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["found.SVG", "found.pdf", "found.png"]


@for_each("name", ["found.jpg", "found", "found.svgz"])
def test_another_ending_is_refused_and_nothing_written(result, tmp_path, name):
    with pytest.raises(FileError, match=r"ends in neither \.pdf, \.svg nor \.png"):
        save_figure(figure_of(result.chart(Words("en"))), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_refused_by_name(result, tmp_path):
    with pytest.raises(FileError, match=r"found\.png: cannot be written"):
        save_figure(figure_of(result.chart(Words("en"))), tmp_path / "missing" / "found.png")
