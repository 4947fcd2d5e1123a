"""A run is a value: one configuration, checked, that TOML on disk and objects in Python say alike."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict, TypeVar

import tomli_w
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from glassnet.data.augmentation import Augmentation
from glassnet.data.dataset import NAMED_VALIDATION, OTHER_VALIDATION, Dataset
from glassnet.errors import DataError, FileError, UsageError
from glassnet.nn.activations import ACTIVATIONS
from glassnet.nn.initializers import INITIALIZERS
from glassnet.nn.losses import LOSSES
from glassnet.nn.optimizers import OPTIMIZERS, Optimizer
from glassnet.nn.schedules import SCHEDULES, Schedule
from glassnet.training.early_stopping import EARLY_STOPPING, EarlyStopping

Model = TypeVar("Model", bound=BaseModel)


def _validation_rows(value: Any) -> Any:
    """Refuse names of validation rows that `Dataset.validated_by` does not know."""
    if isinstance(value, str) and not re.fullmatch(NAMED_VALIDATION, value):
        raise PydanticCustomError("validation_rows", OTHER_VALIDATION)
    return value


NotNegative = Annotated[int | float, Field(ge=0)]
ValidationRows = Annotated[NotNegative | str | None, BeforeValidator(_validation_rows)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(_Section):
    """Which data, and how they are split; see `glassnet.load_dataset`."""

    dataset: str
    validation: ValidationRows = None
    split_seed: int = Field(default=0, ge=0)
    target: str | None = None
    impute: Literal["error", "median"] | None = None
    standardize: bool = False


class NetworkConfig(_Section):
    """Which network; see `glassnet.Network`.

    Without layers or loss, `glassnet.run` fits them to the data; without a seed, it is the run's.
    """

    layers: list[int] | None = None
    activation: str | list[str] = "relu"
    output_activation: str | None = None
    loss: str | None = None
    output_scale: float = 1.0
    initializer: str = "glorot_uniform"
    bias_initializer: str = "zeros"
    seed: int | None = Field(default=None, ge=0)
    dtype: str = "float32"
    batch_norm: bool | list[bool] = False
    dropout: float | list[float] = 0.0


class TrainingConfig(_Section):
    """How it learns; see `glassnet.fit`."""

    optimizer: str = "adam"
    epochs: int = Field(default=10, ge=1)
    batch_size: int | None = Field(default=None, ge=1)
    samples_per_epoch: int | float | None = Field(default=None, gt=0)
    sampling: Literal["fresh", "first"] = "fresh"
    kernels: Literal["auto", "numba", "numpy"] = "auto"
    threads: int | None = Field(default=None, ge=1)
    schedule: str = "constant"
    l1: float = Field(default=0.0, ge=0)
    l2: float = Field(default=0.0, ge=0)
    weight_decay: float = Field(default=0.0, ge=0)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    clip_norm: float | None = Field(default=None, gt=0)
    clip_value: float | None = Field(default=None, gt=0)
    max_norm: float | None = Field(default=None, gt=0)
    ema: float | None = Field(default=None, gt=0, lt=1)
    average_epochs: int | None = Field(default=None, ge=1)
    class_weight: str | dict[str, float] | None = None
    augmentation: str = "none"
    metrics: list[str] = []
    early_stopping: str | None = None
    checkpoint_every: int | None = Field(default=None, ge=1)


class TrainingOptions(TypedDict, total=False):
    """The arguments of `glassnet.fit` that say how a network learns: as in `TrainingConfig`, or as objects."""

    optimizer: str | Optimizer
    learning_rate: float | None
    epochs: int
    batch_size: int | None
    samples_per_epoch: float | None
    sampling: str
    kernels: str
    threads: int | None
    schedule: str | Schedule
    l1: float
    l2: float
    weight_decay: float
    label_smoothing: float
    clip_norm: float | None
    clip_value: float | None
    max_norm: float | None
    ema: float | None
    average_epochs: int | None
    class_weight: str | dict[str, float] | None
    augmentation: str | Augmentation
    metrics: list[str]
    early_stopping: int | str | EarlyStopping | None
    checkpoint_every: int | None


#: The parts of a configuration.
SECTIONS = ("data", "network", "training")


class RunConfig(_Section):
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

    seed: int = Field(default=0, ge=0)
    data: DataConfig
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    checksums: dict[str, str] = {}
    start: str | None = None
    sample_weight: str | None = None
    environment: dict[str, str] = {}

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


def validated(model: type[Model], values: dict[str, Any]) -> Model:
    """Build a configuration, with pydantic's complaints as one line that names the option.

    Raises
    ------
    UsageError
        For the first value that does not fit.

    Examples
    --------
    >>> validated(TrainingConfig, {"epochs": 0})
    Traceback (most recent call last):
        ...
    glassnet.errors.UsageError: epochs: input should be greater than or equal to 1, got 0
    """
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "extra_forbidden":
            place = [str(part) for part in first["loc"]]
            known = ", ".join(_section(model, place[:-1]).model_fields)
            raise UsageError(".".join(place), f"is no option; known here: {known}") from None
        place = [part for part in first["loc"] if isinstance(part, str) and part.isidentifier()]
        name = ".".join(part for part in place if part not in ("int", "float", "str")) or "configuration"
        message = first["msg"][0].lower() + first["msg"][1:]
        if first["type"] == "missing":
            raise UsageError(name, "is missing") from None
        raise UsageError(name, f"{message}, got {first['input']!r}") from None


def _section(model: type[BaseModel], place: list[str]) -> type[BaseModel]:
    """Return the (sub-)model that a place in a configuration belongs to."""
    for part in place:
        inner = model.model_fields[part].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return model


def resolve_names(config: RunConfig) -> None:
    """Raise `UsageError` for a name or specification that nothing is registered for."""
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

    Raises
    ------
    FileError
        If the file cannot be read, is no TOML, or holds a value that does not fit.
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
