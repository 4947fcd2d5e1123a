"""Studies as a whole: worker processes, resuming, and what a killed process leaves."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import active_children

import pytest
from tests.study.studies import alive, children, gone, listed, models, points, small, stamps, timeless

from glassnet.errors import DataError, FileError, UsageError
from glassnet.study import job_queue
from glassnet.study.results import read_rows
from glassnet.study.runner import StudyInterrupted, run_study
from glassnet.training.model_file import load_model
from glassnet.training.run_folder import RunFolder

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

PROGRAM = """
import sys
from glassnet.study.runner import run_study
from glassnet.study.specification import load_study

if __name__ == "__main__":
    print("ready", flush=True)
    run_study(load_study(sys.argv[1]), sys.argv[2], workers=int(sys.argv[3]), progress=False)
"""


def longer(data, seeds=2):
    """Return a study that takes a worker some seconds."""
    base = {
        "data": {"dataset": data},
        "network": {"layers": [64, 12, 10], "dropout": 0.2},
        "training": {"kernels": "numpy", "checkpoint_every": 1},
    }
    return small(data, base=base, seeds=seeds, budget={"epochs": 40})


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return points(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """The folder and the rows of the small study, done by one worker; not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "study"
    return folder, run_study(small(data), folder, workers=1, progress=False)


@pytest.fixture(scope="module")
def calm(data, tmp_path_factory):
    """The folder and the rows of the longer study, which nobody disturbed."""
    folder = tmp_path_factory.mktemp("calm") / "study"
    return folder, run_study(longer(data), folder, workers=2, progress=False)


@pytest.fixture
def start(tmp_path):
    """``start(study, folder)``: a process that runs a study, by two workers."""
    (tmp_path / "program.py").write_text(PROGRAM)

    started = []

    def make(study, folder, workers=2):
        (tmp_path / "given.toml").write_text(study.text)
        command = [sys.executable, tmp_path / "program.py", tmp_path / "given.toml", folder, str(workers)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(list(map(str, command)), text=True, **pipes))
        return started[-1]

    yield make
    for process in started:
        process.kill()
        process.communicate(timeout=20)


def wait_for_rows(folder, count, seconds=60):
    """Wait until so many rows are there."""
    end = time.monotonic() + seconds
    while len(list((folder / "rows").glob("*.json"))) < count:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_side_by_side_is_one_after_the_other_bit_for_bit(tmp_path, data, finished):
    folder, one = finished
    two = run_study(small(data), tmp_path / "two", workers=2, progress=False)
    assert timeless(one) == timeless(two)
    assert models(folder) == models(tmp_path / "two")
    assert len(models(folder)) == 6
    assert active_children() == []


def test_rows_and_folder_say_what_was_run(data, finished):
    folder, rows = finished
    assert [(row.variant, row.seed) for row in rows] == [
        (name, seed) for name in ("base", "optimizer=sgd(0.1)", "activation=tanh") for seed in (0, 1)
    ]
    assert {row.status for row in rows} == {"finished"}
    for seed in (0, 1):
        assert len({row.weights for row in rows if row.seed == seed}) == 1
        assert len({row.order for row in rows if row.seed == seed}) == 1
    assert len({row.weights for row in rows}) == 2
    for row in rows:
        config = RunFolder(folder / row.folder).config()
        assert (config.seed, config.training.threads) == (row.seed, 1)
    record = json.loads((folder / "study.json").read_text())
    assert record["layout"]["threads"] == 1
    assert (folder / "study.toml").read_text() == small(data).text
    assert timeless(read_rows(folder)) == timeless(sorted(rows, key=lambda row: row.folder))
    assert not (folder / "workers.log").exists()


def test_a_second_call_repeats_nothing_and_may_add_seeds(tmp_path, data, finished):
    folder, rows = shutil.copytree(finished[0], tmp_path / "study"), finished[1]
    before = stamps(folder)
    assert run_study(small(data), folder, workers=1, progress=False) == rows
    assert stamps(folder) == before
    more = run_study(small(data, seeds=[2, 0, 1]), folder, workers=2, progress=False)
    assert len(more) == 9
    assert [row for row in more if row.seed != 2] == rows
    assert {path: stamps(folder)[path] for path in before} == before
    assert run_study(small(data, seeds=[1]), folder, progress=False) == [row for row in rows if row.seed == 1]


def test_another_study_or_other_files_are_refused(tmp_path, data, finished):
    folder = shutil.copytree(finished[0], tmp_path / "study")
    before = stamps(folder)
    other = small(data, factors={"optimizer": {"levels": ["adam", "sgd(0.1)"]}})
    with pytest.raises(FileError, match=r"study: holds another study or other settings \(small\); choose another"):
        run_study(other, folder, workers=1, progress=False)
    record = json.loads((folder / "study.json").read_text())
    record["checksums"]["points"] = {"points.npz": "0"}
    (folder / "study.json").write_text(json.dumps(record))
    with pytest.raises(FileError, match="was begun with other data files"):
        run_study(small(data), folder, workers=1, progress=False)
    assert stamps(folder) == before


def test_a_variant_that_does_not_fit_is_found_before_anything_is_run(tmp_path, data):
    study = listed({"odd": {"network.layers": [65, 12, 10]}}, data)
    with pytest.raises(DataError, match=r"\(in 'odd'\)"):
        run_study(study, tmp_path / "study", progress=False)
    assert not (tmp_path / "study").exists()
    with pytest.raises(UsageError, match="workers: takes a number of processes, 1 or more, got 0"):
        run_study(small(data), tmp_path / "study", workers=0, progress=False)


def test_divergence_and_failure_are_rows_and_the_others_go_on(tmp_path, capfd, data):
    """A file stands where a run wants its folder: that is tried twice, said, and tried again the next time."""
    changes = {"network.activation": "identity", "network.loss": "half_squared_error"}
    study = listed({"mad": {"training.optimizer": "sgd(1e38)", **changes}}, data, seeds=[0])
    folder = tmp_path / "study"
    (folder / "runs").mkdir(parents=True)
    (folder / "runs" / "base_seed-0").write_text("in the way")
    base, mad = run_study(study, folder, workers=2)
    assert (mad.status, base.status) == ("diverged", "failed")
    assert mad.health[0]["kind"]
    assert "base_seed-0" in base.problem
    said = capfd.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 2
    assert any(
        line.startswith(("1/2  mad, seed 0: diverged: epoch 1", "2/2  mad, seed 0: diverged")) for line in lines
    )
    before = stamps(folder)
    (folder / "runs" / "base_seed-0").unlink()
    again = run_study(study, folder, workers=1, progress=False)
    assert [row.status for row in again] == ["finished", "diverged"]
    assert again[1] == mad
    assert stamps(folder)[folder / "rows" / "mad_seed-0.json"] == before[folder / "rows" / "mad_seed-0.json"]


def killer(folder, number=signal.SIGKILL):
    """Kill a worker of this process as soon as a run has begun; return the thread, and whom it killed."""
    killed = []

    def kill():
        end = time.monotonic() + 60
        while not list((folder / "runs").glob("*/config.toml")):
            assert time.monotonic() < end
            time.sleep(0.005)
        time.sleep(0.1)
        victim = active_children()[0]
        os.kill(victim.pid, number)
        killed.append(victim.pid)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread, killed


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_worker_is_replaced(tmp_path, data, calm, number):
    thread, killed = killer(tmp_path / "study", number)
    rows = run_study(longer(data), tmp_path / "study", workers=2, progress=False)
    thread.join()
    assert len(killed) == 1
    assert {row.status for row in rows} == {"finished"}
    assert timeless(rows) == timeless(calm[1])
    assert models(tmp_path / "study") == models(calm[0])


def test_a_run_whose_process_dies_too_often_has_failed(tmp_path, monkeypatch, data):
    monkeypatch.setattr(job_queue, "TRIES", 1)
    thread, _ = killer(tmp_path / "study")
    rows = run_study(longer(data, seeds=1), tmp_path / "study", workers=1, progress=False)
    thread.join()
    assert [row.status for row in rows].count("failed") == 1
    assert [row.status for row in rows].count("finished") == len(rows) - 1
    lost = next(row for row in rows if row.status == "failed")
    assert lost.problem == "its process was killed (signal 9)"
    assert (lost.weights, lost.measures) == ("", {})


@LINUX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_the_study_goes_on(start, tmp_path, number, data):
    folder = tmp_path / "study"
    process = start(longer(data), folder)
    wait_for_rows(folder, 1)
    workers = children(process.pid)
    assert len(workers) >= 2
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "StudyInterrupted: stopped with" in said
    assert "Traceback" not in said.split("StudyInterrupted: ")[1]
    assert gone(workers, 1.0)
    there = stamps(folder)
    rows = run_study(longer(data), folder, workers=1, progress=False)
    assert {path: stamps(folder)[path] for path in there} == there
    assert {row.status for row in rows} == {"finished"}


@LINUX
def test_ctrl_c_of_the_whole_group_is_one_interrupt(start, tmp_path, data):
    """A terminal sends it to the workers as well; these leave no traceback, and save."""
    folder = tmp_path / "study"
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "given.toml").write_text(longer(data).text)
    command = [sys.executable, str(tmp_path / "program.py"), str(tmp_path / "given.toml"), str(folder), "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_for_rows(folder, 1)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert said.count("Traceback") <= 2  # the program's own: StopRequested became StudyInterrupted
    assert "StudyInterrupted" in said.splitlines()[-1]
    assert not (folder / "workers.log").exists()


def wait_for_work(process, folder):
    """Wait until a run of a process saves its checkpoint, or the study is over."""
    began = time.time()
    while process.poll() is None:
        saved = list((folder / "runs").glob("*/checkpoint.safetensors"))
        if any(path.stat().st_mtime > began for path in saved):
            return
        time.sleep(0.01)


def survive(start, tmp_path, study, calm, kills, rng):
    """Kill the runner, or one of its workers, at random moments: nothing is lost, and nobody left over.

    Every fourth time that is while the study starts, and else while it trains.
    """
    folder = tmp_path / "study"
    there: dict = {}
    for number in range(kills):
        process = start(study, folder)
        assert process.stdout.readline() == "ready\n"
        if number % 4:
            wait_for_work(process, folder)
        time.sleep(rng.uniform(0.0, 0.5 if number % 4 else 2.0))
        family = children(process.pid)
        workers = [pid for pid in family if alive([pid])]
        if workers and rng.random() < 0.5:
            victim = rng.choice(workers)
            os.kill(victim, signal.SIGKILL)
            time.sleep(rng.uniform(0.0, 1.0))
            family = children(process.pid)
        process.kill()
        process.communicate(timeout=20)
        assert gone(family, 5.0)
        now = stamps(folder)
        assert {path: now.get(path) for path in there} == there
        there = now
        read_rows(folder)
    rows = run_study(study, folder, workers=1, progress=False)
    assert {path: stamps(folder)[path] for path in there} == there
    assert {row.status for row in rows} == {"finished"}
    assert timeless(rows) == timeless(calm[1])
    assert models(folder) == models(calm[0])


@LINUX
def test_killing_loses_nothing(start, tmp_path, data, calm):
    survive(start, tmp_path, longer(data), calm, 4, random.Random(0))


@LINUX
@pytest.mark.slow
def test_killing_twenty_times_loses_nothing(start, tmp_path, data):
    study, folder = longer(data, seeds=8), tmp_path / "calm"
    survive(
        start, tmp_path, study, (folder, run_study(study, folder, workers=2, progress=False)), 20, random.Random(1)
    )


@LINUX
def test_one_folder_one_runner(start, tmp_path, data):
    folder = tmp_path / "study"
    process = start(longer(data), folder)
    try:
        wait_for_rows(folder, 1)
        with pytest.raises(FileError, match="study: is in use: another process trains in it; wait until it ends"):
            run_study(longer(data), folder, workers=1, progress=False)
    finally:
        process.kill()
        process.communicate(timeout=20)


def test_a_program_without_its_guard_is_told(tmp_path, data):
    (tmp_path / "study.toml").write_text(small(data).text)
    (tmp_path / "program.py").write_text(
        "from glassnet.study.runner import run_study\nfrom glassnet.study.specification import load_study\n"
        "run_study(load_study('study.toml'), 'study', workers=1, progress=False)\n"
    )
    answer = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert answer.returncode == 1
    assert 'has to do so under if __name__ == "__main__":' in answer.stderr.splitlines()[-1]


def test_the_models_are_those_of_the_configuration_alone(data, finished):
    """A run of a study is a run: the same configuration gives the same theta outside of it."""
    from glassnet.training.run import run

    folder, rows = finished
    tanh = next(row for row in rows if (row.variant, row.seed) == ("activation=tanh", 1))
    config = small(data).variants()[2].with_seed(1)
    again = run(config, progress=False).network
    assert load_model(folder / tanh.folder).network.fingerprint() == again.fingerprint()


def test_an_interrupt_can_be_pickled():
    import pickle
    from pathlib import Path

    stop = StudyInterrupted(2, 6, Path("here"), signal.SIGTERM)
    again = pickle.loads(pickle.dumps(stop))
    assert (str(again), again.signal) == ("stopped with 2 of 6 runs done; all is saved in here", signal.SIGTERM)
