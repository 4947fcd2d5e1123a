"""The worker processes of a study: what they send, how they end, and that none outlives its parent."""

import collections
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import Pipe, active_children
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.study.studies import alive, gone

from glassnet.errors import FileError, GlassnetError
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.study.process_pool import ProcessPool, StopRequested, Worker

#: A parent that spawns a child and is then killed; the child says its number and is busy for a minute.
FAMILY = """
import multiprocessing, os, sys, time
from glassnet.study.process_pool import end_with_parent

def child(way):
    end_with_parent()
    print(os.getpid(), flush=True)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if way == "sleeps":
            time.sleep(60)

if __name__ == "__main__":
    multiprocessing.get_context("spawn").Process(target=child, args=(sys.argv[1],)).start()
    time.sleep(60)
"""

#: A parent whose pool has a worker that is ready, and that then forks a process of its own; it says both numbers.
FORKING_PARENT = """
import os, sys, time
from pathlib import Path
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.study.process_pool import ProcessPool

if __name__ == "__main__":
    with GracefulInterrupts() as interrupts, ProcessPool(Path(sys.argv[1]), interrupts) as pool:
        pool.resize(1)
        while not pool.workers[0].ready:
            pool.receive()
        if (child := os.fork()) == 0:
            time.sleep(60)
            os._exit(0)
        print(pool.workers[0].process.pid, child, flush=True)
        time.sleep(60)
"""


def test_a_log_that_is_no_file_is_refused_before_a_worker_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "workers.log")
    with (
        GracefulInterrupts() as interrupts,
        pytest.raises(FileError, match=r"workers\.log: is not a regular file"),
    ):
        ProcessPool(tmp_path / "workers.log", interrupts)


@pytest.fixture
def pool(tmp_path):
    with GracefulInterrupts() as interrupts, ProcessPool(tmp_path / "workers.log", interrupts) as made:
        yield made


def add(a, b, context, report):
    """A task: it reports what it begins with, and the pool's context."""
    report((a, context))
    if b is None:
        raise GlassnetError("nothing to add")
    return a + b


def open_files(context, report):
    """A task: it returns the files that its process has open."""
    return [os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]


def meet(folder, context, report):
    """A task that waits for the pool: the first to come is late. It returns when it waited and when it went on."""
    try:
        (folder / "first").touch(exist_ok=False)
        time.sleep(0.5)
    except FileExistsError:
        pass
    waited = time.monotonic()
    report.wait()
    return waited, time.monotonic()


class Deaf:
    """A process that does not mind a signal, but reads what it is sent, and ends when that is None."""

    exitcode = 0

    def __init__(self, theirs):
        self.asked = False
        self.thread = threading.Thread(target=self._read, args=(theirs,))
        self.thread.start()

    def _read(self, connection):
        while connection.recv() is not None:
            pass
        connection.send(("result", "the last words"))
        connection.close()

    def terminate(self):
        self.asked = True

    def kill(self):
        pass

    def join(self, seconds=None):
        self.thread.join(seconds)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (-9, "its process was killed (signal 9)"),
        (0, "its process ended by itself (exit code 0)"),
        (3, "its process ended by itself (exit code 3)"),
    ],
)
def test_how_a_process_ended_is_said(code, said):
    process = SimpleNamespace(join=lambda seconds: None, exitcode=code)
    assert Worker(process, None).why_it_died() == said


def test_one_that_is_done_with_its_run_as_the_signal_comes_ends_as_well(pool):
    """Then the signal is noted by the run that is at its end, and by nobody else."""
    ours, theirs = Pipe()
    process = Deaf(theirs)
    worker = Worker(process, ours)
    pool.workers.append(worker)
    heard = []
    stopping = threading.Thread(target=lambda: heard.extend(pool.stop()), daemon=True)
    stopping.start()
    stopping.join(10)
    assert not stopping.is_alive()
    assert process.asked
    assert heard[0] == (worker, "result", "the last words")
    assert [message.kind for message in heard[1:]] == ["died"]


def test_workers_say_that_they_are_there_and_end_with_the_pool(tmp_path):
    with GracefulInterrupts() as interrupts, ProcessPool(tmp_path / "workers.log", interrupts) as pool:
        pool.resize(2)
        pids = [worker.process.pid for worker in pool.workers]
        while not all(worker.ready for worker in pool.workers):
            assert pool.receive() == []
        assert len(active_children()) == 2
        pool.resize(1)
        assert [child.pid for child in active_children()] == pids[1:]
    assert active_children() == []
    assert not (tmp_path / "workers.log").exists()
    if os.path.exists("/proc"):
        assert gone(pids, 0.1)


def test_a_task_gets_the_context_and_reports_before_it_returns(tmp_path):
    with GracefulInterrupts() as interrupts, ProcessPool(tmp_path / "workers.log", interrupts, "here") as pool:
        pool.resize(1)
        for number, (kind, value) in [(2, ("result", 3)), (None, ("error", "nothing to add"))]:
            worker = pool.submit(add, 1, number)
            assert pool.idle == []
            heard = []
            while len(heard) < 2:
                heard += pool.receive()
            assert heard == [(worker, "progress", (1, "here")), (worker, kind, value)]
            assert pool.idle == [worker]


def test_tasks_that_wait_go_on_together(pool, tmp_path):
    pool.resize(2)
    workers = {pool.submit(meet, tmp_path) for _ in range(2)}
    waiting = set()
    while waiting != workers:
        for message in pool.receive():
            assert (message.kind, message.value) == ("waiting", None)
            waiting.add(message.worker)
    assert pool.idle == []
    for worker in waiting:
        worker.go_on()
    results = []
    while len(results) < 2:
        results += pool.receive()
    assert {message.kind for message in results} == {"result"}
    assert max(waited for waited, _ in (message.value for message in results)) <= min(
        went_on for _, went_on in (message.value for message in results)
    )


@pytest.mark.skipif(sys.platform != "linux", reason="looks for open files in /proc")
def test_a_worker_has_its_log_open_for_its_output_alone(pool):
    pool.resize(1)
    pool.submit(open_files)
    heard = []
    while not heard:
        heard = pool.receive()
    assert heard[0].kind == "result"
    assert heard[0].value.count(str(pool.log)) == 2


def test_an_error_ends_the_workers_too(tmp_path):
    def fail():
        with GracefulInterrupts() as interrupts, ProcessPool(tmp_path / "workers.log", interrupts) as pool:
            pool.resize(1)
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert active_children() == []


def test_ctrl_c_is_noticed(pool):
    pool.interrupts.signal = 2
    with pytest.raises(StopRequested):
        pool.receive()


def test_workers_that_cannot_start_are_not_started_for_ever(pool):
    for _ in range(2):
        pool.resize(1)
        pool.workers[0].process.kill()
        heard = []
        while not heard:
            heard = pool.receive()
        assert [(kind, why) for _, kind, why in heard] == [("died", "its process was killed (signal 9)")]
    pool.resize(1)
    pool.workers[0].process.kill()
    with pytest.raises(GlassnetError, match="cannot start"):
        collections.deque(iter(pool.receive, None))


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("way", ["sleeps", "computes"])
def test_nobody_outlives_the_parent(tmp_path, way):
    (tmp_path / "family.py").write_text(FAMILY)
    command = [sys.executable, str(tmp_path / "family.py"), way]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        time.sleep(0.2)
        assert alive([child]) == [child]
        parent.kill()
        assert gone([child], 5.0)
        parent.stdout.close()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_no_worker_outlives_a_parent_that_has_forked(tmp_path):
    """A forked process holds open the pipes that say that the parent lives."""
    (tmp_path / "parent.py").write_text(FORKING_PARENT)
    command = [sys.executable, str(tmp_path / "parent.py"), str(tmp_path / "workers.log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        worker, child = map(int, parent.stdout.readline().split())
        try:
            assert alive([worker, child]) == [worker, child]
            parent.kill()
            assert gone([worker], 5.0)
            assert alive([child]) == [child]
        finally:
            for pid in alive([worker, child]):
                os.kill(pid, signal.SIGKILL)
        parent.stdout.close()


def test_one_whose_parent_is_gone_already_ends_at_once(tmp_path):
    """The parent ends while its child is being started; the child has nobody to say anything to."""
    late = FAMILY.replace("    end_with_parent()", "    time.sleep(0.3)\n    end_with_parent()\n    time.sleep(1)")
    (tmp_path / "family.py").write_text(late.replace("    time.sleep(60)\n", "    os._exit(0)\n"))
    answer = subprocess.run(
        [sys.executable, str(tmp_path / "family.py"), "sleeps"], capture_output=True, text=True, timeout=60
    )
    assert (answer.returncode, answer.stdout) == (0, "")
