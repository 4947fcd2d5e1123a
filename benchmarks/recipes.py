"""Recipes of training: what a search may choose from, the same for every system."""

from typing import NamedTuple

import numpy as np

HIDDEN = ([128], [256], [256, 128], [512, 256])
BATCH_SIZES = (64, 128, 256, 512)
LEARNING_RATES = (3e-4, 2e-2)  # bounds, drawn log-uniformly
EPOCHS = (2, 8)
WEIGHT_DECAYS = (0.0, 0.01, 0.05)

#: The one-cycle schedule as PyTorch's `OneCycleLR` and glassnet have it by default: the share of the steps that it
#: rises for, and the first and the last learning rate as shares of the peak.
WARMUP, INITIAL, FINAL = 0.3, 1 / 25, 4e-6


class Recipe(NamedTuple):
    """How a network of relu layers is trained by Adam; what a system lacks, it leaves out."""

    hidden: list
    batch_size: int
    learning_rate: float
    epochs: int
    one_cycle: bool = False
    weight_decay: float = 0.0
    batch_norm: bool = False

    @property
    def layers(self):
        """Return the sizes of all layers."""
        return [784, *self.hidden, 10]

    @property
    def title(self):
        """Return it in words: ``256-128, batch 128, 0.006 one-cycle, 3 epochs, batch norm, decay 0.05``."""
        schedule = "one-cycle" if self.one_cycle else "constant"
        words = [
            "-".join(map(str, self.hidden)),
            f"batch {self.batch_size}",
            f"{self.learning_rate:.2g} {schedule}",
            f"{self.epochs} epochs",
        ]
        words += ["batch norm"] * self.batch_norm
        return ", ".join([*words, *[f"decay {self.weight_decay:g}"] * (self.weight_decay > 0)])


#: Where every search starts: what the field does by default, and what is known to be fast.
HAND_PICKED = [
    Recipe([256, 128], 128, 1e-3, 8),
    Recipe([256, 128], 128, 6e-3, 3, one_cycle=True, weight_decay=0.05, batch_norm=True),
]


def drawn(trials):
    """Return the recipes of a search: those picked by hand, and others at random, always the same."""
    rng = np.random.default_rng(0)
    return (HAND_PICKED + [_random(rng) for _ in range(trials)])[:trials]


def _random(rng):
    """Return a recipe."""
    return Recipe(
        hidden=HIDDEN[rng.integers(len(HIDDEN))],
        batch_size=BATCH_SIZES[rng.integers(len(BATCH_SIZES))],
        learning_rate=float(np.exp(rng.uniform(*np.log(LEARNING_RATES)))),
        epochs=int(rng.integers(*EPOCHS, endpoint=True)),
        one_cycle=bool(rng.integers(2)),
        weight_decay=WEIGHT_DECAYS[rng.integers(len(WEIGHT_DECAYS))],
        batch_norm=bool(rng.integers(2)),
    )


def one_cycle(progress, xp=np):
    """Return the learning rate as a share of its peak, after a share of all steps; `xp` is NumPy or jax.numpy."""
    up = INITIAL + (1 - INITIAL) * (1 - xp.cos(xp.pi * progress / WARMUP)) / 2
    down = FINAL + (1 - FINAL) * (1 + xp.cos(xp.pi * (progress - WARMUP) / (1 - WARMUP))) / 2
    return xp.where(progress < WARMUP, up, down)
