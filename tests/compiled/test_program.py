"""The compiled program against the formulas as NumPy evaluates them, step for step.

The same text is run by Python here, for all there is to combine, and compiled, for a few networks that together
hold every activation, loss and optimizer.
"""

import itertools
import random
from dataclasses import dataclass, fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.compiled import program as program_module
from glassnet.compiled.arrangement import arrange
from glassnet.compiled.formulas import Formulas, find_formulas
from glassnet.compiled.program import Program
from glassnet.compiled.records import Panel
from glassnet.compiled.tracing import UntraceableError
from glassnet.data.augmentation import Augmentation, move_images
from glassnet.errors import NonFiniteError
from glassnet.nn.activations import ACTIVATIONS, Activation
from glassnet.nn.dropout import mask_keys
from glassnet.nn.losses import LOSSES, Loss
from glassnet.nn.network import Network
from glassnet.nn.optimizers import GD, OPTIMIZERS, SGD, Adam, Optimizer
from glassnet.nn.parameters import Parameters
from glassnet.nn.update import Update

SEED = 3
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
HIDDEN = {0: [], 1: [6], 2: [3, 9], 3: [7, 5, 10]}


def build(depth, activation, loss, *, outputs=4, dtype="float64", **options):
    hidden = HIDDEN[depth] if isinstance(depth, int) else depth
    network = Network(
        [5, *hidden, outputs], activation, loss=loss, initializer="normal", bias_initializer="normal(0, 0.3)",
        dtype=dtype, **options,
    )  # fmt: skip
    network.theta *= 0.5
    return network


def data(network, n, seed=0):
    """Rows, and targets that fit the network's loss."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, network.layers[0]))
    targets = rng.normal(size=(n, network.layers[-1]))
    if network.loss.output == "softmax":
        targets = np.eye(network.layers[-1])[targets.argmax(axis=1)]
        targets[0] = 0.25  # probabilities are as good
    elif network.loss.output == "sigmoid":
        targets = 1 / (1 + np.exp(targets))
    return X.astype(network.theta.dtype), targets.astype(network.theta.dtype)


def as_update(optimizer):
    return optimizer if isinstance(optimizer, Update) else Update(optimizer)


def evaluated(network, optimizer, X, targets, rows, batch_size, *, weights=None, factors=None):
    """What NumPy makes of the steps: everything that a program gives, and the error that ended it."""
    network, update, losses, outputs, error = network.copy(), as_update(optimizer), [], [], None
    state = update.start(network.parameters)
    with np.errstate(all="ignore"):
        for first in range(0, len(rows), batch_size):
            batch = rows[first : first + batch_size]
            keys = mask_keys(SEED, np.array([state.t + 1]), len(network.W))[0]
            trace = network.forward(network.input_batch(X[batch]), keys)
            try:
                losses.append(network.backward(trace, targets[batch], None if weights is None else weights[batch]))
            except NonFiniteError as problem:
                error = problem
                break
            outputs.append(trace.outputs)
            network.track(trace)
            update.step(network.parameters, state, 1.0 if factors is None else float(factors[state.t]))
    return results(network, state, losses, np.concatenate(outputs)) | {"error": error}


def results(network, state, losses, outputs):
    return {
        "losses": np.array(losses, float),
        "outputs": outputs,
        "theta": network.theta,
        "gradient": network.gradient,
        "statistics": network.parameters.statistics,
        "memory": np.array(state.memory),
        "t": state.t,
    }


def programmed(
    network,
    optimizer,
    X,
    targets,
    rows,
    batch_size,
    *,
    shares=1,
    workers=(1,),
    compiled=False,
    pieces=1,
    weights=None,
    factors=None,
    moves=None,
    image=(0, 0, 0),
):
    """What the program makes of the steps, with each number of workers."""
    made = []
    for count in workers:
        mine, update = network.copy(), as_update(optimizer)
        state = update.start(network.parameters)
        with pytest.MonkeyPatch.context() as patch:
            if not compiled:  # Python needs no whole lines; so small networks have many panels
                patch.setattr(program_module, "LINE", 2 * mine.theta.itemsize)
                patch.setattr(program_module, "PANEL", 4 * mine.theta.itemsize)
            program = Program(
                mine, update, state, X, targets, batch_size=batch_size, shares=shares,
                weights=weights, image=image, compiled=compiled,
            )  # fmt: skip
        steps = -(-len(rows) // batch_size)
        cuts = [steps * piece // pieces * batch_size for piece in range(1, pieces)]
        with np.errstate(all="ignore"):
            all_factors = np.ones(steps) if factors is None else factors
            parts = zip(
                np.split(rows, cuts), np.split(all_factors, [cut // batch_size for cut in cuts]), strict=True
            )
            taken = [program.take(part, count, SEED, factor, moves) for part, factor in parts]
        program.store()
        program.close()
        losses, outputs = (np.concatenate(parts) for parts in zip(*taken, strict=True))
        made.append(results(mine, state, losses, outputs))
    return made


def assert_close(actual, expected, tolerance):
    assert actual["t"] == expected["t"]
    for name in ("losses", "outputs", "theta", "gradient", "statistics", "memory"):
        assert actual[name].dtype == expected[name].dtype, name
        assert actual[name].shape == expected[name].shape, name
        room = tolerance * max(1e-3, np.abs(expected[name]).max(initial=0))
        np.testing.assert_allclose(actual[name], expected[name], rtol=0, atol=room, err_msg=name)


def assert_same_bits(actual, expected):
    for name in ("losses", "outputs", "theta", "gradient", "statistics", "memory"):
        assert actual[name].tobytes() == expected[name].tobytes(), name
    assert actual["t"] == expected["t"]


def shuffled(n, seed=1):
    return np.random.default_rng(seed).permutation(n)


# The text, run by Python, for all there is


#: A larger epsilon: where a gradient is 0 but for rounding, the direction of a whole step would be chance.
RULES = ["sgd(0.02)", "momentum(0.01)", "nesterov(0.01)", "gd(0.02)"] + [
    f"{name}(0.01, epsilon=0.1)" for name in ("adagrad", "rmsprop", "adam", "adamw")
]


def cases():
    """Yield all activations with all losses, depths and dtypes, the rest drawn."""
    draw = random.Random(0)
    for activation, loss, depth, dtype in itertools.product(
        sorted(ACTIVATIONS), sorted(LOSSES), (0, 1, 3), ("float32", "float64")
    ):
        rest = ([1, 2, 3, 5, 12], [4, 11, 7], ["mean", "sum"], [1024, 3, 4], RULES)
        yield activation, loss, depth, dtype, *map(draw.choice, rest)


@pytest.mark.parametrize(
    ("activation", "loss", "depth", "dtype", "shares", "batch_size", "reduction", "block", "rule"), list(cases())
)
def test_the_text_does_what_numpy_does(
    activation, loss, depth, dtype, shares, batch_size, reduction, block, rule, monkeypatch
):
    monkeypatch.setattr(program_module, "BLOCK_ROWS", block)
    options = {} if LOSSES.resolve(loss).output else {"output_activation": activation, "output_scale": 1.5}
    network = build(depth, activation, f"{loss}(reduction={reduction})", dtype=dtype, **options)
    network.theta *= 0.6 if activation == "relu3" else 1  # cubes grow
    arguments = (network, OPTIMIZERS.resolve(rule), *data(network, 11), shuffled(11), batch_size)
    expected = evaluated(*arguments)
    assert expected["error"] is None
    assert np.abs(expected["theta"] - network.theta).max() > 1e-5
    assert_close(programmed(*arguments, shares=shares)[0], expected, TOLERANCE[dtype])


#: What a program can be made of: optimizers that are a rule for each parameter by itself.
ELEMENTWISE = [name for name in sorted(OPTIMIZERS) if Update(OPTIMIZERS.resolve(name)).elementwise]


@pytest.mark.parametrize("optimizer", ["muon", "kfac", "lbfgs"])
def test_an_optimizer_with_a_step_of_its_own_is_refused(optimizer):
    with pytest.raises(UntraceableError, match="has a step of its own"):
        Formulas(build(2, "tanh", "cross_entropy"), Update(OPTIMIZERS.resolve(optimizer)))
    assert optimizer not in ELEMENTWISE


@pytest.mark.parametrize("optimizer", ELEMENTWISE)
@pytest.mark.parametrize("shares", [1, 2, 3, 5, 12])
def test_every_optimizer_over_many_steps_and_shares(optimizer, shares):
    network = build(2, "tanh", "half_squared_error")
    optimizer = OPTIMIZERS.resolve(f"{optimizer}(learning_rate=0.05, update_scale=0.5)")
    arguments = (network, optimizer, *data(network, 23), np.concatenate([shuffled(23), shuffled(23, 2)]), 4)
    expected = evaluated(*arguments)
    assert expected["t"] == 12
    assert np.abs(expected["theta"] - network.theta).max() > 1e-3
    assert_close(programmed(*arguments, shares=shares)[0], expected, 1e-12)


#: What practice adds to a network and to a step.
PRACTICE = [
    ({"batch_norm": True}, {}),
    ({"batch_norm": [False, True], "dropout": [0.2, 0.5, 0.1]}, {}),
    ({"dropout": 0.4}, {"l1": 0.01, "l2": 0.02}),
    ({"batch_norm": [True, False], "dropout": 0.3}, {"weight_decay": 0.1, "ema": 0.9, "clip_norm": 0.3}),
    ({"batch_norm": True}, {"clip_value": 0.02, "max_norm": 0.8}),
    ({"dropout": [0.3, 0, 0]}, {"clip_norm": 0.05, "max_norm": 0.5, "l2": 0.1}),
    ({}, {"ema": 0.99, "l1": 0.05, "weight_decay": 0.3}),
]


@pytest.mark.parametrize(("options", "step"), PRACTICE)
@pytest.mark.parametrize(("shares", "dtype"), [(1, "float64"), (2, "float32"), (3, "float64"), (12, "float64")])
def test_what_practice_adds_is_the_same_in_both(options, step, shares, dtype):
    network = build(2, ["tanh", "gelu"], "cross_entropy", dtype=dtype, **options)
    X, targets = data(network, 23)
    arguments = (network, Update(Adam(0.05, epsilon=0.01), **step), X, targets, shuffled(23), 5)
    weights = np.random.default_rng(0).uniform(0, 2, 23).astype(dtype)
    factors = np.linspace(1, 0.1, 5)
    expected = evaluated(*arguments, weights=weights, factors=factors)
    actual = programmed(*arguments, shares=shares, pieces=2, weights=weights, factors=factors)[0]
    assert np.abs(expected["theta"] - network.theta).max() > 1e-3
    assert_close(actual, expected, TOLERANCE[dtype])


@pytest.mark.parametrize(("options", "step"), PRACTICE)
def test_what_practice_adds_is_the_same_for_a_network_of_one_layer_and_in_blocks(options, step, monkeypatch):
    monkeypatch.setattr(program_module, "BLOCK_ROWS", 3)
    for depth, kept in ((0, {"dropout": [0.25]}), (1, {"dropout": [0.1, 0.4]}), (1, {"batch_norm": True})):
        network = build(depth, "sigmoid", "half_squared_error(sum)", **kept)
        arguments = (network, Update(Adam(0.02, epsilon=0.01), **step), *data(network, 20), shuffled(20), 8)
        assert_close(programmed(*arguments, shares=3)[0], evaluated(*arguments), 1e-12)


@pytest.mark.parametrize("shares", [1, 2, 3, 5, 12])
@pytest.mark.parametrize(
    ("rows", "batch_size", "block"), [(20, 20, 20), (20, 20, 7), (20, 10, 1), (21, 8, 3), (3, 9, 2)]
)
def test_large_batches_go_block_by_block(rows, batch_size, block, shares, monkeypatch):
    monkeypatch.setattr(program_module, "BLOCK_ROWS", block)
    for reduction, depth in (("mean", 2), ("sum", 0)):
        network = build(depth, "sigmoid", f"cross_entropy({reduction})")
        arguments = (network, Adam(0.02), *data(network, 25), shuffled(25)[:rows], batch_size)
        assert_close(programmed(*arguments, shares=shares)[0], evaluated(*arguments), 1e-12)


def test_layers_may_have_different_activations_and_share_them():
    network = build(3, ["gelu", "relu", "gelu"], "huber(0.5)", output_activation="softplus", output_scale=3)
    arguments = (network, SGD(0.01), *data(network, 10), shuffled(10), 4)
    assert_close(programmed(*arguments, shares=2)[0], evaluated(*arguments), 1e-12)
    assert Formulas(network, Update(SGD())).kinds == [0, 1, 0]


@given(
    st.lists(st.integers(1, 13), max_size=3),
    st.integers(1, 6),
    st.integers(1, 9),
    st.integers(1, 12),
    st.integers(1, 9),
    st.integers(0, 99),
)
def test_any_widths_shares_and_batches(hidden, outputs, shares, n, batch_size, seed):
    network = Network([3, *hidden, outputs], "tanh", loss="half_squared_error", seed=seed, dtype="float64")
    arguments = (network, Adam(0.02), *data(network, n, seed), shuffled(n, seed), batch_size)
    assert_close(programmed(*arguments, shares=shares)[0], evaluated(*arguments), 1e-11)


def test_pieces_of_an_epoch_are_the_epoch():
    network = build(2, "silu", "cross_entropy")
    arguments = (network, Adam(0.02), *data(network, 23), shuffled(23), 4)
    whole, pieces = (programmed(*arguments, shares=2, pieces=count)[0] for count in (1, 3))
    assert_same_bits(pieces, whole)
    assert whole["t"] == 6


def test_bytes_are_shares_of_255_and_images_are_rows():
    network = build(1, "relu", "cross_entropy")
    X = np.random.default_rng(0).integers(0, 256, (9, 5, 1), np.uint8)
    targets = np.eye(4)[np.arange(9) % 4]
    arguments = (network, SGD(0.5), X, targets, shuffled(9), 4)
    expected = evaluated(*arguments)
    assert_close(programmed(*arguments)[0], expected, 1e-12)
    scaled = programmed(network, SGD(0.5), X.reshape(9, 5) / 255, targets, shuffled(9), 4)[0]
    assert_close(scaled, expected, 1e-12)


@pytest.mark.parametrize("shape", [(6, 5), (4, 7, 3)])
def test_images_are_moved_on_their_way_into_the_batch(shape):
    rng = np.random.default_rng(0)
    X, pixels = rng.integers(0, 256, (40, *shape), np.uint8), int(np.prod(shape))
    network = Network([pixels, 4, 3], "tanh", dropout=[0.1, 0], dtype="float64")
    targets = np.eye(3)[np.arange(40) % 3]
    moves = Augmentation.parse("flip + shift(3) + erase(0.5)").draw(rng, 40, *shape[:2])
    rows = shuffled(40)
    arguments = (network, SGD(0.5))
    expected = evaluated(*arguments, move_images(X[rows], moves), targets[rows], np.arange(40), 7)
    image = (*shape, 1)[:3]
    assert_close(
        programmed(*arguments, X, targets, rows, 7, shares=2, moves=moves, image=image)[0], expected, 1e-12
    )


def test_nothing_is_written_into_the_network_before_it_is_stored():
    network = build(1, "tanh", "half_squared_error")
    X, targets = data(network, 8)
    before = X.copy(), targets.copy(), network.theta.copy()
    state = Adam().start(network.theta)
    program = Program(
        network,
        Update(Adam()),
        state,
        X,
        targets,
        batch_size=4,
        shares=2,
        compiled=False,
    )
    program.take(np.arange(8), 1)
    np.testing.assert_array_equal(network.theta, before[2])
    assert not network.gradient.any()
    assert not np.array(state.memory).any()
    program.store()
    program.close()
    assert np.abs(network.theta - before[2]).max() > 1e-4
    assert np.array(state.memory).any(axis=1).all()
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(targets, before[1])


def test_an_optimizer_that_has_taken_steps_goes_on():
    network = build(1, "tanh", "half_squared_error")
    X, targets = data(network, 12)
    expected = evaluated(network, Adam(0.1), X, targets, np.arange(12), 4)
    state = Adam(0.1).start(network.theta)
    network.backward(network.forward(X[:4]), targets[:4])
    Adam(0.1).step(network.theta, network.gradient, state)
    program = Program(
        network,
        Update(Adam(0.1)),
        state,
        X,
        targets,
        batch_size=4,
        shares=3,
        compiled=False,
    )
    losses, outputs = program.take(np.arange(4, 12), 1)
    program.store()
    program.close()
    expected = expected | {"losses": expected["losses"][1:], "outputs": expected["outputs"][4:]}
    assert_close(results(network, state, losses, outputs), expected, 1e-12)


# The arrangement of theta


@given(
    st.lists(st.integers(1, 40), min_size=2, max_size=5),
    st.integers(1, 9),
    st.sampled_from([(1, 1), (2, 6), (4, 8), (16, 64)]),
    st.booleans(),
)
def test_an_arrangement_holds_every_parameter_once(layers, shares, sizes, normalised):
    line, widest = sizes
    parameters = Parameters(layers, np.float32, [normalised] * (len(layers) - 2) + [False])
    here = arrange(parameters, shares, line, widest)
    assert len(here.places) == len(set(here.places)) == len(parameters.theta)
    assert (here.size % line, here.units % line, here.room) == (0, 0, -(-layers[-1] // line) * line)
    assert 0 <= here.places.min() <= here.places.max() < here.size
    panels = [Panel(*row) for row in here.panels]
    for layer, width in enumerate(layers[1:-1]):
        mine = panels[here.first_panel[layer] : here.first_panel[layer + 1]]
        assert sum(panel.width for panel in mine) == width
        assert all(panel.width <= panel.room <= widest and panel.first % line == 0 for panel in mine)
        assert [panel.share for panel in mine] == sorted(panel.share for panel in mine)
    taken = [unit for panel in panels for unit in range(panel.unit, panel.unit + panel.room)]
    assert taken == list(range(here.units))


def test_a_panel_has_columns_of_w_then_its_part_of_b():
    """Two inputs, seven units: columns 0 to 3 and 4 to 6 of W (row by row), b from 14 on; room for a fourth."""
    here = arrange(Parameters([2, 7, 1], np.float32), 2, 2, 4)
    assert [Panel(*row) for row in here.panels] == [Panel(0, 4, 4, 0, 0, 0), Panel(4, 3, 4, 12, 4, 1)]
    assert here.places[:14].reshape(2, 7).tolist() == [[0, 1, 2, 3, 12, 13, 14], [4, 5, 6, 7, 16, 17, 18]]
    assert here.places[14:21].tolist() == [8, 9, 10, 11, 20, 21, 22]
    assert (here.output, here.room, here.units, here.size) == (24, 2, 8, 40)
    assert here.places[21:].tolist() == [24, 26, 28, 30, 32, 34, 36, 38]


# Numbers that are none


def assert_ends_before_the_update(arguments, *, workers=(1,), compiled=False):
    expected = evaluated(*arguments)
    assert expected["error"] is not None
    assert 1 < expected["t"] < 10
    assert np.isfinite(expected["theta"]).all()
    for actual in programmed(*arguments, shares=2, workers=workers, compiled=compiled):
        assert (actual["t"], len(actual["losses"])) == (expected["t"],) * 2
        np.testing.assert_allclose(actual["losses"], expected["losses"], rtol=1e-8)
        np.testing.assert_allclose(actual["theta"], expected["theta"], rtol=1e-8)
        rows = 4 * expected["t"]
        np.testing.assert_allclose(actual["outputs"][:rows], expected["outputs"], rtol=1e-8)


def test_a_loss_that_is_not_finite_ends_it_before_the_update():
    network = build(2, "relu3", "half_squared_error")
    assert_ends_before_the_update((network, GD(0.5), *data(network, 40), shuffled(40), 4))


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "huber"])
def test_a_bad_row_in_a_later_block_of_a_batch_leaves_all_as_it_was(loss, monkeypatch):
    monkeypatch.setattr(program_module, "BLOCK_ROWS", 3)
    network, rows = build(1, "tanh", loss), shuffled(24)
    X, targets = data(network, 24)
    X[rows[15]] = np.nan
    expected = evaluated(network, Adam(), X, targets, rows, 8)
    (actual,) = programmed(network, Adam(), X, targets, rows, 8, shares=2)
    assert (expected["t"], len(expected["losses"]), actual["outputs"].shape) == (1, 1, (24, 4))
    del actual["gradient"], expected["gradient"]  # of a batch that was not finished
    actual["outputs"] = actual["outputs"][:8]
    for name in ("t", "losses", "outputs", "theta", "memory"):
        np.testing.assert_allclose(actual[name], expected[name], rtol=1e-11)


# Formulas of one's own


def softsign(z):
    return z / (1 + np.abs(z))


def softsign_prime(z, h):
    return 1 / (1 + np.abs(z)) ** 2


MINE = Activation("a \"name\" \\with 'marks'", softsign, softsign_prime)


def log_cosh(outputs, targets):
    r = outputs - targets
    return np.log(np.cosh(r)).sum(axis=1), np.tanh(r)


@dataclass(frozen=True)
class Clipped(Optimizer):
    """Descent by gradients cut off at a limit, with a warm-up and a memory of how far theta has come."""

    learning_rate: float = 0.1
    limit: float = 0.5
    warm: int = 3
    name = "clipped"
    memory_vectors = 1

    @staticmethod
    def rule(theta, g, way, t, eta, limit, warm):
        move = np.where(t > warm, 1, 0.5) * eta * np.clip(g, -limit, limit)
        return theta - move, way + np.abs(move)


def by_total(outputs, targets):
    """A loss of the sum of the outputs only: each has the same slope."""
    r = outputs.sum(axis=1, keepdims=True) - targets.sum(axis=1, keepdims=True)
    total = outputs.sum(axis=1) - targets.sum(axis=1)
    return 0.5 * total * total, r * np.ones_like(outputs)


@pytest.mark.parametrize("compiled", [False, True], ids=["python", "numba"])
def test_formulas_of_ones_own(compiled, compiled_code):
    network = build(2, MINE, Loss("log_cosh", log_cosh), output_activation=MINE, output_scale=2)
    arguments = (network, Clipped(), *data(network, 30), shuffled(30), 4)
    expected = evaluated(*arguments)
    workers = (1, 2) if compiled else (1,)
    for actual in programmed(*arguments, shares=2, workers=workers, compiled=compiled):
        assert_close(actual, expected, 1e-11)
    assert expected["memory"].min() > 0
    arguments[3][shuffled(30)[17]] = 1e3  # beyond what cosh can hold, in the fifth batch
    assert_ends_before_the_update(arguments, workers=workers, compiled=compiled)


def test_kinks_may_be_a_list():
    hinge = ACTIVATIONS.resolve("relu")
    hinge = Activation("hinge", hinge.f, hinge.f_prime, kinks=[0.0])
    network = build(2, [hinge, "tanh"], "cross_entropy")
    arguments = (network, SGD(0.1), *data(network, 9), shuffled(9), 4)
    assert_close(programmed(*arguments)[0], evaluated(*arguments), 1e-12)


def test_a_loss_of_row_values_only():
    network = build(1, "tanh", Loss("by_total", by_total))
    arguments = (network, SGD(0.05), *data(network, 9), shuffled(9), 4)
    assert_close(programmed(*arguments, shares=2)[0], evaluated(*arguments), 1e-12)


def shifted(z):
    return z - z.max(axis=-1, keepdims=True)


@dataclass(frozen=True)
class Normalised(Optimizer):
    learning_rate: float = 0.1
    name = "normalised"
    memory_vectors = 1

    @staticmethod
    def rule(theta, g, v, t, eta):
        v = 0.5 * v + g
        return theta - eta * g / np.sqrt((g * g).sum(axis=-1, keepdims=True)) * np.exp(-v), v


@pytest.mark.parametrize(
    ("activation", "loss", "optimizer", "why"),
    [
        # a share holds only some of a layer's units, and a piece of theta is no row
        (
            Activation("shifted", shifted, lambda z, h: np.ones_like(z)),
            "cross_entropy",
            SGD(),
            "over the units of a layer",
        ),
        ("tanh", "cross_entropy", Normalised(), "over the units of a layer or over parameters"),
        # NumPy adds up what a loss has for each output; a loop returns one number a row
        (
            "tanh",
            Loss("elementwise", lambda a, y: ((a - y) ** 2, 2 * (a - y))),
            SGD(),
            "elementwise gives no single number a row",
        ),
        (
            "tanh",
            "cross_entropy",
            type("Single", (SGD,), {"rule": staticmethod(lambda theta, g, t, eta: theta)})(),
            "a formula that does not return 1 values",
        ),
    ],
)
def test_what_shares_or_rows_cannot_give_is_refused(activation, loss, optimizer, why):
    network = build(1, activation, loss)
    with pytest.raises(UntraceableError, match=why):
        programmed(network, optimizer, *data(network, 9), shuffled(9), 4, shares=3)


def test_a_formula_beyond_the_recursion_of_python_is_right():
    long = Activation("long", lambda z: sum([z] * 3000) / 3000, lambda z, h: np.ones_like(z))
    network = build(1, long, "cross_entropy")
    arguments = (network, SGD(), *data(network, 9), shuffled(9), 4)
    (actual,) = programmed(*arguments, shares=3)
    assert_close(actual, evaluated(*arguments), 1e-12)


class HalvedInput(Network):
    def input_batch(self, X):
        return super().input_batch(X) / 2


class OwnForward(Network):
    def forward(self, X):
        return super().forward(-X)


class HalvedLoss(Loss):
    def value_and_delta(self, outputs, targets):
        return tuple(part / 2 for part in super().value_and_delta(outputs, targets))


class OwnStep(SGD):
    def step(self, theta, gradient, state):
        super().step(theta, -gradient, state)


@pytest.mark.parametrize(
    ("kind", "loss", "optimizer", "why"),
    [
        (HalvedInput, "half_squared_error", SGD(0.1), "HalvedInput may do other than Network"),
        (OwnForward, "half_squared_error", SGD(0.1), "OwnForward may do other than Network"),
        (
            Network,
            HalvedLoss("halved", LOSSES.resolve("half_squared_error").formula),
            SGD(0.1),
            "HalvedLoss may do other than Loss",
        ),
        (Network, "half_squared_error", OwnStep(0.1), "OwnStep has a step of its own"),
    ],
    ids=["input_batch", "forward", "value_and_delta", "step"],
)
def test_a_class_with_methods_of_its_own_is_refused(kind, loss, optimizer, why):
    network = kind([5, 6, 4], "tanh", loss=loss, dtype="float64")
    with pytest.raises(UntraceableError, match=why):
        programmed(network, optimizer, *data(network, 9), shuffled(9), 4, shares=2)


# Compiled

FIRST, SECOND = ["identity", "sigmoid", "tanh", "relu", "relu3"], ["leaky_relu", "elu", "gelu", "silu", "softplus"]
COMPILED = [
    ("float32", [8, 7, 6, 5, 9], FIRST, "cross_entropy", "adam", None, 1),
    ("float64", [5, 6, 9, 7, 4], SECOND, "binary_cross_entropy(sum)", "momentum", None, 1),
    ("float32", [5, 6], ["softplus", "gelu"], "huber(0.3)", "nesterov", "elu", 2),
    ("float64", [17], ["relu"], "half_squared_error(sum)", "rmsprop", "sigmoid", 3),
    ("float32", [], [], "absolute_error", "adagrad", "leaky_relu", 1),
    ("float32", [9, 2], ["selu", "mish"], "half_squared_error", "adamw", None, 1),
    ("float64", [], [], "cross_entropy", "sgd", None, 1),
    ("float64", [7], ["relu3"], "half_squared_error", "gd", None, 1),
]


def test_the_compiled_networks_hold_everything_there_is():
    activations = [name for _, _, names, *_ in COMPILED for name in names]
    assert set(activations) == set(ACTIVATIONS)
    assert {LOSSES.resolve(loss).name.partition("(")[0] for _, _, _, loss, *_ in COMPILED} == set(LOSSES)
    assert {name for *_, name, _, _ in COMPILED} == set(ELEMENTWISE)


@pytest.mark.parametrize(
    ("dtype", "layers", "activations", "loss", "optimizer", "output", "scale"),
    [
        # the first network's formulas are compiled, every day, with what practice adds
        pytest.param(*one, marks=() if one is COMPILED[1] else pytest.mark.slow)
        for one in COMPILED
    ],
)
def test_the_compiled_program_does_what_numpy_does(
    dtype, layers, activations, loss, optimizer, output, scale, compiled_code, monkeypatch
):
    monkeypatch.setattr(program_module, "BLOCK_ROWS", 8)
    network = build(layers, activations, loss, dtype=dtype, output_activation=output, output_scale=scale)
    optimizer = OPTIMIZERS.resolve(f"{optimizer}(learning_rate=0.02)")
    X, targets = data(network, 47)
    X = X.round().astype(np.int64)  # as good as real numbers, and of another type
    for batch_size, shares in ((10, 3), (47, 2), (5, 1)):
        arguments = (network, optimizer, X, targets, shuffled(47), batch_size)
        first, *others = programmed(*arguments, shares=shares, workers=range(1, shares + 1), compiled=True)
        assert_close(first, evaluated(*arguments), TOLERANCE[dtype])
        for other in others:  # as many threads as may be give the same bits
            assert_same_bits(other, first)


#: Two networks that together hold all that practice adds to a network and to a step.
COMPILED_PRACTICE = [
    (
        "float32",
        {"batch_norm": [True, False, True, False, True], "dropout": [0.1, 0.3, 0, 0.4, 0, 0.2]},
        {"clip_norm": 0.2, "max_norm": 0.9, "ema": 0.95, "l2": 0.02},
    ),
    (
        "float64",
        {"batch_norm": [False, True, True, False, False], "dropout": [0, 0.5, 0.2, 0.1, 0.3, 0]},
        {"l1": 0.01, "weight_decay": 0.1, "clip_value": 0.05, "ema": 0.5},
    ),
]


@pytest.mark.parametrize(
    ("dtype", "options", "step"),
    [
        pytest.param(*COMPILED_PRACTICE[0], id="float32"),
        pytest.param(*COMPILED_PRACTICE[1], id="float64", marks=pytest.mark.slow),
    ],
)
def test_the_compiled_program_does_what_practice_adds(dtype, options, step, compiled_code, monkeypatch):
    monkeypatch.setattr(program_module, "BLOCK_ROWS", 8)  # batch normalisation sees whole batches all the same
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (50, 5, 4, 2), np.uint8)
    network = Network([40, 9, 7, 10, 6, 8, 4], FIRST, bias_initializer="normal(0, 0.3)", dtype=dtype, **options)
    targets = np.eye(4, dtype=dtype)[np.arange(50) % 4]
    moves = Augmentation.parse("flip + shift(2) + erase(0.5)").draw(rng, 50, 5, 4)
    rows, factors = shuffled(50), np.linspace(1, 0.2, 6)
    weights = rng.uniform(0, 2, 50).astype(dtype)
    update = Update(Adam(0.02, epsilon=0.01), **step)
    in_order = move_images(X[rows], moves), targets[rows], np.arange(50)
    expected = evaluated(network, update, *in_order, 9, weights=weights[rows], factors=factors)
    assert np.abs(expected["theta"] - network.theta).max() > 1e-3
    for shares in (3, 1):
        first, *others = programmed(
            network, update, X, targets, rows, 9, shares=shares, workers=range(1, shares + 1), compiled=True,
            weights=weights, factors=factors, moves=moves, image=(5, 4, 2),
        )  # fmt: skip
        assert_close(first, expected, TOLERANCE[dtype])
        for other in others:
            assert_same_bits(other, first)


def test_the_compiled_practice_holds_every_option_of_an_update():
    assert {name for _, _, step in COMPILED_PRACTICE for name in step} == {
        option.name for option in fields(Update) if option.name != "optimizer"
    }


KINDS_OF_X = {
    "bytes": np.uint8,
    "float32": np.float32,
    "float64": np.float64,
    "truths": bool,
    "whole numbers": np.int64,
    "half": np.float16,
    "another machine's": ">f4",
}


@pytest.mark.parametrize(
    "kind",
    [
        # the tests beside this one compile programs for bytes, whole numbers, truths and float64 every day
        pytest.param(kind, id=name, marks=pytest.mark.slow if name != "another machine's" else ())
        for name, kind in KINDS_OF_X.items()
    ],
)
def test_rows_of_any_type_are_taken(kind, compiled_code):
    network = Network([6, 3], initializer="normal")
    X = np.random.default_rng(0).integers(0, 256, (40, 6)).astype(kind)
    targets = np.eye(3, dtype=np.float32)[np.arange(40) % 3]
    arguments = (network, SGD(1e-3), X, targets, shuffled(40), 8)
    try:
        (actual,) = programmed(*arguments, compiled=True)
    except UntraceableError:  # NumPy will take them
        assert kind in (np.float16, ">f4")
        return
    assert_close(actual, evaluated(*arguments), TOLERANCE["float32"])


def truths():
    """Rows of truths, and one-hot targets."""
    X = np.random.default_rng(0).integers(0, 2, (40, 6)).astype(bool)
    return X, np.eye(3, dtype=np.float32)[np.arange(40) % 3]


def test_rows_that_are_not_to_be_written_or_lie_apart_are_taken_as_well(compiled_code):
    network, (X, targets) = Network([6, 3], initializer="normal"), truths()
    (expected,) = programmed(network, SGD(0.1), X, targets, shuffled(40), 8, compiled=True)
    assert_close(expected, evaluated(network, SGD(0.1), X, targets, shuffled(40), 8), TOLERANCE["float32"])
    wide = np.repeat(X, 3, axis=1).reshape(40, 6, 3)
    for same in (np.asfortranarray(X), wide[:, :, 1], wide.transpose(0, 2, 1)[:, 0], np.flip(np.flip(X).copy())):
        assert not same.flags["C_CONTIGUOUS"]
        (actual,) = programmed(network, SGD(0.1), same, targets, shuffled(40), 8, compiled=True)
        assert_same_bits(actual, expected)
    X.flags.writeable = False
    (actual,) = programmed(network, SGD(0.1), X, targets, shuffled(40), 8, compiled=True)
    assert_same_bits(actual, expected)


def test_two_programs_of_one_text_do_not_share_memory(compiled_code):
    network, (X, targets) = Network([6, 3], initializer="normal"), truths()
    options = {"batch_size": 8, "shares": 2}
    programs = [
        Program(net, Update(SGD(0.1)), SGD(0.1).start(net.theta), X, targets, **options)
        for net in (network.copy(), network.copy())
    ]
    for rows in np.split(np.arange(40), 5):
        for program in programs:
            program.take(rows, 2)
    for program in programs:
        program.store()
        program.close()
    assert programs[0].network.fingerprint() == programs[1].network.fingerprint() != network.fingerprint()


@pytest.mark.parametrize("factors", [None, np.repeat([1.0, 0.5, 1.0, 1.0], 3)])
@pytest.mark.parametrize("ahead", [1, 4, 100])
def test_scalars_that_are_computed_ahead_are_those_of_their_steps(monkeypatch, ahead, factors):
    monkeypatch.setattr(program_module, "AHEAD", ahead)
    network, update = build(1, "tanh", "half_squared_error"), Update(Adam(0.01), weight_decay=0.1, ema=0.9)
    X, targets = data(network, 24)
    rows = np.arange(24)
    true = evaluated(network, update, X, targets, rows, 2, factors=factors)
    for pieces in (1, 3, 12):
        found = programmed(network, update, X, targets, rows, 2, pieces=pieces, factors=factors)[0]
        np.testing.assert_allclose(found["theta"], true["theta"], rtol=1e-12)


def test_formulas_are_kept_where_they_are_the_same():
    class Own(SGD):
        """A rule that knows its object."""

        def rule(self, theta, g, *memory, **numbers):
            return (theta - self.learning_rate * g,)

    one, other = build(1, "tanh", "cross_entropy"), build(1, "relu", "cross_entropy")
    first = find_formulas(one, Update(Adam(0.1)))
    assert find_formulas(one.copy(), Update(Adam(0.2))) is first
    others = [
        (other, Adam(), {}),
        (one, SGD(), {}),
        (one, Adam(), {"l2": 0.1}),
        (one, Adam(), {"clip_value": 1.0}),
    ]
    for network, optimizer, options in others:
        assert find_formulas(network, Update(optimizer, **options)) is not first
    texts = [find_formulas(one, Update(Own(rate))).update.text for rate in (0.25, 0.5)]
    assert "0.25" in texts[0]
    assert "0.25" not in texts[1]


def test_a_function_of_ones_own_is_traced_anew():
    numbers = {"slope": 0.25}  # as a variable of a notebook, which may change between two trainings
    steep = Activation("steep", lambda Z: numbers["slope"] * Z, lambda Z, H: numbers["slope"] * np.ones_like(Z))
    network, update = Network([3, 4, 2], activation=steep), Update(Adam())
    before = find_formulas(network, update).activate[0].text
    numbers["slope"] = 0.75
    after = find_formulas(network, update).activate[0].text
    assert "0.25" in before
    assert "0.75" in after
