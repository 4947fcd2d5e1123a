"""The formulas of a network and an optimizer as loops, and as the texts by which a step calls them."""

from __future__ import annotations

from typing import Any

from glassnet.compiled.loops import Loop
from glassnet.compiled.sources import loop_source, strip_source, update_source
from glassnet.compiled.tracing import REDUCTIONS, ROW, UntraceableError, array, in_order, row, scalar, trace
from glassnet.nn.activations import Activation
from glassnet.nn.losses import Loss
from glassnet.nn.network import Network
from glassnet.nn.update import Update

#: Formulas that are kept at most.
MOST_KNOWN = 32

#: Those of networks and optimizers before, by all that they depend on.
_known: dict[Any, Formulas] = {}


def find_formulas(network: Network, update: Update) -> Formulas:
    """Return the formulas of a network and an optimizer, those of an earlier one where they are the same.

    The rules of this package are the same whatever their numbers are, such as the learning rate. Functions of the
    user's own are traced anew: what they read beside their arguments may have changed.
    """
    optimizer = update.optimizer
    functions = [type(optimizer), network.loss.formula]
    functions += [f for activation in network.activations for f in (activation.f, activation.f_prime)]
    if not all(_is_ours(function) for function in functions):
        return Formulas(network, update)
    changes = [bool(update.l1), bool(update.l2), bool(update.weight_decay), update.clip_value, update.ema is None]
    kind = (
        type(network), tuple(network.activations), network.loss, network.output_scale, network.theta.dtype,
        type(optimizer), *changes,
    )  # fmt: skip
    try:
        return _known[kind]
    except KeyError:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[kind] = Formulas(network, update)
        return _known[kind]
    except TypeError:  # kinks that are a list
        return Formulas(network, update)


def _is_ours(function: Any) -> bool:
    """Whether a function, or what a `functools.partial` is one of, stands in this package."""
    return str(getattr(getattr(function, "func", function), "__module__", "")).startswith("glassnet.")


class Formulas:
    """The loops of a network's and an optimizer's formulas, as texts that are compiled: a `Source` for each.

    Attributes
    ----------
    kinds : list of int
        For each hidden layer, which of ``activate`` and ``slope`` is its own: layers share them.
    activate, slope : list of Source
        For rows of a layer: Z + b and f of it; delta times f' and the sum over rows.
    output_row, update : Source
        The outputs with loss and delta; the optimizer's rule.
    scalars : list of Symbol
        What the rule needs to know of each step. ``scalar_parts`` are these and what they are made of, in order.
    scratch_rows : int
        Rows of scratch that the loops over a row use at most.

    Raises `UntraceableError` if a formula does what loops cannot be written for.
    """

    def __init__(self, network: Network, update: Update) -> None:
        for thing, base in ((network, Network), (network.loss, Loss)):
            if type(thing) is not base:
                raise UntraceableError(f"{type(thing).__name__} may do other than {base.__name__}")
        if not update.elementwise:
            raise UntraceableError(f"{type(update.optimizer).__name__} has a step of its own")
        self.dtype = network.theta.dtype
        hidden = network.activations[:-1]  # not all can be hashed
        activations = [activation for n, activation in enumerate(hidden) if activation not in hidden[:n]]
        self.kinds = [activations.index(activation) for activation in hidden]
        loops = [loop for one in activations for loop in (self._activate(one), self._slope(one))]
        output = self._output(network.activations[-1], network.loss, network.output_scale)
        names = [one.name for one in activations for _ in range(2)]
        sources = [
            strip_source(loop, name, self.dtype, {"b", "db"}) for loop, name in zip(loops, names, strict=True)
        ]
        self.activate, self.slope = sources[::2], sources[1::2]
        self.output_row = loop_source(output, network.loss.name, self.dtype)
        rule = self._update(update)
        self.update = update_source(rule, update.optimizer.name, self.dtype)
        self.scalars, self.scalar_parts = rule.scalars, tuple(in_order(rule.scalars))
        self.scratch_rows = max(loop.scratch_rows for loop in (*loops, output))

    def _array(self, name: str) -> Any:
        return array(name, self.dtype)

    def _activate(self, activation: Activation) -> Loop:
        Z = self._array("z") + self._array("b")
        return _elementwise(Loop("activate", ["z", "b", "h"], {"z": Z, "h": trace(activation.f, Z)}))

    def _slope(self, activation: Activation) -> Loop:
        delta = self._array("delta") * trace(activation.f_prime, self._array("z"), self._array("h"))
        return _elementwise(Loop("slope", ["delta", "z", "h", "db"], {"delta": delta}, {"db": delta}))

    def _output(self, activation: Activation, loss: Loss, output_scale: float) -> Loop:
        Z = self._array("z") + self._array("b")
        H = trace(activation.f, Z)
        outputs = output_scale * H
        value, slope = _several(trace(loss.formula, outputs, self._array("targets")), 2)
        if value.level != ROW:
            raise UntraceableError(f"{loss.name} gives no single number a row")
        delta = row("scale", self.dtype) * slope * trace(activation.f_prime, Z, H)
        return Loop(
            "output_row",
            ["z", "b", "targets", "outputs", "delta"],
            {"outputs": outputs, "delta": delta},
            {},
            value,
            ["scale"],
        )

    def _update(self, update: Update) -> Loop:
        memory = [f"memory_{number}" for number in range(update.memory_vectors)]
        numbers = {name: scalar(name, self.dtype) for name in update.numbers(1, 1.0, weights=True)}
        vectors = [self._array(name) for name in ("theta", "g", *memory)]
        new = _several(trace(update.rule, *vectors, **numbers), 1 + len(memory))
        stores = dict(zip(["theta", *memory], new, strict=True))
        return _elementwise(Loop("update_row", ["theta", "g", *memory], stores))


def _several(values: Any, count: int) -> tuple[Any, ...]:
    """Return the values of a formula, or refuse it where it does not give so many."""
    if not isinstance(values, tuple) or len(values) != count:
        raise UntraceableError(f"a formula that does not return {count} values")
    return values


def _elementwise(loop: Loop) -> Loop:
    """Return the loop, or refuse it where it adds up a row: only a loss is given whole rows."""
    if any(symbol.operation in REDUCTIONS for symbol in in_order(loop.stores.values())):
        raise UntraceableError("a sum, or the like, over the units of a layer or over parameters")
    return loop
