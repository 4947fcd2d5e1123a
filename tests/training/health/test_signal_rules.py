"""Rules about units and signals, on vitals made by hand: at each threshold and just beyond, with every number."""

import numpy as np
import pytest
from tests.training.health.made import CLASSES, CONSTANT, INPUTS, evidence, layer, network, vitals

from glassnet.training.health.evidence import Baseline
from glassnet.training.health.signal_rules import (
    find_dead_layer,
    find_dead_units,
    find_duplicated_units,
    find_saturated_units,
    find_unreachable_targets,
    find_vanishing_gradients,
    find_vanishing_signal,
    find_wide_starts,
)

ALL, HALF = (0, 1, 2, 3), (0, 2)
WELL = 0.1  # a loss of which nobody is sick; `vitals` have one of 0.6, which is


def found_where(diagnosis):
    return diagnosis and (diagnosis.sick, diagnosis.layer, diagnosis.units, diagnosis.since)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ({"first": {"duplicated": ALL}}, {"first": {"duplicated": HALF}}, (True, 1, HALF, 0)),
        ({"first": {"duplicated": ALL}}, {"first": {"duplicated": (1,)}}, None),
        ({"first": {"duplicated": (0, 1, 2)}}, {"first": {"duplicated": ALL}}, None),
        ({"second": {"duplicated": ALL}}, {"second": {"duplicated": ALL}}, (True, 2, ALL, 0)),
        (
            {"first": {"units": 2, "duplicated": (0, 1)}},
            {"first": {"units": 2, "duplicated": (0, 1)}},
            (True, 1, (0, 1), 0),
        ),
        ({"first": {"units": 1, "duplicated": (0,)}}, {"first": {"units": 1, "duplicated": (0,)}}, None),
        ({"first": {"duplicated": ALL}}, {"first": {"duplicated": ALL}, "loss": WELL}, (False, 1, ALL, 0)),
    ],
)
def test_units_that_start_equal_and_stay_so(start, end, expected):
    assert found_where(find_duplicated_units(evidence(vitals(0, 1.0, **start), vitals(**end)))) == expected


def test_equal_units_are_told_with_their_number_and_initializer():
    net = network(initializer="zeros")
    found = find_duplicated_units(
        evidence(vitals(0, 1.0, first={"duplicated": ALL}), vitals(first={"duplicated": HALF}), net=net)
    )
    assert str(found) == (
        "duplicated-units (layer 1, from the start): the 4 units start with equal weights (initializer zeros) and "
        "get equal gradients: they stay one and the same unit; try initializer glorot_uniform"
    )
    assert found.evidence == {"units": 4, "duplicated": 2}


@pytest.mark.parametrize(("loss", "sick"), [(0.6, True), (WELL, None)])
def test_equal_units_before_training_are_named_where_that_is_all_there_is(loss, sick):
    start = vitals(0, loss, first={"duplicated": ALL})
    assert find_duplicated_units(evidence(start, start)) is None or sick


def reach(output, low, high, *, scale=1.0, **others):
    net = network(output_activation=output, output_scale=scale, **others)
    base = Baseline((0.0,), 1.0, 0.0, low, high)
    return find_unreachable_targets(evidence(vitals(), net=net, baseline=base))


@pytest.mark.parametrize(
    ("output", "scale", "low", "high", "found"),
    [
        ("tanh", 3.0, -3.0, 3.0, False),
        ("tanh", 3.0, -1.0, 3.04, False),  # a hundredth of the range of the targets, 0.0404, is allowed
        ("tanh", 3.0, -1.0, 3.05, True),
        ("tanh", 3.0, -3.04, 1.0, False),
        ("tanh", 3.0, -3.05, 1.0, True),
        ("relu", 2.0, -0.02, 2.0, False),
        ("relu", 2.0, -0.03, 2.0, True),
        ("relu", 2.0, 0.0, 1e20, False),
        ("sigmoid", 1.0, 0.0, 1.0, False),
        ("sigmoid", 1.0, 0.0, 1.02, True),
        ("identity", 1.0, -1e6, 1e6, False),
    ],
)
def test_targets_that_the_output_cannot_give(output, scale, low, high, found):
    assert (reach(output, low, high, scale=scale) is not None) == found


def test_targets_out_of_reach_are_told_with_both_ranges():
    found = reach("sigmoid", 0.0, 9.0, scale=2.0)
    assert str(found) == (
        "unreachable-targets (layer 3, from the start): the output, 2 times sigmoid, lies between 0 and 2; the "
        "targets go from 0 to 9; try output_activation identity, output_scale 1.0"
    )
    assert found.evidence == {"output_low": 0, "output_high": 2, "target_low": 0, "target_high": 9}
    assert found.sick
    net = network(loss="binary_cross_entropy")
    assert (
        find_unreachable_targets(evidence(vitals(), net=net, baseline=Baseline((0.5,), 1, 0, -9, 9, 0.5))) is None
    )


def wide(net, start, **others):
    return find_wide_starts(evidence(vitals(0, **start), vitals(), net=net, **others))


@pytest.mark.parametrize(
    ("activation", "start", "expected"),
    [
        ("tanh", {"second": {"flat_share": 0.4}}, ("saturated-units", 2)),
        ("tanh", {"second": {"flat_share": 0.39}}, None),
        ("relu", {"second": {"flat_share": 0.9}}, None),  # where relu is off it is flat, too
        ("relu", {"second": {"pre_activation_spread": 3.01}, "loss": 2.01}, ("exploding-signal", 2)),
        ("relu", {"second": {"pre_activation_spread": 3.0}, "loss": 2.01}, None),
        ("relu", {"second": {"pre_activation_spread": 3.01}, "loss": 2.0}, None),
        ("relu", {"second": {"pre_activation_spread": np.nan}, "loss": np.nan}, ("exploding-signal", 2)),
        (
            "relu",
            {"first": {"pre_activation_spread": 4.0}, "second": {"pre_activation_spread": 9.0}, "loss": 5.0},
            ("exploding-signal", 1),
        ),
    ],
)
def test_a_start_that_is_too_wide(activation, start, expected):
    found = wide(network(activation), {"loss": 1.0} | start)
    assert (found and (found.kind, found.layer)) == expected
    seen = evidence(vitals(0, **{"loss": 1.0} | start), vitals(loss=WELL), net=network(activation))
    assert find_wide_starts(seen) is None  # it has learned all the same


@pytest.mark.parametrize(
    ("net", "start", "said"),
    [
        (
            {"activation": "tanh", "layers": (2, 5, 4, 1), "initializer": "normal(0, 2)"},
            {"second": {"flat_share": 0.45, "pre_activation_spread": 2.5, "saturated": (3,)}},
            "saturated-units (layer 2, from the start): normal(0, 2) on 5 inputs gives pre-activations of "
            "spread 2.5 "
            "(layer by layer: 1, 2.5, 1); 45% of tanh start saturated; try initializer glorot_uniform",
        ),
        (
            {"activation": ["relu", "tanh"], "bias_initializer": "uniform(-9, 1)"},
            {"second": {"flat_share": 0.6, "pre_activation_mean": -2.1}},
            "saturated-units (layer 2, from the start): biases from uniform(-9, 1) give pre-activations of mean "
            "-2.1: 60% of tanh start flat; try bias_initializer zeros",
        ),
        (
            {"activation": "relu", "initializer": "normal(0, 9)"},
            {"first": {"pre_activation_spread": 40.0}, "loss": 250.0},
            "exploding-signal (layer 1, from the start): normal(0, 9) on 2 inputs gives pre-activations of "
            "spread 40 "
            "(layer by layer: 40, 1, 1); the first loss is 250 times that of the best constant answer; "
            "try initializer he_normal",
        ),
        (
            {"activation": ["tanh", "relu3"], "initializer": "normal(0, 9)"},
            {"second": {"pre_activation_spread": 40.0}, "loss": 250.0},
            "exploding-signal (layer 2, from the start): normal(0, 9) on 4 inputs gives pre-activations of "
            "spread 40 "
            "(layer by layer: 1, 40, 1), for relu3 raises it to a power in every layer; the first loss is "
            "250 times "
            "that of the best constant answer; try activation ['tanh', 'relu']",
        ),
        (
            {"activation": "relu3", "initializer": "normal(0, 9)"},
            {"second": {"pre_activation_spread": 40.0}, "loss": np.inf},
            "exploding-signal (layer 2, from the start): normal(0, 9) on 4 inputs gives pre-activations of "
            "spread 40 "
            "(layer by layer: 1, 40, 1), for relu3 raises it to a power in every layer; the first loss is "
            "beyond all "
            "numbers; try activation relu",
        ),
    ],
    ids=["saturated", "biases", "loss", "powers", "overflow"],
)
def test_a_wide_start_is_told_with_its_numbers(net, start, said):
    found = wide(network(**net), {"loss": 1.0} | start)
    assert str(found).startswith(said)
    spot = vitals(0, **{"loss": 1.0} | start).layers[found.layer - 1]
    assert found.units == spot.saturated
    assert found.evidence == {
        "pre_activation_spread": spot.pre_activation_spread,
        "flat_share": spot.flat_share,
        "first_loss": start.get("loss", 1.0),
        "constant_loss": 1.0,
    }


@pytest.mark.parametrize(
    ("mean", "biases", "shifted"),
    [
        (-2.1, "uniform(-9, 1)", True),
        (2.1, "uniform(-9, 1)", True),
        (2.0, "uniform(-9, 1)", False),
        (2.1, "zeros", False),
    ],
)
def test_biases_are_to_blame_where_the_mean_is_two_spreads_away(mean, biases, shifted):
    net = network("tanh", bias_initializer=biases)
    found = wide(net, {"loss": 1.0, "first": {"flat_share": 0.5, "pre_activation_mean": mean}})
    assert str(found.cause).startswith("biases from") == shifted


def over_time(key, *units, loss=0.6, **others):
    """Vitals of steps 0, 1, 4, ... in which so many of the first layer's four units are sick."""
    steps = (0, 1, 4, 16, 64, 256)
    last = len(units) - 1
    return [
        vitals(step, 1.0 if place < last else loss, first={key: ALL[:n]} | others)
        for place, (step, n) in enumerate(zip(steps, units, strict=False))
    ]


@pytest.mark.parametrize(
    ("dead", "loss", "expected"),
    [
        ((0, 0, 0, 0, 1), 0.6, None),
        ((0, 0, 0, 0, 2), 0.6, (False, 1, (0, 1), 64)),
        ((0, 1, 2, 1, 2, 2), 0.6, (False, 1, (0, 1), 64)),
        ((0, 1, 2, 2, 3, 3), 0.6, (True, 1, (0, 1, 2), 4)),
        ((0, 1, 2, 2, 3, 3), WELL, (False, 1, (0, 1, 2), 4)),
        ((4, 4, 4, 4, 4, 4), 0.6, (True, 1, ALL, 0)),
    ],
)
def test_dead_units(dead, loss, expected):
    seen = evidence(*over_time("dead", *dead, loss=loss), net=network("relu"))
    assert found_where(find_dead_units(seen)) == expected


def test_the_first_layer_is_named_of_which_nearly_all_are_dead_or_that_of_most():
    def named(first, second):
        found = find_dead_units(
            evidence(vitals(first={"dead": ALL[:first]}, second={"dead": ALL[:second]}), net=network("relu"))
        )
        return found.layer

    assert [named(*dead) for dead in ((2, 3), (3, 4), (2, 2), (0, 2))] == [2, 1, 1, 2]


@pytest.mark.parametrize(
    ("since", "net", "X", "why"),
    [
        (
            0,
            {"initializer": "normal(0, 1)"},
            INPUTS,
            "with first weights from normal(0, 1) they are dead from the start; try initializer he_normal",
        ),
        (
            0,
            {"bias_initializer": "uniform(-9, -8)"},
            INPUTS,
            "biases from uniform(-9, -8) put them out of reach from the start; try bias_initializer zeros",
        ),
        (
            0,
            {},
            100 * INPUTS,
            "column 0 has mean 0 and standard deviation 70.7, column 1 has mean 0 and standard deviation "
            "70.7; networks expect about 0 and 1; try batch normalisation",
        ),
        (
            4,
            {"bias_initializer": "uniform(-9, -8)"},
            INPUTS,
            "steps are too large: learning rate 0.1: sgd is stable, at the start, up to 2 / sharpness = "
            "0.05; try learning_rate 0.01",
        ),
    ],
)
def test_why_units_died_depends_on_when(since, net, X, why):
    dead = (3, 3, 3) if since == 0 else (0, 1, 3)
    found = find_dead_units(evidence(*over_time("dead", *dead), net=network("relu", **net), X=X, stable_rate=0.05))
    start = "from the start" if since == 0 else f"since step {since}"
    told = f"dead-units (layer 1, {start}): 3 of 4 units give 0 on every row, and no gradient reaches them: {why}"
    assert str(found).startswith(told)
    assert found.evidence == {"dead": 3, "units": 4, "largest_update": 0.005}


def test_a_layer_is_dead_for_good_after_two_examinations():
    def found(*dead):
        return find_dead_layer(evidence(*over_time("dead", *dead), net=network("relu"))) is not None

    assert [found(*dead) for dead in ((0, 4, 4), (0, 3, 4), (4, 4, 3), (0, 0, 4), (0, 0, 0))] == [
        True,
        False,
        False,
        False,
        False,
    ]
    only = evidence(vitals(), net=network("relu"))
    assert find_dead_layer(evidence(*only.vitals[1:], net=only.network)) is None
    seen = evidence(vitals(100, first={"dead": ALL}), net=network("relu"))
    vars(seen)["vitals"] = seen.vitals[1:]
    assert find_dead_layer(seen) is None


@pytest.mark.parametrize(
    ("start", "end", "layer_found"),
    [
        ({"second": {"pre_activation_spread": 0.0009}}, {}, 2),
        ({"second": {"pre_activation_spread": 0.001}}, {}, None),
        ({"first": {"pre_activation_spread": 1e-4}, "second": {"pre_activation_spread": 1e-6}}, {}, 1),
        ({"second": {"pre_activation_spread": 0.0009}}, {"loss": WELL}, None),
        ({"second": {"pre_activation_spread": 0.0, "dead": ALL}}, {}, None),
        ({"second": {"pre_activation_spread": 0.0, "dead": (0, 1, 2)}}, {}, 2),
    ],
)
def test_a_signal_that_fades(start, end, layer_found):
    found = find_vanishing_signal(evidence(vitals(0, 1.0, **start), vitals(**end)))
    assert (found and found.layer) == layer_found


def test_a_faint_signal_is_told_layer_by_layer():
    start = vitals(0, 1.0, second={"pre_activation_spread": 0.0009})
    found = find_vanishing_signal(evidence(start, vitals(), net=network(initializer="normal(0, 0.001)")))
    assert str(found) == (
        "vanishing-signal (layer 2, from the start): normal(0, 0.001) lets the signal fade: the spread of the "
        "pre-activations is, layer by layer, 1, 0.0009, 1; try initializer glorot_uniform"
    )
    assert found.evidence == {"pre_activation_spread": 0.0009}


def four_layers(first, last, hidden=3, loss=0.6):
    """Vitals whose layers have these pairs of gradient and weight norms, with others between them."""
    pairs = [first, *[(7.0, 1.0)] * (hidden - 1), last]
    layers = [layer(k + 1, gradient_norm=g, weight_norm=w) for k, (g, w) in enumerate(pairs)]
    return evidence(
        vitals(0, 1.0, layers=layers), vitals(100, loss, layers=layers), net=network(layers=(2, 4, 4, 4, 1))
    )


@pytest.mark.parametrize(
    ("first", "last", "hidden", "found"),
    [
        ((0.0198, 4.0), (0.5, 1.0), 3, True),  # 0.00495 of its weights, beside 0.5
        ((0.0202, 4.0), (0.5, 1.0), 3, False),
        ((0.0198, 4.0), (0.5, 1.0), 2, False),
        ((0.0, 0.0), (0.5, 1.0), 3, True),
    ],
)
def test_a_gradient_that_shrinks_on_its_way_back(first, last, hidden, found):
    assert (find_vanishing_gradients(four_layers(first, last, hidden)) is not None) == found
    assert find_vanishing_gradients(four_layers(first, last, hidden, loss=WELL)) is None


def test_a_shrinking_gradient_is_told_beside_the_last_layers():
    found = find_vanishing_gradients(four_layers((0.01, 4.0), (0.5, 1.0)))
    assert str(found) == (
        "vanishing-gradients (layer 1, from the start): on its way back through 3 layers the gradient shrinks: "
        "relative to its weights, the gradient of layer 1 is 0.005 times that of the last layer; try batch "
        "normalisation, which keeps the size of the gradient"
    )
    assert found.evidence == {"gradient_ratio": pytest.approx(0.005)}


@pytest.mark.parametrize(
    ("activation", "saturated", "flat", "expected"),
    [
        ("tanh", (0, 1, 2, 1, 2), 0.3, (True, 1, (0, 1), 64)),
        ("tanh", (0, 1, 2, 2, 2), 0.3, (True, 1, (0, 1), 4)),
        ("tanh", (0, 0, 0, 0, 1), 0.49, None),
        ("tanh", (0, 0, 0, 0, 1), 0.5, (True, 1, (0,), 0)),
        ("relu", (0, 0, 0, 0, 1), 0.9, None),
        ("relu", (0, 0, 0, 0, 2), 0.9, (True, 1, (0, 1), 64)),
    ],
)
def test_units_that_training_pushed_to_where_they_are_flat(activation, saturated, flat, expected):
    seen = over_time("saturated", *saturated, flat_share=flat)
    assert found_where(find_saturated_units(evidence(*seen, net=network(activation)))) == expected
    well = over_time("saturated", *saturated, flat_share=flat, loss=WELL)
    assert find_saturated_units(evidence(*well, net=network(activation))) is None


def test_saturation_is_told_with_layer_share_and_cause():
    seen = [vitals(step, second={"saturated": ALL[:n]}) for step, n in ((0, 0), (1, 2), (100, 3))]
    found = find_saturated_units(evidence(*seen, net=network(["relu", "tanh"]), optimizer="adam(0.5)"))
    assert str(found) == (
        "saturated-units (layer 2, since step 1): 12% of what layer 2 gives is where tanh is flat, and hardly any "
        "gradient comes back: steps are too large: learning rate 0.5, where adam usually takes 0.001; "
        "try learning_rate 0.001"
    )
    assert found.evidence == {"flat_share": 0.125, "pre_activation_spread": 1.0}
    assert found.units == (0, 1, 2)


def test_what_classes_leave_unlearned_counts_as_with_numbers():
    """A network of classes is sick where it is wrong about as often as a constant answer, too."""
    net = network("relu", layers=(2, 4, 4, 2), loss="cross_entropy")
    for wrong, sick in ((0.4, True), (0.09, False)):
        seen = [vitals(step, wrong=wrong, first={"dead": ALL}) for step in (0, 100)]
        assert find_dead_units(evidence(*seen, net=net, baseline=CLASSES)).sick == sick
    assert CONSTANT.wrong is None
