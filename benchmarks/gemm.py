"""The limit: an epoch's matrix products and nothing else.

    python benchmarks/gemm.py kernel     # the name of the BLAS's kernel, as JSON
    python benchmarks/gemm.py seconds    # of every workload's products

Z = H W, dW = H^T delta, delta W^T, one after the other as NumPy's BLAS makes them. Who multiplies with another
BLAS, or shares the rows among threads better than this one does, can be a little faster.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from itertools import pairwise

import machine
import numpy as np
from threadpoolctl import ThreadpoolController
from workloads import WORKLOADS

ROWS = 60_000

#: Kernels of OpenBLAS to try, "" being its own choice. One that is not built in or not supported falls away.
KERNELS = ["", "SkylakeX", "SapphireRapids", "Cooperlake", "Haswell", "Zen"]


def products(layers, rows):
    """Return a function that makes the products of one step, in buffers of its own."""
    rng = np.random.default_rng(0)
    pairs = list(pairwise(layers))
    H = [rng.random((rows, d), dtype=np.float32) for d in layers]
    delta = [rng.random((rows, d), dtype=np.float32) for d in layers]
    W = [rng.random(pair, dtype=np.float32) for pair in pairs]
    dW, Z = [np.empty_like(w) for w in W], [np.empty_like(h) for h in H]

    def step():
        for i in range(len(W)):
            np.dot(H[i], W[i], out=Z[i + 1])
        for i in reversed(range(len(W))):
            np.dot(H[i].T, delta[i + 1], out=dW[i])
            if i:
                np.dot(delta[i + 1], W[i].T, out=Z[i])

    return step


def gemm_epoch(workload, threads):
    """Return a function that makes the products of an epoch, the last, smaller batch included."""
    steps, rest = divmod(ROWS, workload.batch_size)
    step, last = products(workload.layers, workload.batch_size), products(workload.layers, rest)
    controller = ThreadpoolController()

    def epoch():
        with controller.limit(limits=threads, user_api="blas"):
            for _ in range(steps):
                step()
            last()

    return epoch


def best_threads(workload):
    """Return how many threads make a step's products soonest, and the seconds they take."""
    step, controller = products(workload.layers, workload.batch_size), ThreadpoolController()
    counts = sorted({2**k for k in range(machine.CORES.bit_length()) if 2**k <= machine.CORES} | {machine.CORES})
    times = {count: [] for count in counts}
    for count in counts * 2:
        with controller.limit(limits=count, user_api="blas"):
            times[count] += _times(step)
    medians = {count: statistics.median(values) for count, values in times.items()}
    count = min(medians, key=medians.get)
    return count, medians[count]


def candidates():
    """Return seconds of each workload's products by kernel of the BLAS: the one it chose itself, then the others.

    A kernel is chosen when a process starts, so each candidate is a process. Those that differ run three times in
    turn; the least counts.
    """
    chosen = {}
    for kernel in KERNELS:
        name = _measure("kernel", kernel)
        if name:
            chosen.setdefault(name, kernel)
    times = {name: [] for name in chosen}
    for _ in range(3):
        for name, kernel in chosen.items():
            times[name].append(_measure("seconds", kernel))
    return {name: [min(seconds) for seconds in zip(*runs, strict=True)] for name, runs in times.items()}


def better_kernels(found, margin=0.03):
    """Return a line for each workload that another kernel would make more than 3 % faster."""
    (own, own_seconds), *others = found.items()
    return [
        f"{workload.title}: the BLAS's {kernel} kernel needs {seconds[i] / own_seconds[i]:.2f} times the time of "
        f"the {own} kernel that it chooses itself"
        for i, workload in enumerate(WORKLOADS)
        for kernel, seconds in others
        if seconds[i] < (1 - margin) * own_seconds[i]
    ]


def _measure(task, kernel):
    """Return what this module answers when the BLAS is told its kernel, None where that fails."""
    variables = os.environ | ({"OPENBLAS_CORETYPE": kernel} if kernel else {})
    done = subprocess.run([sys.executable, __file__, task], env=variables, capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def _times(call, budget=0.1, least=5):
    """Return the seconds of each of the calls that a tenth of a second has room for, but of five."""
    times = []
    while sum(times) < budget or len(times) < least:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return times


if __name__ == "__main__":
    if sys.argv[1] == "kernel":
        pools = ThreadpoolController().select(user_api="blas").info()
        print(json.dumps(pools[0].get("architecture")))
    else:
        print(json.dumps([best_threads(workload)[1] for workload in WORKLOADS]))
