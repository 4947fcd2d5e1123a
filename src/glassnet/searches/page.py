"""The report of a search: a page that is one file, and the same facts in Markdown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from glassnet.charts.axes import format_known
from glassnet.data.dataset import Dataset
from glassnet.locales.catalogue import Language, Words
from glassnet.report.error_analysis import analyse_errors
from glassnet.report.figure_files import FigureFiles
from glassnet.report.on_test_rows import Tile, evaluation_tiles, show_test_rows
from glassnet.report.rendering import write_pages
from glassnet.report.run_curves import show
from glassnet.report.setting_tables import show_settings
from glassnet.report.study_tables import sick_table
from glassnet.runtime.environment import environment
from glassnet.runtime.files import quote_path
from glassnet.searches.charts import cost_charts, importance_chart, sorted_chart
from glassnet.searches.results import MOST_SHOWN, SearchResult, first_epochs, ranking_chart
from glassnet.searches.search_folder import SPACE_FILE
from glassnet.searches.tables import all_trials_table, importance_table, ranking_table, space_table
from glassnet.searches.verdict import describe_search, describe_work, train_command
from glassnet.training.config import RunConfig
from glassnet.training.metrics import predict_test_rows
from glassnet.training.model_file import load_model
from glassnet.training.run import load_data
from glassnet.training.run_folder import RunFolder


def write_search_report(
    found: SearchResult,
    load: Callable[[RunConfig], Dataset] = load_data,
    *,
    language: Language = "en",
    figures: FigureFiles | None = None,
) -> Path:
    """Write ``report.html`` and ``report.md`` into a search's folder, both whole or neither; return the path.

    The page is one file that asks for nothing over the network: the verdict, the ranking, which parameters
    mattered, what costs little for how good it is, the winner on the test rows, what was drawn, and what is needed
    to have the same search again. `load` gives the data of a configuration. Raises FileError if the folder cannot
    be written; an older report then stands.
    """
    words = Words(language)
    tiles, test = _test_rows(found, load, words)
    bars = importance_chart(found, words)
    known = [one for one in found.trials if one.value is not None]
    report = SimpleNamespace(
        title=words.say("search.title", data=Path(found.search.space.base.data.dataset).name),
        state=_state(found),
        verdict=describe_search(found, words),
        tiles=_tiles(found, tiles, words),
        charts=[show(chart, words) for chart in (ranking_chart(found, words), sorted_chart(found, words))]
        if known
        else [],
        ranking=ranking_table(found, words, MOST_SHOWN),
        trials=all_trials_table(found, words),
        importance=[] if bars is None else [show(bars, words)],
        importance_table=importance_table(found, words),
        costs=[show(chart, words) for chart in cost_charts(found, words)] if known else [],
        sick=sick_table([one.row for one in found.finished if one.row.sick], words),
        test_tiles=tiles,
        test=test,
        train=train_command(found) if found.winner is not None else "",
        facts=_facts(found, words),
        space=space_table(found, words),
        common=show_settings(found.search.space.base, words, set(found.search.space.keys.values())),
        command=_command(found, words),
        version=environment()["glassnet"],
    )
    return write_pages(found.folder, "search", report, words, figures)


def _state(found: SearchResult) -> str:
    if found.winner is None or found.winner.row.sick:
        return "sick"
    return "healthy" if found.evaluation is not None and not found.record.get("out_of_time") else "remarked"


def _tiles(found: SearchResult, test: list[Tile], words: Words) -> list[Tile]:
    winner = found.winner
    if winner is None:
        return []
    more = ""
    if found.low is not None:
        more = words.say("interval", low=f"{found.low:.4g}", high=f"{found.high:.4g}")
    accuracy = words.say("test_of", measure=words.measure("accuracy"))
    return [
        (words.say("search.winner"), winner.name, ""),
        (words.measure(found.measure), format_known(winner.value, ".4g"), more),
        *([tile for tile in test if tile[0] == accuracy] or test[:1]),
        (words.say("search.size"), f"{winner.size:,}", ""),
        (words.say("training_time"), words.duration(winner.seconds), ""),
        (words.say("search.trials"), str(len(found.trials)), describe_work(found, words)),
    ]


def _test_rows(
    found: SearchResult, load: Callable[[RunConfig], Dataset], words: Words
) -> tuple[list[Tile], SimpleNamespace | None]:
    """Return what the test rows say of the winner; nothing where they stayed closed."""
    evaluation = found.evaluation
    if evaluation is None:
        return [], None
    run = RunFolder(found.folder / evaluation.folder)
    network, data = load_model(run.path).network, load(run.config())
    errors = analyse_errors(predict_test_rows(network, data), data)
    tiles = [] if errors.evaluation is None else evaluation_tiles(errors.evaluation, words, plain=True)
    return tiles, show_test_rows(errors, network, data, words)


def _facts(found: SearchResult, words: Words) -> list[tuple[str, str]]:
    search, layout = found.search, found.record.get("layout") or {}
    limit = words.say("none") if search.timeout is None else words.duration(search.timeout)
    return [
        (words.say("search.strategy"), search.strategy),
        (words.say("search.sampler"), search.sampler),
        (words.say("search.first_rung"), words.say("n_epochs", n=first_epochs(search))),
        (words.say("search.work"), describe_work(found, words)),
        (words.say("search.limit"), limit),
        (words.say("search.seed"), str(search.space.base.seed)),
        (words.say("search.workers"), f"{layout.get('workers', '–')}, {layout.get('threads', '–')}"),
    ]


def _command(found: SearchResult, words: Words) -> str:
    """Return the command that does the search again, in another folder."""
    search = found.search
    parts = ["glassnet search", quote_path(Path(search.space.base.data.dataset))]
    parts += ["--space", quote_path(found.folder / SPACE_FILE), "--trials", str(search.trials)]
    parts += ["--strategy", search.strategy, "--sampler", search.sampler]
    if search.strategy == "one-epoch":
        parts += ["--finish", str(search.finish), "--first-epochs", str(search.first_epochs)]
    if search.timeout is not None:
        parts += ["--timeout", f"{search.timeout:g}"]
    layout = found.record.get("layout") or {}
    if layout.get("threads") == 1:
        parts += ["--workers", str(layout["workers"])]  # which decides that a run has one thread
    parts += ["--seed", str(search.space.base.seed), "--out", quote_path(f"{found.folder}-again")]
    return " ".join([*parts, *(["--lang", "zh"] if words.language == "zh" else [])])
