"""What watching a network's health costs: an epoch with it, over one without.

    make bench        (or: python benchmarks/health.py [--rounds 9])

[784, 256, 128, 10], 128 rows a step, 60,000 Fashion-MNIST images, Adam; compiled steps and those that NumPy takes,
in turn in one process, each from the same new network. What is measured is one thread's processor time:
examinations are work, not waiting, and two threads differ by more from run to run than examinations cost. What
counts is the median of the ratios of neighbouring runs. Writes results/health.json and .md.
"""

import argparse
import statistics
import time
from contextlib import contextmanager
from functools import partial

import machine

machine.free_choice()

from results import number, table, write
from threadpoolctl import threadpool_limits
from turns import in_turn, medians, prepare
from workloads import USUAL, Data

import glassnet as gn
from glassnet.training.health.monitor import Monitor

#: Epochs of one measurement: a first one, which is examined most, and the usual number.
EPOCHS = (1, 10)

KERNELS = ("numba", "numpy")


def main():
    """Read the options, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="of each contestant")
    options = parser.parse_args()
    load, data = machine.load(), Data()
    builders = {
        (kernels, epochs, watched): partial(training, data, kernels, epochs, watched)
        for kernels in KERNELS
        for epochs in EPOCHS
        for watched in (True, False)
    }
    ready, failed = prepare(builders)
    with threadpool_limits(1):
        times = in_turn(ready, options.rounds, time.process_time)
    middle = medians(times)
    body = []
    for kernels in KERNELS:
        for epochs in EPOCHS:
            watched, plain = (times[kernels, epochs, watched] for watched in (True, False))
            ratio = statistics.median(a / b for a, b in zip(watched, plain, strict=True))
            usual = [number(middle[kernels, epochs, watched]) for watched in (True, False)]
            body.append([kernels, str(epochs), *usual, number(ratio)])
    heading = (
        "Seconds of one thread's processor time for training with and without examinations: medians of "
        f"{options.rounds} rounds in turn, and the median of the ratios of neighbouring runs."
    )
    rows = table([f"kernels (load before: {load})", "epochs", "watched, s", "not, s", "ratio"], body)
    record = {" ".join(map(str, name)): values for name, values in times.items()}
    write("health", heading, [rows], {"seconds": record}, [f"{name}: {why}." for name, why in failed.items()])


def training(data, kernels, epochs, watched):
    """Return a function that trains, with the network examined or not."""
    dataset = data.dataset

    def train():
        with as_usual() if watched else unwatched():
            gn.fit(
                gn.Network(USUAL.layers),
                dataset,
                epochs=epochs,
                batch_size=USUAL.batch_size,
                kernels=kernels,
                threads=1,
                progress=False,
            )

    return train


@contextmanager
def as_usual():
    """Change nothing."""
    yield


@contextmanager
def unwatched():
    """Take the monitor out of training."""
    names = ("__init__", "room", "wants", "end", "mend_statistics", "health", "columns", "state_dict")
    kept = {name: getattr(Monitor, name) for name in names}
    Monitor.__init__ = lambda self, *_: setattr(self, "theta", None)
    Monitor.room = lambda self, done, steps: steps
    Monitor.wants = lambda self, done: False
    Monitor.end = Monitor.mend_statistics = lambda self, _: None
    Monitor.health = lambda self, history, network, warn: None
    Monitor.columns = lambda self, done: {}
    Monitor.state_dict = lambda self: {}
    try:
        yield
    finally:
        for name, method in kept.items():
            setattr(Monitor, name, method)


if __name__ == "__main__":
    main()
