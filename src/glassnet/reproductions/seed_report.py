"""What the runs of ``seed-report`` say to the questions that the report left open."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from glassnet.nn.activations import Array
from glassnet.reproductions.outcomes import Outcome
from glassnet.study.design import BASE
from glassnet.study.results import FINISHED, Row
from glassnet.study.statistics import Comparison, compare

#: Learning rates of tanh below the 0.1 of all others, one that is printed and two smaller ones: their variants.
RATES = {"0.01": "tanh, lr 0.01", "0.001": "tanh, lr 0.001", "0.0001": "tanh, lr 0.0001"}

#: What the report ranks by one run each: the base, and these networks and optimizers.
RANKED = (BASE, "784-256-1", "784-392-196-49-1", "SGD", "Adam")

#: The network that its conclusion recommends, and a usual one that trains for as long.
BEST_PLAN, SOUND = "Adam", "sound"

#: Adam with its step divided by the pixels, as the report's GD has it; the last loss and the accuracy as printed.
DIVIDED, PRINTED_ADAM = "Adam / 784", (8086.5, 0.2515)

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
    """A variant's figures, means over the runs that finished.

    Attributes
    ----------
    variant : str
    lost : int
        Runs that diverged or failed.
    train_loss, test_accuracy : float or None
    seconds : float or None
    kinds : tuple of str
        What its runs suffer from.
    cause : str
        Of the first diagnosis, as recorded.
    """

    variant: str
    lost: int
    train_loss: float | None
    test_accuracy: float | None
    seconds: float | None
    kinds: tuple[str, ...]
    cause: str


@dataclass(frozen=True)
class Facts:
    """What `facts` found.

    Attributes
    ----------
    typical : dict of str to Typical
        By variant.
    constant_loss : float
        What the best constant answer costs on the 600 images.
    printed_answer, our_answer : float or None
        The constant answers that cost what is printed with ReLU, and what our ReLU networks cost; None where no
        constant costs that, or ours do not all say the same to every image.
    ranked : list of Comparison
        Differences in test accuracy to the base, seed by seed, of all that the report ranks.
    continued : dict of str to float
        What the training loss of the epoch after the last printed one would be, if the last step were repeated.
    test_loss : dict of str to float or None
        Ours by network: what 100 test images cost on average.
    """

    typical: dict[str, Typical]
    constant_loss: float
    printed_answer: float | None
    our_answer: float | None
    ranked: list[Comparison]
    continued: dict[str, float]
    test_loss: dict[str, float | None]


def facts(outcomes: Mapping[str, Mapping[int, Outcome]], y: Array) -> Facts:
    """Gather what the open questions are answered with.

    Parameters
    ----------
    outcomes : mapping
        From `glassnet.reproductions.outcomes.outcomes_of`.
    y : ndarray of shape (n,)
        The class numbers of the images that the report learns from.
    """
    ranked = [_with_test(one) for name in RANKED for one in outcomes[name].values()]
    return Facts(
        typical={name: _typical(name, runs) for name, runs in outcomes.items()},
        constant_loss=len(y) * float(np.var(y)) / 2,
        printed_answer=constant_answer(PRINTED_CONSTANT, y),
        our_answer=_our_answer(outcomes["ReLU"], y),
        ranked=compare(ranked, BASE, "test_accuracy"),
        continued={name: 2 * after - before for name, (_, (before, after)) in TEST_LOSSES.items()},
        test_loss={name: _test_loss(outcomes[name], 100) for name in TEST_LOSSES},
    )


def constant_answer(loss: float, y: Array) -> float | None:
    """Return the constant answer c, the smaller of two, that costs so much: 1/2 sum (y - c)^2 = loss.

    With the mean m and the variance v of n class numbers, c = m - sqrt(2 loss / n - v).

    Examples
    --------
    >>> constant_answer(14.0, np.array([2, 4, 4, 2]))
    0.5505102572168221
    >>> constant_answer(20.0, np.array([2, 4, 4, 2])), constant_answer(1.0, np.array([2, 4, 4, 2]))
    (0.0, None)
    """
    spread = 2 * loss / len(y) - float(np.var(y))
    return None if spread < 0 else float(np.mean(y)) - math.sqrt(spread)


def _our_answer(runs: Mapping[int, Outcome], y: Array) -> float | None:
    """Return the constant answer that all runs end with; None where they do not all give one, and the same."""
    losses = {round(one.columns["train_loss"][-1], 1) for one in runs.values() if _is_constant(one)}
    same = len(losses) == 1 and all(map(_is_constant, runs.values()))
    return constant_answer(losses.pop(), y) if same else None


def _is_constant(one: Outcome) -> bool:
    """Whether a run ended with a network that says the same to every image."""
    return one.row.status == FINISHED and any(record["kind"] == CONSTANT for record in one.row.health)


def _typical(name: str, runs: Mapping[int, Outcome]) -> Typical:
    finished = [one for one in runs.values() if one.row.status == FINISHED]
    losses = [one.columns["train_loss"][-1] for one in finished if one.columns.get("train_loss")]
    accuracies = [one.test["test_accuracy"] for one in finished if "test_accuracy" in one.test]
    sick = [record for one in runs.values() for record in one.row.health if record.get("sick")]
    return Typical(
        name,
        len(runs) - len(finished),
        _mean(losses),
        _mean(accuracies),
        _mean([one.row.seconds for one in finished]),
        tuple(dict.fromkeys(record["kind"] for record in sick)),
        str(sick[0].get("cause") or "") if sick else "",
    )


def _test_loss(runs: Mapping[int, Outcome], images: int) -> float | None:
    mean = _mean([one.test["test_loss"] for one in runs.values() if "test_loss" in one.test])
    return None if mean is None else images * mean


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _with_test(one: Outcome) -> Row:
    """Return a run's row with its test figures among the measures."""
    return replace(one.row, measures=one.row.measures | one.test)
