"""``glassnet data``: look at data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from glassnet.cli.options import ConfiguredCommand, collect_changes, takes
from glassnet.cli.output import (
    DataDirOption,
    JsonOption,
    OverwriteOption,
    help_without_command,
    name_flags,
    output_file,
    print_facts,
    print_json,
    print_remarks,
    print_table,
    say_stopped,
)
from glassnet.runtime.terminal import print_lines

data_app = typer.Typer()

#: The most examples that are printed, and the most lines of classes.
MOST_PRINTED, MOST_CLASSES = 10, 100


@data_app.callback(invoke_without_command=True)
def data(context: typer.Context) -> None:
    """Look at data sets."""
    help_without_command(context)


NameArgument = Annotated[str, typer.Argument(help="A name from glassnet data list.", metavar="DATASET")]
DatasetArgument = Annotated[
    str, typer.Argument(help="A name from glassnet data list, or a file or folder of your own.", metavar="DATASET")
]


@data_app.command("list")
def list_datasets(data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """List the data sets that are known by name, and where they are.

    \b
    Examples:
      glassnet data list
      glassnet data list --json
    """
    from glassnet.data.registry import DATASETS, find_folders

    places = find_folders(data_dir)
    if as_json:
        print_json(
            {
                name: {
                    "title": entry.title,
                    "task": entry.task,
                    "targets": entry.targets,
                    "licence": entry.licence,
                    "source": None if entry.source is None else entry.source.url,
                    "files": None if entry.source is None else entry.source.files,
                    "where": places[name],
                }
                for name, entry in DATASETS.items()
            }
        )
        return
    rows = [
        [name, str(entry.targets), entry.task, entry.licence, "yes" if places[name] else "no", entry.title]
        for name, entry in DATASETS.items()
    ]
    print_table(["name", "targets", "task", "licence", "here", "what"], rows, text=(0, 2, 3, 4, 5))


@data_app.command(cls=ConfiguredCommand)
def fetch(dataset: NameArgument, data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Download a data set into the user's cache.

    One that is here is left as it is, and a download that was cut short goes on.

    \b
    Examples:
      glassnet data fetch fashion-mnist
      glassnet data fetch pathmnist
    """
    from glassnet.data.registry import find

    source = find(dataset).source
    try:
        files = [] if source is None else [str(path) for path in source.locate(data_dir).values()]
    except KeyboardInterrupt as stop:
        raise say_stopped(stop, "; what has arrived is kept, and the same command goes on") from None
    if as_json:
        print_json({"dataset": dataset, "files": files})
        return
    nothing = [(dataset, "comes with scikit-learn; there is nothing to fetch")]
    print_facts([("file", file) for file in files] or nothing)


@data_app.command(cls=ConfiguredCommand)
@takes("data", dataset=None, validation=None, split_seed=None, scaling=None, pieces=None)
def audit(
    dataset: DatasetArgument,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
    **options: Any,
) -> None:
    """Say what deserves a look in a data set before training.

    It looks at the data as they are, and finds equal rows and rows that contradict each other, classes that
    shift or are rare, missing and far values, constant columns, columns that alone tell the target, and
    columns that may only name the rows.

    \b
    Examples:
      glassnet data audit breastmnist
      glassnet data audit fashion-mnist --json
      glassnet data audit houses.csv --target price
    """
    from glassnet.data.audit import audit_source

    found = audit_source(dataset, data_dir, **collect_changes(options)["data"])
    if as_json:
        print_json(found.to_dict())
        return
    print_facts(
        [
            ("data", dataset),
            ("columns", str(found.columns)),
            *((f"{name} rows", f"{rows:,}") for name, rows in found.rows.items()),
            *((file, f"md5 {checksum}") for file, checksum in list(found.checksums.items())[:MOST_PRINTED]),
            *(
                (f"{name} numbers", f"{low:.4g} to {high:.4g}, mean {mean:.4g}, std {std:.4g}")
                for name, (low, high, mean, std) in found.scale.items()
            ),
            *(("reading", name_flags(remark)) for remark in found.reading),
            *(("remark", remark) for remark in found.remarks or ["none: nothing odd was found"]),
        ]
    )
    _print_counts("class", found.class_rows, found.rows, most=MOST_CLASSES)
    lacking = sorted(found.missing_columns.items(), key=lambda item: -sum(item[1].values()))
    _print_counts("missing in", dict(lacking), found.rows, most=MOST_PRINTED)


def _print_counts(title: str, counts: dict[str, dict[str, int]], of: dict[str, int], *, most: int) -> None:
    """Print how many rows of each split there are, by class or column, and their share."""
    if not counts:
        return
    print_lines()
    rows = [
        [name, *(f"{count} ({count / of[split]:.1%})" for split, count in line.items())]
        for name, line in list(counts.items())[:most]
    ]
    print_table([title, *of], rows)
    if len(counts) > most:
        print_lines(f"and {len(counts) - most:,} more")


@data_app.command(cls=ConfiguredCommand)
@takes("target", "task", "size", "grey", "x_key", "y_key")
def show(
    dataset: DatasetArgument,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write the picture to: .pdf, .svg, .png.", show_default="DATASET.png"),
    ] = None,
    per_class: Annotated[int, typer.Option(help="Pictures of each class.", metavar="N")] = 10,
    overwrite: OverwriteOption = False,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
    **options: Any,
) -> None:
    """Draw the first pictures of every class, and count the rows.

    The picture is a PNG, with a row of training images for each class.

    \b
    Examples:
      glassnet data show fashion-mnist
      glassnet data show digits --per-class 20 --out digits-20.png
      glassnet data show leaves --size 32
    """
    import numpy as np

    from glassnet.charts.painting import file_format, save_figure
    from glassnet.data.registry import DATASETS, load_dataset
    from glassnet.data.table import is_table
    from glassnet.errors import FileError
    from glassnet.report.sample_grid import sample_grid

    if dataset not in DATASETS and is_table(dataset):
        raise FileError(dataset, "holds no images with classes that could be shown")
    path = out or Path(f"{dataset}.png")
    target = output_file(path, overwrite)
    file_format(target)
    loaded = load_dataset(dataset, data_dir, **collect_changes(options)["data"])
    save_figure(sample_grid(loaded, per_class), target)
    print_remarks(loaded)
    splits = loaded.splits
    counts = {
        name: np.bincount(split.encode().y, minlength=loaded.n_classes or 0).tolist()
        for name, split in splits.items()
    }
    if as_json:
        classes = list(loaded.class_names or ())
        print_json({"dataset": dataset, "picture": str(path), "classes": classes, "rows": counts})
        return
    print_facts(
        [
            ("data", dataset),
            ("columns", f"{loaded.n_inputs}, {loaded.train.X.dtype}"),
            ("picture", str(path)),
        ]
    )
    print_lines()
    rows = [
        [name, *(str(counts[split][label]) for split in splits)]
        for label, name in enumerate(loaded.class_names or ())
    ]
    rows.append(["all", *(str(len(split.y)) for split in splits.values())])
    print_table(["class", *splits], rows)
