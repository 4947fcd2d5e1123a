"""Activation functions: each one is f and its derivative f', written as in the textbook.

The letters are those of the whole package: ``Z`` the pre-activation, ``H = f(Z)`` the output. A derivative is
handed both, because some are simplest in one and some in the other: sigmoid' = h (1 - h), relu' = [z > 0].

All formulas are elementwise, keep float32 as float32, and also accept complex numbers whose imaginary part is
an infinitesimal step, which is how `glassnet.gradient_check` proves the analytic ones to rounding.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.errors import NonFiniteError, UsageError
from glassnet.nn.registry import Registry

Array = np.ndarray[Any, Any]

#: Numbers of a row up to which column after column is faster gone through than row after row.
SHORT = 64


@dataclass(frozen=True)
class Activation:
    """An elementwise function and its derivative.

    Parameters
    ----------
    name : str
        The name it is registered under.
    f : callable
        ``f(Z) -> H``, elementwise.
    f_prime : callable
        ``f_prime(Z, H) -> dH/dZ``, elementwise; H is ``f(Z)``, already computed.
    kinks : tuple of float
        Where f' or a derivative of it jumps. A numerical derivative across such a point means nothing, so checks
        step around it.

    Examples
    --------
    >>> relu = ACTIVATIONS.resolve("relu")
    >>> relu.derivative(np.array([-2.0, 3.0]))
    array([0., 1.])
    """

    name: str
    f: Callable[[Array], Array]
    f_prime: Callable[[Array, Array], Array]
    kinks: tuple[float, ...] = ()

    def derivative(self, z: Array) -> Array:
        """Return f'(z) as an array of z's own dtype."""
        return np.asarray(self.f_prime(z, self.f(z))).astype(z.dtype, copy=False)


def identity(z: Array) -> Array:
    """f(z) = z."""
    return z.copy()


def identity_prime(z: Array, h: Array) -> Array:
    """f'(z) = 1."""
    return np.ones_like(z)


def sigmoid(z: Array) -> Array:
    """f(z) = 1 / (1 + exp(-z)), written as (1 + tanh(z/2)) / 2, which cannot overflow."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def sigmoid_prime(z: Array, h: Array) -> Array:
    """f' = h (1 - h)."""
    return h * (1 - h)


def tanh(z: Array) -> Array:
    """f(z) = tanh(z), the hyperbolic tangent."""
    return np.tanh(z)


def tanh_prime(z: Array, h: Array) -> Array:
    """f' = 1 - h^2."""
    return 1 - h * h


def relu(z: Array) -> Array:
    """f(z) = max(0, z) (Nair and Hinton 2010)."""
    return np.maximum(z, 0)


def relu_prime(z: Array, h: Array) -> Array:
    """f'(z) = [z > 0]: 1 where z > 0, else 0; at the kink z = 0 it is 0."""
    return z > 0


def relu3(z: Array) -> Array:
    """f(z) = max(0, z)^3."""
    r = np.maximum(z, 0)
    return r * r * r


def relu3_prime(z: Array, h: Array) -> Array:
    """f'(z) = 3 max(0, z)^2."""
    r = np.maximum(z, 0)
    return 3 * r * r


def leaky_relu(z: Array) -> Array:
    """f(z) = z where z > 0, else 0.01 z (Maas, Hannun and Ng 2013)."""
    return np.where(z > 0, z, 0.01 * z)


def leaky_relu_prime(z: Array, h: Array) -> Array:
    """f'(z) = 1 where z > 0, else 0.01."""
    return 0.01 + 0.99 * np.heaviside(z.real, 0).astype(z.dtype)


def elu(z: Array) -> Array:
    """f(z) = z where z > 0, else exp(z) - 1 (Clevert, Unterthiner and Hochreiter 2016)."""
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def elu_prime(z: Array, h: Array) -> Array:
    """f'(z) = 1 where z > 0, else exp(z) = h + 1."""
    return np.where(z > 0, 1, h + 1)


# GELU is z Phi(z); this is the tanh form of its authors: 0.5 z (1 + tanh(GELU_A (z + GELU_B z^3))).
GELU_A = float(np.sqrt(2 / np.pi))
GELU_B = 0.044715


def gelu(z: Array) -> Array:
    """f(z) = z times the normal distribution function, in tanh form (Hendrycks and Gimpel 2016, section 2)."""
    return 0.5 * z * (1 + np.tanh(GELU_A * (z + GELU_B * z * z * z)))


def gelu_prime(z: Array, h: Array) -> Array:
    """With t = tanh(u): f' = (1 + t) / 2 + z (1 - t^2) u' / 2."""
    t = np.tanh(GELU_A * (z + GELU_B * z * z * z))
    u_prime = GELU_A * (1 + 3 * GELU_B * z * z)
    return 0.5 * (1 + t) + 0.5 * z * (1 - t * t) * u_prime


def silu(z: Array) -> Array:
    """f(z) = z sigmoid(z) (Elfwing, Uchibe and Doya 2018)."""
    return z * sigmoid(z)


def silu_prime(z: Array, h: Array) -> Array:
    """With s = sigmoid(z): f' = s + z s (1 - s) = s + h (1 - s)."""
    s = sigmoid(z)
    return s + h * (1 - s)


def softplus(z: Array) -> Array:
    """f(z) = log(1 + exp(z)), written as max(z, 0) + log(1 + exp(-|z|)), which cannot overflow."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.maximum(z, -z)))


def softplus_prime(z: Array, h: Array) -> Array:
    """f' = sigmoid(z)."""
    return sigmoid(z)


# SELU's two numbers keep mean 0 and variance 1 of normal pre-activations from layer to layer.
SELU_SCALE = 1.0507009873554804934
SELU_ALPHA = 1.6732632423543772848


def selu(z: Array) -> Array:
    """f(z) = lambda z where z > 0, else lambda alpha (exp(z) - 1) (Klambauer et al. 2017, eq. 2)."""
    return SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0)))


def selu_prime(z: Array, h: Array) -> Array:
    """f'(z) = lambda where z > 0, else lambda alpha exp(z) = h + lambda alpha."""
    return np.where(z > 0, SELU_SCALE, h + SELU_SCALE * SELU_ALPHA)


#: From here on the tanh of mish is 1 to the last bit of float64, and exp(2 z) does not overflow.
MISH_FAR = 20.0


def mish_gate(z: Array) -> Array:
    """tanh(softplus(z)) = n / (n + 2) with w = exp(z), n = w (w + 2), as tanh(log u) = (u^2 - 1) / (u^2 + 1)."""
    w = np.exp(np.minimum(z, MISH_FAR))
    n = w * (w + 2)
    return n / (n + 2)


def mish(z: Array) -> Array:
    """f(z) = z tanh(softplus(z)) (Misra 2019, eq. 1)."""
    return z * mish_gate(z)


def mish_prime(z: Array, h: Array) -> Array:
    """With t = tanh(softplus(z)) and s = sigmoid(z) = softplus': f' = t + z (1 - t^2) s."""
    t = mish_gate(z)
    return t + z * (1 - t * t) * sigmoid(z)


def shift_logits(z: Array) -> Array:
    """Subtract each row's largest logit, so that exp cannot overflow; a row with NaN or infinity becomes NaN."""
    with np.errstate(over="ignore", invalid="ignore"):  # beyond the range of floats is as good as the lowest
        return np.maximum(z - z.max(axis=1, keepdims=True), np.finfo(z.dtype).min)


def check_logits(z: Array) -> None:
    """Raise `NonFiniteError` naming the first row whose largest logit is NaN or infinite."""
    bad = np.flatnonzero(~np.isfinite(_find_largest(z)))
    if len(bad):
        raise NonFiniteError(f"softmax: row {bad[0] + 1} holds NaN or infinity: {z[bad[0]]}")


def _find_largest(z: Array) -> Array:
    """Return the largest logit of each row, of shape (n, 1)."""
    if len(z) > 1 and z.shape[1] <= SHORT:  # row after row, they are slow
        return np.maximum.reduce(z.T.copy())[:, None]
    return np.maximum.reduce(z, axis=1, keepdims=True)


def softmax(z: Array) -> Array:
    """exp(z_j) / sum over j of exp(z_j), for each row of logits z of shape (n, classes); every row sums to 1.

    Raises
    ------
    NonFiniteError
        If a row holds NaN or +infinity; the message names the row.

    Examples
    --------
    >>> softmax(np.array([[1e308, -1e308, 0.0]]))
    array([[1., 0., 0.]])
    """
    check_logits(z)
    with np.errstate(over="ignore"):
        return softmax_of_finite(z)


def softmax_of_finite(z: Array) -> Array:
    """Return the softmax of logits that are known to be finite; NumPy may say that a difference overflows."""
    exponentials = np.exp(z - _find_largest(z))
    exponentials /= np.add.reduce(exponentials, axis=1, keepdims=True)
    return exponentials


ACTIVATIONS: Registry[Activation] = Registry("activation", Activation)


def _add(activation: Activation) -> Activation:
    ACTIVATIONS.add(activation.name, lambda: activation)
    return activation


IDENTITY = _add(Activation("identity", identity, identity_prime))
_add(Activation("sigmoid", sigmoid, sigmoid_prime))
_add(Activation("tanh", tanh, tanh_prime))
_add(Activation("relu", relu, relu_prime, kinks=(0.0,)))
_add(Activation("relu3", relu3, relu3_prime, kinks=(0.0,)))
_add(Activation("leaky_relu", leaky_relu, leaky_relu_prime, kinks=(0.0,)))
_add(Activation("elu", elu, elu_prime, kinks=(0.0,)))
_add(Activation("gelu", gelu, gelu_prime))
_add(Activation("silu", silu, silu_prime))
_add(Activation("softplus", softplus, softplus_prime))
_add(Activation("selu", selu, selu_prime, kinks=(0.0,)))
_add(Activation("mish", mish, mish_prime))


def register_activation(
    name: str, f: Callable[..., Any], f_prime: Callable[..., Any], *, kinks: tuple[float, ...] = ()
) -> Activation:
    """Register an activation of your own; its derivative is checked numerically first.

    Parameters
    ----------
    name : str
        The name to use it by.
    f : callable
        ``f(z)``, elementwise, in NumPy.
    f_prime : callable
        ``f_prime(z)``, or ``f_prime(z, h)`` with h = f(z) where that is shorter.
    kinks : tuple of float, optional
        Points where f' or a derivative of it jumps; the check steps around them.

    Returns
    -------
    Activation
        What was registered.

    Raises
    ------
    UsageError
        If f does not keep shape and dtype, if f' is not the derivative of f (the message names the
        point where they differ most), or if the name is taken.

    Examples
    --------
    >>> square = register_activation("square", lambda z: z * z, lambda z: 2 * z)
    >>> square.derivative(np.array([3.0]))
    array([6.])
    >>> register_activation("cube", lambda z: z**3, lambda z: 2 * z**2)
    Traceback (most recent call last):
        ...
    glassnet.errors.UsageError: activation: cube: f'(-4) is given as 32, but numerically it is 48
    """
    slope = (lambda z, h: f_prime(z)) if _arguments(f_prime) == 1 else f_prime
    activation = Activation(name, f, slope, kinks)
    _check_derivative(activation)
    return _add(activation)


def _arguments(function: Callable[..., Any]) -> int:
    """Count the arguments a call must give: one for ``np.cos`` and for ``lambda z, a=2: ...``."""
    if isinstance(function, np.ufunc):
        return function.nin
    parameters = inspect.signature(function).parameters.values()
    return sum(parameter.default is parameter.empty for parameter in parameters)


def _check_derivative(activation: Activation, step: float = 1e-3, tolerance: float = 1e-6) -> None:
    """Compare f' with a fourth-order central difference of f at points away from the kinks."""
    z = np.linspace(-4, 4, 81)
    for kink in activation.kinks:
        z = z[np.abs(z - kink) > 3 * step]
    for probe in (z, z.astype(np.float32)):
        h = activation.f(probe)
        if np.shape(h) != probe.shape or np.asarray(h).dtype != probe.dtype:
            raise UsageError("activation", f"{activation.name}: f must keep shape and dtype ({probe.dtype})")
    numeric = (
        8 * (activation.f(z + step) - activation.f(z - step))
        - (activation.f(z + 2 * step) - activation.f(z - 2 * step))
    ) / (12 * step)
    analytic = activation.derivative(z)
    error = np.abs(analytic - numeric) / np.maximum(1, np.abs(numeric))
    worst = int(np.argmax(np.where(np.isfinite(error), error, np.inf)))
    if not error[worst] <= tolerance:
        raise UsageError(
            "activation",
            f"{activation.name}: f'({z[worst]:g}) is given as {analytic[worst]:g}, "
            f"but numerically it is {numeric[worst]:g}",
        )
