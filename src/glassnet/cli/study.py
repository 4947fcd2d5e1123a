"""``glassnet study``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.output import (
    MEASURES,
    DataDirOption,
    JsonOption,
    QuietOption,
    print_facts,
    print_json,
    print_table,
    say,
)
from glassnet.cli.report import LanguageOption, StudyWritten, choose_language, report_study_end

if TYPE_CHECKING:
    from glassnet.study.final_evaluation import FinalEvaluation
    from glassnet.study.findings import StudyFindings
    from glassnet.study.results import Row
    from glassnet.study.statistics import Comparison, Summary

WorkersOption = Annotated[
    int | None,
    typer.Option(
        help="Processes that train side by side, with a thread each.",
        metavar="N",
        min=1,
        show_default="one a core, or one in all with all cores, as measured",
    ),
]


def study(
    file: Annotated[Path, typer.Argument(help="TOML file that says what is compared.", metavar="FILE")],
    folder: Annotated[
        Path | None, typer.Option(help="Folder to save all runs in.", show_default="studies/NAME")
    ] = None,
    workers: WorkersOption = None,
    lang: LanguageOption = None,
    no_report: Annotated[
        bool,
        typer.Option("--no-report", help="Write no report.html and report.md, and leave the test rows unopened."),
    ] = False,
    data_dir: DataDirOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare variants of a configuration fairly: several seeds, the same start, the same batches.

    The same command goes on with a study that was stopped; what is done is not repeated. At the end the test rows
    are opened once, for the recommended plan, and a report is written: report.html, a page that is one file, and
    report.md. The command ends with 1 where a run failed; one that diverged is a result.

    \b
    Examples:
      glassnet study examples/optimizers.toml
      glassnet study examples/optimizers.toml --folder studies/second --workers 2
      glassnet study examples/optimizers.toml --lang zh
      glassnet study examples/optimizers.toml --json
    """
    from glassnet.study.fairness import DataCache
    from glassnet.study.findings import gather_findings
    from glassnet.study.results import FAILED
    from glassnet.study.runner import run_study
    from glassnet.study.specification import load_study

    language = choose_language(lang, no_report)
    chosen = load_study(file)
    folder = Path("studies") / chosen.file_name if folder is None else folder
    command = ["study", str(file), *([] if lang is None else ["--lang", lang])]
    with explaining_interrupt(resume_command(command, folder, workers, data_dir)):
        rows = run_study(chosen, folder, data_dir=data_dir, workers=workers, progress=not quiet)
    load = DataCache(data_dir).load
    found = gather_findings(chosen, folder, rows, load)
    written = None if language is None else report_study_end(found, load, language)
    print_study(found, written, as_json)
    if any(row.status == FAILED for row in rows):
        raise typer.Exit(1)


def resume_command(
    command: list[str], folder: Path, workers: int | None = None, data_dir: Path | None = None
) -> str:
    """Return the command that goes on with a study."""
    options = {"--folder": folder, "--workers": workers, "--data-dir": data_dir}
    given = [part for option, value in options.items() if value is not None for part in (option, str(value))]
    return join(["glassnet", *command, *given])


@contextlib.contextmanager
def explaining_interrupt(again: str) -> Iterator[None]:
    """Say what Ctrl-C or SIGTERM left of a study, and by which command it goes on."""
    from glassnet.study.runner import StudyInterrupted

    try:
        yield
    except StudyInterrupted as stop:
        say(f"{stop}; go on with: {again}")
        raise typer.Exit(128 + stop.signal) from None


def print_study(found: StudyFindings, written: StudyWritten | None, as_json: bool) -> None:
    """Print what a study found."""
    from glassnet.locales.catalogue import Words

    study = found.study
    if as_json:
        print_json(_study_record(found, written))
        return
    seeds = "1 seed" if len(study.seeds) == 1 else f"{len(study.seeds)} seeds"
    runs = f"{len(found.rows)}: {len(found.summaries)} variants, {seeds}"
    facts = [("study", study.name), ("design", study.design), ("runs", runs), ("folder", str(found.folder))]
    print_facts([*facts, *([] if written is None else [("report", str(written.report))])])
    typer.echo()
    _print_variants(study.measure, found.summaries, found.comparisons)
    _print_fairness(found)
    print_problems(found.rows)
    if (tested := found.interaction_test) is not None:
        words = Words("en")  # the console speaks English, whatever the report does
        typer.echo(f"\n{words.say('verdict_why', verdict=tested.verdict, why=tested.reason)}")
    typer.echo(f"\n{found.problem if found.recommendation is None else found.recommendation.reason}")
    if written is not None and written.recommended is not None:
        typer.echo(_describe_evaluation(written.recommended))
    for suggestion in found.recommendation.next if found.recommendation else ():
        typer.echo(f"Next: {suggestion.message}")


def _study_record(found: StudyFindings, written: StudyWritten | None) -> dict[str, Any]:
    """Return what a study found as plain values, for JSON."""
    from glassnet.training.health.diagnosis import in_json

    return {
        "study": found.study.name,
        "folder": str(found.folder),
        "measure": found.study.measure,
        "fairness": in_json(found.fairness),
        "report": None if written is None else str(written.report),
        "rows": [in_json(row) | {"health": in_json(row.diagnoses)} for row in found.rows],
        "variants": in_json(found.summaries),
        "comparisons": in_json(found.comparisons),
        "interaction_test": in_json(found.interaction_test),
        "recommendation": in_json(found.recommendation),
        "recommended": None if written is None else in_json(written.recommended),
    }


def _describe_evaluation(evaluation: FinalEvaluation) -> str:
    """Say how good the recommended plan is on the test rows, by which run, and whether they had been seen."""
    parts = []
    for name, value in evaluation.test_measures.items():
        low, high = evaluation.test_intervals.get(name, (None, None))
        within = "" if low is None else f" ({low:.3f} to {high:.3f})"
        parts.append(f"{MEASURES.get(name, name)} {value:.4f}{within}")
    seen = " These rows had been opened before, for another." if evaluation.earlier else ""
    measures = ", ".join(parts) or "outputs that are not finite"
    return f"On the test rows, by its median run, seed {evaluation.seed}: {measures}.{seen}"


def _print_variants(measure: str, summaries: list[Summary], compared: list[Comparison]) -> None:
    """Print a line for each variant: the measure over the seeds, the difference to the base, what it costs."""
    from glassnet.locales.catalogue import Words

    words, against = Words("en"), {one.variant: one for one in compared}
    rows = []
    for one in summaries:
        other = against.get(one.variant)
        difference = "" if other is None or other.difference is None else f"{other.difference:+.4f}"
        rows.append(
            [
                one.variant,
                f"{one.n} of {one.n + one.failures}",
                _number(one.mean, ".4f"),
                _number(one.std, ".4f"),
                "" if one.low is None else f"{one.low:.4f} to {one.high:.4f}",
                difference,
                "" if other is None else words.name("verdicts", other.verdict),
                _number(one.seconds, ".1f"),
                _number(one.parameters, ",.0f"),
                _number(one.flops, ".2e"),
            ]
        )
    head = ["variant", "runs", measure.replace("_", " "), "std", "95 % of the mean", "to base", "verdict"]
    print_table([*head, "seconds", "parameters", "flops"], rows, text=(0, 6))


def _number(value: float | None, form: str) -> str:
    return "" if value is None else f"{value:{form}}"


def _print_fairness(found: StudyFindings) -> None:
    """Say what each factor changes beside itself: then it is not compared alone."""
    from glassnet.locales.catalogue import Words
    from glassnet.report.study_tables import fairness_table

    table = fairness_table(found.study, found.fairness, Words("en"))
    typer.echo(f"\n{table.caption}:")
    print_table(table.header, [[cell.text for cell in row] for row in table.cells], text=table.text)


def print_problems(rows: Sequence[Row]) -> None:
    """Say which runs diverged or failed, and why."""
    lost = [row for row in rows if row.problem]
    if lost:
        typer.echo()
    for row in lost:
        typer.echo(f"{row.variant}, seed {row.seed}: {row.status}: {row.problem}")
