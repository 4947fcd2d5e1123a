import ast
import inspect
import re
import string

import pytest

from glassnet.errors import UsageError
from glassnet.report import words
from glassnet.report.question_words import QUESTION_TEXTS
from glassnet.report.reproduction_words import REPRODUCTION_TEXTS
from glassnet.report.study_words import STUDY_TEXTS
from glassnet.report.words import FAMILIES, KINDS, LANGUAGES, MEASURES, TEXTS, Text, Words
from glassnet.training.health import diagnosis, remedies
from glassnet.training.history import COLUMNS
from glassnet.training.metrics import METRICS

CHINESE = re.compile(r"[一-鿿]")

#: Said alike in both languages, or with other marks only.
SAME = {"auc", "r2", "f1", "change_to", "sentence", "and", "p", "F", "done_of", "part_of", "verdict_why"}
SAME |= {"quoted", "left_out_one", "interact_one", "q_difference", "q_kinds", "and_so"}


def places(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def all_texts():
    kinds = {f"kind {name}": kind.title for name, kind in KINDS.items()}
    families = {f"family {name}": text for name, text in FAMILIES.items()}
    return TEXTS | kinds | families


@pytest.mark.parametrize("key", all_texts())
def test_both_languages_say_the_same_with_the_same_values(key):
    text = all_texts()[key]
    assert isinstance(text, Text)
    assert text.en.strip()
    assert text.zh.strip()
    assert places(text.en) == places(text.zh)
    assert not CHINESE.search(text.en)
    bare = re.sub(r"\{\w+\}", "", text.zh)
    if key not in SAME and bare.strip():
        assert CHINESE.search(bare), key
        assert not re.search(r"[a-z]{2,}\s+[a-z]{2,}", bare.replace("glassnet", "")), key


def test_the_words_of_one_page_replace_none_of_the_others():
    """A dictionary would keep the last of two in silence."""
    [own] = [
        node.value
        for node in ast.walk(ast.parse(inspect.getsource(words)))
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "TEXTS"
    ]
    keys = [key.value for key in own.keys if key is not None]
    keys += [*STUDY_TEXTS, *REPRODUCTION_TEXTS, *QUESTION_TEXTS]
    assert len(keys) == len(set(keys)) == len(TEXTS)


def test_the_kinds_are_those_of_diagnoses_each_with_its_own_name_and_cause():
    assert tuple(KINDS) == diagnosis.KINDS
    assert all(CHINESE.search(kind.cause) and kind.cause.endswith("。") for kind in KINDS.values())
    assert all(kind.title.en in (name.replace("-", " "), name) for name, kind in KINDS.items())
    for said in ("cause", "title"):
        assert len({getattr(kind, said) for kind in KINDS.values()}) == len(KINDS)


def constants(node):
    return {
        part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


def written_families():
    """The families that the module of remedies can give, as its text has them."""
    tree = ast.parse(inspect.getsource(remedies))
    firsts = [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Remedy"
    ]
    names = {first.id for first in firsts if isinstance(first, ast.Name)}
    values = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and names & {getattr(target, "id", None) for target in node.targets}
    ]
    return set().union(*map(constants, [*firsts, *values]))


def test_the_families_are_those_of_remedies():
    families = written_families()
    assert {"learning rate", "initializer", "activation", "early stopping"} <= families
    assert set(FAMILIES) == families
    assert all(f'``"{family}"``' in remedies.Remedy.__doc__ for family in families)
    assert remedies.zero_biases().family in FAMILIES
    assert Words("en").family("magic") is None


def test_every_measure_has_words_and_every_metric_too():
    assert set(TEXTS) >= MEASURES
    assert set(METRICS) <= MEASURES
    assert set(COLUMNS) - {"seconds", "threads"} <= MEASURES
    assert {f"validation_{name}" for name in METRICS} <= MEASURES
    assert Words("zh").measure("validation_auc") == "验证 AUC"
    assert Words("zh").measure("sentence") == "sentence"  # no measure of that name: a key of something else


@pytest.mark.parametrize("language", ["de", "", "EN"])
def test_another_language_is_refused_by_name(language):
    with pytest.raises(UsageError, match=r"language: unknown name .* Known: en, zh"):
        Words(language)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0123, "0.012 s"), (59.94, "59.9 s"), (59.96, "1 min 0 s"), (3599.6, "1 h 0 min"), (7260, "2 h 1 min")],
)
def test_durations_round_into_the_next_unit(seconds, said):
    assert Words("en").duration(seconds) == said


def test_one_epoch_is_no_plural():
    assert [Words("en").count_epochs(n) for n in (1, 2)] == ["1 epoch", "2 epochs"]
    assert Words("zh").count_epochs(1) == "1 轮"


def test_a_kind_of_a_later_version_keeps_its_name():
    assert [Words(language).kind("dead-units") for language in LANGUAGES] == ["dead units", "死亡单元"]
    assert [Words(language).kind("odd-thing") for language in LANGUAGES] == ["odd thing", "odd thing"]
    assert LANGUAGES == ("en", "zh")
