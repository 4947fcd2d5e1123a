"""Whether the factors of a study act independently: the analysis of variance of a full factorial over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from glassnet.errors import DataError, UsageError, unknown_name
from glassnet.nn.activations import Array
from glassnet.study.design import Study
from glassnet.study.hypothesis_tests import ROUNDINGS, check_level, holm, scale_of
from glassnet.study.results import Row
from glassnet.study.statistics import (
    NOT_DISTINGUISHABLE,
    check_measure,
    compare,
    larger_is_better,
    value_of,
)

#: What the test can say.
INTERACT = "the factors interact"
NO_INTERACTION = "no interaction found"
CANNOT_BE_TOLD = "cannot be told"

#: So many of the runs that are missing are named in the reason.
NAMED = 5


class Source(NamedTuple):
    """A source of variation: a line of the table of an analysis of variance.

    Attributes
    ----------
    kind : str
        ``"seed"``, ``"main"``, ``"interaction"`` or ``"residual"``.
    factors : tuple of str
        One for a main effect, two or more for an interaction, none for the seeds and the residual.
    sum_of_squares : float
    degrees : int
        Of freedom.
    F, p : float or None
        Main effects and interactions: against the residual; None where the residual is nothing.
    corrected : float or None
        p by Holm, among the main effects or among the interactions.
    share : float
        Eta squared: its part of the total sum of squares.
    """

    kind: str
    factors: tuple[str, ...]
    sum_of_squares: float
    degrees: int
    F: float | None
    p: float | None
    corrected: float | None
    share: float

    @property
    def name(self) -> str:
        """``"seed"``, ``"optimizer"``, ``"optimizer x activation"`` or ``"residual"``."""
        return " x ".join(self.factors) or self.kind


class Missing(NamedTuple):
    """A run that a full factorial needs and that does not count, and why: ``"diverged"``, ``"no run"``, ..."""

    levels: dict[str, str]
    seed: int
    why: str


@dataclass(frozen=True)
class AdditivePrediction:
    """What taking the best level of each factor by itself leads to, beside what is best of all.

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
    verdict : str
        In words.
    """

    levels: dict[str, str]
    predicted: float
    found: float
    best_levels: dict[str, str]
    best: float
    lost: float
    p: float | None
    verdict: str

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
    reason : str
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
    reason: str
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
        See `additive_prediction`.

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
    ('no interaction found', 'optimizer', True)
    """
    check_level(level)
    grid = _Grid.of(rows, factors, measure)
    if grid.missing:
        return InteractionTest(CANNOT_BE_TOLD, _missing_in_words(grid), [], grid.missing, None)
    additive = _additive(grid, measure, level, base)
    if len(grid.seeds) < 2:
        reason = (
            "There is one seed only: chance and interaction look alike. Run every variant with two seeds or more."
        )
        return InteractionTest(CANNOT_BE_TOLD, reason, [], [], additive)
    sources = analysis_of_variance(grid.values, list(factors))
    verdict, reason = _judge(sources, level)
    return InteractionTest(verdict, reason, sources, [], additive)


def interaction_test_of(study: Study, rows: Iterable[Row], level: float = 0.05) -> InteractionTest | None:
    """Test whether the factors of a study interact; None where it is no factorial of two factors or more."""
    if study.design != "factorial" or len(study.factors) < 2:
        return None
    return interaction_test(rows, study.levels(), study.measure, level, study.variants()[0].levels)


def analysis_of_variance(values: Array, names: Sequence[str]) -> list[Source]:
    """Split the spread of a full factorial over seeds into its sources.

    With y of shape (r, l_1, ..., l_k), N numbers in all, and y_S the mean of y over all axes but those of the
    factors in S, these have the effects, sum of squares and degrees of freedom::

        e_S = y_S, less its mean along each of its axes in turn
        SS_S = N / (product of l_i in S) * sum of e_S²        df_S = product of (l_i - 1) in S

    With y_. the mean of all, e_A = y_A - y_. and e_AB = y_AB - y_A - y_B + y_. . The seeds have theirs alike, with
    df = r - 1, and the residual is what neither seed nor cell explains::

        SS_e = sum of (y - y_seed - y_cell + y_.)²            df_e = (r - 1)(l_1 .. l_k - 1)
        F_S = (SS_S / df_S) / (SS_e / df_e),   p = P(F >= F_S),   share = SS_S / sum of (y - y_.)²

    All sums of squares add up to the total.

    Parameters
    ----------
    values : ndarray of shape (r, l_1, ..., l_k)
        Seeds first, then an axis for each factor; r >= 2, l_i >= 2.
    names : sequence of str
        Of the k factors.

    Returns
    -------
    list of Source
        Seeds, main effects, interactions, residual.

    References
    ----------
    D. C. Montgomery, Design and Analysis of Experiments, sections 4.1, 5.3, 5.4 and 5.6.

    Examples
    --------
    >>> y = np.array([[[1.0, 2.0], [3.0, 8.0]], [[2.0, 3.0], [4.0, 13.0]]])
    >>> for source in analysis_of_variance(y, ["A", "B"]):
    ...     print(source.name, source.sum_of_squares, source.degrees, source.F and round(source.F, 3))
    seed 8.0 1 None
    A 50.0 1 25.0
    B 32.0 1 16.0
    A x B 18.0 1 9.0
    residual 6.0 3 None
    """
    from scipy import special

    scale = scale_of(values.ravel().tolist())
    y = np.asarray(values, np.float64) / scale
    seeds, cells = len(y), y[0].size
    cell_means, seed_means = y.mean(axis=0), y.reshape(seeds, -1).mean(axis=1)
    left = y - cell_means - seed_means.reshape(-1, *[1] * len(names)) + y.mean()
    residual, degrees = _square(left), (seeds - 1) * (cells - 1)
    total = _square(y - y.mean())
    tested = bool(np.sqrt(residual / y.size) > ROUNDINGS * np.finfo(float).eps)

    def share(part: float) -> float:
        return part / total if total > 0 else 0.0

    def source(chosen: tuple[int, ...]) -> Source:
        effects = _effects(cell_means, chosen)
        part = _square(effects) * y.size / effects.size
        freedom = int(np.prod([y.shape[axis + 1] - 1 for axis in chosen]))
        F = (part / freedom) / (residual / degrees) if tested else None
        p = float(special.fdtrc(freedom, degrees, F)) if F is not None else None
        kind = "main" if len(chosen) == 1 else "interaction"
        factors = tuple(names[axis] for axis in chosen)
        return Source(kind, factors, part * scale * scale, freedom, F, p, None, share(part))

    subsets = [chosen for size in range(1, len(names) + 1) for chosen in combinations(range(len(names)), size)]
    found = [source(chosen) for chosen in subsets]
    between = _square(seed_means - y.mean()) * cells
    return [
        Source("seed", (), between * scale * scale, seeds - 1, None, None, None, share(between)),
        *_corrected([line for line in found if line.kind == "main"]),
        *_corrected([line for line in found if line.kind == "interaction"]),
        Source("residual", (), residual * scale * scale, degrees, None, None, None, share(residual)),
    ]


def additive_prediction(
    rows: Iterable[Row],
    factors: Mapping[str, Sequence[str]],
    measure: str,
    level: float = 0.05,
    base: Mapping[str, str] | None = None,
) -> AdditivePrediction:
    """Return what the best level of each factor by itself gives, beside the best cell of the full factorial.

    Without `base` a level is judged by its main effect, its mean over all levels of the other factors, and the
    prediction is the mean of all runs plus the main effects. With it, as in a study that changes one factor at a
    time, a level is judged with the other factors as in the base, and the prediction is the base's mean plus the
    gains.

    Parameters
    ----------
    rows, factors, measure, level
        As for `interaction_test`.
    base : mapping of str to str, optional
        A level of every factor.

    Returns
    -------
    AdditivePrediction

    Raises
    ------
    UsageError, DataError
        As `interaction_test`; and if a run is missing, or the base is not among the levels.

    Examples
    --------
    >>> factors = {"A": ["1", "2"], "B": ["1", "2"]}
    >>> figures = {("1", "1"): 0.5, ("1", "2"): 0.25, ("2", "1"): 0.25, ("2", "2"): 0.75}
    >>> rows = [Row("", {"A": a, "B": b}, 0, "finished", {"train_accuracy": y}) for (a, b), y in figures.items()]
    >>> guess = additive_prediction(rows, factors, "train_accuracy", base={"A": "1", "B": "1"})
    >>> guess.levels, guess.best_levels, guess.lost
    ({'A': '1', 'B': '1'}, {'A': '2', 'B': '2'}, 0.25)
    """
    check_level(level)
    grid = _Grid.of(rows, factors, measure)
    if grid.missing:
        raise DataError(f"rows: {_missing_in_words(grid)}")
    return _additive(grid, measure, level, base)


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
                where = _in_words(dict(zip(factors, place[0], strict=True)))
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
                why = _why(found, measure)
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
            found.append(Row(_in_words(levels), levels, seed, "finished", {measure: value}, seconds=value))
        return found


def _check_factors(rows: list[Row], factors: Mapping[str, Sequence[str]]) -> None:
    if not rows:
        raise DataError("rows: there is no run to judge by")
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


def _why(row: Row | None, measure: str) -> str:
    """Say why a run does not count."""
    if row is None:
        return "no run"
    if row.status != "finished":
        return row.status
    return f"no finite {measure}"


def _in_words(levels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={level}" for name, level in levels.items())


def _missing_in_words(grid: _Grid) -> str:
    some = [f"{_in_words(m.levels)}, seed {m.seed} ({m.why})" for m in grid.missing[:NAMED]]
    more = len(grid.missing) - len(some)
    return (
        f"{len(grid.missing)} of the {grid.values.size} runs of the full factorial are missing: {'; '.join(some)}"
        f"{f'; and {more} more' if more else ''}. Run them, or leave out their seeds or levels."
    )


def _square(values: Array) -> float:
    return float(np.sum(values**2))


def _effects(cell_means: Array, chosen: tuple[int, ...]) -> Array:
    """Return the mean over the other axes, less its mean along each of its own axes in turn."""
    others = tuple(axis for axis in range(cell_means.ndim) if axis not in chosen)
    effects = cell_means.mean(axis=others)
    for axis in range(effects.ndim):
        effects = effects - effects.mean(axis=axis, keepdims=True)
    return effects


def _corrected(sources: list[Source]) -> list[Source]:
    p = [source.p for source in sources if source.p is not None]
    if len(p) < len(sources):
        return sources
    return [source._replace(corrected=value) for source, value in zip(sources, holm(p), strict=True)]


def _judge(sources: list[Source], level: float) -> tuple[str, str]:
    """Return the verdict of a table, and why."""
    interactions = [source for source in sources if source.kind == "interaction"]
    if not interactions:
        return CANNOT_BE_TOLD, "There is one factor only: an interaction needs two."
    strongest = min(interactions, key=lambda source: 1.0 if source.corrected is None else source.corrected)
    if strongest.corrected is None:
        reason = (
            "The seeds shift all cells by the same amount: there is no chance variation to hold effects against."
        )
        return CANNOT_BE_TOLD, reason
    corrected = f", corrected for {len(interactions)} interactions" if len(interactions) > 1 else ""
    figures = f"p = {strongest.corrected:.2g}{corrected}; {strongest.share:.1%} of the variance"
    if strongest.corrected > level:
        return NO_INTERACTION, f"The strongest, {strongest.name}, is within chance ({figures})."
    names = [s.name for s in interactions if s.corrected is not None and s.corrected <= level]
    which = f"{', '.join(names)} ({f'the strongest, {strongest.name}: ' if len(names) > 1 else ''}{figures})"
    return INTERACT, f"What one factor does depends on another: {which}. Choose their levels together."


def _additive(grid: _Grid, measure: str, level: float, base: Mapping[str, str] | None) -> AdditivePrediction:
    larger = larger_is_better(measure)
    scale = scale_of(grid.values.ravel().tolist())
    means = (grid.values / scale).mean(axis=0)
    best_of = np.argmax if larger else np.argmin
    best = np.unravel_index(int(best_of(means)), means.shape)
    start, lines = _lines(grid, means, base)
    pick = tuple(int(best_of(line)) for line in lines)
    predicted = start + sum(float(line[i]) - start for line, i in zip(lines, pick, strict=True))
    levels, best_levels = grid.levels_at(pick), grid.levels_at([int(i) for i in best])
    p, verdict = None, "the best levels by themselves are the best combination"
    if levels != best_levels:
        tests = compare(grid.rows(measure), _in_words(levels), measure, level)
        test = next(test for test in tests if test.variant == _in_words(best_levels))
        p, verdict = test.corrected, f"{_in_words(best_levels)} has the better mean: {test.verdict}"
        if test.verdict == NOT_DISTINGUISHABLE:
            verdict = f"{_in_words(best_levels)} has the better mean, but is not distinguishable with these seeds"
    found, top = float(means[pick]), float(means[best])
    return AdditivePrediction(
        levels, predicted * scale, found * scale, best_levels, top * scale, abs(top - found) * scale, p, verdict
    )


def _lines(grid: _Grid, means: Array, base: Mapping[str, str] | None) -> tuple[float, list[Array]]:
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
