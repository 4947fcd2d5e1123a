"""Why a network is sick: the questions that several rules ask, and the answers."""

from __future__ import annotations

from glassnet.locales.catalogue import Message
from glassnet.nn.optimizers import LBFGS
from glassnet.training.health.evidence import Evidence, grows
from glassnet.training.health.remedies import (
    WIDEST,
    Remedy,
    fitting_initializer,
    lower_rate,
    normalisation,
    present_rate,
    usual_rate,
    zero_biases,
)
from glassnet.training.health.vitals import LayerVitals, bounded

#: A network is sick where it leaves so much unlearned (see `Evidence.unlearned`), or diverges.
UNLEARNED = 0.5

#: ... unless its answers are wrong this much more seldom than the best constant answer.
MISTAKEN = 0.25

#: Steps before which no network is expected to have learned.
ENOUGH = 50

#: A layer of sigmoids or tanhs starts saturated where its slope is flat on so many rows and units.
FLAT_START = 0.4

#: The loss of a sound start is about that of the best constant answer; so many times it is too much.
WIDE = 2.0

#: Inputs with a root mean square outside of this are not scaled.
SCALED = (0.02, 5.0)

#: Gradient descent recovers from steps up to twice as large as theory has it stable (Lewkowycz et al. 2020).
CATAPULT = 2.0


def is_sick(evidence: Evidence) -> bool:
    """Whether a network has diverged, or leaves half of what there is to learn unlearned.

    One that is right nearly everywhere is not sick, whatever its few mistakes cost. One that has taken a few steps
    only is not sick yet; one that has taken none is as sick as its start.
    """
    left, steps = evidence.unlearned(evidence.end), evidence.end.step
    if evidence.divergence is None and 0 < steps < ENOUGH:
        return False
    return evidence.divergence is not None or (left >= UNLEARNED and evidence.mistaken >= MISTAKEN)


def is_unscaled(evidence: Evidence) -> bool:
    """Whether the inputs are far from the size that networks expect, and nothing normalises them."""
    return not SCALED[0] <= evidence.input_spread <= SCALED[1] and not any(evidence.network.batch_norm)


def is_unstable(evidence: Evidence) -> bool:
    """Whether gradient descent cannot stay where it starts, by its sharpness there."""
    return present_rate(evidence) > CATAPULT * evidence.stable_rate


def find_wide_start(evidence: Evidence) -> tuple[str, LayerVitals] | None:
    """Return the kind and the first layer of what is wrong, where the first pre-activations are too large."""
    start = evidence.start
    for layer, activation in zip(start.hidden, evidence.network.activations, strict=False):
        if bounded(activation) and layer.flat_share >= FLAT_START:
            return "saturated-units", layer
    wide = [layer for layer in start.layers if not layer.pre_activation_spread <= WIDEST]
    return ("exploding-signal", wide[0]) if wide and evidence.unlearned(start) > WIDE else None


def wide_start_cause(evidence: Evidence, kind: str, layer: LayerVitals) -> Message:
    """Return what makes the first pre-activations too large."""
    network = evidence.network
    activation = network.activations[layer.layer - 1].name
    if _is_shifted(evidence, layer):
        return Message(
            "causes.shifted-start",
            initializer=network.bias_initializer,
            mean=layer.pre_activation_mean,
            flat=layer.flat_share,
            activation=activation,
        )
    start = Message(
        "causes.wide-start",
        initializer=network.initializer,
        inputs=network.layers[layer.layer - 1],
        spread=layer.pre_activation_spread,
        spreads=[one.pre_activation_spread for one in evidence.start.layers],
    )
    if kind == "saturated-units":
        return Message("causes.wide-saturated", start=start, flat=layer.flat_share, activation=activation)
    powers = [one.name for one in network.activations if grows(one)]
    times = evidence.unlearned(evidence.start)
    if powers:
        return Message("causes.wide-powers", start=start, activation=powers[0], times=times)
    return Message("causes.wide-loss", start=start, times=times)


def narrow_start(evidence: Evidence, layer: LayerVitals) -> Remedy:
    """Return what brings a start that is too wide back into the range of its activations."""
    if evidence.input_spread > SCALED[1]:
        return scaled_inputs(evidence)
    return zero_biases() if _is_shifted(evidence, layer) else fitting_initializer(evidence)


def _is_shifted(evidence: Evidence, layer: LayerVitals) -> bool:
    """Whether it is the biases that put a layer out of range."""
    shifted = abs(layer.pre_activation_mean) > 2 * layer.pre_activation_spread
    return shifted and evidence.network.bias_initializer != "zeros"


def unscaled_cause(evidence: Evidence) -> Message:
    """Return how large the inputs are."""
    return Message("causes.unscaled-inputs", rms=evidence.input_spread)


def scaled_inputs(evidence: Evidence) -> Remedy:
    """Return what brings inputs to the size that networks expect."""
    return normalisation(Message("remedies.scale-inputs", size=float(f"{evidence.input_spread:.1g}")))


def why_too_large(evidence: Evidence) -> tuple[Message, Remedy]:
    """Return why numbers grew beyond bounds, the inputs, the first weights, or the steps; and what to do."""
    if evidence.input_spread > SCALED[1]:
        return unscaled_cause(evidence), scaled_inputs(evidence)
    optimizer, found = evidence.optimizer, find_wide_start(evidence)
    if found is not None and (evidence.rate <= 10 * usual_rate(evidence) or isinstance(optimizer, LBFGS)):
        return wide_start_cause(evidence, *found), narrow_start(evidence, found[1])
    if isinstance(optimizer, LBFGS):
        return Message("causes.line-search"), fitting_initializer(evidence)
    return rate_cause(evidence), lower_rate(evidence)


def rate_cause(evidence: Evidence) -> Message:
    """Return by what measure the steps are too large."""
    rate, usual, name = evidence.rate, usual_rate(evidence), evidence.optimizer_name
    mean_rate, limit = present_rate(evidence), evidence.stable_rate
    if mean_rate > limit and evidence.network.loss.reduction == "sum":
        rates = {"rate": rate, "mean_rate": mean_rate, "rows": evidence.step_rows}
        return Message("causes.unstable-summed-rate", **rates, optimizer=name, limit=limit)
    if mean_rate > limit:
        return Message("causes.unstable-rate", rate=rate, optimizer=name, limit=limit)
    if rate <= usual:
        return Message("causes.large-rate", rate=rate)
    return Message("causes.unusual-rate", rate=rate, optimizer=name, usual=usual)
