"""A picture as a list of marks, as SVG and as PNG."""

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.image import imread

from glassnet.graph.figure import PALETTES, Curve, Figure, Shape, Text, make_path, text_width, write_css
from glassnet.graph.notation import OTHERS, Name

SVG = "{http://www.w3.org/2000/svg}"
W = Name("w", 2, (3, 1))


def figure(*marks, title="A <title> & more"):
    drawn = Figure(title, marks=list(marks))
    drawn.fit(10)
    return drawn


@pytest.fixture
def everything():
    """Each kind of mark once."""
    drawn = figure(
        Curve(((0, 0), (40, 0), (120, 60), (160, 60)), "positive", 2.5, (0, 3)),
        Curve(((0, 90), (160, 90))),
        Shape("circle", 0, 0, 28, 28, "operation", 0),
        Shape("box", 80, 150, 60, 20, "leaf", 1),
        Shape("square", 160, 90, 28, 28, "operation", 2),
        Shape("hexagon", 160, 60, 28, 28, "operation", 3),
        Text(80, 154, (W, " = −0.5"), anchor="middle", node=1),
        Text(20, -6, ("a < b & c",), "value", node=0, time=4),
        Text(-20, 14, (Name("delta", 1, (OTHERS,)), " = ‖2‖"), "delta", "end", node=0, time=9),
    )
    drawn.descriptions = {0: 'neuron "h" & <more>', 1: "weight"}
    return drawn


def parsed(svg):
    return ElementTree.fromstring(svg)


def test_a_sheet_begins_at_the_margin_and_holds_everything(everything):
    boxes = np.array([mark.extent for mark in everything.marks if not isinstance(mark, Curve)])
    assert boxes[:, :2].min(axis=0) == pytest.approx([10, 10])
    assert boxes[:, 2:].max(axis=0) == pytest.approx([everything.width - 10, everything.height - 10], abs=0.5)


@given(dx=st.floats(-500, 500), dy=st.floats(-500, 500))
def test_where_marks_were_before_they_fit_makes_no_difference(dx, dy):
    marks = (
        Shape("circle", 0, 0, 28, 28, "leaf"),
        Text(50, 30, ("0.5",)),
        Curve(((0, 0), (50, 30))),
    )
    moved = (
        Shape("circle", dx, dy, 28, 28, "leaf"),
        Text(50 + dx, 30 + dy, ("0.5",)),
        Curve(((dx, dy), (50 + dx, 30 + dy))),
    )
    one, other = figure(*marks), figure(*moved)
    assert (other.width, other.height) == pytest.approx((one.width, one.height), abs=1)
    for a, b in zip(one.marks[:2], other.marks[:2], strict=True):
        assert (b.x, b.y) == pytest.approx((a.x, a.y), abs=1e-9)
    assert np.ravel(other.marks[2].points) == pytest.approx(np.ravel(one.marks[2].points), abs=1e-9)


def test_extents_lie_around_their_marks():
    assert Shape("box", 10, 20, 6, 4, "leaf").extent == (7, 18, 13, 22)
    start, middle, end = (Text(100, 50, ("abcd",), anchor=anchor).extent for anchor in ("start", "middle", "end"))
    width = text_width(("abcd",))
    assert (start[0], middle[0], end[0]) == pytest.approx((100, 100 - width / 2, 100 - width))
    assert (start[2], middle[2], end[2]) == pytest.approx((100 + width, 100 + width / 2, 100))
    assert start[1] < 50 < start[3]


@pytest.mark.parametrize(
    "content",
    [
        ("‖0.0769‖",),
        ("−0.00123",),
        (W, " = −0.654"),
        (Name("delta", 1, (OTHERS,)), " = ‖0.0718‖"),
        (Name("w", 1, (OTHERS, 12)), " 783×1"),
        (Name("Z", 3, (OTHERS,)), " 1×255"),
        ("leaky_relu",),
        ("779 more",),
        (Name("w", 1, (303, 247)), " = −1.23e−10"),
    ],
)
def test_a_text_is_at_most_as_wide_as_reckoned(content):
    """In DejaVu Sans, which is a wide font, at the size of the PNG."""
    renderer = FigureCanvasAgg(Canvas(dpi=72)).get_renderer()
    mark = Text(0, 0, content)
    written = "".join(part if isinstance(part, str) else part.mathtext for part in content)
    text = renderer.figure.text(0, 0, written, fontsize=0.93 * mark.size) if hasattr(renderer, "figure") else None
    text = text or Canvas(dpi=72).text(0, 0, written, fontsize=0.93 * mark.size)
    assert text.get_window_extent(renderer).width <= text_width(content) + 1


# SVG


def test_svg_is_xml_with_a_mark_for_each_mark(everything):
    root = parsed(everything.svg())
    assert root.get("aria-label") == "A <title> & more"
    assert root.get("viewBox") == f"0 0 {everything.width:g} {everything.height:g}"
    assert [len(root.findall(SVG + tag)) for tag in ("path", "g", "text", "rect")] == [2, 4, 3, 1]
    assert [shape[0].tag for shape in root.findall(f"{SVG}g")] == [
        SVG + tag for tag in ("circle", "rect", "rect", "polygon")
    ]


def test_svg_says_what_the_texts_say(everything):
    texts = ["".join(text.itertext()) for text in parsed(everything.svg()).iter(f"{SVG}text")]
    assert texts == ["w(2)3,1 = −0.5", "a < b & c", "δ(1)… = ‖2‖"]


def test_letters_stand_above_and_below_and_the_line_goes_on_where_it_was(everything):
    (text,) = [text for text in parsed(everything.svg()).iter(f"{SVG}text") if "w" in "".join(text.itertext())]
    level, levels = 0.0, {}
    for span in text:
        level += float(span.get("dy", 0))
        levels[span.text] = level
    assert levels["w"] == levels[" = −0.5"] == 0
    assert levels["(2)"] < 0 < levels["3,1"]


def test_a_curve_goes_from_its_first_point_to_its_last():
    bent = Curve(((0, 0), (10, 0), (50, 40), (60, 40)))
    assert make_path(bent) == [
        ("M", 0, 0),
        ("L", 10, 0),
        ("C", 30, 0),
        ("", 30, 40),
        ("", 50, 40),
        ("L", 60, 40),
    ]
    assert make_path(Curve(((0, 0), (60, 40)))) == [("M", 0, 0), ("L", 60, 40)]
    (path,) = parsed(figure(bent, Shape("circle", 0, 0, 20, 20, "leaf")).svg()).findall(f"{SVG}path")
    assert path.get("d") == "M20,20 L30,20 C50,20 50,60 70,60 L80,60"


def test_only_an_interactive_figure_has_handles_and_leaves_colours_to_the_page(everything):
    still, live = everything.svg(), everything.svg(interactive=True)
    assert not re.search("data-|tabindex|role=.button", still)
    assert "<style>" in still
    assert "<style>" not in live
    root = parsed(live)
    buttons = root.findall(f"{SVG}g")
    assert [button.get("data-node") for button in buttons] == ["0", "1", "2", "3"]
    assert [button.get("aria-label") for button in buttons] == ['neuron "h" & <more>', "weight", "", ""]
    assert all((button.get("role"), button.get("tabindex")) == ("button", "0") for button in buttons)
    texts = root.findall(f"{SVG}text")
    assert [(text.get("data-of"), text.get("data-time")) for text in texts] == [("1", "0"), ("0", "4"), ("0", "9")]
    assert [path.get("data-nodes") for path in root.findall(f"{SVG}path")] == ["0 3", None]


def test_every_mark_has_a_colour(everything):
    for palette in PALETTES.values():
        rules = write_css(palette)
        for mark in everything.marks:
            selector = {Text: "text.", Curve: ".stroke.", Shape: ".shape."}[type(mark)]
            colour = mark.fill if isinstance(mark, Shape) else mark.colour
            assert f"{selector}{colour}{{" in rules


# PNG


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_a_png_has_the_size_of_the_figure(everything, scale):
    image = imread(io.BytesIO(everything.write("png", scale)))
    assert image.shape[:2] == (scale * everything.height, scale * everything.width)


def test_the_users_own_settings_do_not_change_the_size_of_a_png(everything):
    import matplotlib

    with matplotlib.rc_context({"savefig.dpi": 300, "savefig.bbox": "tight", "figure.dpi": 50}):
        image = imread(io.BytesIO(everything.write("png", 2)))
    assert image.shape[:2] == (2 * everything.height, 2 * everything.width)


def test_a_png_shows_marks_where_they_are(everything):
    image = imread(io.BytesIO(everything.write("png", 2)))[:, :, :3]
    leaf = next(mark for mark in everything.marks if isinstance(mark, Shape) and mark.form == "box")
    colour = [int(PALETTES["light"]["leaf"][k : k + 2], 16) / 255 for k in (1, 3, 5)]
    for side in (-14, 14):  # above its middle and below
        inside = image[round(2 * leaf.y) + side, round(2 * (leaf.x - leaf.width / 2)) + 8]
        assert inside == pytest.approx(colour, abs=0.02)
    assert image[2, 2] == pytest.approx([1, 1, 1])
    reddish = (image[:, :, 0] > image[:, :, 1] + 0.4).any(axis=1)
    assert reddish.any()  # the delta


@pytest.mark.parametrize("words", ["a<b&c", "cost $5", "$x$", r"\frac", "$\\frac$ {", "f_1^2", "é…‖"])
def test_any_words_can_be_drawn(words):
    """Also what matplotlib would take for a formula."""
    drawn = figure(
        Text(0, 0, (words,)), Text(0, 40, (Name("h", 1, (0,)), words)), Shape("box", 20, 80, 40, 20, "leaf")
    )
    assert ["".join(text.itertext()) for text in parsed(drawn.svg()).iter(f"{SVG}text")] == [
        words,
        f"h(1)0{words}",
    ]
    assert imread(io.BytesIO(drawn.write("png", 1))).shape[0] == drawn.height
