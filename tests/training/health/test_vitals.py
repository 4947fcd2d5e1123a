"""What is measured is what stands in the network, by hand where that is possible."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.nn.network import Network
from glassnet.runtime.records import adapter_of
from glassnet.training.health.vitals import Probe, Vitals

X = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.5]])
TARGETS = np.eye(2)[[0, 1, 0, 1]]


def network(*layers, **options):
    return Network([2, *layers, 2], dtype="float64", seed=3, **options)


def measure(net, step=0, before=None, **rows):
    return Probe(net, X, TARGETS, **rows).measure(net.theta, step, before)


def test_a_unit_that_gives_0_on_every_row_is_dead():
    net = network(3)
    net.W[0][:] = [[1, 1, -1], [1, 2, -1]]
    net.b[0][:] = [0, -1.5, -0.1]  # always on; on at one row and a half; never
    assert measure(net).hidden[0].dead == (2,)
    net.b[0][1] = -3.5
    assert measure(net).hidden[0].dead == (1, 2)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_a_unit_in_the_flat_part_is_saturated_and_not_dead(activation):
    net = network(3, activation=activation)
    net.W[0][:] = 0.1
    net.b[0][:] = [0, 8, -8]
    layer = measure(net).hidden[0]
    assert (layer.saturated, layer.dead) == ((1, 2), ())
    assert layer.flat_share == pytest.approx(2 / 3)


def test_relu_is_flat_where_it_is_off_and_never_saturated():
    net = network(2)
    net.W[0][:] = [[1, -1], [1, -1]]
    net.b[0][:] = 0
    layer = measure(net).hidden[0]
    assert (layer.saturated, layer.dead, layer.flat_share) == ((), (1,), 0.5)


def test_a_slope_that_is_small_near_0_is_where_relu3_begins_and_no_saturation():
    net = network(2, activation="relu3")
    net.W[0][:] = 0
    net.b[0][:] = [0.2, 2.0]  # slopes of 0.12 and 12, where 48 at 4 is the steepest
    layer = measure(net).hidden[0]
    assert (layer.saturated, layer.dead, layer.flat_share) == ((), (), 0)
    net.b[0][:] = [0.2, 0.9]
    assert measure(net).hidden[0].saturated == ()


def test_units_of_the_same_weights_and_bias_are_duplicates():
    net = network(5)
    net.W[0][:, 3], net.b[0][3] = net.W[0][:, 1], net.b[0][1]
    assert measure(net).hidden[0].duplicated == (1, 3)
    net.b[0][3] += 0.01
    assert measure(net).hidden[0].duplicated == ()
    assert measure(network(4, initializer="zeros")).hidden[0].duplicated == (0, 1, 2, 3)


def test_numbers_are_those_of_the_pass_itself():
    net = network(4, 3, activation="tanh")
    found = measure(net)
    trace = net.forward(X)
    loss = net.backward(trace, TARGETS)
    assert found.loss == pytest.approx(loss, rel=1e-12)
    for layer, Z, H, W, dW in zip(found.layers, trace.Z, trace.H[1:], net.W, net.dW, strict=True):
        assert layer.pre_activation_mean == pytest.approx(Z.mean(), rel=1e-12)
        assert layer.pre_activation_spread == pytest.approx(Z.std(), rel=1e-12)
        assert layer.activation_mean == pytest.approx(H.mean(), rel=1e-12)
        assert layer.activation_spread == pytest.approx(H.std(), rel=1e-12)
        assert layer.weight_norm == pytest.approx(np.sqrt((W**2).sum()), rel=1e-12)
        assert layer.gradient_norm == pytest.approx(np.sqrt((dW**2).sum()), rel=1e-12)
    assert found.gradient_norm == pytest.approx(np.sqrt(sum((dW**2).sum() for dW in net.dW)), rel=1e-12)
    assert found.outputs == pytest.approx(net.outputs(X).mean(axis=0))
    assert found.output_spread == pytest.approx(net.outputs(X).std(axis=0).max())


def test_the_update_ratio_is_that_of_the_last_step():
    net = network(4)
    before = net.theta.copy()
    net.W[1][:] *= 1.01
    found = measure(net, 1, before)
    assert [layer.update_ratio for layer in found.layers] == pytest.approx([0, 0.01 / 1.01])
    assert found.update_ratio == pytest.approx(0.01 / 1.01)
    assert measure(net).update_ratio is None


def test_a_summed_loss_is_measured_as_its_mean():
    one, other = (measure(network(4, loss=f"cross_entropy({how})")) for how in ("mean", "sum"))
    assert one.loss == pytest.approx(other.loss)
    assert [layer.gradient_norm for layer in one.layers] == pytest.approx([x.gradient_norm for x in other.layers])


def test_weights_count_rows_as_often_as_they_say():
    net = network(4)
    twice = Probe(net, X[[0, 0, 1, 2, 3]], TARGETS[[0, 0, 1, 2, 3]]).measure(net.theta, 0)
    weighted = measure(net, weights=np.array([2.0, 1, 1, 1]))
    assert weighted.loss == pytest.approx(twice.loss)
    assert weighted.gradient_norm == pytest.approx(twice.gradient_norm)


def test_dropout_is_left_out_and_batch_normalisation_takes_the_rows_own_statistics():
    assert measure(network(4, dropout=0.5)) == measure(network(4))
    normalised = measure(network(4, batch_norm=True)).hidden[0]
    assert normalised.pre_activation_spread == pytest.approx(1, abs=1e-3)


def test_measuring_changes_nothing():
    net = network(4, batch_norm=True, dropout=0.2)
    net.gradient[:] = 7
    theta, statistics = net.theta.copy(), net.parameters.statistics.copy()
    measure(net)
    assert (net.theta == theta).all()
    assert (net.parameters.statistics == statistics).all()
    assert (net.gradient == 7).all()


def test_what_is_not_finite_is_measured_too():
    net = network(4)
    net.theta[:] = 1e200
    found = measure(net)
    assert not np.isfinite(found.loss)


@given(st.integers(1, 4), st.sampled_from(["relu", "tanh", "gelu"]))
def test_vitals_come_back_from_json(width, activation):
    found = measure(network(width, activation=activation), 5, np.zeros_like(network(width).theta))
    assert adapter_of(Vitals).validate_json(json.dumps(found.to_dict()), strict=True) == found
