"""Splits: how rows are drawn, and what a split says of its rows."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.data.columns import TableSchema
from glassnet.data.schema import Schema
from glassnet.data.splits import Split, count_validation_rows, describe_split, draw_stratified, is_mapped
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import UsageError

NUMBERS = np.random.default_rng(0).normal(size=100)

labels_and_size = st.lists(st.integers(0, 4), min_size=1, max_size=80).flatmap(
    lambda labels: st.tuples(st.just(np.array(labels)), st.integers(0, len(labels)), st.integers(0, 5))
)


@given(labels_and_size)
def test_a_stratified_draw_is_a_partition_with_class_shares_within_one_row(case):
    y, size, seed = case
    rest, drawn = draw_stratified(y, size, np.random.default_rng(seed))
    assert len(drawn) == size
    assert np.sort(np.concatenate([rest, drawn])).tolist() == list(range(len(y)))
    assert (np.diff(rest) > 0).all()
    assert (np.diff(drawn) > 0).all()
    for label in set(y.tolist()):
        share = (y == label).sum() * size / len(y)
        assert abs((y[drawn] == label).sum() - share) < 1


@pytest.mark.parametrize(("size", "counts"), [(1, [0, 1]), (2, [1, 1]), (4, [1, 3]), (5, [2, 3])])
def test_a_share_of_a_row_is_rounded_the_same_way_for_every_class(size, counts):
    # Of 3 and 6 rows: a single row is of the larger class, which a count from the first row on would deny it.
    y = np.repeat([0, 1], [3, 6])
    assert np.bincount(y[draw_stratified(y, size, np.random.default_rng(0))[1]], minlength=2).tolist() == counts


def test_a_stratified_draw_is_random_within_a_class():
    y = np.repeat([0, 1], 50)
    draws = [draw_stratified(y, 10, np.random.default_rng(seed))[1] for seed in range(40)]
    counts = np.bincount(np.concatenate(draws), minlength=100)
    # Every row is drawn 4 times on average; systematic rows would be drawn 40 times, others never.
    assert counts.max() < 20
    assert (counts > 0).sum() > 90
    np.testing.assert_array_equal(draws[3], draw_stratified(y, 10, np.random.default_rng(3))[1])


@pytest.mark.parametrize(
    ("validation", "n", "size"),
    [
        (0, 10, 0),
        (9, 10, 9),
        (1, 10, 1),
        (1 / 12, 60_000, 5000),
        (0.5, 3, 2),
        (0.01, 10, 1),
        (0, 1, 0),
    ],
)
def test_validation_is_a_share_below_one_or_a_number(validation, n, size):
    assert count_validation_rows(validation, n) == size
    assert isinstance(count_validation_rows(validation, n), int)


@pytest.mark.parametrize("validation", [10, 11, -1, -0.1, 2.5, 0.99, float("nan"), float("inf")])
def test_a_validation_that_leaves_no_rows_is_refused(validation):
    with pytest.raises(UsageError, match=r"^validation: takes a share below 1, or a number of the 10 rows, got"):
        count_validation_rows(validation, 10)


def test_every_number_of_a_regression_may_be_drawn_and_a_draw_is_spread_over_them():
    draws = [draw_stratified(NUMBERS, 20, np.random.default_rng(seed))[1] for seed in range(60)]
    counts = np.bincount(np.concatenate(draws), minlength=100)
    assert counts.max() < 35  # 12 on average
    assert counts.min() > 0
    rank = NUMBERS.argsort().argsort()
    for drawn in draws:
        np.testing.assert_array_equal(np.sort(rank[drawn]) // 5, np.arange(20))  # one of every five neighbours


PIXELS = np.array([[0, 255], [51, 102], [7, 8], [9, 10]], np.uint8)
WORDS = np.array(["no", "yes", "no", "no"])


def test_a_split_is_a_pair_that_knows_what_it_means():
    schema = Schema.learn(PIXELS, WORDS)
    split = describe_split(PIXELS, WORDS, schema)
    X, y = split
    assert X is split.X is PIXELS
    assert y is split.y is WORDS
    assert split.schema is schema
    assert not split.is_encoded
    encoded = split.encode()
    assert encoded.X is PIXELS  # bytes are a network's own: nothing is copied
    assert encoded.y.tolist() == [0, 1, 0, 0]
    assert encoded.is_encoded
    assert encoded.schema is schema
    assert encoded.encode() is encoded


def test_without_a_schema_rows_are_a_networks_own():
    split = Split(PIXELS, WORDS)
    assert split.encode() is split
    assert split.schema is None
    assert not split.is_encoded


@pytest.mark.parametrize("rows", [slice(1, None), np.array([2, 0]), np.array([True, False, True, False])])
@pytest.mark.parametrize("is_encoded", [False, True])
def test_some_rows_mean_what_all_do(rows, is_encoded):
    schema = Schema.learn(PIXELS, WORDS)
    split = describe_split(PIXELS, WORDS, schema, is_encoded=is_encoded)
    some = split.take(rows)
    np.testing.assert_array_equal(some.X, PIXELS[rows])
    np.testing.assert_array_equal(some.y, WORDS[rows])
    assert some.schema is schema
    assert some.is_encoded == is_encoded


def test_rows_of_a_table_are_encoded_by_its_columns():
    frame = pl.DataFrame({"age": [30, 40, 30, 40], "colour": ["red", "blue", "red", "blue"]})
    schema = Schema(TableSchema.learn(frame)[0], TargetSchema.learn([1.5, 2.5, 3.5, 4.5], scale_by=[1.5, 3.5])[0])
    split = describe_split(frame, np.array([1.5, 2.5, 3.5, 4.5]), schema)
    encoded = split.take([1, 2]).encode()
    assert encoded.X.tolist() == [[1, 1, 0], [-1, 0, 1]]
    assert encoded.y.tolist() == [0, 1]


def test_rows_in_a_mapped_file_are_known(tmp_path):
    np.save(tmp_path / "rows.npy", PIXELS)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    assert is_mapped(mapped)
    assert not is_mapped(PIXELS)
    assert is_mapped(describe_split(mapped, WORDS, Schema.learn(PIXELS, WORDS)).encode().X)
