"""``glassnet predict``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.output import (
    EncodingOption,
    JsonOption,
    OverwriteOption,
    describe_measures,
    output_file,
    print_json,
    say,
    say_remarks,
)
from glassnet.locales.catalogue import Words
from glassnet.runtime.terminal import print_exactly

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
        bool, typer.Option("--proba", help="Add a column for the probability of each class, in their order.")
    ] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="Column of the table to repeat beside the answer; several with commas, or the option again.",
            metavar="COLUMN",
        ),
    ] = None,
    encoding: EncodingOption = None,
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
    """Predict every row of a file, as CSV.

    The answer of a row is its class and the probability of that, or its numbers. First comes the row, counted
    from 1, or the picture's file; then the columns to keep, the answer, and with --proba a column for each
    class, in the order of training (sorted, or as the data set names them). The model file says how rows are
    read. Where the file holds the right answers too, a score is printed on stderr.

    CSV is UTF-8 in files and pipes. Text that a spreadsheet would take for a formula gets an apostrophe before it.

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
    rows = read_user_rows(file, model.schema, encoding)
    try:
        X, remarks = (model.encode_rows(rows.X), ()) if model.schema is None else model.schema.input.encode(rows.X)
        outputs = model.network.outputs(X)
        records = tabulate_answers(model, rows, outputs, keep=_choose_kept(keep or [], rows), proba=proba)
    except (DataError, NonFiniteError) as error:
        raise FileError(file, str(error)) from None
    found, unscored = _score(model, rows, X)
    remarks = tuple(dict.fromkeys((*rows.remarks, *remarks, *unscored)))
    text = to_csv(records, formulas=formulas)
    if not formulas and (target or not as_json):
        remarks += _remark_on_formulas(records)
    if target:
        write_bytes(target, text.encode("utf-8", "backslashreplace"))
    say_remarks(file, remarks)
    if as_json:
        print_json(_describe(file, model, records, found) | {"remarks": list(remarks)})
        return
    if not target:
        print_exactly(text)
    if found is not None:
        measured = describe_measures(found, Words("en")) or [("loss", f"{found.loss:.4f}")]
        score = ", ".join(f"{name} {value}" for name, value in measured)
        say(f"{file}: scored by the answers that the file holds, {found.rows:,} rows: {score}")


def _choose_kept(given: Sequence[str], rows: UserRows) -> list[str]:
    """Return the columns to keep, where one option may name several with commas between."""
    from glassnet.cli.options import split_names

    there = [] if rows.table is None else rows.table.columns
    return [name for text in given for name in ([text] if text in there else split_names(text))]


def _remark_on_formulas(records: list[dict[str, Any]]) -> tuple[str, ...]:
    """Say how many cells of the CSV are not as they were found."""
    from glassnet.training.answers import list_formulas

    found = list_formulas(records)
    if not found:
        return ()
    return (
        f"{len(found):,} of the cells would be a formula in a spreadsheet, such as {found[0]!r:.40}: an "
        "apostrophe stands before it in the CSV; --formulas leaves all as they are",
    )


def _score(model: Model, rows: UserRows, X: Array) -> tuple[Evaluation | None, list[str]]:
    """Measure the answers by those that the file holds; say why, where the network cannot be measured."""
    from glassnet.data.splits import Split, describe_split
    from glassnet.errors import DataError, NonFiniteError
    from glassnet.training.metrics import evaluate

    if rows.y is None:
        return None, []
    try:
        if model.schema is None:
            return evaluate(model, Split(X, rows.y)), []
        targets = model.schema.target.encode(rows.y)
        return evaluate(model, describe_split(X, targets, model.schema, is_encoded=True)), []
    except (DataError, NonFiniteError) as error:
        return None, [f"answers are not scored: {error}"]


def _describe(file: Path, model: Model, records: list[dict[str, Any]], found: Evaluation | None) -> dict[str, Any]:
    """Return what `predict --json` prints."""
    from glassnet.training.answers import words_for

    record: dict[str, Any] = {"file": str(file), "classes": words_for(model), "predictions": records}
    if found is not None:
        record |= {"rows": found.rows, "loss": found.loss, "measures": found.measures}
    return record
