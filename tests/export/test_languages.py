"""Each language computes each operation of formulas as NumPy does, at the edges too."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from glassnet.compiled.tracing import COMPARISONS, OPERATIONS
from glassnet.export import python_parts
from glassnet.export.javascript import JAVASCRIPT
from glassnet.export.python import PYTHON

EDGES = [
    -np.inf,
    -1e308,
    -800.0,
    -3.0,
    -2.5,
    -1.0,
    -0.5,
    -0.0,
    0.0,
    0.5,
    1.0,
    2.0,
    3.0,
    800.0,
    1e308,
    np.inf,
    np.nan,
]
TRUTHS = [False, True]


def cases_of(name):
    """What an operation takes, at all edges, and what NumPy says of it."""
    template = OPERATIONS[name]
    count = 1 + max(place for place in range(3) if f"{{{place}}}" in template)
    kinds = (
        [TRUTHS, EDGES, EDGES] if name == "where" else [TRUTHS if name.startswith("logical") else EDGES] * count
    )
    cases = list(map(list, itertools.product(*kinds)))
    if name == "power":  # NumPy takes the square root for 0.5; JavaScript has 1 ** NaN otherwise
        cases = [[x, y] for x, y in cases if (abs(x) != 1 or np.isfinite(y)) and (x != -np.inf or y != 0.5)]
    with np.errstate(all="ignore"):
        return cases, [getattr(np, name)(*case).item() for case in cases]


def assert_same(name, cases, found, expected):
    assert len(found) == len(expected) > 1
    for case, one, other in zip(cases, found, expected, strict=True):
        assert one == pytest.approx(other, rel=1e-14, nan_ok=True), f"{name}{case}"
        assert isinstance(one, bool) == (name in COMPARISONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_python_computes_as_numpy_does(name):
    cases, expected = cases_of(name)
    text = PYTHON.operations[name].format(*"xyz")
    found = [eval(text, vars(python_parts) | dict(zip("xyz", case, strict=False))) for case in cases]
    assert_same(name, cases, found, expected)


@pytest.mark.browser
def test_javascript_computes_as_numpy_does(browser):
    page = browser.new_page()
    parts = Path(python_parts.__file__).with_name("parts.js").read_text(encoding="utf-8")
    for name in OPERATIONS:
        cases, expected = cases_of(name)
        text = JAVASCRIPT.operations[name].format(*"xyz")
        script = f"(cases) => {{ {parts}\nreturn cases.map(([x, y, z]) => {text}); }}"
        assert_same(name, cases, page.evaluate(script, cases), expected)
    page.close()


def test_both_languages_write_numbers_that_are_none():
    assert [PYTHON.literal(one) for one in (0.5, np.inf, -np.inf, np.nan)] == [
        "0.5", "float('inf')", "float('-inf')", "float('nan')"
    ]  # fmt: skip
    assert [JAVASCRIPT.literal(one) for one in (1e-9, np.inf, -np.inf, np.nan)] == [
        "1e-09", "Infinity", "-Infinity", "NaN"
    ]  # fmt: skip
