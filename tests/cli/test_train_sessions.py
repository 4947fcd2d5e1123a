"""What ``glassnet train`` does with a configuration: resumed runs, the range test, trackers, a full disk."""

import errno
import os
import re
import shutil
import signal
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import glassnet as gn
from glassnet.training.checkpointer import Checkpointer
from glassnet.training.run_folder import RunFolder

SMALL = ["--layers", "64,8,10", "-q"]


# Resumed runs


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(process, glassnet, here, number, code):
    """The folder's name has a blank, so that the command that is said must be quoted to be of use."""
    options = ["digits", "--layers", "64,32,10", "--dropout", "0.2", "--ema", "0.9", "--metrics", "f1"]
    run = process("train", *options, "--epochs", 100_000, "--run-dir", "a run")
    assert run.stderr.readline().startswith("epoch      1/100000")
    held = glassnet("train", "--resume", "a run")
    assert (held.code, held.error) == (1, "a run: is in use: another process trains in it; wait until it ends")
    run.send_signal(number)
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out) == (code, "")
    said = r".*stopped after (\d+) whole epochs?; saved in a run; go on with: glassnet train --resume 'a run'"
    done = int(re.fullmatch(said, err.splitlines()[-1])[1])
    assert "Traceback" not in err
    assert len(RunFolder(here / "a run").history()) == done
    network = gn.load_model("a run").network
    assert np.isfinite(network.theta).all()
    assert network.fingerprint() != gn.Network(network.layers).fingerprint()
    epochs = done + 2
    resumed = glassnet("train", "--resume", "a run", "--epochs", epochs, "--json")
    assert resumed.code == 0
    shown = [int(line.split()[1].partition("/")[0]) for line in resumed.err.splitlines()]
    assert set(shown) <= {epochs - 1, epochs}
    assert shown[-1] == epochs
    whole = glassnet("train", *options, "--epochs", epochs, "-q", "--json").json
    own = ("run_dir", "report", "seconds", "threads")
    same = {name: value for name, value in whole.items() if name not in own}
    assert {name: resumed.json[name] for name in same} == same
    assert gn.load_config("a run/config.toml").training.epochs == epochs


def test_a_finished_run_is_told_again_and_can_be_made_longer(glassnet):
    first = glassnet("train", "digits", *SMALL, "--epochs", 2, "--run-dir", "run", "--json").json
    before = Path("run/model.safetensors").read_bytes()
    assert glassnet("train", "--resume", "run", "-q", "--json").json == first
    assert Path("run/model.safetensors").read_bytes() == before
    longer = glassnet("train", "--resume", "run", "--epochs", 4, "-q", "--json").json
    whole = glassnet("train", "digits", *SMALL, "--epochs", 4, "--json").json
    assert longer["theta_sha256"] == whole["theta_sha256"] != first["theta_sha256"]
    assert longer["test_measures"] == whole["test_measures"]
    answer = glassnet("train", "--resume", "run", "--epochs", 3)
    assert (answer.code, answer.error) == (2, "--epochs: the run has had 4 epochs; ask for 4 or more")


@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")
def test_a_run_that_stopped_early_is_told_again(glassnet):
    options = [*SMALL, "--epochs", 60, "--learning-rate", 0.3, "--early-stopping", 2, "--run-dir", "run", "--json"]
    first = glassnet("train", "digits", *options).json
    assert first["stopped"] == "early stopping"
    assert glassnet("train", "--resume", "run", "-q", "--json").json == first


def test_the_table_of_a_resumed_run_is_that_of_the_run(glassnet):
    first = glassnet("train", "digits", *SMALL, "--epochs", 2, "--run-dir", "run")
    again = glassnet("train", "--resume", "run")
    assert (again.code, again.out, again.err) == (0, first.out, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["digits"],
        ["--seed", "0"],
        ["--target", "price"],
        ["--validation", "0"],
        ["--layers", "64,16,10"],
        ["--no-batch-norm"],
        ["--dropout", "0.5"],
        ["--optimizer", "sgd"],
        ["--learning-rate", "0.1"],
        ["--schedule", "cosine"],
        ["--batch-size", "4"],
        ["--class-weight", "balanced"],
        ["--metrics", "f1"],
        ["--early-stopping", "3"],
        ["--kernels", "numpy"],
        ["--threads", "1"],
        ["--checkpoint-every", "1"],
        ["--config", "run/config.toml"],
        ["--plan", "best"],
        ["--run-dir", "other"],
        ["--seeds", "2"],
        ["--compare"],
        ["--find-lr"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_would_make_another_run_is_refused_beside_resume(glassnet, run_folder, here, arguments):
    before = (run_folder / "config.toml").read_bytes()
    answer = glassnet("train", "--resume", "run", *arguments)
    name = "DATASET" if arguments[0] == "digits" else arguments[0].replace("--no-", "--")
    assert answer.code == 2
    assert answer.error.startswith(f"{name}: cannot be changed when a run goes on; leave it out, or ")
    assert os.listdir(here) == ["run"]
    assert (run_folder / "config.toml").read_bytes() == before


def test_what_is_no_run_is_named(glassnet, here):
    (here / "file").write_text("")
    (here / "empty").mkdir()
    for name in ("nowhere", "file", "empty", ".", ""):
        answer = glassnet("train", "--resume", name)
        assert answer.code == 1
        assert answer.error.startswith(f"{name or '.'}: is no run folder: it holds no config.toml")
    assert sorted(os.listdir(here)) == ["empty", "file"]
    assert os.listdir("empty") == []


def test_a_damaged_checkpoint_is_named_and_everything_stays(glassnet, run_folder):
    path = run_folder / "checkpoint.safetensors"
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[-100] ^= 1
    model = (run_folder / "model.safetensors").read_bytes()
    cases = {
        "is damaged: its checksum is wrong": bytes(flipped),
        "is damaged or no checkpoint: ": whole[: len(whole) // 2],
        "is no checkpoint of format 5, but a model file": model,
    }
    for message, content in cases.items():
        path.write_bytes(content)
        answer = glassnet("train", "--resume", "run", "--epochs", 9)
        assert answer.code == 1
        assert answer.error.startswith(f"run/checkpoint.safetensors: {message}")
        assert path.read_bytes() == content
    path.unlink()
    answer = glassnet("train", "--resume", "run", "--epochs", 9)
    assert answer.error == ("run/checkpoint.safetensors: does not exist; only a run that was begun can be resumed")
    assert (run_folder / "model.safetensors").read_bytes() == model
    path.write_bytes(whole)
    assert glassnet("train", "--resume", "run", "--epochs", 4, "-q").code == 0


def test_a_checkpoint_of_another_network_is_refused(glassnet, run_folder):
    glassnet("train", "digits", *SMALL, "--epochs", 1, "--optimizer", "sgd", "--run-dir", "other")
    shutil.copy("other/checkpoint.safetensors", "run/checkpoint.safetensors")
    answer = glassnet("train", "--resume", "run", "--epochs", 9)
    assert answer.code == 1
    assert answer.error.startswith("run/checkpoint.safetensors: does not fit the run's configuration: ")


def test_a_run_on_data_that_have_changed_does_not_go_on(glassnet, here):
    rng = np.random.default_rng(0)
    np.savez(here / "points.npz", X=rng.normal(size=(60, 4)), y=np.arange(60) % 3)
    options = ["--layers", "4,8,3", "--batch-size", 8, "--epochs", 1, "-q", "--run-dir", "run"]
    assert glassnet("train", "points.npz", *options).code == 0
    np.savez(here / "points.npz", X=rng.normal(size=(60, 4)), y=np.arange(60) % 3)
    answer = glassnet("train", "--resume", "run", "--epochs", 2)
    assert answer.code == 1
    assert answer.error.startswith("points.npz: is not the file that this configuration was made with")


# A full disk


@pytest.fixture
def disk(here, monkeypatch):
    """A disk on which the beginning of a run has room, and nothing after it where it is told to be full."""

    class Disk:
        full = True

    disk, sync = Disk(), os.fsync

    def fsync(handle):
        begun = any(here.rglob("config.toml")) and stat.S_ISREG(os.fstat(handle).st_mode)
        if begun and disk.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return disk


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_full_disk_at_the_end_is_said_with_how_to_go_on(glassnet, disk, form):
    options = ["digits", *SMALL, "--epochs", 2]
    answer = glassnet("train", *options, "--run-dir", "run", *form)
    assert answer.code == 1
    first, last = answer.err.splitlines()
    assert first == (
        "glassnet: run/checkpoint.safetensors: cannot be written: No space left on device; "
        "what was saved before stays"
    )
    assert last.startswith("glassnet: run/checkpoint.safetensors: cannot be written: No space left on device; ")
    assert last.endswith("make room and go on with: glassnet train --resume run")
    assert not list(Path("run").glob("*.part"))
    disk.full = False
    whole = glassnet("train", *options, "--json").json
    if form:
        assert answer.json["theta_sha256"] == whole["theta_sha256"]
    assert gn.load_model("run").network.fingerprint() == gn.Network([64, 8, 10]).fingerprint()
    assert glassnet("train", "--resume", "run", "-q", "--json").json["theta_sha256"] == whole["theta_sha256"]
    assert gn.load_model("run").network.fingerprint() == whole["theta_sha256"]


@pytest.mark.filterwarnings("default")
def test_a_full_disk_while_training_is_one_line_and_training_goes_on(glassnet, disk, monkeypatch):
    """It is said once, not after every epoch; the disk has room again at the end."""

    def room_at_the_end(checkpointer, save=Checkpointer.save_checkpoint):
        disk.full = not checkpointer.state.ended
        return save(checkpointer)

    monkeypatch.setattr(Checkpointer, "save_checkpoint", room_at_the_end)
    options = [*SMALL, "--epochs", 4, "--checkpoint-every", 1, "--run-dir", "run", "--json"]
    answer = glassnet("train", "digits", *options)
    assert answer.code == 0
    assert answer.err == (
        "glassnet: run/checkpoint.safetensors: cannot be written: No space left on device; "
        "training goes on, and what was saved before stays\n"
    )
    assert gn.load_model("run").network.fingerprint() == answer.json["theta_sha256"]


# The range test


def test_the_range_test_says_which_learning_rate_to_take(glassnet):
    answer = glassnet("train", "digits", "--layers", "64,16,10", "--find-lr", "--run-dir", "run", "--json")
    assert (answer.code, answer.err) == (0, "")
    record = answer.json
    assert (record["dataset"], record["picture"]) == ("digits", "run/learning_rates.png")
    assert record["optimizer"].startswith("adam(")
    data = gn.load_dataset("digits")
    found = gn.training.range_test.find_learning_rate(gn.Network([64, 16, 10]), data)
    assert (record["learning_rate"], record["highest_stable"]) == (found.pick, found.highest_stable)
    assert 0.003 < record["learning_rate"] < record["highest_stable"]
    rates = np.array(record["learning_rates"])
    assert np.ptp(rates[1:] / rates[:-1]) < 1e-9
    assert record["losses"] == found.losses.tolist()
    assert record["smoothed"] == found.smoothed.tolist()
    assert os.listdir("run") == ["learning_rates.png"]
    assert Path("run/learning_rates.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    with Image.open("run/learning_rates.png") as picture:
        colours = np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)
    assert len(colours) > 100  # lines and letters, no empty page


def test_the_table_of_the_range_test_holds_the_same(glassnet):
    options = ["digits", "--layers", "64,16,10", "--find-lr", "--optimizer", "momentum"]
    record = glassnet("train", *options, "--json").json
    answer = glassnet("train", *options, "--run-dir", "run")
    lines = answer.out.splitlines()
    assert "network         64-16-10, 1,210 parameters" in lines
    assert any(line.startswith("optimizer       momentum(") for line in lines)
    assert f"learning rate   {record['learning_rate']:.3g}" in lines
    assert f"highest stable  {record['highest_stable']:.3g}" in lines
    assert f"because         {record['reason']}" in lines
    assert lines[-1] == "curve           run/learning_rates.png"


@pytest.mark.parametrize("optimizer", ["sgd", "muon", "kfac"])
def test_a_learning_rate_is_found_for_optimizers_of_every_kind(glassnet, optimizer):
    options = ["--layers", "64,16,10", "--find-lr", "--optimizer", optimizer, "--json"]
    answer = glassnet("train", "digits", *options)
    assert answer.code == 0, answer.err
    assert answer.json["smoothed"][0] > 2.2
    assert min(answer.json["smoothed"]) < 1.7


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--optimizer", "lbfgs"], 2, "--optimizer: lbfgs has no learning rate to find"),
        (["--layers", "60,10"], 1, "layers: the data have 64 columns"),
        (["--batch-size", "1319"], 2, "--batch-size: 1319 is more than the 1318 samples"),
        (["--initializer", "zeros"], 1, "learning rates: the loss, 2.3 at first, fell at none from 1e-06 to 10"),
        (["--schedule", "cosin"], 2, "training.schedule: unknown name 'cosin'"),
        (["--seeds", "2"], 2, "--seeds: is for training, and --find-lr trains nothing"),
        (["--compare"], 2, "--compare: is for training"),
        (["--tensorboard"], 2, "--tensorboard: is for training"),
        (["--mlflow"], 2, "--mlflow: is for training"),
    ],
)
def test_a_range_test_that_cannot_be_made_is_one_line_and_leaves_nothing(glassnet, here, arguments, code, message):
    answer = glassnet("train", "digits", "--find-lr", *arguments)
    assert answer.code == code
    assert answer.error.startswith(message.replace("training.", "--"))
    assert not list(here.iterdir())


def test_the_picture_goes_into_no_folder_with_files(glassnet, here):
    (here / "mine").mkdir()
    (here / "mine" / "text").write_text("mine")
    for folder, problem in (("mine", "already holds files"), ("mine/text", "cannot be made"), ("/proc/x", "")):
        answer = glassnet("train", "digits", "--layers", "64,16,10", "--find-lr", "--run-dir", folder)
        assert answer.code == 1
        assert answer.error.startswith(f"{folder}: {problem}")
    assert os.listdir("mine") == ["text"]


# Trackers


def test_tensorboard_finds_its_files_in_the_run_folder(glassnet, here):
    options = [*SMALL, "--tensorboard", "--metrics", "auc", "--run-dir"]
    plain = glassnet("train", "digits", *SMALL, "--epochs", 2, "--json").json
    record = glassnet("train", "digits", *options, "run", "--epochs", 2, "--json").json
    assert record["theta_sha256"] == plain["theta_sha256"]
    [events] = (here / "run" / "tensorboard").iterdir()
    content = events.read_bytes()
    assert all(name in content for name in (b"loss/train", b"accuracy/validation", b"auc/validation"))
    assert glassnet("train", "--resume", "run", "--epochs", 3, "-q", "--tensorboard").code == 0
    assert len(list((here / "run" / "tensorboard").iterdir())) == 2
    assert glassnet("train", "digits", *options, "two", "--epochs", 1, "--seeds", 2).code == 0
    for seed in (0, 1):
        assert len(list((here / "two" / f"seed-{seed}" / "tensorboard").iterdir())) == 1


#: MLflow 3.17 loads its tables by an option that SQLAlchemy 2.1 wants to drop.
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
def test_mlflow_records_the_run_where_the_environment_says(glassnet, here, monkeypatch):
    from mlflow.tracking import MlflowClient

    uri = f"sqlite:///{here}/elsewhere/ml.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    record = glassnet("train", "digits", *SMALL, "--epochs", 2, "--mlflow", "--run-dir", "run", "--json").json
    client = MlflowClient(uri)
    [run] = client.search_runs([client.get_experiment_by_name("glassnet").experiment_id])
    assert (run.info.run_name, run.info.status) == ("run", "FINISHED")
    assert run.data.metrics["loss/validation"] == pytest.approx(record["validation_loss"], rel=1e-12)
    assert sorted(os.listdir(here)) == ["elsewhere", "run"]


@pytest.mark.parametrize(("option", "library"), [("tensorboard", "tensorboardX"), ("mlflow", "mlflow")])
def test_a_missing_library_is_one_line_before_training(glassnet, here, monkeypatch, option, library):
    monkeypatch.setitem(sys.modules, library, None)
    message = f"--{option}: {library} is not installed: pip install 'glassnet[{option}]'"
    for arguments in (["digits", *SMALL], ["digits", *SMALL, "--seeds", "2"]):
        answer = glassnet("train", *arguments, f"--{option}")
        assert (answer.code, answer.error) == (2, message)
        assert not list(here.iterdir())
    assert glassnet("train", "digits", *SMALL, "--epochs", 1, "--run-dir", "run").code == 0
    before = (here / "run" / "config.toml").read_bytes()
    answer = glassnet("train", "--resume", "run", "--epochs", 2, f"--{option}")
    assert (answer.code, answer.error) == (2, message)
    assert (here / "run" / "config.toml").read_bytes() == before
