"""What the tests of the training share: small data of known numbers, digits, and Fashion-MNIST read once."""

import os

import numpy as np
import pytest

from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset


def _blobs(n=130, *, d=5, classes=3, validation=20, seed=0, **options):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    X = rng.normal(size=(n, d)) + 2 * rng.normal(size=(classes, d))[y]
    return Dataset.from_arrays(X.astype(np.float32), y, validation=validation, **options)


@pytest.fixture(scope="session")
def blobs():
    """``blobs(n=130, d=5, classes=3, validation=20)``: clouds of points, one a class."""
    return _blobs


@pytest.fixture
def no_waiting_for_the_disk(monkeypatch):
    """No power fails in most tests; `tests/runtime/test_files.py` sees that files are synced."""
    rename = os.replace

    def replace(source, target):
        if os.path.isfile(target):  # ext4 writes to the disk what takes the place of a file
            os.unlink(target)
        rename(source, target)

    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr(os, "replace", replace)


@pytest.fixture(scope="session")
def digits():
    return load_dataset("digits")


@pytest.fixture(scope="session")
def fashion_mnist(fashion_mnist_home):
    return load_dataset("fashion-mnist", fashion_mnist_home)
