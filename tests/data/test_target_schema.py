import json
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glassnet.data.blanks import shows_nothing
from glassnet.data.column_values import measure_numbers
from glassnet.data.target_schema import TASKS, TargetSchema
from glassnet.errors import DataError, UsageError

BIG = [812345678901234561, 812345678901234562, 812345678901234600, 812345678901234999]
OBJECTS = np.array(["red", "blue", "red", "blue"], object)


def learn(y, **options):
    return TargetSchema.learn(y, **options)[0]


def refused(error, function, *arguments, **options):
    with pytest.raises(error) as caught:
        function(*arguments, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


# What was written, the classes it stands for, their labels, and the dtype in which they are answered.
CLASSES = {
    "text": (["b", "a", "b", "a"], ("a", "b"), [1, 0, 1, 0], "<U1"),
    "objects": (OBJECTS, ("blue", "red"), [1, 0, 1, 0], "<U4"),
    "blanks are kept": ([" b", "a ", " b", "a "], (" b", "a "), [0, 1, 0, 1], "<U2"),
    "bytes": (np.array([b"b", b"a", b"b", b"a"]), ("a", "b"), [1, 0, 1, 0], "<U1"),
    "codes with zeros": (["012", "007", "007", "012"], ("007", "012"), [1, 0, 0, 1], "<U3"),
    "signs": (["+1", "-1", "-1", "+1"], ("+1", "-1"), [0, 1, 1, 0], "<U2"),
    "booleans": ([True, False, True], (False, True), [1, 0, 1], "bool"),
    "from 1": ([1, 2, 3, 1], (1, 2, 3), [0, 1, 2, 0], "int64"),
    "tens": (np.array([30, 10, 20], np.uint8), (10, 20, 30), [2, 0, 1], "int64"),
    "plus and minus": (np.array([1, -1, -1], np.int8), (-1, 1), [1, 0, 0], "int64"),
    "gaps": ([0, 7, 7], (0, 7), [0, 1, 1], "int64"),
    "beyond 2^53": (BIG, tuple(BIG), [0, 1, 2, 3], "int64"),
    "beyond int64": (np.array([2**64 - 1, 2**63, 5], np.uint64), (5, 2**63, 2**64 - 1), [2, 1, 0], "uint64"),
    "both ends": ([-1, 2**64 - 1], (-1, 2**64 - 1), [0, 1], "object"),
    "Python's own": ([10**30, 10**30 + 1], (10**30, 10**30 + 1), [0, 1], "object"),
    "whole floats": (np.array([2.0, 0.0, 1.0]), (0.0, 1.0, 2.0), [2, 0, 1], "float64"),
    "whole float32": (np.array([2.0, -0.0], np.float32), (0.0, 2.0), [1, 0], "float64"),
    "a column": (np.array([[1], [2], [2]]), (1, 2), [0, 1, 1], "int64"),
    "one-hot bytes": (np.eye(3, dtype=np.uint8)[[2, 0, 1]], (0, 1, 2), [2, 0, 1], "int64"),
    "one-hot floats": (np.eye(3)[[2, 0]], (0, 1, 2), [2, 0], "int64"),
    "one-hot of two": (np.eye(2, dtype=bool)[[1, 0]], (0, 1), [1, 0], "int64"),
}


@pytest.mark.parametrize(("y", "classes", "labels", "dtype"), CLASSES.values(), ids=CLASSES)
def test_classes_are_kept_as_they_are_written(y, classes, labels, dtype):
    schema, remarks = TargetSchema.learn(y)
    assert schema.classes == classes
    assert [type(one) for one in schema.classes] == [type(one) for one in classes]
    assert schema.class_names == tuple(map(str, classes))
    assert schema.task == ("binary" if len(classes) == 2 else "multi-class")
    assert (schema.n_classes, schema.width, schema.soft, schema.scaled) == (len(classes), 1, False, False)
    encoded = schema.encode(y)
    assert encoded.dtype == np.int64
    assert encoded.tolist() == labels
    answered = schema.decode(encoded)
    assert answered.dtype == dtype
    assert answered.tolist() == [classes[label] for label in labels]
    assert remarks
    assert all("\n" not in remark for remark in remarks)


# What y is, and what is said of it.
GUESSES = {
    "text": (["a", "b", "c", "a", "b", "c"], "multi-class", ["target: 3 classes (a, b, c), so multi-class"]),
    "booleans": ([True, False], "binary", ["target: 2 classes (False, True), so binary"]),
    "whole numbers": (
        [3, 5, 7],
        "multi-class",
        [
            "target: 3 classes (3, 5, 7), so multi-class; whole numbers, at most 20 distinct: "
            "task=regression says otherwise"
        ],
    ),
    "20 whole numbers": (
        range(20),
        "multi-class",
        [
            "target: 20 classes (0, 1, 2, 3, 4 and 15 more), so multi-class; whole numbers, at most 20 distinct: "
            "task=regression says otherwise"
        ],
    ),
    "21 whole numbers": (
        range(21),
        "regression",
        [
            "target: numbers, so regression; 21 distinct whole numbers, more than 20: "
            "task=multi-class says otherwise"
        ],
    ),
    "21 whole floats": (
        np.arange(21.0),
        "regression",
        [
            "target: numbers, so regression; 21 distinct whole numbers, more than 20: "
            "task=multi-class says otherwise"
        ],
    ),
    "fractions": ([0.5, 1.5, 1.5], "regression", ["target: numbers, so regression"]),
    "a column": (
        [["a"], ["b"], ["a"], ["b"]],
        "binary",
        ["target: the shape (4, 1) is taken as (4,)", "target: 2 classes (a, b), so binary"],
    ),
    "one-hot": (
        np.eye(3)[[0, 1, 2, 0]],
        "multi-class",
        ["target: one-hot rows of 3 classes; task=multi-label says otherwise"],
    ),
    "several labels": (
        [[1, 0], [1, 1], [0, 0]],
        "multi-label",
        ["target: 2 columns of 0 and 1, so multi-label; task=regression says otherwise"],
    ),
    "soft labels": (
        [[0.25, 0.75], [0.5, 0.5]],
        "multi-class",
        ["target: rows of 2 shares that sum to 1, so soft labels; task=regression says otherwise"],
    ),
    "several numbers": ([[1, 2], [3, 4]], "regression", ["target: 2 numbers a row, so regression"]),
    "sums of 1 with a negative": (
        [[-0.5, 1.5], [0.5, 0.5]],
        "regression",
        ["target: 2 numbers a row, so regression"],
    ),
}


@pytest.mark.parametrize(("y", "task", "said"), GUESSES.values(), ids=GUESSES)
def test_a_guess_is_said_with_its_reason(y, task, said):
    schema, remarks = TargetSchema.learn(y)
    assert schema.task == task
    assert list(remarks) == said


def test_remarks_and_errors_name_the_column_and_its_rows_counted_from_1():
    assert TargetSchema.learn([0.5, 1.5], names=["price"])[1] == ("target 'price': numbers, so regression",)
    schema = learn(OBJECTS, names=["colour"])
    assert refused(DataError, schema.encode, np.array(["red", "green"], object)) == (
        "target 'colour': row 2 is 'green', which training did not have; the classes are blue, red"
    )
    assert "target: row 3 (y[2]) has no value (1 missing in all)" in refused(DataError, learn, [1.5, 2.5, np.nan])


def test_whole_numbers_beside_pictures_are_classes_however_many():
    schema, remarks = TargetSchema.learn(np.arange(300), pictures=True)
    assert (schema.task, schema.n_classes) == ("multi-class", 300)
    assert remarks[0].endswith("whole numbers beside pictures: task=regression says otherwise")
    assert learn(np.arange(300.0), pictures=True).task == "regression"


def test_the_task_is_obeyed_whatever_the_type():
    assert TargetSchema.learn([3, 5, 3], task="regression") == (
        TargetSchema("regression", decimals=0),
        (),
    )
    assert learn([3, 5, 3], task="regression").encode([3, 5]).tolist() == [3.0, 5.0]
    assert learn([True, False], task="regression").encode([True, False]).tolist() == [1.0, 0.0]
    many = learn(np.arange(300) * 2, task="multi-class")
    assert many.classes == tuple(range(0, 600, 2))
    assert many.encode([4, 598]).tolist() == [2, 299]
    assert learn([0, 1, 1], task="multi-class").task == "multi-class"
    assert learn([0.5, 1.5, 0.5], task="multi-class").classes == (0.5, 1.5)
    assert learn(["a", "b", "c"], task="multi-class").classes == ("a", "b", "c")
    assert learn(["2024-01-01", "2024-01-02"], task="binary").classes == ("2024-01-01", "2024-01-02")
    schema, remarks = TargetSchema.learn(["low", "high", "mid"], task="ordinal")
    assert schema.classes == ("high", "low", "mid")
    assert remarks == (
        "target: 3 classes in the order of the alphabet: high, low, mid; the option classes gives another",
    )
    named, remarks = TargetSchema.learn(["low", "high"], task="ordinal", class_names=["low", "mid", "high"])
    assert named.classes == named.class_names == ("low", "mid", "high")
    assert named.encode(["low", "high", "mid"]).tolist() == [0, 2, 1]
    assert remarks == ("target: 3 classes in the order low, mid, high",)
    one_hot = np.eye(3)[[0, 1, 2]]
    assert learn(one_hot, task="multi-label").encode(one_hot).tolist() == one_hot.tolist()
    assert learn(one_hot, task="regression").width == 3
    assert learn(one_hot, task="ordinal").encode(one_hot).tolist() == [0, 1, 2]
    assert learn([[0.25, 0.75], [0.5, 0.5]], task="regression").width == 2


IMPOSSIBLE = {
    "regression of words": (OBJECTS, "regression", "takes numbers, but row 1 (y[0]) is the text 'red'"),
    "binary of three": ([1, 2, 3], "binary", "task=binary takes two classes, the target has 3 (1, 2, 3)"),
    "binary of proportions": ([0.1, 0.2, 0.3], "binary", "takes two classes, the target has 3 (0.1, 0.2, 0.3)"),
    "binary of three columns": (np.eye(3), "binary", "task=binary takes two classes, the rows have 3"),
    "several labels in one column": ([0, 1], "multi-label", "takes two or more columns of 0 and 1"),
    "several labels beyond 1": ([[0, 1], [2, 1]], "multi-label", "but row 2 (y[1]) is [2 1]"),
    "numbers a row": ([[0.0, 1.0], [0.0, 3.0]], "multi-class", "rows that sum to 1; row 2 (y[1]) is [0. 3.]"),
    "soft ordinal": ([[0.25, 0.75], [0.5, 0.5]], "ordinal", "go with task=multi-class, not ordinal"),
}


@pytest.mark.parametrize(("y", "task", "said"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_task_that_cannot_be_is_refused_with_the_reason(y, task, said):
    assert said in refused(DataError, learn, y, task=task)


def test_an_unknown_task_is_refused():
    assert "did you mean 'regression'" in refused(UsageError, learn, [1, 2], task="regresion")
    assert TASKS == ("multi-class", "binary", "multi-label", "ordinal", "regression")


UNFIT = {
    "missing": ([1.5, np.nan, 2.5, np.nan], "row 2 (y[1]) has no value (2 missing in all)"),
    "None": (np.array(["a", None, "a"], object), "row 2 (y[1]) has no value"),
    "NaN among text": (["a", "b", float("nan")], "row 3 (y[2]) has no value"),
    "blank": (["a", " ", "a"], "row 2 (y[1]) has no value"),
    "masked": (np.ma.array([1, 2, 3], mask=[0, 0, 1]), "row 3 (y[2]) has no value"),
    "missing in a row": ([[1.0, 2.0], [3.0, np.nan]], "row 2 (y[1]) has no value"),
    "infinite": ([1.5, -np.inf], "row 2 (y[1]) is infinite"),
    "infinite in a row": ([[1.5, 2], [3, np.inf]], "row 2 (y[1]) is infinite"),
    "text and numbers": (["a", 1, "a"], "whole numbers and text mixed; give all values as one kind"),
    "true and 1": ([True, 1, 0], "true and false and whole numbers mixed"),
    "large numbers and floats": ([2**53 + 1, 0.5], "whole numbers and floats mixed"),
    "rows of several lengths": ([[1, 2], [3]], "the rows are not equally long"),
    "a dict": ([{"a": 1}, {}], "row 1 (y[0]) is a dict"),
    "dates": (np.array(["2024-01-01", "2024-01-02"], "M8[D]"), "dates or times"),
    "dates as text": (["2024-01-01", "2024-01-02"] * 9, "or task=multi-class takes each date as a class"),
    "complex": ([1j, 2j], "is a complex"),
    "an array of complex": (np.array([1j]), "got the type complex128"),
    "one class": (["x"] * 4, "one class only, 'x'; there is nothing to learn"),
    "one number": ([7] * 4, "one class only, 7; there is nothing to learn"),
    "one fraction": ([0.5] * 4, "one value only, 0.5; there is nothing to learn"),
    "one of the columns": (np.eye(3)[[1, 1]], "one class only, 1; there is nothing to learn"),
    "free text": (["a", "b", "c", "a"], "3 distinct texts in 4 rows; classes must come back"),
    "texts in rows": ([["a", "b"], ["c", "d"]], "2 texts a row"),
    "no rows": ([], "no values"),
    "single": (5, "got a single one"),
    "cube": (np.zeros((2, 2, 2)), "got an array of shape (2, 2, 2)"),
    "no UTF-8": (np.array([b"\xff", b"a"]), "no UTF-8 text"),
}


@pytest.mark.parametrize(("y", "said"), UNFIT.values(), ids=UNFIT)
def test_targets_that_cannot_be_learned_are_refused(y, said):
    assert said in refused(DataError, learn, y)


def test_what_no_float_can_be_is_no_number():
    assert "expected finite numbers" in refused(DataError, learn, [10**400, 1], task="regression")
    assert learn([10**400, 1]).encode([1, 10**400]).tolist() == [0, 1]
    assert "mixed" in refused(DataError, learn, [10**400, 0.5])
    assert "is infinite" in refused(DataError, learn, np.array([np.longdouble("1e400"), 1]))
    most = np.finfo(float).max
    schema = learn([-most, most, most], task="regression", scale_by=[-most, most, most])
    assert "row 1 (y[0]) is -1.79" in refused(DataError, schema.encode, [-most])


def test_remarks_keep_to_one_short_line():
    (remark,) = TargetSchema.learn(["a\nb", "x" * 5000] * 2)[1]
    assert remark == f"target: 2 classes (a b, {'x' * 40}...), so binary"


def test_whole_numbers_and_floats_in_a_list_are_floats():
    schema = learn([1, 2.5, 2**53])
    assert schema.task == "regression"
    assert schema.encode([1, 2.5]).tolist() == [1.0, 2.5]


def test_names_of_classes_are_places_or_words():
    assert learn([0, 2, 0], class_names=["a", "b", "c"]).classes == (0, 1, 2)
    assert learn([1, 2, 1], class_names=["a", "b"]) == TargetSchema("binary", (), (1, 2), ("a", "b"))
    assert learn([0.0, 1.0], class_names=["a", "b", "c"]).classes == (0.0, 1.0, 2.0)
    words = learn(["b", "a"], class_names=["b", "a"])
    assert (words.classes, words.encode(["a"]).tolist()) == (("b", "a"), [1])
    assert learn(np.arange(99), class_names=map(str, range(99))).n_classes == 99
    schema = learn([10, 20, 10], class_names=["ten", "twenty"])
    assert schema.encode(["twenty", "ten"]).tolist() == schema.encode([20, 10]).tolist() == [1, 0]
    assert "3 names for the 2 classes of the target: 10, 20" in refused(
        UsageError, learn, [10, 20], class_names=["a", "b", "c"]
    )
    assert "no 'c', which the target holds" in refused(UsageError, learn, ["a", "c"], class_names=["a", "b"])
    assert "two classes of one name" in refused(UsageError, learn, [0, 1], class_names=["a", "a"])
    named = learn(np.eye(2)[[0, 1]], names=["no", "yes"])
    assert named.classes == ("no", "yes")
    assert named.decode([1]).tolist() == ["yes"]
    assert learn(np.eye(2)[[0, 1]], class_names=["no", "yes"]).class_names == ("no", "yes")
    assert "1 names for the 2 columns" in refused(UsageError, learn, np.eye(2), names=["a"])
    assert "3 names for 2 classes" in refused(UsageError, learn, np.eye(2), class_names=["a", "b", "c"])


# Values of another type that equal a class, and their labels.
EQUAL = {
    "text for whole numbers": ([1, 2, 10], ["10", "1", "2", "2.0", "+1"], [2, 0, 1, 1, 0]),
    "floats for whole numbers": ([1, 2, 10], [10.0, 1.0], [2, 0]),
    "bytes for whole numbers": ([1, 2, 10], np.array([10, 2], np.uint8), [2, 1]),
    "bools for 0 and 1": ([0, 1], [True, False], [1, 0]),
    "bools for 1 and 2": ([1, 2], [True], [0]),
    "whole numbers for bools": ([True, False], [0, 1, 0], [0, 1, 0]),
    "floats for bools": ([True, False], [1.0, 0.0], [1, 0]),
    "text for bools": ([True, False], ["TRUE", "false"], [1, 0]),
    "bools for text": (["TRUE", "FALSE"] * 2, [False, True], [0, 1]),
    "whole numbers for text": (["1", "2"] * 2, [2, 1], [1, 0]),
    "whole numbers for signs": (["+1", "-1"] * 2, [1, -1], [0, 1]),
    "floats for text": (["1", "2"] * 2, [2.0], [1]),
    "whole numbers for floats": ([1.0, 2.0], [2, 1], [1, 0]),
    "text for floats": ([1.0, 2.0], ["2", "1.0"], [1, 0]),
    "text with blanks": (["yes", "no"] * 2, ["yes ", " no"], [1, 0]),
    "text beyond 2^53": (BIG, list(map(str, BIG)), [0, 1, 2, 3]),
    "a column": ([1, 2], [[2], [1]], [1, 0]),
}


@pytest.mark.parametrize(("y", "given", "labels"), EQUAL.values(), ids=EQUAL)
def test_equal_values_of_another_type_are_the_class(y, given, labels):
    encoded = learn(y).encode(given)
    assert encoded.dtype == np.int64
    assert encoded.tolist() == labels


UNKNOWN = {
    "another number": ([1, 2], [1, 3], "row 2 (y[1]) is 3, which training did not have; the classes are 1, 2"),
    "a fraction": ([1, 2], [1.5], "is 1.5"),
    "another float beyond 2^53": ([2**53 + 1, 1], [float(2**53)], f"is {float(2**53)}"),
    "text that a float would round": ([2**53, 1], [f"{2**53 + 1}.0"], f"is '{2**53 + 1}.0'"),
    "capitals": (["a", "b"] * 2, ["A"], "is 'A'"),
    "a word that Python reads as a number": ([1000, 1], ["1_000"], "is '1_000'"),
    "not a number": ([1.0, 2.0], ["nan"], "is 'nan'"),
    "two candidates": (["1", "1.0"] * 2, [1], "is 1, which may be one class or another"),
    "true for 5": ([5, 6], [True], "is True"),
    "long text": (["a", "b"] * 2, ["x" * 99], f"is '{'x' * 50}', which"),
    "rows": ([1, 2], [[1, 2]], "expected one class a row, as in training, got 2 values"),
    "missing": ([1, 2], [np.nan], "has no value"),
    "digits without end": ([1, 2], ["9" * 5000], "which training did not have"),
}


@pytest.mark.parametrize(("y", "given", "said"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_no_class_of_training_is_refused(y, given, said):
    assert said in refused(DataError, learn(y).encode, given)


def test_a_name_that_is_another_class_is_ambiguous():
    schema = learn([0, 1], class_names=["1", "0"])
    assert "may be one class or another" in refused(DataError, schema.encode, ["1"])
    assert schema.encode([1, 0]).tolist() == [1, 0]


def test_one_hot_and_soft_schemas_take_rows_and_labels():
    one_hot = learn(np.eye(3)[[0, 1, 2]])
    assert one_hot.form == "one-hot"
    assert one_hot.encode([[0, 0, 1], [1, 0, 0]]).tolist() == one_hot.encode([2, 0]).tolist() == [2, 0]
    assert "row 2 (y[1]) is [1 1 0]; expected a single 1" in refused(
        DataError, one_hot.encode, [[0, 0, 1], [1, 1, 0]]
    )
    assert "expected 3 values a row" in refused(DataError, one_hot.encode, [[0, 1]])
    rows = np.array([[0.25, 0.75], [0.5, 0.5]], np.float32)
    soft = learn(rows)
    assert (soft.task, soft.form, soft.classes, soft.soft, soft.n_classes) == (
        "multi-class",
        "soft",
        (0, 1),
        True,
        2,
    )
    assert soft.encode(rows).dtype == np.float64
    assert soft.encode(rows).tolist() == rows.tolist()
    assert soft.encode([1, 0]).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert soft.decode(rows[:1]).tolist() == soft.decode([1]).tolist() == [1]
    assert "is [0.5 0.6]; expected shares that sum to 1" in refused(DataError, soft.encode, [[0.5, 0.6]])
    assert learn(np.array([[0.5, 0.50009], [0.1, 0.9]])).soft
    assert learn(np.array([[0.5, 0.5002], [0.1, 0.9]])).task == "regression"


@pytest.mark.parametrize(("dtype", "classes"), [(np.uint8, (0, 1)), (bool, (False, True)), (float, (0.0, 1.0))])
def test_several_labels_come_back_in_their_kind(dtype, classes):
    y = np.array([[1, 0, 1], [0, 0, 0]], dtype)
    schema = learn(y, names=["a", "b", "c"])
    assert (schema.task, schema.n_classes, schema.class_names, schema.width) == ("multi-label", None, (), 3)
    assert schema.names == ("a", "b", "c")
    assert schema.encode(y).dtype == np.int64
    assert schema.encode(y).tolist() == [[1, 0, 1], [0, 0, 0]]
    assert schema.decode(schema.encode(y)).tolist() == y.tolist()
    assert type(schema.decode([[1, 0, 1]]).tolist()[0][0]) is type(classes[0])
    assert "row 2 (y[1]) is [1 0 2]; expected 0 and 1" in refused(DataError, schema.encode, [[0, 0, 0], [1, 0, 2]])
    assert schema.encode([["1", "0", "1"]]).tolist() == [[1, 0, 1]]
    assert "expected 3 values a row" in refused(DataError, schema.encode, [1, 0, 1])


def test_numbers_are_scaled_by_those_of_training_and_come_back_in_their_own_units():
    training = np.array([3.0, 5.0, 7.0, 9.0])
    schema = learn([3.0, 5.5, 7.0, 9.0, 100.0], scale_by=training)
    assert (schema.mean, schema.std, schema.scaled) == ((6.0,), (5.0**0.5,), True)
    mean, std, _ = measure_numbers(training)
    assert schema.encode([6.0, 8.5]).tolist() == ((np.array([6.0, 8.5]) - mean) / std).tolist()
    assert schema.decode(np.float32([0, 2])).tolist() == [6.0, 2 * 5.0**0.5 + 6.0]
    several = learn([[1.0, 10.0, 4.5], [3.0, 50.0, 4.5]], scale_by=[[1.0, 10.0, 4.5], [3.0, 50.0, 4.5]])
    assert (several.mean, several.std, several.width) == ((2.0, 30.0, 4.5), (1.0, 20.0, 1.0), 3)
    assert several.encode([[3.0, 10.0, 4.5]]).tolist() == [[1.0, -1.0, 0.0]]
    assert several.decode([[1.0, -1.0, 0.0]]).tolist() == [[3.0, 10.0, 4.5]]
    assert learn([3.0, 5.5]).encode([3, 5]).tolist() == [3.0, 5.0]
    assert "one value only, 2.5, in the training rows" in refused(
        DataError, learn, [2.5, 3.5], scale_by=[2.5, 2.5]
    )
    assert learn(["a", "b"] * 2, scale_by=["a", "b"]).std == ()


def test_numbers_to_score_may_be_text_that_reads_as_a_number():
    schema = learn([1.5, 2.5])
    assert schema.encode(np.array(["2", "-1.5e3"], object)).tolist() == [2.0, -1500.0]
    for text in ("x", "1_000", "inf", "nan"):
        assert f"row 2 (y[1]) is '{text}'; expected finite numbers" in refused(
            DataError, schema.encode, ["1", text]
        )
    assert "expected 1 values a row" in refused(DataError, schema.encode, [[1.0, 2.0]])


DECIMALS = {
    "whole": ([3, 5], 0),
    "halves": ([3.0, 5.5], 1),
    "cents": ([3.25, 5.5, 1e6], 2),
    "cents in float32": (np.array([3.27, 5.5], np.float32), 2),
    "larger cents in float32": (np.array([12345.67, 250.25], np.float32), 2),
    "float16": (np.array([3.5, 0.25], np.float16), 2),
    "six": ([0.000001, 1.5], 6),
    "seven": ([0.0000001, 1.5], None),
    "thirds": ([1 / 3, 5.0], None),
    "large and whole": ([1e300, 2.0], 0),
    "large and broken": ([1e15, 0.25], None),
    "large and half": ([1e12, 0.5], 1),
}


@pytest.mark.parametrize(("y", "decimals"), DECIMALS.values(), ids=DECIMALS)
def test_numbers_are_printed_with_the_decimals_of_training(y, decimals):
    assert learn(y, task="regression").decimals == decimals


def test_labels_outside_the_classes_are_refused():
    schema = learn(OBJECTS)
    for labels in ([2], [-1], [0.5], ["red"]):
        assert refused(DataError, schema.decode, labels) == "target: expected labels 0..1"


def test_no_rows_have_no_targets():
    for schema, shape in ((learn(OBJECTS), (0,)), (learn([1.5, 2.5]), (0,))):
        assert schema.encode([]).shape == schema.decode(np.zeros(0, int)).shape == shape
    assert learn([[1, 0], [1, 1]]).encode(np.zeros((0, 2))).shape == (0, 2)


WORDS = st.text(min_size=1, max_size=6).filter(lambda word: not shows_nothing(word))
FLOATS = st.floats(-1e6, 1e6)
KINDS = {
    "text": st.lists(WORDS, min_size=2, max_size=9, unique=True),
    "bool": st.just([True, False]),
    "int": st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=20, unique=True),
    "unsigned": st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=20, unique=True),
    "any int": st.lists(st.integers(), min_size=2, max_size=20, unique=True),
    "float": st.lists(st.integers(-99, 99).map(float), min_size=2, max_size=20, unique=True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_encoded_decodes_to_itself_through_json_too(kind):
    @given(KINDS[kind], st.data())
    def check(classes, data):
        y = [*classes, *data.draw(st.lists(st.sampled_from(classes), max_size=30))]
        schema = learn(y, task="multi-class")
        again = TargetSchema.from_dict(json.loads(json.dumps(schema.to_dict())))
        assert again == schema
        assert [type(one) for one in again.classes] == [type(one) for one in schema.classes]
        assert again.decode(again.encode(y)).tolist() == y
        for one, label in zip(y, again.encode(y), strict=True):  # a row alone is what it is among others
            assert again.encode([one]).tolist() == [label]

    check()


@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=2, max_size=20))
def test_numbers_decode_to_themselves(rows):
    y = np.array(rows)
    if (y == y[0]).all() or np.ptp(y, axis=0).max() < 1e-3:
        return
    for numbers in (y, y[:, int(np.ptp(y, axis=0).argmax())]):
        for scale_by in (None, numbers):
            schema = learn(numbers, task="regression", scale_by=scale_by)
            assert TargetSchema.from_dict(schema.to_dict()) == schema
            back = schema.decode(schema.encode(numbers))
            assert back.shape == numbers.shape
            np.testing.assert_allclose(back, numbers, rtol=1e-12, atol=1e-6 if scale_by is not None else 0)


@given(st.lists(st.sampled_from("abc"), min_size=9, max_size=20), st.permutations(["x", "y", "z"]), st.data())
def test_answers_follow_renamed_and_permuted_labels(y, names, data):
    if len(set(y)) < 2:
        return
    renamed = dict(zip("abc", names, strict=True))
    ours, theirs = learn(y), learn([renamed[one] for one in y])
    order = data.draw(st.permutations(range(len(y))))
    assert [ours.encode(y)[i] for i in order] == ours.encode([y[i] for i in order]).tolist()
    back = [renamed[one] for one in ours.decode(ours.encode(y))]
    assert back == theirs.decode(theirs.encode([renamed[one] for one in y])).tolist()


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.integers(), st.floats(),
    st.sampled_from(["a", "b", "1", " ", "1e9", "a\nb", 10**400]),
    st.text(max_size=3), st.lists(st.integers(0, 1), max_size=3), st.binary(max_size=2), st.complex_numbers(),
    st.datetimes(), st.decimals(),
)  # fmt: skip
ARRAYS = hnp.arrays(
    st.one_of(hnp.scalar_dtypes(), hnp.unicode_string_dtypes(max_len=3), hnp.byte_string_dtypes(max_len=3)),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@given(st.lists(VALUES, max_size=6) | ARRAYS, st.sampled_from([None, *TASKS]), st.booleans())
def test_whatever_is_given_is_learned_and_comes_back_or_is_refused_in_one_line(y, task, scale):
    problem = ""
    with warnings.catch_warnings(action="ignore"):
        try:
            schema, remarks = TargetSchema.learn(y, task=task, scale_by=y if scale else None)
            encoded = schema.encode(y)
        except (DataError, UsageError) as error:
            problem = str(error)
    assert "\n" not in problem
    if problem:
        return
    assert all("\n" not in remark for remark in remarks)
    assert task in (None, schema.task)
    assert TargetSchema.from_dict(schema.to_dict()) == schema
    assert np.isfinite(encoded).all()
    back = schema.decode(encoded)
    assert len(back) == len(y)
    if schema.n_classes and schema.form == "labels":
        assert schema.encode(back).tolist() == encoded.tolist()


def change(**fields):
    return learn(OBJECTS, names=["colour"]).to_dict() | fields


BROKEN = {
    "no dictionary": [1],
    "nothing": {},
    "no task": change(task="guess"),
    "a field too many": change(more=1),
    "classes twice": change(classes=["red", "red"]),
    "classes mixed": change(classes=[1, "red"]),
    "true and 1": change(classes=[True, 1]),
    "one class": change(classes=["red"], class_names=["red"]),
    "three for binary": change(classes=["a", "b", "c"], class_names=["a", "b", "c"]),
    "a class that is a list": change(classes=[["red"], ["blue"]]),
    "names missing": change(class_names=["red"]),
    "regression with classes": change(task="regression"),
    "several labels of words": change(task="multi-label", class_names=[]),
    "several columns of classes": change(width=2, names=[]),
    "no column": change(width=0),
    "names for other columns": change(names=["a", "b"]),
    "soft and binary": change(form="soft"),
    "another form": change(form="hard"),
    "classes that are scaled": change(mean=[0.0], std=[1.0]),
    "no spread": learn([1.5, 2.5]).to_dict() | {"mean": [0.0], "std": [0.0]},
    "a scale for another width": learn([1.5, 2.5]).to_dict() | {"mean": [0.0, 1.0], "std": [1.0, 1.0]},
    "mean alone": learn([1.5, 2.5]).to_dict() | {"mean": [0.0]},
    "NaN": learn([1.5, 2.5]).to_dict() | {"mean": [float("nan")], "std": [1.0]},
    "a text for a number": learn([1.5, 2.5]).to_dict() | {"decimals": "2"},
    "negative decimals": learn([1.5, 2.5]).to_dict() | {"decimals": -1},
    "a set": {1, 2},
}


@pytest.mark.parametrize("values", BROKEN.values(), ids=BROKEN)
def test_what_is_no_schema_is_refused_in_one_line(values):
    assert refused(DataError, TargetSchema.from_dict, values).startswith("no schema of a target: ")


def test_the_good_ones_that_the_broken_ones_come_from_are_read():
    assert TargetSchema.from_dict(change()) == learn(OBJECTS, names=["colour"])
    assert TargetSchema.from_dict(learn([1.5, 2.5]).to_dict()) == learn([1.5, 2.5])
