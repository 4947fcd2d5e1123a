import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.data import audit_arrays as module
from glassnet.data.array_schema import ArraySchema
from glassnet.data.audit import Place, audit, find_equal_rows
from glassnet.data.dataset import Dataset, Split
from glassnet.data.registry import load_dataset
from glassnet.data.schema import Schema, describe_targets
from glassnet.data.target_schema import TargetSchema

NAMES = ("train", "validation", "test")


def made(train, validation=(), test=None, *, dtype=float, classes=3, task="multi-class", names=None):
    """Return a data set of (row, label) pairs; a row is a number, or several."""

    def split(pairs):
        X = np.array([row for row, _ in pairs], dtype)
        y = np.array([label for _, label in pairs])
        if not len(pairs):
            first = np.array([row for row, _ in train], dtype)
            return Split(np.zeros((0, *first.shape[1:]), dtype), np.zeros(0, int))
        return Split(X[:, None] if X.ndim == 1 else X, y)

    splits = split(train), split(validation), split(train if test is None else test)
    if task == "multi-label":
        target = TargetSchema(task, tuple(names or ()), (0, 1), width=splits[0].y.shape[1])
    else:
        target = describe_targets(task, tuple("abcdefghijkl"[:classes]) if classes else None)
    return Dataset("made", *splits, Schema(ArraySchema.learn(splits[0].X)[0], target))


def remark(found, *parts):
    """Return the one remark that holds all parts."""
    (said,) = (said for said in found.remarks if all(part in said for part in parts))
    assert "\n" not in said
    return said


ids = st.lists(st.integers(0, 7), max_size=7)


@given(
    st.lists(st.integers(0, 7), min_size=1, max_size=7),
    ids,
    ids,
    st.sampled_from([np.uint8, np.float32, np.float64, np.int64]),
    st.sampled_from([(3,), (2, 2), (2, 2, 3)]),
    st.booleans(),
)
def test_planted_duplicates_are_found_and_none_else(train, validation, test, dtype, shape, fortran):
    # Rows of different ids differ in a single number; labels are the ids, so that nothing contradicts.
    splits = {}
    for name, planted in zip(NAMES, (train, validation, test), strict=True):
        X = np.ones((len(planted), *shape), dtype)
        X[(slice(None), *(-1 for _ in shape))] = planted
        splits[name] = Split(np.asfortranarray(X) if fortran else X, np.array(planted, int))
    schema = Schema(ArraySchema.learn(splits["train"].X)[0], describe_targets("multi-class", "01234567"))
    found = audit(Dataset("made", *splits.values(), schema))
    places = {}
    for name, planted in zip(NAMES, (train, validation, test), strict=True):
        for row, number in enumerate(planted):
            places.setdefault(number, []).append(Place(name, row + 1))
    groups = [tuple(group) for group in places.values() if len(group) > 1]
    assert found.duplicates == groups
    assert found.contradictions == []
    for one, other in (("train", "test"), ("test", "train"), ("train", "validation"), ("validation", "test")):
        expected = [group for group in groups if {one, other} <= {place.split for place in group}]
        assert found.across(one, other) == expected
        said = [text for text in found.remarks if f"in {one} and in {other}" in text]
        if (one, other) != ("test", "train"):
            assert len(said) == bool(expected)
            assert not said or said[0].startswith(f"{len(expected)} row")
    for name in NAMES:
        inside = sum(sum(place.split == name for place in group) > 1 for group in groups)
        said = [text for text in found.remarks if f"in {name} more than once" in text]
        assert len(said) == bool(inside)
        assert not said or said[0].startswith(f"{inside} row")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=12), st.integers(1, 6))
def test_equal_rows_contradict_each_other_where_their_labels_differ(pairs, cut):
    found = audit(made(pairs[:cut], test=pairs[cut:]))
    labels = {}
    for number, label in pairs:
        labels.setdefault(number, []).append(label)
    expected = [numbers for numbers in labels.values() if len(numbers) > 1 and len(set(numbers)) > 1]
    assert len(found.contradictions) == len(expected)
    assert set(found.contradictions) <= set(found.duplicates)
    said = [text for text in found.remarks if "different labels" in text]
    assert len(said) == bool(expected)
    assert not said or said[0].startswith(f"{len(expected)} row")


def test_labels_contradict_each_other_and_the_numbers_of_a_regression_do_not():
    pairs = [(1, 0.5), (1, 0.7), (2, 0.5)]
    found = audit(made(pairs, classes=0, task="regression"))
    assert found.contradictions == []
    assert found.class_rows == {}
    assert len(found.duplicates) == 2
    several = [(1, [0, 1]), (1, [1, 1]), (2, [0, 1]), (2, [0, 1])]
    found = audit(made(several, test=[(3, [0, 0])], classes=0, task="multi-label"))
    assert found.contradictions == [(Place("train", 1), Place("train", 2))]
    assert "row 1 of train and row 2 of train" in remark(found, "different labels")


def test_an_example_names_a_row_of_each_split():
    found = audit(made([(0, 0), (5, 1)], [(7, 0), (8, 0), (5, 1)], [(9, 0)]))
    assert found.duplicates == [(Place("train", 2), Place("validation", 3))]
    assert "row 2 of train and row 3 of validation" in remark(found, "in train and in validation")


def test_zeros_of_either_sign_are_equal_numbers():
    rows = {"train": np.array([[0.0, 1.0]]), "test": np.array([[-0.0, 1.0]])}
    assert find_equal_rows(rows) == [(Place("train", 0), Place("test", 0))]
    negative = np.array([[-0.0, 1.0]])
    find_equal_rows({"train": negative})
    assert np.signbit(negative[0, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint8, np.int64])
def test_numbers_are_equal_whatever_their_type(dtype):
    rows = {"train": np.array([[0.0, 1.0], [3.0, 4.0]]), "test": np.array([[3, 4], [1, 0]], dtype)}
    assert find_equal_rows(rows) == [(Place("train", 1), Place("test", 0))]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_constant_columns_are_those_of_the_training_rows(dtype):
    train = np.array([[1, 5, 0, 3], [1, 6, 0, 3], [1, 5, 0, 4]], dtype)
    test = np.array([[2, 5, 0, 3]], dtype)
    data = Dataset.from_arrays(train, np.array([0, 1, 0]), test, np.array([1]), validation=0)
    found = audit(data)
    assert found.constant_columns == [0, 2]
    assert remark(found, "same in all training rows").startswith("2 of 4 columns")
    pairs = (train.reshape(3, 2, 2), np.array([0, 1, 0]), test.reshape(1, 2, 2), np.array([1]))
    cubes = Dataset.from_arrays(*pairs, validation=0)
    assert audit(cubes).constant_columns == [0, 2]
    assert audit(cubes).columns == 4


def test_a_column_of_one_number_and_nan_is_not_constant():
    X = np.array([[1.0, np.nan], [np.nan, 2.0], [1.0, 2.0]])
    assert audit(Dataset.from_arrays(X, np.array([0, 1, 0]), X, np.array([0, 1, 0]))).constant_columns == []


def test_numbers_that_are_nan_or_infinite_are_counted_and_the_scale_is_that_of_the_others():
    train = np.array([[1.0, np.nan, 3.0], [np.inf, -np.inf, 5.0]])
    found = audit(Dataset.from_arrays(train, np.array([0, 1]), np.ones((1, 3)), np.array([0]), validation=0))
    assert found.missing == {"train": 3, "test": 0}
    assert found.scale["train"] == pytest.approx((1, 5, 3, np.sqrt(8 / 3)))
    assert found.scale["test"] == pytest.approx((1, 1, 1, 0))
    assert remark(found, "NaN or infinite") == "3 numbers of train are NaN or infinite"


def test_rows_without_a_finite_number_are_counted_too():
    train = np.full((2, 2), np.nan)
    found = audit(Dataset.from_arrays(train, np.array([0, 1]), np.ones((1, 2)), np.array([0]), validation=0))
    assert found.missing == {"train": 4, "test": 0}


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("block", [1, 2, 8192])
def test_scale_and_constant_columns_by_hand_whatever_the_block(dtype, block, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", block)
    X = np.array([[0, 7, 255], [0, 9, 3], [0, 7, 3], [0, 200, 3], [0, 7, 3]], dtype)
    found = audit(Dataset.from_arrays(X, np.arange(5) % 2, X[:2], np.array([0, 1]), validation=0))
    assert found.scale["train"] == pytest.approx((0, 255, X.mean(dtype=float), X.std(dtype=float)))
    assert found.scale["test"] == pytest.approx((0, 255, X[:2].mean(dtype=float), X[:2].std(dtype=float)))
    assert found.constant_columns == [0]


@pytest.mark.parametrize("block", [2, 8192])
def test_the_deviation_is_right_far_from_zero(block, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", block)
    X = 1e9 + np.array([[0.0], [1.0], [0.0], [1.0]])
    found = audit(Dataset.from_arrays(X, np.arange(4) % 2, X, np.arange(4) % 2, validation=0))
    assert found.scale["train"] == pytest.approx((1e9, 1e9 + 1, 1e9 + 0.5, 0.5), rel=1e-12)


def test_large_numbers_do_not_overflow():
    X = np.array([[1e200], [3e200], [1e200], [3e200]])
    found = audit(Dataset.from_arrays(X, np.arange(4) % 2, X, np.arange(4) % 2, validation=0))
    assert found.scale["train"] == pytest.approx((1e200, 3e200, 2e200, 1e200))
    below = np.array([[-3e200], [1.0], [-3e200], [1.0]])  # the smallest is the large one
    found = audit(Dataset.from_arrays(below, np.arange(4) % 2, below, np.arange(4) % 2, validation=0))
    assert found.scale["train"] == pytest.approx((-3e200, 1, -1.5e200, 1.5e200))


def test_rows_of_each_class_by_hand():
    found = audit(made([(0, 0), (1, 0), (2, 1), (3, 2)], [(4, 2)], [(5, 1), (6, 1)]))
    assert found.rows == {"train": 4, "validation": 1, "test": 2}
    assert found.class_rows == {
        "a": {"train": 2, "validation": 0, "test": 0},
        "b": {"train": 1, "validation": 0, "test": 2},
        "c": {"train": 1, "validation": 1, "test": 0},
    }
    assert found.columns == 1
    assert found.name == "made"


def test_rows_of_each_label_of_a_multi_label_set():
    train = [(0, [1, 0, 0]), (1, [1, 1, 0]), (2, [0, 0, 0])]
    found = audit(made(train, test=[(5, [0, 0, 1])], classes=0, task="multi-label", names=("x", "y", "z")))
    assert found.class_rows == {
        "x": {"train": 2, "test": 0},
        "y": {"train": 1, "test": 0},
        "z": {"train": 0, "test": 1},
    }
    unnamed = audit(made(train, test=[(5, [0, 0, 1])], classes=0, task="multi-label"))
    assert list(unnamed.class_rows) == ["0", "1", "2"]


def test_a_split_without_rows_is_left_out():
    found = audit(made([(0, 0), (1, 1)], test=[(3, 1)]))
    assert list(found.rows) == list(found.missing) == list(found.scale) == ["train", "test"]


def test_a_class_without_rows_in_a_split_is_said():
    found = audit(made([(0, 0), (1, 1)], test=[(3, 1)], classes=2))
    assert remark(found, "no rows") == "class a has no rows in test"


@pytest.mark.parametrize(("larger", "said"), [(20, False), (21, True)])
def test_classes_are_unbalanced_beyond_ten_to_one(larger, said):
    pairs = [(row, int(row >= 2)) for row in range(2 + larger)]
    found = audit(made(pairs, classes=2, test=[(100 + row, label) for row, label in pairs]))
    unbalanced = [text for text in found.remarks if "unbalanced" in text]
    assert len(unbalanced) == said
    assert not said or "2 to 21 training rows" in unbalanced[0]


@pytest.mark.parametrize(("ones", "said"), [(55, False), (56, True), (44, True), (45, False)])
def test_a_class_shifts_where_its_share_differs_by_more_than_five_in_a_hundred(ones, said):
    train = [(row, row % 2) for row in range(100)]
    test = [(1000 + row, int(row < ones)) for row in range(100)]
    shifted = [text for text in audit(made(train, test=test, classes=2)).remarks if "shifts" in text]
    assert len(shifted) == 2 * said
    if ones == 56:
        assert shifted == [
            "the share of class a shifts: 50.0% of train, 44.0% of test",
            "the share of class b shifts: 56.0% of test, 50.0% of train",
        ]


def test_a_share_that_one_row_changes_does_not_shift():
    train = [(row, row % 3) for row in range(90)]
    few = [(1000 + row, row % 3) for row in range(4)]  # 2, 1 and 1 row
    assert not [text for text in audit(made(train, test=few)).remarks if "shifts" in text]
    other = [(1000 + row, row // 3) for row in range(4)]  # 3 and 1
    assert [text for text in audit(made(train, test=other, classes=3)).remarks if "shifts" in text]


def test_a_clean_data_set_has_no_remarks():
    numbers = np.random.default_rng(0).normal(size=60)
    train, test = ([(numbers[row], row % 3) for row in range(start, start + 30)] for start in (0, 30))
    assert audit(made(train, test=test)).remarks == []


@pytest.mark.parametrize("task", ["multi-class", "regression", "multi-label"])
def test_data_are_left_as_they_are(task):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (40, 2, 2)).astype(np.float32)
    X[3, 0, 0], X[4, 1, 1] = np.nan, -0.0
    y = {"multi-class": rng.integers(0, 3, 40), "regression": rng.random(40)}.get(
        task, rng.integers(0, 2, (40, 3))
    )
    data = Dataset.from_arrays(X, y, task=task)
    before = copy.deepcopy(data)
    for split in NAMES:
        for array in getattr(data, split):
            array.flags.writeable = False
    first, second = audit(data), audit(data)
    assert first.remarks == second.remarks
    assert first.checksums == data.checksums
    for split in NAMES:
        for array, old in zip(getattr(data, split), getattr(before, split), strict=True):
            assert array.dtype == old.dtype
            assert array.tobytes() == old.tobytes()


def test_what_is_told_of_the_digits_is_true():
    data = load_dataset("digits")
    found = audit(data)
    assert found.columns == 64
    assert found.constant_columns == np.flatnonzero(np.ptp(data.train.X, axis=0) == 0).tolist()
    assert sum(counts["train"] for counts in found.class_rows.values()) == len(data.train.y)
    assert found.scale["train"][:2] == (0, 16)


@pytest.mark.parametrize("block", [7, 8192])
def test_numbers_beyond_ten_deviations_are_counted_and_the_farthest_is_named_whatever_the_block(
    block, monkeypatch
):
    monkeypatch.setattr(module, "BLOCK", block)
    X = np.tile([[-1.0, 4.0], [1.0, 4.0]], (500, 1))
    X_test = np.tile([[0.0, 4.0]], (40, 1))
    X_test[[3, 9, 30], 0] = 9.99, -10.5, 10.01  # the training rows have mean 0 and standard deviation 1
    X_test[[5, 6], 1] = 4.0, 1e9  # a column that never changes has no deviation to count in
    X_test[7, 0] = np.nan
    data = Dataset.from_arrays(X, np.arange(1000) // 2 % 2, X_test, np.arange(40) % 2, validation=0)
    (far,) = audit(data).far
    assert (far.column, far.number, far.place, far.value) == ("X[:, 0]", 2, Place("test", 10), -10.5)
    assert far.deviations == pytest.approx(10.5)


def test_pixels_and_bytes_are_never_far():
    X = np.zeros((600, 2, 2), np.uint8)
    X[[5, 17, 41], 1, 1] = 255
    for rows in (X, X.reshape(600, 4), X.astype(float)):
        assert audit(Dataset.from_arrays(rows, np.arange(600) % 2)).far == []
    assert audit(Dataset.from_arrays(X.reshape(600, 4).astype(float), np.arange(600) % 2)).far


def test_whole_numbers_that_count_the_rows_are_told_from_others():
    rng = np.random.default_rng(0)
    X = np.stack([np.arange(200)[::-1], np.arange(200) // 4, rng.permutation(200), rng.normal(size=200)], axis=1)
    found = audit(Dataset.from_arrays(X, np.arange(200) % 2))
    assert [(key.column, key.distinct, key.in_order) for key in found.keys] == [
        ("X[:, 0]", 200, True),
        ("X[:, 1]", 50, True),
        ("X[:, 2]", 200, False),
    ]
    assert "leave out what does: X[:, 0] (200 distinct of 200, in the order of the rows)" in remark(found, "name")


def test_that_leaks_are_looked_for_in_the_first_columns_only_is_said(monkeypatch):
    from glassnet.data import audit_leaks, audit_remarks

    for one in (audit_leaks, audit_remarks, module):
        monkeypatch.setattr(one, "MOST_COLUMNS", 2)
    X = np.random.default_rng(0).normal(size=(200, 3))
    y = np.arange(200) % 2
    X[:, 2] = y
    found = audit(Dataset.from_arrays(X, y))
    assert found.leaks == []
    assert "among the first 2 only" in remark(found, "alone tell")
    assert [leak.column for leak in audit(Dataset.from_arrays(X[:, 1:], y)).leaks] == ["X[:, 1]"]
