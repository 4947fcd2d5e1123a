"""Many small networks in one call, beside one after the other; and cross-validation beside scikit-learn's.

    make bench        (or: python benchmarks/fit_many.py [--rounds 5])

32 networks of a kind, on rows drawn for the purpose, a batch of 32 rows, 20 epochs, the usual twelfth of the rows
for validation: `fit_many`, and `fit` in a loop. Then 10 times 10-fold cross-validation of [4, 16, 3] on iris, 200
epochs, with `cross_validate`, and with scikit-learn's cross_val_score on its own MLP and on glassnet's. In turn,
in one process. Writes results/fit_many.json and .md.
"""

import argparse
import statistics
import warnings
from functools import partial

import machine

machine.free_choice()

import numpy as np
from results import number, table, write
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from turns import in_turn, prepare

import glassnet as gn

#: Networks, and the rows that each kind learns from.
COUNT = 32
KINDS = {(8, 16, 1): 768, (64, 32, 10): 1797, (64, 128, 10): 1797}

#: Batches of the cross-validation: scikit-learn's default for iris is all rows at once.
BATCHES = {"batches of 32": 32, "one batch": 135}


def main():
    """Read the options, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="of each contestant")
    parser.add_argument("--repeats", type=int, default=10, help="of the cross-validation")
    options = parser.parse_args()
    for kind in (ConvergenceWarning, gn.HealthWarning):  # a fixed number of epochs
        warnings.simplefilter("ignore", kind)
    load, rows, record = machine.load(), [], {}
    for layers, n in KINDS.items():
        name = f"{COUNT} networks of {list(layers)}"
        contestants = {"fit_many": fit_together, "one after the other": fit_apart}
        rows += compare(
            name, {key: partial(train, layers, n) for key, train in contestants.items()}, options, record
        )
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X).astype(np.float32)
    for what, size in BATCHES.items():
        folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=options.repeats, random_state=0)
        known = {"batch_size": size, "max_iter": 200, "random_state": 0}
        contestants = {
            "cross_validate": partial(cross_validate, X, y, size, options.repeats),
            "MLPClassifier(kernels=numba)": partial(
                cross_val_score, gn.MLPClassifier((16,), kernels="numba", n_threads=1, **known), X, y, cv=folds
            ),
            "scikit-learn": partial(cross_val_score, MLPClassifier((16,), **known), X, y, cv=folds),
        }
        rows += compare(f"{options.repeats} x 10 folds of iris, {what}", contestants, options, record)
    heading = f"Seconds on the wall (load before: {load}), medians of {options.rounds} rounds in turn."
    write("fit_many", heading, [table(["", "", "s", "the last one takes, x"], rows)], {"seconds": record}, [])


def compare(name, contestants, options, record):
    """Return a row for each contestant: its seconds, and how many times as long the last one takes."""
    ready, failed = prepare({key: partial(lambda run: run, run) for key, run in contestants.items()})
    if failed:
        raise SystemExit(f"{name}: {failed}")
    times = in_turn(ready, options.rounds)
    record[name] = times
    last = list(times)[-1]
    return [
        [name, key, number(statistics.median(values), 2), number(statistics.median(
            other / own for own, other in zip(values, times[last], strict=True)
        ), 1)]
        for key, values in times.items()
    ]  # fmt: skip


def draw(layers, n):
    """Return rows and what is to be learned of them: a number, or the largest of some sums."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, layers[0])).astype(np.float32)
    return X, X[:, 0] * X[:, 1] + X[:, 2] if layers[-1] == 1 else (X @ rng.normal(size=layers[::2])).argmax(axis=1)


def settings(layers):
    """Return the networks, and the learning rate of each."""
    return [gn.Network(list(layers), seed=seed) for seed in range(COUNT)], np.logspace(-4, -2, COUNT)


def fit_together(layers, n):
    """Train all in one call."""
    networks, rates = settings(layers)
    gn.fit_many(networks, *draw(layers, n), learning_rate=rates, batch_size=32, epochs=20, progress=False)


def fit_apart(layers, n):
    """Train one after the other."""
    X, y = draw(layers, n)
    for network, rate in zip(*settings(layers), strict=True):
        gn.fit(network, X, y, learning_rate=float(rate), batch_size=32, epochs=20, progress=False)


def cross_validate(X, y, size, repeats):
    """Cross-validate a network."""
    known = {"batch_size": size, "epochs": 200, "learning_rate": 1e-3, "progress": False}
    gn.cross_validate(gn.Network([4, 16, 3]), X, y, folds=10, repeats=repeats, **known)


if __name__ == "__main__":
    main()
