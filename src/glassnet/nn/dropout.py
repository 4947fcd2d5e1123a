r"""Dropout: in training, each input of a layer is left out with probability p, and the others weigh 1 / (1 - p).

    H~ = M (.) H / (1 - p),    M_ij = 1 with probability 1 - p, else 0

so that the expectation of H~ is H, and prediction needs no change (Srivastava et al. 2014, sections 4 and 10:
there the weights are scaled when predicting; scaling in training, "inverted dropout", is the same).

Whether a unit is left out is a function of (seed, step, layer, row of the batch, unit), not of what was drawn
before: the row and the unit are mixed into the step's key by a hash of 32 bits. So a run that is resumed, any
number of threads, and two networks that are compared see the same masks, and nothing needs to be remembered.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from glassnet.nn.activations import Array
from glassnet.nn.hashing import hash_bits, row_key
from glassnet.runtime.seeds import seed_words

#: An odd number far from simple fractions of 2^32: steps are that far apart before they are mixed.
STEP = 0x85EBCA6B


def mask_keys(seed: int, steps: Array, layers: int) -> Array:
    """Return the keys of the masks, uint32 of shape (steps, layers), one for the input of each layer with weights.

    They depend on the seed of the run and the numbers of the steps, counted from 1.
    """
    moved = np.asarray(steps).astype(np.uint32)[:, None] * np.uint32(STEP)  # both modulo 2^32
    return hash_bits(_first_keys(seed, layers) + moved)


@functools.lru_cache(maxsize=16)
def _first_keys(seed: int, layers: int) -> Array:
    return np.array(seed_words(seed, "dropout", layers), np.uint32)


def threshold(rate: float) -> Any:
    """Return the hash below which a unit is left out: a share of 2^32."""
    return np.uint32(min(round(rate * 2**32), 2**32 - 1))


def keep_mask(key: Any, n: int, units: int, rate: float, dtype: Any, places: Array | None = None) -> Array:
    """Return M / (1 - p) for a batch of n rows: 0 where a unit is left out.

    `places` are the numbers of the rows in the batch, where they are a part of it; by default 0, 1, ..., n - 1.

    Examples
    --------
    >>> mask = keep_mask(mask_keys(0, np.array([1]), 1)[0, 0], 1000, 500, 0.2, np.float64)
    >>> sorted(set(mask.ravel().tolist())), abs(mask.mean() - 1) < 0.01
    ([0.0, 1.25], np.True_)
    """
    numbers = np.arange(n, dtype=np.uint32) if places is None else places.astype(np.uint32)
    rows = row_key(np.uint32(key), numbers[:, None])
    kept = hash_bits(rows + np.arange(units, dtype=np.uint32)) >= threshold(rate)
    return kept * np.dtype(dtype).type(1 / (1 - rate))
