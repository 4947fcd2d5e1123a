"""Whether the factors of a study act independently: the analysis of variance of a full factorial over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from glassnet.errors import DataError, UsageError, unknown_name
from glassnet.locales.catalogue import Message
from glassnet.nn.activations import Array
from glassnet.study.analysis_of_variance import Source, analysis_of_variance
from glassnet.study.design import Study
from glassnet.study.hypothesis_tests import check_level, scale_of
from glassnet.study.results import Row
from glassnet.study.statistics import check_measure, compare, larger_is_better, value_of

#: What the test can say.
INTERACT = "factors-interact"
NO_INTERACTION = "no-interaction"
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
        `INTERACT`, `NO_INTERACTION` or `CANNOT_BE_TOLD`.
    reason : Message
        Why, in a sentence or two.
    sources : list of Source
        Seeds, main effects, interactions from those of two factors to that of all, residual; empty where there is
        no table.
    missing : list of Missing
        What the full factorial lacks.
    additive : AdditivePrediction or None
        None where a run is missing.
    """

    verdict: str
    reason: Message
    sources: list[Source]
    missing: list[Missing]
    additive: AdditivePrediction | None


def interaction_test(
    rows: Iterable[Row],
    factors: Mapping[str, Sequence[str]],
    measure: str,
    level: float = 0.05,
    base: Mapping[str, str] | None = None,
) -> InteractionTest:
    """Test whether the effect of a factor depends on the level of another, in a full factorial over seeds.

    Every combination of levels, a cell, has one run with each seed. The model of a run's number, for two factors::

        y = mean + seed + A + B + AB + e

    Without the interaction AB, the gain from a better level of A is the same at every level of B, and the best
    levels may be found one factor at a time. All runs with a seed begin alike, so seeds are blocks: what a seed
    does to all cells is taken out. What is left over, e, is the interaction of the seeds with the cells; it is
    what a difference between cells has to exceed. `analysis_of_variance` has the formulas.

    There is an interaction if any of them has an F beyond chance, p by Holm over all interactions. "No interaction
    found" is no proof that there is none: few seeds find large ones only, see the shares.

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

    Returns
    -------
    InteractionTest
        `CANNOT_BE_TOLD` with one factor, one seed, a run missing (nothing is dropped in silence) or no residual.

    Raises
    ------
    UsageError, DataError
        If the factors, the level or the measure cannot be used, a run has a level that is not among them, or two
        runs have the same levels and seed.

    Notes
    -----
    The F tests suppose that e has one spread in all cells: a cell near a collapse, whose seeds scatter widely,
    hides effects of the others. And factors that add up in one measure need not do so in another: no accuracy can
    rise beyond 1.

    References
    ----------
    D. C. Montgomery, Design and Analysis of Experiments, chapter 4 (randomized complete blocks) and chapter 5
    (factorial designs, and blocking in them).

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
    ('no-interaction', 'optimizer', True)
    """
    check_level(level)
    grid = _Grid.of(rows, factors, measure)
    if grid.missing:
        some = [Message("missing_one", **one._asdict()) for one in grid.missing[:NAMED]]
        if len(grid.missing) > NAMED:
            some.append(Message("missing_more", n=len(grid.missing) - NAMED))
        reason = Message("runs_missing", n=len(grid.missing), all=grid.values.size, some=some)
        return InteractionTest(CANNOT_BE_TOLD, reason, [], grid.missing, None)
    additive = _predict_additively(grid, measure, level, base)
    if len(grid.seeds) < 2:
        return InteractionTest(CANNOT_BE_TOLD, Message("one_seed_only"), [], [], additive)
    sources = analysis_of_variance(grid.values, list(factors))
    verdict, reason = _conclude(sources, level)
    return InteractionTest(verdict, reason, sources, [], additive)


def interaction_test_of(study: Study, rows: Iterable[Row], level: float = 0.05) -> InteractionTest | None:
    """Test whether the factors of a study interact; None where it is no factorial of two factors or more."""
    if study.design != "factorial" or len(study.factors) < 2:
        return None
    return interaction_test(rows, study.levels(), study.measure, level, study.variants()[0].levels)


@dataclass(frozen=True)
class _Grid:
    """The numbers of a full factorial in their places: by seed, then by the level of each factor; NaN: missing."""

    factors: dict[str, tuple[str, ...]]
    seeds: tuple[int, ...]
    values: Array
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
        values = np.full((len(seeds), *(len(levels) for levels in factors.values())), np.nan)
        missing = []
        for index in np.ndindex(values.shape):
            cell = tuple(levels[i] for levels, i in zip(factors.values(), index[1:], strict=True))
            found = placed.get((cell, seeds[index[0]]))
            value = None if found is None else value_of(found, measure)
            if value is None:
                why: str | Message = "no run" if found is None else found.status
                if why == "finished":
                    why = Message("without_measure", measure=measure)
                missing.append(Missing(dict(zip(factors, cell, strict=True)), seeds[index[0]], why))
            else:
                values[index] = value
        return cls({name: tuple(levels) for name, levels in factors.items()}, seeds, values, missing)

    def levels_at(self, cell: Sequence[int]) -> dict[str, str]:
        """Return the levels at an index without the seed's."""
        return {name: levels[i] for (name, levels), i in zip(self.factors.items(), cell, strict=True)}

    def rows(self, measure: str) -> list[Row]:
        """Return the numbers as rows whose variants are named by all their levels."""
        found = []
        for index in np.ndindex(self.values.shape):
            levels, value = self.levels_at(index[1:]), float(self.values[index])
            seed = self.seeds[index[0]]
            found.append(Row(_name_variant(levels), levels, seed, "finished", {measure: value}, seconds=value))
        return found


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


def _conclude(sources: list[Source], level: float) -> tuple[str, Message]:
    """Return the verdict of a table, and why."""
    interactions = [source for source in sources if source.kind == "interaction"]
    if not interactions:
        return CANNOT_BE_TOLD, Message("one_factor")
    strongest = min(interactions, key=lambda source: 1.0 if source.corrected is None else source.corrected)
    if strongest.corrected is None:
        return CANNOT_BE_TOLD, Message("no_chance")
    figures = Message("interact_figures", p=strongest.corrected, share=strongest.share)
    if len(interactions) > 1:
        figures = Message("interact_corrected", **figures.values, n=len(interactions))
    if strongest.corrected > level:
        return NO_INTERACTION, Message("within_chance", name=strongest.name, figures=figures)
    names = [s.name for s in interactions if s.corrected is not None and s.corrected <= level]
    which = Message("interact_one", name=strongest.name, figures=figures)
    if len(names) > 1:
        which = Message("interact_strongest", names=names, **which.values)
    return INTERACT, Message("interact_why", which=which)


def _predict_additively(
    grid: _Grid, measure: str, level: float, base: Mapping[str, str] | None
) -> AdditivePrediction:
    scale = scale_of(grid.values.ravel().tolist())
    means = (grid.values / scale).mean(axis=0)
    best_of = np.argmax if larger_is_better(measure) else np.argmin
    best = np.unravel_index(int(best_of(means)), means.shape)
    start, lines = _average_lines(grid, means, base)
    pick = tuple(int(best_of(line)) for line in lines)
    predicted = start + sum(float(line[i]) - start for line, i in zip(lines, pick, strict=True))
    levels, best_levels = grid.levels_at(pick), grid.levels_at([int(i) for i in best])
    found, top = float(means[pick]) * scale, float(means[best]) * scale
    lost, p = abs(float(means[best]) - float(means[pick])) * scale, None
    if levels != best_levels:
        tests = compare(grid.rows(measure), _name_variant(levels), measure, level)
        p = next(test.corrected for test in tests if test.variant == _name_variant(best_levels))
    reached = Message("alone", levels=levels, predicted=predicted * scale, found=found)
    beside = _compare_with_best(
        levels != best_levels, p, level, {"levels": best_levels, "best": top, "lost": lost}
    )
    reason = Message("sentences", sentences=[reached, beside])
    return AdditivePrediction(levels, predicted * scale, found, best_levels, top, lost, p, reason)


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
