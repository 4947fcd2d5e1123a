"""The report of a study: a page that is one file, and the same facts in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from glassnet.charts.axes import format_known
from glassnet.charts.tables import Cell, Rows, Table
from glassnet.data.dataset import Dataset
from glassnet.locales.catalogue import Language, Words
from glassnet.report.error_analysis import analyse_errors
from glassnet.report.figure_files import FigureFiles
from glassnet.report.on_test_rows import Tile, evaluation_tiles, show_test_rows
from glassnet.report.rendering import write_pages
from glassnet.report.study_curves import show_results, study_curves
from glassnet.report.study_sentences import (
    describe_best_plan,
    describe_interactions,
    describe_margin,
    describe_rows,
    describe_verdict,
    explain_results,
    sick_runs,
)
from glassnet.report.study_tables import (
    HASHES,
    difference_table,
    factor_table,
    fairness_table,
    fixed_settings,
    hash_table,
    remark_table,
    run_table,
    sick_table,
    source_table,
)
from glassnet.runtime.environment import environment
from glassnet.runtime.files import quote_path, write_bytes
from glassnet.study.design import BASE
from glassnet.study.final_evaluation import (
    FinalEvaluation,
    are_test_rows_open,
    median_run,
    read_final_evaluation,
)
from glassnet.study.findings import StudyFindings
from glassnet.study.result_table import result_table
from glassnet.study.results import DIVERGED, FAILED, Row
from glassnet.study.samples import larger_is_better, value_of
from glassnet.study.statistics import NONE, UNPROVEN
from glassnet.study.study_folder import STUDY_FILE, StudyFolder
from glassnet.study.study_rows import StudyRows
from glassnet.training.config import RunConfig
from glassnet.training.metrics import predict_test_rows
from glassnet.training.model_file import load_model
from glassnet.training.run import load_data
from glassnet.training.run_folder import RunFolder

Fact = tuple[str, str]


def write_study_report(
    found: StudyFindings,
    load: Callable[[RunConfig], Dataset] = load_data,
    *,
    language: Language = "en",
    figures: FigureFiles | None = None,
) -> Path:
    """Write ``report.html`` and ``report.md`` into a study's folder, both whole or neither; return the path.

    Beside them it writes the results of the variants, ``results.csv`` and ``results.tex``, and of all runs,
    ``runs.csv``.

    The page is one file that asks for nothing over the network: the recommendation, what was compared, curves,
    results, interactions, health, the recommended plan on the test rows, hashes, and what is needed to have the
    same study again. The test rows are looked at for no other plan than the one in ``recommended.json``
    (`glassnet.study.final_evaluation.evaluate_recommended`); where that is missing, or is another than is
    recommended now, they stay closed.

    `load` gives the data of a configuration, `glassnet.study.fairness.DataCache.load` for example. Raises
    UsageError if there are no words in that language, FileError if the folder cannot be written (an older report
    then stands) or the record of the recommended plan is damaged, and DataError if the data are not those of the
    study.
    """
    words = Words(language)
    study, rows, chosen, tested = found.study, found.rows, found.recommendation, found.interaction_test
    curves, curve_notes = study_curves(study, rows, found.folder, chosen.best if chosen else None, words)
    evaluation = _current_evaluation(found)
    plan_tiles, test = ([], None) if evaluation is None else _test_rows(found.folder, evaluation, load, words)
    sick, record = sum(row.sick for row in rows), StudyFolder(found.folder).record()
    results = _results(found, words)
    report = SimpleNamespace(
        title=study.name,
        state=_state(found),
        verdict=describe_verdict(found, words),
        tiles=_tiles(found, plan_tiles, words),
        result_notes=_result_notes(found, words),
        results_charts=show_results(found.summaries, found.comparisons, study.measure, words),
        results=results,
        best_plan=describe_best_plan(found, words),
        interactions=describe_interactions(found, words),
        sources=source_table(tested.sources, tested.covers, words) if tested and tested.sources else None,
        results_about=explain_results(found, words),
        recommendation=_recommendation(found, words),
        recommendation_about=words.say("recommendation_about", margin=found.margin),
        next=[words.render(one.message) for one in chosen.next] if chosen else [],
        curves=curves,
        curve_notes=curve_notes,
        compared=_compared(found, words),
        factors=factor_table(study, words),
        fixed=fixed_settings(study, words),
        health_note=words.say("some_sick", n=sick, all=len(rows)) if sick else words.say("study_fine"),
        sick=sick_table(rows, words),
        remarks=remark_table(rows, words),
        plan=_plan(found, evaluation, words),
        plan_tiles=plan_tiles,
        test=test,
        fairness=_describe_fairness(found, words),
        changes=fairness_table(study, found.fairness, words),
        hashes=[table for kind in HASHES if (table := hash_table(rows, kind, words))],
        command=_command(found, record),
        retrain=f"glassnet train --config {quote_path(found.folder / evaluation.config)}" if evaluation else "",
        bits=_about_command(found, record, words),
        facts=_fact_table(found, record, words),
        runs=run_table(rows, study.measure, words),
        version=environment()["glassnet"],
    )
    for name, text in (("results.csv", results[0].to_csv()), ("results.tex", results[0].to_latex())):
        write_bytes(found.folder / name, text.encode())
    write_bytes(found.folder / "runs.csv", StudyRows(rows, study.measure).to_csv().encode())
    return write_pages(found.folder, "study", report, words, figures)


def _current_evaluation(found: StudyFindings) -> FinalEvaluation | None:
    """Return the recommended plan on the test rows.

    None where these are closed or were opened for all runs, where runs are missing, or where another network would
    be evaluated now than the one that was.
    """
    evaluation = read_final_evaluation(found.folder)
    if evaluation is None or found.recommendation is None or found.missing:
        return None
    if are_test_rows_open(found.study, found.folder):
        return None
    row = median_run(found.rows, found.recommendation.variant, found.study.measure)
    return evaluation if (evaluation.variant, evaluation.seed) == (row.variant, row.seed) else None


def _state(found: StudyFindings) -> str:
    chosen = found.recommendation
    if chosen is None:
        return "sick"
    if found.missing or sick_runs(found, chosen.variant):
        return "remarked"
    return "unproven" if chosen.evidence == NONE else "healthy"


def _tiles(found: StudyFindings, plan: Sequence[Tile], words: Words) -> list[Tile]:
    tiles = []
    chosen = found.recommendation
    if chosen is not None:
        own = next(one for one in chosen.summaries if one.variant == chosen.variant)
        seeds = words.say("n_seeds", n=own.n)
        more = words.say("mean_of", seeds=seeds)
        if chosen.low is not None:
            interval = words.say("interval", low=f"{chosen.low:.4g}", high=f"{chosen.high:.4g}")
            more = words.say("over_seeds", seeds=seeds, interval=interval)
        tiles.append((words.say("recommended"), chosen.variant, ""))
        tiles.append((words.measure(chosen.measure), format_known(own.mean, ".4g"), more))
        if chosen.gain is not None:
            grade = words.say("n_seeds", n=len(chosen.seeds))
            tiles.append((words.say("evidence"), words.name("grades", chosen.evidence), grade))
        accuracy = words.say("test_of", measure=words.measure("accuracy"))
        tiles += [tile for tile in plan if tile[0] == accuracy] or plan[:1]
    diverged, failed = (sum(row.status == status for row in found.rows) for status in (DIVERGED, FAILED))
    done = words.say("done_of", done=len(found.rows) - diverged - failed, all=len(found.rows) + found.missing)
    tiles.append((words.say("runs"), done, words.say("lost_runs", diverged=diverged, failed=failed)))
    seconds = sum(row.seconds for row in found.rows)
    tiles.append((words.say("training_time"), words.duration(seconds), words.say("all_runs_time")))
    return tiles


def _compared(found: StudyFindings, words: Words) -> list[Fact]:
    study = found.study
    budget = words.say("n_epochs", n=study.base.training.epochs)
    if study.budget.seconds is not None:
        budget = words.say("budget_seconds", seconds=words.duration(study.budget.seconds))
    better = "higher_better" if larger_is_better(study.measure) else "lower_better"
    return [
        (words.say("design"), words.name("designs", study.design)),
        (words.say("variants"), str(len(study.variants()))),
        (words.say("seeds"), ", ".join(map(str, study.seeds))),
        (words.say("budget"), budget),
        (words.say("decides"), words.say(better, measure=study.measure)),
        (words.say("judged_on"), describe_rows(found, words)),
        (words.say("margin"), describe_margin(found, words)),
    ]


def _results(found: StudyFindings, words: Words) -> list[Table]:
    recommended = found.recommendation.variant if found.recommendation else None
    tables = [result_table(found.summaries, found.study.measure, recommended, words)]
    if found.comparisons:
        tables.append(difference_table(found.comparisons, found.study.measure, recommended, words))
    return tables


def _result_notes(found: StudyFindings, words: Words) -> list[str]:
    unproven = [(one.verdict, one.evidence) == (UNPROVEN, NONE) for one in found.comparisons]
    return [words.say("none_told_apart")] if unproven and all(unproven) else []


def _recommendation(found: StudyFindings, words: Words) -> list[Fact]:
    chosen = found.recommendation
    if chosen is None:
        return []
    facts = [(words.say("recommended"), chosen.variant)]
    if found.study.design != "list":
        levels = words.join(f"{name}={level}" for name, level in chosen.levels.items())
        facts.append((words.say("levels"), levels))
    if chosen.lead is not None:
        facts.append((words.say("lead"), format_known(chosen.lead, ".2g")))
    facts += [
        (words.say("ties"), _names(chosen.ties, words)),
        (words.say("as_good"), _names(chosen.equivalent, words)),
    ]
    if chosen.variant != chosen.best:
        facts.append((words.say("best_variant"), chosen.best))
        facts.append((words.say("given_up"), format_known(chosen.given_up, ".2g")))
    for key, why_not in (("unsound", chosen.unsound), ("excluded", chosen.excluded)):
        if why_not:
            left = [words.say("left_out_one", variant=name, why=why) for name, why in why_not.items()]
            facts.append((words.say(key), _names(left, words)))
    return facts


def _names(names: Sequence[str], words: Words) -> str:
    return words.join(names, "between_items") or words.say("none")


def _test_rows(
    folder: Path, evaluation: FinalEvaluation, load: Callable[[RunConfig], Dataset], words: Words
) -> tuple[list[Tile], SimpleNamespace]:
    """Return what the test rows say of the recommended plan."""
    run = RunFolder(folder / evaluation.folder)
    network, data = load_model(run.path).network, load(run.config())
    errors = analyse_errors(predict_test_rows(network, data), data)
    tiles = [] if errors.evaluation is None else evaluation_tiles(errors.evaluation, words, plain=True)
    return tiles, show_test_rows(errors, network, data, words)


def _plan(found: StudyFindings, plan: FinalEvaluation | None, words: Words) -> list[str]:
    if plan is None:
        return [_why_not_evaluated(found, words)]
    runs = sum(row.variant == plan.variant and value_of(row, plan.measure) is not None for row in found.rows)
    opened = words.say(
        "plan_about",
        variant=plan.variant,
        runs=words.say("n_runs", n=runs),
        measure=plan.measure,
        value=plan.value,
        seed=plan.seed,
    )
    looks = dict.fromkeys(words.say("with_seed", variant=one.variant, seeds=one.seed) for one in plan.earlier)
    before = words.say("plan_earlier", looks=list(looks)) if looks else words.say("plan_once")
    even = words.say("plan_even") if runs % 2 == 0 else ""
    said = words.join([opened, even, before], "between_sentences")
    return [said] if plan.test_loss is not None else [said, words.say("plan_not_finite")]


def _why_not_evaluated(found: StudyFindings, words: Words) -> str:
    """Return why the test rows say nothing of the recommended plan."""
    if are_test_rows_open(found.study, found.folder):
        return words.say("open_for_all")
    if found.recommendation is None:
        return words.say("closed_nothing")
    if found.missing:
        return words.say("closed_unfinished")
    return words.say("closed_unasked", variant=found.recommendation.variant)


def _describe_fairness(found: StudyFindings, words: Words) -> list[str]:
    """Say by the hashes of the runs whether weights, rows and masks are the base's, within each seed."""
    said = []
    for kind, (_, same, other) in HASHES.items():
        if any(getattr(row, kind) for row in found.rows):
            variants = _find_others(found.rows, kind)
            listed = words.listed(variants) if variants else ""
            said.append(words.say(other if variants else same, variants=listed))
    return said


def _find_others(rows: Sequence[Row], kind: str) -> list[str]:
    """Return the variants whose hash is not the base's at the same seed; runs that failed are left out."""
    base = {row.seed: getattr(row, kind) for row in rows if row.variant == BASE and row.order}
    hashes = [(row.variant, getattr(row, kind), base.get(row.seed)) for row in rows if row.order]
    return list(dict.fromkeys(variant for variant, own, its in hashes if its is not None and own != its))


def _command(found: StudyFindings, record: Mapping[str, Any]) -> str:
    """Return the command that does the study again, in another folder; `record` is what ``study.json`` holds."""
    layout = record.get("layout") or {}
    options = ["--folder", quote_path(f"{found.folder}-again")]
    if layout.get("threads") == 1 and found.study.base.training.threads is None:
        options += ["--workers", str(layout["workers"])]  # which decides that a run has one thread
    return " ".join(["glassnet study", quote_path(found.folder / STUDY_FILE), *options])


def _about_command(found: StudyFindings, record: Mapping[str, Any], words: Words) -> list[str]:
    """Say what the command does, and what comes out alike."""
    said = [words.say("study_command_about")]
    threads = (record.get("layout") or {}).get("threads")
    if found.study.budget.seconds is not None:
        said.append(words.say("study_bits_seconds"))
    elif threads:
        said.append(words.say("study_bits", threads=words.say("n_threads", n=threads)))
    return said


def _fact_table(found: StudyFindings, record: Mapping[str, Any], words: Words) -> Table:
    """Return the checksums of the data, versions and machine."""
    rows: Rows = [[words.say("study_hash"), Cell(found.study.fingerprint(), code=True)]]
    for data, files in (record.get("checksums") or {}).items():
        rows += [
            [words.say("study_checksum", data=data, file=file), Cell(md5, code=True)]
            for file, md5 in files.items()
        ]
    layout = record.get("layout") or {}
    known = {name: layout[name] for name in ("workers", "threads") if name in layout}
    for name, value in {**(record.get("environment") or {}), **known}.items():
        rows.append([Cell(name, code=True), Cell(str(value), code=True)])
    heads = [words.say("fact"), words.say("value")]
    return Table(words.say("study_facts"), heads, rows, text=(0, 1), key="checksums-and-versions")
