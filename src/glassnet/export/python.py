"""A model as one Python file that needs nothing but Python: no NumPy, no glassnet."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from glassnet.data import blanks, column_values, dates, number_format, read_options
from glassnet.export import python_columns, python_parts
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
from glassnet.export.running import Results, run_program
from glassnet.export.source_text import copy_functions, write_imports
from glassnet.export.trial import Trial
from glassnet.export.wording import describe_use

#: Where the functions stand that a module is put together of; of two with one name, the first is taken.
SOURCES: tuple[ModuleType, ...] = (
    *(python_columns, python_parts),
    *(dates, column_values, number_format, read_options, blanks),
)

PYTHON = Language(
    {
        "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "divide": "divide({0}, {1})",
        "negative": "-{0}", "positive": "+{0}", "absolute": "abs({0})", "square": "{0} * {0}",
        "reciprocal": "divide(1.0, {0})", "power": "power({0}, {1})", "sqrt": "sqrt({0})", "exp": "exp({0})",
        "expm1": "expm1({0})", "log": "log({0})", "log1p": "log1p({0})", "tanh": "math.tanh({0})",
        "sin": "sin({0})", "cos": "cos({0})", "arctan": "math.atan({0})", "sinh": "sinh({0})",
        "cosh": "cosh({0})", "maximum": "maximum({0}, {1})", "minimum": "minimum({0}, {1})", "sign": "sign({0})",
        "heaviside": "heaviside({0}, {1})", "greater": "{0} > {1}", "greater_equal": "{0} >= {1}",
        "less": "{0} < {1}", "less_equal": "{0} <= {1}", "equal": "{0} == {1}", "not_equal": "{0} != {1}",
        "logical_and": "{0} and {1}", "logical_or": "{0} or {1}", "logical_not": "not {0}",
        "where": "{1} if {0} else {2}",
    },
    "float({0})",
    ("False", "True"),
    lambda value: repr(value) if math.isfinite(value) else f"float({str(value)!r})",
)  # fmt: skip

#: Reads rows as JSON, and prints what the module, given by its path, says of them.
_RUNNER = """
import importlib.util, json, sys, warnings
warnings.simplefilter("ignore")
spec = importlib.util.spec_from_file_location("model", sys.argv[1])
model = importlib.util.module_from_spec(spec)
spec.loader.exec_module(model)
rows = json.load(sys.stdin)
json.dump([model.outputs(rows), model.predict(rows)], sys.stdout)
"""


def write_python(model: PortableModel) -> str:
    """Return the text of the module."""
    functions = list_functions(model)
    for name, formula in list_formulas(model):
        steps, result = write_formula(formula, PYTHON)
        lines = [*(f"{step} = {expression}" for step, expression in steps), f"return {result}"]
        functions.append(Function(name, "z", f"The activation {formula.name}.", lines))
    code = "\n\n\n".join(map(_write_function, functions))
    data = "\n".join(f"{name} = {_write(value)}" for name, value in list_constants(model).items())
    parts = copy_functions(f"{code}\n{data}", SOURCES)
    said = describe_use(
        model, "Python 3.10 or newer, and nothing else", missing="None", record="a dict with the keys below"
    )
    said = said.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    imports = write_imports(f"{code}\n{parts}\n{data}", SOURCES)
    return "\n\n\n".join([f'"""{said}\n"""\n\n{imports}', code, parts, f"{data}\n"])


def run_python(path: Path, trial: Trial) -> Results:
    """Let a bare interpreter, which sees no package that is installed, answer the rows of a trial."""
    return run_program([sys.executable, "-I", "-S", "-B", "-c", _RUNNER, path], trial)


def _write_function(function: Function) -> str:
    head = f"def {function.name}({function.arguments}):"
    return "\n    ".join([head, f'"""{function.said}"""', *function.lines])


def _write(value: Any) -> str:
    """Write a value; the items of long ones on a line each."""
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, Numbers):
        return f'"{value.lines[0]}"' if len(value.lines) == 1 else "\n".join(['"""', *value.lines, '"""'])
    if isinstance(value, Call):
        return f"{value.function}({', '.join(map(_write, value.arguments))})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name!r}: {_write(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return _write_list(list(map(_write, value)))
    return repr(value)


def _write_list(items: Sequence[str]) -> str:
    line = f"[{', '.join(items)}]"
    return line if len(line) <= 100 else "\n    ".join(["[", *(f"{item}," for item in items)]) + "\n]"
