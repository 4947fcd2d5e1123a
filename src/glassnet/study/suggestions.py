"""What would be worth trying after a study, the most useful first."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any

from glassnet.locales.catalogue import Message
from glassnet.study.hypothesis_tests import holm, seeds_needed
from glassnet.study.interactions import interaction_test
from glassnet.study.results import Row
from glassnet.study.statistics import (
    NOT_DISTINGUISHABLE,
    ONE_SEED,
    Comparison,
    Summary,
    larger_is_better,
)

#: More seeds than this to tell two variants apart are not worth it.
MOST_SEEDS = 100

#: Seeds to begin with where there was one.
FEW_SEEDS = 5

#: The factors of a study, with their levels.
Factors = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Suggestion:
    """Something worth trying next.

    Attributes
    ----------
    kind : str
        ``"seeds"``: run more; ``"beyond"``: levels beyond the end of a numeric factor's range; ``"combine"``: the
        best levels of the factors were never tried together; ``"interaction"``: factors to choose together;
        ``"mend"``: a variant that would be best, if all its runs finished.
    message : Message
        A sentence or two.
    details : dict
        What the message is made of. seeds: ``seeds`` in all, and ``variants``, for each tie the seeds it takes,
        None for more than `MOST_SEEDS`. beyond: ``factor``, ``level``, ``try``. combine: ``levels``. interaction:
        ``factors``, ``p``. mend: ``variant``.
    """

    kind: str
    message: Message
    details: dict[str, Any] = field(default_factory=dict)


def signed_mean(summary: Summary, measure: str) -> float:
    """Return the mean of a variant with the sign with which the smallest is the best; NaN where it has none."""
    mean = math.nan if summary.mean is None else summary.mean
    return -mean if larger_is_better(measure) else mean


def suggest_mending(compared: Sequence[Summary], summaries: Sequence[Summary], measure: str) -> list[Suggestion]:
    """Suggest to mend the variants that would be best by those of their runs that finished.

    `compared` are the variants whose runs all finished, the best first, and `summaries` all variants.
    """
    best = signed_mean(compared[0], measure)
    return [
        Suggestion("mend", Message("next_mend", variant=one.variant, mean=one.mean), {"variant": one.variant})
        for one in summaries
        if one.n and signed_mean(one, measure) < best
    ]


def suggest_combining(compared: Sequence[Summary], rows: Sequence[Row], factors: Factors) -> list[Suggestion]:
    """Suggest the best levels of all factors together, where each was only tried by itself.

    The base of such a study is the variant that most others differ from in one factor. The variants stand in the
    order of their means, so the first of its neighbours in a factor has that factor's best level.
    """
    alone: dict[str, list[tuple[Summary, str]]] = {summary.variant: [] for summary in compared}
    for one in compared:
        for other in compared:
            changes = [name for name in factors if one.levels[name] != other.levels[name]]
            if len(changes) == 1:
                alone[one.variant].append((other, changes[0]))
    base = max(compared, key=lambda summary: len(alone[summary.variant]))
    levels = {name: base.levels[name] for name in factors}
    place = {summary.variant: i for i, summary in enumerate(compared)}
    for other, name in reversed(alone[base.variant]):
        if place[other.variant] < place[base.variant]:
            levels[name] = other.levels[name]
    if any(all(row.levels[name] == level for name, level in levels.items()) for row in rows):
        return []
    return [Suggestion("combine", Message("next_combine", levels=levels), {"levels": levels})]


def suggest_factorials(
    rows: Sequence[Row], factors: Factors, measure: str, chosen: Mapping[str, str], level: float
) -> list[Suggestion]:
    """Suggest a full factorial of factors that interact.

    `chosen` is the recommended level of each factor: two factors are looked at with the others at these.
    """
    return [
        Suggestion("interaction", Message("next_interaction", **found), found)
        for names, p in _test_interactions(rows, factors, measure, chosen)
        if p <= level
        for found in [{"factors": list(names), "p": p}]
    ]


def _test_interactions(
    rows: Sequence[Row], factors: Factors, measure: str, chosen: Mapping[str, str]
) -> list[tuple[tuple[str, ...], float]]:
    """Return interactions with their p by Holm: of all factors, or where runs are missing, of two at a time."""
    there = {name: list(dict.fromkeys(row.levels[name] for row in rows)) for name in factors}
    there = {name: levels for name, levels in there.items() if len(levels) > 1}
    places = {(*(row.levels[name] for name in there), row.seed) for row in rows}
    if len(there) < 2 or len(places) < len(rows):  # variants that differ in something else have no grid
        return []
    whole = interaction_test(rows, there, measure)
    if whole.sources:
        lines = [source for source in whole.sources if source.kind == "interaction"]
        return [(line.factors, line.corrected) for line in lines if line.corrected is not None]
    tested = []
    for pair in combinations(there, 2):
        fixed = {name: at for name, at in chosen.items() if name in there and name not in pair}
        part = [row for row in rows if all(row.levels[name] == at for name, at in fixed.items())]
        levels = {name: list(dict.fromkeys(row.levels[name] for row in part)) for name in pair}
        if all(len(few) > 1 for few in levels.values()):
            sources = interaction_test(part, levels, measure).sources
            tested += [(pair, source.p) for source in sources if source.kind == "interaction"]
    known = [(pair, p) for pair, p in tested if p is not None]
    return list(zip([pair for pair, _ in known], holm([p for _, p in known]), strict=True))


def suggest_seeds(best: str, comparisons: Sequence[Comparison], level: float) -> list[Suggestion]:
    """Suggest as many seeds as would tell the best from its ties; `comparisons` are those with the best."""
    if any(test.verdict == ONE_SEED for test in comparisons):
        message = Message("next_first_seeds", n=FEW_SEEDS)
        return [Suggestion("seeds", message, {"seeds": FEW_SEEDS, "variants": {}})]
    needed: dict[str, int | None] = {}
    for test in comparisons:
        if test.verdict == NOT_DISTINGUISHABLE and test.difference is not None and test.std is not None:
            hardest = level / len(comparisons)
            needed[test.variant] = seeds_needed(test.difference, test.std, hardest, most=MOST_SEEDS)
    if not needed:
        return []
    enough = {variant: seeds for variant, seeds in needed.items() if seeds is not None}
    hopeless = [variant for variant in needed if variant not in enough]
    sentences = []
    if enough:
        sentences.append(Message("next_seeds", n=max(enough.values()), best=best, others=list(enough)))
    if hopeless:
        sentences.append(Message("next_hopeless", best=best, others=hopeless, most=MOST_SEEDS))
    details = {"seeds": max(enough.values(), default=None), "variants": needed}
    return [Suggestion("seeds", Message("sentences", sentences=sentences), details)]


def suggest_levels(
    chosen: Mapping[str, str], equal: Collection[Mapping[str, str]], factors: Factors
) -> list[Suggestion]:
    """Suggest a level beyond the range of a numeric factor, where the recommended one lies at its end.

    `chosen` is the recommended level of each factor. `equal` has the levels of the best variant and of those close
    to it.
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
        if beyond is not None:
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
