"""The questions that the report of ``seed-report`` left open, answered from the runs that repeat it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from glassnet.locales.catalogue import Message, Words
from glassnet.nn.activations import Array
from glassnet.reproductions.outcomes import Outcome
from glassnet.study.design import BASE
from glassnet.study.interactions import CANNOT_BE_TOLD, DEPENDS, NOT_ADDITIVE, InteractionTest
from glassnet.study.results import FINISHED
from glassnet.study.statistics import BETTER, WORSE, Comparison, compare

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

    `lost` runs diverged or failed. `kinds` is what its runs suffer from, and `cause` that of the first diagnosis.
    """

    lost: int
    train_loss: float | None
    test_accuracy: float | None
    seconds: float | None
    kinds: tuple[str, ...]
    cause: Message | None


@dataclass(frozen=True)
class Facts:
    """What the open questions are answered with.

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


def gather_facts(outcomes: Mapping[str, Mapping[int, Outcome]], y: Array) -> Facts:
    """Gather what the open questions are answered with; `y` of shape (n,) holds the class numbers."""
    # a run's test figures are among its measures here
    ranked = [
        replace(one.row, measures=one.row.measures | one.test)
        for name in RANKED
        for one in outcomes[name].values()
    ]
    return Facts(
        typical={name: _summarise(runs) for name, runs in outcomes.items()},
        constant_loss=len(y) * float(np.var(y)) / 2,
        printed_answer=constant_answer(PRINTED_CONSTANT, y),
        our_answer=_our_answer(outcomes["ReLU"], y),
        ranked=compare(ranked, BASE, "test_accuracy"),
        continued={name: 2 * after - before for name, (_, (before, after)) in TEST_LOSSES.items()},
        test_loss={name: _test_loss(outcomes[name]) for name in TEST_LOSSES},
    )


def constant_answer(loss: float, y: Array) -> float | None:
    """Return the constant answer c, the smaller of two, that costs so much: 1/2 sum (y - c)^2 = loss.

    With the mean m and the variance v of n class numbers, c = m - sqrt(2 loss / n - v).
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


def _summarise(runs: Mapping[int, Outcome]) -> Typical:
    finished = [one for one in runs.values() if one.row.status == FINISHED]
    losses = [one.columns["train_loss"][-1] for one in finished if one.columns.get("train_loss")]
    accuracies = [one.test["test_accuracy"] for one in finished if "test_accuracy" in one.test]
    sick = [found for one in runs.values() for found in one.row.diagnoses if found.sick]
    return Typical(
        len(runs) - len(finished),
        _mean(losses),
        _mean(accuracies),
        _mean([one.row.seconds for one in finished]),
        tuple(dict.fromkeys(found.kind for found in sick)),
        sick[0].cause if sick else None,
    )


def _test_loss(runs: Mapping[int, Outcome]) -> float | None:
    """Return what 100 test images cost, as the report prints it."""
    mean = _mean([one.test["test_loss"] for one in runs.values() if "test_loss" in one.test])
    return None if mean is None else 100 * mean


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


class Answer(NamedTuple):
    """A question and what the runs say to it."""

    question: str
    text: str


def open_questions(found: Facts, together: InteractionTest, words: Words) -> list[Answer]:
    """Answer each question that the report left open, in the reader's language and with the evidence."""
    answers = {
        "q_relu": _answer_relu(found, words),
        "q_constant": _answer_constant(found, words),
        "q_tanh": _answer_tanh(found, words),
        "q_independent": _answer_independent(together, words),
        "q_one_seed": _answer_one_seed(found.ranked, words),
        "q_plan": _answer_plan(found, words),
        "q_adam": _answer_adam(found, words),
        "q_test_loss": _answer_test_losses(found, words),
    }
    return [Answer(words.say(question), text) for question, text in answers.items()]


def _answer_relu(found: Facts, words: Words) -> str:
    relu, mended = found.typical["ReLU"], found.typical["ReLU, remedied"]
    kinds = [*relu.kinds, *found.typical["ReLU3"].kinds]
    key = "q_relu_start" if _beats(mended, found) else "q_relu_untold"
    return words.say(key, cause=_cause(relu, words), kinds=_list_once(kinds), **_reached(mended))


def _answer_constant(found: Facts, words: Words) -> str:
    theirs, ours = found.printed_answer, found.our_answer
    if theirs is None:
        return words.say("q_constant_none", printed=PRINTED_CONSTANT, best=found.constant_loss)
    said = words.say("q_constant_is", printed=PRINTED_CONSTANT, theirs=theirs, best=found.constant_loss)
    loss = found.typical["ReLU"].train_loss
    if ours is None:
        return f"{said}{words.say('q_constant_not_ours', loss=loss)}"
    key = "q_constant_agrees" if round(theirs, 1) == round(ours, 1) else "q_constant_ours"
    return f"{said}{words.say(key, ours=ours, theirs=theirs, loss=loss)}"


def _answer_tanh(found: Facts, words: Words) -> str:
    tried = [found.typical[name] for name in RATES.values()]
    return words.say(
        "q_tanh_yes" if any(_beats(one, found) for one in tried) else "q_tanh_no",
        rates=list(RATES),
        losses=[one.train_loss for one in tried],
        best=found.constant_loss,
        cause=_cause(tried[0], words),
        kinds=_list_once([kind for one in tried for kind in one.kinds]),
        **_reached(found.typical["tanh, remedied"]),
    )


def _beats(one: Typical, found: Facts) -> bool:
    """Whether a variant ends better than the best constant answer, and no run of it was lost."""
    return not one.lost and one.train_loss is not None and one.train_loss < found.constant_loss


def _reached(one: Typical) -> dict[str, float | None]:
    return {"loss": one.train_loss, "accuracy": one.test_accuracy}


def _answer_independent(together: InteractionTest, words: Words) -> str:
    additive = together.additive
    if together.verdict == CANNOT_BE_TOLD or additive is None:
        return words.say("q_untold", missing=len(together.missing))
    parts = [
        words.say("q_source", names=" × ".join(one.factors), p=one.corrected, share=one.share)
        for one in together.sources
        if one.kind == "interaction"
    ]
    return words.say(
        "q_interact" if together.verdict in (DEPENDS, NOT_ADDITIVE) else "q_no_interaction",
        found=parts,
        levels=list(additive.levels.values()),
        got=additive.found,
        best=list(additive.best_levels.values()),
        most=additive.best,
    )


def _answer_one_seed(comparisons: Sequence[Comparison], words: Words) -> str:
    parts = [
        words.say(
            "q_difference",
            name=one.variant,
            difference=one.difference,
            verdict=one.verdict,
            p=one.corrected,
        )
        for one in comparisons
    ]
    clear = all(one.verdict in (BETTER, WORSE) for one in comparisons)
    seeds = max((len(one.seeds) for one in comparisons), default=0)
    key = "q_one_seed_yes" if clear else "q_one_seed_no"
    return words.say(key, n=seeds, found=parts)


def _answer_plan(found: Facts, words: Words) -> str:
    plan, sound, base = (found.typical[name] for name in (BEST_PLAN, SOUND, BASE))
    others = [one.test_accuracy for one in (sound, base) if one.test_accuracy is not None]
    better = plan.test_accuracy is None or any(other > plan.test_accuracy for other in others)
    return words.say(
        "q_plan_is",
        verdict=words.say("q_plan_no" if better else "q_plan_yes"),
        adam=plan.test_accuracy,
        kinds=words.say("q_kinds", kinds=list(plan.kinds)) if plan.kinds else "",
        gd=base.test_accuracy,
        sound=sound.test_accuracy,
        seconds=sound.seconds,
        gd_seconds=base.seconds,
        adam_seconds=plan.seconds,
    )


def _answer_adam(found: Facts, words: Words) -> str:
    adam, divided = found.typical[BEST_PLAN], found.typical[DIVIDED]
    loss, accuracy = PRINTED_ADAM
    return words.say(
        "q_adam_is",
        kinds=words.say("q_kinds", kinds=list(adam.kinds)) if adam.kinds else "",
        ours=adam.train_loss,
        loss=loss,
        accuracy=accuracy,
        divided=divided.train_loss,
        reached=divided.test_accuracy,
    )


def _answer_test_losses(found: Facts, words: Words) -> str:
    parts = [
        words.say("q_continued", printed=TEST_LOSSES[name][0], next=value)
        for name, value in found.continued.items()
    ]
    return words.say("q_test_loss_is", found=parts, ours=list(found.test_loss.values()))


def _list_once(kinds: Sequence[str]) -> list[str] | None:
    """Return each kind once; None for none."""
    return list(dict.fromkeys(kinds)) or None


def _cause(one: Typical, words: Words) -> str:
    """Return why a variant is sick, as a sentence; empty where nothing is recorded."""
    return "" if one.cause is None else words.say("q_cause", cause=one.cause)
