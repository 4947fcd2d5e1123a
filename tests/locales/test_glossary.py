"""Every term has one meaning, in both languages, and is found where it stands as a word."""

import re

from tests.chinese import HAN, misplaced_marks, terms
from tests.loops import for_each

from glassnet.locales.catalogue import LANGUAGES
from glassnet.locales.glossary import find_terms, glossary
from glassnet.training.metrics.catalogue import METRICS


def test_every_term_has_its_names_and_its_meaning_in_both_languages():
    for language in LANGUAGES:
        found = glossary(language)
        assert list(found) == list(glossary("en"))
        names = [name for term in found.values() for name in term.names]
        assert len(set(names)) == len(names)
        meanings = [term.meaning for term in found.values()]
        assert len(set(meanings)) == len(meanings)
        assert all(one.endswith((".", "。")) and len(one) < 200 for one in meanings)
    assert not any(re.search(HAN, term.meaning) for term in glossary("en").values())
    assert all(re.search(HAN, term.meaning) for term in glossary("zh").values())


def test_every_metric_and_what_a_student_asks_for_is_a_term():
    asked = ["auc", "standard-error", "holm", "flops", "pre-activation", "update-ratio"]
    named = {"r2": "r2", "mae": "mae", "log_loss": "cross-entropy", "balanced_accuracy": "accuracy"}
    assert {named.get(name, name) for name in METRICS} | set(asked) <= set(glossary("en"))


def test_the_chinese_keeps_to_the_list_of_terms():
    right, wrong = terms()
    for term in glossary("zh").values():
        text = term.meaning
        for one in right:
            text = text.replace(one, "")
        assert [one for one in wrong if one in text] == [], term.key
        assert misplaced_marks(term.meaning) == [], term.key


@for_each(
    "language, text, keys",
    [
        ("en", "Dead units, by Holm's method", ["dead-unit", "holm"]),
        ("en", "F1 is no F, and AUCs no class of classes", ["f1", "f-value", "class", "class"]),
        ("en", "reauction, my_loss, p-norm, over-fitting", ["over-fitting"]),
        (
            "en",
            "95 % interval of 95\N{NO-BREAK SPACE}% of P, p",
            ["confidence-interval", "confidence-interval", "p-value"],
        ),
        ("en", "test rows and rows", ["test-rows", "sample"]),
        ("zh", "验证集上的 AUC 与校正后的 p", ["validation-rows", "auc", "holm"]),
        ("zh", "测试AUC，F1 值", ["auc", "f1"]),
    ],
)
def test_terms_are_found_as_whole_words_the_longest_first(language, text, keys):
    pieces = list(find_terms(text, language))
    assert "".join(piece for piece, _ in pieces) == text
    assert [term.key for _, term in pieces if term is not None] == keys
