"""The texts that are compiled: the step, which is the same for all networks, and a function for each formula.

The step is compiled once for each dtype. A loop is compiled apart, as a function of C that is handed addresses, so
that a new activation, loss or optimizer compiles its own few lines and nothing else.
"""

from __future__ import annotations

import functools
import importlib.resources
from typing import Any, NamedTuple

import numpy as np

from glassnet.compiled.loops import Loop
from glassnet.nn.batch_norm import EPSILON, MOMENTUM
from glassnet.runtime.products import LINE

#: Rows of a panel that the formulas work on while they are in the first cache.
STRIP = 48

#: The modules whose functions are compiled into the step.
STEP_MODULES = ("calls", "shares", "gather", "forward", "update", "backward", "steps")

HEADER = """# Written by glassnet: {about!r}; safe to delete.
from math import floor

from numpy import arctan, cos, cosh, float32, float64, inf, int32, int64, intp, isfinite, sin, sinh, sqrt
from numpy import uint32, uint64

real, whole = {real}, {whole}
ZERO, HALF, ONE, TWO, infinity, nan = real(0), real(0.5), real(1), real(2), real(inf), real(inf - inf)
TERMS, LOG_TERMS, SHIFT, BIAS, MANTISSA = {terms}, {log_terms}, whole({shift}), whole({bias}), whole({mantissa})
LOG2_E, ROOT_2 = real(1.4426950408889634), real(1.4142135623730951)
LOG_2_HIGH, LOG_2_LOW = real({high}), real({low})
SMALLEST, LARGEST, TINY = real({smallest}), real({largest}), real({tiny})


"""

STEP_HEADER = """from glassnet.compiled.records import Block, Panel

AHEAD, LINE, SPINS, STRIP = 4, {line}, 20000, {strip}


"""

STATISTICS = "EPSILON, MOMENTUM = real({epsilon}), real({momentum})\n\n\n"

#: What the header says of each dtype: the numbers of IEEE 754, and log 2 in two parts (Cody and Waite 1980).
CONSTANTS: dict[str, dict[str, Any]] = {
    "float32": {
        "whole": "int32", "terms": 7, "log_terms": 8, "shift": 23, "bias": 127, "mantissa": 2**23 - 1,
        "high": 0.693359375, "low": -2.12194440e-4, "smallest": -86.6, "largest": 88.72283, "tiny": 2.0**-126,
    },
    "float64": {
        "whole": "int64", "terms": 13, "log_terms": 17, "shift": 52, "bias": 1023, "mantissa": 2**52 - 1,
        "high": 6.93147180369123816490e-01, "low": 1.90821492927058770002e-10,
        "smallest": -707.7, "largest": 709.782712893384, "tiny": 2.0**-1022,
    },
}  # fmt: skip


class Source(NamedTuple):
    """A text, the function in it that is called, and the types of its arguments; a star stands for an address."""

    text: str
    name: str
    arguments: tuple[str, ...]


def step_source(real: Any) -> str:
    """Return the text of the step in a dtype; ``take_steps`` is called."""
    head = STEP_HEADER.format(line=LINE, strip=STRIP)
    parts = [head, *(_text("glassnet.compiled", name) for name in STEP_MODULES)]
    return _header("the step of training", real) + "\n\n".join(parts)


def loop_source(loop: Loop, about: str, real: Any) -> Source:
    """Return the text by which a loop over a row is called with addresses.

    It takes the row's length; the arrays, the options, where to write the row's value if there is one, scalars,
    scratch and the length of scratch's rows.
    """
    text = loop.source()  # which finds scalars and scratch
    arrays = [f"carray({name}, n)" for name in loop.arrays]
    call = f"{loop.name}({', '.join([*arrays, *loop.options, *_carry(loop)])})"
    value = [] if loop.result is None else ["value"]
    body = call if loop.result is None else f"carray(value, 1)[0] = {call}"
    names = ["n", *loop.arrays, *loop.options, *value, "scalars", "scratch", "columns"]
    types = ["intp", *(f"{real}*" for _ in loop.arrays), *(str(real) for _ in loop.options)]
    types += [*(f"{real}*" for _ in value), f"{real}*", f"{real}*", "intp"]
    return _function(text, about, real, loop.name, names, types, body)


def strip_source(loop: Loop, about: str, real: Any, vectors: set[str]) -> Source:
    """Return the text by which a loop is called for many rows with addresses.

    It takes how many rows there are, and their length; the arrays, each followed by how many numbers apart its
    rows are, but for ``vectors``, which are the same for all rows; scalars, scratch and the length of its rows.
    """
    text = loop.source()  # which finds scalars and scratch
    names, rows = ["rows", "n"], []
    for name in loop.arrays:
        names += [name] if name in vectors else [name, f"{name}_row"]
        rows.append(f"carray({name}, n)" if name in vectors else f"carray({name}, (rows, {name}_row))[i, :n]")
    call = f"for i in range(rows):\n        {loop.name}({', '.join([*rows, *_carry(loop)])})"
    names += ["scalars", "scratch", "columns"]
    types = [f"{real}*" if name in (*loop.arrays, "scalars", "scratch") else "intp" for name in names]
    return _function(text, about, real, loop.name, names, types, call)


def _carry(loop: Loop) -> list[str]:
    """Return how scalars and scratch are handed to a loop."""
    return [
        f"carray(scalars, {max(1, len(loop.scalars))})",
        f"carray(scratch, ({max(1, loop.scratch_rows)}, columns))",
    ]


def update_source(loop: Loop, about: str, real: Any) -> Source:
    """Return the text by which an optimizer's loop is called with addresses.

    It takes the length of a piece; theta, gradient and memory from there on, how far apart the vectors of memory
    are, and scalars.
    """
    text, vectors = loop.source(), len(loop.arrays) - 2
    pieces = ["carray(theta, n)", "carray(gradient, n)", *(f"rows[{number}, :n]" for number in range(vectors))]
    rows = f"rows = carray(memory, ({max(1, vectors)}, apart))"
    call = f"{loop.name}({', '.join([*pieces, f'carray(scalars, {max(1, len(loop.scalars))})', 'rows'])})"
    types = ["intp", f"{real}*", f"{real}*", f"{real}*", "intp", f"{real}*"]
    names = ["n", "theta", "gradient", "memory", "apart", "scalars"]
    return _function(text, about, real, loop.name, names, types, f"{rows}\n    {call}")


#: Arguments of the functions of `glassnet.compiled.columns` and `glassnet.compiled.moving`.
COLUMNS = {
    "normalise": "intp intp real* real* real* real* intp real*",
    "normalise_back": "intp intp real* real* real* real* real* real*",
    "shorten_columns": "intp intp real* real real*",
    "square_columns": "intp intp real* intp float64*",
}
ROWS = {
    "copy_row": "intp kind* real* real",
    "move_row": "kind* real* real int64 int64 int64 int32*",
}


def column_source(name: str, real: Any) -> Source:
    """Return the text of a function of `glassnet.compiled.columns`."""
    text = STATISTICS.format(epsilon=EPSILON, momentum=MOMENTUM) + _text("glassnet.compiled", "columns")
    return Source(_header(name, real) + text, name, tuple(COLUMNS[name].replace("real", str(real)).split()))


def drop_source(real: Any) -> Source:
    """Return the text of the function of `glassnet.compiled.dropping`."""
    parts = [_text("glassnet.nn", "hashing"), _text("glassnet.compiled", "dropping")]
    types = f"intp intp {real}* intp uint32 int64 int64 uint32"
    return Source(_header("dropout", real) + "\n\n".join(parts), "drop_rows", tuple(types.split()))


def row_source(name: str, kind: Any, real: Any) -> Source:
    """Return the text of a function of `glassnet.compiled.moving`, for rows whose numbers are of a kind."""
    arguments = ROWS[name].replace("real", str(real)).replace("kind", str(np.dtype(kind)))
    return Source(_header(name, real) + _text("glassnet.compiled", "moving"), name, tuple(arguments.split()))


def _function(
    loop: str, about: str, real: Any, name: str, names: list[str], types: list[str], body: str
) -> Source:
    function = f"def call_{name}({', '.join(names)}):\n    {body}\n"
    parts = [_text("glassnet.compiled", "elementary"), loop, function]
    return Source(_header(about, real) + "\n\n".join(parts), f"call_{name}", tuple(types))


def _header(about: str, real: Any) -> str:
    return HEADER.format(about=about, real=real, **CONSTANTS[str(real)])


@functools.cache
def _text(package: str, name: str) -> str:
    """Return the functions of a module that is compiled instead of called in Python."""
    text = importlib.resources.files(package).joinpath(f"{name}.py").read_text(encoding="utf-8")
    return text[text.index("\ndef ") + 1 :]
