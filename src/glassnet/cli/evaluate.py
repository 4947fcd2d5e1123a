"""``glassnet evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.language import LanguageOption, choose_words
from glassnet.cli.output import (
    DataDirOption,
    EncodingOption,
    JsonOption,
    SplitName,
    describe_measures,
    describe_network,
    print_facts,
    print_json,
    print_published,
    print_table,
    say_remarks,
)
from glassnet.runtime.terminal import print_lines

if TYPE_CHECKING:
    from glassnet.locales.catalogue import Words
    from glassnet.nn.network import Network
    from glassnet.training.metrics import ClassScore, Evaluation
    from glassnet.training.model import Model


def evaluate(
    run: Annotated[
        Path, typer.Argument(help="A run folder; for the rows of a file, a model file is enough.", metavar="RUN")
    ],
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A file of rows with their answers, read as the model says; by default rows of the run's data.",
            metavar="[FILE]",
            show_default=False,
        ),
    ] = None,
    split: Annotated[SplitName, typer.Option(help="Rows of the run's data to evaluate on.")] = SplitName.TEST,
    encoding: EncodingOption = None,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="Show the published figures of the data set (MedMNIST) beside the result."),
    ] = False,
    scores: Annotated[
        Path | None,
        typer.Option(
            help="Folder for a file of all scores, named as MedMNIST's evaluator does.", show_default="none"
        ),
    ] = None,
    lang: LanguageOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a trained network on rows of its data, or of a file.

    The table has its measures, and each class.

    \b
    Examples:
      glassnet evaluate runs/2026-11-23_101500_digits_64-32-10
      glassnet evaluate runs/2026-11-23_101500_digits_64-32-10 --split validation --json
      glassnet evaluate runs/2026-11-23_101500_breastmnist_784-256-128-1 --compare
      glassnet evaluate runs/2026-11-23_101500_customers_9-32-2 new.csv
    """
    from glassnet.data.registry import published
    from glassnet.training.metrics import class_scores, evaluate_predictions, predict_rows, write_scores
    from glassnet.training.model_file import load_model
    from glassnet.training.run_folder import RunFolder

    model, folder = load_model(run), RunFolder(run if run.is_dir() else run.parent)
    alone = file is not None and not folder.config_path.is_file()  # a model file says all that is needed
    config = None if alone else folder.config()
    figures = published(config.data.dataset) if compare and config else {}
    name, rows = _take_rows(model, run, file, split, data_dir, encoding)
    network = model.network
    predictions = predict_rows(network, rows)
    found = evaluate_predictions(predictions)
    classes = class_scores(predictions) if network.class_names else []
    written = None
    if scores is not None:
        run_name, part = folder.path.resolve().name, "file" if file else split.value
        written = write_scores(scores, name, part, run_name, predictions.answers, found.measures)
    record = {
        "run": str(run),
        "dataset": name,
        "task": predictions.task,
        "split": None if file else split.value,
        "rows": found.rows,
        "loss": found.loss,
        "accuracy": found.measures.get("accuracy"),
        "measures": found.measures,
        "intervals": found.intervals,
        "epochs": None if config is None else len(folder.history()),
        "epochs_planned": None if config is None else config.training.epochs,
        "classes": [score._asdict() for score in classes],
        "published": figures,
        "scores": None if written is None else str(written),
    }
    if as_json:
        print_json(record)
    else:
        _print_evaluation(record, network, found, classes, choose_words(lang))


def _take_rows(
    model: Model, run: Path, file: Path | None, split: SplitName, data_dir: Path | None, encoding: str | None
) -> tuple[str, tuple[Any, Any]]:
    """Return the rows to evaluate the model on, with the name of their data."""
    from glassnet.data.splits import describe_split
    from glassnet.data.user_rows import read_user_rows
    from glassnet.errors import DataError, FileError, UsageError
    from glassnet.training.run import open_run

    if file is None:
        if encoding is not None:
            raise UsageError("encoding", "goes with a FILE; the run's own data are read as for training")
        _, _, data = open_run(run, data_dir)
        return data.name, split.rows_of(data)
    found = read_user_rows(file, model.schema, encoding)
    try:
        X, y = found.labelled()
        if model.schema is None:
            return file.name, (X, y)
        X, remarks = model.schema.input.encode(X)
        y = model.schema.target.encode(y)
    except DataError as error:
        raise error if isinstance(error, FileError) else FileError(file, str(error)) from None
    say_remarks(file, (*found.remarks, *remarks))
    return file.name, describe_split(X, y, model.schema, is_encoded=True)


def _print_evaluation(
    record: dict[str, Any], network: Network, found: Evaluation, classes: list[ClassScore], words: Words
) -> None:
    """Print what the record for programs holds as tables."""
    epochs, planned = record["epochs"], record["epochs_planned"]
    cut = "" if epochs == planned else words.say("terminal.cut_short", planned=planned)
    key = "terminal.split_rows" if record["split"] else "terminal.labelled_rows"
    facts = [
        (words.say("terminal.data"), words.say(key, name=record["dataset"], n=found.rows, split=record["split"])),
        describe_network(network, words),
        *([] if epochs is None else [(words.say("epochs"), f"{epochs}{cut}")]),
        (words.measure("loss"), f"{found.loss:.4f}"),
        *describe_measures(found, words),
    ]
    print_facts(facts + ([(words.say("terminal.scores"), record["scores"])] if record["scores"] else []))
    if classes:
        print_lines()
        _print_classes(classes, words)
    if record["published"]:
        print_lines()
        print_published(record["published"], found.measures, words)


def _print_classes(classes: list[ClassScore], words: Words) -> None:
    names = [words.say(key) for key in ("class", "precision", "recall")]
    print_table(
        [*names, words.measure("f1"), words.say("rows"), words.say("taken_for")],
        [
            [
                score.name,
                f"{score.precision:.3f}",
                f"{score.recall:.3f}",
                f"{score.f1:.3f}",
                str(score.rows),
                f"{score.taken_for} ({score.taken_for_rows})" if score.taken_for else "",
            ]
            for score in classes
        ],
    )
