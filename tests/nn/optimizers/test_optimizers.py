import copy
import inspect
import json
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path

import numpy as np
import pytest
from tests.loops import for_each

from glassnet.errors import UsageError
from glassnet.nn.optimizers import OPTIMIZERS, SGD, Adam, Optimizer, base
from glassnet.nn.optimizers.base import BLOCK

#: Those that are a rule for each parameter by itself; the others have tests of their own.
NAMES = [name for name in sorted(OPTIMIZERS) if OPTIMIZERS.factory(name).step is Optimizer.step]
CASES = json.loads(Path(__file__).with_name("optimizer_trajectories.json").read_text())["cases"]


def build(name, **options):
    return OPTIMIZERS.factory(name)(**options)


def walk(optimizer, theta, gradients):
    """Take a step for each gradient and return every theta on the way."""
    theta, state, path = np.array(theta), optimizer.start(np.array(theta)), []
    for gradient in gradients:
        optimizer.step(theta, np.array(gradient), state)
        path.append(theta.copy())
    return np.array(path)


def noise(*shape, dtype=np.float64):
    return np.random.default_rng(3).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['optimizer']} {case['options']}")
def test_ten_steps_follow_the_independent_implementation(case):
    path = walk(build(case["optimizer"], **case["options"]), case["start"], case["gradients"])
    np.testing.assert_allclose(path, case["thetas"], rtol=1e-10, atol=1e-12)


def test_every_optimizer_has_a_trajectory():
    assert {case["optimizer"] for case in CASES} == set(NAMES)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        # learning rate 0.5, gradients 2 and -1 from theta = 1; the other numbers are those given here
        ("sgd", 0.0, 0.5),
        ("gd", 0.0, 0.5),
        ("momentum", 0.0, 0.0),  # v = -1, then -0.5 + 0.5 = 0
        ("nesterov", -0.5, 0.0),  # theta + 0.5 v - 1, then v = 0: theta + 0 + 0.5
        ("adagrad", 0.6, 0.6 + 0.5 / (np.sqrt(5) + 0.5)),
        ("rmsprop", 1 - 1 / 1.5, 1 - 1 / 1.5 + 0.5 / (np.sqrt(1.0) + 0.5)),
    ],
)
def test_two_steps_by_hand(name, first, second):
    given = {"learning_rate": 0.5, "momentum": 0.5, "rho": 0.75, "epsilon": 0.5}
    known = {option.name for option in fields(OPTIMIZERS.factory(name))}
    optimizer = build(name, **{option: value for option, value in given.items() if option in known})
    path = walk(optimizer, [1.0], [[2.0], [-1.0]])
    np.testing.assert_allclose(path[:, 0], [first, second], rtol=1e-14, atol=1e-15)


def test_adamw_shrinks_theta_before_the_step_and_adam_does_not():
    """With a gradient of zero only the decay moves: 2 (1 - 0.5 * 0.1)."""
    assert walk(build("adamw", learning_rate=0.5, weight_decay=0.1), [2.0], [[0.0]])[0] == 1.9
    assert walk(build("adam", learning_rate=0.5), [2.0], [[0.0]])[0] == 2
    decayed = walk(build("adamw", learning_rate=0.5, weight_decay=0), [2.0, 1], noise(6, 2))
    np.testing.assert_array_equal(decayed, walk(build("adam", learning_rate=0.5), [2.0, 1], noise(6, 2)))


@pytest.mark.parametrize(
    ("name", "defaults"),
    [
        ("gd", (0.1,)),
        ("sgd", (0.1,)),
        ("momentum", (0.01, 0.9)),
        ("nesterov", (0.01, 0.9)),
        ("adagrad", (0.01, 1e-7)),
        ("rmsprop", (0.001, 0.9, 1e-7)),
        ("adam", (0.001, 0.9, 0.999, 1e-8)),
        ("adamw", (0.001, 0.9, 0.999, 1e-8, 0.01)),
    ],
)
def test_the_defaults_are_the_published_ones(name, defaults):
    optimizer = build(name)
    assert optimizer == build(name, **dict(zip(_options(name), defaults, strict=True)))
    assert optimizer.update_scale == 1


def _options(name):
    return [option.name for option in fields(OPTIMIZERS.factory(name)) if option.name != "update_scale"]


@for_each("name", NAMES)
def test_update_scale_multiplies_the_learning_rate(name):
    gradients = noise(8, 5)
    scaled = walk(build(name, learning_rate=0.02, update_scale=2.5), noise(5), gradients)
    np.testing.assert_allclose(scaled, walk(build(name, learning_rate=0.05), noise(5), gradients), rtol=1e-12)
    assert not np.allclose(scaled, walk(build(name, learning_rate=0.02), noise(5), gradients))


@for_each("name", NAMES)
def test_every_optimizer_lowers_a_bowl(name):
    optimizer, theta = build(name, learning_rate=0.05), np.array([3.0, -2.0])
    state, curvature = optimizer.start(theta), np.array([1.0, 4.0])
    for _ in range(300):
        optimizer.step(theta, curvature * theta, state)
    assert curvature @ theta**2 < 0.5 * curvature @ np.array([9.0, 4.0])


@pytest.mark.parametrize("name", NAMES)
def test_blocks_give_what_one_sweep_gives(name, monkeypatch):
    size = 2 * BLOCK + 7
    theta, gradients = noise(size), np.array([noise(size), -0.3 * noise(size), noise(size) ** 2])
    blocked = walk(build(name), theta, gradients)
    monkeypatch.setattr(base, "BLOCK", size)
    np.testing.assert_array_equal(blocked, walk(build(name), theta, gradients))
    assert (blocked[0] != theta).all()


@for_each("name", NAMES)
def test_elements_do_not_see_one_another(name):
    theta, gradients = noise(4), noise(5, 4)
    together = walk(build(name), theta, gradients)
    apart = np.hstack([walk(build(name), theta[i : i + 1], gradients[:, i : i + 1]) for i in range(4)])
    np.testing.assert_allclose(together, apart, rtol=1e-15)


@for_each("name", NAMES)
def test_each_walk_has_its_own_memory(name):
    optimizer, theta = build(name), noise(3)
    first, second = optimizer.start(theta), optimizer.start(theta)
    assert len(first.memory) == optimizer.memory_vectors
    optimizer.step(theta.copy(), noise(3), first)
    assert (first.t, second.t) == (1, 0)
    assert all(vector.any() for vector in first.memory)
    assert not any(vector.any() for vector in second.memory)
    np.testing.assert_array_equal(walk(optimizer, theta, noise(4, 3)), walk(build(name), theta, noise(4, 3)))


@for_each("name", NAMES)
def test_float32_stays_float32_and_the_gradient_is_left_alone(name):
    optimizer, theta, gradient = build(name), noise(5, dtype=np.float32), noise(5, dtype=np.float32)
    before, state = gradient.copy(), optimizer.start(theta)
    expected = walk(optimizer, theta.astype(float), [gradient.astype(float)] * 3)[-1]
    for _ in range(3):
        optimizer.step(theta, gradient, state)
    new = optimizer.rule(theta, gradient, *state.memory, t=4, eta=0.1, **_hyper_parameters(optimizer))
    assert {values.dtype for values in (*new, *state.memory)} == {np.dtype("float32")}
    np.testing.assert_allclose(theta, expected, rtol=1e-5)
    np.testing.assert_array_equal(gradient, before)


def _hyper_parameters(optimizer):
    return {name: getattr(optimizer, name) for name in _options(optimizer.name) if name != "learning_rate"}


def test_only_gd_and_lbfgs_take_the_whole_batch():
    assert [name for name in sorted(OPTIMIZERS) if OPTIMIZERS.factory(name).full_batch] == ["gd", "lbfgs"]


# Specifications and ranges


@for_each("name", NAMES)
def test_a_specification_leads_back_to_the_same_optimizer(name):
    assert OPTIMIZERS.resolve(build(name).spec) == build(name)
    odd = build(name, **dict.fromkeys(_options(name), 0.1 + 1e-17 + 0.037), update_scale=1 / 3)
    assert OPTIMIZERS.resolve(odd.spec) == odd
    assert OPTIMIZERS.resolve(odd.spec) != replace(odd, update_scale=1)


def test_a_specification_may_be_short():
    assert OPTIMIZERS.resolve("adam(0.01, beta2=0.99)") == Adam(learning_rate=0.01, beta2=0.99)
    assert OPTIMIZERS.resolve("adam") == Adam()


BOUNDS = {
    "learning_rate": ([1e-9, 5], [0, -1], "> 0"),
    "update_scale": ([1e-9, 5], [0, -1], "> 0"),
    "epsilon": ([1e-12, 1], [0, -1e-8], "> 0"),
    "momentum": ([0, 0.999], [1, -0.1], r"in \[0, 1\)"),
    "rho": ([0, 0.999], [1, -0.1], r"in \[0, 1\)"),
    "beta1": ([0, 0.999], [1, -0.1], r"in \[0, 1\)"),
    "beta2": ([0, 0.999], [1, -0.1], r"in \[0, 1\)"),
    "weight_decay": ([0, 3], [-0.1], ">= 0"),
}


@pytest.mark.parametrize(
    ("name", "option"), [(name, o) for name in NAMES for o in [*_options(name), "update_scale"]]
)
def test_hyper_parameters_keep_to_their_ranges(name, option):
    good, bad, said = BOUNDS[option]
    for value in good:
        assert getattr(build(name, **{option: value}), option) == value
    for value in bad:
        with pytest.raises(UsageError, match=f"^{option}: must be {said}, got"):
            build(name, **{option: value})
    for value in (np.nan, np.inf, "0.1", True, None, 1j):
        with pytest.raises(UsageError, match=f"^{option}: must be a finite number, got"):
            build(name, **{option: value})


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("adam(0.1, 0.9, 0.99, 1e-8, 1)", "does not fit adam"),
        ("sgd(velocity=0.9)", "does not fit sgd.*velocity"),
        ("sgd(momentum=1.5)", r"sgd: momentum: must be in \[0, 1\)"),
        ("sgd(nesterov=True)", "sgd: nesterov: needs a momentum > 0"),
        ("sgd(momentum=0.9, nesterov=1)", "sgd: nesterov: must be true or false"),
        ("adamm", "did you mean 'adam"),
        ("sgd(fast)", "learning_rate: must be a finite number, got 'fast'"),
    ],
)
def test_what_cannot_be_an_optimizer_is_refused(spec, problem):
    with pytest.raises(UsageError, match=problem):
        OPTIMIZERS.resolve(spec)


def test_the_optimizers_are_those_with_a_rule_and_three_with_a_step_of_their_own():
    assert set(OPTIMIZERS) == {*NAMES, "muon", "kfac", "lbfgs"}
    assert len(NAMES) == 8


@pytest.mark.parametrize(
    ("spec", "same"),
    [
        ("sgd(0.1, momentum=0.9)", "momentum(0.1, momentum=0.9)"),
        ("sgd(momentum=0.8, update_scale=0.5)", "momentum(0.1, momentum=0.8, update_scale=0.5)"),
        ("sgd(0.2, momentum=0.9, nesterov=True)", "nesterov(0.2, momentum=0.9)"),
        ("sgd(0.2, momentum=0)", "sgd(0.2)"),
        ("sgd(0.2, momentum=0.0, nesterov=False, update_scale=2)", "sgd(0.2, update_scale=2)"),
    ],
)
def test_sgd_with_a_momentum_is_the_optimizer_of_that_name(spec, same):
    optimizer = OPTIMIZERS.resolve(spec)
    assert optimizer == OPTIMIZERS.resolve(same)
    assert type(optimizer) is type(OPTIMIZERS.resolve(same))
    assert OPTIMIZERS.resolve(optimizer.spec) == optimizer
    assert pickle.loads(pickle.dumps(optimizer)) == copy.deepcopy(optimizer) == optimizer


def test_sgd_without_a_momentum_says_so_and_can_be_changed():
    assert (SGD(0.1).momentum, SGD(0.1).nesterov) == (0, False)
    assert SGD(0.1).spec == "sgd(learning_rate=0.1, update_scale=1.0)"
    assert replace(SGD(0.1, update_scale=3), learning_rate=0.2) == SGD(0.2, update_scale=3)
    assert list(inspect.signature(SGD).parameters) == ["learning_rate", "momentum", "nesterov", "update_scale"]


def test_an_optimizer_is_a_value():
    with pytest.raises(FrozenInstanceError):
        Adam().learning_rate = 1


def test_an_own_optimizer_is_a_rule_and_its_numbers():
    class SignDescent(Optimizer):
        name = "sign"
        rule = staticmethod(lambda theta, g, t, eta: (theta - eta * np.sign(g),))
        memory_vectors = 0

    np.testing.assert_allclose(walk(SignDescent(0.25), [1.0, 1.0], [[3.0, -7.0]]), [[0.75, 1.25]])


@pytest.mark.parametrize("number", [np.float64(0.001), np.float32(0.25), np.int64(1)])
def test_a_numpy_number_is_as_good_as_pythons(number):
    """A NumPy float64 would turn the float32 arithmetic of the rule into float64, and other bits."""
    theta = np.linspace(-1, 1, 7, dtype=np.float32)
    results = []
    for learning_rate in (number, number.item()):
        optimizer, moved = Adam(learning_rate), theta.copy()
        assert OPTIMIZERS.resolve(optimizer.spec) == optimizer
        optimizer.step(moved, np.sin(9 * theta), optimizer.start(moved))
        results.append(moved.tobytes())
    assert results[0] == results[1]
