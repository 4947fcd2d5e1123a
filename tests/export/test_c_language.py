"""C computes each operation of formulas as NumPy does, at the edges too, and keeps texts as they are."""

import subprocess

import numpy as np
import pytest
from tests.export.test_languages import cases_of

from glassnet.compiled.tracing import OPERATIONS
from glassnet.export.c_language import (
    Names,
    make_language,
    write_comment,
    write_helpers,
    write_number,
    write_table,
    write_text,
)


@pytest.mark.compiler
def test_c_computes_as_numpy_does(compiler, tmp_path):
    language = make_language("p")
    calls, inputs = [], []
    for name in OPERATIONS:
        cases, _ = cases_of(name)
        rows = [[*map(float, case), 0.0, 0.0][:3] for case in cases]
        inputs.append(np.array(rows))
        text = language.operations[name].format("x", "y", "z")
        calls.append(f"for (int i = 0; i < {len(rows)}; i++) {{ READ; float f = (float)({text}); WRITE; }}")
    body = "\n    ".join(calls)
    helpers = "\n".join(write_helpers(body, "p"))
    (tmp_path / "edges.c").write_text(
        f"#include <math.h>\n#include <stdio.h>\n{helpers}\n"
        "#define READ float x, y, z; float v[3]; if (fread(v, sizeof v, 1, stdin) != 1) return 1;"
        " x = v[0]; y = v[1]; z = v[2]; (void)y; (void)z\n"
        "#define WRITE fwrite(&f, sizeof f, 1, stdout)\n"
        f"int main(void)\n{{\n    {body}\n    return 0;\n}}\n"
    )
    command = [compiler, "-std=c99", "-O1", tmp_path / "edges.c", "-o", tmp_path / "edges", "-lm"]
    subprocess.run(command, check=True)
    with np.errstate(all="ignore"):
        given = np.vstack(inputs).astype(np.float32)
    said = subprocess.run([tmp_path / "edges"], input=given.tobytes(), capture_output=True, check=True).stdout
    found = np.split(np.frombuffer(said, np.float32), np.cumsum([len(rows) for rows in inputs])[:-1])
    assert len(found) == len(OPERATIONS)
    for name, rows, values in zip(OPERATIONS, inputs, found, strict=True):
        with np.errstate(all="ignore"):
            operands = rows.astype(np.float32).T
            truths = name.startswith("logical")
            operands = [
                one != 0 if truths or (name == "where" and not place) else one
                for place, one in enumerate(operands)
            ]
            count = 3 if name == "where" else getattr(np, name).nin
            expected = getattr(np, name)(*operands[:count]).astype(np.float32)
        np.testing.assert_allclose(values, expected, rtol=1e-6, err_msg=name)


def test_names_are_identifiers_that_are_given_once():
    names = Names("Ünïque näme", ["max"])
    assert names.prefix == "unique_name"
    taken = names.take("max", ""), names.take("Max", ""), names.take("年", "column_1", upper=True)
    assert taken == ("unique_name_max_2", "unique_name_max_3", "UNIQUE_NAME_COLUMN_1")
    assert [Names(text, []).prefix for text in ("3d", "m", "年", "int8")] == [
        "model_3d", "model_m", "model", "model_int8"
    ]  # fmt: skip


def test_texts_numbers_and_comments_cannot_leave_their_place():
    assert write_text('a"b\\c??/é\n') == r'"a\"b\\c\?\?/\303\251\012"'
    assert [write_number(one) for one in (1e-5, 2, np.inf, -np.inf, np.nan, 1e300)] == [
        "1e-05f", "2.0f", "INFINITY", "-INFINITY", "NAN", "INFINITY"
    ]  # fmt: skip
    assert write_comment("a */ b /* c ??/\n\u2028d") == "a * / b / * c ? ?/  d"


def test_tables_keep_every_bit_of_float32():
    values = np.random.default_rng(0).normal(size=(3, 40)).astype(np.float32) * np.float32(1e-3)
    text = write_table("float", "t", values.astype(np.float64))
    assert text.startswith("static const float t[3][40] = {\n    { ")
    assert max(map(len, text.splitlines())) < 120
    found = [
        np.float32(one.strip().removesuffix("f"))
        for one in text.split("= {")[1].replace("{", "").replace("}", "").rstrip(";").split(",")
    ]
    assert found == values.ravel().tolist()
