"""Rows of arrays: the schema decides what a number means, and not the array at hand."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from glassnet.data.array_schema import ArraySchema
from glassnet.data.dataset import Dataset
from glassnet.data.scaling import Scaling
from glassnet.errors import DataError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (40, 6, 5)).astype(np.uint8)
PIXELS[0, 0, :2] = 0, 255
NUMBERS = RNG.normal(30, 9, (40, 4))


def learned(X, *arguments):
    return ArraySchema.learn(X, *arguments)[0]


def refusal(schema, X):
    with pytest.raises(DataError) as caught:
        schema.encode(X)
    message = str(caught.value)
    assert message.startswith("X: ")
    assert "\n" not in message
    return message


# A model that learned from bytes


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.int64, np.uint16, np.uint64])
def test_whole_numbers_are_the_bytes_that_they_are_whatever_their_type(kind):
    small = (PIXELS // 2).astype(np.uint8)
    schema = learned(PIXELS)
    X, remarks = schema.encode(small.astype(kind))
    assert X.dtype == np.uint8
    np.testing.assert_array_equal(X, small)
    assert remarks == ()
    np.testing.assert_array_equal(schema.encode(small.tolist())[0], small)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_floats_from_0_to_1_are_shares_of_white_and_it_is_said(kind):
    shares = (PIXELS / 255).astype(kind)
    X, (remark,) = learned(PIXELS).encode(shares)
    np.testing.assert_array_equal(X, shares)  # a network takes floats as they are, and divides bytes by 255
    assert X.dtype == kind
    assert "taken as shares of the 255 that training had as bytes" in remark


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, list])
def test_floats_up_to_255_are_refused_with_a_remedy_that_works(kind):
    schema = learned(PIXELS)
    X = PIXELS.astype(float).tolist() if kind is list else PIXELS.astype(kind)
    message = refusal(schema, X)
    assert "up to 255" in message
    assert "X.astype(np.uint8)" in message
    assert "X / 255" in message
    X = np.asarray(X)
    np.testing.assert_array_equal(schema.encode(X.astype(np.uint8))[0], PIXELS)
    np.testing.assert_allclose(255 * schema.encode(X / 255)[0].astype(float), PIXELS, rtol=1e-3)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([[-1, 0]], "whole numbers from -1 to 0, where bytes were learned, 0 to 255"),
        ([[0, 256]], "whole numbers from 0 to 256"),
        ([[-0.5, 0.5]], "numbers from -0.5 to 0.5, where bytes were learned"),
        ([[0.0, 70000.0]], "numbers from 0 to 70000"),
        ([[0.0, np.inf]], "numbers from 0 to inf"),
        ([[0.5, np.nan]], "row 1 (X[0]) holds a missing value or NaN"),
        ([[True, False]], r"np.uint8(255) * X"),
    ],
)
def test_what_is_no_byte_and_no_share_is_refused(rows, said):
    schema = learned(np.array([[0, 255]], np.uint8))
    assert said in refusal(schema, rows)


def test_true_and_false_follow_the_remedy():
    schema, mask = learned(np.array([[0, 255]], np.uint8)), np.array([[True, False]])
    assert schema.encode(np.uint8(255) * mask)[0].tolist() == [[255, 0]]


@pytest.mark.parametrize("largest", [0, 1, 16])
def test_small_bytes_are_remarked_on_once_with_a_remedy_that_works(largest):
    X, y = np.tile(np.array([[0, largest], [largest, 0]], np.uint8), (20, 1)), np.arange(40) % 2
    data = Dataset.from_arrays(X, y)
    assert data.schema.input.values == "bytes"
    assert [one for one in data.remarks if "divided by 255" in one] == [
        f"X: bytes up to {largest} are divided by 255 as pixels are; if they are plain numbers, give them as "
        "such: X.astype(np.float32)"
    ]
    numbers = Dataset.from_arrays(X.astype(float), y)
    assert numbers.schema.input == ArraySchema((2,), "numbers", 1.0, 0.0, largest)
    assert not [one for one in numbers.remarks if "255" in one]


# A model that learned from numbers


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int64, np.float32, np.float64, list])
def test_numbers_are_the_same_whatever_their_type(kind):
    """Bytes too: a network would divide them by 255, and training had none."""
    counts = RNG.integers(0, 200, (40, 4))
    schema = learned(counts.astype(float))
    X = schema.encode(counts.tolist() if kind is list else counts.astype(kind))[0]
    assert X.dtype != np.uint8
    np.testing.assert_array_equal(X.astype(np.float32), counts.astype(np.float32))
    scaled = schema.scale(counts.astype(float), "standard")
    np.testing.assert_array_equal(scaled.encode(counts.astype(np.uint8))[0], scaled.encode(counts)[0])


@pytest.mark.parametrize("scaled", [False, True])
def test_pictures_of_shares_are_not_bytes(scaled):
    schema = learned(PIXELS / 255)
    schema = schema.scale(PIXELS / 255, "standard") if scaled else schema
    for X in (PIXELS, PIXELS.astype(int), PIXELS.astype(np.float32)):
        message = refusal(schema, X)
        assert message.startswith("X: numbers up to 255, where training had 0 to 1; ")
        assert message.endswith("X / 255")
        np.testing.assert_allclose(schema.encode(X / 255)[0], schema.encode(PIXELS / 255)[0], atol=1e-5)
    assert schema.encode(np.full((2, 6, 5), 1.05))[1] == ()  # resized pictures go a little beyond


def test_pictures_scaled_by_hand_are_not_bytes():
    schema = learned((PIXELS / 255 - 0.3) / 0.35)
    message = refusal(schema, PIXELS)
    assert "where training had -0.857" in message
    assert message.endswith("as those of training were")


def test_plain_numbers_of_unit_size_are_not_much_larger():
    schema = learned(NUMBERS / 100)
    assert "numbers up to 300, where training had" in refusal(schema, np.full((1, 4), 300))
    assert schema.encode(np.full((1, 4), 3.0))[0].tolist() == [[3.0] * 4]
    # Those that were not shares may be far from all others one day, which is said.
    centred = learned(NUMBERS / 100 - 0.5)
    X, (remark,) = centred.encode(np.full((1, 4), 300.0))
    assert X.tolist() == [[300.0] * 4]
    assert remark.endswith("if those were scaled before, scale these alike")
    # Numbers of any size may be ten times as large one day, and what is beyond that is said.
    X, (remark,) = learned(NUMBERS).encode(np.full((1, 4), 3000.0))
    assert X.tolist() == [[3000.0] * 4]
    assert learned(NUMBERS).encode(np.full((1, 4), 10 * NUMBERS.max()))[1] == ()
    assert remark.endswith("are they in the same units?")


def test_pictures_learned_up_to_255_that_come_as_shares_are_said():
    schema, (remark,) = ArraySchema.learn(PIXELS.astype(np.float64))
    assert remark.startswith("X: pictures of float64 up to 255 are taken as they are")
    assert "X.astype(np.uint8)" in remark
    assert ArraySchema.learn(PIXELS.astype(float).astype(np.uint8))[1] == ()
    assert schema.encode(PIXELS / 255)[1] == ("X: numbers up to 1 only, where training had 0 to 255",)
    assert schema.encode(PIXELS.astype(int))[1] == schema.encode(np.zeros((1, 6, 5)))[1] == ()


@pytest.mark.parametrize("columns", [30, 64])
def test_many_numbers_from_0_to_255_may_be_pixels(columns):
    X = np.arange(20.0 * columns).reshape(20, columns) % 256
    assert len(ArraySchema.learn(X)[1]) == (columns == 64)
    assert ArraySchema.learn(X - 1)[1] == ArraySchema.learn(X / 3)[1] == ()


# Numbers divided by a white


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float16, np.float32, np.float64])
def test_digits_are_divided_by_16_whatever_their_type(kind):
    digits = RNG.integers(0, 17, (30, 8, 8))
    schema = learned(digits.astype(float), None, 16)
    X, remarks = schema.encode(digits.astype(kind))
    assert X.dtype == np.float32
    np.testing.assert_array_equal(X, digits.astype(np.float32) / np.float32(16))
    assert remarks == ()
    assert refusal(schema, digits * 15).endswith("X / 255 * 16")
    assert schema.encode(digits / 16)[1] == ("X: numbers up to 1 only, where training had 0 to 16",)


@pytest.mark.parametrize("white", [4095, 65535])
def test_16_bits_are_divided_by_the_largest_that_they_use(white):
    deep = RNG.integers(0, white + 1, (30, 4, 4)).astype(np.uint16)
    schema = learned(deep, None, white)
    expected = (deep.astype(float) / white).astype(np.float32)
    for kind in (np.uint16, np.int32, np.float32, np.float64):
        X = schema.encode(deep.astype(kind))[0]
        assert X.dtype == np.float32
        np.testing.assert_array_equal(X, expected)


# Shapes


@pytest.mark.parametrize(
    ("shape", "given"),
    [
        ((6, 5), (40, 6, 5)), ((6, 5), (40, 30)), ((6, 5), (40, 6, 5, 1)), ((6, 5), (40, 1, 6, 5)),
        ((30,), (40, 30)), ((30,), (40, 6, 5)), ((30,), (40, 6, 5, 1)), ((30,), (40, 1, 6, 5)),
        ((30,), (40, 30, 1)),
        ((5, 2, 3), (40, 5, 2, 3)), ((5, 2, 3), (40, 30)), ((5, 2, 3), (40, 1, 5, 2, 3)),
    ],
    ids=str,
)  # fmt: skip
def test_rows_of_other_axes_flatten_as_those_of_training_did(shape, given):
    schema = learned(PIXELS.reshape(40, *shape))
    X, _ = schema.encode(PIXELS.reshape(given))
    np.testing.assert_array_equal(X.reshape(40, -1), PIXELS.reshape(40, -1))


def test_only_three_colours_may_stand_first():
    solid = RNG.integers(0, 256, (9, 6, 5, 4)).astype(np.uint8)
    X = RNG.integers(0, 256, (9, 3, 6, 5)).astype(np.uint8)
    assert "rows of shape (3, 6, 5), where training had 6x5x4 pictures" in refusal(learned(solid), X)


def test_colours_may_stand_first():
    coloured = RNG.integers(0, 256, (9, 6, 5, 3)).astype(np.uint8)
    schema = learned(coloured)
    np.testing.assert_array_equal(schema.encode(np.moveaxis(coloured, -1, 1))[0], coloured)


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (PIXELS[:, :5], "rows of shape (5, 5), where training had 6x5 pictures"),
        (PIXELS.transpose(0, 2, 1), "rows of shape (5, 6), where training had 6x5 pictures"),
        (PIXELS.reshape(40, 30)[:, :29], "rows of shape (29,)"),
        (PIXELS[0], "one row of shape (6, 5); rows are expected, give [row]"),
        (PIXELS[0].ravel(), "for a single row give [row]"),
        (np.repeat(PIXELS[..., None], 3, -1), "rows of shape (6, 5, 3)"),
        (7, "expected rows of shape (6, 5), got an array of shape ()"),
        ([["a"] * 30], "expected rows of numbers, got the type <U1"),
        ([[1, 2], [3]], "expected rows of equal length"),
        (None, "got the type object"),
    ],
)
def test_rows_of_another_width_are_refused(X, said):
    assert said in refusal(learned(PIXELS), X)


def test_the_remedy_for_one_row_works():
    schema = learned(PIXELS)
    for row in (PIXELS[0], PIXELS[0].ravel()):
        np.testing.assert_array_equal(schema.encode([row])[0].reshape(1, 6, 5), PIXELS[:1])


def test_colours_in_a_flat_row_are_not_guessed():
    coloured = RNG.integers(0, 256, (9, 6, 5, 3)).astype(np.uint8)
    schema = learned(coloured.reshape(9, 90))
    assert "where training had 90 numbers a row" in refusal(schema, np.moveaxis(coloured, -1, 1))


# What rows come in


def test_masked_values_are_missing():
    X = np.ma.array(NUMBERS, mask=np.zeros(NUMBERS.shape, bool))
    schema = learned(NUMBERS)
    np.testing.assert_array_equal(schema.encode(X)[0], NUMBERS)
    X[3, 1] = np.ma.masked
    encoded, _ = schema.encode(X)
    assert np.argwhere(np.isnan(encoded)).tolist() == [[3, 1]]
    pixels = np.ma.array(PIXELS)
    assert schema_dtype(pixels) == np.uint8
    pixels[2, 0, 0] = np.ma.masked
    assert "row 3 (X[2]) holds a missing value" in refusal(learned(PIXELS), pixels)


def schema_dtype(X):
    return learned(PIXELS).encode(X)[0].dtype


def test_sparse_rows_and_frames_are_rows():
    schema = learned(NUMBERS)
    sparse = scipy.sparse.random(5, 4, 0.5, "csr", random_state=0)
    np.testing.assert_array_equal(schema.encode(sparse)[0], sparse.toarray())
    for frame in (pd.DataFrame(NUMBERS, columns=list("abcd")), pl.DataFrame(NUMBERS, schema=list("abcd"))):
        X, remarks = schema.encode(frame)
        np.testing.assert_array_equal(X, NUMBERS)
        assert remarks == ("X: columns are taken in the order they stand in: in training they had no names",)


def test_a_frame_of_several_kinds_of_numbers_is_numbers_and_one_of_text_is_not():
    frame = pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": [True, False], "c": [0.5, 1.5]})
    X, _ = learned(np.ones((3, 3)) * 50).encode(frame)
    np.testing.assert_array_equal(X, [[1, 1, 0.5], [np.nan, 0, 1.5]])
    assert "some columns are not" in refusal(learned(np.ones((3, 2))), pd.DataFrame({"a": ["x"], "b": [1]}))
    assert "some columns are not" in refusal(learned(np.ones((3, 2))), pl.DataFrame({"a": ["x"], "b": [1]}))


# One row alone is the same as among others


some_rows = arrays.arrays(np.int64, (7, 4), elements=st.integers(-3, 300))


@given(
    train=arrays.arrays(
        st.sampled_from([np.uint8, np.int16, np.float32, np.float64]), (9, 4), elements=st.integers(0, 120)
    ),
    rows=st.one_of(
        some_rows,
        arrays.arrays(np.uint8, (7, 4)),
        arrays.arrays(np.float64, (7, 4), elements=st.floats(0, 1)),
        arrays.arrays(np.float32, (7, 4), elements=st.floats(0, 300, width=32)),
    ),
    white=st.sampled_from([1, 16, 255]),
    scaled=st.booleans(),
)
def test_a_row_means_the_same_alone_as_among_others(train, rows, white, scaled):
    schema = learned(train, None, 1 if train.dtype == np.uint8 else white)
    schema = schema.scale(train, "standard") if scaled else schema
    try:
        together, _ = schema.encode(rows)
    except DataError:
        return  # rows that cannot be meant together: any of them may be refused alone, too
    for place in range(len(rows)):
        alone, _ = schema.encode(rows[place : place + 1])
        assert alone.dtype == together.dtype
        np.testing.assert_array_equal(alone[0], together[place])
    halves = np.concatenate([schema.encode(part)[0] for part in (rows[:3], rows[3:])])
    np.testing.assert_array_equal(halves, together)


@given(rows=arrays.arrays(np.int64, (5, 3), elements=st.integers(0, 255)), kind=st.sampled_from("bBhil"))
def test_the_type_of_whole_numbers_changes_nothing(rows, kind):
    rows = np.minimum(rows, np.iinfo(kind).max)
    for train in (np.array([[0, 9, 255]], np.uint8), np.array([[0.0, 9, 255]]), np.array([[-7, 9, 255]])):
        schema = learned(train)
        one, other = schema.encode(rows)[0], schema.encode(rows.astype(kind))[0]
        np.testing.assert_array_equal(one.astype(np.float64), other.astype(np.float64))
        assert (one.dtype == np.uint8) == (other.dtype == np.uint8) == (schema.values == "bytes")


# What is saved


@given(train=arrays.arrays(np.float64, (6, 3), elements=st.floats(-1e6, 1e6)), white=st.floats(0.1, 1e5))
def test_json_gives_the_same_schema_back_to_the_last_bit(train, white):
    schema = learned(train, None, white).scale(train, "standard")
    values = schema.to_dict()
    text = json.dumps(
        values | {"scaling": {name: np.asarray(one).tolist() for name, one in values["scaling"].items()}}
    )
    again = ArraySchema.from_dict(json.loads(text))
    assert again == schema
    assert again.scaling.center.tobytes() == schema.scaling.center.tobytes()
    assert again.scaling.spread.tobytes() == schema.scaling.spread.tobytes()
    np.testing.assert_array_equal(again.encode(train)[0], schema.encode(train)[0])


def test_all_that_is_known_is_saved():
    schema = ArraySchema((6, 5), "numbers", 4095.0, 2.0, 4000.0, True, (6, 5), True, None)
    assert ArraySchema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


GOOD = ArraySchema((4,)).to_dict()


@pytest.mark.parametrize(
    "change",
    [
        {"shape": []}, {"shape": [0]}, {"shape": [-4]}, {"shape": "ab"}, {"shape": None}, {"values": "words"},
        {"white": 0}, {"white": -1}, {"white": float("nan")}, {"white": float("inf")}, {"low": "x"}, {"more": 1},
        {"scaling": 3}, {"scaling": {"name": "standard", "center": [1.0], "spread": [1.0]}},
        {"scaling": {"name": "standard", "center": [1.0] * 4, "spread": [0.0] * 4}}, {"size": [3]},
        {"swapped": "perhaps"},
    ],
    ids=str,
)  # fmt: skip
def test_values_of_no_schema_are_refused_in_one_line(change):
    ArraySchema.from_dict(GOOD)
    with pytest.raises(DataError, match=r"^schema: ") as caught:
        ArraySchema.from_dict(GOOD | change)
    assert "\n" not in str(caught.value)


def test_rows_without_finite_numbers_have_a_range_that_can_be_saved():
    for X in (np.full((2, 2), np.nan), np.zeros((0, 2)), np.full((2, 2), np.inf)):
        assert (learned(X).low, learned(X).high) == (0, 0)
    assert (
        learned(np.array([[1, np.nan, -np.inf, 5]])).low,
        learned(np.array([[1, np.nan, np.inf, 5]])).high,
    ) == (1, 5)


def test_the_description_says_what_is_done():
    schema = learned(PIXELS)
    assert schema.describe() == {"rows": "pictures of 6 x 5", "values": "bytes, divided by 255"}
    digits = ArraySchema((8, 8), white=16.0, high=16.0, swapped=True)
    assert digits.describe() == {
        "rows": "pictures of 8 x 8",
        "values": "from 0 to 16, divided by 16",
        "files": "rows and columns of the pictures in IDX files are swapped",
    }
    plain = ArraySchema((2,), high=3.0, scaling=Scaling("standard", np.zeros(2), np.ones(2)))
    assert plain.describe()["scaling"] == "each column to mean 0 and standard deviation 1"
    assert plain.describe()["rows"] == "2 numbers"
