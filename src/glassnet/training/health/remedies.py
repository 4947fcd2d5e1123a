"""Why a network is sick, and what to change of its settings first."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

import numpy as np

from glassnet.data.scaling import ScalingName
from glassnet.locales.catalogue import Message
from glassnet.nn.network import Network
from glassnet.nn.optimizers import LBFGS, OPTIMIZERS, Optimizer
from glassnet.training.health.columns import measure_columns
from glassnet.training.health.evidence import Evidence, grows
from glassnet.training.health.trials import DESCENTS
from glassnet.training.health.vitals import LayerVitals, bounded

#: A layer of sigmoids or tanhs starts saturated where its slope is flat on so many rows and units.
FLAT_START = 0.4

#: The loss of a sound start is about that of the best constant answer; so many times it is too much.
WIDE = 2.0

#: Inputs with a root mean square outside of this are not scaled.
SCALED = (0.02, 5.0)

#: Initializers to choose from, the widest first; and the widest pre-activations that a start may have.
NARROWER = ("he_normal", "glorot_uniform", "lecun_normal", "normal(0, 0.01)")
WIDEST = 3.0

#: Columns that are named at most.
NAMED = 3

#: Usual limits of what a step may be, and of weight vectors (Srivastava et al. 2014, section 5.1).
USUAL_LIMITS = {"clip_norm": 1.0, "clip_value": 1.0, "max_norm": 3.0}


@dataclass(frozen=True)
class Remedy:
    """What to try first.

    Attributes
    ----------
    family : str
        ``"learning rate"``, ``"initializer"``, ``"activation"``, ``"batch normalisation"``, ``"output"``,
        ``"inputs"``, ``"targets"``, ``"regularisation"``, ``"rows"`` or ``"early stopping"``.
    message : Message
        What to do.
    changes : dict
        The same as values of a `RunConfig`, by section; `glassnet.training.config.configure` takes them.
    """

    family: str
    message: Message
    changes: dict[str, dict[str, Any]]

    def __str__(self) -> str:
        """Return what to do, in English."""
        return str(self.message)

    def __and__(self, other: Remedy) -> Remedy:
        """Return one that makes another's changes too."""
        sections = {**self.changes}
        for name, values in other.changes.items():
            sections[name] = sections.get(name, {}) | values
        return Remedy(self.family, Message("remedies.both", first=self.message, second=other.message), sections)


def fitting_initializer(evidence: Evidence) -> Remedy:
    """Weights that keep a signal's size, and a learning rate that suits them where the present one is too large.

    Glorot's for sigmoid and tanh, He's for relu and its like; a narrower one where the activations make the signal
    grow all the same, which is measured. An activation that grows faster than its input keeps no signal's size,
    whatever the weights: relu takes its place.
    """
    network = evidence.network
    changes = _without_powers(network)
    family = "activation" if changes else "initializer"
    if network.bias_initializer != "zeros":
        changes["bias_initializer"] = "zeros"
    for name in NARROWER[1:] if all(map(bounded, network.activations[:-1])) else NARROWER:
        changes["initializer"] = name
        spreads = evidence.probe.spreads(evidence.rebuild(changes))
        if np.max(np.nan_to_num(spreads, nan=np.inf)) <= WIDEST:
            break
    remedy = set_options(family, "network", changes)
    limit = evidence.stable_rate_of(evidence.rebuild(changes))
    if not present_rate(evidence) > limit:
        return remedy
    return remedy & _rate(evidence, limit / 2 / _mean_factor(evidence))


def set_options(family: str, section: str, options: dict[str, Any]) -> Remedy:
    """Other values of a section's options, and no more."""
    return Remedy(family, Message("remedies.settings", settings=options), {section: options})


def _without_powers(network: Network) -> dict[str, Any]:
    """Return the settings that put relu in the place of activations that grow faster than their input."""
    names = ["relu" if grows(activation) else activation.name for activation in network.activations]
    hidden = names[0] if len(set(names[:-1])) == 1 else names[:-1]
    changes = {"activation": hidden} if any(map(grows, network.activations[:-1])) else {}
    return changes | ({"output_activation": "relu"} if grows(network.activations[-1]) else {})


def zero_biases() -> Remedy:
    """Biases that leave the units in the middle of their range."""
    return set_options("initializer", "network", {"bias_initializer": "zeros"})


def normalisation(message: Message) -> Remedy:
    """Batch normalisation in every hidden layer."""
    return Remedy("batch normalisation", message, {"network": {"batch_norm": True}})


def _mean_factor(evidence: Evidence) -> int:
    """Return what a learning rate is multiplied by, to be one for the mean of a step's rows."""
    return evidence.step_rows if evidence.network.loss.reduction == "sum" else 1


def present_rate(evidence: Evidence) -> float:
    """Return the learning rate with its update scale, for the mean of a step's rows."""
    return evidence.rate * _mean_factor(evidence)


def usual_rate(evidence: Evidence) -> float:
    """Return the optimizer's own learning rate; where the loss is a sum over a step's rows, divided by them."""
    known = next(option for option in fields(evidence.optimizer) if option.name == "learning_rate").default
    usual = evidence.optimizer.learning_rate if known is MISSING else float(known)
    return usual / _mean_factor(evidence) if evidence.optimizer_name in DESCENTS else usual


def lower_rate(evidence: Evidence) -> Remedy:
    """A learning rate ten times smaller; the usual one, or half the largest stable one, if smaller still."""
    known = [evidence.rate / 10, usual_rate(evidence), evidence.stable_rate / 2 / _mean_factor(evidence)]
    return _rate(evidence, float(np.nanmin(known)))


def higher_rate(evidence: Evidence) -> Remedy:
    """A learning rate ten times larger; the optimizer's usual one where that is larger still."""
    return _rate(evidence, max(evidence.rate * 10, usual_rate(evidence)))


def _rate(evidence: Evidence, rate: float) -> Remedy:
    rate, factor = float(f"{rate:.2g}"), _mean_factor(evidence)
    message = Message("remedies.rate", rate=rate)
    if factor > 1:
        message = Message("remedies.summed-rate", rate=rate, mean_rate=rate * factor, rows=factor)
    if evidence.optimizer_name not in list(OPTIMIZERS):  # no configuration knows an own optimizer that has no name
        return Remedy("learning rate", message, {})
    optimizer: Optimizer = replace(evidence.optimizer, learning_rate=rate, update_scale=1.0)
    return Remedy("learning rate", message, {"training": {"optimizer": optimizer.spec}})


def find_wide_start(evidence: Evidence) -> tuple[str, LayerVitals] | None:
    """Return the kind and the first layer of what is wrong, where the first pre-activations are too large."""
    start = evidence.start
    for layer, activation in zip(start.hidden, evidence.network.activations, strict=False):
        if bounded(activation) and layer.flat_share >= FLAT_START:
            return "saturated-units", layer
    wide = [layer for layer in start.layers if not layer.pre_activation_spread <= WIDEST]
    return ("exploding-signal", wide[0]) if wide and evidence.unlearned(start.loss) > WIDE else None


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
    times = evidence.unlearned(evidence.start.loss)
    if powers and not np.isfinite(times):
        return Message("causes.wide-overflow", start=start, activation=powers[0])
    if powers:
        return Message("causes.wide-powers", start=start, activation=powers[0], times=times)
    return Message("causes.wide-loss", start=start, times=times)


def narrow_start(evidence: Evidence, layer: LayerVitals) -> Remedy:
    """Return what brings a start that is too wide back into the range of its activations."""
    if has_large_inputs(evidence):
        return unscaled_inputs(evidence)[1]
    return zero_biases() if _is_shifted(evidence, layer) else fitting_initializer(evidence)


def _is_shifted(evidence: Evidence, layer: LayerVitals) -> bool:
    """Whether it is the biases that put a layer out of range."""
    shifted = abs(layer.pre_activation_mean) > 2 * layer.pre_activation_spread
    return shifted and evidence.network.bias_initializer != "zeros"


def has_large_inputs(evidence: Evidence) -> bool:
    """Whether inputs, or some columns of them, are too large or off centre, and not for outlying numbers."""
    large = evidence.probe.input_spread > SCALED[1] and not evidence.facts.outlying
    return bool(evidence.unscaled_columns) or (large and not any(evidence.network.batch_norm))


def unscaled_inputs(evidence: Evidence) -> tuple[Message, Remedy]:
    """Return how large the inputs are, or those columns that are the cause, and what brings them to usual size."""
    probe, columns, facts = evidence.probe, evidence.unscaled_columns, evidence.facts
    normal = normalisation(Message("remedies.batch-normalisation"))
    remedy = scale("inputs", "standard") if "standard" in facts.scalings else normal
    if not columns or len(columns) > max(NAMED, probe.X.shape[1] // 2):
        return Message("causes.unscaled-inputs", rms=probe.input_spread), remedy
    mean, std = measure_columns(probe.X)
    named = [
        Message(
            "causes.unscaled-column", column=facts.name(column), mean=float(mean[column]), std=float(std[column])
        )
        for column in columns[:NAMED]
    ]
    if len(columns) > NAMED:
        return Message("causes.more-unscaled-columns", named=named, n=len(columns) - NAMED), remedy
    return Message("causes.unscaled-columns", named=named), remedy


def scale(family: str, scaling: ScalingName) -> Remedy:
    """Another scaling of the columns, and of regressed numbers."""
    keys = {"standard": "remedies.scale-inputs-standard", "robust": "remedies.scale-inputs-robust"}
    key = "remedies.scale-targets" if family == "targets" else keys[scaling]
    return Remedy(family, Message(key), {"data": {"scaling": scaling}})


def lift_penalties(evidence: Evidence) -> list[Remedy]:
    """Remedies that leave out, or set to a usual value, what holds weights, units or gradients back."""
    training, off = evidence.training, []
    if any(evidence.network.dropout):
        off.append(("network", {"dropout": 0.0}))
    off += [("training", {name: 0.0}) for name in ("weight_decay", "l2", "l1") if getattr(training, name)]
    for name, usual in USUAL_LIMITS.items():
        limit = getattr(training, name)
        if limit is not None and limit < usual:
            off.append(("training", {name: usual}))
    return [set_options("regularisation", section, options) for section, options in off]


def why_too_large(evidence: Evidence) -> tuple[Message, Remedy]:
    """Return why numbers grew beyond bounds, the inputs, the first weights, or the steps; and what to do."""
    if has_large_inputs(evidence):
        return unscaled_inputs(evidence)
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
