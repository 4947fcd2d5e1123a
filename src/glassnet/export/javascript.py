"""A model as one JavaScript module (an ES module) that needs nothing else: for node and for browsers."""

from __future__ import annotations

import importlib.resources
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from glassnet.data.blanks import DRAWN_AS_NOTHING
from glassnet.data.column_values import PLAIN_NUMBER, PLAIN_WHOLE, WHOLE
from glassnet.data.dates import DAY, FIRST_YEAR, MONTHS, NO_DATE, SHORT, THREE_NUMBERS, WRITTEN_OUT
from glassnet.data.number_format import MISSING, VARIANTS
from glassnet.export.expressions import Language, write_formula
from glassnet.export.module_text import (
    Call,
    Code,
    Function,
    Numbers,
    list_constants,
    list_formulas,
    list_functions,
)
from glassnet.export.portable import PortableModel
from glassnet.export.running import NotRunError, Results, run_program
from glassnet.export.trial import Trial
from glassnet.export.wording import describe_use

#: The functions of its parts that are called from outside.
PUBLIC = ("predict", "predict_proba", "outputs")

JAVASCRIPT = Language(
    {
        "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "divide": "{0} / {1}",
        "negative": "-{0}", "positive": "+{0}", "absolute": "Math.abs({0})", "square": "{0} * {0}",
        "reciprocal": "1 / {0}", "power": "Math.pow({0}, {1})", "sqrt": "Math.sqrt({0})", "exp": "Math.exp({0})",
        "expm1": "Math.expm1({0})", "log": "Math.log({0})", "log1p": "Math.log1p({0})", "tanh": "Math.tanh({0})",
        "sin": "Math.sin({0})", "cos": "Math.cos({0})", "arctan": "Math.atan({0})", "sinh": "Math.sinh({0})",
        "cosh": "Math.cosh({0})", "maximum": "Math.max({0}, {1})", "minimum": "Math.min({0}, {1})",
        "sign": "Math.sign({0})", "heaviside": "heaviside({0}, {1})", "greater": "{0} > {1}",
        "greater_equal": "{0} >= {1}", "less": "{0} < {1}", "less_equal": "{0} <= {1}", "equal": "{0} === {1}",
        "not_equal": "{0} !== {1}", "logical_and": "{0} && {1}", "logical_or": "{0} || {1}",
        "logical_not": "!{0}", "where": "{0} ? {1} : {2}",
    },
    "Number({0})",
    ("false", "true"),
    lambda value: repr(value).replace("inf", "Infinity").replace("nan", "NaN"),
)  # fmt: skip

#: Whole numbers that JavaScript's numbers hold exactly.
_SAFE = 2**53 - 1

#: Reads rows as JSON, and prints what the module beside it says of them.
_RUNNER = """
import { readFileSync } from "node:fs";
import * as model from "./model.mjs";
console.warn = () => {};
const rows = JSON.parse(readFileSync(0, "utf8"));
const write = (name, value) => (typeof value === "bigint" ? String(value) : value);
process.stdout.write(JSON.stringify([model.outputs(rows), model.predict(rows)], write));
"""


def write_javascript(model: PortableModel) -> str:
    """Return the text of the module."""
    functions = list_functions(model)
    code = [_write_function(function) for function in functions]
    for name, formula in list_formulas(model):
        steps, result = write_formula(formula, JAVASCRIPT)
        lines = [*(f"const {step} = {expression};" for step, expression in steps), f"return {result};"]
        code.append(_write_lines(name, Function(name, "z", f"The activation {formula.name}.", lines)))
    data = [f"const {name} = {_write(value)};" for name, value in list_constants(model).items()]
    parts = _copy_parts("\n".join([*code, *data]))
    said = describe_use(
        model, "nothing but JavaScript: node or a browser", missing="null", record="an object with the keys below"
    )
    said = said.replace("predict_proba(rows) ", "predictProba(rows)  ")
    notes = "\n".join(f" * {line}".rstrip() for line in said.replace("*/", "* /").splitlines())
    return "\n\n".join([f"/**\n{notes}\n */", *code, *parts, *data]) + "\n"


def write_operations(names: Iterable[str]) -> str:
    """Return an object ``operations``: for each of these operations of formulas a function of numbers a, b, c."""
    lines = [f"  {name}: (a, b, c) => {JAVASCRIPT.operations[name].format('a', 'b', 'c')}," for name in names]
    code = "\n".join(["const operations = {", *lines, "};"])
    return "\n".join([*_copy_parts(code), code])


def run_javascript(path: Path, trial: Trial) -> Results:
    """Let node answer the rows of a trial; `NotRunError` is raised where there is none."""
    node = shutil.which("node")
    if node is None:
        raise NotRunError("node is not installed, so the module was not run")
    runner = path.with_name("run.mjs")
    runner.write_text(_RUNNER)
    return run_program([node, runner], trial)


def _copy_parts(text: str) -> list[str]:
    """Return the functions and constants that a text uses, and those that these use, in their order."""
    file = importlib.resources.files("glassnet.export").joinpath("parts.js")
    blocks = {}
    for block in file.read_text(encoding="utf-8").split("\n\n"):
        if named := re.search(r"^(?:function|const) (\w+)", block, re.MULTILINE):
            blocks[named[1]] = block.rstrip()
    constants = {name: f"const {name} = {value};" for name, value in _list_patterns().items()}
    known = constants | blocks
    needed: set[str] = set()
    waiting = set(re.findall(r"\w+", text))
    while waiting:
        name = waiting.pop()
        if name in known and name not in needed:
            needed.add(name)
            waiting |= set(re.findall(r"\w+", re.sub(r"^/\*\*.*", "", known[name])))
    return [part for name, part in known.items() if name in needed]


def _list_patterns() -> dict[str, str]:
    """Return the constants that the parts share with the room of data, as JavaScript."""
    patterns = {"PLAIN_NUMBER": PLAIN_NUMBER, "PLAIN_WHOLE": PLAIN_WHOLE, "WHOLE": WHOLE, "SHORT": SHORT}
    written = {name: _write_pattern(pattern) for name, pattern in patterns.items()}
    written["THREE_NUMBERS"] = _write_pattern(THREE_NUMBERS)
    written["WRITTEN_OUT"] = f"[{', '.join(map(_write_pattern, WRITTEN_OUT))}]"
    values = {"MISSING": MISSING, "NO_DATE": NO_DATE, "MONTHS": MONTHS, "DAY": DAY, "FIRST_YEAR": FIRST_YEAR}
    written |= {name: json.dumps(value) for name, value in values.items()}
    written["VARIANTS"] = json.dumps(VARIANTS)
    letters = "".join(f"\\u{ord(letter):04x}" for letter in DRAWN_AS_NOTHING)
    return written | {"NOTHING": rf"/^[\s\p{{Cc}}\p{{Cf}}{letters}]*$/u"}


def _write_pattern(pattern: re.Pattern[str]) -> str:
    """Write a pattern of Python's that must match the whole text."""
    text = pattern.pattern.replace("(?P<", "(?<").replace("(?P=mark)", r"\k<mark>").replace("/", r"\/")
    return f"/^(?:{text})$/{'i' if pattern.flags & re.IGNORECASE else ''}"


def _rename(text: str) -> str:
    """Return code with names in JavaScript's style, but for activations."""
    return re.sub(r"\b(?!f_)[a-z]\w*", lambda name: re.sub(r"_(\w)", lambda one: one[1].upper(), name[0]), text)


def _write_function(function: Function) -> str:
    lines = [f"{_rename(line)};" for line in function.lines]
    if lines[0].startswith("values = "):
        lines[0] = f"let {lines[0]}"
    return _write_lines(_rename(function.name), function._replace(lines=lines), function.name in PUBLIC)


def _write_lines(name: str, function: Function, is_public: bool = False) -> str:
    said = function.said.replace("Return ", "Returns ", 1)
    head = f"{'export ' * is_public}function {name}({function.arguments}) {{"
    return "\n".join([f"/** {said} */", head, *(f"  {line}" for line in function.lines), "}"])


def _write(value: Any) -> str:
    """Write a value; the items of long ones on a line each."""
    if isinstance(value, Code):
        return _rename(value)
    if isinstance(value, Numbers):
        return f'"{value.lines[0]}"' if len(value.lines) == 1 else "\n".join(["`", *value.lines, "`"])
    if isinstance(value, Call):
        return f"{_rename(value.function)}({', '.join(map(_write, value.arguments))})"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_rename(name)}: {_write(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list):
        items = list(map(_write, value))
        line = f"[{', '.join(items)}]"
        return line if len(line) <= 100 else "\n  ".join(["[", *(f"{item}," for item in items)]) + "\n]"
    is_large = isinstance(value, int) and abs(value) > _SAFE
    return f"{value}n" if is_large else json.dumps(value)
