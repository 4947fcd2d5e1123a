"""Digits: 1,797 handwritten digits of 8 x 8 pixels that come with scikit-learn and need no network.

A copy of the test set of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998, UCI).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from glassnet.data.dataset import Dataset


def load(data_dir: str | Path | None, validation: float, split_seed: int) -> Dataset:
    """Take the digits out of scikit-learn, scaled from 0..16 to [0, 1]; there is no file to look for."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return Dataset.from_arrays(
        (X / 16).astype(np.float32),
        y.astype(np.uint8),
        name="digits",
        class_names=[str(digit) for digit in range(10)],
        image_shape=(8, 8),
        validation=validation,
        split_seed=split_seed,
    )
