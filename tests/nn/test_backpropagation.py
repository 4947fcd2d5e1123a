"""Forward and backward against numbers worked out on paper.

The network is 2-2-1 with relu, the batch has two rows, one of them with a unit that relu shuts:

    Z1 = [[7.5, -1], [1, 1.5]]    H1 = [[7.5, 0], [1, 1.5]]    Z2 = [[15.25], [0.75]]
"""

import math

import numpy as np
import pytest

from glassnet.errors import NonFiniteError
from glassnet.nn.activations import Activation
from glassnet.nn.losses import Loss
from glassnet.nn.network import Network

THETA = np.array([1, -2, 3, 1, 0.5, -1, 2, -1, 0.25])
X = np.array([[1.0, 2], [-1, 0.5]])
Y = np.array([[10.0], [1]])


def network(dtype="float64", **options):
    options = {"loss": "half_squared_error", **options}
    return Network([2, 2, 1], activation="relu", initializer=THETA, dtype=dtype, **options)


# Everything is a short binary fraction: equality is exact, in float32 too.
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


@DTYPES
def test_forward_by_hand(dtype):
    net = network(dtype)
    trace = net.forward(X.astype(dtype))
    assert [Z.tolist() for Z in trace.Z] == [[[7.5, -1], [1, 1.5]], [[15.25], [0.75]]]
    assert [H.tolist() for H in trace.H] == [X.tolist(), [[7.5, 0], [1, 1.5]], [[15.25], [0.75]]]
    assert trace.outputs.tolist() == [[15.25], [0.75]]
    assert trace.delta == []


@DTYPES
def test_backward_by_hand(dtype):
    net = network(dtype)
    trace = net.forward(X.astype(dtype))
    # residuals 5.25 and -0.25: (27.5625 + 0.0625) / 2, averaged over two rows
    assert net.backward(trace, Y.astype(dtype)) == 6.90625
    assert [delta.tolist() for delta in trace.delta] == [[[5.25, 0], [-0.25, 0.125]], [[2.625], [-0.125]]]
    assert net.dW[1].tolist() == [[19.5625], [-0.1875]]
    assert net.db[1].tolist() == [2.5]
    assert net.dW[0].tolist() == [[5.5, -0.125], [10.375, 0.0625]]
    assert net.db[0].tolist() == [5, 0.125]
    assert net.gradient.tolist() == [5.5, -0.125, 10.375, 0.0625, 5, 0.125, 19.5625, -0.1875, 2.5]
    assert net.gradient.dtype == dtype


def test_the_sum_over_rows_by_hand():
    net = network(loss="half_squared_error(sum)")
    assert net.backward(net.forward(X), Y) == 13.8125
    assert net.gradient.tolist() == [11, -0.25, 20.75, 0.125, 10, 0.25, 39.125, -0.375, 5]


def test_an_output_scale_by_hand():
    """k = 2: outputs 30.5 and 1.5, residuals 20.5 and 0.5, and delta carries the k once more."""
    net = network(output_scale=2)
    trace = net.forward(X)
    assert trace.outputs.tolist() == [[30.5], [1.5]]
    assert trace.H[-1].tolist() == [[15.25], [0.75]]
    assert net.backward(trace, Y) == (20.5**2 + 0.5**2) / 4
    assert trace.delta[1].tolist() == [[20.5], [0.5]]
    assert (net.dW[1].tolist(), net.db[1].tolist()) == ([[154.25], [0.75]], [21])


def test_a_chain_of_sigmoids_by_hand():
    """sigmoid(log 3) = 3/4 and sigmoid(log 7) = 7/8, slopes 3/16 and 7/64."""
    theta = np.array([math.log(3), 0, math.log(7) / 0.75, 0])
    net = Network([1, 1, 1], "sigmoid", output_activation="sigmoid", loss="half_squared_error",
                  initializer=theta, dtype="float64")  # fmt: skip
    trace = net.forward(np.array([[1.0]]))
    assert trace.outputs[0, 0] == pytest.approx(7 / 8, rel=1e-15)
    assert net.backward(trace, np.array([[3 / 8]])) == pytest.approx(1 / 8, rel=1e-14)
    delta2 = 1 / 2 * 7 / 64
    delta1 = delta2 * math.log(7) / 0.75 * 3 / 16
    np.testing.assert_allclose(net.gradient, [delta1, delta1, 0.75 * delta2, delta2], rtol=1e-14)


def test_a_fused_softmax_by_hand():
    """Logits (0, log 3) are (1/4, 3/4); class 0: loss log 4, delta (-3/4, 3/4)."""
    net = Network([1, 2], initializer=np.array([0, math.log(3), 0, 0]), dtype="float64")
    trace = net.forward(np.array([[1.0]]))
    assert net.backward(trace, np.array([[1.0, 0]])) == pytest.approx(math.log(4))
    np.testing.assert_allclose(trace.delta[0], [[-0.75, 0.75]])
    np.testing.assert_allclose(net.gradient, [-0.75, 0.75, -0.75, 0.75])


def test_each_backward_starts_from_nothing():
    net = network()
    net.backward(net.forward(X), Y)
    first = net.gradient.copy()
    net.backward(net.forward(X), Y)
    np.testing.assert_array_equal(net.gradient, first)


def test_a_pass_leaves_theta_inputs_targets_and_trace_alone():
    net, x, y = network(), X.copy(), Y.copy()
    trace = net.forward(x)
    Z, H = [Z.copy() for Z in trace.Z], [H.copy() for H in trace.H]
    net.backward(trace, y)
    np.testing.assert_array_equal(net.theta, THETA)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)
    for kept, before in zip(trace.Z + trace.H, Z + H, strict=True):
        np.testing.assert_array_equal(kept, before)


def test_the_loss_value_needs_no_backward():
    net = network()
    assert net.loss_value(net.forward(X), Y) == 6.90625
    assert not net.gradient.any()


# Where NaN or infinity began


@pytest.mark.parametrize("loss", ["cross_entropy", "half_squared_error", "binary_cross_entropy"])
@pytest.mark.parametrize(("layer", "unit"), [(1, 2), (2, 0), (3, 1)])
def test_the_layer_where_nan_began_is_named(layer, unit, loss):
    net = Network([2, 3, 2, 2], loss=loss)
    net.b[layer - 1][unit] = np.nan
    trace = net.forward(np.ones((4, 2), np.float32))
    for pass_ in (net.backward, net.loss_value):
        with pytest.raises(
            NonFiniteError, match=rf"^the loss became nan: it began in layer {layer}, Z\[0, {unit}\] = nan$"
        ):
            pass_(trace, np.zeros((4, 2), np.float32))


def test_a_row_is_named_too():
    net = Network([1, 1], loss="half_squared_error")
    trace = net.forward(np.array([[0], [np.nan]], np.float32))
    with pytest.raises(NonFiniteError, match=r"layer 1, Z\[1, 0\] = nan"):
        net.backward(trace, np.zeros((2, 1), np.float32))


def test_an_activation_that_becomes_infinite_is_named():
    pole = Activation("pole", lambda z: np.where(z > 0, np.inf, z), lambda z, h: np.ones_like(z))
    net = Network([1, 1], output_activation=pole, loss="half_squared_error", initializer=np.array([1.0, 0]))
    with pytest.raises(NonFiniteError, match=r"the loss became inf: it began in layer 1, H\[0, 0\] = inf"):
        net.backward(net.forward(np.ones((1, 1), np.float32)), np.zeros((1, 1), np.float32))


def test_a_loss_that_alone_is_not_finite_is_named():
    broken = Loss("broken", lambda a, y: (np.full(len(a), np.nan), a))
    net = Network([1, 1], loss=broken)
    with pytest.raises(
        NonFiniteError, match="the loss became nan: every layer is finite, only the loss itself is not"
    ):
        net.backward(net.forward(np.ones((1, 1), np.float32)), np.zeros((1, 1), np.float32))
