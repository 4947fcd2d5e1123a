"""A test that passes without one assertion fails: a condition, an empty loop or an early return has skipped all.

Counted are `assert`, `pytest.raises`, `pytest.warns` and what `numpy.testing` has, wherever a test calls them.
"""

import functools

import numpy as np
import pytest
from _pytest.assertion import util


class Listener:
    """Stands where pytest looks, at each assertion that holds, whether somebody wants to hear of it.

    Nobody does: to write each of them out, as `pytest_assertion_pass` asks for, takes as long as the tests. But it
    was looked, and so something was asserted. The option `enable_assertion_pass_hook` makes pytest look.
    """

    heard = False

    def __bool__(self):
        self.heard = True
        return False


LISTENER = Listener()


def counted(check):
    """Return a check that is counted when it is called: if it does not hold, the test fails anyway."""

    @functools.wraps(check)
    def counting(*args, **kwargs):
        LISTENER.heard = True
        return check(*args, **kwargs)

    return counting


pytest.raises, pytest.warns = counted(pytest.raises), counted(pytest.warns)
for name in [name for name in np.testing.__all__ if name.startswith("assert_")]:
    setattr(np.testing, name, counted(getattr(np.testing, name)))


def begin():
    """Forget what was asserted: another case begins."""
    util._assertion_pass, LISTENER.heard = LISTENER, False


def check_asserted():
    """Fail the test if nothing was asserted since the beginning of the case."""
    if not LISTENER.heard:
        pytest.fail("nothing was asserted in this case", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    begin()
    outcome = yield
    if isinstance(item, pytest.Function):
        check_asserted()
    return outcome
