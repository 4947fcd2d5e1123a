"""``glassnet predict``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.output import JsonOption, OverwriteOption, describe_measures, output_file, print_json

if TYPE_CHECKING:
    from glassnet.data.user_rows import UserRows
    from glassnet.nn.activations import Array
    from glassnet.training.metrics import Evaluation
    from glassnet.training.model import Model


def predict(
    run: Annotated[Path, typer.Argument(help="A run folder, or a model file.", metavar="RUN")],
    file: Annotated[
        Path,
        typer.Argument(
            help="Rows as those that were trained on: a table (CSV, TSV, Parquet, xlsx), NPY, NPZ, IDX, a picture "
            "or a folder of pictures.",
            metavar="FILE",
        ),
    ],
    proba: Annotated[
        bool, typer.Option("--proba", help="Add a column for the probability of each class.")
    ] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="Column of the table to repeat beside the answer; may be given again.", metavar="COLUMN"
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write to this file.", show_default="standard output")] = None,
    overwrite: OverwriteOption = False,
    formulas: Annotated[
        bool,
        typer.Option(
            "--formulas", help="Leave text alone that a spreadsheet takes for a formula, such as =A1 or @sum."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Predict every row of a file, as CSV: its class and the probability of that, or its numbers.

    The model file says how rows are read. Where the file holds the right answers too, a score is printed on stderr.

    \b
    Examples:
      glassnet predict runs/2026-11-23_101500_fashion-mnist_784-28-10 t10k-images-idx3-ubyte.gz
      glassnet predict runs/2026-11-23_101500_customers_9-32-2 new.csv --keep id --proba --out answers.csv
    """
    from glassnet.data.user_rows import read_user_rows
    from glassnet.errors import DataError, FileError, NonFiniteError
    from glassnet.runtime.files import write_bytes
    from glassnet.training.answers import tabulate_answers, to_csv
    from glassnet.training.model_file import load_model

    target = output_file(out, overwrite) if out else None
    model = load_model(run)
    rows = read_user_rows(file, model.schema)
    for remark in rows.remarks:
        typer.echo(f"glassnet: {file}: {remark}", err=True)
    try:
        X = model.encode_rows(rows.X)
        outputs = model.network.outputs(X)
        records = tabulate_answers(model, rows, outputs, keep=keep or [], proba=proba)
        found = None if rows.y is None else _score(model, rows, X)
    except (DataError, NonFiniteError) as error:
        raise FileError(file, str(error)) from None
    if as_json:
        print_json(_describe(file, model, records, found))
    if target:
        write_bytes(target, to_csv(records, formulas=formulas).encode())
    elif not as_json:
        typer.echo(to_csv(records, formulas=formulas), nl=False)
    if found is not None and not as_json:
        said = ", ".join(f"{name} {value}" for name, value in describe_measures(found))
        typer.echo(f"glassnet: {file}: {found.rows} rows with their answers: {said}", err=True)


def _score(model: Model, rows: UserRows, X: Array) -> Evaluation:
    """Measure the answers by those that the file holds."""
    from glassnet.data.splits import describe_split
    from glassnet.training.metrics import evaluate

    if model.schema is None:
        return evaluate(model, X, rows.y)
    targets = model.schema.target.encode(rows.y)
    return evaluate(model, describe_split(X, targets, model.schema, is_encoded=True))


def _describe(file: Path, model: Model, records: list[dict[str, Any]], found: Evaluation | None) -> dict[str, Any]:
    """Return what `predict --json` prints."""
    record: dict[str, Any] = {"file": str(file), "classes": list(model.classes), "predictions": records}
    if found is not None:
        record |= {"rows": found.rows, "loss": found.loss, "measures": found.measures}
    return record
