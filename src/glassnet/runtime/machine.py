"""The machine for numerical work: its cores, how fast it multiplies matrices, and what slows it down."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from typing import Any

import numpy as np

from glassnet.runtime.blas import blas_threads, libraries
from glassnet.runtime.compilation import cache_folder, numba_version, vector_bytes
from glassnet.runtime.environment import environment
from glassnet.runtime.threads import available_cores

#: Environment variables that choose an older kernel than the processor could use.
KERNEL_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

#: Environment variables that limit BLAS's threads.
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")

#: A kernel that multiplies so many times as fast is worth a remark.
FASTER = 1.1

_MEASURE = "from glassnet.runtime.machine import gemm_rate; print(gemm_rate(1))"


def gemm_rate(threads: int, size: int = 512, seconds: float = 0.2) -> float:
    """Return how fast float32 matrices of size x size are multiplied, in GFLOP/s: the best of some tries.

    A product takes 2 size^3 operations.
    """
    a = np.ones((size, size), np.float32)
    out = np.empty_like(a)
    best = np.inf
    with blas_threads() as use:
        use(threads)
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            np.dot(a, a, out=out)
            best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best / 1e9


def free_gemm_rate() -> float | None:
    """Return `gemm_rate` with one thread in a process without `KERNEL_VARIABLES`; None where that fails."""
    free = {name: value for name, value in os.environ.items() if name not in KERNEL_VARIABLES}
    try:
        answer = subprocess.run(
            [sys.executable, "-c", _MEASURE], env=free, capture_output=True, text=True, timeout=30
        )
        return float(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def processor() -> str:
    """Return the processor's name, as far as the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def machine_report() -> dict[str, Any]:
    """Return what speed depends on here: cores, load, BLAS, its rate, Numba, versions, and advice.

    ``"advice"`` is a list of sentences, empty where nothing is to be gained.
    """
    cores, numba, blas = available_cores(), numba_version(), libraries()
    rates = {str(threads): round(gemm_rate(threads), 1) for threads in sorted({1, cores})}
    report: dict[str, Any] = {
        "processor": processor(),
        "cores": cores,
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        **environment(),
        "blas_libraries": blas,
        "gemm_gflops": rates,
        "numba": numba,
        "compiled_steps": numba is not None and vector_bytes() > 0,
        "compiled_code": str(cache_folder()),
        "variables": {
            name: os.environ[name] for name in KERNEL_VARIABLES + THREAD_VARIABLES if name in os.environ
        },
    }
    report["advice"] = _write_advice(report)
    return report


def _write_advice(report: dict[str, Any]) -> list[str]:
    """Say what would make training here faster."""
    advice = []
    set_kernels = [name for name in KERNEL_VARIABLES if name in report["variables"]]
    if set_kernels:
        mine, free = report["gemm_gflops"]["1"], free_gemm_rate()
        if free is not None and free > FASTER * mine:
            advice.append(
                f"{' and '.join(set_kernels)} has BLAS use a slower kernel where NumPy multiplies: {mine:.0f} "
                f"GFLOP/s a core, {free:.0f} without it; unset {' '.join(set_kernels)}"
            )
    threads = {library["threads"] for library in report["blas_libraries"]}
    if threads and max(threads) < report["cores"]:
        limits = [name for name in THREAD_VARIABLES if name in report["variables"]]
        why = f"{' and '.join(limits)} is set: " if limits else ""
        advice.append(f"{why}BLAS uses {max(threads)} of {report['cores']} cores; --threads N takes more")
    if report["numba"] is None:
        advice.append("Numba is not installed, so nothing is compiled: pip install 'glassnet[fast]'")
    elif not report["compiled_steps"]:
        advice.append("the processor has no fused multiply-adds, so nothing is compiled: NumPy trains")
    if report["load"] is not None and report["load"] > 0.5 * report["cores"]:
        advice.append(f"other work keeps the cores busy (load {report['load']}): training takes longer")
    return advice
