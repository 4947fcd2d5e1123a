"""What there is to do: a network, its update, and the rows that it learns from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from glassnet.data.augmentation import move_images
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.optimizers import OptimizerState
from glassnet.nn.update import Update


@dataclass
class Work:
    """What an engine works on.

    Attributes
    ----------
    network, update, state : Network, Update, OptimizerState
        All three change as steps are taken.
    X, targets : ndarray of shape (n, ...), (n, d_L)
        All training rows, from `Network.check_data`.
    weights : ndarray of shape (n,) or None
        What the loss of each row is multiplied by.
    image : (height, width, channels)
        Of the images that rows of X are, where they are moved.
    batch_size : int
        Of a step.
    seed : int
        Of the masks of dropout.
    factors : callable
        ``factors(numbers of steps) -> ndarray``: what the schedule multiplies their step sizes by.
    """

    network: Network
    update: Update
    state: OptimizerState
    X: Array
    targets: Array
    weights: Array | None
    image: tuple[int, int, int]
    batch_size: int
    seed: int
    factors: Callable[[Array], Array]

    def batch(self, rows: Array, moves: Array | None = None) -> Array:
        """Return rows as the network takes them, their images moved as their rows of `moves` say."""
        X = self.X[rows]
        return self.network.input_batch(X if moves is None else move_images(X.reshape(-1, *self.image), moves))
