"""What of a network a graph shows node by node, and what it folds into matrices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypedDict

import numpy as np

from glassnet.errors import UsageError
from glassnet.locales.catalogue import Language
from glassnet.nn.activations import Array
from glassnet.nn.backpropagation import ForwardCache
from glassnet.nn.network import Network

LEVELS = ("operations", "neurons", "matrices")

#: More multipliers than these are no longer read one by one.
MOST_MULTIPLIERS = 48

#: A layer with more units is folded: the units that matter most are shown, the rest as one.
MOST_UNITS = 10
SHOWN_UNITS = 5


class ViewOptions(TypedDict, total=False):
    """What chooses a view, see `glassnet.graph.computation_graph.ComputationGraph`."""

    level: str | None
    neuron: tuple[int, int] | None
    path: Sequence[int] | None
    training: bool | None
    language: Language
    input_names: Sequence[str]


@dataclass(frozen=True)
class View:
    """A level, and the units of every layer 0..L that stand alone in it.

    The units `alone` are built from single operations, all others are folded into one matrix a layer. The units
    `inputs` enter a neuron of the next layer one by one, the others as one product.
    """

    level: str
    alone: tuple[tuple[int, ...], ...]
    inputs: tuple[tuple[int, ...], ...]


def count_multipliers(layers: Sequence[int]) -> int:
    """Return the multipliers of a network with one unit a node: one for each weight."""
    return sum(d_in * d_out for d_in, d_out in pairwise(layers))


def list_readable_levels(layers: Sequence[int]) -> list[str]:
    """Return the levels that show a network whole, the most detailed first."""
    readable = (count_multipliers(layers) <= MOST_MULTIPLIERS, max(layers) <= MOST_UNITS, True)
    return [level for level, is_readable in zip(LEVELS, readable, strict=True) if is_readable]


def choose_view(
    network: Network,
    X: Array,
    targets: Array,
    level: str | None = None,
    neuron: tuple[int, int] | None = None,
    path: Sequence[int] | None = None,
    training: Array | None = None,
) -> View:
    """Return the view that is asked for, by default the most detailed one that shows the network whole.

    Network, batch and targets decide which units matter most. At most one of level, neuron and path is given, see
    `glassnet.graph.computation_graph.ComputationGraph`. `UsageError` says what the network does not have, or could
    not be read.
    """
    if sum(choice is not None for choice in (level, neuron, path)) > 1:
        raise UsageError("level", "goes alone: take one of level, neuron and path")
    layers = network.layers
    with np.errstate(all="ignore"):  # numbers that overflow are found when the graph is gone through
        cache = network.forward(X, training)
        if neuron is not None:
            return _view_neuron(network, cache, neuron)
        if path is not None:
            return _view_path(network, cache, targets, path)
    if level is None:
        level = list_readable_levels(layers)[0]
    if level not in LEVELS:
        raise UsageError("level", f"must be {', '.join(LEVELS[:-1])} or {LEVELS[-1]}, got {level!r}")
    if level == "operations" and level not in list_readable_levels(layers):
        raise UsageError(
            "level",
            f"operations would draw {count_multipliers(layers):,} multipliers, and {MOST_MULTIPLIERS} can be "
            f"read; take {' or '.join(list_readable_levels(layers))}, or one neuron, or a path from an input to "
            "the loss",
        )
    if level == "matrices":
        nothing: tuple[tuple[int, ...], ...] = ((),) * len(layers)
        return View(level, nothing, nothing)
    with np.errstate(all="ignore"):
        units = tuple(
            tuple(range(size)) if level == "operations" else _choose_units(network, cache, targets, layer)
            for layer, size in enumerate(layers)
        )
    return View(level, units, units)


def _choose_units(network: Network, cache: ForwardCache, targets: Array, layer: int) -> tuple[int, ...]:
    """Return the units of a layer that weigh most in what follows."""
    if layer < len(network.W):
        weight = np.abs(cache.inputs[layer]).mean(axis=0) * np.linalg.norm(network.W[layer], axis=1)
    else:
        weight = _measure_slopes(network, cache, targets)
    return _choose_largest(weight)


def _choose_largest(weight: Array) -> tuple[int, ...]:
    """Return, in their order, the places of the largest numbers of many, of few all."""
    count = len(weight) if len(weight) <= MOST_UNITS else SHOWN_UNITS
    return tuple(sorted(int(unit) for unit in np.argsort(-weight, kind="stable")[:count]))


def _measure_slopes(network: Network, cache: ForwardCache, targets: Array) -> Array:
    """Return how strongly the loss pulls at each output."""
    _, slope = network.loss.formula(cache.outputs, targets)
    return np.abs(slope).mean(axis=0)


def _view_neuron(network: Network, cache: ForwardCache, neuron: tuple[int, int]) -> View:
    layer, unit = _check_whole_numbers("neuron", neuron, 2, "a layer and a unit")
    if not 1 <= layer < len(network.layers):
        raise UsageError(
            "neuron", f"layer {layer} does not exist; the layers with neurons are 1 to {len(network.W)}"
        )
    _check_unit(network, "neuron", layer, unit)
    inputs = _choose_largest(_measure_terms(network, cache, layer - 1, unit))
    entering = tuple(inputs if at == layer - 1 else () for at in range(len(network.layers)))
    alone = (entering[0], *((unit,) if at == layer else () for at in range(1, len(network.layers))))
    return View("operations", alone, entering)


def _view_path(network: Network, cache: ForwardCache, targets: Array, path: Any) -> View:
    if np.size(path) == 0:
        path = _find_strongest_path(network, cache, targets)
    size = len(network.layers)
    chosen = _check_whole_numbers("path", path, size, f"one unit for each of the {size} layers")
    for layer, unit in enumerate(chosen):
        _check_unit(network, "path", layer, unit)
    units = tuple((unit,) for unit in chosen)
    return View("operations", units, units)


def _check_whole_numbers(parameter: str, values: Any, count: int, what: str) -> list[int]:
    """Return so many whole numbers, or raise `UsageError` saying what they should be."""
    numbers = list(values) if isinstance(values, Iterable) and not isinstance(values, str) else [values]
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in numbers)
    if len(numbers) != count or not whole:
        raise UsageError(parameter, f"needs {what}, got {repr(values) if not whole else len(numbers)}")
    return [int(number) for number in numbers]


def _find_strongest_path(network: Network, cache: ForwardCache, targets: Array) -> list[int]:
    """Return, from the output that is farthest off, always the unit that adds most to the next one."""
    path = [int(np.argmax(_measure_slopes(network, cache, targets)))]
    for layer in reversed(range(len(network.W))):
        path.insert(0, int(np.argmax(_measure_terms(network, cache, layer, path[0]))))
    return path


def _measure_terms(network: Network, cache: ForwardCache, layer: int, unit: int) -> Array:
    """Return how much each unit of a layer adds to the sum of a unit of the next one."""
    return np.abs(cache.inputs[layer]).mean(axis=0) * np.abs(network.W[layer][:, unit])


def _check_unit(network: Network, parameter: str, layer: int, unit: int) -> None:
    if not 0 <= unit < network.layers[layer]:
        raise UsageError(
            parameter, f"layer {layer} has no unit {unit}; its units are 0 to {network.layers[layer] - 1}"
        )
