"""Arrays, lists and data frames as data to learn from."""

import numpy as np
import polars
import pytest

from glassnet.data.arrays import as_dataset, as_split
from glassnet.data.dataset import Dataset
from glassnet.data.splits import Split
from glassnet.errors import DataError, UsageError
from glassnet.nn.network import Network
from glassnet.training.metrics import evaluate, predict_test_rows

X = np.random.default_rng(0).normal(size=(60, 4))
Y = np.arange(60) % 3


def test_all_rows_train_but_for_a_twelfth():
    data = as_dataset(X, Y)
    assert [len(split.y) for split in (data.train, data.validation, data.test)] == [55, 5, 0]
    assert data.test.X.shape == (0, 4)
    rows = np.concatenate([data.train.X, data.validation.X])
    assert sorted(map(tuple, rows)) == sorted(map(tuple, X))
    assert (data.task, data.class_names) == ("multi-class", ("0", "1", "2"))


def test_the_validation_rows_are_those_of_from_arrays():
    made = Dataset.from_arrays(X, Y, X, Y)
    np.testing.assert_array_equal(as_dataset(X, Y).validation.X, made.validation.X)
    assert as_dataset(X, Y).checksums == made.checksums


def test_the_three_forms_mean_the_same():
    forms = (as_dataset(X, Y), as_dataset((X, Y)), as_dataset(Split(X, Y)), as_dataset(X.tolist(), Y.tolist()))
    for data in forms:
        np.testing.assert_array_equal(data.train.X, forms[0].train.X)
        np.testing.assert_array_equal(data.train.y, forms[0].train.y)
    assert as_dataset(forms[0]) is forms[0]


def test_data_frames_are_rows():
    frame = polars.DataFrame(X, schema=list("abcd"))
    data = as_dataset(frame, polars.Series(Y))
    np.testing.assert_array_equal(data.train.X, as_dataset(X, Y).train.X)


def test_named_validation_rows_leave_all_others_to_train():
    data = as_dataset(X, Y, validation_data=(X[:7], Y[:7]))
    assert [len(split.y) for split in (data.train, data.validation, data.test)] == [60, 7, 0]
    np.testing.assert_array_equal(data.train.X, X)
    other = as_dataset(X, Y, validation_data=(X[:7], (Y[:7] + 1) % 3))
    assert data.checksums["X, y"] == other.checksums["X, y"]
    assert data.checksums != other.checksums
    of_a_set = as_dataset(Dataset.from_arrays(X, Y, validation=0), validation_data=Split(X[:7], Y[:7]))
    assert [len(split.y) for split in (of_a_set.train, of_a_set.validation, of_a_set.test)] == [48, 7, 12]


def test_numbers_are_regressed():
    data = as_dataset(X, X[:, 0])
    assert (data.task, data.class_names) == ("regression", None)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((X,), UsageError, "data: the labels are missing; give rows and their labels"),
        (([X, Y],), UsageError, "data: the labels are missing"),
        (("digits",), UsageError, 'data: load the data first: glassnet.load_dataset("digits")'),
        (((X, Y), Y), UsageError, "data: the labels are given twice"),
        ((as_dataset(X, Y), Y), UsageError, "y: a Dataset has its labels already; leave y out"),
        ((X, Y, X), UsageError, "validation_data: the labels are missing"),
        ((X, Y[:-1]), DataError, "arrays: 60 training rows but 59 labels"),
        (
            (X, Y, (X[:, :2], Y)),
            DataError,
            "arrays: validation rows: X: rows of shape (2,), where training had 4 numbers a row",
        ),
        (([[1, 2], [3]], [0, 1]), DataError, "data: the rows must all be equally long"),
        (
            (X, np.array(["cat"] * 60)),
            DataError,
            "arrays: target: one class only, 'cat'; there is nothing",
        ),
    ],
)
def test_a_call_that_cannot_be_meant_is_one_line(arguments, error, said):
    with pytest.raises(error) as caught:
        as_dataset(*arguments)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_a_split_is_two_arrays():
    split = as_split([[1, 2], [3, 4]], [0.5, 1.5])
    assert split.X.shape == (2, 2)
    assert split.y.dtype == float


def test_without_test_rows_an_evaluation_says_what_to_give():
    data, network = as_dataset(X, Y), Network([4, 3])
    for call in (evaluate, predict_test_rows):
        with pytest.raises(DataError, match=r"^arrays: there are no test rows; give rows and labels as X, y, or"):
            call(network, data)
    assert evaluate(network, data.train).rows == 55
