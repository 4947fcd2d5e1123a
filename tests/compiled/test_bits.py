"""The same bits on every x86 processor with fused multiply-adds, for any number of threads and shares."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.compiled.bits import CASES, EVERY_DAY, train

from glassnet.runtime.compilation import vector_bytes
from glassnet.runtime.intrinsics import X86

pytestmark = pytest.mark.skipif(not X86 or vector_bytes() == 0, reason="needs x86 with fused multiply-adds")

HASHES = json.loads(Path(__file__).with_name("bits.json").read_text(encoding="utf-8"))

#: Processors of long ago and of today, as Numba is told of them.
HASWELL = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+popcnt"}
SKYLAKE = {
    "NUMBA_CPU_NAME": "skylake-avx512",
    "NUMBA_CPU_FEATURES": HASWELL["NUMBA_CPU_FEATURES"] + ",+avx512f,+avx512dq,+avx512bw,+avx512vl,+avx512cd",
}

#: What an own process computes with an activation and a product, whose vectors are those of its processor.
PART = """
import numpy as np
from glassnet.compiled.formulas import Formulas
from glassnet.nn.network import Network
from glassnet.nn.optimizers import SGD
from glassnet.nn.update import Update
from glassnet.runtime.compilation import compile_function, vector_bytes
from glassnet.runtime.forward_pass import compile_layers
text = Formulas(Network([1, 1], loss="half_squared_error"), Update(SGD())).update.text
table = "def table(x):\\n    for i in range(len(x)):\\n        x[i] = tanh(x[i]) * exp(x[i]) + log(x[i] * x[i])\\n"
x = np.linspace(-9, 9, 9999, dtype=np.float32)
compile_function(text + "\\n\\n" + table, "table")(x)
A, theta = np.resize(x, (50, 300)), np.resize(x[::-1], 301 * 70)
C = np.empty((50, 70), np.float32)
compile_layers(A.dtype)(A, theta, np.array([[300, 70, 0, 300 * 70, 0, 128, 8, 8]]), C, 0, 50)
print(vector_bytes(), C.tobytes().hex()[::97] + x.tobytes().hex()[::97])
"""


def run(arguments, variables, folder):
    """Run Python as for another processor, with a cache of its own."""
    own = os.environ | variables | {"XDG_CACHE_HOME": str(folder)}
    return subprocess.check_output([sys.executable, *arguments], env=own, text=True)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in EVERY_DAY else pytest.mark.slow) for name in CASES]
)
def test_a_training_has_the_bits_that_it_has_everywhere(name, compiled_code):
    assert train(CASES[name]) == HASHES[name]
    if CASES[name].shares > 1:
        assert train(CASES[name], workers=CASES[name].shares) == HASHES[name]


def test_neither_shares_nor_the_processor_are_in_a_hash(compiled_code):
    assert HASHES["one share"] == HASHES["plain"]
    assert HASHES["five shares"] == HASHES["dropout"]
    assert len(set(HASHES.values())) == len(CASES) - 2


def test_functions_and_products_have_the_same_bits_for_another_processor(tmp_path, compiled_code, capsys):
    exec(PART, {})
    vector, bits = run(["-c", PART], HASWELL, tmp_path).split()
    assert (vector, bits) == ("32", capsys.readouterr().out.split()[1])


@pytest.mark.slow
@pytest.mark.parametrize("processor", [HASWELL, SKYLAKE], ids=["haswell", "skylake-avx512"])
def test_trainings_have_the_same_bits_for_another_processor(processor, tmp_path):
    if processor is SKYLAKE and vector_bytes() < 64:
        pytest.skip("needs a processor with AVX-512")
    assert json.loads(run(["-m", "tests.compiled.bits"], processor, tmp_path)) == HASHES
