"""What is trained: networks, batch sizes, and Fashion-MNIST in the form that each system wants."""

from functools import cached_property
from typing import NamedTuple

import numpy as np


class Workload(NamedTuple):
    """A network of relu layers, trained by Adam on cross-entropy, in float32."""

    layers: list
    batch_size: int

    @property
    def title(self):
        """Return the network's sizes and the batch: ``784-28-10, batch 64``."""
        return f"{'-'.join(map(str, self.layers))}, batch {self.batch_size}"


WORKLOADS = [
    Workload([784, 28, 10], 64),
    Workload([784, 256, 128, 10], 128),
    Workload([784, 256, 128, 10], 256),
    Workload([784, 392, 196, 49, 10], 128),
    Workload([784, 1024, 1024, 10], 256),
]

#: The network that the other measurements are made with.
USUAL = WORKLOADS[1]


class Data:
    """The 60,000 training images, each form made when it is first asked for."""

    @cached_property
    def dataset(self):
        """Return them as glassnet wants them: bytes."""
        import glassnet as gn

        return gn.load_dataset("fashion-mnist", validation=0)

    @cached_property
    def X(self):
        """Return them as the others want them: float32 rows in [0, 1]."""
        return scaled(self.dataset.train.X)

    @cached_property
    def y(self):
        """Return the labels as int64."""
        return self.dataset.train.y.astype(np.int64)


class ArrayData:
    """The same from a file of bytes, for a process that shall not load glassnet."""

    def __init__(self, path):
        with np.load(path) as arrays:
            self.X, self.y = scaled(arrays["X"]), arrays["y"].astype(np.int64)


def scaled(images):
    """Return images of bytes as float32 rows in [0, 1]."""
    X = images.reshape(len(images), -1).astype(np.float32)
    X /= 255
    return X
