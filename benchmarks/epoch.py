"""Seconds of a training epoch on Fashion-MNIST, glassnet beside scikit-learn's MLPClassifier.

    make bench        (or: python benchmarks/epoch.py [ROUNDS])

Both train the same network on the same 60,000 images, in turn in one process, each with whatever BLAS kernel and
threads it chooses. What counts is the ratio of the medians: absolute times differ between machines and days.
Writes benchmarks/results/epoch.json and epoch.md.
"""

import json
import os
import statistics
import sys
import time
import warnings
from pathlib import Path

# Before NumPy loads its BLAS: a kernel that the environment prescribes would slow every contestant.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_info

import glassnet as gn
from glassnet.runtime.environment import environment

EPOCHS = 2
RESULTS = Path(__file__).with_name("results")
WORKLOADS = [([784, 256, 128, 10], 128), ([784, 256, 128, 10], 256), ([784, 28, 10], 64)]


def glassnet_epoch(data, layers, batch_size):
    """Seconds of an epoch of `glassnet.fit`, from bytes, with its metrics."""
    network = gn.Network(layers)
    began = time.perf_counter()
    gn.fit(network, data, epochs=EPOCHS, batch_size=batch_size, progress=False)
    return (time.perf_counter() - began) / EPOCHS


def sklearn_epoch(X, y, layers, batch_size):
    """Seconds of an epoch of MLPClassifier.fit, from float32 that somebody else has scaled."""
    classifier = MLPClassifier(layers[1:-1], batch_size=batch_size, max_iter=EPOCHS, alpha=0, random_state=0)
    began = time.perf_counter()
    classifier.fit(X, y)
    return (time.perf_counter() - began) / EPOCHS


def measure(rounds):
    """Return a row for each workload, the contestants taking turns."""
    data = gn.load_dataset("fashion-mnist", validation=0)
    X, y = (data.train.X / 255).astype(np.float32), data.train.y
    rows = []
    for layers, batch_size in WORKLOADS:
        times = {"glassnet": [], "scikit-learn": []}
        for _ in range(rounds):
            times["glassnet"].append(glassnet_epoch(data, layers, batch_size))
            times["scikit-learn"].append(sklearn_epoch(X, y, layers, batch_size))
        medians = {name: statistics.median(values) for name, values in times.items()}
        ratio = medians["glassnet"] / medians["scikit-learn"]
        rows.append({"layers": layers, "batch_size": batch_size, "seconds": times, "ratio": ratio, **medians})
        print(f"{layers} batch {batch_size}: {medians}, ratio {ratio:.2f}", file=sys.stderr)
    return rows


def table(rows):
    """Return the rows as Markdown."""
    lines = ["| network | batch | glassnet, s | scikit-learn, s | ratio |", "|---|---|---|---|---|"]
    for row in rows:
        network = "-".join(map(str, row["layers"]))
        lines.append(
            f"| {network} | {row['batch_size']} | {row['glassnet']:.3f} | {row['scikit-learn']:.3f} "
            f"| {row['ratio']:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    rows = measure(rounds)
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    blas = sorted({f"{pool['architecture']}, {pool['num_threads']} threads" for pool in pools})
    about = {name: value for name, value in environment().items() if name != "platform"}
    about |= {"rounds": rounds, "epochs": EPOCHS, "blas_kernels": blas, "load": os.getloadavg()[0]}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "epoch.json").write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")
    heading = f"Seconds of an epoch of 60,000 Fashion-MNIST images, Adam; medians of {rounds} rounds in turn.\n"
    facts = ", ".join(f"{name} {about[name]}" for name in ("glassnet", "python", "numpy", "blas", "cpus"))
    (RESULTS / "epoch.md").write_text(f"{heading}\n{table(rows)}\n\n{facts}; BLAS kernels: {'; '.join(blas)}.\n")
    print(table(rows))
