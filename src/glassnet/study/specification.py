"""A study read from a TOML file, or from the values that one would hold; every error names the key."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from glassnet.data.own import looks_like_a_path
from glassnet.data.registry import find
from glassnet.errors import FileError, UsageError
from glassnet.study.design import BASE, Budget, Changes, Factor, Study, changed, measuring
from glassnet.training.config import RunConfig, resolve_names
from glassnet.training.option_errors import validated
from glassnet.training.options import SECTIONS, DataConfig, NetworkConfig, TrainingConfig

#: Epochs of a run whose budget is in seconds, where the base says none: those of a day, not of a run.
NO_END = 100_000

#: What a factor may change, as a dotted key; seeds are those of the study, threads its runner's.
KEYS = tuple(
    key
    for key in (
        *(f"data.{name}" for name in DataConfig.model_fields),
        *(f"network.{name}" for name in NetworkConfig.model_fields),
        *(f"training.{name}" for name in TrainingConfig.model_fields),
    )
    if key not in ("network.seed", "training.threads")
)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Base(_Section):
    data: DataConfig
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()


class _File(_Section):
    name: str = Field(min_length=1)
    seeds: Any
    design: Literal["one at a time", "factorial", "list"] = "one at a time"
    measure: str = "validation_accuracy"
    budget: dict[str, Any] = {}
    base: dict[str, Any]
    factors: dict[str, dict[str, Any]] = {}
    variants: list[dict[str, Any]] = []


class _FactorTable(_Section):
    key: str | None = None
    levels: list[Any] | dict[str, Any]


class _VariantTable(_Section):
    name: str = Field(min_length=1)
    changes: dict[str, Any]


def load_study(path: str | Path) -> Study:
    """Read a study from a TOML file.

    Raises
    ------
    FileError
        If the file cannot be read, is no TOML, or holds a value that does not fit; one line names file and key.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise FileError(path, "is not a regular file")
    try:
        text = path.read_text(encoding="utf-8")
        return study_of(tomllib.loads(text), text)
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror}") from None
    except UsageError as error:
        raise FileError(path, str(error)) from None
    except (ValueError, RecursionError) as error:
        raise FileError(path, f"is no TOML file: {error}") from None


def study_of(values: Mapping[str, Any], text: str | None = None) -> Study:
    """Make a study of the values that its file would hold.

    Parameters
    ----------
    values : mapping
        As in the file; see ``examples/optimizers.toml``.
    text : str, optional
        The file as it stands, where there is one.

    Raises
    ------
    UsageError
        For the first value that does not fit, named by its key.
    """
    file = validated(_File, dict(values))
    budget = _part(Budget, file.budget, "budget")
    if budget.epochs is not None and budget.seconds is not None:
        raise UsageError("budget", "takes epochs or seconds, not both; leave one of them out")
    base = _base(file, budget)
    factors = tuple(_factor(name, table) for name, table in file.factors.items())
    listed = _listed(file)
    changes = [
        (f"factors.{one.name}.levels", label, part) for one in factors for label, part in one.levels.items()
    ]
    changes += [(f"variants.{name}", name, part) for name, part in listed.items()]
    for place, label, part in changes:
        _try(base, budget, place, label, part)
    _check_design(file, factors)
    study = Study(
        name=file.name,
        seeds=_seeds(file.seeds),
        design=file.design,
        measure=file.measure,
        budget=budget,
        factors=factors,
        base=_with_first_levels(base, file.base, factors),
        listed=listed,
        text=tomli_w.dumps(dict(values)) if text is None else text,
    )
    names = [variant.name for variant in study.variants()]
    for name in names:
        if names.count(name) > 1:
            raise UsageError("factors", f"two variants would have the name {name!r}; name the levels otherwise")
    return study


def _part(model: type[Any], values: Mapping[str, Any], place: str) -> Any:
    """Read a table of the file, with its place in the names of errors."""
    try:
        return validated(model, dict(values))
    except UsageError as error:
        name = place if error.name == "configuration" else f"{place}.{error.name}"
        raise UsageError(name, error.problem) from None


def _base(file: _File, budget: Budget) -> RunConfig:
    """Return the base's configuration, with the budget and with what the measure needs."""
    for place, part in (("base", file.base), ("base.network", file.base.get("network", {}))):
        if isinstance(part, dict) and "seed" in part:
            raise UsageError(f"{place}.seed", "is decided by seeds; leave it out")
    sections = _part(_Base, file.base, "base")
    config = RunConfig(data=sections.data, network=sections.network, training=sections.training)
    said = "epochs" in file.base.get("training", {})
    if budget.epochs is not None:
        if said and config.training.epochs != budget.epochs:
            raise UsageError("budget.epochs", "base.training.epochs says otherwise; leave one of them out")
        config = changed(config, {"training.epochs": budget.epochs})
    elif budget.seconds is not None and not said:
        config = changed(config, {"training.epochs": NO_END})
    try:
        resolve_names(config)
        if not looks_like_a_path(config.data.dataset):
            find(config.data.dataset)
    except UsageError as error:
        name = "data.dataset" if error.name == "dataset" else error.name
        raise UsageError(f"base.{name}", error.problem) from None
    return measuring(config, file.measure)


def _seeds(seeds: Any) -> tuple[int, ...]:
    """Return the seeds that a number of them, or a list, stands for."""
    if _is_whole(seeds) and seeds >= 1:
        return tuple(range(seeds))
    if not isinstance(seeds, list) or not seeds or not all(_is_whole(seed) and seed >= 0 for seed in seeds):
        raise UsageError(
            "seeds", f"takes a number of seeds, or a list of whole numbers as in [0, 1, 2], got {seeds!r}"
        )
    for seed in seeds:
        if seeds.count(seed) > 1:
            raise UsageError("seeds", f"{seed} is there twice; each run needs a seed of its own")
    return tuple(seeds)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _factor(name: str, table: Mapping[str, Any]) -> Factor:
    """Read a factor; its levels are a list of values, or values or changes by label."""
    place = f"factors.{name}"
    found = _part(_FactorTable, table, place)
    key = _key(name, found.key)
    given = [(label_of(value), value) for value in found.levels]
    if isinstance(found.levels, dict):
        given = list(found.levels.items())
    if len(given) < 2:
        raise UsageError(f"{place}.levels", f"needs two levels or more, the base's first, got {len(given)}")
    levels: dict[str, Changes] = {}
    for label, value in given:
        changes = _changes(value, f"{place}.levels.{label}") if isinstance(value, dict) else None
        if changes is None:
            if key is None:
                raise UsageError(f"{place}.key", f"is missing: no key of network or training is called {name!r}")
            changes = {key: value}
        if label in levels or changes in levels.values():
            raise UsageError(f"{place}.levels", f"{label} is there twice; leave one of the two out")
        levels[label] = changes
    return Factor(name, levels)


def _key(name: str, key: str | None) -> str | None:
    """Return the dotted key of a factor: the one that is given, or the one that its name says, if any."""
    if key is not None:
        _check_key(key, f"factors.{name}.key")
        return key
    named = [f"{section}.{name}" for section in ("network", "training")]
    return next((key for key in named if key in KEYS), None)


def _check_key(key: str, place: str) -> None:
    if key in KEYS:
        return
    if key in ("network.seed", "seed", "training.threads"):
        owner = "the study's runner" if key.endswith("threads") else "seeds"
        raise UsageError(place, f"{key} is decided by {owner}; change something else")
    ends = {known.partition(".")[2]: known for known in KEYS}
    close = difflib.get_close_matches(key, [*KEYS, *ends], n=1)
    hint = f"did you mean {ends.get(close[0], close[0])!r}?" if close else "write it as in training.optimizer"
    raise UsageError(place, f"no configuration has the key {key!r}; {hint}")


def _changes(value: Mapping[str, Any], place: str) -> Changes | None:
    """Read a table of keys, dotted or in sections; None where it is a value, as the weights of classes are."""
    if value and not any(name in SECTIONS or name.partition(".")[0] in SECTIONS for name in value):
        return None
    changes: Changes = {}
    for name, part in value.items():
        if name in SECTIONS and isinstance(part, dict):
            changes |= {f"{name}.{key}": inner for key, inner in part.items()}
        else:
            changes[name] = part
    for key in changes:
        _check_key(key, place)
    return changes


def label_of(value: Any) -> str:
    """Return how a level is called that has no label.

    Examples
    --------
    >>> [label_of(value) for value in ("adam", 0.1, True, [784, 64, 10], [0.1, 0.4])]
    ['adam', '0.1', 'true', '784-64-10', '[0.1,0.4]']
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(map(_is_whole, value)):
        return "-".join(map(str, value))
    return json.dumps(value, separators=(",", ":"), default=str)


def _listed(file: _File) -> dict[str, Changes]:
    listed: dict[str, Changes] = {}
    for number, table in enumerate(file.variants, start=1):
        found = _part(_VariantTable, table, f"variants.{table.get('name', number)}")
        if found.name in (BASE, *listed):
            raise UsageError(f"variants.{found.name}", "is a name that is taken; choose another")
        changes = _changes(found.changes, f"variants.{found.name}.changes")
        if changes is None:
            raise UsageError(
                f"variants.{found.name}.changes", "takes keys as in training.optimizer, each with its value"
            )
        listed[found.name] = changes
    return listed


def _try(base: RunConfig, budget: Budget, place: str, label: str, changes: Changes) -> None:
    """Refuse a level that makes no configuration."""
    if budget.epochs is not None and "training.epochs" in changes:
        raise UsageError(
            place, f"{label}: changes the epochs, and budget.epochs fixes them; leave one of the two out"
        )
    try:
        config = changed(base, changes)
        resolve_names(config)
        if not looks_like_a_path(config.data.dataset):
            find(config.data.dataset)
    except UsageError as error:
        raise UsageError(place, f"{label}: {error}") from None


def _check_design(file: _File, factors: tuple[Factor, ...]) -> None:
    """Refuse a design without what it varies, or with what it does not."""
    if file.design == "list":
        if not file.variants:
            raise UsageError("variants", 'is missing: the design "list" runs those that are named')
        if factors:
            raise UsageError("factors", 'goes with the designs "one at a time" and "factorial"; leave it out')
        return
    if file.variants:
        raise UsageError("variants", f'goes with the design "list", and this is {file.design!r}; leave it out')
    if not factors:
        raise UsageError("factors", "is missing: a study changes something")
    seen: dict[str, str] = {}
    for factor in factors:
        for key in {key for changes in factor.levels.values() for key in changes}:
            if key in seen:
                raise UsageError(
                    f"factors.{factor.name}", f"changes {key}, and so does {seen[key]}; make them one"
                )
            seen[key] = factor.name


def _with_first_levels(base: RunConfig, said: Mapping[str, Any], factors: tuple[Factor, ...]) -> RunConfig:
    """Return the base with the first level of every factor, which it may say itself, but not otherwise."""
    for factor in factors:
        label, changes = next(iter(factor.levels.items()))
        after = changed(base, changes)
        for key in changes:
            section, _, name = key.partition(".")
            if name in said.get(section, {}) and getattr(getattr(after, section), name) != getattr(
                getattr(base, section), name
            ):
                raise UsageError(
                    f"base.{key}", f"is not {label}, the first level of factors.{factor.name}, which is the base's"
                )
        base = after
    return base
