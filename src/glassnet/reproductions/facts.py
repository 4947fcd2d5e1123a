"""What the open questions of ``seed-report`` are answered with, gathered from the runs that repeat it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from glassnet.locales.catalogue import Message
from glassnet.nn.activations import Array
from glassnet.reproductions.experiments import PIXELS, RATE
from glassnet.reproductions.outcomes import Outcome
from glassnet.reproductions.plain_runs import PlainRuns
from glassnet.study.design import BASE
from glassnet.study.results import FINISHED
from glassnet.study.statistics import Comparison, compare

#: What the report ranks by one run each: the base, and these networks and optimizers.
RANKED = (BASE, "784-256-1", "784-392-196-49-1", "SGD", "Adam")

#: By network: the loss of 100 test images as printed, and two training losses near the end, one epoch of the same
#: phase after the other (the smallest network oscillates from epoch to epoch).
TEST_LOSSES = {
    "784-256-1": (749.6, (751.0, 750.3)),
    BASE: (208.8, (209.22, 209.02)),
    "784-392-196-49-1": (271.7, (272.2, 271.9)),
}

#: Printed with ReLU and ReLU3, in every epoch.
PRINTED_CONSTANT = 6009.0

#: The diagnosis of a network that says the same to every image.
CONSTANT = "constant-output"


@dataclass(frozen=True)
class Typical:
    """A variant's figures, one of each run that finished.

    `lost` runs diverged or failed. `kinds` is what its runs suffer from, and `cause` that of the first diagnosis.
    """

    lost: int
    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    seconds: float | None
    kinds: tuple[str, ...]
    cause: Message | None

    def beats(self, loss: float) -> bool:
        """Whether every run ends with a smaller loss, and none was lost."""
        return not self.lost and bool(self.losses) and max(self.losses) < loss


@dataclass(frozen=True)
class Facts:
    """What the open questions are answered with.

    Attributes
    ----------
    typical : dict of str to Typical
        By variant.
    plain : PlainRuns
        The runs of `glassnet.reproductions.experiments`.
    constant_loss, dead_loss : float
        What the best constant answer costs on the 600 images, and what the answer 0 of a dead ReLU does.
    printed_answers : tuple of float
        The two constant answers that cost what is printed with ReLU; empty where no constant costs that.
    next_losses : list of float
        What a ReLU that gives the smaller of them would cost in the next epochs, if its bias alone learned.
    our_answer : float or None
        What our ReLU networks say; None where they do not all say the same to every image.
    ranked : list of Comparison
        Differences in test accuracy to the base, seed by seed, of all that the report ranks.
    continued : dict of str to float
        What the training loss of the epoch after the last printed one would be, if the last step were repeated.
    test_losses : dict of str to tuple of float
        Ours by network: what 100 test images cost, one number a run.
    """

    typical: dict[str, Typical]
    plain: PlainRuns
    constant_loss: float
    dead_loss: float
    printed_answers: tuple[float, ...]
    next_losses: list[float]
    our_answer: float | None
    ranked: list[Comparison]
    continued: dict[str, float]
    test_losses: dict[str, tuple[float, ...]]


def gather_facts(outcomes: Mapping[str, Mapping[int, Outcome]], plain: PlainRuns, y: Array) -> Facts:
    """Gather what the open questions are answered with; `y` of shape (n,) holds the class numbers."""
    # a run's test figures are among its measures here
    ranked = [
        replace(one.row, measures=one.row.measures | one.test)
        for name in RANKED
        for one in outcomes[name].values()
    ]
    printed = constant_answers(PRINTED_CONSTANT, y)
    return Facts(
        typical={name: _summarise(runs) for name, runs in outcomes.items()},
        plain=plain,
        constant_loss=constant_loss(float(np.mean(y)), y),
        dead_loss=constant_loss(0.0, y),
        printed_answers=printed,
        next_losses=bias_losses(printed[0], y) if printed else [],
        our_answer=_our_answer(outcomes["ReLU"], y),
        ranked=compare(ranked, BASE, "test_accuracy"),
        continued={name: 2 * after - before for name, (_, (before, after)) in TEST_LOSSES.items()},
        test_losses={name: _test_losses(outcomes[name]) for name in TEST_LOSSES},
    )


def constant_loss(answer: float, y: Array) -> float:
    """Return what a constant answer c costs: 1/2 sum (y - c)^2.

    Examples
    --------
    >>> constant_loss(1.0, np.array([2, 4, 4, 2]))
    10.0
    """
    return float(((y - answer) ** 2).sum()) / 2


def constant_answers(loss: float, y: Array) -> tuple[float, ...]:
    """Return the two constant answers that cost so much, the smaller first; none where even the best costs more.

    With the mean m and the variance v of n class numbers, c = m -+ sqrt(2 loss / n - v).

    Examples
    --------
    >>> constant_answers(10.0, np.array([2, 4, 4, 2]))
    (1.0, 5.0)
    """
    spread, mean = 2 * loss / len(y) - float(np.var(y)), float(np.mean(y))
    return () if spread < 0 else (mean - math.sqrt(spread), mean + math.sqrt(spread))


def bias_losses(answer: float, y: Array, epochs: int = 3) -> list[float]:
    """Return the next losses of a ReLU that gives a constant answer above 0, and whose bias alone learns.

    Its slope there is 1, so the gradient is sum (c - y), and the report's step takes 0.1 / 784 of it from c.

    Examples
    --------
    The mean is 3, so c comes nearer to it by the factor 1 - 4 * 0.1 / 784:

    >>> [round(loss, 4) for loss in bias_losses(1.0, np.array([2, 4, 4, 2]), epochs=2)]
    [9.9918, 9.9837]
    """
    losses = []
    for _ in range(epochs):
        answer -= RATE / PIXELS * float((answer - y).sum())
        losses.append(constant_loss(answer, y))
    return losses


def _our_answer(runs: Mapping[int, Outcome], y: Array) -> float | None:
    """Return the constant answer that all runs end with; None where they do not all give one, and the same."""
    losses = {round(one.columns["train_loss"][-1], 1) for one in runs.values() if _is_constant(one)}
    same = len(losses) == 1 and all(map(_is_constant, runs.values()))
    return next(iter(constant_answers(losses.pop(), y)), None) if same else None


def _is_constant(one: Outcome) -> bool:
    """Whether a run ended with a network that says the same to every image."""
    return one.row.status == FINISHED and any(record["kind"] == CONSTANT for record in one.row.health)


def _summarise(runs: Mapping[int, Outcome]) -> Typical:
    finished = [one for one in runs.values() if one.row.status == FINISHED]
    sick = [found for one in runs.values() for found in one.row.diagnoses if found.sick]
    return Typical(
        len(runs) - len(finished),
        tuple(one.columns["train_loss"][-1] for one in finished if one.columns.get("train_loss")),
        tuple(one.test["test_accuracy"] for one in finished if "test_accuracy" in one.test),
        mean([one.row.seconds for one in finished]),
        tuple(dict.fromkeys(found.kind for found in sick)),
        sick[0].cause if sick else None,
    )


def _test_losses(runs: Mapping[int, Outcome]) -> tuple[float, ...]:
    """Return what 100 test images cost, as the report prints it."""
    return tuple(100 * one.test["test_loss"] for one in runs.values() if "test_loss" in one.test)


def mean(values: Sequence[float]) -> float | None:
    """Return the mean, None of nothing."""
    return statistics.fmean(values) if values else None
