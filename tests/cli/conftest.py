"""Running the command line, in this process and in its own."""

import contextlib
import functools
import io
import json
import shutil
import subprocess
import sys

import pytest

from glassnet.cli.main import main
from glassnet.training.inspection import baselines
from glassnet.training.run import open_run
from glassnet.training.run_folder import RunFolder


class Answer:
    """What a command said, and how it ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def error(self):
        """The one line that an error is; its own form is checked here, for every test that reads it."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("glassnet: ")
        assert self.out == ""
        return lines[0].removeprefix("glassnet: ")


def keep_simple_models(folder):
    """Have a run's folder hold simple models, without boosting, so that its reports do not train them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baselines, "MOST_BOOSTING", 0)
        RunFolder(folder).save_baselines(baselines.fit_baselines(open_run(folder)[2]))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder, and no data set but digits."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLASSNET_DATA", raising=False)
    return tmp_path


@pytest.fixture
def glassnet(here, capsys):
    """Run a command in this process."""

    def call(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture
def process(here):
    """Start a command as a process of its own."""

    def start(*arguments, **options):
        command = [sys.executable, "-m", "glassnet", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen(command, text=True, **pipes)

    return start


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory):
    """``trained_once(*arguments)``: the folder of a run that ``glassnet train`` saved in ``run``, made once."""

    @functools.cache
    def train(*arguments):
        folder = tmp_path_factory.mktemp("trained")
        with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
            assert main(["train", *arguments, "--quiet", "--run-dir", "run"]) == 0
        return folder / "run"

    return train


@pytest.fixture
def run_folder(trained_once, here):
    """A small trained run on digits, with simple models beside it."""
    folder = trained_once("digits", "--layers", "64,16,10", "--epochs", "3")
    if not (folder / "baselines.json").exists():
        keep_simple_models(folder)
    return shutil.copytree(folder, here / "run")
