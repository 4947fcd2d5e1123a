"""A test that passes without one assertion fails: a condition, an empty loop or an early return has skipped all.

Counted are `assert`, `pytest.raises`, `pytest.warns` and what `numpy.testing` has, wherever a test calls them.
"""

import functools

import numpy as np
import pytest
from _pytest.assertion import util

#: What the case that runs now has asserted so far; one entry is enough.
asserted = []

#: How pytest tells us of an assertion, while it does not.
paused = []


def counted(check):
    """Return a check that is counted when it is called: if it does not hold, the test fails anyway."""

    @functools.wraps(check)
    def counting(*args, **kwargs):
        asserted.append(check)
        return check(*args, **kwargs)

    return counting


pytest.raises, pytest.warns = counted(pytest.raises), counted(pytest.warns)
for name in [name for name in np.testing.__all__ if name.startswith("assert_")]:
    setattr(np.testing, name, counted(getattr(np.testing, name)))


def begin():
    """Forget what was asserted: another case begins."""
    asserted.clear()
    if paused:
        util._assertion_pass = paused.pop()


def check_asserted():
    """Fail the test if nothing was asserted since the beginning of the case."""
    if not asserted:
        pytest.fail("nothing was asserted in this case", pytrace=False)


def pytest_assertion_pass(orig):
    asserted.append(orig)
    paused[:] = [util._assertion_pass]
    util._assertion_pass = None  # pytest would write out each that follows, which takes as long as the tests


def pytest_runtest_setup():
    paused.clear()
    begin()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    outcome = yield
    if isinstance(item, pytest.Function):
        check_asserted()
    return outcome
