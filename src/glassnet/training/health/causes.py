"""Why a network is sick: the questions that several rules ask, and the answers in words."""

from __future__ import annotations

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


def too_wide(evidence: Evidence) -> tuple[str, LayerVitals] | None:
    """Return the kind and the first layer of what is wrong, where the first pre-activations are too large."""
    start = evidence.start
    for layer, activation in zip(start.hidden, evidence.network.activations, strict=False):
        if bounded(activation) and layer.flat_share >= FLAT_START:
            return "saturated-units", layer
    wide = [layer for layer in start.layers if not layer.pre_activation_spread <= WIDEST]
    return ("exploding-signal", wide[0]) if wide and evidence.unlearned(start) > WIDE else None


def wide_text(evidence: Evidence, kind: str, layer: LayerVitals) -> str:
    """Say what makes the first pre-activations too large."""
    network = evidence.network
    activation = network.activations[layer.layer - 1].name
    if _shifted(evidence, layer):
        return (
            f"biases from {network.bias_initializer} give pre-activations of mean "
            f"{layer.pre_activation_mean:.2g}: {layer.flat_share:.0%} of {activation} start flat"
        )
    spreads = ", ".join(f"{one.pre_activation_spread:.2g}" for one in evidence.start.layers)
    text = (
        f"{network.initializer} on {network.layers[layer.layer - 1]} inputs gives pre-activations of spread "
        f"{layer.pre_activation_spread:.2g} (layer by layer: {spreads})"
    )
    if kind == "saturated-units":
        return f"{text}; {layer.flat_share:.0%} of {activation} start saturated"
    powers = [one.name for one in network.activations if grows(one)]
    why = f", for {powers[0]} raises it to a power in every layer" if powers else ""
    times = evidence.unlearned(evidence.start)
    return f"{text}{why}; the first loss is {times:.3g} times that of the best constant answer"


def narrowed(evidence: Evidence, layer: LayerVitals) -> Remedy:
    """Return what brings a start that is too wide back into the range of its activations."""
    if evidence.input_spread > SCALED[1]:
        return scaled_inputs(evidence)
    return zero_biases() if _shifted(evidence, layer) else fitting_initializer(evidence)


def _shifted(evidence: Evidence, layer: LayerVitals) -> bool:
    """Whether it is the biases that put a layer out of range."""
    shifted = abs(layer.pre_activation_mean) > 2 * layer.pre_activation_spread
    return shifted and evidence.network.bias_initializer != "zeros"


def unscaled_text(evidence: Evidence) -> str:
    """Say how large the inputs are."""
    return f"the inputs have a root mean square of {evidence.input_spread:.3g}; networks expect about 1"


def scaled_inputs(evidence: Evidence) -> Remedy:
    """Return what brings inputs to the size that networks expect."""
    size = float(f"{evidence.input_spread:.1g}")
    return normalisation(f"inputs divided by {size:g}, or batch normalisation, which comes to the same")


def why_too_large(evidence: Evidence) -> tuple[str, Remedy]:
    """Say why numbers grew beyond bounds: the inputs, the first weights, or the steps; and what to do."""
    if evidence.input_spread > SCALED[1]:
        return unscaled_text(evidence), scaled_inputs(evidence)
    optimizer, found = evidence.optimizer, too_wide(evidence)
    if found is not None and (evidence.rate <= 10 * usual_rate(evidence) or isinstance(optimizer, LBFGS)):
        return wide_text(evidence, *found), narrowed(evidence, found[1])
    if isinstance(optimizer, LBFGS):
        return "the line search of lbfgs was led astray", fitting_initializer(evidence)
    return rate_text(evidence), lower_rate(evidence)


def rate_text(evidence: Evidence) -> str:
    """Say by what measure the steps are too large."""
    rate, usual, limit = evidence.rate, usual_rate(evidence), evidence.stable_rate
    if present_rate(evidence) > limit:
        mean = f" is {present_rate(evidence):.3g} for the mean of {evidence.step_rows} rows;"
        summed = mean if evidence.network.loss.reduction == "sum" else ":"
        return (
            f"steps are too large: learning rate {rate:.3g}{summed} {evidence.optimizer_name} is stable, at "
            f"the start, up to 2 / sharpness = {limit:.2g}"
        )
    if rate <= usual:
        return f"steps are too large: learning rate {rate:g} is more than this network can take"
    return f"steps are too large: learning rate {rate:g}, where {evidence.optimizer_name} usually takes {usual:g}"
