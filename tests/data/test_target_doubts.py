"""What in a target can only be a mistake is refused; what looks like one is said."""

import numpy as np
import pytest

from glassnet.data.blanks import shows_nothing, simplify
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import DataError


def learn(values, **options):
    return TargetSchema.learn(values, **options)


@pytest.mark.parametrize("task", [None, "multi-class"])
def test_a_few_fractions_among_labels_are_refused_by_the_first(task):
    y = np.tile([0.0, 1.0, 2.0], 10)
    y[[4, 9]] = 0.5, 0.25
    with pytest.raises(DataError, match=r"row 5 \(y\[4\]\) is 0.5 among 38 whole numbers \(0, 1, 2\); correct it"):
        learn(np.concatenate([y, np.tile([0.0, 1.0], 5)]), task=task)
    assert learn(y, task="regression")[0].task == "regression"
    assert learn(y, classes=[0, 0.25, 0.5, 1, 2])[0].n_classes == 5


@pytest.mark.parametrize(
    "y",
    [
        np.arange(60) / 2,  # half of them
        np.append(np.arange(39.0), 0.5),  # more distinct whole numbers than classes
        [1.0, 2.0, 3.0, 2.5],  # no class comes back
        np.append(np.ones(30), [0.5]),  # one class only
    ],
)
def test_other_fractions_are_regressed(y):
    assert learn(y)[0].task == "regression"


@pytest.mark.parametrize("dtype", [np.int64, np.float64, object])
def test_a_few_negative_labels_are_refused_by_the_first(dtype):
    y = np.tile([0, 1, 2], 14).astype(dtype)
    y[[7, 8]] = -1
    with pytest.raises(DataError, match=r"row 8 \(y\[7\]\) is -1, a negative label among 0 to 2"):
        learn(y)
    assert learn(y, classes=[-1, 0, 1, 2])[0].n_classes == 4


@pytest.mark.parametrize("classes", [[-1, 1], [-1, 0], [-2, -1, 0, 1], [-1, 1, 2], [-1, 0, 2]])
def test_negative_classes_that_may_be_meant_are_classes(classes):
    assert learn(np.repeat(classes, 10))[0].classes == tuple(classes)
    assert learn(np.append(np.repeat([-1, 1], 20), 0))[0].classes == (-1, 0, 1)


def test_classes_that_look_like_typing_errors_are_said():
    words = ["cat", "dog"] * 10
    remarks = learn([*words, "Cat", "d\u200bog "])[1]
    advice = "are 2 classes, though they differ in capitals or blanks alone; if they are one, write it in one way"
    assert remarks[1:] == (
        f"target: 'Cat' and 'cat' {advice}",
        f"target: 'dog' and 'd\\u200bog ' {advice}",
        "target: one row only has the class 'Cat', row 21 (y[20]), and 1 more such: a typo?",
    )
    assert learn([*words, "cow"])[1][1:] == ("target: one row only has the class 'cow', row 21 (y[20]): a typo?",)
    assert learn([*words, "n/a"] * 2)[1][1:] == (
        "target: 'n/a' is taken as a class; where it stands for a missing value, the option missing=n/a says so",
    )
    assert len(learn(["cat", "dog", "dog", "dog", "dog", "cow"])[1]) == 1


def test_what_shows_nothing_is_blank():
    assert all(map(shows_nothing, ["", " ", "\u00a0\u3000", "\u200b", "\ufeff ", "\u3164", "\x1c\t"]))
    assert not any(map(shows_nothing, ["x", "\u200bx", "0", "\u4e00", "."]))
    assert simplify(" Ca\u200bt\uff01") == simplify("cat!")
