"""A study: a base, what is changed of it, and the seeds."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from glassnet.errors import UsageError
from glassnet.runtime.files import make_safe_name
from glassnet.study.samples import larger_is_better
from glassnet.training.config import RunConfig, validate

#: The name of the variant that all others are compared with.
BASE = "base"

Changes = dict[str, Any]


class Budget(BaseModel):
    """How long each run trains: a number of epochs, or up to the epoch in which the seconds of training are over.

    With seconds, ``base.training.epochs`` is the largest number of epochs, and a learning rate schedule is planned
    for it. Without it, the number is practically unlimited.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)


@dataclass(frozen=True)
class Factor:
    """A setting, or several together, that a study varies.

    Attributes
    ----------
    name : str
    levels : dict of str to dict
        The changes of each level by its label, dotted keys with their values; the first level is the base's.
    """

    name: str
    levels: dict[str, Changes]


@dataclass(frozen=True)
class Variant:
    """A configuration that a study runs, with every seed.

    Attributes
    ----------
    name : str
        ``"base"``, or the levels that differ from the base's: ``"optimizer=adam, activation=tanh"``.
    levels : dict of str to str
        The level of every factor. In a list, the factor is ``"variant"``, and the level is the name.
    config : RunConfig
        Configuration of its runs, which differ in their seed.
    splits_by_seed : bool
        Whether the seed of a run also draws its validation rows.
    """

    name: str
    levels: dict[str, str]
    config: RunConfig
    splits_by_seed: bool = False

    def with_seed(self, seed: int) -> RunConfig:
        """Return the configuration of one of its runs."""
        changes: Changes = {"seed": seed}
        if self.splits_by_seed:
            changes["data"] = self.config.data.model_copy(update={"split_seed": seed})
        return self.config.model_copy(update=changes)


@dataclass(frozen=True)
class Study:
    """A comparison of variants of one configuration, each trained with the same seeds.

    Attributes
    ----------
    name : str
    seeds : tuple of int
    design : str
        ``"one at a time"``: each level of a factor with the other factors as in the base; ``"factorial"``: all
        combinations of levels; ``"list"``: variants that are named.
    measure : str
        The measure that decides which variant is better.
    budget : Budget
    factors : tuple of Factor
        A list has one, ``"variant"``, whose levels are the variants.
    base : RunConfig
        With the first level of every factor.
    splits_by_seed : bool
        Whether every seed draws validation rows of its own, the same for all variants. Then a verdict holds for
        other rows, too. The test rows are the same for all seeds.
    margin : float or None
        The smallest difference that matters, in units of the measure; None for the default.
    together : tuple of dict
        Levels that are run together as well, a variant each, as the best level of every factor.
    text : str
        The study as TOML.
    """

    name: str
    seeds: tuple[int, ...]
    design: str
    measure: str
    budget: Budget
    factors: tuple[Factor, ...]
    base: RunConfig
    splits_by_seed: bool = False
    margin: float | None = None
    together: tuple[dict[str, str], ...] = ()
    text: str = field(default="", compare=False, repr=False)

    def variants(self) -> list[Variant]:
        """Return what is run: the base first, then the others in the order of the file.

        Examples
        --------
        >>> from glassnet.study.specification import study_of
        >>> study = study_of({
        ...     "name": "small", "seeds": 2, "base": {"data": {"dataset": "digits"}},
        ...     "factors": {
        ...         "optimizer": {"levels": ["adam", "sgd(0.1)"]},
        ...         "activation": {"levels": ["relu", "tanh"]},
        ...     },
        ... })
        >>> [variant.name for variant in study.variants()]
        ['base', 'optimizer=sgd(0.1)', 'activation=tanh']
        >>> study.variants()[2].config.network.activation
        'tanh'
        """
        return [*self.designed(), *map(self.variant, self.together)]

    def designed(self) -> list[Variant]:
        """Return the variants that the design asks for: all but those of `together`."""
        names = [factor.name for factor in self.factors]
        return [self.variant(dict(zip(names, labels, strict=True))) for labels in self._combinations()]

    def with_together(self, levels: Mapping[str, str]) -> Study:
        """Return the study with one more variant; its text is that of a file which runs it, too.

        Examples
        --------
        >>> from glassnet.study.specification import study_of
        >>> study = study_of({
        ...     "name": "small", "seeds": 1, "base": {"data": {"dataset": "digits"}},
        ...     "factors": {
        ...         "optimizer": {"levels": ["adam", "sgd(0.1)"]},
        ...         "activation": {"levels": ["relu", "tanh"]},
        ...     },
        ... })
        >>> more = study.with_together({"optimizer": "sgd(0.1)", "activation": "tanh"})
        >>> more.variants()[-1].name
        'optimizer=sgd(0.1), activation=tanh'
        >>> print(more.text[more.text.index("[[together]]") :].strip())
        [[together]]
        optimizer = "sgd(0.1)"
        activation = "tanh"
        """
        text = f"{self.text.rstrip()}\n\n[[together]]\n{tomli_w.dumps(levels)}"
        return replace(self, together=(*self.together, dict(levels)), text=text)

    def _combinations(self) -> Iterator[tuple[str, ...]]:
        """Yield the labels of each variant's levels, the base's first."""
        levels = [list(factor.levels) for factor in self.factors]
        if self.design == "factorial":
            yield from itertools.product(*levels)
            return
        first = tuple(labels[0] for labels in levels)
        yield first
        for place, labels in enumerate(levels):
            for label in labels[1:]:
                yield (*first[:place], label, *first[place + 1 :])

    def variant(self, levels: Mapping[str, str]) -> Variant:
        """Return the variant with these levels; a factor that is not named has the base's."""
        changes: Changes = {}
        others, all_levels = [], {}
        for factor in self.factors:
            first = next(iter(factor.levels))
            label = all_levels[factor.name] = levels.get(factor.name, first)
            changes |= factor.levels[label]
            if label != first:
                others.append(label if self.design == "list" else f"{factor.name}={label}")
        config = add_measure(change_config(self.base, changes), self.measure)
        return Variant(", ".join(others) or BASE, all_levels, config, self.splits_by_seed)

    def levels(self) -> dict[str, list[str]]:
        """Return the labels of every factor's levels, the base's first."""
        return {factor.name: list(factor.levels) for factor in self.factors}

    def changed_keys(self) -> set[str]:
        """Return the dotted keys that some level changes."""
        return {key for factor in self.factors for changes in factor.levels.values() for key in changes}

    def fingerprint(self) -> str:
        """Return a SHA-256 of what decides its runs, but seeds and `together`: a folder may get more of these."""
        parts = [
            [one.name, one.levels, one.config.model_dump(mode="json", exclude_defaults=True)]
            for one in self.designed()
        ]
        plain = json.dumps([parts, self.budget.seconds, self.splits_by_seed], sort_keys=True)
        return hashlib.sha256(plain.encode()).hexdigest()

    def file_names(self) -> dict[str, str]:
        """Return a name for the files of each variant, without characters that a file system or shell minds.

        Examples
        --------
        >>> from glassnet.study.specification import study_of
        >>> study = study_of({
        ...     "name": "small", "seeds": 1, "base": {"data": {"dataset": "digits"}},
        ...     "factors": {"optimizer": {"levels": ["adam", "sgd(0.1)"]}},
        ... })
        >>> study.file_names()
        {'base': 'base', 'optimizer=sgd(0.1)': 'optimizer=sgd-0.1'}
        """
        names: dict[str, str] = {}
        for variant in self.variants():
            safe = make_safe_name(variant.name)
            taken = {name.casefold() for name in names.values()}
            if not safe or safe.casefold() in taken:
                safe = f"{safe}-{hashlib.sha256(variant.name.encode()).hexdigest()[:8]}"
            names[variant.name] = safe
        return names

    @property
    def file_name(self) -> str:
        """The study's name as that of a folder."""
        return make_safe_name(self.name) or "study"


def change_config(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """Return a configuration with other values for some dotted keys; `UsageError` if one does not fit."""
    values = config.model_dump(exclude_none=True)
    for key, value in changes.items():
        section, _, name = key.partition(".")
        values.setdefault(section, {})[name] = value
    return validate(RunConfig, values)


def add_measure(config: RunConfig, measure: str) -> RunConfig:
    """Return a configuration with the metric that decides among its metrics.

    A measure that is unknown, or of rows that decide nothing, is a `UsageError`.
    """
    larger_is_better(measure)
    if measure.startswith("test_"):
        raise UsageError("measure", f"{measure}: test rows decide nothing in a study; take validation rows")
    if measure.startswith("train_") and measure not in ("train_loss", "train_accuracy"):
        raise UsageError("measure", f"{measure} is not measured; take validation_{measure.removeprefix('train_')}")
    metric = measure.removeprefix("validation_")
    if metric == measure or metric in ("loss", "accuracy") or metric in config.training.metrics:
        return config
    return change_config(config, {"training.metrics": [*config.training.metrics, metric]})
