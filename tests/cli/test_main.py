"""How the command line behaves as a whole."""

import re
import subprocess
import sys
import warnings
from importlib import metadata

import numpy as np
import pytest

from glassnet.cli.main import app
from glassnet.data.augmentation import AUGMENTATIONS
from glassnet.nn.activations import ACTIVATIONS
from glassnet.nn.initializers import INITIALIZERS
from glassnet.nn.losses import LOSSES
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.nn.schedules import SCHEDULES
from glassnet.training.config import plan_names
from glassnet.training.early_stopping import EARLY_STOPPING
from glassnet.training.metrics import METRICS

COMMANDS = [
    ["demo"],
    ["assignment"],
    ["train"],
    ["check"],
    ["study"],
    ["search"],
    ["reproduce"],
    ["evaluate"],
    ["report"],
    ["predict"],
    ["export"],
    ["explain"],
    ["doctor"],
    ["data", "list"],
    ["data", "fetch"],
    ["data", "audit"],
    ["data", "show"],
    ["cluster", "local"],
]


def test_version(glassnet):
    assert glassnet("--version").out == f"glassnet {metadata.version('glassnet')}\n"


@pytest.mark.parametrize("arguments", [[], ["data"]])
def test_a_group_without_a_command_shows_its_help_and_counts_as_wrong_usage(glassnet, arguments):
    answer = glassnet(*arguments)
    assert answer.code == 2
    assert answer.out.startswith("Usage: glassnet")
    assert answer.err == ""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_examples_line_by_line_and_json(glassnet, command):
    answer = glassnet(*command, "--help")
    assert answer.code == 0
    assert "\n  Examples:\n    " in answer.out
    assert "glassnet " + " ".join(command) in answer.out
    assert ("--json" in answer.out) == (command != ["cluster", "local"])  # which prints an address alone


def listed(glassnet, *group):
    return re.findall(r"^  (\w+) ", glassnet(*group, "--help").out.partition("Commands:")[2], re.MULTILINE)


def test_every_command_was_looked_at(glassnet):
    assert set(listed(glassnet)) == {command[0] for command in COMMANDS}
    assert len(app.registered_commands) + len(app.registered_groups) == len(listed(glassnet))
    assert listed(glassnet, "data") == [command[1] for command in COMMANDS if command[0] == "data"]


@pytest.mark.parametrize(
    ("option", "known"),
    [
        ("--activation", ACTIVATIONS),
        ("--loss", LOSSES),
        ("--initializer", INITIALIZERS),
        ("--optimizer", OPTIMIZERS),
        ("--schedule", SCHEDULES),
        ("--augmentation", AUGMENTATIONS),
        ("--metrics", [name for name in METRICS if name != "loss"]),  # which is measured anyway
        ("--early-stopping", EARLY_STOPPING),
        ("--plan", [*plan_names("fashion-mnist"), "none"]),
        ("--class-weight", ["balanced"]),
        ("DATASET", ["glassnet data list", "CSV", "TSV", "Parquet", "NPZ"]),
    ],
)
def test_help_of_train_names_every_choice(glassnet, option, known, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = glassnet("train", "--help").out
    entry = text[text.index(f"  {option} ") :]
    entry = " ".join(re.split(r"\n\n|\n  -", entry)[0].split())
    assert [name for name in known if not re.search(rf"(?<![\w-]){name}(?![\w-])", entry)] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "No such command 'trian'"),
        (
            ["train", "digits", "--optimiser", "adam"],
            "--optimiser: is no option of glassnet train; did you mean --optimizer?",
        ),
        (["train", "digits", "--lr", "1"], "--lr: is no option of glassnet train; did you mean --learning-rate?"),
        (
            ["check", "digits", "--patience", "1"],
            "--patience: is no option of glassnet check; see glassnet check --help",
        ),
        (["train", "digits", "--epochs", "1.5"], "--epochs: must be a whole number; got '1.5'"),
        (["train", "digits", "--epochs", "many"], "--epochs"),
        (["train", "digits", "extra"], "extra"),
        (["evaluate"], "RUN"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(glassnet, arguments, message):
    answer = glassnet(*arguments)
    assert answer.code == 2
    assert message in answer.error


def test_python_m_glassnet_is_the_command(here):
    command = [sys.executable, "-m", "glassnet"]
    answer = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert answer.stdout == f"glassnet {metadata.version('glassnet')}\n"
    answer = subprocess.run([*command, "train", "--lr", "1"], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (2, "", 1)


def test_help_puts_the_options_of_a_section_together(glassnet):
    text = glassnet("train", "--help").out
    places = [text.index(f"\n{title}:\n") for title in ("Arguments", "Options", "Data", "Network", "Training")]
    assert places == sorted(places)
    assert text.index("--run-dir") < places[2] < text.index("--validation") < places[3]
    assert places[3] < text.index("  --layers") < places[4] < text.index("  --learning-rate X")
    assert "[default: 128; gd and lbfgs: all]" in text


def test_a_closed_pipe_ends_quietly(run_folder, here):
    """`glassnet predict ... | head -1` is no error worth a traceback."""
    np.save(here / "rows.npy", np.zeros((20_000, 64)))
    command = f"{sys.executable} -m glassnet predict run rows.npy | head -1"
    answer = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=here)
    assert answer.stdout == "row,class,probability\n"
    assert answer.stderr == ""


@pytest.mark.filterwarnings("default")
def test_a_warning_is_one_line_without_its_place_in_the_code(glassnet, monkeypatch):
    def warn(*arguments, **options):
        warnings.warn("the disk\n  is full", stacklevel=1)

    monkeypatch.setattr("glassnet.cli.train.train_one", warn)
    answer = glassnet("train", "digits")
    assert (answer.code, answer.out, answer.err) == (0, "", "glassnet: the disk\\n  is full\n")


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"COLUMNS": "20"}, {"LC_ALL": "C"}])
def test_what_is_not_shown_on_a_terminal_is_plain_text(glassnet, monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    answer = glassnet("train", "digits", "--layers", "64,8,10", "--epochs", 1)
    assert answer.code == 0
    assert re.fullmatch(r"epoch 1/1  loss .* s\n", answer.err)
    assert (answer.out + answer.err).isascii()
    assert (answer.out + answer.err).replace("\n", "").isprintable()
