"""The rules by which evidence becomes diagnoses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from glassnet.locales.catalogue import Message
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.health.evidence import Evidence
from glassnet.training.health.remedies import (
    ENOUGH,
    SCALED,
    UNLEARNED,
    Remedy,
    find_wide_start,
    fitting_initializer,
    higher_rate,
    is_sick,
    lower_rate,
    narrow_start,
    normalisation,
    present_rate,
    rate_cause,
    set_options,
    unscaled_inputs,
    usual_rate,
    why_too_large,
    wide_start_cause,
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

#: Gradient descent recovers from steps up to twice as large as theory has it stable (Lewkowycz et al. 2020).
CATAPULT = 2.0

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
    """Say what is wrong with a network: what makes it sick, the likeliest root cause first, and then remarks."""
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
    targets = {"target_low": base.low, "target_high": base.high}
    return Diagnosis(
        "unreachable-targets",
        is_sick(evidence),
        Message("causes.unreachable-targets", scale=k, activation=activation.name, low=low, high=high, **targets),
        layer=len(network.W),
        evidence={"output_low": low, "output_high": high, **targets},
        remedy=set_options("output", "network", {"output_activation": "identity", "output_scale": 1.0}),
    )


def _unscaled_inputs(evidence: Evidence) -> Diagnosis | None:
    """Inputs that are far too large or too small."""
    rms, spread = evidence.probe.input_spread, evidence.start.layers[0].pre_activation_spread
    if SCALED[0] <= rms <= SCALED[1] or any(evidence.network.batch_norm):
        return None
    cause, remedy = unscaled_inputs(evidence)
    return Diagnosis(
        "unscaled-inputs",
        is_sick(evidence),
        cause,
        layer=1,
        evidence={"input_spread": rms, "pre_activation_spread": spread},
        remedy=remedy,
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


def _dead_units(evidence: Evidence) -> Diagnosis | None:
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
    if since > 0:
        return why_too_large(evidence)
    if network.bias_initializer != "zeros":
        return Message("causes.dead-by-biases", initializer=network.bias_initializer), zero_biases()
    return Message("causes.dead-by-weights", initializer=network.initializer), fitting_initializer(evidence)


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
    spreads = [one.pre_activation_spread for one in start.layers]
    return Diagnosis(
        "vanishing-signal",
        True,
        Message("causes.vanishing-signal", initializer=evidence.network.initializer, spreads=spreads),
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
        Message("causes.vanishing-gradients", layers=len(start.hidden), ratio=ratio),
        layer=1,
        evidence={"gradient_ratio": ratio},
        remedy=normalisation(Message("remedies.batch-normalisation")),
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


def _oscillating_loss(evidence: Evidence) -> Diagnosis | None:
    """The loss jumps about instead of falling."""
    if evidence.divergence is not None or find_wide_start(evidence) is not None:
        return None
    rises, sick, update = _rises(evidence), is_sick(evidence), evidence.largest_update
    too_large = sick and (update >= HUGE or present_rate(evidence) > CATAPULT * evidence.stable_rate)
    if rises < RISING and not too_large:
        return None
    return Diagnosis(
        "oscillating-loss",
        sick,
        Message("causes.oscillating-loss", update=update, why=rate_cause(evidence)),
        since=evidence.first_step,
        evidence={"largest_update": update, "rises": rises, "loss": evidence.end.loss},
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
        Message("causes.slow-learning", update=update, loss=_loss(evidence)),
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
        Message("causes.stuck-loss", loss=_loss(evidence)),
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
        Message("causes.unfinished", loss=_loss(evidence), left=left),
        since=evidence.end.step,
        evidence={"unlearned": left},
        remedy=higher_rate(evidence),
    )


def _loss(evidence: Evidence) -> Message:
    return Message("causes.loss", loss=evidence.end.loss, constant=evidence.baseline.loss)


def _constant_output(evidence: Evidence) -> Diagnosis | None:
    """Every row gets the same answer."""
    base, end = evidence.baseline, evidence.end
    span = CONSTANT * (base.high - base.low)
    if evidence.divergence is not None or end.step == 0 or not end.output_spread < span:
        return None
    answers = {"answer": list(end.outputs), "best": list(base.answer)}
    return Diagnosis(
        "constant-output",
        is_sick(evidence),
        Message("causes.constant-output", **answers, loss=end.loss, constant=base.loss),
        layer=len(end.layers),
        since=evidence.since([one.output_spread < span for one in evidence.vitals]),
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
    lowest, end = float(losses.min()), float(losses[-1])
    cause = Message("causes.over-fitting", lowest=lowest, epoch=best.epoch, last=end, train=last.train_loss)
    remedy = set_options("early stopping", "training", {"early_stopping": "patience(5)"})
    if evidence.drawn < evidence.rows:
        cause = Message("causes.over-fitting-few-rows", risen=cause, drawn=evidence.drawn, rows=evidence.rows)
        remedy = Remedy("rows", Message("remedies.all-rows"), {"training": {"sampling": "fresh"}})
    return Diagnosis(
        "over-fitting",
        last.validation_accuracy is not None and gap >= APART and evidence.end.step >= ENOUGH,
        cause,
        since=best.epoch * (evidence.end.step // len(history)),
        evidence={"lowest": lowest, "last": end, "gap": gap},
        remedy=remedy,
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
