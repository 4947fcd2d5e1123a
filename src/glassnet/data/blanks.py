"""Text that shows nothing: blanks of any kind, and characters that take no room, as spreadsheets leave them."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import polars as pl

    Text = TypeVar("Text", pl.Series, pl.Expr)

#: Letters and signs that are drawn as nothing.
DRAWN_AS_NOTHING = "\u115f\u1160\u2800\u3164\uffa0"

_NOTHING = rf"^[\s\p{{Cc}}\p{{Cf}}{DRAWN_AS_NOTHING}]+$"


def shows_nothing(text: str) -> bool:
    """Whether a text is empty to the eye: U+00A0, U+3000, U+200B, a byte order mark and the like."""
    return not text.strip() or all(map(_is_nothing, text))


def strip(text: Text) -> Text:
    """Return text without the blanks around it, empty where it shows nothing."""
    return text.str.strip_chars().str.replace(_NOTHING, "")


def simplify(text: str) -> str:
    """Return what texts that look alike have in common: no blanks, no capitals, no variants of characters."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(one for one in plain if not _is_nothing(one))


def _is_nothing(one: str) -> bool:
    return one.isspace() or one in DRAWN_AS_NOTHING or unicodedata.category(one) in ("Cc", "Cf")
