"""The machine and the versions that a measurement holds for."""

import os
import platform
from importlib import metadata
from pathlib import Path

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
PACKAGES = ("glassnet", "numpy", "numba", "scikit-learn", "torch", "jax", "jaxlib", "onnxruntime")


def free_choice():
    """Let every system choose for itself; call this before NumPy is imported.

    A BLAS kernel or a number of threads that the environment prescribes would slow some systems and not others.
    """
    for name in list(os.environ):
        if name.startswith(("OPENBLAS_", "NUMBA_")) or name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            del os.environ[name]
    os.environ["JAX_PLATFORMS"] = "cpu"


def load():
    """Return the load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def about():
    """Return what a result depends on: processor, BLAS, versions. No host name."""
    facts = {"cpus": CORES, "cpu": _cpu_model(), "python": platform.python_version()}
    return facts | {
        "blas": _blas(),
        "versions": {name: _version(name) for name in PACKAGES},
        "load_at_end": load(),
    }


def in_words(facts):
    """Return the facts as a line for people."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return f"{facts['cpus']} cores of {facts['cpu']}; Python {facts['python']}; {versions}; BLAS {facts['blas']}."


def _cpu_model():
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _blas():
    """Return NumPy's BLAS with the kernel that it chose."""
    import numpy as np
    from threadpoolctl import threadpool_info

    library = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    kernels = {pool.get("architecture", "?") for pool in threadpool_info() if pool["user_api"] == "blas"}
    return f"{library['name']} {library['version']}, kernel {'/'.join(sorted(kernels))}"


def _version(name):
    """Return the version of an installed package."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
