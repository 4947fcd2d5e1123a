"""``glassnet explain``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from glassnet.cli.language import LanguageOption, choose_words
from glassnet.cli.options import collect_changes, takes
from glassnet.cli.output import (
    DataDirOption,
    JsonOption,
    OverwriteOption,
    SplitName,
    describe_network,
    output_file,
    print_facts,
    print_json,
    say,
    say_remarks,
)
from glassnet.errors import UsageError

if TYPE_CHECKING:
    from glassnet.data.schema import Schema
    from glassnet.graph.computation_graph import ComputationGraph
    from glassnet.graph.gradient_agreement import GradientAgreement
    from glassnet.locales.catalogue import Words
    from glassnet.nn.activations import Array
    from glassnet.nn.network import Network
    from glassnet.training.model import Model


@takes(
    "network",
    layers=None,
    dtype=None,
    activation="sigmoid",
    output_activation="as the loss has it, else as before it",
    loss="half_squared_error for one output, else cross_entropy",
    bias_initializer="uniform(-0.5, 0.5)",
)
def explain(
    network: Annotated[
        str, typer.Argument(help="Units per layer, inputs first, as 3,2,1; or a run folder.", metavar="NETWORK")
    ],
    sample: Annotated[
        int, typer.Option(help="Row of a run's data to explain, counted from 1.", metavar="ROW")
    ] = 1,
    rows: Annotated[
        int | None,
        typer.Option(
            help="Rows in the batch; a run's begin at ROW.",
            metavar="N",
            show_default="1; with --batch-norm or --dropout 4",
        ),
    ] = None,
    split: Annotated[SplitName, typer.Option(help="Rows of a run that ROW counts in.")] = SplitName.TEST,
    inputs: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="Values of the sample itself; for a run also a file, such as a picture, in which ROW counts.",
            metavar="X0,X1,..",
            show_default="drawn; a run: ROW",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            help="Class of the sample, or its numbers.",
            metavar="Y",
            show_default="drawn; a run: that of ROW or FILE, else the network's own answer",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed that draws the weights and the sample.", metavar="N", show_default="0")
    ] = None,
    level: Annotated[
        str | None,
        typer.Option(
            help="Picture that is shown first: operations, neurons or matrices.",
            metavar="NAME",
            show_default="the most detailed that can be read",
        ),
    ] = None,
    neuron: Annotated[
        str | None,
        typer.Option(help="Neuron of a large network whose operations are shown.", metavar="LAYER:UNIT"),
    ] = None,
    path: Annotated[
        str | None,
        typer.Option(
            help="Path whose operations are shown: an input and a unit of each layer; or strongest.",
            metavar="U0,U1,..",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write: .html, or a picture: .svg, .pdf, .png.", show_default="explain-NETWORK.html"
        ),
    ] = None,
    overwrite: OverwriteOption = False,
    lang: LanguageOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
    **options: Any,
) -> None:
    """Explain backpropagation in a network, step by step.

    It writes a page about one sample, to be stepped through in any browser, offline. It has the computation
    graph forwards and then backwards, at each step the formula and this network's numbers, and the proof:
    delta recursion, graph and numerical derivative agree. Layers count from 1, units from 0. Several rows are
    a step of training, in which batch normalisation and dropout show what they do; one row is prediction.

    \b
    Examples:
      glassnet explain 3,2,1
      glassnet explain 2,3,2 --activation tanh --input 0.5,-1 --target 1
      glassnet explain 3,2,1 --batch-norm --dropout 0.5 --rows 3
      glassnet explain runs/2026-11-23_101500_fashion-mnist_784-256-128-10 --sample 17
      glassnet explain RUN --sample 17 --neuron 2:5 --out neuron.html
      glassnet explain RUN --input boot.png
      glassnet explain 3,2,1 --level neurons --out network.png
      glassnet explain 3,2,1 --lang zh
    """
    from glassnet.errors import DataError
    from glassnet.graph.computation_graph import ComputationGraph
    from glassnet.graph.gradient_agreement import check_gradients
    from glassnet.graph.page import explain as explain_page
    from glassnet.training.config import validate
    from glassnet.training.options import NetworkConfig

    words = choose_words(lang)
    given = collect_changes(options)["network"]
    checked = validate(NetworkConfig, given)
    network_options = {name: getattr(checked, name) for name in given} | ({} if seed is None else {"seed": seed})
    if re.fullmatch(r"\s*\d+(\s*,\s*\d+)*\s*", network):
        drawn = 4 if checked.batch_norm or checked.dropout else 1
        subject = _make_network(network, network_options, _batch(rows, inputs, drawn), inputs, target)
    else:
        batch = range(sample - 1, sample - 1 + _batch(rows, inputs, 1))
        subject = _open_run(Path(network), network_options, batch, split, data_dir, inputs, target, words)
    file = output_file(out or Path(f"explain-{subject.name}.html"), overwrite)
    if file.suffix.lower() not in (".html", ".svg", ".pdf", ".png"):
        raise UsageError("out", f"must end in .html, .svg, .pdf or .png, got {file.name!r}")
    net, X, y = subject.network, subject.X, subject.y
    view: dict[str, Any] = {"level": level, "neuron": _neuron(neuron), "path": _path(path)}
    view["language"] = words.language
    try:
        graph = ComputationGraph(net, X, y, **view)
        if file.suffix.lower() == ".html":
            page = explain_page(net, X, y, **view, **subject.shown)
            page.save(file)
            agreement = page.agreement
        else:
            graph.save(file)
            agreement = check_gradients(graph)
    except DataError as error:
        name, _, problem = str(error).partition(": ")
        raise UsageError("target" if name == "y" else "input", problem) from None
    record = {
        "file": str(file),
        "layers": list(net.layers),
        "level": graph.view.level,
        "nodes": len(graph.nodes),
        "loss": graph.loss,
        "graph_difference": agreement.graph_difference,
        "numerical_difference": agreement.numeric_difference,
    }
    if as_json:
        print_json(record)
        return
    _print_explained(file, graph, agreement, words)


def _print_explained(file: Path, graph: ComputationGraph, agreement: GradientAgreement, words: Words) -> None:
    """Print what was written, and how well the three ways to the gradient agree."""
    said = words.say
    print_facts(
        [
            (said("terminal.file"), said("terminal.file_size", file=file, size=file.stat().st_size / 1e3)),
            describe_network(graph.network, words),
            (said("terminal.shown_first"), said("terminal.shown", level=graph.view.level, n=len(graph.nodes))),
            (words.measure("loss"), f"{graph.loss:.6g}"),
            (said("explain.graph"), _agreement(agreement.graph_difference, words)),
            (said("explain.numerical"), _agreement(agreement.numeric_difference, words)),
        ]
    )


def _agreement(difference: float | None, words: Words) -> str:
    """Return how closely a gradient agrees with that of the delta recursion."""
    return words.say("terminal.agrees_up_to", by=difference) if difference else words.say("terminal.agrees")


class Subject(NamedTuple):
    """What is explained: network and sample, what its file is called, and how the page shows the sample."""

    network: Network
    X: Array
    y: Array
    name: str
    shown: dict[str, Any]


def _batch(rows: int | None, inputs: str | None, default: int) -> int:
    """Return how many rows are explained."""
    if rows is not None and rows < 1:
        raise UsageError("rows", f"must be a whole number > 0, got {rows}")
    if inputs is not None and rows not in (None, 1):
        raise UsageError("rows", "--input is one row; leave one of the two out")
    return 1 if inputs is not None else rows or default


def _make_network(layers: str, options: dict[str, Any], n: int, inputs: str | None, target: str | None) -> Subject:
    """Return a network of these layers, and the rows that are given or drawn."""
    from glassnet.graph.computation_graph import refuse_too_large
    from glassnet.graph.example_network import example_network, example_sample

    sizes = [int(size) for size in layers.split(",")]
    refuse_too_large(sizes)
    try:
        network = example_network(sizes, **options)
    except UsageError as error:
        raise (UsageError("network", error.problem) if error.name == "layers" else error) from None
    X, y = example_sample(network, options.get("seed", 0), n)
    X = X if inputs is None else _numbers("input", inputs)
    y = y if target is None else _target(network, target)
    if len(y) != n:
        raise UsageError("target", f"is of one row, and there are {n}; add --rows 1, or leave it out")
    return Subject(network, X, y, "-".join(map(str, sizes)), {})


def _open_run(
    run: Path,
    options: dict[str, Any],
    batch: range,
    split: SplitName,
    data_dir: Path | None,
    inputs: str | None,
    target: str | None,
    words: Words,
) -> Subject:
    """Return a run's network, and rows of its data or the sample that is given."""
    from glassnet.training.model_file import load_model
    from glassnet.training.run import open_run
    from glassnet.training.run_folder import RunFolder

    if not run.exists():
        raise UsageError("network", f"{str(run)!r} is neither layers, as in 3,2,1, nor a run folder")
    for name in options:
        raise UsageError(name, "goes with layers; a run has its own")
    if inputs is None and target is not None:
        raise UsageError("input", "goes with --target: give both, or neither")
    if inputs is not None:
        subject = _read_sample(load_model(run), run.resolve().stem, inputs, target, batch.start, words)
        folder = RunFolder(run if run.is_dir() else run.parent)
        return subject._replace(shown={**subject.shown, "snapshots": folder.snapshots(subject.network)})
    network, folder, data = open_run(run, data_dir)
    given = split.rows_of(data)
    rows = given.encode()
    if not 0 <= batch.start < len(rows.y):
        raise UsageError("sample", f"must be a row of the {split.value} split, 1 to {len(rows.y)}")
    if batch.stop > len(rows.y):
        raise UsageError(
            "rows", f"from row {batch.start + 1} the {split.value} split has {len(rows.y) - batch.start}"
        )
    picture = None if data.image_shape is None else given.X[batch.start].reshape(data.image_shape)
    sample = words.say("explain.sample_of", row=batch.start + 1, name=data.name, split=split.value)
    shown = {"sample_name": sample, "picture": picture, "schema": data.schema}
    shown["snapshots"] = folder.snapshots(network)
    shown["record"] = _list_columns(data.schema, given.X, batch.start)
    name = f"{folder.path.resolve().name}-{split.value}-{batch.start + 1}"
    return Subject(network, rows.X[batch.start : batch.stop], rows.y[batch.start : batch.stop], name, shown)


def _read_sample(model: Model, name: str, inputs: str, target: str | None, row: int, words: Words) -> Subject:
    """Return a row of a file, or numbers, with the answer of --target, of the file, or else the model's own.

    All of them are as the user has them; the model's schema makes the network's numbers of them.
    """
    from glassnet.data.array_schema import ArraySchema
    from glassnet.data.user_rows import UserRows, read_user_rows
    from glassnet.errors import DataError, FileError
    from glassnet.nn.targets import decode

    file = Path(inputs)
    found = read_user_rows(file, model.schema) if file.exists() else UserRows(file, _numbers("input", inputs))
    schema, picture = model.schema, None
    try:
        if schema is None:
            X, remarks = model.encode_rows(found.X), found.remarks
        else:
            X, said = schema.input.encode(schema.take_rows(found.X))
            remarks = (*found.remarks, *said)
    except DataError as error:
        raise (FileError(file, str(error)) if file.exists() else UsageError("input", str(error))) from None
    if not 0 <= row < len(X):
        raise UsageError("sample", f"must be a row of {inputs}, 1 to {len(X)}")
    say_remarks(file if file.exists() else "--input", remarks)
    X = X[row : row + 1]
    if schema is not None and isinstance(schema.input, ArraySchema) and schema.input.image_shape is not None:
        picture = schema.input.take(found.X)[0][row].reshape(schema.input.image_shape)
    if target is not None:
        y = _target(model.network, target) if schema is None else _encode_target(schema, target)
    elif found.y is not None and schema is not None:
        y = schema.target.encode(found.y)[row : row + 1]
    else:
        y = decode(model.network.outputs(X), model.network.n_classes)
        say("no answer is given, so that the loss is that of the network's own")
    sample_name = words.say("explain.sample_row", row=row + 1, name=file.name) if file.exists() else ""
    shown: dict[str, Any] = {"sample_name": found.names[row] if found.names else sample_name, "picture": picture}
    if schema is not None:
        shown |= {"schema": schema, "record": _list_columns(schema, found.X, row)}
    return Subject(model.network, X, y, name, shown)


def _list_columns(schema: Schema, X: Any, row: int) -> dict[str, str]:
    """Return what stands in the columns of a row of a table that the network looks at; nothing of other rows."""
    from glassnet.data.columns import TableSchema

    if not isinstance(schema.input, TableSchema):
        return {}
    values = schema.take_rows(X).row(row, named=True)
    return {column.name: str(values[column.name]) for column in schema.input.columns}


def _encode_target(schema: Schema, text: str) -> Array:
    """Return the answer that is given, a class as the user writes it or numbers, as the network takes it."""
    from glassnet.errors import DataError

    values = [text] if schema.target.n_classes else _numbers("target", text)
    try:
        return schema.target.encode(values)
    except DataError as error:
        raise UsageError("target", str(error)) from None


def _numbers(name: str, text: str) -> Array:
    import numpy as np

    try:
        return np.array([[float(number) for number in text.split(",")]])
    except ValueError:
        raise UsageError(name, f"must be numbers with commas between them, as in 0.5,-1, got {text!r}") from None


def _target(network: Network, text: str) -> Array:
    """Return a class number where the network has classes, else numbers."""
    numbers = _numbers("target", text)
    if network.n_classes is None or numbers.size > 1:
        return numbers
    if not numbers[0, 0].is_integer():
        raise UsageError("target", f"must be a class, 0 to {network.n_classes - 1}, got {text}")
    return numbers[0].astype(int)


def _neuron(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    if not re.fullmatch(r"\d+:\d+", text):
        raise UsageError("neuron", f"must be a layer and a unit, as in 2:5, got {text!r}")
    layer, unit = text.split(":")
    return int(layer), int(unit)


def _path(text: str | None) -> tuple[int, ...] | None:
    if text is None or text == "strongest":
        return None if text is None else ()
    if not re.fullmatch(r"\d+(,\d+)*", text):
        raise UsageError("path", f"must be units, as in 300,17,4, or strongest, got {text!r}")
    return tuple(int(unit) for unit in text.split(","))
