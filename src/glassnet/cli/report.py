"""``glassnet report``, and the report that every training leaves."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from glassnet.cli.output import DataDirOption, JsonOption, print_facts, print_json
from glassnet.errors import GlassnetError

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset
    from glassnet.training.loop import Run


class Language(StrEnum):
    """Languages that a report can be written in."""

    EN = "en"
    ZH = "zh"


LanguageOption = Annotated[
    Language | None,
    typer.Option("--lang", help="Language of the report: English or Chinese.", show_default="en"),
]


def report(
    run: Annotated[Path, typer.Argument(help="A run folder.", metavar="RUN")],
    lang: LanguageOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the report of a run again: report.html, a page that is one file, and report.md, in its folder.

    \b
    Examples:
      glassnet report runs/2026-11-23_101500_digits_64-32-10
      glassnet report runs/2026-11-23_101500_digits_64-32-10 --lang zh
    """
    from glassnet.report.run_page import MARKDOWN_FILE, write_run_report
    from glassnet.training.run import open_run

    network, folder, data = open_run(run, data_dir)
    page = write_run_report(folder.path, network, data, language=(lang or Language.EN).value)
    twin = page.with_name(MARKDOWN_FILE)
    if as_json:
        print_json({"run": str(run), "report": str(page), "markdown": str(twin), "language": lang or Language.EN})
        return
    print_facts([("report", f"{page}, {page.stat().st_size / 1e3:,.0f} kB"), ("in Markdown", str(twin))])


def report_after(run: Run, data: Dataset, language: Language) -> Path | None:
    """Write the report of a run that has ended; where that fails it is said, and None returned: the run is saved.

    No report is written of a run whose folder does not hold its end: it is one of a run that is to go on.

    Raises
    ------
    typer.Exit
        With 130 after Ctrl-C.
    """
    from glassnet.report.run_page import write_run_report

    if run.folder is None or run.unsaved is not None:
        return None
    again = f"glassnet report {quote(str(run.folder))}"
    try:
        return write_run_report(run.folder, run.network, data, language=language.value)
    except (GlassnetError, OSError, MemoryError) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        typer.echo(f"glassnet: no report was written: {problem}; the run is saved; try again: {again}", err=True)
        return None
    except KeyboardInterrupt:
        typer.echo(f"glassnet: stopped before the report was written; the run is saved; now: {again}", err=True)
        raise typer.Exit(130) from None
