"""Search for the plans for tables: drawn plans on validation rows of several tables; no test row is looked at.

    python benchmarks/plans/search_tables.py [--trials 20] [--seed 0] [--tables california,adult]

Each plan trains on the rows to learn from of each table, and its error on the validation rows is divided by that
of scikit-learn's boosting at its defaults on the same rows. The geometric mean over the tables is its score. Each
trial is a line of results/tables_search.jsonl, as it ends; the best few are printed.
"""

import argparse
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

#: What is drawn; a value that stands twice is drawn twice as often.
SPACE = {
    "activation": ["silu", "silu", "gelu", "relu"],
    "hidden": [[256, 256, 256], [256, 256], [384, 384]],
    "learning_rate": [0.002, 0.004, 0.008],
    "beta2": [0.95, 0.99, 0.999],
    "dropout": [0.0, 0.1, 0.2, 0.3],
    "weight_decay": [0.03, 0.1, 0.3, 1.0],
    "pieces": [16, 32, 48],
    "schedule": ["cosine", "one_cycle"],
    "steps": [1500, 3000],
    "most_epochs": [50, 100],
    "label_smoothing": [0.0, 0.1],
}


def make_plan(drawn):
    """Return the plan of drawn values."""
    d = drawn
    return TablePlan(
        hidden=d["hidden"],
        steps=d["steps"],
        fewest_epochs=8,
        most_epochs=d["most_epochs"],
        data={"scaling": "robust", "pieces": d["pieces"]},
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
    tables, rng = read(options.tables.split(",")), np.random.default_rng(options.seed)
    tried = []
    for _ in range(options.trials):
        drawn = {name: values[rng.integers(len(values))] for name, values in SPACE.items()}
        tried.append(judge(make_plan(drawn), tables) | {"plan": drawn})
        print(json.dumps(tried[-1]), flush=True)
        with FILE.open("a") as file:
            file.write(json.dumps(tried[-1]) + "\n")
    for one in sorted(tried, key=lambda one: one["score"])[:5]:
        print(one["score"], one["plan"])


if __name__ == "__main__":
    main()
