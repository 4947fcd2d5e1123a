"""What the default search costs beside a full random search, and what it loses.

    python benchmarks/search.py [--trials 60] [--repeats 5] [--tables breast-cancer,wine]

On five tables, with several seeds each: a search of the strategy one-epoch, and one that trains the same trials
to their end. Both draw the same configurations with the same seed. Told are the epochs of all trials, and the
error of the winner on the test rows: the share of wrong answers, or the loss where numbers are predicted. It takes
an hour or more, and Optuna, so `make bench` leaves it out. Writes results/search.json and .md.
"""

import argparse
import tempfile
from pathlib import Path

import machine

machine.free_choice()

import numpy as np
from results import number, table, write

from glassnet.searches.search import search

TABLES = ("breast-cancer", "wine", "iris", "digits", "diabetes")
STRATEGIES = ("one-epoch", "random")


def test_error(found):
    """Return the winner's error on the test rows."""
    measures = found.evaluation.test_measures
    return 1 - measures["accuracy"] if "accuracy" in measures else found.evaluation.test_loss


def compare(dataset, trials, repeats):
    """Return epochs and test errors of both strategies by seed."""
    told = {name: {"epochs": [], "errors": []} for name in STRATEGIES}
    for seed in range(repeats):
        for name in STRATEGIES:
            with tempfile.TemporaryDirectory() as folder:
                place = Path(folder) / "search"
                found = search(dataset, trials=trials, strategy=name, seed=seed, folder=place, progress=False)
            told[name]["epochs"].append(found.epochs_trained)
            told[name]["errors"].append(test_error(found))
    return told


def row_of(dataset, told):
    """Return a line of the table: the costs, the errors, and their difference with its standard error."""
    cheap, full = (told[name] for name in STRATEGIES)
    less = np.array(cheap["errors"]) - np.array(full["errors"])
    spread = less.std(ddof=1) / np.sqrt(len(less)) if len(less) > 1 else None
    share = np.mean(cheap["epochs"]) / np.mean(full["epochs"])
    means = [number(np.mean(one["errors"]), 4) for one in (cheap, full)]
    costs = [number(np.mean(one["epochs"]), 0) for one in (cheap, full)]
    return [dataset, *costs, number(share), *means, number(less.mean(), 4), number(spread, 4)]


def main():
    """Read the options, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tables", default=",".join(TABLES))
    options = parser.parse_args()
    load, told = machine.load(), {}
    for dataset in options.tables.split(","):
        told[dataset] = compare(dataset, options.trials, options.repeats)
        print(*row_of(dataset, told[dataset]), flush=True)
    heading = (
        f"Searches of {options.trials} trials, one-epoch beside all trained to their end: means over "
        f"{options.repeats} seeds."
    )
    head = [f"table (load before: {load})", "epochs", "epochs, all whole", "share", "test error", "all whole"]
    head += ["difference", "its standard error"]
    body = [row_of(dataset, one) for dataset, one in told.items()]
    write("search", heading, [table(head, body)], {"load": load, "trials": options.trials, "told": told})


if __name__ == "__main__":
    main()
