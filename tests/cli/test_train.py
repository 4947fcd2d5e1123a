"""``glassnet train`` and what it leaves behind."""

import errno
import json
import os
import re
import signal

import numpy as np
import pytest

import glassnet as gn
from glassnet.training.run_folder import RunFolder


def test_a_run_says_what_it_reached_and_saves_it(glassnet, here):
    answer = glassnet("train", "digits", "--epochs", 20, "--seed", 3, "--json")
    assert answer.code == 0
    record = answer.json
    assert record["test_accuracy"] >= 0.95
    assert record["layers"] == [64, 256, 128, 10]
    assert record["parameters"] == 64 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10
    assert record["epochs"] == 20
    assert re.fullmatch(r"runs/\d{4}-\d\d-\d\d_\d{6}_digits_64-256-128-10", record["run_dir"])
    assert sorted(os.listdir(record["run_dir"])) == ["config.toml", "history.csv", "model.safetensors"]
    network = gn.load_model(record["run_dir"])
    assert network.fingerprint() == record["theta_sha256"]
    assert network.score(gn.load_dataset("digits").test) == record["test_accuracy"]
    last = RunFolder(here / record["run_dir"]).history().last
    assert (last.validation_accuracy, last.train_loss) == (record["validation_accuracy"], record["train_loss"])


def test_the_table_for_people_holds_the_same(glassnet):
    answer = glassnet("train", "digits", "--epochs", 2, "--run-dir", "run")
    assert "digits: 1,318 training, 120 validation, 359 test rows" in answer.out
    accuracy = gn.load_model("run").score(gn.load_dataset("digits").test)
    assert f"test accuracy        {accuracy:.4f}\n" in answer.out
    assert answer.err.startswith("epoch 1/2  loss ")
    assert len(answer.err.splitlines()) == 2


def test_quiet_shows_no_progress(glassnet):
    assert glassnet("train", "digits", "--epochs", 1, "-q").err == ""


def test_every_option_reaches_the_configuration(glassnet):
    options = {
        "layers": "64,12,9,1",
        "activation": "sigmoid,tanh",
        "output_activation": "sigmoid",
        "loss": "half_squared_error(sum)",
        "output_scale": "10",
        "initializer": "uniform(-1,1)",
        "bias_initializer": "normal(0, 0.5)",
        "dtype": "float64",
        "optimizer": "momentum(momentum=0.7)",
        "learning_rate": "0.002",
        "update_scale": "0.25",
        "epochs": "2",
        "batch_size": "50",
        "samples_per_epoch": "600",
        "sampling": "first",
        "seed": "5",
        "validation": "0",
        "split_seed": "8",
        "kernels": "numpy",
        "threads": "1",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    assert glassnet("train", "digits", *arguments, "--run-dir", "run", "-q").code == 0
    config = gn.load_config("run/config.toml")
    assert config.seed == 5
    assert config.data.model_dump() == {"dataset": "digits", "validation": 0, "split_seed": 8}
    network = config.network.model_dump()
    assert network == {
        "layers": [64, 12, 9, 1],
        "activation": ["sigmoid", "tanh"],
        "output_activation": "sigmoid",
        "loss": "half_squared_error(reduction=sum)",
        "output_scale": 10.0,
        "initializer": "uniform(-1, 1)",
        "bias_initializer": "normal(0, 0.5)",
        "seed": None,
        "dtype": "float64",
    }
    assert config.training.model_dump() == {
        "optimizer": "momentum(learning_rate=0.002, update_scale=0.25, momentum=0.7)",
        "epochs": 2,
        "batch_size": 50,
        "samples_per_epoch": 600,
        "sampling": "first",
        "kernels": "numpy",
        "threads": 1,
    }


def test_a_run_is_repeated_bit_for_bit_from_its_configuration(glassnet, process):
    first = glassnet("train", "digits", "--epochs", 3, "--seed", 4, "--run-dir", "a", "--json").json
    again = process("train", "--config", "a/config.toml", "--run-dir", "b", "--json")
    assert json.loads(again.communicate()[0])["theta_sha256"] == first["theta_sha256"]
    other = glassnet("train", "--config", "a/config.toml", "--seed", 5, "--run-dir", "c", "--json").json
    assert other["theta_sha256"] != first["theta_sha256"]
    assert gn.load_config("c/config.toml").training == gn.load_config("a/config.toml").training


def test_two_runs_in_the_same_second_keep_apart(process):
    both = [process("train", "digits", "--epochs", 1, "-q") for _ in range(2)]
    assert [run.communicate() and run.returncode for run in both] == [0, 0]
    assert len(os.listdir("runs")) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["train"], 2, "DATASET: is missing"),
        (["train", "digit"], 2, "DATASET: unknown name 'digit'; did you mean 'digits'?"),
        (["--layers", "64"], 2, "--layers: needs two or more whole numbers > 0"),
        (["--layers", "64,0,10"], 2, "--layers: needs two or more whole numbers > 0"),
        (["--layers", "64,x,10"], 2, "--layers: "),
        (["--layers", "60,10"], 1, "layers: the data have 64 columns, the first layer has 60 units"),
        (["--layers", "64,7"], 1, "layers: the data have 10 classes, the last layer has 7 units"),
        (["--layers", "64,999999999999,10"], 2, "--layers: "),
        (["--activation", "rellu"], 2, "--activation: unknown name 'rellu'; did you mean 'relu'?"),
        (["--activation", "relu,tanh,elu"], 2, "--activation: give one name, or one for each of the 2"),
        (["--output-activation", "sigmoid"], 2, "--output-activation: cross_entropy goes with softmax"),
        (["--loss", "crossentropy"], 2, "--loss: unknown name 'crossentropy'"),
        (["--loss", "huber(-1)"], 2, "--loss: huber: delta must be > 0"),
        (["--output-scale", "-1"], 2, "--output-scale: must be a number > 0"),
        (["--initializer", "uniform(1,-1)"], 2, "--initializer: uniform: low must be below high"),
        (["--dtype", "float16"], 2, "--dtype: must be float32 or float64"),
        (["--optimizer", "adamm"], 2, "--optimizer: unknown name 'adamm'"),
        (["--optimizer", "adam(gamma=1)"], 2, "--optimizer: "),
        (["--optimizer", "adam(__import__('os'))"], 2, "--optimizer: cannot read"),
        (["--learning-rate", "0"], 2, "--learning-rate: must be > 0, got 0.0"),
        (["--learning-rate", "-0.1"], 2, "--learning-rate: must be > 0, got -0.1"),
        (["--learning-rate", "nan"], 2, "--learning-rate: must be a finite number"),
        (["--epochs", "0"], 2, "--epochs: "),
        (["--batch-size", "0"], 2, "--batch-size: "),
        (["--batch-size", "1319"], 2, "--batch-size: 1319 is more than the 1318 samples of an epoch"),
        (["--optimizer", "gd", "--batch-size", "10"], 2, "--batch-size: gd takes all samples"),
        (["--samples-per-epoch", "1.5"], 2, "--samples-per-epoch: "),
        (["--samples-per-epoch", "some"], 2, "--samples-per-epoch: "),
        (["--sampling", "last"], 2, "--sampling: "),
        (["--seed", "-1"], 2, "--seed: "),
        (["--validation", "5000"], 2, "--validation: "),
        (["--config", "none.toml"], 1, "none.toml: cannot be read"),
    ],
)
def test_bad_options_are_named_in_one_line_and_leave_nothing(glassnet, here, arguments, code, message):
    answer = glassnet(*(arguments if arguments[0] == "train" else ["train", "digits", *arguments]))
    assert answer.error.startswith(message)
    assert answer.code == code
    assert not list(here.iterdir())


def test_a_bad_configuration_file_is_named_with_the_key(glassnet, here):
    (here / "c.toml").write_text('[data]\ndataset = "digits"\n[training]\nepoch = 3\n')
    answer = glassnet("train", "--config", "c.toml")
    assert answer.code == 1
    assert answer.error.startswith("c.toml: training.epoch: is no option; known here: optimizer, epochs")


def test_a_folder_with_files_is_left_alone(glassnet, here):
    (here / "run").mkdir()
    (here / "run" / "mine.txt").write_text("mine")
    answer = glassnet("train", "digits", "--run-dir", "run")
    assert answer.code == 1
    assert answer.error.startswith("run: already holds files, which are not overwritten")
    assert os.listdir("run") == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_named(glassnet, here):
    (here / "file").write_text("")
    for option in (["--run-dir", "file/run"], ["--run-dir", "/proc/glassnet"]):
        answer = glassnet("train", "digits", *option)
        assert (answer.code, answer.error.split(":")[0]) == (1, option[1])
    (here / "runs").write_text("a file where the folder of all runs should be")
    assert glassnet("train", "digits").error.startswith("runs/")


def test_a_full_disk_is_met_before_the_work(glassnet, here, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    answer = glassnet("train", "digits", "--run-dir", "run")
    assert answer.code == 1
    assert answer.error.endswith("cannot be written: No space left on device")
    assert not (here / "run").exists()


def test_a_loss_that_becomes_infinite_stops_the_run_and_keeps_the_last_good_state(glassnet):
    answer = glassnet("train", "digits", "--optimizer", "sgd(1e25)", "--epochs", 3, "-q", "--run-dir", "run")
    assert answer.code == 1
    assert re.match(
        r"epoch 1, step 2: the loss became \S+: it began in layer \d, [ZH]\[\d+, \d+\] = ", answer.error
    )
    assert "learning_rate 1e+25" in answer.error
    start = gn.Network([64, 256, 128, 10])
    assert gn.load_model("run").fingerprint() == start.fingerprint()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_with_its_work_saved(process, here, number, code):
    run = process("train", "digits", "--epochs", 100_000, "--run-dir", "run")
    assert run.stderr.readline().startswith("epoch      1/100000")  # it has begun to learn
    run.send_signal(number)
    out, err = run.communicate(timeout=20)
    assert run.returncode == code
    assert out == ""
    last = err.splitlines()[-1]
    epochs = int(re.search(r"stopped after (\d+) whole epochs; saved in run; look at it with: ", last)[1])
    assert "Traceback" not in err
    assert len(RunFolder(here / "run").history()) == epochs
    assert np.isfinite(gn.load_model("run").theta).all()
    assert gn.load_model("run").fingerprint() != gn.Network([64, 256, 128, 10]).fingerprint()


@pytest.mark.real_data
def test_fashion_mnist_by_one_command(glassnet, fashion_mnist_home):
    """The command of the specification, on a shorter run; its accuracy is held in tests/training."""
    arguments = "--layers 784,256,128,10 --activation relu --optimizer adam --epochs 2 --batch-size 128 --seed 0"
    answer = glassnet("train", "fashion-mnist", *arguments.split(), "--data-dir", fashion_mnist_home, "--json")
    assert answer.json["test_accuracy"] > 0.84
    assert gn.load_config(f"{answer.json['run_dir']}/config.toml").checksums["t10k-labels-idx1-ubyte.gz"] == (
        "bb300cfdad3c16e7a12a480ee83cd310"
    )


@pytest.mark.parametrize(("text", "rows"), [("1.0", 1318), ("0.5", 659), ("5", 5)])
def test_samples_per_epoch_tells_a_share_from_a_number(glassnet, text, rows):
    arguments = ["--samples-per-epoch", text, "--epochs", 1, "--run-dir", "run", "--optimizer", "gd"]
    assert glassnet("train", "digits", *arguments, "-q").code == 0
    value = gn.load_config("run/config.toml").training.samples_per_epoch
    assert (round(value * 1318) if isinstance(value, float) else value) == rows


def test_one_thing_of_a_finished_run_can_be_changed(glassnet):
    glassnet("train", "digits", "--layers", "64,16,8,10", "--epochs", 1, "-q", "--run-dir", "run")
    for number, change in enumerate((["--layers", "64,16,10"], ["--loss", "half_squared_error"])):
        assert glassnet("train", "--config", "run/config.toml", *change, "-q", "--run-dir", f"r{number}").code == 0


def test_a_full_device_behind_the_output_is_one_line(process):
    with open("/dev/full", "w") as full:
        run = process("train", "digits", "--epochs", 1, "-q", "--json", stdout=full)
        _, err = run.communicate()
    assert (run.returncode, err) == (1, "glassnet: standard output: No space left on device\n")


@pytest.mark.parametrize("option", ["--config", "--run-dir"])
def test_a_name_that_is_too_long_is_one_line(glassnet, option):
    answer = glassnet("train", "digits", option, "n" * 300)
    assert answer.code == 1
    assert "File name too long" in answer.error


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('training.optimizer = "adamm"', "training.optimizer: unknown name 'adamm'"),
        ('training.optimizer = "sgd(-1)"', "training.optimizer: sgd: learning_rate: must be > 0, got -1"),
        ('network.activation = ["relu", "rellu"]', "network.activation: unknown name 'rellu'"),
        ('network.loss = "huber(0)"', "network.loss: huber: delta must be > 0, got 0"),
        ('network.bias_initializer = "zero"', "network.bias_initializer: unknown name 'zero'"),
    ],
)
def test_a_bad_name_in_a_configuration_file_is_that_files_error(glassnet, here, line, said):
    (here / "c.toml").write_text(f'data.dataset = "digits"\n{line}\n')
    answer = glassnet("train", "--config", "c.toml")
    assert answer.code == 1
    assert answer.error.startswith(f"c.toml: {said}")
