"""glassnet's MLPClassifier beside scikit-learn's, with the same arguments: accuracy, time and memory.

    make bench        (or: python benchmarks/estimators.py [--rounds 5])

Fashion-MNIST with `hidden_layer_sizes=(256, 128)` and 10 epochs, three seeds, each fit in a fresh process:
accuracy on the test rows and seconds of the fit. The peak of a process's memory for one epoch of the images as
float32, as bytes and as float64, and of a table. Then an epoch of made-up tables, in turn in one process: one
thread's processor time, by the difference of a fit of 12 epochs and one of 2. All else are the defaults. Writes
results/estimators.json and .md.
"""

import argparse
import statistics
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path

import machine

machine.free_choice()

import numpy as np
from results import number, table, write
from sklearn.exceptions import ConvergenceWarning
from startup import fresh, middle
from threadpoolctl import threadpool_limits
from turns import in_turn, prepare
from workloads import Data, scaled

PACKAGES = ("glassnet", "sklearn.neural_network")

SEEDS, EPOCHS = (0, 1, 2), 10

#: Rows and columns of the tables, and the epochs of two fits.
TABLES, TABLE_EPOCHS = [(10_000, 20), (10_000, 100), (50_000, 20), (50_000, 100)], (2, 12)

#: What the images and the table are, for the peaks of one epoch.
KINDS = {"float32": np.float32, "uint8": np.uint8, "float64": np.float64, "table": np.float64}


def main():
    """Read the options, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="of the tables")
    warnings.simplefilter("ignore", ConvergenceWarning)
    rounds, load = parser.parse_args().rounds, machine.load()
    with tempfile.TemporaryDirectory() as folder:
        save_rows(Path(folder))
        fits = {
            package: [fresh("estimator", package, "float32", str(EPOCHS), str(seed), folder) for seed in SEEDS]
            for package in PACKAGES
        }
        peaks = {
            kind: {package: fresh("estimator", package, kind, "1", "0", folder) for package in PACKAGES}
            for kind in KINDS
        }
    times = measure_tables(rounds)
    heading = (
        f"MLPClassifier of both packages with the same arguments, here in float32 on Fashion-MNIST with "
        f"hidden_layer_sizes=(256, 128), max_iter={EPOCHS} and {len(SEEDS)} seeds. Load before: {load}."
    )
    note = (
        f"Peaks are of whole processes with their imports and rows, for one epoch. Tables have two classes: "
        f"medians of {rounds} rounds in turn, and of neighbours' ratios, of one thread's processor time."
    )
    epochs = {f"{n} x {columns}, {package}": one for ((n, columns), package), one in times.items()}
    values = {"load": load, "fits": fits, "peaks": peaks, "milliseconds": epochs}
    write("estimators", heading, [fits_table(fits), peaks_table(peaks), times_table(times)], values, [note])


def save_rows(folder):
    """Write the rows of each kind, and the test rows, for processes that load no more than they need."""
    dataset = Data().dataset
    for name, split in (("train", dataset.train), ("test", dataset.test)):
        images = split.X.reshape(len(split.X), -1)
        np.save(folder / f"{name}_y.npy", split.y)
        np.save(folder / f"{name}_uint8.npy", images)
        np.save(folder / f"{name}_float32.npy", scaled(images))
        np.save(folder / f"{name}_float64.npy", scaled(images).astype(np.float64))
    X, y = make_table(*TABLES[-1])
    for name, rows in (("train", slice(None)), ("test", slice(1000))):
        np.save(folder / f"{name}_table.npy", X[rows])
        np.save(folder / f"{name}_table_y.npy", y[rows])


def make_table(n, columns):
    """Return rows of two classes."""
    from sklearn.datasets import make_classification

    return make_classification(n, columns, n_informative=columns // 2, random_state=0)


def measure_tables(rounds):
    """Return the milliseconds of an epoch on each table, of one thread."""
    builders = {
        (shape, package, epochs): partial(prepare_table, shape, package, epochs)
        for shape in TABLES
        for package in PACKAGES
        for epochs in TABLE_EPOCHS
    }
    few, many = TABLE_EPOCHS
    with threadpool_limits(1):
        ready, _ = prepare(builders)
        times = in_turn(ready, rounds, clock=time.process_time)
    return {
        (shape, package): [
            1e3 * (longer - shorter) / (many - few)
            for shorter, longer in zip(times[shape, package, few], times[shape, package, many], strict=True)
        ]
        for shape in TABLES
        for package in PACKAGES
    }


def prepare_table(shape, package, epochs):
    """Return a fit on a table."""
    import importlib

    estimator = importlib.import_module(package).MLPClassifier
    X, y = make_table(*shape)
    return lambda: estimator(max_iter=epochs, random_state=0).fit(X, y)


def fits_table(fits):
    """Return accuracies and seconds of the fits of the images."""
    head = ["Fashion-MNIST", *(f"accuracy, seed {seed}" for seed in SEEDS), "mean", "seconds", "x scikit-learn"]
    seconds = {package: middle([one and one["seconds"] for one in found]) for package, found in fits.items()}
    body = []
    for package, found in fits.items():
        reached = [one and one["accuracy"] for one in found]
        mean = statistics.mean(one for one in reached if one is not None)
        share = seconds[package] / seconds[PACKAGES[1]]
        body.append(
            [package, *(number(one, 4) for one in [*reached, mean]), number(seconds[package], 1), number(share, 2)]
        )
    return table(head, body)


def peaks_table(peaks):
    """Return the peaks of one epoch."""
    body = [[kind, *(number(one and one["peak"], 0) for one in found.values())] for kind, found in peaks.items()]
    return table(["peak of a process, MiB", *PACKAGES], body)


def times_table(times):
    """Return the milliseconds of an epoch on each table, and their ratio."""
    body = []
    for n, columns in TABLES:
        ours, theirs = (times[(n, columns), package] for package in PACKAGES)
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        name = f"{n:,} rows x {columns} columns"
        body.append([name, *(number(statistics.median(one), 1) for one in (ours, theirs)), number(ratio, 2)])
    return table(["an epoch of a table, ms", *PACKAGES, "x scikit-learn"], body)


if __name__ == "__main__":
    main()
