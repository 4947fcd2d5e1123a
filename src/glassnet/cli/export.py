"""``glassnet export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glassnet.cli.output import DataDirOption, JsonOption, OverwriteOption, output_file, print_facts, print_json

if TYPE_CHECKING:
    from glassnet.data.splits import Split
    from glassnet.export.writing import Export


def export(
    run: Annotated[Path, typer.Argument(help="A run folder, or a model file.", metavar="RUN")],
    to: Annotated[
        str | None,
        typer.Option(
            help="What to write it for: python, js, onnx or c.",
            metavar="FORMAT",
            show_default="as the file is called",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write.", show_default="model, with the ending that --to calls for")
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Of c: compute in bytes, with the ranges of training rows.")
    ] = False,
    data_dir: DataDirOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a model as a program that needs no glassnet.

    python is one file for a bare interpreter, js one module for node and browsers, onnx a file for ONNX Runtime,
    c one header of C99. Rows go in as you have them, and answers come out in your words: scaling, categories,
    missing values and classes are part of the file. Before it is written, it answers random rows, and the largest
    difference from the network is printed.

    \b
    Examples:
      glassnet export runs/2026-11-23_101500_digits_64-32-10 --to python
      glassnet export runs/2026-11-23_101500_customers_9-32-2 --out customers.js
      glassnet export model.safetensors --to onnx --json
      glassnet export runs/2026-11-23_101500_digits_64-32-10 --out digits.h --int8
    """
    from glassnet.export.writing import TARGETS, choose_target
    from glassnet.training.model_file import load_model

    name = choose_target(out or Path(), to)
    path = output_file(out or Path(f"model{TARGETS[name].suffixes[0]}"), overwrite)
    calibration = _take_training_rows(run, data_dir) if int8 else None
    found = load_model(run).export(path, name, int8=int8, calibration=calibration)
    if as_json:
        print_json({**vars(found), "path": str(found.path)})
    else:
        print_facts(_describe(found))


def _describe(found: Export) -> list[tuple[str, str]]:
    """Return what is printed of an export."""
    facts = [
        ("file", str(found.path)),
        ("size", f"{found.size:,} bytes, {found.parameters:,} parameters"),
        ("one row", f"{found.multiply_adds:,} multiply-adds"),
    ]
    if found.weight_bytes is not None:
        scratch = f"{found.scratch_bytes:,} bytes on the stack"
        facts.append(("memory", f"{found.weight_bytes:,} bytes of weights, {scratch}"))
    if found.ranges:
        facts.append(("int8", f"ranges measured on {found.ranges}"))
    if found.difference is None:
        return [*facts, ("checked", f"not: {found.unchecked}")]
    same = "" if found.same is None else f", {found.same:.1%} of the answers equal"
    rows = found.ranges or f"{found.rows} random rows"
    return [*facts, ("checked", f"on {rows}: largest difference {found.difference:.1e}{same}")]


def _take_training_rows(run: Path, data_dir: Path | None) -> Split | None:
    """Return the training rows of a run; of a model file alone none."""
    from glassnet.training.run import open_run

    return open_run(run, data_dir)[2].train if run.is_dir() else None
