import numpy as np
import pytest
from sklearn import datasets

from glassnet.data.registry import load_dataset
from glassnet.data.scikit_learn import TABLES

TABLE = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)

#: Rows, columns, classes or numbers: scikit-learn's description of each.
SHAPES = {
    "iris": (150, 4, 3),
    "wine": (178, 13, 3),
    "breast-cancer": (569, 30, 2),
    "diabetes": (442, 10, 1),
    "linnerud": (20, 3, 3),
}


def splits(data):
    return data.train, data.validation, data.test


def test_digits_are_scikit_learns_scaled_to_one():
    data = load_dataset("digits", validation=0)
    X, y = datasets.load_digits(return_X_y=True)
    assert data.encoded.train.X.dtype == np.float32
    assert data.train.y.dtype == np.uint8
    assert (data.train.X.min(), data.train.X.max()) == (0, 16)
    assert (data.encoded.train.X.min(), data.encoded.train.X.max()) == (0, 1)
    np.testing.assert_array_equal(16 * data.encoded.test.X, data.test.X)
    assert data.class_names == tuple("0123456789")
    assert (data.name, data.image_shape, data.task) == ("digits", (8, 8), "multi-class")
    # Every row is there once, and test rows are not trained on; 1797 / 5 = 359 of them.
    assert (len(data.train.y), len(data.test.y)) == (1438, 359)
    rows = [tuple(row) for split in (data.train, data.test) for row in np.c_[split.X, split.y].astype(int)]
    assert sorted(rows) == sorted(tuple(row) for row in np.c_[X, y].astype(int))
    # In the order of the source.
    first = [tuple(row) for row in X.astype(int)]
    places = [first.index(tuple(row)) for row in data.train.X[:20].astype(int)]
    assert places == sorted(places)


def test_digits_splits_are_stratified_and_repeat():
    data, again, other = (load_dataset("digits", split_seed=seed) for seed in (0, 0, 1))
    share = np.bincount(data.train.y) + np.bincount(data.validation.y)
    assert np.abs(np.bincount(data.validation.y) - share * 120 / 1438).max() < 1
    np.testing.assert_array_equal(data.validation.X, again.validation.X)
    np.testing.assert_array_equal(data.test.X, other.test.X)
    assert (data.validation.X != other.validation.X).any()
    assert data.checksums == other.checksums


def test_there_are_these_tables():
    assert [table.name for table in TABLES] == list(SHAPES)


@TABLE
def test_a_table_has_its_rows_columns_and_targets(table):
    data = load_dataset(table.name)
    rows, columns, targets = SHAPES[table.name]
    assert sum(len(split.y) for split in splits(data)) == rows
    assert len(data.test.y) == round(rows / 5)
    assert {split.X.shape[1] for split in splits(data)} == {columns}
    assert (data.name, data.task, table.targets) == (table.name, table.task, targets)
    assert (data.n_classes or targets) == targets
    assert data.image_shape is None
    assert all(split.X.dtype == np.float32 for split in data.encoded)


@TABLE
@pytest.mark.parametrize("split_seed", [0, 3])
def test_columns_have_mean_0_and_deviation_1_over_the_training_rows_alone(table, split_seed):
    data = load_dataset(table.name, split_seed=split_seed).encoded
    np.testing.assert_allclose(data.train.X.mean(axis=0, dtype=float), 0, atol=1e-6)
    np.testing.assert_allclose(data.train.X.std(axis=0, dtype=float), 1, atol=1e-6)
    everything = np.concatenate([split.X for split in data]).astype(float)
    assert np.abs(everything.mean(axis=0)).max() > 1e-3


@TABLE
def test_scaled_columns_are_scikit_learns_by_one_line_each(table):
    data = load_dataset(table.name)
    original = np.asarray(getattr(datasets, table.loader)().data, float)
    given = np.concatenate([split.X for split in splits(data)])
    assert sorted(given.tolist()) == sorted(original.tolist())
    together = np.concatenate([split.X for split in data.encoded]).astype(float)
    for column in range(original.shape[1]):
        expected = np.sort(original[:, column])
        slope, shift = np.polyfit(np.sort(together[:, column]), expected, 1)
        assert slope > 0
        np.testing.assert_allclose(
            slope * np.sort(together[:, column]) + shift, expected, atol=1e-5 * np.ptp(expected)
        )


@TABLE
def test_only_the_numbers_of_a_regression_are_scaled(table):
    data = load_dataset(table.name)
    bunch = getattr(datasets, table.loader)()
    if table.task == "regression":
        scaled = data.encoded.train.y
        np.testing.assert_allclose(scaled.mean(axis=0, dtype=float), 0, atol=1e-6)
        np.testing.assert_allclose(scaled.std(axis=0, dtype=float), 1, atol=1e-6)
        np.testing.assert_allclose(data.schema.target.decode(scaled), data.train.y, rtol=1e-12)
        together = np.concatenate([split.y for split in splits(data)])
        assert sorted(together.tolist()) == sorted(bunch.target.tolist())
        assert data.class_names is None
    else:
        together = np.concatenate([split.y for split in splits(data)])
        np.testing.assert_array_equal(np.sort(together), np.sort(bunch.target))
        assert data.class_names == tuple(str(name) for name in bunch.target_names)
        assert all(type(name) is str for name in data.class_names)


def test_several_numbers_a_row_have_their_names():
    data = load_dataset("linnerud")
    assert data.target_names == ("Weight", "Waist", "Pulse")
    assert data.train.y.shape[1] == 3
    assert data.schema.target.decimals == 0
    data = load_dataset("diabetes")
    assert data.target_names == ("progression",)
    assert data.schema.target.decimals == 0
    assert data.train.y.ndim == 1


@TABLE
def test_one_seed_is_one_split_and_another_moves_the_validation_rows_only(table):
    data, again, other = (load_dataset(table.name, split_seed=seed, validation=0.25) for seed in (0, 0, 1))
    for one, two in zip(splits(data), splits(again), strict=True):
        np.testing.assert_array_equal(one.X, two.X)
        np.testing.assert_array_equal(one.y, two.y)
    assert data.validation.X.shape == other.validation.X.shape
    np.testing.assert_array_equal(data.test.X, other.test.X)
    # The scale is that of other training rows.
    assert (data.encoded.test.X != other.encoded.test.X).any()
    assert (data.validation.X != other.validation.X).any()
    assert data.checksums == again.checksums == other.checksums


@TABLE
def test_no_validation_is_no_rows(table):
    data = load_dataset(table.name, validation=0)
    assert data.validation.X.shape == (0, SHAPES[table.name][1])
    assert len(data.train.y) + len(data.test.y) == SHAPES[table.name][0]
