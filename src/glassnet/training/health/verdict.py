"""Whether a network is sick: by what it leaves unlearned, beside what could be learned."""

from __future__ import annotations

from collections.abc import Sequence

from glassnet.training.health.evidence import Evidence
from glassnet.training.health.learnable import CLEAREST, costs_less
from glassnet.training.history import EpochRecord

#: A network is judged by what it leaves unlearned (see `Evidence.unlearned`) while it trains.
UNLEARNED = 0.5

#: In doubt, references are asked: where so much of numbers is left, or so much of classes ...
DOUBT, DOUBT_OF_CLASSES = 0.1, 0.25

#: ... and answers are wrong at least so often, beside those of the best constant answer.
MISTAKEN = 0.25

#: Steps before which no network is expected to have learned.
ENOUGH = 50

#: An epoch whose loss is below this share of the first one's shows that something was learned.
LEARNED = 0.9

#: A network is sick where it gains less on held-out rows than the best reference, by so much or by this share of
#: what that gains, whichever is smaller ...
BEHIND, BEHIND_SHARE = 0.1, 0.4

#: ... unless it has half of that, and its loss still falls, below this share of that after 3/5 of the steps, or
#: a trial that is longer than the run makes good half of what it lacks, with the settings that it has ...
STILL = 0.9

#: (which is not tried where its loss still falls and the trial would take more than so many times the run's steps)
LONGEST = 4

#: ... or where its training rows cost more than with the best constant answer, by this share of what is to learn.
WORSE = 0.1


def is_doubtful(evidence: Evidence) -> bool:
    """Whether so much is left unlearned that it needs an explanation."""
    limit = DOUBT if evidence.baseline.wrong is None else DOUBT_OF_CLASSES
    return evidence.left >= limit and evidence.mistaken >= MISTAKEN


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
    if evidence.end.step == 0 or evidence.trials is None:
        return evidence.left >= UNLEARNED
    return evidence.left > 1 + WORSE or is_behind(evidence)


def is_behind(evidence: Evidence, *, beyond_chance: bool = True) -> bool:
    """Whether simple models learn much more of the same rows."""
    if evidence.trials is None:
        return False
    sample, ended = evidence.trials.sample, evidence.trials.ended
    possible = sample.gain(sample.reference)
    gain = sample.gain(ended)
    enough = possible - min(BEHIND, BEHIND_SHARE * possible)
    if gain >= enough or not sample.is_learnable or (gain >= possible / 2 and evidence.falls(STILL)):
        return False
    needs_time = min(enough, (gain + possible) / 2)
    taken, lasts = evidence.end.step, evidence.trials.steps
    costly = LONGEST * taken < lasts and evidence.falls(STILL)
    if taken < lasts and (costly or evidence.trials.gain({}) >= needs_time):
        return False
    return not beyond_chance or costs_less(sample.reference, ended, CLEAREST)


def has_learned(history: Sequence[EpochRecord]) -> bool:
    """Whether the loss of the last epoch is well below that of the first."""
    return len(history) > 1 and history[-1].train_loss < LEARNED * history[0].train_loss


def is_single(evidence: Evidence) -> bool:
    """Whether all targets of the network are one and the same."""
    base = evidence.baseline
    return base.loss - base.floor <= 1e-9 * abs(base.loss) or (base.low == base.high and len(base.answer) == 1)
