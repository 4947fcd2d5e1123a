"""A run is a value: one configuration, checked, that TOML on disk and objects in Python say alike."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w
from pydantic import Field

from glassnet.errors import DataError, FileError, UsageError
from glassnet.training.option_errors import validated
from glassnet.training.options import (
    SECTIONS,
    DataConfig,
    NetworkConfig,
    Section,
    TrainingConfig,
    option,
)

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset


class RunConfig(Section):
    """Everything that decides a run's result.

    Attributes
    ----------
    seed : int
        Decides the initial parameters, the order of the samples, the masks of dropout and how images are moved.
    data, network, training
        The sections.
    checksums : dict
        md5 of the data files by name; a repeated run refuses other data.
    start : str
        `Network.fingerprint` of the initial parameters; a repeated run refuses another start.
    sample_weight : str
        SHA-256 of the weights of its rows, where it had any; a repeated run refuses others.
    environment : dict
        Where the run took place; for people, but for kernels and threads, which `glassnet.resume` takes again.

    Examples
    --------
    >>> config = RunConfig(data=DataConfig(dataset="digits"), network=NetworkConfig(layers=[64, 10]))
    >>> config.training.optimizer
    'adam'
    """

    seed: int = option(0, "Seed of the first weights, and of the order of the rows.", ge=0)
    data: DataConfig
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    checksums: dict[str, str] = Field(default={})
    start: str | None = None
    sample_weight: str | None = None
    environment: dict[str, str] = Field(default={})

    def to_toml(self) -> str:
        """Return the configuration as TOML; what is None is left out."""
        return tomli_w.dumps(self.model_dump(exclude_none=True))


def check_data(config: RunConfig, data: Dataset) -> None:
    """Hold data against what a configuration records of them: checksums, and whether they are standardised.

    Raises
    ------
    DataError
        If a file is not the one that the configuration was made with, or the rows are scaled otherwise.
    """
    for file, checksum in config.checksums.items():
        if data.checksums.get(file) != checksum:
            raise DataError(
                f"{file}: is not the file that this configuration was made with (md5 {checksum}); "
                "remove it from [checksums] to use the data at hand all the same"
            )
    if config.data.standardize != (data.standardisation is not None):
        asked = str(config.data.standardize).lower()
        raise DataError(
            f"{data.name}: the configuration has standardize = {asked} and the data are otherwise; "
            f"load them with load_dataset(..., standardize={config.data.standardize}), or change it"
        )


def configure(changes: dict[str, Any], start: str | Path | RunConfig | None = None) -> RunConfig:
    """Make a configuration of another's values, where one is given, with some of them changed.

    Parameters
    ----------
    changes : dict
        Values by name, sections as dicts; a None changes nothing.
    start : str, Path or RunConfig, optional
        TOML file, or a configuration. Where the changes concern the seed, the data or the network, its record of
        the start, and of other data's checksums, no longer applies and is left out. A changed seed is the
        network's, too.

    Raises
    ------
    UsageError, FileError
        If a value does not fit, or the file cannot be read.

    Examples
    --------
    >>> configure({"seed": None, "data": {"dataset": "digits"}}).data.dataset
    'digits'
    """
    if start is not None and not isinstance(start, RunConfig):
        start = load_config(start)
    values = start.model_dump(exclude_none=True) if start else {}
    changed = _merge(values, changes)
    if changed & {"seed", "data", "network"}:
        values.pop("start", None)
    if "data" in changed:
        values.pop("checksums", None)
    if "seed" in changed:
        values.get("network", {}).pop("seed", None)
    return validated(RunConfig, values)


def _merge(values: dict[str, Any], changes: dict[str, Any]) -> set[str]:
    """Put changes into values; return the names at this level that changed."""
    changed = set()
    for name, value in changes.items():
        if isinstance(value, dict) and name in SECTIONS:
            if _merge(values.setdefault(name, {}), value):
                changed.add(name)
        elif value is not None:
            values[name] = value
            changed.add(name)
    return changed


def resolve_names(config: RunConfig) -> None:
    """Raise `UsageError` for a name or specification that nothing is registered for."""
    from glassnet.data.augmentation import Augmentation
    from glassnet.nn.activations import ACTIVATIONS
    from glassnet.nn.initializers import INITIALIZERS
    from glassnet.nn.losses import LOSSES
    from glassnet.nn.optimizers import OPTIMIZERS
    from glassnet.nn.schedules import SCHEDULES
    from glassnet.training.early_stopping import EARLY_STOPPING

    network = config.network
    for activation in [network.activation] if isinstance(network.activation, str) else network.activation:
        ACTIVATIONS.resolve(activation, "network.activation")
    if network.loss is not None:
        LOSSES.resolve(network.loss, "network.loss")
    if network.initializer != "array":
        INITIALIZERS.resolve(network.initializer, "network.initializer")
    INITIALIZERS.resolve(network.bias_initializer, "network.bias_initializer")
    training = config.training
    OPTIMIZERS.resolve(training.optimizer, "training.optimizer")
    SCHEDULES.resolve(training.schedule, "training.schedule")
    Augmentation.parse(training.augmentation)
    if training.early_stopping is not None:
        EARLY_STOPPING.resolve(training.early_stopping, "training.early_stopping")


def load_config(path: str | Path) -> RunConfig:
    """Read a configuration from a TOML file, for example a run folder's ``config.toml``.

    Parameters
    ----------
    path : str or Path
        The file, with the sections ``[data]``, ``[network]`` and ``[training]``.

    Returns
    -------
    RunConfig
        What the file says, and the defaults of what it does not.

    Raises
    ------
    FileError
        If the file cannot be read, is no TOML, or holds a value that does not fit.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "config.toml")
    ...     _ = file.write_text('data.dataset = "digits"')
    ...     load_config(file).training.epochs
    10
    """
    if Path(path).exists() and not Path(path).is_file():
        raise FileError(path, "is not a regular file")
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        config = validated(RunConfig, values)
        resolve_names(config)
        return config
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror}") from None
    except UsageError as error:
        raise FileError(path, str(error)) from None
    except (ValueError, RecursionError) as error:
        raise FileError(path, f"is no TOML file: {error}") from None
