"""scikit-learn's loss of counts: half the Poisson deviance, with an exponential as the output's activation."""

from __future__ import annotations

import numpy as np

from glassnet.nn.activations import Activation, Array
from glassnet.nn.losses import Loss


def exponential(z: Array) -> Array:
    """f(z) = exp(z)."""
    return np.exp(z)


def exponential_prime(z: Array, h: Array) -> Array:
    """f' = h."""
    return h


def half_poisson_deviance(outputs: Array, targets: Array) -> tuple[Array, Array]:
    """sum over the outputs of y log(y / a) - y + a; slope 1 - y / a, for a > 0 and y >= 0."""
    ratio = targets / outputs
    logarithms = np.log(np.where(targets > 0, ratio, np.ones_like(ratio)))
    return (targets * logarithms - targets + outputs).sum(axis=1), 1 - ratio


EXPONENTIAL = Activation("exp", exponential, exponential_prime)
POISSON = Loss("poisson", half_poisson_deviance)
