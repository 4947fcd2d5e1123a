"""Rules about the data: their scale, and what there is to learn of them."""

from __future__ import annotations

from glassnet.locales.catalogue import Message
from glassnet.training.health.columns import find_telling
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.health.evidence import Evidence
from glassnet.training.health.learnable import CLEAREST, FEW, costs_less
from glassnet.training.health.remedies import SCALED, has_large_inputs, scale, unscaled_inputs
from glassnet.training.health.verdict import (
    BEHIND,
    ENOUGH,
    UNLEARNED,
    is_behind,
    is_doubtful,
    is_early,
    is_sick,
    is_single,
)

#: Standard deviations of regressed numbers that a network learns as they are, and how many of them their mean may
#: be away from 0.
USUAL_TARGETS, FAR_MEAN = (0.1, 10.0), 5.0


#: Where all classes but the most frequent one are rarer than this, too few rows tell whether they can be learned.
RARE = 0.1


def find_unscaled_targets(evidence: Evidence) -> Diagnosis | None:
    """Numbers to regress whose scale or offset the output has to learn before anything else."""
    facts = evidence.facts
    odd = [
        (mean, std)
        for mean, std in facts.scales
        if not USUAL_TARGETS[0] <= std <= USUAL_TARGETS[1] or abs(mean) > FAR_MEAN * max(std, 0.1)
    ]
    lost = is_single(evidence)  # too small for the network's numbers: all became one
    if not odd or "standard" not in facts.scalings or not (lost or is_sick(evidence)):
        return None
    mean, std = odd[0]
    return Diagnosis(
        "unscaled-targets",
        True,
        Message("causes.unscaled-targets", mean=mean, std=std),
        layer=len(evidence.network.W),
        evidence={"target_mean": mean, "target_std": std},
        remedy=scale("targets", "standard"),
    )


def find_unscaled_inputs(evidence: Evidence) -> Diagnosis | None:
    """Inputs that are far too large, too small, or off centre."""
    rms, spread = evidence.probe.input_spread, evidence.start.layers[0].pre_activation_spread
    small = 0 < rms < SCALED[0] and not any(evidence.network.batch_norm)
    if not small and not has_large_inputs(evidence):
        return None
    if any(evidence.network.batch_norm) and not is_sick(evidence):
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


def find_outlying_inputs(evidence: Evidence) -> Diagnosis | None:
    """Columns with a few numbers that are far from all others; sick where a trial with robust scaling learns."""
    if not evidence.facts.outlying or evidence.end.step == 0 or is_early(evidence) or evidence.trials is None:
        return None
    column, times = evidence.facts.outlying[0]
    sick = evidence.divergence is not None or is_behind(evidence, beyond_chance=False)
    cause = Message("causes.outlying-inputs", column=evidence.facts.name(column), times=times)
    trials, remedy = evidence.trials, scale("inputs", "robust")
    harm = sick and trials.gain(remedy.changes) > trials.sample.gain(trials.ended) + BEHIND
    can = "robust" in evidence.facts.scalings
    return Diagnosis(
        "outlying-inputs", harm, cause, layer=1, evidence={"times": times}, remedy=remedy if can else None
    )


def find_lagging_statistics(evidence: Evidence) -> Diagnosis | None:
    """Running statistics of batch normalisation that had to be measured anew."""
    lag = evidence.lag
    if lag is None:
        return None
    numbers = {"in_training": lag.in_training, "before": lag.before, "after": lag.after}
    return Diagnosis(
        "lagging-statistics", False, Message("causes.lagging-statistics", **numbers), since=evidence.end.step,
        evidence=numbers,
    )  # fmt: skip


def find_rows_out_of_range(evidence: Evidence) -> Diagnosis | None:
    """Validation rows beyond those of training; sick where the best constant answer costs less there."""
    if not evidence.facts.beyond or is_early(evidence):
        return None
    column, share = evidence.facts.beyond[0]
    lost = False
    if evidence.left_of_new >= 1 and evidence.lag is None and evidence.trials is not None:
        sample = evidence.trials.sample
        new = slice(0, sample.new)
        lost = not is_sick(evidence) and costs_less(sample.constant[new], evidence.trials.ended[new], CLEAREST)
    return Diagnosis(
        "rows-out-of-range",
        lost,
        Message("causes.rows-out-of-range", column=evidence.facts.name(column), share=share),
        since=evidence.end.step,
        evidence={"share": share},
    )


def find_leak(evidence: Evidence) -> Diagnosis | None:
    """A column that tells the target by itself."""
    column = find_telling(evidence.probe.X, evidence.probe.targets)
    if column is None:
        return None
    return Diagnosis("leak", False, Message("causes.leak", column=evidence.facts.name(column)))


def find_single_class(evidence: Evidence) -> Diagnosis | None:
    """Targets that are all alike."""
    if not is_single(evidence):
        return None
    return Diagnosis("single-class", False, Message("causes.single-class"))


def find_nothing_to_learn(evidence: Evidence) -> Diagnosis | None:
    """Rows that tell nothing of the targets, as far as simple models see."""
    unlike = evidence.left_of_new >= 1
    wrong = evidence.baseline.wrong
    asked = evidence.end.step >= ENOUGH and (is_doubtful(evidence) or unlike) and not is_single(evidence)
    asked = asked and not (wrong is not None and wrong < RARE)
    if not asked or evidence.trials is None:
        return None
    sample = evidence.trials.sample
    new = slice(sample.new or None)  # what was learned of training rows may be noise
    few = len(sample.learned.X) < FEW
    if few or sample.is_learnable or costs_less(evidence.trials.ended[new], sample.constant[new]):
        return None
    numbers = {"rows": len(sample.constant), "gain": sample.gain(sample.reference)}
    return Diagnosis("nothing-to-learn", False, Message("causes.nothing-to-learn", **numbers), evidence=numbers)


def find_too_early(evidence: Evidence) -> Diagnosis | None:
    """Too few steps to say anything."""
    if not is_early(evidence) or evidence.left < UNLEARNED:
        return None
    steps = evidence.end.step
    return Diagnosis("too-early", False, Message("causes.too-early", steps=steps, enough=ENOUGH), since=steps)
