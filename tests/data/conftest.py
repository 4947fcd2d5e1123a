"""What the tests of the data share: IDX files made by hand, and Fashion-MNIST read once."""

import gzip
import struct

import numpy as np
import pytest

from glassnet.data.registry import load_dataset

FILES = {
    "train-images-idx3-ubyte.gz": np.arange(8 * 784).reshape(8, 28, 28).astype(np.uint8),
    "train-labels-idx1-ubyte.gz": np.array([3, 1, 2, 3, 0, 9, 9, 1], np.uint8),
    "t10k-images-idx3-ubyte.gz": np.full((3, 28, 28), 7, np.uint8),
    "t10k-labels-idx1-ubyte.gz": np.array([5, 0, 9], np.uint8),
}


def _idx_bytes(array, code=0x08, shape=None):
    shape = array.shape if shape is None else shape
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + array.tobytes()


@pytest.fixture(scope="session")
def idx_bytes():
    """``idx_bytes(array, code=8, shape=None)``: the raw content; another shape makes the header lie."""
    return _idx_bytes


@pytest.fixture
def small_files(tmp_path):
    """A folder fashion-mnist with four small, good files."""
    folder = tmp_path / "home" / "fashion-mnist"
    folder.mkdir(parents=True)
    for name, array in FILES.items():
        (folder / name).write_bytes(gzip.compress(_idx_bytes(array)))
    return folder


@pytest.fixture(scope="session")
def fashion_mnist(fashion_mnist_home):
    return load_dataset("fashion-mnist", fashion_mnist_home)
