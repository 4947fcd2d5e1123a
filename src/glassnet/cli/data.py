"""``glassnet data``: look at data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glassnet.cli.output import (
    DataDirOption,
    JsonOption,
    OverwriteOption,
    help_without_command,
    output_file,
    print_facts,
    print_json,
    print_table,
)

data_app = typer.Typer()


@data_app.callback(invoke_without_command=True)
def data(context: typer.Context) -> None:
    """Look at data sets."""
    help_without_command(context)


@data_app.command()
def show(
    dataset: Annotated[str, typer.Argument(help="fashion-mnist or digits.", metavar="DATASET")],
    out: Annotated[Path | None, typer.Option(help="The picture's file.", show_default="DATASET.png")] = None,
    per_class: Annotated[int, typer.Option(help="Pictures of each class.")] = 10,
    overwrite: OverwriteOption = False,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw the first images of every class into a PNG, and count the rows.

    \b
    Examples:
      glassnet data show fashion-mnist
      glassnet data show digits --per-class 20 --out digits-20.png
    """
    import numpy as np

    from glassnet.data.registry import load_dataset
    from glassnet.report.pictures import sample_grid, save_png

    path = out or Path(f"{dataset}.png")
    target = output_file(path, overwrite)
    loaded = load_dataset(dataset, data_dir)
    save_png(sample_grid(loaded, per_class), target)
    splits = {"train": loaded.train, "validation": loaded.validation, "test": loaded.test}
    counts = {
        name: np.bincount(split.y, minlength=loaded.n_classes or 0).tolist() for name, split in splits.items()
    }
    if as_json:
        classes = list(loaded.class_names or ())
        print_json({"dataset": dataset, "picture": str(path), "classes": classes, "rows": counts})
        return
    print_facts(
        [
            ("data", dataset),
            ("columns", f"{loaded.train.X[0].size}, {loaded.train.X.dtype}"),
            ("picture", str(path)),
        ]
    )
    typer.echo()
    rows = [
        [name, *(str(counts[split][label]) for split in splits)]
        for label, name in enumerate(loaded.class_names or ())
    ]
    rows.append(["all", *(str(len(split.y)) for split in splits.values())])
    print_table(["class", *splits], rows)
