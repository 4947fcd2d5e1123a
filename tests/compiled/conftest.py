"""What the tests of the compiled formulas share."""

import numpy as np
import pytest

from glassnet.compiled.tracing import evaluate
from glassnet.nn.activations import ACTIVATIONS
from glassnet.nn.losses import LOSSES


@pytest.fixture(autouse=True)
def own_names(monkeypatch):
    """What a test registers is gone after it: the registries are global."""
    for registry in (ACTIVATIONS, LOSSES):
        monkeypatch.setattr(registry, "_factories", dict(registry._factories))


def _run_loop(loop, arrays, *, options=(), values=None):
    """Run a loop's text in plain Python over the rows of arrays, in place; return what it returns for each."""
    real = arrays[0].dtype.type
    names = ("sqrt", "exp", "expm1", "log", "log1p", "tanh", "sin", "cos", "arctan", "sinh", "cosh")
    namespace = {name: getattr(np, name) for name in names}
    namespace.update(real=real, inf=np.inf, infinity=real(np.inf), nan=real(np.nan))
    exec(loop.source(), namespace)
    scalars = np.array([evaluate(symbol, values or {}) for symbol in loop.scalars], real)
    scratch = np.full((loop.scratch_rows, arrays[0].shape[1]), np.nan, real)
    with np.errstate(all="ignore"):  # as in training, where every loss is checked instead
        return [namespace[loop.name](*rows, *options, scalars, scratch) for rows in zip(*arrays, strict=True)]


@pytest.fixture(scope="session")
def run_loop():
    """``run_loop(loop, arrays, options=(), values={})``: a loop's text, run without Numba."""
    return _run_loop
