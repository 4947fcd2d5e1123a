"""``glassnet train``."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from glassnet.cli.options import (
    ActivationOption,
    BatchNormOption,
    BatchSizeOption,
    BiasInitializerOption,
    ClassWeightOption,
    ConfigOption,
    DatasetArgument,
    DropoutOption,
    DtypeOption,
    InitializerOption,
    LayersOption,
    LearningRateOption,
    LossOption,
    OptimizerOption,
    OutputActivationOption,
    OutputScaleOption,
    PlanOption,
    SeedOption,
    StandardizeOption,
    UpdateScaleOption,
    class_weights,
    number,
    one_or_more,
    shares,
    split,
    validation_rows,
    with_steps,
)
from glassnet.cli.output import DataDirOption, ImputeOption, JsonOption, QuietOption, TargetOption
from glassnet.cli.report import Language, LanguageOption
from glassnet.cli.training import Manner, find_rate_and_tell, resume_and_tell, train_and_tell, train_seeds
from glassnet.errors import UsageError

#: Options of training that say how much of a plan is done, and not what it is.
NOT_OF_A_PLAN = ("epochs", "kernels", "threads", "metrics", "checkpoint_every")


def train(
    dataset: DatasetArgument = None,
    config: ConfigOption = None,
    plan: PlanOption = None,
    target: TargetOption = None,
    impute: ImputeOption = None,
    standardize: StandardizeOption = None,
    layers: LayersOption = None,
    activation: ActivationOption = None,
    output_activation: OutputActivationOption = None,
    loss: LossOption = None,
    output_scale: OutputScaleOption = None,
    initializer: InitializerOption = None,
    bias_initializer: BiasInitializerOption = None,
    dtype: DtypeOption = None,
    batch_norm: BatchNormOption = None,
    dropout: DropoutOption = None,
    optimizer: OptimizerOption = None,
    learning_rate: LearningRateOption = None,
    update_scale: UpdateScaleOption = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            help="Of the learning rate: constant, step, exponential, cosine, one_cycle or plateau; "
            'with options: "cosine(warmup=0.05)", "step(every=10, factor=0.5)".',
            metavar="NAME",
            show_default="constant",
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training rows.", show_default="10")] = None,
    batch_size: BatchSizeOption = None,
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
    augmentation: Annotated[
        str | None,
        typer.Option(
            help='Move images each time they are drawn: "shift(2) + flip + erase(0.5)", or some of these.',
            metavar="NAME+..",
            show_default="none",
        ),
    ] = None,
    class_weight: ClassWeightOption = None,
    label_smoothing: Annotated[
        float | None, typer.Option(help="Certainty taken from the targets, as in 0.1.", show_default="0")
    ] = None,
    l1: Annotated[float | None, typer.Option(help="Penalty on |weights|.", show_default="0")] = None,
    l2: Annotated[
        float | None, typer.Option(help="Penalty on half the squared weights.", show_default="0")
    ] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Weights shrink by it times the step size.", show_default="0")
    ] = None,
    clip_norm: Annotated[float | None, typer.Option(help="Longest gradient.", show_default="none")] = None,
    clip_value: Annotated[
        float | None, typer.Option(help="Largest entry of the gradient.", show_default="none")
    ] = None,
    max_norm: Annotated[
        float | None, typer.Option(help="Longest weight vector into a hidden unit.", show_default="none")
    ] = None,
    ema: Annotated[
        float | None, typer.Option(help="End with an average of theta that decays by it.", show_default="none")
    ] = None,
    average_epochs: Annotated[
        int | None,
        typer.Option(help="End with theta's mean over the last N epochs.", metavar="N", show_default="none"),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            help="Measured on the validation rows after each epoch: accuracy, balanced_accuracy, f1, auc, "
            "log_loss, r2 or mae.",
            metavar="NAME,..",
            show_default="none",
        ),
    ] = None,
    early_stopping: Annotated[
        str | None,
        typer.Option(
            help='Epochs without improvement that end training; "patience(5, monitor=auc)" watches another '
            "measure. The best epoch's weights are kept.",
            metavar="N",
            show_default="none",
        ),
    ] = None,
    seed: SeedOption = None,
    seeds: Annotated[
        int, typer.Option(help="Train so many networks, with this seed and the next ones.", metavar="N", min=1)
    ] = 1,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show the published figures of the data set (MedMNIST) beside it.")
    ] = False,
    validation: Annotated[
        str | None,
        typer.Option(
            help="Training rows set aside: a share or a number; last(N): the last ones; 0: none.",
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
    checkpoint_every: Annotated[
        int | None,
        typer.Option(help="Save after every so many epochs.", metavar="N", show_default="every 30 seconds"),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Go on with a run that was stopped, exactly as if it had not been.", metavar="RUN"),
    ] = None,
    find_lr: Annotated[
        bool, typer.Option("--find-lr", help="Train nothing; try learning rates and say which to take.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 1 where the network turns out to be sick.")
    ] = False,
    remedy: Annotated[
        bool,
        typer.Option("--remedy", help="Where it is sick, change what its diagnosis says, train again, compare."),
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Log for TensorBoard, in the run's folder.")
    ] = False,
    mlflow: Annotated[bool, typer.Option("--mlflow", help="Log for MLflow.")] = False,
    lang: LanguageOption = None,
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Write no report.html and report.md into the run's folder.")
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a network, save the run and its report in a folder, and say how well it does on the test rows.

    \b
    Examples:
      glassnet train fashion-mnist
      glassnet train fashion-mnist --plan fast
      glassnet train fashion-mnist --layers 784,28,10 --activation tanh --optimizer "sgd(0.5)"
      glassnet train digits --epochs 30 --seed 7 --json
      glassnet train houses.csv --target price --impute median
      glassnet train breastmnist --epochs 30 --seeds 5 --compare
      glassnet train digits --batch-norm --dropout 0.2 --schedule one_cycle --early-stopping 10
      glassnet train fashion-mnist --layers 784,256,10 --optimizer momentum --find-lr
      glassnet train digits --initializer "uniform(-1, 1)" --activation tanh --remedy --lang zh
      glassnet train --resume runs/2026-11-23_101500_digits_64-32-10
      glassnet train --config runs/2026-11-23_101500_digits_64-32-10/config.toml --seed 1
    """
    from glassnet.data.registry import published
    from glassnet.training.config import configure, resolve_names
    from glassnet.training.plans import load_plan
    from glassnet.training.run import load_data

    if no_report and lang is not None:
        raise UsageError("lang", "is of the report, and --no-report leaves it out; leave one of the two out")
    manner = Manner(
        progress=not quiet,
        as_json=as_json,
        run_dir=run_dir,
        tensorboard=tensorboard,
        mlflow=mlflow,
        strict=strict,
        remedy=remedy,
        language=None if no_report else lang or Language.EN,
    )
    changes = {
        "seed": seed,
        "data": {
            "dataset": dataset,
            "validation": validation_rows(validation),
            "split_seed": split_seed,
            "target": target,
            "impute": impute,
            "standardize": standardize,
        },
        "network": {
            "layers": split(layers),
            "activation": one_or_more(activation),
            "output_activation": output_activation,
            "loss": loss,
            "output_scale": output_scale,
            "initializer": initializer,
            "bias_initializer": bias_initializer,
            "dtype": dtype,
            "batch_norm": batch_norm,
            "dropout": shares("dropout", dropout),
        },
        "training": {
            "optimizer": optimizer,
            "schedule": schedule,
            "epochs": epochs,
            "batch_size": batch_size,
            "samples_per_epoch": number("samples_per_epoch", samples_per_epoch),
            "sampling": sampling,
            "augmentation": augmentation,
            "class_weight": class_weights(class_weight),
            "label_smoothing": label_smoothing,
            "l1": l1,
            "l2": l2,
            "weight_decay": weight_decay,
            "clip_norm": clip_norm,
            "clip_value": clip_value,
            "max_norm": max_norm,
            "ema": ema,
            "average_epochs": average_epochs,
            "metrics": split(metrics),
            "early_stopping": _patience(early_stopping),
            "checkpoint_every": checkpoint_every,
            "kernels": kernels,
            "threads": threads,
        },
    }
    steps = {"learning_rate": learning_rate, "update_scale": update_scale}
    if resume is not None:
        others = {"seeds": seeds if seeds > 1 else None, "compare": compare or None, "find_lr": find_lr or None}
        others["remedy"] = remedy or None
        _refuse_beside_resume(changes, {**steps, **others, "config": config, "plan": plan, "run_dir": run_dir})
        return resume_and_tell(resume, manner, epochs=epochs, data_dir=data_dir)
    if config is not None and plan not in (None, "none"):
        raise UsageError("plan", "is a configuration, and so is --config; leave one of the two out")
    name = None if config is not None else _plan(dataset, plan, changes, steps)
    start = config if dataset is None or name is None else load_plan(dataset, name)
    chosen = with_steps(configure(changes, start), steps)
    if name is not None and plan is None:
        remark = f"training by the plan {name!r} for {dataset}; --plan none takes the defaults"
        manner = replace(manner, remark=remark)
    if find_lr:
        for option, given in (
            ("seeds", seeds > 1),
            ("compare", compare),
            ("tensorboard", tensorboard),
            ("mlflow", mlflow),
            ("strict", strict),
            ("remedy", remedy),
            ("lang", lang is not None),
            ("no_report", no_report),
        ):
            if given:
                raise UsageError(option, "is for training, and --find-lr trains nothing; leave one of the two out")
        resolve_names(chosen)
        return find_rate_and_tell(chosen, manner, data_dir=data_dir)
    if compare:
        manner = replace(manner, figures=published(chosen.data.dataset))
    if remedy and seeds > 1:
        raise UsageError("remedy", "trains a single network again; leave --seeds out")
    if seeds == 1:
        train_and_tell(chosen, manner, data_dir=data_dir)
    else:
        train_seeds(chosen, seeds, load_data(chosen, data_dir), manner)


def _plan(dataset: str | None, plan: str | None, changes: dict[str, Any], steps: dict[str, Any]) -> str | None:
    """Return the plan to start from: the one that is named, or the best where no option describes another."""
    from glassnet.training.plans import plan_names

    if plan == "none" or dataset is None:
        return None
    if plan is not None:
        return plan
    described = {name: value for name, value in changes["training"].items() if name not in NOT_OF_A_PLAN}
    scaling = changes["data"]["standardize"]
    given = [*changes["network"].values(), *described.values(), *steps.values(), scaling]
    return "best" if all(value is None for value in given) and "best" in plan_names(dataset) else None


def _refuse_beside_resume(changes: dict[str, Any], others: dict[str, Any]) -> None:
    """Refuse what would make another run of the one to go on with."""
    given = {"seed": changes["seed"], **changes["data"], **changes["network"], **changes["training"], **others}
    for name, value in given.items():
        if value is not None and name != "epochs":
            raise UsageError(name, "cannot be changed when a run goes on; leave it out, or begin a new run")


def _patience(text: str | None) -> str | None:
    """Read a number of epochs, ``10``; anything else is a specification."""
    return f"patience({text})" if text is not None and re.fullmatch(r"[-+.\d]+", text) else text
