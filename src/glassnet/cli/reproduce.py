"""``glassnet reproduce``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.language import LanguageOption, choose_words
from glassnet.cli.output import DataDirOption, JsonOption, QuietOption, print_facts, print_json, print_table
from glassnet.cli.report import attempt_report
from glassnet.cli.study import WorkersOption, explaining_interrupt, print_problems, resume_command
from glassnet.locales.catalogue import Words
from glassnet.runtime.terminal import print_lines

if TYPE_CHECKING:
    from glassnet.reproductions.open_questions import Answer
    from glassnet.reproductions.reproduce import Reproduction
    from glassnet.reproductions.verdicts import FigureComparison


def reproduce(
    name: Annotated[
        str, typer.Argument(help="seed-report, zalando-mlp or nielsen.", metavar="NAME", show_default=False)
    ],
    folder: Annotated[
        Path | None, typer.Option(help="Folder to save all runs in.", show_default="reproductions/NAME")
    ] = None,
    workers: WorkersOption = None,
    figures: Annotated[
        Path | None,
        typer.Option(help="Folder for every chart and table as a file of its own.", metavar="DIR"),
    ] = None,
    lang: LanguageOption = None,
    data_dir: DataDirOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Repeat a published table with its own settings.

    With three seeds: its figures beside ours, and a verdict a row.

    seed-report: the report from which glassnet grew, with an answer to each question that it left open.
    zalando-mlp: the MLP rows of Fashion-MNIST's paper. nielsen: MNIST in Neural Networks and Deep Learning.
    On two cores each takes from five minutes to half an hour. The same command goes on where it was stopped.

    \b
    Examples:
      glassnet reproduce seed-report
      glassnet reproduce seed-report --lang zh
      glassnet reproduce nielsen --workers 2 --json
    """
    from glassnet.reproductions.reproduce import reproduce

    folder = Path("reproductions") / name if folder is None else folder
    command = ["reproduce", name, *([] if lang is None else ["--lang", lang])]
    again = resume_command(command, folder, workers, data_dir)
    with explaining_interrupt(again):
        found = reproduce(name, folder, data_dir=data_dir, workers=workers, progress=not quiet)
    words = choose_words(lang)
    page = attempt_report("table", again, lambda: _write_pages(found, data_dir, figures, words))
    _print_reproduction(found, page, as_json, Words("en") if as_json else words)
    if found.failed:
        raise typer.Exit(1)


def _write_pages(found: Reproduction, data_dir: Path | None, figures: Path | None, words: Words) -> Path:
    """Write the reports of a reproduction's studies, and its own; return the page of the latter."""
    from glassnet.report.figure_files import FigureFiles
    from glassnet.report.study_page import write_study_report
    from glassnet.reproductions.page import write_reproduction_report
    from glassnet.study.fairness import DataCache
    from glassnet.study.findings import gather_findings
    from glassnet.study.results import read_rows
    from glassnet.study.specification import load_study
    from glassnet.study.study_folder import STUDY_FILE

    load = DataCache(data_dir).load
    for part in found.studies:
        place = found.folder / part
        study_found = gather_findings(load_study(place / STUDY_FILE), place, read_rows(place), load)
        write_study_report(study_found, load, language=words.language)
    return write_reproduction_report(found, words, None if figures is None else FigureFiles(figures))


def _print_reproduction(found: Reproduction, page: Path | None, as_json: bool, words: Words) -> None:
    """Print what is printed, what came out, and what that says."""
    from glassnet.reproductions.page import answers_of, order_text, printed_table, reasons_of, verdict_of

    answers = answers_of(found, words)
    if as_json:
        print_json(
            {
                "publication": found.publication.model_dump(mode="json"),
                "folder": str(found.folder),
                "report": page and str(page),
                "rows": [
                    {
                        "label": row.row.label,
                        "verdict": row.verdict,
                        "behaviour": row.behaviour,
                        "health": row.health,
                        "figures": [_plain(one) for one in row.comparisons],
                    }
                    for row in found.rows
                ],
                "orders": [asdict(one) | {"order": one.order.model_dump()} for one in found.orders],
                "failed": [asdict(row) for row in found.failed],
                "answers": [_answer_record(answer) for answer in answers],
            }
        )
        return
    facts = [(words.say("terminal.printed_in"), found.publication.source[words.language])]
    facts.append((words.say("terminal.folder"), str(found.folder)))
    print_facts([*facts, *([] if page is None else [(words.say("terminal.report"), str(page))])])
    print_lines()
    table = printed_table(found.rows, words)
    print_table(table.header, [[cell.text for cell in row] for row in table.cells], text=table.text)
    print_problems(found.failed, words)
    print_lines("", verdict_of(found.rows, words))
    for sentence in [*reasons_of(found.rows, words), *(order_text(one, words) for one in found.orders)]:
        print_lines(sentence)
    for answer in answers:
        print_lines("", answer.question, f"  {answer.text}")
        if answer.table is not None:
            cells = [[cell.text for cell in row] for row in answer.table.cells]
            print_lines()
            print_table(answer.table.header, cells, text=answer.table.text)


def _answer_record(answer: Answer) -> dict[str, Any]:
    """Return an answer as plain values, for JSON: of its table the header and the texts of its cells."""
    table = answer.table
    cells = None if table is None else [table.header, *([cell.text for cell in row] for row in table.cells)]
    return {"question": answer.question, "text": answer.text, "table": cells}


def _plain(one: FigureComparison) -> dict[str, Any]:
    """Return a comparison as plain values, for JSON."""
    record = {name: getattr(one, name) for name in ("seeds", "of", "mean", "best", "ours", "inside")}
    return {"figure": one.figure.model_dump(), **record}
