"""One seed decides everything: independent random streams, one for each purpose."""

from __future__ import annotations

import numpy as np

from glassnet.errors import UsageError

#: Every purpose that draws random numbers. The order is part of the results: append, never insert.
PURPOSES = (
    "initialisation", "shuffling", "split", "directions", "example", "dropout", "augmentation", "biases", "export",
    "search",
)  # fmt: skip


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Return the generator that `seed` gives for one purpose.

    The streams of different purposes are independent, so drawing more initial weights leaves the shuffling
    as it was: two networks of different width still see the same batches. The seed is a whole number >= 0, the
    purpose one of `PURPOSES`.
    """
    return np.random.default_rng(_seed_sequence(seed, purpose))


def seed_words(seed: int, purpose: str, count: int) -> list[int]:
    """Return `count` numbers of 32 bits that `seed` gives for a purpose, for what needs no generator."""
    return _seed_sequence(seed, purpose).generate_state(count).tolist()


def _seed_sequence(seed: int, purpose: str) -> np.random.SeedSequence:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError("seed", f"must be a whole number >= 0, got {seed!r}")
    return np.random.SeedSequence(int(seed), spawn_key=(PURPOSES.index(purpose),))
