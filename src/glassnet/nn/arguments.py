"""What a network is built from, checked: sizes, activations, dropout, and what else `Network` is called with.

Each function returns a value as the network holds it, or raises `UsageError` naming the argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from glassnet.errors import UsageError
from glassnet.nn.activations import ACTIVATIONS, IDENTITY, Activation
from glassnet.nn.losses import Loss, check_output
from glassnet.nn.poisson import check_counts
from glassnet.nn.registry import is_number

DTYPES = (np.dtype("float32"), np.dtype("float64"))


def check_layers(layers: Sequence[int]) -> tuple[int, ...]:
    """Return the units per layer, the inputs first, as a tuple of two or more whole numbers > 0."""
    try:
        sizes = tuple(layers)
    except TypeError:
        sizes = ()
    whole = all(isinstance(d, int | np.integer) and not isinstance(d, bool) and d > 0 for d in sizes)
    if len(sizes) < 2 or not whole:
        raise UsageError("layers", f"needs two or more whole numbers > 0, inputs first, got {layers!r}")
    return tuple(int(d) for d in sizes)


def check_class_names(class_names: Sequence[str] | None, d_out: int) -> tuple[str, ...] | None:
    """Return the class names, one for each output or any number for a single output; None stays None."""
    if class_names is None:
        return None
    if isinstance(class_names, str) or not isinstance(class_names, Iterable):
        raise UsageError("class_names", f"must be a sequence of names, got {class_names!r}")
    names = tuple(str(name) for name in class_names)
    if d_out not in (1, len(names)):
        raise UsageError("class_names", f"{len(names)} names for {d_out} outputs; give one for each")
    return names


def check_batch_norm(batch_norm: Any, depth: int) -> tuple[bool, ...]:
    """Return for each of the hidden layers whether it normalises."""
    if isinstance(batch_norm, bool):
        return (batch_norm,) * depth
    values = tuple(batch_norm) if isinstance(batch_norm, Iterable) else (batch_norm,)
    if len(values) != depth or not all(isinstance(value, bool) for value in values):
        raise UsageError(
            "batch_norm", f"give true or false, or one for each of the {depth} hidden layers, got {batch_norm!r}"
        )
    return values


def check_dropout(dropout: Any, depth: int) -> tuple[float, ...]:
    """Return the rates at the input of each layer with weights."""
    one = isinstance(dropout, int | float | np.number)
    if one and depth == 0 and dropout:
        raise UsageError("dropout", "there are no hidden layers; give the share of the inputs as a list of one")
    rates = (0.0, *[dropout] * depth) if one else tuple(dropout) if isinstance(dropout, Iterable) else ()
    if len(rates) != depth + 1 or not all(is_number(rate) and 0 <= rate < 1 for rate in rates):
        raise UsageError(
            "dropout",
            f"give a share in [0, 1), or one for the input and each of the {depth} hidden layers, got {dropout!r}",
        )
    return tuple(float(rate) for rate in rates)


def check_dtype(dtype: Any) -> np.dtype[Any]:
    """Return the dtype, float32 or float64."""
    try:
        checked = np.dtype(dtype)
    except (TypeError, ValueError, SyntaxError):  # NumPy reads text such as "(2,1)f4" as a program
        checked = None
    if dtype is None or checked is None or checked not in DTYPES:  # NumPy holds None equal to float64
        raise UsageError("dtype", f"must be float32 or float64, got {dtype!r}")
    return checked


def resolve_hidden_activations(activation: Any, depth: int) -> list[Activation]:
    """Return the activation of each hidden layer, from one for all or one for each."""
    if isinstance(activation, str | Activation):
        return [ACTIVATIONS.resolve(activation)] * depth
    names = list(activation) if isinstance(activation, Iterable) else [activation]
    if len(names) != depth:
        raise UsageError("activation", f"give one name, or one for each of the {depth} hidden layers, got {names}")
    return [ACTIVATIONS.resolve(name) for name in names]


def resolve_output_activation(activation: str | Activation | None, loss: Loss) -> Activation:
    """Return the last layer's f: the identity where softmax or sigmoid is part of the loss."""
    name = activation.name if isinstance(activation, Activation) else activation
    if name is not None:
        check_output(loss, name)
    if loss.output is not None:
        return IDENTITY
    output = IDENTITY if activation is None else ACTIVATIONS.resolve(activation, "output_activation")
    check_counts(loss, output)
    return output


def check_scale(output_scale: float, loss: Loss) -> float:
    """Return the output scale, a number > 0, and 1 where the loss makes probabilities of logits."""
    if not is_number(output_scale) or not output_scale > 0:
        raise UsageError("output_scale", f"must be a number > 0, got {output_scale!r}")
    if loss.output is not None and output_scale != 1:
        raise UsageError("output_scale", f"must be 1 with {loss.name}: softmax and sigmoid need no amplification")
    return float(output_scale)
