"""A sentence in both languages of a report."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """A sentence or a word in both languages; names in braces are filled in."""

    en: str
    zh: str
