"""Publications of seconds, and what came of runs that were never done."""

import numpy as np
import tomli_w
from tests.study.studies import listed

from glassnet.locales.catalogue import Message
from glassnet.reproductions import publication
from glassnet.reproductions.experiments import ADAM_FORMS, CROSSED, OUTPUTS
from glassnet.reproductions.facts import gather_facts
from glassnet.reproductions.outcomes import Outcome
from glassnet.reproductions.publication import Publication, load_publication, load_published_study
from glassnet.reproductions.reproduce import Reproduction, compare_orders, compare_rows
from glassnet.study.interactions import interaction_test
from glassnet.study.results import DIVERGED, Row
from glassnet.training.health.diagnosis import Diagnosis

#: Anything counts as the same.
ANY = {"low": -1e9, "high": 1e9}

ROWS = [
    {
        "variant": "base",
        "table": "networks",
        "label": "[64, 12, 10]",
        "behaviour": "learns",
        "figures": [{"quantity": "train_loss", "printed": 1.25, **ANY}],
    },
    {
        "variant": "tanh",
        "table": "networks",
        "label": "tanh",
        "figures": [
            {"quantity": "test_accuracy", "printed": 0.5, "low": 0.0, "high": 1.0},
            {"quantity": "validation_accuracy", "printed": 2.0, "low": 1.5, "high": 2.5, "epoch": "best"},
        ],
    },
]
ORDER = {
    "text": {"en": "tanh is better", "zh": "tanh 更好"},
    "quantity": "test_accuracy",
    "variants": ["base", "tanh"],
}
TEXTS = {
    "title": {"en": "A tiny table", "zh": "一张小表"},
    "source": {"en": "nobody (2026)", "zh": "无名氏（2026）"},
    "about": {"en": "Two networks on points.", "zh": "平面上的点，两个网络。"},
}
TANH = {"network.activation": "tanh"}


def publish(folder, dataset, *, study=None, rows=ROWS, orders=(ORDER,), name="tiny", factorial=None, **changes):
    """Write a publication and its studies into a folder of their own."""
    folder.mkdir(exist_ok=True)
    study = study or listed({"tanh": TANH}, dataset, **changes)
    printed = {**TEXTS, "rows": list(rows), "orders": list(orders)}
    if factorial is not None:
        printed["factorial"] = factorial.name
        (folder / f"{factorial.name}.toml").write_text(factorial.text, encoding="utf-8")
    (folder / f"{name}.printed.toml").write_text(tomli_w.dumps(printed), encoding="utf-8")
    (folder / f"{name}.toml").write_text(study.text, encoding="utf-8")
    return folder


def come_along(monkeypatch, folder):
    """Have the publications of a folder come along, and no others."""
    monkeypatch.setattr(publication, "_folder", lambda: folder)


def printed(*rows, orders=(), **texts):
    """Return a publication of rows as in TOML."""
    return Publication.model_validate({"name": "tiny", **TEXTS, "rows": rows, "orders": orders, **texts})


def diagnosed(kind, cause, *, sick=True, **more):
    """Return the record of a diagnosis whose cause is a message, or a text."""
    message = cause if isinstance(cause, Message) else Message("verbatim", text=cause)
    return Diagnosis(kind, sick, message, **more).to_dict()


def outcome(
    variant="base",
    seed=0,
    status="finished",
    *,
    kinds=(),
    cause="",
    seconds=1.0,
    test=(),
    constant=10.0,
    unanswered=0,
    **columns,
):
    """Return what came of a run: its health, its test figures, the best constant answer's loss, its history."""
    health = [diagnosed(kind, cause) for kind in kinds]
    row = Row(variant, {"variant": variant}, seed, status, {}, seconds=seconds, health=health)
    return Outcome(row, columns, dict(test), constant, unanswered)


def by_seed(*outcomes):
    """Return outcomes by variant and seed."""
    found = {}
    for one in outcomes:
        found.setdefault(one.row.variant, {})[one.row.seed] = one
    return found


#: The variants of the report.
NAMES = [variant.name for variant in load_published_study("seed-report").variants()]


def made_up(**changes):
    """Return outcomes of all variants of the report at two seeds, or those that are given for a variant.

    Losses are 1, 2, 3, ... in the order of the variants, accuracies 0.5 and 0.52 and a little more each.
    """
    found = {}
    for place, name in enumerate(NAMES):
        runs = [
            outcome(
                name,
                seed,
                seconds=10.0 + seed,
                train_loss=[3.0, 1.0 + place],
                test={"test_accuracy": 0.5 + seed / 50 + place / 1000, "test_loss": 0.25 + seed / 4},
            )
            for seed in (0, 1)
        ]
        found |= by_seed(*changes.get(name, runs))
    return found


#: Class numbers, 60 of each: their mean is 4.5, and it costs 600 * 8.25 / 2 = 2475.
Y = np.arange(600) % 10

CAUSE = Message("causes.shifted-start", initializer="uniform(-1, 1)", mean=0.25, flat=0.5, activation="tanh")


def runs_of(name, *losses, kinds=(), accuracy=0.3, cause=CAUSE, status="finished"):
    """Runs of a variant that end with these losses, one a seed."""
    return [
        outcome(
            name, seed, status, kinds=kinds, cause=cause, constant=2475.0,
            train_loss=[loss + 1.0, loss],
            test={} if status != "finished" else {"test_accuracy": accuracy + seed / 100, "test_loss": 1.0},
        )
        for seed, loss in enumerate(losses)
    ]  # fmt: skip


def typical(**changes):
    """What the report's runs say as a rule: ReLU answers 0, tanh fails at all rates, both learn when mended."""
    sick = {"kinds": ["saturated-units"]}
    found = {
        "base": runs_of("base", 200.0, 210.0, 220.0),
        "SGD": runs_of("SGD", 900.0, 905.0, 910.0),
        "Adam": runs_of("Adam", 8000.0, 8001.0, 8002.0, accuracy=0.1),
        "784-256-1": runs_of("784-256-1", 800.0, 810.0, 820.0, accuracy=0.2),
        "784-392-196-49-1": runs_of("784-392-196-49-1", 220.0, 230.0, 240.0, accuracy=0.35),
        "tanh": runs_of("tanh", 9000.0, 9100.0, 9200.0, **sick),
        "ReLU": runs_of("ReLU", *[((Y**2).sum() / 2)] * 3, kinds=["exploding-signal", "constant-output"]),
        "ReLU3": runs_of("ReLU3", 1.0, 1.0, 1.0, kinds=["divergence"], status=DIVERGED),
        "sound": runs_of("sound", 0.2, 0.2, 0.2, accuracy=0.88),
    }
    found |= {
        f"tanh, lr {rate}": runs_of(f"tanh, lr {rate}", 9e3, 8e3, 7e3, **sick) for rate in (0.01, 0.001, 0.0001)
    }
    found |= {f"{name}, remedied": runs_of(f"{name}, remedied", 390.0, 400.0, 410.0) for name in ("ReLU", "tanh")}
    return made_up(**found | changes)


def factorial(interaction=0.2, missing=0):
    """What all combinations say, with tanh worse by so much under Adam."""
    study, rng, rows = load_published_study("seed-report-factors"), np.random.default_rng(1), []
    for variant in study.variants():
        levels = variant.levels
        worse = interaction * (levels["optimizer"] == "Adam" and levels["activation"] == "tanh")
        for seed in study.seeds:
            value = 0.5 + 0.01 * rng.normal() - worse
            rows.append(Row(variant.name, levels, seed, "finished", {study.measure: value}))
    rows = rows[missing:]
    return interaction_test(rows, study.levels(), study.measure, base=study.variants()[0].levels)


def plain_rows(key, *losses, accuracy=0.3, hidden=0.0, output=0.0):
    """Rows of a setting that end with these losses, one a seed, and these shares of flat slopes."""
    flat = {"flat_hidden": hidden, "flat_output": output}
    return [
        Row(" ".join(map(str, key)), {}, seed, "finished", {"train_loss": loss, "test_accuracy": accuracy, **flat})
        for seed, loss in enumerate(losses)
    ]


def experiments(**changes):
    """Rows of all experiments, or those that are given for one: ``adam_frozen``, ``tanh_0p05_1_0p001``.

    As a rule an output that is relu's stays at 6009.0 and others do not, tanh learns unless its output starts as
    the report's or takes its step, and no form of Adam comes near.
    """
    found = {key: plain_rows(key, 6009.04 if "relu" in key else 6009.06, 6034.5) for key in OUTPUTS}
    for key in CROSSED:
        _, hidden, output, rate = key
        flat, stuck = 0.75 * (hidden == 1), output == 1 or rate == 0.1
        losses = (9000.0, 11751.0) if stuck else (800.0, 900.0)
        found[key] = plain_rows(key, *losses, hidden=flat, output=float(stuck))
    found |= {key: plain_rows(key, 80000.0, 85000.0, accuracy=0.1) for key in ADAM_FORMS}
    names = {"_".join(f"{part}" for part in key).replace("-", "_").replace(".", "p"): key for key in found}
    return found | {names[name]: rows for name, rows in changes.items()}


def repeated(folder, outcomes=None, together=None, failed=()):
    """The report, repeated by runs that were never done."""
    outcomes = typical() if outcomes is None else outcomes
    publication = load_publication("seed-report")
    return Reproduction(
        publication,
        folder,
        outcomes,
        compare_rows(publication, outcomes),
        compare_orders(publication, outcomes),
        together or factorial(),
        gather_facts(outcomes, experiments(), Y),
        list(failed),
    )
