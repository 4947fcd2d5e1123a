import copy
import hashlib
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from glassnet.errors import DataError, NonFiniteError, UsageError
from glassnet.nn.activations import ACTIVATIONS, Activation, softmax
from glassnet.nn.dropout import mask_keys
from glassnet.nn.initializers import INITIALIZERS
from glassnet.nn.input_rows import BLOCK_ROWS
from glassnet.nn.losses import LOSSES
from glassnet.nn.network import Network, NetworkWarning

RNG = np.random.default_rng(11)
ROWS = RNG.normal(size=(6, 3))


def linear(layers, theta, loss="half_squared_error", **options):
    return Network(layers, loss=loss, initializer=np.array(theta, float), dtype="float64", **options)


def test_a_single_output_regresses_a_number_unless_a_loss_is_chosen():
    network = Network([3, 2, 1], activation="sigmoid")
    assert (network.loss.name, network.activations[-1].name, network.has_own_loss) == (
        *("half_squared_error", "identity"),
        False,
    )
    assert Network([3, 2, 2], activation="sigmoid").loss.name == "cross_entropy"
    assert Network([3, 2, 1], loss="binary_cross_entropy").has_own_loss
    assert pickle.loads(pickle.dumps(network)).has_own_loss is network.astype("float64").has_own_loss is False


# What is refused


@pytest.mark.parametrize(
    "layers", [[], [3], [3, 0], [3, -1, 2], [3, 2.0], [3, True], [3, "2"], "32", 3, None, [3, None, 2]]
)
def test_layers_must_be_two_or_more_whole_numbers(layers):
    with pytest.raises(UsageError, match=r"^layers: needs two or more whole numbers > 0, inputs first, got"):
        Network(layers)


def test_layers_may_be_any_sequence_of_whole_numbers():
    assert Network(np.array([3, 4, 2])).layers == Network((3, 4, 2)).layers == (3, 4, 2)
    assert {type(d) for d in Network(np.array([3, 2])).layers} == {int}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"activation": "rellu"}, r"^activation: unknown name 'rellu'; did you mean 'relu'\?"),
        ({"activation": ["relu"]}, "^activation: give one name, or one for each of the 2 hidden layers"),
        ({"activation": ["relu"] * 3}, "^activation: give one name"),
        ({"activation": 5}, "^activation: "),
        ({"activation": None}, "^activation: "),
        ({"activation": [3, 4]}, "^activation: expected a name"),
        ({"loss": "cros_entropy"}, "^loss: unknown name .* did you mean 'cross_entropy'"),
        ({"loss": "huber", "output_activation": "tahn"}, "unknown name 'tahn'; did you mean 'tanh'"),
        ({"initializer": "glorot_unifrom"}, "^initializer: unknown name .* did you mean 'glorot_uniform'"),
        ({"bias_initializer": "zero"}, "unknown name 'zero'; did you mean 'zeros'"),
        ({"dtype": "float16"}, "^dtype: must be float32 or float64, got 'float16'"),
        ({"dtype": "float33"}, "^dtype: must be float32 or float64, got 'float33'"),
        ({"dtype": "int32"}, "^dtype: must be"),
        ({"dtype": "complex128"}, "^dtype: must be"),
        ({"dtype": ">f4"}, "^dtype: must be"),
        ({"dtype": None}, "^dtype: must be"),
        ({"dtype": "uniform(2,1)"}, "^dtype: must be"),
        ({"output_activation": "sigmoid"}, "^output_activation: cross_entropy goes with softmax, not sigmoid"),
        ({"loss": "binary_cross_entropy", "output_activation": "softmax"}, "binary_cross_entropy goes with s"),
        ({"loss": "huber", "output_activation": "softmax"}, "^output_activation: softmax goes with cross_entropy"),
        ({"output_scale": 2}, "^output_scale: must be 1 with cross_entropy"),
        ({"loss": "binary_cross_entropy", "output_scale": 0.5}, "^output_scale: must be 1 with binary"),
        ({"layers": [2, 3, 1], "loss": "cross_entropy"}, "^loss: cross_entropy over a single output is always 0"),
        ({"batch_norm": [True]}, "^batch_norm: give true or false, or one for each of the 2 hidden layers, got"),
        ({"batch_norm": [True] * 3}, "^batch_norm: give true or false"),
        ({"batch_norm": [True, 1]}, "^batch_norm: give true or false"),
        ({"batch_norm": 1}, "^batch_norm: give true or false"),
        ({"batch_norm": None}, "^batch_norm: give true or false"),
        ({"batch_norm": "true"}, "^batch_norm: give true or false"),
        ({"dropout": 1}, r"^dropout: give a share in \[0, 1\), or one for the input and each of the 2 hidden la"),
        ({"dropout": -0.1}, r"^dropout: give a share in \[0, 1\)"),
        ({"dropout": np.nan}, "^dropout: give a share"),
        ({"dropout": "0.5"}, "^dropout: give a share"),
        ({"dropout": None}, "^dropout: give a share"),
        ({"dropout": True}, "^dropout: give a share"),
        ({"dropout": [0.1, 0.2]}, r"^dropout: give a share .*, got \[0.1, 0.2\]"),
        ({"dropout": [0.1, 0.2, 0.3, 0.4]}, "^dropout: give a share"),
        ({"dropout": [0, 0, 1]}, "^dropout: give a share"),
        ({"dropout": [0, 0, "0.5"]}, "^dropout: give a share"),
        ({"dropout": [0, 0, False]}, "^dropout: give a share"),
        ({"seed": -1}, "^seed: must be a whole number >= 0, got -1"),
        ({"seed": 1.5}, "^seed: must be a whole number"),
        ({"seed": True}, "^seed: must be a whole number"),
    ],
)  # fmt: skip
def test_an_argument_that_cannot_be_used_is_named(options, problem):
    with pytest.raises(UsageError, match=problem) as caught:
        Network(**{"layers": [2, 3, 3, 2], **options})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scale", [0, -1, np.inf, np.nan, "2", None, True, 1j])
def test_an_output_scale_must_be_a_positive_number(scale):
    with pytest.raises(UsageError, match=r"^output_scale: must be a number > 0, got"):
        Network([2, 1], loss="half_squared_error", output_scale=scale)


def test_the_output_function_that_a_loss_goes_with_may_be_said():
    for loss, output in (("cross_entropy", "softmax"), ("binary_cross_entropy", "sigmoid")):
        said, unsaid = (Network([2, 2], loss=loss, output_activation=name) for name in (output, None))
        assert said.get_config() == unsaid.get_config()
        assert said.activations[-1].name == "identity"
    assert Network([2, 1], loss="huber").activations[-1].name == "identity"
    assert Network([2, 1], loss="huber", output_activation="tanh").activations[-1].name == "tanh"


@pytest.mark.parametrize(
    ("X", "problem"),
    [
        (np.zeros((2, 4)), "layers: the data have 4 columns, the first layer has 3 units"),
        (np.zeros((2, 2, 2)), "layers: the data have 4 columns"),
        (np.zeros((2, 0)), "layers: the data have 0 columns"),
        (np.zeros(3), r"X: expected rows of numbers, got the shape \(3,\)"),
        (np.zeros((0, 3)), "X: holds no rows"),
        (np.array(1.0), "X: expected rows of numbers"),
        ([["a", "b", "c"]], "X: expected rows of numbers"),
        (np.zeros((1, 3), complex), "X: expected rows of numbers"),
        ([[0, None, 1]], "X: expected rows of numbers"),
    ],
)
def test_rows_that_do_not_fit_are_refused(X, problem):
    network = Network([3, 2])
    for method in (network.predict, network.outputs, network.check_input):
        with pytest.raises(DataError, match=f"^{problem}"):
            method(X)


@pytest.mark.parametrize("row", [0, 2, BLOCK_ROWS - 1, BLOCK_ROWS, 2 * BLOCK_ROWS + 3])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_named_with_row_and_column(bad, row):
    X = np.zeros((2 * BLOCK_ROWS + 5, 3))
    X[row, 1] = X[-1, 2] = bad
    with pytest.raises(
        DataError,
        match=rf"^X: row {row + 1} \(X\[{row}\]\), column 2 holds {bad}, which is no finite float32; replace",
    ):
        Network([3, 2]).predict(X)


def test_a_number_beyond_float32_is_refused_there_and_taken_by_float64():
    X = np.array([[0, 0, 0], [0, 0, -1e300]])
    with pytest.raises(DataError, match=r"row 2 \(X\[1\]\), column 3 holds -1e\+300, which is no finite float32"):
        Network([3, 2]).predict(X)
    theta = [0, 0, 0, 0, 1e-300, 0, 0, 0]
    assert linear([3, 2], theta).predict(X)[1].tolist() == [-1, 0]


def test_a_column_of_an_image_is_counted_flat():
    X = np.zeros((2, 2, 2))
    X[1, 1, 0] = np.nan
    with pytest.raises(DataError, match=r"row 2 \(X\[1\]\), column 3 "):
        Network([4, 2]).predict(X)


@pytest.mark.parametrize(
    ("options", "y", "problem"),
    [
        ({}, [0, 2], r"y: row 2 \(y\[1\]\) has the label 2, outside the classes 0\.\.1"),
        ({}, [-1, 0], r"y: row 1 \(y\[0\]\) has the label -1"),
        ({}, [0.0, 1.0], "y: the network has 2 outputs a row; the targets have the shape"),
        ({}, [[0.5, 0.5], [1.5, 0]], r"y: cross_entropy takes probabilities or 2 classes, got \[1.5"),
        ({}, [[0.5, 0.5], [-0.5, 0]], "y: cross_entropy takes probabilities"),
        (
            {"layers": [3, 1], "loss": "binary_cross_entropy"},
            [0, 2],
            "binary_cross_entropy takes probabilities or 2 cl",
        ),
        ({"loss": "half_squared_error"}, [[0.0, np.nan], [0, 0]], r"y: row 1 \(y\[0\]\) holds"),
    ],
)
def test_targets_that_do_not_fit_are_refused(options, y, problem):
    with pytest.raises(DataError, match=problem):
        Network(**{"layers": [3, 2], **options}).encode(y)


def test_targets_at_the_ends_of_the_probabilities_are_taken():
    assert Network([3, 2]).encode([[0.0, 1.0], [0.25, 0.75]]).tolist() == [[0, 1], [0.25, 0.75]]
    assert Network([3, 1], loss="binary_cross_entropy").encode([0, 1]).tolist() == [[0], [1]]
    assert Network([3, 2], loss="huber").encode([[-5.0, 9.0]]).tolist() == [[-5, 9]]


# Inputs and outputs


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bytes_are_scaled_by_255(dtype):
    network = Network([4, 5, 3], dtype=dtype)
    pixels = RNG.integers(0, 256, size=(8, 2, 2), dtype=np.uint8)
    batch = network.input_batch(pixels)
    assert (batch.dtype, batch.shape, batch.max() <= 1) == (dtype, (8, 4), True)
    np.testing.assert_allclose(batch, pixels.reshape(8, 4) / 255, rtol=1e-7)
    np.testing.assert_allclose(network.outputs(pixels), network.outputs((pixels / 255).astype(dtype)), rtol=1e-5)
    wide = network.input_batch(pixels.astype(np.int64))  # only uint8 is taken as pixels
    np.testing.assert_array_equal(wide, pixels.reshape(8, 4))


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_has_the_networks_dtype(name, dtype):
    network = Network([3, 4, 2], name, output_activation=name, loss="huber", output_scale=2.5, dtype=dtype)
    trace = network.forward(network.input_batch(ROWS))
    network.backward(trace, network.encode(np.zeros((6, 2))))
    arrays = [
        *trace.H,
        *trace.Z,
        *trace.delta,
        trace.outputs,
        network.theta,
        network.gradient,
        network.outputs(ROWS),
    ]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


def test_outputs_are_probabilities_or_scaled_numbers():
    p = Network([3, 4, 2], "tanh", dtype="float64").outputs(ROWS)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert Network([3, 1], loss="binary_cross_entropy", initializer="zeros").outputs(ROWS).tolist() == [[0.5]] * 6
    assert linear([1, 1], [3, 1], output_scale=2).outputs([[1.0], [-2]]).tolist() == [[8], [-10]]


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_a_row_is_predicted_alike_alone_and_among_others(loss):
    network = Network([3, 4, 2], "tanh", loss=loss, dtype="float64")
    X = RNG.normal(size=(2 * BLOCK_ROWS + 1, 3))
    together = network.outputs(X)
    assert together.shape == (2 * BLOCK_ROWS + 1, 2)
    for row in (0, 1, BLOCK_ROWS - 1, BLOCK_ROWS, 2 * BLOCK_ROWS - 1, 2 * BLOCK_ROWS):
        np.testing.assert_allclose(network.outputs(X[row : row + 1])[0], together[row], rtol=1e-12)
    order = RNG.permutation(len(X))
    np.testing.assert_allclose(network.outputs(X[order]), together[order], rtol=1e-12)


@pytest.mark.parametrize("n", [1, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1, 2 * BLOCK_ROWS])
def test_blocks_cover_every_row_once(n):
    network, seen = Network([3, 2]), []
    for rows, trace in network.blocks(np.zeros((n, 3))):
        assert rows.stop - rows.start == len(trace.outputs) <= BLOCK_ROWS
        seen += range(rows.start, rows.stop)
    assert seen == list(range(n))


def test_the_callers_rows_are_left_alone():
    for X in (ROWS.astype(np.float32), ROWS.copy()):
        before = X.copy()
        network = Network([3, 4, 2], "identity")
        network.backward(network.forward(network.input_batch(X)), network.encode(np.zeros(6, int)))
        network.predict(X)
        np.testing.assert_array_equal(X, before)


# Predictions


def test_the_prediction_is_the_largest_output():
    network = linear([2, 3], [1, 0, 0, 0, 1, 0, 0, 0, 0.5], "cross_entropy")
    X = [[2.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
    assert network.predict(X).tolist() == [0, 1, 2]


def test_one_output_is_scaled_rounded_and_clipped_to_a_class():
    network = linear([1, 1], [1, 0], output_scale=10, class_names=list("abcdefghij"))
    X = [[0.0], [0.34], [0.36], [0.9], [1.7], [-0.4]]
    assert network.outputs(X).ravel().tolist() == pytest.approx([0, 3.4, 3.6, 9, 17, -4])
    assert network.predict(X).tolist() == [0, 3, 4, 9, 9, 0]


def test_one_probability_is_rounded_to_a_class_where_classes_have_names():
    theta, X = [1, 0], [[-3.0], [2.0]]
    assert linear([1, 1], theta, "binary_cross_entropy", class_names=["no", "yes"]).predict(X).tolist() == [0, 1]
    np.testing.assert_allclose(
        linear([1, 1], theta, "binary_cross_entropy").predict(X), 1 / (1 + np.exp([[3.0], [-2.0]]))
    )


def test_probabilities_have_a_column_for_each_class():
    several = linear([2, 3], [1, 0, 0, 0, 1, 0, 0, 0, 0.5], "cross_entropy")
    X = [[2.0, 1.0], [0.0, 1.0]]
    np.testing.assert_array_equal(several.predict_proba(X), several.outputs(X))
    np.testing.assert_allclose(several.predict_proba(X).sum(axis=1), 1)
    single = linear([1, 1], [1, 0], "binary_cross_entropy")
    yes = 1 / (1 + np.exp([3.0, -2.0]))
    np.testing.assert_allclose(single.predict_proba([[-3.0], [2.0]]), np.stack([1 - yes, yes], axis=1))
    pair = linear([1, 2], [1, -1, 0, 0], "binary_cross_entropy")
    np.testing.assert_array_equal(pair.predict_proba([[0.5]]), pair.outputs([[0.5]]))


def test_numbers_have_no_probabilities():
    with pytest.raises(UsageError, match=r"^loss: half_squared_error gives no probabilities; train with cross"):
        Network([2, 1], loss="mse").predict_proba([[1.0, 2.0]])


def test_classes_come_from_names_or_a_softmax():
    assert Network([2, 3]).n_classes == 3
    assert Network([2, 3], loss="half_squared_error").n_classes is None
    assert Network([2, 3], loss="half_squared_error", class_names=list("abc")).n_classes == 3
    assert Network([2, 1], loss="binary_cross_entropy").n_classes is None
    assert Network([2, 3], class_names=["a", "b", "c"]).class_names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"output_activation": "rellu", "loss": "huber"}, "output_activation: unknown name 'rellu'"),
        ({"bias_initializer": "glorot"}, "bias_initializer: unknown name 'glorot'"),
        ({"bias_initializer": "uniform(1, -1)"}, "bias_initializer: uniform: low must be below high"),
        (
            {"initializer": "normal(0, 1e300)"},
            r"initializer: normal\(0, 1e\+300\) gives numbers that are not finite",
        ),
        ({"initializer": np.full(4, 1e300)}, "initializer: array gives numbers that are not finite in float32"),
        ({"loss": "huber(sum)"}, "loss: huber: delta must be > 0, got sum"),
    ],
)
def test_errors_call_the_option_by_its_name(options, said):
    with pytest.raises(UsageError, match=f"^{said}"):
        Network([3, 1], **{"loss": "half_squared_error", **options})


def test_theta_takes_values_and_stays_the_vector_that_the_layers_view():
    """`network.theta = other` and `network.theta -= step` must both reach W and b."""
    network, vector = Network([2, 3]), Network([2, 3]).theta
    view = network.theta
    network.theta = vector + 1
    network.theta -= 0.5
    assert network.theta is view
    np.testing.assert_array_equal(network.W[0].ravel(), (vector + 1 - 0.5)[:6])


@pytest.mark.parametrize("class_names", [["a", "b"], "abc", 5])
def test_class_names_are_one_for_each_output(class_names):
    with pytest.raises(UsageError, match=r"^class_names: "):
        Network([2, 3], class_names=class_names)


@pytest.mark.parametrize(
    "options", [{"loss": "huber", "class_names": ["a", "b"]}, {"loss": "binary_cross_entropy"}]
)
def test_an_output_that_overflows_is_an_error_and_not_a_label(options):
    network = Network([2, 2, 1], "relu", **options)
    network.theta = [1e20] * 4 + [0, 0, 1, 1, 0]
    X = np.zeros((BLOCK_ROWS + 9, 2), np.float32)
    X[BLOCK_ROWS + 3] = 1e30
    with pytest.raises(
        NonFiniteError, match=rf"^X: row {BLOCK_ROWS + 4} \(X\[{BLOCK_ROWS + 3}\]\) is too much for the network"
    ):
        network.predict(X)


def test_one_word_goes_for_all_hidden_layers_and_a_list_says_all():
    network = Network([3, 4, 5, 2], batch_norm=True, dropout=0.3)
    assert (network.batch_norm, network.dropout) == ((True, True), (0.0, 0.3, 0.3))
    assert [None if gamma is None else gamma.shape for gamma in network.gamma] == [(4,), (5,), None]
    network = Network([3, 4, 5, 2], batch_norm=[False, True], dropout=[0.1, 0, np.float64(0.2)])
    assert (network.batch_norm, network.dropout) == ((False, True), (0.1, 0.0, 0.2))
    assert network.gamma[0] is None
    assert Network([3, 2], batch_norm=True).batch_norm == ()
    assert Network([3, 2], dropout=[0.3]).dropout == (0.3,)
    assert {type(rate) for rate in network.dropout} == {float}


def test_a_numpy_number_is_a_number():
    assert Network([2, 1], loss="huber", output_scale=np.float32(2)).output_scale == 2


def test_rows_of_unequal_length_are_refused():
    with pytest.raises(DataError, match=r"^X: expected rows of equal length"):
        Network([2, 3]).predict([[1, 2], [3]])


# Copies, views, fingerprints


def same_views(network):
    """Whether the views lead into theta and the gradient, all of them and in order."""
    network.theta[:] = np.arange(len(network.theta))
    p, none = network.parameters, np.empty(0)
    values = [none if v is None else v.ravel() for three in zip(p.W, p.b, p.gamma, strict=True) for v in three]
    network.gradient[:] = -network.theta
    slopes = [none if v is None else v.ravel() for three in zip(p.dW, p.db, p.dgamma, strict=True) for v in three]
    return np.array_equal(np.concatenate(values), network.theta) and np.array_equal(
        np.concatenate(slopes), network.gradient
    )


DUPLICATES = {
    "copy": Network.copy,
    "astype": lambda network: network.astype(np.float64),
    "deepcopy": copy.deepcopy,
    "pickle": lambda network: pickle.loads(pickle.dumps(network)),
}


@pytest.mark.parametrize("how", sorted(DUPLICATES))
def test_a_duplicate_is_equal_and_independent(how):
    network = Network([3, 4, 2], "tanh", loss="huber(0.5)", class_names=list("ab"), batch_norm=True, dropout=0.5)
    network.parameters.statistics[:] = np.arange(1, 9)
    theta, outputs = network.theta.copy(), network.outputs(ROWS)
    again = DUPLICATES[how](network)
    np.testing.assert_allclose(again.outputs(ROWS), outputs, rtol=1e-5)
    assert again.theta.dtype == ("float64" if how == "astype" else "float32")
    assert {**again.get_config(), "dtype": ""} == {**network.get_config(), "dtype": ""}
    assert again.parameters.statistics.tolist() == list(range(1, 9))
    again.parameters.mean[0][:] = again.parameters.variance[0][:] = 77
    assert (again.parameters.statistics == 77).all()
    assert network.parameters.statistics.tolist() == list(range(1, 9))
    again.activations[0] = ACTIVATIONS.resolve("relu")
    assert same_views(again)
    np.testing.assert_array_equal(network.theta, theta)
    np.testing.assert_array_equal(network.outputs(ROWS), outputs)
    assert not network.gradient.any()


def test_views_share_theta():
    assert same_views(Network([3, 4, 2]))
    assert same_views(Network([3, 4, 5, 2], batch_norm=[True, False]))
    network = Network([3, 4, 2])
    assert all(np.shares_memory(view, network.theta) for view in network.W + network.b)
    assert all(np.shares_memory(view, network.gradient) for view in network.dW + network.db)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_fingerprint_changes_with_one_bit(dtype):
    network = Network([3, 4, 2]).astype(dtype)
    before = network.fingerprint()
    assert before == hashlib.sha256(network.theta.tobytes()).hexdigest()
    for index in (0, len(network.theta) - 1):
        other = network.copy()
        assert other.fingerprint() == before
        other.theta[index] = np.nextafter(other.theta[index], np.inf, dtype=dtype)
        assert other.fingerprint() != before


def test_a_forward_pass_uses_what_theta_holds_now():
    network = linear([1, 1], [1, 0])
    network.theta[:] = [2, 5]
    assert network.outputs([[1.0]]) == 7


# Training and prediction

KEYS = mask_keys(0, np.array([1, 2]), 3)


def in_training(**options):
    return Network([3, 20, 10, 2], "tanh", dtype="float64", **options)


@pytest.mark.parametrize(
    "options", [{"dropout": 0.5}, {"dropout": [0.3, 0, 0]}, {"batch_norm": True, "dropout": 0.2}]
)
def test_only_a_pass_of_training_is_random_and_its_keys_decide(options):
    network = in_training(**options)
    said = network.forward(ROWS).outputs
    trained, again, other = (network.forward(ROWS, keys).outputs for keys in (KEYS[0], KEYS[0], KEYS[1]))
    np.testing.assert_array_equal(trained, again)
    assert np.abs(trained - other).max() > 1e-2
    assert np.abs(trained - said).max() > 1e-2
    np.testing.assert_array_equal(network.forward(ROWS).outputs, said)
    np.testing.assert_allclose(network.outputs(ROWS), softmax(network.forward(ROWS).outputs), rtol=1e-6)


def test_without_dropout_and_normalisation_training_is_like_prediction():
    network = in_training()
    np.testing.assert_array_equal(network.forward(ROWS, KEYS[0]).outputs, network.forward(ROWS).outputs)
    dropped = in_training(dropout=0.5)
    np.testing.assert_array_equal(dropped.forward(ROWS).outputs, network.forward(ROWS).outputs)


def test_batch_normalisation_by_the_batch_itself_needs_no_randomness():
    network = in_training(batch_norm=True)
    first, second = (network.forward(ROWS, keys).outputs for keys in KEYS)
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - network.forward(ROWS).outputs).max() > 1e-2


def test_the_same_seed_gives_the_same_weights_with_and_without_normalisation():
    plain, normalised = (
        in_training(batch_norm=on, seed=4, bias_initializer="normal") for on in (False, [True, False])
    )
    for one, other in zip(plain.W + plain.b, normalised.W + normalised.b, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(normalised.theta) == len(plain.theta) + 20
    assert (normalised.gamma[0] == 1).all()
    assert normalised.parameters.statistics.tolist() == [0] * 20 + [1] * 20


# Descriptions


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"layers": [3, 2], "seed": 4},
        {"layers": [3, 4, 4, 2], "activation": ["tanh", "gelu"], "dtype": "float64", "seed": np.int64(7)},
        {"loss": "huber(0.3, sum)", "output_activation": "tanh", "output_scale": 2, "class_names": ["x", "y"]},
        {"loss": "binary_cross_entropy(sum)", "initializer": "uniform(-0.5, 0.25)"},
        {"initializer": "he_normal", "bias_initializer": "normal(0.5, 0.1)"},
        {"initializer": INITIALIZERS.resolve("orthogonal"), "loss": LOSSES.resolve("absolute_error")},
        {"batch_norm": True, "dropout": 0.25},
        {"layers": [3, 4, 4, 2], "batch_norm": [False, True], "dropout": [0.1, 0.2, 0.3]},
        {"layers": [3, 4, 4, 2], "batch_norm": (True, True), "dropout": np.float32(0.5)},
        {"layers": [3, 2], "batch_norm": True, "dropout": [0.1]},
    ],
)
def test_a_description_builds_an_equal_network(options):
    network = Network(**{"layers": [3, 4, 2], **options})
    again = Network(**network.get_config())
    assert again.get_config() == network.get_config()
    assert again.fingerprint() == network.fingerprint()
    np.testing.assert_array_equal(again.outputs(ROWS), network.outputs(ROWS))


def test_a_description_is_plain_values():
    network = Network(
        [3, 4, 2], "tanh", loss="huber(0.5)", output_scale=2, seed=np.int64(3), class_names=("a", "b")
    )
    assert network.get_config() == {
        "layers": [3, 4, 2],
        "activation": "tanh",
        "output_activation": None,
        "loss": "huber(0.5, reduction=mean)",
        "output_scale": 2.0,
        "initializer": "glorot_uniform",
        "bias_initializer": "zeros",
        "seed": 3,
        "dtype": "float32",
        "batch_norm": False,
        "dropout": 0.0,
        "class_names": ["a", "b"],
    }
    assert type(network.get_config()["seed"]) is int
    assert Network([2, 2], loss="huber", output_activation="tanh").get_config()["output_activation"] == "tanh"
    assert Network([2, 3, 4, 2], ["relu", "elu"]).get_config()["activation"] == ["relu", "elu"]
    for asked, described in ((0.5, 0.5), ([0, 0.5, 0.5], 0.5), ([0.1, 0.5, 0.5], [0.1, 0.5, 0.5])):
        assert Network([2, 3, 4, 2], dropout=asked).get_config()["dropout"] == described
    for asked, described in ((True, True), ([True, True], True), ([True, False], [True, False])):
        assert Network([2, 3, 4, 2], batch_norm=asked).get_config()["batch_norm"] == described
    assert Network([1, 1], loss="huber", initializer=np.zeros(2)).get_config()["initializer"] == "array"


def test_the_repr_says_what_matters():
    assert repr(Network([2, 3, 2], "tanh", seed=5)) == (
        "Network([2, 3, 2], activation='tanh', loss='cross_entropy(reduction=mean)', seed=5)"
    )
    assert "activation=['tanh', 'relu']" in repr(Network([2, 3, 3, 2], ["tanh", "relu"]))


def test_one_activation_object_may_serve_all_layers():
    double = Activation("double", lambda z: 2 * z, lambda z, h: np.full_like(z, 2))
    network = Network([1, 1, 1, 1], double, loss="half_squared_error", initializer=np.array([1.0, 0] * 3))
    assert network.outputs([[1.0]]) == 4  # both hidden layers double, the output does not
    assert [activation.name for activation in network.activations] == ["double", "double", "identity"]


def test_logits_are_what_the_loss_takes_and_probabilities_what_the_user_sees():
    network = Network([3, 2], dtype="float64")
    trace = network.forward(ROWS)
    np.testing.assert_array_equal(trace.outputs, ROWS @ network.W[0] + network.b[0])
    np.testing.assert_allclose(network.outputs(ROWS), softmax(trace.outputs), rtol=1e-14)


def scaled_network():
    network = Network([4, 5, 3], seed=2)
    network.scaled_inputs = True  # as `fit` leaves it after standardised rows
    return network


def test_rows_before_scaling_are_doubted_and_scaled_ones_are_not():
    raw = load_iris().data
    scaled = ((raw - raw.mean(axis=0)) / raw.std(axis=0)).astype(np.float32)
    network = scaled_network()
    for answer in (network.predict, network.predict_proba, network.copy().predict):
        with pytest.warns(NetworkWarning, match="look like rows before scaling.*a Model"):
            answer(raw)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network.predict(scaled)
        network.predict(scaled.tolist())
        for row in scaled:
            network.predict(row[None])
        Network([4, 5, 3]).predict(raw)  # nothing is known of its rows
    with pytest.raises(DataError, match="expected rows of numbers"):
        network.predict(["a", "b"])


@settings(max_examples=50)
@given(data=st.data())
def test_a_row_has_the_same_outputs_alone_as_among_others(data):
    d = st.one_of(st.integers(1, 12), st.sampled_from([64, 145, 257]))
    d_in = data.draw(st.one_of(d, st.just(1300)))  # so many that the columns of W are multiplied in slices
    layers = [d_in, *data.draw(st.lists(d, min_size=1, max_size=3)), data.draw(st.integers(2, 12))]
    seed, dtype = data.draw(st.integers(0, 99)), data.draw(st.sampled_from(["float32", "float64"]))
    network = Network(layers, seed=seed, dtype=dtype, batch_norm=data.draw(st.booleans()))
    rows = np.random.default_rng(seed).normal(size=(data.draw(st.integers(1, 40)), d_in)).astype(dtype)
    together, tolerance = network.outputs(rows), {"float32": 1e-3, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(together, softmax(network.forward(rows).outputs), rtol=tolerance)
    cuts = sorted(data.draw(st.lists(st.integers(1, len(rows)), max_size=4)))
    parts = [part for part in np.split(rows, cuts) if len(part)]
    np.testing.assert_array_equal(np.concatenate([network.outputs(part) for part in parts]), together)
    np.testing.assert_array_equal(network.outputs(rows[:1]), together[:1])
    np.testing.assert_array_equal(network.outputs(rows[::-1]), together[::-1])
    np.testing.assert_array_equal(network.outputs(np.asfortranarray(rows)), together)


def test_a_single_output_of_a_row_is_the_same_alone_as_among_others():
    rows = np.random.default_rng(0).normal(size=(300, 100)).astype(np.float32)
    network = Network([100, 1], loss="half_squared_error")
    together = network.outputs(rows)
    np.testing.assert_array_equal(np.concatenate([network.outputs(row[None]) for row in rows]), together)
    np.testing.assert_allclose(together, network.forward(rows).outputs, rtol=1e-3, atol=1e-5)


def test_rows_in_another_order_of_bytes_are_the_same_rows():
    rows = np.random.default_rng(0).normal(size=(5, 3))
    network = Network([3, 4, 2])
    assert network.check_input(rows.astype(">f8")).dtype.isnative
    np.testing.assert_array_equal(network.outputs(rows.astype(">f8")), network.outputs(rows))
