"""Trials draw rows as a user has them, from the schema, by seed."""

import numpy as np
import polars as pl
import pytest

from glassnet.data.array_schema import ArraySchema
from glassnet.data.column_kinds import BooleanColumn, CategoryColumn, DateColumn, NumericColumn
from glassnet.data.columns import TableSchema
from glassnet.data.schema import Schema, describe_targets
from glassnet.data.target_schema import TargetSchema
from glassnet.export.trial import FEWEST, make_trial
from glassnet.nn.activations import Activation
from glassnet.nn.network import Network

FIGURES = {"mean": 50.0, "std": 9.0, "median": 50.0, "spread": 9.0}
TABLE = TableSchema(
    (
        NumericColumn(name="age", fill=50.0, **FIGURES),
        NumericColumn(name="whole", **FIGURES),
        NumericColumn(name="flag", zero_one=True, fill=1.0, mean=0.5, std=0.5, median=0.5, spread=1.0),
        DateColumn(name="since", fill=19000.0, mean=19000.0, std=300.0, median=0.0, spread=1.0),
        DateColumn(name="ever", mean=0.0, std=1e7, median=0.0, spread=1.0),
        BooleanColumn(name="member", fill=True),
        CategoryColumn(name="colour", categories=("blue", "red"), fill="red", indicator=True),
    )
)
SCALED = ArraySchema((300,), white=10.0, high=10.0).scale(np.linspace(0, 9, 600).reshape(2, 300), "standard")
SCHEMA = Schema(TABLE, describe_targets("multi-class", "abc"))
NETWORK = Network([TABLE.width, 3])


def test_rows_of_a_table_have_all_that_training_can_have_had():
    rows = make_trial(NETWORK, SCHEMA).rows
    assert len(rows) == 200
    values = {name: [row[name] for row in rows] for name in rows[0]}
    assert set(values["colour"]) == {"blue", "red", "(unseen)", None}
    assert set(values["member"]) == {True, False, None}
    assert set(values["flag"]) == {0.0, 1.0, None}
    assert None not in values["whole"]
    assert 5 < values["age"].count(None) < 50
    assert abs(np.mean(values["whole"]) - 50) < 3
    assert {len(one) for one in values["since"] if one} == {10}
    assert min(one for one in values["since"] if one) > "2016"
    assert {"0001-01-01", "9999-12-31"} < set(values["ever"])


def test_the_seed_decides_the_rows():
    first, again, other = (make_trial(NETWORK, SCHEMA, seed).rows for seed in (1, 1, 2))
    assert first == again != other


def test_outputs_are_those_of_the_network_in_float64():
    trial = make_trial(NETWORK, SCHEMA)
    X, _ = SCHEMA.input.encode(SCHEMA.take_rows(trial.rows))
    np.testing.assert_array_equal(trial.X, X)
    np.testing.assert_allclose(trial.outputs, NETWORK.astype("float64").outputs(X), rtol=1e-12)
    assert trial.decode(trial.outputs).tolist() == SCHEMA.target.answer(trial.outputs).tolist()


@pytest.mark.parametrize(
    ("schema", "low", "high"),
    [
        (ArraySchema((300,), "bytes", high=16.0), 0, 16),
        (ArraySchema((300,), low=-2.0, high=5.0), -2, 5),
        (SCALED, 0, 10),
    ],
)
def test_numbers_are_in_the_range_of_training(schema, low, high):
    trial = make_trial(Network([300, 3]), Schema(schema, describe_targets("multi-class", "abc")))
    values = np.array(trial.rows)
    assert values.min() >= low
    assert values.max() <= high
    assert np.ptp(values) > 0.8 * (high - low)
    assert np.array_equal(values, np.round(values)) == (schema.values == "bytes")


def test_large_networks_are_tried_on_few_rows():
    assert len(make_trial(Network([3000, 1000]), None).rows) == FEWEST


def test_rows_without_finite_outputs_are_left_out():
    positive = Activation("log", lambda z: np.log(z), lambda z, h: 1 / z)
    network = Network([1, 1], output_activation=positive, loss="mse", initializer=np.array([1.0, 0.0]))
    trial = make_trial(network, None)
    assert 50 < len(trial.rows) == len(trial.X) == len(trial.outputs) < 150
    assert min(trial.rows) > [0]


def test_the_rounding_of_float32_is_measured_where_it_is_compared():
    network = Network([3, 30, 2], seed=1)
    trial = make_trial(network, None)
    # the order of the sums in `outputs` is another, and differs from processor to processor
    assert trial.rounding == pytest.approx(np.abs(network.outputs(trial.X) - trial.outputs).max(), rel=0.9)
    assert 1e-8 < trial.rounding < 1e-6
    target = TargetSchema("regression", width=2, mean=(0.0, 0.0), std=(1e3, 1e3))
    network = Network([3, 30, 2], loss="half_squared_error", seed=1)
    wide = make_trial(network, Schema(ArraySchema((3,), low=-1.0, high=1.0), target))
    assert wide.rounding > 1e-6


def test_rows_that_are_given_are_taken_evenly_and_as_they_are():
    X = np.arange(2400.0).reshape(1200, 2)
    trial = make_trial(Network([2, 2]), None, given=X)
    assert trial.rows == X[::2].tolist()
    frame = pl.DataFrame({"age": [1.0, None, 3.0], "more": ["a", "b", "c"]})
    schema = Schema(TableSchema((NumericColumn(name="age", fill=50.0, **FIGURES),)), SCHEMA.target)
    trial = make_trial(Network([1, 3]), schema, given=frame)
    assert [row["age"] for row in trial.rows] == [1.0, None, 3.0]
    assert trial.X.ravel().tolist() == pytest.approx([-49 / 9, 0, -47 / 9])
