"""When a run is saved while it goes on, and what is said where that fails."""

import errno
import os
import warnings

import numpy as np
import pytest
from safetensors.numpy import load

from glassnet.errors import FileError
from glassnet.nn.network import Network
from glassnet.nn.optimizers import SGD
from glassnet.runtime import files
from glassnet.training import checkpointer
from glassnet.training.callbacks import Callback
from glassnet.training.fit import fit
from glassnet.training.model_file import load_model
from glassnet.training.results import DivergenceError, Interrupted
from glassnet.training.run import resume
from glassnet.training.run_folder import RunFolder

pytestmark = pytest.mark.usefixtures("no_waiting_for_the_disk")


def train(data, folder, **options):
    options = {"epochs": 6, "batch_size": 30, "checkpoint_every": 1, "progress": False, **options}
    return fit(Network([5, 4, 3]), data, run_dir=folder, **options)


@pytest.fixture
def full(monkeypatch):
    """``full(name, ...)``: files of these names cannot be replaced from now on."""
    names, replace = set(), os.replace

    def refusing(source, target):
        if target.name in names:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", refusing)

    def become(*those):
        names.clear()
        names.update(those)

    return become


class Notes(Callback):
    """After each epoch, do something, and note what the run then says of the save before."""

    def __init__(self, **then):
        self.then, self.unsaved, self.done = then, [], []

    def on_epoch_end(self, run):
        number = len(run.history)
        self.unsaved.append(run.unsaved is not None)
        if run.folder is not None:
            checkpoint = RunFolder(run.folder).checkpoint()
            self.done.append(len(checkpoint["history"].splitlines()) - 1)
        self.then.get(f"epoch_{number}", lambda: None)()


def warned(data, folder, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = train(data, folder, **options)
    return run, [str(warning.message) for warning in caught]


ALL = ("checkpoint.safetensors", "model.safetensors", "history.csv")


@pytest.mark.parametrize("names", [ALL, ALL[:1], ALL[1:2], ALL[2:]], ids=str)
def test_a_series_of_failures_is_told_once_and_ends_with_a_save(blobs, tmp_path, full, names):
    notes = Notes(epoch_2=lambda: full(*names), epoch_4=lambda: full())
    run, said = warned(blobs(), tmp_path / "run", callbacks=[notes])
    expected = train(blobs(), tmp_path / "whole")
    path = tmp_path / "run" / names[0]
    assert said == [
        f"{path}: cannot be written: No space left on device; training goes on, and what was saved before stays"
    ]
    assert notes.unsaved == [False, False, True, True, False, False]
    assert run.unsaved is None
    assert (
        run.network.fingerprint() == expected.network.fingerprint() == load_model(run.folder).network.fingerprint()
    )
    assert len(RunFolder(run.folder).history()) == 6


def test_each_series_of_failures_is_told(blobs, tmp_path, full):
    steps = {"epoch_1": lambda: full(*ALL), "epoch_2": full, "epoch_4": lambda: full(*ALL), "epoch_5": full}
    run, said = warned(blobs(), tmp_path / "run", callbacks=[Notes(**steps)])
    assert len(said) == 2
    assert run.unsaved is None


def test_the_last_good_checkpoint_stays(blobs, tmp_path, full):
    notes = Notes(epoch_3=lambda: full(*ALL))
    run, said = warned(blobs(), tmp_path / "run", callbacks=[notes])
    assert notes.done == [0, 1, 2, 2, 2, 2]
    assert len(said) == 1
    assert isinstance(run.unsaved, FileError)
    assert str(run.unsaved).startswith(f"{tmp_path / 'run'}")
    assert run.stopped == "epochs"
    assert len(RunFolder(run.folder).history()) == 2
    full()
    again = resume(run.folder, blobs(), progress=False)
    assert again.network.fingerprint() == run.network.fingerprint() == load_model(run.folder).network.fingerprint()
    assert [record.train_loss for record in again.history] == run.history["train_loss"]


@pytest.mark.parametrize("name", ALL)
def test_what_fails_at_the_end_is_told_too(blobs, tmp_path, full, name):
    run, said = warned(blobs(), tmp_path / "run", callbacks=[Notes(epoch_6=lambda: full(name))])
    assert [text.partition(": ")[0] for text in said] == [str(tmp_path / "run" / name)]
    assert str(run.unsaved).startswith(str(tmp_path / "run" / name))
    full()
    assert resume(run.folder, blobs(), progress=False).unsaved is None
    assert load_model(run.folder).network.fingerprint() == run.network.fingerprint()


def test_an_interrupted_run_says_where_it_is_saved_only_if_it_is(blobs, tmp_path, full, monkeypatch):
    def press():
        os.kill(os.getpid(), 2)

    def fill_and_press():
        full(*ALL)
        press()

    for name, then, ends in (
        ("good", press, f"; saved in {tmp_path / 'good'}"),
        ("full", fill_and_press, "epochs"),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(Interrupted) as caught:
                train(blobs(), tmp_path / name, callbacks=[Notes(epoch_2=then)])
        assert str(caught.value).startswith("stopped after 2 whole epochs")
        assert str(caught.value).endswith(ends)
        assert (caught.value.run.unsaved is None) == (name == "good")


@pytest.mark.parametrize(
    ("every", "saves"), [(1, [0, 1, 2, 3, 4, 5]), (2, [0, 0, 2, 2, 4, 4]), (4, [0] * 4 + [4] * 2)]
)
def test_checkpoints_come_after_every_so_many_epochs(blobs, tmp_path, every, saves):
    notes = Notes()
    run = train(blobs(), tmp_path / "run", callbacks=[notes], checkpoint_every=every)
    assert notes.done == saves
    assert len(RunFolder(run.folder).checkpoint()["history"].splitlines()) == 7  # and at the end


@pytest.mark.parametrize(("seconds", "saves"), [(-1.0, [0, 1, 2, 3, 4, 5]), (1e9, [0] * 6)])
def test_without_a_number_of_epochs_time_decides(blobs, tmp_path, monkeypatch, seconds, saves):
    assert checkpointer.SAVE_EVERY == 30
    monkeypatch.setattr(checkpointer, "SAVE_EVERY", seconds)
    notes = Notes()
    train(blobs(), tmp_path / "run", callbacks=[notes], checkpoint_every=None)
    assert notes.done == saves


def test_how_often_it_is_saved_changes_nothing_else(blobs, tmp_path):
    runs = [train(blobs(), tmp_path / str(every), checkpoint_every=every) for every in (1, 3, None)]
    runs.append(train(blobs(), None))
    assert len({run.network.fingerprint() for run in runs}) == 1
    assert all(run.history["train_loss"] == runs[0].history["train_loss"] for run in runs)


def test_the_checkpoint_is_there_before_the_first_epoch(blobs, tmp_path):
    class Look(Callback):
        def on_train_begin(self, run):
            self.found = RunFolder(run.folder).checkpoint()

    look, start = Look(), Network([5, 4, 3])
    train(blobs(), tmp_path / "run", callbacks=[look])
    assert look.found["network"]["theta"].tobytes() == start.theta.tobytes()
    assert (look.found["optimizer"]["t"], look.found["rows_done"]) == (0, 0)


def test_a_divergence_leaves_the_last_good_checkpoint_and_model(blobs, tmp_path):
    data, at = blobs(), 8  # 84 rows: three steps an epoch

    class Broken(SGD):
        name = "broken"

        @staticmethod
        def rule(theta, g, t, eta):
            return (theta * (np.nan if t == at else 1) - eta * g,)

    with pytest.raises(DivergenceError):
        train(data, tmp_path / "run", optimizer=Broken(0.1))
    folder, two = RunFolder(tmp_path / "run"), train(data, None, optimizer=SGD(0.1), epochs=2)
    assert load_model(folder.path).network.fingerprint() == two.network.fingerprint()
    assert folder.checkpoint()["network"]["theta"].tobytes() == two.network.theta.tobytes()
    assert folder.checkpoint()["optimizer"]["t"] == 6
    assert len(folder.history()) == 2
    for array in load(folder.checkpoint_path.read_bytes()).values():
        assert np.isfinite(array).all()


def test_a_run_without_a_folder_saves_nothing(blobs, monkeypatch):
    monkeypatch.setattr(RunFolder, "save_checkpoint", lambda *_: pytest.fail("saved"))
    notes = Notes()
    run = train(blobs(), None, callbacks=[notes])
    assert run.unsaved is None
    assert notes.unsaved == [False] * 6
