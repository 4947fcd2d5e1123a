r"""Batch normalisation: over the batch, a unit's pre-activations get mean 0 and variance 1, then a learned scale.

With A = H_prev W of shape (n, d), column by column (Ioffe and Szegedy 2015, algorithm 1; their beta is the layer's
b):

    mu = mean of A        v = mean of (A - mu)^2        s = 1 / sqrt(v + epsilon)
    X^ = s (A - mu)                                     Z = gamma X^ + b

Backwards, with delta = dL/dZ. Every row of A moves mu and v, and through them all rows of Z:

    dL/dgamma = column sums of delta X^
    dL/dA = gamma s (delta - mean of delta - X^ (.) mean of (delta X^))

`docs/derivation.md` derives it. Prediction takes running statistics in place of mu and v.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.nn.activations import Array

#: Added to the variance, so that a unit that is the same on all rows divides by no 0.
EPSILON = 1e-5

#: What the running statistics keep of themselves at each step.
MOMENTUM = 0.9


@dataclass
class Normalised:
    """What the forward pass of a batch leaves behind.

    ``X_hat`` of shape (n, d) is A with mean 0 and variance 1 in each column; ``mean`` and ``variance`` of shape
    (d,) are those of A over the rows, which depend on it (``of_batch``), or else the running ones.
    """

    X_hat: Array
    mean: Array
    variance: Array
    of_batch: bool

    @property
    def inverse_std(self) -> Array:
        """1 / sqrt(variance + epsilon)."""
        return inverse_std(self.variance)


def inverse_std(variance: Array) -> Array:
    """1 / sqrt(variance + epsilon)."""
    return 1 / np.sqrt(variance + EPSILON)


def normalise(A: Array) -> Normalised:
    """Normalise a batch of shape (n, d) by its own mean and variance.

    Examples
    --------
    >>> normalise(np.array([[1.0], [3.0]])).X_hat.round(3)
    array([[-1.],
           [ 1.]])
    """
    mean = A.mean(axis=0)
    centred = A - mean
    variance = (centred * centred).mean(axis=0)
    return Normalised(centred * inverse_std(variance), mean, variance, of_batch=True)


def normalise_by(A: Array, mean: Array, variance: Array) -> Normalised:
    """Normalise rows by statistics that were measured before, as in prediction."""
    return Normalised((A - mean) * inverse_std(variance), mean, variance, of_batch=False)


def backward(delta: Array, gamma: Array, normalised: Normalised) -> tuple[Array, Array]:
    """Return dL/dA of shape (n, d) and dL/dgamma of shape (d,) for delta = dL/dZ."""
    X_hat, n = normalised.X_hat, len(delta)
    dgamma = (delta * X_hat).sum(axis=0)
    scale = gamma * normalised.inverse_std
    if not normalised.of_batch:
        return scale * delta, dgamma
    return scale * (delta - delta.mean(axis=0) - X_hat * (dgamma / n)), dgamma


def track(mean: Array, variance: Array, normalised: Normalised, momentum: float = MOMENTUM) -> None:
    """Move running statistics towards a batch's, in place; the variance is that of a sample, divided by n - 1.

    A batch of one row has none, and moves nothing.
    """
    n = len(normalised.X_hat)
    if n == 1:
        return
    mean += (1 - momentum) * (normalised.mean - mean)
    variance += (1 - momentum) * (normalised.variance * (n / (n - 1)) - variance)
