"""A run is a value: one configuration, checked, that TOML on disk and objects in Python say alike.

What does not fit an option, or is no option, is one line that names it and what may be meant. Some configurations
come along: the plans, each found by search on validation rows of its data set.
"""

from __future__ import annotations

import importlib.resources
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import tomli_w
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from glassnet.errors import DataError, UsageError, naming_file, nearest_name
from glassnet.runtime.records import complaint, parse_toml, read_record
from glassnet.training.options import (
    SECTIONS,
    DataConfig,
    NetworkConfig,
    Section,
    TrainingConfig,
    fields_of,
    option,
    option_of,
)

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset


Model = TypeVar("Model", bound=BaseModel)

#: What takes the options of a section in Python.
TAKERS = {"data": "glassnet.load_dataset", "network": "glassnet.Network", "training": "glassnet.fit"}


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
    data_schema : dict
        What rows and targets mean, for people: the model file holds it in full.

    Examples
    --------
    >>> config = RunConfig(data=DataConfig(dataset="digits"), network=NetworkConfig(layers=[64, 10]))
    >>> config.training.optimizer
    'adam'
    """

    seed: int = option(0, "Seed of the first weights, and of the order of the rows.", ge=0, lt=2**63)
    data: DataConfig
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    checksums: dict[str, str] = Field(default={})
    start: str | None = None
    sample_weight: str | None = None
    environment: dict[str, str] = Field(default={})
    data_schema: dict[str, Any] = Field(default={})

    def to_toml(self) -> str:
        """Return the configuration as TOML; what is None is left out."""
        return tomli_w.dumps(self.model_dump(exclude_none=True))


def nearest_option(name: str, known: Iterable[str]) -> str | None:
    """Return the option that is meant by a name that is none: what others call so, or the most similar name."""
    known, plain = list(known), name.replace("-", "_").lower()
    for section in SECTIONS:
        for meant, field in fields_of(section).items():
            if meant in known and plain in option_of(field).elsewhere:
                return meant
    return nearest_name(name, known, cutoff=0.75)


def unknown_option(place: str, known: Iterable[str], others: Iterable[str] = ()) -> UsageError:
    """Build the error for a name that is no option of a place; `others` are further names that may be meant.

    `place` is the name, after its section where that is part of the message; `known` are the options at that
    place.
    """
    known, name = list(known), place.rpartition(".")[2]
    for section, taker in TAKERS.items():
        if name in fields_of(section):
            return UsageError(place, f"is no option here; it goes to {taker}, or to [{section}] in a file")
    meant = nearest_option(name, [*known, *others])
    problem = f"did you mean {meant}?" if meant else f"known here: {', '.join(known)}"
    return UsageError(place, f"is no option; {problem}")


def validate(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Build a configuration; raise pydantic's first complaint as a `UsageError` that names the option."""
    try:
        return model(**values)
    except ValidationError as error:
        raise _explain(model, error.errors()[0]) from None


def _explain(model: type[BaseModel], first: ErrorDetails) -> UsageError:
    """Return pydantic's complaint as an error that names the option."""
    full = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        section = full[-2] if len(full) > 1 else ""
        inner = model.model_fields[section].annotation if section in model.model_fields else model
        known = fields_of(section) if section in SECTIONS else getattr(inner, "model_fields", model.model_fields)
        return unknown_option(".".join(full), known)
    if first["type"] == "value_error" and isinstance(problem := first["ctx"]["error"], UsageError):
        return UsageError(".".join([*full, problem.name]), problem.problem)
    place = [part for part in first["loc"] if isinstance(part, str) and part.isidentifier()]
    name = ".".join(part for part in place if part not in ("int", "float", "str")) or "configuration"
    return UsageError(name, complaint(first))


def check_data(config: RunConfig, data: Dataset) -> None:
    """Raise `DataError` where data differ from what a configuration records: a file's checksum, or the scaling."""
    for file, checksum in config.checksums.items():
        if data.checksums.get(file) != checksum:
            raise DataError(
                f"{file}: is not the file that this configuration was made with (md5 {checksum}); "
                "remove it from [checksums] to use the data at hand all the same"
            )
    for name, found in (("scaling", data.scaling), ("pieces", data.pieces)):
        asked = getattr(config.data, name)
        if asked is not None and asked != found:
            wanted, got = (f'"{one}"' if isinstance(one, str) else one for one in (asked, found))
            raise DataError(
                f"{data.name}: the configuration has {name} = {wanted} and the data have {got}; "
                f"load them with load_dataset(..., {name}={wanted}), or change it"
            )


def configure(changes: dict[str, Any], start: str | Path | RunConfig | None = None) -> RunConfig:
    """Make a configuration of another's values, where one is given (or its TOML file), with some of them changed.

    The sections of `changes` are dicts; a None changes nothing. Where the changes concern the seed, the data or
    the network, the record of the start, and of other data's checksums, no longer applies and is left out. A
    changed seed is the network's, too. Raises `UsageError` or `FileError` if a value does not fit, or the file
    cannot be read.
    """
    if start is not None and not isinstance(start, RunConfig):
        start = load_config(start)
    values = start.model_dump(exclude_none=True) if start else {}
    changed = _merge(values, changes)
    if changed & {"seed", "data", "network"}:
        values.pop("start", None)
    if "data" in changed:
        values.pop("checksums", None)
        values.pop("data_schema", None)
    if "seed" in changed:
        values.get("network", {}).pop("seed", None)
    return validate(RunConfig, values)


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
    values = parse_toml(Path(path), read_record(Path(path)))
    with naming_file(path):
        config = validate(RunConfig, values)
        resolve_names(config)
    return config


def plan_names(dataset: str) -> list[str]:
    """Return the names of the plans that there are for a data set, ``best`` first."""
    files = importlib.resources.files("glassnet.training").joinpath("plans").iterdir()
    endings = [file.name.removeprefix(f"{dataset}-") for file in files if file.name.startswith(f"{dataset}-")]
    return sorted(ending.removesuffix(".toml") for ending in endings if ending.count("-") == 0)


def load_plan(dataset: str, name: str = "best") -> RunConfig:
    """Return a plan's configuration; ``glassnet.run`` trains by it.

    Parameters
    ----------
    dataset : str
        For example ``"fashion-mnist"``.
    name : str, default "best"
        ``"best"`` for accuracy, ``"fast"`` for time, where there is one.

    Returns
    -------
    RunConfig
        What the plan says of data, network and training.

    Raises
    ------
    UsageError
        If there is no such plan.

    Examples
    --------
    >>> load_plan("fashion-mnist").data.dataset
    'fashion-mnist'
    """
    known = plan_names(dataset)
    if name not in known:
        there = f"there are: {', '.join(known)}" if known else "leave it out"
        raise UsageError("plan", f"there is no plan {name!r} for {dataset}; {there}")
    file = importlib.resources.files("glassnet.training").joinpath("plans", f"{dataset}-{name}.toml")
    return validate(RunConfig, tomllib.loads(file.read_text(encoding="utf-8")))
