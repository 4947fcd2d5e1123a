"""How much sooner a study's runs are done side by side than one after the other.

    make bench        (or: python benchmarks/study.py [--seeds 6] [--epochs 5] [--rounds 3])

Four variants with each seed on Fashion-MNIST, or digits where it is not at hand: 24 runs with six seeds. In
turn: by one worker process with one thread; by one a core; and by `glassnet.run` in a loop, with all cores. Each
time from the start of the first process to the last row. Writes results/study.json and .md.
"""

import argparse
import os
import tempfile
from pathlib import Path

import machine

machine.free_choice()

from results import number, table, write
from turns import in_turn, medians

from glassnet.study.runner import run_study
from glassnet.study.specification import study_of
from glassnet.training.run import load_data, run


def the_study(seeds, epochs):
    """Return the study that is measured."""
    home = os.environ.get("GLASSNET_DATA", "")
    at_hand = bool(home) and (Path(home) / "fashion-mnist").is_dir()
    dataset, inputs = ("fashion-mnist", 784) if at_hand else ("digits", 64)
    return study_of(
        {
            "name": "benchmark",
            "seeds": seeds,
            "budget": {"epochs": epochs if at_hand else 20 * epochs},
            "base": {"data": {"dataset": dataset}, "network": {"layers": [inputs, 64, 10]}},
            "factors": {
                "optimizer": {"levels": ["adam", "sgd(0.1)", "momentum"]},
                "activation": {"levels": ["relu", "tanh"]},
            },
        }
    )


def by_workers(study, workers):
    """Return a function that runs all of a study."""

    def all_runs():
        with tempfile.TemporaryDirectory() as folder:
            rows = run_study(study, Path(folder) / "study", workers=workers, progress=False)
        assert {row.status for row in rows} == {"finished"}

    return all_runs


def by_hand(study):
    """Return a function that trains one after the other in this process, saved as the study's are."""

    def all_runs():
        data = load_data(study.base)
        with tempfile.TemporaryDirectory() as folder:
            for number_, variant in enumerate(study.variants()):
                for seed in study.seeds:
                    place = Path(folder) / f"{number_}-{seed}"
                    run(variant.with_seed(seed), data, run_dir=place, progress=False)

    return all_runs


def main():
    """Read the options, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=6, help="of each of the four variants")
    parser.add_argument("--epochs", type=int, default=5, help="of a run; 20 times as many of digits")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    study = the_study(options.seeds, options.epochs)
    runs = len(study.variants()) * len(study.seeds)
    ways = {
        "one worker, one thread": by_workers(study, 1),
        f"{machine.CORES} workers, one thread each": by_workers(study, machine.CORES),
        "a loop of glassnet.run, all cores": by_hand(study),
    }
    load = machine.load()
    ways["one worker, one thread"]()  # compiles, for all that follow
    times = in_turn(ways, options.rounds)
    middle = medians(times)
    first = next(iter(middle.values()))
    heading = (
        f"Seconds of {runs} runs of {study.base.data.dataset}, {study.base.network.layers}, "
        f"{study.base.training.epochs} epochs each: medians of {options.rounds} rounds in turn."
    )
    head = [f"{runs} runs (load before: {load})", "seconds", "times as fast as one worker"]
    body = [[name, number(value, 1), number(first / value, 2)] for name, value in middle.items()]
    write("study", heading, [table(head, body)], {"runs": runs, "load": load, "seconds": times, "medians": middle})


if __name__ == "__main__":
    main()
