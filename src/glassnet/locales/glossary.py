"""The terms of the field that pages use: one definition a term, in every language, in ``glossary.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

#: A space at which no line is broken, as between a number and its sign.
HARD_SPACE = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Term:
    """A term: its key, the names that it goes by in a text, the usual one first, and what it means."""

    key: str
    names: tuple[str, ...]
    meaning: str


@cache
def glossary(language: str) -> dict[str, Term]:
    """Return the terms of a language by key, in the order in which they build on each other."""
    text = (resources.files("glassnet.locales") / "glossary.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    return {key: Term(key, tuple(one[language]["names"]), one[language]["meaning"]) for key, one in found.items()}


def find_terms(text: str, language: str) -> Iterator[tuple[str, Term | None]]:
    """Cut a text at its terms: yield piece after piece, each with the term that it names, or None.

    >>> [(piece, term and term.key) for piece, term in find_terms("The test AUC of 3 seeds.", "en")]
    [('The test ', None), ('AUC', 'auc'), (' of 3 ', None), ('seeds', 'seed'), ('.', None)]
    """
    pattern, by_name = _finder(language)
    end = 0
    for found in pattern.finditer(text):
        if found.start() > end:
            yield text[end : found.start()], None
        name = found[0].lower().replace(HARD_SPACE, " ")
        yield found[0], by_name.get(name) or by_name[name.removesuffix("s")]
        end = found.end()
    if end < len(text):
        yield text[end:], None


@cache
def _finder(language: str) -> tuple[re.Pattern[str], dict[str, Term]]:
    """Return what finds the names of a language, the longest first, and the terms by name in small letters."""
    by_name = {name: term for term in glossary(language).values() for name in term.names}
    names = sorted(by_name, key=lambda name: -len(name))
    return re.compile("|".join(map(_pattern_of, names))), {name.lower(): term for name, term in by_name.items()}


def _pattern_of(name: str) -> str:
    """Return the pattern of a name: in Latin letters whole words, at a sentence's beginning too, and in plural."""
    if not name[-1].isascii():
        return re.escape(name)
    first, rest = name[0], re.escape(name[1:]).replace(r"\ ", f"[ {HARD_SPACE}]")
    first = f"[{first}{first.upper()}]" if rest and first.islower() else re.escape(first)
    plural = "s?" if rest and name.islower() else ""
    return rf"(?<![A-Za-z0-9_-]){first}{rest}{plural}(?![A-Za-z0-9_-])"
