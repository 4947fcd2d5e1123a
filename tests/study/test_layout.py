import os
import time

import pytest
from tests.study.studies import points, small

from glassnet.errors import GlassnetError
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.study import layout
from glassnet.study.fairness import DataCache
from glassnet.study.layout import given_layout, measure_layout, with_threads
from glassnet.study.process_pool import ProcessPool


def meet(folder, data, report):
    """Stands for `measure_rate`: the first worker is late; it returns when it was warm and when it measured."""
    try:
        (folder / "first").touch(exist_ok=False)
        time.sleep(0.5)
    except FileExistsError:
        pass
    warm = time.monotonic()
    report.wait()
    return warm, time.monotonic()


def fail_first(folder, data, report):
    """Stands for `measure_rate`: the first worker fails, or dies, after the others are warm."""
    try:
        (folder / "first").touch(exist_ok=False)
    except FileExistsError:
        report.wait()
        return 1.0
    time.sleep(0.5)
    if (folder / "dies").exists():
        os._exit(3)
    raise GlassnetError("no step can be taken")


@pytest.fixture
def cores(monkeypatch):
    return lambda count: monkeypatch.setattr(layout, "available_cores", lambda: count)


@pytest.mark.parametrize(
    ("count", "workers", "threads", "expected"),
    [
        (4, 3, None, (3, 1)),
        (4, None, 2, (2, 2)),
        (4, None, 4, (1, 4)),
        (4, None, 16, (1, 16)),
        (4, 5, 2, (5, 2)),
        (1, None, None, (1, 1)),
    ],
)
def test_what_is_given_decides(cores, count, workers, threads, expected):
    cores(count)
    found = given_layout(workers, threads)
    assert (found.workers, found.threads) == expected


def test_else_it_is_measured(cores):
    cores(4)
    assert given_layout(None, None) is None


@pytest.mark.parametrize(
    ("side_by_side", "together", "runs", "expected"),
    [
        ([50, 50], 60, 8, (2, 1)),  # 4 rounds of 1/50, or 8 of 1/60
        ([50, 50], 120, 8, (1, 2)),  # 8/120 against 4/50
        ([50, 50], 105, 8, (2, 1)),  # not clearly
        ([50, 50], 90, 3, (1, 2)),  # one of the cores has nothing to do with the third: 2/50 against 3/90
        ([50], 60, 1, (1, 2)),
        ([50], 52, 1, (1, 1)),
        ([], 60, 8, (2, 1)),  # it diverged
    ],
)
def test_the_faster_of_both_is_taken(cores, monkeypatch, side_by_side, together, runs, expected):
    cores(2)

    def rates(pool, config, workers):
        return side_by_side if config.training.threads == 1 else [together]

    class Pool:
        def resize(self, count):
            self.workers = count

    monkeypatch.setattr(layout, "_measure_rates", rates)
    pool = Pool()
    found = measure_layout(pool, small().base, runs)
    assert (found.workers, found.threads) == expected
    assert pool.workers == min(2, runs)


def test_steps_are_measured_in_workers(cores, tmp_path):
    cores(2)
    with GracefulInterrupts() as interrupts, ProcessPool(tmp_path / "log", interrupts, DataCache()) as pool:
        found = measure_layout(pool, small(points(tmp_path)).base, 8)
        assert len(pool.workers) == 2
        none = measure_layout(pool, small(str(tmp_path / "nowhere.npz")).base, 8)
    assert found.side_by_side > 0
    assert found.together > 0
    assert not (tmp_path / "runs").exists()  # nothing is saved
    assert (none.workers, none.threads, none.reason) == (2, 1, "steps of the base could not be measured")


def test_all_are_warm_before_any_measures(monkeypatch, tmp_path):
    """One that measures while another still loads its data has the cores for itself, and is too fast."""
    monkeypatch.setattr(layout, "measure_rate", meet)
    with GracefulInterrupts() as interrupts, ProcessPool(tmp_path / "log", interrupts) as pool:
        pool.resize(2)
        moments = layout._measure_rates(pool, tmp_path, 2)
    assert len(moments) == 2
    assert max(warm for warm, _ in moments) <= min(measured for _, measured in moments)


@pytest.mark.parametrize("dies", [False, True])
def test_nobody_waits_for_one_that_fails(monkeypatch, tmp_path, dies):
    monkeypatch.setattr(layout, "measure_rate", fail_first)
    if dies:
        (tmp_path / "dies").touch()
    with GracefulInterrupts() as interrupts, ProcessPool(tmp_path / "log", interrupts) as pool:
        pool.resize(2)
        assert layout._measure_rates(pool, tmp_path, 2) == []
        assert len(pool.idle) == len(pool.workers) == (1 if dies else 2)


def test_a_worker_warms_up_waits_and_measures(monkeypatch, tmp_path):
    events = []

    def count(steps, seconds):
        events.append(seconds)
        return 7.0

    class Reporter:
        def wait(self):
            events.append("waits")

    monkeypatch.setattr(layout, "_measure_steps", count)
    assert layout.measure_rate(small(points(tmp_path)).base, DataCache(), Reporter()) == 7.0
    assert events == [layout.WARM_UP, "waits", layout.MEASURED]


def test_threads_are_all_that_changes():
    config = small().base
    assert with_threads(config, 3).training.threads == 3
    assert with_threads(config, 3).model_dump() | {"training": config.training.model_dump()} == config.model_dump()
