"""Studies whose runs the workers of a Dask cluster do: real processes that talk over loopback."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
from tests.searches.plain import SMALL, plain_pool
from tests.study.studies import alive, children, done, gone, models, points, pretend, small, timeless

from glassnet.errors import GlassnetError, UsageError
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.searches.search import search
from glassnet.study import cluster_pool, runner
from glassnet.study.cluster_pool import ClusterPool, compare_versions, import_dask
from glassnet.study.cluster_task import ClusterData, UnusableWorkerError
from glassnet.study.progress import StudyProgress
from glassnet.study.results import read_rows
from glassnet.study.runner import StudyInterrupted, run_study
from glassnet.training.run import load_data

__all__ = ["plain_pool"]

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@contextlib.contextmanager
def local_cluster(workers):
    """Run ``glassnet cluster local`` in a session of its own, and give the process and the address it prints."""
    command = [sys.executable, "-m", "glassnet", "cluster", "local", "--workers", str(workers)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, start_new_session=True, **pipes) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            family = children(process.pid)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            _, said = process.communicate(timeout=30)
            assert gone(family, 10.0)
            if process.returncode != -signal.SIGKILL:
                assert (process.returncode, said.splitlines()[1:]) == (130, ["glassnet: stopped by Ctrl-C"])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return points(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def cluster():
    with local_cluster(2) as found:
        yield found


def longer(data, seeds=1):
    """Return a study whose runs take a moment each."""
    base = {
        "data": {"dataset": data},
        "network": {"layers": [64, 12, 10], "dropout": 0.2},
        "training": {"kernels": "numpy"},
    }
    return small(data, base=base, seeds=seeds, budget={"epochs": 60})


def end_soon(process_or_pids, number, folder):
    """Send a signal when a first row of a study is there; return the thread that does."""

    def work():
        end = time.monotonic() + 60
        while not list((folder / "rows").glob("*.json")):
            assert time.monotonic() < end
            time.sleep(0.01)
        for pid in process_or_pids:
            os.kill(pid, number)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@LINUX
def test_a_cluster_gives_the_bits_of_this_machine(tmp_path, monkeypatch, data, cluster, capfd):
    monkeypatch.chdir(tmp_path)
    shutil.copy(data, "points.npz")  # named from here, where no worker is
    local = done(small("points.npz"), tmp_path / "local")
    rows = run_study(small("points.npz"), tmp_path / "study", cluster=cluster[1])
    assert timeless(sorted(rows, key=lambda row: row.folder)) == timeless(read_rows(tmp_path / "local"))
    assert len(rows) == len(local) == 6
    assert models(tmp_path / "study") == models(tmp_path / "local")
    assert timeless(read_rows(tmp_path / "study")) == timeless(read_rows(tmp_path / "local"))
    said = capfd.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 6)
    assert run_study(small("points.npz"), tmp_path / "study", progress=False) == rows  # nothing is left to do


@LINUX
def test_a_search_on_a_cluster_gives_the_bits_of_this_machine(tmp_path, data, cluster, plain_pool):
    """Paused runs travel back, and go on from their checkpoints on any worker."""
    options = {"space": SMALL, "trials": 4, "finish": 1, "epochs": 2, "progress": False}
    found = search(data, folder=tmp_path / "cluster", cluster=cluster[1], **options)
    local = search(data, folder=tmp_path / "local", workers=1, **options)
    assert [one.epochs for one in found.trials] == [2, 1, 1, 1]
    assert [(one.number, one.value) for one in found.trials] == [(one.number, one.value) for one in local.trials]
    assert found.evaluation.theta_sha256 == local.evaluation.theta_sha256


@LINUX
def test_a_worker_that_is_killed_costs_its_run_alone(tmp_path, data, cluster):
    process, address = cluster
    workers = [pid for pid in children(process.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(workers) == 2
    study = longer(data)
    killing = end_soon(workers[:1], signal.SIGKILL, tmp_path / "study")
    rows = run_study(study, tmp_path / "study", cluster=address, progress=False)
    killing.join()
    assert {row.status for row in rows} == {"finished"}
    done(study, tmp_path / "local")
    assert models(tmp_path / "study") == models(tmp_path / "local")


def test_ctrl_c_cancels_what_is_under_way(tmp_path, data, cluster):
    study, address = longer(data), cluster[1]
    interrupting = end_soon([os.getpid()], signal.SIGINT, tmp_path / "study")
    with pytest.raises(StudyInterrupted, match="of 3 runs done"):
        run_study(study, tmp_path / "study", cluster=address, progress=False)
    interrupting.join()
    before = read_rows(tmp_path / "study")
    assert 0 < len(before) < 3
    rows = run_study(study, tmp_path / "study", cluster=address, progress=False)
    assert {row.status for row in rows} == {"finished"}
    assert all(row in rows for row in before)


def test_workers_with_other_data_end_the_study_with_a_word(tmp_path, data, cluster):
    task = ClusterData(None, {"points": {"points.npz": "of another file"}})
    study = small(data)
    with pytest.raises(UnusableWorkerError, match=r"has other data than this machine: points\.npz"):
        task.load(study.base)
    with pytest.raises(UnusableWorkerError, match=r"cannot read the data: .*points\.npz: cannot be read"):
        task.load(small(str(tmp_path / "points.npz")).base)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster_pool, "with_full_paths", lambda config: small("nowhere.npz").base)
        with pytest.raises(
            GlassnetError, match=r"cluster: the worker tcp://.* cannot read the data: nowhere\.npz"
        ):
            run_study(study, tmp_path / "study", cluster=cluster[1], progress=False)
    assert load_data(study.base).checksums
    assert read_rows(tmp_path / "study") == []


def test_other_versions_are_refused(data, cluster, monkeypatch):
    assert compare_versions({"numpy": "2.4", "numba": "0.66"}, {"numpy": "2.4", "numba": "missing"}) == (
        "it has numba missing, and this machine 0.66; install the same versions"
    )
    monkeypatch.setattr(cluster_pool, "read_versions", lambda answer: {"numpy": f"{time.monotonic()}"})
    with (
        GracefulInterrupts() as interrupts,
        ClusterPool(cluster[1], ClusterData(None, {}), interrupts, print) as pool,
        pytest.raises(GlassnetError, match=r"no worker can be used; tcp://.*: it has numpy .*, and this machine"),
    ):
        pool.receive()


def test_no_scheduler_is_said_in_a_line(tmp_path, data, monkeypatch):
    monkeypatch.setattr(cluster_pool, "ANSWER_SECONDS", 0.2)
    with pytest.raises(GlassnetError, match=r"no scheduler can be used at tcp://127\.0\.0\.1:9: .*cluster local"):
        run_study(small(data), tmp_path / "study", cluster="tcp://127.0.0.1:9", progress=False)
    with pytest.raises(
        UsageError, match=r"takes the address of a scheduler, as tcp://10\.0\.0\.1:8786, got 'here'"
    ):
        run_study(small(data), tmp_path / "study", cluster="here", progress=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(GlassnetError, match=r"needs Dask, .* pip install 'glassnet\[cluster\]'"):
        run_study(small(data), tmp_path / "study", cluster="tcp://127.0.0.1:9", progress=False)


@LINUX
@pytest.mark.slow
def test_a_scheduler_that_is_killed_leaves_what_was_finished(tmp_path, data):
    study = longer(data, seeds=3)
    with local_cluster(2) as (process, address):
        family = children(process.pid)
        killing = end_soon([process.pid], signal.SIGKILL, tmp_path / "study")
        began = time.monotonic()
        with pytest.raises(GlassnetError, match=r"the scheduler tcp://.* is gone .* to go on"):
            run_study(study, tmp_path / "study", cluster=address, progress=False)
        killing.join()
        assert time.monotonic() - began < 60
        assert gone(family, 30.0), alive(family)
    before = read_rows(tmp_path / "study")
    assert 0 < len(before) < 9
    rows = run_study(study, tmp_path / "study", workers=2, progress=False)
    assert {row.status for row in rows} == {"finished"}
    assert all(row in rows for row in before)


@LINUX
@pytest.mark.slow
def test_many_workers_are_kept_busy_in_flat_memory(tmp_path, data, monkeypatch):
    """Without training: many runs come back while the memory of all workers and the study stays flat."""
    monkeypatch.setattr(runner, "perform_in_worker", pretend)
    pages = []

    def say(*_):
        pages.append(int(Path("/proc/self/statm").read_text().split()[1]))

    monkeypatch.setattr(StudyProgress, "finish", say)
    with warnings.catch_warnings(action="ignore"):  # on the disk of a busy machine
        cluster = import_dask().LocalCluster(
            n_workers=16, threads_per_worker=1, processes=False, dashboard_address=None
        )
        with cluster:
            rows = run_study(small(data, seeds=50), tmp_path / "study", cluster=cluster.scheduler_address)
    assert [row.status for row in rows] == ["finished"] * 150
    assert len(pages) == 150
    assert (pages[-1] - pages[50]) * os.sysconf("SC_PAGE_SIZE") < 100 * 80_000  # half of the files that came
