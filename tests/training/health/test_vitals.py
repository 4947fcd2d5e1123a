"""What is measured is what stands in the network, by hand where that is possible."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from glassnet.nn.losses import LOSSES
from glassnet.nn.network import Network
from glassnet.runtime.records import adapter_of
from glassnet.training.health.vitals import Probe, Vitals, wrong_share

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


@pytest.mark.parametrize(
    ("units", "problem"), [([0, 2], None), ([3], "some of the 3 units"), ([0] * 4, "some of")]
)
@pytest.mark.parametrize("kind", ["dead", "saturated", "duplicated"])
def test_units_of_a_record_are_those_of_their_layer(kind, units, problem):
    record = measure(network(3)).to_dict()
    record["layers"][0][kind] = units
    text = json.dumps(record)
    if problem is None:
        assert getattr(adapter_of(Vitals).validate_json(text, strict=True).layers[0], kind) == tuple(units)
    else:
        with pytest.raises(ValidationError, match=problem):
            adapter_of(Vitals).validate_json(text, strict=True)


# A network of 2-2-1 units, worked by hand: z = (2, 0) and (2.5, -5), answers 5 and 6 to targets 4 and 8.

ROWS, NUMBERS = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[4.0], [8.0]])


def by_hand(loss="half_squared_error", dtype="float64", **options):
    net = Network([2, 2, 1], "relu", loss=loss, dtype=dtype, **options)
    net.W[0][:], net.b[0][:] = [[1, -1], [0.5, 1]], [0, -1]
    net.W[1][:], net.b[1][:] = [[2], [3]], [1]
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("weights", "loss", "output_gradient", "first_gradient"),
    [
        (None, 1.25, 1.5, np.sqrt(41)),  # slopes of 0.5 and -1: (-1.5, 0), and (-5, 4) for the unit that is on
        (np.array([2.0, 6.0]), 1.625, 3.25, np.sqrt(8.5**2 + 4**2)),  # of 0.25 and -1.5: (-3.25, 0), and (-8.5, 4)
    ],
    ids=["", "weighted"],
)
def test_all_that_is_measured_of_a_small_network(dtype, reduction, weights, loss, output_gradient, first_gradient):
    net = by_hand(f"half_squared_error({reduction})", dtype)
    rows, targets = ROWS.astype(dtype), NUMBERS.astype(dtype)
    weights = None if weights is None else weights.astype(dtype)
    before = net.theta.copy()
    before[net.parameters.blocks["W2"]] += [3, -4]
    found = Probe(net, rows, targets, weights).measure(net.theta, 7, before)
    assert (found.step, found.wrong, found.outputs) == (7, None, (pytest.approx(5.5),))
    assert found.loss == pytest.approx(loss, rel=1e-6)
    assert found.output_spread == pytest.approx(0.5)
    first, last = found.layers
    assert (first.layer, first.units, last.layer, last.units) == (1, 2, 2, 1)
    assert (first.dead, first.saturated, last.dead, last.saturated) == ((1,), (), (), ())
    assert (first.flat_share, last.flat_share) == (0.5, 0.0)
    assert (first.pre_activation_mean, first.activation_mean) == (pytest.approx(-0.125), pytest.approx(1.125))
    spread = np.std([2, 0, 2.5, -5]), np.std([2, 0, 2.5, 0])
    assert (first.pre_activation_spread, first.activation_spread) == (
        pytest.approx(spread[0]),
        pytest.approx(spread[1]),
    )
    assert (last.pre_activation_mean, last.activation_mean) == (pytest.approx(5.5), pytest.approx(5.5))
    assert (first.weight_norm, last.weight_norm) == (pytest.approx(np.sqrt(3.25)), pytest.approx(np.sqrt(13)))
    assert first.gradient_norm == pytest.approx(first_gradient, rel=1e-6)
    assert last.gradient_norm == pytest.approx(output_gradient, rel=1e-6)
    assert (first.update_ratio, last.update_ratio) == (0, pytest.approx(5 / np.sqrt(13)))
    assert found.update_ratio == pytest.approx(5 / np.sqrt(13))


def test_weights_of_no_length_moved_without_bound_or_not_at_all():
    net = by_hand()
    before = net.theta.copy()
    net.W[0][:] = 0
    found = Probe(net, ROWS, NUMBERS).measure(net.theta, 1, before)
    assert [one.update_ratio for one in found.layers] == [np.inf, 0]
    before[:] = net.theta
    assert Probe(net, ROWS, NUMBERS).measure(net.theta, 1, before).layers[0].update_ratio == 0


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_gradient_is_that_of_the_mean_loss_of_a_row(reduction):
    net = by_hand(f"half_squared_error({reduction})")
    probe = Probe(net, ROWS, NUMBERS, np.array([1.0, 3.0]))
    gradient = probe.gradient(net, net.theta)
    assert gradient[net.parameters.blocks["W2"]] == pytest.approx([-3.25, 0])
    assert gradient[net.parameters.blocks["b2"]] == pytest.approx([-1.25])
    assert probe.losses(net) == (pytest.approx(1.625), pytest.approx(1.625))
    assert probe.input_spread == pytest.approx(np.sqrt(15) / 2)  # of (1, 2, 3, -1)


def test_losses_are_by_the_rows_own_statistics_and_by_the_running_ones():
    net = Network([1, 2, 1], "identity", loss="half_squared_error", batch_norm=True, dtype="float64")
    net.W[1][:], net.b[1][:] = [[1], [0]], 0
    net.W[0][:] = [[1, 1]]
    probe = Probe(net, np.array([[-3.0], [3.0]]), np.array([[-1.0], [1.0]]))
    in_training, predicting = probe.losses(net)  # z / 3, and z as it is
    assert in_training == pytest.approx(0, abs=1e-5)
    assert predicting == pytest.approx(2, rel=1e-4)
    assert probe.spreads(net)[0] == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize(
    ("bias", "rows", "saturated"),
    [
        (9.0, 10, (0,)),
        (-9.0, 10, (0,)),
        (0.0, 9, (0,)),  # nine rows of ten are enough
        (0.0, 8, ()),
    ],
)
def test_a_unit_is_saturated_on_either_side_and_on_nine_rows_of_ten(bias, rows, saturated):
    X = np.zeros((10, 1))
    X[:rows] = np.where(np.arange(rows) % 2, 9.0, -9.0)[:, None]
    net = Network([1, 1, 2], "tanh", dtype="float64")
    net.W[0][:], net.b[0][:] = 1 if bias == 0 else 0, bias
    found = Probe(net, X, np.eye(2)[np.arange(10) % 2]).measure(net.theta, 0)
    assert found.hidden[0].saturated == saturated
    assert found.hidden[0].flat_share == rows / 10


def test_a_sigmoid_that_gives_0_is_saturated_and_not_dead():
    net = Network([1, 2, 1], "sigmoid", loss="half_squared_error", dtype="float64")
    net.W[0][:], net.b[0][:] = 0, [-800, 0]
    found = Probe(net, np.zeros((4, 1)), np.zeros((4, 1))).measure(net.theta, 0).hidden[0]
    assert (found.dead, found.saturated, found.flat_share) == ((), (0,), 0.5)


@pytest.mark.parametrize(
    ("loss", "outputs", "targets", "wrong"),
    [
        ("cross_entropy", [[0.7, 0.3], [0.2, 0.8], [0.4, 0.6]], [[1, 0], [1, 0], [0, 1]], 1 / 3),
        ("binary_cross_entropy", [[0.5], [0.49], [0.9], [0.1]], [[1], [1], [0], [0]], 0.5),  # a half is a yes
        ("binary_cross_entropy", [[0.9, 0.1], [0.9, 0.9]], [[1, 0], [0.5, 0]], 0.25),  # of the labels
        ("half_squared_error", [[1.0]], [[2.0]], None),
    ],
)
def test_the_share_that_is_wrong(loss, outputs, targets, wrong):
    assert wrong_share(LOSSES.resolve(loss), np.array(outputs), np.array(targets)) == wrong


def test_the_spread_of_answers_is_that_of_the_output_that_spreads_most():
    net = Network([1, 2], loss="half_squared_error", dtype="float64")
    net.W[0][:], net.b[0][:] = [[1, 4]], [5, 0]
    found = Probe(net, np.array([[-1.0], [1.0]]), np.zeros((2, 2))).measure(net.theta, 0)
    assert (found.output_spread, found.outputs) == (4, (5, 0))
