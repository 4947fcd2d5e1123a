"""What a page in Chinese may say in Latin letters, and how its signs, marks and spaces stand."""

import re
from pathlib import Path

import glassnet

#: Names that stay as they are: of measures, methods, people, files, functions and keys.
NAMES = "AUC ROC Brier Youden Holm Greenhouse Geisser SHA MD NaN FLOPs FLOP kFLOP MFLOP GFLOP TFLOP "
NAMES += "Tab Enter Home End SVG PNG Python glassnet exp norm softmax Softmax sigmoid docs derivation zh md"

HAN = "[一-鿿]"


def latin_words(text):
    """Return the words of a text in Latin letters that are none of these names; single letters are symbols."""
    return set(re.findall("[A-Za-z_]{2,}", text)) - set(NAMES.split())


def text_of(html):
    """Return what a page shows or reads out, without code, formulas and scripts."""
    labels = re.findall(r'(?:aria-label|alt|title|data-text|data-pause(?:-button)?)="([^"]*)"', html)
    shown = re.sub(r"<(script|style|math|code|th scope)\b.*?</(?:\1|th)>", "\n", html, flags=re.DOTALL)
    contents = re.findall(r'content: "([^"]+)"', html)
    return "\n".join([re.sub(r"<[^>]*>", "\n", shown), *labels, *contents])


def misplaced_marks(text):
    """Return the places where a mark is not a Chinese one, or a space is lacking between a sign and a letter."""
    joints = rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9%]{HAN}"
    return re.findall(rf".{{0,8}}(?:{HAN}[,;:?!]|[,;:?!]{HAN}|{joints}|\d %| [，。；：？！）]).{{0,8}}", text)


def terms():
    """Return the Chinese terms of the list in ``locales/README.md``, and those that it forbids."""
    text = (Path(glassnet.__file__).parent / "locales" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [a-z][^|]* \| ([^|]+) \| ([^|]*) \| [^|]*\|$", text, re.MULTILINE)
    right = [term for chinese, _ in rows for term in chinese.strip().split("，")]
    return right, [term for _, wrong in rows for term in wrong.strip().split("、") if term]
