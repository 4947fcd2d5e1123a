"""Initializers: how the first weights and biases are drawn.

An initializer knows a shape and a random generator, nothing of activations or optimizers: the same seed and
shapes give the same parameters whatever follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from glassnet.errors import UsageError
from glassnet.nn.activations import Array
from glassnet.nn.registry import Registry

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Initializer:
    """Draws the first values of a weight matrix or a bias vector.

    Parameters
    ----------
    spec : str
        The specification that `INITIALIZERS` resolves to this initializer again.
    draw : callable
        ``draw(shape, rng)`` returns a float64 array of the shape: (d_in, d_out) for weights, (d_out,) for biases.

    Examples
    --------
    >>> INITIALIZERS.resolve("uniform(-1, 1)").draw((2,), np.random.default_rng(0)).round(3)
    array([ 0.274, -0.46 ])
    """

    spec: str
    draw: Callable[[Shape, np.random.Generator], Array]


def uniform(low: float = -1.0, high: float = 1.0) -> Initializer:
    """Build the uniform distribution on [low, high), every entry drawn independently."""
    if not (-np.inf < low < high < np.inf and high - low < np.inf):
        raise UsageError("initializer", f"uniform: low must be below high and both finite, got {low}, {high}")
    return Initializer(f"uniform({low}, {high})", lambda shape, rng: rng.uniform(low, high, shape))


def normal(mean: float = 0.0, std: float = 1.0) -> Initializer:
    """Build the normal distribution with the given mean and standard deviation."""
    if not (np.isfinite(mean) and 0 < std < np.inf):
        raise UsageError("initializer", f"normal: needs a finite mean and a std > 0, got {mean}, {std}")
    return Initializer(f"normal({mean}, {std})", lambda shape, rng: rng.normal(mean, std, shape))


#: Variances that keep a signal's size from layer to layer: in both directions (Glorot and Bengio 2010, eq. 12),
#: forwards through relu (He et al. 2015, eq. 10), forwards through tanh (LeCun et al. 1998, section 4.6).
VARIANCES: dict[str, Callable[[int, int], float]] = {
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he": lambda fan_in, fan_out: 2 / fan_in,
    "lecun": lambda fan_in, fan_out: 1 / fan_in,
}


def scaled(family: str, distribution: str) -> Initializer:
    """Build a distribution of mean 0, its variance from `VARIANCES`: normal, or uniform on +-sqrt(3 variance)."""

    def draw(shape: Shape, rng: np.random.Generator) -> Array:
        variance = VARIANCES[family](*_fans(shape, family))
        if distribution == "normal":
            return rng.normal(0, np.sqrt(variance), shape)
        limit = np.sqrt(3 * variance)
        return rng.uniform(-limit, limit, shape)

    return Initializer(f"{family}_{distribution}", draw)


def orthogonal() -> Initializer:
    """Build a matrix whose rows or columns, whichever are fewer, are orthonormal (Saxe et al. 2014).

    It is the Q of a normal matrix's QR decomposition, with the signs of R's diagonal moved into Q: only then is
    Q distributed uniformly (Mezzadri 2007).
    """

    def draw(shape: Shape, rng: np.random.Generator) -> Array:
        fan_in, fan_out = _fans(shape, "orthogonal")
        Q, R = np.linalg.qr(rng.normal(size=(max(shape), min(shape))))
        Q = Q * np.where(np.diag(R) < 0, -1, 1)
        return Q if fan_in >= fan_out else Q.T

    return Initializer("orthogonal", draw)


def zeros() -> Initializer:
    """Build zeros: right for biases; weights that start equal stay equal, which is worth seeing once."""
    return Initializer("zeros", lambda shape, rng: np.zeros(shape))


def _fans(shape: Shape, name: str) -> tuple[int, int]:
    if len(shape) != 2:
        raise UsageError(
            "bias_initializer", f"{name} is for weight matrices; take zeros, uniform(...) or normal(...)"
        )
    return shape[0], shape[1]


INITIALIZERS: Registry[Initializer] = Registry("initializer", Initializer)
INITIALIZERS.add("uniform", uniform)
INITIALIZERS.add("normal", normal)
for _family in VARIANCES:
    INITIALIZERS.add(f"{_family}_uniform", partial(scaled, _family, "uniform"))
    INITIALIZERS.add(f"{_family}_normal", partial(scaled, _family, "normal"))
INITIALIZERS.add("orthogonal", orthogonal)
INITIALIZERS.add("zeros", zeros)
