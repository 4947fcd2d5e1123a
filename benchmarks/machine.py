"""The machine and the versions that a measurement holds for."""

import os
from importlib import metadata

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
    from glassnet.runtime.blas import libraries
    from glassnet.runtime.environment import environment
    from glassnet.runtime.machine import processor

    facts, kernels = environment(), sorted({library["kernel"] or "?" for library in libraries()})
    return {
        "cpus": CORES,
        "cpu": processor(),
        "python": facts["python"],
        "blas": f"{facts['blas']}, kernel {'/'.join(kernels)}",
        "versions": {name: _version(name) for name in PACKAGES},
        "load_at_end": load(),
    }


def in_words(facts):
    """Return the facts as a line for people."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return f"{facts['cpus']} cores of {facts['cpu']}; Python {facts['python']}; {versions}; BLAS {facts['blas']}."


def _version(name):
    """Return the version of an installed package."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
