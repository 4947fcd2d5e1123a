"""What the runs of the report say to its open questions: sentences that follow from the numbers."""

from dataclasses import replace

import numpy as np
import pytest
from tests.reproductions.publications import (
    CAUSE,
    Y,
    experiments,
    factorial,
    outcome,
    plain_rows,
    runs_of,
    typical,
)

from glassnet.locales.catalogue import Words
from glassnet.reproductions.experiments import CROSSED, OUTPUTS
from glassnet.reproductions.facts import gather_facts
from glassnet.reproductions.open_questions import open_questions
from glassnet.study.results import DIVERGED, FAILED

EN, ZH = Words("en"), Words("zh")


def answered(question, outcomes=None, together=None, words=EN, rows=None):
    """Return the whole answer to a question."""
    found = gather_facts(outcomes or typical(), rows or experiments(), Y)
    answers = {one.question: one for one in open_questions(found, together or factorial(), words)}
    return answers[words.say(question)]


def answer(question, outcomes=None, together=None, words=EN, rows=None):
    return answered(question, outcomes, together, words, rows).text


def test_relu_is_the_start_where_the_mended_one_learns():
    said = answer("q_relu")
    assert said.startswith(f"Neither: it is the start, and the step. The cause that was found: {CAUSE}. Found in")
    assert "exploding signal, constant output, divergence" in said
    assert "reaches a loss of 390.0 to 410.0 and a test accuracy of 0.300 to 0.320." in said
    for runs in (
        runs_of("ReLU, remedied", 2475.0, 2475.0, 2475.0),  # no better than a constant
        runs_of("ReLU, remedied", 100.0, 9000.0, 100.0),
        [*runs_of("ReLU, remedied", 390.0, 400.0), outcome("ReLU, remedied", 2, DIVERGED)],
    ):
        untold = answer("q_relu", typical(**{"ReLU, remedied": runs}))
        assert untold.startswith(
            "These runs do not tell: with another start and learning rate ReLU ends at a loss of"
        )
        assert "Neither" not in untold


def test_the_printed_constant_is_explained():
    spread = np.sqrt(2 * 6009 / 600 - 8.25)
    theirs, other = 4.5 - spread, 4.5 + spread
    said = answer("q_constant")
    assert f"6009.0 is exactly what c = {theirs:.3f} costs, and c = {other:.3f} too" in said
    assert "The best constant answer, the mean class number, costs 2,475.0." in said
    assert "Our ReLU networks all say 0.000, which costs 8,550.0." in said
    # a step takes 600 * 0.1 / 784 of the distance to the mean
    left = [2475 + 300 * (spread * (1 - 60 / 784) ** (epoch + 1)) ** 2 for epoch in range(3)]
    assert f"the next losses would be {', '.join(f'{loss:,.1f}' for loss in left)}, from" in said
    assert "A ReLU at 0 is dead, and costs 8,550.0." in said
    other = runs_of("ReLU", 8550.0, 300.0, 8550.0, kinds=["constant-output"])
    said = answer("q_constant", typical(ReLU=other))
    assert "do not all end with one constant answer; their losses end at 300.0 to 8,550.0." in said
    lost = [outcome("ReLU", 0, DIVERGED)]
    assert "their losses end at –." in answer("q_constant", typical(ReLU=lost))


def test_what_can_stay_at_1_is_counted_to_the_printed_digit():
    found = answered("q_constant")
    # by the rule of `experiments`: 6009.04 with relu's hidden layers, else 6009.06; the second seed ends elsewhere
    assert "2 of 8 runs of ours end at 6009.0, to the digit" in found.text
    assert [[cell.text for cell in row] for row in found.table.cells] == [
        ["tanh", "tanh", "6,009.1 to 6,034.5", "0 of 2"],
        ["sigmoid", "sigmoid", "6,009.1 to 6,034.5", "0 of 2"],
        ["relu", "tanh", "6,009.0 to 6,034.5", "1 of 2"],
        ["relu", "sigmoid", "6,009.0 to 6,034.5", "1 of 2"],
    ]
    rows = experiments() | {key: plain_rows(key, 6010.0) for key in OUTPUTS}
    said = answer("q_constant", rows=rows)
    assert said.endswith("none of our 4 runs ends there either.")
    assert "probably" not in said
    assert "4 次运行也没有一次" in answer("q_constant", rows=rows, words=ZH)


def test_tanh_converges_or_does_not():
    said = answer("q_tanh")
    assert said.startswith(
        "Not in 1,000 epochs: at the learning rates 0.01, 0.001, 0.0001 our losses end at 7,000.0 to 9,000.0; 7,0"
    )
    assert "tanh reaches 390.0 to 410.0 and a test accuracy of 0.300 to 0.320." in said
    some = {"tanh, lr 0.001": runs_of("tanh, lr 0.001", 300.0, 310.0, 2475.0)}
    assert answer("q_tanh", typical(**some)).startswith("Not")  # the last is no better than a constant answer
    learns = {"tanh, lr 0.001": runs_of("tanh, lr 0.001", 300.0, 310.0, 320.0)}
    said = answer("q_tanh", typical(**learns))
    assert said.startswith(
        "Yes: at the learning rates 0.01, 0.001, 0.0001 our losses end at 7,000.0 to 9,000.0; 300.0 to 320.0; 7,0"
    )
    # the rate of all others is no smaller one
    learns = {"tanh": runs_of("tanh", 300.0, 310.0, 320.0)}
    assert answer("q_tanh", typical(**learns)).startswith("Not")


def test_the_causes_of_tanh_are_told_apart_where_the_crossed_runs_do():
    found = answered("q_tanh")
    # by the rule of `experiments`: two seeds of 12 cells; 4 cells learn, 2 of these with flat hidden units
    assert "the saturated output unit, together with the step, and not the hidden units" in found.text
    assert "Of the runs whose output slopes end mostly flat, 0 of 16 learn; of the rest, 8 of 8." in found.text
    assert "Of those whose hidden slopes end mostly flat, 4 of 12 learn." in found.text
    assert "with the report's start of the output layer 0 of 12 learn, with a small one 8 of 12; at" in found.text
    assert "at the rates 0.1, 0.01, 0.001 it is 0 of 8, 4 of 8, 4 of 8." in found.text
    rows = [[cell.text for cell in row] for row in found.table.cells]
    assert len(rows) == 12
    report, small = "±1", "±0.05"
    assert rows[0] == [report, report, "0.1", "9,000.0 to 11,751.0", "0 of 2", "75%", "100%"]
    assert rows[4] == [report, small, "0.01", "800.0 to 900.0", "2 of 2", "75%", "0%"]
    assert rows[8] == [small, report, "0.001", "9,000.0 to 11,751.0", "0 of 2", "0%", "100%"]
    assert "2,475.0" in found.table.note


@pytest.mark.parametrize("words", [EN, ZH], ids=["en", "zh"])
def test_no_cause_is_named_that_the_crossed_runs_do_not_single_out(words):
    flat_but_learns = plain_rows(("tanh", 1.0, 1.0, 0.1), 500.0, 11000.0, hidden=0.7, output=0.5)
    hidden_stops = {key: plain_rows(key, 9000.0 if key[1] == 1 else 500.0, hidden=key[1]) for key in CROSSED}
    untold = {EN: "and does not single out one of them", ZH: "结果不能归于其中某一个原因"}[words]
    for rows in (experiments() | {("tanh", 1.0, 1.0, 0.1): flat_but_learns}, experiments() | hidden_stops):
        assert untold in answer("q_tanh", rows=rows, words=words)
    assert untold not in answer("q_tanh", words=words)


def test_factors_interact_or_no_interaction_is_found():
    said = answer("q_independent")
    assert said.startswith("No: their effects are not additive.")
    found = factorial()
    source = next(one for one in found.sources if set(one.factors) == {"optimizer", "activation"})
    assert f"optimizer × activation (p = {source.corrected:.2g}, {source.share:.0%} of the variance)" in said
    assert f"{', '.join(found.additive.levels.values())}, with an accuracy of {found.additive.found:.3f}" in said
    said = answer("q_independent", together=factorial(interaction=0.0))
    assert said.startswith("No interaction was found over all combinations (optimizer × activation (p = ")
    assert "which is no proof that there is none" in said
    best = replace(found.additive, levels=found.additive.best_levels, found=found.additive.best)
    said = answer("q_independent", together=replace(found, additive=best))
    names = ", ".join(found.additive.best_levels.values())
    assert f"The best level of each by itself is {names}, and that is the best combination too, with an" in said
    found = factorial(missing=1)
    said = answer("q_independent", together=found)
    assert said == "It cannot be told: the factorial lacks the result of 1 of its runs."
    assert "1 次运行没有结果" in answer("q_independent", together=found, words=ZH)


def test_one_seed_is_enough_only_where_all_differences_are_clear():
    said = answer("q_one_seed")  # accuracies differ by the same at every seed: nothing that a t test could use
    assert said.startswith("Not for all of them.")
    assert "over 3 seeds" in said
    assert "SGD: +0.000 (unproven, p = 1)" in said
    rng = np.random.default_rng(0)

    def apart(name, accuracy):
        values = accuracy + 1e-4 * rng.normal(size=3)
        return [
            outcome(name, seed, train_loss=[1.0], test={"test_accuracy": value, "test_loss": 1.0})
            for seed, value in enumerate(values)
        ]

    levels = {"base": 0.3, "SGD": 0.35, "Adam": 0.1, "784-256-1": 0.2, "784-392-196-49-1": 0.4}
    said = answer("q_one_seed", typical(**{name: apart(name, value) for name, value in levels.items()}))
    assert said.startswith(
        "Here the differences in test accuracy to [784, 256, 128, 1] with GD are all more than chance"
    )
    assert "SGD: +0.050 (better" in said
    assert "Adam: -0.200 (worse" in said
    some = typical(**{name: apart(name, value) for name, value in (levels | {"SGD": 0.3}).items()})
    said = answer("q_one_seed", some)
    assert said.startswith("Not for all of them.")
    assert "Adam -0.200 (worse" in said
    lost = typical(SGD=[outcome("SGD", 0, DIVERGED), outcome("SGD", 1, DIVERGED)])
    assert "SGD – (no seed in common: cannot be judged, p = –)" in answer("q_one_seed", lost)


def test_the_best_plan_is_held_against_the_others():
    said = answer("q_plan")
    assert said.startswith(
        "No. With its settings Adam ends at a test accuracy of 0.100 to 0.120 in our runs; GD at"
    )
    assert "reaches 0.880 to 0.900 in 1 s, where GD takes 1 s and the Adam of the report 1 s." in said
    best = runs_of("Adam", 1.0, 1.0, 1.0, accuracy=0.95, kinds=["dead-units"])
    said = answer("q_plan", typical(Adam=best))
    assert said.startswith(
        "None of these is better. With its settings Adam ends at a test accuracy of 0.950 to 0.970 in our runs (de"
    )
    lost = [outcome("Adam", 0, DIVERGED)]
    said = answer("q_plan", typical(Adam=lost))
    assert said.startswith("No. With its settings Adam ends at a test accuracy of – in our runs")
    assert said.endswith("the Adam of the report – s.")


def test_the_printed_test_losses_are_training_losses():
    said = answer("q_test_loss")
    assert "749.6 is printed, and the last training losses lead to 749.6" in said
    assert "271.7 is printed, and the last training losses lead to 271.6." in said
    assert said.endswith("On 100 test images ours cost 100.0; 100.0; 100.0.")
    lost = typical(base=[outcome("base", 0, DIVERGED), outcome("base", 1, FAILED)])
    assert answer("q_test_loss", lost).endswith("ours cost 100.0; –; 100.0.")


def test_all_forms_of_adam_stand_beside_what_is_printed():
    outcomes = typical(
        **{"Adam / 784": [outcome("Adam / 784", 0, train_loss=[4914.0], test={"test_accuracy": 0.441})]}
    )
    frozen = ("adam", "divided-frozen")
    rows = experiments() | {
        frozen: [*plain_rows(frozen, 7350.0, accuracy=0.34), *plain_rows(frozen, 7500.0, accuracy=0.35)]
    }
    found = answered("q_adam", outcomes, rows=rows)
    assert found.text.startswith("Printed are a loss of 8,086.5 on 6,000 images and a test accuracy of 0.2515; ")
    assert "Of the 8 forms that were tried, none lies within both with every seed. Nearest" in found.text
    assert "4,000 to 12,000, 0.2015 to 0.3015 count as the same" in found.text
    assert found.text.endswith(
        "Nearest comes: divided by the 784 pixels, bias correction of step 1 in every step. "
        "Its losses end at 7,350.0 to 7,500.0, its test accuracies at 0.340 to 0.350."
    )
    lines = [[cell.text for cell in row] for row in found.table.cells]
    assert lines[0] == ["printed", "1,000", "8,086.5", "0.2515"]
    assert lines[2] == ["step divided by the 784 pixels", "1,000", "4,914.0", "0.4410"]
    assert [row[1] for row in lines[3:]] == ["1,000", "1,000", "1,000", "1,000", "100", "100"]
    # a step of 600 images: its loss times 10
    assert lines[6][2] == "800,000.0 to 850,000.0"
    assert [any(cell.bold for cell in row) for row in found.table.cells] == [False] * 4 + [True] + [False] * 4


def test_a_form_of_adam_that_meets_both_numbers_is_named():
    written = ("adam", "frozen")
    rows = experiments() | {written: plain_rows(written, 4000.0, 12000.0, accuracy=0.2015)}
    nearer = runs_of("Adam", 8086.5, 8086.5, 12000.1, accuracy=0.25)  # but one is out of bounds
    found = answered("q_adam", typical(Adam=nearer), rows=rows)
    assert (
        "Of the 8 forms that were tried this one lies within both, and comes nearest: rate 0.1, bias" in found.text
    )
    assert found.table.cells[7][2].bold


@pytest.mark.parametrize("words", [EN, ZH], ids=["en", "zh"])
def test_every_question_has_an_answer_whatever_was_lost(words):
    for outcomes in (
        typical(),
        {name: {0: outcome(name, 0, DIVERGED)} for name in typical()},
        {name: {0: outcome(name, 0, FAILED)} for name in typical()},
    ):
        found = open_questions(gather_facts(outcomes, experiments(), Y), factorial(), words)
        assert len(found) == 8
        assert [one.table is not None for one in found].count(True) == 3
        assert all(one.text and "nan" not in one.text and "None" not in one.text for one in found)
