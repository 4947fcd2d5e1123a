"""Whether the factors of a study act independently: the analysis of variance of a full factorial over seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from glassnet.errors import DataError, UsageError, unknown_name
from glassnet.locales.catalogue import Message
from glassnet.nn.activations import Array
from glassnet.study.analysis_of_variance import Source, analysis_of_variance
from glassnet.study.crossing import Crossing, compute_lag_p, find_crossing
from glassnet.study.design import Study
from glassnet.study.hypothesis_tests import FEWEST_SEEDS, LOOKS, check_level, holm
from glassnet.study.results import Row
from glassnet.study.samples import (
    NOTHING,
    Sample,
    can_be,
    choose_margin,
    larger_is_better,
    p_of,
    take_sample,
    value_of,
)
from glassnet.study.statistics import check_measure

#: What the test can say; the catalogues have words for each.
DEPENDS = "best-depends"
NOT_ADDITIVE = "not-additive"
INDEPENDENT = "independent-enough"
NOT_SHOWN = "no-interaction-shown"
CANNOT_BE_TOLD = "cannot-be-told"

#: So many of the runs that are missing are named in the reason.
NAMED = 5


class Missing(NamedTuple):
    """A run that a full factorial needs and that does not count.

    Attributes
    ----------
    levels : dict of str to str
    seed : int
    why : str or Message
        ``"no run"``, ``"diverged"``, ``"failed"``, or that it has no finite number.
    """

    levels: dict[str, str]
    seed: int
    why: str | Message


@dataclass(frozen=True)
class AdditivePrediction:
    """What taking the best level of each factor by itself leads to, beside what is best of all.

    Without a base a level is judged by its main effect, its mean over all levels of the other factors, and the
    prediction is the mean of all runs plus the main effects. With one, as in a study that changes one factor at a
    time, a level is judged with the other factors as in the base, and the prediction is the base's mean plus the
    gains.

    Attributes
    ----------
    levels : dict of str to str
        The best level of each factor by itself.
    predicted : float
        The mean that these levels have if the factors are independent.
    found : float
        The mean that they do have.
    best_levels : dict of str to str
        Those of the cell with the best mean.
    best : float
        Its mean.
    lost : float
        How much worse than the best the levels are, in units of the measure: >= 0, and 0 where they are the best.
    p : float or None
        Of the paired test of the best and the levels, by Holm over all cells compared with the levels, as the best
        was sought among them. None where they are the same, or there is one seed.
    enough : bool
        Whether the levels are proven to be no worse than any combination by more than the margin: then it does no
        harm to choose them one by one.
    reason : Message
        What the best levels by themselves lead to, and what that loses, in two sentences.
    """

    levels: dict[str, str]
    predicted: float
    found: float
    best_levels: dict[str, str]
    best: float
    lost: float
    p: float | None
    enough: bool
    reason: Message

    @property
    def differs(self) -> bool:
        """Whether the best cell is another one than that of the levels."""
        return self.levels != self.best_levels


@dataclass(frozen=True)
class InteractionTest:
    """What `interaction_test` found.

    Attributes
    ----------
    verdict : str
        `DEPENDS`: the best level of a factor depends on another, with strong evidence. `NOT_ADDITIVE`: the effects
        do not add up; the best levels may be the same all the same. `INDEPENDENT`: one factor at a time finds a
        combination that is no worse than any other by more than the margin. `NOT_SHOWN`: neither is shown.
        `CANNOT_BE_TOLD`: the runs do not suffice.
    reason : Message
        Why, in a sentence or two.
    sources : list of Source
        Seeds, main effects, interactions from those of two factors to that of all, residual; empty where there is
        no table.
    missing : list of Missing
        What the full factorial lacks.
    additive : AdditivePrediction or None
        None where a run is missing.
    covers : str
        What the p values cover, see `glassnet.study.samples`.
    """

    verdict: str
    reason: Message
    sources: list[Source]
    missing: list[Missing]
    additive: AdditivePrediction | None
    covers: str = NOTHING


def interaction_test(
    rows: Iterable[Row],
    factors: Mapping[str, Sequence[str]],
    measure: str,
    level: float = 0.05,
    base: Mapping[str, str] | None = None,
    margin: float | None = None,
) -> InteractionTest:
    """Test whether the effect of a factor depends on the level of another, in a full factorial over seeds.

    Every combination of levels, a cell, has one run with each seed. The model of a run's number, for two factors::

        y = mean + seed + A + B + AB + e

    Without the interaction AB, the gain from a better level of A is the same at every level of B, and the best
    levels may be found one factor at a time. All runs with a seed begin alike, so seeds are blocks: what a seed
    does to all cells is taken out. What is left over, e, is the interaction of the seeds with the cells.
    `analysis_of_variance` has the formulas.

    The effects do not add up if any interaction has an F beyond chance, p by Holm over all interactions. That
    alone does not mean that the best levels depend on each other: one level may be the better one everywhere, and
    only more so at some. They do where two levels of a factor cross: each is better than the other at some levels
    of the other factors, both by one-sided tests, by Bonferroni over all pairs and places (Gail and Simon, 1985).

    Parameters
    ----------
    rows : iterable of Row
        Those of the factorial; the levels of other factors must not vary.
    factors : mapping of str to sequence of str
        Its factors by name, two levels or more of each, in their order.
    measure : str
        As for `glassnet.study.statistics.larger_is_better`.
    level : float, default 0.05
        Share of studies without interaction that are said to have one.
    base : mapping of str to str, optional
        A level of every factor, for `AdditivePrediction`: where it judges the levels from.
    margin : float, optional
        The smallest difference that matters, as for `glassnet.study.statistics.compare`.

    Returns
    -------
    InteractionTest
        `CANNOT_BE_TOLD` with one factor, fewer than three seeds, a run missing (nothing is dropped in silence), or
        nothing that the seeds change.

    Raises
    ------
    UsageError, DataError
        If the factors, the level or the measure cannot be used, a run has a level that is not among them, or two
        runs have the same levels and seed.

    Notes
    -----
    Factors that add up in one measure need not do so in another: no accuracy can rise beyond 1.

    References
    ----------
    D. C. Montgomery, Design and Analysis of Experiments, chapter 4 (randomized complete blocks) and chapter 5
    (factorial designs, and blocking in them). M. Gail and R. Simon (1985), Testing for qualitative interactions
    between treatment effects and patient subsets, Biometrics 41, 361-372.

    Examples
    --------
    >>> factors = {"optimizer": ["sgd", "adam"], "activation": ["relu", "tanh"]}
    >>> figures = [[[70, 71], [80, 84]], [[72, 76], [84, 86]], [[70, 73], [82, 83]]]  # seed, optimizer, activation
    >>> rows = [
    ...     Row("", {"optimizer": o, "activation": a}, seed, "finished", {"validation_accuracy": figure / 100})
    ...     for seed, table in enumerate(figures)
    ...     for o, line in zip(factors["optimizer"], table)
    ...     for a, figure in zip(factors["activation"], line)
    ... ]
    >>> found = interaction_test(rows, factors, "validation_accuracy")
    >>> found.verdict, found.sources[1].name, found.sources[1].p < 0.001
    ('independent-enough', 'optimizer', True)
    """
    check_level(level)
    grid = _Grid.of(rows, factors, measure)
    if grid.missing:
        some = [Message("missing_one", **one._asdict()) for one in grid.missing[:NAMED]]
        if len(grid.missing) > NAMED:
            some.append(Message("missing_more", n=len(grid.missing) - NAMED))
        reason = Message("runs_missing", n=len(grid.missing), all=math.prod(grid.shape), some=some)
        return InteractionTest(CANNOT_BE_TOLD, reason, [], grid.missing, None)
    sample = grid.sample(measure)
    margin = choose_margin(measure, (sample.mean * sample.scale).tolist(), margin)
    additive = _predict_additively(grid, sample, measure, level, base, margin)
    few = Message("few_seeds", n=len(grid.seeds), least=FEWEST_SEEDS)
    if len(grid.seeds) < 2:
        return InteractionTest(CANNOT_BE_TOLD, few, [], [], additive)
    y = sample.values.reshape(*sample.values.shape[:2], *grid.shape[1:])
    sources = [
        source._replace(sum_of_squares=source.sum_of_squares * sample.scale * sample.scale)
        for source in analysis_of_variance(y, list(factors), sample.overlap)
    ]
    verdict, reason = _conclude(sources, find_crossing(grid.factors, sample, measure), additive, level, margin)
    if len(grid.seeds) < FEWEST_SEEDS:
        verdict, reason = CANNOT_BE_TOLD, few
    return InteractionTest(verdict, reason, sources, [], additive, sample.covers)


def interaction_test_of(
    study: Study, rows: Iterable[Row], level: float = 0.05, margin: float | None = None
) -> InteractionTest | None:
    """Test whether the factors of a study interact; None where it is no factorial of two factors or more."""
    if study.design != "factorial" or len(study.factors) < 2:
        return None
    return interaction_test(rows, study.levels(), study.measure, level, study.variants()[0].levels, margin)


@dataclass(frozen=True)
class _Grid:
    """The runs of a full factorial by seed, in the order of the cells; its shape is (seeds, levels, ...)."""

    factors: dict[str, tuple[str, ...]]
    seeds: tuple[int, ...]
    shape: tuple[int, ...]
    runs: list[list[Row]]
    missing: list[Missing]

    @classmethod
    def of(cls, rows: Iterable[Row], factors: Mapping[str, Sequence[str]], measure: str) -> _Grid:
        """Put runs into their places; errors as `interaction_test` raises them."""
        rows = list(rows)
        check_measure(rows, measure)
        _check_factors(rows, factors)
        placed: dict[tuple[tuple[str, ...], int], Row] = {}
        for row in rows:
            place = tuple(row.levels[name] for name in factors), row.seed
            if place in placed:
                where = _name_variant(dict(zip(factors, place[0], strict=True)))
                raise DataError(f"rows: two runs have {where} and seed {row.seed}; other factors must not vary")
            placed[place] = row
        seeds = tuple(sorted({row.seed for row in rows}))
        shape = (len(seeds), *map(len, factors.values()))
        missing: list[Missing] = []
        runs: list[list[Row]] = [[] for _ in seeds]
        for index in np.ndindex(shape):
            cell = tuple(levels[i] for levels, i in zip(factors.values(), index[1:], strict=True))
            found = placed.get((cell, seeds[index[0]]))
            value = None if found is None else value_of(found, measure)
            if found is not None:
                runs[index[0]].append(found)
            if value is None:
                why: str | Message = "no run" if found is None else found.status
                if why == "finished":
                    why = Message("without_measure", measure=measure)
                missing.append(Missing(dict(zip(factors, cell, strict=True)), seeds[index[0]], why))
        return cls({name: tuple(levels) for name, levels in factors.items()}, seeds, shape, runs, missing)

    def levels_at(self, cell: Sequence[int]) -> dict[str, str]:
        """Return the levels at an index without the seed's."""
        return {name: levels[i] for (name, levels), i in zip(self.factors.items(), cell, strict=True)}

    def sample(self, measure: str) -> Sample:
        """Return the numbers by seed, group of validation rows, and cell, the last factor changing fastest."""
        return take_sample(self.runs, measure)


def _check_factors(rows: list[Row], factors: Mapping[str, Sequence[str]]) -> None:
    if not rows:
        raise DataError("rows: there are no runs")
    if not factors:
        raise UsageError("factors", "name one or more, with their levels")
    for name, levels in factors.items():
        if len(levels) < 2 or len(set(levels)) < len(levels):
            raise UsageError(
                "factors", f"{name} needs two different levels or more, got {', '.join(levels) or 'none'}"
            )
        for row in rows:
            if name not in row.levels:
                raise unknown_name("factors", name, row.levels)
            if row.levels[name] not in levels:
                raise DataError(
                    f"rows: {row.variant!r} has {name}={row.levels[name]}, which is not among the levels in "
                    f"factors: {', '.join(levels)}"
                )


def _name_variant(levels: Mapping[str, str]) -> str:
    """Return the name of the variant with these levels."""
    return ", ".join(f"{name}={level}" for name, level in levels.items())


def _conclude(
    sources: list[Source], crossing: Crossing, additive: AdditivePrediction, level: float, margin: float
) -> tuple[str, Message]:
    """Return the verdict of a table, and why."""
    interactions = [source for source in sources if source.kind == "interaction"]
    if not interactions:
        return CANNOT_BE_TOLD, Message("one_factor")
    strongest = min(interactions, key=lambda source: 1.0 if source.corrected is None else source.corrected)
    if strongest.corrected is None:
        return CANNOT_BE_TOLD, Message("no_chance")
    if crossing.p <= level / LOOKS:
        return DEPENDS, Message("levels_cross", factor=crossing.factor, levels=list(crossing.levels), p=crossing.p)
    figures = Message("interact_figures", p=strongest.corrected, share=strongest.share)
    if len(interactions) > 1:
        figures = Message("interact_corrected", **figures.values, n=len(interactions))
    if strongest.corrected > level:
        if additive.enough:
            return INDEPENDENT, Message("one_by_one", levels=additive.levels, margin=margin)
        return NOT_SHOWN, Message("within_chance", name=strongest.name, figures=figures)
    names = [s.name for s in interactions if s.corrected is not None and s.corrected <= level]
    which = Message("interact_one", name=strongest.name, figures=figures)
    if len(names) > 1:
        which = Message("interact_strongest", names=names, **which.values)
    key = "interact_enough" if additive.enough else "interact_why"
    return NOT_ADDITIVE, Message(key, which=which, margin=margin)


def _predict_additively(
    grid: _Grid, sample: Sample, measure: str, level: float, base: Mapping[str, str] | None, margin: float
) -> AdditivePrediction:
    means, scale = sample.mean.reshape(grid.shape[1:]), sample.scale
    best_of = np.argmax if larger_is_better(measure) else np.argmin
    best = np.unravel_index(int(best_of(means)), means.shape)
    start, lines = _average_lines(grid, means, base)
    pick = tuple(int(best_of(line)) for line in lines)
    predicted = start + sum(float(line[i]) - start for line, i in zip(lines, pick, strict=True))
    levels, best_levels = grid.levels_at(pick), grid.levels_at([int(i) for i in best])
    found, top = float(means[pick]) * scale, float(means[best]) * scale
    lost, p, enough = abs(float(means[best]) - float(means[pick])) * scale, None, False
    if len(grid.seeds) > 1:
        p, enough = _compare_with_all(grid, sample, measure, pick, best, level, margin)
    key = "alone" if can_be(measure, predicted * scale) else "alone_beyond"
    reached = Message(key, levels=levels, predicted=predicted * scale, found=found)
    beside = _compare_with_best(
        levels != best_levels, p, level, {"levels": best_levels, "best": top, "lost": lost}
    )
    reason = Message("sentences", sentences=[reached, beside])
    return AdditivePrediction(levels, predicted * scale, found, best_levels, top, lost, p, enough, reason)


def _compare_with_all(
    grid: _Grid, sample: Sample, measure: str, pick: Any, best: Any, level: float, margin: float
) -> tuple[float | None, bool]:
    """Return p of the best cell and the picked one, by Holm over all cells, and whether no cell beats the pick.

    The latter takes a one-sided test against each: all have to show that the pick is not behind by the margin.
    """
    cells = np.arange(sample.values.shape[2]).reshape(grid.shape[1:])
    mine, sign = int(cells[pick]), 1.0 if larger_is_better(measure) else -1.0
    others = [int(cell) for cell in cells.ravel() if cell != mine]
    weights = np.eye(len(cells.ravel()))
    corrected = holm([p_of(sample.contrast((weights[cell] - weights[mine])[:, None])) for cell in others])
    p = corrected[others.index(int(cells[best]))] if int(cells[best]) != mine else None
    return p, max(compute_lag_p(sample, mine, cell, sign, margin) for cell in others) <= level


def _compare_with_best(differs: bool, p: float | None, level: float, values: dict[str, Any]) -> Message:
    """Return what the best levels by themselves lose beside the best combination."""
    if not differs:
        return Message("alone_best")
    if p is None:
        return Message("alone_one_seed", **values)
    return Message("alone_better" if p <= level else "alone_even", **values, p=p)


def _average_lines(grid: _Grid, means: Array, base: Mapping[str, str] | None) -> tuple[float, list[Array]]:
    """Return the mean to start from, and for each factor the means of its levels by themselves."""
    axes = range(means.ndim)
    if base is None:
        others = [tuple(other for other in axes if other != axis) for axis in axes]
        return float(means.mean()), [means.mean(axis=axis) for axis in others]
    cell = []
    for name, levels in grid.factors.items():
        if base.get(name) not in levels:
            raise UsageError("base", f"{name} must be one of {', '.join(levels)}, got {base.get(name)!r}")
        cell.append(levels.index(base[name]))
    rest = [tuple(slice(None) if other == axis else cell[other] for other in axes) for axis in axes]
    return float(means[tuple(cell)]), [means[line] for line in rest]
