"""What all tests share: where the real data are, and strict arithmetic."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

#: Not tests: a script that needs PyTorch, and the one that plants faults.
collect_ignore = ["nn/make_optimizer_trajectories.py", "mutants.py"]

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def strict_arithmetic():
    """An overflow, division by zero or invalid operation that nobody asked for fails the test."""
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


@pytest.fixture(autouse=True)
def isolated_home(tmp_path_factory, monkeypatch):
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def fashion_mnist_home():
    """The folder that GLASSNET_DATA names. CI must have it; elsewhere the tests that need it are skipped."""
    home = os.environ.get("GLASSNET_DATA", "")
    if not (Path(home) / "fashion-mnist").is_dir() or not home:
        if os.environ.get("CI"):
            pytest.fail("GLASSNET_DATA names no folder with fashion-mnist in it, and CI needs it")
        pytest.skip("needs Fashion-MNIST: set GLASSNET_DATA to the folder that holds fashion-mnist/")
    return home
