"""What the tests of the mathematics share."""

import pytest

from glassnet.nn.activations import ACTIVATIONS
from glassnet.nn.losses import LOSSES


@pytest.fixture(autouse=True)
def own_names(monkeypatch):
    """What a test registers is gone after it: the registries are global."""
    for registry in (ACTIVATIONS, LOSSES):
        monkeypatch.setattr(registry, "_factories", dict(registry._factories))
