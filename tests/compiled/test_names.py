"""Every name that the compiled functions take from `glassnet.compiled.names` has a value in a program."""

import ast
from pathlib import Path

import numpy as np
import pytest

from glassnet.compiled import names
from glassnet.compiled.formulas import Formulas
from glassnet.compiled.sources import column_source, drop_source, row_source, step_source
from glassnet.nn.network import Network
from glassnet.nn.optimizers import SGD
from glassnet.nn.update import Update
from glassnet.runtime.intrinsics import MACHINE_FUNCTIONS

IMPORTED = {
    alias.name
    for path in Path(names.__file__).parent.glob("*.py")
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.ImportFrom) and node.module == names.__name__
    for alias in node.names
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_name_has_a_value_in_a_text(dtype):
    real = np.dtype(dtype)
    texts = [step_source(real), column_source("normalise", real).text]
    texts += [row_source("move_row", "uint8", real).text, Formulas(Network([2, 3, 2]), Update(SGD())).update.text]
    texts.append(drop_source(real).text)
    defined = set(MACHINE_FUNCTIONS)
    for text in texts:
        namespace = {}
        exec(text, namespace)
        defined |= set(namespace)
    assert IMPORTED
    assert defined >= IMPORTED


def test_there_is_nothing_to_import_outside_of_programs():
    with pytest.raises(AttributeError, match="ZERO has a value in a program only"):
        _ = names.ZERO
