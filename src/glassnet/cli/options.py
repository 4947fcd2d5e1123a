"""Options that describe a run, as several commands have them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.errors import UsageError

if TYPE_CHECKING:
    from glassnet.training.config import RunConfig

DatasetArgument = Annotated[
    str | None,
    typer.Argument(
        help="A name from glassnet data list; a table (CSV, TSV, Parquet), NPZ, NPY, or folder of images.",
        metavar="DATASET",
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(help="TOML file to start from, for example a run's config.toml; other options change it."),
]
PlanOption = Annotated[
    str | None,
    typer.Option(
        help="best: for accuracy; fast: for time; none. Found by search beforehand for the data set; "
        "other options change it.",
        metavar="NAME",
        show_default="best, where there is one and no option describes a network, training or scaling",
    ),
]
StandardizeOption = Annotated[
    bool | None,
    typer.Option(
        "--standardize/--no-standardize",
        help="Each column to mean 0, standard deviation 1 by the training rows' figures.",
    ),
]
LayersOption = Annotated[
    str | None,
    typer.Option(help="Units per layer, inputs first.", metavar="D0,D1,..", show_default="D0,256,128,outputs"),
]
ActivationOption = Annotated[
    str | None,
    typer.Option(
        help="Of the hidden layers: one name, or one a layer. identity, sigmoid, tanh, relu, relu3, "
        "leaky_relu, elu, gelu, silu or softplus.",
        metavar="NAME,..",
        show_default="relu",
    ),
]
OutputActivationOption = Annotated[
    str | None, typer.Option(help="Of the last layer.", metavar="NAME", show_default="as the loss has it")
]
LossOption = Annotated[
    str | None,
    typer.Option(
        help="cross_entropy, binary_cross_entropy, half_squared_error, absolute_error or huber; "
        'with options: "huber(2)", "half_squared_error(sum)".',
        metavar="NAME",
        show_default="the one that suits the data",
    ),
]
OutputScaleOption = Annotated[float | None, typer.Option(help="Factor k on the output.", show_default="1")]
InitializerOption = Annotated[
    str | None,
    typer.Option(
        help="Of the weights: glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, "
        'lecun_normal, orthogonal, zeros, "uniform(-1, 1)", "normal(0, 0.1)".',
        metavar="NAME",
        show_default="glorot_uniform",
    ),
]
BiasInitializerOption = Annotated[
    str | None, typer.Option(help="Of the biases.", metavar="NAME", show_default="zeros")
]
DtypeOption = Annotated[
    str | None, typer.Option(help="float32 or float64.", metavar="NAME", show_default="float32")
]
BatchNormOption = Annotated[
    bool | None,
    typer.Option("--batch-norm/--no-batch-norm", help="Normalise the hidden layers' pre-activations."),
]
DropoutOption = Annotated[
    str | None,
    typer.Option(
        help="Share of hidden units left out in training; or one each for inputs and hidden layers: 0.1,0.4.",
        metavar="P,..",
        show_default="0",
    ),
]
OptimizerOption = Annotated[
    str | None,
    typer.Option(
        help="gd (all rows in one step an epoch), sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, "
        "muon, kfac or lbfgs; "
        'with options: "momentum(0.05, momentum=0.8)".',
        metavar="NAME",
        show_default="adam",
    ),
]
LearningRateOption = Annotated[
    float | None, typer.Option(help="Of the optimizer.", show_default="the optimizer's own")
]
UpdateScaleOption = Annotated[float | None, typer.Option(help="Factor m on every step.", show_default="1")]
BatchSizeOption = Annotated[int | None, typer.Option(help="Rows of a step.", show_default="128; gd: all")]
ClassWeightOption = Annotated[
    str | None,
    typer.Option(help="balanced, or weights of classes: cat=2,dog=1.", metavar="NAME=W,..", show_default="1"),
]
SeedOption = Annotated[
    int | None, typer.Option(help="Decides the first weights and the order of the rows.", show_default="0")
]


def shares(name: str, text: str | None) -> float | list[float] | None:
    """Read one share, or several with commas between; `name` is the option's, for messages."""
    if text is None:
        return None
    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(name, f"must be a share such as 0.4, or several: 0.1,0.4,0.4; got {text!r}") from None
    return shares if len(shares) > 1 else shares[0]


def class_weights(text: str | None) -> str | dict[str, float] | None:
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


def number(name: str, text: str | None) -> int | float | None:
    """Tell a number of rows, ``5``, from a share of them, ``0.5`` or ``1.0``."""
    if text is None:
        return None
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        raise UsageError(name, f"must be a number of rows, or a share such as 0.1, got {text!r}") from None


def validation_rows(text: str | None) -> int | float | str | None:
    """Read which rows are set aside: a number, a share, or by a name, ``last(500)``."""
    from glassnet.data.dataset import NAMED_VALIDATION

    return text if text is not None and re.fullmatch(NAMED_VALIDATION, text) else number("validation", text)


def split(names: str | None) -> list[str] | None:
    """Read names with commas between."""
    return None if names is None else [name.strip() for name in names.split(",")]


def one_or_more(names: str | None) -> str | list[str] | None:
    """Read one name, or several with commas between."""
    return split(names) if names and "," in names else names


def with_steps(config: RunConfig, steps: dict[str, float | None]) -> RunConfig:
    """Put the two options that every optimizer has into the optimizer's specification."""
    from glassnet.nn.optimizers import OPTIMIZERS

    options: dict[str, Any] = {name: value for name, value in steps.items() if value is not None}
    optimizer = replace(OPTIMIZERS.resolve(config.training.optimizer), **options)
    training = config.training.model_copy(update={"optimizer": optimizer.spec})
    return config.model_copy(update={"training": training})
