"""The space of a search: a base configuration, and the parameters that are drawn for each trial."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from glassnet.data.dataset import Dataset
from glassnet.errors import UsageError, naming_file, unknown_name
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.runtime.records import parse_toml, read_record
from glassnet.study.design import Changes, add_measure, change_config
from glassnet.study.specification import format_label
from glassnet.training.config import RunConfig, configure, resolve_names, validate
from glassnet.training.options import SECTIONS, OptimizerShorthand, fields_of
from glassnet.training.run import choose_layers

#: What a parameter may change: all of network and training but what belongs to the search and its machine, and of
#: the data what leaves the rows as they are.
KEYS = (
    *(f"network.{name}" for name in fields_of("network") if name not in ("seed", "layers", "loss")),
    *(f"training.{name}" for name in fields_of("training") if name not in ("epochs", "threads", "metrics")),
    "data.scaling",
    "data.impute",
)

#: What decides where nothing is said.
MEASURE = "validation_accuracy"

#: Significant digits of a value that is a multiple of the optimizer's own: those that a person would write.
DIGITS = 4


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _File(_Section):
    measure: str | None = None
    base: dict[str, dict[str, Any]] = {}
    parameters: dict[str, dict[str, Any]] = Field(min_length=1)


class _LayersTable(_Section):
    depth: tuple[int, int] = (1, 3)
    width: tuple[int, int] = (16, 256)
    taper: list[float] = Field(default=[1.0], min_length=1)


class _ChoicesTable(_Section):
    key: str | None = None
    choices: list[Any] = Field(min_length=2)


class _NumbersTable(_Section):
    key: str | None = None
    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    log: bool = False
    step: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    times_default: bool = False


@dataclass(frozen=True)
class Choice:
    """A parameter that takes one of several values, which are not in any order; each is drawn by its label."""

    values: dict[str, Any]

    @property
    def drawn_ends(self) -> tuple[Any, ...]:
        """What has to fit: every label."""
        return tuple(self.values)

    def read(self, drawn: Any) -> Any:
        """Return the value of a label."""
        return self.values[drawn]


@dataclass(frozen=True)
class Numbers:
    """A parameter that takes numbers from `low` to `high`, evenly, in steps, or evenly by their logarithm."""

    low: float
    high: float
    log: bool = False
    step: float | None = None
    whole: bool = False

    @property
    def drawn_ends(self) -> tuple[Any, ...]:
        """What has to fit: the lowest and the highest."""
        return self.read(self.low), self.read(self.high)

    def read(self, drawn: Any) -> Any:
        """Return the number as its option takes it."""
        return (
            int(drawn) if self.whole else float(f"{drawn:.12g}")
        )  # 0.3, where steps add up to 0.30000000000000004


#: What is drawn, by name.
Dimension = Choice | Numbers


@dataclass(frozen=True)
class Space:
    """What a search draws, and from what it starts.

    Attributes
    ----------
    base : RunConfig
        What all trials have in common; its epochs are those of a whole run.
    measure : str
        What decides, on the validation rows.
    dimensions : dict of str to Choice or Numbers
        The parameters by name. Those of the hidden layers are ``depth``, ``width`` and ``taper``.
    keys : dict of str to str
        The dotted key that each parameter sets; the hidden layers are ``network.layers``.
    times_default : frozenset of str
        Parameters that are multiples of the optimizer's own value.
    """

    base: RunConfig
    measure: str
    dimensions: dict[str, Dimension]
    keys: dict[str, str]
    times_default: frozenset[str] = frozenset()

    def config(self, drawn: Mapping[str, Any]) -> RunConfig:
        """Return the configuration of a trial by what was drawn for it; `UsageError` if something does not fit."""
        values = {name: self.dimensions[name].read(value) for name, value in drawn.items()}
        changes: Changes = {
            self.keys[name]: value
            for name, value in values.items()
            if name not in self.times_default and self.keys[name] != "network.layers"
        }
        layers = self.base.network.layers
        if "depth" in values and layers is not None:
            hidden = hidden_layers(values["depth"], values["width"], values["taper"])
            changes["network.layers"] = [layers[0], *hidden, layers[-1]]
        config = change_config(self.base, changes)
        own = OPTIMIZERS.resolve(config.training.optimizer)
        for name in sorted(self.times_default):
            value = values[name] * getattr(own, self.keys[name].rpartition(".")[2])
            config = change_config(config, {self.keys[name]: float(f"{value:.{DIGITS}g}")})
        return add_measure(config, self.measure)

    def labels(self, drawn: Mapping[str, Any]) -> dict[str, str]:
        """Return what was drawn as text, as tables show it."""
        return {name: _label(drawn[name]) for name in self.dimensions}

    def for_data(self, data: Dataset) -> Space:
        """Return the space with the layers between the data's columns and what is asked of them."""
        layers = choose_layers(self.base, data)
        return replace(self, base=change_config(self.base, {"network.layers": layers}))

    def fingerprint(self) -> str:
        """Return a SHA-256 of what decides its trials."""
        base = self.base.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        drawn = {name: [type(one).__name__, vars(one)] for name, one in self.dimensions.items()}
        plain = [base, self.measure, drawn, self.keys, sorted(self.times_default)]
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _label(value: Any) -> str:
    """Return a drawn value as a table shows it."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def hidden_layers(depth: int, width: int, taper: float) -> list[int]:
    """Return the widths of hidden layers of which each has `taper` times the units of the one before.

    >>> hidden_layers(3, 256, 0.5)
    [256, 128, 64]
    """
    return [max(1, round(width * taper**place)) for place in range(depth)]


def read_space(
    path: str | Path, changes: Mapping[str, Any], measure: str | None = None
) -> tuple[dict[str, Any], Space]:
    """Read a space from a TOML file: what the file holds, and the space.

    `changes` are the options of the search by section, those of the data among them. They come before the file's.
    `FileError` is raised if the file cannot be read or a value does not fit.
    """
    values = parse_toml(Path(path), read_record(Path(path)))
    with naming_file(path):
        return values, space_of(values, changes, measure)


def shipped_values(name: str) -> dict[str, Any]:
    """Return what the file of a space holds that comes along: ``"images"`` or ``"tables"``."""
    file = importlib.resources.files("glassnet.searches").joinpath("spaces", f"{name}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def space_of(values: Mapping[str, Any], changes: Mapping[str, Any], measure: str | None = None) -> Space:
    """Make a space of the values that its file would hold.

    ``base`` has the sections of a configuration. ``measure`` decides; by default the accuracy on the validation
    rows. Each of the ``parameters`` is a table: ``choices``, or ``low`` and ``high`` with ``log`` or ``step``; for
    ``layers`` it is ``depth`` and ``width``, each from and to, and the choices of ``taper``. A parameter's name is
    that of an option, or ``key`` names one.

    The first value that does not fit is a `UsageError` that names its key.

    Examples
    --------
    >>> space = space_of(
    ...     {"parameters": {"optimizer": {"choices": ["adam", "sgd(0.1)"]}}}, {"data": {"dataset": "digits"}}
    ... )
    >>> space.config({"optimizer": "sgd(0.1)"}).training.optimizer
    'sgd(0.1)'
    """
    file = validate(_File, dict(values))
    base = _read_base(file.base, changes)
    dimensions: dict[str, Dimension] = {}
    keys: dict[str, str] = {}
    multiples = []
    for name, table in file.parameters.items():
        if name == "layers":
            dimensions |= _read_layers(table)
            keys |= dict.fromkeys(("depth", "width", "taper"), "network.layers")
            continue
        keys[name] = _find_key(name, table.get("key"))
        dimensions[name] = _read_dimension(name, table)
        if table.get("times_default"):
            multiples.append(_check_multiple(name, keys[name]))
    _refuse_twice(keys)
    add_measure(base, measure or file.measure or MEASURE)  # an unknown one is refused by itself
    space = Space(base, measure or file.measure or MEASURE, dimensions, keys, frozenset(multiples))
    _check_ends(space)
    return space


def _read_base(base: Mapping[str, Mapping[str, Any]], changes: Mapping[str, Any]) -> RunConfig:
    """Return the configuration that trials start from; an option of the search stands before one of the file."""
    for name in base:
        if name not in SECTIONS:
            raise unknown_name("base", name, SECTIONS)
    given = {name: {**base.get(name, {}), **changes.get(name, {})} for name in SECTIONS}
    rest = {name: value for name, value in changes.items() if name not in SECTIONS}
    try:
        config = configure({**given, **rest})
        resolve_names(config)
    except UsageError as error:
        section, _, name = error.name.partition(".")
        if name in base.get(section, {}) and name not in changes.get(section, {}):
            raise UsageError(f"base.{error.name}", error.problem) from None
        raise
    return config


def _read_table(model: type[BaseModel], name: str, table: Mapping[str, Any]) -> Any:
    try:
        return validate(model, dict(table))
    except UsageError as error:
        raise UsageError(f"parameters.{name}.{error.name}", error.problem) from None


def _read_layers(table: Mapping[str, Any]) -> dict[str, Dimension]:
    """Read what is said of the hidden layers."""
    found: _LayersTable = _read_table(_LayersTable, "layers", table)
    for name, (low, high) in (("depth", found.depth), ("width", found.width)):
        if not 1 <= low <= high:
            raise UsageError(f"parameters.layers.{name}", f"goes from 1 or more upwards, got {low} to {high}")
    if not all(0 < taper <= 1 for taper in found.taper):
        raise UsageError("parameters.layers.taper", f"takes shares above 0, up to 1, got {found.taper}")
    return {
        "depth": Numbers(*found.depth, whole=True),
        "width": Numbers(*found.width, log=True, whole=True),
        "taper": Choice({str(taper): taper for taper in found.taper}),
    }


def _read_dimension(name: str, table: Mapping[str, Any]) -> Dimension:
    """Read a parameter: choices or numbers."""
    if "choices" in table:
        choices: _ChoicesTable = _read_table(_ChoicesTable, name, table)
        labels = {format_label(value): value for value in choices.choices}
        if len(labels) < len(choices.choices):
            raise UsageError(f"parameters.{name}.choices", "a value is there twice; leave one of the two out")
        return Choice(labels)
    found: _NumbersTable = _read_table(_NumbersTable, name, table)
    place = f"parameters.{name}"
    if not found.low < found.high:
        raise UsageError(f"{place}.high", f"is to be above low, got {found.low:g} to {found.high:g}")
    if found.log and (found.low <= 0 or found.step is not None):
        raise UsageError(f"{place}.log", "takes numbers above 0, and no step; leave log or step out")
    whole = all(isinstance(table[part], int) for part in ("low", "high") if part in table)
    if found.step is not None and not math.isclose(
        (found.high - found.low) / found.step, round((found.high - found.low) / found.step), rel_tol=1e-9
    ):
        raise UsageError(f"{place}.step", f"{found.step:g} does not lead from {found.low:g} to {found.high:g}")
    if whole and found.step is not None and not float(found.step).is_integer():
        raise UsageError(f"{place}.step", "is to be a whole number, as low and high are")
    return Numbers(found.low, found.high, found.log, found.step, whole and not found.times_default)


def _find_key(name: str, key: str | None) -> str:
    """Return the dotted key that a parameter sets."""
    if key is None:
        key = next((known for known in KEYS if known.partition(".")[2] == name), None)
        if key is None:
            if any(f"{section}.{name}" in ("training.epochs", "training.threads") for section in SECTIONS):
                raise UsageError(f"parameters.{name}", f"{name} is the same for all trials; set it under base")
            raise UsageError(
                f"parameters.{name}.key", f"is missing: nothing that a search changes is called {name!r}"
            )
    elif key not in KEYS:
        raise unknown_name(f"parameters.{name}.key", key, KEYS)
    return key


def _check_multiple(name: str, key: str) -> str:
    """Refuse multiples of what the optimizer has no value of its own for."""
    if key.partition(".")[2] not in OptimizerShorthand.model_fields:
        raise UsageError(f"parameters.{name}.times_default", "is for values of the optimizer, as learning_rate is")
    return name


def _refuse_twice(keys: Mapping[str, str]) -> None:
    """Refuse two parameters that set one key."""
    seen: dict[str, str] = {}
    for name, key in keys.items():
        if key in seen and key != "network.layers":
            raise UsageError(
                f"parameters.{name}", f"sets {key}, and so does {seen[key]}; leave one of the two out"
            )
        seen[key] = name


def _check_ends(space: Space) -> None:
    """Refuse a value that makes no configuration: of numbers the ends are tried, of choices all."""
    first = {name: one.drawn_ends[0] for name, one in space.dimensions.items()}
    for name, dimension in space.dimensions.items():
        for value in dimension.drawn_ends:
            try:
                resolve_names(space.config({**first, name: value}))
            except UsageError as error:
                raise UsageError(f"parameters.{name}", f"{_label(value)}: {error}") from None
