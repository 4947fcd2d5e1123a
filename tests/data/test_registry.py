import numpy as np
import pytest
from sklearn.datasets import load_digits

from glassnet.data.registry import DATASETS, load_dataset
from glassnet.errors import UsageError


def test_digits_are_scikit_learns_scaled_to_one():
    data = load_dataset("digits", validation=0)
    X, y = load_digits(return_X_y=True)
    assert data.train.X.dtype == np.float32
    assert data.train.y.dtype == np.uint8
    assert (data.train.X.min(), data.train.X.max()) == (0, 1)
    assert data.class_names == tuple("0123456789")
    assert (data.name, data.image_shape) == ("digits", (8, 8))
    # Every row is there once, and test rows are not trained on; 1797 / 5 = 359 of them.
    assert (len(data.train.y), len(data.test.y)) == (1438, 359)
    rows = [tuple(row) for split in (data.train, data.test) for row in np.c_[split.X * 16, split.y].astype(int)]
    assert sorted(rows) == sorted(tuple(row) for row in np.c_[X, y].astype(int))
    # In the order of the source.
    first = [tuple(row) for row in X.astype(int)]
    places = [first.index(tuple(row)) for row in (data.train.X[:20] * 16).astype(int)]
    assert places == sorted(places)


def test_digits_splits_are_stratified_and_repeat():
    data, again, other = (load_dataset("digits", split_seed=seed) for seed in (0, 0, 1))
    share = np.bincount(data.train.y) + np.bincount(data.validation.y)
    assert np.abs(np.bincount(data.validation.y) - share * 120 / 1438).max() < 1
    np.testing.assert_array_equal(data.validation.X, again.validation.X)
    np.testing.assert_array_equal(data.test.X, other.test.X)
    assert (data.validation.X != other.validation.X).any()
    assert data.checksums == other.checksums


@pytest.mark.parametrize(("validation", "size"), [(0.5, 719), (100, 100), (0, 0)])
def test_validation_is_handed_on(validation, size):
    assert len(load_dataset("digits", validation=validation).validation.y) == size


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="unknown name 'fashion_mnist'; did you mean 'fashion-mnist'"):
        load_dataset("fashion_mnist")
    assert set(DATASETS) == {"digits", "fashion-mnist"}
