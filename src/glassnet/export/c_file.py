"""A header of C: written, and compiled and run on rows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np

from glassnet.export.c_header import write_header
from glassnet.export.plain_rows import read_as_numbers
from glassnet.export.portable import PortableModel
from glassnet.export.running import NotRunError, Results, Written, call_program
from glassnet.export.trial import Trial
from glassnet.nn.activations import Array

#: What a compiler of C is called, and how it is told the language.
COMPILERS, OPTIONS = ("cc", "gcc", "clang"), ("-std=c99", "-O2")

#: A program that reads rows, and writes for each the answer and the outputs.
PROGRAM = """#include "{header}"
#include <stdio.h>
int main(void)
{{
    {kind} row[{P}_INPUTS];
    float found[1 + {P}_OUTPUTS];
    while (fread(row, sizeof row, 1, stdin) == 1) {{
        found[0] = (float){p}_predict(row, found + 1);
        fwrite(found, sizeof found, 1, stdout);
    }}
    return 0;
}}
"""


def find_compiler() -> str | None:
    """Return the path of a compiler of C; None where there is none."""
    return next(filter(None, map(shutil.which, COMPILERS)), None)


def write_c(model: PortableModel, name: str, calibration: Array | None = None, said_of_it: str = "") -> Written:
    """Return a header; see `glassnet.export.c_header.write_header`."""
    header = write_header(model, name, calibration, said_of_it)
    return Written(header.text.encode(), header.weight_bytes, header.scratch_bytes)


def run_c(path: Path, trial: Trial) -> Results:
    """Compile a header, and have it answer the rows of a trial."""
    answer, width = trial.model.answer, trial.outputs.shape[1]
    found = call_header(path, read_as_numbers(trial.model.input, trial.rows)).astype(np.float64)
    outputs = found[:, -width:]
    if answer.kind == "numbers":
        return Results(None, (outputs[:, 0] if answer.flat else outputs).tolist())
    if answer.kind == "labels":
        return Results(outputs, trial.decode(outputs).tolist())
    return Results(outputs, [answer.classes[int(place)] if place >= 0 else None for place in found[:, 0]])


def call_header(path: Path, rows: Array) -> Array:
    """Compile a header beside its file, and return answer and outputs for each row.

    `NotRunError` is raised where there is no compiler, `GlassnetError` where it refuses the header.
    """
    if (compiler := find_compiler()) is None:
        raise NotRunError(f"no compiler of C was found ({', '.join(COMPILERS)})")
    prefix, kind = re.findall(r"(\w+)_predict\(const ([a-z ]+) \*", path.read_text(encoding="utf-8"))[0]
    program, source = path.with_suffix(".out"), path.with_suffix(".c")
    source.write_text(PROGRAM.format(header=path.name, kind=kind, p=prefix, P=prefix.upper()), encoding="utf-8")
    call_program([compiler, *OPTIONS, source.name, "-o", program.name, "-lm"], folder=path.parent)
    return np.frombuffer(call_program([program], rows.tobytes()), np.float32).reshape(len(rows), -1)
