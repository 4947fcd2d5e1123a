"""What rows and targets mean, as one thing that is saved with the model."""

import json
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.data.array_schema import ArraySchema
from glassnet.data.columns import TableSchema
from glassnet.data.read_options import ReadOptions
from glassnet.data.registry import load_dataset
from glassnet.data.scaling import Scaling
from glassnet.data.schema import MOST_SHOWN, DataWarning, Schema, describe_targets, keep_reading
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import DataError

RNG = np.random.default_rng(0)
X = RNG.normal(50, 9, (30, 3))
WORDS = np.array(["no", "yes"])[np.arange(30) % 2]
FRAME = pl.DataFrame(
    {
        "age": RNG.integers(20, 60, 30),
        "colour": RNG.choice(["red", "blue"], 30),
        "glad": RNG.random(30) < 0.5,
        "length": RNG.normal(size=30),
    }
)
TABLE = Schema(TableSchema.learn(FRAME)[0], TargetSchema.learn(WORDS, names=["kind"])[0], {"sep": ";"})
ARRAY = Schema.learn(X, WORDS)


def plain(values):
    """Return what JSON makes of a schema's values, arrays as lists."""
    return json.loads(json.dumps(values, default=lambda array: array.tolist()))


@pytest.mark.parametrize(
    "schema",
    [
        ARRAY,
        TABLE,
        Schema.learn(X.astype(np.uint8), RNG.normal(size=(30, 2)), scale_by=RNG.normal(size=(30, 2))),
        Schema(
            TABLE.input,
            TABLE.target,
            {"encoding": "cp1252", "target": {"decimal": ",", "thousands": ".", "unit": "€"}},
        ),
        *(load_dataset(name).schema for name in ("digits", "iris", "diabetes", "linnerud")),
        *(load_dataset(name, scaling="robust").schema for name in ("digits", "iris", "diabetes")),
        load_dataset("digits", scaling="standard").schema,
        TABLE.scale(None, None, "robust"),
    ],
)
def test_a_schema_is_saved_as_it_is_to_the_last_bit(schema):
    again = Schema.from_dict(plain(schema.to_dict()))
    assert again == schema
    assert plain(again.to_dict()) == plain(schema.to_dict())
    scaling = schema.input.scaling
    if isinstance(scaling, Scaling):
        assert again.input.scaling.center.tobytes() == scaling.center.tobytes()
        assert again.input.scaling.spread.tobytes() == scaling.spread.tobytes()


GOOD = plain(ARRAY.to_dict())


@pytest.mark.parametrize(
    "values",
    [
        {}, [], None, 7, "text", GOOD | {"kind": "picture"}, GOOD | {"kind": None}, GOOD | {"kind": "table"},
        GOOD | {"input": {}}, GOOD | {"input": None}, GOOD | {"target": {}}, GOOD | {"target": None},
        GOOD | {"reading": None},
        GOOD | {"reading": {"sep": 3}}, GOOD | {"reading": {"target": "x"}},
        GOOD | {"reading": {"target": {"decimal": "x"}}},
        GOOD | {"reading": {"secret": "x"}}, GOOD | {"reading": [1]}, plain(TABLE.to_dict()) | {"kind": "array"},
        plain(TABLE.to_dict()) | {"input": {"columns": [], "left_out": []}},
    ],
)  # fmt: skip
def test_values_of_no_schema_are_refused_in_one_line(values):
    Schema.from_dict(GOOD)
    with pytest.raises(DataError) as caught:
        Schema.from_dict(values)
    assert "\n" not in str(caught.value)


def test_what_is_said_of_a_file_is_kept_where_it_stays_true():
    options = ReadOptions(
        "price", sep=";", encoding="cp1252", sheet="May", x_key="rows", y_key="kinds", drop=("id",)
    )
    kept = {"sep": ";", "encoding": "cp1252", "sheet": "May", "x_key": "rows", "y_key": "kinds"}
    assert keep_reading(options) == kept
    assert keep_reading(ReadOptions("price", impute="error", grey=True)) == {}
    assert Schema.from_dict(GOOD | {"reading": kept}).reading == kept


# Rows in memory


def encode(schema, rows):
    with warnings.catch_warnings(action="ignore"):
        return schema.encode_rows(rows)


EXPECTED, _ = TABLE.input.encode(FRAME)


@pytest.mark.parametrize(
    "rows",
    [
        FRAME,
        FRAME.to_pandas(),
        FRAME.to_arrow(),
        FRAME.to_dicts(),
        FRAME.select("glad", "length", "age", "colour"),
        FRAME.with_columns(other=pl.Series([[1]] * 30), note=pl.lit("=cmd()")),
        FRAME.to_pandas()[["glad", "length", "age", "colour"]],
        FRAME.to_pandas().set_index(np.arange(30)[::-1]),
        FRAME.to_pandas().astype({"colour": "category", "age": "float64", "length": object}),
        FRAME.with_columns(pl.col("age").cast(pl.Float32), pl.col("colour").cast(pl.Categorical)),
        FRAME.with_columns(pl.col("age").cast(pl.String), pl.col("glad").cast(pl.Int8)),
        FRAME.with_columns(pl.col("age").cast(pl.UInt8)),
    ],
    ids=[
        "polars", "pandas", "pyarrow", "records", "order", "more", "order in pandas", "index", "types in pandas",
        "types", "text", "bytes",
    ],
)  # fmt: skip
def test_a_table_means_the_same_whatever_it_comes_in(rows):
    np.testing.assert_array_equal(encode(TABLE, rows), EXPECTED)


@given(st.lists(st.integers(0, 29), min_size=1, max_size=12))
def test_rows_of_a_table_mean_the_same_alone_and_in_any_order(rows):
    frame = FRAME[rows]
    for kind in (frame, frame.to_pandas(), frame.to_dicts()):
        np.testing.assert_array_equal(encode(TABLE, kind), EXPECTED[rows])


def test_one_record_is_one_row():
    np.testing.assert_array_equal(encode(TABLE, FRAME.to_dicts()[7]), EXPECTED[7:8])


@pytest.mark.parametrize(
    "rows", [X, X.tolist(), X[0], [], "a.csv", None, 7, [{"age": 1}, 2]], ids=lambda rows: type(rows).__name__
)
def test_rows_without_names_are_refused_by_a_model_of_tables_with_its_columns(rows):
    with pytest.raises(DataError) as caught:
        TABLE.encode_rows(rows)
    message = str(caught.value)
    assert message.startswith(
        "X: the model takes tables with the columns age, colour, glad, length: give one of pandas"
    )
    assert "\n" not in message


@pytest.mark.parametrize(
    "rows",
    [
        [{"age": 1, "colour": "red"}],
        [
            {"age": 30, "colour": "red", "glad": True, "length": 1},
            {"age": "x", "colour": 1, "glad": [], "length": {}},
        ],
        pd.DataFrame({"age": [1, 2], "colour": ["red", "red"], "glad": [True, False]}),
        pa.table({"age": [1]}),
    ],
    ids=["columns", "types", "pandas", "pyarrow"],
)
def test_tables_that_cannot_be_meant_are_refused_in_one_line(rows):
    with pytest.raises(DataError) as caught:
        encode(TABLE, rows)
    assert "\n" not in str(caught.value)


def test_what_is_filled_in_or_unseen_is_a_warning_and_said_once():
    frame = FRAME.with_columns(pl.when(pl.col("age") > 30).then("age"), colour=pl.lit("green"))
    with pytest.warns(DataWarning) as caught:
        TABLE.encode_rows(frame)
    said = [str(one.message) for one in caught]
    assert len(said) == len(set(said)) == 2
    assert any("age" in one for one in said)
    assert any("'green'" in one for one in said)


@pytest.mark.parametrize("kind", [np.float64, np.float32, list, pd.DataFrame, pl.DataFrame, np.ma.array])
def test_rows_of_numbers_mean_the_same_whatever_they_come_in(kind):
    rounded = X.astype(np.float32).astype(np.float64)
    rows = (
        rounded.tolist()
        if kind is list
        else rounded.astype(kind)
        if isinstance(kind, type) and issubclass(kind, np.generic)
        else kind(rounded)
    )
    np.testing.assert_array_equal(encode(ARRAY, rows), rounded)


def test_a_share_of_bytes_is_a_warning():
    schema = Schema.learn(X.astype(np.uint8), WORDS)
    with pytest.warns(DataWarning, match="taken as shares of the 255"):
        schema.encode_rows(X / 255)


# Labels


@given(st.permutations(["no", "yes", "maybe"]), st.lists(st.integers(0, 2), min_size=6, max_size=40))
def test_renamed_labels_are_renamed_answers(words, places):
    labels = np.array([0, 1, 2, *places])
    one, other = Schema.learn(X[:1], labels), Schema.learn(X[:1], np.array(words)[labels], task="multi-class")
    outputs = np.random.default_rng(len(places)).random((9, 3))
    order = [sorted(words).index(word) for word in words]
    renamed = np.empty_like(outputs)
    renamed[:, order] = outputs
    assert other.target.answer(renamed).tolist() == [words[label] for label in one.target.answer(outputs)]
    np.testing.assert_array_equal(
        np.array(order)[one.target.encode(labels)], other.target.encode(np.array(words)[labels])
    )


def test_labels_that_count_up_have_names():
    target = describe_targets("multi-class", ["a", "b", "c"], 1)
    assert (target.classes, target.class_names) == ((1, 2, 3), ("a", "b", "c"))
    assert target.encode([3, 1]).tolist() == [2, 0]
    assert describe_targets("regression", ["w", "h"]) == TargetSchema("regression", ("w", "h"), width=2)
    assert describe_targets("regression", None) == TargetSchema("regression")
    assert describe_targets("multi-label", ["w", "h"]) == TargetSchema("multi-label", ("w", "h"), (0, 1), width=2)
    assert describe_targets("binary", ["w", "h"]).n_classes == 2


# What is shown


def test_the_description_is_plain_and_short():
    assert ARRAY.describe()["target"] == {"task": "binary", "classes": ["no", "yes"]}
    assert ARRAY.describe()["input"]["rows"] == "3 numbers"
    assert TABLE.describe()["target"] == {"task": "binary", "names": ["kind"], "classes": ["no", "yes"]}
    assert list(TABLE.describe()["input"]) == FRAME.columns
    many = describe_targets("multi-class", [f"class {k}" for k in range(5000)])
    assert len(Schema(ArraySchema((2,)), many).describe()["target"]["classes"]) == MOST_SHOWN
    scaled = Schema.learn(X, X[:, 0], scale_by=X[:, 0])
    assert scaled.describe()["target"]["scaling"].startswith("mean 0")
    json.dumps(scaled.describe())
