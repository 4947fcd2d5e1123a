"""The report of a run: a page that is one file, and the same facts in Markdown."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from shlex import quote

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.data.own import looks_like_a_path
from glassnet.data.registry import DATASETS
from glassnet.nn.network import Network
from glassnet.report.axes import written
from glassnet.report.curves import Drawing, scatter
from glassnet.report.diagnoses import Health, read_health
from glassnet.report.images import WeightSheet, picture_of, weight_sheet
from glassnet.report.judgement import Fit, Judgement, Mistake, judge
from glassnet.report.rendering import palettes, template
from glassnet.report.run_curves import learning_curves
from glassnet.report.tables import (
    Cell,
    Table,
    class_table,
    confusion_table,
    fit_table,
    history_table,
    label_table,
    mistake_table,
    probability,
    setting_tables,
)
from glassnet.report.vital_curves import vital_curves, vital_table
from glassnet.report.words import Language, Words
from glassnet.runtime.environment import environment
from glassnet.runtime.files import replacing
from glassnet.training.assessment import Assessment
from glassnet.training.config import RunConfig
from glassnet.training.history import History
from glassnet.training.run_folder import CONFIG_FILE, RunFolder

REPORT_FILE = "report.html"
MARKDOWN_FILE = "report.md"

#: Outputs whose predictions are drawn against the truth.
MOST_FITS = 4


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
    classes, confusion : Table or None
        Scores class by class, or label by label; which class was taken for which.
    mistakes_note : str
    mistakes : Table or None
    pictures : list of (Mistake, str)
        The mistakes with their images.
    weights : WeightSheet or None
    fits : list of (Drawing, str)
        Predicted against true numbers.
    errors : Table or None
        Of every output, where the targets are numbers.
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
    again_notes: list[str]
    command: str
    facts: Table
    version: str
    classes: Table | None = None
    confusion: Table | None = None
    mistakes_note: str = ""
    mistakes: Table | None = None
    pictures: list[tuple[Mistake, str]] = field(default_factory=list)
    weights: WeightSheet | None = None
    fits: list[tuple[Drawing, str]] = field(default_factory=list)
    errors: Table | None = None
    vitals: list[tuple[Drawing, str]] = field(default_factory=list)
    vital_notes: list[str] = field(default_factory=list)
    vital_table: Table | None = None


def write_run_report(run_folder: Path, network: Network, data: Dataset, *, language: Language = "en") -> Path:
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
        What it learned from; it is judged on the test rows.
    language : {"en", "zh"}, default "en"

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
    report = run_report(run_folder, network, data, words)
    options = {"report": report, "say": words.say, "language": language}
    page = template("run.html.jinja").render(**options, palettes=palettes(), probability=probability)
    twin = template("run.md.jinja").render(**options)
    path = Path(run_folder) / REPORT_FILE
    with replacing(path.with_name(MARKDOWN_FILE)) as file:
        file.write(twin.encode())
        file.flush()
        os.fsync(file.fileno())  # a full disk shows itself before the page takes its place
        with replacing(path) as other:
            other.write(page.encode())
    return path


def run_report(run_folder: Path, network: Network, data: Dataset, words: Words) -> RunReport:
    """Gather what a report of a run says; see `write_run_report`."""
    folder = RunFolder(Path(run_folder))
    config, history = folder.config(), folder.history()
    health, judgement = read_health(folder.path, words), judge(network, data)
    drawings, notes = learning_curves(history, words)
    again_notes, command = _command(folder, config, words)
    classes, confusion = _class_tables(judgement, words)
    vitals, vital_notes = vital_curves(health.vitals, words)
    images = data.image_shape
    return RunReport(
        title=f"{data.name}: {'-'.join(map(str, network.layers))}",
        verdict=_verdict(judgement, data, config, history, health, words),
        tiles=_tiles(judgement.assessment, network, history, words),
        drawings=drawings,
        curve_notes=notes,
        history=history_table(history, words) if len(history) else None,
        settings=setting_tables(config, words),
        health=health,
        health_note=_health_note(health, words),
        again_notes=again_notes,
        command=command,
        facts=_facts(config, network, words),
        version=environment()["glassnet"],
        classes=classes,
        confusion=confusion,
        mistakes_note=_mistakes_note(judgement, words),
        mistakes=mistake_table(judgement.mistakes, words) if judgement.mistakes else None,
        pictures=_pictures(judgement.mistakes, data),
        weights=None if images is None or np.prod(images) != network.layers[0] else weight_sheet(network, images),
        fits=[_fit(fit, number, words) for number, fit in enumerate(judgement.fits[:MOST_FITS])],
        errors=fit_table(judgement.fits, words) if judgement.fits else None,
        vitals=vitals,
        vital_notes=vital_notes,
        vital_table=vital_table(health.vitals, words) if health.vitals else None,
    )


def _verdict(
    judgement: Judgement, data: Dataset, config: RunConfig, history: History, health: Health, words: Words
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
        result=_result(judgement, data, words),
        trained=words.say(key, epochs=epochs, planned=planned, time=time),
        health=words.say(f"is_{state}", kinds=kinds),
    )


def _result(judgement: Judgement, data: Dataset, words: Words) -> str:
    """Say how good the network is at its task, on the test rows."""
    found = judgement.assessment
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
    found: Assessment | None, network: Network, history: History, words: Words
) -> list[tuple[str, str, str]]:
    tiles = []
    for name, value in found.measures.items() if found else ():
        low, high = found.intervals.get(name, (None, None)) if found else (None, None)
        form = "percent" if name in ("accuracy", "sensitivity", "specificity") else "number"
        more = (
            ""
            if low is None or high is None
            else words.say("interval", low=written(low, form), high=written(high, form))
        )
        tiles.append((words.say("test_of", measure=words.measure(name)), written(value, form), more))
    if found is not None:
        tiles.append((words.say("test_of", measure=words.say("loss")), written(found.loss), ""))
    tiles.append((words.say("training_time"), words.duration(history.seconds), words.count_epochs(len(history))))
    tiles.append((words.say("parameters"), f"{len(network.theta):,}", "-".join(map(str, network.layers))))
    return tiles


def _health_note(health: Health, words: Words) -> str:
    notes = {"healthy": "health_fine", "unwatched": "health_unwatched", "unreadable": "health_unreadable"}
    return words.say(notes[health.state]) if health.state in notes else ""


def _class_tables(judgement: Judgement, words: Words) -> tuple[Table | None, Table | None]:
    if judgement.labels:
        return label_table(judgement.labels, words), None
    if judgement.confusion is None:
        return None, None
    names = [score.name for score in judgement.classes]
    return class_table(judgement.classes, words), confusion_table(judgement.confusion, names, words)


def _mistakes_note(judgement: Judgement, words: Words) -> str:
    if judgement.confusion is None:
        return ""
    if not judgement.mistakes:
        return words.say("no_mistakes")
    shown, rows = len(judgement.mistakes), int(judgement.confusion.sum())
    return words.say("mistakes_about", wrong=f"{judgement.wrong:,}", rows=f"{rows:,}", shown=shown)


def _pictures(mistakes: list[Mistake], data: Dataset) -> list[tuple[Mistake, str]]:
    """Return the mistakes with their images, where the rows are images."""
    if data.image_shape is None:
        return []
    images = data.as_read(data.test.X[[mistake.row for mistake in mistakes]])
    largest = float(images.max()) if mistakes else 1.0
    return [
        (one, picture_of(image, data.image_shape, largest)) for one, image in zip(mistakes, images, strict=True)
    ]


def _fit(fit: Fit, number: int, words: Words) -> tuple[Drawing, str]:
    true, predicted = words.say("true"), words.say("predicted")
    names = [f"{words.say('row')} {row}" for row in range(len(fit.true))]
    title = fit.name or words.say("fit")
    drawing = scatter(f"fit{number}", title, true, predicted, fit.true, fit.predicted, names)
    shown = len(drawing.points["curves"][0]["points"])
    if shown < len(fit.true):
        note = words.say("fit_thinned", shown=f"{shown:,}", rows=f"{len(fit.true):,}")
        drawing = replace(drawing, note=note)
    return drawing, title if title == words.say("fit") else f"{title}: {words.say('fit')}"


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
