"""Plans: configurations that come along, each found by search on validation rows of its data set."""

from __future__ import annotations

import importlib.resources
import tomllib

from glassnet.errors import UsageError
from glassnet.training.config import RunConfig
from glassnet.training.option_errors import validated


def plan_names(dataset: str) -> list[str]:
    """Return the names of the plans that there are for a data set, ``best`` first.

    Examples
    --------
    >>> plan_names("fashion-mnist")
    ['best', 'fast']
    """
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
    return validated(RunConfig, tomllib.loads(file.read_text(encoding="utf-8")))
