"""Rules about steps and losses, on histories made by hand: at each threshold and just beyond."""

import numpy as np
import pytest
from tests.training.health.made import CLASSES, evidence, history, layer, network, trials, vitals

from glassnet.nn.network import Network
from glassnet.training.fit import fit
from glassnet.training.health.evidence import Baseline, Divergence, Lag
from glassnet.training.health.learning_rules import (
    find_constant_output,
    find_divergence,
    find_oscillating_loss,
    find_over_fitting,
    find_over_regularised,
    find_slow_learning,
    find_stuck_loss,
    find_unfinished,
)

WELL = 0.1  # a loss of which nobody is sick; `vitals` have one of 0.6, which is
PATIENCE = "early_stopping patience(5)"


def moved(*ratios, loss=0.6, steps=(1, 4, 16, 100)):
    """Vitals of which the layers moved by so much in the step before each."""
    start = vitals(0, 1.0)
    return [
        start,
        *(
            vitals(
                step,
                loss,
                layers=[
                    layer(1, update_ratio=ratio / 2),
                    layer(2, update_ratio=ratio),
                    layer(3, 1, update_ratio=0.0),
                ],
            )
            for step, ratio in zip(steps, ratios, strict=True)
        ),
    ]


def test_divergence_says_its_step_its_layer_and_both_rates():
    lost = evidence(*moved(0.1, 0.1, 0.1, 0.1), optimizer="adam(0.5)", divergence=Divergence(137, 2))
    found = find_divergence(lost)
    assert str(found) == (
        "divergence (layer 2, since step 137): steps are too large: learning rate 0.5, where adam usually takes "
        "0.001; try learning_rate 0.001"
    )
    assert found.evidence == {"learning_rate": 0.5, "usual_learning_rate": 0.001}
    assert found.sick
    found = find_divergence(evidence(vitals(), divergence=Divergence(137, None)))
    assert (found.layer, found.since) == (None, 137)
    assert find_divergence(evidence(vitals())) is None


#: The latter half of each goes up on this share of its way; each but the last two is rough enough.
WAYS = [
    ([9, 9, 9, 9, 9, 10, 7, 9, 6, 8], 0.4, True),
    ([9, 9, 9, 9, 9, 10, 7, 8.9, 5.9, 7.8], 3.8 / 9.8, False),  # the next ones fall, and jump about on their way
    ([9, 9, 9, 9, 9, 10, 7, 8, 5, 6], 2 / 8, False),
    ([20, 19, 18, 17, 16, 15, 12, 13, 10, 11], 2 / 8, False),
    ([9, 1, 9, 1, 9, 9.0, 7.0, 5.0, 3.0, 1.0], 0.0, False),  # only its first half jumps
    ([1, 7, 9, 7, 9], 0.0, False),  # three ways are too few
    ([1, 1, 1, 1, 7, 9, 7, 9], 0.0, False),
    ([1, 1, 1, 1, 9, 7, 9, 7, 9], 0.5, True),
    ([100, 100, 100, 100, 100, 100, 95.1, 100, 95.1, 100], 0.0, False),  # noise: 4.9 % of the losses
    ([9, 9, 9, 9, 9, 9, np.inf, 9, 7, 9], 0.0, False),
]


@pytest.mark.parametrize("scale", [1, 4000], ids=["mean", "sum"])
@pytest.mark.parametrize(("losses", "rises", "found"), WAYS, ids=str)
def test_a_loss_that_jumps_about(losses, rises, found, scale):
    """A sum over the rows is as rough as their mean."""
    rates = evidence(*moved(0.01, 0.01, 0.01, 0.01), stable_rate=1.0, history=history([scale * x for x in losses]))
    diagnosis = find_oscillating_loss(rates)
    assert (diagnosis is not None) == found
    if found:
        assert diagnosis.evidence["rises"] == pytest.approx(rises)


@pytest.mark.parametrize(("low", "found"), [(94.6, True), (95.4, False)])
def test_noise_is_a_twentieth_of_the_mean_loss(low, found):
    losses = [100] * 5 + [100, low] * 4 + [100]  # of about 98 on average, by 5.4 or by 4.6
    assert (find_oscillating_loss(evidence(vitals(loss=WELL), history=history(losses))) is not None) == found


@pytest.mark.parametrize(
    ("update", "rate", "loss", "expected"),
    [
        (0.02, 0.1, 0.6, True),
        (0.0199, 0.1, 0.6, None),
        (0.0199, 0.2, 0.6, None),  # up to twice the largest stable one, which is 0.1
        (0.0199, 0.201, 0.6, True),
        (0.02, 0.3, WELL, None),
    ],
)
def test_steps_that_are_too_large(update, rate, loss, expected):
    seen = evidence(*moved(0.5, 0.5, 0.0, update, loss=loss), optimizer=f"sgd({rate})", stable_rate=0.1)
    found = find_oscillating_loss(seen)
    assert (found and found.sick) == expected


def test_a_step_for_a_sum_is_as_large_as_for_all_its_rows():
    net = network(loss="half_squared_error(sum)")
    for rate, found in ((0.2 / 32, False), (0.201 / 32, True)):
        seen = evidence(*moved(0.0, 0.0, 0.0, 0.0), optimizer=f"sgd({rate})", net=net, stable_rate=0.1)
        assert (find_oscillating_loss(seen) is not None) == found


def test_a_loss_that_jumps_is_told_with_the_first_step_that_was_seen():
    seen = evidence(
        *moved(0.5, 0.5, 0.01, 0.03, steps=(4, 16, 64, 100)),
        optimizer="sgd(0.7)",
        stable_rate=0.25,
        history=history([9, 7] * 5),
    )
    found = find_oscillating_loss(seen)
    assert str(found) == (
        "oscillating-loss (since step 4): a step moves the weights by up to 0.03 of their size, and the "
        "loss jumps "
        "about: steps are too large: learning rate 0.7: sgd is stable, at the start, up to 2 / sharpness = 0.25; "
        "try learning_rate 0.07"
    )
    assert found.evidence == {"largest_update": 0.03, "rises": 0.5, "loss": 0.6}
    assert found.sick


def test_a_jumping_loss_is_a_remark_of_a_network_that_learned_and_explained_by_divergence_or_a_wide_start():
    losses = history([9, 7] * 5)
    found = find_oscillating_loss(evidence(vitals(loss=WELL), history=losses, stable_rate=1.0))
    assert (found.kind, found.sick) == ("oscillating-loss", False)
    assert find_oscillating_loss(evidence(vitals(), history=losses, divergence=Divergence(3, 1))) is None
    assert (
        find_oscillating_loss(evidence(vitals(0, 1.0, first={"flat_share": 0.9}), vitals(), history=losses))
        is None
    )


@pytest.mark.parametrize(
    ("update", "loss", "found"), [(0.00099, 0.6, True), (0.001, 0.6, False), (0.00099, WELL, False)]
)
def test_steps_that_are_too_small(update, loss, found):
    assert (find_slow_learning(evidence(*moved(0.5, 0.5, 0.0, update, loss=loss))) is not None) == found


def test_slow_learning_is_told_with_step_size_and_losses():
    base = Baseline((0.0,), 0.7, 0.0, -1.0, 1.0)
    seen = evidence(*moved(0, 0, 0, 0.0002, steps=(4, 16, 64, 100)), optimizer="sgd(0.003)", baseline=base)
    found = find_slow_learning(seen)
    assert str(found) == (
        "slow-learning (since step 4): no step moves the weights by more than 0.0002 of their size, and 0.001 "
        "or more is usual; the loss is 0.6, that of the best constant answer 0.7; try learning_rate 0.1"
    )
    assert found.evidence == {"largest_update": 0.0002, "learning_rate": 0.003}


@pytest.mark.parametrize(
    ("losses", "found"),
    [
        ((1.0, 0.96, 0.95), True),
        ((1.0, 0.95, 0.949), False),
        ((1.0, 0.98, 0.951), True),  # it falls by 2.96 % over the last two fifths
        ((1.0, 0.99, 0.955), False),  # by 3.5 %
    ],
)
def test_a_loss_that_stays_where_it_was(losses, found):
    seen = [vitals(step, loss) for step, loss in zip((0, 60, 100), losses, strict=True)]
    assert (find_stuck_loss(evidence(*seen)) is not None) == found


def test_a_stuck_loss_is_told_with_that_of_the_best_constant():
    base = Baseline((0.0,), 0.98, 0.0, -1.0, 1.0)
    found = find_stuck_loss(evidence(*[vitals(step, 0.99) for step in (0, 60, 100)], baseline=base))
    assert str(found).startswith(
        "stuck-loss (from the start): the loss is 0.99, that of the best constant answer 0.98: nothing of what"
    )
    assert (found.evidence, found.remedy) == ({"loss": 0.99, "constant_loss": 0.98}, None)


@pytest.mark.parametrize(
    ("ended", "losses", "expected"),
    [
        (0.285, (0.3, 0.3), False),
        (0.275, (0.3, 0.3), None),  # nine tenths of what the reference gains, which is 0.8
        ((0.285, 0.9), (0.3, 0.3), None),  # the difference may be chance
        (0.9, (0.6, 0.6), True),
        (0.9, (0.7, 0.6), False),
        (0.9, (0.66, 0.6), True),  # the loss falls by 9 % over the last two fifths, and not by a tenth
    ],
)
def test_what_simple_models_learned_more_of(ended, losses, expected):
    seen = [vitals(0, 1.0), vitals(60, losses[0]), vitals(100, losses[1])]
    found = find_unfinished(evidence(*seen, trials=trials(ended, 0.2, steps=50)))
    assert (found and found.sick) == expected


def test_what_is_unfinished_is_told_with_both_gains_and_the_last_step():
    found = find_unfinished(evidence(vitals(90, 0.3), trials=trials(0.35, 0.1, taken=400)))
    assert str(found) == (
        "unfinished (since step 90): the loss is 0.3, that of the best constant answer 1; on held-out rows the "
        "answers gain 65% over the best constant one, a linear model or nearest neighbours 90%"
    )
    assert found.evidence == {"gain": pytest.approx(0.65), "possible": pytest.approx(0.9)}
    assert find_unfinished(evidence(vitals(90, 0.09), trials=trials(0.35, 0.1))) is None
    assert find_unfinished(evidence(vitals(90, 0.3))) is None
    chance = trials(0.99, (0.98, 5.0))  # references that are no better than chance
    assert find_unfinished(evidence(vitals(90, 0.3), trials=chance)) is None


@pytest.mark.parametrize(
    ("net", "training", "changes", "said"),
    [
        ({}, {"l2": 0.25}, {"training": {"l2": 0.0}}, "l2 0.25 holds"),
        ({}, {"l1": 0.5}, {"training": {"l1": 0.0}}, "l1 0.5 holds"),
        ({}, {"clip_value": 0.01}, {"training": {"clip_value": 1.0}}, "clip_value 0.01 holds"),
        ({"dropout": [0.0, 0.125, 0.75]}, {}, {"network": {"dropout": 0.0}}, "dropout 0.75 holds"),
    ],
)
def test_a_penalty_that_holds_back_is_told_with_both_gains(net, training, changes, said):
    known = trials(0.9, after=[({}, 0.875), (changes, 0.25)])
    seen = (vitals(0, 1.0), vitals(4, 1.0), vitals(100, 0.9))
    found = find_over_regularised(evidence(*seen, net=network(**net), training=training, trials=known))
    assert str(found.cause) == (
        f"{said} the network back: in a short trial its answers gain 12% over the best constant one, and "
        f"75% without "
        "that"
    )
    assert (found.since, found.remedy.changes, found.sick) == (4, changes, True)
    assert found.evidence == {"kept": 0.125, "lifted": 0.75}
    start = vitals(0, 0.9)
    assert (
        find_over_regularised(evidence(start, start, net=network(**net), training=training, trials=known)) is None
    )
    useless = trials(0.9, after=[({}, 0.875), (changes, 0.875)])
    assert find_over_regularised(evidence(*seen, net=network(**net), training=training, trials=useless)) is None


@pytest.mark.parametrize(
    ("spreads", "low", "expected"),
    [
        ((0.5, 0.019), -1.0, 100),
        ((0.5, 0.02), -1.0, None),  # a hundredth of the range of the targets
        ((0.01, 0.5, 0.01, 0.01), -1.0, 16),
        ((0.01, 0.01), -1.0, 0),
        ((0.5, 0.019), 0.0, None),
        ((0.5, 0.0099), 0.0, 100),
        ((0.5, np.nan), 0.0, None),
    ],
)
def test_an_output_that_is_the_same_for_every_row(spreads, low, expected):
    steps = (0, 1, 16, 100)[: len(spreads) - 1]
    seen = [vitals(step, 0.6, output_spread=s) for step, s in zip((*steps, 100), spreads, strict=True)]
    found = find_constant_output(evidence(*seen, baseline=Baseline((0.25,), 1.0, 0.0, low, 1.0)))
    assert (found and found.since) == expected


def test_a_constant_answer_is_told_beside_the_best_one_with_what_both_cost():
    base = Baseline((0.5, -0.25), 0.875, 0.0, -1.0, 1.0)
    end = vitals(100, 1.5, outputs=(0.125, 3.0), output_spread=0.001)
    found = find_constant_output(evidence(end, baseline=base))
    assert str(found) == (
        "constant-output (layer 3, since step 100): every row gets the answer 0.125, 3, which costs 1.5 a "
        "row; the "
        "best constant, 0.5, -0.25, costs 0.875"
    )
    assert found.evidence == {"answer": 0.125, "loss": 1.5, "best_answer": 0.5, "constant_loss": 0.875}
    assert find_constant_output(evidence(end, baseline=base, divergence=Divergence(9, 1))) is None
    start = vitals(0, 1.5, output_spread=0.001)
    assert find_constant_output(evidence(start, start)) is None


def over_fit(validation, train=(1.0, 0.8, 0.5, 0.2), *, loss=0.2, step=200, steps=50, **others):
    return find_over_fitting(
        evidence(vitals(step, loss), history=history(list(train), list(validation)), epoch_steps=steps, **others)
    )


@pytest.mark.parametrize(
    ("validation", "train", "expected"),
    [
        ((0.9, 0.5, 0.52, 0.5501), (1.0, 0.8, 0.5, 0.2), 100),
        ((0.9, 0.5, 0.52, 0.55), (1.0, 0.8, 0.5, 0.2), None),
        ((0.5, 0.9, 0.52, 0.5501), (1.0, 0.8, 0.5, 0.2), 50),
        ((0.9, 0.52, 0.5, 0.5501), (1.0, 0.8, 0.5, 0.5), None),  # the training loss has not fallen since
        ((0.9, 0.52, 0.5, 0.5501), (1.0, 0.8, 0.5, 0.4999), 150),
    ],
)
def test_a_validation_loss_that_rises_by_a_tenth_while_that_of_training_falls(validation, train, expected):
    found = over_fit(validation, train)
    assert (found and found.since) == expected


def test_over_fitting_is_told_with_losses_and_epoch_and_since_its_last_step():
    found = over_fit((0.9, 0.5, 0.52, 0.75))
    assert str(found) == (
        "over-fitting (since step 100): the validation loss has risen from 0.5, after epoch 2, to 0.75, while the "
        f"training loss fell to 0.2; try {PATIENCE}"
    )
    assert found.evidence == {"lowest": 0.5, "last": 0.75, "gap": pytest.approx((0.75 - 0.2) / 0.3)}
    found = over_fit((0.9, 0.5, 0.52, 0.75), drawn=120, rows=5000)
    assert str(found.cause).endswith("fell to 0.2; only 120 of 5,000 training rows are ever drawn")
    assert found.remedy.changes == {"training": {"sampling": "fresh"}}


@pytest.mark.parametrize("step", [210, 249, 16])
def test_the_step_is_that_of_the_epochs_end_wherever_the_run_was_cut(step):
    """Ctrl-C ends an epoch in its middle, and divergence leaves an examination of long before as the last."""
    assert over_fit((0.9, 0.5, 0.52, 0.75), step=step).since == 100


@pytest.mark.parametrize(
    ("validation", "loss", "step", "sick"),
    [
        (0.6, 0.3, 200, True),  # 0.3 of the variance apart
        (0.6, 0.301, 200, False),
        (0.6, 0.3, 50, True),
        (0.6, 0.3, 49, False),
    ],
)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_over_fitted_numbers_are_sick_where_much_less_is_explained(reduction, validation, loss, step, sick):
    """A loss that is a sum is one of 400 rows in training, and of 80 in validation."""
    train, new = (400, 80) if reduction == "sum" else (1, 1)
    losses, known = (0.9, 0.8, 0.7, 0.2), (0.7, 0.4, 0.5, validation)
    found = over_fit(
        [new * x for x in known],
        [train * x for x in losses],
        loss=loss,
        step=step,
        net=network(loss=f"half_squared_error({reduction})"),
        new_rows=80,
    )
    assert found.sick == sick


@pytest.mark.parametrize(("others", "sick"), [(0.4999, False), (0.5, True)])
def test_a_gap_that_a_few_validation_rows_make_is_no_illness_and_has_no_remedy(others, sick):
    """Of 40 new rows one costs more than ten times what the constant answer does; the rest stands 0.3 apart."""
    made = trials(0.3)
    made.ended[:40] = others
    made.ended[7] = 400.0
    found = over_fit((0.9, 0.5, 0.52, 10.0), trials=made)
    assert found.sick == sick
    assert (found.remedy is None) != sick
    assert ("on 39 others it is 0.4999; look for rows" in str(found)) != sick
    assert found.evidence.get("rest") == (None if sick else pytest.approx(others))
    made.ended[7] = 10.0  # as much as ten rows of the constant answer: still one among others
    assert over_fit((0.9, 0.5, 0.52, 10.0), trials=made).sick


def test_one_far_validation_row_is_told_from_over_fitting():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    y = 2 * np.sin(X[:, 0]) + X @ [1.0, -2.0, 0.5, 0.0]
    X[323] *= 50
    net = Network([4, 16, 1], "relu", loss="half_squared_error", seed=0)
    far = {"validation_data": (X[320:], y[320:]), "epochs": 60, "learning_rate": 0.01, "progress": False}
    health = fit(net, X[:320], y[:320], **far).health
    assert [one.kind for one in health.diagnoses] == ["over-fitting"]
    assert health.state == "remarks"
    assert health.diagnoses[0].remedy is None
    assert health.diagnoses[0].evidence["rows"] == 79


@pytest.mark.parametrize(("accuracy", "sick"), [(0.85, True), (0.849, False)])
def test_over_fitted_classes_are_sick_where_accuracies_are_far_apart(accuracy, sick):
    seen = history(
        [1.0, 0.8, 0.5], [0.9, 0.5, 0.7], train_accuracy=[0.5, 0.6, accuracy], validation_accuracy=[0.5, 0.9, 0.7]
    )
    found = find_over_fitting(evidence(vitals(200, 0.1, wrong=0.3), history=seen, baseline=CLASSES))
    assert found.sick == sick
    assert found.evidence["gap"] == pytest.approx((accuracy - 0.7) / 0.15)


def test_nothing_is_over_fitted_where_early_stopping_or_lag_explains_it_or_nothing_is_known():
    rising = (0.9, 0.5, 0.52, 0.75)
    assert over_fit(rising) is not None
    assert over_fit(rising, training={"early_stopping": "patience(99)"}) is None
    assert over_fit(rising, lag=Lag(0.1, 0.9, 0.2)) is None
    assert over_fit((0.9, None, 0.52, 0.75)) is None
    assert over_fit((0.5,), (1.0,)) is None
    assert over_fit((0.5, 0.75), (1.0, 0.8)) is not None
