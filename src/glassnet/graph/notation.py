"""How symbols and numbers are written: in a picture, on a page, in plain text.

The letters are those of the whole package: x an input, w and b a weight and a bias, z a pre-activation, h an
output of a layer, a an output of the network, y a target, L the loss, delta = dL/dz. A superscript is the layer,
subscripts are places within it, counted from 0 as in the code: w with (2) above and 3, 1 below is
``net.W[1][3, 1]``.

With batch normalisation, a with a layer above is a unit's sum before it, mu and v are its mean and variance, x
with a hat is the normalised sum, and g (gamma) its scale. With dropout, m is the mask, and a tilde marks what it
leaves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from glassnet.graph.traced import Traced

#: Stands for all units that are not shown one by one.
OTHERS = "…"

#: The sign before a number, set closer than the one between two.
MINUS = '<mo form="prefix">−</mo>'

#: Letters that are spelled out in plain text.
GREEK = {"delta": "δ", "g": "γ", "mu": "μ"}
LATEX = {"delta": r"\delta", "g": r"\gamma", "mu": r"\mu"}

#: What stands after a letter in plain text and above it in mathematics: combining character, LaTeX.
ACCENTS = {"^": ("\u0302", r"\hat"), "~": ("\u0303", r"\tilde")}


#: How tightly a written expression holds together.
LOGIC, SUM, PRODUCT, POWER, ATOM = range(5)

#: A number as it stands, or one that the page computes again.
Number = float | Traced


class Shown(str):
    """A written number that the page computes again, and finds at its `source`; `bare` is the number alone."""

    source: str
    bare: str

    def __new__(cls, text: str, source: str, bare: str = "") -> Shown:
        """Return the text, which knows its source."""
        shown = super().__new__(cls, text)
        shown.source, shown.bare = source, bare or text
        return shown


def number(value: Number, digits: int = 4) -> str:
    """Write a number with at most `digits` significant digits and a true minus sign."""
    if isinstance(value, Traced):
        return Shown(number(float(value.value.item()), digits), value.source)
    if not np.isfinite(value):
        return str(value).replace("-", "−")
    text = f"{value:.{digits}g}"
    mantissa, _, exponent = text.partition("e")
    if exponent:
        text = f"{mantissa}e{int(exponent)}"
    return ("0" if float(text) == 0 else text).replace("-", "−")


def length(values: Any) -> Number:
    """Return the length ‖v‖ of all numbers of a matrix, which overflows no sooner than its largest number."""
    if isinstance(values, Traced):
        return np.sqrt((values * values).sum())
    largest = float(np.abs(values).max())
    return largest * float(np.linalg.norm(values / largest)) if largest > 0 else 0.0


@dataclass(frozen=True)
class Name:
    """A letter with a layer above and places below it; as a string ``w2[3, 1]``."""

    letter: str
    layer: int | None = None
    places: tuple[int | str, ...] = ()

    @property
    def sign(self) -> str:
        """The letter as it is set in mathematics."""
        plain, accent = self._parts
        return GREEK.get(plain, plain) + (ACCENTS[accent][0] if accent else "")

    @property
    def _parts(self) -> tuple[str, str]:
        """The letter without its accent, and the accent."""
        return (self.letter[:-1], self.letter[-1]) if self.letter[-1] in ACCENTS else (self.letter, "")

    @property
    def below(self) -> str:
        """The places, as one text."""
        return ",".join(map(str, self.places))

    def __str__(self) -> str:
        places = f"[{', '.join(map(str, self.places))}]" if self.places else ""
        return f"{self.letter}{'' if self.layer is None else self.layer}{places}"

    @property
    def mathtext(self) -> str:
        """For matplotlib."""
        layer = "" if self.layer is None else f"^{{({self.layer})}}"
        plain, accent = self._parts
        letter = LATEX.get(plain, plain)
        letter = f"{ACCENTS[accent][1]}{{{letter}}}" if accent else letter
        return f"${letter}{layer}{f'_{{{self.below}}}' if self.places else ''}$"

    @property
    def mathml(self) -> str:
        """For a page."""
        plain, accent = self._parts
        letter = identifier(GREEK.get(plain, plain))
        letter = f'<mover accent="true">{letter}{sign(accent)}</mover>' if accent else letter
        layer = f"<mn>({self.layer})</mn>"
        kind = "mn" if all(isinstance(place, int) for place in self.places) else "mi"
        places = f"<{kind}>{self.below}</{kind}>"
        if self.layer is None:
            return f"<msub>{letter}{places}</msub>" if self.places else letter
        return f"<msubsup>{letter}{places}{layer}</msubsup>" if self.places else f"<msup>{letter}{layer}</msup>"


def identifier(letter: str) -> str:
    """Return a letter, or a function's name, in MathML."""
    return f"<mi>{escape(letter)}</mi>"


def numeral(value: Number) -> str:
    """Return a number in MathML."""
    if isinstance(value, Traced):
        bare = numeral(float(value.value.item()))
        return Shown(f'<mrow data-n="{value.source}">{bare}</mrow>', value.source, bare)
    mantissa, _, exponent = number(value).partition("e")
    written = f"<mn>{mantissa.removeprefix('−')}</mn>"
    if exponent:
        minus = MINUS if exponent.startswith("−") else ""
        power = row(minus, f"<mn>{exponent.removeprefix('−')}</mn>")
        written = row(written, sign("·"), f"<msup><mn>10</mn>{power}</msup>")
    return f"{MINUS}{written}" if mantissa.startswith("−") else written


def factor(value: Number) -> str:
    """Return a number as it stands after another sign: in brackets where it is negative."""
    return hold(numeral(value), PRODUCT)


def hold(text: str, at_least: int) -> str:
    """Return a name or a number, in brackets where it must hold together more tightly than it does."""
    if isinstance(text, Shown):
        return f'<mrow data-n="{text.source}" data-t="{at_least}">{hold(text.bare, at_least)}</mrow>'
    return brackets(text) if find_tightness(text) < at_least else text


def find_tightness(text: str) -> int:
    """Return how tightly a name or a number holds together."""
    text = text.bare if isinstance(text, Shown) else text
    if text.startswith(MINUS):
        return SUM
    if "<mo>·</mo>" in text:  # times a power of ten
        return PRODUCT
    return POWER if text.startswith(("<msup", "<msubsup")) else ATOM


def transpose(matrix: str) -> str:
    """Return a matrix with a T above: beside its layer where that stands there, not on top of it."""
    layer = re.search(r"(<mn>\(\d+\)</mn>)(</msup>|</msubsup>)$", matrix)
    if layer:
        return f"{matrix[: layer.start()]}{row(layer[1], identifier('T'))}{layer[2]}"
    return f"<msup>{row(matrix)}{identifier('T')}</msup>"


def sign(operator: str) -> str:
    """Return an operator in MathML."""
    return f"<mo>{escape(operator)}</mo>"


def row(*parts: str) -> str:
    """Return parts side by side."""
    return f"<mrow>{''.join(parts)}</mrow>"


def brackets(inner: str) -> str:
    """Return something in round brackets, which are as high as a line, or as cases on several lines."""
    fixed = "" if "<mtable>" in inner else ' stretchy="false"'
    return f"<mrow><mo{fixed}>(</mo>{inner}<mo{fixed}>)</mo></mrow>"


def norm(matrix: str) -> str:
    """Return a matrix between the signs that stand for the length of all its numbers."""
    return row('<mo form="prefix">‖</mo>', matrix, '<mo form="postfix">‖</mo>')


def fraction(above: str, below: str) -> str:
    """Return one thing over another."""
    return f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>"


def partial(of: str, by: str) -> str:
    """Return the partial derivative of one thing by another."""
    return fraction(f"<mo>∂</mo>{of}", f"<mo>∂</mo>{by}")
