"""The report of a run: a page that is one file, and the same facts in Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from glassnet.data.dataset import Dataset
from glassnet.data.registry import DATASETS
from glassnet.data.user_data import looks_like_a_path
from glassnet.nn.network import Network
from glassnet.report.axes import written
from glassnet.report.curves import Drawing
from glassnet.report.diagnoses import Health, read_health
from glassnet.report.error_analysis import ErrorAnalysis, analyse_errors
from glassnet.report.on_test_rows import OnTestRows, evaluation_tiles, show_test_rows
from glassnet.report.rendering import write_pages
from glassnet.report.run_curves import learning_curves
from glassnet.report.tables import Cell, Table, history_table, setting_tables
from glassnet.report.vital_curves import vital_curves, vital_table
from glassnet.report.words import Language, Words
from glassnet.runtime.environment import environment
from glassnet.training.config import RunConfig
from glassnet.training.history import History
from glassnet.training.metrics import Evaluation, Predictions, predict_test_rows
from glassnet.training.run_folder import CONFIG_FILE, RunFolder


@dataclass(frozen=True)
class RunReport:
    """Everything that a report of a run says, in the order in which it says it.

    Attributes
    ----------
    title, verdict : str
        The data and the network; a sentence.
    tiles : list of (str, str, str)
        Name, value, and what more there is to the value.
    drawings : list of (Drawing, str)
        The curves, each with a sentence for those who cannot see it.
    curve_notes : list of str
    history : Table or None
        None where no epoch was finished.
    settings : list of Table
    health : Health
    health_note : str
    vitals : list of (Drawing, str)
        What was measured of its layers, over the steps of training.
    vital_notes : list of str
    vital_table : Table or None
    test : OnTestRows
        Right and wrong on the test rows.
    again_notes : list of str
    command : str
        What repeats the run.
    facts : Table
        Hashes, checksums, versions, machine.
    version : str
        Of glassnet, that made the report.
    """

    title: str
    verdict: str
    tiles: list[tuple[str, str, str]]
    drawings: list[tuple[Drawing, str]]
    curve_notes: list[str]
    history: Table | None
    settings: list[Table]
    health: Health
    health_note: str
    vitals: list[tuple[Drawing, str]]
    vital_notes: list[str]
    vital_table: Table | None
    test: OnTestRows
    again_notes: list[str]
    command: str
    facts: Table
    version: str


def write_run_report(
    run_folder: Path,
    network: Network,
    data: Dataset,
    *,
    language: Language = "en",
    predictions: Predictions | None = None,
) -> Path:
    """Write ``report.html`` and ``report.md`` into a run's folder, both whole or neither; return the page's path.

    The page is one file that asks for nothing over the network: verdict, curves, settings, health, scores class by
    class and the worst mistakes (or predicted against true numbers), weights as pictures where the inputs are
    images, and what is needed to have the same run again. The Markdown file holds the same facts without pictures.

    Parameters
    ----------
    run_folder : Path
        Holds ``config.toml`` and ``history.csv``; ``health.json`` may be missing.
    network : Network
        The run's, trained; left as it is.
    data : Dataset
        What it learned from; it is evaluated on the test rows.
    language : {"en", "zh"}, default "en"
    predictions : Predictions, optional
        The network's on the test rows, from `glassnet.training.metrics.predict_test_rows`, where they have been
        made already. By default the rows go through the network once.

    Returns
    -------
    Path
        Of ``report.html``.

    Raises
    ------
    UsageError
        If there are no words in that language.
    FileError
        If the folder is that of no run, or cannot be written; an older report then stands.
    DataError
        If the data do not fit the network.
    """
    words = Words(language)
    return write_pages(Path(run_folder), "run", run_report(run_folder, network, data, words, predictions), words)


def run_report(
    run_folder: Path, network: Network, data: Dataset, words: Words, predictions: Predictions | None = None
) -> RunReport:
    """Gather what a report of a run says; see `write_run_report`."""
    folder = RunFolder(Path(run_folder))
    config, history = folder.config(), folder.history()
    health, found = (
        read_health(folder.path, words),
        analyse_errors(predictions or predict_test_rows(network, data), data),
    )
    drawings, notes = learning_curves(history, words)
    again_notes, command = _command(folder, config, words)
    vitals, vital_notes = vital_curves(health.vitals, words)
    return RunReport(
        title=f"{data.name}: {'-'.join(map(str, network.layers))}",
        verdict=_verdict(found, data, config, history, health, words),
        tiles=_tiles(found.evaluation, network, history, words),
        drawings=drawings,
        curve_notes=notes,
        history=history_table(history, words) if len(history) else None,
        settings=setting_tables(config, words),
        health=health,
        health_note=_health_note(health, words),
        vitals=vitals,
        vital_notes=vital_notes,
        vital_table=vital_table(health.vitals, words) if health.vitals else None,
        test=show_test_rows(found, network, data, words),
        again_notes=again_notes,
        command=command,
        facts=_facts(config, network, words),
        version=environment()["glassnet"],
    )


def _verdict(
    found: ErrorAnalysis, data: Dataset, config: RunConfig, history: History, health: Health, words: Words
) -> str:
    epochs, planned = words.count_epochs(len(history)), config.training.epochs
    time = words.duration(history.seconds)
    key = "trained" if len(history) == planned else "trained_short"
    kinds = words.say("and").join(
        dict.fromkeys(f.title for f in health.findings if f.sick or health.state != "sick")
    )
    state = "unwatched" if health.state == "unreadable" else health.state
    return words.say(
        "sentence",
        result=_result(found.evaluation, data, words),
        trained=words.say(key, epochs=epochs, planned=planned, time=time),
        health=words.say(f"is_{state}", kinds=kinds),
    )


def _result(found: Evaluation | None, data: Dataset, words: Words) -> str:
    """Say how good the network is at its task, on the test rows."""
    name = "accuracy" if found is not None and "accuracy" in found.measures else "r2"
    if found is None or name not in found.measures:
        return words.say("result_none")
    form, key = ("percent", "result_classes") if name == "accuracy" else ("number", "result_numbers")
    if data.task == "multi-label":
        key = "result_labels"
    within = ""
    if name in found.intervals:
        low, high = (written(end, form) for end in found.intervals[name])
        within = words.say("within", low=low, high=high)
    return words.say(key, share=written(found.measures[name], form), rows=f"{found.rows:,}", within=within)


def _tiles(
    found: Evaluation | None, network: Network, history: History, words: Words
) -> list[tuple[str, str, str]]:
    tiles = evaluation_tiles(found, words) if found is not None else []
    tiles.append((words.say("training_time"), words.duration(history.seconds), words.count_epochs(len(history))))
    tiles.append((words.say("parameters"), f"{len(network.theta):,}", "-".join(map(str, network.layers))))
    return tiles


def _health_note(health: Health, words: Words) -> str:
    notes = {"healthy": "health_fine", "unwatched": "health_unwatched", "unreadable": "health_unreadable"}
    return words.say(notes[health.state]) if health.state in notes else ""


def _command(folder: RunFolder, config: RunConfig, words: Words) -> tuple[list[str], str]:
    """Return what is to be said of repeating the run, and the command for it."""
    if config.network.initializer == "array":
        return [words.say("by_array")], ""
    path = str(folder.path / CONFIG_FILE)
    if config.data.dataset not in DATASETS and not looks_like_a_path(config.data.dataset):
        return [words.say("program")], f"glassnet.run(glassnet.load_config({path!r}), data)"
    return [words.say("command")], f"glassnet train --config {quote(path)}"


def _facts(config: RunConfig, network: Network, words: Words) -> Table:
    """Return the hashes, checksums, versions and machine of a run."""
    facts = [] if config.start is None else [(words.say("start_hash"), config.start)]
    facts.append((words.say("theta_hash"), network.fingerprint()))
    if config.sample_weight is not None:
        facts.append((words.say("weights_hash"), config.sample_weight))
    facts += [(words.say("checksum", file=file), checksum) for file, checksum in config.checksums.items()]
    rows: list[list[str | Cell]] = [[name, Cell(value, code=True)] for name, value in facts]
    rows += [[Cell(name, code=True), Cell(value, code=True)] for name, value in config.environment.items()]
    return Table(words.say("facts"), [words.say("fact"), words.say("value")], rows, text=(0, 1))
