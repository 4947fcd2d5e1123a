"""Rules about how a network learns: its steps, its loss, and what is left to learn at the end."""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.locales.catalogue import Message
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.health.evidence import Evidence
from glassnet.training.health.learnable import costs_less
from glassnet.training.health.remedies import (
    Remedy,
    find_wide_start,
    higher_rate,
    lift_penalties,
    lower_rate,
    present_rate,
    rate_cause,
    set_options,
    usual_rate,
    why_too_large,
)
from glassnet.training.health.trials import WORST
from glassnet.training.health.verdict import ENOUGH, STILL, is_doubtful, is_sick

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
#: on training and validation rows, or of numbers the shares of variance explained, are so far apart.
RISEN, APART, NUMBERS_APART = 0.1, 0.15, 0.3

#: A network has learned enough where it gains this share of what the best reference gains.
NEAR = 0.9


def find_divergence(evidence: Evidence) -> Diagnosis | None:
    """NaN or infinity."""
    lost = evidence.divergence
    if lost is None:
        return None
    cause, remedy = why_too_large(evidence)
    numbers = {"learning_rate": evidence.optimizer.learning_rate, "usual_learning_rate": usual_rate(evidence)}
    return Diagnosis("divergence", True, cause, layer=lost.layer, since=lost.step, evidence=numbers, remedy=remedy)


def find_oscillating_loss(evidence: Evidence) -> Diagnosis | None:
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


def find_slow_learning(evidence: Evidence) -> Diagnosis | None:
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


def find_stuck_loss(evidence: Evidence) -> Diagnosis | None:
    """Nothing was learned, and nothing says why."""
    if evidence.left < NOTHING or evidence.falls(FALLS) or not is_sick(evidence):
        return None
    return Diagnosis(
        "stuck-loss",
        True,
        Message("causes.stuck-loss", loss=_loss(evidence)),
        evidence={"loss": evidence.end.loss, "constant_loss": evidence.baseline.loss},
    )


def find_unfinished(evidence: Evidence) -> Diagnosis | None:
    """Simple models have learned more; sick where no other reason is known, and the loss no longer falls."""
    if not is_doubtful(evidence) or evidence.trials is None:
        return None
    sample, ended = evidence.trials.sample, evidence.trials.ended
    numbers = {"gain": sample.gain(ended), "possible": sample.gain(sample.reference)}
    more = sample.is_learnable and numbers["gain"] <= NEAR * numbers["possible"]
    if not is_sick(evidence) and not (more and costs_less(sample.reference, ended)):
        return None
    return Diagnosis(
        "unfinished",
        is_sick(evidence) and not evidence.falls(STILL),
        Message("causes.unfinished", loss=_loss(evidence), **numbers),
        since=evidence.end.step,
        evidence=numbers,
    )


def find_over_regularised(evidence: Evidence) -> Diagnosis | None:
    """A penalty, dropout or a limit that holds the network back: a trial without it learns."""
    if evidence.end.step == 0 or not is_sick(evidence) or evidence.trials is None:
        return None
    trials = evidence.trials
    for remedy in lift_penalties(evidence):
        if trials.helps(remedy.changes):
            section, options = next(iter(remedy.changes.items()))
            name = next(iter(options))
            present = getattr(evidence.training if section == "training" else evidence.network, name)
            numbers = {"kept": trials.gain({}), "lifted": trials.gain(remedy.changes)}
            setting = {name: max(present) if name == "dropout" else present}
            return Diagnosis(
                "over-regularised",
                True,
                Message("causes.over-regularised", setting=setting, **numbers),
                since=evidence.first_step,
                evidence=numbers,
                remedy=remedy,
            )
    return None


def _loss(evidence: Evidence) -> Message:
    return Message("causes.loss", loss=evidence.end.loss, constant=evidence.baseline.loss)


def find_constant_output(evidence: Evidence) -> Diagnosis | None:
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


def find_over_fitting(evidence: Evidence) -> Diagnosis | None:
    """The validation loss rises while the training loss falls."""
    history = evidence.history
    known = [record.validation_loss for record in history]
    if len(known) < 2 or None in known or evidence.training.early_stopping is not None or evidence.lag is not None:
        return None
    losses = np.array(known, np.float64)
    best, last = history[int(losses.argmin())], history[-1]
    if not losses[-1] > (1 + RISEN) * losses.min() or last.train_loss >= best.train_loss:
        return None
    gap, since = _gap(evidence), best.epoch * evidence.epoch_steps
    lowest, end = float(losses.min()), float(losses[-1])
    cause = Message("causes.over-fitting", lowest=lowest, epoch=best.epoch, last=end, train=last.train_loss)
    numbers = {"lowest": lowest, "last": end, "gap": gap}
    remedy = set_options("early stopping", "training", {"early_stopping": "patience(5)"})
    if gap >= 1 and (rest := _measure_near_answers(evidence)) is not None:
        cause = Message("causes.over-fitting-far-answers", risen=cause, **rest)
        return Diagnosis("over-fitting", False, cause, since=since, evidence=numbers | rest)
    if evidence.drawn < evidence.rows:
        cause = Message("causes.over-fitting-few-rows", risen=cause, drawn=evidence.drawn, rows=evidence.rows)
        remedy = Remedy("rows", Message("remedies.all-rows"), {"training": {"sampling": "fresh"}})
    return Diagnosis(
        "over-fitting",
        gap >= 1 and evidence.end.step >= ENOUGH,
        cause,
        since=since,
        evidence=numbers,
        remedy=remedy,
    )


def _gap(evidence: Evidence) -> float:
    """Return how far validation and training rows are apart, beside how far makes a network sick.

    In accuracy; of numbers, in the share of their variance that is explained.
    """
    last = evidence.history[-1]
    if last.validation_accuracy is not None:
        return ((last.train_accuracy or 0.0) - last.validation_accuracy) / APART
    return (evidence.left_of_new - evidence.left) / NUMBERS_APART


def _measure_near_answers(evidence: Evidence) -> dict[str, Any] | None:
    """Return the loss of the validation rows, as a number of them, whose answers are not far off.

    None where the gap is there without these rows too, or answers are classes, which are right or wrong.
    """
    if evidence.history[-1].validation_accuracy is not None or evidence.trials is None:
        return None
    sample = evidence.trials.sample
    costs = evidence.trials.ended[: sample.new]
    near = costs <= WORST * float(sample.constant.mean())
    if not near.any() or (evidence.unlearned(float(costs[near].mean())) - evidence.left) / NUMBERS_APART >= 1:
        return None
    return {"rows": int(near.sum()), "rest": float(costs[near].mean())}
