"""What stands in a page's templates is escaped, and its policy lets nothing run but its own."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from markupsafe import Markup

import glassnet
from glassnet.runtime.pages import Glossary, Sheet, page_environment, policy

SOURCE = Path(glassnet.__file__).parent
PAGES = sorted(SOURCE.rglob("*.html.jinja"))


def digest(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.fixture
def render(tmp_path, monkeypatch):
    """Render a text as a template."""
    (tmp_path / "templates").mkdir()
    monkeypatch.setattr("glassnet.runtime.pages.resources.files", lambda package: tmp_path)

    def call(text, write=None, **values):
        (tmp_path / "templates" / "t").write_text(text, encoding="utf-8")
        return page_environment("t", write).get_template("t").render(**values)

    return call


def test_a_policy_allows_its_own_script_and_style_and_pictures_and_nothing_else():
    two = "\ntwo()\n"
    rules = dict(rule.split(" ", 1) for rule in policy(["let é;", two], "b {}").split("; "))
    assert rules == {
        "default-src": "'none'",
        "script-src": f"{digest('let é;')} {digest(two)}",
        "style-src": digest("b {}"),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "font-src data:" in policy([], "", fonts=True).split("; ")


def test_text_is_escaped_for_the_page_and_for_the_eye(render):
    shown = render('{{ x }} <i title="{{ x }}">', x="<b>'\"&\x1b\n\u202e")
    text = "&lt;b&gt;&#39;&#34;&amp;\\x1b\\n\\u202e"
    assert shown == f'{text} <i title="{text}">'


def test_a_script_reads_text_as_it_is_shown(render):
    points = {"label": "</script>\u2028\x1b\u202e", "points": [(1, 2.5, "a\u200bb")]}
    shown = render("{{ points | tojson }}", points=points)
    assert "<" not in shown
    assert shown.isascii()
    assert json.loads(shown) == {"label": "</script>\\u2028\\x1b\\u202e", "points": [[1, 2.5, "a\\u200bb"]]}


def test_what_a_macro_returns_is_not_escaped_again(render):
    assert render("{% macro m(x) %}<b>{{ x }}</b>\n{% endmacro %}{{ m('&\n') }}") == "<b>&amp;\\n</b>\n"


def test_another_format_writes_its_own_text(render):
    shown = render("{% macro m(x) %}**{{ x }}**{% endmacro %}{{ m(x) }} {{ 3 }}", str.upper, x="a<b")
    assert shown == "**A<B** 3"


def test_rules_are_numbered_as_they_are_asked_for(render):
    sheet = Sheet()
    assert (
        render("{{ sheet('top: 1%') }} {{ sheet('top: 2%') }} {{ sheet('top: 1%') }}", sheet=sheet) == "r0 r1 r0"
    )
    assert render("{{ sheet }}", sheet=sheet) == ".r0 { top: 1% }\n.r1 { top: 2% }"


def test_no_template_has_what_a_policy_without_inline_blocks():
    assert len(PAGES) == 9
    for path in PAGES:
        text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert re.findall(r"\s(style|on[a-z]+)=", text) == [], path
        assert "javascript:" not in text, path
    for path in SOURCE.rglob("*.js"):
        assert (
            re.findall(r"innerHTML|outerHTML|setAttribute\(.style|eval|insertAdjacent", path.read_text()) == []
        ), path


def test_scripts_and_styles_stand_between_their_tags_as_the_policy_has_them():
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        bodies = re.findall(r"<(script|style)>(.*?)</", text, re.DOTALL)
        assert {body for _, body in bodies} <= {"{{ early }}", "{{ script }}", "{{ style }}"}, path


def test_terms_of_a_page_are_links_and_all_else_is_escaped():
    terms = Glossary("en")
    assert str(terms("< AUC & AUC")) == '&lt; <a class="term" href="#term-auc">AUC</a> &amp; AUC'
    written = terms.sentence(Markup("AUC, <em>loss</em> &lt; <math><mi>F</mi></math> F"))  # AUC has been explained
    assert str(written) == (
        'AUC, <em><a class="term" href="#term-loss">loss</a></em> &lt; <math><mi>F</mi></math> '
        '<a class="term" href="#term-f-value">F</a>'
    )
    assert [term.key for term in terms.used] == ["loss", "auc", "f-value"]
    assert str(terms("\u202eAUC")) == '\\u202e<a class="term" href="#term-auc">AUC</a>'
    assert Glossary("zh").used == []
