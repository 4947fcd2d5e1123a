"""Columns at mean 0 and deviation 1: scikit-learn's figures, those of the training rows, and nothing leaks."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.preprocessing import StandardScaler

from glassnet.data import large, standardisation, user_data
from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset
from glassnet.data.splits import Split
from glassnet.data.standardisation import Standardisation
from glassnet.errors import DataError, UsageError


def splits(data):
    return data.train, data.validation, data.test


def refusal(error, call, *arguments, **options):
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def shifted():
    """Training, validation and test rows of quite different means."""
    rng = np.random.default_rng(0)
    train, validation, test = (rng.normal(mean, 3, size=(n, 2, 2)) for mean, n in ((10, 50), (90, 9), (-70, 7)))
    data = Dataset.from_arrays(train, np.arange(50) % 2, test, np.arange(7) % 2, validation=0)
    return data.with_validation(Split(validation, np.arange(9) % 2))


def test_known_values_by_hand():
    X = np.array([[1.0, 7.0, 0.0], [3.0, 7.0, 0.0], [8.0, 7.0, 4.0], [4.0, 7.0, 0.0]])
    found = Standardisation.of(X)
    assert found.mean.tolist() == [4.0, 7.0, 1.0]
    # (9 + 1 + 16 + 0) / 4; a column that never changes; (1 + 1 + 9 + 1) / 4
    assert found.std.tolist() == [np.sqrt(26 / 4), 1.0, np.sqrt(3)]
    scaled = found.apply(np.array([[4.0, 9.0, 1 + 2 * np.sqrt(3)]]))
    assert scaled.dtype == np.float32
    assert scaled.tolist() == [[0.0, 2.0, 2.0]]


@pytest.mark.parametrize("rows", [1, 2, standardisation.BLOCK, 3 * standardisation.BLOCK + 5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, bool])
def test_the_figures_are_scikit_learns(rows, dtype):
    X = np.random.default_rng(rows).normal(20, 5, size=(rows, 3, 2)).astype(dtype)
    X[:, 0, 1] = X[0, 0, 1]  # it never changes
    theirs, ours = StandardScaler().fit(X.reshape(rows, 6).astype(float)), Standardisation.of(X)
    np.testing.assert_allclose(ours.mean, theirs.mean_, rtol=1e-12)
    np.testing.assert_allclose(ours.std, theirs.scale_, rtol=1e-12)
    expected = theirs.transform(X.reshape(rows, 6).astype(float))
    np.testing.assert_allclose(ours.apply(X), expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-30, 123456.789])
def test_a_column_that_never_changes_has_spread_1_whatever_rounding_makes_of_its_mean(value):
    X = np.full((1001, 1), value)
    found = Standardisation.of(X)
    assert found.std.tolist() == [1.0]
    assert abs(found.apply(X)).max() < 1e-9


def test_figures_are_equal_if_both_are():
    found = Standardisation.of(np.array([[1.0, 2.0], [3.0, 8.0]]))
    assert found == Standardisation(np.array([2.0, 5.0]), np.array([1.0, 3.0]))
    assert found != Standardisation(np.array([2.0, 5.5]), np.array([1.0, 3.0]))
    assert found != Standardisation(np.array([2.0, 5.0]), np.array([1.0, 3.5]))


def test_numbers_far_from_zero_keep_their_spread():
    X = 1e9 + np.arange(1000.0)[:, None] % 2  # a sum of squares less the mean's would lose all of it
    assert Standardisation.of(X).std == pytest.approx([0.5], rel=1e-12)


def test_bytes_are_pixels_of_255():
    pixels = np.random.default_rng(0).integers(0, 256, (300, 4, 4)).astype(np.uint8)
    of_bytes, of_shares = Standardisation.of(pixels), Standardisation.of(pixels / 255)
    assert (of_bytes.mean.tolist(), of_bytes.std.tolist()) == (
        of_shares.mean.tolist(),
        of_shares.std.tolist(),
    )
    np.testing.assert_array_equal(of_bytes.apply(pixels), of_bytes.apply(pixels / 255))


@given(arrays.arrays(np.float64, (3, 2), elements=st.floats(-1e100, 1e100)))
def test_a_dict_gives_the_same_figures_back(X):
    found = Standardisation.of(X)
    again = Standardisation.from_dict({"mean": found.mean.tolist(), "std": found.std.tolist()})
    assert again == found
    assert again != dataclasses.replace(found, std=np.nextafter(found.std, 2 * found.std))


@pytest.mark.parametrize(
    "changes",
    [
        {"mean": [1.0]},
        {"std": [1.0, 0.0]},
        {"std": [1.0, float("nan")]},
        {"mean": [1.0, float("inf")]},
        {"mean": "ab"},
        {"mean": None},
        {"mean": 1.0, "std": 1.0},
        {"mean": [[1.0, 2.0]], "std": [[1.0, 2.0]]},
    ],
)
def test_other_values_are_refused(changes):
    good = {"mean": [1.0, 2.0], "std": [1.0, 3.0]}
    Standardisation.from_dict(good)
    with pytest.raises(ValueError, match=r"\S"):
        Standardisation.from_dict(good | changes)
    for values in ([], {}, 7, None):
        with pytest.raises(ValueError, match=r"\S"):
            Standardisation.from_dict(values)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_a_training_column_that_cannot_be_scaled_is_named(bad):
    X = np.ones((300, 3))
    X[270, 1] = bad
    assert refusal(DataError, Standardisation.of, X).startswith(
        "X: column 1 holds NaN, infinity or numbers too large"
    )


def test_rows_that_are_no_numbers_or_of_another_width_are_refused():
    assert "<U1" in refusal(DataError, Standardisation.of, np.full((2, 2), "a"))
    found = Standardisation.of(np.eye(4).reshape(4, 2, 2))
    assert refusal(DataError, found.apply, np.ones((2, 3))).startswith("X: the rows have 3 columns")


def test_all_rows_are_scaled_by_the_training_rows_figures(shifted):
    standardised = shifted.standardise()
    train = shifted.train.X.reshape(50, 4)
    mean, spread = train.mean(axis=0), train.std(axis=0)
    data = standardised.encoded
    for before, own, after in zip(splits(shifted), splits(standardised), data, strict=True):
        assert own.X is before.X  # a user's rows stay as they are
        assert after.X.dtype == np.float32
        np.testing.assert_allclose(after.X, (before.X.reshape(-1, 4) - mean) / spread, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(after.y, before.y)
    # By their own figures they would be at 0, and by all rows' the training rows would not be.
    assert abs(data.train.X.mean(axis=0)).max() < 1e-6
    assert data.validation.X.mean() > 20
    assert data.test.X.mean() < -20


def test_other_validation_and_test_rows_do_not_change_the_training_rows(shifted):
    one = shifted.standardise()
    other = dataclasses.replace(shifted, test=shifted.test._replace(X=shifted.test.X * 9))
    other = other.with_validation(Split(shifted.validation.X - 40, shifted.validation.y)).standardise()
    np.testing.assert_array_equal(one.encoded.train.X, other.encoded.train.X)
    assert one.schema.input.scaling == other.schema.input.scaling


def test_validation_rows_that_are_set_aside_have_no_part_in_the_figures():
    X = np.arange(100.0)[:, None]
    X[::7] += 1e6
    data = load_data_of(X, validation=30)
    kept = Dataset.from_arrays(X, np.arange(100) % 2, validation=30)
    assert data.schema.input.scaling.mean == pytest.approx(kept.train.X.mean(axis=0), rel=1e-12)
    assert abs(data.schema.input.scaling.mean - X.mean()) > 100


def load_data_of(X, **options):
    return Dataset.from_arrays(X, np.arange(len(X)) % 2, **options).standardise()


def test_what_else_is_known_of_the_data_stays(shifted):
    data = shifted.standardise()
    changed = {"train", "validation", "test", "schema", "standardized"}
    for field in dataclasses.fields(data):
        if field.name not in changed:
            assert getattr(data, field.name) == getattr(shifted, field.name)
    assert (data.standardized, shifted.standardized) == (True, False)
    assert data.schema.target == shifted.schema.target


def test_validation_rows_given_later_are_scaled_too(shifted):
    data = shifted.standardise()
    again = data.with_validation(shifted.validation)
    np.testing.assert_array_equal(again.encoded.validation.X, data.encoded.validation.X)


def test_no_validation_rows_are_none():
    data = load_data_of(np.arange(12).reshape(6, 2, 1).astype(np.uint8), validation=0)
    assert data.encoded.validation.X.shape == (0, 2)


def test_images_stay_images_as_they_were(small_files):
    raw, data = (
        load_dataset("fashion-mnist", small_files.parent, validation=2, standardize=s) for s in (False, True)
    )
    assert (data.image_shape, data.checksums) == (raw.image_shape, raw.checksums) == ((28, 28), raw.checksums)
    for before, after, encoded in zip(splits(raw), splits(data), data.encoded, strict=True):
        np.testing.assert_array_equal(after.X, before.X)
        np.testing.assert_array_equal(encoded.X, data.schema.input.scaling.apply(before.X))


@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_a_table_of_scikit_learn_is_refused(name):
    message = refusal(UsageError, load_dataset, name, standardize=True)
    assert message == f"standardize: the columns of {name} are standardised already; leave it out"


def test_a_table_is_refused_and_so_is_what_is_standardised(tmp_path):
    frame = pl.DataFrame({"a": np.arange(40.0), "b": np.arange(40.0) % 7})
    frame.write_csv(tmp_path / "mine.csv")
    for table in (frame, tmp_path / "mine.csv"):
        assert "standardised already" in refusal(UsageError, load_dataset, table, target="b", standardize=True)
    data = load_dataset("digits", standardize=True)
    assert "standardised already" in refusal(UsageError, data.standardise)


def test_data_larger_than_memory_are_refused(tmp_path, monkeypatch):
    for module in (user_data, large):
        monkeypatch.setattr(module, "LARGE", 50)
    np.save(tmp_path / "rows.npy", np.arange(120.0).reshape(60, 2))
    np.save(tmp_path / "labels.npy", np.arange(60) % 2)
    message = refusal(
        UsageError, load_dataset, tmp_path / "rows.npy", target=str(tmp_path / "labels.npy"), standardize=True
    )
    assert message == "standardize: rows is larger than memory; scale the file, or leave it out"


@pytest.mark.real_data
def test_fashion_mnist_by_its_known_mean(fashion_mnist_home):
    """0.2860 and 0.3530 are the mean and deviation of all pixels that recipes for Fashion-MNIST give."""
    found = load_dataset("fashion-mnist", fashion_mnist_home, validation=0, standardize=True).schema.input.scaling
    assert found.mean.mean() == pytest.approx(0.2860, abs=5e-5)
    assert np.sqrt((found.std**2 + found.mean**2).mean() - found.mean.mean() ** 2) == pytest.approx(
        0.3530, abs=5e-5
    )
