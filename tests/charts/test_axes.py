import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.loops import for_each

from glassnet.charts.axes import (
    format_flops,
    format_number,
    log_ticks,
    percent_form,
    step_ticks,
    tick_texts,
    ticks,
)
from glassnet.locales.catalogue import Words

numbers = st.floats(-1e6, 1e6, allow_nan=False)


@given(numbers, st.floats(1e-6, 1e6), st.integers(2, 9))
def test_marks_lie_in_range_are_round_and_not_too_many(low, width, most):
    high = low + width
    found = ticks(low, high, most)
    assert len(found) <= most
    assert all(low - 1e-8 * (abs(low) + width) <= mark <= high + 1e-8 * (abs(high) + width) for mark in found)
    steps = {round(b - a, 9) for a, b in pairwise(found)}
    assert len(found) >= 1 or most == 2
    if len(steps) == 1 and (step := steps.pop()) > 1e-5:
        assert round(step / 10.0 ** math.floor(math.log10(step * 1.0000001)), 3) in (1, 2, 5)


def test_marks_of_a_range_by_hand():
    assert ticks(0.0, 1.0) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]  # without the dust of 3 x 0.2
    assert ticks(1, 10, 5) == [2.0, 4.0, 6.0, 8.0, 10.0]


def test_a_range_of_nothing_has_one_mark():
    assert ticks(3.0, 3.0) == [3.0]


def test_logarithmic_marks_are_powers_of_ten_and_finer_where_there_are_few():
    assert log_ticks(1e-3, 1e3) == [pytest.approx(10.0**p) for p in range(-3, 4)]
    assert log_ticks(0.3, 4) == [0.5, 1.0, 2.0]
    assert len(log_ticks(1e-12, 1e12)) <= 8


@for_each(
    "value, form, text",
    [
        (0.88434, "percent", "88.43 %"),
        (1.0, "percent", "100.00 %"),
        (0.95, "close percent", "95.00%"),
        (0.3, "number", "0.3"),
        (123456.7, "number", "123,457"),
        (1.5e9, "number", "1.5e+09"),
        (math.nan, "number", "–"),
        (math.inf, "percent", "–"),
    ],
)
def test_numbers_are_written_for_people(value, form, text):
    assert format_number(value, form) == text


def test_marks_of_an_axis_have_equally_many_digits():
    assert tick_texts([0.0, 0.25, 0.5]) == ["0.00", "0.25", "0.50"]
    assert tick_texts([0.6, 0.8, 1.0], "percent") == ["60 %", "80 %", "100 %"]
    assert tick_texts([0.6, 0.8, 1.0], "close percent") == ["60%", "80%", "100%"]
    assert tick_texts([1e-6, 1e-3]) == ["1e-6", "0.001"]
    assert tick_texts([1.0, 1e4, 99_999.0, 1e5, -2e15]) == ["1", "10,000", "99,999", "1e5", "-2e15"]
    assert tick_texts([0.0001, 1000.0, 1e6]) == ["0.0001", "1000", "1e6"]
    assert tick_texts([]) == []


def test_marks_of_steps_are_none_and_powers_of_ten_up_to_the_last_step():
    assert step_ticks(999) == [0.0, 1.0, 10.0, 100.0]
    assert step_ticks(1000) == [0.0, 1.0, 10.0, 100.0, 1000.0]
    assert step_ticks(0) == [0.0]
    assert step_ticks(1e9) == [0.0, 1.0, 100.0, 1e4, 1e6, 1e8]


def test_in_chinese_the_sign_of_a_share_stands_close_to_the_number():
    shares = [format_number(0.95, percent_form(Words(language))) for language in ("en", "zh")]
    assert shares == ["95.00 %", "95.00%"]


def test_a_short_logarithmic_axis_has_marks_enough():
    assert log_ticks(0.31, 0.95) == [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert log_ticks(0.1, 0.6) == [0.1, 0.2, 0.5]


@for_each(
    "value, text",
    [(0.0, "0 FLOP"), (950.0, "950 FLOP"), (999.6, "1 kFLOP"), (1.64e10, "16.4 GFLOP"), (2.5e18, "2500 PFLOP")],
)
def test_operations_are_counted_as_people_say_them(value, text):
    assert format_flops(value) == text


def test_different_marks_are_written_differently():
    assert tick_texts([1e9, 1e9 + 500.0, 1e9 + 1000.0]) == ["1000000000", "1000000500", "1000001000"]
    assert tick_texts([3.0, 3.0000000001]) == ["3", "3.0000000001"]
    assert tick_texts([2.0, 2.0]) == ["2", "2"]
