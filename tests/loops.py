"""One test for a law that holds in many cases: they are gone through in a loop, and a failure names its case."""

import functools
import inspect

from tests.asserting import begin, check_asserted


def for_each(names, cases):
    """Call a test with each case; ``names`` are its parameters, like pytest.mark.parametrize in a single test."""
    names, cases = names.split(", "), list(cases)
    assert cases

    def decorate(law):
        @functools.wraps(law)
        def test(**fixtures):
            for case in cases:
                values = case if len(names) > 1 else (case,)
                try:
                    begin()
                    law(**dict(zip(names, values, strict=True)), **fixtures)
                    check_asserted()
                except BaseException as error:
                    error.add_note(f"in the case {', '.join(names)} = {case}")
                    raise

        parameters = inspect.signature(law).parameters
        test.__signature__ = inspect.Signature([parameters[name] for name in parameters if name not in names])
        return test

    return decorate
