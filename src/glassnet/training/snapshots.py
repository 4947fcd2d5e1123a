"""The parameters of a run after its epochs, so that people can look at how they came about."""

from __future__ import annotations

import numpy as np
from typing_extensions import TypedDict

from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.runtime.records import Count
from glassnet.training.archive import Numbers, check_like

#: Snapshots that a run keeps at most, and their bytes together. A network that would have fewer than `FEWEST` has
#: none.
MOST, MOST_BYTES, FEWEST = 64, 1 << 21, 4


class SavedSnapshots(TypedDict):
    """What a checkpoint holds of `Snapshots`."""

    every: Count
    rows: Numbers


class Snapshots:
    """Parameters before training and after each epoch; in a longer run, after every second, fourth or eighth one.

    Where there is room for no more, every second snapshot is forgotten. So they are evenly spread, and which ones
    are kept depends on the number of epochs alone. There are 64 at most, of 2 MiB together. A network has none
    where that is room for less than four: with more than 131,072 parameters in float32.

    Parameters
    ----------
    network : Network
        Before training.
    wanted : bool
        Whether any are kept.

    Attributes
    ----------
    every : int
        Epochs from one snapshot to the next.
    rows : ndarray of shape (n, p + s)
        Of each snapshot theta, and then the running statistics of batch normalisation.

    Examples
    --------
    >>> network = Network([64, 256, 32, 10])
    >>> snapshots = Snapshots(network)
    >>> for epoch in range(1, 40):
    ...     snapshots.take(epoch, network)
    >>> snapshots.epochs[:3], snapshots.epochs[-1], snapshots.rows.shape
    ((0, 2, 4), 38, (20, 25194))
    """

    def __init__(self, network: Network, *, wanted: bool = True) -> None:
        first = _join(network)
        most = min(MOST, MOST_BYTES // first.nbytes)
        self.most = most if wanted and most >= FEWEST else 0
        self.every = 1
        self._empty = first[None][:0]
        self._rows = [first] if self.most else []

    @property
    def rows(self) -> Array:
        """The parameters, a row for each snapshot."""
        return np.concatenate([self._empty, self._rows]) if self._rows else self._empty

    @property
    def epochs(self) -> tuple[int, ...]:
        """The numbers of the epochs after which they were taken; 0 is before training."""
        return tuple(place * self.every for place in range(len(self._rows)))

    def take(self, epoch: int, network: Network) -> None:
        """Keep the parameters after an epoch, where it is one of those that are kept."""
        if not self.most or epoch % self.every:
            return
        if len(self._rows) == self.most:
            self._rows, self.every = self._rows[::2], 2 * self.every
        if epoch % self.every == 0:
            self._rows.append(_join(network))

    def state_dict(self) -> SavedSnapshots:
        """Return them as plain values and arrays."""
        return {"every": self.every, "rows": self.rows}

    def load_state_dict(self, saved: SavedSnapshots) -> None:
        """Take those that `state_dict` returned; ValueError if they are of another network."""
        every, rows = saved["every"], saved["rows"]
        n = len(rows) if rows.ndim else 0
        check_like(rows, np.empty((n, self._empty.shape[1]), self._empty.dtype), "snapshots", finite=True)
        if not (n > 0) == (self.most > 0) or n > self.most or every < 1:
            raise ValueError(f"snapshots: expected {self.most} at most, got {n}, one every {every} epochs")
        self.every, self._rows = every, list(rows)


def _join(network: Network) -> Array:
    """Return theta and the statistics as one new vector."""
    return np.concatenate([network.theta, network.parameters.statistics])
