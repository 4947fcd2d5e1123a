"""CSV for programs and for spreadsheets, which take some texts for formulas."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

#: What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

#: A number, or a sign alone, which is none.
NUMBER = re.compile(r"[+-]?[\d.,]+(e[+-]?\d+)?%?|[+-]", re.IGNORECASE | re.ASCII)


def csv_text(rows: Iterable[Sequence[Any]], *, formulas: bool = False) -> str:
    """Return rows as CSV, the first of them as the header.

    Text that a spreadsheet would take for a formula gets an apostrophe before it, unless `formulas` may stand.
    """
    lines: list[str] = []
    writer = csv.writer(SimpleNamespace(write=lines.append))  # with the ending "\r\n" it quotes a "\r" as well
    writer.writerows(rows if formulas else [[_disarm(value) for value in row] for row in rows])
    return "".join(line.removesuffix("\r\n") + "\n" for line in lines)


def is_formula(value: Any) -> bool:
    """Whether a spreadsheet would take a cell for a formula."""
    return isinstance(value, str) and value.startswith(FORMULA) and not NUMBER.fullmatch(value)


def _disarm(value: Any) -> Any:
    """Return text that begins as a formula does with an apostrophe before it; a plain number stays."""
    return f"'{value}" if is_formula(value) else value
