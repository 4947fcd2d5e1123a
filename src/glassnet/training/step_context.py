"""What a step of training needs, a network, its update and rows, and what every engine that takes steps does."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glassnet.data.augmentation import Augmentation, move_images
from glassnet.data.dataset import Dataset
from glassnet.errors import NonFiniteError, UsageError
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.optimizers import OptimizerState
from glassnet.nn.update import Update
from glassnet.runtime.threads import ThreadChoice


@dataclass
class StepContext:
    """What an engine takes steps with."""

    network: Network
    update: Update
    state: OptimizerState
    X: Array  # all training rows, (n, ...), from `Network.check_data`
    targets: Array  # (n, d_L)
    weights: Array | None  # what the loss of each row is multiplied by, (n,)
    image: tuple[int, int, int]  # height, width and channels of the images in X, where augmentation moves them
    batch_size: int
    seed: int  # decides the masks of dropout
    factors: Callable[[Array], Array]  # numbers of steps -> what the schedule multiplies their step sizes by

    def batch(self, rows: Array, moves: Array | None = None) -> Array:
        """Return rows as the network takes them, their images moved as their rows of `moves` say."""
        X = self.X[rows]
        return self.network.input_batch(X if moves is None else move_images(X.reshape(-1, *self.image), moves))

    def labels(self, rows: Array) -> tuple[Array, Array | None]:
        """Return the targets of rows, and what the loss of each is multiplied by; None for 1."""
        return self.targets[rows], None if self.weights is None else self.weights[rows]


class Engine(abc.ABC):
    """Takes steps, with some number of threads. One that works on theta itself only has `take`."""

    context: StepContext
    threads: ThreadChoice
    kernels = "numpy"
    steady = True  # threads, once tried, change between epochs only: the bits of the result depend on them

    @property
    def shares(self) -> int:
        """How many ways the work is cut: the most threads. Where BLAS cuts it, the bits depend on it."""
        return self.threads.most

    @abc.abstractmethod
    def take(self, rows: Array, moves: Array | None = None) -> tuple[list[float], Array, NonFiniteError | None]:
        """Train on rows, a batch a step: the losses, the outputs of all rows, and what ended it early.

        Each row's image is moved as its row of `moves` says, from `glassnet.data.augmentation`.
        """

    def stops(self, asked: bool) -> bool:
        """Whether training is to stop after the latest step, where a signal has asked for it here, or has not."""
        return asked

    def load(self) -> None:  # noqa: B027
        """Read theta, the statistics and the optimizer's memory, which have been set from outside."""

    def store_theta(self) -> None:  # noqa: B027
        """Write theta and the statistics into the network: enough to examine it."""

    def store(self) -> None:  # noqa: B027
        """Write theta, the statistics and the optimizer's memory into the network and its state."""

    def close(self) -> None:  # noqa: B027
        """Release its threads."""


def find_image_size(data: Dataset, augmentation: Augmentation) -> tuple[int, int, int]:
    """Return height, width and channels of the images that are moved; zeros where none are.

    Raises `UsageError` if the training rows are no images of bytes, or too small to be moved so.
    """
    if augmentation == Augmentation():
        return 0, 0, 0
    shape = data.image_shape or ()
    if data.encoded.train.X.dtype != np.uint8 or len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] != 3):
        raise UsageError("augmentation", "moves pictures of bytes, and these data are none; leave it out")
    augmentation.draw(np.random.default_rng(0), 1, *shape[:2])
    return shape[0], shape[1], 1 if len(shape) == 2 else shape[2]
