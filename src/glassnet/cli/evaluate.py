"""``glassnet evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glassnet.cli.output import (
    DataDirOption,
    JsonOption,
    SplitName,
    network_fact,
    print_facts,
    print_json,
    print_table,
)


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder.", metavar="RUN")],
    split: Annotated[SplitName, typer.Option(help="The rows to evaluate on.")] = SplitName.TEST,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a trained network on rows of the data it was made for: loss, accuracy, and each class.

    \b
    Examples:
      glassnet evaluate runs/2026-11-23_101500_digits_64-32-10
      glassnet evaluate runs/2026-11-23_101500_digits_64-32-10 --split validation --json
    """
    from glassnet.training.metrics import class_scores
    from glassnet.training.metrics import evaluate as measure
    from glassnet.training.run import open_run

    network, folder, data = open_run(run, data_dir)
    config, epochs = folder.config(), len(folder.history())
    rows = split.rows_of(data)
    metrics = measure(network, rows)
    classes = class_scores(network, rows) if network.class_names else []
    if as_json:
        print_json(
            {
                "run": str(run),
                "dataset": data.name,
                "split": split.value,
                "rows": metrics.rows,
                "loss": metrics.loss,
                "accuracy": metrics.accuracy,
                "epochs": epochs,
                "epochs_planned": config.training.epochs,
                "classes": [score._asdict() for score in classes],
            }
        )
        return
    cut = "" if epochs == config.training.epochs else f" of {config.training.epochs}: the run was cut short"
    facts = [
        ("data", f"{data.name}: {metrics.rows:,} {split.value} rows"),
        network_fact(network),
        ("epochs", f"{epochs}{cut}"),
        ("loss", f"{metrics.loss:.4f}"),
    ]
    if metrics.accuracy is not None:
        facts.append(("accuracy", f"{metrics.accuracy:.4f}"))
    print_facts(facts)
    if classes:
        typer.echo()
        print_table(
            ["class", "precision", "recall", "F1", "rows", "most often taken for"],
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
