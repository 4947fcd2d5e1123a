"""C99: how formulas, numbers, names and texts are written in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import numpy as np

from glassnet.data.scaling import CLIP
from glassnet.export.expressions import Language, write_formula
from glassnet.export.portable import Formula
from glassnet.nn.activations import Array

#: Characters of a line of numbers at most.
LINE = 110

#: Spreads so far away are the bound of a smooth clip, and their square is still a float.
FARTHEST = "1e18f"

#: Functions that are needed beside those of math.h; NaN goes through all of them.
HELPERS = {
    "clip": f"(float t) {{ t = t > {FARTHEST} ? {FARTHEST} : t < -{FARTHEST} ? -{FARTHEST} : t; "
    f"return t / sqrtf(1.0f + t * t / {CLIP * CLIP}f); }}",
    "piece": "(float x) { return x > 0.0f ? (x < 1.0f ? x - 0.5f : 0.5f) : -0.5f; }",
    "quantise": "(float q) { return (int8_t)rintf(q < -128.0f ? -128.0f : q > 127.0f ? 127.0f : q); }",
    "max": "(float x, float y) { return x >= y || x != x ? x : y; }",
    "min": "(float x, float y) { return x <= y || x != x ? x : y; }",
    "sign": "(float x) { return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x; }",
    "step": "(float x, float at_0) { return x > 0.0f ? 1.0f : x < 0.0f ? 0.0f : x == 0.0f ? at_0 : x; }",
    "square": "(float x) { return x * x; }",
}

#: Operations that C has a sign for, and those that math.h has a function for.
SIGNS = {
    **{"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "logical_and": "&&", "logical_or": "||"},
    **{"greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==", "not_equal": "!="},
}
FUNCTIONS = ("sqrt", "exp", "expm1", "log", "log1p", "tanh", "sin", "cos", "sinh", "cosh")


#: Names in math.h and stdint.h begin with one of these and an underscore.
OF_MATH = {"m", "fp", "math", "huge", "int8", "int16", "int32", "int64"}


class Names:
    """Identifiers of a header: each begins with its prefix, and is given once."""

    def __init__(self, text: str, taken: Iterable[str]) -> None:
        self.prefix = _identify(text) or "model"
        if self.prefix[0].isdigit() or self.prefix in OF_MATH:
            self.prefix = f"model_{self.prefix}"
        self._taken = {f"{self.prefix}_{name}".lower() for name in taken}

    def take(self, text: str, otherwise: str, *, upper: bool = False) -> str:
        """Return an identifier made of a text, or of `otherwise` where nothing of the text can stand in one."""
        name = free = f"{self.prefix}_{_identify(text) or otherwise}"
        count = 1
        while free.lower() in self._taken:
            count += 1
            free = f"{name}_{count}"
        self._taken.add(free.lower())
        return free.upper() if upper else free


def _identify(text: str) -> str:
    """Return what of a text can stand in an identifier: letters without accents, and digits."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40]


def write_number(value: float) -> str:
    """Write a number as a float of C.

    >>> write_number(0.1), write_number(3), write_number(-1e300), write_number(float("nan"))
    ('0.1f', '3.0f', '-INFINITY', 'NAN')
    """
    with np.errstate(over="ignore"):
        return _end(str(np.float32(value)))


def _end(text: str) -> str:
    return {"inf": "INFINITY", "-inf": "-INFINITY", "nan": "NAN"}.get(text, f"{text}f")


def write_text(text: str) -> str:
    r"""Write a text as a string of C, in UTF-8; all that is no plain character by its number.

    >>> print(write_text('say "é" ?'))
    "say \"\303\251\" \?"
    """
    plain = {chr(code) for code in range(32, 127)} - set('"\\?')
    marks = {one: f"\\{one}" for one in '"\\?'}
    return '"{}"'.format("".join(one if one in plain else marks.get(one) or _number_bytes(one) for one in text))


def _number_bytes(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "replace"))


def write_comment(text: str) -> str:
    """Return a text so that it can stand in a comment: on one line, and ending none."""
    line = "".join(one if one.isprintable() else " " for one in text)
    return line.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?")


def write_table(kind: str, name: str, values: Array) -> str:
    """Write an array of one or two dimensions as a constant."""
    if kind == "float":
        with np.errstate(over="ignore"):
            rows = [fill_lines(map(_end, row.astype(np.float32).astype(str))) for row in np.atleast_2d(values)]
    else:
        rows = [fill_lines(row.astype(str)) for row in np.atleast_2d(values)]
    sizes = "".join(f"[{size}]" for size in values.shape)
    body = ",\n".join(f"    {{ {row.lstrip()} }}" for row in rows) if values.ndim == 2 else rows[0]
    return f"static const {kind} {name}{sizes} = {{\n{body}\n}};"


def fill_lines(texts: Iterable[str]) -> str:
    """Return texts with commas between them, on lines of bounded length."""
    lines, line = [], "    "
    for text in texts:
        if len(line) + len(text) > LINE:
            lines.append(line.rstrip())
            line = "    "
        line += f"{text}, "
    return "\n".join([*lines, line.rstrip(", ")])


def write_texts(name: str, texts: tuple[str, ...]) -> str:
    """Write a table of texts as a constant."""
    body = fill_lines([write_text(text) for text in texts])
    return f"static const char *const {name}[{len(texts)}] = {{\n{body}\n}};"


def write_activation(formula: Formula, name: str, prefix: str) -> str:
    """Write an activation as a function of C with this name."""
    written = write_formula(formula, make_language(prefix))
    lines = [f"    const float {step} = {text};" for step, text in written.steps]
    lines.append(f"    return {written.result};")
    if not re.search(r"\bz\b", "\n".join(lines)):
        lines.insert(0, "    (void)z;")
    return "\n".join([f"static inline float {name}(float z)", "{", *lines, "}"])


def write_helpers(text: str, prefix: str) -> list[str]:
    """Write those of the helpers that a text calls."""
    return [
        f"static inline {'int8_t' if name == 'quantise' else 'float'} {prefix}_{name}{body}"
        for name, body in HELPERS.items()
        if re.search(rf"\b{prefix}_{name}\(", text)
    ]


def make_language(prefix: str) -> Language:
    """Return how C writes formulas, with helpers of this prefix."""
    operations = {
        **{name: f"{{0}} {sign} {{1}}" for name, sign in SIGNS.items()},
        **{name: f"{name}f({{0}})" for name in FUNCTIONS},
        "negative": "-{0}",
        "positive": "{0}",
        "absolute": "fabsf({0})",
        "square": f"{prefix}_square({{0}})",
        "reciprocal": "1.0f / {0}",
        "power": "powf({0}, {1})",
        "arctan": "atanf({0})",
        "maximum": f"{prefix}_max({{0}}, {{1}})",
        "minimum": f"{prefix}_min({{0}}, {{1}})",
        "sign": f"{prefix}_sign({{0}})",
        "heaviside": f"{prefix}_step({{0}}, {{1}})",
        "logical_not": "!{0}",
        "where": "{0} ? {1} : {2}",
    }
    return Language(operations, "(float)({0})", ("0", "1"), write_number)
