"""Running the command line, in this process and in its own."""

import json
import subprocess
import sys

import pytest

from glassnet.cli.main import main


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


@pytest.fixture
def run_folder(glassnet, here):
    """A small trained run on digits."""
    glassnet("train", "digits", "--layers", "64,16,10", "--epochs", 3, "--quiet", "--run-dir", "run")
    return here / "run"
