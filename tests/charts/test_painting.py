import io
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from tests.loops import for_each

from glassnet.charts import painting
from glassnet.charts.curves import Chart, Curve
from glassnet.charts.painting import (
    FEW_NAMES,
    figure_of,
    html_picture,
    plot,
    render,
    save_figure,
    saying_missing_letters,
)

CHART = Chart("loss", "Loss", "epoch", [Curve("training", (1, 2, 3), (3.0, 2.0, 1.0))])


@pytest.fixture
def no_chinese_font(monkeypatch):
    monkeypatch.setattr(painting, "_find_chinese_font", lambda: [])


def test_the_same_chart_gives_the_same_bytes_of_each_kind():
    for kind, begin in (("pdf", b"%PDF-"), ("svg", b"<?xml"), ("png", b"\x89PNG")):
        first, again = (render(figure_of(CHART), kind) for _ in range(2))
        assert first == again
        assert first.startswith(begin)


def test_the_users_own_settings_do_not_change_a_file():
    plain = render(figure_of(CHART), "png")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "savefig.bbox": "tight"}):
        assert np.array_equal(imread(io.BytesIO(render(figure_of(CHART), "png"))), imread(io.BytesIO(plain)))


def test_letters_of_an_svg_are_outlines_and_a_pdf_embeds_its_font():
    assert b"<text" not in render(figure_of(CHART), "svg")
    assert b"/FontFile2" in render(figure_of(CHART), "pdf")


def test_chinese_letters_of_a_pdf_are_embedded_as_outlines():
    if not painting._find_chinese_font():
        pytest.skip("needs a font with Chinese letters")
    content = render(figure_of(Chart("loss", "损失", "轮次", CHART.curves)), "pdf")
    assert b"/Type3" in content
    assert b"/FontFile2" not in content


def test_letters_that_no_font_has_are_said(no_chinese_font, tmp_path):
    chart = Chart("loss", "损失", "epoch", CHART.curves)
    with pytest.warns(UserWarning, match=r"^no font here has the letters 失损, .*Noto Sans CJK SC") as said:
        save_figure(figure_of(chart), tmp_path / "loss.png")
    assert len(said) == 1


def test_other_warnings_are_not_swallowed():
    with pytest.warns(DeprecationWarning, match="^of something else$"), saying_missing_letters():
        warnings.warn("of something else", DeprecationWarning, stacklevel=1)


def test_chinese_letters_are_taken_from_a_font_that_has_them(monkeypatch):
    if not painting._find_chinese_font():
        monkeypatch.setattr(painting, "_find_chinese_font", lambda: ["DejaVu Serif"])
    figure = figure_of(Chart("loss", "Loss", "轮次", CHART.curves))
    family = figure.axes[0].xaxis.label.get_fontfamily()
    assert family == [*matplotlib.rcParamsDefault["font.family"], *painting._find_chinese_font()]


@for_each("label, shown", [("a $x$ b", r"a \$x\$ b"), ("_hidden", " _hidden"), ("red\x1b", r"red\x1b")])
def test_a_name_is_written_as_it_stands(label, shown):
    figure = figure_of(Chart("loss", "Loss", "epoch", [Curve(label, (1, 2), (1.0, 2.0))]))
    [name] = figure.axes[0].get_legend().get_texts()
    assert name.get_text() == shown
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        render(figure, "svg")


def test_many_names_stand_beside_the_plot_and_a_long_one_in_lines():
    curves = [Curve(f"learning rate {n}, width {n}, activation {n}", (1, 2), (n, n)) for n in range(FEW_NAMES + 1)]
    few, many = (figure_of(Chart("loss", "Loss", "epoch", some)) for some in (curves[1:], curves))
    for figure, outside in ((few, False), (many, True)):
        figure.draw_without_rendering()
        axes = figure.axes[0]
        assert (axes.get_legend().get_window_extent().x0 >= axes.get_window_extent().x1) == outside
        assert axes.get_legend().get_window_extent().x1 <= figure.bbox.x1
    assert few.axes[0].get_legend().get_texts()[0].get_text().count("\n") == 1


def test_it_is_drawn_on_the_axes_that_are_given():
    axes = Figure().add_subplot()
    assert plot(CHART, axes) is axes
    assert axes.get_lines()[0].get_ydata().tolist() == [3, 2, 1]


def test_a_notebook_gets_a_picture_and_no_script():
    text = html_picture(Chart("loss", '"><script>', "epoch", CHART.curves))
    assert text.startswith('<img src="data:image/png;base64,')
    assert "<script" not in text
