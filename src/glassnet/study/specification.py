"""A study read from a TOML file, or from the values that one would hold; every error names the key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from glassnet.data.registry import find
from glassnet.data.user_data import looks_like_a_path
from glassnet.errors import UsageError, naming_file, unknown_name
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.runtime.records import parse_toml, read_record
from glassnet.study.design import BASE, Budget, Changes, Factor, Study, add_measure, change_config
from glassnet.training.config import RunConfig, nearest_option, resolve_names, validate
from glassnet.training.options import (
    SECTIONS,
    DataConfig,
    NetworkConfig,
    OptimizerShorthand,
    TrainingConfig,
    fields_of,
)

#: Epochs of a run whose budget is in seconds, where the base says none: those of a day, not of a run.
NO_END = 100_000

#: What a factor may change, as a dotted key; seeds are those of the study, threads its runner's.
KEYS = tuple(
    key
    for section in SECTIONS
    for name in fields_of(section)
    if (key := f"{section}.{name}") not in ("network.seed", "training.threads")
)

Table = TypeVar("Table", bound=BaseModel)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Base(_Section):
    data: DataConfig
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    seed: Any = None


class _File(_Section):
    name: str = Field(min_length=1)
    seeds: Any
    design: Literal["one at a time", "factorial", "list"] = "one at a time"
    measure: str = "validation_accuracy"
    margin: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    budget: Budget = Budget()
    base: _Base
    factors: dict[str, dict[str, Any]] = {}
    variants: list[dict[str, Any]] = []
    together: list[dict[str, str]] = []


class _FactorTable(_Section):
    key: str | None = None
    levels: list[Any] | dict[str, Any]


class _VariantTable(_Section):
    name: str = Field(min_length=1)
    changes: dict[str, Any]


def load_study(path: str | Path) -> Study:
    """Read a study from a TOML file: a base configuration, what is changed of it, and the seeds.

    Parameters
    ----------
    path : str or Path
        The file; ``examples/optimizers.toml`` is one, and `study_of` names its keys.

    Returns
    -------
    Study
        For `glassnet.run_study`.

    Raises
    ------
    FileError
        If the file cannot be read, is no TOML, or holds a value that does not fit; one line names file and key.

    Examples
    --------
    >>> import tempfile
    >>> text = '''
    ... name = "small"
    ... seeds = 3
    ... [base.data]
    ... dataset = "digits"
    ... [factors.optimizer]
    ... levels = ["adam", "sgd(0.1)"]
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = Path(folder, "small.toml").write_text(text)
    ...     study = load_study(Path(folder, "small.toml"))
    >>> study.seeds, [variant.name for variant in study.variants()]
    ((0, 1, 2), ['base', 'optimizer=sgd(0.1)'])
    """
    path = Path(path)
    text = read_record(path)
    values = parse_toml(path, text)
    with naming_file(path):
        return study_of(values, text)


def study_of(values: Mapping[str, Any], text: str | None = None) -> Study:
    """Make a study of the values that its file would hold, and of the file's text, if there is one.

    The values are ``name`` (str), ``seeds`` (a number, or a list of them) and ``base`` (with ``data``, ``network``
    and ``training``, as in a run's configuration). ``design`` is ``"one at a time"`` (the default),
    ``"factorial"`` or ``"list"``. ``measure`` is ``"validation_accuracy"`` by default, and ``budget`` (``epochs``
    or ``seconds``) the base's epochs. ``margin`` is the smallest difference that matters, in units of the measure,
    as for `glassnet.study.statistics.compare`. ``factors`` maps names to ``levels`` and, if a name is no option, a
    ``key``. The ``variants`` of a list have a ``name`` and ``changes``. ``together`` lists further combinations of
    levels, each a mapping of factors to labels of levels.

    Every seed draws its own validation rows. They stay the same if ``base.data.split_seed`` is given or is changed
    by a factor, if ``validation`` names rows or is 0, or if the data come with validation rows.

    The first value that does not fit is a `UsageError` that names its key.
    """
    file = validate(_File, dict(values))
    if file.budget.epochs is not None and file.budget.seconds is not None:
        raise UsageError("budget", "takes epochs or seconds, not both; leave one of them out")
    base = _read_base(file)
    factors = tuple(_read_factor(name, table) for name, table in file.factors.items())
    variants = _read_variants(file)
    for factor in (*factors, variants):
        for label, changes in factor.levels.items():
            place = f"variants.{label}" if factor is variants else f"factors.{factor.name}.levels"
            _check_level(base, file.budget, place, label, changes)
    _check_design(file, factors)
    study = Study(
        name=file.name,
        seeds=_read_seeds(file.seeds),
        design=file.design,
        measure=file.measure,
        budget=file.budget,
        factors=(variants,) if file.design == "list" else factors,
        base=_set_first_levels(base, file.base, factors),
        splits_by_seed=_draws_by_seed(file.base.data, (*factors, variants)),
        margin=file.margin,
        together=tuple(file.together),
        text=tomli_w.dumps(dict(values)) if text is None else text,
    )
    _check_together(study)
    names = [variant.name for variant in study.designed()]
    if (twice := _find_repeated(names)) is not None:
        raise UsageError("factors", f"two variants would have the name {twice!r}; name the levels otherwise")
    return study


def _check_together(study: Study) -> None:
    """Refuse combinations of levels that there are not, or that are run anyway."""
    if study.together and study.design == "list":
        raise UsageError("together", "combines levels of factors, and a list has none; leave it out")
    names = [variant.name for variant in study.designed()]
    for levels in study.together:
        for factor, label in levels.items():
            known = study.levels().get(factor)
            if known is None:
                raise unknown_name("together", factor, study.levels())
            if label not in known:
                raise unknown_name(f"together.{factor}", label, known)
        names.append(study.variant(levels).name)
    if (twice := _find_repeated(names)) is not None:
        raise UsageError("together", f"{twice} is run anyway; leave it out")


def _draws_by_seed(data: DataConfig, factors: Sequence[Factor]) -> bool:
    """Whether the seeds draw the validation rows: nothing in the file says which rows these are."""
    changed = {key for factor in factors for changes in factor.levels.values() for key in changes}
    named = "split_seed" in data.model_fields_set or isinstance(data.validation, str) or data.validation == 0
    return not named and "data.split_seed" not in changed


def _find_repeated(values: Sequence[Any]) -> Any:
    """Return the first value that is there twice, or None."""
    return next((value for place, value in enumerate(values) if value in values[:place]), None)


def _read_base(file: _File) -> RunConfig:
    """Return the base's configuration, with the budget and with what the measure needs."""
    for place, part in (("base", file.base), ("base.network", file.base.network)):
        if "seed" in part.model_fields_set:
            raise UsageError(f"{place}.seed", "is decided by seeds; leave it out")
    config = RunConfig(data=file.base.data, network=file.base.network, training=file.base.training)
    budget, given = file.budget, "epochs" in config.training.model_fields_set
    if budget.epochs is not None:
        if given and config.training.epochs != budget.epochs:
            raise UsageError("budget.epochs", "base.training.epochs says otherwise; leave one of them out")
        config = change_config(config, {"training.epochs": budget.epochs})
    elif budget.seconds is not None and not given:
        config = change_config(config, {"training.epochs": NO_END})
    try:
        _check_names(config)
    except UsageError as error:
        name = "data.dataset" if error.name == "dataset" else error.name
        raise UsageError(f"base.{name}", error.problem) from None
    return add_measure(config, file.measure)


def _check_names(config: RunConfig) -> None:
    """Refuse names that nothing is registered for, the data set's among them."""
    resolve_names(config)
    if not looks_like_a_path(config.data.dataset):
        find(config.data.dataset)


def _read_seeds(seeds: Any) -> tuple[int, ...]:
    """Return the seeds that a number of them, or a list, stands for."""
    if _is_whole(seeds) and seeds >= 1:
        return tuple(range(seeds))
    if not isinstance(seeds, list) or not seeds or not all(_is_whole(seed) and seed >= 0 for seed in seeds):
        raise UsageError(
            "seeds", f"takes a number of seeds, or a list of whole numbers as in [0, 1, 2], got {seeds!r}"
        )
    if (twice := _find_repeated(seeds)) is not None:
        raise UsageError("seeds", f"{twice} is there twice; each run needs a seed of its own")
    return tuple(seeds)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _read_table(model: type[Table], values: Mapping[str, Any], place: str) -> Table:
    """Read a table of the file, with its place in the names of errors."""
    try:
        return validate(model, dict(values))
    except UsageError as error:
        raise UsageError(f"{place}.{error.name}", error.problem) from None


def _read_factor(name: str, table: Mapping[str, Any]) -> Factor:
    """Read a factor; its levels are a list of values, or values or changes by label."""
    place = f"factors.{name}"
    found = _read_table(_FactorTable, table, place)
    key = found.key
    if key is None:  # the factor's name may be that of an option
        key = next((key for key in (f"network.{name}", f"training.{name}") if key in KEYS), None)
    else:
        _check_key(key, f"{place}.key")
    given = (
        list(found.levels.items())
        if isinstance(found.levels, dict)
        else [(format_label(v), v) for v in found.levels]
    )
    if len(given) < 2:
        raise UsageError(f"{place}.levels", f"needs two levels or more, the base's first, got {len(given)}")
    levels: dict[str, Changes] = {}
    for label, value in given:
        changes = _read_changes(value, f"{place}.levels.{label}") if isinstance(value, dict) else None
        if changes is None:
            if key is None:
                raise UsageError(f"{place}.key", f"is missing: no key of network or training is called {name!r}")
            changes = {key: value}
        if label in levels or changes in levels.values():
            raise UsageError(f"{place}.levels", f"{label} is there twice; leave one of the two out")
        levels[label] = changes
    return Factor(name, levels)


def _check_key(key: str, place: str) -> None:
    if key in KEYS:
        return
    if key in ("network.seed", "seed", "training.threads"):
        owner = "the study's runner" if key.endswith("threads") else "seeds"
        raise UsageError(place, f"{key} is decided by {owner}; change something else")
    ends = {known.partition(".")[2]: known for known in KEYS}
    meant = nearest_option(key.rpartition(".")[2], ends)
    hint = f"did you mean {ends[meant]!r}?" if meant else "write it as in training.optimizer"
    raise UsageError(place, f"no configuration has the key {key!r}; {hint}")


def _read_changes(value: Mapping[str, Any], place: str) -> Changes | None:
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


def format_label(value: Any) -> str:
    """Return how a level is called that has no label: ``"0.1"``, ``"true"``, ``"784-64-10"``, ``"[0.1,0.4]"``."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(map(_is_whole, value)):
        return "-".join(map(str, value))
    return json.dumps(value, separators=(",", ":"), default=str)


def _read_variants(file: _File) -> Factor:
    """Return the variants of a list as the levels of one factor, the base first."""
    variants: dict[str, Changes] = {BASE: {}}
    for number, table in enumerate(file.variants, start=1):
        found = _read_table(_VariantTable, table, f"variants.{table.get('name', number)}")
        if found.name in variants:
            raise UsageError(f"variants.{found.name}", "is a name that is taken; choose another")
        place = f"variants.{found.name}.changes"
        changes = _read_changes(found.changes, place)
        if changes is None:
            raise UsageError(place, "takes keys as in training.optimizer, each with its value")
        variants[found.name] = changes
    return Factor("variant", variants)


def _check_level(base: RunConfig, budget: Budget, place: str, label: str, changes: Changes) -> None:
    """Refuse a level that makes no configuration."""
    if budget.epochs is not None and "training.epochs" in changes:
        raise UsageError(
            place, f"{label}: changes the epochs, and budget.epochs fixes them; leave one of the two out"
        )
    try:
        _check_names(change_config(base, changes))
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
                problem = f"changes {key}, and so does {seen[key]}; make them one"
                raise UsageError(f"factors.{factor.name}", problem)
            seen[key] = factor.name


def _set_first_levels(base: RunConfig, given: _Base, factors: tuple[Factor, ...]) -> RunConfig:
    """Return the base with the first level of every factor; the file may give the same value, but no other."""
    first: Changes = {}
    for factor in factors:
        label, changes = next(iter(factor.levels.items()))
        for key, value in changes.items():
            after = change_config(base, {key: value})
            if _is_given(given, key) and _value_at(after, key) != _value_at(base, key):
                raise UsageError(
                    f"base.{key}", f"is not {label}, the first level of factors.{factor.name}, which is the base's"
                )
        first |= changes
    return change_config(base, first)


def _value_at(config: RunConfig | _Base, key: str) -> Any:
    """Return the value that a configuration has for a dotted key; a shorthand's is the optimizer's."""
    section, _, name = key.partition(".")
    if name in OptimizerShorthand.model_fields:
        return getattr(OPTIMIZERS.resolve(config.training.optimizer), name)
    return getattr(getattr(config, section), name)


def _is_given(given: _Base, key: str) -> bool:
    """Return whether the base of a file gives a value for a dotted key.

    It gives a shorthand's value if its optimizer has another one than by default.
    """
    section, _, name = key.partition(".")
    if name in OptimizerShorthand.model_fields:
        default = getattr(type(OPTIMIZERS.resolve(given.training.optimizer)), name, None)
        return bool(_value_at(given, key) != default)
    return name in getattr(given, section).model_fields_set
