"""What a study found, in sentences: the same for the console, the page and its twin in Markdown."""

from __future__ import annotations

from glassnet.locales.catalogue import Words
from glassnet.report.diagnoses import Finding, finding_of
from glassnet.study.findings import LEVEL, SAME_ROWS, SPLIT_BY_SEED, StudyFindings
from glassnet.study.hypothesis_tests import LOOKS
from glassnet.study.recommendation import excluded_variants, leave_out
from glassnet.study.results import Row
from glassnet.study.samples import can_be, larger_is_better
from glassnet.study.statistics import UNPROVEN, WEAK, Comparison

#: What a remark is called that no rule of health made.
WARNING = "warning"


def describe_verdict(found: StudyFindings, words: Words) -> list[str]:
    """Return what to take and how sure that is, a line each; first of all what the study lacks."""
    said = []
    if found.missing:
        every = found.missing + len(found.rows)
        said.append(words.say("unfinished_study", missing=found.missing, all=every))
    chosen = found.recommendation
    if chosen is None:
        excluded = excluded_variants(found.rows, found.study.measure)
        return [*said, words.say("no_recommendation"), words.render(leave_out(excluded))]
    said += [words.render(sentence) for sentence in chosen.reason.values["sentences"]]
    sick = sick_runs(found, chosen.variant)
    if sick:
        kinds = dict.fromkeys(one.title for row in sick for one in findings_of(row, words) if one.sick)
        runs = sum(row.variant == chosen.variant for row in found.rows)
        said.append(words.say("sick_plan", n=len(sick), all=runs, kinds=list(kinds)))
    return said


def explain_results(found: StudyFindings, words: Words) -> list[str]:
    """Return how the tables of a study are read: their numbers, and the words of a verdict."""
    limits = {"level": LEVEL, "strict": LEVEL / LOOKS, "margin": found.margin}
    return [words.say("results_about"), words.say("verdicts_about", **limits)]


def sick_runs(found: StudyFindings, variant: str) -> list[Row]:
    """Return the runs of a variant that diverged, failed, or left a sick network."""
    return [row for row in found.rows if row.variant == variant and row.sick]


def findings_of(row: Row, words: Words) -> list[Finding]:
    """Return what is known of a run's health, but for the warnings, which are no diagnoses."""
    return [finding_of(diagnosis, words) for diagnosis in row.diagnoses if diagnosis.kind != WARNING]


def describe_interactions(found: StudyFindings, words: Words) -> list[str]:
    """Return whether the factors act independently, and what choosing them one by one leads to."""
    tested = found.interaction_test
    if tested is None:
        return []
    said = [words.say("verdict_why", verdict=tested.verdict, why=tested.reason)]
    return said if tested.additive is None else [*said, words.render(tested.additive.reason)]


def describe_best_plan(found: StudyFindings, words: Words) -> list[str]:
    """Return what the best levels reach together, beside the winner and beside the sum of their gains."""
    plan = found.best_plan
    if plan is None:
        return []
    if plan.mean is None or plan.comparison.difference is None:
        return [words.say("best_plan_lost", levels=plan.levels)]
    reached = {"winner": plan.winner, "winner_mean": plan.winner_mean, "mean": plan.mean}
    said = [words.say("best_plan_reached", levels=plan.levels, **reached)]
    verdict = name_verdict(plan.comparison, found.study.measure, words)
    test = {"difference": plan.comparison.difference, "verdict": verdict}
    if plan.comparison.low is None:
        said.append(words.say("best_plan_difference_only", **test))
    else:
        interval = {"low": plan.comparison.low, "high": plan.comparison.high, "covers": plan.comparison.covers}
        said.append(words.say("best_plan_difference", **test, **interval))
    if plan.expected is not None:
        key = "best_plan_expected" if can_be(found.study.measure, plan.expected) else "best_plan_beyond"
        said.append(words.say(key, expected=plan.expected))
    return said


def name_verdict(comparison: Comparison, measure: str, words: Words) -> str:
    """Return what a comparison says; of weak evidence, which of the two is probably better."""
    if (comparison.verdict, comparison.evidence) != (UNPROVEN, WEAK):
        return words.name("verdicts", comparison.verdict)
    better = ((comparison.difference or 0.0) > 0) == larger_is_better(measure)
    return words.say("probably_better" if better else "probably_worse")


def describe_rows(found: StudyFindings, words: Words) -> str:
    """Return which rows the runs were judged on."""
    counts = sorted({row.validation_rows for row in found.rows if row.validation_rows})
    rows = " – ".join(f"{count:,}" for count in dict.fromkeys((*counts[:1], *counts[-1:])))
    if found.split == SPLIT_BY_SEED:
        return words.say("rows_by_seed", rows=rows)
    return words.say("rows_same", rows=rows) if found.split == SAME_ROWS else words.say("rows_unknown")


def describe_margin(found: StudyFindings, words: Words) -> str:
    """Return the smallest difference that matters, and who says so."""
    return words.say("margin_default" if found.study.margin is None else "margin_stated", margin=found.margin)
