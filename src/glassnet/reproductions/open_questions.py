"""The questions that the report of ``seed-report`` left open, answered from the runs that repeat it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from glassnet.charts.tables import Table
from glassnet.locales.catalogue import Words
from glassnet.reproductions.answer_tables import (
    adam_forms,
    adam_table,
    crossed_table,
    ends_at_printed,
    learns,
    nearest_form,
    output_table,
    printed_adam,
    span,
)
from glassnet.reproductions.experiments import CROSSED, FACTORS, OUTPUTS, STEPS
from glassnet.reproductions.facts import PRINTED_CONSTANT, TEST_LOSSES, Facts, Typical, mean
from glassnet.reproductions.plain_runs import Key
from glassnet.study.design import BASE
from glassnet.study.interactions import CANNOT_BE_TOLD, DEPENDS, NOT_ADDITIVE, InteractionTest
from glassnet.study.results import Row
from glassnet.study.statistics import BETTER, WORSE, Comparison

#: Learning rates of tanh below the 0.1 of all others, one that is printed and two smaller ones: their variants.
RATES = {"0.01": "tanh, lr 0.01", "0.001": "tanh, lr 0.001", "0.0001": "tanh, lr 0.0001"}

#: The network that the report's conclusion recommends, and a usual one that trains for as long.
BEST_PLAN, SOUND = "Adam", "sound"

#: Share of slopes from which on units are mostly flat.
MOSTLY = 0.5


class Answer(NamedTuple):
    """A question and what the runs say to it."""

    question: str
    text: str
    table: Table | None = None


def open_questions(found: Facts, together: InteractionTest, words: Words) -> list[Answer]:
    """Answer each question that the report left open, in the reader's language and with the evidence."""
    answers: dict[str, str] = {
        "q_relu": _answer_relu(found, words),
        "q_constant": _answer_constant(found, words),
        "q_tanh": _answer_tanh(found, words),
        "q_independent": _answer_independent(together, words),
        "q_one_seed": _answer_one_seed(found.ranked, words),
        "q_plan": _answer_plan(found, words),
        "q_adam": _answer_adam(found, words),
        "q_test_loss": _answer_test_losses(found, words),
    }
    tables = {
        "q_constant": output_table(found, words),
        "q_tanh": crossed_table(found, words),
        "q_adam": adam_table(found, words),
    }
    return [Answer(words.say(question), text, tables.get(question)) for question, text in answers.items()]


def _answer_relu(found: Facts, words: Words) -> str:
    relu, mended = found.typical["ReLU"], found.typical["ReLU, remedied"]
    kinds = [*relu.kinds, *found.typical["ReLU3"].kinds]
    key = "q_relu_start" if mended.beats(found.constant_loss) else "q_relu_untold"
    cause = "" if relu.cause is None else words.say("q_cause", cause=relu.cause)
    return words.say(key, cause=cause, kinds=list(dict.fromkeys(kinds)) or None, **_reached(mended, words))


def _answer_constant(found: Facts, words: Words) -> str:
    if not found.printed_answers:
        return words.say("q_constant_none", printed=PRINTED_CONSTANT, best=found.constant_loss)
    theirs, other = found.printed_answers
    relu = found.typical["ReLU"]
    runs = [row for key in OUTPUTS for row in found.plain[key]]
    at = sum(map(ends_at_printed, runs))
    values = {"printed": PRINTED_CONSTANT, "theirs": theirs, "other": other}
    return words.join(
        [
            words.say("q_constant_is", best=found.constant_loss, **values),
            words.say(
                "q_constant_not_ours" if found.our_answer is None else "q_constant_ours",
                ours=found.our_answer,
                loss=span(relu.losses, ",.1f", words),
            ),
            words.say("q_constant_moves", losses=found.next_losses, dead=found.dead_loss, **values),
            words.say("q_constant_stays" if at else "q_constant_nobody", at=at, of=len(runs), **values),
        ],
        "between_sentences",
    )


def _answer_tanh(found: Facts, words: Words) -> str:
    tried = [found.typical[name] for name in RATES.values()]
    yes = any(one.beats(found.constant_loss) for one in tried)
    return words.join(
        [
            words.say(
                "q_tanh_yes" if yes else "q_tanh_no",
                rates=list(RATES),
                losses=[span(one.losses, ",.1f", words) for one in tried],
                best=found.constant_loss,
            ),
            _tell_cause(found, words),
            words.say("q_tanh_mended", **_reached(found.typical["tanh, remedied"], words)),
        ],
        "between_sentences",
    )


def _tell_cause(found: Facts, words: Words) -> str:
    """Say which of the crossed causes stops tanh: that with which no run learns, while runs with the other do."""
    runs = [(key, row) for key in CROSSED for row in found.plain[key]]
    flat_output = [(key, row) for key, row in runs if row.measures["flat_output"] >= MOSTLY]
    flat_hidden = [(key, row) for key, row in runs if row.measures["flat_hidden"] >= MOSTLY]
    rest = [one for one in runs if one not in flat_output]

    def learned(some: Iterable[tuple[Key, Row]]) -> list[bool]:
        return [learns(row, found) for _, row in some]

    def count(some: Iterable[tuple[Key, Row]]) -> str:
        which = learned(some)
        return words.say("n_of", n=sum(which), of=len(which))

    told = not any(learned(flat_output)) and any(learned(flat_hidden))
    wide, small = FACTORS
    return words.say(
        "q_tanh_output" if told else "q_tanh_untold",
        flat=count(flat_output),
        rest=count(rest),
        hidden=count(flat_hidden),
        wide=count(one for one in runs if one[0][2] == wide),
        small=count(one for one in runs if one[0][2] == small),
        rates=[f"{rate:g}" for rate in STEPS],
        steps=[count(one for one in runs if one[0][3] == rate) for rate in STEPS],
    )


def _reached(one: Typical, words: Words) -> dict[str, Any]:
    return {"loss": span(one.losses, ",.1f", words), "accuracy": span(one.accuracies, ".3f", words)}


def _answer_independent(together: InteractionTest, words: Words) -> str:
    additive = together.additive
    if together.verdict == CANNOT_BE_TOLD or additive is None:
        return words.say("q_untold", missing=len(together.missing))
    parts = [
        words.say(
            "q_source",
            names=" × ".join(words.name("printed_names", name) for name in one.factors),
            p=one.corrected,
            share=one.share,
        )
        for one in together.sources
        if one.kind == "interaction"
    ]
    best = words.say(
        "q_same_best" if additive.levels == additive.best_levels else "q_other_best",
        levels=list(additive.levels.values()),
        got=additive.found,
        best=list(additive.best_levels.values()),
        most=additive.best,
    )
    key = "q_interact" if together.verdict in (DEPENDS, NOT_ADDITIVE) else "q_no_interaction"
    return words.join([words.say(key, found=parts), best], "between_sentences")


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
    means = [mean(one.accuracies) for one in (plan, sound, base)]
    better = means[0] is None or any(other is not None and other > means[0] for other in means[1:])
    return words.say(
        "q_plan_is",
        verdict=words.say("q_plan_no" if better else "q_plan_yes"),
        adam=span(plan.accuracies, ".3f", words),
        kinds=words.say("q_kinds", kinds=list(plan.kinds)) if plan.kinds else "",
        gd=span(base.accuracies, ".3f", words),
        sound=span(sound.accuracies, ".3f", words),
        seconds=sound.seconds,
        gd_seconds=base.seconds,
        adam_seconds=plan.seconds,
    )


def _answer_adam(found: Facts, words: Words) -> str:
    figures, forms = printed_adam(), adam_forms(found)
    loss, accuracy = figures
    nearest = nearest_form(forms, figures)
    return words.say(
        "q_adam_met" if nearest.meets(figures) else "q_adam_none",
        loss=loss.printed,
        accuracy=accuracy.printed,
        bounds=[words.say("low_to_high", low=f"{one.low:,g}", high=f"{one.high:,g}") for one in figures],
        tried=len(forms),
        form=nearest.name,
        ours=span(nearest.losses, ",.1f", words),
        reached=span(nearest.accuracies, ".3f", words),
    )


def _answer_test_losses(found: Facts, words: Words) -> str:
    parts = [
        words.say("q_continued", printed=TEST_LOSSES[name][0], next=value)
        for name, value in found.continued.items()
    ]
    ours = [span(values, ",.1f", words) for values in found.test_losses.values()]
    return words.say("q_test_loss_is", found=parts, ours=ours)
