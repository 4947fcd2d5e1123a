"""What is done to a gradient and to theta around an optimizer's rule, each worked out by hand.

Most tests take the two parameters w and b of a network of one input and one output; `walked` says where they are
after steps with the given gradients.
"""

import numpy as np
import pytest
from tests.loops import for_each

from glassnet.errors import UsageError
from glassnet.nn.network import Network
from glassnet.nn.optimizers import KFAC, OPTIMIZERS, SGD, Adam, AdamW, Momentum, Muon, OptimizerState
from glassnet.nn.parameters import Parameters
from glassnet.nn.update import Update, shorten

#: Optimizers that are a rule for each parameter by itself.
RULES = [name for name in sorted(OPTIMIZERS) if Update(OPTIMIZERS.resolve(name)).elementwise]


def parameters(theta, gradient=0.0, layers=(1, 1), dtype=np.float64, batch_norm=None):
    made = Parameters(layers, dtype, batch_norm)
    made.theta[:], made.gradient[:] = theta, gradient
    return made


def walked(update, theta, *gradients, factor=1.0, **options):
    """Return theta after a step for each gradient."""
    p = parameters(theta, **options)
    state = update.start(p)
    for gradient in gradients:
        p.gradient[:] = gradient
        update.step(p, state, factor)
    return p.theta.tolist()


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# One at a time


@pytest.mark.parametrize(
    ("options", "gradient", "expected"),
    [
        # w = 2, b = 3, learning rate 1/2
        ({}, [1, 1], [1.5, 2.5]),
        ({"l2": 0.5}, [1, 1], [2 - 0.5 * (1 + 0.5 * 2), 2.5]),
        ({"l1": 0.5}, [1, 1], [2 - 0.5 * (1 + 0.5), 2.5]),
        ({"l1": 0.25, "l2": 0.5}, [0, 0], [2 - 0.5 * (0.25 + 1), 3]),
        ({"weight_decay": 0.5}, [1, 1], [2 - 0.5 * 0.5 * 2 - 0.5, 2.5]),
        ({"clip_value": 0.5}, [4, -3], [1.75, 3.25]),
        ({"clip_value": 0.5}, [0.25, -0.5], [1.875, 3.25]),
        ({"clip_norm": 2.5}, [3, -4], [2 - 0.5 * 1.5, 3 + 0.5 * 2]),
        ({"clip_norm": 5}, [3, -4], [0.5, 5]),
        ({"clip_norm": 6}, [3, -4], [0.5, 5]),  # what is short stays as it is
        ({"clip_norm": 1}, [0, 0], [2, 3]),
        ({"max_norm": 0.1}, [1, 1], [1.5, 2.5]),  # the output's weights may be long
        ({"ema": 0.9}, [1, 1], [1.5, 2.5]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_by_hand(options, gradient, expected, dtype):
    assert walked(Update(SGD(0.5), **options), [2, 3], gradient, dtype=dtype) == expected


def test_a_gradient_whose_square_no_float32_holds_is_shortened_and_not_lost():
    for options in ({"clip_norm": 5}, {"clip_norm": 5, "clip_value": 4}):
        made = walked(Update(SGD(0.5), **options), [2, 3], [3e20, -4e20], dtype=np.float32)
        np.testing.assert_allclose(made, [2 - 0.5 * 3, 3 + 0.5 * 4], rtol=1e-6)


def test_the_slope_of_l1_follows_the_sign_and_is_nothing_at_zero():
    made = walked(Update(SGD(1.0), l1=0.5), [4, -4, 0, 7], [0] * 4, layers=(3, 1))
    assert made == [3.5, -3.5, 0, 7]


@pytest.mark.parametrize("options", [{"l1": 0.5, "l2": 0.25, "weight_decay": 0.5}])
@pytest.mark.parametrize("optimizer", [SGD(0.5), Muon(0.5)])
def test_biases_and_scales_are_not_penalised(options, optimizer):
    p = parameters(3.0, 0.0, (2, 3, 2), batch_norm=(True, False))
    Update(optimizer, **options).step(p, Update(optimizer, **options).start(p))
    assert all((W < 3).all() for W in p.W)
    for kept in (*p.b, p.gamma[0]):
        assert (kept == 3).all()


def test_gradients_of_biases_and_scales_are_clipped_with_the_rest():
    for options in ({"clip_value": 0.25}, {"clip_norm": 0.25 * np.sqrt(14 + 3 * 1)}):
        p = parameters(0.0, 1.0, (2, 3, 2), batch_norm=(True, False))
        assert len(p.theta) == 20
        Update(SGD(1.0), **options).step(p, OptimizerState())
        assert len(set(p.theta.tolist())) == 1
        assert p.theta[0] == pytest.approx(-0.25 if "clip_value" in options else -0.25 * np.sqrt(17 / 20))


def test_weights_into_a_hidden_unit_are_shortened_unit_by_unit():
    """Columns of W1: (3, 4) is 5 long, (0.3, 0.4) half a one, (0, 0) has no direction; b and W2 stay."""
    theta = [3, 0.3, 0, 4, 0.4, 0, 9, 9, 9, 8, 8, 8, 7]
    made = walked(Update(SGD(1.0), max_norm=1), theta, [0] * 13, layers=(2, 3, 1))
    np.testing.assert_allclose(made, [0.6, 0.3, 0, 0.8, 0.4, 0, *theta[6:]], rtol=1e-15)


def test_a_length_is_shortened_to_the_limit_and_never_made_longer():
    lengths = np.array([0, 0.5, 1, 2, 8], np.float32)
    factors = shorten(lengths, 1.0)
    assert factors.dtype == np.float32
    assert factors.tolist() == [1, 1, 1, 0.5, 0.125]
    assert shorten(4.0, 3.0) == 0.75


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0), (0, 0.7), (0.2, 0.4)])
def test_the_slopes_of_the_penalties_are_the_derivatives_of_the_penalties(l1, l2):
    """With a gradient of 0 and a learning rate of 1, a step is minus the slope of l1 |W|_1 + l2/2 |W|^2."""
    p = parameters(noise(29), 0.0, (3, 4, 2, 1))
    before, h = p.like(np.float64), 1e-6

    def penalty(theta):
        probe = parameters(theta, layers=(3, 4, 2, 1))
        return sum(l1 * np.abs(W).sum() + l2 / 2 * (W * W).sum() for W in probe.W)

    Update(SGD(1.0), l1=l1, l2=l2).step(p, OptimizerState())
    for index in range(29):
        move = h * (np.arange(29) == index)
        slope = (penalty(before.theta + move) - penalty(before.theta - move)) / (2 * h)
        assert before.theta[index] - p.theta[index] == pytest.approx(slope, abs=1e-8)


# The average


def test_the_average_by_hand():
    """Steps of 1 down from 10: theta 9, 8, 7; d = 2/11, 3/12, 4/13, all below 0.9."""
    update, p = Update(SGD(1.0), ema=0.9), parameters([10, 0], [1, 0])
    state, average = update.start(p), 10.0
    assert update.average(state).tolist() == [10, 0]
    for t in (1, 2, 3):
        update.step(p, state)
        d = (1 + t) / (10 + t)
        average = d * average + (1 - d) * (10 - t)
        np.testing.assert_allclose(update.average(state), [average, 0], rtol=1e-15)
    assert p.theta.tolist() == [7, 0]


@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.1), Muon(0.1)])
def test_the_average_keeps_ema_of_itself_after_the_first_steps(optimizer):
    """(1 + t) / (10 + t) is 1/2 at t = 8: from there on half of the average is new."""
    update, p = Update(optimizer, ema=0.5), parameters(noise(9), layers=(2, 2, 1))
    state, average = update.start(p), p.theta.copy()
    for t in range(1, 15):
        p.gradient[:] = noise(9, seed=t)
        update.step(p, state)
        d = 0.5 if t >= 8 else (1 + t) / (10 + t)
        average = d * average + (1 - d) * p.theta
        np.testing.assert_allclose(update.average(state), average, rtol=1e-12)
    assert state.t == 14


@pytest.mark.parametrize("optimizer", [*RULES, "muon"])
def test_the_average_does_not_touch_the_walk(optimizer):
    optimizer, gradients = OPTIMIZERS.resolve(optimizer), noise(5, 9)
    plain, averaged = (
        walked(Update(optimizer, ema=ema), noise(9), *gradients, layers=(2, 2, 1)) for ema in (None, 0.9)
    )
    assert plain == averaged


def test_without_ema_there_is_no_average():
    update, p = Update(Adam()), parameters([1, 2])
    state = update.start(p)
    assert update.average(state) is None
    assert (update.memory_vectors, len(state.memory)) == (2, 2)
    averaged = Update(Adam(), ema=0.9)
    assert (averaged.memory_vectors, len(averaged.start(p).memory)) == (3, 3)
    assert not np.shares_memory(averaged.average(averaged.start(p)), p.theta)


# All together


def test_the_order_by_hand():
    """W1 is 1 x 1: w = 3, its gradient 6; b, W2, b2 have gradients 8, 0, 0. Learning rate 1/2, one step.

    The norm 10 is shortened to 5: 3, 4; then each to 3.5: 3, 3.5. Penalties: 3 + 2 * 3 + 1 = 10. The weight
    shrinks: 3 - 1/2 * 1 * 3 = 1.5; a step: 1.5 - 5 = -3.5, cut to the length 2: -2. b: 0 - 1.75.
    """
    options = {"clip_norm": 5, "clip_value": 3.5, "l2": 2, "l1": 1, "weight_decay": 1, "max_norm": 2}
    made = walked(Update(SGD(0.5), **options), [3, 0, 0, 0], [6, 8, 0, 0], layers=(1, 1, 1))
    np.testing.assert_allclose(made, [-2, -1.75, 0, 0], rtol=1e-15)


def test_the_average_is_of_theta_before_it_is_shortened():
    """W1 = 3 stays 3 in a step by nothing and is cut to 2: the average of 3 and 3 is 3, then 3/4 of 2 joins it."""
    update, p = Update(SGD(0.5), max_norm=2, ema=0.9), parameters([3, 0, 0, 0], layers=(1, 1, 1))
    state, seen = update.start(p), []
    for _ in range(2):
        update.step(p, state)
        seen.append((p.theta[0], update.average(state)[0]))
    np.testing.assert_allclose(seen, [(2, 3), (2, 0.25 * 3 + 0.75 * 2)], rtol=1e-15)


def test_the_optimizer_remembers_the_clipped_and_penalised_gradient():
    """v = -1/2 (1/2 + 1/2 * 2) = -3/4 for w, then v = v / 2 - 1/2 (1/2 + 1/2 * 5/4)."""
    update = Update(Momentum(0.5, momentum=0.5), l2=0.5, clip_value=0.5)
    first, second = (walked(update, [2, 0], *[[4, 0]] * steps) for steps in (1, 2))
    assert first == [1.25, 0]
    assert second == [1.25 - 0.375 - 0.5 * (0.5 + 0.625), 0]


def test_the_decay_of_a_step_and_that_of_adamw_are_the_same():
    """On weights: AdamW shrinks biases too, `weight_decay` of an update does not."""
    gradients = noise(6, 2)
    by_update = walked(Update(Adam(0.1), weight_decay=0.3), [2.0, 5], *gradients)
    by_adamw = walked(Update(AdamW(0.1, weight_decay=0.3)), [2.0, 5], *gradients)
    plain = walked(Update(Adam(0.1)), [2.0, 5], *gradients)
    assert by_update[0] == pytest.approx(by_adamw[0], rel=1e-14)
    assert by_update[0] != pytest.approx(plain[0], rel=1e-3)
    assert by_update[1] == plain[1]


@for_each("optimizer", RULES)
def test_an_update_of_nothing_but_the_optimizer_is_the_optimizer(optimizer):
    optimizer, theta, gradients = OPTIMIZERS.resolve(optimizer), noise(9), noise(5, 9)
    state, moved = optimizer.start(theta), theta.copy()
    for gradient in gradients:
        optimizer.step(moved, gradient, state)
    assert walked(Update(optimizer), theta, *gradients, layers=(2, 2, 1)) == moved.tolist()


# The schedule's factor


@pytest.mark.parametrize("optimizer", [*RULES, "muon"])
def test_a_factor_multiplies_the_learning_rate(optimizer):
    options, gradients = {"weight_decay": 0.3, "l2": 0.1}, noise(4, 9)
    scaled, other = (
        walked(
            Update(OPTIMIZERS.resolve(f"{optimizer}(learning_rate={rate})"), **options),
            noise(9), *gradients, layers=(2, 2, 1), factor=factor,
        )
        for rate, factor in ((0.08, 0.25), (0.02, 1.0))
    )  # fmt: skip
    np.testing.assert_allclose(scaled, other, rtol=1e-13)


def test_a_factor_scales_the_decay_and_not_the_penalty():
    """w = 2, learning rate 1/2, factor 1/2: eta = 1/4. Decay: 2 - 1/4 * 2; l2: 2 - 1/4 * (1 * 2)."""
    assert walked(Update(SGD(0.5), weight_decay=1), [2, 0], [0, 0], factor=0.5) == [1.5, 0]
    assert walked(Update(SGD(0.5), l2=1), [2, 0], [0, 0], factor=0.5) == [1.5, 0]
    # a momentum tells them apart: v holds eta times the penalty, never the decay
    assert walked(Update(Momentum(0.5, momentum=0.5), weight_decay=1), [2, 0], [0, 0], [0, 0], factor=0.5)[0] == (
        2 * 0.75**2
    )
    assert walked(Update(SGD(0.5, update_scale=4), weight_decay=0.25), [2, 0], [0, 0], factor=0.5) == [1.5, 0]


def test_each_step_has_its_own_factor():
    p, update = parameters([0, 0], [1, 0]), Update(SGD(1.0))
    state = update.start(p)
    for factor in (1.0, 0.5, 0.25):
        update.step(p, state, factor)
    assert p.theta.tolist() == [-1.75, 0]


# Numbers


@pytest.mark.parametrize("optimizer", [*RULES, "muon"])
def test_float32_stays_float32(optimizer):
    everything = {
        "l1": 0.01, "l2": 0.02, "weight_decay": 0.1, "clip_norm": 0.5, "clip_value": 0.2, "max_norm": 0.7,
        "ema": 0.9,
    }  # fmt: skip
    update = Update(OPTIMIZERS.resolve(optimizer), **everything)
    p = parameters(noise(9), noise(9, seed=1), (2, 2, 1), np.float32)
    double, before = p.like(np.float64), p.gradient.astype(np.float64)
    states = [update.start(made) for made in (p, double)]
    for _ in range(4):
        p.gradient[:] = double.gradient[:] = before
        update.step(p, states[0], 0.5)
        update.step(double, states[1], 0.5)
    assert {v.dtype for v in (p.theta, p.gradient, *states[0].memory)} == {np.dtype("float32")}
    np.testing.assert_allclose(p.theta, double.theta, rtol=1e-4, atol=1e-6)
    if update.elementwise:
        numbers = update.numbers(5, 0.5, weights=True)
        new = update.rule(p.theta, p.gradient, *states[0].memory, **numbers)
        assert {values.dtype for values in new} == {np.dtype("float32")}


def test_numbers_may_be_asked_for_many_steps_at_once():
    update = Update(AdamW(0.5), l1=0.1, l2=0.2, weight_decay=0.3, ema=0.6)
    t, factors = np.arange(1.0, 20), np.linspace(1, 0.1, 19)
    for weights in (True, False):
        many = update.numbers(t, factors, weights=weights)
        for k in range(19):
            one = update.numbers(int(t[k]), float(factors[k]), weights=weights)
            assert {name: np.broadcast_to(values, 19)[k] for name, values in many.items()} == pytest.approx(one)
    assert many["penalty_1"] == many["penalty_2"] == 0
    assert not many["shrink"].any()


# Optimizers with a step of their own


def test_only_rules_are_elementwise():
    assert RULES == ["adagrad", "adam", "adamw", "gd", "momentum", "nesterov", "rmsprop", "sgd"]
    assert not Update(Muon()).elementwise
    assert not Update(KFAC()).elementwise


def test_muon_gets_what_is_left_of_the_gradient_and_theta():
    """By hand around Muon's own step: clipped and penalised before it, shrunk before it, shortened after it."""
    options = {"clip_norm": 1.5, "clip_value": 0.4, "l1": 0.1, "l2": 0.2, "weight_decay": 0.5, "max_norm": 0.9}
    update, muon = Update(Muon(0.1), **options), Muon(0.05)
    p = parameters(noise(17), layers=(2, 3, 2))
    q = p.like(np.float64)
    state, known = update.start(p), muon.start(q.theta, q)
    for step in range(3):
        p.gradient[:] = q.gradient[:] = noise(17, seed=step + 1)
        update.step(p, state, 0.5)
        q.gradient *= min(1, 1.5 / np.linalg.norm(q.gradient))
        q.gradient.clip(-0.4, 0.4, out=q.gradient)
        for W, dW in zip(q.W, q.dW, strict=True):
            dW += 0.2 * W + 0.1 * np.sign(W)
            W *= 1 - 0.05 * 0.5
        muon.step(q.theta, q.gradient, known)
        for column in q.W[0].T:
            column *= min(1, 0.9 / np.linalg.norm(column))
        np.testing.assert_allclose(p.theta, q.theta, rtol=1e-12)
        np.testing.assert_allclose(state.memory, known.memory, rtol=1e-12)
    assert state.t == 3


def test_kfac_may_be_averaged_and_scaled_too():
    update = Update(KFAC(0.2), ema=0.9, weight_decay=0.1)
    network = Network([3, 4, 2], "tanh", dtype="float64")
    X, targets = noise(6, 3), np.eye(2)[np.arange(6) % 2]
    state, kfac = update.start(network.parameters), KFAC(0.1)
    other = network.copy()
    known, average = kfac.start(other.theta, other.parameters), network.theta.copy()
    for t in (1, 2, 3):
        for net, optimizer, memory in ((network, update.optimizer, state), (other, kfac, known)):
            trace = net.forward(X)
            net.backward(trace, targets)
            optimizer.observe(trace, memory)
        update.step(network.parameters, state, 0.5)
        for W in other.W:
            W *= 1 - 0.1 * 0.1
        kfac.step(other.theta, other.gradient, known)
        average += (1 - (1 + t) / (10 + t)) * (other.theta - average)
        np.testing.assert_allclose(network.theta, other.theta, rtol=1e-12)
        np.testing.assert_allclose(update.average(state), average, rtol=1e-12)


# What is refused


@pytest.mark.parametrize(
    ("option", "good", "bad", "said"),
    [
        ("l1", [0, 1e-9, 5, np.float32(0.5)], [-1e-9], ">= 0"),
        ("l2", [0, 1e-9, 5], [-1], ">= 0"),
        ("weight_decay", [0, 0.1, np.int64(1)], [-0.1], ">= 0"),
        ("clip_norm", [1e-9, 5, None], [0, -1], "> 0"),
        ("clip_value", [1e-9, 5, None], [0, -1], "> 0"),
        ("max_norm", [1e-9, 5, None], [0, -1], "> 0"),
        ("ema", [1e-9, 0.999, None], [0, 1, 1.5, -0.1], "between 0 and 1"),
    ],
)
def test_options_keep_to_their_ranges(option, good, bad, said):
    for value in good:
        assert getattr(Update(SGD(), **{option: value}), option) == value
    for value in bad:
        with pytest.raises(UsageError, match=f"^{option}: must be {said}, got"):
            Update(SGD(), **{option: value})
    for value in (np.nan, np.inf, "0.1", True, 1j):
        with pytest.raises(UsageError, match=f"^{option}: must be a finite number, got") as caught:
            Update(SGD(), **{option: value})
        assert caught.value.name == option


def test_a_numpy_number_is_as_good_as_pythons():
    """A NumPy float64 would turn the float32 arithmetic of the rule into float64, and other bits."""
    options = {
        "l1": 0.01, "l2": 0.1, "weight_decay": 0.3, "clip_norm": 0.7, "clip_value": 0.3, "max_norm": 0.9,
        "ema": 0.9,
    }  # fmt: skip
    walks = [
        walked(
            Update(SGD(0.1), **{name: kind(value) for name, value in options.items()}),
            noise(9), *noise(5, 9), layers=(2, 2, 1), dtype=np.float32,
        )
        for kind in (float, np.float64)
    ]  # fmt: skip
    assert walks[0] == walks[1]
