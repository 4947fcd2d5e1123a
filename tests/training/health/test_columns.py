"""Columns that are off centre, tell the target, or go beyond those of training are found, and no others."""

import numpy as np
import polars
import pytest

import glassnet as gn
from glassnet.training.health.columns import DataFacts, find_beyond, find_outlying, find_telling, find_unscaled

RNG = np.random.default_rng(0)
X = RNG.normal(size=(128, 5))


def test_columns_far_too_large_or_off_centre_are_found_the_farthest_first():
    assert find_unscaled(X) == []
    moved = X.copy()
    moved[:, 1] += 2005
    moved[:, 3] = 2 + moved[:, 3] / 100
    moved[:, 4] *= 1e5
    assert find_unscaled(moved) == [4, 1, 3]
    moved[:, :] = 1.7e9  # one value only: there is nothing to scale
    assert find_unscaled(moved) == []
    assert find_unscaled(RNG.uniform(0, 1, (128, 784))) == []


def test_a_column_that_tells_the_target_by_itself_is_found():
    y = RNG.normal(size=(128, 1))
    assert find_telling(X, y) is None
    assert find_telling(np.hstack([X, -3 * y + 7]), y) == 5
    labels = RNG.integers(0, 4, 128)
    assert find_telling(np.hstack([X, labels[:, None]]), np.eye(4)[labels]) == 5
    assert (
        find_telling(np.hstack([X, labels[:, None] == 2]), np.eye(4)[labels]) is None
    )  # it tells one class of four
    two = labels % 2
    assert find_telling(np.hstack([X, 7 - two[:, None]]), np.eye(2)[two]) == 5
    assert find_telling(X[:, :1], X[:, :1]) is None  # a single column is all there is
    assert find_telling(X[:20], X[:20, :1]) is None  # too few rows to say so


def test_columns_are_found_in_which_many_new_rows_go_beyond_those_of_training():
    many, new = RNG.uniform(-1, 1, (1000, 5)), RNG.uniform(-0.99, 0.99, (50, 5))
    assert find_beyond(many, new) == ()
    new[:6, 2] += 9
    new[:4, 0] -= 30  # a few rows are no other range
    new[:30, 4] = -8
    assert find_beyond(many, new) == ((4, 0.6), (2, 0.12))
    assert find_beyond(many, new[:4]) == ()


def test_a_number_far_from_all_others_is_outlying_and_a_rare_one_is_not():
    far = RNG.normal(size=(600, 4))
    far[7, 1] = 1e4
    far[:, 2] = 500 * (RNG.random(600) < 0.01)
    ((column, times),) = find_outlying(far, far)
    low, middle, high = np.percentile(far[:, 1], (25, 50, 75))
    assert (column, times) == (1, pytest.approx(1.349 * (1e4 - middle) / (high - low)))
    assert find_outlying(far / 1e4, far / 1e4) == ()
    for sign in (1, -1):  # it need not be among the rows that tell what is usual
        ((column, again),) = find_outlying(sign * far[8:], sign * far)
        assert (column, again) == (1, pytest.approx(times, rel=0.02))
    # Of 600 standardised rows, none is further away than sqrt(600 / 3) = 14 where three are alike.
    far[7:10, 1] = 1e4
    data = gn.Dataset.from_arrays(far, far[:, 0], validation=0).scale("standard")
    assert np.abs(data.encoded.train.X[:, 1]).max() < 20
    assert [column for column, _ in DataFacts.of(data).outlying] == [1]
    assert DataFacts.of(data.scale("robust")).outlying == ()


def test_columns_are_called_by_their_name_or_number():
    arrays = gn.Dataset.from_arrays(X, 1000 + X[:, 0])
    facts = DataFacts.of(arrays)
    assert (str(facts.name(2)), facts.scalings) == ("column 2", ("standard", "robust"))
    assert facts.scales[0][0] == np.mean(arrays.train.y)
    assert DataFacts.of(arrays.scale("standard")).scalings == ("robust",)
    assert DataFacts.of(arrays.scale("robust")).scalings == ()
    frame = polars.DataFrame({"age": X[:, 0], "colour": np.where(X[:, 1] > 0, "red", "blue")})
    run = gn.fit(gn.Network([3, 1], loss="half_squared_error"), frame, X[:, 2], epochs=1, progress=False)
    assert str(DataFacts(run.schema.input.feature_names).name(0)) == "column 'age'"


def test_the_scale_of_numbers_is_known_where_their_squares_are_not():
    data = gn.Dataset.from_arrays(X, X[:, 0] * 1e-300)
    assert DataFacts.of(data).scales[0][1] > 5e-301
