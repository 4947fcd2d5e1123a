"""What to take from a study: the best sound variant, what cannot be told from it, and what to try next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from glassnet.errors import DataError, unknown_name
from glassnet.locales.catalogue import Message
from glassnet.study.choice import Gain, interval_of_best, measure_gain
from glassnet.study.design import BASE
from glassnet.study.hypothesis_tests import check_level
from glassnet.study.results import Row
from glassnet.study.samples import choose_margin, larger_is_better, value_of
from glassnet.study.soundness import find_unsound
from glassnet.study.statistics import (
    EQUIVALENT,
    NONE,
    ONE_SEED,
    STRONG,
    UNPROVEN,
    WEAK,
    Comparison,
    Summary,
    by_variant,
    compare,
    summarise,
)
from glassnet.study.suggestions import (
    Suggestion,
    signed_mean,
    suggest_combining,
    suggest_levels,
    suggest_mending,
    suggest_seeds,
)

#: The runs of a variant by seed.
Runs = Mapping[int, Row]

#: Times within this factor of the shortest are called equal: a machine is never quite idle.
EQUAL_TIME = 1.1


@dataclass(frozen=True)
class CheaperOffer:
    """A variant that is cheaper than the recommended one, and not behind it by more than the margin.

    Attributes
    ----------
    variant : str
    behind : float
        How far its mean is behind.
    at_most : float
        How far it is behind at most, by the interval of the difference; below the margin.
    seconds, parameters : float
        Its cost as a share of that of the recommended one.
    """

    variant: str
    behind: float
    at_most: float
    seconds: float
    parameters: float


@dataclass(frozen=True)
class Recommendation:
    """What `recommend` found.

    Attributes
    ----------
    measure : str
    level : float
        Of the tests and intervals.
    margin : float
        The smallest difference that matters, in units of the measure.
    variant : str
        The one to take.
    levels : dict of str to str
        Its level of every factor.
    low, high : float or None
        Interval of its mean, which allows for its choice as the best of many; None where nothing tells it.
    covers : str
        What the interval covers, see `glassnet.study.samples`.
    best : str
        The one with the best mean; another one only if that is unsound.
    evidence : str
        `STRONG`, `WEAK` or `NONE`, that it is better than the base; where the base is recommended, that it is
        better than every other variant.
    gain : Gain or None
        What it likely gains; None where nothing else was compared.
    ties : tuple of str
        Sound variants that cannot be told from it, in the order of their means.
    equivalent : tuple of str
        Sound variants that differ from it by less than the margin, in the order of their means.
    cheaper : CheaperOffer or None
        What may be taken in its place.
    lead : float or None
        How far its mean is ahead of the next best sound one, >= 0; None where there is none.
    given_up : float
        How far its mean is behind the best, >= 0; above 0 only if the best is unsound.
    seeds : tuple of int
        Those that every compared variant has.
    summaries : list of Summary
        Of the compared variants, the best first.
    comparisons : list of Comparison
        Of the compared variants with the recommended one, in the order of their means.
    unsound : dict of str to Message
        Compared variants with a sick, collapsed or far-off run, and why. They are recommended only if all are so.
    excluded : dict of str to Message
        The other variants, never recommended, and why: their runs that failed, or are not there.
    reason : Message
        In a few sentences.
    next : list of Suggestion
        What would be worth trying, the most useful first.
    """

    measure: str
    level: float
    margin: float
    variant: str
    levels: dict[str, str]
    low: float | None
    high: float | None
    covers: str
    best: str
    evidence: str
    gain: Gain | None
    ties: tuple[str, ...]
    equivalent: tuple[str, ...]
    cheaper: CheaperOffer | None
    lead: float | None
    given_up: float
    seeds: tuple[int, ...]
    summaries: list[Summary]
    comparisons: list[Comparison]
    unsound: dict[str, Message]
    excluded: dict[str, Message]
    reason: Message
    next: list[Suggestion]

    @property
    def is_sound(self) -> bool:
        """Whether no run of the recommended variant is sick, collapsed or far off."""
        return self.variant not in self.unsound


def recommend(
    rows: Iterable[Row],
    measure: str,
    factors: Mapping[str, Sequence[str]],
    level: float = 0.05,
    margin: float | None = None,
    fits: Callable[[str, str], bool] = lambda factor, level: True,
) -> Recommendation:
    """Recommend a variant of a study.

    1. Compared are the variants whose runs with all seeds finished. The others are named, and never recommended.
    2. A variant with a run that is sick, collapsed or far off (`glassnet.study.soundness`) is unsound: the next
       run may be such a one, too.
    3. The sound variant with the best mean is recommended; where none is sound, the best mean, with that said.
    4. A cheaper variant is offered beside it if the interval of their difference shows that it is not behind by
       more than the margin: of those the one with the least median of seconds, where times within 10 % of the
       least count as equal; then with the fewest parameters. A difference is measured in the measure's own units,
       not in those of its noise: few or wild seeds offer nothing.

    Parameters
    ----------
    rows : iterable of Row
    measure : str
        On validation rows: the best of many looks better than it is, in the rows that it was picked by. As for
        `glassnet.study.samples.larger_is_better`.
    factors : mapping of str to sequence of str
        The study's factors, with their levels.
    level : float, default 0.05
        Of the tests.
    margin : float, optional
        The smallest difference that matters, as for `glassnet.study.statistics.compare`.
    fits : callable, optional
        Says whether a factor can have a level, so that none is advised that no network can be made of.

    Returns
    -------
    Recommendation

    Raises
    ------
    UsageError
        If the measure, the level or the margin cannot be used, or a factor is none of the runs'.
    DataError
        If no variant finished with all seeds, or one has two runs of one seed.

    Examples
    --------
    >>> figures = {"base": [0.80, 0.82, 0.81], "optimizer=adam": [0.90, 0.91, 0.91]}
    >>> rows = [
    ...     Row(name, {"optimizer": name[-4:]}, seed, "finished", {"validation_accuracy": figure})
    ...     for name, line in figures.items()
    ...     for seed, figure in enumerate(line)
    ... ]
    >>> found = recommend(rows, "validation_accuracy", {"optimizer": ["base", "adam"]})
    >>> found.variant, found.evidence, round(found.gain.difference, 3)
    ('optimizer=adam', 'strong', 0.097)
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
    place = {summary.variant: i for i, summary in enumerate(compared)}
    variants = by_variant(rows)
    runs = {variant: variants[variant] for variant in place}
    margin = choose_margin(measure, (one.mean for one in summaries if one.mean is not None), margin)
    unsound = find_unsound(runs, compared, measure, margin)
    sound = [one for one in compared if one.variant not in unsound]
    chosen = (sound or compared)[0]
    known = [row for row in rows if row.variant in place]
    tests = sorted(compare(known, chosen.variant, measure, level, margin), key=lambda test: place[test.variant])
    told = {test.variant: test.verdict for test in tests if test.variant not in unsound}
    choices = {one.variant: runs[one.variant] for one in sound or compared}
    (low, high), covers = interval_of_best(choices, chosen.variant, measure, level)
    equal = [one.levels for one in sound if told.get(one.variant) == EQUIVALENT]
    found = Recommendation(
        measure=measure,
        level=level,
        margin=margin,
        variant=chosen.variant,
        levels=chosen.levels,
        low=low,
        high=high,
        covers=covers,
        best=compared[0].variant,
        evidence=_grade_choice(known, chosen.variant, tests, measure, level),
        gain=_find_gain(chosen.variant, choices, runs, measure, level),
        ties=tuple(variant for variant, verdict in told.items() if verdict in (UNPROVEN, ONE_SEED)),
        equivalent=tuple(variant for variant, verdict in told.items() if verdict == EQUIVALENT),
        cheaper=_offer(known, chosen, sound, measure, level, margin),
        lead=_measure_gap(sound[1], chosen) if len(sound) > 1 else None,
        given_up=_measure_gap(chosen, compared[0]),
        seeds=tuple(sorted({row.seed for row in rows})),
        summaries=compared,
        comparisons=tests,
        unsound=unsound,
        excluded=excluded,
        reason=Message("sentences", sentences=[]),
        next=[
            *suggest_mending(chosen, summaries, {*unsound, *excluded}, measure),
            *suggest_combining(sound or compared, rows, factors),
            *suggest_seeds(chosen.variant, tests, level, margin),
            *suggest_levels(chosen.levels, equal, factors, fits),
        ],
    )
    return replace(found, reason=Message("sentences", sentences=_explain(found)))


def _find_gain(
    chosen: str, choices: Mapping[str, Runs], runs: Mapping[str, Runs], measure: str, level: float
) -> Gain | None:
    """Return what the best of the choices gains over the base, or over the next best where it is that itself.

    `runs` are those of all compared variants, the best first.
    """
    others = [variant for variant in runs if variant != chosen]
    if not others:
        return None
    base = BASE if BASE in others else others[0]
    return measure_gain({**choices, base: runs[base]}, chosen, base, measure, level)


def _grade_choice(
    rows: Sequence[Row], chosen: str, tests: Sequence[Comparison], measure: str, level: float
) -> str:
    """Return how sure it is that the chosen variant is better than the base, or, as the base, than all others."""
    against, sign = list(tests), -1.0 if larger_is_better(measure) else 1.0
    if any(test.variant == BASE for test in tests):
        against = [test for test in compare(rows, BASE, measure, level) if test.variant == chosen]
        sign = -sign
    grades = [test.evidence if sign * (test.difference or 0.0) > 0 else NONE for test in against]
    return next((grade for grade in (NONE, WEAK) if grade in grades), STRONG if grades else NONE)


def _offer(
    rows: Sequence[Row], chosen: Summary, sound: Sequence[Summary], measure: str, level: float, margin: float
) -> CheaperOffer | None:
    """Return the cheapest of the sound variants that are cheaper, and not behind by more than the margin."""
    cheap = [one for one in sound if _is_cheaper(one, chosen)]
    names = {chosen.variant, *(one.variant for one in cheap)}
    among = [row for row in rows if row.variant in names]
    larger, behind = larger_is_better(measure), {}
    for test in compare(among, chosen.variant, measure, level / max(1, len(cheap)), margin):
        worst = test.low if larger else test.high
        if test.difference is not None and worst is not None and len(test.seeds) > 1 and abs(worst) < margin:
            behind[test.variant] = abs(test.difference), abs(worst)
    offered = [one for one in cheap if one.variant in behind]
    if not offered:
        return None
    one = _find_cheapest(offered)
    return CheaperOffer(
        one.variant,
        *behind[one.variant],
        seconds=_divide(one.seconds, chosen.seconds),
        parameters=_divide(one.parameters, chosen.parameters),
    )


def _divide(cost: float | None, whole: float | None) -> float:
    """Return a cost as a share of another one; 1 where nothing is known of that."""
    return (cost or 0.0) / whole if whole else 1.0


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


def leave_out(excluded: Mapping[str, Message], key: str = "left_out") -> Message:
    """Return which variants are left out of the comparison, or not taken, and why each, as a sentence."""
    variants = [(Message("quoted", name=name), why) for name, why in excluded.items()]
    return Message(key, list=[Message("left_out_one", variant=name, why=why) for name, why in variants])


def _read_cost(summary: Summary) -> tuple[float, float]:
    return summary.seconds or 0.0, summary.parameters or 0.0


def _is_cheaper(one: Summary, chosen: Summary) -> bool:
    """Whether a variant takes clearly less time, or about as much and fewer parameters."""
    (seconds, parameters), (most, size) = _read_cost(one), _read_cost(chosen)
    return seconds * EQUAL_TIME < most or (seconds <= most * EQUAL_TIME and parameters < size)


def _measure_gap(one: Summary, other: Summary) -> float:
    return abs((one.mean or 0.0) - (other.mean or 0.0))  # compared variants have a mean


def _find_cheapest(summaries: Sequence[Summary]) -> Summary:
    """Return the cheapest of variants that stand in the order of their means."""
    least = min(_read_cost(summary)[0] for summary in summaries)
    fast = [summary for summary in summaries if _read_cost(summary)[0] <= EQUAL_TIME * least]
    # of equal ones the first, which has the better mean
    return min(fast, key=lambda summary: _read_cost(summary)[1])


def _explain(found: Recommendation) -> list[Message]:
    """Return what to take, and why, in sentences."""
    chosen = next(one for one in found.summaries if one.variant == found.variant)
    figure: float | Message | None = chosen.mean
    if found.low is not None:
        values = {"confidence": 100 * (1 - found.level), "low": found.low, "high": found.high}
        figure = Message("mean_figure", mean=chosen.mean, n=chosen.n, covers=found.covers, **values)
    said = {"measure": found.measure, "figure": figure}
    which = Message("highest" if larger_is_better(found.measure) else "lowest")
    reached = Message("take_best", n=len(found.summaries), which=which, **said)
    if len(found.summaries) == 1:
        reached = Message("take_only", **said)
    sentences = [Message("take", variant=found.variant), reached]
    if found.gain is not None:
        sentences += _explain_gain(found, found.gain)
    if found.cheaper is not None:
        key = "take_cheaper" if found.cheaper.seconds * EQUAL_TIME < 1 else "take_smaller"
        sentences.append(Message(key, **vars(found.cheaper)))
    if found.ties:
        sentences.append(Message("take_ties", ties=list(found.ties)))
    if found.equivalent:
        sentences.append(Message("take_equivalent", names=list(found.equivalent), margin=found.margin))
    if found.unsound:
        sentences.append(leave_out(found.unsound, "left_unsound" if found.is_sound else "none_sound"))
    if found.excluded:
        sentences.append(leave_out(found.excluded))
    return sentences


def _explain_gain(found: Recommendation, gain: Gain) -> list[Message]:
    """Return how sure it is that the recommended variant is better, and by how much."""
    seeds = Message("n_seeds", n=len(found.seeds))
    key = "evidence_base" if gain.base == BASE else "evidence_all"
    sure = Message(key, evidence=found.evidence, base=gain.base, seeds=seeds)
    if gain.low is None:
        return [sure, Message("gain_only", gain=gain.difference, base=gain.base)]
    interval = {"low": gain.low, "high": gain.high, "covers": gain.covers}
    return [sure, Message("gain", gain=gain.difference, base=gain.base, **interval)]
