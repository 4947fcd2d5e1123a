"""What would be worth trying after a study, the most useful first."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from glassnet.locales.catalogue import Message
from glassnet.study.hypothesis_tests import LOOKS, seeds_needed, std_range
from glassnet.study.results import Row
from glassnet.study.samples import larger_is_better
from glassnet.study.statistics import ONE_SEED, UNPROVEN, Comparison, Summary

#: More seeds than this to tell two variants apart are not worth it.
MOST_SEEDS = 100

#: Seeds to begin with where there was one.
FEW_SEEDS = 5

#: The range of the seeds that are needed misses the truth in this share of studies.
RANGE_LEVEL = 0.2

#: The factors of a study, with their levels.
Factors = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Suggestion:
    """Something worth trying next.

    Attributes
    ----------
    kind : str
        ``"seeds"``: run more, or that more are not worth it; ``"beyond"``: levels beyond the end of a numeric
        factor's range; ``"combine"``: the best levels of the factors were never tried together; ``"mend"``: a
        variant that would be best, if all its runs were as its good ones.
    message : Message
        A sentence or two.
    details : dict
        What the message is made of. seeds: ``seeds`` in all, their ``range``, and ``variants``, for each tie the
        seeds it takes; None for more than `MOST_SEEDS`. beyond: ``factor``, ``level``, ``try``. combine:
        ``levels``. mend: ``variant``.
    """

    kind: str
    message: Message
    details: dict[str, Any] = field(default_factory=dict)


def signed_mean(summary: Summary, measure: str) -> float:
    """Return the mean of a variant with the sign with which the smallest is the best; NaN where it has none."""
    mean = math.nan if summary.mean is None else summary.mean
    return -mean if larger_is_better(measure) else mean


def suggest_mending(
    chosen: Summary, summaries: Sequence[Summary], spoilt: Collection[str], measure: str
) -> list[Suggestion]:
    """Suggest to mend the variants that are better than the chosen one by the median of their runs that count.

    `spoilt` are those with runs that failed, or are sick, collapsed or far off.
    """
    sign, found = (-1.0 if larger_is_better(measure) else 1.0), []
    for one in summaries:
        if one.variant in spoilt and one.variant != chosen.variant and one.values:
            middle = statistics.median(one.values.values())
            if sign * middle < signed_mean(chosen, measure):
                message = Message("next_mend", variant=one.variant, median=middle)
                found.append(Suggestion("mend", message, {"variant": one.variant}))
    return found


def find_best_levels(compared: Sequence[Summary], rows: Sequence[Row], factors: Factors) -> dict[str, str]:
    """Return the best level of each factor by itself, with the other factors as in the base.

    `compared` are the variants to choose from, in the order of their means. The base has the level of each factor
    that most runs have, or of equally many the first.
    """
    base = {name: statistics.mode(row.levels[name] for row in rows) for name in factors}
    levels = dict(base)
    for name in factors:
        alone = [
            one for one in compared if all(one.levels[other] == base[other] for other in factors if other != name)
        ]
        levels[name] = alone[0].levels[name] if alone else base[name]
    return levels


def suggest_combining(compared: Sequence[Summary], rows: Sequence[Row], factors: Factors) -> list[Suggestion]:
    """Suggest the best levels of all factors together, where each was only tried by itself."""
    levels = find_best_levels(compared, rows, factors)
    if any(all(row.levels[name] == level for name, level in levels.items()) for row in rows):
        return []
    return [Suggestion("combine", Message("next_combine", levels=levels), {"levels": levels})]


def suggest_seeds(best: str, comparisons: Sequence[Comparison], level: float, margin: float) -> list[Suggestion]:
    """Suggest as many seeds as would show a difference of the margin between the best and its ties.

    `comparisons` are those with the best. A difference that was seen is no measure for it: the best was picked, so
    it is too large on average. The range is that of the standard deviations, which few seeds tell badly.
    """
    if any(test.verdict == ONE_SEED for test in comparisons):
        message = Message("next_first_seeds", n=FEW_SEEDS)
        return [Suggestion("seeds", message, {"seeds": FEW_SEEDS, "range": None, "variants": {}})]
    ties = [test for test in comparisons if test.verdict == UNPROVEN]
    if not ties:
        return []
    hardest, n = level / LOOKS / len(comparisons), max(len(test.seeds) for test in ties)
    needed = {test.variant: _count_seeds(test, hardest, margin) for test in ties}
    known = [count for _, count, _ in needed.values() if count is not None]
    details = {"variants": {variant: count for variant, (_, count, _) in needed.items()}}
    said = {"best": best, "others": list(needed), "margin": margin}
    seeds = max(2 * n, *known) if len(known) == len(ties) else None
    if seeds is None or seeds > MOST_SEEDS:
        # Without any spread over the seeds, would the rows alone hide the margin?
        by_rows = any(
            seeds_needed(margin, 0.0, hardest, rows_variance=test.rows_std**2, most=MOST_SEEDS) is None
            for test in ties
        )
        message = Message("next_rows" if by_rows else "next_hopeless", most=MOST_SEEDS, **said)
        return [Suggestion("seeds", message, {"seeds": None, "range": None, **details})]
    low = max(count or MOST_SEEDS for count, _, _ in needed.values())
    high = max(count or MOST_SEEDS for _, _, count in needed.values())
    ends = max(2 * n, low), max(2 * n, high)
    message = Message("next_seeds", n=seeds, low=ends[0], high=ends[1], most=MOST_SEEDS, **said)
    return [Suggestion("seeds", message, {"seeds": seeds, "range": list(ends), **details})]


def _count_seeds(test: Comparison, level: float, margin: float) -> list[int | None]:
    """Return how many seeds show the margin: None for more than `MOST_SEEDS`.

    The three numbers go by the lower end of the standard deviation's range, by itself, and by the upper end.
    """
    std = test.std or 0.0
    low, high = std_range(std, len(test.seeds) - 1, RANGE_LEVEL)
    fixed = test.rows_std**2
    return [seeds_needed(margin, one, level, rows_variance=fixed, most=MOST_SEEDS) for one in (low, std, high)]


def suggest_levels(
    chosen: Mapping[str, str],
    equal: Collection[Mapping[str, str]],
    factors: Factors,
    fits: Callable[[str, str], bool],
) -> list[Suggestion]:
    """Suggest a level beyond the range of a numeric factor, where the recommended one lies at its end.

    `chosen` is the recommended level of each factor. `equal` has the levels of the variants that are as good. A
    level that does not fit its factor is not suggested.
    """
    suggestions = []
    for name, levels in factors.items():
        numbers = _read_numbers(levels)
        if numbers is None or chosen[name] not in numbers:
            continue
        order = sorted(numbers, key=numbers.__getitem__)
        if chosen[name] == order[0]:
            order.reverse()
        elif chosen[name] != order[-1]:
            continue
        # Where the last step within the range made no difference, another one will hardly do.
        if {**chosen, name: order[-2]} in equal:
            continue
        beyond = _extend_range(numbers, order)
        if beyond is not None and fits(name, beyond):
            message = Message("next_beyond", factor=name, level=order[-1], beyond=beyond)
            suggestions.append(Suggestion("beyond", message, {"factor": name, "level": order[-1], "try": beyond}))
    return suggestions


def _read_numbers(levels: Sequence[str]) -> dict[str, float] | None:
    """Return the levels as numbers, None where they are not two or more different ones."""
    try:
        numbers = {level: float(level) for level in levels}
    except ValueError:
        return None
    usable = all(math.isfinite(number) for number in numbers.values())
    return numbers if usable and len(set(numbers.values())) == len(levels) >= 2 else None


def _extend_range(numbers: Mapping[str, float], order: Sequence[str]) -> str | None:
    """Return the next level after the last in order: by a factor where the levels rise so, else by a distance."""
    last, before = numbers[order[-1]], numbers[order[-2]]
    values = [numbers[level] for level in order]
    # Nobody would step by distances through numbers that span a factor of 4.
    wide = max(values) >= 4 * min(values)
    if (
        min(values) > 0
        and _compare_steps([math.log(value) for value in values]) <= _compare_steps(values)
        and wide
    ):
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


def _compare_steps(values: Sequence[float]) -> float:
    """Return the largest step of a row of numbers as a multiple of its smallest."""
    steps = [abs(b - a) for a, b in pairwise(values)]
    return max(steps) / min(steps)
