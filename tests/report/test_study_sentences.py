"""What a study recommends, in both languages: in English word for word what `glassnet.study` says of it."""

import re
from itertools import product

import numpy as np
import pytest

from glassnet.report.study_sentences import (
    VERDICTS,
    alone,
    listed,
    reason,
    suggestions,
    verdict_of,
    why_independent,
    why_left_out,
)
from glassnet.report.words import TEXTS, Words
from glassnet.study import statistics
from glassnet.study.interactions import interaction_test
from glassnet.study.recommendation import recommend
from glassnet.study.results import Row

EN, ZH = Words("en"), Words("zh")

#: Letters that may stand in a Chinese sentence: names of variants and factors, p, and no more.
NAMES = re.compile(r"“[^”]*”|\b(?:size|kind|rate|big|small|one|two|three|base|p|x)\b|[\w-]+=[\w.-]+")


class Heard(Words):
    """Words that remember what was said."""

    def __init__(self, language):
        super().__init__(language)
        self.keys = set()

    def say(self, key, **values):
        self.keys.add(key)
        return super().say(key, **values)


def rows_of(figures, measure="validation_accuracy", factors=None, **costs):
    """Rows from numbers by variant, one a seed: None diverged, a string is a status, "" is no run at all."""
    return [
        Row(
            variant,
            factors[variant] if factors else {"variant": variant},
            seed,
            value if isinstance(value, str) else "diverged" if value is None else "finished",
            {measure: value} if isinstance(value, float) else {},
            **{name: values.get(variant, 1) for name, values in costs.items()},
        )
        for variant, line in figures.items()
        for seed, value in enumerate(line)
        if value != ""
    ]


def factors_of(rows):
    return {name: list(dict.fromkeys(row.levels[name] for row in rows)) for name in rows[0].levels}


def no_english(text):
    return not re.search("[A-Za-z]", NAMES.sub("", re.sub(r"e-\d+", "", text)))


def both(rows, measure="validation_accuracy", words=EN):
    """Hold the English against the study's own, and the Chinese against the alphabet."""
    found = recommend(rows, measure, factors_of(rows))
    assert reason(found, rows, words) == found.reason
    assert suggestions(found, rows, words) == [one.text for one in found.next]
    theirs = "".join([found.reason, *(one.text for one in found.next)])
    for said in (reason(found, rows, ZH), *suggestions(found, rows, ZH)):
        assert no_english(said), said
        assert set(re.findall(r"\d+\.\d+", said)) <= set(re.findall(r"\d+\.\d+", theirs))
    return found


GRID = {"small, one": ("small", "one"), "big, one": ("big", "one"), "small, two": ("small", "two")}
LEVELS = {name: dict(zip(("size", "kind"), cell, strict=True)) for name, cell in GRID.items()}

CASES = {
    "two, clear": rows_of({"base": [0.80, 0.82, 0.81], "big": [0.90, 0.915, 0.905]}),
    "three, clear": rows_of(
        {"base": [0.80, 0.82, 0.81], "big": [0.90, 0.915, 0.905], "small": [0.70, 0.72, 0.705]}
    ),
    "one seed": rows_of({"base": [0.8], "big": [0.9]}),
    "alone": rows_of({"base": [0.8, 0.9]}),
    "one seed alone": rows_of({"base": [0.8]}),
    "ties, cheaper in seconds": rows_of(
        {"base": [0.80, 0.82, 0.81], "big": [0.805, 0.815, 0.811]}, seconds={"base": 1.0, "big": 5.0}
    ),
    "ties, cheaper in parameters": rows_of(
        {"base": [0.80, 0.82, 0.81], "big": [0.805, 0.815, 0.811]},
        seconds={},
        parameters={"base": 1000, "big": 50000},
    ),
    "ties, none cheaper": rows_of(
        {"base": [0.80, 0.82, 0.81], "big": [0.805, 0.815, 0.811]}, seconds={"base": 9.0, "big": 5.0}
    ),
    "ties, none close": rows_of(
        {"base": [0.70, 0.75, 0.80], "big": [0.85, 0.80, 0.90], "small": [0.1, 0.2, 0.15]}
    ),
    "many ties": rows_of({f"v{i}": [0.8 + i / 1000, 0.81 - i / 1000, 0.79] for i in range(6)}),
    "lost": rows_of({"base": [0.80, 0.82], "big": [0.9, None], "small": [0.7, "failed"], "one": [0.5, ""]}),
    "all lost but one": rows_of({"base": [0.80, 0.82], "big": [None, "failed"]}),
    "combine": rows_of(
        {"small, one": [0.7, 0.71, 0.72], "big, one": [0.8, 0.83, 0.81], "small, two": [0.79, 0.8, 0.83]},
        factors=LEVELS,
    ),
    "beyond": rows_of(
        {"8": [0.5, 0.51, 0.53], "16": [0.6, 0.62, 0.61], "32": [0.71, 0.72, 0.70]},
        factors={size: {"size": size} for size in ("8", "16", "32")},
    ),
    "hopeless": rows_of({"base": [0.80, 0.90, 0.70], "big": [0.81, 0.889, 0.702]}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_english_is_the_studys_and_the_chinese_has_none(case):
    both(CASES[case])


def test_a_loss_is_lowest():
    found = both(rows_of({"base": [0.5, 0.52], "big": [0.4, 0.41]}, "validation_loss"), "validation_loss")
    assert "lowest validation loss" in found.reason
    assert "验证损失最低" in reason(found, CASES["two, clear"], ZH)


def test_a_run_without_its_measure_is_said():
    rows = [Row("base", {"v": "base"}, 0, "finished", {"train_loss": 0.5}), *rows_of({"big": [0.5]})]
    rows[1].levels["v"] = "big"
    found = recommend(rows, "validation_accuracy", {})
    said = "without a finite validation accuracy with 1 of 1 seed"
    assert why_left_out(rows, found.measure, EN) == {"base": said}
    assert found.excluded["base"].replace("_", " ") == said
    assert why_left_out(rows, found.measure, ZH) == {"base": "1 个随机种子中有 1 个没有有限的验证准确率"}


def test_every_sentence_of_a_recommendation_was_said():
    words = Heard("en")
    for rows in CASES.values():
        both(rows, words=words)
    for seed in range(12):
        both(factorial(seed), words=words)
    wanted = {key for key in TEXTS if re.match("(lead|standing|choice|next|left_out|mean_figure)", key)}
    assert wanted - words.keys <= {"next"}


def factorial(seed, r=3, interaction=0.3):
    """A 2 x 3 factorial with an interaction, or with none."""
    rng = np.random.default_rng(seed)
    rows = []
    for (i, size), (j, rate) in product(enumerate(["small", "big"]), enumerate(["one", "two", "three"])):
        for s in range(r):
            value = 0.4 + 0.05 * i + 0.05 * j + interaction * (i and j == 2) + rng.normal() / 100
            rows.append(
                Row(
                    f"size={size}, rate={rate}",
                    {"size": size, "rate": rate},
                    s,
                    "finished",
                    {"train_accuracy": value},
                )
            )
    return [
        Row(r.variant, r.levels, r.seed, r.status, {"validation_accuracy": r.measures["train_accuracy"]})
        for r in rows
    ]


@pytest.mark.parametrize("seed", range(40))
def test_random_studies_too(seed):
    rng = np.random.default_rng(seed)
    spread = rng.choice([0.001, 0.05])
    figures = {
        name: [
            None
            if rng.random() < 0.06
            else "failed"
            if rng.random() < 0.03
            else float(0.6 + 0.02 * k + rng.normal() * spread)
            for _ in range(rng.integers(1, 5) if seed % 2 else 3)
        ]
        for k, name in enumerate(["base", "big", "small", "one", "two"][: rng.integers(2, 6)])
    }
    figures["base"] = [0.6 + spread * float(rng.normal()) for _ in range(4 if seed % 2 else 3)]
    costs = {name: float(rng.choice([1.0, 1.05, 3.0])) for name in figures}
    sizes = {name: int(rng.choice([100, 200])) for name in figures}
    both(rows_of(figures, seconds=costs, parameters=sizes))


def held_together(rows):
    found = interaction_test(rows, factors_of(rows), "validation_accuracy", base=rows[0].levels)
    assert why_independent(found, rows, 0.05, EN) == found.reason
    assert verdict_of(found, EN).lower() == found.verdict
    said = f"{verdict_of(found, ZH)}{why_independent(found, rows, 0.05, ZH)}"
    assert no_english(said), said
    return found


@pytest.mark.parametrize("interaction", [0.0, 0.3])
def test_whether_factors_interact_is_said_as_the_study_says_it(interaction):
    for seed in range(5):
        found = held_together(factorial(seed, interaction=interaction))
        assert (found.verdict == "the factors interact") == bool(interaction)


def test_of_three_factors_the_strongest_is_named():
    rng = np.random.default_rng(0)
    rows = [
        Row(
            "",
            dict(zip(("size", "kind", "rate"), cell, strict=True)),
            seed,
            "finished",
            {"validation_accuracy": y},
        )
        for cell in product(("small", "big"), ("one", "two"), ("one", "two"))
        for seed in range(3)
        for y in [
            0.5 + 0.2 * (cell[:2] == ("big", "two")) + 0.1 * (cell[1:] == ("two", "two")) + rng.normal() / 200
        ]
    ]
    found = held_together(rows)
    assert "the strongest, size x kind: " in found.reason
    assert "kind x rate" in why_independent(found, rows, 0.05, ZH)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: [row for row in rows if row.seed == 0],
        lambda rows: [row for row in rows if row.levels["rate"] == "one"],
        lambda rows: rows[:-1],
        lambda rows: [*rows[1:-6], Row(rows[0].variant, rows[0].levels, 0, "diverged", {})],
        lambda rows: [
            Row(r.variant, r.levels, r.seed, "finished", {"validation_accuracy": 0.5 + r.seed / 8}) for r in rows
        ],
    ],
    ids=["one seed", "one factor", "no run", "many missing", "no chance"],
)
def test_why_it_cannot_be_told_is_said_as_the_study_says_it(spoil):
    rows = spoil(factorial(0))
    levels = factors_of(factorial(0))
    factors = {name: levels[name] for name in levels if len({row.levels[name] for row in rows}) > 1}
    found = interaction_test(rows, factors, "validation_accuracy")
    assert found.verdict == "cannot be told"
    assert why_independent(found, rows, 0.05, EN) == found.reason
    assert no_english(why_independent(found, rows, 0.05, ZH))


def test_a_run_without_a_number_is_missing_too():
    rows = factorial(0)
    rows[0] = Row(rows[0].variant, rows[0].levels, 0, "finished", {})
    found = interaction_test(rows, factors_of(rows), "validation_accuracy")
    assert why_independent(found, rows, 0.05, EN) == found.reason.replace(
        "validation_accuracy", "validation accuracy"
    ).replace("no finite", "without a finite")


def additive(table, seeds=3, spread=0.001):
    rng = np.random.default_rng(0)
    rows = [
        Row(
            f"{a}{b}",
            {"size": a, "kind": b},
            s,
            "finished",
            {"validation_accuracy": table[i][j] + spread * rng.normal()},
        )
        for (i, a), (j, b) in product(enumerate(["small", "big"]), enumerate(["one", "two"]))
        for s in range(seeds)
    ]
    return interaction_test(rows, factors_of(rows), "validation_accuracy", base=rows[0].levels).additive


@pytest.mark.parametrize(
    ("table", "options", "said"),
    [
        ([[0.5, 0.6], [0.6, 0.7]], {}, "That is the best combination"),
        ([[0.5, 0.4], [0.4, 0.9]], {}, "size=big, kind=two reaches 0.899"),
        ([[0.5, 0.4], [0.4, 0.7]], {"spread": 0.1}, "is not distinguishable with these seeds"),
        ([[0.5, 0.4], [0.4, 0.9]], {"seeds": 1}, "with one seed nobody can tell"),
    ],
    ids=["same", "better", "even", "one seed"],
)
def test_what_choosing_one_by_one_loses(table, options, said):
    found = additive(table, **options)
    text = alone(found, 0.05, EN)
    assert said in text
    assert f"these would reach {found.predicted:.4g}; they reach {found.found:.4g}" in text
    assert no_english(alone(found, 0.05, ZH))
    assert f"{found.found:.4g}" in alone(found, 0.05, ZH)


def test_every_verdict_has_words():
    names = ("BETTER", "WORSE", "NOT_DISTINGUISHABLE", "ONE_SEED", "NO_SEED")
    assert {getattr(statistics, name) for name in names} == set(VERDICTS)
    assert {EN.say(key) for key in VERDICTS.values()} == set(VERDICTS)


def test_names_are_listed():
    assert listed(["a"], EN) == "“a”"
    assert listed(["a", "b", "c"], EN) == "“a”, “b” and “c”"
    assert listed(["a", "b", "c", "d"], EN, 4) == "“a”, “b”, “c” and “d”"
    assert listed(["a", "b", "c", "d"], ZH) == "“a”、“b”、“c”和另外 1 个"
