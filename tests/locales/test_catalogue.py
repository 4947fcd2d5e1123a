"""Both catalogues say the same of the same values, every key is used, and what is not known is said as it is."""

import ast
import json
import re
import string
from functools import cache
from pathlib import Path

import pytest
from tests.chinese import terms
from tests.loops import for_each

import glassnet
from glassnet.errors import UsageError
from glassnet.locales.catalogue import LANGUAGES, TABLES, Message, Words, catalogue
from glassnet.reproductions import verdicts as published
from glassnet.study import interactions, likeness, results, samples, statistics
from glassnet.training.health import diagnosis
from glassnet.training.history import COLUMNS
from glassnet.training.metrics.catalogue import METRICS

SOURCE = Path(glassnet.__file__).parent
CHINESE = re.compile(r"[一-鿿]")
EN, ZH = Words("en"), Words("zh")

#: Said alike in both languages, or with other marks only.
SAME = {
    "measures.auc",
    "measures.r2",
    "measures.f1",
    "change_to",
    "sentence",
    "and",
    "p",
    "F",
    "done_of",
    "part_of",
    "roc_of",
}
SAME |= {"quoted", "left_out_one", "interact_one", "q_difference", "q_kinds", "between_items", "between_sentences"}
SAME |= {
    "explain.node",
    "explain.more_units",
    "explain.tab",
    "explain.enter",
    "terminal.file_size",
    "terminal.headed",
}
SAME |= {"q_kinds", "listing", "verbatim", "verdict_why", "sentences", "diagnoses.line", "checks.found"}


def forms(text):
    return list(text.values()) if isinstance(text, dict) else [text]


def placeholders(text):
    return {name for form in forms(text) for _, name, _, _ in string.Formatter().parse(form) if name}


def test_both_catalogues_have_the_same_keys_and_placeholders():
    en, zh = catalogue("en"), catalogue("zh")
    assert list(en) == list(zh)
    for key, text in en.items():
        assert placeholders(text) == placeholders(zh[key]), key
        assert not CHINESE.search("".join(forms(text))), key
        bare = re.sub(r"\{[^}]*\}", "", "".join(forms(zh[key])))
        if key not in SAME and bare.strip():
            assert CHINESE.search(bare), key
            assert not re.search(r"[a-z]{2,}\s+[a-z]{2,}", bare.replace("glassnet", "")), key


@cache
def source_nodes():
    """Every constant, f-string and call of the modules that have something to say, each with its file."""
    kinds = (ast.Constant, ast.JoinedStr, ast.Call)
    sources = {path: path.read_text("utf-8") for path in SOURCE.rglob("*.py")}
    trees = [
        (path, ast.parse(text))
        for path, text in sources.items()
        if any(one in text for one in ("words", "Message", "Remark"))
    ]
    return [(path, node) for path, tree in trees for node in ast.walk(tree) if isinstance(node, kinds)]


def written_keys():
    """Texts in the source that can be a key, and patterns of those that are put together."""
    constants, patterns = set(), set()
    for _, node in source_nodes():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            constants.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = [re.escape(one.value) if isinstance(one, ast.Constant) else r"\w+" for one in node.values]
            patterns.add("".join(parts))
    for path in (*SOURCE.rglob("*.jinja"), *SOURCE.rglob("templates/*.css")):
        constants |= set(re.findall(r"""["'](\w[\w.]*)["']""", path.read_text("utf-8")))
    return constants, [re.compile(one) for one in patterns if re.search(r"^(is|section)_|_(title|column)$", one)]


def test_every_key_is_used_and_every_message_has_its_key():
    constants, patterns = written_keys()
    named = tuple(f"{table}." for table in TABLES)
    for key in catalogue("en"):
        used = (
            {key, key.removeprefix("explain.")} & constants
            or any(one.fullmatch(key) for one in patterns)
            or key.startswith(named)
        )
        assert used, f"{key} is used nowhere"
    for path, node in source_nodes():
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", "") in ("Message", "Remark")
            and path.stem not in ("catalogue", "remarks")
        ):
            for one in ast.walk(node.args[0]):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    assert one.value in catalogue("en"), f"{path.name}: {one.value}"


def test_every_name_of_a_table_has_words():
    def known(table):
        return {key.removeprefix(f"{table}.") for key in catalogue("en") if key.startswith(f"{table}.")}

    assert known("kinds") == set(diagnosis.KINDS)
    names = ("BETTER", "WORSE", "EQUIVALENT", "UNPROVEN", "INCOMPLETE", "ONE_SEED", "NO_SEED")
    verdicts = {getattr(statistics, one) for one in names}
    names = ("DEPENDS", "NOT_ADDITIVE", "INDEPENDENT", "NOT_SHOWN", "CANNOT_BE_TOLD")
    verdicts |= {getattr(interactions, one) for one in names}
    verdicts |= {getattr(published, one) for one in ("REPRODUCED", "SAME", "NOT")}
    assert known("verdicts") == verdicts
    assert known("statuses") == {results.FINISHED, results.DIVERGED, results.FAILED, "no run", "not run"}
    assert known("grades") == {statistics.STRONG, statistics.WEAK, statistics.NONE}
    assert known("covers") == {samples.SEEDS_AND_ROWS, samples.SEEDS, samples.ROWS, samples.NOTHING}
    same = {likeness.SAME, likeness.PARTLY, likeness.DIFFERENT}
    assert known("likeness_weights") == same | {likeness.BIASES}
    assert known("likeness_batches") == same - {likeness.PARTLY} | {likeness.SIZES}
    assert known("likeness_masks") == same | {likeness.NONE}
    assert known("behaviours") == {"learns", "oscillates", "fails"}
    assert known("designs") == {"one at a time", "factorial", "list"}
    measures = {*METRICS, *(f"validation_{name}" for name in METRICS), *COLUMNS} - {"threads"}
    assert measures <= known("measures")


def test_what_no_part_says_is_left_out_between_parts():
    assert EN.join(["One.", "", "Two."], "between_sentences") == "One. Two."
    assert ZH.join(["一", "二"]) == "一、二"


def test_a_name_that_no_table_has_is_said_as_it_is():
    assert [words.name("kinds", "odd-thing") for words in (EN, ZH)] == ["odd thing", "odd thing"]
    assert ZH.measure("sentence") == "sentence"  # a key, but no measure


@for_each("language", ["de", "", "EN"])
def test_another_language_is_refused_by_name(language):
    with pytest.raises(UsageError, match=r"language: unknown name .* Known: en, zh"):
        Words(language)
    assert LANGUAGES == ("en", "zh")


@for_each(
    "seconds, said",
    [(0.0123, "0.012 s"), (59.94, "59.9 s"), (59.96, "1 min 0 s"), (3599.6, "1 h 0 min"), (7260, "2 h 1 min")],
)
def test_durations_round_into_the_next_unit(seconds, said):
    assert EN.duration(seconds) == said


def test_one_is_no_plural():
    assert [EN.say("n_epochs", n=n) for n in (0, 1, 2)] == ["0 epochs", "1 epoch", "2 epochs"]
    assert [ZH.say("n_epochs", n=n) for n in (1, 2)] == ["1 轮", "2 轮"]


def test_names_are_listed():
    assert EN.listed(["a"]) == "“a”"
    assert EN.listed(["a", "b", "c"]) == "“a”, “b” and “c”"
    assert EN.listed(["a", "b", "c", "d"], 4) == "“a”, “b”, “c” and “d”"
    assert ZH.listed(["a", "b", "c", "d"]) == "“a”、“b”、“c”和另外 1 个"


def test_what_is_found_is_said_with_the_same_numbers_in_both_languages():
    for key, text in catalogue("en").items():
        if key.startswith(("causes.", "remedies.", "checks.", "diagnoses.")):
            fields = [(name, form) for _, name, form, _ in string.Formatter().parse(text) if name]
            values = {name: 2.5 + i if form else f"x{i}" for i, (name, form) in enumerate(fields)}
            values |= {name: {"epochs": 7, "l2": 0.5} for name, form in fields if form == "settings"}
            found = Message(key, **values)
            assert numbers(str(found)) == numbers(ZH.render(found)), key


def numbers(text):
    return sorted(re.findall(r"[\d.,]*\d(?:e[-+]?\d+)?", text))


def test_lists_none_and_numbers_that_are_not_finite_are_said():
    found = Message("causes.constant-output", answer=[0.5, float("nan")], best=[0.25], loss=None, constant=1e-9)
    said = "every row gets the answer 0.5, nan, which costs – a row; the best constant, 0.25, costs 1e-09"
    assert str(found) == said
    again = Message.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False)))
    assert str(again) == said
    assert again == Message.from_dict(again.to_dict())
    assert "0.5、nan" in ZH.render(again)


def test_texts_are_not_formats():
    assert str(Message("verbatim", text="{loss} %s {}")) == "{loss} %s {}"


@for_each(
    "record",
    [
        None,
        "causes.loss",
        {},
        {"key": "causes.loss"},
        {"key": 1, "values": {}},
        {"key": "unheard-of", "values": {}},
        {"key": "causes.loss", "values": {"loss": 1.0}},
        {"key": "causes.loss", "values": {"loss": "much", "constant": 1.0}},
        {"key": "causes.loss", "values": {"loss": {"key": "unheard-of", "values": {}}, "constant": 1.0}},
    ],
)
def test_what_is_no_message_is_refused(record):
    with pytest.raises(ValueError, match=r"no message|no sentence can be made|could not convert"):
        Message.from_dict(record)


def test_the_catalogue_keeps_to_the_list_of_terms():
    right, wrong = terms()
    assert min(len(right), len(wrong)) > 50
    said = {key: "".join(forms(text)) for key, text in catalogue("zh").items()}
    assert {(key, term) for key, text in said.items() for term in wrong if term in text} == set()
    used = [term for term in right if any(term in text for text in said.values())]
    assert len(used) > 0.9 * len(right)


def test_chinese_text_has_chinese_marks_and_spaces_between_signs_and_letters():
    for key, text in catalogue("zh").items():
        for form in forms(text):
            bare = re.sub(r"\{[^}]*\}", "\0", form)
            assert not re.search(r"[一-鿿][,;:?!]|[,;:?!][一-鿿]|\d [%％]", bare), key
            assert not re.search(r"[一-鿿][A-Za-z0-9]|[A-Za-z0-9][一-鿿]", bare), key
            assert not re.search(r" [，。；：？！（）]|[，。；：？！（）“”] (?!\0)(?=[一-鿿A-Za-z])", bare), key


@for_each(
    "value, said",
    [("AUC", "测试 AUC"), ("准确率", "测试准确率"), ("", "测试")],
)
def test_a_space_parts_a_value_from_chinese_text_where_it_is_written_in_letters(value, said):
    assert ZH.say("test_of", measure=value) == said


def test_a_space_beside_a_value_is_left_out_where_both_sides_are_chinese():
    assert ZH.say("explain.step_of", step=3, last=7) == "第 3 步，共 7 步"
    assert ZH.say("explain.step_of", step="三", last="七") == "第三步，共七步"
    assert ZH.say("verbatim", text="T恤 a") == "T恤 a"  # a name is left as it is
