"""Columns that are off centre, tell the target, or go beyond those of training are found, and no others."""

import numpy as np
import polars
import pytest

import glassnet as gn
from glassnet.data.schema import Schema
from glassnet.data.splits import Split
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


# At each threshold and just beyond.

QUARTERS = np.tile([-1.0, -1.0, 1.0, 1.0], 10)  # its quartiles are -1 and 1


@pytest.mark.parametrize(
    ("column", "found"),
    [
        (QUARTERS * 5.01 / (2 / 1.349), True),  # by its quartiles it has a standard deviation of 5.01
        (QUARTERS * 4.99 / (2 / 1.349), False),
        (1.349 / 2 * QUARTERS * 0.2 + 4.01, True),  # 20 standard deviations away from 0
        (1.349 / 2 * QUARTERS * 0.2 + 3.99, False),
        (-1.349 / 2 * QUARTERS * 0.2 - 4.01, True),
        (1.349 / 2 * QUARTERS * 0.04 + 0.99, False),  # too small to do harm
        (np.full(40, 1e6), False),
        (1e6 + QUARTERS * 1e-3, False),  # no more than rounding
    ],
)
def test_a_column_is_unscaled(column, found):
    assert find_unscaled(np.column_stack([np.zeros(40), column])) == ([1] if found else [])


@pytest.mark.parametrize(
    ("far", "found"),
    [(100.1, True), (99.9, False), (-100.1, True), (-99.9, False)],
)
def test_a_number_is_outlying_a_hundred_deviations_away(far, found):
    column = np.r_[far, -far / 2, 0, 1.349 / 2 * QUARTERS]
    X = np.column_stack([column, np.arange(43)])
    expected = ((0, pytest.approx(abs(far))),) if found else ()
    assert find_outlying(X, X) == expected
    assert find_outlying(np.delete(X, [0, 1], axis=0), X) == expected
    assert find_outlying(X, X[1:]) == ()


@pytest.mark.parametrize(("options", "least"), [((), 20), ((5.0,), 5), ((0.5,), 0.5)])
def test_shares_are_never_outlying(options, least):
    column = 1e-3 * QUARTERS
    for far, found in ((least - 0.1, 0), (least + 0.1, 1), (0.1 - least, 0), (-least - 0.1, 1)):
        column[0] = far
        assert len(find_outlying(column[:, None], column[:, None], *options)) == found


@pytest.mark.parametrize(
    ("size", "many", "plain", "standardised"),
    [(19.9, 40, 0, 0), (20.1, 40, 1, 0), (19.9, 38, 0, 1), (20.1, 38, 1, 1)],
)
def test_five_deviations_are_far_in_a_standardised_column(size, many, plain, standardised):
    """Of 1000 rows, m are far away: where the others are about 0, sqrt((1000 - m) / m) standard deviations."""
    column = 1e-6 * np.tile(QUARTERS, 25)
    column[:many] = size
    rows, labels = np.column_stack([column, np.tile(QUARTERS, 25)]), np.arange(1000) % 2
    data = gn.Dataset("made", *[Split(rows, labels)] * 3, Schema.learn(rows, labels))
    assert len(DataFacts.of(data).outlying) == plain
    scaled = data.scale("standard")
    assert scaled.encoded.train.X[0, 0] == pytest.approx({40: 4.9, 38: 5.03}[many], rel=1e-3)
    assert len(DataFacts.of(scaled).outlying) == standardised
    assert DataFacts.of(data.scale("robust")).outlying == ()


def test_outlying_columns_come_the_farthest_first():
    X = np.column_stack([QUARTERS, QUARTERS, QUARTERS])
    X[0], X[1] = [200, -900, 1], [1, 1, 400]
    assert [column for column, _ in find_outlying(X, X)] == [1, 2, 0]


@pytest.mark.parametrize(
    ("new", "rows", "found"), [(10, 100, False), (11, 100, True), (5, 40, True), (4, 30, False)]
)
def test_rows_go_beyond_where_more_than_a_tenth_and_five_do(new, rows, found):
    ends = np.array([[-1.0], [1.0]])
    more = np.ones((rows, 1))  # the ends are within
    more[:new] = 1.001
    for sign in (1, -1):
        assert find_beyond(ends, sign * more) == (((0, new / rows),) if found else ())


@pytest.mark.parametrize(("share", "n", "found"), [(0.991, 30, 1), (0.989, 30, None), (0.991, 29, None)])
def test_a_column_tells_the_target_by_99_hundredths_of_its_variance_on_30_rows(share, n, found):
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(np.column_stack([np.ones(n), rng.normal(size=(n, 3))]))[0][:, 1:]
    column, noise, other = basis.T
    target = np.sqrt(share) * column + np.sqrt(1 - share) * noise
    X = np.column_stack([other, 40 - 3 * column])
    assert find_telling(X, target[:, None]) == found


def test_facts_are_those_of_the_data():
    rows = np.column_stack([QUARTERS, QUARTERS])
    new = np.column_stack([QUARTERS, 9 + 0 * QUARTERS])
    y = np.column_stack([5 + 3 * QUARTERS, QUARTERS / 4 - 2])
    parts = Split(rows, y), Split(new, y), Split(rows[:0], y[:0])
    facts = DataFacts.of(gn.Dataset("made", *parts, Schema.learn(rows, y)))
    assert facts == DataFacts((), ("standard", "robust"), ((5.0, 3.0), (-2.0, 0.25)), (), ((1, 1.0),))
    pixels = (rows * 100 + 100).astype(np.uint8)
    labels = np.arange(40) % 2
    parts = Split(pixels, labels), Split(pixels + 50, labels), Split(pixels[:0], labels[:0])
    facts = DataFacts.of(gn.Dataset("made", *parts, Schema.learn(pixels, labels)))
    assert (facts.scales, facts.outlying, facts.beyond) == ((), (), ())
