"""What scikit-learn's parameters may be, checked before anything is learned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from glassnet.errors import UsageError
from glassnet.nn.activations import ACTIVATIONS

#: Names of scikit-learn for activations that are called otherwise here.
OTHER_NAMES = {"logistic": "sigmoid"}


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool | np.bool_)


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def _one_of(*names: Any) -> tuple[Callable[[Any], bool], str]:
    return (lambda value: any(value is name or value == name for name in names)), f"one of {list(names)}"


def _positive(value: Any) -> bool:
    return _is_whole(value) and value >= 1


_SHARE = (lambda value: _is_real(value) and 0 <= value < 1, "a number in [0, 1)")
_AT_LEAST_0 = (lambda value: _is_real(value) and 0 <= value < np.inf, "a number >= 0")
_ABOVE_0 = (lambda value: _is_real(value) and 0 < value < np.inf, "a number > 0")
_COUNT = (_positive, "a whole number >= 1")
_TRUTH = (_is_truth, "True or False")

#: What holds of each parameter, and how it is said.
RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "solver": _one_of("lbfgs", "sgd", "adam"),
    "alpha": _AT_LEAST_0,
    "batch_size": (lambda value: value == "auto" or _positive(value), "'auto' or a whole number >= 1"),
    "learning_rate": _one_of("constant", "invscaling", "adaptive"),
    "learning_rate_init": _ABOVE_0,
    "power_t": _AT_LEAST_0,
    "max_iter": _COUNT,
    "shuffle": _TRUTH,
    "tol": _AT_LEAST_0,
    "verbose": (
        lambda value: _is_truth(value) or (_is_whole(value) and value >= 0),
        "True, False or a number >= 0",
    ),
    "warm_start": _TRUTH,
    "momentum": _SHARE,
    "nesterovs_momentum": _TRUTH,
    "early_stopping": _TRUTH,
    "validation_fraction": _SHARE,
    "beta_1": _SHARE,
    "beta_2": _SHARE,
    "epsilon": _ABOVE_0,
    "n_iter_no_change": (lambda value: value == np.inf or _positive(value), "a whole number >= 1, or infinity"),
    "max_fun": _COUNT,
    "n_threads": (lambda value: value is None or _positive(value), "None or a whole number >= 1"),
    "kernels": _one_of("auto", "numba", "numpy"),
    "preprocess": _one_of(None, "auto"),
    "pieces": (
        lambda value: value is None or (_is_whole(value) and value >= 0),
        "None or a whole number >= 0",
    ),
}


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Raise `UsageError` for the first parameter that cannot be used."""
    for name, (holds, said) in RULES.items():
        if not holds(parameters[name]):
            raise UsageError(name, f"must be {said}, got {parameters[name]!r}")
    if parameters["pieces"] and parameters["preprocess"] is None:
        raise UsageError("pieces", 'goes with preprocess="auto": without it, numbers are taken as they are')


def take_hidden_sizes(sizes: Any) -> list[int]:
    """Return the units of the hidden layers: one number stands for one layer."""
    units = list(sizes) if isinstance(sizes, Iterable) else [sizes]
    if not all(map(_positive, units)):
        raise UsageError("hidden_layer_sizes", f"must be whole numbers > 0, got {sizes!r}")
    return [int(one) for one in units]


def take_activation(activation: Any) -> Any:
    """Return an activation, or one for each layer, by glassnet's names."""
    if isinstance(activation, list | tuple):
        return [take_activation(one) for one in activation]
    return ACTIVATIONS.resolve(
        OTHER_NAMES.get(activation, activation) if isinstance(activation, str) else activation
    )
