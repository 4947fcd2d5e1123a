"""From a configuration to a trained network."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from glassnet.data.arrays import Asked, as_dataset
from glassnet.data.dataset import Dataset
from glassnet.data.registry import DATASETS, load_dataset
from glassnet.data.user_data import looks_like_a_path
from glassnet.errors import DataError, FileError, UsageError, naming_file
from glassnet.nn.arguments import check_layers
from glassnet.nn.network import Network
from glassnet.training.callbacks import Callback, check_callbacks
from glassnet.training.components import Components
from glassnet.training.config import RunConfig, check_data
from glassnet.training.continuing import check_same_data, count_epochs, lengthen, remembering
from glassnet.training.data_parallel import Group
from glassnet.training.fit import asked_of, describe_run, refuse_numbers
from glassnet.training.model_file import MODEL_FILE, load_model, restore_network
from glassnet.training.progress import telling_of_compiler
from glassnet.training.results import Run
from glassnet.training.row_weights import fingerprint
from glassnet.training.run_folder import RunFolder
from glassnet.training.train_state import SavedState, check_state
from glassnet.training.trainer import Trainer

#: Hidden layers where a configuration names none.
HIDDEN_LAYERS = (256, 128)


def load_data(config: RunConfig, data_dir: str | Path | None = None) -> Dataset:
    """Load the data that a configuration names; `DataError` if no network can take them, or they are others."""
    options = config.data.model_dump()
    data = load_dataset(options.pop("dataset"), data_dir, **options)
    if data.unusable:
        raise DataError(data.unusable)
    check_data(config, data)
    return data


def open_run(run: Path, data_dir: str | Path | None = None) -> tuple[Network, RunFolder, Dataset]:
    """Return a trained network, the folder of its run, and the data that it learned from.

    `run` is a run folder, or the model file in it; `data_dir` says where the data are, in place of GLASSNET_DATA.
    Raises `FileError` if a file of the run is missing or damaged, and the errors of `load_run_data`.
    """
    network = load_model(run).network
    folder = RunFolder(run if run.is_dir() else run.parent)
    return network, folder, load_run_data(folder, data_dir)


def load_run_data(folder: RunFolder, data_dir: str | Path | None) -> Dataset:
    """Load the data that a folder's run learned from.

    Raises `FileError` if it names data that no command can load, `DataError` if the data are others.
    """
    config = folder.config()
    if config.data.dataset not in DATASETS and not looks_like_a_path(config.data.dataset):
        raise FileError(
            folder.config_path,
            f"the run learned from {config.data.dataset!r}, which only the Python program that made it can load; "
            "give them there: glassnet.load_model(RUN) to predict, glassnet.resume(RUN, X, y) to train on",
        )
    if (folder.path / MODEL_FILE).exists():
        load_model(folder.path)  # a run of another version is refused as such, not for its checksums
    with naming_file(folder.config_path):
        return load_data(config, data_dir)


def choose_layers(config: RunConfig, data: Dataset, hidden: Sequence[int] = HIDDEN_LAYERS) -> list[int]:
    """Return the configuration's layers, or else hidden ones between the data's columns and what they ask for.

    That is a unit for each class, label or number; two classes take a single one.
    """
    if config.network.layers is not None:
        return list(check_layers(config.network.layers))
    columns, units = data.n_inputs, data.n_classes or data.schema.target.width
    loss = config.network.loss
    single = data.task == "binary" and (loss is None or loss.startswith("binary_cross_entropy"))
    return [columns, *hidden, 1 if single else units]


def choose_loss(config: RunConfig, data: Dataset, units: int) -> str:
    """Return the configuration's loss, or else the one that suits the data's task and the number of outputs."""
    if config.network.loss is not None:
        return config.network.loss
    if data.task == "multi-label" or (data.task == "binary" and units == 1):
        return "binary_cross_entropy"
    return "half_squared_error" if data.task == "regression" else "cross_entropy"


def build_network(config: RunConfig, data: Dataset) -> Network:
    """Return the untrained network of a configuration, fitted to the data where it leaves that open."""
    options = config.network.model_dump()
    if options["initializer"] == "array":
        raise DataError("initializer: the run began with an array of parameters, which only its model file holds")
    options["layers"] = choose_layers(config, data)
    options["loss"] = choose_loss(config, data, options["layers"][-1])
    if options["seed"] is None:
        options["seed"] = config.seed
    network = Network(**options)
    refuse_numbers(network, data)
    return network


def run(
    config: RunConfig,
    data: Dataset | None = None,
    *,
    sample_weight: Any = None,
    callbacks: Sequence[Callback] = (),
    run_dir: str | Path | None = None,
    progress: bool = True,
    group: Group | None = None,
) -> Run:
    """Build the network and train it as a configuration says.

    Parameters
    ----------
    config : RunConfig
        The same configuration gives the same theta, bit for bit, on the same machine.
    data : Dataset, optional
        From `load_data`; by default loaded as the configuration says.
    sample_weight, callbacks, run_dir, progress
        See `glassnet.fit`.
    group : Group, optional
        The processes that train the network together, from `glassnet.training.data_parallel.join_group`; each
        calls this, and the first alone has a `run_dir`. The network is examined without trials then.

    Returns
    -------
    Run
        The network, its history, and the configuration with what was left open.

    Raises
    ------
    DataError
        If the configuration holds checksums or a start, and data, weights or initial parameters differ from them.

    Examples
    --------
    >>> config = RunConfig(data={"dataset": "digits"}, training={"epochs": 2})
    >>> done = run(config, progress=False)
    >>> done.network.layers, len(done.history)
    ((64, 256, 128, 10), 2)
    """
    if not isinstance(config, RunConfig):
        raise UsageError(
            "config", f"expected a RunConfig, got {type(config).__name__}; glassnet.load_config reads one"
        )
    check_callbacks(callbacks)
    if data is None:
        data = load_data(config)
    check_data(config, data)
    network = build_network(config, data)
    if config.start not in (None, network.fingerprint()):
        raise DataError(
            "start: the run began with other parameters than its initializer and seed give here (a network that "
            "was trained before, or another version of NumPy); remove start to begin with these"
        )
    if config.sample_weight not in (None, fingerprint(sample_weight)):
        raise DataError("sample_weight: the run had weights, and these are others; give the same, or remove it")
    components = replace(Components.build(config.training), group=group, quiet=group is not None)
    training = config.training.model_copy(update={"optimizer": components.optimizer.spec})
    config = describe_run(network, data, training, config.seed, sample_weight)
    folder = None if run_dir is None else Path(run_dir)
    opened = Trainer.open(network, data, config, components, sample_weight=sample_weight, folder=folder)
    with telling_of_compiler(progress), opened as trainer, remembering(trainer):
        return trainer.fit(callbacks, progress=progress)


def resume(
    run_dir: str | Path,
    data: Any = None,
    y: Any = None,
    *,
    validation_data: Any = None,
    epochs: int | None = None,
    callbacks: Sequence[Callback] = (),
    data_dir: str | Path | None = None,
    progress: bool = True,
) -> Run:
    """Continue a run that was stopped, from its last checkpoint, as if it had not been stopped.

    The checkpoint holds theta, the optimizer's memory, the random generators, the schedule, the memory of early
    stopping and the history, also in the middle of an epoch. The result is the same, bit for bit.

    Parameters
    ----------
    run_dir : str or Path
        The run's folder.
    data, y, validation_data : optional
        The data that the run learned from, as they were given to `glassnet.fit`. They are needed where only the
        program that made them can load them.
    epochs : int, optional
        Number of epochs in all, with those that are done. Default: that of the run. A schedule is that of the
        longer run.
    callbacks, progress
        See `glassnet.fit`.
    data_dir : path, optional
        The folder that holds the data, in place of GLASSNET_DATA.

    Returns
    -------
    Run
        The run as it ends now. A run that has ended before is returned as it ended.

    Raises
    ------
    FileError
        If the folder holds no run that can be resumed, or another process trains in it.
    DataError
        If the data are not those of the run.
    UsageError
        If the run has had more epochs than `epochs`.

    Examples
    --------
    >>> import tempfile
    >>> config = RunConfig(data={"dataset": "digits"}, training={"epochs": 2})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = run(config, run_dir=f"{folder}/first", progress=False)
    ...     longer = resume(f"{folder}/first", epochs=3, progress=False)
    >>> len(longer.history), longer.stopped
    (3, 'epochs')
    """
    check_callbacks(callbacks)
    folder = RunFolder(Path(run_dir))
    data = (
        load_run_data(folder, data_dir)
        if data is None
        else as_dataset(data, y, validation_data, _asked_in(folder))
    )
    with contextlib.ExitStack() as held:
        config = held.enter_context(folder.hold())
        try:
            check_same_data(config, load_model(folder.path).schema, data)
        except DataError as error:
            raise DataError(f"{folder.path}: {error}") from None
        saved, network, done, begun = _read_checkpoint(folder)
        config = lengthen(config, epochs, done, begun)
        with naming_file(folder.config_path):
            opened = Trainer.open(
                network,
                data,
                config,
                Components.build(config.training),
                sample_weight=saved["sample_weight"],
                folder=folder.path,
                saved=saved,
            )
            held.enter_context(telling_of_compiler(progress))
            trainer = held.enter_context(opened)
        with remembering(trainer):
            return trainer.fit(callbacks, progress=progress)


def _asked_in(folder: RunFolder) -> Asked:
    """Return what the network of a run can be asked for."""
    folder.config()  # what is no run folder is refused as such
    return asked_of(load_model(folder.path).network)


def _read_checkpoint(folder: RunFolder) -> tuple[SavedState, Network, int, int]:
    """Return what a checkpoint holds, its network, and how many epochs were finished, and how many begun."""
    path, values = folder.checkpoint_path, folder.checkpoint()
    try:
        saved = check_state(values)
        done, begun = count_epochs(saved)
    except ValueError as error:
        raise FileError(path, f"is no checkpoint of a run: {error}") from None
    return saved, restore_network(path, saved["network"]), done, begun
