"""What is measured of a network's health, on a fixed batch of training rows."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, FailFast

from glassnet.errors import NonFiniteError
from glassnet.nn.activations import Activation, Array
from glassnet.nn.backpropagation import ForwardCache
from glassnet.nn.losses import Loss
from glassnet.nn.network import Network
from glassnet.runtime.records import Count, Counts, Measured, Place, Real

#: A slope is flat below this share of the steepest that the activation has from -4 to 4, for |z| above 1.
FLAT = 0.05

#: A unit is saturated where its slope is flat on this share of the rows.
MOSTLY = 0.9

#: Units are the same where their weights differ by less than this share of their length.
SAME = 1e-5


@dataclass(frozen=True)
class LayerVitals:
    """One layer, on the probe's rows.

    Attributes
    ----------
    layer, units : int
        Its number, the first hidden layer being 1, and its width.
    dead : tuple of int
        Units whose output and slope are 0 on every row: no gradient reaches their weights. A sigmoid that gives 0
        is saturated.
    saturated : tuple of int
        Units whose slope is flat (`FLAT`) on nine rows of ten: hardly any gradient does.
    duplicated : tuple of int
        Units with the same weights and bias as another one of the layer.
    flat_share : float
        Share of all rows and units on which the slope is flat or 0.
    pre_activation_mean, pre_activation_spread : float
        Mean and standard deviation of Z over rows and units.
    activation_mean, activation_spread : float
        Of H.
    weight_norm, gradient_norm : float
        Frobenius norms of W and dL/dW, L being the mean loss of a row.
    update_ratio : float or None
        |step of W| / |W| of the last step before.
    """

    layer: Place
    units: Place
    dead: Counts
    saturated: Counts
    duplicated: Counts
    flat_share: Measured
    pre_activation_mean: Measured
    pre_activation_spread: Measured
    activation_mean: Measured
    activation_spread: Measured
    weight_norm: Measured
    gradient_norm: Measured
    update_ratio: Real | None = None


def _check_layers(layers: tuple[LayerVitals, ...]) -> tuple[LayerVitals, ...]:
    """Refuse layers out of a record that are those of no network."""
    if not layers or [layer.layer for layer in layers] != list(range(1, len(layers) + 1)):
        raise ValueError("expected layers numbered from 1 on")
    for layer in layers:
        for units in (layer.dead, layer.saturated, layer.duplicated):
            if max(units, default=0) >= layer.units or len(units) > layer.units:
                raise ValueError(f"expected some of the {layer.units} units of layer {layer.layer}")
    return layers


@dataclass(frozen=True)
class Vitals:
    """A network at one moment.

    Attributes
    ----------
    step : int
        Steps of training before.
    loss : float
        Mean loss of the probe's rows.
    outputs : tuple of float
        Mean of each output.
    output_spread : float
        Largest standard deviation of an output over the rows.
    wrong : float or None
        Share of the rows, or of their labels, that are predicted wrong; None where the targets are numbers.
    layers : tuple of LayerVitals
        Hidden layers, then the output layer.
    """

    step: Count
    loss: Measured
    outputs: Annotated[tuple[Measured, ...], FailFast()]
    output_spread: Measured
    wrong: Real | None
    layers: Annotated[tuple[LayerVitals, ...], FailFast(), AfterValidator(_check_layers)]

    @property
    def hidden(self) -> tuple[LayerVitals, ...]:
        """All layers but the last."""
        return self.layers[:-1]

    @property
    def gradient_norm(self) -> float:
        """Of all weights."""
        return math.hypot(*(layer.gradient_norm for layer in self.layers))  # whose squares may overflow

    @property
    def update_ratio(self) -> float | None:
        """The largest of a layer."""
        known = [layer.update_ratio for layer in self.layers if layer.update_ratio is not None]
        return max(known, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**vars(self), "layers": [{**vars(layer)} for layer in self.layers]}


class Probe:
    """Rows that a copy of a network is examined with, again and again.

    Dropout is left out, and batch normalisation takes the rows' own statistics, as in a step of training. X has
    shape (n, d_0), as `Network.input_batch` returns it, targets (n, d_L), weights, how much each row counts, (n,).
    """

    def __init__(self, network: Network, X: Array, targets: Array, weights: Array | None = None) -> None:
        self.source, self.X, self.targets = network, X, targets
        self.weights = None if weights is None else weights / weights.mean()

    @functools.cached_property
    def network(self) -> Network:
        """The copy."""
        return self.source.copy()

    @functools.cached_property
    def input_spread(self) -> float:
        """The root of the mean square of X."""
        return float(np.sqrt(np.mean(np.square(self.X, dtype=np.float64))))

    @functools.cached_property
    def steepest(self) -> list[float]:
        """The steepest slope of each activation."""
        z = np.linspace(-4, 4, 81)
        return [float(np.abs(activation.derivative(z)).max()) for activation in self.source.activations]

    @functools.cached_property
    def bounded(self) -> list[bool]:
        """Whether each activation is `bounded`."""
        return [bounded(activation) for activation in self.source.activations]

    @functools.cached_property
    def directions(self) -> list[Array]:
        """Two random directions in the inputs of each layer."""
        rng = np.random.default_rng(0)
        return [rng.normal(size=(2, W.shape[0] + 1)).astype(W.dtype) for W in self.source.W]

    def measure(self, theta: Array, step: int, before: Array | None = None) -> Vitals:
        """Examine the network after so many steps, with these parameters and those `before` the last step."""
        network = self.network
        network.theta[:] = theta
        with np.errstate(all="ignore"):
            cache = network.forward_as_batch(self.X)
            try:
                loss = float(network.backward(cache, self.targets, self.weights))
            except NonFiniteError:
                loss = np.nan
                network.gradient[:] = np.nan
            rows = len(self.X) if network.loss.reduction == "sum" else 1
            network.gradient[:] /= rows
            layers = tuple(self._layer(cache, index, before) for index in range(len(network.W)))
            outputs = network.loss.predict(cache.outputs) if np.isfinite(loss) else cache.outputs
            outputs = outputs.astype(np.float64)
            mean, spread = tuple(outputs.mean(axis=0).tolist()), float(outputs.std(axis=0).max())
        return Vitals(step, loss / rows, mean, spread, wrong_share(network.loss, outputs, self.targets), layers)

    def losses(self, network: Network) -> tuple[float, float]:
        """Return the mean loss of the rows with their own statistics, as in training, and as in prediction."""
        with np.errstate(all="ignore"):
            passes = network.forward_as_batch(self.X), network.forward(self.X)
            rows = [network.loss.formula(cache.outputs, self.targets)[0] for cache in passes]
            in_training, predicting = (float(np.average(one, weights=self.weights)) for one in rows)
        return in_training, predicting

    def spreads(self, network: Network) -> list[float]:
        """Return the spread of each layer's pre-activations, of a network of any shape with these inputs."""
        with np.errstate(all="ignore"):
            return [float(Z.std()) for Z in network.forward_as_batch(self.X).Z]

    def gradient(self, network: Network, theta: Array) -> Array:
        """Return the gradient, in float64, of the mean loss of a network of this shape with these parameters.

        A loss that is not finite raises `NonFiniteError`.
        """
        other = network.copy()
        other.theta[:] = theta
        other.backward(other.forward_as_batch(self.X), self.targets, self.weights)
        return other.gradient.astype(np.float64) / (len(self.X) if other.loss.reduction == "sum" else 1)

    def _layer(self, cache: ForwardCache, index: int, before: Array | None) -> LayerVitals:
        network = self.network
        Z, H = cache.Z[index], cache.H[index + 1]
        slope = network.activations[index].f_prime(Z, H).astype(Z.dtype, copy=False)
        nothing = slope == 0
        flat = (np.abs(slope) < FLAT * self.steepest[index]) & (np.abs(Z) > 1)
        dead = (nothing & (H == 0)).all(axis=0) & (not self.bounded[index])
        saturated = (flat & (self.bounded[index] or H != 0)).mean(axis=0) >= MOSTLY
        W, dW = network.W[index], network.dW[index]
        length = float(np.linalg.norm(W))
        moved = None
        if before is not None:
            block = network.parameters.blocks[f"W{index + 1}"]
            change = float(np.linalg.norm(network.theta[block] - before[block]))
            moved = change / length if length else np.inf if change else 0.0
        return LayerVitals(
            layer=index + 1,
            units=len(network.b[index]),
            dead=_places(dead),
            saturated=_places(saturated & ~dead),
            duplicated=self._duplicated(index),
            flat_share=np.count_nonzero(flat | nothing) / flat.size,
            **_describe("pre_activation", Z),
            **_describe("activation", H),
            weight_norm=length,
            gradient_norm=float(np.linalg.norm(dW)),
            update_ratio=moved,
        )

    def _duplicated(self, index: int) -> tuple[int, ...]:
        """Find units of the same weights and bias, by what two random directions see of them."""
        if index == len(self.network.W) - 1:
            return ()
        columns = np.vstack([self.network.W[index], self.network.b[index]])
        seen = self.directions[index] @ columns
        order = np.argsort(seen[0], kind="stable")
        seen, length = seen[:, order], np.linalg.norm(columns, axis=0)[order]
        gaps = np.abs(seen[:, 1:] - seen[:, :-1]).max(axis=0)
        pairs = np.flatnonzero(gaps <= SAME * np.maximum(length[1:], length[:-1]))
        return tuple(sorted({int(order[place]) for pair in pairs for place in (pair, pair + 1)}))


def _describe(name: str, values: Array) -> dict[str, float]:
    """Return the mean of all numbers, and their spread: the root of their mean square distance from it."""
    mean = values.mean()
    spread = np.linalg.norm(values - mean) / math.sqrt(values.size)
    return {f"{name}_mean": float(mean), f"{name}_spread": float(spread)}


def _places(which: Array) -> tuple[int, ...]:
    return tuple(which.nonzero()[0].tolist())


def wrong_share(loss: Loss, outputs: Array, targets: Array) -> float | None:
    """Return the share of rows, or of their labels, whose probabilities point elsewhere than their targets."""
    if loss.output is None:
        return None
    if loss.output == "softmax":
        return float(np.mean(outputs.argmax(axis=1) != targets.argmax(axis=1)))
    return float(np.mean((outputs >= 0.5) != (targets >= 0.5)))


def bounded(activation: Activation) -> bool:
    """Whether an activation levels off on both sides, as sigmoid and tanh do."""
    far = np.array([-30.0, 30.0])
    return bool((np.abs(activation.derivative(far)) < 1e-6).all())
