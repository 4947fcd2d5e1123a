"""One seed decides everything: independent random streams, one for each purpose."""

from __future__ import annotations

import numpy as np

from glassnet.errors import UsageError

#: Every purpose that draws random numbers. The order is part of the results: append, never insert.
PURPOSES = ("initialisation", "shuffling", "split", "directions", "example")


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Return the generator that `seed` gives for one purpose.

    The streams of different purposes are independent, so drawing more initial weights leaves the shuffling
    as it was: two networks of different width still see the same batches.

    Parameters
    ----------
    seed : int
        A whole number >= 0.
    purpose : str
        One of `PURPOSES`.

    Examples
    --------
    >>> bool(stream(0, "shuffling").random() == stream(0, "shuffling").random())
    True
    >>> bool(stream(0, "shuffling").random() == stream(0, "split").random())
    False
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError("seed", f"must be a whole number >= 0, got {seed!r}")
    return np.random.default_rng(np.random.SeedSequence(int(seed), spawn_key=(PURPOSES.index(purpose),)))
