"""The parameters after the epochs of a run."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.errors import FileError
from glassnet.nn.network import Network
from glassnet.training import snapshots as module
from glassnet.training.fit import fit
from glassnet.training.run_folder import RunFolder
from glassnet.training.snapshots import Snapshots

X, Y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2


def train(**options):
    options = {"epochs": 5, "validation_data": (X, Y), "progress": False, **options}
    return fit(Network([3, 4, 2], "tanh", seed=1, batch_norm=True), X, Y, **options)


@given(st.integers(0, 300), st.integers(4, 9))
def test_they_are_evenly_spread_and_each_is_of_its_epoch(epochs, most):
    network = Network([1, 1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST", most)
        kept = Snapshots(network)
    network.theta[:] = 0
    kept.load_state_dict({"every": 1, "rows": network.theta[None].copy()})
    for epoch in range(1, epochs + 1):
        network.theta[:] = epoch
        kept.take(epoch, network)
    assert len(set(np.diff(kept.epochs))) <= 1
    assert kept.rows[:, 0].tolist() == list(kept.epochs)
    assert min(epochs + 1, most // 2) <= len(kept.epochs) <= most
    assert epochs - kept.epochs[-1] < kept.every


def test_a_network_has_as_many_as_there_is_room_for():
    assert Snapshots(Network([3, 2, 1])).most == module.MOST
    assert Snapshots(Network([64, 256, 32, 10])).most == module.MOST_BYTES // (25194 * 4)
    large = Network([784, 256, 10])
    kept = Snapshots(large)
    kept.take(1, large)
    assert (kept.most, kept.epochs, kept.rows.shape) == (0, (), (0, len(large.theta)))


def test_a_run_keeps_what_was_evaluated_after_each_epoch(tmp_path):
    run = train(run_dir=tmp_path / "run", ema=0.9)
    kept = run.snapshots
    assert kept.epochs == (0, 1, 2, 3, 4, 5)
    for epoch, row in zip(kept.epochs, kept.rows, strict=True):
        then = Network([3, 4, 2], "tanh", seed=1, batch_norm=True)
        if epoch == 0:
            assert np.array_equal(row[: len(then.theta)], then.theta)
            continue
        then.theta, then.parameters.statistics[:] = np.split(row, [len(then.theta)])
        loss, _ = then.loss.value_and_delta(then.forward(X.astype("f")).outputs, then.encode(Y))
        assert loss == pytest.approx(run.history["validation_loss"][epoch - 1], rel=1e-4)
    assert np.array_equal(kept.rows[-1][: len(run.network.theta)], run.network.theta)
    read = RunFolder(tmp_path / "run").snapshots(run.network)
    assert (read.epochs, read.rows.tobytes()) == (kept.epochs, kept.rows.tobytes())
    longer = run.resume(epochs=7, progress=False)
    assert longer.snapshots.epochs == tuple(range(8))
    assert np.array_equal(longer.snapshots.rows[:6], read.rows)
    with pytest.raises(FileError, match="snapshots: expected float32"):
        RunFolder(tmp_path / "run").snapshots(Network([3, 5, 2]))
    (tmp_path / "run" / "checkpoint.safetensors").unlink()
    assert RunFolder(tmp_path / "run").snapshots(run.network).epochs == ()
