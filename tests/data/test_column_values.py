import datetime
import decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.data.column_values import (
    list_names,
    measure_numbers,
    quote,
    spell,
    spell_numbers,
    take_booleans,
    take_categories,
    take_numbers,
)
from glassnet.data.number_format import NumberFormat
from glassnet.data.registry import load_dataset
from glassnet.errors import DataError

A = "column 'a'"


def series(values, dtype=None):
    return pl.Series("a", values, dtype=dtype)


@pytest.mark.parametrize(
    "values",
    [
        [1, None, -3],
        [1.0, float("nan"), -3.0],
        ["1", "", "-3"],
        ["1.0", None, "-3e0"],
        ["+1", " N/A ", "-3."],
        [decimal.Decimal("1.00"), None, decimal.Decimal(-3)],
        series(["1", "nan", "-3"], pl.Categorical),
    ],
)
def test_numbers_of_any_type(values):
    assert take_numbers(series(values), A).to_list() == [1, None, -3]


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_text_is_the_number_that_python_reads(numbers):
    assert take_numbers(series([repr(number) for number in numbers]), A).to_list() == [float(n) for n in numbers]


def test_numbers_in_a_format_of_their_own():
    german = NumberFormat(",", ".")
    assert take_numbers(series(["1.299,50", "n/a", "3", None]), A, german).to_list() == [1299.5, None, 3, None]
    assert take_numbers(series([1299.5, None]), A, german).to_list() == [1299.5, None]
    with pytest.raises(DataError, match=r"column 'a': row 2 is '12\.5'; expected a number with a decimal comma"):
        take_numbers(series(["1,5", "12.5"]), A, german)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["1", "x"], "row 2 is 'x'; expected a number, as in training"),
        (["1", "1,5"], "row 2 is '1,5'"),
        ([None, "\x1b[31m" + 99 * "x"], r"row 2 is '\x1b[31m" + 25 * "x" + "'"),
        ([None, True], "row 2 is 'true'"),
        ([None, datetime.date(2024, 5, 31)], "row 2 is '2024-05-31'"),
        ([1.0, float("-inf")], "row 2 is infinite"),
        (["1", "inf"], "row 2 is infinite"),
        (["1", "1e999"], "row 2 is infinite"),
        ([None, [1]], "expected a number, as in training, got List(Int64)"),
    ],
)
def test_what_is_no_number(values, said):
    with pytest.raises(DataError) as caught:
        take_numbers(series(values), A)
    assert str(caught.value).startswith(f"{A}: {said}")
    assert str(caught.value).isprintable()


def test_true_and_false_are_numbers_only_where_asked():
    for values in ([True, False, None], ["TRUE", "false", "NA"]):
        assert take_numbers(series(values), A, booleans=True).to_list() == [1, 0, None]
        with pytest.raises(DataError, match=r"row 1 is '(?i:true)'; expected a number"):
            take_numbers(series(values), A)


@pytest.mark.parametrize(
    "values",
    [
        [True, None, False],
        ["TRUE", "", "False"],
        [" true", "n/a", "0"],
        ["1", "-", "0.0"],
        [1, None, 0],
        [1.0, float("nan"), 0.0],
        series(["true", None, "false"], pl.Categorical),
    ],
)
def test_booleans_of_any_type(values):
    found = take_booleans(series(values), A)
    assert found.dtype == pl.Boolean
    assert found.to_list() == [True, None, False]


@pytest.mark.parametrize("values", [[1, 2], [1.0, 0.5], ["true", "yes"], ["0", "2"], [None, datetime.time(1)]])
def test_what_is_not_true_or_false(values):
    row = len(values)
    with pytest.raises(DataError, match=rf"^column 'a': row {row} is '.*'; expected true or false, 1 or 0, as"):
        take_booleans(series(values), A)


def test_a_column_of_nothing_is_missing_values():
    for values in (series([None, None]), series([None, None], pl.Int8), series(["", " "]), series([], pl.String)):
        nothing = [None] * len(values)
        for found in (take_numbers(values, A), take_booleans(values, A), take_categories(values, ("x",))):
            assert found.to_list() == nothing
        assert spell_numbers(values).to_list() == nothing


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (1, "1"),
        (1.0, "1"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (2**60, str(2**60)),
        (2.0**60, str(2**60)),
        (decimal.Decimal("7.00"), "7"),
        (decimal.Decimal("7.50"), "7.5"),
        (" a", " a"),
        (datetime.date(2024, 5, 31), "2024-05-31"),
        (datetime.datetime(2024, 5, 31), "2024-05-31"),
        (datetime.datetime(2024, 5, 31, 6), "2024-05-31 06:00:00"),
    ],
)
def test_values_as_categories(value, text):
    assert spell(value) == text


@given(st.integers(-(2**53), 2**53))
def test_a_whole_number_is_one_category_whatever_it_comes_as(number):
    digits = str(number)
    texts = series([f" {digits}", f"{digits}.0", f"{digits}.", None, "NA"])
    assert spell_numbers(texts).to_list() == [digits] * 3 + [None] * 2
    assert spell_numbers(series([number])).to_list() == [digits]
    assert spell_numbers(series([float(number)])).to_list() == [digits]
    assert take_categories(series([number]), (digits, "x")).to_list() == [digits]
    assert take_categories(series([f"{digits}.0", digits]), (digits, "x")).to_list() == [digits] * 2


def test_numbers_as_categories_in_text():
    spelled = spell_numbers(series(["007", "+7", "7e0", "-0", "2.50", "x", "9007199254740993"]))
    assert spelled.to_list() == ["7", "7", "7", "0", "2.5", "x", "9007199254740993"]
    assert spell_numbers(series(["1.000", "2,50", "x"]), NumberFormat(",", ".")).to_list() == ["1000", "2.5", "x"]


@pytest.mark.parametrize(
    ("values", "categories", "found"),
    [
        (["1.5", "2.0", "2", "2.00", "1.50"], ("1.5", "2.0", "XL"), ["1.5", "2.0", "2.0", "2.0", "1.50"]),
        ([1.5, 2.0], ("1.5", "2.0", "XL"), ["1.5", "2.0"]),
        ([2], ("1.5", "2.0", "XL"), ["2.0"]),
        ([1.5], ("1.50", "XL"), ["1.50"]),
        ([1000.0], ("1e3", "x"), ["1e3"]),
        (["1.10", "1.1", "2", "2.0"], ("1.1", "1.10", "2", "2.0"), ["1.10", "1.1", "2", "2.0"]),
        (["2.00"], ("2", "2.0"), ["2.00"]),
        (["1.1"], ("1.10", "2.0.1"), ["1.1"]),
        (["007", "7", "7.0"], ("007", "A12"), ["007", "7", "7.0"]),
        ([7], ("007", "A12"), ["007"]),
        ([7], ("007", "07"), ["7"]),
        ([7], ("007", "7"), ["7"]),
        ([True, False, None], ("FALSE", "true", "unknown"), ["true", "FALSE", None]),
        (["True", "true"], ("true", "unknown"), ["True", "true"]),
        (["None", "NA", "", " x "], ("NA", "None", "x"), ["None", "NA", None, "x"]),
        ([datetime.date(2024, 5, 31)], ("2024-05-31",), ["2024-05-31"]),
        (["9" * 5000], ("9", "x"), ["9" * 5000]),
    ],
)
def test_categories_of_text(values, categories, found):
    assert take_categories(series(values), categories).to_list() == found
    if isinstance(values[0], str):
        assert take_categories(series(values, pl.Categorical), categories).to_list() == found


def test_measures_are_those_of_numpy():
    numbers = np.array([1.0, 2.0, 4.0, 9.0])
    assert measure_numbers(numbers) == pytest.approx((4, np.std(numbers), 3), rel=1e-15)
    assert measure_numbers(np.full(3, 0.1)) == (0.1, 0.0, 0.1)


def test_what_messages_show():
    assert list_names(list("abcdefghijkl")) == "a, b, c, d, e, f, g, h, i, j and 2 more"
    assert quote("a\nb" + "c" * 40) == "'a\\nb" + "c" * 27 + "'"


@pytest.mark.parametrize(
    ("value", "learned", "said"),
    [
        ("1.200,50", NumberFormat(","), "with a decimal comma (write it so, or train with --thousands .)"),
        ("1,200.50", None, "written plainly, such as 1234.5 (write it so, or train with --thousands ,)"),
        ("1200,50", None, "written plainly, such as 1234.5 (write it so)"),
        ("12.50", NumberFormat(",", "."), "with a decimal comma and points between thousands (write it so)"),
        ("$5", None, "written plainly, such as 1234.5 (write it so)"),
    ],
)
def test_a_number_that_is_written_otherwise_than_in_training_names_the_remedy(value, learned, said):
    with pytest.raises(DataError) as caught:
        take_numbers(pl.Series(["1", value]), "column 'a'", learned)
    assert str(caught.value) == f"column 'a': row 2 is '{value}'; expected a number {said}, as in training"


def test_the_remedy_for_thousands_works(tmp_path):
    lines = [f"{k}0,5{k};{k % 7};{'yes' if k % 2 else 'no'}" for k in range(1, 10)] * 4
    (tmp_path / "t.csv").write_text("a;b;y\n" + "\n".join(lines) + "\n")
    data = load_dataset(tmp_path / "t.csv", target="y", thousands=".")
    assert data.train.X["a"].dtype == pl.Float64
    new = pl.DataFrame({"a": ["1.200,50", "1200,50"], "b": ["1", "1"]})
    encoded = data.schema.input.encode(new)[0]
    assert encoded[0, 0] == encoded[1, 0]
    assert encoded[0, 0] > data.encoded.train.X[:, 0].max()
