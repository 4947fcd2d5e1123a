"""What the runs of ``seed-report`` say to the questions that the report left open."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from glassnet.nn.activations import Array
from glassnet.study.design import BASE
from glassnet.study.outcomes import Outcome
from glassnet.study.results import Row
from glassnet.study.statistics import Comparison, compare

#: Learning rates of tanh, two that are printed and two smaller ones, and their variants.
RATES = {"0.1": "tanh", "0.01": "tanh, lr 0.01", "0.001": "tanh, lr 0.001", "0.0001": "tanh, lr 0.0001"}

#: What the base is compared with.
NETWORKS = ("784-256-1", "784-392-196-49-1")
OPTIMIZERS = ("SGD", "Adam")

#: The network that its conclusion recommends, and a usual one that trains for as long.
BEST_PLAN, SOUND = "Adam", "sound"

#: By network: the loss of 100 test images as printed, and two training losses near the end, one epoch of the same
#: phase after the other (the smallest network oscillates from epoch to epoch).
TEST_LOSSES = {
    "784-256-1": (749.6, (751.0, 750.3)),
    BASE: (208.8, (209.22, 209.02)),
    "784-392-196-49-1": (271.7, (272.2, 271.9)),
}

#: Printed with ReLU and ReLU3, in every epoch.
PRINTED_CONSTANT = 6009.0


@dataclass(frozen=True)
class Typical:
    """A variant's figures, means over the seeds.

    Attributes
    ----------
    variant : str
    train_loss, test_accuracy : float or None
    seconds : float
    kinds : tuple of str
        What its runs suffer from.
    cause : str
        Of the first diagnosis, as recorded.
    """

    variant: str
    train_loss: float | None
    test_accuracy: float | None
    seconds: float
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
        The constant answers that cost what is printed with ReLU, and what our ReLU networks cost.
    networks, optimizers : list of Comparison
        Differences in test accuracy to the base, seed by seed.
    continued : dict of str to float
        What the training loss of the epoch after the last printed one would be, if the last step were repeated.
    test_loss : dict of str to float
        Ours by network: what 100 test images cost on average.
    """

    typical: dict[str, Typical]
    constant_loss: float
    printed_answer: float | None
    our_answer: float | None
    networks: list[Comparison]
    optimizers: list[Comparison]
    continued: dict[str, float]
    test_loss: dict[str, float]


def facts(outcomes: Mapping[str, Mapping[int, Outcome]], y: Array) -> Facts:
    """Gather what the open questions are answered with.

    Parameters
    ----------
    outcomes : mapping
        From `glassnet.study.reproduction.outcomes_of`.
    y : ndarray of shape (n,)
        The class numbers of the images that the report learns from.
    """
    typical = {name: _typical(name, runs) for name, runs in outcomes.items()}
    ours = typical["ReLU"].train_loss
    tested = [_with_test(one) for runs in outcomes.values() for one in runs.values()]
    return Facts(
        typical=typical,
        constant_loss=next(iter(outcomes[BASE].values())).constant_loss,
        printed_answer=constant_answer(PRINTED_CONSTANT, y),
        our_answer=None if ours is None else constant_answer(ours, y),
        networks=_compared(tested, NETWORKS),
        optimizers=_compared(tested, OPTIMIZERS),
        continued={name: 2 * after - before for name, (_, (before, after)) in TEST_LOSSES.items()},
        test_loss={name: 100 * statistics.fmean(_test_losses(outcomes[name])) for name in TEST_LOSSES},
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


def _typical(name: str, runs: Mapping[int, Outcome]) -> Typical:
    losses = [one.columns["train_loss"][-1] for one in runs.values() if one.columns.get("train_loss")]
    accuracies = [one.test["test_accuracy"] for one in runs.values() if "test_accuracy" in one.test]
    sick = [record for one in runs.values() for record in one.row.health if record.get("sick")]
    return Typical(
        name,
        statistics.fmean(losses) if losses else None,
        statistics.fmean(accuracies) if accuracies else None,
        statistics.fmean(one.row.seconds for one in runs.values()),
        tuple(dict.fromkeys(record["kind"] for record in sick)),
        str(sick[0].get("cause") or "") if sick else "",
    )


def _test_losses(runs: Mapping[int, Outcome]) -> list[float]:
    return [one.test["test_loss"] for one in runs.values() if "test_loss" in one.test] or [math.nan]


def _with_test(one: Outcome) -> Row:
    """Return a run's row with its test figures among the measures."""
    return replace(one.row, measures=one.row.measures | one.test)


def _compared(rows: Sequence[Row], variants: Sequence[str]) -> list[Comparison]:
    return compare([row for row in rows if row.variant in (BASE, *variants)], BASE, "test_accuracy")
