"""The options of a run, each defined once: name, type, default, bounds, and what it does.

The configuration file, the flags of the command line, the signature of `glassnet.fit`, the tables of the documents
and the check of names that are no option are all made from the fields below. A new option is one more field, and
the code that uses it; `docs/make_options.py` then writes the tables, and the types in `fit_options.py`.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError, PydanticUndefined

if TYPE_CHECKING:
    from glassnet.nn.optimizers import Optimizer

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Option:
    """What an option says of itself beside its type, default and bounds."""

    says: str  # what it is, in a sentence; the help on the command line
    more: str = ""  # what else there is to know, for `help` and the documents
    metavar: str = ""  # what stands for the value on the command line; empty: by the type
    unset: str = ""  # what happens by default, in words, where the default is no value
    takes: str = ""  # further types that Python takes, such as objects in place of their specification
    elsewhere: tuple[str, ...] = ()  # what others call the option
    flag: bool = True  # whether the command line has it


def option(
    default: Any, says: str, more: str = "", *, ge: Any = None, gt: Any = None, lt: Any = None, **rest: Any
) -> Any:
    """Return a field: its default, its bounds, and what `Option` says of it."""
    described: Any = asdict(Option(says, more, **rest))
    return Field(default=default, ge=ge, gt=gt, lt=lt, description=says, json_schema_extra=described)


class Section(BaseModel):
    """A part of a configuration: unknown names are refused, and values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(Section):
    """Which data, and how they are split; see `glassnet.load_dataset`."""

    dataset: str = option(
        PydanticUndefined,
        "A name from glassnet data list, or data of your own: a table (CSV, TSV, Parquet, xlsx), arrays (NPZ, "
        "NPY, IDX) or a folder of pictures.",
        metavar="DATASET",
    )
    validation: int | float | str | None = option(
        None,
        "Training rows set aside for validation: a share, a number, last(N) for the last ones, or 0 for none.",
        '"test" watches the test rows, only to repeat a published table that did so.',
        unset="the data's own, or 1/12",
        elsewhere=("validation_split",),
    )
    split_seed: int = option(0, "Seed that draws the validation rows.", ge=0, lt=2**63)
    target: str | None = option(
        None, "Column of a table to predict; for an NPY file, the file with its labels.", metavar="COLUMN"
    )
    task: Literal["multi-class", "binary", "multi-label", "ordinal", "regression"] | None = option(
        None,
        "What is asked of the network: multi-class, binary, multi-label, ordinal or regression.",
        metavar="TASK",
        unset="told by the targets",
    )
    classes: list[str] | None = option(
        None,
        "All classes of the target in their order, for task ordinal and for the outputs.",
        metavar="CLASS,..",
        unset="sorted; that of an ordered category",
        elsewhere=("class_order", "class_names"),
    )
    impute: Literal["error", "median"] | None = option(
        None,
        "Missing values in a table: median fills in the median or the most frequent category, error refuses them.",
        unset="median",
    )
    drop: list[str] | None = option(
        None, "Columns of a table to leave out.", elsewhere=("ignore", "exclude", "skip", "drop_columns")
    )
    columns: list[str] | None = option(
        None, "The only columns of a table to learn from.", unset="all", elsewhere=("features", "use", "usecols")
    )
    categorical: list[str] | None = option(
        None, "Columns of a table that are categories, whatever they hold.", elsewhere=("categories", "cat")
    )
    dates: list[str] | None = option(
        None, "Columns of a table that are dates, to make numbers of.", elsewhere=("parse_dates", "date")
    )
    missing: list[str] | None = option(
        None,
        "Values of a table that stand for missing ones, such as -999, beside empty cells.",
        metavar="VALUE,..",
        elsewhere=("na_values", "null_values", "missing_values", "sentinel"),
    )
    sep: str | None = option(
        None,
        "Character between the columns of a text file.",
        metavar="CHAR",
        unset="told by its first line",
        elsewhere=("delimiter", "separator"),
    )
    decimal: str | None = option(
        None, "Decimal mark of the numbers in a text file.", metavar="CHAR", unset="told by the numbers"
    )
    thousands: str | None = option(
        None, "Mark between the thousands of numbers in a text file.", metavar="CHAR", unset="told by the numbers"
    )
    encoding: str | None = option(None, "Encoding of a text file, such as latin-1.", unset="UTF-8")
    sheet: str | None = option(None, "Sheet of an .xlsx workbook.", unset="the first")
    size: list[int] | None = option(
        None,
        "Pixels that pictures of files are brought to: one number for a square, or height,width.",
        metavar="H,W",
        unset="theirs, all alike",
        elsewhere=("image_size", "resize"),
    )
    grey: bool = option(False, "Leave the colours of picture files out.", elsewhere=("gray", "grayscale"))
    x_key: str | None = option(
        None, "Array of an NPZ file with the rows.", metavar="NAME", unset="X, images, data, ..."
    )
    y_key: str | None = option(
        None, "Array of an NPZ file with the labels.", metavar="NAME", unset="y, labels, target, ..."
    )
    scaling: Literal["none", "standard", "robust"] | None = option(
        None,
        "Scaling of each column by the training rows' figures: standard to mean 0 and standard deviation 1, "
        "robust by median and quartiles with a smooth clip, or none.",
        "robust is for columns with numbers far from all others. With standard and robust, numbers to regress are "
        "scaled to mean 0 and standard deviation 1.",
        metavar="NAME",
        unset="standard for tables, else none",
        elsewhere=("standardize", "standardise", "normalize", "scaler"),
    )
    pieces: int | None = option(
        None,
        "Pieces at most that the range of each column of numbers is cut into, each an input beside the scaled "
        "number; 0 for none.",
        "This is piecewise-linear encoding: the first layer can bend wherever two pieces meet. The edges are "
        "quantiles of the training rows.",
        ge=0,
        metavar="N",
        unset="none",
        elsewhere=("bins", "n_bins", "ple", "piecewise_linear", "num_embeddings"),
    )

    @field_validator("dataset")
    @classmethod
    def _check_name(cls, value: str) -> str:
        """Refuse a name of nothing: as a path it would be the working folder."""
        if not value.strip():
            raise PydanticCustomError("empty", "Input should be a name or a path")
        return value

    @field_validator("validation")
    @classmethod
    def _check_rows(cls, value: Any) -> Any:
        """Refuse negative numbers, and names of rows that `Dataset.validated_by` does not know."""
        if isinstance(value, str):
            from glassnet.data.dataset import NAMED_VALIDATION, OTHER_VALIDATION

            if not re.fullmatch(NAMED_VALIDATION, value):
                raise PydanticCustomError("validation_rows", OTHER_VALIDATION)
        elif value is not None and not value >= 0:
            raise PydanticCustomError("greater_than_equal", "Input should be greater than or equal to 0")
        return value


class NetworkConfig(Section):
    """Which network; see `glassnet.Network`.

    Without layers or loss, `glassnet.run` fits them to the data; without a seed, it is the run's.
    """

    layers: list[int] | None = option(
        None, "Units of each layer, inputs first.", metavar="D0,D1,..", unset="D0,256,128,outputs"
    )
    activation: str | list[str] = option(
        "relu",
        "Activation of the hidden layers, one name for all or one for each: identity, sigmoid, tanh, relu, relu3, "
        "leaky_relu, elu, selu, gelu, silu, mish or softplus.",
    )
    output_activation: str | None = option(None, "Activation of the last layer.", unset="as the loss has it")
    loss: str | None = option(
        None,
        "Loss to minimise: cross_entropy, binary_cross_entropy, half_squared_error, absolute_error or huber; with "
        'options: "huber(2)", "half_squared_error(sum)".',
        unset="the one that suits the data",
        elsewhere=("criterion", "loss_fn", "objective"),
    )
    output_scale: float = option(1.0, "Factor k on the output of the network.")
    initializer: str = option(
        "glorot_uniform",
        "Distribution of the first weights: glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, "
        'lecun_normal, orthogonal, zeros, "uniform(-1, 1)" or "normal(0, 0.1)".',
    )
    bias_initializer: str = option("zeros", "Distribution of the first biases, one of those of the weights.")
    seed: int | None = option(None, "Seed of the first parameters.", ge=0, lt=2**63, unset="the run's", flag=False)
    dtype: str = option("float32", "Precision of all numbers: float32 or float64.")
    batch_norm: bool | list[bool] = option(
        False, "Normalise the pre-activations of the hidden layers over the batch."
    )
    dropout: float | list[float] = option(
        0.0,
        "Share of the hidden units left out at each training step; or one share each for inputs and hidden "
        "layers: 0.1,0.4.",
    )


class OptimizerShorthand(Section):
    """Options that change a value of the optimizer's specification."""

    learning_rate: float | None = option(
        None, "Step size of the optimizer.", unset="the optimizer's own", elsewhere=("lr", "eta", "step_size")
    )
    update_scale: float | None = option(
        None, "Factor m on every step of the optimizer.", unset="the optimizer's own"
    )


class TrainingConfig(Section):
    """How it learns; see `glassnet.fit`. It takes the options of `OptimizerShorthand` as well."""

    optimizer: str = option(
        "adam",
        "Optimizer: gd (all rows in one step an epoch), sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, "
        'muon, kfac or lbfgs; with options: "momentum(0.05, momentum=0.8)".',
        takes="Optimizer",
        elsewhere=("optim", "solver"),
    )
    schedule: str = option(
        "constant",
        "Schedule of the learning rate: constant, step, exponential, cosine, flat_cosine, coslog, one_cycle or "
        'plateau; with options: "cosine(warmup=0.05)", "step(every=10, factor=0.5)".',
        takes="Schedule",
        elsewhere=("scheduler", "lr_scheduler"),
    )
    epochs: int = option(
        10,
        "Passes over the training rows.",
        "With samples_per_epoch, a pass takes that many of them.",
        ge=1,
        elsewhere=("max_iter",),
    )
    batch_size: int | None = option(
        None,
        "Rows of a step.",
        "Where an epoch has fewer than 128 rows, all of them.",
        ge=1,
        unset="128; gd and lbfgs: all",
    )
    samples_per_epoch: int | float | None = option(
        None, "Training rows that an epoch takes: a number, or a share as in 0.1.", gt=0, unset="all"
    )
    sampling: Literal["fresh", "first"] = option(
        "fresh",
        "Choice of an epoch's rows: fresh draws them from all rows, every epoch anew; first takes the first rows.",
        elsewhere=("shuffle",),
    )
    augmentation: str = option(
        "none",
        'Movements of images each time they are drawn: "shift(2) + flip + erase(0.5)", or some of these.',
        metavar="NAME+..",
        takes="Augmentation",
    )
    class_weight: str | dict[str, float] | None = option(
        None,
        "Weight of the rows of each class: balanced, or weights by class: cat=2,dog=1.",
        "See `glassnet.training.row_weights`.",
        unset="1",
        takes="Mapping[Any, float]",
    )
    label_smoothing: float = option(
        0.0,
        "Certainty taken from the targets, as in 0.1.",
        "See `glassnet.nn.targets.smooth`. The training loss is that of the smoothed targets, the validation loss "
        "is not.",
        ge=0,
        lt=1,
    )
    l1: float = option(
        0.0, "Factor of the penalty on the absolute weights.", "No reported loss contains it.", ge=0
    )
    l2: float = option(
        0.0, "Factor of the penalty on half the squared weights.", "No reported loss contains it.", ge=0
    )
    weight_decay: float = option(
        0.0,
        "Share of the weights, times the step size, taken off at each step.",
        "See `glassnet.nn.update`.",
        ge=0,
    )
    clip_norm: float | None = option(None, "Largest norm of the gradient; a longer one is shortened.", gt=0)
    clip_value: float | None = option(None, "Largest absolute entry of the gradient; larger ones are cut.", gt=0)
    max_norm: float | None = option(None, "Largest norm of the weight vector into a hidden unit.", gt=0)
    ema: float | None = option(
        None,
        "Decay of an exponential average of the parameters, which the network ends with.",
        "It is evaluated with the average, too.",
        gt=0,
        lt=1,
    )
    average_epochs: int | None = option(
        None,
        "Number of last epochs whose mean parameters the network ends with.",
        "It is evaluated with the mean, too (Izmailov et al. 2018).",
        ge=1,
    )
    metrics: list[str] = option(
        [],
        "Metrics of the validation rows at each epoch: accuracy, balanced_accuracy, f1, auc, log_loss, r2 or mae.",
        "They are columns ``validation_NAME`` of the history.",
        unset="none",
    )
    early_stopping: str | None = option(
        None,
        'Epochs without improvement that end training; "patience(5, monitor=auc)" watches another measure. The '
        "best epoch's parameters are kept.",
        metavar="N",
        takes="int | EarlyStopping",
        elsewhere=("patience",),
    )
    checkpoint_every: int | None = option(
        None,
        "Number of epochs after which the run is saved each time.",
        "From what was saved last, `glassnet.resume` goes on as if the run had not been stopped.",
        ge=1,
        unset="every 30 seconds",
    )
    kernels: Literal["auto", "numba", "numpy"] = option(
        "auto",
        "Computation of the formulas: numpy as they stand, numba compiled, auto compiled where that pays.",
        "It pays where Numba is installed and parameters times rows of an epoch are 1e8 or more. The two differ "
        "by rounding.",
    )
    threads: int | None = option(
        None,
        "Threads of the whole run.",
        "The default is measured at the start, 8 at most; the history says how many. Compiled, the result does "
        "not depend on it. As NumPy evaluates it, it does by rounding; there a small network takes one thread.",
        ge=1,
        unset="as many as are fastest, fewer when the machine is busy",
    )

    @model_validator(mode="before")
    @classmethod
    def _write_shorthand(cls, values: Any) -> Any:
        """Put the options of the shorthand into the optimizer's specification."""
        names = OptimizerShorthand.model_fields
        if not isinstance(values, dict) or names.keys().isdisjoint(values):
            return values
        rest = {name: value for name, value in values.items() if name not in names}
        return rest | {"optimizer": resolve_optimizer(values).spec}

    @field_validator("optimizer", "schedule", "augmentation", "early_stopping", mode="before")
    @classmethod
    def _write_object(cls, value: Any) -> Any:
        """Take an object as its specification."""
        return getattr(value, "spec", value)

    @field_validator("early_stopping", mode="before")
    @classmethod
    def _write_patience(cls, value: Any) -> Any:
        """Take a number of epochs without improvement as a patience."""
        plain = isinstance(value, str) and re.fullmatch(r"[-+.\d]+", value)
        return f"patience({value})" if plain or isinstance(value, int | float) else value

    @field_validator("class_weight", mode="before")
    @classmethod
    def _write_labels(cls, value: Any) -> Any:
        """Take the labels of classes as text."""
        return {str(label): weight for label, weight in value.items()} if isinstance(value, Mapping) else value


def resolve_optimizer(options: Mapping[str, Any]) -> Optimizer:
    """Return the optimizer that options of training describe, with what a shorthand says of it."""
    from glassnet.nn.optimizers import OPTIMIZERS

    optimizer = OPTIMIZERS.resolve(options.get("optimizer", TrainingConfig.model_fields["optimizer"].default))
    given = {name: options[name] for name in OptimizerShorthand.model_fields if options.get(name) is not None}
    return replace(optimizer, **given) if given else optimizer


#: The parts of a configuration.
SECTIONS: dict[str, type[Section]] = {"data": DataConfig, "network": NetworkConfig, "training": TrainingConfig}


def fields_of(section: str) -> dict[str, FieldInfo]:
    """Return the options of a section by name; training's with the shorthands after the optimizer."""
    fields = SECTIONS[section].model_fields
    shorthand = OptimizerShorthand.model_fields if section == "training" else {}
    return dict([*fields.items()][:1]) | shorthand | fields


def option_of(field: FieldInfo) -> Option:
    """Return what a field says of itself."""
    described: Any = field.json_schema_extra
    return Option(**described)


def type_text(field: FieldInfo) -> str:
    """Return what Python takes for an option, as text: ``str | Optimizer``."""
    plain = field.annotation.__name__ if isinstance(field.annotation, type) else str(field.annotation)
    plain = re.sub(r"Optional\[(.*)\]$", r"\1 | None", plain.replace("typing.", ""))
    first, *others = plain.split(" | ")
    return " | ".join(filter(None, [first, option_of(field).takes, *others]))


def takes_training_options(function: Function) -> Function:
    """Put the options of training in place of ``**options`` in a function's signature and docstring."""
    signature = inspect.signature(function)
    parameters = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    text, returns, rest = inspect.cleandoc(function.__doc__ or "").partition("\n\nReturns\n")
    for name, field in fields_of("training").items():
        kind, about = type_text(field), option_of(field)
        parameters.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=kind)
        )
        by_default = f" Default: {about.unset}." if about.unset else ""
        text += f"\n{name} : {kind}, default {field.default!r}\n"
        text += textwrap.indent(textwrap.fill(f"{about.says}{by_default} {about.more}".strip(), 106), "    ")
    function.__doc__ = text + returns + rest
    function.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return function
