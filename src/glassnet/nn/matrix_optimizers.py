"""Optimizers that see a weight matrix as a matrix, and not as so many separate numbers.

`Muon` makes all directions of a step equally long. `KFAC` measures how much each direction changes what the
network says, and goes the further the less it does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from glassnet.errors import NonFiniteError, UsageError
from glassnet.nn.activations import Array
from glassnet.nn.backpropagation import Trace
from glassnet.nn.optimizer import Optimizer, OptimizerState
from glassnet.nn.parameters import Parameters
from glassnet.nn.update_rules import Adam

#: a, b, c of the iteration, and how often it is applied (Jordan et al. 2024).
NEWTON_SCHULZ, ITERATIONS = (3.4445, -4.7750, 2.0315), 5


def orthogonalise(G: Array) -> Array:
    """Bring all singular values of a matrix near 1 and keep its singular vectors: U S V^T becomes about U V^T.

    Z = G / ||G||_F, whose singular values are at most 1. Five times, with A = Z Z^T of the shorter side:

        Z = a Z + (b A + c A A) Z,    a, b, c = 3.4445, -4.7750, 2.0315,

    which takes each singular value s to a s + b s^3 + c s^5. The coefficients lift small ones quickly instead of
    converging: what was at least 0.002 of ||G||_F ends between 0.68 and 1.21 (Jordan et al. 2024, "Muon: An
    optimizer for hidden layers in neural networks"). Smaller ones grow by a factor of up to a^5 = 485.

    Parameters
    ----------
    G : ndarray of shape (d_in, d_out)
        float32 or float64.

    Returns
    -------
    ndarray of shape (d_in, d_out)
        Of the same dtype; zeros for zeros.

    Examples
    --------
    >>> np.linalg.svd(orthogonalise(np.diag([3.0, -2.0, 0.1])))[1].round(1)
    array([1.1, 1.1, 0.7])
    """
    a, b, c = NEWTON_SCHULZ
    Z = G.T if G.shape[0] > G.shape[1] else G
    Z = Z / (np.linalg.norm(Z) + np.finfo(Z.dtype).tiny)
    for _ in range(ITERATIONS):
        A = Z @ Z.T
        Z = a * Z + (b * A + c * (A @ A)) @ Z
    return Z.T if G.shape[0] > G.shape[1] else Z


@dataclass
class MatrixState(OptimizerState):
    """What an optimizer of matrices remembers, and where in theta they are.

    Attributes
    ----------
    parts : list of (slice, shape or None)
        Theta from its beginning to its end: the matrices with their shapes; None for what is no matrix.
    """

    parts: list[tuple[slice, tuple[int, ...] | None]] = field(default_factory=list)


@dataclass(frozen=True)
class Muon(Optimizer):
    """Momentum, orthogonalised, for the hidden layers' W; Adam for the rest (Jordan et al. 2024).

    With the gradient G of a W of shape (d_in, d_out), M the momentum before and after the step:

        M = momentum M + G
        W = W - eta sqrt(max(1, d_out / d_in)) orthogonalise(G + momentum M)

    The gradient enters twice, as Nesterov has it. The factor makes up for a layer that widens: it is the paper's
    max(1, rows / columns)^0.5, whose matrices are (d_out, d_in). Whatever the gradient's size, the step has the
    size of eta, so that Adam's learning rates are too small for it.

    Every W but the last is a hidden layer's: the first one too, which in a multilayer perceptron mixes its inputs
    as the others do. The last W, the biases and the scales of batch normalisation are `Adam`'s, with the learning
    rate adam_scale * learning_rate.

    Parameters
    ----------
    learning_rate : float, default 0.02
        Step size eta of the matrices, > 0.
    momentum : float, default 0.95
        In [0, 1).
    adam_scale : float, default 0.1
        Adam's learning rate as a multiple of learning_rate, > 0.
    beta1, beta2, epsilon : float
        Of `Adam`.

    Examples
    --------
    >>> parameters = Parameters([2, 3, 1], np.float64)
    >>> muon = Muon(0.1)
    >>> state = muon.start(parameters.theta, parameters)
    >>> parameters.dW[0][:] = 1e-6  # a matrix of rank 1: one singular value, which becomes about 0.7
    >>> muon.step(parameters.theta, parameters.gradient, state)
    >>> np.linalg.norm(parameters.W[0]).round(3)  # 0.1 sqrt(3 / 2) times that
    np.float64(0.085)
    """

    learning_rate: float = 0.02
    momentum: float = 0.95
    adam_scale: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    name = "muon"
    memory_vectors = 2

    def start(self, theta: Array, parameters: Parameters | None = None) -> OptimizerState:
        """Return the memory of an optimizer that has not taken a step: zeros.

        Without parameters nobody can tell where the matrices are, and all of theta is Adam's.
        """
        memory = super().start(theta).memory
        blocks = {} if parameters is None else parameters.blocks
        hidden = [] if parameters is None else parameters.W[:-1]
        state, last = MatrixState(memory=memory), 0
        for layer, W in enumerate(hidden, start=1):
            block = blocks[f"W{layer}"]
            state.parts += [(slice(last, block.start), None), (block, W.shape)]
            last = block.stop
        state.parts.append((slice(last, len(theta)), None))
        return state

    def step(self, theta: Array, gradient: Array, state: OptimizerState) -> None:
        """Take one step: theta and state are updated in place.

        The memory of a matrix is M in the first vector; of the rest, Adam's m and v.
        """
        eta = self.update_scale * self.learning_rate
        adam = Adam(self.adam_scale * eta, self.beta1, self.beta2, self.epsilon)
        parts = state.parts if isinstance(state, MatrixState) else [(slice(0, len(theta)), None)]
        for part, shape in parts:
            if shape is None:
                memory = [vector[part] for vector in state.memory[: self.memory_vectors]]
                adam.step(theta[part], gradient[part], OptimizerState(state.t, memory))
            else:
                M, G = state.memory[0][part], gradient[part]
                M *= self.momentum
                M += G
                update = orthogonalise((G + self.momentum * M).reshape(shape))
                d_in, d_out = shape
                theta[part] -= (eta * max(1, d_out / d_in) ** 0.5 * update).reshape(-1)
        state.t += 1


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
    """Natural gradient, layer by layer, with factored curvature (Martens and Grosse 2015).

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
    smaller the batch, the less it pays. It needs memory for two matrices of (d_in + 1)^2 numbers and two of
    d_out^2 a layer, and a loss that is the mean of the rows' losses.

    Parameters
    ----------
    learning_rate : float, default 0.01
        Step size eta, > 0.
    momentum : float, default 0.9
        In [0, 1).
    damping : float, default 0.003
        What is added to the curvature, > 0: the larger, the more it is gradient descent.

    Examples
    --------
    >>> parameters = Parameters([1, 1], np.float64)
    >>> kfac = KFAC(0.5, damping=1e-12)
    >>> state = kfac.start(parameters.theta, parameters)
    >>> trace = Trace(H=[], inputs=[np.array([[1.0], [-1.0]])], delta=[np.array([[1.0], [-1.0]])])
    >>> kfac.observe(trace, state)  # A = I, G = 2^2, as the two rows' own d are 2 and -2
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

        Raises
        ------
        UsageError
            If there are no parameters to tell the layers by, or if one of them normalises.
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

    def observe(self, trace: Trace, state: OptimizerState) -> None:
        """Look at a batch before its step: measure the factors and invert them, where it is time.

        Parameters
        ----------
        trace : Trace
            Of the batch, with its deltas.
        state : OptimizerState
            From `start`; its factors are updated in place.
        """
        if state.t % MEASURE_EVERY:
            return
        k = state.t // MEASURE_EVERY + 1
        kept = min(1 - 1 / k, KEPT)
        for layer, (H, delta) in enumerate(zip(trace.inputs, trace.delta, strict=True)):
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
