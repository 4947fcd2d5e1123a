import numpy as np
import polars as pl
import pytest

from glassnet.data.columns import TableEncoder
from glassnet.nn.network import Network
from glassnet.training.metrics import tabulate_predictions, to_csv


def linear(layers, W, **options):
    network = Network(layers, initializer="zeros", dtype="float64", **options)
    network.W[0][:] = W
    return network


def test_softmax_gives_label_class_and_its_probability():
    network = linear([2, 3], [[np.log(3), 0, 0], [0, 0, np.log(8)]], class_names=["a", "b", "c"])
    assert tabulate_predictions(network, np.array([[1.0, 0.0], [0.0, 1.0]])) == [
        {"row": 0, "label": 0, "class": "a", "probability": 0.6},
        {"row": 1, "label": 2, "class": "c", "probability": 0.8},
    ]


def test_classes_without_names_are_numbered():
    network = linear([1, 2], [[0, 1]])
    assert [record["class"] for record in tabulate_predictions(network, np.array([[1.0], [-1.0]]))] == ["1", "0"]


def test_a_single_sigmoid_gives_the_probability_of_the_class_it_names():
    network = linear([1, 1], [[1]], loss="binary_cross_entropy", class_names=["no", "yes"])
    assert tabulate_predictions(network, np.log([[4.0], [0.25]])) == [
        {"row": 0, "label": 1, "class": "yes", "probability": 0.8},
        {"row": 1, "label": 0, "class": "no", "probability": 0.8},
    ]


def test_several_sigmoids_give_the_largest():
    network = linear([1, 2], [[np.log(4), -np.log(4)]], loss="binary_cross_entropy", class_names=["x", "y"])
    assert tabulate_predictions(network, np.array([[1.0], [-1.0]])) == [
        {"row": 0, "label": 0, "class": "x", "probability": 0.8},
        {"row": 1, "label": 1, "class": "y", "probability": 0.8},
    ]


def test_a_regressed_class_number_has_no_probability():
    network = linear([1, 1], [[10]], loss="half_squared_error", class_names=list("abcd"))
    assert tabulate_predictions(network, np.array([[0.16], [9.0]])) == [
        {"row": 0, "label": 2, "class": "c"},
        {"row": 1, "label": 3, "class": "d"},
    ]


def test_regression_gives_the_outputs_as_they_are():
    network = linear([1, 2], [[1, -2]], loss="half_squared_error", output_scale=2.0)
    table = tabulate_predictions(network, np.array([[1.5]]))
    assert table == [{"row": 0, "output_0": 3.0, "output_1": -6.0}]
    assert type(table[0]["output_0"]) is float


def test_a_tables_target_is_given_in_its_own_units_under_its_name():
    frame = pl.DataFrame({"area": [50.0, 150.0], "price": [100.5, 300.5]})
    encoder = TableEncoder.fit(frame, "price")
    network = linear([1, 1], [[1]], loss="half_squared_error")
    X, _ = encoder.transform(frame)
    assert tabulate_predictions(network, X, encoder) == [{"row": 0, "price": 100.5}, {"row": 1, "price": 300.5}]
    assert tabulate_predictions(network, X) == [{"row": 0, "output_0": -1.0}, {"row": 1, "output_0": 1.0}]


def test_a_tables_classes_are_those_of_the_network():
    frame = pl.DataFrame({"area": [50.0, 150.0] * 2, "kind": ["flat", "house"] * 2})
    encoder = TableEncoder.fit(frame, "kind")
    network = linear([1, 1], [[1]], loss="binary_cross_entropy", class_names=encoder.class_names)
    X, _ = encoder.transform(frame[:2])
    assert tabulate_predictions(network, X, encoder) == tabulate_predictions(network, X)
    assert [record["class"] for record in tabulate_predictions(network, X, encoder)] == ["flat", "house"]


def test_bytes_are_pixels():
    network = linear([1, 1], [[1]], loss="half_squared_error")
    assert tabulate_predictions(network, np.array([[255], [51]], np.uint8)) == [
        {"row": 0, "output_0": 1.0},
        {"row": 1, "output_0": pytest.approx(0.2)},
    ]


def test_the_table_has_a_header_and_quotes_what_needs_it():
    table = [
        {"row": 0, "label": 1, "class": "T-shirt, top", "probability": 0.5},
        {"row": 1, "label": 0, "class": 'the "best"', "probability": 1.0},
    ]
    assert to_csv(table) == ('row,label,class,probability\n0,1,"T-shirt, top",0.5\n1,0,"the ""best""",1.0\n')
