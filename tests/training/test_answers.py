import csv
import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.data.array_schema import ArraySchema
from glassnet.data.schema import Schema
from glassnet.data.target_schema import TargetSchema
from glassnet.data.user_rows import UserRows
from glassnet.errors import UsageError
from glassnet.nn.network import Network
from glassnet.training.answers import list_formulas, tabulate_answers, to_csv
from glassnet.training.model import Model


def linear(layers, W, **options):
    network = Network(layers, initializer="zeros", dtype="float64", **options)
    network.W[0][:] = W
    return network


def answer(network, X, target=None, *, table=None, names=None, **options):
    """Return the records for rows of a file, by a network alone or by a model with this target."""
    schema = None if target is None else Schema(ArraySchema(np.shape(X)[1:]), target)
    rows = UserRows(Path("new.csv"), X, table=table, names=names)
    return tabulate_answers(Model(network, schema), rows, network.outputs(X), **options)


def learn(y, **options):
    return TargetSchema.learn(y, **options)[0]


# A network alone: labels 0, 1, ... and outputs


def test_softmax_gives_the_class_and_its_probability():
    network = linear([2, 3], [[np.log(3), 0, 0], [0, 0, np.log(8)]], class_names=["a", "b", "c"])
    assert answer(network, np.array([[1.0, 0.0], [0.0, 1.0]])) == [
        {"row": 1, "class": "a", "probability": 0.6},
        {"row": 2, "class": "c", "probability": 0.8},
    ]


def test_classes_without_names_are_numbered():
    network = linear([1, 2], [[0, 1]])
    assert [record["class"] for record in answer(network, np.array([[1.0], [-1.0]]))] == [1, 0]


def test_a_single_sigmoid_gives_the_probability_of_the_class_it_names():
    network = linear([1, 1], [[1]], loss="binary_cross_entropy", class_names=["no", "yes"])
    assert answer(network, np.log([[4.0], [0.25]])) == [
        {"row": 1, "class": "yes", "probability": 0.8},
        {"row": 2, "class": "no", "probability": 0.8},
    ]


def test_several_sigmoids_give_the_largest():
    network = linear([1, 2], [[np.log(4), -np.log(4)]], loss="binary_cross_entropy", class_names=["x", "y"])
    assert answer(network, np.array([[1.0], [-1.0]])) == [
        {"row": 1, "class": "x", "probability": 0.8},
        {"row": 2, "class": "y", "probability": 0.8},
    ]


def test_a_regressed_class_number_has_no_probability():
    network = linear([1, 1], [[10]], loss="half_squared_error", class_names=list("abcd"))
    assert answer(network, np.array([[0.16], [9.0]])) == [
        {"row": 1, "class": "c"},
        {"row": 2, "class": "d"},
    ]
    with pytest.raises(
        UsageError, match=r"^proba: the network gives no probabilities, as its loss is half_squared"
    ):
        answer(network, np.array([[0.16]]), proba=True)


def test_regression_gives_the_outputs_as_they_are():
    network = linear([1, 2], [[1, -2]], loss="half_squared_error", output_scale=2.0)
    table = answer(network, np.array([[1.5]]))
    assert table == [{"row": 1, "output_0": 3.0, "output_1": -6.0}]
    assert type(table[0]["output_0"]) is float


def test_bytes_are_pixels():
    network = linear([1, 1], [[1]], loss="half_squared_error")
    assert answer(network, np.array([[255], [51]], np.uint8)) == [
        {"row": 1, "output_0": 1.0},
        {"row": 2, "output_0": pytest.approx(0.2)},
    ]


# A model: in the user's words and units


def test_a_scaled_target_is_given_in_its_own_units_under_its_name_and_to_its_precision():
    network = linear([1, 1], [[1]], loss="half_squared_error")
    prices = np.array([100.5, 300.5])
    target = learn(prices, names=["price"], scale_by=prices)
    X = np.array([[-1.0], [1.0], [1 / 3]])
    assert answer(network, X, target) == [
        {"row": 1, "price": 100.5},
        {"row": 2, "price": 300.5},
        {"row": 3, "price": 233.8},  # 200.5 + 100 / 3
    ]
    whole = learn(np.array([100, 300]), names=["price"], task="regression")
    assert [one["price"] for one in answer(network, np.array([[99.5001], [-3.2]]), whole)] == [100, -3]


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (["no", "yes"], ["no", "yes"]),
        ([10, 20], ["10", "20"]),
        ([2**60, 2**60 + 1], ["1152921504606846976", "1152921504606846977"]),
        ([False, True], ["False", "True"]),
    ],
)
@pytest.mark.parametrize("units", [1, 2])
def test_classes_are_those_that_training_had(y, said, units):
    target = learn(y * 2)
    if units == 1:
        network = linear([1, 1], [[1]], loss="binary_cross_entropy", class_names=target.class_names)
    else:
        network = linear([1, 2], [[0, 1]], class_names=target.class_names)
    table = answer(network, np.array([[np.log(4)], [-np.log(4)]]), target, proba=True)
    columns = ["row", "class", "probability", *(f"probability {name}" for name in said)]
    assert [list(record) for record in table] == [columns] * 2
    written = [record["class"] for record in table]
    assert written == y[::-1]
    assert [type(one) for one in written] == [type(one) for one in y]
    assert [record["probability"] for record in table] == [0.8, 0.8]
    assert [[record[name] for name in columns[3:]] for record in table] == [[0.2, 0.8], [0.8, 0.2]]


def test_several_labels_have_a_column_each_of_0_and_1():
    network = linear([2, 2], np.eye(2), loss="binary_cross_entropy")
    target = learn(np.array([[1, 0], [0, 1], [1, 1]]), names=["cat", "dog"])
    X = np.log([[4.0, 0.25], [0.25, 1.0]])
    assert answer(network, X, target) == [{"row": 1, "cat": 1, "dog": 0}, {"row": 2, "cat": 0, "dog": 1}]
    assert answer(network, X, target, proba=True)[0] == {
        "row": 1, "cat": 1, "dog": 0, "probability cat": 0.8, "probability dog": 0.2,
    }  # fmt: skip


def test_pictures_are_named_by_their_files():
    network = linear([1, 2], [[0, 1]])
    table = answer(network, np.array([[1.0], [-1.0]]), learn(["a", "b"] * 2), names=("one.png", "two.png"))
    assert [record["file"] for record in table] == ["one.png", "two.png"]
    assert "row" not in table[0]


def test_columns_are_kept_in_the_order_asked_for_between_the_row_and_the_answer():
    frame = pl.DataFrame({"id": ["007", "008"], "note": [None, "x"], "area": ["1", "2"]})
    network, X = linear([1, 1], [[1]], loss="half_squared_error"), np.array([[1.0], [2.0]])
    table = answer(network, X, table=frame, keep=["note", "id"])
    assert table == [
        {"row": 1, "note": None, "id": "007", "output_0": 1.0},
        {"row": 2, "note": "x", "id": "008", "output_0": 2.0},
    ]
    frame = pl.DataFrame({"row": ["a", "b"], "output_0": ["", "y"]})
    assert answer(network, X, table=frame, keep=["row", "output_0"]) == [
        {"row number": 1, "row": "a", "output_0": "", "predicted output_0": 1.0},
        {"row number": 2, "row": "b", "output_0": "y", "predicted output_0": 2.0},
    ]


def test_columns_to_keep_must_be_there():
    frame = pl.DataFrame({"id": ["007", "008"], "note": [None, "x"], "area": ["1", "2"]})
    network, X = linear([1, 1], [[1]], loss="half_squared_error"), np.array([[1.0], [2.0]])
    with pytest.raises(UsageError, match=r"^keep: new\.csv has no column 'ID'; there are: id, note, area$"):
        answer(network, X, table=frame, keep=["ID"])
    with pytest.raises(UsageError, match=r"^keep: new\.csv has no column 'id'; it is no table$"):
        answer(network, X, keep=["id"])


# As CSV


def test_the_table_has_a_header_and_quotes_what_needs_it():
    table = [
        {"row": 1, "class": "T-shirt, top", "probability": 0.5},
        {"row": 2, "class": 'the "best"', "probability": 1.0},
    ]
    assert to_csv(table) == ('row,class,probability\n1,"T-shirt, top",0.5\n2,"the ""best""",1.0\n')


@pytest.mark.parametrize(
    "value", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-a\r\nb", "=HYPERLINK(0)", "-e5", "+-1"]
)
def test_what_a_spreadsheet_would_take_for_a_formula_is_text(value):
    read = list(csv.reader(io.StringIO(to_csv([{value: value}]), newline="")))
    assert read == [[f"'{value}"]] * 2
    assert list(csv.reader(io.StringIO(to_csv([{value: value}], formulas=True), newline=""))) == [[value]] * 2


@pytest.mark.parametrize("value", ["-1.5", "+3", "-1,5", "-37%", "-", "+", "a=b", "", "'=1", "1-2", -2.5])
def test_plain_numbers_and_words_stay(value):
    assert next(csv.reader(io.StringIO(to_csv([{"a": 0, "x": value}]).split("\n", 1)[1])))[1] == str(value)


def test_formulas_are_listed_as_they_are_written():
    records = [{"row": 1, "=key": "=1+1", "class": "+"}, {"row": 2, "=key": "-3", "class": "@x"}]
    assert list_formulas(records) == ["=key", "=1+1", "@x"]


CELLS = st.text(st.sampled_from("=+-@\t\r\n,;\"'1.%") | st.characters(exclude_categories=["Cs"]), max_size=6)


@given(st.lists(CELLS, min_size=1, max_size=5))
def test_whatever_the_text_no_cell_begins_as_a_formula_does(cells):
    text = to_csv([{str(number): cell for number, cell in enumerate(cells)}])
    _, row = csv.reader(io.StringIO(text, newline=""))
    for cell, written in zip(cells, row, strict=True):
        assert written in (cell, f"'{cell}")
        if written[:1] in ("=", "@", "\t", "\r"):
            pytest.fail(f"{written!r} is a formula")
        if written[:1] in ("+", "-"):
            assert set(written) <= set("+-0123456789.,%")


def test_numbers_of_a_known_set_have_its_name_and_decimals():
    import glassnet as gn

    data = gn.load_dataset("diabetes")
    network = gn.Network([10, 1], loss="half_squared_error")
    rows = UserRows(Path("new.npy"), data.test.X[:2])
    records = tabulate_answers(Model(network, data.schema), rows, network.outputs(data.encoded.test.X[:2]))
    assert list(records[0]) == ["row", "progression"]
    assert all(isinstance(record["progression"], int) for record in records)
