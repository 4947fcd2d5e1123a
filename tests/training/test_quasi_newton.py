"""L-BFGS against scikit-learn's optimum, against hand-made sums, and at the edges of the range of numbers."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression, Ridge

from glassnet.errors import NonFiniteError, UsageError
from glassnet.nn.network import Network
from glassnet.nn.optimizers import GD, LBFGS
from glassnet.nn.update import Update
from glassnet.runtime.threads import ThreadChoice
from glassnet.training import quasi_newton, step_context
from glassnet.training.quasi_newton import QuasiNewtonEngine, make_penalty
from glassnet.training.step_context import StepContext


def overlapping(n=200, d=3, classes=3, seed=0):
    """Clouds that no plane separates, so that the optimum is finite."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return rng.normal(size=(n, d)) + 0.8 * rng.normal(size=(classes, d))[y], y


def engine(network, X, y, l2=0.0, weights=None, **options):
    optimizer = LBFGS(**options)
    update = Update(optimizer, l2=l2)
    state, targets = update.start(network.parameters), network.encode(y)
    context = StepContext(network, update, state, X, targets, weights, (0, 0, 0), len(X), 0, np.ones_like)
    return QuasiNewtonEngine(context, optimizer, ThreadChoice(1), lambda count: None)


def train(network, X, y, epochs=1, **options):
    """Return the losses before each epoch and after the last."""
    solver, rows = engine(network, X, y, **options), np.arange(len(X))
    losses = [solver.take(rows)[0][0] for _ in range(epochs)]
    return [*losses, solver.loss_and_gradient(rows)[0]]


# The minimum


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_softmax_regression_meets_scikit_learns_optimum(reduction):
    X, y = overlapping()
    network = Network([3, 3], loss=f"cross_entropy({reduction})", dtype="float64")
    losses = train(network, X, y, epochs=5)
    assert losses[0] > 1.2 * losses[-1]
    assert np.abs(engine(network, X, y).loss_and_gradient(np.arange(200))[1]).max() < 1e-5
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(network.outputs(X), reference.predict_proba(X), atol=1e-5)


def test_an_epoch_ends_where_the_slope_is_small_or_the_passes_are_used_up():
    X, y = overlapping()
    for tolerance in (0.05, 0.005):
        network = Network([3, 3], dtype="float64")
        solver = engine(network, X, y, iterations=500, tolerance=tolerance)
        solver.take(np.arange(200))
        assert np.abs(solver.loss_and_gradient(np.arange(200))[1]).max() <= tolerance
        assert np.abs(solver.loss_and_gradient(np.arange(200))[1]).max() > tolerance / 50
        assert solver.result.nit < 50
    solver = engine(Network([3, 3], dtype="float64"), X, y, iterations=500, evaluations=4)
    solver.take(np.arange(200))
    assert 4 <= solver.result.nfev < 8
    loose = engine(Network([3, 3], dtype="float64"), X, y, iterations=500, tolerance=1e-12)
    loose.take(np.arange(200))
    exact = engine(Network([3, 3], dtype="float64"), X, y, iterations=500)
    exact.take(np.arange(200))
    assert loose.result.nit < exact.result.nit  # a loss that hardly falls ends it, too


def test_linear_regression_meets_the_normal_equations():
    X, y = overlapping()[0], np.random.default_rng(1).normal(size=(200, 2))
    network = Network([3, 2], loss="half_squared_error", dtype="float64")
    train(network, X, y, iterations=50)
    solution = np.linalg.lstsq(np.hstack([X, np.ones((200, 1))]), y, rcond=None)[0]
    np.testing.assert_allclose(np.vstack([network.W[0], network.b[0]]), solution, atol=1e-7)


def test_a_penalty_by_hand():
    parameters = Network([2, 1], loss="mse").parameters
    parameters.W[0][:], parameters.b[0][:] = [[3.0], [-4.0]], 7.0
    value, slope = make_penalty(Update(LBFGS(), l2=0.5), parameters)(parameters.theta.astype(np.float64))
    assert value == 0.5 / 2 * (9 + 16)
    assert sorted(slope.tolist()) == [-2.0, 0.0, 1.5]  # of the weights alone
    assert make_penalty(Update(LBFGS()), parameters) is None


def test_a_penalty_is_minimised_with_the_loss_and_is_no_part_of_it():
    """Ridge: sum of 1/2 r^2 plus 1/2 alpha |W|^2."""
    X, y = overlapping()[0], np.random.default_rng(1).normal(size=200)
    network = Network([3, 1], loss="half_squared_error(sum)", dtype="float64")
    first, last = train(network, X, y, iterations=50, l2=30)
    ridge = Ridge(alpha=30).fit(X, y)
    np.testing.assert_allclose(network.theta, [*ridge.coef_, ridge.intercept_], atol=1e-7)
    assert last == pytest.approx(0.5 * ((ridge.predict(X) - y) ** 2).sum(), rel=1e-9)
    assert first > last


# An epoch


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_loss_never_rises_and_a_hidden_layer_learns(dtype):
    X, y = overlapping(classes=2)
    network = Network([3, 8, 2], "tanh", seed=2, dtype=dtype)
    losses = train(network, X.astype(dtype), y, epochs=12, iterations=4)
    assert (np.diff(losses) <= 0).all()
    assert losses[-1] < 0.6 * losses[0]
    assert network.theta.dtype == dtype


def test_an_epoch_reports_loss_and_outputs_from_before_its_steps():
    X, y = overlapping()
    network = Network([3, 5, 3], "tanh", dtype="float64")
    before = network.copy()
    solver, rows = engine(network, X, y, iterations=3), np.random.default_rng(0).permutation(200)[:90]
    losses, outputs, problem = solver.take(rows)
    trace = before.forward(X[rows])
    assert (losses, problem) == ([pytest.approx(before.backward(trace, before.encode(y)[rows]), rel=1e-13)], None)
    np.testing.assert_array_equal(outputs, trace.outputs)
    assert solver.context.state.t == 3
    assert network.fingerprint() != before.fingerprint()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_blocks_of_rows_add_up_to_all_of_them(reduction, monkeypatch):
    monkeypatch.setattr(quasi_newton, "BLOCK_ROWS", 64)  # 200 rows: the last block is short
    X, y = overlapping()
    network = Network([3, 5, 3], "tanh", loss=f"cross_entropy({reduction})", dtype="float64")
    loss, gradient, outputs = engine(network, X, y).loss_and_gradient(np.arange(200))
    trace = network.forward(X)
    assert loss == pytest.approx(network.backward(trace, network.encode(y)), rel=1e-13)
    np.testing.assert_allclose(gradient, network.gradient, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(outputs, trace.outputs, rtol=1e-13)


def test_only_the_rows_of_the_epoch_count():
    X, y = overlapping()
    spoiled = X.copy()
    spoiled[150:] = 1e6
    thetas = []
    for data in (X, spoiled):
        network = Network([3, 3], dtype="float64")
        engine(network, data, y).take(np.arange(150))
        thetas.append(network.fingerprint())
    assert thetas[0] == thetas[1]


def test_a_row_of_weight_three_counts_as_three_rows():
    X, y = overlapping(n=40)
    weights = np.where(np.arange(40) < 10, 3.0, 1.0) * 40 / 60  # of mean 1
    weighted, repeated = (Network([3, 4, 3], "tanh", dtype="float64") for _ in range(2))
    rows = np.r_[np.arange(40), np.tile(np.arange(10), 2)]
    engines = engine(weighted, X, y, weights=weights), engine(repeated, X[rows], y[rows])
    losses = [solver.take(np.arange(n))[0][0] for solver, n in zip(engines, (40, 60), strict=True)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)
    np.testing.assert_allclose(weighted.theta, repeated.theta, atol=1e-6)


def test_images_are_moved_alike_in_every_iteration(monkeypatch):
    """A move here adds itself to its row: as if the rows had been like that from the start."""
    monkeypatch.setattr(step_context, "move_images", lambda images, moves: images + moves[:, None, None, None])
    monkeypatch.setattr(quasi_newton, "BLOCK_ROWS", 64)
    X, y = overlapping()
    moves, rows = np.linspace(-1, 1, 150), np.random.default_rng(0).permutation(200)[:150]
    shifted, other = (Network([3, 4, 3], "tanh", dtype="float64") for _ in range(2))
    mover = engine(shifted, X, y)
    mover.context.image = (1, 3, 1)
    mover.take(rows, moves)
    engine(other, X[rows] + moves[:, None], y[rows]).take(np.arange(150))
    np.testing.assert_allclose(shifted.theta, other.theta, rtol=1e-12)


def test_the_first_iteration_goes_down_the_gradient():
    """With no curvature known yet, SciPy's first step is along the gradient; its length is SciPy's."""
    X, y = overlapping()
    network = Network([3, 3], dtype="float64")
    before = network.copy()
    before.backward(before.forward(X), before.encode(y))
    train(network, X, y, iterations=1)
    step = network.theta - before.theta
    cosine = -step @ before.gradient / np.linalg.norm(step) / np.linalg.norm(before.gradient)
    assert cosine == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("memory", [1, 4])
def test_scipy_is_asked_for_what_the_optimizer_says(memory):
    X, y = overlapping()
    network = Network([3, 5, 3], "tanh", dtype="float64")
    other, targets = network.copy(), network.encode(y)

    def loss(theta):
        other.theta[:] = theta
        return other.backward(other.forward(X), targets), other.gradient.copy()

    options = {"maxcor": memory, "maxiter": 12, "ftol": 0, "gtol": 0}
    expected = minimize(loss, network.theta.copy(), jac=True, method="L-BFGS-B", options=options).x
    train(network, X, y, memory=memory, iterations=12)
    np.testing.assert_allclose(network.theta, expected, rtol=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_search_that_finds_nothing_better_does_no_harm(dtype):
    """At the optimum rounding is all that is left: the last point tried is not the best one."""
    X, y = overlapping()
    network = Network([3, 3], dtype=dtype)
    losses = train(network, X.astype(dtype), y, epochs=8, iterations=30)
    assert (np.diff(losses) <= 0).all()
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_epochs_are_an_epoch_resumed(dtype):
    """Nothing but theta and the count goes from one epoch to the next: the bits are the same."""
    X, y = overlapping()
    whole = Network([3, 6, 3], "tanh", seed=4, dtype=dtype)
    train(whole, X.astype(dtype), y, epochs=2, iterations=5)
    first = Network([3, 6, 3], "tanh", seed=4, dtype=dtype)
    train(first, X.astype(dtype), y, epochs=1, iterations=5)
    resumed = first.copy()
    train(resumed, X.astype(dtype), y, epochs=1, iterations=5)
    assert resumed.fingerprint() == whole.fingerprint() != first.fingerprint()


def test_bytes_are_learned_from():
    X, y = overlapping()
    pixels = np.clip(128 + 40 * X, 0, 255).astype(np.uint8)
    network = Network([3, 3])
    losses = train(network, pixels, y, epochs=3)
    assert np.mean(network.predict(pixels) == y) > 0.7
    assert losses[-1] < 0.7 * losses[0]


def test_fewer_rows_are_needed_than_by_gradient_descent():
    X, y = overlapping()
    fast, slow = (Network([3, 3], dtype="float64") for _ in range(2))
    losses = train(fast, X, y, iterations=15)
    optimizer = GD(0.5)
    state = optimizer.start(slow.theta)
    for _ in range(30):
        loss = slow.backward(slow.forward(X), slow.encode(y))
        optimizer.step(slow.theta, slow.gradient, state)
    assert losses[-1] < loss


# Where numbers end


def test_a_start_that_overflows_is_a_problem_and_not_an_error():
    X, y = overlapping()
    network = Network([3, 3], dtype="float32")
    network.theta[:] = 1e38
    with np.errstate(all="ignore"):
        losses, outputs, problem = engine(network, 1e3 * X, y).take(np.arange(200))
    assert (losses, outputs.shape) == ([], (0, 3))
    assert isinstance(problem, NonFiniteError)
    assert "the loss became" in str(problem)


def test_a_gradient_that_overflows_is_a_problem_too():
    """The loss is 1/2 (1e30)^2 a row, the slope by W 1e30 times 1e300."""
    network = Network([1, 1], loss="half_squared_error", dtype="float64")
    network.theta[:] = [0, 1e30]
    with np.errstate(all="ignore"):
        problem = engine(network, np.full((2, 1), 1e300), np.zeros(2)).take(np.arange(2))[2]
    assert isinstance(problem, NonFiniteError)
    assert "the slope by W1[0, 0] became inf" in str(problem)


def test_a_line_search_that_goes_too_far_comes_back():
    """A parabola that ends at 1/2: SciPy's first step, of length 1, is refused, the minimum at 0.4 found."""
    network = Network([1, 1], loss="half_squared_error", initializer=np.zeros(2), dtype="float64")
    solver = engine(network, np.ones((1, 1)), np.zeros(1), iterations=40)
    refused = []

    def loss_and_gradient(rows, moves):
        z = network.theta[0]
        if abs(z) > 0.5:
            refused.append(z)
            raise NonFiniteError("too far")
        return 5 * (z - 0.4) ** 2, np.array([10 * (z - 0.4), 0]), np.zeros((1, 1))

    solver.loss_and_gradient = loss_and_gradient
    assert solver.take(np.arange(1))[2] is None
    assert refused
    assert network.theta[0] == pytest.approx(0.4, abs=1e-6)


@pytest.mark.parametrize("option", ["l1", "weight_decay", "clip_norm", "clip_value", "max_norm", "ema"])
def test_what_is_no_smooth_function_is_refused(option):
    update = Update(LBFGS(), **{option: 0.5})
    with pytest.raises(UsageError, match=f"^{option}: lbfgs minimises one smooth function"):
        make_penalty(update, Network([3, 3]).parameters)


@pytest.mark.parametrize("option", [{"dropout": 0.5}, {"batch_norm": True}], ids=str)
def test_a_loss_that_is_no_function_of_theta_alone_is_refused(option):
    X, y = overlapping()
    with pytest.raises(UsageError, match=f"^{next(iter(option))}: lbfgs needs a loss that theta alone decides"):
        engine(Network([3, 4, 3], **option), X, y)


def test_it_says_how_many_threads_it_takes_and_closes():
    X, y = overlapping()
    counts, network = [], Network([3, 3])
    solver = engine(network, X.astype(np.float32), y, iterations=1)
    solver.threads, solver.use_threads = ThreadChoice(2, fixed=True), counts.append
    solver.take(np.arange(200))
    theta = network.fingerprint()
    solver.load()
    solver.store()
    solver.close()
    assert (counts, network.fingerprint()) == ([2], theta)
    assert (solver.kernels, solver.steady) == ("numpy", True)
