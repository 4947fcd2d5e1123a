"""What a study finds is said in both languages with the same numbers, and every sentence of it is used."""

import re
from dataclasses import replace
from itertools import product

import numpy as np

from glassnet.errors import DataError
from glassnet.locales.catalogue import Message, Words, catalogue
from glassnet.study.interactions import interaction_test
from glassnet.study.recommendation import recommend
from glassnet.study.results import Row

ZH = Words("zh")

#: Letters that may stand in a Chinese sentence: names of variants and factors, p, and no more.
NAMES = re.compile(
    r"“[^”]*”|\b(?:size|kind|rate|big|small|one|two|three|base|p|x)\b|[\w-]+=[\w.-]+|--best|glassnet study"
)


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


def check(message):
    """Hold the two languages of a message together; return the keys that it is made of."""
    english, chinese = str(message), ZH.render(message)
    assert not re.search("[A-Za-z]", NAMES.sub("", re.sub(r"e-\d+", "", chinese))), chinese
    decimals = [sorted(re.findall(r"\d+\.\d+(?:e-\d+)?", text)) for text in (english, chinese)]
    assert decimals[0] == decimals[1]
    assert Message.from_dict(message.to_dict()) == message
    return keys_of(message)


def keys_of(value):
    if isinstance(value, Message):
        return {value.key}.union(*map(keys_of, value.values.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


def check_study(rows, measure="validation_accuracy"):
    """Hold all that is recommended together; return the keys of it."""
    try:
        found = recommend(rows, measure, factors_of(rows))
    except DataError:
        return set()
    messages = [found.reason, *(one.message for one in found.next), *found.excluded.values()]
    messages += found.unsound.values()
    return set().union(*map(check, messages))


GRID = {"small, one": ("small", "one"), "big, one": ("big", "one"), "small, two": ("small", "two")}
LEVELS = {name: dict(zip(("size", "kind"), cell, strict=True)) for name, cell in GRID.items()}

NEAR = {"base": [0.80, 0.8202, 0.81], "big": [0.8001, 0.8201, 0.8102]}
SICK = [{"kind": "stuck-loss", "sick": True, "cause": {"key": "verbatim", "values": {"text": "x"}}}]

CASES = {
    "clear": rows_of({"base": [0.80, 0.82, 0.81], "big": [0.90, 0.915, 0.905]}),
    "the base": rows_of({"base": [0.90, 0.915, 0.905], "big": [0.80, 0.82, 0.81], "small": [0.70, 0.72, 0.705]}),
    "one seed": rows_of({"base": [0.8], "big": [0.9]}),
    "alone": rows_of({"base": [0.8, 0.9]}),
    "one seed alone": rows_of({"base": [0.8]}),
    "as good, cheaper in seconds": rows_of(NEAR, seconds={"base": 1.0, "big": 5.0}),
    "as good, cheaper in parameters": rows_of(NEAR, parameters={"base": 1000, "big": 50000}),
    "many ties": rows_of({f"v{i}": [0.8 + i / 1000, 0.81 - i / 1000, 0.79] for i in range(6)}),
    "lost": rows_of({"base": [0.80, 0.82], "big": [0.9, None], "small": [0.7, "failed"], "one": [0.5, ""]}),
    "all lost but one": rows_of({"base": [0.80, 0.82], "big": [None, "failed"]}),
    "collapsed": rows_of({"base": [0.8, 0.81, 0.82, 0.8], "big": [0.9, 0.91, 0.1, 0.92]}),
    "sick": [
        replace(row, health=SICK if row.variant == "big" else [])
        for row in rows_of({"base": [0.8, 0.81, 0.82], "big": [0.9, 0.91, 0.92]})
    ],
    "all sick": [replace(row, health=SICK) for row in rows_of({"base": [0.8, 0.81], "big": [0.9, 0.91]})],
    "combine": rows_of(
        {"small, one": [0.7, 0.71, 0.72], "big, one": [0.8, 0.83, 0.81], "small, two": [0.79, 0.8, 0.83]},
        factors=LEVELS,
    ),
    "beyond": rows_of(
        {"8": [0.5, 0.51, 0.53], "16": [0.6, 0.62, 0.61], "32": [0.71, 0.72, 0.70]},
        factors={size: {"size": size} for size in ("8", "16", "32")},
    ),
    "hopeless": rows_of({"base": [0.80, 0.90, 0.70], "big": [0.81, 0.889, 0.702]}),
    "seeds": rows_of({"base": [0.80, 0.81, 0.82, 0.81], "big": [0.801, 0.806, 0.819, 0.815]}),
    "few rows": [
        replace(row, split=str(row.seed), validation_rows=10, training_rows=20)
        for row in rows_of({"base": [0.80, 0.90, 0.70], "big": [0.81, 0.889, 0.702]})
    ],
}


def random_study(seed):
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
    return rows_of(figures, seconds=costs, parameters=sizes)


SAID = "(take$|take_|evidence_|gain|left_|none_sound|unsound_|next|mean_figure)"


def test_a_recommendation_is_said_in_both_languages_and_all_its_sentences_are():
    used = check_study(rows_of({"base": [0.5, 0.52], "big": [0.4, 0.41]}, "validation_loss"), "validation_loss")
    for rows in (*CASES.values(), *map(random_study, range(40)), *map(factorial, range(12))):
        used |= check_study(rows)
    wanted = {key for key in catalogue("en") if re.match(SAID, key)}
    assert wanted - used == {"next"}  # a heading of the report


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


def three_factors():
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
    return rows


SPOILT = {
    "one seed": lambda rows: [row for row in rows if row.seed == 0],
    "one factor": lambda rows: [row for row in rows if row.levels["rate"] == "one"],
    "no run": lambda rows: rows[:-1],
    "many missing": lambda rows: [*rows[1:-6], Row(rows[0].variant, rows[0].levels, 0, "diverged", {})],
    "no measure": lambda rows: [*rows[1:], Row(rows[0].variant, rows[0].levels, 0, "finished", {})],
    "no chance": lambda rows: [
        Row(r.variant, r.levels, r.seed, "finished", {"validation_accuracy": 0.5 + r.seed / 8}) for r in rows
    ],
}


def two_factors(table, seeds=3, spread=0.001):
    rng = np.random.default_rng(0)
    return [
        Row(f"{a}{b}", {"size": a, "kind": b}, s, "finished", {"validation_accuracy": y + spread * rng.normal()})
        for (a, b), y in zip(product(("small", "big"), ("one", "two")), np.ravel(table), strict=True)
        for s in range(seeds)
    ]


def test_interactions_are_said_in_both_languages_and_all_their_sentences_are():
    studies = [*(factorial(seed, interaction=size) for seed in range(5) for size in (0.0, 0.3)), three_factors()]
    studies += [spoil(factorial(0)) for spoil in SPOILT.values()]
    studies += [two_factors([[0.5, 0.9], [0.9, 0.97]])]  # gains that cannot add up
    studies += [two_factors([[0.5, 0.6], [0.6, 0.7]]), two_factors([[0.5, 0.4], [0.4, 0.9]])]
    studies += [two_factors([[0.5, 0.4], [0.4, 0.7]], spread=0.1), two_factors([[0.5, 0.4], [0.4, 0.9]], seeds=1)]
    used = set()
    for rows in studies:
        levels = {name: known for name, known in factors_of(rows).items() if len(known) > 1}
        found = interaction_test(rows, levels, "validation_accuracy", base=rows[0].levels)
        used |= check(found.reason) | (set() if found.additive is None else check(found.additive.reason))
    names = "(interact_|alone|missing_|runs_missing|no_chance|levels_cross|one_by_one|few_seeds)"
    wanted = {key for key in catalogue("en") if re.match(names, key)}
    assert wanted | {"within_chance", "one_factor", "without_measure"} <= used
