import pytest
from tests.study.studies import points, small

from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.study import layout
from glassnet.study.fairness import DataCache
from glassnet.study.layout import given_layout, measure_layout, with_threads
from glassnet.study.process_pool import ProcessPool


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


def test_threads_are_all_that_changes():
    config = small().base
    assert with_threads(config, 3).training.threads == 3
    assert with_threads(config, 3).model_dump() | {"training": config.training.model_dump()} == config.model_dump()
