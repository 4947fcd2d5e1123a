"""The formulas of the explain page as LaTeX: the same MathML, written otherwise."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

#: Letters and signs that LaTeX writes with a command.
SIGNS = {
    **{"δ": r"\delta", "γ": r"\gamma", "μ": r"\mu", "∂": r"\partial ", "∑": r"\sum", "⟵": r"\longleftarrow "},
    **{"·": r"\cdot ", "−": "-", "⊙": r"\odot ", "⋯": r"\cdots ", "‖": r"\|", "×": r"\times "},
}

Parts = list[str]

#: How an element is written, by the LaTeX of its parts.
WRITTEN: dict[str, Callable[[Parts], str]] = {
    "mrow": "".join,
    "mfrac": lambda parts: rf"\frac{{{parts[0]}}}{{{parts[1]}}}",
    "msup": lambda parts: f"{_base(parts[0])}^{{{parts[1]}}}",
    "msub": lambda parts: f"{_base(parts[0])}_{{{parts[1]}}}",
    "msubsup": lambda parts: f"{_base(parts[0])}_{{{parts[1]}}}^{{{parts[2]}}}",
    "munder": lambda parts: f"{parts[0]}_{{{parts[1]}}}",
}


def write_latex(mathml: str) -> str:
    r"""Return a formula of the explain page in LaTeX.

    Raises KeyError for an element that none of the formulas here has.

    >>> print(write_latex("<mi>L</mi><mo>=</mo><mfrac><mn>1</mn><msup><mi>δ</mi><mn>2</mn></msup></mfrac>"))
    L=\frac{1}{\delta^{2}}
    """
    return "".join(map(_write, ElementTree.fromstring(f"<math>{mathml}</math>")))


def _write(element: ElementTree.Element) -> str:
    if element.tag in ("mi", "mn", "mo"):
        text = element.text or ""
        return "".join(SIGNS.get(letter, letter) for letter in text)
    if element.tag == "mtext":
        return rf"\text{{{element.text}}}"
    return WRITTEN[element.tag]([_write(part) for part in element])


def _base(text: str) -> str:
    """Return what a power or an index is of, in braces where it is more than one sign."""
    return text if len(text) == 1 or text in SIGNS.values() else f"{{{text}}}"
