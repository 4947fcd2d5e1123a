"""``glassnet report``, and the reports that trainings and studies leave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeVar

import typer

from glassnet.cli.language import LanguageOption, choose_language
from glassnet.cli.output import DataDirOption, JsonOption, print_facts, print_json, say, say_stopped
from glassnet.errors import FileError, GlassnetError, UsageError, naming_file
from glassnet.locales.catalogue import Language, Words

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset
    from glassnet.report.figure_files import FigureFiles
    from glassnet.study.final_evaluation import FinalEvaluation
    from glassnet.study.findings import StudyFindings
    from glassnet.training.config import RunConfig
    from glassnet.training.metrics import Predictions
    from glassnet.training.results import Run

Written = TypeVar("Written")


def report(
    run: Annotated[Path, typer.Argument(help="A run folder, or a study's.", metavar="FOLDER")],
    lang: LanguageOption = None,
    figures: Annotated[
        Path | None,
        typer.Option(
            help="Folder for every chart and table as a file of its own; files that are there are replaced.",
            metavar="DIR",
        ),
    ] = None,
    formats: Annotated[
        str | None,
        typer.Option(
            "--format", help="Kinds of files of the charts.", metavar="NAMES", show_default="pdf,svg,png"
        ),
    ] = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the report of a run or a study again.

    Into its folder: report.html, a page that is one file, and report.md. With --figures also every chart as a
    picture, and every table as CSV and as LaTeX; report.md then shows the charts.

    \b
    Examples:
      glassnet report runs/2026-11-23_101500_digits_64-32-10
      glassnet report studies/optimizers --lang zh
      glassnet report studies/optimizers --figures figures --format pdf
    """
    from glassnet.report.figure_files import FigureFiles, choose_formats
    from glassnet.report.rendering import MARKDOWN_FILE
    from glassnet.searches.search_folder import SPACE_FILE
    from glassnet.study.study_folder import STUDY_FILE

    language = choose_language(lang)
    words = Words(language)
    if formats is not None and figures is None:
        raise UsageError("format", "is of the charts, and goes with --figures DIR; add it, or leave it out")
    files = None if figures is None else FigureFiles(figures, choose_formats(formats or "pdf,svg,png"))
    if (run / SPACE_FILE).exists():
        raise FileError(
            run, "is the folder of a search: its own command writes the report again, and repeats nothing"
        )
    of_study = (run / STUDY_FILE).exists()
    write = _report_study if of_study else _report_run
    page = write(run, data_dir, language, files)
    twin = page.with_name(MARKDOWN_FILE)
    if as_json:
        record = {"study" if of_study else "run": str(run), "report": str(page), "markdown": str(twin)}
        written = {} if files is None else {"figures": list(map(str, files.written))}
        print_json(record | {"language": language} | written)
        return
    size = words.say("terminal.file_size", file=page, size=page.stat().st_size / 1e3)
    facts = [(words.say("terminal.report"), size), (words.say("terminal.in_markdown"), str(twin))]
    if files is not None:
        count = words.say("terminal.n_files", folder=figures, n=len(files.written))
        facts.append((words.say("terminal.figures"), count))
    print_facts(facts)


def _report_run(run: Path, data_dir: Path | None, language: Language, figures: FigureFiles | None) -> Path:
    from glassnet.report.run_page import write_run_report
    from glassnet.training.run import open_run

    network, folder, data = open_run(run, data_dir)
    return write_run_report(folder.path, network, data, language=language, figures=figures, tell=say)


def _report_study(folder: Path, data_dir: Path | None, language: Language, figures: FigureFiles | None) -> Path:
    from glassnet.study.fairness import DataCache
    from glassnet.study.findings import gather_findings
    from glassnet.study.results import read_rows
    from glassnet.study.specification import load_study
    from glassnet.study.study_folder import STUDY_FILE

    load, file = DataCache(data_dir).load, folder / STUDY_FILE
    with naming_file(file):
        found = gather_findings(load_study(file), folder, read_rows(folder), load)
        return _write_study(found, load, language, figures).report


class StudyWritten(NamedTuple):
    """The report of a study, and the recommended plan on the test rows; None where these stayed closed."""

    report: Path
    recommended: FinalEvaluation | None


def _write_study(
    found: StudyFindings,
    load: Callable[[RunConfig], Dataset],
    language: Language,
    figures: FigureFiles | None = None,
) -> StudyWritten:
    """Open the test rows for the recommended plan, if all runs are done, and write the report of a study."""
    from glassnet.report.study_page import write_study_report
    from glassnet.study.final_evaluation import evaluate_recommended

    evaluation = evaluate_recommended(found, load)
    return StudyWritten(write_study_report(found, load, language=language, figures=figures), evaluation)


def report_study_end(
    found: StudyFindings, load: Callable[[RunConfig], Dataset], language: Language
) -> StudyWritten | None:
    """Write the report of a study whose runs are done; where that fails it is said, and None returned."""
    return attempt_report("study", _rerun_command(found.folder), lambda: _write_study(found, load, language))


def report_run_end(
    run: Run, data: Dataset, language: Language, predict: Callable[[], Predictions | None]
) -> Path | None:
    """Write the report of a run that has ended; where that fails it is said, and None returned: the run is saved.

    No report is written of a run whose folder does not hold its end: it is one of a run that is to go on.
    `predict` gives the predictions of the network on the test rows.
    """
    from glassnet.report.run_page import write_run_report

    if run.folder is None or run.unsaved is not None:
        return None
    folder = run.folder

    def write() -> Path:
        return write_run_report(folder, run.network, data, language=language, predictions=predict())

    return attempt_report("run", _rerun_command(folder), write)


def _rerun_command(folder: Path) -> str:
    return join(["glassnet", "report", str(folder)])


def attempt_report(what: str, again: str, write: Callable[[], Written]) -> Written | None:
    """Write a report; where that fails it is said, and None returned: the work that it is of is saved.

    Ends with 130, 143 or 129 after a signal.
    """
    try:
        return write()
    except (GlassnetError, OSError, MemoryError) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        say(f"no report was written: {problem}; the {what} is saved; try again: {again}")
        return None
    except KeyboardInterrupt as stop:
        raise say_stopped(stop, f" before the report was written; the {what} is saved; now: {again}") from None
