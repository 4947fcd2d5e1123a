"""Rules about units and signals: what the layers of a network do to what goes through them."""

from __future__ import annotations

import numpy as np

from glassnet.locales.catalogue import Message
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.health.evidence import Evidence
from glassnet.training.health.remedies import (
    Remedy,
    find_wide_start,
    fitting_initializer,
    has_large_inputs,
    narrow_start,
    normalisation,
    set_options,
    why_too_large,
    wide_start_cause,
    zero_biases,
)
from glassnet.training.health.verdict import is_sick
from glassnet.training.health.vitals import LayerVitals, bounded

#: A layer is sick where so many of its units are, or so much of what it gives is flat; dead units make it a remark
#: from `MOST` on, and sick from `NEARLY_ALL`.
MOST, NEARLY_ALL = 0.5, 0.75

#: A signal, or the gradient of the first layer beside the last's, is lost below these.
FAINT, VANISHED = 1e-3, 1e-2


def _share(units: tuple[int, ...], layer: LayerVitals) -> float:
    return len(units) / layer.units


def find_duplicated_units(evidence: Evidence) -> Diagnosis | None:
    """Units that start equal stay equal, and count as one."""
    if evidence.end.step == 0 and not is_sick(evidence):
        return None
    for first, last in zip(evidence.start.hidden, evidence.end.hidden, strict=True):
        if first.units > 1 and _share(first.duplicated, first) == 1 and _share(last.duplicated, last) >= MOST:
            return Diagnosis(
                "duplicated-units",
                is_sick(evidence),
                Message("causes.duplicated-units", units=first.units, initializer=evidence.network.initializer),
                layer=first.layer,
                units=last.duplicated,
                evidence={"units": first.units, "duplicated": len(last.duplicated)},
                remedy=fitting_initializer(evidence),
            )
    return None


def find_unreachable_targets(evidence: Evidence) -> Diagnosis | None:
    """The output's activation cannot give what the targets ask for."""
    network, base = evidence.network, evidence.baseline
    if network.loss.output is not None:
        return None
    activation, k = network.activations[-1], network.output_scale
    with np.errstate(all="ignore"):
        reach = k * activation.f(np.array([-1e30, -30.0, 0.0, 30.0, 1e30]))
    low, high = float(reach.min()), float(reach.max())
    slack = 0.01 * (base.high - base.low)
    if low - slack <= base.low and base.high <= high + slack:
        return None
    targets = {"target_low": base.low, "target_high": base.high}
    return Diagnosis(
        "unreachable-targets",
        is_sick(evidence),
        Message("causes.unreachable-targets", scale=k, activation=activation.name, low=low, high=high, **targets),
        layer=len(network.W),
        evidence={"output_low": low, "output_high": high, **targets},
        remedy=set_options("output", "network", {"output_activation": "identity", "output_scale": 1.0}),
    )


def find_wide_starts(evidence: Evidence) -> Diagnosis | None:
    """First weights or biases that put a layer out of range."""
    found = find_wide_start(evidence)
    if found is None or not is_sick(evidence):
        return None
    kind, layer = found
    return Diagnosis(
        kind,
        True,
        wide_start_cause(evidence, kind, layer),
        layer=layer.layer,
        units=layer.saturated,
        evidence={
            "pre_activation_spread": layer.pre_activation_spread,
            "flat_share": layer.flat_share,
            "first_loss": evidence.start.loss,
            "constant_loss": evidence.baseline.loss,
        },
        remedy=narrow_start(evidence, layer),
    )


def find_dead_units(evidence: Evidence) -> Diagnosis | None:
    """Units that give 0 on every row, and that no gradient reaches."""
    grave = [layer for layer in evidence.end.layers if _share(layer.dead, layer) >= NEARLY_ALL]
    layer = grave[0] if grave else max(evidence.end.layers, key=lambda one: _share(one.dead, one))
    if _share(layer.dead, layer) < MOST:
        return None
    flags = [_share(one.dead, one) >= MOST for one in evidence.layer_over_time(layer.layer)]
    since = evidence.since(flags)
    why, remedy = _why_dead(evidence, since)
    return Diagnosis(
        "dead-units",
        is_sick(evidence) and bool(grave),
        Message("causes.dead-units", dead=len(layer.dead), units=layer.units, why=why),
        layer=layer.layer,
        units=layer.dead,
        since=since,
        evidence={"dead": len(layer.dead), "units": layer.units, "largest_update": evidence.largest_update},
        remedy=remedy,
    )


def _why_dead(evidence: Evidence, since: int) -> tuple[Message, Remedy]:
    network = evidence.network
    if since > 0 or has_large_inputs(evidence):
        return why_too_large(evidence)
    if network.bias_initializer != "zeros":
        return Message("causes.dead-by-biases", initializer=network.bias_initializer), zero_biases()
    return Message("causes.dead-by-weights", initializer=network.initializer), fitting_initializer(evidence)


def find_dead_layer(evidence: Evidence) -> Diagnosis | None:
    """A whole layer that has been dead for two examinations: nothing before it learns again."""
    found = find_dead_units(evidence)
    if found is None or found.layer is None:
        return None
    latest = evidence.layer_over_time(found.layer)[-2:]
    return found if len(latest) == 2 and all(_share(layer.dead, layer) == 1 for layer in latest) else None


def find_vanishing_signal(evidence: Evidence) -> Diagnosis | None:
    """The signal is lost on its way through the layers, from the start."""
    start = evidence.start
    faint = [layer for layer in start.layers if layer.pre_activation_spread < FAINT]
    if not faint or not is_sick(evidence) or any(_share(layer.dead, layer) == 1 for layer in start.hidden):
        return None
    spreads = [one.pre_activation_spread for one in start.layers]
    return Diagnosis(
        "vanishing-signal",
        True,
        Message("causes.vanishing-signal", initializer=evidence.network.initializer, spreads=spreads),
        layer=faint[0].layer,
        evidence={"pre_activation_spread": faint[0].pre_activation_spread},
        remedy=fitting_initializer(evidence),
    )


def find_vanishing_gradients(evidence: Evidence) -> Diagnosis | None:
    """The gradient is lost on its way back through the layers, from the start."""
    start = evidence.start
    if not is_sick(evidence) or len(start.hidden) < 3:
        return None
    relative = [layer.gradient_norm / max(layer.weight_norm, 1e-30) for layer in start.layers]
    ratio = relative[0] / max(relative[-1], 1e-30)
    if ratio >= VANISHED:
        return None
    return Diagnosis(
        "vanishing-gradients",
        True,
        Message("causes.vanishing-gradients", layers=len(start.hidden), ratio=ratio),
        layer=1,
        evidence={"gradient_ratio": ratio},
        remedy=normalisation(Message("remedies.batch-normalisation")),
    )


def find_saturated_units(evidence: Evidence) -> Diagnosis | None:
    """Units that training has pushed to where their activation is flat."""
    if not is_sick(evidence):
        return None
    for layer, activation in zip(evidence.end.hidden, evidence.network.activations, strict=False):
        flags = [
            _share(one.saturated, one) >= MOST or (bounded(activation) and one.flat_share >= MOST)
            for one in evidence.layer_over_time(layer.layer)
        ]
        if not flags[-1]:
            continue
        why, remedy = why_too_large(evidence)
        where = {"flat": layer.flat_share, "layer": layer.layer, "activation": activation.name}
        return Diagnosis(
            "saturated-units",
            True,
            Message("causes.saturated-units", **where, why=why),
            layer=layer.layer,
            units=layer.saturated,
            since=evidence.since(flags),
            evidence={"flat_share": layer.flat_share, "pre_activation_spread": layer.pre_activation_spread},
            remedy=remedy,
        )
    return None
