"""What many processes cost, measured here.

    python benchmarks/scaling.py

Measured are the steps of networks of several sizes, sums over two processes of MPI, and the way of a finished run
from a worker of Dask to the disk. The least of several times is taken, as whatever disturbs a measurement makes it
longer. Beside the times, a line is fitted to each, seconds = fixed + amount / rate, with how far it is off: where
that is far, there is no line. docs/scaling.md says what the figures mean.
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
    """Measure, and print the times, the lines and a record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--add-up", action="store_true", help=argparse.SUPPRESS)
    if parser.parse_args().add_up:
        return add_up_here()
    steps, sums, results = measure_steps(), measure_sums(), measure_results()
    record = {"steps": steps, "sums": sums, "results": results}
    print(f"load {os.getloadavg()[0]:.0f}")
    for name, unit in (("steps", "FLOP"), ("sums", "bytes"), ("results", "bytes")):
        if record[name]:
            fixed, rate = fit(*zip(*record[name], strict=True))
            off = max(abs(fixed + x / rate - t) / t for x, t in record[name])
            print(f"\n{name}: {fixed * 1e3:.3g} ms + {unit} / {rate:.3g} a second, off by up to {off:.0%}")
            for amount, seconds in record[name]:
                print(f"{amount:12,} {unit:5}  {seconds * 1e3:8.3f} ms")
    print(json.dumps(record))


if __name__ == "__main__":
    main()
