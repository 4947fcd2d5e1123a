"""What to take from a study: the best variant, what ties with it, the cheapest of those, and what to try next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from glassnet.errors import DataError, unknown_name
from glassnet.locales.catalogue import Message
from glassnet.study.hypothesis_tests import check_level
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
from glassnet.study.suggestions import (
    Suggestion,
    signed_mean,
    suggest_combining,
    suggest_factorials,
    suggest_levels,
    suggest_mending,
    suggest_seeds,
)

#: Times within this factor of the shortest are called equal: a machine is never quite idle.
EQUAL_TIME = 1.1


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
    excluded : dict of str to Message
        The other variants, never recommended, and why.
    reason : Message
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
    excluded: dict[str, Message]
    reason: Message
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

    With one seed no difference can be told from chance, and the best mean is recommended.

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
    excluded = excluded_variants(rows, measure)
    compared = [summary for summary in summaries if summary.variant not in excluded]
    if not compared:
        why = "; ".join(f"{variant}: {reason}" for variant, reason in excluded.items()) or "there are no runs"
        raise DataError(f"rows: no variant finished with every seed, so none can be recommended ({why})")
    # Of equal means the cheaper stands first, then it goes by name, whatever the order of the rows.
    compared.sort(key=lambda one: (signed_mean(one, measure), *_read_cost(one), one.variant))
    best, place = compared[0], {summary.variant: i for i, summary in enumerate(compared)}
    tests = compare([row for row in rows if row.variant in place], best.variant, measure, level)
    tests.sort(key=lambda test: place[test.variant])
    ties = [test for test in tests if test.verdict == NOT_DISTINGUISHABLE]
    close = tuple(test.variant for test in ties if _is_within_standard_error(test))
    cheap = [best, *(compared[place[variant]] for variant in close)]
    chosen = _find_cheapest(cheap)
    found = Recommendation(
        measure=measure,
        level=level,
        variant=chosen.variant,
        levels=chosen.levels,
        best=best.variant,
        ties=tuple(test.variant for test in ties),
        close=close,
        margin=_measure_gap(compared[1], best) if len(compared) > 1 else None,
        given_up=_measure_gap(chosen, best),
        seeds=tuple(sorted({row.seed for row in rows})),
        summaries=compared,
        comparisons=tests,
        excluded=excluded,
        reason=Message("sentences", sentences=[]),
        next=[
            *suggest_mending(compared, summaries, measure),
            *suggest_combining(compared, rows, factors),
            *suggest_factorials(rows, factors, measure, chosen.levels, level),
            *suggest_seeds(best.variant, tests, level),
            *suggest_levels(chosen.levels, [summary.levels for summary in cheap], factors),
        ],
    )
    sentences = [_write_lead(found), _write_standing(found), *_explain_choice(found)]
    if excluded:
        sentences.append(leave_out(excluded))
    return replace(found, reason=Message("sentences", sentences=sentences))


def excluded_variants(rows: Iterable[Row], measure: str) -> dict[str, Message]:
    """Return the variants that cannot be compared, and why: their runs that failed, or are not there."""
    variants = by_variant(rows)
    n = len({seed for runs in variants.values() for seed in runs})
    found = {}
    for variant, runs in variants.items():
        kinds: list[str | Message] = [
            row.status if row.status != "finished" else Message("without_measure", measure=measure)
            for row in runs.values()
            if value_of(row, measure) is None
        ]
        kinds += ["not run"] * (n - len(runs))
        if kinds:
            seeds = Message("n_seeds", n=n)
            items = [
                Message("left_out_why", kind=kind, n=kinds.count(kind), seeds=seeds)
                for place, kind in enumerate(kinds)
                if kind not in kinds[:place]
            ]
            found[variant] = Message("listing", items=items)
    return found


def leave_out(excluded: Mapping[str, Message]) -> Message:
    """Return which variants are left out of the comparison, and why each, as a sentence."""
    variants = [(Message("quoted", name=name), why) for name, why in excluded.items()]
    return Message("left_out", list=[Message("left_out_one", variant=name, why=why) for name, why in variants])


def _read_cost(summary: Summary) -> tuple[float, float]:
    return summary.seconds or 0.0, summary.parameters or 0.0


def _measure_gap(one: Summary, other: Summary) -> float:
    return abs((one.mean or 0.0) - (other.mean or 0.0))  # compared variants have a mean


def _is_within_standard_error(test: Comparison) -> bool:
    if test.difference is None or test.std is None:
        return False
    return abs(test.difference) <= test.std / math.sqrt(len(test.seeds))


def _find_cheapest(summaries: list[Summary]) -> Summary:
    """Return the cheapest of variants that stand in the order of their means."""
    least = min(_read_cost(summary)[0] for summary in summaries)
    fast = [summary for summary in summaries if _read_cost(summary)[0] <= EQUAL_TIME * least]
    return min(
        fast, key=lambda summary: _read_cost(summary)[1]
    )  # of equal ones the first, which has the better mean


def _write_lead(found: Recommendation) -> Message:
    best = found.summaries[0]
    figure: float | Message | None = best.mean
    if best.low is not None:
        confidence = 100 * (1 - found.level)
        figure = Message(
            "mean_figure", mean=best.mean, n=best.n, confidence=confidence, low=best.low, high=best.high
        )
    values = {"best": best.variant, "measure": found.measure, "figure": figure}
    if len(found.summaries) == 1:
        return Message("lead_only", **values)
    which = Message("highest" if larger_is_better(found.measure) else "lowest")
    return Message("lead", n=len(found.summaries), which=which, **values)


def _write_standing(found: Recommendation) -> Message:
    """Return how far the best is ahead, and whether that is more than chance."""
    if not found.comparisons:
        return Message("standing_alone")
    second = found.comparisons[0]
    if second.verdict == ONE_SEED:
        return Message("standing_one_seed", second=second.variant, margin=found.margin)
    if found.ties:
        return Message("standing_ties", ties=list(found.ties))
    key = "standing_two" if len(found.comparisons) == 1 else "standing_all"
    return Message(key, second=second.variant, margin=found.margin, p=second.corrected)


def _explain_choice(found: Recommendation) -> list[Message]:
    """Return why the best is taken, or one that is close to it; nothing where that is plain."""
    if not found.ties:
        return []
    if found.variant == found.best:
        return [Message("choice_close" if found.close else "choice_clear", best=found.best)]
    by_name = {summary.variant: summary for summary in found.summaries}
    seconds, parameters = _read_cost(by_name[found.variant])
    best_seconds, best_parameters = _read_cost(by_name[found.best])
    key, ours, best = "choice_seconds", seconds, best_seconds
    if seconds * EQUAL_TIME > best_seconds and parameters < best_parameters:
        key, ours, best = "choice_parameters", parameters, best_parameters
    return [Message(key, variant=found.variant, gap=found.given_up, ours=ours, best=best)]
