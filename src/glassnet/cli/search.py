"""``glassnet search``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.language import LanguageOption, choose_words
from glassnet.cli.options import collect_changes, takes
from glassnet.cli.output import (
    DataDirOption,
    JsonOption,
    QuietOption,
    print_facts,
    print_json,
    print_remarks,
    print_table,
)
from glassnet.cli.report import attempt_report
from glassnet.cli.study import ClusterOption, WorkersOption, explaining_interrupt
from glassnet.errors import UsageError
from glassnet.runtime.terminal import print_lines

if TYPE_CHECKING:
    from glassnet.locales.catalogue import Words
    from glassnet.searches.results import SearchResult

#: Trials that the console lists.
MOST_LISTED = 10


@takes("dataset", "epochs", "seed", "data")
def search(
    context: typer.Context,
    trials: Annotated[int, typer.Option(help="Number of configurations.", metavar="N", min=1)] = 60,
    timeout: Annotated[
        float | None,
        typer.Option(help="Seconds for all of it; what runs then is saved.", metavar="S", show_default="no limit"),
    ] = None,
    strategy: Annotated[
        str,
        typer.Option(
            help="one-epoch trains all for one epoch and finishes the best; hyperband; tpe and random train all "
            "to their end.",
            metavar="NAME",
        ),
    ] = "one-epoch",
    sampler: Annotated[
        str | None,
        typer.Option(
            help="What draws the configurations: random or tpe.",
            metavar="NAME",
            show_default="tpe for that strategy, else random",
        ),
    ] = None,
    space: Annotated[
        Path | None,
        typer.Option(
            help="TOML file that says what is drawn.", metavar="FILE", show_default="one for images, or for tables"
        ),
    ] = None,
    measure: Annotated[
        str | None,
        typer.Option(
            help="What decides, on the validation rows.",
            metavar="NAME",
            show_default="validation_accuracy; for numbers validation_loss",
        ),
    ] = None,
    finish: Annotated[
        int, typer.Option(help="Configurations that one-epoch trains to their end.", metavar="K", min=1)
    ] = 3,
    first_epochs: Annotated[
        int | None,
        typer.Option(
            help="Epochs after which it chooses these.",
            metavar="N",
            min=1,
            show_default="1; more where an epoch has under 10 steps",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to save all in.", metavar="DIR", show_default="searches/DATASET")
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            help="URL of a database for Optuna's record of the trials, as postgresql://...",
            metavar="URL",
            show_default="journal.log in the folder",
        ),
    ] = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    lang: LanguageOption = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.html and report.md.")] = False,
    data_dir: DataDirOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    **options: Any,
) -> None:
    """Search for the best plan for a data set.

    Configurations are drawn, trained side by side, and judged on the same validation rows. At the end the test
    rows are opened once, for the winner. Its plan is written for glassnet train --plan, and a report with the
    ranking, the importance of each parameter, and what costs little for how good it is. The same command goes on
    with a search that was stopped or killed; what is done is not repeated.

    \b
    Examples:
      glassnet search fashion-mnist
      glassnet search houses.csv --target price --trials 200 --timeout 600
      glassnet search digits --strategy hyperband --epochs 27
      glassnet search digits --space space.toml --sampler tpe --workers 2
      glassnet search digits --trials 100 --out searches/digits --lang zh
      glassnet train --plan searches/digits/plan.toml
    """
    from glassnet.searches.search import search as run_search

    words = choose_words(lang)
    given = collect_changes(options)
    if "dataset" not in given["data"]:
        raise UsageError("dataset", "is missing: name the data to search a plan for")
    dataset = given["data"].pop("dataset")
    again = repeat_command(context)
    with explaining_interrupt(again):
        found = run_search(
            dataset,
            trials=trials,
            timeout=timeout,
            strategy=strategy,
            sampler=sampler,
            space=space,
            measure=measure,
            epochs=given["training"].get("epochs"),
            finish=finish,
            first_epochs=first_epochs,
            seed=given.get("seed", 0),
            folder=out,
            storage=storage,
            workers=workers,
            cluster=cluster,
            data_dir=data_dir,
            progress=not quiet,
            announce=print_remarks,
            **given["data"],
        )
    page = None if no_report else attempt_report("search", again, lambda: _write(found, data_dir, words))
    if as_json:
        print_json(_record(found, page))
    else:
        print_search(found, page, words)
    if found.winner is None:
        raise typer.Exit(1)


def repeat_command(context: typer.Context) -> str:
    """Return the command that was called, with the options that were given: the same one goes on."""
    parts = ["glassnet", "search"]
    for one in context.command.params:
        source, value = context.get_parameter_source(one.name or ""), context.params.get(one.name or "")
        if source is None or source.name != "COMMANDLINE" or value is None:
            continue
        if one.param_type_name == "argument":
            parts.insert(2, str(value))
        elif isinstance(value, bool):
            parts.append((one.opts if value else one.secondary_opts)[0])
        else:
            flag = max(one.opts, key=len)
            for each in value if isinstance(value, list | tuple) else [value]:
                parts += [flag, str(each)]
    return join(parts)


def _write(found: SearchResult, data_dir: Path | None, words: Words) -> Path:
    from glassnet.searches.page import write_search_report
    from glassnet.study.fairness import DataCache

    return write_search_report(found, DataCache(data_dir).load, language=words.language)


def print_search(found: SearchResult, page: Path | None, words: Words) -> None:
    """Print what a search found, the verdict first."""
    from glassnet.searches.search_folder import PLAN_FILE
    from glassnet.searches.tables import importance_table, ranking_table
    from glassnet.searches.verdict import describe_search, describe_work, train_command

    for sentence in describe_search(found, words):
        print_lines(sentence)
    facts = [
        (words.say("search.work"), describe_work(found, words)),
        (words.say("terminal.folder"), str(found.folder)),
    ]
    if found.winner is not None:
        facts.append((words.say("search.plan"), str(found.folder / PLAN_FILE)))
    if page is not None:
        facts.append((words.say("terminal.report"), str(page)))
    print_lines()
    print_facts(facts)
    for table in (ranking_table(found, words, MOST_LISTED), importance_table(found, words)):
        if table is not None and table.cells:
            print_lines("", table.caption)
            print_table(table.header, [[cell.text for cell in row] for row in table.cells], text=table.text)
            if table.note:
                print_lines(table.note)
    if found.winner is not None:
        print_lines("", words.say("search.train"), f"  {train_command(found)}")


def _record(found: SearchResult, page: Path | None) -> dict[str, Any]:
    """Return what a search found as plain values, for JSON."""
    from glassnet.locales.catalogue import Words
    from glassnet.searches.search_folder import PLAN_FILE
    from glassnet.searches.verdict import describe_search
    from glassnet.training.health.diagnosis import in_json

    return {
        "folder": str(found.folder),
        "report": None if page is None else str(page),
        "plan": None if found.winner is None else str(found.folder / PLAN_FILE),
        "verdict": describe_search(found, Words("en")),
        "measure": found.measure,
        "strategy": found.search.strategy,
        "sampler": found.search.sampler,
        "out_of_time": found.record.get("out_of_time", False),
        "seconds": found.record.get("seconds"),
        "winner": None if found.winner is None else found.winner.number,
        "low": found.low,
        "high": found.high,
        "importance": found.importance,
        "trials": in_json(found.records()),
        "test": None if found.evaluation is None else in_json(asdict(found.evaluation)),
    }
