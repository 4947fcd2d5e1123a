"""The questions that the report left open, answered from the runs that repeat it, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from glassnet.report.words import Words
from glassnet.reproductions.seed_report import (
    BEST_PLAN,
    DIVIDED,
    PRINTED_ADAM,
    PRINTED_CONSTANT,
    RATES,
    SOUND,
    TEST_LOSSES,
    Facts,
    Typical,
)
from glassnet.study.design import BASE
from glassnet.study.interactions import CANNOT_BE_TOLD, INTERACT, InteractionTest
from glassnet.study.statistics import BETTER, WORSE, Comparison


class Answer(NamedTuple):
    """A question and what the runs say to it."""

    question: str
    text: str


def open_questions(found: Facts, together: InteractionTest, words: Words) -> list[Answer]:
    """Answer each question that the report left open, with the evidence.

    Parameters
    ----------
    found : Facts
        From `glassnet.reproductions.seed_report.facts`.
    together : InteractionTest
        Of the study ``seed-report-factors``.
    words : Words
        In the reader's language.
    """
    answers = {
        "q_relu": _relu(found, words),
        "q_constant": _constant(found, words),
        "q_tanh": _tanh(found, words),
        "q_independent": _independent(together, words),
        "q_one_seed": _one_seed(found.ranked, words),
        "q_plan": _plan(found, words),
        "q_adam": _adam(found, words),
        "q_test_loss": _test_losses(found, words),
    }
    return [Answer(words.say(question), text) for question, text in answers.items()]


def _relu(found: Facts, words: Words) -> str:
    relu, mended = found.typical["ReLU"], found.typical["ReLU, remedied"]
    kinds = [*relu.kinds, *found.typical["ReLU3"].kinds]
    key = "q_relu_start" if _beats(mended, found) else "q_relu_untold"
    return words.say(key, cause=_cause(relu, words), kinds=_kinds(kinds, words), **_reached(mended))


def _constant(found: Facts, words: Words) -> str:
    theirs, ours = found.printed_answer, found.our_answer
    if theirs is None:
        return words.say("q_constant_none", printed=PRINTED_CONSTANT, best=found.constant_loss)
    said = words.say("q_constant_is", printed=PRINTED_CONSTANT, theirs=theirs, best=found.constant_loss)
    loss = _loss(found.typical["ReLU"].train_loss)
    if ours is None:
        return f"{said}{words.say('q_constant_not_ours', loss=loss)}"
    key = "q_constant_agrees" if round(theirs, 1) == round(ours, 1) else "q_constant_ours"
    return f"{said}{words.say(key, ours=ours, theirs=theirs, loss=loss)}"


def _tanh(found: Facts, words: Words) -> str:
    tried = [found.typical[name] for name in RATES.values()]
    return words.say(
        "q_tanh_yes" if any(_beats(one, found) for one in tried) else "q_tanh_no",
        rates=", ".join(RATES),
        losses=", ".join(_loss(one.train_loss) for one in tried),
        best=found.constant_loss,
        cause=_cause(tried[0], words),
        kinds=_kinds([kind for one in tried for kind in one.kinds], words),
        **_reached(found.typical["tanh, remedied"]),
    )


def _beats(one: Typical, found: Facts) -> bool:
    """Whether a variant ends better than the best constant answer, and no run of it was lost."""
    return not one.lost and one.train_loss is not None and one.train_loss < found.constant_loss


def _reached(one: Typical) -> dict[str, str]:
    return {"loss": _loss(one.train_loss), "accuracy": _share(one.test_accuracy)}


def _independent(together: InteractionTest, words: Words) -> str:
    additive = together.additive
    if together.verdict == CANNOT_BE_TOLD or additive is None:
        return words.say("q_untold", missing=len(together.missing))
    parts = [
        words.say("q_source", names=" × ".join(one.factors), p=_p(one.corrected), share=one.share)
        for one in together.sources
        if one.kind == "interaction"
    ]
    return words.say(
        "q_interact" if together.verdict == INTERACT else "q_no_interaction",
        found=words.say("and_so").join(parts),
        levels=", ".join(additive.levels.values()),
        got=additive.found,
        best=", ".join(additive.best_levels.values()),
        most=additive.best,
    )


def _one_seed(comparisons: Sequence[Comparison], words: Words) -> str:
    verdicts = {BETTER: "q_better", WORSE: "q_worse"}
    parts = [
        words.say(
            "q_difference",
            name=one.variant,
            difference="–" if one.difference is None else f"{one.difference:+.3f}",
            verdict=words.say(verdicts.get(one.verdict, "q_unclear")),
            p=_p(one.corrected),
        )
        for one in comparisons
    ]
    clear = all(one.verdict in verdicts for one in comparisons)
    seeds = max((len(one.seeds) for one in comparisons), default=0)
    key = "q_one_seed_yes" if clear else "q_one_seed_no"
    return words.say(key, n=seeds, found=words.say("and_so").join(parts))


def _plan(found: Facts, words: Words) -> str:
    plan, sound, base = (found.typical[name] for name in (BEST_PLAN, SOUND, BASE))
    others = [one.test_accuracy for one in (sound, base) if one.test_accuracy is not None]
    better = plan.test_accuracy is None or any(other > plan.test_accuracy for other in others)
    return words.say(
        "q_plan_is",
        verdict=words.say("q_plan_no" if better else "q_plan_yes"),
        adam=_share(plan.test_accuracy),
        kinds=words.say("q_kinds", kinds=_kinds(plan.kinds, words)) if plan.kinds else "",
        gd=_share(base.test_accuracy),
        sound=_share(sound.test_accuracy),
        seconds=_seconds(sound.seconds),
        gd_seconds=_seconds(base.seconds),
        adam_seconds=_seconds(plan.seconds),
    )


def _adam(found: Facts, words: Words) -> str:
    adam, divided = found.typical[BEST_PLAN], found.typical[DIVIDED]
    loss, accuracy = PRINTED_ADAM
    return words.say(
        "q_adam_is",
        kinds=words.say("q_kinds", kinds=_kinds(adam.kinds, words)) if adam.kinds else "",
        ours=_loss(adam.train_loss),
        loss=f"{loss:,.1f}",
        accuracy=_share(accuracy),
        divided=_loss(divided.train_loss),
        reached=_share(divided.test_accuracy),
    )


def _test_losses(found: Facts, words: Words) -> str:
    parts = [
        words.say("q_continued", printed=TEST_LOSSES[name][0], next=value)
        for name, value in found.continued.items()
    ]
    ours = ", ".join(_loss(value) for value in found.test_loss.values())
    return words.say("q_test_loss_is", found=words.say("and_so").join(parts), ours=ours)


def _kinds(kinds: Sequence[str], words: Words) -> str:
    return words.say("and").join(words.kind(kind) for kind in dict.fromkeys(kinds)) or "–"


def _cause(one: Typical, words: Words) -> str:
    """Return why a variant is sick, as a sentence; empty where nothing is recorded, or no words are known."""
    cause = words.cause(one.kinds[0], one.cause) if one.kinds and one.cause else None
    if not cause:
        return ""
    return f"{cause[:1].upper()}{cause[1:]}." if words.language == "en" else cause


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _loss(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"
