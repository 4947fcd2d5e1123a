from dataclasses import asdict

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.data.number_format import MISSING, THOUSANDS, NumberFormat, find_formats, find_missing, make_format
from glassnet.data.read_options import ReadOptions
from glassnet.errors import UsageError

CERTAIN = {
    "plain": (["1234.5", "-3", "+2", ".5", "1e-3"], NumberFormat(), [1234.5, -3, 2, 0.5, 0.001]),
    "decimal comma": (["12,5", "3", "-,25"], NumberFormat(","), [12.5, 3, -0.25]),
    "decimal comma of three digits": (["0,126", "1,299"], NumberFormat(","), [0.126, 1.299]),
    "German": (["1.299,50", "850"], NumberFormat(",", "."), [1299.5, 850]),
    "American": (["1,299.50", "850"], NumberFormat(".", ","), [1299.5, 850]),
    "groups": (["1.234.567", "12"], NumberFormat(",", "."), [1234567, 12]),
    "French": (["1 299,5", "1\u202f000\u202f000"], NumberFormat(",", " "), [1299.5, 1e6]),
    "Swiss": (["1'299.50", "2’000"], NumberFormat(".", "'"), [1299.5, 2000]),
    "dollars": (["$1,299", "$ 850", "-$2", "$-3"], NumberFormat(".", ",", "$"), [1299, 850, -2, -3]),
    "plain dollars": (["$100", "$200.50"], NumberFormat(unit="$"), [100, 200.5]),
    "Canadian": (["CA$5", "CA$6"], NumberFormat(unit="CA$"), [5, 6]),
    "euros": (["1.299 €", "850\u00a0€"], NumberFormat(",", ".", "€"), [1299, 850]),
    "code": (["12,50 EUR", "3 EUR"], NumberFormat(",", "", "EUR"), [12.5, 3]),
    "percent": (["37%", "4 %", "-0.5%"], NumberFormat(unit="%"), [37, 4, -0.5]),
    "minus sign": (["\u22125", "7"], NumberFormat(), [-5, 7]),
}


@pytest.mark.parametrize(("written", "way", "numbers"), CERTAIN.values(), ids=CERTAIN)
def test_the_only_way_of_a_column_is_found_and_read(written, way, numbers):
    column = pl.Series("x", [*written, "n/a", " - ", None])
    assert NumberFormat.find(column) == way
    parsed = way.parse(column)
    assert parsed.name == "x"
    assert parsed.to_list() == [*numbers, None, None, None]
    assert NumberFormat(**asdict(way)) == way


@pytest.mark.parametrize(
    "written",
    [
        ["three", "4"],
        ["3 kg", "4 kg"],
        ["1_000", "2"],
        ["$5", "7"],
        ["$5", "5 €"],
        ["1.2.2024", "2.3.2024"],
        ["192.168.0.1", "10.0.0.1"],
        ["inf", "1"],
        ["1,5", "1.5"],
        ["1,2,3", "1,2"],
        ["007,5", "1,5"],
        ["n/a", None],
        [],
    ],
)
def test_what_reads_in_no_way_has_none(written):
    assert find_formats(pl.Series("x", written, dtype=pl.String)) == ()
    assert NumberFormat.find(pl.Series("x", written, dtype=pl.String)) is None


@pytest.mark.parametrize(("written", "values"), [("1.299", (1.299, 1299)), ("1,299", (1299, 1.299))])
def test_three_digits_behind_one_mark_read_in_two_ways_unless_an_option_tells(written, values):
    column = pl.Series("x", [written, "850"])
    found = find_formats(column)
    assert [one.parse(column)[0] for one in found] == list(values)
    assert [one.decimal for one in found] == [".", ","]
    assert NumberFormat.find(column) is None
    for option, value in (("decimal", "."), ("thousands", ","), ("decimal", ","), ("thousands", ".")):
        one = NumberFormat.find(column, ReadOptions(**{option: value}))
        is_point = (option, value) in (("decimal", "."), ("thousands", ","))
        assert one.parse(column)[0] == values[0 if is_point else 1]


def test_options_that_do_not_fit_a_column_leave_it_to_its_values():
    assert NumberFormat.find(pl.Series(["1.5", "2"]), ReadOptions(decimal=",")) == NumberFormat()
    assert NumberFormat.find(pl.Series(["1_000"]), ReadOptions(thousands="_")) == NumberFormat(".", "_")


def test_money_has_no_three_decimals_but_behind_a_point_with_the_sign_in_front():
    assert NumberFormat.find(pl.Series(["$3.499"])) is None
    assert NumberFormat.find(pl.Series(["3.499 $"])) == NumberFormat(",", ".", "$")
    assert NumberFormat.find(pl.Series(["37,500%"])) is None


def test_a_unit_is_needed_by_every_value():
    assert NumberFormat(unit="%").parse(pl.Series(["37%", "40", "%5", "5%%"])).to_list() == [37, None, 5, None]


def test_groups_are_of_three_digits():
    way = NumberFormat(",", ".")
    texts = ["1.299", "12.99", "1.2999", "0.299", "1299,5", ".299", "1.299.", "1..299"]
    assert way.parse(pl.Series(texts)).to_list() == [1299, None, None, None, 1299.5, None, None, None]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"decimal": "x"}, "decimal: takes the mark before decimals"),
        ({"thousands": "abc"}, "thousands: takes the mark between thousands"),
        ({"decimal": ",", "thousands": ","}, "thousands: ',' is the decimal mark too"),
    ],
)
def test_options_that_can_be_no_marks_are_refused(options, said):
    with pytest.raises(UsageError, match=said):
        make_format(ReadOptions(**options))


def test_one_option_tells_the_other():
    assert make_format(ReadOptions()) is None
    assert make_format(ReadOptions(decimal=",")) == NumberFormat(",", ".")
    assert make_format(ReadOptions(thousands=".")) == NumberFormat(",", ".")
    assert make_format(ReadOptions(thousands="\u00a0")) == NumberFormat(".", " ")
    assert make_format(ReadOptions(decimal=".")) == NumberFormat(".", ",")


@pytest.mark.parametrize(
    "bad", [{"decimal": ";"}, {"thousands": "."}, {"thousands": "x"}, {"unit": "1"}, {"unit": "abcd"}]
)
def test_formats_that_a_file_may_claim_are_checked(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        NumberFormat(**bad)


def test_missing_values_of_numbers():
    texts = [*MISSING, "NA", "None", " nan ", "", " ", None, "0", "x", "--"]
    assert find_missing(pl.Series(texts)).to_list() == [True] * (len(MISSING) + 6) + [False] * 3


FORMATS = st.builds(
    lambda decimal, thousands, unit: NumberFormat(decimal, "" if thousands == decimal else thousands, unit),
    st.sampled_from([".", ","]),
    st.sampled_from(["", *THOUSANDS]),
    st.sampled_from(["", "%", "$", "€", "EUR"]),
)


@given(numbers=st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1), way=FORMATS)
def test_what_is_written_in_a_format_is_read_back_row_by_row(numbers, way):
    texts = [
        f"{one:,.2f}".replace(",", "T").replace(".", way.decimal).replace("T", way.thousands) + way.unit
        for one in numbers
    ]
    assert way.parse(pl.Series(texts)).to_list() == [float(one) for one in numbers]
    assert [way.parse(pl.Series([text]))[0] for text in texts] == [float(one) for one in numbers]
