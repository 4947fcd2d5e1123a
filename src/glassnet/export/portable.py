"""What is exported of a model, as plain values: rows in, layers, answers out. Each target language writes these.

With a row of numbers h, the layers are applied one after the other::

    h = f(h W + b)                  batch normalisation is part of W and b, dropout is gone
    outputs = k h                   and then softmax or sigmoid, where the loss makes probabilities of them
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glassnet.compiled.tracing import REDUCTIONS, Symbol, UntraceableError, array, in_order, trace
from glassnet.data.array_schema import ArraySchema
from glassnet.data.schema import Schema
from glassnet.errors import UsageError
from glassnet.nn.activations import Activation, Array
from glassnet.nn.batch_norm import inverse_std
from glassnet.nn.network import Network

if TYPE_CHECKING:
    from glassnet.data.columns import TableSchema


@dataclass(frozen=True, eq=False)
class Formula:
    """An activation as its operations on the input "z", traced from its NumPy code, own ones too.

    ``name`` has letters, digits and underscores only. ``symbol`` is the result;
    `glassnet.compiled.tracing.in_order` walks what it is made of.
    """

    name: str
    symbol: Symbol


@dataclass(frozen=True, eq=False)
class Layer:
    """W of shape (d_in, d_out) and b of shape (d_out,), in float64, and the activation that follows."""

    W: Array
    b: Array
    activation: Formula


@dataclass(frozen=True)
class Answer:
    """What the outputs of a row say.

    Attributes
    ----------
    kind : {"class", "labels", "numbers"}
        "class": of several outputs the place of the largest, of a single one the nearest place (.5: the even one).
        "labels": for each output ``classes[1]`` from 0.5 on, else ``classes[0]``.
        "numbers": outputs * std + mean, each by itself.
    classes : tuple of bool, int, float or str
        The classes in label order, as the user wrote them; of "labels" the two values; none of "numbers".
    class_names : tuple of str
        What the classes are called, of "class" only.
    names : tuple of str
        Names of the columns of the answer; empty where they have none.
    mean, std : tuple of float
        Of "numbers": one for each output.
    flat : bool
        Whether the answer to a row is a single value; else a list with one for each output.
    """

    kind: Literal["class", "labels", "numbers"]
    classes: tuple[Any, ...] = ()
    class_names: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    flat: bool = False


@dataclass(frozen=True, eq=False)
class PortableModel:
    """A model as what is written in another language.

    Attributes
    ----------
    input : ArraySchema or TableSchema
        How rows become numbers; of a bare network, that rows are its numbers.
    layers : tuple of Layer
        In the order in which they are applied.
    output_scale : float
        The factor k on the last layer; 1 before softmax and sigmoid.
    output : {"softmax", "sigmoid", "identity"}
        What makes outputs of them.
    answer : Answer
        What the outputs say.
    dtype : {"float32", "float64"}
        What the network computes in.

    Examples
    --------
    >>> model = describe_model(Network([2, 3, 2], batch_norm=True))
    >>> [layer.W.shape for layer in model.layers], model.layers[0].activation.name, model.output, model.answer.kind
    ([(2, 3), (3, 2)], 'relu', 'softmax', 'class')
    """

    input: ArraySchema | TableSchema
    layers: tuple[Layer, ...]
    output_scale: float
    output: Literal["softmax", "sigmoid", "identity"]
    answer: Answer
    dtype: str

    @property
    def has_probabilities(self) -> bool:
        """Whether the outputs are probabilities."""
        return self.output != "identity"

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """The activations, each once, in the order of the layers; no two have one name."""
        return tuple(dict.fromkeys(layer.activation for layer in self.layers))

    @property
    def rounds_input(self) -> bool:
        """Whether a row's numbers become float32 before the first layer: even a float64 network may get such."""
        if self.dtype == "float32" or not isinstance(self.input, ArraySchema):
            return True
        return self.input.makes_float32

    @property
    def multiply_adds(self) -> int:
        """Multiplications, each with an addition, that the layers take for a row."""
        return sum(layer.W.size for layer in self.layers)

    @property
    def parameters(self) -> int:
        """Numbers in all W and b."""
        return sum(layer.W.size + layer.b.size for layer in self.layers)


def describe_model(network: Network, schema: Schema | None = None) -> PortableModel:
    """Return what is exported of a network and the schema of its rows and answers.

    Raises `UsageError` if an activation cannot be written out, or the schema is that of another network.
    """
    rows = ArraySchema((network.layers[0],)) if schema is None else schema.input
    answer = _describe_answer(network, schema)
    if rows.width != network.layers[0]:
        raise UsageError("model", f"its schema has {rows.width} inputs, the network {network.layers[0]}")
    formulas: list[tuple[Activation, Formula]] = []  # not all activations can be hashed
    for activation in network.activations:
        if activation not in [known for known, _ in formulas]:
            plain = re.sub(r"\W", "_", activation.name, flags=re.ASCII)
            taken = [formula.name for _, formula in formulas]
            name = plain if plain not in taken else f"{plain}_{len(taken) + 1}"
            formulas.append((activation, Formula(name, trace_activation(activation, network.theta.dtype))))
    layers = [
        Layer(*_fold(network, number), next(formula for known, formula in formulas if known == activation))
        for number, activation in enumerate(network.activations)
    ]
    output: Any = network.loss.output or "identity"
    return PortableModel(rows, tuple(layers), network.output_scale, output, answer, str(network.theta.dtype))


def trace_activation(activation: Activation, dtype: Any) -> Symbol:
    """Return an activation's operations on the symbol "z"; `UsageError` if they cannot be written out."""
    try:
        symbol: Symbol = trace(activation.f, array("z", dtype))
        if any(one.operation in REDUCTIONS for one in in_order([symbol])):
            raise UntraceableError("a sum, or the like, over the units of a layer")
    except UntraceableError as error:
        raise UsageError(
            "activation",
            f"{activation.name} cannot be written out: {error}; write it with NumPy's elementwise functions, such "
            "as np.exp, np.maximum and np.where, or take the model file (save_model) and glassnet",
        ) from None
    return symbol


def _fold(network: Network, layer: int) -> tuple[Array, Array]:
    """Return W and b of a layer in float64, with batch normalisation by the running statistics in them.

    Z = gamma s (A - mean) + b with A = H W is H (W gamma s) + (b - gamma s mean).
    """
    parameters = network.parameters
    W, b = network.W[layer].astype(np.float64), network.b[layer].astype(np.float64)
    mean, variance, gamma = parameters.mean[layer], parameters.variance[layer], network.gamma[layer]
    if mean is None or variance is None or gamma is None:
        return W, b
    scale = gamma.astype(np.float64) * inverse_std(variance.astype(np.float64))
    return W * scale, b - scale * mean


def _describe_answer(network: Network, schema: Schema | None) -> Answer:
    width = network.layers[-1]
    if schema is None:
        if network.n_classes is None:
            return Answer("numbers", mean=(0.0,) * width, std=(1.0,) * width)
        classes = tuple(range(network.n_classes))
        return Answer("class", classes, network.class_names or tuple(map(str, classes)), flat=True)
    target = schema.target
    fitting = (target.width,) if target.n_classes is None else (1, target.n_classes)
    if width not in fitting:
        expected = " or ".join(map(str, fitting))
        raise UsageError("model", f"its schema takes {expected} outputs, the network has {width}")
    if target.task == "regression":
        mean, std = target.mean or (0.0,) * width, target.std or (1.0,) * width
        return Answer("numbers", names=target.names, mean=mean, std=std, flat=width == 1)
    if target.n_classes is None:
        return Answer("labels", target.classes, names=target.names)
    return Answer("class", target.classes, target.class_names, target.names, flat=True)
