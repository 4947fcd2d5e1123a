"""Search for the plans for tables, on validation rows of several tables; no test row is looked at.

    python benchmarks/plans/search_tables.py [--trials 20] [--seed 0] [--tables california,adult]

Tried are a plan to begin with, then this plan with one value changed at a time, then plans drawn from all values.
Each trains on the rows to learn from of each table, and its error on the validation rows is divided by that
of scikit-learn's boosting at its defaults on the same rows. The geometric mean over the tables is its score. Each
trial is a line of results/tables_search.jsonl, as it ends; the best few are printed.
"""

import argparse
import itertools
import json
import math
import os
import statistics
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import machine

machine.free_choice()
os.environ["OMP_NUM_THREADS"] = "1"  # of boosting: trials are told apart by processor time

import numpy as np
from compare_tables import fit_boosting, make_dataset
from tables import TABLES, error_of, split

import glassnet as gn
from glassnet.training.table_plan import TablePlan

FILE = Path(__file__).parents[1] / "results" / "tables_search.jsonl"

#: The values that are tried. The first ones are the plan to begin with.
SPACE = {
    "activation": ["silu", "gelu", "mish", "relu"],
    "hidden": [[256, 256, 256], [384, 384], [256, 256]],
    "learning_rate": [0.004, 0.008, 0.002],
    "beta2": [0.95, 0.99],
    "dropout": [0.1, 0.2, 0.0],
    "weight_decay": [0.1, 0.3, 0.03],
    "pieces": [32, 48, 16, 0],
    "scaling": ["robust", "standard"],
    "schedule": ["cosine", "one_cycle", "coslog", "constant"],
    "label_smoothing": [0.0, 0.1],
    "steps": [3000, 1500],
    "most_epochs": [100, 50],
}


def choose_trials(rng):
    """Yield the plans to try."""
    start = {name: values[0] for name, values in SPACE.items()}
    yield start
    for name, values in SPACE.items():
        yield from (start | {name: value} for value in values[1:])
    while True:
        yield {name: values[rng.integers(len(values))] for name, values in SPACE.items()}


def make_plan(values):
    """Return the plan of some values."""
    d = values
    return TablePlan(
        hidden=d["hidden"],
        steps=d["steps"],
        fewest_epochs=8,
        most_epochs=d["most_epochs"],
        data={"scaling": d["scaling"], "pieces": d["pieces"]},
        network={"activation": d["activation"], "initializer": "lecun_normal", "dropout": d["dropout"]},
        training={
            "optimizer": f"adam({d['learning_rate']}, beta2={d['beta2']})",
            "weight_decay": d["weight_decay"],
            "schedule": d["schedule"],
            "label_smoothing": d["label_smoothing"],
        },
    )


def read(names, seed=0):
    """Return of each table the rows to learn from and to validate on, and boosting's error on the latter."""
    tables = {}
    for name in names:
        frame, target = TABLES[name].read(), TABLES[name].target
        rows, held_out, _ = split(len(frame), seed)
        train, validation = frame[rows], frame[held_out]
        predict = fit_boosting(train, validation, target)
        tables[name] = train, validation, target, error_of(validation[target], predict(validation.drop(target)))
    return tables


def judge(plan, tables):
    """Return the error of a plan on each table over that of boosting, and the seconds of processor time."""
    errors, seconds = {}, {}
    for name, (train, validation, target, base) in tables.items():
        began = time.process_time()
        data = make_dataset(train, validation, target, plan)
        run = gn.run(plan.fit_to(data, {"training": {"threads": 1}}), data, progress=False)
        predicted = run.model.predict(validation.drop(target))
        errors[name] = round(error_of(validation[target], predicted) / base, 4)
        seconds[name] = round(time.process_time() - began, 1)
    score = math.exp(statistics.mean(math.log(error) for error in errors.values()))
    return {"score": round(score, 4), "errors": errors, "seconds": seconds}


def main():
    """Read the options, try plans, and print the best."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tables", default=",".join(TABLES))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    tables, tried = read(options.tables.split(",")), []
    for chosen in itertools.islice(choose_trials(np.random.default_rng(options.seed)), options.trials):
        tried.append(judge(make_plan(chosen), tables) | {"plan": chosen})
        print(json.dumps(tried[-1]), flush=True)
        with FILE.open("a") as file:
            file.write(json.dumps(tried[-1]) + "\n")
    for one in sorted(tried, key=lambda one: one["score"])[:5]:
        print(one["score"], one["plan"])


if __name__ == "__main__":
    main()
