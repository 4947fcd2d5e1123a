"""What a table's values become is the same in an exported module as in the model, however they are written."""

import datetime
import functools
import warnings

import numpy as np
import pandas as pd
import pytest

from glassnet.data.column_kinds import BooleanColumn, CategoryColumn, DateColumn, NumericColumn
from glassnet.data.columns import TableSchema
from glassnet.data.number_format import NumberFormat
from glassnet.data.schema import Schema, describe_targets
from glassnet.errors import DataError
from glassnet.nn.network import Network
from glassnet.training.model import Model

FIGURES = {"mean": 10.0, "std": 3.0, "median": 9.0, "spread": 4.0}
DATES = {"mean": 19874.0, "std": 1.0, "median": 19874.0, "spread": 1.0}
WORDS = sorted(["a", "7", "10", "007", "true", "2024-01-01", "0.5", "n/a?", "-999"])

COLUMNS = [
    NumericColumn(name="plain", fill=9.0, indicator=True, **FIGURES),
    NumericColumn(name="zero or one", fill=1.0, zero_one=True, **FIGURES),
    NumericColumn(name="constant", median=4.0, spread=0.0, mean=4.0, std=1.0),
    NumericColumn(name="euro", fill=9.0, format=NumberFormat(",", ".", "€"), **FIGURES),
    NumericColumn(name="commas", fill=9.0, format=NumberFormat(".", ",", ""), **FIGURES),
    NumericColumn(name="percent", fill=9.0, format=NumberFormat(".", "", "%"), **FIGURES),
    NumericColumn(name="swiss", fill=9.0, format=NumberFormat(",", "'", ""), **FIGURES),
    *(
        DateColumn(name=f"{order} first", fill=3.0, order=order, **DATES)
        for order in (None, "day", "month", "year")
    ),
    BooleanColumn(name="boolean", fill=True, indicator=True),
    CategoryColumn(name="word", categories=tuple(WORDS), fill="a"),
    CategoryColumn(name="number", categories=("1", "1e-05", "2", "3.5"), numbers=True, fill="1", indicator=True),
    CategoryColumn(
        name="price", categories=("1", "1299.5", "2"), numbers=True, fill="1", format=NumberFormat(",", ".", "")
    ),
]

PLAIN = [
    *(None, 0, 1, 7, 7.0, 0.5, 3.5, -999, -999.0, 1e-5, 1e300, 10, 2024, 20240531, True, False),
    *("", "  ", "\u200b", "NA", "n/a", "?", "-", "NaN", "nat", "none", "true", "False", " TRUE ", "A", "n/a?"),
    *("1", "0", "1.0", "7.0", " 7", "007", "07", "10.00", "a", " a ", "1e-05", "0.00001", "1e-5", "+3.5", "3.50"),
    *("12.5", "1e3", "1.299,50 €", "€ 1.299,50", "-€5,0", "1.299", "1,299.50", "1,299", "1299,50", "12%", "% 12"),
    *("007%", "5.%", "1'299,5", "1’299,5", "−5", "1 299,5", "5.", ".5", "inf", "1_000", "0x10", "-999", "-999.0"),
    *("9" * 500,),
    *("2024-05-31", "2024-5-1", "2024/05/31", "31.5.2024", "31/5/2024", "5/31/2024", "3/4/24", "03-04-2024"),
    *("2024-05", "20240531", "31 May 2024", "May 31, 2024", "may 1 99", "1 sept 2020", "2024-02-30", "0000-01-01"),
    *("2024-05-31T10:20:30Z", "2024-05-31 10:20:30.1234567", "2024-05-31 10:20 pm", "2024-05-31 13:20 pm"),
    *("2024-05-31 22:20", "2024-05-31 01:20:30+02:00", "2024-05-31 24:00", "1960-05-31 10:61", "1/2/3", "1-2-68"),
    *("1-2-69", "2024-01-01", "tab\tthere", "１", "Ａ"),
]  # fmt: skip

PYTHONS_OWN = [
    *(pd.NA, pd.NaT, pd.Timestamp("2024-01-01 06:00"), pd.Timedelta(hours=30)),
    *(float("nan"), np.float32(0.5), np.int64(7), [1], {"a": 1}),
    *(datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 1, 12, 30)),
    datetime.datetime(1960, 1, 1, 12, 30, 1, 5),
    datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
    *(datetime.time(6), datetime.timedelta(days=2, hours=6)),
]


def model_of(column):
    scaling = "standard" if isinstance(column, DateColumn) else "robust"
    rows = TableSchema((column,), missing=("-999", "n/a?", "A"), scaling=scaling)
    return Model(Network([rows.width, 2]), Schema(rows, describe_targets("multi-class", "ab")))


MODELS = list(map(model_of, COLUMNS))
columns = pytest.mark.parametrize("number", range(len(COLUMNS)), ids=lambda number: COLUMNS[number].name)


@functools.cache
def encode(number, place):
    """The numbers that a model makes of a value, both by their places; None where it refuses it."""
    schema, record = MODELS[number].schema, {COLUMNS[number].name: (PLAIN + PYTHONS_OWN)[place]}
    try:
        return schema.input.encode(schema.take_rows([record]))[0][0].tolist()
    except DataError:
        return None


@columns
@pytest.mark.filterwarnings("ignore")
def test_python_reads_values_as_the_model_does(load_python, number):
    name, read = COLUMNS[number].name, load_python(MODELS[number])["encode"]
    for place, value in enumerate(PLAIN + PYTHONS_OWN):
        expected = encode(number, place)
        if expected is None:
            with pytest.raises(ValueError, match=f"^row 5(, column '{name}'|: holds a number that is too large)"):
                read({name: value}, 5)
        else:
            assert read({name: value}, 5) == expected, value


@columns
@pytest.mark.browser
def test_javascript_reads_values_as_the_model_does(call_javascript, number):
    name = COLUMNS[number].name
    found, _ = call_javascript(MODELS[number], [["encode", {name: value}, 5] for value in PLAIN], ["encode"])
    for place, (value, numbers) in enumerate(zip(PLAIN, found, strict=True)):
        expected = encode(number, place)
        if expected is None:
            assert numbers.startswith((f'RangeError: row 5, column "{name}": ', "RangeError: row 5: holds")), value
        else:
            assert numbers == expected, value


def test_whole_numbers_of_any_size_are_refused_or_unseen(load_python):
    read = load_python(MODELS[0])["encode"]
    with pytest.raises(ValueError, match="row 1, column 'plain': expected a finite number"):
        read({"plain": 10**400}, 1)
    word = next(model for column, model in zip(COLUMNS, MODELS, strict=True) if column.name == "word")
    with pytest.warns(UserWarning, match="column 'word': '1000.*0' was not seen in training, all zeros"):
        assert load_python(word)["encode"]([10**400], 1) == [0.0] * len(WORDS)


ROWS = TableSchema((COLUMNS[0], COLUMNS[-2]), left_out=("id",))
TABLE = Model(
    Network([ROWS.width, 2], loss="half_squared_error"),
    Schema(ROWS, describe_targets("regression", ["wet", "cold"])),
)
SAID = [
    ({"plain": None, "number": 2}, "column 'plain': a missing value becomes 9.0"),
    ({"plain": 1, "number": "9"}, "column 'number': '9' was not seen in training, all zeros"),
    ({"plain": 1, "number": 2, "more": 1}, "left out, as training did not have them: more"),
    ({" plain ": 1, "number": 2, "id": 7, "wet": 1}, None),
]


@pytest.mark.parametrize(("row", "said"), SAID)
def test_python_warns_of_what_it_fills_in_and_leaves_out(load_python, row, said):
    names = load_python(TABLE)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        names["outputs"]([row])
    assert [str(one.message) for one in caught] == ([said] if said else [])


@pytest.mark.browser
def test_javascript_says_each_once_what_it_fills_in_and_leaves_out(call_javascript):
    rows = [row for row, _ in SAID]
    _, said = call_javascript(TABLE, [["outputs", rows], ["outputs", rows]])
    assert [line.replace('"', "'") for line in said] == [
        "column 'plain': a missing value becomes 9",
        "column 'number': '9' was not seen in training, all zeros",
        "left out, as training did not have them: more",
    ]


def test_rows_of_a_table_may_be_lists_and_must_have_all_values(load_python):
    outputs = load_python(TABLE)["outputs"]
    assert outputs([[7, "2"]]) == outputs([{"number": 2, "plain": 7}])
    with pytest.raises(ValueError, match="row 1: expected a dict, or a list of the values of plain, number"):
        outputs([[7]])
    with pytest.raises(ValueError, match="row 2: no value for number; None stands for a missing one"):
        outputs([[7, "2"], {"plain": 7}])
    with pytest.raises(ValueError, match="expected a list of rows; for a single row give"):
        outputs({"number": 2, "plain": 7})


@pytest.mark.browser
def test_rows_of_a_table_may_be_lists_in_javascript(call_javascript):
    record = {"number": 2, "plain": 7}
    calls = [[[7, "2"]], [record], [[7]], [[7, "2"], {"plain": 7}], record]
    found, _ = call_javascript(TABLE, [["outputs", rows] for rows in calls])
    assert found[0] == found[1]
    assert [one.partition(": ")[2] for one in found[2:]] == [
        "row 1: expected an object, or an array of the values of plain, number",
        "row 2: no value for number; null stands for a missing one",
        "expected an array of rows; for a single row give [row]",
    ]


def test_a_missing_value_is_refused_where_training_had_none(load_python):
    model = MODELS[[column.name for column in COLUMNS].index("constant")]
    with pytest.raises(ValueError, match="row 1, column 'constant': has no value, and training had none missing"):
        load_python(model)["outputs"]([{"constant": ""}])
