import pytest
from tests.study.studies import points, small

from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.study import layout
from glassnet.study.crew import Crew
from glassnet.study.job import Job
from glassnet.study.layout import given_layout, measured_layout, with_threads


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

    def rates(crew, job, workers):
        return side_by_side if job.config.training.threads == 1 else [together]

    class Pool:
        def __init__(self):
            self.workers = []

        def hire(self, count):
            self.workers += ["worker"] * count

    monkeypatch.setattr(layout, "_rates", rates)
    pool, study = Pool(), small()
    job = Job("base", {}, 0, study.base, None, "base", "train_loss")
    found = measured_layout(pool, job, runs)
    assert (found.workers, found.threads) == expected
    assert len(pool.workers) == min(2, runs)
    assert found.to_dict()["reason"] == found.reason


def test_steps_are_measured_in_workers(cores, tmp_path):
    cores(2)
    study = small(points(tmp_path))
    job = Job("base", {}, 0, study.base, tmp_path, "base", "train_loss")
    with GracefulInterrupts() as interrupts, Crew(tmp_path / "log", None, interrupts) as crew:
        found = measured_layout(crew, job, 8)
        assert len(crew.workers) == 2
    assert found.side_by_side > 0
    assert found.together > 0
    assert not (tmp_path / "runs").exists()  # nothing is saved
    odd = Job("base", {}, 0, small(str(tmp_path / "nowhere.npz")).base, tmp_path, "base", "train_loss")
    with GracefulInterrupts() as interrupts, Crew(tmp_path / "log", None, interrupts) as crew:
        found = measured_layout(crew, odd, 8)
    assert (found.workers, found.threads, found.reason) == (2, 1, "steps of the base could not be measured")


def test_threads_are_all_that_changes():
    config = small().base
    assert with_threads(config, 3).training.threads == 3
    assert with_threads(config, 3).model_dump() | {"training": config.training.model_dump()} == config.model_dump()
