"""``glassnet train``."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.output import (
    MEASURES,
    DataDirOption,
    ImputeOption,
    JsonOption,
    TargetOption,
    measures_facts,
    network_fact,
    print_facts,
    print_json,
    print_table,
    published_table,
    tell_remarks,
)
from glassnet.errors import UsageError

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset
    from glassnet.training.config import RunConfig
    from glassnet.training.loop import Run


def train(
    dataset: Annotated[
        str | None,
        typer.Argument(
            help="A name from glassnet data list; a table (CSV, TSV, Parquet), NPZ, NPY, or folder of images.",
            metavar="DATASET",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file to start from, for example a run's config.toml; other options change it."),
    ] = None,
    target: TargetOption = None,
    impute: ImputeOption = None,
    layers: Annotated[
        str | None,
        typer.Option(help="Units per layer, inputs first.", metavar="D0,D1,..", show_default="D0,256,128,outputs"),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            help="Of the hidden layers: one name, or one a layer. identity, sigmoid, tanh, relu, relu3, "
            "leaky_relu, elu, gelu, silu or softplus.",
            metavar="NAME,..",
            show_default="relu",
        ),
    ] = None,
    output_activation: Annotated[
        str | None, typer.Option(help="Of the last layer.", metavar="NAME", show_default="as the loss has it")
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help="cross_entropy, binary_cross_entropy, half_squared_error, absolute_error or huber; "
            'with options: "huber(2)", "half_squared_error(sum)".',
            metavar="NAME",
            show_default="the one that suits the data",
        ),
    ] = None,
    output_scale: Annotated[float | None, typer.Option(help="Factor k on the output.", show_default="1")] = None,
    initializer: Annotated[
        str | None,
        typer.Option(
            help="Of the weights: glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, "
            'lecun_normal, orthogonal, zeros, "uniform(-1, 1)", "normal(0, 0.1)".',
            metavar="NAME",
            show_default="glorot_uniform",
        ),
    ] = None,
    bias_initializer: Annotated[
        str | None, typer.Option(help="Of the biases.", metavar="NAME", show_default="zeros")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="float32 or float64.", metavar="NAME", show_default="float32")
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            help="gd (all rows in one step an epoch), sgd, momentum, nesterov, adagrad, rmsprop, adam or adamw; "
            'with options: "momentum(0.05, momentum=0.8)".',
            metavar="NAME",
            show_default="adam",
        ),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Of the optimizer.", show_default="the optimizer's own")
    ] = None,
    update_scale: Annotated[float | None, typer.Option(help="Factor m on every step.", show_default="1")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training rows.", show_default="10")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows of a step.", show_default="128; gd: all")] = None,
    samples_per_epoch: Annotated[
        str | None,
        typer.Option(help="Rows an epoch takes: a number, or a share as in 0.1.", metavar="N", show_default="all"),
    ] = None,
    sampling: Annotated[
        str | None,
        typer.Option(
            help="fresh: drawn from all rows in every epoch; first: always the first rows.",
            metavar="NAME",
            show_default="fresh",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Decides the first weights and the order of the rows.", show_default="0")
    ] = None,
    seeds: Annotated[
        int, typer.Option(help="Train so many networks, with this seed and the next ones.", metavar="N", min=1)
    ] = 1,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show the published figures of the data set (MedMNIST) beside it.")
    ] = False,
    validation: Annotated[
        str | None,
        typer.Option(
            help="Training rows set aside: a share or a number; 0: none.",
            metavar="N",
            show_default="the data's own, or 1/12",
        ),
    ] = None,
    split_seed: Annotated[int | None, typer.Option(help="Draws the validation rows.", show_default="0")] = None,
    kernels: Annotated[
        str | None,
        typer.Option(
            help="numpy: the formulas as they stand; numba: compiled; auto: compiled where that pays.",
            metavar="NAME",
            show_default="auto",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            help="Threads for all of the run.", metavar="N", show_default="measured, and corrected when busy"
        ),
    ] = None,
    data_dir: DataDirOption = None,
    run_dir: Annotated[
        Path | None,
        typer.Option(help="New folder to save the run in.", show_default="runs/DATE_TIME_DATASET_LAYERS"),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a network, save the run in a folder, and say how well it does on the test rows.

    \b
    Examples:
      glassnet train fashion-mnist
      glassnet train fashion-mnist --layers 784,28,10 --activation tanh --optimizer "sgd(0.5)"
      glassnet train digits --epochs 30 --seed 7 --json
      glassnet train houses.csv --target price --impute median
      glassnet train breastmnist --epochs 30 --seeds 5 --compare
      glassnet train --config runs/2026-11-23_101500_digits_64-32-10/config.toml --seed 1
    """
    from glassnet.data.registry import published
    from glassnet.training.config import configure
    from glassnet.training.run import load_data

    changes = {
        "seed": seed,
        "data": {
            "dataset": dataset,
            "validation": _number("validation", validation),
            "split_seed": split_seed,
            "target": target,
            "impute": impute,
        },
        "network": {
            "layers": _split(layers),
            "activation": _split(activation) if activation and "," in activation else activation,
            "output_activation": output_activation,
            "loss": loss,
            "output_scale": output_scale,
            "initializer": initializer,
            "bias_initializer": bias_initializer,
            "dtype": dtype,
        },
        "training": {
            "optimizer": optimizer,
            "epochs": epochs,
            "batch_size": batch_size,
            "samples_per_epoch": _number("samples_per_epoch", samples_per_epoch),
            "sampling": sampling,
            "kernels": kernels,
            "threads": threads,
        },
    }
    chosen = _with_steps(configure(changes, config), learning_rate, update_scale)
    options: dict[str, Any] = {"run_dir": run_dir, "progress": not quiet, "as_json": as_json}
    figures = published(chosen.data.dataset) if compare else {}
    if seeds == 1:
        train_and_tell(chosen, data_dir=data_dir, figures=figures, **options)
    else:
        train_seeds(chosen, seeds, load_data(chosen, data_dir), figures=figures, **options)


def _number(name: str, text: str | None) -> int | float | None:
    """Tell a number of rows, ``5``, from a share of them, ``0.5`` or ``1.0``."""
    if text is None:
        return None
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        raise UsageError(name, f"must be a number of rows, or a share such as 0.1, got {text!r}") from None


def _split(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",")]


def _with_steps(config: RunConfig, learning_rate: float | None, update_scale: float | None) -> RunConfig:
    """Put the two options that every optimizer has into the optimizer's specification."""
    from glassnet.nn.optimizers import OPTIMIZERS

    given = {"learning_rate": learning_rate, "update_scale": update_scale}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    optimizer = replace(OPTIMIZERS.resolve(config.training.optimizer), **options)
    training = config.training.model_copy(update={"optimizer": optimizer.spec})
    return config.model_copy(update={"training": training})


def train_and_tell(
    config: RunConfig,
    *,
    data: Dataset | None = None,
    data_dir: Path | None = None,
    run_dir: Path | None = None,
    progress: bool = True,
    as_json: bool = False,
    figures: dict[str, dict[str, float]] | None = None,
) -> Run:
    """Train as a configuration says, and print what came of it, with published figures beside it.

    Raises
    ------
    typer.Exit
        With 130 or 143 after Ctrl-C or SIGTERM; what was learned is saved and said.
    """
    from glassnet.training.run import layers_for, load_data
    from glassnet.training.run_folder import default_folder

    if data is None:
        data = load_data(config, data_dir)
    tell_remarks(data)
    layers = layers_for(config, data)
    with contextlib.nullcontext(run_dir) if run_dir else default_folder(data.name, layers) as folder:
        finished = _trained(config, data, folder, progress)
    _tell(finished, data, as_json, figures or {})
    return finished


def _trained(config: RunConfig, data: Dataset, folder: Path, progress: bool) -> Run:
    """Train into a folder; what Ctrl-C or SIGTERM leaves is said."""
    from glassnet.training.loop import Interrupted
    from glassnet.training.run import run

    try:
        return run(config, data, run_dir=folder, progress=progress)
    except Interrupted as stop:
        typer.echo(f"glassnet: {stop}; look at it with: glassnet evaluate {folder}", err=True)
        raise typer.Exit(128 + stop.signal) from None


def train_seeds(
    config: RunConfig,
    seeds: int,
    data: Dataset,
    *,
    run_dir: Path | None,
    progress: bool,
    as_json: bool,
    figures: dict[str, dict[str, float]],
) -> None:
    """Train networks that differ in their seed, a run folder each, and print mean and spread of their measures."""
    from dataclasses import asdict

    from glassnet.training.assessment import assess, spreads
    from glassnet.training.run import layers_for
    from glassnet.training.run_folder import default_folder, new_folder

    tell_remarks(data)
    layers = layers_for(config, data)
    runs = []
    with new_folder(run_dir) if run_dir else default_folder(data.name, layers) as folder:
        for seed in range(config.seed, config.seed + seeds):
            network = config.network.model_copy(update={"seed": None})
            one = config.model_copy(update={"seed": seed, "network": network, "start": None})
            runs.append(_trained(one, data, folder / f"seed-{seed}", progress))
    found = [assess(run.network, data.test, data.task, data.encoder) for run in runs]
    spread = spreads(found)
    if as_json:
        record = {"run_dir": str(folder), "dataset": data.name, "layers": layers, "published": figures}
        record["runs"] = [
            {"seed": run.config.seed, "run_dir": str(run.folder), "test_loss": one.loss, "measures": one.measures}
            for run, one in zip(runs, found, strict=True)
        ]
        print_json(record | {"spread": {name: asdict(over) for name, over in spread.items()}})
        return
    print_facts([_rows_fact(data), network_fact(runs[0].network), ("run folders", str(folder))])
    typer.echo()
    names = [MEASURES.get(name, name) for name in spread]
    rows = [
        [f"seed {run.config.seed}", *(f"{one.measures[name]:.4f}" for name in spread)]
        for run, one in zip(runs, found, strict=True)
    ]
    rows.append(["mean", *(f"{over.mean:.4f}" for over in spread.values())])
    rows.append(["deviation", *(f"{over.deviation:.4f}" for over in spread.values())])
    rows.append(["95 % of the mean", *(f"{over.low:.3f} to {over.high:.3f}" for over in spread.values())])
    print_table(["test rows", *names], rows)
    if figures:
        typer.echo()
        published_table(figures, {name: over.mean for name, over in spread.items()})


def _tell(run: Run, data: Dataset, as_json: bool, figures: dict[str, dict[str, float]]) -> None:
    """Print what a finished run reached."""
    from glassnet.training.assessment import assess

    test, last = assess(run.network, data.test, data.task, data.encoder), run.history.last
    seconds = sum(record.seconds for record in run.history)
    record = {
        "run_dir": str(run.folder),
        "dataset": data.name,
        "layers": list(run.network.layers),
        "parameters": len(run.network.theta),
        "optimizer": run.config.training.optimizer,
        "epochs": len(run.history),
        "seconds": round(seconds, 3),
        "kernels": run.config.environment["kernels"],
        "threads": last and last.threads,
        "train_loss": last and last.train_loss,
        "train_accuracy": last and last.train_accuracy,
        "validation_loss": last and last.validation_loss,
        "validation_accuracy": last and last.validation_accuracy,
        "test_loss": test.loss,
        "test_accuracy": test.measures.get("accuracy"),
        "test_measures": test.measures,
        "test_intervals": test.intervals,
        "published": figures,
        "theta_sha256": run.network.fingerprint(),
    }
    if as_json:
        print_json(record)
        return
    facts = [
        _rows_fact(data),
        network_fact(run.network),
        ("optimizer", run.config.training.optimizer),
        ("trained", f"{len(run.history)} epochs, {seconds:.1f} s, {run.config.environment['kernels']} kernels"),
    ]
    if last:
        facts.append(("training loss", f"{last.train_loss:.4f}"))
    if last and last.validation_accuracy is not None:
        facts.append(("validation accuracy", f"{last.validation_accuracy:.4f}"))
    facts += [(f"test {name}", value) for name, value in measures_facts(test)]
    facts += [("test loss", f"{test.loss:.4f}"), ("run folder", str(run.folder))]
    print_facts(facts)
    if figures:
        typer.echo()
        published_table(figures, test.measures)


def _rows_fact(data: Dataset) -> tuple[str, str]:
    rows = ", ".join(
        f"{len(split.y):,} {name}"
        for name, split in (("training", data.train), ("validation", data.validation), ("test", data.test))
    )
    return "data", f"{data.name}: {rows} rows"
