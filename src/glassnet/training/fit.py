"""Training a network from Python: `fit`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from numpy.typing import ArrayLike

from glassnet.data.arrays import Asked, as_dataset, weights_of_training
from glassnet.data.dataset import Dataset
from glassnet.data.target_values import name_target
from glassnet.errors import DataError, UsageError
from glassnet.nn.network import Network
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.runtime.environment import environment
from glassnet.runtime.terminal import tell
from glassnet.training.callbacks import Callback, check_callbacks
from glassnet.training.components import Components
from glassnet.training.config import RunConfig, unknown_option, validate
from glassnet.training.continuing import continue_run, remembering, warn_of_replay
from glassnet.training.fit_options import FitOptions
from glassnet.training.options import (
    NetworkConfig,
    OptimizerShorthand,
    TrainingConfig,
    fields_of,
    resolve_optimizer,
    takes_training_options,
)
from glassnet.training.progress import telling_of_compiler
from glassnet.training.results import Run
from glassnet.training.row_weights import fingerprint
from glassnet.training.trainer import Trainer

#: What to do where numbers are meant as classes.
OTHER_TASK = "or take them as classes with task=multi-class"


@takes_training_options
def fit(
    network: Network,
    data: Dataset | tuple[ArrayLike, ArrayLike] | ArrayLike,
    y: Any = None,
    *,
    validation_data: Any = None,
    seed: int | None = None,
    sample_weight: Any = None,
    callbacks: Sequence[Callback] = (),
    run_dir: str | Path | None = None,
    continue_from: Run | None = None,
    progress: bool = True,
    **options: Unpack[FitOptions],
) -> Run:
    """Train a network, in place.

    Parameters
    ----------
    network : Network
        Its theta is where training starts; its class names become those of the data.
    data : Dataset, array_like of shape (n, ...), table of pandas or Polars, or pair (X, y)
        What it learns from: ``fit(network, X, y)``, ``fit(network, (X, y))`` or ``fit(network, data)``. Of a data
        set, it is trained on the rows of ``data.train``, and evaluated after each epoch on those of
        ``data.validation``, unless there are none; ``data.test`` is not touched. Of arrays, a twelfth of the rows
        is drawn for validation, and all others are trained on; see `glassnet.data.arrays.as_dataset`.
    y : array_like of shape (n,) or (n, d), optional
        Of rows X: classes as whole numbers, text or true and false; or numbers to regress.
    validation_data : pair (X, y), optional
        Rows and labels for validation instead, as those of training: arrays, a table and labels, or a `Split`.
    seed : int, optional
        Decides which rows and their order, the masks of dropout, and how images are moved; by default the
        network's own seed.
    sample_weight : array_like of shape (n,), optional
        How much each training row counts, see `glassnet.training.row_weights`. Of arrays, a weight for each row
        of X; those of rows that are drawn for validation are left out.
    callbacks : sequence of Callback, optional
        What is called while the run goes on; see `Callback`.
    run_dir : str or Path, optional
        Folder to save the run in; it must be new or empty. None: nothing is written.
    continue_from : Run, optional
        A run of this network on these data to go on with: with fresh batches, the optimizer's memory, its schedule
        and its other options. ``epochs`` is then the number of epochs in all; see `Run.resume`.
    progress : bool, default True
        Show the progress on stderr.

    Returns
    -------
    Run
        The network, its history, and the configuration that would make them again.

    Raises
    ------
    UsageError, DataError
        If options, network and data do not fit; nothing has been changed then.
    FileError
        If the run folder cannot be made. One that cannot be written later on is a warning, and training goes on;
        the last good checkpoint stays.
    DivergenceError
        If the loss becomes NaN or infinite; the message says at which epoch and step, and in which layer that
        began. The network, and the run folder, hold the state after the last whole epoch.
    Interrupted
        After Ctrl-C or SIGTERM; it is a `KeyboardInterrupt` and carries the run.

    Examples
    --------
    >>> from glassnet.data.registry import load_dataset
    >>> run = fit(Network([64, 32, 10]), load_dataset("digits"), epochs=20, progress=False)
    >>> run.history.last.validation_accuracy > 0.9
    True

    Arrays, and a shorthand for the optimizer's learning rate:

    >>> import numpy as np
    >>> X, y = np.random.default_rng(0).normal(size=(120, 4)), np.arange(120) % 3
    >>> run = fit(Network([4, 8, 3]), X, y, learning_rate=0.01, epochs=2, progress=False)
    >>> run.history["epoch"], run.config.training.optimizer[:25]
    ([1, 2], 'adam(learning_rate=0.01, ')
    """
    if not isinstance(network, Network):
        raise UsageError(
            "network", f"expected a Network, got {type(network).__name__}; make one: Network([4, 8, 3])"
        )
    check_callbacks(callbacks)
    arrays = not isinstance(data, Dataset)
    labels = data[1] if arrays and y is None and isinstance(data, tuple) and len(data) == 2 else y
    known = len(data.remarks) if isinstance(data, Dataset) else 0
    data = as_dataset(data, y, validation_data, asked_of(network))
    if arrays:
        sample_weight = weights_of_training(data, labels, sample_weight)
    if continue_from is not None:
        given = {"seed": seed, "sample_weight": sample_weight, **options}
        epochs = _check_continued(continue_from, {**given, "run_dir": run_dir})
        return continue_run(
            continue_from, network=network, data=data, epochs=epochs, callbacks=callbacks, progress=progress
        )
    if progress:
        for remark in data.remarks[known:]:
            tell(remark)
    refuse_numbers(network, data, "or give classes 0, 1, ... as y.astype(int)" if arrays else OTHER_TASK)
    refuse_classes(network, data)
    training, components = resolve_options(options, inspect.signature(fit).parameters)
    config = describe_run(network, data, training, network.seed if seed is None else seed, sample_weight)
    folder = None if run_dir is None else Path(run_dir)
    warn_of_replay(network, config, components)
    opened = Trainer.open(network, data, config, components, sample_weight=sample_weight, folder=folder)
    with telling_of_compiler(progress), opened as trainer, remembering(trainer):
        return trainer.fit(callbacks, progress=progress)


def _check_continued(run: Any, given: dict[str, Any]) -> int:
    """Return the number of epochs to go on to; `UsageError` if a run goes on otherwise than it began."""
    if not isinstance(run, Run):
        instead = "; glassnet.resume goes on from a folder" if isinstance(run, str | Path) else ""
        raise UsageError("continue_from", f"expected a Run, got {type(run).__name__}{instead}")
    if given["run_dir"] is not None and run.folder is not None and Path(given["run_dir"]) == run.folder:
        given.pop("run_dir")
    for name, value in given.items():
        if name != "epochs" and value is not None:
            raise UsageError(name, "a run goes on as it began; leave it out beside continue_from")
    if given.get("epochs") is None:
        raise UsageError("epochs", f"say how many in all; the run has had {len(run.history)}")
    return int(given["epochs"])


def refuse_numbers(network: Network, data: Dataset, remedy: str = OTHER_TASK) -> None:
    """Refuse numbers, one a row, for a network whose loss or outputs are for classes."""
    outputs, is_single = network.layers[-1], data.task == "regression" and data.train.y.ndim == 1
    if is_single and (network.loss.output == "softmax" or outputs > 1):
        what = name_target(data.target_names) if data.target_names else "y"
        raise DataError(
            f"{what}: {network.loss.name} with {outputs} outputs is for classes, and these are numbers; take "
            f"half_squared_error with one output, {remedy}"
        )


def refuse_classes(network: Network, data: Dataset) -> None:
    """Refuse two classes for a single output whose loss nobody chose: by itself it regresses a number."""
    if not network.has_own_loss and network.layers[-1] == 1 and data.task == "binary":
        raise DataError(
            "y: a single output regresses a number, and these are two classes; give the network "
            'loss="binary_cross_entropy"'
        )


def asked_of(network: Network) -> Asked:
    """Return what a network can be asked for, by which whole numbers are told to be classes or numbers."""
    return Asked(network.layers[-1], network.loss.output, network.class_names)


def describe_run(
    network: Network, data: Dataset, training: TrainingConfig, seed: int, sample_weight: Any
) -> RunConfig:
    """Return the configuration that would make a run again: of a network, data and training at hand."""
    description = network.get_config()
    description["seed"] = network.seed if network.seed != seed else None
    return validate(
        RunConfig,
        {
            "seed": seed,
            "data": {
                "dataset": data.name,
                "validation": data.validation_size,
                "split_seed": data.split_seed,
                **data.origin,
            },
            "network": NetworkConfig(
                **{key: value for key, value in description.items() if key in NetworkConfig.model_fields}
            ),
            "training": training,
            "checksums": data.checksums,
            "start": network.fingerprint(),
            "sample_weight": fingerprint(sample_weight),
            "environment": environment(),
            "data_schema": data.schema.describe(),
        },
    )


def resolve_options(options: Mapping[str, Any], known: Iterable[str] = ()) -> tuple[TrainingConfig, Components]:
    """Return the options of `glassnet.fit` as a configuration, and the objects that they are or name.

    The shorthands are options, too: ``learning_rate=0.1`` changes the optimizer's, ``early_stopping=5`` is
    ``"patience(5)"``. `known` are other names that may be meant by one that is no option. Raises `UsageError` if a
    name is no option, a value does not fit, or the learning rate is given twice.
    """
    fields = fields_of("training")
    for name in options:
        if name not in fields:
            raise unknown_option(name, fields, known)
    optimizer, named = resolve_optimizer(options), options.get("optimizer", "")
    own = not isinstance(named, str) or re.search(r"learning_rate|\(\s*[-+.\d]", named)
    if own and options.get("learning_rate") is not None:
        rate = OPTIMIZERS.resolve(named).learning_rate
        raise UsageError("learning_rate", f"the optimizer has one already, {rate:g}; give it once")
    rest = {name: value for name, value in options.items() if name not in OptimizerShorthand.model_fields}
    training = validate(TrainingConfig, rest | {"optimizer": optimizer.spec})
    objects = {name: value for name, value in rest.items() if hasattr(value, "spec")}
    return training, Components.build(training, objects | {"optimizer": optimizer})
