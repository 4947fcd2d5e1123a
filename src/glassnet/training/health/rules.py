"""The rules by which evidence becomes diagnoses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from glassnet.training.health.causes import (
    ENOUGH,
    UNLEARNED,
    is_sick,
    is_unscaled,
    is_unstable,
    narrowed,
    rate_text,
    scaled_inputs,
    too_wide,
    unscaled_text,
    why_too_large,
    wide_text,
)
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.health.evidence import Evidence
from glassnet.training.health.remedies import (
    Remedy,
    all_rows,
    early_stopping,
    fitting_initializer,
    higher_rate,
    linear_output,
    lower_rate,
    normalisation,
    usual_rate,
    zero_biases,
)
from glassnet.training.health.vitals import LayerVitals, bounded

#: A layer is sick where so many of its units are, or so much of what it gives is flat; dead units make it a remark
#: from `MOST` on, and sick from `NEARLY_ALL`.
MOST, NEARLY_ALL = 0.5, 0.75

#: A signal, or the gradient of the first layer beside the last's, is lost below these.
FAINT, VANISHED = 1e-3, 1e-2

#: |step of W| / |W| below which nothing is learned in reasonable time, and above which steps are too large; and
#: the share of the training loss's way, over the latter half of the epochs, that goes up where it oscillates.
TINY, HUGE, RISING = 1e-3, 2e-2, 0.4

#: Changes of the training loss from epoch to epoch that are noise, as a share of it.
ROUGH = 0.05

#: What is left unlearned where nothing was learned; and the loss beside that of halfway where it still falls.
NOTHING, FALLS = 0.95, 0.97

#: The output is constant where its spread over the rows is below this share of the range of the targets.
CONSTANT = 0.01

#: Over-fitting: the validation loss has risen above its lowest by this share; and is sick where the accuracies
#: on training and validation rows are so far apart.
RISEN, APART = 0.1, 0.15


def diagnose(evidence: Evidence) -> list[Diagnosis]:
    """Say what is wrong with a network: what makes it sick, the likeliest root cause first, and then remarks.

    Parameters
    ----------
    evidence : Evidence
        Of a run that has ended, or goes on.
    """
    found: list[Diagnosis] = []
    for rule in RULES:
        asked = rule not in UNEXPLAINED or (
            evidence.end.step >= ENOUGH and not any(diagnosis.sick for diagnosis in found)
        )
        diagnosis = rule(evidence) if asked else None
        if diagnosis is not None and diagnosis.kind not in [other.kind for other in found]:
            found.append(diagnosis)
    return sorted(found, key=lambda diagnosis: not diagnosis.sick)


def certain(evidence: Evidence) -> list[Diagnosis]:
    """Say what will not heal by itself, as soon as it is seen."""
    rules = (_unreachable_targets, _duplicated_units, _dead_layer) if evidence.end.step >= 4 else ()
    found = [rule(evidence) for rule in rules]
    return [replace(diagnosis, sick=True) for diagnosis in found if diagnosis is not None]


def _share(units: tuple[int, ...], layer: LayerVitals) -> float:
    return len(units) / layer.units


def _duplicated_units(evidence: Evidence) -> Diagnosis | None:
    """Units that start equal stay equal, and count as one."""
    initializer = evidence.network.initializer
    if evidence.end.step == 0 and not is_sick(evidence):
        return None
    for first, last in zip(evidence.start.hidden, evidence.end.hidden, strict=True):
        if first.units > 1 and _share(first.duplicated, first) == 1 and _share(last.duplicated, last) >= MOST:
            return Diagnosis(
                "duplicated-units",
                is_sick(evidence),
                f"the {first.units} units start with equal weights (initializer {initializer}) and get equal "
                "gradients: they stay one and the same unit",
                layer=first.layer,
                units=last.duplicated,
                evidence={"units": first.units, "duplicated": len(last.duplicated)},
                remedy=fitting_initializer(evidence),
            )
    return None


def _unreachable_targets(evidence: Evidence) -> Diagnosis | None:
    """The output's activation cannot give what the targets ask for."""
    network, base = evidence.network, evidence.baseline
    if network.loss.output is not None:
        return None
    activation, k = network.activations[-1], network.output_scale
    reach = k * activation.f(np.array([-1e4, -30.0, 0.0, 30.0, 1e4]))
    low, high = float(reach.min()), float(reach.max())
    slack = 0.01 * (base.high - base.low)
    if low - slack <= base.low and base.high <= high + slack:
        return None
    return Diagnosis(
        "unreachable-targets",
        is_sick(evidence),
        f"the output, {k:g} times {activation.name}, lies between {low:.3g} and {high:.3g}; the targets go from "
        f"{base.low:.3g} to {base.high:.3g}",
        layer=len(network.W),
        evidence={"output_low": low, "output_high": high, "target_low": base.low, "target_high": base.high},
        remedy=linear_output(),
    )


def _unscaled_inputs(evidence: Evidence) -> Diagnosis | None:
    """Inputs that are far too large or too small."""
    if not is_unscaled(evidence):
        return None
    spread = evidence.start.layers[0].pre_activation_spread
    return Diagnosis(
        "unscaled-inputs",
        is_sick(evidence),
        unscaled_text(evidence),
        layer=1,
        evidence={"input_spread": evidence.input_spread, "pre_activation_spread": spread},
        remedy=scaled_inputs(evidence),
    )


def _divergence(evidence: Evidence) -> Diagnosis | None:
    """NaN or infinity."""
    lost = evidence.divergence
    if lost is None:
        return None
    cause, remedy = why_too_large(evidence)
    numbers = {"learning_rate": evidence.optimizer.learning_rate, "usual_learning_rate": usual_rate(evidence)}
    return Diagnosis("divergence", True, cause, layer=lost.layer, since=lost.step, evidence=numbers, remedy=remedy)


def _wide_start(evidence: Evidence) -> Diagnosis | None:
    """First weights or biases that put a layer out of range."""
    found = too_wide(evidence)
    if found is None or not is_sick(evidence):
        return None
    kind, layer = found
    return Diagnosis(
        kind,
        True,
        wide_text(evidence, kind, layer),
        layer=layer.layer,
        units=layer.saturated,
        evidence={
            "pre_activation_spread": layer.pre_activation_spread,
            "flat_share": layer.flat_share,
            "first_loss": evidence.start.loss,
            "constant_loss": evidence.baseline.loss,
        },
        remedy=narrowed(evidence, layer),
    )


def _dead_units(evidence: Evidence) -> Diagnosis | None:
    """Units that give 0 on every row, and that no gradient reaches."""
    grave = [layer for layer in evidence.end.layers if _share(layer.dead, layer) >= NEARLY_ALL]
    layer = grave[0] if grave else max(evidence.end.layers, key=lambda one: _share(one.dead, one))
    if _share(layer.dead, layer) < MOST:
        return None
    flags = [_share(one.dead, one) >= MOST for one in evidence.layer_over_time(layer.layer)]
    since = evidence.since(np.array(flags))
    cause, remedy = _why_dead(evidence, since)
    return Diagnosis(
        "dead-units",
        is_sick(evidence) and bool(grave),
        f"{len(layer.dead)} of {layer.units} units give 0 on every row, and no gradient reaches them: {cause}",
        layer=layer.layer,
        units=layer.dead,
        since=since,
        evidence={"dead": len(layer.dead), "units": layer.units, "largest_update": evidence.largest_update},
        remedy=remedy,
    )


def _why_dead(evidence: Evidence, since: int) -> tuple[str, Remedy]:
    network = evidence.network
    if since > 0:
        return why_too_large(evidence)
    if network.bias_initializer != "zeros":
        return f"biases from {network.bias_initializer} put them out of reach from the start", zero_biases()
    return f"{network.initializer} left them so", fitting_initializer(evidence)


def _dead_layer(evidence: Evidence) -> Diagnosis | None:
    """A whole layer that has been dead for two examinations: nothing before it learns again."""
    found = _dead_units(evidence)
    if found is None or found.layer is None:
        return None
    latest = evidence.layer_over_time(found.layer)[-2:]
    return found if len(latest) == 2 and all(_share(layer.dead, layer) == 1 for layer in latest) else None


def _vanishing_signal(evidence: Evidence) -> Diagnosis | None:
    """The signal is lost on its way through the layers, from the start."""
    start = evidence.start
    faint = [layer for layer in start.layers if layer.pre_activation_spread < FAINT]
    if not faint or not is_sick(evidence) or any(_share(layer.dead, layer) == 1 for layer in start.hidden):
        return None
    spreads = ", ".join(f"{one.pre_activation_spread:.2g}" for one in start.layers)
    return Diagnosis(
        "vanishing-signal",
        True,
        f"{evidence.network.initializer} lets the signal fade: the spread of the pre-activations is, layer by "
        f"layer, {spreads}",
        layer=faint[0].layer,
        evidence={"pre_activation_spread": faint[0].pre_activation_spread},
        remedy=fitting_initializer(evidence),
    )


def _vanishing_gradients(evidence: Evidence) -> Diagnosis | None:
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
        f"on its way back through {len(start.hidden)} layers the gradient shrinks: beside its weights, that of "
        f"layer 1 is {ratio:.1g} times that of the last",
        layer=1,
        evidence={"gradient_ratio": ratio},
        remedy=normalisation("batch normalisation, which keeps its size"),
    )


def _saturated_units(evidence: Evidence) -> Diagnosis | None:
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
        cause, remedy = why_too_large(evidence)
        return Diagnosis(
            "saturated-units",
            True,
            f"{layer.flat_share:.0%} of what layer {layer.layer} gives is where {activation.name} is flat, and "
            f"hardly any gradient comes back: {cause}",
            layer=layer.layer,
            units=layer.saturated,
            since=evidence.since(np.array(flags)),
            evidence={"flat_share": layer.flat_share, "pre_activation_spread": layer.pre_activation_spread},
            remedy=remedy,
        )
    return None


def _oscillating_loss(evidence: Evidence) -> Diagnosis | None:
    """The loss jumps about instead of falling."""
    if evidence.divergence is not None or too_wide(evidence) is not None:
        return None
    rises, sick = _rises(evidence), is_sick(evidence)
    if rises < RISING and not (sick and (evidence.largest_update >= HUGE or is_unstable(evidence))):
        return None
    return Diagnosis(
        "oscillating-loss",
        sick,
        f"a step moves the weights by up to {evidence.largest_update:.2g} of their size, and the loss jumps "
        f"about: {rate_text(evidence)}",
        since=evidence.first_step,
        evidence={"largest_update": evidence.largest_update, "rises": rises, "loss": evidence.end.loss},
        remedy=lower_rate(evidence),
    )


def _rises(evidence: Evidence) -> float:
    """Return how much of the training loss's way, over the latter half of the epochs, went up."""
    losses = np.array([record.train_loss for record in evidence.history])
    way = np.diff(losses[len(losses) // 2 :])
    if len(way) < 4 or not np.isfinite(way).all() or np.abs(way).mean() <= ROUGH * np.abs(losses).mean():
        return 0.0
    return float(way[way > 0].sum() / np.abs(way).sum())


def _slow_learning(evidence: Evidence) -> Diagnosis | None:
    """The steps are too small."""
    update = evidence.largest_update
    if not is_sick(evidence) or update >= TINY:
        return None
    return Diagnosis(
        "slow-learning",
        True,
        f"a step moves the weights by {update:.1g} of their size, where 1e-3 is usual; {_loss_text(evidence)}",
        since=evidence.first_step,
        evidence={"largest_update": update, "learning_rate": evidence.optimizer.learning_rate},
        remedy=higher_rate(evidence),
    )


def _stuck_loss(evidence: Evidence) -> Diagnosis | None:
    """Nothing was learned, and nothing says why."""
    before = [one for one in evidence.vitals if one.step <= 0.6 * evidence.end.step][-1]
    falls = evidence.end.loss < FALLS * before.loss
    if evidence.unlearned(evidence.end) < NOTHING or falls or not is_sick(evidence):
        return None
    return Diagnosis(
        "stuck-loss",
        True,
        f"{_loss_text(evidence)}: nothing of what tells the rows apart was learned, though the steps are neither "
        "too large nor too small; do the targets belong to the rows?",
        evidence={"loss": evidence.end.loss, "constant_loss": evidence.baseline.loss},
    )


def _unfinished(evidence: Evidence) -> Diagnosis | None:
    """The network learns, but has not come far."""
    left = evidence.unlearned(evidence.end)
    if left < UNLEARNED:
        return None
    return Diagnosis(
        "unfinished",
        False,
        f"{_loss_text(evidence)}: {left:.0%} is left to learn",
        since=evidence.end.step,
        evidence={"unlearned": left},
        remedy=higher_rate(evidence),
    )


def _loss_text(evidence: Evidence) -> str:
    return f"the loss is {evidence.end.loss:.4g}, that of the best constant answer {evidence.baseline.loss:.4g}"


def _constant_output(evidence: Evidence) -> Diagnosis | None:
    """Every row gets the same answer."""
    base, end = evidence.baseline, evidence.end
    span = CONSTANT * (base.high - base.low)
    if evidence.divergence is not None or end.step == 0 or not end.output_spread < span:
        return None
    answer, best = (", ".join(f"{value:.3g}" for value in values) for values in (end.outputs, base.answer))
    return Diagnosis(
        "constant-output",
        is_sick(evidence),
        f"every row gets the answer {answer}, which costs {end.loss:.4g} a row; the best constant, {best}, costs "
        f"{base.loss:.4g}",
        layer=len(end.layers),
        since=evidence.since(np.array([one.output_spread < span for one in evidence.vitals])),
        evidence={
            "answer": end.outputs[0],
            "loss": end.loss,
            "best_answer": base.answer[0],
            "constant_loss": base.loss,
        },
    )


def _over_fitting(evidence: Evidence) -> Diagnosis | None:
    """The validation loss rises while the training loss falls."""
    history = evidence.history
    known = [record.validation_loss for record in history]
    if len(known) < 2 or None in known or evidence.training.early_stopping is not None:
        return None
    losses = np.array(known, np.float64)
    best, last = history[int(losses.argmin())], history[-1]
    if not losses[-1] > (1 + RISEN) * losses.min() or last.train_loss >= best.train_loss:
        return None
    gap = (last.train_accuracy or 0.0) - (last.validation_accuracy or 0.0)
    few = evidence.drawn < evidence.rows
    seen = f"; only {evidence.drawn:,} of {evidence.rows:,} training rows are ever drawn" if few else ""
    return Diagnosis(
        "over-fitting",
        last.validation_accuracy is not None and gap >= APART and evidence.end.step >= ENOUGH,
        f"the validation loss has risen from {losses.min():.4g}, after epoch {best.epoch}, to {losses[-1]:.4g}, "
        f"while the training loss fell to {last.train_loss:.4g}{seen}",
        since=best.epoch * (evidence.end.step // len(history)),
        evidence={"lowest": float(losses.min()), "last": float(losses[-1]), "gap": gap},
        remedy=all_rows() if few else early_stopping(),
    )


Rule = Callable[[Evidence], Diagnosis | None]

#: In the order of causes: what comes first explains what comes after it.
RULES: tuple[Rule, ...] = (
    _duplicated_units,
    _unreachable_targets,
    _unscaled_inputs,
    _divergence,
    _wide_start,
    _vanishing_signal,
    _dead_units,
    _vanishing_gradients,
    _saturated_units,
    _oscillating_loss,
    _slow_learning,
    _stuck_loss,
    _unfinished,
    _constant_output,
    _over_fitting,
)

#: Those that are not asked where another rule explains what they would find, nor before so many steps.
UNEXPLAINED = (_oscillating_loss, _slow_learning, _stuck_loss, _unfinished)
