"""The network that is explained where nobody has trained one."""

import numpy as np
import pytest

from glassnet.errors import UsageError
from glassnet.graph.example_network import example_network, example_sample


@pytest.mark.parametrize("layers", [[3, 2, 1], [2, 3, 2], [4, 1], [5, 4, 3, 2]])
def test_all_numbers_are_short(layers):
    network = example_network(layers)
    X, _ = example_sample(network)
    assert (network.theta == np.round(network.theta, 2)).all()
    assert (np.round(X, 2) == X).all()
    assert network.theta.dtype == X.dtype == np.float64
    assert all(b.any() for b in network.b)


@pytest.mark.parametrize(
    ("layers", "options", "loss", "last"),
    [
        ([3, 2, 1], {}, "half_squared_error", "sigmoid"),
        ([3, 2, 1], {"activation": "tanh"}, "half_squared_error", "tanh"),
        ([3, 2, 2, 1], {"activation": ["tanh", "relu"]}, "half_squared_error", "relu"),
        ([3, 1], {"activation": []}, "half_squared_error", "sigmoid"),
        ([3, 2, 1], {"output_activation": "identity"}, "half_squared_error", "identity"),
        ([3, 2, 2], {}, "cross_entropy", "identity"),
        ([3, 2, 2], {"loss": "huber(0.5)"}, "huber(0.5)", "sigmoid"),
    ],
)
def test_the_output_is_as_in_the_textbooks_where_the_loss_leaves_the_choice(layers, options, loss, last):
    network = example_network(layers, **options)
    assert (network.loss.name, network.activations[-1].name) == (loss, last)


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "absolute_error"])
def test_the_sample_suits_the_loss_and_the_seed_draws_it(loss):
    network = example_network([3, 4, 3], loss=loss)
    drawn = [example_sample(network, seed) for seed in range(8)]
    assert all(network.check_data(X, y)[1].shape == (1, 3) for X, y in drawn)
    assert len({y.tobytes() for _, y in drawn}) > 1
    assert len({X.tobytes() for X, _ in drawn}) == 8
    again = example_sample(network, 3)
    assert all((one == other).all() for one, other in zip(again, drawn[3], strict=True))


def test_seed_0_draws_the_same_numbers_always():
    network = example_network([2, 1])
    X, y = example_sample(network)
    assert (network.W[0].tolist(), X.tolist(), y.tolist()) == ([[1.25], [-0.52]], [[0.31, -0.35]], [[0.0]])


def test_another_seed_is_another_network():
    assert (example_network([3, 2, 1], seed=1).theta != example_network([3, 2, 1]).theta).any()
    with pytest.raises(UsageError, match="layers"):
        example_network([3])


def test_a_network_with_batch_normalisation_has_scales_of_two_digits_and_a_batch_of_rows():
    network = example_network([3, 2, 2], batch_norm=True, dropout=0.5)
    X, y = example_sample(network, n=4)
    (gamma,) = network.gamma[:1]
    assert ((gamma >= 0.5) & (gamma <= 1.5) & (gamma != 1)).all()
    assert (np.round(network.theta, 2) == network.theta).all()
    assert (X.shape, y.shape) == ((4, 3), (4,))
    assert (example_sample(network)[0] == X[:1]).all()
    plain = example_network([3, 2, 2])
    assert all((one == other).all() for one, other in zip(network.W, plain.W, strict=True))
