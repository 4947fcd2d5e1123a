import itertools
import os
import subprocess
import sys
import threading

import pytest

from glassnet.runtime import threads as threads_module
from glassnet.runtime.threads import (
    BUSY,
    LATEST,
    SOONEST,
    ThreadChoice,
    available_cores,
    run_in_threads,
)


class Machine:
    """A machine whose clock moves only by the steps that it takes."""

    def __init__(self):
        self.now = 100.0
        self.costs = {1: 0.02, 2: 0.011, 4: 0.006, 3: 0.008}

    def clock(self):
        return self.now

    def work(self, choice, seconds):
        """Take steps for some time; return how many threads each took, and when."""
        taken, end = [], self.now + seconds
        while self.now < end:
            count, cost = choice.count, self.costs[choice.count]
            taken.append((self.now, count))
            self.now += cost
            choice.observe(cost)
        return taken


@pytest.fixture
def machine():
    return Machine()


def counts(taken):
    return [count for _, count in taken]


@pytest.mark.parametrize(
    ("most", "options"),
    [(1, [1]), (2, [2, 1]), (3, [3, 2, 1]), (4, [4, 2, 1]), (6, [6, 4, 2, 1]), (8, [8, 4, 2, 1])],
)
def test_the_powers_of_two_and_the_most_are_tried(most, options):
    choice, tried = ThreadChoice(most), []
    for _ in options * 3:
        tried.append(choice.count)
        choice.observe(1.0)
    assert tried[: len(options)] == options
    assert choice.most == most
    assert set(tried) == set(options)


def test_every_number_is_tried_twice_then_the_fastest_kept(machine):
    choice = ThreadChoice(4, clock=machine.clock)
    assert (choice.count, choice.trying) == (4, True)
    for _ in range(6):
        choice.observe({4: 0.3, 2: 0.1, 1: 0.2}[choice.count])
    assert (choice.count, choice.trying) == (2, False)


def test_one_disturbed_moment_does_not_decide():
    choice = ThreadChoice(2)
    for seconds in (0.1, 0.2, 9.0, 0.2):  # with two threads, one, two, one
        choice.observe(seconds)
    assert choice.count == 2
    choice = ThreadChoice(2)
    for seconds in (9.0, 0.2, 0.1, 0.2):
        choice.observe(seconds)
    assert choice.count == 2


def test_a_quiet_machine_is_left_alone(machine):
    choice = ThreadChoice(4, clock=machine.clock)
    assert set(counts(machine.work(choice, 60)[6:])) == {4}


def test_busy_and_quiet_again(machine):
    choice = ThreadChoice(2, clock=machine.clock)
    machine.work(choice, 2)
    quiet = machine.costs.copy()
    assert choice.count == 2
    machine.costs = {1: 0.025, 2: 0.06}  # another program has one of the cores
    taken = machine.work(choice, 30)
    assert choice.count == 1
    assert counts(taken[:20]).count(1) > 10  # it did not take long
    assert counts(taken).count(2) < 0.1 * len(taken)
    machine.costs = quiet
    taken = machine.work(choice, 2 * LATEST)
    assert choice.count == 2
    assert counts(taken)[-5:] == [2] * 5
    assert set(counts(machine.work(choice, 20))) == {2}


def test_slowness_by_less_than_a_half_is_borne(machine):
    choice = ThreadChoice(2, clock=machine.clock)
    machine.work(choice, 2)
    machine.costs = {count: 0.99 * BUSY * cost for count, cost in machine.costs.items()}
    assert set(counts(machine.work(choice, 20))) == {2}


def test_fewer_threads_are_questioned_less_and_less_often(machine):
    machine.costs = {1: 0.01, 2: 0.03}
    choice = ThreadChoice(2, clock=machine.clock)
    taken = machine.work(choice, 40)
    trials = [now for now, count in taken if count == 2]
    gaps = [after - before for before, after in itertools.pairwise(trials) if after - before > 0.1]
    assert gaps[0] >= SOONEST
    assert all(later >= sooner - 0.1 for sooner, later in itertools.pairwise(gaps))
    assert LATEST <= gaps[-1] < LATEST + 0.2
    assert len(trials) < 40


def test_a_fixed_number_never_changes(machine):
    choice = ThreadChoice(3, fixed=True, clock=machine.clock)
    assert not choice.trying
    machine.work(choice, 2)
    machine.costs[3] = 5.0
    assert set(counts(machine.work(choice, 100))) == {3}
    assert not choice.trying


def test_one_core_leaves_no_choice(machine):
    choice = ThreadChoice(1, clock=machine.clock)
    machine.costs[1] = 7.0
    assert set(counts(machine.work(choice, 100))) == {1}
    assert not choice.trying


def test_the_cores_are_those_this_process_may_use(monkeypatch):
    assert 1 <= available_cores() <= os.cpu_count()
    if hasattr(os, "sched_setaffinity"):
        code = (
            "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
            "from glassnet.runtime.threads import available_cores; "
            "print(available_cores())"
        )
        assert subprocess.check_output([sys.executable, "-c", code], text=True) == "1\n"
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert available_cores() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_each_piece_of_work_is_done_once(threads):
    done = []
    run_in_threads(done.append, 100, threads)
    assert sorted(done) == list(range(100))


def test_helpers_work_side_by_side_with_the_caller():
    together = threading.Barrier(2, timeout=20)
    run_in_threads(lambda number: together.wait(), 2, 2)  # one alone would wait in vain
    assert not together.broken


def test_helpers_that_are_busy_are_not_waited_for():
    inner, outer = [], []
    free = threading.Event()

    def work(number):
        if threading.current_thread().name.startswith("glassnet"):
            assert free.wait(20)  # keeps the helper busy
        outer.append(number)
        if len(outer) == 1:
            run_in_threads(inner.append, 3, 2)
            free.set()

    run_in_threads(work, 2, 2)
    assert sorted(inner) == [0, 1, 2]
    assert sorted(outer) == [0, 1]


def test_without_more_threads_the_caller_does_all(monkeypatch):
    class Full:
        def submit(self, work):
            raise RuntimeError("can't start new thread")

    done = []
    monkeypatch.setattr(threads_module, "_start_helpers", Full)
    run_in_threads(done.append, 5, 3)
    assert done == list(range(5))


@pytest.mark.parametrize("where", ["glassnet", "Main"])
def test_what_work_raises_in_any_thread_is_raised_and_ends_the_rest(where):
    done, began = [], threading.Barrier(2, timeout=20)

    def work(number):
        done.append(number)
        if number < 2:
            began.wait()
            if threading.current_thread().name.startswith(where):
                raise KeyError(where)

    with pytest.raises(KeyError, match=where):
        run_in_threads(work, 10**6, 2)
    assert len(done) < 10**6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_process_has_helpers_of_its_own():
    program = """if True:
        import os, threading
        from glassnet.runtime.threads import run_in_threads
        def meet():
            together = threading.Barrier(2, timeout=20)
            run_in_threads(lambda number: together.wait(), 2, 2)
        meet()
        child = os.fork()
        if not child:
            meet()
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "7\n"
