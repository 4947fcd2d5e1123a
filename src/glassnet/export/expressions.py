"""A traced formula as text of another language: named steps for what is used again, and the result."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from glassnet.compiled.tracing import Symbol, in_order
from glassnet.export.portable import Formula

#: A template that is a call: what stands in it needs no brackets, and neither does the call.
_CALL = re.compile(r"[\w.]+\(.*\)")


@dataclass(frozen=True)
class Language:
    """How a language writes the operations of formulas.

    ``operations`` has a template for each name in `glassnet.compiled.tracing.OPERATIONS`, with {0}, {1}, {2} for
    its inputs; ``number`` is that for a truth that counts as 0 or 1; ``truths`` are false and true; ``literal``
    writes a number, which may be infinite or NaN.
    """

    operations: Mapping[str, str]
    number: str
    truths: tuple[str, str]
    literal: Callable[[float], str]


class WrittenFormula(NamedTuple):
    """Steps, each a name and an expression of "z" and the names before it, and the expression of the result."""

    steps: tuple[tuple[str, str], ...]
    result: str


def write_formula(formula: Formula, language: Language) -> WrittenFormula:
    """Write a formula of "z" in a language.

    Examples
    --------
    >>> from glassnet.export.portable import trace_activation
    >>> from glassnet.nn.activations import ACTIVATIONS
    >>> words = Language({"maximum": "max({0}, {1})", "multiply": "{0} * {1}"}, "float({0})", ("0", "1"), repr)
    >>> relu3 = Formula("relu3", trace_activation(ACTIVATIONS.resolve("relu3"), "float32"))
    >>> write_formula(relu3, words)
    WrittenFormula(steps=(('v1', 'max(z, 0.0)'),), result='(v1 * v1) * v1')
    """
    symbols = list(in_order([formula.symbol]))
    uses = Counter(id(part) for symbol in symbols for part in symbol.inputs)
    texts: dict[int, str] = {}
    steps: list[tuple[str, str]] = []
    for symbol in symbols:
        texts[id(symbol)] = text = _write(symbol, texts, language)
        if symbol.inputs and uses[id(symbol)] > 1:
            texts[id(symbol)] = f"v{len(steps) + 1}"
            steps.append((texts[id(symbol)], text))
    return WrittenFormula(tuple(steps), _count(formula.symbol, texts, language))


def _write(symbol: Symbol, texts: dict[int, str], language: Language) -> str:
    """Write a symbol by the texts of its inputs."""
    if symbol.operation == "input":
        return str(symbol.label)
    if symbol.operation == "constant":
        return language.truths[symbol.label] if symbol.kind == "truth" else language.literal(symbol.label)
    template = language.operations[symbol.operation]
    truths = symbol.operation.startswith("logical") or (symbol.operation == "where" and symbol.kind == "truth")
    parts = [texts[id(part)] if truths else _count(part, texts, language) for part in symbol.inputs]
    if symbol.operation == "where":
        parts[0] = texts[id(symbol.inputs[0])]
    return template.format(*(parts if _CALL.fullmatch(template) else map(_bracket, parts)))


def _count(symbol: Symbol, texts: dict[int, str], language: Language) -> str:
    """Return a value where a number is meant: true counts as 1."""
    text = texts[id(symbol)]
    return language.number.format(text) if symbol.kind == "truth" else text


def _bracket(text: str) -> str:
    """Return an expression with brackets, where it is more than a name, a number or a call."""
    if re.fullmatch(r"[\w.]+", text):
        return text
    call = re.match(r"[\w.]+\(", text)
    if call and _closes(text, call.end() - 1) == len(text) - 1:
        return text
    return f"({text})"


def _closes(text: str, opening: int) -> int:
    """Return the place of the bracket that closes the one at a place."""
    depth = 0
    for place in range(opening, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    return -1
