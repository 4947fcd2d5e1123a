"""Remedies: what to change of a run's settings first, as values and in words."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

import numpy as np

from glassnet.nn.network import Network
from glassnet.nn.optimizers import OPTIMIZERS, Optimizer
from glassnet.training.health.evidence import DESCENTS, Evidence, grows, rebuilt
from glassnet.training.health.vitals import bounded

#: Initializers to choose from, the widest first; and the widest pre-activations that a start may have.
NARROWER = ("he_normal", "glorot_uniform", "lecun_normal", "normal(0, 0.01)")
WIDEST = 3.0


@dataclass(frozen=True)
class Remedy:
    """What to try first.

    Attributes
    ----------
    family : str
        ``"learning rate"``, ``"initializer"``, ``"activation"``, ``"batch normalisation"``, ``"output"``,
        ``"rows"`` or ``"early stopping"``.
    text : str
        What to do, in words.
    changes : dict
        The same as values of a `RunConfig`, by section; `glassnet.training.config.configure` takes them.
    """

    family: str
    text: str
    changes: dict[str, dict[str, Any]]

    def __and__(self, other: Remedy) -> Remedy:
        """Return one that makes another's changes too."""
        sections = {**self.changes}
        for name, values in other.changes.items():
            sections[name] = sections.get(name, {}) | values
        return Remedy(self.family, f"{self.text} and {other.text}", sections)


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
        if _widest(evidence, changes) <= WIDEST:
            break
    text = ", ".join(f"{name} {value}" for name, value in changes.items())
    return _with_stable_rate(evidence, Remedy(family, text, {"network": changes}))


def _without_powers(network: Network) -> dict[str, Any]:
    """Return the settings that put relu in the place of activations that grow faster than their input."""
    names = ["relu" if grows(activation) else activation.name for activation in network.activations]
    hidden = names[0] if len(set(names[:-1])) == 1 else names[:-1]
    changes = {"activation": hidden} if any(map(grows, network.activations[:-1])) else {}
    return changes | ({"output_activation": "relu"} if grows(network.activations[-1]) else {})


def _widest(evidence: Evidence, changes: dict[str, Any]) -> float:
    """Return the largest spread of a layer's pre-activations before training, with other settings."""
    if evidence.probe is None:
        return 0.0
    spreads = evidence.probe.spreads(rebuilt(evidence.network, changes))
    return float(np.max(np.nan_to_num(spreads, nan=np.inf)))


def _with_stable_rate(evidence: Evidence, remedy: Remedy) -> Remedy:
    """Add a learning rate where gradient descent would grow away from the start that the remedy makes."""
    limit = evidence.stable_rate_of(rebuilt(evidence.network, remedy.changes["network"]))
    if not present_rate(evidence) > limit:
        return remedy
    return remedy & _rate(evidence, limit / 2 / _mean_factor(evidence))


def zero_biases() -> Remedy:
    """Biases that leave the units in the middle of their range."""
    return Remedy("initializer", "bias_initializer zeros", {"network": {"bias_initializer": "zeros"}})


def normalisation(text: str) -> Remedy:
    """Batch normalisation in every hidden layer."""
    return Remedy("batch normalisation", text, {"network": {"batch_norm": True}})


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
    text = f"learning_rate {rate:g}"
    if factor > 1:
        text += f" ({rate * factor:.2g} for the mean of {factor} rows)"
    if evidence.optimizer_name not in list(OPTIMIZERS):  # no configuration knows an own optimizer that has no name
        return Remedy("learning rate", text, {})
    optimizer: Optimizer = replace(evidence.optimizer, learning_rate=rate, update_scale=1.0)
    return Remedy("learning rate", text, {"training": {"optimizer": optimizer.spec}})


def linear_output() -> Remedy:
    """An output without bounds."""
    return Remedy(
        "output",
        "output_activation identity",
        {"network": {"output_activation": "identity", "output_scale": 1.0}},
    )


def all_rows() -> Remedy:
    """Draw from all training rows."""
    return Remedy("rows", 'sampling "fresh", which draws from all rows', {"training": {"sampling": "fresh"}})


def early_stopping() -> Remedy:
    """End where the validation loss is lowest."""
    return Remedy("early stopping", "early_stopping patience(5)", {"training": {"early_stopping": "patience(5)"}})
