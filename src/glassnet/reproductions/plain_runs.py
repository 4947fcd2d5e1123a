"""Runs step by step in plain NumPy, for what no option of a study can vary."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from rich.console import Console

from glassnet.data.dataset import Dataset
from glassnet.nn.activations import Activation, Array
from glassnet.nn.network import Network
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.nn.targets import encode
from glassnet.reproductions.outcomes import LAST
from glassnet.runtime.blas import blas_threads
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.runtime.seeds import stream
from glassnet.runtime.streams import progress_stream
from glassnet.runtime.threads import available_cores
from glassnet.study.design import change_config
from glassnet.study.fairness import build_sampler
from glassnet.study.progress import row_line
from glassnet.study.results import FINISHED, Row, read_row, write_row
from glassnet.study.runner import StudyInterrupted
from glassnet.training.config import RunConfig
from glassnet.training.health.vitals import FLAT
from glassnet.training.metrics import evaluate_predictions, predict_rows
from glassnet.training.run import build_network

#: What names a setting, part by part.
Key = tuple[str | float, ...]

#: Rows by setting, one for each seed.
PlainRuns = dict[Key, list[Row]]


@dataclass(frozen=True)
class Setting:
    """What a plain run is made with: changes of a configuration, and three things that no option says.

    Attributes
    ----------
    changes : dict of str to object
        Dotted keys with their values.
    hidden, output : float
        Factors on the first weights of the hidden layers, and of the output layer; one that is not 1 sets the
        biases there to 0.
    frozen_t : int or None
        The number of the step that the optimizer reckons with in every step; None for the true one.
    ascends : bool
        Whether steps go up the gradient.
    """

    changes: dict[str, Any] = field(default_factory=dict)
    hidden: float = 1.0
    output: float = 1.0
    frozen_t: int | None = None
    ascends: bool = False


def run_plain(
    settings: Mapping[Key, Setting],
    seeds: Sequence[int],
    base: RunConfig,
    data: Dataset,
    folder: Path,
    *,
    workers: int | None = None,
    progress: bool = True,
) -> PlainRuns:
    """Train by each setting with each seed, and return the rows; what lies in the folder is not repeated.

    A row's ``train_loss`` is the mean of the last `LAST` epochs. ``flat_hidden`` and ``flat_output`` are shares of
    slopes that are flat at the end. `workers` runs go on side by side, as many as cores by default, each with one
    thread: so their number changes no result. Raises StudyInterrupted after Ctrl-C or SIGTERM; finished runs are
    saved.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        _Job(key, setting, seed, folder) for seed, (key, setting) in itertools.product(seeds, settings.items())
    ]
    rows = {job: row for job in jobs if (row := job.read()) is not None}
    console = Console(file=progress_stream(), highlight=False, quiet=not progress)
    _ = data.encoded  # made once, before the threads ask for it
    with (
        GracefulInterrupts() as interrupts,
        blas_threads() as use_threads,
        ThreadPoolExecutor(workers or available_cores()) as pool,
    ):
        use_threads(1)
        left = [job for job in jobs if job not in rows]
        for job, row in zip(left, pool.map(lambda one: one.perform(base, data, interrupts), left), strict=True):
            if row is not None:
                rows[job] = row
                line = f"{len(rows)}/{len(jobs)}  {row_line(row, 'train_loss')}"
                console.print(line, markup=False, soft_wrap=True)
    if len(rows) < len(jobs):
        assert interrupts.signal is not None
        raise StudyInterrupted(len(rows), len(jobs), folder, interrupts.signal)
    return {key: [rows[job] for job in jobs if job.key == key] for key in settings}


@dataclass(frozen=True, eq=False)
class _Job:
    """A run to do, and where its row lies when it is done."""

    key: Key
    setting: Setting
    seed: int
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / f"{'-'.join(map(str, self.key))}_seed-{self.seed}.json"

    @property
    def levels(self) -> dict[str, str]:
        return {"setting": repr(self.setting)}

    def read(self) -> Row | None:
        """Return the row that was written; None where there is none of this setting."""
        row = read_row(self.path) if self.path.exists() else None
        return row if row is not None and row.levels == self.levels else None

    def perform(self, base: RunConfig, data: Dataset, interrupts: GracefulInterrupts) -> Row | None:
        """Train, write the row and return it; None where a signal came."""
        config = change_config(base, self.setting.changes).model_copy(update={"seed": self.seed})
        start = perf_counter()
        measures = _train(self.setting, config, data, interrupts)
        if measures is None:
            return None
        name = " ".join(map(str, self.key))
        row = Row(name, self.levels, self.seed, FINISHED, measures, seconds=perf_counter() - start)
        write_row(self.path, row)
        return row


def _train(
    setting: Setting, config: RunConfig, data: Dataset, interrupts: GracefulInterrupts
) -> dict[str, float] | None:
    """Train a network with a step an epoch, and return its measures; None where a signal came."""
    network, sampler = start_network(setting, config, data), build_sampler(config, data)
    optimizer, rng = OPTIMIZERS.resolve(config.training.optimizer), stream(config.seed, "shuffling")
    X, y = data.encoded.train
    state, losses = optimizer.start(network.theta), []
    for _ in range(config.training.epochs):
        if interrupts.signal is not None:
            return None
        rows = sampler.order(rng)
        cache = network.forward(network.input_batch(X[rows]))
        targets = encode(y[rows], network.layers[-1], data.n_classes, network.theta.dtype)
        losses.append(float(network.backward(cache, targets)))
        if setting.frozen_t is not None:
            state.t = setting.frozen_t - 1
        gradient = -network.gradient if setting.ascends else network.gradient
        optimizer.step(network.theta, gradient, state)
    flat = [flat_share(*one) for one in zip(network.activations, cache.Z, strict=True)]
    return {
        "train_loss": float(np.mean(losses[-LAST:])),
        "test_accuracy": evaluate_predictions(predict_rows(network, data.test))["accuracy"],
        "flat_hidden": float(np.mean(flat[:-1])),
        "flat_output": flat[-1],
    }


def start_network(setting: Setting, config: RunConfig, data: Dataset) -> Network:
    """Return the untrained network of a setting: the configured start, and factors on its weights."""
    network = build_network(config, data)
    network.class_names = data.class_names
    factors = [setting.hidden] * (len(network.W) - 1) + [setting.output]
    for W, b, factor in zip(network.W, network.b, factors, strict=True):
        if factor != 1:
            W *= factor
            b[:] = 0
    return network


def flat_share(activation: Activation, Z: Array) -> float:
    """Return the share of Z at which a sigmoid or a tanh is flat: its slope below `FLAT` of that at 0."""
    steepest = activation.derivative(np.zeros(1, Z.dtype))
    return float((activation.derivative(Z) < FLAT * steepest).mean())
