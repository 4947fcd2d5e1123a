"""Searches in this process: a pool whose tasks are done as soon as somebody waits for them."""

import random

import pytest
from tests.study.studies import points

from glassnet.searches.search import search
from glassnet.study import pools
from glassnet.study.process_pool import WorkerMessage

#: A space of few parameters, with all that a checkpoint has to hold: an average, dropout, a schedule.
SMALL = {
    "base": {
        "network": {"batch_norm": True},
        "training": {"epochs": 4, "kernels": "numpy", "ema": 0.9, "checkpoint_every": 1},
    },
    "parameters": {
        "layers": {"depth": [1, 2], "width": [4, 16], "taper": [1.0, 0.5]},
        "learning_rate": {"low": 0.3, "high": 10.0, "log": True, "times_default": True},
        "dropout": {"low": 0.0, "high": 0.4, "step": 0.2},
        "optimizer": {"choices": ["adam", "nesterov"]},
        "schedule": {"choices": ["cosine", "one_cycle"]},
    },
}


class Seat:
    """A worker of the pool below."""

    def __init__(self):
        self.busy, self.task = False, None


class PlainPool:
    """A `ProcessPool` without processes: `receive` does one of the tasks, whichever chance picks.

    After `die_after` tasks it raises what `death` says, as if the process had been killed between two runs.
    """

    done = 0
    die_after = None
    order = random.Random(0)

    def __init__(self, log, interrupts, context=None):
        self.context, self.workers = context, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    @property
    def idle(self):
        return [worker for worker in self.workers if not worker.busy]

    def resize(self, count):
        busy = [worker for worker in self.workers if worker.busy]
        self.workers = busy + [Seat() for _ in range(count - len(busy))]

    def submit(self, function, *arguments):
        worker = self.idle[0]
        worker.busy, worker.task = True, (function, arguments)
        return worker

    def receive(self):
        kind = type(self)
        if kind.die_after is not None and kind.done >= kind.die_after:
            raise MemoryError("killed")
        kind.done += 1
        worker = self.order.choice([worker for worker in self.workers if worker.busy])
        function, arguments = worker.task
        worker.busy = False
        return [WorkerMessage(worker, "result", function(*arguments, self.context, lambda value: None))]

    def stop(self):
        return []


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return points(tmp_path_factory.mktemp("data"))


@pytest.fixture
def plain_pool():
    """The pool without processes in place of the other one; its counts begin at 0."""
    with pytest.MonkeyPatch.context() as patch:
        kind = type("Pool", (PlainPool,), {"order": random.Random(0)})
        patch.setattr(pools, "ProcessPool", kind)
        yield kind


@pytest.fixture
def seek(plain_pool, data):
    """``seek(folder, **options)``: search in this process."""

    def run(folder, space=SMALL, **options):
        given = {"trials": 6, "finish": 2, "workers": 1, "progress": False, **options}
        return search(data, space=space, folder=folder, **given)

    return run


@pytest.fixture(scope="session")
def found(tmp_path_factory, data):
    """A search that was done, of the strategy one-epoch; not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pools, "ProcessPool", type("Pool", (PlainPool,), {"order": random.Random(0)}))
        folder = tmp_path_factory.mktemp("search") / "found"
        options = {"trials": 12, "finish": 2, "workers": 1, "progress": False}
        return search(data, space=SMALL, folder=folder, **options)
