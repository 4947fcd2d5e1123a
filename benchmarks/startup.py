"""How soon glassnet is ready and how much memory it takes: imports, commands, compilation, an epoch's peak.

    make bench        (or: python benchmarks/startup.py [--rounds 5])

Everything in fresh processes, in seconds of the processor, which other work disturbs less than a clock's. Writes
results/startup.json and .md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import machine
from fresh import PARTS
from results import number, table, write

FRESH = Path(__file__).with_name("fresh.py")
COMMANDS = {
    "python, nothing imported": [sys.executable, "-c", "pass"],
    "import glassnet": [sys.executable, "-c", "import glassnet"],
    "from glassnet import Network, fit": [sys.executable, "-c", "from glassnet import Network, fit"],
    "glassnet --help": [str(Path(sys.executable).with_name("glassnet")), "--help"],
    "import torch": [sys.executable, "-c", "import torch"],
    "import jax": [sys.executable, "-c", "import jax"],
    "import sklearn.neural_network": [sys.executable, "-c", "import sklearn.neural_network"],
}
SYSTEMS = ["glassnet, first run", "glassnet", "glassnet, kernels=numpy", "JAX", "PyTorch", "scikit-learn"]


def measure_starts(rounds):
    """Return the processor seconds of each command, in turn, after one run of each that fills the file cache."""
    times = {name: [] for name in COMMANDS}
    for count in range(rounds + 1):
        for name, command in COMMANDS.items():
            before = children_seconds()
            done = subprocess.run(command, capture_output=True)
            if count and done.returncode == 0:
                times[name].append(children_seconds() - before)
    return times


def children_seconds():
    """Return the processor seconds of all processes that were started here and have ended."""
    times = os.times()
    return times.children_user + times.children_system


def measure_compilation(rounds):
    """Return what a first short fit takes: with no compiled kernels kept, with them kept, and without kernels."""
    found = {"first run": [], "later run": [], "kernels=numpy": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            for name, kernels in zip(found, ("numba", "numba", "numpy"), strict=True):
                found[name].append(fresh("fit", kernels, XDG_CACHE_HOME=cache))
    return found


def measure_beginning(rounds):
    """Return the processor seconds of a training before its first step: with empty caches, and later."""
    found = {"first run": [], "later run": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            for runs in found.values():
                runs.append(fresh("start", XDG_CACHE_HOME=cache))
    return found


def measure_memory(rounds):
    """Return the peak memory of an epoch in each system, in MiB; the first run has empty caches."""
    found = {name: [] for name in SYSTEMS}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "images.npz"))
        fresh("save", path)
        for count in range(rounds):
            for name in SYSTEMS:
                cache = str(Path(folder, f"cache-{count}"))
                found[name].append(fresh("peak", name.removesuffix(", first run"), path, XDG_CACHE_HOME=cache))
    return found


def fresh(*arguments, **variables):
    """Run fresh.py and return its answer; None, and the reason on the screen, where it fails."""
    done = subprocess.run(
        [sys.executable, str(FRESH), *arguments], env=os.environ | variables, capture_output=True, text=True
    )
    if done.returncode:
        print(" ".join(arguments), "failed:", done.stderr.strip().splitlines()[-1:], file=sys.stderr)
        return None
    return json.loads(done.stdout)


def middle(values):
    """Return the median of the values that there are."""
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None


def middle_of_each(found, keys):
    """Return the medians of some values of the runs of each kind."""
    return {
        name: {key: middle([run and run[key] for run in runs]) for key in keys} for name, runs in found.items()
    }


def starts_table(starts):
    """Return the seconds of each command."""
    body = [[name, number(middle(values), 2)] for name, values in starts.items()]
    return table(["fresh process", "processor seconds"], body)


def compilation_table(medians):
    """Return the seconds of the imports and the fit, and what is the kernels' share of the latter."""
    plain = medians["kernels=numpy"]["fit"]
    body = [
        [name, *(number(value, 2) for value in row.values()), number(row["fit"] and row["fit"] - plain, 2)]
        for name, row in medians.items()
    ]
    head = ["640 rows, one epoch", "import numba, s", "import glassnet, s", "fit, s", "more than NumPy, s"]
    return table(head, body)


def beginning_table(medians):
    """Return the processor seconds of the parts."""
    body = [[name, *(number(value, 2) for value in row.values())] for name, row in medians.items()]
    head = [
        "train fashion-mnist --plan fast, before its first step",
        *(f"{name}, s" for name in (*PARTS, "in all")),
    ]
    return table(head, body)


def memory_table(memory):
    """Return the peaks."""
    body = [[name, number(middle(values), 0)] for name, values in memory.items()]
    return table(["epoch of 784-256-128-10, batch 128", "peak, MiB"], body)


def main():
    """Read the options, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="of the starts; the rest takes 3 at most")
    rounds = parser.parse_args().rounds
    machine.free_choice()
    load = machine.load()
    starts = measure_starts(rounds)
    compilation = measure_compilation(min(rounds, 3))
    beginning = measure_beginning(min(rounds, 3))
    memory = measure_memory(min(rounds, 3))
    medians = middle_of_each(compilation, ("numba", "glassnet", "fit"))
    parts = middle_of_each(beginning, (*PARTS, "in all"))
    fewer = min(rounds, 3)
    heading = f"Medians of {rounds} fresh processes, of {fewer} for compilation and memory. Load before: {load}."
    note = (
        "All times are seconds of the processor: other work disturbs them less. The first run compiles glassnet's "
        "kernels, and keeps them in the user's cache folder, as it does with the images, unpacked. Peaks are of "
        "the whole process: interpreter, libraries, and the images as each system wants them, bytes for glassnet, "
        "float32 for the others."
    )
    tables = [starts_table(starts), compilation_table(medians), beginning_table(parts), memory_table(memory)]
    values = {"load": load, "seconds_to_start": starts, "compilation": compilation, "before_first_step": beginning}
    values["peak_memory_mib"] = memory
    write("startup", heading, tables, values, [note])


if __name__ == "__main__":
    main()
