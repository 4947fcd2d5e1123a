"""Whether a network is sick: by what it leaves unlearned, beside what could be learned."""

from __future__ import annotations

from glassnet.training.health.evidence import Evidence
from glassnet.training.health.learnable import CLEAREST, costs_less

#: In doubt about a network that leaves so much unlearned (see `Evidence.unlearned`), references are asked ...
UNLEARNED = 0.5

#: ... unless its answers are wrong this much more seldom than the best constant answer.
MISTAKEN = 0.25

#: Steps before which no network is expected to have learned.
ENOUGH = 50

#: A network is sick where it gains less than this share of what the best reference gains on held-out rows ...
BEHIND = 0.5

#: ... or costs more than the best constant answer, on training rows by this share.
WORSE = 0.1


def is_doubtful(evidence: Evidence) -> bool:
    """Whether so much is left unlearned that it needs an explanation."""
    return evidence.left >= UNLEARNED and evidence.mistaken >= MISTAKEN


def is_early(evidence: Evidence) -> bool:
    """Whether too few steps were taken to say anything."""
    return evidence.divergence is None and 0 < evidence.end.step < ENOUGH


def is_sick(evidence: Evidence) -> bool:
    """Whether a network has diverged, or is far behind what could be learned.

    One that has taken a few steps only is not sick yet; one that has taken none is as sick as its start. While it
    trains, it is judged by what it leaves unlearned alone.
    """
    if evidence.divergence is not None:
        return True
    if is_early(evidence) or not is_doubtful(evidence):
        return False
    return evidence.end.step == 0 or evidence.trials is None or is_behind(evidence) or is_worse(evidence)


def is_behind(evidence: Evidence) -> bool:
    """Whether simple models learn much more of the same rows, beyond chance."""
    if evidence.trials is None:
        return False
    sample, ended = evidence.trials.sample, evidence.trials.ended
    few = sample.gain(ended) < BEHIND * sample.gain(sample.reference)
    return sample.is_learnable and few and costs_less(sample.reference, ended)


def is_worse(evidence: Evidence) -> bool:
    """Whether the best constant answer costs less, on training rows and on held-out ones."""
    if evidence.trials is None:
        return False
    sample, ended = evidence.trials.sample, evidence.trials.ended
    return evidence.left > 1 + WORSE and costs_less(sample.constant, ended, CLEAREST)
