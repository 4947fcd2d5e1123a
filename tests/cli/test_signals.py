"""Real processes that are told to end, at any moment: they end soon, in plain words, with nothing half-written."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

import glassnet as gn
from glassnet.training.run_folder import RunFolder

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}

#: Seconds that a busy machine has to end a process, and its children after it.
SECONDS = 30

STUDY = """
name = "small"
seeds = 2
[base.data]
dataset = "digits"
[base.training]
epochs = 4
kernels = "numpy"
[factors.optimizer]
levels = ["adam", "sgd(0.1)"]
"""

DIGITS = ["train", "digits", "-q", "--kernels"]

#: Commands by name, in a folder that holds a run and a study's file.
COMMANDS = {
    "train": [*DIGITS, "numpy", "--epochs", 4, "--run-dir", "new"],
    "train sick": [*DIGITS, "numpy", "--epochs", 4, "--optimizer", "sgd(30)", "--run-dir", "new"],
    "train compiled": [*DIGITS, "numba", "--epochs", 4, "--run-dir", "new"],
    "train seeds": [*DIGITS, "numpy", "--epochs", 2, "--seeds", 4, "--run-dir", "new"],
    "train find-lr": [*DIGITS, "numpy", "--find-lr", "--run-dir", "new"],
    "train resume": ["train", "--resume", "run", "--epochs", 9, "-q"],
    "study": ["study", "study.toml", "-q", "--workers", 2],
    "study best": ["study", "study.toml", "--best", "-q", "--folder", "new"],
    "demo": ["demo"],
    "check": ["check", "digits"],
    "evaluate": ["evaluate", "run", "--json"],
    "report": ["report", "run", "--json"],
    "predict": ["predict", "run", "rows.npy", "--out", "answers.csv"],
    "explain": ["explain", "4,3,2", "--out", "page.html"],
    "data audit": ["data", "audit", "digits", "--json"],
    "data show": ["data", "show", "digits"],
    "doctor": ["doctor", "--json"],
}


@pytest.fixture
def offline(monkeypatch):
    """No server answers."""
    for proxy in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")


@pytest.fixture
def place(here, run_folder, offline):
    """A folder that holds a run, a study's file, and rows."""
    (here / "study.toml").write_text(STUDY)
    shutil.copy(run_folder.parent / "rows.npy", here) if (run_folder.parent / "rows.npy").exists() else None
    import numpy as np

    np.save(here / "rows.npy", np.zeros((50, 64), np.float32))
    return here


def wait_for_handlers(process):
    """Wait until the process, and not the interpreter that begins it, decides what a signal does."""
    while process.poll() is None:
        with contextlib.suppress(OSError, StopIteration):
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            caught = int(next(line for line in lines if line.startswith("SigCgt")).split()[1], 16)
            if caught >> (signal.SIGTERM - 1) & 1:
                return
        time.sleep(0.002)


def stop(process, arguments, number, seconds):
    """Start a command, send it a signal after so many seconds, and return what it said where it was stopped."""
    with process(*arguments, start_new_session=True) as started:
        wait_for_handlers(started)
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(timeout=seconds)
        began = time.monotonic()
        started.send_signal(number)
        out, err = started.communicate(timeout=SECONDS)
        seconds = time.monotonic() - began
    wait_for_children(started.pid)
    return started.returncode, out, err, seconds


def wait_for_children(group):
    end = time.monotonic() + SECONDS
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < end:
            os.killpg(group, 0)
            time.sleep(0.05)
        pytest.fail("a child outlived its parent")


def check_stop(place, number, code, out, err):
    """Check what a stopped process said and left; one that was quicker than the signal has ended as ever."""
    assert code in (CODES[number], -number, 0), (code, err)
    assert "Traceback" not in err, err
    assert "ignored" not in err, err
    lines = [line for line in err.splitlines() if line]
    said = [line for line in lines if line.startswith("glassnet: stopped ")]
    assert len(said) == (code > 0), err
    assert len(lines) <= 3 + 12 * ("demos" in os.listdir(place)), err
    if out.startswith("{"):
        json.loads(out)
    assert [str(path) for path in place.rglob(".*.part")] == []
    for folder in {path.parent for path in place.rglob("*.safetensors")}:
        gn.load_model(folder)
        RunFolder(folder).config()
        RunFolder(folder).checkpoint()
        RunFolder(folder).history()
    for path in place.rglob("rows/*.json"):
        json.loads(path.read_text())
    for path in place.rglob("*.html"):
        assert path.read_text().rstrip().endswith("</html>")
