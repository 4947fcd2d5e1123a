"""Functions are copied with all that they use, and nothing else."""

import types

from glassnet.export.source_text import copy_functions, write_imports

UPPER = '''
from __future__ import annotations
import math, re
from collections.abc import Callable
from operator import mul, index
from lower import halve

LIMIT: float = 2 * BASE

def outer(x: float, *, f: Callable) -> int:
    """Say what it does,
    in a sentence.

    And much more.
    """
    y: float = halve(x)
    return mul(min(y, LIMIT), math.pi)

def unused(x):
    return re.escape(x)
'''
LOWER = "BASE = 3\n\ndef halve(x: float) -> float:\n    return x / 2\n\ndef outer(x):\n    return 0\n"


def modules(monkeypatch):
    found = [types.ModuleType("upper"), types.ModuleType("lower")]
    texts = dict(zip(found, (UPPER, LOWER), strict=True))
    monkeypatch.setattr("inspect.getsource", texts.__getitem__)
    return found


COPIED = '''BASE = 3


def halve(x):
    return x / 2


LIMIT = 2 * BASE


def outer(x, *, f):
    """Say what it does, in a sentence."""
    y = halve(x)
    return mul(min(y, LIMIT), math.pi)'''


def test_what_a_text_uses_is_copied_from_the_first_module_that_has_it(monkeypatch):
    found = modules(monkeypatch)
    assert copy_functions("print(outer(3))", found) == COPIED
    assert copy_functions("print(1)", found) == ""


def test_what_the_text_defines_is_not_copied(monkeypatch):
    assert copy_functions("LIMIT = 1\nBASE = 2\nprint(LIMIT)", modules(monkeypatch)) == ""


def test_imports_are_those_that_the_text_needs(monkeypatch):
    assert write_imports(COPIED, modules(monkeypatch)) == "import math\nfrom operator import mul"
