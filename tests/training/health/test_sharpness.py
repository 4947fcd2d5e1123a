"""The sharpness is the largest eigenvalue, and gradient descent keeps to the bound that it gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.nn.network import Network
from glassnet.training.health.sharpness import largest_rate, sharpness
from glassnet.training.health.vitals import Probe


def linear(seed, n=30, d=4):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * rng.uniform(0.3, 3, d)
    y = rng.normal(size=(n, 1))
    network = Network([d, 1], loss="half_squared_error", dtype="float64", seed=seed)
    with_ones = np.column_stack([X, np.ones(n)])
    return network, Probe(network, X, y), np.linalg.eigvalsh(with_ones.T @ with_ones / n)[-1]


@settings(max_examples=30)
@given(st.integers(0, 1000))
def test_of_a_linear_network_it_is_that_of_the_normal_matrix(seed):
    network, probe, largest = linear(seed)
    assert sharpness(network, probe) == pytest.approx(largest, rel=0.1)
    assert sharpness(network, probe) <= largest * (1 + 1e-6)  # power iteration comes from below


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_steps_below_the_bound_converge_and_steps_above_it_do_not(seed, momentum):
    network, probe, largest = linear(seed)
    bound = largest_rate(network, probe, momentum) * sharpness(network, probe) / largest
    for share, grows in ((0.95, False), (1.05, True)):
        theta, velocity, norms = network.theta.copy(), 0.0, []
        for _ in range(400):
            gradient = probe.gradient(network, theta)
            norms.append(np.linalg.norm(gradient))
            velocity = momentum * velocity + gradient
            theta = theta - share * bound * velocity
        assert (norms[-1] > norms[0]) == grows


def test_it_leaves_the_network_and_the_probe_as_they_are():
    network, probe, _ = linear(0)
    theta = network.theta.copy()
    network.gradient[:] = 3
    sharpness(network, probe)
    assert (network.theta == theta).all()
    assert (network.gradient == 3).all()


def test_it_is_unknown_where_the_loss_is_not_finite_or_flat():
    network, probe, _ = linear(0)
    network.theta[:] = 1e200
    assert np.isnan(sharpness(network, probe))
    dead = Network([4, 3, 1], "relu", loss="half_squared_error", dtype="float64")
    dead.theta[:] = 0
    dead.b[1][:] = 0
    found = sharpness(dead, Probe(dead, probe.X, probe.targets))
    assert found == pytest.approx(1, rel=1e-6)  # only the last bias has a slope
