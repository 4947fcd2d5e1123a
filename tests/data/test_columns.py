import csv
import datetime
import hashlib
import io
import json

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from glassnet.data.column_kinds import BooleanColumn, CategoryColumn, DateColumn, NumericColumn
from glassnet.data.columns import TableSchema
from glassnet.data.number_format import NumberFormat
from glassnet.data.read_options import ReadOptions
from glassnet.errors import DataError, UsageError

FRAME = pl.DataFrame(
    {
        "age": [20, 30, 40, 30],
        "colour": ["red", "blue", "red", "blue"],
        "member": [True, False, True, True],
    }
)


def learn(frame, **options):
    """Return the schema and the remarks; the options are those of reading."""
    return TableSchema.learn(frame, ReadOptions(**options))


def one_line(call, *arguments, error=DataError, **options):
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    message = str(caught.value)
    assert message.isprintable()
    return message


def as_text(frame):
    """Return a table as its CSV text has it: text, null for an empty cell."""
    rows = list(csv.reader(io.StringIO(frame.write_csv())))
    cells = [[cell.strip() or None for cell in row] for row in rows[1:]]
    return pl.DataFrame(cells, schema=dict.fromkeys(rows[0], pl.String), orient="row")


def test_known_values():
    schema, remarks = learn(FRAME)
    assert remarks == ()
    X, remarks = schema.encode(FRAME)
    assert remarks == ()
    assert schema.feature_names == ("age", "colour=blue", "colour=red", "member")
    assert X.dtype == np.float32
    z = np.float32(10 / np.sqrt(50))
    np.testing.assert_allclose(X, [[-z, 0, 1, 1], [0, 1, 0, 0], [z, 0, 1, 1], [0, 1, 0, 1]], rtol=1e-6)


def test_numbers_without_gaps_keep_their_bits():
    rng = np.random.default_rng(17)
    frame = pl.DataFrame(
        {
            "a": rng.normal(50, 12, 200),
            "b": rng.integers(-9, 1000, 200),
            "c": rng.choice(["x", "yy", "Z"], 200),
            "d": rng.random(200) < 0.3,
            "e": rng.gamma(2.0, 1e-9, 200),
        }
    )
    X, _ = learn(frame)[0].encode(frame)
    a, column = frame["a"].to_numpy(), learn(frame)[0].columns[0]
    np.testing.assert_array_equal(X[:, 0], ((a - column.mean) / column.std).astype(np.float32))
    assert hashlib.md5(X.tobytes()).hexdigest() == "564898fcb390bb88577264c40edd11c6"  # those of version 0.1.0


MISSING = pl.DataFrame(
    {
        "age": [1.0, None, 4.0, 2.0, float("nan")],
        "word": ["b", "a", None, "b", " a "],
        "ok": [True, None, None, False, None],
        "full": [1, 2, 3, 2, 2],
    }
)


def test_missing_values_are_filled_with_what_is_typical_of_training():
    schema, (_, *remarks) = learn(MISSING)
    assert [column.fill for column in schema.columns] == [2.0, "a", False, 2.0]
    assert remarks == [
        "missing values filled with the median of the training rows: age (2); "
        "with the most frequent value of the same: word (1), ok (3); "
        "0 or 1 for where they are missing: age missing, word missing, ok missing"
    ]
    assert schema.feature_names == (
        *("age", "age missing", "word=a", "word=b", "word missing", "ok", "ok missing", "full"),
    )
    X, said = schema.encode(MISSING)
    assert said == (remarks[0].rsplit(";", 1)[0],)
    z = np.std([1, 4, 2])
    np.testing.assert_allclose(X[:, 0] * z + 7 / 3, [1, 2, 4, 2, 2], rtol=1e-6)
    assert X[:, 1:7].tolist() == [
        [0, 0, 1, 0, 1, 0],
        [1, 1, 0, 0, 0, 1],
        [0, 1, 0, 1, 0, 1],
        [0, 0, 1, 0, 0, 0],
        [1, 1, 0, 0, 0, 1],
    ]
    nothing = pl.DataFrame({name: [None, None] for name in MISSING.columns})
    X, said = schema.encode(nothing)
    np.testing.assert_array_equal(X[0, 1:7], [1, 1, 0, 1, 0, 1])
    assert len(said) == 1
    assert "age (2), full (2)" in said[0]


def test_a_gap_where_training_had_none_is_filled_and_said():
    schema, _ = learn(FRAME)
    X, remarks = schema.encode(FRAME.head(2).with_columns(age=pl.lit(None), colour=pl.Series(["", "red"])))
    assert X.tolist() == [[0, 1, 0, 1], [0, 0, 1, 0]]
    assert remarks == (
        "missing values filled with the median of the training rows: age (2); "
        "with the most frequent value of the same: colour (1)",
    )


def test_of_many_columns_that_do_not_fit_five_are_named():
    schema, _ = learn(pl.DataFrame({f"c{number}": [0.5, 1.5, 4.5] for number in range(7)}))
    message = one_line(schema.encode, pl.DataFrame({f"c{number}": ["1", "x", "2"] for number in range(7)}))
    assert [f"'c{number}'" in message for number in range(7)] == [True] * 5 + [False] * 2
    assert message.endswith(" and 2 more")


def test_a_missing_truth_is_filled_with_the_one_that_is_more_frequent():
    for truths, fill in (([True, True, False], True), ([True, False, False], False), ([True, False], False)):
        frame = pl.DataFrame({"paid": [*truths, None] * 20, "x": range(20 * len(truths) + 20)})
        schema, _ = learn(frame)
        assert schema.columns[0].fill is fill
        assert schema.encode(frame)[0][len(truths), :2].tolist() == [float(fill), 1.0]


@pytest.mark.parametrize(("missing", "indicator"), [(0, False), (4, False), (5, True)])
def test_a_column_tells_where_values_are_missing_if_at_least_a_twentieth_is(missing, indicator):
    frame = pl.DataFrame({"age": [None] * missing + [a / 2 for a in range(100 - missing)]})
    schema, remarks = learn(frame)
    assert schema.feature_names == ("age", *["age missing"] * indicator)
    assert any("for where they are missing: age missing" in remark for remark in remarks) == indicator
    X, _ = schema.encode(frame)
    if indicator:
        assert X[:, 1].tolist() == [1] * missing + [0] * (100 - missing)


def test_missing_values_are_refused_all_at_once_if_asked():
    message = one_line(learn, MISSING, impute="error")
    assert message == (
        "missing values in columns 'age' (2, first in row 2), 'word' (1, first in row 3), "
        "'ok' (3, first in row 2); fill them, or leave out --impute error"
    )
    schema, _ = learn(FRAME, impute="error")
    assert [column.fill for column in schema.columns] == [None] * 3
    gaps = FRAME.with_columns(age=pl.Series([1, None, 2, 3]))
    assert one_line(schema.encode, gaps).startswith("missing values in column 'age' (1, first in row 2); training")
    assert "takes error or median, got 'mean'" in one_line(learn, FRAME, impute="mean", error=UsageError)
    frame = FRAME.with_columns(age=pl.Series([1, 2, 3, None]))
    message = one_line(TableSchema.learn, frame.head(2), ReadOptions(impute="error"), {}, frame)
    assert "first in row 4" in message


def test_numbers_very_far_from_those_of_training_are_said():
    schema, _ = TableSchema.learn(
        pl.DataFrame({"age": [20.0, 30.0], "word": ["a", "b"]})
    )  # 25, and a deviation of 5
    assert schema.encode(pl.DataFrame({"age": [525.0, -475.0], "word": ["a", "b"]}))[1] == ()
    X, remarks = schema.encode(pl.DataFrame({"age": [25.0, 526.0, -999.0], "word": ["a", "b", "a"]}))
    assert X[:, 0].tolist() == pytest.approx([0, 100.2, -204.8])
    assert remarks == (
        "column 'age': 2 values more than 100 standard deviations from the mean of training, 25 (first 526 in "
        "row 2); are they in the same units?",
    )


def test_all_rows_tell_what_encoding_them_would():
    frame = FRAME.with_columns(age=pl.Series([20, 30, None, 40]), colour=pl.Series(["red", "red", "green", None]))
    schema, remarks = TableSchema.learn(frame.head(2), all_rows=frame)
    assert schema.columns[0].mean == 25
    assert remarks[-2:] == schema.encode(frame)[1]
    assert remarks[-1] == "column 'colour': 1 value unseen in training (first 'green' in row 3), all zeros"
    wide = frame.with_columns(age=pl.Series([1.0, 2.0, 3.0, float("inf")]))
    for train in (wide.head(2), wide.tail(2)):
        message = one_line(TableSchema.learn, train, all_rows=wide)
        assert message == "column 'age': row 4 is infinite; expected a finite number"
    days = frame.with_columns(age=pl.Series(["2024-05-31", "2024-06-01", None, "20240631"]))
    message = one_line(TableSchema.learn, days.tail(1), ReadOptions(dates=("age",)), all_rows=days)
    assert "'20240631' is no date such as 2024-05-31" in message
    days = frame.with_columns(age=pl.Series([20240531, 20240601, None, 20240631]))
    message = one_line(TableSchema.learn, days.tail(2), ReadOptions(dates=("age",)), all_rows=days)
    assert message == "column 'age': row 4 is '20240631', no date such as 2024-05-31"


def test_columns_are_taken_by_name():
    schema, _ = learn(FRAME, drop=("member",))
    X, _ = schema.encode(FRAME)
    other, remarks = schema.encode(FRAME.select("member", "colour", "age").with_columns(extra=pl.lit([1])))
    np.testing.assert_array_equal(X, other)
    assert remarks == ("left out, as training did not have them: extra",)
    assert schema.encode(FRAME.drop("member"))[1] == ()
    message = one_line(schema.encode, FRAME.rename({"colour": "color"}))
    assert message == "table: no column 'colour', which training had; did you mean 'color'?"
    message = one_line(schema.encode, FRAME.select("member"))
    assert message == "table: no columns age, colour, which training had; there are: member"


def test_options_choose_the_columns():
    assert [column.name for column in learn(FRAME, drop=("age",))[0].columns] == ["colour", "member"]
    schema, remarks = learn(FRAME, columns=("member", "age", "y"), target="y")
    assert [column.name for column in schema.columns] == ["age", "member"]
    assert schema.left_out == ("colour",)
    assert remarks == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drop": ("Age",)}, "drop: no column 'Age'; did you mean 'age'?"),
        ({"columns": ("age", "x")}, "columns: no column 'x'; there are: age, colour, member"),
        ({"categorical": ("ages", "x")}, "categorical: no column 'ages'; did you mean 'age'? No column either: x"),
        ({"dates": ("y",), "target": "y"}, "dates: 'y' is the target, which is no column to learn from"),
        ({"columns": ("age",), "drop": ("age",)}, "drop: 'age' is in columns too; name it once"),
        ({"categorical": ("age",), "dates": ("age",)}, "dates: 'age' is in categorical too; name it once"),
    ],
)
def test_options_that_name_no_column(options, message):
    assert one_line(learn, FRAME, error=UsageError, **options) == message


def test_columns_that_cannot_be_used_are_left_out_with_one_remark():
    n = 404
    frame = pl.DataFrame(
        {
            "name": [f"n{i}" for i in range(n)],
            "many": [f"w{i % 101}" for i in range(n)],
            "half": ["a"] * (n // 2 - 1) + [f"h{i}" for i in range(n // 2 + 1)],
            "gaps": [f"w{i % 30}" for i in range(59)] + [None] * (n - 59),
            "hundred": [f"w{i % 100}" for i in range(n)],
            "day": ["2024-05-31", "1.6.2024"] * (n // 2),
            "typed day": [datetime.date(2024, 5, 31), None] * (n // 2),
            "long": [datetime.timedelta(1)] * n,
            "nothing": [None] * n,
            "blanks": ["", " "] * (n // 2),
            "NaN": [float("nan")] * n,
            "list": [[1]] * n,
            "x": np.arange(n) / 7,
        },
        strict=False,
    )
    schema, remarks = learn(frame)
    assert [column.name for column in schema.columns] == ["hundred", "x"]
    assert schema.left_out == tuple(name for name in frame.columns if name not in ("hundred", "x"))
    assert remarks == (
        "columns left out: name, many, half, gaps (text with more than 100 distinct values, or more than half of "
        "them distinct); day, typed day, long (dates, which --dates makes numbers of); nothing, blanks, NaN "
        "(no values); list (no numbers, text, dates, or true and false)",
    )
    message = one_line(learn, frame, columns=("day", "name"))
    assert message.startswith("table: no column is left to learn from: name (text with")
    assert "day (dates, which --dates makes numbers of)" in message
    assert "the options leave all of them out" in one_line(learn, FRAME, drop=tuple(FRAME.columns))
    assert "no rows" in one_line(learn, FRAME.clear())
    assert "no columns beside the target" in one_line(learn, FRAME.select())


def test_what_looks_odd_is_said_once_for_all_columns():
    frame = pl.DataFrame(
        {"id": [3, 1, 2, 4], "one": [5.0] * 4, "same": ["x"] * 4, "true": [True] * 4, "row": [1.0, 2.0, 3.0, 4.0]}
    )
    schema, remarks = learn(frame)
    assert remarks == (
        "one value only in the training rows, which tells nothing: one, same, true",
        "whole numbers, all distinct; leave a column out (--drop) if it only names the rows: id, row",
    )
    assert schema.columns[1].std == 1
    assert schema.encode(frame)[0][:, 1].tolist() == [0] * 4
    gaps = frame.select("one", "same", "true").with_columns(pl.all().shift(1))  # where they are missing may tell
    schema, remarks = learn(gaps)
    assert schema.feature_names == ("one", "one missing", "same=x", "same missing", "true", "true missing")
    assert len(remarks) == 1


def test_unseen_categories_are_all_zeros_and_counted():
    schema, _ = learn(FRAME)
    X, remarks = schema.encode(FRAME.with_columns(colour=pl.Series(["red", "green", "pink", "blue"])))
    assert X[:, 1:3].tolist() == [[0, 1], [0, 0], [0, 0], [1, 0]]
    assert remarks == ("column 'colour': 2 values unseen in training (first 'green' in row 2), all zeros",)


@pytest.mark.parametrize(
    "values", [[2, 1, None], [2.0, 1.0, float("nan")], ["2", "1.0", "NA"], ["2.", "+1", ""], ["2e0", "01", None]]
)
def test_numbers_as_categories(values):
    schema, remarks = learn(pl.DataFrame({"a": [1, 2, 10, 2] * 5}), categorical=("a",))
    assert remarks == ()
    assert schema.feature_names == ("a=1", "a=10", "a=2")
    X, remarks = schema.encode(pl.DataFrame({"a": values}))
    assert X.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1]]
    assert remarks == ("missing values filled with the most frequent value of the training rows: a (1)",)
    assert schema == learn(pl.DataFrame({"a": [1.0, 2.0, 10.0, 2.0] * 5}), categorical=("a",))[0]


def test_named_categories_may_be_rare_but_have_a_bound():
    frame = pl.DataFrame({"a": [f"w{i}" for i in range(1001)], "b": [True, *[False] * 1000], "c": range(1001)})
    for name in ("a", "c"):
        message = one_line(learn, frame, categorical=(name,), error=UsageError)
        assert message == f"categorical: column '{name}' has 1,001 distinct values, of at most 1,000"
    schema, _ = learn(frame.head(1000), categorical=("a", "b", "c"))
    assert [column.kind for column in schema.columns] == ["category", "boolean", "category"]
    day = datetime.date(2024, 5, 31)
    schema, _ = learn(pl.DataFrame({"d": [day, day, None]}), categorical=("d",))
    assert schema.feature_names == ("d=2024-05-31", "d missing")
    for other in ([day], ["2024-05-31"], [datetime.datetime(2024, 5, 31)]):
        assert schema.encode(pl.DataFrame({"d": other}))[0].tolist() == [[1, 0]]


TYPES = pl.DataFrame(
    {
        "alley": ["None", "Gravel", "NA", "None"] * 3,
        "smoker": ["true", "false", "unknown", "true"] * 3,
        "size": ["1.5", "2.0", "XL", "1.5"] * 3,
        "code": ["007", "A12", "B9", "007"] * 3,
    }
)


def test_types_come_from_training_and_not_from_the_rows_at_hand():
    schema, _ = learn(TYPES)
    X, _ = schema.encode(TYPES)
    alone = TYPES.filter(pl.col("code") == "007")
    for frame in (
        alone.head(1),
        alone.head(1).with_columns(smoker=pl.lit(True)),
        alone.head(1).with_columns(size=pl.lit(1.5)),
        alone.head(1).with_columns(pl.all().cast(pl.Categorical)),
    ):
        encoded, remarks = schema.encode(frame)
        np.testing.assert_array_equal(encoded, X[:1])
        assert remarks == ()
    assert schema.encode(TYPES[1:2].with_columns(size=pl.lit(2), smoker=pl.lit(False)))[1] == ()
    numbers, _ = learn(pl.DataFrame({"on": [0, 1, 1, 0], "x": [1, 2, 3, 2], "truth": [True, False] * 2}))
    X, _ = numbers.encode(pl.DataFrame({"on": [0, 1], "x": [1, 2], "truth": [True, False]}))
    for other in (
        {"on": [False, True], "x": ["1", "2.0"], "truth": [1, 0]},
        {"on": ["FALSE", "1.0"], "x": [1.0, 2.0], "truth": ["TRUE", "0"]},
    ):
        np.testing.assert_array_equal(numbers.encode(pl.DataFrame(other))[0], X)
    message = one_line(numbers.encode, pl.DataFrame({"on": ["x"], "x": [True], "truth": [2]}))
    assert message == (
        "column 'on': row 1 is 'x'; expected a number, as in training; "
        "column 'x': row 1 is 'true'; expected a number, as in training; "
        "column 'truth': row 1 is '2'; expected true or false, 1 or 0, as in training"
    )
    message = one_line(schema.encode, TYPES.with_columns(size=pl.lit([1])))
    assert message == "column 'size': expected text, as in training, got List(Int64)"


def test_numbers_are_read_by_the_format_of_their_column():
    frame = pl.DataFrame({"price": [1299.5, 3.0, 850.25], "rate": [5.0, 10.0, 5.0], "class": [1000.0, 2.5, 2.5]})
    formats = {"price": NumberFormat(",", "."), "rate": NumberFormat(unit="%"), "class": NumberFormat(",", ".")}
    schema, _ = TableSchema.learn(frame, ReadOptions(categorical=("class",)), formats)
    text = pl.DataFrame(
        {"price": ["1.299,50", "3", "850,25"], "rate": ["5%", "10 %", "5.0%"], "class": ["1.000", "2,50", "2,5"]}
    )
    X, _ = schema.encode(text)
    np.testing.assert_array_equal(X, schema.encode(frame)[0])
    assert TableSchema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema
    message = one_line(schema.encode, text.with_columns(price=pl.lit("1,299.50")))
    assert message.startswith("column 'price': row 1 is '1,299.50'; expected a number")


def test_dates_become_days():
    frame = pl.DataFrame(
        {
            "typed": [datetime.datetime(1970, 1, 1, 12), datetime.datetime(1970, 1, 4, 12)] * 2,
            "text": ["03/04/70", "31/05/70", None, "31/05/70"],
            "iso": ["2024-05-31", "2024-06-01", "2024-06-02", "2024-06-01"],
        }
    )
    schema, remarks = learn(frame, dates=("typed", "text", "iso"))
    assert remarks[:2] == (
        "dates become days since 1970-01-01: typed, text, iso",
        "years of two digits are those from 1969 to 2068: text",
    )
    typed, text, iso = schema.columns
    assert (typed.mean, typed.std, typed.order) == (2.0, 1.5, None)
    assert (text.order, text.fill, text.indicator) == ("day", 150.0, True)
    assert schema.feature_names == ("typed", "text", "text missing", "iso")
    X, _ = schema.encode(frame)
    assert X[:, 0].tolist() == [-1, 1, -1, 1]
    assert X[:, 2].tolist() == [0, 0, 1, 0]
    other = pl.DataFrame(
        {
            "typed": ["1970-01-01 12:00", "4 Jan 1970 12:00 PM"] * 2,
            "text": pl.Series([92, 150, None, 150]).cast(pl.Date),
            "iso": pl.Series(["20240531", "31.05.2024", "2 Jun 2024", "2024/06/01"]),
        }
    )
    encoded, _ = schema.encode(other.with_columns(iso=frame["iso"].str.to_date()))
    np.testing.assert_array_equal(encoded, X)
    np.testing.assert_array_equal(schema.encode(other)[0][[0, 2, 3]], X[[0, 2, 3]])
    message = one_line(schema.encode, other.with_columns(text=pl.lit("5/31/70"), iso=pl.lit("31/05/2024")))
    assert "column 'text': row 1 is '5/31/70', no date with the day first, as in training" in message
    assert "column 'iso': row 1 is '31/05/2024', a date of which training did not tell" in message
    assert iso.std == pytest.approx(np.sqrt(0.5))


def test_the_whole_table_settles_how_dates_are_written():
    frame = pl.DataFrame({"when": ["03/04/2024", "05/04/2024", "31/05/2024"], "x": [1, 2, 3]})
    schema, _ = TableSchema.learn(frame.head(2), ReadOptions(dates=("when",)), all_rows=frame)
    assert schema.columns[0].order == "day"
    assert schema.columns[0].mean == 19_816 + 1
    message = one_line(learn, frame.head(2), dates=("when",))
    assert message == (
        "column 'when': no value tells whether day or month comes first, as in '05/04/2024'; write 2024-05-31"
    )
    message = one_line(learn, frame, dates=("when", "x"))
    assert message == "column 'x': row 1 is '1', no date such as 2024-05-31"
    gone = pl.DataFrame({"when": [None, "NA"], "x": [1, 2]})
    assert "no dates in the training rows" in one_line(learn, gone, dates=("when",))


def test_numbers_of_any_size_are_scaled():
    for size in (1e-300, 1e-5, 1e300):
        frame = pl.DataFrame({"a": [-size, size / 2, size]})
        X, _ = learn(frame)[0].encode(frame)
        expected = np.array([-1, 0.5, 1])
        np.testing.assert_allclose(X[:, 0], (expected - expected.mean()) / expected.std(), rtol=1e-6)
    message = one_line(learn(FRAME)[0].encode, FRAME.with_columns(age=pl.lit(1e300)))
    assert message == "column 'age': row 1 is 1e+300, too large beside the training rows"


SCHEMA = {"size": pl.Float64, "count": pl.Int64, "colour": pl.String, "ok": pl.Boolean, "code": pl.Int64}
ROWS = st.lists(
    st.tuples(
        st.floats(-1e6, 1e6) | st.none(),
        st.none() | st.integers(-1000, 1000),
        st.sampled_from(["red", 'a "quoted", one', "é;\t|", "x\ny", "None", "NA", "1.50", "2", None]),
        st.booleans() | st.none(),
        st.integers(1, 3) | st.none(),
    ),
    min_size=10,
    max_size=30,
)


def make_table(rows):
    """Return a drawn table with dates too."""
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    days = (pl.col("count") + 19_000).cast(pl.Int32).cast(pl.Date)
    return frame.with_columns(when=days.dt.strftime("%d/%m/%Y"), day=days)


TABLES = ROWS.map(make_table)
OPTIONS = {"categorical": ("code",), "dates": ("day",), "drop": ("when",)}


def learn_drawn(frame, **options):
    try:
        return learn(frame, **{**OPTIONS, **options})[0]
    except DataError:  # no column is left
        assume(False)


@settings(max_examples=25)
@given(TABLES, st.data())
def test_a_row_is_the_same_alone_and_among_others(frame, data):
    schema = learn_drawn(frame)
    X, _ = schema.encode(frame)
    chosen = data.draw(st.lists(st.integers(0, frame.height - 1), min_size=1))
    names = data.draw(st.permutations(frame.columns))
    part = frame[chosen].select(names).with_columns(other=pl.lit([None]))
    assert schema.encode(part)[0].tobytes() == X[chosen].tobytes()
    texts = as_text(frame)
    assert schema.encode(texts)[0].tobytes() == X.tobytes()
    assert schema.encode(texts[chosen].select(names))[0].tobytes() == X[chosen].tobytes()


def change_types(frame):
    """Yield the same values in other types."""
    numbers = ("count", "code")
    yield frame.with_columns(pl.col(*numbers).cast(pl.Float64))
    yield frame.with_columns(pl.col(*numbers).cast(pl.Float64).fill_null(float("nan")))
    yield frame.with_columns(pl.col(*numbers).cast(pl.Float64).cast(pl.String))
    yield frame.with_columns(pl.col(*numbers, "size").cast(pl.String), pl.col("ok").cast(pl.Int8))
    yield frame.with_columns(pl.col("count").cast(pl.Int16), pl.col("code").cast(pl.Decimal(9, 2)))
    yield frame.with_columns(pl.col("ok").cast(pl.Float32).cast(pl.String), pl.col("colour").cast(pl.Categorical))
    yield frame.with_columns(pl.col("day").cast(pl.Datetime("ns")), pl.col("code").cast(pl.String))
    yield frame.with_columns(pl.col("day").cast(pl.String), pl.col("ok").cast(pl.String).str.to_uppercase())


@settings(max_examples=25)
@given(TABLES)
def test_types_without_other_values_change_nothing(frame):
    schema = learn_drawn(frame)
    X, remarks = schema.encode(frame)
    for other in change_types(frame):
        encoded, said = schema.encode(other)
        assert encoded.tobytes() == X.tobytes()
        assert said == remarks


@settings(max_examples=25)
@given(TABLES, TABLES)
def test_training_rows_alone_decide(train, test):
    schema = learn_drawn(train)
    before, _ = schema.encode(train)
    X, _ = schema.encode(pl.concat([train, test]))
    assert X[: train.height].tobytes() == before.tobytes()
    assert X[train.height :].tobytes() == schema.encode(test)[0].tobytes()
    assert TableSchema.learn(train, ReadOptions(**OPTIONS), all_rows=pl.concat([train, test]))[0] == schema
    size = before[train["size"].is_not_null().to_numpy(), 0].astype(float)
    if train["size"].n_unique() > 2:
        assert abs(size.mean()) < 1e-4
        assert abs(size.std() - 1) < 1e-4


@settings(max_examples=25)
@given(TABLES)
def test_one_hot_has_one_one_where_the_category_is(frame):
    schema = learn_drawn(frame, columns=("code", "colour"), drop=(), dates=())
    X, remarks = schema.encode(frame)
    assert not any("unseen" in remark for remark in remarks)
    first = 0
    for column in schema.columns:
        last = first + len(column.categories)
        assert (X[:, first:last].sum(axis=1) == 1).all()
        found = [column.categories[label] for label in X[:, first:last].argmax(axis=1)]
        values = frame[column.name].cast(pl.String).str.strip_chars().fill_null(column.fill)
        assert found == values.to_list()
        first = last + column.indicator
    assert X.shape[1] == first


@settings(max_examples=25)
@given(TABLES, st.sampled_from(["error", "median"]))
def test_json_comes_back_exactly(frame, impute):
    frame = frame if impute == "median" else frame.drop_nulls()
    assume(frame.height > 0)
    schema = learn_drawn(frame, impute=impute)
    text = json.dumps(schema.to_dict(), allow_nan=False)
    again = TableSchema.from_dict(json.loads(text))
    assert again == schema
    assert json.dumps(again.to_dict()) == text
    assert again.encode(frame)[0].tobytes() == schema.encode(frame)[0].tobytes()


def change(path, value):
    frame = FRAME.with_columns(day=pl.Series(["31/05/2024", "1/6/2024"] * 2))
    schema, _ = TableSchema.learn(
        frame, ReadOptions(dates=("day",), drop=("member",)), {"age": NumberFormat(",", ".")}
    )
    content = json.loads(json.dumps(schema.to_dict()))
    place = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return content


BAD_VALUES = {
    "nothing": None,
    "text": "hello",
    "list": [],
    "empty": {},
    "unknown key": change(["more"], 1),
    "unknown key of a column": change(["columns", 0, "more"], 1),
    "foreign kind": change(["columns", 0, "kind"], "word"),
    "another kind": change(["columns", 0, "kind"], "date"),
    "std 0": change(["columns", 0, "std"], 0.0),
    "std text": change(["columns", 0, "std"], "1"),
    "std NaN": change(["columns", 0, "std"], float("nan")),
    "std infinite": change(["columns", 0, "std"], float("inf")),
    "no scaling": change(["scaling"], "rough"),
    "spread below 0": change(["columns", 0, "spread"], -1.0),
    "spread infinite": change(["columns", 0, "spread"], float("inf")),
    "mean missing": change(["columns", 0, "mean"], None),
    "format": change(["columns", 0, "format", "decimal"], "x"),
    "indicator": change(["columns", 0, "indicator"], 1),
    "fill of another kind": change(["columns", 0, "fill"], "red"),
    "fill of no category": change(["columns", 1, "fill"], "pink"),
    "categories of a number": change(["columns", 0, "categories"], ["a"]),
    "categories unsorted": change(["columns", 1, "categories"], ["red", "blue"]),
    "categories twice": change(["columns", 1, "categories"], ["blue", "blue"]),
    "no categories": change(["columns", 1, "categories"], []),
    "order": change(["columns", 2, "order"], "week"),
    "no columns": change(["columns"], []),
    "same name twice": change(["columns", 1, "name"], "age"),
    "name of a column left out": change(["columns", 1, "name"], "member"),
    "left out is text": change(["left_out"], "member"),
    "not JSON": change(["left_out"], {1}),
}


@pytest.mark.parametrize("values", BAD_VALUES.values(), ids=BAD_VALUES)
def test_foreign_values_are_refused(values):
    message = one_line(TableSchema.from_dict, values)
    assert message.startswith("no schema of a table: ")
    assert len(message) < 250


def test_schemas_say_what_they_are():
    assert TableSchema.from_dict(change(["left_out"], [])).describe() == {
        "age": "numbers, mean 30, standard deviation 7.07107",
        "colour": "2 categories",
        "day": "dates as days since 1970-01-01, mean 19874.5, standard deviation 0.5",
    }
    assert learn(FRAME, drop=("age",))[0].describe()["age"] == "left out"
    assert learn(FRAME)[0].columns[2] == BooleanColumn(name="member", fill=True)
    with pytest.raises(ValueError, match="column 'a': a standard deviation of -1"):
        NumericColumn(name="a", mean=0.0, std=-1.0, median=0.0, spread=1.0)
    with pytest.raises(ValueError, match="column 'a': a standard deviation of 0"):
        DateColumn(name="a", mean=0.0, std=0.0, median=0.0, spread=1.0)
    with pytest.raises(ValueError, match="column 'a': a spread of -1"):
        NumericColumn(name="a", mean=0.0, std=1.0, median=0.0, spread=-1.0)
    with pytest.raises(ValueError, match="column 'a': 'c' fills it, but is none of its categories"):
        CategoryColumn(name="a", categories=("a", "b"), fill="c")


def test_iris():
    bunch = load_iris()
    frame = pl.DataFrame(bunch.data, schema=list(bunch.feature_names))
    X, _ = learn(frame)[0].encode(frame)
    z = (bunch.data - bunch.data.mean(axis=0)) / bunch.data.std(axis=0)
    np.testing.assert_allclose(X, z, rtol=1e-5, atol=1e-6)
