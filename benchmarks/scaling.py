"""What many processes cost: measured here, fitted by three small formulas, and carried on to more of them.

    python benchmarks/scaling.py

Measured are the steps of networks of several sizes, sums over two processes of MPI, and the way of a finished run
from a worker of Dask to the disk. Each is fitted by a constant and a slope: seconds = fixed + amount / rate. The
least of several times is taken, as whatever disturbs a measurement makes it longer. docs/scaling.md says what the
figures mean.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import glassnet as gn
from glassnet.nn.update import Update
from glassnet.runtime.blas import blas_threads
from glassnet.study.fairness import flops_per_row

BATCH = 128
WIDTHS = (16, 64, 128, 256, 512)
VECTORS = (1_000, 10_000, 100_000, 1_000_000, 4_000_000)
PAYLOADS = (1_000, 100_000, 1_000_000, 10_000_000)


def best_of(work, times: int = 7) -> float:
    """Return the least seconds of several calls."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)


def fit(amounts, seconds) -> tuple[float, float]:
    """Return (fixed, rate) of seconds = fixed + amount / rate: least squares of relative errors, none negative."""
    from scipy.optimize import nnls

    scale = 1 / np.asarray(seconds)
    (fixed, slope), _ = nnls(np.column_stack([scale, np.asarray(amounts) * scale]), np.ones(len(seconds)))
    return float(fixed), float(1 / slope) if slope else math.inf


def measure_steps() -> list[tuple[int, float]]:
    """Return the floating point operations of a batch, and the seconds of its step with one thread, by network."""
    found = []
    with blas_threads() as use:
        use(1)
        for width in WIDTHS:
            net = gn.Network([256, width, width, 10], loss="cross_entropy", seed=0)
            X = np.random.default_rng(0).normal(size=(BATCH, 256)).astype(np.float32)
            targets = net.encode(np.arange(BATCH) % 10)
            update = Update(gn.Adam(1e-3))
            state = update.start(net.parameters)

            def step(net=net, X=X, targets=targets, update=update, state=state) -> None:
                net.backward(net.forward(X), targets)
                update.step(net.parameters, state)

            found.append((flops_per_row(net) * BATCH, best_of(step, 30)))
    return found


def add_up_here() -> None:
    """Print the seconds of sums of several lengths: what each process of ``mpirun`` does."""
    from mpi4py import MPI

    world, found = MPI.COMM_WORLD, []
    for length in VECTORS:
        vector = np.ones(length, np.float32)
        world.Barrier()
        found.append((4 * length, best_of(lambda v=vector: world.Allreduce(MPI.IN_PLACE, v), 30)))
    if world.Get_rank() == 0:
        print(json.dumps(found))


def measure_sums() -> list[tuple[int, float]]:
    """Return bytes and seconds of a sum over two processes; nothing where there is no ``mpirun``."""
    mpirun = shutil.which("mpirun", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if mpirun is None:
        return []
    command = [mpirun, "-n", "2", sys.executable, __file__, "--add-up"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return [tuple(one) for one in json.loads(answer.stdout)]


def measure_results() -> list[tuple[int, float]]:
    """Return the bytes of a run's files, and the seconds until a worker's result is on the disk of the client."""
    from distributed import Client

    from glassnet.runtime.files import write_bytes
    from glassnet.study.local_cluster import local_cluster

    found = []
    with (
        local_cluster(1) as address,
        Client(address, set_as_default=False) as client,
        tempfile.TemporaryDirectory() as folder,
    ):
        for size in PAYLOADS:

            def bring(size=size) -> None:
                files = client.submit(os.urandom, size, pure=False).result()
                for name in range(5):  # as many as a run has
                    write_bytes(Path(folder) / str(name), files[name::5])

            found.append((size, best_of(bring)))
    return found


def main() -> None:
    """Measure, fit, and print a record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--add-up", action="store_true", help=argparse.SUPPRESS)
    if parser.parse_args().add_up:
        return add_up_here()
    steps, sums, results = measure_steps(), measure_sums(), measure_results()
    record = {"steps": steps, "sums": sums, "results": results}
    for name, unit in (("steps", "FLOP/s"), ("sums", "bytes/s"), ("results", "bytes/s")):
        if record[name]:
            fixed, rate = fit(*zip(*record[name], strict=True))
            errors = [abs(fixed + x / rate - t) / t for x, t in record[name]]
            print(
                f"{name:8} {fixed * 1e6:10.1f} us + amount / {rate:.3g} {unit}, off by {max(errors):.0%} at most"
            )
            record[f"{name} fit"] = [fixed, rate]
    if sums:
        print("\nprocesses  step of 784-256-128-10, batch 1024  efficiency")
        for processes in (1, 2, 8, 32, 128):
            seconds = predict_step(record, processes)
            print(
                f"{processes:9}  {seconds * 1e3:31.2f} ms  {predict_step(record, 1) / processes / seconds:10.0%}"
            )
    fixed, rate = record["results fit"]
    print("\nworkers that one client keeps up with, by the seconds of a run (1 MB of files)")
    for seconds in (1, 10, 100, 1000):
        print(f"{seconds:7}  {seconds / (fixed + 1e6 / rate):8.0f}")
    print(json.dumps(record))


def predict_step(record, processes: int, batch: int = 1024) -> float:
    """Return the seconds of a step by so many processes: its share of the work, and a sum in log2 rounds."""
    net = gn.Network([784, 256, 128, 10], seed=0)
    fixed, rate = record["steps fit"]
    own = fixed + flops_per_row(net) * batch / processes / rate
    latency, bandwidth = record["sums fit"]
    rounds = math.ceil(math.log2(processes)) if processes > 1 else 0
    # two processes have one round, and move the vector once; a ring moves it 2 (W - 1) / W times in all
    return own + rounds * latency + 2 * (processes - 1) / processes * net.theta.nbytes / bandwidth


if __name__ == "__main__":
    main()
