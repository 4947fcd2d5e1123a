"""Training out of memory: a Parquet file whose rows stay on the disk, beside the same rows in memory.

    python benchmarks/large.py --rows 2000000

Both train the same network, in turn, and the ratio of their steps is printed, by the clock and by the time of the
processor. The first epoch after reading is not counted: it compiles.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

import glassnet as gn
from glassnet.data import large
from glassnet.data.splits import describe_split, is_mapped

COLUMNS, ROUNDS, BATCH = 20, 3, 256


def write_table(path: Path, rows: int) -> None:
    """Write a table of numbers, and a target that a network can learn."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, COLUMNS)).astype(np.float32)
    y = np.tanh(X[:, :5].sum(axis=1)) + 0.1 * rng.normal(size=rows).astype(np.float32)
    pl.DataFrame({f"x{i}": X[:, i] for i in range(COLUMNS)} | {"y": y.astype(np.float32)}).write_parquet(path)


def time_epochs(data: gn.Dataset, epochs: int) -> tuple[float, float]:
    """Return the seconds of an epoch, by the clock and by the processor; the validation rows are left out."""
    train = replace(data, validation=data.validation.take(slice(0)))
    net = gn.Network([COLUMNS, 64, 32, 1], loss="half_squared_error", seed=0)
    began, used = time.perf_counter(), time.process_time()
    gn.fit(net, train, optimizer="adam", batch_size=BATCH, epochs=epochs, threads=1, progress=False)
    return (time.perf_counter() - began) / epochs, (time.process_time() - used) / epochs


def main() -> None:
    """Measure, and print a record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    large.LARGE = min(large.LARGE, given.rows * COLUMNS - 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        write_table(path, given.rows)
        began, used = time.perf_counter(), time.process_time()
        mapped = gn.load_dataset(path, target="y")
        read = time.perf_counter() - began, time.process_time() - used
        assert is_mapped(mapped.train.X)
        X, y = mapped.train
        memory = replace(mapped, train=describe_split(np.array(X), y, mapped.schema, is_encoded=True))
        time_epochs(memory, 1)
        found = {"out of memory": [], "in memory": []}
        for _ in range(ROUNDS):
            for name, data in (("out of memory", mapped), ("in memory", memory)):
                found[name].append(time_epochs(data, 1))
    best = {name: [min(one[i] for one in times) for i in range(2)] for name, times in found.items()}
    record = {
        "rows": given.rows,
        "seconds to read": round(read[0], 1),
        "seconds an epoch": {name: round(times[0], 2) for name, times in best.items()},
        "processor seconds an epoch": {name: round(times[1], 2) for name, times in best.items()},
        "ratio by the clock": round(best["out of memory"][0] / best["in memory"][0], 2),
        "ratio by the processor": round(best["out of memory"][1] / best["in memory"][1], 2),
    }
    print(json.dumps(record) if given.json else "\n".join(f"{name:28}{value}" for name, value in record.items()))


if __name__ == "__main__":
    main()
