"""The report of a study: a page that is one file, and the same facts in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import join

from glassnet.data.dataset import Dataset
from glassnet.report.error_analysis import analyse_errors
from glassnet.report.on_test_rows import OnTestRows, Tile, evaluation_tiles, show_test_rows
from glassnet.report.rendering import write_pages
from glassnet.report.study_again import about_command, fact_table, fairness, study_command
from glassnet.report.study_curves import Group, study_curves
from glassnet.report.study_findings import Findings, findings
from glassnet.report.study_sentences import (
    alone,
    counted,
    figure,
    gap,
    left_out,
    levels_text,
    listed,
    quoted,
    reason,
    suggestions,
    together,
    verdict_of,
    why_independent,
    why_left_out,
)
from glassnet.report.study_tables import (
    difference_table,
    factor_table,
    findings_of,
    fixed_tables,
    hash_table,
    is_sick,
    remark_table,
    result_table,
    run_table,
    sick_table,
    source_table,
)
from glassnet.report.tables import Table
from glassnet.report.words import Language, Words
from glassnet.runtime.environment import environment
from glassnet.study.findings import LEVEL, StudyFindings
from glassnet.study.results import DIVERGED, FAILED, Row
from glassnet.study.statistics import (
    NOT_DISTINGUISHABLE,
    larger_is_better,
    value_of,
)
from glassnet.study.study_folder import StudyFolder
from glassnet.training.config import RunConfig
from glassnet.training.metrics import predict_test_rows
from glassnet.training.model_file import load_model
from glassnet.training.run import load_data
from glassnet.training.run_folder import RunFolder

Fact = tuple[str, str]


@dataclass(frozen=True)
class StudyReport:
    """Everything that a report of a study says, in the order in which it says it.

    Attributes
    ----------
    title, state, verdict : str
        State is ``"healthy"``, ``"remarked"`` or ``"sick"``: how the verdict is marked.
    tiles : list of (str, str, str)
        Name, value, and what more there is to the value.
    compared : list of (str, str)
    factors : Table
    fixed : list of Table
        Settings that no variant changes.
    curves : list of Group
    curve_notes : list of str
    result_notes : list of str
    results : list of Table
    independence : list of str
        Empty where the study does not ask.
    sources : Table or None
    recommendation : list of (str, str)
    next : list of str
    health_note : str
    sick, remarks : Table or None
    plan : list of str
    plan_tiles : list of (str, str, str)
    test : OnTestRows or None
    fairness : list of str
    hashes : list of Table
    command, retrain : str
        What repeats the study, and what trains by the recommended plan; empty for nothing.
    bits : list of str
    facts, runs : Table
    version : str
        Of glassnet, that made the report.
    """

    title: str
    state: str
    verdict: str
    tiles: list[Tile]
    compared: list[Fact]
    factors: Table
    fixed: list[Table]
    curves: list[Group]
    curve_notes: list[str]
    result_notes: list[str]
    results: list[Table]
    independence: list[str]
    sources: Table | None
    recommendation: list[Fact]
    next: list[str]
    health_note: str
    sick: Table | None
    remarks: Table | None
    plan: list[str]
    plan_tiles: list[Tile]
    test: OnTestRows | None
    fairness: list[str]
    hashes: list[Table]
    command: str
    retrain: str
    bits: list[str]
    facts: Table
    runs: Table
    version: str


def write_study_report(
    found: StudyFindings, load: Callable[[RunConfig], Dataset] = load_data, *, language: Language = "en"
) -> Path:
    """Write ``report.html`` and ``report.md`` into a study's folder, both whole or neither; return the path.

    The page is one file that asks for nothing over the network: the recommendation, what was compared, curves,
    results, interactions, health, the recommended plan on the test rows, hashes, and what is needed to have the
    same study again. The test rows are looked at for no other plan than the one in ``recommended.json``
    (`glassnet.study.final_evaluation.evaluate_recommended`); where that is missing, or is another than is
    recommended now, they stay closed.

    Parameters
    ----------
    found : StudyFindings
        From `glassnet.study.findings.gather_findings`.
    load : callable, optional
        Gives the data of a configuration, `glassnet.study.fairness.DataCache.load` for example.
    language : {"en", "zh"}, default "en"

    Returns
    -------
    Path
        Of ``report.html``.

    Raises
    ------
    UsageError
        If there are no words in that language.
    FileError
        If the folder cannot be written; an older report then stands.
    DataError
        If the data are not those of the study.
    """
    words = Words(language)
    return write_pages(found.folder, "study", study_report(findings(found), load, words), words)


def study_report(found: Findings, load: Callable[[RunConfig], Dataset], words: Words) -> StudyReport:
    """Gather what a report of a study says; see `write_study_report`."""
    study, chosen = found.study, found.recommendation
    best = None if chosen is None else chosen.best
    curves, curve_notes = study_curves(study, found.rows, found.folder, best, words)
    test = _test_rows(found, load, words)
    plan_tiles, shown = ([], None) if test is None else test
    record = StudyFolder(found.folder).record()
    return StudyReport(
        title=study.name,
        state=_state(found),
        verdict=_verdict(found, words),
        tiles=_tiles(found, plan_tiles, words),
        compared=_compared(found, words),
        factors=factor_table(study, found.starts, words),
        fixed=fixed_tables(study, words),
        curves=curves,
        curve_notes=curve_notes,
        result_notes=_result_notes(found, words),
        results=_results(found, words),
        independence=_interaction_test(found, words),
        sources=source_table(found.interaction_test.sources, words)
        if found.interaction_test and found.interaction_test.sources
        else None,
        recommendation=_recommendation(found, words),
        next=[] if chosen is None else suggestions(chosen, found.rows, words),
        health_note=_health_note(found, words),
        sick=sick_table(found.rows, words),
        remarks=remark_table(found.rows, words),
        plan=_plan(found, words),
        plan_tiles=plan_tiles,
        test=shown,
        fairness=fairness(found, words),
        hashes=[hash_table(found.rows, kind, words) for kind in ("start", "order")],
        command=study_command(found, record),
        retrain=join(["glassnet", "train", "--config", str(found.folder / found.finalist.config)])
        if found.finalist
        else "",
        bits=about_command(found, record, words),
        facts=fact_table(found, record, words),
        runs=run_table(found.rows, study.measure, words),
        version=environment()["glassnet"],
    )


def _sick_runs(found: Findings, variant: str) -> list[Row]:
    return [row for row in found.rows if row.variant == variant and is_sick(row)]


def _state(found: Findings) -> str:
    if found.recommendation is None:
        return "sick"
    return "remarked" if found.missing or _sick_runs(found, found.recommendation.variant) else "healthy"


def _verdict(found: Findings, words: Words) -> str:
    said = []
    if found.missing:
        every = found.missing + len(found.rows)
        said.append(words.say("unfinished_study", missing=found.missing, all=every))
    chosen = found.recommendation
    if chosen is None:
        why = dict.fromkeys(why_left_out(found.rows, found.study.measure, words), "")
        nothing = words.say("no_recommendation")
        return together([*said, nothing, left_out(found.rows, why, found.study.measure, words)], words)
    said.append(reason(chosen, found.rows, words))
    sick = _sick_runs(found, chosen.variant)
    if sick:
        kinds = dict.fromkeys(one.title for row in sick for one in findings_of(row, words) if one.sick)
        runs = sum(row.variant == chosen.variant for row in found.rows)
        said.append(words.say("sick_plan", n=len(sick), all=runs, kinds=words.say("and").join(kinds)))
    return together(said, words)


def _tiles(found: Findings, plan: Sequence[Tile], words: Words) -> list[Tile]:
    tiles = []
    chosen = found.recommendation
    if chosen is not None:
        best = chosen.summaries[0]
        seeds = counted("seed", best.n, words)
        more = words.say("mean_of", seeds=seeds)
        if best.low is not None:
            interval = words.say("interval", low=figure(best.low), high=figure(best.high))
            more = words.say("over_seeds", seeds=seeds, interval=interval)
        tiles.append((words.say("best_variant"), best.variant, ""))
        tiles.append((words.measure(chosen.measure), figure(best.mean), more))
        if chosen.variant != chosen.best:
            tiles.append((words.say("recommended"), chosen.variant, ""))
        accuracy = words.say("test_of", measure=words.say("accuracy"))
        tiles += [tile for tile in plan if tile[0] == accuracy] or plan[:1]
    diverged, failed = (sum(row.status == status for row in found.rows) for status in (DIVERGED, FAILED))
    done = words.say("done_of", done=len(found.rows) - diverged - failed, all=len(found.rows) + found.missing)
    tiles.append((words.say("runs"), done, words.say("lost_runs", diverged=diverged, failed=failed)))
    seconds = sum(row.seconds for row in found.rows)
    tiles.append((words.say("training_time"), words.duration(seconds), words.say("all_runs_time")))
    return tiles


def _compared(found: Findings, words: Words) -> list[Fact]:
    study = found.study
    designs = {"one at a time": "one_at_a_time", "factorial": "factorial", "list": "listed"}
    budget = words.count_epochs(study.base.training.epochs)
    if study.budget.seconds is not None:
        budget = words.say("budget_seconds", seconds=words.duration(study.budget.seconds))
    better = "higher_better" if larger_is_better(study.measure) else "lower_better"
    return [
        (words.say("design"), words.say(designs[study.design])),
        (words.say("variants"), str(len(study.variants()))),
        (words.say("seeds"), ", ".join(map(str, study.seeds))),
        (words.say("budget"), budget),
        (words.say("decides"), words.say(better, measure=words.measure(study.measure))),
    ]


def _results(found: Findings, words: Words) -> list[Table]:
    recommended = found.recommendation.variant if found.recommendation else None
    tables = [result_table(found.summaries, found.study.measure, recommended, LEVEL, words)]
    if found.comparisons:
        tables.append(difference_table(found.comparisons, recommended, LEVEL, words))
    return tables


def _result_notes(found: Findings, words: Words) -> list[str]:
    same = [one.variant for one in found.comparisons if one.verdict == NOT_DISTINGUISHABLE]
    if not same:
        return []
    if len(same) == len(found.comparisons):
        return [words.say("none_told_apart")]
    return [words.say("some_not_told_apart", variants=listed(same, words, len(same)))]


def _interaction_test(found: Findings, words: Words) -> list[str]:
    tested = found.interaction_test
    if tested is None:
        return []
    why = why_independent(tested, found.rows, LEVEL, words)
    said = [words.say("verdict_why", verdict=verdict_of(tested, words), why=why)]
    return said if tested.additive is None else [*said, alone(tested.additive, LEVEL, words)]


def _recommendation(found: Findings, words: Words) -> list[Fact]:
    chosen = found.recommendation
    if chosen is None:
        return []
    facts = [
        (words.say("recommended"), chosen.variant),
        (words.say("best_variant"), chosen.best),
        (words.say("ties"), _names(chosen.ties, words)),
        (words.say("close"), _names(chosen.close, words)),
    ]
    if found.study.design != "list":
        facts.insert(1, (words.say("levels"), levels_text(chosen.levels, words)))
    if chosen.margin is not None:
        facts.append((words.say("margin"), gap(chosen.margin)))
    if chosen.variant != chosen.best:
        facts.append((words.say("given_up"), gap(chosen.given_up)))
    why = why_left_out(found.rows, found.study.measure, words)
    if chosen.excluded:
        left = [words.say("left_out_one", variant=name, why=why[name]) for name in chosen.excluded]
        facts.append((words.say("excluded"), _names(left, words)))
    return facts


def _names(names: Sequence[str], words: Words) -> str:
    return "; ".join(names) or words.say("none")


def _health_note(found: Findings, words: Words) -> str:
    sick = sum(map(is_sick, found.rows))
    return words.say("some_sick", n=sick, all=len(found.rows)) if sick else words.say("study_fine")


def _test_rows(
    found: Findings, load: Callable[[RunConfig], Dataset], words: Words
) -> tuple[list[Tile], OnTestRows] | None:
    """Return what the test rows say of the recommended plan; None where they are closed."""
    if found.finalist is None:
        return None
    run = RunFolder(found.folder / found.finalist.folder)
    network, data = load_model(run.path), load(run.config())
    errors = analyse_errors(predict_test_rows(network, data), data)
    tiles = [] if errors.evaluation is None else evaluation_tiles(errors.evaluation, words, plain=True)
    return tiles, show_test_rows(errors, network, data, words)


def _plan(found: Findings, words: Words) -> list[str]:
    chosen, plan = found.recommendation, found.finalist
    if found.opened:
        return [words.say("open_for_all")]
    if chosen is None:
        return [words.say("closed_nothing")]
    if found.missing:
        return [words.say("closed_unfinished")]
    if plan is None:
        return [words.say("closed_unasked", variant=quoted(chosen.variant, words))]
    runs = sum(row.variant == plan.variant and value_of(row, plan.measure) is not None for row in found.rows)
    opened = words.say(
        "plan_about",
        variant=quoted(plan.variant, words),
        runs=counted("run", runs, words),
        measure=words.measure(plan.measure),
        value=figure(plan.value),
        seed=plan.seed,
    )
    looks = dict.fromkeys(words.say("with_seed", variant=one.variant, seeds=one.seed) for one in plan.earlier)
    before = words.say("plan_earlier", looks=words.say("and").join(looks)) if looks else words.say("plan_once")
    said = [together([opened, words.say("plan_even") if runs % 2 == 0 else "", before], words)]
    if plan.test_loss is None:
        said.append(words.say("plan_not_finite"))
    return said
