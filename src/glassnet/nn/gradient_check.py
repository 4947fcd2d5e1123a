"""The numerical proof of backpropagation: the hand-derived gradient against the definition of a derivative.

Two independent ways: a fourth-order central difference, which needs nothing but the loss itself, and the complex
step, Im L(theta + i h) / h, which loses no digits because nothing is subtracted (Squire and Trapp 1998).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array
from glassnet.nn.backpropagation import ForwardCache
from glassnet.nn.dropout import mask_keys
from glassnet.nn.network import Network
from glassnet.runtime.seeds import stream

#: Networks with more parameters are checked along random directions.
EVERY_ENTRY_UP_TO = 1000
DIRECTIONS_PER_BLOCK = 3

#: Central differences take the longest of these steps that crosses no kink and is short enough: for a derivative
#: of order 1 the fourth-order formula errs by about h^4 in truncation and 1e-16 / h in rounding.
STEPS = (1e-3, 1e-4, 1e-5)
#: A step is short enough where the two second-order differences it combines differ by less than this share: the
#: fourth-order error is about a tenth of that share squared.
BEND = 1e-4
COMPLEX_STEP = 1e-30
EPSILON = float(np.finfo(np.float64).eps)

#: What each method resolves: the relative error that a right gradient stays below.
TOLERANCES = {"central": 1e-7, "complex": 1e-12}

#: Derivatives below this share of the largest one in their block are compared with that share.
FLOOR = 1e-3


@dataclass(frozen=True)
class GradientCheck:
    """The outcome of `gradient_check`.

    Attributes
    ----------
    max_relative_error : float
        The largest |analytic - numeric| / max(|analytic|, |numeric|), see `gradient_check`.
    parameter : str
        Where it is: ``"W2[3, 1]"``, or ``"W2"`` for a direction within that block.
    analytic, numeric : float
        The two derivatives there.
    checked, left_out : int
        Derivatives compared, and left out because the numerical one would have crossed a kink.
    """

    max_relative_error: float
    parameter: str
    analytic: float
    numeric: float
    checked: int
    left_out: int


def gradient_check(network: Network, X: Array, y: Array, method: str = "central") -> GradientCheck:
    """Compare the hand-derived gradient with a numerical one, in float64.

    It is the gradient of training: with dropout, of the masks of a first step; with batch normalisation, by the
    batch's own statistics. `check_gradients` takes a `ComputationGraph` and adds its gradient as a third way.

    Every entry of theta where there are at most 1,000, else three random directions within each weight matrix
    and bias vector. A derivative across a kink (relu at 0, the absolute loss at its target) means nothing: such
    entries are left out and counted.

    Parameters
    ----------
    network : Network
        It is copied, not changed.
    X, y : array_like
        A small batch of rows, and their labels or targets.
    method : {"central", "complex"}
        Fourth-order central differences, or the complex step, for formulas that accept complex numbers.

    Returns
    -------
    GradientCheck
        The relative error is |a - n| / max(|a|, |n|, floor). The floor is a thousandth of the block's largest
        derivative, or the rounding error of the numerical derivative divided by 1e-7 (complex: 1e-12), whichever
        is larger: without it, float64's rounding of the loss would be judged. A right gradient stays below 1e-7
        (complex: 1e-12).

    Raises
    ------
    UsageError
        If the method is unknown.
    DataError
        If X or y do not fit the network, or every derivative had to be left out.

    Examples
    --------
    >>> network = Network([3, 4, 2], activation="tanh")
    >>> check = gradient_check(network, np.eye(3), np.array([0, 1, 1]))
    >>> check.max_relative_error < 1e-7, check.checked, check.left_out
    (True, 26, 0)
    """
    if method not in TOLERANCES:
        raise UsageError("method", f"must be central or complex, got {method!r}")
    if not isinstance(network, Network):
        raise UsageError(
            "network", f"expected a Network, got {type(network).__name__}; call gradient_check(network, X, y)"
        )
    net = network.astype(np.float64)
    X, targets = net.check_data(X, y)
    X = net.input_batch(X)
    dropout_keys = mask_keys(net.seed, np.array([1]), len(net.W))[0]
    net.backward(net.forward(X, dropout_keys), targets)
    worst = GradientCheck(-1.0, "", 0.0, 0.0, 0, 0)
    checked = left_out = 0
    for derivative in numerical_derivatives(net, X, targets, method, dropout_keys):
        if derivative.value is None:
            left_out += 1
            continue
        checked += 1
        analytic, error = derivative.compare(net.gradient)
        if error > worst.max_relative_error:
            worst = GradientCheck(error, derivative.parameter, analytic, derivative.value, 0, 0)
    if not checked:
        raise DataError("gradient_check: every derivative would cross a kink; take other rows or another seed")
    return replace(worst, checked=checked, left_out=left_out)


@dataclass(frozen=True)
class NumericalDerivative:
    """The derivative of the loss along a direction, a unit vector, within a block of theta.

    ``parameter`` is ``"W2[3, 1]"``, a block of one entry, or ``"W2"``, and ``block`` is where it stands in theta.
    The ``value`` is None where it would cross a kink. Below ``smallest``, the rounding error over the method's
    tolerance, a derivative cannot be resolved.
    """

    parameter: str
    block: slice
    direction: Array
    value: float | None
    smallest: float

    def compare(self, gradient: Array) -> tuple[float, float]:
        """Return the derivative along the direction by an analytic dL/dtheta, and its relative error."""
        assert self.value is not None
        within = gradient[self.block]
        analytic = float(within @ self.direction)
        floor = max(FLOOR * float(np.abs(within).max()), self.smallest)
        error = abs(analytic - self.value) / max(abs(analytic), abs(self.value), floor)
        return analytic, np.inf if np.isnan(error) else error  # a gradient that is NaN or infinite is wrong


def numerical_derivatives(
    net: Network, X: Array, targets: Array, method: str = "central", dropout_keys: Array | None = None
) -> Iterator[NumericalDerivative]:
    """Yield the derivatives that `gradient_check` compares, by its methods, for a network in float64.

    X and targets are from `Network.input_batch` and `Network.encode`; with a step's `dropout_keys`, the loss is
    that of `Network.forward` with them.
    """
    base = net.forward(X, dropout_keys)
    probe = net.astype(np.complex128) if method == "complex" else net.copy()
    X = X.astype(probe.theta.dtype)
    for name, block, direction in _directions(net):

        def loss(t: complex, block: slice = block, direction: Array = direction) -> tuple[complex, bool]:
            probe.theta[:] = net.theta
            probe.theta[block] += t * direction
            cache = probe.forward(X, dropout_keys)
            value, _ = probe.loss.value_and_delta(cache.outputs, targets)
            return value, _crosses_kink(probe, base, cache, targets)

        found = _complex_step(loss) if method == "complex" else _central_difference(loss)
        value, rounding = (None, 0.0) if found is None else (float(found[0]), float(found[1]))
        yield NumericalDerivative(name, block, direction, value, rounding / TOLERANCES[method])


def _directions(net: Network) -> Iterator[tuple[str, slice, Array]]:
    """Yield (name, block of theta, unit direction within the block)."""
    if len(net.theta) <= EVERY_ENTRY_UP_TO:
        for index in range(len(net.theta)):
            yield net.parameters.name(index), slice(index, index + 1), np.ones(1)
        return
    rng = stream(net.seed, "directions")
    for name, block in net.parameters.blocks.items():
        for _ in range(DIRECTIONS_PER_BLOCK):
            direction = rng.normal(size=block.stop - block.start)
            yield name, block, direction / np.linalg.norm(direction)


#: The loss at a distance t along a direction, and whether a kink lies between.
LossAt = Callable[[complex], tuple[complex, bool]]


def _complex_step(loss: LossAt) -> tuple[float, float] | None:
    """Return a loss's derivative by t at t = 0 and its rounding error; None where that would cross a kink."""
    value, crossed = loss(1j * COMPLEX_STEP)
    return None if crossed else (value.imag / COMPLEX_STEP, 8 * EPSILON * max(1, abs(value.real)))


def _central_difference(loss: LossAt) -> tuple[float, float] | None:
    """Return what `_complex_step` does, by the longest step that will do."""
    found = None
    for step in STEPS:
        points = [loss(t) for t in (step, -step, 2 * step, -2 * step)]
        if any(crossed for _, crossed in points):
            continue
        near, far = ((points[i][0] - points[i + 1][0]).real / ((i + 2) * step) for i in (0, 2))
        numeric = (4 * near - far) / 3
        # four losses, each a few roundings off: right gradients were seen to stay below 4 EPSILON
        rounding = 4 * EPSILON * max(1, abs(points[0][0])) / step
        found = numeric, rounding
        if abs(near - far) <= BEND * max(abs(numeric), rounding / TOLERANCES["central"]):
            break
    return found


def _crosses_kink(net: Network, base: ForwardCache, moved: ForwardCache, targets: Array) -> bool:
    """Whether any activation or the loss stands on another side of one of its kinks than before."""
    pairs = [
        (activation.kinks, Z, Z_moved)
        for activation, Z, Z_moved in zip(net.activations, base.Z, moved.Z, strict=True)
    ]
    pairs.append((net.loss.kinks, base.outputs - targets, moved.outputs - targets))
    return any(
        bool((np.sign(before - kink) != np.sign(after.real - kink)).any())
        or bool(((before == kink) & (after.imag != 0)).any())
        for kinks, before, after in pairs
        for kink in kinks
    )
