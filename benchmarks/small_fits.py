"""What a small training costs: iris, 150 rows, beside scikit-learn's MLPClassifier.

    make bench        (or: python benchmarks/small_fits.py [--rounds 9])

[4, 100, 3], relu, Adam, one batch of 150 rows an epoch, 10 and 50 epochs, in turn in one process. What is
measured is one thread's processor time. Two lengths give the two parts of it: what an epoch costs, and what a
fit costs before its first. scikit-learn evaluates no validation rows; `fit` is measured without, and with its
usual twelfth of the rows. Writes results/small_fits.json and .md.
"""

import argparse
import statistics
import time
import warnings
from functools import partial

import machine

machine.free_choice()

from results import number, table, write
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits
from turns import in_turn, prepare

import glassnet as gn

EPOCHS = (10, 50)

#: Fits of one measurement.
FITS = 20

#: Columns, hidden units, classes.
LAYERS = [4, 100, 3]

PEER = "scikit-learn"


def main():
    """Read the options, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="of each contestant")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.simplefilter("ignore", gn.HealthWarning)  # ten epochs are few
    load, (X, y) = machine.load(), load_iris(return_X_y=True)
    trainings = {
        "glassnet.fit": partial(fit_network, X, y, 0),
        "glassnet.fit, validated": partial(fit_network, X, y, None),
        "glassnet.MLPClassifier": partial(fit_estimator, X, y, gn.MLPClassifier),
        PEER: partial(fit_estimator, X, y, MLPClassifier),
    }
    builders = {
        (name, epochs): partial(partial, repeat, train, epochs)
        for epochs in EPOCHS
        for name, train in trainings.items()
    }
    ready, failed = prepare(builders)
    with threadpool_limits(1):
        times = in_turn(ready, options.rounds, clock=process_milliseconds)
    rows = [row for name in trainings if (row := describe(times, name))]
    head = [f"ms of a core (load before: {load})", *(f"{epochs} epochs" for epochs in EPOCHS), "a fit", "an epoch"]
    ratios = [f"{epochs} epochs, x {PEER}" for epochs in EPOCHS]
    heading = (
        f"Milliseconds of one thread's processor time for a training of {LAYERS} on 150 rows: medians of "
        f"{options.rounds} rounds of {FITS} fits, in turn; and the medians of the ratios of neighbouring rounds."
    )
    record = {f"{name}, {epochs} epochs": values for (name, epochs), values in times.items()}
    notes = [f"{name}: {why}." for name, why in failed.items()]
    write("small_fits", heading, [table([*head, *ratios], rows)], {"milliseconds": record}, notes)


def process_milliseconds():
    """Return the processor time of this process, in milliseconds a fit of a measurement."""
    return 1e3 / FITS * time.process_time()


def repeat(train, epochs):
    """Train some times, each time from another start."""
    for seed in range(FITS):
        train(epochs, seed)


def fit_network(X, y, validation, epochs, seed):
    """Train glassnet's network, with a share of the rows for validation, or the usual one."""
    data = gn.Dataset.from_arrays(X, y, X[:0], y[:0], validation=validation)
    network = gn.Network(LAYERS, seed=seed)
    gn.fit(network, data, batch_size=len(data.train.y), epochs=epochs, progress=False)


def fit_estimator(X, y, estimator, epochs, seed):
    """Train an estimator, scikit-learn's or the one of its kind."""
    estimator((LAYERS[1],), max_iter=epochs, random_state=seed).fit(X, y)


def describe(times, name):
    """Return a contestant's row: what the trainings take, a fit without epochs, an epoch, and the ratios."""
    few, many = (times.get((name, epochs)) for epochs in EPOCHS)
    if few is None or many is None:
        return None
    medians = [statistics.median(values) for values in (few, many)]
    epoch = (medians[1] - medians[0]) / (EPOCHS[1] - EPOCHS[0])
    ratios = [
        statistics.median(a / b for a, b in zip(times[name, epochs], times[PEER, epochs], strict=True))
        for epochs in EPOCHS
    ]
    return [name, *(number(value, 2) for value in (*medians, medians[0] - EPOCHS[0] * epoch, epoch, *ratios))]


if __name__ == "__main__":
    main()
