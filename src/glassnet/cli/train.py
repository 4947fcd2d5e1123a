"""``glassnet train``."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.output import DataDirOption, ImputeOption, JsonOption, TargetOption
from glassnet.cli.training import Manner, find_rate_and_tell, resume_and_tell, train_and_tell, train_seeds
from glassnet.errors import UsageError

if TYPE_CHECKING:
    from glassnet.training.config import RunConfig

#: Options of training that say how much of a plan is done, and not what it is.
NOT_OF_A_PLAN = ("epochs", "kernels", "threads", "metrics", "checkpoint_every")


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
    plan: Annotated[
        str | None,
        typer.Option(
            help="best: for accuracy; fast: for time; none. Found by search beforehand for the data set; "
            "other options change it.",
            metavar="NAME",
            show_default="best, where there is one and no option describes a network or training",
        ),
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
    batch_norm: Annotated[
        bool | None,
        typer.Option("--batch-norm/--no-batch-norm", help="Normalise the hidden layers' pre-activations."),
    ] = None,
    dropout: Annotated[
        str | None,
        typer.Option(
            help="Share of hidden units left out in training; or one each for inputs and hidden layers: 0.1,0.4.",
            metavar="P,..",
            show_default="0",
        ),
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            help="gd (all rows in one step an epoch), sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, "
            "muon, kfac or lbfgs; "
            'with options: "momentum(0.05, momentum=0.8)".',
            metavar="NAME",
            show_default="adam",
        ),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Of the optimizer.", show_default="the optimizer's own")
    ] = None,
    update_scale: Annotated[float | None, typer.Option(help="Factor m on every step.", show_default="1")] = None,
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
    augmentation: Annotated[
        str | None,
        typer.Option(
            help='Move images each time they are drawn: "shift(2) + flip + erase(0.5)", or some of these.',
            metavar="NAME+..",
            show_default="none",
        ),
    ] = None,
    class_weight: Annotated[
        str | None,
        typer.Option(help="balanced, or weights of classes: cat=2,dog=1.", metavar="NAME=W,..", show_default="1"),
    ] = None,
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
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Log for TensorBoard, in the run's folder.")
    ] = False,
    mlflow: Annotated[bool, typer.Option("--mlflow", help="Log for MLflow.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a network, save the run in a folder, and say how well it does on the test rows.

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
      glassnet train --resume runs/2026-11-23_101500_digits_64-32-10
      glassnet train --config runs/2026-11-23_101500_digits_64-32-10/config.toml --seed 1
    """
    from glassnet.data.registry import published
    from glassnet.training.config import configure, resolve_names
    from glassnet.training.plans import load_plan
    from glassnet.training.run import load_data

    manner = Manner(progress=not quiet, as_json=as_json, run_dir=run_dir, tensorboard=tensorboard, mlflow=mlflow)
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
            "batch_norm": batch_norm,
            "dropout": _shares("dropout", dropout),
        },
        "training": {
            "optimizer": optimizer,
            "schedule": schedule,
            "epochs": epochs,
            "batch_size": batch_size,
            "samples_per_epoch": _number("samples_per_epoch", samples_per_epoch),
            "sampling": sampling,
            "augmentation": augmentation,
            "class_weight": _class_weight(class_weight),
            "label_smoothing": label_smoothing,
            "l1": l1,
            "l2": l2,
            "weight_decay": weight_decay,
            "clip_norm": clip_norm,
            "clip_value": clip_value,
            "max_norm": max_norm,
            "ema": ema,
            "average_epochs": average_epochs,
            "metrics": _split(metrics),
            "early_stopping": _patience(early_stopping),
            "checkpoint_every": checkpoint_every,
            "kernels": kernels,
            "threads": threads,
        },
    }
    steps = {"learning_rate": learning_rate, "update_scale": update_scale}
    if resume is not None:
        others = {"seeds": seeds if seeds > 1 else None, "compare": compare or None, "find_lr": find_lr or None}
        _refuse_beside_resume(changes, {**steps, **others, "config": config, "plan": plan, "run_dir": run_dir})
        return resume_and_tell(resume, manner, epochs=epochs, data_dir=data_dir)
    if config is not None and plan not in (None, "none"):
        raise UsageError("plan", "is a configuration, and so is --config; leave one of the two out")
    name = None if config is not None else _plan(dataset, plan, changes, steps)
    start = config if dataset is None or name is None else load_plan(dataset, name)
    chosen = _with_steps(configure(changes, start), steps)
    if name is not None and plan is None:
        remark = f"training by the plan {name!r} for {dataset}; --plan none takes the defaults"
        manner = replace(manner, remark=remark)
    if find_lr:
        for option, given in (
            ("seeds", seeds > 1),
            ("compare", compare),
            ("tensorboard", tensorboard),
            ("mlflow", mlflow),
        ):
            if given:
                raise UsageError(option, "is for training, and --find-lr trains nothing; leave one of the two out")
        resolve_names(chosen)
        return find_rate_and_tell(chosen, manner, data_dir=data_dir)
    if compare:
        manner = replace(manner, figures=published(chosen.data.dataset))
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
    given = [*changes["network"].values(), *described.values(), *steps.values()]
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


def _shares(name: str, text: str | None) -> float | list[float] | None:
    """Read one share, or several with commas between."""
    if text is None:
        return None
    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(name, f"must be a share such as 0.4, or several: 0.1,0.4,0.4; got {text!r}") from None
    return shares if len(shares) > 1 else shares[0]


def _class_weight(text: str | None) -> str | dict[str, float] | None:
    """Read ``balanced``, or weights by class: ``cat=2,dog=1``."""
    if text is None or "=" not in text:
        return text
    weights = {}
    for part in text.split(","):
        name, _, weight = (piece.strip() for piece in part.rpartition("="))
        if name in weights:
            raise UsageError("class_weight", f"the class {name} is given twice")
        try:
            weights[name] = float(weight)
        except ValueError:
            raise UsageError("class_weight", f"must be balanced, or like cat=2,dog=1; got {text!r}") from None
    return weights


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


def _with_steps(config: RunConfig, steps: dict[str, float | None]) -> RunConfig:
    """Put the two options that every optimizer has into the optimizer's specification."""
    from glassnet.nn.optimizers import OPTIMIZERS

    options: dict[str, Any] = {name: value for name, value in steps.items() if value is not None}
    optimizer = replace(OPTIMIZERS.resolve(config.training.optimizer), **options)
    training = config.training.model_copy(update={"optimizer": optimizer.spec})
    return config.model_copy(update={"training": training})
