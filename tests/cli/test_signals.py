"""Real processes that are told to end, at any moment: they end soon, in plain words, with nothing half-written."""

import contextlib
import http.server
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet.data.registry import DATASETS
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
def place(here, run_folder, monkeypatch):
    """A folder that holds a run, a study's file, and rows; no server answers."""
    for proxy in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    (here / "study.toml").write_text(STUDY)
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


def stop(process, arguments, number, seconds, **options):
    """Send a command a signal after so many seconds; return how it ended, and after how many more."""
    with process(*arguments, start_new_session=True, **options) as started:
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
    assert len(lines) <= 3 or "demos" in os.listdir(place), err  # the demo shows its progress
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


def try_moments(name, number, process, place, moments, seconds=None):
    """Stop a command in so many seconds, by default as many as it takes; each time in a new folder."""
    rng = random.Random(f"{name} {number}")
    with tempfile.TemporaryDirectory(dir=place.parent) as kept:
        shutil.copytree(place, kept, dirs_exist_ok=True)
        began = time.monotonic()
        if seconds is None:
            with process(*COMMANDS[name], cwd=kept) as whole:
                whole.communicate()
            seconds = time.monotonic() - began
    for _ in range(moments):
        with tempfile.TemporaryDirectory(dir=place.parent) as folder:
            shutil.copytree(place, folder, dirs_exist_ok=True)
            code, out, err, took = stop(process, COMMANDS[name], number, rng.uniform(0, seconds), cwd=folder)
            check_stop(Path(folder), number, code, out, err)
            assert took < SECONDS
            if (Path(folder) / "new" / "config.toml").exists():
                with process("train", "--resume", "new", "-q", "--json", cwd=folder) as again:
                    out, err = again.communicate()
                assert again.returncode == 0, err
                assert json.loads(out)["epochs"] == 4


@pytest.mark.parametrize(("name", "number"), [("train seeds", signal.SIGTERM), ("doctor", signal.SIGINT)])
def test_a_command_ends_soon_after_a_signal(name, number, process, place):
    try_moments(name, number, process, place, 2, seconds=2)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_ends_soon_after_a_signal_at_any_moment(name, number, process, place):
    try_moments(name, number, process, place, 10)


def test_a_study_whose_group_is_told_twice_saves_its_runs_and_goes_on(process, place):
    """As `timeout` does it, and a terminal that closes: process and children get the signal, the process twice."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        text = STUDY.replace("epochs = 4", "epochs = 4000\ncheckpoint_every = 1000")
        (place / "long.toml").write_text(text)
        with process(
            "study", "long.toml", "-q", "--workers", 1, "--folder", "new", start_new_session=True
        ) as study:
            wait_for_files(place, "new/runs/*/config.toml")
            time.sleep(0.5)
            os.killpg(study.pid, number)
            study.send_signal(number)
            _, err = study.communicate(timeout=SECONDS)
        assert study.returncode == CODES[number]
        assert "go on with: glassnet study long.toml --folder new --workers 1" in err
        (run,) = (place / "new" / "runs").iterdir()
        checkpoint = RunFolder(run).checkpoint()
        assert checkpoint["history"] or checkpoint["rows_done"] > 0  # saved when it was told
        assert not (place / "new" / "workers.log").exists()
        shutil.rmtree(place / "new")


def wait_for_files(place, pattern):
    end = time.monotonic() + 60
    while not list(place.glob(pattern)):
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_download_that_is_stopped_keeps_what_arrived(process, here, monkeypatch, number):
    sizes = DATASETS["fashion-mnist"].source.sizes

    class Slow(http.server.BaseHTTPRequestHandler):
        """A proxy that sends a megabyte of a file, and then nothing for long."""

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(sizes[self.path.rpartition("/")[2]]))
            self.end_headers()
            self.wfile.write(bytes(1_000_000))
            self.wfile.flush()
            done.wait(SECONDS)

        def log_message(self, *_):
            """Say nothing."""

    done = threading.Event()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("XDG_CACHE_HOME", str(here))
        with process("data", "fetch", "fashion-mnist") as fetch:
            wait_for_files(here, "glassnet/fashion-mnist/.*.part")
            time.sleep(1)
            fetch.send_signal(number)
            out, err = fetch.communicate(timeout=SECONDS)
        done.set()
        server.shutdown()
    by = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
    said = f"glassnet: stopped by {by}; what has arrived is kept, and the same command goes on\n"
    assert (fetch.returncode, out, err) == (CODES[number], "", said)
    (part,) = (here / "glassnet" / "fashion-mnist").iterdir()
    assert part.read_bytes() == bytes(1_000_000)


def test_seeds_end_with_the_run_that_was_told(process, place):
    with process(*DIGITS, "numpy", "--epochs", 3000, "--seeds", 3, "--run-dir", "new") as seeds:
        wait_for_files(place, "new/seed-0/config.toml")
        seeds.terminate()
        _, err = seeds.communicate(timeout=SECONDS)
    assert seeds.returncode == 143
    assert "go on with: glassnet train --resume new/seed-0" in err
    assert [path.name for path in (place / "new").iterdir()] == ["seed-0"]


# Streams that are closed or full


@pytest.mark.parametrize("stream", ["2>/dev/full", "2>&-"])
def test_progress_that_cannot_be_shown_ends_no_training(shell, place, stream):
    answer = shell(f"train digits --kernels numpy --epochs 2 --run-dir new --json {stream}")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout)["stopped"] == "epochs"


def test_progress_of_a_study_that_cannot_be_shown_ends_none_of_its_runs(shell, place):
    (place / "study.toml").write_text(STUDY.replace("seeds = 2", "seeds = 1").replace("epochs = 4", "epochs = 1"))
    answer = shell("study study.toml --workers 1 --json 2>/dev/full")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert {row["status"] for row in json.loads(answer.stdout)["rows"]} == {"finished"}


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (">/dev/full", "No space left on device"),
        (">&-", "Bad file descriptor"),
        ("| true", "Broken pipe"),
    ],
)
def test_results_that_cannot_be_printed_are_an_error_after_the_work(shell, place, stream, said):
    answer = shell(f"train digits --kernels numpy --epochs 2 --run-dir new -q {stream}; exit ${{PIPESTATUS[0]}}")
    assert (answer.returncode, answer.stderr) == (1, f"glassnet: standard output: {said}\n")
    assert len(RunFolder(place / "new").history()) == 2
    assert (place / "new" / "report.html").exists()


def test_no_file_gets_the_number_of_a_closed_stream(shell, place):
    answer = shell("explain 3,2,1 --out page.html <&- >&- 2>&-")
    assert answer.returncode == 1
    assert (place / "page.html").read_text().rstrip().endswith("</html>")


@pytest.fixture
def shell(here):
    """Run a line of bash, in which ``glassnet`` stands before it."""

    def run(line, before="true"):
        command = f"{before}; {shlex.quote(sys.executable)} -m glassnet {line}"
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300, check=False)

    return run


# Limits


def test_a_limit_on_memory_is_one_line(shell, here):
    answer = shell("train digits", before="ulimit -v 300000")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert re.fullmatch(
        r"glassnet: not enough memory: ulimit -v allows 307 MB, and [\d,]+ MB are needed to begin; raise it.*\n",
        answer.stderr,
    )


def test_a_limit_on_files_is_one_line(shell, place):
    answer = shell("study study.toml -q --workers 2", before="ulimit -n 12")
    assert answer.returncode == 1
    assert answer.stderr == "glassnet: too many open files: raise the limit, ulimit -n\n"


@pytest.mark.slow
def test_limits_on_memory_are_a_line_or_no_matter(shell, place):
    for megabytes in range(300, 3000, 300):
        for command in (
            "doctor",
            "train digits -q --epochs 1 --kernels numpy",
            "explain 3,2,1 --overwrite",
            "report run",
        ):
            answer = shell(command, before=f"ulimit -v {megabytes}000")
            assert answer.returncode in (0, 1), (megabytes, command, answer.stderr)
            assert "Traceback" not in answer.stderr, (megabytes, command, answer.stderr)
            if answer.returncode:
                assert answer.stderr.splitlines()[-1].startswith("glassnet: not enough memory: ")
