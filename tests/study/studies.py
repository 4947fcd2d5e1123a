"""Small studies that the tests run."""

import itertools
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from glassnet.runtime.environment import environment
from glassnet.study.job import Job, perform
from glassnet.study.layout import with_threads
from glassnet.study.results import read_row
from glassnet.study.specification import study_of
from glassnet.study.study_folder import StudyFolder
from glassnet.training.run import load_data


def points(folder):
    """Write a small data set that is read in no time, and return its file."""
    rng = np.random.default_rng(0)
    y = np.arange(300) % 10
    X = rng.normal(size=(300, 64)) + rng.normal(size=(10, 64))[y]
    np.savez(folder / "points.npz", X=X.astype(np.float32), y=y)
    return str(folder / "points.npz")


def small(dataset="digits", **changes):
    """Return a study of seconds: three variants, two seeds; keywords replace parts of it."""
    values = {
        "name": "small",
        "seeds": 2,
        "base": {
            "data": {"dataset": dataset},
            "network": {"layers": [64, 12, 10], "dropout": 0.2},
            "training": {"epochs": 2, "kernels": "numpy", "checkpoint_every": 1},
        },
        "factors": {
            "optimizer": {"levels": ["adam", "sgd(0.1)"]},
            "activation": {"levels": ["relu", "tanh"]},
        },
    }
    return study_of(values | changes)


def listed(variants, dataset="digits", **changes):
    """Return a study of variants by name, with the changes of each."""
    tables = [{"name": name, "changes": part} for name, part in variants.items()]
    return small(dataset, design="list", factors={}, variants=tables, **changes)


def done(study, folder, load=load_data, **layout):
    """Do the runs of a study one after the other in this process, and return their rows."""
    names, rows = study.file_names(), []
    with StudyFolder(folder).hold(study) as record:
        for variant, seed in itertools.product(study.variants(), study.seeds):
            config = with_threads(variant.with_seed(seed), 1)
            name, data = f"{names[variant.name]}_seed-{seed}", load(config)
            job = Job(variant.name, variant.levels, seed, config, folder, name, study.measure)
            rows.append(read_row(job.row_path) if job.row_path.exists() else perform(job, data))
            record.setdefault("checksums", {})[data.name] = data.checksums
        record |= {"environment": environment(), "layout": {"workers": 2, "threads": 1, **layout}}
        StudyFolder(folder).write(record)
    return rows


def pretend(job, restart, data, report):
    """Do what a worker does with a run, without training: write files of a usual size, and return a row."""
    report((1, 0.5))
    job.run_dir.mkdir(parents=True, exist_ok=True)
    for name, size in (("checkpoint.safetensors", 120_000), ("model.safetensors", 40_000), ("config.toml", 1000)):
        (job.run_dir / name).write_bytes(bytes(size))
    return replace(job.row("finished"), measures={job.measure: 0.5})


def timeless(rows):
    """Return rows without what differs from run to run: their seconds."""
    return [replace(row, seconds=0.0) for row in rows]


def models(folder):
    """Return the bytes of every model of a study by the name of its run."""
    return {path.parent.name: path.read_bytes() for path in (folder / "runs").glob("*/model.safetensors")}


def children(pid):
    """Return the processes that a process has started, and those that they have."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(path.parent.name))
    return [*found, *(inner for child in found for inner in children(child))]


def alive(pids):
    """Return those that still run."""
    there = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            there.append(pid)
    return there


def gone(pids, seconds=5.0):
    """Wait until processes have ended, and say whether they did in time."""
    end = time.monotonic() + seconds
    while alive(pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def stamps(folder):
    """Return when each row, and the model of its run, was written."""
    rows = sorted((folder / "rows").glob("*.json"))
    models = [folder / "runs" / row.stem / "model.safetensors" for row in rows]
    return {path: os.stat(path).st_mtime_ns for path in [*rows, *models] if path.exists()}
