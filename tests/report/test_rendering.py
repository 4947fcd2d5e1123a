import pytest
from jinja2 import UndefinedError
from tests.loops import for_each

from glassnet.report.rendering import markdown_code, markdown_text, palettes, template


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
