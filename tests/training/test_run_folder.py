import errno
import json
import os

import numpy as np
import pytest
from tests.loops import for_each
from tests.report.conftest import DEAD_UNITS, examined, layer_vitals

from glassnet.data.schema import Schema
from glassnet.errors import FileError
from glassnet.nn.network import Network
from glassnet.training import run_folder
from glassnet.training.config import configure, load_config
from glassnet.training.history import EpochRecord, History
from glassnet.training.model import Model
from glassnet.training.model_file import load_model
from glassnet.training.run_folder import RunFolder, default_folder

CONFIG = configure({"data": {"dataset": "digits"}, "seed": 4})


#: A checkpoint of no run in particular.
START = {"theta": np.zeros(8, np.float32), "t": 0}

#: What every run folder holds.
FILES = [".lock", "checkpoint.safetensors", "config.toml", "history.csv", "model.safetensors"]


def created(path, network=None, schema=None):
    """Make a run's folder, and let it go."""
    folder, network = RunFolder(path), Network([3, 2]) if network is None else network
    with folder.create(CONFIG, Model(network, schema), START):
        return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_new_folder_holds_the_untrained_network_its_configuration_and_no_epochs(tmp_path):
    network = Network([3, 2], seed=4)
    folder = created(tmp_path / "a" / "run", network)
    assert names(folder.path) == FILES
    assert folder.config() == load_config(folder.path / "config.toml") == CONFIG
    assert len(folder.history()) == 0
    assert load_model(folder.path).network.fingerprint() == network.fingerprint()


def test_what_rows_and_answers_mean_is_in_the_model_file_and_nowhere_else(tmp_path):
    schema = Schema.learn(np.eye(4), ["no", "yes"] * 2)
    folder = created(tmp_path / "run", schema=schema)
    assert names(folder.path) == FILES
    assert load_model(folder.path).schema == schema
    assert load_model(created(tmp_path / "other").path).schema is None


def test_saving_replaces_model_and_history_and_leaves_the_configuration(tmp_path):
    network, history = Network([3, 2]), History()
    folder = created(tmp_path / "run", network)
    network.theta += 1
    history.append(EpochRecord(1, 0.5, 0.5, None, None, 0.1, 1.0, 1))
    folder.save(Model(network), history)
    assert load_model(folder.path).network.fingerprint() == network.fingerprint()
    assert list(folder.history()) == list(history)
    assert folder.config() == CONFIG
    assert names(folder.path) == FILES


def test_an_empty_folder_is_taken_and_a_full_one_refused(tmp_path):
    created(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(FileError, match="already holds files"):
        created(tmp_path, Network([3, 2], seed=1))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_is_held_by_one_alone_and_let_go(tmp_path):
    folder, other = RunFolder(tmp_path / "run"), configure({"data": {"dataset": "digits"}, "seed": 5})
    with folder.create(CONFIG, Model(Network([3, 2])), START):
        before = {path.name: path.read_bytes() for path in folder.path.iterdir()}
        with pytest.raises(FileError) as caught, folder.hold():
            pytest.fail("it was taken twice")
        assert str(caught.value) == f"{folder.path}: is in use: another process trains in it; wait until it ends"
        assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == before
    with folder.hold():
        folder.save_config(other)
        assert folder.config() == other
        assert folder.checkpoint()["t"] == START["t"]
        with pytest.raises(FileError, match="is in use"), folder.hold():
            pytest.fail("it was taken twice")
    with folder.hold():
        assert folder.config() == other


def test_what_a_save_that_was_cut_off_left_is_taken_away(tmp_path):
    folder = created(tmp_path / "run")
    (folder.path / ".checkpoint.safetensors.ab12.part").write_bytes(b"half")
    (folder.path / "notes.part").write_bytes(b"mine")
    with folder.hold():
        assert names(folder.path) == sorted(["notes.part", *FILES])


@pytest.mark.parametrize("there", [True, False], ids=["into an empty folder", "into a new folder"])
@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, failing, there):
    path = tmp_path / "run"
    if there:
        path.mkdir()
    calls, replace = [], os.replace

    def full(*paths):
        calls.append(paths)
        if len(calls) == failing:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(*paths)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(FileError, match="No space left on device"):
            created(path)
    assert path.exists() == there
    assert not there or names(path) == []


@pytest.mark.parametrize("content", ["", "no history", "epoch\n1\n", None])
def test_a_damaged_or_missing_history_is_refused_by_name(tmp_path, content):
    folder = created(tmp_path / "run")
    path = folder.path / "history.csv"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(FileError) as caught:
        folder.history()
    assert str(caught.value).startswith(
        f"{path}: {'is no history' if content is not None else 'cannot be read: No'}"
    )


def test_every_damaged_copy_of_a_history_is_refused_or_read(tmp_path):
    folder, history = created(tmp_path / "run"), History()
    history.append(EpochRecord(1, 0.5, 0.5, None, None, 0.1, 1.0, 1))
    folder.save(Model(Network([3, 2])), history)
    whole = (folder.path / "history.csv").read_bytes()
    refusals = 0
    for place in range(len(whole)):
        for damaged in (whole[:place], whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]):
            (folder.path / "history.csv").write_bytes(damaged)
            try:
                assert len(folder.history()) <= 1
            except FileError:
                refusals += 1
    assert refusals > len(whole)


@pytest.fixture
def one_second(monkeypatch):
    monkeypatch.setattr(run_folder.time, "strftime", lambda _: "2025-01-02_030405")


def test_two_runs_of_the_same_second_get_folders_of_their_own(tmp_path, one_second):
    with (
        default_folder("digits", [64, 10], tmp_path) as first,
        default_folder("digits", [64, 10], tmp_path) as second,
    ):
        assert first == tmp_path / "2025-01-02_030405_digits_64-10"
        assert second == tmp_path / "2025-01-02_030405_digits_64-10_2"
        assert first.is_dir()
        assert second.is_dir()
        (first / "file").write_bytes(b"")
    assert names(tmp_path) == [first.name]
    with default_folder("digits", [64, 10], tmp_path) as third:
        assert third == second


def test_a_folder_that_stays_empty_is_taken_away_whatever_happens(tmp_path):
    seen = []

    def fail():
        with default_folder("digits", [64, 10], tmp_path / "runs") as path:
            seen.append(path.is_dir())
            raise RuntimeError("before anything was written")

    with pytest.raises(RuntimeError, match="before anything"):
        fail()
    assert seen == [True]
    assert names(tmp_path) == []  # nor the folder around it, which was not there before
    (tmp_path / "runs").mkdir()
    with pytest.raises(RuntimeError, match="before anything"):
        fail()
    assert names(tmp_path / "runs") == []


def test_a_place_where_no_folder_can_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    for root in ("file", "nowhere"):
        with (
            pytest.raises(FileError, match=r"cannot be made: .*; choose another"),
            default_folder("digits", [64, 10], tmp_path / root),
        ):
            pytest.fail("a folder was made")


# What is known of the network's health

RECORD = DEAD_UNITS.to_dict()


def spoilt(**changes):
    return {"sick": True, "diagnoses": [RECORD | changes], "vitals": []}


def measured(*vitals):
    return {"sick": False, "diagnoses": [], "vitals": [*vitals]}


@for_each(
    "content, said",
    [
        ({"sick": True}, "diagnoses: is missing"),
        (
            {"sick": True, "diagnoses": ["dead"], "vitals": []},
            "diagnoses.0: input should be an object, got 'dead'",
        ),
        (spoilt(cause="the step"), "diagnoses.0.cause: no message: 'the step'"),
        (
            spoilt(cause={"key": "causes.unheard-of", "values": {}}),
            "diagnoses.0.cause: no sentence can be made of",
        ),
        (spoilt(cause={"key": "causes.loss", "values": {"loss": 1.0}}), "diagnoses.0.cause: no sentence"),
        (spoilt(cause={"key": "causes.large-rate", "values": {"rate": "large"}}), "diagnoses.0.cause: "),
        (spoilt(units="all"), "diagnoses.0.units: input should be a valid array, got 'all'"),
        (spoilt(units=[-1]), "diagnoses.0.units.0: input should be greater than or equal to 0, got -1"),
        (spoilt(sick="perhaps"), "diagnoses.0.sick: input should be a valid boolean"),
        (spoilt(evidence={"share": "much"}), "diagnoses.0.evidence.share: input should be a valid number"),
        (spoilt(remedy={"family": "rows"}), "diagnoses.0.remedy.message: is missing"),
        (spoilt(layer="first"), "diagnoses.0.layer: input should be a valid integer, got 'first'"),
        (spoilt(layer=0), "diagnoses.0.layer: input should be greater than or equal to 1, got 0"),
        (spoilt(remedy=RECORD["remedy"] | {"changes": ["adam"]}), "diagnoses.0.remedy.changes: input should be"),
        ([], "input should be an object, got []"),
        (measured({"step": 1}), "vitals.0.loss: is missing"),
        (measured(examined(None, layer_vitals(1, 8))), "vitals.0.step: input should be a valid integer, got None"),
        (measured(examined(0)), "vitals.0.layers: expected layers numbered from 1 on, got []"),
        (measured(examined(0, layer_vitals(2, 8))), "vitals.0.layers: expected layers numbered from 1 on"),
        (measured(examined(0, layer_vitals(1, 8, dead=[8]))), "vitals.0.layers: expected some of the 8 units of"),
        (
            measured(examined(0, layer_vitals(1, 2, saturated=[1, 1, 1]))),
            "vitals.0.layers: expected some of the 2",
        ),
        (measured(*[examined(4, layer_vitals(1, 8))] * 2), "vitals: expected steps that rise"),
        (measured(*(examined(n, layer_vitals(1, n)) for n in (1, 2))), "vitals: expected the same layers"),
    ],
)
def test_a_damaged_record_is_refused_in_one_line(tmp_path, content, said):
    path = tmp_path / "health.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(FileError) as caught:
        RunFolder(tmp_path).health()
    assert str(caught.value).startswith(f"{path}: is no record of a run's health: {said}")
    assert str(caught.value).endswith("; remove it, and the report does without")
