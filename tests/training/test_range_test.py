import re
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, UsageError
from glassnet.nn.dropout import mask_keys
from glassnet.nn.network import Network
from glassnet.nn.optimizers import OPTIMIZERS, SGD, Adam
from glassnet.runtime.blas import blas_threads, libraries
from glassnet.runtime.seeds import stream
from glassnet.training.fit import fit
from glassnet.training.range_test import _pick_rate, find_learning_rate, smooth


def line(w=0.0, b=0.0):
    """A network y = w x + b in float64, and rows of y = 3 x - 1 without noise."""
    x = np.linspace(-1, 1, 40)
    data = Dataset.from_arrays(x[:, None], 3 * x - 1, validation=0)
    start = np.array([w, b])
    return Network([1, 1], loss="half_squared_error", initializer=start, dtype="float64"), data


# The sweep


def test_the_sweep_is_gradient_descent_with_a_learning_rate_that_rises():
    """L = mean((w x + b - y)^2) / 2, stepped here by hand."""
    network, data = line(0.5, 0.25)
    found = find_learning_rate(network, data, optimizer="gd", lowest=1e-3, highest=1, steps=61)
    assert found.learning_rates[[0, 20, 40, 60]] == pytest.approx([1e-3, 1e-2, 1e-1, 1])
    x, y, w, b, losses = data.train.X[:, 0], data.train.y, 0.5, 0.25, []
    for learning_rate in found.learning_rates:
        error = w * x + b - y
        losses.append(np.mean(error**2) / 2)
        w, b = w - learning_rate * np.mean(error * x), b - learning_rate * np.mean(error)
    np.testing.assert_allclose(found.losses, losses, rtol=1e-10)
    assert found.optimizer == OPTIMIZERS.resolve("gd").spec


def test_the_batches_are_those_of_training(blobs):
    data, network = blobs(), Network([5, 4, 3], seed=3)
    found = find_learning_rate(network, data, optimizer="sgd", batch_size=30, seed=8)
    rng, n = stream(8, "shuffling"), len(data.train.y)
    epochs = [rng.permutation(n) for _ in range(2)]
    batches = [order[first : first + 30] for order in epochs for first in range(0, n, 30)]
    for loss, rows in islice(zip(found.losses, batches, strict=False), 4):  # the network has hardly moved yet
        trace = network.forward(network.input_batch(data.train.X[rows]))
        assert loss == pytest.approx(network.loss_value(trace, network.encode(data.train.y[rows])), rel=1e-4)
    assert n % 30  # so that the second epoch has a first batch of its own
    assert len(found.losses) > len(batches)


@pytest.mark.parametrize("batch_size", [None, 30])
def test_losses_are_those_of_a_row_where_they_are_a_sum_too(blobs, batch_size):
    """Else the last batch of an epoch, which may have fewer rows, would look like a loss that falls."""
    data = blobs()
    rows = batch_size or len(data.train.y)
    options = {"optimizer": "sgd", "batch_size": rows, "steps": 60}
    mean = find_learning_rate(Network([5, 4, 3], dtype="float64"), data, **options)
    summed = Network([5, 4, 3], loss="cross_entropy(sum)", dtype="float64")
    found = find_learning_rate(summed, data, lowest=1e-6 / rows, highest=10 / rows, **options)
    assert (len(data.train.y) % rows == 0) == (batch_size is None)
    steps = (
        60 if batch_size is None else len(data.train.y) // rows + 1
    )  # later the steps of a sum are not the same
    np.testing.assert_allclose(found.losses[:steps], mean.losses[:steps], rtol=1e-9)
    if batch_size is None:
        assert found.pick == pytest.approx(mean.pick / rows)


def test_the_given_network_and_optimizer_are_left_as_they_were(blobs):
    network, optimizer = Network([5, 8, 3]), Adam(0.123)
    before, gradient = network.fingerprint(), network.gradient.copy()
    find_learning_rate(network, blobs(class_names=["a", "b", "c"]), optimizer=optimizer)
    assert network.fingerprint() == before
    assert network.class_names is None
    np.testing.assert_array_equal(network.gradient, gradient)
    assert optimizer == Adam(0.123)


def test_dropout_and_batch_normalisation_are_at_work_as_in_training(blobs):
    data, network = blobs(), Network([5, 8, 3], dropout=0.5, batch_norm=True)
    found = find_learning_rate(network, data, optimizer="gd", seed=6)
    X, targets = network.input_batch(data.train.X), network.encode(data.train.y)
    rows = stream(6, "shuffling").permutation(len(X))
    key = mask_keys(6, np.array([1]), 2)[0]
    expected = network.loss_value(network.forward(X[rows], key), targets[rows])
    assert found.losses[0] == pytest.approx(expected, rel=1e-5)
    assert len(set(found.losses[:5].round(3))) == 5  # another mask in each step


def test_one_thread_multiplies_so_that_the_bits_do_not_depend_on_their_number(blobs):
    seen = []

    class Watching(SGD):
        def step(self, *arguments):
            seen.extend(library["threads"] for library in libraries())
            super().step(*arguments)

    with blas_threads() as use_threads:
        use_threads(2)
        find_learning_rate(Network([5, 8, 3]), blobs(), optimizer=Watching())
    assert set(seen) == {1}


def test_the_optimizers_own_learning_rate_does_not_matter_and_its_other_options_do(blobs):
    def losses(optimizer):
        return find_learning_rate(Network([5, 8, 3]), blobs(), optimizer=optimizer).losses

    np.testing.assert_array_equal(losses("adam(0.5)"), losses("adam(0.001)"))
    assert losses("adam(beta1=0.5)")[-1] != losses("adam")[-1]


def test_one_seed_decides_the_sweep_and_by_default_it_is_the_networks(blobs):
    def losses(network_seed, **options):
        return find_learning_rate(Network([5, 8, 3], seed=network_seed), blobs(), batch_size=20, **options).losses

    np.testing.assert_array_equal(losses(4), losses(4, seed=4))
    assert losses(4, seed=5)[0] != losses(4)[0]


# Its end


@pytest.mark.parametrize(("lowest", "highest", "steps"), [(1e-6, 1000, 200), (1.9, 2.3, 600)], ids=["", "slowly"])
def test_the_sweep_ends_where_the_smoothed_loss_is_four_times_its_best(lowest, highest, steps):
    network, data = line()
    found = find_learning_rate(network, data, optimizer="gd", lowest=lowest, highest=highest, steps=steps)
    best = np.minimum.accumulate(found.smoothed)
    assert len(found.losses) < steps
    assert (found.smoothed[:-1] > 3.5 * best[:-1]).any() == (steps == 600)
    assert found.smoothed[-1] > 4 * best[-1]
    assert (found.smoothed[:-1] <= 4 * best[:-1]).all()
    assert len(found.learning_rates) == len(found.losses) == len(found.smoothed)


def test_the_sweep_ends_before_a_loss_that_is_not_finite():
    """The learning rates are 1e-10, 1, 1e10: the third takes errors of 1e12 to where float32 has no squares."""
    network, data = line(1e12)
    found = find_learning_rate(
        network.astype("float32"), data, optimizer="gd", lowest=1e-10, highest=1e180, steps=20
    )
    assert len(found.losses) == len(found.smoothed) == len(found.learning_rates) == 3
    assert np.isfinite(found.losses).all()
    assert found.pick == pytest.approx(1e10)


def test_the_smoothed_loss_by_hand():
    # s = 0.1, 0.09, 0.181; divided by 0.1, 0.19, 0.271
    np.testing.assert_allclose(smooth([1.0, 0.0, 1.0]), [1, 0.09 / 0.19, 0.181 / 0.271], rtol=1e-14)
    np.testing.assert_allclose(smooth([3.0] * 50), 3, rtol=1e-14)


# The pick


def test_the_pick_is_where_the_smoothed_loss_has_come_four_fifths_of_its_way(blobs):
    found = find_learning_rate(Network([5, 8, 3]), blobs(), optimizer="momentum", batch_size=10, steps=100)
    np.testing.assert_allclose(found.smoothed, smooth(found.losses.tolist()))
    before, lowest = np.median(found.smoothed[:10]), found.smoothed.min()
    place = found.learning_rates.tolist().index(found.pick)
    assert found.smoothed[place] <= before - 0.8 * (before - lowest) < found.smoothed[:place].min()
    assert found.highest_stable == found.learning_rates[found.smoothed.argmin()]
    assert found.learning_rates[0] < found.pick <= found.highest_stable
    assert str(found.reason) == (
        f"at {found.pick:.2g} the smoothed loss has come 80% of its way down, from {before:.3g} to {lowest:.3g}, "
        f"its lowest, at {found.highest_stable:.2g}"
    )


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam", "adamw"])
@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")
def test_training_at_the_pick_beats_a_tenth_and_ten_times_of_it(digits, name):
    pick = find_learning_rate(Network([64, 32, 10]), digits, optimizer=name).pick

    def loss(learning_rate):
        optimizer = replace(OPTIMIZERS.resolve(name), learning_rate=learning_rate)
        run = fit(Network([64, 32, 10]), digits, optimizer=optimizer, epochs=3, progress=False)
        return run.history.last.validation_loss

    assert loss(pick) < 0.5 * min(loss(pick / 10), loss(10 * pick))


@pytest.mark.parametrize("name", ["gd", "sgd", "adam"])
def test_the_pick_does_not_jump_with_the_seed(digits, name):
    picks = [find_learning_rate(Network([64, 32, 10], seed=s), digits, optimizer=name).pick for s in range(4)]
    assert max(picks) < 2.5 * min(picks)


def test_the_pick_scales_with_the_optimizers_update_scale(blobs):
    whole = find_learning_rate(Network([5, 8, 3]), blobs(), optimizer=SGD())
    scaled = find_learning_rate(
        Network([5, 8, 3]), blobs(), optimizer=SGD(update_scale=10.0), lowest=1e-7, highest=1
    )
    assert scaled.pick == pytest.approx(whole.pick / 10)


# What is refused


@pytest.mark.parametrize(("fall", "is_one"), [(0.04, False), (0.06, True)])
def test_a_fall_is_a_twentieth_of_the_loss_at_the_start(monkeypatch, fall, is_one):
    """A loss of 1 for half of the steps, and then less: averaged over so many, all of the fall is seen."""
    losses = [1.0] * 100 + [1 - fall] * 100
    rates, optimizer = np.geomspace(1e-6, 1e-2, 200), SGD(0.1)
    if is_one:
        found = _pick_rate(optimizer, rates, losses)
        assert found.highest_stable == rates[-1]
        # 0.8 of the fall: 1 - 0.9^k >= 0.8 first holds for k = 16, the step with the place 115
        assert found.pick == rates[115]
    else:
        with pytest.raises(DataError, match=r"the loss, 1 at first, fell at none from 1e-06 to 0\.01"):
            _pick_rate(optimizer, rates, losses)


def test_a_network_that_is_at_its_best_already_is_refused():
    for slope in (3.0, 2.999):  # at zero loss, and near it
        network, data = line(slope, -1.0)
        with pytest.raises(
            DataError, match=r"^learning rates: the loss, .* fell at none from 1e-06 to 1e-05; widen"
        ):
            find_learning_rate(network, data, optimizer="gd", highest=1e-5)


def test_a_range_that_begins_beyond_what_is_stable_is_refused():
    network, data = line()
    with pytest.raises(
        DataError,
        match=r"^learning rates: the loss blew up at 1e\+03 already, near the lowest; begin lower than 1000$",
    ):
        find_learning_rate(network, data, optimizer="gd", lowest=1000.0, highest=1001.0)


def test_it_says_the_rate_at_which_the_loss_blew_up():
    """Of 20 rates from 100 to 1900 the loss has grown at the second, 117; at 1e300 it is lost by the first."""
    network, data = line()
    for lowest, said in ((100.0, r"1\.2e\+02"), (1e300, r"1e\+300")):
        with pytest.raises(DataError, match=rf"^learning rates: the loss blew up at {said} already.*lower than"):
            find_learning_rate(network, data, optimizer="gd", lowest=lowest, highest=19 * lowest, steps=20)
    network.theta[:] = 1e200
    with pytest.raises(DataError, match=r"^learning rates: the loss blew up at 1e-06 already"):
        find_learning_rate(network, data, optimizer="gd")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"lowest": 0}, "lowest: must be a learning rate > 0, got 0"),
        ({"lowest": "1"}, "lowest: must be a learning rate > 0, got '1'"),
        ({"highest": np.inf}, "highest: must be a learning rate > 0, got inf"),
        ({"highest": np.nan}, "highest: must be a learning rate > 0, got nan"),
        ({"lowest": 1, "highest": 1}, "highest: must be more than lowest, which is 1, got 1"),
        ({"steps": 19}, "steps: must be a whole number, 20 or more, got 19"),
        ({"steps": 50.0}, "steps: must be a whole number, 20 or more, got 50.0"),
        ({"optimizer": "gd", "batch_size": 10}, "batch_size: gd and lbfgs take all samples"),
        ({"batch_size": 500}, "batch_size: 500 is more than the"),
        ({"optimizer": "adamm"}, "optimizer: unknown name 'adamm'"),
        ({"seed": -1}, "seed: must be a whole number >= 0, got -1"),
    ],
)
def test_options_that_cannot_be_used_are_refused(blobs, options, problem):
    with pytest.raises(UsageError, match=f"^{re.escape(problem)}"):
        find_learning_rate(Network([5, 8, 3]), blobs(), **options)


def test_data_that_do_not_fit_the_network_are_refused(blobs):
    with pytest.raises(DataError, match=r"^layers: the data have 5 columns"):
        find_learning_rate(Network([4, 3]), blobs())
    with pytest.raises(DataError, match=r"^layers: the data have 3 classes, the last layer has 4 units"):
        find_learning_rate(Network([5, 4]), blobs())
