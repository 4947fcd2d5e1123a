"""Compiling ahead of need: what all trainings share, each registered formula, the plans, and prediction."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.data.registry import DATASETS
from glassnet.errors import FileError, UsageError
from glassnet.nn.activations import ACTIVATIONS
from glassnet.nn.losses import LOSSES
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.nn.update import Update
from glassnet.runtime.compilation import announcing, cache_folder, measure_cache, numba_version, vector_bytes
from glassnet.runtime.forward_pass import compile_layers
from glassnet.training.components import Components
from glassnet.training.config import RunConfig, configure, load_plan, plan_names
from glassnet.training.run import build_network
from glassnet.training.trainer import Trainer

#: Rows that a network is built for, and units of its hidden layers: the machine code is the same for all numbers.
ROWS, UNITS = 1024, 4


@dataclass(frozen=True)
class Preparation:
    """What `prepare` did: functions compiled now and there before, seconds, and the bytes of all."""

    compiled: int
    there: int
    seconds: float
    bytes: int


def prepare(tell: Callable[[str], None] | None = None) -> Preparation:
    """Compile, in float32, what trainings and predictions compile: later ones, and studies' workers, load it.

    `tell` is called with a few words before each thing that has to be compiled. Optimizers that no loop can be
    written for are left out. Raises `UsageError` where nothing is compiled, `FileError` where code cannot be kept.
    """
    if numba_version() is None:
        raise UsageError("prepare", "compiles with Numba, which is not installed: pip install 'glassnet[fast]'")
    if vector_bytes() == 0:
        raise UsageError("prepare", "compiles nothing here: the processor has no fused multiply-adds")
    began, (before, _) = time.perf_counter(), measure_cache()
    for name, config, data in _list_trainings():
        components = replace(Components.build(config.training), quiet=True)
        network = build_network(config, data)
        told = None if tell is None else partial(tell, f"compiling for {name}")
        with announcing(told), Trainer.open(network, data, config, components):
            pass
        if measure_cache()[0] == 0:
            raise FileError(cache_folder(), "cannot be written, so compiled code is not kept; make room there")
    with announcing(None if tell is None else partial(tell, "compiling for predictions")):
        compile_layers(np.dtype("float32"))
    count, size = measure_cache()
    return Preparation(count - before, before, time.perf_counter() - began, size)


def _list_trainings() -> Iterator[tuple[str, RunConfig, Dataset]]:
    """Return trainings that need all there is to compile, each with its name and made-up rows."""
    pictures, plain = _make_data(784, "multi-class", pictures=True), configure({"data": {"dataset": "made-up"}})
    all_parts = {"batch_norm": True, "dropout": 0.1}, {"max_norm": 3.0, "augmentation": "shift(1)"}
    yield "every training", _change(plain, *all_parts), pictures
    for name in ACTIVATIONS:
        yield f"the activation {name}", _change(plain, {"activation": name}), pictures
    for name in LOSSES:
        task = {"softmax": "multi-class", "sigmoid": "binary"}.get(LOSSES.resolve(name).output or "", "regression")
        yield f"the loss {name}", _change(plain, {"loss": name}), _make_data(8, task)
    for name in OPTIMIZERS:
        if Update(OPTIMIZERS.resolve(name)).elementwise:
            yield f"the optimizer {name}", _change(plain, {}, {"optimizer": name}), pictures
    for dataset in DATASETS:
        for name in plan_names(dataset):
            plan = load_plan(dataset, name)
            inputs, *_, outputs = plan.network.layers or (784, 10)
            task = "binary" if outputs == 1 else "multi-class"
            yield f"the plan {name} for {dataset}", _change(plan), _make_data(inputs, task, pictures=True)


def _change(config: RunConfig, network: dict[str, Any] | None = None, training: Any = None) -> RunConfig:
    """Return a configuration that compiles, with some options changed, and few units."""
    layers = config.network.layers
    small = {} if layers is None else {"layers": [layers[0], *(UNITS for _ in layers[1:-1]), layers[-1]]}
    changes = {"network": small | (network or {}), "training": {"kernels": "numba", **(training or {})}}
    return configure(changes, config)


def _make_data(inputs: int, task: str, *, pictures: bool = False) -> Dataset:
    """Return made-up rows of a task."""
    rng, side = np.random.default_rng(0), round(inputs**0.5)
    X = rng.integers(0, 256, (ROWS, side, side), np.uint8) if pictures else rng.normal(size=(ROWS, inputs))
    y = np.arange(ROWS) / ROWS if task == "regression" else np.arange(ROWS) % (2 if task == "binary" else 10)
    return Dataset.from_arrays(X if pictures else X.astype(np.float32), y, X[:2], y[:2], validation=0, task=task)
