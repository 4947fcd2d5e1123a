import collections
import os
import threading
from multiprocessing import Pipe, active_children

import pytest
from tests.study.studies import gone

from glassnet.errors import GlassnetError
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.study.crew import Crew, StopRequested, Worker


@pytest.fixture
def crew(tmp_path):
    with GracefulInterrupts() as interrupts, Crew(tmp_path / "workers.log", None, interrupts) as made:
        yield made


class Deaf:
    """A process that does not mind a signal, but reads what it is sent, and ends when that is None."""

    def __init__(self, theirs):
        self.asked = False
        self.thread = threading.Thread(target=self._read, args=(theirs,))
        self.thread.start()

    def _read(self, connection):
        while connection.recv() is not None:
            pass
        connection.send(("row", "the last words"))

    def terminate(self):
        self.asked = True

    def is_alive(self):
        return self.thread.is_alive()


def test_one_that_is_done_with_its_run_as_the_signal_comes_ends_as_well(crew):
    """Then the signal is noted by the run that is at its end, and by nobody else."""
    ours, theirs = Pipe()
    process = Deaf(theirs)
    worker = Worker(process, ours)
    crew.workers.append(worker)
    heard = []
    stopping = threading.Thread(target=lambda: heard.extend(crew.stop()), daemon=True)
    stopping.start()
    stopping.join(10)
    assert not stopping.is_alive()
    assert process.asked
    assert heard == [(worker, "row", "the last words")]


def test_workers_say_that_they_are_there_and_end_with_the_crew(tmp_path):
    with GracefulInterrupts() as interrupts, Crew(tmp_path / "workers.log", None, interrupts) as crew:
        crew.hire(2)
        pids = [worker.process.pid for worker in crew.workers]
        while not all(worker.ready for worker in crew.workers):
            assert crew.listen() == []
        assert len(active_children()) == 2
    assert active_children() == []
    assert not (tmp_path / "workers.log").exists()
    if os.path.exists("/proc"):
        assert gone(pids, 0.1)


def test_an_error_ends_the_workers_too(tmp_path):
    def fail():
        with GracefulInterrupts() as interrupts, Crew(tmp_path / "workers.log", None, interrupts) as crew:
            crew.hire()
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert active_children() == []


def test_ctrl_c_is_noticed(crew):
    crew.interrupts.signal = 2
    with pytest.raises(StopRequested):
        crew.listen()


def test_workers_that_cannot_start_are_not_started_for_ever(crew):
    for _ in range(2):
        crew.hire()
        crew.workers[0].process.kill()
        heard = []
        while not heard:
            heard = crew.listen()
        assert [(kind, why) for _, kind, why in heard] == [("dead", "its process was killed (signal 9)")]
    crew.hire()
    crew.workers[0].process.kill()
    with pytest.raises(GlassnetError, match="cannot start"):
        collections.deque(iter(crew.listen, None))
