"""Plain runs: the same numbers as the package's own training, and what no option of it says."""

import signal

import numpy as np
import pytest
from tests.loops import for_each
from tests.study.studies import points

from glassnet.nn.activations import ACTIVATIONS
from glassnet.nn.optimizers import Adam
from glassnet.reproductions import plain_runs
from glassnet.reproductions.plain_runs import Setting, flat_share, run_plain, start_network
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.runtime.seeds import stream
from glassnet.study.fairness import build_sampler
from glassnet.study.results import FINISHED
from glassnet.study.runner import StudyInterrupted
from glassnet.training.config import configure
from glassnet.training.metrics import evaluate
from glassnet.training.run import build_network, load_data, run

KEY = ("tanh", 0.5)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A regression of class numbers by a small network, a step an epoch, as in the report."""
    return configure(
        {
            "data": {"dataset": points(tmp_path_factory.mktemp("points")), "validation": 0},
            "network": {
                "layers": [64, 12, 5, 1],
                "activation": "tanh",
                "output_activation": "tanh",
                "output_scale": 10.0,
                "loss": "half_squared_error(reduction=sum)",
                "initializer": "uniform(-1, 1)",
                "bias_initializer": "uniform(-1, 1)",
            },
            "training": {
                "optimizer": "gd(1e-5)",
                "epochs": 50,
                "samples_per_epoch": 100,
                "sampling": "first",
                "kernels": "numpy",
                "threads": 1,
            },
        }
    )


@pytest.fixture(scope="module")
def data(base):
    return load_data(base)


FRESH_ADAM = {
    "training.optimizer": "adam(0.01)",
    "training.sampling": "fresh",
    "training.batch_size": 100,
}


@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")  # which is the point of such a start
@for_each("changes", [{}, FRESH_ADAM])
def test_a_plain_run_is_the_training_of_its_configuration(changes, base, data, tmp_path):
    [row] = run_plain({KEY: Setting(changes)}, [3], base, data, tmp_path / str(len(changes)), progress=False)[KEY]
    config = plain_runs.change_config(base, changes).model_copy(update={"seed": 3})
    whole = run(config, data, progress=False)
    losses = [record.train_loss for record in whole.history]
    assert (row.variant, row.seed, row.status) == ("tanh 0.5", 3, FINISHED)
    assert row.measures["train_loss"] == pytest.approx(np.mean(losses[-40:]), rel=1e-5)
    assert row.measures["test_accuracy"] == evaluate(whole.network, data.test).accuracy
    cache = whole.network.forward(whole.network.input_batch(data.encoded.train.X[:100]))
    flat = [(1 - H * H < 0.05).mean() for H in cache.H[1:]]
    if not changes:  # Adam's last batch is drawn anew
        assert row.measures["flat_hidden"] == pytest.approx(np.mean(flat[:-1]), abs=0.02)
        assert row.measures["flat_output"] == pytest.approx(flat[-1], abs=0.02)
        assert row.measures["flat_hidden"] > 0.3


def test_an_optimizer_may_reckon_with_one_step_number_for_ever(base, data, tmp_path):
    changes = FRESH_ADAM | {"training.epochs": 3}
    settings = {("adam", t): Setting(changes, frozen_t=t) for t in (1, 7)} | {("adam", "true"): Setting(changes)}
    found = {key: rows[0].measures["train_loss"] for key, rows in run_plain(
        settings, [0], base, data, tmp_path, progress=False
    ).items()}  # fmt: skip
    config = plain_runs.change_config(base, changes)
    for t in (1, 7):
        network, losses = build_network(config, data), []
        sampler, rng = build_sampler(config, data), stream(0, "shuffling")
        m = v = np.zeros_like(network.theta)
        for _ in range(3):
            rows = sampler.order(rng)
            cache = network.forward(data.encoded.train.X[rows])
            losses.append(network.backward(cache, data.encoded.train.y[rows][:, None].astype(np.float32)))
            theta, m, v = Adam.rule(
                network.theta, network.gradient, m, v, t=t, eta=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8
            )
            network.theta = theta
        assert found["adam", t] == pytest.approx(np.mean(losses), rel=1e-5)
    assert len(set(found.values())) == 3


def test_up_the_gradient_the_loss_grows(base, data, tmp_path):
    settings = {("down",): Setting(), ("up",): Setting(ascends=True)}
    losses = {
        key: rows[0].measures["train_loss"]
        for key, rows in run_plain(settings, [0], base, data, tmp_path, progress=False).items()
    }
    X, y = data.encoded.train
    network = build_network(base, data)
    first = float(network.backward(network.forward(X[:100]), y[:100, None].astype(np.float32)))
    assert losses["down",] < first < losses["up",]


def test_factors_shrink_the_start_of_their_layers_alone(base, data):
    whole = start_network(Setting(), base, data)
    np.testing.assert_array_equal(whole.theta, build_network(base, data).theta)
    for hidden, output in ((0.05, 1.0), (1.0, 0.05), (0.5, 0.05)):
        network = start_network(Setting(hidden=hidden, output=output), base, data)
        for layer, factor in enumerate((hidden, hidden, output)):
            np.testing.assert_allclose(network.W[layer], factor * whole.W[layer], rtol=1e-6)
            np.testing.assert_array_equal(network.b[layer], whole.b[layer] if factor == 1 else 0)


@for_each(
    "name, Z, share",
    [
        ("tanh", [0.0, 2.17, 2.19, -3.0], 0.5),  # 1 - tanh(2.18)^2 = 0.0499
        ("sigmoid", [0.0, 4.3, 4.4, -9.0], 0.5),  # a twentieth of 1/4 at 4.35
        ("sigmoid", [4.0, -4.0], 0.0),
    ],
)
def test_a_slope_is_flat_below_a_twentieth_of_the_steepest(name, Z, share):
    assert flat_share(ACTIVATIONS.resolve(name), np.array(Z, np.float32)) == share


def test_what_is_done_is_not_done_again(base, data, tmp_path, monkeypatch):
    settings = {("a",): Setting({"training.epochs": 2}), ("b",): Setting({"training.epochs": 3})}
    first = run_plain(settings, [0, 1], base, data, tmp_path, progress=False)
    assert [[row.seed for row in rows] for rows in first.values()] == [[0, 1], [0, 1]]
    assert first["a",][0] != first["a",][1]
    alone = run_plain(settings, [0, 1], base, data, tmp_path / "alone", workers=1, progress=False)
    assert [row.measures for row in alone["b",]] == [row.measures for row in first["b",]]
    with monkeypatch.context() as patched:
        patched.setattr(plain_runs, "_train", None)
        assert run_plain(settings, [0, 1], base, data, tmp_path, progress=False) == first
    # another setting of the same name is another run
    other = run_plain(
        settings | {("b",): Setting({"training.epochs": 4})}, [0, 1], base, data, tmp_path, progress=False
    )
    assert other["a",] == first["a",]
    assert other["b",][0].measures != first["b",][0].measures


def test_a_signal_stops_between_steps_and_what_is_done_is_kept(base, data, tmp_path, monkeypatch, capsys):
    settings = {("a",): Setting({"training.epochs": 2}), ("b",): Setting({"training.epochs": 3})}

    class Interrupted(GracefulInterrupts):
        """Ctrl-C in the second step of the second run."""

        looks = 0

        @property
        def signal(self):
            type(self).looks += 1
            return signal.SIGINT if self.looks > 3 else None

        @signal.setter
        def signal(self, value):
            pass

    with monkeypatch.context() as patched:
        patched.setattr(plain_runs, "GracefulInterrupts", Interrupted)
        with pytest.raises(StudyInterrupted, match="stopped with 1 of 2 runs done") as stopped:
            run_plain(settings, [0], base, data, tmp_path, workers=1)
    assert stopped.value.signal == signal.SIGINT
    assert [path.name for path in tmp_path.iterdir()] == ["a_seed-0.json"]
    assert "1/2  a, seed 0: train loss " in capsys.readouterr().err
    found = run_plain(settings, [0], base, data, tmp_path)
    assert len(found["b",]) == 1
    assert "2/2  b, seed 0: train loss " in capsys.readouterr().err
