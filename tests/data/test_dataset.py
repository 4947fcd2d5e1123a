import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset
from glassnet.data.splits import Split, count_validation_rows
from glassnet.data.target_schema import TASKS
from glassnet.errors import DataError, UsageError

ROWS = np.arange(60.0).reshape(30, 2)
LABELS = np.arange(30) % 3


@given(
    n=st.integers(8, 60),
    classes=st.integers(2, 4),
    validation=st.integers(0, 3) | st.floats(0.01, 0.5),
    split_seed=st.integers(0, 3),
)
def test_splits_are_a_partition_and_rows_keep_their_labels(n, classes, validation, split_seed):
    X, y = np.arange(float(n))[:, None], np.arange(n) % classes
    data = Dataset.from_arrays(X, y, validation=validation, split_seed=split_seed)
    rows = np.concatenate([split.X[:, 0] for split in (data.train, data.validation, data.test)]).astype(int)
    assert sorted(rows) == list(range(n))
    for split in (data.train, data.validation, data.test):
        np.testing.assert_array_equal(split.y, y[split.X[:, 0].astype(int)])
    assert len(data.test.y) == round(n / 5)
    assert len(data.validation.y) == data.validation_size == count_validation_rows(validation, n - round(n / 5))
    assert data.split_seed == split_seed


def test_split_seed_moves_validation_rows_and_leaves_the_test_rows():
    y = np.arange(100) % 2
    splits = [Dataset.from_arrays(np.arange(100.0)[:, None], y, validation=20, split_seed=s) for s in (0, 0, 1)]
    test_rows = [data.test.X.ravel().tolist() for data in splits]
    validation_rows = [data.validation.X.ravel().tolist() for data in splits]
    assert test_rows[0] == test_rows[1] == test_rows[2]
    assert validation_rows[0] == validation_rows[1] != validation_rows[2]


NUMBERS = np.random.default_rng(0).normal(size=100)


@pytest.mark.parametrize("y", [NUMBERS, np.stack([NUMBERS, -NUMBERS], axis=1)], ids=["one", "several"])
def test_split_seed_moves_the_validation_rows_of_a_regression_too(y):
    splits = [Dataset.from_arrays(np.arange(100.0)[:, None], y, validation=20, split_seed=s) for s in (0, 0, 1)]
    test_rows = [data.test.X.ravel().tolist() for data in splits]
    validation_rows = [data.validation.X.ravel().tolist() for data in splits]
    assert test_rows[0] == test_rows[1] == test_rows[2]
    assert validation_rows[0] == validation_rows[1] != validation_rows[2]


def test_a_test_set_given_apart_is_used_whole_and_without_validation_rows_keep_their_order():
    data = Dataset.from_arrays(ROWS, LABELS, -ROWS[:5], LABELS[:5], validation=0)
    np.testing.assert_array_equal(data.train.X, ROWS)
    np.testing.assert_array_equal(data.train.y, LABELS)
    np.testing.assert_array_equal(data.test.X, -ROWS[:5])
    assert data.validation.X.shape == (0, 2)
    assert data.validation_size == 0


def test_the_classes_are_those_of_both_sets_unless_named():
    data = Dataset.from_arrays(ROWS, LABELS, ROWS[:1], np.array([4]))
    assert (data.schema.target.classes, data.class_names) == ((0, 1, 2, 4), ("0", "1", "2", "4"))
    assert data.n_classes == 4
    assert data.encoded.test.y.tolist() == [3]
    assert data.test.y.tolist() == [4]
    named = Dataset.from_arrays(ROWS, LABELS, class_names=["a", "b", "c"], name="letters", image_shape=(1, 2))
    assert (named.class_names, named.name, named.image_shape) == (("a", "b", "c"), "letters", (1, 2))
    assert Dataset.from_arrays(ROWS, LABELS % 2 == 0).class_names == ("False", "True")


def test_numbers_to_regress_have_no_classes():
    data = Dataset.from_arrays(ROWS, np.linspace(-1, 1, 30))
    assert data.class_names is None
    assert data.n_classes is None


@pytest.mark.parametrize("dtype", [float, int])
def test_several_targets_a_row_are_split_by_rows(dtype):
    y = np.stack([np.arange(30), -np.arange(30)], axis=1).astype(dtype)
    data = Dataset.from_arrays(ROWS, y, validation=4)
    assert data.class_names is None
    assert [split.y.shape for split in (data.train, data.validation, data.test)] == [(20, 2), (4, 2), (6, 2)]
    for split in (data.train, data.validation, data.test):
        np.testing.assert_array_equal(split.X[:, 0], 2 * split.y[:, 0])


def test_checksum_is_that_of_the_arrays_given():
    data = Dataset.from_arrays(ROWS, LABELS)
    assert data.checksums == {"X, y": hashlib.md5(ROWS.tobytes() + LABELS.tobytes()).hexdigest()}
    assert Dataset.from_arrays(ROWS[:, ::-1], LABELS).checksums != data.checksums
    assert Dataset.from_arrays(ROWS, LABELS[::-1]).checksums != data.checksums
    assert Dataset.from_arrays(ROWS, LABELS, checksums={"file": "abc"}).checksums == {"file": "abc"}


def test_the_callers_arrays_are_left_as_they_were():
    X, y = ROWS.copy(), LABELS.copy()
    data = Dataset.from_arrays(X, y)
    data.train.X[:] = 0
    np.testing.assert_array_equal(X, ROWS)
    np.testing.assert_array_equal(y, LABELS)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "said"),
    [
        ((ROWS, LABELS[:-1]), {}, DataError, "arrays: 30 training rows but 29 labels"),
        ((ROWS[:0], LABELS[:0]), {}, DataError, "arrays: 0 training rows but 0 labels"),
        ((ROWS, LABELS, ROWS[:2], LABELS[:3]), {}, DataError, "arrays: 2 test rows but 3 labels"),
        ((ROWS, LABELS, ROWS), {}, UsageError, "y_test: goes with X_test"),
        ((ROWS, LABELS, None, LABELS), {}, UsageError, "y_test: goes with X_test"),
        (
            (ROWS, LABELS, ROWS, LABELS),
            {"class_names": "ab"},
            UsageError,
            "class_names: 2 names for the 3 classes of the target: 0, 1, 2",
        ),
        ((ROWS[:2], LABELS[:2], ROWS, LABELS), {"class_names": "ab"}, UsageError, "2 names for the 3 classes"),
        ((ROWS, LABELS * 0), {}, DataError, "arrays: target: one class only, 0"),
        ((ROWS, LABELS), {"validation": 24}, UsageError, "validation: "),
        ((ROWS, LABELS), {"split_seed": -1}, UsageError, "seed: "),
    ],
)
def test_arrays_that_contradict_themselves_are_refused(arguments, options, error, said):
    with pytest.raises(error, match=said) as caught:
        Dataset.from_arrays(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_a_label_without_a_name_is_refused():
    labels = np.arange(40) % 4
    labels[37] = 9
    with pytest.raises(UsageError, match="4 names for the 5 classes of the target: 0, 1, 2, 3, 9"):
        Dataset.from_arrays(np.zeros((40, 2)), labels, class_names=list("abcd"))


@pytest.mark.parametrize(
    "labels",
    [LABELS + 1, LABELS - 1, 10 * LABELS + 10, LABELS + 2**60, np.array(list("bac"))[LABELS], LABELS - 1.0],
    ids=["from 1", "negative", "tens", "above 2**53", "text", "whole floats"],
)
def test_classes_are_kept_as_they_are_written_and_numbered_for_the_network(labels):
    data = Dataset.from_arrays(ROWS, labels, validation=4)
    assert data.task == "multi-class"
    assert list(data.schema.target.classes) == sorted(set(labels.tolist()))
    for raw, encoded in zip(data.splits.values(), data.encoded, strict=True):
        np.testing.assert_array_equal(raw.y, labels[raw.X[:, 0].astype(int) // 2])
        np.testing.assert_array_equal(encoded.y, [sorted(set(labels.tolist())).index(y) for y in raw.y.tolist()])


@pytest.mark.parametrize("y", [LABELS, ROWS[:, 0] / 7], ids=["labels", "numbers"])
def test_a_column_of_labels_is_the_labels_and_it_is_said(y):
    column, flat = (Dataset.from_arrays(ROWS, labels, validation=4) for labels in (y[:, None], y))
    assert any("(30, 1)" in remark for remark in column.remarks)
    for one, two in zip(column.splits.values(), flat.splits.values(), strict=True):
        np.testing.assert_array_equal(one.X, two.X)
        np.testing.assert_array_equal(one.y, two.y)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((np.zeros((9, 2)), list("abcdefghi")), "9 distinct texts in 9 rows; classes must come back"),
        ((np.zeros((9, 2)), LABELS9 := np.arange(9) % 3, np.zeros((9, 3)), LABELS9), "but test rows of shape"),
        (
            (np.zeros((2, 2)), np.arange(2) / 3),
            "2 rows are too few .* for the test; give more, or X_test and y_test",
        ),
        (([[1, 2], [3]], [0, 1]), "expected training rows of equal length"),
        ((np.zeros(9), np.arange(9) % 3), r"got the shape \(9,\); where a row is one number, give X\[:, None\]"),
        (
            (np.zeros((9, 2)).astype(str), LABELS9),
            r"got the type <U32; where all are numbers, give X.astype\(float\)",
        ),
        (([{"a": 1.0}] * 9, LABELS9), "got records; give a table of pandas or Polars"),
        (
            (np.zeros((9, 2)), np.arange("2020", "2029", dtype="M8[Y]")),
            r"datetime64\[Y\]; y.astype\(str\) makes text",
        ),
    ],
)
def test_careless_arrays_are_refused_with_a_remedy(arguments, said):
    with pytest.raises(DataError, match=said):
        Dataset.from_arrays(*arguments)


def test_class_names_may_be_an_array():
    names = np.array(["a", "b", "c"])
    assert Dataset.from_arrays(np.zeros((30, 2)), np.arange(30) % 3, class_names=names).class_names == (
        "a",
        "b",
        "c",
    )


WHOLE = np.arange(30)
BITS = np.stack([WHOLE % 2, WHOLE // 2 % 2, WHOLE // 4 % 2], axis=1)


@pytest.mark.parametrize(
    ("y", "options", "task"),
    [
        (WHOLE % 2, {}, "binary"),
        (WHOLE % 2 == 0, {}, "binary"),
        (WHOLE % 3, {}, "multi-class"),
        (WHOLE % 2, {"class_names": "abc"}, "multi-class"),
        (BITS, {}, "multi-label"),
        (BITS == 1, {}, "multi-label"),
        (BITS.astype(np.uint8), {}, "multi-label"),
        (BITS * 2, {}, "regression"),
        (BITS - 1, {}, "regression"),
        (BITS.astype(float), {}, "multi-label"),
        (BITS + 0.5, {}, "regression"),
        (WHOLE / 7, {}, "regression"),
        (WHOLE.astype(float) % 2, {}, "binary"),
        (WHOLE, {}, "regression"),
        (np.array(["no", "yes"])[WHOLE % 2], {}, "binary"),
    ],
)
def test_the_task_is_told_by_the_labels(y, options, task):
    assert Dataset.from_arrays(ROWS, y, **options).task == task


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (WHOLE % 2, "multi-class"),
        (WHOLE % 3, "ordinal"),
        (WHOLE % 3, "regression"),
        (WHOLE, "multi-class"),
        (BITS, "regression"),
        (BITS, "multi-label"),
    ],
)
def test_a_task_that_is_given_is_kept(y, task):
    assert Dataset.from_arrays(ROWS, y, task=task).task == task


def test_an_unknown_task_is_refused_with_the_nearest():
    with pytest.raises(
        UsageError, match=r"^task: unknown name 'multiclass'; did you mean 'multi-class'\?"
    ) as caught:
        Dataset.from_arrays(ROWS, LABELS, task="multiclass")
    assert all(task in str(caught.value) for task in TASKS)


def test_target_names_may_be_an_array():
    assert Dataset.from_arrays(ROWS, BITS, target_names=np.array(["a", "b", "c"])).target_names == ("a", "b", "c")
    assert Dataset.from_arrays(ROWS, BITS).target_names is None


def test_what_is_converted_in_validation_rows_is_said(capsys):
    pictures = np.random.default_rng(0).integers(0, 256, (40, 3, 3)).astype(np.uint8)
    own, y = (pictures[:8] / 255, np.arange(8) % 2), np.arange(40) % 2
    said = "validation rows: X: float64 from 0 to 1 taken as shares of the 255 that training had as bytes"
    data = Dataset.from_arrays(pictures, y)
    assert data.with_validation(own).remarks == (*data.remarks, said)
    for rows in ((pictures, y), data):
        gn.fit(gn.Network([9, 2]), rows, validation_data=own, epochs=1, kernels="numpy")
        assert capsys.readouterr().err.count(f"glassnet: {said}\n") == 1


def test_validation_rows_of_their_own_replace_the_drawn_ones_and_nothing_else():
    data = Dataset.from_arrays(ROWS, LABELS, validation=3, split_seed=2)
    own = Split(-ROWS[:5], LABELS[:5])
    other = data.with_validation(own)
    assert all(map(np.array_equal, other.validation, own))
    assert other.validation.schema is data.schema
    assert other.validation_size is None
    assert (data.validation_size, len(data.validation.y)) == (3, 3)
    assert other.train.X is data.train.X
    assert other.test.y is data.test.y
    assert (other.name, other.task, other.split_seed, other.checksums) == (
        "arrays",
        "multi-class",
        2,
        data.checksums,
    )


UNFIT = pytest.mark.parametrize(
    "unfit",
    [
        (ROWS[:5], LABELS[:4]),
        (ROWS[:5, :1], LABELS[:5]),
        (ROWS[:5, 0], LABELS[:5]),
        (ROWS[:5], LABELS[:5] / 3),
        (ROWS[:5], np.stack([LABELS[:5]] * 2, axis=1)),
        (ROWS[:5], np.array(1)),
    ],
    ids=["length", "columns", "axes", "floats", "two", "one"],
)


@UNFIT
def test_test_rows_that_do_not_fit_the_training_rows_are_refused(unfit):
    with pytest.raises(DataError, match="test") as caught:
        Dataset.from_arrays(ROWS, LABELS, *unfit, class_names="abc")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shift", [1, -1])
def test_labels_that_training_did_not_have_are_refused(shift):
    with pytest.raises(UsageError, match="class_names: 3 names for the 4 classes"):
        Dataset.from_arrays(ROWS, LABELS, ROWS[:5], LABELS[:5] + shift, class_names="abc")
    with pytest.raises(
        DataError, match=r"^arrays: validation rows: target: row \d .*is (3|-1), which training did not have"
    ):
        Dataset.from_arrays(ROWS, LABELS).with_validation((ROWS[:5], LABELS[:5] + shift))


def test_validation_labels_in_a_column_are_labels():
    data = Dataset.from_arrays(ROWS, LABELS).with_validation((ROWS[:5].tolist(), LABELS[:5, None].tolist()))
    assert data.validation.y.tolist() == LABELS[:5].tolist()


@UNFIT
def test_validation_rows_that_do_not_fit_the_training_rows_are_refused(unfit):
    data = Dataset.from_arrays(ROWS, LABELS, class_names="abc")
    with pytest.raises(DataError, match="validation") as caught:
        data.with_validation(Split(*unfit))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("n", [30, 5000])
def test_rows_that_may_be_overwritten_are_split_as_others_are(n):
    X, y = np.arange(2.0 * n).reshape(n, 2), np.arange(n) % 3
    for apart in ((), (-X[:4], y[:4])):
        data = Dataset.from_arrays(X, y, *apart, validation=0.3)
        given = X.copy()
        other = Dataset.from_arrays(given, y, *apart, validation=0.3, overwrite_X=True)
        for split in ("train", "validation", "test"):
            for one, two in zip(getattr(data, split), getattr(other, split), strict=True):
                np.testing.assert_array_equal(one, two)
        assert data.checksums == other.checksums
        assert not apart or np.shares_memory(other.train.X, given)
    X.flags.writeable = False
    data = Dataset.from_arrays(X, y, -X[:4], y[:4], validation=0.3, overwrite_X=True)
    assert not np.shares_memory(data.train.X, X)  # what must not be written is copied


def test_the_repr_tells_name_task_rows_columns_and_classes_in_one_line():
    data = load_dataset("linnerud", validation=2)
    assert repr(data) == (
        "Dataset('linnerud', regression, rows: 14 train + 2 validation + 4 test, X: 3 float64, "
        "targets: 3 ('Weight', 'Waist', 'Pulse'))"
    )
    assert list(data.splits) == ["train", "validation", "test"]
    digits = repr(load_dataset("digits", validation=0))
    assert digits.startswith("Dataset('digits', multi-class, rows: 1,438 train + 0 validation + 359 test, ")
    assert digits.endswith("X: 8 x 8 float64, classes: 10 ('0', '1', '2', ...))")
