"""Arrays that remember how they were computed: the same numbers, and a program that gives them again."""

import base64

import numpy as np
import pytest

from glassnet.graph.traced import NotFollowedError, Tape, find_source, plain
from glassnet.nn.activations import ACTIVATIONS, softmax
from glassnet.nn.losses import LOSSES


@pytest.fixture
def tape():
    return Tape({"X": np.arange(6.0) / 3 - 0.9, "y": np.eye(3)[:2].ravel()})


@pytest.fixture
def x(tape):
    return tape.leaf("X", np.arange(6).reshape(2, 3))


def run(tape, place):
    """The value of an operation, computed again from the sources."""
    name, *rest = tape.operations[place]
    known = lambda: [run(tape, one) for one in rest]  # noqa: E731
    if name in ("leaf", "take"):
        values = np.ravel(tape.sources[rest[0]] if name == "leaf" else run(tape, rest[0]))
        places = [first + k for first, count in zip(rest[3::2], rest[4::2], strict=True) for k in range(count)]
        return values[places].reshape(rest[1], rest[2])
    if name == "constant":
        return np.broadcast_to(np.array(rest[2:]), (1, rest[0] * rest[1])).reshape(rest[:2])
    if name == "item":
        return np.atleast_2d(np.ravel(run(tape, rest[0]))[rest[1]])
    if name in ("sum", "max", "min"):
        axes = (0, 1) if rest[1] < 0 else rest[1]
        return getattr(run(tape, rest[0]), name)(axis=axes, keepdims=True)
    if name == "concatenate":
        return np.concatenate(known(), axis=1)
    return getattr(np, name)(*known()) * 1.0


def check(tape, traced, expected):
    np.testing.assert_array_equal(plain(traced), expected)
    np.testing.assert_allclose(run(tape, traced.place), np.atleast_2d(expected), rtol=1e-13)
    tape.sources["X"] = tape.sources["X"] * 1.5 + 0.1  # the program holds for other numbers as well
    return run(tape, traced.place)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations_are_followed(tape, x, name):
    activation = ACTIVATIONS.resolve(name)
    h = activation.f(x)
    slope = activation.f_prime(x, h) * 1.0
    expected = activation.f(x.value)
    if find_source(slope):
        again = check(tape, slope, activation.f_prime(x.value, expected) * 1.0)
        moved = tape.sources["X"].reshape(2, 3)
        np.testing.assert_allclose(again, activation.f_prime(moved, activation.f(moved)) * 1.0, rtol=1e-12)
    np.testing.assert_array_equal(plain(h), expected)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_losses_are_followed(tape, x, name):
    loss, y = LOSSES.resolve(name), tape.leaf("y", np.arange(6).reshape(2, 3))
    value, slope = loss.value_and_delta(x, y)
    expected = loss.value_and_delta(x.value, y.value)
    np.testing.assert_array_equal(plain(slope), expected[1])
    again = check(tape, value, expected[0])
    moved = loss.value_and_delta(tape.sources["X"].reshape(2, 3), y.value)
    np.testing.assert_allclose(again, np.atleast_2d(moved[0]), rtol=1e-12)
    np.testing.assert_allclose(run(tape, slope.place), moved[1], rtol=1e-12)


@pytest.mark.parametrize(
    "compute",
    [
        softmax,
        lambda x: x @ x.T,
        lambda x: x[0],
        lambda x: x[:, [2, 0]],
        lambda x: x[1, 2],
        lambda x: x[0][:, None] * x.sum(axis=1),
        lambda x: x.mean(axis=0) - x.min(axis=1, keepdims=True),
        lambda x: x.sum(axis=(0, 1), keepdims=True) + x.sum(axis=()),
        lambda x: np.concatenate([x, np.zeros((2, 1)), x], axis=1),
        lambda x: np.where(x > 0, x, np.clip(x, -0.5, 0.5)) + np.zeros((2, 3)),
        lambda x: np.sum(x, axis=1) * np.max(x),
    ],
)
def test_arrays_are_followed(tape, x, compute):
    again = check(tape, compute(x), compute(x.value))
    np.testing.assert_allclose(again, np.atleast_2d(compute(tape.sources["X"].reshape(2, 3))), rtol=1e-12)


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: x if x.max() > 0 else -x,
        lambda x: float(x[0, 0]),
        lambda x: np.asarray(x),
        lambda x: np.interp(x, [-1, 1], [0, 1]),
        lambda x: np.cumsum(x),
        lambda x: np.add.accumulate(x),
        lambda x: np.floor(x),
        lambda x: x.astype(np.float32),
    ],
)
def test_what_a_page_could_not_follow_is_refused(x, compute):
    with pytest.raises(NotFollowedError):
        compute(x)


def test_equal_operations_stand_once_and_only_what_is_shown_is_written(tape, x):
    one, other, unused = np.exp(x), np.exp(x), np.tanh(x)
    assert one.place == other.place != unused.place
    assert one[0, 1].source == f"{one.place}.1"
    sources, operations = tape.write()
    kind, text = sources["X"]
    assert np.frombuffer(base64.b64decode(text), f"<{kind}").tolist() == np.ravel(tape.sources["X"]).tolist()
    assert [operation and operation[0] for operation in operations] == ["leaf", "exp", 0, 0]
    assert operations[0] == ("leaf", "X", 2, 3, 0, 6)
    assert find_source(x.value) == ""
