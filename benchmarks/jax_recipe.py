"""A training by a recipe in JAX: one compiled program an epoch, batch norm, AdamW and one-cycle written out."""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from recipes import one_cycle


def labels(images, recipe, seed, done):
    """Train by a recipe, and return the labels of the rows to predict; see trainings.py."""
    X, y = jnp.asarray(images.X), jnp.asarray(images.y.astype(np.int32))
    done("load")
    first, *keys = jax.random.split(jax.random.key(seed), 1 + recipe.epochs)
    theta, statistics = start(recipe, first)
    zeros = jax.tree.map(jnp.zeros_like, theta)
    state = (theta, zeros, zeros, statistics, jnp.float32(0))
    compiled = jax.jit(partial(epoch, recipe)).lower(state, keys[0], X, y).compile()
    done("prepare")
    for key in keys:
        state, losses = compiled(state, key, X, y)
    jax.block_until_ready(losses)
    done("train")
    theta, _, _, statistics, _ = state
    predict = jax.jit(lambda *arguments: forward(*arguments, training=False)[0].argmax(1))
    return np.asarray(predict(theta, statistics, jnp.asarray(images.X_part)))


def start(recipe, key):
    """Return weights after He, biases of 0, scales of 1 where there is batch norm; and running statistics."""
    theta, statistics = [], []
    keys = jax.random.split(key, len(recipe.layers) - 1)
    for key, (d_in, d_out) in zip(keys, pairwise(recipe.layers), strict=True):
        W = jax.random.normal(key, (d_in, d_out)) * np.float32(np.sqrt(2 / d_in))
        theta.append({"W": W, "b": jnp.zeros(d_out)})
        statistics.append((jnp.zeros(d_out), jnp.ones(d_out)))
    if recipe.batch_norm:
        for layer in theta[:-1]:
            layer["gamma"] = jnp.ones_like(layer["b"])
    return theta, statistics[:-1]


def epoch(recipe, state, key, X, y):
    """Return the state after an epoch, one scan with four steps unrolled, and the losses."""
    size, batches = recipe.batch_size, len(X) // recipe.batch_size
    rows = jax.random.permutation(key, len(X))[: batches * size].reshape(batches, size)
    step = partial(adamw_step, recipe, recipe.epochs * batches)
    return jax.lax.scan(lambda state, rows: step(state, X[rows], y[rows]), state, rows, unroll=4)


def adamw_step(recipe, steps, state, X, y):
    """Return the state after a step, and the loss before it."""
    theta, m, v, statistics, t = state
    (value, statistics), gradient = jax.value_and_grad(loss, has_aux=True)(theta, statistics, X, y)
    rate = recipe.learning_rate * (one_cycle(t / (steps - 1), jnp) if recipe.one_cycle else 1)
    t += 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradient)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradient)
    eta, scale = rate / (1 - 0.9**t), 1 / (1 - 0.999**t)

    def moved(p, m, v):
        kept = 1 - rate * recipe.weight_decay if p.ndim == 2 else 1  # weights shrink, biases and scales do not
        return kept * p - eta * m / (jnp.sqrt(v * scale) + 1e-8)

    return (jax.tree.map(moved, theta, m, v), m, v, statistics, t), value


def loss(theta, statistics, X, y):
    """Return the mean cross-entropy, and the running statistics after the batch."""
    Z, statistics = forward(theta, statistics, X, training=True)
    return -jnp.take_along_axis(jax.nn.log_softmax(Z), y[:, None], axis=1).mean(), statistics


def forward(theta, statistics, H, training):
    """Return the outputs before the softmax, and the running statistics after the batch."""
    after = []
    for layer, (mean, variance) in zip(theta[:-1], statistics, strict=True):
        A = H @ layer["W"]
        if "gamma" in layer:
            running = mean, variance
            if training:
                mean, variance = A.mean(0), A.var(0)
                running = tuple(0.9 * old + 0.1 * new for old, new in zip(running, (mean, variance), strict=True))
            after.append(running)
            A = layer["gamma"] * jax.lax.rsqrt(variance + 1e-5) * (A - mean)
        else:
            after.append((mean, variance))
        H = jax.nn.relu(A + layer["b"])
    return H @ theta[-1]["W"] + theta[-1]["b"], after
