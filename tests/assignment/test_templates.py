"""The text of the document, in both languages."""

import re
from pathlib import Path

import pytest
from tests.chinese import misplaced_marks, terms

import glassnet

FOLDER = Path(glassnet.__file__).parent / "assignment" / "templates"
EN, ZH = ((FOLDER / f"{language}.md.jinja").read_text(encoding="utf-8") for language in ("en", "zh"))


@pytest.mark.parametrize(
    "pattern",
    [
        r"^@\w+ .*$",
        r"^#+ ",
        r"\{\{ steps_of\(.*?\) \}\}",
        r"^\\\\.*$|^\\[a-z].*$",
        r"\{% (?:if|for) [^%]*in tables %\}",
    ],
)
def test_both_have_the_same_parts_and_formulas(pattern):
    def parts(text):
        found = re.findall(pattern, text, re.MULTILINE)
        return [one for one in found if r"\text" not in one and r"\sum_{k}" not in one]

    assert parts(EN) == parts(ZH)
    assert parts(EN)


def test_both_say_the_same_facts():
    facts = [set(re.findall(r"\bf\.\w+", text)) for text in (EN, ZH)]
    assert facts[0] == facts[1]
    assert len(facts[0]) > 30


def test_the_chinese_keeps_to_the_list_of_terms():
    said = re.sub(
        r"\$[^$]*\$|`[^`]*`|\{\{.*?\}\}",
        "式",
        re.sub(r"\{%.*?%\}", "", ZH.replace("{% else %}", "\n")),
        flags=re.DOTALL,
    )
    _, wrong = terms()
    assert [term for term in wrong if term in said] == []
    assert misplaced_marks(said) == []
