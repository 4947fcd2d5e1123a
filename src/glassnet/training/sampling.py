"""Which samples an epoch takes, in which order, in which batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.data.splits import is_mapped
from glassnet.errors import UsageError
from glassnet.nn.activations import Array
from glassnet.nn.optimizers import Optimizer
from glassnet.runtime.seeds import stream
from glassnet.training.options import TrainingConfig

DEFAULT_BATCH_SIZE = 128

#: Neighbouring rows of a file that are drawn together, and how many such blocks are shuffled together.
BLOCK, WINDOW = 4096, 64


@dataclass(frozen=True)
class Sampler:
    """Draws the rows of each epoch, in batches; the last batch holds what is left, and is used like the others."""

    n: int  # rows to draw from
    samples: int  # rows an epoch takes
    batch_size: int
    #: The rows lie in a file: blocks of neighbouring rows are drawn at random, and the rows of `WINDOW` such
    #: blocks are shuffled together, so that reading does not jump about in all of the file.
    in_blocks: bool = False

    @classmethod
    def of_run(cls, training: TrainingConfig, optimizer: Optimizer, data: Dataset) -> Sampler:
        """Turn the options of `glassnet.fit` into numbers of the data's training rows.

        Raises `UsageError` if an option does not fit the data, or the optimizer.
        """
        n, asked, batch_size = len(data.train.y), training.samples_per_epoch, training.batch_size
        samples = n
        if asked is not None:
            share = isinstance(asked, float) and asked <= 1
            samples = round(asked * n if share else min(asked, n + 1))
            if not 1 <= samples <= n or not (share or samples == asked):
                raise UsageError(
                    "samples_per_epoch",
                    f"takes a number of the {n} training rows, or a share up to 1.0, got {asked}",
                )
        if optimizer.full_batch and batch_size is not None:
            raise UsageError(
                "batch_size", "gd and lbfgs take all samples of an epoch at once; leave it out, or take sgd"
            )
        if batch_size is not None and batch_size > samples:
            raise UsageError("batch_size", f"{batch_size} is more than the {samples} samples of an epoch")
        default = samples if optimizer.full_batch else min(DEFAULT_BATCH_SIZE, samples)
        drawn = n if training.sampling == "fresh" else samples
        return cls(drawn, samples, batch_size or default, is_mapped(data.train.X))

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return -(-self.samples // self.batch_size)

    def order(self, rng: np.random.Generator) -> Array:
        """Return the row numbers of one epoch, drawn without replacement: each batch is the next `batch_size`."""
        if not self.in_blocks:
            return rng.permutation(self.n)[: self.samples]
        blocks = rng.permutation(-(-self.n // BLOCK))
        order = np.empty(self.n, np.intp)
        first = 0
        for window in range(0, len(blocks), WINDOW):
            starts = blocks[window : window + WINDOW] * BLOCK
            rows = (starts[:, None] + np.arange(BLOCK)).ravel()
            rows = rows[rows < self.n]
            rng.shuffle(rows)
            order[first : first + len(rows)] = rows
            first += len(rows)
        return order[: self.samples]


def start_generators(seed: int) -> dict[str, np.random.Generator]:
    """Return the generators that the epochs of a run draw from, by purpose."""
    return {purpose: stream(seed, purpose) for purpose in ("shuffling", "augmentation")}


def evenly_spread(n: int, most: int) -> Array:
    """Return at most so many of n row numbers, from the first to the last."""
    return np.linspace(0, n - 1, min(most, n)).astype(np.intp)
