"""What a study recommends, and whether its factors interact, in the reader's language.

In English they are those that `glassnet.study` makes; here they are made of its values, for each language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from glassnet.report.words import Words
from glassnet.study.interactions import (
    CANNOT_BE_TOLD,
    INTERACT,
    NAMED,
    AdditivePrediction,
    InteractionTest,
    Missing,
)
from glassnet.study.recommendation import EQUAL_TIME, MOST_SEEDS, Recommendation, Suggestion
from glassnet.study.results import DIVERGED, FAILED, FINISHED, Row
from glassnet.study.statistics import (
    BETTER,
    NO_SEED,
    NOT_DISTINGUISHABLE,
    ONE_SEED,
    WORSE,
    Summary,
    by_variant,
    larger_is_better,
    summarise,
    value_of,
)

#: Names that are listed before the others are only counted.
MOST_NAMES = 3

#: The words of a verdict by what `glassnet.study.statistics` calls it.
VERDICTS = {
    BETTER: "better",
    WORSE: "worse",
    NOT_DISTINGUISHABLE: "not_distinguishable",
    ONE_SEED: "judged_by_one_seed",
    NO_SEED: "judged_by_no_seed",
}


def figure(value: float | None) -> str:
    """Return a number of the measure, a dash for none.

    Examples
    --------
    >>> figure(0.904512), figure(None)
    ('0.9045', '–')
    """
    return "–" if value is None else f"{value:.4g}"


def gap(value: float | None) -> str:
    """Return a difference or a p, a dash for none.

    Examples
    --------
    >>> gap(0.01234), gap(None)
    ('0.012', '–')
    """
    return "–" if value is None else f"{value:.2g}"


def quoted(name: str, words: Words) -> str:
    """Return a name for a sentence: it may hold commas itself."""
    return words.say("quoted", name=name)


def together(sentences: Sequence[str], words: Words) -> str:
    """Return sentences one after the other; empty ones are left out.

    Examples
    --------
    >>> together(["One.", "", "Two."], Words("en")), together(["一。", "二。"], Words("zh"))
    ('One. Two.', '一。二。')
    """
    return (" " if words.language == "en" else "").join(sentence for sentence in sentences if sentence)


def listed(names: Sequence[str], words: Words, most: int = MOST_NAMES) -> str:
    """Return names as a list in a sentence; more than so many are counted.

    Examples
    --------
    >>> listed(["a", "b", "c", "d", "e"], Words("en")), listed(["a", "b"], Words("zh"))
    ('“a”, “b”, “c” and 2 more', '“a”和“b”')
    """
    shown = [quoted(name, words) for name in names[:most]]
    if len(names) > most:
        shown.append(words.say("list_more", n=len(names) - most))
    if len(shown) == 1:
        return shown[0]
    return words.say("list_and", first=words.say("and").join(shown[:-1]), last=shown[-1])


def counted(key: str, n: int, words: Words) -> str:
    """Return a number of things: ``key`` is ``"seed"``, ``"run"`` or ``"thread"``.

    Examples
    --------
    >>> counted("seed", 1, Words("en")), counted("run", 3, Words("zh"))
    ('1 seed', '3 次运行')
    """
    return words.say(f"one_{key}") if n == 1 else words.say(f"n_{key}s", n=n)


def levels_text(levels: Mapping[str, str], words: Words) -> str:
    """Return the level of every factor.

    Examples
    --------
    >>> levels_text({"optimizer": "adam", "width": "64"}, Words("en"))
    'optimizer=adam, width=64'
    """
    return words.say("and").join(f"{name}={level}" for name, level in levels.items())


def reason(found: Recommendation, rows: Sequence[Row], words: Words) -> str:
    """Say what is recommended and why: what `Recommendation.reason` says."""
    sentences = [_lead(found, words), _standing(found, words), _choice(found, words)]
    return together([*sentences, left_out(rows, found.excluded, found.measure, words)], words)


def _lead(found: Recommendation, words: Words) -> str:
    best = found.summaries[0]
    said = figure(best.mean)
    if best.low is not None:
        said = words.say(
            "mean_figure",
            mean=said,
            n=best.n,
            confidence=f"{100 * (1 - found.level):.4g}",
            low=figure(best.low),
            high=figure(best.high),
        )
    values = {"best": quoted(best.variant, words), "measure": words.measure(found.measure), "figure": said}
    if len(found.summaries) == 1:
        return words.say("lead_only", **values)
    which = words.say("highest" if larger_is_better(found.measure) else "lowest")
    return words.say("lead", n=len(found.summaries), which=which, **values)


def _standing(found: Recommendation, words: Words) -> str:
    if not found.comparisons:
        return words.say("standing_alone")
    second = found.comparisons[0]
    values = {"second": quoted(second.variant, words), "margin": gap(found.margin)}
    if second.verdict == ONE_SEED:
        return words.say("standing_one_seed", **values)
    if found.ties:
        return words.say("standing_ties", ties=listed(found.ties, words))
    key = "standing_two" if len(found.comparisons) == 1 else "standing_all"
    return words.say(key, p=gap(second.corrected), **values)


def _choice(found: Recommendation, words: Words) -> str:
    if not found.ties:
        return ""
    if found.variant == found.best:
        return words.say("choice_close" if found.close else "choice_clear", best=quoted(found.best, words))
    by_name = {summary.variant: summary for summary in found.summaries}
    ours, best = by_name[found.variant], by_name[found.best]
    values = {"variant": quoted(found.variant, words), "gap": gap(found.given_up)}
    (seconds, parameters), (most_seconds, most_parameters) = _cost(ours), _cost(best)
    if seconds * EQUAL_TIME > most_seconds and parameters < most_parameters:
        costs = {"ours": f"{parameters:,.0f}", "best": f"{most_parameters:,.0f}"}
        return words.say("choice_parameters", **values, **costs)
    return words.say("choice_seconds", **values, ours=f"{seconds:.3g}", best=f"{most_seconds:.3g}")


def _cost(summary: Summary) -> tuple[float, float]:
    return summary.seconds or 0.0, summary.parameters or 0.0


def left_out(rows: Sequence[Row], excluded: Mapping[str, str], measure: str, words: Words) -> str:
    """Say which variants are not compared, and why; nothing where all are."""
    if not excluded:
        return ""
    why = why_left_out(rows, measure, words)
    parts = [words.say("left_out_one", variant=quoted(name, words), why=why[name]) for name in excluded]
    return words.say("left_out", list="; ".join(parts) if words.language == "en" else "；".join(parts))


def why_left_out(rows: Sequence[Row], measure: str, words: Words) -> dict[str, str]:
    """Return, of each variant with runs that do not count, how many there are of which kind."""
    seeds = {row.seed for row in rows}
    found = {}
    for variant, runs in by_variant(rows).items():
        kinds = [_kind(row, measure, words) for row in runs.values() if value_of(row, measure) is None]
        kinds += [words.say("not_run")] * (len(seeds) - len(runs))
        every = counted("seed", len(seeds), words)
        counts = [
            words.say("left_out_why", kind=kind, n=kinds.count(kind), seeds=every) for kind in dict.fromkeys(kinds)
        ]
        if counts:
            found[variant] = words.say("and").join(counts)
    return found


def _kind(row: Row, measure: str, words: Words) -> str:
    if row.status == FINISHED:
        return words.say("without_measure", measure=words.measure(measure))
    return ended(row, words)


def ended(row: Row, words: Words) -> str:
    """Say how a run ended."""
    return words.say(row.status) if row.status in (FINISHED, DIVERGED, FAILED) else row.status


def suggestions(found: Recommendation, rows: Sequence[Row], words: Words) -> list[str]:
    """Say what is worth trying next: what the texts of `Recommendation.next` say."""
    return [_suggestion(one, found, rows, words) for one in found.next]


def _suggestion(one: Suggestion, found: Recommendation, rows: Sequence[Row], words: Words) -> str:
    details = one.details
    if one.kind == "seeds":
        return _more_seeds(one, found, words)
    if one.kind == "mend":
        summaries = {summary.variant: summary for summary in summarise(rows, found.measure, found.level)}
        name = details["variant"]
        return words.say("next_mend", variant=quoted(name, words), mean=figure(summaries[name].mean))
    if one.kind == "combine":
        return words.say("next_combine", levels=levels_text(details["levels"], words))
    if one.kind == "interaction":
        return words.say("next_interaction", factors=listed(details["factors"], words), p=gap(details["p"]))
    if one.kind == "beyond":
        return words.say("next_beyond", factor=details["factor"], level=details["level"], value=details["try"])
    return one.text


def _more_seeds(one: Suggestion, found: Recommendation, words: Words) -> str:
    needed = one.details["variants"]
    if not needed:
        return words.say("next_first_seeds", n=one.details["seeds"])
    enough = [variant for variant, seeds in needed.items() if seeds is not None]
    hopeless = [variant for variant, seeds in needed.items() if seeds is None]
    best, said = quoted(found.best, words), []
    if enough:
        said.append(words.say("next_seeds", n=one.details["seeds"], best=best, others=listed(enough, words)))
    if hopeless:
        said.append(words.say("next_hopeless", best=best, others=listed(hopeless, words), most=MOST_SEEDS))
    return together(said, words)


def verdict_of(found: InteractionTest, words: Words) -> str:
    """Say whether factors interact, in a few words: what `InteractionTest.verdict` says."""
    keys = {INTERACT: "they_interact", CANNOT_BE_TOLD: "cannot_be_told"}
    return words.say(keys.get(found.verdict, "none_found"))


def why_independent(found: InteractionTest, rows: Sequence[Row], level: float, words: Words) -> str:
    """Say why factors are said to interact or not: what `InteractionTest.reason` says.

    Parameters
    ----------
    found : InteractionTest
    rows : sequence of Row
        That it was found from.
    level : float
        Of the test.
    words : Words
        In the reader's language.
    """
    if found.missing:
        return _missing(found.missing, rows, words)
    lines = [source for source in found.sources if source.kind == "interaction"]
    if not lines:
        return words.say("one_factor" if found.sources else "one_seed_only")
    strongest = min(lines, key=lambda line: 1.0 if line.corrected is None else line.corrected)
    if strongest.corrected is None:
        return words.say("no_chance")
    figures = words.say(
        "interact_corrected" if len(lines) > 1 else "interact_figures",
        p=gap(strongest.corrected),
        share=f"{strongest.share:.1%}",
        **({"n": len(lines)} if len(lines) > 1 else {}),
    )
    if found.verdict != INTERACT:
        return words.say("within_chance", name=strongest.name, figures=figures)
    names = [line.name for line in lines if line.corrected is not None and line.corrected <= level]
    key = "interact_strongest" if len(names) > 1 else "interact_one"
    values = {"names": words.say("and").join(names)} if len(names) > 1 else {}
    return words.say("interact_why", which=words.say(key, name=strongest.name, figures=figures, **values))


def _missing(missing: Sequence[Missing], rows: Sequence[Row], words: Words) -> str:
    some = [
        words.say(
            "missing_one", levels=levels_text(one.levels, words), seed=one.seed, why=_why_missing(one, words)
        )
        for one in missing[:NAMED]
    ]
    if len(missing) > NAMED:
        some.append(words.say("missing_more", n=len(missing) - NAMED))
    cells = 1
    for name in missing[0].levels:
        cells *= len({row.levels[name] for row in rows} | {one.levels[name] for one in missing})
    every = cells * len({row.seed for row in rows})
    return words.say(
        "runs_missing", n=len(missing), all=every, some=("; " if words.language == "en" else "；").join(some)
    )


def _why_missing(one: Missing, words: Words) -> str:
    keys = {"no run": "no_run", DIVERGED: "diverged", FAILED: "failed"}
    if one.why in keys:
        return words.say(keys[one.why])
    return words.say("without_measure", measure=words.measure(one.why.rpartition(" ")[2]))


def alone(found: AdditivePrediction, level: float, words: Words) -> str:
    """Say what choosing the best level of each factor by itself leads to, and what that loses."""
    first = words.say(
        "alone",
        levels=levels_text(found.levels, words),
        predicted=figure(found.predicted),
        found=figure(found.found),
    )
    if not found.differs:
        return together([first, words.say("alone_best")], words)
    values = {
        "levels": levels_text(found.best_levels, words),
        "best": figure(found.best),
        "lost": gap(found.lost),
    }
    if found.p is None:
        return together([first, words.say("alone_one_seed", **values)], words)
    key = "alone_better" if found.p <= level else "alone_even"
    return together([first, words.say(key, **values, p=gap(found.p))], words)
