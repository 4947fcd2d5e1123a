"""Going on with a run in memory: the same as from its folder, and the same as one longer run."""

import pickle
import warnings

import numpy as np
import pytest

from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, UsageError
from glassnet.nn.network import Network
from glassnet.training.callbacks import Callback
from glassnet.training.fit import fit
from glassnet.training.results import DivergenceError
from glassnet.training.run import resume

RNG = np.random.default_rng(3)
X = RNG.normal(size=(120, 4))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
DATA = Dataset.from_arrays(X, Y)


def start(epochs=3, network=None, data=DATA, **options):
    network = network or Network([4, 8, 2], dropout=options.pop("dropout", 0.0))
    return fit(network, data, epochs=epochs, batch_size=32, progress=False, **options)


OPTIONS = {
    "adam": {"optimizer": "adam(0.01)", "dropout": 0.3},
    "momentum": {"optimizer": "momentum(0.05)", "sample_weight": RNG.random(88)},
    "schedule": {"optimizer": "sgd(0.1)", "schedule": "cosine"},
    "plateau": {"optimizer": "sgd(0.1)", "schedule": "plateau(patience=1)"},
    "patience": {"optimizer": "adam(0.01)", "early_stopping": "patience(4)"},
    "average": {"optimizer": "adam(0.01)", "ema": 0.9},
    "epochs averaged": {"optimizer": "adam(0.01)", "average_epochs": 2},
    "lbfgs": {"optimizer": "lbfgs"},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_memory_gives_what_the_folder_gives(name, tmp_path):
    options = OPTIONS[name]
    if name == "momentum":
        options = options | {"sample_weight": np.resize(options["sample_weight"], len(DATA.train.y))}
    if name == "lbfgs":
        first, kept = (
            fit(Network([4, 8, 2]), DATA, epochs=3, progress=False, run_dir=folder, **options)
            for folder in (tmp_path / "run", None)
        )
    else:
        first, kept = (start(**options, run_dir=folder) for folder in (tmp_path / "run", None))
    from_folder = resume(first.folder, DATA, epochs=8, progress=False)
    in_memory = kept.resume(epochs=8, progress=False)
    assert in_memory.network.fingerprint() == from_folder.network.fingerprint()
    assert in_memory.stopped == from_folder.stopped
    assert in_memory.best_epoch == from_folder.best_epoch
    for column in ("epoch", "train_loss", "validation_loss", "learning_rate"):
        assert in_memory.history[column] == from_folder.history[column]


def test_a_run_in_pieces_is_the_run_in_one():
    whole = start(epochs=6, optimizer="adam(0.01)", dropout=0.3)
    run = start(epochs=1, optimizer="adam(0.01)", dropout=0.3)
    for epochs in (2, 4, 6):
        run = fit(run.network, DATA, continue_from=run, epochs=epochs, progress=False)
    assert run.network.fingerprint() == whole.network.fingerprint()
    assert run.history["train_loss"] == whole.history["train_loss"]


def test_going_on_trains_the_network_of_the_run_or_a_copy_of_it():
    first = start()
    copy = first.network.copy()
    before = first.network.fingerprint()
    other = fit(copy, DATA, continue_from=first, epochs=5, progress=False)
    assert other.network is copy
    assert first.network.fingerprint() == before != copy.fingerprint()
    assert first.resume(epochs=5, progress=False).network is first.network
    assert first.network.fingerprint() == copy.fingerprint()


def test_arrays_are_given_again_or_remembered():
    first = fit(Network([4, 8, 2]), X, Y, epochs=2, progress=False)
    again = fit(first.network.copy(), X, Y, continue_from=first, epochs=4, progress=False)
    assert first.resume(epochs=4, progress=False).network.fingerprint() == again.network.fingerprint()


def test_what_was_done_to_theta_meanwhile_does_not_count():
    first = start()
    expected = start(epochs=5).network.fingerprint()
    first.network.theta += 1
    assert first.resume(epochs=5, progress=False).network.fingerprint() == expected


def test_a_saved_run_goes_on_in_its_folder(tmp_path):
    run = start(run_dir=tmp_path / "run").resume(epochs=5, progress=False)
    assert run.folder == tmp_path / "run"
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 6
    longer = resume(tmp_path / "run", DATA, epochs=7, progress=False)
    assert longer.network.fingerprint() == start(epochs=7).network.fingerprint()


def test_early_stopping_that_has_ended_a_run_ends_it_again():
    run = start(epochs=60, optimizer="adam(0.2)", early_stopping="patience(1)")
    assert run.stopped == "early stopping"
    again = run.resume(epochs=90, progress=False)
    assert (again.stopped, len(again.history)) == ("early stopping", len(run.history))
    assert again.best_epoch == run.best_epoch


def test_a_callback_is_called_for_the_new_epochs():
    class Count(Callback):
        seen = 0

        def on_epoch_end(self, run):
            self.seen += 1

    count = Count()
    start().resume(epochs=5, callbacks=[count], progress=False)
    assert count.seen == 2


def refusal(error, call):
    with pytest.raises(error) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"optimizer": "sgd", "epochs": 4}, "optimizer: a run goes on as it began; leave it out"),
        ({"seed": 4, "epochs": 4}, "seed: a run goes on as it began"),
        ({"run_dir": "elsewhere", "epochs": 4}, "run_dir: a run goes on as it began"),
        ({}, "epochs: say how many in all; the run has had 3"),
        ({"epochs": 2}, "epochs: the run has had 3 epochs; ask for 3 or more"),
        (
            {"epochs": 4, "continue_from": "runs/a"},
            "continue_from: expected a Run, got str; glassnet.resume goes on",
        ),
    ],
)
def test_a_run_goes_on_as_it_began(options, said):
    run = start()
    before = run.network.fingerprint()
    call = {"continue_from": run, "progress": False} | options
    assert refusal(UsageError, lambda: fit(run.network, DATA, **call)).startswith(said)
    assert run.network.fingerprint() == before


def test_other_data_and_other_networks_are_refused():
    run = start()
    call = {"continue_from": run, "epochs": 5, "progress": False}
    others = Dataset.from_arrays(X + 1, Y)
    assert refusal(DataError, lambda: fit(run.network, others, **call)).startswith("data: these are not the rows")
    drawn = Dataset.from_arrays(X, Y, split_seed=1)
    assert "split otherwise" in refusal(DataError, lambda: fit(run.network, drawn, **call))
    other = Network([4, 8, 2], seed=9)
    before = other.fingerprint()
    assert refusal(UsageError, lambda: fit(other, DATA, **call)).startswith("network: is not that of the run")
    assert other.fingerprint() == before


def test_a_run_without_memory_says_so(tmp_path):
    sent = pickle.loads(pickle.dumps(start()))
    assert "another process" in refusal(UsageError, lambda: sent.resume(epochs=5))
    saved = pickle.loads(pickle.dumps(start(run_dir=tmp_path / "run")))
    said = refusal(UsageError, lambda: saved.resume(epochs=5))
    assert said.endswith(f"glassnet.resume({str(tmp_path / 'run')!r}) goes on from its folder")
    with pytest.raises(DivergenceError) as caught:
        start(optimizer="sgd(1e30)")
    assert "smaller learning rate" in refusal(UsageError, lambda: caught.value.run.resume(epochs=5))


def test_a_second_fit_that_draws_the_same_batches_says_so():
    run = start()
    with pytest.warns(UserWarning, match=r"with the seed 0 before.*continue_from=run.*another seed") as caught:
        start(network=run.network)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_what_the_warning_names_helps_and_other_fits_have_none():
    run = start()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        start(network=run.network.copy())
        start(network=run.network, data=Dataset.from_arrays(X + 1, Y))
        run = start(network=run.network, seed=5)
        assert len(run.resume(epochs=5, progress=False).history) == 5
        run.network.theta *= 0.5  # a start of its own
        start(network=run.network, seed=5)
        fit(run.network, DATA, epochs=1, optimizer="gd", progress=False)
        fit(run.network, DATA, epochs=1, optimizer="gd", progress=False)  # one batch, always the same
