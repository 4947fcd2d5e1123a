"""The report of a run: a page that is one file, and the same facts in Markdown."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import SimpleNamespace

from glassnet.charts.axes import format_number, percent_form
from glassnet.charts.tables import Cell, Rows, Table
from glassnet.data.dataset import Dataset
from glassnet.data.registry import DATASETS
from glassnet.data.user_data import looks_like_a_path
from glassnet.errors import NonFiniteError
from glassnet.locales.catalogue import Language, Words
from glassnet.nn.network import Network
from glassnet.report.baseline_section import show_baselines
from glassnet.report.data_section import show_data
from glassnet.report.diagnoses import HealthSection, read_health
from glassnet.report.error_analysis import ErrorAnalysis, analyse_errors
from glassnet.report.figure_files import FigureFiles
from glassnet.report.importance_section import show_importance
from glassnet.report.on_test_rows import evaluation_tiles, show_test_rows
from glassnet.report.page_tables import history_table
from glassnet.report.probability_section import show_probabilities, show_thresholds
from glassnet.report.rendering import write_pages
from glassnet.report.run_curves import learning_curves
from glassnet.report.setting_tables import show_settings
from glassnet.report.vital_curves import vital_curves, vital_table
from glassnet.runtime.environment import environment
from glassnet.runtime.files import quote_path
from glassnet.training.config import RunConfig
from glassnet.training.early_stopping import EARLY_STOPPING, kept_epoch
from glassnet.training.history import History
from glassnet.training.inspection.baselines import SplitName
from glassnet.training.metrics import Evaluation, Predictions, predict_rows, predict_test_rows
from glassnet.training.run_folder import CONFIG_FILE, RunFolder


def write_run_report(
    run_folder: Path,
    network: Network,
    data: Dataset,
    *,
    language: Language = "en",
    predictions: Predictions | None = None,
    figures: FigureFiles | None = None,
    baselines: bool = False,
) -> Path:
    """Write ``report.html`` and ``report.md`` into a run's folder, both whole or neither; return the page's path.

    The page is one file that asks for nothing over the network: verdict, simple models beside the network, scores
    class by class and the worst mistakes (or predicted against true numbers), weights as pictures where the inputs
    are images, whether probabilities can be trusted, which inputs matter, the data, curves, settings, health, and
    what is needed to have the same run again. The Markdown file holds the same facts without pictures.

    The network is the run's, trained; it is evaluated on the test rows of `data`, unless `predictions` hold what
    it says to these already. ``health.json`` may be missing in the folder. Charts and tables become files, too,
    where `figures` says so. With `baselines`, simple models are trained where the folder has none.

    Raises UsageError if there are no words in that language, FileError if the folder is that of no run or cannot
    be written (an older report then stands), and DataError if the data do not fit the network.
    """
    words, folder = Words(language), RunFolder(Path(run_folder))
    config, history = folder.config(), folder.history()
    if config.training.early_stopping is not None:
        rule = EARLY_STOPPING.resolve(config.training.early_stopping)
        watched = history[rule.column] if rule.column in history.columns else []
        history.kept = kept_epoch(rule, watched, config.training.epochs)
    health = read_health(folder.path, words)
    predictions = predictions or predict_test_rows(network, data)
    answers = _gather_answers(network, data, predictions)
    found = analyse_errors(predictions, data)
    layers, epochs = "-".join(map(str, network.layers)), words.say("n_epochs", n=len(history))
    tiles = evaluation_tiles(found.evaluation, words) if found.evaluation is not None else []
    tiles.append((words.say("training_time"), words.duration(history.seconds), epochs))
    tiles.append((words.say("parameters"), f"{len(network.theta):,}", layers))
    drawings, curve_notes = learning_curves(history, words)
    again_notes, command = _command(folder, config, words)
    vitals, vital_notes = vital_curves(health.vitals, words)
    importance = show_importance(network, data, words)
    important = (
        [] if importance.found is None else [importance.found.names[one] for one in importance.found.ranking()]
    )
    notes = {"healthy": "health_fine", "unwatched": "health_unwatched"}
    report = SimpleNamespace(
        title=f"{data.name}: {layers}",
        verdict=_verdict(found, data, config, history, health, words),
        tiles=tiles,
        drawings=drawings,
        curve_notes=curve_notes,
        history=history_table(history, words) if len(history) else None,
        baselines=show_baselines(folder, data, answers, words, train=baselines),
        probabilities=show_probabilities(predictions, words),
        thresholds=show_thresholds(answers.get("validation"), predictions, words),
        importance=importance,
        data=show_data(data, words),
        settings=show_settings(config, words),
        health=health,
        health_note=words.say(notes[health.state]) if health.state in notes else "",
        vitals=vitals,
        vital_notes=vital_notes,
        vital_table=vital_table(health.vitals, words) if health.vitals else None,
        test=show_test_rows(found, network, data, words, important),
        again_notes=again_notes,
        command=command,
        facts=_facts(config, network, words),
        version=environment()["glassnet"],
    )
    return write_pages(folder.path, "run", report, words, figures)


def _gather_answers(network: Network, data: Dataset, test: Predictions | None) -> dict[SplitName, Predictions]:
    """Return what the network says of test and validation rows, as far as there are such, and it is finite."""
    answers: dict[SplitName, Predictions] = {} if test is None else {"test": test}
    if len(data.validation.y):
        with contextlib.suppress(NonFiniteError):
            answers["validation"] = predict_rows(network, data.encoded.validation)
    return answers


def _verdict(
    found: ErrorAnalysis, data: Dataset, config: RunConfig, history: History, health: HealthSection, words: Words
) -> str:
    epochs, planned = words.say("n_epochs", n=len(history)), config.training.epochs
    time = words.duration(history.seconds)
    key = "trained" if len(history) == planned else "trained_short"
    kinds = list(dict.fromkeys(f.title for f in health.findings if f.sick or health.state != "sick"))
    return words.say(
        "sentence",
        result=_result(found.evaluation, data, words),
        trained=words.say(key, epochs=epochs, planned=planned, time=time),
        health=words.say(f"is_{health.state}", kinds=kinds),
    )


def _result(found: Evaluation | None, data: Dataset, words: Words) -> str:
    """Say how good the network is at its task, on the test rows."""
    name = "accuracy" if found is not None and "accuracy" in found.measures else "r2"
    if found is None or name not in found.measures:
        return words.say("result_none")
    form, key = (percent_form(words), "result_classes") if name == "accuracy" else ("number", "result_numbers")
    if data.task == "multi-label":
        key = "result_labels"
    within = ""
    if name in found.intervals:
        low, high = (format_number(end, form) for end in found.intervals[name])
        within = words.say("within", low=low, high=high)
    return words.say(key, share=format_number(found.measures[name], form), rows=f"{found.rows:,}", within=within)


def _command(folder: RunFolder, config: RunConfig, words: Words) -> tuple[list[str], str]:
    """Return what is to be said of repeating the run, and the command for it."""
    if config.network.initializer == "array":
        return [words.say("by_array")], ""
    path = folder.path / CONFIG_FILE
    if config.data.dataset not in DATASETS and not looks_like_a_path(config.data.dataset):
        return [words.say("program")], f"glassnet.run(glassnet.load_config({str(path)!r}), data)"
    return [words.say("command")], f"glassnet train --config {quote_path(path)}"


def _facts(config: RunConfig, network: Network, words: Words) -> Table:
    """Return the hashes, checksums, versions and machine of a run."""
    facts = [] if config.start is None else [(words.say("start_hash"), config.start)]
    facts.append((words.say("theta_hash"), network.fingerprint()))
    if config.sample_weight is not None:
        facts.append((words.say("weights_hash"), config.sample_weight))
    facts += [(words.say("checksum", file=file), checksum) for file, checksum in config.checksums.items()]
    rows: Rows = [[name, Cell(value, code=True)] for name, value in facts]
    rows += [[Cell(name, code=True), Cell(value, code=True)] for name, value in config.environment.items()]
    heads = [words.say("fact"), words.say("value")]
    return Table(words.say("facts"), heads, rows, text=(0, 1), key="hashes-and-versions")
