"""The check that finds tests without assertions."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = """
import numpy as np
import pytest
from hypothesis import assume, given, strategies
from tests.loops import for_each

@pytest.mark.parametrize("values", [[1], []])
def test_a_loop(values):
    for value in values:
        assert value == 1

@pytest.mark.parametrize("asked", [True, False])
def test_a_condition(asked):
    if asked:
        assert asked

def test_raises():
    with pytest.raises(KeyError):
        {}[0]

def test_warns():
    with pytest.warns(UserWarning):
        __import__("warnings").warn("a")

def test_numpy():
    np.testing.assert_allclose([1.0], [1.0])

@given(strategies.integers(0, 9))
def test_hypothesis(number):
    assume(number > 2)
    assert number

@for_each("number", [1, 2])
def test_all_cases_of_a_loop(number):
    assert number
    assert number < 3

@for_each("number", [1, 2, 3])
def test_not_all_cases_of_a_loop(number):
    if number != 2:
        assert number

@pytest.fixture
def checked():
    assert True

def test_an_early_return(checked):
    return
    assert True

@pytest.mark.skip
def test_skipped():
    pass
"""


def test_a_case_that_asserts_nothing_fails(tmp_path):
    (tmp_path / "test_some.py").write_text(TESTS)
    options = ["-p", "no:cacheprovider", "-p", "tests.asserting", "-o", "enable_assertion_pass_hook=true", "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-c", os.devnull, "--rootdir", tmp_path, tmp_path],
        env={**os.environ, "CI": "", "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert [line.partition("::")[2].partition(" - ")[0] for line in failed] == [
        "test_a_loop[values1]",
        "test_a_condition[False]",
        "test_not_all_cases_of_a_loop",
        "test_an_early_return",
    ]
    assert done.stdout.count("nothing was asserted in this case\n") == 4
    assert "4 failed, 7 passed, 1 skipped" in done.stdout
