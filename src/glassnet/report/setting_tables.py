"""The settings of a run or a study: what differs from the defaults, and all others."""

from __future__ import annotations

import json
from collections.abc import Container
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from glassnet.charts.tables import NONE, Cell, Rows, Table
from glassnet.data.user_data import looks_like_a_path
from glassnet.errors import UsageError
from glassnet.locales.catalogue import Words
from glassnet.nn.losses import LOSSES
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.nn.registry import Registry
from glassnet.nn.schedules import SCHEDULES
from glassnet.runtime.files import short_path
from glassnet.training.config import RunConfig
from glassnet.training.early_stopping import EARLY_STOPPING
from glassnet.training.options import SECTIONS

#: Options whose values are specifications, ``"adam(0.01)"`` for example, and what resolves them.
FAMILIES: dict[str, Registry[Any]] = {
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "early_stopping": EARLY_STOPPING,
}


def show_settings(config: RunConfig, words: Words, changed: Container[str] = ()) -> SimpleNamespace:
    """Put the settings of a run into tables: what differs from its default, and all others by section.

    Those that are `changed`, ``"training.optimizer"`` for example, a study varies: they are left out.
    """
    differing: Rows = []
    others = []
    for section in ("run", *SECTIONS):
        part = config if section == "run" else getattr(config, section)
        plain: Rows = []
        for name in ["seed"] if section == "run" else type(part).model_fields:
            value, field = getattr(part, name), type(part).model_fields[name]
            default = None if field.is_required() else field.default
            if value is None or value in ({}, []) or f"{section}.{name}" in changed:
                continue
            if shorten(name, value) == shorten(name, default):
                plain.append([Cell(name, code=True), Cell(setting_text(value), code=True)])
                continue
            told = default is not None and isinstance(default, str | int | float | bool)
            shown = Cell(setting_text(default), code=True) if told else NONE
            differing.append([Cell(name, code=True), _value_cell(name, value), shown])
        if plain:
            heads = [words.say("option"), words.say("value")]
            others.append(Table(words.say(f"section_{section}"), heads, plain, (0, 1), key=f"settings-{section}"))
    heads = [words.say("option"), words.say("value"), words.say("default")]
    table = Table(words.say("settings_changed"), heads, differing, text=(0, 1, 2), key="settings")
    return SimpleNamespace(
        changed=table if differing else None, others=others, n_others=sum(len(one.rows) for one in others)
    )


def _value_cell(name: str, value: Any) -> Cell:
    """Return a value as it is shown: a specification without what is its default, a path in short."""
    text = shorten(name, value)
    if name == "dataset" and looks_like_a_path(text):
        return Cell(Path(text).name, code=True, full=short_path(text))
    return Cell(text, code=True)


def shorten(name: str, value: Any) -> str:
    """Return a value as text, of a specification what its family would not choose by itself.

    >>> shorten("optimizer", "adam(learning_rate=0.01, update_scale=1.0, beta1=0.9, beta2=0.999, epsilon=1e-08)")
    'adam(learning_rate=0.01)'
    """
    text = setting_text(value)
    if name not in FAMILIES or not isinstance(value, str):
        return text
    family = FAMILIES[name]
    try:
        whole, usual = (family.resolve(one).spec for one in (value, value.partition("(")[0]))
    except UsageError:  # it has no default, or belongs to a program
        return text
    known = usual.partition("(")[2].rstrip(")").split(", ")
    given = [one for one in whole.partition("(")[2].removesuffix(")").split(", ") if one not in known]
    return f"{whole.partition('(')[0]}({', '.join(given)})" if given else whole.partition("(")[0]


def setting_text(value: Any) -> str:
    """Return a value as the configuration's file has it, a word without quotation marks."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return ", ".join(f"{name}={setting_text(inner)}" for name, inner in value.items())
    return json.dumps(value, ensure_ascii=False)
