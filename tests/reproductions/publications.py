"""Publications of seconds, and what came of runs that were never done."""

import tomli_w
from tests.study.studies import listed

from glassnet.reproductions import publication
from glassnet.reproductions.outcomes import Outcome
from glassnet.reproductions.publication import Publication, load_published_study
from glassnet.study.results import Row

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
ORDER = {"text": "tanh is better", "quantity": "test_accuracy", "variants": ["base", "tanh"]}
TEXTS = {"title": "A tiny table", "source": "nobody (2026)", "about": "Two networks on points."}
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
    health = [{"kind": kind, "sick": True, "cause": cause} for kind in kinds]
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
