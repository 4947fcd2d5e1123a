"""``glassnet train`` and what it leaves behind."""

import errno
import json
import os
import re
import signal
import statistics
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import glassnet as gn
from glassnet.cli.plans import NOT_OF_A_PLAN
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.training.config import load_plan
from glassnet.training.metrics import evaluate_predictions, predict_rows
from glassnet.training.options import DataConfig, NetworkConfig, TrainingConfig
from glassnet.training.run_folder import RunFolder
from glassnet.training.table_plan import load_table_plan

#: What every run folder holds.
FILES = ["checkpoint.safetensors", "config.toml", "health.json", "history.csv", "model.safetensors"]


def files_in(folder):
    """The names in a folder, without those that begin with a dot."""
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def test_a_run_says_what_it_reached_and_saves_it(glassnet, here):
    answer = glassnet("train", "digits", "--epochs", 20, "--seed", 3, "--json")
    assert answer.code == 0
    record = answer.json
    assert record["test_accuracy"] >= 0.95
    assert record["layers"] == [64, 256, 128, 10]
    assert record["parameters"] == 64 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10
    assert record["epochs"] == 20
    assert re.fullmatch(r"runs/\d{4}-\d\d-\d\d_\d{6}_digits_64-256-128-10", record["run_dir"])
    assert files_in(record["run_dir"]) == [*FILES, "report.html", "report.md"]
    network = gn.load_model(record["run_dir"]).network
    assert network.fingerprint() == record["theta_sha256"]
    assert gn.evaluate(network, gn.load_dataset("digits")).accuracy == record["test_accuracy"]
    last = RunFolder(here / record["run_dir"]).history().last
    assert (last.validation_accuracy, last.train_loss) == (record["validation_accuracy"], record["train_loss"])


def test_the_table_for_people_holds_the_same(glassnet):
    answer = glassnet("train", "digits", "--epochs", 2, "--run-dir", "run")
    assert "digits: 1,318 training, 120 validation, 359 test rows" in answer.out
    found = evaluate_predictions(predict_rows(gn.load_model("run").network, gn.load_dataset("digits").test))
    low, high = found.intervals["accuracy"]
    assert f"test AUC             {found.measures['auc']:.4f}\n" in answer.out
    assert f"test accuracy        {found.measures['accuracy']:.4f}  ({low:.3f} to {high:.3f})\n" in answer.out
    assert answer.err.startswith("epoch 1/2  loss ")
    assert len(answer.err.splitlines()) == 2


def test_quiet_shows_no_progress(glassnet):
    assert glassnet("train", "digits", "--epochs", 1, "-q").err == ""


#: For every option that describes the network, a value that is not its default, and what the configuration makes
#: of it. They go together.
NETWORK = {
    "layers": ("36,12,9,1", [36, 12, 9, 1]),
    "activation": ("sigmoid,tanh", ["sigmoid", "tanh"]),
    "output_activation": ("sigmoid", "sigmoid"),
    "loss": ("half_squared_error(mean)", "half_squared_error(reduction=mean)"),
    "output_scale": ("10", 10.0),
    "initializer": ("uniform(-1,1)", "uniform(-1, 1)"),
    "bias_initializer": ("normal(0, 0.5)", "normal(0, 0.5)"),
    "dtype": ("float64", "float64"),
    "batch_norm": (None, True),
    "dropout": ("0.1,0.2,0.3", [0.1, 0.2, 0.3]),
}

#: The same for training.
TRAINING = {
    "optimizer": ("momentum(momentum=0.7)", "momentum(learning_rate=0.002, update_scale=0.25, momentum=0.7)"),
    "schedule": ("cosine(warmup=0.25)", "cosine(warmup=0.25)"),
    "epochs": ("2", 2),
    "batch_size": ("6", 6),
    "samples_per_epoch": ("18", 18),
    "sampling": ("first", "first"),
    "augmentation": ("erase(0.25)+flip", "erase(0.25)+flip"),
    "class_weight": ("dark=2,light=0.5", {"dark": 2.0, "light": 0.5}),
    "l1": ("0.001", 0.001),
    "l2": ("0.002", 0.002),
    "weight_decay": ("0.003", 0.003),
    "clip_norm": ("4", 4.0),
    "clip_value": ("5", 5.0),
    "max_norm": ("6", 6.0),
    "ema": ("0.875", 0.875),
    "metrics": ("f1, balanced_accuracy", ["f1", "balanced_accuracy"]),
    "early_stopping": ("7", "patience(7)"),
    "checkpoint_every": ("3", 3),
    "kernels": ("numpy", "numpy"),
    "threads": ("1", 1),
}

#: Options of which one excludes others above.
ALONE = {"average_epochs": ("2", 2), "label_smoothing": ("0.125", 0.125)}


def option(name, text):
    """What says an option on the command line."""
    return [f"--{name.replace('_', '-')}", *([] if text is None else [text])]


def test_every_option_reaches_the_configuration(glassnet, pictures):
    steps = [*option("learning_rate", "0.002"), *option("update_scale", "0.25"), "--seed", 5]
    arguments = [part for name, (text, _) in (NETWORK | TRAINING).items() for part in option(name, text)]
    split = ["--validation", "0.25", "--split-seed", 8]
    answer = glassnet("train", "pictures", *arguments, *steps, *split, "--run-dir", "run", "-q")
    said = "glassnet: pictures: target: 2 classes (dark, light), so binary\n"
    assert (answer.code, answer.err) == (0, said)
    config = gn.load_config("run/config.toml")
    assert config.seed == 5
    defaults = {name: field.default for name, field in DataConfig.model_fields.items()}
    assert config.data.model_dump() == defaults | {
        "dataset": str(pictures),
        "validation": 8,  # of the 32 pictures that are not for the test
        "split_seed": 8,
    }
    assert config.network.model_dump() == {"seed": None, **{name: value for name, (_, value) in NETWORK.items()}}
    assert {**config.training.model_dump(), "average_epochs": None, "label_smoothing": 0.0} == {
        **{name: value for name, (_, value) in TRAINING.items()},
        "average_epochs": None,
        "label_smoothing": 0.0,
    }


@pytest.mark.parametrize("name", ALONE)
def test_options_that_exclude_others_reach_the_configuration(glassnet, name):
    text, value = ALONE[name]
    assert glassnet("train", "digits", *SHORT, *option(name, text), "--run-dir", "run").code == 0
    assert getattr(gn.load_config("run/config.toml").training, name) == value


def test_no_option_was_forgotten():
    assert {"seed", *NETWORK} == set(NetworkConfig.model_fields)
    assert TRAINING.keys() | ALONE.keys() == set(TrainingConfig.model_fields)


def test_a_run_is_repeated_bit_for_bit_from_its_configuration(glassnet, process):
    first = glassnet("train", "digits", "--epochs", 3, "--seed", 4, "--run-dir", "a", "--json").json
    again = process("train", "--config", "a/config.toml", "--run-dir", "b", "--json")
    assert json.loads(again.communicate()[0])["theta_sha256"] == first["theta_sha256"]
    other = glassnet("train", "--config", "a/config.toml", "--seed", 5, "--run-dir", "c", "--json").json
    assert other["theta_sha256"] != first["theta_sha256"]
    assert gn.load_config("c/config.toml").training == gn.load_config("a/config.toml").training


def test_two_runs_in_the_same_second_keep_apart(glassnet, monkeypatch):
    monkeypatch.setattr("glassnet.training.run_folder.time.strftime", lambda form: "2026-11-23_101500")
    assert [glassnet("train", "digits", *SHORT).code for _ in range(2)] == [0, 0]
    name = "2026-11-23_101500_digits_64-8-10"
    assert sorted(os.listdir("runs")) == [name, f"{name}_2"]


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
        (["--optimizer", "gd", "--batch-size", "10"], 2, "--batch-size: gd and lbfgs take all samples"),
        (["--samples-per-epoch", "1.5"], 2, "--samples-per-epoch: "),
        (["--samples-per-epoch", "some"], 2, "--samples-per-epoch: "),
        (["--sampling", "last"], 2, "--sampling: "),
        (["--seed", "-1"], 2, "--seed: "),
        (["--seeds", "0"], 2, "Invalid value for '--seeds': Input should be greater than or equal to 1"),
        (["--seeds", "2", "--epochs", "0"], 2, "--epochs: "),
        (["--seeds", "2", "--layers", "60,10"], 1, "layers: the data have 64 columns"),
        (["--compare"], 2, "--compare: no published figures are known for digits"),
        (["--target", "price"], 2, "--target: goes with data of your own, a file or a folder"),
        (["--impute", "median"], 2, "--impute: goes with data of your own, a file or a folder"),
        (["--impute", "mean"], 2, "--impute: input should be 'error' or 'median', got 'mean'"),
        (["--validation", "5000"], 2, "--validation: "),
        (["--config", "none.toml"], 1, "none.toml: cannot be read"),
        (["--dropout", "1"], 2, "--dropout: give a share in [0, 1)"),
        (["--dropout", "0.1,0.2"], 2, "--dropout: give a share in [0, 1), or one for the input and each of the 2"),
        (["--dropout", "half"], 2, "--dropout: must be a share such as 0.4, or several: 0.1,0.4,0.4; got 'half'"),
        (["--batch-norm", "yes"], 2, "Got unexpected extra argument"),
        (["--schedule", "cosin"], 2, "--schedule: unknown name 'cosin'; did you mean 'cosine'?"),
        (["--schedule", "step(every=0)"], 2, "--schedule: step: every: "),
        (["--optimizer", "lbfgs", "--schedule", "cosine"], 2, "--schedule: the line search of lbfgs"),
        (["--optimizer", "lbfgs", "--batch-size", "10"], 2, "--batch-size: "),
        (
            ["--optimizer", "lbfgs", "--dropout", "0.2"],
            2,
            "--dropout: lbfgs needs a loss that theta alone decides",
        ),
        (["--optimizer", "kfac", "--batch-norm"], 2, "--optimizer: kfac needs the layers of a network without"),
        (["--augmentation", "flip"], 2, "--augmentation: moves pictures of bytes, and these data are none"),
        (["--augmentation", "flop"], 2, "--augmentation: unknown name 'flop'; did you mean 'flip'?"),
        (["--augmentation", "flip+flip"], 2, "--augmentation: 'flip+flip' has flip twice"),
        (["--class-weight", "balancd"], 2, "--class-weight: takes balanced, or a weight by class, got 'balancd'"),
        (["--class-weight", "cat=2"], 2, "--class-weight: unknown name 'cat'; Known: 0, 1, 2"),
        (["--class-weight", "3=two"], 2, "--class-weight: must be balanced, or like cat=2,dog=1; got '3=two'"),
        (["--class-weight", "3=-1"], 2, "--class-weight: the class 3 has the weight -1.0"),
        (["--label-smoothing", "1"], 2, "--label-smoothing: input should be less than 1"),
        (["--l1", "-1"], 2, "--l1: input should be greater than or equal to 0"),
        (["--l2", "nan"], 2, "--l2: "),
        (["--l2", "inf"], 2, "--l2: must be a finite number"),
        (["--weight-decay", "-1"], 2, "--weight-decay: "),
        (["--clip-norm", "0"], 2, "--clip-norm: input should be greater than 0"),
        (["--clip-value", "-1"], 2, "--clip-value: input should be greater than 0"),
        (["--max-norm", "0"], 2, "--max-norm: input should be greater than 0"),
        (["--ema", "1"], 2, "--ema: input should be less than 1"),
        (["--average-epochs", "0"], 2, "--average-epochs: "),
        (["--average-epochs", "3", "--ema", "0.9"], 2, "--average-epochs: ema averages already"),
        (["--metrics", "f2"], 2, "--metrics: unknown name 'f2'; Known: accuracy"),
        (["--metrics", "r2"], 2, "--metrics: r2 is no measure of a multi-class task; these are: "),
        (["--metrics", "f1", "--validation", "0"], 2, "--metrics: are measured on validation rows"),
        (["--early-stopping", "0"], 2, "--early-stopping: patience must be a whole number >= 1, got 0"),
        (["--early-stopping", "-1"], 2, "--early-stopping: "),
        (["--early-stopping", "patience(5, monitor=acc)"], 2, "--early-stopping: monitor: unknown name 'acc'"),
        (["--early-stopping", "5", "--validation", "0"], 2, "--early-stopping: validation_loss is watched on"),
        (["--checkpoint-every", "0"], 2, "--checkpoint-every: input should be greater than or equal to 1"),
        (["--plan", "best"], 2, "--plan: there is no plan 'best' for digits"),
        (["--seeds", "2", "--early-stopping", "0"], 2, "--early-stopping: "),
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
    assert answer.error.startswith("c.toml: training.epoch: is no option; did you mean epochs?")


def test_options_of_a_configuration_file_that_exclude_each_other_name_the_file(glassnet, here):
    text = '[data]\ndataset = "digits"\n[network]\nlayers = [64, 10]\n[training]\nema = 0.9\naverage_epochs = 3\n'
    (here / "c.toml").write_text(text)
    problem = "ema averages already; take one of the two"
    answer = glassnet("train", "--config", "c.toml")
    assert (answer.code, answer.error) == (1, f"c.toml: training.average_epochs: {problem}")
    answer = glassnet("train", "--config", "c.toml", "--average-epochs", 2)
    assert (answer.code, answer.error) == (2, f"--average-epochs: {problem}")


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
    assert "learning rate 1e+25" in answer.error
    start = gn.Network([64, 256, 128, 10])
    assert gn.load_model("run").network.fingerprint() == start.fingerprint()


@pytest.mark.real_data
def test_fashion_mnist_by_one_command(glassnet, fashion_mnist_home):
    """The command of the specification, on a shorter run; its accuracy is held in tests/training."""
    arguments = "--layers 784,256,128,10 --activation relu --optimizer adam --epochs 2 --batch-size 128 --seed 0"
    shorter = ["--samples-per-epoch", 15_000, "--kernels", "numpy", "--data-dir", fashion_mnist_home, "--json"]
    answer = glassnet("train", "fashion-mnist", *arguments.split(), *shorter)
    assert answer.json["test_accuracy"] > 0.8
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
        run = process("data", "list", "--json", stdout=full)
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
        ('training.schedule = "cosin"', "training.schedule: unknown name 'cosin'"),
        ('training.early_stopping = "patience(0)"', "training.early_stopping: patience must be "),
        ("training.ema = 1.5", "training.ema: input should be less than 1, got 1.5"),
    ],
)
def test_a_bad_name_in_a_configuration_file_is_that_files_error(glassnet, here, line, said):
    (here / "c.toml").write_text(f'data.dataset = "digits"\n{line}\n')
    answer = glassnet("train", "--config", "c.toml")
    assert answer.code == 1
    assert answer.error.startswith(f"c.toml: {said}")


@pytest.fixture
def pictures(here):
    """A folder of twenty dark and twenty light pictures of 6 x 6."""
    rng = np.random.default_rng(0)
    for label, name in enumerate(("dark", "light")):
        (here / "pictures" / name).mkdir(parents=True)
        for number in range(20):
            pixels = (rng.integers(0, 100, (6, 6)) + 150 * label).astype(np.uint8)
            Image.fromarray(pixels).save(here / "pictures" / name / f"{number}.png")
    return here / "pictures"


@pytest.fixture
def table(here):
    """A table with a kind and a price to predict, and one value missing in a column that neither needs."""
    rng = np.random.default_rng(0)
    area, colour = rng.uniform(50, 90, 80).round(1), np.tile(["blue", "red"], 40)
    kind = np.where(area > 70, "house", "flat")
    rooms = rng.uniform(1, 9, 80).round(2).astype(str)
    rooms[5] = ""
    columns = area, colour, rooms, kind
    lines = [f"{a},{c},{r},{k},{1000 * a + 1:.1f}" for a, c, r, k in zip(*columns, strict=True)]
    (here / "houses.csv").write_text("\n".join(["area,colour,rooms,kind,price", *lines]) + "\n")
    return here / "houses.csv"


SMALL = ["--epochs", 3, "--batch-size", 8, "-q", "--run-dir", "run"]


def test_classes_of_a_table_are_learned(glassnet, table):
    answer = glassnet("train", table.name, "--target", "kind", "--impute", "median", *SMALL, "--json")
    record = answer.json
    assert answer.code == 0
    assert record["dataset"] == "houses"
    assert record["layers"] == [5, 256, 128, 1]
    assert gn.load_model("run").network.loss.name == "binary_cross_entropy"
    assert set(record["test_measures"]) == {"auc", "accuracy", "sensitivity", "specificity"}
    perfect = {"auc"} if record["test_measures"]["auc"] == 1 else set()  # which has no interval
    assert set(record["test_intervals"]) | perfect == set(record["test_measures"])
    assert record["test_accuracy"] == record["test_measures"]["accuracy"] > 0.8
    assert files_in("run") == sorted([*FILES, "report.html", "report.md"])
    said = answer.err.splitlines()
    assert all(line.startswith("glassnet: houses: ") for line in said)
    assert "glassnet: houses: target 'kind': 2 classes (flat, house), so binary" in said
    filled = "glassnet: houses: missing values filled with the median of the training rows: rooms (1)"
    assert said.count(filled) == 1
    assert (record["task"], record["classes"]) == ("binary", ["flat", "house"])
    assert record["remarks"] == [line.removeprefix("glassnet: houses: ") for line in said]


def test_numbers_of_a_table_are_learned_in_their_own_units(glassnet, table):
    answer = glassnet("train", table.name, "--target", "price", "--impute", "median", *SMALL)
    assert answer.code == 0
    said = "glassnet: houses: target 'price': numbers, so regression; 76 distinct whole numbers, more than 20: "
    assert said + "--task multi-class says otherwise" in answer.err.splitlines()
    model = gn.load_model("run")
    network = model.network
    assert (network.layers, network.loss.name) == ((6, 256, 128, 1), "half_squared_error")
    data = gn.load_dataset(table.name, target="price", impute="median")
    error = np.abs(model.predict(data.test.X) - data.test.y).mean()
    shown = re.search(r"^test mean absolute error +(\S+)$", answer.out, re.MULTILINE)[1]
    assert float(shown) == pytest.approx(error, abs=1e-3)
    assert re.search(rf"^test R² +{gn.evaluate(network, data).r2:.4f}$", answer.out, re.MULTILINE)
    assert "accuracy" not in answer.out


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ([], 2, "--target: houses.csv: name the column to predict, for example --target price"),
        (
            ["--target", "prise"],
            2,
            "--target: houses.csv: no column 'prise'; the table has area, colour, rooms, kind, price",
        ),
        (
            ["--target", "price", "--impute", "error"],
            1,
            "houses.csv: missing values in column 'rooms' (1, first in",
        ),
        (["--target", "price", "--impute", "mean"], 2, "--impute: input should be 'error' or 'median'"),
        (["--target", "price", "--impute", "median", "--compare"], 2, "--compare: no published figures are known"),
        (["--target", "price", "--impute", "median", "--seeds", "2", "--compare"], 2, "--compare: "),
    ],
)
def test_a_table_that_is_not_understood_is_one_line_and_leaves_nothing(
    glassnet, table, here, options, code, message
):
    answer = glassnet("train", table.name, *options)
    assert answer.code == code
    assert answer.error.startswith(message)
    assert os.listdir(here) == ["houses.csv"]


def test_a_row_without_a_value_is_counted_as_in_the_file(glassnet, table):
    error = glassnet("train", table.name, "--target", "price", "--impute", "error").error
    assert "first in row 6" in error  # whichever rows are for training


def test_what_a_target_is_does_not_hang_on_which_rows_are_for_training(glassnet, here):
    """21 whole numbers are regressed, though fewer of them may be among the training rows."""
    for name, values in (("numbers", [*range(21), *[0] * 10]), ("classes", [*"abcde", *["x"] * 26])):
        lines = [f"{row % 7},{value}" for row, value in enumerate(values)]
        (here / f"{name}.csv").write_text("\n".join(["a,b", *lines]) + "\n")
    options = ["--target", "b", "--layers", "1,2,1", "--epochs", 1, "--batch-size", 4, "-q", "--json"]
    for split_seed in range(3):
        answer = glassnet("train", "numbers.csv", *options, "--split-seed", split_seed)
        assert answer.code == 0, answer.err
        assert set(answer.json["test_measures"]) == {"r2", "mae"}
        answer = glassnet("train", "classes.csv", *options, "--layers", "1,2,6", "--split-seed", split_seed)
        assert answer.code == 0, answer.err


@pytest.mark.parametrize("name", ["none.csv", "no/where", "none.npz"])
def test_a_file_that_is_not_there_is_one_line(glassnet, name):
    answer = glassnet("train", name, "--target", "y") if name.endswith("csv") else glassnet("train", name)
    assert answer.code == 1
    assert answer.error.startswith(f"{name}: ")


def test_a_run_on_a_table_is_repeated_from_its_configuration(glassnet, table, here, monkeypatch):
    options = ["--target", "price", "--impute", "median", "--validation", "0.2"]
    first = glassnet("train", table.name, *options, *SMALL, "--json").json
    (here / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    again = glassnet("train", "--config", "../run/config.toml", "--run-dir", "b", "-q", "--json").json
    assert again["theta_sha256"] == first["theta_sha256"]
    monkeypatch.chdir(here)
    table.write_text(table.read_text().replace("blue", "red", 1))
    answer = glassnet("train", "--config", "run/config.toml", "--run-dir", "c")
    assert answer.code == 1
    assert answer.error.startswith("houses.csv: is not the file that this configuration was made with")


def test_the_arrays_of_an_npz_file_are_learned(glassnet, here):
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    np.savez(here / "points.npz", X=rng.normal(size=(90, 4)) + 9 * np.eye(4)[y], y=y)
    record = glassnet("train", "points.npz", *SMALL, "--json").json
    assert (record["dataset"], record["layers"]) == ("points", [4, 256, 128, 3])
    assert record["test_accuracy"] > 0.8
    assert glassnet("evaluate", "run", "--json").json["measures"] == record["test_measures"]


def test_rows_with_several_labels_are_learned(glassnet, here):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, (90, 3))
    np.savez(here / "labels.npz", X=4 * y + rng.normal(size=(90, 3)), y=y)
    answer = glassnet("train", "labels.npz", *SMALL, "--json")
    said = "glassnet: labels: target: 3 columns of 0 and 1, so multi-label; --task regression says otherwise\n"
    assert (answer.code, answer.err) == (0, said)
    assert answer.json["layers"] == [3, 256, 128, 3]
    assert gn.load_model("run").network.loss.name == "binary_cross_entropy"
    assert set(answer.json["test_measures"]) == {"auc", "accuracy"}
    assert answer.json["validation_accuracy"] > 0.7
    assert glassnet("evaluate", "run", "--json").json["task"] == "multi-label"


def test_a_folder_of_images_is_learned(glassnet, pictures):
    for place in ("pictures", "./pictures/"):
        record = glassnet("train", place, "--epochs", 20, "--batch-size", 8, "-q", "--json").json
        assert (record["dataset"], record["layers"]) == ("pictures", [36, 256, 128, 1])
        assert record["test_accuracy"] == 1
    assert gn.load_model(record["run_dir"]).network.class_names == ("dark", "light")


SHORT = ["--layers", "64,8,10", "--epochs", 2, "-q"]


def test_several_seeds_are_each_their_own_run_bit_for_bit(glassnet, here):
    record = glassnet("train", "digits", *SHORT, "--seed", 5, "--seeds", 3, "--run-dir", "three", "--json").json
    assert (record["run_dir"], record["dataset"], record["layers"]) == ("three", "digits", [64, 8, 10])
    assert sorted(os.listdir("three")) == ["seed-5", "seed-6", "seed-7"]
    assert [run["seed"] for run in record["runs"]] == [5, 6, 7]
    for run in record["runs"]:
        name = f"one-{run['seed']}"
        one = glassnet("train", "digits", *SHORT, "--seed", run["seed"], "--run-dir", name, "--json").json
        assert gn.load_model(run["run_dir"]).network.fingerprint() == one["theta_sha256"]
        assert (run["measures"], run["test_loss"]) == (one["test_measures"], one["test_loss"])
        both = gn.load_config(f"{run['run_dir']}/config.toml"), gn.load_config(f"{name}/config.toml")
        assert both[0].model_dump(exclude={"environment"}) == both[1].model_dump(exclude={"environment"})
    for name in ("auc", "accuracy"):
        values = [run["measures"][name] for run in record["runs"]]
        spread = record["spread"][name]
        assert spread["mean"] == pytest.approx(statistics.mean(values))
        assert spread["std"] == pytest.approx(statistics.stdev(values))
        reach = 4.302652729911275 * statistics.stdev(values) / 3**0.5
        assert (spread["low"], spread["high"]) == pytest.approx((spread["mean"] - reach, spread["mean"] + reach))


def test_the_table_of_several_seeds_has_a_line_for_each_and_their_spread(glassnet):
    answer = glassnet("train", "digits", *SHORT, "--seeds", 2)
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    folder = re.fullmatch(r"run folders +(runs/\S+_digits_64-8-10)", lines[2])[1]
    assert lines[3].split()[0] == "reports"
    assert lines[5].split() == ["test", "rows", "AUC", "accuracy"]
    assert [line[:9] for line in lines[6:]] == ["seed 0   ", "seed 1   ", "mean     ", "std      ", "95 % of t"]
    found = [
        evaluate_predictions(
            predict_rows(gn.load_model(f"{folder}/seed-{n}").network, gn.load_dataset("digits").test)
        )
        for n in (0, 1)
    ]
    values = [one.measures["accuracy"] for one in found]
    assert [line.split()[-1] for line in lines[6:10]] == [
        f"{value:.4f}" for value in (*values, statistics.mean(values), statistics.stdev(values))
    ]


def test_one_seed_is_a_run_like_any_other(glassnet):
    record = glassnet("train", "digits", *SHORT, "--seeds", 1, "--run-dir", "run", "--json").json
    assert record["theta_sha256"] == gn.load_model("run").network.fingerprint()
    assert "spread" not in record


def test_several_seeds_go_on_from_a_runs_configuration(glassnet):
    first = glassnet("train", "digits", *SHORT, "--seed", 3, "--run-dir", "run", "--json").json
    again = ["train", "--config", "run/config.toml", "--seeds", 2, "-q", "--run-dir", "more"]
    assert glassnet(*again).code == 0
    assert gn.load_model("more/seed-3").network.fingerprint() == first["theta_sha256"]
    assert gn.load_model("more/seed-4").network.fingerprint() != first["theta_sha256"]


def test_a_folder_with_files_takes_no_runs_of_several_seeds(glassnet, here):
    (here / "run").mkdir()
    (here / "run" / "mine.txt").write_text("mine")
    answer = glassnet("train", "digits", *SHORT, "--seeds", 2, "--run-dir", "run")
    assert answer.code == 1
    assert answer.error.startswith("run: already holds files, which are not overwritten")
    assert os.listdir("run") == ["mine.txt"]


def test_a_signal_among_several_seeds_leaves_the_runs_that_are_done(process, here):
    options = ["--layers", "64,8,10", "--epochs", 100_000, "--seeds", 2, "--run-dir", "two"]
    run = process("train", "digits", *options)
    assert run.stderr.readline().startswith("epoch      1/100000")
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out) == (130, "")
    assert err.splitlines()[-1].endswith("go on with: glassnet train --resume two/seed-0")
    assert os.listdir("two") == ["seed-0"]


@pytest.fixture
def medmnist_home(fashion_mnist_home):
    if not Path(fashion_mnist_home, "medmnist", "breastmnist.npz").is_file():
        pytest.skip("needs BreastMNIST: medmnist/breastmnist.npz in the folder that GLASSNET_DATA names")
    return fashion_mnist_home


@pytest.mark.real_data
def test_breastmnist_is_learned_and_shown_beside_its_published_figures(glassnet, medmnist_home):
    options = ["--layers", "784,8,1", "--epochs", 3, "-q", "--compare", "--data-dir", medmnist_home]
    record = glassnet("train", "breastmnist", *options, "--run-dir", "run", "--json").json
    assert record["published"]["ResNet-18 (28)"] == {"auc": 0.901, "acc": 0.863}
    assert record["test_measures"]["auc"] > 0.5
    for seeds in (1, 2):
        lines = glassnet("train", "breastmnist", *options, "--seeds", seeds).out.splitlines()
        assert any(line.startswith("published (Yang et al. 2023), test") for line in lines)
        assert "ResNet-18 (28)                      0.901     0.863" in lines
        assert re.fullmatch(r"this +0\.\d{3} +0\.\d{3}", lines[-1])
        if seeds == 1:
            assert lines[-1].split()[1] == f"{record['test_measures']['auc']:.3f}"


# What is added to training


def test_classes_weigh_as_they_are_told_to(glassnet, table):
    """A class that weighs all but everything is what the network says of every row."""
    options = ["--target", "kind", "--impute", "median", "--epochs", 5, "--batch-size", 8, "-q"]
    for kind, other in (("flat", "house"), ("house", "flat")):
        weights = f"{kind}=1000,{other}=0"
        assert glassnet("train", table.name, *options, "--class-weight", weights, "--run-dir", kind).code == 0
        data = gn.load_dataset(table.name, target="kind", impute="median")
        assert set(gn.load_model(kind).predict(data.test.X)) == {kind}


def test_a_class_that_a_table_does_not_have_takes_no_weight(glassnet, table):
    options = ["--impute", "median", "--class-weight", "flat=2,hut=1"]
    answer = glassnet("train", table.name, "--target", "kind", *options)
    assert answer.code == 2
    assert answer.err.splitlines()[-1] == "glassnet: --class-weight: unknown name 'hut'; Known: flat, house"
    answer = glassnet("train", table.name, "--target", "price", *options)
    assert answer.code == 2
    assert answer.err.splitlines()[-1].startswith("glassnet: --class-weight: there are no classes to weigh")


@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")
def test_training_stops_early_and_says_when_it_was_best(glassnet):
    """A learning rate that throws the network about gets no better for long."""
    options = ["--layers", "64,8,10", "--epochs", 60, "--learning-rate", 0.3, "--early-stopping", 3, "-q"]
    record = glassnet("train", "digits", *options, "--run-dir", "run", "--json").json
    losses = [epoch.validation_loss for epoch in RunFolder(Path("run")).history()]
    assert record["stopped"] == "early stopping"
    assert record["best_epoch"] == 1 + int(np.argmin(losses))
    assert record["epochs"] == len(losses) == record["best_epoch"] + 3
    assert record["validation_loss"] == min(losses)
    network, data = gn.load_model("run"), gn.load_dataset("digits")
    assert gn.evaluate(network, data.validation).accuracy == record["validation_accuracy"]
    lines = glassnet("train", "digits", *options).out.splitlines()
    assert f"stopped by           early stopping  (best epoch {record['best_epoch']})" in lines or (
        "stopped by           early stopping" in lines and f"best epoch           {record['best_epoch']}" in lines
    )


def test_early_stopping_may_watch_a_metric(glassnet):
    options = [*SHORT, "--early-stopping", "patience(5, monitor=auc)", "--run-dir", "run", "--json"]
    record = glassnet("train", "digits", *options).json
    history = list(RunFolder(Path("run")).history())
    values = [epoch.measures["validation_auc"] for epoch in history]
    assert record["best_epoch"] == 1 + int(np.argmax(values))
    assert record["validation_measures"] == {"validation_auc": max(values)}


def test_metrics_are_in_the_history_the_record_and_the_table(glassnet):
    options = [*SHORT, "--metrics", "f1, auc"]
    measures = glassnet("train", "digits", *options, "--run-dir", "run", "--json").json["validation_measures"]
    validation = gn.load_dataset("digits").validation
    found = evaluate_predictions(predict_rows(gn.load_model("run").network, validation))
    assert list(measures) == ["validation_f1", "validation_auc"]
    assert measures["validation_auc"] == pytest.approx(found.measures["auc"], abs=1e-12)
    header = Path("run/history.csv").read_text().splitlines()[0].split(",")
    assert {"validation_f1", "validation_auc"} <= set(header)
    out = glassnet("train", "digits", *options).out
    assert f"validation F1        {measures['validation_f1']:.4f}\n" in out
    assert f"validation AUC       {measures['validation_auc']:.4f}\n" in out


@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")
def test_several_seeds_stop_early_each_by_itself(glassnet):
    options = ["--layers", "64,8,10", "--epochs", 40, "--learning-rate", 0.3, "--early-stopping", 2, "-q"]
    record = glassnet("train", "digits", *options, "--seeds", 2, "--run-dir", "two", "--json").json
    for run in record["runs"]:
        one = glassnet("train", "digits", *options, "--seed", run["seed"], "--json").json
        assert one["stopped"] == "early stopping"
        assert gn.load_model(run["run_dir"]).network.fingerprint() == one["theta_sha256"]
        assert run["measures"] == one["test_measures"]


def test_a_configuration_is_changed_by_options_of_training(glassnet):
    glassnet("train", "digits", *SHORT, "--dropout", 0.2, "--early-stopping", 4, "--run-dir", "run")
    options = ["--early-stopping", "patience(9)", "--class-weight", "3=2", "-q", "--run-dir", "more"]
    assert glassnet("train", "--config", "run/config.toml", *options).code == 0
    first, changed = gn.load_config("run/config.toml"), gn.load_config("more/config.toml")
    assert changed.network == first.network
    assert changed.training.early_stopping == "patience(9)"
    assert changed.training.class_weight == {"3": 2.0}


# Standardised data


def test_standardised_data_are_learned_from_and_that_can_be_taken_back(glassnet, here):
    answer = glassnet("train", "digits", *SHORT, "--scaling", "standard", "--run-dir", "run")
    assert (answer.code, answer.err) == (0, "")
    assert files_in("run") == sorted([*FILES, "report.html", "report.md"])
    config = gn.load_config("run/config.toml")
    assert config.data.scaling == "standard"
    assert 'scaling = "standard"\n' in (here / "run" / "config.toml").read_text()
    data = gn.load_dataset("digits", scaling="standard")
    again = gn.run(config, data, progress=False)
    assert again.network.fingerprint() == gn.load_model("run").network.fingerprint()
    plain = glassnet("train", "--config", "run/config.toml", "--scaling", "none", "-q", "--run-dir", "plain")
    assert plain.code == 0
    assert files_in("plain") == [*FILES, "report.html", "report.md"]
    assert gn.load_config("plain/config.toml").checksums == config.checksums
    assert gn.load_model("plain").network.fingerprint() != again.network.fingerprint()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["iris", "--scaling", "robost"], "--scaling: input should be 'none', 'standard' or 'robust'"),
        (
            ["fashion-mnist", "--scaling", "standard", "--augmentation", "flip"],
            "--augmentation: moves pictures of bytes, and these data are none; leave it out",
        ),
        (["--resume", "run", "--scaling", "robust"], "--scaling: cannot be changed when a run goes on; "),
    ],
)
def test_what_is_not_standardised_is_said_in_one_line(glassnet, fashion_mnist_home, arguments, message):
    answer = glassnet("train", *arguments, "--data-dir", fashion_mnist_home, "-q")
    assert answer.code == 2
    assert answer.error.startswith(message)


# Plans


@pytest.fixture
def planned(glassnet, monkeypatch):
    """The configuration that options amount to, and what is said of it before training; nothing is trained."""
    configurations = []

    def keep(config, session, **options):
        configurations.append((config, session.remark))

    monkeypatch.setattr("glassnet.cli.train.train_one", keep)

    def plan(*arguments):
        answer = glassnet("train", *arguments)
        assert (answer.code, answer.err) == (0, "")
        return configurations.pop()

    return plan


REMARK = "training by the plan 'best' for fashion-mnist; --plan none takes the defaults"


def test_a_data_set_with_plans_is_learned_by_the_best_one(planned):
    config, said = planned("fashion-mnist")
    assert said == REMARK
    assert config.network == load_plan("fashion-mnist", "best").network
    assert config.training == load_plan("fashion-mnist", "best").training


@pytest.mark.parametrize("name", ["best", "fast"])
def test_a_plan_is_taken_by_its_name_and_other_options_change_it(planned, name):
    there = load_plan("fashion-mnist", name)
    config, said = planned("fashion-mnist", "--plan", name, "--seed", 3)
    assert said == ""
    assert (config.seed, config.network, config.training) == (3, there.network, there.training)
    config, said = planned(
        "fashion-mnist", "--plan", name, "--layers", "784,9,10", "--ema", 0.5, "--learning-rate", 0.25
    )
    assert (said, config.network.layers, config.training.ema) == ("", [784, 9, 10], 0.5)
    assert OPTIMIZERS.resolve(config.training.optimizer).learning_rate == 0.25
    assert (config.network.batch_norm, config.training.schedule) == (
        there.network.batch_norm,
        there.training.schedule,
    )


@pytest.mark.parametrize("name", [*NETWORK, *TRAINING, *ALONE, "learning_rate", "update_scale", "scaling"])
def test_what_describes_a_network_or_training_puts_no_plan_in_place_of_the_rest(planned, name):
    text = (NETWORK | TRAINING | ALONE | {"scaling": ("robust",)}).get(name, ("0.5",))[0]
    config, said = planned("fashion-mnist", *option(name, text))
    if name in NOT_OF_A_PLAN:
        assert (config, said) == (planned("fashion-mnist", "--plan", "best", *option(name, text))[0], REMARK)
        assert config.training.augmentation == load_plan("fashion-mnist").training.augmentation
    else:
        assert (config, said) == (planned("fashion-mnist", "--plan", "none", *option(name, text))[0], "")
        assert name == "augmentation" or config.training.augmentation == "none"


@pytest.mark.parametrize(
    "options", [["--seed", 1], ["--validation", "0.1"], ["--split-seed", 2], ["--quiet"], ["--run-dir", "r"]]
)
def test_what_describes_neither_leaves_the_plan(planned, options):
    config, said = planned("fashion-mnist", *options)
    assert said == REMARK
    assert config.network == load_plan("fashion-mnist").network


@pytest.fixture
def houses(tmp_path, monkeypatch):
    """A table's file in the working folder."""
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{size},{'ab'[size % 2]},{size * size / 7}\n" for size in range(60))
    Path("houses.csv").write_text(f"size,kind,price\n{rows}")
    return ["houses.csv", "--target", "price", "-q"]


def test_a_table_is_learned_by_the_plan_for_tables(planned, houses):
    config, said = planned(*houses, "--plan", "table")
    epochs, batch_size = load_table_plan().fit_length(44)
    assert said == f"the plan 'table' for these rows: {epochs} epochs"
    assert (config.training.epochs, config.training.batch_size) == (epochs, batch_size)
    assert config.network.layers[1:] == [*load_table_plan().hidden, 1]
    assert (config.data.scaling, config.data.pieces) == ("robust", load_table_plan().data["pieces"])
    assert planned(*houses, "--plan", "table", "--epochs", 3, "--seed", 5)[0].training.epochs == 3
    small, _ = planned(*houses, "--plan", "table-small", "--activation", "relu")
    assert small.network.activation == "relu"


@pytest.mark.parametrize("more", [[], ["--plan", "none"], ["--activation", "tanh"], ["--scaling", "standard"]])
def test_a_table_is_learned_without_a_plan_where_one_says_so(planned, houses, more):
    config, said = planned(*houses, *more)
    assert (config.network.layers, config.data.pieces, said) == (None, None, "")


def test_a_plan_that_is_not_for_the_data_is_said_to_be_so(glassnet, houses):
    assert glassnet("train", *houses, "--plan", "tabel").error.startswith(
        "--plan: unknown name 'tabel'; did you mean 'table'?"
    )
    assert glassnet("train", "digits", "--plan", "table").error == (
        "--plan: 'table' is for tables of numbers and texts; leave it out"
    )


def test_without_a_plan_the_small_network_is_trained(planned):
    config, said = planned("fashion-mnist", "--plan", "none")
    assert (said, config.network, config.training.epochs) == ("", NetworkConfig(), 10)
    for dataset in ("digits", "mnist", "houses.csv"):
        config, said = planned(dataset)
        assert (said, config.network) == ("", NetworkConfig())


def test_the_configuration_of_a_run_takes_no_plan(planned, here):
    (here / "c.toml").write_text('data.dataset = "fashion-mnist"\n')
    for arguments in (["--config", "c.toml"], ["fashion-mnist", "--config", "c.toml"]):
        config, said = planned(*arguments)
        assert (said, config.network) == ("", NetworkConfig())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["fashion-mnist", "--plan", "fastest"],
            "--plan: there is no plan 'fastest' for fashion-mnist; there are: ",
        ),
        (["fashion-mnist", "--plan", ""], "--plan: there is no plan '' for fashion-mnist; there are: best, fast"),
        (["digits", "--plan", "fast"], "--plan: there is no plan 'fast' for digits; leave it out"),
        (["fashion", "--plan", "mnist-best"], "--plan: there is no plan 'mnist-best' for fashion"),
        (["houses.csv", "--target", "price", "--plan", "best"], "--plan: there is no plan 'best' for houses.csv"),
        (["--plan", "best"], "DATASET: is missing"),
    ],
)
def test_a_plan_that_there_is_not_is_one_line(glassnet, here, arguments, message):
    answer = glassnet("train", *arguments)
    assert (answer.code, answer.error[: len(message)]) == (2, message)
    assert not list(here.iterdir())


def test_a_plan_and_a_configuration_exclude_each_other(glassnet, here):
    (here / "c.toml").write_text('data.dataset = "fashion-mnist"\n')
    for name in ("best", "nonsense"):
        answer = glassnet("train", "--config", "c.toml", "--plan", name)
        assert answer.code == 2
        assert answer.error.startswith("--plan: ")
