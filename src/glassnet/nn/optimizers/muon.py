"""Muon: steps of a weight matrix whose directions are all equally long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.nn.activations import Array
from glassnet.nn.optimizers.adaptive import Adam
from glassnet.nn.optimizers.base import MatrixState, Optimizer, OptimizerState
from glassnet.nn.parameters import Parameters

#: a, b, c of the iteration, and how often it is applied (Jordan et al. 2024).
NEWTON_SCHULZ, ITERATIONS = (3.4445, -4.7750, 2.0315), 5


def orthogonalise(G: Array) -> Array:
    """Bring all singular values of a matrix near 1 and keep its singular vectors: U S V^T becomes about U V^T.

    Z = G / ||G||_F, whose singular values are at most 1. Five times, with A = Z Z^T of the shorter side:

        Z = a Z + (b A + c A A) Z,    a, b, c = 3.4445, -4.7750, 2.0315,

    which takes each singular value s to a s + b s^3 + c s^5. The coefficients lift small ones quickly instead of
    converging: what was at least 0.002 of ||G||_F ends between 0.68 and 1.21 (Jordan et al. 2024, "Muon: An
    optimizer for hidden layers in neural networks"). Smaller ones grow by a factor of up to a^5 = 485.

    G has the shape (d_in, d_out), in float32 or float64; so has what is returned. Zeros stay zeros.

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


@dataclass(frozen=True)
class Muon(Optimizer):
    """Muon: momentum, orthogonalised, for the W of hidden layers, and Adam for the rest (Jordan et al. 2024).

    With the gradient G of a W of shape (d_in, d_out), M the momentum before and after the step:

        M = momentum M + G
        W = W - eta sqrt(max(1, d_out / d_in)) orthogonalise(G + momentum M)

    Orthogonalised, all directions of a step are about equally long, see `orthogonalise`. The gradient enters
    twice, as Nesterov has it. The factor makes up for a layer that widens: it is the paper's
    max(1, rows / columns)^0.5, whose matrices are (d_out, d_in). Whatever the gradient's size, the step has the
    size of eta, so that Adam's learning rates are too small for it.

    Every W but the last is a hidden layer's: the first one too, which in a multilayer perceptron mixes its inputs
    as the others do. The last W, the biases and the scales of batch normalisation are `Adam`'s, with the learning
    rate adam_scale * learning_rate.

    Its memory is two vectors as long as theta: M, or m and v for the parameters of `Adam`.

    Parameters
    ----------
    learning_rate, update_scale : float, default 0.02 and 1
        Step size of the matrices and a factor on it, > 0: eta = update_scale * learning_rate.
    momentum : float, default 0.95
        Share of M that is kept at each step, in [0, 1).
    adam_scale : float, default 0.1
        Adam's learning rate as a multiple of learning_rate, > 0.
    beta1, beta2, epsilon : float, default 0.9, 0.999, 1e-8
        As those of `Adam`, for the parameters that it is used on.

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
