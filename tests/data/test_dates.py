import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.data.dates import has_short_years, list_texts, looks_like_dates, parse_date, read_days, settle_order
from glassnet.errors import DataError

HOUR = 3_600_000_000
DAY = 24 * HOUR
MAY = 19_874 * DAY  # 2024-05-31


def days_of(values, order=None):
    return read_days(pl.Series("a", values), order, "column 'a'").to_list()


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("1970-01-01", None, 0),
        ("1969-12-31", None, -DAY),
        ("2024-05-31", None, MAY),
        ("2024-5-31", "month", MAY),
        ("2024/05/31", None, MAY),
        ("2024.05.31", None, MAY),
        ("20240531", None, MAY),
        ("2024-05", None, MAY - 30 * DAY),
        ("31.05.2024", None, MAY),
        ("31.5.24", "month", MAY),
        ("31/05/2024", "day", MAY),
        ("31-05-2024", "day", MAY),
        ("5/31/2024", "month", MAY),
        ("05/31/24", "month", MAY),
        ("24/05/31", "year", MAY),
        ("31 May 2024", None, MAY),
        ("31-MAY-24", None, MAY),
        ("May 31, 2024", None, MAY),
        ("1 sept. 1970", None, 243 * DAY),
        ("01/02/68", "day", 35_825 * DAY),
        ("01/02/69", "day", -334 * DAY),
        ("2024-05-31T06:30", None, MAY + 6.5 * HOUR),
        ("2024-05-31 06:30:15.25", None, MAY + 6.5 * HOUR + 15_250_000),
        ("31/05/2024 12:05 AM", "day", MAY + HOUR // 12),
        ("31/05/2024 1:05 pm", "day", MAY + 13 * HOUR + HOUR // 12),
        ("2024-05-31T06:30:00Z", None, MAY + 6.5 * HOUR),
        ("2024-05-31T06:30:00+02:00", None, MAY + 4.5 * HOUR),
        ("2024-05-31 06:30-0530", None, MAY + 12 * HOUR),
    ],
)
def test_known_dates(text, order, moment):
    assert parse_date(text, order) == moment
    assert days_of([f" {text} ", None, "n/a", "NaT", ""], order) == [moment / DAY, None, None, None, None]


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("31/05/2024", None),
        ("31/05/2024", "month"),
        ("05/31/2024", "day"),
        ("24/05/2031", "year"),
        ("2024-02-30", None),
        ("2024-13-01", None),
        ("0000-01-01", None),
        ("2024-05/31", None),
        ("31 Mayor 2024", None),
        ("2024-05-31 25:00", None),
        ("2024-05-31 13:00 pm", None),
        ("2024-05-31 10:61", None),
        ("2024-05-31 10:00+25:00", None),
        ("2024", None),
        ("12.5", None),
        ("word", None),
        ("２０２４-05-31", None),
        ("2024-05-31" + 100_000 * " " + "x", None),
    ],
)
def test_what_is_no_date(text, order):
    assert parse_date(text, order) is None
    with pytest.raises(DataError, match=r"^column 'a': row 2 is ") as caught:
        days_of(["2024-05-31", text], order)
    assert str(caught.value).endswith("2024-05-31")
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["2024-05-31", "31.05.2024", "31 May 2024"], None),
        (["03/04/2024", "31/05/2024"], "day"),
        (["03/04/2024", "05/31/2024"], "month"),
        (["5/31/24"], "month"),
        (["24/05/31", "24/05/30"], None),
        (["99/05/31"], "year"),
        (["31/05/99"], "day"),
        (["03/04/2024", "04/04/2024"], None),
    ],
)
def test_a_whole_column_settles_the_order(texts, order):
    slashes = any("/" in text for text in texts)
    if order is None and slashes:
        with pytest.raises(
            DataError, match=r"^column 'a': no value tells whether day or (month|year) comes first"
        ):
            settle_order(texts, "column 'a'")
    else:
        assert settle_order(texts, "column 'a'") == order
        assert None not in days_of(texts, order)


def test_orders_that_contradict_each_other():
    with pytest.raises(DataError, match=r"'05/31/2024' after '31/05/2024' is no date in any one order"):
        settle_order(["31/05/2024", "05/31/2024"], "column 'a'")
    with pytest.raises(DataError, match=r"column 'a': '31/31/2024' is no date in any one order"):
        settle_order(["31/31/2024"], "column 'a'")
    with pytest.raises(DataError, match=r"column 'a': 'word' is no date such as 2024-05-31"):
        settle_order(["2024-05-31", "word"], "column 'a'")


def test_what_looks_like_dates():
    assert looks_like_dates(["2024-05-31", "31.5.2024", "5/31/24 10:00", "3 May 1999"])
    for texts in ([], ["2024-05-31", "x"], ["20240531"], ["2024-05"], ["12.5"], ["1-2"]):
        assert not looks_like_dates(texts)
    assert has_short_years(["2024-05-31", "31.5.24"])
    assert has_short_years(["3 May 99"])
    assert not has_short_years(["2024-05-31", "31.5.2024"])
    assert list_texts(pl.Series(["b", " a ", "", None, "NA", "b", "nat"])) == ["b", "a"]


MOMENTS = st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31))


@given(st.lists(MOMENTS | st.none(), min_size=1))
def test_text_is_the_same_number_as_a_date_of_any_type(moments):
    as_text = [moment and moment.isoformat() for moment in moments]
    expected = [
        moment and (moment - datetime.datetime(1970, 1, 1)) / datetime.timedelta(days=1) for moment in moments
    ]
    days = days_of(as_text)
    assert days == days_of(pl.Series(moments, dtype=pl.Datetime("us")))
    assert [day for day in days if day is not None] == pytest.approx([day for day in expected if day is not None])
    dates = [moment and moment.date() for moment in moments]
    whole = days_of(pl.Series(dates, dtype=pl.Date))
    assert whole == days_of([date and date.isoformat() for date in dates])
    assert whole == [None if day is None else float(np.floor(day)) for day in days]
    assert whole == days_of([date and f"{date.day}/{date.month}/{date.year:04}" for date in dates], "day")
    assert whole == days_of([date and f"{date.month:02}-{date.day:02}-{date.year:04}" for date in dates], "month")


def test_other_types():
    hours = datetime.timedelta(hours=36)
    assert days_of([hours, -hours, None]) == [1.5, -1.5, None]
    assert days_of([datetime.time(6), None]) == [0.25, None]
    moment = datetime.datetime(2024, 5, 31, 6)
    for unit in ("ms", "us", "ns"):
        assert days_of(pl.Series([moment], dtype=pl.Datetime(unit))) == [19_874.25]
    assert days_of(pl.Series([moment], dtype=pl.Datetime("us")).dt.replace_time_zone("Asia/Tokyo")) == [19_873.875]
    assert days_of([20240531, None]) == days_of([20240531.0, None]) == [19_874, None]
    assert days_of(pl.Series(["2024-05-31"], dtype=pl.Categorical)) == [19_874]
    assert days_of([None, None]) == [None, None]
    with pytest.raises(DataError, match="column 'a': row 1 is '2024', no date such as 2024-05-31"):
        days_of([2024])
    with pytest.raises(DataError, match="column 'a': expected dates, such as 2024-05-31, got Boolean"):
        days_of([True])
