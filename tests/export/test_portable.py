"""What is exported of a model has its outputs, says its answers, and is refused where it cannot be written."""

import numpy as np
import pytest
from hypothesis import given
from tests.export.drawn import draws, models

from glassnet.compiled.tracing import evaluate
from glassnet.data.array_schema import ArraySchema
from glassnet.data.schema import Schema, describe_targets
from glassnet.errors import UsageError
from glassnet.export.portable import describe_model
from glassnet.nn.activations import Activation, sigmoid, softmax
from glassnet.nn.network import Network


def run_layers(portable, X):
    """Outputs as the docstring of the module says, worked out from plain values alone."""
    H = X.astype(np.float64)
    with np.errstate(all="ignore"):  # in branches that where does not take
        for layer in portable.layers:
            H = evaluate(layer.activation.symbol, {"z": H @ layer.W + layer.b}) + np.zeros(len(layer.b))
    function = {"softmax": softmax, "sigmoid": sigmoid, "identity": lambda Z: Z}[portable.output]
    return function(portable.output_scale * H)


@draws(60)
@given(models)
def test_layers_give_the_networks_outputs(model):
    portable = describe_model(model.network, model.schema)
    X = np.random.default_rng(0).normal(size=(4, portable.input.width)).astype(np.float32)
    np.testing.assert_allclose(
        run_layers(portable, X), model.network.astype("float64").outputs(X), rtol=1e-9, atol=1e-9
    )


def answer_of(task, width, loss, names):
    network = Network([2, width], loss=loss)
    target = describe_targets(task, names)
    return describe_model(network, Schema(ArraySchema((2,)), target)).answer


def test_answers_say_what_outputs_mean():
    found = answer_of("multi-class", 3, "cross_entropy", ["a", "b", "c"])
    assert (found.kind, found.classes, found.class_names, found.flat) == (
        "class",
        (0, 1, 2),
        ("a", "b", "c"),
        True,
    )
    found = answer_of("multi-label", 2, "binary_cross_entropy", ["wet", "cold"])
    assert (found.kind, found.classes, found.names, found.flat) == ("labels", (0, 1), ("wet", "cold"), False)
    found = answer_of("regression", 1, "half_squared_error", ["price"])
    assert (found.kind, found.names, found.mean, found.std, found.flat) == (
        "numbers", ("price",), (0.0,), (1.0,), True
    )  # fmt: skip
    bare = describe_model(Network([2, 3])).answer
    assert (bare.kind, bare.classes, bare.class_names) == ("class", (0, 1, 2), ("0", "1", "2"))
    assert describe_model(Network([2, 2], class_names=["no", "yes"])).answer.class_names == ("no", "yes")
    bare = describe_model(Network([2, 1], loss="binary_cross_entropy")).answer
    assert (bare.kind, bare.flat, bare.mean) == ("numbers", False, (0.0,))


def test_scaled_numbers_keep_their_scale():
    y = np.array([[1.0, 10.0], [3.0, 30.0]])
    schema = Schema.learn(np.eye(2), y, task="regression", scale_by=y)
    found = describe_model(Network([2, 2], loss="half_squared_error"), schema).answer
    assert (found.mean, found.std, found.flat) == ((2.0, 20.0), (1.0, 10.0), False)


def test_numbers_are_rounded_where_the_network_would_get_float32():
    wide, rows = Network([2, 2], dtype="float64"), ArraySchema((2,))
    target = describe_targets("multi-class", "ab")
    rounds = [
        describe_model(network, Schema(schema, target)).rounds_input
        for network, schema in [
            (Network([2, 2]), rows),
            (wide, rows),
            (wide, ArraySchema((2,), white=9.0)),
            (wide, rows.scale(np.eye(2), "standard")),
        ]
    ]
    assert rounds == [True, False, True, True]
    assert not describe_model(wide).rounds_input


def test_parameters_and_products_are_counted_after_folding():
    portable = describe_model(Network([3, 4, 2], batch_norm=True))
    assert (portable.parameters, portable.multiply_adds) == (3 * 4 + 4 + 4 * 2 + 2, 20)


def test_two_activations_of_one_name_stay_two():
    one = Activation("mine", lambda z: 2 * z, lambda z, h: 2 + 0 * z)
    other = Activation("mine", lambda z: 3 * z, lambda z, h: 3 + 0 * z)
    third = Activation("mine!", lambda z: 4 * z, lambda z, h: 4 + 0 * z)
    portable = describe_model(Network([1] * 6, activation=[one, other, one, third], loss="half_squared_error"))
    assert [formula.name for formula in portable.formulas] == ["mine", "mine_2", "mine_", "identity"]
    assert [layer.activation.name for layer in portable.layers] == ["mine", "mine_2", "mine", "mine_", "identity"]


@pytest.mark.parametrize(
    ("f", "why"),
    [
        (lambda z: np.sort(z), "np.sort in a formula is not among what is compiled"),
        (lambda z: z - z.max(axis=1, keepdims=True), "a sum, or the like, over the units of a layer"),
    ],
)
def test_what_cannot_be_written_out_is_refused_with_a_way_out(f, why):
    network = Network([2, 2, 2], activation=Activation("mine", f, lambda z, h: h))
    with pytest.raises(UsageError, match=f"^activation: mine cannot be written out: {why}; .*save_model"):
        describe_model(network)


def test_a_schema_of_another_network_is_refused():
    target = describe_targets("multi-class", "abc")
    with pytest.raises(UsageError, match="its schema has 4 inputs, the network 2"):
        describe_model(Network([2, 3]), Schema(ArraySchema((4,)), target))
    with pytest.raises(UsageError, match="its schema takes 1 or 3 outputs, the network has 2"):
        describe_model(Network([4, 2]), Schema(ArraySchema((4,)), target))
