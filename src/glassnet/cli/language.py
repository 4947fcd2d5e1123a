"""The language of what a command prints and of the pages that it writes."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from glassnet.locales.catalogue import Language, Words

#: What the system says of the language, the first that is set.
VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")

LanguageOption = Annotated[
    Language | None,
    typer.Option(
        "--lang",
        help="Language of pages and tables: English or Chinese.",
        show_default="zh where LC_ALL, LC_MESSAGES or LANG says so, else en",
    ),
]


def choose_language(lang: Language | None) -> Language:
    """Return the language that was asked for; otherwise Chinese where the system speaks it, else English."""
    if lang is not None:
        return lang
    said = next(filter(None, map(os.environ.get, VARIABLES)), "")
    return "zh" if said.lower().startswith("zh") else "en"


def choose_words(lang: Language | None) -> Words:
    """Return the sentences of that language."""
    return Words(choose_language(lang))
