import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from glassnet.data.dataset import Dataset
from glassnet.errors import UsageError
from glassnet.nn.network import Network
from glassnet.training.row_weights import row_weights, weigh_rows

PETS = ["cat", "dog", "eel"]
Y = np.array([0, 0, 0, 1, 1, 2])


def exact(y, class_names, class_weight=None, sample_weight=None):
    return row_weights(np.asarray(y), class_names, class_weight, sample_weight, np.float64)


LABELS = st.lists(st.integers(0, 2), min_size=1, max_size=25).map(np.array)


# By hand


def test_no_weights_are_none():
    assert row_weights(Y, PETS) is None


def test_balanced_classes_weigh_the_same_in_sum():
    weights = exact(Y, PETS, "balanced")
    np.testing.assert_allclose(weights, [6 / 9, 6 / 9, 6 / 9, 6 / 6, 6 / 6, 6 / 3])
    assert exact(Y, ["ant", *PETS], "balanced").tolist() == weights.tolist()  # the eel has no rows then


def test_named_classes_by_hand():
    # 3 * 1 + 2 * 4 + 1 * 1 = 12 over 6 rows: a mean of 2
    assert exact(Y, PETS, {"dog": 4}).tolist() == [0.5, 0.5, 0.5, 2.0, 2.0, 0.5]
    assert exact(Y, PETS, {"cat": 0, "eel": 2}).tolist() == [0, 0, 0, 1.5, 1.5, 3.0]


def test_row_weights_by_hand_and_their_product_with_the_classes():
    assert exact(Y, PETS, None, [0, 1, 2, 3, 4, 5]).tolist() == [0, 0.4, 0.8, 1.2, 1.6, 2.0]
    found = exact(Y, PETS, {"cat": 2}, [1, 1, 0, 1, 2, 1])  # 2 2 0 1 2 1: a mean of 8 / 6
    np.testing.assert_allclose(found, np.array([2, 2, 0, 1, 2, 1]) * 6 / 8)


def test_numbers_and_several_labels_take_row_weights():
    assert exact(np.array([0.5, 2.5]), None, None, [1, 3]).tolist() == [0.5, 1.5]
    assert exact(np.array([[0, 1], [1, 1]]), None, None, [1, 3]).tolist() == [0.5, 1.5]


@pytest.mark.parametrize("dtype", ["int64", "uint8", "uint64", "int32"])
def test_labels_of_any_whole_type(dtype):
    assert exact(Y.astype(dtype), PETS, {"dog": 4}).tolist() == [0.5, 0.5, 0.5, 2.0, 2.0, 0.5]
    assert exact(Y.astype(dtype), PETS, "balanced").tolist() == exact(Y, PETS, "balanced").tolist()


def test_labels_that_are_truth_values_are_two_classes():
    y = np.array([False, False, True])
    assert exact(y, ["no", "yes"], {"yes": 4}).tolist() == [0.5, 0.5, 2.0]
    assert exact(y, ["no", "yes"], "balanced").tolist() == [0.75, 0.75, 1.5]


# How a class is named


@pytest.mark.parametrize("weights", [{"dog": 3}, {1: 3}, {"1": 3}, {np.int64(1): np.float32(3)}])
def test_a_class_is_given_by_name_or_by_label_also_as_text(weights):
    assert exact(Y, PETS, weights).tolist() == exact(Y, PETS, {"cat": 1, "dog": 3, "eel": 1}).tolist()


def test_where_classes_are_called_by_numbers_a_number_is_a_name():
    digits = ["1", "2", "3"]
    assert exact(Y, digits, {1: 5}).tolist() == exact(Y, PETS, {"cat": 5}).tolist()
    assert exact(Y, digits, {"3": 5}).tolist() == exact(Y, PETS, {"eel": 5}).tolist()
    for names in (digits, ["-1", "one", "two"], ["0.5", "1.0", "1.5"]):
        with pytest.raises(UsageError, match=r"^class_weight: unknown name '0'; .*Known: "):
            exact(Y, names, {0: 5})


# Laws


@given(y=LABELS)
def test_balanced_weights_are_those_of_scikit_learn(y):
    present = np.unique(y)
    by_class = compute_class_weight("balanced", classes=present, y=y)
    np.testing.assert_allclose(exact(y, PETS, "balanced"), by_class[np.searchsorted(present, y)], rtol=1e-12)


@given(y=LABELS, data=st.data())
def test_products_are_those_of_scikit_learn_up_to_their_mean_of_one(y, data):
    positive = st.floats(0.01, 100)
    by_class = {label: data.draw(positive) for label in range(3)}
    by_row = np.array(data.draw(st.lists(positive, min_size=len(y), max_size=len(y))))
    expected = compute_sample_weight(by_class, y) * by_row
    found = exact(y, PETS, dict(zip(PETS, by_class.values(), strict=True)), by_row)
    np.testing.assert_allclose(found, expected / expected.mean(), rtol=1e-12)
    single = row_weights(y, PETS, by_class, by_row)
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, found.astype(np.float32))
    assert single.mean(dtype=np.float64) == pytest.approx(1, abs=1e-6)


@given(y=LABELS, weight=st.floats(1e-6, 1e6))
def test_equal_weights_change_nothing(y, weight):
    assert exact(y, PETS, None, np.full(len(y), weight)).tolist() == [1.0] * len(y)
    assert exact(y, PETS, dict.fromkeys(PETS, weight)).tolist() == [1.0] * len(y)


@pytest.mark.parametrize("loss", ["cross_entropy", "half_squared_error"])
def test_whole_numbers_over_all_rows_are_rows_repeated(loss):
    rng = np.random.default_rng(0)
    X, times = rng.normal(size=(6, 4)), np.array([3, 0, 1, 2, 5, 1])
    network = Network([4, 5, 3], "tanh", loss=loss, dtype="float64", class_names=PETS)
    repeated = np.repeat(np.arange(6), times)
    value = network.backward(network.forward(X[repeated]), network.encode(Y[repeated]))
    gradient = network.gradient.copy()
    weights = exact(Y, PETS, None, times)
    weighted_value, weighted_gradient = 0.0, np.zeros_like(gradient)
    for row in range(6):
        single = network.backward(network.forward(X[row : row + 1]), network.encode(Y[row : row + 1]))
        weighted_value += weights[row] * single / 6
        weighted_gradient += weights[row] * network.gradient / 6
    assert weighted_value == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(weighted_gradient, gradient, rtol=1e-10, atol=1e-14)


def test_the_largest_and_smallest_weights_neither_overflow_nor_vanish():
    largest = np.finfo(float).max
    assert exact(Y, PETS, dict.fromkeys(PETS, largest), [largest] * 6).tolist() == [1.0] * 6
    assert exact(Y, PETS, None, [5e-324] * 6).tolist() == [1.0] * 6


def test_what_is_given_is_left_as_it_is():
    by_row, by_class = np.arange(6.0), {"cat": 2}
    row_weights(Y, PETS, by_class, by_row)
    assert by_row.tolist() == [0, 1, 2, 3, 4, 5]
    assert by_class == {"cat": 2}
    assert Y.tolist() == [0, 0, 0, 1, 1, 2]


# What is refused


@pytest.mark.parametrize(
    ("sample_weight", "message"),
    [
        ([1, 2], r"for each of the 6 training rows, got the shape \(2,\)"),
        (np.ones((6, 1)), r"got the shape \(6, 1\)"),
        (1.0, r"got the shape \(\)"),
        ("balanced", r"got the shape \(\)"),
        (list("abcdef"), "of type <U1"),
        ([1, 1, 1, 1, 1, None], "of type object"),
        ([[1], [1, 2], [1], [1], [1], [1]], "expected one number for each of the 6 training rows"),
        ([1, 1, -0.5, 1, 1, 1], "row 3 has the weight -0.5; give finite numbers >= 0"),
        ([1, 1, 1, np.nan, 1, 1], "row 4 has the weight nan"),
        ([1, 1, 1, 1, 1, np.inf], "row 6 has the weight inf"),
        (np.zeros(6), "every training row has the weight 0"),
    ],
)
def test_row_weights_that_make_no_sense_are_refused(sample_weight, message):
    with pytest.raises(UsageError, match=f"^sample_weight: .*{message}") as caught:
        row_weights(Y, PETS, None, sample_weight)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("balance", "takes balanced, or a weight by class, got 'balance'"),
        ([1, 2, 3], "takes balanced, or a weight by class, got"),
        ({"dgo": 2}, "unknown name 'dgo'; did you mean 'dog'"),
        ({3: 2}, "unknown name '3'"),
        ({-1: 2}, "unknown name '-1'"),
        ({"dog": 2, 1: 3}, "the class dog is given twice"),
        ({"dog": -1}, "the class dog has the weight -1; give a finite number >= 0"),
        ({"dog": float("nan")}, "the class dog has the weight nan"),
        ({"dog": float("inf")}, "the class dog has the weight inf"),
        ({"dog": 10**400}, "the class dog has the weight 1000"),
        ({"dog": "2"}, "the class dog has the weight '2'"),
        ({"dog": True}, "the class dog has the weight True"),
        ({"cat": 0, "dog": 0, "eel": 0}, "every training row has the weight 0"),
    ],
)
def test_class_weights_that_make_no_sense_are_refused(class_weight, message):
    with pytest.raises(UsageError, match=f"^class_weight: .*{message}"):
        row_weights(Y, PETS, class_weight)


def test_class_and_row_weights_that_leave_no_row_are_refused():
    with pytest.raises(UsageError, match=r"^sample_weight: every training row has the weight 0"):
        row_weights(Y, PETS, {"cat": 0}, [1, 1, 1, 0, 0, 0])


@pytest.mark.parametrize("class_weight", ["balanced", {"cat": 2}])
def test_without_one_class_a_row_there_are_no_class_weights(class_weight):
    with pytest.raises(UsageError, match=r"^class_weight: a row has several labels here"):
        row_weights(np.eye(3, dtype=int), PETS, class_weight)
    for names in (None, PETS):
        with pytest.raises(UsageError, match=r"^class_weight: there are no classes to weigh"):
            row_weights(np.linspace(0, 1, 6), names, class_weight)


@pytest.mark.parametrize(
    ("y", "class_weight", "expected"),
    [
        ([10, 20, 20], {20: 3}, [1, 3, 3]),
        ([10, 20, 20], {"20": 3}, [1, 3, 3]),
        ([10, 20, 20], {20.0: 3}, [1, 3, 3]),
        ([1.0, 2.0, 2.0], {2: 3}, [1, 3, 3]),
        ([1.0, 2.0, 2.0], {"2": 3}, [1, 3, 3]),
        ([1, 2, 2], {1: 3}, [3, 1, 1]),  # the class 1, not the second one
        ([False, True, True], {True: 3}, [1, 3, 3]),
        ([False, True, True], {1: 3}, [1, 3, 3]),
        ([2**60, 2**60 + 1, 2**60 + 1], {2**60 + 1: 3}, [1, 3, 3]),
        (["no", "yes", "yes"], {"yes": 3}, [1, 3, 3]),
        (["no", "yes", "yes"], {1: 3}, [1, 3, 3]),
        (["01", "1", "1"], {"1": 3}, [1, 3, 3]),
    ],
)
def test_classes_are_weighed_as_the_user_wrote_them(y, class_weight, expected):
    y = np.repeat(np.array(y), 10)
    data = Dataset.from_arrays(np.zeros((30, 1)), y, np.zeros((30, 1)), y, task="binary", validation=0)
    found = weigh_rows(data, 30, class_weight, None, np.float64)
    np.testing.assert_allclose(found, np.repeat(np.array(expected) / np.mean(expected), 10))


@pytest.mark.parametrize("key", [0, 2, "0", 30, "ten", None])
def test_a_class_that_the_user_did_not_write_is_unknown(key):
    y = np.repeat([10, 20], 10)
    data = Dataset.from_arrays(np.zeros((20, 1)), y, np.zeros((20, 1)), y, validation=0)
    with pytest.raises(UsageError, match=r"^class_weight: unknown name '.*Known: 10, 20"):
        weigh_rows(data, 20, {key: 3}, None, np.float64)
