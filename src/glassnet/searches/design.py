"""A search as a value: what is drawn, by which strategy, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from glassnet.errors import UsageError
from glassnet.runtime.files import make_safe_name
from glassnet.searches.sampling import check_sampler
from glassnet.searches.space import Space
from glassnet.searches.strategies import Bracket, find_strategy
from glassnet.study.job import Job

#: Trials, trials that are finished, and epochs of the first rung, where nothing is said.
TRIALS, FINISH, FIRST_EPOCHS = 60, 3, 1


@dataclass(frozen=True)
class Search:
    """A search for the best plan.

    Attributes
    ----------
    space : Space
        Its base holds the seed of the search, which is that of every run, too.
    strategy : str
        One of `glassnet.searches.strategies.STRATEGIES`.
    sampler : str
        One of `glassnet.searches.sampling.SAMPLERS`; empty for the strategy's own.
    trials : int
        Number of configurations.
    finish : int
        How many of them the strategy ``"one-epoch"`` trains to their end.
    first_epochs : int
        Epochs after which it chooses these.
    timeout : float or None
        Seconds for all of it, also where it is stopped and goes on; None for no limit.

    Raises
    ------
    UsageError
        If a value is not in its range.
    """

    space: Space
    strategy: str = "one-epoch"
    sampler: str = ""
    trials: int = TRIALS
    finish: int = FINISH
    first_epochs: int = FIRST_EPOCHS
    timeout: float | None = None

    def __post_init__(self) -> None:
        for name in ("trials", "finish", "first_epochs"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise UsageError(name, f"takes a whole number, 1 or more, got {value!r}")
        if self.timeout is not None and not 0 < self.timeout < float("inf"):
            raise UsageError("timeout", f"takes seconds above 0, got {self.timeout!r}")
        chosen = find_strategy(self.strategy)
        if not self.sampler:
            object.__setattr__(self, "sampler", chosen.sampler)
        check_sampler(self.sampler)
        if self.strategy == "hyperband" and self.sampler != "random":
            raise UsageError("sampler", "Hyperband draws at random; leave it out, or take another strategy")
        if self.strategy == "random" and self.sampler != "random":
            raise UsageError("sampler", f"the strategy is random; take --strategy {self.sampler}")

    @property
    def epochs(self) -> int:
        """Epochs of a whole run."""
        return self.space.base.training.epochs

    @property
    def brackets(self) -> list[Bracket]:
        """What is trained for how long."""
        return find_strategy(self.strategy).plan(self.trials, self.epochs, self.finish, self.first_epochs)

    @property
    def study_name(self) -> str:
        """How Optuna's record calls it: by all that decides what is drawn; a database may hold many."""
        how = f"{self.strategy}-{self.sampler}-{self.first_epochs}"
        return f"glassnet-{self.space.fingerprint()[:16]}-{how}-{self.space.base.seed}"

    def job(self, number: int, drawn: dict[str, Any], epochs: int, folder: Path) -> Job:
        """Return the run of a trial up to so many epochs."""
        return Job(
            variant=f"#{number}",
            levels=self.space.labels(drawn),
            seed=self.space.base.seed,
            config=self.space.config(drawn),
            folder=folder,
            name=f"trial-{number:04d}",
            measure=self.space.measure,
            until=epochs if epochs < self.epochs else None,
        )


def default_name(space: Space) -> str:
    """Return how the folder of a search is called: by its data."""
    return make_safe_name(Path(space.base.data.dataset).stem) or "search"


def space_text(values: dict[str, Any], space: Space) -> str:
    """Return the file of a space as it was used, with the data and all options of the base."""
    base = space.base.model_dump(exclude_none=True, exclude_defaults=True)
    sections = {name: part for name, part in base.items() if isinstance(part, dict)}
    return tomli_w.dumps({**values, "measure": space.measure, "base": sections})
