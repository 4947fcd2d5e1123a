"""Searches as a whole: rungs, resuming, and what a killed process leaves."""

import contextlib
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from tests.searches.plain import SMALL
from tests.study.studies import children, gone

from glassnet.errors import FileError, UsageError
from glassnet.searches import runner
from glassnet.study.layout import with_threads
from glassnet.study.results import read_rows
from glassnet.training.run import run
from glassnet.training.run_folder import RunFolder

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

PROGRAM = """
import json, sys
from glassnet import search

if __name__ == "__main__":
    data, folder, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    print("ready", flush=True)
    search(data, folder=folder, progress=False, **options)
"""


def told(found):
    """What a search found, without what differs from run to run: its seconds and those that follow from them."""
    trials = [(one.place, one.number, one.epochs, one.value, one.low, one.parameters) for one in found.trials]
    test = None if found.evaluation is None else found.evaluation.theta_sha256
    return trials, found.winner.number, found.low, found.importance, test


def stamps(folder):
    return {path.name: path.stat().st_mtime_ns for path in (folder / "rows").glob("*.json")}


def test_the_best_are_finished_from_their_checkpoints_as_if_trained_at_once(found, data, tmp_path):
    for one in found.finished:
        config = with_threads(found.search.space.config(one.drawn), 1)
        whole = run(config, run_dir=tmp_path / one.name, progress=False)
        folder = RunFolder(found.folder / one.row.folder)
        assert (folder.path / "model.safetensors").read_bytes() == (
            tmp_path / one.name / "model.safetensors"
        ).read_bytes()
        ours = [replace(record, seconds=0.0) for record in folder.history()]
        assert ours == [replace(record, seconds=0.0) for record in whole.history]


def test_rungs_and_folder_say_what_was_run(found):
    rows = sorted(path.name for path in (found.folder / "rows").iterdir())
    assert len([name for name in rows if name.endswith("_epochs-1.json")]) == 12
    assert len(rows) == 14
    record = json.loads((found.folder / "search.json").read_text())
    assert (record["strategy"], record["sampler"], record["layout"]["threads"]) == ("one-epoch", "random", 1)
    assert {row.split for row in read_rows(found.folder)} == {found.winner.row.split}
    assert {row.seed for row in read_rows(found.folder)} == {0}
    assert [one.epochs for one in found.trials] == [4] * 2 + [1] * 10


def test_those_go_on_that_were_best_after_the_first_epoch(found):
    values = {}
    for path in (found.folder / "rows").glob("*_epochs-1.json"):
        row = json.loads(path.read_text())
        values[int(row["variant"][1:])] = row["measures"]["validation_accuracy"]
    best = sorted(values, key=lambda number: (-values[number], number))[:2]
    assert {one.number for one in found.finished} == set(best)


@pytest.mark.parametrize("strategy", ["one-epoch", "tpe", "hyperband"])
def test_workers_and_the_order_in_which_runs_end_change_nothing(seek, plain_pool, tmp_path, strategy):
    options = {"strategy": strategy, "trials": 10, "epochs": 3}
    one = seek(tmp_path / "one", **options)
    plain_pool.order = random.Random(1)
    three = seek(tmp_path / "three", workers=3, **options)
    assert told(one) == told(three)


@pytest.mark.parametrize("strategy", ["one-epoch", "tpe"])
def test_a_search_that_dies_anywhere_goes_on_and_repeats_nothing(seek, plain_pool, tmp_path, strategy):
    """Killed after every single run, the search ends with the same trials, values and winner."""
    options = {"strategy": strategy, "trials": 10, "epochs": 2}
    calm = seek(tmp_path / "calm", **options)
    folder, runs, written = tmp_path / "killed", plain_pool.done, {}
    for after in range(1, runs + 1):
        plain_pool.die_after, plain_pool.done = 1, 0
        with contextlib.suppress(MemoryError):
            seek(folder, **options)
        before, written = written, stamps(folder)
        assert before.items() <= written.items()  # no row is written again
        assert len(written) == after
    plain_pool.die_after = 0  # nothing is left to do
    assert told(seek(folder, **options)) == told(calm)
    assert stamps(folder) == written


def test_more_trials_take_up_those_that_are_there(seek, found, plain_pool, tmp_path):
    folder = shutil.copytree(found.folder, tmp_path / "more")
    before = stamps(folder)
    more = seek(folder, trials=16, finish=3)
    assert before.items() <= stamps(folder).items()
    assert len(more.trials) == 16
    assert len(more.finished) >= 3
    assert plain_pool.done == len(stamps(folder)) - len(before)
    if more.winner.number != found.winner.number:
        assert [one.variant for one in more.evaluation.earlier] == [found.winner.name]


def test_another_search_or_other_data_are_refused(seek, found, tmp_path):
    folder = shutil.copytree(found.folder, tmp_path / "other")
    before = stamps(folder)
    with pytest.raises(FileError, match="holds a search that searches something else; choose another folder"):
        seek(folder, epochs=9)
    with pytest.raises(FileError, match="holds a search that has another strategy"):
        seek(folder, strategy="random")
    with pytest.raises(FileError, match="holds a search that has other first epochs"):
        seek(folder, first_epochs=2)  # its trials are beyond that
    record = json.loads((folder / "search.json").read_text())
    (folder / "search.json").write_text(json.dumps(record | {"checksums": {"points": {"points.npz": "0"}}}))
    with pytest.raises(FileError, match="was begun with other data files"):
        seek(folder)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    with pytest.raises(FileError, match="already holds files, and no search"):
        seek(tmp_path / "full")
    assert stamps(folder) == before


def test_wrong_values_are_named_before_anything_is_made(seek, tmp_path):
    for options, message in (
        ({"trials": 0}, "trials: takes a whole number, 1 or more, got 0"),
        ({"first_epochs": 0}, "first_epochs: takes a whole number, 1 or more, got 0"),
        ({"timeout": -1.0}, "timeout: takes seconds above 0, got -1.0"),
        ({"strategy": "hyperband", "sampler": "tpe"}, "sampler: Hyperband draws at random"),
        ({"sampler": "cma"}, "sampler: unknown name 'cma'"),
        ({"workers": 0}, "workers: takes a number of processes, 1 or more, got 0"),
        ({"measure": "validation_acuracy"}, "measure: unknown name 'validation_acuracy'"),
        ({"measure": "test_accuracy"}, "measure: test_accuracy: test rows decide nothing"),
    ):
        with pytest.raises(UsageError) as caught:
            seek(tmp_path / "wrong", **options)
        assert str(caught.value).startswith(message)
    assert not (tmp_path / "wrong").exists()


def test_a_trial_that_diverges_is_a_result_and_never_goes_on(seek, tmp_path):
    space = {
        "base": {
            "network": {"activation": "identity", "loss": "half_squared_error"},
            "training": {"epochs": 2, "kernels": "numpy"},
        },
        "parameters": {"optimizer": {"choices": ["sgd(1e38)", "sgd(0.01)"]}},
    }
    found = seek(tmp_path / "mad", space=space, trials=6, finish=6)
    lost = [one for one in found.trials if one.value is None]
    assert {one.row.status for one in lost} == {"diverged"}
    assert {one.parameters["optimizer"] for one in lost} == {"sgd(1e38)"}
    assert {one.parameters["optimizer"] for one in found.finished} == {"sgd(0.01)"}
    assert [one.place for one in found.trials[-len(lost) :]] == [None] * len(lost)


def test_when_the_time_is_over_what_is_there_is_told_and_more_time_goes_on(
    seek, plain_pool, tmp_path, monkeypatch
):
    """The clock jumps after the third run: no trial begins, and the search goes on with a longer limit."""
    clock = time.monotonic
    monkeypatch.setattr(runner.time, "monotonic", lambda: clock() + (1e6 if plain_pool.done >= 3 else 0))
    folder = tmp_path / "short"
    found = seek(folder, timeout=1000.0)
    assert found.record["out_of_time"]
    assert len(found.trials) == 3
    assert found.finished == []
    assert found.evaluation is None
    assert found.winner.epochs == 1
    assert (folder / "plan.toml").exists()
    monkeypatch.undo()
    longer = seek(folder, timeout=1e9)
    assert not longer.record["out_of_time"]
    assert told(longer) == told(seek(tmp_path / "calm"))


def test_time_is_kept_for_the_trials_that_are_to_be_finished(seek, plain_pool, tmp_path, monkeypatch):
    """With the runs of an hour each, no new trial begins that would leave the best unfinished."""
    clock, hour = time.monotonic, 3600.0
    monkeypatch.setattr(runner.time, "monotonic", lambda: clock() + hour * plain_pool.done)
    keep = runner.SearchRunner._keep
    monkeypatch.setattr(
        runner.SearchRunner, "_keep", lambda self, job, row: keep(self, job, replace(row, seconds=hour))
    )
    found = seek(tmp_path / "kept", trials=50, finish=2, timeout=12 * hour)
    assert 4 <= len(found.trials) < 12
    assert len(found.finished) == 2
    assert found.record["out_of_time"]  # of 50 trials most were left out, and it says so


@pytest.fixture
def start(tmp_path, data):
    """``start(folder, **options)``: a process that searches, by two workers."""
    (tmp_path / "program.py").write_text(PROGRAM)
    started = []

    def make(folder, **options):
        given = json.dumps({"space": SMALL, "trials": 6, "finish": 2, "workers": 2, **options})
        command = [sys.executable, tmp_path / "program.py", data, folder, given]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(list(map(str, command)), text=True, **pipes))
        return started[-1]

    yield make
    for process in started:
        process.kill()
        process.communicate(timeout=20)


def wait_for_rows(folder, count, seconds=120):
    end = time.monotonic() + seconds
    while len(list((folder / "rows").glob("*.json"))) < count:
        assert time.monotonic() < end
        time.sleep(0.01)


@LINUX
def test_a_killed_process_loses_no_trial_and_repeats_none(start, seek, tmp_path):
    """Real processes: kill -9 while runs are at work, then Ctrl-C, and on in this process."""
    folder = tmp_path / "search"
    process = start(folder)
    wait_for_rows(folder, 2)
    workers = children(process.pid)
    process.kill()
    assert gone([process.pid, *workers], 10.0)
    there = stamps(folder)
    process = start(folder)
    wait_for_rows(folder, len(there) + 1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert "StudyInterrupted: stopped with" in said or process.returncode == 0
    assert there.items() <= stamps(folder).items()
    found = seek(folder)
    assert there.items() <= stamps(folder).items()
    assert told(found) == told(seek(tmp_path / "calm"))


@LINUX
@pytest.mark.slow
def test_killed_at_twenty_random_moments(start, seek, tmp_path):
    """Kill the search or one of its workers, at random moments: the same winner, and no finished trial again."""
    rng = random.Random(4)
    folder, there, kills = tmp_path / "search", {}, 0
    options = {"trials": 40, "finish": 6, "epochs": 20}
    while kills < 20:
        process = start(folder, **options)
        assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0.5, 8.0))
        if process.poll() is not None:
            break
        workers = children(process.pid)
        process.kill()
        assert gone([process.pid, *workers], 10.0)
        kills += 1
        assert there.items() <= stamps(folder).items()
        there = stamps(folder)
    found = search_again(seek, folder, **options)
    assert there.items() <= stamps(folder).items()
    assert told(found) == told(seek(tmp_path / "calm", **options))


def search_again(seek, folder, **options):
    found = seek(folder, **options)
    assert told(found) == told(seek(folder, **options))
    return found


def test_a_database_takes_the_record_in_place_of_the_journal(seek, tmp_path):
    pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    found = seek(tmp_path / "search", storage=url)
    assert not (tmp_path / "search" / "journal.log").exists()
    import optuna

    name = optuna.get_all_study_names(url)[0]
    study = optuna.load_study(study_name=name, storage=url)
    assert len(study.trials) == 6
    seek(tmp_path / "other", storage=url, sampler="tpe", trials=2)  # draws its own
    assert len(optuna.get_all_study_names(url)) == 2
    assert study.best_trial.number in {one.number for one in found.trials}
