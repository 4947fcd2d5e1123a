import datetime
import json

import numpy as np
import pandas
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from glassnet.data.columns import Column, TableEncoder
from glassnet.data.table import read_table
from glassnet.data.target_column import Target, infer_target_kind
from glassnet.errors import DataError, UsageError

FRAME = pl.DataFrame(
    {
        "age": [20, 30, 40, 30],
        "colour": ["red", "blue", "red", "blue"],
        "member": [True, False, True, True],
        "price": [1.5, 2.5, 1.5, 2.5],
    }
)


def one_line(call, *arguments, **options):
    with pytest.raises(DataError) as caught:
        call(*arguments, **options)
    message = str(caught.value)
    assert message.isprintable()
    return message


def test_known_values():
    encoder = TableEncoder.fit(FRAME, "price")
    X, remarks = encoder.transform(FRAME)
    assert encoder.feature_names == ("age", "colour=blue", "colour=red", "member")
    assert X.dtype == np.float32
    z = np.float32(10 / np.sqrt(50))
    np.testing.assert_allclose(X, [[-z, 0, 1, 1], [0, 1, 0, 0], [z, 0, 1, 1], [0, 1, 0, 1]], rtol=1e-6)
    assert remarks == ()
    assert encoder.remarks == ("target 'price': numbers, so regression",)
    assert encoder.encode_target(FRAME["price"]).tolist() == [-1, 1, -1, 1]
    assert encoder.decode_target(np.array([-1.0, 3.0])).tolist() == [1.5, 3.5]


def test_without_scaling_numbers_stay():
    encoder = TableEncoder.fit(FRAME, "price", scale=False)
    assert encoder.transform(FRAME)[0][:, 0].tolist() == [20, 30, 40, 30]
    assert encoder.encode_target(FRAME["price"]).tolist() == [1.5, 2.5, 1.5, 2.5]


@pytest.mark.parametrize(
    ("values", "kind", "labels", "names"),
    [
        (["b", "a", "b", "a"], "binary", [1, 0, 1, 0], ("a", "b")),
        ([True, False, True], "binary", [1, 0, 1], ("False", "True")),
        ([30, -1, 30, 7], "multi-class", [2, 0, 2, 1], ("-1", "7", "30")),
        ([2.0, 10.0, 2.0], "binary", [0, 1, 0], ("2", "10")),
        (list(range(20)), "multi-class", list(range(20)), tuple(map(str, range(20)))),
    ],
)
def test_classes(values, kind, labels, names):
    frame = pl.DataFrame({"y": values, "x": range(len(values))})
    encoder = TableEncoder.fit(frame, "y")
    assert infer_target_kind(frame["y"]) == encoder.target.kind == kind
    assert encoder.encode_target(frame["y"]).tolist() == labels
    assert encoder.class_names == names
    assert encoder.decode_target(np.array(labels)).tolist() == values
    assert any(f"so {kind}" in remark for remark in encoder.remarks)


def test_more_than_twenty_whole_numbers_or_a_fraction_are_regressed():
    assert infer_target_kind(pl.Series("y", range(21))) == "regression"
    assert infer_target_kind(pl.Series("y", [0.0, 1.0, 1.5])) == "regression"
    assert infer_target_kind(pl.Series("y", [0.0, 1.0, 1.0])) == "binary"
    assert infer_target_kind(pl.Series("y", ["a", "b", "a", "b"], dtype=pl.Categorical)) == "binary"


MISSING = pl.DataFrame(
    {
        "age": [1.0, None, 4.0, 2.0, float("nan")],
        "word": ["b", "a", None, "b", " a "],
        "ok": [True, None, None, False, None],
    }
)


def test_missing_values_are_an_error_that_names_the_way_out():
    message = one_line(TableEncoder.fit, MISSING)
    assert message.startswith("column 'age': row 2 has no value (2 missing in all)")
    assert "--impute median" in message
    assert "column 'word': row 3" in one_line(TableEncoder.fit, MISSING.drop("age"))
    assert "column 'ok': row 2 has no value (3" in one_line(TableEncoder.fit, MISSING.select("ok"))
    encoder = TableEncoder.fit(FRAME)
    assert "row 2 has no value" in one_line(encoder.transform, FRAME.with_columns(age=pl.Series([1, None, 2, 3])))


def test_medians_and_most_frequent_values_are_those_of_training():
    encoder = TableEncoder.fit(MISSING, impute="median", scale=False)
    assert [column.fill for column in encoder.columns] == [2.0, "a", False]
    X, remarks = encoder.transform(MISSING)
    assert X.tolist() == [[1, 0, 1, 1], [2, 1, 0, 0], [4, 1, 0, 0], [2, 0, 1, 0], [2, 1, 0, 0]]
    assert "column 'age': 2 missing, set to the median of training, 2.0" in remarks
    assert "column 'word': 1 missing, set to the most frequent value of training, 'a'" in remarks
    nothing = pl.DataFrame({name: [None, None] for name in MISSING.columns})
    assert encoder.transform(nothing)[0].tolist() == [[2, 1, 0, 0]] * 2


def test_columns_are_taken_by_name():
    encoder = TableEncoder.fit(FRAME, "price")
    X, _ = encoder.transform(FRAME)
    other, remarks = encoder.transform(FRAME.select("member", "age", "colour").with_columns(extra=1))
    np.testing.assert_array_equal(X, other)
    assert remarks == ("left out, as training did not have them: extra",)
    message = one_line(encoder.transform, FRAME.rename({"colour": "color"}))
    assert "no column 'colour', which training had; did you mean 'color'?" in message
    assert "no column 'prize' for the target; did you mean 'price'?" in one_line(TableEncoder.fit, FRAME, "prize")


def test_what_looks_odd_is_remarked():
    frame = pl.DataFrame({"id": [3, 1, 2, 4], "one": [5.0] * 4, "same": ["x"] * 4, "true": [True] * 4})
    encoder = TableEncoder.fit(frame)
    assert [remark.split(":")[0] for remark in encoder.remarks] == [f"column '{name}'" for name in frame.columns]
    assert "all distinct" in encoder.remarks[0]
    assert encoder.columns[1].std == 1
    assert encoder.transform(frame)[0][:, 1].tolist() == [0] * 4


def test_unseen_categories_are_all_zeros_and_counted():
    encoder = TableEncoder.fit(FRAME)
    X, remarks = encoder.transform(FRAME.with_columns(colour=pl.Series(["red", "green", "pink", "blue"])))
    assert X[:, 1:3].tolist() == [[0, 1], [0, 0], [0, 0], [1, 0]]
    assert remarks == ("column 'colour': 2 values unseen in training (first 'green' in row 2), all zeros",)


def test_digits_are_the_categories_they_were_in_training():
    encoder = TableEncoder.fit(pl.DataFrame({"a": ["1", "2", "3+", "1", "2", "3+"]}))
    X, remarks = encoder.transform(pl.DataFrame({"a": [2, 1]}))
    assert X.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert "taken as categories" in remarks[0]


DAY = datetime.date(2024, 5, 31)

BAD_COLUMNS = {
    "dates": ([DAY] * 4, "dates or times; make numbers"),
    "dates as text": (["2024-05-31", "2024-06-01"] * 2, "dates or times"),
    "American dates": (["5/31/2024", "6/1/24"] * 2, "dates or times"),
    "times": ([datetime.timedelta(1)] * 4, "dates or times"),
    "free text": (["a", "b", "c", "a"], "3 distinct texts in 4 values, such as 'a'"),
    "many texts": ([f"w{i:03}" for i in range(101)] * 4, "101 distinct texts in 404 values"),
    "nothing": ([None] * 4, "no values at all"),
    "blanks": (["", " ", "", ""], "no values at all"),
    "infinite": ([1.0, float("inf"), 2.0, 3.0], "row 2 is infinite"),
    "lists": ([[1], [2], [1], [2]], "expected text"),
}


@pytest.mark.parametrize("impute", ["error", "median"])
@pytest.mark.parametrize(("values", "said"), BAD_COLUMNS.values(), ids=BAD_COLUMNS)
def test_columns_that_cannot_be_encoded(values, said, impute):
    message = one_line(TableEncoder.fit, pl.DataFrame({"a": values, "b": range(len(values))}), impute=impute)
    assert message.startswith("column 'a': ")
    assert said in message


BAD_TARGETS = {
    "missing": ([1.5, None, 2.5, 1.0], "row 2 has no value"),
    "NaN": ([1.5, 2.5, float("nan"), 1.0], "row 3 has no value"),
    "one class": (["x"] * 4, "one class only, 'x'"),
    "one number": ([7] * 4, "one class only, 7"),
    "one fraction": ([0.5] * 4, "one value only, 0.5"),
    "free text": (["a", "b", "c", "a"], "classes must come back"),
    "dates": ([DAY] * 4, "dates or times"),
    "nothing": ([None] * 4, "row 1 has no value"),
}


@pytest.mark.parametrize(("values", "said"), BAD_TARGETS.values(), ids=BAD_TARGETS)
def test_targets_that_cannot_be_learned(values, said):
    message = one_line(TableEncoder.fit, pl.DataFrame({"y": values, "x": [1, 2, 3, 4]}), "y")
    assert message.startswith("target 'y': ")
    assert said in message


def test_other_refusals():
    encoder = TableEncoder.fit(FRAME, "colour")
    assert encoder.encode_target(FRAME["colour"]).tolist() == [1, 0, 1, 0]
    assert "row 2 is 'green', which training did not have" in one_line(
        encoder.encode_target, pl.Series("colour", ["red", "green"])
    )
    assert "row 1 has no value" in one_line(encoder.encode_target, pl.Series("colour", [None, "red"]))
    assert "expected labels 0..1" in one_line(encoder.decode_target, np.array([2]))
    assert "expected labels 0..1" in one_line(encoder.decode_target, np.array([0.5]))
    assert "expected numbers, as in training, got 'x'" in one_line(
        encoder.transform, FRAME.with_columns(age=pl.lit("x"))
    )
    assert "expected true and false" in one_line(encoder.transform, FRAME.with_columns(member=pl.lit(1)))
    assert "expected text" in one_line(TableEncoder.fit(FRAME).transform, FRAME.with_columns(colour=pl.lit(1.5)))
    assert "row 1 is 1e+300, too large" in one_line(encoder.transform, FRAME.with_columns(age=pl.lit(1e300)))
    assert "without a target" in one_line(TableEncoder.fit(FRAME).encode_target, FRAME["price"])
    assert "no columns beside the target" in one_line(TableEncoder.fit, FRAME.select("price"), "price")
    assert "no rows" in one_line(TableEncoder.fit, FRAME.clear())
    with pytest.raises(UsageError, match="takes error or median, got 'mean'"):
        TableEncoder.fit(FRAME, impute="mean")


def test_numbers_of_any_size_are_scaled():
    for size in (1e-300, 1e-5, 1e300):
        frame = pl.DataFrame({"a": [-size, size / 2, size]})
        X, _ = TableEncoder.fit(frame, impute="median").transform(frame)
        expected = np.array([-1, 0.5, 1])
        np.testing.assert_allclose(X[:, 0], (expected - expected.mean()) / expected.std(), rtol=1e-6)


NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 4) + 0.0)
ROWS = st.lists(
    st.tuples(
        NUMBERS,
        st.none() | st.integers(-1000, 1000),
        st.sampled_from(["red", 'a "quoted", one', "é;\t|", "x\ny"]),
        st.booleans(),
        st.sampled_from(["yes", "no"]),
    ),
    min_size=10,
    max_size=30,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=15)
@given(ROWS)
def test_the_same_table_in_any_format_gives_the_same_numbers(decode_here, tmp_path, rows):
    frame = pl.DataFrame(rows, schema=["size", "count", "colour", "ok", "y"], orient="row")
    assume(frame["y"].n_unique() == 2 and frame["count"].null_count() < len(rows))
    frame.write_csv(tmp_path / "t.csv")
    frame.write_csv(tmp_path / "t.tsv", separator="\t")
    frame.write_csv(tmp_path / "s.csv", separator=";", line_terminator="\r\n")
    frame.write_parquet(tmp_path / "t.parquet")
    in_pandas = pandas.DataFrame({name: frame[name].to_list() for name in frame.columns})
    sources = [
        frame,
        tmp_path / "t.csv",
        tmp_path / "t.tsv",
        tmp_path / "s.csv",
        tmp_path / "t.parquet",
        in_pandas,
    ]
    results = []
    for source in sources:
        table = read_table(source)
        encoder = TableEncoder.fit(table, "y", impute="median")
        results.append(
            (encoder.to_json(), encoder.transform(table)[0].tobytes(), encoder.encode_target(table["y"]))
        )
    for json_text, X, y in results[1:]:
        assert json.loads(json_text) == json.loads(results[0][0])
        assert results[0][1] == X
        np.testing.assert_array_equal(y, results[0][2])


@given(ROWS, ROWS)
def test_training_rows_alone_decide(rows, others):
    schema = ["size", "count", "colour", "ok", "y"]
    train, test = (pl.DataFrame(part, schema=schema, orient="row").drop("count", "y") for part in (rows, others))
    encoder = TableEncoder.fit(train)
    before = encoder.transform(train)[0]
    X, _ = encoder.transform(pl.concat([train, test]))
    np.testing.assert_array_equal(X[: len(rows)], before)
    np.testing.assert_array_equal(X[len(rows) :], encoder.transform(test)[0])
    size = before[:, 0].astype(float)
    if train["size"].n_unique() > 1:
        assert abs(size.mean()) < 1e-4
        assert abs(size.std() - 1) < 1e-4


@given(ROWS)
def test_one_hot_has_one_one_where_the_category_is(rows):
    frame = pl.DataFrame({"colour": [row[2] for row in rows]})
    encoder = TableEncoder.fit(frame)
    X, _ = encoder.transform(frame)
    assert (X.sum(axis=1) == 1).all()
    assert list(encoder.feature_names) == [f"colour={c}" for c in sorted(set(frame["colour"]))]
    assert [encoder.columns[0].categories[i] for i in X.argmax(axis=1)] == frame["colour"].to_list()


@given(ROWS, st.sampled_from(["y", "size", "ok", None]), st.booleans(), st.sampled_from(["error", "median"]))
def test_json_comes_back_exactly(rows, target, scale, impute):
    frame = pl.DataFrame(rows, schema=["size", "count", "colour", "ok", "y"], orient="row").drop("count")
    try:
        encoder = TableEncoder.fit(frame, target, impute, scale)
    except DataError:
        assume(False)
    again = TableEncoder.from_json(encoder.to_json())
    assert again == encoder
    assert again.to_json() == encoder.to_json()
    assert again.transform(frame)[0].tobytes() == encoder.transform(frame)[0].tobytes()
    if target:
        values = frame[target].to_list()
        rounding = 1e-14 * max(abs(value) for value in values) if target == "size" else None
        assert encoder.decode_target(encoder.encode_target(frame[target])) == pytest.approx(values, abs=rounding)


def change(path, value):
    content = json.loads(TableEncoder.fit(FRAME, "colour", impute="median").to_json())
    place = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(content)


BAD_JSON = {
    "nothing": "",
    "no JSON": "hello",
    "cut": change(["version"], 1)[:-3],
    "list": "[]",
    "foreign": '{"layers": [1, 2]}',
    "version": change(["version"], 2),
    "unknown key": change(["more"], 1),
    "unknown key of a column": change(["columns", 0, "more"], 1),
    "kind": change(["columns", 0, "kind"], "date"),
    "std 0": change(["columns", 0, "std"], 0.0),
    "std text": change(["columns", 0, "std"], "1"),
    "std NaN": change(["columns", 0, "std"], float("nan")),
    "std infinite": change(["columns", 0, "std"], float("inf")),
    "fill of another kind": change(["columns", 0, "fill"], "red"),
    "categories of a number": change(["columns", 0, "categories"], ["a"]),
    "no columns": change(["columns"], []),
    "same name twice": change(["columns", 1, "name"], "age"),
    "name of the target": change(["columns", 1, "name"], "colour"),
    "classes unsorted": change(["target", "classes"], ["red", "blue"]),
    "classes twice": change(["target", "classes"], ["red", "red"]),
    "classes mixed": change(["target", "classes"], [1, "red"]),
    "one class": change(["target", "classes"], ["red"]),
    "regression with classes": change(["target", "kind"], "regression"),
}


@pytest.mark.parametrize("text", BAD_JSON.values(), ids=BAD_JSON)
def test_foreign_json_is_refused(text):
    assert one_line(TableEncoder.from_json, text).startswith("no table encoder of version 1: ")


def test_columns_check_themselves():
    for options in (
        {"kind": "category"},
        {"kind": "category", "categories": ("b", "a")},
        {"kind": "category", "categories": ("a",), "fill": "b"},
        {"kind": "boolean", "fill": "x"},
    ):
        with pytest.raises(ValueError, match="column 'a'"):
            Column("a", **options)
    with pytest.raises(ValueError, match="target 'y'"):
        Target("y", "multi-class", ("a", "b"))


def test_iris():
    bunch = load_iris()
    frame = pl.DataFrame(bunch.data, schema=list(bunch.feature_names))
    frame = frame.with_columns(kind=bunch.target_names[bunch.target])
    encoder = TableEncoder.fit(frame, "kind")
    X, _ = encoder.transform(frame)
    z = (bunch.data - bunch.data.mean(axis=0)) / bunch.data.std(axis=0)
    np.testing.assert_allclose(X, z, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(encoder.encode_target(frame["kind"]), bunch.target)
    assert encoder.class_names == tuple(bunch.target_names)
