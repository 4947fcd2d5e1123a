import numpy as np
import pytest

from glassnet.errors import DataError, UsageError
from glassnet.nn.targets import decode, encode, smooth

F32, F64 = np.dtype("float32"), np.dtype("float64")


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("kind", ["int64", "uint8", "int8"])
def test_labels_become_one_hot_rows(kind, dtype):
    targets = encode(np.array([2, 0, 1], kind), 3, 3, dtype)
    assert targets.dtype == dtype
    assert targets.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_without_class_names_there_are_as_many_classes_as_outputs():
    assert encode(np.array([1, 0]), 2, None, F64).tolist() == [[0, 1], [1, 0]]


def test_with_one_output_a_label_is_its_number():
    assert encode(np.array([9, 0]), 1, 10, F32).tolist() == [[9], [0]]
    assert encode(np.array([True, False]), 1, 2, F32).tolist() == [[1], [0]]
    assert encode(np.array([70, -3]), 1, None, F32).tolist() == [[70], [-3]]  # no classes: any number


def test_numbers_stay_as_they_are():
    y = np.array([[0.5, -2.0], [3.0, 4.0]])
    targets = encode(y, 2, None, F64)
    assert targets.tolist() == y.tolist()
    assert not np.shares_memory(targets, y)
    assert encode(np.array([0.5, -2.0]), 1, None, F32).tolist() == [[0.5], [-2]]
    assert encode(np.array([[1, 0], [0, 1]]), 2, 2, F32).tolist() == [[1, 0], [0, 1]]  # one-hot already


@pytest.mark.parametrize(("bad", "row"), [([0, 3, 9], 1), ([0, 1, -1], 2), ([7, -1, 0], 0)])
@pytest.mark.parametrize("d_out", [1, 3])
def test_a_label_outside_the_classes_is_named_with_its_row(bad, row, d_out):
    with pytest.raises(
        DataError, match=rf"y: row {row + 1} \(y\[{row}\]\) has the label {bad[row]}, outside the classes 0\.\.2"
    ):
        encode(np.array(bad), d_out, 3, F32)


def test_classes_and_outputs_must_agree():
    with pytest.raises(DataError, match="layers: the data have 4 classes, the last layer has 3 units"):
        encode(np.array([0, 1]), 3, 4, F32)


@pytest.mark.parametrize("y", [np.zeros((3, 2)), np.zeros(3), np.zeros((3, 3, 1)), np.array(1.0)])
def test_targets_of_the_wrong_shape_are_refused(y):
    with pytest.raises(DataError, match="y: the network has 3 outputs a row; the targets have the shape"):
        encode(y, 3, None, F32)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_a_target_that_is_not_finite_is_named_with_its_row(bad):
    """1e300 is finite, but not in the network's float32."""
    with pytest.raises(DataError, match=r"y: row 2 \(y\[1\]\) holds"):
        encode(np.array([0.0, bad, bad]), 1, None, F32)


@pytest.mark.parametrize("y", [np.array(["a", "b"]), np.array([1j, 2]), np.array([None, 1])])
def test_targets_must_be_numbers(y):
    with pytest.raises(DataError, match="y: expected labels"):
        encode(y, 1, None, F32)


def test_the_largest_output_is_the_class():
    assert decode(np.array([[0.1, 0.7, 0.2], [3, 2, 1], [-5, -4, -3]]), 3).tolist() == [1, 0, 2]


def test_one_output_is_rounded_to_the_nearest_class():
    outputs = np.array([[6.6], [6.4], [11.0], [-3.0], [8.51], [9.4]])
    labels = decode(outputs, 10)
    assert labels.tolist() == [7, 6, 9, 0, 9, 9]
    assert labels.dtype == np.intp


def test_without_classes_the_outputs_are_the_prediction():
    outputs = np.array([[1.5], [2.5]])
    assert decode(outputs, None) is outputs


@pytest.mark.parametrize("d_out", [1, 4])
def test_decoding_undoes_encoding(d_out):
    y = np.array([3, 1, 0, 2, 2])
    np.testing.assert_array_equal(decode(encode(y, d_out, 4, F32), 4), y)


# Label smoothing


def test_smoothing_by_hand():
    """s = 0.3 over 3 classes: 0.7 y + 0.1; over the two of a sigmoid: 0.7 y + 0.15."""
    targets = np.array([[1.0, 0, 0], [0, 0.5, 0.5]])
    np.testing.assert_allclose(smooth(targets, 0.3, "softmax"), [[0.8, 0.1, 0.1], [0.1, 0.45, 0.45]], rtol=1e-15)
    np.testing.assert_allclose(smooth(targets[:, :2], 0.3, "sigmoid"), [[0.85, 0.15], [0.15, 0.5]], rtol=1e-15)
    np.testing.assert_allclose(smooth(np.array([[1.0], [0]]), 0.3, "sigmoid"), [[0.85], [0.15]], rtol=1e-15)


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("smoothing", [1e-6, 0.1, 0.9])
def test_smoothed_rows_are_probabilities_with_the_same_largest(smoothing, dtype):
    targets = np.random.default_rng(0).dirichlet(np.ones(5), size=20).astype(dtype)
    before = targets.copy()
    smoothed = smooth(targets, smoothing, "softmax")
    assert smoothed.dtype == dtype
    np.testing.assert_allclose(smoothed.sum(axis=1), 1, rtol=1e-6)
    assert (smoothed > 0).all()
    assert (smoothed.argmax(axis=1) == targets.argmax(axis=1)).all()
    np.testing.assert_array_equal(targets, before)


def test_no_smoothing_leaves_targets_as_they_are():
    targets = np.eye(3)
    assert smooth(targets, 0.0, "softmax") is targets
    assert smooth(targets, 0.0, None) is targets


def test_only_probabilities_can_be_smoothed():
    with pytest.raises(UsageError, match=r"^label_smoothing: is for cross_entropy and binary_cross_entropy"):
        smooth(np.eye(3), 0.1, None)
