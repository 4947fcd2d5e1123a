"""``glassnet predict``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glassnet.cli.output import JsonOption, OverwriteOption, output_file, print_json

if TYPE_CHECKING:
    from glassnet.data.columns import TableEncoder
    from glassnet.nn.activations import Array
    from glassnet.nn.network import Network
    from glassnet.training.run_folder import RunFolder


def predict(
    run: Annotated[Path, typer.Argument(help="A run folder, or a model file.", metavar="RUN")],
    file: Annotated[
        Path, typer.Argument(help="Rows or images: IDX (gzipped or raw), NPY; or a table.", metavar="FILE")
    ],
    out: Annotated[Path | None, typer.Option(help="Write to this file.", show_default="standard output")] = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Predict a class for every row of a file, as CSV: row, label, class name, probability.

    A network without classes gives its outputs instead.

    \b
    Examples:
      glassnet predict runs/2026-11-23_101500_fashion-mnist_784-28-10 t10k-images-idx3-ubyte.gz
      glassnet predict runs/2026-11-23_101500_digits_64-32-10 digits.npy --out answers.csv
    """
    from glassnet.data.user_data import TABLES
    from glassnet.errors import DataError, FileError, NonFiniteError
    from glassnet.runtime.files import write_bytes
    from glassnet.training.metrics import tabulate_predictions, to_csv
    from glassnet.training.model_file import load_model
    from glassnet.training.run_folder import COLUMNS_FILE, RunFolder

    target = output_file(out, overwrite) if out else None
    network = load_model(run)
    folder = RunFolder(run if run.is_dir() else run.parent)
    encoder = folder.encoder() if file.name.endswith(TABLES) else None
    if encoder is None and file.name.endswith(TABLES):
        raise FileError(
            file, f"is a table, and {folder.path / COLUMNS_FILE}, by which it would be read, is missing"
        )
    try:
        rows = _read_array(file, folder, network) if encoder is None else _read_table(file, encoder)
        table = tabulate_predictions(network, rows, encoder)
    except (DataError, NonFiniteError) as error:
        raise FileError(file, str(error)) from None
    if as_json:
        print_json({"file": str(file), "predictions": table})
    if target:
        write_bytes(target, to_csv(table).encode())
    elif not as_json:
        typer.echo(to_csv(table), nl=False)


def _read_array(file: Path, folder: RunFolder, network: Network) -> Array:
    """Read rows or images, and scale them as those were that the run learned from."""
    from glassnet.data.numpy_files import read_rows

    rows, scaling = read_rows(file), folder.standardisation()
    return rows if scaling is None else scaling.apply(network.check_input(rows))


def _read_table(file: Path, encoder: TableEncoder) -> Array:
    """Read a table's rows as numbers, and say on stderr what training did not see."""
    from glassnet.data.table import read_table

    rows, remarks = encoder.transform(read_table(file))
    for remark in remarks:
        typer.echo(f"glassnet: {file}: {remark}", err=True)
    return rows
