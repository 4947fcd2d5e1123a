"""The options of a run, each defined once: name, type, default, bounds, and what it does.

The configuration file, the flags of the command line, the signature of `glassnet.fit`, the tables of the documents
and the check of names that are no option are all made from the fields below. A new option is one more field, and
the code that uses it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from glassnet.nn.optimizers import Optimizer


@dataclass(frozen=True)
class Option:
    """What a field says of itself beside its type, default and bounds.

    Attributes
    ----------
    says : str
        What the option is, in a sentence; the help on the command line.
    more : str
        What else there is to know, for `help` and the documents.
    metavar : str
        What stands for the value on the command line; empty: by the type.
    default : str
        What happens by default, in words; empty: the default is shown.
    takes : str
        Further types that Python takes, objects in place of their specification.
    elsewhere : tuple of str
        What others call the option.
    flag : bool
        Whether the command line has it.
    """

    says: str
    more: str = ""
    metavar: str = ""
    default: str = ""
    takes: str = ""
    elsewhere: tuple[str, ...] = ()
    flag: bool = True


def _check_rows(value: Any) -> Any:
    """Refuse names of validation rows that `Dataset.validated_by` does not know."""
    if isinstance(value, str):
        from glassnet.data.dataset import NAMED_VALIDATION, OTHER_VALIDATION

        if not re.fullmatch(NAMED_VALIDATION, value):
            raise PydanticCustomError("validation_rows", OTHER_VALIDATION)
    return value


def _write(value: Any) -> Any:
    """Return the specification of an object."""
    return getattr(value, "spec", value)


def _write_patience(value: Any) -> Any:
    """Return the specification that a number of epochs without improvement stands for."""
    plain = isinstance(value, str) and re.fullmatch(r"[-+.\d]+", value)
    return f"patience({value})" if plain or isinstance(value, int | float) else _write(value)


def _write_labels(value: Any) -> Any:
    """Return weights by class with the labels as text."""
    return {str(label): weight for label, weight in value.items()} if isinstance(value, Mapping) else value


Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
Rows = Annotated[int | float, Field(ge=0)]
Seed = Annotated[int, Field(ge=0)]
Specification = Annotated[str, BeforeValidator(_write)]


class Section(BaseModel):
    """A part of a configuration: unknown names are refused, and values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(Section):
    """Which data, and how they are split; see `glassnet.load_dataset`."""

    dataset: Annotated[
        str,
        Option(
            "Data: a name from glassnet data list; a table (CSV, TSV, Parquet), NPZ, NPY, or folder of images.",
            metavar="DATASET",
        ),
    ]
    validation: Annotated[
        Rows | str | None,
        BeforeValidator(_check_rows),
        Option(
            "Training rows set aside for validation: a share, a number, last(N) for the last ones, or 0 for none.",
            '"test" watches the test rows, only to repeat a published table that did so.',
            metavar="N",
            default="the data's own, or 1/12",
            elsewhere=("validation_split",),
        ),
    ] = None
    split_seed: Annotated[Seed, Option("Seed that draws the validation rows.")] = 0
    target: Annotated[
        str | None,
        Option(
            "Column of a table to predict; for an NPY file, the file with its labels.",
            metavar="COLUMN",
            default="none",
        ),
    ] = None
    impute: Annotated[
        Literal["error", "median"] | None,
        Option(
            "Treatment of missing values in a table: error refuses them, median fills in the median.",
            default="error",
        ),
    ] = None
    standardize: Annotated[
        bool, Option("Scale each column to mean 0 and standard deviation 1, by the training rows' figures.")
    ] = False


class NetworkConfig(Section):
    """Which network; see `glassnet.Network`.

    Without layers or loss, `glassnet.run` fits them to the data; without a seed, it is the run's.
    """

    layers: Annotated[
        list[int] | None,
        Option("Units of each layer, inputs first.", metavar="D0,D1,..", default="D0,256,128,outputs"),
    ] = None
    activation: Annotated[
        str | list[str],
        Option(
            "Activation of the hidden layers, one name for all or one for each: identity, sigmoid, tanh, relu, "
            "relu3, leaky_relu, elu, gelu, silu or softplus.",
        ),
    ] = "relu"
    output_activation: Annotated[
        str | None, Option("Activation of the last layer.", default="as the loss has it")
    ] = None
    loss: Annotated[
        str | None,
        Option(
            "Loss to minimise: cross_entropy, binary_cross_entropy, half_squared_error, absolute_error or huber; "
            'with options: "huber(2)", "half_squared_error(sum)".',
            default="the one that suits the data",
            elsewhere=("criterion", "loss_fn", "objective"),
        ),
    ] = None
    output_scale: Annotated[float, Option("Factor k on the output of the network.")] = 1.0
    initializer: Annotated[
        str,
        Option(
            "Distribution of the first weights: glorot_uniform, glorot_normal, he_uniform, he_normal, "
            'lecun_uniform, lecun_normal, orthogonal, zeros, "uniform(-1, 1)" or "normal(0, 0.1)".'
        ),
    ] = "glorot_uniform"
    bias_initializer: Annotated[str, Option("Distribution of the first biases, one of those of the weights.")] = (
        "zeros"
    )
    seed: Annotated[Seed | None, Option("Seed of the first parameters.", default="the run's", flag=False)] = None
    dtype: Annotated[str, Option("Precision of all numbers: float32 or float64.")] = "float32"
    batch_norm: Annotated[
        bool | list[bool], Option("Normalise the pre-activations of the hidden layers over the batch.")
    ] = False
    dropout: Annotated[
        float | list[float],
        Option(
            "Share of the hidden units left out at each training step; or one share each for inputs and hidden "
            "layers: 0.1,0.4.",
        ),
    ] = 0.0


class OptimizerShorthand(Section):
    """Options that change a value of the optimizer's specification."""

    learning_rate: Annotated[
        float | None,
        Option(
            "Step size of the optimizer.",
            default="the optimizer's own",
            elsewhere=("lr", "eta", "step_size"),
        ),
    ] = None
    update_scale: Annotated[
        float | None,
        Option(
            "Factor m on every step of the optimizer.",
            default="the optimizer's own",
        ),
    ] = None


class TrainingConfig(Section):
    """How it learns; see `glassnet.fit`. It takes the options of `OptimizerShorthand` as well."""

    optimizer: Annotated[
        Specification,
        Option(
            "Optimizer: gd (all rows in one step an epoch), sgd, momentum, nesterov, adagrad, rmsprop, adam, "
            'adamw, muon, kfac or lbfgs; with options: "momentum(0.05, momentum=0.8)".',
            takes="Optimizer",
            elsewhere=("optim", "solver"),
        ),
    ] = "adam"
    schedule: Annotated[
        Specification,
        Option(
            "Schedule of the learning rate: constant, step, exponential, cosine, one_cycle or plateau; with "
            'options: "cosine(warmup=0.05)", "step(every=10, factor=0.5)".',
            takes="Schedule",
            elsewhere=("scheduler", "lr_scheduler"),
        ),
    ] = "constant"
    epochs: Annotated[
        Count,
        Option(
            "Passes over the training rows.",
            "With samples_per_epoch, a pass takes that many of them.",
            elsewhere=("max_iter",),
        ),
    ] = 10
    batch_size: Annotated[
        Count | None,
        Option(
            "Rows of a step.",
            "Where an epoch has fewer than 128 rows, all of them.",
            default="128; gd and lbfgs: all",
        ),
    ] = None
    samples_per_epoch: Annotated[
        Annotated[int | float, Field(gt=0)] | None,
        Option(
            "Training rows that an epoch takes: a number, or a share as in 0.1.",
            metavar="N",
            default="all",
        ),
    ] = None
    sampling: Annotated[
        Literal["fresh", "first"],
        Option(
            "Choice of an epoch's rows: fresh draws them from all rows in every epoch, first takes always the "
            "first rows.",
            elsewhere=("shuffle",),
        ),
    ] = "fresh"
    augmentation: Annotated[
        Specification,
        Option(
            'Movements of images each time they are drawn: "shift(2) + flip + erase(0.5)", or some of these.',
            metavar="NAME+..",
            takes="Augmentation",
        ),
    ] = "none"
    class_weight: Annotated[
        str | dict[str, float] | None,
        BeforeValidator(_write_labels),
        Option(
            "Weight of the rows of each class: balanced, or weights by class: cat=2,dog=1.",
            "See `glassnet.training.row_weights`.",
            default="1",
        ),
    ] = None
    label_smoothing: Annotated[
        Annotated[float, Field(ge=0, lt=1)],
        Option(
            "Certainty taken from the targets, as in 0.1.",
            "See `glassnet.nn.targets.smooth`. The training loss is that of the smoothed targets, the validation "
            "loss is not.",
        ),
    ] = 0.0
    l1: Annotated[
        NotNegative,
        Option("Factor of the penalty on the absolute weights.", "No loss that is reported contains it."),
    ] = 0.0
    l2: Annotated[
        NotNegative,
        Option("Factor of the penalty on half the squared weights.", "No loss that is reported contains it."),
    ] = 0.0
    weight_decay: Annotated[
        NotNegative,
        Option("Share of the weights, times the step size, taken off at each step.", "See `glassnet.nn.update`."),
    ] = 0.0
    clip_norm: Annotated[
        Positive | None, Option("Largest norm of the gradient; a longer one is shortened.", default="none")
    ] = None
    clip_value: Annotated[
        Positive | None, Option("Largest absolute entry of the gradient; larger ones are cut.", default="none")
    ] = None
    max_norm: Annotated[
        Positive | None, Option("Largest norm of the weight vector into a hidden unit.", default="none")
    ] = None
    ema: Annotated[
        Share | None,
        Option(
            "Decay of an exponential average of the parameters, which the network ends with.",
            "It is judged with the average, too.",
            default="none",
        ),
    ] = None
    average_epochs: Annotated[
        Count | None,
        Option(
            "Number of last epochs whose mean parameters the network ends with.",
            "It is judged with the mean, too (Izmailov et al. 2018).",
            default="none",
        ),
    ] = None
    metrics: Annotated[
        list[str],
        Option(
            "Metrics on the validation rows after each epoch: accuracy, balanced_accuracy, f1, auc, log_loss, "
            "r2 or mae.",
            "They are columns ``validation_NAME`` of the history.",
            default="none",
        ),
    ] = Field(default=[])
    early_stopping: Annotated[
        str | None,
        BeforeValidator(_write_patience),
        Option(
            'Epochs without improvement that end training; "patience(5, monitor=auc)" watches another measure. '
            "The best epoch's parameters are kept.",
            metavar="N",
            default="none",
            takes="int | EarlyStopping",
            elsewhere=("patience",),
        ),
    ] = None
    checkpoint_every: Annotated[
        Count | None,
        Option(
            "Number of epochs after which the run is saved each time.",
            "From what was saved last, `glassnet.resume` goes on as if the run had not been stopped.",
            default="every 30 seconds",
        ),
    ] = None
    kernels: Annotated[
        Literal["auto", "numba", "numpy"],
        Option(
            "Computation of the formulas: numpy as they stand, numba compiled, auto compiled where that pays.",
            "It pays where Numba is installed and parameters times rows of an epoch are 2e8 or more. The two "
            "differ by rounding.",
        ),
    ] = "auto"
    threads: Annotated[
        Count | None,
        Option(
            "Threads of the whole run.",
            "The default is measured at the start; the history says how many. Compiled, the result does not "
            "depend on them. As NumPy evaluates it, it does by rounding; there a small network takes one thread.",
            default="as many as are fastest, fewer when the machine is busy",
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _write_shorthand(cls, values: Any) -> Any:
        """Put the options of the shorthand into the optimizer's specification."""
        names = OptimizerShorthand.model_fields
        if not isinstance(values, dict) or names.keys().isdisjoint(values):
            return values
        rest = {name: value for name, value in values.items() if name not in names}
        return rest | {"optimizer": optimizer_of(values).spec}


def optimizer_of(options: Mapping[str, Any]) -> Optimizer:
    """Return the optimizer that options of training describe, with what a shorthand says of it.

    Examples
    --------
    >>> optimizer_of({"optimizer": "sgd", "learning_rate": 0.5})
    SGD(learning_rate=0.5, update_scale=1.0)
    """
    from glassnet.nn.optimizers import OPTIMIZERS

    optimizer = OPTIMIZERS.resolve(options.get("optimizer", TrainingConfig.model_fields["optimizer"].default))
    given = {name: options[name] for name in OptimizerShorthand.model_fields if options.get(name) is not None}
    return replace(optimizer, **given)


#: The parts of a configuration.
SECTIONS: dict[str, type[Section]] = {"data": DataConfig, "network": NetworkConfig, "training": TrainingConfig}


def fields_of(section: str) -> dict[str, FieldInfo]:
    """Return the options of a section by name; training's with the shorthands after the optimizer.

    Examples
    --------
    >>> list(fields_of("training"))[:3]
    ['optimizer', 'learning_rate', 'update_scale']
    """
    fields = SECTIONS[section].model_fields
    shorthand = OptimizerShorthand.model_fields if section == "training" else {}
    return dict([*fields.items()][:1]) | shorthand | fields


def option_of(field: FieldInfo) -> Option:
    """Return what a field says of itself."""
    return next(one for one in field.metadata if isinstance(one, Option))
