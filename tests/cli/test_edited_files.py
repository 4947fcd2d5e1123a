"""Files of runs and studies that somebody has edited: a command refuses them in one line, or they do no harm."""

import hashlib
import os
import random
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import keep_simple_models
from tests.cli.edits import edits_of
from tests.study.studies import done, small

from glassnet.cli.main import main
from glassnet.errors import FileError
from glassnet.study import runner
from glassnet.training.callbacks import Callback
from glassnet.training.config import RunConfig
from glassnet.training.results import Interrupted
from glassnet.training.run import run

#: Seconds of work that a command takes at most, and seconds after which one that waits for something is ended.
MOST_SECONDS, PATIENCE = 5.0, 60

#: Edits of each file that are tried with each command that reads it: in every run of the tests, in the slow ones.
EVERY_DAY, SLOW = 2, 120

#: Files of each kind of folder, with the commands that read them.
FILES = {
    "finished": {
        "config.toml": ["report", "resume", "evaluate"],
        "history.csv": ["report", "evaluate"],
        "health.json": ["report"],
        "baselines.json": ["report"],
        "model.safetensors": ["report", "resume", "evaluate", "predict"],
        "checkpoint.safetensors": ["resume"],
        ".lock": ["resume"],
    },
    "interrupted": {
        "config.toml": ["resume"],
        "checkpoint.safetensors": ["resume"],
        "model.safetensors": ["resume"],
    },
    "study": {
        "study.toml": ["report", "study"],
        "study.json": ["report", "study"],
        "recommended.json": ["report"],
        "rows/base_seed-0.json": ["report", "study"],
        "runs/base_seed-0/config.toml": ["report"],
        "runs/base_seed-0/history.csv": ["report"],
        "runs/base_seed-0/model.safetensors": ["report"],
        ".lock": ["study"],
    },
}
CASES = [
    (kind, file, command)
    for kind, files in FILES.items()
    for file, commands in files.items()
    for command in commands
]


class Hanging(BaseException):
    """A command waits for something that never comes."""


def end(*_):
    raise Hanging


class Stop(Callback):
    """Sends SIGINT after an epoch, so that training stops within the next."""

    def on_epoch_end(self, run):
        if len(run.history) == 2:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder with a finished run, an interrupted one and a study, none of them to be changed."""
    home = tmp_path_factory.mktemp("folders")
    rng, y = np.random.default_rng(0), np.arange(90) % 3
    np.savez(home / "rows.npz", X=(rng.normal(size=(90, 4)) + y[:, None]).astype(np.float32), y=y)
    data = {"dataset": str(home / "rows.npz"), "validation": 15}
    training = {"kernels": "numpy", "threads": 1, "batch_size": 16, "metrics": ["f1"]}
    network = {"layers": [4, 5, 3], "batch_norm": True, "dropout": 0.1}
    options = {"epochs": 3, "early_stopping": "patience(5)", "ema": 0.9}
    finished = RunConfig(data=data, network=network, training=training | options)
    run(finished, run_dir=home / "finished", progress=False)
    keep_simple_models(home / "finished")
    options = {"epochs": 6, "optimizer": "momentum(0.05)", "average_epochs": 5, "schedule": "plateau"}
    with pytest.raises(Interrupted):
        run(
            RunConfig(data=data, network={"layers": [4, 5, 3]}, training=training | options),
            callbacks=[Stop()],
            run_dir=home / "interrupted",
            progress=False,
        )
    (home / "study").mkdir()
    study = small(
        data["dataset"],
        base={"data": data, "network": {"layers": [4, 5, 3]}, "training": training | {"epochs": 2, "metrics": []}},
        factors={"optimizer": {"levels": ["adam", "sgd(0.1)"]}},
    )
    (home / "asked.toml").write_text(study.text)
    done(study, home / "study")
    assert main(["report", str(home / "study")]) == 0  # it writes the record of the recommended plan
    return home


def arguments_of(command, folder, home):
    """Return a command line that reads a folder."""
    return {
        "report": ["report", folder],
        "resume": ["train", "--resume", folder, "--no-report", "--quiet"],
        "evaluate": ["evaluate", folder],
        "predict": ["predict", folder, home / "rows.npz"],
        "study": ["study", home / "asked.toml", "--folder", folder, "--workers", "1", "--quiet"],
    }[command]


def contents(folder):
    """Return what a folder holds, by name: kind, size and bytes of each."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        plain = path.is_file() and not path.is_symlink()
        found[str(path)] = (status.st_mode, hashlib.sha256(path.read_bytes()).hexdigest() if plain else "")
    return found


def attempt(home, kind, file, command, edit, place, capsys):
    """Make an edit in a copy of a folder, run a command on it, and return what is wrong with how it ended."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(home / kind, place)
    edit(place / file)
    before, start = contents(place), time.process_time()
    capsys.readouterr()
    signal.signal(signal.SIGALRM, end)
    signal.alarm(PATIENCE)
    try:
        code = main([str(part) for part in arguments_of(command, place, home)])
    except (Exception, Hanging) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
    took, lines = time.process_time() - start, capsys.readouterr().err.splitlines()
    if took > MOST_SECONDS:
        return f"it took {took:.1f} s"
    if code == 0:
        return None
    if code not in (1, 2) or len(lines) != 1 or not lines[0].startswith("glassnet: "):
        return f"it ended with {code} and said {lines}"
    if contents(place) != before:
        return f"it changed {[n for n, c in contents(place).items() if before.get(n) != c]}, and said {lines[0]}"
    named = Path(file).name in lines[0] or str(place) in lines[0] or "rows.npz" in lines[0]
    return None if named else f"no file is named: {lines[0]}"


def run_again(self, *rest):
    raise FileError(self.place.path, "a run is to be done again")


def complain(folders, kind, file, command, edits, tmp_path, monkeypatch, capsys):
    """Try edits, and return those that were not taken well."""
    monkeypatch.setattr(runner._Runner, "_run_in_pool", run_again)
    found = []
    for what, edit in edits:
        problem = attempt(folders, kind, file, command, edit, tmp_path / "copy", capsys)
        if problem and not (problem.startswith("no file is named") and "dataset" in what):
            found.append(f"{what}: {problem:.300}")
    return found


def draw(edits, most, seed):
    """Return at most so many edits, the same ones each time."""
    return random.Random(seed).sample(edits, min(most, len(edits)))


@pytest.mark.parametrize(("kind", "file", "command"), CASES)
def test_an_edited_file_is_refused_in_one_line_or_harmless(
    folders, kind, file, command, tmp_path, monkeypatch, capsys
):
    edits = draw(list(edits_of(folders / kind / file)), EVERY_DAY, f"{kind} {file} {command}")
    found = complain(folders, kind, file, command, edits, tmp_path, monkeypatch, capsys)
    assert found == []


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "file", "command"), CASES)
def test_hundreds_of_edits_of_each_file(folders, kind, file, command, tmp_path, monkeypatch, capsys):
    edits = draw(list(edits_of(folders / kind / file)), SLOW, kind + file + command)
    found = complain(folders, kind, file, command, edits, tmp_path, monkeypatch, capsys)
    assert not found, f"{len(found)} of {len(edits)}:\n" + "\n".join(found)
