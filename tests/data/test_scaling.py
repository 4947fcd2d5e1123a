"""Columns of a usual size: the figures are known ones, those of the training rows, and nothing leaks."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.preprocessing import StandardScaler

from glassnet.data import large, scaling, table_dataset, user_data
from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset
from glassnet.data.scaling import SCALINGS, Scaling, clip_smoothly
from glassnet.data.splits import Split
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
    found = Scaling.measure(X, "standard")
    assert found.center.tolist() == [4.0, 7.0, 1.0]
    # (9 + 1 + 16 + 0) / 4; a column that never changes; (1 + 1 + 9 + 1) / 4
    assert found.spread.tolist() == [np.sqrt(26 / 4), 1.0, np.sqrt(3)]
    scaled = found.apply(np.array([[4.0, 9.0, 1 + 2 * np.sqrt(3)]]))
    assert scaled.dtype == np.float32
    assert scaled.tolist() == [[0.0, 2.0, 2.0]]


@pytest.mark.parametrize("rows", [1, 2, scaling.BLOCK, 3 * scaling.BLOCK + 5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, bool])
def test_the_figures_are_scikit_learns(rows, dtype):
    X = np.random.default_rng(rows).normal(20, 5, size=(rows, 3, 2)).astype(dtype)
    X[:, 0, 1] = X[0, 0, 1]  # it never changes
    theirs, ours = StandardScaler().fit(X.reshape(rows, 6).astype(float)), Scaling.measure(X, "standard")
    np.testing.assert_allclose(ours.center, theirs.mean_, rtol=1e-12)
    np.testing.assert_allclose(ours.spread, theirs.scale_, rtol=1e-12)
    expected = theirs.transform(X.reshape(rows, 6).astype(float))
    np.testing.assert_allclose(ours.apply(X), expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-30, 123456.789])
def test_a_column_that_never_changes_has_spread_1_whatever_rounding_makes_of_its_mean(value):
    X = np.full((1001, 1), value)
    found = Scaling.measure(X, "standard")
    assert found.spread.tolist() == [1.0]
    assert abs(found.apply(X)).max() < 1e-9


def test_scalings_are_equal_if_all_their_figures_are():
    found = Scaling.measure(np.array([[1.0, 2.0], [3.0, 8.0]]), "standard")
    assert found == Scaling("standard", np.array([2.0, 5.0]), np.array([1.0, 3.0]))
    assert found != Scaling("robust", np.array([2.0, 5.0]), np.array([1.0, 3.0]))
    assert found != Scaling("standard", np.array([2.0, 5.5]), np.array([1.0, 3.0]))
    assert found != Scaling("standard", np.array([2.0, 5.0]), np.array([1.0, 3.5]))


def test_numbers_far_from_zero_keep_their_spread():
    X = 1e9 + np.arange(1000.0)[:, None] % 2  # a sum of squares less the mean's would lose all of it
    assert Scaling.measure(X, "standard").spread == pytest.approx([0.5], rel=1e-12)


def test_bytes_are_pixels_of_255():
    pixels = np.random.default_rng(0).integers(0, 256, (300, 4, 4)).astype(np.uint8)
    of_bytes, of_shares = Scaling.measure(pixels, "standard"), Scaling.measure(pixels / 255, "standard")
    assert (of_bytes.center.tolist(), of_bytes.spread.tolist()) == (
        of_shares.center.tolist(),
        of_shares.spread.tolist(),
    )
    np.testing.assert_array_equal(of_bytes.apply(pixels), of_bytes.apply(pixels / 255))


@given(arrays.arrays(np.float64, (3, 2), elements=st.floats(-1e100, 1e100)), st.sampled_from(SCALINGS[1:]))
def test_a_dict_gives_the_same_figures_back(X, name):
    found = Scaling.measure(X, name)
    again = Scaling.from_dict(found.to_dict() | {"spread": found.spread.tolist()})
    assert again == found
    assert again != dataclasses.replace(found, spread=np.nextafter(found.spread, np.inf))


@pytest.mark.parametrize(
    "changes",
    [
        {"center": [1.0]},
        {"spread": [1.0, 0.0]},
        {"name": "robust", "spread": [1.0, -1.0]},
        {"spread": [1.0, float("nan")]},
        {"center": [1.0, float("inf")]},
        {"center": "ab"},
        {"center": None},
        {"center": 1.0, "spread": 1.0},
        {"center": [[1.0, 2.0]], "spread": [[1.0, 2.0]]},
        {"name": "none"},
        {"name": None},
    ],
)
def test_other_values_are_refused(changes):
    good = {"name": "standard", "center": [1.0, 2.0], "spread": [1.0, 3.0]}
    Scaling.from_dict(good)
    with pytest.raises(ValueError, match=r"\S"):
        Scaling.from_dict(good | changes)
    for values in ([], {}, 7, None):
        with pytest.raises(ValueError, match=r"\S"):
            Scaling.from_dict(values)


@pytest.mark.parametrize(
    ("name", "bad"),
    [*((name, bad) for name in SCALINGS[1:] for bad in (np.nan, np.inf, -np.inf)), ("standard", 1e200)],
)
def test_a_training_column_that_cannot_be_scaled_is_named(name, bad):
    X = np.ones((300, 3))
    X[270, 1] = bad
    message = refusal(DataError, Scaling.measure, X, name)
    assert message == "X: column 1 holds NaN, infinity or numbers too large to scale; replace them"


def test_rows_that_are_no_numbers_or_of_another_width_are_refused():
    assert "<U1" in refusal(DataError, Scaling.measure, np.full((2, 2), "a"), "standard")
    found = Scaling.measure(np.eye(4).reshape(4, 2, 2), "standard")
    assert refusal(DataError, found.apply, np.ones((2, 3))).startswith("X: the rows have 3 columns")


# Robust scaling


def test_robust_figures_and_numbers_by_hand():
    X = np.array([[0.0, 5.0, 0.0], [1.0, 5.0, 0.0], [2.0, 5.0, 0.0], [3.0, 5.0, 0.0], [1e6, 5.0, 8.0]])
    found = Scaling.measure(X, "robust")
    assert found.center.tolist() == [2.0, 5.0, 0.0]
    # Quartiles 1 and 3; a column that never changes; quartiles 0 and 0, so that half of the range counts.
    assert found.spread.tolist() == [2.0, 0.0, 4.0]
    # t = 4: 4 / sqrt(1 + 16 / 9) = 4 / (5 / 3); t = -3: -3 / sqrt(2); t = 2.25: 2.25 / 1.25.
    scaled = found.apply(np.array([[10.0, 5.0, -12.0], [2.0, 7.0, 9.0]]))
    assert scaled.dtype == np.float32
    assert scaled.tolist() == [[np.float32(2.4), 0.0, np.float32(-3 / np.sqrt(2))], [0.0, 0.0, np.float32(1.8)]]
    assert found.apply(X)[4, 0] == pytest.approx(3, abs=1e-9)


@given(arrays.arrays(np.float64, 20, elements=st.floats(-50, 50)))
def test_the_smooth_clip_can_be_undone_rises_and_is_odd(x):
    y = clip_smoothly(x)
    assert (np.abs(y) < 3).all()
    assert (np.abs(y) <= np.abs(x)).all()
    np.testing.assert_allclose(y / np.sqrt(1 - np.square(y / 3)), x, rtol=1e-10, atol=1e-300)
    np.testing.assert_array_equal(clip_smoothly(-x), -y)
    assert (np.diff(clip_smoothly(np.sort(x))) >= -1e-15).all()
    slope = (clip_smoothly(x + 1e-6) - clip_smoothly(x - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope, (1 + np.square(x / 3)) ** -1.5, rtol=1e-5, atol=1e-9)


@given(
    arrays.arrays(np.float64, (9, 1), elements=st.floats(-1e6, 1e6).map(lambda x: round(x, 3))),
    st.sampled_from([0.25, 2.0, 1024.0]),
    st.integers(-1000, 1000),
)
def test_robust_scaling_does_not_depend_on_units_and_keeps_the_order(X, factor, shift):
    scaled = Scaling.measure(X, "robust").apply(X)
    other = factor * X + shift
    np.testing.assert_allclose(Scaling.measure(other, "robust").apply(other), scaled, rtol=1e-3, atol=1e-3)
    assert (np.diff(scaled[np.argsort(X[:, 0]), 0]) >= -1e-6).all()
    assert (np.abs(scaled) <= 3).all()


def test_a_few_far_numbers_change_hardly_anything_of_the_others():
    X = np.random.default_rng(0).normal(7, 2, size=(1001, 1))
    far = X.copy()
    far[:5] = 1e300
    plain, robust = (Scaling.measure(rows, "robust").apply(rows) for rows in (X, far))
    np.testing.assert_allclose(robust[5:], plain[5:], atol=0.02)
    assert (robust[:5] == 3).all()


@pytest.mark.parametrize("largest", [1e300, np.finfo(float).max])
def test_the_largest_numbers_there_are_have_a_spread(largest):
    X = largest * np.array(
        [[-1.0, 0.0, 1.0], [-0.5, 0.0, 0.0], [0.0, 0.0, 0.0], [0.5, 0.0, 0.0], [1.0, 1.0, -1.0]]
    )
    found = Scaling.measure(X, "robust")
    assert found.spread.tolist() == [largest, largest / 2, largest]
    # t = 1, 2 and 1
    expected = [1 / np.sqrt(1 + 1 / 9), 2 / np.sqrt(1 + 4 / 9), -1 / np.sqrt(1 + 1 / 9)]
    np.testing.assert_allclose(found.apply(X)[4], expected, rtol=1e-6)


def test_what_is_no_finite_number_stays_none():
    found = Scaling.measure(np.array([[1.0], [2.0], [4.0]]), "robust")
    scaled = found.apply(np.array([[np.nan], [np.inf], [-np.inf], [1e308]]))
    assert np.isnan(scaled[:3]).all()
    assert scaled[3, 0] == 3


def test_the_figures_of_one_row_are_its_own():
    found = Scaling.measure(np.array([[4, 250]], np.uint8), "robust")
    assert (found.center.tolist(), found.spread.tolist()) == ([4 / 255, 250 / 255], [0.0, 0.0])
    assert found.apply(np.array([[9, 9]], np.uint8)).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int16, bool])
def test_columns_are_measured_some_at_a_time(monkeypatch, dtype):
    X = np.random.default_rng(0).integers(0, 200, (31, 7, 2)).astype(dtype)
    whole = Scaling.measure(X, "robust")
    monkeypatch.setattr(scaling, "SORTED", 100)
    assert Scaling.measure(X, "robust") == whole
    columns = X.reshape(31, 14) / (255 if dtype == np.uint8 else 1)
    np.testing.assert_allclose(whole.center, np.median(columns, axis=0), rtol=1e-12)
    if dtype is not bool:
        np.testing.assert_allclose(
            whole.spread, np.subtract(*np.percentile(columns, (75, 25), axis=0)), rtol=1e-12
        )


def test_all_kinds_of_data_are_scaled_to_the_same_bits(tmp_path):
    rng = np.random.default_rng(0)
    X = np.round(rng.standard_cauchy((60, 3)) * [1, 100, 1], 4)
    X[:, 2] = (X[:, 2] > 3) * 7.5  # most of it is one value
    y = np.arange(60) % 2
    np.savez(tmp_path / "rows.npz", X=X, y=y)
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": y})
    frame.write_csv(tmp_path / "rows.csv")
    frame.write_parquet(tmp_path / "rows.parquet")
    arrays_read = load_dataset(tmp_path / "rows.npz", scaling="robust")
    for table in (frame, tmp_path / "rows.csv", tmp_path / "rows.parquet"):
        data = load_dataset(table, target="y", scaling="robust")
        assert data.scaling == arrays_read.scaling == "robust"
        for ours, theirs in zip(data.encoded, arrays_read.encoded, strict=True):
            assert ours.X.tobytes() == theirs.X.tobytes()
    assert np.abs(arrays_read.encoded.train.X).max() <= 3


def test_only_numbers_and_dates_of_a_table_are_scaled():
    frame = pl.DataFrame(
        {
            "size": [None if row % 8 == 0 else row for row in range(40)],
            "when": [f"2020-01-{1 + row % 9:02}" for row in range(40)],
            "kind": ["a", "b"] * 20,
            "sold": [True, False, None, True] * 10,
            "price": [1.5 * row for row in range(40)],
        }
    )
    tables = {name: load_dataset(frame, target="price", dates="when", scaling=name) for name in SCALINGS}
    rows = {name: data.encoded.train.X for name, data in tables.items()}
    schema = tables["robust"].schema.input
    assert schema.feature_names == ("size", "size missing", "when", "kind=a", "kind=b", "sold", "sold missing")
    assert schema.fixed_features == (1, 3, 4, 5, 6)
    fixed = list(schema.fixed_features)
    np.testing.assert_array_equal(rows["robust"][:, fixed], rows["none"][:, fixed])
    size, when = schema.columns[:2]
    given = tables["none"].train.X["size"]
    np.testing.assert_array_equal(rows["none"][:, 0], given.fill_null(size.fill).to_numpy())
    for place, column in ((0, size), (2, when)):
        t = (rows["none"][:, place].astype(float) - column.median) / column.spread
        np.testing.assert_allclose(rows["robust"][:, place], t / np.sqrt(1 + (t / 3) ** 2), rtol=1e-6)
    assert size.median == given.median()
    assert load_dataset(frame, target="price", dates="when").schema == tables["standard"].schema


def test_numbers_to_regress_are_scaled_with_the_columns():
    X, y = np.arange(80.0).reshape(40, 2), 500 + np.arange(40.0) ** 1.5
    plain = Dataset.from_arrays(X, y, task="regression")
    encoded = {name: plain.scale(name).encoded.train.y for name in SCALINGS}
    np.testing.assert_array_equal(encoded["none"], plain.train.y)
    np.testing.assert_array_equal(encoded["robust"], encoded["standard"])
    assert abs(encoded["robust"].mean()) < 1e-9
    again = plain.scale("robust").scale("none")
    np.testing.assert_array_equal(again.encoded.train.y, plain.train.y)
    assert again.schema == plain.schema


def test_a_table_larger_than_memory_is_scaled_as_it_is_read(tmp_path, monkeypatch):
    a = np.random.default_rng(0).standard_cauchy(200)
    pl.DataFrame({"a": a, "y": a > 1}).write_parquet(tmp_path / "rows.parquet")
    whole = {name: load_dataset(tmp_path / "rows.parquet", target="y", scaling=name) for name in SCALINGS}
    for module in (table_dataset, large):
        monkeypatch.setattr(module, "LARGE", 50)
    for name, plain in whole.items():
        data = load_dataset(tmp_path / "rows.parquet", target="y", scaling=name)
        assert (data.scaling, data.origin["scaling"], type(data.train.X)) == (name, name, np.memmap)
        column = data.schema.input.columns[0]
        np.testing.assert_allclose(column.spread, plain.schema.input.columns[0].spread, rtol=0.3)
        order = np.argsort(data.train.X[:, 0])
        assert data.train.y[order[-1]] == 1  # the rows are still beside their labels
        assert (np.abs(data.train.X).max() <= 3) == (name == "robust")
    message = refusal(UsageError, data.scale, "none")
    assert message == "scaling: rows is larger than memory; scale the file, or leave it out"


# Of data sets


def test_all_rows_are_scaled_by_the_training_rows_figures(shifted):
    standardised = shifted.scale("standard")
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
    one = shifted.scale("standard")
    other = dataclasses.replace(shifted, test=shifted.test._replace(X=shifted.test.X * 9))
    other = other.with_validation(Split(shifted.validation.X - 40, shifted.validation.y)).scale("standard")
    np.testing.assert_array_equal(one.encoded.train.X, other.encoded.train.X)
    assert one.schema.input.scaling == other.schema.input.scaling


def test_validation_rows_that_are_set_aside_have_no_part_in_the_figures():
    X = np.arange(100.0)[:, None]
    X[::7] += 1e6
    data = load_data_of(X, validation=30)
    kept = Dataset.from_arrays(X, np.arange(100) % 2, validation=30)
    assert data.schema.input.scaling.center == pytest.approx(kept.train.X.mean(axis=0), rel=1e-12)
    assert abs(data.schema.input.scaling.center - X.mean()) > 100


def load_data_of(X, **options):
    return Dataset.from_arrays(X, np.arange(len(X)) % 2, **options).scale("standard")


def test_what_else_is_known_of_the_data_stays(shifted):
    data = shifted.scale("standard")
    changed = {"train", "validation", "test", "schema", "origin"}
    for field in dataclasses.fields(data):
        if field.name not in changed:
            assert getattr(data, field.name) == getattr(shifted, field.name)
    assert (data.scaling, shifted.scaling) == ("standard", "none")
    assert (data.origin, shifted.origin) == ({"scaling": "standard"}, {})
    assert data.scale("standard").schema == data.schema
    assert data.schema.target == shifted.schema.target


def test_validation_rows_given_later_are_scaled_too(shifted):
    data = shifted.scale("standard")
    again = data.with_validation(shifted.validation)
    np.testing.assert_array_equal(again.encoded.validation.X, data.encoded.validation.X)


def test_no_validation_rows_are_none():
    data = load_data_of(np.arange(12).reshape(6, 2, 1).astype(np.uint8), validation=0)
    assert data.encoded.validation.X.shape == (0, 2)


def test_images_stay_images_as_they_were(small_files):
    raw, data = (
        load_dataset("fashion-mnist", small_files.parent, validation=2, scaling=s) for s in (None, "standard")
    )
    assert (data.image_shape, data.checksums) == (raw.image_shape, raw.checksums) == ((28, 28), raw.checksums)
    for before, after, encoded in zip(splits(raw), splits(data), data.encoded, strict=True):
        np.testing.assert_array_equal(after.X, before.X)
        np.testing.assert_array_equal(encoded.X, data.schema.input.scaling.apply(before.X))


@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_a_table_of_scikit_learn_is_scaled_in_every_way(name):
    plain = load_dataset(name)
    assert load_dataset(name, scaling="standard").schema == plain.schema
    robust, none = (load_dataset(name, scaling=scaling) for scaling in ("robust", "none"))
    assert robust.scaling == "robust"
    np.testing.assert_allclose(np.median(robust.encoded.train.X, axis=0), 0, atol=1e-6)
    np.testing.assert_array_equal(none.encoded.train.X, plain.train.X)
    np.testing.assert_array_equal(none.encoded.test.y, plain.test.y)


def test_another_scaling_is_refused():
    message = refusal(UsageError, load_dataset, "digits", scaling="robust ")
    assert message.startswith("scaling: ")
    assert "robust" in message


def test_data_larger_than_memory_are_refused(tmp_path, monkeypatch):
    for module in (user_data, large):
        monkeypatch.setattr(module, "LARGE", 50)
    np.save(tmp_path / "rows.npy", np.arange(120.0).reshape(60, 2))
    np.save(tmp_path / "labels.npy", np.arange(60) % 2)
    message = refusal(
        UsageError, load_dataset, tmp_path / "rows.npy", target=str(tmp_path / "labels.npy"), scaling="standard"
    )
    assert message == "scaling: rows is larger than memory; scale the file, or leave it out"


@pytest.mark.real_data
def test_fashion_mnist_by_its_known_mean(fashion_mnist_home):
    """0.2860 and 0.3530 are the mean and deviation of all pixels that recipes for Fashion-MNIST give."""
    found = load_dataset(
        "fashion-mnist", fashion_mnist_home, validation=0, scaling="standard"
    ).schema.input.scaling
    assert found.center.mean() == pytest.approx(0.2860, abs=5e-5)
    assert np.sqrt((found.spread**2 + found.center**2).mean() - found.center.mean() ** 2) == pytest.approx(
        0.3530, abs=5e-5
    )
