"""Every name that the compiled functions take from `glassnet.compiled.names` has a value in a program."""

import ast
from pathlib import Path

import numpy as np
import pytest

from glassnet.compiled import names
from glassnet.compiled.sources import step_source
from glassnet.runtime.compilation import MACHINE_FUNCTIONS

IMPORTED = {
    alias.name
    for path in Path(names.__file__).parent.glob("*.py")
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.ImportFrom) and node.module == names.__name__
    for alias in node.names
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_name_has_a_value_in_a_program(dtype):
    namespace = dict.fromkeys(MACHINE_FUNCTIONS)
    exec(step_source(np.dtype(dtype), np.dtype("int64")), namespace)
    assert IMPORTED
    assert set(namespace) >= IMPORTED


def test_there_is_nothing_to_import_outside_of_programs():
    with pytest.raises(AttributeError, match="ZERO has a value in a program only"):
        _ = names.ZERO
