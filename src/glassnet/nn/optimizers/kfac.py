"""K-FAC: natural gradient with a curvature of two small factors a layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.errors import NonFiniteError, UsageError
from glassnet.nn.activations import Array
from glassnet.nn.backpropagation import ForwardCache
from glassnet.nn.optimizers.base import MatrixState, Optimizer, OptimizerState
from glassnet.nn.parameters import Parameters

#: Steps between two looks at the factors, and between two inversions of them.
MEASURE_EVERY, INVERT_EVERY = 10, 50

#: Share of the past that a factor keeps at most (Martens and Grosse 2015, section 5).
KEPT = 0.95


def damped_inverses(A: Array, G: Array, damping: float) -> tuple[Array, Array]:
    """Return the inverses of A + pi sqrt(damping) I and G + sqrt(damping) / pi I.

    Both together damp the Fisher matrix A (x) G by about damping. Their share is by the mean eigenvalues,
    pi^2 = (tr A / d_A) / (tr G / d_G) (Martens and Grosse 2015, section 6.3).

    Examples
    --------
    >>> damped_inverses(np.array([[4.0]]), np.array([[1.0]]), 0.25)  # pi = 2: 1 / (4 + 1), 1 / (1 + 1/4)
    (array([[0.2]]), array([[0.8]]))
    """
    mean_a, mean_g = np.trace(A) / len(A), np.trace(G) / len(G)
    pi = float(np.sqrt(mean_a / mean_g)) if mean_a > 0 and mean_g > 0 else 1.0
    root = damping**0.5
    eye_a, eye_g = np.eye(len(A), dtype=A.dtype), np.eye(len(G), dtype=G.dtype)
    try:
        return np.linalg.inv(A + pi * root * eye_a), np.linalg.inv(G + root / pi * eye_g)
    except np.linalg.LinAlgError:  # the damping is lost in rounding
        raise NonFiniteError("a factor of the curvature has no inverse; a larger damping may help") from None


@dataclass(frozen=True)
class KFAC(Optimizer):
    """K-FAC: the natural gradient, layer by layer, with factored curvature (Martens and Grosse 2015).

    With b as one more row of W, for an input that is always 1, the gradient of a layer over n rows is

        dL/dW = mean over the rows of a d^T,    a = (h, 1) of d_in + 1 numbers,    d = d(row loss)/dz of d_out.

    The Fisher matrix, the mean of the outer product of a d^T with itself, is taken to be A (x) G, as if a and d
    were independent; then its inverse times the gradient needs two small inverses only:

        A = mean of a a^T,    G = mean of d d^T           every 10 steps, running means over the batches
        V = momentum V - eta A^-1 dL/dW G^-1              the inverses damped, made afresh every 50 steps
        W = W + V

    A running mean keeps min(1 - 1/k, 0.95) of the past at its k-th batch. The rows' own labels make d (the
    "empirical" Fisher matrix), where the paper draws labels from the network's outputs: that would be a second
    backward pass. Damping and learning rate stay what they are; the paper adapts them.

    An epoch costs about twice as much as with Adam at batches of 512, where it needs far fewer of them; the
    smaller the batch, the less it pays. The loss must be the mean of the rows' losses.

    Its memory is V, one vector as long as theta, and for each layer A and G with their inverses: two matrices of
    (d_in + 1)^2 numbers and two of d_out^2.

    Parameters
    ----------
    learning_rate, update_scale : float, default 0.01 and 1
        Step size and a factor on it, > 0: eta = update_scale * learning_rate.
    momentum : float, default 0.9
        Share of V that is kept at each step, in [0, 1).
    damping : float, default 0.003
        Added to the curvature, > 0: the larger, the more it is gradient descent.

    Examples
    --------
    >>> parameters = Parameters([1, 1], np.float64)
    >>> kfac = KFAC(0.5, damping=1e-12)
    >>> state = kfac.start(parameters.theta, parameters)
    >>> cache = ForwardCache(H=[], inputs=[np.array([[1.0], [-1.0]])], delta=[np.array([[1.0], [-1.0]])])
    >>> kfac.observe(cache, state)  # A = I, G = 2^2, as the two rows' own d are 2 and -2
    >>> kfac.step(parameters.theta, np.array([2.0, 0.0]), state)
    >>> parameters.theta.round(3)  # -0.5 (2 / 4)
    array([-0.25,  0.  ])
    """

    learning_rate: float = 0.01
    momentum: float = 0.9
    damping: float = 0.003
    name = "kfac"
    memory_vectors = 1

    def start(self, theta: Array, parameters: Parameters | None = None) -> OptimizerState:
        """Return the memory of an optimizer that has not taken a step: V, and A, G and their inverses a layer.

        Raises `UsageError` if there are no parameters to tell the layers by, or if one of them normalises.
        """
        if parameters is None or any(parameters.batch_norm):
            raise UsageError("optimizer", "kfac needs the layers of a network without batch_norm; take adam")
        state = MatrixState(memory=super().start(theta).memory)
        for layer, W in enumerate(parameters.W, start=1):
            d_in, d_out = W.shape
            first, last = parameters.blocks[f"W{layer}"].start, parameters.blocks[f"b{layer}"].stop
            state.parts.append((slice(first, last), (d_in + 1, d_out)))
            state.memory += [np.zeros(d * d, theta.dtype) for d in (d_in + 1, d_out, d_in + 1, d_out)]
        return state

    def observe(self, cache: ForwardCache, state: OptimizerState) -> None:
        """Measure the factors by a batch's deltas and invert them, where it is time; `state` keeps them."""
        if state.t % MEASURE_EVERY:
            return
        k = state.t // MEASURE_EVERY + 1
        kept = min(1 - 1 / k, KEPT)
        for layer, (H, delta) in enumerate(zip(cache.inputs, cache.delta, strict=True)):
            n = len(H)
            a, d = np.hstack([H, np.ones((n, 1), H.dtype)]), n * delta
            A, G, A_inverse, G_inverse = _factors(state, layer)
            A[:] = kept * A + (1 - kept) / n * (a.T @ a)
            G[:] = kept * G + (1 - kept) / n * (d.T @ d)
            if state.t < INVERT_EVERY or state.t % INVERT_EVERY == 0:  # the first ones are of few batches
                A_inverse[:], G_inverse[:] = damped_inverses(A, G, self.damping)

    def step(self, theta: Array, gradient: Array, state: OptimizerState) -> None:
        """Take one step, after `observe`: theta and state are updated in place."""
        assert isinstance(state, MatrixState)
        eta = self.update_scale * self.learning_rate
        V = state.memory[0]
        V *= self.momentum
        for layer, (part, shape) in enumerate(state.parts):
            _, _, A_inverse, G_inverse = _factors(state, layer)
            V[part] -= eta * (A_inverse @ (gradient[part].reshape(shape or ()) @ G_inverse)).reshape(-1)
        theta += V
        state.t += 1


def _factors(state: OptimizerState, layer: int) -> list[Array]:
    """Return A, G, A^-1 and G^-1 of a layer: square views into the memory."""
    vectors = state.memory[1 + 4 * layer : 5 + 4 * layer]
    return [vector.reshape(round(len(vector) ** 0.5), -1) for vector in vectors]
