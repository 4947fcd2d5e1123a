"""Optimizers of matrices, against the singular value decomposition and against numbers worked out by hand."""

import copy
from dataclasses import fields

import numpy as np
import pytest

from glassnet.errors import UsageError
from glassnet.nn.backpropagation import ForwardCache
from glassnet.nn.network import Network
from glassnet.nn.optimizers import KFAC, Adam, Muon, Optimizer
from glassnet.nn.optimizers.kfac import damped_inverses
from glassnet.nn.optimizers.muon import orthogonalise
from glassnet.nn.parameters import Parameters
from glassnet.nn.registry import Registry

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def noise(*shape, seed=3):
    return np.random.default_rng(seed).normal(size=shape)


def rotation(d, seed=5):
    return np.linalg.qr(noise(d, d, seed=seed))[0]


def lifted(s):
    """Where five applications of the quintic take a singular value, number by number."""
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return s


# Newton-Schulz


@DTYPES
@pytest.mark.parametrize("shape", [(7, 7), (30, 11), (11, 30), (1, 5), (5, 1), (1, 1)], ids=str)
def test_singular_values_follow_the_quintic_and_the_vectors_stay(shape, dtype):
    """Beside NumPy's own decomposition: U p(S / ||G||) V^T, of any shape."""
    G = noise(*shape).astype(dtype)
    U, S, Vt = np.linalg.svd(G.astype(float), full_matrices=False)
    expected = (U * lifted(S / np.sqrt((S**2).sum()))) @ Vt
    result = orthogonalise(G)
    assert (result.dtype, result.shape) == (G.dtype, shape)
    np.testing.assert_allclose(result, expected, atol=2e-5 if dtype == np.float32 else 1e-12)


@DTYPES
def test_singular_values_end_near_one(dtype):
    """From a fifth of a percent of the norm on, that is the known band around 1."""
    S = np.geomspace(0.0045, 1, 40)  # the norm is 2.03
    G = (rotation(40) * S) @ rotation(40, seed=6)[:, :60]
    ends = np.linalg.svd(orthogonalise((G / 3e4).astype(dtype)), compute_uv=False)
    assert 0.68 < ends.min() < 0.75
    assert 1.0 < ends.max() < 1.21
    near = orthogonalise(G)
    U, _, Vt = np.linalg.svd(G, full_matrices=False)
    cosine = (near * (U @ Vt)).sum() / np.linalg.norm(near) / np.linalg.norm(U @ Vt)
    assert cosine > 0.97


def test_turning_the_input_turns_the_result():
    G, Q, R = noise(9, 6), rotation(9), rotation(6)
    np.testing.assert_allclose(orthogonalise(Q @ G @ R), Q @ orthogonalise(G) @ R, atol=1e-13)
    np.testing.assert_allclose(orthogonalise(G.T), orthogonalise(G).T, atol=1e-15)


@pytest.mark.parametrize("factor", [1e-12, 1e-3, 1e5])
def test_size_does_not_matter_and_sign_does(factor):
    G = noise(4, 6).astype(np.float32)
    np.testing.assert_allclose(orthogonalise(np.float32(factor) * G), orthogonalise(G), atol=1e-5)
    np.testing.assert_array_equal(orthogonalise(-G), -orthogonalise(G))


def test_nothing_comes_of_nothing():
    np.testing.assert_array_equal(orthogonalise(np.zeros((3, 2), np.float32)), np.zeros((3, 2)))


# A step


def setting(layers=(4, 3, 5, 2), dtype=np.float64, batch_norm=None):
    parameters = Parameters(layers, dtype, batch_norm)
    parameters.theta[:] = noise(len(parameters.theta), seed=1)
    return parameters


def test_a_step_by_hand():
    """A single hidden weight: its singular value is 1 after the norm, and p(1) five times over is 0.6964.

    The network is 1-1-1: theta is W1, b1, W2, b2. Adam's first step is as long as its learning rate.
    """
    parameters = Parameters([1, 1, 1], np.float64)
    parameters.theta[:] = [2, 2, 2, 2]
    muon = Muon(0.5, adam_scale=0.25, update_scale=2, epsilon=1e-300)
    state = muon.start(parameters.theta, parameters)
    muon.step(parameters.theta, np.array([3.0, 3, -3, 1e-3]), state)
    np.testing.assert_allclose(parameters.theta, [2 - lifted(1.0), 1.75, 2.25, 1.75], rtol=1e-12)
    assert lifted(1.0) == pytest.approx(0.6964364)


def test_two_steps_of_a_row_by_hand():
    """W1 of shape (1, 2), gradients (3, 4) and (-3, 0), momentum 1/2: M = (3, 4), then (-1.5, 2).

    The steps are along G + M / 2: (4.5, 6) = 7.5 (0.6, 0.8), then (-3.75, 1). A layer from 1 to 2 units: sqrt(2).
    """
    parameters = Parameters([1, 2, 1], np.float64)
    muon = Muon(0.1, momentum=0.5)
    state = muon.start(parameters.theta, parameters)
    length = 0.1 * np.sqrt(2) * lifted(1.0)
    path = [np.zeros(2)]
    for gradient in ([3, 4], [-3, 0]):
        muon.step(parameters.theta, np.array([*gradient, 0, 0, 0, 0, 0], float), state)
        path.append(parameters.W[0][0].copy())
    np.testing.assert_allclose(path[1], -length * np.array([0.6, 0.8]), rtol=1e-12)
    np.testing.assert_allclose(path[2] - path[1], -length * np.array([-3.75, 1]) / np.hypot(3.75, 1), rtol=1e-12)
    np.testing.assert_allclose(state.memory[0][:2], [-1.5, 2])
    assert state.t == 2


@pytest.mark.parametrize(("layers", "factor"), [((8, 2, 1), 1), ((2, 8, 1), 2), ((3, 3, 1), 1)], ids=str)
def test_only_a_layer_that_widens_takes_longer_steps(layers, factor):
    parameters = setting(layers)
    muon, before = Muon(0.1), parameters.W[0].copy()
    gradient = noise(len(parameters.theta))
    block = gradient[parameters.blocks["W1"]].reshape(layers[:2])
    muon.step(parameters.theta, gradient, muon.start(parameters.theta, parameters))
    np.testing.assert_allclose(before - parameters.W[0], 0.1 * factor * orthogonalise(block), atol=1e-14)


@pytest.mark.parametrize("batch_norm", [None, (True, True, False)])
def test_all_but_the_hidden_weights_walk_with_adam(batch_norm):
    parameters = setting(batch_norm=batch_norm)
    theta = parameters.theta.copy()
    muon, adam = Muon(0.02, adam_scale=0.5, beta1=0.8, beta2=0.9), Adam(0.01, beta1=0.8, beta2=0.9)
    state, adams = muon.start(parameters.theta, parameters), adam.start(theta)
    hidden = np.zeros(len(theta), bool)
    for name in ("W1", "W2"):
        hidden[parameters.blocks[name]] = True
    assert hidden.sum() == 4 * 3 + 3 * 5
    for gradient in noise(5, len(theta)):
        muon.step(parameters.theta, gradient, state)
        adam.step(theta, gradient, adams)
    np.testing.assert_array_equal(parameters.theta[~hidden], theta[~hidden])
    assert (np.abs(parameters.theta - theta)[hidden] > 1e-6).all()


@pytest.mark.parametrize("layers", [None, (6, 2)], ids=["unknown", "no hidden layer"])
def test_where_there_are_no_hidden_weights_it_is_adam(layers):
    parameters = setting(layers or (6, 2))
    theta, gradients = parameters.theta.copy(), noise(4, len(parameters.theta))
    muon, adam = Muon(0.02, adam_scale=0.1), Adam(0.002)
    state, adams = muon.start(theta, parameters if layers else None), adam.start(theta)
    for gradient in gradients:
        muon.step(parameters.theta, gradient, state)
        adam.step(theta, gradient, adams)
    np.testing.assert_allclose(parameters.theta, theta, rtol=1e-12)


@DTYPES
def test_memory_is_all_that_a_walk_goes_on_from(dtype):
    """Three steps, the memory kept as bytes, three more: as six in one go; the dtype stays, the gradient too."""
    muon, gradients = Muon(0.05), noise(6, 51).astype(dtype)
    kept = gradients.copy()
    whole, halves = setting(dtype=dtype), setting(dtype=dtype)
    state = muon.start(whole.theta, whole)
    for gradient in gradients:
        muon.step(whole.theta, gradient, state)
    first = muon.start(halves.theta, halves)
    for gradient in gradients[:3]:
        muon.step(halves.theta, gradient, first)
    second = muon.start(halves.theta, halves)
    second.t, stored = first.t, [vector.tobytes() for vector in first.memory]
    for vector, memory in zip(second.memory, stored, strict=True):
        vector[:] = np.frombuffer(memory, dtype)
    for gradient in gradients[3:]:
        muon.step(halves.theta, gradient, second)
    assert halves.theta.tobytes() == whole.theta.tobytes()
    assert {vector.dtype for vector in (whole.theta, *state.memory)} == {np.dtype(dtype)}
    np.testing.assert_array_equal(gradients, kept)


@pytest.mark.parametrize("kind", [Muon, KFAC])
def test_what_others_remember_behind_its_own_memory_is_left_alone(kind):
    """An average of theta, for example, is kept as one more vector."""
    X, y = labelled()
    paths = []
    for more in (0, 1):
        network, optimizer = Network([4, 5, 2], "tanh", seed=1, dtype="float64"), kind(0.05)
        state = optimizer.start(network.theta, network.parameters)
        state.memory += [np.full(len(network.theta), 7.0)] * more
        walk_along(network, X, y, optimizer, 3, state)
        paths.append(network.fingerprint())
    assert paths[0] == paths[1]
    assert (state.memory[-1] == 7).all()


def test_float32_follows_float64():
    paths = []
    for dtype in (np.float32, np.float64):
        parameters = setting(dtype=dtype)
        muon = Muon(0.05)
        state = muon.start(parameters.theta, parameters)
        for gradient in noise(6, 51):
            muon.step(parameters.theta, gradient.astype(dtype), state)
        paths.append(parameters.theta)
    np.testing.assert_allclose(*paths, atol=1e-4)


def test_a_copied_state_walks_on_by_itself():
    parameters = setting()
    muon = Muon()
    state = muon.start(parameters.theta, parameters)
    other = copy.deepcopy(state)
    muon.step(parameters.theta, noise(51), state)
    assert (state.t, other.t) == (1, 0)
    assert all(vector.any() for vector in state.memory)
    assert not any(vector.any() for vector in other.memory)


def test_a_network_learns_with_it():
    """It fits labels that no line separates: inside and outside of a circle."""
    X = noise(300, 2)
    y = ((X**2).sum(axis=1) > 1.4).astype(int)
    network = Network([2, 16, 16, 2], "tanh", seed=1, dtype="float64")
    muon, targets = Muon(0.05), network.encode(y)
    state = muon.start(network.theta, network.parameters)
    for _ in range(100):
        network.backward(network.forward(X), targets)
        muon.step(network.theta, network.gradient, state)
    assert np.mean(network.predict(X) == y) > 0.97


# K-FAC


def walk_along(network, X, y, optimizer, steps, state=None):
    """Take steps with all rows as the batch; return the losses before them."""
    targets, losses = network.encode(y), []
    state = state or optimizer.start(network.theta, network.parameters)
    for _ in range(steps):
        trace = network.forward(X)
        losses.append(network.backward(trace, targets))
        if isinstance(optimizer, KFAC):
            optimizer.observe(trace, state)
        optimizer.step(network.theta, network.gradient, state)
    return losses


def labelled(n=60, d=4):
    X = noise(n, d)
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def test_the_first_step_is_the_inverse_fisher_matrix_times_the_gradient():
    """Beside the whole matrix A (x) G, written out and solved, with dampings chosen by the mean eigenvalues."""
    X, y = labelled()
    network = Network([4, 5, 2], "tanh", seed=1, dtype="float64")
    trace, before = network.forward(X), network.copy()
    network.backward(trace, network.encode(y))
    gradients = [np.vstack([dW, db]) for dW, db in zip(network.dW, network.db, strict=True)]
    walk_along(network, X, y, KFAC(0.3, damping=0.04, update_scale=2), 1)
    for layer in range(2):
        a = np.hstack([trace.H[layer], np.ones((60, 1))])
        d = 60 * trace.delta[layer]
        A, G = a.T @ a / 60, d.T @ d / 60
        pi = np.sqrt(np.trace(A) / len(A) / (np.trace(G) / len(G)))
        fisher = np.kron(A + pi * 0.2 * np.eye(len(A)), G + 0.2 / pi * np.eye(len(G)))
        step = -0.6 * np.linalg.solve(fisher, gradients[layer].reshape(-1)).reshape(len(A), len(G))
        np.testing.assert_allclose(network.W[layer] - before.W[layer], step[:-1], atol=1e-12)
        np.testing.assert_allclose(network.b[layer] - before.b[layer], step[-1], atol=1e-12)


def test_other_units_of_the_inputs_change_nothing():
    """Martens and Grosse 2015, theorem 1: inputs may be mixed, scaled and shifted, the path is the same."""
    X, y = labelled()
    mix, shift = noise(4, 4, seed=8) * [1, 10, 0.1, 1], np.array([3, 0, -1, 5.0])
    network = Network([4, 5, 1], "tanh", loss="binary_cross_entropy", seed=1, dtype="float64")
    other, start, moved = network.copy(), network.outputs(X), X @ mix + shift
    other.W[0][:] = np.linalg.solve(mix, network.W[0])
    other.b[0][:] = network.b[0] - shift @ other.W[0]
    np.testing.assert_allclose(other.outputs(moved), start, atol=1e-12)
    for net, rows in ((network, X), (other, moved)):
        walk_along(net, rows, y, KFAC(0.05, damping=1e-20), 5)
    assert np.abs(network.outputs(X) - start).max() > 0.5
    np.testing.assert_allclose(other.outputs(moved), network.outputs(X), atol=1e-5)


def test_momentum_by_hand():
    """One weight, A = 1 and G = 4 of the first batch, gradients 2 and 1: V = -1/4, then -1/8 - 1/8."""
    parameters = Parameters([1, 1], np.float64)
    kfac = KFAC(0.5, momentum=0.5, damping=1e-14)
    state = kfac.start(parameters.theta, parameters)
    rows = ForwardCache(H=[], inputs=[np.array([[1.0], [-1.0]])], delta=[np.array([[1.0], [-1.0]])])
    for gradient in (2.0, 1.0):
        kfac.observe(rows, state)
        kfac.step(parameters.theta, np.array([gradient, 0.0]), state)
    np.testing.assert_allclose(state.memory[0], [-0.25, 0], atol=1e-6)
    np.testing.assert_allclose(parameters.theta, [-0.5, 0], atol=1e-6)


def test_factors_are_running_means_and_their_inverses_wait():
    """One input h = s at the step s: every tenth is looked at; up to step 50 the inverses follow at once."""
    parameters = Parameters([1, 1], np.float64)
    kfac = KFAC(damping=0.01)
    state, measured, inverses = kfac.start(parameters.theta, parameters), [], []
    for step in range(131):
        kfac.observe(ForwardCache(H=[], inputs=[np.array([[float(step)]])], delta=[np.array([[2.0]])]), state)
        kfac.step(parameters.theta, np.zeros(2), state)
        measured.append(state.memory[1].reshape(2, 2).copy())
        inverses.append(state.memory[3].reshape(2, 2).copy())
    means = [measured[step][0, 1] for step in range(0, 131, 10)]  # of h times 1
    np.testing.assert_allclose(means, [np.mean(range(0, step + 1, 10)) for step in range(0, 131, 10)])
    assert (measured[19] == measured[10]).all()
    np.testing.assert_array_equal(state.memory[2], [4])
    changed = [step for step in range(1, 131) if (inverses[step] != inverses[step - 1]).any()]
    assert changed == [10, 20, 30, 40, 50, 100]
    G = np.array([[4.0]])
    np.testing.assert_allclose(inverses[100], damped_inverses(measured[100], G, 0.01)[0], rtol=1e-12)


def test_the_past_is_forgotten_in_the_end():
    parameters = Parameters([1, 1], np.float64)
    kfac = KFAC()
    state = kfac.start(parameters.theta, parameters)
    state.t, state.memory[2][:] = 1000, 1
    kfac.observe(ForwardCache(H=[], inputs=[np.ones((1, 1))], delta=[np.array([[3.0]])]), state)
    np.testing.assert_allclose(state.memory[2], 0.95 + 0.05 * 9)


@DTYPES
def test_kfac_goes_on_from_its_memory(dtype):
    """Twelve steps, the memory kept as bytes, twelve more: as 24 in one go."""
    X, y = labelled()
    X = X.astype(dtype)
    whole, halves = (Network([4, 5, 2], "tanh", seed=1, dtype=np.dtype(dtype).name) for _ in range(2))
    kfac = KFAC(0.05)
    walk_along(whole, X, y, kfac, 24)
    first = kfac.start(halves.theta, halves.parameters)
    walk_along(halves, X, y, kfac, 12, first)
    second = kfac.start(halves.theta, halves.parameters)
    second.t = first.t
    for vector, kept in zip(second.memory, first.memory, strict=True):
        assert (vector.ndim, vector.dtype) == (1, dtype)
        vector[:] = np.frombuffer(kept.tobytes(), dtype)
    walk_along(halves, X, y, kfac, 12, second)
    assert halves.fingerprint() == whole.fingerprint()


def test_kfac_learns_where_inputs_have_very_different_sizes():
    X, y = labelled(200)
    X = X * [1, 30, 0.03, 1]
    fast, slow = (Network([4, 12, 2], "tanh", seed=1, dtype="float64") for _ in range(2))
    loss = walk_along(fast, X, y, KFAC(0.05), 80)[-1]
    adam, targets = Adam(0.01), slow.encode(y)
    state = adam.start(slow.theta)
    for _ in range(80):
        slower = slow.backward(slow.forward(X), targets)
        adam.step(slow.theta, slow.gradient, state)
    assert loss < 0.7 * slower


@DTYPES
def test_a_layer_that_learns_nothing_more_has_finite_inverses(dtype):
    """A perfect fit has no deltas: G is zero, the gradient too."""
    A, G = np.eye(3, dtype=dtype), np.zeros((2, 2), dtype)
    inverses = damped_inverses(A, G, 0.01)
    np.testing.assert_allclose(inverses[0], np.eye(3) / 1.1, rtol=1e-6)
    np.testing.assert_allclose(inverses[1], np.eye(2) / 0.1, rtol=1e-6)
    assert {inverse.dtype for inverse in inverses} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    "parameters",
    [None, Parameters([2, 3, 1], np.float64, [True, False])],
    ids=["no parameters", "batch normalisation"],
)
def test_kfac_needs_layers_without_batch_normalisation(parameters):
    with pytest.raises(UsageError, match=r"^optimizer: kfac needs the layers of a network"):
        KFAC().start(np.zeros(16), parameters)


# Specifications


def test_the_defaults_are_the_published_ones():
    muon = Muon()
    assert (muon.learning_rate, muon.momentum) == (0.02, 0.95)
    assert muon == Muon(0.02, 0.95, 0.1, 0.9, 0.999, 1e-8)


@pytest.mark.parametrize("kind", [Muon, KFAC])
def test_a_specification_leads_back_to_the_same_optimizer(kind):
    odd = kind(*[0.1 + 1e-17 + 0.037] * (len(fields(kind)) - 1), update_scale=1 / 3)
    registry = Registry("optimizer", Optimizer)
    registry.add(kind.name, kind)
    assert registry.resolve(odd.spec) == odd
    assert registry.resolve(kind.name) == kind()
