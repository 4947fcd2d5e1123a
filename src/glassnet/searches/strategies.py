"""Strategies: how many configurations are trained for how many epochs, and how many of them go on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from glassnet.errors import unknown_name

#: The share of trials that Hyperband lets go on is 1 / `REDUCTION`.
REDUCTION = 3


class Rung(NamedTuple):
    """So many trials, the best of the rung before, are trained up to so many epochs in all."""

    trials: int
    epochs: int


#: The rungs that trials of one draw go through, the first with all of them.
Bracket = tuple[Rung, ...]


def one_epoch(trials: int, epochs: int, finish: int, first_epochs: int) -> list[Bracket]:
    """Train all trials for one epoch (or a few), and finish the best.

    Source: R. Egele, I. Guyon, Y. Sun and P. Balaprakash (2023), Is one epoch all you need for multi-fidelity
    hyperparameter optimization?, arXiv:2307.15422. With a few epochs in place of one: R. Egele, F. Mohr,
    T. Viering and P. Balaprakash (2024), The unreasonable effectiveness of early discarding after one epoch in
    neural network hyperparameter optimization, arXiv:2404.04111.

    >>> one_epoch(60, 15, 5, 1)
    [(Rung(trials=60, epochs=1), Rung(trials=5, epochs=15))]
    """
    rungs = [Rung(trials, first_epochs), Rung(min(finish, trials), epochs)]
    return [tuple(rungs) if first_epochs < epochs else (Rung(trials, epochs),)]


def hyperband(trials: int, epochs: int, finish: int, first_epochs: int) -> list[Bracket]:
    """Let brackets follow each other, from many trials with few epochs to few trials with all epochs.

    With R epochs, eta = `REDUCTION` and s_max = floor(log_eta R), the bracket s = s_max, ..., 0 begins with
    ceil((s_max + 1) / (s + 1) eta^s) trials and R eta^-s epochs. In each rung the best 1 / eta of its trials get
    eta times as many epochs. After the last bracket the first comes again; the one in which the trials run out is
    smaller. Rungs are synchronous: no trial goes on before all of its rung are done, so that the order in which
    they end decides nothing.

    Source: L. Li, K. Jamieson, G. DeSalvo, A. Rostamizadeh and A. Talwalkar (2018), Hyperband: a novel
    bandit-based approach to hyperparameter optimization, JMLR 18(185), algorithm 1.

    >>> hyperband(8, 9, 3, 1)
    [(Rung(trials=8, epochs=1), Rung(trials=2, epochs=3), Rung(trials=1, epochs=9))]
    """
    most = int(math.log(epochs, REDUCTION) + 1e-9)
    brackets: list[Bracket] = []
    while trials > 0:
        for s in range(most, -1, -1):
            drawn = min(trials, math.ceil((most + 1) / (s + 1) * REDUCTION**s))
            if drawn:
                steps = [(drawn // REDUCTION**i, int(epochs * REDUCTION ** (i - s))) for i in range(s + 1)]
                brackets.append(tuple(Rung(max(1, number), max(1, length)) for number, length in steps))
                trials -= drawn
    return brackets


def whole_runs(trials: int, epochs: int, finish: int, first_epochs: int) -> list[Bracket]:
    """Train every trial to its end.

    >>> whole_runs(60, 15, 3, 1)
    [(Rung(trials=60, epochs=15),)]
    """
    return [(Rung(trials, epochs),)]


class Strategy(NamedTuple):
    """A strategy: what plans its brackets, and the sampler that draws its trials where none is named."""

    plan: Callable[[int, int, int, int], list[Bracket]]
    sampler: str


STRATEGIES = {
    "one-epoch": Strategy(one_epoch, "random"),
    "hyperband": Strategy(hyperband, "random"),
    "tpe": Strategy(whole_runs, "tpe"),
    "random": Strategy(whole_runs, "random"),
}


def find_strategy(name: str) -> Strategy:
    """Return a strategy; an unknown name is a `UsageError`."""
    if name not in STRATEGIES:
        raise unknown_name("strategy", name, STRATEGIES)
    return STRATEGIES[name]
