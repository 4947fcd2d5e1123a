"""A network to be explained that nobody had to train, with numbers that a pocket calculator can follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from glassnet.nn.activations import Array
from glassnet.nn.losses import LOSSES
from glassnet.nn.network import Network
from glassnet.runtime.seeds import stream

#: Digits after the point.
DIGITS = 2


def example_network(
    layers: Sequence[int],
    activation: str | Sequence[str] = "sigmoid",
    *,
    output_activation: str | None = None,
    loss: str | None = None,
    seed: int = 0,
    **options: Any,
) -> Network:
    """Return a network in float64 whose parameters have two digits after the point; the options are `Network`'s.

    By default the loss is half_squared_error for a single output and cross_entropy for several. Where the loss
    leaves the choice, the outputs have the activation of the last hidden layer, as in the textbooks.
    """
    loss = loss or ("half_squared_error" if layers[-1] == 1 else "cross_entropy")
    if output_activation is None and LOSSES.resolve(loss).output is None:
        output_activation = activation if isinstance(activation, str) else ["sigmoid", *activation][-1]
    settings: dict[str, Any] = {"bias_initializer": "uniform(-0.5, 0.5)", "dtype": "float64", **options}
    network = Network(layers, activation, output_activation=output_activation, loss=loss, seed=seed, **settings)
    rng = stream(seed, "example")
    for gamma in network.gamma:
        if gamma is not None:
            gamma[:] = rng.uniform(0.5, 1.5, gamma.shape)  # as training leaves them; all begin as 1
    network.theta = np.round(network.theta, DIGITS)
    return network


def example_sample(network: Network, seed: int = 0, n: int = 1) -> tuple[Array, Array]:
    """Return n rows between -1 and 1 with two digits after the point, and a class for each, or targets 0 and 1."""
    rng = stream(seed, "example")
    X = np.round(rng.uniform(-1, 1, size=(n, network.layers[0])), DIGITS)
    if network.loss.output == "softmax":
        return X, rng.integers(network.layers[-1], size=n)
    return X, np.round(rng.random(size=(n, network.layers[-1])))
