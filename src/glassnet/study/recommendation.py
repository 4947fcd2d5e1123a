"""What to take from a study: the best variant, what ties with it, the cheapest of those, and what to try next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise
from typing import Any

from glassnet.errors import DataError, unknown_name
from glassnet.study.hypothesis_tests import check_level, holm, seeds_needed
from glassnet.study.interactions import interaction_test
from glassnet.study.results import Row
from glassnet.study.statistics import (
    NOT_DISTINGUISHABLE,
    ONE_SEED,
    Comparison,
    Summary,
    by_variant,
    compare,
    larger_is_better,
    summarise,
    value_of,
)

#: Times within this factor of the shortest are called equal: a machine is never quite idle.
EQUAL_TIME = 1.1

#: More seeds than this to tell two variants apart are not worth it.
MOST_SEEDS = 100

#: Seeds to begin with where there was one.
FEW_SEEDS = 5


@dataclass(frozen=True)
class Suggestion:
    """Something worth trying next.

    Attributes
    ----------
    kind : str
        ``"seeds"``: run more; ``"beyond"``: levels beyond the end of a numeric factor's range; ``"combine"``: the
        best levels of the factors were never tried together; ``"interaction"``: factors to choose together;
        ``"mend"``: a variant that would be best, if all its runs finished.
    text : str
        In a sentence or two.
    details : dict
        What the text is made of. seeds: ``seeds`` in all, and ``variants``, for each tie the seeds it takes, None
        for more than `MOST_SEEDS`. beyond: ``factor``, ``level``, ``try``. combine: ``levels``. interaction:
        ``factors``, ``p``. mend: ``variant``.
    """

    kind: str
    text: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recommendation:
    """What `recommend` found.

    Attributes
    ----------
    measure : str
    level : float
        Of the tests and intervals.
    variant : str
        The one to take.
    levels : dict of str to str
        Its level of every factor.
    best : str
        The one with the best mean.
    ties : tuple of str
        Not distinguishable from the best, in the order of their means.
    close : tuple of str
        The ties within one standard error of the best, see `recommend`.
    margin : float or None
        How far the best mean is ahead of the second best, >= 0; None where nothing else was compared.
    given_up : float
        How far the recommended mean is behind the best, >= 0.
    seeds : tuple of int
        Those that every compared variant has.
    summaries : list of Summary
        Of the compared variants, the best first.
    comparisons : list of Comparison
        Of the compared variants with the best, in the order of their means.
    excluded : dict of str to str
        The other variants, never recommended, and why.
    reason : str
        In two to four sentences.
    next : list of Suggestion
        What would be worth trying, the most useful first.
    """

    measure: str
    level: float
    variant: str
    levels: dict[str, str]
    best: str
    ties: tuple[str, ...]
    close: tuple[str, ...]
    margin: float | None
    given_up: float
    seeds: tuple[int, ...]
    summaries: list[Summary]
    comparisons: list[Comparison]
    excluded: dict[str, str]
    reason: str
    next: list[Suggestion]


def recommend(
    rows: Iterable[Row], measure: str, factors: Mapping[str, Sequence[str]], level: float = 0.05
) -> Recommendation:
    """Recommend a variant of a study.

    1. Compared are the variants whose runs with all seeds finished. The others are named, and never recommended.
    2. The best has the best mean of the measure.
    3. Its ties are those not distinguishable from it: paired t over the seeds, Holm over all variants. However
       the best was picked, the variant that is best in truth is one of them or the best itself in at least 1 -
       level of the studies. One that is as good in truth may be called worse, as the best was picked for its mean:
       in 10 % of 2,500 simulated studies of eight equal variants with five seeds, one or more were.
    4. Few seeds can tell little apart, so a tie may be much worse. Close to the best are those ties whose mean
       difference d to it is at most one standard error, s_d / sqrt(n).
    5. The cheapest among the best and those close to it is recommended: the least median of seconds, where times
       within 10 % of the least count as equal; of those the fewest parameters; then the better mean.

    With one seed nothing can be judged, and the best mean is recommended.

    Parameters
    ----------
    rows : iterable of Row
    measure : str
        On validation rows: the best of many looks better than it is, in the rows that it was picked by. As for
        `glassnet.study.statistics.larger_is_better`.
    factors : mapping of str to sequence of str
        The study's factors, with their levels.
    level : float, default 0.05
        Of the tests.

    Returns
    -------
    Recommendation

    Raises
    ------
    UsageError
        If the measure or the level cannot be used, or a factor is none of the runs'.
    DataError
        If no variant finished with all seeds, or one has two runs of one seed.

    References
    ----------
    Step 3: S. S. Gupta (1965), On some multiple decision (selection and ranking) rules, Technometrics 7, 225-245.
    Step 4: Breiman, Friedman, Olshen and Stone (1984), Classification and Regression Trees, section 3.4.3, the
    rule of one standard error.

    Examples
    --------
    >>> figures = {"base": [0.80, 0.82, 0.81], "optimizer=adam": [0.90, 0.91, 0.91]}
    >>> rows = [
    ...     Row(name, {"optimizer": name[-4:]}, seed, "finished", {"validation_accuracy": figure})
    ...     for name, line in figures.items()
    ...     for seed, figure in enumerate(line)
    ... ]
    >>> found = recommend(rows, "validation_accuracy", {"optimizer": ["base", "adam"]})
    >>> found.variant, found.ties, round(found.margin, 3)
    ('optimizer=adam', (), 0.097)
    """
    check_level(level)
    rows = list(rows)
    for name in factors:
        if any(name not in row.levels for row in rows):
            raise unknown_name("factors", name, {known for row in rows for known in row.levels})
    summaries = summarise(rows, measure, level)
    excluded = _excluded(rows, measure)
    compared = [summary for summary in summaries if summary.variant not in excluded]
    if not compared:
        why = "; ".join(f"{variant}: {reason}" for variant, reason in excluded.items()) or "there are no runs"
        raise DataError(f"rows: no variant finished with every seed, so none can be recommended ({why})")
    compared.sort(key=lambda summary: _order(summary, measure))
    best, place = compared[0], {summary.variant: i for i, summary in enumerate(compared)}
    tests = compare([row for row in rows if row.variant in place], best.variant, measure, level)
    tests.sort(key=lambda test: place[test.variant])
    ties = [test for test in tests if test.verdict == NOT_DISTINGUISHABLE]
    close = tuple(test.variant for test in ties if _within_a_standard_error(test))
    chosen = _cheapest([best, *(compared[place[variant]] for variant in close)])
    found = Recommendation(
        measure=measure,
        level=level,
        variant=chosen.variant,
        levels=chosen.levels,
        best=best.variant,
        ties=tuple(test.variant for test in ties),
        close=close,
        margin=_gap(compared[1], best) if len(compared) > 1 else None,
        given_up=_gap(chosen, best),
        seeds=tuple(sorted({row.seed for row in rows})),
        summaries=compared,
        comparisons=tests,
        excluded=excluded,
        reason="",
        next=[],
    )
    return replace(found, reason=_reason(found), next=_next(found, rows, summaries, factors))


def _excluded(rows: list[Row], measure: str) -> dict[str, str]:
    """Return why variants are not compared: their runs that failed, or are not there."""
    seeds = {row.seed for row in rows}
    found = {}
    for variant, runs in by_variant(rows).items():
        bad = [row for row in runs.values() if value_of(row, measure) is None]
        kinds = [row.status if row.status != "finished" else f"without a finite {measure}" for row in bad]
        kinds += ["not run"] * (len(seeds) - len(runs))
        if kinds:
            counts = [
                f"{kind} with {kinds.count(kind)} of {_counted(len(seeds))}" for kind in dict.fromkeys(kinds)
            ]
            found[variant] = ", ".join(counts)
    return found


def _counted(seeds: int) -> str:
    return f"{seeds} seed{'s' if seeds > 1 else ''}"


def _mean(summary: Summary) -> float:
    """Return a mean that is known to be there."""
    return math.nan if summary.mean is None else summary.mean


def _cost(summary: Summary) -> tuple[float, float]:
    return summary.seconds or 0.0, summary.parameters or 0.0


def _order(summary: Summary, measure: str) -> tuple[float, float, float, str]:
    """Return what puts the best mean first; of equal ones the cheaper, then by name, whatever the rows' order."""
    sign = -1 if larger_is_better(measure) else 1
    return sign * _mean(summary), *_cost(summary), summary.variant


def _gap(one: Summary, other: Summary) -> float:
    return abs(_mean(one) - _mean(other))


def _within_a_standard_error(test: Comparison) -> bool:
    if test.difference is None or test.std is None:
        return False
    return abs(test.difference) <= test.std / math.sqrt(len(test.seeds))


def _cheapest(summaries: list[Summary]) -> Summary:
    """Return the cheapest of variants that stand in the order of their means."""
    least = min(_cost(summary)[0] for summary in summaries)
    fast = [summary for summary in summaries if _cost(summary)[0] <= EQUAL_TIME * least]
    return min(fast, key=lambda summary: _cost(summary)[1])  # of equal ones the first, which has the better mean


def _reason(found: Recommendation) -> str:
    sentences = [_lead(found), _standing(found), _choice(found), _left_out(found.excluded)]
    return " ".join(sentence for sentence in sentences if sentence)


def _lead(found: Recommendation) -> str:
    best, name = found.summaries[0], found.measure.replace("_", " ")
    figure = f"{best.mean:.4g}"
    if best.low is not None:
        confidence = f"{100 * (1 - found.level):.4g} %"
        figure += f" on average over {best.n} seeds ({confidence} interval {best.low:.4g} to {best.high:.4g})"
    if len(found.summaries) == 1:
        return (
            f"{_quoted(best.variant)} is the only variant that finished with every seed: its {name} is {figure}."
        )
    which = "highest" if larger_is_better(found.measure) else "lowest"
    return f"Of {len(found.summaries)} variants, {_quoted(best.variant)} has the {which} {name}: {figure}."


def _standing(found: Recommendation) -> str:
    """Say how far the best is ahead, and whether that is more than chance."""
    if not found.comparisons:
        return "There is nothing to compare it with."
    second = found.comparisons[0]
    if second.verdict == ONE_SEED:
        chance = "with one seed nobody can tell whether that is more than chance"
        return f"The next, {_quoted(second.variant)}, is {found.margin:.2g} behind; {chance}."
    if found.ties:
        return f"{_listed(found.ties)} cannot be told from it with these seeds."
    behind = f"the next, {_quoted(second.variant)}, is {found.margin:.2g} behind (p = {second.corrected:.2g}"
    if len(found.comparisons) == 1:
        return f"That is more than chance explains: {behind})."
    return f"All others are worse by more than chance explains: {behind}, corrected for all comparisons)."


def _choice(found: Recommendation) -> str:
    """Say why the best is taken, or one that is close to it; nothing where that is plain."""
    if not found.ties:
        return ""
    if found.variant == found.best:
        if found.close:
            return f"{_quoted(found.best)} is recommended: none of those close to it is clearly cheaper."
        return f"{_quoted(found.best)} is recommended: they are all behind by more than one standard error."
    by_name = {summary.variant: summary for summary in found.summaries}
    seconds, parameters = _cost(by_name[found.variant])
    best_seconds, best_parameters = _cost(by_name[found.best])
    cheaper = f"takes {seconds:.3g} s of training instead of {best_seconds:.3g} s"
    if seconds * EQUAL_TIME > best_seconds and parameters < best_parameters:
        cheaper = f"has {parameters:,.0f} parameters instead of {best_parameters:,.0f}"
    behind = f"{found.given_up:.2g} behind, within one standard error"
    return f"{_quoted(found.variant)} is recommended: it is {behind}, and {cheaper}."


def _left_out(excluded: Mapping[str, str]) -> str:
    if not excluded:
        return ""
    return f"Left out: {'; '.join(f'{_quoted(variant)} ({why})' for variant, why in excluded.items())}."


def _quoted(name: str) -> str:
    """Return a name for a sentence: it may hold commas itself."""
    return f"“{name}”"


def _listed(names: Sequence[str], most: int = 3) -> str:
    """Return names as a list in a sentence."""
    shown = [_quoted(name) for name in names[:most]]
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _next(
    found: Recommendation, rows: list[Row], summaries: list[Summary], factors: Mapping[str, Sequence[str]]
) -> list[Suggestion]:
    return [
        *_mend(found, summaries),
        *_combine(found, rows, factors),
        *_together(found, rows, factors),
        *_more_seeds(found),
        *_beyond(found, factors),
    ]


def _mend(found: Recommendation, summaries: list[Summary]) -> list[Suggestion]:
    """Suggest to mend what would be best by the runs that finished."""
    best = _order(found.summaries[0], found.measure)[0]
    promising = [summary for summary in summaries if summary.n and _order(summary, found.measure)[0] < best]
    return [
        Suggestion(
            "mend",
            f"{_quoted(summary.variant)} has a better mean, {summary.mean:.4g}, in those of its runs that "
            "finished: see what is wrong with the others, and run them again.",
            {"variant": summary.variant},
        )
        for summary in promising
    ]


def _combine(found: Recommendation, rows: list[Row], factors: Mapping[str, Sequence[str]]) -> list[Suggestion]:
    """Suggest the best levels of all factors together, where each was only tried by itself.

    The base of such a study is the variant that most others differ from in one factor. The variants stand in the
    order of their means, so the first of its neighbours in a factor has that factor's best level.
    """
    changes = {
        summary.variant: [(other, _changed(summary, other, factors)) for other in found.summaries]
        for summary in found.summaries
    }
    alone = {variant: [one for one in line if len(one[1]) == 1] for variant, line in changes.items()}
    base = max(found.summaries, key=lambda summary: len(alone[summary.variant]))
    levels = {name: base.levels[name] for name in factors}
    place = {summary.variant: i for i, summary in enumerate(found.summaries)}
    for other, (name,) in reversed(alone[base.variant]):
        if place[other.variant] < place[base.variant]:
            levels[name] = other.levels[name]
    if any(all(row.levels[name] == level for name, level in levels.items()) for row in rows):
        return []
    together = ", ".join(f"{name}={level}" for name, level in levels.items())
    text = (
        f"The best levels of the factors were never tried together: run {together}. A full factorial of these "
        "factors also shows whether they act independently."
    )
    return [Suggestion("combine", text, {"levels": levels})]


def _changed(one: Summary, other: Summary, factors: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the factors in which two variants differ."""
    return [name for name in factors if one.levels[name] != other.levels[name]]


def _together(found: Recommendation, rows: list[Row], factors: Mapping[str, Sequence[str]]) -> list[Suggestion]:
    """Suggest a full factorial of factors that interact."""
    return [
        Suggestion(
            "interaction",
            f"{_listed(names)} interact (p = {p:.2g}): what is best of one depends on the other. Choose them "
            "together, by a full factorial of them with more levels.",
            {"factors": list(names), "p": p},
        )
        for names, p in _interactions(found, rows, factors)
        if p <= found.level
    ]


def _interactions(
    found: Recommendation, rows: list[Row], factors: Mapping[str, Sequence[str]]
) -> list[tuple[tuple[str, ...], float]]:
    """Return interactions with their p by Holm: of all factors, or where runs are missing, of two at a time.

    Two factors are looked at with the others as recommended.
    """
    there = {name: list(dict.fromkeys(row.levels[name] for row in rows)) for name in factors}
    there = {name: levels for name, levels in there.items() if len(levels) > 1}
    places = {(*(row.levels[name] for name in there), row.seed) for row in rows}
    if len(there) < 2 or len(places) < len(rows):  # variants that differ in something else have no grid
        return []
    whole = interaction_test(rows, there, found.measure)
    if whole.sources:
        lines = [source for source in whole.sources if source.kind == "interaction"]
        return [(line.factors, line.corrected) for line in lines if line.corrected is not None]
    tested = []
    for pair in combinations(there, 2):
        fixed = {name: at for name, at in found.levels.items() if name in there and name not in pair}
        part = [row for row in rows if all(row.levels[name] == at for name, at in fixed.items())]
        levels = {name: list(dict.fromkeys(row.levels[name] for row in part)) for name in pair}
        if all(len(few) > 1 for few in levels.values()):
            sources = interaction_test(part, levels, found.measure).sources
            tested += [(pair, source.p) for source in sources if source.kind == "interaction"]
    known = [(pair, p) for pair, p in tested if p is not None]
    return list(zip([pair for pair, _ in known], holm([p for _, p in known]), strict=True))


def _more_seeds(found: Recommendation) -> list[Suggestion]:
    """Suggest as many seeds as would tell the ties from the best."""
    if len(found.seeds) == 1 and found.comparisons:
        text = f"Run {FEW_SEEDS} seeds: with one, nothing can be judged."
        return [Suggestion("seeds", text, {"seeds": FEW_SEEDS, "variants": {}})]
    needed: dict[str, int | None] = {}
    for test in found.comparisons:
        if test.variant in found.ties and test.difference is not None and test.std is not None:
            hardest = found.level / len(found.comparisons)
            needed[test.variant] = seeds_needed(test.difference, test.std, hardest, most=MOST_SEEDS)
    if not needed:
        return []
    enough = {variant: seeds for variant, seeds in needed.items() if seeds is not None}
    hopeless = [variant for variant in needed if variant not in enough]
    sentences = []
    if enough:
        told = (
            f"Run {max(enough.values())} seeds in all to tell {_quoted(found.best)} from {_listed(list(enough))}"
        )
        sentences.append(f"{told}: at least so many, as the best of several looks better than it is.")
    if hopeless:
        told = f"To tell {_quoted(found.best)} from {_listed(hopeless)} would take more than {MOST_SEEDS} seeds"
        sentences.append(f"{told}: take the cheaper.")
    details = {"seeds": max(enough.values(), default=None), "variants": needed}
    return [Suggestion("seeds", " ".join(sentences), details)]


def _beyond(found: Recommendation, factors: Mapping[str, Sequence[str]]) -> list[Suggestion]:
    """Suggest a level beyond the range of a numeric factor, where the recommended one lies at its end."""
    suggestions = []
    equal = {found.best, *found.close}
    for name, levels in factors.items():
        numbers = _numbers(levels)
        if numbers is None or found.levels[name] not in numbers:
            continue
        order = sorted(numbers, key=numbers.__getitem__)
        if found.levels[name] == order[0]:
            order.reverse()
        elif found.levels[name] != order[-1]:
            continue
        # Where the last step within the range made no difference, another one will hardly do.
        before = found.levels | {name: order[-2]}
        if any(summary.levels == before and summary.variant in equal for summary in found.summaries):
            continue
        beyond = _step(numbers, order)
        if beyond is not None:
            text = f"{name}={order[-1]} lies at the end of its range: try beyond it, {beyond} for example."
            suggestions.append(Suggestion("beyond", text, {"factor": name, "level": order[-1], "try": beyond}))
    return suggestions


def _numbers(levels: Sequence[str]) -> dict[str, float] | None:
    """Return the levels as numbers, None where they are not two or more different ones."""
    try:
        numbers = {level: float(level) for level in levels}
    except ValueError:
        return None
    usable = all(math.isfinite(number) for number in numbers.values())
    return numbers if usable and len(set(numbers.values())) == len(levels) >= 2 else None


def _step(numbers: Mapping[str, float], order: Sequence[str]) -> str | None:
    """Return the next level after the last in order: by a factor where the levels rise so, else by a distance."""
    last, before = numbers[order[-1]], numbers[order[-2]]
    values = [numbers[level] for level in order]
    if min(values) > 0 and _even([math.log(value) for value in values]) <= _even(values) and _wide(values):
        beyond = last * (last / before)
    else:
        beyond = last + (last - before)
        if min(values) >= 0 >= beyond:
            beyond = last / 2
    if all(number.lstrip("+-").isdigit() for number in numbers):
        beyond = float(round(beyond))
        if beyond <= 0 < last:
            return None
    return None if beyond == last else f"{beyond:.6g}"


def _even(values: Sequence[float]) -> float:
    """Return the largest step of a row of numbers as a multiple of its smallest."""
    steps = [abs(b - a) for a, b in pairwise(values)]
    return max(steps) / min(steps)


def _wide(values: Sequence[float]) -> bool:
    """Return whether the numbers span a factor that nobody would step through by distances."""
    return max(values) >= 4 * min(values)
