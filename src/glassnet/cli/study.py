"""``glassnet study``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.language import LanguageOption, choose_words
from glassnet.cli.output import (
    DataDirOption,
    JsonOption,
    QuietOption,
    print_facts,
    print_json,
    print_table,
    say,
    say_stopped,
)
from glassnet.cli.report import StudyWritten, report_study_end
from glassnet.runtime.terminal import print_lines

if TYPE_CHECKING:
    from glassnet.charts.tables import Table
    from glassnet.locales.catalogue import Words
    from glassnet.study.final_evaluation import FinalEvaluation
    from glassnet.study.findings import StudyFindings
    from glassnet.study.results import Row

WorkersOption = Annotated[
    int | None,
    typer.Option(
        help="Processes that train side by side, with a thread each.",
        metavar="N",
        min=1,
        show_default="one a core, or one in all with all cores, as measured",
    ),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        help="Scheduler of a Dask cluster, whose workers do the runs; glassnet cluster local starts one.",
        metavar="tcp://HOST:PORT",
        show_default="processes of this machine",
    ),
]


def study(
    file: Annotated[Path, typer.Argument(help="TOML file that says what is compared.", metavar="FILE")],
    folder: Annotated[
        Path | None, typer.Option(help="Folder to save all runs in.", show_default="studies/NAME")
    ] = None,
    best: Annotated[
        bool,
        typer.Option("--best", help="Then run the best level of each factor together, and compare that, too."),
    ] = False,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    lang: LanguageOption = None,
    no_report: Annotated[
        bool,
        typer.Option("--no-report", help="Write no report.html and report.md, and leave the test rows unopened."),
    ] = False,
    data_dir: DataDirOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare variants of a configuration fairly.

    All have several seeds, and the same random numbers with each seed. The same command goes on with a study
    that was stopped; what is done is not repeated. At the end the test rows are opened once, for the recommended
    plan, and a report is written: report.html, a page that is one file, and report.md. The command ends with 1
    where a run failed; one that diverged is a result.

    \b
    Examples:
      glassnet study examples/optimizers.toml
      glassnet study examples/optimizers.toml --folder studies/second --workers 2
      glassnet study examples/optimizers.toml --best
      glassnet study examples/optimizers.toml --cluster tcp://10.0.0.1:8786
      glassnet study examples/optimizers.toml --lang zh
      glassnet study examples/optimizers.toml --json
    """
    from glassnet.study.best_plan import add_best_plan, check_factors, choose_levels, keep_together
    from glassnet.study.fairness import DataCache
    from glassnet.study.findings import gather_findings
    from glassnet.study.results import FAILED
    from glassnet.study.runner import run_study
    from glassnet.study.specification import load_study

    words = choose_words(lang)
    chosen = load_study(file)
    folder = Path("studies") / chosen.file_name if folder is None else folder
    if best:
        check_factors(chosen)
    chosen = keep_together(chosen, folder)
    command = ["study", str(file), *(["--best"] if best else []), *([] if lang is None else ["--lang", lang])]
    command += [] if cluster is None else ["--cluster", cluster]
    options: dict[str, Any] = {"data_dir": data_dir, "workers": workers, "cluster": cluster, "progress": not quiet}
    with explaining_interrupt(resume_command(command, folder, workers, data_dir)):
        rows = run_study(chosen, folder, **options)
        if best:
            chosen = add_best_plan(chosen, rows)
            rows = run_study(chosen, folder, **options)
        load = DataCache(data_dir).load
        found = gather_findings(chosen, folder, rows, load)
    written = None if no_report else report_study_end(found, load, words.language)
    print_study(found, written, as_json, words)
    if best and found.best_plan is None and found.recommendation is not None:
        levels, _ = choose_levels(chosen, rows)
        say(words.say("best_plan_run", variant=chosen.variant(levels).name))
    if any(row.status == FAILED for row in rows):
        raise typer.Exit(1)


def resume_command(
    command: list[str], folder: Path | None, workers: int | None = None, data_dir: Path | None = None
) -> str:
    """Return the command that goes on with a study, in a folder where it takes one."""
    options = {"--folder": folder, "--workers": workers, "--data-dir": data_dir}
    given = [part for option, value in options.items() if value is not None for part in (option, str(value))]
    return join(["glassnet", *command, *given])


@contextlib.contextmanager
def explaining_interrupt(again: str) -> Iterator[None]:
    """Say what a signal left of a study, and by which command it goes on."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise say_stopped(stop, f"; go on with: {again}") from None


def print_study(found: StudyFindings, written: StudyWritten | None, as_json: bool, words: Words) -> None:
    """Print what a study found, the verdict first."""
    from glassnet.report import study_sentences, study_tables
    from glassnet.study.result_table import result_table

    study = found.study
    if as_json:
        print_json(_study_record(found, written))
        return
    for sentence in study_sentences.describe_verdict(found, words):
        print_lines(sentence)
    if written is not None and written.recommended is not None:
        print_lines(_describe_evaluation(written.recommended, words))
    counts = {"runs": len(found.rows), "variants": len(found.summaries)}
    runs = words.say("terminal.runs_of", seeds=words.say("n_seeds", n=len(study.seeds)), **counts)
    facts = [(words.say("terminal.study"), study.name), (words.say("design"), words.name("designs", study.design))]
    facts += [(words.say("runs"), runs), (words.say("judged_on"), study_sentences.describe_rows(found, words))]
    facts.append((words.say("terminal.folder"), str(found.folder)))
    print_lines()
    print_facts([*facts, *([] if written is None else [(words.say("terminal.report"), str(written.report))])])
    recommended = found.recommendation.variant if found.recommendation else None
    _print_part(result_table(found.summaries, study.measure, recommended, words))
    if found.comparisons:
        _print_part(study_tables.difference_table(found.comparisons, study.measure, recommended, words))
    _print_part(study_tables.fairness_table(study, found.fairness, words))
    print_problems(found.rows, words)
    for heading, said in (
        (words.say("best_plan"), study_sentences.describe_best_plan(found, words)),
        (words.say("interactions"), study_sentences.describe_interactions(found, words)),
    ):
        if said:
            key = "terminal.asked" if heading.endswith(("?", "？")) else "terminal.headed"
            print_lines("", words.say(key, heading=heading, text=words.join(said, "between_sentences")))
    if found.recommendation is not None and found.recommendation.next:
        print_lines("", words.say("terminal.headed", heading=words.say("next"), text="").rstrip())
        for suggestion in found.recommendation.next:
            print_lines(f"- {words.render(suggestion.message)}")


def _print_part(table: Table) -> None:
    """Print a table of a report: its caption, its cells, and the note below."""
    print_lines("", table.caption)
    print_table(table.header, [[cell.text for cell in row] for row in table.cells], text=table.text)
    if table.note:
        print_lines(table.note)


def _study_record(found: StudyFindings, written: StudyWritten | None) -> dict[str, Any]:
    """Return what a study found as plain values, for JSON."""
    from glassnet.locales.catalogue import Words
    from glassnet.report.study_sentences import describe_verdict
    from glassnet.training.health.diagnosis import in_json

    return {
        "study": found.study.name,
        "folder": str(found.folder),
        "measure": found.study.measure,
        "fairness": in_json(found.fairness),
        "report": None if written is None else str(written.report),
        "verdict": describe_verdict(found, Words("en")),
        "margin": found.margin,
        "judged_on": found.split,
        "rows": [in_json(row) | {"health": in_json(row.diagnoses)} for row in found.rows],
        "variants": in_json(found.summaries),
        "comparisons": in_json(found.comparisons),
        "interaction_test": in_json(found.interaction_test),
        "best_plan": in_json(found.best_plan),
        "recommendation": in_json(found.recommendation),
        "recommended": None if written is None else in_json(written.recommended),
    }


def _describe_evaluation(evaluation: FinalEvaluation, words: Words) -> str:
    """Say how good the recommended plan is on the test rows, by which run, and whether they had been seen."""
    parts = []
    for name, value in evaluation.test_measures.items():
        low, high = evaluation.test_intervals.get(name, (None, None))
        within = "" if low is None else words.say("within_limits", low=low, high=high)
        parts.append(words.say("measured", measure=name, value=value, within=within))
    measures = words.join(parts) or words.say("terminal.no_measures")
    said = [words.say("terminal.on_test", seed=evaluation.seed, measures=measures)]
    return words.join([*said, words.say("terminal.seen") if evaluation.earlier else ""], "between_sentences")


def print_problems(rows: Sequence[Row], words: Words) -> None:
    """Say which runs diverged or failed, and why."""
    lost = [row for row in rows if row.problem]
    if lost:
        print_lines()
    for row in lost:
        problem = {"variant": row.variant, "seed": row.seed, "status": row.status, "problem": row.problem}
        print_lines(words.say("terminal.problem", **problem))
