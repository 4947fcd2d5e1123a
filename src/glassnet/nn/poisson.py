"""scikit-learn's loss of counts: half the Poisson deviance, with an exponential as the output's activation.

The two are known by name, as a model file has them, and are in no list. The loss takes no other output.
"""

from __future__ import annotations

import numpy as np

from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import ACTIVATIONS, Activation, Array
from glassnet.nn.losses import LOSSES, Loss


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


def _build(reduction: str = "mean") -> Loss:
    return Loss("poisson", half_poisson_deviance, reduction=reduction)


POISSON = _build()
ACTIVATIONS.add("exp", lambda: EXPONENTIAL, listed=False)
LOSSES.add("poisson", _build, listed=False)


def check_counts(loss: Loss, output: Activation) -> None:
    """Refuse, with `UsageError`, the loss of counts after an output that need not be positive."""
    if loss.formula is half_poisson_deviance and output.f is not exponential:
        raise UsageError("output_activation", f"poisson goes with exp, not {output.name}")


def check_no_negative(loss: Loss, targets: Array) -> None:
    """Refuse, with `DataError`, targets that the loss of counts is not defined for."""
    if loss.formula is half_poisson_deviance and not (targets >= 0).all():
        raise DataError(f"y: poisson takes numbers >= 0, got {targets[targets < 0][0]:g}")
