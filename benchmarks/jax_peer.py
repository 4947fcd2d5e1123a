"""The network in JAX: one compiled program an epoch."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np


def jax_epoch(data, workload):
    """Return an epoch that is one compiled scan, four steps unrolled; it leaves out the last, smaller batch."""
    X, y = jnp.asarray(data.X), jnp.asarray(data.y.astype(np.int32))
    batches = len(X) // workload.batch_size

    @jax.jit
    def compiled(state, key, X, y):
        order = jax.random.permutation(key, len(X))[: batches * workload.batch_size]
        rows = order.reshape(batches, workload.batch_size)
        return jax.lax.scan(lambda state, rows: adam_step(state, X[rows], y[rows]), state, rows, unroll=4)

    theta = start(workload.layers)
    zeros = jax.tree.map(jnp.zeros_like, theta)
    state, key = (theta, zeros, zeros, jnp.float32(0)), jax.random.key(0)

    def epoch():
        nonlocal state, key
        key, now = jax.random.split(key)
        state, losses = compiled(state, now, X, y)
        jax.block_until_ready(losses)

    return epoch


def start(layers):
    """Return weights after He and biases of 0."""
    keys = jax.random.split(jax.random.key(1), len(layers) - 1)
    return [
        (jax.random.normal(key, (d_in, d_out)) * np.float32(np.sqrt(2 / d_in)), jnp.zeros(d_out))
        for key, (d_in, d_out) in zip(keys, pairwise(layers), strict=True)
    ]


def adam_step(state, X, y):
    """Return the state after a step, and the loss before it."""
    theta, m, v, t = state
    value, gradient = jax.value_and_grad(loss)(theta, X, y)
    t += 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradient)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradient)
    rate, scale = 0.001 / (1 - 0.9**t), 1 / (1 - 0.999**t)
    theta = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v * scale) + 1e-8), theta, m, v)
    return (theta, m, v, t), value


def loss(theta, X, y):
    """Return the mean cross-entropy."""
    logs = jax.nn.log_softmax(logits(theta, X))
    return -jnp.take_along_axis(logs, y[:, None], axis=1).mean()


def logits(theta, H):
    """Return the outputs before the softmax."""
    for W, b in theta[:-1]:
        H = jax.nn.relu(H @ W + b)
    W, b = theta[-1]
    return H @ W + b
