import pytest
from jinja2 import UndefinedError
from tests.loops import for_each

from glassnet.charts.curves import Chart, Curve
from glassnet.report.rendering import markdown_code, markdown_text, one_legend, palettes, template


@for_each(
    "text, shown",
    [
        ("plain", "plain"),
        ("a | b", "a \\| b"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("two\nlines", "two\\\\nlines"),
        ("\x1b[2J\u202e", "\\\\x1b\\[2J\\\\u202e"),
        ("[x](http://y) `c` *b* _i_ #h", "\\[x\\](http://y) \\`c\\` \\*b\\* \\_i\\_ \\#h"),
        ("&amp;", "&amp;amp;"),
    ],
)
def test_text_in_markdown_is_text(text, shown):
    assert markdown_text(text) == shown


def test_code_in_markdown_cannot_be_left():
    assert markdown_code("a`b|c\nd\u2066") == r"`a'b\|c\nd\u2066`"
    assert markdown_code("") == ""


def test_light_and_dark_have_the_same_colours_by_name():
    light, dark = palettes()["light"], palettes()["dark"]
    assert set(light) == set(dark)
    assert {"paper", "ink", "series-0", "series-7"} <= set(light)


def test_a_value_that_a_template_lacks_is_an_error():
    with pytest.raises(UndefinedError):
        template("run.md.jinja").render()


def drawn(*labels):
    return Chart("a", "A", "x", [Curve(label, (1, 2), (1.0, 2.0)) for label in labels]).draw(), ""


@for_each(
    "charts, names",
    [
        ([("a", "b"), ("a", "b")], ["a", "b"]),
        ([("a",), ("a", "b"), ("a", "b", "c")], ["a", "b", "c"]),
        ([("a", "b"), ("b", "a")], []),  # their colours differ
        ([("a", "b"), ("b",)], []),
        ([("a", "b")], []),
        ([("a",), ("a",)], []),  # the charts' titles say it
        ([], []),
    ],
)
def test_charts_with_the_same_curves_have_one_legend(charts, names):
    assert [stroke.label for stroke in one_legend([drawn(*labels) for labels in charts])] == names
